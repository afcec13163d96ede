/* The four keys of a point, and what belongs to them. */
#ifndef LB_BENCH_KEYS_H
#define LB_BENCH_KEYS_H

#include "bench/cell.h"

/* Raised whenever the evaluator (bench/evaluate.c, attacked.c, judge.c), bench/access.c or bench/search.c can give other bits. Part of every
 * cell's key; so are the metrics, by their names and versions. */
#define EVALUATE_VERSION 5

struct keys { char base[65], locked[65], creds[65], cell[65]; };

void point_keys(const struct point *p, struct keys *k);
/* The same for many points: what they have in common is computed once. While a memo lives, so must the option objects of its points,
 * which it tells apart by where they lie. */
struct key_memo;
struct key_memo *key_memo_new(void);
void key_memo_free(struct key_memo *m);
void point_keys_with(struct key_memo *m, const struct point *p, struct keys *k);
/* From a description: point_json(), or a stored cell, whose own engine, kernel and driver versions are used. Where
 * something is withheld (withhold.h), the locked key is what the description says. */
void keys_of(const json_t *description, struct keys *k);
/* A locked model and enrolled credentials have companions, artefacts of their own: part "pub" and "secret" of a locked
 * or a creds key (as they are after enrolment). */
void part_key(const char *key, const char *part, char out[65]);

/* Which artefact a task makes, in the order they depend on each other. */
enum stage { STAGE_BASE, STAGE_LOCKED, STAGE_CREDS, STAGE_CELL };
extern const char *const stage_names[]; /* "base", "locked", "creds", "cell" */
/* Is everything of that stage in the store? A stage that a point does not need (credentials of a scheme without) is there.
 * 1, 0, or -1 after error() when nobody can tell. */
struct store;
int stage_done(struct store *st, const struct point *p, const struct keys *k, enum stage s);
/* Bring a point to a stage, building what is missing below it. 0, or -1 after error(). */
int stage_run(struct store *st, const struct point *p, const char *data_dir, enum stage s);

#endif
