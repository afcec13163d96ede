/* Credentials that users made together, or lent: do they work, and whom do they name? */
#include "metrics/metric.h"

const struct metric metric_collusion_acceptance = {
	.drv = { .name = "collusion_acceptance", .version = 1,
		 .summary = "credentials that colluders made of theirs, or lent, and that the service accepts",
		 .source = "Xue et al., survey of active protection (2023), IV. Differs: measured; the survey asks for it and "
			   "gives no figures" },
	.title = "Collusion accepted", .unit = "%", .survey = "2021 survey, Table II: collusion resistance",
	.min = 0, .max = 100, .better = -1, .least = 100, .least_of = "coalitions", .share = "colluded_accepted",
};

const struct metric metric_collusion_traced = {
	.drv = { .name = "collusion_traced", .version = 1,
		 .summary = "such credentials that are accepted and taken for one of the colluders",
		 .source = "Xue et al., survey of active protection (2023), IV. Differs: measured; the survey asks for it and "
			   "gives no figures" },
	.title = "Colluder traced", .unit = "%", .survey = "2021 survey, Table II: collusion resistance",
	.min = 0, .max = 100, .better = 1, .least = 100, .least_of = "coalitions", .share = "colluded_traced",
};

const struct metric metric_collusion_framed = {
	.drv = { .name = "collusion_framed", .version = 1,
		 .summary = "such credentials that are accepted and taken for a user who had no part",
		 .source = "Xue et al., survey of active protection (2023), IV. Differs: measured; the survey asks for it and "
			   "gives no figures" },
	.title = "Innocent framed", .unit = "%", .survey = "2021 survey, Table II: collusion resistance",
	.min = 0, .max = 100, .better = -1, .least = 100, .least_of = "coalitions", .share = "colluded_framed",
};

const struct metric metric_collusion_untraced = {
	.drv = { .name = "collusion_untraced", .version = 1,
		 .summary = "such credentials that are accepted and taken for nobody who exists",
		 .source = "Xue et al., survey of active protection (2023), IV. Differs: measured; the survey asks for it and "
			   "gives no figures" },
	.title = "Nobody traced", .unit = "%", .survey = "2021 survey, Table II: collusion resistance",
	.min = 0, .max = 100, .better = -1, .least = 100, .least_of = "coalitions", .share = "colluded_nobody",
};

const struct metric metric_collusion_unrevoked = {
	.drv = { .name = "collusion_unrevoked", .version = 1,
		 .summary = "such credentials that are still accepted after the user whom they name was revoked",
		 .source = "Xue et al., survey of active protection (2023), IV. Differs: measured; the survey asks for it and "
			   "gives no figures" },
	.title = "Survives revocation", .unit = "%", .survey = "2021 survey, Table II: collusion resistance",
	.min = 0, .max = 100, .better = -1, .share = "colluded_revoked_accepted",
};

const struct metric metric_collusion_collateral = {
	.drv = { .name = "collusion_collateral", .version = 1,
		 .summary = "valid credentials of users outside the coalition that are refused after that revocation",
		 .source = "Xue et al., survey of active protection (2023), IV. Differs: measured; the survey asks for it and "
			   "gives no figures" },
	.title = "Revocation collateral", .unit = "%", .survey = "2021 survey, Table II: collusion resistance",
	.min = 0, .max = 100, .better = -1, .share = "collusion_collateral",
};
