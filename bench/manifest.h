/* manifest.sha256 of a store: the SHA-256 of every file that runs wrote, as sha256sum(1) writes and checks it, sorted
 * by path:
 *   e3b0c442...b855  artefacts/ab/<key>.safetensors      cells/...  failures/...  last-run.json  store.json  timing/...
 * It is how anybody can tell that a file is gone, or that a file without a hash of its own is another than was
 * written.
 *
 * It never says more than what is so, at whatever point a run is killed: an entry is dropped, and the manifest
 * published, before its file may change (store_forget), and files are entered once they are there (store_settle).
 * What is there and not listed is no damage: a run that was killed left it, or is at work. */
#ifndef LB_BENCH_MANIFEST_H
#define LB_BENCH_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#define MANIFEST_NAME "manifest.sha256"

struct dir;
struct manifest;

struct manifest *manifest_new(void);
/* 1 and *m; 0 when there is none; -1 after error(): EXIT_UNEVALUABLE when it is no manifest. */
int manifest_read(const struct dir *d, struct manifest **m);
void manifest_free(struct manifest *m); /* NULL: nothing */
/* In hex; NULL: not listed. m may be NULL. */
const char *manifest_hash(const struct manifest *m, const char *rel);
/* Entries by path, i below the count; NULL where one was dropped. Those that were added since it was read are not
 * among them. */
size_t manifest_count(const struct manifest *m);
const char *manifest_path(const struct manifest *m, size_t i);
/* For a file that is not listed. */
void manifest_add(struct manifest *m, const char *rel, const char *hash);
/* Was it listed? */
bool manifest_drop(struct manifest *m, const char *rel);
/* 0, or -1 after error(). Does nothing when nothing changed since it was read. */
int manifest_publish(struct manifest *m, const struct dir *d);

#endif
