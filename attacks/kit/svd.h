/* The best approximation of a matrix of given rank. */
#ifndef LB_ATTACKS_KIT_SVD_H
#define LB_ATTACKS_KIT_SVD_H

/* In place: the m x n matrix a (row-major) becomes the nearest one of rank at most r in the Frobenius norm (Eckart and Young,
 * 1936). One-sided Jacobi (Hestenes, 1958) on the shorter side, cyclic sweeps in a fixed order, so that it repeats to the bit. */
void svd_truncate(double *a, int m, int n, int r);

#endif
