/* Resampling. See bootstrap.h. */
#include "metrics/stat/bootstrap.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/tile.h"
#include "metrics/stat/dist.h"
#include "metrics/stat/effect.h"
#include "metrics/stat/pooling.h"
#include "metrics/stat/stats.h"

#define TILE 16    /* replicates a thread takes at a time */

struct work {
	const struct boot_data *d;
	const struct boot_conf *c;
	double (*fn)(const void *, const int *, int); /* NULL: the mean */
	const void *ctx;
	struct rng_key key;
	struct pool *group;  /* (groups) */
	double *mean;        /* (groups) of the data as they are */
	double centre;       /* mean of them */
	double shrink;       /* BOOT_NESTED: of the groups' deviations, BOOT_CROSSED: of the samples'; 1 with `plain` */
	double scale;        /* BOOT_NESTED: of what the samples add; 1 with `plain` */
	double *effect;      /* BOOT_CROSSED: deviation of sample j from the centre, its mean over groups */
	struct pool effects;
	double *out;         /* (replicates) */
};

static int group_size(const struct boot_data *d, int g)
{
	return d->first[g + 1] - d->first[g];
}

/* ---- drawing ---- */

/* Both ways at once, as Owen does. */
static double pigeonhole_mean(const struct boot_data *d, struct rng *r)
{
	const int n = group_size(d, 0);
	int *drawn = xmalloc((size_t)d->groups, sizeof(*drawn));
	double sum = 0;

	for (int g = 0; g < d->groups; g++)
		drawn[g] = d->first[rng_below(r, (uint32_t)d->groups)];
	for (int i = 0; i < n; i++) {
		const int at = (int)rng_below(r, (uint32_t)n);

		for (int g = 0; g < d->groups; g++)
			sum += d->x[drawn[g] + at];
	}
	free(drawn);
	return sum / ((double)n * d->groups);
}

static double draw_mean(const struct work *w, struct rng *r)
{
	const enum boot_levels levels = w->c->levels;
	const int n = w->d->groups;
	double sum = 0;

	if (levels == BOOT_CROSSED && w->c->plain)
		return pigeonhole_mean(w->d, r);
	for (int i = 0; i < n; i++) {
		const int g = levels == BOOT_STRATA ? i : (int)rng_below(r, (uint32_t)n);

		if (levels == BOOT_NESTED) /* a shrunken mean of the group, and what its samples add */
			sum += w->centre + w->shrink * (w->mean[g] - w->centre) +
			       w->scale * (pool_mean(&w->group[g], r) - w->mean[g]);
		else
			sum += levels == BOOT_STRATA ? pool_mean(&w->group[g], r) : w->mean[g];
	}
	return sum / n + (levels == BOOT_CROSSED ? w->shrink * pool_mean(&w->effects, r) : 0);
}

/* Positions of a resampled data set: pick has room for groups times the largest group. Their number. */
static int draw_picks(const struct work *w, struct rng *r, int *pick)
{
	const struct boot_data *d = w->d;
	const enum boot_levels levels = w->c->levels;
	const int shared = group_size(d, 0);
	int *sample = levels == BOOT_CROSSED ? xmalloc((size_t)shared, sizeof(*sample)) : NULL, n = 0;

	for (int i = 0; sample && i < shared; i++)
		sample[i] = (int)rng_below(r, (uint32_t)shared);
	for (int i = 0; i < d->groups; i++) {
		const int g = levels == BOOT_STRATA ? i : (int)rng_below(r, (uint32_t)d->groups), size = group_size(d, g);

		for (int k = 0; k < size; k++)
			pick[n++] = d->first[g] + (sample ? sample[k] : levels == BOOT_GROUPS ? k : (int)rng_below(r, (uint32_t)size));
	}
	free(sample);
	return n;
}

static size_t picks_max(const struct boot_data *d)
{
	int most = 0;

	for (int g = 0; g < d->groups; g++)
		most = group_size(d, g) > most ? group_size(d, g) : most;
	return (size_t)most * (size_t)d->groups;
}

static void replicate_tile(void *ctx, int tile, int thread)
{
	const struct work *w = ctx;
	int *pick = w->fn ? xmalloc(picks_max(w->d), sizeof(*pick)) : NULL;

	(void)thread;
	for (int i = tile * TILE; i < (tile + 1) * TILE && i < w->c->replicates; i++) {
		struct rng r;

		rng_at(&r, w->key, (uint32_t)i, 0);
		w->out[i] = w->fn ? w->fn(w->ctx, pick, draw_picks(w, &r, pick)) : draw_mean(w, &r);
	}
	free(pick);
}

/* ---- intervals ---- */

/* How many were resampled first. */
static int units_of(const struct work *w)
{
	return w->c->levels == BOOT_STRATA ? w->d->first[w->d->groups] : w->d->groups;
}

/* Normal quantiles of one side: the textbook's, and expanded for few units. */
static double side_normal(const struct work *w)
{
	return normal_inv((1 + w->c->confidence) / 2);
}

static double side_expanded(const struct work *w)
{
	const int units = units_of(w), df = units - (w->c->levels == BOOT_STRATA ? w->d->groups : 1);

	if (w->c->plain || df < 1)
		return side_normal(w);
	return sqrt((double)units / df) * student_t(df, w->c->confidence);
}

/* How skewed the statistic is, from its values (n) with one unit left out each. */
static double acceleration(const double *x, int n)
{
	double mean = 0, squares = 0, cubes = 0;

	for (int i = 0; i < n; i++)
		mean += x[i] / n;
	for (int i = 0; i < n; i++) {
		squares += (mean - x[i]) * (mean - x[i]);
		cubes += (mean - x[i]) * (mean - x[i]) * (mean - x[i]);
	}
	return squares > 0 ? cubes / (6 * pow(squares, 1.5)) : 0;
}

/* Share of replicates below the value of the data, equal ones half, as a normal quantile. */
static double bias(const double *x, int n, double value)
{
	const double same = 1e-12 * fabs(value); /* sums in another order differ by rounding */
	double below = 0;

	for (int i = 0; i < n; i++)
		below += fabs(x[i] - value) <= same ? 0.5 : x[i] < value ? 1 : 0;
	return normal_inv(fmin(fmax(below, 0.5), n - 0.5) / n);
}

/* units: what was resampled first; jack: the statistic without each of them (units), used for BCa. */
static void interval_of(const struct work *w, int units, const double *jack, struct boot_interval *out)
{
	const struct boot_conf *c = w->c;
	const double z = side_expanded(w);
	double *sorted = ascending(w->out, c->replicates), side[2], z0 = 0, a = 0;

	out->bca = !c->percentile && units >= BOOT_BCA_GROUPS;
	if (out->bca) {
		z0 = bias(w->out, c->replicates, out->value);
		a = acceleration(jack, units);
	}
	for (int i = 0; i < 2; i++) {
		const double q = z0 + (i ? z : -z), stretch = 1 - a * q;

		side[i] = normal_cdf(stretch > 0 ? z0 + q / stretch : i ? 40 : -40);
	}
	out->low = quantile_ascending(sorted, c->replicates, side[0]);
	out->high = quantile_ascending(sorted, c->replicates, side[1]);
	free(sorted);
}

/* The statistic without unit u (a group; with BOOT_STRATA a sample). */
static double leave_out(const struct work *w, int u, int *pick)
{
	const struct boot_data *d = w->d;
	const bool strata = w->c->levels == BOOT_STRATA;
	int n = 0;

	for (int g = 0; g < d->groups; g++)
		for (int i = d->first[g]; i < d->first[g + 1]; i++)
			if (strata ? i != u : g != u)
				pick[n++] = i;
	return w->fn(w->ctx, pick, n);
}

/* The same for the mean, without touching all the data for each unit. A group of which the only sample is left out counts as
 * it is. */
static double leave_out_mean(const struct work *w, int u)
{
	const struct boot_data *d = w->d;
	double sum = 0;

	for (int g = 0; g < d->groups; g++) {
		const int size = group_size(d, g);

		if (w->c->levels != BOOT_STRATA)
			sum += g == u ? 0 : w->mean[g] / (d->groups - 1);
		else if (u >= d->first[g] && u < d->first[g + 1] && size > 1)
			sum += (w->mean[g] * size - d->x[u]) / (size - 1) / d->groups;
		else
			sum += w->mean[g] / d->groups;
	}
	return sum;
}

/* ---- shrinkage: what a group's mean owes to its samples is drawn once, with the samples ---- */

static double square(double x)
{
	return x * x;
}

/* What is drawn shall vary as the groups' means do, which owe a part of it to their samples. When samples alone would vary more
 * (groups agree by luck), they are held back, but not below an interval of the samples with normal quantiles. */
static void shrink_groups(struct work *w)
{
	const struct boot_data *d = w->d;
	double between = 0, within = 0;

	for (int g = 0; g < d->groups; g++) {
		double squares = 0;

		for (int i = d->first[g]; i < d->first[g + 1]; i++)
			squares += square(d->x[i] - w->mean[g]);
		within += squares / square(group_size(d, g));
		between += square(w->mean[g] - w->centre);
	}
	w->shrink = between > within ? sqrt(1 - within / between) : 0;
	if (between < within)
		w->scale = fmax(sqrt(between / within), side_normal(w) / side_expanded(w));
}

/* Spread of the samples' means over groups, less what it owes to the groups' number. */
static double shrink_samples(const struct work *w)
{
	const struct boot_data *d = w->d;
	const int n = group_size(d, 0);
	double spread = 0, rest = 0;

	for (int i = 0; i < n; i++)
		spread += square(w->effect[i]) * d->groups;
	for (int g = 0; g < d->groups; g++)
		for (int i = 0; i < n; i++)
			rest += square(d->x[d->first[g] + i] - w->mean[g] - w->effect[i]);
	if (d->groups == 1)
		return 1;
	rest /= d->groups - 1;
	return spread > rest ? sqrt(1 - rest / spread) : 0;
}

static void prepare_effects(struct work *w)
{
	const struct boot_data *d = w->d;
	const int n = group_size(d, 0);

	w->effect = xcalloc((size_t)n, sizeof(*w->effect));
	for (int i = 0; i < n; i++) {
		double sum = 0;

		for (int g = 0; g < d->groups; g++)
			sum += d->x[d->first[g] + i];
		w->effect[i] = sum / d->groups - w->centre;
	}
	pool_of(w->effect, n, &w->effects);
	w->shrink = shrink_samples(w);
}

static void check(const struct boot_data *d, const struct boot_conf *c)
{
	BUG_ON(d->groups < 1 || d->first[0] != 0 || c->replicates < 1 || !(c->confidence > 0) || c->confidence >= 1);
	for (int g = 0; g < d->groups; g++)
		BUG_ON(group_size(d, g) < 1 || (c->levels == BOOT_CROSSED && group_size(d, g) != group_size(d, 0)));
}

static void prepare(struct work *w)
{
	const struct boot_data *d = w->d;

	check(d, w->c);
	w->key = rng_key(w->c->seed, "bootstrap");
	w->group = xmalloc((size_t)d->groups, sizeof(*w->group));
	w->mean = xmalloc((size_t)d->groups, sizeof(*w->mean));
	w->out = xmalloc((size_t)w->c->replicates, sizeof(*w->out));
	w->shrink = w->scale = 1;
	for (int g = 0; g < d->groups; g++) {
		double sum = 0;

		pool_of(d->x + d->first[g], group_size(d, g), &w->group[g]);
		for (int i = d->first[g]; i < d->first[g + 1]; i++)
			sum += d->x[i];
		w->mean[g] = sum / group_size(d, g);
		w->centre += w->mean[g] / d->groups;
	}
	if (w->fn || w->c->plain)
		return;
	if (w->c->levels == BOOT_CROSSED)
		prepare_effects(w);
	if (w->c->levels == BOOT_NESTED && d->groups > 1)
		shrink_groups(w);
}

static void run(struct work *w, struct boot_interval *out)
{
	const struct boot_data *d = w->d;
	const int units = units_of(w);
	double *jack = xmalloc((size_t)units, sizeof(*jack));
	int *pick = xmalloc((size_t)d->first[d->groups], sizeof(*pick));

	tile_for((w->c->replicates + TILE - 1) / TILE, replicate_tile, w);
	for (int u = 0; units >= BOOT_BCA_GROUPS && u < units; u++)
		jack[u] = w->fn ? leave_out(w, u, pick) : leave_out_mean(w, u);
	interval_of(w, units, jack, out);
	free(jack);
	free(pick);
	free(w->group);
	free(w->mean);
	free(w->effect);
	free(w->out);
}

void bootstrap_mean(const struct boot_data *d, const struct boot_conf *c, struct boot_interval *out)
{
	struct work w = { .d = d, .c = c };

	prepare(&w);
	out->value = w.centre;
	run(&w, out);
}

void bootstrap(const struct boot_data *d, double (*fn)(const void *ctx, const int *pick, int n), const void *ctx,
	       const struct boot_conf *c, struct boot_interval *out)
{
	struct work w = { .d = d, .c = c, .fn = fn, .ctx = ctx };
	const int n = d->first[d->groups];
	int *all = xmalloc((size_t)n, sizeof(*all));

	prepare(&w);
	for (int i = 0; i < n; i++)
		all[i] = i;
	out->value = fn(ctx, all, n);
	free(all);
	run(&w, out);
}
