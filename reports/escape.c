/* Escaping for every format that a report is written in; LaTeX is in escape_latex.c. See escape.h.
 * Source: OWASP cross-site scripting and CSV injection notes; GitHub-flavoured Markdown. */
#include "reports/escape.h"

#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xfffd

int escape_tame(const char *s, size_t *len)
{
	int cp = utf8_next(s, len);

	if (cp < 0 || utf8_is_hidden(cp))
		return REPLACEMENT;
	return utf8_is_control(cp) ? ' ' : cp;
}

/* ---- HTML ---- */

static void escape_markup(struct text *t, int cp)
{
	switch (cp) {
	case '&': text_add(t, "&amp;"); break;
	case '<': text_add(t, "&lt;"); break;
	case '>': text_add(t, "&gt;"); break;
	case '"': text_add(t, "&quot;"); break;
	case '\'': text_add(t, "&#39;"); break;
	default: text_code_point(t, (unsigned)cp);
	}
}

void escape_html(struct text *t, const char *s)
{
	for (size_t len; *s; s += len)
		escape_markup(t, escape_tame(s, &len));
}

void escape_xml(struct text *t, const char *s)
{
	for (size_t len; *s; s += len) {
		int cp = escape_tame(s, &len);

		escape_markup(t, cp == 0xfffe || cp == 0xffff ? REPLACEMENT : cp);
	}
}

/* ---- Markdown ---- */

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* Does *s need a backslash? start: the text's beginning. */
static bool markdown_special(const char *start, const char *s)
{
	if (strchr("\\|[]*_`~#$@", *s))
		return true;
	if (*s == ':') /* a scheme of a bare link, or an emoji's name */
		return s[1] && s[1] != ' ';
	if (*s == '.') /* "www." is a link, "1." at the start a list; 99.15 is only a number */
		return (s > start && (s[-1] == 'w' || s[-1] == 'W') && s[1] && s[1] != ' ') ||
		       (!is_digit(s[1]) && strspn(start, "0123456789") == (size_t)(s - start));
	if (*s == ')') /* "1)" at the start is a list, too */
		return s > start && strspn(start, "0123456789") == (size_t)(s - start);
	return s == start && strchr("-+=", *s) && !is_digit(s[1]); /* a list, a rule, an underlined heading */
}

void escape_markdown(struct text *t, const char *s)
{
	const char *start;
	size_t len;

	while (*s && escape_tame(s, &len) == ' ') /* shown nowhere, and four of them would make code */
		s += len;
	start = s;
	for (; *s; s += len) {
		int cp = escape_tame(s, &len);

		if (cp == '&')
			text_add(t, "&amp;");
		else if (cp == '<')
			text_add(t, "&lt;");
		else if (cp == '>')
			text_add(t, "&gt;");
		else {
			if (cp == *s && markdown_special(start, s))
				text_char(t, '\\');
			text_code_point(t, (unsigned)cp);
		}
	}
}

/* ---- gnuplot ---- */

void escape_gnuplot(struct text *t, const char *s)
{
	int room = 120;

	text_char(t, '\'');
	for (size_t len; *s && room > 0; s += len, room--) {
		int cp = escape_tame(s, &len);

		/* gnuplot's own '' for a quote does not work at a string's start (5.4), so it becomes a typographic
		 * one. */
		text_code_point(t, cp == '\'' ? 0x2019 : (unsigned)cp);
	}
	text_char(t, '\'');
}

/* ---- CSV ---- */

/* What a spreadsheet skips before it looks whether a formula follows: blanks of every kind, and what nobody sees. */
static bool is_blank(int cp)
{
	return cp == ' ' || cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200d) || cp == 0x202f ||
	       cp == 0x205f || cp == 0x3000 || utf8_is_control(cp) || utf8_is_hidden(cp);
}

static bool begins_formula(const char *s)
{
	size_t len;
	int cp;

	if (strchr("\t\r\n", *s))
		return *s != '\0';
	while ((cp = utf8_next(s, &len)) > 0 && is_blank(cp))
		s += len;
	/* The full-width forms too: an East Asian spreadsheet takes them for the others. */
	return cp > 0 && ((cp < 0x80 && strchr("=+-@", cp)) || cp == 0xff1d || cp == 0xff0b || cp == 0xff0d ||
			  cp == 0xff20);
}

static void add_quoted(struct text *t, const char *before, const char *s)
{
	text_fmt(t, "\"%s", before);
	for (; *s; s++) {
		if (*s == '"')
			text_char(t, '"');
		text_char(t, *s);
	}
	text_char(t, '"');
}

void escape_csv(struct text *t, const char *s)
{
	add_quoted(t, begins_formula(s) ? "'" : "", s);
}

void escape_csv_number(struct text *t, const char *s)
{
	char *end;

	/* strtod() skips blanks and reads "inf" and hexadecimal numbers: none of these is bare. */
	if (*s && s[strspn(s, "0123456789.+-e")] == '\0' && (strtod(s, &end), !*end))
		text_add(t, s);
	else
		add_quoted(t, "", s);
}
