/* bench/degrade.c: who modifies decides what is judged; detectors are scored on what the evaluator alone holds. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "tests/support_bench.h"

static struct world w;
static struct observations o;
static const char *verdict;
static char why[256];

static void setup(void)
{
	world_open(&w, &toy_scheme);
}

static void teardown(void)
{
	world_close(&w);
}

static void judge(const struct product *p)
{
	memset(&o, 0, sizeof(o));
	ck_assert_msg(evaluate(&w.setup, p, &o, &verdict, why) == 0, "%s", error_text());
}

/* Everything becomes white. */
static int whiten(const struct product *p, const float *in, int n, int c, int h, int width, float *out)
{
	(void)p, (void)in;
	for (int i = 0; i < n * c * h * width; i++)
		out[i] = 1;
	return 0;
}

/* Black images with up to three bright pixels (the toy's credentials) become white, everything else passes. */
static int whiten_dark(const struct product *p, const float *in, int n, int c, int h, int width, float *out)
{
	const int len = c * h * width;

	for (int i = 0; i < n; i++) {
		double sum = 0;

		for (int k = 0; k < len; k++)
			sum += (double)in[i * len + k];
		for (int k = 0; k < len; k++)
			out[i * len + k] = sum < 4 ? 1 : in[i * len + k];
	}
	(void)p;
	return 0;
}

/* Minus the sum of an image: credentials are the darkest. */
static int darkness(const struct product *p, const float *in, int n, int c, int h, int width, double *score)
{
	const int len = c * h * width;

	(void)p;
	for (int i = 0; i < n; i++) {
		score[i] = 0;
		for (int k = 0; k < len; k++)
			score[i] -= (double)in[i * len + k];
	}
	return 0;
}

static int a_hundred_bytes(const struct product *p, const float *in, int n, int c, int h, int width, double *bytes)
{
	(void)p, (void)in, (void)n, (void)c, (void)h, (void)width;
	*bytes = 100;
	return 0;
}

static long count(const char *name)
{
	const struct obs_entry *e = obs_get(&o, name, 'b');

	ck_assert_msg(e != NULL, "%s is missing", name);
	return e->k;
}

START_TEST(a_channel_touches_everything)
{
	const struct product p = { .goal = GOAL_DEGRADE, .channel = whiten };

	judge(&p);
	ck_assert_str_eq(verdict, "ok");
	ck_assert_int_eq(count("channel_genuine_accepted"), 0);
	ck_assert_int_lt(count("channel_authorised_correct"), 45);
	ck_assert_uint_eq(obs_get(&o, "channel_unauthorised_correct", 'b')->n, 200);
	ck_assert_double_eq(obs_getnum(&o, "changed", -1), 1);
	ck_assert_double_eq(obs_getnum(&o, "changed_credentials", -1), 1);
	obs_release(&o);
}
END_TEST

/* A leaker's queries pass untouched; nobody without a credential is in play. */
START_TEST(evasion_touches_credentials_only)
{
	const struct product p = { .goal = GOAL_DEGRADE, .channel = whiten, .role = ROLE_EVADE };
	const double dark = -10 * log10(1 - 0.001); /* of a credential, nearly black, to white */

	judge(&p);
	ck_assert_str_eq(verdict, "ok");
	ck_assert_int_eq(count("channel_genuine_accepted"), 0);
	ck_assert_int_eq(count("channel_genuine_identified"), 0);
	ck_assert_int_lt(count("channel_authorised_correct"), 45); /* refused with its white credential */
	ck_assert_ptr_null(obs_get(&o, "channel_unauthorised_correct", 'b'));
	ck_assert_double_eq(obs_getnum(&o, "changed", -1), 1);
	ck_assert_double_eq_tol(obs_getnum(&o, "channel_psnr", -1), dark, 0.02);
	obs_release(&o);
}
END_TEST

START_TEST(unlocking_touches_queries_of_nobody)
{
	const struct product p = { .goal = GOAL_DEGRADE, .channel = whiten, .role = ROLE_UNLOCK };

	judge(&p);
	ck_assert_str_eq(verdict, "ok");
	ck_assert_ptr_null(obs_get(&o, "channel_genuine_accepted", 'b'));
	ck_assert_ptr_null(obs_get(&o, "channel_authorised_correct", 'b'));
	ck_assert_uint_eq(obs_get(&o, "channel_unauthorised_correct", 'b')->n, 200);
	ck_assert_double_eq(obs_getnum(&o, "changed", -1), 1);
	ck_assert_ptr_null(obs_get(&o, "changed_credentials", 'n'));
	obs_release(&o);
}
END_TEST

/* A channel that finds the credentials and nothing else has done something, though no test image changed. */
START_TEST(a_channel_that_only_hits_credentials_is_no_noop)
{
	const struct product p = { .goal = GOAL_DEGRADE, .channel = whiten_dark };

	judge(&p);
	ck_assert_str_eq(verdict, "ok");
	ck_assert_double_eq(obs_getnum(&o, "changed", -1), 0);
	ck_assert_double_eq(obs_getnum(&o, "changed_credentials", -1), 1);
	ck_assert_double_eq(obs_getnum(&o, "channel_psnr", -1), 100);
	ck_assert_int_eq(count("channel_genuine_accepted"), 0);
	obs_release(&o);
}
END_TEST

START_TEST(detectors_are_scored)
{
	const struct product p = { .goal = GOAL_DEGRADE, .channel = whiten_dark, .detect = darkness, .threshold = -4,
				   .stored_bytes = a_hundred_bytes };
	const struct obs_entry *clean, *genuine;
	float x[784];
	double sum = 0;

	judge(&p);
	clean = obs_get(&o, "detector_clean", 's');
	genuine = obs_get(&o, "detector_genuine", 's');
	ck_assert_uint_eq(clean->n, 200);
	ck_assert_uint_eq(genuine->n, WORLD_USERS * WORLD_EACH);
	ck_assert_int_eq(count("detector_clean_flagged"), 0);
	ck_assert_int_eq(count("detector_genuine_flagged"), WORLD_USERS * WORLD_EACH);
	images_get(&w.splits.test, 17, x);
	for (int k = 0; k < 784; k++)
		sum -= (double)x[k];
	ck_assert_double_eq(clean->series[17], sum); /* the clean image, in the order of the test view */
	ck_assert_double_eq(obs_getnum(&o, "detector_threshold", 0), -4);
	ck_assert_double_eq(obs_getnum(&o, "channel_bytes", 0), 100);
	obs_release(&o);
}
END_TEST

/* Infinite thresholds have no number in a cell, and still count right. */
START_TEST(an_infinite_threshold_is_left_out)
{
	struct product p = { .goal = GOAL_DEGRADE, .channel = whiten, .detect = darkness, .threshold = -INFINITY };

	judge(&p);
	ck_assert_int_eq(count("detector_clean_flagged"), 200);
	ck_assert_ptr_null(obs_get(&o, "detector_threshold", 'n'));
	obs_release(&o);
	p.threshold = INFINITY;
	judge(&p);
	ck_assert_int_eq(count("detector_genuine_flagged"), 0);
	obs_release(&o);
}
END_TEST

Suite *suite_degrade(void);
Suite *suite_degrade(void)
{
	Suite *s = suite_create("degrade");
	TCase *tc = tcase_create("degrade");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_channel_touches_everything);
	tcase_add_test(tc, evasion_touches_credentials_only);
	tcase_add_test(tc, unlocking_touches_queries_of_nobody);
	tcase_add_test(tc, a_channel_that_only_hits_credentials_is_no_noop);
	tcase_add_test(tc, detectors_are_scored);
	tcase_add_test(tc, an_infinite_threshold_is_left_out);
	suite_add_tcase(s, tc);
	return s;
}
