/* Numbers to be resampled: the mean of n draws with replacement from n numbers, quickly. Private to metrics/. */
#ifndef LB_METRICS_STAT_POOLING_H
#define LB_METRICS_STAT_POOLING_H

#include "base/rng.h"

#define POOL_FEW 32     /* different values up to which their counts are drawn instead of single numbers, */
#define POOL_OFTEN 16   /* when each occurs so often on average: then that is faster */

/* x (n) is borrowed; the different values and how often each occurs, where that is worth while (else t.n is 0). */
struct pool {
	const double *x;
	int n;
	struct { int n; double v[POOL_FEW]; int count[POOL_FEW]; } t;
};
void pool_of(const double *x, int n, struct pool *p); /* n >= 1 */
double pool_mean(const struct pool *p, struct rng *r);

#endif
