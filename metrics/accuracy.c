/* Accuracy: what the unprotected network, authorised users, everybody else and the attacker get right on the test set. */
#include "metrics/compute.h"

static int attacked_accuracy(const struct observations *o, struct value *v)
{
	return percent_of(o, "attacked_correct", v);
}

const struct metric metric_attacked_accuracy = {
	.drv = {
		.name = "attacked_accuracy",
		.summary = "test images that the attacker's model classifies right",
		.source = "ActiveGuard (Xue et al.), sec. IV-E, tables V and VI. Differs: nothing",
		.version = 1,
	},
	.title = "Accuracy after attack",
	.unit = "%",
	.survey = "2021 survey, Table II: robustness",
	.min = 0,
	.max = 100,
	.better = 0,
	.least = 1000,
	.least_of = "test images",
	.same_images = true,
	.bits = "attacked_correct",
	.compute = attacked_accuracy,
};

static int attacked_heldout_accuracy(const struct observations *o, struct value *v)
{
	return percent_of(o, "attacked_heldout_correct", v);
}

const struct metric metric_attacked_heldout_accuracy = {
	.drv = {
		.name = "attacked_heldout_accuracy",
		.summary = "the same on the test images that the attacker did not train on (published protocols "
			  "that fine-tune on test images)",
		.source = "our own, because ActiveGuard (sec. IV-E) fine-tunes on test images. Differs: defined "
			  "only for attacks that were given test images",
		.version = 1,
	},
	.title = "Accuracy, unseen images",
	.unit = "%",
	.survey = "2021 survey, Table II: robustness",
	.min = 0,
	.max = 100,
	.better = 0,
	.compute = attacked_heldout_accuracy,
};

static int attacked_loss(const struct observations *o, struct value *v)
{
	return points_between(o, "authorised_correct", "attacked_correct", v);
}

const struct metric metric_attacked_loss = {
	.drv = {
		.name = "attacked_loss",
		.summary = "authorised accuracy minus the accuracy of the attacker's model, on the same images",
		.source = "Lukas et al., SoK (S&P 2022), stealing loss; interval: Tango 1998. Differs: images "
			  "paired, score interval",
		.version = 1,
	},
	.title = "Loss by the attack",
	.unit = "points",
	.survey = "2021 survey, Table II: robustness",
	.min = -100,
	.max = 100,
	.better = 0,
	.compute = attacked_loss,
};

static int authorised_accuracy(const struct observations *o, struct value *v)
{
	return percent_of(o, "authorised_correct", v);
}

const struct metric metric_authorised_accuracy = {
	.drv = {
		.name = "authorised_accuracy",
		.summary = "test images that the service classifies right for users with a valid credential",
		.source = "Xue et al., survey of active protection (2023), II.B. Differs: one number over all users, "
			  "who ask in turn",
		.version = 1,
	},
	.title = "Authorised accuracy",
	.unit = "%",
	.survey = "2024 survey, II.B: model performance of authorised users",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 1000,
	.least_of = "test images",
	.same_images = true,
	.bits = "authorised_correct",
	.compute = authorised_accuracy,
};

static int channel_authorised_accuracy(const struct observations *o, struct value *v)
{
	return percent_of(o, "channel_authorised_correct", v);
}

const struct metric metric_channel_authorised_accuracy = {
	.drv = {
		.name = "channel_authorised_accuracy",
		.summary = "authorised accuracy when queries and image credentials pass the attack's channel",
		.source = "Xue et al., survey of active protection (2023), II.B. Differs: nothing",
		.version = 1,
	},
	.title = "Authorised, channel",
	.unit = "%",
	.survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 1000,
	.least_of = "test images",
	.same_images = true,
	.bits = "channel_authorised_correct",
	.compute = channel_authorised_accuracy,
};

static int channel_unauthorised_accuracy(const struct observations *o, struct value *v)
{
	return percent_of(o, "channel_unauthorised_correct", v);
}

const struct metric metric_channel_unauthorised_accuracy = {
	.drv = {
		.name = "channel_unauthorised_accuracy",
		.summary = "accuracy without a credential when queries pass the attack's channel",
		.source = "Xue et al., survey of active protection (2023), II.B. Differs: nothing",
		.version = 1,
	},
	.title = "Unauthorised, channel",
	.unit = "%",
	.survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0,
	.max = 100,
	.better = -1,
	.least = 1000,
	.least_of = "test images",
	.same_images = true,
	.bits = "channel_unauthorised_correct",
	.compute = channel_unauthorised_accuracy,
};

static int fidelity_loss(const struct observations *o, struct value *v)
{
	return points_between(o, "reference_correct", "authorised_correct", v);
}

const struct metric metric_fidelity_loss = {
	.drv = {
		.name = "fidelity_loss",
		.summary = "accuracy of the unprotected network minus authorised accuracy, on the same images",
		.source = "Xue et al., 2021 survey, Table II (fidelity); interval: Tango 1998. Differs: images paired, "
			  "score interval",
		.version = 1,
	},
	.title = "Fidelity loss",
	.unit = "points",
	.survey = "2021 survey, Table II: fidelity",
	.min = -100,
	.max = 100,
	.better = -1,
	.compute = fidelity_loss,
};

static int reference_accuracy(const struct observations *o, struct value *v)
{
	return percent_of(o, "reference_correct", v);
}

const struct metric metric_reference_accuracy = {
	.drv = {
		.name = "reference_accuracy",
		.summary = "test images that the unprotected network classifies right",
		.source = "the yardstick of the other accuracies. Differs: nothing",
		.version = 1,
	},
	.title = "Unprotected accuracy",
	.unit = "%",
	.survey = "none: the yardstick of the others",
	.min = 0,
	.max = 100,
	.better = 0,
	.least = 1000,
	.least_of = "test images",
	.same_images = true,
	.bits = "reference_correct",
	.compute = reference_accuracy,
};

static int unauthorised_accuracy(const struct observations *o, struct value *v)
{
	return percent_of(o, "unauthorised_correct", v);
}

const struct metric metric_unauthorised_accuracy = {
	.drv = {
		.name = "unauthorised_accuracy",
		.summary = "test images that the service classifies right for somebody without a credential",
		.source = "Xue et al., survey of active protection (2023), II.B. Differs: no credential at all; the "
			  "answers are not decoded",
		.version = 1,
	},
	.title = "Unauthorised accuracy",
	.unit = "%",
	.survey = "2024 survey, II.B: model performance of unauthorised users",
	.min = 0,
	.max = 100,
	.better = -1,
	.least = 1000,
	.least_of = "test images",
	.same_images = true,
	.bits = "unauthorised_correct",
	.compute = unauthorised_accuracy,
};

/* Over the keys that were tried: mean, with the smallest and the largest as its range, or the largest. */
static int over_keys(const struct observations *o, int largest, struct value *v)
{
	const struct obs_entry *e = obs_get(o, "wrong_key_accuracy", 's');
	double sum = 0, low, high;

	if (!e || !e->n)
		return 0;
	low = high = e->series[0];
	for (size_t i = 0; i < e->n; i++) {
		sum += e->series[i];
		low = e->series[i] < low ? e->series[i] : low;
		high = e->series[i] > high ? e->series[i] : high;
	}
	*v = largest ? (struct value){ high, high, high, 0, 0, 0 } : (struct value){ sum / (double)e->n, low, high, 0, 0, 0 };
	return 1;
}

static int wrong_key_accuracy(const struct observations *o, struct value *v)
{
	return over_keys(o, 0, v);
}

const struct metric metric_wrong_key_accuracy = {
	.drv = {
		.name = "wrong_key_accuracy",
		.summary = "mean accuracy of those who hold keys that nobody issued; the range is over the keys",
		.source = "Fan et al., DeepIPR (TPAMI 2022), random passports. Differs: the mean of 20 keys drawn without any secret",
		.version = 1,
	},
	.title = "Wrong keys, mean",
	.unit = "%",
	.survey = "2024 survey, II.B: model performance of unauthorised users",
	.min = 0,
	.max = 100,
	.better = -1,
	.compute = wrong_key_accuracy,
};

static int wrong_key_accuracy_max(const struct observations *o, struct value *v)
{
	return over_keys(o, 1, v);
}

const struct metric metric_wrong_key_accuracy_max = {
	.drv = {
		.name = "wrong_key_accuracy_max",
		.summary = "accuracy with the luckiest of the keys that nobody issued",
		.source = "Fan et al., DeepIPR (TPAMI 2022), random passports. Differs: the largest of 20 keys",
		.version = 1,
	},
	.title = "Wrong keys, largest",
	.unit = "%",
	.survey = "2024 survey, II.B: model performance of unauthorised users",
	.min = 0,
	.max = 100,
	.better = -1,
	.compute = wrong_key_accuracy_max,
};
