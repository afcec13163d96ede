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
/* svg NULL: nothing. Frees svg. */
void page_figure(struct text *t, char *svg, const char *caption);
/* The day of SOURCE_DATE_EPOCH as text, or NULL when it is not set: pages carry no other date. buf of at least 32 bytes. */
const char *page_date(char *buf);

#endif
