/* A string that grows. See text.h. */
#include "reports/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static void reserve(struct text *t, size_t more)
{
	size_t need = t->n + more + 1;

	BUG_ON(need < more);
	if (need <= t->room)
		return;
	t->room = need + need / 2 + 64;
	t->s = xrealloc(t->s, t->room, 1);
}

void text_bytes(struct text *t, const char *s, size_t n)
{
	reserve(t, n);
	memcpy(t->s + t->n, s, n);
	t->n += n;
	t->s[t->n] = '\0';
}

void text_add(struct text *t, const char *s)
{
	text_bytes(t, s, strlen(s));
}

void text_char(struct text *t, char c)
{
	text_bytes(t, &c, 1);
}

void text_fmt(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	BUG_ON(n < 0);
	reserve(t, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(t->s + t->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	t->n += (size_t)n;
}

void text_code_point(struct text *t, unsigned cp)
{
	if (cp < 0x80) {
		text_char(t, (char)cp);
	} else if (cp < 0x800) {
		text_char(t, (char)(0xc0 | cp >> 6));
		text_char(t, (char)(0x80 | (cp & 0x3f)));
	} else if (cp < 0x10000) {
		text_char(t, (char)(0xe0 | cp >> 12));
		text_char(t, (char)(0x80 | (cp >> 6 & 0x3f)));
		text_char(t, (char)(0x80 | (cp & 0x3f)));
	} else {
		text_char(t, (char)(0xf0 | cp >> 18));
		text_char(t, (char)(0x80 | (cp >> 12 & 0x3f)));
		text_char(t, (char)(0x80 | (cp >> 6 & 0x3f)));
		text_char(t, (char)(0x80 | (cp & 0x3f)));
	}
}

const char *text_str(const struct text *t)
{
	return t->s ? t->s : "";
}

void text_release(struct text *t)
{
	free(t->s);
	*t = (struct text){ 0 };
}
