/* What attacks that push an image towards a class within a box share. */
#ifndef LB_ATTACKS_KIT_EVASION_MARGIN_H
#define LB_ATTACKS_KIT_EVASION_MARGIN_H

#include <math.h>

/* Which of logits z (k) is the largest but for t. */
static inline int runner_up(const float *z, int k, int t)
{
	int best = t ? 0 : 1;

	for (int i = 0; i < k; i++)
		if (i != t && z[i] > z[best])
			best = i;
	return best;
}

/* By how much z leads to class t; positive: t wins. */
static inline double margin(const float *z, int k, int t)
{
	return (double)z[t] - (double)z[runner_up(z, k, t)];
}

/* Back into the box of half-width eps around `centre` and into [0,1]. */
static inline float boxed(double x, float centre, double eps)
{
	return (float)fmin(fmax(fmin(fmax(x, (double)centre - eps), (double)centre + eps), 0), 1);
}

#endif
