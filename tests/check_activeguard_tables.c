/* reports/activeguard.c and activeguard_page.c: what is recognised, compared and printed. */
#include <check.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "reports/escape.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

static struct sample sample;
static json_t *values;

static void setup(void)
{
	sandbox_open();
	sample_make(&sample, "mnist", 1, 0);
	values = activeguard_values(&sample.in, "mnist");
}

static void teardown(void)
{
	json_decref(values);
	sample_release(&sample);
	sandbox_close();
}

static const json_t *value(const char *table, const char *row, const char *column)
{
	const json_t *v;
	size_t i;

	json_array_foreach(values, i, v)
		if (!strcmp(jget_str(v, "table", ""), table) && !strcmp(jget_str(v, "row", ""), row) && !strcmp(jget_str(v, "column", ""), column))
			return v;
	ck_abort_msg("no value %s / %s / %s", table, row, column);
	return NULL;
}

static const struct expected {
	const char *table, *row, *column;
	double published; /* NAN: null */
	const char *verdict;
} expected[] = {
	{ "Table I", "LeNet-5, conv 1", "maximal length", 25, "meets" },
	{ "Table I", "LeNet-5, conv 2", "maximal length", 150, "meets" },
	{ "Table II", "confidence 0.20", "class 4", 96, "meets" },
	{ "Table II", "all users", "minimum", 96, "meets" },
	{ "Table III", "without watermark", "test accuracy", 99.12, "meets" },
	{ "Table III", "from scratch", "V_owner", 1, "meets" },
	{ "Table IV", "clean images", "success rate", 0.01, "meets" },
	{ "Table IV", "FGSM", "success rate", 0.10, "meets" },
	{ "Table V", "30 epochs", "V_owner", 1, "meets" },
	{ "Table V", "50 epochs", "test accuracy", 99.53, "meets" },
	{ "Table VI", "wm1, 40 %", "V_owner", 1, "meets" },
	{ "Table VI", "wm1, 50 %", "V_owner", 0, "meets" },
	{ "Table VI", "wm2, 90 %", "V_owner", 1, "meets" },
	{ "Table VI", "wm2, 80 %", "test accuracy", 97.46, "differs" },
	{ "Table VI", "wm1, lost from", "pruning rate", 50, "meets" },
	{ "Table VI", "wm2, kept up to", "pruning rate", 90, "meets" },
	{ "Figure 5", "unauthorised", "test accuracy", 8.92, "meets" },
	{ "Figure 6", "conv 1, 25 digits", "test accuracy", NAN, "meets" },
	{ "Figure 6", "conv 2, 100 digits", "test accuracy", NAN, "missing" },
};

START_TEST(values_are_compared)
{
	const struct expected *e = &expected[_i];
	const json_t *v = value(e->table, e->row, e->column);

	if (isnan(e->published))
		ck_assert(json_is_null(json_object_get(v, "published")));
	else
		ck_assert_double_eq_tol(jget_num(v, "published", NAN), e->published, 1e-9);
	ck_assert_msg(!strcmp(jget_str(v, "verdict", ""), e->verdict), "%s %s %s: %s, ours %g", e->table, e->row, e->column,
		      jget_str(v, "verdict", ""), jget_num(v, "ours", NAN));
	ck_assert(json_is_null(json_object_get(v, "ours")) == !strcmp(e->verdict, "missing"));
	if (!strcmp(e->verdict, "differs"))
		ck_assert_str_ne(jget_str(v, "note", ""), "");
}
END_TEST

START_TEST(every_value_has_the_same_members)
{
	static const char *const member[] = { "table", "row", "column", "published", "ours", "low", "high", "n", "verdict", "note" };
	const json_t *v;
	size_t i;

	ck_assert_uint_gt(json_array_size(values), 90);
	json_array_foreach(values, i, v)
		for (size_t k = 0; k < ARRAY_LEN(member); k++)
			ck_assert_msg(json_object_get(v, member[k]) != NULL, "value %zu lacks %s", i, member[k]);
}
END_TEST

START_TEST(other_data_sets_have_nothing_published)
{
	struct sample s;
	const json_t *v;
	json_t *all;
	size_t i;

	sample_make(&s, "fashion-mnist", 1, 0);
	all = activeguard_values(&s.in, "fashion-mnist");
	json_array_foreach(all, i, v)
		if (strcmp(jget_str(v, "table", ""), "Table I")) {
			ck_assert(json_is_null(json_object_get(v, "published")));
			ck_assert_str_ne(jget_str(v, "verdict", ""), "meets");
			ck_assert_str_ne(jget_str(v, "verdict", ""), "differs");
		}
	json_decref(all);
	sample_release(&s);
}
END_TEST

START_TEST(wrn_has_the_papers_shapes)
{
	json_t *none = json_array(), *standard, *with;
	struct report_input in = { .cells = none };

	standard = activeguard_values(&in, "cifar10");
	json_decref(values);
	values = standard;
	ck_assert_str_eq(jget_str(value("Table I", "WRN, conv 1", "O"), "verdict", ""), "differs");
	ck_assert_double_eq(jget_num(value("Table I", "WRN, conv 1", "maximal length"), "ours", 0), 144);
	ck_assert_double_eq(jget_num(value("Table I", "WRN, conv 4", "maximal length"), "ours", 0), 2304);
	ck_assert_str_eq(jget_str(value("Table II", "all users", "minimum"), "verdict", ""), "missing");
	json_array_append_new(none, jset_str(jset_str(sample_cell("cifar10", "activeguard", 1), "model", "wrn10t-4"), "shape", NULL));
	with = activeguard_values(&in, "cifar10");
	json_decref(values);
	values = with;
	ck_assert_str_eq(jget_str(value("Table I", "WRN, conv 1", "O"), "verdict", ""), "meets");
	json_decref(none);
}
END_TEST

START_TEST(seeds_that_are_missing_are_missing)
{
	json_t *f = json_object(), *point = sample_cell("mnist", "activeguard", 2);

	jset_str(jset_str(f, "verdict", "crashed"), "why", "signal 11");
	jset(f, "point", point);
	json_array_append_new(sample.failures, f);
	json_decref(values);
	values = activeguard_values(&sample.in, "mnist");
	ck_assert_str_eq(jget_str(value("Figure 5", "authorised", "test accuracy"), "verdict", ""), "missing");
	ck_assert_ptr_nonnull(strstr(jget_str(value("Figure 5", "authorised", "test accuracy"), "note", ""), "1 of 2 seeds"));
}
END_TEST

static json_t *pruned_cell(const char *digits, double rate)
{
	json_t *c;
	size_t i;

	json_array_foreach(sample.cells, i, c)
		if (!strcmp(jget_str(c, "attack", ""), "prune") && !strcmp(jget_str(c, "scheme", ""), "activeguard") &&
		    !strcmp(jget_str(json_object_get(c, "scheme_options"), "digits", ""), digits) &&
		    fabs(jget_num(json_object_get(c, "attack_options"), "rate", -1) - rate) < 1e-9)
			return c;
	ck_abort_msg("no pruned cell %s %g", digits, rate);
	return NULL;
}

/* A seed that crashed at 10 % has not lost its mark there. */
START_TEST(a_failed_seed_is_no_lost_mark)
{
	json_t *f = json_object(), *point = json_deep_copy(pruned_cell("1234567890210", 0.1));

	jset_int(point, "seed", 2);
	jset_str(jset_str(f, "verdict", "crashed"), "why", "signal 11");
	jset(f, "point", point);
	json_array_append_new(sample.failures, f);
	json_decref(values);
	values = activeguard_values(&sample.in, "mnist");
	ck_assert_str_eq(jget_str(value("Table VI", "wm1, lost from", "pruning rate"), "verdict", ""), "missing");
	ck_assert_str_eq(jget_str(value("Table VI", "wm2, kept up to", "pruning rate"), "verdict", ""), "meets");
}
END_TEST

/* Lost at some rates, standing again at a higher one: what counts lies below the first loss. */
START_TEST(a_mark_is_kept_up_to_the_rate_below_the_first_loss)
{
	static const struct { int lost; double kept; } cases[] = { { 7, 60 }, { 9, 80 }, { 0, 0 } };
	const json_t *v;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *m = json_object_get(json_object_get(pruned_cell("3876876994865", cases[i].lost / 10.0), "metrics"), "ownership_verified");

		ck_assert_ptr_nonnull(m);
		jset_num(m, "value", 0);
		json_decref(values);
		values = activeguard_values(&sample.in, "mnist");
		v = value("Table VI", "wm2, kept up to", "pruning rate");
		ck_assert_double_eq_tol(jget_num(v, "ours", -1), cases[i].kept, 1e-9);
		ck_assert_str_eq(jget_str(v, "verdict", ""), "differs");
		jset_num(m, "value", 1);
	}
}
END_TEST

/* What activeguard_print says, caller frees. */
static char *printed(void)
{
	const char *path = sandbox("out.txt");

	ck_assert_ptr_nonnull(freopen(path, "w", stdout));
	activeguard_print(values, "mnist");
	fflush(stdout);
	return file_read(path, 1 << 20, NULL);
}

START_TEST(terminal_tables_fit)
{
	char *text = printed(), *line = text;

	ck_assert_ptr_nonnull(strstr(text, "Table VI"));
	for (char *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		ck_assert_msg(utf8_width(line) <= 80, "%zu columns: %s", utf8_width(line), line);
	}
	free(text);
}
END_TEST

static const char *const formats[] = { "html", "md", "tex", "csv", "json" };

START_TEST(pages_are_written)
{
	const char *path = sandbox("page");
	char *name = xasprintf("%s.%s", path, formats[_i]), *text, *again;

	ck_assert_int_eq(activeguard_write(values, &sample.in, "mnist", name), 0);
	text = file_read(name, (size_t)16 << 20, NULL);
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_nonnull(strstr(text, "Table VI"));
	ck_assert_ptr_nonnull(strstr(text, "8.92"));
	ck_assert_int_eq(activeguard_write(values, &sample.in, "mnist", name), 0);
	again = file_read(name, (size_t)16 << 20, NULL);
	ck_assert_str_eq(text, again);
	free(text);
	free(again);
	free(name);
}
END_TEST

Suite *suite_activeguard_tables(void);
Suite *suite_activeguard_tables(void)
{
	Suite *s = suite_create("activeguard_tables");
	TCase *tc = tcase_create("activeguard_tables");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, values_are_compared, 0, ARRAY_LEN(expected));
	tcase_add_test(tc, every_value_has_the_same_members);
	tcase_add_test(tc, other_data_sets_have_nothing_published);
	tcase_add_test(tc, wrn_has_the_papers_shapes);
	tcase_add_test(tc, seeds_that_are_missing_are_missing);
	tcase_add_test(tc, a_failed_seed_is_no_lost_mark);
	tcase_add_test(tc, a_mark_is_kept_up_to_the_rate_below_the_first_loss);
	tcase_add_test(tc, terminal_tables_fit);
	tcase_add_loop_test(tc, pages_are_written, 0, ARRAY_LEN(formats));
	suite_add_tcase(s, tc);
	return s;
}
