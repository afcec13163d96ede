/* Numbers that describe a network, for telling a protected one from clean ones. All are finite. */
#ifndef LB_ATTACKS_LOCK_DETECT_TRAITS_H
#define LB_ATTACKS_LOCK_DETECT_TRAITS_H

#include "nn/images.h"
#include "nn/model.h"

enum { TRAITS_MOST = 512 };

/* Each writes its traits to out (TRAITS_MOST) and returns how many; -1 after error(). Networks of one architecture have equally many. */

/* Of each weight tensor: standard deviation, kurtosis, and the largest size in standard deviations. */
int traits_weights(struct model *m, const struct images *v, double *out);
/* How many times as much of the variance of cells' sizes lies between rows, and between columns, as cells in random order would have there:
 * the mean of its logarithm over weight tensors, two numbers. A trained layer's rows and columns are unlike each other; cells that
 * changed places make them alike. */
int traits_order(struct model *m, const struct images *v, double *out);
/* Of the answers to v: mean and lower tenth of the top probability, the share below 0.9, and of each output how often it is the answer. */
int traits_answers(struct model *m, const struct images *v, double *out);
/* Of what each layer is given when v is run: mean, standard deviation and share of zeros. */
int traits_activations(struct model *m, const struct images *v, double *out);

#endif
