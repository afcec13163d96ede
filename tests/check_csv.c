/* reports/csv.c: read back by libcsv in strict mode; numbers bare, text quoted, nothing lost. */
#include <check.h>
#include <csv.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

#define COLUMNS 24

struct read {
	int rows, columns;
	char field[COLUMNS][1024]; /* of the current row */
	const json_t *cells;
	int matched;
};

static void on_field(void *s, size_t n, void *data)
{
	struct read *r = data;

	ck_assert_int_lt(r->columns, COLUMNS);
	snprintf(r->field[r->columns++], sizeof(r->field[0]), "%.*s", (int)n, s ? (const char *)s : "");
}

/* The row's numbers must be its cell's. */
static void match(struct read *r)
{
	const json_t *c;
	size_t i;

	json_array_foreach(r->cells, i, c) {
		const json_t *m;

		if (strcmp(jget_str(c, "key", ""), r->field[0]) || !*r->field[17])
			continue;
		m = json_object_get(json_object_get(c, "metrics"), r->field[17]);
		ck_assert_ptr_nonnull(m);
		ck_assert_double_eq(strtod(r->field[19], NULL), jget_num(m, "value", -1));
		ck_assert_double_eq(strtod(r->field[20], NULL), jget_num(m, "low", -1));
		ck_assert_double_eq(strtod(r->field[21], NULL), jget_num(m, "high", -1));
		r->matched++;
	}
}

static void on_row(int c, void *data)
{
	struct read *r = data;

	(void)c;
	ck_assert_int_eq(r->columns, COLUMNS);
	if (r->rows++)
		match(r);
	r->columns = 0;
}

static void read_back(const char *text, struct read *r)
{
	struct csv_parser p;

	ck_assert_int_eq(csv_init(&p, CSV_STRICT | CSV_STRICT_FINI), 0);
	ck_assert_uint_eq(csv_parse(&p, text, strlen(text), on_field, on_row, r), strlen(text));
	ck_assert_int_eq(csv_fini(&p, on_field, on_row, r), 0);
	csv_free(&p);
}

static int metrics_in(const json_t *cells)
{
	const json_t *c;
	int n = 0;
	size_t i;

	json_array_foreach(cells, i, c)
		n += (int)json_object_size(json_object_get(c, "metrics"));
	return n;
}

START_TEST(libcsv_reads_every_metric_back)
{
	struct sample s;
	struct read *r = xcalloc(1, sizeof(*r));
	char *csv;

	sample_make(&s, "fashion-mnist", 1, 0);
	csv = sample_report(&s.in, sandbox("r.csv"));
	ck_assert_ptr_nonnull(csv);
	r->cells = s.cells;
	read_back(csv, r);
	ck_assert_int_eq(r->matched, metrics_in(s.cells));
	ck_assert_ptr_nonnull(strstr(csv, ",\"TIMEOUT\",\"stopped after 600 s\",\"\",\"\",,,,,\r\n"));
	free(csv);
	free(r);
	sample_release(&s);
}
END_TEST

START_TEST(numbers_are_bare_and_text_is_quoted)
{
	json_t *cells = json_array(), *c = sample_cell("mnist", "none", 7);
	struct report_input in = { .cells = cells };
	char *csv;

	sample_metric(c, "zz", -0.125, -1, 0.1, 3, 8);
	json_array_append_new(cells, c);
	csv = sample_report(&in, sandbox("r.csv"));
	ck_assert_ptr_nonnull(strstr(csv, "\"mnist\",\""));
	ck_assert_ptr_nonnull(strstr(csv, "\"lenet5\",0,0,7,\"short\",\"none\""));
	ck_assert_ptr_nonnull(strstr(csv, "\"zz\",\"\",-0.125,-1,0.1,3,8\r\n"));
	free(csv);
	json_decref(cells);
}
END_TEST

START_TEST(hostile_text_stays_in_its_field)
{
	for (int i = 0; hostile[i]; i++) {
		json_t *cells = json_array(), *c = sample_cell("mnist", "none", 7);
		struct report_input in = { .cells = cells };
		struct read *r = xcalloc(1, sizeof(*r));
		char *csv;

		jset_str(jset_str(c, "dataset", hostile[i]), "why", hostile[i]);
		json_array_append_new(cells, c);
		csv = sample_report(&in, sandbox("r.csv"));
		r->cells = cells;
		read_back(csv, r);
		ck_assert_int_eq(r->matched, metrics_in(cells));
		ck_assert_int_eq(strchr("=+-@\t\r", r->field[1][0]) != NULL && r->field[1][0], 0);
		free(csv);
		free(r);
		json_decref(cells);
	}
}
END_TEST

/* One table: a negative number is a number also with its interval, a scheme's name never becomes a formula, not as a heading either. */
START_TEST(tables_keep_numbers_and_disarm_names)
{
	static const char *const tables[] = { "functional", "survey" };

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		const struct report_select select = { .table = tables[i], .pick = "fidelity_loss" };
		json_t *cells = json_array();
		struct report_input in = { .cells = cells, .select = &select };
		char *csv;

		for (int seed = 1; seed <= 2; seed++) {
			json_t *c = sample_cell("mnist", "none", seed);
			const double v = seed == 1 ? -0.25 : -0.75;

			jset_str(c, "scheme", "=cmd|' /C calc'!A0");
			sample_metric(c, "fidelity_loss", v, v, v, 0, 0);
			json_array_append_new(cells, c);
		}
		csv = sample_report(&in, sandbox("t.csv"));
		ck_assert_msg(csv && strstr(csv, ",\"-0.50 (-3.68 to 2.68)\"\r\n"), "%s", csv);
		ck_assert_ptr_nonnull(strstr(csv, ",\"'=cmd|"));
		ck_assert_ptr_null(strstr(csv, ",\"=cmd|"));
		free(csv);
		json_array_remove(cells, 1);
		csv = sample_report(&in, sandbox("t.csv"));
		ck_assert_msg(csv && strstr(csv, ",-0.25") && !strstr(csv, "'-"), "%s", csv);
		free(csv);
		json_decref(cells);
	}
}
END_TEST

START_TEST(a_comma_locale_changes_nothing)
{
	json_t *cells = json_array();
	struct report_input in = { .cells = cells };
	char *a, *b;

	json_array_append_new(cells, sample_cell("mnist", "none", 7));
	a = sample_report(&in, sandbox("r.csv"));
	if (comma_locale()) {
		b = sample_report(&in, sandbox("r.csv"));
		ck_assert_str_eq(a, b);
		free(b);
	}
	free(a);
	json_decref(cells);
}
END_TEST

Suite *suite_csv(void);
Suite *suite_csv(void)
{
	Suite *s = suite_create("csv");
	TCase *tc = tcase_create("csv");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, sandbox_open, sandbox_close);
	tcase_add_test(tc, libcsv_reads_every_metric_back);
	tcase_add_test(tc, numbers_are_bare_and_text_is_quoted);
	tcase_add_test(tc, hostile_text_stays_in_its_field);
	tcase_add_test(tc, tables_keep_numbers_and_disarm_names);
	tcase_add_test(tc, a_comma_locale_changes_nothing);
	suite_add_tcase(s, tc);
	return s;
}
