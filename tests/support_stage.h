/* A real scheme on the small world of support_scheme.h, as attacks and the evaluator see it. */
#ifndef LB_TESTS_SUPPORT_STAGE_H
#define LB_TESTS_SUPPORT_STAGE_H

#include "tests/support_bench.h"
#include "tests/support_scheme.h"

struct stage {
	struct lock lock;
	struct world w; /* borrows the desk and the lock */
};
/* For fixtures and tests: locked under options, with one credential each for `users` users (0: none). */
void stage_open(struct stage *s, const struct desk *d, const struct scheme *scheme, const char *options, int users);
void stage_close(struct stage *s);
/* Percent of the successes among observation `name` after an attack, which must work and be judged; notes (may be NULL): the
 * product's, caller decrefs. */
double stage_percent(const struct stage *s, const char *attack, const char *options, struct ledger *l, const char *name, json_t **notes);
/* Percent of the test images that m classifies right. */
double stage_accuracy(const struct stage *s, const struct model *m);

#endif
