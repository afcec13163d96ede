/* Convolution, transposed convolution, linear.
 *
 * One operator does all the work: K->conv on a padded group. Its adjoint (gradient of the input) is K->conv again, over
 * the gradient spread out by the stride and padded by k-1-p, with the kernel flipped and its channels swapped; a transposed
 * convolution is that adjoint run forward. A linear layer is a convolution of 1x1 "images" whose channels are the features. */
#include "nn/tape_impl.h"
#include <string.h>

#define WGRAD_GROUPS 2 /* groups a weight-gradient task sums over: a constant of the engine */

/* What an op keeps for its backward. */
struct conv_op {
	int stride, pad;
	struct conv s;     /* the forward (or adjoint) convolution over the padded input */
};

struct conv_job {
	struct node *y;
	const real *in, *packed, *bias;
	real *out, *pad;        /* pad: per thread or per group, see pad_by_group */
	size_t in_group, out_group, pad_len;
	int ih, iw, top, step;  /* rows and columns of an input group, and how it is padded; step 0: no padding needed */
	bool pad_by_group, accumulate;
	struct conv s;
	int blocks, parts;
};

static void conv_task(void *ctx, int i, int thread)
{
	const struct conv_job *j = ctx;
	const int g = i / j->parts, part = i % j->parts;
	const real *x = j->in + g * j->in_group;

	if (j->step) {
		real *p = j->pad + (j->pad_by_group ? (size_t)g : (size_t)thread) * j->pad_len;

		pad_group(x, j->s.c, j->ih, j->iw, j->top, j->top, j->step, j->s.h, j->s.w, p);
		x = p;
	}
	K->conv(&j->s, x, j->packed, j->bias, j->out + g * j->out_group, j->accumulate, j->blocks * part / j->parts,
		j->blocks * (part + 1) / j->parts);
}

/* Few groups (small batches): cut the output channels too, so that threads have work. Depends on sizes only. */
static void conv_run(struct conv_job *j, int groups)
{
	const int block = K->conv_block(j->s.o, j->s.ow);

	j->blocks = (j->s.o + block - 1) / block;
	j->parts = j->step && j->pad_by_group ? 1 : groups >= 8 ? 1 : j->blocks < 4 ? j->blocks : 4;
	tile_for(groups * j->parts, conv_task, j);
}

/* y (=, +=) conv(in) where in's groups (c,ih,iw) are padded to s.h x s.w. keep: NULL, or where the padded groups go. */
static void conv_apply(struct tape *t, const struct conv *s, const struct node *w, bool back, const real *in, int ih, int iw, int top,
			int step, int groups, const real *bias, real *out, bool accumulate, real *keep)
{
	const int block = K->conv_block(s->o, s->ow);
	real *packed = tape_take(t, conv_packed_len(s->o, s->c, s->kh, s->kw, block));
	struct conv_job j = { .in = in, .packed = packed, .bias = bias, .out = out, .ih = ih, .iw = iw, .top = top,
			      .accumulate = accumulate, .s = *s };

	if (back)
		conv_pack_back(w->x, s->c, s->o, s->kh, s->kw, block, packed);
	else
		conv_pack(w->x, s->o, s->c, s->kh, s->kw, block, packed);
	j.in_group = (size_t)s->c * ih * iw * LANES;
	j.out_group = (size_t)s->o * s->oh * s->ow * LANES;
	j.pad_len = (size_t)s->c * s->h * s->w * LANES;
	j.step = ih == s->h && iw == s->w && step == 1 ? 0 : step;
	j.pad_by_group = keep != NULL;
	if (j.step)
		j.pad = keep ? keep : tape_take(t, j.pad_len * (size_t)tile_threads_get());
	conv_run(&j, groups);
	if (j.step && !keep)
		tape_give(t, j.pad);
	tape_give(t, packed);
}

/* ------------------------------------------------------------------ padded copies of a whole batch */
struct pad_job {
	const real *in;
	real *out;
	int c, ih, iw, pad, hp, wp;
};

static void pad_task(void *ctx, int g, int thread)
{
	const struct pad_job *j = ctx;

	(void)thread;
	pad_group(j->in + (size_t)g * j->c * j->ih * j->iw * LANES, j->c, j->ih, j->iw, j->pad, j->pad, 1, j->hp, j->wp,
		  j->out + (size_t)g * j->c * j->hp * j->wp * LANES);
}

/* ------------------------------------------------------------------ weight and bias gradients */
struct wgrad_job {
	const struct conv *s;
	const real *x, *dy;
	size_t xs, ys, wlen, scratch_len;
	int groups, block, oblocks, chunks;
	real *partial, *scratch, *dw;
};

static void wgrad_task(void *ctx, int i, int thread)
{
	const struct wgrad_job *j = ctx;
	const int chunk = i / j->oblocks, ob = i % j->oblocks, g0 = chunk * WGRAD_GROUPS;
	const int n = j->groups - g0 < WGRAD_GROUPS ? j->groups - g0 : WGRAD_GROUPS;

	K->conv_wgrad(j->s, j->x + g0 * j->xs, j->xs, j->dy + g0 * j->ys, j->ys, n, j->partial + chunk * j->wlen, ob * j->block,
		      j->scratch + (size_t)thread * j->scratch_len);
}

static void wgrad(struct tape *t, const struct conv *s, const real *x, const real *dy, int groups, real *dw)
{
	struct wgrad_job j = { .s = s, .x = x, .dy = dy, .groups = groups, .dw = dw };

	j.xs = (size_t)s->c * s->h * s->w * LANES;
	j.ys = (size_t)s->o * s->oh * s->ow * LANES;
	j.wlen = (size_t)s->o * s->c * s->kh * s->kw;
	j.block = K->wgrad_block(s->o, s->kw);
	j.oblocks = (s->o + j.block - 1) / j.block;
	j.chunks = (groups + WGRAD_GROUPS - 1) / WGRAD_GROUPS;
	j.scratch_len = (size_t)j.block * s->c * s->kh * s->kw * LANES;
	j.partial = tape_take(t, j.wlen * (size_t)j.chunks);
	j.scratch = tape_take(t, j.scratch_len * (size_t)tile_threads_get());
	zero(j.partial, j.wlen * (size_t)j.chunks);
	tile_for(j.oblocks * j.chunks, wgrad_task, &j);
	for (int c = 0; c < j.chunks; c++)
		pointwise(K->axpy, j.wlen, j.partial + c * j.wlen, NULL, dw, 1, 0);
	tape_give(t, j.partial);
	tape_give(t, j.scratch);
}

struct bgrad_job {
	const struct node *y;
	size_t plane;
	real *db;
};

static void bgrad_task(void *ctx, int c, int thread)
{
	const struct bgrad_job *j = ctx;
	real sum[LANES] = { 0 };

	(void)thread;
	for (int g = 0; g < GROUPS(j->y->n); g++)
		K->lane_sum(j->plane, j->y->g + g * group_len(j->y) + (size_t)c * j->plane * LANES, sum);
	j->db[c] += lane_reduce(sum, LANES);
}

static void bias_grad(const struct node *y, struct node *b)
{
	struct bgrad_job j = { .y = y, .plane = (size_t)y->h * y->w };

	if (!b || !node_grad(b))
		return;
	j.db = b->g;
	tile_for(y->c, bgrad_task, &j);
}

/* The input is padded once more: keeping it from the forward pass would cost as much memory as the activations do. */
static void padded_wgrad(const struct node *y, const struct node *a, const struct conv_op *op, real *dw)
{
	const struct conv *s = &op->s;
	const int groups = GROUPS(y->n);
	struct pad_job j = { .in = a->x, .c = a->c, .ih = a->h, .iw = a->w, .pad = op->pad, .hp = s->h, .wp = s->w };

	if (!op->pad) {
		wgrad(y->t, s, a->x, y->g, groups, dw);
		return;
	}
	j.out = tape_take(y->t, (size_t)groups * s->c * s->h * s->w * LANES);
	tile_for(groups, pad_task, &j);
	wgrad(y->t, s, j.out, y->g, groups, dw);
	tape_give(y->t, j.out);
}

/* ---- conv2d: y = w * pad(a) + b;  da += w^T spread(dy);  dw += dy . pad(a) ---- */
static void conv2d_back(struct node *y)
{
	struct node *a = y->in[0], *w = y->in[1];
	const struct conv_op *op = y->aux;
	const struct conv *s = &op->s;
	real *da;

	/* Weights first: the padded input's memory can then be the input's gradient. */
	if (node_grad(w))
		padded_wgrad(y, a, op, w->g);
	bias_grad(y, y->in[2]);
	da = node_grad(a);
	if (da) {
		const int k = s->kh - 1 - op->pad;
		const struct conv adj = { .c = s->o, .h = a->h + s->kh - 1, .w = a->w + s->kw - 1, .o = s->c, .kh = s->kh, .kw = s->kw,
					  .stride = 1, .oh = a->h, .ow = a->w };

		conv_apply(y->t, &adj, w, true, y->g, y->h, y->w, k, op->stride, GROUPS(y->n), NULL, da, true, NULL);
	}
}

struct node *op_conv2d(struct node *a, struct node *w, struct node *b, int stride, int pad)
{
	const int hp = a->h + 2 * pad, wp = a->w + 2 * pad;
	struct conv_op *op = arena_new(&a->t->mem, 1, struct conv_op);
	struct node *y;

	BUG_ON(!a->n || w->n || w->d[1] != a->c || stride < 1 || pad < 0 || pad >= w->d[2] || w->d[2] != w->d[3]);
	BUG_ON(hp < w->d[2] || wp < w->d[3] || (b && (b->n || b->d[0] != w->d[0])));
	*op = (struct conv_op){ .stride = stride, .pad = pad };
	op->s = (struct conv){ .c = a->c, .h = hp, .w = wp, .o = w->d[0], .kh = w->d[2], .kw = w->d[3], .stride = stride,
			       .oh = (hp - w->d[2]) / stride + 1, .ow = (wp - w->d[3]) / stride + 1 };
	y = node_batch(a->t, a->n, w->d[0], op->s.oh, op->s.ow, a, w, b, conv2d_back);
	conv_apply(a->t, &op->s, w, false, a->x, a->h, a->w, pad, 1, GROUPS(a->n), b ? b->x : NULL, y->x, false, NULL);
	y->aux = op;
	return y;
}

/* ---- conv_transpose2d: y = adjoint of a conv with kernel w (I,O,kh,kw);  da = conv(dy);  dw += a . pad(dy) ---- */
static void conv_transpose_back(struct node *y)
{
	struct node *a = y->in[0], *w = y->in[1];
	const struct conv_op *op = y->aux;
	const int pad = op->pad, hp = y->h + 2 * pad, wp = y->w + 2 * pad;
	const struct conv s = { .c = y->c, .h = hp, .w = wp, .o = a->c, .kh = w->d[2], .kw = w->d[3], .stride = op->stride,
				.oh = a->h, .ow = a->w };
	const size_t len = (size_t)GROUPS(y->n) * s.c * s.h * s.w * LANES;
	real *da = node_grad(a), *unused = da ? NULL : tape_take(y->t, a->len), *dyp = pad ? tape_take(y->t, len) : y->g;

	/* the padded dy serves both gradients; without an input gradient its convolution goes to a spare buffer */
	conv_apply(y->t, &s, w, false, y->g, y->h, y->w, pad, 1, GROUPS(y->n), NULL, da ? da : unused, da != NULL, pad ? dyp : NULL);
	if (node_grad(w))
		wgrad(y->t, &s, dyp, a->x, GROUPS(y->n), w->g);
	bias_grad(y, y->in[2]);
	if (pad)
		tape_give(y->t, dyp);
	if (unused)
		tape_give(y->t, unused);
}

struct node *op_conv_transpose2d(struct node *a, struct node *w, struct node *b, int stride, int pad)
{
	const int kh = w->d[2], kw = w->d[3], oh = (a->h - 1) * stride - 2 * pad + kh, ow = (a->w - 1) * stride - 2 * pad + kw;
	struct conv_op *op = arena_new(&a->t->mem, 1, struct conv_op);
	struct node *y;

	BUG_ON(!a->n || w->n || w->d[0] != a->c || stride < 1 || pad < 0 || pad >= kh || kh != kw || oh < 1 || ow < 1);
	BUG_ON(b && (b->n || b->d[0] != w->d[1]));
	*op = (struct conv_op){ .stride = stride, .pad = pad };
	op->s = (struct conv){ .c = a->c, .h = oh + kh - 1, .w = ow + kw - 1, .o = w->d[1], .kh = kh, .kw = kw, .stride = 1, .oh = oh, .ow = ow };
	y = node_batch(a->t, a->n, w->d[1], oh, ow, a, w, b, conv_transpose_back);
	conv_apply(a->t, &op->s, w, true, a->x, a->h, a->w, kh - 1 - pad, stride, GROUPS(a->n), b ? b->x : NULL, y->x, false, NULL);
	y->aux = op;
	return y;
}

/* ---- linear: Y = X W^T + b;  dX = dY W;  dW += dY^T X over the whole batch, rows of W in fixed tiles ---- */
#define LINEAR_ROWS 32

struct rows_job {
	const real *from;
	real *to;
	size_t row;
};

/* One group of lanes to LANES rows. */
static void rows_task(void *ctx, int g, int thread)
{
	const struct rows_job *j = ctx;
	const real *x = j->from + g * j->row * LANES;
	real *r = j->to + g * j->row * LANES;

	(void)thread;
	for (size_t k = 0; k < j->row; k++)
		for (int l = 0; l < LANES; l++)
			r[l * j->row + k] = x[k * LANES + l];
}

static real *to_rows(struct tape *t, const real *x, int groups, size_t row)
{
	struct rows_job j = { .from = x, .to = tape_alloc(t, groups * row * LANES), .row = row };

	tile_for(groups, rows_task, &j);
	return j.to;
}

struct gemm_job {
	int o, i, n;
	const real *dy, *x;
	real *dw;
};

static void gemm_task(void *ctx, int tile, int thread)
{
	const struct gemm_job *j = ctx;
	const int o0 = tile * LINEAR_ROWS, rows = j->o - o0 < LINEAR_ROWS ? j->o - o0 : LINEAR_ROWS;

	(void)thread;
	gemm_tn(rows, j->i, j->n, j->dy + o0, j->o, j->x, j->i, j->dw + (size_t)o0 * j->i, j->i);
}

static void linear_back(struct node *y)
{
	struct node *a = y->in[0], *w = y->in[1];
	const int groups = GROUPS(y->n), o = w->d[0], i = w->d[1];
	real *da = node_grad(a);

	if (da) {
		const struct conv adj = { .c = o, .h = 1, .w = 1, .o = i, .kh = 1, .kw = 1, .stride = 1, .oh = 1, .ow = 1 };

		conv_apply(y->t, &adj, w, true, y->g, 1, 1, 0, 1, groups, NULL, da, true, NULL);
	}
	if (node_grad(w)) {
		struct gemm_job j = { .o = o, .i = i, .n = y->n, .dw = w->g };

		j.x = to_rows(y->t, a->x, groups, (size_t)i);
		j.dy = to_rows(y->t, y->g, groups, (size_t)o);
		tile_for((o + LINEAR_ROWS - 1) / LINEAR_ROWS, gemm_task, &j);
	}
	bias_grad(y, y->in[2]);
}

struct node *op_linear(struct node *a, struct node *w, struct node *b)
{
	const int i = a->c * a->h * a->w, o = w->d[0];
	const struct conv s = { .c = i, .h = 1, .w = 1, .o = o, .kh = 1, .kw = 1, .stride = 1, .oh = 1, .ow = 1 };
	struct node *y;

	BUG_ON(!a->n || w->n || (size_t)i * o != w->len || w->d[1] != i || (b && (b->n || b->d[0] != o)));
	y = node_batch(a->t, a->n, o, 1, 1, a, w, b, linear_back);
	conv_apply(a->t, &s, w, false, a->x, 1, 1, 0, 1, GROUPS(a->n), b ? b->x : NULL, y->x, false, NULL);
	return y;
}
