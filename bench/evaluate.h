/* The evaluator: the only party that holds test labels and secrets together. Turns a locked model and, maybe,
 * an attack's product into observations. */
#ifndef LB_BENCH_EVALUATE_H
#define LB_BENCH_EVALUATE_H

#include "attacks/attack.h"
#include "datasets/dataset.h"
#include "metrics/observe.h"
#include "schemes/scheme.h"

/* Everything one cell stands on; all borrowed. */
struct setup {
	const struct dataset *data;
	const struct splits *splits;
	const struct scheme *scheme;
	const void *conf;            /* the scheme's options */
	const struct model *base;    /* the unprotected network */
	struct locked *locked;
	const struct bundle *creds;  /* issued credentials, user-major: users * per_user, or NULL */
	int users, per_user;
	uint64_t seed;               /* the cell's */
	double base_fe, lock_fe, enrol_fe; /* forward equivalents spent on training, locking, enrolling all */
};

/* Fill o. p NULL: the functional evaluation (no attack). verdict: "ok", "noop" (the product changed nothing), "n/a" (it says why it does not apply; nothing is observed) or
 * "scheme-untrained" (authorised accuracy under chance + 10 points is not a lock worth attacking); why: one line, at least 256 bytes. 0, or -1 after error(). Everything here is deterministic. */
int evaluate(const struct setup *s, const struct product *p, struct observations *o, const char **verdict, char *why);

/* What cannot repeat to the bit (seconds, bytes of memory) goes beside the cell, not into it: latency per image authorised
 * and reference at batch 1 and 64 (median of at least 30 runs after 5 warm-ups), authentication latency, ratios. Returns an object of
 * numbers; caller decrefs; NULL after error(). */
json_t *measure_overhead(const struct setup *s);

#endif
