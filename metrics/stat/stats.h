/* Exact intervals for proportions and what they stand on. */
#ifndef LB_METRICS_STAT_STATS_H
#define LB_METRICS_STAT_STATS_H

/* Regularised incomplete beta function I_x(a,b) and its inverse in x; a, b > 0. */
double beta_inc(double a, double b, double x);
double beta_inv(double a, double b, double p);
/* Clopper-Pearson interval for k successes of n at confidence (e.g. 0.95); 0 <= k <= n, n > 0. */
void clopper_pearson(long k, long n, double confidence, double *low, double *high);
/* Two-sided Student t quantile for mean +- t * sd / sqrt(n) at confidence, df >= 1. */
double student_t(int df, double confidence);
/* Exact binomial tail P(X >= k), X ~ Bin(n, p). */
double binomial_tail(long k, long n, double p);
/* 95 % interval for the difference of two proportions seen on the same n trials: b trials only the first got
 * right, c only the second; the difference is (b - c) / n. Tango's score interval (Statistics in Medicine 17, 1998),
 * which stays sensible at b = c = 0. */
void paired_difference(long b, long c, long n, double *low, double *high);
/* The same at another confidence, z the normal quantile (1.645: 90 %), and the statistic it stands on: about standard normal when
 * the true difference is d, falling in d. */
void paired_difference_z(long b, long c, long n, double z, double *low, double *high);
double paired_score(long b, long c, long n, double d);
/* Wilson's score interval for k of n: for plots only, claims take clopper_pearson(). z as above. */
void wilson(long k, long n, double z, double *low, double *high);

#endif
