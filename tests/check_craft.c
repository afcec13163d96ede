/* nn/craft.c: what each method promises, on a small LeNet-5. */
#include "nn/craft.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/tile.h"
#include "tests/support_scheme.h"
#include <check.h>
#include <math.h>
#include <signal.h>
#include <string.h>

enum { LEN = 784, K = 10 };

static struct desk desk;

static void setup(void)
{
	desk_open(&desk);
}

static void teardown(void)
{
	desk_close(&desk);
}

/* ---- helpers ---- */

struct sample {
	int n;
	float *x, *out, *l2, *conf;
	int *y, *target;
	unsigned char *ok;
};

/* n test images, their labels, and targets that differ from them. */
static struct sample sample_of(int n)
{
	struct sample s = { .n = n };

	s.x = malloc((size_t)n * LEN * sizeof(float));
	s.out = malloc((size_t)n * LEN * sizeof(float));
	s.l2 = malloc((size_t)n * sizeof(float));
	s.conf = malloc((size_t)n * sizeof(float));
	s.y = malloc((size_t)n * sizeof(int));
	s.target = malloc((size_t)n * sizeof(int));
	s.ok = malloc((size_t)n);
	for (int i = 0; i < n; i++) {
		images_get(&desk.splits.test, i, s.x + (long)i * LEN);
		s.y[i] = images_label(&desk.splits.test, i);
		s.target[i] = (s.y[i] + 1 + i % 9) % K;
		s.conf[i] = (float[]){ 0.3f, 0.4f }[i % 2];
	}
	return s;
}

static void sample_free(struct sample *s)
{
	free(s->x);
	free(s->out);
	free(s->l2);
	free(s->conf);
	free(s->y);
	free(s->target);
	free(s->ok);
}

/* Logits or probabilities of rows x; caller frees. */
static float *answers(const float *x, int n, int probs)
{
	const struct images v = { .n = n, .c = 1, .h = 28, .w = 28, .classes = K, .fx = x };
	float *out = malloc((size_t)n * K * sizeof(float));

	ck_assert_int_eq((probs ? model_predict_probs : model_predict)(desk.base, &v, out), 0);
	return out;
}

static int top_of(const float *row)
{
	int top;

	argmax_rows(row, 1, K, &top);
	return top;
}

static int count_right(const float *x, const int *y, int n)
{
	float *z = answers(x, n, 0);
	int right = 0;

	for (int i = 0; i < n; i++)
		right += top_of(z + i * K) == y[i];
	free(z);
	return right;
}

static double largest_change(const float *a, const float *b, long n)
{
	double top = 0;

	for (long j = 0; j < n; j++)
		top = fmax(top, fabs((double)(a[j] - b[j])));
	return top;
}

static void expect_unit_range(const float *x, long n)
{
	for (long j = 0; j < n; j++)
		ck_assert(x[j] >= 0 && x[j] <= 1);
}

static const struct cw_conf plain = { .steps = 100, .search = 1, .lr = 0.05, .lr_decay = 0.1, .alpha = 20, .alpha_max = 40 };

static struct cw_conf aimed(int confidence)
{
	struct cw_conf c = plain;

	c.confidence = confidence;
	c.steps = 300;
	c.lr_decay = 0.02;
	c.tolerance = 0.005;
	return c;
}

static int cw(struct sample *s, const struct cw_conf *c, double *spent)
{
	int found = 0;

	ck_assert_msg(craft_cw(desk.base, s->x, s->target, s->conf, s->n, c, s->out, s->ok, s->l2, NULL, spent) == 0, "%s",
		      error_text());
	for (int i = 0; i < s->n; i++)
		found += s->ok[i];
	return found;
}

/* ---- FGSM and PGD ---- */

START_TEST(fgsm_moves_every_pixel_by_eps)
{
	struct sample s = sample_of(40);
	int moved = 0, inside = 0;

	memcpy(s.out, s.x, (size_t)s.n * LEN * sizeof(float));
	ck_assert_int_eq(craft_fgsm(desk.base, s.out, s.y, s.n, 0, 0.1), 0);
	expect_unit_range(s.out, (long)s.n * LEN);
	for (long j = 0; j < (long)s.n * LEN; j++)
		if (s.x[j] > 0.1f && s.x[j] < 0.9f) {
			inside++;
			moved += fabs(fabs((double)(s.out[j] - s.x[j])) - 0.1) < 1e-6;
		}
	ck_assert_int_gt(moved, inside * 9 / 10); /* some pixels have no gradient at all */
	ck_assert(largest_change(s.out, s.x, (long)s.n * LEN) < 0.1 + 1e-6);
	ck_assert_int_lt(count_right(s.out, s.y, s.n), count_right(s.x, s.y, s.n) - s.n / 3);
	sample_free(&s);
}
END_TEST

START_TEST(fgsm_moves_up_the_loss_and_targeted_down)
{
	struct sample s = sample_of(40);
	float *before, *after;
	int worse = 0, nearer = 0;

	before = answers(s.x, s.n, 0);
	memcpy(s.out, s.x, (size_t)s.n * LEN * sizeof(float));
	ck_assert_int_eq(craft_fgsm(desk.base, s.out, s.y, s.n, 0, 0.01), 0);
	after = answers(s.out, s.n, 0);
	softmax_rows(before, s.n, K);
	softmax_rows(after, s.n, K);
	for (int i = 0; i < s.n; i++)
		worse += after[i * K + s.y[i]] <= before[i * K + s.y[i]];
	ck_assert_int_eq(worse, s.n);
	free(after);
	memcpy(s.out, s.x, (size_t)s.n * LEN * sizeof(float));
	ck_assert_int_eq(craft_fgsm(desk.base, s.out, s.target, s.n, 1, 0.01), 0);
	after = answers(s.out, s.n, 1);
	for (int i = 0; i < s.n; i++)
		nearer += after[i * K + s.target[i]] >= before[i * K + s.target[i]];
	ck_assert_int_ge(nearer, s.n - 1);
	free(before);
	free(after);
	sample_free(&s);
}
END_TEST

START_TEST(pgd_stays_in_its_box_and_beats_fgsm)
{
	struct sample s = sample_of(60);
	const struct pgd_conf c = { .eps = 0.06, .step = 0.01, .steps = 12, .random_start = 1 };
	float *again = malloc((size_t)s.n * LEN * sizeof(float));
	int fgsm;

	memcpy(s.out, s.x, (size_t)s.n * LEN * sizeof(float));
	ck_assert_int_eq(craft_fgsm(desk.base, s.out, s.y, s.n, 0, 0.06), 0);
	fgsm = count_right(s.out, s.y, s.n);
	memcpy(s.out, s.x, (size_t)s.n * LEN * sizeof(float));
	ck_assert_int_eq(craft_pgd(desk.base, s.out, s.y, s.n, &c, 3), 0);
	expect_unit_range(s.out, (long)s.n * LEN);
	ck_assert(largest_change(s.out, s.x, (long)s.n * LEN) < 0.06 + 1e-6);
	ck_assert_int_le(count_right(s.out, s.y, s.n), fgsm);
	memcpy(again, s.x, (size_t)s.n * LEN * sizeof(float));
	ck_assert_int_eq(craft_pgd(desk.base, again, s.y, s.n, &c, 3), 0);
	ck_assert_int_eq(memcmp(again, s.out, (size_t)s.n * LEN * sizeof(float)), 0);
	memcpy(again, s.x, (size_t)s.n * LEN * sizeof(float));
	ck_assert_int_eq(craft_pgd(desk.base, again, s.y, s.n, &c, 4), 0);
	ck_assert_int_ne(memcmp(again, s.out, (size_t)s.n * LEN * sizeof(float)), 0);
	free(again);
	sample_free(&s);
}
END_TEST

/* ---- Carlini & Wagner ---- */

START_TEST(cw_hits_its_targets)
{
	struct sample s = sample_of(40);
	double spent = 0;
	float *z;
	int found = cw(&s, &plain, &spent);

	ck_assert_int_ge(found, s.n * 9 / 10);
	ck_assert(spent > 2 * s.n && spent <= 2.0 * s.n * plain.steps);
	expect_unit_range(s.out, (long)s.n * LEN);
	z = answers(s.out, s.n, 0);
	for (int i = 0; i < s.n; i++) {
		double d = 0;

		for (int j = 0; j < LEN; j++)
			d += pow((double)(s.out[i * LEN + j] - s.x[i * LEN + j]), 2);
		ck_assert_double_eq_tol(sqrt(d), (double)s.l2[i], 1e-3);
		ck_assert_int_eq(s.ok[i], top_of(z + i * K) == s.target[i]);
		ck_assert_double_lt((double)s.l2[i], 10);
	}
	free(z);
	sample_free(&s);
}
END_TEST

START_TEST(cw_with_kappa_is_sure_of_its_targets)
{
	struct sample s = sample_of(20);
	struct cw_conf c = plain;
	float *z;

	c.kappa = 4;
	ck_assert_int_ge(cw(&s, &c, NULL), s.n * 8 / 10);
	z = answers(s.out, s.n, 0);
	for (int i = 0; i < s.n; i++)
		for (int j = 0; j < K && s.ok[i]; j++)
			ck_assert(j == s.target[i] || z[i * K + s.target[i]] - z[i * K + j] > 3.999f);
	free(z);
	sample_free(&s);
}
END_TEST

/* The search begins with the given alpha, so more search steps can only come closer. */
START_TEST(cw_search_comes_closer)
{
	struct sample a = sample_of(20), b = sample_of(20);
	struct cw_conf c = plain;
	double nearer = 0;

	cw(&a, &c, NULL);
	c.search = 4;
	cw(&b, &c, NULL);
	for (int i = 0; i < a.n; i++) {
		ck_assert(b.ok[i] >= a.ok[i]);
		ck_assert(!a.ok[i] || b.l2[i] <= a.l2[i]);
		nearer += a.ok[i] && b.l2[i] < a.l2[i] * 0.95f;
	}
	ck_assert_double_gt(nearer, 5);
	sample_free(&a);
	sample_free(&b);
}
END_TEST

static const int confident[] = { CW_SOFTMAX, CW_KL, CW_LOG };

START_TEST(cw_reaches_a_confidence)
{
	struct sample s = sample_of(40);
	struct cw_conf c = aimed(confident[_i]);
	float *p;

	c.alpha = confident[_i] == CW_KL ? 200 : confident[_i] == CW_LOG ? 1000 : 20;
	c.alpha_max = 2 * c.alpha;
	c.kappa = c.spread = confident[_i] == CW_LOG ? 0.05 : 0;
	c.no_abort = confident[_i] == CW_LOG;
	ck_assert_int_ge(cw(&s, &c, NULL), confident[_i] == CW_LOG ? s.n * 6 / 10 : s.n / 8); /* it has a slope where P_t is 0 */
	p = answers(s.out, s.n, 1);
	for (int i = 0; i < s.n; i++) {
		const double off = fabs((double)p[i * K + s.target[i]] - (double)s.conf[i]);

		if (s.ok[i])
			ck_assert(top_of(p + i * K) == s.target[i] && off < 0.005 + 1e-6);
		else /* nothing found: the image itself */
			ck_assert_int_eq(memcmp(s.out + i * LEN, s.x + i * LEN, LEN * sizeof(float)), 0);
	}
	free(p);
	sample_free(&s);
}
END_TEST

START_TEST(cw_literal_reading_aims_the_logit)
{
	struct sample s = sample_of(30);
	const struct cw_conf c = aimed(CW_LOGIT);
	float *z;

	ck_assert_int_ge(cw(&s, &c, NULL), s.n / 8);
	z = answers(s.out, s.n, 0);
	for (int i = 0; i < s.n; i++)
		if (s.ok[i])
			ck_assert(top_of(z + i * K) == s.target[i] &&
				  fabs((double)(z[i * K + s.target[i]] - s.conf[i])) < 0.005 + 1e-5);
	free(z);
	sample_free(&s);
}
END_TEST

START_TEST(cw_rounds_to_8_bits)
{
	struct sample s = sample_of(30);
	struct cw_conf c = aimed(CW_SOFTMAX);
	float *p;

	c.round8 = 1;
	ck_assert_int_ge(cw(&s, &c, NULL), s.n / 10);
	for (long j = 0; j < (long)s.n * LEN; j++)
		ck_assert(s.out[j] == (float)lrintf(s.out[j] * 255) / 255.0f);
	p = answers(s.out, s.n, 1);
	for (int i = 0; i < s.n; i++)
		ck_assert(!s.ok[i] || fabs((double)(p[i * K + s.target[i]] - s.conf[i])) < 0.005 + 1e-6);
	free(p);
	sample_free(&s);
}
END_TEST

START_TEST(cw_first_success_is_cheaper)
{
	struct sample a = sample_of(20), b = sample_of(20);
	struct cw_conf c = plain;
	double full = 0, first = 0;

	c.no_abort = 1;
	cw(&a, &c, &full);
	ck_assert_double_eq(full, 2.0 * a.n * c.steps);
	c.first = 1;
	cw(&b, &c, &first);
	ck_assert_double_lt(first, full / 2);
	for (int i = 0; i < a.n; i++) {
		ck_assert_int_eq(a.ok[i], b.ok[i]);
		ck_assert(a.l2[i] <= b.l2[i]);
	}
	sample_free(&a);
	sample_free(&b);
}
END_TEST

/* More images than are in flight at once, so that finished ones are replaced and the rest moves together. */
START_TEST(cw_neighbours_and_threads_change_nothing)
{
	struct sample all = sample_of(170), some = sample_of(170);
	struct cw_conf c = aimed(CW_SOFTMAX);

	c.steps = 24;
	c.tolerance = 0.2;
	c.search = 2;
	c.first = 1;
	tile_threads(1);
	ck_assert_int_gt(cw(&all, &c, NULL), 20);
	tile_threads(3);
	cw(&some, &c, NULL);
	ck_assert_int_eq(memcmp(all.out, some.out, (size_t)all.n * LEN * sizeof(float)), 0);
	ck_assert_int_eq(memcmp(all.ok, some.ok, (size_t)all.n), 0);
	for (int i = 160; i < 163; i++) { /* alone */
		float out[LEN], l2;
		unsigned char ok;

		ck_assert_int_eq(craft_cw(desk.base, all.x + i * LEN, all.target + i, all.conf + i, 1, &c, out, &ok, &l2, NULL, NULL),
				 0);
		ck_assert_int_eq(ok, all.ok[i]);
		ck_assert(l2 == all.l2[i]);
		ck_assert_int_eq(memcmp(out, all.out + i * LEN, sizeof(out)), 0);
	}
	sample_free(&all);
	sample_free(&some);
}
END_TEST

START_TEST(crafting_leaves_the_model_alone)
{
	struct sample s = sample_of(10);
	char before[65], after[65];

	model_hash(desk.base, before);
	model_zero_grad(desk.base);
	cw(&s, &plain, NULL);
	craft_fgsm(desk.base, s.x, s.y, s.n, 0, 0.1);
	model_hash(desk.base, after);
	ck_assert_str_eq(before, after);
	for (size_t i = 0; i < desk.base->ng; i++)
		ck_assert(desk.base->g[i] == 0);
	sample_free(&s);
}
END_TEST

START_TEST(cw_refuses_nonsense)
{
	struct sample s = sample_of(2);
	struct cw_conf c = plain;

	c.steps = 0;
	ck_assert_int_eq(craft_cw(desk.base, s.x, s.target, NULL, s.n, &c, s.out, s.ok, NULL, NULL, NULL), -1);
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	error_clear();
	ck_assert_int_eq(craft_cw(desk.base, s.x, s.target, NULL, 0, &plain, s.out, s.ok, NULL, NULL, NULL), 0);
	sample_free(&s);
}
END_TEST

START_TEST(an_interrupt_stops_it)
{
	struct sample s = sample_of(2);

	interrupt_install();
	raise(SIGINT);
	ck_assert_int_eq(craft_cw(desk.base, s.x, s.target, NULL, s.n, &plain, s.out, s.ok, NULL, NULL, NULL), -1);
	ck_assert_int_eq(error_code(), EXIT_SIGINT);
	error_clear();
	ck_assert_int_eq(craft_fgsm(desk.base, s.x, s.y, s.n, 0, 0.1), -1);
	sample_free(&s);
}
END_TEST

Suite *suite_craft(void);
Suite *suite_craft(void)
{
	Suite *s = suite_create("craft");
	TCase *tc = tcase_create("craft");

	tcase_set_timeout(tc, 120);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_test(tc, fgsm_moves_every_pixel_by_eps);
	tcase_add_test(tc, fgsm_moves_up_the_loss_and_targeted_down);
	tcase_add_test(tc, pgd_stays_in_its_box_and_beats_fgsm);
	tcase_add_test(tc, cw_hits_its_targets);
	tcase_add_test(tc, cw_with_kappa_is_sure_of_its_targets);
	tcase_add_test(tc, cw_search_comes_closer);
	tcase_add_loop_test(tc, cw_reaches_a_confidence, 0, (int)(sizeof(confident) / sizeof(*confident)));
	tcase_add_test(tc, cw_literal_reading_aims_the_logit);
	tcase_add_test(tc, cw_rounds_to_8_bits);
	tcase_add_test(tc, cw_first_success_is_cheaper);
	tcase_add_test(tc, cw_neighbours_and_threads_change_nothing);
	tcase_add_test(tc, crafting_leaves_the_model_alone);
	tcase_add_test(tc, cw_refuses_nonsense);
	tcase_add_test(tc, an_interrupt_stops_it);
	suite_add_tcase(s, tc);
	return s;
}
