/* How large, beside how sure: summaries of seeds, and effect sizes. */
#ifndef LB_METRICS_STAT_EFFECT_H
#define LB_METRICS_STAT_EFFECT_H

#include <stdbool.h>

/* Of n >= 1 numbers, one a seed. */
struct summary {
	int n;
	double mean, sd;       /* sd by n - 1; 0 for n = 1 */
	double min, max, median;
	bool interval;         /* n >= 2, so that low and high say something */
	double low, high;      /* Student's t interval of the mean; for n = 1 both are the mean */
};
void summarise(const double *x, int n, double confidence, struct summary *s);
double median(const double *x, int n); /* n >= 1; the mean of the middle two where n is even */
/* The value below which a share q of the n >= 1 numbers lies, interpolated between them (type 7 of Hyndman and Fan, 1996). */
double quantile(const double *x, int n, double q);
/* The same of numbers that ascend already, and a fresh ascending copy (caller frees). */
double quantile_ascending(const double *x, int n, double q);
double *ascending(const double *x, int n);

/* Probability that a number of x (m) is larger than one of y (n), ties half: Vargha and Delaney's A12 (2000), which is
 * Mann and Whitney's U / (m n), which is the AUC. m, n >= 1. */
double superiority(const double *x, int m, const double *y, int n);
/* 2 A12 - 1, from -1 to 1. Source: Cliff, Psychological Bulletin 114 (1993). */
double cliffs_delta(const double *x, int m, const double *y, int n);
/* Paired: mean difference by its standard deviation, n >= 2; false when the differences do not differ (it is then 0/0 or
 * infinite). Source: Cohen, Statistical Power Analysis (1988), 2.3.5. */
bool cohens_dz(const double *d, int n, double *dz);
/* The same without small-sample bias: times gamma(f/2) / (sqrt(f/2) gamma((f-1)/2)), f = n - 1, exact. n >= 3.
 * Source: Hedges, Journal of Educational Statistics 6 (1981), eq. 6e. */
bool hedges_gz(const double *d, int n, double *gz);
/* Two proportions: 2 asin sqrt(p1) - 2 asin sqrt(p2); 0.2 small, 0.5 medium, 0.8 large. Source: Cohen (1988), 6.2. */
double cohens_h(double p1, double p2);

/* Over tasks (metrics.md 8.5). Source: Agarwal et al., NeurIPS 2021. */
/* Mean of the middle half: a quarter of the numbers cut at each end, n >= 1. Differs: where n / 4 is no whole number the
 * outermost numbers count in part, so that the weights sum to n / 2 for every n. */
double interquartile_mean(const double *x, int n);
/* By how much the numbers miss gamma on average: gamma - mean(min(x, gamma)). */
double optimality_gap(const double *x, int n, double gamma);

#endif
