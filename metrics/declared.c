/* What a driver declares of its scheme, as far as measurements can show it to be wrong. */
#include "metrics/compute.h"
#include "metrics/metric.h"

#include <math.h>
#include <string.h>

#include "metrics/stat/stats.h"

/* ---- functions that work: at least 95 % of what should succeed does, at most 1 % of what should not ---- */

static int at_least(const struct observations *o, const char *bits, double share)
{
	const struct obs_entry *e = obs_get(o, bits, 'b');

	return e && e->n && (double)e->k >= share * (double)e->n;
}

static int at_most(const struct observations *o, const char *bits, double share)
{
	const struct obs_entry *e = obs_get(o, bits, 'b');

	return e && e->n && (double)e->k <= share * (double)e->n;
}

/* Bits of decisions of one kind that the parts of the check explain: accepted exactly when all passed. */
static void replay(const struct observations *o, const char *kind, long *agree, long *n)
{
	char name[64];
	const struct obs_entry *decision, *part[8];
	const size_t prefix = strlen(kind) + strlen("_check_");
	int parts = 0;

	snprintf(name, sizeof(name), "%s_accepted", kind);
	decision = obs_get(o, name, 'b');
	snprintf(name, sizeof(name), "%s_check_", kind);
	for (int i = 0; decision && i < o->n && parts < 8; i++)
		if (o->e[i].kind == 'b' && !strncmp(o->e[i].name, name, prefix) && o->e[i].n == decision->n)
			part[parts++] = &o->e[i];
	for (size_t i = 0; parts && i < decision->n; i++, ++*n) {
		int all = 1;

		for (int p = 0; p < parts; p++)
			all &= part[p]->bits[i];
		*agree += all == decision->bits[i];
	}
}

/* ---- metrics ---- */

const struct metric metric_black_box = {
	.drv = { .name = "black_box", .version = 1,
		 .summary = "1 when the driver declares that authentication sees answers only; an attack that leaves every "
			    "answer as it was and still shuts users out proves it wrong (black_box_contradicted)",
		 .source = "reference 4.8. Differs: one step, black or white box" },
	.title = "Black box, declared", .unit = "yes/no", .survey = "2024 survey, II.B: knowledge of the target model",
	.min = 0, .max = 1, .better = 1, .kind = METRIC_CHECKED, .number = "declared_black_box",
};

static int deployment_convenience(const struct observations *o, struct value *v)
{
	const struct obs_entry *declared = obs_get(o, "declared_deployment", 'n');
	const double spent = obs_getnum(o, "lock_forward_equivalents", -1), all = obs_getnum(o, "reference_forward_equivalents", 0);
	double level;

	if (!declared || spent < 0 || !(all > 0))
		return 0;
	level = spent <= 0.01 * all ? 3 : spent <= 0.1 * all ? 2 : declared->value < 1 ? 0 : 1;
	*v = (struct value){ level, level, level, 0, 0, 0 };
	return 1;
}

const struct metric metric_deployment_convenience = {
	.drv = { .name = "deployment_convenience", .version = 1,
		 .summary = "3: put beside a trained network; 2: fine-tuning, at most 10 % of the training from scratch; 1: full "
			    "training; 0: full training for each user. As measured by the compute to lock",
		 .source = "reference 4.7. Differs: the measured step counts, what the driver declares (for its default options) "
			   "only separates 1 from 0" },
	.title = "Deployment", .unit = "level", .survey = "2024 survey, II.B: convenience of deployment",
	.min = 0, .max = 3, .better = 1, .kind = METRIC_CHECKED, .compute = deployment_convenience,
};

static int functions_working(const struct observations *o, struct value *v)
{
	int declared = 0, work = 0;

	if (obs_get(o, "unauthorised_correct", 'b') && obs_get(o, "authorised_correct", 'b') && obs_getnum(o, "declared_users", 0) > 0) { /* a lock: half of the way is barred */
		const struct obs_entry *in = obs_get(o, "authorised_correct", 'b'), *out = obs_get(o, "unauthorised_correct", 'b');
		const double classes = obs_getnum(o, "classes", 0), chance = classes > 0 ? (double)in->n / classes : 0;

		declared++;
		work += (double)out->k - chance <= 0.5 * ((double)in->k - chance);
	}
	if (obs_getnum(o, "declared_users", 0) > 0 && ++declared)
		work += at_least(o, "genuine_accepted", 0.95) && at_most(o, "zero_effort_accepted", 0.01);
	if (obs_getnum(o, "declared_identities", 0) > 0 && ++declared)
		work += at_least(o, "genuine_identified", 0.95) || at_least(o, "genuine_traced", 0.95);
	if (obs_getnum(o, "declared_revocation", 0) > 0 && ++declared)
		work += at_most(o, "revoked_accepted", 0.01);
	if (obs_getnum(o, "declared_ownership", 0) > 0 && obs_get(o, "ownership_verified", 'n') && ++declared)
		work += obs_getnum(o, "ownership_verified", 0) >= 1 && at_most(o, "null_verified", 0.01);
	*v = (struct value){ work, work, work, work, declared, 0 };
	return declared > 0;
}

const struct metric metric_functions_working = {
	.drv = { .name = "functions_working", .version = 1,
		 .summary = "functions of those declared that work: access control, authentication, identification, revocation, "
			    "ownership; at least 95 % success where it should succeed, at most 1 % where not",
		 .source = "reference 6.3. Differs: trials of one model, not of 20; k of n are working of declared" },
	.title = "Functions that work", .unit = "functions", .survey = "2021 survey, Table II: functionality",
	.min = 0, .max = 5, .better = 1, .kind = METRIC_CHECKED, .compute = functions_working,
};

static int mark_capacity(const struct observations *o, struct value *v)
{
	const struct obs_entry *e = obs_get(o, "mark_matched", 'b');
	const double values = obs_getnum(o, "mark_alphabet", 0);
	double bits;

	if (!e || values < 1)
		return 0;
	bits = (double)e->k >= 0.99 * (double)e->n ? (double)e->n * log2(values) : 0;
	*v = (struct value){ bits, bits, bits, 0, 0, 0 };
	return 1;
}

const struct metric metric_mark_capacity = {
	.drv = { .name = "mark_capacity", .version = 1,
		 .summary = "bits of the mark that are embedded and read with at most 1 % of errors; 0 for a mark that only says "
			    "yes or no",
		 .source = "reference 6.4. Differs: symbols as bits by the size of their alphabet; before any attack" },
	.title = "Mark capacity", .unit = "bits", .survey = "2021 survey, Table II: capacity",
	.min = 0, .max = 100000, .better = 1, .compute = mark_capacity,
};

static int rule_replay(const struct observations *o, struct value *v)
{
	long agree = 0, n = 0;

	replay(o, "genuine", &agree, &n);
	replay(o, "zero_effort", &agree, &n);
	return percent(agree, n, v);
}

const struct metric metric_rule_replay = {
	.drv = { .name = "rule_replay", .version = 1,
		 .summary = "decisions that the named parts of the check explain: accepted exactly when all of them passed",
		 .source = "reference 4.9 (a), (c). Differs: no counterfactual; schemes whose check has no named parts have no "
			   "value" },
	.title = "Decisions explained", .unit = "%", .survey = "2024 survey, II.B: interpretability",
	.min = 0, .max = 100, .better = 1, .kind = METRIC_CHECKED, .least = 1000, .least_of = "decisions", .compute = rule_replay,
};

const struct metric metric_wrong_key_verification = {
	.drv = { .name = "wrong_key_verification", .version = 1,
		 .summary = "keys of the right form that are not the owner's (its own numbers in another order) with which the "
			    "mark verifies all the same in the marked model",
		 .source = "reference 6.6, 6.14, 6.16. Differs: keys without search; an attacker who fits a key to the model is "
			   "an attack of its own" },
	.title = "Verified, wrong key", .unit = "%",
	.survey = "2021 survey, Table II: reliability, non-ownership piracy, verifiability, non-invertible",
	.min = 0, .max = 100, .better = -1, .least = 100, .least_of = "keys", .share = "strange_verified",
};
