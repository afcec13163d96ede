/* A toy scheme whose clients prepare images, for tests of attacks that imitate them. */
#ifndef LB_TESTS_SUPPORT_PAIRS_H
#define LB_TESTS_SUPPORT_PAIRS_H

#include "tests/support_weights.h"

/* TWIN: clients copy each pixel of an even column into the next one: another residual for every image. STAMP: they whiten the same two
 * rows of every image. The service answers rightly what looks prepared, and one class too many anything else. */
enum pairs_kind { PAIRS_TWIN, PAIRS_STAMP };
/* The toy world under that scheme. */
void pairs_open(struct world *w, enum pairs_kind kind);
/* Test images right by the product of an attack under options, as the evaluator finds; key NULL: right answers only. */
int pairs_right(const struct world *w, const char *attack, const char *options, struct ledger *l, const char *key, double *note);

#endif
