/* What a table is, and numbers as its cells. See tables.h; the tables themselves are in tables_*.c, survey.c and summary.c. */
#include "reports/tables.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "reports/evidence.h"

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

void table_put(const struct table *t, int row, int col, const char *text)
{
	table_at(t, row, col)->text = text;
}

/* Rows are counted first and filled later: cut what was not needed. */
void table_headings(const struct table *t, const char *const *name)
{
	for (int i = 0; i < t->cols; i++)
		table_put(t, 0, i, name[i]);
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

const char *scheme_heading(struct rows *r, const struct scheme_row *s)
{
	return s->control ? arena_printf(&r->mem, "%s [control]", s->label) : s->label;
}

int names_count(const char *const *list)
{
	int n = 0;

	while (list[n])
		n++;
	return n;
}
