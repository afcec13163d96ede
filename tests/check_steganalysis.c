/* metrics/image/steganalysis.c, stegauc.c, fisher.c: detectors find what they are for, and nothing where there is nothing. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/tile.h"
#include "metrics/image/steganalysis.h"
#include "metrics/image/steganalysis_fisher.h"
#include "metrics/stat/dist.h"

enum { SIDE = 32, PIX = SIDE * SIDE, MANY = 100 };

/* A camera's picture, more or less: smooth waves and noise of a grey level or two, few levels in use. */
static void picture(uint64_t seed, uint32_t which, uint8_t *px)
{
	struct rng r;
	double base, slope, turn;

	rng_open(&r, seed, "picture", which, 0);
	base = 60 + 120 * rng_uniform(&r);
	slope = 2 * rng_uniform(&r) - 1;
	turn = 6.3 * rng_uniform(&r);
	for (int i = 0; i < PIX; i++) {
		const double y = i / SIDE, x = i % SIDE;
		const double v = base + slope * (y - x) + 12 * sin(0.25 * y + turn) * sin(0.2 * x - turn) + 0.7 * rng_normal(&r);

		px[i] = (uint8_t)lround(fmin(fmax(v, 0), 255));
	}
}

/* Replace the lowest bit of a share of the pixels by random ones. */
static void embed(uint8_t *px, double share, uint32_t which)
{
	struct rng r;

	rng_open(&r, 9, "message", which, 0);
	for (int i = 0; i < PIX; i++)
		if (rng_uniform(&r) < share)
			px[i] = (uint8_t)((px[i] & ~1) | (int)rng_below(&r, 2));
}

static struct images set(uint8_t *px, int n)
{
	return (struct images){ .n = n, .c = 1, .h = SIDE, .w = SIDE, .px = px };
}

/* ---- single images ---- */

START_TEST(chi_square_by_hand)
{
	uint8_t px[64];

	for (int i = 0; i < 64; i++) /* pairs (16, 16) and (20, 12): chi2 = 0 + 4^2 / 16 */
		px[i] = i < 16 ? 10 : i < 32 ? 11 : i < 52 ? 20 : 21;
	ck_assert_double_eq_tol(steg_chi2(px, 1, 8, 8), chi2_tail(1, 1), 1e-14);
	for (int i = 52; i < 64; i++)
		px[i] = 20; /* (32, 0): 16^2 / 16 */
	ck_assert_double_eq_tol(steg_chi2(px, 1, 8, 8), chi2_tail(1, 16.0), 1e-14);
	memset(px, 7, sizeof(px)); /* a single pair says nothing */
	ck_assert_double_eq(steg_chi2(px, 1, 8, 8), 0);
}
END_TEST

/* The estimate follows the share that carries a bit. */
START_TEST(rs_estimates_the_share)
{
	static const double share[] = { 0, 0.25, 0.5, 1 };

	for (size_t k = 0; k < ARRAY_LEN(share); k++) {
		double mean = 0;

		for (uint32_t i = 0; i < MANY; i++) {
			uint8_t px[PIX];

			picture(1, i, px);
			embed(px, share[k], i);
			mean += steg_rs(px, 1, SIDE, SIDE) / MANY;
		}
		ck_assert_msg(fabs(mean - share[k]) < 0.1, "share %g: %g", share[k], mean);
	}
}
END_TEST

START_TEST(rs_where_nothing_is_rough)
{
	uint8_t px[PIX];

	memset(px, 0, sizeof(px));
	ck_assert(isfinite(steg_rs(px, 1, SIDE, SIDE)));
	memset(px, 255, sizeof(px));
	ck_assert(isfinite(steg_rs(px, 3, 8, 8)));
	for (int i = 0; i < PIX; i++) /* all that can go on at the ends of the range */
		px[i] = i % 2 ? 255 : 0;
	ck_assert(isfinite(steg_rs(px, 1, SIDE, SIDE)));
}
END_TEST

/* Pr(next difference | one before | ...) of one direction by its definition, added over four directions. */
static double naive_spam(const uint8_t *px, const int dir[4][2], int order, const int *d)
{
	double sum = 0;

	for (int k = 0; k < 4; k++) {
		long both = 0, given = 0;

		for (int y = 0; y < SIDE; y++)
			for (int x = 0; x < SIDE; x++) {
				int match = 0, ey = y + dir[k][0] * (order + 1), ex = x + dir[k][1] * (order + 1);

				if (ey < 0 || ex < 0 || ey >= SIDE || ex >= SIDE)
					continue;
				for (int i = 0; i <= order; i++) {
					const int y0 = y + i * dir[k][0], x0 = x + i * dir[k][1];

					if (px[y0 * SIDE + x0] - px[(y0 + dir[k][0]) * SIDE + x0 + dir[k][1]] != d[i])
						break;
					match++;
				}
				given += match >= order;
				both += match > order;
			}
		sum += given ? (double)both / (double)given / 4 : 0;
	}
	return sum;
}

START_TEST(spam_is_the_definition)
{
	static const int straight[4][2] = { { 0, 1 }, { 1, 0 }, { 0, -1 }, { -1, 0 } };
	static const int diagonal[4][2] = { { 1, 1 }, { 1, -1 }, { -1, -1 }, { -1, 1 } };
	static double one[SPAM162], two[SPAM686];
	uint8_t px[PIX];

	picture(2, 0, px);
	steg_spam(px, 1, SIDE, SIDE, 1, one);
	steg_spam(px, 1, SIDE, SIDE, 2, two);
	for (int u = -4; u <= 4; u++)
		for (int v = -4; v <= 4; v++) {
			const int d[] = { u, v }, at = (u + 4) * 9 + v + 4;

			ck_assert_double_eq_tol(one[at], naive_spam(px, straight, 1, d), 1e-12);
			ck_assert_double_eq_tol(one[81 + at], naive_spam(px, diagonal, 1, d), 1e-12);
		}
	for (int i = 0; i < 343; i += 17) {
		const int d[] = { i / 49 - 3, i / 7 % 7 - 3, i % 7 - 3 };

		ck_assert_double_eq_tol(two[i], naive_spam(px, straight, 2, d), 1e-12);
		ck_assert_double_eq_tol(two[343 + i], naive_spam(px, diagonal, 2, d), 1e-12);
	}
	steg_spam(px, 2, SIDE / 2, SIDE, 1, one); /* two channels: counts are added, no pair reaches over */
	ck_assert(one[40] > 0 && one[40] < 1);
}
END_TEST

/* Two features with covariance [2 1; 1 2] and means (1, 0) apart: w is along [2 1; 1 2]^-1 (1, 0) = (2, -1) / 3. */
START_TEST(fisher_direction)
{
	enum { N = 4000 };
	static double x[2 * N], y[2 * N];
	struct rng r;
	double w[2], c[6] = { 0 }, e[6] = { 0, 0, 1, 0, 0, 1 }, v[2];

	rng_open(&r, 3, "fisher", 0, 0);
	for (int i = 0; i < N; i++)
		for (int k = 0; k < 2; k++) {
			double *p = k ? y + 2 * i : x + 2 * i;
			const double a = rng_normal(&r), b = rng_normal(&r), shared = rng_normal(&r);

			p[0] = a + shared + k;
			p[1] = b + shared;
		}
	fisher_train(x, N, y, N, 2, 1e-6, w);
	ck_assert_double_eq_tol(w[1] / w[0], -0.5, 0.05);
	ck_assert_double_gt(w[0], 0);
	/* a feature that never varies: weight 0, no division by it */
	c[0] = 0.5, c[2] = -0.5;
	fisher_train(c, 3, e, 3, 2, 0.1, v);
	ck_assert(isfinite(v[0]) && isfinite(v[1]));
}
END_TEST

/* ---- sets ---- */

static uint8_t clean[MANY * PIX], other[MANY * PIX], stego[MANY * PIX];

static void make_sets(void)
{
	for (uint32_t i = 0; i < MANY; i++) {
		picture(1, i, clean + (long)i * PIX);
		picture(5, i, other + (long)i * PIX);
		picture(1, i, stego + (long)i * PIX);
		embed(stego + (long)i * PIX, 1, i);
	}
}

/* A fully embedded image and its clean original: all but the chi-square test, which wants more pixels, tell them apart. */
START_TEST(embedding_shows)
{
	static const double least[STEG_DETECTORS] = { 0.6, 0.95, 0.95, 0.95 };
	const struct images a = set(clean, MANY), b = set(stego, MANY);

	make_sets();
	for (int d = 0; d < STEG_DETECTORS; d++) {
		struct steg_result r;

		ck_assert_int_eq(steganalysis((enum steg_detector)d, &a, &b, 1, &r), 0);
		ck_assert_msg(r.auc >= least[d], "%s: %g", steg_names[d], r.auc);
		ck_assert(r.error >= 0 && r.error < 0.5);
		ck_assert_int_eq(r.trained, d < STEG_SPAM162 ? 0 : 50);
		ck_assert_int_eq(r.tested, d < STEG_SPAM162 ? 100 : 50);
	}
}
END_TEST

/* Other pictures of the same kind: no detector may find a difference; the same pictures: exactly nothing. A detector that is tested on
 * what it learnt from would reach nearly 1 here. */
START_TEST(nothing_shows_where_nothing_is)
{
	const struct images a = set(clean, MANY), b = set(other, MANY);

	make_sets();
	for (int d = 0; d < STEG_DETECTORS; d++) {
		struct steg_result r;

		ck_assert_int_eq(steganalysis((enum steg_detector)d, &a, &b, 1, &r), 0);
		ck_assert_msg(fabs(r.auc - 0.5) < 0.1, "%s: %g", steg_names[d], r.auc);
		ck_assert_int_eq(steganalysis((enum steg_detector)d, &a, &a, 1, &r), 0);
		ck_assert_double_eq_tol(r.auc, 0.5, 1e-12);
	}
}
END_TEST

/* The same bits for any number of threads and for float pixels; other splits with another seed. */
START_TEST(repeatable)
{
	static float fx[MANY * PIX];
	const struct images a = set(clean, MANY);
	struct images b = set(stego, 60), f;
	struct steg_result one, two;

	make_sets();
	for (long i = 0; i < 60 * PIX; i++) {
		stego[i] = (uint8_t)(i % 5 ? clean[i] : stego[i]);
		fx[i] = (float)stego[i] / 255.0f;
	}
	f = b;
	f.px = NULL;
	f.fx = fx;
	tile_threads(1);
	ck_assert_int_eq(steganalysis(STEG_SPAM162, &a, &b, 1, &one), 0);
	tile_threads(3);
	ck_assert_int_eq(steganalysis(STEG_SPAM162, &a, &f, 1, &two), 0);
	ck_assert(one.auc == two.auc && one.error == two.error);
	ck_assert_int_eq(one.trained, 30); /* half of the smaller set */
	ck_assert_int_eq(steganalysis(STEG_SPAM162, &a, &b, 2, &two), 0);
	ck_assert_double_ne(one.auc, two.auc);
}
END_TEST

START_TEST(refuses)
{
	struct images a = set(clean, MANY), b = set(other, MANY);
	struct steg_result r;

	b.h = SIDE / 2;
	ck_assert_int_eq(steganalysis(STEG_RS, &a, &b, 1, &r), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "one shape"));
	error_clear();
	b = set(other, STEG_LEAST - 1);
	ck_assert_int_eq(steganalysis(STEG_RS, &a, &b, 1, &r), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "at least 20 images"));
	error_clear();
	a.h = b.h = 7;
	ck_assert_int_eq(steganalysis(STEG_RS, &a, &b, 1, &r), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "8x8"));
}
END_TEST

Suite *suite_steganalysis(void);
Suite *suite_steganalysis(void)
{
	Suite *s = suite_create("steganalysis");
	TCase *tc = tcase_create("steganalysis");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, chi_square_by_hand);
	tcase_add_test(tc, rs_estimates_the_share);
	tcase_add_test(tc, rs_where_nothing_is_rough);
	tcase_add_test(tc, spam_is_the_definition);
	tcase_add_test(tc, fisher_direction);
	tcase_add_test(tc, embedding_shows);
	tcase_add_test(tc, nothing_shows_where_nothing_is);
	tcase_add_test(tc, repeatable);
	tcase_add_test(tc, refuses);
	suite_add_tcase(s, tc);
	return s;
}
