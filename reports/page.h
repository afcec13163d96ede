/* What the HTML pages share: the frame, the style, a table. Private to reports/. */
#ifndef LB_REPORTS_PAGE_H
#define LB_REPORTS_PAGE_H

#include "reports/tables.h"
#include "reports/text.h"

/* Up to and with <main>; title is also the heading. */
void page_begin(struct text *t, const char *title);
/* with what: a line about where the page comes from. */
void page_end(struct text *t);
void page_heading(struct text *t, int level, const char *id, const char *title);
void page_paragraph(struct text *t, const char *class, const char *s);
/* The table with its caption, in a box that scrolls; nothing when it has no row but the heading. */
void page_table(struct text *t, const struct table *table);
/* Closed until it is opened; for long tables. */
void page_details(struct text *t, const char *summary, const struct table *table);
/* Plots of a page: one that cannot be drawn leaves its table, and is told. */
struct plots { int drawn, failed; };
/* svg as plot_svg() and the functions of figures.h give it: NULL with an error recorded is a failure, which clears the error
 * and warns with the reason (the first of a page); NULL without one is nothing to draw. An error of the machine (no room, no
 * process) stays recorded: it ends the page, so that the same command gives the same page or none. Frees svg. */
void page_plot(struct text *t, struct plots *p, char *svg, const char *caption);
/* At the end: a paragraph, and a warning, about how many are missing. */
void page_plots_missing(struct text *t, const struct plots *p);
/* The day of SOURCE_DATE_EPOCH as text, or NULL when it is not set: pages carry no other date. buf of at least 32
 * bytes. */
const char *page_date(char *buf);

#endif
