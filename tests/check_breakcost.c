/* reports/breakcost.c: cells become attempts on a lock, by level; what is no lock and what failed has none. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "reports/breakcost.h"
#include "tests/support_cells.h"

static json_t *cells;
static struct report_input in;
static struct rows r;

static void setup(void)
{
	cells = json_array();
	in = (struct report_input){ .cells = cells };
	r = (struct rows){ 0 };
}

static void teardown(void)
{
	rows_release(&r);
	json_decref(cells);
}

static void put_metric(json_t *cell, const char *name, double v)
{
	sample_metric(cell, name, v, v, v, 0, 0);
}

static void add_lock(const char *scheme, double users, double others)
{
	json_t *j = sample_cell("mnist", scheme, 1);

	put_metric(j, "authorised_accuracy", users);
	put_metric(j, "unauthorised_accuracy", others);
	json_array_append_new(cells, j);
}

static json_t *add_attack(const char *scheme, const char *attack, const char *option, const char *level, double labels, double accuracy)
{
	json_t *j = sample_attacked("mnist", scheme, attack, option, labels, 1), *l = json_object();

	json_object_clear(json_object_get(j, "metrics"));
	put_metric(j, "attacked_accuracy", accuracy);
	put_metric(j, "authorised_accuracy", 90);
	jset_num(l, "labels", labels);
	jset(j, "ledger", l);
	jset_str(j, "level", level);
	jset_str(j, "verdict", "ok");
	json_array_append_new(cells, j);
	return j;
}

static const char *text_at(const struct table *t, const char *level, const char *axis, int col)
{
	for (int i = 1; i < t->rows; i++)
		if (!strcmp(table_at(t, i, 1)->text, level) && !strcmp(table_at(t, i, 2)->text, axis))
			return table_at(t, i, col)->text;
	return "no row";
}

START_TEST(cells_become_costs)
{
	struct table t;

	add_lock("activeguard", 90, 10);
	add_attack("activeguard", "finetune", "epochs", "white", 100, 70);
	add_attack("activeguard", "finetune", "epochs", "white", 1000, 89);
	add_attack("activeguard", "decode", "images", "black", 500, 20);
	add_attack("activeguard", "scratch", "images", "grey", 100, 50);
	rows_make(&r, &in);
	t = table_breaking(&r, 0);
	ck_assert_str_eq(text_at(&t, "white", "labels", 3), "100");
	ck_assert_str_eq(text_at(&t, "white", "labels", 5), "1000");
	ck_assert_str_eq(text_at(&t, "black", "labels", 3), "> 500");
	ck_assert_str_eq(text_at(&t, "white", "labels", 11), "3");
	ck_assert_str_eq(text_at(&t, "white", "labels", 10), "finetune");
}
END_TEST

START_TEST(no_lock_no_cost)
{
	add_lock("activeguard", 90, 85);
	add_attack("activeguard", "finetune", "epochs", "white", 100, 89);
	rows_make(&r, &in);
	ck_assert_int_eq(table_breaking(&r, 0).rows, 1);
}
END_TEST

/* An attack that did not run is no attempt in vain. */
START_TEST(failures_are_no_attempts)
{
	struct attempt *a;
	int n;

	add_lock("activeguard", 90, 10);
	jset_str(add_attack("activeguard", "finetune", "epochs", "white", 100, 10), "verdict", "over-budget");
	jset_str(add_attack("activeguard", "decode", "images", "white", 100, 10), "verdict", "n/a");
	rows_make(&r, &in);
	a = breakcost_attempts(&r, 0, 0, NULL, &n);
	ck_assert_int_eq(n, 0);
	free(a);
}
END_TEST

Suite *suite_breakcost(void);
Suite *suite_breakcost(void)
{
	Suite *s = suite_create("breakcost");
	TCase *tc = tcase_create("breakcost");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, cells_become_costs);
	tcase_add_test(tc, no_lock_no_cost);
	tcase_add_test(tc, failures_are_no_attempts);
	suite_add_tcase(s, tc);
	return s;
}
