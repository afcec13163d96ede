/* Training the network that is locked: from the base model's own beginning, by its seed and recipe, so that a
 * difference in accuracy is the lock's; or on from the base model. What it takes is spent from the lock's account. */
#ifndef LB_SCHEMES_KIT_RETRAIN_H
#define LB_SCHEMES_KIT_RETRAIN_H

#include <stdbool.h>

#include "schemes/scheme.h"

struct retrain {
	struct model_spec spec;          /* the base model's, or with more outputs, the new ones last */
	bool from_base;                  /* begin with the base model's weights, new outputs at initial values */
	const struct images *images;     /* by default the owner's */
	struct train_conf recipe;
	uint64_t seed;                   /* of the random streams, and of initial values */
	const struct train_hooks *hooks; /* NULL: none */
	int passes;                      /* how often a batch runs through the network, for the account */
};
/* As the base model was trained. */
struct retrain retrain_scratch(const struct lock_env *e);
/* On from the base model for some epochs at rate lr (0: a tenth of the recipe's). purpose: names the random streams. */
struct retrain retrain_finetune(const struct lock_env *e, const char *purpose, int epochs, double lr);

/* The network before that training: new, NULL after error(). */
struct model *retrain_start(const struct lock_env *e, const struct retrain *r);
/* Train m; NULL is what retrain_start() returned after error(). 0, or -1 after error(). */
int retrain(const struct lock_env *e, const struct retrain *r, struct model *m);

#endif
