/* The writers behind report_write(): each appends the whole report to t. 0, or -1 after error(). Private to reports/. */
#ifndef LB_REPORTS_FORMATS_H
#define LB_REPORTS_FORMATS_H

#include "reports/report.h"
#include "reports/tables.h"
#include "reports/text.h"
#include <locale.h>

int html_report(struct rows *r, const struct report_input *in, struct text *t);
int markdown_report(struct rows *r, const struct report_input *in, struct text *t);
int latex_report(struct rows *r, const struct report_input *in, struct text *t);
int csv_report(struct rows *r, const struct report_input *in, struct text *t);
int json_report(struct rows *r, const struct report_input *in, struct text *t);

/* The same for in->select->table alone, once a context. */
int html_one(struct rows *r, const struct report_input *in, struct text *t);
int markdown_one(struct rows *r, const struct report_input *in, struct text *t);
int latex_one(struct rows *r, const struct report_input *in, struct text *t);
int csv_one(struct rows *r, const struct report_input *in, struct text *t);
int json_one(struct rows *r, const struct report_input *in, struct text *t);
/* That table, its caption beginning with what it stands on. */
struct table selected_table(struct rows *r, const struct report_input *in, int context);
/* One file a table beside path, "r.tex" -> "r-c1-survey.tex", and "r-macros.tex". 0, or -1 after error(). */
int latex_split(struct rows *r, const struct report_input *in, const char *path);
/* \newcommand{\lbMnistLenetFiveNoneAuthorisedAccuracy}{99.1}: one for each number that has all its seeds; and
 * \\lbLeftOut: how many files are damaged or missing. */
void latex_macros(struct rows *r, const struct report_input *in, struct text *t);

/* For ActiveGuard's tables too. */
void markdown_table(struct text *t, const struct table *table);
void latex_begin(struct text *t, const char *title);
void latex_warning(struct text *t, const char *warning); /* a bold paragraph; NULL: none */
void latex_table(struct text *t, const struct table *table, int number); /* label tab:lb-NUMBER */

/* Numbers have a point, whatever the locale: between these two calls of one thread. */
locale_t point_locale(void);
void point_locale_end(locale_t before);

/* "html", "md", "tex", "csv" or "json" by the path's end; NULL after error(). */
const char *format_of(const char *path);

#endif
