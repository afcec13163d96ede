/* What every scheme promises, as checks that end the test which calls them: for the schemes of the table and for the guide's example. */
#ifndef LB_TESTS_SUPPORT_CONTRACT_H
#define LB_TESTS_SUPPORT_CONTRACT_H

#include "schemes/scheme.h"

/* Option overrides of the tiers are options. */
void contract_tiers(const struct driver *d, const char *const *tier);
/* Hooks and declaration fit together. */
void contract_scheme(const struct scheme *s);
/* In a small world: hooks change nothing but what they are given to change. */
void contract_hooks(const struct scheme *s);
/* In a small world with four users: what the scheme declares of itself is so (lists what). */
void contract_declared(const struct scheme *s);

#endif
