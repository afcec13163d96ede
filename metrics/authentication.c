/* Authentication: who is let in, and for whom they are taken. */
#include "metrics/compute.h"
#include "metrics/metric.h"

const struct metric metric_attacked_authentication = {
	.drv = { .name = "attacked_authentication", .version = 1,
		 .summary = "issued credentials that are accepted when the service runs the attacker's model",
		 .source = "our own: do keys survive a changed model. Differs: nothing" },
	.title = "Authentication, attacked", .unit = "%",
	.survey = "2024 survey, II.B: success rate of user identity authentication",
	.min = 0, .max = 100, .better = 0, .least = 100, .least_of = "credentials", .share = "attacked_genuine_accepted",
};

const struct metric metric_authentication_mean = {
	.drv = { .name = "authentication_mean", .version = 1,
		 .summary = "issued credentials that are accepted",
		 .source = "ActiveGuard, table II; 1 - FRR of ISO/IEC 19795-1. Differs: nothing" },
	.title = "Authentication", .unit = "%", .survey = "2024 survey, II.B: success rate of user identity authentication",
	.min = 0, .max = 100, .better = 1, .least = 100, .least_of = "credentials a user", .each_user = true,
	.share = "genuine_accepted",
};

const struct metric metric_authentication_min = {
	.drv = { .name = "authentication_min", .version = 1,
		 .summary = "issued credentials that are accepted, of the user who fares worst",
		 .source = "ActiveGuard, table II, its smallest row. Differs: the interval is that user's own, not corrected for "
			   "having been chosen" },
	.title = "Authentication, worst", .unit = "%",
	.survey = "2024 survey, II.B: success rate of user identity authentication",
	.min = 0, .max = 100, .better = 1, .least = 100, .least_of = "credentials a user", .each_user = true,
	.worst_user = "genuine_accepted",
};

const struct metric metric_channel_authentication = {
	.drv = { .name = "channel_authentication", .version = 1,
		 .summary = "issued credentials that are accepted after the attack's channel",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: nothing" },
	.title = "Authentication, channel", .unit = "%", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 100, .better = 1, .least = 100, .least_of = "credentials", .share = "channel_genuine_accepted",
};

const struct metric metric_channel_authentication_min = {
	.drv = { .name = "channel_authentication_min", .version = 1,
		 .summary = "the same for the user who fares worst",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: the interval is that user's own" },
	.title = "Auth., channel, worst", .unit = "%", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 100, .better = 1, .least = 100, .least_of = "credentials a user", .each_user = true,
	.worst_user = "channel_genuine_accepted",
};

const struct metric metric_channel_identification = {
	.drv = { .name = "channel_identification", .version = 1,
		 .summary = "issued credentials that are accepted and taken for the right user after the attack's channel",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: nothing" },
	.title = "Identified, channel", .unit = "%", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 100, .better = 1, .least = 100, .least_of = "credentials", .share = "channel_genuine_identified",
};

const struct metric metric_false_acceptance = {
	.drv = { .name = "false_acceptance", .version = 1,
		 .summary = "credentials made without any effort that are accepted: clean test images, or random content of a "
			    "key's form",
		 .source = "ISO/IEC 19795-1, zero-effort impostors. Differs: nothing" },
	.title = "False acceptance", .unit = "%", .survey = "2024 survey, II.B: success rate of user identity authentication",
	.min = 0, .max = 100, .better = -1, .least = 10000, .least_of = "impostors", .same_images = true,
	.share = "zero_effort_accepted",
};

const struct metric metric_forgery_acceptance = {
	.drv = { .name = "forgery_acceptance", .version = 1,
		 .summary = "forged credentials of an attack that the service accepts",
		 .source = "ActiveGuard, table IV; IAPAR of ISO/IEC 30107-3. Differs: nothing" },
	.title = "Forgeries accepted", .unit = "%", .survey = "2024 survey, II.B: unforgeability of user identity",
	.min = 0, .max = 100, .better = -1, .least = 1000, .least_of = "attempts", .share = "forged_accepted",
};

const struct metric metric_forgery_as_claimed = {
	.drv = { .name = "forgery_as_claimed", .version = 1,
		 .summary = "forged credentials that are accepted and taken for the user they claim to be",
		 .source = "IAPAR of ISO/IEC 30107-3 for a claimed user. Differs: nothing" },
	.title = "Forgeries as claimed", .unit = "%", .survey = "2024 survey, II.B: unforgeability of user identity",
	.min = 0, .max = 100, .better = -1, .least = 1000, .least_of = "attempts", .share = "forged_as_claimed",
};

const struct metric metric_identification = {
	.drv = { .name = "identification", .version = 1,
		 .summary = "issued credentials that are accepted and taken for the right user",
		 .source = "ISO/IEC 19795-1, open-set identification at rank 1. Differs: nothing" },
	.title = "Identified", .unit = "%",
	.survey = "2024 survey, II.B: uniqueness of user identity; 2021 survey, Table II: uniqueness",
	.min = 0, .max = 100, .better = 1, .least = 100, .least_of = "credentials a user", .each_user = true,
	.share = "genuine_identified",
};

const struct metric metric_revoked_acceptance = {
	.drv = { .name = "revoked_acceptance", .version = 1,
		 .summary = "credentials of a revoked user that are still accepted",
		 .source = "our own check of a declared property. Differs: nothing" },
	.title = "Revoked, accepted", .unit = "%", .survey = "2024 survey, II.B: number of supported users",
	.min = 0, .max = 100, .better = -1, .least = 100, .least_of = "credentials", .share = "revoked_accepted",
};

const struct metric metric_users_analytic = {
	.drv = { .name = "users_analytic", .version = 1,
		 .summary = "users that the options allow by the paper's own formula",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: nothing" },
	.title = "Users, by formula", .unit = "users", .survey = "2024 survey, II.B: number of supported users",
	.min = 0, .max = 1e18, .better = 1, .number = "users_analytic",
};

const struct metric metric_users_measured = {
	.drv = { .name = "users_measured", .version = 1,
		 .summary = "enrolled users with at least one credential that is accepted and taken for them",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: counts within the users enrolled; "
			   "read it beside false_acceptance" },
	.title = "Users, measured", .unit = "users", .survey = "2024 survey, II.B: number of supported users",
	.min = 0, .max = 1e9, .better = 1, .number = "users_measured",
};
