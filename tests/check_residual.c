/* attacks/query/replay_residual.c: residuals of a known rule are foretold for images of which there was no pair. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "attacks/query/replay_residual.h"
#include "base/rng.h"

enum { SIDE = 8, LEN = SIDE * SIDE, PAIRS = 30 };
static float x[(PAIRS + 1) * LEN], keyed[(PAIRS + 1) * LEN];

static struct images view(float *at, int n)
{
	return (struct images){ .n = n, .c = 1, .h = SIDE, .w = SIDE, .classes = 2, .fx = at };
}

/* The largest error of the residual of the last image, which was in no pair. */
static double worst(int method, int rank)
{
	const struct images plain = view(x, PAIRS), with = view(keyed, PAIRS);
	const float *probe = x + PAIRS * LEN;
	struct bundle *kept = bundle_new();
	double r[LEN], most = 0;

	residual_fit(method, rank, &plain, &with, kept);
	residual_of(kept, method, probe, &plain, r);
	for (int k = 0; k < LEN; k++)
		most = fmax(most, fabs(r[k] - ((double)keyed[PAIRS * LEN + k] - (double)probe[k])));
	bundle_free(kept);
	return most;
}

static void images(double (*rule)(const float *img, int k))
{
	struct rng r;

	rng_open(&r, 1, "residual", 0, 0);
	for (int i = 0; i < (PAIRS + 1) * LEN; i++)
		x[i] = (float)rng_uniform(&r);
	for (int i = 0; i < (PAIRS + 1) * LEN; i++)
		keyed[i] = x[i] + (float)rule(x + i / LEN * LEN, i % LEN);
}

static double same(const float *img, int k)
{
	(void)img;
	return k % 5 ? 0.02 : -0.1;
}

/* Two columns to the right and a constant: within the filter's reach, and would show taps turned around. */
static double filtered(const float *img, int k)
{
	return 0.05 + (k % SIDE + 2 < SIDE ? 0.3 * (double)img[k + 2] : 0);
}

START_TEST(a_constant_is_found_by_all)
{
	images(same);
	for (int m = RESIDUAL_SINGLE; m <= RESIDUAL_NEAREST; m++)
		ck_assert_double_lt(worst(m, 1), 1e-6);
	ck_assert_double_lt(worst(RESIDUAL_PCA, 1), 0.02); /* ridge: nearly */
}
END_TEST

START_TEST(a_filter_is_found_by_regression_only)
{
	images(filtered);
	ck_assert_double_lt(worst(RESIDUAL_FILTER, 1), 2e-3);
	ck_assert_double_gt(worst(RESIDUAL_SINGLE, 1), 0.05);
	ck_assert_double_gt(worst(RESIDUAL_MEAN, 1), 0.05);
}
END_TEST

/* The pair of the very image is the nearest. Would catch a nearest that is the first. */
START_TEST(nearest_is_the_same_image)
{
	images(filtered);
	memcpy(x + PAIRS * LEN, x + 7 * LEN, LEN * sizeof(*x));
	memcpy(keyed + PAIRS * LEN, keyed + 7 * LEN, LEN * sizeof(*x));
	ck_assert_double_lt(worst(RESIDUAL_NEAREST, 1), 1e-6);
	ck_assert_double_gt(worst(RESIDUAL_SINGLE, 1), 0.05);
}
END_TEST

Suite *suite_residual(void);
Suite *suite_residual(void)
{
	Suite *s = suite_create("residual");
	TCase *t = tcase_create("residual");

	tcase_add_test(t, a_constant_is_found_by_all);
	tcase_add_test(t, a_filter_is_found_by_regression_only);
	tcase_add_test(t, nearest_is_the_same_image);
	suite_add_tcase(s, t);
	return s;
}
