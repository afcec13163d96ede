/* Builds the access handle of an attack: exactly the capabilities it was granted, everything else NULL or empty. */
#ifndef LB_BENCH_ACCESS_H
#define LB_BENCH_ACCESS_H

#include "base/pages.h"
#include "bench/evaluate.h"

struct access_store; /* private: owns the copies behind the handle */

/* Grant caps of setup s to a. The images handed out are copies that hold only the attacker's samples: no pointer in the handle
 * reaches the test set, the owner's data or secrets (but CAP_PAPER_TEST). A budget of labels cuts the labelled images: of max_labels, one
 * in eleven is for validation, as of all of them. 0, or -1 after error(). */
int access_open(struct access *a, struct access_store **keep, const struct setup *s, unsigned caps, uint64_t seed,
		struct ledger *ledger);
/* From now on the deployed service's memory lies on these pages, shut but while it answers (NULL: they are always open). */
void access_guard(struct access *a, struct pages *service);
void access_close(struct access *a, struct access_store *keep);

#endif
