/* base/error.c: the first message is kept, what is printed is safe, allocation never returns NULL. */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "tests/support_sandbox.h"

START_TEST(first_message_wins_until_cleared)
{
	ck_assert_str_eq(error_text(), "");
	ck_assert_int_eq(error_code(), EXIT_YES);
	ck_assert_int_eq(error(EXIT_IO, "cause %d", 1), -1);
	ck_assert_int_eq(error(EXIT_NO, "consequence"), -1);
	ck_assert_str_eq(error_text(), "cause 1");
	ck_assert_int_eq(error_code(), EXIT_IO);
	error_clear();
	ck_assert_str_eq(error_text(), "");
	ck_assert_int_eq(error_code(), EXIT_YES);
	error(EXIT_NO, "another");
	ck_assert_str_eq(error_text(), "another");
	ck_assert_int_eq(error_code(), EXIT_NO);
}
END_TEST

START_TEST(prefix_goes_in_front)
{
	ck_assert_int_eq(error_prefix("nothing to prefix"), -1);
	ck_assert_str_eq(error_text(), "");
	error(EXIT_IO, "disk full");
	ck_assert_int_eq(error_prefix("%s.json", "cell"), -1);
	error_prefix("store");
	ck_assert_str_eq(error_text(), "store: cell.json: disk full");
	ck_assert_int_eq(error_code(), EXIT_IO);
}
END_TEST

START_TEST(long_message_is_cut_and_looks_cut)
{
	char *text = malloc(10001);
	size_t n;

	memset(text, 'x', 10000);
	text[10000] = '\0';
	error(EXIT_IO, "%s", text);
	error_prefix("%s", text);
	n = strlen(error_text());
	ck_assert_uint_gt(n, 1000);
	ck_assert_uint_lt(n, 10000);
	ck_assert_str_eq(error_text() + n - 4, "x...");
	free(text);
}
END_TEST

static void *fail_in_thread(void *seen)
{
	*(int *)seen = error_code() == EXIT_YES;
	error(EXIT_MEMORY, "mine");
	return NULL;
}

START_TEST(each_thread_has_its_own)
{
	pthread_t t;
	int started_clean;

	error(EXIT_IO, "main");
	pthread_create(&t, NULL, fail_in_thread, &started_clean);
	pthread_join(t, NULL);
	ck_assert(started_clean);
	ck_assert_str_eq(error_text(), "main");
}
END_TEST

/* ---- what ends the process: code and text ---- */

static void die_escape(void *arg)
{
	(void)arg;
	die(EXIT_UNEVALUABLE, "bad \x1b[31mname\n\x7f \xc2\x9b tab\t caf\xc3\xa9");
}

static void die_recorded(void *arg)
{
	(void)arg;
	error(EXIT_IO, "recorded %s", "cause");
	die(error_code(), NULL);
}

static void warn(void *arg)
{
	(void)arg;
	warning("%d\r%s", 7, "low disk");
}

static void hit_bug(void *arg)
{
	(void)arg;
	BUG_ON(1 + 1 == 2);
}

static void error_without_code(void *arg)
{
	(void)arg;
	error(EXIT_YES, "success is no error");
}

/* volatile: the compiler must not see through these sizes. */
static volatile size_t huge = SIZE_MAX / 2 + 2;

static void malloc_overflow(void *arg)
{
	(void)arg;
	xmalloc(huge, 2); /* wraps to 2 */
}

static void calloc_overflow(void *arg)
{
	(void)arg;
	xcalloc(huge, 4);
}

static void realloc_overflow(void *arg)
{
	(void)arg;
	xrealloc(NULL, huge, 8);
}

static void die_quickly(void *arg)
{
	(void)arg;
	die_now(EXIT_MEMORY, "no\nmore");
}

static void say_to_parent(enum lb_exit code, const char *text)
{
	fprintf(stderr, "told: %d %s\n", (int)code, text);
}

static void die_with_words(void *arg)
{
	(void)arg;
	die_words = say_to_parent;
	die(EXIT_IO, "%s", "full");
}

/* What fails on the way out is not told, and does not change the code. */
static void die_again(void)
{
	die(EXIT_MEMORY, "out of memory, too");
}

static void die_twice(void *arg)
{
	(void)arg;
	atexit(die_again);
	die(EXIT_IO, "the cause");
}

static void *die_in_thread(void *arg)
{
	pthread_barrier_wait(arg);
	die(EXIT_MEMORY, "out of memory");
}

/* Several threads at once: one line. */
static void die_together(void *arg)
{
	pthread_barrier_t all;
	pthread_t t;

	(void)arg;
	pthread_barrier_init(&all, NULL, 8);
	for (int i = 0; i < 7; i++)
		pthread_create(&t, NULL, die_in_thread, &all);
	die_in_thread(&all);
}

static const struct ending {
	void (*fn)(void *);
	int status;
	const char *text;
} endings[] = {
	{ die_escape, EXIT_UNEVALUABLE, "lockbench: bad \\x1b[31mname\\x0a\\x7f \\xc2\\x9b tab\\x09 caf\xc3\xa9\n" },
	{ die_recorded, EXIT_IO, "lockbench: recorded cause\n" },
	{ warn, 0, "lockbench: warning: 7\\x0dlow disk\n" },
	{ hit_bug, 128 + SIGABRT, "1 + 1 == 2" },
	{ error_without_code, 128 + SIGABRT, "base/error.c" },
	{ die_quickly, EXIT_MEMORY, "lockbench: no\\x0amore\n" },
	{ die_with_words, EXIT_IO, "told: 74 full\n" },
	{ die_twice, EXIT_IO, "lockbench: the cause\n" },
	{ die_together, EXIT_MEMORY, "lockbench: out of memory\n" },
	{ malloc_overflow, EXIT_MEMORY, "lockbench: out of memory" },
	{ calloc_overflow, EXIT_MEMORY, "lockbench: out of memory" },
	{ realloc_overflow, EXIT_MEMORY, "lockbench: out of memory" },
};

START_TEST(process_ends_with_code_and_one_line)
{
	const struct ending *e = &endings[_i];
	char *text;

	ck_assert_int_eq(run_child(e->fn, NULL, &text), e->status);
	ck_assert_msg(strstr(text, e->text) != NULL, "case %d printed: %s", _i, text);
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
	free(text);
}
END_TEST

START_TEST(allocations_are_what_they_say)
{
	unsigned char *z = xcalloc(1000, 3);
	char *s, *grown;

	for (int i = 0; i < 3000; i++)
		ck_assert_int_eq(z[i], 0);
	free(z);
	z = xmalloc(0, 8);
	ck_assert_ptr_nonnull(z);
	z = xrealloc(z, 0, 8);
	ck_assert_ptr_nonnull(z);
	free(z);
	s = xasprintf("%s-%05d", "cell", 42);
	ck_assert_str_eq(s, "cell-00042");
	grown = xrealloc(xstrdup(s), 1 << 20, 1);
	ck_assert_str_eq(grown, s);
	free(grown);
	free(s);
}
END_TEST

Suite *suite_error(void);
Suite *suite_error(void)
{
	Suite *s = suite_create("error");
	TCase *tc = tcase_create("error");

	tcase_add_test(tc, first_message_wins_until_cleared);
	tcase_add_test(tc, prefix_goes_in_front);
	tcase_add_test(tc, long_message_is_cut_and_looks_cut);
	tcase_add_test(tc, each_thread_has_its_own);
	tcase_add_loop_test(tc, process_ends_with_code_and_one_line, 0, ARRAY_LEN(endings));
	tcase_add_test(tc, allocations_are_what_they_say);
	suite_add_tcase(s, tc);
	return s;
}
