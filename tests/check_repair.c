/* attacks/weights/repair.c, bitflip.c: a network spoilt in a few weights comes back; weights that are in order stay; bits flip as they are told. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "tests/support_weights.h"

enum { SPOILT = 12 };
static struct world w;
static int right_before, right_spoilt;

/* A dozen weights of the first layer become as large as NNSplitter's clipped ones: several times the layer's largest. */
static void setup(void)
{
	struct param *p;
	struct rng r;

	world_open(&w, (const struct scheme *)driver_find(schemes, "scheme", "none"));
	right_before = world_right(&w, w.base);
	rng_open(&r, 4, "spoil", 0, 0);
	p = model_find(w.locked.model, "fc2.weight");
	if (!p)
		die(EXIT_FAILED_CELLS, "no fc2.weight");
	for (int i = 0; i < SPOILT; i++)
		p->x[rng_below(&r, (uint32_t)p->len)] = (real)((i % 2 ? 4 : -4) * (1 + i / 100.0));
	right_spoilt = world_right(&w, w.locked.model);
}

static void teardown(void)
{
	world_close(&w);
}

static int right_after(const char *options, double *changed)
{
	struct product p;
	int right;

	run_attack(&w, "repair", options, NULL, &p);
	right = world_right(&w, p.model);
	*changed = jget_num(p.notes, "weights_changed", NAN);
	product_release(&p);
	return right;
}

START_TEST(spoilt_weights_are_found)
{
	double changed;

	ck_assert_int_lt(right_spoilt, right_before - 25);
	ck_assert_int_gt(right_after("share=0.1 z=8", &changed), right_before - 15);
	ck_assert_double_eq(changed, SPOILT); /* these and no other */
	ck_assert_int_gt(right_after("method=clip share=0.03", &changed), right_spoilt + 15);
	ck_assert_int_gt(right_after("method=gradient share=0.02 epochs=10", &changed), right_spoilt + 15);
}
END_TEST

/* The share is the most that changes: one at either end of a tensor where it is tiny. */
START_TEST(no_more_than_asked)
{
	double changed;

	right_after("share=0.000001 z=8", &changed);
	ck_assert(changed >= 1 && changed <= 2);
	right_after("method=clip share=0.000001", &changed);
	ck_assert(changed >= 3 && changed <= 6); /* three tensors of weights: the extreme one at either end */
	expect_untouched(&w, "repair", "share=0");
	expect_untouched(&w, "repair", "share=0 method=gradient");
	expect_untouched(&w, "repair", "share=0.5 z=1000");
	runs_on_every_architecture(&w, "repair", "method=clip share=0.5");
}
END_TEST

/* Only the chosen ones are trained. */
START_TEST(the_others_stand_still)
{
	size_t moved = 0;
	struct product p;

	run_attack(&w, "repair", "method=gradient share=0.01 epochs=2", NULL, &p);
	for (size_t i = 0; i < p.model->ng; i++)
		moved += p.model->x[i] != w.locked.model->x[i];
	ck_assert(moved > 0 && moved <= (size_t)ceil(0.01 * (double)p.model->ng) + 1);
	product_release(&p);
}
END_TEST

/* One flip is one weight by one bit; the sign alone keeps sizes; more flips keep the earlier ones. */
START_TEST(bits_flip)
{
	struct product p;
	size_t moved = 0;

	expect_untouched(&w, "bitflip", "flips=0");
	run_attack(&w, "bitflip", "flips=1 lowest=31", NULL, &p);
	for (size_t i = 0; i < p.model->nx; i++) {
		moved += p.model->x[i] != w.locked.model->x[i];
		ck_assert(fabs((double)p.model->x[i]) == fabs((double)w.locked.model->x[i]));
	}
	ck_assert_uint_eq(moved, 1);
	product_release(&p);
	ck_assert_double_lt(distance_under(&w, "bitflip", "flips=50 highest=10"), distance_under(&w, "bitflip", "flips=50 highest=22"));
	runs_on_every_architecture(&w, "bitflip", "flips=1000");
}
END_TEST

Suite *suite_repair(void);
Suite *suite_repair(void)
{
	Suite *s = suite_create("repair");
	TCase *tc = tcase_create("repair");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, spoilt_weights_are_found);
	tcase_add_test(tc, no_more_than_asked);
	tcase_add_test(tc, the_others_stand_still);
	tcase_add_test(tc, bits_flip);
	suite_add_tcase(s, tc);
	return s;
}
