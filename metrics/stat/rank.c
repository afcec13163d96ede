/* Ranks. See rank.h. */
#include "metrics/stat/rank.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "metrics/stat/dist.h"

#define SAME 1e-12

static bool within(double a, double b, double near)
{
	return a == b || (isfinite(a) && isfinite(b) && fabs(a - b) <= near * fmax(fabs(a), fabs(b)));
}

bool same_number(double a, double b)
{
	return within(a, b, SAME);
}

double difference_of(double a, double b)
{
	return same_number(a, b) ? 0 : a - b;
}

struct item { double x; int at; };

static int by_value(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;

	if (a->x != b->x)
		return a->x < b->x ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

void order_ascending(const double *x, int n, int *order)
{
	struct item *item = xmalloc((size_t)n + 1, sizeof(*item));

	for (int i = 0; i < n; i++)
		item[i] = (struct item){ x[i], i };
	qsort(item, (size_t)n, sizeof(*item), by_value);
	for (int i = 0; i < n; i++)
		order[i] = item[i].at;
	free(item);
}

void ranks(const double *x, int n, double *rank)
{
	ranks_near(x, n, SAME, rank);
}

void ranks_near(const double *x, int n, double near, double *rank)
{
	int *order = xmalloc((size_t)n + 1, sizeof(*order)), end;

	order_ascending(x, n, order);
	for (int first = 0; first < n; first = end) {
		for (end = first + 1; end < n && within(x[order[end]], x[order[first]], near); end++)
			;
		for (int i = first; i < end; i++)
			rank[order[i]] = (first + 1 + end) / 2.0;
	}
	free(order);
}

double friedman(const double *x, int n, int k, double *mean_rank)
{
	double *rank = xmalloc((size_t)k, sizeof(*rank)), squares = 0, between = 0;
	const double middle = (k + 1) / 2.0, constant = n * k * middle * middle;

	BUG_ON(n < 1 || k < 2);
	for (int j = 0; j < k; j++)
		mean_rank[j] = 0;
	for (int i = 0; i < n; i++) {
		ranks(x + (size_t)i * (size_t)k, k, rank);
		for (int j = 0; j < k; j++) {
			mean_rank[j] += rank[j] / n;
			squares += rank[j] * rank[j];
		}
	}
	for (int j = 0; j < k; j++)
		between += (mean_rank[j] - middle) * (mean_rank[j] - middle);
	free(rank);
	if (squares - constant <= 1e-9)
		return 1;
	return chi2_tail(k - 1, (k - 1) * (double)n * n * between / (squares - constant));
}

double nemenyi_distance(int n, int k)
{
	static const double q[] = { 1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164 };

	BUG_ON(n < 1 || k < 2 || k > 10);
	return q[k - 2] * sqrt(k * (k + 1) / (6.0 * n));
}
