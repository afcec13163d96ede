/* Residual blocks in place of a norm's scales, trained and then folded away: gamma'' = W2 LeakyReLU(W1 gamma + b1) + b2 + gamma.
 *
 * Source: Chen et al., "Effective ambiguity attack against passport-based DNN intellectual property protection schemes through fully
 * connected layer substitution", CVPR 2023. Differs: slope 0.01 and initial values are PyTorch's, the paper names none. */
#ifndef LB_ATTACKS_LOCK_AFFINE_BLOCK_H
#define LB_ATTACKS_LOCK_AFFINE_BLOCK_H

#include "base/rng.h"
#include "nn/model.h"

/* `groups` blocks of d -> h -> d over the c = groups * d scales of one layer. All numbers that SGD moves lie in x: the scales v (c), then
 * w1 (groups, h, d), b1 (groups, h), w2 (groups, d, h), b2 (c). */
struct residual_block {
	struct param *scale;
	int groups, d, h;
	size_t len;
	double *x, *g, *momentum, *square;
};

/* How a block's numbers move by their gradients. */
struct block_rule { bool adam; double momentum, weight_decay; /* momentum of SGD; L2 penalty */ };

/* Over the numbers that scale has now, which become gamma; what scale holds is gamma'' from here on. groups divides their number. */
void residual_block_open(struct residual_block *b, struct param *scale, int groups, int hidden, struct rng *r);
/* After a backward pass: one step (1, 2, ...) by the gradient of gamma'' in scale->g, which is used up; scale holds the new gamma''. */
void residual_block_step(struct residual_block *b, const struct block_rule *c, double lr, long step);
void residual_block_close(struct residual_block *b);

#endif
