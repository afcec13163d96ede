/* Searching an attack's hyper-parameters: settings drawn from what its driver names in `search`, the first the one it was given; the product of
 * the best on the attacker's own validation images is kept. Never the test set: an attacker cannot choose by it.
 *
 * What "best" is follows from the goal: a usable or changed network by its accuracy on labelled validation images (answers of the service are
 * asked through the oracle and counted), forged credentials by how many the service accepts (submitted and counted). The owner's mark is
 * nothing an attacker can measure: a removal is searched by accuracy alone. Labels count once however often they are used; queries,
 * submissions and compute of all settings are the attack's. A budget that ends in the middle ends the search with the best so far.
 * Source: attacks.md 0.4, 0.6; Bergstra and Bengio, "Random search for hyper-parameter optimization", JMLR 13 (2012). */
#ifndef LB_BENCH_SEARCH_H
#define LB_BENCH_SEARCH_H

#include "attacks/attack.h"

#define SEARCH_MAX 1000

/* What measuring takes beside the attack's needs. */
unsigned search_needs(const struct attack *at);
/* Options of setting k of (seed): given, with every searched option drawn anew where k > 0. New conf, the caller frees. */
void *search_setting(const struct attack *at, const void *given, uint64_t seed, int k);
/* How many different settings there are, at most SEARCH_MAX. */
int search_space(const struct attack *at);
/* Run `n` settings (as many as differ) under a, whose ledger is l, and keep the best product in p; with n < 2 or nothing to search it is just
 * at->run(). Notes: search_tried, search_chosen (0: the one given), search_score, search_given (its score), search_options. 0, or -1
 * after error(). */
int search_run(const struct attack *at, struct access *a, struct ledger *l, const void *given, int n, struct product *p);

#endif
