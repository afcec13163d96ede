/* Distances, and the table of all measures. See imagequality.h. */
#include "metrics/image/imagequality.h"

#include <math.h>

#include "base/error.h"

static double sum_of_squares(const float *a, const float *b, size_t len)
{
	double sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
	return sum;
}

static size_t numbers(int c, int h, int w)
{
	BUG_ON((c != 1 && c != 3) || h < 1 || w < 1);
	return (size_t)c * (size_t)h * (size_t)w;
}

double psnr(const float *a, const float *b, size_t len)
{
	const double sum = sum_of_squares(a, b, len);

	return sum > 0 ? fmin(-10 * log10(sum / (double)len), 100) : 100;
}

double image_psnr(const float *a, const float *b, int c, int h, int w)
{
	return psnr(a, b, numbers(c, h, w));
}

double image_mse(const float *a, const float *b, int c, int h, int w)
{
	const size_t len = numbers(c, h, w);

	return sum_of_squares(a, b, len) / (double)len * 255 * 255;
}

double image_rmse(const float *a, const float *b, int c, int h, int w)
{
	return sqrt(image_mse(a, b, c, h, w));
}

double image_l2(const float *a, const float *b, int c, int h, int w)
{
	return sqrt(sum_of_squares(a, b, numbers(c, h, w)));
}

double image_l1(const float *a, const float *b, int c, int h, int w)
{
	const size_t len = numbers(c, h, w);
	double sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += fabs((double)a[i] - (double)b[i]);
	return sum / (double)len * 255;
}

double image_linf(const float *a, const float *b, int c, int h, int w)
{
	const size_t len = numbers(c, h, w);
	double most = 0;

	for (size_t i = 0; i < len; i++)
		most = fmax(most, fabs((double)a[i] - (double)b[i]));
	return most * 255;
}

double image_l0(const float *a, const float *b, int c, int h, int w)
{
	const size_t len = numbers(c, h, w), plane = len / (size_t)c;
	size_t changed = 0;

	for (size_t i = 0; i < plane; i++) {
		bool differs = false;

		for (size_t k = i; k < len; k += plane)
			differs |= a[k] != b[k];
		changed += differs;
	}
	return 100 * (double)changed / (double)plane;
}

/* ---- helpers ---- */

void image_round8(const float *in, size_t len, float *out)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (float)round(255 * fmin(fmax((double)in[i], 0), 1)) / 255.0f;
}

bool image_is8(const float *in, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const double step = 255 * (double)in[i];

		if (!(fabs(step - round(step)) < 1e-3) || step < -0.5 || step > 255.5)
			return false;
	}
	return true;
}

void image_luma(const float *in, int c, int h, int w, double scale, double *out)
{
	const size_t plane = numbers(c, h, w) / (size_t)c;

	for (size_t i = 0; i < plane; i++) {
		if (c == 1)
			out[i] = scale * (double)in[i];
		else
			out[i] = scale * (0.299 * (double)in[i] + 0.587 * (double)in[plane + i] + 0.114 * (double)in[2 * plane + i]);
	}
}

void image_halve(const double *in, int h, int w, double *out)
{
	for (int y = 0; y + 1 < h; y += 2)
		for (int x = 0; x + 1 < w; x += 2) {
			const double *p = in + (long)y * w + x;

			out[(long)(y / 2) * (w / 2) + x / 2] = (p[0] + p[1] + p[w] + p[w + 1]) / 4;
		}
}

/* ---- all of them ---- */

const struct image_measure image_measures[] = {
	{ "psnr", "dB", 1, 1, image_psnr },
	{ "ssim", "", 1, SSIM_WINDOW, image_ssim },
	{ "ssim_luma", "", 1, SSIM_WINDOW, image_ssim_luma },
	{ "ms_ssim_2", "", 1, 2 * SSIM_WINDOW, image_ms_ssim_2 },
	{ "haarpsi", "", 1, 16, image_haarpsi },
	{ "gmsd", "", -1, 6, image_gmsd },
	{ "mse", "/255^2", -1, 1, image_mse },
	{ "rmse", "/255", -1, 1, image_rmse },
	{ "l0", "%", -1, 1, image_l0 },
	{ "l1", "/255", -1, 1, image_l1 },
	{ "l2", "", -1, 1, image_l2 },
	{ "linf", "/255", -1, 1, image_linf },
	{ 0 }
};
