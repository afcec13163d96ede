/* See order.h. */
#include "attacks/kit/order.h"

#include <stdlib.h>

#include "base/error.h"

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void sort_ascending(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
}

double order_of(enum order which, const double *v, int n)
{
	double s[ORDER_MOST], median, sum = 0;

	BUG_ON(n < 1 || n > ORDER_MOST);
	for (int i = 0; i < n; i++)
		sum += v[i]; /* as they come: the same bits whoever asks */
	for (int i = 0; i < n; i++) {
		int k = i;

		for (; k > 0 && s[k - 1] > v[i]; k--)
			s[k] = s[k - 1];
		s[k] = v[i];
	}
	median = n % 2 ? s[n / 2] : (s[n / 2 - 1] + s[n / 2]) / 2;
	switch (which) {
	case ORDER_MEAN:
		return sum / n;
	case ORDER_MIN:
		return s[0];
	case ORDER_MAX:
		return s[n - 1];
	case ORDER_MIDRANGE:
		return (s[0] + s[n - 1]) / 2;
	case ORDER_NEGATIVE:
		return s[0] + s[n - 1] - median;
	default:
		return median;
	}
}
