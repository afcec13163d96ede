/* Which attack applies to which scheme, and why not: what drivers say, what schemes hand out, what the attacker is granted. */
#ifndef LB_BENCH_APPLIES_H
#define LB_BENCH_APPLIES_H

#include "bench/cell.h"

/* A driver's options filled in, defaults for what is not given; caller frees. NULL after error(). */
void *driver_conf(const struct driver *d, const json_t *options);
/* What the attack of a point must see (0: no attack), with what searching its settings takes. */
unsigned point_needs(const struct point *p);
/* Why the attack, under these options (NULL: its defaults), has nothing to do against this scheme; NULL when it has. creds: whether
 * somebody holds credentials of it. Static text. */
const char *attack_inapplicable(const struct attack *a, const void *conf, const struct scheme *s, bool creds);
/* Why there is nothing to run: the attack does not apply to the scheme, or ("refused: ...") needs more than the attacker is granted. */
bool point_inapplicable(const struct point *p, char why[256]);

#endif
