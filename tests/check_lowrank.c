/* attacks/weights/lowrank.c (the decomposition itself: check_svd.c). */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
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

/* fc2 (32,32) at half rank: its error is that of the best approximation of rank 16, which an independent truncation of the result to
 * rank 16 leaves alone and to 15 does not. */
START_TEST(lower_rank_does_more)
{
	expect_untouched(&w, "lowrank", "rank=1");
	ck_assert_double_lt(distance_under(&w, "lowrank", "rank=0.75"), distance_under(&w, "lowrank", "rank=0.5"));
	ck_assert_double_lt(distance_under(&w, "lowrank", "rank=0.5"), distance_under(&w, "lowrank", "rank=0.25"));
	ck_assert_double_lt(distance_under(&w, "lowrank", "rank=0.25"), distance_under(&w, "lowrank", "rank=0"));
}
END_TEST

/* At rank 1 all rows are multiples of one: every 2x2 minor is 0. */
START_TEST(rank_one_has_no_minors)
{
	const struct param *q;
	struct product p;

	run_attack(&w, "lowrank", "rank=0", NULL, &p);
	q = model_find(p.model, "fc2.weight");
	for (int i = 0; i + 1 < q->d[0]; i++)
		for (int k = 0; k + 1 < q->d[1]; k++) {
			const real *a = q->x + i * q->d[1] + k, *b = a + q->d[1];

			ck_assert_double_le(fabs((double)(a[0] * b[1] - a[1] * b[0])), 1e-6 * (fabs((double)(a[0] * b[1])) + 1e-3));
		}
	ck_assert_mem_eq(model_find(p.model, "fc2.bias")->x, model_find(w.locked.model, "fc2.bias")->x, 32 * sizeof(real));
	product_release(&p);
}
END_TEST

START_TEST(any_architecture)
{
	runs_on_every_architecture(&w, "lowrank", "rank=0.3");
}
END_TEST

Suite *suite_lowrank(void);
Suite *suite_lowrank(void)
{
	Suite *s = suite_create("lowrank");
	TCase *tc = tcase_create("lowrank");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, lower_rank_does_more);
	tcase_add_test(tc, rank_one_has_no_minors);
	tcase_add_test(tc, any_architecture);
	suite_add_tcase(s, tc);
	return s;
}
