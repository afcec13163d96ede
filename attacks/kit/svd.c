/* Low-rank approximation by one-sided Jacobi rotations. See svd.h. */
#include "attacks/kit/svd.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"

#define SWEEPS 60
#define ORTHOGONAL 1e-12 /* cosine between two rows that counts as 0 */

static double dot(const double *a, const double *b, int n)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

static void rotate(double *a, double *b, int n, double c, double s)
{
	for (int i = 0; i < n; i++) {
		const double x = a[i], y = b[i];

		a[i] = c * x - s * y;
		b[i] = s * x + c * y;
	}
}

/* Make rows p and q of a orthogonal, and the same rotation on j; false when they are already. */
static bool orthogonalise(double *a, double *j, int m, int n, int p, int q)
{
	double *x = a + (long)p * n, *y = a + (long)q * n;
	const double xx = dot(x, x, n), yy = dot(y, y, n), xy = dot(x, y, n);
	double zeta, t, c;

	if (fabs(xy) <= ORTHOGONAL * sqrt(xx * yy))
		return false;
	zeta = (yy - xx) / (2 * xy);
	t = (zeta < 0 ? -1 : 1) / (fabs(zeta) + sqrt(1 + zeta * zeta));
	c = 1 / sqrt(1 + t * t);
	rotate(x, y, n, c, c * t);
	rotate(j + (long)p * m, j + (long)q * m, m, c, c * t);
	return true;
}

/* Rows beyond the r longest ones become 0; ties keep the earlier row. */
static void keep_longest(double *a, int m, int n, int r)
{
	double *size = xmalloc(m, sizeof(*size));

	for (int i = 0; i < m; i++)
		size[i] = dot(a + (long)i * n, a + (long)i * n, n);
	for (int i = 0; i < m; i++) {
		int longer = 0;

		for (int k = 0; k < m; k++)
			longer += size[k] > size[i] || (size[k] == size[i] && k < i);
		if (longer >= r)
			memset(a + (long)i * n, 0, (size_t)n * sizeof(*a));
	}
	free(size);
}

/* a = J^T (J a): J rotates the rows of a until they are orthogonal, then the short ones are the small singular directions. m <= n. */
static void truncate_rows(double *a, int m, int n, int r)
{
	double *j = xcalloc((size_t)m * (size_t)m, sizeof(*j)), *old = xmalloc((size_t)m * (size_t)n, sizeof(*old));
	bool turned = true;

	for (int i = 0; i < m; i++)
		j[(long)i * m + i] = 1;
	for (int sweep = 0; turned && sweep < SWEEPS; sweep++) {
		turned = false;
		for (int p = 0; p < m; p++)
			for (int q = p + 1; q < m; q++)
				turned |= orthogonalise(a, j, m, n, p, q);
	}
	keep_longest(a, m, n, r);
	memcpy(old, a, (size_t)m * (size_t)n * sizeof(*a));
	memset(a, 0, (size_t)m * (size_t)n * sizeof(*a));
	for (int i = 0; i < m; i++)
		for (int k = 0; k < m; k++)
			for (int x = 0; x < n; x++)
				a[(long)i * n + x] += j[(long)k * m + i] * old[(long)k * n + x];
	free(old);
	free(j);
}

static void transpose(const double *a, int m, int n, double *out)
{
	for (int i = 0; i < m; i++)
		for (int k = 0; k < n; k++)
			out[(long)k * m + i] = a[(long)i * n + k];
}

void svd_truncate(double *a, int m, int n, int r)
{
	double *t;

	if (m <= n) {
		truncate_rows(a, m, n, r);
		return;
	}
	t = xmalloc((size_t)m * (size_t)n, sizeof(*t));
	transpose(a, m, n, t);
	truncate_rows(t, n, m, r);
	transpose(t, n, m, a);
	free(t);
}
