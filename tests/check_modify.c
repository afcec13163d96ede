/* attacks/query/modify.c: strength 0 is nothing, more is more, and an image is treated alike wherever it stands. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tests/support_bench.h"

static struct world w;

static void setup(void)
{
	world_open(&w, &toy_scheme);
}

static void teardown(void)
{
	world_close(&w);
}

/* The reference's levels (attacks.md, A3b) in our units: what is gone of a resize or crop, radius of a window, bits dropped. */
static const struct sweep {
	const char *op;
	int n;
	double s[7];
} sweeps[] = {
	{ "bits", 7, { 1, 2, 3, 4, 5, 6, 7 } },
	{ "blur", 6, { 0.3, 0.5, 0.6, 0.7, 1, 1.5 } },
	{ "brightness", 2, { 0.1, 0.2 } },
	{ "compose", 3, { 0.25, 0.5, 1 } },
	{ "contrast", 2, { 0.1, 0.2 } },
	{ "crop", 5, { 0.05, 0.1, 0.2, 0.3, 0.5 } },
	{ "flip", 1, { 1 } },
	{ "gamma", 2, { 0.1, 0.2 } },
	{ "levels", 3, { 1 / 15.0, 1 / 11.0, 1 / 9.0 } },
	{ "mean", 2, { 1, 2 } },
	{ "median", 2, { 1, 2 } },
	{ "noise", 5, { 0.01, 0.03, 0.05, 0.1, 0.2 } },
	{ "occlude", 3, { 0.1, 0.2, 0.3 } },
	{ "pst", 2, { 0.02, 0.2 } }, /* beyond 5 % only its smoothing grows, which makes a moved image less different */
	{ "resize", 4, { 0.1, 0.25, 0.5, 0.67 } },
	{ "rotate", 4, { 1, 2, 5, 10 } },
	{ "salt-pepper", 4, { 0.005, 0.01, 0.02, 0.05 } },
	{ "speckle", 2, { 0.05, 0.1 } },
	{ "translate", 3, { 1, 2, 4 } },
};
enum { OPS = sizeof(sweeps) / sizeof(sweeps[0]), N = 40, LEN = 784, COLOUR = 4, COLOUR_LEN = 3 * 32 * 32 };

static const char *options_of(const char *op, double s, const char *more)
{
	static char text[256];

	snprintf(text, sizeof(text), "op=%s strength=%.17g%s%s", op, s, more ? " " : "", more ? more : "");
	return text;
}

static void pass(const char *options, const float *in, int n, int c, int side, float *out)
{
	struct product p;

	ck_assert_msg(world_attack(&w, attack_named("modify"), options, NULL, &p) == 0, "%s: %s", options, error_text());
	ck_assert_int_eq(p.goal, GOAL_DEGRADE);
	ck_assert_int_eq(p.channel(&p, in, n, c, side, side, out), 0);
	product_release(&p);
}

static void load(float *x)
{
	for (int i = 0; i < N; i++)
		images_get(&w.splits.test, i, x + i * LEN);
}

/* Smooth colour pictures with an edge: enough structure for every operation. */
static void load_colour(float *x)
{
	for (int i = 0; i < COLOUR * COLOUR_LEN; i++) {
		const int col = i % 32, row = i / 32 % 32, c = i / 1024 % 3;

		x[i] = 0.5f + 0.25f * sinf((float)(col * (c + 1)) * 0.2f + (float)(i / COLOUR_LEN)) + (row > 16 ? 0.2f : -0.2f);
	}
}

static double mse(const float *a, const float *b, int n)
{
	double sum = 0;

	for (int i = 0; i < n; i++) {
		ck_assert(b[i] >= 0 && b[i] <= 1); /* not nan either */
		sum += pow((double)a[i] - (double)b[i], 2);
	}
	return sum / n;
}

START_TEST(zero_is_bit_equal)
{
	float in[N * LEN], out[N * LEN];

	load(in);
	pass(options_of(sweeps[_i].op, 0, NULL), in, N, 1, 28, out);
	ck_assert_mem_eq(in, out, sizeof(in));
}
END_TEST

/* On the data, each level of the default sweep does more damage than the one before. On the drawn colour images all levels do
 * something and the last does most; a resize without smoothing may hit or miss an edge in between. */
START_TEST(more_is_more)
{
	const struct sweep *s = &sweeps[_i];
	float in[N * LEN], out[N * LEN], cin[COLOUR * COLOUR_LEN], cout[COLOUR * COLOUR_LEN];
	double before = 0, cbefore = 0;

	load(in);
	load_colour(cin);
	for (int i = 0; i < s->n; i++) {
		double now, cnow;

		pass(options_of(s->op, s->s[i], NULL), in, N, 1, 28, out);
		pass(options_of(s->op, s->s[i], NULL), cin, COLOUR, 3, 32, cout);
		now = mse(in, out, N * LEN);
		cnow = mse(cin, cout, COLOUR * COLOUR_LEN);
		ck_assert_msg(now > before, "%s %g: %g after %g", s->op, s->s[i], now, before);
		ck_assert_msg(cnow > 0, "%s %g does nothing to colour images", s->op, s->s[i]);
		ck_assert_msg(i < s->n - 1 || cnow > cbefore, "%s, colour: %g at most, but %g at the end", s->op, cbefore, cnow);
		before = now;
		cbefore = fmax(cnow, cbefore);
	}
}
END_TEST

/* An image alone and as the last of a batch: the same bits. Would catch streams named by position, and scratch that is carried over. */
START_TEST(batches_do_not_matter)
{
	const struct sweep *s = &sweeps[_i];
	const char *options = options_of(s->op, s->s[s->n - 1], "place=random");
	float in[N * LEN], out[N * LEN], one[LEN];

	load(in);
	pass(options, in, N, 1, 28, out);
	pass(options, in + (N - 1) * LEN, 1, 1, 28, one);
	ck_assert_mem_eq(one, out + (N - 1) * LEN, sizeof(one));
}
END_TEST

START_TEST(variants_do_something_else)
{
	static const struct { const char *op, *a, *b; double s; } pairs[] = {
		{ "brightness", "direction=up", "direction=down", 0.2 }, { "contrast", "direction=up", "direction=down", 0.2 },
		{ "gamma", "direction=up", "direction=down", 0.2 }, { "resize", "filter=bilinear", "filter=nearest", 0.5 },
		{ "resize", "filter=bilinear", "filter=bicubic", 0.5 }, { "crop", "place=centre", "place=random", 0.5 },
		{ "crop", "fill=pad", "fill=resize", 0.3 }, { "compose", "draw=1", "draw=2", 1 },
	};
	float in[COLOUR * COLOUR_LEN], a[COLOUR * COLOUR_LEN], b[COLOUR * COLOUR_LEN];

	load_colour(in);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		pass(options_of(pairs[i].op, pairs[i].s, pairs[i].a), in, COLOUR, 3, 32, a);
		pass(options_of(pairs[i].op, pairs[i].s, pairs[i].b), in, COLOUR, 3, 32, b);
		ck_assert_msg(memcmp(a, b, sizeof(a)) != 0, "%s: %s is %s", pairs[i].op, pairs[i].a, pairs[i].b);
	}
}
END_TEST

/* Known by hand: one bit left is black and white; a crop of half the area keeps 20 of 28 rows and columns; downwards is darker. */
START_TEST(units_are_as_the_page_says)
{
	float in[N * LEN], out[N * LEN];
	int rows = 0;

	for (int i = 0; i < N * LEN; i++)
		in[i] = (float)(i % 7 + 1) / 8.0f;
	pass("op=bits strength=7", in, N, 1, 28, out);
	for (int i = 0; i < N * LEN; i++)
		ck_assert(out[i] == (in[i] >= 0.5f));
	pass("op=crop strength=0.5", in, 1, 1, 28, out);
	for (int y = 0; y < 28; y++)
		rows += out[y * 28 + 14] > 0;
	ck_assert_int_eq(rows, 20);
	pass("op=brightness direction=down strength=0.2", in, N, 1, 28, out);
	ck_assert_float_eq_tol(out[0], 0.8f * in[0], 1e-6f);
	pass("op=levels strength=0.1111111111111111", in, N, 1, 28, out); /* 10 levels: ninths */
	for (int i = 0; i < N * LEN; i++)
		ck_assert_float_eq_tol(out[i] * 9, roundf(out[i] * 9), 1e-5f);
}
END_TEST

/* A drawn chain: two or three different operations, noted, the same for the same seed and draw. */
START_TEST(chains_are_drawn)
{
	int three = 0;

	for (int draw = 0; draw < 10; draw++) {
		struct product p;
		char options[64], text[160];
		const char *chain;

		snprintf(options, sizeof(options), "op=compose strength=1 draw=%d", draw);
		ck_assert_int_eq(world_attack(&w, attack_named("modify"), options, NULL, &p), 0);
		chain = jget_str(p.notes, "chain", "");
		ck_assert_ptr_nonnull(strchr(chain, ','));
		three += strchr(strchr(chain, ',') + 1, ',') != NULL;
		snprintf(text, sizeof(text), "%s", chain);
		product_release(&p);
		ck_assert_int_eq(world_attack(&w, attack_named("modify"), options, NULL, &p), 0);
		ck_assert_str_eq(jget_str(p.notes, "chain", ""), text);
		product_release(&p);
	}
	ck_assert_int_gt(three, 0);
	ck_assert_int_lt(three, 10);
}
END_TEST

START_TEST(senseless_strengths_are_refused)
{
	static const char *const bad[] = { "op=bits strength=8", "op=bits strength=1.5", "op=crop strength=1", "op=flip strength=0.5",
					   "op=translate strength=29", "op=noise strength=2",
					   "op=bits strength=1.00000001" };
	struct product p;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_msg(world_attack(&w, attack_named("modify"), bad[i], NULL, &p) == -1, "%s passed", bad[i]);
		ck_assert_ptr_nonnull(strstr(error_text(), "op="));
		ck_assert_msg(strstr(error_text(), strstr(bad[i], "strength=") + strlen("strength=")), "%s: %s", bad[i],
		              error_text());
		error_clear();
		product_release(&p);
	}
}
END_TEST

START_TEST(spends_nothing_and_passes_its_role_on)
{
	struct ledger l = { 0 };
	struct product p;

	ck_assert_int_eq(world_attack(&w, attack_named("modify"), "role=unlock", &l, &p), 0);
	ck_assert_int_eq(p.role, ROLE_UNLOCK);
	ck_assert_int_eq(l.queries + l.labels + l.submissions, 0);
	ck_assert_double_eq(l.forward_equivalents, 0);
	ck_assert_uint_eq(attack_named("modify")->needs, CAP_CHANNEL);
	product_release(&p);
}
END_TEST

Suite *suite_modify(void);
Suite *suite_modify(void)
{
	Suite *s = suite_create("modify");
	TCase *tc = tcase_create("modify");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, zero_is_bit_equal, 0, OPS);
	tcase_add_loop_test(tc, more_is_more, 0, OPS);
	tcase_add_loop_test(tc, batches_do_not_matter, 0, OPS);
	tcase_add_test(tc, variants_do_something_else);
	tcase_add_test(tc, units_are_as_the_page_says);
	tcase_add_test(tc, chains_are_drawn);
	tcase_add_test(tc, senseless_strengths_are_refused);
	tcase_add_test(tc, spends_nothing_and_passes_its_role_on);
	suite_add_tcase(s, tc);
	return s;
}
