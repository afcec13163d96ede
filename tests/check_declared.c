/* What schemes declare of themselves, checked by experiment, for every scheme of the table (tests/support_contract.c has the list):
 * training steps against "post hoc" and "retrain", weights before and after, the same bytes on another number of threads, a gate's network
 * that answers everybody and an intrinsic lock's that answers nobody, black-box checks in a permuted network of the same function, users
 * by the formula, revocation of one user and no other, identities. A scheme that joins the table is checked with the rest. */
#include <check.h>

#include "base/driver.h"
#include "tests/support_contract.h"

static int count(void)
{
	int n = 0;

	while (schemes[n])
		n++;
	return n;
}

START_TEST(declarations_hold)
{
	contract_declared((const struct scheme *)schemes[_i]);
}
END_TEST

Suite *suite_declared(void);
Suite *suite_declared(void)
{
	Suite *s = suite_create("declared");
	TCase *tc = tcase_create("declared");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, declarations_hold, 0, count());
	suite_add_tcase(s, tc);
	return s;
}
