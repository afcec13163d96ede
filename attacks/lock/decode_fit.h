/* From a locked network's answers to classes: maps fitted on a few labelled samples.
 *
 *   argmin       the least likely class: undoes training towards "any class but the true one"; fits nothing
 *   permutation  the bijection of classes with the most hits (assignment problem): undoes a fixed wrong label
 *   map          for each answered class the commonest true one
 *   logistic     multinomial logistic regression on log probabilities
 *   none         the answers as they are
 *
 * Source: assignment: Kuhn 1955, in its shortest-path form (decode_assign.h). Differs: the rest is ours. */
#ifndef LB_ATTACKS_LOCK_DECODE_FIT_H
#define LB_ATTACKS_LOCK_DECODE_FIT_H

#include "base/json.h"

/* AUTO is a choice of options only: decoder_choose() says which of the others it is. */
enum decoder_method { DECODER_AUTO, DECODER_NONE, DECODER_ARGMIN, DECODER_PERMUTATION, DECODER_MAP, DECODER_LOGISTIC, DECODERS };
extern const char *const decoder_names[DECODERS];

/* Answers p (n, k), probabilities, and true classes y (n); k at most 256. */
struct decoder_samples {
	const float *p;
	const int *y;
	int n, k;
};
/* w (k, k + 1), zeros before: a class's weights and its bias in each row. NONE and ARGMIN leave it. */
void decoder_fit(const struct decoder_samples *s, int method, float *w);
/* p (k): an answer becomes probabilities of classes, in place. Label maps take the likeliest answered class as it stands. */
void decoder_apply(int method, const float *w, int k, float *p);
/* How many samples get their class. */
int decoder_hits(const struct decoder_samples *s, int method, const float *w);
/* The method that is right most often on one half of the samples when fitted on the other, both ways; notes gets hits_NAME of each. */
int decoder_choose(const struct decoder_samples *s, json_t *notes);

#endif
