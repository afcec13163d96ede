/* Passports that are trained, weights at rest, until the network is right under them: begun from noise, or far from a leaked one.
 *
 * Source: Fan et al., DeepIPR, NeurIPS 2019, and its code (passport attacks 1 and 3: cross entropy + sign loss with margin 0.1 + 1 / mean
 * squared distance). Differs: Adam, which the small slopes of passports need (theirs: SGD at 0.01); norms at rest, because running
 * statistics do not travel with a passport. */
#ifndef LB_ATTACKS_LOGIN_PASSPORT_KEY_LEARN_H
#define LB_ATTACKS_LOGIN_PASSPORT_KEY_LEARN_H

#include <stdbool.h>

#include "attacks/attack.h"
#include "nn/lock/passport_layers.h"

struct passport_learn {
	int images, epochs, steps, batch; /* labelled images; passes over them, by more where `steps` need more */
	double lr;                        /* Adam's */
	bool differ;                      /* begin with a->creds, disturbed, move away from it and to another signature */
	double flip;                      /* differ: share of its signs that shall be other ones */
};
/* One passport for layers p (n) of a->model, as a credential in out; notes gets signs_as_wanted and training_accuracy. There are labelled
 * images (and with `differ` a leaked credential); charged. 0, or -1 after error(). */
int passport_learn(struct access *a, const struct passport_layer *p, int n, const struct passport_learn *c, struct bundle *out, json_t *notes);

#endif
