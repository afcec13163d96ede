/* Training a stolen model further: what fine-tuning and the attacks that end with it share. The ledger is charged here. */
#ifndef LB_ATTACKS_KIT_TUNE_H
#define LB_ATTACKS_KIT_TUNE_H

#include <stddef.h>

#include "attacks/attack.h"
#include "nn/train.h"

struct tune {
	const char *purpose;      /* names the random streams: rng_derive(a->seed, purpose) */
	struct train_conf train;  /* epochs 0: nothing happens, nothing is charged */
	struct train_hooks hooks; /* ctx, loss, extra_loss and still; epoch_end is tune's own */
	int patience;             /* epochs without a better accuracy on a->val after which the best weights come back; 0: none */
	bool keep_zeros;          /* what is exactly 0 stays 0, as after pruning */
};
/* Train m (its frozen flags hold) on v. labels: how many labelled images this costs. 0, or -1 after error(). */
int tune(struct access *a, struct model *m, const struct images *v, long labels, const struct tune *t);

/* The first `images` of v, and at most the share `fraction` of it; at least one. */
struct images tune_images(struct images v, int images, double fraction);

/* Where the last weighted layer begins in m->p: its weight, then its bias. */
int tune_last_layer(const struct model *m);

/* Fine-tuning of all layers behind another attack, by Adam on labelled images of the pool: three rows of an option table. */
struct tune_after { int epochs, images; double lr; };
#define TUNE_AFTER(conf, member)                                                                                            \
	{ "tune-epochs", OPT_INT, offsetof(conf, member.epochs), "0", 0, 10000,                                             \
	  "fine-tuning of all layers afterwards: passes, 0 for none", NULL },                                               \
	{ "tune-images", OPT_INT, offsetof(conf, member.images), "7000", 1, 1000000, "labelled images it uses", NULL },     \
	{ "tune-lr", OPT_FLOAT, offsetof(conf, member.lr), "0.001", 0, 10, "its learning rate (Adam)", NULL }
/* What it needs: labelled images, when there are epochs. */
unsigned tune_after_needs(const struct tune_after *c);
int tune_after(struct access *a, const struct tune_after *c, bool keep_zeros, struct model *m);

#endif
