/* reports/escape.c: known answers, and for hostile and random strings the properties that keep a page whole. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "reports/escape.h"
#include "tests/support_cells.h"

static const struct known {
	void (*escape)(struct text *, const char *);
	const char *in, *out;
} known[] = {
	{ escape_html, "<a href=\"x\" id='y'>&", "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;" },
	{ escape_html, "a\nb\x01", "a b " },
	{ escape_html, "\xff", "\xef\xbf\xbd" },
	{ escape_latex, "50% of $x_1 & {y} \\z", "50\\% of \\$x\\_1 \\& \\{y\\} \\textbackslash{}z" },
	{ escape_latex, "--", "-{}-{}" },
	{ escape_latex, "[x]*", "{[}x{]}{*}" },
	{ escape_latex, "\xe6\x97\xa5 \xf0\x9f\x98\x80", "{[}U+65E5{]} {[}U+1F600{]}" },
	{ escape_latex, "caf\xc3\xa9 \xc3\x9e\xc4\x85\xc5\x8b", "caf\xc3\xa9 \\lbchar{\\TH}{\xc3\x9e}{Th}\\lbchar{\\k}{\xc4\x85}{a}\\lbchar{\\ng}{\xc5\x8b}{ng}" },
	{ escape_latex, "e\xcc\x81 i\xcc\x8c a\xcc\xa8 7\xcc\x81 e\xcc\x81\xcc\x81", "\\'{e} \\v{\\i} \\lbchar{\\k}{\\k{a}}{a} 7{[}U+0301{]} \\'{e}{[}U+0301{]}" },
	{ escape_latex, "\xce\xa9\xce\xb5\xce\xbb\xcf\x82 \xce\xac", "\\ensuremath{\\Omega}\\ensuremath{\\varepsilon}\\ensuremath{\\lambda}\\ensuremath{\\varsigma} {[}U+03AC{]}" },
	{ escape_latex, "\xd0\x96\xd1\x83\xd0\xba \xd0\x81\xd1\x97 \xd2\x90", "Zhuk Yoyi {[}U+0490{]}" },
	{ escape_latex, "\xc4\xa6\xc5\xbf\xef\xac\x81", "Hsfi" }, /* letters that neither encoding has */
	{ escape_latex_comment, "x\n\r\\input{y} % !TEX program = sh #{} -*- vim:set", "x???input?y? ? ?TEX program = sh ??? -?- vim?set" },
	{ escape_latex_comment, "caf\xc3\xa9 a-b_c (1+1=2), d/e.", "caf? a-b_c (1+1=2), d/e." },
	{ escape_markdown, "a|b <c> [d]", "a\\|b &lt;c&gt; \\[d\\]" },
	{ escape_markdown, "99.15 at www.x", "99.15 at www\\.x" },
	{ escape_markdown, "- x", "\\- x" },
	{ escape_markdown, "-1.9. End.", "-1.9. End." },
	{ escape_markdown, "12. x", "12\\. x" },
	{ escape_markdown, "1) x", "1\\) x" },
	{ escape_markdown, "f(1) x", "f(1) x" },
	{ escape_markdown, "    - x", "\\- x" },
	{ escape_markdown, "\t\n1. x |", "1\\. x \\|" },
	{ escape_gnuplot, "it's", "'it\xe2\x80\x99s'" },
	{ escape_gnuplot, "a\nb", "'a b'" },
};

START_TEST(known_answers)
{
	struct text t = { 0 };

	known[_i].escape(&t, known[_i].in);
	ck_assert_str_eq(text_str(&t), known[_i].out);
	text_release(&t);
}
END_TEST

static const struct { const char *in, *out; } csv_texts[] = {
	{ "a\"b,c\r\nd", "\"a\"\"b,c\r\nd\"" },
	{ "", "\"\"" }, { "-", "\"'-\"" }, { "-8.97", "\"'-8.97\"" }, { "=1+1", "\"'=1+1\"" }, { "+1", "\"'+1\"" },
	{ "@SUM(A1)", "\"'@SUM(A1)\"" },
	{ "\tx", "\"'\tx\"" }, { "\rx", "\"'\rx\"" }, { "\n=1", "\"'\n=1\"" }, { "  =1+1", "\"'  =1+1\"" },
	{ " \t-2", "\"' \t-2\"" },
	{ "\xc2\xa0=1", "\"'\xc2\xa0=1\"" }, { "\xef\xbb\xbf@x", "\"'\xef\xbb\xbf@x\"" },
	{ "\xe3\x80\x80+1", "\"'\xe3\x80\x80+1\"" },
	{ "\xef\xbc\x9d" "1+1", "\"'\xef\xbc\x9d" "1+1\"" },
	{ "a=1", "\"a=1\"" }, { " a", "\" a\"" }, { "  ", "\"  \"" }, { "\xff=1", "\"\xff=1\"" },
	{ "caf\xc3\xa9 -1", "\"caf\xc3\xa9 -1\"" },
};
static const struct { const char *in, *out; } csv_numbers[] = {
	{ "-8.97", "-8.97" }, { "+5.0", "+5.0" }, { "0", "0" }, { "1.9e+05", "1.9e+05" },
	{ "-8.97 (-9.10 to -8.84)", "\"-8.97 (-9.10 to -8.84)\"" },
	{ "n/a", "\"n/a\"" }, { "", "\"\"" }, { "-", "\"-\"" }, { "1-2", "\"1-2\"" }, { "> 50", "\"> 50\"" },
	{ "99\xc2\xa0%", "\"99\xc2\xa0%\"" },
};

START_TEST(csv_texts_are_disarmed)
{
	struct text t = { 0 };

	escape_csv(&t, csv_texts[_i].in);
	ck_assert_str_eq(t.s, csv_texts[_i].out);
	text_release(&t);
}
END_TEST

START_TEST(csv_numbers_stay_numbers)
{
	struct text t = { 0 };

	escape_csv_number(&t, csv_numbers[_i].in);
	ck_assert_str_eq(t.s, csv_numbers[_i].out);
	text_release(&t);
}
END_TEST

/* ---- properties ---- */

static bool is_utf8(const char *s)
{
	for (size_t len; *s; s += len)
		if (utf8_next(s, &len) < 0)
			return false;
	return true;
}

/* Only the five entities, nothing that opens or closes anything. */
static bool html_is_text(const char *s)
{
	static const char *const entity[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };

	for (; *s; s++) {
		bool known_one = *s != '&';

		for (size_t i = 0; i < ARRAY_LEN(entity); i++)
			known_one |= !strncmp(s, entity[i], strlen(entity[i]));
		if (!known_one || strchr("<>\"'", *s) || (unsigned char)*s < 0x20)
			return false;
	}
	return true;
}

/* Braces balance, and every special character is behind a backslash that is ours. */
static bool latex_is_text(const char *s)
{
	static const char *const macro[] = { "textbackslash{}", "textasciicircum{}", "textasciitilde{}", "textless{}", "textgreater{}",
					     "textbar{}", "textasciigrave{}", "char34", "ensuremath{", "ldots{}", "pm", "cdot", "times",
					     "varepsilon", "lambda", "rightarrow", "approx", "leq", "geq", "circ", "lbchar{\\TH}{", "TH}", "'{e}", "'{a}" };
	int depth = 0;

	for (; *s; s++) {
		bool ours = false;

		if (*s == '\\') {
			s++;
			for (size_t i = 0; i < ARRAY_LEN(macro); i++)
				ours |= !strncmp(s, macro[i], strlen(macro[i]));
			if (!ours && (!*s || !strchr("{}$&#_%", *s)))
				return false;
			if (!ours)
				continue;
		}
		if (strchr("$&#%\"", *s) || (unsigned char)*s < 0x20 || (*s == '-' && s[1] == '-' && s[2] == '-' && s[3] == '-'))
			return false;
		depth += *s == '{' ? 1 : *s == '}' ? -1 : 0;
		if (depth < 0)
			return false;
	}
	return depth == 0;
}

static bool markdown_is_text(const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (strchr("|<>[]*_`~#$@", *s) || (unsigned char)*s < 0x20)
			return false;
	}
	return true;
}

/* One quoted string on one line, without a quote inside. */
static bool gnuplot_is_one_string(const char *s)
{
	size_t n = strlen(s);

	if (n < 2 || s[0] != '\'' || s[n - 1] != '\'')
		return false;
	for (size_t i = 1; i < n - 1; i++)
		if (s[i] == '\'' || (unsigned char)s[i] < 0x20)
			return false;
	return true;
}

static const struct property {
	void (*escape)(struct text *, const char *);
	bool (*holds)(const char *);
} properties[] = {
	{ escape_html, html_is_text }, { escape_latex, latex_is_text }, { escape_markdown, markdown_is_text },
	{ escape_gnuplot, gnuplot_is_one_string },
};

static void check_all(const char *s)
{
	for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
		struct text t = { 0 };

		properties[i].escape(&t, s);
		ck_assert_msg(properties[i].holds(text_str(&t)), "escape %zu of '%s' gives '%s'", i, s, text_str(&t));
		ck_assert_msg(is_utf8(text_str(&t)), "escape %zu of '%s' is not UTF-8", i, s);
		text_release(&t);
	}
}

START_TEST(hostile_strings_stay_text)
{
	for (int i = 0; hostile[i]; i++)
		check_all(hostile[i]);
}
END_TEST

START_TEST(random_strings_stay_text)
{
	static const char *const piece[] = { "\\", "'", "\"", "<", ">", "&", "|", "\n", "\r", "\t", "{", "}", "$", "%", "#", "_", "^", "~", "-",
					     "`", "[", "]", "*", "\xcc\x81", "\xc3\x9e", "\xce\xbb", "\x1b", "\xc2\x9b", "\xe2\x80\xae", "\xff", "\xe2\x82", "a", "1", ".", ":", "/" };
	struct rng r;

	rng_open(&r, 7, "escape", 0, 0);
	for (int i = 0; i < 5000; i++) {
		char s[64] = "";

		for (uint32_t n = rng_below(&r, 12); n > 0; n--)
			strcat(s, piece[rng_below(&r, ARRAY_LEN(piece))]);
		check_all(s);
	}
}
END_TEST

Suite *suite_escape(void);
Suite *suite_escape(void)
{
	Suite *s = suite_create("escape");
	TCase *tc = tcase_create("escape");

	tcase_add_loop_test(tc, known_answers, 0, ARRAY_LEN(known));
	tcase_add_loop_test(tc, csv_texts_are_disarmed, 0, ARRAY_LEN(csv_texts));
	tcase_add_loop_test(tc, csv_numbers_stay_numbers, 0, ARRAY_LEN(csv_numbers));
	tcase_add_test(tc, hostile_strings_stay_text);
	tcase_add_test(tc, random_strings_stay_text);
	suite_add_tcase(s, tc);
	return s;
}
