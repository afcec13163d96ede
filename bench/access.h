/* Builds the access handle of an attack: exactly the capabilities it was granted, everything else NULL or empty. */
#ifndef LB_BENCH_ACCESS_H
#define LB_BENCH_ACCESS_H

#include "bench/evaluate.h"

struct access_store; /* private: owns the copies behind the handle */

/* Grant caps of setup s to a. The images handed out are copies that hold only the attacker's samples: no pointer in the handle
 * reaches the test set, the owner's data or secrets (but CAP_PAPER_TEST). 0, or -1 after error(). */
int access_open(struct access *a, struct access_store **keep, const struct setup *s, unsigned caps, uint64_t seed,
		struct ledger *ledger);
void access_close(struct access *a, struct access_store *keep);

#endif
