/* attacks/login/forge_adaptive.c, blend.c: what ActiveGuard's logins are worth against somebody who knows the rule. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "attacks/kit/surrogate.h"
#include "attacks/login/forge_adaptive_blend.h"
#include "attacks/login/forge_adaptive_hunt.h"
#include "attacks/login/forge_adaptive_temperature.h"
#include "base/error.h"
#include "base/json.h"
#include "tests/support_bench.h"
#include "tests/support_scheme.h"

enum { USERS = 6 };

extern const struct scheme scheme_activeguard;

static struct desk desk;
static struct lock lock;
static struct world w; /* the desk, as attacks see it */

static void open_lock(const char *options, bool enrol)
{
	struct bundle *creds;

	if (lock_open(&lock, &desk, &scheme_activeguard, options) < 0)
		die(EXIT_FAILED_CELLS, NULL);
	creds = enrol ? lock_enrol(&lock, &desk, 0, USERS, 1) : NULL;
	w = (struct world){ .data = desk.data, .splits = desk.splits, .base = desk.base, .creds = creds };
	w.setup = (struct setup){ .data = desk.data, .splits = &desk.splits, .scheme = &scheme_activeguard, .conf = lock.conf,
				  .base = desk.base, .locked = &lock.locked, .creds = creds, .users = creds ? USERS : 0,
				  .per_user = creds ? 1 : 0, .seed = 7 };
}

static void setup(void)
{
	desk_open(&desk);
	open_lock("steps=150 closest=0 rescue=1 tries=5", true);
}

static void teardown(void)
{
	bundle_free(w.creds);
	lock_close(&lock);
	desk_close(&desk);
}

/* Percent of the forged that the service accepts; as: and takes for whom they claim to be (may be NULL). */
static double accepted(const char *name, const char *options, struct ledger *l, double *as, json_t **notes)
{
	const char *verdict;
	struct observations o = { 0 };
	const struct obs_entry *e;
	struct product p;
	char why[256];
	double percent;

	ck_assert_msg(world_attack(&w, attack_named(name), options, l, &p) == 0, "%s", error_text());
	ck_assert_msg(evaluate(&w.setup, &p, &o, &verdict, why) == 0, "%s", error_text());
	ck_assert_str_eq(verdict, "ok");
	e = obs_get(&o, "forged_accepted", 'b');
	percent = 100.0 * (double)e->k / (double)e->n;
	e = obs_get(&o, "forged_as_claimed", 'b');
	ck_assert_int_eq(e != NULL, as != NULL);
	if (as)
		*as = 100.0 * (double)e->k / (double)e->n;
	if (notes)
		*notes = json_incref(p.notes);
	obs_release(&o);
	product_release(&p);
	return percent;
}

/* Nothing that does not aim gets in: the rates that papers report. */
START_TEST(who_does_not_aim_stays_out)
{
	ck_assert_double_le(accepted("forge", "method=clean tries=300", NULL, NULL, NULL), 3);
	ck_assert_double_le(accepted("forge", "method=fgsm tries=300", NULL, NULL, NULL), 8);
	ck_assert_double_le(accepted("forge", "method=cw tries=60 steps=60 search=2 alpha=1 lr=0.05", NULL, NULL, NULL), 5);
}
END_TEST

START_TEST(who_has_the_network_is_everybody)
{
	struct ledger l = { 0 };
	double as;

	ck_assert_double_ge(accepted("forge-adaptive", "tries=60", &l, &as, NULL), 95);
	ck_assert_double_ge(as, 95);
	ck_assert(!l.queries && !l.submissions && !l.labels && l.forward_equivalents > 0);
	accepted("forge-adaptive", "tries=10 target=7", NULL, &as, NULL);
	ck_assert_double_ge(as, 90);
	ck_assert_double_ge(accepted("forge-adaptive", "tries=30 round8=1", NULL, &as, NULL), 95); /* files of 8 bits do as well */
}
END_TEST

START_TEST(who_sees_confidences_is_everybody)
{
	struct ledger l = { 0 };
	json_t *notes;
	double as;

	ck_assert_double_ge(accepted("forge-adaptive", "method=score tries=60", &l, &as, &notes), 95);
	ck_assert_double_ge(as, 95);
	ck_assert_int_gt(l.queries, 30);
	ck_assert_int_eq(l.labels, 50);
	ck_assert_int_lt(jget_int(notes, "asked_median", 9999), 500);
	json_decref(notes);
}
END_TEST

START_TEST(who_sees_decisions_is_somebody)
{
	struct ledger l = { 0 };
	json_t *notes;

	ck_assert_double_ge(accepted("forge-adaptive", "method=decision tries=60", &l, NULL, &notes), 95);
	ck_assert(!l.queries && l.submissions > 60);
	ck_assert_int_lt(jget_int(notes, "asked_p90", 9999), 1000);
	json_decref(notes);
}
END_TEST

/* A copy that learned from answers makes logins that it believes in, and the service does not: a confidence does not transfer as a class
 * does. Here 4.5 % of 200 were accepted. */
START_TEST(logins_transfer_from_a_surrogate)
{
	struct ledger l = { 0 };
	json_t *notes;
	double as;

	ck_assert_double_le(accepted("forge-adaptive", "tries=100 gradients=insider surrogate-epochs=5", &l, &as, &notes), 50);
	ck_assert_int_eq(l.queries, desk.splits.pool.n + desk.splits.attacker_val.n);
	ck_assert_int_ge(jget_int(notes, "reached", 0), 95);
	json_decref(notes);
}
END_TEST

/* Confidences that fill their band leave little that is nobody's: one blend, drawn blindly. */
START_TEST(capacity_is_paid_for)
{
	const double few = accepted("forge-adaptive", "method=decision tries=300 budget=1", NULL, NULL, NULL);
	struct world before = w;
	struct lock was = lock;
	double many;

	open_lock("confidences=0.12,0.14,0.16,0.18,0.2,0.22,0.24,0.26,0.28,0.3,0.32,0.34,0.36,0.38,0.4,0.42,0.44,0.46,0.48", false);
	w.creds = before.creds;
	w.setup.creds = before.creds;
	w.setup.users = USERS;
	w.setup.per_user = 1;
	many = accepted("forge-adaptive", "method=decision tries=300 budget=1", NULL, NULL, NULL);
	lock_close(&lock);
	lock = was;
	w = before;
	ck_assert_double_ge(many, 3 * few);
}
END_TEST

START_TEST(no_budget_forges_nothing)
{
	static const char *const options[] = { "budget=0", "budget=0 method=score", "budget=0 method=decision" };

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		struct observations o = { 0 };
		struct ledger l = { 0 };
		const char *verdict;
		struct product p;
		char why[256];

		ck_assert_int_eq(world_attack(&w, attack_named("forge-adaptive"), options[i], &l, &p), 0);
		ck_assert_msg(evaluate(&w.setup, &p, &o, &verdict, why) == 0, "%s", error_text());
		ck_assert_str_eq(verdict, "noop");
		ck_assert(!l.queries && !l.labels && !l.submissions && l.forward_equivalents <= 0);
		obs_release(&o);
		product_release(&p);
	}
}
END_TEST

/* More tries change no earlier one. */
START_TEST(tries_do_not_depend_on_each_other)
{
	struct product a, b;

	ck_assert_int_eq(world_attack(&w, attack_named("forge-adaptive"), "method=score tries=4 budget=40", NULL, &a), 0);
	ck_assert_int_eq(world_attack(&w, attack_named("forge-adaptive"), "method=score tries=9 budget=40", NULL, &b), 0);
	ck_assert_mem_eq(bundle_f32(a.creds, "image", NULL), bundle_f32(b.creds, "image", NULL), 4 * 784 * sizeof(float));
	product_release(&a);
	product_release(&b);
}
END_TEST

START_TEST(budgets_are_kept)
{
	struct ledger l = { .max_submissions = 90 };

	accepted("forge-adaptive", "method=decision tries=30", &l, NULL, NULL);
	ck_assert_int_le(l.submissions, 90);
	l = (struct ledger){ .max_queries = 70 };
	accepted("forge-adaptive", "method=score tries=30", &l, &(double){ 0 }, NULL);
	ck_assert_int_le(l.queries, 70);
}
END_TEST

START_TEST(says_where_it_does_not_apply)
{
	const struct attack *a = attack_named("forge-adaptive");
	void *white = conf_of(&a->drv, ""), *score = conf_of(&a->drv, "method=score"), *yes = conf_of(&a->drv, "method=decision");
	struct world toy;
	struct product p;

	ck_assert_ptr_nonnull(a->inapplicable(white, 0, 0));
	ck_assert_uint_eq(a->needs_for(white), CAP_ALGO | CAP_PARAM | CAP_UNLABELLED | CAP_WEIGHTS | CAP_GRADX);
	ck_assert_uint_eq(a->needs_for(score), CAP_ALGO | CAP_PARAM | CAP_LABELLED | CAP_PROB | CAP_CRED);
	ck_assert_uint_eq(a->needs_for(yes), CAP_ALGO | CAP_LABELLED | CAP_DECISION);
	world_open(&toy, &toy_scheme);
	ck_assert_int_eq(world_attack(&toy, a, "", NULL, &p), 0);
	ck_assert_ptr_nonnull(p.inapplicable);
	product_release(&p);
	world_close(&toy);
	free(white);
	free(score);
	free(yes);
}
END_TEST

/* Weights that answer the same to every image: no step is a success, so the search begins anew after 80 questions, and the 82nd is a blend
 * drawn afresh, whose first row is black as that of every exemplar. Where ties count as nearer, squares pile up on it. */
START_TEST(plateaus_are_left)
{
	const struct blend_hunt c = { .n = 10, .budget = 82, .exemplars = 2, .class = (const int[10]){ 0 },
					     .conf = (const float[10]){ 0 }, .tolerance = 0.01, .teacher = TEACHER_WEIGHTS };
	struct model *m = lock.locked.model;
	real *was = xmalloc(m->nx, sizeof(*was));
	float *x = xmalloc(10 * 784, sizeof(*x)), *exemplars;
	unsigned char done[10] = { 0 }, *labels;
	struct ledger l = { 0 };
	struct access_store *keep;
	struct images v;
	struct access a;
	long asked[10];

	memcpy(was, m->x, m->nx * sizeof(*was));
	memset(m->x, 0, m->nx * sizeof(*was));
	ck_assert_int_eq(access_open(&a, &keep, &w.setup, CAP_LABELLED | CAP_WEIGHTS, 7, &l), 0);
	v = images_first(a.labelled, 200);
	a.labelled = images_copied(&v, 0, &exemplars, &labels);
	for (int i = 0; i < v.n; i++)
		memset(exemplars + (size_t)i * 784, 0, 28 * sizeof(*exemplars));
	ck_assert_int_eq(blend_hunt(&a, &c, x, done, asked), 0);
	for (int i = 0; i < 10; i++) {
		ck_assert(!done[i] && asked[i] == 82);
		for (int k = 0; k < 28; k++)
			ck_assert_msg(x[i * 784 + k] <= 0, "search %d", i);
	}
	access_close(&a, keep);
	memcpy(m->x, was, m->nx * sizeof(*was));
	free(exemplars);
	free(labels);
	free(was);
	free(x);
}
END_TEST

/* Refused for want of a budget: nothing is left behind (the sanitizer would see it, and so does this). */
START_TEST(blends_that_cost_too_much_are_closed)
{
	struct ledger l = { .max_labels = 30 };
	struct access_store *keep;
	struct access a;
	struct blends b;

	ck_assert_int_eq(access_open(&a, &keep, &w.setup, CAP_LABELLED, 7, &l), 0);
	ck_assert_int_eq(blends_open(&a, 5, &b), -1);
	ck_assert_msg(strstr(error_text(), "labelled images"), "%s", error_text());
	ck_assert(!b.x && !b.label);
	access_close(&a, keep);
}
END_TEST

/* Logits that were doubled are found out. */
START_TEST(temperature_is_found)
{
	const struct images v = images_first(desk.splits.val, 100);
	struct model *m = model_copy(desk.base);
	float probs[100 * 10];

	ck_assert_int_eq(model_predict_probs(m, &v, probs), 0);
	ck_assert_double_eq_tol(temperature_of(m, &v, probs), 1, 1e-3);
	for (int i = m->np - 2; i < m->np; i++)
		for (size_t k = 0; k < m->p[i].len; k++)
			m->p[i].x[k] *= 2;
	ck_assert_double_eq_tol(temperature_of(m, &v, probs), 2, 2e-3);
	model_free(m);
}
END_TEST

/* Two images with known weights, and draws that are uniform on the simplex: means 1/2, variance of a share of two 1/12. */
START_TEST(blends_are_means)
{
	float x[4] = { 0, 1, 1, 0.5f }, out[2];
	struct blends b = { .sets = 1, .classes = 2, .len = 2, .x = x };
	const int first[2] = { 0, 0 };
	const double even[2] = { 3, 3 }, one[2] = { 0, 50 };
	double sum = 0, sum2 = 0;
	struct rng r;

	blends_mix(&b, first, even, out);
	ck_assert_double_eq_tol((double)out[0], 0.5, 1e-6);
	ck_assert_double_eq_tol((double)out[1], 0.75, 1e-6);
	blends_mix(&b, first, one, out);
	ck_assert_double_eq_tol((double)out[1], 0.5, 1e-6);
	rng_open(&r, 1, "test", 0, 0);
	for (int i = 0; i < 20000; i++) {
		double v[2], share;

		blends_draw(&b, &r, v);
		share = 1 / (1 + exp(v[1] - v[0]));
		sum += share;
		sum2 += share * share;
	}
	ck_assert_double_eq_tol(sum / 20000, 0.5, 0.01);
	ck_assert_double_eq_tol(sum2 / 20000 - 0.25, 1.0 / 12, 0.005);
}
END_TEST

Suite *suite_forge_adaptive(void);
Suite *suite_forge_adaptive(void)
{
	Suite *s = suite_create("forge_adaptive");
	TCase *tc = tcase_create("forge_adaptive");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, who_does_not_aim_stays_out);
	tcase_add_test(tc, who_has_the_network_is_everybody);
	tcase_add_test(tc, who_sees_confidences_is_everybody);
	tcase_add_test(tc, who_sees_decisions_is_somebody);
	tcase_add_test(tc, logins_transfer_from_a_surrogate);
	tcase_add_test(tc, capacity_is_paid_for);
	tcase_add_test(tc, no_budget_forges_nothing);
	tcase_add_test(tc, tries_do_not_depend_on_each_other);
	tcase_add_test(tc, budgets_are_kept);
	tcase_add_test(tc, plateaus_are_left);
	tcase_add_test(tc, blends_that_cost_too_much_are_closed);
	tcase_add_test(tc, says_where_it_does_not_apply);
	tcase_add_test(tc, temperature_is_found);
	tcase_add_test(tc, blends_are_means);
	suite_add_tcase(s, tc);
	return s;
}
