/* attacks/weights/finetune.c: what it trains on, what it changes, what it spends. */
#include <check.h>
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
	struct product p = { 0 };

	ck_assert_int_eq(world_attack(&w, attack_named("finetune"), "epochs=1 images=11", &l, &p), 0);
	ck_assert_int_eq(l.labels, 9); /* of ten, one is for validation */
	ck_assert_int_eq(jget_int(p.notes, "images", 0), 9);
	product_release(&p);
}
END_TEST

/* ---- which layers ---- */

/* wrn10: batch norm is there to be disturbed. */
static void use_wrn(struct world *other)
{
	*other = w;
	other->base = model_copy(w.base);
	other->locked.model = model_copy(w.locked.model);
	other->setup.locked = &other->locked;
	world_swap(other, "wrn10-1");
}

static bool tensor_same(const struct world *o, const struct product *p, int i)
{
	return memcmp(p->model->p[i].x, o->locked.model->p[i].x, p->model->p[i].len * sizeof(real)) == 0;
}

/* ll: nothing but fc moves, running statistics included; al: everything that is trained moves. */
START_TEST(modes_train_what_they_say)
{
	static const char *const mode[] = { "ftal", "ftll", "rtal", "rtll" };
	struct world o;

	use_wrn(&o);
	for (int k = 0; k < 4; k++) {
		struct product p;
		char options[64];

		snprintf(options, sizeof(options), "mode=%s epochs=1 images=32", mode[k]);
		run_attack(&o, "finetune", options, NULL, &p);
		for (int i = 0; i < p.model->np; i++) {
			const bool last = !strncmp(p.model->p[i].name, "fc.", 3);

			ck_assert_msg(tensor_same(&o, &p, i) == (mode[k][2] == 'l' && !last), "%s: %s", options, p.model->p[i].name);
		}
		product_release(&p);
	}
	model_free(o.base);
	model_free(o.locked.model);
}
END_TEST

/* At a rate of 0 all that rt does is to draw the last layer anew. */
START_TEST(rt_draws_the_last_layer_anew)
{
	struct product ft, rt;

	run("mode=ftll lr=0 epochs=1", NULL, &ft);
	run("mode=rtll lr=0 epochs=1", NULL, &rt);
	ck_assert_uint_eq(model_bits(ft.model), model_bits(w.locked.model));
	for (int i = 0; i < rt.model->np; i++)
		ck_assert_int_eq(tensor_same(&w, &rt, i), i < rt.model->np - 2);
	product_release(&ft);
	product_release(&rt);
	expect_untouched(&w, "finetune", "mode=rtal epochs=0");
}
END_TEST

/* A probe of stolen features learns with few labels what a fresh network does not. */
START_TEST(probe_beats_scratch)
{
	struct product probe, scratch;

	run("mode=rtll epochs=100 images=30 batch=10 lr=0.01", NULL, &probe);
	run_attack(&w, "scratch", "images=30 steps=300 batch=10", NULL, &scratch);
	ck_assert_int_gt(world_right(&w, probe.model), world_right(&w, scratch.model));
	product_release(&probe);
	product_release(&scratch);
}
END_TEST

/* ---- how ---- */

START_TEST(fraction_is_of_the_pool)
{
	struct ledger l = { 0 };
	struct product p;

	run("fraction=0.2 epochs=1", &l, &p);
	ck_assert_int_eq(l.labels, 20);
	product_release(&p);
	run("fraction=0.2 images=7 epochs=1", NULL, &p);
	ck_assert_int_eq(jget_int(p.notes, "images", -1), 7);
	product_release(&p);
	run("fraction=0 epochs=1", NULL, &p);
	ck_assert_int_eq(jget_int(p.notes, "images", -1), 1); /* nothing is not a data set */
	product_release(&p);
}
END_TEST

/* A rate that falls to 0 after the first epoch: the second changes nothing. */
START_TEST(rate_falls)
{
	struct product one, two, constant;

	run("optimizer=sgd lr=0.01 decay=0 epochs=1", NULL, &one);
	run("optimizer=sgd lr=0.01 decay=0 epochs=3", NULL, &two);
	run("optimizer=sgd lr=0.01 epochs=3", NULL, &constant);
	ck_assert_uint_eq(model_bits(one.model), model_bits(two.model));
	ck_assert_uint_ne(model_bits(one.model), model_bits(constant.model));
	product_release(&one);
	product_release(&two);
	product_release(&constant);
}
END_TEST

START_TEST(ewc_holds_what_matters)
{
	struct ledger l = { 0 };
	struct product loose, held;

	run("optimizer=sgd lr=0.1 epochs=5", NULL, &loose);
	run("optimizer=sgd lr=0.1 epochs=5 ewc=1000 ewc-images=50", &l, &held);
	ck_assert_double_lt(models_apart(held.model, w.locked.model), models_apart(loose.model, w.locked.model));
	ck_assert_int_eq(l.labels, w.splits.pool.n);
	ck_assert_double_eq(l.forward_equivalents, 3.0 * 50 + 5.0 * 3 * w.splits.pool.n);
	product_release(&loose);
	product_release(&held);
}
END_TEST

/* At a rate that ruins the network the best epoch is the start. */
START_TEST(patience_goes_back_to_the_best)
{
	struct ledger l = { 0 };
	struct product p;
	const int val = w.splits.attacker_val.n;

	run("optimizer=sgd lr=2 epochs=50 patience=3", &l, &p);
	ck_assert_uint_eq(model_bits(p.model), model_bits(w.locked.model));
	ck_assert_int_eq(l.labels, w.splits.pool.n + val);
	ck_assert_double_eq(l.forward_equivalents, 3 * (3.0 * w.splits.pool.n + val) + val);
	product_release(&p);
}
END_TEST

START_TEST(a_model_labels_for_itself)
{
	const struct attack *a = attack_named("finetune");
	void *c = conf_of(&a->drv, "labels=model");
	struct ledger l = { 0 };
	struct product p;

	ck_assert_uint_eq(a->needs_for(c), CAP_WEIGHTS | CAP_WRITE | CAP_UNLABELLED);
	run("labels=model epochs=3", &l, &p);
	ck_assert_int_eq(l.labels, 0);
	ck_assert_double_eq(l.forward_equivalents, (3.0 * 3 + 1) * w.splits.pool.n);
	ck_assert_int_ge(world_right(&w, p.model), world_right(&w, w.locked.model) - 10);
	product_release(&p);
	free(c);
}
END_TEST

START_TEST(a_heavy_penalty_first_shrinks_weights)
{
	struct product p, q;

	run("optimizer=sgd lr=0.05 epochs=1 l2-epochs=20 l2=0.5", NULL, &p);
	run("optimizer=sgd lr=0.05 epochs=1", NULL, &q);
	ck_assert_double_gt(models_apart(p.model, w.locked.model), 2 * models_apart(q.model, w.locked.model));
	product_release(&p);
	product_release(&q);
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
	tcase_add_test(tc, modes_train_what_they_say);
	tcase_add_test(tc, rt_draws_the_last_layer_anew);
	tcase_add_test(tc, probe_beats_scratch);
	tcase_add_test(tc, fraction_is_of_the_pool);
	tcase_add_test(tc, rate_falls);
	tcase_add_test(tc, ewc_holds_what_matters);
	tcase_add_test(tc, patience_goes_back_to_the_best);
	tcase_add_test(tc, a_model_labels_for_itself);
	tcase_add_test(tc, a_heavy_penalty_first_shrinks_weights);
	suite_add_tcase(s, tc);
	return s;
}
