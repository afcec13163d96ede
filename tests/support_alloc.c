/* See support_alloc.h. */
#include "tests/support_alloc.h"
#include <errno.h>
#include <features.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define SANITIZED 1
#endif

#ifdef SANITIZED
bool allocs_counted(void) { return false; }
long allocs(void) { return 0; }
#else
static atomic_long count;

bool allocs_counted(void) { return true; }
long allocs(void) { return atomic_load(&count); }

/* glibc's own, under the names that it exports for this. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);

/* The prototypes that stdlib.h would give; it is not included, because it declares these functions with attributes of its own. */
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t size);
void *aligned_alloc(size_t align, size_t size);
int posix_memalign(void **p, size_t align, size_t size);

void *malloc(size_t size)
{
	atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
	return __libc_realloc(p, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
	return __libc_memalign(align, size);
}

int posix_memalign(void **p, size_t align, size_t size)
{
	void *got;

	atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
	got = __libc_memalign(align, size);
	if (!got)
		return ENOMEM;
	*p = got;
	return 0;
}

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
	return (void *)syscall(SYS_mmap, at, len, prot, flags, fd, offset);
}
#endif
