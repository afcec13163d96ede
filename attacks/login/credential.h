/* Credentials as an attacker handles them: stacked tensors of any type, value by value. */
#ifndef LB_ATTACKS_LOGIN_CREDENTIAL_H
#define LB_ATTACKS_LOGIN_CREDENTIAL_H

#include <stdbool.h>

#include "attacks/attack.h"

/* Number i of all that t holds. Set rounds where t holds integers; bytes stay in 0 .. 255. */
double credential_value(const struct tensor *t, size_t i);
void credential_set(struct tensor *t, size_t i, double v);
/* Is t named "shared_...", a part of every credential of its bundle? */
bool credential_shared(const struct tensor *t);
/* A bundle of n credentials of the form of b's, zero but for what is shared; the caller frees. */
struct bundle *credential_blank(const struct bundle *b, int n);

#endif
