/* The tables of a report. See tables.h. */
#include "reports/tables.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "metrics/stats.h"
#include "reports/evidence.h"
#include "reports/text.h"

#define CONFIDENCE 0.95

/* ---- observations ---- */

static const json_t *observation(const json_t *cell, const char *kind, const char *name)
{
	return json_object_get(json_object_get(json_object_get(cell, "observations"), kind), name);
}

unsigned char *cell_bits(const json_t *cell, const char *name, size_t *n)
{
	const json_t *j = observation(cell, "bits", name);
	const char *text = jget_str(j, "bits", NULL);
	long long len = jget_int(j, "n", -1);

	if (!text || len <= 0)
		return NULL;
	*n = (size_t)len;
	return bits_decode(text, *n);
}

double *cell_series(const json_t *cell, const char *name, size_t *n)
{
	const json_t *j = observation(cell, "series", name);
	double *v;

	*n = json_array_size(j);
	if (!*n)
		return NULL;
	v = xcalloc(*n, sizeof(*v));
	for (size_t i = 0; i < *n; i++)
		v[i] = json_number_value(json_array_get(j, i));
	return v;
}

double cell_number(const json_t *cell, const char *name, double def)
{
	const json_t *v = observation(cell, "numbers", name);

	return json_is_number(v) ? json_number_value(v) : def;
}

double *group_series(const struct group *g, const char *name, size_t *n)
{
	double *sum = NULL;

	*n = 0;
	for (int i = 0; i < g->ncells; i++) {
		size_t len;
		double *v = cell_series(g->cell[i], name, &len);

		if (v && !sum) {
			sum = v;
			*n = len;
			continue;
		}
		for (size_t k = 0; v && len == *n && k < len; k++)
			sum[k] += v[k];
		free(v);
	}
	return sum;
}

/* ---- cells ---- */

struct tcell *table_at(const struct table *t, int row, int col)
{
	BUG_ON(row < 0 || row >= t->rows || col < 0 || col >= t->cols);
	return &t->cell[row * t->cols + col];
}

struct table table_new(struct arena *mem, const char *title, const char *caption, int rows, int cols)
{
	struct table t = { title, caption, rows, cols, NULL, NULL };
	size_t n = (size_t)rows * (size_t)cols;

	t.cell = arena_new(mem, n + 1, struct tcell);
	memset(t.cell, 0, (n + 1) * sizeof(*t.cell));
	return t;
}

struct table table_turned(struct arena *mem, const struct table *t, const char *corner)
{
	struct table out;

	if (t->cols <= t->rows || t->cols < 9)
		return *t;
	out = table_new(mem, t->title, t->caption, t->cols, t->rows);
	out.name = t->name;
	for (int r = 0; r < t->rows; r++)
		for (int c = 0; c < t->cols; c++)
			*table_at(&out, c, r) = *table_at(t, r, c);
	for (int c = 1; c < out.cols; c++)
		table_at(&out, 0, c)->number = out.rows > 1 && table_at(&out, out.rows / 2, c)->number;
	for (int r = 0; r < out.rows; r++)
		table_at(&out, r, 0)->number = false;
	table_at(&out, 0, 0)->text = corner;
	return out;
}

static void put(const struct table *t, int row, int col, const char *text)
{
	table_at(t, row, col)->text = text;
}

/* Rows are counted first and filled later: cut what was not needed. */
static void head(const struct table *t, const char *const *name)
{
	for (int i = 0; i < t->cols; i++)
		put(t, 0, i, name[i]);
}

const char *value_text(struct arena *mem, const char *metric, double v)
{
	const char *unit = metric_unit(metric);

	if (!strcmp(unit, "yes/no"))
		return v <= 0 ? "no" : v >= metric_named(metric)->max ? "yes" : arena_printf(mem, "%.0f %% yes", 100 * v);
	if (!strcmp(unit, "%") || !strcmp(unit, "points") || !strcmp(unit, "dB"))
		return arena_printf(mem, "%.2f", fabs(v) < 0.005 ? 0 : v);
	if (!strcmp(unit, "ratio"))
		return arena_printf(mem, "%.4f", v);
	if (v == floor(v) && fabs(v) < 1e15)
		return arena_printf(mem, "%.0f", v);
	return arena_printf(mem, "%.4g", v);
}

const char *metric_heading(struct arena *mem, const char *metric)
{
	const char *unit = metric_unit(metric), *title = metric_title(metric);

	if (!*unit || !strcmp(unit, "yes/no") || strcasestr(title, unit)) /* "Parameter ratio" needs no ", ratio" */
		return title;
	return arena_printf(mem, "%s, %s", title, unit);
}

/* Where the number comes from, for those who point at it. */
static const char *summary_note(struct arena *mem, const char *metric, const struct summary *s)
{
	const char *trials = s->trials ? arena_printf(mem, "%ld of %ld; ", s->k, s->trials) : "";

	if (s->n == 1)
		return arena_printf(mem, "%s1 seed, exact 95 %% interval", trials);
	if (s->drawn)
		return arena_printf(mem, "%s%d seeds, 95 %% interval of the two-level bootstrap over seeds and images; smallest %s, largest %s",
				    trials, s->n, value_text(mem, metric, s->min), value_text(mem, metric, s->max));
	if (s->pooled)
		return arena_printf(mem, "%s%d seeds, nearly alike: not narrower than the exact 95 %% interval over all trials, each image once", trials, s->n);
	return arena_printf(mem, "%s%d seeds, 95 %% t-interval; smallest %s, largest %s", trials, s->n,
			    value_text(mem, metric, s->min), value_text(mem, metric, s->max));
}

struct tcell summary_cell(struct arena *mem, const char *metric, const struct summary *s)
{
	struct tcell c = { .number = true };
	bool yes_no = !strcmp(metric_unit(metric), "yes/no");

	if (s->n < s->of) {
		c.text = arena_printf(mem, "%d/%d seeds", s->n, s->of);
		c.note = "seeds are missing: no mean is shown";
		return c;
	}
	c.text = value_text(mem, metric, s->mean);
	if (s->trials && !strcmp(metric_unit(metric), "functions"))
		c.text = arena_printf(mem, "%s of %s", c.text, value_text(mem, metric, (double)s->trials / s->n));
	if (yes_no && s->min != s->max)
		c.text = arena_printf(mem, "%.0f of %d yes", s->mean * s->n, s->n);
	else if (!yes_no && s->low < s->high)
		c.range = arena_printf(mem, "%s to %s", value_text(mem, metric, s->low), value_text(mem, metric, s->high));
	c.note = summary_note(mem, metric, s);
	return c;
}

struct tcell metric_cell(struct rows *r, const struct group *g, const char *metric)
{
	struct summary s;
	const char *why;

	if (!g)
		return (struct tcell){ 0 };
	if (group_summary(g, metric, &s)) {
		struct tcell c;
		const char *missing = evidence_missing(&r->mem, g, metric);

		if (!missing)
			group_bootstrap(r, g, metric, &s);
		c = summary_cell(&r->mem, metric, &s);
		if (missing && s.n == s.of) /* what was seen, but no number */
			return (struct tcell){ .tag = "INSUFFICIENT", .number = true, .note = missing,
					       .range = s.trials ? arena_printf(&r->mem, "%ld/%ld", s.k, s.trials) : missing };
		return c;
	}
	if (g->nfailures)
		return (struct tcell){ .text = arena_printf(&r->mem, "0/%d seeds", g->nfailures + g->ncells), .number = true };
	group_verdict(r, g, 0, &why);
	return (struct tcell){ .text = "n/a", .note = *why ? why : NULL, .number = true };
}

const char *interval_caption(struct rows *r, int context)
{
	const struct context *c = &r->context[context];

	if (c->nseeds == 1)
		return arena_printf(&r->mem, "1 seed (%s); below each number its exact 95 %% interval over trials.", c->seeds);
	return arena_printf(&r->mem, "Seeds %s: mean, and below it the 95 %% interval: of accuracies the two-level bootstrap's over seeds and images (three seeds or more), else "
			    "Student's over seeds; a number from a single seed has "
			    "the exact interval over its trials.", c->seeds);
}

/* ---- functional metrics ---- */

const char *scheme_heading(struct rows *r, const struct scheme_row *s)
{
	return s->control ? arena_printf(&r->mem, "%s [control]", s->label) : s->label;
}

static int count(const char *const *list)
{
	int n = 0;

	while (list[n])
		n++;
	return n;
}

struct table table_functional(struct rows *r, int context)
{
	const struct context *c = &r->context[context];
	const char **metric = rows_metrics(r, context, -1);
	struct table t = table_new(&r->mem, "Protected models", interval_caption(r, context), count(metric) + 3, c->nschemes + 1);

	put(&t, 0, 0, "Metric");
	put(&t, 1, 0, "Verdict");
	put(&t, 2, 0, "Seeds");
	for (int i = 0; metric[i]; i++) {
		put(&t, i + 3, 0, metric_heading(&r->mem, metric[i]));
		if (metric_named(metric[i]))
			table_at(&t, i + 3, 0)->note = metric_named(metric[i])->drv.summary;
	}
	for (int s = 0; s < c->nschemes; s++) {
		const struct group *g = rows_group(r, context, s, -1, 0);

		put(&t, 0, s + 1, scheme_heading(r, &c->scheme[s]));
		table_at(&t, 0, s + 1)->number = true;
		if (!g)
			continue;
		*table_at(&t, 1, s + 1) = (struct tcell){ .tag = group_verdicts(r, g), .number = true };
		*table_at(&t, 2, s + 1) = (struct tcell){ .text = arena_printf(&r->mem, "%d", g->ncells), .number = true };
		if (g->nfailures)
			put(&t, 2, s + 1, arena_printf(&r->mem, "%d/%d", g->ncells, g->ncells + g->nfailures));
		for (int i = 0; metric[i]; i++)
			*table_at(&t, i + 3, s + 1) = metric_cell(r, g, metric[i]);
	}
	return t;
}

/* ---- attacks ---- */

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
	int n = 0, most = count(all);

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

	put(&t, 0, 0, "Attack");
	put(&t, 0, 1, "Judged by");
	for (int s = 0; s < c->nschemes; s++) {
		put(&t, 0, s + 2, scheme_heading(r, &c->scheme[s]));
		table_at(&t, 0, s + 2)->number = true;
	}
	for (int a = 0; a < c->nseries; a++) {
		const char **metric = attack_metrics(r, context, a);

		put(&t, a + 1, 0, c->series[a].label);
		table_at(&t, a + 1, 0)->range = *c->series[a].goal ? arena_printf(&r->mem, "goal: %s", c->series[a].goal) : NULL;
		put(&t, a + 1, 1, *metric ? metric_title(*metric) : "");
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
		room += count(attack_metrics(r, context, a));
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

	seen = arena_new(&r->mem, (size_t)count(rows_metrics(r, context, -2)) + 1, const char *);
	for (int a = first; a <= last; a++) {
		const char **all = rows_metrics(r, context, a);

		for (int i = 0; all[i]; i++) {
			if (listed(shown, count(shown), all[i]) || listed(seen, n, all[i]))
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
	t = table_new(&r->mem, a->attack, caption, rows, first + 2 + count(metric));
	if (variant)
		put(&t, 0, 0, "Variant");
	put(&t, 0, variant, "Scheme");
	if (a->strength)
		*table_at(&t, 0, first - 1) = (struct tcell){ .text = a->strength, .number = true };
	put(&t, 0, first, "Verdict");
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
			put(&t, row, 0, variant_text(r, &c->series[g->series]));
		put(&t, row, variant, c->scheme[g->scheme].label);
		if (a->strength)
			*table_at(&t, row, first - 1) = (struct tcell){ .text = strength_text(r, g), .number = true };
		table_at(&t, row, first)->tag = group_verdicts(r, g);
		*table_at(&t, row, first + 1) = (struct tcell){ .text = arena_printf(&r->mem, "%d", g->ncells), .number = true };
		if (g->nfailures)
			put(&t, row, first + 1, arena_printf(&r->mem, "%d/%d", g->ncells, g->ncells + g->nfailures));
		for (int m = 0; metric[m]; m++)
			*table_at(&t, row, first + 2 + m) = metric_cell(r, g, metric[m]);
		row++;
	}
	return t;
}

/* ---- overhead ---- */

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
				   count(name) + 1, c->nschemes + 1);

	put(&t, 0, 0, "Measure");
	for (int i = 0; name[i]; i++)
		put(&t, i + 1, 0, timing_title(&r->mem, name[i]));
	for (int s = 0; s < c->nschemes; s++) {
		const struct group *g = rows_group(r, context, s, -1, 0);

		put(&t, 0, s + 1, scheme_heading(r, &c->scheme[s]));
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

/* ---- users ---- */

struct user_count *count_users(const struct group *g, int *users)
{
	struct user_count *u = NULL;

	*users = 0;
	for (int i = 0; g && i < g->ncells; i++) {
		int have = (int)cell_number(g->cell[i], "users", (double)jget_int(g->cell[i], "users", 0));
		size_t n = 0, each;
		unsigned char *bits = cell_bits(g->cell[i], "genuine_accepted", &n);

		if (bits && have > 0 && n % (size_t)have == 0 && (!u || have == *users)) {
			each = n / (size_t)have;
			*users = have;
			u = u ? u : xcalloc((size_t)have, sizeof(*u));
			for (size_t k = 0; k < n; k++) {
				u[k / each].k += bits[k];
				u[k / each].n++;
			}
		}
		free(bits);
	}
	return u;
}

struct table table_users(struct rows *r, const struct group *g, const char **worst)
{
	const struct scheme_row *s = &r->context[g->context].scheme[g->scheme];
	int users, cols, rows, least = 0;
	struct user_count *u = count_users(g, &users);
	const json_t *level, *class;
	struct table t = { 0 };
	double low, high;

	if (!u)
		return t;
	/* A scheme whose users are class x confidence says so with the list option `confidences` (and `classes`, when not all). */
	level = json_object_get(s->options, "confidences");
	if (!json_array_size(level) || users % (int)json_array_size(level))
		level = NULL;
	rows = level ? (int)json_array_size(level) : (users + 9) / 10;
	cols = level ? users / rows : users < 10 ? users : 10;
	class = json_object_get(s->options, "classes");
	if ((int)json_array_size(class) != cols)
		class = NULL;
	t = table_new(&r->mem, s->label, NULL, rows + 1, cols + 1);
	put(&t, 0, 0, level ? "confidence \\ class" : "user");
	for (int c = 0; c < cols; c++) {
		const char *name = arena_printf(&r->mem, level ? "%d" : "+%d", c);

		*table_at(&t, 0, c + 1) = (struct tcell){ .text = class ? option_text(&r->mem, json_array_get(class, (size_t)c)) : name,
							  .number = true };
	}
	for (int i = 0; i < rows; i++)
		put(&t, i + 1, 0, level ? option_text(&r->mem, json_array_get(level, (size_t)i)) : arena_printf(&r->mem, "%d", i * cols));
	for (int i = 0; i < users; i++) {
		/* ActiveGuard numbers user = class * T + j; others just count. */
		int row = level ? i % rows : i / cols, col = level ? i / rows : i % cols;
		struct tcell *c = table_at(&t, row + 1, col + 1);

		clopper_pearson(u[i].k, u[i].n, CONFIDENCE, &low, &high);
		c->number = true;
		c->text = arena_printf(&r->mem, "%.4g", 100.0 * (double)u[i].k / (double)u[i].n);
		c->note = arena_printf(&r->mem, "user %d: %ld of %ld, exact 95 %% interval %.2f to %.2f", i, u[i].k, u[i].n, 100 * low,
				       100 * high);
		if (u[i].k * u[least].n < u[least].k * u[i].n)
			least = i;
	}
	clopper_pearson(u[least].k, u[least].n, CONFIDENCE, &low, &high);
	*worst = arena_printf(&r->mem, "Worst user: %d, with %ld of %ld credentials accepted (%.2f\u00a0%%, exact 95\u00a0%% interval %.2f to %.2f).",
			      least, u[least].k, u[least].n, 100.0 * (double)u[least].k / (double)u[least].n, 100 * low, 100 * high);
	t.caption = arena_printf(&r->mem, "%% of %ld credentials accepted, for each of %d users%s. %s", u[0].n, users,
				 g->ncells > 1 ? arena_printf(&r->mem, ", over %d seeds", g->ncells) : "", *worst);
	free(u);
	return t;
}

/* ---- what did not work ---- */

static struct table reasons(struct rows *r, const char *title, bool inapplicable)
{
	static const char *const heading[] = { "Data and model", "Scheme", "Attack", "Seed", "Verdict", "Why" };
	int most = 1, n = 1;
	struct table t;

	for (int i = 0; i < r->ngroups; i++)
		most += r->group[i].ncells + r->group[i].nfailures;
	t = table_new(&r->mem, title, NULL, most, ARRAY_LEN(heading));
	head(&t, heading);
	for (int i = 0; i < r->ngroups; i++) {
		const struct group *g = &r->group[i];
		const struct context *c = &r->context[g->context];

		for (int k = 0; k < g->ncells + g->nfailures; k++) {
			const json_t *j = k < g->ncells ? g->cell[k] : json_object_get(g->failure[k - g->ncells], "point");
			const char *why, *v = group_verdict(r, g, k, &why);
			bool na = !strcmp(v, "N/A");

			if (!strcmp(v, "OK") || (inapplicable ? !na : na))
				continue;
			put(&t, n, 0, c->label);
			put(&t, n, 1, c->scheme[g->scheme].label);
			put(&t, n, 2, g->series < 0 ? "none" : c->series[g->series].label);
			if (g->series >= 0 && g->has_strength)
				put(&t, n, 2, arena_printf(&r->mem, "%s, %s %s", c->series[g->series].label,
							   c->series[g->series].strength, strength_text(r, g)));
			put(&t, n, 3, arena_printf(&r->mem, "%lld", jget_int(j, "seed", 0)));
			table_at(&t, n, 4)->tag = v;
			put(&t, n++, 5, why);
		}
	}
	t.rows = n;
	return t;
}

struct table table_failures(struct rows *r)
{
	return reasons(r, "Failed, broken or without effect", false);
}

struct table table_inapplicable(struct rows *r)
{
	return reasons(r, "Not applicable", true);
}

/* ---- provenance ---- */

static const char *recipe_text(struct rows *r, const json_t *recipe)
{
	char *sorted = json_is_object(recipe) ? json_compact(recipe) : NULL;
	json_t *j = sorted ? json_read_text(sorted, strlen(sorted), "recipe") : NULL, *value;
	const char *name, *text = "";

	json_object_foreach(j, name, value)
		text = arena_printf(&r->mem, "%s%s%s=%s", text, *text ? " " : "", name, arena_printf(&r->mem, "%s", option_text(&r->mem, value)));
	json_decref(j);
	free(sorted);
	return text;
}

static const char *limit_text(struct rows *r, long limit)
{
	return limit ? arena_printf(&r->mem, "%ld", limit) : "all";
}

const char *table_standing(struct rows *r, int context)
{
	const struct context *c = &r->context[context];

	return arena_printf(&r->mem, "Tier %s, seed%s %s, %s training and %s test images, engine %lld.", c->tier, c->nseeds == 1 ? "" : "s",
			    c->seeds, limit_text(r, c->limit_train), limit_text(r, c->limit_test), jget_int(c->sample, "engine", 0));
}

struct table table_provenance(struct rows *r, const struct report_input *in)
{
	struct table t = table_new(&r->mem, "Provenance", NULL, 5 + 8 * r->ncontexts, 2);
	int n = 0;

	put(&t, n, 0, "What");
	put(&t, n++, 1, "Value");
	put(&t, n, 0, "Store");
	put(&t, n++, 1, in->store_hash && *in->store_hash ? in->store_hash : "not known");
	put(&t, n, 0, "Made by");
	put(&t, n++, 1, in->command && *in->command ? in->command : "not known");
	put(&t, n, 0, "Cells");
	put(&t, n++, 1, arena_printf(&r->mem, "%d done, %d failed", r->ncells, r->nfailures));
	for (int i = 0; i < r->ncontexts; i++) {
		const struct context *c = &r->context[i];
		const json_t *s = c->sample;

		put(&t, n, 0, "Data and model");
		put(&t, n++, 1, c->label);
		put(&t, n, 0, "  data hash");
		put(&t, n++, 1, c->dataset_hash);
		put(&t, n, 0, "  images");
		put(&t, n++, 1, arena_printf(&r->mem, "training: %s, test: %s", limit_text(r, c->limit_train), limit_text(r, c->limit_test)));
		put(&t, n, 0, "  tier, seeds");
		put(&t, n++, 1, arena_printf(&r->mem, "%s; %s", c->tier, c->seeds));
		put(&t, n, 0, "  recipe");
		put(&t, n++, 1, recipe_text(r, json_object_get(s, "recipe")));
		put(&t, n, 0, "  program");
		put(&t, n++, 1, arena_printf(&r->mem, "lockbench %s, engine %lld, kernel %s", jget_str(s, "lockbench", "?"),
					     jget_int(s, "engine", 0), jget_str(s, "kernel", "?")));
	}
	t.rows = n;
	return t;
}

static const char *options_text(struct rows *r, const json_t *options)
{
	return recipe_text(r, options);
}

struct table table_cells(struct rows *r)
{
	static const char *const heading[] = { "Cell", "Data and model", "Seed", "Scheme", "Attack", "Verdict" };
	struct table t = table_new(&r->mem, "Every cell", "The file of a cell is cells/<first two>/<key>.json in the store; it holds the raw outcome of "
				   "every trial and all options.", r->ncells + 1, ARRAY_LEN(heading));
	int n = 1;

	head(&t, heading);
	for (int i = 0; i < r->ngroups; i++) {
		const struct group *g = &r->group[i];
		const struct context *c = &r->context[g->context];

		for (int k = 0; k < g->ncells; k++, n++) {
			const json_t *j = g->cell[k];
			const char *why;

			put(&t, n, 0, arena_printf(&r->mem, "%.12s", jget_str(j, "key", "?")));
			table_at(&t, n, 0)->note = jget_str(j, "key", "?");
			put(&t, n, 1, c->label);
			put(&t, n, 2, arena_printf(&r->mem, "%lld", jget_int(j, "seed", 0)));
			put(&t, n, 3, c->scheme[g->scheme].name);
			table_at(&t, n, 3)->range = options_text(r, json_object_get(j, "scheme_options"));
			put(&t, n, 4, g->series < 0 ? "none" : c->series[g->series].attack);
			table_at(&t, n, 4)->range = g->series < 0 ? NULL : options_text(r, json_object_get(j, "attack_options"));
			table_at(&t, n, 5)->tag = group_verdict(r, g, k, &why);
		}
	}
	return t;
}

struct table table_definitions(struct rows *r)
{
	static const char *const heading[] = { "Metric", "What it is", "Unit", "For the defender", "Kind", "Minimum evidence", "Survey" };
	int most = 1, n = 1;
	struct table t;

	while (metrics[most - 1])
		most++;
	t = table_new(&r->mem, "What the metrics mean", NULL, most, ARRAY_LEN(heading));
	head(&t, heading);
	for (int i = 0; metrics[i]; i++) {
		const struct metric *m = (const struct metric *)metrics[i];
		struct summary s;
		bool used = false;

		for (int k = 0; k < r->ngroups && !used; k++)
			used = group_summary(&r->group[k], m->drv.name, &s);
		for (int c = 0; c < r->ncontexts && m->from == FROM_STUDY; c++)
			used |= r->context[c].nseries > 0;
		if (!used)
			continue;
		put(&t, n, 0, m->title);
		table_at(&t, n, 0)->range = m->drv.name;
		put(&t, n, 1, m->drv.summary);
		put(&t, n, 2, m->unit);
		put(&t, n, 3, m->better > 0 ? "larger is better" : m->better < 0 ? "smaller is better" : "neither");
		put(&t, n, 4, m->kind == METRIC_CHECKED ? "declared and checked" : "measured");
		put(&t, n, 5, m->least ? arena_printf(&r->mem, "%ld %s", m->least, m->least_of) : "any");
		put(&t, n++, 6, m->survey);
	}
	t.rows = n;
	return t;
}

const char *limits_warning(struct rows *r)
{
	const char *text = NULL;

	for (int i = 0; i < r->ncontexts; i++) {
		const struct context *c = &r->context[i];

		if (!c->limit_train && !c->limit_test)
			continue;
		text = arena_printf(&r->mem, "%s%s%s: %s training and %s test images", text ? text : "", text ? "; " : "", c->label,
				    limit_text(r, c->limit_train), limit_text(r, c->limit_test));
	}
	if (!text)
		return NULL;
	return arena_printf(&r->mem, "Partial data: %s. These numbers show that everything works; they do not compare with published ones.", text);
}
