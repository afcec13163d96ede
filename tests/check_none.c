/* schemes/none.c: the network as it is, for everybody. */
#include "tests/support_scheme.h"
#include <check.h>
#include <string.h>

extern const struct scheme scheme_none;

static struct desk desk;

static void setup(void)
{
	desk_open(&desk);
}

static void teardown(void)
{
	desk_close(&desk);
}

START_TEST(locks_nothing)
{
	char a[65], b[65];
	struct lock l;

	ck_assert_int_eq(lock_open(&l, &desk, &scheme_none, ""), 0);
	model_hash(desk.base, a);
	model_hash(l.locked.model, b);
	ck_assert_str_eq(a, b);
	ck_assert_ptr_ne(l.locked.model, desk.base);
	lock_close(&l);
}
END_TEST

START_TEST(serves_everybody_the_softmax)
{
	const struct images v = images_first(desk.splits.test, 50);
	float want[500], got[500];
	struct lock l;

	ck_assert_int_eq(lock_open(&l, &desk, &scheme_none, ""), 0);
	ck_assert_int_eq(model_predict_probs(desk.base, &v, want), 0);
	ck_assert_int_eq(service_query(&l.service, NULL, 0, &v, 1, got), 0);
	ck_assert_int_eq(memcmp(got, want, sizeof(got)), 0);
	ck_assert_int_gt(lock_correct(&l, &desk, NULL, 0, 500, 1), 400);
	lock_close(&l);
}
END_TEST

START_TEST(has_no_users_and_no_mark)
{
	ck_assert(!scheme_none.enrol && !scheme_none.authenticate && !scheme_none.revoke && !scheme_none.verify);
	ck_assert(!scheme_none.decl.has_users && !scheme_none.decl.has_ownership && !scheme_none.decl.changes_weights);
}
END_TEST

Suite *suite_none(void);
Suite *suite_none(void)
{
	Suite *s = suite_create("none");
	TCase *tc = tcase_create("none");

	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_test(tc, locks_nothing);
	tcase_add_test(tc, serves_everybody_the_softmax);
	tcase_add_test(tc, has_no_users_and_no_mark);
	suite_add_tcase(s, tc);
	return s;
}
