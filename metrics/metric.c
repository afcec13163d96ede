/* The table of metrics: list.def, nothing else. */
#include "metrics/metric.h"

#include "base/json.h"

#define METRIC(x) extern const struct metric metric_##x;
#include "metrics/list.def"
#undef METRIC

#define METRIC(x) &metric_##x.drv,
const struct driver *const metrics[] = {
#include "metrics/list.def"
	NULL
};
#undef METRIC

json_t *metrics_json(const struct observations *o)
{
	json_t *all = json_object();

	for (int i = 0; metrics[i]; i++) {
		const struct metric *m = (const struct metric *)metrics[i];
		struct value v = { 0 };
		json_t *j;

		if (!m->compute || !m->compute(o, &v))
			continue;
		j = json_object();
		jset_num(j, "value", v.value);
		jset_num(j, "low", v.low);
		jset_num(j, "high", v.high);
		jset_int(j, "k", v.k);
		jset_int(j, "n", v.n);
		if (v.seen)
			jset_int(j, "seen", v.seen);
		jset(all, m->drv.name, j);
	}
	return all;
}
