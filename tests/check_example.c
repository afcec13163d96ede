/* The guide's examples of schemes (docs/examples/), compiled here as the guide shows them: they keep the contract of
 * the schemes in the table, one is a lock and one a gate. */
#include <check.h>

#include "base/error.h"
#include "tests/support_contract.h"
#include "tests/support_scheme.h"

extern const struct scheme scheme_pixelkey;
#include "docs/examples/pixelkey.c" /* NOLINT: as it stands */
extern const struct scheme scheme_blend;
#include "docs/examples/blend.c" /* NOLINT: as it stands */

static const struct scheme *const examples[] = { &scheme_pixelkey, &scheme_blend };

START_TEST(the_example_keeps_the_contract)
{
	contract_scheme(examples[_i]);
	contract_hooks(examples[_i]);
	contract_declared(examples[_i]);
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
	printf("pixelkey: unprotected %d, with the key %d, without %d of 500\n", base, right,
	       lock_correct(&l, &d, NULL, 0, 500, 1));
	ck_assert_int_gt(right, base * 3 / 4); /* its neighbourhoods are torn */
	ck_assert_int_lt(lock_correct(&l, &d, NULL, 0, 500, 1), base / 2);
	bundle_put(wrong, "key", DT_I64, 1, (const int64_t[]){ 1 }, (const int64_t[]){ 77 });
	ck_assert_int_lt(lock_correct(&l, &d, wrong, 0, 500, 1), base / 2);
	bundle_free(wrong);
	bundle_free(mine);
	lock_close(&l);
	desk_close(&d);
}
END_TEST

/* Every class has its users, and what they hold names them; pictures of one class are seldom let in, the revoked
 * never. */
START_TEST(the_gate_lets_its_users_in)
{
	float *x = malloc(500 * 784 * sizeof(*x));
	struct auth a[20];
	struct bundle *creds, *plain;
	struct desk d;
	struct lock l;
	int base, valid = 0, passed;

	desk_open(&d);
	ck_assert_msg(lock_open(&l, &d, &scheme_blend, "") == 0, "%s", error_text());
	creds = lock_enrol(&l, &d, 0, scheme_users(&scheme_blend, l.conf, 10), 2);
	ck_assert_int_ge(lock_accepted(&l, creds, 20, a), 18);
	for (int i = 0; i < 20; i++) {
		ck_assert(!a[i].accepted || a[i].user == i / 2 || !bundle_u8(creds, "ok", NULL)[i]);
		valid += a[i].accepted && a[i].user == i / 2;
	}
	ck_assert_int_ge(valid, 18);
	base = model_correct(d.base, &d.splits.test, (unsigned char[500]){ 0 });
	ck_assert_int_eq(lock_correct(&l, &d, creds, 5, 500, 1), base);
	ck_assert_int_lt(lock_correct(&l, &d, NULL, 0, 500, 1), 100);
	for (int i = 0; i < 500; i++)
		images_get(&d.splits.test, i, x + (ptrdiff_t)784 * i);
	plain = creds_of(&d.base->spec, x, 500);
	passed = lock_accepted(&l, plain, 500, NULL);
	printf("blend: %d of 20 logins are valid, %d of 500 pictures of one class pass\n", valid, passed);
	ck_assert_int_lt(passed, 50);
	ck_assert_int_eq(scheme_blend.revoke(l.conf, &l.locked, 3), 0);
	ck_assert_int_le(lock_accepted(&l, creds, 20, NULL), 18);
	bundle_free(plain);
	bundle_free(creds);
	lock_close(&l);
	desk_close(&d);
	free(x);
}
END_TEST

Suite *suite_example(void);
Suite *suite_example(void)
{
	Suite *s = suite_create("example");
	TCase *tc = tcase_create("example");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, the_example_keeps_the_contract, 0, (int)ARRAY_LEN(examples));
	tcase_add_test(tc, the_example_locks);
	tcase_add_test(tc, the_gate_lets_its_users_in);
	suite_add_tcase(s, tc);
	return s;
}
