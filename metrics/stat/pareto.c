/* Removal attacks: who is beaten by nobody, and how much of the space they beat. See curve.h. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "metrics/stat/curve.h"
#include "metrics/stat/rank.h"

static bool at_most(double a, double b)
{
	return a <= b || same_number(a, b);
}

static bool beats(const struct removal *a, const struct removal *b)
{
	return at_most(a->loss, b->loss) && at_most(a->retention, b->retention) && at_most(a->cost, b->cost);
}

int pareto_front(struct removal *p, int n)
{
	int kept = 0;

	for (int i = 0; i < n; i++) {
		bool beaten = false;

		for (int k = 0; k < kept && !beaten; k++)
			beaten = beats(&p[k], &p[i]);
		for (int k = i + 1; k < n && !beaten; k++) /* of equal points the first stays */
			beaten = beats(&p[k], &p[i]) && !beats(&p[i], &p[k]);
		if (!beaten)
			p[kept++] = p[i];
	}
	return kept;
}

/* Area that n points (x, y) in [0, 1]^2 beat, seen from (1, 1): from left to right, below the lowest so far. */
static double staircase(const double *x, const double *y, int n)
{
	int *order = xmalloc((size_t)n + 1, sizeof(*order));
	double area = 0, lowest = 1;

	order_ascending(x, n, order);
	for (int i = 0; i < n; i++) {
		const int k = order[i];

		area += y[k] < lowest ? (1 - x[k]) * (lowest - y[k]) : 0;
		lowest = fmin(lowest, y[k]);
	}
	free(order);
	return area;
}

static double share(double x, double low, double high)
{
	return fmin(fmax((x - low) / (high - low), 0), 1);
}

double removal_volume(const struct removal *p, int n, double loss_max, double cost_min, double cost_max)
{
	double *cost = xmalloc((size_t)n + 1, sizeof(*cost)), *x = xmalloc((size_t)n + 1, sizeof(*x));
	double *y = xmalloc((size_t)n + 1, sizeof(*y)), volume = 0;
	int *order = xmalloc((size_t)n + 1, sizeof(*order));

	BUG_ON(!(loss_max > 0) || !(cost_min > 0) || !(cost_max > cost_min));
	for (int i = 0; i < n; i++)
		cost[i] = share(log(fmax(p[i].cost, cost_min)), log(cost_min), log(cost_max));
	order_ascending(cost, n, order);
	for (int i = 0; i < n; i++) { /* slab by slab of cost: what everything cheaper beats */
		x[i] = share(p[order[i]].loss, 0, loss_max);
		y[i] = share(p[order[i]].retention, 0, 1);
		volume += staircase(x, y, i + 1) * ((i + 1 < n ? cost[order[i + 1]] : 1) - cost[order[i]]);
	}
	free(cost);
	free(x);
	free(y);
	free(order);
	return volume;
}
