/* See evidence.h. */
#include "reports/evidence.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "reports/tables.h"

/* In every cell. A user's trials are counted apart. */
static const struct { const char *metric; long trials; bool user; const char *what; } needs[] = {
	{ "authentication_mean", 100, true, "credentials a user" }, { "authentication_min", 100, true, "credentials a user" },
	{ "identification", 100, true, "credentials a user" },
	{ "false_acceptance", 10000, false, "impostors" }, { "null_verification", 20, false, "models without the mark" },
	{ "forgery_acceptance", 1000, false, "attempts" }, { "forgery_as_claimed", 1000, false, "attempts" },
};

const char *evidence_missing(struct arena *mem, const struct group *g, const char *metric)
{
	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		for (int k = 0; !strcmp(needs[i].metric, metric) && k < g->ncells; k++) {
			const json_t *m = json_object_get(json_object_get(g->cell[k], "metrics"), metric);
			long n = needs[i].user ? (long)cell_number(g->cell[k], "credentials_per_user", 0) : (long)jget_int(m, "n", 0);

			if (m && n > 0 && n < needs[i].trials)
				return arena_printf(mem, "%ld of %ld %s", n, needs[i].trials, needs[i].what);
		}
	return NULL;
}
