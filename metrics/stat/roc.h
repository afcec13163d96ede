/* Scores of a detector: ROC, DET, equal error rate, AUC. Larger scores mean more genuine (or more suspicious: the class
 * called positive); whoever scores s >= t is accepted at threshold t. Source: ISO/IEC 19795-1; metrics.md 3.1-3.3. */
#ifndef LB_METRICS_STAT_ROC_H
#define LB_METRICS_STAT_ROC_H

#include <stdbool.h>

struct roc_point {
	double threshold;  /* accepted from this score on; the last point's is +infinity: nobody is accepted */
	long accepted;     /* impostors accepted */
	long rejected;     /* genuine rejected */
	double far, frr;   /* accepted / impostors, rejected / genuine */
};
/* Points (caller frees) from accepting all (far 1, frr 0) to accepting nobody (far 0, frr 1), one for each different score and
 * one more. */
struct roc { struct roc_point *p; int n; int genuine, impostors; };

/* genuine (m), impostor (n), finite; m, n >= 1. */
void roc_of(const double *genuine, int m, const double *impostor, int n, struct roc *r);
void roc_free(struct roc *r);

/* Area under the curve of 1 - frr over far; ties count half. The same as superiority() in effect.h. */
double roc_auc(const struct roc *r);
/* Equal error rate on the lower convex hull of the points (thresholds may be mixed at random), where it crosses far = frr. */
double roc_eer(const struct roc *r);
/* Without the hull: at the threshold with the smallest |far - frr| (the first of equals), (far + frr) / 2. point may be NULL. */
double roc_eer_raw(const struct roc *r, struct roc_point *point);
/* Smallest frr of a threshold with far <= most. There is always one: accepting nobody. */
double roc_frr_at(const struct roc *r, double most);
/* Smallest (far + frr) / 2 over thresholds: P_E of steganalysis, 0.5 for a detector that knows nothing. */
double roc_min_error(const struct roc *r);
/* Coordinates of a DET plot: normal quantiles of far and frr, false where one of them is outside [1e-4, 0.5]. */
bool roc_det(const struct roc_point *p, double *x, double *y);

#endif
