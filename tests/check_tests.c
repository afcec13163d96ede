/* metrics/stat/tests.c, dist.c, rank.c: against published tables, closed forms, enumeration, and by simulation. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/rng.h"
#include "metrics/stat/dist.h"
#include "metrics/stat/effect.h"
#include "metrics/stat/rank.h"
#include "metrics/stat/stats.h"
#include "metrics/stat/tests.h"

/* ---- distributions ---- */

START_TEST(normal_table)
{
	ck_assert_double_eq_tol(normal_cdf(1), 0.8413447460685429, 1e-14);
	ck_assert_double_eq_tol(normal_cdf(-3), 0.0013498980316301, 1e-15);
	ck_assert_double_eq_tol(normal_inv(0.975), 1.959963984540054, 1e-12);
	ck_assert_double_eq_tol(normal_inv(0.8), 0.8416212335729143, 1e-12);
	ck_assert_double_eq_tol(normal_inv(1e-10), -6.361340902404056, 1e-10);
	ck_assert_double_eq_tol(normal_inv(0.5), 0, 1e-15);
	for (double p = 1e-12; p < 1; p = p * 1.7 + 1e-3)
		ck_assert_double_eq_tol(normal_cdf(normal_inv(p)), p, 1e-13);
}
END_TEST

/* 5 % points of the usual tables; two degrees of freedom are exponential, one is a squared normal. */
START_TEST(chi_square_table)
{
	static const struct { int df; double x; } five[] = { { 1, 3.841458820694124 }, { 2, 5.991464547107979 }, { 3, 7.814727903251179 },
							     { 5, 11.070497693516351 }, { 10, 18.307038053275146 }, { 100, 124.34211340400407 } };

	for (size_t i = 0; i < ARRAY_LEN(five); i++)
		ck_assert_double_eq_tol(chi2_tail(five[i].df, five[i].x), 0.05, 1e-11);
	for (double x = 0.01; x < 100; x *= 1.9) {
		ck_assert_double_eq_tol(chi2_tail(2, x), exp(-x / 2), 1e-13);
		ck_assert_double_eq_tol(chi2_tail(1, x), normal_two_sided(sqrt(x)), 1e-13);
	}
	ck_assert_double_eq(chi2_tail(4, 0), 1);
}
END_TEST

START_TEST(student_agrees_with_its_quantile)
{
	for (int df = 1; df < 40; df += 3) {
		ck_assert_double_eq_tol(student_cdf(df, student_t(df, 0.95)), 0.975, 1e-10);
		ck_assert_double_eq_tol(student_cdf(df, -student_t(df, 0.9)), 0.05, 1e-10);
	}
	ck_assert_double_eq_tol(student_cdf(1, 1), 0.75, 1e-13); /* Cauchy: 1/2 + atan(1) / pi */
	/* no noncentrality: Student's own; one degree and large t: known limits */
	for (int df = 1; df < 60; df = df * 2 + 1)
		for (double t = 0; t < 5; t += 0.7)
			ck_assert_double_eq_tol(noncentral_t_tail(df, 0, t), 1 - student_cdf(df, t), 1e-8);
	ck_assert_double_eq_tol(noncentral_t_tail(7, 1.3, 0), normal_cdf(1.3), 1e-12);
}
END_TEST

/* ---- ranks ---- */

START_TEST(ranks_share_ties)
{
	const double x[] = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 5 }, want[] = { 4, 1.5, 5, 1.5, 7, 10, 3, 9, 7, 7 };
	double r[10];

	ranks(x, 10, r);
	for (int i = 0; i < 10; i++)
		ck_assert_double_eq(r[i], want[i]);
	ranks(x, 0, r);
}
END_TEST

/* Without ties chi2_F = 12 / (n k (k+1)) sum R^2 - 3 n (k+1). Nemenyi: Demsar's (2006) example of 4 classifiers on 14 data
 * sets has CD 1.25. */
START_TEST(friedman_and_nemenyi)
{
	const double x[] = { 9, 2, 5, 1, 8, 3, 6, 2, 9, 4, 5, 1, 7, 4, 6, 5, 6, 9, 5, 1 };
	const double sums[] = { 19, 11, 14, 6 };
	double mean[4], f = 0;

	for (int j = 0; j < 4; j++)
		f += sums[j] * sums[j];
	f = 12 / (5 * 4 * 5.0) * f - 3 * 5 * 5;
	ck_assert_double_eq_tol(friedman(x, 5, 4, mean), chi2_tail(3, f), 1e-12);
	for (int j = 0; j < 4; j++)
		ck_assert_double_eq_tol(mean[j], sums[j] / 5, 1e-12);
	ck_assert_double_eq(friedman((const double[]){ 1, 1, 2, 2 }, 2, 2, mean), 1);
	ck_assert_double_eq_tol(nemenyi_distance(14, 4), 1.25, 5e-3);
}
END_TEST

/* ---- signed ranks ---- */

/* All 2^n signs, each the same chance: how many are as far from the middle. */
static double wilcoxon_naive(const double *d, int n)
{
	double size[16] = { 0 }, r[16], seen = 0, all = 0;
	long far = 0, trials = 0;

	for (int i = 0; i < n; i++)
		size[i] = fabs(d[i]);
	ranks(size, n, r);
	for (int i = 0; i < n; i++) {
		if (d[i] == 0)
			r[i] = 0;
		all += r[i];
		seen += d[i] > 0 ? r[i] : 0;
	}
	for (unsigned s = 0; s < 1u << n; s++) {
		double w = 0;

		for (int i = 0; i < n; i++)
			w += s >> i & 1 ? r[i] : 0;
		far += fabs(2 * w - all) >= fabs(2 * seen - all) - 1e-9;
		trials++;
	}
	return (double)far / (double)trials;
}

START_TEST(wilcoxon_is_the_enumeration)
{
	struct rng r;

	rng_open(&r, 1, "wilcoxon", 0, 0);
	for (int trial = 0; trial < 300; trial++) {
		double d[12];
		const int n = 1 + (int)rng_below(&r, 12);

		for (int i = 0; i < n; i++) /* few values: ties and zeros are common */
			d[i] = trial % 2 ? rng_normal(&r) + 0.5 : (double)rng_below(&r, 7) - 2;
		ck_assert_double_eq_tol(wilcoxon(d, n), wilcoxon_naive(d, n), 1e-12);
	}
}
END_TEST

/* Two-sided minimum p of metrics.md 8.1, and critical values of the printed tables (two-sided 5 %: n = 6: 0, 8: 3, 10: 8, 15: 25,
 * 20: 52, 25: 89, 50: 434): the smaller rank sum is significant there and not one above. */
START_TEST(wilcoxon_tables)
{
	static const struct { int n; double p; } least[] = { { 5, 0.0625 }, { 6, 0.03125 }, { 8, 0.0078125 }, { 10, 0.001953125 } };
	static const struct { int n, w; } table[] = { { 6, 0 }, { 8, 3 }, { 10, 8 }, { 15, 25 }, { 20, 52 }, { 25, 89 }, { 50, 434 } };
	double d[50];

	for (size_t i = 0; i < ARRAY_LEN(least); i++) {
		for (int k = 0; k < least[i].n; k++)
			d[k] = k + 1;
		ck_assert_double_eq_tol(wilcoxon(d, least[i].n), least[i].p, 1e-15);
		ck_assert_double_eq_tol(sign_test(d, least[i].n), least[i].p, 1e-12);
	}
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		for (int over = 0; over < 2; over++) {
			int left = table[i].w + over;

			for (int k = table[i].n; k > 0; k--) { /* ranks n .. 1, greedily down to the sum */
				const bool take = k <= left;

				d[k - 1] = take ? -k : k;
				left -= take ? k : 0;
			}
			ck_assert_int_eq(left, 0);
			ck_assert_msg((wilcoxon(d, table[i].n) <= 0.05) == !over, "n = %d, W = %d", table[i].n, table[i].w + over);
		}
	ck_assert_double_eq(wilcoxon((const double[]){ 0, 0 }, 2), 1);
	ck_assert_double_eq(wilcoxon(NULL, 0), 1);
}
END_TEST

/* Zeros by Pratt: they take the small ranks, so a reversal of the smallest difference costs more than without them. Dropping
 * zeros before ranking (Wilcoxon's own rule) would give 2 (1 + 1) / 2^5 here. */
START_TEST(zeros_are_ranked)
{
	const double d[] = { 0, 0, 0, -1, 2, 3, 4, 5 };

	ck_assert_double_eq_tol(wilcoxon(d, 8), 4.0 / 32, 1e-15);
	ck_assert_double_eq_tol(wilcoxon(d, 8), wilcoxon_naive(d, 8), 1e-15);
}
END_TEST

/* Differences that are equal on paper: 0.06 four times, 0 twice; in binary they are 0.06000000000000005, 0.05999999999999994, ... and
 * 2.8e-17. The exact comparison gave ranks 1 .. 6 to them. */
START_TEST(rounding_makes_no_ranks)
{
	const double a[] = { 1.08, 0.96, 0.50, 90.06, 0.3, 0.3, 12.5, 7.75 }, b[] = { 1.02, 0.90, 0.44, 90.00, 0.1 + 0.2, 0.3, 12.75, 7.5 };
	const double paper[] = { 0.06, 0.06, 0.06, 0.06, 0, 0, -0.25, 0.25 };
	const double negative[] = { -0.06, -0.06, 0.06, 0.06, 0, 0, -0.25, 0.25 };
	double d[8];

	for (int i = 0; i < 8; i++)
		d[i] = a[i] - b[i];
	ck_assert(d[0] != d[1] && d[0] != d[3] && d[4] != 0); /* else this machine tests nothing */
	ck_assert_double_eq(wilcoxon(d, 8), wilcoxon(paper, 8));
	ck_assert_double_eq(sign_test(d, 8), sign_test(paper, 8));
	d[0] = -d[0];
	d[1] = -d[1];
	ck_assert_double_eq(wilcoxon(d, 8), wilcoxon(negative, 8));
	ck_assert_double_eq(wilcoxon(negative, 8), 1);
	/* One image of 60,000 more is no rounding. */
	ck_assert_double_eq(wilcoxon((const double[]){ -0.1, 0.1, 0.1, 0.1, 0.1, 0.1 }, 6), 14.0 / 64);
	ck_assert_double_gt(wilcoxon((const double[]){ -0.1 - 1.0 / 60000, 0.1, 0.1, 0.1, 0.1, 0.1 }, 6), 14.0 / 64);
}
END_TEST

START_TEST(the_same_number_in_binary)
{
	double rank[4], again[4];

	ck_assert(same_number(0.1 + 0.2, 0.3) && same_number(0, 0) && same_number(INFINITY, INFINITY));
	ck_assert(!same_number(1, 1 + 1e-9) && !same_number(0, 1e-300) && !same_number(1, INFINITY) && !same_number(-INFINITY, 5));
	ck_assert(!same_number(NAN, NAN) && !same_number(NAN, 1));
	ck_assert_double_eq(difference_of(0.3, 0.1 + 0.2), 0);
	ck_assert_double_eq(difference_of(5, 3), 2);
	ranks((const double[]){ 0.3, 0.7, 0.1 + 0.2, 0.1 }, 4, rank);
	ranks((const double[]){ 0.3, 0.7, 0.3, 0.1 }, 4, again);
	for (int i = 0; i < 4; i++)
		ck_assert_double_eq(rank[i], again[i]);
}
END_TEST

START_TEST(sign_and_mcnemar)
{
	ck_assert_double_eq_tol(mcnemar(0, 5), 0.0625, 1e-14);
	ck_assert_double_eq_tol(mcnemar(10, 2), 2 * (66 + 12 + 1) / 4096.0, 1e-13);
	ck_assert_double_eq(mcnemar(3, 3), 1);
	ck_assert_double_eq(mcnemar(0, 0), 1);
	ck_assert_double_eq(mcnemar(7, 1), mcnemar(1, 7));
	ck_assert_double_eq_tol(sign_test((const double[]){ 1, 2, 0, -1, 4, 0, 3, 5 }, 8), 2 * (6 + 1) / 64.0, 1e-14);
}
END_TEST

/* One p stays what it is; k equal ones give z sqrt(k); opposite ones cancel. */
START_TEST(stouffer_combines)
{
	const double p[] = { 0.05, 0.05, 0.05, 0.05 };

	ck_assert_double_eq_tol(stouffer(p, (const int[]){ -1 }, 1), 0.05, 1e-12);
	ck_assert_double_eq_tol(stouffer(p, (const int[]){ 1, 1, 1, 1 }, 4), normal_two_sided(2 * 1.959963984540054), 1e-13);
	ck_assert_double_eq_tol(stouffer(p, (const int[]){ 1, -1, 1, -1 }, 4), 1, 1e-12);
	ck_assert_double_eq(stouffer((const double[]){ 1 }, (const int[]){ 0 }, 1), 1);
}
END_TEST

/* ---- proportions and families ---- */

/* Fisher's tea (3 of 4 right: two-sided 34/70), R's fisher.test of Job satisfaction's 2x2: by the definition's own sum below. */
START_TEST(fisher_and_chi_square)
{
	ck_assert_double_eq_tol(fisher_exact(3, 4, 1, 4), 34.0 / 70, 1e-12);
	ck_assert_double_eq_tol(fisher_exact(4, 4, 0, 4), 2.0 / 70, 1e-12);
	ck_assert_double_eq_tol(fisher_exact(0, 9, 0, 5), 1, 1e-12);
	ck_assert_double_eq_tol(fisher_exact(10, 12, 2, 15), fisher_exact(2, 15, 10, 12), 1e-12);
	/* Counts that nobody could add up term by term: a cell may say anything. */
	ck_assert_double_eq_tol(fisher_exact(1L << 39, 1L << 40, 1L << 39, 1L << 40), 1, 1e-9);
	ck_assert_double_le(fisher_exact(1L << 39, 1L << 40, 1L << 38, 1L << 40), 1e-12);
	ck_assert_double_eq_tol(fisher_exact(1L << 40, 1L << 40, 0, 0), 1, 1e-9);
	/* 2 x 2: n (ad - bc)^2 / (row and column sums) */
	ck_assert_double_eq_tol(chi2_proportions((const long[]){ 30, 18 }, (const long[]){ 50, 60 }, 2),
				chi2_tail(1, 110 * (30 * 42 - 20 * 18.0) * (30 * 42 - 20 * 18.0) / (50.0 * 60 * 48 * 62)), 1e-12);
	ck_assert_double_eq(chi2_proportions((const long[]){ 5, 7, 9 }, (const long[]){ 5, 7, 9 }, 3), 1);
}
END_TEST

/* Equal steps until the running maximum binds, in the given order; never above 1. */
START_TEST(holm_adjusts)
{
	const double p[] = { 0.01, 0.04, 0.03, 0.005, 0.5 }, want[] = { 0.04, 0.09, 0.09, 0.025, 0.5 };
	double a[5] = { 0.9, 0.8 };

	holm(p, 5, a);
	for (int i = 0; i < 5; i++)
		ck_assert_double_eq_tol(a[i], want[i], 1e-15);
	a[0] = 0.9, a[1] = 0.8;
	holm(a, 2, a);
	ck_assert_double_eq(a[0], 1);
	ck_assert_double_eq(a[1], 1);
}
END_TEST

START_TEST(wilson_interval)
{
	const double z = 1.959963984540054;
	double low, high;

	wilson(10, 20, z, &low, &high); /* p = 1/2: 1/2 +- z / (2 sqrt(n + z^2)) */
	ck_assert_double_eq_tol(high, 0.5 + z / (2 * sqrt(20 + z * z)), 1e-14);
	ck_assert_double_eq_tol(low, 1 - high, 1e-14);
	wilson(0, 10, z, &low, &high);
	ck_assert_double_eq(low, 0);
	ck_assert_double_eq_tol(high, z * z / (10 + z * z), 1e-14);
}
END_TEST

/* ---- equivalence ---- */

START_TEST(equivalence_of_means)
{
	const double d[] = { 0.3, -0.2, 0.1, 0.4, -0.1, 0.1 };
	struct equivalence e;
	struct summary s;

	summarise(d, 6, 0.9, &s);
	equivalence_mean(d, 6, 1, 0.05, &e);
	ck_assert(e.equivalent);
	ck_assert_double_eq_tol(e.low, s.low, 1e-15);
	ck_assert_double_eq_tol(e.high, s.high, 1e-15);
	equivalence_mean(d, 6, s.high, 0.05, &e); /* the interval touches the margin: exactly alpha */
	ck_assert_double_eq_tol(e.p, 0.05, 1e-9);
	equivalence_mean(d, 6, 0.2, 0.05, &e);
	ck_assert(!e.equivalent);
	equivalence_mean((const double[]){ 5, -5 }, 2, 1, 0.05, &e); /* not different, and not equivalent */
	ck_assert(!e.equivalent);
	equivalence_mean((const double[]){ 0.5, 0.5 }, 2, 1, 0.05, &e);
	ck_assert(e.equivalent);
}
END_TEST

START_TEST(equivalence_of_paired_proportions)
{
	struct equivalence e;

	equivalence_paired(0, 0, 10000, 0.01, 0.05, &e);
	ck_assert(e.equivalent && e.p < 1e-9);
	equivalence_paired(150, 60, 10000, 0.01, 0.05, &e); /* 0.9 points */
	ck_assert(!e.equivalent);
	ck_assert(e.low < 0.009 && e.high > 0.01);
	equivalence_paired(100, 90, 10000, 0.01, 0.05, &e);
	ck_assert(e.equivalent && e.high < 0.01 && e.low > -0.01);
	equivalence_paired(10, 0, 100, 0.01, 0.05, &e);
	ck_assert(!e.equivalent);
	for (long b = 0; b < 300; b += 20) { /* p and interval say the same */
		equivalence_paired(b, 100, 5000, 0.02, 0.05, &e);
		ck_assert_int_eq(e.equivalent, e.low > -0.02 && e.high < 0.02);
	}
}
END_TEST

/* ---- false alarms ---- */

/* Of 4,000 experiments without a difference at most 5 % may be called one. An exact test's own level is below 5 %; the bound
 * leaves room for chance (3 standard deviations, and the draw is fixed), and is missed at once by a test that is, say,
 * one-sided. */
enum { EXPERIMENTS = 4000 };
static double most_alarms(void)
{
	return 0.05 + 3 * sqrt(0.05 * 0.95 / EXPERIMENTS);
}

START_TEST(false_alarms_of_tests_of_seeds)
{
	struct rng r;
	int w = 0, sign = 0, tie = 0;

	rng_open(&r, 2, "alarms", 0, 0);
	for (int k = 0; k < EXPERIMENTS; k++) {
		double d[12], coarse[12];

		for (int i = 0; i < 12; i++) {
			d[i] = rng_normal(&r) * (1 + i); /* symmetric, not identically distributed */
			coarse[i] = round(rng_normal(&r));
		}
		w += wilcoxon(d, 12) <= 0.05;
		sign += sign_test(d, 12) <= 0.05;
		tie += wilcoxon(coarse, 12) <= 0.05;
	}
	ck_assert_double_le((double)w / EXPERIMENTS, most_alarms());
	ck_assert_double_ge((double)w / EXPERIMENTS, 0.03); /* and it is no test that never speaks */
	ck_assert_double_le((double)sign / EXPERIMENTS, most_alarms());
	ck_assert_double_le((double)tie / EXPERIMENTS, most_alarms());
}
END_TEST

START_TEST(false_alarms_of_proportions)
{
	struct rng r;
	int exact = 0, fisher = 0, together = 0;

	rng_open(&r, 3, "alarms", 0, 0);
	for (int k = 0; k < EXPERIMENTS; k++) {
		double p[5];
		int sign[5];
		long k1 = 0, k2 = 0;

		for (int s = 0; s < 5; s++) {
			long b = 0;

			for (int i = 0; i < 60; i++)
				b += rng_below(&r, 2);
			p[s] = mcnemar(b, 60 - b);
			sign[s] = (b > 30) - (b < 30);
		}
		for (int i = 0; i < 40; i++) {
			k1 += rng_below(&r, 10) == 0;
			k2 += rng_below(&r, 10) == 0;
		}
		exact += p[0] <= 0.05;
		together += stouffer(p, sign, 5) <= 0.05;
		fisher += fisher_exact(k1, 40, k2, 40) <= 0.05;
	}
	ck_assert_double_le((double)exact / EXPERIMENTS, most_alarms());
	ck_assert_double_le((double)together / EXPERIMENTS, most_alarms());
	ck_assert_double_le((double)fisher / EXPERIMENTS, most_alarms());
}
END_TEST

/* Eight true null hypotheses: the chance of any rejection stays at 5 % with Holm, and is 1 - .95^8 = 34 % without. */
START_TEST(false_alarms_of_a_family)
{
	struct rng r;
	int with = 0, without = 0;

	rng_open(&r, 4, "alarms", 0, 0);
	for (int k = 0; k < EXPERIMENTS; k++) {
		double p[8], a[8], least = 1, least_adjusted = 1;

		for (int i = 0; i < 8; i++) {
			p[i] = normal_two_sided(rng_normal(&r));
			least = fmin(least, p[i]);
		}
		holm(p, 8, a);
		for (int i = 0; i < 8; i++)
			least_adjusted = fmin(least_adjusted, a[i]);
		with += least_adjusted <= 0.05;
		without += least <= 0.05;
	}
	ck_assert_double_le((double)with / EXPERIMENTS, most_alarms());
	ck_assert_double_ge((double)without / EXPERIMENTS, 0.3);
}
END_TEST

/* A difference that is exactly the margin is called equivalent in at most 5 % of experiments, at either end. */
START_TEST(false_alarms_of_equivalence)
{
	struct rng r;
	int up = 0, down = 0, paired = 0;

	rng_open(&r, 5, "alarms", 0, 0);
	for (int k = 0; k < EXPERIMENTS; k++) {
		struct equivalence e;
		double d[6], m[6];
		long b = 0, c = 0;

		for (int i = 0; i < 6; i++) {
			d[i] = 1 + 0.3 * rng_normal(&r);
			m[i] = -1 + 0.3 * rng_normal(&r);
		}
		equivalence_mean(d, 6, 1, 0.05, &e);
		up += e.equivalent;
		equivalence_mean(m, 6, 1, 0.05, &e);
		down += e.equivalent;
		for (int i = 0; i < 400; i++) { /* 10 % only first, 5 % only second */
			const uint32_t v = rng_below(&r, 100);

			b += v < 10;
			c += v >= 10 && v < 15;
		}
		equivalence_paired(b, c, 400, 0.05, 0.05, &e);
		paired += e.equivalent;
	}
	ck_assert_double_le((double)up / EXPERIMENTS, most_alarms());
	ck_assert_double_le((double)down / EXPERIMENTS, most_alarms());
	ck_assert_double_le((double)paired / EXPERIMENTS, most_alarms());
	ck_assert_double_ge((double)up / EXPERIMENTS, 0.03);
}
END_TEST

Suite *suite_tests(void);
Suite *suite_tests(void)
{
	Suite *s = suite_create("tests");
	TCase *tc = tcase_create("tests"), *sim = tcase_create("false alarms");

	tcase_add_test(tc, normal_table);
	tcase_add_test(tc, chi_square_table);
	tcase_add_test(tc, student_agrees_with_its_quantile);
	tcase_add_test(tc, ranks_share_ties);
	tcase_add_test(tc, friedman_and_nemenyi);
	tcase_add_test(tc, wilcoxon_is_the_enumeration);
	tcase_add_test(tc, wilcoxon_tables);
	tcase_add_test(tc, zeros_are_ranked);
	tcase_add_test(tc, rounding_makes_no_ranks);
	tcase_add_test(tc, the_same_number_in_binary);
	tcase_add_test(tc, sign_and_mcnemar);
	tcase_add_test(tc, stouffer_combines);
	tcase_add_test(tc, fisher_and_chi_square);
	tcase_add_test(tc, holm_adjusts);
	tcase_add_test(tc, wilson_interval);
	tcase_add_test(tc, equivalence_of_means);
	tcase_add_test(tc, equivalence_of_paired_proportions);
	suite_add_tcase(s, tc);
	tcase_set_timeout(sim, 60);
	tcase_add_test(sim, false_alarms_of_tests_of_seeds);
	tcase_add_test(sim, false_alarms_of_proportions);
	tcase_add_test(sim, false_alarms_of_a_family);
	tcase_add_test(sim, false_alarms_of_equivalence);
	suite_add_tcase(s, sim);
	return s;
}
