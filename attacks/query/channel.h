/* What channels (GOAL_DEGRADE) share. */
#ifndef LB_ATTACKS_QUERY_CHANNEL_H
#define LB_ATTACKS_QUERY_CHANNEL_H

#include "attacks/attack.h"
#include "base/rng.h"
#include <stddef.h>

/* The option row `role` of a conf's member of type int. */
#define ROLE_OPT(conf, member)                                                                                            \
	{ "role", OPT_CHOICE, offsetof(struct conf, member), "channel", 0, 0,                                             \
	  "who modifies: the way of everything, a leaker its credential, somebody without one its queries",               \
	  "channel|evade|unlock" }

/* The stream of an image x of len numbers, named by its own bytes: the result does not depend on how images are batched, and
 * equal images are treated alike. */
void channel_stream(struct rng *r, struct rng_key k, const float *x, size_t len);

/* n images x (n, c, h, w) on their way, as a view of them. */
struct images channel_images(const float *x, int n, int c, int h, int w);

/* The threshold which at most floor(alpha n) of the n clean scores exceed (they are sorted): the false-alarm rate. alpha 0:
 * infinite, nothing is ever flagged; 1: minus infinite, everything is. */
double channel_threshold(double *score, int n, double alpha);

/* Set p->threshold from what p->detect says of the attacker's validation images; notes their number and mean score. 0, or -1 after
 * error(). */
int channel_calibrate(const struct access *a, struct product *p, double alpha);

#endif
