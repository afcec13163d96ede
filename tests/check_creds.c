/* schemes/kit/creds.c: rows of stacked credentials, with what each shares and without what the owner noted. */
#include "schemes/kit/creds.h"
#include <check.h>
#include <string.h>

enum { N = 4 };

/* N credentials: a key of 3 bytes, two numbers, what all share; and the owner's notes. */
static struct bundle *some(void)
{
	struct bundle *b = bundle_new();
	uint8_t *key = bundle_put(b, "key", DT_U8, 2, (const int64_t[]){ N, 3 }, NULL);
	float *num = bundle_put(b, "num", DT_F32, 2, (const int64_t[]){ N, 2 }, NULL);

	for (int i = 0; i < 3 * N; i++)
		key[i] = (uint8_t)(10 * (i / 3) + i % 3);
	for (int i = 0; i < 2 * N; i++)
		num[i] = (float)i;
	bundle_put_u8(b, "shared_all", 5, (const uint8_t[]){ 1, 2, 3, 4, 5 });
	bundle_put_u8(b, "ok", N, (const uint8_t[]){ 1, 0, 1, 1 });
	bundle_put_i32(b, "tries", N, NULL);
	bundle_put_u8(b, "about_it", N, NULL);
	return b;
}

START_TEST(rows_are_taken_out)
{
	static const uint8_t want[] = { 30, 31, 32, 0, 1, 2, 30, 31, 32 };
	struct bundle *b = some(), *rows = creds_rows(b, (const int[]){ 3, 0, 3 }, 3, false);
	struct bundle *all = creds_rows(b, (const int[]){ 1 }, 1, true), *range = creds_range(b, 1, 2);

	ck_assert_int_eq(creds_count(b), N);
	ck_assert_int_eq(creds_count(rows), 3);
	ck_assert_int_eq(rows->nt, 3); /* notes stay behind */
	ck_assert_int_eq(memcmp(bundle_u8(rows, "key", NULL), want, sizeof(want)), 0);
	ck_assert_float_eq(bundle_f32(rows, "num", NULL)[1], 7);
	ck_assert_uint_eq(bundle_u8(rows, "shared_all", NULL)[4], 5);
	ck_assert(all->nt == 6 && !bundle_u8(all, "ok", NULL)[0]);
	ck_assert(creds_count(range) == 2 && bundle_u8(range, "key", NULL)[0] == 10 &&
		  bundle_u8(range, "key", NULL)[3] == 20);
	bundle_free(b);
	bundle_free(rows);
	bundle_free(all);
	bundle_free(range);
}
END_TEST

START_TEST(one_is_put_among_others)
{
	struct bundle *b = some(), *out = bundle_new();

	for (int i = N - 1; i >= 0; i--) {
		struct bundle *one = creds_range(b, N - 1 - i, 1);

		creds_put(out, i, N, bundle_get(one, "key", DT_U8));
		bundle_free(one);
	}
	ck_assert_int_eq(bundle_get(out, "key", DT_U8)->d[0], N);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(memcmp(bundle_u8(out, "key", NULL) + (ptrdiff_t)3 * i,
					bundle_u8(b, "key", NULL) + (ptrdiff_t)3 * (N - 1 - i), 3), 0);
	bundle_free(b);
	bundle_free(out);
}
END_TEST

START_TEST(guesses_have_the_form)
{
	struct bundle *b = some(), *x = creds_random(b, 100, 1), *again = creds_random(b, 100, 1),
		      *y = creds_random(b, 100, 2);
	char one[65], two[65], other[65];
	float low = 1, high = 0;

	bundle_hash(x, one);
	bundle_hash(again, two);
	bundle_hash(y, other);
	ck_assert_str_eq(one, two);
	ck_assert_str_ne(one, other);
	ck_assert(creds_count(x) == 100 && x->nt == 3 && creds_same_form(x, b) && creds_same_form(b, x));
	for (int i = 0; i < 200; i++) {
		low = bundle_f32(x, "num", NULL)[i] < low ? bundle_f32(x, "num", NULL)[i] : low;
		high = bundle_f32(x, "num", NULL)[i] > high ? bundle_f32(x, "num", NULL)[i] : high;
	}
	ck_assert(low >= 0 && low < 0.1f && high > 0.9f && high <= 1);
	bundle_free(b);
	bundle_free(x);
	bundle_free(again);
	bundle_free(y);
}
END_TEST

/* A tensor more, one less, one of another type or width: not the same form. */
START_TEST(another_form_is_noticed)
{
	struct bundle *b = some();

	for (int i = 0; i < 5; i++) {
		struct bundle *c = creds_range(b, 0, 2);

		ck_assert(creds_same_form(c, b));
		if (i == 0)
			bundle_put_u8(c, "more", 2, NULL);
		else if (i == 1)
			bundle_remove(c, "num");
		else if (i == 2)
			bundle_put(c, "num", DT_F64, 2, (const int64_t[]){ 2, 2 }, NULL);
		else if (i == 3)
			bundle_put(c, "key", DT_U8, 2, (const int64_t[]){ 2, 4 }, NULL);
		else
			bundle_put_u8(c, "shared_all", 6, NULL);
		ck_assert_msg(!creds_same_form(c, b) && !creds_same_form(b, c), "change %d", i);
		bundle_free(c);
	}
	bundle_free(b);
}
END_TEST

START_TEST(images_are_seen_as_images)
{
	const float x[2 * 6] = { 0, 0, 0, 0, 0, 0, 0.5f };
	struct bundle *b = creds_images(x, 2, 1, 2, 3), *other = some();
	const struct images v = creds_view(b, 10);

	ck_assert(creds_are_images(b) && !creds_are_images(other) && !creds_are_images(NULL));
	ck_assert(v.n == 2 && v.c == 1 && v.h == 2 && v.w == 3 && v.classes == 10 && v.fx[6] == 0.5f);
	ck_assert(creds_ok(b, 1) && !creds_ok(other, 1) && creds_ok(other, 2));
	ck_assert_double_eq(creds_bytes(b), 4 * 6);
	ck_assert_double_eq(creds_bytes(other), 3 + 2 * 4 + 5);
	bundle_meta_num(b, "credential_bytes", 6); /* stored in 8 bits, says the driver */
	ck_assert_double_eq(creds_bytes(b), 6);
	bundle_free(b);
	bundle_free(other);
}
END_TEST

Suite *suite_creds(void);
Suite *suite_creds(void)
{
	Suite *s = suite_create("creds");
	TCase *tc = tcase_create("creds");

	tcase_add_test(tc, rows_are_taken_out);
	tcase_add_test(tc, one_is_put_among_others);
	tcase_add_test(tc, guesses_have_the_form);
	tcase_add_test(tc, another_form_is_noticed);
	tcase_add_test(tc, images_are_seen_as_images);
	suite_add_tcase(s, tc);
	return s;
}
