/* Training a network whose scale and shift come from passports. Private to passport.c. */
#ifndef LB_SCHEMES_PASSPORT_PASSPORT_TRAIN_H
#define LB_SCHEMES_PASSPORT_PASSPORT_TRAIN_H

#include "nn/lock/passport_layers.h"
#include "schemes/scheme.h"

/* What is trained besides the network, and what its branches need. PAN's two matrices a layer are shared by gamma
 * and beta: W2 leaky_relu(W1 gamma), W1 (O/4,O), W2 (O,O/4). */
struct passport_net {
	struct passport_layer p[PASSPORT_LAYERS_MAX];
	int n;
	real *mean[PASSPORT_LAYERS_MAX][2];  /* tap means of gamma's and beta's passport */
	unsigned char *bit[PASSPORT_LAYERS_MAX]; /* (out) the signature: 1 for a positive gamma */
	struct param pan[PASSPORT_LAYERS_MAX][2];
	real *stats;                         /* running statistics of that branch, all buffers of the model in a row */
	bool pan_used, two_branches;
	/* Of the sign loss: alpha sum max(0, margin - b gamma) + 1e-5 sum gamma^2. */
	double alpha, margin;
};
/* Layers, tap means and bits come from the secret's tensors "gamma.L", "beta.L", "sign.L"; PAN's matrices start at
 * random. */
void passport_net_open(struct passport_net *net, const struct passport_layer *p, int n, const struct model *m,
		       const struct bundle *secret, uint64_t seed);
void passport_net_close(struct passport_net *net);
/* Train m by the recipe: one branch (V1: the passports' scale and shift in every forward pass) or two on every batch
 * (public with m's own, passport). 0, or -1 after error(). */
int passport_train(struct passport_net *net, const struct lock_env *e, const struct images *v, struct model *m);
/* Through PAN's matrices: gamma (O) in place. */
void passport_pan(const float *w1, const float *w2, int hidden, int out, real *gamma);

#endif
