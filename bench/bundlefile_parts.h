/* What writing, reading and merging study bundles share. Private to bundlefile*.c. */
#ifndef LB_BENCH_BUNDLEFILE_PARTS_H
#define LB_BENCH_BUNDLEFILE_PARTS_H

#include <stdbool.h>

#include "bench/bundlefile.h"

#define BUNDLE_FORMAT 1
#define BUNDLE_ENTRY_MAX ((size_t)64 << 20) /* of one file in it; as store.c reads */
#define BUNDLE_ENTRIES_MAX 400000
#define BUNDLE_KEY_LEN 64

/* Append a file; data is taken. */
void bundle_file_add(struct bundle_file *b, const char *name, char *data, size_t len);
/* A copy for it, NUL-terminated. */
char *bundle_file_copy(const char *data, size_t len);
bool bundle_file_in(const char *name, const char *folder);
/* NULL: there is none. The files must be in order. */
const struct bundle_entry *bundle_file_named(const struct bundle_file *b, const char *name);
/* May a bundle hold a file of this name? */
bool bundle_file_path_ok(const char *name);
/* Sorts the files and describes them; sources and conflicts: members to put in besides (stolen). -1 after error(). */
int bundle_file_make_manifest(struct bundle_file *b, json_t *sources, json_t *conflicts);
int bundle_file_check_size(const struct bundle_file *b);

#endif
