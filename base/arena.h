/* A bump allocator: allocate many, free all at once.
 * Memory is 64-byte aligned and not zeroed. After the first reset an arena that
 * had to grow owns one chunk of the size it needed, so steady state never allocates. */
#ifndef LB_BASE_ARENA_H
#define LB_BASE_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_chunk *head; /* private */
	size_t used, high;        /* bytes handed out since the last reset, and the most ever */
};

/* A zeroed struct arena is ready to use. */
void *arena_alloc(struct arena *a, size_t n, size_t size); /* n * size checked; dies when out of memory */
#define arena_new(a, n, type) ((type *)arena_alloc((a), (n), sizeof(type)))
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_reset(struct arena *a);   /* forget everything, keep the memory */
void arena_release(struct arena *a); /* forget everything, free the memory */
/* For main(): from now on what is freed stays with the process. The C library gives pieces of more than 128 KiB back to the system at once
 * and the next tape gets them back page by page, which was a third of the time of a run with many short queries. */
void arena_keep_freed(void);

#endif
