/* Authentication: who is let in, and for whom they are taken. */
#include "metrics/compute.h"

static int attacked_authentication(const struct observations *o, struct value *v)
{
	return percent_of(o, "attacked_genuine_accepted", v);
}

const struct metric metric_attacked_authentication = {
	.drv = {
		.name = "attacked_authentication",
		.summary = "issued credentials that are accepted when the service runs the attacker's model",
		.source = "our own: do keys survive a changed model. Differs: nothing",
		.version = 1,
	},
	.title = "Authentication, attacked",
	.unit = "%",
	.survey = "2024 survey, II.B: success rate of user identity authentication",
	.min = 0,
	.max = 100,
	.better = 0,
	.least = 100,
	.least_of = "credentials",
	.compute = attacked_authentication,
};

static int authentication_mean(const struct observations *o, struct value *v)
{
	return percent_of(o, "genuine_accepted", v);
}

const struct metric metric_authentication_mean = {
	.drv = {
		.name = "authentication_mean",
		.summary = "issued credentials that are accepted",
		.source = "ActiveGuard, table II; 1 - FRR of ISO/IEC 19795-1. Differs: nothing",
		.version = 1,
	},
	.title = "Authentication",
	.unit = "%",
	.survey = "2024 survey, II.B: success rate of user identity authentication",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 100,
	.least_of = "credentials a user",
	.each_user = true,
	.compute = authentication_mean,
};

static int authentication_min(const struct observations *o, struct value *v)
{
	return worst_user(o, "genuine_accepted", v);
}

const struct metric metric_authentication_min = {
	.drv = {
		.name = "authentication_min",
		.summary = "issued credentials that are accepted, of the user who fares worst",
		.source = "ActiveGuard, table II, its smallest row. Differs: the interval is that user's own, not "
			  "corrected for having been chosen",
		.version = 1,
	},
	.title = "Authentication, worst",
	.unit = "%",
	.survey = "2024 survey, II.B: success rate of user identity authentication",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 100,
	.least_of = "credentials a user",
	.each_user = true,
	.compute = authentication_min,
};

static int channel_authentication(const struct observations *o, struct value *v)
{
	return percent_of(o, "channel_genuine_accepted", v);
}

const struct metric metric_channel_authentication = {
	.drv = {
		.name = "channel_authentication",
		.summary = "issued credentials that are accepted after the attack's channel",
		.source = "Xue et al., survey of active protection (2023), II.B. Differs: nothing",
		.version = 1,
	},
	.title = "Authentication, channel",
	.unit = "%",
	.survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 100,
	.least_of = "credentials",
	.compute = channel_authentication,
};

static int channel_authentication_min(const struct observations *o, struct value *v)
{
	return worst_user(o, "channel_genuine_accepted", v);
}

const struct metric metric_channel_authentication_min = {
	.drv = {
		.name = "channel_authentication_min",
		.summary = "the same for the user who fares worst",
		.source = "Xue et al., survey of active protection (2023), II.B. Differs: the interval is that user's "
			  "own",
		.version = 1,
	},
	.title = "Auth., channel, worst",
	.unit = "%",
	.survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 100,
	.least_of = "credentials a user",
	.each_user = true,
	.compute = channel_authentication_min,
};

static int channel_identification(const struct observations *o, struct value *v)
{
	return percent_of(o, "channel_genuine_identified", v);
}

const struct metric metric_channel_identification = {
	.drv = {
		.name = "channel_identification",
		.summary = "issued credentials that are accepted and taken for the right user after the attack's "
			  "channel",
		.source = "Xue et al., survey of active protection (2023), II.B. Differs: nothing",
		.version = 1,
	},
	.title = "Identified, channel",
	.unit = "%",
	.survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 100,
	.least_of = "credentials",
	.compute = channel_identification,
};

static int false_acceptance(const struct observations *o, struct value *v)
{
	return percent_of(o, "zero_effort_accepted", v);
}

const struct metric metric_false_acceptance = {
	.drv = {
		.name = "false_acceptance",
		.summary = "credentials made without any effort that are accepted: clean test images, or random "
			  "content of a key's form",
		.source = "ISO/IEC 19795-1, zero-effort impostors. Differs: nothing",
		.version = 1,
	},
	.title = "False acceptance",
	.unit = "%",
	.survey = "2024 survey, II.B: success rate of user identity authentication",
	.min = 0,
	.max = 100,
	.better = -1,
	.least = 10000,
	.least_of = "impostors",
	.same_images = true,
	.bits = "zero_effort_accepted",
	.compute = false_acceptance,
};

static int forgery_acceptance(const struct observations *o, struct value *v)
{
	return percent_of(o, "forged_accepted", v);
}

const struct metric metric_forgery_acceptance = {
	.drv = {
		.name = "forgery_acceptance",
		.summary = "forged credentials of an attack that the service accepts",
		.source = "ActiveGuard, table IV; IAPAR of ISO/IEC 30107-3. Differs: nothing",
		.version = 1,
	},
	.title = "Forgeries accepted",
	.unit = "%",
	.survey = "2024 survey, II.B: unforgeability of user identity",
	.min = 0,
	.max = 100,
	.better = -1,
	.least = 1000,
	.least_of = "attempts",
	.compute = forgery_acceptance,
};

static int forgery_as_claimed(const struct observations *o, struct value *v)
{
	return percent_of(o, "forged_as_claimed", v);
}

const struct metric metric_forgery_as_claimed = {
	.drv = {
		.name = "forgery_as_claimed",
		.summary = "forged credentials that are accepted and taken for the user they claim to be",
		.source = "IAPAR of ISO/IEC 30107-3 for a claimed user. Differs: nothing",
		.version = 1,
	},
	.title = "Forgeries as claimed",
	.unit = "%",
	.survey = "2024 survey, II.B: unforgeability of user identity",
	.min = 0,
	.max = 100,
	.better = -1,
	.least = 1000,
	.least_of = "attempts",
	.compute = forgery_as_claimed,
};

static int identification(const struct observations *o, struct value *v)
{
	return percent_of(o, "genuine_identified", v);
}

const struct metric metric_identification = {
	.drv = {
		.name = "identification",
		.summary = "issued credentials that are accepted and taken for the right user",
		.source = "ISO/IEC 19795-1, open-set identification at rank 1. Differs: nothing",
		.version = 1,
	},
	.title = "Identified",
	.unit = "%",
	.survey = "2024 survey, II.B: uniqueness of user identity; 2021 survey, Table II: uniqueness",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 100,
	.least_of = "credentials a user",
	.each_user = true,
	.compute = identification,
};

static int revoked_acceptance(const struct observations *o, struct value *v)
{
	return percent_of(o, "revoked_accepted", v);
}

const struct metric metric_revoked_acceptance = {
	.drv = {
		.name = "revoked_acceptance",
		.summary = "credentials of a revoked user that are still accepted",
		.source = "our own check of a declared property. Differs: nothing",
		.version = 1,
	},
	.title = "Revoked, accepted",
	.unit = "%",
	.survey = "2024 survey, II.B: number of supported users",
	.min = 0,
	.max = 100,
	.better = -1,
	.least = 100,
	.least_of = "credentials",
	.compute = revoked_acceptance,
};

static int users_analytic(const struct observations *o, struct value *v)
{
	return number_of(o, "users_analytic", v);
}

const struct metric metric_users_analytic = {
	.drv = {
		.name = "users_analytic",
		.summary = "users that the options allow by the paper's own formula",
		.source = "Xue et al., survey of active protection (2023), II.B. Differs: nothing",
		.version = 1,
	},
	.title = "Users, by formula",
	.unit = "users",
	.survey = "2024 survey, II.B: number of supported users",
	.min = 0,
	.max = 1e18,
	.better = 1,
	.compute = users_analytic,
};

static int users_measured(const struct observations *o, struct value *v)
{
	return number_of(o, "users_measured", v);
}

const struct metric metric_users_measured = {
	.drv = {
		.name = "users_measured",
		.summary = "enrolled users with at least one credential that is accepted and taken for them",
		.source = "Xue et al., survey of active protection (2023), II.B. Differs: counts within the users "
			  "enrolled; read it beside false_acceptance",
		.version = 1,
	},
	.title = "Users, measured",
	.unit = "users",
	.survey = "2024 survey, II.B: number of supported users",
	.min = 0,
	.max = 1e9,
	.better = 1,
	.compute = users_measured,
};
