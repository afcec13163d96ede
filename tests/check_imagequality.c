/* metrics/image/imagequality.c, ssim.c, haarpsi.c: closed forms, properties, and second implementations written from the papers, with plain
 * convolutions on the scale 0..255. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "metrics/image/imagequality.h"

enum { SIDE = 32, LEN = 3 * SIDE * SIDE };

/* Something like a picture: waves, an edge, a little noise. */
static void picture(float *x, int c, int h, int w, uint32_t which)
{
	struct rng r;

	rng_open(&r, 1, "picture", which, 0);
	for (int k = 0; k < c; k++)
		for (int y = 0; y < h; y++)
			for (int i = 0; i < w; i++) {
				const double v = 0.5 + 0.2 * sin(0.3 * y + k + which) * cos(0.2 * i) + (i > w / 2 ? 0.15 : -0.1) +
						 0.02 * rng_normal(&r);

				x[((long)k * h + y) * w + i] = (float)fmin(fmax(v, 0), 1);
			}
}

static void add_noise(const float *x, int len, double sigma, uint32_t which, float *out)
{
	struct rng r;

	rng_open(&r, 2, "noise", which, 0);
	for (int i = 0; i < len; i++)
		out[i] = (float)fmin(fmax((double)x[i] + sigma * rng_normal(&r), 0), 1);
}

static void fill(float *x, int len, float v)
{
	for (int i = 0; i < len; i++)
		x[i] = v;
}

/* ---- norms ---- */

START_TEST(a_constant_shift)
{
	static float a[LEN], b[LEN];

	fill(a, LEN, 0.25f);
	fill(b, LEN, 0.25f + 10.0f / 255.0f);
	ck_assert_double_eq_tol(psnr(a, b, LEN), 20 * log10(25.5), 1e-5);
	ck_assert_double_eq_tol(image_mse(a, b, 3, SIDE, SIDE), 100, 1e-4);
	ck_assert_double_eq_tol(image_rmse(a, b, 3, SIDE, SIDE), 10, 1e-5);
	ck_assert_double_eq_tol(image_l1(a, b, 3, SIDE, SIDE), 10, 1e-5);
	ck_assert_double_eq_tol(image_linf(a, b, 3, SIDE, SIDE), 10, 1e-5);
	ck_assert_double_eq_tol(image_l2(a, b, 3, SIDE, SIDE), 10 / 255.0 * sqrt(LEN), 1e-5);
	ck_assert_double_eq(image_l0(a, b, 3, SIDE, SIDE), 100);
	fill(a, LEN, 0);
	fill(b, LEN, 1);
	ck_assert_double_eq(psnr(a, b, LEN), 0);
	ck_assert_double_eq(psnr(a, a, LEN), 100);
	memcpy(b, a, sizeof(b));
	b[5] = 1e-7f; /* next to nothing is no more than nothing */
	ck_assert_double_eq(psnr(a, b, LEN), 100);
}
END_TEST

/* A pixel counts once, whichever of its channels differ. */
START_TEST(single_pixels)
{
	float a[3 * 4] = { 0 }, b[3 * 4] = { 0 };

	b[0] = 0.2f;
	b[4] = 0.6f; /* the same pixel's green */
	b[11] = 1;   /* the last one's blue */
	ck_assert_double_eq(image_l0(a, b, 3, 2, 2), 50);
	ck_assert_double_eq_tol(image_linf(a, b, 3, 2, 2), 255, 1e-9);
	ck_assert_double_eq_tol(image_l1(a, b, 3, 2, 2), 255 * 1.8 / 12, 1e-5);
	ck_assert_double_eq_tol(image_l2(a, b, 3, 2, 2), sqrt(0.04 + 0.36 + 1), 1e-6);
}
END_TEST

START_TEST(eight_bits)
{
	float x[] = { -0.5f, 0.001f, 0.0021f, 0.5f, 1.5f, 1 }, y[6];
	const float want[] = { 0, 0, 1 / 255.0f, 128 / 255.0f, 1, 1 };
	float all[256];

	image_round8(x, 6, y);
	for (int i = 0; i < 6; i++)
		ck_assert_float_eq(y[i], want[i]);
	ck_assert(image_is8(y, 6) && !image_is8(x, 6));
	for (int i = 0; i < 256; i++)
		all[i] = (float)i / 255.0f;
	ck_assert(image_is8(all, 256));
	image_round8(all, 256, all); /* what is 8-bit stays, bit for bit */
	for (int i = 0; i < 256; i++)
		ck_assert_float_eq(all[i], (float)i / 255.0f);
}
END_TEST

/* ---- what all measures share ---- */

START_TEST(nothing_changed_is_best)
{
	static float x[LEN];

	for (int c = 1; c <= 3; c += 2)
		for (const struct image_measure *m = image_measures; m->name; m++) {
			double v;

			picture(x, c, SIDE, SIDE, 3);
			v = m->of(x, x, c, SIDE, SIDE);
			ck_assert_msg(fabs(v - (m->better < 0 ? 0 : m->of == image_psnr ? 100 : 1)) < 1e-12, "%s: %.17g", m->name, v);
		}
}
END_TEST

START_TEST(symmetric_and_monotone_in_noise)
{
	static const double sigma[] = { 0.005, 0.02, 0.06, 0.2 };
	static float x[LEN], y[LEN];

	for (int c = 1; c <= 3; c += 2)
		for (const struct image_measure *m = image_measures; m->name; m++) {
			double last = 0;

			picture(x, c, SIDE, SIDE, 4);
			for (size_t i = 0; i < ARRAY_LEN(sigma); i++) {
				double v;

				add_noise(x, c * SIDE * SIDE, sigma[i], 0, y);
				v = m->of(x, y, c, SIDE, SIDE);
				ck_assert_double_eq(v, m->of(y, x, c, SIDE, SIDE));
				/* every pixel differs from the first noise on */
				ck_assert_msg(!i || (v - last) * m->better < 0 || m->of == image_l0, "%s: %g after %g", m->name, v, last);
				last = v;
			}
		}
}
END_TEST

/* At the smallest side a measure admits nothing is read outside (the sanitizers look). */
START_TEST(smallest_images)
{
	static float x[LEN], y[LEN];

	for (const struct image_measure *m = image_measures; m->name; m++)
		for (int c = 1; c <= 3; c += 2) {
			float *a = xmalloc((size_t)(c * m->min_side * (m->min_side + 1)), sizeof(*a));

			picture(a, c, m->min_side, m->min_side + 1, 5);
			ck_assert(isfinite(m->of(a, a, c, m->min_side, m->min_side + 1)));
			free(a);
		}
	fill(x, LEN, 0);
	fill(y, LEN, 0);
	for (const struct image_measure *m = image_measures; m->name; m++) /* two black images: no division by nothing */
		ck_assert(isfinite(m->of(x, y, 3, SIDE, SIDE)));
}
END_TEST

START_TEST(too_small_for_ssim)
{
	float x[10 * 20] = { 0 };

	image_ssim(x, x, 1, 10, 20);
}
END_TEST

/* ---- SSIM ---- */

/* By its definition: every window on its own, a full 2-D Gaussian, two-pass moments. cs: only the contrast-structure term. */
static double naive_ssim(const float *a, const float *b, int h, int w, bool cs)
{
	const double c1 = 0.01 * 255 * 0.01 * 255, c2 = 0.03 * 255 * 0.03 * 255;
	double total = 0;
	int n = 0;

	for (int y = 5; y < h - 5; y++)
		for (int x = 5; x < w - 5; x++, n++) {
			double norm = 0, ma = 0, mb = 0, va = 0, vb = 0, cov = 0;

			for (int pass = 0; pass < 3; pass++)
				for (int i = -5; i <= 5; i++)
					for (int j = -5; j <= 5; j++) {
						const double g = exp(-(i * i + j * j) / (2 * 1.5 * 1.5));
						const double pa = 255.0 * (double)a[(y + i) * w + x + j], pb = 255.0 * (double)b[(y + i) * w + x + j];

						norm += pass == 0 ? g : 0;
						ma += pass == 1 ? g * pa / norm : 0;
						mb += pass == 1 ? g * pb / norm : 0;
						va += pass == 2 ? g * (pa - ma) * (pa - ma) / norm : 0;
						vb += pass == 2 ? g * (pb - mb) * (pb - mb) / norm : 0;
						cov += pass == 2 ? g * (pa - ma) * (pb - mb) / norm : 0;
					}
			total += (2 * cov + c2) / (va + vb + c2) * (cs ? 1 : (2 * ma * mb + c1) / (ma * ma + mb * mb + c1));
		}
	return total / n;
}

START_TEST(ssim_is_the_definition)
{
	static const int side[][2] = { { 28, 28 }, { 32, 32 }, { 11, 17 }, { 23, 12 } };
	static float a[LEN], b[LEN];

	for (size_t i = 0; i < ARRAY_LEN(side); i++)
		for (int c = 1; c <= 3; c += 2) {
			const int h = side[i][0], w = side[i][1];
			double sum = 0;

			picture(a, c, h, w, (uint32_t)i);
			add_noise(a, c * h * w, 0.05, 1, b);
			for (int k = 0; k < c; k++)
				sum += naive_ssim(a + k * h * w, b + k * h * w, h, w, false) / c;
			ck_assert_double_eq_tol(image_ssim(a, b, c, h, w), sum, 1e-10);
		}
}
END_TEST

/* Two flat images: nothing but the luminance term. Inverted contrast: below 0, and MS-SSIM cuts that off. */
START_TEST(ssim_closed_forms)
{
	static float a[LEN], b[LEN];
	const double x = 0.25, y = 0.75, luminance = (2 * x * y + 1e-4) / (x * x + y * y + 1e-4);

	fill(a, LEN, 0.25f);
	fill(b, LEN, 0.75f);
	ck_assert_double_eq_tol(image_ssim(a, b, 3, SIDE, SIDE), luminance, 1e-12);
	ck_assert_double_eq_tol(image_ssim_luma(a, b, 3, SIDE, SIDE), luminance, 1e-12);
	ck_assert_double_eq_tol(image_ms_ssim_2(a, b, 3, SIDE, SIDE), pow(luminance, 0.2856 / (0.0448 + 0.2856)), 1e-12);
	for (int i = 0; i < LEN; i++)
		a[i] = (float)((i / 2 + i / SIDE / 2) % 2) * 0.6f + 0.2f;
	for (int i = 0; i < LEN; i++)
		b[i] = 1 - a[i];
	ck_assert_double_lt(image_ssim(a, b, 1, SIDE, SIDE), -0.5);
	ck_assert_double_eq(image_ms_ssim_2(a, b, 1, SIDE, SIDE), 0);
}
END_TEST

/* Grey images in three equal channels: the colour mean and the luma are the grey index. */
START_TEST(ssim_of_grey_in_colour)
{
	static float a[LEN], b[LEN];
	const int n = SIDE * SIDE;
	double grey;

	picture(a, 1, SIDE, SIDE, 6);
	add_noise(a, n, 0.1, 2, b);
	grey = image_ssim(a, b, 1, SIDE, SIDE);
	for (int k = 1; k < 3; k++) {
		memcpy(a + k * n, a, (size_t)n * sizeof(*a));
		memcpy(b + k * n, b, (size_t)n * sizeof(*b));
	}
	ck_assert_double_eq_tol(image_ssim(a, b, 3, SIDE, SIDE), grey, 1e-12);
	ck_assert_double_eq_tol(image_ssim_luma(a, b, 3, SIDE, SIDE), grey, 1e-9);
	ck_assert_double_eq_tol(image_ssim_luma(a, b, 1, SIDE, SIDE), grey, 1e-12);
	memset(a + n, 0, 2 * (size_t)n * sizeof(*a)); /* only red differs: luma sees .299 of it */
	memset(b + n, 0, 2 * (size_t)n * sizeof(*b));
	ck_assert_double_eq_tol(image_ssim(a, b, 3, SIDE, SIDE), (grey + 2) / 3, 1e-12);
	ck_assert_double_gt(image_ssim_luma(a, b, 3, SIDE, SIDE), grey);
}
END_TEST

static void naive_half(const float *x, int h, int w, float *out)
{
	for (int y = 0; y < h / 2; y++)
		for (int i = 0; i < w / 2; i++)
			out[y * (w / 2) + i] = (x[2 * y * w + 2 * i] + x[2 * y * w + 2 * i + 1] + x[(2 * y + 1) * w + 2 * i] +
						x[(2 * y + 1) * w + 2 * i + 1]) / 4;
}

/* Weights of metrics.md 7.4, to the digits given there: .1356, .8644 and .0711, .4530, .4760. */
START_TEST(ms_ssim_is_the_product)
{
	enum { BIG = 64 };
	static float a[BIG * BIG], b[BIG * BIG], a2[BIG * BIG], b2[BIG * BIG], a3[BIG * BIG], b3[BIG * BIG];
	double two, three;

	picture(a, 1, BIG, BIG, 7);
	add_noise(a, BIG * BIG, 0.1, 3, b);
	naive_half(a, BIG, BIG, a2);
	naive_half(b, BIG, BIG, b2);
	naive_half(a2, BIG / 2, BIG / 2, a3);
	naive_half(b2, BIG / 2, BIG / 2, b3);
	two = pow(naive_ssim(a, b, BIG, BIG, true), 0.1356) * pow(naive_ssim(a2, b2, BIG / 2, BIG / 2, false), 0.8644);
	three = pow(naive_ssim(a, b, BIG, BIG, true), 0.0711) * pow(naive_ssim(a2, b2, BIG / 2, BIG / 2, true), 0.4530) *
		pow(naive_ssim(a3, b3, BIG / 4, BIG / 4, false), 0.4760);
	ck_assert_double_eq_tol(image_ms_ssim_2(a, b, 1, BIG, BIG), two, 1e-4);
	ck_assert_double_eq_tol(image_ms_ssim(a, b, 1, BIG, BIG, 3), three, 1e-4);
	ck_assert_double_eq(image_ms_ssim(a, b, 1, BIG, BIG, 1), image_ssim(a, b, 1, BIG, BIG));
	/* an odd side: as if the last row and column of the second scale were not there */
	ck_assert(isfinite(image_ms_ssim_2(a, b, 1, 29, 31)));
}
END_TEST

/* ---- HaarPSI, GMSD ---- */

/* conv2(x, kernel, 'same') of the papers' MATLAB code: true convolution, zeros outside, centre at ceil((k + 1) / 2) from 1. */
static void conv_same(const double *x, int h, int w, const double *kernel, int k, double *out)
{
	for (int y = 0; y < h; y++)
		for (int i = 0; i < w; i++) {
			double sum = 0;

			for (int p = 0; p < k; p++)
				for (int q = 0; q < k; q++) {
					const int sy = y + k / 2 - p, sx = i + k / 2 - q;

					if (sy >= 0 && sy < h && sx >= 0 && sx < w)
						sum += kernel[p * k + q] * x[sy * w + sx];
				}
			out[y * w + i] = sum;
		}
}

enum { HALF = SIDE / 2, PIX = HALF * HALF };

/* One plane (row . rgb) * 255, averaged 2x2 by conv2 and every second pixel. */
static void small_plane(const float *x, int c, const double row[3], double *out)
{
	static const double quarter[4] = { 0.25, 0.25, 0.25, 0.25 };
	double full[SIDE * SIDE], mean[SIDE * SIDE];

	for (int i = 0; i < SIDE * SIDE; i++) {
		full[i] = 0;
		for (int k = 0; k < c; k++)
			full[i] += 255 * (c == 1 ? 1 : row[k]) * (double)x[k * SIDE * SIDE + i];
	}
	conv_same(full, SIDE, SIDE, quarter, 2, mean);
	for (int i = 0; i < PIX; i++)
		out[i] = mean[i / HALF * 2 * SIDE + i % HALF * 2];
}

static double alike(double a, double b, double c)
{
	return (2 * a * b + c) / (a * a + b * b + c);
}

static void haar_map(const double *x, int scale, bool across, double *out)
{
	const int n = 1 << scale;
	double kernel[64];

	for (int i = 0; i < n * n; i++)
		kernel[i] = ((across ? i % n : i / n) < n / 2 ? -1.0 : 1.0) / n;
	conv_same(x, HALF, HALF, kernel, n, out);
	for (int i = 0; i < PIX; i++)
		out[i] = fabs(out[i]);
}

static const double yiq[3][3] = { { 0.299, 0.587, 0.114 }, { 0.596, -0.274, -0.322 }, { 0.211, -0.523, 0.312 } };

static double naive_haarpsi(const float *a, const float *b, int c)
{
	static const double quarter[4] = { 0.25, 0.25, 0.25, 0.25 };
	double pa[PIX], pb[PIX], weight[3][PIX], sim[3][PIX], ma[PIX], mb[PIX], sum = 0, total = 0, v;

	small_plane(a, c, yiq[0], pa);
	small_plane(b, c, yiq[0], pb);
	memset(sim, 0, sizeof(sim));
	for (int o = 0; o < 2; o++)
		for (int scale = 1; scale <= 3; scale++) {
			haar_map(pa, scale, o, ma);
			haar_map(pb, scale, o, mb);
			for (int i = 0; i < PIX; i++) {
				if (scale == 3)
					weight[o][i] = fmax(ma[i], mb[i]);
				else
					sim[o][i] += alike(ma[i], mb[i], 30) / 2;
			}
		}
	for (int k = 1; k < 3 && c == 3; k++) {
		small_plane(a, c, yiq[k], pa);
		small_plane(b, c, yiq[k], pb);
		conv_same(pa, HALF, HALF, quarter, 2, ma);
		conv_same(pb, HALF, HALF, quarter, 2, mb);
		for (int i = 0; i < PIX; i++) {
			sim[2][i] += alike(fabs(ma[i]), fabs(mb[i]), 30) / 2;
			weight[2][i] = (weight[0][i] + weight[1][i]) / 2;
		}
	}
	for (int o = 0; o < (c == 3 ? 3 : 2); o++)
		for (int i = 0; i < PIX; i++) {
			sum += weight[o][i] / (1 + exp(-4.2 * sim[o][i]));
			total += weight[o][i];
		}
	v = sum / total;
	v = log(v / (1 - v)) / 4.2;
	return v * v;
}

static double naive_gmsd(const float *a, const float *b, int c)
{
	static const double dx[9] = { 1 / 3., 0, -1 / 3., 1 / 3., 0, -1 / 3., 1 / 3., 0, -1 / 3. };
	static const double dy[9] = { 1 / 3., 1 / 3., 1 / 3., 0, 0, 0, -1 / 3., -1 / 3., -1 / 3. };
	double p[PIX], gx[PIX], gy[PIX], g[2][PIX], mean = 0, var = 0;

	for (int k = 0; k < 2; k++) {
		small_plane(k ? b : a, c, yiq[0], p);
		conv_same(p, HALF, HALF, dx, 3, gx);
		conv_same(p, HALF, HALF, dy, 3, gy);
		for (int i = 0; i < PIX; i++)
			g[k][i] = sqrt(gx[i] * gx[i] + gy[i] * gy[i]);
	}
	for (int i = 0; i < PIX; i++)
		mean += alike(g[0][i], g[1][i], 170) / PIX;
	for (int i = 0; i < PIX; i++)
		var += pow(alike(g[0][i], g[1][i], 170) - mean, 2) / PIX;
	return sqrt(var);
}

START_TEST(haarpsi_and_gmsd_are_the_papers)
{
	static float a[LEN], b[LEN];

	for (uint32_t i = 0; i < 4; i++)
		for (int c = 1; c <= 3; c += 2) {
			picture(a, c, SIDE, SIDE, i);
			add_noise(a, c * SIDE * SIDE, 0.02 + 0.05 * i, i, b);
			ck_assert_double_eq_tol(image_haarpsi(a, b, c, SIDE, SIDE), naive_haarpsi(a, b, c), 1e-9);
			ck_assert_double_eq_tol(image_gmsd(a, b, c, SIDE, SIDE), naive_gmsd(a, b, c), 1e-9);
			ck_assert(image_haarpsi(a, b, c, SIDE, SIDE) > 0 && image_haarpsi(a, b, c, SIDE, SIDE) < 1);
		}
}
END_TEST

/* A shift of colour that keeps luma: luma's measures see nothing, HaarPSI's chroma does. */
START_TEST(colour_counts)
{
	static float a[LEN], b[LEN];
	const int n = SIDE * SIDE;

	picture(a, 3, SIDE, SIDE, 8);
	for (int i = 0; i < n; i++) {
		b[i] = a[i] + 0.114f * 0.3f;
		b[n + i] = a[n + i];
		b[2 * n + i] = a[2 * n + i] - 0.299f * 0.3f;
	}
	ck_assert_double_gt(image_ssim_luma(a, b, 3, SIDE, SIDE), 0.99999);
	ck_assert_double_lt(image_gmsd(a, b, 3, SIDE, SIDE), 1e-5);
	ck_assert_double_lt(image_haarpsi(a, b, 3, SIDE, SIDE), 0.97);
	ck_assert_double_lt(image_ssim(a, b, 3, SIDE, SIDE), 0.999);
}
END_TEST

Suite *suite_imagequality(void);
Suite *suite_imagequality(void)
{
	Suite *s = suite_create("imagequality");
	TCase *tc = tcase_create("imagequality");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_constant_shift);
	tcase_add_test(tc, single_pixels);
	tcase_add_test(tc, eight_bits);
	tcase_add_test(tc, nothing_changed_is_best);
	tcase_add_test(tc, symmetric_and_monotone_in_noise);
	tcase_add_test(tc, smallest_images);
	tcase_add_test_raise_signal(tc, too_small_for_ssim, 6);
	tcase_add_test(tc, ssim_is_the_definition);
	tcase_add_test(tc, ssim_closed_forms);
	tcase_add_test(tc, ssim_of_grey_in_colour);
	tcase_add_test(tc, ms_ssim_is_the_product);
	tcase_add_test(tc, haarpsi_and_gmsd_are_the_papers);
	tcase_add_test(tc, colour_counts);
	suite_add_tcase(s, tc);
	return s;
}
