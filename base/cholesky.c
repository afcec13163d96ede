/* See cholesky.h. */
#include "base/cholesky.h"

#include <math.h>

/* a = L L^T, row by row; L takes the lower triangle's place. */
static void factor(double *a, int n)
{
	for (int i = 0; i < n; i++) {
		double *row = a + (long)i * n;

		for (int j = 0; j <= i; j++) {
			const double *above = a + (long)j * n;
			double sum = row[j];

			for (int k = 0; k < j; k++)
				sum -= row[k] * above[k];
			row[j] = j < i ? sum / above[j] : sqrt(sum);
		}
	}
}

void cholesky_solve(double *a, int n, double *b, int m)
{
	factor(a, n);
	for (int r = 0; r < m; r++, b += n) {
		for (int i = 0; i < n; i++) {
			for (int k = 0; k < i; k++)
				b[i] -= a[(long)i * n + k] * b[k];
			b[i] /= a[(long)i * n + i];
		}
		for (int i = n - 1; i >= 0; i--) {
			for (int k = i + 1; k < n; k++)
				b[i] -= a[(long)k * n + i] * b[k];
			b[i] /= a[(long)i * n + i];
		}
	}
}
