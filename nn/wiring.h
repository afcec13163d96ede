/* Which numbers of a model belong to one channel: the weights that make it, the batch norms it passes and the weights that read
 * it. Between the two lie only ReLU, pooling and flattening, which commute with permuting channels and with scaling them by a > 0.
 *
 * Known are chains of layers (lenet5, mlp, cae, with batch norm or without: the order of the parameters says who feeds whom) and
 * pre-activation residual networks (wrn10, wrn10t). Channels of the input and of the logits are in no group. */
#ifndef LB_NN_WIRING_H
#define LB_NN_WIRING_H

#include "nn/model.h"

enum { WIRING_TO = 2, WIRING_FROM = 8, WIRING_READERS = 4, WIRING_GROUPS = 64 };
enum { NORM_GAMMA, NORM_BETA, NORM_MEAN, NORM_VAR, NORM_PARTS };

/* Layers that read a group's channels behind one batch norm, or behind none. */
struct wiring_reader {
	struct param *norm[NORM_PARTS]; /* (channels) each; norm[0] NULL: no batch norm */
	struct param *to[WIRING_TO];    /* weights; along the second axis a channel has d[1] / channels numbers */
	int nto;
};

/* Channels that move together: a residual connection ties all layers that are added to it. */
struct wiring_group {
	int channels;
	struct param *from[WIRING_FROM]; /* weights and biases whose first axis is the channel */
	int nfrom;
	struct wiring_reader reader[WIRING_READERS];
	int nreaders;
};

struct wiring {
	struct wiring_group group[WIRING_GROUPS]; /* in the order of the forward pass */
	int n;
};

/* Groups of m; they point into m. -1 after error(EXIT_UNEVALUABLE) where the architecture is not known here. */
int wiring_of(struct model *m, struct wiring *w);

/* Channel i becomes what channel perm[i] was; perm a permutation of 0 .. channels-1. The function stays the same. */
void wiring_permute(const struct wiring_group *g, const int *perm);
/* Make channel ch a times as large and its readers' answers the same: batch norms take it into their statistics (exactly: eps
 * is accounted for), other readers into their weights. a != 0; a < 0 only where every reader has a batch norm, whose gamma changes
 * sign. False when that is impossible (also where a variance would have to be below 0): nothing is changed then. */
bool wiring_scale(const struct wiring_group *g, int ch, double a);
/* The same behind a reader's batch norm: gamma and beta times b > 0, the weights that read it divided by b. */
void wiring_scale_norm(const struct wiring_reader *r, int channels, int ch, double b);
/* Take channel ch out: what makes it, what scales it and what reads it become 0. */
void wiring_remove(const struct wiring_group *g, int ch);

/* Mean of every channel as reader r's first layer receives it (behind batch norm, ReLU and pooling) over the images of v and all
 * positions: mean (channels). Adds v->n forward equivalents' worth of compute, which the caller reports. 0, or -1 after error(). */
int wiring_means(struct model *m, const struct wiring_group *g, const struct wiring_reader *r, const struct images *v, double *mean);

#endif
