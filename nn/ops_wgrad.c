/* Gradients of weights and biases of convolutions. A chunk of groups makes a partial sum; these are added in their order.
 *
 * Three ways, chosen by the shape alone: Winograd's for what goes that way forward; as products of rows where there are many channels;
 * and directly, images side by side as in a forward pass. */
#include "nn/kernels_winograd.h"
#include "nn/ops_conv.h"

#define WGRAD_GROUPS 2  /* groups a task sums over: a constant of the engine */
#define ROWS_FEWEST 32  /* channels from which on products of rows are faster, see docs/speed.md */

enum way { DIRECT, ROWS, WINOGRAD };

struct wgrad_job {
	enum way way;
	const struct conv *s;
	int pad;
	struct wino wino;
	const real *x, *dy;
	size_t xs, ys, len, scratch_len; /* len: numbers of a partial sum */
	int groups, chunks, parts;       /* parts: the outputs are cut into as many tasks */
	int slots;                       /* pieces of scratch */
	real *partial, *scratch, *dw;
};

static enum way way_of(const struct conv *s)
{
	if (winograd_suits(s->kh, s->stride, s->c, s->o))
		return WINOGRAD;
	return s->c % LANES == 0 && s->o % LANES == 0 && s->c >= ROWS_FEWEST && s->o >= ROWS_FEWEST ? ROWS : DIRECT;
}

static void wgrad_task(void *ctx, int i, int thread)
{
	const struct wgrad_job *j = ctx;
	const struct conv *s = j->s;
	const int chunk = i / j->parts, part = i % j->parts, g0 = chunk * WGRAD_GROUPS, blocks = GROUPS(s->o);
	const int n = j->groups - g0 < WGRAD_GROUPS ? j->groups - g0 : WGRAD_GROUPS;
	const int o0 = blocks * part / j->parts * LANES, end = blocks * (part + 1) / j->parts * LANES, o1 = end < s->o ? end : s->o; /* but DIRECT */
	const real *x = j->x + g0 * j->xs, *dy = j->dy + g0 * j->ys;
	real *sum = j->partial + chunk * j->len, *scratch = j->scratch + (size_t)(thread % j->slots) * j->scratch_len;

	switch (j->way) {
	case DIRECT: K->conv_wgrad(s, x, j->xs, dy, j->ys, n, sum, part * K->wgrad_block(s->o, s->kw), scratch); break;
	case ROWS: K->rows_wgrad(s, j->pad, x, j->xs, dy, j->ys, n, sum, o0, o1, scratch); break;
	case WINOGRAD: K->wino_wgrad(&j->wino, x, j->xs, dy, j->ys, n, sum, o0, o1, scratch); break;
	}
}

/* An output's kernels from partial sums (number,o,c), and from Winograd's 16 numbers back to 3x3. */
static void sum_task(void *ctx, int o, int thread)
{
	const struct wgrad_job *j = ctx;
	const size_t c = (size_t)j->s->c, apart = (size_t)j->s->o * c, numbers = j->len / apart, taps = (size_t)j->s->kh * j->s->kw;
	real *sum = j->partial + (size_t)o * c, *dw = j->dw + (size_t)o * c * taps;

	(void)thread;
	for (size_t e = 0; e < numbers; e++)
		for (int k = 1; k < j->chunks; k++)
			for (size_t i = 0; i < c; i++)
				sum[e * apart + i] += sum[k * j->len + e * apart + i];
	for (size_t i = 0; i < c; i++)
		if (j->way == WINOGRAD)
			wino_unpack(sum + i, apart, dw + i * taps);
		else
			for (size_t e = 0; e < numbers; e++)
				dw[i * taps + e] += sum[e * apart + i];
}

static void wgrad(struct tape *t, struct wgrad_job *j)
{
	const struct conv *s = j->s;

	j->ys = (size_t)s->o * s->oh * s->ow * LANES;
	j->chunks = (j->groups + WGRAD_GROUPS - 1) / WGRAD_GROUPS;
	j->partial = tape_take(t, j->len * (size_t)j->chunks);
	j->slots = tile_threads_here();
	j->scratch = tape_take(t, j->scratch_len * (size_t)j->slots);
	zero(j->partial, j->len * (size_t)j->chunks);
	tile_for(j->chunks * j->parts, wgrad_task, j);
	if (j->way == DIRECT)
		for (int c = 0; c < j->chunks; c++)
			pointwise(K->axpy, j->len, j->partial + c * j->len, NULL, j->dw, 1, 0);
	else
		tile_for(s->o, sum_task, j);
	tape_give(t, j->scratch);
	tape_give(t, j->partial);
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

/* The input is padded once more: keeping it from the forward pass would cost as much memory as the activations do. */
static void direct(struct tape *t, struct wgrad_job *j, const real *x)
{
	const struct conv *s = j->s;
	const int block = K->wgrad_block(s->o, s->kw);
	struct pad_job p = { .in = x, .c = s->c, .ih = s->h - 2 * j->pad, .iw = s->w - 2 * j->pad, .pad = j->pad, .hp = s->h, .wp = s->w };

	j->xs = (size_t)s->c * s->h * s->w * LANES;
	j->parts = (s->o + block - 1) / block;
	j->scratch_len = wgrad_scratch(s, block);
	if (j->pad) {
		p.out = tape_take(t, (size_t)j->groups * j->xs);
		tile_for(j->groups, pad_task, &p);
		j->x = p.out;
	}
	wgrad(t, j);
	if (j->pad)
		tape_give(t, p.out);
}

void conv_weights(struct tape *t, const struct conv *s, int pad, const real *x, const real *dy, int groups, real *dw)
{
	const int h = s->h - 2 * pad, w = s->w - 2 * pad, blocks = GROUPS(s->o), chunks = (groups + WGRAD_GROUPS - 1) / WGRAD_GROUPS;
	struct wgrad_job j = { .way = way_of(s), .s = s, .pad = pad, .x = x, .dy = dy, .groups = groups, .dw = dw,
			       .len = (size_t)s->o * s->c * s->kh * s->kw };

	if (j.way == DIRECT) {
		direct(t, &j, x);
		return;
	}
	j.xs = (size_t)s->c * h * w * LANES;
	j.scratch_len = rows_wgrad_scratch(s);
	/* Each part reads the inputs anew: only where there are fewer chunks than threads. */
	j.parts = chunks >= tile_threads_here() ? 1 : blocks < 4 ? blocks : 4;
	if (j.way == WINOGRAD) {
		j.wino = wino_shape(s->c, h, w, pad, s->o);
		j.len = WINO * (size_t)s->o * s->c;
		j.scratch_len = wino_wgrad_scratch(&j.wino);
	}
	wgrad(t, &j);
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

void bias_grad(const struct node *y, struct node *b)
{
	struct bgrad_job j = { .y = y, .plane = (size_t)y->h * y->w };

	if (!b || !node_grad(b))
		return;
	j.db = b->g;
	if (y->len <= 16384) /* less work than calling threads together */
		for (int c = 0; c < y->c; c++)
			bgrad_task(&j, c, 0);
	else
		tile_for(y->c, bgrad_task, &j);
}
