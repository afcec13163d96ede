/* Threads: one loop over fixed tiles. What a tile computes must not depend on which thread runs it or
 * when, so results are the same bits for any number of threads. Threads are made here and nowhere else. */
#ifndef LB_BASE_TILE_H
#define LB_BASE_TILE_H

#define TILE_MAX_THREADS 64

/* 1 .. TILE_MAX_THREADS; 0 means the number of processors this process may use. Returns what was set. */
int tile_threads(int n);
int tile_threads_get(void);
/* Threads that a loop begun here would run on: 1 inside a tile. */
int tile_threads_here(void);

/* Call fn(ctx, i, thread) for i in 0 .. n-1, each once, in any order; thread in 0 .. threads-1. Returns when all are
 * done. Nested calls run on the calling thread. One thread of a process calls this (and its tiles do). */
void tile_for(int n, void (*fn)(void *ctx, int i, int thread), void *ctx);

/* End the threads that loops have left, which wait for more work and count against what the system allows; the next
 * loop starts them anew. */
void tile_stop(void);

#endif
