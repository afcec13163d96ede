/* Text for LaTeX: pdflatex must take whatever a name or a path holds, with OT1, the default encoding of its fonts, and
 * with T1. ASCII's special characters are macros. A letter that both encodings have stands as it is; one that only T1
 * has stands in \lbchar with what to print without it; Greek is set as mathematics, Cyrillic in Latin letters, and
 * everything else as [U+65E5]. Every macro ends with {} so that it eats no blank. See escape.h.
 * Source: LaTeX's ten special characters; t1enc.dfu and ot1enc.dfu of the LaTeX base; GOST 7.79-2000, system B, for
 * Cyrillic. */
#include "reports/escape.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* In order of code points. After a row's \\ a * would be its star, and [x] its argument. */
static const struct latex_char { int cp; const char *tex; } latex_map[] = {
	{ '"', "{\\char34}" }, { '#', "\\#" }, { '$', "\\$" }, { '%', "\\%" }, { '&', "\\&" }, { '*', "{*}" },
	{ '-', "-{}" }, { '<', "\\textless{}" }, { '>', "\\textgreater{}" }, { '[', "{[}" },
	{ '\\', "\\textbackslash{}" }, { ']', "{]}" }, { '^', "\\textasciicircum{}" }, { '_', "\\_" },
	{ '`', "\\textasciigrave{}" }, { '{', "\\{" },
	{ '|', "\\textbar{}" }, { '}', "\\}" }, { '~', "\\textasciitilde{}" },
	{ 0xa0, "~" }, { 0xa7, "\\S{}" }, { 0xa9, "\\textcopyright{}" },
	{ 0xab, "\\lbchar{\\guillemotleft}{\u00ab}{\\textless{}\\textless{}}" },
	{ 0xad, "\\-" }, { 0xb0, "\\ensuremath{^\\circ}" }, { 0xb1, "\\ensuremath{\\pm}" },
	{ 0xb2, "\\ensuremath{^2}" }, { 0xb3, "\\ensuremath{^3}" },
	{ 0xb5, "\\ensuremath{\\mu}" }, { 0xb7, "\\ensuremath{\\cdot}" }, { 0xb9, "\\ensuremath{^1}" },
	{ 0xbb, "\\lbchar{\\guillemotright}{\u00bb}{\\textgreater{}\\textgreater{}}" },
	{ 0xd0, "\\lbchar{\\DH}{\u00d0}{D}" }, { 0xd7, "\\ensuremath{\\times}" },
	{ 0xde, "\\lbchar{\\TH}{\u00de}{Th}" },
	{ 0xf0, "\\lbchar{\\dh}{\u00f0}{d}" }, { 0xf7, "\\ensuremath{\\div}" }, { 0xfe, "\\lbchar{\\th}{\u00fe}{th}" },
	{ 0x104, "\\lbchar{\\k}{\u0104}{A}" }, { 0x105, "\\lbchar{\\k}{\u0105}{a}" },
	{ 0x110, "\\lbchar{\\DJ}{\u0110}{D}" },
	{ 0x111, "\\lbchar{\\dj}{\u0111}{d}" }, { 0x118, "\\lbchar{\\k}{\u0118}{E}" },
	{ 0x119, "\\lbchar{\\k}{\u0119}{e}" },
	{ 0x126, "H" }, { 0x127, "h" }, { 0x12e, "\\lbchar{\\k}{\u012e}{I}" }, { 0x12f, "\\lbchar{\\k}{\u012f}{i}" },
	{ 0x138, "k" },
	{ 0x13f, "L\\ensuremath{\\cdot}" }, { 0x140, "l\\ensuremath{\\cdot}" }, { 0x149, "'n" },
	{ 0x14a, "\\lbchar{\\NG}{\u014a}{Ng}" },
	{ 0x14b, "\\lbchar{\\ng}{\u014b}{ng}" }, { 0x166, "T" }, { 0x167, "t" }, { 0x172, "\\lbchar{\\k}{\u0172}{U}" },
	{ 0x173, "\\lbchar{\\k}{\u0173}{u}" }, { 0x17f, "s" },
	{ 0x2010, "-{}" }, { 0x2011, "-{}" }, { 0x2012, "--" }, { 0x2013, "--" }, { 0x2014, "---" },
	{ 0x2015, "---" }, { 0x2018, "`" },
	{ 0x2019, "'" }, { 0x201a, "\\lbchar{\\quotesinglbase}{\u201a}{,}" }, { 0x201c, "``" }, { 0x201d, "''" },
	{ 0x201e, "\\lbchar{\\quotedblbase}{\u201e}{,,}" }, { 0x2020, "\\dag{}" }, { 0x2022, "\\textbullet{}" },
	{ 0x2026, "\\ldots{}" },
	{ 0x2039, "\\lbchar{\\guilsinglleft}{\u2039}{\\textless{}}" },
	{ 0x203a, "\\lbchar{\\guilsinglright}{\u203a}{\\textgreater{}}" },
	{ 0x20ac, "EUR" }, { 0x2190, "\\ensuremath{\\leftarrow}" }, { 0x2192, "\\ensuremath{\\rightarrow}" },
	{ 0x2212, "\\ensuremath{-}" },
	{ 0x221a, "\\ensuremath{\\surd}" }, { 0x221e, "\\ensuremath{\\infty}" }, { 0x2248, "\\ensuremath{\\approx}" },
	{ 0x2260, "\\ensuremath{\\neq}" },
	{ 0x2264, "\\ensuremath{\\leq}" }, { 0x2265, "\\ensuremath{\\geq}" },
	{ 0xfb00, "ff" }, { 0xfb01, "fi" }, { 0xfb02, "fl" }, { 0xfb03, "ffi" }, { 0xfb04, "ffl" },
};

/* U+0391 .. U+03A9 and U+03B1 .. U+03C9. */
static const char *const greek[][25] = {
	{ "\\mathrm{A}", "\\mathrm{B}", "\\Gamma", "\\Delta", "\\mathrm{E}", "\\mathrm{Z}", "\\mathrm{H}", "\\Theta",
	  "\\mathrm{I}", "\\mathrm{K}", "\\Lambda", "\\mathrm{M}", "\\mathrm{N}", "\\Xi", "\\mathrm{O}", "\\Pi",
	  "\\mathrm{P}", NULL, "\\Sigma", "\\mathrm{T}", "\\Upsilon", "\\Phi", "\\mathrm{X}", "\\Psi", "\\Omega" },
	{ "\\alpha", "\\beta", "\\gamma", "\\delta", "\\varepsilon", "\\zeta", "\\eta", "\\theta", "\\iota", "\\kappa",
	  "\\lambda", "\\mu", "\\nu", "\\xi", "o", "\\pi", "\\rho", "\\varsigma", "\\sigma", "\\tau", "\\upsilon",
	  "\\varphi", "\\chi", "\\psi", "\\omega" },
};

/* U+0430 .. U+045F; the capitals lie 32 before the first two rows, 80 before the third. */
static const char *const cyrillic[] = {
	"a", "b", "v", "g", "d", "e", "zh", "z", "i", "j", "k", "l", "m", "n", "o", "p",
	"r", "s", "t", "u", "f", "kh", "c", "ch", "sh", "shch", "''", "y", "'", "e", "yu", "ya",
	"e", "yo", "dj", "gj", "ye", "dz", "i", "yi", "j", "lj", "nj", "c", "kj", "i", "u", "dzh",
};

static const struct { int cp; char accent; } marks[] = { /* combining */
	{ 0x300, '`' }, { 0x301, '\'' }, { 0x302, '^' }, { 0x303, '~' }, { 0x304, '=' }, { 0x306, 'u' },
	{ 0x307, '.' }, { 0x308, '"' },
	{ 0x30a, 'r' }, { 0x30b, 'H' }, { 0x30c, 'v' }, { 0x323, 'd' }, { 0x327, 'c' }, { 0x328, 'k' }, { 0x331, 'b' },
};

static int by_code_point(const void *key, const void *element)
{
	return *(const int *)key - ((const struct latex_char *)element)->cp;
}

static const char *mapped(int cp)
{
	const struct latex_char *c = bsearch(&cp, latex_map, ARRAY_LEN(latex_map), sizeof(*latex_map), by_code_point);

	return c ? c->tex : NULL;
}

/* Latin letters that OT1 and T1 have, by themselves or with an accent. */
static bool is_latin(int cp)
{
	return (cp >= 0xc0 && cp < 0x180) || (cp >= 0x218 && cp <= 0x21b) || cp == 0xa1 || cp == 0xbf;
}

static void add_cyrillic(struct text *t, int cp)
{
	const bool capital = cp < 0x430;
	const char *s = cyrillic[cp + (!capital ? 0 : cp < 0x410 ? 80 : 32) - 0x430];

	text_char(t, (char)(capital ? toupper((unsigned char)*s) : *s));
	text_add(t, s + 1);
}

static void add_char(struct text *t, int cp)
{
	const char *tex = mapped(cp);
	const int letter = cp >= 0x3b1 ? cp - 0x3b1 : cp - 0x391;

	if (!tex && cp >= 0x391 && cp <= 0x3c9 && letter < 25 && (tex = greek[cp >= 0x3b1][letter]))
		text_fmt(t, "\\ensuremath{%s}", tex);
	else if (tex)
		text_add(t, tex);
	else if (cp < 0x80 || is_latin(cp))
		text_code_point(t, (unsigned)cp);
	else if (cp >= 0x400 && cp < 0x460)
		add_cyrillic(t, cp);
	else
		text_fmt(t, "{[}U+%04X{]}", (unsigned)cp);
}

/* The accent of the combining mark at s and its bytes, or 0. */
static char mark_at(const char *s, size_t *len)
{
	const int cp = utf8_next(s, len);

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (marks[i].cp == cp)
			return marks[i].accent;
	return 0;
}

/* A letter and its mark: file systems and keyboards give many letters so. An i or j gives up its dot to what stands
 * above. */
static void add_accented(struct text *t, char letter, char accent)
{
	const bool below = strchr("dckb", accent) != NULL, dotless = !below && (letter == 'i' || letter == 'j');

	if (accent == 'k')
		text_fmt(t, "\\lbchar{\\k}{\\k{%c}}{%c}", letter, letter);
	else
		text_fmt(t, "\\%c{%s%c}", accent, dotless ? "\\" : "", letter);
}

void escape_latex(struct text *t, const char *s)
{
	for (size_t len, more; *s; s += len) {
		const int cp = escape_tame(s, &len);
		const char accent = cp < 0x80 && isalpha(cp) ? mark_at(s + len, &more) : 0;

		if (accent) {
			add_accented(t, (char)cp, accent);
			len += more;
		} else {
			add_char(t, cp);
		}
	}
}

void escape_latex_comment(struct text *t, const char *s)
{
	for (size_t len; *s; s += len) {
		const int cp = utf8_next(s, &len);

		/* Editors obey "% !TEX ...", "%&format", "vim:..." and "-*- ... -*-" in comments. */
		text_char(t, cp > 0 && cp < 0x80 && (isalnum(cp) || strchr(" ._/,()+=-", cp)) ? (char)cp : '?');
	}
}
