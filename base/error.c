/* Errors, warnings and allocation that cannot fail. See error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#define TEXT_MAX 4096

/* A fixed buffer: reporting must work when memory is what ran out. */
static _Thread_local struct {
	enum lb_exit code;
	char text[TEXT_MAX];
} first;

/* A cut message must look cut. */
static void mark_cut(int wanted)
{
	if (wanted >= TEXT_MAX)
		memcpy(first.text + TEXT_MAX - 4, "...", 4);
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

/* Bytes of a control character at s: C0 and DEL are one, C1 in UTF-8 two (some terminals obey those too). */
static int control_length(const unsigned char *s)
{
	if (s[0] < 0x20 || s[0] == 0x7f)
		return 1;
	return s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f ? 2 : 0;
}

static void print_line(const char *before, const char *text)
{
	char line[4 * TEXT_MAX + 64];
	size_t n = (size_t)snprintf(line, 64, "%s", before);

	for (const unsigned char *s = (const unsigned char *)text; *s && n + 16 < sizeof(line);) {
		int k = control_length(s);

		if (!k)
			line[n++] = (char)*s++;
		for (; k; k--)
			n += (size_t)snprintf(line + n, 5, "\\x%02x", *s++);
	}
	line[n++] = '\n';
	fwrite(line, 1, n, stderr);
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

void die(enum lb_exit code, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	if (fmt)
		vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_line("lockbench: ", fmt ? text : first.text);
	exit(code);
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

static void *or_die(void *p, size_t bytes)
{
	if (!p)
		die(EXIT_MEMORY, "out of memory (%zu bytes wanted)", bytes);
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
	BUG_ON(n < 0);
	s = xmalloc((size_t)n + 1, 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}
