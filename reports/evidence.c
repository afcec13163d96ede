/* See evidence.h. */
#include "reports/evidence.h"

#include <math.h>

#include "base/json.h"
#include "metrics/stat/stats.h"
#include "reports/tables.h"

const char *evidence_missing(struct arena *mem, const struct group *g, const char *metric)
{
	const struct metric *m = metric_named(metric);

	for (int k = 0; m && m->from == FROM_CELL && m->least && k < g->ncells; k++) {
		const json_t *j = json_object_get(json_object_get(g->cell[k], "metrics"), metric);
		long n = (long)jget_int(j, "n", 0);

		if (!n)
			n = (long)jget_int(j, "seen", 0);
		if (m->each_user)
			n = (long)cell_number(g->cell[k], "credentials_per_user", 0);
		if (j && n > 0 && n < m->least)
			return arena_printf(mem, "%ld of %ld %s", n, m->least, m->least_of);
	}
	return NULL;
}

enum attempts attempts_decide(long k, long n)
{
	double low, high;

	clopper_pearson(k, n, 0.95, &low, &high);
	return 1 - pow(1 - low, 10) >= 0.5 ? ATTEMPTS_FULL : 1 - pow(1 - low, 1000) >= 0.5 ? ATTEMPTS_PARTIAL :
	       n < ATTEMPTS_LEAST ? ATTEMPTS_TOO_FEW : ATTEMPTS_HOLD;
}
