/* Nothing is allocated in a steady-state step: what a training step or an iteration of C&W needs comes from the tape's arena, which has
 * its size after the first two. A malloc() in an op, in a loop over tiles or in an optimiser fails here. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/tile.h"
#include "nn/craft.h"
#include "nn/train.h"
#include "tests/support_alloc.h"

enum { BATCH = 64, IMAGES = 3 * BATCH + 5 }; /* an epoch ends with a short batch */

static struct model *network(const char *name, int c, int side)
{
	struct model_spec s = { .c = c, .h = side, .w = side, .classes = 10 };

	ck_assert_int_eq(model_spec_parse(&s, name), 0);
	return model_new(&s, 1);
}

static struct images noise(int c, int side)
{
	static uint8_t px[IMAGES * 3 * 32 * 32], labels[IMAGES];

	for (size_t i = 0; i < sizeof(px); i++)
		px[i] = (uint8_t)(i * 2654435761u >> 24);
	for (int i = 0; i < IMAGES; i++)
		labels[i] = (uint8_t)(i % 10);
	return (struct images){ .n = IMAGES, .c = c, .h = side, .w = side, .classes = 10, .px = px, .labels = labels };
}

/* Requests at each step. */
struct record { long at[64]; int n; };

static double note(void *ctx, struct model *m)
{
	struct record *r = ctx;

	(void)m;
	if (r->n < 64)
		r->at[r->n++] = allocs();
	return 0;
}

static const struct { const char *model; int c, side, epochs, threads; } trainings[] = {
	{ "lenet5", 1, 28, 4, 1 }, { "lenet5", 1, 28, 4, 2 }, { "wrn10-1", 3, 32, 3, 1 }, { "wrn10-1", 3, 32, 3, 2 },
};

START_TEST(training_steps_allocate_nothing)
{
	struct record r = { .n = 0 };
	const struct train_hooks hooks = { .ctx = &r, .extra_loss = note };
	struct images v = noise(trainings[_i].c, trainings[_i].side);
	struct model *m;
	struct train_conf c;
	const int epoch = (IMAGES + BATCH - 1) / BATCH;

	if (!allocs_counted()) {
		puts("skipped: training_steps_allocate_nothing (the sanitizer's malloc cannot be counted)");
		return;
	}
	tile_threads(trainings[_i].threads);
	m = network(trainings[_i].model, trainings[_i].c, trainings[_i].side);
	train_recipe(&c, &m->spec);
	c.batch = BATCH;
	c.epochs = trainings[_i].epochs;
	ck_assert_msg(train(m, &v, &c, 1, NULL, &hooks, NULL) == 0, "%s", error_text());
	ck_assert_int_eq(r.n, c.epochs * epoch);
	ck_assert_int_gt(r.at[0], 0); /* it counts at all */
	ck_assert_msg(r.at[r.n - 1] == r.at[epoch], "%s, %d threads: %ld allocations in %d steps",
		      trainings[_i].model, trainings[_i].threads, r.at[r.n - 1] - r.at[epoch], r.n - 1 - epoch);
	model_free(m);
}
END_TEST

enum { CRAFTED = 40 };

/* Requests of a whole call of so many iterations. */
static long craft(struct model *m, const float *x, int steps, bool pgd)
{
	const struct cw_conf cw = { .steps = steps, .search = 1, .lr = 0.05, .lr_decay = 1, .alpha = 20, .alpha_max = 40,
				    .confidence = CW_SOFTMAX, .tolerance = 0.01, .no_abort = 1 };
	const struct pgd_conf p = { .eps = 0.3, .step = 0.01, .steps = steps, .random_start = 1 };
	static float out[CRAFTED * 784], want[CRAFTED];
	unsigned char ok[CRAFTED];
	int target[CRAFTED];
	const long before = allocs();

	for (int i = 0; i < CRAFTED; i++) {
		target[i] = i % 10;
		want[i] = 0.3f;
	}
	memcpy(out, x, sizeof(out));
	if (pgd)
		ck_assert_int_eq(craft_pgd(m, out, target, CRAFTED, &p, 1), 0);
	else
		ck_assert_int_eq(craft_cw(m, x, target, want, CRAFTED, &cw, out, ok, NULL, NULL, NULL), 0);
	return allocs() - before;
}

enum { FEW = 3, MANY = 60 };

/* A call allocates its buffers; more iterations must not allocate more. With two threads a short call may end before the second has needed
 * its own: less than one more request an iteration is then all that can be asked. */
START_TEST(crafting_iterations_allocate_nothing)
{
	struct model *m;
	struct images v = noise(1, 28);
	static float x[CRAFTED * 784];
	const bool pgd = _i / 2;
	long few, many;

	if (!allocs_counted()) {
		puts("skipped: crafting_iterations_allocate_nothing (the sanitizer's malloc cannot be counted)");
		return;
	}
	tile_threads(1 + _i % 2);
	m = network("lenet5", 1, 28);
	for (int i = 0; i < CRAFTED; i++)
		images_get(&v, i, x + i * 784);
	craft(m, x, FEW, pgd); /* threads are made here */
	few = craft(m, x, FEW, pgd);
	many = craft(m, x, MANY, pgd);
	ck_assert_int_gt(few, 0);
	ck_assert_msg(many - few < (_i % 2 ? MANY - FEW : 1), "%ld requests in %d iterations, %ld in %d", few, FEW, many, MANY);
	model_free(m);
}
END_TEST

Suite *suite_steady(void);
Suite *suite_steady(void)
{
	Suite *s = suite_create("steady");
	TCase *tc = tcase_create("steady");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, training_steps_allocate_nothing, 0, ARRAY_LEN(trainings));
	tcase_add_loop_test(tc, crafting_iterations_allocate_nothing, 0, 4);
	suite_add_tcase(s, tc);
	return s;
}
