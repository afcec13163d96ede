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

/* A convolution of a job: the only one, or of an adjoint with a stride those outputs that the same taps reach. */
struct phase {
	struct conv s;
	struct taps taps;
	real *packed;
	int block, blocks;
	size_t x_at, y_at; /* where it begins in a padded input and in an output */
};

struct conv_job {
	struct phase *phase;
	int phases;
	const struct node *w;
	const real *in, *bias;
	real *out, *pad;        /* pad: per thread or per group, see pad_by_group */
	size_t in_group, out_group, pad_len;
	int c, ih, iw, top, left, hp, wp; /* an input group, and how it is padded to (hp,wp) */
	bool pad_by_group, accumulate;
	int parts;
};

static void pack_task(void *ctx, int b, int thread)
{
	const struct phase *p = ctx;

	(void)thread;
	conv_pack(&p->taps, p->block, b, p->packed);
}

static void phase_open(struct tape *t, const struct node *w, struct phase *p)
{
	bool made;

	p->block = K->conv_block(p->s.o, p->s.ow);
	p->blocks = (p->s.o + p->block - 1) / p->block;
	p->packed = tape_pack(t, w, &p->taps, p->block, &made);
	if (made)
		return;
	if (conv_packed_len(&p->taps, p->block) > 16384)
		tile_for(p->blocks, pack_task, p);
	else
		for (int b = 0; b < p->blocks; b++)
			pack_task(p, b, 0);
}

static void conv_task(void *ctx, int i, int thread)
{
	const struct conv_job *j = ctx;
	const int g = i / j->parts, part = i % j->parts;
	const real *x = j->in + g * j->in_group;

	if (j->pad) {
		real *p = j->pad + (j->pad_by_group ? (size_t)g : (size_t)thread) * j->pad_len;

		pad_group(x, j->c, j->ih, j->iw, j->top, j->left, j->hp, j->wp, p);
		x = p;
	}
	for (const struct phase *p = j->phase; p < j->phase + j->phases; p++)
		K->conv(&p->s, x + p->x_at, p->packed, j->bias, j->out + g * j->out_group + p->y_at, j->accumulate,
			p->blocks * part / j->parts, p->blocks * (part + 1) / j->parts);
}

/* Run a job whose phases, input and output are set, over `groups`. keep: NULL, or where the padded groups go. */
static void conv_run(struct tape *t, struct conv_job *j, int groups, real *keep)
{
	for (int k = 0; k < j->phases; k++)
		phase_open(t, j->w, &j->phase[k]);
	j->in_group = (size_t)j->c * j->ih * j->iw * LANES;
	j->pad_len = (size_t)j->c * j->hp * j->wp * LANES;
	j->pad_by_group = keep != NULL;
	if (j->hp != j->ih || j->wp != j->iw)
		j->pad = keep ? keep : tape_take(t, j->pad_len * (size_t)tile_threads_get());
	/* Few groups (small batches): cut the output channels too, so that threads have work. It changes no result. */
	j->parts = keep || groups >= 8 || tile_threads_here() == 1 ? 1 : j->phase->blocks < 4 ? j->phase->blocks : 4;
	tile_for(groups * j->parts, conv_task, j);
	if (j->pad && !keep)
		tape_give(t, j->pad);
	for (int k = j->phases - 1; k >= 0; k--)
		tape_unpack(t, j->w, j->phase[k].packed);
}

/* y (=, +=) conv(in) where in's groups are padded by pad to what s takes: all around when they are kept, else by columns, and the rows
 * of zeros are left out. */
static void conv_forward(struct tape *t, const struct conv *s, int pad, const struct node *w, const real *in, int groups, const real *bias,
			 real *out, bool accumulate, real *keep)
{
	struct phase p = { .s = *s, .taps = { .w = w->x, .o = s->o, .c = s->c, .k = s->kh, .stride = 1 } };
	struct conv_job j = { .phase = &p, .phases = 1, .w = w, .in = in, .bias = bias, .out = out, .c = s->c,
			      .ih = s->h - 2 * pad, .iw = s->w - 2 * pad, .top = keep ? pad : 0, .left = pad, .hp = keep ? s->h : s->h - 2 * pad, .wp = s->w,
			      .accumulate = accumulate };

	p.s.h = j.hp;
	p.s.top = pad - j.top;
	j.out_group = (size_t)s->o * s->oh * s->ow * LANES;
	conv_run(t, &j, groups, keep);
}

/* Outputs of the adjoint in one direction whose taps are first, first + stride, ...: the first, how many of `size`, and the row of the
 * gradient that the last tap of the first one meets. */
struct reach { int at, n, row; };

static struct reach reach(int size, int k, int stride, int pad, int first)
{
	struct reach r = { .at = ((first - pad) % stride + stride) % stride };

	r.n = r.at < size ? (size - 1 - r.at) / stride + 1 : 0;
	r.row = (r.at + pad - first) / stride - (first < k ? (k - 1 - first) / stride : 0);
	return r;
}

/* out (=, +=) adjoint of conv2d with kernels w (o,c,k,k): out (c,h,w) is shaped as its input and in (o,ih,iw) as its output. */
struct adjoint {
	const struct node *w;
	int o, c, k, stride, pad, h, wd, ih, iw;
};

static void conv_adjoint(struct tape *t, const struct adjoint *a, const real *in, int groups, const real *bias, real *out, bool accumulate)
{
	const int s = a->stride;
	struct phase *phase = arena_new(&t->mem, (size_t)s * s, struct phase);
	struct reach *rows = arena_new(&t->mem, (size_t)s, struct reach), *columns = arena_new(&t->mem, (size_t)s, struct reach);
	struct conv_job j = { .phase = phase, .w = a->w, .in = in, .bias = bias, .out = out, .c = a->o, .ih = a->ih, .iw = a->iw,
			      .hp = a->ih, .wp = a->iw, .accumulate = accumulate };

	for (int f = 0; f < s; f++) { /* and the padding that the phases need by columns */
		const int taps = f < a->k ? (a->k - 1 - f) / s + 1 : 1;
		int end;

		rows[f] = reach(a->h, a->k, s, a->pad, f);
		columns[f] = reach(a->wd, a->k, s, a->pad, f);
		end = columns[f].row + columns[f].n + taps - 1;
		j.left = j.left > -columns[f].row ? j.left : -columns[f].row;
		j.wp = j.wp > end ? j.wp : end;
	}
	j.wp += j.left;
	for (int f = 0; f < s * s; f++) {
		const struct reach y = rows[f / s], x = columns[f % s];
		struct phase p = { .taps = { a->w->x, a->o, a->c, a->k, true, s, f / s, f % s } };

		p.s = (struct conv){ .c = a->o, .h = j.hp, .w = j.wp, .top = -y.row, .o = a->c, .kh = taps_from(&p.taps, f / s),
				     .kw = taps_from(&p.taps, f % s), .stride = 1, .oh = y.n, .ow = x.n, .x_step = LANES,
				     .y_step = (size_t)s * LANES, .y_row = (size_t)s * a->wd * LANES,
				     .y_plane = (size_t)a->h * a->wd * LANES };
		p.x_at = (size_t)(x.row + j.left) * LANES;
		p.y_at = ((size_t)y.at * a->wd + x.at) * LANES;
		if (y.n && x.n)
			phase[j.phases++] = p;
	}
	j.out_group = (size_t)a->c * a->h * a->wd * LANES;
	conv_run(t, &j, groups, NULL);
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
	pad_group(j->in + (size_t)g * j->c * j->ih * j->iw * LANES, j->c, j->ih, j->iw, j->pad, j->pad, j->hp, j->wp,
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
	j.scratch_len = wgrad_scratch(s, j.block);
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
	const struct adjoint adj = { w, y->c, a->c, op->s.kh, op->stride, op->pad, a->h, a->w, y->h, y->w };
	real *da;
	bool add;

	/* Weights first: the padded input's memory can then be the input's gradient. */
	if (node_grad(w))
		padded_wgrad(y, a, op, w->g);
	bias_grad(y, y->in[2]);
	da = node_grad_put(a, &add);
	if (da)
		conv_adjoint(y->t, &adj, y->g, GROUPS(y->n), NULL, da, add);
}

struct node *op_conv2d(struct node *a, struct node *w, struct node *b, int stride, int pad)
{
	const int hp = a->h + 2 * pad, wp = a->w + 2 * pad;
	struct conv_op *op = arena_new(&a->t->mem, 1, struct conv_op);
	struct node *y;

	BUG_ON(!a->n || w->n || w->d[1] != a->c || stride < 1 || pad < 0 || pad >= w->d[2] || w->d[2] != w->d[3]);
	BUG_ON(hp < w->d[2] || wp < w->d[3] || (b && (b->n || b->d[0] != w->d[0])));
	*op = (struct conv_op){ .stride = stride, .pad = pad, .s = conv_shape(a->c, hp, wp, w->d[0], w->d[2], stride) };
	y = node_batch(a->t, a->n, w->d[0], op->s.oh, op->s.ow, a, w, b, conv2d_back);
	conv_forward(a->t, &op->s, pad, w, a->x, GROUPS(a->n), b ? b->x : NULL, y->x, false, NULL);
	y->aux = op;
	return y;
}

/* ---- conv_transpose2d: y = adjoint of a conv with kernel w (I,O,kh,kw);  da = conv(dy);  dw += a . pad(dy) ---- */
static void conv_transpose_back(struct node *y)
{
	struct node *a = y->in[0], *w = y->in[1];
	const struct conv_op *op = y->aux;
	const int pad = op->pad;
	const struct conv s = conv_shape(y->c, y->h + 2 * pad, y->w + 2 * pad, a->c, w->d[2], op->stride);
	const size_t len = (size_t)GROUPS(y->n) * s.c * s.h * s.w * LANES;
	bool add;
	real *da = node_grad_put(a, &add), *unused = da ? NULL : tape_take(y->t, a->len), *dyp = pad ? tape_take(y->t, len) : y->g;

	/* the padded dy serves both gradients; without an input gradient its convolution goes to a spare buffer */
	conv_forward(y->t, &s, pad, w, y->g, GROUPS(y->n), NULL, da ? da : unused, da && add, pad ? dyp : NULL);
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
	const int k = w->d[2], oh = (a->h - 1) * stride - 2 * pad + k, ow = (a->w - 1) * stride - 2 * pad + k;
	const struct adjoint adj = { w, a->c, w->d[1], k, stride, pad, oh, ow, a->h, a->w };
	struct conv_op *op = arena_new(&a->t->mem, 1, struct conv_op);
	struct node *y;

	BUG_ON(!a->n || w->n || w->d[0] != a->c || stride < 1 || pad < 0 || pad >= k || k != w->d[3] || oh < 1 || ow < 1);
	BUG_ON(b && (b->n || b->d[0] != w->d[1]));
	*op = (struct conv_op){ .stride = stride, .pad = pad };
	y = node_batch(a->t, a->n, w->d[1], oh, ow, a, w, b, conv_transpose_back);
	conv_adjoint(a->t, &adj, a->x, GROUPS(a->n), b ? b->x : NULL, y->x, false);
	y->aux = op;
	return y;
}

/* ---- linear: Y = X W^T + b;  dX = dY W;  dW += dY^T X over the whole batch, rows of W in fixed tiles ---- */
#define LINEAR_ROWS 32

struct rows_job {
	const real *from;
	real *to;
	size_t row, apart;
};

/* A row's length in memory. */
static size_t row_apart(int row)
{
	return ((size_t)row + LANES - 1) / LANES * LANES;
}

/* One group of lanes to LANES rows, in pieces that stay in the cache whichever side is jumped about in. */
static void rows_task(void *ctx, int g, int thread)
{
	const struct rows_job *j = ctx;
	const real *x = j->from + g * j->row * LANES;
	real *r = j->to + g * j->apart * LANES;

	(void)thread;
	for (size_t k0 = 0; k0 < j->row; k0 += LANES) {
		const size_t k1 = k0 + LANES < j->row ? k0 + LANES : j->row;

		for (int l = 0; l < LANES; l++)
			for (size_t k = k0; k < k1; k++)
				r[l * j->apart + k] = x[k * LANES + l];
	}
}

static real *to_rows(struct tape *t, const real *x, int groups, int row)
{
	struct rows_job j = { .from = x, .row = (size_t)row, .apart = row_apart(row) };

	j.to = tape_take(t, (size_t)groups * j.apart * LANES);
	tile_for(groups, rows_task, &j);
	return j.to;
}

struct gemm_job {
	int o, i, n;
	real *dy, *x; /* by rows */
	real *dw;
};

static void gemm_task(void *ctx, int tile, int thread)
{
	const struct gemm_job *j = ctx;
	const int o0 = tile * LINEAR_ROWS, rows = j->o - o0 < LINEAR_ROWS ? j->o - o0 : LINEAR_ROWS;

	(void)thread;
	K->gemm_tn(rows, j->i, j->n, j->dy + o0, row_apart(j->o), j->x, row_apart(j->i), j->dw + (size_t)o0 * j->i, (size_t)j->i);
}

/* A convolution of 1x1 images whose columns are the groups: a weight that has been loaded serves several of them. A task packs and
 * applies one block of outputs. */
struct product_job {
	struct phase p;
	const real *in, *bias;
	real *out;
	bool accumulate, made; /* made: packed already */
};

static void product_task(void *ctx, int b, int thread)
{
	const struct product_job *j = ctx;

	(void)thread;
	if (!j->made)
		conv_pack(&j->p.taps, j->p.block, b, j->p.packed);
	K->conv(&j->p.s, j->in, j->p.packed, j->bias, j->out, j->accumulate, b, b + 1);
}

/* out (=, +=) w in + bias for w (o,i), or w^T in with `back`. */
static void product(struct tape *t, const struct node *w, bool back, const real *in, int groups, const real *bias, real *out, bool accumulate)
{
	const int o = back ? w->d[1] : w->d[0], i = back ? w->d[0] : w->d[1];
	struct product_job j = { .in = in, .bias = bias, .out = out, .accumulate = accumulate };

	j.p.s = (struct conv){ .c = i, .h = 1, .w = 1, .o = o, .kh = 1, .kw = 1, .stride = 1, .oh = 1, .ow = groups,
			       .x_step = (size_t)i * LANES, .y_step = (size_t)o * LANES, .y_plane = LANES };
	j.p.taps = (struct taps){ .w = w->x, .o = w->d[0], .c = w->d[1], .k = 1, .back = back, .stride = 1 };
	j.p.block = K->conv_block(o, groups);
	j.p.packed = tape_pack(t, w, &j.p.taps, j.p.block, &j.made);
	tile_for((o + j.p.block - 1) / j.p.block, product_task, &j);
	tape_unpack(t, w, j.p.packed);
}

static void linear_back(struct node *y)
{
	struct node *a = y->in[0], *w = y->in[1];
	const int groups = GROUPS(y->n), o = w->d[0], i = w->d[1];
	bool add;
	real *da = node_grad_put(a, &add);

	if (da)
		product(y->t, w, true, y->g, groups, NULL, da, add);
	if (node_grad(w)) {
		struct gemm_job j = { .o = o, .i = i, .n = y->n, .dw = w->g };

		j.x = to_rows(y->t, a->x, groups, i);
		j.dy = to_rows(y->t, y->g, groups, o);
		tile_for((o + LINEAR_ROWS - 1) / LINEAR_ROWS, gemm_task, &j);
		tape_give(y->t, j.dy);
		tape_give(y->t, j.x);
	}
	bias_grad(y, y->in[2]);
}

struct node *op_linear(struct node *a, struct node *w, struct node *b)
{
	const int i = a->c * a->h * a->w, o = w->d[0];
	struct node *y;

	BUG_ON(!a->n || w->n || (size_t)i * o != w->len || w->d[1] != i || (b && (b->n || b->d[0] != o)));
	y = node_batch(a->t, a->n, o, 1, 1, a, w, b, linear_back);
	product(a->t, w, false, a->x, GROUPS(a->n), b ? b->x : NULL, y->x, false);
	return y;
}
