/* See channel.h. */
#include "attacks/channel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"

void channel_stream(struct rng *r, struct rng_key k, const float *x, size_t len)
{
	uint8_t name[HASH_LEN];
	uint32_t at[2];

	sha256(x, len * sizeof(*x), name);
	memcpy(at, name, sizeof(at));
	rng_at(r, k, at[0], at[1]);
}

static int ascending(const void *pa, const void *pb)
{
	const double a = *(const double *)pa, b = *(const double *)pb;

	return (a > b) - (a < b);
}

/* MagNet's code takes element -num of the sorted scores with num = int(n rate), which for small rates is the smallest score
 * of all; here the index is counted from the other end and the two ends are cases of their own. */
double channel_threshold(double *score, int n, double alpha)
{
	const int over = (int)floor(alpha * n);

	BUG_ON(n < 1 || alpha < 0 || alpha > 1);
	qsort(score, (size_t)n, sizeof(*score), ascending);
	if (alpha <= 0)
		return INFINITY;
	return over >= n ? -INFINITY : score[n - 1 - over];
}
