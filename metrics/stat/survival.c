/* Budgets to success, some of them censored: Kaplan-Meier and log-rank. See curve.h. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "metrics/stat/curve.h"
#include "metrics/stat/dist.h"
#include "metrics/stat/rank.h"

/* Of those (n): still without success just before t, and successful at t. */
static void count(const double *budget, const bool *event, int n, double t, int *risk, int *events)
{
	*risk = *events = 0;
	for (int i = 0; i < n; i++) {
		*risk += budget[i] >= t || same_number(budget[i], t);
		*events += event[i] && same_number(budget[i], t);
	}
}

/* The next budget above t at which somebody succeeds. */
static bool next_event(const double *budget, const bool *event, int n, double t, double *next)
{
	bool found = false;

	for (int i = 0; i < n; i++)
		if (event[i] && budget[i] > t && !same_number(budget[i], t) && (!found || budget[i] < *next)) {
			*next = budget[i];
			found = true;
		}
	return found;
}

bool median_budget(const double *budget, const bool *event, int n, double *median)
{
	double t = -INFINITY, left = 1;
	int risk, events;

	while (next_event(budget, event, n, t, &t)) {
		count(budget, event, n, t, &risk, &events);
		left *= 1 - (double)events / risk;
		if (left <= 0.5 + 1e-12) {
			*median = t;
			return true;
		}
	}
	return false;
}

double log_rank(const double *budget1, const bool *event1, int n1, const double *budget2, const bool *event2, int n2)
{
	double t = -INFINITY, off = 0, variance = 0;

	for (;;) {
		double a = INFINITY, b = INFINITY, risk, d;
		const bool in1 = next_event(budget1, event1, n1, t, &a), in2 = next_event(budget2, event2, n2, t, &b);
		int risk1, risk2, d1, d2;

		if (!in1 && !in2)
			break;
		t = fmin(a, b);
		count(budget1, event1, n1, t, &risk1, &d1);
		count(budget2, event2, n2, t, &risk2, &d2);
		risk = risk1 + risk2;
		d = d1 + d2;
		off += d1 - d * risk1 / risk;
		if (risk > 1)
			variance += d * (risk - d) / (risk - 1) * (risk1 / risk) * (risk2 / risk);
	}
	return variance > 0 ? chi2_tail(1, off * off / variance) : 1;
}
