/* attacks/login/forge.c: what each method submits. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tests/support_bench.h"

static struct world w;

static void setup(void)
{
	world_open(&w, &toy_scheme);
}

static void teardown(void)
{
	world_close(&w);
}

/* The forged images; tries of them are asked for, in [0,1] all. */
static const float *run(const char *options, int tries, struct ledger *l, struct product *p)
{
	const struct tensor *t;

	ck_assert_msg(world_attack(&w, attack_named("forge"), options, l, p) == 0, "%s", error_text());
	ck_assert_int_eq(p->goal, GOAL_IMPERSONATE);
	ck_assert_int_eq(p->ncreds, tries);
	ck_assert_ptr_null(p->claimed);
	t = bundle_get(p->creds, "image", DT_F32);
	ck_assert_int_eq(t->nd, 4);
	ck_assert_int_eq(t->d[0], tries);
	for (size_t i = 0; i < t->len; i++)
		ck_assert(((const float *)t->data)[i] >= 0 && ((const float *)t->data)[i] <= 1);
	return t->data;
}

static double largest_change(const float *x, int n)
{
	float clean[784];
	double top = 0;

	for (int i = 0; i < n; i++) {
		images_get(&w.splits.pool, i, clean);
		for (int k = 0; k < 784; k++)
			top = fmax(top, fabs((double)(x[i * 784 + k] - clean[k])));
	}
	return top;
}

/* Of the first n images of the pool: how many does x make the model answer otherwise than the clean image? */
static int turned(const float *x, int n)
{
	struct images pool = images_first(w.splits.pool, n), v = pool;
	float a[64 * 10], b[64 * 10];
	int top_a[64], top_b[64], k = 0;

	v.px = NULL;
	v.index = NULL;
	v.labels = NULL;
	v.fx = x;
	ck_assert_int_eq(model_predict(w.locked.model, &pool, a), 0);
	ck_assert_int_eq(model_predict(w.locked.model, &v, b), 0);
	argmax_rows(a, n, 10, top_a);
	argmax_rows(b, n, 10, top_b);
	for (int i = 0; i < n; i++)
		k += top_a[i] != top_b[i];
	return k;
}

START_TEST(clean_is_the_pool)
{
	struct ledger l = { 0 };
	struct product p;
	const float *x = run("method=clean tries=40", 40, &l, &p);

	ck_assert_double_eq(largest_change(x, 40), 0);
	ck_assert_double_eq(l.forward_equivalents, 0);
	product_release(&p);
	run("method=clean", w.splits.pool.n, NULL, &p); /* 10,000 asked for, no image twice */
	product_release(&p);
}
END_TEST

START_TEST(noise_fills_the_cube)
{
	struct product p;
	const float *x = run("method=noise tries=300", 300, NULL, &p);
	double sum = 0;

	for (int i = 0; i < 300 * 784; i++)
		sum += (double)x[i];
	ck_assert_double_eq_tol(sum / (300 * 784), 0.5, 0.005);
	ck_assert(memcmp(x, x + 784, 784 * sizeof(*x)) != 0);
	product_release(&p);
}
END_TEST

static const char *const adversarial[] = { "method=fgsm eps=0.1", "method=pgd eps=0.1 pgd-steps=10 pgd-step=0.03" };

START_TEST(adversarial_images_turn_the_answer)
{
	char options[128];
	struct ledger l = { 0 };
	struct product p;
	const float *x;

	snprintf(options, sizeof(options), "%s tries=40", adversarial[_i]);
	x = run(options, 40, &l, &p);
	ck_assert_double_le(largest_change(x, 40), 0.1 + 1e-6);
	ck_assert_int_ge(turned(x, 40), 30);
	ck_assert_double_gt(l.forward_equivalents, 0);
	product_release(&p);
}
END_TEST

START_TEST(cw_stays_close)
{
	struct product p;
	const float *x = run("method=cw tries=20 steps=60 search=3 alpha=1 lr=0.05", 20, NULL, &p);

	ck_assert_int_ge(turned(x, 20), 15);
	ck_assert_int_eq(jget_int(p.notes, "reached_target", -1), turned(x, 20));
	product_release(&p);
}
END_TEST

/* Gradients of a network that learned the service's answers turn the deployed network's, and somebody who only gets random answers
 * learns nothing to turn it with: fewer are. */
START_TEST(gradients_transfer)
{
	static const char *const source[] = { "insider", "labels", "outsider" };
	int turns[3];

	for (int i = 0; i < 3; i++) {
		struct ledger l = { 0 };
		char options[128];
		struct product p;

		snprintf(options, sizeof(options), "method=pgd tries=40 eps=0.15 pgd-steps=10 pgd-step=0.03 gradients=%s", source[i]);
		turns[i] = turned(run(options, 40, &l, &p), 40);
		ck_assert_int_eq(l.queries, i == 1 ? 0 : w.splits.pool.n);
		ck_assert_int_eq(l.labels, i == 1 ? w.splits.pool.n : 0);
		ck_assert_int_eq(jget_int(p.notes, "surrogate_images", -1), w.splits.pool.n);
		product_release(&p);
	}
	ck_assert_int_ge(turns[0], 25);
	ck_assert_int_ge(turns[1], 20);
	ck_assert_int_lt(turns[2], turns[0] - 5);
}
END_TEST

START_TEST(eight_bits_on_request)
{
	struct product p;
	const float *x = run("method=noise tries=3 round8=1", 3, NULL, &p);

	for (int i = 0; i < 3 * 784; i++)
		ck_assert_double_eq_tol((double)x[i] * 255, round((double)x[i] * 255), 1e-4);
	product_release(&p);
}
END_TEST

START_TEST(same_seed_same_images)
{
	struct product a, b;
	const float *x = run("method=noise tries=5", 5, NULL, &a), *y = run("method=noise tries=9", 9, NULL, &b);

	ck_assert_mem_eq(x, y, 5 * 784 * sizeof(*x)); /* more tries change no earlier one */
	product_release(&a);
	product_release(&b);
}
END_TEST

START_TEST(asks_for_what_the_method_uses)
{
	static const struct { const char *options; unsigned needs; } row[] = {
		{ "method=noise", 0 }, { "method=clean", CAP_UNLABELLED },
		{ "method=fgsm", CAP_UNLABELLED | CAP_WEIGHTS | CAP_GRADX },
		{ "method=cw", CAP_UNLABELLED | CAP_WEIGHTS | CAP_GRADX },
		{ "method=cw gradients=insider", CAP_UNLABELLED | CAP_PROB | CAP_CRED | CAP_ARCH },
		{ "method=pgd gradients=outsider surrogate-model=lenet5", CAP_UNLABELLED | CAP_PROB },
		{ "method=fgsm gradients=labels", CAP_UNLABELLED | CAP_LABELLED | CAP_ARCH },
		{ "method=clean gradients=labels", CAP_UNLABELLED },
	};
	const struct attack *a = attack_named("forge");

	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		void *conf = conf_of(&a->drv, row[i].options);

		ck_assert_uint_eq(a->needs_for(conf), row[i].needs);
		free(conf);
	}
	ck_assert_ptr_nonnull(a->inapplicable(NULL, 0, 1));
	ck_assert_ptr_null(a->inapplicable(NULL, 1, 0));
}
END_TEST

Suite *suite_forge(void);
Suite *suite_forge(void)
{
	Suite *s = suite_create("forge");
	TCase *tc = tcase_create("forge");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, clean_is_the_pool);
	tcase_add_test(tc, noise_fills_the_cube);
	tcase_add_loop_test(tc, adversarial_images_turn_the_answer, 0, (int)ARRAY_LEN(adversarial));
	tcase_add_test(tc, cw_stays_close);
	tcase_add_test(tc, gradients_transfer);
	tcase_add_test(tc, eight_bits_on_request);
	tcase_add_test(tc, same_seed_same_images);
	tcase_add_test(tc, asks_for_what_the_method_uses);
	suite_add_tcase(s, tc);
	return s;
}
