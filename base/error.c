/* Errors, warnings and allocation that cannot fail. See error.h. */
#include "base/error.h"

#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/terminal.h"

#define TEXT_MAX 4096

void (*die_words)(enum lb_exit code, const char *text);

/* A fixed buffer: reporting must work when memory is what ran out. */
static _Thread_local struct {
	enum lb_exit code;
	char text[TEXT_MAX];
} first;

/* A cut message must look cut, and not within a character. */
static void mark_cut(int wanted)
{
	char *end = first.text + TEXT_MAX - 4;

	if (wanted < TEXT_MAX)
		return;
	for (int i = 0; i < 3 && ((unsigned char)*end & 0xc0) == 0x80; i++)
		end--;
	memcpy(end, "...", 4);
}

int error(enum lb_exit code, const char *fmt, ...)
{
	va_list ap;

	BUG_ON(code == EXIT_YES);
	if (first.code != EXIT_YES)
		return -1;
	first.code = code;
	va_start(ap, fmt);
	mark_cut(vsnprintf(first.text, sizeof(first.text), fmt, ap));
	va_end(ap);
	return -1;
}

const char *error_text(void)
{
	return first.text;
}

enum lb_exit error_code(void)
{
	return first.code;
}

void error_clear(void)
{
	first.code = EXIT_YES;
	first.text[0] = '\0';
}

int error_prefix(const char *fmt, ...)
{
	char old[TEXT_MAX], prefix[TEXT_MAX];
	va_list ap;

	if (first.code == EXIT_YES)
		return -1;
	memcpy(old, first.text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	mark_cut(snprintf(first.text, sizeof(first.text), "%s: %s", prefix, old));
	return -1;
}

/* ---- printing: one write a line, so that lines of several processes do not mix ---- */

/* With write(): signal handlers come here, and who dies for want of memory. */
static void print_line(const char *before, const char *text)
{
	char line[4 * strlen(text) + 64]; /* text is at most TEXT_MAX long, and mostly short: some stacks are small */
	size_t n = strlen(before);
	ssize_t unheard;

	memcpy(line, before, n);
	for (size_t len; *text && n + TERMINAL_CHAR_MAX < sizeof(line); text += len)
		n += terminal_char(text, line + n, &len);
	line[n++] = '\n';
	unheard = write(STDERR_FILENO, line, n);
	(void)unheard; /* there is nobody else to tell */
}

void warning(const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_line("lockbench: warning: ", text);
}

/* One thread ends the process, with one line: others that want to, too, wait for that, and what fails on its own way
 * out is not told. */
static void be_the_one(enum lb_exit code)
{
	static atomic_flag dying = ATOMIC_FLAG_INIT;
	static _Thread_local enum lb_exit mine = EXIT_YES;

	if (mine != EXIT_YES)
		_exit(mine);
	while (atomic_flag_test_and_set(&dying))
		pause();
	mine = code;
}

static void last_words(enum lb_exit code, const char *text)
{
	if (die_words)
		die_words(code, text);
	else
		print_line("lockbench: ", text);
}

void die(enum lb_exit code, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	be_the_one(code);
	va_start(ap, fmt);
	if (fmt)
		vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	last_words(code, fmt ? text : first.text);
	if (code == EXIT_MEMORY)
		_exit(code); /* handlers of exit() may want memory */
	exit(code);
}

void die_now(enum lb_exit code, const char *text)
{
	be_the_one(code);
	last_words(code, text);
	_exit(code);
}

void bug(const char *file, int line, const char *cond)
{
	fprintf(stderr, "lockbench: BUG at %s:%d: %s\n", file, line, cond);
	abort();
}

/* ---- memory ---- */

/* n * size, at least 1 so that NULL always means failure. */
static size_t total_bytes(size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total) || total > PTRDIFF_MAX)
		die(EXIT_MEMORY, "out of memory (%zu times %zu bytes wanted)", n, size);
	return total ? total : 1;
}

void out_of_memory(size_t bytes)
{
	die(EXIT_MEMORY, "out of memory (%zu bytes wanted)", bytes);
}

static void *or_die(void *p, size_t bytes)
{
	if (!p)
		out_of_memory(bytes);
	return p;
}

void *xmalloc(size_t n, size_t size)
{
	size_t bytes = total_bytes(n, size);

	return or_die(malloc(bytes), bytes);
}

void *xcalloc(size_t n, size_t size)
{
	size_t bytes = total_bytes(n, size);

	return or_die(calloc(1, bytes), bytes);
}

void *xrealloc(void *p, size_t n, size_t size)
{
	size_t bytes = total_bytes(n, size);

	return or_die(realloc(p, bytes), bytes);
}

char *xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n, 1), s, n);
}

char *xasprintf(const char *fmt, ...)
{
	char *s;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) /* no memory for its scratch, or beyond INT_MAX */
		out_of_memory(INT_MAX);
	s = xmalloc((size_t)n + 1, 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}
