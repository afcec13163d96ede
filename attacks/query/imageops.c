/* See imageops.h. Sums run in double in a fixed order; every result is rounded to float once. */
#include "attacks/query/imageops.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

static int clamp(int v, int most)
{
	return v < 0 ? 0 : v > most ? most : v;
}

/* ---- geometry ---- */

/* Keys, "Cubic convolution interpolation for digital image processing", IEEE TASSP 1981, with a = -1/2. */
static double keys(double t)
{
	const double a = -0.5, u = fabs(t);

	if (u >= 2)
		return 0;
	return u <= 1 ? ((a + 2) * u - (a + 3)) * u * u + 1 : ((a * u - 5 * a) * u + 8 * a) * u - 4 * a;
}

/* Where an output pixel reads along one side: n of the source's pixels and what each counts. */
struct taps {
	int n, at[4];
	double weight[4];
};

/* Pixel i of `to` in a side of `from` pixels. */
static struct taps taps_of(int i, int from, int to, enum filter f)
{
	const double p = (i + 0.5) * from / to - 0.5; /* in pixel centres */
	const int first = (int)floor(p), reach = f == FILTER_BICUBIC ? 2 : 1;
	struct taps t = { 0 };

	if (f == FILTER_NEAREST)
		return (struct taps){ 1, { clamp((int)floor((i + 0.5) * from / to), from - 1) }, { 1 } };
	for (int k = first - reach + 1; k <= first + reach; k++) {
		t.at[t.n] = clamp(k, from - 1);
		t.weight[t.n++] = f == FILTER_BICUBIC ? keys(p - k) : 1 - fabs(p - k);
	}
	return t;
}

static float sample(const float *plane, int w, const struct taps *y, const struct taps *x)
{
	double sum = 0;

	for (int i = 0; i < y->n; i++)
		for (int k = 0; k < x->n; k++)
			sum += y->weight[i] * x->weight[k] * (double)plane[(size_t)y->at[i] * w + x->at[k]];
	return (float)sum;
}

void img_resize(const float *in, struct shape s, enum filter f, int h, int w, float *out)
{
	BUG_ON(h < 1 || w < 1);
	for (int y = 0; y < h; y++) {
		const struct taps ty = taps_of(y, s.h, h, f);

		for (int x = 0; x < w; x++) {
			const struct taps tx = taps_of(x, s.w, w, f);

			for (int c = 0; c < s.c; c++)
				out[((size_t)c * h + y) * w + x] = sample(in + (size_t)c * s.h * s.w, s.w, &ty, &tx);
		}
	}
}

/* Value at (y, x) in pixel centres, between the four around it; what lies outside counts as 0. */
static float between(const float *plane, int h, int w, double y, double x)
{
	const int y0 = (int)floor(y), x0 = (int)floor(x);
	double sum = 0;

	for (int i = y0; i <= y0 + 1; i++)
		for (int k = x0; k <= x0 + 1; k++)
			if (i >= 0 && i < h && k >= 0 && k < w)
				sum += (1 - fabs(y - i)) * (1 - fabs(x - k)) * (double)plane[(size_t)i * w + k];
	return (float)sum;
}

void img_affine(const float *in, struct shape s, const double m[6], float *out)
{
	const double cy = (s.h - 1) / 2.0, cx = (s.w - 1) / 2.0;

	for (int c = 0; c < s.c; c++) {
		const float *plane = in + (size_t)c * s.h * s.w;

		for (int y = 0; y < s.h; y++)
			for (int x = 0; x < s.w; x++) {
				const double px = x - cx, py = y - cy;

				*out++ = between(plane, s.h, s.w, m[3] * px + m[4] * py + m[5] + cy,
						 m[0] * px + m[1] * py + m[2] + cx);
			}
	}
}

void img_rotate(const float *in, struct shape s, double degrees, float *out)
{
	const double a = degrees * M_PI / 180, m[6] = { cos(a), -sin(a), 0, sin(a), cos(a), 0 };

	img_affine(in, s, m, out);
}

void img_shift(const float *in, struct shape s, int dx, int dy, float *out)
{
	for (int c = 0; c < s.c; c++)
		for (int y = 0; y < s.h; y++)
			for (int x = 0; x < s.w; x++) {
				const int fy = y - dy, fx = x - dx;
				const int inside = fy >= 0 && fy < s.h && fx >= 0 && fx < s.w;

				*out++ = inside ? in[((size_t)c * s.h + fy) * s.w + fx] : 0;
			}
}

void img_mirror(const float *in, struct shape s, float *out)
{
	for (int row = 0; row < s.c * s.h; row++, in += s.w, out += s.w)
		for (int x = 0; x < s.w; x++)
			out[x] = in[s.w - 1 - x];
}

/* Black where being in the window is `black`. */
static void mask(const float *in, struct shape s, const int box[4], int black, float *out)
{
	for (int c = 0; c < s.c; c++)
		for (int y = 0; y < s.h; y++)
			for (int x = 0; x < s.w; x++, in++, out++) {
				const int inside = y >= box[0] && y < box[0] + box[2] && x >= box[1] && x < box[1] + box[3];

				*out = inside == black ? 0 : *in;
			}
}

void img_window(const float *in, struct shape s, int y, int x, int h, int w, float *out)
{
	mask(in, s, (const int[]){ y, x, h, w }, 0, out);
}

void img_occlude(const float *in, struct shape s, int y, int x, int h, int w, float *out)
{
	mask(in, s, (const int[]){ y, x, h, w }, 1, out);
}

void img_crop(const float *in, struct shape s, int y, int x, int h, int w, float *out)
{
	BUG_ON(y < 0 || x < 0 || y + h > s.h || x + w > s.w);
	for (int c = 0; c < s.c; c++)
		for (int i = 0; i < h; i++, out += w)
			memcpy(out, in + ((size_t)c * s.h + y + i) * s.w + x, (size_t)w * sizeof(*out));
}

/* ---- filters ---- */

/* One row or column of n pixels, step apart, filtered with a symmetric kernel: weight[0] in the middle. */
static void filter_line(const float *in, int n, int step, const double *weight, int radius, float *out)
{
	for (int i = 0; i < n; i++) {
		double sum = weight[0] * (double)in[(size_t)i * step];

		for (int k = 1; k <= radius; k++)
			sum += weight[k] * ((double)in[(size_t)clamp(i - k, n - 1) * step] +
					    (double)in[(size_t)clamp(i + k, n - 1) * step]);
		out[(size_t)i * step] = (float)sum;
	}
}

static void separable(const float *in, struct shape s, const double *weight, int radius, float *out)
{
	float *rows = xmalloc(shape_len(s), sizeof(*rows));
	const size_t plane = (size_t)s.h * s.w;

	for (size_t row = 0; row < (size_t)s.c * s.h; row++)
		filter_line(in + row * s.w, s.w, 1, weight, radius, rows + row * s.w);
	for (int c = 0; c < s.c; c++)
		for (int x = 0; x < s.w; x++)
			filter_line(rows + c * plane + x, s.h, s.w, weight, radius, out + c * plane + x);
	free(rows);
}

void img_blur(const float *in, struct shape s, double sigma, float *out)
{
	const int radius = (int)ceil(6 * sigma + 1) / 2; /* the width made odd: 2 radius + 1 */
	double *weight = xmalloc((size_t)radius + 1, sizeof(*weight)), sum = 0;

	BUG_ON(!(sigma > 0));
	for (int k = 0; k <= radius; k++) {
		weight[k] = exp(-0.5 * (k / sigma) * (k / sigma));
		sum += k ? 2 * weight[k] : weight[k];
	}
	for (int k = 0; k <= radius; k++)
		weight[k] /= sum;
	separable(in, s, weight, radius, out);
	free(weight);
}

/* The window's pixels around (y, x) in rows: (2 radius + 1)^2 numbers. */
static int window_of(const float *plane, int h, int w, int y, int x, int radius, float *to)
{
	int n = 0;

	for (int i = y - radius; i <= y + radius; i++)
		for (int k = x - radius; k <= x + radius; k++)
			to[n++] = plane[(size_t)clamp(i, h - 1) * w + clamp(k, w - 1)];
	return n;
}

static float mean_of(float *x, int n)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += (double)x[i];
	return (float)(sum / n);
}

/* Of an odd number of values; sorts them (insertion: windows are small). */
static float median_of(float *x, int n)
{
	for (int i = 1; i < n; i++) {
		const float v = x[i];
		int k = i;

		for (; k > 0 && x[k - 1] > v; k--)
			x[k] = x[k - 1];
		x[k] = v;
	}
	return x[n / 2];
}

static void over_windows(const float *in, struct shape s, int radius, float (*of)(float *x, int n), float *out)
{
	const size_t side = 2 * (size_t)radius + 1;
	float *x = xmalloc(side * side, sizeof(*x));

	for (int c = 0; c < s.c; c++)
		for (int i = 0; i < s.h * s.w; i++) {
			const int n = window_of(in + (size_t)c * s.h * s.w, s.h, s.w, i / s.w, i % s.w, radius, x);

			*out++ = of(x, n);
		}
	free(x);
}

void img_mean(const float *in, struct shape s, int radius, float *out)
{
	over_windows(in, s, radius, mean_of, out);
}

void img_median(const float *in, struct shape s, int radius, float *out)
{
	over_windows(in, s, radius, median_of, out);
}

/* ---- values ---- */

void img_levels(const float *in, struct shape s, int levels, float *out)
{
	BUG_ON(levels < 2);
	for (size_t i = 0; i < shape_len(s); i++)
		out[i] = (float)(floor((double)in[i] * (levels - 1) + 0.5) / (levels - 1));
}

void img_brightness(const float *in, struct shape s, double factor, float *out)
{
	for (size_t i = 0; i < shape_len(s); i++)
		out[i] = (float)(factor * (double)in[i]);
}

void img_contrast(const float *in, struct shape s, double factor, float *out)
{
	double mean = 0;

	for (size_t i = 0; i < shape_len(s); i++)
		mean += (double)in[i];
	mean /= (double)shape_len(s);
	for (size_t i = 0; i < shape_len(s); i++)
		out[i] = (float)(mean + factor * ((double)in[i] - mean));
}

void img_gamma(const float *in, struct shape s, double factor, float *out)
{
	for (size_t i = 0; i < shape_len(s); i++)
		out[i] = (float)pow(fmin(fmax((double)in[i], 0), 1), factor);
}

void img_clip(float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = fminf(fmaxf(x[i], 0), 1);
}

/* ---- random ---- */

void img_gaussian(const float *in, struct shape s, double sigma, struct rng *r, float *out)
{
	for (size_t i = 0; i < shape_len(s); i++)
		out[i] = (float)((double)in[i] + sigma * rng_normal(r));
}

void img_speckle(const float *in, struct shape s, double sigma, struct rng *r, float *out)
{
	for (size_t i = 0; i < shape_len(s); i++)
		out[i] = (float)((double)in[i] * (1 + sigma * rng_normal(r)));
}

void img_salt_pepper(const float *in, struct shape s, double share, struct rng *r, float *out)
{
	const size_t plane = (size_t)s.h * s.w;

	for (size_t i = 0; i < plane; i++) {
		const double u = rng_uniform(r);

		for (int c = 0; c < s.c; c++)
			out[c * plane + i] = u >= share ? in[c * plane + i] : u < share / 2 ? 0.0f : 1.0f;
	}
}
