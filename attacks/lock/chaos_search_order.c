/* See chaos_search_order.h. */
#include "attacks/lock/chaos_search_order.h"

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

/* Takes each row's (or column's) mean over the cells that are there away. */
static void centre(struct grid *g, bool by_row)
{
	const int groups = by_row ? g->rows : g->cols;

	memset(g->sum, 0, (size_t)groups * sizeof(*g->sum));
	memset(g->n, 0, (size_t)groups * sizeof(*g->n));
	for (int r = 0, i = 0; r < g->rows; r++)
		for (int c = 0; c < g->cols; c++, i++) {
			g->sum[by_row ? r : c] += g->there[i] ? g->x[i] : 0;
			g->n[by_row ? r : c] += g->there[i];
		}
	for (int k = 0; k < groups; k++)
		g->sum[k] = g->n[k] ? g->sum[k] / g->n[k] : 0;
	for (int r = 0, i = 0; r < g->rows; r++)
		for (int c = 0; c < g->cols; c++, i++)
			g->x[i] -= g->sum[by_row ? r : c];
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
	return total > 0 ? 0.5 * g->count * log(total / fmin(fmax(rest, 1e-12 * total), total)) : 0;
}

/* The size of a cell, and its sum. */
static double size_of(const real *cell, size_t n, double *sum)
{
	double square = 0;

	*sum = 0;
	for (size_t k = 0; k < n; k++) {
		square += (double)cell[k] * (double)cell[k];
		*sum += (double)cell[k];
	}
	return n == 1 ? fabs(*sum) : sqrt(square);
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
		size[i] = size_of(w->x + (size_t)i * cell, cell, &sum[i]);
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

/* ---- units: what their neighbours in other tensors say ---- */

/* Mean size of the cells of each output (or input) of w; NAN for one that has none. */
static double *unit_sizes(const struct param *w, bool outputs)
{
	const int units = outputs ? w->d[0] : w->d[1];
	const size_t cell = w->len / ((size_t)w->d[0] * (size_t)w->d[1]);
	double *mean = xcalloc((size_t)units, sizeof(*mean));
	int *n = xcalloc((size_t)units, sizeof(*n));
	const real *x = w->x;

	for (int r = 0; r < w->d[0]; r++)
		for (int c = 0; c < w->d[1]; c++, x += cell) {
			double sum;
			const double size = size_of(x, cell, &sum);

			mean[outputs ? r : c] += size;
			n[outputs ? r : c] += size > 0;
		}
	for (int i = 0; i < units; i++)
		mean[i] = n[i] ? mean[i] / n[i] : NAN;
	free(n);
	return mean;
}

/* Nats by which a straight line through (x, y) explains y, where both are known. */
static double line_gain(const double *x, const double *y, int n)
{
	double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
	int count = 0;

	for (int i = 0; i < n; i++)
		if (!isnan(x[i]) && !isnan(y[i])) {
			mx += x[i];
			my += y[i];
			count++;
		}
	for (int i = 0; i < n; i++)
		if (!isnan(x[i]) && !isnan(y[i])) {
			const double a = x[i] - mx / count, b = y[i] - my / count;

			xx += a * a;
			yy += b * b;
			xy += a * b;
		}
	return xx > 0 && yy > 0 ? -0.5 * count * log(fmax(1 - xy * xy / (xx * yy), 1e-12)) : 0;
}

/* The outputs of w by what stands behind it, one number each. */
static double bias_gain(const struct param *w, const double *size)
{
	const struct param *b = w + 1;
	double *x = xmalloc((size_t)w->d[0], sizeof(*x)), nats;

	for (int i = 0; i < w->d[0]; i++)
		x[i] = (double)b->x[i];
	nats = line_gain(size, x, w->d[0]);
	free(x);
	return nats;
}

/* The outputs of w by the inputs of the next layer, several for each where maps were flattened. */
static double next_gain(const struct param *w, const double *size, const struct param *next)
{
	const int each = next->d[1] / w->d[0];
	double *in = unit_sizes(next, false), nats;

	for (int i = 0; i < w->d[0]; i++) {
		double sum = 0;

		for (int k = 0; k < each; k++)
			sum += in[i * each + k];
		in[i] = sum / each;
	}
	nats = line_gain(size, in, w->d[0]);
	free(in);
	return nats;
}

double chaos_links(const struct param *w, const struct param *end)
{
	const struct param *next = w + 1;
	double *size = unit_sizes(w, true), nats = 0;

	if (next < end && next->nd == 1 && next->d[0] == w->d[0])
		nats += bias_gain(w, size);
	while (next < end && (next->buffer || next->nd < 2))
		next++;
	if (next < end && next->d[1] % w->d[0] == 0)
		nats += next_gain(w, size, next);
	free(size);
	return nats;
}
