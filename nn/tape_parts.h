/* Private to the tape and its ops (ops_*.c): making nodes, gradients, and loops over groups. */
#ifndef LB_NN_TAPE_PARTS_H
#define LB_NN_TAPE_PARTS_H

#include "base/arena.h"
#include "base/error.h"
#include "base/tile.h"
#include "nn/kernels.h"
#include "nn/tape.h"

struct tape {
	struct arena mem;
	struct node **node; /* in order of creation */
	int n, cap;
	bool grad_params;
	struct spare *spare; /* given back since the last reset */
	bool keep;           /* see tape_keep_weights() */
	bool predicts;       /* see tape_predicts(); until the next reset */
	struct arena kept;   /* outlives resets */
	struct packed *packed;
	void (*watch)(void *ctx); /* called as each node is made, before it is computed: how bench/speed times ops; NULL: nobody */
	void *watch_ctx;
};

/* A batch node of n images (c,h,w), or a plain one, with x allocated (not set) unless share is given (then x is share's).
 * It wants a gradient when any input does; back may be NULL. */
struct node *node_batch(struct tape *t, int n, int c, int h, int w, struct node *a, struct node *b, struct node *c3,
			void (*back)(struct node *));
struct node *node_plain(struct tape *t, const int d[4], struct node *a, struct node *b, void (*back)(struct node *));
/* A node like a (kind and shape). */
struct node *node_like(struct node *a, struct node *b, void (*back)(struct node *));
/* A batch node like a in a's own memory, which the op overwrites. */
struct node *node_over(struct node *a, struct node *b, void (*back)(struct node *));
struct node *node_scalar(struct tape *t, struct node *a, struct node *b, void (*back)(struct node *));

/* Where to add a's gradient, zeroed at first use; NULL when a wants none. */
real *node_grad(struct node *a);
/* The same for an op that can also write: with *add false nothing is there yet, and every number must be set. */
real *node_grad_put(struct node *a, bool *add);
/* For an op whose input's gradient can be made in place of its output's: when a has none yet, y's becomes a's (y->g NULL) and the answer is
 * true. y and a are of one shape; whatever else needs y->g comes first. */
bool node_grad_hand(struct node *y, struct node *a);
static inline size_t group_len(const struct node *a)
{
	return (size_t)a->c * a->h * a->w * LANES;
}
/* Images in group g (1..LANES). */
static inline int group_images(const struct node *a, int g)
{
	return a->n - g * LANES < LANES ? a->n - g * LANES : LANES;
}
static inline bool same_shape(const struct node *a, const struct node *b)
{
	return a->n == b->n && a->len == b->len && a->c == b->c && a->h == b->h && a->w == b->w;
}
/* Set the lanes beyond the last image to 0 in a buffer shaped as a (batch nodes; nothing to do for plain ones). Every op whose
 * backward does not multiply by an incoming per-lane gradient must call this, or rubbish lanes would reach the weights. */
void mask_tail(const struct node *a, real *buf);
/* A pointwise kernel over n numbers, cut into fixed chunks over threads. */
void pointwise(pointwise_fn *fn, size_t n, const real *a, const real *b, real *y, real p, real q);
void zero(real *x, size_t n);
#define tape_alloc(t, n) arena_new(&(t)->mem, (n), real)
/* Memory that is done with before the step is, above all gradients in between: half of what a deep network's step would otherwise
 * need. Take n numbers (not set), give them back. Not from inside tiles; what is not given back ends with the step. */
real *tape_take(struct tape *t, size_t n);
void tape_give(struct tape *t, real *x);
/* Room for weights packed in blocks (kernels.h); *made tells whether they are there already, which is so where the tape keeps weights. */
real *tape_pack(struct tape *t, const struct node *w, const struct taps *taps, int block, bool *made);
/* It is done with, unless the tape keeps it. */
void tape_unpack(struct tape *t, const struct node *w, real *packed);
/* y's backward where it has one and a gradient reached it; then y's gradient, which everybody above has added to and nobody
 * below reads, is given back (y->g NULL). */
void node_back(struct node *y);

#endif
