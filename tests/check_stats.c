/* metrics/stat/stats.c against closed forms, published values and an independent sum. */
#include <check.h>
#include <math.h>

#include "base/error.h"
#include "metrics/stat/stats.h"

/* I_x(1,b) = 1 - (1-x)^b, I_x(a,1) = x^a, I_1/2(a,a) = 1/2, I_x(1/2,1/2) = 2/pi asin(sqrt x). */
START_TEST(beta_closed_forms)
{
	const double x[] = { 1e-9, 1e-4, 0.02, 0.3, 0.5, 0.77, 0.999 };

	for (size_t i = 0; i < ARRAY_LEN(x); i++) {
		for (double b = 0.5; b < 2000; b *= 3) {
			ck_assert_double_eq_tol(beta_inc(1, b, x[i]), -expm1(b * log1p(-x[i])), 1e-12);
			ck_assert_double_eq_tol(beta_inc(b, 1, x[i]), pow(x[i], b), 1e-12);
			ck_assert_double_eq_tol(beta_inc(b, b, 0.5), 0.5, 1e-11);
			ck_assert_double_eq_tol(beta_inc(b, 3, x[i]) + beta_inc(3, b, 1 - x[i]), 1, 1e-11);
		}
		ck_assert_double_eq_tol(beta_inc(0.5, 0.5, x[i]), 2 / acos(-1) * asin(sqrt(x[i])), 1e-12);
	}
	ck_assert_double_eq(beta_inc(2, 3, 0), 0);
	ck_assert_double_eq(beta_inc(2, 3, 1), 1);
}
END_TEST

START_TEST(beta_inverse_inverts)
{
	for (double p = 0.001; p < 1; p += 0.083)
		for (double a = 0.5; a < 1e5; a *= 7)
			ck_assert_double_eq_tol(beta_inc(a, 5, beta_inv(a, 5, p)), p, 1e-9);
}
END_TEST

/* P(X >= k) as the sum it is. */
static double tail_sum(long k, long n, double p)
{
	double sum = 0;

	for (long i = k; i <= n; i++)
		sum += exp(lgamma((double)n + 1) - lgamma((double)i + 1) - lgamma((double)(n - i) + 1) +
			   (double)i * log(p) + (double)(n - i) * log1p(-p));
	return sum;
}

START_TEST(binomial_tail_is_the_sum)
{
	const long n[] = { 1, 2, 17, 100, 400 };

	for (size_t i = 0; i < ARRAY_LEN(n); i++)
		for (long k = 0; k <= n[i]; k += n[i] > 20 ? 13 : 1) {
			ck_assert_double_eq_tol(binomial_tail(k, n[i], 0.1), tail_sum(k, n[i], 0.1), 1e-11);
			ck_assert_double_eq_tol(binomial_tail(k, n[i], 0.5), tail_sum(k, n[i], 0.5), 1e-11);
		}
	ck_assert_double_eq(binomial_tail(3, 2, 0.5), 0);
	ck_assert_double_lt(binomial_tail(51, 64, 0.5), 1e-6); /* the mark length of 64 bits that p < 1e-6 takes */
	ck_assert_double_gt(binomial_tail(50, 64, 0.5), 1e-6);
}
END_TEST

/* The examples of the reference for ActiveGuard's tables, to the digits they are given with; R's binom.test for the rest. */
static const struct interval {
	long k, n;
	double low, high, tol;
} intervals[] = {
	{ 96, 100, 0.901, 0.989, 5e-4 },
	{ 100, 100, 0.964, 1, 5e-4 },
	{ 1, 10000, 2.5e-6, 5.6e-4, 5e-6 },
	{ 10, 10000, 4.8e-4, 1.8e-3, 5e-5 },
	{ 5, 10000, 1.6e-4, 1.2e-3, 5e-5 },
	{ 0, 10, 0, 0.3084971078187608, 1e-12 },   /* 1 - 0.025^(1/10) */
	{ 10, 10, 0.6915028921812392, 1, 1e-12 },  /* 0.025^(1/10) */
	{ 1, 1, 0.025, 1, 1e-12 },
	{ 5, 10, 0.1870860284474, 0.8129139715526, 1e-10 },
};

START_TEST(clopper_pearson_published)
{
	const struct interval *c = &intervals[_i];
	double low, high;

	clopper_pearson(c->k, c->n, 0.95, &low, &high);
	ck_assert_double_eq_tol(low, c->low, c->tol);
	ck_assert_double_eq_tol(high, c->high, c->tol);
}
END_TEST

/* By definition: at the bounds each tail holds exactly 2.5 %. */
START_TEST(clopper_pearson_definition)
{
	for (long k = 1; k < 50; k += 7) {
		double low, high;

		clopper_pearson(k, 50, 0.95, &low, &high);
		ck_assert_double_eq_tol(binomial_tail(k, 50, low), 0.025, 1e-10);
		ck_assert_double_eq_tol(1 - binomial_tail(k + 1, 50, high), 0.025, 1e-10);
	}
}
END_TEST

START_TEST(clopper_pearson_refuses)
{
	double low, high;

	clopper_pearson(3, 2, 0.95, &low, &high);
}
END_TEST

/* Tables of the t distribution; df = 1: tan(pi 0.95 / 2), df = 2: closed form. */
START_TEST(student_t_table)
{
	ck_assert_double_eq_tol(student_t(1, 0.95), tan(acos(-1) * 0.475), 1e-8);
	ck_assert_double_eq_tol(student_t(2, 0.95), 0.95 * sqrt(2 / (1 - 0.95 * 0.95)), 1e-9);
	ck_assert_double_eq_tol(student_t(5, 0.95), 2.570581835636, 1e-9);
	ck_assert_double_eq_tol(student_t(10, 0.99), 3.169272672616, 1e-9);
	ck_assert_double_eq_tol(student_t(1000000, 0.95), 1.959966, 1e-5);
}
END_TEST

START_TEST(paired_difference_behaves)
{
	const double z2 = 1.959963984540054 * 1.959963984540054;
	double low, high, low2, high2;

	paired_difference(0, 0, 100, &low, &high); /* closed form z^2 / (n + z^2) */
	ck_assert_double_eq_tol(high, z2 / (100 + z2), 1e-9);
	ck_assert_double_eq_tol(low, -high, 1e-12);
	paired_difference(12, 4, 200, &low, &high);
	paired_difference(4, 12, 200, &low2, &high2);
	ck_assert_double_eq_tol(low, -high2, 1e-12); /* swapping the two mirrors the interval */
	ck_assert_double_eq_tol(high, -low2, 1e-12);
	ck_assert_double_lt(low, 8.0 / 200);
	ck_assert_double_gt(high, 8.0 / 200);
	paired_difference(300, 250, 10000, &low, &high); /* large n: the normal interval */
	ck_assert_double_eq_tol(high - low, 2 * 1.96 * sqrt(550.0) / 10000, 5e-5);
}
END_TEST

Suite *suite_stats(void);
Suite *suite_stats(void)
{
	Suite *s = suite_create("stats");
	TCase *tc = tcase_create("stats");

	tcase_add_test(tc, beta_closed_forms);
	tcase_add_test(tc, beta_inverse_inverts);
	tcase_add_test(tc, binomial_tail_is_the_sum);
	tcase_add_loop_test(tc, clopper_pearson_published, 0, (int)ARRAY_LEN(intervals));
	tcase_add_test(tc, clopper_pearson_definition);
	tcase_add_test_raise_signal(tc, clopper_pearson_refuses, 6);
	tcase_add_test(tc, student_t_table);
	tcase_add_test(tc, paired_difference_behaves);
	suite_add_tcase(s, tc);
	return s;
}
