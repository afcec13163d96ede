/* attacks/own/scratch.c: owes nothing to the owner, and learns more from more. */
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

START_TEST(touches_labels_and_nothing_else)
{
	const struct attack *a = attack_named("scratch");
	void *same = conf_of(&a->drv, ""), *other = conf_of(&a->drv, "model=mlp-9");

	ck_assert_uint_eq(a->needs_for(same), CAP_LABELLED | CAP_ARCH);
	ck_assert_uint_eq(a->needs_for(other), CAP_LABELLED);
	free(same);
	free(other);
}
END_TEST

/* The same whatever the lock made of the weights. */
START_TEST(does_not_depend_on_the_lock)
{
	struct ledger l = { 0 };
	struct product p, q;

	run_attack(&w, "scratch", "images=40 epochs=2 steps=0", &l, &p);
	ck_assert_int_eq(l.labels, 40);
	ck_assert_double_eq(l.forward_equivalents, 2 * 40 * 3);
	ck_assert_int_eq(p.goal, GOAL_USE);
	ck_assert_str_eq(p.model->spec.arch, "mlp");
	ck_assert_int_eq(p.model->spec.width, 32);
	for (size_t i = 0; i < w.locked.model->nx; i++)
		w.locked.model->x[i] = 1;
	run_attack(&w, "scratch", "images=40 epochs=2 steps=0", NULL, &q);
	ck_assert_uint_eq(model_bits(p.model), model_bits(q.model));
	product_release(&p);
	product_release(&q);
}
END_TEST

START_TEST(more_labels_more_accuracy)
{
	struct product few, many;

	run_attack(&w, "scratch", "images=5 epochs=40 steps=300", NULL, &few);
	run_attack(&w, "scratch", "images=7000 epochs=40 steps=300", NULL, &many);
	ck_assert_int_eq(jget_int(many.notes, "images", -1), w.splits.pool.n);
	ck_assert_int_gt(world_right(&w, many.model), world_right(&w, few.model) + 10);
	product_release(&few);
	product_release(&many);
}
END_TEST

START_TEST(another_architecture)
{
	struct product p;

	run_attack(&w, "scratch", "model=lenet5 images=16 epochs=1 fraction=0.05", NULL, &p);
	ck_assert_str_eq(p.model->spec.arch, "lenet5");
	ck_assert_int_eq(p.model->spec.classes, 10);
	ck_assert_int_eq(jget_int(p.notes, "images", -1), 5); /* 5 % of 100 */
	product_release(&p);
	ck_assert_int_eq(world_attack(&w, attack_named("scratch"), "model=lenet6 images=16 epochs=1", NULL, &p), -1);
	error_clear();
	product_release(&p);
}
END_TEST

Suite *suite_scratch(void);
Suite *suite_scratch(void)
{
	Suite *s = suite_create("scratch");
	TCase *tc = tcase_create("scratch");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, touches_labels_and_nothing_else);
	tcase_add_test(tc, does_not_depend_on_the_lock);
	tcase_add_test(tc, more_labels_more_accuracy);
	tcase_add_test(tc, another_architecture);
	suite_add_tcase(s, tc);
	return s;
}
