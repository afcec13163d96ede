/* What schemes declare of themselves, checked by experiment, for every scheme of the table (tests/support_contract.c has the list):
 * training steps against "post hoc" and "retrain", weights before and after, the same bytes on another number of threads, a gate's network
 * that answers everybody and an intrinsic lock's that answers nobody, black-box checks in a permuted network of the same function, users
 * by the formula, revocation of one user and no other, identities. A scheme that joins the table is checked with the rest. */
#include <check.h>

#include <string.h>

#include "base/driver.h"
#include "base/error.h"
#include "tests/support_contract.h"

static int count(void)
{
	int n = 0;

	while (schemes[n])
		n++;
	return n;
}

/* Where a smoke tier is too little for an MLP and 480 images. */
static const char *const instead[][2] = {
	{ "sample-specific", "code=bch15-7 steps=450 warmup=100 residual=10 critic=0 preset=two-stage" },
};

START_TEST(declarations_hold)
{
	struct scheme s = *(const struct scheme *)schemes[_i];

	for (size_t i = 0; i < ARRAY_LEN(instead); i++)
		if (!strcmp(s.drv.name, instead[i][0]))
			s.tier[0] = instead[i][1];
	contract_declared(&s);
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
