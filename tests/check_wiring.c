/* nn/wiring.c: the groups are the right ones, because changing a model along them leaves its answers alone. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "nn/wiring.h"
#include "tests/support_bench.h"

enum { IMAGES = 5 };

/* An architecture, its input, and how many groups of channels it has: counted by hand from the forward functions. */
static const struct { const char *name; int c, side, classes, groups; } nets[] = {
	{ "lenet5", 1, 28, 10, 4 }, { "lenet5", 3, 32, 11, 4 }, { "mlp-9", 1, 6, 4, 2 }, { "cae-3", 1, 8, 1, 4 },
	{ "wrn10-1", 3, 16, 10, 6 },  /* block 1's shortcut is the identity: its output is the stem's group */
	{ "wrn10-2", 3, 16, 10, 7 }, { "wrn10t-1", 3, 16, 10, 8 }, { "wrn10t-2", 1, 16, 5, 7 },
};

/* Random weights, and random batch norms as after training (a fresh one hides a mistake: all channels are alike). */
static struct model *make(int i)
{
	struct model_spec s = { .c = nets[i].c, .h = nets[i].side, .w = nets[i].side, .classes = nets[i].classes };
	struct model *m;
	struct rng r;

	ck_assert_int_eq(model_spec_parse(&s, nets[i].name), 0);
	m = model_new(&s, 3);
	ck_assert_ptr_nonnull(m);
	rng_open(&r, 5, "norms", 0, 0);
	for (int k = 0; k < m->np; k++)
		for (size_t e = 0; m->p[k].nd == 1 && e < m->p[k].len; e++)
			m->p[k].x[e] = (real)(m->p[k].buffer || strstr(m->p[k].name, "bn") ? 0.2 + rng_uniform(&r) : rng_normal(&r) / 10);
	return m;
}

/* Logits of IMAGES random images; caller frees. */
static float *answers(struct model *m)
{
	const size_t len = (size_t)m->spec.c * m->spec.h * m->spec.w;
	float *px = malloc(IMAGES * len * sizeof(*px)), *out = malloc(sizeof(*out) * IMAGES * (size_t)model_outputs(m));
	struct images v = { .n = IMAGES, .c = m->spec.c, .h = m->spec.h, .w = m->spec.w, .fx = px };
	struct rng r;

	rng_open(&r, 9, "images", 0, 0);
	for (size_t i = 0; i < IMAGES * len; i++)
		px[i] = (float)rng_uniform(&r);
	ck_assert_int_eq(model_predict(m, &v, out), 0);
	free(px);
	return out;
}

/* Largest difference of two models' answers, by the size of the first's. */
static double apart(struct model *a, struct model *b)
{
	float *x = answers(a), *y = answers(b);
	double worst = 0, size = 0;

	for (int i = 0; i < IMAGES * model_outputs(a); i++) {
		worst = fmax(worst, fabs((double)x[i] - (double)y[i]));
		size = fmax(size, fabs((double)x[i]));
	}
	free(x);
	free(y);
	return worst / size;
}

static void permute_group(const struct wiring_group *g, struct rng *r)
{
	int perm[512];

	ck_assert_int_le(g->channels, 512);
	rng_permutation(r, perm, g->channels);
	wiring_permute(g, perm);
}

START_TEST(permuting_keeps_the_function)
{
	struct model *m = make(_i), *before = model_copy(m);
	struct wiring w;
	struct rng r;

	ck_assert_int_eq(wiring_of(m, &w), 0);
	ck_assert_int_eq(w.n, nets[_i].groups);
	rng_open(&r, 1, "permute", 0, 0);
	for (int i = 0; i < w.n; i++)
		permute_group(&w.group[i], &r);
	ck_assert_uint_ne(model_bits(m), model_bits(before));
	ck_assert_double_lt(apart(before, m), 2e-5);
	model_free(before);
	model_free(m);
}
END_TEST

/* Every number but the logits' biases belongs to a channel: with all channels permuted nearly none stays in place. What the groups
 * forget would stay. */
START_TEST(groups_reach_every_layer)
{
	struct model *m = make(_i);
	struct wiring w;
	const struct param *p;

	ck_assert_int_eq(wiring_of(m, &w), 0);
	for (int i = 0; i < w.n; i++)
		for (int k = 0; k < w.group[i].channels; k++)
			wiring_remove(&w.group[i], k);
	for (int i = 0; i < m->np; i++) {
		p = &m->p[i];
		for (size_t e = 0; !p->buffer && i != m->np - 1 && e < p->len; e++)
			if (p->x[e] != 0)
				ck_assert_msg(p->nd == 1 && p->d[0] == m->spec.classes, "%s is in no group", p->name);
	}
	model_free(m);
}
END_TEST

static void scale_group(const struct wiring_group *g, struct rng *r, bool flip)
{
	for (int k = 0; k < g->channels; k++) {
		double a = 0.8 + rng_uniform(r);

		if (flip && g->reader[0].norm[0] && rng_below(r, 2))
			a = -a;
		ck_assert(wiring_scale(g, k, a));
		for (int i = 0; i < g->nreaders; i++)
			if (g->reader[i].norm[0])
				wiring_scale_norm(&g->reader[i], g->channels, k, 0.5 + rng_uniform(r));
	}
}

START_TEST(scaling_keeps_the_function)
{
	struct model *m = make(_i), *before = model_copy(m);
	struct wiring w;
	struct rng r;

	ck_assert_int_eq(wiring_of(m, &w), 0);
	rng_open(&r, 1, "scale", 0, 0);
	for (int i = 0; i < w.n; i++)
		scale_group(&w.group[i], &r, true);
	ck_assert_double_lt(apart(before, m), 5e-5);
	model_free(before);
	model_free(m);
}
END_TEST

START_TEST(what_cannot_be_scaled_stays)
{
	struct model *m = make(0), *n = make(5);
	struct wiring w;
	unsigned long before = model_bits(m);

	ck_assert_int_eq(wiring_of(m, &w), 0);
	ck_assert(!wiring_scale(&w.group[1], 0, -1)); /* ReLU does not commute with a change of sign */
	ck_assert_uint_eq(model_bits(m), before);
	ck_assert_int_eq(wiring_of(n, &w), 0);
	w.group[0].reader[0].norm[NORM_VAR]->x[0] = 0;
	before = model_bits(n);
	ck_assert(!wiring_scale(&w.group[0], 0, 0.5)); /* the variance would be below 0 */
	ck_assert_uint_eq(model_bits(n), before);
	model_free(m);
	model_free(n);
}
END_TEST

/* Removing a channel is what a weight of 0 in front of its readers does; a wrong span would take another's. */
START_TEST(removing_silences_one_channel)
{
	struct model *m = make(0), *other;
	struct param *fc1;
	struct wiring w;

	other = model_copy(m);
	ck_assert_int_eq(wiring_of(m, &w), 0);
	wiring_remove(&w.group[1], 3); /* of conv2: fc1 reads it with 25 numbers a unit */
	fc1 = model_find(other, "fc1.weight");
	for (int o = 0; o < 120; o++)
		for (int i = 0; i < 25; i++)
			fc1->x[o * 400 + 75 + i] = 0;
	ck_assert_double_eq(apart(other, m), 0);
	model_free(m);
	model_free(other);
}
END_TEST

/* A channel with weights 0 and bias b > 0 is b everywhere. */
START_TEST(means_are_those_in_front_of_the_reader)
{
	struct model *m = make(0);
	double mean[16];
	struct wiring w;
	float px[2 * 784] = { 0 };
	const struct images v = { .n = 2, .c = 1, .h = 28, .w = 28, .fx = px };

	ck_assert_int_eq(wiring_of(m, &w), 0);
	memset(model_find(m, "conv2.weight")->x, 0, model_find(m, "conv2.weight")->len * sizeof(real));
	for (int i = 0; i < 16; i++)
		model_find(m, "conv2.bias")->x[i] = (real)(i - 4) / 8;
	ck_assert_int_eq(wiring_means(m, &w.group[1], &w.group[1].reader[0], &v, mean), 0);
	for (int i = 0; i < 16; i++)
		ck_assert_double_eq_tol(mean[i], i < 4 ? 0 : (i - 4) / 8.0, 1e-12);
	model_free(m);
}
END_TEST

START_TEST(an_unknown_architecture_is_an_error)
{
	struct model_spec s = { .arch = "unet", .c = 1, .h = 8, .w = 8, .classes = 1 };
	struct model *m = model_new(&s, 1);
	struct wiring w;

	ck_assert_int_eq(wiring_of(m, &w), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "unet"));
	error_clear();
	model_free(m);
}
END_TEST

Suite *suite_wiring(void);
Suite *suite_wiring(void)
{
	Suite *s = suite_create("wiring");
	TCase *tc = tcase_create("wiring");

	tcase_add_loop_test(tc, permuting_keeps_the_function, 0, (int)ARRAY_LEN(nets));
	tcase_add_loop_test(tc, groups_reach_every_layer, 0, (int)ARRAY_LEN(nets));
	tcase_add_loop_test(tc, scaling_keeps_the_function, 0, (int)ARRAY_LEN(nets));
	tcase_add_test(tc, what_cannot_be_scaled_stays);
	tcase_add_test(tc, removing_silences_one_channel);
	tcase_add_test(tc, means_are_those_in_front_of_the_reader);
	tcase_add_test(tc, an_unknown_architecture_is_an_error);
	suite_add_tcase(s, tc);
	return s;
}
