/* metrics/stat/breaking.c: what a lock costs to break, by hand. */
#include <check.h>
#include <math.h>

#include "base/error.h"
#include "metrics/stat/breaking.h"

/* A lock with 90 % for users and 10 % for others: R = (A - 10) / 80. */
static struct attempt tried(long long seed, double labels, double accuracy, int level)
{
	return (struct attempt){ .seed = seed, .spent = { 0, labels, 1000 * labels }, .accuracy = accuracy, .base = 10, .authorised = 90,
				 .level = level };
}

static struct attempt control(long long seed, double labels, double accuracy)
{
	struct attempt a = tried(seed, labels, accuracy, 0);

	a.scratch = true;
	return a;
}

START_TEST(budgets_by_hand)
{
	const struct attempt a[] = { tried(1, 10, 30, 2), tried(1, 100, 60, 2), tried(1, 1000, 86, 2), tried(1, 10000, 89, 2) };
	struct breaking b;

	ck_assert(breaking_of(a, 4, AXIS_LABELS, 2, &b));
	ck_assert_int_eq(b.points, 4);
	ck_assert_double_eq(b.half.median, 100);        /* R = 0.625 */
	ck_assert_double_eq(b.practical.median, 1000);  /* 86 >= 85 */
	ck_assert_double_eq(b.full.median, 10000);      /* 89 >= 88 */
	ck_assert(!b.has_net && !b.has_margin);         /* nothing was trained from scratch */
	ck_assert_double_eq_tol(b.area, ((0.25 + 0.625) / 2 + (0.625 + 0.95) / 2 + (0.95 + 0.9875) / 2) / 3, 1e-12);
	ck_assert(breaking_of(a, 4, AXIS_QUERIES, 2, &b)); /* which none of them asked */
	ck_assert_double_eq(b.low, 1);
	ck_assert_double_eq(b.high, 1);
	ck_assert_double_eq_tol(b.area, 0.9875, 1e-12);
	ck_assert_double_eq(b.full.median, 1);
}
END_TEST

/* What a fresh network gets on as many labels was not stolen. */
START_TEST(scratch_is_taken_off)
{
	const struct attempt a[] = { tried(1, 100, 60, 2), tried(1, 1000, 86, 2), control(1, 100, 62), control(1, 1000, 80),
				     control(1, 8000, 86) };
	struct breaking b;

	ck_assert(breaking_of(a, 5, AXIS_LABELS, 2, &b));
	ck_assert_double_eq(b.half.median, 1000);  /* 60 % is less than the 62 % of scratch */
	ck_assert(b.has_net && b.has_margin);
	ck_assert_double_eq_tol(b.margin, -3, 1e-12); /* 1000 labels against 8000 */
	ck_assert_double_gt(b.area_net, 0);
	ck_assert_double_lt(b.area_net, b.area);
	ck_assert_double_le(b.area_net, (86 - 62) / 80.0);
}
END_TEST

/* An attack that is nothing but training from scratch nets nothing and breaks nothing. */
START_TEST(a_copy_of_scratch_is_worth_nothing)
{
	const struct attempt a[] = { tried(1, 100, 62, 0), tried(1, 1000, 88, 0), control(1, 100, 62), control(1, 1000, 88) };
	struct breaking b;

	ck_assert(breaking_of(a, 4, AXIS_LABELS, 0, &b));
	ck_assert_double_eq(b.area_net, 0);
	ck_assert(!b.half.known && !b.full.known);
	ck_assert_int_eq(b.half.reached, 0);
	ck_assert_double_gt(b.area, 0.5);
}
END_TEST

START_TEST(levels_see_what_they_are_granted)
{
	const struct attempt a[] = { tried(1, 100, 30, 0), tried(1, 0, 90, 2), control(1, 100, 20) };
	struct breaking b;

	ck_assert(breaking_of(a, 3, AXIS_LABELS, 0, &b));
	ck_assert_int_eq(b.points, 1);
	ck_assert(!b.full.known);
	ck_assert(breaking_of(a, 3, AXIS_LABELS, 2, &b));
	ck_assert_int_eq(b.points, 2);
	ck_assert_double_eq(b.full.median, 1); /* no label at all */
	ck_assert(!breaking_of(&a[1], 1, AXIS_LABELS, 1, &b));
}
END_TEST

/* Three seeds of five reach it: the median is the third smallest; two of five: it is not known. */
START_TEST(seeds_that_never_succeed_are_censored)
{
	struct attempt a[10];
	struct breaking b;

	for (int s = 0; s < 5; s++) {
		a[2 * s] = tried(s, 100 * (s + 1), s < 3 ? 89 : 20, 1);
		a[2 * s + 1] = tried(s, 1000, s < 3 ? 89 : 20, 1);
	}
	ck_assert(breaking_of(a, 10, AXIS_LABELS, 1, &b));
	ck_assert_int_eq(b.full.seeds, 5);
	ck_assert_int_eq(b.full.reached, 3);
	ck_assert(b.full.known);
	ck_assert_double_eq(b.full.median, 300);
	for (int i = 4; i < 6; i++)
		a[i].accuracy = 20;
	ck_assert(breaking_of(a, 10, AXIS_LABELS, 1, &b));
	ck_assert(!b.full.known);
	ck_assert_double_eq(b.full.tried, 1000);
}
END_TEST

Suite *suite_breaking(void);
Suite *suite_breaking(void)
{
	Suite *s = suite_create("breaking");
	TCase *tc = tcase_create("breaking");

	tcase_add_test(tc, budgets_by_hand);
	tcase_add_test(tc, scratch_is_taken_off);
	tcase_add_test(tc, a_copy_of_scratch_is_worth_nothing);
	tcase_add_test(tc, levels_see_what_they_are_granted);
	tcase_add_test(tc, seeds_that_never_succeed_are_censored);
	suite_add_tcase(s, tc);
	return s;
}
