/* Every op's gradient against central differences, in double precision (the engine compiled with NN_DOUBLE).
 * Batches of 19 images leave 13 rubbish lanes in the last group: an op that let them into a sum would fail here. */
#include "base/error.h"
#include "base/rng.h"
#include "nn/kernels.h"
#include "nn/ops.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEP 1e-5
#define TOLERANCE 1e-6
#define SAMPLES 40 /* numbers checked per leaf */

/* Leaves: a and b are batch nodes (or plain when n is 0), p, q, r plain. */
struct leaves { struct node *a, *b, *p, *q, *r; };
struct grad_case {
	const char *name;
	struct node *(*build)(struct tape *t, struct leaves l);
	int n, a[3], b[3];           /* b[0] 0: the shape of a */
	int p[4], q, r;              /* shapes of plain leaves, 0: none */
	double low, high;            /* range of values: away from kinks where there are any */
};

static int labels[64];
static struct node *conv(struct tape *t, struct leaves l) { (void)t; return op_conv2d(l.a, l.p, l.q, 1, 0); }
static struct node *conv_pad(struct tape *t, struct leaves l) { (void)t; return op_conv2d(l.a, l.p, l.q, 1, 2); }
static struct node *conv_stride(struct tape *t, struct leaves l) { (void)t; return op_conv2d(l.a, l.p, l.q, 2, 1); }
static struct node *conv_nobias(struct tape *t, struct leaves l) { (void)t; return op_conv2d(l.a, l.p, NULL, 1, 1); }
static struct node *conv_t1(struct tape *t, struct leaves l) { (void)t; return op_conv_transpose2d(l.a, l.p, l.q, 1, 1); }
static struct node *conv_t2(struct tape *t, struct leaves l) { (void)t; return op_conv_transpose2d(l.a, l.p, l.q, 2, 0); }
/* The input has two ops behind it, so the second adds to the gradient that the first has written. */
static struct node *conv_twice(struct tape *t, struct leaves l)
{
	(void)t;
	return op_add(op_conv2d(l.a, l.p, l.q, 2, 1), op_conv2d(l.a, l.p, NULL, 2, 1));
}
static struct node *linear_twice(struct tape *t, struct leaves l)
{
	(void)t;
	return op_add(op_linear(l.a, l.p, l.q), op_linear(l.a, l.p, NULL));
}
static struct node *linear(struct tape *t, struct leaves l) { (void)t; return op_linear(l.a, l.p, l.q); }
static struct node *bn(struct node *a, struct node *g, struct node *b, bool train)
{
	real rm[8] = { 0.1, -0.2, 0.3 }, rv[8] = { 0.9, 1.1, 0.7 };

	return op_batch_norm(a, g, b, rm, rv, train, 0.1, 1e-5);
}
static struct node *bn_train(struct tape *t, struct leaves l) { (void)t; return bn(l.a, l.q, l.r, true); }
static struct node *bn_eval(struct tape *t, struct leaves l) { (void)t; return bn(l.a, l.q, l.r, false); }
static struct node *channel(struct tape *t, struct leaves l) { (void)t; return op_channel_affine(l.a, l.q, l.r); }
static struct node *matvec(struct tape *t, struct leaves l) { (void)t; return op_channel_affine(l.a, op_matvec(l.p, l.q), NULL); }
static struct node *maxp(struct tape *t, struct leaves l) { (void)t; return op_max_pool(l.a, 2, 2); }
static struct node *rmaxp(struct tape *t, struct leaves l) { (void)t; return op_relu_max_pool(l.a, 2); }
static struct node *rmaxp3(struct tape *t, struct leaves l) { (void)t; return op_relu_max_pool(l.a, 3); }
static struct node *maxp_over(struct tape *t, struct leaves l) { (void)t; return op_max_pool(l.a, 3, 2); }
static struct node *avgp(struct tape *t, struct leaves l) { (void)t; return op_avg_pool(l.a, 2, 2); }
static struct node *gavg(struct tape *t, struct leaves l) { (void)t; return op_global_avg_pool(l.a); }
static struct node *gmax(struct tape *t, struct leaves l) { (void)t; return op_global_max_pool(l.a); }
static struct node *up(struct tape *t, struct leaves l) { (void)t; return op_upsample(l.a, 2); }
static struct node *relu(struct tape *t, struct leaves l) { (void)t; return op_relu(l.a); }
static struct node *bn_relu(struct tape *t, struct leaves l)
{
	real rm[8] = { 0 }, rv[8] = { 1, 1, 1 };

	(void)t;
	return op_batch_norm_relu(l.a, l.q, l.r, rm, rv, true, 0.1, 1e-5);
}
/* over: on the output of an op, as it asks for; a backward that read what is overwritten would fail */
static struct node *add_over(struct tape *t, struct leaves l)
{
	(void)t;
	return op_add_over(op_conv2d(l.a, l.p, l.q, 1, 1), op_sigmoid(l.b));
}
static struct node *lrelu(struct tape *t, struct leaves l) { (void)t; return op_leaky_relu(l.a, 0.2); }
static struct node *sigm(struct tape *t, struct leaves l) { (void)t; return op_sigmoid(l.a); }
static struct node *tanhs(struct tape *t, struct leaves l) { (void)t; return op_tanh(l.a); }
static struct node *add(struct tape *t, struct leaves l) { (void)t; return op_add(l.a, l.b); }
static struct node *sub(struct tape *t, struct leaves l) { (void)t; return op_sub(l.a, l.b); }
static struct node *mul(struct tape *t, struct leaves l) { (void)t; return op_mul(l.a, l.b); }
static struct node *scale(struct tape *t, struct leaves l) { (void)t; return op_scale(l.a, -1.7, 0.3); }
static struct node *reshape(struct tape *t, struct leaves l) { (void)t; return op_reshape(l.a, 4, 3, 2); }
static struct node *concat(struct tape *t, struct leaves l) { (void)t; return op_concat(l.a, l.b); }
static struct node *slice(struct tape *t, struct leaves l) { (void)t; return op_slice(l.a, 1, 2); }
static struct node *gather(struct tape *t, struct leaves l) { (void)t; return op_gather(l.a, labels); }
static struct node *softmax(struct tape *t, struct leaves l) { (void)t; return op_softmax(l.a); }
static struct node *logsoftmax(struct tape *t, struct leaves l) { (void)t; return op_log_softmax(l.a); }
static struct node *sum(struct tape *t, struct leaves l) { (void)t; return op_sum(op_mul(l.a, l.a)); }
static struct node *mean(struct tape *t, struct leaves l) { (void)t; return op_mean(op_mul(l.a, l.a)); }
static struct node *sum_only(struct tape *t, struct leaves l) { (void)t; return op_sum(l.a); }
static struct node *sum_image(struct tape *t, struct leaves l) { (void)t; return op_sum_image(op_mul(l.a, l.a)); }
static struct node *batch_mean(struct tape *t, struct leaves l) { (void)t; return op_batch_mean(l.a); }
static struct node *ce(struct tape *t, struct leaves l) { (void)t; return op_cross_entropy(l.a, labels, 0); }
static struct node *ce_smooth(struct tape *t, struct leaves l) { (void)t; return op_cross_entropy(l.a, labels, 0.1); }
/* the target of soft losses is a constant to them: take it from a leaf that wants no gradient */
static struct node *constant(struct tape *t, struct node *b)
{
	struct node *c = tape_input(t, b->n, b->c, b->h, b->w, false);

	memcpy(c->x, op_softmax(b)->x, b->len * sizeof(real));
	return c;
}
static struct node *ce_soft(struct tape *t, struct leaves l) { return op_cross_entropy_soft(l.a, constant(t, l.b)); }
static struct node *kl(struct tape *t, struct leaves l) { return op_kl_div(l.a, constant(t, l.b)); }
static struct node *mse(struct tape *t, struct leaves l) { (void)t; return op_mse(l.a, l.b); }
static struct node *l1(struct tape *t, struct leaves l) { (void)t; return op_l1(op_scale(l.a, 1, 3), l.b); }
static struct node *bce(struct tape *t, struct leaves l) { (void)t; return op_bce_logits(l.a, l.b); }
/* losses below a layer with a bias: rubbish lanes are not zero there */
static struct node *conv_mse(struct tape *t, struct leaves l) { (void)t; return op_mse(op_conv2d(l.a, l.p, l.q, 1, 1), op_scale(l.a, 0.5, 0)); }
static struct node *bn_mean(struct tape *t, struct leaves l) { (void)t; return op_batch_mean(op_mul(bn(l.a, l.q, l.r, true), l.a)); }
static struct node *net(struct tape *t, struct leaves l)
{
	struct node *h = op_tanh(op_conv2d(l.a, l.p, l.q, 1, 1));

	(void)t;
	return op_cross_entropy(op_global_avg_pool(op_mul(h, op_sigmoid(h))), labels, 0);
}

static const struct grad_case cases[] = {
	{ "conv2d", conv, 19, { 2, 6, 6 }, { 0 }, { 3, 2, 3, 3 }, 3, 0, -1, 1 },
	{ "conv2d 5x5 pad", conv_pad, 19, { 1, 7, 7 }, { 0 }, { 6, 1, 5, 5 }, 6, 0, -1, 1 },
	{ "conv2d stride", conv_stride, 19, { 2, 7, 7 }, { 0 }, { 8, 2, 3, 3 }, 8, 0, -1, 1 },
	{ "conv2d stride even", conv_stride, 19, { 2, 8, 8 }, { 0 }, { 5, 2, 3, 3 }, 5, 0, -1, 1 },
	{ "conv2d no bias", conv_nobias, 3, { 3, 5, 5 }, { 0 }, { 16, 3, 3, 3 }, 0, 0, -1, 1 },
	{ "conv2d 1x1", conv, 17, { 3, 4, 4 }, { 0 }, { 9, 3, 1, 1 }, 9, 0, -1, 1 },
	{ "conv2d 1 output", conv, 33, { 3, 4, 4 }, { 0 }, { 1, 3, 2, 2 }, 1, 0, -1, 1 },
	{ "conv2d, Winograd", conv_nobias, 19, { 16, 3, 3 }, { 0 }, { 16, 16, 3, 3 }, 0, 0, -1, 1 },
	{ "conv2d, Winograd, pad", conv_pad, 2, { 17, 3, 2 }, { 0 }, { 18, 17, 3, 3 }, 18, 0, -1, 1 },
	{ "conv2d, products of rows", conv_stride, 3, { 32, 4, 5 }, { 0 }, { 32, 32, 3, 3 }, 32, 0, -1, 1 },
	{ "transposed, Winograd", conv_t1, 3, { 16, 3, 3 }, { 0 }, { 16, 16, 3, 3 }, 16, 0, -1, 1 },
	{ "conv2d 4x4", conv, 5, { 2, 6, 6 }, { 0 }, { 4, 2, 4, 4 }, 4, 0, -1, 1 },
	{ "conv2d 7x7", conv, 5, { 2, 8, 8 }, { 0 }, { 4, 2, 7, 7 }, 4, 0, -1, 1 },
	{ "conv_transpose2d", conv_t1, 19, { 3, 4, 4 }, { 0 }, { 3, 2, 3, 3 }, 2, 0, -1, 1 },
	{ "conv_transpose2d stride", conv_t2, 19, { 3, 4, 4 }, { 0 }, { 3, 5, 2, 2 }, 5, 0, -1, 1 },
	{ "linear", linear, 19, { 2, 3, 2 }, { 0 }, { 35, 12, 1, 1 }, 35, 0, -1, 1 },
	{ "conv2d twice", conv_twice, 19, { 2, 7, 7 }, { 0 }, { 9, 2, 3, 3 }, 9, 0, -1, 1 },
	{ "linear twice", linear_twice, 35, { 2, 3, 2 }, { 0 }, { 13, 12, 1, 1 }, 13, 0, -1, 1 },
	{ "linear 1", linear, 1, { 7, 1, 1 }, { 0 }, { 3, 7, 1, 1 }, 3, 0, -1, 1 },
	{ "batch_norm train", bn_train, 19, { 3, 3, 3 }, { 0 }, { 0 }, 3, 3, -1, 1 },
	{ "batch_norm eval", bn_eval, 19, { 3, 3, 3 }, { 0 }, { 0 }, 3, 3, -1, 1 },
	{ "channel_affine", channel, 19, { 3, 3, 3 }, { 0 }, { 0 }, 3, 3, -1, 1 },
	{ "matvec", matvec, 19, { 3, 3, 3 }, { 0 }, { 3, 2, 3, 3 }, 18, 0, -1, 1 },
	{ "max_pool", maxp, 19, { 2, 6, 6 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "relu_max_pool", rmaxp, 19, { 2, 6, 4 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "relu_max_pool 3", rmaxp3, 19, { 2, 3, 6 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "relu_max_pool with a rest", rmaxp, 19, { 2, 5, 7 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "max_pool overlapping", maxp_over, 19, { 2, 7, 7 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "avg_pool", avgp, 19, { 2, 6, 6 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "global_avg_pool", gavg, 19, { 3, 4, 4 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "global_max_pool", gmax, 19, { 3, 4, 4 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "upsample", up, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "relu", relu, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "batch_norm and ReLU", bn_relu, 19, { 3, 3, 2 }, { 0 }, { 0 }, 3, 3, -1, 1 },
	{ "add_over", add_over, 19, { 2, 3, 4 }, { 3, 3, 4 }, { 3, 2, 3, 3 }, 3, 0, -1, 1 },
	{ "leaky_relu", lrelu, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "sigmoid", sigm, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -3, 3 },
	{ "tanh", tanhs, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -3, 3 },
	{ "add", add, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "sub", sub, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "mul", mul, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "mul plain", mul, 0, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "scale", scale, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "scale plain", scale, 0, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "reshape", reshape, 19, { 2, 3, 4 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "concat", concat, 19, { 2, 3, 3 }, { 4, 3, 3 }, { 0 }, 0, 0, -1, 1 },
	{ "slice", slice, 19, { 4, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "gather", gather, 19, { 10, 1, 1 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "softmax", softmax, 19, { 10, 1, 1 }, { 0 }, { 0 }, 0, 0, -3, 3 },
	{ "log_softmax", logsoftmax, 19, { 10, 1, 1 }, { 0 }, { 0 }, 0, 0, -3, 3 },
	{ "sum", sum, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "sum of a leaf", sum_only, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "mean", mean, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "mean plain", mean, 0, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "sum_image", sum_image, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "batch_mean", batch_mean, 19, { 3, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "cross_entropy", ce, 19, { 10, 1, 1 }, { 0 }, { 0 }, 0, 0, -3, 3 },
	{ "cross_entropy smoothed", ce_smooth, 19, { 10, 1, 1 }, { 0 }, { 0 }, 0, 0, -3, 3 },
	{ "cross_entropy soft", ce_soft, 19, { 10, 1, 1 }, { 0 }, { 0 }, 0, 0, -3, 3 },
	{ "kl_div", kl, 19, { 10, 1, 1 }, { 0 }, { 0 }, 0, 0, -3, 3 },
	{ "mse", mse, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "l1", l1, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -1, 1 },
	{ "bce_logits", bce, 19, { 2, 3, 3 }, { 0 }, { 0 }, 0, 0, -3, 3 },
	{ "mse over conv", conv_mse, 19, { 2, 4, 4 }, { 0 }, { 2, 2, 3, 3 }, 2, 0, -1, 1 },
	{ "batch_mean over batch_norm", bn_mean, 19, { 3, 3, 3 }, { 0 }, { 0 }, 3, 3, -1, 1 },
	{ "a small network", net, 35, { 2, 5, 5 }, { 0 }, { 10, 2, 3, 3 }, 10, 0, -1, 1 },
};

#define LEAVES 5
struct values { size_t len[LEAVES]; real *x[LEAVES]; real *weights; };

static size_t batch_len(const struct grad_case *c, const int d[3])
{
	return (size_t)(c->n ? c->n : 1) * d[0] * d[1] * d[2];
}

static void make_values(const struct grad_case *c, struct values *v, uint64_t seed)
{
	const int *b = c->b[0] ? c->b : c->a;
	struct rng r;

	rng_open(&r, seed, c->name, 0, 0);
	v->len[0] = batch_len(c, c->a);
	v->len[1] = batch_len(c, b);
	v->len[2] = c->p[0] ? (size_t)c->p[0] * c->p[1] * c->p[2] * c->p[3] : 0;
	v->len[3] = (size_t)c->q;
	v->len[4] = (size_t)c->r;
	for (int i = 0; i < LEAVES; i++) {
		v->x[i] = xcalloc(v->len[i] + 1, sizeof(real));
		for (size_t k = 0; k < v->len[i]; k++)
			v->x[i][k] = c->low + (c->high - c->low) * rng_uniform(&r);
	}
	v->weights = xcalloc(65536, sizeof(real));
	for (int k = 0; k < 65536; k++)
		v->weights[k] = rng_uniform(&r) - 0.5;
	for (int k = 0; k < 64; k++)
		labels[k] = (int)rng_below(&r, 10);
}

static struct node *batch_leaf(struct tape *t, const struct grad_case *c, const int d[3], const real *x)
{
	struct node *a;

	if (c->n) {
		a = tape_input(t, c->n, d[0], d[1], d[2], true);
		node_load(a, x);
	} else {
		a = tape_plain(t, d[0], d[1], d[2], 1, true);
		memcpy(a->x, x, a->len * sizeof(real));
	}
	return a;
}

static struct node *plain_leaf(struct tape *t, const int d[4], const real *x)
{
	struct node *a;

	if (!d[0])
		return NULL;
	a = tape_plain(t, d[0], d[1], d[2], d[3], true);
	memcpy(a->x, x, a->len * sizeof(real));
	return a;
}

/* loss = sum of the output times fixed random weights, so that every output counts differently */
static struct node *loss_of(struct tape *t, const struct grad_case *c, const struct values *v, struct leaves *l)
{
	struct node *y, *w;

	tape_reset(t);
	l->a = batch_leaf(t, c, c->a, v->x[0]);
	l->b = batch_leaf(t, c, c->b[0] ? c->b : c->a, v->x[1]);
	l->p = plain_leaf(t, c->p, v->x[2]);
	l->q = plain_leaf(t, (int[]){ c->q, 1, 1, 1 }, v->x[3]);
	l->r = plain_leaf(t, (int[]){ c->r, 1, 1, 1 }, v->x[4]);
	y = c->build(t, *l);
	if (!y->n && y->len == 1)
		return y;
	if (y->n) {
		w = tape_input(t, y->n, y->c, y->h, y->w, false);
		node_load(w, v->weights);
	} else {
		w = tape_plain(t, y->d[0], y->d[1], y->d[2], y->d[3], false);
		memcpy(w->x, v->weights, w->len * sizeof(real));
	}
	return op_sum(op_mul(y, w));
}

static void read_grad(const struct node *a, real *g)
{
	if (!a->g) /* the op does not use this leaf */
		return;
	if (a->n)
		node_store_grad(a, g);
	else
		memcpy(g, a->g, a->len * sizeof(real));
}

START_TEST(grad_matches_differences)
{
	const struct grad_case *c = &cases[_i];
	struct tape *t = tape_new();
	struct values v;
	struct leaves l;
	real *g[LEAVES];

	make_values(c, &v, 7);
	tape_backward(t, loss_of(t, c, &v, &l));
	for (int i = 0; i < LEAVES; i++) {
		struct node *leaf[LEAVES] = { l.a, l.b, l.p, l.q, l.r };

		g[i] = xcalloc(v.len[i] + 1, sizeof(real));
		if (leaf[i])
			read_grad(leaf[i], g[i]);
	}
	for (int i = 0; i < LEAVES; i++)
		for (size_t s = 0; s < v.len[i] && s < SAMPLES; s++) {
			const size_t k = v.len[i] <= SAMPLES ? s : s * v.len[i] / SAMPLES;
			const real x = v.x[i][k];
			double up_loss, down_loss, num, scale_of;

			if (i == 1 && (c->build == ce_soft || c->build == kl))
				continue; /* a constant to these losses */
			v.x[i][k] = x + STEP;
			up_loss = loss_of(t, c, &v, &l)->x[0];
			v.x[i][k] = x - STEP;
			down_loss = loss_of(t, c, &v, &l)->x[0];
			v.x[i][k] = x;
			num = (up_loss - down_loss) / (2 * STEP);
			scale_of = fmax(fmax(fabs(num), fabs(g[i][k])), 1e-2);
			ck_assert_msg(fabs(num - g[i][k]) / scale_of < TOLERANCE, "%s: leaf %d number %zu: backward %.12g, differences %.12g",
				      c->name, i, k, (double)g[i][k], num);
		}
	for (int i = 0; i < LEAVES; i++) {
		free(v.x[i]);
		free(g[i]);
	}
	free(v.weights);
	tape_free(t);
}
END_TEST

/* The straight-through estimator is not the derivative: forward rounds, backward passes through. */
START_TEST(round_passes_the_gradient_through)
{
	struct tape *t = tape_new();
	struct node *a = tape_plain(t, 4, 1, 1, 1, true), *y;
	const real x[4] = { 0.1, 0.26, -0.74, 2.5 }, want[4] = { 0, 0.5, -0.5, 2.5 };

	memcpy(a->x, x, sizeof(x));
	y = op_round_ste(a, 2);
	for (int i = 0; i < 4; i++)
		ck_assert_double_eq_tol(y->x[i], want[i], 1e-12);
	tape_backward(t, op_sum(y));
	for (int i = 0; i < 4; i++)
		ck_assert_double_eq_tol(a->g[i], 1, 1e-12);
	tape_free(t);
}
END_TEST

START_TEST(conv_rejects_bad_shapes)
{
	struct tape *t = tape_new();

	op_conv2d(tape_input(t, 2, 3, 4, 4, false), tape_plain(t, 2, 5, 3, 3, false), NULL, 1, 0);
}
END_TEST

Suite *suite_ops(void);
Suite *suite_ops(void)
{
	Suite *s = suite_create("ops in double");
	TCase *tc = tcase_create("gradients");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, grad_matches_differences, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, round_passes_the_gradient_through);
	tcase_add_test_raise_signal(tc, conv_rejects_bad_shapes, 6);
	suite_add_tcase(s, tc);
	return s;
}
