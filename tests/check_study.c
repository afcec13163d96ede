/* metrics/study.c: what all attacks together say, on findings that are worked out by hand. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "metrics/metric.h"
#include "metrics/study.h"

static struct value v;

static int of(const char *name, const struct study *s)
{
	for (int i = 0; metrics[i]; i++)
		if (!strcmp(metrics[i]->name, name)) {
			v = (struct value){ 0 };
			return ((const struct metric *)metrics[i])->over(s, &v);
		}
	ck_abort_msg("no metric %s", name);
	return 0;
}

static void says(const char *name, const struct study *s, double value, long seen)
{
	ck_assert_msg(of(name, s) == 1, "%s says nothing", name);
	ck_assert_msg(v.value > value - 1e-9 && v.value < value + 1e-9, "%s is %g, not %g", name, v.value, value);
	ck_assert_msg(v.seen == seen, "%s is of %ld, not %ld", name, v.seen, seen);
}

/* Nothing was attacked, nothing is said: a lock that nobody tried is not a good lock. */
START_TEST(nothing)
{
	const struct study s = { 0 };

	for (int i = 0; metrics[i]; i++)
		if (((const struct metric *)metrics[i])->from == FROM_STUDY)
			ck_assert_int_eq(of(metrics[i]->name, &s), 0);
}
END_TEST

START_TEST(forgers)
{
	const struct finding f[] = {
		{ .attack = "clean", .aspect = STUDY_ADMIT, .value = 0.5, .harm = 0.005 },
		{ .attack = "white", .aspect = STUDY_ADMIT, .value = 96, .harm = 0.96, .adaptive = true },
		{ .attack = "strip", .aspect = STUDY_USE, .harm = 0.3, .forwards = 1000, .broken = true, .adaptive = true },
		{ .attack = "learn", .aspect = STUDY_USE, .harm = 0.1, .forwards = 1e6 },
	};
	struct study s = { .f = f, .n = 4 };

	says("unforgeability", &s, 4, 2);
	says("unforgeability_adaptive", &s, 4, 1);
	says("adaptive_resistance", &s, 4, 2);
	says("reverse_resistance", &s, 3, 2);
	ck_assert(v.high == v.value);
	s.n = 1;
	says("unforgeability", &s, 99.5, 1);
	ck_assert_int_eq(of("unforgeability_adaptive", &s), 0);
}
END_TEST

/* Nobody broke it: what was tried is a lower end. */
START_TEST(not_reversed)
{
	const struct finding f[] = { { .attack = "learn", .aspect = STUDY_USE, .forwards = 1e6 } };
	const struct study s = { .f = f, .n = 1 };

	says("reverse_resistance", &s, 6, 1);
	ck_assert_double_gt(v.high, v.value);
}
END_TEST

START_TEST(marks)
{
	const struct finding f[] = {
		{ .attack = "prune", .aspect = STUDY_MARK, .value = 100, .loss = 1 },
		{ .attack = "prune", .aspect = STUDY_MARK, .value = 0, .loss = 3 },
		{ .attack = "tune", .aspect = STUDY_MARK, .value = 0, .loss = 9 }, /* costs too much to count */
		{ .attack = "tune", .aspect = STUDY_MARK, .value = 100, .loss = 4 },
	};
	struct study s = { .f = f, .n = 4, .has_concealment = true, .concealment = 0.8 };

	says("robustness", &s, 200.0 / 3, 3);
	says("unremovability", &s, 0.6, 3);
	says("security", &s, 0.6, 2);
	s.concealment = 0.1;
	says("security", &s, 0.1, 2);
	s.n = 1;
	says("unremovability", &s, 1, 1);
}
END_TEST

/* Mean height from 50 to 25 dB: a half at 30 dB and beyond is a line down to it and level after: (20 * 0.75 + 5 * 0.5) / 25. */
START_TEST(channels)
{
	static const char jpeg[] = "jpeg", blur[] = "blur";
	const struct finding f[] = {
		{ .attack = jpeg, .aspect = STUDY_SERVICE, .value = 0.5, .psnr = 30 },
		{ .attack = blur, .aspect = STUDY_SERVICE, .value = 1, .psnr = 28 },
		{ .attack = jpeg, .aspect = STUDY_SERVICE, .value = 1, .psnr = 60 }, /* hardly a change */
	};
	const struct study s = { .f = f, .n = 3 };

	says("modification_resistance_min", &s, 70, 2);
	says("modification_resistance", &s, 85, 2);
}
END_TEST

START_TEST(coalitions)
{
	struct finding f[] = {
		{ .attack = "a", .aspect = STUDY_COLLUDE, .value = 100, .before = 0, .colluders = 2 },
		{ .attack = "a", .aspect = STUDY_COLLUDE, .value = 95, .before = 1, .colluders = 3 },
		{ .attack = "a", .aspect = STUDY_COLLUDE, .value = 80, .before = 0, .colluders = 5 },
	};
	const struct study s = { .f = f, .n = 3 };

	says("collusion_resistance", &s, 3, 3);
	f[0].before = 20; /* another strategy frames innocents with two already */
	says("collusion_resistance", &s, 1, 3);
}
END_TEST

START_TEST(settings)
{
	const struct setting at[] = { { 1e3, 1e9, true }, { 1e4, 1e10, true }, { 1e5, 1e11, false }, { 1e5, 0, true } };
	const struct study s = { .setting = at, .nsettings = 4 };
	const struct study one = { .setting = at, .nsettings = 1 };

	says("generality", &s, 75, 4);
	says("scalability", &s, 1, 3);
	ck_assert_int_eq(of("scalability", &one), 0); /* one size has no slope, and is said to be one */
	ck_assert_int_eq(v.seen, 1);
}
END_TEST

START_TEST(reads_weights)
{
	struct finding f[] = { { .attack = "permute", .aspect = STUDY_MARK, .value = 100, .same_answers = true, .shut_out = 0 } };
	const struct study s = { .f = f, .n = 1 };

	says("black_box_contradicted", &s, 0, 1);
	f[0].shut_out = 100;
	says("black_box_contradicted", &s, 1, 1);
}
END_TEST

/* The thief's mark is read after two overwritings of three; the fourth cost so much that nobody would claim what is left, and pruning wrote nothing. */
START_TEST(overwritten)
{
	const struct finding f[] = {
		{ .attack = "digits", .aspect = STUDY_MARK, .value = 100, .loss = 1, .overwrites = true, .own_read = 1 },
		{ .attack = "digits", .aspect = STUDY_MARK, .value = 40, .loss = 4, .overwrites = true, .own_read = 1 },   /* only the thief's */
		{ .attack = "triggers", .aspect = STUDY_MARK, .value = 100, .loss = 1, .overwrites = true, .own_read = 0.2 }, /* only the owner's */
		{ .attack = "triggers", .aspect = STUDY_MARK, .value = 0, .loss = 9, .overwrites = true, .own_read = 1 },
		{ .attack = "prune", .aspect = STUDY_MARK, .value = 0, .loss = 1, .own_read = 1 },
	};
	struct study s = { .f = f, .n = 5 };

	says("second_marks", &s, 200.0 / 3, 3);
	says("overwriting_survived", &s, 40, 3);
	s.f += 4;
	s.n = 1;
	ck_assert_int_eq(of("second_marks", &s), 0);
	ck_assert_int_eq(of("overwriting_survived", &s), 0);
}
END_TEST

/* A forged login is no claim on the network, and a key that was fitted counts once among those who know the mechanism. */
START_TEST(rivals)
{
	const struct finding f[] = {
		{ .attack = "white", .aspect = STUDY_ADMIT, .value = 96, .harm = 0.2, .adaptive = true },
		{ .attack = "learn", .aspect = STUDY_CLAIM, .value = 50, .harm = 0.5, .adaptive = true },
		{ .attack = "redraw", .aspect = STUDY_CLAIM, .value = 0, .adaptive = true },
	};
	const struct study s = { .f = f, .n = 3 }, none = { .f = f, .n = 1 };

	says("rival_keys", &s, 50, 2);
	says("adaptive_resistance", &s, 80, 1);
	says("unforgeability", &s, 4, 1);
	ck_assert_int_eq(of("rival_keys", &none), 0);
}
END_TEST

Suite *suite_study(void);
Suite *suite_study(void)
{
	Suite *s = suite_create("study");
	TCase *tc = tcase_create("study");

	tcase_add_test(tc, nothing);
	tcase_add_test(tc, forgers);
	tcase_add_test(tc, not_reversed);
	tcase_add_test(tc, marks);
	tcase_add_test(tc, channels);
	tcase_add_test(tc, coalitions);
	tcase_add_test(tc, settings);
	tcase_add_test(tc, reads_weights);
	tcase_add_test(tc, overwritten);
	tcase_add_test(tc, rivals);
	suite_add_tcase(s, tc);
	return s;
}
