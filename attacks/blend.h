/* Blends: weighted means of one image of each class. A network is unsure about them, in ways that a few weights steer, which is what a
 * forger needs who can ask but sees no gradient. */
#ifndef LB_ATTACKS_BLEND_H
#define LB_ATTACKS_BLEND_H

#include "attacks/attack.h"
#include "base/rng.h"
#include <stdbool.h>

struct blends {
	int sets, classes, len; /* classes: of those with an image at all */
	float *x;               /* (classes, sets, len) */
	int *label;             /* (classes) */
};
/* Draw `sets` images of every class from a->labelled, by (a->seed, "blend exemplars"); every set's labels are charged. Classes with fewer
 * images repeat theirs. 0, or -1 after error(). */
int blends_open(struct access *a, int sets, struct blends *b);
void blends_close(struct blends *b);
/* out (len) = sum of the set's images, weighted by softmax(w); w (classes). */
void blends_mix(const struct blends *b, int set, const double *w, float *out);
/* Weights w (classes) whose softmax is uniform on the simplex: logarithms of exponential numbers. */
void blends_draw(const struct blends *b, struct rng *r, double *w);

/* A search for weights: a (1+1) evolution strategy (Rechenberg, 1973). The step grows by 1.2 with a success, falls to 0.97 with a failure,
 * and starts again at 0.3 when it is under 0.02. */
struct blend_search {
	double *w, *try; /* (classes) the best weights, and those that are tried now */
	double sigma, best;
	long asked;
	struct rng r;
};
/* Search number i draws from (key, i). */
void blend_search_open(struct blend_search *s, const struct blends *b, struct rng_key key, int i);
void blend_search_close(struct blend_search *s);
/* The next blend of a set's images, anywhere (anew) or a step from the best: out (len). */
void blend_search_propose(struct blend_search *s, const struct blends *b, int set, bool anew, float *out);
/* How bad it was: smaller is better. */
void blend_search_learn(struct blend_search *s, const struct blends *b, double got);

#endif
