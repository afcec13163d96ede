/* Ownership: does the owner's mark stand, and only where it should. */
#include "metrics/compute.h"
#include "metrics/metric.h"

#include <math.h>

#include "base/binomial.h"

static int changed(const struct observations *o, struct value *v)
{
	if (!number_of(o, "changed", NULL, v))
		return 0;
	v->value = v->low = v->high = 100 * v->value;
	return 1;
}

const struct metric metric_changed = {
	.drv = { .name = "changed", .version = 1,
		 .summary = "share of the product that the attack changed: weights of a model, images through a channel",
		 .source = "none. Differs: our own check that an attack did something" },
	.title = "Changed", .unit = "%", .survey = "2021 survey, Table II: robustness",
	.min = 0, .max = 100, .better = 0, .compute = changed,
};

#define SYMBOLS_MAX 1000000 /* no mark is longer, and the sum below goes over all of them */

static int mark_evidence(const struct observations *o, struct value *v)
{
	const struct obs_entry *e = obs_get(o, "mark_matched", 'b');
	const double values = obs_getnum(o, "mark_alphabet", 0);
	double bits;

	if (!e || values < 2 || e->n > SYMBOLS_MAX)
		return 0;
	bits = round(1e6 * binomial_evidence((int)e->k, (int)e->n, 1 / values)) / 1e6; /* C libraries' logarithms differ in the last bit */
	*v = (struct value){ bits, bits, bits, 0, 0, 0 };
	return 1;
}

const struct metric metric_mark_evidence = {
	.drv = { .name = "mark_evidence", .version = 1,
		 .summary = "-log2 of the exact probability that a network without the mark has so many of its symbols right by "
			    "luck",
		 .source = "Fan et al., DeepIPR (TPAMI 2022), sec. 4: signs as fair coins; ActiveGuard: digits as fair dice. "
			   "Differs: binomial tails, exactly; 20 bits are one in a million. Absent where a scheme has no model "
			   "of chance" },
	.title = "Evidence of the mark", .unit = "bits", .survey = "2021 survey, Table II: reliability",
	.min = 0, .max = 1e6, .better = 1, .compute = mark_evidence,
};

/* A count over the whole mark, not a sample: no interval. */
static int mark_symbols(const struct observations *o, struct value *v)
{
	if (!percent_of(o, "mark_matched", v))
		return 0;
	v->low = v->high = v->value;
	return 1;
}

const struct metric metric_mark_symbols = {
	.drv = { .name = "mark_symbols", .version = 1,
		 .summary = "symbols of the owner's mark that are read right, in the locked or the attacked model",
		 .source = "ActiveGuard, algorithm 1. Differs: the raw share, not rescaled to unmarked models" },
	.title = "Mark read", .unit = "%", .survey = "2021 survey, Table II: robustness",
	.min = 0, .max = 100, .better = 1, .compute = mark_symbols,
};

const struct metric metric_null_verification = {
	.drv = { .name = "null_verification", .version = 1,
		 .summary = "models without the mark in which it verifies all the same: the unprotected network and fresh ones",
		 .source = "Lukas et al., SoK (S&P 2022), null models. Differs: untrained null models; trained ones cost too "
			   "much in a cell" },
	.title = "Verified, unmarked", .unit = "%", .survey = "2021 survey, Table II: reliability",
	.min = 0, .max = 100, .better = -1, .least = 20, .least_of = "models without the mark", .share = "null_verified",
};

const struct metric metric_ownership_verified = {
	.drv = { .name = "ownership_verified", .version = 1,
		 .summary = "1 when the owner's mark verifies in the locked or the attacked model",
		 .source = "ActiveGuard (Xue et al.), sec. IV-E, tables V and VI. Differs: nothing" },
	.title = "Ownership verified", .unit = "yes/no", .survey = "2021 survey, Table II: robustness, ownership piracy",
	.min = 0, .max = 1, .better = 1, .number = "ownership_verified",
};
