/* The union of strong attacks on inputs: an image counts as resisting only when all of them fail on it. APGD with two losses and Square, after
 * Croce and Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks", ICML 2020, turned
 * towards a wanted class.
 * Differs: FAB is left out, because nothing here asks for the smallest change. */
#ifndef LB_ATTACKS_KIT_EVASION_H
#define LB_ATTACKS_KIT_EVASION_H

#include "nn/model.h"
#include <stdint.h>

struct strongest_conf {
	double eps;  /* largest change of a pixel */
	int steps;   /* of each APGD; 0: none */
	int queries; /* of Square (Andriushchenko et al., ECCV 2020), an image; 0: none */
};
enum strongest_by { STRONGEST_NONE, STRONGEST_BY_CE, STRONGEST_BY_DLR, STRONGEST_BY_SQUARE };
/* Towards output y[i] for each of n images x (n, c*h*w) in [0,1]: those that get there are replaced, and by (n) says which attack did it
 * first. Square draws image i's questions from (seed, i). *fe grows by the forward equivalents spent. 0, or -1 after error(). */
int strongest_union(struct model *m, float *x, const int *y, int n, const struct strongest_conf *c, uint64_t seed, int *by, double *fe);

#endif
