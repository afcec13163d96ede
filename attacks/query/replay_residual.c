/* See replay_residual.h. */
#include "attacks/query/replay_residual.h"

#include <math.h>
#include <string.h>

#include "attacks/kit/svd.h"
#include "base/cholesky.h"
#include "base/error.h"

enum { SIDE = 5, TAPS = SIDE * SIDE, FILTER_IMAGES = 200, PCA_IMAGES = 200 };
#define RIDGE 1e-2 /* on sums over pixels */

/* ---- the linear filter ---- */

/* The c*TAPS numbers around pixel (y,x) of img (c,h,w), zeros beyond the border, and a 1. */
static void around(const float *img, int c, int h, int w, int y, int x, double *out)
{
	for (int ch = 0; ch < c; ch++)
		for (int k = 0; k < TAPS; k++) {
			const int yy = y + k / SIDE - SIDE / 2, xx = x + k % SIDE - SIDE / 2;

			*out++ = yy < 0 || xx < 0 || yy >= h || xx >= w ? 0 : (double)img[(ch * h + yy) * w + xx];
		}
	*out = 1;
}

static void fit_filter(const struct images *plain, const float *residual, struct bundle *kept)
{
	const int c = plain->c, h = plain->h, w = plain->w, n = c * TAPS + 1, len = images_size(plain);
	double *a = xcalloc((size_t)n * (size_t)n, sizeof(*a)), *b = xcalloc((size_t)c * (size_t)n, sizeof(*b));
	double *row = xmalloc((size_t)n, sizeof(*row));
	float *img = xmalloc((size_t)len, sizeof(*img)), *out;

	for (int i = 0; i < plain->n && i < FILTER_IMAGES; i++) {
		images_get(plain, i, img);
		for (int p = 0; p < h * w; p++) {
			around(img, c, h, w, p / w, p % w, row);
			for (int r = 0; r < n; r++)
				for (int k = 0; k <= r && row[r] > 0; k++)
					a[r * n + k] += row[r] * row[k];
			for (int ch = 0; ch < c; ch++)
				for (int r = 0; r < n; r++)
					b[ch * n + r] += row[r] * (double)residual[(size_t)i * (size_t)len + (size_t)(ch * h * w + p)];
		}
	}
	for (int r = 0; r < n; r++)
		a[r * n + r] += RIDGE;
	cholesky_solve(a, n, b, c);
	out = bundle_put(kept, "filter", DT_F32, 2, (const int64_t[]){ c, n }, NULL);
	for (int i = 0; i < c * n; i++)
		out[i] = (float)b[i];
	free(a);
	free(b);
	free(row);
	free(img);
}

static void filter(const float *weight, const float *img, int c, int h, int w, double *residual)
{
	const int n = c * TAPS + 1;
	double *row = xmalloc((size_t)n, sizeof(*row));

	for (int p = 0; p < h * w; p++) {
		around(img, c, h, w, p / w, p % w, row);
		for (int ch = 0; ch < c; ch++) {
			residual[ch * h * w + p] = 0;
			for (int r = 0; r < n; r++)
				residual[ch * h * w + p] += (double)weight[ch * n + r] * row[r];
		}
	}
	free(row);
}

/* ---- principal components ---- */

/* How like two images are: their product, and a constant, by their size. */
static double like(const float *x, const float *y, int len)
{
	double sum = 1;

	for (int k = 0; k < len; k++)
		sum += (double)x[k] * (double)y[k];
	return sum / len;
}

/* Ridge regression of the residuals, which lie in the space of the first components, on the images, in its dual form. */
static void fit_pca(const float *x, const float *residual, int n, int len, int rank, struct bundle *kept)
{
	double *a = xmalloc((size_t)n * (size_t)n, sizeof(*a)), *r = xmalloc((size_t)n * (size_t)len, sizeof(*r));
	double *b = xmalloc((size_t)n * (size_t)len, sizeof(*b)), *mean = xcalloc((size_t)len, sizeof(*mean)), trace = 0;
	float *out = bundle_put(kept, "dual", DT_F32, 2, (const int64_t[]){ n, len }, NULL);

	for (int i = 0; i < n * len; i++)
		mean[i % len] += (double)residual[i] / n;
	for (int i = 0; i < n * len; i++)
		r[i] = (double)residual[i] - mean[i % len];
	svd_truncate(r, n, len, rank);
	for (int i = 0; i < n; i++) {
		for (int k = 0; k <= i; k++)
			a[i * n + k] = like(x + (ptrdiff_t)i * len, x + (ptrdiff_t)k * len, len);
		trace += a[i * n + i];
		for (int k = 0; k < len; k++)
			b[k * n + i] = r[(ptrdiff_t)i * len + k] + mean[k];
	}
	for (int i = 0; i < n; i++)
		a[i * n + i] += RIDGE * trace / n;
	cholesky_solve(a, n, b, len);
	for (int i = 0; i < n; i++)
		for (int k = 0; k < len; k++)
			out[(ptrdiff_t)i * len + k] = (float)b[k * n + i];
	free(a);
	free(r);
	free(b);
	free(mean);
}

static void combine(const float *plain, const float *dual, int n, const float *x, int len, double *residual)
{
	memset(residual, 0, (size_t)len * sizeof(*residual));
	for (int i = 0; i < n; i++) {
		const double w = like(plain + (ptrdiff_t)i * len, x, len);

		for (int k = 0; k < len; k++)
			residual[k] += w * (double)dual[(ptrdiff_t)i * len + k];
	}
}

/* ---- one of the pairs ---- */

static int nearest(const float *plain, int pairs, const float *x, int len)
{
	double least = INFINITY;
	int best = 0;

	for (int i = 0; i < pairs; i++, plain += len) {
		double d = 0;

		for (int k = 0; k < len; k++)
			d += ((double)plain[k] - (double)x[k]) * ((double)plain[k] - (double)x[k]);
		if (d < least) {
			least = d;
			best = i;
		}
	}
	return best;
}

/* ---- which residual ---- */

void residual_fit(int method, int rank, const struct images *plain, const struct images *keyed, struct bundle *kept)
{
	const int len = images_size(plain);
	float *x = bundle_put(kept, "plain", DT_F32, 2, (const int64_t[]){ plain->n, len }, NULL);
	float *r = xmalloc((size_t)plain->n * (size_t)len, sizeof(*r));

	for (int i = 0; i < plain->n; i++) {
		images_get(plain, i, x + (size_t)i * (size_t)len);
		images_get(keyed, i, r + (size_t)i * (size_t)len);
		for (int k = 0; k < len; k++)
			r[(size_t)i * (size_t)len + (size_t)k] -= x[(size_t)i * (size_t)len + (size_t)k];
	}
	if (method == RESIDUAL_FILTER)
		fit_filter(plain, r, kept);
	if (method == RESIDUAL_PCA)
		fit_pca(x, r, plain->n < PCA_IMAGES ? plain->n : PCA_IMAGES, len, rank, kept);
	for (int k = 0; k < len && method == RESIDUAL_MEAN; k++) {
		double sum = 0;

		for (int i = 0; i < plain->n; i++)
			sum += (double)r[(size_t)i * (size_t)len + (size_t)k];
		r[k] = (float)(sum / plain->n); /* the first row is what is used */
	}
	bundle_put(kept, "residual", DT_F32, 2, (const int64_t[]){ plain->n, len }, r);
	free(r);
}

void residual_of(const struct bundle *kept, int method, const float *img, const struct images *v, double *residual)
{
	const struct tensor *plain = bundle_get(kept, "plain", DT_F32), *dual = bundle_get(kept, "dual", DT_F32);
	const float *stored = bundle_f32(kept, "residual", NULL);
	const int len = images_size(v);

	if (method == RESIDUAL_PCA)
		combine(plain->data, dual->data, (int)dual->d[0], img, len, residual);
	else if (method == RESIDUAL_FILTER)
		filter(bundle_f32(kept, "filter", NULL), img, v->c, v->h, v->w, residual);
	else
		for (int k = 0, at = method == RESIDUAL_NEAREST ? nearest(plain->data, (int)plain->d[0], img, len) : 0; k < len; k++)
			residual[k] = (double)stored[(size_t)at * (size_t)len + (size_t)k];
}
