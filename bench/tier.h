/* Tiers: how large a job is when it does not say. The one table. */
#ifndef LB_BENCH_TIER_H
#define LB_BENCH_TIER_H

#include "base/opt.h"
#include "bench/cell.h"

struct tier_defaults {
	int seeds;
	int limit_train, limit_train_wrn, limit_test; /* images; wrn: of wide residual networks; 0: all */
	int per_user;                /* credentials issued to each user */
	int epochs, epochs_wrn;      /* of the base model: small networks; wide residual networks */
	int timeout;                 /* seconds for each task */
	struct attacker attacker;    /* what attacks are granted */
};
extern const struct tier_defaults tier_table[3]; /* by enum tier */

/* -1 after error(). */
int tier_parse(const char *name);
/* Apply "a=b c=d" (a driver's tier override) to conf; NULL is fine. A text that the table refuses is a BUG (contract test). */
void tier_apply(const struct driver *d, const char *overrides, void *conf);

#endif
