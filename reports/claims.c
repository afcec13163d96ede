/* See claims.h. */
#include "reports/claims.h"

#include <stddef.h>

#define CLAIM(scheme, dataset, metric, value, text, source) { scheme, dataset, metric, value, text, source },
const struct claim claims[] = {
#include "reports/claims.def"
};
#undef CLAIM
const int claims_count = sizeof(claims) / sizeof(*claims);
