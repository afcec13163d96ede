/* Teaching sample-specific's classifier: on the owner's images as clients send them it learns the true labels, on
 * all others wrong ones. Some of the others carry another image's residual, noise, or an untrained encoder's
 * residual. */
#ifndef LB_SCHEMES_SAMPLE_SPECIFIC_SAMPLE_SPECIFIC_COURSE_H
#define LB_SCHEMES_SAMPLE_SPECIFIC_SAMPLE_SPECIFIC_COURSE_H

#include "schemes/sample_specific/sample_specific_hider.h"

enum { START_FRESH, START_BASE };
enum { WRONG_RANDOM, WRONG_FIXED, WRONG_ANY };
struct course_conf {
	int start, wrong;     /* START_, WRONG_ */
	int refresh;          /* epochs after which images are encoded anew, with other bits */
	double cross, decoys; /* shares of the others that carry another image's residual; noise or a decoy's */
};

/* The wrong label of the owner's image i in epoch (or step) `when`: wrong_label(), with ctx from wrong_labels(). */
struct wrong_labels {
	const struct lock_env *e;
	int kind;
	struct rng_key key;
};
struct wrong_labels wrong_labels(const struct course_conf *c, const struct lock_env *e);
int wrong_label(const void *ctx, int i, int when);

/* What the classifier's training begins with: new, NULL after error(). */
struct model *course_start(const struct course_conf *c, const struct lock_env *e);
/* Teach m, for which h encodes. It begins again at half the rate, three times in all, where it learns nothing. 0, or
 * -1 after error(). */
int course_teach(const struct course_conf *c, const struct hider_conf *hc, const struct lock_env *e, struct hider *h,
		 struct model *m);

#endif
