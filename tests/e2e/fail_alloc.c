/* For LD_PRELOAD: an allocation that fails, so that tests can see what comes of it.
 *   FAIL_AT=n      the n-th call of malloc, calloc, realloc, aligned_alloc or mmap returns nothing (1: the first)
 *   FAIL_ON=1      and so does every one after it
 *   FAIL_IN=word   only in processes whose first argument is that ("run", "worker")
 *   FAIL_COUNT=f   append the number of calls to the file f when such a process exits */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_long calls;
static long fail_at;
static bool fail_on, here;

static void *next(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		_exit(99);
	return f;
}

/* Whether the first argument is word. */
static bool is_command(const char *word)
{
	char line[4096], *first;
	int fd = open("/proc/self/cmdline", O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);

	if (fd >= 0)
		close(fd);
	line[n > 0 ? n : 0] = '\0';
	first = line + strlen(line) + 1;
	return first < line + n && !strcmp(first, word);
}

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("FAIL_AT"), *in = getenv("FAIL_IN");

	fail_at = at ? atol(at) : 0;
	fail_on = getenv("FAIL_ON") != NULL;
	here = !in || is_command(in);
}

__attribute__((destructor)) static void end(void)
{
	const char *file = getenv("FAIL_COUNT");
	char text[32];
	int fd = file && here ? open(file, O_WRONLY | O_CREAT | O_APPEND, 0644) : -1;

	if (fd >= 0 && write(fd, text, (size_t)snprintf(text, sizeof(text), "%ld\n", atomic_load(&calls))) < 0)
		_exit(99);
	if (fd >= 0)
		close(fd);
}

static bool fails(void)
{
	const long n = here ? atomic_fetch_add(&calls, 1) + 1 : 0;

	if (!n || !fail_at || n < fail_at || (n > fail_at && !fail_on))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t bytes)
{
	static void *(*f)(size_t);

	if (!f)
		*(void **)&f = next("malloc");
	return fails() ? NULL : f(bytes);
}

void *calloc(size_t n, size_t size)
{
	static void *(*f)(size_t, size_t);

	if (!f)
		*(void **)&f = next("calloc");
	return fails() ? NULL : f(n, size);
}

void *realloc(void *p, size_t bytes)
{
	static void *(*f)(void *, size_t);

	if (!f)
		*(void **)&f = next("realloc");
	return fails() ? NULL : f(p, bytes);
}

void *aligned_alloc(size_t align, size_t bytes)
{
	static void *(*f)(size_t, size_t);

	if (!f)
		*(void **)&f = next("aligned_alloc");
	return fails() ? NULL : f(align, bytes);
}

void *mmap(void *at, size_t bytes, int prot, int flags, int fd, off_t offset)
{
	static void *(*f)(void *, size_t, int, int, int, off_t);

	if (!f)
		*(void **)&f = next("mmap");
	return fails() ? MAP_FAILED : f(at, bytes, prot, flags, fd, offset);
}
