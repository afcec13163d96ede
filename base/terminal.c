/* Text for a terminal. See terminal.h. */
#include "base/terminal.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

size_t terminal_char(const char *s, char out[TERMINAL_CHAR_MAX], size_t *len)
{
	const int cp = utf8_next(s, len);
	size_t n = 0;

	if (cp < 0 || (utf8_is_control(cp) && cp < 0x100)) {
		for (size_t i = 0; i < *len; i++)
			n += (size_t)snprintf(out + n, 5, "\\x%02x", (unsigned char)s[i]);
		return n;
	}
	if (utf8_is_control(cp) || utf8_is_hidden(cp))
		return (size_t)snprintf(out, TERMINAL_CHAR_MAX, cp < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)cp);
	memcpy(out, s, *len);
	out[*len] = '\0';
	return *len;
}

char *terminal_text(const char *s)
{
	char *text = xmalloc(strlen(s) + TERMINAL_CHAR_MAX, 4), *p = text; /* \xNN is the longest form of one byte */

	*p = '\0';
	for (size_t len; *s; s += len)
		p += terminal_char(s, p, &len);
	return text;
}

/* ---- JSON ---- */

/* As one or two \uNNNN. */
static void put_escape(unsigned cp)
{
	if (cp < 0x10000)
		printf("\\u%04x", cp);
	else
		printf("\\u%04x\\u%04x", 0xd800u | (cp - 0x10000) >> 10, 0xdc00u | ((cp - 0x10000) & 0x3ff));
}

void tell_json(const char *json)
{
	const char *from = json;

	for (size_t len; *json; json += len) {
		const int cp = utf8_next(json, &len);

		if (cp == '\n' || !(utf8_is_control(cp) || utf8_is_hidden(cp))) /* a line end is between strings */
			continue;
		fwrite(from, 1, (size_t)(json - from), stdout);
		put_escape((unsigned)cp);
		from = json + len;
	}
	fwrite(from, 1, (size_t)(json - from), stdout);
}

/* ---- tell ---- */

/* One conversion of a format: % flags width .precision length letter. */
struct conversion {
	char flags[8], length[3], letter;
	int width, precision; /* precision -1: none */
};

static int number(const char **fmt, va_list *ap)
{
	int n = 0;

	if (**fmt == '*') {
		(*fmt)++;
		return va_arg(*ap, int);
	}
	for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
		n = 10 * n + **fmt - '0';
	return n;
}

/* *fmt: behind the %, moved behind the conversion. */
static struct conversion read_conversion(const char **fmt, va_list *ap)
{
	struct conversion c = { .precision = -1 };
	size_t n = strspn(*fmt, "-+ #0");

	BUG_ON(n >= sizeof(c.flags) - 1);
	memcpy(c.flags, *fmt, n);
	*fmt += n;
	c.width = number(fmt, ap);
	if (c.width < 0) { /* "*" with a negative width: from the left */
		strcat(c.flags, "-");
		c.width = -c.width;
	}
	if (**fmt == '.') {
		(*fmt)++;
		c.precision = number(fmt, ap);
	}
	n = strspn(*fmt, "hlzjt");
	BUG_ON(n >= sizeof(c.length));
	memcpy(c.length, *fmt, n);
	*fmt += n;
	c.letter = *(*fmt)++;
	BUG_ON(!c.letter);
	return c;
}

/* The terminal form of s, at most so many columns of it; print: to standard output. Returns the columns. */
static int show(const char *s, int most, bool print)
{
	char one[TERMINAL_CHAR_MAX];
	int columns = 0;

	for (size_t len; *s; s += len) {
		terminal_char(s, one, &len);
		if (columns + (int)utf8_width(one) > most)
			break;
		columns += (int)utf8_width(one);
		if (print)
			fputs(one, stdout);
	}
	return columns;
}

static void put_text(const struct conversion *c, const char *s)
{
	const int most = c->precision < 0 ? INT_MAX : c->precision, left = c->width - show(s, most, false);
	const bool padded = left > 0;

	if (padded && !strchr(c->flags, '-'))
		printf("%*s", left, "");
	show(s, most, true);
	if (padded && strchr(c->flags, '-'))
		printf("%*s", left, "");
}

static void put_integer(const struct conversion *c, const char *spec, va_list *ap)
{
	if (!strcmp(c->length, "ll"))
		printf(spec, c->width, c->precision, va_arg(*ap, long long));
	else if (!strcmp(c->length, "l"))
		printf(spec, c->width, c->precision, va_arg(*ap, long));
	else if (!strcmp(c->length, "z"))
		printf(spec, c->width, c->precision, va_arg(*ap, size_t));
	else
		printf(spec, c->width, c->precision, va_arg(*ap, int));
}

static void put(const struct conversion *c, va_list *ap)
{
	char spec[24], one[2] = "";

	/* A negative precision is none. */
	snprintf(spec, sizeof(spec), "%%%s*.*%s%c", c->flags, c->length, c->letter);
	switch (c->letter) {
	case '%':
		putchar('%');
		break;
	case 's':
		put_text(c, va_arg(*ap, const char *));
		break;
	case 'c':
		one[0] = (char)va_arg(*ap, int);
		put_text(c, one);
		break;
	case 'd':
	case 'u':
	case 'x':
		put_integer(c, spec, ap);
		break;
	case 'e':
	case 'f':
	case 'g':
		printf(spec, c->width, c->precision, va_arg(*ap, double));
		break;
	default:
		bug(__FILE__, __LINE__, "a conversion that tell() does not know");
	}
}

void tell(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	while (*fmt) {
		const size_t n = strcspn(fmt, "%");
		struct conversion c;

		fwrite(fmt, 1, n, stdout);
		fmt += n;
		if (!*fmt)
			break;
		fmt++;
		c = read_conversion(&fmt, &ap);
		put(&c, &ap);
	}
	va_end(ap);
}
