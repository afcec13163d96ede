/* metrics/stat/curve.c, survival.c, pareto.c: areas and volumes by hand, published survival data. */
#include <check.h>
#include <math.h>

#include "base/error.h"
#include "base/rng.h"
#include "metrics/stat/curve.h"
#include "metrics/stat/dist.h"

START_TEST(an_attacker_keeps_its_best)
{
	const double b[] = { 100, 10, 1000, 100, 10000 }, r[] = { 0.4, 0.5, 0.3, 0.6, 1.2 };
	struct curve c;

	curve_envelope(b, r, 5, &c);
	ck_assert_int_eq(c.n, 4);
	ck_assert(c.b[0] == 10 && c.b[1] == 100 && c.b[2] == 1000 && c.b[3] == 10000);
	ck_assert(c.r[0] == 0.5 && c.r[1] == 0.6 && c.r[2] == 0.6 && c.r[3] == 1);
	ck_assert_double_eq_tol(curve_at(&c, 10 * sqrt(10)), 0.55, 1e-12);
	ck_assert_double_eq(curve_at(&c, 1), 0.5);
	ck_assert_double_eq(curve_at(&c, 1e9), 1);
	curve_free(&c);
}
END_TEST

/* From 0 at 1 to 1 at 10^4, straight over log b: half of it; only the second half of the axis: three quarters. */
START_TEST(areas_by_hand)
{
	const double b[] = { 1, 1e4 }, r[] = { 0, 1 }, flat[] = { 0.25, 0.25 };
	struct curve c, base;

	curve_envelope(b, r, 2, &c);
	curve_envelope(b, flat, 2, &base);
	ck_assert_double_eq_tol(curve_area(&c, 1, 1e4), 0.5, 1e-12);
	ck_assert_double_eq_tol(curve_area(&c, 1e2, 1e4), 0.75, 1e-12);
	ck_assert_double_eq_tol(curve_area(&c, 1, 1e8), 0.75, 1e-12); /* stays at 1 */
	ck_assert_double_eq_tol(curve_area(&base, 3, 77), 0.25, 1e-12);
	/* above 1/4: a triangle that begins between two measured budgets: .75 * .75 / 2 */
	ck_assert_double_eq_tol(curve_area_above(&c, &base, 1, 1e4), 0.28125, 1e-12);
	ck_assert_double_eq_tol(curve_area_above(&base, &c, 1, 1e4), 0.25 * 0.25 / 2, 1e-12);
	ck_assert_double_eq_tol(curve_area_above(&c, &c, 1, 1e4), 0, 1e-12);
	curve_free(&c);
	curve_free(&base);
}
END_TEST

/* Against a sum over a fine grid, for curves with different budgets. */
START_TEST(areas_are_integrals)
{
	enum { STEPS = 20000 };
	struct rng rng;

	rng_open(&rng, 1, "curves", 0, 0);
	for (int trial = 0; trial < 10; trial++) {
		double b[2][6], r[2][6], sum = 0;
		struct curve c[2];

		for (int k = 0; k < 2; k++) {
			for (int i = 0; i < 6; i++) {
				b[k][i] = exp(10 * rng_uniform(&rng));
				r[k][i] = rng_uniform(&rng);
			}
			curve_envelope(b[k], r[k], 6, &c[k]);
		}
		for (int i = 0; i < STEPS; i++) {
			const double at = exp(10 * (i + 0.5) / STEPS);

			sum += fmax(0, curve_at(&c[0], at) - curve_at(&c[1], at)) / STEPS;
		}
		ck_assert_double_eq_tol(curve_area_above(&c[0], &c[1], 1, exp(10)), sum, 1e-6);
		curve_free(&c[0]);
		curve_free(&c[1]);
	}
}
END_TEST

START_TEST(budgets_and_margins)
{
	const double b[] = { 10, 100, 1000 }, r[] = { 0.2, 0.5, 0.8 };
	struct curve c;
	double at = 0;

	curve_envelope(b, r, 3, &c);
	ck_assert(curve_budget(&c, 0.5, &at) && at == 100);
	ck_assert(!curve_budget(&c, 0.9, &at));
	ck_assert_double_eq(margin_bits(8000, 1000), 3);
	ck_assert_double_eq(margin_bits(500, 1000), -1);
	curve_free(&c);
}
END_TEST

START_TEST(mean_over_a_linear_axis)
{
	const double db[] = { 50, 40, 30, 20 }, y[] = { 1, 0.5, -0.5, -0.5 };

	ck_assert_double_eq_tol(mean_over(db, y, 4, 20, 50), (0.75 + 0 - 0.5) / 3, 1e-12);
	ck_assert_double_eq_tol(mean_over(db, y, 4, 25, 50), (7.5 + 0 - 2.5) / 25, 1e-12);
}
END_TEST

/* Remission of leukaemia patients, weeks, + censored (Freireich et al., Blood 21, 1963, the standard example): 6-mercaptopurine
 * has median 23, placebo 8; the log-rank chi-square is 16.79. */
START_TEST(survival_published)
{
	const double mp[] = { 6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35 };
	const bool mp_event[] = { 1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0 };
	const double placebo[] = { 1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23 };
	const bool all[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	const bool none[21] = { 0 };
	double m = 0;

	ck_assert(median_budget(mp, mp_event, 21, &m) && m == 23);
	ck_assert(median_budget(placebo, all, 21, &m) && m == 8);
	ck_assert(!median_budget(mp, none, 21, &m));
	ck_assert_double_eq_tol(log_rank(mp, mp_event, 21, placebo, all, 21), chi2_tail(1, 16.79), 2e-7);
	ck_assert_double_eq_tol(log_rank(placebo, all, 21, mp, mp_event, 21), log_rank(mp, mp_event, 21, placebo, all, 21), 1e-15);
	ck_assert_double_eq_tol(log_rank(mp, mp_event, 21, mp, mp_event, 21), 1, 1e-12);
	ck_assert_double_eq(log_rank(mp, none, 21, mp, none, 21), 1);
}
END_TEST

START_TEST(front_keeps_the_unbeaten)
{
	struct removal p[] = { { 1, 0.5, 1e6 }, { 2, 0.5, 1e6 }, { 1, 0.5, 1e6 }, { 0.5, 0.9, 1e3 }, { 4, 0.1, 1e5 }, { 4, 0.2, 1e5 } };
	const int n = pareto_front(p, 6);

	ck_assert_int_eq(n, 3); /* of the two equal ones the first */
	ck_assert_double_eq(p[0].cost, 1e6);
	ck_assert_double_eq(p[1].loss, 0.5);
	ck_assert_double_eq(p[2].retention, 0.1);
}
END_TEST

/* One point is a box; a second that is worse adds nothing; against random darts for many. */
START_TEST(volumes)
{
	struct removal p[8] = { { 1, 0.5, 1e2 }, { 2, 0.6, 1e3 } };
	struct rng r;
	int hits = 0;

	ck_assert_double_eq_tol(removal_volume(p, 1, 5, 1, 1e4), 0.8 * 0.5 * 0.5, 1e-12);
	ck_assert_double_eq_tol(removal_volume(p, 2, 5, 1, 1e4), 0.8 * 0.5 * 0.5, 1e-12);
	ck_assert_double_eq(removal_volume(p, 0, 5, 1, 1e4), 0);
	p[0] = (struct removal){ 0, 0, 1 };
	ck_assert_double_eq_tol(removal_volume(p, 1, 5, 1, 1e4), 1, 1e-12);
	rng_open(&r, 1, "darts", 0, 0);
	for (int i = 0; i < 8; i++)
		p[i] = (struct removal){ 5 * rng_uniform(&r), rng_uniform(&r), exp(rng_uniform(&r) * log(1e4)) };
	for (int k = 0; k < 100000; k++) {
		const struct removal at = { 5 * rng_uniform(&r), rng_uniform(&r), exp(rng_uniform(&r) * log(1e4)) };
		bool beaten = false;

		for (int i = 0; i < 8; i++)
			beaten |= p[i].loss <= at.loss && p[i].retention <= at.retention && p[i].cost <= at.cost;
		hits += beaten;
	}
	ck_assert_double_eq_tol(removal_volume(p, 8, 5, 1, 1e4), hits / 1e5, 0.006);
}
END_TEST

Suite *suite_curve(void);
Suite *suite_curve(void)
{
	Suite *s = suite_create("curve");
	TCase *tc = tcase_create("curve");

	tcase_add_test(tc, an_attacker_keeps_its_best);
	tcase_add_test(tc, areas_by_hand);
	tcase_add_test(tc, areas_are_integrals);
	tcase_add_test(tc, budgets_and_margins);
	tcase_add_test(tc, mean_over_a_linear_axis);
	tcase_add_test(tc, survival_published);
	tcase_add_test(tc, front_keeps_the_unbeaten);
	tcase_add_test(tc, volumes);
	suite_add_tcase(s, tc);
	return s;
}
