/* base/tile.c: each tile once, same bits for any number of threads. a forked child gets threads of its own. */
#include <check.h>
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/tile.h"
#include "tests/support_sandbox.h"

#define TILES 1000

struct counts {
	atomic_int calls[TILES];
	atomic_int bad_thread;
	int threads;
};

static void count(void *ctx, int i, int thread)
{
	struct counts *c = ctx;

	atomic_fetch_add(&c->calls[i], 1);
	if (thread < 0 || thread >= c->threads)
		atomic_store(&c->bad_thread, 1);
}

static void mark(void *ctx, int i, int thread)
{
	(void)thread;
	atomic_fetch_add((atomic_char *)ctx + i, 1);
}

static const struct { int threads, n; } loops[] = {
	{ 1, TILES }, { 2, TILES }, { 4, TILES }, { 64, TILES }, { 4, 3 }, { 4, 1 }, { 4, 0 }, { 4, -1 },
};

START_TEST(each_tile_once)
{
	static struct counts c;
	int n = loops[_i].n;

	c.threads = tile_threads(loops[_i].threads);
	ck_assert_int_eq(c.threads, loops[_i].threads);
	tile_for(n, count, &c);
	for (int i = 0; i < TILES; i++)
		ck_assert_int_eq(c.calls[i], i < n);
	ck_assert(!c.bad_thread);
}
END_TEST

/* More tiles than a share's word can number: they go several at a time, the last ones fewer. */
START_TEST(a_long_loop_is_whole)
{
	enum { LONG = 3 * 65535 - 2 };
	static atomic_char seen[LONG];

	tile_threads(3);
	tile_for(LONG, mark, seen);
	for (int i = 0; i < LONG; i++)
		ck_assert_msg(atomic_load(&seen[i]) == 1, "tile %d ran %d times", i, seen[i]);
}
END_TEST

/* Short loops one after the other, of changing length: a thread that comes late to one must not take a tile of the next for its own. */
START_TEST(loops_do_not_mix)
{
	static struct counts c;

	c.threads = tile_threads(32);
	for (int k = 0; k < 5000; k++) {
		const int n = k % 2 ? 2 : TILES - 1;

		tile_for(n, count, &c);
		for (int i = 0; i < n; i++) {
			ck_assert_msg(atomic_load(&c.calls[i]) == 1, "loop %d: tile %d of %d ran %d times", k, i, n, c.calls[i]);
			atomic_store(&c.calls[i], 0);
		}
		ck_assert_int_eq(c.calls[n], 0);
	}
	ck_assert(!c.bad_thread);
}
END_TEST

static int threads_there(void)
{
	size_t n;
	char **names = dir_list("/proc/self/task", 1000, &n);

	dir_list_free(names, n);
	return (int)n;
}

/* A thread that has been joined may be listed for a moment still. */
static bool threads_become(int n)
{
	const struct timespec nap = { .tv_nsec = 1000000 };

	for (int i = 0; i < 2000 && threads_there() != n; i++)
		nanosleep(&nap, NULL);
	return threads_there() == n;
}

/* Asleep, awake and just started: they end, and the next loop starts them again. */
START_TEST(threads_end_when_told)
{
	const struct timespec moment = { .tv_nsec = 50000000 };
	static struct counts c;
	int before;

	c.threads = tile_threads(4);
	tile_for(TILES, count, &c);
	tile_stop();
	nanosleep(&moment, NULL);
	before = threads_there(); /* a sanitizer has one of its own by now */
	for (int k = 0; k < 200; k++) {
		const struct timespec nap = { .tv_nsec = k % 10 ? 0 : 2000000 };

		memset(&c.calls, 0, sizeof(c.calls));
		tile_for(TILES, count, &c);
		for (int i = 0; i < TILES; i++)
			ck_assert_int_eq(c.calls[i], 1);
		nanosleep(&nap, NULL);
		if (k % 20 == 0)
			ck_assert(threads_become(before + 3));
		tile_stop();
		if (k % 20 == 0)
			ck_assert(threads_become(before));
		if (k % 3 == 0)
			tile_stop(); /* of nobody */
	}
}
END_TEST

/* Where no thread can be started the caller does the work alone, and is not asked again at each loop. */
static void work_alone(void *unused)
{
	static struct counts c;
	struct rlimit none = { 1, 1 };
	int right = 0;

	(void)unused;
	if (geteuid() == 0 && (setresgid(61235, 61235, 61235) || setresuid(61235, 61235, 61235))) /* root has no such limit */
		_exit(1);
	if (setrlimit(RLIMIT_NPROC, &none))
		_exit(2);
	c.threads = tile_threads(8);
	tile_for(TILES, count, &c);
	for (int i = 0; i < TILES; i++)
		right += c.calls[i] == 1;
	_exit(right == TILES && !c.bad_thread ? 0 : 3);
}

START_TEST(refused_threads_are_done_without)
{
	ck_assert_int_eq(run_child(work_alone, NULL, NULL), 0);
}
END_TEST

START_TEST(number_of_threads_is_bounded)
{
	cpu_set_t set, one;

	ck_assert_int_eq(tile_threads_get(), 1); /* until somebody asks */
	ck_assert_int_eq(tile_threads(3), 3);
	ck_assert_int_eq(tile_threads_get(), 3);
	ck_assert_int_eq(tile_threads(1000), TILE_MAX_THREADS);
	ck_assert_int_eq(tile_threads(-5), 1);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	ck_assert_int_eq(tile_threads(0), CPU_COUNT(&set) < TILE_MAX_THREADS ? CPU_COUNT(&set) : TILE_MAX_THREADS);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	ck_assert_int_eq(tile_threads(0), 1); /* what this process may use, not what the machine has */
}
END_TEST

static void partial_sum(void *ctx, int i, int thread)
{
	double *sums = ctx;

	(void)thread;
	sums[i] = 0;
	for (int k = 0; k < 500; k++)
		sums[i] += sin(i * 500.0 + k) * 1e-3;
}

START_TEST(same_bits_for_any_number_of_threads)
{
	static double one[TILES], many[TILES];

	tile_threads(1);
	tile_for(TILES, partial_sum, one);
	for (int threads = 2; threads <= 7; threads++) {
		tile_threads(threads);
		tile_for(TILES, partial_sum, many);
		ck_assert_mem_eq(one, many, sizeof(one));
	}
}
END_TEST

/* A nested call must stay on its thread and keep its number: scratch is picked by it. */
struct nest {
	atomic_int in_use[TILE_MAX_THREADS];
	atomic_int clashes, inner, moved;
};

struct inner {
	struct nest *nest;
	int outer_thread;
};

static void inner_tile(void *ctx, int i, int thread)
{
	struct inner *in = ctx;

	(void)i;
	atomic_fetch_add(&in->nest->inner, 1);
	if (thread != in->outer_thread)
		atomic_fetch_add(&in->nest->moved, 1);
}

static void outer_tile(void *ctx, int i, int thread)
{
	struct nest *n = ctx;
	struct inner in = { n, thread };

	(void)i;
	ck_assert_int_eq(tile_threads_here(), 1);
	if (atomic_fetch_add(&n->in_use[thread], 1))
		atomic_fetch_add(&n->clashes, 1);
	tile_for(10, inner_tile, &in);
	atomic_fetch_sub(&n->in_use[thread], 1);
}

START_TEST(nested_calls_keep_their_thread)
{
	static struct nest n;

	tile_threads(4);
	ck_assert_int_eq(tile_threads_here(), 4);
	tile_for(200, outer_tile, &n);
	ck_assert_int_eq(n.inner, 2000);
	ck_assert_int_eq(n.moved, 0);
	ck_assert_int_eq(n.clashes, 0);
}
END_TEST

#ifndef __SANITIZE_THREAD__ /* TSan refuses threads in a forked child */
/* The pool's threads do not survive a fork; the child must notice and start its own. */
static void count_in_child(void *ctx, int i, int thread)
{
	(void)i, (void)thread;
	atomic_fetch_add((atomic_int *)ctx, 1);
}

START_TEST(a_forked_child_goes_on)
{
	atomic_int done = 0;
	int status;
	pid_t pid;

	tile_threads(3);
	tile_for(50, count_in_child, &done);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		alarm(3);
		atomic_store(&done, 0);
		tile_for(50, count_in_child, &done);
		_exit(atomic_load(&done) == 50 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_int_eq(atomic_load(&done), 50);
}
END_TEST
#endif

Suite *suite_tile(void);
Suite *suite_tile(void)
{
	Suite *s = suite_create("tile");
	TCase *tc = tcase_create("tile");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, each_tile_once, 0, ARRAY_LEN(loops));
	tcase_add_test(tc, a_long_loop_is_whole);
	tcase_add_test(tc, loops_do_not_mix);
#ifndef __SANITIZE_THREAD__
	tcase_add_test(tc, a_forked_child_goes_on);
#endif
	tcase_add_test(tc, threads_end_when_told);
	tcase_add_test(tc, refused_threads_are_done_without);
	tcase_add_test(tc, number_of_threads_is_bounded);
	tcase_add_test(tc, same_bits_for_any_number_of_threads);
	tcase_add_test(tc, nested_calls_keep_their_thread);
	suite_add_tcase(s, tc);
	return s;
}
