/* reports/markdown.c: tables whose rows have as many cells as their heading, whatever the names. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

/* Unescaped bars of the line that begins at s. */
static int bars(const char *s)
{
	int n = 0;

	for (; *s && *s != '\n'; s++) {
		if (*s == '\\' && s[1])
			s++;
		else
			n += *s == '|';
	}
	return n;
}

static int assert_tables_are_even(const char *md)
{
	int columns = 0, tables = 0;

	for (const char *line = md; *line; line = strchr(line, '\n') + 1) {
		if (*line != '|') {
			columns = 0;
		} else if (!columns) {
			columns = bars(line);
			tables++;
		} else {
			ck_assert_msg(bars(line) == columns, "a row of %d cells under %d: %.80s", bars(line), columns, line);
		}
		ck_assert_ptr_nonnull(strchr(line, '\n'));
	}
	return tables;
}

/* No bracket without its backslash: neither links nor images. */
static void assert_no_links(const char *md)
{
	for (; *md; md++) {
		if (*md == '\\' && md[1])
			md++;
		else
			ck_assert_msg(*md != '[', "a link at %.40s", md);
	}
}

START_TEST(tables_are_even)
{
	struct sample s;
	char *md;

	sample_make(&s, "fashion-mnist", 1, 300);
	md = sample_report(&s.in, sandbox("r.md"));
	ck_assert_ptr_nonnull(md);
	ck_assert_int_ge(assert_tables_are_even(md), 8);
	ck_assert_ptr_nonnull(strstr(md, "> **Warning:** Partial data"));
	ck_assert_ptr_nonnull(strstr(md, "stopped after 600 s"));
	ck_assert_ptr_nonnull(strstr(md, "TIMEOUT"));
	free(md);
	sample_release(&s);
}
END_TEST

START_TEST(hostile_names_stay_text)
{
	for (int i = 0; hostile[i]; i++) {
		json_t *cells = json_array(), *c = sample_attacked("mnist", "none", "prune", "rate", 0.5, 1);
		struct report_input in = { .cells = cells, .title = hostile[i] };
		char *md;

		jset_str(jset_str(jset_str(c, "dataset", hostile[i]), "scheme", hostile[i]), "attack", hostile[i]);
		jset_str(jset_str(c, "why", hostile[i]), "verdict", "noop");
		json_array_append_new(cells, c);
		md = sample_report(&in, sandbox("r.md"));
		ck_assert_ptr_nonnull(md);
		assert_tables_are_even(md);
		ck_assert_ptr_null(strchr(md, '<'));
		assert_no_links(md);
		free(md);
		json_decref(cells);
	}
}
END_TEST

Suite *suite_markdown(void);
Suite *suite_markdown(void)
{
	Suite *s = suite_create("markdown");
	TCase *tc = tcase_create("markdown");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, sandbox_open, sandbox_close);
	tcase_add_test(tc, tables_are_even);
	tcase_add_test(tc, hostile_names_stay_text);
	suite_add_tcase(s, tc);
	return s;
}
