/* attacks/weights/weightnoise.c: noise of the size asked for, filters shifted by their mean. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "tests/support_weights.h"

static struct world w;

static void setup(void)
{
	world_open(&w, &toy_scheme);
}

static void teardown(void)
{
	world_close(&w);
}

static double spread(const real *a, const real *b, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
	return sqrt(sum / (double)n);
}

START_TEST(noise_has_the_size_of_the_tensor)
{
	const struct param *p = model_find(w.locked.model, "fc1.weight"), *q;
	real zero[32 * 784];
	double mean = 0;
	struct product out;

	for (size_t i = 0; i < p->len; i++)
		mean += (double)p->x[i] / (double)p->len;
	for (size_t i = 0; i < p->len; i++)
		zero[i] = (real)mean;
	run_attack(&w, "weightnoise", "sigma=0.1", NULL, &out);
	q = model_find(out.model, "fc1.weight");
	/* 25,088 draws: their standard deviation is within 2 % of its expectation with more than 4 sigma */
	ck_assert_double_eq_tol(spread(q->x, p->x, p->len) / spread(p->x, zero, p->len), 0.1, 0.002);
	ck_assert_mem_eq(model_find(out.model, "fc1.bias")->x, model_find(w.locked.model, "fc1.bias")->x, 32 * sizeof(real));
	product_release(&out);
}
END_TEST

/* At shift 1 the mean over the filters is gone; the differences between filters stay. */
START_TEST(shifting_takes_the_mean_filter_away)
{
	const struct param *p = model_find(w.locked.model, "fc2.weight"), *q;
	struct product out;

	run_attack(&w, "weightnoise", "sigma=0 shift=1", NULL, &out);
	q = model_find(out.model, "fc2.weight");
	for (int k = 0; k < 32; k++) {
		double mean = 0;

		for (int o = 0; o < 32; o++)
			mean += (double)q->x[o * 32 + k] / 32;
		ck_assert_double_eq_tol(mean, 0, 1e-7);
		ck_assert_double_eq_tol((double)(q->x[k] - q->x[5 * 32 + k]), (double)(p->x[k] - p->x[5 * 32 + k]), 1e-6);
	}
	product_release(&out);
}
END_TEST

START_TEST(more_noise_does_more)
{
	struct product p, q;

	expect_untouched(&w, "weightnoise", "sigma=0");
	ck_assert_double_lt(distance_under(&w, "weightnoise", "sigma=0.01"), distance_under(&w, "weightnoise", "sigma=0.1"));
	run_attack(&w, "weightnoise", "sigma=0.1", NULL, &p);
	run_attack(&w, "weightnoise", "sigma=5", NULL, &q);
	ck_assert_int_gt(world_right(&w, p.model), world_right(&w, q.model));
	product_release(&p);
	product_release(&q);
}
END_TEST

START_TEST(conv_only_leaves_an_mlp_alone)
{
	expect_untouched(&w, "weightnoise", "sigma=1 shift=1.5 weights=conv");
}
END_TEST

START_TEST(any_architecture)
{
	runs_on_every_architecture(&w, "weightnoise", "sigma=1 shift=1.5 weights=conv tune-epochs=1 tune-images=16");
}
END_TEST

Suite *suite_weightnoise(void);
Suite *suite_weightnoise(void)
{
	Suite *s = suite_create("weightnoise");
	TCase *tc = tcase_create("weightnoise");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, noise_has_the_size_of_the_tensor);
	tcase_add_test(tc, shifting_takes_the_mean_filter_away);
	tcase_add_test(tc, more_noise_does_more);
	tcase_add_test(tc, conv_only_leaves_an_mlp_alone);
	tcase_add_test(tc, any_architecture);
	suite_add_tcase(s, tc);
	return s;
}
