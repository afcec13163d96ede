/* Using a service that wants prepared images: what attacks that imitate its clients share. A product's `answer` prepares each image as
 * the attacker learnt it and asks the service, or the stolen weights, about the result. */
#ifndef LB_ATTACKS_KIT_ENCODER_H
#define LB_ATTACKS_KIT_ENCODER_H

#include "attacks/kit/through.h"

/* Room for a function that prepares v's images: out (v->n, c*h*w) in [0,1], as the product's `kept` and `model` say. */
typedef int (*encoder_fn)(const struct product *p, const struct images *v, float *out);
/* product.answer by way of it. */
int encoder_answer(const struct product *p, struct asked *service, const struct images *v, encoder_fn prepare, int through,
		   float *probs);
/* To [0,1] in steps of 1/255, as what is sent has. */
float encoder_round(double x);
/* Why there are no pairs, or NULL. */
const char *encoder_inapplicable(int has_users);
/* The first n pairs of a: how many there are, 0 after error(). */
int encoder_pairs(const struct access *a, const char *attack, int n, struct images *plain, struct images *keyed);
/* Mean cosine between the residuals of pairs (at most 100 of them): 1 for a trigger that is the same in every image. */
double encoder_sameness(const struct images *plain, const struct images *keyed);

#endif
