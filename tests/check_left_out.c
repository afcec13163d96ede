/* reports/left_out.c: what is damaged or missing is said in every format, whatever its reason holds, and counted. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

static struct sample s;
static json_t *left_out;

static void add(const char *what, const char *key, const char *state, const char *why)
{
	json_t *j = json_object();

	jset_str(jset_str(jset_str(jset_str(j, "what", what), "key", key), "state", state), "why", why);
	json_array_append_new(left_out, j);
}

static void setup(void)
{
	sandbox_open();
	sample_make(&s, "fashion-mnist", 1, 0);
	left_out = json_array();
	add("cell", "aaaabbbb", "damaged", "its content does not match");
	add("cell", "ccccdddd", "missing", "is not there");
	add("timing", "eeee", "damaged", "<b>x</b> | \\input{y} \"z\",\x1b[31m");
	add("last-run.json", "", "damaged", "no text");
	s.in.left_out = left_out;
}

static void teardown(void)
{
	json_decref(left_out);
	sample_release(&s);
	sandbox_close();
}

#define SAID "Left out, because damaged or missing: 2 cells, 1 timing, 1 other file."

/* In a report that does not hold the text at all, or in one of nothing left out, the test fails. */
static void holds(const char *path, const char *const *texts)
{
	char *text = sample_report(&s.in, sandbox(path));

	ck_assert_msg(text != NULL, "%s: %s", path, error_text());
	for (; *texts; texts++)
		ck_assert_msg(strstr(text, *texts) != NULL, "%s does not hold %s", path, *texts);
	/* CSV brings every text back as it was. */
	ck_assert_msg(strstr(path, ".csv") || !strchr(text, '\x1b'), "%s holds a control character", path);
	free(text);
}

static const struct { const char *path; const char *texts[8]; } formats[] = {
	{ "r.html", { "<p class=\"warning\">", SAID, "aaaabbbb", "ccccdddd", "does not match", "&lt;b&gt;x&lt;/b&gt;",
		     "missing", NULL } },
	{ "r.md", { "> **Warning:** ", SAID, "aaaabbbb", "ccccdddd", "does not match", "missing", NULL } },
	{ "r.tex", { "\\textbf{Left out, because damaged or missing: 2 cells, 1 timing, 1 other file.", "aaaabbbb",
		    "\\textbackslash{}input", NULL } },
	{ "r.csv", { "\"aaaabbbb\",,,,,,,,,,,,,,,\"DAMAGED\",\"its content does not match\",\"\",\"\",,,,,\r\n",
		     "\"ccccdddd\",,,,,,,,,,,,,,,\"MISSING\",", "\"last-run.json\",,,,,,,,,,,,,,,\"DAMAGED\"", NULL } },
	{ "r.json", { "\"left_out\": [", "\"key\": \"aaaabbbb\"", "\"state\": \"missing\"", NULL } },
};

START_TEST(every_format_says_it)
{
	holds(formats[_i].path, formats[_i].texts);
}
END_TEST

static const struct { const char *path; const char *texts[6]; } tables[] = {
	{ "t.html", { SAID, "aaaabbbb", NULL } }, { "t.md", { SAID, "aaaabbbb", NULL } },
	{ "t.tex", { "\\textbf{Left out", NULL } },
	{ "t.csv", { "\"left out\",\"cell\",\"aaaabbbb\",\"damaged\",\"its content does not match\"\r\n", NULL } },
	{ "t.json", { "\"left_out\": [", "aaaabbbb", NULL } },
};

START_TEST(so_does_a_single_table)
{
	const struct report_select select = { .table = "functional" };

	s.in.select = &select;
	holds(tables[_i].path, tables[_i].texts);
}
END_TEST

START_TEST(every_row_of_the_csv_has_all_columns)
{
	char *text = sample_report(&s.in, sandbox("r.csv")), *save = NULL;
	int columns = -1, rows = 0;

	for (char *line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save), rows++) {
		int n = 1;
		bool quoted = false;

		for (const char *p = line; *p; p++) {
			quoted ^= *p == '"';
			n += *p == ',' && !quoted;
		}
		columns = columns < 0 ? n : columns;
		ck_assert_int_eq(n, columns);
	}
	ck_assert_int_gt(rows, 40);
	free(text);
}
END_TEST

START_TEST(papers_can_ask_for_the_number)
{
	const struct report_select select = { .split = true };
	char *text;

	s.in.select = &select;
	ck_assert_int_eq(report_write(&s.in, sandbox("p.tex")), 0);
	text = file_read(sandbox("p-macros.tex"), 1 << 20, NULL);
	ck_assert_ptr_nonnull(strstr(text, "\\newcommand{\\lbLeftOut}{4}"));
	free(text);
	text = file_read(sandbox("p-left-out.tex"), 1 << 20, NULL);
	ck_assert_ptr_nonnull(strstr(text, "aaaabbbb"));
	free(text);
}
END_TEST

/* Nothing is left out: nothing is said. */
START_TEST(whole_stores_have_no_warning)
{
	static const char *const paths[] = { "w.html", "w.md", "w.tex", "w.csv" };
	json_t *none = json_array();

	for (int pass = 0; pass < 2; pass++) {
		s.in.left_out = pass ? none : NULL;
		for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
			char *text = sample_report(&s.in, sandbox(paths[i]));

			ck_assert(!strstr(text, "Left out") && !strstr(text, "DAMAGED"));
			free(text);
		}
	}
	json_decref(none);
}
END_TEST

Suite *suite_left_out(void);
Suite *suite_left_out(void)
{
	Suite *suite = suite_create("left_out");
	TCase *tc = tcase_create("left_out");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, every_format_says_it, 0, ARRAY_LEN(formats));
	tcase_add_loop_test(tc, so_does_a_single_table, 0, ARRAY_LEN(tables));
	tcase_add_test(tc, every_row_of_the_csv_has_all_columns);
	tcase_add_test(tc, papers_can_ask_for_the_number);
	tcase_add_test(tc, whole_stores_have_no_warning);
	tcase_set_timeout(tc, 120);
	suite_add_tcase(suite, tc);
	return suite;
}
