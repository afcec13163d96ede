/* attacks/lock/affine.c: a network whose scales and shifts are hidden comes back with weights untouched. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "tests/support_weights.h"

static struct world w;
static int right_before;

static bool is_norm(const struct param *p)
{
	return !p->buffer && strstr(p->name, "bn") != NULL;
}

/* A residual network trained from scales of both signs, and deployed with 1 and 0 in their place, as passports leave it. */
static void setup(void)
{
	const struct train_conf recipe = { .epochs = 4, .batch = 20, .optimizer = OPTIM_ADAM, .lr = 5e-3 };
	struct rng r;

	world_open(&w, &toy_scheme);
	world_swap(&w, "wrn10-1");
	rng_open(&r, 9, "scales", 0, 0);
	for (int i = 0; i < w.base->np; i++)
		for (size_t k = 0; k < w.base->p[i].len && is_norm(&w.base->p[i]) && strstr(w.base->p[i].name, "weight"); k++)
			w.base->p[i].x[k] = (real)((0.3 + rng_uniform(&r)) * (rng_below(&r, 2) ? 1 : -1));
	if (train(w.base, &w.splits.owner, &recipe, 7, NULL, NULL, NULL) < 0)
		die(EXIT_FAILED_CELLS, NULL);
	model_free(w.locked.model);
	w.locked.model = model_copy(w.base);
	for (int i = 0; i < w.base->np; i++)
		for (size_t k = 0; k < w.base->p[i].len && is_norm(&w.base->p[i]); k++)
			w.locked.model->p[i].x[k] = strstr(w.base->p[i].name, "weight") != NULL;
	w.setup.base = w.base;
	right_before = world_right(&w, w.base);
}

static void teardown(void)
{
	world_close(&w);
}

START_TEST(scales_come_back_and_weights_stay)
{
	static const char *const options[] = { "kind=plain epochs=30 lr=0.1", "kind=cerb epochs=60", "kind=ierb epochs=60" };
	static const double epochs[] = { 30, 60, 60 };
	struct ledger l = { 0 };
	struct product p;

	ck_assert_int_gt(right_before, world_right(&w, w.locked.model) + 40);
	run_attack(&w, "affine", options[_i], &l, &p);
	ck_assert_int_gt(world_right(&w, p.model), world_right(&w, w.locked.model) + 20);
	for (int i = 0; i < p.model->np; i++)
		if (!p.model->p[i].buffer && !is_norm(&p.model->p[i]))
			ck_assert_mem_eq(p.model->p[i].x, w.locked.model->p[i].x, p.model->p[i].len * sizeof(real));
	ck_assert_int_eq(l.labels, w.splits.pool.n);
	ck_assert_double_eq(l.forward_equivalents, epochs[_i] * 3 * w.splits.pool.n);
	product_release(&p);
}
END_TEST

/* With no epochs nothing moves, at rate 0 only the blocks' start shows, and a small rate moves every scale a little from there. (A wrong
 * term in the blocks' gradient would keep cerb and ierb from coming back above.) */
START_TEST(small_rates_move_little)
{
	struct product still, moved;
	double apart;

	expect_untouched(&w, "affine", "epochs=0");
	run_attack(&w, "affine", "epochs=1 lr=0", NULL, &still);
	run_attack(&w, "affine", "epochs=1 lr=0.00001", NULL, &moved);
	apart = models_apart(still.model, moved.model);
	ck_assert(apart > 0 && apart < 1e-3);
	product_release(&still);
	product_release(&moved);
}
END_TEST

static int right_on_val(struct model *m)
{
	unsigned char *bits = xmalloc((size_t)w.splits.val.n, 1);
	const int right = model_correct(m, &w.splits.val, bits);

	free(bits);
	return right;
}

/* Of several tries the best on the attacker's validation images is kept: never worse there than the first alone. Labels count once. */
START_TEST(the_best_try_is_kept)
{
	struct ledger l = { 0 };
	struct product one, best;

	run_attack(&w, "affine", "kind=plain epochs=3 lr=0.1", NULL, &one);
	run_attack(&w, "affine", "kind=plain epochs=3 lr=0.1 tries=3", &l, &best);
	ck_assert_int_ge(right_on_val(best.model), right_on_val(one.model));
	ck_assert_double_eq_tol(jget_num(best.notes, "validation_accuracy", 0), 100.0 * right_on_val(best.model) / w.splits.val.n, 1e-9);
	ck_assert((model_bits(best.model) == model_bits(one.model)) == (jget_int(best.notes, "try_chosen", -1) == 0));
	ck_assert_int_eq(l.labels, w.splits.pool.n + w.splits.val.n);
	ck_assert_double_eq(l.forward_equivalents, 3 * (3.0 * 3 * w.splits.pool.n + w.splits.val.n));
	product_release(&one);
	product_release(&best);
}
END_TEST

/* Statistics that are kept are those that were stolen; Adam moves blocks as well (a step of its rate, not of the gradient's size). */
START_TEST(statistics_and_optimisers)
{
	struct product kept, learnt, adam;
	bool moved = false;

	run_attack(&w, "affine", "epochs=1 stats=kept", NULL, &kept);
	run_attack(&w, "affine", "epochs=1 stats=learnt", NULL, &learnt);
	run_attack(&w, "affine", "epochs=1 stats=kept optimizer=adam lr=0.0001 schedule=cosine", NULL, &adam);
	for (int i = 0; i < kept.model->np; i++) {
		const struct param *p = &kept.model->p[i];

		if (!p->buffer)
			continue;
		ck_assert_mem_eq(p->x, w.locked.model->p[i].x, p->len * sizeof(real));
		moved |= memcmp(p->x, learnt.model->p[i].x, p->len * sizeof(real)) != 0;
	}
	ck_assert(moved);
	ck_assert_double_gt(models_apart(adam.model, kept.model), 1e-5);
	product_release(&kept);
	product_release(&learnt);
	product_release(&adam);
}
END_TEST

/* A network without norms has nothing to retrain, and the cell will say that nothing changed. */
START_TEST(without_norms_nothing_happens)
{
	struct world plain;
	struct product p;

	world_open(&plain, &toy_scheme);
	run_attack(&plain, "affine", "epochs=2", NULL, &p);
	ck_assert_uint_eq(model_bits(p.model), model_bits(plain.locked.model));
	ck_assert_str_ne(jget_str(p.notes, "nothing_to_do", ""), "");
	product_release(&p);
	world_close(&plain);
}
END_TEST

Suite *suite_affine(void);
Suite *suite_affine(void)
{
	Suite *s = suite_create("affine");
	TCase *tc = tcase_create("affine");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, scales_come_back_and_weights_stay, 0, 3);
	tcase_add_test(tc, small_rates_move_little);
	tcase_add_test(tc, the_best_try_is_kept);
	tcase_add_test(tc, statistics_and_optimisers);
	tcase_add_test(tc, without_norms_nothing_happens);
	suite_add_tcase(s, tc);
	return s;
}
