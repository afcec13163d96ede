/* attacks/weights/pool.c, order.c: networks that differ are put together number by number, or asked together. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "attacks/kit/order.h"
#include "base/error.h"
#include "base/json.h"
#include "tests/support_weights.h"

/* User u's network: the deployed one with u + 1 added to its first number, and one class's bias raised so that he is wrong there. */
static struct model *own(const struct service *s, const struct bundle *creds, int at)
{
	const float *x = bundle_f32(creds, "image", NULL);
	struct model *m = model_copy(s->model);
	const int user = (int)lrintf(x[(size_t)at * 784] * 51) - 1;

	m->x[0] += (real)(user + 1);
	m->p[m->np - 1].x[user] += 100;
	return m;
}

static struct scheme own_scheme;
static struct world w;

static void setup(void)
{
	world_open(&w, &toy_scheme);
	own_scheme = toy_scheme;
	own_scheme.unlock = own;
	w.setup.scheme = &own_scheme;
}

static void teardown(void)
{
	world_close(&w);
}

START_TEST(order_statistics)
{
	const double v[] = { 3, -1, 10, 4 }, one[] = { 7 };

	ck_assert(order_of(ORDER_MIN, v, 4) == -1 && order_of(ORDER_MAX, v, 4) == 10 && order_of(ORDER_MEDIAN, v, 4) == 3.5);
	ck_assert(order_of(ORDER_MIDRANGE, v, 4) == 4.5 && order_of(ORDER_NEGATIVE, v, 4) == 5.5 && order_of(ORDER_MEDIAN, v, 3) == 3);
	ck_assert(order_of(ORDER_MEAN, v, 4) == (v[0] + v[1] + v[2] + v[3]) / 4);
	for (int k = 0; k < ORDERS; k++)
		ck_assert(order_of((enum order)k, one, 1) == 7);
}
END_TEST

/* All four users: their first numbers are 1 to 4 above the deployed one's. */
START_TEST(numbers_are_mixed)
{
	static const struct { const char *method; double first; } want[] = {
		{ "average", 2.5 }, { "min", 1 }, { "max", 4 }, { "median", 2.5 }, { "midrange", 2.5 }, { "negative", 2.5 }
	};
	const double base = (double)w.locked.model->x[0];
	struct product p;
	char options[64];

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		snprintf(options, sizeof(options), "colluders=4 method=%s", want[i].method);
		run_attack(&w, "pool", options, NULL, &p);
		ck_assert_double_eq_tol((double)p.model->x[0], base + want[i].first, 1e-5);
		ck_assert(p.model->x[1] == w.locked.model->x[1]); /* where all agree nothing changes */
		ck_assert_double_gt(jget_num(p.notes, "numbers_that_differ", 0), 0);
		product_release(&p);
	}
	run_attack(&w, "pool", "colluders=4 method=locate", NULL, &p);
	ck_assert(p.model->x[0] == 0 && p.model->x[1] == w.locked.model->x[1]);
	product_release(&p);
	run_attack(&w, "pool", "colluders=4 share=0", NULL, &p);
	ck_assert_double_eq_tol(fmod((double)p.model->x[0] - base, 1), 0, 1e-5); /* one user's own */
	product_release(&p);
}
END_TEST

/* Each user's network says his class always; a vote of four has four strange classes, and asked together they say neither much. The
 * minimum of biases is the deployed network's in all classes, and as good. */
START_TEST(the_mixture_is_judged)
{
	struct observations o = { 0 };
	const char *verdict;
	struct product p;
	char why[256];

	run_attack(&w, "pool", "colluders=4 method=min", NULL, &p);
	ck_assert_msg(evaluate(&w.setup, &p, &o, &verdict, why) == 0, "%s", error_text());
	ck_assert_str_eq(verdict, "ok");
	ck_assert_int_gt(obs_get(&o, "attacked_correct", 'b')->k, 60);
	obs_release(&o);
	product_release(&p);
	run_attack(&w, "pool", "colluders=4 method=vote", NULL, &p);
	o = (struct observations){ 0 };
	ck_assert_ptr_null(p.model);
	ck_assert_msg(evaluate(&w.setup, &p, &o, &verdict, why) == 0, "%s", error_text());
	ck_assert_int_lt(obs_get(&o, "attacked_correct", 'b')->k, 60);
	obs_release(&o);
	product_release(&p);
}
END_TEST

/* One network for everybody: n/a, with the reason. */
START_TEST(equal_networks_are_nothing_to_mix)
{
	struct observations o = { 0 };
	struct world same = w;
	const char *verdict;
	struct product p;
	char why[256];

	same.setup.scheme = &toy_scheme;
	run_attack(&same, "pool", "", NULL, &p);
	ck_assert_msg(evaluate(&same.setup, &p, &o, &verdict, why) == 0, "%s", error_text());
	ck_assert_str_eq(verdict, "n/a");
	ck_assert_ptr_nonnull(strstr(why, "same network"));
	obs_release(&o);
	product_release(&p);
}
END_TEST

Suite *suite_pool(void);
Suite *suite_pool(void)
{
	Suite *s = suite_create("pool");
	TCase *tc = tcase_create("pool");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, order_statistics);
	tcase_add_test(tc, numbers_are_mixed);
	tcase_add_test(tc, the_mixture_is_judged);
	tcase_add_test(tc, equal_networks_are_nothing_to_mix);
	suite_add_tcase(s, tc);
	return s;
}
