/* Identities: scores of genuine credentials and of impostors, and how well users are told apart. */
#include "metrics/compute.h"
#include "metrics/metric.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/rng.h"
#include "metrics/stat/effect.h"
#include "metrics/stat/roc.h"

#define SCORES_MAX 4096 /* a cell keeps 2000 of each; the intervals sort them again and again */
#define USERS_MAX 4096 /* of a matrix of users; a cell's has 64 at most */
#define EACH_MAX 1000000
#define REPLICATES 200 /* of the intervals of receiver curves */

/* ---- receiver curves ---- */

static double eer_of(const struct roc *r)
{
	return 100 * roc_eer(r);
}

static double frr_of(const struct roc *r)
{
	return 100 * roc_frr_at(r, 0.01);
}

static void draw(const struct obs_entry *e, struct rng *r, double *out)
{
	for (size_t i = 0; i < e->n; i++)
		out[i] = e->series[rng_below(r, (uint32_t)e->n)];
}

/* fn of the scores, with a percentile bootstrap interval over them (genuine and impostors drawn apart). */
static int of_curve(const struct observations *o, double (*fn)(const struct roc *), struct value *v)
{
	const struct obs_entry *a = obs_get(o, "genuine_scores", 's'), *b = obs_get(o, "zero_effort_scores", 's');
	double got[REPLICATES], *x, *y;
	struct roc roc;

	if (!a || !b || !a->n || !b->n || a->n > SCORES_MAX || b->n > SCORES_MAX)
		return 0;
	roc_of(a->series, (int)a->n, b->series, (int)b->n, &roc);
	*v = (struct value){ .value = fn(&roc), .seen = (long)b->n };
	roc_free(&roc);
	x = xmalloc(a->n, sizeof(*x));
	y = xmalloc(b->n, sizeof(*y));
	for (int i = 0; i < REPLICATES; i++) {
		struct rng r;

		rng_open(&r, 0, "receiver curve bootstrap", (uint32_t)i, 0);
		draw(a, &r, x);
		draw(b, &r, y);
		roc_of(x, (int)a->n, y, (int)b->n, &roc);
		got[i] = fn(&roc);
		roc_free(&roc);
	}
	v->low = fmin(v->value, quantile(got, REPLICATES, 0.025));
	v->high = fmax(v->value, quantile(got, REPLICATES, 0.975));
	free(x);
	free(y);
	return 1;
}

/* ---- whom credentials are taken for: (users x users), of user u taken for v ---- */

static const double *taken(const struct observations *o, long *users, long *each)
{
	const struct obs_entry *e = obs_get(o, "genuine_taken_for", 's');

	*users = count_of(o, "users");
	*each = count_of(o, "credentials_per_user");
	if (!e || *users < 2 || *users > USERS_MAX || *each < 1 || *each > EACH_MAX || (long)e->n != *users * *users ||
	    !are_counts(e->series, e->n))
		return NULL;
	for (long u = 0; u < *users; u++) { /* each credential is taken for one user at most */
		double all = 0;

		for (long i = 0; i < *users; i++)
			all += e->series[u * *users + i];
		if (all > (double)*each)
			return NULL;
	}
	return e->series;
}

/* ---- metrics ---- */

static int cross_acceptance(const struct observations *o, struct value *v)
{
	long users, each;
	const double *count = taken(o, &users, &each);
	double others = 0;

	for (long i = 0; count && i < users * users; i++)
		others += i / users != i % users ? count[i] : 0;
	return count ? percent((long)others, users * each * (users - 1), v) : 0;
}

const struct metric metric_cross_acceptance = {
	.drv = { .name = "cross_acceptance", .version = 1,
		 .summary = "how often a user's credential passes for a given other user: the mean off the diagonal of the "
			    "matrix of users",
		 .source = "ISO/IEC 19795-1, FAR of impostors with credentials of their own; reference 3.1, 4.5. Differs: "
			   "nothing" },
	.title = "Cross acceptance", .unit = "%", .survey = "2024 survey, II.B: uniqueness of user identity",
	.min = 0, .max = 100, .better = -1, .least = 10000, .least_of = "pairs of credential and claimed user",
	.compute = cross_acceptance,
};

static int cross_acceptance_max(const struct observations *o, struct value *v)
{
	long users, each, most = -1;
	const double *count = taken(o, &users, &each);

	for (long i = 0; count && i < users * users; i++)
		if (i / users != i % users && (long)count[i] > most)
			most = (long)count[i];
	return count ? percent(most, each, v) : 0;
}

const struct metric metric_cross_acceptance_max = {
	.drv = { .name = "cross_acceptance_max", .version = 1,
		 .summary = "the same for the pair of users that is confused most",
		 .source = "reference 4.5. Differs: the interval is that pair's, not corrected for having been chosen" },
	.title = "Cross acceptance, worst", .unit = "%",
	.survey = "2024 survey, II.B: uniqueness of user identity; 2021 survey, Table II: uniqueness",
	.min = 0, .max = 100, .better = -1, .least = 100, .least_of = "credentials a user", .each_user = true,
	.compute = cross_acceptance_max,
};

static int equal_error_rate(const struct observations *o, struct value *v)
{
	return of_curve(o, eer_of, v);
}

const struct metric metric_equal_error_rate = {
	.drv = { .name = "equal_error_rate", .version = 1,
		 .summary = "where as many genuine credentials are rejected as impostors are accepted, over all thresholds of "
			    "the score",
		 .source = "ISO/IEC 19795-1; reference 3.3, on the convex hull. Differs: impostors without effort; the bootstrap "
			   "draws scores, not users" },
	.title = "Equal error rate", .unit = "%", .survey = "2024 survey, II.B: success rate of user identity authentication",
	.min = 0, .max = 100, .better = -1, .least = 2000, .least_of = "impostors", .compute = equal_error_rate,
};

static int false_rejection(const struct observations *o, struct value *v)
{
	const struct obs_entry *e = obs_get(o, "genuine_accepted", 'b');

	return e ? percent((long)e->n - e->k, (long)e->n, v) : 0;
}

const struct metric metric_false_rejection = {
	.drv = { .name = "false_rejection", .version = 1,
		 .summary = "issued credentials that are rejected",
		 .source = "FRR of ISO/IEC 19795-1 at the threshold of the scheme; reference 3.1. Differs: nothing" },
	.title = "False rejection", .unit = "%", .survey = "2024 survey, II.B: success rate of user identity authentication",
	.min = 0, .max = 100, .better = -1, .least = 100, .least_of = "credentials a user", .each_user = true,
	.compute = false_rejection,
};

static int frr_at_far_1(const struct observations *o, struct value *v)
{
	return of_curve(o, frr_of, v);
}

const struct metric metric_frr_at_far_1 = {
	.drv = { .name = "frr_at_far_1", .version = 1,
		 .summary = "issued credentials rejected at the threshold that accepts at most 1 % of impostors",
		 .source = "ISO/IEC 19795-1; reference 3.3. Differs: impostors without effort" },
	.title = "FRR at FAR 1 %", .unit = "%", .survey = "2024 survey, II.B: success rate of user identity authentication",
	.min = 0, .max = 100, .better = -1, .least = 2000, .least_of = "impostors", .compute = frr_at_far_1,
};

static int identity_capacity(const struct observations *o, struct value *v)
{
	const struct obs_entry *e = obs_get(o, "users_analytic", 'n');
	const double bits = e && e->value >= 1 ? log2(e->value) : 0;

	*v = (struct value){ bits, bits, bits, 0, 0, 0 };
	return e && e->value >= 1;
}

const struct metric metric_identity_capacity = {
	.drv = { .name = "identity_capacity", .version = 1,
		 .summary = "bits of identity that the options allow: log2 of the users by formula",
		 .source = "reference 6.4. Differs: of identities, not of the mark" },
	.title = "Identity capacity", .unit = "bits", .survey = "2021 survey, Table II: capacity",
	.min = 0, .max = 64, .better = 1, .compute = identity_capacity,
};

const struct metric metric_identity_distance = {
	.drv = { .name = "identity_distance", .version = 1,
		 .summary = "what differs between two users' identities: bits of codes, else numbers of the credentials; mean "
			    "over pairs of 100 users",
		 .source = "reference 4.5. Differs: Hamming distance also where credentials are images or keys" },
	.title = "Identity distance", .unit = "%", .survey = "2024 survey, II.B: uniqueness of user identity",
	.min = 0, .max = 100, .better = 1, .least = 435, .least_of = "pairs of users", .number = "identity_distance_mean",
	.seen = "identity_distance_pairs",
};

const struct metric metric_identity_distance_min = {
	.drv = { .name = "identity_distance_min", .version = 1,
		 .summary = "the same for the two users who are most alike",
		 .source = "reference 4.5. Differs: as identity_distance" },
	.title = "Identity distance, least", .unit = "%", .survey = "2024 survey, II.B: uniqueness of user identity",
	.min = 0, .max = 100, .better = 1, .least = 435, .least_of = "pairs of users", .number = "identity_distance_least",
	.seen = "identity_distance_pairs",
};

static int misattribution(const struct observations *o, struct value *v)
{
	const struct obs_entry *a = obs_get(o, "genuine_accepted", 'b'), *b = obs_get(o, "genuine_identified", 'b');
	long wrong = 0;

	if (!a || !b || a->n != b->n || !a->k)
		return 0;
	for (size_t i = 0; i < a->n; i++)
		wrong += a->bits[i] && !b->bits[i];
	return percent(wrong, a->k, v);
}

const struct metric metric_misattribution = {
	.drv = { .name = "misattribution", .version = 1,
		 .summary = "accepted credentials that are taken for somebody else than their holder",
		 .source = "ISO/IEC 19795-1, open-set identification; reference 3.5. Differs: nothing" },
	.title = "Taken for another", .unit = "%", .survey = "2024 survey, II.B: uniqueness of user identity",
	.min = 0, .max = 100, .better = -1, .least = 1000, .least_of = "accepted credentials", .compute = misattribution,
};

static int score_auc(const struct observations *o, struct value *v)
{
	return of_curve(o, roc_auc, v);
}

const struct metric metric_score_auc = {
	.drv = { .name = "score_auc", .version = 1,
		 .summary = "how well the score of the check ranks genuine credentials above impostors, whatever the threshold",
		 .source = "reference 3.3. Differs: impostors without effort" },
	.title = "Score AUC", .unit = "ratio", .survey = "2024 survey, II.B: success rate of user identity authentication",
	.min = 0, .max = 1, .better = 1, .least = 2000, .least_of = "impostors", .compute = score_auc,
};
