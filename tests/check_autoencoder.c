/* attacks/query/autoencoder.c: what it flags, what it lets through, what it may see. The toy's credentials are black images, unlike any
 * clean one. */
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

#define QUICK "images=100 epochs=4 batch=10 "

static void run(const char *options, struct ledger *l, struct product *p)
{
	char text[256];

	snprintf(text, sizeof(text), QUICK "%s", options);
	ck_assert_msg(world_attack(&w, attack_named("autoencoder"), text, l, p) == 0, "%s", error_text());
	ck_assert_int_eq(p->goal, GOAL_DEGRADE);
}

enum { N = 30, LEN = 784 };

static void load(float *x)
{
	for (int i = 0; i < N; i++)
		images_get(&w.splits.test, i, x + i * LEN);
}

static void pass(const struct product *p, const float *in, int n, float *out)
{
	ck_assert_msg(p->channel(p, in, n, 1, 28, 28, out) == 0, "%s", error_text());
}

START_TEST(nothing_flagged_is_bit_equal)
{
	float in[N * LEN], out[N * LEN];
	struct product p;

	load(in);
	run("alpha=0", NULL, &p);
	pass(&p, in, N, out);
	ck_assert_mem_eq(in, out, sizeof(in));
	product_release(&p);
}
END_TEST

START_TEST(everything_flagged_is_the_autoencoder)
{
	const struct images v = { .n = N, .c = 1, .h = 28, .w = 28, .fx = NULL };
	struct images view = v;
	float in[N * LEN], out[N * LEN], back[N * LEN];
	struct product p;

	load(in);
	view.fx = in;
	run("alpha=1", NULL, &p);
	pass(&p, in, N, out);
	ck_assert_int_eq(model_predict(p.model, &view, back), 0);
	ck_assert_mem_eq(out, back, sizeof(out));
	product_release(&p);
	run("alpha=1 action=blank", NULL, &p);
	pass(&p, in, N, out);
	for (int i = 0; i < N * LEN; i++)
		ck_assert_float_eq(out[i], 0);
	product_release(&p);
}
END_TEST

/* Whatever the detector: an image passes unchanged exactly when its score is not above the threshold; alone or in a batch. */
START_TEST(flagged_and_only_flagged_are_changed)
{
	static const char *const detectors[] = { "detector=l1 alpha=0.3", "detector=l2 alpha=0.3", "detector=js alpha=0.5" };
	float in[N * LEN], out[N * LEN], one[LEN];
	double score[N], alone;
	int flagged = 0;
	struct product p;

	load(in);
	run(detectors[_i], NULL, &p);
	pass(&p, in, N, out);
	ck_assert_int_eq(p.detect(&p, in, N, 1, 28, 28, score), 0);
	for (int i = 0; i < N; i++) {
		const bool over = score[i] > p.threshold;

		ck_assert(isfinite(score[i]) && score[i] >= 0);
		ck_assert_int_eq(memcmp(in + i * LEN, out + i * LEN, LEN * sizeof(*in)) != 0, over);
		flagged += over;
	}
	ck_assert_int_gt(flagged, 0);
	ck_assert_int_lt(flagged, N);
	pass(&p, in + (N - 1) * LEN, 1, one);
	ck_assert_mem_eq(one, out + (N - 1) * LEN, sizeof(one));
	ck_assert_int_eq(p.detect(&p, in + 5 * LEN, 1, 1, 28, 28, &alone), 0);
	ck_assert_double_eq(alone, score[5]);
	product_release(&p);
}
END_TEST

/* By hand, from the two networks in the product. */
START_TEST(scores_are_their_formulas)
{
	float in[LEN], back[LEN], a[10], b[10];
	struct images v = { .n = 1, .c = 1, .h = 28, .w = 28, .fx = in };
	double l1, l2, js, sum1 = 0, sum2 = 0, za = 0, zb = 0, d = 0;
	struct product p;

	images_get(&w.splits.test, 3, in);
	run("detector=l1 alpha=0.5", NULL, &p);
	ck_assert_int_eq(p.detect(&p, in, 1, 1, 28, 28, &l1), 0);
	ck_assert_int_eq(model_predict(p.model, &v, back), 0);
	ck_assert_ptr_null(p.stolen); /* not needed, not granted */
	product_release(&p);
	run("detector=l2 alpha=0.5", NULL, &p);
	ck_assert_int_eq(p.detect(&p, in, 1, 1, 28, 28, &l2), 0);
	product_release(&p);
	for (int i = 0; i < LEN; i++) {
		sum1 += fabs((double)in[i] - (double)back[i]);
		sum2 += pow((double)in[i] - (double)back[i], 2);
	}
	ck_assert_double_eq_tol(l1, sum1 / LEN, 1e-12);
	ck_assert_double_eq_tol(l2, sum2 / LEN, 1e-12);
	run("detector=js temperature=2 alpha=0.5", NULL, &p);
	ck_assert_int_eq(p.detect(&p, in, 1, 1, 28, 28, &js), 0);
	ck_assert_int_eq(model_predict(p.stolen, &v, a), 0);
	v.fx = back;
	ck_assert_int_eq(model_predict(p.stolen, &v, b), 0);
	for (int i = 0; i < 10; i++) {
		za += exp((double)a[i] / 2);
		zb += exp((double)b[i] / 2);
	}
	for (int i = 0; i < 10; i++) {
		const double pa = exp((double)a[i] / 2) / za, pb = exp((double)b[i] / 2) / zb, m = (pa + pb) / 2;

		d += pa * log(pa / m) / 2 + pb * log(pb / m) / 2;
	}
	ck_assert_double_gt(js, 0);
	ck_assert_double_eq_tol(js, d, 1e-9);
	product_release(&p);
}
END_TEST

/* At most the stated share of the attacker's own validation images is flagged: the threshold comes from nowhere else. */
START_TEST(threshold_is_set_on_validation_images)
{
	const struct images *val = &w.splits.attacker_val;
	float *x = xmalloc((size_t)val->n * LEN, sizeof(*x));
	double *score = xmalloc(val->n, sizeof(*score));
	int over = 0;
	struct product p;

	for (int i = 0; i < val->n; i++)
		images_get(val, i, x + i * LEN);
	run("alpha=0.2", NULL, &p);
	ck_assert_int_eq(p.detect(&p, x, val->n, 1, 28, 28, score), 0);
	for (int i = 0; i < val->n; i++)
		over += score[i] > p.threshold;
	ck_assert_int_eq(over, val->n / 5);
	ck_assert_int_eq(jget_int(p.notes, "validation_images", 0), val->n);
	product_release(&p);
	free(score);
	free(x);
}
END_TEST

/* Training 3, scoring 1 an image (3 with the model's two answers); no labels, no queries. */
START_TEST(spends_what_it_computes)
{
	const double n = w.splits.attacker_val.n;
	struct ledger l = { 0 };
	struct product p;

	run("alpha=0.5", &l, &p);
	ck_assert_double_eq(l.forward_equivalents, 4 * 100 * 3 + n);
	ck_assert_int_eq(l.labels + l.queries + l.submissions, 0);
	product_release(&p);
	memset(&l, 0, sizeof(l));
	run("alpha=0.5 detector=js", &l, &p);
	ck_assert_double_eq(l.forward_equivalents, 4 * 100 * 3 + 3 * n);
	product_release(&p);
	l = (struct ledger){ .max_forward_equivalents = 10 };
	ck_assert_int_eq(world_attack(&w, attack_named("autoencoder"), QUICK, &l, &p), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "budget"));
	product_release(&p);
}
END_TEST

START_TEST(sees_no_label_and_no_weight_it_does_not_need)
{
	const struct attack *a = attack_named("autoencoder");
	void *l1 = conf_of(&a->drv, "detector=l1"), *js = conf_of(&a->drv, "detector=js");

	ck_assert_uint_eq(a->needs_for(l1), CAP_CHANNEL | CAP_UNLABELLED);
	ck_assert_uint_eq(a->needs_for(js), CAP_CHANNEL | CAP_UNLABELLED | CAP_WEIGHTS);
	free(l1);
	free(js);
}
END_TEST

START_TEST(same_seed_same_bits)
{
	struct product a, b;

	run("", NULL, &a);
	run("", NULL, &b);
	ck_assert_uint_eq(model_bits(a.model), model_bits(b.model));
	ck_assert_double_eq(a.threshold, b.threshold);
	product_release(&a);
	product_release(&b);
}
END_TEST

Suite *suite_autoencoder(void);
Suite *suite_autoencoder(void)
{
	Suite *s = suite_create("autoencoder");
	TCase *tc = tcase_create("autoencoder");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, nothing_flagged_is_bit_equal);
	tcase_add_test(tc, everything_flagged_is_the_autoencoder);
	tcase_add_loop_test(tc, flagged_and_only_flagged_are_changed, 0, 3);
	tcase_add_test(tc, scores_are_their_formulas);
	tcase_add_test(tc, threshold_is_set_on_validation_images);
	tcase_add_test(tc, spends_what_it_computes);
	tcase_add_test(tc, sees_no_label_and_no_weight_it_does_not_need);
	tcase_add_test(tc, same_seed_same_bits);
	suite_add_tcase(s, tc);
	return s;
}
