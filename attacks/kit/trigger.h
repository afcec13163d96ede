/* Inversion of a trigger: what must be done to images so that a network says what the attacker wants of them? Found by gradients through
 * the network, whose weights stay.
 *
 *   patch    (1 - m) x + m p: one mask and one pattern for all images, as small as they can be (Wang et al., Neural Cleanse, S&P 2019)
 *   shift    x + d, no pixel by more than eps: one residual for all images
 *   encoder  x + G(x): a small U-Net, whose residual may be another one for every image */
#ifndef LB_ATTACKS_KIT_TRIGGER_H
#define LB_ATTACKS_KIT_TRIGGER_H

#include "attacks/attack.h"

enum trigger_form { TRIGGER_PATCH, TRIGGER_SHIFT, TRIGGER_ENCODER };
/* What is wanted: the image's label; certainty of each image with all classes alike often (no label is needed: information maximisation,
 * Krause, Perona, Gomes, NIPS 2010); or output number `target` whatever the image is. */
enum trigger_signal { TRIGGER_LABELS, TRIGGER_CERTAIN, TRIGGER_TARGET };

struct trigger_conf {
	int form, signal, target;
	int epochs, steps, batch; /* steps: at least so many, by more passes */
	int width;                /* encoder */
	double lr;                /* Adam's; encoder: a twentieth of it */
	double eps, cost, enough; /* shift; patch: the mask's weight, which rises while more than the share `enough` is as wanted, or falls */
};
struct trigger {
	float *mask, *pattern;    /* (h*w), (c*h*w); mask NULL: pattern is added; both NULL: the U-Net */
	struct model *unet;
	double mask_l1, wanted;   /* wanted: share of the images, in the last pass (certain: 0) */
};
/* On the images v through net's first `outputs` outputs; seed names the streams, *fe grows by the forward equivalents spent. 0, or -1 after
 * error(); release t in both cases. */
int trigger_find(const struct trigger_conf *c, const struct images *v, const struct model *net, int outputs, uint64_t seed,
		 struct trigger *t, double *fe);
void trigger_release(struct trigger *t);

/* What becomes of v's images: out (v->n, c*h*w) in [0,1], 8 bits deep. 0, or -1 after error(). */
int trigger_apply(const float *mask, const float *pattern, struct model *unet, const struct images *v, float *out);

#endif
