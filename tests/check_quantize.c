/* attacks/weights/quantize.c: the values are on the grid, and the nearest ones. */
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

static int distinct(const struct param *p)
{
	int n = 0;

	for (size_t i = 0; i < p->len; i++) {
		size_t k = 0;

		while (k < i && p->x[k] != p->x[i])
			k++;
		n += k == i;
	}
	return n;
}

START_TEST(few_levels_and_none_is_far)
{
	struct product p;

	for (int bits = 2; bits <= 5; bits++) {
		char options[32];

		snprintf(options, sizeof(options), "bits=%d", bits);
		run_attack(&w, "quantize", options, NULL, &p);
		for (int i = 0; i < p.model->np; i++) {
			const struct param *a = &p.model->p[i], *b = &w.locked.model->p[i];
			double max = 0;

			if (a->nd < 2) {
				ck_assert_mem_eq(a->x, b->x, a->len * sizeof(*a->x)); /* biases stay */
				continue;
			}
			ck_assert_int_le(distinct(a), (1 << bits) - 1);
			for (size_t k = 0; k < a->len; k++)
				max = fmax(max, fabs((double)b->x[k]));
			for (size_t k = 0; k < a->len; k++) /* half a step */
				ck_assert_double_le(fabs((double)a->x[k] - (double)b->x[k]), 0.500001 * max / ((1 << (bits - 1)) - 1));
		}
		product_release(&p);
	}
}
END_TEST

/* Known roundings of IEEE half precision and bfloat16: ties to even, subnormal, beyond the largest. */
START_TEST(half_formats_round_as_ieee_says)
{
	static const struct { float x, half, bfloat; } known[] = {
		{ 0.1f, 0.0999755859375f, 0.10009765625f }, { 1.00048828125f, 1, 1 }, { 1.00146484375f, 1.001953125f, 1 },
		{ 1e5f, 65504, 99840 }, { 2e-8f, 0, 2.0023435e-08f }, { 6e-8f, 5.9604645e-08f, 6.0070306e-08f },
		{ 1.01171875f, 1.01171875f, 1.015625f }, { -2, -2, -2 }, { 0, 0, 0 },
	};
	struct product half, bfloat;
	real *x = w.locked.model->x;

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		x[i] = known[i].x;
	run_attack(&w, "quantize", "format=fp16", NULL, &half);
	run_attack(&w, "quantize", "format=bf16", NULL, &bfloat);
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		ck_assert_float_eq((float)half.model->x[i], known[i].half);
		ck_assert_float_eq_tol((float)bfloat.model->x[i], known[i].bfloat, 1e-14f);
	}
	product_release(&half);
	product_release(&bfloat);
}
END_TEST

START_TEST(fewer_bits_do_more)
{
	struct product p, q;

	expect_untouched(&w, "quantize", "bits=32");
	ck_assert_double_lt(distance_under(&w, "quantize", "bits=8"), distance_under(&w, "quantize", "bits=4"));
	ck_assert_double_lt(distance_under(&w, "quantize", "bits=4"), distance_under(&w, "quantize", "bits=2"));
	ck_assert_double_lt(distance_under(&w, "quantize", "format=fp16"), distance_under(&w, "quantize", "format=bf16"));
	run_attack(&w, "quantize", "bits=2", NULL, &p);
	run_attack(&w, "quantize", "bits=8", NULL, &q);
	ck_assert_int_lt(world_right(&w, p.model), world_right(&w, q.model));
	product_release(&p);
	product_release(&q);
}
END_TEST

START_TEST(any_architecture)
{
	runs_on_every_architecture(&w, "quantize", "bits=3 tune-epochs=1 tune-images=16");
	runs_on_every_architecture(&w, "quantize", "format=fp16");
}
END_TEST

/* Labels are needed, counted and used only with fine-tuning behind it. */
START_TEST(tuning_afterwards_is_paid_for)
{
	const struct attack *a = attack_named("quantize");
	void *plain = conf_of(&a->drv, ""), *tuned = conf_of(&a->drv, "tune-epochs=2");
	struct ledger l = { 0 };
	struct product p, q;

	ck_assert_uint_eq(a->needs_for(plain), CAP_WEIGHTS | CAP_WRITE);
	ck_assert_uint_eq(a->needs_for(tuned), CAP_WEIGHTS | CAP_WRITE | CAP_LABELLED);
	run_attack(&w, "quantize", "bits=2", &l, &p);
	ck_assert(l.labels == 0 && l.forward_equivalents == 0);
	run_attack(&w, "quantize", "bits=2 tune-epochs=20 tune-images=90", &l, &q);
	ck_assert_int_eq(l.labels, 90);
	ck_assert_double_eq(l.forward_equivalents, 20 * 90 * 3);
	ck_assert_int_gt(world_right(&w, q.model), world_right(&w, p.model));
	product_release(&p);
	product_release(&q);
	free(plain);
	free(tuned);
}
END_TEST

Suite *suite_quantize(void);
Suite *suite_quantize(void)
{
	Suite *s = suite_create("quantize");
	TCase *tc = tcase_create("quantize");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, few_levels_and_none_is_far);
	tcase_add_test(tc, half_formats_round_as_ieee_says);
	tcase_add_test(tc, fewer_bits_do_more);
	tcase_add_test(tc, any_architecture);
	tcase_add_test(tc, tuning_afterwards_is_paid_for);
	suite_add_tcase(s, tc);
	return s;
}
