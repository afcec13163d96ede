/* Power and sample sizes. See power.h. */
#include "metrics/stat/power.h"

#include <math.h>

#include "base/error.h"
#include "metrics/stat/dist.h"
#include "metrics/stat/stats.h"

double power_paired(double delta, double sd, int n, double alpha)
{
	const double shift = delta / sd * sqrt(n), t = student_t(n - 1, 1 - alpha);

	BUG_ON(n < 2 || !(sd > 0) || !(alpha > 0) || alpha >= 1);
	return noncentral_t_tail(n - 1, shift, t) + noncentral_t_tail(n - 1, -shift, t);
}

int seeds_needed(double delta, double sd, double power, double alpha, int most)
{
	int low = 1, high = most; /* low does not do, high does; power grows with n */

	BUG_ON(delta == 0 || !(power > 0) || power >= 1);
	if (most < 2 || power_paired(delta, sd, most, alpha) < power)
		return 0;
	while (high - low > 1) {
		const int mid = low + (high - low) / 2;

		if (power_paired(delta, sd, mid, alpha) < power)
			low = mid;
		else
			high = mid;
	}
	return high;
}

double detectable_difference(double sd, int n, double power, double alpha)
{
	double low = 0, high = sd;

	BUG_ON(!(power > alpha) || power >= 1);
	while (power_paired(high, sd, n, alpha) < power)
		high *= 2;
	for (int i = 0; i < 60; i++) {
		const double mid = (low + high) / 2;

		if (power_paired(mid, sd, n, alpha) < power)
			low = mid;
		else
			high = mid;
	}
	return high;
}

int seeds_rule(double delta, double sd, double power, double alpha)
{
	const double z = normal_inv(1 - alpha / 2) + normal_inv(power);

	BUG_ON(delta == 0);
	return (int)ceil(z * z * sd * sd / (delta * delta));
}

int seeds_for_wilcoxon(double alpha)
{
	int n = 1;

	BUG_ON(!(alpha > 0));
	while (ldexp(1, 1 - n) > alpha)
		n++;
	return n;
}

long trials_without_event(double rate, double confidence)
{
	BUG_ON(!(rate > 0) || rate >= 1 || !(confidence > 0) || confidence >= 1);
	return (long)ceil(log1p(-confidence) / log1p(-rate));
}

double bound_without_event(long n, double confidence)
{
	BUG_ON(n < 1);
	return -expm1(log1p(-confidence) / (double)n);
}
