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

/* ---- a scheme whose clients prepare queries: the first pixel says who asks, and everybody is served ---- */

static int marked_lock(const struct lock_env *e, const void *conf, struct locked *l)
{
	(void)conf;
	l->model = model_copy(e->base);
	return 0;
}

static int marked_enrol(const struct lock_env *e, const void *conf, struct locked *l, const int *user, const int *trial, int n,
			struct bundle *out)
{
	uint8_t *id = bundle_put(out, "id", DT_U8, 2, (int64_t[]){ n, 1 }, NULL);

	(void)e, (void)conf, (void)l, (void)trial;
	for (int i = 0; i < n; i++)
		id[i] = (uint8_t)(user[i] + 1);
	return 0;
}

static int marked_prepare(const struct service *s, const struct bundle *creds, int at, const struct images *v, float *out)
{
	(void)s;
	for (int i = 0; i < v->n; i++, out += images_size(v)) {
		images_get(v, i, out);
		out[0] = (float)bundle_u8(creds, "id", NULL)[at] / 5.0f;
	}
	return 0;
}

static int marked_trace(const void *conf, const struct locked *owner, const float *x, int n, struct traced *out)
{
	(void)conf, (void)owner;
	for (int i = 0; i < n; i++)
		out[i].user = (int)lrintf(x[(size_t)i * 784] * 5) - 1;
	return 0;
}

static int marked_users(const void *conf, int classes)
{
	(void)conf, (void)classes;
	return 3;
}

static const struct scheme marked_scheme = {
	.drv = { .name = "marked", .summary = "a scheme for tests", .source = "none. Differs: nothing", .version = 1 },
	.decl = { .has_users = 1, .has_identities = 1 },
	.lock = marked_lock, .enrol = marked_enrol, .users = marked_users, .prepare = marked_prepare, .trace = marked_trace,
};

static void judge_marked(const struct product *p)
{
	const int user[] = { 0, 1, 2 }, trial[] = { 0, 0, 0 };
	struct bundle *creds = bundle_new();
	struct world m;

	world_open(&m, &marked_scheme);
	marked_enrol(NULL, NULL, NULL, user, trial, 3, creds);
	m.setup.creds = creds;
	m.setup.users = 3;
	m.setup.per_user = 1;
	memset(&o, 0, sizeof(o));
	ck_assert_msg(evaluate(&m.setup, p, &o, &verdict, why) == 0, "%s", error_text());
	bundle_free(creds);
	world_close(&m);
}

/* The first pixel becomes black: whoever sent it cannot be told. */
static int wipe_first(const struct product *p, const float *in, int n, int c, int h, int width, float *out)
{
	const size_t len = (size_t)c * h * width;

	(void)p;
	memcpy(out, in, len * n * sizeof(*out));
	for (int i = 0; i < n; i++)
		out[len * i] = 0;
	return 0;
}

static int first_pixel(const struct product *p, const float *in, int n, int c, int h, int width, double *score)
{
	(void)p;
	for (int i = 0; i < n; i++)
		score[i] = (double)in[(size_t)i * c * h * width];
	return 0;
}

/* A leaker's queries are what names it: they are changed behind its client, and only they. */
START_TEST(evasion_touches_prepared_queries)
{
	const struct product p = { .goal = GOAL_DEGRADE, .channel = wipe_first, .role = ROLE_EVADE };

	judge_marked(&p);
	ck_assert_uint_eq(obs_get(&o, "channel_traced", 'b')->n, 60);
	ck_assert_int_eq(count("channel_traced"), 0);
	ck_assert_int_eq(count("channel_named"), 0);
	ck_assert_int_gt(count("channel_authorised_correct"), count("authorised_correct") - 10); /* one pixel */
	ck_assert_ptr_null(obs_get(&o, "channel_unauthorised_correct", 'b'));
	obs_release(&o);
}
END_TEST

START_TEST(a_channel_lies_behind_the_client)
{
	const struct product p = { .goal = GOAL_DEGRADE, .channel = wipe_first };

	judge_marked(&p);
	ck_assert_int_eq(count("channel_traced"), 0);
	ck_assert_uint_eq(obs_get(&o, "channel_unauthorised_correct", 'b')->n, 200);
	obs_release(&o);
}
END_TEST

/* Nobody's client prepares what somebody without a credential sends. */
START_TEST(unlocking_prepares_nothing)
{
	const struct product p = { .goal = GOAL_DEGRADE, .channel = whiten, .role = ROLE_UNLOCK };

	judge_marked(&p);
	ck_assert_ptr_null(obs_get(&o, "channel_traced", 'b'));
	ck_assert_ptr_null(obs_get(&o, "channel_authorised_correct", 'b'));
	ck_assert_int_lt(count("channel_unauthorised_correct"), 45); /* it is white: the change did arrive */
	obs_release(&o);
}
END_TEST

START_TEST(prepared_queries_are_scored)
{
	const struct product p = { .goal = GOAL_DEGRADE, .channel = wipe_first, .detect = first_pixel, .threshold = 0.3 };
	const struct obs_entry *sent;

	judge_marked(&p);
	sent = obs_get(&o, "detector_genuine", 's');
	ck_assert_uint_eq(sent->n, 60);
	for (int i = 0; i < 60; i++) /* users in turn, before the channel */
		ck_assert_double_eq_tol(sent->series[i], (i / 20 + 1) / 5.0, 1e-6);
	ck_assert_int_eq(count("detector_genuine_flagged"), 40);
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
	tcase_add_test(tc, evasion_touches_prepared_queries);
	tcase_add_test(tc, a_channel_lies_behind_the_client);
	tcase_add_test(tc, unlocking_prepares_nothing);
	tcase_add_test(tc, prepared_queries_are_scored);
	suite_add_tcase(s, tc);
	return s;
}
