/* attacks/own/extract.c: what it asks, what it learns, what it may not see. */
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

START_TEST(needs_are_what_is_asked_and_heard)
{
	ck_assert_uint_eq(needs_under("extract", ""), CAP_PROB | CAP_CRED | CAP_UNLABELLED | CAP_ARCH);
	ck_assert_uint_eq(needs_under("extract", "answers=top1 teacher=locked"), CAP_LABEL | CAP_UNLABELLED | CAP_ARCH);
	ck_assert_uint_eq(needs_under("extract", "data=noise teacher=locked model=mlp-9"), CAP_PROB);
	ck_assert_uint_eq(needs_under("extract", "teacher=weights"), CAP_WEIGHTS | CAP_UNLABELLED | CAP_ARCH);
}
END_TEST

START_TEST(more_queries_more_accuracy)
{
	struct ledger l = { 0 };
	struct product none, few, many, locked;

	run_attack(&w, "extract", "queries=0", &l, &none);
	ck_assert(l.queries == 0 && l.forward_equivalents == 0);
	run_attack(&w, "extract", "queries=10", NULL, &few);
	run_attack(&w, "extract", "", &l, &many);
	run_attack(&w, "extract", "teacher=locked", NULL, &locked);
	ck_assert_int_eq(l.queries, w.splits.pool.n);
	ck_assert_int_eq(l.labels, 0);
	ck_assert_double_eq(l.forward_equivalents, 3.0 * 500 * (w.splits.pool.n - w.splits.pool.n / 10)); /* a tenth is held out */
	ck_assert_int_gt(world_right(&w, few.model), world_right(&w, none.model));
	ck_assert_int_gt(world_right(&w, many.model), world_right(&w, few.model));
	ck_assert_int_lt(world_right(&w, locked.model), 45);
	ck_assert_double_gt(jget_num(many.notes, "fidelity", 0), 0.5);
	ck_assert_double_lt(jget_num(locked.notes, "fidelity", 1), 0.5);
	product_release(&none);
	product_release(&few);
	product_release(&many);
	product_release(&locked);
}
END_TEST

START_TEST(hard_answers_and_noise)
{
	struct product hard, soft, noise, again;

	run_attack(&w, "extract", "answers=top1", NULL, &hard);
	run_attack(&w, "extract", "answers=top1 teacher=weights", NULL, &soft);
	ck_assert_uint_eq(model_bits(hard.model), model_bits(soft.model)); /* one-hot by the oracle or by ourselves */
	ck_assert_int_gt(world_right(&w, hard.model), 40);
	run_attack(&w, "extract", "queries=60 epochs=2 steps=0 data=noise", NULL, &noise);
	run_attack(&w, "extract", "queries=60 epochs=2 steps=0 data=noise", NULL, &again);
	ck_assert_uint_eq(model_bits(noise.model), model_bits(again.model));
	ck_assert_int_eq(jget_int(noise.notes, "queries", -1), 60);
	product_release(&hard);
	product_release(&soft);
	product_release(&noise);
	product_release(&again);
}
END_TEST

START_TEST(budget_limits_the_questions)
{
	struct ledger l = { .max_queries = 30 };
	struct product p;

	run_attack(&w, "extract", "epochs=1 steps=0", &l, &p);
	ck_assert_int_eq(l.queries, 30);
	product_release(&p);
}
END_TEST

Suite *suite_extract(void);
Suite *suite_extract(void)
{
	Suite *s = suite_create("extract");
	TCase *tc = tcase_create("extract");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, needs_are_what_is_asked_and_heard);
	tcase_add_test(tc, more_queries_more_accuracy);
	tcase_add_test(tc, hard_answers_and_noise);
	tcase_add_test(tc, budget_limits_the_questions);
	suite_add_tcase(s, tc);
	return s;
}
