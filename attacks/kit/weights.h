/* Which tensors an attack on weights touches. */
#ifndef LB_ATTACKS_KIT_WEIGHTS_H
#define LB_ATTACKS_KIT_WEIGHTS_H

#include <math.h>
#include <stddef.h>

#include "nn/model.h"

enum weights { WEIGHTS_ALL, WEIGHTS_CONV };
#define WEIGHTS_ROW(conf, member)                                                                                           \
	{ "weights", OPT_CHOICE, offsetof(conf, member), "all", 0, 0,                                                       \
	  "which weights: of all layers, or of convolutions only; never biases or batch norm", "all|conv" }

static inline bool weights_counted(const struct param *p, int which)
{
	return !p->buffer && p->nd >= (which == WEIGHTS_CONV ? 4 : 2);
}
/* How many of n a share is. */
static inline size_t weights_share(size_t n, double rate)
{
	return (size_t)floor(rate * (double)n + 0.5);
}

#endif
