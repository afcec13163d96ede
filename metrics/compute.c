/* See compute.h. */
#include "metrics/compute.h"

#include <math.h>

#include "metrics/stat/effect.h"
#include "metrics/stat/stats.h"

#define MOST 9007199254740992.0 /* 2^53 */

static bool is_count(double x)
{
	return x >= 0 && x <= MOST && x == floor(x);
}

long count_of(const struct observations *o, const char *name)
{
	const double x = obs_getnum(o, name, 0);

	return is_count(x) ? (long)x : 0;
}

bool are_counts(const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_count(x[i]))
			return false;
	return true;
}

int percent(long k, long n, struct value *v)
{
	double low, high;

	if (n <= 0)
		return 0;
	clopper_pearson(k, n, 0.95, &low, &high);
	*v = (struct value){ 100.0 * (double)k / (double)n, 100 * low, 100 * high, k, n, 0 };
	return 1;
}

int percent_of(const struct observations *o, const char *bits, struct value *v)
{
	const struct obs_entry *e = obs_get(o, bits, 'b');

	return e ? percent(e->k, (long)e->n, v) : 0;
}

int points_between(const struct observations *o, const char *first, const char *second, struct value *v)
{
	const struct obs_entry *a = obs_get(o, first, 'b'), *b = obs_get(o, second, 'b');
	long only_a = 0, only_b = 0, n;

	if (!a || !b || a->n != b->n || !a->n)
		return 0;
	n = (long)a->n;
	for (long i = 0; i < n; i++) {
		only_a += a->bits[i] && !b->bits[i];
		only_b += b->bits[i] && !a->bits[i];
	}
	paired_difference(only_a, only_b, n, &v->low, &v->high);
	v->low *= 100;
	v->high *= 100;
	v->value = 100.0 * (double)(only_a - only_b) / (double)n;
	v->k = v->n = 0;
	v->seen = n;
	return 1;
}

static int exact(double x, struct value *v)
{
	*v = (struct value){ x, x, x, 0, 0, 0 };
	return 1;
}

int number_of(const struct observations *o, const char *name, const char *seen, struct value *v)
{
	const struct obs_entry *e = obs_get(o, name, 'n');

	if (!e)
		return 0;
	exact(e->value, v);
	v->seen = seen ? count_of(o, seen) : 0;
	return 1;
}

int ratio_of(const struct observations *o, const char *name, const char *reference, struct value *v)
{
	const struct obs_entry *a = obs_get(o, name, 'n'), *b = obs_get(o, reference, 'n');

	return a && b && b->value > 0 ? exact(a->value / b->value, v) : 0;
}

int mean_of(const struct observations *o, const char *series, double min, double max, struct value *v)
{
	const struct obs_entry *e = obs_get(o, series, 's');
	struct summary s;

	if (!e || !e->n)
		return 0;
	summarise(e->series, (int)e->n, 0.95, &s);
	*v = (struct value){ s.mean, fmax(s.low, min), fmin(s.high, max), 0, 0, (long)e->n };
	return 1;
}

int worst_user(const struct observations *o, const char *bits, struct value *v)
{
	const struct obs_entry *e = obs_get(o, bits, 'b');
	const long each = count_of(o, "credentials_per_user");
	long worst = each;

	if (!e || each <= 0 || !e->n || (long)e->n % each)
		return 0;
	for (long first = 0; first < (long)e->n; first += each) {
		long k = 0;

		for (long i = first; i < first + each; i++)
			k += e->bits[i];
		if (k < worst)
			worst = k;
	}
	return percent(worst, each, v);
}
