/* A numeric watermark: decimal digits in the weights of a convolution.
 *
 * The layer D (O,I,kh,kw) is reduced over its O filters, element by element, to a vector w of m = I*kh*kw numbers, in
 * the order of a filter's memory. A linear map d = a*h + b sends the range of w in the unmarked model to [0,9]; n of the m
 * positions, drawn at random, carry the digits. Training adds lambda/n * sum_k (d_k - a*v_k - b)^2 to the loss, and
 * extraction rounds a*v + b.
 * Source: ActiveGuard (Xue et al.), sec. III-E, eq. 4 and Algorithm 1. "The maximum component among all O components" is
 * read as the element-wise maximum (the positive ranges of sec. IV-A fit nothing else); the gradient of a maximum goes
 * to the filter that holds it. Uchida et al. (ICMR 2017) take the mean: DIGITS_MEAN. */
#ifndef LB_NN_LOCK_DIGITS_H
#define LB_NN_LOCK_DIGITS_H

#include "nn/bundle.h"
#include "nn/model.h"

enum digits_reduce { DIGITS_MAX, DIGITS_MEAN };

struct digits_map { double a, b; }; /* d = a*h + b */

struct digits {
	char layer[PARAM_NAME_MAX];
	int reduce;              /* enum digits_reduce */
	struct digits_map map;
	int n;
	const int32_t *position; /* (n) into w, different; borrowed */
	const int32_t *digit;    /* (n) 0..9; borrowed */
};

/* The map that sends [lo,hi] to [0,9]; lo < hi. */
struct digits_map digits_map(double lo, double hi);
/* Length m of w; 0 when p is no convolution. */
int digits_room(const struct param *p);
/* w (m) from p. */
void digits_reduce(const struct param *p, int reduce, double *w);
/* The regulariser's value; adds its gradient to the layer's p->g. The layer must exist. */
double digits_loss(const struct digits *d, struct model *m, double lambda);
/* match[k] = 1 where round(map(v_k)) is digit k (match may be NULL); returns how many are. 0 when the layer is missing or
 * too small. */
int digits_match(const struct digits *d, const struct model *m, unsigned char *match);

/* Tensors "mark.digits", "mark.positions" and metadata of the owner's secret. */
void digits_pack(struct bundle *secret, const struct digits *d);
/* False when secret holds no mark. Borrows from it. */
bool digits_open(struct digits *d, const struct bundle *secret);

#endif
