/* Attack-cost curves and the cost to break a lock, by access level and kind of budget: metrics/stat/breaking.h over a report's cells. */
#ifndef LB_REPORTS_BREAKCOST_H
#define LB_REPORTS_BREAKCOST_H

#include "metrics/stat/breaking.h"
#include "reports/tables.h"

/* Attempts on the lock of one scheme: cells (verdict OK or NOOP) of attacks that made a usable model or unlocked queries, and every
 * network trained from scratch in the context. series (may be NULL): which attack variant each was. *n; caller frees both. None where
 * users get less than 10 points more than others: then there is no lock. */
struct attempt *breakcost_attempts(struct rows *r, int context, int scheme, int **series, int *n);
/* Scheme x access level x kind of budget: b_50, b_prac, b_full, robustness scores, margin. rows == 1: no attempts on any lock. */
struct table table_breaking(struct rows *r, int context);
/* Running best of all attacks on each lock over one kind of budget, one line a scheme, and training from scratch. NULL as in figures.h. */
char *figure_breaking(struct rows *r, int context, enum axis axis, const char *id);

#endif
