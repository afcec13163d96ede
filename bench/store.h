/* A store: a directory with one immutable file per cell and content-addressed artefacts. The files are the truth.
 *   store.json               {"format": 1, "created_by": "lockbench 0.1.0"}
 *   cells/ab/<key>.json      timing/ab/<key>.json     failures/<key>.json
 *   artefacts/ab/<key>.safetensors   (base, locked, pub, secret, creds; metadata member "sha256" over the tensors)
 *   damaged/...              files whose bytes are not what was written, moved out of the way
 *   last-run.json            {"command", "name", ...}: what filled the store last, for reports
 *   manifest.sha256          which files runs wrote, each with its SHA-256 (manifest.h)
 *   lock                     held (flock) by the one run that writes
 * A cell file carries one member more than cell.h says: "sha256", over its canonical text without that member. */
#ifndef LB_BENCH_STORE_H
#define LB_BENCH_STORE_H

#include "nn/bundle.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct dir;
struct manifest;
struct store;

/* Open or (create) make, private (0700, files 0600); refuses a directory that is not a store and not empty. NULL
 * after error(). */
struct store *store_open(const char *dir, bool create);
/* One that lost its store.json, or whose is no JSON, too: *lost, and store_make_again() writes it (by who holds the
 * lock). */
struct store *store_open_to_repair(const char *dir, bool *lost);
int store_make_again(struct store *s);
/* Is there a store? 1, 0, or -1 after error() when nobody can tell. */
int store_there(const char *dir);
void store_close(struct store *s);
const char *store_dir(const struct store *s);
/* Everything in a store is reached through this: no link in it is followed (base/dir.h). */
const struct dir *store_folder(const struct store *s);
/* One writer at a time: EXIT_TEMPORARY with a message that names the holder when another run has it. */
int store_lock(struct store *s);
/* For who only looks: fails as store_lock() does when a run has the store, and changes nothing. */
int store_lock_to_look(struct store *s);
/* This process works for the run that holds the lock. Only such processes, and the run itself, move damaged files
 * aside. */
void store_work_for_run(struct store *s);

/* Questions answer 1, 0, or -1 after error() when nobody can tell (EXIT_IO): that never counts as absent.
 * A damaged cell is warned of and counts as absent: the next run makes it again. */
int store_has_cell(struct store *s, const char *key);
int store_put_cell(struct store *s, const char *key, const json_t *cell);
/* What a cell's file holds, as JSON; where: what messages call it. NULL after error(EXIT_UNEVALUABLE) when it is not,
 * to the byte, what store_put_cell() writes under that key. For files of cells that lie elsewhere: bundles. */
json_t *store_cell_of(const char *text, size_t len, const char *key, const char *where);
/* Every byte is what was written, the key inside is the file's, all members are what a cell has (cellcheck.h); NULL
 * after error(). */
json_t *store_get_cell(struct store *s, const char *key);
/* The same, and the file's SHA-256 (65 bytes; NULL: not wanted). */
json_t *store_read_cell(struct store *s, const char *key, char *hash);
int store_put_timing(struct store *s, const char *key, const json_t *timing);
/* These three: NULL without error() when absent, or damaged (a warning); NULL after error() when nobody can tell. */
json_t *store_get_timing(struct store *s, const char *key);
int store_put_failure(struct store *s, const char *key, const json_t *failure);
json_t *store_get_failure(struct store *s, const char *key);
/* These three: NULL without error() when absent; damage is an error (EXIT_UNEVALUABLE), and nothing is moved. For who
 * names it. */
json_t *store_read_timing(struct store *s, const char *key);
json_t *store_read_run(struct store *s);
struct bundle *store_read_artefact(struct store *s, const char *key);
int store_clear_failure(struct store *s, const char *key);
/* Failures and timings are checked as cells are, but for a hash, which they do not have. Call fn for every cell (kind
 * "cells") or failure in key order, bad for each that is damaged, with the reason; stops at non-zero and returns it.
 * -1 after error() when one cannot be read at all: then nothing that needs all of them may go on. */
int store_each(struct store *s, const char *kind, int (*fn)(void *ctx, const char *key, const json_t *j),
	       int (*bad)(void *ctx, const char *key, const char *why), void *ctx);

int store_has_artefact(struct store *s, const char *key); /* 1, 0, -1 */
int store_put_artefact(struct store *s, const char *key, const struct bundle *b);
/* NULL and no error when absent; a damaged one is moved aside with a warning (by who may write) and counts as
 * absent. */
struct bundle *store_get_artefact(struct store *s, const char *key);
/* Keys of a kind ("cells", "timing", "failures", "artefacts"), sorted; free with dir_list_free. NULL after error(). */
char **store_keys(struct store *s, const char *kind, size_t *n);
/* Where the file of a key is, below store_folder(), or for messages; caller frees. */
char *store_rel(const char *kind, const char *key);
char *store_path(const struct store *s, const char *kind, const char *key);
/* As dir_there() and dir_remove(). */
int store_file_bytes(struct store *s, const char *kind, const char *key, uint64_t *bytes);
int store_remove(struct store *s, const char *kind, const char *key);
/* Is every byte of the file what was written? 0 and the file's SHA-256, or -1 after error() saying what is wrong.
 * Changes nothing. own: store.json, last-run.json. */
int store_check(struct store *s, const char *kind, const char *key, char hash[65]);
int store_check_own(struct store *s, const char *rel, char hash[65]);
int store_check_cell(struct store *s, const char *key);
int store_check_artefact(struct store *s, const char *key);
/* What filled the store last. */
int store_put_run(struct store *s, const json_t *run);
json_t *store_get_run(struct store *s);
/* SHA-256 over all cell files in key order: printed by reports. -1 after error() when one cannot be read. */
int store_hash(struct store *s, char out[65]);

/* ---- the manifest (manifest.h): what is read from a store, but for artefacts, is compared with it ---- */

/* Of which kind a path is ("cells", "timing", "failures", "artefacts", or "own": store.json, last-run.json), and its
 * key ("" for those); NULL: no file of a store. */
const char *store_rel_kind(const char *rel, char key[65]);
/* 1 and *m (borrowed until it is asked for again); 0: there is none; -1 after error(): EXIT_UNEVALUABLE when it is
 * damaged. _again: as it is now, because a run may be at work. */
int store_listed(struct store *s, const struct manifest **m);
int store_listed_again(struct store *s, const struct manifest **m);
/* Call fn for every key of a kind that is listed and not there (a damaged manifest lists nothing); keys: those that
 * are there, as store_keys() gave them. Stops at non-zero and returns it; -1 after error(). */
int store_missing(struct store *s, const char *kind, char *const *keys, size_t n,
		  int (*fn)(void *ctx, const char *key), void *ctx);
/* Get a file that is damaged out of the way, into damaged/, for who holds the lock; own: store.json, last-run.json.
 * *to: where it went; caller frees. 0, or -1 after error(). */
int store_move_aside(struct store *s, const char *rel, char **to);
/* For who holds the lock: to drop what is going to change (manifest_drop(), _drop_kind()) and publish it before that.
 * NULL after error(). */
struct manifest *store_manifest(struct store *s);
void manifest_drop_kind(struct manifest *m, const char *kind, const char *key, bool *any);
int store_publish_manifest(struct store *s);
/* Enter what is there and not listed, each file read once and checked; what is damaged is not entered. seconds: what
 * is not done by then is left to the next run; 0: no limit. 0, or -1 after error(). */
int store_settle(struct store *s, double seconds);

#endif
