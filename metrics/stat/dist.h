/* Distributions that tests and intervals stand on, to about 1e-12. The beta distribution is in stats.h. */
#ifndef LB_METRICS_STAT_DIST_H
#define LB_METRICS_STAT_DIST_H

/* Standard normal: P(Z <= z), its inverse (0 < p < 1), and the two-sided P(|Z| >= |z|). */
double normal_cdf(double z);
double normal_inv(double p);
double normal_two_sided(double z);
/* Student's t with df > 0 (not only whole): P(T <= t). Its inverse for a two-sided interval is student_t() in stats.h. */
double student_cdf(double df, double t);
/* P(T >= t) for the noncentral t distribution, df >= 1, noncentrality delta (what a t-test has when there is a difference). */
double noncentral_t_tail(int df, double delta, double t);
/* P(X >= x) for chi-square with df >= 1 degrees of freedom. */
double chi2_tail(int df, double x);

#endif
