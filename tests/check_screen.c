/* attacks/query/screen.c: each detector is its formula, flags at its rate, and sees what it needs. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "attacks/query/screen_stego.h"
#include "base/error.h"
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

static const char *const detectors[] = { "confidence", "strip", "squeeze", "chi2", "rs" };
enum { DETECTORS = 5, N = 40, LEN = 784, OVERLAYS = 5 };

static void run(const char *detector, const char *alpha, struct ledger *l, struct product *p)
{
	char text[128];

	snprintf(text, sizeof(text), "overlays=%d detector=%s alpha=%s", OVERLAYS, detector, alpha);
	ck_assert_msg(world_attack(&w, attack_named("screen"), text, l, p) == 0, "%s", error_text());
	ck_assert_int_eq(p->goal, GOAL_DEGRADE);
}

static void load(float *x)
{
	for (int i = 0; i < N; i++)
		images_get(&w.splits.test, i, x + i * LEN);
}

static void detect(const struct product *p, const float *x, int n, double *score)
{
	ck_assert_msg(p->detect(p, x, n, 1, 28, 28, score) == 0, "%s", error_text());
	for (int i = 0; i < n; i++)
		ck_assert(isfinite(score[i]));
}

START_TEST(the_ends_flag_nothing_and_everything)
{
	float in[N * LEN], out[N * LEN];
	struct product p;

	load(in);
	run(detectors[_i], "0", NULL, &p);
	ck_assert_int_eq(p.channel(&p, in, N, 1, 28, 28, out), 0);
	ck_assert_mem_eq(in, out, sizeof(in));
	product_release(&p);
	run(detectors[_i], "1", NULL, &p);
	ck_assert_int_eq(p.channel(&p, in, N, 1, 28, 28, out), 0);
	for (int i = 0; i < N * LEN; i++)
		ck_assert_float_eq(out[i], 0);
	product_release(&p);
}
END_TEST

/* Of its own validation images at most the rate is flagged; and a score does not depend on the batch. */
START_TEST(rate_holds_and_batches_do_not_matter)
{
	const struct images *val = &w.splits.attacker_val;
	float *x = xmalloc((size_t)val->n * LEN, sizeof(*x));
	double *score = xmalloc(val->n, sizeof(*score)), alone;
	int over = 0;
	struct product p;

	for (int i = 0; i < val->n; i++)
		images_get(val, i, x + i * LEN);
	run(detectors[_i], "0.3", NULL, &p);
	detect(&p, x, val->n, score);
	for (int i = 0; i < val->n; i++)
		over += score[i] > p.threshold;
	ck_assert_int_le(over, (int)(0.3 * val->n));
	detect(&p, x + (val->n - 1) * LEN, 1, &alone);
	ck_assert_double_eq(alone, score[val->n - 1]);
	product_release(&p);
	free(score);
	free(x);
}
END_TEST

static void probs_of(struct model *m, const float *x, float *probs)
{
	const struct images v = { .n = 1, .c = 1, .h = 28, .w = 28, .fx = x };

	ck_assert_int_eq(model_predict_probs(m, &v, probs), 0);
}

START_TEST(scores_are_their_formulas)
{
	const struct shape s = { 1, 28, 28 };
	float in[LEN], other[LEN], probs[10], plain[10], top = 0;
	double score, want = 0;
	struct product p;

	images_get(&w.splits.test, 3, in);
	run("confidence", "0.1", NULL, &p);
	detect(&p, in, 1, &score);
	probs_of(p.stolen, in, plain);
	for (int k = 0; k < 10; k++)
		top = fmaxf(top, plain[k]);
	ck_assert_double_eq(score, 1 - (double)top);
	product_release(&p);

	run("squeeze", "0.1", NULL, &p);
	detect(&p, in, 1, &score);
	for (int how = 0; how < 2; how++) {
		double sum = 0;

		if (how)
			img_median(in, s, 1, other);
		else
			img_levels(in, s, 2, other);
		probs_of(p.stolen, other, probs);
		for (int k = 0; k < 10; k++)
			sum += fabs((double)probs[k] - (double)plain[k]);
		want = fmax(want, sum);
	}
	ck_assert_double_eq_tol(score, want, 1e-12);
	product_release(&p);

	run("strip", "0.1", NULL, &p);
	detect(&p, in, 1, &score);
	want = 0;
	for (int i = 0; i < OVERLAYS; i++) { /* the first of the attack pool */
		images_get(&w.splits.pool, i, other);
		for (int k = 0; k < LEN; k++)
			other[k] = fminf(other[k] + in[k], 1);
		probs_of(p.stolen, other, probs);
		for (int k = 0; k < 10; k++)
			want -= probs[k] > 0 ? (double)probs[k] * log((double)probs[k]) / OVERLAYS : 0;
	}
	ck_assert_double_eq_tol(score, -want, 1e-9);
	product_release(&p);
}
END_TEST

/* Images whose lowest bits are random are found among images of even values; a validation set of even values is not at hand, so
 * the order of scores is what is tested. */
START_TEST(random_bits_look_suspicious)
{
	const char *detector = detectors[3 + _i];
	double even = 0, random = 0;
	struct product p;
	struct rng r;

	run(detector, "0.1", NULL, &p);
	rng_open(&r, 1, "screen test", 0, 0);
	for (int i = 0; i < N; i++) {
		float in[LEN];
		double score;

		for (int k = 0; k < LEN; k++) {
			const double v = 100 + 60 * sin(k % 28 * 0.15 + i) + 20 * cos(k / 28 * 0.1) + 1.5 * rng_normal(&r);

			in[k] = (float)(2 * lround(v / 2)) / 255.0f;
		}
		detect(&p, in, 1, &score);
		even += score / N;
		for (int k = 0; k < LEN; k++)
			in[k] += (float)(rng_u32(&r) & 1) / 255.0f;
		detect(&p, in, 1, &score);
		random += score / N;
	}
	ck_assert_msg(random > even + 0.3, "%s: %g with random bits, %g without", detector, random, even);
	product_release(&p);
}
END_TEST

START_TEST(spends_and_needs_what_it_uses)
{
	static const int cost[] = { 1, OVERLAYS, 3, 0, 0 };
	const struct attack *a = attack_named("screen");

	for (int i = 0; i < DETECTORS; i++) {
		struct ledger l = { 0 };
		struct product p;
		char text[64];
		void *conf;

		run(detectors[i], "0.1", &l, &p);
		ck_assert_double_eq(l.forward_equivalents, (double)cost[i] * w.splits.attacker_val.n);
		ck_assert_int_eq(l.queries + l.labels + l.submissions, 0);
		ck_assert_int_eq(p.stolen != NULL, cost[i] > 0);
		product_release(&p);
		snprintf(text, sizeof(text), "detector=%s", detectors[i]);
		conf = conf_of(&a->drv, text);
		ck_assert_uint_eq(a->needs_for(conf), CAP_CHANNEL | CAP_UNLABELLED | (cost[i] ? CAP_WEIGHTS : 0));
		free(conf);
	}
}
END_TEST

Suite *suite_screen(void);
Suite *suite_screen(void)
{
	Suite *s = suite_create("screen");
	TCase *tc = tcase_create("screen");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, the_ends_flag_nothing_and_everything, 0, DETECTORS);
	tcase_add_loop_test(tc, rate_holds_and_batches_do_not_matter, 0, DETECTORS);
	tcase_add_test(tc, scores_are_their_formulas);
	tcase_add_loop_test(tc, random_bits_look_suspicious, 0, 2);
	tcase_add_test(tc, spends_and_needs_what_it_uses);
	suite_add_tcase(s, tc);
	return s;
}
