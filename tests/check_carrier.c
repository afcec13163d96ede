/* schemes/kit/carrier.c: same size is a copy, flat stays flat, a ramp stays a ramp, grey and colour. */
#include "schemes/kit/carrier.h"
#include <check.h>
#include <stdlib.h>

START_TEST(the_same_size_is_a_copy)
{
	uint8_t px[2 * 3 * 20], out[60];
	struct images v = { .n = 2, .c = 3, .h = 4, .w = 5, .px = px };

	for (int i = 0; i < 120; i++)
		px[i] = (uint8_t)(2 * i);
	carrier_image(&v, 1, 3, 4, 5, 0, out);
	for (int i = 0; i < 60; i++)
		ck_assert_int_eq(out[i], px[60 + i]);
	carrier_image(&v, 1, 3, 4, 5, 1, out);
	for (int i = 0; i < 60; i++)
		ck_assert_int_eq(out[i], 255 - px[60 + i]);
}
END_TEST

/* Twice the size: the borders repeat, the inside lies at quarters (the areas' centres). */
START_TEST(a_ramp_stays_a_ramp)
{
	const uint8_t px[] = { 0, 40, 80, 120 };
	const uint8_t want[] = { 0, 10, 30, 50, 70, 90, 110, 120 };
	struct images v = { .n = 1, .c = 1, .h = 1, .w = 4, .px = px };
	uint8_t out[16];

	carrier_image(&v, 0, 1, 2, 8, 0, out);
	for (int i = 0; i < 16; i++)
		ck_assert_int_eq(out[i], want[i % 8]);
	v.h = 4;
	v.w = 1;
	carrier_image(&v, 0, 1, 8, 2, 0, out);
	for (int i = 0; i < 16; i++)
		ck_assert_int_eq(out[i], want[i / 2]);
	carrier_image(&v, 0, 1, 2, 1, 0, out); /* half of it: means of two */
	ck_assert_int_eq(out[0], 20);
	ck_assert_int_eq(out[1], 100);
}
END_TEST

START_TEST(grey_and_colour)
{
	const uint8_t px[] = { 30, 60, 90 };
	struct images colour = { .n = 1, .c = 3, .h = 1, .w = 1, .px = px }, grey = { .n = 1, .c = 1, .h = 1, .w = 1, .px = px };
	uint8_t out[12];

	carrier_image(&colour, 0, 1, 2, 2, 0, out);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(out[i], 60);
	carrier_image(&grey, 0, 3, 2, 2, 0, out);
	for (int i = 0; i < 12; i++)
		ck_assert_int_eq(out[i], 30);
}
END_TEST

Suite *suite_carrier(void);
Suite *suite_carrier(void)
{
	Suite *s = suite_create("carrier");
	TCase *tc = tcase_create("carrier");

	tcase_add_test(tc, the_same_size_is_a_copy);
	tcase_add_test(tc, a_ramp_stays_a_ramp);
	tcase_add_test(tc, grey_and_colour);
	suite_add_tcase(s, tc);
	return s;
}
