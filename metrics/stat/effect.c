/* Summaries and effect sizes. See effect.h. */
#include "metrics/stat/effect.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "metrics/stat/rank.h"
#include "metrics/stat/stats.h"

double *ascending(const double *x, int n)
{
	int *order = xmalloc((size_t)n, sizeof(*order));
	double *s = xmalloc((size_t)n, sizeof(*s));

	order_ascending(x, n, order);
	for (int i = 0; i < n; i++)
		s[i] = x[order[i]];
	free(order);
	return s;
}

static double mean_of(const double *x, int n)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += x[i];
	return sum / n;
}

double quantile_ascending(const double *x, int n, double q)
{
	const double at = q * (n - 1);
	const int i = (int)at;

	BUG_ON(n < 1 || !(q >= 0) || q > 1);
	return i + 1 < n ? x[i] + (at - i) * (x[i + 1] - x[i]) : x[n - 1];
}

double quantile(const double *x, int n, double q)
{
	double *s = ascending(x, n), v = quantile_ascending(s, n, q);

	free(s);
	return v;
}

double median(const double *x, int n)
{
	return quantile(x, n, 0.5);
}

void summarise(const double *x, int n, double confidence, struct summary *s)
{
	double squares = 0, half;

	BUG_ON(n < 1);
	*s = (struct summary){ .n = n, .mean = mean_of(x, n), .min = x[0], .max = x[0], .median = median(x, n), .interval = n > 1 };
	for (int i = 0; i < n; i++) {
		squares += (x[i] - s->mean) * (x[i] - s->mean);
		s->min = fmin(s->min, x[i]);
		s->max = fmax(s->max, x[i]);
	}
	s->sd = n > 1 ? sqrt(squares / (n - 1)) : 0;
	half = n > 1 ? student_t(n - 1, confidence) * s->sd / sqrt(n) : 0;
	s->low = s->mean - half;
	s->high = s->mean + half;
}

/* Mann-Whitney by ranks in the joint sample: U = rank sum of x - m (m + 1) / 2. */
double superiority(const double *x, int m, const double *y, int n)
{
	double *both = xmalloc((size_t)m + (size_t)n, sizeof(*both)), *rank = xmalloc((size_t)m + (size_t)n, sizeof(*rank)), sum = 0;

	BUG_ON(m < 1 || n < 1);
	for (int i = 0; i < m + n; i++)
		both[i] = i < m ? x[i] : y[i - m];
	ranks(both, m + n, rank);
	for (int i = 0; i < m; i++)
		sum += rank[i];
	free(both);
	free(rank);
	return (sum - m * (m + 1.0) / 2) / ((double)m * n);
}

double cliffs_delta(const double *x, int m, const double *y, int n)
{
	return 2 * superiority(x, m, y, n) - 1;
}

bool cohens_dz(const double *d, int n, double *dz)
{
	struct summary s;

	BUG_ON(n < 2);
	summarise(d, n, 0.95, &s);
	if (!(s.sd > 0))
		return false;
	*dz = s.mean / s.sd;
	return true;
}

bool hedges_gz(const double *d, int n, double *gz)
{
	const double half = (n - 1) / 2.0;
	int sign;

	BUG_ON(n < 3);
	if (!cohens_dz(d, n, gz))
		return false;
	*gz *= exp(lgamma_r(half, &sign) - lgamma_r(half - 0.5, &sign)) / sqrt(half);
	return true;
}

double cohens_h(double p1, double p2)
{
	BUG_ON(!(p1 >= 0 && p1 <= 1 && p2 >= 0 && p2 <= 1));
	return 2 * asin(sqrt(p1)) - 2 * asin(sqrt(p2));
}

double interquartile_mean(const double *x, int n)
{
	double *s, sum = 0;

	BUG_ON(n < 1);
	s = ascending(x, n);
	for (int i = 0; i < n; i++) { /* number i stands for [i, i + 1) of n; what of that lies in [n/4, 3n/4) */
		const double from = fmax(i, n / 4.0), to = fmin(i + 1, 3 * n / 4.0);

		sum += s[i] * fmax(0, to - from);
	}
	free(s);
	return sum / (n / 2.0);
}

double optimality_gap(const double *x, int n, double gamma)
{
	double sum = 0;

	BUG_ON(n < 1);
	for (int i = 0; i < n; i++)
		sum += fmin(x[i], gamma);
	return gamma - sum / n;
}
