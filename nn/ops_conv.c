/* Convolution and transposed convolution.
 *
 * 3x3 kernels with stride 1 and many channels go Winograd's way (ops_winograd.c). For all others one operator does all the work: K->conv on
 * a group padded by columns. Its adjoint (gradient of the input) is K->conv again, over the gradient with the kernel flipped and its
 * channels swapped, with a stride once for each residue; a transposed convolution is that adjoint run forward. Weight gradients are in
 * ops_wgrad.c. */
#include "nn/kernels_winograd.h"
#include "nn/ops.h"
#include "nn/ops_conv.h"
#include <string.h>

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
	real *out, *pad;        /* pad: padded groups, one in each slot */
	int slots;
	size_t in_group, out_group, pad_len;
	int c, ih, iw, left, wp; /* an input group, and how its columns are padded to wp */
	bool accumulate;
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
		real *p = j->pad + (size_t)(thread % j->slots) * j->pad_len;

		pad_group(x, j->c, j->ih, j->iw, 0, j->left, j->ih, j->wp, p);
		x = p;
	}
	for (const struct phase *p = j->phase; p < j->phase + j->phases; p++)
		K->conv(&p->s, x + p->x_at, p->packed, j->bias, j->out + g * j->out_group + p->y_at, j->accumulate,
			p->blocks * part / j->parts, p->blocks * (part + 1) / j->parts);
}

/* Run a job whose phases, input and output are set, over `groups`. */
static void conv_run(struct tape *t, struct conv_job *j, int groups)
{
	for (int k = 0; k < j->phases; k++)
		phase_open(t, j->w, &j->phase[k]);
	j->in_group = (size_t)j->c * j->ih * j->iw * LANES;
	j->pad_len = (size_t)j->c * j->ih * j->wp * LANES;
	j->slots = tile_threads_here();
	if (j->wp != j->iw)
		j->pad = tape_take(t, j->pad_len * (size_t)j->slots);
	/* Few groups (small batches): cut the output channels too, so that threads have work. It changes no result. */
	j->parts = groups >= 8 || j->slots == 1 ? 1 : j->phase->blocks < 4 ? j->phase->blocks : 4;
	tile_for(groups * j->parts, conv_task, j);
	if (j->pad)
		tape_give(t, j->pad);
	for (int k = j->phases - 1; k >= 0; k--)
		tape_unpack(t, j->w, j->phase[k].packed);
}

/* y (=, +=) conv(in), whose groups are padded by pad to what s takes: by columns; the rows of zeros are left out. */
static void conv_forward(struct tape *t, const struct conv *s, int pad, const struct node *w, const real *in, int groups, const real *bias,
			 real *out, bool accumulate)
{
	const int h = s->h - 2 * pad, wd = s->w - 2 * pad;
	struct phase p = { .s = *s, .taps = { .w = w->x, .o = s->o, .c = s->c, .k = s->kh, .stride = 1 } };
	struct conv_job j = { .phase = &p, .phases = 1, .w = w, .in = in, .bias = bias, .out = out, .c = s->c, .ih = h, .iw = wd, .left = pad,
			      .wp = s->w, .accumulate = accumulate };

	if (winograd_suits(s->kh, s->stride, s->c, s->o)) {
		const struct wino q = wino_shape(s->c, h, wd, pad, s->o);

		winograd_apply(t, &q, w, false, in, groups, bias, out, accumulate);
		return;
	}
	p.s.h = h;
	p.s.top = pad;
	j.out_group = (size_t)s->o * s->oh * s->ow * LANES;
	conv_run(t, &j, groups);
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

static void phases_adjoint(struct tape *t, const struct adjoint *a, const real *in, int groups, const real *bias, real *out, bool accumulate)
{
	const int s = a->stride;
	struct phase *phase = arena_new(&t->mem, (size_t)s * s, struct phase);
	struct reach *rows = arena_new(&t->mem, (size_t)s, struct reach), *columns = arena_new(&t->mem, (size_t)s, struct reach);
	struct conv_job j = { .phase = phase, .w = a->w, .in = in, .bias = bias, .out = out, .c = a->o, .ih = a->ih, .iw = a->iw,
			      .wp = a->iw, .accumulate = accumulate };

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

		p.s = (struct conv){ .c = a->o, .h = a->ih, .w = j.wp, .top = -y.row, .o = a->c, .kh = taps_from(&p.taps, f / s),
				     .kw = taps_from(&p.taps, f % s), .stride = 1, .oh = y.n, .ow = x.n, .x_step = LANES,
				     .y_step = (size_t)s * LANES, .y_row = (size_t)s * a->wd * LANES,
				     .y_plane = (size_t)a->h * a->wd * LANES };
		p.x_at = (size_t)(x.row + j.left) * LANES;
		p.y_at = ((size_t)y.at * a->wd + x.at) * LANES;
		if (y.n && x.n)
			phase[j.phases++] = p;
	}
	j.out_group = (size_t)a->c * a->h * a->wd * LANES;
	conv_run(t, &j, groups);
}

static void conv_adjoint(struct tape *t, const struct adjoint *a, const real *in, int groups, const real *bias, real *out, bool accumulate)
{
	if (winograd_suits(a->k, a->stride, a->o, a->c)) {
		const struct wino q = wino_shape(a->o, a->ih, a->iw, 2 - a->pad, a->c);

		winograd_apply(t, &q, a->w, true, in, groups, bias, out, accumulate);
	} else {
		phases_adjoint(t, a, in, groups, bias, out, accumulate);
	}
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
		conv_weights(y->t, &op->s, op->pad, a->x, y->g, GROUPS(y->n), w->g);
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
	conv_forward(a->t, &op->s, pad, w, a->x, GROUPS(a->n), b ? b->x : NULL, y->x, false);
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
	bool add;
	real *da;

	if (node_grad(w))
		conv_weights(y->t, &s, pad, y->g, a->x, GROUPS(y->n), w->g);
	bias_grad(y, y->in[2]);
	da = node_grad_put(a, &add);
	if (da)
		conv_forward(y->t, &s, pad, w, y->g, GROUPS(y->n), NULL, da, add);
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
