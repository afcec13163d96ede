/* Function-preserving transforms: the same answers from other numbers. Channels are permuted together with the next layer's
 * inputs, or made a > 0 times as large and the next layer's weights 1/a (through ReLU; batch norm takes a into its statistics, and
 * with flip also a change of sign). No data, no loss of accuracy.
 *
 * Source: Yan et al., "Rethinking white-box watermarks on deep learning models under neural structural obfuscation", USENIX
 * Security 2023, and the invariances it lists (neuron permutation, weight scaling, sign flipping).
 * Differs: dummy neurons are left out, because they change the architecture; factors are drawn log-uniform. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/attack.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "nn/wiring.h"

enum { PROBES = 16 };
enum kind { KIND_PERMUTE, KIND_SCALE, KIND_BOTH };
#define TOLERANCE 1e-3 /* of the answers' size; one thing wrong in the wiring moves them by tenths */

struct transform_conf {
	double share, factor;
	int kind, flip;
};

static const struct opt transform_opts[] = {
	{ "share", OPT_FLOAT, offsetof(struct transform_conf, share), "1", 0, 1, "share of every layer's channels that take part", NULL },
	{ "kind", OPT_CHOICE, offsetof(struct transform_conf, kind), "permute", 0, 0, "what happens to them", "permute|scale|both" },
	{ "factor", OPT_FLOAT, offsetof(struct transform_conf, factor), "2", 1, 1000, "factors are drawn from 1/factor to factor", NULL },
	{ "flip", OPT_BOOL, offsetof(struct transform_conf, flip), "no", 0, 0, "also negative factors where batch norm absorbs them", NULL },
	{ 0 }
};

/* How many of a group's channels take part, and which: at (channels) begins with them. */
static int choose(const struct wiring_group *g, double share, struct rng *r, int *at)
{
	rng_permutation(r, at, g->channels);
	return (int)floor(share * g->channels + 0.5);
}

/* The chosen channels move round by one in their random order: every one of them leaves its place. */
static void permute(const struct wiring_group *g, const int *at, int n)
{
	int *perm = xmalloc(g->channels, sizeof(*perm));

	for (int i = 0; i < g->channels; i++)
		perm[i] = i;
	for (int i = 0; i < n; i++)
		perm[at[i]] = at[(i + 1) % n];
	wiring_permute(g, perm);
	free(perm);
}

static double draw_factor(double factor, struct rng *r)
{
	return pow(factor, 2 * rng_uniform(r) - 1);
}

static void scale(const struct wiring_group *g, const struct transform_conf *c, struct rng *r, const int *at, int n)
{
	for (int i = 0; i < n; i++) {
		const double a = draw_factor(c->factor, r), sign = c->flip && rng_below(r, 2) ? -1 : 1;

		if (!wiring_scale(g, at[i], sign * a))
			wiring_scale(g, at[i], a);
		for (int k = 0; k < g->nreaders; k++)
			if (g->reader[k].norm[0])
				wiring_scale_norm(&g->reader[k], g->channels, at[i], draw_factor(c->factor, r));
	}
}

static int transform(struct model *m, const struct transform_conf *c, uint64_t seed)
{
	struct wiring *w = xmalloc(1, sizeof(*w));
	const int ret = wiring_of(m, w);

	for (int i = 0; i < w->n && !ret; i++) {
		int *at = xmalloc(w->group[i].channels, sizeof(*at)), n;
		struct rng r;

		rng_open(&r, seed, "transform", (uint32_t)i, 0);
		n = choose(&w->group[i], c->share, &r, at);
		if (n && c->kind != KIND_SCALE)
			permute(&w->group[i], at, n);
		if (c->kind != KIND_PERMUTE)
			scale(&w->group[i], c, &r, at, n);
		free(at);
	}
	free(w);
	return ret;
}

/* Largest difference of answers to random images, by the largest answer's size; -1 after error(). */
static double drift(struct access *a, struct model *before, struct model *after)
{
	const size_t len = (size_t)a->c * a->h * a->w, out = (size_t)model_outputs(before);
	float *px = xmalloc(PROBES * len, sizeof(*px)), *y = xmalloc(2 * PROBES * out, sizeof(*y));
	const struct images v = { .n = PROBES, .c = a->c, .h = a->h, .w = a->w, .fx = px };
	double worst = 0, size = 0;
	struct rng r;
	int ret;

	rng_open(&r, a->seed, "transform probes", 0, 0);
	for (size_t i = 0; i < PROBES * len; i++)
		px[i] = (float)rng_uniform(&r);
	ret = model_predict(before, &v, y) < 0 || model_predict(after, &v, y + PROBES * out) < 0;
	for (size_t i = 0; i < PROBES * out && !ret; i++) {
		worst = fmax(worst, fabs((double)y[i] - (double)y[PROBES * out + i]));
		size = fmax(size, fabs((double)y[i]));
	}
	free(px);
	free(y);
	return ret ? -1 : size > 0 ? worst / size : worst;
}

static int transform_run(struct access *a, const void *conf, struct product *p)
{
	struct model *before;
	double moved;

	if (!a->model)
		return error(EXIT_UNEVALUABLE, "transform: the deployed model was not granted");
	p->goal = GOAL_REMOVE;
	p->model = model_copy(a->model);
	if (transform(p->model, conf, a->seed) < 0)
		return -1;
	before = model_copy(a->model);
	moved = drift(a, before, p->model);
	model_free(before);
	if (moved < 0 || access_spend(a, 0, 2.0 * PROBES) < 0)
		return -1;
	if (moved > TOLERANCE)
		return error(EXIT_UNEVALUABLE, "transform: the answers moved by %.2g of their size; nn/wiring.c does not fit this %s", moved,
			     a->model->spec.arch);
	p->notes = json_object();
	jset_num(p->notes, "drift", moved);
	return 0;
}

const struct attack attack_transform = {
	.drv = { .name = "transform", .summary = "permute and scale channels so that every answer stays and the numbers do not",
		 .source = "Yan et al., USENIX Security 2023. Differs: no dummy neurons, the architecture stays",
		 .version = 1, .conf_size = sizeof(struct transform_conf), .opts = transform_opts },
	.goal = GOAL_REMOVE, .needs = CAP_WEIGHTS | CAP_WRITE, .strength = "share", .strength_up = 1, .run = transform_run,
};
