/* Draws from a pool of numbers. See pooling.h.
 * Accuracies differ by -1, 0 or 1 an image: three binomial numbers stand for ten thousand draws. */
#include "metrics/stat/pooling.h"

#include <math.h>

void pool_of(const double *x, int n, struct pool *p)
{
	*p = (struct pool){ .x = x, .n = n };
	for (int i = 0; i < n; i++) {
		int at = 0;

		while (at < p->t.n && p->t.v[at] != x[i])
			at++;
		if (at == POOL_FEW || (at == p->t.n && (at + 1) * POOL_OFTEN > n)) {
			p->t.n = 0;
			return;
		}
		if (at == p->t.n)
			p->t.v[p->t.n++] = x[i];
		p->t.count[at]++;
	}
}

/* Bin(n, p) by inversion, going outwards from the mode so that it takes about a standard deviation of steps. */
static int draw_binomial(struct rng *r, int n, double p)
{
	const int mode = (int)((n + 1) * p);
	int low, high, sign;
	double u = rng_uniform(r), at, p_low, p_high;

	if (n == 0 || p <= 0)
		return 0;
	if (p >= 1)
		return n;
	at = exp(lgamma_r(n + 1.0, &sign) - lgamma_r(mode + 1.0, &sign) - lgamma_r(n - mode + 1.0, &sign) + mode * log(p) +
		 (n - mode) * log1p(-p));
	low = high = mode;
	p_low = p_high = at;
	u -= at;
	while (u >= 0 && (p_low > 0 || p_high > 0)) {
		p_high = high < n ? p_high * (n - high) * p / ((high + 1) * (1 - p)) : 0;
		u -= p_high;
		if (u < 0 && p_high > 0)
			return high + 1;
		high++;
		p_low = low > 0 ? p_low * low * (1 - p) / ((n - low + 1) * p) : 0;
		u -= p_low;
		low--;
		if (u < 0)
			return low;
	}
	return mode; /* u was below the first, or above the sum of all by rounding */
}

/* Mean of n draws from n numbers. */
double pool_mean(const struct pool *p, struct rng *r)
{
	int left = p->n, remaining = p->n;
	double sum = 0;

	if (!p->t.n) {
		for (int i = 0; i < p->n; i++)
			sum += p->x[rng_below(r, (uint32_t)p->n)];
		return sum / p->n;
	}
	for (int i = 0; i < p->t.n; i++) { /* multinomial counts: of what is left, value after value */
		const int k = i + 1 < p->t.n ? draw_binomial(r, left, (double)p->t.count[i] / remaining) : left;

		sum += k * p->t.v[i];
		left -= k;
		remaining -= p->t.count[i];
	}
	return sum / p->n;
}
