/* Issuing image credentials that must be drawn: some draws fail, so round after round those that are not valid yet
 * are drawn anew, until all are valid or the rounds are over. */
#ifndef LB_SCHEMES_KIT_ISSUE_H
#define LB_SCHEMES_KIT_ISSUE_H

#include "schemes/scheme.h"

/* The credentials that one round draws, and what it makes of them: rows in this order, of len numbers. */
struct round {
	int number, n;            /* rounds count from 0 */
	const int *which;         /* (n) the credential's number in what enrol() was asked for */
	const int *user, *trial;  /* (n) */
	float *image;             /* (n, len) to fill: the credential, */
	uint8_t *clean;           /* (n, len) the image that it was made from, */
	uint8_t *ok;              /* (n) and, where no gate is asked, whether it is valid; comes as 0 */
};

/* What enrol() got, the rounds at most, and how one is drawn: 0, or -1 after error(). gate: the scheme whose gate is
 * asked about every draw, at the cost of a forward pass; one that it takes for its user is valid. NULL: draw() says
 * it. */
struct issue {
	const struct lock_env *e;
	const void *conf;
	struct locked *l;
	const int *user, *trial;
	int n;
	struct bundle *out;
	int rounds;
	int (*draw)(const struct issue *k, struct round *r);
	const struct scheme *gate;
};
/* Tensors "image", "ok", "tries" and "about_clean" of k->out (scheme.enrol), in the shape of the locked network's
 * input. A credential that never became valid is that of the last round. 0, or -1 after error(). */
int issue(const struct issue *k);

#endif
