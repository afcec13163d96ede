/* metrics/stat/roc.c: counting by hand, the normal model, and what a hull changes. */
#include <check.h>
#include <math.h>

#include "base/error.h"
#include "base/rng.h"
#include "metrics/stat/dist.h"
#include "metrics/stat/effect.h"
#include "metrics/stat/roc.h"
#include "metrics/stat/stats.h"

/* Every point against counting, for few values, so that ties are common. */
START_TEST(points_are_counts)
{
	struct rng rng;

	rng_open(&rng, 1, "roc", 0, 0);
	for (int trial = 0; trial < 100; trial++) {
		double g[20], x[15];
		const int m = 1 + (int)rng_below(&rng, 20), n = 1 + (int)rng_below(&rng, 15);
		struct roc r;

		for (int i = 0; i < m; i++)
			g[i] = (double)rng_below(&rng, 6) + 1;
		for (int i = 0; i < n; i++)
			x[i] = (double)rng_below(&rng, 6);
		roc_of(g, m, x, n, &r);
		for (int k = 0; k < r.n; k++) {
			int accepted = 0, rejected = 0;

			for (int i = 0; i < n; i++)
				accepted += x[i] >= r.p[k].threshold;
			for (int i = 0; i < m; i++)
				rejected += g[i] < r.p[k].threshold;
			ck_assert_int_eq(r.p[k].accepted, accepted);
			ck_assert_int_eq(r.p[k].rejected, rejected);
			ck_assert_double_eq(r.p[k].far, (double)accepted / n);
		}
		ck_assert(r.p[0].far == 1 && r.p[0].frr == 0 && r.p[r.n - 1].far == 0 && r.p[r.n - 1].frr == 1);
		ck_assert_double_eq_tol(roc_auc(&r), superiority(g, m, x, n), 1e-13);
		ck_assert_double_le(roc_eer(&r), 0.5 + 1e-12);
		ck_assert_double_le(roc_min_error(&r), roc_eer(&r) + 1e-12);
		roc_free(&r);
	}
}
END_TEST

START_TEST(extremes)
{
	const double high[] = { 5, 6, 7 }, low[] = { 1, 2 }, one[] = { 3 };
	struct roc r;

	roc_of(high, 3, low, 2, &r);
	ck_assert_double_eq(roc_auc(&r), 1);
	ck_assert_double_eq_tol(roc_eer(&r), 0, 1e-15);
	ck_assert_double_eq(roc_frr_at(&r, 0), 0);
	ck_assert_double_eq(roc_min_error(&r), 0);
	roc_free(&r);
	roc_of(one, 1, one, 1, &r); /* knows nothing */
	ck_assert_double_eq(roc_auc(&r), 0.5);
	ck_assert_double_eq_tol(roc_eer(&r), 0.5, 1e-15);
	ck_assert_double_eq(roc_min_error(&r), 0.5);
	roc_free(&r);
	roc_of(low, 2, high, 3, &r); /* worse than nothing: guessing is on the hull, and on no threshold */
	ck_assert_double_eq(roc_auc(&r), 0);
	ck_assert_double_eq_tol(roc_eer(&r), 0.5, 1e-15);
	ck_assert_double_eq(roc_frr_at(&r, 0), 1);
	roc_free(&r);
}
END_TEST

/* Points (1,0) (2/3,0) (2/3,1/2) (0,1/2) (0,1). On the hull the way from (2/3,0) to (0,1/2) meets far = frr at 2/7; raw
 * thresholds come no nearer than (2/3 + 1/2) / 2. */
START_TEST(hull_by_hand)
{
	const double genuine[] = { 1, 3 }, impostor[] = { 2, 2, 0 };
	struct roc_point at;
	struct roc r;

	roc_of(genuine, 2, impostor, 3, &r);
	ck_assert_double_eq_tol(roc_eer(&r), 2.0 / 7, 1e-14);
	ck_assert_double_eq_tol(roc_eer_raw(&r, &at), (2.0 / 3 + 0.5) / 2, 1e-14);
	ck_assert_double_eq(at.threshold, 2);
	ck_assert_double_eq(roc_frr_at(&r, 0.5), 0.5);
	ck_assert_double_eq_tol(roc_auc(&r), 4.0 / 6, 1e-14);
	ck_assert_double_eq_tol(roc_min_error(&r), 0.25, 1e-14);
	roc_free(&r);
}
END_TEST

/* Normal scores d' apart: AUC = Phi(d'/sqrt 2), EER = Phi(-d'/2), and the DET curve is a line: x + y = -d'. */
START_TEST(normal_model)
{
	enum { N = 40000 };
	static double g[N], x[N];
	struct rng rng;
	struct roc r;

	rng_open(&rng, 2, "roc", 0, 0);
	for (int i = 0; i < N; i++) {
		g[i] = 1.5 + rng_normal(&rng);
		x[i] = rng_normal(&rng);
	}
	roc_of(g, N, x, N, &r);
	ck_assert_double_eq_tol(roc_auc(&r), normal_cdf(1.5 * sqrt(0.5)), 0.004);
	ck_assert_double_eq_tol(roc_eer(&r), normal_cdf(-0.75), 0.005);
	for (int k = 0; k < r.n; k += 500) {
		double u, v;

		if (roc_det(&r.p[k], &u, &v) && r.p[k].far > 0.01 && r.p[k].frr > 0.01)
			ck_assert_double_eq_tol(u + v, -1.5, 0.05);
	}
	ck_assert(!roc_det(&r.p[0], &g[0], &g[1]));
	roc_free(&r);
}
END_TEST

Suite *suite_roc(void);
Suite *suite_roc(void)
{
	Suite *s = suite_create("roc");
	TCase *tc = tcase_create("roc");

	tcase_add_test(tc, points_are_counts);
	tcase_add_test(tc, extremes);
	tcase_add_test(tc, hull_by_hand);
	tcase_add_test(tc, normal_model);
	suite_add_tcase(s, tc);
	return s;
}
