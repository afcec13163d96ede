/* Parts of a check, and identities read from queries: metrics of schemes whose credentials are more than one fact. */
#include "metrics/metric.h"

const struct metric metric_class_check = {
	.drv = { .name = "class_check", .version = 1,
		 .summary = "issued credentials that the network takes for the secret class, whatever identity they bear",
		 .source = "Xue, Sun et al., Applied Intelligence 52 (2022). Differs: reported apart from the identity" },
	.title = "Class recognised", .unit = "%", .survey = "2024 survey, II.B: success rate of user identity authentication",
	.min = 0, .max = 100, .better = 1, .least = 1000, .least_of = "credentials", .share = "genuine_check_class",
};

const struct metric metric_identity_check = {
	.drv = { .name = "identity_check", .version = 1,
		 .summary = "issued credentials whose hidden identity is read and valid, whatever class they get",
		 .source = "Xue, Sun et al., Applied Intelligence 52 (2022). Differs: reported apart from the class" },
	.title = "Identity read", .unit = "%", .survey = "2024 survey, II.B: uniqueness of user identity",
	.min = 0, .max = 100, .better = 1, .least = 1000, .least_of = "credentials", .share = "genuine_check_identity",
};

const struct metric metric_channel_class_check = {
	.drv = { .name = "channel_class_check", .version = 1,
		 .summary = "issued credentials that still get the secret class behind the channel",
		 .source = "Xue, Sun et al., Applied Intelligence 52 (2022). Differs: through our channels" },
	.title = "Class, channel", .unit = "%", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 100, .better = 1, .least = 100, .least_of = "credentials", .share = "channel_check_class",
};

const struct metric metric_channel_identity_check = {
	.drv = { .name = "channel_identity_check", .version = 1,
		 .summary = "issued credentials whose hidden identity is still read behind the channel",
		 .source = "Xue, Sun et al., Applied Intelligence 52 (2022). Differs: through our channels" },
	.title = "Identity, channel", .unit = "%", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 100, .better = 1, .least = 100, .least_of = "credentials", .share = "channel_check_identity",
};

const struct metric metric_traced_queries = {
	.drv = { .name = "traced_queries", .version = 1,
		 .summary = "queries of users that are traced to the user who sent them",
		 .source = "Wu et al., AICAS 2022. Differs: per query; votes are in identification" },
	.title = "Queries traced", .unit = "%", .survey = "2024 survey, II.B: uniqueness of user identity",
	.min = 0, .max = 100, .better = 1, .least = 1000, .least_of = "queries", .share = "genuine_traced",
};

const struct metric metric_channel_traced_queries = {
	.drv = { .name = "channel_traced_queries", .version = 1,
		 .summary = "queries of users that are still traced to their sender behind the channel",
		 .source = "Wu et al., AICAS 2022. Differs: through our channels" },
	.title = "Traced, channel", .unit = "%", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 100, .better = 1, .least = 1000, .least_of = "queries", .share = "channel_traced",
};

const struct metric metric_identity_bits = {
	.drv = { .name = "identity_bits", .version = 1,
		 .summary = "bits of identities that are read right from queries, before any error correction",
		 .source = "Wu et al., AICAS 2022. Differs: nothing" },
	.title = "Identity bits read", .unit = "%", .survey = "2024 survey, II.B: uniqueness of user identity",
	.min = 0, .max = 100, .better = 1, .least = 1000, .least_of = "bits", .share = "genuine_bits_read",
};

const struct metric metric_channel_identity_bits = {
	.drv = { .name = "channel_identity_bits", .version = 1,
		 .summary = "bits of identities that are still read right behind the channel",
		 .source = "Wu et al., AICAS 2022. Differs: through our channels" },
	.title = "Bits read, channel", .unit = "%", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 100, .better = 1, .least = 1000, .least_of = "bits", .share = "channel_bits_read",
};

const struct metric metric_forged_class_check = {
	.drv = { .name = "forged_class_check", .version = 1,
		 .summary = "forged credentials that the network takes for the secret class, whatever identity they bear",
		 .source = "Xue, Sun et al., Applied Intelligence 52 (2022). Differs: of our forgers' credentials" },
	.title = "Class, forged", .unit = "%", .survey = "2024 survey, II.B: unforgeability of user identity",
	.min = 0, .max = 100, .better = -1, .least = 1000, .least_of = "attempts", .share = "forged_check_class",
};

const struct metric metric_forged_identity_check = {
	.drv = { .name = "forged_identity_check", .version = 1,
		 .summary = "forged credentials that bear a valid identity, whatever class they get",
		 .source = "Xue, Sun et al., Applied Intelligence 52 (2022). Differs: of our forgers' credentials" },
	.title = "Identity, forged", .unit = "%", .survey = "2024 survey, II.B: unforgeability of user identity",
	.min = 0, .max = 100, .better = -1, .least = 1000, .least_of = "attempts", .share = "forged_check_identity",
};
