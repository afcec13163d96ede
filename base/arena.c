/* A bump allocator. See arena.h. Chunks form a list, newest first; only the newest is filled. */
#include "base/arena.h"

#include <limits.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/error.h"

#define ALIGN 64
#define CHUNK_MIN ((size_t)64 << 10)
#define CHUNK_STEP_MAX ((size_t)64 << 20) /* chunks double up to here; a bigger request gets its own size */

struct arena_chunk {
	struct arena_chunk *prev;
	size_t size, used; /* of the data, which begins ALIGN bytes after this header */
};

_Static_assert(sizeof(struct arena_chunk) <= ALIGN, "the data begins one alignment after the header");

/* Large chunks come from the system and go back to it: kept among others they would leave holes that the next size does not fit. */
#define LARGE ((size_t)64 << 20)

static struct arena_chunk *get_chunk(size_t size)
{
	void *c;

	if (size < LARGE)
		return aligned_alloc(ALIGN, ALIGN + size);
	c = mmap(NULL, ALIGN + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return c == MAP_FAILED ? NULL : c;
}

static void give_chunk(struct arena_chunk *c)
{
	if (c->size < LARGE)
		free(c);
	else
		munmap(c, ALIGN + c->size);
}

static void push_chunk(struct arena *a, size_t size)
{
	struct arena_chunk *c = get_chunk(size);

	if (!c)
		out_of_memory(size);
	c->prev = a->head;
	c->size = size;
	c->used = 0;
	a->head = c;
}

static void free_chunks(struct arena *a)
{
	while (a->head) {
		struct arena_chunk *c = a->head;

		a->head = c->prev;
		give_chunk(c);
	}
}

static size_t next_size(const struct arena *a, size_t need)
{
	size_t size = a->head ? 2 * a->head->size : CHUNK_MIN;

	if (size > CHUNK_STEP_MAX)
		size = CHUNK_STEP_MAX;
	return size > need ? size : need;
}

/* n * size, at least one byte, rounded up to the alignment. */
static size_t rounded(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX - 2 * ALIGN)
		die(EXIT_MEMORY, "out of memory (%zu times %zu bytes wanted)", n, size);
	return ((bytes ? bytes : 1) + ALIGN - 1) / ALIGN * ALIGN;
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
	size_t need = rounded(n, size);
	char *p;

	if (!a->head || a->head->size - a->head->used < need)
		push_chunk(a, next_size(a, need));
	p = (char *)a->head + ALIGN + a->head->used;
	a->head->used += need;
	a->used += need;
	if (a->used > a->high)
		a->high = a->used;
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	char *s;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) /* no memory for its scratch, or beyond INT_MAX */
		out_of_memory(INT_MAX);
	s = arena_alloc(a, (size_t)n + 1, 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

void arena_reset(struct arena *a)
{
	if (a->head && a->head->prev) {
		/* It had to grow: the same requests again will fit in one chunk. */
		free_chunks(a);
		push_chunk(a, a->high);
	}
	if (a->head)
		a->head->used = 0;
	a->used = 0;
}

void arena_release(struct arena *a)
{
	free_chunks(a);
	a->used = a->high = 0;
}

void arena_keep_freed(void)
{
	mallopt(M_MMAP_MAX, 0); /* a threshold may not be above 32 MiB */
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
	mallopt(M_TOP_PAD, 16 << 20);
}
