/* A store: a directory with one immutable file per cell and content-addressed artefacts. The files are the truth;
 * index.sqlite is a cache that can be rebuilt.
 *   store.json               {"format": 1, "created_by": "lockbench 0.1.0"}
 *   cells/ab/<key>.json      timing/ab/<key>.json     failures/<key>.json
 *   artefacts/ab/<key>.safetensors   (base, locked, pub, secret, creds; metadata member "sha256" over the tensors' bytes)
 *   damaged/<key>.safetensors        artefacts whose bytes are not what was written, moved out of the way
 *   last-run.json            {"command", "name", ...}: what filled the store last, for reports
 *   lock                     held (flock) by the one run that writes
 * A cell file carries one member more than cell.h says: "sha256", over its canonical text without that member. */
#ifndef LB_BENCH_STORE_H
#define LB_BENCH_STORE_H

#include "nn/bundle.h"
#include <jansson.h>
#include <stdbool.h>

struct store;

/* Open or (create) make; refuses a directory that is not a store and not empty. NULL after error(). */
struct store *store_open(const char *dir, bool create);
void store_close(struct store *s);
const char *store_dir(const struct store *s);
/* One writer at a time: EXIT_TEMPORARY with a message that names the holder when another run has it. */
int store_lock(struct store *s);

/* A damaged cell is warned of and counts as absent: the next run makes it again. */
bool store_has_cell(struct store *s, const char *key);
int store_put_cell(struct store *s, const char *key, const json_t *cell);
json_t *store_get_cell(struct store *s, const char *key); /* checks that the key inside is the file's; NULL after error() */
int store_put_timing(struct store *s, const char *key, const json_t *timing);
json_t *store_get_timing(struct store *s, const char *key); /* NULL when absent (no error) */
int store_put_failure(struct store *s, const char *key, const json_t *failure);
void store_clear_failure(struct store *s, const char *key);
/* Call fn for every cell (kind "cells") or failure in key order; stops at non-zero and returns it; unreadable files are warned of. */
int store_each(struct store *s, const char *kind, int (*fn)(void *ctx, const char *key, const json_t *j), void *ctx);

bool store_has_artefact(struct store *s, const char *key);
int store_put_artefact(struct store *s, const char *key, const struct bundle *b);
/* NULL and no error when absent; a damaged one is moved aside with a warning and counts as absent. */
struct bundle *store_get_artefact(struct store *s, const char *key);
/* Keys of a kind ("cells", "timing", "failures", "artefacts"), sorted; free with dir_list_free. NULL after error(). */
char **store_keys(struct store *s, const char *kind, size_t *n);
/* Where the file of a key is; caller frees. */
char *store_path(const struct store *s, const char *kind, const char *key);
/* Is every byte of the file what was written? 0, or -1 after error() saying what is wrong. Changes nothing. */
int store_check_cell(struct store *s, const char *key);
int store_check_artefact(struct store *s, const char *key);
/* What filled the store last. */
int store_put_run(struct store *s, const json_t *run);
json_t *store_get_run(struct store *s); /* NULL when unknown (no error) */
/* SHA-256 over all cell files in key order: printed by reports. */
void store_hash(struct store *s, char out[65]);

#endif
