/* Passport layers: where a network has them, what a passport does there, and how passports are drawn. For passport.c and for
 * attacks on it: nothing here is a secret.
 *
 * A passport layer is a convolution (or a linear layer, which is one whose kernel covers its input) followed at once by a batch norm,
 * whose scale and shift are computed from two passports s of the layer's input shape (I,H,W) by the layer's own weights:
 *     gamma[o] = mean over y,x of (W * s_gamma)[o,y,x]        beta[o] likewise from s_beta
 * The mean of a convolution is linear in s, so gamma = W m with m[i,ky,kx] the mean of s under that tap of the kernel, zeros beyond
 * the border ("tap means"): a passport is its tap means. Source: Fan et al., DeepIPR, NeurIPS 2019, eq. 4. */
#ifndef LB_NN_LOCK_PASSPORT_LAYERS_H
#define LB_NN_LOCK_PASSPORT_LAYERS_H

#include "base/rng.h"
#include "nn/bundle.h"
#include "nn/images.h"
#include "nn/model.h"

#define PASSPORT_LAYERS_MAX 32
#define PASSPORT_LIST_MAX (PASSPORT_LAYERS_MAX * PARAM_NAME_MAX + 1) /* of their names with commas */

struct passport_layer {
	char layer[PARAM_NAME_MAX], norm[PARAM_NAME_MAX]; /* "conv2", "bn2" */
	int c, h, w;         /* of the layer's input: a passport's shape */
	int out, taps;       /* outputs; I * kh * kw numbers of one output's kernel */
	int kernel, stride, pad; /* kernel 0: a linear layer */
};
/* Every layer of m that may have a passport, in the order in which they run; returns how many. Runs one black image. */
int passport_layers(struct model *m, struct passport_layer *out);
/* Those of a list "conv2,fc1" in m's order; "auto": all but the network's first layer; "all". -1 after error(). */
int passport_choose(struct model *m, const char *list, struct passport_layer *out);

/* s (c,h,w) to tap means (taps). */
void passport_means(const struct passport_layer *p, const float *s, real *means);
/* gamma (or beta) of m's layer from tap means: out numbers. */
void passport_scale(const struct model *m, const struct passport_layer *p, const real *means, real *gamma);

enum passport_kind { PASSPORT_RANDOM, PASSPORT_IMAGE, PASSPORT_SHUFFLE };
/* Passports for n layers as tensors "gamma.LAYER", "beta.LAYER" f32 (1,c,h,w). random: uniform in (-1,1). image: what one image of v
 * is at the layer's input in `source` (another for beta). shuffle: each channel from one of 20 images in turn, a channel not
 * taken before. Source: DeepIPR's code (construct_passport). 0, or -1 after error(). */
int passport_draw(enum passport_kind kind, const struct passport_layer *p, int n, struct model *source, const struct images *v,
		  uint64_t seed, struct bundle *out);
/* "gamma.conv2". */
const char *passport_name(char buf[PARAM_NAME_MAX + 8], const char *what, const struct passport_layer *p);
/* m with the scale and shift that passport `at` of b gives its layers: new; NULL after error(). */
struct model *passport_apply(const struct model *m, const struct passport_layer *p, int n, const struct bundle *b, int at);

#endif
