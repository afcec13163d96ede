/* The tables of a report's first page: all schemes at a glance. Made as in tables.h, from outcomes (outcome.h). */
#ifndef LB_REPORTS_SUMMARY_H
#define LB_REPORTS_SUMMARY_H

#include "reports/outcome.h"
#include "reports/tables.h"

/* Scheme x metric, as the surveys have it, with what the schemes declare. A value is bold where it is the best of all schemes but
 * the controls and the difference to every other one holds: at least two common seeds, the t-interval of the differences paired
 * by seed, Bonferroni-corrected for their number, excludes 0, and so does, for a proportion, Fisher's exact test over all
 * trials. What lacks its minimum evidence says so instead of a number. */
struct table table_survey(struct rows *r, const struct report_input *in, int context);
/* Scheme x attack: how much of what the attacker wants was reached, in a number, a symbol, a word and a shade. */
struct table table_heat(struct rows *r, int context);
/* What it took, at the smallest strength that reaches PARTIAL, PRACTICAL or FULL; or what was spent in vain. */
struct table table_cost(struct rows *r, const struct report_input *in, int context);
/* Published beside measured, for the schemes of the store; rows == 1 when nothing is published. */
struct table table_claims(struct rows *r);
/* One scheme: its functional metrics in one column; every attack on it with its outcome and cost. */
struct table table_scheme(struct rows *r, int context, int scheme);
struct table table_scheme_attacks(struct rows *r, int context, int scheme);

/* Is a better than every other scheme's, and does that hold? The index, or -1. Exposed for tests. */
int best_scheme(struct rows *r, int context, const char *metric);

#endif
