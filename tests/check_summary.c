/* reports/summary.c, evidence.c, select.c: bold only where it holds, no number without evidence, nothing mixed, and only what was
 * asked for. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "reports/claims.h"
#include "reports/summary.h"
#include "tests/support_cells.h"

static json_t *cells;
static struct report_select chosen;
static struct report_input in;
static struct rows r;

static void setup(void)
{
	cells = json_array();
	chosen = (struct report_select){ 0 };
	in = (struct report_input){ .cells = cells, .select = &chosen };
	r = (struct rows){ 0 };
}

static void teardown(void)
{
	rows_release(&r);
	json_decref(cells);
}

static json_t *add(json_t *cell)
{
	json_array_append_new(cells, cell);
	return cell;
}

static void make(void)
{
	rows_release(&r);
	rows_make(&r, &in);
}

/* n seeds of a scheme whose metric is mean + spread * (-1, 0, 1, ...). */
static void add_scheme(const char *scheme, const char *metric, double mean, double spread, int n)
{
	for (int i = 0; i < n; i++)
		sample_metric(add(sample_cell("mnist", scheme, i + 1)), metric, mean + spread * (i % 3 - 1), 0, 0, 0, 0);
}

static const struct tcell *cell(const struct table *t, const char *row, const char *column)
{
	for (int i = 1; i < t->rows; i++)
		for (int c = 0; c < t->cols; c++)
			if (!strcmp(table_at(t, i, 0)->text, row) && !strncmp(table_at(t, 0, c)->text, column, strlen(column)))
				return table_at(t, i, c);
	ck_abort_msg("no %s, %s", row, column);
	return NULL;
}

/* ---- bold ---- */

START_TEST(best_where_the_difference_holds)
{
	struct table t;

	add_scheme("anna", "authorised_accuracy", 95, 0.1, 6);
	add_scheme("bert", "authorised_accuracy", 90, 0.2, 6);
	add_scheme("none", "authorised_accuracy", 99, 0.1, 6); /* controls do not compete */
	make();
	ck_assert_str_eq(r.context[0].scheme[best_scheme(&r, 0, "authorised_accuracy")].name, "anna");
	t = table_survey(&r, &in, 0);
	ck_assert(cell(&t, "anna", "Authorised")->best);
	ck_assert(!cell(&t, "bert", "Authorised")->best);
	ck_assert(!cell(&t, "none [control]", "Authorised")->best);
}
END_TEST

/* One seed, a difference within the noise of seeds, a third that ties with the first, and a metric without a better end. */
START_TEST(no_best_where_it_does_not)
{
	add_scheme("anna", "authorised_accuracy", 95, 0, 1);
	add_scheme("bert", "authorised_accuracy", 90, 0, 1);
	make();
	ck_assert_int_eq(best_scheme(&r, 0, "authorised_accuracy"), -1);
	json_array_clear(cells);
	for (int i = 0; i < 6; i++) {
		sample_metric(add(sample_cell("mnist", "anna", i + 1)), "authorised_accuracy", 90.5 + 2 * cos(i), 0, 0, 0, 0);
		sample_metric(add(sample_cell("mnist", "bert", i + 1)), "authorised_accuracy", 90 + 2 * sin(2 * i), 0, 0, 0, 0);
	}
	make();
	ck_assert_int_eq(best_scheme(&r, 0, "authorised_accuracy"), -1);
	json_array_clear(cells);
	add_scheme("anna", "authorised_accuracy", 95, 0.1, 6);
	add_scheme("bert", "authorised_accuracy", 90, 0.2, 6);
	add_scheme("cleo", "authorised_accuracy", 95, 0.1, 6);
	make();
	ck_assert_int_eq(best_scheme(&r, 0, "authorised_accuracy"), -1);
	ck_assert_int_eq(best_scheme(&r, 0, "reference_accuracy"), -1);
}
END_TEST

/* ---- evidence ---- */

START_TEST(too_few_trials_are_no_number)
{
	struct table t;

	sample_metric(add(sample_cell("mnist", "anna", 1)), "false_acceptance", 0.02, 0, 1, 2, 9999);
	sample_metric(add(sample_cell("mnist", "bert", 1)), "false_acceptance", 0.02, 0, 1, 2, 10000);
	make();
	t = table_survey(&r, &in, 0);
	ck_assert_str_eq(cell(&t, "anna", "False acceptance")->tag, "INSUFFICIENT");
	ck_assert_ptr_null(cell(&t, "anna", "False acceptance")->text);
	ck_assert_str_eq(cell(&t, "bert", "False acceptance")->text, "0.02");
}
END_TEST

/* ---- what all attacks together say ---- */

static void add_forger(const char *attack, double strength, double accepted)
{
	json_t *c = add(sample_attacked("mnist", "anna", attack, "tries", strength, 1));
	char key[64];

	snprintf(key, sizeof(key), "%s-%g", attack, strength);
	jset_str(jset_str(c, "key", key), "goal", "impersonate");
	sample_metric(c, "forgery_acceptance", accepted, 0, 100, (long)(10 * accepted), 1000);
}

/* The best forger counts; whoever submits a leaked credential is none; two attacks are too few for a number. */
START_TEST(the_best_of_all_attacks)
{
	json_t *drivers = json_pack("{s{s{sb}}}", "sight", "replay-1", "leaked", 1);
	struct table t;

	add_scheme("anna", "authorised_accuracy", 95, 0, 1);
	add_forger("guess", 1, 0.5);
	add_forger("guess", 2, 40);
	add_forger("replay", 1, 100);
	in.drivers = drivers;
	make();
	t = table_survey(&r, &in, 0);
	ck_assert_str_eq(cell(&t, "anna", "Unforgeability")->tag, "INSUFFICIENT");
	ck_assert_str_eq(cell(&t, "anna", "Unforgeability")->range, "2 of 3 attacks");
	add_forger("guess", 3, 10);
	make();
	t = table_survey(&r, &in, 0);
	ck_assert_str_eq(cell(&t, "anna", "Unforgeability")->text, "60.00");
	json_decref(drivers);
}
END_TEST

static void add_thief(const char *attack, double strength, double verified, int own, const char *goal)
{
	json_t *c = add(sample_attacked("mnist", "anna", attack, "epochs", strength, 1));
	char key[64];

	snprintf(key, sizeof(key), "%s-%g", attack, strength);
	jset_str(jset_str(c, "key", key), "goal", goal);
	sample_metric(c, "attacked_accuracy", 94, 0, 100, 0, 0);
	sample_metric(c, "ownership_verified", verified, 0, 1, 0, 0);
	if (own >= 0)
		jset(c, "notes", json_pack("{si,si}", "own_symbols", 50, "own_symbols_read", own));
}

/* Marks beside the owner's are told from other changes by what the attack says it wrote; a fitted key counts where keys carry the mark, and
 * also when it is one attempt that failed, which no statement about forgers could rest on. */
START_TEST(second_claims)
{
	json_t *drivers = json_pack("{s{s{sb},s{sb},s{sb}}}", "sight", "fit-1", "rival", 1, "fit-2", "rival", 1, "fit-3", "rival", 1);
	json_t *c = add(sample_cell("mnist", "anna", 1));
	struct table t;

	sample_metric(c, "authorised_accuracy", 95, 90, 99, 0, 0);
	sample_metric(c, "ownership_verified", 1, 0, 1, 0, 0);
	add_thief("overwrite", 1, 1, 50, "remove");
	add_thief("overwrite", 5, 1, 20, "remove");
	add_thief("prune", 1, 0, -1, "remove");
	for (int i = 1; i <= 3; i++)
		sample_metric((add_thief("fit", i, 1, -1, "impersonate"), json_array_get(cells, json_array_size(cells) - 1)), "forgery_acceptance",
			      i == 2 ? 100 : 0, 0, 100, i == 2, 1);
	in.drivers = drivers;
	make();
	t = table_survey(&r, &in, 0);
	ck_assert_str_eq(cell(&t, "anna", "Thief's mark")->range, "2 of 3 overwritings at 5 points or less");
	ck_assert_str_eq(cell(&t, "anna", "Rival keys")->text, "100.00");
	add_thief("overwrite", 20, 0, 50, "remove");
	make();
	t = table_survey(&r, &in, 0);
	ck_assert_str_eq(cell(&t, "anna", "Thief's mark")->text, "66.67");
	ck_assert_str_eq(cell(&t, "anna", "Mark, overwritten")->text, "0.00");
	json_decref(drivers);
}
END_TEST

static void add_setting(const char *dataset, const char *model, const char *tier, int limit, int parameters)
{
	json_t *c = add(sample_cell(dataset, "anna", 1));

	jset_str(jset_str(c, "model", model), "tier", tier);
	jset_int(json_object_get(c, "limits"), "train", limit);
	jset(c, "observations", json_pack("{s{si,si,si}}", "numbers", "reference_parameters", parameters, "lock_forward_equivalents", 10,
					  "reference_macs", parameters));
	sample_metric(c, "functions_working", 2, 2, 2, limit ? 1 : 2, 2);
}

/* A data set and network counts once, whatever else was run on it, and what is missing is named. */
START_TEST(settings_count_once)
{
	struct table t;

	add_setting("mnist", "lenet5", "short", 0, 1000);
	make();
	t = table_survey(&r, &in, 0);
	ck_assert_str_eq(cell(&t, "anna", "Works on")->range, "1 of 9 data sets and networks");
	ck_assert_str_eq(cell(&t, "anna", "Growth of cost")->tag, "INSUFFICIENT");
	ck_assert_str_eq(cell(&t, "anna", "Growth of cost")->range, "1 of 4 sizes of network");
	add_setting("mnist", "lenet5", "short", 500, 1000); /* the same with fewer images ... */
	add_setting("mnist", "lenet5", "smoke", 0, 1000);   /* ... and in another tier */
	add_setting("mnist", "mlp-64", "smoke", 0, 5000);
	add_setting("fashion-mnist", "lenet5", "short", 0, 1000);
	make();
	for (int i = 0; i < r.ncontexts; i++) {
		t = table_survey(&r, &in, i);
		ck_assert_str_eq(cell(&t, "anna", "Works on")->range, "2 of 9 data sets and networks");
	}
}
END_TEST

/* Wide tables are turned, narrow ones are not; nothing is lost. */
START_TEST(wide_tables_are_turned)
{
	struct arena mem = { 0 };
	struct table t = table_new(&mem, "t", NULL, 3, 10), u;

	for (int i = 0; i < 3; i++)
		for (int c = 0; c < 10; c++)
			table_at(&t, i, c)->text = arena_printf(&mem, "%d.%d", i, c);
	u = table_turned(&mem, &t, "corner");
	ck_assert_int_eq(u.rows, 10);
	ck_assert_int_eq(u.cols, 3);
	ck_assert_str_eq(table_at(&u, 0, 0)->text, "corner");
	ck_assert_str_eq(table_at(&u, 7, 2)->text, "2.7");
	t.cols = 2;
	u = table_turned(&mem, &t, "corner");
	ck_assert_int_eq(u.cols, 2);
	arena_release(&mem);
}
END_TEST

/* ---- cost ---- */

static void add_steal(const char *option, double strength, double accuracy)
{
	json_t *c = add(sample_attacked("mnist", "lock", "steal", option, strength, 1)), *spent = json_object();

	sample_metric(c, "authorised_accuracy", 90, 90, 90, 0, 0);
	sample_metric(c, "attacked_accuracy", accuracy, accuracy, accuracy, 0, 0);
	jset_num(spent, "queries", 100 * strength);
	jset(c, "ledger", spent);
}

/* The first strength of each level, and not the last; from the other end where smaller is stronger. */
START_TEST(cost_at_the_smallest_strength_that_breaks)
{
	json_t *c = add(sample_cell("mnist", "lock", 1));
	struct table t;

	sample_metric(c, "authorised_accuracy", 90, 90, 90, 0, 0);
	sample_metric(c, "unauthorised_accuracy", 10, 10, 10, 0, 0);
	add_steal("epochs", 1, 20);
	add_steal("epochs", 2, 60);
	add_steal("epochs", 3, 70);
	add_steal("epochs", 4, 89);
	add_steal("epochs", 5, 90);
	make();
	t = table_cost(&r, &in, 0);
	ck_assert_int_eq(t.rows, 3);
	ck_assert_str_eq(table_at(&t, 1, 3)->tag, "PARTIAL");
	ck_assert_str_eq(table_at(&t, 1, 5)->text, "200");
	ck_assert_str_eq(table_at(&t, 2, 3)->tag, "FULL");
	ck_assert_str_eq(table_at(&t, 2, 5)->text, "400");
	in.drivers = json_pack("{s:{s:{s:i}}}", "attacks", "steal", "strength_up", -1);
	t = table_cost(&r, &in, 0);
	ck_assert_int_eq(t.rows, 2);
	ck_assert_str_eq(table_at(&t, 1, 5)->text, "500");
	json_decref((json_t *)(uintptr_t)in.drivers);
}
END_TEST

/* ---- what is asked for ---- */

START_TEST(tiers_engines_and_limits_are_apart_unless_asked)
{
	static const char *const mix[] = { "", "tier", "tier,engine", "tier,engine,limits" };
	static const int contexts[] = { 4, 3, 2, 1 };

	add(sample_cell("mnist", "anna", 1));
	jset_str(add(sample_cell("mnist", "bert", 1)), "tier", "smoke");
	jset_int(add(sample_cell("mnist", "cleo", 1)), "engine", 7);
	jset_int(json_object_get(add(sample_cell("mnist", "dora", 1)), "limits"), "test", 500);
	for (int i = 0; i < 4; i++) {
		chosen.mix = mix[i];
		make();
		ck_assert_int_eq(r.ncontexts, contexts[i]);
	}
}
END_TEST

/* Without the control, nobody would know that the attack is broken. */
START_TEST(hidden_schemes_still_judge)
{
	const char *why;

	jset_str(add(sample_attacked("mnist", "none", "prune", "rate", 0.5, 1)), "verdict", "noop");
	add(sample_attacked("mnist", "anna", "prune", "rate", 0.5, 1));
	add(sample_cell("mnist", "bert", 1));
	chosen.schemes = "anna";
	make();
	ck_assert_int_eq(r.context[0].nschemes, 1);
	ck_assert_int_eq(r.ngroups, 1);
	ck_assert_int_eq(r.ncells, 1);
	ck_assert_str_eq(group_verdict(&r, &r.group[0], 0, &why), "ATTACK-BROKEN");
}
END_TEST

START_TEST(picked_metrics_in_their_order)
{
	struct table t;

	add(sample_cell("mnist", "activeguard", 1));
	chosen.pick = "identification,authorised_accuracy,identification";
	make();
	t = table_survey(&r, &in, 0);
	ck_assert_int_eq(t.cols, 5);
	ck_assert_str_eq(table_at(&t, 0, 3)->text, "Identified, %");
}
END_TEST

START_TEST(where_selects_cells)
{
	add(sample_cell("mnist", "none", 1));
	add(sample_cell("mnist", "none", 12));
	add(sample_cell("cifar10", "none", 1));
	chosen.where = "seed=1";
	make();
	ck_assert_int_eq(r.ncells, 2);
	chosen.where = "seed=1,dataset=mnist";
	make();
	ck_assert_int_eq(r.ncells, 1);
}
END_TEST

START_TEST(what_does_not_exist_is_refused)
{
	static const struct { struct report_select s; const char *says; } wrong[] = {
		{ { .table = "survay" }, "survey" }, { { .schemes = "activegard" }, "activeguard" }, { { .pick = "identificaton" }, "identification" },
		{ { .where = "datset=mnist" }, "dataset" }, { { .where = "dataset" }, "name=value" }, { { .where = "dataset=x" }, "no cell" },
		{ { .mix = "tears" }, "tier" },
	};

	add(sample_cell("mnist", "activeguard", 1));
	in.select = &wrong[_i].s;
	ck_assert_int_eq(report_check(&in), -1);
	ck_assert_msg(strstr(error_text(), wrong[_i].says) != NULL, "%s", error_text());
	error_clear();
}
END_TEST

/* ---- published ---- */

START_TEST(claims_name_metrics_and_sources)
{
	for (int i = 0; i < claims_count; i++) {
		const struct metric *m = metric_named(claims[i].metric);

		ck_assert_msg(m != NULL, "%s", claims[i].metric);
		ck_assert(claims[i].value >= m->min && claims[i].value <= m->max);
		ck_assert_uint_gt(strlen(claims[i].source), 10);
	}
}
END_TEST

START_TEST(claims_stand_beside_measurements_of_the_same_data)
{
	struct table t;
	int measured = 0;

	sample_metric(add(sample_cell("mnist", "activeguard", 1)), "authorised_accuracy", 98.5, 98, 99, 9850, 10000);
	make();
	t = table_claims(&r);
	ck_assert_int_gt(t.rows, 1);
	for (int i = 1; i < t.rows; i++) {
		ck_assert_str_eq(table_at(&t, i, 0)->text, "activeguard");
		measured += !strcmp(table_at(&t, i, 4)->text ? table_at(&t, i, 4)->text : "", "98.50");
		if (strcmp(table_at(&t, i, 1)->text, "mnist"))
			ck_assert_str_eq(table_at(&t, i, 4)->text, "not measured");
	}
	ck_assert_int_eq(measured, 1);
}
END_TEST

Suite *suite_summary(void);
Suite *suite_summary(void)
{
	Suite *s = suite_create("summary");
	TCase *tc = tcase_create("summary");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, best_where_the_difference_holds);
	tcase_add_test(tc, no_best_where_it_does_not);
	tcase_add_test(tc, too_few_trials_are_no_number);
	tcase_add_test(tc, the_best_of_all_attacks);
	tcase_add_test(tc, second_claims);
	tcase_add_test(tc, settings_count_once);
	tcase_add_test(tc, wide_tables_are_turned);
	tcase_add_test(tc, cost_at_the_smallest_strength_that_breaks);
	tcase_add_test(tc, tiers_engines_and_limits_are_apart_unless_asked);
	tcase_add_test(tc, hidden_schemes_still_judge);
	tcase_add_test(tc, picked_metrics_in_their_order);
	tcase_add_test(tc, where_selects_cells);
	tcase_add_loop_test(tc, what_does_not_exist_is_refused, 0, 7);
	tcase_add_test(tc, claims_name_metrics_and_sources);
	tcase_add_test(tc, claims_stand_beside_measurements_of_the_same_data);
	suite_add_tcase(s, tc);
	return s;
}
