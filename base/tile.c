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
#include <unistd.h>

/* Looks before sleeping. An idle thread looks for some ten microseconds, the usual gap between two loops. The caller looks only
 * briefly for the last tile: on a busy machine whoever spins is the one that the system puts aside. */
#define IDLE_LOOKS 2000
#define LAST_LOOKS 100

static int threads = 1;
static _Thread_local int self = -1; /* this thread's number inside a loop, -1 outside */

/* The loop under way. next and running are changed under the lock; the atomics are for looking without it. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	int started; /* pool threads there are, numbered 1 .. started */
	void (*fn)(void *ctx, int i, int thread);
	void *ctx;
	int n, next, limit; /* tiles, the next one, threads that may take part */
	atomic_int running; /* tiles begun and not finished */
	atomic_uint loops;  /* counts loops: how an idle thread sees that there is work */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, .done = PTHREAD_COND_INITIALIZER };

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

/* Take tiles until none is left. Called and left with the lock held. */
static void take_tiles(void)
{
	while (pool.next < pool.n) {
		const int i = pool.next++;

		atomic_fetch_add(&pool.running, 1);
		pthread_mutex_unlock(&pool.lock);
		pool.fn(pool.ctx, i, self);
		pthread_mutex_lock(&pool.lock);
		if (atomic_fetch_sub(&pool.running, 1) == 1 && pool.next >= pool.n)
			pthread_cond_signal(&pool.done);
	}
}

static void *pool_thread(void *number)
{
	unsigned seen = 0;

	self = (int)(size_t)number;
	for (;;) {
		for (int k = 0; k < IDLE_LOOKS && atomic_load(&pool.loops) == seen; k++)
			__builtin_ia32_pause();
		pthread_mutex_lock(&pool.lock);
		while (atomic_load(&pool.loops) == seen)
			pthread_cond_wait(&pool.work, &pool.lock);
		seen = atomic_load(&pool.loops);
		if (self < pool.limit)
			take_tiles();
		pthread_mutex_unlock(&pool.lock);
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
	atomic_store(&pool.running, 0);
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
	pthread_mutex_lock(&pool.lock);
	self = 0;
	pool.fn = fn;
	pool.ctx = ctx;
	pool.n = n;
	pool.next = 0;
	pool.limit = threads;
	atomic_fetch_add(&pool.loops, 1);
	pthread_cond_broadcast(&pool.work);
	take_tiles();
	pthread_mutex_unlock(&pool.lock);
	for (int k = 0; k < LAST_LOOKS && atomic_load(&pool.running); k++)
		__builtin_ia32_pause();
	pthread_mutex_lock(&pool.lock);
	while (atomic_load(&pool.running))
		pthread_cond_wait(&pool.done, &pool.lock);
	self = -1;
	pthread_mutex_unlock(&pool.lock);
}
