/* attacks/query/screen_stego.c: closed forms, and messages that were really embedded. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "attacks/query/screen_stego.h"

enum { SIDE = 96, LEN = SIDE * SIDE };
static const struct shape S = { 1, SIDE, SIDE };
static uint8_t px[LEN];

/* A smooth cover with a little sensor noise. */
static void cover(void)
{
	struct rng r;

	rng_open(&r, 4, "stego test", 0, 0);
	for (int i = 0; i < LEN; i++) {
		const double x = i % SIDE, y = i / SIDE;

		px[i] = (uint8_t)lround(120 + 60 * sin(x * 0.05) * cos(y * 0.07) + 1.5 * rng_normal(&r));
	}
}

/* Random bits into the lowest bit of a share of the pixels, in random places. */
static void embed(double share)
{
	struct rng r;

	rng_open(&r, 4, "stego message", 0, 0);
	for (int i = 0; i < LEN; i++) {
		const int here = rng_uniform(&r) < share, bit = (int)(rng_u32(&r) & 1);

		if (here)
			px[i] = (uint8_t)((px[i] & ~1) | bit);
	}
}

START_TEST(chi2_by_hand)
{
	const uint8_t x[8] = { 0, 0, 0, 1, 6, 6, 7, 255 };

	/* pairs (3,1): 1, (2,1): 1/3, (0,1): 1 */
	ck_assert_double_eq_tol(stego_chi2(x, 8), (1 + 1 / 3.0 + 1) / 3, 1e-12);
	ck_assert_double_eq(stego_chi2(x, 1), 1);
}
END_TEST

/* The statistic of random lowest bits is 1 on average; of even values only it is the mean count of a value. */
START_TEST(chi2_tells_random_bits)
{
	cover();
	for (int i = 0; i < LEN; i++)
		px[i] &= 0xfe;
	ck_assert_double_gt(stego_chi2(px, LEN), 20);
	embed(1);
	ck_assert_double_gt(stego_chi2(px, LEN), 0.5);
	ck_assert_double_lt(stego_chi2(px, LEN), 2);
}
END_TEST

START_TEST(rs_estimates_the_message)
{
	static const double rate[] = { 0, 0.25, 0.5, 0.75 };

	cover();
	embed(rate[_i]);
	ck_assert_msg(fabs(stego_rs(px, S) - rate[_i]) < 0.15, "%g instead of %g", stego_rs(px, S), rate[_i]);
}
END_TEST

/* Flat images have no groups to speak of: a number all the same. */
START_TEST(rs_of_a_flat_image_is_finite)
{
	memset(px, 0, sizeof(px));
	ck_assert(isfinite(stego_rs(px, S)));
	memset(px, 255, sizeof(px));
	ck_assert(isfinite(stego_rs(px, S)));
	ck_assert_double_le(stego_rs(px, S), 2);
	ck_assert_double_ge(stego_rs(px, S), -1);
}
END_TEST

Suite *suite_stego(void);
Suite *suite_stego(void)
{
	Suite *s = suite_create("stego");
	TCase *tc = tcase_create("stego");

	tcase_add_test(tc, chi2_by_hand);
	tcase_add_test(tc, chi2_tells_random_bits);
	tcase_add_loop_test(tc, rs_estimates_the_message, 0, 4);
	tcase_add_test(tc, rs_of_a_flat_image_is_finite);
	suite_add_tcase(s, tc);
	return s;
}
