/* The bootstrap for seeds and what was measured in each: resampled with Philox streams named by (seed, replicate), so that an
 * interval is the same bits for any number of threads.
 *
 * Data are groups (seeds, or users) of samples (test images, or presentations). For a paired comparison a sample is the
 * difference of two outcomes on the same image with the same seed, and the mean is taken of the differences.
 *
 * Intervals: bias-corrected and accelerated (Efron, JASA 82, 1987; the acceleration by leaving out one group after the other),
 * and percentiles below BOOT_BCA_GROUPS groups (metrics.md 1.3). Differs, so that 95 % intervals hold the truth in about 95 %
 * of experiments (tests/check_bootstrap.c measures it; the textbook's two-level percentiles of 6 seeds do in 86 to 99 %, as
 * the case may be):
 * - Normal quantiles are replaced by sqrt(n/(n-1)) t_{n-1} for n groups: the expanded percentiles of Hesterberg, American
 *   Statistician 69 (2015). For want of that, intervals of few seeds are too short.
 * - Means are shrunken (after Ng, Grieve and Carpenter, Stata Journal 13, 2013): a group's mean varies already by its samples,
 *   and to draw the samples as well counts their noise twice. Never shorter than samples alone would have it. bootstrap()
 *   cannot do that, and is wide where the samples' noise is the greater part.
 * With one group nothing is known of groups: the interval is of the samples only. Two have next to no interval: it spans all
 * replicates. */
#ifndef LB_METRICS_STAT_BOOTSTRAP_H
#define LB_METRICS_STAT_BOOTSTRAP_H

#include <stdbool.h>
#include <stdint.h>

#define BOOT_REPLICATES 10000
#define BOOT_BCA_GROUPS 8

/* x of group i: x[first[i]] .. x[first[i + 1] - 1], at least one each; first (groups + 1), first[0] = 0. Borrowed. */
struct boot_data { const double *x; const int *first; int groups; };

enum boot_levels {
	BOOT_NESTED,  /* groups, then samples within each drawn group */
	BOOT_CROSSED, /* groups, and samples once for all groups: when sample j is the same image in each group (all groups equally large).
	               * Source: Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1 (2007) */
	BOOT_GROUPS,  /* groups only, each taken whole */
	BOOT_STRATA   /* samples within each group, groups are fixed: runs within tasks (metrics.md 8.5) */
};
struct boot_conf {
	enum boot_levels levels;
	double confidence;  /* e.g. 0.95 */
	int replicates;     /* BOOT_REPLICATES */
	uint64_t seed;
	bool percentile;    /* percentiles even where there are groups enough for BCa */
	bool plain;         /* the textbook's: neither expanded nor shrunken, for comparison with other programs */
};
struct boot_interval { double value, low, high; bool bca; };

/* Of the mean over groups of each group's mean: the seed is the unit, however many samples it has. */
void bootstrap_mean(const struct boot_data *d, const struct boot_conf *c, struct boot_interval *out);
/* Of any statistic: fn gets the positions in x (n of them, with repetitions, in group order) of a resampled data set, from
 * several threads at once. It must be a finite number for every resample. */
void bootstrap(const struct boot_data *d, double (*fn)(const void *ctx, const int *pick, int n), const void *ctx,
	       const struct boot_conf *c, struct boot_interval *out);

#endif
