/* For tests of schemes/passport/passport.c: the owner's own branch of V2, V3 and PAN. */
#ifndef LB_SCHEMES_PASSPORT_PASSPORT_H
#define LB_SCHEMES_PASSPORT_PASSPORT_H

#include "schemes/scheme.h"

/* The locked network as it is with the owner's passports (and PAN's matrices, and that branch's running statistics):
 * new, NULL after error(). */
struct model *passport_private(const struct locked *owner);
/* Smallest number of right bits of n for which chance has at most 1e-6 under fair coins; n + 1 when there is none. */
int passport_threshold(int n);

#endif
