/* Order statistics of colluders' values: Wu, Trappe, Wang, Liu's nonlinear attacks (IEEE SPM 2004). */
#ifndef LB_ATTACKS_ORDER_H
#define LB_ATTACKS_ORDER_H

enum { ORDER_MOST = 64 };
enum order { ORDER_MIN, ORDER_MEDIAN, ORDER_MAX, ORDER_MIDRANGE, ORDER_NEGATIVE }; /* midrange: (min + max) / 2; negative: min + max - median */

/* Of n values, 1 to ORDER_MOST. */
double order_of(enum order which, const double *v, int n);

#endif
