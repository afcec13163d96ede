/* base/interrupt.c: the first signal is a flag, the second ends the process. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "tests/support_sandbox.h"

static const struct signal_case {
	int sig;
	enum lb_exit code;
} cases[] = { { SIGINT, EXIT_SIGINT }, { SIGTERM, EXIT_SIGTERM } };

START_TEST(first_signal_is_a_flag)
{
	interrupt_install();
	ck_assert_int_eq(interrupt_check(), 0);
	ck_assert_int_eq(interrupt_signal(), 0);
	raise(cases[_i].sig);
	ck_assert_int_eq(interrupt_signal(), cases[_i].sig);
	ck_assert_int_eq(interrupt_check(), -1);
	ck_assert_int_eq(error_code(), cases[_i].code);
}
END_TEST

static void two_signals(void *sig)
{
	interrupt_install();
	raise(SIGINT);
	raise(*(int *)sig);
	exit(0);
}

START_TEST(second_signal_ends_at_once)
{
	int sig = cases[_i].sig;

	ck_assert_int_eq(run_child(two_signals, &sig, NULL), cases[_i].code);
}
END_TEST

static void limit_processor_time(rlim_t seconds)
{
	struct rlimit r = { seconds, seconds };

	ck_assert_int_eq(setrlimit(RLIMIT_CPU, &r), 0);
	interrupt_install();
}

/* The system would kill after a second; the flag comes before that. */
START_TEST(end_of_processor_time_is_a_flag)
{
	limit_processor_time(1);
	while (!interrupt_signal())
		;
	ck_assert_int_eq(interrupt_signal(), SIGXCPU);
	ck_assert_int_eq(interrupt_check(), -1);
	ck_assert_int_eq(error_code(), EXIT_MEMORY);
	ck_assert_ptr_nonnull(strstr(error_text(), "processor time"));
}
END_TEST

static void work_on(void *unused)
{
	(void)unused;
	limit_processor_time(1);
	while (interrupt_signal() >= 0)
		;
}

START_TEST(who_looks_at_no_flag_ends_with_a_line)
{
	char *text;

	ck_assert_int_eq(run_child(work_on, NULL, &text), EXIT_MEMORY);
	ck_assert_ptr_nonnull(strstr(text, "processor time"));
	free(text);
}
END_TEST

START_TEST(broken_pipe_does_not_kill)
{
	int ends[2];

	interrupt_install();
	ck_assert_int_eq(pipe(ends), 0);
	close(ends[0]);
	ck_assert_int_eq(write(ends[1], "x", 1), -1);
	ck_assert_int_eq(interrupt_signal(), 0);
}
END_TEST

START_TEST(sleeping_call_wakes)
{
	struct timespec nap = { .tv_nsec = 50000000 };
	int ends[2];
	pid_t pid;
	char c;

	interrupt_install();
	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		nanosleep(&nap, NULL);
		kill(getppid(), SIGINT);
		sleep(3); /* holds the pipe open: a restarted read() would wait for this */
		_exit(0);
	}
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &c, 1), -1);
	ck_assert_int_eq(interrupt_check(), -1);
	kill(pid, SIGKILL);
}
END_TEST

Suite *suite_interrupt(void);
Suite *suite_interrupt(void)
{
	Suite *s = suite_create("interrupt");
	TCase *tc = tcase_create("interrupt");

	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(tc, first_signal_is_a_flag, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tc, second_signal_ends_at_once, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, end_of_processor_time_is_a_flag);
	tcase_add_test(tc, who_looks_at_no_flag_ends_with_a_line);
	tcase_add_test(tc, broken_pipe_does_not_kill);
	tcase_add_test(tc, sleeping_call_wakes);
	suite_add_tcase(s, tc);
	return s;
}
