/* How orderly a layer's cells lie, told from their numbers alone: rows (outputs) and columns (inputs) of a trained layer differ in the
 * size and the sign of their weights, those of units that never fire most of all, and a cell that lies in the wrong row or column spoils
 * both. A square's neighbours in the same rows and columns say more than its own cells do: they know its numbering, too.
 *
 * Source: ours (attacks/lock/chaos_search.c names the papers). */
#ifndef LB_ATTACKS_LOCK_CHAOS_SEARCH_ORDER_H
#define LB_ATTACKS_LOCK_CHAOS_SEARCH_ORDER_H

#include "nn/model.h"

/* Nats by which w (O, I, ...) is likelier where each row and column has an effect of its own on size and sum of its cells than where none
 * has; Gaussian, >= 0, larger is more orderly. Cells of nothing but zeros are taken as not there. */
double chaos_order(const struct param *w);

/* Nats by which the sizes of w's rows go with what else tells its outputs: the numbers behind it (biases, or the scales of a norm) and
 * the sizes of the next layer's columns, which shared the rows' fate in training. end: of the model's parameters. */
double chaos_links(const struct param *w, const struct param *end);

#endif
