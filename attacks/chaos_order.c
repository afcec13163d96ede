/* See chaos_order.h. */
#include "attacks/chaos_order.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

/* Cells (rows, cols) of which some are there; x: a feature of each, in place its residual. */
struct grid {
	int rows, cols, count;
	bool *there;
	double *x, *sum;
	int *n;
};

/* Takes each group's mean away: groups are rows (or all columns) of the cells that are there. */
static void centre(struct grid *g, bool by_row)
{
	const int groups = by_row ? g->rows : g->cols;

	memset(g->sum, 0, (size_t)groups * sizeof(*g->sum));
	memset(g->n, 0, (size_t)groups * sizeof(*g->n));
	for (int i = 0; i < g->rows * g->cols; i++) {
		const int at = by_row ? i / g->cols : i % g->cols;

		g->sum[at] += g->there[i] ? g->x[i] : 0;
		g->n[at] += g->there[i];
	}
	for (int i = 0; i < g->rows * g->cols; i++) {
		const int at = by_row ? i / g->cols : i % g->cols;

		if (g->there[i])
			g->x[i] -= g->sum[at] / g->n[at];
	}
}

static double squares(const struct grid *g)
{
	double s = 0;

	for (int i = 0; i < g->rows * g->cols; i++)
		s += g->there[i] ? g->x[i] * g->x[i] : 0;
	return s;
}

/* A full grid is fitted after one pass; one with gaps nearly so. */
static double gain(struct grid *g)
{
	double mean = 0, total, rest;

	for (int i = 0; i < g->rows * g->cols; i++)
		mean += g->there[i] ? g->x[i] / g->count : 0;
	for (int i = 0; i < g->rows * g->cols; i++)
		g->x[i] -= mean;
	total = squares(g);
	centre(g, true);
	centre(g, false);
	rest = squares(g);
	return rest > 0 && total > rest ? 0.5 * g->count * log(total / rest) : 0;
}

double chaos_order(const struct param *w)
{
	const int cells = w->d[0] * w->d[1], longer = w->d[0] > w->d[1] ? w->d[0] : w->d[1];
	const size_t cell = w->len / (size_t)cells;
	struct grid g = { .rows = w->d[0], .cols = w->d[1] };
	double *size = xcalloc((size_t)cells, sizeof(*size)), *sum = xcalloc((size_t)cells, sizeof(*sum)), nats;

	g.there = xcalloc((size_t)cells, sizeof(*g.there));
	g.sum = xmalloc((size_t)longer, sizeof(*g.sum));
	g.n = xmalloc((size_t)longer, sizeof(*g.n));
	for (int i = 0; i < cells; i++) {
		for (size_t k = 0; k < cell; k++) {
			const double v = (double)w->x[(size_t)i * cell + k];

			size[i] += v * v;
			sum[i] += v;
		}
		size[i] = sqrt(size[i]);
		g.there[i] = size[i] > 0;
		g.count += g.there[i];
	}
	g.x = size;
	nats = gain(&g);
	g.x = sum;
	nats += gain(&g);
	free(size);
	free(sum);
	free(g.there);
	free(g.sum);
	free(g.n);
	return nats;
}
