/* bench/search.c: settings are drawn alike every time, the best by validation is kept, what it took is counted. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "bench/search.h"
#include "tests/support_bench.h"

/* An attack whose setting decides what it returns: the deployed network with `noise` of its weights zeroed. */
struct toy_conf { double noise; int spend; };
static const struct opt toy_opts[] = {
	{ "noise", OPT_FLOAT, offsetof(struct toy_conf, noise), "0.9", 0, 1, "share of the weights that become 0", NULL },
	{ "spend", OPT_INT, offsetof(struct toy_conf, spend), "100", 0, 1e6, "forward equivalents it says it needed", NULL },
	{ 0 }
};

static int toy_run(struct access *a, const void *conf, struct product *p)
{
	const struct toy_conf *c = conf;

	p->goal = GOAL_USE;
	p->model = model_copy(a->model);
	for (size_t i = 0; i < (size_t)(c->noise * (double)p->model->nx); i++)
		p->model->x[i] = 0;
	return access_spend(a, 5, c->spend);
}

static const struct attack toy = {
	.drv = { .name = "toy", .version = 1, .conf_size = sizeof(struct toy_conf), .opts = toy_opts },
	.goal = GOAL_USE, .needs = CAP_WEIGHTS | CAP_LABELLED, .run = toy_run, .search = "noise=0,0.3,0.6,0.9",
};

static struct world w;

static void setup(void)
{
	world_open(&w, &toy_scheme);
}

static void teardown(void)
{
	world_close(&w);
}

static int run(int n, struct ledger *l, struct product *p)
{
	struct access_store *keep;
	struct toy_conf given;
	struct access a;
	int ret;

	opt_defaults(toy_opts, &given);
	ck_assert_int_eq(access_open(&a, &keep, &w.setup, CAP_WEIGHTS | CAP_LABELLED, 3, l), 0);
	ret = search_run(&toy, &a, l, &given, n, p);
	access_close(&a, keep);
	return ret;
}

/* Four values and the default among them: four settings, the one that changes nothing is the best, and all of them are paid for. */
START_TEST(the_best_on_validation_is_kept)
{
	struct ledger l = { 0 };
	struct product p = { 0 };

	ck_assert_msg(run(50, &l, &p) == 0, "%s", error_text());
	ck_assert_str_eq(jget_str(p.notes, "search_options", ""), "noise=0");
	ck_assert_int_eq(jget_int(p.notes, "search_tried", 0), 4);
	ck_assert_double_gt(jget_num(p.notes, "search_score", 0), jget_num(p.notes, "search_given", 1));
	ck_assert_mem_eq(p.model->x, w.locked.model->x, p.model->nx * sizeof(*p.model->x));
	ck_assert_int_eq(l.labels, 5 + w.splits.attacker_val.n); /* the same five images each time, and those it was measured with */
	ck_assert_double_eq(l.forward_equivalents, 4 * (100 + w.splits.attacker_val.n));
	product_release(&p);
}
END_TEST

START_TEST(without_a_search_the_given_setting_runs)
{
	struct ledger l = { 0 };
	struct product p = { 0 };

	ck_assert_int_eq(run(0, &l, &p), 0);
	ck_assert_ptr_null(p.notes);
	ck_assert_double_eq(l.forward_equivalents, 100);
	product_release(&p);
}
END_TEST

START_TEST(the_same_seed_draws_the_same)
{
	struct toy_conf given = { .noise = 0.9, .spend = 100 };
	bool differ = false;

	for (int k = 0; k < 20; k++) {
		struct toy_conf *a = search_setting(&toy, &given, 3, k), *b = search_setting(&toy, &given, 3, k), *c = search_setting(&toy, &given, 4, k);

		ck_assert_mem_eq(a, b, sizeof(*a));
		differ |= memcmp(a, c, sizeof(*a)) != 0;
		ck_assert_int_eq(a->spend, 100); /* not searched */
		if (!k)
			ck_assert_double_eq(a->noise, 0.9);
		free(a);
		free(b);
		free(c);
	}
	ck_assert(differ);
}
END_TEST

/* The budget is the attack's, not a setting's: the search ends with what it has. */
START_TEST(a_budget_ends_the_search)
{
	struct ledger l = { .max_forward_equivalents = 150 + w.splits.attacker_val.n };
	struct product p = { 0 };

	ck_assert_msg(run(50, &l, &p) == 0, "%s", error_text());
	ck_assert_int_eq(jget_int(p.notes, "search_tried", 0), 1);
	ck_assert_int_eq(jget_int(p.notes, "search_chosen", -1), 0);
	ck_assert_double_le(l.forward_equivalents, l.max_forward_equivalents);
	product_release(&p);

	l = (struct ledger){ .max_forward_equivalents = 50 }; /* not even the one given */
	ck_assert_int_eq(run(50, &l, &p), -1);
	ck_assert(l.exhausted);
	product_release(&p);
}
END_TEST

/* Every value of every driver's search is one that its options take. */
START_TEST(drivers_name_values_that_there_are)
{
	for (int i = 0; attacks[i]; i++) {
		const struct attack *a = (const struct attack *)attacks[i];
		void *given = conf_of(&a->drv, "");

		if (a->search)
			ck_assert_int_gt(search_space(a), 2);
		for (int k = 0; a->search && k < 200; k++)
			free(search_setting(a, given, 1, k));
		if (a->search && a->strength)
			ck_assert_msg(!strstr(a->search, a->strength) || !strncmp(a->strength, "images", 6), "%s searches its strength", a->drv.name);
		free(given);
	}
}
END_TEST

Suite *suite_search(void);
Suite *suite_search(void)
{
	Suite *s = suite_create("search");
	TCase *tc = tcase_create("search");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_best_on_validation_is_kept);
	tcase_add_test(tc, without_a_search_the_given_setting_runs);
	tcase_add_test(tc, the_same_seed_draws_the_same);
	tcase_add_test(tc, a_budget_ends_the_search);
	tcase_add_test(tc, drivers_name_values_that_there_are);
	suite_add_tcase(s, tc);
	return s;
}
