/* attacks/weights/fisher.c: the information of a layer whose gradients are known, and the penalty against its formula. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "attacks/weights/fisher.h"
#include "base/error.h"
#include "tests/support_weights.h"

static struct world w;

static void setup(void)
{
	world_open(&w, &toy_scheme);
}

static void teardown(void)
{
	world_close(&w);
}

/* Access with unlabelled images and nothing else. */
static struct access_store *keep;
static struct ledger ledger;

static struct access opened(void)
{
	struct access a;

	ledger = (struct ledger){ 0 };
	ck_assert_int_eq(access_open(&a, &keep, &w.setup, CAP_UNLABELLED, 7, &ledger), 0);
	return a;
}

/* With a last layer of zeros all ten classes are equally likely whatever the image: its bias' gradient is 0.1, but -0.9 for the class that
 * was drawn, so the ten informations sum to 0.9 exactly, and each is 0.09 on average. */
START_TEST(bias_of_an_undecided_layer)
{
	struct access a = opened();
	struct model *m = model_copy(w.base);
	const struct images v = images_first(a.unlabelled, 90);
	double *f = xmalloc(m->ng, sizeof(*f)), sum = 0;
	size_t at;

	memset(model_find(m, "fc3.weight")->x, 0, model_find(m, "fc3.weight")->len * sizeof(real));
	memset(model_find(m, "fc3.bias")->x, 0, 10 * sizeof(real));
	ck_assert_int_eq(fisher_diagonal(&a, m, &v, f), 0);
	at = (size_t)(model_find(m, "fc3.bias")->x - m->x);
	for (int k = 0; k < 10; k++) {
		sum += f[at + k];
		ck_assert(f[at + k] > 0.01 && f[at + k] < 0.3); /* labels are drawn, not always the same */
	}
	ck_assert_double_eq_tol(sum, 0.9, 1e-6);
	for (size_t i = 0; i < (size_t)(model_find(m, "fc3.weight")->x - m->x); i++)
		ck_assert_double_eq(f[i], 0); /* nothing in front of zeros matters */
	ck_assert_double_eq(ledger.forward_equivalents, 3 * 90);
	ck_assert_int_eq(ledger.labels, 0);
	free(f);
	model_free(m);
	access_close(&a, keep);
}
END_TEST

START_TEST(penalty_is_the_formula)
{
	struct access a = opened();
	struct model *m = model_copy(w.base);
	const struct images v = images_first(a.unlabelled, 8);
	struct ewc e;
	double sum = 0, max = 0;

	ck_assert_int_eq(ewc_open(&e, &a, m, &v, 10, 0.5), 0);
	for (size_t i = 0; i < m->ng; i++)
		max = fmax(max, e.f[i]);
	ck_assert_double_eq(max, 1);
	model_zero_grad(m);
	ck_assert_double_eq(ewc_loss(&e, m), 0); /* at the start */
	for (size_t i = 0; i < m->ng; i++)
		m->x[i] += (real)0.25;
	for (size_t i = 0; i < m->ng; i++)
		sum += 0.5 * 10 * fmin(e.f[i], 1 / (0.5 * 10)) * 0.0625;
	ck_assert_double_eq_tol(ewc_loss(&e, m), sum, 1e-4 * sum);
	for (size_t i = 0; i < m->ng; i++)
		ck_assert_double_eq_tol((double)m->g[i], 10 * fmin(e.f[i], 0.2) * 0.25, 1e-4);
	ewc_close(&e);
	model_free(m);
	access_close(&a, keep);
}
END_TEST

Suite *suite_fisher(void);
Suite *suite_fisher(void)
{
	Suite *s = suite_create("fisher");
	TCase *tc = tcase_create("fisher");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, bias_of_an_undecided_layer);
	tcase_add_test(tc, penalty_is_the_formula);
	suite_add_tcase(s, tc);
	return s;
}
