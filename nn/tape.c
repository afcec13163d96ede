/* The tape: nodes, leaves, backward, and the way in and out of the lane layout. Ops are in ops_*.c. */
#include "nn/tape_parts.h"

#include <string.h>

#include "nn/param.h"

struct tape *tape_new(void)
{
	struct tape *t = xcalloc(1, sizeof(*t));

	t->grad_params = true;
	return t;
}

void tape_free(struct tape *t)
{
	if (!t)
		return;
	arena_release(&t->mem);
	arena_release(&t->kept);
	free(t->node);
	free(t);
}

void tape_reset(struct tape *t)
{
	arena_reset(&t->mem);
	t->spare = NULL;
	t->n = 0;
	t->grad_params = true;
	t->predicts = false;
}

size_t tape_peak(const struct tape *t)
{
	return t->mem.high;
}

void tape_grad_params(struct tape *t, bool on)
{
	t->grad_params = on;
}

void tape_predicts(struct tape *t)
{
	t->predicts = true;
}

void tape_keep_weights(struct tape *t)
{
	t->keep = true;
}

static struct node *push(struct tape *t)
{
	struct node *y = arena_new(&t->mem, 1, struct node);

	memset(y, 0, sizeof(*y));
	y->t = t;
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->node = xrealloc(t->node, (size_t)t->cap, sizeof(*t->node));
	}
	t->node[t->n++] = y;
	if (t->watch)
		t->watch(t->watch_ctx);
	return y;
}

static void set_inputs(struct node *y, struct node *a, struct node *b, struct node *c, void (*back)(struct node *))
{
	y->in[0] = a;
	y->in[1] = b;
	y->in[2] = c;
	y->wants = (a && a->wants) || (b && b->wants) || (c && c->wants);
	y->back = y->wants ? back : NULL;
}

struct node *node_batch(struct tape *t, int n, int c, int h, int w, struct node *a, struct node *b, struct node *c3,
			void (*back)(struct node *))
{
	struct node *y = push(t);

	BUG_ON(n <= 0 || c <= 0 || h <= 0 || w <= 0);
	y->n = n;
	y->c = c;
	y->h = h;
	y->w = w;
	y->len = GROUPS(n) * group_len(y);
	y->x = tape_take(t, y->len);
	set_inputs(y, a, b, c3, back);
	return y;
}

struct node *node_plain(struct tape *t, const int d[4], struct node *a, struct node *b, void (*back)(struct node *))
{
	struct node *y = push(t);

	y->len = 1;
	for (int i = 0; i < 4; i++) {
		y->d[i] = d[i] > 0 ? d[i] : 1;
		y->len *= (size_t)y->d[i];
	}
	y->x = tape_alloc(t, y->len);
	set_inputs(y, a, b, NULL, back);
	return y;
}

struct node *node_like(struct node *a, struct node *b, void (*back)(struct node *))
{
	return a->n ? node_batch(a->t, a->n, a->c, a->h, a->w, a, b, NULL, back) : node_plain(a->t, a->d, a, b, back);
}

struct node *node_over(struct node *a, struct node *b, void (*back)(struct node *))
{
	struct node *y = push(a->t);

	BUG_ON(!a->n || !a->in[0]); /* a leaf's numbers are somebody's */
	y->n = a->n;
	y->c = a->c;
	y->h = a->h;
	y->w = a->w;
	y->len = a->len;
	y->x = a->x;
	set_inputs(y, a, b, NULL, back);
	return y;
}

void node_drop(struct node *a)
{
	BUG_ON(!a->n || !a->in[0]);
	tape_give(a->t, a->x);
	a->x = NULL;
}

void node_done(struct node *a)
{
	if (a->t->predicts)
		node_drop(a);
}

struct node *node_scalar(struct tape *t, struct node *a, struct node *b, void (*back)(struct node *))
{
	return node_plain(t, (int[]){ 1, 1, 1, 1 }, a, b, back);
}

/* ------------------------------------------------------------------ memory for less than a step */

/* In front of each piece, which stays aligned like everything of the arena. */
struct spare {
	_Alignas(64) struct spare *next;
	size_t n; /* numbers there is room for, whatever the last one wanted */
};

/* The smallest piece that is large enough; none is cut, so a piece of more than twice the size is left for a larger need. */
real *tape_take(struct tape *t, size_t n)
{
	struct spare **best = NULL, *s;

	for (struct spare **at = &t->spare; *at; at = &(*at)->next)
		if ((*at)->n >= n && (*at)->n / 2 <= n && (!best || (*at)->n < (*best)->n))
			best = at;
	if (best) {
		s = *best;
		*best = s->next;
	} else {
		s = arena_alloc(&t->mem, 1, sizeof(*s) + n * sizeof(real));
		s->n = n;
	}
	return (real *)(void *)(s + 1);
}

void tape_give(struct tape *t, real *x)
{
	struct spare *s = (struct spare *)(void *)x - 1;

	s->next = t->spare;
	t->spare = s;
}

/* ------------------------------------------------------------------ packed weights */
struct packed {
	struct packed *next;
	struct taps taps;
	int block;
	real *x;
};

static bool same_taps(const struct taps *a, const struct taps *b)
{
	return a->w == b->w && a->o == b->o && a->c == b->c && a->k == b->k && a->back == b->back && a->stride == b->stride &&
	       a->dy == b->dy && a->dx == b->dx && a->winograd == b->winograd;
}

real *tape_pack(struct tape *t, const struct node *w, const struct taps *taps, int block, bool *made)
{
	const size_t len = conv_packed_len(taps, block);
	struct packed *p = t->packed;

	*made = false;
	if (!w->kept)
		return tape_take(t, len);
	while (p && !(p->block == block && same_taps(&p->taps, taps)))
		p = p->next;
	*made = p != NULL;
	if (!p) {
		p = arena_new(&t->kept, 1, struct packed);
		*p = (struct packed){ .next = t->packed, .taps = *taps, .block = block, .x = arena_new(&t->kept, len, real) };
		t->packed = p;
	}
	return p->x;
}

void tape_unpack(struct tape *t, const struct node *w, real *packed)
{
	if (!w->kept)
		tape_give(t, packed);
}

/* ------------------------------------------------------------------ loops */
#define CHUNK 16384 /* numbers a thread takes at once: a constant of the engine */

struct pointwise_job {
	pointwise_fn *fn;
	size_t n;
	const real *a, *b;
	real *y, p, q;
};

static void pointwise_chunk(void *ctx, int i, int thread)
{
	const struct pointwise_job *j = ctx;
	const size_t at = (size_t)i * CHUNK, n = j->n - at < CHUNK ? j->n - at : CHUNK;

	(void)thread;
	if (!j->fn)
		memset(j->y + at, 0, n * sizeof(real));
	else
		j->fn(n, j->a ? j->a + at : NULL, j->b ? j->b + at : NULL, j->y + at, j->p, j->q);
}

void pointwise(pointwise_fn *fn, size_t n, const real *a, const real *b, real *y, real p, real q)
{
	struct pointwise_job j = { fn, n, a, b, y, p, q };

	tile_for((int)((n + CHUNK - 1) / CHUNK), pointwise_chunk, &j);
}

void zero(real *x, size_t n)
{
	pointwise(NULL, n, NULL, NULL, x, 0, 0);
}

real *node_grad(struct node *a)
{
	if (!a->wants)
		return NULL;
	if (!a->g) {
		a->g = tape_take(a->t, a->len);
		zero(a->g, a->len);
	}
	return a->g;
}

real *node_grad_put(struct node *a, bool *add)
{
	*add = a->g != NULL;
	if (a->wants && !a->g)
		a->g = tape_take(a->t, a->len);
	return a->wants ? a->g : NULL;
}

bool node_grad_hand(struct node *y, struct node *a)
{
	if (!a->wants || a->g)
		return false;
	BUG_ON(a->len != y->len);
	a->g = y->g;
	y->g = NULL;
	return true;
}

void mask_tail(const struct node *a, real *buf)
{
	const int lanes = a->n % LANES;
	real *last;

	if (!lanes)
		return;
	last = buf + (GROUPS(a->n) - 1) * group_len(a);
	for (size_t i = 0; i < group_len(a) / LANES; i++)
		for (int l = lanes; l < LANES; l++)
			last[i * LANES + l] = 0;
}

void node_back(struct node *y)
{
	if (!y->back || !y->g)
		return;
	y->back(y);
	if (y->g)
		tape_give(y->t, y->g);
	y->g = NULL;
}

void tape_backward(struct tape *t, struct node *loss)
{
	real *g;

	BUG_ON(loss->n || loss->len != 1 || loss->t != t);
	g = node_grad(loss);
	if (!g)
		return;
	g[0] = 1;
	for (int i = t->n - 1; i >= 0; i--)
		node_back(t->node[i]);
}

const struct node *tape_input_of(const struct tape *t, const struct param *p)
{
	for (int i = 0; i < t->n; i++) {
		const struct node *y = t->node[i];

		if (y->n && y->in[1] && !y->in[1]->n && y->in[1]->x == p->x) {
			BUG_ON(!y->in[0]->x);
			return y->in[0];
		}
	}
	return NULL;
}

/* ------------------------------------------------------------------ leaves */
struct node *tape_input(struct tape *t, int n, int c, int h, int w, bool want_grad)
{
	struct node *y = node_batch(t, n, c, h, w, NULL, NULL, NULL, NULL);

	y->wants = want_grad;
	return y;
}

struct node *tape_plain(struct tape *t, int d0, int d1, int d2, int d3, bool want_grad)
{
	struct node *y = node_plain(t, (int[]){ d0, d1, d2, d3 }, NULL, NULL, NULL);

	y->wants = want_grad;
	zero(y->x, y->len);
	return y;
}

struct node *tape_param(struct tape *t, struct param *p)
{
	struct node *y = push(t);

	for (int i = 0; i < 4; i++)
		y->d[i] = p->d[i] > 0 ? p->d[i] : 1;
	y->len = p->len;
	y->x = p->x;
	y->kept = t->keep;
	y->wants = t->grad_params && p->g && !p->frozen && !p->buffer;
	y->g = y->wants ? p->g : NULL;
	return y;
}

/* ------------------------------------------------------------------ the lane layout */
struct copy_job {
	struct node *a;
	const void *from;
	void *to;
	const struct images *v;
	int first;
	int kind; /* 'r' real rows, 'f' float rows, 'v' a view of images */
};

static void load_group(void *ctx, int g, int thread)
{
	const struct copy_job *j = ctx;
	struct node *a = j->a;
	const int lanes = group_images(a, g);
	const size_t row = group_len(a) / LANES;
	real *x = a->x + g * group_len(a);

	(void)thread;
	if (lanes < LANES)
		memset(x, 0, group_len(a) * sizeof(real));
	for (int l = 0; l < lanes; l++) {
		const size_t i = (size_t)g * LANES + l;

		if (j->kind == 'v') {
			const size_t at = (size_t)images_at(j->v, j->first + (int)i) * row;

			if (j->v->px)
				for (size_t k = 0; k < row; k++)
					x[k * LANES + l] = (real)((float)j->v->px[at + k] / 255.0f);
			else
				for (size_t k = 0; k < row; k++)
					x[k * LANES + l] = (real)j->v->fx[at + k];
		} else if (j->kind == 'f') {
			for (size_t k = 0; k < row; k++)
				x[k * LANES + l] = (real)((const float *)j->from)[i * row + k];
		} else {
			for (size_t k = 0; k < row; k++)
				x[k * LANES + l] = ((const real *)j->from)[i * row + k];
		}
	}
}

static void store_group(void *ctx, int g, int thread)
{
	const struct copy_job *j = ctx;
	const struct node *a = j->a;
	const size_t row = group_len(a) / LANES;
	const real *x = (const real *)j->from + g * group_len(a);

	(void)thread;
	for (int l = 0; l < group_images(a, g); l++) {
		const size_t i = (size_t)g * LANES + l;

		if (j->kind == 'f')
			for (size_t k = 0; k < row; k++)
				((float *)j->to)[i * row + k] = (float)x[k * LANES + l];
		else
			for (size_t k = 0; k < row; k++)
				((real *)j->to)[i * row + k] = x[k * LANES + l];
	}
}

static void load(struct node *a, const void *from, const struct images *v, int first, int kind)
{
	struct copy_job j = { .a = a, .from = from, .v = v, .first = first, .kind = kind };

	BUG_ON(!a->n);
	tile_for(GROUPS(a->n), load_group, &j);
}

static void store(const struct node *a, const real *from, void *to, int kind)
{
	struct copy_job j = { .a = (struct node *)a, .from = from, .to = to, .kind = kind };

	BUG_ON(!a->n);
	tile_for(GROUPS(a->n), store_group, &j);
}

void node_load(struct node *a, const real *rows)
{
	load(a, rows, NULL, 0, 'r');
}

void node_load_f32(struct node *a, const float *rows)
{
	load(a, rows, NULL, 0, 'f');
}

void node_load_images(struct node *a, const struct images *v, int first)
{
	BUG_ON(images_size(v) != a->c * a->h * a->w || first < 0 || first + a->n > v->n);
	load(a, NULL, v, first, 'v');
}

void node_store(const struct node *a, real *rows)
{
	store(a, a->x, rows, 'r');
}

void node_store_f32(const struct node *a, float *rows)
{
	store(a, a->x, rows, 'f');
}

void node_store_grad(const struct node *a, real *rows)
{
	BUG_ON(!a->g);
	store(a, a->g, rows, 'r');
}

real node_at(const struct node *a, int i, int k)
{
	BUG_ON(i < 0 || i >= a->n || k < 0 || k >= a->c * a->h * a->w);
	return a->x[i / LANES * group_len(a) + (size_t)k * LANES + i % LANES];
}
