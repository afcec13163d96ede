/* base/binomial.c: binomial tails in bits, against closed forms and against metrics/stat/stats.c's sum. */
#include <check.h>
#include <math.h>

#include "base/binomial.h"
#include "metrics/stat/stats.h"

START_TEST(all_right_is_a_bit_each)
{
	ck_assert_double_eq_tol(binomial_evidence(136, 136, 0.5), 136, 1e-9);
	ck_assert_double_eq_tol(binomial_evidence(2560, 2560, 0.5), 2560, 1e-6); /* 2^-2560 is no double */
	ck_assert_double_eq_tol(binomial_evidence(7, 7, 0.1), 7 * log2(10), 1e-9);
	ck_assert_double_eq(binomial_evidence(0, 136, 0.5), 0);
	ck_assert(isinf(binomial_evidence(3, 2, 0.5)));
	ck_assert_double_eq_tol(binomial_evidence(2, 3, 0.5), 1, 1e-12); /* 4 of 8 */
}
END_TEST

START_TEST(tails_are_those_of_the_statistics)
{
	static const double p[] = { 0.1, 0.5, 0.7 };

	for (int i = 0; i < 3; i++)
		for (int n = 1; n < 200; n += 13)
			for (int k = 1; k <= n; k += 7)
				ck_assert_double_eq_tol(exp2(-binomial_evidence(k, n, p[i])), binomial_tail(k, n, p[i]),
							1e-9 * binomial_tail(k, n, p[i]) + 1e-300);
}
END_TEST

START_TEST(thresholds_are_the_least_that_prove_enough)
{
	for (int n = 1; n < 400; n += 11) {
		const int k = binomial_threshold(n, 0.5, 20);

		if (k <= n)
			ck_assert_double_ge(binomial_evidence(k, n, 0.5), 20);
		if (k > 1)
			ck_assert_double_lt(binomial_evidence(k - 1, n, 0.5), 20);
		ck_assert_int_eq(k == n + 1, n < 20); /* 19 coins never prove as much */
	}
}
END_TEST

Suite *suite_binomial(void);
Suite *suite_binomial(void)
{
	Suite *s = suite_create("binomial");
	TCase *tc = tcase_create("binomial");

	tcase_add_test(tc, all_right_is_a_bit_each);
	tcase_add_test(tc, tails_are_those_of_the_statistics);
	tcase_add_test(tc, thresholds_are_the_least_that_prove_enough);
	suite_add_tcase(s, tc);
	return s;
}
