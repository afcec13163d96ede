/* Threads over tiles: a pool of pthreads that the caller works along with. See tile.h.
 *
 * Not OpenMP, for three reasons that were measured: at the end of an OpenMP loop everybody waits for every thread, also for
 * one that the system has not let run yet, which makes two threads on a busy machine 4 to 7 times slower than one; a process that
 * used libgomp and forks hangs in the child; and ThreadSanitizer cannot see libgomp's locks. Here the caller waits only for
 * tiles that somebody has begun, a forked child starts a pool of its own, and every lock is one that TSan knows. */
#include "base/tile.h"
#include "base/error.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

/* Looks before sleeping. An idle thread looks for some ten microseconds, the usual gap between two loops. The caller looks only
 * briefly for the last tile: on a busy machine whoever spins is the one that the system puts aside. */
#define IDLE_LOOKS 2000
#define LAST_LOOKS 100

static int threads = 1;
static _Thread_local int self = -1; /* this thread's number inside a loop, -1 outside */

/* The loop under way. Tiles are claimed without a lock, because some take less time than two threads need to quarrel about one: whoever
 * moves `claim` on has the tile. It holds the loop's number too, so a thread that fell asleep over an old loop claims nothing of a new one,
 * and what it read of n and limit in between does not matter. fn and ctx are read by who has a tile, which the loop does not end without. */
static struct {
	pthread_mutex_t lock; /* for sleeping only */
	pthread_cond_t work, done;
	int started; /* pool threads there are, numbered 1 .. started */
	void (*fn)(void *ctx, int i, int thread);
	void *ctx;
	atomic_uint n, limit;  /* tiles; threads that may take part */
	atomic_ulong claim;    /* loop's number << 32 | next tile */
	atomic_uint finished;  /* tiles of this loop */
	atomic_int sleepers;   /* idle threads that look no more */
	atomic_bool waiting;   /* the caller looks no more */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, .done = PTHREAD_COND_INITIALIZER };

_Static_assert(sizeof(unsigned long) == 8, "a loop's number and a tile's fit into one word");

/* Processors this process may use, which under taskset or a container is fewer than the machine has. */
static int usable_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return CPU_COUNT(&set);
	return (int)sysconf(_SC_NPROCESSORS_ONLN); /* more processors than a cpu_set_t holds */
}

int tile_threads(int n)
{
	if (n == 0)
		n = usable_processors();
	if (n < 1)
		n = 1;
	threads = n < TILE_MAX_THREADS ? n : TILE_MAX_THREADS;
	return threads;
}

int tile_threads_get(void)
{
	return threads;
}

static unsigned loop_now(void)
{
	return (unsigned)(atomic_load(&pool.claim) >> 32);
}

/* Take tiles of this loop until none is left. */
static void take_tiles(unsigned loop)
{
	for (;;) {
		unsigned long at = atomic_load(&pool.claim);
		const unsigned i = (unsigned)at, n = atomic_load(&pool.n);

		if ((unsigned)(at >> 32) != loop || i >= n || (unsigned)self >= atomic_load(&pool.limit))
			return;
		if (!atomic_compare_exchange_weak(&pool.claim, &at, at + 1))
			continue;
		pool.fn(pool.ctx, (int)i, self);
		if (atomic_fetch_add(&pool.finished, 1) + 1 == n && atomic_load(&pool.waiting)) {
			pthread_mutex_lock(&pool.lock);
			pthread_cond_signal(&pool.done);
			pthread_mutex_unlock(&pool.lock);
		}
	}
}

static void wait_for_work(unsigned seen)
{
	for (int k = 0; k < IDLE_LOOKS; k++) {
		if (loop_now() != seen)
			return;
		__builtin_ia32_pause();
	}
	pthread_mutex_lock(&pool.lock);
	atomic_fetch_add(&pool.sleepers, 1);
	while (loop_now() == seen)
		pthread_cond_wait(&pool.work, &pool.lock);
	atomic_fetch_sub(&pool.sleepers, 1);
	pthread_mutex_unlock(&pool.lock);
}

static void *pool_thread(void *number)
{
	unsigned seen = 0;

	self = (int)(size_t)number;
	for (;;) {
		wait_for_work(seen);
		seen = loop_now();
		take_tiles(seen);
	}
	return NULL;
}

/* A forked child has the memory but not the threads. */
static void forget_pool(void)
{
	pthread_mutex_init(&pool.lock, NULL);
	pthread_cond_init(&pool.work, NULL);
	pthread_cond_init(&pool.done, NULL);
	pool.started = 0;
	atomic_store(&pool.sleepers, 0);
	atomic_store(&pool.claim, 0); /* whose number new threads have seen */
	self = -1;
}

static void start_threads(int want)
{
	static bool prepared;

	if (!prepared)
		prepared = pthread_atfork(NULL, NULL, forget_pool) == 0;
	while (pool.started < want) {
		pthread_attr_t attr;
		pthread_t t;
		int failed;

		pthread_attr_init(&attr);
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		failed = pthread_create(&t, &attr, pool_thread, (void *)(size_t)(pool.started + 1));
		pthread_attr_destroy(&attr);
		if (failed)
			return; /* fewer threads do the same work, to the same bits */
		pool.started++;
	}
}

/* Wait until every tile is finished: those that nobody has begun are the caller's own. */
static void wait_for_tiles(unsigned n)
{
	for (int k = 0; k < LAST_LOOKS; k++) {
		if (atomic_load(&pool.finished) == n)
			return;
		__builtin_ia32_pause();
	}
	pthread_mutex_lock(&pool.lock);
	atomic_store(&pool.waiting, true);
	while (atomic_load(&pool.finished) != n)
		pthread_cond_wait(&pool.done, &pool.lock);
	atomic_store(&pool.waiting, false);
	pthread_mutex_unlock(&pool.lock);
}

static void run_loop(int n, void (*fn)(void *ctx, int i, int thread), void *ctx)
{
	const unsigned last = loop_now();
	unsigned loop = last + 1;

	loop += !loop; /* 0 is what a new thread has seen */
	self = 0;
	/* Close the last loop first: who has read that it was done, and then reads this one's n, must find that claim has moved. */
	atomic_store(&pool.claim, (unsigned long)last << 32 | UINT32_MAX);
	pool.fn = fn;
	pool.ctx = ctx;
	atomic_store(&pool.finished, 0);
	atomic_store(&pool.limit, (unsigned)threads);
	atomic_store(&pool.n, (unsigned)n);
	atomic_store(&pool.claim, (unsigned long)loop << 32);
	if (atomic_load(&pool.sleepers)) {
		pthread_mutex_lock(&pool.lock);
		pthread_cond_broadcast(&pool.work);
		pthread_mutex_unlock(&pool.lock);
	}
	take_tiles(loop);
	wait_for_tiles((unsigned)n);
	self = -1;
}

void tile_for(int n, void (*fn)(void *ctx, int i, int thread), void *ctx)
{
	if (n <= 1 || threads == 1 || self >= 0) {
		/* A nested call keeps the number of the thread it runs on: two of them must not share scratch. */
		const int number = self >= 0 ? self : 0;

		for (int i = 0; i < n; i++)
			fn(ctx, i, number);
		return;
	}
	start_threads(threads - 1);
	run_loop(n, fn, ctx);
}
