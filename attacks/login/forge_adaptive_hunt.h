/* Images that get a class with a confidence, or that a service lets in, found by asking only: many searches side by side, each of which
 * starts among blends (forge_adaptive_blend.h). */
#ifndef LB_ATTACKS_LOGIN_FORGE_ADAPTIVE_HUNT_H
#define LB_ATTACKS_LOGIN_FORGE_ADAPTIVE_HUNT_H

#include <stdbool.h>

#include "attacks/attack.h"

struct blend_hunt {
	int n;             /* images to be found, each on its own: more change no earlier one */
	int budget;        /* questions for each */
	int exemplars;     /* labelled images of every class to blend; charged */
	bool round8;       /* ask about 8-bit images */
	/* By scores: image i must get class[i] with confidence conf[i], within `tolerance`, from this teacher (attacks/kit/surrogate.h). NULL: by
	 * decisions: it must be let in, whoever that is. */
	const int *class;
	const float *conf;
	double tolerance;
	int teacher;
};

/* x (n, a->c*a->h*a->w): what was found, where done[i] (n, zeros before), or else came nearest (by decisions: came last). asked (n): questions
 * that each took. Stops where the budget of the whole attack does not last for another question of each. 0, or -1 after error(). */
int blend_hunt(struct access *a, const struct blend_hunt *h, float *x, unsigned char *done, long *asked);

#endif
