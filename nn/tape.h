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

struct param;
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

/* ---- layers ---- */
/* w: plain (O,I,kh,kw); b: plain (O) or NULL. y: (O, (h+2p-kh)/s+1, (w+2p-kw)/s+1). */
struct node *op_conv2d(struct node *a, struct node *w, struct node *b, int stride, int pad);
/* w: plain (I,O,kh,kw) as PyTorch's ConvTranspose2d. y: (O, (h-1)*s-2p+kh, ...). */
struct node *op_conv_transpose2d(struct node *a, struct node *w, struct node *b, int stride, int pad);
/* w: plain (O,I) with I = c*h*w; y: (O,1,1). */
struct node *op_linear(struct node *a, struct node *w, struct node *b);
/* Training: batch statistics (biased variance), and running = (1-momentum)*running + momentum*batch with the
 * unbiased variance, as PyTorch. Eval: running statistics. gamma, beta: plain (c); rm, rv: c numbers, changed in training. */
struct node *op_batch_norm(struct node *a, struct node *gamma, struct node *beta, real *rm, real *rv,
			   bool train, real momentum, real eps);
/* op_relu() of it, to the same bits, in the same passes and one memory. */
struct node *op_batch_norm_relu(struct node *a, struct node *gamma, struct node *beta, real *rm, real *rv,
				bool train, real momentum, real eps);
struct node *op_max_pool(struct node *a, int k, int stride);
/* op_max_pool(op_relu(a), k, k) in one pass, to the same bits; a must be nobody else's input. */
struct node *op_relu_max_pool(struct node *a, int k);
struct node *op_avg_pool(struct node *a, int k, int stride);
struct node *op_global_avg_pool(struct node *a); /* (c,1,1) */
struct node *op_global_max_pool(struct node *a); /* (c,1,1) */
struct node *op_upsample(struct node *a, int k);  /* nearest, factor k */

/* ---- pointwise (batch or plain) ---- */
struct node *op_relu(struct node *a);
/* a + b in the memory of a, whose own values are gone. a must be nobody else's input and come from an op whose backward does not read its
 * own output: conv2d, linear, batch_norm without ReLU, pools but max_pool. b is kept and is another node. */
struct node *op_add_over(struct node *a, struct node *b);
/* a's values will not be read again, not by a backward either (as those of op_add_over's b, when it is nobody else's input): the next
 * op may have their memory. */
void node_drop(struct node *a);
/* All ops that read a's values are made: on a tape that predicts (tape_predicts()) they are dropped, on others kept. a is an op's output. */
void node_done(struct node *a);
struct node *op_leaky_relu(struct node *a, real slope);
struct node *op_sigmoid(struct node *a);
struct node *op_tanh(struct node *a);
struct node *op_add(struct node *a, struct node *b); /* same kind and shape */
struct node *op_sub(struct node *a, struct node *b);
struct node *op_mul(struct node *a, struct node *b);
struct node *op_scale(struct node *a, real k, real shift); /* k*a + shift */
struct node *op_round_ste(struct node *a, real levels); /* round(a*levels)/levels; gradient passes unchanged */
struct node *op_channel_affine(struct node *a, struct node *gamma, struct node *beta); /* plain (c) each, either may be NULL */

/* W v of plain nodes: w (O, ...) with v->len numbers a row, whatever their shape; plain (O). */
struct node *op_matvec(struct node *w, struct node *v);

/* ---- shape ---- */
struct node *op_reshape(struct node *a, int c, int h, int w);   /* same memory */
struct node *op_concat(struct node *a, struct node *b);         /* along channels; same n,h,w */
struct node *op_slice(struct node *a, int first, int count);    /* channels */
struct node *op_gather(struct node *a, const int *k);           /* (1,1,1): flat element k[i] of image i; k copied */

/* ---- reductions ---- */
struct node *op_softmax(struct node *a);     /* over the c*h*w elements of each image */
struct node *op_log_softmax(struct node *a);
struct node *op_sum(struct node *a);         /* plain scalar, over all images and elements */
struct node *op_mean(struct node *a);        /* op_sum / (number of elements) */
struct node *op_sum_image(struct node *a);   /* (1,1,1) per image */
struct node *op_batch_mean(struct node *a);  /* plain (c): mean over images, rows and columns */

/* ---- losses: plain scalar, mean over images (and elements where it says so) ---- */
struct node *op_cross_entropy(struct node *logits, const int *label, real smoothing); /* labels copied; smoothing in [0,1) */
struct node *op_cross_entropy_soft(struct node *logits, struct node *target); /* target: batch node of probabilities */
struct node *op_kl_div(struct node *logits, struct node *target); /* KL(target || softmax(logits)), mean over images */
struct node *op_mse(struct node *a, struct node *b);  /* mean over elements */
struct node *op_l1(struct node *a, struct node *b);   /* mean over elements */
struct node *op_bce_logits(struct node *a, struct node *target); /* binary cross entropy on logits, mean over elements */

#endif
