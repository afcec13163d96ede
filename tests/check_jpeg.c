/* attacks/query/jpeg.c: the channel is libjpeg-turbo's and no other. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "datasets/codec.h"
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

static void run(const char *options, struct product *p)
{
	ck_assert_msg(world_attack(&w, attack_named("jpeg"), options, NULL, p) == 0, "%s", error_text());
	ck_assert_int_eq(p->goal, GOAL_DEGRADE);
}

enum { N = 5, LEN = 784 };

static void load(float *x)
{
	for (int i = 0; i < N; i++)
		images_get(&w.splits.test, i, x + i * LEN);
}

START_TEST(equals_encode_and_decode)
{
	float in[N * LEN], out[N * LEN];
	struct product p;

	load(in);
	run("quality=30", &p);
	ck_assert_int_eq(p.channel(&p, in, N, 1, 28, 28, out), 0);
	for (int i = 0; i < N; i++) {
		const uint8_t *px = w.splits.test.px + (size_t)LEN * images_at(&w.splits.test, i);
		int c, h, width;
		size_t len;
		uint8_t *file = jpeg_encode(px, 1, 28, 28, 30, JPEG_420, &len);
		uint8_t *got = jpeg_decode(file, len, "test", &c, &h, &width);

		for (int k = 0; k < LEN; k++)
			ck_assert_float_eq(out[i * LEN + k], (float)got[k] / 255.0f);
		free(file);
		free(got);
	}
	product_release(&p);
}
END_TEST

static double damage(const char *options, int c, int h, const float *in, int n)
{
	float *out = xmalloc((size_t)n * c * h * h, sizeof(*out));
	struct product p;
	double sum = 0;

	run(options, &p);
	ck_assert_int_eq(p.channel(&p, in, n, c, h, h, out), 0);
	for (int k = 0; k < n * c * h * h; k++) {
		ck_assert(out[k] >= 0 && out[k] <= 1);
		sum += pow((double)(out[k] - in[k]), 2);
	}
	product_release(&p);
	free(out);
	return sum / (n * c * h * h);
}

START_TEST(smaller_quality_is_harsher)
{
	float in[N * LEN];

	load(in);
	ck_assert_double_lt(damage("quality=100", 1, 28, in, N), 1e-4);
	ck_assert_double_lt(damage("quality=100", 1, 28, in, N), damage("quality=50", 1, 28, in, N));
	ck_assert_double_lt(damage("quality=50", 1, 28, in, N), damage("quality=5", 1, 28, in, N));
}
END_TEST

/* A saturated colour edge: halved colour resolution must cost more. */
START_TEST(subsampling_is_set)
{
	float in[3 * 32 * 32];

	for (int c = 0; c < 3; c++)
		for (int i = 0; i < 1024; i++)
			in[c * 1024 + i] = (i & 1) == (c == 0);
	ck_assert_double_gt(damage("quality=90 subsampling=420", 3, 32, in, 1),
			    4 * damage("quality=90 subsampling=444", 3, 32, in, 1));
}
END_TEST

/* Floats outside [0,1] are clipped, not wrapped. */
START_TEST(clips)
{
	float in[LEN], out[LEN];
	struct product p;

	for (int k = 0; k < LEN; k++)
		in[k] = 1.7f;
	run("quality=90", &p);
	ck_assert_int_eq(p.channel(&p, in, 1, 1, 28, 28, out), 0);
	for (int k = 0; k < LEN; k++)
		ck_assert_float_ge(out[k], 0.99f);
	product_release(&p);
}
END_TEST

/* The second file is made of the first one's pixels: equal to encoding by hand twice, and not to either quality alone. */
START_TEST(compresses_twice)
{
	float in[N * LEN], out[N * LEN], once[N * LEN];
	const uint8_t *px = w.splits.test.px + (size_t)LEN * images_at(&w.splits.test, 0);
	int c, h, width;
	size_t len;
	uint8_t *file, *got, *again;
	struct product p;

	load(in);
	run("quality=50 second=90", &p);
	ck_assert_int_eq(p.channel(&p, in, N, 1, 28, 28, out), 0);
	product_release(&p);
	file = jpeg_encode(px, 1, 28, 28, 50, JPEG_420, &len);
	got = jpeg_decode(file, len, "test", &c, &h, &width);
	free(file);
	file = jpeg_encode(got, 1, 28, 28, 90, JPEG_420, &len);
	again = jpeg_decode(file, len, "test", &c, &h, &width);
	for (int k = 0; k < LEN; k++)
		ck_assert_float_eq(out[k], (float)again[k] / 255.0f);
	ck_assert_mem_ne(got, again, LEN);
	run("quality=90", &p);
	ck_assert_int_eq(p.channel(&p, in, N, 1, 28, 28, once), 0);
	product_release(&p);
	ck_assert_mem_ne(out, once, sizeof(once));
	free(file);
	free(got);
	free(again);
}
END_TEST

/* Of the file that arrives: the second one's. */
START_TEST(counts_stored_bytes)
{
	float in[N * LEN];
	double bytes, low, twice;
	struct product p;
	size_t len;

	load(in);
	run("quality=90", &p);
	ck_assert_int_eq(p.stored_bytes(&p, in, 1, 1, 28, 28, &bytes), 0);
	free(jpeg_encode(w.splits.test.px + (size_t)LEN * images_at(&w.splits.test, 0), 1, 28, 28, 90, JPEG_420, &len));
	ck_assert_double_eq(bytes, (double)len);
	ck_assert_int_eq(p.stored_bytes(&p, in, N, 1, 28, 28, &bytes), 0);
	product_release(&p);
	run("quality=10", &p);
	ck_assert_int_eq(p.stored_bytes(&p, in, N, 1, 28, 28, &low), 0);
	product_release(&p);
	run("quality=90 second=10", &p);
	ck_assert_int_eq(p.stored_bytes(&p, in, N, 1, 28, 28, &twice), 0);
	product_release(&p);
	ck_assert_double_lt(low, bytes);
	ck_assert_double_lt(twice, (bytes + low) / 2);
}
END_TEST

START_TEST(role_is_passed_on)
{
	struct product p;

	run("role=evade", &p);
	ck_assert_int_eq(p.role, ROLE_EVADE);
	product_release(&p);
}
END_TEST

START_TEST(needs_no_access)
{
	ck_assert_uint_eq(attack_named("jpeg")->needs, CAP_CHANNEL);
	ck_assert_ptr_null(conf_of(&attack_named("jpeg")->drv, "quality=0"));
}
END_TEST

Suite *suite_jpeg(void);
Suite *suite_jpeg(void)
{
	Suite *s = suite_create("jpeg");
	TCase *tc = tcase_create("jpeg");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, equals_encode_and_decode);
	tcase_add_test(tc, smaller_quality_is_harsher);
	tcase_add_test(tc, subsampling_is_set);
	tcase_add_test(tc, clips);
	tcase_add_test(tc, compresses_twice);
	tcase_add_test(tc, counts_stored_bytes);
	tcase_add_test(tc, role_is_passed_on);
	tcase_add_test(tc, needs_no_access);
	suite_add_tcase(s, tc);
	return s;
}
