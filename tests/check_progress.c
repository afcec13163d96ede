/* base/progress.c: durations, plain lines, and the bar as a terminal gets it. */
#include <check.h>
#include <math.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/progress.h"
#include "tests/support_sandbox.h"

static const struct duration {
	double seconds;
	const char *text;
} durations[] = {
	{ 0, "0 s" }, { 3.2, "3 s" }, { 59.4, "59 s" }, { 59.6, "1 min 00 s" }, { 130, "2 min 10 s" }, { 125, "2 min 05 s" },
	{ 3599.7, "1 h 00 min" }, { 3900, "1 h 05 min" }, { 360000, "100 h 00 min" }, { -1, "?" }, { NAN, "?" },
	{ INFINITY, "?" }, { 1e300, "?" },
};

START_TEST(durations_read_well)
{
	char buf[32];

	ck_assert_str_eq(duration_text(durations[_i].seconds, buf), durations[_i].text);
}
END_TEST

START_TEST(clock_goes_forward)
{
	double t = now_seconds();

	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	ck_assert_double_ge(now_seconds() - t, 0.02);
	ck_assert_double_lt(now_seconds() - t, 5);
}
END_TEST

/* ---- not a terminal: stderr is a pipe ---- */

static void thousand_steps(void *arg)
{
	struct progress p;

	progress_quiet = arg != NULL;
	progress_start(&p, "train", 1000);
	for (int i = 0; i <= 1000; i++)
		progress_step(&p, i, NULL);
	progress_end(&p, "loss 0.31");
}

static void slow_steps(void *arg)
{
	struct progress p;

	(void)arg;
	progress_start(&p, "train\x1b[2J", 200);
	p.start -= 30;
	p.last -= 9; /* nine seconds since the last line: too early */
	progress_step(&p, 50, "early");
	p.last -= 2;
	progress_step(&p, 50, "acc 0.5");
	progress_step(&p, 51, "again");
	progress_end(&p, NULL);
}

static void hostile_label(void *arg)
{
	struct progress p;

	(void)arg;
	progress_start(&p, "caf\xc3\xa9\xc2\x9b" "31m\xe2\x80\xae\xff", 10);
	progress_end(&p, "\nfake: done");
}

static void unknown_total(void *arg)
{
	struct progress p;

	(void)arg;
	progress_start(&p, "count", 0);
	p.last -= 11;
	progress_step(&p, 1234, NULL);
	progress_end(&p, NULL);
}

static const struct plain {
	void (*fn)(void *);
	void *arg;
	const char *text;
} plains[] = {
	{ thousand_steps, NULL, "train: done in 0 s, loss 0.31\n" },
	{ thousand_steps, "quiet", "" },
	{ slow_steps, NULL, "train\\x1b[2J: 25%, 1 min 30 s left, acc 0.5\ntrain\\x1b[2J: done in 30 s\n" },
	{ hostile_label, NULL, "caf\xc3\xa9\\xc2\\x9b31m\\u202e\\xff: done in 0 s, \\x0afake: done\n" },
	{ unknown_total, NULL, "count: 1234\ncount: done in 0 s\n" },
};

START_TEST(plain_lines_are_few)
{
	char *text;

	ck_assert_int_eq(run_child(plains[_i].fn, plains[_i].arg, &text), 0);
	ck_assert_str_eq(text, plains[_i].text);
	free(text);
}
END_TEST

/* ---- a terminal ---- */

/* What the bar prints on a terminal so many columns wide (0: size unknown), four steps of a run. false: this machine gives
 * no terminals (a container without /dev/pts). */
static bool run_on_terminal(int columns, char *text, size_t size)
{
	struct winsize w = { .ws_row = 24, .ws_col = (unsigned short)columns };
	int master, slave, keep = dup(STDERR_FILENO);
	struct progress p;
	size_t used = 0;
	ssize_t k;

	setenv("TERM", "xterm", 1);
	if (openpty(&master, &slave, NULL, NULL, &w)) {
		fprintf(stderr, "skipped: the bar on a terminal (openpty: no terminal to be had)\n");
		return false;
	}
	dup2(slave, STDERR_FILENO);
	progress_start(&p, "caf\xc3\xa9 training of a base model with a long name", 100);
	p.start -= 10;
	for (int i = 1; i <= 4; i++) {
		p.last -= 1;
		progress_step(&p, 25.0 * i, "loss 0.31 and a note that is as long as notes can be, longer than a line\nbreak");
		progress_step(&p, 25.0 * i, "too early");
	}
	progress_end(&p, "fin");
	dup2(keep, STDERR_FILENO);
	close(slave);
	while ((k = read(master, text + used, size - 1 - used)) > 0) /* EIO at the end */
		used += (size_t)k;
	text[used] = '\0';
	close(master);
	return true;
}

static int columns_of(const char *s, const char *end)
{
	int n = 0;

	for (; s < end; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static const int widths[] = { 20, 40, 80, 200, 0 };

START_TEST(bar_is_one_line_that_fits)
{
	int width = widths[_i] ? widths[_i] : 80, bars = 0;
	char text[8192], *end;

	if (!run_on_terminal(widths[_i], text, sizeof(text)))
		return;
	for (char *s = text; (s = strchr(s, '\r')) && (end = strstr(s, "\033[K")); s = end) {
		ck_assert_int_lt(columns_of(s + 1, end), width);
		ck_assert_ptr_null(memchr(s, '\n', (size_t)(end - s)));
		ck_assert(end == s + 1 || memmem(s, (size_t)(end - s), "s left", 6)); /* however narrow */
		bars += end > s + 1;
	}
	ck_assert_int_eq(bars, 4);
	ck_assert_ptr_null(strstr(text, "too early"));
	ck_assert_ptr_nonnull(strstr(text, "\r\033[Kcaf\xc3\xa9 training of a base model with a long name: done in 10 s, fin"));
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
	if (width >= 200) {
		ck_assert_ptr_nonnull(strstr(text, "[######..................]  25%, 30 s left  loss 0.31"));
		ck_assert_ptr_nonnull(strstr(text, "[########################] 100%, 0 s left"));
	}
}
END_TEST

Suite *suite_progress(void);
/* Other suites silence the bar; Check makes every suite before it runs the first test. */
static void not_quiet(void)
{
	progress_quiet = 0;
}

Suite *suite_progress(void)
{
	Suite *s = suite_create("progress");
	TCase *tc = tcase_create("progress");

	tcase_add_checked_fixture(tc, not_quiet, NULL);
	tcase_add_loop_test(tc, durations_read_well, 0, ARRAY_LEN(durations));
	tcase_add_test(tc, clock_goes_forward);
	tcase_add_loop_test(tc, plain_lines_are_few, 0, ARRAY_LEN(plains));
	tcase_add_loop_test(tc, bar_is_one_line_that_fits, 0, ARRAY_LEN(widths));
	suite_add_tcase(s, tc);
	return s;
}
