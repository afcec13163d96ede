/* metrics/stat/effect.c, power.c: closed forms, published examples, and power by simulation. */
#include <check.h>
#include <math.h>

#include "base/error.h"
#include "base/rng.h"
#include "metrics/stat/dist.h"
#include "metrics/stat/effect.h"
#include "metrics/stat/power.h"
#include "metrics/stat/stats.h"

/* ---- summaries ---- */

START_TEST(summary_of_seeds)
{
	const double x[] = { 91.2, 90.8, 91.5, 91.1, 90.9, 91.1 };
	struct summary s;

	summarise(x, 6, 0.95, &s);
	ck_assert_double_eq_tol(s.mean, 91.1, 1e-12);
	ck_assert_double_eq_tol(s.sd, sqrt(0.30 / 5), 1e-12);
	ck_assert_double_eq_tol(s.high - s.mean, 2.570581835636 * sqrt(0.30 / 5) / sqrt(6), 1e-9);
	ck_assert(s.min == 90.8 && s.max == 91.5 && s.interval);
	ck_assert_double_eq_tol(s.median, 91.1, 1e-12);
	summarise(x, 1, 0.95, &s);
	ck_assert(!s.interval && s.low == 91.2 && s.high == 91.2 && s.sd == 0);
}
END_TEST

/* R: quantile(c(1, 2, 4, 8), c(0, .1, .5, .9, 1)) is 1, 1.3, 3, 6.8, 8. */
START_TEST(quantiles)
{
	const double x[] = { 8, 1, 4, 2 };

	ck_assert_double_eq(quantile(x, 4, 0), 1);
	ck_assert_double_eq_tol(quantile(x, 4, 0.1), 1.3, 1e-12);
	ck_assert_double_eq(median(x, 4), 3);
	ck_assert_double_eq_tol(quantile(x, 4, 0.9), 6.8, 1e-12);
	ck_assert_double_eq(quantile(x, 4, 1), 8);
	ck_assert_double_eq(median(x, 3), 4);
}
END_TEST

START_TEST(interval_of_seed_means_holds_the_truth)
{
	enum { TRIALS = 4000 };
	struct rng r;
	int holds = 0;

	rng_open(&r, 1, "coverage", 0, 0);
	for (int k = 0; k < TRIALS; k++) {
		double x[6];
		struct summary s;

		for (int i = 0; i < 6; i++)
			x[i] = 90 + 0.7 * rng_normal(&r);
		summarise(x, 6, 0.95, &s);
		holds += s.low <= 90 && 90 <= s.high;
	}
	ck_assert_double_ge((double)holds / TRIALS, 0.93);
	ck_assert_double_le((double)holds / TRIALS, 0.97);
}
END_TEST

/* ---- effect sizes ---- */

START_TEST(superiority_counts_pairs)
{
	const double x[] = { 1, 2, 3, 3, 9 }, y[] = { 2, 3, 0 };
	double wins = 0;

	for (int i = 0; i < 5; i++)
		for (int k = 0; k < 3; k++)
			wins += x[i] > y[k] ? 1 : x[i] == y[k] ? 0.5 : 0;
	ck_assert_double_eq_tol(superiority(x, 5, y, 3), wins / 15, 1e-15);
	ck_assert_double_eq_tol(superiority(y, 3, x, 5), 1 - wins / 15, 1e-15);
	ck_assert_double_eq_tol(cliffs_delta(x, 5, y, 3), 2 * wins / 15 - 1, 1e-15);
	ck_assert_double_eq(cliffs_delta(x, 5, x, 5), 0);
	ck_assert_double_eq(cliffs_delta((const double[]){ 5 }, 1, (const double[]){ 1, 2 }, 2), 1);
}
END_TEST

/* Hedges' (1981) correction is near 1 - 3 / (4 f - 1); for f = 2: gamma(1) / (1 gamma(1/2)) = 1 / sqrt(pi); Cohen's (1988) table
 * 6.2.2 of phi: h between .50 and .25 is 1.571 - 1.047. */
START_TEST(standardised_differences)
{
	const double d[] = { 1, 2, 3, 4, 5 };
	double dz, gz;

	ck_assert(cohens_dz(d, 5, &dz));
	ck_assert_double_eq_tol(dz, 3 / sqrt(2.5), 1e-14);
	ck_assert(hedges_gz(d, 5, &gz));
	ck_assert_double_eq_tol(gz / dz, 1 - 3.0 / 15, 3e-3);
	ck_assert(cohens_dz(d, 3, &dz) && hedges_gz(d, 3, &gz));
	ck_assert_double_eq_tol(gz / dz, 1 / sqrt(acos(-1)), 1e-12);
	ck_assert(!cohens_dz((const double[]){ 2, 2 }, 2, &dz));
	ck_assert_double_eq_tol(cohens_h(0.5, 0.25), 1.571 - 1.047, 1e-3);
	ck_assert_double_eq_tol(cohens_h(1, 0), acos(-1), 1e-14);
	ck_assert_double_eq_tol(cohens_h(0.2, 0.7), -cohens_h(0.7, 0.2), 1e-15);
}
END_TEST

/* d_z of normal differences overestimates; g_z does not: the mean over many experiments of five seeds is the true effect. */
START_TEST(hedges_is_unbiased)
{
	enum { TRIALS = 20000 };
	double sum_d = 0, sum_g = 0;
	struct rng r;

	rng_open(&r, 2, "bias", 0, 0);
	for (int k = 0; k < TRIALS; k++) {
		double x[5], dz = 0, gz = 0;

		for (int i = 0; i < 5; i++)
			x[i] = 0.8 + rng_normal(&r);
		cohens_dz(x, 5, &dz);
		hedges_gz(x, 5, &gz);
		sum_d += dz;
		sum_g += gz;
	}
	ck_assert_double_eq_tol(sum_g / TRIALS, 0.8, 0.02);
	ck_assert_double_ge(sum_d / TRIALS, 0.9);
}
END_TEST

START_TEST(aggregates_over_tasks)
{
	const double x[] = { 8, 1, 2, 3, 4, 5, 6, 700 }, y[] = { 1, 2, 3, 4, 5, 60 };

	ck_assert_double_eq_tol(interquartile_mean(x, 8), (3 + 4 + 5 + 6) / 4.0, 1e-14);
	ck_assert_double_eq_tol(interquartile_mean(y, 6), (0.5 * 2 + 3 + 4 + 0.5 * 5) / 3, 1e-14);
	ck_assert_double_eq(interquartile_mean(x, 1), 8);
	ck_assert_double_eq_tol(optimality_gap((const double[]){ 0.2, 0.9, 1.4 }, 3, 1), 1 - (0.2 + 0.9 + 1) / 3, 1e-14);
}
END_TEST

/* ---- power ---- */

/* G*Power 3 (Faul et al., 2007) and R's power.t.test for the paired t-test, two-sided 5 %, power 80 %: d_z 0.2: 199, 0.5: 34,
 * 0.8: 15 pairs; at 34 the power is 0.8078. Cohen's (1988) approximations are one pair off at most. */
START_TEST(power_published)
{
	ck_assert_int_eq(seeds_needed(0.2, 1, 0.8, 0.05, 1000), 199);
	ck_assert_int_eq(seeds_needed(0.5, 1, 0.8, 0.05, 1000), 34);
	ck_assert_int_eq(seeds_needed(0.8, 1, 0.8, 0.05, 1000), 15);
	ck_assert_double_eq_tol(power_paired(0.5, 1, 34, 0.05), 0.8078, 5e-5);
	ck_assert_int_eq(seeds_needed(0.1, 1, 0.8, 0.05, 100), 0);
	ck_assert_double_eq_tol(power_paired(0, 1, 9, 0.05), 0.05, 1e-9); /* no difference: the false alarms */
	ck_assert_double_eq_tol(power_paired(-0.7, 1, 9, 0.05), power_paired(0.7, 1, 9, 0.05), 1e-12);
}
END_TEST

/* metrics.md 8.6 and 1.1. */
START_TEST(rules_of_the_reference)
{
	ck_assert_int_eq(seeds_rule(2, 1, 0.8, 0.05), 2);
	ck_assert_int_eq(seeds_rule(2, 3, 0.8, 0.05), 18);
	ck_assert_int_eq(seeds_for_wilcoxon(0.05), 6);
	ck_assert_int_eq(seeds_for_wilcoxon(0.01), 8);
	ck_assert_int_eq(trials_without_event(1e-3, 0.95), 2995);
	ck_assert_int_eq(trials_without_event(1e-4, 0.95), 29956);
	ck_assert_double_eq_tol(bound_without_event(10, 0.95), 1 - pow(0.05, 0.1), 1e-14);
	ck_assert_double_le(bound_without_event(2995, 0.95), 1e-3);
	ck_assert_double_gt(bound_without_event(2994, 0.95), 1e-3);
}
END_TEST

START_TEST(detectable_difference_inverts_power)
{
	for (int n = 2; n < 40; n += 3)
		ck_assert_double_eq_tol(power_paired(detectable_difference(0.7, n, 0.8, 0.05), 0.7, n, 0.05), 0.8, 1e-9);
	ck_assert_double_eq_tol(detectable_difference(2, 10000, 0.8, 0.05), 2 * (1.95996 + 0.84162) / 100, 1e-4);
}
END_TEST

/* Five seeds, sd 0.7, a drop of 3 points (the regression gate's own case): the formula against 4,000 t-tests. */
START_TEST(power_by_simulation)
{
	static const double drop[] = { 0.7, 1.0, 3.0 };
	enum { TRIALS = 4000 };
	struct rng r;

	rng_open(&r, 3, "power", 0, 0);
	for (size_t i = 0; i < ARRAY_LEN(drop); i++) {
		int found = 0;

		for (int k = 0; k < TRIALS; k++) {
			double x[5];
			struct summary s;

			for (int j = 0; j < 5; j++)
				x[j] = drop[i] + 0.7 * rng_normal(&r);
			summarise(x, 5, 0.95, &s);
			found += s.low > 0 || s.high < 0;
		}
		ck_assert_double_eq_tol((double)found / TRIALS, power_paired(drop[i], 0.7, 5, 0.05), 0.025);
	}
	ck_assert_double_gt(power_paired(3, 0.7, 5, 0.05), 0.99);
}
END_TEST

Suite *suite_effect(void);
Suite *suite_effect(void)
{
	Suite *s = suite_create("effect");
	TCase *tc = tcase_create("effect");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, summary_of_seeds);
	tcase_add_test(tc, quantiles);
	tcase_add_test(tc, interval_of_seed_means_holds_the_truth);
	tcase_add_test(tc, superiority_counts_pairs);
	tcase_add_test(tc, standardised_differences);
	tcase_add_test(tc, hedges_is_unbiased);
	tcase_add_test(tc, aggregates_over_tasks);
	tcase_add_test(tc, power_published);
	tcase_add_test(tc, rules_of_the_reference);
	tcase_add_test(tc, detectable_difference_inverts_power);
	tcase_add_test(tc, power_by_simulation);
	suite_add_tcase(s, tc);
	return s;
}
