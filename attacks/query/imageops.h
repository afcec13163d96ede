/* Operations on one image, as cameras, services and attackers apply them. An image is planar floats (c,h,w), usually in
 * [0,1]; nothing here clips, because a caller may chain operations. in and out must not overlap unless it says "in place".
 * No operation keeps state; random ones draw from the stream that they are given, in the order of the numbers.
 *
 * Coordinates: pixel (y,x) covers the square [y,y+1) x [x,x+1), its centre is at (y+0.5, x+0.5). Borders: filters and
 * resampling repeat the edge pixel; what a shift, rotation, crop or occlusion uncovers is 0 (black). */
#ifndef LB_ATTACKS_QUERY_IMAGEOPS_H
#define LB_ATTACKS_QUERY_IMAGEOPS_H

#include "base/rng.h"
#include <stddef.h>

/* Its sizes are passed by value everywhere. */
struct shape { int c, h, w; };
static inline size_t shape_len(struct shape s)
{
	return (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

/* ---- geometry ---- */

enum filter { FILTER_BILINEAR, FILTER_NEAREST, FILTER_BICUBIC };
/* To h x w pixels: out (s.c, h, w). Sampled at centres without smoothing first (as OpenCV and PyTorch do by default;
 * Pillow smooths when it shrinks). Bicubic is Keys' with a = -1/2 and may leave the range of its input.
 * The same size gives the same bits. */
void img_resize(const float *in, struct shape s, enum filter f, int h, int w, float *out);
/* out(p) = in(m p), bilinear, 0 outside; m = {a,b,t, d,e,u}: x' = a x + b y + t, y' = d x + e y + u, with
 * coordinates relative to the image's centre. */
void img_affine(const float *in, struct shape s, const double m[6], float *out);
/* Turn by so many degrees counter-clockwise about the centre. */
void img_rotate(const float *in, struct shape s, double degrees, float *out);
/* Move the content dx pixels right and dy down. */
void img_shift(const float *in, struct shape s, int dx, int dy, float *out);
void img_mirror(const float *in, struct shape s, float *out); /* left becomes right */
/* Keep the window of h x w pixels at row y, column x where it is; black around it. In place allowed. */
void img_window(const float *in, struct shape s, int y, int x, int h, int w, float *out);
/* The same window cut out: out (s.c, h, w). */
void img_crop(const float *in, struct shape s, int y, int x, int h, int w, float *out);
/* The opposite of img_window: black in the window. In place allowed. */
void img_occlude(const float *in, struct shape s, int y, int x, int h, int w, float *out);

/* ---- filters ---- */

/* Gaussian of standard deviation sigma > 0 in pixels, cut to the smallest odd width of at least 6 sigma + 1. */
void img_blur(const float *in, struct shape s, double sigma, float *out);
/* Over windows of (2 radius + 1) squared pixels. */
void img_mean(const float *in, struct shape s, int radius, float *out);
void img_median(const float *in, struct shape s, int radius, float *out);

/* ---- values (in place allowed) ---- */

/* round(x (levels-1)) / (levels-1), levels >= 2; halves go up. b bits are 2^b levels. */
void img_levels(const float *in, struct shape s, int levels, float *out);
void img_brightness(const float *in, struct shape s, double factor, float *out); /* x factor */
/* mean + factor (x - mean); mean: of all pixels and channels. */
void img_contrast(const float *in, struct shape s, double factor, float *out);
/* x^factor, of x clipped to [0,1]: above 1 darkens. */
void img_gamma(const float *in, struct shape s, double factor, float *out);
void img_clip(float *x, size_t n); /* to [0,1] */

/* ---- random (in place allowed) ---- */

void img_gaussian(const float *in, struct shape s, double sigma, struct rng *r, float *out); /* x + sigma n */
void img_speckle(const float *in, struct shape s, double sigma, struct rng *r, float *out);  /* x (1 + sigma n) */
/* Each pixel (all its channels) becomes black or white with probability share, half of them each. */
void img_salt_pepper(const float *in, struct shape s, double share, struct rng *r, float *out);

#endif
