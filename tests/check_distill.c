/* attacks/own/distill.c: the student becomes the teacher it was given, a lock's random answers included. */
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

START_TEST(needs_are_the_teachers)
{
	const struct attack *a = attack_named("distill");
	void *insider = conf_of(&a->drv, ""), *locked = conf_of(&a->drv, "teacher=locked");

	ck_assert_uint_eq(needs_under("distill", ""), CAP_UNLABELLED | CAP_PROB | CAP_CRED | CAP_ARCH);
	ck_assert_uint_eq(needs_under("distill", "teacher=locked"), CAP_UNLABELLED | CAP_PROB | CAP_ARCH);
	ck_assert_uint_eq(needs_under("distill", "teacher=weights model=lenet5"), CAP_UNLABELLED | CAP_WEIGHTS);
	ck_assert_ptr_nonnull(a->inapplicable(insider, 0, 0));
	ck_assert_ptr_null(a->inapplicable(insider, 1, 0));
	ck_assert_ptr_null(a->inapplicable(locked, 0, 0));
	free(insider);
	free(locked);
}
END_TEST

/* The toy scheme answers at random without a credential: the insider's student learns, the outsider's does not, and what the
 * weights say without the scheme is what the insider hears. */
START_TEST(students_are_as_good_as_their_teachers)
{
	struct ledger l = { 0 }, m = { 0 };
	struct product insider, locked, weights;

	run_attack(&w, "distill", "epochs=80", &l, &insider);
	run_attack(&w, "distill", "epochs=80 teacher=locked", NULL, &locked);
	run_attack(&w, "distill", "epochs=80 teacher=weights", &m, &weights);
	ck_assert_int_gt(world_right(&w, insider.model), 60); /* of 200, from 100 images; chance is 20 */
	ck_assert_int_lt(world_right(&w, locked.model), 45);
	ck_assert_uint_eq(model_bits(insider.model), model_bits(weights.model));
	ck_assert_int_eq(l.queries, w.splits.pool.n);
	ck_assert_double_eq(l.forward_equivalents, 500.0 * 3 * w.splits.pool.n); /* two steps a pass: 500 passes for 1000 steps */
	ck_assert_int_eq(m.queries, 0);
	ck_assert_double_eq(m.forward_equivalents, (500.0 * 3 + 1) * w.splits.pool.n);
	ck_assert_int_eq(l.labels, 0);
	ck_assert_double_gt(jget_num(insider.notes, "agreement_on_queries", 0), 0.8);
	product_release(&insider);
	product_release(&locked);
	product_release(&weights);
}
END_TEST

/* A student that is its teacher already has no gradient: distilled from weights, at any temperature, one small step leaves it nearly where it
 * was. A wrong temperature on one of the sides would pull it apart. */
START_TEST(temperature_is_on_both_sides)
{
	struct product cold, hot;

	run_attack(&w, "distill", "teacher=weights epochs=60 temperature=1", NULL, &cold);
	run_attack(&w, "distill", "teacher=weights epochs=60 temperature=5", NULL, &hot);
	ck_assert_uint_ne(model_bits(cold.model), model_bits(hot.model));
	ck_assert_double_gt(jget_num(hot.notes, "agreement_on_queries", 0), 0.8);
	ck_assert_double_lt(answers_apart(&w, w.locked.model, hot.model), 0.8); /* logits, not only classes, come near */
	product_release(&cold);
	product_release(&hot);
}
END_TEST

/* A locked network with an extra class: its last output is nobody's class, and the student has none. */
START_TEST(extra_outputs_are_left_out)
{
	struct model_spec spec = w.locked.model->spec;
	struct world other = w;
	struct product p;

	spec.classes++;
	other.locked.model = model_new(&spec, 3);
	other.setup.locked = &other.locked;
	run_attack(&other, "distill", "teacher=weights images=16 epochs=300 steps=0", NULL, &p);
	ck_assert_int_eq(p.model->spec.classes, 10);
	ck_assert_double_gt(jget_num(p.notes, "agreement_on_queries", 0), 0.9); /* rows of 11 read as rows of 10 could not be learned */
	product_release(&p);
	run_attack(&other, "finetune", "epochs=1 mode=rtll", NULL, &p);
	ck_assert_int_eq(p.model->spec.classes, 11);
	product_release(&p);
	model_free(other.locked.model);
}
END_TEST

START_TEST(no_epochs_ask_nothing)
{
	struct ledger l = { 0 };
	struct product p;

	run_attack(&w, "distill", "epochs=0", &l, &p);
	ck_assert(l.queries == 0 && l.forward_equivalents == 0);
	product_release(&p);
}
END_TEST

START_TEST(budget_limits_the_questions)
{
	struct ledger l = { .max_queries = 30 };
	struct product p;

	run_attack(&w, "distill", "epochs=1 steps=0", &l, &p);
	ck_assert_int_eq(l.queries, 30);
	ck_assert_int_eq(jget_int(p.notes, "images", -1), 30);
	product_release(&p);
}
END_TEST

Suite *suite_distill(void);
Suite *suite_distill(void)
{
	Suite *s = suite_create("distill");
	TCase *tc = tcase_create("distill");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, needs_are_the_teachers);
	tcase_add_test(tc, students_are_as_good_as_their_teachers);
	tcase_add_test(tc, temperature_is_on_both_sides);
	tcase_add_test(tc, extra_outputs_are_left_out);
	tcase_add_test(tc, no_epochs_ask_nothing);
	tcase_add_test(tc, budget_limits_the_questions);
	suite_add_tcase(s, tc);
	return s;
}
