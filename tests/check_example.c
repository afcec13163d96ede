/* The guide's example of a scheme (docs/examples/pixelkey.c), compiled here as the guide shows it: it keeps the contract of the schemes
 * in the table, and it is a lock. */
#include <check.h>

#include "base/error.h"
#include "tests/support_contract.h"
#include "tests/support_scheme.h"

extern const struct scheme scheme_pixelkey;
#include "docs/examples/pixelkey.c" /* NOLINT: as it stands */

START_TEST(the_example_keeps_the_contract)
{
	contract_scheme(&scheme_pixelkey);
	contract_hooks(&scheme_pixelkey);
	contract_declared(&scheme_pixelkey);
}
END_TEST

START_TEST(the_example_locks)
{
	struct bundle *mine, *wrong = bundle_new();
	struct desk d;
	struct lock l;
	int base, right;

	desk_open(&d);
	ck_assert_msg(lock_open(&l, &d, &scheme_pixelkey, "") == 0, "%s", error_text());
	mine = lock_enrol(&l, &d, 0, 3, 1);
	base = model_correct(d.base, &d.splits.test, (unsigned char[500]){ 0 });
	right = lock_correct(&l, &d, mine, 2, 500, 1);
	printf("pixelkey: unprotected %d, with the key %d, without %d of 500\n", base, right, lock_correct(&l, &d, NULL, 0, 500, 1));
	ck_assert_int_gt(right, base * 3 / 4); /* its neighbourhoods are torn */
	ck_assert_int_lt(lock_correct(&l, &d, NULL, 0, 500, 1), base / 2);
	bundle_put(wrong, "key", DT_U8, 2, (const int64_t[]){ 1, KEY }, "a guess");
	ck_assert_int_lt(lock_correct(&l, &d, wrong, 0, 500, 1), base / 2);
	bundle_free(wrong);
	bundle_free(mine);
	lock_close(&l);
	desk_close(&d);
}
END_TEST

Suite *suite_example(void);
Suite *suite_example(void)
{
	Suite *s = suite_create("example");
	TCase *tc = tcase_create("example");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, the_example_keeps_the_contract);
	tcase_add_test(tc, the_example_locks);
	suite_add_tcase(s, tc);
	return s;
}
