/* A metric: a number with its evidence, computed from observations. A row in a family's file and a line in list.def. */
#ifndef LB_METRICS_METRIC_H
#define LB_METRICS_METRIC_H

#include "base/driver.h"
#include "metrics/observe.h"
#include "metrics/value.h"
#include <stdbool.h>

enum metric_kind {
	METRIC_MEASURED,
	METRIC_CHECKED       /* the scheme's driver declares it, and what was measured can show that it is wrong */
};
enum metric_from {
	FROM_CELL,           /* computed from the observations of one cell, and kept in it */
	FROM_TIMING,         /* seconds: kept beside the cell, for they do not repeat to the bit */
	FROM_STUDY           /* computed by reports from all attacks on a scheme: metrics/study.h */
};

struct study;
struct metric {
	struct driver drv;   /* must be first */
	const char *title;   /* for table headings, at most 24 characters */
	const char *unit;    /* "%", "ratio", "users", "bytes", "points", "yes/no" */
	const char *survey;  /* the survey's own term and section */
	double min, max;     /* possible range in that unit */
	int better;          /* +1: larger is better for the defender, -1: smaller, 0: neither */
	enum metric_kind kind;
	enum metric_from from;
	/* The least evidence (metrics.md 13): so many trials in each cell, of each user where `each_user`; of a study's metric, so many
	 * attacks. With less, a value is shown as insufficient. 0: any. least_of: what is counted ("impostors"). */
	long least;
	const char *least_of;
	bool each_user;
	bool same_images;    /* its trials are the same test images in every seed: seeds do not make them more */
	/* FROM_CELL: what it is made of, by the names of observe.h. Exactly one of the seven is set; metric_value() does the rest. */
	const char *share;      /* these bits: how many are set, in percent, with the exact interval */
	const char *worst_user; /* these bits, user-major: the same for the user with the smallest share */
	const char *points[2];  /* bits of the same trials: share of the first less that of the second, paired interval */
	const char *number;     /* this number as it is ... */
	const char *seen;       /* ... and how many it stands on, NULL: nothing says that */
	const char *ratio[2];   /* the first number over the second; not applicable where the second is not above 0 */
	const char *mean;       /* this series: mean, with Student's interval inside [min, max] */
	/* Everything else: 1 and v set, or 0: these observations do not say (not applicable). */
	int (*compute)(const struct observations *o, struct value *v);
	/* The same for FROM_STUDY. v->seen: how many attacks it stands on; with 0, too: how many there are of what it lacks more of. */
	int (*over)(const struct study *s, struct value *v);
};
extern const struct driver *const metrics[]; /* sorted by name, NULL-terminated */

/* One of them: 1 and v set, or 0: not applicable (as is, in a cell, what is not FROM_CELL). */
int metric_value(const struct metric *m, const struct observations *o, struct value *v);
/* {name: {"value","low","high","k","n"}} for every metric that is defined. Caller decrefs. */
json_t *metrics_json(const struct observations *o);

#endif
