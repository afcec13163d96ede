/* Threads over tiles: a pool of pthreads that the caller works along with. See tile.h.
 *
 * Not OpenMP, for three reasons that were measured: at the end of an OpenMP loop everybody waits for every thread, also for
 * one that the system has not let run yet, which makes two threads on a busy machine 4 to 7 times slower than one; a process that
 * used libgomp and forks hangs in the child; and ThreadSanitizer cannot see libgomp's locks. Here the caller waits only for
 * tiles that somebody has begun, a forked child starts a pool of its own, and every lock is one that TSan knows. */
#include "base/tile.h"
#include "base/error.h"
#include "base/process.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

/* Looks before sleeping: some fifty microseconds, more than the usual gap between two loops and than the usual wait for another's last
 * tile. Waking a sleeper costs about as much. */
#define LOOKS 10000

static int threads = 1;
static _Thread_local int self = -1; /* this thread's number inside a loop, -1 outside */

/* The loop under way. Each thread has a share of the tiles, always the same of loops of a size, so that what it wrote in one is in its own
 * cache for the next; who is done with its own takes from the end of another's. Tiles are claimed without a lock, because some take less
 * time than two threads need to quarrel about one: whoever changes a share's word has the tile. The word holds the loop's number too, so
 * a thread that fell asleep over an old loop claims nothing of a new one. fn and ctx are read by who has a tile, which the loop does not
 * end without. */
struct share {
	_Alignas(64) atomic_ulong left; /* loop's number << 32 | first tile << 16 | behind the last tile */
};
#define TILE_MAX 65535 /* a larger loop's tiles are claimed several at a time */

static struct {
	pthread_mutex_t lock; /* for sleeping only */
	pthread_cond_t work, done;
	int started; /* pool threads there are, numbered 1 .. started */
	bool refused; /* the system gives no more of them */
	pthread_t thread[TILE_MAX_THREADS]; /* 1 .. started */
	atomic_bool quit; /* tile_stop() waits for them to end */
	unsigned loop; /* number of the loop under way or the last one; the caller's alone */
	void (*fn)(void *ctx, int i, int thread);
	void *ctx;
	int n, stride;        /* tiles; tiles that are claimed at once */
	unsigned claims;      /* until all are */
	atomic_uint finished; /* claims of this loop that are worked off */
	atomic_int sleepers;  /* idle threads that look no more */
	atomic_bool waiting;  /* the caller looks no more */
	atomic_int sharers;   /* threads that have a share */
	struct share share[TILE_MAX_THREADS];
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, .done = PTHREAD_COND_INITIALIZER };

_Static_assert(sizeof(unsigned long) == 8, "a loop's number and two tiles' fit into one word");

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

int tile_threads_here(void)
{
	return self >= 0 ? 1 : threads;
}

static unsigned loop_of(unsigned long word)
{
	return (unsigned)(word >> 32);
}

/* The next tile of a share, by its owner from the front and by others from the end; -1: none is left, or the share is of another loop. */
static int claim(struct share *s, unsigned loop, bool own)
{
	unsigned long word = atomic_load(&s->left);

	for (;;) {
		const unsigned first = word >> 16 & TILE_MAX, end = word & TILE_MAX;

		if (loop_of(word) != loop || first == end)
			return -1;
		if (atomic_compare_exchange_weak(&s->left, &word, own ? word + (1ul << 16) : word - 1))
			return (int)(own ? first : end - 1);
	}
}

static void work_off(int i)
{
	const int first = i * pool.stride, end = pool.n - first < pool.stride ? pool.n : first + pool.stride;

	for (int k = first; k < end; k++)
		pool.fn(pool.ctx, k, self);
}

/* Take tiles of this loop until none is left: first one's own. */
static void take_tiles(unsigned loop)
{
	const int sharers = atomic_load(&pool.sharers);

	for (int k = 0; k < sharers; k++)
		for (int i; (i = claim(&pool.share[(self + k) % sharers], loop, k == 0)) >= 0;) {
			const unsigned claims = pool.claims; /* the next loop's, once this one's last is counted */

			work_off(i);
			if (atomic_fetch_add(&pool.finished, 1) + 1 == claims && atomic_load(&pool.waiting)) {
				pthread_mutex_lock(&pool.lock);
				pthread_cond_signal(&pool.done);
				pthread_mutex_unlock(&pool.lock);
			}
		}
}

/* Until the caller has given this thread a share of another loop than it has seen; returns that loop's number. */
static unsigned wait_for_work(unsigned seen)
{
	const struct share *mine = &pool.share[self];
	unsigned loop;

	for (int k = 0; k < LOOKS; k++) {
		loop = loop_of(atomic_load(&mine->left));
		if (loop != seen)
			return loop;
		__builtin_ia32_pause();
	}
	pthread_mutex_lock(&pool.lock);
	atomic_fetch_add(&pool.sleepers, 1);
	while ((loop = loop_of(atomic_load(&mine->left))) == seen)
		pthread_cond_wait(&pool.work, &pool.lock);
	atomic_fetch_sub(&pool.sleepers, 1);
	pthread_mutex_unlock(&pool.lock);
	return loop;
}

static void *pool_thread(void *number)
{
	self = (int)(size_t)number;
	for (unsigned seen = 0;;) {
		seen = wait_for_work(seen);
		if (atomic_load(&pool.quit))
			break;
		take_tiles(seen);
	}
	return NULL;
}

/* There are no threads. */
static void empty_pool(void)
{
	pool.started = 0;
	pool.refused = false;
	for (int t = 0; t < TILE_MAX_THREADS; t++)
		atomic_store(&pool.share[t].left, 0); /* whose number new threads have seen */
}

/* A forked child has the memory but not the threads. */
static void forget_pool(void)
{
	pthread_mutex_init(&pool.lock, NULL);
	pthread_cond_init(&pool.work, NULL);
	pthread_cond_init(&pool.done, NULL);
	atomic_store(&pool.sleepers, 0);
	empty_pool();
	self = -1;
}

static void start_threads(int want)
{
	static bool prepared;

	if (!prepared)
		prepared = pthread_atfork(NULL, NULL, forget_pool) == 0;
	while (pool.started < want && !pool.refused) {
		const int number = pool.started + 1;
		pthread_attr_t attr;
		int failed;

		pthread_attr_init(&attr);
		pthread_attr_setstacksize(&attr, STACK_BYTES); /* `ulimit -s` may be too little, or waste 8 MiB each */
		failed = pthread_create(&pool.thread[number], &attr, pool_thread, (void *)(size_t)number);
		pthread_attr_destroy(&attr);
		pool.refused = failed != 0; /* fewer threads do the same work, to the same bits */
		pool.started += !failed;
	}
}

/* Wait until every tile is finished: those that nobody has begun are the caller's own. */
static void wait_for_tiles(void)
{
	for (int k = 0; k < LOOKS; k++) {
		if (atomic_load(&pool.finished) == pool.claims)
			return;
		__builtin_ia32_pause();
	}
	pthread_mutex_lock(&pool.lock);
	atomic_store(&pool.waiting, true);
	while (atomic_load(&pool.finished) != pool.claims)
		pthread_cond_wait(&pool.done, &pool.lock);
	atomic_store(&pool.waiting, false);
	pthread_mutex_unlock(&pool.lock);
}

static void wake_sleepers(void)
{
	if (!atomic_load(&pool.sleepers))
		return;
	pthread_mutex_lock(&pool.lock);
	pthread_cond_broadcast(&pool.work);
	pthread_mutex_unlock(&pool.lock);
}

static void next_loop(void)
{
	pool.loop++;
	pool.loop += !pool.loop; /* 0 is what a new thread has seen */
}

void tile_stop(void)
{
	BUG_ON(self >= 0);
	atomic_store(&pool.quit, true);
	next_loop();
	for (int t = 1; t <= pool.started; t++)
		atomic_store(&pool.share[t].left, (unsigned long)pool.loop << 32); /* without a tile */
	wake_sleepers();
	for (int t = 1; t <= pool.started; t++)
		pthread_join(pool.thread[t], NULL);
	atomic_store(&pool.quit, false);
	empty_pool();
}

static void run_loop(int n, void (*fn)(void *ctx, int i, int thread), void *ctx)
{
	unsigned sharers;

	next_loop();
	pool.fn = fn;
	pool.ctx = ctx;
	pool.n = n;
	pool.stride = (n - 1) / TILE_MAX + 1;
	pool.claims = (unsigned)((n - 1) / pool.stride + 1);
	sharers = (unsigned)threads < pool.claims ? (unsigned)threads : pool.claims;
	atomic_store(&pool.sharers, (int)sharers);
	atomic_store(&pool.finished, 0);
	for (unsigned t = 0; t < sharers; t++)
		atomic_store(&pool.share[t].left, (unsigned long)pool.loop << 32 | (unsigned long)(pool.claims * t / sharers) << 16 |
						  pool.claims * (t + 1) / sharers);
	wake_sleepers();
	self = 0;
	take_tiles(pool.loop);
	wait_for_tiles();
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
