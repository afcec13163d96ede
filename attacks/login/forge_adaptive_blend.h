/* Blends: weighted means of one image of each class. A network is unsure about them, in ways that a few weights steer, which is what a
 * forger needs who can ask but sees no gradient. */
#ifndef LB_ATTACKS_LOGIN_FORGE_ADAPTIVE_BLEND_H
#define LB_ATTACKS_LOGIN_FORGE_ADAPTIVE_BLEND_H

#include "attacks/attack.h"
#include "base/rng.h"
#include <stdbool.h>

struct blends {
	int sets, classes; /* classes: of those with an image at all */
	int c, h, w, len;  /* an image */
	float *x;          /* (classes, sets, len) */
	int *label;        /* (classes) */
};
/* Draw `sets` images of every class from a->labelled, by (a->seed, "blend exemplars"); every set's labels are charged. Classes with fewer
 * images repeat theirs. 0, or -1 after error(), with nothing left to close. */
int blends_open(struct access *a, int sets, struct blends *b);
void blends_close(struct blends *b);
/* out (len) = sum over classes of image[k] of their images, weighted by softmax(w); image, w (classes). */
void blends_mix(const struct blends *b, const int *image, const double *w, float *out);
/* Weights w (classes) whose softmax is uniform on the simplex: logarithms of exponential numbers. */
void blends_draw(const struct blends *b, struct rng *r, double *w);

#endif
