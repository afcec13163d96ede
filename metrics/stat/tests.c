/* Hypothesis tests. See tests.h. */
#include "metrics/stat/tests.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "metrics/stat/dist.h"
#include "metrics/stat/effect.h"
#include "metrics/stat/rank.h"
#include "metrics/stat/stats.h"

/* ---- one sample ---- */

double mcnemar(long b, long c)
{
	BUG_ON(b < 0 || c < 0);
	return b + c ? fmin(1, 2 * binomial_tail(b > c ? b : c, b + c, 0.5)) : 1;
}

/* A difference of this size is rounding. */
static double rounding_of(const double *d, int n)
{
	double most = 0;

	for (int i = 0; i < n; i++)
		most = fmax(most, fabs(d[i]));
	return 1e-11 * most;
}

double sign_test(const double *d, int n)
{
	const double nothing = rounding_of(d, n);
	long up = 0, down = 0;

	for (int i = 0; i < n; i++) {
		up += d[i] > nothing;
		down += d[i] < -nothing;
	}
	return mcnemar(up, down);
}

/* P(S >= s) for S the sum of those of step (n whole numbers) that a fair coin picks; total their sum. A convolution, one step
 * at a time. */
static double coin_sum_tail(const int *step, int n, int total, int s)
{
	double *p = xcalloc((size_t)total + 1, sizeof(*p)), tail = 0;
	int reached = 0;

	p[0] = 1;
	for (int i = 0; i < n; i++) {
		reached += step[i];
		for (int v = reached; v >= 0; v--)
			p[v] = 0.5 * p[v] + (v >= step[i] ? 0.5 * p[v - step[i]] : 0);
	}
	for (int v = total; v >= s; v--)
		tail += p[v];
	free(p);
	return tail;
}

double wilcoxon(const double *d, int n)
{
	double *size = xmalloc((size_t)n + 1, sizeof(*size)), *rank = xmalloc((size_t)n + 1, sizeof(*rank)), tail;
	int *step = xmalloc((size_t)n + 1, sizeof(*step)), used = 0, total = 0, up = 0;
	const double nothing = rounding_of(d, n);

	BUG_ON(n < 0 || n > WILCOXON_MAX);
	for (int i = 0; i < n; i++)
		size[i] = fabs(d[i]) <= nothing ? 0 : fabs(d[i]);
	ranks_near(size, n, 1e-9, rank);
	for (int i = 0; i < n; i++) {
		if (size[i] == 0)
			continue;
		step[used] = (int)(2 * rank[i]); /* whole: ties share half ranks */
		total += step[used];
		up += d[i] > 0 ? step[used] : 0;
		used++;
	}
	tail = coin_sum_tail(step, used, total, up > total - up ? up : total - up);
	free(size);
	free(rank);
	free(step);
	return fmin(1, 2 * tail);
}

double stouffer(const double *p, const int *sign, int n)
{
	double z = 0;

	for (int i = 0; i < n; i++) {
		BUG_ON(!(p[i] >= 0) || p[i] > 1);
		if (p[i] < 1 && sign[i])
			z -= sign[i] * normal_inv(fmax(p[i] / 2, 1e-300));
	}
	return n ? normal_two_sided(z / sqrt(n)) : 1;
}

/* ---- proportions ---- */

#define EXACT_MAX 10000000 /* terms of the exact test's sum; with more, chi-square's is the same in all digits that are printed */

static double log_choose(long n, long k)
{
	int sign;

	return lgamma_r((double)n + 1, &sign) - lgamma_r((double)k + 1, &sign) - lgamma_r((double)(n - k) + 1, &sign);
}

double fisher_exact(long k1, long n1, long k2, long n2)
{
	const long ks[] = { k1, k2 }, ns[] = { n1, n2 };
	const long k = k1 + k2, least = k > n2 ? k - n2 : 0, most = k < n1 ? k : n1;
	double here, sum = 0;

	BUG_ON(k1 < 0 || k1 > n1 || k2 < 0 || k2 > n2);
	if (most - least > EXACT_MAX)
		return chi2_proportions(ks, ns, 2);
	here = log_choose(n1, k1) + log_choose(n2, k2);
	for (long i = least; i <= most; i++) {
		const double one = log_choose(n1, i) + log_choose(n2, k - i);

		if (one <= here + 1e-7) /* equally likely tables differ by rounding only */
			sum += exp(one - log_choose(n1 + n2, k));
	}
	return fmin(1, sum);
}

double chi2_proportions(const long *k, const long *n, int groups)
{
	double right = 0, trials = 0, x = 0;

	BUG_ON(groups < 2);
	for (int i = 0; i < groups; i++) {
		BUG_ON(n[i] <= 0 || k[i] < 0 || k[i] > n[i]);
		right += (double)k[i];
		trials += (double)n[i];
	}
	if (right <= 0 || right >= trials)
		return 1;
	for (int i = 0; i < groups; i++) {
		const double expected = (double)n[i] * right / trials, off = (double)k[i] - expected;

		x += off * off / expected + off * off / ((double)n[i] - expected);
	}
	return chi2_tail(groups - 1, x);
}

/* ---- families ---- */

void holm(const double *p, int n, double *adjusted)
{
	int *order = xmalloc((size_t)n + 1, sizeof(*order));
	double *out = xmalloc((size_t)n + 1, sizeof(*out)), worst = 0;

	order_ascending(p, n, order);
	for (int i = 0; i < n; i++) {
		worst = fmax(worst, fmin(1, (n - i) * p[order[i]]));
		out[order[i]] = worst;
	}
	for (int i = 0; i < n; i++)
		adjusted[i] = out[i];
	free(order);
	free(out);
}

/* ---- equivalence ---- */

void equivalence_mean(const double *d, int n, double margin, double alpha, struct equivalence *e)
{
	struct summary s;
	double error, half;

	BUG_ON(n < 2 || !(margin > 0) || !(alpha > 0) || alpha >= 0.5);
	summarise(d, n, 1 - 2 * alpha, &s);
	error = s.sd / sqrt(n);
	half = student_t(n - 1, 1 - 2 * alpha) * error;
	e->low = s.mean - half;
	e->high = s.mean + half;
	if (error > 0)
		e->p = student_cdf(n - 1, (fabs(s.mean) - margin) / error);
	else
		e->p = fabs(s.mean) < margin ? 0 : 1;
	e->equivalent = e->p <= alpha;
}

void equivalence_paired(long b, long c, long n, double margin, double alpha, struct equivalence *e)
{
	BUG_ON(!(margin > 0) || margin >= 1 || !(alpha > 0) || alpha >= 0.5);
	paired_difference_z(b, c, n, normal_inv(1 - alpha), &e->low, &e->high);
	e->p = fmax(normal_cdf(-paired_score(b, c, n, -margin)), normal_cdf(paired_score(b, c, n, margin)));
	e->equivalent = e->p <= alpha;
}
