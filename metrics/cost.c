/* Cost that repeats to the bit: sizes, operations, compute in forward equivalents (forward 1, backward 2, per image).
 * Seconds and memory are beside the cell (bench/overhead.c). */
#include "metrics/compute.h"

static int each_credential(const struct observations *o, const char *name, struct value *v)
{
	const double n = obs_getnum(o, "users", 0) * obs_getnum(o, "credentials_per_user", 0);

	if (n < 1 || !number_of(o, name, v))
		return 0;
	v->value = v->low = v->high = v->value / n;
	return 1;
}

static int credential_bytes(const struct observations *o, struct value *v)
{
	return number_of(o, "credential_bytes", v);
}

const struct metric metric_credential_bytes = {
	.drv = {
		.name = "credential_bytes",
		.summary = "bytes of one credential as it is stored",
		.source = "Xue et al., survey of active protection (2023), II.B. Differs: nothing",
		.version = 1,
	},
	.title = "Bytes a credential",
	.unit = "bytes",
	.survey = "2024 survey, II.B: overhead",
	.min = 0,
	.max = 1e12,
	.better = -1,
	.compute = credential_bytes,
};

static int enrol_cost(const struct observations *o, struct value *v)
{
	return each_credential(o, "enrol_forward_equivalents", v);
}

const struct metric metric_enrol_cost = {
	.drv = {
		.name = "enrol_cost",
		.summary = "compute to make one credential, in forward passes of one image",
		.source = "Xue et al., survey of active protection (2023), II.B. Differs: forward equivalents, not a "
			  "ratio to training",
		.version = 1,
	},
	.title = "Enrolment cost",
	.unit = "forwards",
	.survey = "2024 survey, II.B: overhead; 2021 survey, Table II: efficiency",
	.min = 0,
	.max = 1e18,
	.better = -1,
	.compute = enrol_cost,
};

static int lock_training_ratio(const struct observations *o, struct value *v)
{
	return ratio_of(o, "lock_forward_equivalents", "reference_forward_equivalents", v);
}

const struct metric metric_lock_training_ratio = {
	.drv = {
		.name = "lock_training_ratio",
		.summary = "compute to lock the model over compute to train the unprotected one",
		.source = "Xue et al., survey of active protection (2023), II.B. Differs: forward equivalents, not "
			  "seconds",
		.version = 1,
	},
	.title = "Locking / training",
	.unit = "ratio",
	.survey = "2024 survey, II.B: overhead; 2021 survey, Table II: efficiency",
	.min = 0,
	.max = 1e6,
	.better = -1,
	.compute = lock_training_ratio,
};

static int mac_ratio(const struct observations *o, struct value *v)
{
	return ratio_of(o, "macs", "reference_macs", v);
}

const struct metric metric_mac_ratio = {
	.drv = {
		.name = "mac_ratio",
		.summary = "multiply-accumulates of an answer over those of the unprotected network, without "
			  "authentication",
		.source = "Xue et al., survey of active protection (2023), II.B. Differs: counted from the layers' "
			  "shapes",
		.version = 1,
	},
	.title = "MACs ratio",
	.unit = "ratio",
	.survey = "2024 survey, II.B: overhead",
	.min = 0,
	.max = 1e6,
	.better = -1,
	.compute = mac_ratio,
};

static int memory_ratio(const struct observations *o, struct value *v)
{
	return ratio_of(o, "shipped_bytes", "reference_bytes", v);
}

const struct metric metric_memory_ratio = {
	.drv = {
		.name = "memory_ratio",
		.summary = "bytes of weights, statistics and shipped data over those of the unprotected network",
		.source = "Xue et al., survey of active protection (2023), II.B. Differs: what must be held, not peak "
			  "RSS",
		.version = 1,
	},
	.title = "Memory ratio",
	.unit = "ratio",
	.survey = "2024 survey, II.B: overhead",
	.min = 0,
	.max = 1e6,
	.better = -1,
	.compute = memory_ratio,
};

static int parameter_ratio(const struct observations *o, struct value *v)
{
	return ratio_of(o, "parameters", "reference_parameters", v);
}

const struct metric metric_parameter_ratio = {
	.drv = {
		.name = "parameter_ratio",
		.summary = "numbers of the deployed model and what ships with it over the parameters of the "
			  "unprotected network",
		.source = "Xue et al., survey of active protection (2023), II.B. Differs: nothing",
		.version = 1,
	},
	.title = "Parameter ratio",
	.unit = "ratio",
	.survey = "2024 survey, II.B: overhead",
	.min = 0,
	.max = 1e6,
	.better = -1,
	.compute = parameter_ratio,
};
