/* Which part of a store a report shows: struct report_select of report.h, taken apart. Private to reports/. */
#ifndef LB_REPORTS_SELECT_H
#define LB_REPORTS_SELECT_H

#include "base/arena.h"
#include "reports/report.h"

/* Is name one of "a,b,c"? No for NULL and "". */
bool list_has(const char *list, const char *name);
/* Its names, NULL-terminated, in mem; NULL for NULL and "". */
const char *const *list_split(struct arena *mem, const char *list);
/* Does select->where want this cell (or a failure's point)? model: its name as rows have it. */
bool select_point(const struct report_select *select, const json_t *point, const char *model);

#endif
