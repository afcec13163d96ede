/* attacks/query/channel.c: thresholds that keep their false-alarm rate, streams that follow the image. */
#include <check.h>
#include <math.h>

#include "attacks/query/channel.h"

enum { N = 1000 };

static void scores(double *s)
{
	for (int i = 0; i < N; i++)
		s[i] = (double)((i * 379) % N); /* 0 .. 999 in some order */
}

/* Exactly floor(alpha n) of the clean scores lie above. */
START_TEST(threshold_keeps_its_rate)
{
	static const struct { double alpha; int over; } rates[] = {
		{ 0.0005, 0 }, { 0.001, 1 }, { 0.005, 5 }, { 0.01, 10 }, { 0.05, 50 }, { 0.999, 999 }
	};
	double s[N], t;
	int over = 0;

	scores(s);
	t = channel_threshold(s, N, rates[_i].alpha);
	for (int i = 0; i < N; i++)
		over += s[i] > t;
	ck_assert_int_eq(over, rates[_i].over);
}
END_TEST

/* MagNet's trap: a rate of 0 must not become the smallest score. */
START_TEST(the_ends)
{
	double s[N], equal[3] = { 2, 2, 2 };

	scores(s);
	ck_assert(isinf(channel_threshold(s, N, 0)) && channel_threshold(s, N, 0) > 0);
	ck_assert(isinf(channel_threshold(s, N, 1)) && channel_threshold(s, N, 1) < 0);
	ck_assert_double_eq(channel_threshold(s, 1, 0.5), s[0]);
	ck_assert_double_eq(channel_threshold(equal, 3, 0.5), 2); /* ties: none is above, the rate is an upper bound */
}
END_TEST

START_TEST(streams_follow_the_image)
{
	const float a[3] = { 0.1f, 0.2f, 0.3f }, same[3] = { 0.1f, 0.2f, 0.3f }, b[3] = { 0.1f, 0.2f, 0.30001f };
	struct rng r, q, o;

	channel_stream(&r, rng_key(1, "x"), a, 3);
	channel_stream(&q, rng_key(1, "x"), same, 3);
	channel_stream(&o, rng_key(1, "x"), b, 3);
	ck_assert_uint_eq(rng_u64(&r), rng_u64(&q));
	ck_assert_uint_ne(rng_u64(&q), rng_u64(&o));
}
END_TEST

Suite *suite_channel(void);
Suite *suite_channel(void)
{
	Suite *s = suite_create("channel");
	TCase *tc = tcase_create("channel");

	tcase_add_loop_test(tc, threshold_keeps_its_rate, 0, 6);
	tcase_add_test(tc, the_ends);
	tcase_add_test(tc, streams_follow_the_image);
	suite_add_tcase(s, tc);
	return s;
}
