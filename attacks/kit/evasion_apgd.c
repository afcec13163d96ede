/* See evasion_apgd.h. */
#include "attacks/kit/evasion_apgd.h"

#include <string.h>

#include "attacks/kit/evasion_margin.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "nn/ops.h"

#define MOMENTUM 0.75
#define RHO 0.75 /* of the steps between two checkpoints that must have got better */
#define TINY 1e-12

/* ---- what is wanted of an image's logits ---- */

/* What DLR divides by: largest less the mean of third and fourth, so that it does not matter how logits are scaled; which they are. */
static double spread(const float *z, int k, int order[4])
{
	for (int j = 0; j < 4; j++) {
		order[j] = -1;
		for (int i = 0; i < k; i++) {
			bool taken = false;

			for (int l = 0; l < j; l++)
				taken = taken || order[l] == i;
			if (!taken && (order[j] < 0 || z[i] > z[order[j]]))
				order[j] = i;
		}
	}
	return k < 4 ? 1 : fmax((double)z[order[0]] - ((double)z[order[2]] + (double)z[order[3]]) / 2, TINY);
}

/* The loss to be raised, and its slope by logits: log P_t, or the margin by its spread. */
static double wanted(enum apgd_loss loss, const float *z, int k, int t, float *slope)
{
	int order[4];
	double wide, lead;
	float p[256];

	BUG_ON(k > 256);
	if (loss == APGD_CE) {
		memcpy(p, z, (size_t)k * sizeof(*p));
		softmax_rows(p, 1, k);
		for (int i = 0; i < k; i++)
			slope[i] = (float)(i == t) - p[i];
		return log(fmax((double)p[t], 1e-30));
	}
	wide = spread(z, k, order);
	lead = margin(z, k, t);
	memset(slope, 0, (size_t)k * sizeof(*slope));
	slope[t] += (float)(1 / wide);
	slope[runner_up(z, k, t)] -= (float)(1 / wide);
	if (k >= 4) {
		slope[order[0]] -= (float)(lead / (wide * wide));
		slope[order[2]] += (float)(lead / (2 * wide * wide));
		slope[order[3]] += (float)(lead / (2 * wide * wide));
	}
	return lead / wide;
}

/* ---- the climb ---- */

struct climb {
	struct model *m;
	const int *y;
	int n, len, k;
	enum apgd_loss loss;
	struct tape *t;
	float *z;     /* (n, k) */
	real *g;      /* (n, len) */
	double *value; /* (n) */
};

/* Losses and, by images, their gradients at x. */
static int look(struct climb *c, const float *x)
{
	const struct model_spec *s = &c->m->spec;
	struct node *in, *logits, *slope;
	float *by;

	tape_reset(c->t);
	tape_grad_params(c->t, false);
	in = tape_input(c->t, c->n, s->c, s->h, s->w, true);
	node_load_f32(in, x);
	logits = c->m->arch->forward(c->m, in, false);
	slope = tape_input(c->t, c->n, c->k, 1, 1, false);
	by = xmalloc((size_t)c->n * (size_t)c->k, sizeof(*by));
	node_store_f32(logits, c->z);
	for (int i = 0; i < c->n; i++)
		c->value[i] = wanted(c->loss, c->z + (size_t)i * (size_t)c->k, c->k, c->y[i], by + (size_t)i * (size_t)c->k);
	node_load_f32(slope, by);
	free(by);
	tape_backward(c->t, op_sum(op_mul(logits, slope)));
	node_store_grad(in, c->g);
	return interrupt_check();
}

/* One image's state between steps. */
struct track { double step, best, best_then, last; int better; bool halved; };

/* Image i by a step of its own along the sign, with momentum. now, before: the last two places. */
static void advance(const struct climb *c, int i, const float *centre, float *now, float *before, double eps, const struct track *t, bool first)
{
	const size_t at = (size_t)i * (size_t)c->len;

	for (int k = 0; k < c->len; k++) {
		const double sign = (c->g[at + k] > 0) - (c->g[at + k] < 0);
		const float x = now[k], z = boxed((double)x + t->step * sign, centre[k], eps);
		const double a = first ? 1 : MOMENTUM;

		now[k] = boxed((double)x + a * ((double)z - (double)x) + (1 - a) * ((double)x - (double)before[k]), centre[k], eps);
		before[k] = x;
	}
}

/* At a checkpoint: too few steps got better, or nothing since the last one: half the step, and back to the best place. */
static bool restart(struct track *t, int since)
{
	const bool stuck = t->better < RHO * since || (!t->halved && t->best_then >= t->best);

	t->halved = stuck;
	t->best_then = t->best;
	t->better = 0;
	if (stuck)
		t->step /= 2;
	return stuck;
}

/* What a run of APGD moves: places, each (n, len). */
struct places { const float *centre; float *now, *before, *best; };

/* Image i has a new value at its new place: keep the best, and at a checkpoint think again. */
static void learn(struct climb *c, int i, const struct places *p, struct track *t, bool checkpoint, int since, bool *done)
{
	const size_t at = (size_t)i * (size_t)c->len, len = (size_t)c->len * sizeof(float);

	t->better += c->value[i] > t->last;
	t->last = c->value[i];
	*done = margin(c->z + (size_t)i * (size_t)c->k, c->k, c->y[i]) > 0;
	if (*done || c->value[i] > t->best) {
		t->best = c->value[i];
		memcpy(p->best + at, p->now + at, len);
	}
	if (*done || !checkpoint || !restart(t, since))
		return;
	memcpy(p->now + at, p->best + at, len);
	memcpy(p->before + at, p->best + at, len);
	t->last = t->best;
}

/* Checkpoints after 22 % of the steps, and then each time 3 % sooner than the time before, at least 6 % apart. */
static int climb(struct climb *c, const struct places *p, double eps, int steps, struct track *t, bool *done)
{
	int gap = (int)ceil(0.22 * steps), next = gap, last = 0, ret = 0;

	for (int s = 1; s <= steps && !ret; s++) {
		for (int i = 0; i < c->n; i++) {
			const size_t at = (size_t)i * (size_t)c->len;

			if (!done[i])
				advance(c, i, p->centre + at, p->now + at, p->before + at, eps, &t[i], s == 1);
		}
		ret = look(c, p->now);
		for (int i = 0; i < c->n && !ret; i++)
			if (!done[i])
				learn(c, i, p, &t[i], s == next, s - last, &done[i]);
		if (s < next)
			continue;
		last = s;
		gap = (int)ceil(fmax(gap - 0.03 * steps, 0.06 * steps));
		next += gap > 1 ? gap : 1;
	}
	return ret;
}

int apgd(struct model *m, float *x, const int *y, int n, double eps, int steps, enum apgd_loss loss, bool *done, double *fe)
{
	struct climb c = { .m = m, .y = y, .n = n, .len = m->spec.c * m->spec.h * m->spec.w, .k = model_outputs(m), .loss = loss, .t = tape_new() };
	const size_t all = (size_t)n * (size_t)c.len;
	float *mem = xmalloc(all, 3 * sizeof(*mem));
	const struct places p = { x, mem, mem + all, mem + 2 * all };
	struct track *t = xcalloc((size_t)n, sizeof(*t));
	bool *was = xmalloc((size_t)n, sizeof(*was));
	int ret;

	c.z = xmalloc((size_t)n * (size_t)c.k, sizeof(*c.z));
	c.g = xmalloc(all, sizeof(*c.g));
	c.value = xmalloc((size_t)n, sizeof(*c.value));
	for (int k = 0; k < 3; k++)
		memcpy(mem + (size_t)k * all, x, all * sizeof(*mem));
	memcpy(was, done, (size_t)n * sizeof(*was));
	ret = look(&c, x);
	for (int i = 0; i < n; i++)
		t[i] = (struct track){ .step = 2 * eps, .best = c.value[i], .best_then = c.value[i], .last = c.value[i] };
	if (!ret)
		ret = climb(&c, &p, eps, steps, t, done);
	for (int i = 0; i < n && !ret; i++)
		if (done[i] && !was[i])
			memcpy(x + (size_t)i * (size_t)c.len, p.best + (size_t)i * (size_t)c.len, (size_t)c.len * sizeof(*x));
	*fe += 2.0 * n * (steps + 1);
	free(mem);
	free(t);
	free(was);
	free(c.z);
	free(c.g);
	free(c.value);
	tape_free(c.t);
	return ret;
}
