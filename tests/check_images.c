/* nn/images.c: images as bytes and numbers, and views with arrays of their own. */
#include "nn/images.h"
#include <check.h>
#include <math.h>

START_TEST(bytes_are_the_nearest_of_256)
{
	const float x[] = { -1, 0, 0.0019f, 0.002f, 0.999f, 1, 2, NAN, -INFINITY, INFINITY };
	const uint8_t want[] = { 0, 0, 0, 1, 255, 255, 255, 0, 0, 255 };
	uint8_t even[10], up[10];

	image_bytes(x, 10, even);
	image_bytes_up(x, 10, up);
	for (int i = 0; i < 10; i++) {
		ck_assert_uint_eq(even[i], want[i]);
		ck_assert_uint_eq(up[i], want[i]);
	}
}
END_TEST

/* Halfway between two bytes, where a float can be: the even one, or the higher one. */
START_TEST(halves_go_to_the_even_byte_or_up)
{
	int halves = 0;

	for (int k = 0; k < 255; k++) {
		const float x = ((float)k + 0.5f) / 255;
		uint8_t even, up;

		if (255 * x != (float)k + 0.5f)
			continue;
		image_bytes(&x, 1, &even);
		image_bytes_up(&x, 1, &up);
		ck_assert_uint_eq(even, k + k % 2);
		ck_assert_uint_eq(up, k + 1);
		halves++;
	}
	ck_assert_int_gt(halves, 100);
}
END_TEST

START_TEST(bytes_come_back)
{
	uint8_t px[256], even[256], up[256];
	const struct images v = { .n = 1, .c = 1, .h = 16, .w = 16, .px = px };
	float x[256], seen[256];

	for (int k = 0; k < 256; k++)
		px[k] = (uint8_t)k;
	image_floats(px, 256, x);
	images_get(&v, 0, seen);
	image_bytes(x, 256, even);
	image_bytes_up(x, 256, up);
	for (int k = 0; k < 256; k++) {
		ck_assert_float_eq(x[k], seen[k]); /* what the engine sees of these bytes */
		ck_assert_uint_eq(even[k], k);
		ck_assert_uint_eq(up[k], k);
	}
}
END_TEST

START_TEST(copies_have_room_behind)
{
	const uint8_t px[] = { 10, 20, 30, 40 }, labels[] = { 3, 7 };
	const int index[] = { 1, 0 };
	const struct images v = {
		.n = 2, .c = 1, .h = 1, .w = 2, .classes = 8, .px = px, .labels = labels, .index = index
	};
	uint8_t *label;
	float *x;
	struct images w = images_copied(&v, 1, &x, &label);

	ck_assert(w.n == 3 && w.w == 2 && w.classes == 8 && !w.index && w.fx == x && w.labels == label);
	ck_assert(x[0] == 30 / 255.0f && x[3] == 20 / 255.0f && x[4] == 0 && x[5] == 0);
	ck_assert(label[0] == 7 && label[1] == 3 && label[2] == 0);
	images_free(&w);
	ck_assert(!w.fx && !w.labels && !w.n);
}
END_TEST

Suite *suite_images(void);
Suite *suite_images(void)
{
	Suite *s = suite_create("images");
	TCase *tc = tcase_create("images");

	tcase_add_test(tc, bytes_are_the_nearest_of_256);
	tcase_add_test(tc, halves_go_to_the_even_byte_or_up);
	tcase_add_test(tc, bytes_come_back);
	tcase_add_test(tc, copies_have_room_behind);
	suite_add_tcase(s, tc);
	return s;
}
