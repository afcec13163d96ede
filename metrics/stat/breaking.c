/* See breaking.h. */
#include "metrics/stat/breaking.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"

#define HALF 0.5
#define PRACTICAL 5.0 /* points */
#define FULL 2.0

const char *const axis_names[] = { "queries", "labels", "forwards" };

double recovery_of(const struct attempt *a)
{
	BUG_ON(!(a->authorised > a->base));
	return (a->accuracy - a->base) / (a->authorised - a->base);
}

static double budget(const struct attempt *a, enum axis axis)
{
	return fmax(a->spent[axis], 1);
}

/* Is there a network trained from scratch, of the same seed and on no more labels, that is as good? */
static bool took_nothing(const struct attempt *a, int n, const struct attempt *x)
{
	for (int i = 0; x->spent[AXIS_LABELS] > 0 && i < n; i++)
		if (a[i].scratch && a[i].seed == x->seed && a[i].spent[AXIS_LABELS] <= x->spent[AXIS_LABELS] && a[i].accuracy >= x->accuracy)
			return true;
	return false;
}

static bool counts(const struct attempt *x, int level, bool scratch)
{
	return scratch ? x->scratch : !x->scratch && x->level <= level;
}

bool breaking_curve(const struct attempt *a, int n, enum axis axis, int level, bool scratch, bool any, long long seed, struct curve *c)
{
	double *b = xmalloc((size_t)n + 1, sizeof(*b)), *r = xmalloc((size_t)n + 1, sizeof(*r));
	int m = 0;

	for (int i = 0; i < n; i++) {
		if (!counts(&a[i], level, scratch) || (!any && a[i].seed != seed))
			continue;
		b[m] = budget(&a[i], axis);
		r[m++] = fmax(recovery_of(&a[i]), 0);
	}
	if (m)
		curve_envelope(b, r, m, c);
	free(b);
	free(r);
	return m > 0;
}

/* ---- seeds ---- */

static int by_value(const void *a, const void *b)
{
	const long long x = *(const long long *)a, y = *(const long long *)b;

	return (x > y) - (x < y);
}

/* The seeds of attempts that count, ascending; caller frees. */
static long long *seeds_of(const struct attempt *a, int n, int level, int *count)
{
	long long *seed = xmalloc((size_t)n + 1, sizeof(*seed));
	int m = 0;

	for (int i = 0; i < n; i++)
		if (counts(&a[i], level, false))
			seed[m++] = a[i].seed;
	qsort(seed, (size_t)m, sizeof(*seed), by_value);
	*count = 0;
	for (int i = 0; i < m; i++)
		if (!i || seed[i] != seed[*count - 1])
			seed[(*count)++] = seed[i];
	return seed;
}

/* ---- budgets to success ---- */

/* Points below authorised, or a share of the recovery. */
struct goal { bool share; double level; };

static bool succeeds(const struct attempt *x, struct goal g)
{
	return g.share ? recovery_of(x) >= g.level : x->accuracy >= x->authorised - g.level;
}

static struct reach reach_of(const struct attempt *a, int n, enum axis axis, int level, bool scratch, struct goal g, const long long *seed,
			     int seeds)
{
	double *at = xmalloc((size_t)seeds + 1, sizeof(*at));
	bool *event = xcalloc((size_t)seeds + 1, sizeof(*event));
	struct reach out = { .seeds = 0 };

	for (int s = 0; s < seeds; s++) {
		double best = INFINITY, most = 0;

		for (int i = 0; i < n; i++) {
			if (!counts(&a[i], level, scratch) || a[i].seed != seed[s])
				continue;
			most = fmax(most, budget(&a[i], axis));
			if (succeeds(&a[i], g) && (scratch || !took_nothing(a, n, &a[i])))
				best = fmin(best, budget(&a[i], axis));
		}
		if (!(most > 0))
			continue;
		event[out.seeds] = isfinite(best);
		out.reached += event[out.seeds];
		at[out.seeds] = event[out.seeds] ? best : most;
		out.seeds++;
		out.tried = fmax(out.tried, most);
	}
	out.known = out.seeds && median_budget(at, event, out.seeds, &out.median);
	free(at);
	free(event);
	return out;
}

/* ---- areas ---- */

/* Budgets tried by anybody, scratch included. */
static void range_of(const struct attempt *a, int n, enum axis axis, int level, double *low, double *high)
{
	*low = INFINITY;
	*high = 0;
	for (int i = 0; i < n; i++)
		if (counts(&a[i], level, false) || a[i].scratch) {
			*low = fmin(*low, budget(&a[i], axis));
			*high = fmax(*high, budget(&a[i], axis));
		}
}

/* Attempts that took something; caller frees. */
static struct attempt *thefts(const struct attempt *a, int n, int *m)
{
	struct attempt *t = xmalloc((size_t)n + 1, sizeof(*t));

	*m = 0;
	for (int i = 0; i < n; i++)
		if (a[i].scratch || !took_nothing(a, n, &a[i]))
			t[(*m)++] = a[i];
	return t;
}

static void areas(const struct attempt *a, int n, enum axis axis, int level, const long long *seed, struct breaking *out)
{
	struct attempt *t;
	int m;

	t = thefts(a, n, &m);
	out->has_net = axis != AXIS_QUERIES;
	for (int s = 0; s < out->seeds; s++) {
		struct curve c, took, base;

		if (!breaking_curve(a, n, axis, level, false, false, seed[s], &c))
			continue;
		out->area += (out->low < out->high ? curve_area(&c, out->low, out->high) : curve_at(&c, out->low)) / out->seeds;
		curve_free(&c);
		if (!out->has_net || !breaking_curve(a, n, axis, level, true, false, seed[s], &base)) {
			out->has_net = false;
			continue;
		}
		if (breaking_curve(t, m, axis, level, false, false, seed[s], &took)) {
			out->area_net += (out->low < out->high ? curve_area_above(&took, &base, out->low, out->high) :
					  fmax(0, curve_at(&took, out->low) - curve_at(&base, out->low))) / out->seeds;
			curve_free(&took);
		}
		curve_free(&base);
	}
	free(t);
}

bool breaking_of(const struct attempt *a, int n, enum axis axis, int level, struct breaking *out)
{
	struct reach scratch;
	long long *seed;

	*out = (struct breaking){ .seeds = 0 };
	seed = seeds_of(a, n, level, &out->seeds);
	for (int i = 0; i < n; i++)
		out->points += counts(&a[i], level, false);
	if (out->points) {
		range_of(a, n, axis, level, &out->low, &out->high);
		areas(a, n, axis, level, seed, out);
		out->half = reach_of(a, n, axis, level, false, (struct goal){ true, HALF }, seed, out->seeds);
		out->practical = reach_of(a, n, axis, level, false, (struct goal){ false, PRACTICAL }, seed, out->seeds);
		out->full = reach_of(a, n, axis, level, false, (struct goal){ false, FULL }, seed, out->seeds);
		scratch = reach_of(a, n, axis, level, true, (struct goal){ false, PRACTICAL }, seed, out->seeds);
		out->has_margin = axis != AXIS_QUERIES && out->practical.known && scratch.known;
		if (out->has_margin)
			out->margin = margin_bits(out->practical.median, scratch.median);
	}
	free(seed);
	return out->points > 0;
}
