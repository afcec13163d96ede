/* Tails of the binomial distribution as bits of evidence: what it proves that so many symbols of a mark are right. */
#ifndef LB_BASE_BINOMIAL_H
#define LB_BASE_BINOMIAL_H

/* -log2 P(X >= k), X binomial (n, p): bits of evidence in k of n symbols right, each right by luck with probability p, 0 < p < 1. Exact
 * sums in the logarithm, so that 2^-2560 is 2560. k <= 0: 0; k > n: INFINITY. */
double binomial_evidence(int k, int n, double p);

/* The least k of n with at least so many bits of evidence; n+1: not even all n have it. */
int binomial_threshold(int n, double p, double bits);

#endif
