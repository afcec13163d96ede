/* What all attacks on a scheme together say. Worst cases and not means: a lock is as good as its weakest side. See study.h. */
#include "metrics/study.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "metrics/metric.h"
#include "metrics/stat/curve.h"

int study_say(double x, long n, struct value *v)
{
	*v = (struct value){ x, x, x, 0, 0, n };
	return n > 0;
}

/* 100 - the largest share of forged credentials that were accepted. */
static int unforged(const struct study *s, bool adaptive, struct value *v)
{
	double most = 0;
	long n = 0;

	for (int i = 0; i < s->n; i++)
		if (s->f[i].aspect == STUDY_ADMIT && (s->f[i].adaptive || !adaptive)) {
			most = fmax(most, s->f[i].value);
			n++;
		}
	return study_say(100 - most, n, v);
}

/* 6.12: 1 when no change of the model removes the mark at a loss of at most 5 points, else the smallest loss that does, by 5. */
static int unremovability(const struct study *s, struct value *v)
{
	double least = STUDY_LOSS;
	long n = 0;

	for (int i = 0; i < s->n; i++) {
		if (s->f[i].aspect != STUDY_MARK || s->f[i].loss > STUDY_LOSS) /* a model that is worth nothing has lost no mark */
			continue;
		n++;
		if (s->f[i].value <= 50)
			least = fmin(least, fmax(s->f[i].loss, 0));
	}
	return study_say(least / STUDY_LOSS, n, v);
}

/* ---- 5.2: what is left behind a channel, over the damage that it does to images ---- */

/* Of the channel of finding `first`: mean over 50 to 25 dB; a channel that does nothing leaves everything. */
static double area_of(const struct study *s, int first)
{
	double *x = xmalloc((size_t)s->n + 1, sizeof(*x)), *y = xmalloc((size_t)s->n + 1, sizeof(*y)), area;
	int n = 1;

	x[0] = 50;
	y[0] = 1;
	for (int i = first; i < s->n; i++)
		if (s->f[i].aspect == STUDY_SERVICE && s->f[i].attack == s->f[first].attack && s->f[i].psnr < 50) {
			x[n] = s->f[i].psnr;
			y[n++] = fmin(fmax(s->f[i].value, 0), 1);
		}
	area = mean_over(x, y, n, 25, 50);
	free(x);
	free(y);
	return area;
}

static int modified(const struct study *s, bool worst, struct value *v)
{
	double sum = 0, least = 1;
	long n = 0;

	for (int i = 0; i < s->n; i++) {
		bool seen = s->f[i].aspect != STUDY_SERVICE;
		double area;

		for (int k = 0; k < i && !seen; k++)
			seen = s->f[k].aspect == STUDY_SERVICE && s->f[k].attack == s->f[i].attack;
		if (seen)
			continue;
		area = area_of(s, i);
		sum += area;
		least = fmin(least, area);
		n++;
	}
	return study_say(n ? 100 * (worst ? least : sum / (double)n) : 0, n, v);
}

/* ---- metrics ---- */

static int adaptive_resistance(const struct study *s, struct value *v)
{
	double most = 0;
	long n = 0;

	for (int i = 0; i < s->n; i++)
		if (s->f[i].adaptive && s->f[i].aspect != STUDY_COLLUDE && s->f[i].aspect != STUDY_CLAIM) {
			most = fmax(most, s->f[i].harm);
			n++;
		}
	return study_say(100 * (1 - most), n, v);
}

const struct metric metric_adaptive_resistance = {
	.drv = { .name = "adaptive_resistance", .version = 1,
		 .summary = "what attackers who know the mechanism did not get: 1 - the largest harm of any of them",
		 .source = "reference 5.4. Differs: harm as in reports/outcome.h; strengths that were run, no area over "
			   "budgets" },
	.title = "Resistance, adaptive", .unit = "%", .survey = "2024 survey, II.B: resistance to adaptive attacks",
	.min = 0, .max = 100, .better = 1, .from = FROM_STUDY, .least = 1, .least_of = "adaptive attacks",
	.over = adaptive_resistance,
};

static int black_box_contradicted(const struct study *s, struct value *v)
{
	long n = 0;
	bool wrong = false;

	for (int i = 0; i < s->n; i++)
		if (s->f[i].same_answers) {
			wrong |= s->f[i].shut_out > 1;
			n++;
		}
	return study_say(wrong, n, v);
}

const struct metric metric_black_box_contradicted = {
	.drv = { .name = "black_box_contradicted", .version = 1,
		 .summary = "1 when other weights that give the same answers shut users out: then authentication reads weights, "
			    "whatever is declared",
		 .source = "reference 0.2 (c), 4.8. Differs: by attacks that change weights and no answer" },
	.title = "Reads weights", .unit = "yes/no", .survey = "2024 survey, II.B: knowledge of the target model",
	.min = 0, .max = 1, .better = -1, .from = FROM_STUDY, .least = 1, .least_of = "changes that leave all answers",
	.kind = METRIC_CHECKED, .over = black_box_contradicted,
};

static int collusion_resistance(const struct study *s, struct value *v)
{
	double held = 0, failed = INFINITY;
	long n = 0;

	for (int i = 0; i < s->n; i++) {
		const struct finding *f = &s->f[i];

		if (f->aspect != STUDY_COLLUDE)
			continue;
		n++;
		if (f->value >= 90 && f->before <= 1)
			held = fmax(held, f->colluders);
		else
			failed = fmin(failed, f->colluders);
	}
	return study_say(held < failed ? held : fmax(failed - 1, 0), n, v);
}

const struct metric metric_collusion_resistance = {
	.drv = { .name = "collusion_resistance", .version = 1,
		 .summary = "largest coalition of those tried whose credential still leads to one of them in 90 % of cases, and "
			    "to an innocent in at most 1 %",
		 .source = "reference 6.17. Differs: of credentials; the utility of models is not looked at" },
	.title = "Colluders withstood", .unit = "users", .survey = "2021 survey, Table II: collusion resistance",
	.min = 0, .max = 1000, .better = 1, .from = FROM_STUDY, .least = 1, .least_of = "strategies",
	.over = collusion_resistance,
};

static int generality(const struct study *s, struct value *v)
{
	double works = 0;

	for (int i = 0; i < s->nsettings; i++)
		works += s->setting[i].works;
	return study_say(s->nsettings ? 100 * works / s->nsettings : 0, s->nsettings, v);
}

const struct metric metric_generality = {
	.drv = { .name = "generality", .version = 1,
		 .summary = "data sets and networks of the store on which the lock, authentication and mark work",
		 .source = "reference 6.7. Differs: of what was run; one platform" },
	.title = "Works on", .unit = "%", .survey = "2021 survey, Table II: generality",
	.min = 0, .max = 100, .better = 1, .from = FROM_STUDY, .least = 9, .least_of = "data sets and networks",
	.kind = METRIC_CHECKED, .over = generality,
};

static int modification_resistance(const struct study *s, struct value *v)
{
	return modified(s, false, v);
}

const struct metric metric_modification_resistance = {
	.drv = { .name = "modification_resistance", .version = 1,
		 .summary = "what is left of accuracy or of accepted credentials, the smaller, over the damage that a channel "
			    "does from 50 to 25 dB; mean over channels",
		 .source = "reference 5.2. Differs: straight lines from nothing lost at 50 dB; beyond the strongest tried, its "
			   "value" },
	.title = "Resistance, modified", .unit = "%", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 100, .better = 1, .from = FROM_STUDY, .least = 3, .least_of = "channels",
	.over = modification_resistance,
};

static int modification_resistance_min(const struct study *s, struct value *v)
{
	return modified(s, true, v);
}

const struct metric metric_modification_resistance_min = {
	.drv = { .name = "modification_resistance_min", .version = 1,
		 .summary = "the same for the channel that does the most",
		 .source = "reference 5.2. Differs: as modification_resistance" },
	.title = "Modified, worst", .unit = "%", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 100, .better = 1, .from = FROM_STUDY, .least = 3, .least_of = "channels",
	.over = modification_resistance_min,
};

static int reverse_resistance(const struct study *s, struct value *v)
{
	double broke = INFINITY, tried = 0;
	long n = 0;

	for (int i = 0; i < s->n; i++) {
		const double cost = log10(fmax(s->f[i].forwards, 1));

		if (s->f[i].aspect != STUDY_USE)
			continue;
		n++;
		tried = fmax(tried, cost);
		if (s->f[i].broken)
			broke = fmin(broke, cost);
	}
	study_say(fmin(broke, tried), n, v);
	if (isinf(broke))
		v->high = 20;
	return n > 0;
}

const struct metric metric_reverse_resistance = {
	.drv = { .name = "reverse_resistance", .version = 1,
		 .summary = "compute of the cheapest way to a usable model, as a power of ten of forward passes; 0: nothing to "
			    "compute. Where none succeeded, the most that was tried, and open above",
		 .source = "reference 5.5. Differs: attacks that were run; edits and key bits count as no compute" },
	.title = "Cost to reverse", .unit = "log10", .survey = "2024 survey, II.B: reverse analysis resistance",
	.min = 0, .max = 20, .better = 1, .from = FROM_STUDY, .least = 3, .least_of = "attacks", .over = reverse_resistance,
};

static int robustness(const struct study *s, struct value *v)
{
	double stands = 0;
	long n = 0;

	for (int i = 0; i < s->n; i++)
		if (s->f[i].aspect == STUDY_MARK && s->f[i].loss <= STUDY_LOSS) {
			stands += s->f[i].value > 50;
			n++;
		}
	return study_say(n ? 100 * stands / (double)n : 0, n, v);
}

const struct metric metric_robustness = {
	.drv = { .name = "robustness", .version = 1,
		 .summary = "changes of the model at a loss of at most 5 points of accuracy after which the owner's mark still "
			    "verifies",
		 .source = "reference 6.2; Lukas et al., SoK (S&P 2022). Differs: the share of changes, each strength one; the "
			   "mark verifies in most seeds" },
	.title = "Mark, robust", .unit = "%", .survey = "2021 survey, Table II: robustness",
	.min = 0, .max = 100, .better = 1, .from = FROM_STUDY, .least = 5, .least_of = "changes at 5 points or less",
	.over = robustness,
};

static int scalability(const struct study *s, struct value *v)
{
	double mx = 0, my = 0, sxx = 0, sxy = 0;
	int n = 0, sizes = 0;

	for (int i = 0; i < s->nsettings; i++) {
		bool seen = false;

		if (!(s->setting[i].parameters > 0) || !(s->setting[i].lock_macs > 0))
			continue;
		for (int k = 0; k < i; k++)
			seen |= s->setting[k].parameters == s->setting[i].parameters && s->setting[k].lock_macs > 0;
		sizes += !seen;
		mx += log(s->setting[i].parameters);
		my += log(s->setting[i].lock_macs);
		n++;
	}
	v->seen = sizes;
	if (sizes < 2)
		return 0; /* no slope */
	mx /= n;
	my /= n;
	for (int i = 0; i < s->nsettings; i++) {
		const double x = s->setting[i].parameters, y = s->setting[i].lock_macs;

		if (!(x > 0) || !(y > 0))
			continue;
		sxx += (log(x) - mx) * (log(x) - mx);
		sxy += (log(x) - mx) * (log(y) - my);
	}
	return study_say(fmin(fmax(sxy / sxx, -10), 10), sizes, v);
}

const struct metric metric_scalability = {
	.drv = { .name = "scalability", .version = 1,
		 .summary = "how the compute to lock grows with the parameters of the network: the slope of their logarithms, 1 "
			    "is in proportion",
		 .source = "reference 6.10. Differs: counted multiply-accumulates, not seconds" },
	.title = "Growth of cost", .unit = "slope", .survey = "2021 survey, Table II: scalability",
	.min = -10, .max = 10, .better = -1, .from = FROM_STUDY, .least = 4, .least_of = "sizes of network", .over = scalability,
};

static int security(const struct study *s, struct value *v)
{
	struct value forged, removed;
	double least = INFINITY;
	long n = 0;

	if (s->has_concealment && ++n)
		least = fmin(least, s->concealment);
	if (unforged(s, false, &forged) && ++n)
		least = fmin(least, forged.value / 100);
	if (unremovability(s, &removed) && ++n)
		least = fmin(least, removed.value);
	return study_say(n ? least : 0, n, v);
}

const struct metric metric_security = {
	.drv = { .name = "security", .version = 1,
		 .summary = "the weakest of concealment, unforgeability and unremovability, each from 0 to 1",
		 .source = "reference 6.11. Differs: reading is part of forging here" },
	.title = "Security, weakest", .unit = "ratio", .survey = "2021 survey, Table II: security",
	.min = 0, .max = 1, .better = 1, .from = FROM_STUDY, .least = 2, .least_of = "of the three", .over = security,
};

static int unforgeability(const struct study *s, struct value *v)
{
	return unforged(s, false, v);
}

const struct metric metric_unforgeability = {
	.drv = { .name = "unforgeability", .version = 1,
		 .summary = "forged credentials that were refused, in the attack that fared best",
		 .source = "reference 5.3, 6.13. Differs: nothing" },
	.title = "Unforgeability", .unit = "%",
	.survey = "2024 survey, II.B: unforgeability of user identity; 2021 survey, Table II: unforgeability",
	.min = 0, .max = 100, .better = 1, .from = FROM_STUDY, .least = 3, .least_of = "attacks", .over = unforgeability,
};

static int unforgeability_adaptive(const struct study *s, struct value *v)
{
	return unforged(s, true, v);
}

const struct metric metric_unforgeability_adaptive = {
	.drv = { .name = "unforgeability_adaptive", .version = 1,
		 .summary = "the same among attacks that know the mechanism",
		 .source = "reference 5.3. Differs: nothing" },
	.title = "Unforgeable, adaptive", .unit = "%", .survey = "2024 survey, II.B: unforgeability of user identity",
	.min = 0, .max = 100, .better = 1, .from = FROM_STUDY, .least = 1, .least_of = "adaptive attacks",
	.over = unforgeability_adaptive,
};

const struct metric metric_unremovability = {
	.drv = { .name = "unremovability", .version = 1,
		 .summary = "1 when no change of the model removed the mark at a loss of at most 5 points of accuracy; else the "
			    "smallest such loss, divided by 5",
		 .source = "reference 6.12. Differs: whether the mark verifies, not rescaled to models without it" },
	.title = "Unremovability", .unit = "ratio", .survey = "2021 survey, Table II: unremovability",
	.min = 0, .max = 1, .better = 1, .from = FROM_STUDY, .least = 5, .least_of = "changes at 5 points or less",
	.over = unremovability,
};
