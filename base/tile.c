/* Threads over tiles, with OpenMP. See tile.h. */
#include "base/tile.h"

#include <omp.h>
#include <sched.h>
#include <unistd.h>

/* One until somebody asks for more: a process that never does can fork safely (libgomp's threads do
 * not survive a fork). */
static int threads = 1;

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

void tile_for(int n, void (*fn)(void *ctx, int i, int thread), void *ctx)
{
	if (n <= 1 || threads == 1 || omp_in_parallel()) {
		/* A nested call keeps the number of the thread it runs on: two of them must not share scratch. */
		int self = omp_in_parallel() ? omp_get_thread_num() : 0;

		for (int i = 0; i < n; i++)
			fn(ctx, i, self);
		return;
	}
#pragma omp parallel for schedule(dynamic) num_threads(threads < n ? threads : n)
	for (int i = 0; i < n; i++)
		fn(ctx, i, omp_get_thread_num());
}
