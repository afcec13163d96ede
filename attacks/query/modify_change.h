/* Image operations by one number each, 0 for nothing and larger for more, so that curves compare. The page of attack `modify` has their units.
 *
 * Source: most operations and levels are those of the Watermark-Robustness-Toolbox (Lukas et al., SoK, S&P 2022); pst is the preprocessing of
 * Guo et al., IJCAI 2021.
 * Differs: pst is the change of the input alone (its fine-tuning is an attack on the model), with noise of a tenth of the strength. */
#ifndef LB_ATTACKS_QUERY_MODIFY_CHANGE_H
#define LB_ATTACKS_QUERY_MODIFY_CHANGE_H

#include "attacks/query/imageops.h"
#include "base/rng.h"

/* In the order of modify's choices. COMPOSE stands for a chain of others: it is in the list of names only. */
enum change {
	CHANGE_BITS, CHANGE_BLUR, CHANGE_BRIGHTNESS, CHANGE_COMPOSE, CHANGE_CONTRAST, CHANGE_CROP, CHANGE_FLIP, CHANGE_GAMMA,
	CHANGE_LEVELS, CHANGE_MEAN, CHANGE_MEDIAN, CHANGE_NOISE, CHANGE_OCCLUDE, CHANGE_PST, CHANGE_RESIZE, CHANGE_ROTATE,
	CHANGE_SALT_PEPPER, CHANGE_SPECKLE, CHANGE_TRANSLATE, CHANGES
};

extern const struct change_info {
	const char *name;
	double most;     /* the largest strength that means something */
	int whole;       /* only whole numbers */
	int chained;     /* a chain may draw it */
	int n;
	double sweep[7]; /* (n) the reference's levels, weakest first */
} changes[CHANGES];

enum { CHANGE_UP, CHANGE_DOWN };
enum { CHANGE_CENTRE, CHANGE_RANDOM };
enum { CHANGE_PAD, CHANGE_ENLARGE };
/* What some of them also take. */
struct change_how {
	int direction; /* of brightness, contrast, gamma: factor 1 + strength or 1 - strength */
	int filter;    /* of resize, pst, and of crop that is enlarged: imageops.h */
	int place;     /* of crop: which part is kept */
	int fill;      /* of crop: black around what is kept, or it is enlarged */
};
struct change_work {
	struct shape shape;
	const struct change_how *how;
	struct rng r;
	float *small; /* scratch of an image's size */
};
/* One of them, not COMPOSE: in -> out, another place; s > 0. What it makes may lie outside [0,1]. */
void change_apply(int op, struct change_work *k, const float *in, double s, float *out);

#endif
