/* Who is enrolled and who is revoked, as what ships knows it: tensors "enrolled" and "revoked" i32 of pub,
 * ascending. */
#ifndef LB_SCHEMES_KIT_USERS_H
#define LB_SCHEMES_KIT_USERS_H

#include <stdbool.h>

#include "schemes/scheme.h"

void users_enrol(struct bundle *pub, const int *user, int n);
bool users_enrolled(const struct bundle *pub, int user);
bool users_revoked(const struct bundle *pub, int user);

/* Hooks of struct scheme. revoke: the user is listed, once. unlimited: as many users as there are user numbers. */
int users_revoke(const void *conf, struct locked *l, int user);
double users_unlimited(const void *conf, int classes);

#endif
