/* Regularised linear discriminant. See steganalysis_fisher.h. */
#include "metrics/image/steganalysis_fisher.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cholesky.h"
#include "base/error.h"

/* Mean of x (n, d) into mean (d). */
static void mean_of(const double *x, int n, int d, double *mean)
{
	memset(mean, 0, (size_t)d * sizeof(*mean));
	for (int i = 0; i < n; i++)
		for (int k = 0; k < d; k++)
			mean[k] += x[(long)i * d + k] / n;
}

/* Add sum of (x - mean)(x - mean)^T / f to the lower triangle of s (d, d). */
static void add_scatter(const double *x, int n, int d, const double *mean, double f, double *s)
{
	double *r = xmalloc((size_t)d, sizeof(*r));

	for (int i = 0; i < n; i++) {
		for (int k = 0; k < d; k++)
			r[k] = x[(long)i * d + k] - mean[k];
		for (int k = 0; k < d; k++)
			for (int l = 0; l <= k; l++)
				s[(long)k * d + l] += r[k] * r[l] / f;
	}
	free(r);
}

void fisher_train(const double *x, int m, const double *y, int n, int d, double ridge, double *w)
{
	double *s = xcalloc((size_t)d * (size_t)d, sizeof(*s)), *mx = xmalloc((size_t)d, sizeof(*mx));
	double *my = xmalloc((size_t)d, sizeof(*my)), *sd = xmalloc((size_t)d, sizeof(*sd));

	BUG_ON(m < 2 || n < 2 || d < 1 || !(ridge > 0));
	mean_of(x, m, d, mx);
	mean_of(y, n, d, my);
	add_scatter(x, m, d, mx, m + n - 2, s);
	add_scatter(y, n, d, my, m + n - 2, s);
	for (int k = 0; k < d; k++) {
		const double v = s[(long)k * d + k];

		sd[k] = v > 1e-24 ? sqrt(v) : 0;
	}
	for (int k = 0; k < d; k++) {
		for (int l = 0; l <= k; l++)
			s[(long)k * d + l] = sd[k] > 0 && sd[l] > 0 ? s[(long)k * d + l] / (sd[k] * sd[l]) : 0;
		s[(long)k * d + k] += ridge;
		w[k] = sd[k] > 0 ? (my[k] - mx[k]) / sd[k] : 0;
	}
	cholesky_solve(s, d, w, 1);
	for (int k = 0; k < d; k++)
		w[k] = sd[k] > 0 ? w[k] / sd[k] : 0;
	free(s);
	free(mx);
	free(my);
	free(sd);
}
