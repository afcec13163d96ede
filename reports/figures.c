/* Figures from groups. See figures.h. */
#include "reports/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "metrics/stat/roc.h"
#include "reports/outcome.h"
#include "reports/plot.h"
#include "reports/tables.h"

/* ---- curves over strength ---- */

static int add_points(struct rows *r, int context, int scheme, int series, const char *metric, double *at[4])
{
	const struct group *g;
	int n = 0;

	for (int i = 0; (g = rows_group(r, context, scheme, series, i)); i++) {
		struct summary s;

		if (!g->has_strength || !group_summary(g, metric, &s) || s.n < s.of)
			continue;
		at[0][n] = g->strength;
		at[1][n] = s.mean;
		at[2][n] = s.low;
		at[3][n++] = s.high;
	}
	return n;
}

static void set_axes(struct plot *p, const char *metric)
{
	const struct metric *m = metric_named(metric);
	double least = INFINITY, most = 0;

	if (m && m->min < m->max && isfinite(m->min) && isfinite(m->max) && (!strcmp(m->unit, "%") || !strcmp(m->unit, "yes/no"))) {
		p->fixed_y = true;
		p->ylow = m->min - 0.04 * (m->max - m->min);
		p->yhigh = m->max + 0.04 * (m->max - m->min);
	}
	p->yes_no = p->fixed_y && !strcmp(m->unit, "yes/no");
	for (int l = 0; l < p->nlines; l++)
		for (int i = 0; i < p->line[l].n; i++) {
			least = fmin(least, p->line[l].x[i]);
			most = fmax(most, p->line[l].x[i]);
		}
	p->log_x = least > 0 && most / least >= 50;
}

char *figure_curve(struct rows *r, int context, int series, const char *metric, const char *id)
{
	const struct context *c = &r->context[context];
	const struct series *a = &c->series[series];
	struct plot_line *line = xcalloc((size_t)c->nschemes + 1, sizeof(*line));
	struct plot p = { .kind = PLOT_CURVES, .line = line, .xlabel = a->strength ? a->strength : "" };
	size_t room = (size_t)r->ngroups + 1;
	double *values = xcalloc(4 * room * ((size_t)c->nschemes + 1), sizeof(*values)), *v = values;
	int most = 0;
	char *svg = NULL;

	for (int s = 0; s < c->nschemes; s++, v += 4 * room) {
		double *at[4] = { v, v + room, v + 2 * room, v + 3 * room };
		int n = add_points(r, context, s, series, metric, at);

		if (!n)
			continue;
		line[p.nlines++] = (struct plot_line){ c->scheme[s].label, n, at[0], at[1], at[2], at[3], s };
		most = n > most ? n : most;
	}
	p.title = arena_printf(&r->mem, "%s under %s, by %s", metric_title(metric), a->label, p.xlabel);
	p.ylabel = metric_heading(&r->mem, metric);
	set_axes(&p, metric);
	if (most >= 2)
		svg = plot_svg(&p, id);
	free(values);
	free(line);
	return svg;
}

/* ---- confidences ---- */

#define HISTOGRAMS 8 /* lines that one plot can tell apart */

struct histogram {
	const char *title;
	double *share; /* (n) percent of the images */
	double total;
	size_t n;
};

static void add_histogram(struct histogram *h, int *count, const struct group *g, const char *series, const char *title)
{
	size_t n;
	double *v = *count < HISTOGRAMS && g ? group_series(g, series, &n) : NULL, total = 0;

	if (!v)
		return;
	for (size_t i = 0; i < n; i++)
		total += v[i];
	for (size_t i = 0; i < n && total > 0; i++)
		v[i] *= 100 / total;
	h[(*count)++] = (struct histogram){ title, v, total, n };
}

static int histograms(struct rows *r, int context, int scheme, struct histogram *h)
{
	const struct context *c = &r->context[context];
	const struct group *g, *functional = rows_group(r, context, scheme, -1, 0);
	int n = 0;

	add_histogram(h, &n, functional, "confidence_histogram_clean", "clean test images");
	if (!n)
		add_histogram(h, &n, functional, "confidence_histogram", "clean test images");
	for (int a = 0; a < c->nseries; a++) {
		g = rows_group(r, context, scheme, a, 0);
		if (!n)
			add_histogram(h, &n, g, "confidence_histogram_clean", "clean test images");
		add_histogram(h, &n, g, "confidence_histogram", arena_printf(&r->mem, "submitted by %s", c->series[a].label));
	}
	return n;
}

int figure_has_confidence(struct rows *r, int context, int scheme)
{
	struct histogram h[HISTOGRAMS];
	int n = histograms(r, context, scheme, h);

	for (int i = 0; i < n; i++)
		free(h[i].share);
	return n > 0;
}

char *figure_confidence(struct rows *r, int context, int scheme, const char *id)
{
	struct plot_line line[HISTOGRAMS];
	struct histogram h[HISTOGRAMS];
	struct plot p = { .kind = PLOT_STEPS, .line = line, .xlabel = "top confidence", .ylabel = "share of images, %", .log_y = true };
	double floor_share = 100, *x[HISTOGRAMS], *y[HISTOGRAMS];
	char *svg;

	p.nlines = histograms(r, context, scheme, h);
	if (!p.nlines)
		return NULL;
	for (int i = 0; i < p.nlines; i++)
		if (h[i].total > 0)
			floor_share = fmin(floor_share, 50 / h[i].total);
	for (int i = 0; i < p.nlines; i++) {
		x[i] = xcalloc(h[i].n + 1, sizeof(double));
		y[i] = xcalloc(h[i].n + 1, sizeof(double));
		/* Empty bins lie on the floor: half an image. `steps` draws to the next x first, so bin k ends at its right edge. */
		for (size_t k = 0; k <= h[i].n; k++) {
			x[i][k] = (double)k / (double)h[i].n;
			y[i][k] = fmax(k < h[i].n ? h[i].share[k] : h[i].share[k - 1], floor_share);
		}
		line[i] = (struct plot_line){ h[i].title, (int)h[i].n + 1, x[i], y[i], NULL, NULL, i };
	}
	p.fixed_y = true;
	p.ylow = floor_share;
	p.yhigh = 130;
	p.title = arena_printf(&r->mem, "Top confidences, %s", r->context[context].scheme[scheme].label);
	svg = plot_svg(&p, id);
	for (int i = 0; i < p.nlines; i++) {
		free(x[i]);
		free(y[i]);
		free(h[i].share);
	}
	return svg;
}

/* ---- detectors ---- */

/* Scores of all cells of a group, one after another; caller frees. */
static double *pool(const struct group *g, const char *series, int *n)
{
	double *all = NULL, *v;
	size_t k;

	*n = 0;
	for (int i = 0; i < g->ncells; i++) {
		v = cell_series(g->cell[i], series, &k);
		if (!v)
			continue;
		all = xrealloc(all, (size_t)*n + k, sizeof(*all));
		for (size_t j = 0; j < k; j++)
			if (isfinite(v[j]))
				all[(*n)++] = v[j];
		free(v);
	}
	return all;
}

/* Points within the axes; x, y fresh (caller frees). */
static int det_points(const struct group *g, double **x, double **y)
{
	const bool users = g->series < 0;
	int m, k, n = 0;
	double *found = pool(g, users ? "genuine_scores" : "detector_genuine", &m);
	double *clean = pool(g, users ? "zero_effort_scores" : "detector_clean", &k);
	struct roc roc = { 0 };

	if (m && k)
		roc_of(found, m, clean, k, &roc);
	*x = xcalloc((size_t)roc.n + 1, sizeof(double));
	*y = xcalloc((size_t)roc.n + 1, sizeof(double));
	for (int i = 0; i < roc.n; i++)
		n += roc_det(&roc.p[i], &(*x)[n], &(*y)[n]);
	roc_free(&roc);
	free(found);
	free(clean);
	return n;
}

char *figure_det(struct rows *r, int context, int series, const char *id)
{
	const struct context *c = &r->context[context];
	struct plot_line *line = xcalloc((size_t)c->nschemes + 1, sizeof(*line));
	double **xy = xcalloc(2 * (size_t)c->nschemes + 1, sizeof(*xy));
	struct plot p = { .kind = PLOT_STEPS, .line = line, .det = true, .xlabel = "clean images flagged, %", .ylabel = "credentials missed, %" };
	char *svg = NULL;

	if (series < 0) {
		p.xlabel = "impostors accepted, %";
		p.ylabel = "users rejected, %";
	}
	for (int s = 0; s < c->nschemes; s++) {
		const struct group *g = rows_group(r, context, s, series, 0);
		int n = g ? det_points(g, &xy[2 * s], &xy[2 * s + 1]) : 0;

		if (n >= 2)
			line[p.nlines++] = (struct plot_line){ c->scheme[s].label, n, xy[2 * s], xy[2 * s + 1], NULL, NULL, s };
	}
	p.title = series < 0 ? "Authentication errors" : arena_printf(&r->mem, "Detection errors of %s", c->series[series].label);
	if (p.nlines)
		svg = plot_svg(&p, id);
	for (int i = 0; i < 2 * c->nschemes; i++)
		free(xy[i]);
	free(xy);
	free(line);
	return svg;
}

/* ---- one scheme under all attacks ---- */

/* Outcomes of a series by strength, of the aspect that is judged worst; x as share of the largest strength. */
static int outcome_points(struct rows *r, int context, int scheme, int series, double *x, double *y)
{
	struct outcome worst = outcome_worst(r, context, scheme, series), o;
	const struct group *g;
	double most = 0;
	int n = 0;

	if (!worst.g || worst.level < OUT_CONTROL)
		return 0;
	for (int i = 0; (g = rows_group(r, context, scheme, series, i)); i++)
		if (g->has_strength && outcome_of(r, g, worst.aspect, &o) && o.level >= OUT_CONTROL) {
			x[n] = g->strength;
			y[n++] = o.value;
			most = fmax(most, fabs(g->strength));
		}
	for (int i = 0; i < n && most > 0; i++)
		x[i] *= 100 / most;
	return n;
}

char *figure_scheme(struct rows *r, int context, int scheme, int first, const char *id)
{
	const struct context *c = &r->context[context];
	struct plot_line line[FIGURE_LINES];
	size_t room = (size_t)r->ngroups + 1;
	double *v = xcalloc(2 * room * FIGURE_LINES, sizeof(*v));
	struct plot p = { .kind = PLOT_CURVES, .line = line, .fixed_y = true, .ylow = -4, .yhigh = 104 };
	char *svg = NULL;

	for (int a = 0; a < c->nseries && p.nlines < FIGURE_LINES; a++) {
		double *x = v + 2 * room * (size_t)p.nlines, *y = x + room;
		int n = outcome_points(r, context, scheme, a, x, y);

		if (n < 2 || first-- > 0)
			continue;
		line[p.nlines] = (struct plot_line){ arena_printf(&r->mem, "%s, by %s", c->series[a].label, c->series[a].strength), n, x, y, NULL, NULL,
						     p.nlines };
		p.nlines++;
	}
	p.title = arena_printf(&r->mem, "Attacks on %s", c->scheme[scheme].label);
	p.xlabel = "strength, % of the largest that was tried";
	p.ylabel = "what it is judged by, %";
	if (p.nlines)
		svg = plot_svg(&p, id);
	free(v);
	return svg;
}
