/* A metric: a number with its evidence, computed from observations. A driver in a family's file and a line in list.def. */
#ifndef LB_METRICS_METRIC_H
#define LB_METRICS_METRIC_H

#include "base/driver.h"
#include "metrics/observe.h"

struct value {
	double value, low, high; /* 95 % interval; low == high == value for counts that are exact */
	long k, n;               /* successes of trials; n = 0 where that is not the kind of number */
};

struct metric {
	struct driver drv;   /* must be first */
	const char *title;   /* for table headings, at most 24 characters */
	const char *unit;    /* "%", "ratio", "users", "bytes", "points", "yes/no" */
	const char *survey;  /* the survey's own term and section */
	double min, max;     /* possible range in that unit */
	int better;          /* +1: larger is better for the defender, -1: smaller, 0: neither */
	/* 1 and v set, or 0: these observations do not say (not applicable). */
	int (*compute)(const struct observations *o, struct value *v);
};
extern const struct driver *const metrics[]; /* sorted by name, NULL-terminated */

/* {name: {"value","low","high","k","n"}} for every metric that is defined. Caller decrefs. */
json_t *metrics_json(const struct observations *o);

#endif
