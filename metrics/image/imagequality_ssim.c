/* SSIM and MS-SSIM. See imagequality.h. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "metrics/image/imagequality.h"

#define SIGMA 1.5
#define C1 1e-4 /* (K1 L)^2 with K1 .01, L 1 */
#define C2 9e-4 /* (K2 L)^2 with K2 .03 */
#define MAX_SCALES 5

/* Means of one pair of planes: the whole index, and its contrast-structure factor. */
struct similarity { double ssim, cs; };

static void gaussian(double g[SSIM_WINDOW])
{
	double sum = 0;

	for (int i = 0; i < SSIM_WINDOW; i++) {
		const double d = i - SSIM_WINDOW / 2;

		g[i] = exp(-d * d / (2 * SIGMA * SIGMA));
		sum += g[i];
	}
	for (int i = 0; i < SSIM_WINDOW; i++)
		g[i] /= sum;
}

/* Weighted means of x * y (y NULL: of x) over every window that fits: out (h-10, w-10); tmp (h, w-10). */
static void windows(const double *x, const double *y, int h, int w, const double *g, double *tmp, double *out)
{
	const int ow = w - SSIM_WINDOW + 1, oh = h - SSIM_WINDOW + 1;

	for (int r = 0; r < h; r++)
		for (int c = 0; c < ow; c++) {
			double sum = 0;

			for (int i = 0; i < SSIM_WINDOW; i++) {
				const long at = (long)r * w + c + i;

				sum += g[i] * (x[at] * (y ? y[at] : 1));
			}
			tmp[(long)r * ow + c] = sum;
		}
	for (int r = 0; r < oh; r++)
		for (int c = 0; c < ow; c++) {
			double sum = 0;

			for (int i = 0; i < SSIM_WINDOW; i++)
				sum += g[i] * tmp[(long)(r + i) * ow + c];
			out[(long)r * ow + c] = sum;
		}
}

static struct similarity compare(const double *a, const double *b, int h, int w)
{
	const int n = (h - SSIM_WINDOW + 1) * (w - SSIM_WINDOW + 1);
	struct similarity s = { 0, 0 };
	double g[SSIM_WINDOW], *tmp, *m[5]; /* means of a, b, aa, bb, ab */

	BUG_ON(h < SSIM_WINDOW || w < SSIM_WINDOW);
	gaussian(g);
	tmp = xmalloc((size_t)h * (size_t)w, sizeof(*tmp));
	for (int i = 0; i < 5; i++) {
		m[i] = xmalloc((size_t)n, sizeof(**m));
		windows(i == 1 || i == 3 ? b : a, i < 2 ? NULL : i == 2 ? a : b, h, w, g, tmp, m[i]);
	}
	for (int i = 0; i < n; i++) {
		const double ma = m[0][i], mb = m[1][i], va = m[2][i] - ma * ma, vb = m[3][i] - mb * mb, cov = m[4][i] - ma * mb;
		const double cs = (2 * cov + C2) / (va + vb + C2);

		s.cs += cs / n;
		s.ssim += cs * (2 * ma * mb + C1) / (ma * ma + mb * mb + C1) / n;
	}
	for (int i = 0; i < 5; i++)
		free(m[i]);
	free(tmp);
	return s;
}

/* Two planes as doubles, caller frees *a (b lies behind). */
static void planes(const float *fa, const float *fb, int h, int w, double **a, double **b)
{
	const size_t n = (size_t)h * (size_t)w;

	*a = xmalloc(2 * n, sizeof(**a));
	*b = *a + n;
	image_luma(fa, 1, h, w, 1, *a);
	image_luma(fb, 1, h, w, 1, *b);
}

double image_ssim(const float *a, const float *b, int c, int h, int w)
{
	return image_ms_ssim(a, b, c, h, w, 1);
}

double image_ssim_luma(const float *a, const float *b, int c, int h, int w)
{
	const size_t n = (size_t)h * (size_t)w;
	double *ya = xmalloc(2 * n, sizeof(*ya)), *yb = ya + n, s;

	image_luma(a, c, h, w, 1, ya);
	image_luma(b, c, h, w, 1, yb);
	s = compare(ya, yb, h, w).ssim;
	free(ya);
	return s;
}

/* a and b (h, w) are overwritten by their halves. */
static double one_channel(double *a, double *b, int h, int w, int scales, const double *weight)
{
	double product = 1;

	for (int j = 0; j < scales; j++) {
		const struct similarity s = compare(a, b, h, w);

		if (scales == 1)
			return s.ssim; /* plain SSIM may be negative */
		product *= pow(fmax(j + 1 < scales ? s.cs : s.ssim, 0), weight[j]);
		image_halve(a, h, w, a);
		image_halve(b, h, w, b);
		h /= 2;
		w /= 2;
	}
	return product;
}

double image_ms_ssim(const float *a, const float *b, int c, int h, int w, int scales)
{
	static const double published[MAX_SCALES] = { 0.0448, 0.2856, 0.3001, 0.2363, 0.1333 };
	const long plane = (long)h * w;
	double weight[MAX_SCALES], total = 0, sum = 0;

	BUG_ON(scales < 1 || scales > MAX_SCALES || c < 1);
	for (int j = 0; j < scales; j++)
		total += published[j];
	for (int j = 0; j < scales; j++)
		weight[j] = published[j] / total;
	for (int k = 0; k < c; k++) {
		double *pa, *pb;

		planes(a + k * plane, b + k * plane, h, w, &pa, &pb);
		sum += one_channel(pa, pb, h, w, scales, weight);
		free(pa);
	}
	return sum / c;
}

double image_ms_ssim_2(const float *a, const float *b, int c, int h, int w)
{
	return image_ms_ssim(a, b, c, h, w, 2);
}
