/* Pruning whole channels: a removed one loses what makes, scales and reads it; every layer keeps at least one.
 *
 * Source: by norm: Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017; by activation: Liu, Dolan-Gavitt, Garg, "Fine-Pruning",
 * RAID 2018. Differs: one shot; means of |w| instead of sums, which compare between layers; ties go to the earlier channel. */
#ifndef LB_ATTACKS_WEIGHTS_PRUNE_CHANNELS_H
#define LB_ATTACKS_WEIGHTS_PRUNE_CHANNELS_H

#include <stdbool.h>

#include "nn/images.h"
#include "nn/model.h"

struct channel_pruning {
	double rate;      /* share of the channels that goes */
	int which;        /* of which weights (weights.h); by norm only */
	bool each;        /* that share of each layer's, not of all layers' together; by norm only */
	size_t gone, all; /* result, added to: removed, of how many */
};
/* Those of smallest norm. 0, or -1 after error(). */
int channels_by_norm(struct model *m, struct channel_pruning *k);
/* Of the last convolution, or of the last hidden layer where there is none: those that v moves least. m runs v once; not charged. 0, or -1
 * after error(). */
int channels_by_activation(struct model *m, const struct images *v, struct channel_pruning *k);

#endif
