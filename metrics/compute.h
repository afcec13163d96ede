/* The ways in which most metrics are made from observations (metric_value() takes a metric's). Private to metrics/. Each returns 1 and sets v, or 0
 * when the observation is absent or empty. */
#ifndef LB_METRICS_COMPUTE_H
#define LB_METRICS_COMPUTE_H

#include "metrics/observe.h"
#include "metrics/value.h"
#include <stdbool.h>

/* Observations come from cells that anybody may have written. A number that counts something: 0 where it is absent, or no whole number from 0
 * to 2^53. Are the n numbers of a series such counts? */
long count_of(const struct observations *o, const char *name);
bool are_counts(const double *x, size_t n);
/* k of n in percent, with the Clopper-Pearson interval. */
int percent(long k, long n, struct value *v);
int percent_of(const struct observations *o, const char *bits, struct value *v);
/* first - second in percentage points, image by image. */
int points_between(const struct observations *o, const char *first, const char *second, struct value *v);
/* A number as it is, with the number that says how many it stands on (NULL: none does), and the ratio of two; exact. */
int number_of(const struct observations *o, const char *name, const char *seen, struct value *v);
int ratio_of(const struct observations *o, const char *name, const char *reference, struct value *v);
/* Mean of a series, with Student's interval inside [min, max]. */
int mean_of(const struct observations *o, const char *series, double min, double max, struct value *v);
/* The user with the smallest share of bits (user-major, credentials_per_user each), in percent, with that user's interval. */
int worst_user(const struct observations *o, const char *bits, struct value *v);

#endif
