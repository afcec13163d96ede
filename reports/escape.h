/* Text from outside (names, options, error messages) on its way into a page. Each function appends to t a form of s
 * that the target shows as text and cannot take for anything else. Common to all but CSV: what is not UTF-8 and the
 * characters that reverse the reading direction become U+FFFD (\xNN and \uNNNN on a terminal), controls become a
 * blank. */
#ifndef LB_REPORTS_ESCAPE_H
#define LB_REPORTS_ESCAPE_H

#include "base/utf8.h"
#include "reports/text.h"
#include <stdbool.h>

void escape_html(struct text *t, const char *s);     /* for text and for quoted attributes */
void escape_xml(struct text *t, const char *s);      /* the same for XML 1.0, where U+FFFE and U+FFFF may not stand at all */
/* For text mode, also as the first thing of a table row; see LATEX_MACROS. */
void escape_latex(struct text *t, const char *s);
/* Behind a %: one line of ASCII, and no line that an editor obeys. */
void escape_latex_comment(struct text *t, const char *s);
void escape_markdown(struct text *t, const char *s); /* for a cell of a GitHub table or a line of text */
void escape_gnuplot(struct text *t, const char *s);  /* with its single quotes, those inside typographic; at most 120 characters; use with noenhanced */
/* A text with its double quotes, bytes unchanged but for a ' in front of what a spreadsheet would take for a formula
 * (CWE-1236): = + - @ behind any blanks, a tab or line end at the start. */
void escape_csv(struct text *t, const char *s);
/* What this program made of numbers and nothing else, "-8.97" bare or "-8.97 (-9.10 to -8.84)" in quotes: never with a
 * ', for that turns a number into a text. */
void escape_csv_number(struct text *t, const char *s);


/* A file with escape_latex()'s text defines these first. \lbchar{command of the letter}{letter}{in its place}: which
 * of the two is decided in the document, by whether its font encoding has the command. It expands, so that lists of
 * tables need no definition. */
#define LATEX_MACROS "\\providecommand{\\lbchar}[3]" \
	"{\\ifcsname\\csname f@encoding\\endcsname\\string#1\\endcsname#2\\else#3\\fi}\n"

/* For these functions: the next character of s with controls as blanks, and U+FFFD for what is not UTF-8 or hidden. */
int escape_tame(const char *s, size_t *len);

#endif
