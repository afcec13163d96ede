/* A small world for tests of attacks and of the evaluator: synthetic images, a trained MLP, and a toy scheme whose outcomes are
 * known in advance. */
#ifndef LB_TESTS_SUPPORT_BENCH_H
#define LB_TESTS_SUPPORT_BENCH_H

#include "bench/access.h"

enum { WORLD_USERS = 4, WORLD_EACH = 4, WORLD_MARK = 8 };

/* The toy scheme. A credential is a black image whose first pixel names the user and whose second the trial. Trial 3 of every
 * user is broken (refused, "ok" 0); trial 2 of user 3 names user 0 instead. Without a credential answers are random.
 * The mark is 8 weights, every second one small enough to be pruned; it verifies when all 8 are in place. */
extern const struct scheme toy_scheme;

struct world {
	struct dataset *data;
	struct splits splits;
	struct model *base;
	struct locked locked;
	struct bundle *creds;
	struct setup setup;       /* its base_fe and lock_fe are made up: round numbers for tests of metrics */
	struct train_conf recipe; /* of base */
	double base_fe, lock_fe;  /* what training and locking really took */
};
/* 10 classes, 28x28 grey, limited to 600 training and 200 test images. scheme_toy with its credentials, or any
 * other scheme by its options for smoke tests (no credentials are issued then). */
void world_open(struct world *w, const struct scheme *scheme);
void world_close(struct world *w);

/* Run an attack under options "a=b c=d" with exactly what it needs; the product is the caller's. 0, or -1 after error(). */
int world_attack(const struct world *w, const struct attack *a, const char *options, struct ledger *ledger,
		 struct product *p);
/* Driver by name from the table of attacks; NULL when absent (no error). */
const struct attack *attack_named(const char *name);
/* conf with defaults and "a=b c=d" applied; caller frees. NULL after error(). */
void *conf_of(const struct driver *d, const char *options);
/* The state of a model as a number that changes with any bit of it. */
unsigned long model_bits(const struct model *m);

#endif
