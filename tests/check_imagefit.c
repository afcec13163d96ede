/* attacks/query/imagefit.c: it learns, repeats to the bit on any number of threads, and refuses what does not fit. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "attacks/query/imagefit.h"
#include "base/error.h"
#include "base/rng.h"
#include "base/tile.h"
#include "tests/support_bench.h"

enum { N = 70, SIDE = 8, LEN = SIDE * SIDE };
static float x[N * LEN], y[N * LEN];

static void setup(void)
{
	struct rng r;

	for (int i = 0; i < N; i++) {
		rng_open(&r, 1, "imagefit test", (uint32_t)i, 0);
		for (int k = 0; k < LEN; k++)
			x[i * LEN + k] = (float)(0.5 + 0.4 * sin(k / 8 * 0.7 + i) * cos(k % 8 * 0.4 * (1 + i % 3)) + 0.02 * rng_normal(&r));
		for (int k = 0; k < LEN; k++)
			y[i * LEN + k] = 1 - x[i * LEN + k]; /* the negative: a surrogate's task */
	}
}

static struct images view(const float *p)
{
	return (struct images){ .n = N, .c = 1, .h = SIDE, .w = SIDE, .fx = p };
}

static struct model *fresh(void)
{
	const struct model_spec spec = { .arch = "cae", .c = 1, .h = SIDE, .w = SIDE, .classes = 1, .width = 8 };

	return model_new(&spec, 3);
}

static double fit(struct model *m, const float *to, int epochs, double noise, double *fe)
{
	const struct imagefit_conf c = { .epochs = epochs, .batch = 16, .lr = 0.005, .noise = noise };
	const struct images in = view(x), out = view(to);
	double loss = -1;

	ck_assert_msg(imagefit(m, &in, &out, &c, 9, NULL, &loss, fe) == 0, "%s", error_text());
	return loss;
}

START_TEST(learns_pairs_and_itself)
{
	const float *to = _i ? y : x;
	struct model *m = fresh();
	double fe = 5, first = fit(m, to, 1, 0, &fe), last;

	ck_assert_double_eq(fe, 5 + 3.0 * N);
	last = fit(m, to, 60, 0, &fe);
	ck_assert_msg(last < first / 3, "%g after %g", last, first);
	model_free(m);
}
END_TEST

/* The reported loss is the mean squared error itself. */
START_TEST(loss_is_what_it_says)
{
	const struct imagefit_conf c = { .epochs = 1, .batch = N, .lr = 0 };
	struct model *m = fresh();
	const struct images in = view(x);
	float back[N * LEN];
	double loss, fe = 0, sum = 0;

	ck_assert_int_eq(imagefit(m, &in, &in, &c, 9, NULL, &loss, &fe), 0);
	ck_assert_int_eq(model_predict(m, &in, back), 0);
	for (int i = 0; i < N * LEN; i++)
		sum += pow((double)back[i] - (double)x[i], 2);
	ck_assert_double_eq_tol(loss, sum / (N * LEN), 1e-6);
	model_free(m);
}
END_TEST

START_TEST(same_bits_on_any_threads)
{
	struct model *a = fresh(), *b = fresh(), *c = fresh();
	double fe = 0;

	tile_threads(1);
	fit(a, x, 2, 0.1, &fe);
	tile_threads(3);
	fit(b, x, 2, 0.1, &fe);
	fit(c, x, 2, 0, &fe);
	ck_assert_uint_eq(model_bits(a), model_bits(b));
	ck_assert_uint_ne(model_bits(b), model_bits(c)); /* the noise is there */
	model_free(a);
	model_free(b);
	model_free(c);
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
	const struct model_spec spec = { .arch = "mlp", .c = 1, .h = SIDE, .w = SIDE, .classes = 2, .width = 4 };
	const struct imagefit_conf c = { .epochs = 1, .batch = 16, .lr = 0.1 };
	struct model *classifier = model_new(&spec, 1), *m = fresh();
	struct images v = view(x);
	double loss, fe = 0;

	ck_assert_int_eq(imagefit(classifier, &v, &v, &c, 1, NULL, &loss, &fe), -1);
	error_clear();
	v.h = 4;
	ck_assert_int_eq(imagefit(m, &v, &v, &c, 1, NULL, &loss, &fe), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "do not fit"));
	model_free(classifier);
	model_free(m);
}
END_TEST

Suite *suite_imagefit(void);
Suite *suite_imagefit(void)
{
	Suite *s = suite_create("imagefit");
	TCase *tc = tcase_create("imagefit");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, learns_pairs_and_itself, 0, 2);
	tcase_add_test(tc, loss_is_what_it_says);
	tcase_add_test(tc, same_bits_on_any_threads);
	tcase_add_test(tc, refuses_what_does_not_fit);
	suite_add_tcase(s, tc);
	return s;
}
