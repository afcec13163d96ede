/* What labelled images say of a network whose layers may be in disorder. */
#ifndef LB_ATTACKS_LOCK_CHAOS_SEARCH_LABELS_H
#define LB_ATTACKS_LOCK_CHAOS_SEARCH_LABELS_H

#include "nn/images.h"

/* Mean cross entropy of logits (n, k). */
double chaos_cross_entropy(const float *logits, const struct images *v, int k);
/* How badly activations x (n, d) say the class: within-class by total scatter, > 0, 1 where they say nothing. A layer in its right order
 * says it better than one in another, whatever comes behind it. */
double chaos_disorder(const float *x, const struct images *v, int d, int classes);

#endif
