/* base/terminal.c: known forms, and that nothing which a terminal obeys gets through tell(), whatever the bytes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/terminal.h"
#include "base/utf8.h"
#include "tests/support_sandbox.h"

static const struct { const char *in, *out; } known[] = {
	{ "", "" },
	{ "plain \\x1b text", "plain \\x1b text" },
	{ "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x94\x92", "caf\xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x94\x92" },
	{ "\x1b[2J\t\r\n\x7f", "\\x1b[2J\\x09\\x0d\\x0a\\x7f" },
	{ "\x1b]0;title\x07", "\\x1b]0;title\\x07" },
	{ "\xc2\x9b" "31m \xc2\x85", "\\xc2\\x9b31m \\xc2\\x85" },             /* C1: CSI and NEL */
	{ "\x9b" "31m \xff\xfe \xe2\x82", "\\x9b31m \\xff\\xfe \\xe2\\x82" },   /* not UTF-8: alone, and cut */
	{ "\xc0\x9b \xed\xa0\x80", "\\xc0\\x9b \\xed\\xa0\\x80" },             /* overlong, surrogate */
	{ "a\xe2\x80\xae" "b\xe2\x81\xa6" "c\xd8\x9c", "a\\u202eb\\u2066c\\u061c" }, /* override, isolate, mark */
	{ "\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf\xe2\x80\x8b", "\\u2028\\u2029\\ufeff\\u200b" },
	{ "\xf3\xa0\x81\xa1", "\\U000e0061" },                                 /* a tag: invisible text */
	{ "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac" }, /* emoji join */
};

START_TEST(known_forms)
{
	char *text = terminal_text(known[_i].in);

	ck_assert_str_eq(text, known[_i].out);
	free(text);
}
END_TEST

START_TEST(one_character_at_a_time)
{
	char one[TERMINAL_CHAR_MAX];
	size_t len;

	ck_assert_uint_eq(terminal_char("\xf3\xa0\x81\xa1x", one, &len), 10);
	ck_assert_uint_eq(len, 4);
	ck_assert_uint_eq(terminal_char("\xc3", one, &len), 4);
	ck_assert_uint_eq(len, 1);
	ck_assert_uint_eq(terminal_char("xy", one, &len), 1);
	ck_assert_str_eq(one, "x");
}
END_TEST

/* ---- what is printed; standard output goes where run_child() listens ---- */

static void to_stderr(void)
{
	dup2(STDERR_FILENO, STDOUT_FILENO);
}

static void tell_all(void *arg)
{
	(void)arg;
	to_stderr();
	tell("%s|%5s|%-5s|%.2s|%-4.2s|%*s|%.*s|%c|%%\n", "a\nb", "\xc3\xa9", "\xc3\xa9", "\xc3\xa9t\xc3\xa9", "\xe6\x97\xa5x", -3, "l", 1, "cut", '\x1b');
	tell("%d %5lld %-4ld|%zu %llu %02x %+.2f %8.3g %*d\n", -1, 7LL, 8L, (size_t)9, 10ULL, 11u, 1.5, 0.25, 4, 3);
	tell("\ttab and end of fmt stay\n");
	tell("%.3s|%6s\n", "\x1b" "ab", "\x1b");
	fflush(stdout);
}

START_TEST(tell_prints_as_printf_does_but_for_texts)
{
	char *text;

	ck_assert_int_eq(run_child(tell_all, NULL, &text), 0);
	ck_assert_str_eq(text, "a\\x0ab|    \xc3\xa9|\xc3\xa9    |\xc3\xa9t|\xe6\x97\xa5x  |l  |c|\\x1b|%\n"
			       "-1     7 8   |9 10 0b +1.50     0.25    3\n"
			       "\ttab and end of fmt stay\n"
			       "|  \\x1b\n"); /* no half of a form: its four columns do not fit into three */
	free(text);
}
END_TEST

static void tell_anything(void *arg)
{
	struct rng r;

	(void)arg;
	to_stderr();
	rng_open(&r, 7, "terminal", 0, 0);
	for (int i = 0; i < 40; i++) {
		char s[9] = "";

		for (int k = 0; k < 8; k++)
			s[k] = (char)(1 + rng_below(&r, 255));
		tell("%s%20.9s", s, s);
	}
	fflush(stdout);
}

START_TEST(no_bytes_get_through)
{
	char *text;

	ck_assert_int_eq(run_child(tell_anything, NULL, &text), 0);
	ck_assert_uint_gt(strlen(text), 1000);
	for (size_t len, at = 0; text[at]; at += len) {
		const int cp = utf8_next(text + at, &len);

		ck_assert_msg(cp >= 0 && !utf8_is_control(cp) && !utf8_is_hidden(cp), "U+%04x got through", (unsigned)cp);
	}
	free(text);
}
END_TEST

static void json_to_stdout(void *arg)
{
	to_stderr();
	tell_json(arg);
	fflush(stdout);
}

START_TEST(json_keeps_its_value)
{
	json_t *j = json_pack("{s:s, s:[s]}", "na\xc2\x9bme", "\x1b[2J\x7f caf\xc3\xa9 \xe2\x80\xae", "tags", "\xf3\xa0\x81\xa1\xf0\x9f\x94\x92"), *again;
	char *pretty = json_pretty(j), *text;

	ck_assert_int_eq(run_child(json_to_stdout, pretty, &text), 0);
	ck_assert_ptr_nonnull(strstr(text, "\"na\\u009bme\": \"\\u001B[2J\\u007f caf\xc3\xa9 \\u202e\""));
	ck_assert_ptr_nonnull(strstr(text, "\\udb40\\udc61\xf0\x9f\x94\x92"));
	again = json_read_text(text, strlen(text), "again");
	ck_assert_msg(json_equal(j, again), "%s", error_text());
	json_decref(again);
	json_decref(j);
	free(pretty);
	free(text);
}
END_TEST

START_TEST(utf8_is_strict)
{
	static const char *const bad[] = { "\xc0\xaf", "\xc1\x81", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5", "\x80",
					   "\xe2\x82" };
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(utf8_next(bad[i], &len), -1);
	ck_assert_int_eq(utf8_next("\xf0\x9f\x94\x92", &len), 0x1f512);
	ck_assert_uint_eq(len, 4);
	ck_assert_uint_eq(utf8_width("\xc3\xa9t\xc3\xa9"), 3);
}
END_TEST

Suite *suite_terminal(void);
Suite *suite_terminal(void)
{
	Suite *s = suite_create("terminal");
	TCase *tc = tcase_create("terminal");

	tcase_add_loop_test(tc, known_forms, 0, ARRAY_LEN(known));
	tcase_add_test(tc, one_character_at_a_time);
	tcase_add_test(tc, tell_prints_as_printf_does_but_for_texts);
	tcase_add_test(tc, no_bytes_get_through);
	tcase_add_test(tc, json_keeps_its_value);
	tcase_add_test(tc, utf8_is_strict);
	suite_add_tcase(s, tc);
	return s;
}
