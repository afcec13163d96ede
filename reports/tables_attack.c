/* Tables of attacks: all of them by what they are judged by, and one with all that it moved. See tables.h. */
#include "reports/tables.h"

#include <string.h>

#include "base/error.h"

/* What an attack's goal is judged by, most telling first. Only a preference: other metrics follow. */
static const struct { const char *goal, *metric[4]; } judged_by[] = {
	{ "use", { "attacked_heldout_accuracy", "attacked_accuracy" } },
	{ "impersonate", { "forgery_acceptance", "forgery_as_claimed" } },
	{ "remove", { "ownership_verified", "attacked_accuracy", "mark_symbols", "attacked_authentication" } },
	{ "disown", { "ownership_verified", "null_verification" } },
	{ "detect", { "protection_detected", "protection_false_alarms" } },
	{ "degrade", { "channel_authentication", "channel_authorised_accuracy", "channel_identification" } },
};

static bool listed(const char *const *list, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(list[i], name))
			return true;
	return false;
}

/* Does any cell of the series show another value than the scheme without an attack? */
static bool moved(struct rows *r, int context, int series, const char *metric)
{
	for (int i = 0; i < r->ngroups; i++) {
		const struct group *g = &r->group[i], *f;
		struct summary a, b;

		if (g->context != context || g->series != series || !group_summary(g, metric, &a))
			continue;
		f = rows_group(r, context, g->scheme, -1, 0);
		if (!f || !group_summary(f, metric, &b) || a.mean != b.mean || a.n != b.n)
			return true;
	}
	return false;
}

/* Everything that the attack moved, and everything that its goal is judged by whether it moved or not. */
const char **attack_metrics(struct rows *r, int context, int series)
{
	const struct series *s = &r->context[context].series[series];
	const char **all = rows_metrics(r, context, series), **list;
	int n = 0, most = names_count(all);

	list = arena_new(&r->mem, (size_t)most + 1, const char *);
	for (size_t i = 0; i < ARRAY_LEN(judged_by); i++)
		for (int k = 0; k < 4 && judged_by[i].metric[k]; k++)
			if (!strcmp(judged_by[i].goal, s->goal) && listed(all, most, judged_by[i].metric[k]))
				list[n++] = judged_by[i].metric[k];
	for (int i = 0; i < most; i++)
		if (!listed(list, n, all[i]) && moved(r, context, series, all[i]))
			list[n++] = all[i];
	list[n] = NULL;
	return list;
}

const char *strength_text(struct rows *r, const struct group *g)
{
	const char *name = r->context[g->context].series[g->series].strength;

	return name ? option_text(&r->mem, json_object_get(g->options, name)) : "";
}

/* The worst mean over the strengths, seen from the defender. What has no better end is what an attacker has. */
static const struct group *worst_strength(struct rows *r, int context, int scheme, int series, const char *metric, struct summary *worst)
{
	const struct metric *m = metric_named(metric);
	const struct group *g, *at = NULL;
	struct summary s;

	for (int i = 0; (g = rows_group(r, context, scheme, series, i)); i++) {
		if (!group_summary(g, metric, &s) || s.n < s.of)
			continue;
		if (!at || (m && m->better <= 0 ? s.mean > worst->mean : s.mean < worst->mean)) {
			*worst = s;
			at = g;
		}
	}
	return at;
}

/* Verdicts of all strengths together: "OK", or how many of each. */
static const char *series_verdicts(struct rows *r, int context, int scheme, int series, int *groups)
{
	static const char *const order[] = { "FAILED", "CRASHED", "TIMEOUT", "SCHEME-UNTRAINED", "ATTACK-BROKEN", "UNDERPOWERED",
					     "NOOP", "N/A", "OK" };
	int counts[ARRAY_LEN(order) + 1] = { 0 }, total = 0;
	const struct group *g;
	const char *text = "", *why;

	*groups = 0;
	for (int i = 0; (g = rows_group(r, context, scheme, series, i)); i++, ++*groups)
		for (int k = 0; k < g->ncells + g->nfailures; k++, total++) {
			const char *v = group_verdict(r, g, k, &why);
			size_t at = 0;

			while (at < ARRAY_LEN(order) && strcmp(order[at], v))
				at++;
			counts[at]++;
		}
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		const char *name = i < ARRAY_LEN(order) ? order[i] : "OTHER";

		if (counts[i] && counts[i] == total)
			return name;
		if (counts[i])
			text = arena_printf(&r->mem, "%s%s%s %d", text, *text ? ", " : "", name, counts[i]);
	}
	return text;
}

static struct tcell resistance_cell(struct rows *r, int context, int scheme, int series, const char *metric)
{
	const char *strength = r->context[context].series[series].strength, *why = "";
	struct tcell c = { .number = true };
	const struct group *g;
	struct summary worst;
	int groups;

	c.tag = series_verdicts(r, context, scheme, series, &groups);
	if (!groups)
		return (struct tcell){ .text = "not run", .number = true };
	for (int i = 0; (g = rows_group(r, context, scheme, series, i)) && !*why; i++)
		for (int k = 0; k < g->ncells + g->nfailures && !*why; k++)
			group_verdict(r, g, k, &why);
	c.note = *why ? why : NULL;
	if (!strcmp(c.tag, "N/A"))
		return c;
	g = metric ? worst_strength(r, context, scheme, series, metric, &worst) : NULL;
	if (!g)
		return c;
	c.text = arena_printf(&r->mem, "%s%s", summary_cell(&r->mem, metric, &worst).text,
			      !strcmp(metric_unit(metric), "%") ? " %" : "");
	if (strength && groups > 1)
		c.range = arena_printf(&r->mem, "at %s %s", strength, strength_text(r, g));
	return c;
}

struct table table_resistance(struct rows *r, int context)
{
	const struct context *c = &r->context[context];
	struct table t = table_new(&r->mem, "Attacks", "The worst case for the defender over all strengths that were run, of the metric "
				   "named beside the attack, with the verdict of the cells. ATTACK-BROKEN: the same attack, "
				   "options and seed do nothing or fail on the unprotected control, so the number says nothing about the scheme.",
				   c->nseries + 1, c->nschemes + 2);

	table_put(&t, 0, 0, "Attack");
	table_put(&t, 0, 1, "Judged by");
	for (int s = 0; s < c->nschemes; s++) {
		table_put(&t, 0, s + 2, scheme_heading(r, &c->scheme[s]));
		table_at(&t, 0, s + 2)->number = true;
	}
	for (int a = 0; a < c->nseries; a++) {
		const char **metric = attack_metrics(r, context, a);

		table_put(&t, a + 1, 0, c->series[a].label);
		table_at(&t, a + 1, 0)->range = *c->series[a].goal ? arena_printf(&r->mem, "goal: %s", c->series[a].goal) : NULL;
		table_put(&t, a + 1, 1, *metric ? metric_title(*metric) : "");
		for (int s = 0; s < c->nschemes; s++)
			*table_at(&t, a + 1, s + 2) = resistance_cell(r, context, s, a, *metric);
	}
	return t;
}

int attack_last(const struct rows *r, int context, int first)
{
	const struct context *c = &r->context[context];
	int last = first;

	while (last + 1 < c->nseries && !strcmp(c->series[last + 1].attack, c->series[first].attack))
		last++;
	return last;
}

/* The metrics of several variants together. */
static const char **shown_metrics(struct rows *r, int context, int first, int last)
{
	const char **list = NULL;
	int n = 0, room = 1;

	for (int a = first; a <= last; a++)
		room += names_count(attack_metrics(r, context, a));
	list = arena_new(&r->mem, (size_t)room, const char *);
	for (int a = first; a <= last; a++) {
		const char **one = attack_metrics(r, context, a);

		for (int i = 0; one[i]; i++)
			if (!listed(list, n, one[i]))
				list[n++] = one[i];
	}
	list[n] = NULL;
	return list;
}

/* Metrics that are left out because the attack did not move them. */
static const char *unmoved(struct rows *r, int context, int first, int last, const char *const *shown)
{
	const char *text = "", **seen = NULL;
	int n = 0;

	seen = arena_new(&r->mem, (size_t)names_count(rows_metrics(r, context, -2)) + 1, const char *);
	for (int a = first; a <= last; a++) {
		const char **all = rows_metrics(r, context, a);

		for (int i = 0; all[i]; i++) {
			if (listed(shown, names_count(shown), all[i]) || listed(seen, n, all[i]))
				continue;
			seen[n++] = all[i];
			text = arena_printf(&r->mem, "%s%s%s", text, *text ? ", " : "", metric_title(all[i]));
		}
	}
	return text;
}

/* "method=clean" of "forge (method=clean)". */
static const char *variant_text(struct rows *r, const struct series *s)
{
	const char *open = strchr(s->label, '(');

	return open ? arena_printf(&r->mem, "%.*s", (int)strlen(open) - 2, open + 1) : "as usual";
}

struct table table_attack(struct rows *r, int context, int first_series, int last_series)
{
	const struct context *c = &r->context[context];
	const struct series *a = &c->series[first_series];
	const char **metric = shown_metrics(r, context, first_series, last_series), *caption = NULL;
	const char *same = unmoved(r, context, first_series, last_series, metric);
	int variant = last_series > first_series, first = 1 + variant + (a->strength != NULL), row = 1, rows = 1;
	struct table t;

	for (int i = 0; i < r->ngroups; i++)
		rows += r->group[i].context == context && r->group[i].series >= first_series && r->group[i].series <= last_series;
	if (*same)
		caption = arena_printf(&r->mem, "As without the attack, and so not repeated here (but in the CSV): %s.", same);
	t = table_new(&r->mem, a->attack, caption, rows, first + 2 + names_count(metric));
	if (variant)
		table_put(&t, 0, 0, "Variant");
	table_put(&t, 0, variant, "Scheme");
	if (a->strength)
		*table_at(&t, 0, first - 1) = (struct tcell){ .text = a->strength, .number = true };
	table_put(&t, 0, first, "Verdict");
	*table_at(&t, 0, first + 1) = (struct tcell){ .text = "Seeds", .number = true };
	for (int m = 0; metric[m]; m++) {
		*table_at(&t, 0, first + 2 + m) = (struct tcell){ .text = metric_heading(&r->mem, metric[m]), .number = true };
		if (metric_named(metric[m]))
			table_at(&t, 0, first + 2 + m)->note = metric_named(metric[m])->drv.summary;
	}
	for (int i = 0; i < r->ngroups; i++) {
		const struct group *g = &r->group[i];

		if (g->context != context || g->series < first_series || g->series > last_series)
			continue;
		if (variant)
			table_put(&t, row, 0, variant_text(r, &c->series[g->series]));
		table_put(&t, row, variant, c->scheme[g->scheme].label);
		if (a->strength)
			*table_at(&t, row, first - 1) = (struct tcell){ .text = strength_text(r, g),
									.number = g->has_strength };
		table_at(&t, row, first)->tag = group_verdicts(r, g);
		*table_at(&t, row, first + 1) = (struct tcell){ .text = arena_printf(&r->mem, "%d", g->ncells), .number = true };
		if (g->nfailures)
			table_put(&t, row, first + 1, arena_printf(&r->mem, "%d/%d", g->ncells, g->ncells + g->nfailures));
		for (int m = 0; metric[m]; m++)
			*table_at(&t, row, first + 2 + m) = metric_cell(r, g, metric[m]);
		row++;
	}
	return t;
}
