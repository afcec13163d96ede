/* ActiveGuard's control layer: a login by one image whose top class and confidence must be on a list.
 *
 * An image is accepted when its top class is one of the allowed classes and E_c = min_j |max P - c_j| is below the
 * tolerance; (class number i, confidence number j) names user i*T + j, both counted from 0 (the paper counts j from 1).
 * Source: ActiveGuard (Xue et al.), sec. III-B and III-D, with the error interval (c - eps, c + eps). */
#ifndef LB_NN_LOCK_CONTROL_LAYER_H
#define LB_NN_LOCK_CONTROL_LAYER_H

#include "nn/bundle.h"
#include <stdbool.h>

/* A view of the shipped parameters. */
struct control {
	const float *confidence; /* (T) C_fp */
	const int32_t *class;    /* (K) L_fp: class number i of the allocation is network class class[i] */
	int T, K;
	double tolerance;        /* eps */
};

/* Tensors "confidences" (T), "classes" (K) and metadata "tolerance" of pub. */
void control_pack(struct bundle *pub, const struct control *c);
/* Whether pub (NULL: no) describes a control layer, which is then in c. Borrows from pub. */
bool control_found(struct control *c, const struct bundle *pub);
/* The same; 0, or -1 after error(). */
int control_open(struct control *c, const struct bundle *pub);
/* Judge one row of probabilities: the user that it names, -1 when it is refused; *score is -E_c, -1 for another class. Knows nothing
 * of revocation. */
int control_judge(const struct control *c, const float *probs, int classes, double *score);

#endif
