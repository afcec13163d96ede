/* Accuracy: what the unprotected network, authorised users, everybody else and the attacker get right on the test set. */
#include "metrics/compute.h"
#include "metrics/metric.h"

const struct metric metric_attacked_accuracy = {
	.drv = { .name = "attacked_accuracy", .version = 1,
		 .summary = "test images that the attacker's model classifies right",
		 .source = "ActiveGuard (Xue et al.), sec. IV-E, tables V and VI. Differs: nothing" },
	.title = "Accuracy after attack", .unit = "%", .survey = "2021 survey, Table II: robustness",
	.min = 0, .max = 100, .better = 0, .least = 1000, .least_of = "test images", .same_images = true,
	.share = "attacked_correct",
};

const struct metric metric_attacked_heldout_accuracy = {
	.drv = { .name = "attacked_heldout_accuracy", .version = 1,
		 .summary = "the same on the test images that the attacker did not train on (published protocols that fine-tune "
			    "on test images)",
		 .source = "our own, because ActiveGuard (sec. IV-E) fine-tunes on test images. Differs: defined only for "
			   "attacks that were given test images" },
	.title = "Accuracy, unseen images", .unit = "%", .survey = "2021 survey, Table II: robustness",
	.min = 0, .max = 100, .better = 0, .share = "attacked_heldout_correct",
};

const struct metric metric_attacked_loss = {
	.drv = { .name = "attacked_loss", .version = 1,
		 .summary = "authorised accuracy minus the accuracy of the attacker's model, on the same images",
		 .source = "Lukas et al., SoK (S&P 2022), stealing loss; interval: Tango 1998. Differs: images paired, score "
			   "interval" },
	.title = "Loss by the attack", .unit = "points", .survey = "2021 survey, Table II: robustness",
	.min = -100, .max = 100, .better = 0, .points = { "authorised_correct", "attacked_correct" },
};

const struct metric metric_authorised_accuracy = {
	.drv = { .name = "authorised_accuracy", .version = 1,
		 .summary = "test images that the service classifies right for users with a valid credential",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: one number over all users, who ask in "
			   "turn" },
	.title = "Authorised accuracy", .unit = "%", .survey = "2024 survey, II.B: model performance of authorised users",
	.min = 0, .max = 100, .better = 1, .least = 1000, .least_of = "test images", .same_images = true,
	.share = "authorised_correct",
};

const struct metric metric_channel_authorised_accuracy = {
	.drv = { .name = "channel_authorised_accuracy", .version = 1,
		 .summary = "authorised accuracy when queries and image credentials pass the attack's channel",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: nothing" },
	.title = "Authorised, channel", .unit = "%", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 100, .better = 1, .least = 1000, .least_of = "test images", .same_images = true,
	.share = "channel_authorised_correct",
};

const struct metric metric_channel_unauthorised_accuracy = {
	.drv = { .name = "channel_unauthorised_accuracy", .version = 1,
		 .summary = "accuracy without a credential when queries pass the attack's channel",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: nothing" },
	.title = "Unauthorised, channel", .unit = "%", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 100, .better = -1, .least = 1000, .least_of = "test images", .same_images = true,
	.share = "channel_unauthorised_correct",
};

const struct metric metric_fidelity_loss = {
	.drv = { .name = "fidelity_loss", .version = 1,
		 .summary = "accuracy of the unprotected network minus authorised accuracy, on the same images",
		 .source = "Xue et al., 2021 survey, Table II (fidelity); interval: Tango 1998. Differs: images paired, score "
			   "interval" },
	.title = "Fidelity loss", .unit = "points", .survey = "2021 survey, Table II: fidelity",
	.min = -100, .max = 100, .better = -1, .points = { "reference_correct", "authorised_correct" },
};

const struct metric metric_reference_accuracy = {
	.drv = { .name = "reference_accuracy", .version = 1,
		 .summary = "test images that the unprotected network classifies right",
		 .source = "the yardstick of the other accuracies. Differs: nothing" },
	.title = "Unprotected accuracy", .unit = "%", .survey = "none: the yardstick of the others",
	.min = 0, .max = 100, .better = 0, .least = 1000, .least_of = "test images", .same_images = true,
	.share = "reference_correct",
};

const struct metric metric_unauthorised_accuracy = {
	.drv = { .name = "unauthorised_accuracy", .version = 1,
		 .summary = "test images that the service classifies right for somebody without a credential",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: no credential at all; the answers are "
			   "not decoded" },
	.title = "Unauthorised accuracy", .unit = "%", .survey = "2024 survey, II.B: model performance of unauthorised users",
	.min = 0, .max = 100, .better = -1, .least = 1000, .least_of = "test images", .same_images = true,
	.share = "unauthorised_correct",
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
	.drv = { .name = "wrong_key_accuracy", .version = 1,
		 .summary = "mean accuracy of those who hold keys that nobody issued; the range is over the keys",
		 .source = "Fan et al., DeepIPR (TPAMI 2022), random passports. Differs: the mean of 20 keys drawn without any "
			   "secret" },
	.title = "Wrong keys, mean", .unit = "%", .survey = "2024 survey, II.B: model performance of unauthorised users",
	.min = 0, .max = 100, .better = -1, .compute = wrong_key_accuracy,
};

static int wrong_key_accuracy_max(const struct observations *o, struct value *v)
{
	return over_keys(o, 1, v);
}

const struct metric metric_wrong_key_accuracy_max = {
	.drv = { .name = "wrong_key_accuracy_max", .version = 1,
		 .summary = "accuracy with the luckiest of the keys that nobody issued",
		 .source = "Fan et al., DeepIPR (TPAMI 2022), random passports. Differs: the largest of 20 keys" },
	.title = "Wrong keys, largest", .unit = "%", .survey = "2024 survey, II.B: model performance of unauthorised users",
	.min = 0, .max = 100, .better = -1, .compute = wrong_key_accuracy_max,
};
