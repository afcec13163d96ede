/* schemes/kit/users.c: who is enrolled, who is revoked. */
#include "schemes/kit/users.h"
#include <check.h>

START_TEST(the_revoked_are_listed_once)
{
	struct locked l = { .pub = bundle_new() };
	const int order[] = { 5, 2, 9, 5, 0 };
	const int32_t *list;
	size_t n;

	ck_assert(!users_revoked(l.pub, 5));
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(users_revoke(NULL, &l, order[i]), 0);
	list = bundle_i32(l.pub, "revoked", &n);
	ck_assert_uint_eq(n, 4);
	ck_assert(list[0] == 0 && list[1] == 2 && list[2] == 5 && list[3] == 9);
	ck_assert(users_revoked(l.pub, 9) && !users_revoked(l.pub, 1) && !users_revoked(l.pub, -1));
	locked_release(&l);
}
END_TEST

START_TEST(the_enrolled_are_listed_once)
{
	struct bundle *pub = bundle_new();
	size_t n;

	ck_assert(!users_enrolled(pub, 1));
	users_enrol(pub, (const int[]){ 4, 1, 4, 1000000 }, 4);
	users_enrol(pub, (const int[]){ 2, 1 }, 2);
	bundle_i32(pub, "enrolled", &n);
	ck_assert_uint_eq(n, 4);
	ck_assert(users_enrolled(pub, 1) && users_enrolled(pub, 2) && users_enrolled(pub, 4) &&
		  users_enrolled(pub, 1000000));
	ck_assert(!users_enrolled(pub, 3) && !users_revoked(pub, 1));
	bundle_free(pub);
}
END_TEST

START_TEST(there_is_no_more_than_user_numbers)
{
	ck_assert_double_eq(users_unlimited(NULL, 10), (double)INT32_MAX + 1);
}
END_TEST

Suite *suite_users(void);
Suite *suite_users(void)
{
	Suite *s = suite_create("users");
	TCase *tc = tcase_create("users");

	tcase_add_test(tc, the_revoked_are_listed_once);
	tcase_add_test(tc, the_enrolled_are_listed_once);
	tcase_add_test(tc, there_is_no_more_than_user_numbers);
	suite_add_tcase(s, tc);
	return s;
}
