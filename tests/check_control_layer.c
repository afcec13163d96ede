/* nn/lock/control_layer.c: who is let in, and as whom. */
#include "base/error.h"
#include "nn/lock/control_layer.h"
#include <check.h>
#include <math.h>
#include <string.h>

static const float fp[] = { 0.2f, 0.3f, 0.4f };
static const int32_t all[] = { 0, 1, 2, 3, 4 }, some[] = { 4, 1 };
static const struct control five = { .confidence = fp, .class = all, .T = 3, .K = 5, .tolerance = 0.01 };
static const struct control two = { .confidence = fp, .class = some, .T = 3, .K = 2, .tolerance = 0.01 };

static const struct {
	const struct control *c;
	int top;
	float p;
	int user; /* -1: refused */
} cases[] = {
	{ &five, 0, 0.3f, 1 },           { &five, 4, 0.4f, 14 },         { &five, 2, 0.2f + 0.0098f, 6 },
	{ &five, 2, 0.4f - 0.0098f, 8 }, { &five, 2, 0.3102f, -1 },      { &five, 2, 0.2898f, -1 },
	{ &five, 2, 0.35f, -1 },         { &five, 0, 0.99f, -1 },        { &five, 0, 0.5f, -1 },
	{ &two, 4, 0.3f, 1 },            { &two, 1, 0.4f, 5 },           { &two, 2, 0.3f, -1 },
	{ &five, 0, NAN, -1 },
};

START_TEST(the_pair_names_the_user)
{
	float p[5];
	double score;
	int user;

	for (int k = 0; k < 5; k++)
		p[k] = k == cases[_i].top ? cases[_i].p : (1 - cases[_i].p) / 4 * (k % 2 ? 0.99f : 1.0f);
	for (int k = 0; k < 5; k++)
		if (k != cases[_i].top && p[k] >= cases[_i].p)
			p[k] = cases[_i].p * 0.99f; /* the judge looks at nothing but the top */
	user = control_judge(cases[_i].c, p, 5, &score);
	ck_assert_int_eq(user, cases[_i].user);
	ck_assert(user < 0 || (score <= 0 && score > -0.01));
}
END_TEST

START_TEST(packing_keeps_everything)
{
	struct bundle *b = bundle_new();
	struct control c;

	ck_assert_int_eq(control_open(&c, b), -1);
	error_clear();
	control_pack(b, &two);
	ck_assert_int_eq(control_open(&c, b), 0);
	ck_assert(c.K == 2 && c.T == 3 && c.tolerance == 0.01);
	ck_assert_int_eq(memcmp(c.class, some, sizeof(some)), 0);
	bundle_free(b);
}
END_TEST

Suite *suite_control_layer(void);
Suite *suite_control_layer(void)
{
	Suite *s = suite_create("control_layer");
	TCase *tc = tcase_create("control_layer");

	tcase_add_loop_test(tc, the_pair_names_the_user, 0, (int)(sizeof(cases) / sizeof(*cases)));
	tcase_add_test(tc, packing_keeps_everything);
	suite_add_tcase(s, tc);
	return s;
}
