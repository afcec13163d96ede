/* Ranks, and what is made of them. */
#ifndef LB_METRICS_STAT_RANK_H
#define LB_METRICS_STAT_RANK_H

/* Ascending order: order (n) becomes the positions of x (n) from smallest to largest, equal ones in their given order. */
void order_ascending(const double *x, int n, int *order);
/* Ranks 1 .. n of x (n) from smallest to largest; equal ones get the mean of their ranks (1, 2.5, 2.5, 4). Twice the rank is a
 * whole number. */
void ranks(const double *x, int n, double *rank);
/* Friedman's test of n blocks (seeds, tasks) x k treatments (schemes), row-major, ties averaged and corrected for.
 * mean_rank (k): 1 is the smallest value. Returns the p-value by the chi-square approximation (k - 1 degrees of freedom); 1 when
 * all rows are constant. n >= 1, k >= 2. For display: the tests to decide by are in tests.h.
 * Source: Friedman, JASA 32 (1937); Conover, Practical Nonparametric Statistics (1999), 5.8, for the ties. */
double friedman(const double *x, int n, int k, double *mean_rank);
/* Mean ranks that differ by less are not told apart at 5 % (Nemenyi). k 2 .. 10. Source: Demsar, JMLR 7 (2006), table 5a. */
double nemenyi_distance(int n, int k);

#endif
