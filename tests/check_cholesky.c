/* base/cholesky.c against systems whose factor is known. */
#include <check.h>
#include <math.h>

#include "base/cholesky.h"

/* a = L L^T with L = (2 0 0; 1 3 0; -1 2 4): two right sides made from known x. Above the diagonal stands what may not be read. */
START_TEST(solves_what_it_should)
{
	double a[9] = { 4, NAN, NAN, 2, 10, NAN, -2, 5, 21 };
	double b[6] = { 4 * 1 + 2 * 2 - 2 * 3, 2 * 1 + 10 * 2 + 5 * 3, -2 * 1 + 5 * 2 + 21 * 3, -2, 5, 21 };
	const double x[6] = { 1, 2, 3, 0, 0, 1 }, factor[6] = { 2, 1, 3, -1, 2, 4 };

	cholesky_solve(a, 3, b, 2);
	for (int i = 0; i < 6; i++)
		ck_assert_double_eq_tol(b[i], x[i], 1e-12);
	for (int i = 0, at = 0; i < 3; i++)
		for (int k = 0; k <= i; k++, at++)
			ck_assert_double_eq(a[i * 3 + k], factor[at]);
}
END_TEST

Suite *suite_cholesky(void);
Suite *suite_cholesky(void)
{
	Suite *s = suite_create("cholesky");
	TCase *t = tcase_create("cholesky");

	tcase_add_test(t, solves_what_it_should);
	suite_add_tcase(s, t);
	return s;
}
