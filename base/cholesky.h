/* Symmetric positive definite systems, as ridge regressions have them. */
#ifndef LB_BASE_CHOLESKY_H
#define LB_BASE_CHOLESKY_H

/* a x = b for m right sides: a (n, n), row-major, its lower triangle given, becomes its factor; each row of b (m, n) becomes its x. Sums run
 * in one order: equal input gives equal bits. */
void cholesky_solve(double *a, int n, double *b, int m);

#endif
