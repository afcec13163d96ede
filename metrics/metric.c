/* The table of metrics, from list.def, and the one place where they are read from observations. */
#include "metrics/metric.h"

#include "base/json.h"
#include "metrics/compute.h"

#define METRIC(x) extern const struct metric metric_##x;
#include "metrics/list.def"
#undef METRIC

#define METRIC(x) &metric_##x.drv,
const struct driver *const metrics[] = {
#include "metrics/list.def"
	NULL
};
#undef METRIC

int metric_value(const struct metric *m, const struct observations *o, struct value *v)
{
	if (m->compute)
		return m->compute(o, v);
	if (m->share)
		return percent_of(o, m->share, v);
	if (m->worst_user)
		return worst_user(o, m->worst_user, v);
	if (m->points[0])
		return points_between(o, m->points[0], m->points[1], v);
	if (m->number)
		return number_of(o, m->number, m->seen, v);
	if (m->ratio[0])
		return ratio_of(o, m->ratio[0], m->ratio[1], v);
	return m->mean ? mean_of(o, m->mean, m->min, m->max, v) : 0;
}

json_t *metrics_json(const struct observations *o)
{
	json_t *all = json_object();

	for (int i = 0; metrics[i]; i++) {
		const struct metric *m = (const struct metric *)metrics[i];
		struct value v = { 0 };
		json_t *j;

		if (!metric_value(m, o, &v))
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
