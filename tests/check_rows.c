/* reports/rows.c: groups, intervals, missing cells, labels, verdicts, order. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "metrics/stat/stats.h"
#include "reports/rows.h"
#include "tests/support_cells.h"

static json_t *cells, *failures;

static void setup(void)
{
	cells = json_array();
	failures = json_array();
}

static void teardown(void)
{
	json_decref(cells);
	json_decref(failures);
}

static struct rows made(void)
{
	struct report_input in = { .cells = cells, .failures = failures };
	struct rows r;

	rows_make(&r, &in);
	return r;
}

static json_t *add(json_t *cell)
{
	json_array_append_new(cells, cell);
	return cell;
}

static void add_failure(json_t *cell, const char *verdict)
{
	json_t *f = json_object();

	jset(f, "point", cell);
	jset_str(jset_str(f, "verdict", verdict), "why", "it broke");
	json_array_append_new(failures, f);
}

START_TEST(one_seed_keeps_its_exact_interval)
{
	struct rows r;
	struct summary s;

	sample_metric(add(sample_cell("mnist", "none", 1)), "authorised_accuracy", 99.1, 98.9, 99.3, 9910, 10000);
	r = made();
	ck_assert_int_eq(group_summary(rows_group(&r, 0, 0, -1, 0), "authorised_accuracy", &s), 1);
	ck_assert_int_eq(s.n, 1);
	ck_assert_double_eq(s.mean, 99.1);
	ck_assert_double_eq(s.low, 98.9);
	ck_assert_double_eq(s.high, 99.3);
	rows_release(&r);
}
END_TEST

START_TEST(seeds_make_a_t_interval)
{
	static const double v[] = { 90, 91, 95 };
	double half = student_t(2, 0.95) * sqrt(7.0 / 3);
	struct rows r;
	struct summary s;

	for (int i = 0; i < 3; i++)
		sample_metric(add(sample_cell("mnist", "none", 3 - i)), "authorised_accuracy", v[i], v[i] - 1, v[i] + 1, (long)(10 * v[i]), 1000);
	r = made();
	ck_assert_int_eq(r.ngroups, 1);
	group_summary(&r.group[0], "authorised_accuracy", &s);
	ck_assert_int_eq(s.n, 3);
	ck_assert_double_eq_tol(s.mean, 92, 1e-9);
	ck_assert_double_eq_tol(s.low, 92 - half, 1e-6);
	ck_assert_double_eq_tol(s.high, fmin(100, 92 + half), 1e-6);
	ck_assert_double_eq(s.min, 90);
	ck_assert_double_eq(s.max, 95);
	ck_assert_int_eq(s.k, 2760);
	ck_assert_str_eq(r.context[0].seeds, "1, 2, 3");
	rows_release(&r);
}
END_TEST

/* Test images are the same in every seed, and count once; credentials are not. */
START_TEST(equal_seeds_are_no_certainty)
{
	struct rows r;
	struct summary s;
	double low, high;

	for (int seed = 1; seed <= 3; seed++)
		for (int k = 0; k < 2; k++)
			sample_metric(k ? json_array_get(cells, (size_t)seed - 1) : add(sample_cell("mnist", "none", seed)),
				      k ? "forgery_acceptance" : "false_acceptance", 0, 0, 0.0369, 0, 10000);
	r = made();
	group_summary(&r.group[0], "false_acceptance", &s);
	clopper_pearson(0, 10000, 0.95, &low, &high);
	ck_assert(s.pooled);
	ck_assert_double_eq_tol(s.high, 100 * high, 1e-9);
	group_summary(&r.group[0], "forgery_acceptance", &s);
	clopper_pearson(0, 30000, 0.95, &low, &high);
	ck_assert_double_eq_tol(s.high, 100 * high, 1e-9);
	rows_release(&r);
}
END_TEST

/* Six seeds on the same images: the bootstrap of both levels is wider than of the seeds alone, and than one seed's images; five seeds of an
 * attack, or two seeds, keep the other interval. */
START_TEST(two_levels)
{
	struct rows r;
	struct summary s;
	double low, high, before;

	for (int i = 0; i < 6; i++)
		add(sample_measured("none", i + 1, "a", 1000, 0.9 + 0.002 * (i % 3)));
	r = made();
	ck_assert(group_summary(&r.group[0], "authorised_accuracy", &s));
	before = s.high - s.low;
	ck_assert(group_bootstrap(&r, &r.group[0], "authorised_accuracy", &s));
	ck_assert(s.drawn);
	ck_assert_double_lt(s.low, s.mean);
	ck_assert_double_gt(s.high, s.mean);
	clopper_pearson(9020, 10000, 0.95, &low, &high);
	ck_assert_double_gt(s.high - s.low, 100 * (high - low)); /* not as if there were ten thousand images */
	ck_assert_double_lt(s.high - s.low, 1.5 * before);
	low = s.low;
	ck_assert(group_bootstrap(&r, &r.group[0], "authorised_accuracy", &s)); /* again, from memory */
	ck_assert_double_eq(low, s.low);
	ck_assert(!group_bootstrap(&r, &r.group[0], "parameter_ratio", &s));
	rows_release(&r);
}
END_TEST

/* Two of three alike: the seeds' spread is an accident, and the interval must not be a tenth of the trials' own. */
START_TEST(nearly_equal_seeds_are_no_certainty)
{
	static const long k[] = { 9901, 9901, 9902 };
	struct rows r;
	struct summary s;
	double low, high;

	for (int i = 0; i < 3; i++)
		sample_metric(add(sample_cell("mnist", "none", 1 + i)), "authorised_accuracy", (double)k[i] / 100, 98.8, 99.2, k[i], 10000);
	r = made();
	group_summary(&r.group[0], "authorised_accuracy", &s);
	clopper_pearson(9901, 10000, 0.95, &low, &high);
	ck_assert(s.pooled);
	ck_assert_double_eq_tol(s.low, 100 * low, 1e-9);
	ck_assert_double_eq_tol(s.high, 100 * high, 1e-9);
	rows_release(&r);
}
END_TEST

START_TEST(missing_seeds_are_counted_not_averaged)
{
	struct rows r;
	struct summary s;

	add(sample_cell("mnist", "none", 1));
	add_failure(sample_cell("mnist", "none", 2), "crashed");
	r = made();
	ck_assert_int_eq(r.ngroups, 1);
	ck_assert_int_eq(group_summary(&r.group[0], "authorised_accuracy", &s), 1);
	ck_assert_int_eq(s.n, 1);
	ck_assert_int_eq(s.of, 2);
	ck_assert_str_eq(group_verdicts(&r, &r.group[0]), "OK 1, CRASHED 1");
	rows_release(&r);
}
END_TEST

START_TEST(limits_data_and_engines_are_not_mixed)
{
	struct rows r;

	add(sample_cell("mnist", "none", 1));
	jset_int(json_object_get(add(sample_cell("mnist", "none", 2)), "limits"), "test", 1000);
	jset_int(add(sample_cell("mnist", "none", 3)), "engine", 2);
	jset_str(add(sample_cell("mnist", "none", 4)), "dataset_hash", "other");
	add(sample_cell("fashion-mnist", "none", 5));
	r = made();
	ck_assert_int_eq(r.ncontexts, 5);
	ck_assert_int_eq(r.ngroups, 5);
	rows_release(&r);
}
END_TEST

START_TEST(labels_name_what_differs)
{
	struct rows r;

	for (int i = 0; i < 3; i++)
		jset_str(json_object_get(add(sample_cell("mnist", "activeguard", 1)), "scheme_options"), "digits",
			 i == 2 ? "3876876994865" : "1234567890210");
	jset_str(json_object_get(json_array_get(cells, 1), "scheme_options"), "watermark", "none");
	r = made();
	ck_assert_int_eq(r.context[0].nschemes, 3);
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(r.context[0].scheme[i].label, r.context[0].scheme[k].label);
	ck_assert_ptr_nonnull(strstr(r.context[0].scheme[0].label, "activeguard"));
	rows_release(&r);
}
END_TEST

START_TEST(order_does_not_depend_on_the_input)
{
	struct sample a, b;
	struct rows r, s;

	sample_make(&a, "fashion-mnist", 2, 0);
	sample_make(&b, "fashion-mnist", 2, 0);
	json_decref(b.cells);
	b.cells = json_array();
	for (size_t i = json_array_size(a.cells); i > 0; i--)
		json_array_append(b.cells, json_array_get(a.cells, i - 1));
	b.in.cells = b.cells;
	rows_make(&r, &a.in);
	rows_make(&s, &b.in);
	ck_assert_int_eq(r.ngroups, s.ngroups);
	ck_assert_str_eq(r.context[0].scheme[0].name, "none");
	ck_assert_str_eq(r.context[0].scheme[1].name, "keycheck");
	for (int i = 0; i < r.ngroups; i++) {
		ck_assert_int_eq(r.group[i].ncells, s.group[i].ncells);
		for (int k = 0; k < r.group[i].ncells; k++)
			ck_assert_ptr_eq(r.group[i].cell[k], s.group[i].cell[k]);
	}
	rows_release(&r);
	rows_release(&s);
	sample_release(&a);
	sample_release(&b);
}
END_TEST

/* ---- ATTACK-BROKEN ---- */

static const struct broken_case {
	const char *control, *scheme, *expected; /* control: its verdict, NULL: no such cell */
	double strength;
	long long control_seed;
} broken_cases[] = {
	{ "ok", "ok", "OK", 0.5, 1 },
	{ "noop", "ok", "ATTACK-BROKEN", 0.5, 1 },
	{ "noop", "noop", "ATTACK-BROKEN", 0.5, 1 },
	{ "noop", "noop", "NOOP", 0, 1 },
	{ "failed", "ok", "ATTACK-BROKEN", 0.5, 1 },
	{ "timeout", "ok", "ATTACK-BROKEN", 0, 1 },
	{ "noop", "n/a", "N/A", 0.5, 1 },
	{ "n/a", "ok", "OK", 0.5, 1 },
	{ "noop", "ok", "OK", 0.5, 2 },
	{ "noop", "scheme-untrained", "SCHEME-UNTRAINED", 0.5, 1 },
	{ NULL, "noop", "NOOP", 0.5, 1 },
};

START_TEST(attack_broken_is_decided_by_the_control)
{
	const struct broken_case *c = &broken_cases[_i];
	json_t *control = sample_attacked("mnist", "none", "prune", "rate", c->strength, c->control_seed);
	const struct group *g;
	struct rows r;
	const char *why;

	jset_str(add(sample_attacked("mnist", "activeguard", "prune", "rate", c->strength, 1)), "verdict", c->scheme);
	if (!c->control)
		json_decref(control);
	else if (!strcmp(c->control, "failed") || !strcmp(c->control, "timeout"))
		add_failure(control, c->control);
	else
		jset_str(add(control), "verdict", c->control);
	r = made();
	g = rows_group(&r, 0, r.context[0].nschemes - 1, 0, 0);
	ck_assert_ptr_nonnull(g);
	ck_assert_str_eq(group_verdict(&r, g, 0, &why), c->expected);
	if (!strcmp(c->expected, "ATTACK-BROKEN"))
		ck_assert_ptr_nonnull(strstr(why, "control"));
	rows_release(&r);
}
END_TEST

/* ---- UNDERPOWERED ---- */

/* Few attempts say nothing when none succeeds, and enough when half of them do: 7 of 100 are a break, 0 of 999 no proof. What the control
 * says of the attack comes first, and a cell without numbers stays what it is. */
static const struct { long k, n; const char *stored, *expected; bool sound; } powers[] = {
	{ 0, 1000, "ok", "OK", true }, { 0, 999, "ok", "UNDERPOWERED", true }, { 7, 100, "ok", "OK", true }, { 1, 100, "ok", "UNDERPOWERED", true },
	{ 0, 100, "noop", "NOOP", false }, { 0, 100, "n/a", "N/A", false }, { 0, 0, "ok", "OK", true },
};

START_TEST(few_attempts_decide_nothing)
{
	json_t *c = sample_attacked("mnist", "activeguard", "forge", "tries", 100, 1);
	const struct group *g;
	struct rows r;
	const char *why;

	sample_metric(c, "forgery_acceptance", 0, 0, 1, powers[_i].k, powers[_i].n);
	jset_str(add(c), "verdict", powers[_i].stored);
	r = made();
	g = rows_group(&r, 0, 0, 0, 0);
	ck_assert_str_eq(group_verdict(&r, g, 0, &why), powers[_i].expected);
	ck_assert(group_sound(&r, g) == powers[_i].sound);
	ck_assert(!strcmp(powers[_i].expected, "UNDERPOWERED") == (strstr(why, "too few") != NULL));
	rows_release(&r);
}
END_TEST

START_TEST(strengths_are_one_variant_in_order)
{
	static const double rate[] = { 0.9, 0.1, 0.5 };
	struct rows r;

	for (int i = 0; i < 3; i++)
		add(sample_attacked("mnist", "none", "prune", "rate", rate[i], 1));
	r = made();
	ck_assert_int_eq(r.context[0].nseries, 1);
	ck_assert_double_eq(rows_group(&r, 0, 0, 0, 0)->strength, 0.1);
	ck_assert_double_eq(rows_group(&r, 0, 0, 0, 2)->strength, 0.9);
	ck_assert_ptr_null(rows_group(&r, 0, 0, 0, 3));
	rows_release(&r);
}
END_TEST

START_TEST(nothing_is_an_answer)
{
	struct rows r = made();

	ck_assert_int_eq(r.ncontexts, 0);
	rows_release(&r);
}
END_TEST

START_TEST(malformed_cells_do_not_crash)
{
	static const char *const text[] = { "{}", "[]", "1", "\"x\"", "{\"metrics\":1}", "{\"scheme\":3,\"attack\":{},\"seed\":\"x\"}",
					    "{\"attack\":\"prune\",\"attack_options\":[1]}", "{\"limits\":[],\"observations\":{\"bits\":7}}" };
	struct rows r;

	for (size_t i = 0; i < ARRAY_LEN(text); i++) {
		add(json_loads(text[i], JSON_DECODE_ANY, NULL));
		json_array_append_new(failures, json_loads(text[i], JSON_DECODE_ANY, NULL));
	}
	r = made();
	ck_assert_int_eq(r.ncells, (int)ARRAY_LEN(text));
	rows_release(&r);
}
END_TEST

Suite *suite_rows(void);
Suite *suite_rows(void)
{
	Suite *s = suite_create("rows");
	TCase *tc = tcase_create("rows");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, one_seed_keeps_its_exact_interval);
	tcase_add_test(tc, seeds_make_a_t_interval);
	tcase_add_test(tc, equal_seeds_are_no_certainty);
	tcase_add_test(tc, nearly_equal_seeds_are_no_certainty);
	tcase_add_test(tc, two_levels);
	tcase_add_test(tc, missing_seeds_are_counted_not_averaged);
	tcase_add_test(tc, limits_data_and_engines_are_not_mixed);
	tcase_add_test(tc, labels_name_what_differs);
	tcase_add_test(tc, order_does_not_depend_on_the_input);
	tcase_add_loop_test(tc, attack_broken_is_decided_by_the_control, 0, ARRAY_LEN(broken_cases));
	tcase_add_loop_test(tc, few_attempts_decide_nothing, 0, ARRAY_LEN(powers));
	tcase_add_test(tc, strengths_are_one_variant_in_order);
	tcase_add_test(tc, nothing_is_an_answer);
	tcase_add_test(tc, malformed_cells_do_not_crash);
	suite_add_tcase(s, tc);
	return s;
}
