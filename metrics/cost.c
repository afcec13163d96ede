/* Cost that repeats to the bit: sizes, operations, compute in forward equivalents (forward 1, backward 2, per image).
 * Seconds and memory are beside the cell (bench/overhead.c). */
#include "metrics/compute.h"
#include "metrics/metric.h"

const struct metric metric_credential_bytes = {
	.drv = { .name = "credential_bytes", .version = 1,
		 .summary = "bytes of one credential as it is stored",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: nothing" },
	.title = "Bytes a credential", .unit = "bytes", .survey = "2024 survey, II.B: overhead",
	.min = 0, .max = 1e12, .better = -1, .number = "credential_bytes",
};

static int enrol_cost(const struct observations *o, struct value *v)
{
	const double n = obs_getnum(o, "users", 0) * obs_getnum(o, "credentials_per_user", 0);

	if (n < 1 || !number_of(o, "enrol_forward_equivalents", NULL, v))
		return 0;
	v->value = v->low = v->high = v->value / n;
	return 1;
}

const struct metric metric_enrol_cost = {
	.drv = { .name = "enrol_cost", .version = 1,
		 .summary = "compute to make one credential, in forward passes of one image",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: forward equivalents, not a ratio to "
			   "training" },
	.title = "Enrolment cost", .unit = "forwards", .survey = "2024 survey, II.B: overhead; 2021 survey, Table II: efficiency",
	.min = 0, .max = 1e18, .better = -1, .compute = enrol_cost,
};

const struct metric metric_lock_training_ratio = {
	.drv = { .name = "lock_training_ratio", .version = 1,
		 .summary = "compute to lock the model over compute to train the unprotected one",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: forward equivalents, not seconds" },
	.title = "Locking / training", .unit = "ratio",
	.survey = "2024 survey, II.B: overhead; 2021 survey, Table II: efficiency",
	.min = 0, .max = 1e6, .better = -1, .ratio = { "lock_forward_equivalents", "reference_forward_equivalents" },
};

const struct metric metric_mac_ratio = {
	.drv = { .name = "mac_ratio", .version = 1,
		 .summary = "multiply-accumulates of an answer over those of the unprotected network, without authentication",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: counted from the layers' shapes" },
	.title = "MACs ratio", .unit = "ratio", .survey = "2024 survey, II.B: overhead",
	.min = 0, .max = 1e6, .better = -1, .ratio = { "macs", "reference_macs" },
};

const struct metric metric_memory_ratio = {
	.drv = { .name = "memory_ratio", .version = 1,
		 .summary = "bytes of weights, statistics and shipped data over those of the unprotected network",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: what must be held, not peak RSS" },
	.title = "Memory ratio", .unit = "ratio", .survey = "2024 survey, II.B: overhead",
	.min = 0, .max = 1e6, .better = -1, .ratio = { "shipped_bytes", "reference_bytes" },
};

const struct metric metric_parameter_ratio = {
	.drv = { .name = "parameter_ratio", .version = 1,
		 .summary = "numbers of the deployed model and what ships with it over the parameters of the unprotected network",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: nothing" },
	.title = "Parameter ratio", .unit = "ratio", .survey = "2024 survey, II.B: overhead",
	.min = 0, .max = 1e6, .better = -1, .ratio = { "parameters", "reference_parameters" },
};
