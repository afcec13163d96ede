/* Credentials that users made together, or lent: do they work, and whom do they name? */
#include "metrics/compute.h"
#include "metrics/metric.h"

static int acceptance(const struct observations *o, struct value *v)
{
	return percent_of(o, "colluded_accepted", v);
}

const struct metric metric_collusion_acceptance = {
	.drv = {
		.name = "collusion_acceptance",
		.summary = "credentials that colluders made of theirs, or lent, and that the service accepts",
		.source = "Xue et al., survey of active protection (2023), IV. Differs: measured; the survey asks for it and gives no figures",
		.version = 1,
	},
	.title = "Collusion accepted",
	.unit = "%",
	.survey = "2021 survey, Table II: collusion resistance",
	.min = 0,
	.max = 100,
	.better = -1,
	.least = 100,
	.least_of = "coalitions",
	.compute = acceptance,
};

static int traced(const struct observations *o, struct value *v)
{
	return percent_of(o, "colluded_traced", v);
}

const struct metric metric_collusion_traced = {
	.drv = {
		.name = "collusion_traced",
		.summary = "such credentials that are accepted and taken for one of the colluders",
		.source = "Xue et al., survey of active protection (2023), IV. Differs: measured; the survey asks for it and gives no figures",
		.version = 1,
	},
	.title = "Colluder traced",
	.unit = "%",
	.survey = "2021 survey, Table II: collusion resistance",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 100,
	.least_of = "coalitions",
	.compute = traced,
};

static int framed(const struct observations *o, struct value *v)
{
	return percent_of(o, "colluded_framed", v);
}

const struct metric metric_collusion_framed = {
	.drv = {
		.name = "collusion_framed",
		.summary = "such credentials that are accepted and taken for a user who had no part",
		.source = "Xue et al., survey of active protection (2023), IV. Differs: measured; the survey asks for it and gives no figures",
		.version = 1,
	},
	.title = "Innocent framed",
	.unit = "%",
	.survey = "2021 survey, Table II: collusion resistance",
	.min = 0,
	.max = 100,
	.better = -1,
	.least = 100,
	.least_of = "coalitions",
	.compute = framed,
};

static int untraced(const struct observations *o, struct value *v)
{
	return percent_of(o, "colluded_nobody", v);
}

const struct metric metric_collusion_untraced = {
	.drv = {
		.name = "collusion_untraced",
		.summary = "such credentials that are accepted and taken for nobody who exists",
		.source = "Xue et al., survey of active protection (2023), IV. Differs: measured; the survey asks for it and gives no figures",
		.version = 1,
	},
	.title = "Nobody traced",
	.unit = "%",
	.survey = "2021 survey, Table II: collusion resistance",
	.min = 0,
	.max = 100,
	.better = -1,
	.least = 100,
	.least_of = "coalitions",
	.compute = untraced,
};

static int unrevoked(const struct observations *o, struct value *v)
{
	return percent_of(o, "colluded_revoked_accepted", v);
}

const struct metric metric_collusion_unrevoked = {
	.drv = {
		.name = "collusion_unrevoked",
		.summary = "such credentials that are still accepted after the user whom they name was revoked",
		.source = "Xue et al., survey of active protection (2023), IV. Differs: measured; the survey asks for it and gives no figures",
		.version = 1,
	},
	.title = "Survives revocation",
	.unit = "%",
	.survey = "2021 survey, Table II: collusion resistance",
	.min = 0,
	.max = 100,
	.better = -1,
	.compute = unrevoked,
};

static int collateral(const struct observations *o, struct value *v)
{
	return percent_of(o, "collusion_collateral", v);
}

const struct metric metric_collusion_collateral = {
	.drv = {
		.name = "collusion_collateral",
		.summary = "valid credentials of users outside the coalition that are refused after that revocation",
		.source = "Xue et al., survey of active protection (2023), IV. Differs: measured; the survey asks for it and gives no figures",
		.version = 1,
	},
	.title = "Revocation collateral",
	.unit = "%",
	.survey = "2021 survey, Table II: collusion resistance",
	.min = 0,
	.max = 100,
	.better = -1,
	.compute = collateral,
};
