/* Losses: plain scalars. Gradients go only to real images; lanes beyond the last get none. */
#include "nn/tape_parts.h"
#include "nn/ops.h"
#include <math.h>
#include <string.h>

static size_t elements(const struct node *a)
{
	return a->n ? (size_t)a->n * a->c * a->h * a->w : a->len;
}

/* Call fn on every real element, in a fixed order, and add up. */
static double total(const struct node *a, const struct node *b, double (*fn)(double x, double t))
{
	double s = 0;

	if (!a->n) {
		for (size_t i = 0; i < a->len; i++)
			s += fn((double)a->x[i], (double)b->x[i]);
		return s;
	}
	for (int g = 0; g < GROUPS(a->n); g++) {
		const int lanes = group_images(a, g);
		const size_t at = g * group_len(a);

		for (size_t i = 0; i < group_len(a); i += LANES)
			for (int l = 0; l < lanes; l++)
				s += fn((double)a->x[at + i + l], (double)b->x[at + i + l]);
	}
	return s;
}

/* ---- cross entropy on logits: dlogits = (softmax - target) / n ---- */
struct ce_job {
	struct node *y;
	const int *label;    /* hard labels, or */
	struct node *target; /* soft ones */
	real smoothing;
	real *prob;          /* softmax of the logits */
	double *loss;        /* a group */
	bool kl;
};

static real target_at(const struct ce_job *j, int image, int k, int classes, size_t at)
{
	if (j->target)
		return j->target->x[at];
	return j->smoothing / (real)classes + (k == j->label[image] ? 1 - j->smoothing : 0);
}

static void ce_task(void *ctx, int g, int thread)
{
	const struct ce_job *j = ctx;
	const struct node *a = j->y->in[0];
	const int classes = a->c * a->h * a->w;
	const size_t at = g * group_len(a);
	real *p = j->prob + at;
	double loss = 0;

	(void)thread;
	K->log_softmax((size_t)classes, a->x + at, p);
	for (int l = 0; l < group_images(a, g); l++)
		for (int k = 0; k < classes; k++) {
			const double t = (double)target_at(j, g * LANES + l, k, classes, at + (size_t)k * LANES + l);

			if (t > 0)
				loss += t * ((j->kl ? log(t) : 0) - (double)p[(size_t)k * LANES + l]);
		}
	j->loss[g] = loss;
	K->softmax((size_t)classes, a->x + at, p);
}

static void ce_back_task(void *ctx, int g, int thread)
{
	const struct ce_job *j = ctx;
	const struct node *a = j->y->in[0];
	const int classes = a->c * a->h * a->w;
	const real f = j->y->g[0] / (real)a->n;
	const size_t at = g * group_len(a);

	(void)thread;
	for (int k = 0; k < classes; k++)
		for (int l = 0; l < group_images(a, g); l++) {
			const size_t i = at + (size_t)k * LANES + l;

			a->g[i] += f * (j->prob[i] - target_at(j, g * LANES + l, k, classes, i));
		}
}

static void ce_back(struct node *y)
{
	node_grad(y->in[0]);
	tile_for(GROUPS(y->in[0]->n), ce_back_task, y->aux);
}

static struct node *ce_new(struct node *a, const int *label, struct node *target, real smoothing, bool kl)
{
	struct ce_job *j = arena_new(&a->t->mem, 1, struct ce_job);
	double s = 0;

	BUG_ON(!a->n || (target && !same_shape(a, target)));
	*j = (struct ce_job){ .label = label, .target = target, .smoothing = smoothing, .kl = kl };
	j->y = node_scalar(a->t, a, NULL, ce_back);
	j->y->aux = j;
	j->prob = tape_alloc(a->t, a->len);
	j->loss = arena_new(&a->t->mem, GROUPS(a->n), double);
	tile_for(GROUPS(a->n), ce_task, j);
	for (int g = 0; g < GROUPS(a->n); g++)
		s += j->loss[g];
	j->y->x[0] = (real)(s / a->n);
	return j->y;
}

struct node *op_cross_entropy(struct node *logits, const int *label, real smoothing)
{
	int *copy = arena_new(&logits->t->mem, logits->n, int);

	for (int i = 0; i < logits->n; i++) {
		BUG_ON(label[i] < 0 || label[i] >= logits->c * logits->h * logits->w);
		copy[i] = label[i];
	}
	return ce_new(logits, copy, NULL, smoothing, false);
}

struct node *op_cross_entropy_soft(struct node *logits, struct node *target)
{
	return ce_new(logits, NULL, target, 0, false);
}

struct node *op_kl_div(struct node *logits, struct node *target)
{
	return ce_new(logits, NULL, target, 0, true);
}

/* ---- elementwise losses, mean over elements ---- */
static double square(double x, double t) { return (x - t) * (x - t); }
static double absolute(double x, double t) { return fabs(x - t); }
/* max(x,0) - x t + log(1 + exp(-|x|)): stable for any x */
static double bce(double x, double t) { return (x > 0 ? x : 0) - x * t + log1p(exp(-fabs(x))); }

static void finish(struct node *a)
{
	if (a->n && a->wants)
		mask_tail(a, a->g);
}

static void mse_back(struct node *y)
{
	struct node *a = y->in[0], *b = y->in[1];
	const real f = 2 * y->g[0] / (real)elements(a);

	if (node_grad(a))
		pointwise(K->diff_add, a->len, a->x, b->x, a->g, f, 0);
	if (node_grad(b))
		pointwise(K->diff_add, a->len, b->x, a->x, b->g, f, 0);
	finish(a);
	finish(b);
}

static void l1_back(struct node *y)
{
	struct node *a = y->in[0], *b = y->in[1];
	const real f = y->g[0] / (real)elements(a);

	if (node_grad(a))
		pointwise(K->sign_add, a->len, a->x, b->x, a->g, f, 0);
	if (node_grad(b))
		pointwise(K->sign_add, a->len, b->x, a->x, b->g, f, 0);
	finish(a);
	finish(b);
}

/* d/dx = sigmoid(x) - t,  d/dt = -x */
static void bce_back(struct node *y)
{
	struct node *a = y->in[0], *t = y->in[1];
	const real f = y->g[0] / (real)elements(a);

	if (node_grad(a)) {
		real *p = tape_alloc(a->t, a->len);

		pointwise(K->sigmoid, a->len, a->x, NULL, p, 0, 0);
		pointwise(K->diff_add, a->len, p, t->x, a->g, f, 0);
	}
	if (node_grad(t))
		pointwise(K->axpy, a->len, a->x, NULL, t->g, -f, 0);
	finish(a);
	finish(t);
}

static struct node *elementwise(struct node *a, struct node *b, double (*fn)(double, double), void (*back)(struct node *))
{
	struct node *y;

	BUG_ON(!same_shape(a, b));
	y = node_scalar(a->t, a, b, back);
	y->x[0] = (real)(total(a, b, fn) / (double)elements(a));
	return y;
}

struct node *op_mse(struct node *a, struct node *b) { return elementwise(a, b, square, mse_back); }
struct node *op_l1(struct node *a, struct node *b) { return elementwise(a, b, absolute, l1_back); }
struct node *op_bce_logits(struct node *a, struct node *target) { return elementwise(a, target, bce, bce_back); }
