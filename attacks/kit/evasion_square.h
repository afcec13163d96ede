/* Square: random search by squares of the largest change allowed, which only asks. Andriushchenko et al., ECCV 2020. */
#ifndef LB_ATTACKS_KIT_EVASION_SQUARE_H
#define LB_ATTACKS_KIT_EVASION_SQUARE_H

#include <stdbool.h>

#include "nn/model.h"
#include <stdint.h>

/* At most `queries` questions for each of n images x (n, c*h*w), towards output y[i] within eps of where it is. Images that get there are
 * replaced, and done (n); those that were done are left alone. Image i draws from (seed, first + i). *fe grows by the forward equivalents
 * spent. 0, or -1 after error(). */
int square(struct model *m, float *x, const int *y, int n, double eps, int queries, uint64_t seed, int first, bool *done, double *fe);

#endif
