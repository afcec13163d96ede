/* attacks/kit/evasion.c: stays in the box, means what it says, is no weaker than PGD, and is not fooled by the scale of logits. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "attacks/kit/evasion.h"
#include "base/error.h"
#include "nn/craft.h"
#include "tests/support_scheme.h"

enum { N = 60, LEN = 784 };
#define EPS 0.1

static struct desk desk;
static float clean[N * LEN];
static int target[N];

static void setup(void)
{
	desk_open(&desk);
	for (int i = 0; i < N; i++) {
		images_get(&desk.splits.pool, i, clean + i * LEN);
		target[i] = (images_label(&desk.splits.pool, i) + 1) % 10;
	}
}

static void teardown(void)
{
	desk_close(&desk);
}

/* How many the model takes for the target. */
static int there(struct model *m, const float *x)
{
	const struct images v = { .n = N, .c = 1, .h = 28, .w = 28, .classes = 10, .fx = x };
	float z[N * 10];
	int top[N], n = 0;

	ck_assert_int_eq(model_predict(m, &v, z), 0);
	argmax_rows(z, N, 10, top);
	for (int i = 0; i < N; i++)
		n += top[i] == target[i];
	return n;
}

/* Successes by each; checks the box, and that what is said is so. */
static int attack(struct model *m, int steps, int queries, int by_count[4])
{
	const struct strongest_conf c = { .eps = EPS, .steps = steps, .queries = queries };
	float *x = xmalloc(N * LEN, sizeof(*x));
	int by[N], all;
	double fe = 0;

	memcpy(x, clean, sizeof(clean));
	memset(by_count, 0, 4 * sizeof(*by_count));
	ck_assert_int_eq(strongest_union(m, x, target, N, &c, 3, by, &fe), 0);
	for (int i = 0; i < N; i++) {
		by_count[by[i]]++;
		for (int k = 0; k < LEN; k++) {
			const double moved = fabs((double)x[i * LEN + k] - (double)clean[i * LEN + k]);

			ck_assert(moved <= EPS + 1e-6 && x[i * LEN + k] >= 0 && x[i * LEN + k] <= 1);
			ck_assert(by[i] != STRONGEST_NONE || moved == 0); /* who resists is left as he was */
		}
	}
	all = there(m, x);
	ck_assert_int_ge(all, N - by_count[0]);
	ck_assert_int_eq(fe > 0, steps + queries > 0);
	free(x);
	return all;
}

START_TEST(no_weaker_than_pgd)
{
	const struct pgd_conf pgd = { .eps = EPS, .step = 0.01, .steps = 40, .random_start = 1, .targeted = 1 };
	float *x = xmalloc(N * LEN, sizeof(*x));
	int by[4], all = attack(desk.base, 40, 0, by), weaker;

	memcpy(x, clean, sizeof(clean));
	ck_assert_int_eq(craft_pgd(desk.base, x, target, N, &pgd, 3), 0);
	weaker = there(desk.base, x);
	ck_assert_int_ge(all, weaker);
	ck_assert_int_gt(all, there(desk.base, clean) + 5);
	free(x);
}
END_TEST

/* Logits ten thousand times as large, whose softmax says 0 or 1: no image is safer for it. */
START_TEST(scaled_logits_do_not_help)
{
	struct model *m = model_copy(desk.base);
	int by[4], all = attack(desk.base, 40, 0, by);

	for (int i = m->np - 2; i < m->np; i++)
		for (size_t k = 0; k < m->p[i].len; k++)
			m->p[i].x[k] *= 1e4f;
	ck_assert_int_ge(attack(m, 40, 0, by), all * 9 / 10);
	model_free(m);
}
END_TEST

/* Questions alone get somewhere, and more of them further. */
START_TEST(square_asks_only)
{
	int few[4], many[4];

	attack(desk.base, 0, 10, few);
	attack(desk.base, 0, 300, many);
	ck_assert_int_eq(many[STRONGEST_BY_CE] + many[STRONGEST_BY_DLR], 0);
	ck_assert_int_gt(many[STRONGEST_BY_SQUARE], few[STRONGEST_BY_SQUARE]);
	attack(desk.base, 0, 0, few);
	ck_assert_int_eq(few[STRONGEST_NONE], N);
}
END_TEST

Suite *suite_strongest(void);
Suite *suite_strongest(void)
{
	Suite *s = suite_create("strongest");
	TCase *tc = tcase_create("strongest");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, no_weaker_than_pgd);
	tcase_add_test(tc, scaled_logits_do_not_help);
	tcase_add_test(tc, square_asks_only);
	suite_add_tcase(s, tc);
	return s;
}
