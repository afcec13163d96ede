/* What a store should hold and a report cannot show: said on every page, in every format. */
#ifndef LB_REPORTS_LEFT_OUT_H
#define LB_REPORTS_LEFT_OUT_H

#include "reports/tables.h"

/* "Left out: 2 cells and 1 timing. ...", NULL: nothing is. In r's memory. */
const char *left_out_warning(struct rows *r, const struct report_input *in);
/* One row a file; only the heading where nothing is left out. */
struct table table_left_out(struct rows *r, const struct report_input *in);

#endif
