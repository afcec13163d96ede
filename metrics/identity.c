/* Parts of a check, and identities read from queries: metrics of schemes whose credentials are more than one fact. */
#include "metrics/compute.h"
#include "metrics/metric.h"

static int class_check(const struct observations *o, struct value *v)
{
	return percent_of(o, "genuine_check_class", v);
}

const struct metric metric_class_check = {
	.drv = {
		.name = "class_check",
		.summary = "issued credentials that the network takes for the secret class, whatever identity they bear",
		.source = "Xue, Sun et al., Applied Intelligence 52 (2022). Differs: reported apart from the identity",
		.version = 1,
	},
	.title = "Class recognised",
	.unit = "%",
	.survey = "2024 survey, II.B: success rate of user identity authentication",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 1000,
	.least_of = "credentials",
	.compute = class_check,
};

static int identity_check(const struct observations *o, struct value *v)
{
	return percent_of(o, "genuine_check_identity", v);
}

const struct metric metric_identity_check = {
	.drv = {
		.name = "identity_check",
		.summary = "issued credentials whose hidden identity is read and valid, whatever class they get",
		.source = "Xue, Sun et al., Applied Intelligence 52 (2022). Differs: reported apart from the class",
		.version = 1,
	},
	.title = "Identity read",
	.unit = "%",
	.survey = "2024 survey, II.B: uniqueness of user identity",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 1000,
	.least_of = "credentials",
	.compute = identity_check,
};

static int channel_class_check(const struct observations *o, struct value *v)
{
	return percent_of(o, "channel_check_class", v);
}

const struct metric metric_channel_class_check = {
	.drv = {
		.name = "channel_class_check",
		.summary = "issued credentials that still get the secret class behind the channel",
		.source = "Xue, Sun et al., Applied Intelligence 52 (2022). Differs: through our channels",
		.version = 1,
	},
	.title = "Class, channel",
	.unit = "%",
	.survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 100,
	.least_of = "credentials",
	.compute = channel_class_check,
};

static int channel_identity_check(const struct observations *o, struct value *v)
{
	return percent_of(o, "channel_check_identity", v);
}

const struct metric metric_channel_identity_check = {
	.drv = {
		.name = "channel_identity_check",
		.summary = "issued credentials whose hidden identity is still read behind the channel",
		.source = "Xue, Sun et al., Applied Intelligence 52 (2022). Differs: through our channels",
		.version = 1,
	},
	.title = "Identity, channel",
	.unit = "%",
	.survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 100,
	.least_of = "credentials",
	.compute = channel_identity_check,
};

static int traced_queries(const struct observations *o, struct value *v)
{
	return percent_of(o, "genuine_traced", v);
}

const struct metric metric_traced_queries = {
	.drv = {
		.name = "traced_queries",
		.summary = "queries of users that are traced to the user who sent them",
		.source = "Wu et al., AICAS 2022. Differs: per query; votes are in identification",
		.version = 1,
	},
	.title = "Queries traced",
	.unit = "%",
	.survey = "2024 survey, II.B: uniqueness of user identity",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 1000,
	.least_of = "queries",
	.compute = traced_queries,
};

static int channel_traced_queries(const struct observations *o, struct value *v)
{
	return percent_of(o, "channel_traced", v);
}

const struct metric metric_channel_traced_queries = {
	.drv = {
		.name = "channel_traced_queries",
		.summary = "queries of users that are still traced to their sender behind the channel",
		.source = "Wu et al., AICAS 2022. Differs: through our channels",
		.version = 1,
	},
	.title = "Traced, channel",
	.unit = "%",
	.survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 1000,
	.least_of = "queries",
	.compute = channel_traced_queries,
};

static int identity_bits(const struct observations *o, struct value *v)
{
	return percent_of(o, "genuine_bits_read", v);
}

const struct metric metric_identity_bits = {
	.drv = {
		.name = "identity_bits",
		.summary = "bits of identities that are read right from queries, before any error correction",
		.source = "Wu et al., AICAS 2022. Differs: nothing",
		.version = 1,
	},
	.title = "Identity bits read",
	.unit = "%",
	.survey = "2024 survey, II.B: uniqueness of user identity",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 1000,
	.least_of = "bits",
	.compute = identity_bits,
};

static int channel_identity_bits(const struct observations *o, struct value *v)
{
	return percent_of(o, "channel_bits_read", v);
}

const struct metric metric_channel_identity_bits = {
	.drv = {
		.name = "channel_identity_bits",
		.summary = "bits of identities that are still read right behind the channel",
		.source = "Wu et al., AICAS 2022. Differs: through our channels",
		.version = 1,
	},
	.title = "Bits read, channel",
	.unit = "%",
	.survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 1000,
	.least_of = "bits",
	.compute = channel_identity_bits,
};

static int forged_class_check(const struct observations *o, struct value *v)
{
	return percent_of(o, "forged_check_class", v);
}

const struct metric metric_forged_class_check = {
	.drv = {
		.name = "forged_class_check",
		.summary = "forged credentials that the network takes for the secret class, whatever identity they bear",
		.source = "Xue, Sun et al., Applied Intelligence 52 (2022). Differs: of our forgers' credentials",
		.version = 1,
	},
	.title = "Class, forged",
	.unit = "%",
	.survey = "2024 survey, II.B: unforgeability of user identity",
	.min = 0,
	.max = 100,
	.better = -1,
	.least = 1000,
	.least_of = "attempts",
	.compute = forged_class_check,
};

static int forged_identity_check(const struct observations *o, struct value *v)
{
	return percent_of(o, "forged_check_identity", v);
}

const struct metric metric_forged_identity_check = {
	.drv = {
		.name = "forged_identity_check",
		.summary = "forged credentials that bear a valid identity, whatever class they get",
		.source = "Xue, Sun et al., Applied Intelligence 52 (2022). Differs: of our forgers' credentials",
		.version = 1,
	},
	.title = "Identity, forged",
	.unit = "%",
	.survey = "2024 survey, II.B: unforgeability of user identity",
	.min = 0,
	.max = 100,
	.better = -1,
	.least = 1000,
	.least_of = "attempts",
	.compute = forged_identity_check,
};
