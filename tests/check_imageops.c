/* attacks/query/imageops.c against closed forms and naive sums; colour images everywhere, so that a mixed-up channel shows. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "attacks/query/imageops.h"

enum { C = 3, H = 12, W = 10, LEN = C * H * W };
static const struct shape S = { C, H, W };
static float in[LEN], out[LEN];

static float *at(float *x, int c, int y, int col)
{
	return &x[(c * H + y) * W + col];
}

static void fill_ramp(double a, double b, double t)
{
	for (int c = 0; c < C; c++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++)
				*at(in, c, y, x) = (float)(a * x + b * y + t + c);
}

static void fill_random(void)
{
	struct rng r;

	rng_open(&r, 1, "imageops test", 0, 0);
	for (int i = 0; i < LEN; i++)
		in[i] = (float)rng_uniform(&r);
}

static void fill_impulse(int y, int x)
{
	memset(in, 0, sizeof(in));
	for (int c = 0; c < C; c++)
		*at(in, c, y, x) = 1;
}

static double total(const float *x)
{
	double sum = 0;

	for (int i = 0; i < LEN; i++)
		sum += (double)x[i];
	return sum;
}

/* ---- geometry ---- */

START_TEST(same_size_is_the_same)
{
	fill_random();
	img_resize(in, S, (enum filter)_i, H, W, out);
	ck_assert_mem_eq(in, out, sizeof(in));
}
END_TEST

/* A plane stays a plane away from the borders, at positions moved by the change of scale about pixel centres. */
START_TEST(resampling_keeps_a_ramp)
{
	float big[C * 2 * H * 2 * W];

	fill_ramp(0.5, 0.25, 1);
	img_resize(in, S, (enum filter)_i, 2 * H, 2 * W, big);
	for (int c = 0; c < C; c++)
		for (int y = 4; y < 2 * H - 4; y++)
			for (int x = 4; x < 2 * W - 4; x++) {
				const double px = (x + 0.5) / 2 - 0.5, py = (y + 0.5) / 2 - 0.5;

				ck_assert_double_eq_tol((double)big[(c * 2 * H + y) * 2 * W + x], 0.5 * px + 0.25 * py + 1 + c, 1e-5);
			}
}
END_TEST

/* Halving with bilinear reads between two pixels: their mean. With nearest: the pixel whose square the centre touches. */
START_TEST(halving_is_known)
{
	float half[C * (H / 2) * (W / 2)];

	fill_random();
	img_resize(in, S, FILTER_BILINEAR, H / 2, W / 2, half);
	ck_assert_float_eq_tol(half[0], (*at(in, 0, 0, 0) + *at(in, 0, 0, 1) + *at(in, 0, 1, 0) + *at(in, 0, 1, 1)) / 4, 1e-6f);
	img_resize(in, S, FILTER_NEAREST, H / 2, W / 2, half);
	ck_assert_float_eq(half[0], *at(in, 0, 1, 1));
	ck_assert_float_eq(half[C * (H / 2) * (W / 2) - 1], *at(in, 2, H - 1, W - 1));
}
END_TEST

/* Keys' kernel at a half: -1/16, 9/16, 9/16, -1/16. */
START_TEST(bicubic_is_keys)
{
	float line[8] = { 0, 0, 0, 1, 0, 0, 0, 0 }, twice[16];

	img_resize(line, (struct shape){ 1, 1, 8 }, FILTER_BICUBIC, 1, 16, twice);
	ck_assert_float_eq_tol(twice[6], 0.8671875f, 1e-6f);  /* at 2.75: 1 - 2.5/16 + 1.5/64 */
	ck_assert_float_eq_tol(twice[8], 0.2265625f, 1e-6f);  /* at 3.75: 1 - 2.5 * 9/16 + 1.5 * 27/64 */
	ck_assert_float_eq_tol(twice[10], -0.0234375f, 1e-6f); /* at 4.75 */
	img_resize(line, (struct shape){ 1, 1, 8 }, FILTER_BICUBIC, 1, 4, twice);
	ck_assert_float_eq(twice[0], 0);
	ck_assert_float_eq_tol(twice[1], 0.5625f, 1e-6f);
	ck_assert_float_eq_tol(twice[2], -0.0625f, 1e-6f);
}
END_TEST

START_TEST(turning_by_right_angles)
{
	static const struct shape square = { 3, 10, 10 };
	float a[300], b[300];

	for (int i = 0; i < 300; i++)
		a[i] = (float)(i * 37 % 101) / 101.0f;
	img_rotate(a, square, 0, b);
	ck_assert_mem_eq(a, b, sizeof(a));
	img_rotate(a, square, 90, b);
	for (int c = 0; c < 3; c++)
		for (int y = 0; y < 10; y++)
			for (int x = 0; x < 10; x++) /* counter-clockwise: the right edge becomes the top */
				ck_assert_float_eq_tol(b[(c * 10 + y) * 10 + x], a[(c * 10 + x) * 10 + 9 - y], 1e-5f);
	img_rotate(a, square, 180, b);
	for (int i = 0; i < 100; i++)
		ck_assert_float_eq_tol(b[i], a[99 - i], 1e-5f);
}
END_TEST

START_TEST(shifting_uncovers_black)
{
	fill_random();
	img_shift(in, S, 3, -2, out);
	for (int c = 0; c < C; c++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++)
				ck_assert_float_eq(*at(out, c, y, x), x < 3 || y >= H - 2 ? 0 : *at(in, c, y + 2, x - 3));
}
END_TEST

/* A shift is an affine map, too: two implementations. */
START_TEST(affine_shifts_alike)
{
	const double m[6] = { 1, 0, -3, 0, 1, 2 };
	float same[LEN];

	fill_random();
	img_affine(in, S, m, out);
	img_shift(in, S, 3, -2, same);
	for (int i = 0; i < LEN; i++)
		ck_assert_float_eq_tol(out[i], same[i], 1e-6f);
}
END_TEST

START_TEST(mirror_is_its_own_inverse)
{
	float back[LEN];

	fill_random();
	img_mirror(in, S, out);
	ck_assert_float_eq(*at(out, 1, 4, 0), *at(in, 1, 4, W - 1));
	img_mirror(out, S, back);
	ck_assert_mem_eq(in, back, sizeof(in));
}
END_TEST

START_TEST(windows_complement_each_other)
{
	float kept[LEN], cut[C * 4 * 5];

	fill_random();
	img_window(in, S, 2, 3, 4, 5, kept);
	img_occlude(in, S, 2, 3, 4, 5, out);
	for (int i = 0; i < LEN; i++)
		ck_assert_float_eq(kept[i] + out[i], in[i]);
	ck_assert_float_eq(*at(kept, 2, 2, 3), *at(in, 2, 2, 3));
	ck_assert_float_eq(*at(kept, 2, 6, 3), 0);
	img_crop(in, S, 2, 3, 4, 5, cut);
	ck_assert_float_eq(cut[0], *at(in, 0, 2, 3));
	ck_assert_float_eq(cut[C * 4 * 5 - 1], *at(in, 2, 5, 7));
}
END_TEST

/* ---- filters ---- */

START_TEST(filters_keep_a_constant)
{
	for (int i = 0; i < LEN; i++)
		in[i] = 0.3f;
	img_blur(in, S, 1.5, out);
	for (int i = 0; i < LEN; i++)
		ck_assert_float_eq_tol(out[i], 0.3f, 1e-6f);
	img_mean(in, S, 2, out);
	for (int i = 0; i < LEN; i++)
		ck_assert_float_eq_tol(out[i], 0.3f, 1e-6f);
	img_median(in, S, 2, out);
	ck_assert_mem_eq(in, out, sizeof(in));
}
END_TEST

/* sigma 0.5: five wide, exp(-2) and exp(-8) beside the middle; the sum is kept, and it separates. */
START_TEST(blur_of_an_impulse_is_the_kernel)
{
	const double e1 = exp(-2), e2 = exp(-8), sum = 1 + 2 * e1 + 2 * e2;

	fill_impulse(5, 4);
	img_blur(in, S, 0.5, out);
	ck_assert_double_eq_tol(total(out), C, 1e-5);
	ck_assert_float_eq_tol(*at(out, 1, 5, 4), (float)(1 / (sum * sum)), 1e-6f);
	ck_assert_float_eq_tol(*at(out, 1, 5, 6), (float)(e2 / (sum * sum)), 1e-6f);
	ck_assert_float_eq_tol(*at(out, 2, 6, 3), (float)(e1 * e1 / (sum * sum)), 1e-6f);
	ck_assert_float_eq(*at(out, 0, 5, 7), 0); /* ceil(6 sigma + 1) = 4, made 5: no further */
}
END_TEST

START_TEST(blur_has_its_width)
{
	double variance = 0;

	fill_impulse(5, 4);
	img_blur(in, S, 0.7, out);
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			variance += (y - 5) * (y - 5) * (double)*at(out, 0, y, x);
	ck_assert_double_eq_tol(variance, 0.49, 0.01);
}
END_TEST

START_TEST(mean_and_median_of_windows)
{
	double sum = 0;
	float v[9];
	int n = 0, below = 0, above = 0;

	fill_random();
	img_mean(in, S, 1, out);
	for (int y = 4; y < 7; y++)
		for (int x = 2; x < 5; x++)
			sum += (double)(v[n++] = *at(in, 1, y, x));
	ck_assert_float_eq_tol(*at(out, 1, 5, 3), (float)(sum / 9), 1e-6f);
	img_median(in, S, 1, out);
	for (int i = 0; i < 9; i++) {
		below += v[i] < *at(out, 1, 5, 3);
		above += v[i] > *at(out, 1, 5, 3);
	}
	ck_assert_int_eq(below, 4);
	ck_assert_int_eq(above, 4);
	/* a corner repeats its own pixel: 4 of the 9 */
	img_mean(in, S, 1, out);
	sum = 4 * (double)*at(in, 0, 0, 0) + 2 * (double)*at(in, 0, 0, 1) + 2 * (double)*at(in, 0, 1, 0) + (double)*at(in, 0, 1, 1);
	ck_assert_float_eq_tol(*at(out, 0, 0, 0), (float)(sum / 9), 1e-6f);
}
END_TEST

START_TEST(median_removes_a_speck)
{
	fill_impulse(5, 4);
	img_median(in, S, 1, out);
	ck_assert_double_eq(total(out), 0);
}
END_TEST

/* ---- values ---- */

START_TEST(levels_are_exact)
{
	const float x[3] = { 0.49f, 0.5f, 0.9f };
	float y[3];

	img_levels(x, (struct shape){ 1, 1, 3 }, 2, y);
	ck_assert_float_eq(y[0], 0);
	ck_assert_float_eq(y[1], 1);
	img_levels(x, (struct shape){ 1, 1, 3 }, 11, y);
	ck_assert_float_eq_tol(y[2], 0.9f, 1e-7f);
	for (int i = 0; i < LEN; i++)
		in[i] = (float)(i % 256) / 255.0f;
	img_levels(in, S, 256, out); /* 8-bit images have 256 levels already */
	for (int i = 0; i < LEN; i++)
		ck_assert_float_eq(out[i], in[i]);
}
END_TEST

START_TEST(brightness_contrast_gamma)
{
	const float x[4] = { 0, 0.2f, 0.6f, 1 };
	const struct shape s = { 1, 2, 2 };
	float y[4];

	img_brightness(x, s, 1.1, y);
	ck_assert_float_eq_tol(y[2], 0.66f, 1e-6f);
	img_contrast(x, s, 0.5, y); /* mean 0.45 */
	ck_assert_float_eq_tol(y[0], 0.225f, 1e-6f);
	ck_assert_float_eq_tol(y[3], 0.725f, 1e-6f);
	img_gamma(x, s, 2, y);
	ck_assert_float_eq_tol(y[1], 0.04f, 1e-6f);
	ck_assert_float_eq(y[3], 1);
	img_gamma((const float[]){ -1, 2, 0, 0 }, s, 0.5, y); /* outside: clipped, no nan */
	ck_assert_float_eq(y[0], 0);
	ck_assert_float_eq(y[1], 1);
	y[0] = -3;
	y[1] = 7;
	img_clip(y, 2);
	ck_assert_float_eq(y[0], 0);
	ck_assert_float_eq(y[1], 1);
}
END_TEST

/* ---- random ---- */

enum { SIDE = 100 };
static const struct shape big = { 3, SIDE, SIDE };
static float large[3 * SIDE * SIDE], changed[3 * SIDE * SIDE];

static void moments(const float *x, int n, double *mean, double *sd)
{
	double s = 0, q = 0;

	for (int i = 0; i < n; i++)
		s += (double)x[i];
	*mean = s / n;
	for (int i = 0; i < n; i++)
		q += ((double)x[i] - *mean) * ((double)x[i] - *mean);
	*sd = sqrt(q / n);
}

START_TEST(noises_have_their_moments)
{
	double mean, sd;
	struct rng r;

	for (int i = 0; i < 3 * SIDE * SIDE; i++)
		large[i] = 0.5f;
	rng_open(&r, 1, "imageops test", 1, 0);
	img_gaussian(large, big, 0.1, &r, changed);
	moments(changed, 3 * SIDE * SIDE, &mean, &sd);
	ck_assert_double_eq_tol(mean, 0.5, 0.003); /* 5 standard errors */
	ck_assert_double_eq_tol(sd, 0.1, 0.003);
	img_speckle(large, big, 0.1, &r, changed);
	moments(changed, 3 * SIDE * SIDE, &mean, &sd);
	ck_assert_double_eq_tol(mean, 0.5, 0.002);
	ck_assert_double_eq_tol(sd, 0.05, 0.0015);
}
END_TEST

/* Whole pixels, half black and half white. */
START_TEST(salt_and_pepper_share)
{
	int black = 0, white = 0;
	struct rng r;

	for (int i = 0; i < 3 * SIDE * SIDE; i++)
		large[i] = 0.5f;
	rng_open(&r, 1, "imageops test", 2, 0);
	img_salt_pepper(large, big, 0.1, &r, changed);
	for (int i = 0; i < SIDE * SIDE; i++) {
		black += changed[i] == 0;
		white += changed[i] == 1;
		ck_assert_float_eq(changed[i], changed[SIDE * SIDE + i]);
		ck_assert_float_eq(changed[i], changed[2 * SIDE * SIDE + i]);
	}
	ck_assert_int_gt(black, 390); /* 500, sd 22 */
	ck_assert_int_lt(black, 610);
	ck_assert_int_gt(white, 390);
	ck_assert_int_lt(white, 610);
}
END_TEST

Suite *suite_imageops(void);
Suite *suite_imageops(void)
{
	Suite *s = suite_create("imageops");
	TCase *tc = tcase_create("imageops");

	tcase_add_loop_test(tc, same_size_is_the_same, 0, 3);
	tcase_add_test(tc, halving_is_known);
	tcase_add_loop_test(tc, resampling_keeps_a_ramp, FILTER_BILINEAR, FILTER_BILINEAR + 1);
	tcase_add_loop_test(tc, resampling_keeps_a_ramp, FILTER_BICUBIC, FILTER_BICUBIC + 1);
	tcase_add_test(tc, bicubic_is_keys);
	tcase_add_test(tc, turning_by_right_angles);
	tcase_add_test(tc, shifting_uncovers_black);
	tcase_add_test(tc, affine_shifts_alike);
	tcase_add_test(tc, mirror_is_its_own_inverse);
	tcase_add_test(tc, windows_complement_each_other);
	tcase_add_test(tc, filters_keep_a_constant);
	tcase_add_test(tc, blur_of_an_impulse_is_the_kernel);
	tcase_add_test(tc, blur_has_its_width);
	tcase_add_test(tc, mean_and_median_of_windows);
	tcase_add_test(tc, median_removes_a_speck);
	tcase_add_test(tc, levels_are_exact);
	tcase_add_test(tc, brightness_contrast_gamma);
	tcase_add_test(tc, noises_have_their_moments);
	tcase_add_test(tc, salt_and_pepper_share);
	suite_add_tcase(s, tc);
	return s;
}
