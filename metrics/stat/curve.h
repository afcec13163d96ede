/* Attack-cost curves (metrics.md 9): what an attacker recovers (0 .. 1) as a function of one kind of budget (queries, labels, or
 * forward equivalents; never mixed). */
#ifndef LB_METRICS_STAT_CURVE_H
#define LB_METRICS_STAT_CURVE_H

#include <stdbool.h>

/* Points with budgets b > 0, ascending and different, n >= 1. */
struct curve { double *b, *r; int n; };

/* 9.1: the monotone envelope of measured points (b, r) (n, any order, several attacks together): an attacker keeps its best. r
 * is clipped to [0, 1], points at one budget become one. Caller frees. */
void curve_envelope(const double *b, const double *r, int n, struct curve *out);
void curve_free(struct curve *c);
/* Height at budget b: straight lines over log b between points. Differs: outside the measured budgets the nearest point's
 * height, so that an attack which was never tried with little is not taken to fail with little. */
double curve_at(const struct curve *c, double b);
/* 9.2: mean height over log b between low and high (low < high, both > 0), 0 .. 1. The defender's score is 1 minus it. */
double curve_area(const struct curve *c, double low, double high);
/* 9.2: the same of max(0, c - baseline), what theft adds to training from scratch. */
double curve_area_above(const struct curve *c, const struct curve *baseline, double low, double high);
/* 9.3: the smallest budget tried with a height of at least `level`; false when none did (censored at the largest budget). */
bool curve_budget(const struct curve *c, double level, double *b);
/* 9.3: log2(cost of breaking / cost of training from scratch); 0 or less: the lock is worth nothing. */
double margin_bits(double break_cost, double scratch_cost);

/* 5.2: mean of y over x between low and high by trapezoids, straight lines between points, nearest value outside; x in any
 * order. */
double mean_over(const double *x, const double *y, int n, double low, double high);

/* ---- budgets to success over seeds, some never reached (9.3) ---- */

/* Kaplan and Meier's (JASA 53, 1958) median of n budgets; event[i] false: not reached within budget[i]. false when less than
 * half reached it. */
bool median_budget(const double *budget, const bool *event, int n, double *median);
/* Mantel's log-rank test (1966) that two groups need the same; 1 when there is nothing to compare. Chi-square with one degree
 * of freedom: wants 5 or more events. */
double log_rank(const double *budget1, const bool *event1, int n1, const double *budget2, const bool *event2, int n2);

/* ---- removal (9.4) ---- */

/* Points of accuracy, 0 .. 1, forward equivalents; of all three the attacker wants little. */
struct removal { double loss, retention, cost; };
/* Keep those that no other matches or beats in everything, moved to the front in their order; their number. */
int pareto_front(struct removal *p, int n);
/* Share of the box loss 0 .. loss_max, retention 0 .. 1, log cost between cost_min and cost_max that some point beats: 0
 * nothing achieved, 1 removed for nothing. Differs: 9.4 names the reference point only; the axes are scaled to 0 .. 1, cost by
 * its logarithm. */
double removal_volume(const struct removal *p, int n, double loss_max, double cost_min, double cost_max);

#endif
