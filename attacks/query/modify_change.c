/* See modify_change.h. */
#include "attacks/query/modify_change.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

const struct change_info changes[CHANGES] = {
	[CHANGE_BITS] = { "bits", 7, 1, 1, 7, { 1, 2, 3, 4, 5, 6, 7 } },
	[CHANGE_BLUR] = { "blur", 10, 0, 1, 6, { 0.3, 0.5, 0.6, 0.7, 1, 1.5 } },
	[CHANGE_BRIGHTNESS] = { "brightness", 1, 0, 1, 2, { 0.1, 0.2 } },
	[CHANGE_COMPOSE] = { "compose", 1, 0, 0, 1, { 1 } },
	[CHANGE_CONTRAST] = { "contrast", 1, 0, 1, 2, { 0.1, 0.2 } },
	[CHANGE_CROP] = { "crop", 0.95, 0, 1, 5, { 0.05, 0.1, 0.2, 0.3, 0.5 } },
	[CHANGE_FLIP] = { "flip", 1, 1, 0, 1, { 1 } },
	[CHANGE_GAMMA] = { "gamma", 0.95, 0, 1, 2, { 0.1, 0.2 } },
	[CHANGE_LEVELS] = { "levels", 1, 0, 1, 3, { 1 / 15.0, 1 / 11.0, 1 / 9.0 } },
	[CHANGE_MEAN] = { "mean", 7, 1, 1, 2, { 1, 2 } },
	[CHANGE_MEDIAN] = { "median", 7, 1, 1, 2, { 1, 2 } },
	[CHANGE_NOISE] = { "noise", 1, 0, 1, 5, { 0.01, 0.03, 0.05, 0.1, 0.2 } },
	[CHANGE_OCCLUDE] = { "occlude", 1, 0, 1, 3, { 0.1, 0.2, 0.3 } },
	[CHANGE_PST] = { "pst", 0.95, 0, 0, 2, { 0.2, 0.4 } },
	[CHANGE_RESIZE] = { "resize", 0.95, 0, 1, 4, { 0.1, 0.25, 0.5, 0.67 } },
	[CHANGE_ROTATE] = { "rotate", 180, 0, 1, 4, { 1, 2, 5, 10 } },
	[CHANGE_SALT_PEPPER] = { "salt-pepper", 1, 0, 1, 4, { 0.005, 0.01, 0.02, 0.05 } },
	[CHANGE_SPECKLE] = { "speckle", 1, 0, 1, 2, { 0.05, 0.1 } },
	[CHANGE_TRANSLATE] = { "translate", 512, 1, 1, 3, { 1, 2, 4 } },
};

static double factor(const struct change_work *k, double s)
{
	return k->how->direction == CHANGE_UP ? 1 + s : 1 - s;
}

/* A side of which the share s is gone; never less than a pixel. */
static int shrunk(int side, double s)
{
	const int n = (int)floor(side * (1 - s) + 0.5);

	return n < 1 ? 1 : n;
}

static int sign(struct rng *r)
{
	return rng_u32(r) & 1 ? 1 : -1;
}

static void do_bits(struct change_work *k, const float *in, double s, float *out)
{
	img_levels(in, k->shape, 1 << (8 - (int)lround(s)), out);
}

static void do_blur(struct change_work *k, const float *in, double s, float *out)
{
	img_blur(in, k->shape, s, out);
}

static void do_brightness(struct change_work *k, const float *in, double s, float *out)
{
	img_brightness(in, k->shape, factor(k, s), out);
}

static void do_contrast(struct change_work *k, const float *in, double s, float *out)
{
	img_contrast(in, k->shape, factor(k, s), out);
}

static void do_gamma(struct change_work *k, const float *in, double s, float *out)
{
	img_gamma(in, k->shape, factor(k, s), out);
}

/* s: share of the area that goes. The window has nearly the image's proportions: whole rows first, then as many columns as make up
 * the area (on 28x28, 5 and 10 % would else be the same 27x27). */
static void do_crop(struct change_work *k, const float *in, double s, float *out)
{
	const struct shape z = k->shape;
	const int h = shrunk(z.h, 1 - sqrt(1 - s)), w = (int)fmin(fmax(1, floor((1 - s) * z.h * z.w / h + 0.5)), z.w);
	int y = (z.h - h) / 2, x = (z.w - w) / 2;

	if (k->how->place == CHANGE_RANDOM) {
		y = (int)rng_below(&k->r, (uint32_t)(z.h - h + 1));
		x = (int)rng_below(&k->r, (uint32_t)(z.w - w + 1));
	}
	if (k->how->fill == CHANGE_PAD) {
		img_window(in, z, y, x, h, w, out);
		return;
	}
	img_crop(in, z, y, x, h, w, k->small);
	img_resize(k->small, (struct shape){ z.c, h, w }, k->how->filter, z.h, z.w, out);
}

static void do_flip(struct change_work *k, const float *in, double s, float *out)
{
	(void)s;
	img_mirror(in, k->shape, out);
}

/* s: distance of neighbouring levels. */
static void do_levels(struct change_work *k, const float *in, double s, float *out)
{
	img_levels(in, k->shape, (int)lround(fmin(1 / s, 1e6)) + 1, out);
}

static void do_mean(struct change_work *k, const float *in, double s, float *out)
{
	img_mean(in, k->shape, (int)lround(s), out);
}

static void do_median(struct change_work *k, const float *in, double s, float *out)
{
	img_median(in, k->shape, (int)lround(s), out);
}

static void do_noise(struct change_work *k, const float *in, double s, float *out)
{
	img_gaussian(in, k->shape, s, &k->r, out);
}

/* A black rectangle with the share s of each side, somewhere. */
static void do_occlude(struct change_work *k, const float *in, double s, float *out)
{
	const struct shape z = k->shape;
	const int h = (int)ceil(z.h * s), w = (int)ceil(z.w * s);
	const int y = (int)rng_below(&k->r, (uint32_t)(z.h - h + 1)), x = (int)rng_below(&k->r, (uint32_t)(z.w - w + 1));

	img_occlude(in, z, y, x, h, w, out);
}

/* s: share of a side that goes, and comes back. */
static void do_resize(struct change_work *k, const float *in, double s, float *out)
{
	const struct shape z = k->shape;
	const int h = shrunk(z.h, s), w = shrunk(z.w, s);

	img_resize(in, z, k->how->filter, h, w, k->small);
	img_resize(k->small, (struct shape){ z.c, h, w }, k->how->filter, z.h, z.w, out);
}

/* Noise, smaller and back, then a random affine map within 5 %: scales, shears, and shifts of that share of a side. */
static void do_pst(struct change_work *k, const float *in, double s, float *out)
{
	const double most = fmin(s, 0.05);
	double m[6], u[6];

	img_gaussian(in, k->shape, s / 10, &k->r, out);
	do_resize(k, out, s, out);
	for (int i = 0; i < 6; i++)
		u[i] = most * (2 * rng_uniform(&k->r) - 1);
	memcpy(m, (double[]){ 1 + u[0], u[1], u[2] * k->shape.w, u[3], 1 + u[4], u[5] * k->shape.h }, sizeof(m));
	memcpy(k->small, out, shape_len(k->shape) * sizeof(*out));
	img_affine(k->small, k->shape, m, out);
}

static void do_rotate(struct change_work *k, const float *in, double s, float *out)
{
	img_rotate(in, k->shape, sign(&k->r) * s, out);
}

static void do_salt_pepper(struct change_work *k, const float *in, double s, float *out)
{
	img_salt_pepper(in, k->shape, s, &k->r, out);
}

static void do_speckle(struct change_work *k, const float *in, double s, float *out)
{
	img_speckle(in, k->shape, s, &k->r, out);
}

static void do_translate(struct change_work *k, const float *in, double s, float *out)
{
	const int dx = sign(&k->r) * (int)lround(s), dy = sign(&k->r) * (int)lround(s);

	img_shift(in, k->shape, dx, dy, out);
}

void change_apply(int op, struct change_work *k, const float *in, double s, float *out)
{
	static void (*const by[CHANGES])(struct change_work *k, const float *in, double s, float *out) = {
		[CHANGE_BITS] = do_bits, [CHANGE_BLUR] = do_blur, [CHANGE_BRIGHTNESS] = do_brightness,
		[CHANGE_CONTRAST] = do_contrast, [CHANGE_CROP] = do_crop, [CHANGE_FLIP] = do_flip, [CHANGE_GAMMA] = do_gamma,
		[CHANGE_LEVELS] = do_levels, [CHANGE_MEAN] = do_mean, [CHANGE_MEDIAN] = do_median, [CHANGE_NOISE] = do_noise,
		[CHANGE_OCCLUDE] = do_occlude, [CHANGE_PST] = do_pst, [CHANGE_RESIZE] = do_resize, [CHANGE_ROTATE] = do_rotate,
		[CHANGE_SALT_PEPPER] = do_salt_pepper, [CHANGE_SPECKLE] = do_speckle, [CHANGE_TRANSLATE] = do_translate
	};

	BUG_ON(op < 0 || op >= CHANGES || !by[op]);
	by[op](k, in, s, out);
}
