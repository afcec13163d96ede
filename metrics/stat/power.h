/* How many seeds, trials or images it takes, and what is too small to be seen. */
#ifndef LB_METRICS_STAT_POWER_H
#define LB_METRICS_STAT_POWER_H

/* Probability that the two-sided paired t-test at alpha sees a mean difference `delta` whose differences have standard
 * deviation sd > 0, from n >= 2 seeds. Exact for normal differences (noncentral t). */
double power_paired(double delta, double sd, int n, double alpha);
/* Fewest seeds for that power (below 1), at most `most`; 0 when they do not do. delta must not be 0. */
int seeds_needed(double delta, double sd, double power, double alpha, int most);
/* Smallest difference seen with that power, from n >= 2 seeds. */
double detectable_difference(double sd, int n, double power, double alpha);
/* The rule of thumb (z_{1-alpha/2} + z_power)^2 sd^2 / delta^2 of metrics.md 8.6, rounded up: what the exact number is for
 * many seeds. */
int seeds_rule(double delta, double sd, double power, double alpha);
/* Fewest seeds with which Wilcoxon's (and the sign) test can reach alpha at all: 6 for 5 %. */
int seeds_for_wilcoxon(double alpha);

/* Trials without a single event that show, at confidence, a rate below `rate`: 2,995 for 1e-3 at 95 % (the rule of three). */
long trials_without_event(double rate, double confidence);
/* The upper bound of a rate after n >= 1 trials without an event, one-sided: 1 - (1 - confidence)^(1/n). */
double bound_without_event(long n, double confidence);

#endif
