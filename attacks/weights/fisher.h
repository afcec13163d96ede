/* The diagonal of the Fisher information on the attacker's own images, and the penalty that holds important weights in place.
 * Source: Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks", PNAS 2017; REFIT (Chen et al., AsiaCCS 2021),
 * whose public code samples the labels from the model and bounds the penalty. */
#ifndef LB_ATTACKS_WEIGHTS_FISHER_H
#define LB_ATTACKS_WEIGHTS_FISHER_H

#include "attacks/attack.h"

/* F_i = mean over the images of (d log p(y|x) / d w_i)^2, y drawn from the model's own p(.|x), batch norm at rest: f (m->ng).
 * Three forward equivalents an image are charged; no labels are used. The model's gradients are overwritten. 0, or -1 after error(). */
int fisher_diagonal(struct access *a, struct model *m, const struct images *v, double *f);

/* Elastic weight consolidation as a term of train_hooks.extra_loss: 0.5 c sum_i min(F_i / max F, 1 / (lr c)) (w_i - w0_i)^2. The
 * bound keeps a step of size lr from overshooting w0. */
struct ewc {
	double c, lr;
	double *f;   /* (ng) F_i / max F */
	real *start; /* (ng) w0 */
};
int ewc_open(struct ewc *e, struct access *a, struct model *m, const struct images *v, double c, double lr);
void ewc_close(struct ewc *e);
double ewc_loss(void *ewc, struct model *m);

#endif
