/* How much two images differ. Images are float (c, h, w), planar, in [0, 1]; c is 1 (grey) or 3 (RGB). a is the clean one; all
 * are symmetric in a and b. Everything is computed in double, for one image; means over images are the caller's.
 *
 * The definitions are those of metrics.md 7, which are those of the papers named below for 8-bit images (peak 255); on [0, 1]
 * only the constants' scale changes. Images that are not 8-bit are taken as they are: round them first (image_round8()) for
 * what a file can hold. A measure wants its smallest side: image_measures[] says which; a smaller image is a BUG. */
#ifndef LB_METRICS_IMAGE_IMAGEQUALITY_H
#define LB_METRICS_IMAGE_IMAGEQUALITY_H

#include <stdbool.h>
#include <stddef.h>

/* dB between len numbers in [0, 1], peak 1; 100 when nothing differs, and never more. Source: ITU-T J.340. */
double psnr(const float *a, const float *b, size_t len);

/* One measure between two images. */
typedef double (*image_distance)(const float *a, const float *b, int c, int h, int w);

double image_psnr(const float *a, const float *b, int c, int h, int w);
double image_mse(const float *a, const float *b, int c, int h, int w);  /* in squared 8-bit steps, over pixels and channels */
double image_l0(const float *a, const float *b, int c, int h, int w);   /* % of pixels that differ in some channel */
double image_l1(const float *a, const float *b, int c, int h, int w);   /* mean absolute difference, 8-bit steps */
double image_l2(const float *a, const float *b, int c, int h, int w);   /* length of the difference on the scale [0, 1] */
double image_rmse(const float *a, const float *b, int c, int h, int w); /* 8-bit steps */
double image_linf(const float *a, const float *b, int c, int h, int w); /* largest difference, 8-bit steps */

/* SSIM: Wang et al., IEEE TIP 13 (2004). 11x11 Gaussian window of sigma 1.5, K1 .01, K2 .03, moments divided by the window's
 * sum (no N - 1), only where the window fits (the map is h-10 by w-10). Differs from scikit-image's default, a 7x7 uniform
 * window. */
enum { SSIM_WINDOW = 11 };
double image_ssim(const float *a, const float *b, int c, int h, int w);      /* mean over channels */
double image_ssim_luma(const float *a, const float *b, int c, int h, int w); /* of .299 R + .587 G + .114 B; grey: the same */

/* MS-SSIM_M: Wang, Simoncelli and Bovik, Asilomar 2003, with the first M of the five published weights, normalised to sum 1:
 * product of cs_j^w_j over scales 1 .. M-1 and ssim_M^w_M for each channel, 2x2 averages between scales (a last odd row or
 * column is dropped), negative terms count as 0; then the mean over channels. Sides of at least 11 * 2^(M-1). M 1 .. 5;
 * numbers of different M are not comparable. */
double image_ms_ssim(const float *a, const float *b, int c, int h, int w, int scales);
double image_ms_ssim_2(const float *a, const float *b, int c, int h, int w);

/* HaarPSI: Reisenhofer et al., Signal Processing: Image Communication 61 (2018): C 30, alpha 4.2 on the scale 0..255, 2x2
 * averages first, YIQ for RGB. Differs: a last odd row or column is dropped; two black images are 1. */
double image_haarpsi(const float *a, const float *b, int c, int h, int w);
/* GMSD: Xue et al., IEEE TIP 23 (2014): luma, 2x2 averages, Prewitt / 3, c 170 on the scale 0..255; 0 is best. Differs: the
 * standard deviation divides by N (as PIQ does; the paper's code by N - 1), a last odd row or column is dropped. */
double image_gmsd(const float *a, const float *b, int c, int h, int w);

struct image_measure {
	const char *name;     /* "ssim" */
	const char *unit;     /* "dB", "/255", "%", "" */
	int better;           /* +1: larger is more alike, -1: smaller */
	int min_side;         /* of h and w */
	image_distance of;
};
extern const struct image_measure image_measures[]; /* in the order of a table; ends with a NULL name */

/* ---- helpers ---- */

/* Clip to [0, 1] and round to the nearest k/255, len numbers. out may be in. */
void image_round8(const float *in, size_t len, float *out);
/* Are all len numbers k/255, to a thousandth of a step? */
bool image_is8(const float *in, size_t len);
/* out (h, w), double, times scale: luma of RGB, or the grey image. */
void image_luma(const float *in, int c, int h, int w, double scale, double *out);
/* 2x2 averages: out (h/2, w/2); a last odd row or column is dropped. out may be in. */
void image_halve(const double *in, int h, int w, double *out);

#endif
