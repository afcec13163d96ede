/* Descriptors, stack, limits. See process.h. */
#include "base/process.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"

/* A file that is opened while descriptor 2 is closed becomes descriptor 2, and every warning goes into it. What is
 * written to a descriptor that was closed is not wanted, so /dev/null is what it gets. */
static void open_missing(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) != fd)
			_exit(EXIT_IO); /* nowhere to say it */
}

/* A limit below what is needed is raised where the system lets us. */
static void allow_stack(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_STACK, &r) < 0 || r.rlim_cur >= STACK_BYTES)
		return;
	if (r.rlim_max < STACK_BYTES) {
		char text[128]; /* die() wants more of a stack */

		snprintf(text, sizeof(text), "out of memory: a stack of %lu KiB is allowed, %lu are needed (ulimit -s)",
			 (unsigned long)r.rlim_max >> 10, STACK_BYTES >> 10);
		die_now(EXIT_MEMORY, text);
	}
	r.rlim_cur = STACK_BYTES;
	setrlimit(RLIMIT_STACK, &r);
}

__attribute__((noinline)) static void touch(volatile char *top)
{
	volatile char room[STACK_BYTES - (128 << 10)]; /* the rest is what stands above, arguments and environment */

	for (size_t i = sizeof(room); i >= 4096; i -= 4096) /* downwards: the system lets a stack grow page by page */
		room[i - 1] = *top;
}

/* The system makes the stack when it is touched, and kills who touches it when memory has run out by then: here one can
 * still say so. */
static void fill_stack(void)
{
	volatile char here = 0;
	void *room = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED)
		die(EXIT_MEMORY, "out of memory (%lu bytes wanted for the stack)", STACK_BYTES);
	munmap(room, STACK_BYTES);
	touch(&here);
}

/* Every thread's first malloc would reserve 64 MiB of addresses, which nobody uses: where addresses are what is
 * limited, all share one heap. */
static void spare_addresses(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_AS, &r) == 0 && r.rlim_cur != RLIM_INFINITY)
		mallopt(M_ARENA_MAX, 1);
}

void process_begin(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	open_missing();
	sigemptyset(&ignore.sa_mask);
	sigaction(SIGXFSZ, &ignore, NULL); /* write() says EFBIG */
	allow_stack();
	fill_stack();
	spare_addresses();
}

void process_limit_memory(double bytes)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_AS, &r) < 0 || bytes >= (double)r.rlim_max)
		return;
	r.rlim_cur = r.rlim_max = (rlim_t)bytes;
	setrlimit(RLIMIT_AS, &r);
	spare_addresses();
}
