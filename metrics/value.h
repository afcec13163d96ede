/* A number with how sure it is and what it stands on. */
#ifndef LB_METRICS_VALUE_H
#define LB_METRICS_VALUE_H

struct value {
	double value, low, high; /* 95 % interval; low == high == value for counts that are exact */
	long k, n;               /* successes of trials; n = 0 where that is not the kind of number */
	long seen;               /* what else it stands on: images, pairs, scores; 0: n says it, or nothing does */
};

#endif
