/* The table of seconds and bytes. See tables.h. */
#include "reports/tables.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"

static void collect(json_t *names, const json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, name, value)
		if (json_is_number(value) || json_is_object(value))
			json_object_set(names, name, value);
}

/* Timing names that functional cells of the context have, sorted; seconds and memory of the cell itself last. */
static const char **timing_names(struct rows *r, int context, const json_t *timings)
{
	json_t *names = json_object(), *value, *sorted;
	const char *name, **list;
	char *text;
	bool any = false;
	int n = 0;

	for (int i = 0; i < r->ngroups; i++) {
		const struct group *g = &r->group[i];

		for (int k = 0; g->context == context && g->series < 0 && k < g->ncells; k++) {
			const json_t *t = json_object_get(timings, jget_str(g->cell[k], "key", ""));

			any |= t != NULL;
			collect(names, json_object_get(t, "metrics"));
		}
	}
	text = json_compact(names);
	sorted = json_read_text(text, strlen(text), "timings");
	list = arena_new(&r->mem, json_object_size(names) + 3, const char *);
	json_object_foreach(sorted, name, value)
		if (strcmp(name, "seconds") && strcmp(name, "peak_rss_mib"))
			list[n++] = arena_printf(&r->mem, "%s", name);
	if (any) {
		list[n++] = "seconds";
		list[n++] = "peak_rss_mib";
	}
	list[n] = NULL;
	json_decref(sorted);
	json_decref(names);
	free(text);
	return list;
}

/* "latency_ms_64" becomes "latency ms 64": the names are not metrics of the table, so they say what they are. */
static const char *timing_title(struct arena *mem, const char *name)
{
	char *text;

	if (metric_named(name))
		return metric_heading(mem, name);
	if (!strcmp(name, "seconds"))
		return "This cell, s";
	if (!strcmp(name, "peak_rss_mib"))
		return "Peak memory, MiB";
	text = arena_printf(mem, "%s", name);
	for (char *p = text; *p; p++)
		if (*p == '_')
			*p = ' ';
	return text;
}

struct table table_overhead(struct rows *r, int context, const json_t *timings)
{
	const struct context *c = &r->context[context];
	const char **name = timing_names(r, context, timings);
	struct table t = table_new(&r->mem, "Overhead, measured", "Times are of this machine and this run; everything else on this page "
				   "repeats to the bit. Counted costs (parameters, MACs, bytes) are among the metrics above.",
				   names_count(name) + 1, c->nschemes + 1);

	table_put(&t, 0, 0, "Measure");
	for (int i = 0; name[i]; i++)
		table_put(&t, i + 1, 0, timing_title(&r->mem, name[i]));
	for (int s = 0; s < c->nschemes; s++) {
		const struct group *g = rows_group(r, context, s, -1, 0);

		table_put(&t, 0, s + 1, scheme_heading(r, &c->scheme[s]));
		table_at(&t, 0, s + 1)->number = true;
		for (int i = 0; g && name[i]; i++) {
			struct tcell *cell = table_at(&t, i + 1, s + 1);
			struct summary v;

			cell->number = true;
			cell->text = "n/a";
			if (!group_timing(g, timings, name[i], &v))
				continue;
			cell->text = arena_printf(&r->mem, fabs(v.mean) >= 1e4 ? "%.0f" : "%.4g", v.mean);
			if (v.n > 1)
				cell->range = arena_printf(&r->mem, "%.4g to %.4g", v.min, v.max);
		}
	}
	return t;
}
