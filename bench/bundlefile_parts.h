/* What writing, reading and merging study bundles share. Private to bundlefile*.c. */
#ifndef LB_BENCH_BUNDLEFILE_PARTS_H
#define LB_BENCH_BUNDLEFILE_PARTS_H

#include <stdbool.h>

#include "bench/bundlefile.h"
#include "bench/scrub.h"

#define BUNDLE_FORMAT 2 /* 1, which is still read, and written where nothing is withheld, knew no withheld cells */
/* Of one file in it. A manifest has a line for each file; only job and report files are not JSON that is parsed. */
#define BUNDLE_MANIFEST_MAX ((size_t)40 << 20)
#define BUNDLE_MANIFEST_VALUES 400000
#define BUNDLE_ENTRIES_MAX 250000
#define BUNDLE_KEY_LEN 64

/* Deflates a file as it comes, then appends it (end) or forgets it (drop). */
struct packer;
struct packer *packer_new(void);
void packer_add(struct packer *p, const void *data, size_t len);
void packer_end(struct packer *p, struct bundle_file *b, const char *name);
void packer_drop(struct packer *p);

/* Append a file; data stays the caller's. */
void bundle_file_add(struct bundle_file *b, const char *name, const void *data, size_t len);
bool bundle_file_in(const char *name, const char *folder);
/* NULL: there is none. The files must be in order. */
const struct bundle_entry *bundle_file_named(const struct bundle_file *b, const char *name);
/* May a bundle hold a file of this name? */
bool bundle_file_path_ok(const char *name);
/* How large may that file be? */
size_t bundle_file_most(const char *name);
/* Sorts them by name. -1 after error() when one is there twice. */
int bundle_file_sort(struct bundle_file *b, const char *where);
/* Sorts the files and describes them; sources and conflicts: members to put in besides (stolen). -1 after error(). */
int bundle_file_make_manifest(struct bundle_file *b, json_t *sources, json_t *conflicts);
/* What must not leave the store that its files are of: secrets and machines. 0, or -1 after error(). */
int bundle_file_words(struct scrub *s, const struct bundle_file *b);
/* Its files without what only their owner may know (withhold.h) and without these words. The manifest and the hash stay
 * those of what was read. strict: a job that cannot be read is an error; else it loses only these words. 0, or -1 after
 * error(). */
int bundle_file_make_private(struct bundle_file *b, struct scrub *s, bool strict);
int bundle_file_check_size(const struct bundle_file *b);

#endif
