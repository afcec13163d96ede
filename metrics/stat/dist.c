/* Distributions. See dist.h. Sources: Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.2 (normal), 26.4
 * and 6.5 (chi-square as incomplete gamma: series 6.5.29, continued fraction 6.5.31), 26.7 (Student). Noncentral t: by its
 * definition (Z + delta) / (chi / sqrt(df)), integrated over chi with Simpson's rule. */
#include "metrics/stat/dist.h"

#include <math.h>

#include "base/error.h"
#include "metrics/stat/stats.h"

#define MAX_TERMS 100000
#define TINY 1e-300

double normal_cdf(double z)
{
	return 0.5 * erfc(-z * M_SQRT1_2);
}

double normal_two_sided(double z)
{
	return erfc(fabs(z) * M_SQRT1_2);
}

/* The lower half by bisection, the upper by symmetry: erfc keeps its relative precision only in the lower tail. */
double normal_inv(double p)
{
	double low = -40, high = 0;

	BUG_ON(!(p > 0) || !(p < 1));
	if (p > 0.5)
		return -normal_inv(1 - p);
	for (int i = 0; i < 200 && low < high; i++) {
		const double mid = (low + high) / 2;

		if (mid <= low || mid >= high)
			break;
		if (normal_cdf(mid) < p)
			low = mid;
		else
			high = mid;
	}
	return high;
}

/* P(|T| >= t) = I_x(df/2, 1/2), x = df / (df + t^2). */
double student_cdf(double df, double t)
{
	double tail;

	BUG_ON(!(df > 0));
	tail = 0.5 * beta_inc(df / 2, 0.5, df / (df + t * t));
	return t > 0 ? 1 - tail : tail;
}

/* P(Z + delta >= t s) over s = chi / sqrt(df), whose logarithmic density is df log s - log s - df s^2 / 2 + constant. Its mass
 * lies within 12 standard deviations (at most 1 / sqrt(2 df)) of 1. */
double noncentral_t_tail(int df, double delta, double t)
{
	const int steps = 4000;
	const double reach = 12 / sqrt(2.0 * df), low = fmax(0, 1 - reach), h = (1 + reach - low) / steps;
	double sum = 0, mass = 0;

	BUG_ON(df < 1);
	for (int i = 0; i <= steps; i++) {
		const double s = low + i * h, weight = i == 0 || i == steps ? 1 : i % 2 ? 4 : 2;
		const double density = s > 0 ? exp((df - 1) * log(s) - df * (s * s - 1) / 2) : df == 1 ? exp(0.5) : 0;

		sum += weight * density * normal_cdf(delta - t * s);
		mass += weight * density;
	}
	return sum / mass;
}

/* Upper incomplete gamma ratio by its continued fraction (Lentz), for x > a + 1. */
static double gamma_fraction(double a, double x)
{
	double b = x + 1 - a, c = 1 / TINY, d = 1 / b, f = d;

	for (int i = 1; i < MAX_TERMS; i++) {
		const double an = -i * (i - a);
		double step;

		b += 2;
		d = an * d + b;
		d = 1 / (fabs(d) < TINY ? TINY : d);
		c = b + an / c;
		c = fabs(c) < TINY ? TINY : c;
		step = c * d;
		f *= step;
		if (fabs(step - 1) < 1e-16)
			break;
	}
	return f;
}

static double gamma_series(double a, double x)
{
	double term = 1 / a, sum = term;

	for (int i = 1; i < MAX_TERMS && term > 1e-17 * sum; i++) {
		term *= x / (a + i);
		sum += term;
	}
	return sum;
}

double chi2_tail(int df, double x)
{
	const double a = df / 2.0, y = x / 2;
	double front;
	int sign;

	BUG_ON(df < 1);
	if (y <= 0)
		return 1;
	front = exp(a * log(y) - y - lgamma_r(a, &sign)); /* lgamma() writes a global */
	return y < a + 1 ? 1 - front * gamma_series(a, y) : front * gamma_fraction(a, y);
}
