/* Where an attacker who changes no weight gets answers from: the deployed service, asked without a credential, or the stolen weights
 * run without the scheme around them. */
#ifndef LB_ATTACKS_KIT_THROUGH_H
#define LB_ATTACKS_KIT_THROUGH_H

#include <stddef.h>

#include "attacks/attack.h"

enum through { THROUGH_SERVICE, THROUGH_WEIGHTS };
#define THROUGH_ROW(conf, member)                                                                                           \
	{ "through", OPT_CHOICE, offsetof(conf, member), "service", 0, 0,                                                   \
	  "who answers: the service, asked without a credential, or the stolen weights", "service|weights" }
unsigned through_needs(int through, bool top1);
/* Probabilities (v->n, classes) of m's first `classes` outputs. 0, or -1 after error(). */
int through_weights(struct model *m, const struct images *v, int classes, float *probs);
/* For product.answer: the service, or p->stolen. */
int through_answer(const struct product *p, struct asked *service, int through, const struct images *v, float *probs);

#endif
