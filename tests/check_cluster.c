/* attacks/weights/cluster.c: few values, the nearest ones, and the least effect where there are enough. */
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

/* Two heaps of weights far apart: the two shared values are their means. */
START_TEST(values_are_the_means_of_heaps)
{
	struct param *p = model_find(w.locked.model, "fc2.weight");
	const struct param *q;
	struct product out;

	for (size_t i = 0; i < p->len; i++)
		p->x[i] = (real)(i % 2 ? 1 + 0.125 * (double)(i / 2 % 2) : -3 - 0.25 * (double)(i / 2 % 2));
	run_attack(&w, "cluster", "clusters=2", NULL, &out);
	q = model_find(out.model, "fc2.weight");
	for (size_t i = 0; i < p->len; i++)
		ck_assert_float_eq_tol((float)q->x[i], i % 2 ? 1.0625f : -3.125f, 1e-6f);
	product_release(&out);
}
END_TEST

/* Shared values minimise the squared distance better than a grid of as many steps. */
START_TEST(is_nearer_than_a_uniform_grid)
{
	ck_assert_double_lt(distance_under(&w, "cluster", "clusters=15"), distance_under(&w, "quantize", "bits=4"));
}
END_TEST

START_TEST(fewer_values_do_more)
{
	expect_untouched(&w, "cluster", "clusters=65536"); /* no tensor has as many weights */
	ck_assert_double_lt(distance_under(&w, "cluster", "clusters=256"), distance_under(&w, "cluster", "clusters=16"));
	ck_assert_double_lt(distance_under(&w, "cluster", "clusters=16"), distance_under(&w, "cluster", "clusters=2"));
}
END_TEST

START_TEST(any_architecture)
{
	runs_on_every_architecture(&w, "cluster", "clusters=4");
}
END_TEST

Suite *suite_cluster(void);
Suite *suite_cluster(void)
{
	Suite *s = suite_create("cluster");
	TCase *tc = tcase_create("cluster");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, values_are_the_means_of_heaps);
	tcase_add_test(tc, is_nearer_than_a_uniform_grid);
	tcase_add_test(tc, fewer_values_do_more);
	tcase_add_test(tc, any_architecture);
	suite_add_tcase(s, tc);
	return s;
}
