/* attacks/kit/svd.c against matrices whose singular values are known. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "attacks/kit/svd.h"
#include "base/rng.h"

enum { M = 5, N = 8 };

/* Turn rows p and q of a (m,n) by an angle: orthogonal, so singular values stay. */
static void turn_rows(double *a, int n, int p, int q, double angle)
{
	for (int i = 0; i < n; i++) {
		const double x = a[p * n + i], y = a[q * n + i];

		a[p * n + i] = cos(angle) * x - sin(angle) * y;
		a[q * n + i] = sin(angle) * x + cos(angle) * y;
	}
}

static void transposed(const double *a, int m, int n, double *t)
{
	for (int i = 0; i < m; i++)
		for (int k = 0; k < n; k++)
			t[k * m + i] = a[i * n + k];
}

/* U diag(5,4,3,2,1) V^T with random U and V: a (M,N). */
static void known(double *a)
{
	double t[M * N] = { 0 };
	struct rng r;

	rng_open(&r, 1, "svd", 0, 0);
	memset(a, 0, M * N * sizeof(*a));
	for (int i = 0; i < M; i++)
		a[i * N + i] = M - i;
	for (int i = 0; i < 40; i++)
		turn_rows(a, N, i % M, (i + 1 + i / M % (M - 1)) % M, rng_uniform(&r));
	transposed(a, M, N, t);
	for (int i = 0; i < 80; i++)
		turn_rows(t, M, i % N, (i + 1 + i / N % (N - 1)) % N, rng_uniform(&r));
	transposed(t, N, M, a);
}

static double squared_distance(const double *a, const double *b, int n)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += (a[i] - b[i]) * (a[i] - b[i]);
	return sum;
}

/* Eckart and Young: what is lost is the sum of the squares of the singular values left out. */
START_TEST(loses_the_smallest_singular_values)
{
	double a[M * N], b[M * N], t[M * N], u[M * N];
	double lost = 0;

	known(a);
	transposed(a, M, N, t);
	for (int r = M; r >= 1; r--) {
		memcpy(b, a, sizeof(b));
		svd_truncate(b, M, N, r);
		ck_assert_double_eq_tol(squared_distance(a, b, M * N), lost, 1e-9);
		memcpy(u, t, sizeof(u)); /* more rows than columns */
		svd_truncate(u, N, M, r);
		ck_assert_double_eq_tol(squared_distance(t, u, M * N), lost, 1e-9);
		lost += (M - r + 1) * (M - r + 1);
	}
}
END_TEST

/* A second time there is nothing left to lose: the rank is what was asked for. */
START_TEST(rank_is_reached)
{
	double a[M * N], b[M * N];

	known(a);
	svd_truncate(a, M, N, 2);
	memcpy(b, a, sizeof(b));
	svd_truncate(b, M, N, 2);
	ck_assert_double_lt(squared_distance(a, b, M * N), 1e-20);
	svd_truncate(b, M, N, 1);
	ck_assert_double_eq_tol(squared_distance(a, b, M * N), 16, 1e-9);
}
END_TEST

START_TEST(zeros_stay_zeros)
{
	double a[6] = { 0 };

	svd_truncate(a, 2, 3, 1);
	for (int i = 0; i < 6; i++)
		ck_assert_double_eq(a[i], 0);
}
END_TEST

Suite *suite_svd(void);
Suite *suite_svd(void)
{
	Suite *s = suite_create("svd");
	TCase *tc = tcase_create("svd");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, loses_the_smallest_singular_values);
	tcase_add_test(tc, rank_is_reached);
	tcase_add_test(tc, zeros_stay_zeros);
	suite_add_tcase(s, tc);
	return s;
}
