/* reports/html.c: one self-contained, well-formed page that says what the cells say, and nothing that a name can break. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

static char *page(const struct report_input *in)
{
	char *html = sample_report(in, sandbox("report.html"));

	ck_assert_msg(html != NULL, "%s", error_text());
	return html;
}

static int occurrences(const char *s, const char *what)
{
	int n = 0;

	for (; (s = strstr(s, what)); s += strlen(what))
		n++;
	return n;
}

/* Tags open and close in order; attributes are quoted. */
static void assert_well_formed(const char *html)
{
	static const char *const empty[] = { "meta", "!doctype", "br", "img" };
	char stack[64][16];
	int depth = 0;

	for (const char *p = html; (p = strchr(p, '<')); p++) {
		bool closing = p[1] == '/', skip = false, quoted = false;
		const char *name = p + 1 + closing, *end = name;
		size_t n = strcspn(name, " >/\n");

		for (; *end && (quoted || *end != '>'); end++)
			quoted ^= *end == '"';
		ck_assert_msg(*end == '>', "open tag at %.40s", p);
		for (size_t i = 0; i < ARRAY_LEN(empty); i++)
			skip |= n == strlen(empty[i]) && !strncmp(name, empty[i], n);
		ck_assert_uint_lt(n, 16);
		if (closing) {
			ck_assert_int_gt(depth, 0);
			depth--;
			ck_assert_msg(strlen(stack[depth]) == n && !strncmp(stack[depth], name, n), "</%.*s> closes <%s>", (int)n, name, stack[depth]);
		} else if (!skip && end[-1] != '/') {
			ck_assert_int_lt(depth, 64);
			snprintf(stack[depth++], sizeof(stack[0]), "%.*s", (int)n, name);
		}
		p = end;
	}
	ck_assert_int_eq(depth, 0);
}

START_TEST(page_is_whole_and_self_contained)
{
	struct sample s;
	char *html;

	sample_make(&s, "fashion-mnist", 2, 0);
	html = page(&s.in);
	assert_well_formed(html);
	ck_assert_ptr_nonnull(strstr(html, "default-src 'none'; style-src 'unsafe-inline'; img-src data:"));
	ck_assert_ptr_null(strstr(html, "<script"));
	ck_assert_ptr_null(strstr(html, "http://"));
	ck_assert_ptr_null(strstr(html, "https://"));
	ck_assert_ptr_null(strstr(html, "src="));
	ck_assert_ptr_nonnull(strstr(html, s.in.store_hash));
	ck_assert_ptr_nonnull(strstr(html, s.in.command));
	ck_assert_ptr_nonnull(strstr(html, "none [control]"));
	ck_assert_ptr_nonnull(strstr(html, "keycheck [control]"));
	ck_assert_ptr_nonnull(strstr(html, "stopped after 600 s"));
	ck_assert_ptr_nonnull(strstr(html, "the scheme has no credentials to forge"));
	ck_assert_ptr_nonnull(strstr(html, "Worst user"));
	ck_assert_ptr_nonnull(strstr(html, "Latency, one image, ms"));
	ck_assert_ptr_null(strstr(html, "Partial data"));
	free(html);
	sample_release(&s);
}
END_TEST

START_TEST(same_input_same_bytes)
{
	struct sample s;
	char *a, *b;

	sample_make(&s, "fashion-mnist", 1, 0);
	a = page(&s.in);
	b = page(&s.in);
	ck_assert_str_eq(a, b);
	free(a);
	setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
	a = page(&s.in);
	ck_assert_ptr_nonnull(strstr(a, "2023-11-14"));
	free(a);
	free(b);
	sample_release(&s);
}
END_TEST

START_TEST(partial_limits_have_a_banner)
{
	struct sample s;
	char *html;

	sample_make(&s, "fashion-mnist", 1, 500);
	html = page(&s.in);
	ck_assert_ptr_nonnull(strstr(html, "Partial data: fashion-mnist, lenet5: 500 training and 500 test images"));
	free(html);
	sample_release(&s);
}
END_TEST

/* Cells of somebody else: more successes than trials, negative ones, numbers without end, trials that are not there, metrics of a study in a
 * cell. Nothing of that may stop a report, in any format. */
START_TEST(numbers_that_cannot_be)
{
	static const char *const out[] = { "r.html", "r.md", "r.tex", "r.csv", "r.json" };
	struct sample s;
	json_t *cell, *o;
	size_t i;

	sample_make(&s, "fashion-mnist", 3, 0);
	setenv("LOCKBENCH_GNUPLOT", "/nonexistent", 1);
	json_array_foreach(s.cells, i, cell) {
		sample_metric(cell, "authorised_accuracy", 99, 0, 100, 1000000, 5);
		sample_metric(cell, "false_acceptance", 1e308, -1, 1e300, -5, -7);
		sample_metric(cell, "unauthorised_accuracy", 10, 10, 10, 3, 2000000000);
		sample_metric(cell, "unforgeability", 5, 5, 5, 0, 0);
		sample_metric(cell, "functions_working", 5, 5, 5, 9, -1);
		o = json_object();
		jset(o, "bits", json_pack("{s{sisiss}}", "authorised_correct", "k", 3, "n", 1000000000, "bits", "AA=="));
		jset(o, "series", json_pack("{s[fnss]s[]s[f]}", "genuine_scores", 1e308, "a", "b", "zero_effort_scores", "genuine_taken_for", -1.0));
		jset(o, "numbers", json_pack("{sfss}", "credentials_per_user", -3.0, "users", "many"));
		jset(cell, "observations", o);
	}
	for (i = 0; i < ARRAY_LEN(out); i++) {
		char *text = sample_report(&s.in, sandbox(out[i]));

		ck_assert_msg(text != NULL, "%s: %s", out[i], error_text());
		free(text);
	}
	unsetenv("LOCKBENCH_GNUPLOT");
	sample_release(&s);
}
END_TEST

START_TEST(hostile_names_stay_text)
{
	for (int i = 0; hostile[i]; i++) {
		json_t *cells = json_array(), *c = sample_attacked("mnist", "none", "prune", "rate", 0.5, 1);
		struct report_input in = { .cells = cells, .title = hostile[i], .command = hostile[i], .store_hash = hostile[i] };
		char *html;

		setenv("LOCKBENCH_GNUPLOT", "/nonexistent", 1); /* check_plot has the titles */
		jset_str(jset_str(jset_str(jset_str(c, "dataset", hostile[i]), "scheme", hostile[i]), "attack", hostile[i]), "why", hostile[i]);
		jset_str(jset_str(jset_str(c, "model", hostile[i]), "verdict", "noop"), "key", hostile[i]);
		if (*hostile[i] && json_object_get(c, "scheme"))
			jset_str(json_object_get(c, "attack_options"), "option", hostile[i]);
		sample_metric(c, "x\"><b>", 1, 0, 2, 0, 0);
		json_array_append_new(cells, c);
		html = page(&in);
		assert_well_formed(html);
		ck_assert_ptr_null(strstr(html, "<script"));
		ck_assert_ptr_null(strstr(html, "<img"));
		ck_assert_ptr_null(strstr(html, "<b>"));
		free(html);
		json_decref(cells);
	}
}
END_TEST

/* What drivers say and what pictures are called comes from outside too, and base64 is base64. */
START_TEST(hostile_drivers_and_pictures_stay_text)
{
	static const char *const formats[] = { "one.html", "one.md", "one.csv", "one.tex", "one.json" };

	setenv("LOCKBENCH_GNUPLOT", "/nonexistent", 1);
	for (int i = 0; hostile[i]; i++) {
		json_t *cells = json_array(), *c = sample_cell("mnist", "lock", 1), *d = json_object(), *declared = json_object();
		json_t *list = json_array(), *good = json_object(), *bad = json_object();
		struct report_select select = { 0 };
		struct report_input in = { .cells = cells, .title = "t", .where = hostile[i], .select = &select };
		char *text;

		jset_str(c, "creds_key", "k");
		json_array_append_new(cells, c);
		json_array_append_new(cells, sample_attacked("mnist", "lock", "prune", "rate", 0.5, 1));
		jset_str(jset_str(d, "summary", hostile[i]), "source", hostile[i]);
		jset(d, "declared", jset_str(jset_str(declared, "Deployment", hostile[i]), "x\"><b>", hostile[i]));
		jset_str(jset_str(good, "what", hostile[i]), "png", "AAAA");
		jset_str(jset_str(bad, "what", "bad"), "png", "\"><img>");
		json_array_append_new(list, good);
		json_array_append_new(list, bad);
		in.drivers = jset(jset(json_object(), "schemes", jset(json_object(), "lock", d)), "attacks",
				  jset(json_object(), "prune", json_incref(d)));
		in.pictures = jset(json_object(), "k", list);
		text = page(&in);
		assert_well_formed(text);
		ck_assert_ptr_null(strstr(text, "<script"));
		ck_assert_ptr_null(strstr(text, "<b>"));
		ck_assert_int_eq(occurrences(text, "<img"), 1);
		ck_assert_int_eq(occurrences(text, "src=\"data:image/png;base64,AAAA\""), 1);
		free(text);
		for (size_t f = 0; f < ARRAY_LEN(formats); f++) {
			select.table = "survey";
			text = sample_report(&in, sandbox(formats[f]));
			ck_assert_msg(text != NULL, "%s", error_text());
			if (f == 0)
				assert_well_formed(text);
			if (f < 2)
				ck_assert_ptr_null(strstr(text, "<script"));
			if (f == 2) /* whole quoted fields: a quote is doubled, so quotes are even */
				ck_assert_int_eq(occurrences(text, "\"") % 2, 0);
			if (f == 3)
				ck_assert_ptr_null(strstr(text, "\\write18"));
			free(text);
		}
		json_decref((json_t *)(uintptr_t)in.drivers);
		json_decref((json_t *)(uintptr_t)in.pictures);
		json_decref(cells);
	}
}
END_TEST

/* Every part that a reader looks for is there. */
START_TEST(page_has_its_parts)
{
	static const char *const parts[] = { "id=\"c1-survey\"", "id=\"c1-heat\"", "id=\"c1-cost\"", "id=\"c1-s1\"", "id=\"c1-s3\"", "id=\"c1-a1\"",
					     "Known deviations", "keeps the keys in the &quot;cellar&quot;", "id=\"claims\"", "id=\"repeat\"", "Issued credentials",
					     "cells/KE/KEY.json" };
	struct sample s;
	char *html;

	setenv("LOCKBENCH_GNUPLOT", "/nonexistent", 1);
	sample_make(&s, "fashion-mnist", 2, 0);
	json_array_append_new(s.cells, sample_cell("fashion-mnist", "activeguard", 3));
	jset_str(json_array_get(s.cells, json_array_size(s.cells) - 1), "creds_key", "k");
	s.in.pictures = json_pack("{s:[{s:s,s:s}]}", "k", "what", "user 0", "png", "AAAA");
	s.in.drivers = json_pack("{s:{s:{s:s,s:s}}}", "schemes", "activeguard", "summary", "a lock", "source",
				 "Paper. Differs: keeps the keys in the \"cellar\"");
	html = page(&s.in);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		ck_assert_msg(strstr(html, parts[i]) != NULL, "%s", parts[i]);
	free(html);
	json_decref((json_t *)(uintptr_t)s.in.pictures);
	json_decref((json_t *)(uintptr_t)s.in.drivers);
	sample_release(&s);
}
END_TEST

START_TEST(missing_gnuplot_leaves_tables)
{
	struct sample s;
	char *html;

	setenv("LOCKBENCH_GNUPLOT", "/nonexistent", 1);
	sample_make(&s, "fashion-mnist", 1, 0);
	html = page(&s.in);
	assert_well_formed(html);
	ck_assert_ptr_null(strstr(html, "<svg"));
	ck_assert_ptr_nonnull(strstr(html, "gnuplot was not installed"));
	ck_assert_int_gt(occurrences(html, "<table>"), 6);
	free(html);
	sample_release(&s);
}
END_TEST

START_TEST(failing_gnuplot_leaves_tables)
{
	struct sample s;
	char *html;

	setenv("LOCKBENCH_GNUPLOT", "/bin/false", 1);
	sample_make(&s, "fashion-mnist", 1, 0);
	html = page(&s.in);
	assert_well_formed(html);
	ck_assert_ptr_nonnull(strstr(html, "could not be drawn"));
	ck_assert_str_eq(error_text(), "");
	free(html);
	sample_release(&s);
}
END_TEST

START_TEST(unknown_formats_are_refused)
{
	static const char *const name[] = { "x", "x.pdf", "x.html/y", ".html.gz", "" };
	struct report_input in = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(name); i++) {
		ck_assert_int_eq(report_write(&in, name[i]), -1);
		ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
		error_clear();
	}
}
END_TEST

START_TEST(empty_store_has_a_page)
{
	json_t *cells = json_array();
	struct report_input in = { .cells = cells };
	char *html = page(&in);

	assert_well_formed(html);
	free(html);
	json_decref(cells);
}
END_TEST

Suite *suite_html(void);
Suite *suite_html(void)
{
	Suite *s = suite_create("html");
	TCase *tc = tcase_create("html");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, sandbox_open, sandbox_close);
	tcase_add_test(tc, page_is_whole_and_self_contained);
	tcase_add_test(tc, same_input_same_bytes);
	tcase_add_test(tc, partial_limits_have_a_banner);
	tcase_add_test(tc, numbers_that_cannot_be);
	tcase_add_test(tc, hostile_names_stay_text);
	tcase_add_test(tc, hostile_drivers_and_pictures_stay_text);
	tcase_add_test(tc, page_has_its_parts);
	tcase_add_test(tc, missing_gnuplot_leaves_tables);
	tcase_add_test(tc, failing_gnuplot_leaves_tables);
	tcase_add_test(tc, unknown_formats_are_refused);
	tcase_add_test(tc, empty_store_has_a_page);
	suite_add_tcase(s, tc);
	return s;
}
