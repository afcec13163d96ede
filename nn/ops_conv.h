/* Private to the convolutions and linear layers (ops_conv.c, ops_linear.c, ops_winograd.c, ops_wgrad.c). */
#ifndef LB_NN_OPS_CONV_H
#define LB_NN_OPS_CONV_H

#include "nn/tape_parts.h"

struct wino;
/* ops_winograd.c: out (=, += with accumulate) the convolution s of in with kernels w, or with `back` with w turned round (channels swapped,
 * taps backwards): the gradient of its input. bias may be NULL. */
void winograd_apply(struct tape *t, const struct wino *s, const struct node *w, bool back, const real *in, int groups, const real *bias,
		    real *out, bool accumulate);
/* ops_wgrad.c: dw (o,c,k,k) += the gradient of the kernels of s, which counts pad zeros around its input, from inputs x that do not hold
 * them and outputs' gradients dy. */
void conv_weights(struct tape *t, const struct conv *s, int pad, const real *x, const real *dy, int groups, real *dw);
/* b's gradient += y's over images and pixels; b may be NULL. */
void bias_grad(const struct node *y, struct node *b);

#endif
