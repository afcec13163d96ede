/* reports/latex.c: environments and braces match, rows have as many cells as columns, no name gets out of its cell. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "reports/escape.h"
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

/* pdflatex takes the whole report, the macros, and every hostile name, with both encodings of fonts: OT1 is the default. */
static const char *const heads[] = { "\\documentclass{article}\\usepackage{booktabs}",
				     "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{booktabs}" };

static void compile(const char *body)
{
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		char *doc = xasprintf("%s%s", heads[i], body), command[600];

		sandbox_write("doc.tex", doc, strlen(doc));
		free(doc);
		unlink(sandbox("doc.lot"));
		snprintf(command, sizeof(command), "cd %s && for pass in 1 2; do pdflatex -draftmode -interaction=batchmode -halt-on-error "
			 "-no-shell-escape doc.tex || exit 1; done >/dev/null 2>&1", sandbox(""));
		if (system(command) != 0) {
			char *log = file_read(sandbox("doc.log"), 1 << 22, NULL);

			ck_abort_msg("%s: %.2000s", i ? "T1" : "OT1", log && strstr(log, "\n!") ? strstr(log, "\n!") :
				     "pdflatex or booktabs is not there: make deps TESTS=yes");
		}
	}
}

START_TEST(pdflatex_takes_the_report)
{
	struct sample s;

	sample_make(&s, "fashion-mnist", 2, 0);
	s.in.select = &(struct report_select){ .split = true };
	ck_assert_int_eq(report_write(&s.in, sandbox("r.tex")), 0);
	s.in.select = NULL;
	ck_assert_int_eq(report_write(&s.in, sandbox("r.tex")), 0);
	compile("\\input{r-macros}\\begin{document}\n"
		"\\lbFashionMnistLenetFiveNoneAuthorisedAccuracy\\input{r}\\input{r-c1-survey}\\end{document}\n");
	sample_release(&s);
}
END_TEST

/* Every name in every place at once, and in the list of tables, which comes before any definition. */
START_TEST(pdflatex_takes_every_name)
{
	static const char *const more[] = { "\u00de\u0105\u014b \u0110\u0138\u017f\u0149 \u00ab\u201ex\u201d\u00bb", "\u03b1\u03b2\u0393 \u1f00",
					    "\u0416\u0451\u0454 \u0490", "\u65e5\u672c \uac00", "\U0001f600\u200d\ufe0f", "e\u0301 i\u030c a\u0328 x\u0336",
					    "% !TEX program = sh", NULL };
	const char *const *lists[] = { hostile, more };

	for (int l = 0; l < 2; l++) {
		json_t *cells = json_array();
		struct report_input in = { .cells = cells, .title = more[0], .command = more[3],
					   .select = &(struct report_select){ .split = true } };

		for (int i = 0; lists[l][i]; i++) {
			json_t *c = sample_attacked("mnist", "none", "prune", "rate", 0.5, 1);
			const char *name = lists[l][i];

			jset_str(jset_str(jset_str(jset_str(c, "dataset", name), "scheme", name), "attack", name), "model", name);
			jset_str(jset_str(jset_str(c, "key", name), "verdict", name), "why", name);
			json_array_append_new(cells, c);
		}
		ck_assert_int_eq(report_write(&in, sandbox("h.tex")), 0);
		in.select = NULL;
		ck_assert_int_eq(report_write(&in, sandbox("h.tex")), 0);
		/* Hundreds of tables: set in place, not floated. */
		compile("\\makeatletter\\renewenvironment{table}{\\par\\def\\@captype{table}}{\\par}\\makeatother\\input{h-macros}"
			"\\begin{document}\\listoftables\\input{h}\\end{document}\n");
		json_decref(cells);
	}
}
END_TEST

/* Every character up to arrows and boxes, the ligatures, and some from everywhere. */
START_TEST(pdflatex_takes_every_character)
{
	struct text t = { 0 }, one = { 0 };

	text_add(&t, LATEX_MACROS "\\begin{document}\n");
	for (unsigned cp = 1; cp < 0x20000; cp += cp < 0x2600 || (cp >= 0xfb00 && cp < 0xfb10) ? 1 : 0x61) {
		text_release(&one);
		text_code_point(&one, cp);
		escape_latex(&t, text_str(&one));
		text_add(&t, cp % 16 ? " " : "\n\n");
	}
	text_add(&t, "\\end{document}\n");
	compile(text_str(&t));
	text_release(&one);
	text_release(&t);
}
END_TEST

/* What stands in the paper: the letter where the fonts have it, else something to read. */
START_TEST(letters_are_chosen_in_the_document)
{
	static const char *const wanted[] = { "Thorn ang a", "\u00deorn \u0105\u014b \u0105" };
	struct text t = { 0 };

	text_add(&t, LATEX_MACROS "\\begin{document}\\edef\\x{");
	escape_latex(&t, "\u00deorn \u0105\u014b \u0105");
	text_add(&t, "}\\newwrite\\w\\immediate\\openout\\w=w.txt\\immediate\\write\\w{\\x}\\end{document}\n");
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		char *doc = xasprintf("%s%s", heads[i], text_str(&t)), command[300], *got;

		sandbox_write("doc.tex", doc, strlen(doc));
		free(doc);
		snprintf(command, sizeof(command), "cd %s && pdflatex -draftmode -interaction=batchmode -halt-on-error doc.tex >/dev/null 2>&1", sandbox(""));
		ck_assert_int_eq(system(command), 0);
		got = file_read(sandbox("w.txt"), 1000, NULL);
		ck_assert_msg(got && !strncmp(got, wanted[i], strlen(wanted[i])), "%s", got);
		free(got);
	}
	text_release(&t);
}
END_TEST

/* A title in a comment stays on its line and is nothing that an editor obeys. */
START_TEST(comments_are_tame)
{
	static const char *const titles[] = { "a\n\\input{/etc/passwd}", "a\r\\input{b}", "a\xc2\x85\\x", "!TEX program = sh", "&pdflatex -shell-escape",
					      "vim: set modeline:", "-*- eval: (x) -*-", "a^^M\\b" };

	for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
		json_t *cells = json_array();
		struct report_input in = { .cells = cells, .title = titles[i] };
		char *tex, *line, *end;

		json_array_append_new(cells, sample_cell("mnist", "none", 1));
		tex = sample_report(&in, sandbox("r.tex"));
		line = strstr(tex, "\n% Title: ");
		ck_assert_msg(line != NULL, "%.300s", tex);
		end = strchr(line + 1, '\n');
		ck_assert(!strncmp(end + 1, "\\providecommand", 15));
		for (char *p = line + strlen("\n% Title:"); p < end; p++)
			ck_assert_msg((unsigned char)*p >= ' ' && !strchr("%!\\&:*^{}\x7f", *p) && (unsigned char)*p < 0x7f, "%.100s", line);
		free(tex);
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
	tcase_add_test(tc, comments_are_tame);
	tcase_add_test(tc, pdflatex_takes_the_report);
	tcase_add_test(tc, pdflatex_takes_every_name);
	tcase_add_test(tc, pdflatex_takes_every_character);
	tcase_add_test(tc, letters_are_chosen_in_the_document);
	suite_add_tcase(s, tc);
	return s;
}
