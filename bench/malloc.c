/* No memory: the end, with one line and EXIT_MEMORY, wherever it was asked for.
 *
 * Libraries ask too, and what they make of NULL cannot be relied on: libfyaml leaves a key out of the job that it
 * reads, or reads from address 0; stdio ends a file early, as getline() does a worker's task; qsort() goes on by
 * another algorithm, which orders equal elements otherwise and so changes results. Few of them can be given an
 * allocator. So the program has its own names for malloc() and its kin, which the dynamic linker gives to every
 * library, and calls the next one of that name: the C library's, or that of a preloaded tool. Memory comes from
 * there and goes back there; only NULL does not come through. */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1 /* they bring a malloc() of their own, which ends the process as well */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifndef SANITIZED
/* What to call next. They are looked up at the first call, which is while libraries start, before there is a second
 * thread. */
static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	void *(*memalign)(size_t, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
} next;

void *memalign(size_t align, size_t bytes); /* of malloc.h; jemalloc and others have it too */

static void find(void *slot, const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		die_now(EXIT_MEMORY, "the C library has no allocator");
	*(void **)slot = f;
}

static void find_next(void)
{
	find(&next.calloc, "calloc");
	find(&next.realloc, "realloc");
	find(&next.aligned_alloc, "aligned_alloc");
	find(&next.memalign, "memalign");
	find(&next.posix_memalign, "posix_memalign");
	find(&next.malloc, "malloc"); /* last: it says that all are there */
}

static void *or_end(void *p, size_t bytes)
{
	if (!p && bytes)
		out_of_memory(bytes);
	return p;
}

static size_t product(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? SIZE_MAX : bytes;
}

void *malloc(size_t bytes)
{
	if (!next.malloc)
		find_next();
	return or_end(next.malloc(bytes), bytes);
}

void *calloc(size_t n, size_t size)
{
	if (!next.malloc)
		find_next();
	return or_end(next.calloc(n, size), product(n, size));
}

void *realloc(void *p, size_t bytes)
{
	if (!next.malloc)
		find_next();
	return or_end(next.realloc(p, bytes), bytes); /* NULL for no bytes: freed */
}

void *reallocarray(void *p, size_t n, size_t size)
{
	return realloc(p, product(n, size));
}

void *aligned_alloc(size_t align, size_t bytes)
{
	if (!next.malloc)
		find_next();
	return or_end(next.aligned_alloc(align, bytes), bytes);
}

void *memalign(size_t align, size_t bytes)
{
	if (!next.malloc)
		find_next();
	return or_end(next.memalign(align, bytes), bytes);
}

int posix_memalign(void **p, size_t align, size_t bytes)
{
	int failed;

	if (!next.malloc)
		find_next();
	failed = next.posix_memalign(p, align, bytes);
	if (failed == ENOMEM)
		out_of_memory(bytes);
	return failed;
}
#endif
