/* Pointwise ops, shape ops, softmax and reductions. */
#include "nn/tape_parts.h"
#include "nn/ops.h"
#include <math.h>
#include <string.h>

/* ---- pointwise of one operand: forward kernel, backward kernel that adds, and which side the backward reads ---- */
#define UNARY(name, with)                                                              \
	static void name##_back(struct node *y)                                        \
	{                                                                              \
		struct node *a = y->in[0];                                             \
		pointwise(K->name##_back, y->len, with->x, y->g, node_grad(a), y->ra[0], 0); \
	}                                                                              \
	static struct node *name##_new(struct node *a, real p)                         \
	{                                                                              \
		struct node *y = node_like(a, NULL, name##_back);                      \
		y->ra[0] = p;                                                          \
		pointwise(K->name, y->len, a->x, NULL, y->x, p, 0);                    \
		return y;                                                              \
	}
UNARY(leaky_relu, a)
UNARY(sigmoid, y)
UNARY(tanh, y)

/* ---- relu: the gradient is cut in its own place, by the output, which is positive where the input was ---- */
static void relu_back(struct node *y)
{
	struct node *a = y->in[0];

	if (node_grad_hand(y, a))
		pointwise(K->relu_cut, y->len, y->x, NULL, a->g, 0, 0);
	else if (a->wants)
		pointwise(K->relu_back, y->len, y->x, y->g, a->g, 0, 0);
}

struct node *op_relu(struct node *a)
{
	struct node *y = node_like(a, NULL, relu_back);

	pointwise(K->relu, y->len, a->x, NULL, y->x, 0, 0);
	return y;
}

struct node *op_leaky_relu(struct node *a, real slope) { return leaky_relu_new(a, slope); }
struct node *op_sigmoid(struct node *a) { return sigmoid_new(a, 0); }
struct node *op_tanh(struct node *a) { return tanh_new(a, 0); }

/* ---- scale, round: dy passes through a constant ---- */
static void through_back(struct node *y)
{
	struct node *a = y->in[0];
	bool add;

	if (y->ra[0] == 1 && node_grad_hand(y, a))
		return;
	if (node_grad_put(a, &add))
		pointwise(add ? K->axpy : K->affine, y->len, y->g, NULL, a->g, y->ra[0], 0);
}

struct node *op_scale(struct node *a, real k, real shift)
{
	struct node *y = node_like(a, NULL, through_back);

	y->ra[0] = k;
	pointwise(K->affine, y->len, a->x, NULL, y->x, k, shift);
	return y;
}

/* Straight-through estimator: Bengio et al., "Estimating or propagating gradients through stochastic neurons", 2013. */
struct node *op_round_ste(struct node *a, real levels)
{
	struct node *y = node_like(a, NULL, through_back);

	BUG_ON(!(levels > 0));
	y->ra[0] = 1;
	pointwise(K->round, y->len, a->x, NULL, y->x, levels, 0);
	return y;
}

/* ---- pointwise of two operands ---- */
static void sum_back(struct node *y)
{
	struct node *a = y->in[0], *b = y->in[1];
	bool add;

	if (node_grad_put(b, &add))
		pointwise(add ? K->axpy : K->affine, y->len, y->g, NULL, b->g, y->ra[0], 0);
	if (!node_grad_hand(y, a) && a->wants)
		pointwise(K->axpy, y->len, y->g, NULL, a->g, 1, 0);
}

static struct node *sum(struct node *a, struct node *b, pointwise_fn *fn, real sign)
{
	struct node *y;

	BUG_ON(!same_shape(a, b));
	y = node_like(a, b, sum_back);
	y->ra[0] = sign;
	pointwise(fn, y->len, a->x, b->x, y->x, 0, 0);
	return y;
}

struct node *op_add(struct node *a, struct node *b) { return sum(a, b, K->add, 1); }
struct node *op_add_over(struct node *a, struct node *b)
{
	struct node *y;

	BUG_ON(!same_shape(a, b) || a == b);
	y = node_over(a, b, sum_back);
	y->ra[0] = 1;
	pointwise(K->axpy, y->len, b->x, NULL, y->x, 1, 0); /* the bits of op_add: one rounding, fused or not */
	return y;
}
struct node *op_sub(struct node *a, struct node *b) { return sum(a, b, K->sub, -1); }

static void mul_back(struct node *y)
{
	struct node *a = y->in[0], *b = y->in[1];
	bool add;

	if (node_grad_put(a, &add))
		pointwise(add ? K->muladd : K->mul, y->len, y->g, b->x, a->g, 0, 0);
	if (node_grad_put(b, &add))
		pointwise(add ? K->muladd : K->mul, y->len, y->g, a->x, b->g, 0, 0);
}

struct node *op_mul(struct node *a, struct node *b)
{
	struct node *y;

	BUG_ON(!same_shape(a, b));
	y = node_like(a, b, mul_back);
	pointwise(K->mul, y->len, a->x, b->x, y->x, 0, 0);
	return y;
}

/* ---- matrix times vector, plain: small next to any batch, so one thread and plain loops ---- */
static void matvec_back(struct node *y)
{
	struct node *w = y->in[0], *v = y->in[1];
	real *dw = node_grad(w), *dv = node_grad(v);

	for (size_t o = 0; o < y->len; o++) {
		if (dw)
			K->axpy(v->len, v->x, NULL, dw + o * v->len, y->g[o], 0);
		if (dv)
			K->axpy(v->len, w->x + o * v->len, NULL, dv, y->g[o], 0);
	}
}

struct node *op_matvec(struct node *w, struct node *v)
{
	struct node *y;

	BUG_ON(w->n || v->n || w->len != (size_t)w->d[0] * v->len);
	y = node_plain(w->t, (int[]){ w->d[0], 1, 1, 1 }, w, v, matvec_back);
	for (size_t o = 0; o < y->len; o++) {
		double s = 0;

		for (size_t i = 0; i < v->len; i++)
			s += (double)w->x[o * v->len + i] * (double)v->x[i];
		y->x[o] = (real)s;
	}
	return y;
}

/* ---- shape ---- */
struct node *op_reshape(struct node *a, int c, int h, int w)
{
	struct node *y;

	BUG_ON(!a->n || c * h * w != a->c * a->h * a->w);
	/* a copy of the node, not of the numbers, would need shared gradients; a copy costs one pass and stays simple */
	y = node_batch(a->t, a->n, c, h, w, a, NULL, NULL, through_back);
	y->ra[0] = 1;
	memcpy(y->x, a->x, a->len * sizeof(real));
	return y;
}

/* Channels first..first+count-1 of each group, to and fro. */
static void copy_channels(const struct node *from, const real *x, int first, int count, const struct node *to, real *y, int at, bool add)
{
	const size_t plane = (size_t)from->h * from->w * LANES;

	for (int g = 0; g < GROUPS(from->n); g++) {
		const real *s = x + g * group_len(from) + first * plane;
		real *d = y + g * group_len(to) + at * plane;

		if (add)
			K->axpy(count * plane, s, NULL, d, 1, 0);
		else
			memcpy(d, s, count * plane * sizeof(real));
	}
}

static void concat_back(struct node *y)
{
	struct node *a = y->in[0], *b = y->in[1];

	if (node_grad(a))
		copy_channels(y, y->g, 0, a->c, a, a->g, 0, true);
	if (node_grad(b))
		copy_channels(y, y->g, a->c, b->c, b, b->g, 0, true);
}

struct node *op_concat(struct node *a, struct node *b)
{
	struct node *y;

	BUG_ON(!a->n || a->n != b->n || a->h != b->h || a->w != b->w);
	y = node_batch(a->t, a->n, a->c + b->c, a->h, a->w, a, b, NULL, concat_back);
	copy_channels(a, a->x, 0, a->c, y, y->x, 0, false);
	copy_channels(b, b->x, 0, b->c, y, y->x, a->c, false);
	return y;
}

static void slice_back(struct node *y)
{
	copy_channels(y, y->g, 0, y->c, y->in[0], node_grad(y->in[0]), y->ia[0], true);
}

struct node *op_slice(struct node *a, int first, int count)
{
	struct node *y;

	BUG_ON(!a->n || first < 0 || count < 1 || first + count > a->c);
	y = node_batch(a->t, a->n, count, a->h, a->w, a, NULL, NULL, slice_back);
	y->ia[0] = first;
	copy_channels(a, a->x, first, count, y, y->x, 0, false);
	return y;
}

static size_t lane_at(const struct node *a, int i, int k)
{
	return i / LANES * group_len(a) + (size_t)k * LANES + i % LANES;
}

static void gather_back(struct node *y)
{
	const int *k = y->aux;
	real *da = node_grad(y->in[0]);

	for (int i = 0; i < y->n; i++)
		da[lane_at(y->in[0], i, k[i])] += y->g[lane_at(y, i, 0)];
}

struct node *op_gather(struct node *a, const int *k)
{
	struct node *y;
	int *copy;

	BUG_ON(!a->n);
	y = node_batch(a->t, a->n, 1, 1, 1, a, NULL, NULL, gather_back);
	y->aux = copy = arena_new(&a->t->mem, a->n, int);
	zero(y->x, y->len);
	for (int i = 0; i < a->n; i++) {
		BUG_ON(k[i] < 0 || k[i] >= a->c * a->h * a->w);
		copy[i] = k[i];
		y->x[lane_at(y, i, 0)] = a->x[lane_at(a, i, k[i])];
	}
	return y;
}

/* ---- softmax: dx = y (dy - sum dy y);  log-softmax: dx = dy - softmax sum dy ---- */
struct softmax_job {
	struct node *y;
	bool log;
};

static void softmax_task(void *ctx, int g, int thread)
{
	const struct softmax_job *j = ctx;
	const struct node *a = j->y->in[0];
	const size_t at = g * group_len(a);

	(void)thread;
	(j->log ? K->log_softmax : K->softmax)(group_len(a) / LANES, a->x + at, j->y->x + at);
}

static void softmax_back_task(void *ctx, int g, int thread)
{
	const struct softmax_job *j = ctx;
	const struct node *y = j->y, *a = y->in[0];
	const size_t at = g * group_len(a), n = group_len(a) / LANES;
	const real *x = y->x + at, *dy = y->g + at;
	real *dx = a->g + at, s[LANES] = { 0 };

	(void)thread;
	if (j->log)
		K->lane_sum(n, dy, s);
	else
		K->lane_dot(n, dy, x, s);
	for (size_t i = 0; i < n; i++)
		for (int l = 0; l < LANES; l++) {
			const size_t k = i * LANES + l;

			dx[k] += j->log ? dy[k] - (real)exp((double)x[k]) * s[l] : x[k] * (dy[k] - s[l]);
		}
}

static void softmax_back(struct node *y)
{
	node_grad(y->in[0]);
	tile_for(GROUPS(y->n), softmax_back_task, y->aux);
}

static struct node *softmax(struct node *a, bool is_log)
{
	struct softmax_job *j = arena_new(&a->t->mem, 1, struct softmax_job);

	BUG_ON(!a->n);
	j->y = node_batch(a->t, a->n, a->c, a->h, a->w, a, NULL, NULL, softmax_back);
	j->log = is_log;
	j->y->aux = j;
	tile_for(GROUPS(a->n), softmax_task, j);
	return j->y;
}

struct node *op_softmax(struct node *a) { return softmax(a, false); }
struct node *op_log_softmax(struct node *a) { return softmax(a, true); }

/* ---- sums ---- */
static void fill_back(struct node *y)
{
	struct node *a = y->in[0];
	bool add;
	real *da = node_grad_put(a, &add);

	pointwise(add ? K->affine_add : K->affine, a->len, a->x, NULL, da, 0, y->g[0] * y->ra[0]);
	if (a->n)
		mask_tail(a, da);
}

static struct node *sum_all(struct node *a, bool mean)
{
	struct node *y = node_scalar(a->t, a, NULL, fill_back);
	double s = 0;

	if (a->n)
		for (int g = 0; g < GROUPS(a->n); g++) {
			real v[LANES] = { 0 };

			K->lane_sum(group_len(a) / LANES, a->x + g * group_len(a), v);
			s += (double)lane_reduce(v, group_images(a, g));
		}
	else
		for (size_t i = 0; i < a->len; i++)
			s += (double)a->x[i];
	y->ra[0] = mean ? (real)(1.0 / (a->n ? (double)a->n * a->c * a->h * a->w : (double)a->len)) : 1;
	y->x[0] = (real)(s * (double)y->ra[0]);
	return y;
}

struct node *op_sum(struct node *a) { return sum_all(a, false); }
struct node *op_mean(struct node *a) { return sum_all(a, true); }

static void sum_image_back(struct node *y)
{
	struct node *a = y->in[0];
	real *da = node_grad(a);

	for (int g = 0; g < GROUPS(a->n); g++)
		for (size_t i = 0; i < group_len(a); i++)
			da[g * group_len(a) + i] += y->g[g * LANES + i % LANES];
}

struct node *op_sum_image(struct node *a)
{
	struct node *y;

	BUG_ON(!a->n);
	y = node_batch(a->t, a->n, 1, 1, 1, a, NULL, NULL, sum_image_back);
	zero(y->x, y->len);
	for (int g = 0; g < GROUPS(a->n); g++)
		K->lane_sum(group_len(a) / LANES, a->x + g * group_len(a), y->x + g * LANES);
	return y;
}

static void batch_mean_back(struct node *y)
{
	struct node *a = y->in[0];
	const size_t plane = (size_t)a->h * a->w * LANES;
	real *da = node_grad(a);

	for (int g = 0; g < GROUPS(a->n); g++)
		for (int c = 0; c < a->c; c++) {
			const size_t at = g * group_len(a) + c * plane;

			K->affine_add(plane, a->x + at, NULL, da + at, 0, y->g[c] * y->ra[0]);
		}
	mask_tail(a, da);
}

struct node *op_batch_mean(struct node *a)
{
	struct node *y;

	BUG_ON(!a->n);
	y = node_plain(a->t, (int[]){ a->c, 1, 1, 1 }, a, NULL, batch_mean_back);
	y->ra[0] = (real)(1.0 / ((double)a->n * a->h * a->w));
	for (int c = 0; c < a->c; c++) {
		double s = 0;

		for (int g = 0; g < GROUPS(a->n); g++) {
			real v[LANES] = { 0 };

			K->lane_sum((size_t)a->h * a->w, a->x + g * group_len(a) + (size_t)c * a->h * a->w * LANES, v);
			s += (double)lane_reduce(v, group_images(a, g));
		}
		y->x[c] = (real)(s * (double)y->ra[0]);
	}
	return y;
}
