/* What answers are worth: to users beyond their accuracy, and to somebody without a credential who reads more into them. */
#include "metrics/compute.h"
#include "metrics/metric.h"

#include <math.h>

/* ---- confusions: (classes x classes), images of class i that are answered k ---- */

static const double *confusion(const struct observations *o, const char *name, int *classes)
{
	const struct obs_entry *e = obs_get(o, name, 's');
	const double root = e ? sqrt((double)e->n) : 0;

	*classes = (int)root;
	return e && e->n && root == floor(root) && are_counts(e->series, e->n) ? e->series : NULL;
}

/* -sum p log2 p of n counts, `step` apart, with total their sum; *used: how many are not 0. */
static double entropy_of(const double *count, int n, double total, int *used)
{
	double h = 0;

	for (int i = 0; i < n; i++)
		if (count[i] > 0) {
			h -= count[i] / total * log2(count[i] / total);
			++*used;
		}
	return h;
}

/* The observation with more right answers: what somebody without a credential gets, or makes of it. NULL: neither was seen. */
static const char *best_without(const struct observations *o)
{
	const struct obs_entry *plain = obs_get(o, "unauthorised_correct", 'b'), *decoded = obs_get(o, "decoded_correct", 'b');

	if (!plain || !decoded || plain->n != decoded->n)
		return NULL;
	return decoded->k > plain->k ? "decoded_correct" : "unauthorised_correct";
}

/* ---- metrics ---- */

static int answers_indistinguishable(const struct observations *o, struct value *v)
{
	static const char *const name[] = { "answers_auc_confidence", "answers_auc_entropy", "answers_auc_margin" };
	double least = 1;

	for (int i = 0; i < 3; i++) {
		const struct obs_entry *e = obs_get(o, name[i], 'n');

		if (!e)
			return 0;
		least = fmin(least, 1 - 2 * fabs(e->value - 0.5));
	}
	*v = (struct value){ least, least, least, 0, 0, count_of(o, "answers_compared") };
	return 1;
}

const struct metric metric_answers_indistinguishable = {
	.drv = { .name = "answers_indistinguishable", .version = 1,
		 .summary = "how little an answer alone shows that it was given without a credential: 1 - 2 |AUC - 0.5| of the "
			    "best of top probability, entropy and margin",
		 .source = "reference 6.9. Differs: neither energy nor a trained distinguisher: an upper bound" },
	.title = "Answers alike", .unit = "ratio", .survey = "2021 survey, Table II: indistinguishability",
	.min = 0, .max = 1, .better = 1, .least = 1000, .least_of = "answers of each kind", .compute = answers_indistinguishable,
};

static int authorised_accuracy_min(const struct observations *o, struct value *v)
{
	const struct obs_entry *e = obs_get(o, "authorised_correct", 'b');
	const long askers = count_of(o, "askers");
	double worst = 2;

	if (!e || askers < 1 || (long)e->n < askers)
		return 0;
	for (long u = 0; u < askers; u++) {
		long k = 0, n = 0;

		for (long i = u; i < (long)e->n; i += askers, n++)
			k += e->bits[i];
		if ((double)k / (double)n < worst) {
			worst = (double)k / (double)n;
			percent(k, n, v);
		}
	}
	return 1;
}

const struct metric metric_authorised_accuracy_min = {
	.drv = { .name = "authorised_accuracy_min", .version = 1,
		 .summary = "test images that the service classifies right for the user who fares worst",
		 .source = "reference 2.1. Differs: each user asks a share of the test images; the interval is that share's, not "
			   "corrected for having been chosen" },
	.title = "Authorised, worst user", .unit = "%", .survey = "2024 survey, II.B: model performance of authorised users",
	.min = 0, .max = 100, .better = 1, .least = 100, .least_of = "images a user", .same_images = true,
	.compute = authorised_accuracy_min,
};

static int class_recall_min(const struct observations *o, struct value *v)
{
	int classes;
	const double *count = confusion(o, "authorised_confusion", &classes);
	double worst = 2;

	for (int i = 0; count && i < classes; i++) {
		const double right = count[(size_t)i * (size_t)classes + (size_t)i];
		double n = 0;

		for (int k = 0; k < classes; k++)
			n += count[(size_t)i * (size_t)classes + (size_t)k];
		if (n > 0 && right / n < worst) {
			worst = right / n;
			percent((long)right, (long)n, v);
		}
	}
	return worst <= 1;
}

const struct metric metric_class_recall_min = {
	.drv = { .name = "class_recall_min", .version = 1,
		 .summary = "authorised accuracy on the class that fares worst",
		 .source = "reference 2.9. Differs: nothing" },
	.title = "Worst class", .unit = "%", .survey = "2024 survey, II.B: model performance of authorised users",
	.min = 0, .max = 100, .better = 1, .least = 100, .least_of = "images a class", .same_images = true,
	.compute = class_recall_min,
};

static int decoded_accuracy(const struct observations *o, struct value *v)
{
	const char *best = best_without(o);

	return best ? percent_of(o, best, v) : 0;
}

const struct metric metric_decoded_accuracy = {
	.drv = { .name = "decoded_accuracy", .version = 1,
		 .summary = "the most that somebody without a credential gets: the answers as they are, their least likely "
			    "class, or what a map learnt from 500 labelled images makes of either",
		 .source = "reference 2.3. Differs: no regression on scores, which the attack decode has; the larger of plain "
			   "and decoded" },
	.title = "Without, decoded", .unit = "%", .survey = "2024 survey, II.B: model performance of unauthorised users",
	.min = 0, .max = 100, .better = -1, .least = 1000, .least_of = "test images", .same_images = true,
	.compute = decoded_accuracy,
};

static int leakage(const struct observations *o, struct value *v)
{
	int classes, cells = 0, rows = 0, columns = 0;
	const double *count = confusion(o, "unauthorised_confusion", &classes);
	double row[64] = { 0 }, column[64] = { 0 }, total = 0, bits;

	if (!count || classes > 64)
		return 0;
	for (int i = 0; i < classes; i++)
		for (int k = 0; k < classes; k++) {
			const double c = count[(size_t)i * (size_t)classes + (size_t)k];

			row[i] += c;
			column[k] += c;
			total += c;
		}
	if (!(total > 0) || total > 1e15)
		return 0;
	bits = entropy_of(row, classes, total, &rows) + entropy_of(column, classes, total, &columns) -
	       entropy_of(count, classes * classes, total, &cells);
	bits += (rows + columns - cells - 1) / (2 * total * log(2)); /* Miller and Madow */
	bits = fmin(fmax(bits, 0), log2(classes));
	*v = (struct value){ bits, bits, bits, 0, 0, (long)total };
	return 1;
}

const struct metric metric_leakage = {
	.drv = { .name = "leakage", .version = 1,
		 .summary = "what an answer without a credential says about the true class: mutual information",
		 .source = "reference 2.4, Miller-Madow corrected. Differs: cut at 0; of top classes, not of scores" },
	.title = "Leakage", .unit = "bits", .survey = "2024 survey, II.B: model performance of unauthorised users",
	.min = 0, .max = 8, .better = -1, .least = 1000, .least_of = "test images", .compute = leakage,
};

const struct metric metric_prediction_agreement = {
	.drv = { .name = "prediction_agreement", .version = 1,
		 .summary = "test images on which authorised users and the unprotected network get the same class, right or "
			    "wrong",
		 .source = "reference 2.7. Differs: nothing" },
	.title = "Same answers", .unit = "%", .survey = "2021 survey, Table II: fidelity",
	.min = 0, .max = 100, .better = 1, .least = 1000, .least_of = "test images", .same_images = true,
	.share = "authorised_agrees",
};

static int unlock_gap(const struct observations *o, struct value *v)
{
	const char *best = best_without(o);

	return best ? points_between(o, "authorised_correct", best, v) : 0;
}

const struct metric metric_unlock_gap = {
	.drv = { .name = "unlock_gap", .version = 1,
		 .summary = "authorised accuracy minus the most that somebody without a credential gets, decoded",
		 .source = "reference 2.6. Differs: not divided by the way from chance" },
	.title = "Unlock gap", .unit = "points", .survey = "2024 survey, II.B: model performance of unauthorised users",
	.min = -100, .max = 100, .better = 1, .least = 1000, .least_of = "test images", .compute = unlock_gap,
};
