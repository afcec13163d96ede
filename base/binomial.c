/* See binomial.h. */
#include "base/binomial.h"

#include <math.h>

/* log of C(n,i) p^i (1-p)^(n-i) */
static double log_term(int i, int n, double p)
{
	return lgamma(n + 1.0) - lgamma(i + 1.0) - lgamma(n - i + 1.0) + i * log(p) + (n - i) * log1p(-p);
}

/* From the top, where terms are smallest; log(a + b) from their logarithms. */
static double log_sum(double a, double b)
{
	const double most = a > b ? a : b, least = a > b ? b : a;

	return isinf(least) ? most : most + log1p(exp(least - most));
}

double binomial_evidence(int k, int n, double p)
{
	double tail = -INFINITY;

	if (k <= 0)
		return 0;
	for (int i = n; i >= k; i--)
		tail = log_sum(tail, log_term(i, n, p));
	return fmax(0, -tail / log(2));
}

int binomial_threshold(int n, double p, double bits)
{
	double tail = -INFINITY;
	int k = n + 1;

	for (; k > 0; k--) {
		tail = log_sum(tail, log_term(k - 1, n, p));
		if (-tail / log(2) < bits)
			break;
	}
	return k;
}
