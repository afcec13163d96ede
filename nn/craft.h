/* Adversarial images, crafted against a model: FGSM, PGD, C&W-L2 and its confidence-targeted form.
 * Used by owners (fingerprints), attackers (forgery) and `lockbench craft`. Gradients of the input only.
 * Batched; an image's result does not depend on its neighbours. Cost in forward equivalents: 2 per image and
 * gradient (forward 1, backward to the input 1). */
#ifndef LB_NN_CRAFT_H
#define LB_NN_CRAFT_H

#include "nn/model.h"

/* x: (n, c*h*w) in [0,1], changed in place. y: (n) true labels (untargeted) or targets (targeted = 1).
 * One step of eps along the sign of the cross entropy's gradient (Goodfellow et al., ICLR 2015). 0, or -1 after error(). */
int craft_fgsm(struct model *m, float *x, const int *y, int n, int targeted, double eps);
/* Steps of `step` along the sign, back into the box [x - eps, x + eps] and [0,1] (Madry et al., ICLR 2018). The random
 * start of image i comes from (seed, "pgd", i). */
struct pgd_conf { double eps, step; int steps, random_start, targeted; };
int craft_pgd(struct model *m, float *x, const int *y, int n, const struct pgd_conf *c, uint64_t seed);

/* Confidence term of cw_conf. */
enum cw_confidence {
	CW_NONE,     /* plain C&W: g = max(max_{k != t} Z_k - Z_t, -kappa) */
	CW_SOFTMAX,  /* g0 + |P_t - c|, P = softmax(Z) */
	CW_LOGIT,    /* g0 + |Z_t - c|: ActiveGuard eq. 3 read literally */
	CW_LOG,      /* max(g, -kappa) + (log P_t - log c)^2 + spread Var_{k != t}(Z_k): has a slope where P_t is nearly 0; judged as CW_SOFTMAX */
	CW_KL        /* KL(q || P), q_t = c, the others (1 - c)/(K - 1); success is judged as for CW_SOFTMAX */
};
struct cw_conf {
	int steps;           /* Adam iterations per search step */
	int search;          /* binary-search steps on alpha */
	double lr;
	double lr_decay;     /* the rate falls linearly to lr * lr_decay over a search step; 1: constant */
	double alpha, alpha_min, alpha_max; /* weight of the second term: initial value and range; alpha_max 0: no limit,
			      * failures multiply alpha by 10 until the first success (as the authors' code does) */
	double kappa;        /* CW_NONE, CW_LOG */
	double spread;       /* CW_LOG: pulls the other classes together, which c < 1/2 needs */
	int confidence;      /* enum cw_confidence */
	double tolerance;    /* with a confidence term: success when argmax is t and |P_t - c| (|Z_t - c|) < tolerance */
	int round8;          /* 1: the image is rounded to 8 bits, judged after rounding; the gradient passes the rounding */
	int first;           /* 1: an image is done with its first success, instead of looking for a closer one */
	int no_abort;        /* 1: never end a search step early. 0: end it, as the authors' code does, when the image's
			      * loss has not fallen by 0.01 % within steps/10 iterations */
};
/* For each of n images x (n, c*h*w): find the closest image classified t[i] (with confidence conf[i] when a confidence
 * term is set; conf may be NULL for CW_NONE). Writes out (same shape; x itself where nothing was found), ok (n) and
 * l2 (n, the Euclidean distance, may be NULL). Images that are done stop costing.
 * Source: Carlini & Wagner, S&P 2017, sec. V; ActiveGuard eq. 1-3.
 * Differs: the variable starts at the image pulled into [0.0005, 0.9995], so that black and white pixels can move.
 * forward_equivalents (may be NULL) is increased by what was spent. 0, or -1 after error(). */
int craft_cw(struct model *m, const float *x, const int *t, const float *conf, int n, const struct cw_conf *c,
	     float *out, unsigned char *ok, float *l2, const char *label, double *forward_equivalents);

#endif
