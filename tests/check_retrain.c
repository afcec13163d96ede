/* schemes/kit/retrain.c: from scratch is what the base model was, fine-tuning goes on from there, and both are
 * accounted. */
#include "schemes/kit/retrain.h"
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/tile.h"

enum { N = 60, LEN = 16, CLASSES = 3 };

static uint8_t px[N * LEN], labels[N];
static const struct images own = { .n = N, .c = 1, .h = 4, .w = 4, .classes = CLASSES, .px = px, .labels = labels };
static const struct train_conf recipe = { .epochs = 2, .batch = 16, .optimizer = OPTIM_SGD, .lr = 0.1, .init = 1 };
static double spent;
static struct lock_env e = { .train = &own, .recipe = &recipe, .seed = 11, .forward_equivalents = &spent };
static struct model *base;

static void setup(void)
{
	const struct model_spec spec = { .arch = "linear", .c = 1, .h = 4, .w = 4, .classes = CLASSES };

	tile_threads(1);
	for (int i = 0; i < N; i++) {
		labels[i] = (uint8_t)(i % CLASSES);
		for (int k = 0; k < LEN; k++)
			px[i * LEN + k] = (uint8_t)(i * 37 + k * 11 + labels[i] * 50);
	}
	e.base = base = model_new_init(&spec, (enum init_kind)recipe.init, e.seed);
	ck_assert_int_eq(train(base, &own, &recipe, e.seed, NULL, NULL, NULL), 0);
	spent = 0;
}

static void teardown(void)
{
	model_free(base);
}

static bool same(const struct model *a, const struct model *b)
{
	return a->nx == b->nx && !memcmp(a->x, b->x, a->nx * sizeof(*a->x));
}

/* The difference in accuracy is the lock's only if nothing else differs. */
START_TEST(from_scratch_is_the_base_model_again)
{
	const struct retrain r = retrain_scratch(&e);
	struct model *m = retrain_start(&e, &r);

	ck_assert(!same(m, base));
	ck_assert_int_eq(retrain(&e, &r, m), 0);
	ck_assert(same(m, base));
	ck_assert_double_eq(spent, 3 * N * recipe.epochs);
	model_free(m);
}
END_TEST

START_TEST(fine_tuning_goes_on)
{
	const struct retrain r = retrain_finetune(&e, "test", 3, 0), faster = retrain_finetune(&e, "test", 3, 0.5);
	struct model *m = retrain_start(&e, &r), *want = model_copy(base);
	struct train_conf c = recipe;

	ck_assert_double_eq_tol(r.recipe.lr, recipe.lr / 10, 1e-12);
	ck_assert_double_eq(faster.recipe.lr, 0.5);
	ck_assert(same(m, base));
	ck_assert_int_eq(retrain(&e, &r, m), 0);
	c.epochs = 3;
	c.lr = recipe.lr / 10;
	ck_assert_int_eq(train(want, &own, &c, rng_derive(e.seed, "test"), NULL, NULL, NULL), 0);
	ck_assert(same(m, want));
	ck_assert_double_eq(spent, 3 * N * 3);
	model_free(m);
	model_free(want);
}
END_TEST

/* A further output: the old rows are the base model's, the new one's is what a fresh network has there. */
START_TEST(a_network_may_grow)
{
	struct retrain r = retrain_finetune(&e, "test", 1, 0);
	struct model *m, *fresh;
	int grown = 0;

	r.spec.classes++;
	m = retrain_start(&e, &r);
	fresh = model_new_init(&r.spec, (enum init_kind)recipe.init, e.seed);
	for (int i = 0; i < m->np; i++) {
		const size_t old = base->p[i].len, len = m->p[i].len;

		ck_assert_int_eq(memcmp(m->p[i].x, base->p[i].x, old * sizeof(real)), 0);
		ck_assert_int_eq(memcmp(m->p[i].x + old, fresh->p[i].x + old, (len - old) * sizeof(real)), 0);
		grown += len > old;
	}
	ck_assert_int_gt(grown, 0);
	model_free(fresh);
	model_free(m);
}
END_TEST

static double count_steps(void *ctx, struct model *m)
{
	(void)m;
	return ++*(int *)ctx, 0;
}

START_TEST(passes_and_images_are_what_is_asked_for)
{
	const struct images few = images_first(own, 20);
	struct retrain r = retrain_scratch(&e);
	int steps = 0;
	const struct train_hooks hooks = { .ctx = &steps, .extra_loss = count_steps };
	struct model *m;

	r.images = &few;
	r.hooks = &hooks;
	r.passes = 2;
	m = retrain_start(&e, &r);
	ck_assert_int_eq(retrain(&e, &r, m), 0);
	ck_assert_int_eq(steps, 2 * 2); /* of 16 and 4 images, two epochs */
	ck_assert_double_eq(spent, 2 * 3 * 20 * 2);
	e.forward_equivalents = NULL;   /* nobody asks */
	ck_assert_int_eq(retrain(&e, &r, m), 0);
	model_free(m);
}
END_TEST

START_TEST(failures_go_up)
{
	struct retrain r = retrain_scratch(&e);
	struct model *m = retrain_start(&e, &r);

	ck_assert_int_eq(retrain(&e, &r, NULL), -1);
	r.recipe.lr = 1e39; /* diverges; what was spent until then counts */
	ck_assert_int_eq(retrain(&e, &r, m), -1);
	ck_assert_double_gt(spent, 0);
	model_free(m);
}
END_TEST

Suite *suite_retrain(void);
Suite *suite_retrain(void)
{
	Suite *s = suite_create("retrain");
	TCase *tc = tcase_create("retrain");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, from_scratch_is_the_base_model_again);
	tcase_add_test(tc, fine_tuning_goes_on);
	tcase_add_test(tc, a_network_may_grow);
	tcase_add_test(tc, passes_and_images_are_what_is_asked_for);
	tcase_add_test(tc, failures_go_up);
	suite_add_tcase(s, tc);
	return s;
}
