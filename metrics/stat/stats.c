/* Exact intervals for proportions. See stats.h.
 * Sources: Clopper and Pearson, Biometrika 26 (1934); Didonato and Morris, "Algorithm 708" (1992) for the
 * continued fraction of the incomplete beta function, here evaluated by Lentz's method. */
#include "metrics/stat/stats.h"

#include <math.h>

#include "base/error.h"

#define MAX_TERMS 100000
#define TINY 1e-300

static double log_gamma(double x)
{
	int sign;

	return lgamma_r(x, &sign); /* lgamma() writes a global */
}

/* Kept away from zero, where Lentz's quotients would divide by it. */
static double not_zero(double x)
{
	return fabs(x) < TINY ? TINY : x;
}

/* The continued fraction of I_x(a,b); converges fast for x < (a+1)/(a+b+2). */
static double beta_fraction(double a, double b, double x)
{
	double c = 1, d = 1 / not_zero(1 - (a + b) * x / (a + 1)), f = d;

	for (int m = 1; m < MAX_TERMS; m++) {
		const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double step;

		d = 1 / not_zero(1 + even * d);
		c = not_zero(1 + even / c);
		f *= c * d;
		d = 1 / not_zero(1 + odd * d);
		c = not_zero(1 + odd / c);
		step = c * d;
		f *= step;
		if (fabs(step - 1) < 1e-16)
			break;
	}
	return f;
}

double beta_inc(double a, double b, double x)
{
	double front;

	BUG_ON(!(a > 0) || !(b > 0));
	if (x <= 0 || x >= 1)
		return x >= 1;
	front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* Bisection: slow, certain, and relative precision near 0. */
double beta_inv(double a, double b, double p)
{
	double low = 0, high = 1;

	if (p <= 0 || p >= 1)
		return p >= 1;
	while (high - low > 1e-15 * high) {
		const double mid = low + (high - low) / 2;

		if (mid <= low || mid >= high)
			break;
		if (beta_inc(a, b, mid) < p)
			low = mid;
		else
			high = mid;
	}
	return high;
}

void clopper_pearson(long k, long n, double confidence, double *low, double *high)
{
	const double tail = (1 - confidence) / 2;

	BUG_ON(n <= 0 || k < 0 || k > n);
	*low = k ? beta_inv((double)k, (double)(n - k + 1), tail) : 0;
	*high = k < n ? beta_inv((double)(k + 1), (double)(n - k), 1 - tail) : 1;
}

/* P(|T| < t) = I_y(1/2, df/2) with y = t^2 / (df + t^2). */
double student_t(int df, double confidence)
{
	const double y = beta_inv(0.5, df / 2.0, confidence);

	BUG_ON(df < 1);
	return sqrt(df * y / (1 - y));
}

double binomial_tail(long k, long n, double p)
{
	if (k <= 0)
		return 1;
	return k > n ? 0 : beta_inc((double)k, (double)(n - k + 1), p);
}

/* Score statistic of the hypothesis that the difference is d, as a function that falls in d. */
static double tango_score(double b, double c, double n, double d)
{
	const double p = 2.0 * n, q = -b - c + (2.0 * n - b + c) * d, r = -c * d * (1 - d);
	const double p21 = (sqrt(fmax(q * q - 4 * p * r, 0)) - q) / (2 * p);
	const double variance = n * (2 * p21 + d * (1 - d));

	return (b - c - n * d) / sqrt(fmax(variance, TINY));
}

static double tango_bound(double b, double c, double n, double z)
{
	double low = -1, high = 1;

	for (int i = 0; i < 100; i++) {
		const double mid = (low + high) / 2;

		if (tango_score(b, c, n, mid) > z)
			low = mid;
		else
			high = mid;
	}
	return (low + high) / 2;
}

double paired_score(long b, long c, long n, double d)
{
	BUG_ON(n <= 0 || b < 0 || c < 0 || b + c > n || !(fabs(d) <= 1));
	return tango_score((double)b, (double)c, (double)n, d);
}

void paired_difference_z(long b, long c, long n, double z, double *low, double *high)
{
	BUG_ON(n <= 0 || b < 0 || c < 0 || b + c > n);
	*low = tango_bound((double)b, (double)c, (double)n, z);
	*high = tango_bound((double)b, (double)c, (double)n, -z);
}

void paired_difference(long b, long c, long n, double *low, double *high)
{
	paired_difference_z(b, c, n, 1.959963984540054 /* 97.5 % point of the normal distribution */, low, high);
}

/* Wilson, JASA 22 (1927). */
void wilson(long k, long n, double z, double *low, double *high)
{
	const double p = (double)k / (double)n, shrink = 1 + z * z / (double)n, middle = (p + z * z / (2 * (double)n)) / shrink;
	const double half = z / shrink * sqrt(p * (1 - p) / (double)n + z * z / (4 * (double)n * (double)n));

	BUG_ON(n <= 0 || k < 0 || k > n);
	*low = k ? middle - half : 0;
	*high = k < n ? middle + half : 1;
}
