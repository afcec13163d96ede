/* Attack-cost curves. See curve.h. */
#include "metrics/stat/curve.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "metrics/stat/rank.h"

/* ---- points ---- */

void curve_envelope(const double *b, const double *r, int n, struct curve *out)
{
	int *order = xmalloc((size_t)n, sizeof(*order));
	double best = 0;

	BUG_ON(n < 1);
	*out = (struct curve){ xmalloc((size_t)n, sizeof(double)), xmalloc((size_t)n, sizeof(double)), 0 };
	order_ascending(b, n, order);
	for (int i = 0; i < n; i++) {
		BUG_ON(!(b[order[i]] > 0));
		best = fmax(best, fmin(r[order[i]], 1));
		if (!out->n || !same_number(out->b[out->n - 1], b[order[i]]))
			out->b[out->n++] = b[order[i]];
		out->r[out->n - 1] = best;
	}
	free(order);
}

void curve_free(struct curve *c)
{
	free(c->b);
	free(c->r);
	*c = (struct curve){ .n = 0 };
}

/* y at x between ascending points, nearest outside. */
static double between(const double *px, const double *py, int n, double x)
{
	int i = 1;

	if (n == 1 || x <= px[0])
		return py[0];
	if (x >= px[n - 1])
		return py[n - 1];
	while (px[i] < x)
		i++;
	return py[i - 1] + (py[i] - py[i - 1]) * (x - px[i - 1]) / (px[i] - px[i - 1]);
}

static double *logs(const double *b, int n)
{
	double *x = xmalloc((size_t)n, sizeof(*x));

	for (int i = 0; i < n; i++)
		x[i] = log(b[i]);
	return x;
}

double curve_at(const struct curve *c, double b)
{
	double *x = logs(c->b, c->n), y;

	BUG_ON(!(b > 0));
	y = between(x, c->r, c->n, log(b));
	free(x);
	return y;
}

/* ---- areas ---- */

/* Mean of max(0, y1 - y2) between low and high for two broken lines; the second may be NULL (it is 0 then). Between neighbouring
 * corners both are straight, and a crossing leaves a triangle. */
static double mean_above(const double *x1, const double *y1, int n1, const double *x2, const double *y2, int n2, double low,
			 double high)
{
	double *corner = xmalloc((size_t)n1 + (size_t)n2 + 2, sizeof(*corner)), sum = 0, last = 0, at = low;
	int *order = xmalloc((size_t)n1 + (size_t)n2 + 2, sizeof(*order)), n = 0;

	corner[n++] = low;
	corner[n++] = high;
	for (int i = 0; i < n1 + n2; i++) {
		const double x = i < n1 ? x1[i] : x2[i - n1];

		if (x > low && x < high)
			corner[n++] = x;
	}
	order_ascending(corner, n, order);
	for (int i = 0; i < n; i++) {
		const double x = corner[order[i]], d = between(x1, y1, n1, x) - (n2 ? between(x2, y2, n2, x) : 0);

		if (i && (last < 0) != (d < 0))
			sum += (x - at) * fmax(last, d) * fmax(last, d) / (2 * fabs(last - d));
		else if (i)
			sum += (x - at) * fmax(0, (last + d) / 2);
		last = d;
		at = x;
	}
	free(corner);
	free(order);
	return sum / (high - low);
}

double curve_area_above(const struct curve *c, const struct curve *baseline, double low, double high)
{
	double *x1 = logs(c->b, c->n), *x2 = baseline ? logs(baseline->b, baseline->n) : NULL, area;

	BUG_ON(!(low > 0) || !(high > low));
	area = mean_above(x1, c->r, c->n, x2, baseline ? baseline->r : NULL, baseline ? baseline->n : 0, log(low), log(high));
	free(x1);
	free(x2);
	return area;
}

double curve_area(const struct curve *c, double low, double high)
{
	return curve_area_above(c, NULL, low, high);
}

double mean_over(const double *x, const double *y, int n, double low, double high)
{
	double *px = xmalloc((size_t)n, sizeof(*px)), *up = xmalloc((size_t)n, sizeof(*up)), mean;
	double *down = xmalloc((size_t)n, sizeof(*down));
	int *order = xmalloc((size_t)n, sizeof(*order));

	BUG_ON(n < 1 || !(high > low));
	order_ascending(x, n, order);
	for (int i = 0; i < n; i++) {
		px[i] = x[order[i]];
		up[i] = y[order[i]];
		down[i] = -up[i];
	}
	mean = mean_above(px, up, n, NULL, NULL, 0, low, high) - mean_above(px, down, n, NULL, NULL, 0, low, high);
	free(px);
	free(up);
	free(down);
	free(order);
	return mean;
}

/* ---- single budgets ---- */

bool curve_budget(const struct curve *c, double level, double *b)
{
	for (int i = 0; i < c->n; i++)
		if (c->r[i] >= level) {
			*b = c->b[i];
			return true;
		}
	return false;
}

double margin_bits(double break_cost, double scratch_cost)
{
	BUG_ON(!(break_cost > 0) || !(scratch_cost > 0));
	return log2(break_cost / scratch_cost);
}
