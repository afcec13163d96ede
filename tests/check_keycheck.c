/* schemes/keycheck.c: a password check, and nothing more. */
#include "tests/support_scheme.h"
#include "base/error.h"
#include <check.h>
#include <math.h>
#include <string.h>

extern const struct scheme scheme_keycheck;

enum { LEN = 784 };

static struct desk desk;
static struct lock lock;

static void setup(void)
{
	desk_open(&desk);
	if (lock_open(&lock, &desk, &scheme_keycheck, ""))
		die(EXIT_FAILED_CELLS, NULL);
}

static void teardown(void)
{
	lock_close(&lock);
	desk_close(&desk);
}

START_TEST(issued_credentials_name_their_users)
{
	struct bundle *c = lock_enrol(&lock, &desk, 0, 5, 4);
	struct auth a[20];

	ck_assert_int_eq(lock_accepted(&lock, c, 20, a), 20);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(a[i].user, i / 4);
	bundle_free(c);
}
END_TEST

START_TEST(anything_else_is_refused)
{
	struct bundle *c = lock_enrol(&lock, &desk, 0, 1, 1), *f;
	float x[4 * LEN] = { 0 };
	struct auth a[4];

	memcpy(x, bundle_get(c, "image", DT_F32)->data, LEN * sizeof(*x)); /* one level off in one pixel */
	x[17] += x[17] < 0.5f ? 1 / 255.0f : -1 / 255.0f;
	images_get(&desk.splits.test, 0, x + LEN);
	for (int j = 0; j < 2 * LEN; j++)
		x[2 * LEN + j] = 0.5f;
	x[3 * LEN + 5] = NAN;
	f = creds_of(&desk.base->spec, x, 4);
	ck_assert_int_eq(lock_accepted(&lock, f, 4, a), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(a[i].user, -1);
	bundle_free(f);
	bundle_free(c);
}
END_TEST

/* 8-bit storage is the credential's own precision. */
START_TEST(rounding_to_8_bits_is_survived)
{
	struct bundle *c = lock_enrol(&lock, &desk, 3, 1, 2);
	const struct tensor *t = bundle_get(c, "image", DT_F32);
	float x[2 * LEN];

	for (int j = 0; j < 2 * LEN; j++)
		x[j] = fminf(fmaxf(((float *)t->data)[j] + (j % 2 ? 0.001f : -0.001f), 0), 1);
	bundle_free(c);
	c = creds_of(&desk.base->spec, x, 2);
	ck_assert_int_eq(lock_accepted(&lock, c, 2, NULL), 2);
	bundle_free(c);
}
END_TEST

START_TEST(the_revoked_are_refused_and_nobody_else)
{
	struct bundle *c = lock_enrol(&lock, &desk, 0, 4, 2), *again;
	struct auth a[8];

	ck_assert_int_eq(scheme_keycheck.revoke(lock.conf, &lock.locked, 2), 0);
	ck_assert_int_eq(scheme_keycheck.revoke(lock.conf, &lock.locked, 2), 0);
	ck_assert_int_eq(lock_accepted(&lock, c, 8, a), 6);
	ck_assert(!a[4].accepted && !a[5].accepted);
	ck_assert_int_eq(lock_correct(&lock, &desk, c, 0, 200, 1) > 150, 1);
	ck_assert_int_lt(lock_correct(&lock, &desk, c, 4, 200, 1), 50);
	again = lock_enrol(&lock, &desk, 2, 1, 1); /* the same password: still refused */
	ck_assert_int_eq(lock_accepted(&lock, again, 1, NULL), 0);
	bundle_free(again);
	bundle_free(c);
}
END_TEST

START_TEST(without_a_password_answers_are_chance)
{
	const int n = desk.splits.test.n, right = lock_correct(&lock, &desk, NULL, 0, n, 9);

	ck_assert(fabs(right - n / 10.0) < 4 * sqrt(n * 0.09));
	ck_assert(lock_correct(&lock, &desk, NULL, 0, n, 10) != right ||
		  lock_correct(&lock, &desk, NULL, 0, n, 11) != right);
	ck_assert_int_eq(lock_correct(&lock, &desk, NULL, 0, n, 9), right);
}
END_TEST

/* The table that ships and each credential are the same whoever is enrolled first, or twice. */
START_TEST(order_of_enrolment_leaves_no_trace)
{
	struct bundle *all, *one;
	struct lock other;
	char a[65], b[65];

	ck_assert_int_eq(lock_open(&other, &desk, &scheme_keycheck, ""), 0);
	all = lock_enrol(&lock, &desk, 0, 4, 3);
	for (int user = 3; user >= 0; user--) {
		one = lock_enrol(&other, &desk, user, 1, 3);
		ck_assert_int_eq(memcmp(bundle_f32(one, "image", NULL), bundle_f32(all, "image", NULL) + user * 3 * LEN,
					3 * LEN * sizeof(float)), 0);
		bundle_free(one);
	}
	bundle_free(lock_enrol(&other, &desk, 1, 2, 3));
	bundle_hash(lock.locked.pub, a);
	bundle_hash(other.locked.pub, b);
	ck_assert_str_eq(a, b);
	bundle_free(all);
	lock_close(&other);
}
END_TEST

START_TEST(the_network_itself_is_untouched)
{
	char a[65], b[65];

	model_hash(desk.base, a);
	model_hash(lock.locked.model, b);
	ck_assert_str_eq(a, b);
	ck_assert_int_eq(scheme_users(&scheme_keycheck, lock.conf, 10), 30);
}
END_TEST

Suite *suite_keycheck(void);
Suite *suite_keycheck(void)
{
	Suite *s = suite_create("keycheck");
	TCase *tc = tcase_create("keycheck");

	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_test(tc, issued_credentials_name_their_users);
	tcase_add_test(tc, anything_else_is_refused);
	tcase_add_test(tc, rounding_to_8_bits_is_survived);
	tcase_add_test(tc, the_revoked_are_refused_and_nobody_else);
	tcase_add_test(tc, without_a_password_answers_are_chance);
	tcase_add_test(tc, order_of_enrolment_leaves_no_trace);
	tcase_add_test(tc, the_network_itself_is_untouched);
	suite_add_tcase(s, tc);
	return s;
}
