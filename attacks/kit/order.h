/* Numbers in order, and the mean and order statistics of colluders' values: Wu, Trappe, Wang, Liu's linear and nonlinear attacks (IEEE SPM 2004). */
#ifndef LB_ATTACKS_KIT_ORDER_H
#define LB_ATTACKS_KIT_ORDER_H

#include <stddef.h>

enum { ORDER_MOST = 64 };
/* midrange: (min + max) / 2; negative: min + max - median. */
enum order { ORDER_MEAN, ORDER_MEDIAN, ORDER_MIN, ORDER_MAX, ORDER_MIDRANGE, ORDER_NEGATIVE, ORDERS };
/* Their names, for methods that begin with them: the choice ORDER_NAMES "|other" goes with enum { METHOD_OTHER = ORDERS }. */
#define ORDER_NAMES "average|median|min|max|midrange|negative"

/* Of n values, 1 to ORDER_MOST. */
double order_of(enum order which, const double *v, int n);

/* In place, smallest first. */
void sort_ascending(double *v, size_t n);

#endif
