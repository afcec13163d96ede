/* attacks/login/collude.c: what becomes of values, and who is traced or framed by it. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tests/support_bench.h"
#include "tests/support_scheme.h"

extern const struct scheme scheme_activeguard;

static struct world w;

static void setup(void)
{
	world_open(&w, &toy_scheme);
}

static void teardown(void)
{
	world_close(&w);
}

static void run(const char *options, struct ledger *l, struct product *p)
{
	ck_assert_msg(world_attack(&w, attack_named("collude"), options, l, p) == 0, "%s", error_text());
	ck_assert_int_eq(p->goal, GOAL_DISOWN);
}

static void judge(const struct setup *s, const struct product *p, struct observations *o, const char *want)
{
	const char *verdict;
	char why[256];

	memset(o, 0, sizeof(*o));
	ck_assert_msg(evaluate(s, p, o, &verdict, why) == 0, "%s", error_text());
	ck_assert_str_eq(verdict, want);
}

static const float *pixels(const struct product *p, int i)
{
	return bundle_f32(p->creds, "image", NULL) + (size_t)i * 784;
}

/* The first credential of a user is black but for pixel 0, (user + 1) / 51: mixtures are known. */
static double first_pixel(const struct product *p, int i)
{
	return (double)pixels(p, i)[0] * 51 - 1;
}

START_TEST(values_are_mixed_as_said)
{
	struct product p;
	int from[3] = { 0 };

	run("method=average colluders=3", NULL, &p);
	for (int i = 0; i < p.ncreds; i++)
		ck_assert_double_eq_tol(first_pixel(&p, i), (p.party[3 * i] + p.party[3 * i + 1] + p.party[3 * i + 2]) / 3.0, 1e-4);
	product_release(&p);
	run("method=median colluders=3", NULL, &p);
	for (int i = 0; i < p.ncreds; i++) {
		const int *u = p.party + 3 * i, a = u[0], b = u[1], c = u[2];
		const int middle = a + b + c - (int)fmax(fmax(a, b), c) - (int)fmin(fmin(a, b), c);

		ck_assert_double_eq_tol(first_pixel(&p, i), middle, 1e-4);
	}
	product_release(&p);
	run("method=difference gamma=2", NULL, &p);
	for (int i = 0; i < p.ncreds; i++)
		ck_assert_double_eq_tol(first_pixel(&p, i), fmax(2 * p.party[2 * i + 1] - p.party[2 * i], -1), 1e-4);
	product_release(&p);
	run("method=interleave colluders=3 draws=300", NULL, &p);
	for (int i = 0; i < p.ncreds; i++)
		for (int k = 0; k < 3; k++)
			from[k] += fabs(first_pixel(&p, i) - p.party[3 * i + k]) < 1e-4;
	ck_assert_int_eq(from[0] + from[1] + from[2], 300);
	for (int k = 0; k < 3; k++)
		ck_assert(from[k] > 60 && from[k] < 140); /* 100 each, sd 8 */
	product_release(&p);
}
END_TEST

/* All four users, 0 to 3, whatever their order. */
START_TEST(order_statistics_of_values)
{
	static const struct { const char *options; double pixel; } want[] = {
		{ "method=min colluders=4", 0 }, { "method=max colluders=4", 3 }, { "method=midrange colluders=4", 1.5 },
		{ "method=negative colluders=4", 1.5 }
	};

	for (size_t k = 0; k < ARRAY_LEN(want); k++) {
		struct product p;

		run(want[k].options, NULL, &p);
		for (int i = 0; i < p.ncreds; i++)
			ck_assert_double_eq_tol(first_pixel(&p, i), want[k].pixel, 1e-4);
		product_release(&p);
	}
}
END_TEST

/* Pixel 0 of user u is 5 (u + 1) in 8 bits: 5, 10, 15, 20. */
START_TEST(bits_are_mixed_as_said)
{
	struct product p;

	run("method=splice bits=2", NULL, &p);
	for (int i = 0; i < p.ncreds; i++) {
		const long a = 5 * (p.party[2 * i] + 1), b = 5 * (p.party[2 * i + 1] + 1);

		ck_assert_int_eq(lroundf(pixels(&p, i)[0] * 255), (a & ~3) | (b & 3));
	}
	product_release(&p);
	run("method=majority colluders=3 bits=8", NULL, &p);
	for (int i = 0; i < p.ncreds; i++) {
		long v[3];

		for (int k = 0; k < 3; k++)
			v[k] = 5 * (p.party[3 * i + k] + 1);
		ck_assert_int_eq(lroundf(pixels(&p, i)[0] * 255), (v[0] & v[1]) | (v[0] & v[2]) | (v[1] & v[2]));
	}
	product_release(&p);
	run("method=choice bits=8 draws=100", NULL, &p);
	for (int i = 0; i < p.ncreds; i++) {
		const long a = 5 * (p.party[2 * i] + 1), b = 5 * (p.party[2 * i + 1] + 1), got = lroundf(pixels(&p, i)[0] * 255);

		ck_assert_int_eq(got & ~(a | b), 0);
		ck_assert_int_eq(got & a & b, a & b);
	}
	product_release(&p);
}
END_TEST

/* The toy takes pixel 0 for the user: the average of users 0 and 2 is user 1, who had no part. */
START_TEST(averages_frame_whoever_is_between)
{
	struct observations o;
	struct product p;
	int framed = 0, refused = 0;

	run("method=average draws=40", NULL, &p);
	judge(&w.setup, &p, &o, "ok");
	for (int i = 0; i < p.ncreds; i++) {
		const int sum = p.party[2 * i] + p.party[2 * i + 1];

		framed += sum % 2 == 0;
		refused += sum % 2;
		ck_assert_int_eq(obs_get(&o, "colluded_framed", 'b')->bits[i], sum % 2 == 0);
	}
	ck_assert(framed > 5 && refused > 5);
	ck_assert_int_eq(obs_get(&o, "colluded_traced", 'b')->k, 0);
	ck_assert_int_gt(obs_get(&o, "collusion_collateral", 'b')->k, 0);
	obs_release(&o);
	product_release(&p);
}
END_TEST

START_TEST(who_lends_is_named)
{
	struct observations o;
	struct product p;

	run("method=share draws=10", NULL, &p);
	judge(&w.setup, &p, &o, "ok");
	ck_assert_int_eq(obs_get(&o, "colluded_accepted", 'b')->k, 10);
	ck_assert_int_eq(obs_get(&o, "colluded_traced", 'b')->k, 10);
	ck_assert_int_eq(obs_get(&o, "colluded_revoked_accepted", 'b')->k, 0);
	ck_assert_int_eq(obs_get(&o, "collusion_collateral", 'b')->k, 0);
	obs_release(&o);
	product_release(&p);
}
END_TEST

START_TEST(nothing_mixed_is_noop)
{
	const char *const options[] = { "share=0", "method=splice share=0", "method=blend share=0" };

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		struct observations o;
		struct product p;

		run(options[i], NULL, &p);
		judge(&w.setup, &p, &o, "noop");
		obs_release(&o);
		product_release(&p);
	}
}
END_TEST

/* More mixing keeps what was mixed before. */
START_TEST(shares_are_nested)
{
	struct product half, all;

	run("method=average share=0.5", NULL, &half);
	run("method=average share=1", NULL, &all);
	for (int i = 0; i < half.ncreds; i++) {
		const double got = first_pixel(&half, i);

		ck_assert(fabs(got - first_pixel(&all, i)) < 1e-4 || fabs(got - half.party[2 * i]) < 1e-4);
	}
	product_release(&half);
	product_release(&all);
}
END_TEST

START_TEST(applies_to_users)
{
	const struct attack *a = attack_named("collude");
	void *average = conf_of(&a->drv, ""), *blend = conf_of(&a->drv, "method=blend");
	struct setup one = w.setup;
	struct world other = w;
	struct product p;

	ck_assert_ptr_nonnull(a->inapplicable(average, 0, 0));
	ck_assert_uint_eq(a->needs_for(average), CAP_CRED);
	ck_assert_uint_eq(a->needs_for(blend), CAP_CRED | CAP_DECISION);
	one.users = 1;
	other.setup = one;
	ck_assert_int_eq(world_attack(&other, a, "", NULL, &p), 0);
	ck_assert_ptr_nonnull(p.inapplicable);
	product_release(&p);
	ck_assert_int_eq(world_attack(&other, a, "method=share", NULL, &p), 0);
	ck_assert_ptr_null(p.inapplicable);
	product_release(&p);
	free(average);
	free(blend);
}
END_TEST

/* ActiveGuard: a login is a place in image space; what lies between two logins is a third user's, or nobody's. */
START_TEST(activeguard_between_two_logins)
{
	struct desk desk;
	struct observations o;
	struct ledger l = { 0 };
	struct world ag;
	struct lock lock;
	struct product p;
	long accepted;

	desk_open(&desk);
	ck_assert_int_eq(lock_open(&lock, &desk, &scheme_activeguard, "steps=150 closest=0 rescue=1 tries=5"), 0);
	ag = (struct world){ .data = desk.data, .creds = lock_enrol(&lock, &desk, 0, 30, 1) };
	ag.setup = (struct setup){ .data = desk.data, .splits = &desk.splits, .scheme = &scheme_activeguard, .conf = lock.conf,
				   .base = desk.base, .locked = &lock.locked, .creds = ag.creds, .users = 30, .per_user = 1, .seed = 7 };
	ck_assert_int_eq(world_attack(&ag, attack_named("collude"), "method=blend draws=30", &l, &p), 0);
	judge(&ag.setup, &p, &o, "ok");
	accepted = obs_get(&o, "colluded_accepted", 'b')->k;
	ck_assert_int_eq(l.submissions, 30 * 32);
	ck_assert_int_ge(accepted, 15); /* 27, of which 23 name a third user */
	ck_assert_int_ge(obs_get(&o, "colluded_framed", 'b')->k, accepted / 2);
	obs_release(&o);
	product_release(&p);
	bundle_free(ag.creds);
	lock_close(&lock);
	desk_close(&desk);
}
END_TEST

Suite *suite_collude(void);
Suite *suite_collude(void)
{
	Suite *s = suite_create("collude");
	TCase *tc = tcase_create("collude");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, values_are_mixed_as_said);
	tcase_add_test(tc, order_statistics_of_values);
	tcase_add_test(tc, bits_are_mixed_as_said);
	tcase_add_test(tc, averages_frame_whoever_is_between);
	tcase_add_test(tc, who_lends_is_named);
	tcase_add_test(tc, nothing_mixed_is_noop);
	tcase_add_test(tc, shares_are_nested);
	tcase_add_test(tc, applies_to_users);
	tcase_add_test(tc, activeguard_between_two_logins);
	suite_add_tcase(s, tc);
	return s;
}
