/* attacks/weights/prune.c: the right weights become zero, and nothing else. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
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

/* ---- by other measures than size ---- */

static const char *const kinds[] = { "magnitude", "random", "fisher", "filters", "fine" };

START_TEST(every_kind_begins_with_nothing_and_grows)
{
	char none[64], some[64], most[64];

	snprintf(none, sizeof(none), "rate=0 kind=%s", kinds[_i]);
	snprintf(some, sizeof(some), "rate=0.2 kind=%s", kinds[_i]);
	snprintf(most, sizeof(most), "rate=0.9 kind=%s", kinds[_i]);
	expect_untouched(&w, "prune", none);
	ck_assert_double_lt(distance_under(&w, "prune", some), distance_under(&w, "prune", most));
}
END_TEST

START_TEST(every_kind_on_any_architecture)
{
	char options[96];

	snprintf(options, sizeof(options), "rate=0.95 kind=%s scope=layer images=3 tune-epochs=1 tune-images=16", kinds[_i]);
	runs_on_every_architecture(&w, "prune", options);
}
END_TEST

/* The order in which measures of usefulness keep the accuracy: what the task does not need is best left out, chance is worst. */
START_TEST(useful_measures_beat_chance)
{
	struct product random, size, fisher;

	run("rate=0.7 kind=random", &random);
	run("rate=0.7", &size);
	run("rate=0.7 kind=fisher", &fisher);
	ck_assert_int_lt(world_right(&w, random.model), world_right(&w, size.model));
	ck_assert_int_lt(world_right(&w, random.model), world_right(&w, fisher.model));
	ck_assert_int_eq(jget_int(random.notes, "zeroed", -1), jget_int(fisher.notes, "zeroed", -2));
	product_release(&random);
	product_release(&size);
	product_release(&fisher);
}
END_TEST

/* Half of fc1's and half of fc2's 32 units: the smallest rows; a removed unit is silent and unread. */
START_TEST(units_go_whole_and_smallest_first)
{
	const struct param *before = model_find(w.locked.model, "fc1.weight"), *after, *reader;
	double gone = 0, stands = INFINITY;
	struct product p;

	run("rate=0.5 kind=filters scope=layer", &p);
	ck_assert_int_eq(jget_int(p.notes, "channels", -1), 64);
	ck_assert_int_eq(jget_int(p.notes, "removed", -1), 32);
	after = model_find(p.model, "fc1.weight");
	reader = model_find(p.model, "fc2.weight");
	for (int o = 0; o < 32; o++) {
		double norm = 0, left = 0, read = 0;

		for (int i = 0; i < 784; i++) {
			norm += fabs((double)before->x[o * 784 + i]);
			left += fabs((double)after->x[o * 784 + i]);
		}
		for (int i = 0; i < 32; i++)
			read += fabs((double)reader->x[i * 32 + o]);
		ck_assert_int_eq(left == 0, read == 0);
		ck_assert_int_eq(left == 0, model_find(p.model, "fc1.bias")->x[o] == 0);
		gone = left == 0 ? fmax(gone, norm) : gone;
		stands = left == 0 ? stands : fmin(stands, norm);
	}
	ck_assert_double_le(gone, stands);
	product_release(&p);
}
END_TEST

/* Units that never fire are what fine-pruning takes first: the answers stay. */
START_TEST(fine_pruning_takes_the_silent)
{
	struct param *bias = model_find(w.locked.model, "fc2.bias");
	struct product p;

	for (int i = 0; i < 8; i++)
		bias->x[4 * i] = -1000;
	run("rate=0.25 kind=fine", &p);
	ck_assert_int_eq(jget_int(p.notes, "removed", -1), 8);
	ck_assert_double_eq(answers_apart(&w, w.locked.model, p.model), 0);
	product_release(&p);
}
END_TEST

START_TEST(tuning_repairs_and_leaves_zeros)
{
	struct ledger l = { 0 };
	struct product pruned, tuned;

	run("rate=0.9", &pruned);
	run_attack(&w, "prune", "rate=0.9 tune-epochs=30", &l, &tuned);
	ck_assert_int_gt(world_right(&w, tuned.model), world_right(&w, pruned.model));
	for (int i = 0; i < tuned.model->np; i++)
		if (tuned.model->p[i].nd >= 2)
			ck_assert_uint_eq(zeros(&tuned.model->p[i]), zeros(&pruned.model->p[i]));
	ck_assert_int_eq(l.labels, w.splits.pool.n);
	product_release(&pruned);
	product_release(&tuned);
}
END_TEST

START_TEST(needs_follow_the_kind)
{
	static const unsigned more[] = { 0, 0, CAP_UNLABELLED, 0, CAP_UNLABELLED };
	const struct attack *a = attack_named("prune");
	char options[64];
	void *c;

	snprintf(options, sizeof(options), "kind=%s", kinds[_i]);
	c = conf_of(&a->drv, options);
	ck_assert_uint_eq(a->needs_for(c), CAP_WEIGHTS | CAP_WRITE | more[_i]);
	free(c);
	strcat(options, " tune-epochs=1");
	c = conf_of(&a->drv, options);
	ck_assert_uint_eq(a->needs_for(c), CAP_WEIGHTS | CAP_WRITE | CAP_LABELLED | more[_i]);
	free(c);
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
	tcase_add_loop_test(tc, every_kind_begins_with_nothing_and_grows, 0, (int)ARRAY_LEN(kinds));
	tcase_add_loop_test(tc, every_kind_on_any_architecture, 0, (int)ARRAY_LEN(kinds));
	tcase_add_test(tc, useful_measures_beat_chance);
	tcase_add_test(tc, units_go_whole_and_smallest_first);
	tcase_add_test(tc, fine_pruning_takes_the_silent);
	tcase_add_test(tc, tuning_repairs_and_leaves_zeros);
	tcase_add_loop_test(tc, needs_follow_the_kind, 0, (int)ARRAY_LEN(kinds));
	suite_add_tcase(s, tc);
	return s;
}
