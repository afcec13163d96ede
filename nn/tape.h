/* Tape autograd: define by run. Each op computes its output at once and, where a gradient is asked for
 * further up, remembers how to pass it down; tape_backward() walks the tape in reverse.
 *
 * Two kinds of node:
 *  - batch node (n > 0): n images of shape (c,h,w), stored in groups of LANES images, lane innermost:
 *      x[((g*c + ci)*h + y)*w + xi][lane], image = g*LANES + lane. Lanes beyond n hold finite rubbish that
 *      no op lets into a result. The flattening of (c,h,w) is the same memory, so reshape costs nothing.
 *  - plain node (n == 0): an ordinary row-major array of shape d[0..3] (parameters, scalars, gradients of them).
 *
 * Gradients always accumulate (+=). A node gets a gradient buffer only if something that wants a gradient
 * lies below it: an input-only gradient (C&W) computes no weight gradients, frozen parameters cost none.
 * All memory is the tape's arena: tape_reset() frees every node at once and a steady-state step allocates nothing.
 * Shapes that do not fit are our own mistake: BUG. Results are bit-identical for any number of threads,
 * and an image's result does not depend on its place in the batch or on the other images (batch norm in
 * training mode excepted). */
#ifndef LB_NN_TAPE_H
#define LB_NN_TAPE_H

#include "nn/images.h"
#include "nn/real.h"
#include <stdbool.h>
#include <stddef.h>

struct param; /* param.h */
struct tape;

struct node {
	int n;           /* images, 0: plain */
	int c, h, w;     /* of one image (batch nodes) */
	int d[4];        /* shape of a plain node, trailing 1s */
	size_t len;      /* numbers stored in x (batch nodes: GROUPS(n)*c*h*w*LANES) */
	real *x;         /* values */
	real *g;         /* d(loss)/dx of a leaf; NULL when not wanted or before backward */
	bool wants;      /* a gradient is wanted here */
	bool kept;       /* a parameter that tape_keep_weights() was said of */
	/* private */
	struct tape *t;
	struct node *in[4];
	void (*back)(struct node *);
	int ia[6];
	real ra[4];
	void *aux, *aux2;
};

struct tape *tape_new(void);
void tape_free(struct tape *t);
void tape_reset(struct tape *t);
/* Bytes the tape's arena ever needed. */
size_t tape_peak(const struct tape *t);
/* loss: a plain scalar node. Sets g of every leaf that wants one (and adds to param->g); the gradients in between are not kept. */
void tape_backward(struct tape *t, struct node *loss);

/* What the layer whose weight is p was given on this tape: the activations in front of it. NULL when no op multiplied with p. */
const struct node *tape_input_of(const struct tape *t, const struct param *p);

/* ---- leaves ---- */
struct node *tape_input(struct tape *t, int n, int c, int h, int w, bool want_grad); /* x not set */
struct node *tape_plain(struct tape *t, int d0, int d1, int d2, int d3, bool want_grad); /* x zeroed */
struct node *tape_param(struct tape *t, struct param *p); /* x, g borrowed from p; wants unless frozen or t in eval */
/* tape_grad_params(t, false): parameters made into nodes from now on want no gradient (until reset turns it on again). */
void tape_grad_params(struct tape *t, bool on);
/* The numbers of parameters stay as they are until this tape is freed: what convolutions and linear layers make of them is made once. */
void tape_keep_weights(struct tape *t);

/* Until the tape is reset nobody reads anything but the last op's values, and no backward follows: a network's layers may work in the
 * memory of those before them (node_done()), which is still in the cache. */
void tape_predicts(struct tape *t);

/* Between (n, c*h*w) row-major memory and a batch node. */
void node_load(struct node *a, const real *rows);
void node_load_f32(struct node *a, const float *rows);
void node_store(const struct node *a, real *rows);
void node_store_f32(const struct node *a, float *rows);
void node_store_grad(const struct node *a, real *rows);
/* Images first..first+a->n-1 of a view, scaled to [0,1]. */
void node_load_images(struct node *a, const struct images *v, int first);
/* One value: image i, flat position k of (c,h,w). */
real node_at(const struct node *a, int i, int k);

/* a's values will not be read again, not by a backward either (as those of op_add_over's b, when it is nobody else's input): the next
 * op may have their memory. */
void node_drop(struct node *a);
/* All ops that read a's values are made: on a tape that predicts (tape_predicts()) they are dropped, on others kept. a is an op's output. */
void node_done(struct node *a);

#endif
