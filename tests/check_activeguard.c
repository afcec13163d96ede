/* schemes/activeguard.c on a small LeNet-5: fingerprints, identities, sessions, revocation, watermark. */
#include "tests/support_scheme.h"
#include "base/error.h"
#include "tests/support_bench.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

extern const struct scheme scheme_activeguard;

enum { LEN = 784 };

static struct desk desk;

static void setup(void)
{
	desk_open(&desk);
}

static void teardown(void)
{
	desk_close(&desk);
}

static struct lock open_lock(const char *options)
{
	struct lock l;

	ck_assert_msg(lock_open(&l, &desk, &scheme_activeguard, options) == 0, "%s", error_text());
	return l;
}

static void expect_refusal(const char *options, const char *word)
{
	struct lock l;

	ck_assert_int_eq(lock_open(&l, &desk, &scheme_activeguard, options), -1);
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	ck_assert_msg(strstr(error_text(), word) != NULL, "'%s' lacks '%s'", error_text(), word);
	error_clear();
}

/* Credentials the driver says it made; the others are not judged. */
static int count_ok(const struct bundle *creds)
{
	size_t n;
	const uint8_t *ok = bundle_u8(creds, "ok", &n);
	int k = 0;

	for (size_t i = 0; i < n; i++)
		k += ok[i];
	return k;
}

/* ---- fingerprints ---- */

START_TEST(issued_fingerprints_pass_and_name_their_users)
{
	struct lock l = open_lock("steps=300 confidences=0.3,0.35,0.4");
	struct bundle *c = lock_enrol(&l, &desk, 0, 30, 1);
	struct auth a[30];
	const int32_t *tries;

	ck_assert_int_ge(count_ok(c), 27);
	lock_accepted(&l, c, 30, a);
	tries = bundle_i32(c, "tries", NULL);
	for (int i = 0; i < 30; i++) {
		ck_assert_int_eq(a[i].accepted, bundle_u8(c, "ok", NULL)[i]);
		ck_assert_int_eq(a[i].user, a[i].accepted ? i : -1);
		ck_assert(!a[i].accepted || a[i].score > -0.005001);
		ck_assert(tries[i] >= 1 && tries[i] <= 40);
	}
	bundle_free(c);
	lock_close(&l);
}
END_TEST

/* The same images, judged by a control layer with other confidences. */
START_TEST(a_wrong_confidence_fails)
{
	struct lock l = open_lock("steps=300 confidences=0.4,0.3"), other = open_lock("confidences=0.35,0.45");
	struct bundle *c = lock_enrol(&l, &desk, 0, 20, 1);

	ck_assert_int_ge(lock_accepted(&l, c, 20, NULL), 18);
	ck_assert_int_eq(lock_accepted(&other, c, 20, NULL), 0);
	bundle_free(c);
	lock_close(&l);
	lock_close(&other);
}
END_TEST

START_TEST(clean_images_noise_and_nonsense_are_refused)
{
	enum { N = 300 };
	struct lock l = open_lock("");
	float *x = malloc(N * LEN * sizeof(float));
	struct bundle *c;
	int passed;

	for (int i = 0; i < N; i++)
		images_get(&desk.splits.test, i, x + i * LEN);
	c = creds_of(&desk.base->spec, x, N);
	passed = lock_accepted(&l, c, N, NULL); /* this small net is not very sure of itself */
	ck_assert_int_lt(passed, N / 30);
	bundle_free(c);
	for (int j = 0; j < LEN; j++) {
		x[j] = NAN;
		x[LEN + j] = 2;
	}
	c = creds_of(&desk.base->spec, x, 2);
	ck_assert_int_eq(lock_accepted(&l, c, 2, NULL), 0);
	bundle_free(c);
	free(x);
	lock_close(&l);
}
END_TEST

/* A credential depends on (seed, user, trial) and on nothing else that is asked for. */
START_TEST(enrolment_does_not_depend_on_company)
{
	struct lock l = open_lock("steps=60 tries=2 confidences=0.3,0.4");
	struct bundle *all = lock_enrol(&l, &desk, 4, 6, 2), *one;
	const float *image = bundle_f32(all, "image", NULL);

	for (int user = 5; user < 8; user += 2) {
		one = lock_enrol(&l, &desk, user, 1, 2);
		ck_assert_int_eq(memcmp(bundle_f32(one, "image", NULL), image + (user - 4) * 2 * LEN, 2 * LEN * sizeof(float)), 0);
		ck_assert_int_eq(memcmp(bundle_u8(one, "ok", NULL), bundle_u8(all, "ok", NULL) + (user - 4) * 2, 2), 0);
		ck_assert_int_eq(memcmp(bundle_i32(one, "tries", NULL), bundle_i32(all, "tries", NULL) + (user - 4) * 2, 8), 0);
		bundle_free(one);
	}
	ck_assert_int_ne(memcmp(image, image + LEN, LEN * sizeof(float)), 0); /* trials differ */
	bundle_free(all);
	lock_close(&l);
}
END_TEST

START_TEST(fingerprints_of_8_bits_survive_rounding)
{
	struct lock l = open_lock("steps=300 store=uint8 confidences=0.3,0.4");
	struct bundle *c = lock_enrol(&l, &desk, 0, 20, 1);
	const float *x = bundle_f32(c, "image", NULL);

	for (int j = 0; j < 20 * LEN; j++)
		ck_assert(x[j] == (float)lrintf(x[j] * 255) / 255.0f);
	ck_assert_int_ge(count_ok(c), 16);
	ck_assert_int_eq(lock_accepted(&l, c, 20, NULL), count_ok(c));
	bundle_free(c);
	lock_close(&l);
}
END_TEST

/* Eq. 3 as printed: the generator meets its own aim, the control layer does not know the users. */
START_TEST(literal_reading_makes_no_valid_keys)
{
	struct lock l = open_lock("steps=300 tries=3 confidence=logit");
	struct bundle *c = lock_enrol(&l, &desk, 0, 30, 2);
	struct auth a[60];
	int right = 0;

	lock_accepted(&l, c, 60, a);
	for (int i = 0; i < 60; i++)
		right += a[i].user == i / 2;
	ck_assert_int_le(right, 9);
	bundle_free(c);
	lock_close(&l);
}
END_TEST

START_TEST(kl_objective_and_other_classes_work_too)
{
	struct lock l = open_lock("steps=300 objective=kl alpha=500 alpha-max=1000 confidences=0.3,0.45 classes=7,2 closest=0");
	struct bundle *c = lock_enrol(&l, &desk, 0, 4, 3);
	struct auth a[12];

	ck_assert_int_eq(scheme_activeguard.users(l.conf, 10), 4);
	lock_accepted(&l, c, 12, a);
	ck_assert_int_ge(count_ok(c), 10);
	for (int i = 0; i < 12; i++)
		ck_assert(!a[i].accepted || a[i].user == i / 3);
	bundle_free(c);
	lock_close(&l);
}
END_TEST

/* ---- users ---- */

START_TEST(the_number_of_users_is_eq_5)
{
	void *conf = conf_of(&scheme_activeguard.drv, "");

	ck_assert_double_eq_tol(scheme_activeguard.users_analytic(conf, 10), 200, 1e-9);
	ck_assert_int_eq(scheme_activeguard.users(conf, 10), 30);
	free(conf);
	conf = conf_of(&scheme_activeguard.drv, "tolerance=0.005 classes=1,2,3 confidences=0.2,0.3");
	ck_assert_double_eq_tol(scheme_activeguard.users_analytic(conf, 10), 120, 1e-9);
	ck_assert_int_eq(scheme_activeguard.users(conf, 10), 6);
	free(conf);
}
END_TEST

START_TEST(further_users_need_further_confidences)
{
	struct lock l = open_lock("steps=10 tries=1");

	ck_assert_ptr_null(lock_enrol(&l, &desk, 30, 1, 1));
	ck_assert_msg(strstr(error_text(), "'confidences'") && strstr(error_text(), "200"), "%s", error_text());
	error_clear();
	lock_close(&l);
	l = open_lock("steps=10 tries=1 confidences=0.2,0.3,0.4,0.45");
	bundle_free(lock_enrol(&l, &desk, 39, 1, 1));
	ck_assert_str_eq(error_text(), "");
	lock_close(&l);
}
END_TEST

START_TEST(options_that_cannot_be_are_refused)
{
	expect_refusal("confidences=0.2,0.215", "closer than two tolerances");
	expect_refusal("confidences=0.1", "above 0.1");
	expect_refusal("confidences=", "empty");
	expect_refusal("classes=3,10", "10 is no class");
	expect_refusal("classes=3,3", "twice");
	expect_refusal("watermark=finetune digits=12x", "not made of digits");
	expect_refusal("watermark=finetune length=151", "150 positions");
	expect_refusal("watermark=finetune layer=fc1.weight", "no convolution");
	expect_refusal("watermark=finetune range=0.4,0.1", "smaller first");
}
END_TEST

/* ---- the service ---- */

START_TEST(the_control_layer_leaves_chance)
{
	struct lock l = open_lock("steps=300 confidences=0.3,0.4");
	struct bundle *c = lock_enrol(&l, &desk, 1, 1, 1);
	const int n = desk.splits.test.n;
	unsigned char correct[500];
	const int right = model_correct(desk.base, &desk.splits.test, correct);

	ck_assert_int_eq(n, 500);
	ck_assert(bundle_u8(c, "ok", NULL)[0]);
	ck_assert_int_eq(lock_correct(&l, &desk, c, 0, n, 1), right);
	for (int nonce = 1; nonce < 4; nonce++)
		ck_assert(fabs(lock_correct(&l, &desk, NULL, 0, n, (uint64_t)nonce) - n / 10.0) < 4 * sqrt(n * 0.09));
	bundle_free(c);
	lock_close(&l);
}
END_TEST

START_TEST(a_short_session_is_renewed)
{
	struct lock l = open_lock("steps=300 confidences=0.3,0.4"), s = open_lock("session=7 confidences=0.3,0.4");
	struct bundle *c = lock_enrol(&l, &desk, 1, 1, 1);
	const struct images v = images_first(desk.splits.test, 40);
	float a[400], b[400];

	ck_assert_int_eq(scheme_activeguard.session(l.conf), 0);
	ck_assert_int_eq(scheme_activeguard.session(s.conf), 7);
	ck_assert_int_eq(service_query(&l.service, c, 0, &v, 1, a), 0);
	ck_assert_int_eq(service_query(&s.service, c, 0, &v, 1, b), 0);
	ck_assert_int_eq(memcmp(a, b, sizeof(a)), 0);
	bundle_free(c);
	lock_close(&l);
	lock_close(&s);
}
END_TEST

START_TEST(the_revoked_are_refused)
{
	struct lock l = open_lock("steps=300 confidences=0.3,0.4");
	struct bundle *c = lock_enrol(&l, &desk, 0, 4, 1);
	struct auth a[4];
	const int before = lock_accepted(&l, c, 4, a);
	const int two = a[2].accepted;

	ck_assert_int_ge(before, 3);
	ck_assert(two);
	ck_assert_int_eq(scheme_activeguard.revoke(l.conf, &l.locked, 2), 0);
	ck_assert_int_eq(lock_accepted(&l, c, 4, a), before - 1);
	ck_assert(!a[2].accepted && a[2].user == -1);
	ck_assert_int_lt(lock_correct(&l, &desk, c, 2, 200, 3), 50);
	bundle_free(c);
	lock_close(&l);
}
END_TEST

START_TEST(without_a_watermark_the_weights_are_the_base_models)
{
	struct lock l = open_lock("");
	struct ownership o;
	char a[65], b[65];

	model_hash(desk.base, a);
	model_hash(l.locked.model, b);
	ck_assert_str_eq(a, b);
	ck_assert_int_eq(scheme_activeguard.verify(l.conf, &l.locked, l.locked.model, &o), 0);
	ck_assert_int_eq(o.applies, 0);
	lock_close(&l);
}
END_TEST

/* ---- watermark ---- */

static struct ownership verify(const struct lock *l, const struct model *m)
{
	struct ownership o;

	ck_assert_int_eq(scheme_activeguard.verify(l->conf, &l->locked, m, &o), 0);
	ck_assert_int_eq(o.applies, 1);
	return o;
}

static int accuracy(struct model *m)
{
	unsigned char correct[500];

	return model_correct(m, &desk.splits.test, correct);
}

static const struct { const char *options; int total; } marks[] = {
	{ "watermark=scratch", 13 },
	{ "watermark=finetune finetune-epochs=8 finetune-lr=0.002", 13 },
	{ "watermark=finetune finetune-epochs=12 finetune-lr=0.002 digits=random length=40", 40 },
	{ "watermark=finetune finetune-epochs=24 finetune-lr=0.002 digits=31415 length=25 layer=conv1.weight", 25 },
	{ "watermark=finetune finetune-epochs=8 finetune-lr=0.002 range=0.10,0.45 lambda=0.02", 13 },
};

START_TEST(marks_stand_in_the_locked_network_only)
{
	struct lock l = open_lock(marks[_i].options);
	const struct ownership o = verify(&l, l.locked.model), null = verify(&l, desk.base);

	ck_assert_int_eq(o.total, marks[_i].total);
	ck_assert_msg(o.verified && o.matched == o.total, "%d of %d", o.matched, o.total);
	for (int k = 0; k < o.total; k++)
		ck_assert(o.symbol[k]);
	ck_assert(!null.verified && null.matched < null.total);
	ck_assert_int_gt(accuracy(l.locked.model), accuracy(desk.base) - 25);
	lock_close(&l);
}
END_TEST

/* Zero a weight and digits near b, here 0 and 1, are gone; wm2 has none of them. */
START_TEST(pruning_takes_the_small_digits)
{
	struct lock one = open_lock("watermark=finetune finetune-epochs=8 finetune-lr=0.002");
	struct lock two = open_lock("watermark=finetune finetune-epochs=8 finetune-lr=0.002 digits=3876876994865");
	struct lock *const locks[] = { &one, &two };
	static const char wm1[] = "1234567890210";

	for (int i = 0; i < 2; i++) {
		struct model *m = model_copy(locks[i]->locked.model);
		struct param *p = model_find(m, "conv2.weight");
		const double a = bundle_meta_getnum(locks[i]->locked.secret, "mark.a", 0);
		const double b = bundle_meta_getnum(locks[i]->locked.secret, "mark.b", 0);
		struct ownership o;

		ck_assert(verify(locks[i], m).verified);
		for (size_t j = 0; j < p->len; j++) /* everything below digit 1.6 */
			if (fabs((double)p->x[j]) < (1.6 - b) / a)
				p->x[j] = 0;
		o = verify(locks[i], m);
		ck_assert_int_eq(o.verified, i);
		for (int k = 0; i == 0 && k < 13; k++)
			if (wm1[k] > '1')
				ck_assert(o.symbol[k]);
		model_free(m);
	}
	lock_close(&one);
	lock_close(&two);
}
END_TEST

/* Secrets keep the mark; nothing that ships tells it. */
START_TEST(the_mark_stays_with_the_owner)
{
	struct lock l = open_lock("watermark=finetune finetune-epochs=1");

	ck_assert_ptr_nonnull(bundle_i32(l.locked.secret, "mark.digits", NULL));
	for (int i = 0; i < l.locked.pub->nt; i++)
		ck_assert(strncmp(l.locked.pub->t[i].name, "mark", 4) != 0);
	ck_assert_ptr_null(bundle_meta_get(l.locked.pub, "mark.a"));
	lock_close(&l);
}
END_TEST

Suite *suite_activeguard(void);
Suite *suite_activeguard(void)
{
	Suite *s = suite_create("activeguard");
	TCase *tc = tcase_create("activeguard");

	tcase_set_timeout(tc, 240); /* under sanitizers */
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_test(tc, issued_fingerprints_pass_and_name_their_users);
	tcase_add_test(tc, a_wrong_confidence_fails);
	tcase_add_test(tc, clean_images_noise_and_nonsense_are_refused);
	tcase_add_test(tc, enrolment_does_not_depend_on_company);
	tcase_add_test(tc, fingerprints_of_8_bits_survive_rounding);
	tcase_add_test(tc, literal_reading_makes_no_valid_keys);
	tcase_add_test(tc, kl_objective_and_other_classes_work_too);
	tcase_add_test(tc, the_number_of_users_is_eq_5);
	tcase_add_test(tc, further_users_need_further_confidences);
	tcase_add_test(tc, options_that_cannot_be_are_refused);
	tcase_add_test(tc, the_control_layer_leaves_chance);
	tcase_add_test(tc, a_short_session_is_renewed);
	tcase_add_test(tc, the_revoked_are_refused);
	tcase_add_test(tc, without_a_watermark_the_weights_are_the_base_models);
	tcase_add_loop_test(tc, marks_stand_in_the_locked_network_only, 0, (int)(sizeof(marks) / sizeof(*marks)));
	tcase_add_test(tc, pruning_takes_the_small_digits);
	tcase_add_test(tc, the_mark_stays_with_the_owner);
	suite_add_tcase(s, tc);
	return s;
}
