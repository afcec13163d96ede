/* Operations on a tape's nodes (tape.h): each computes its output at once and remembers how to pass a gradient down. Shapes are those
 * of a batch node (c,h,w) unless it says plain. Names and meanings are PyTorch's. */
#ifndef LB_NN_OPS_H
#define LB_NN_OPS_H

#include "nn/tape.h"

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
