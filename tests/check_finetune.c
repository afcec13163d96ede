/* attacks/finetune.c: what it trains on, what it changes, what it spends. */
#include <check.h>
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

static void run(const char *options, struct ledger *l, struct product *p)
{
	ck_assert_msg(world_attack(&w, attack_named("finetune"), options, l, p) == 0, "%s", error_text());
}

START_TEST(changes_all_layers_and_counts)
{
	struct ledger l = { 0 };
	struct product p;

	run("epochs=2 images=50 batch=10", &l, &p);
	ck_assert_int_eq(p.goal, GOAL_REMOVE);
	for (int i = 0; i < p.model->np; i++)
		ck_assert(memcmp(p.model->p[i].x, w.locked.model->p[i].x, p.model->p[i].len * sizeof(real)) != 0);
	ck_assert_int_eq(l.labels, 50);
	ck_assert_double_eq(l.forward_equivalents, 2 * 50 * 3);
	ck_assert_int_eq(p.tested, 0);
	ck_assert_int_eq(jget_int(p.notes, "images", -1), 50);
	product_release(&p);
}
END_TEST

START_TEST(learns_from_its_images)
{
	unsigned char before[1000], after[1000];
	const struct images pool = w.splits.pool;
	struct product p;

	run("epochs=30 images=7000 batch=10", NULL, &p);
	ck_assert_int_gt(model_correct(p.model, &pool, after), model_correct(w.locked.model, &pool, before));
	ck_assert_int_eq(jget_int(p.notes, "images", -1), pool.n); /* no more than there are */
	product_release(&p);
}
END_TEST

START_TEST(no_epochs_change_no_bit)
{
	struct ledger l = { 0 };
	struct product p;

	run("epochs=0", &l, &p);
	ck_assert_uint_eq(model_bits(p.model), model_bits(w.locked.model));
	ck_assert_int_eq(l.labels, 0);
	product_release(&p);
}
END_TEST

START_TEST(same_seed_same_bits)
{
	struct product a, b;

	run("epochs=2 optimizer=sgd lr=0.01", NULL, &a);
	run("epochs=2 optimizer=sgd lr=0.01", NULL, &b);
	ck_assert_uint_eq(model_bits(a.model), model_bits(b.model));
	product_release(&a);
	product_release(&b);
}
END_TEST

START_TEST(paper_protocol_is_declared_and_labelled)
{
	const struct attack *a = attack_named("finetune");
	void *pool = conf_of(&a->drv, ""), *test = conf_of(&a->drv, "data=paper-test");
	struct product p;

	ck_assert_uint_eq(a->needs_for(pool) & CAP_PAPER_TEST, 0);
	ck_assert_uint_eq(a->needs_for(test) & (CAP_PAPER_TEST | CAP_LABELLED), CAP_PAPER_TEST);
	run("data=paper-test epochs=1", NULL, &p);
	ck_assert_int_eq(p.tested, 140); /* 70 % of 200 test images */
	ck_assert_str_ne(jget_str(p.notes, "protocol", ""), "");
	product_release(&p);
	free(pool);
	free(test);
}
END_TEST

START_TEST(budget_of_labels_holds)
{
	struct ledger l = { .max_labels = 10 };
	struct product p;

	ck_assert_int_eq(world_attack(&w, attack_named("finetune"), "epochs=1 images=11", &l, &p), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "budget"));
	product_release(&p);
}
END_TEST

Suite *suite_finetune(void);
Suite *suite_finetune(void)
{
	Suite *s = suite_create("finetune");
	TCase *tc = tcase_create("finetune");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, changes_all_layers_and_counts);
	tcase_add_test(tc, learns_from_its_images);
	tcase_add_test(tc, no_epochs_change_no_bit);
	tcase_add_test(tc, same_seed_same_bits);
	tcase_add_test(tc, paper_protocol_is_declared_and_labelled);
	tcase_add_test(tc, budget_of_labels_holds);
	suite_add_tcase(s, tc);
	return s;
}
