/* reports/latex.c: environments and braces match, rows have as many cells as columns, no name gets out of its cell. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

static int occurrences(const char *s, const char *what)
{
	int n = 0;

	for (; (s = strstr(s, what)); s += strlen(what))
		n++;
	return n;
}

static void assert_braces_match(const char *tex)
{
	int depth = 0;
	bool comment = false;

	for (const char *p = tex; *p; p++) {
		if (*p == '\n')
			comment = false;
		else if (*p == '\\' && p[1] && !comment)
			p++;
		else if (*p == '%')
			comment = true;
		else if (!comment)
			depth += *p == '{' ? 1 : *p == '}' ? -1 : 0;
		ck_assert_int_ge(depth, 0);
	}
	ck_assert_int_eq(depth, 0);
}

/* Every row has one & less than the tabular has columns. */
static void assert_rows_fit(const char *tex)
{
	for (const char *t = tex; (t = strstr(t, "\\begin{tabular}{@{}"));) {
		const char *spec = t + strlen("\\begin{tabular}{@{}"), *end = strstr(t, "\\end{tabular}");
		int columns = (int)strcspn(spec, "@");

		ck_assert_ptr_nonnull(end);
		for (const char *line = strchr(spec, '\n') + 1; line < end; line = strchr(line, '\n') + 1) {
			int cells = 1;

			if (!strncmp(line, "\\toprule", 8) || !strncmp(line, "\\midrule", 8) || !strncmp(line, "\\bottomrule", 11))
				continue;
			for (const char *p = line; *p != '\n'; p++) {
				if (*p == '\\')
					p++;
				else
					cells += *p == '&';
			}
			ck_assert_msg(cells == columns, "%d cells in %d columns: %.100s", cells, columns, line);
		}
		t = end;
	}
}

static void assert_sound(const char *tex)
{
	ck_assert_int_eq(occurrences(tex, "\\begin{"), occurrences(tex, "\\end{"));
	assert_braces_match(tex);
	assert_rows_fit(tex);
}

START_TEST(tables_are_sound)
{
	struct sample s;
	char *tex;

	sample_make(&s, "fashion-mnist", 2, 0);
	tex = sample_report(&s.in, sandbox("r.tex"));
	ck_assert_ptr_nonnull(tex);
	assert_sound(tex);
	ck_assert_int_ge(occurrences(tex, "\\toprule"), 6);
	ck_assert_int_eq(occurrences(tex, "\\toprule"), occurrences(tex, "\\label{tab:lb-"));
	ck_assert_ptr_nonnull(strstr(tex, "\\providecommand{\\lbnum}"));
	ck_assert_ptr_null(strstr(tex, "siunitx"));
	free(tex);
	sample_release(&s);
}
END_TEST

START_TEST(hostile_names_stay_text)
{
	for (int i = 0; hostile[i]; i++) {
		json_t *cells = json_array(), *c = sample_attacked("mnist", "none", "prune", "rate", 0.5, 1);
		struct report_input in = { .cells = cells, .title = hostile[i], .command = hostile[i] };
		char *tex;

		jset_str(jset_str(jset_str(jset_str(c, "dataset", hostile[i]), "scheme", hostile[i]), "attack", hostile[i]), "model", hostile[i]);
		json_array_append_new(cells, c);
		tex = sample_report(&in, sandbox("r.tex"));
		ck_assert_ptr_nonnull(tex);
		assert_sound(tex);
		/* Only the title in the comment may show them. */
		ck_assert_ptr_null(strstr(strchr(strchr(tex, '\n') + 1, '\n'), "\\input{"));
		ck_assert_ptr_null(strstr(strchr(strchr(tex, '\n') + 1, '\n'), "\\write18"));
		free(tex);
		json_decref(cells);
	}
}
END_TEST

/* ---- one file a table ---- */

START_TEST(split_has_a_file_a_table_and_a_command_a_number)
{
	static const struct report_select split = { .split = true };
	static const char *const names[] = { "r-c1-survey.tex", "r-c1-heat.tex", "r-c1-cost.tex", "r-c1-functional.tex", "r-claims.tex",
					     "r-provenance.tex", "r-macros.tex" };
	struct sample s;
	char *tex, *name, *again;

	sample_make(&s, "fashion-mnist", 2, 0);
	s.in.select = &split;
	ck_assert_int_eq(report_write(&s.in, sandbox("r.tex")), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		tex = file_read(sandbox(names[i]), 1 << 22, NULL);
		ck_assert_msg(tex != NULL, "%s", error_text());
		if (i < 6)
			assert_sound(tex);
		ck_assert_int_eq(occurrences(tex, "\\toprule"), i < 6);
		if (i == 6) /* letters only, and no name twice */
			for (char *p = tex; (p = strstr(p, "\\newcommand{\\")); p++) {
				name = strndup(p, strcspn(p, "}") + 1);
				again = strstr(p + 1, name);
				ck_assert_msg(!again, "%s", name);
				ck_assert_uint_eq(strspn(name + strlen("\\newcommand{\\"), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
						  strlen(name) - strlen("\\newcommand{\\") - 1);
				free(name);
			}
		if (i == 6)
			ck_assert_ptr_nonnull(strstr(tex, "\\newcommand{\\lbFashionMnistLenetFiveNoneAuthorisedAccuracy}{9"));
		free(tex);
	}
	sample_release(&s);
}
END_TEST

/* pdflatex takes the whole report, the macros, and every hostile name. */
static void compile(const char *what)
{
	char command[600];

	sandbox_write("doc.tex", what, strlen(what));
	snprintf(command, sizeof(command), "cd %s && pdflatex -draftmode -interaction=batchmode -halt-on-error -no-shell-escape doc.tex >/dev/null 2>&1", sandbox(""));
	if (system(command) != 0) {
		char *log = file_read(sandbox("doc.log"), 1 << 22, NULL);

		ck_abort_msg("%.2000s", log && strstr(log, "\n!") ? strstr(log, "\n!") : what);
	}
}

START_TEST(pdflatex_takes_it)
{
	struct sample s;

	if (system("command -v pdflatex >/dev/null 2>&1") != 0) {
		fprintf(stderr, "skipped: pdflatex_takes_it: no pdflatex on the PATH\n");
		return;
	}
	sample_make(&s, "fashion-mnist", 2, 0);
	s.in.select = &(struct report_select){ .split = true };
	ck_assert_int_eq(report_write(&s.in, sandbox("r.tex")), 0);
	s.in.select = NULL;
	ck_assert_int_eq(report_write(&s.in, sandbox("r.tex")), 0);
	compile("\\documentclass{article}\\usepackage{booktabs}\\input{r-macros}\\begin{document}\n"
		"\\lbFashionMnistLenetFiveNoneAuthorisedAccuracy\\input{r}\\input{r-c1-survey}\\end{document}\n");
	sample_release(&s);
	for (int i = 0; hostile[i]; i++) {
		json_t *cells = json_array(), *c = sample_attacked("mnist", "none", "prune", "rate", 0.5, 1);
		struct report_input in = { .cells = cells, .title = hostile[i], .command = hostile[i],
					   .select = &(struct report_select){ .split = true } };

		jset_str(jset_str(jset_str(jset_str(c, "dataset", hostile[i]), "scheme", hostile[i]), "attack", hostile[i]), "model", hostile[i]);
		jset_str(c, "key", hostile[i]);
		json_array_append_new(cells, c);
		ck_assert_int_eq(report_write(&in, sandbox("h.tex")), 0);
		in.select = NULL;
		ck_assert_int_eq(report_write(&in, sandbox("h.tex")), 0);
		compile("\\documentclass{article}\\usepackage{booktabs}\\input{h-macros}\\begin{document}x\\input{h}\\end{document}\n");
		json_decref(cells);
	}
}
END_TEST

Suite *suite_latex(void);
Suite *suite_latex(void)
{
	Suite *s = suite_create("latex");
	TCase *tc = tcase_create("latex");

	tcase_set_timeout(tc, 240);
	tcase_add_checked_fixture(tc, sandbox_open, sandbox_close);
	tcase_add_test(tc, tables_are_sound);
	tcase_add_test(tc, hostile_names_stay_text);
	tcase_add_test(tc, split_has_a_file_a_table_and_a_command_a_number);
	tcase_add_test(tc, pdflatex_takes_it);
	suite_add_tcase(s, tc);
	return s;
}
