/* What all attacks on one scheme of a context say together (metrics/study.h), from outcomes. */
#ifndef LB_REPORTS_STUDY_H
#define LB_REPORTS_STUDY_H

#include "metrics/study.h"
#include "reports/outcome.h"

/* Findings in r's memory. Groups with a failed or broken cell are left out: what they stand for was not found out. A forging attack
 * that nobody could believe to have failed (under 1,000 attempts, none of them accepted) is left out too. */
struct study study_of(struct rows *r, const struct report_input *in, int context, int scheme);
/* The names of metrics that are computed from a study, in the order of their table; NULL-terminated. */
const char *const *study_metrics(struct rows *r);
/* One of them as a cell: a value, INSUFFICIENT with what it has of what it needs, or "n/a". */
struct tcell;
void study_cell(struct rows *r, const struct study *s, const char *metric, struct tcell *out);

#endif
