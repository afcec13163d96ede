/* Linear layers: convolutions of 1x1 "images" whose channels are the features, but for their weights' gradient. */
#include "nn/ops_conv.h"
#include "nn/ops.h"

/* ---- linear: Y = X W^T + b;  dX = dY W;  dW += dY^T X over the whole batch, rows of W in fixed tiles ---- */
#define LINEAR_ROWS 32

/* The inputs and the outputs' gradients of a batch, an image a row. */
struct rows_job {
	const real *from[2];
	real *to[2];
	int n[2], groups;
};

/* A row's length in memory. */
static size_t row_apart(int row)
{
	return ((size_t)row + LANES - 1) / LANES * LANES;
}

static void rows_task(void *ctx, int i, int thread)
{
	const struct rows_job *j = ctx;
	const int k = i / j->groups, n = j->n[k];
	const size_t g = (size_t)(i % j->groups);

	(void)thread;
	K->rows(n, j->from[k] + g * (size_t)n * LANES, j->to[k] + g * row_apart(n) * LANES, row_apart(n));
}

struct gemm_job {
	int o, i, n;
	const real *dy, *x; /* by rows */
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
	struct conv s;
	struct taps taps;
	int block;
	real *packed;
	const real *in, *bias;
	real *out;
	bool accumulate, made; /* made: packed already */
};

static void product_task(void *ctx, int b, int thread)
{
	const struct product_job *j = ctx;

	(void)thread;
	if (!j->made)
		conv_pack(&j->taps, j->block, b, j->packed);
	K->conv(&j->s, j->in, j->packed, j->bias, j->out, j->accumulate, b, b + 1);
}

/* out (=, +=) w in + bias for w (o,i), or w^T in with `back`. */
static void product(struct tape *t, const struct node *w, bool back, const real *in, int groups, const real *bias, real *out, bool accumulate)
{
	const int o = back ? w->d[1] : w->d[0], i = back ? w->d[0] : w->d[1];
	struct product_job j = { .in = in, .bias = bias, .out = out, .accumulate = accumulate };

	j.s = (struct conv){ .c = i, .h = 1, .w = 1, .o = o, .kh = 1, .kw = 1, .stride = 1, .oh = 1, .ow = groups,
			       .x_step = (size_t)i * LANES, .y_step = (size_t)o * LANES, .y_plane = LANES };
	j.taps = (struct taps){ .w = w->x, .o = w->d[0], .c = w->d[1], .k = 1, .back = back, .stride = 1 };
	j.block = K->conv_block(o, groups);
	j.packed = tape_pack(t, w, &j.taps, j.block, &j.made);
	tile_for((o + j.block - 1) / j.block, product_task, &j);
	tape_unpack(t, w, j.packed);
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
		struct rows_job r = { .from = { a->x, y->g }, .n = { i, o }, .groups = groups };
		struct gemm_job j = { .o = o, .i = i, .n = y->n, .dw = w->g };

		for (int k = 0; k < 2; k++)
			r.to[k] = tape_take(y->t, (size_t)groups * row_apart(r.n[k]) * LANES);
		tile_for(2 * groups, rows_task, &r);
		j.x = r.to[0];
		j.dy = r.to[1];
		tile_for((o + LINEAR_ROWS - 1) / LINEAR_ROWS, gemm_task, &j);
		tape_give(y->t, r.to[1]);
		tape_give(y->t, r.to[0]);
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
