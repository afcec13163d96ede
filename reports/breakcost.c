/* See breakcost.h. */
#include "reports/breakcost.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "reports/plot.h"

#define LOCKED_POINTS 10.0 /* as in outcome.c: less between users and others is no lock */

/* ---- attempts ---- */

static const char *const levels[] = { "black", "grey", "white" };

static int level_of_cell(const json_t *cell)
{
	const char *name = jget_str(cell, "level", "white");

	for (int i = 0; i < 3; i++)
		if (!strcmp(name, levels[i]))
			return i;
	return 2;
}

/* The metric in the cell, or in the functional one of its seed. */
static bool without_attack(struct rows *r, const struct group *g, const json_t *cell, const char *metric, double *v)
{
	return cell_metric(cell, metric, v) ||
	       cell_metric(group_cell(rows_group(r, g->context, g->scheme, -1, 0), jget_int(cell, "seed", 0)), metric, v);
}

/* What the attacker can use afterwards, in percent. */
static bool usable(const json_t *cell, double *v)
{
	return cell_metric(cell, "attacked_heldout_accuracy", v) || cell_metric(cell, "attacked_accuracy", v) ||
	       (!cell_metric(cell, "channel_authorised_accuracy", v) && cell_metric(cell, "channel_unauthorised_accuracy", v));
}

static void set_spent(const json_t *cell, struct attempt *a)
{
	const json_t *ledger = json_object_get(cell, "ledger");

	a->spent[AXIS_QUERIES] = jget_num(ledger, "queries", 0);
	a->spent[AXIS_LABELS] = jget_num(ledger, "labels", 0);
	a->spent[AXIS_FORWARDS] = jget_num(ledger, "forward_equivalents", 0);
}

/* What users and others get in a seed of the scheme; false: the scheme locks nothing there. */
static bool locked_by(struct rows *r, const struct group *of, const json_t *cell, struct attempt *a)
{
	const double classes = cell_number(cell, "classes", 0);
	double locked;

	if (!without_attack(r, of, cell, "authorised_accuracy", &a->authorised) || !without_attack(r, of, cell, "unauthorised_accuracy", &locked))
		return false;
	a->base = fmax(locked, classes > 0 ? 100 / classes : 0);
	return a->authorised - a->base >= LOCKED_POINTS;
}

static bool attempt_of(struct rows *r, const struct group *g, int i, int scheme, struct attempt *a)
{
	const bool scratch = !strcmp(r->context[g->context].series[g->series].attack, "scratch");
	const struct group *of = rows_group(r, g->context, scheme, -1, 0);
	const char *why, *verdict = group_verdict(r, g, i, &why);
	const json_t *cell = g->cell[i], *own = scratch ? group_cell(of, jget_int(cell, "seed", 0)) : cell;

	*a = (struct attempt){ .seed = jget_int(cell, "seed", 0), .scratch = scratch, .level = level_of_cell(cell) };
	set_spent(cell, a);
	return (!strcmp(verdict, "OK") || !strcmp(verdict, "NOOP")) && of && own && usable(cell, &a->accuracy) &&
	       locked_by(r, scratch ? of : g, own, a);
}

struct attempt *breakcost_attempts(struct rows *r, int context, int scheme, int **series, int *n)
{
	struct attempt *a = xmalloc((size_t)r->ncells + 1, sizeof(*a));
	int *which = xmalloc((size_t)r->ncells + 1, sizeof(*which));

	*n = 0;
	for (int k = 0; k < r->nall; k++) {
		const struct group *g = &r->group[k];

		if (g->context != context || g->series < 0)
			continue;
		if (g->scheme != scheme && strcmp(r->context[context].series[g->series].attack, "scratch") != 0)
			continue;
		for (int i = 0; i < g->ncells; i++)
			if (attempt_of(r, g, i, scheme, &a[*n]))
				which[(*n)++] = g->series;
	}
	if (series)
		*series = which;
	else
		free(which);
	return a;
}

/* ---- the table ---- */

static const char *amount(struct rows *r, double v)
{
	return v < 1e5 ? arena_printf(&r->mem, "%.0f", v) : arena_printf(&r->mem, "%.2g", v);
}

static struct tcell reach_cell(struct rows *r, const struct reach *x)
{
	return (struct tcell){ .text = x->known ? amount(r, x->median) : arena_printf(&r->mem, "> %s", amount(r, x->tried)), .number = true,
			       .range = x->known && x->reached == x->seeds ? NULL : arena_printf(&r->mem, "%d of %d seeds", x->reached, x->seeds) };
}

static struct tcell score(struct rows *r, bool known, double v)
{
	return (struct tcell){ .text = known ? arena_printf(&r->mem, "%.2f", v) : "", .number = true };
}

/* The attack variant that recovers most at this level, of the cheapest where several do. */
static const char *best_attack(struct rows *r, int context, const struct attempt *a, const int *series, int n, enum axis axis, int level)
{
	int best = -1;

	for (int i = 0; i < n; i++) {
		if (a[i].scratch || a[i].level > level)
			continue;
		if (best < 0 || recovery_of(&a[i]) > recovery_of(&a[best]) ||
		    (recovery_of(&a[i]) == recovery_of(&a[best]) && a[i].spent[axis] < a[best].spent[axis]))
			best = i;
	}
	return best < 0 ? "" : r->context[context].series[series[best]].label;
}

static void breaking_row(struct rows *r, const struct table *t, int row, const char *scheme, int level, enum axis axis, const struct breaking *b,
			 const char *attack)
{
	const char *text[] = { scheme, levels[level], axis_names[axis] };

	for (int i = 0; i < 3; i++)
		table_at(t, row, i)->text = text[i];
	*table_at(t, row, 3) = reach_cell(r, &b->half);
	*table_at(t, row, 4) = reach_cell(r, &b->practical);
	*table_at(t, row, 5) = reach_cell(r, &b->full);
	*table_at(t, row, 6) = score(r, true, 1 - b->area);
	*table_at(t, row, 7) = score(r, b->has_net, 1 - b->area_net);
	*table_at(t, row, 8) = score(r, b->has_margin, b->margin);
	table_at(t, row, 9)->text = arena_printf(&r->mem, "%s to %s", amount(r, b->low), amount(r, b->high));
	table_at(t, row, 10)->text = attack;
	table_at(t, row, 11)->text = arena_printf(&r->mem, "%d", b->points);
}

static int breaking_rows(struct rows *r, const struct table *t, int row, int context, int scheme)
{
	int n, *series;
	struct attempt *a = breakcost_attempts(r, context, scheme, &series, &n);
	struct breaking b;

	for (int level = 0; level < 3; level++)
		for (int axis = 0; axis < AXES; axis++)
			if (breaking_of(a, n, (enum axis)axis, level, &b))
				breaking_row(r, t, row++, r->context[context].scheme[scheme].label, level, (enum axis)axis, &b,
					     best_attack(r, context, a, series, n, (enum axis)axis, level));
	free(a);
	free(series);
	return row;
}

struct table table_breaking(struct rows *r, int context)
{
	static const char *const heading[] = { "Scheme", "Access", "Budget in", "Half", "Practical", "Full", "RS", "RS net", "Margin, bits", "Tried", "Best attack",
					       "Attempts" };
	struct table t = table_new(&r->mem, "Cost to break by access level", "Running best over all attacks that need no more than the level, by one kind of "
				   "budget whatever they spent of the others (nothing counts as 1). Half, Practical, Full: the smallest budget that recovers half of what "
				   "users have beyond others, comes within 5 and within 2 points of them: median over seeds (Kaplan-Meier), \"> b\" where most seeds "
				   "never did. An attack that is no better than training from scratch on as many labels took nothing and reaches nothing. RS: 1 - mean "
				   "recovery over log budget in the range tried; net: of what exceeds training from scratch. Margin: log2 of Practical over what "
				   "training from scratch needs for the same; 0 or less: the lock is worth nothing.",
				   9 * r->context[context].nschemes + 1, ARRAY_LEN(heading));
	int row = 1;

	t.name = "breaking";
	for (int i = 0; i < t.cols; i++)
		*table_at(&t, 0, i) = (struct tcell){ .text = heading[i], .number = i >= 3 && i <= 8 };
	for (int s = 0; s < r->context[context].nschemes; s++)
		row = breaking_rows(r, &t, row, context, s);
	t.rows = row;
	return t;
}

/* ---- the figure ---- */

/* Points of a curve from low to high, its last height to the end. */
static struct plot_line line_of(struct arena *mem, const struct curve *c, double high, const char *title, int style)
{
	double *x = arena_new(mem, (size_t)c->n + 1, double), *y = arena_new(mem, (size_t)c->n + 1, double);
	int n = c->n;

	for (int i = 0; i < n; i++) {
		x[i] = c->b[i];
		y[i] = 100 * c->r[i];
	}
	if (x[n - 1] < high) {
		x[n] = high;
		y[n] = y[n - 1];
		n++;
	}
	return (struct plot_line){ .title = title, .n = n, .x = x, .y = y, .style = style };
}

char *figure_breaking(struct rows *r, int context, enum axis axis, const char *id)
{
	const struct context *x = &r->context[context];
	struct plot_line *line = arena_new(&r->mem, (size_t)x->nschemes + 1, struct plot_line);
	struct plot p = { .kind = PLOT_CURVES, .line = line, .log_x = true, .fixed_y = true, .yhigh = 100, .ylabel = "Recovered, %" };
	struct attempt *a;
	struct breaking b;
	struct curve c;
	double widest = 1;
	bool scratch = false;
	int n;

	for (int s = x->nschemes - 1; s >= 0; s--) {
		a = breakcost_attempts(r, context, s, NULL, &n);
		if (breaking_of(a, n, axis, 2, &b) && b.low < b.high && breaking_curve(a, n, axis, 2, false, true, 0, &c)) {
			line[p.nlines++] = line_of(&r->mem, &c, b.high, x->scheme[s].label, s);
			widest = fmax(widest, b.high / b.low);
			curve_free(&c);
			if (!scratch && breaking_curve(a, n, axis, 2, true, true, 0, &c)) {
				line[p.nlines++] = line_of(&r->mem, &c, b.high, "from scratch", x->nschemes);
				scratch = true;
				curve_free(&c);
			}
		}
		free(a);
	}
	p.title = arena_printf(&r->mem, "Recovered by the best attack so far, by %s", axis_names[axis]);
	p.xlabel = arena_printf(&r->mem, "%s", axis == AXIS_FORWARDS ? "forward equivalents" : axis_names[axis]);
	return p.nlines && widest > 1 ? plot_svg(&p, id) : NULL;
}
