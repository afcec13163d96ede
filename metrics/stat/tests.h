/* Hypothesis tests, exact where they can be. All p-values are two-sided unless said otherwise, and never below what
 * the data can show: with n seeds that agree, Wilcoxon's is 2^(1-n), so five seeds cannot reach 5 %. d (n):
 * differences between what is compared, one a seed, paired by seed (metrics.md 8.2). */
#ifndef LB_METRICS_STAT_TESTS_H
#define LB_METRICS_STAT_TESTS_H

#include <stdbool.h>

/* Differences of numbers that are equal on paper are rarely equal in binary (1.08 - 1.02 and 0.96 - 0.90). Both tests
 * by d take for zero what is less than 1e-11 of the largest difference, and Wilcoxon's for a tie what is apart by 1e-9
 * of the larger: far above what rounding leaves of metrics, far below what one image or one bit more would make. */
/* Sign test: zeros are left out; 1 when nothing is left. Source: Dixon and Mood, JASA 41 (1946). */
double sign_test(const double *d, int n);
/* Wilcoxon's signed-rank test by its exact distribution given the ties (no normal approximation), n at most
 * WILCOXON_MAX. Zeros by Pratt's rule: ranked with the others, then left out. Sources: Wilcoxon, Biometrics Bulletin 1
 * (1945); Pratt, JASA 54 (1959). Differs: ranks of ties are averaged and the distribution is that of the averaged
 * ranks. */
#define WILCOXON_MAX 1000
double wilcoxon(const double *d, int n);
/* McNemar's exact test on discordant pairs: b only the first got right, c only the second.
 * Source: McNemar, Psychometrika 12 (1947), as a binomial test. */
double mcnemar(long b, long c);
/* Combine n independent two-sided p-values whose effects point to sign[i] (+1, -1; 0 when none): the normal scores of
 * the signed one-sided values, added. Source: Stouffer et al., The American Soldier (1949); conservative for exact
 * tests of few trials. */
double stouffer(const double *p, const int *sign, int n);

/* Two proportions, k1 of n1 and k2 of n2, exactly (Fisher, 1935): tables as likely as this one or less. */
double fisher_exact(long k1, long n1, long k2, long n2);
/* Are several proportions, k[i] of n[i], equal? Pearson's chi-square with groups - 1 degrees of freedom; 1 when all
 * succeed or all fail. Wants expected counts of 5 or more; fisher_exact() below that. */
double chi2_proportions(const long *k, const long *n, int groups);

/* Holm's step-down adjustment of a family of n p-values, adjusted (n) in the given order: reject where adjusted <=
 * 0.05. Source: Holm, Scandinavian Journal of Statistics 6 (1979). adjusted may be p. */
void holm(const double *p, int n, double *adjusted);

/* Is the difference smaller than margin, in both directions? Two one-sided tests at alpha, which is to say: does the 1
 * - 2 alpha interval lie within (-margin, margin). Source: Schuirmann (1987); metrics.md 8.4 (alpha 0.05: the 90 %
 * interval). Not significantly different is not equivalent: with few seeds neither test says anything. */
struct equivalence {
	double low, high; /* the 1 - 2 alpha interval of the difference */
	double p;         /* of the larger of the two one-sided tests */
	bool equivalent;  /* p <= alpha */
};
/* Of a mean of n >= 2 differences, by Student's t. Differences that are all equal have an interval of no width. */
void equivalence_mean(const double *d, int n, double margin, double alpha, struct equivalence *e);
/* Of two proportions on the same n trials, (b - c) / n, by Tango's score statistic (see paired_difference() in
 * stats.h). */
void equivalence_paired(long b, long c, long n, double margin, double alpha, struct equivalence *e);

#endif
