/* The least evidence that a value needs to be shown as one (struct metric, least; metrics.md 13): fewer trials are shown as insufficient. */
#ifndef LB_REPORTS_EVIDENCE_H
#define LB_REPORTS_EVIDENCE_H

#include "reports/rows.h"

#define EVIDENCE_SEEDS 6 /* that a claim about a difference needs: below that, exact tests cannot reach 5 % */

/* NULL when the group's cells have enough for the metric, else what they have of what it needs: "10 of 100 credentials a user". In mem. */
const char *evidence_missing(struct arena *mem, const struct group *g, const char *metric);

/* What k accepted of n forged credentials say. The chance is the lower end of the exact 95 % interval, so that luck is no success. */
#define ATTEMPTS_LEAST 1000 /* that "holds" needs (metrics.md 13) */
enum attempts {
	ATTEMPTS_TOO_FEW, /* neither of the others can be said */
	ATTEMPTS_HOLD,
	ATTEMPTS_PARTIAL, /* half a chance in 1,000 tries */
	ATTEMPTS_FULL     /* in 10 */
};
enum attempts attempts_decide(long k, long n); /* n >= 1 */

#endif
