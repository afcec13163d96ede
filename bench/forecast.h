/* How much a task will have to compute, before anything of it exists: for predictions of time, and for nothing else. No result and no key
 * depends on it.
 *
 * The unit is the forward equivalent (a forward pass of the unprotected network for one image; a training step on it is 3), which the
 * ledger counts, too. What drivers know better than their options tell, they say by the hooks `cost` (attacks) and `burden` (schemes). */
#ifndef LB_BENCH_FORECAST_H
#define LB_BENCH_FORECAST_H

#include "bench/keys.h"

/* Of the data set and the network. */
struct facts {
	double macs;       /* of the unprotected network, an image */
	double parameters;
	int ntrain, ntest; /* images of the data set, before limits */
};

/* Of making what a stage makes, without what it stands on. Never 0. */
double forecast(const struct point *p, enum stage s, const struct facts *f);

/* Seconds of one processor for a forward equivalent of a network, measured now by training it for a moment (a fifth of a
 * second) on one thread; by processor time, so that a busy machine looks like an idle one. In a process of its own: a network
 * that needs more memory than there is ends that, not the run which asks. Negative where that cannot be done. */
double calibrate(const struct model_spec *spec);

#endif
