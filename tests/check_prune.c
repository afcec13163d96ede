/* attacks/prune.c: the right weights become zero, and nothing else. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tests/support_bench.h"

static struct world w;

static void setup(void)
{
	world_open(&w, &toy_scheme);
}

static void teardown(void)
{
	world_close(&w);
}

static void run(const char *options, struct product *p)
{
	ck_assert_msg(world_attack(&w, attack_named("prune"), options, NULL, p) == 0, "%s", error_text());
	ck_assert_int_eq(p->goal, GOAL_REMOVE);
}

static size_t zeros(const struct param *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->len; i++)
		n += p->x[i] == 0;
	return n;
}

/* No zeroed weight was larger than one that stands. */
static void assert_smallest_went(const struct param *before, const struct param *after)
{
	real gone = 0, stands = INFINITY;

	for (size_t i = 0; i < before->len; i++) {
		const real size = (real)fabs((double)before->x[i]);

		if (after->x[i] == 0 && size > gone)
			gone = size;
		if (after->x[i] != 0 && size < stands)
			stands = size;
		ck_assert(after->x[i] == 0 || after->x[i] == before->x[i]);
	}
	ck_assert(gone <= stands);
}

START_TEST(layer_share_is_exact)
{
	struct product p;

	run("rate=0.3 scope=layer", &p);
	for (int i = 0; i < p.model->np; i++) {
		const struct param *a = &p.model->p[i], *b = &w.locked.model->p[i];

		if (a->nd >= 2) {
			ck_assert_uint_eq(zeros(a), (size_t)floor(0.3 * (double)a->len + 0.5));
			assert_smallest_went(b, a);
		} else {
			ck_assert_mem_eq(a->x, b->x, a->len * sizeof(*a->x)); /* biases stay */
		}
	}
	product_release(&p);
}
END_TEST

START_TEST(global_share_is_exact)
{
	size_t all = 0, zeroed = 0;
	struct product p;

	run("rate=0.3 scope=global", &p);
	for (int i = 0; i < p.model->np; i++) {
		const struct param *a = &p.model->p[i];

		if (a->nd < 2)
			continue;
		all += a->len;
		zeroed += zeros(a);
		assert_smallest_went(&w.locked.model->p[i], a);
	}
	ck_assert_uint_eq(zeroed, (size_t)floor(0.3 * (double)all + 0.5));
	ck_assert_int_eq(jget_int(p.notes, "zeroed", -1), (long long)zeroed);
	ck_assert_int_eq(jget_int(p.notes, "weights", -1), (long long)all);
	product_release(&p);
}
END_TEST

START_TEST(rate_zero_changes_no_bit)
{
	struct product p;

	run("rate=0", &p);
	ck_assert_uint_eq(model_bits(p.model), model_bits(w.locked.model));
	product_release(&p);
	run("rate=0 scope=global", &p);
	ck_assert_uint_eq(model_bits(p.model), model_bits(w.locked.model));
	product_release(&p);
}
END_TEST

START_TEST(conv_only_leaves_an_mlp_alone)
{
	struct product p;

	run("rate=0.9 weights=conv", &p);
	ck_assert_uint_eq(model_bits(p.model), model_bits(w.locked.model));
	ck_assert_int_eq(jget_int(p.notes, "weights", -1), 0);
	product_release(&p);
}
END_TEST

START_TEST(deployed_model_is_untouched)
{
	const unsigned long before = model_bits(w.locked.model);
	struct product p;

	run("rate=0.9", &p);
	ck_assert_uint_eq(model_bits(w.locked.model), before);
	product_release(&p);
}
END_TEST

START_TEST(rate_is_bounded)
{
	ck_assert_ptr_null(conf_of(&attack_named("prune")->drv, "rate=1"));
	error_clear();
	ck_assert_ptr_null(conf_of(&attack_named("prune")->drv, "rate=nan"));
}
END_TEST

Suite *suite_prune(void);
Suite *suite_prune(void)
{
	Suite *s = suite_create("prune");
	TCase *tc = tcase_create("prune");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, layer_share_is_exact);
	tcase_add_test(tc, global_share_is_exact);
	tcase_add_test(tc, rate_zero_changes_no_bit);
	tcase_add_test(tc, conv_only_leaves_an_mlp_alone);
	tcase_add_test(tc, deployed_model_is_untouched);
	tcase_add_test(tc, rate_is_bounded);
	suite_add_tcase(s, tc);
	return s;
}
