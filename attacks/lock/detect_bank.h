/* A bank of clean networks that the attacker trains on his own images, to tell an unusual one by. */
#ifndef LB_ATTACKS_LOCK_DETECT_BANK_H
#define LB_ATTACKS_LOCK_DETECT_BANK_H

#include <stdbool.h>

#include "attacks/attack.h"

struct bank_conf {
	int networks, images, epochs, steps; /* of the deployed one's architecture, on so many labelled images; at least `steps` steps each */
	/* What they are compared by (attacks/lock/detect_traits.h): out (TRAITS_MOST), returns how many, -1 after error(). */
	int (*traits)(struct model *m, const struct images *v, double *out);
	bool less; /* only less than the bank's is unusual */
	bool runs; /* traits runs the network on v: charged */
};
/* Into kept: "bank" f64 (networks, k), the traits of each on `probes`. *threshold is raised to the largest deviation of one from the others. The
 * images' labels are charged once. 0, or -1 after error(). */
int bank_train(struct access *a, const struct bank_conf *c, const struct images *probes, struct bundle *kept, double *threshold);

/* Largest deviation of any of x (k) from rows (n, k), row `but` left out (-1: none), in their standard deviations. */
double bank_deviation(const double *x, const double *rows, int n, int k, int but, bool less);

#endif
