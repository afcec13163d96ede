/* What every scheme, attack, metric, dataset format and model has; always the first member. */
#ifndef LB_BASE_DRIVER_H
#define LB_BASE_DRIVER_H

#include "base/opt.h"
#include <stdbool.h>

struct driver {
	const char *name;    /* as the user types it: [a-z0-9][a-z0-9._-]{0,63}; unique in its table */
	const char *summary; /* one line, lower case, no full stop */
	const char *source;  /* the paper it follows (section, equations), then "Differs:" and what it changes */
	int version;         /* raised whenever its results can change; part of every key */
	size_t conf_size;    /* of the struct that opts[] fills; 0 when there are no options */
	const struct opt *opts; /* ends with a zero row; may be NULL */
};

/* [a-z0-9][a-z0-9._-]{0,63}: how drivers are named, and what cells call observations and notes. */
bool driver_name_ok(const char *name);

/* Find in a NULL-terminated table of drivers sorted by name; NULL after error() with a "did you mean".
 * what: "scheme", "attack", ... for the message. */
const void *driver_find(const struct driver *const *table, const char *what, const char *name);

/* 0, or -1 after error() naming the driver and what it lacks (the contract test walks every table). */
int driver_check(const struct driver *d);

#endif
