/* Escaping for every format that a report is written in. See escape.h.
 * Source: OWASP cross-site scripting and CSV injection notes; GitHub-flavoured Markdown; LaTeX's ten special characters. */
#include "reports/escape.h"

#include <stdio.h>
#include <string.h>

#define REPLACEMENT 0xfffd

/* ---- UTF-8 ---- */

int utf8_next(const char *s, size_t *len)
{
	const unsigned char *p = (const unsigned char *)s;
	static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
		 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
	unsigned cp = n == 1 ? p[0] : n ? p[0] & (0xffu >> (n + 1)) : 0;

	*len = 1;
	if (!n)
		return -1;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80) /* also the end of the string */
			return -1;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if (cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		return -1;
	*len = n;
	return (int)cp;
}

size_t utf8_width(const char *s)
{
	size_t width = 0, len;

	for (; *s; s += len, width++)
		utf8_next(s, &len);
	return width;
}

static bool is_control(int cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029;
}

/* Invisible characters that change how the text around them is read. */
static bool is_direction(int cp)
{
	return cp == 0x200e || cp == 0x200f || cp == 0x061c || (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

/* One character for everything but terminal and CSV: never a control, never an error. */
static int tame(const char *s, size_t *len)
{
	int cp = utf8_next(s, len);

	if (cp < 0 || is_direction(cp) || cp == 0xfeff)
		return REPLACEMENT;
	return is_control(cp) ? ' ' : cp;
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
		escape_markup(t, tame(s, &len));
}

void escape_xml(struct text *t, const char *s)
{
	for (size_t len; *s; s += len) {
		int cp = tame(s, &len);

		escape_markup(t, cp == 0xfffe || cp == 0xffff ? REPLACEMENT : cp);
	}
}

/* ---- LaTeX: every macro ends with {} so that it eats no blank ---- */

static const struct { int cp; const char *tex; } latex_map[] = {
	{ '\\', "\\textbackslash{}" }, { '{', "\\{" }, { '}', "\\}" }, { '$', "\\$" }, { '&', "\\&" }, { '#', "\\#" },
	{ '^', "\\textasciicircum{}" }, { '_', "\\_" }, { '%', "\\%" }, { '~', "\\textasciitilde{}" },
	{ '<', "\\textless{}" }, { '>', "\\textgreater{}" }, { '|', "\\textbar{}" }, { '"', "{\\char34}" },
	{ '`', "\\textasciigrave{}" }, { '-', "-{}" },
	{ '[', "{[}" }, { ']', "{]}" }, { '*', "{*}" }, /* after a row's \\ these would be its argument */
	{ 0xa0, "~" }, { 0xb0, "\\ensuremath{^\\circ}" }, { 0xb1, "\\ensuremath{\\pm}" }, { 0xb7, "\\ensuremath{\\cdot}" },
	{ 0xd7, "\\ensuremath{\\times}" }, { 0x3b5, "\\ensuremath{\\varepsilon}" }, { 0x3bb, "\\ensuremath{\\lambda}" },
	{ 0x2013, "--" }, { 0x2014, "---" }, { 0x2018, "`" }, { 0x2019, "'" }, { 0x201c, "``" }, { 0x201d, "''" },
	{ 0x2026, "\\ldots{}" }, { 0x2192, "\\ensuremath{\\rightarrow}" }, { 0x2212, "\\ensuremath{-}" },
	{ 0x2248, "\\ensuremath{\\approx}" }, { 0x2264, "\\ensuremath{\\leq}" }, { 0x2265, "\\ensuremath{\\geq}" },
};

void escape_latex(struct text *t, const char *s)
{
	for (size_t len; *s; s += len) {
		int cp = tame(s, &len);
		const char *tex = NULL;

		for (size_t i = 0; i < sizeof(latex_map) / sizeof(*latex_map); i++)
			if (latex_map[i].cp == cp)
				tex = latex_map[i].tex;
		if (tex)
			text_add(t, tex);
		else if (cp < 0x80 || (cp >= 0xc0 && cp < 0x180)) /* Latin letters: in every text font */
			text_code_point(t, (unsigned)cp);
		else
			text_fmt(t, "{[}U+%04X{]}", (unsigned)cp); /* pdflatex would stop here */
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
	return s == start && strchr("-+=", *s) && !is_digit(s[1]); /* a list, a rule, an underlined heading */
}

void escape_markdown(struct text *t, const char *s)
{
	const char *start = s;

	for (size_t len; *s; s += len) {
		int cp = tame(s, &len);

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
		int cp = tame(s, &len);

		/* gnuplot's own '' for a quote does not work at a string's start (5.4), so it becomes a typographic one. */
		text_code_point(t, cp == '\'' ? 0x2019 : (unsigned)cp);
	}
	text_char(t, '\'');
}

/* ---- terminal ---- */

void escape_terminal(struct text *t, const char *s)
{
	for (size_t len; *s; s += len) {
		int cp = utf8_next(s, &len);

		if (cp < 0)
			text_fmt(t, "\\x%02x", (unsigned)(unsigned char)*s);
		else if (cp >= 0x100 && (is_control(cp) || is_direction(cp) || cp == 0xfeff))
			text_fmt(t, "\\u%04x", (unsigned)cp);
		else if (is_control(cp))
			text_fmt(t, "\\x%02x", (unsigned)cp);
		else
			text_code_point(t, (unsigned)cp);
	}
}

/* ---- CSV ---- */

void escape_csv(struct text *t, const char *s, bool safe)
{
	text_char(t, '"');
	if (safe && *s && strchr("=+-@\t\r", *s))
		text_char(t, '\'');
	for (; *s; s++) {
		if (*s == '"')
			text_char(t, '"');
		text_char(t, *s);
	}
	text_char(t, '"');
}
