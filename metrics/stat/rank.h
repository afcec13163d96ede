/* Ranks, and what is made of them. */
#ifndef LB_METRICS_STAT_RANK_H
#define LB_METRICS_STAT_RANK_H

#include <stdbool.h>

/* The same number but for rounding: apart by no more than 1e-12 of the larger. What is equal on paper (0.1 + 0.2 and
 * 0.3) need not be in binary, and is a tie all the same. */
bool same_number(double a, double b);
/* a - b; 0 where they are the same number. */
double difference_of(double a, double b);

/* Ascending order: order (n) becomes the positions of x (n) from smallest to largest, equal ones in their given order. */
void order_ascending(const double *x, int n, int *order);
/* Ranks 1 .. n of x (n) from smallest to largest; those that are the same number as the smallest of their tie get the
 * mean of their ranks (1, 2.5, 2.5, 4). Twice the rank is a whole number. */
void ranks(const double *x, int n, double *rank);
/* The same of what was subtracted, where rounding is larger beside what is left: apart by no more than `near` of the
 * larger. */
void ranks_near(const double *x, int n, double near, double *rank);
/* Friedman's test of n blocks (seeds, tasks) x k treatments (schemes), row-major, ties averaged and corrected for.
 * mean_rank (k): 1 is the smallest value. Returns the p-value by the chi-square approximation (k - 1 degrees of
 * freedom); 1 when all rows are constant. n >= 1, k >= 2. For display: the tests to decide by are in tests.h.
 * Source: Friedman, JASA 32 (1937); Conover, Practical Nonparametric Statistics (1999), 5.8, for the ties. */
double friedman(const double *x, int n, int k, double *mean_rank);
/* Mean ranks that differ by less are not told apart at 5 % (Nemenyi). k 2 .. 10. Source: Demsar, JMLR 7 (2006), table
 * 5a. */
double nemenyi_distance(int n, int k);

#endif
