/* Which cell of a candidate answers which cell of a baseline.
 *
 * Two cells are a pair when they agree in everything but what the comparison is about:
 *   data set and its hash, model and shape, limits, tier, recipe, seed, users, credentials per user, scheme and its options,
 *   attack and its options, engine and kernel family.
 * Driver versions, the program's version and what was measured may differ. Where a driver's version differs, so may options that
 * only one of the versions has. A cell that both have by its key is a pair whatever tier it was made for.
 * With `against`, the candidate's scheme stands for another one: scheme, its options, users and credentials are left out.
 * Cells that differ in engine, kernel family, tier or limits are a pair only when that is asked for (`mixed`). */
#ifndef LB_BENCH_PAIR_H
#define LB_BENCH_PAIR_H

#include "base/arena.h"
#include <jansson.h>
#include <stdbool.h>

struct pair_conf {
	const char *scheme;  /* only the candidate's cells of this scheme; NULL: all */
	const char *against; /* the baseline's scheme that it is compared with; NULL: its own name, with its own options */
	bool mixed;
};

/* One comparison: pairs that differ in their seed only, by seed. */
struct pair_group {
	const char *label, *attack;     /* "activeguard (tolerance=0.02)", "prune (rate=0.5)" or "" */
	const char *where;              /* "fashion-mnist, lenet5, smoke tier, 18000/2000 images" */
	const json_t **baseline, **candidate; /* (n) */
	long long *seed;                /* (n) */
	int n;
	bool mixed;                     /* engine, kernel, tier or limits differ */
	const char *key;                /* private */
};

struct pairs {
	struct arena mem;
	struct pair_group *group; /* sorted by where, label, attack */
	int ngroups, npairs;
	json_t *missing, *added;  /* arrays of texts: baseline cells that no candidate answers, and the other way round */
	json_t *unread;           /* the same of cells that either side should have and cannot show; empty until who read them says so */
};

/* cells: arrays as in struct report_input; borrowed for the life of p. failures of the candidate say why a cell is missing; may be
 * NULL. 0, or -1 after error(EXIT_UNEVALUABLE): nothing pairs, what pairs is mixed, or a scheme occurs with several settings. The
 * caller releases p in both cases. */
int pairs_make(struct pairs *p, const json_t *baseline, const json_t *candidate, const json_t *failures, const struct pair_conf *c);
void pairs_release(struct pairs *p);

#endif
