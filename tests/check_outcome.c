/* reports/outcome.c: the success predicates at their limits, net of training from scratch, and never over missing cells. */
#include <check.h>
#include <string.h>

#include "base/json.h"
#include "reports/outcome.h"
#include "tests/support_cells.h"

static json_t *cells, *failures;
static struct rows r;

static void setup(void)
{
	cells = json_array();
	failures = json_array();
	r = (struct rows){ 0 };
}

static void teardown(void)
{
	rows_release(&r);
	json_decref(cells);
	json_decref(failures);
}

static json_t *add(json_t *cell)
{
	json_array_append_new(cells, cell);
	return cell;
}

static void percent(json_t *cell, const char *metric, double v)
{
	sample_metric(cell, metric, v, v, v, 0, 0);
}

/* A lock that serves its users at 90 % and everybody else at `open`. */
static void add_lock(double open, long long seed)
{
	json_t *c = add(sample_cell("mnist", "lock", seed));

	percent(c, "authorised_accuracy", 90);
	percent(c, "unauthorised_accuracy", open);
}

static json_t *add_attack(const char *attack, const char *goal, double strength, long long seed, double accuracy, long labels)
{
	json_t *c = add(sample_attacked("mnist", "lock", attack, "epochs", strength, seed)), *spent = json_object();

	jset_str(c, "goal", goal);
	percent(c, "authorised_accuracy", 90);
	percent(c, "attacked_accuracy", accuracy);
	jset_int(spent, "labels", labels);
	jset_num(spent, "forward_equivalents", 1000 * strength);
	jset(c, "ledger", spent);
	return c;
}

static struct outcome judged(const char *attack)
{
	struct report_input in = { .cells = cells, .failures = failures };
	struct outcome o = { 0 };

	rows_release(&r);
	rows_make(&r, &in);
	for (int a = 0; a < r.context[0].nseries; a++)
		if (!strcmp(r.context[0].series[a].attack, attack))
			o = outcome_worst(&r, 0, 0, a);
	return o;
}

/* R = (A - 10) / 80, so that 50 % is half of the way. A limit on the wrong side of >= shows here. */
static const struct { double accuracy; enum outcome_level level; } steps[] = {
	{ 89, OUT_FULL }, { 88, OUT_FULL }, { 87.99, OUT_PRACTICAL }, { 85, OUT_PRACTICAL }, { 84.99, OUT_PARTIAL }, { 50, OUT_PARTIAL },
	{ 49.99, OUT_HOLDS }, { 5, OUT_HOLDS },
};
START_TEST(usable_model_by_the_predicates)
{
	add_lock(10, 1);
	add_attack("steal", "use", 1, 1, steps[_i].accuracy, 0);
	ck_assert_int_eq(judged("steal").level, steps[_i].level);
}
END_TEST

START_TEST(what_is_not_locked_cannot_be_broken)
{
	add_lock(81, 1);
	add_attack("steal", "use", 1, 1, 90, 0);
	ck_assert_int_eq(judged("steal").level, OUT_OPEN);
}
END_TEST

/* The same accuracy counts, does not count, and counts again, as training from scratch is worse, as good, and of other labels. */
START_TEST(net_of_training_from_scratch)
{
	static const struct { double scratch; long labels; enum outcome_level level; } with[] = {
		{ 80, 1000, OUT_FULL }, { 89, 1000, OUT_NO_GAIN }, { 89.5, 1000, OUT_NO_GAIN }, { 89.5, 500, OUT_FULL },
	};
	struct outcome o;

	add_lock(10, 1);
	add_attack("steal", "use", 1, 1, 89, 1000);
	add_attack("scratch", "use", 1, 1, with[_i].scratch, with[_i].labels);
	o = judged("steal");
	ck_assert_int_eq(o.level, with[_i].level);
	ck_assert_int_eq(o.has_gain, with[_i].labels == 1000);
	ck_assert_int_eq(judged("scratch").level, OUT_CONTROL);
}
END_TEST

START_TEST(no_word_over_missing_cells)
{
	json_t *f = json_object();

	add_lock(10, 1);
	add_lock(10, 2);
	add_attack("steal", "use", 1, 1, 89, 0);
	jset(f, "point", json_deep_copy(add_attack("steal", "use", 1, 2, 89, 0)));
	json_array_remove(cells, json_array_size(cells) - 1);
	jset_str(jset_str(f, "verdict", "timeout"), "key", "x");
	json_array_append_new(failures, f);
	ck_assert_int_eq(judged("steal").level, OUT_BAD);
	ck_assert_str_eq(outcome_word(&(struct outcome){ .level = OUT_BAD, .verdicts = "TIMEOUT 1" }), "TIMEOUT 1");
}
END_TEST

/* 1 - (1 - p)^10 = 0.5 at p = 6.7 %, ^1000 at 0.0693 %; by the lower end of the interval. */
START_TEST(forgeries_by_tries)
{
	static const struct { long k, n; enum outcome_level level; } with[] = {
		{ 100, 1000, OUT_FULL }, { 70, 1000, OUT_PARTIAL }, { 20, 10000, OUT_PARTIAL }, { 7, 10000, OUT_HOLDS }, { 0, 1000, OUT_HOLDS },
		{ 0, 999, OUT_UNKNOWN }, { 500, 999, OUT_FULL },
	};
	json_t *c;

	add_lock(10, 1);
	c = add_attack("forge", "impersonate", 1, 1, 0, 0);
	json_object_del(json_object_get(c, "metrics"), "attacked_accuracy");
	sample_metric(c, "forgery_acceptance", 100.0 * (double)with[_i].k / (double)with[_i].n, 0, 1, with[_i].k, with[_i].n);
	ck_assert_int_eq(judged("forge").level, with[_i].level);
}
END_TEST

/* A mark that is gone counts only where the model is still good. */
START_TEST(removal_at_a_price)
{
	static const struct { double accuracy; enum outcome_level level; const char *word; } with[] = {
		{ 88, OUT_FULL, "FULL" }, { 85, OUT_PRACTICAL, "PRACTICAL" }, { 84, OUT_HOLDS, "AT A LOSS" },
	};
	struct report_input in = { .cells = cells, .failures = failures };
	struct outcome o;
	json_t *c;

	add_lock(10, 1);
	percent(json_array_get(cells, 0), "ownership_verified", 1);
	c = add_attack("prune", "remove", 1, 1, with[_i].accuracy, 0);
	percent(c, "ownership_verified", 0);
	rows_make(&r, &in);
	ck_assert(outcome_of(&r, rows_group(&r, 0, 0, 0, 0), ASPECT_MARK, &o));
	ck_assert_int_eq(o.level, with[_i].level);
	ck_assert_str_eq(outcome_word(&o), with[_i].word);
}
END_TEST

Suite *suite_outcome(void);
Suite *suite_outcome(void)
{
	Suite *s = suite_create("outcome");
	TCase *tc = tcase_create("outcome");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, usable_model_by_the_predicates, 0, 8);
	tcase_add_test(tc, what_is_not_locked_cannot_be_broken);
	tcase_add_loop_test(tc, net_of_training_from_scratch, 0, 4);
	tcase_add_test(tc, no_word_over_missing_cells);
	tcase_add_loop_test(tc, forgeries_by_tries, 0, 7);
	tcase_add_loop_test(tc, removal_at_a_price, 0, 3);
	suite_add_tcase(s, tc);
	return s;
}
