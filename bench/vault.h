/* What an attack must not reach in the memory it shares with the evaluator: the data set (with it the test labels), the
 * unprotected network, the owner's secret, issued credentials; and what is deployed, but for the time that it answers. */
#ifndef LB_BENCH_VAULT_H
#define LB_BENCH_VAULT_H

#include "base/pages.h"
#include "bench/evaluate.h"

struct vault {
	struct pages owner, service;
};

/* A zeroed struct is ready. Move all of that of s but the data set to pages of its own. */
void vault_fill(struct vault *v, const struct setup *s);
/* Move the data set, before splits are made of it. Its pages live as long as it does. */
void vault_dataset(struct pages *p, struct dataset *d);
void vault_release(struct vault *v);

#endif
