/* The survey's table: all schemes, what a lock is for, and which of them is best. See summary.h. */
#include "reports/summary.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "metrics/stat/rank.h"
#include "metrics/stat/stats.h"
#include "metrics/stat/tests.h"
#include "reports/evidence.h"
#include "reports/study.h"

/* ---- the best, if it is ---- */

/* Do a's values lie above (sign 1) or below (-1) b's, paired by seed, at confidence 1 - alpha? */
static bool differs(const struct group *a, const struct group *b, const char *metric, int sign, double alpha)
{
	double sum = 0, squares = 0, x, y, mean;
	int n = 0;

	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < a->ncells; i++) {
			const json_t *other = group_cell(b, jget_int(a->cell[i], "seed", 0));

			if (!other || !cell_metric(a->cell[i], metric, &x) || !cell_metric(other, metric, &y))
				continue;
			n += !pass;
			x = difference_of(x, y);
			sum += pass ? 0 : x;
			squares += pass ? (x - sum / n) * (x - sum / n) : 0;
		}
	if (n < 2)
		return false;
	mean = sign * sum / n;
	return mean - student_t(n - 1, 1 - alpha) * sqrt(squares / (n - 1) / n) > 0;
}

static bool holds(const struct group *a, const struct group *b, const char *metric, int sign, double alpha)
{
	struct summary x, y;

	if (!group_summary(a, metric, &x) || !group_summary(b, metric, &y) || !differs(a, b, metric, sign, alpha))
		return false;
	return !x.trials || !y.trials || strcmp(metric_unit(metric), "%") || fisher_exact(x.k, x.trials, y.k, y.trials) <= alpha;
}

/* In the competition: measured in all seeds, with evidence, and no control. */
static const struct group *competitor(struct rows *r, int context, int scheme, const char *metric, struct summary *s)
{
	const struct group *g = rows_group(r, context, scheme, -1, 0);

	if (!g || r->context[context].scheme[scheme].control || !group_summary(g, metric, s) || s->n < s->of ||
	    evidence_missing(&r->mem, g, metric) || strcmp(group_verdicts(r, g), "OK"))
		return NULL;
	return g;
}

int best_scheme(struct rows *r, int context, const char *metric)
{
	const struct metric *m = metric_named(metric);
	const struct group *best = NULL, *g;
	int at = -1, others = 0;
	struct summary s, top = { 0 };

	if (!m || !m->better)
		return -1;
	for (int i = 0; i < r->context[context].nschemes; i++) {
		g = competitor(r, context, i, metric, &s);
		others += g != NULL;
		if (g && (!best || m->better * s.mean > m->better * top.mean)) {
			best = g;
			top = s;
			at = i;
		}
	}
	if (--others < 1)
		return -1;
	for (int i = 0; i < r->context[context].nschemes; i++) {
		g = i == at ? NULL : competitor(r, context, i, metric, &s);
		if (g && !holds(best, g, metric, m->better, 0.05 / others))
			return -1;
	}
	return at;
}

/* ---- survey ---- */

static const char *const declarations[] = { "Deployment", "Knowledge to authenticate", "Lock" };

static const char **survey_metrics(struct rows *r, int context)
{
	const char **all = rows_metrics(r, context, -1), **list;
	size_t n = 0, most = 0;

	if (r->picked)
		return all;
	while (all[most])
		most++;
	list = arena_new(&r->mem, most + 1, const char *);
	for (size_t i = 0; surveyed_metrics[i]; i++)
		for (size_t k = 0; k < most; k++)
			if (!strcmp(all[k], surveyed_metrics[i]))
				list[n++] = surveyed_metrics[i];
	list[n] = NULL;
	return list;
}

static const json_t *declared(const struct report_input *in, const char *scheme)
{
	return json_object_get(json_object_get(json_object_get(in->drivers, "schemes"), scheme), "declared");
}

static struct tcell survey_cell(struct rows *r, const struct group *g, const char *metric, bool best)
{
	struct tcell c = metric_cell(r, g, metric);

	c.number = true;
	c.best = best;
	return c;
}

static const char *survey_caption(struct rows *r, int context)
{
	const char *few = arena_printf(&r->mem, " Fewer than %d seeds: small differences cannot show.", EVIDENCE_SEEDS);

	return arena_printf(&r->mem, "%s Bold: the best, where its difference to every other scheme holds (paired by seed, 95 %%, corrected for the "
			    "number of schemes; controls do not compete). INSUFFICIENT: successes of trials instead of a number; `lockbench list metrics` "
			    "says how much evidence each number needs.%s", interval_caption(r, context),
			    r->context[context].nseeds < EVIDENCE_SEEDS ? few : "");
}

/* The metrics of all attacks together that some scheme has. */
static const char *const *studied(struct rows *r, const struct study *study, int schemes)
{
	const char *const *all = study_metrics(r);
	const char **list = arena_new(&r->mem, 64, const char *);
	size_t n = 0;

	for (int i = 0; all[i] && n < 63; i++) {
		bool any = false, asked = !r->picked;

		for (int k = 0; r->picked && r->picked[k]; k++)
			asked |= !strcmp(r->picked[k], all[i]);
		for (int s = 0; s < schemes; s++) {
			struct value v = { 0 };

			any |= metric_named(all[i])->over(&study[s], &v) || v.seen;
		}
		if (any && asked)
			list[n++] = all[i];
	}
	list[n] = NULL;
	return list;
}

static void put_headings(struct rows *r, const struct table *t, const char *const *metric, int at)
{
	for (int i = 0; metric[i]; i++)
		*table_at(t, 0, at + i) = (struct tcell){ .text = metric_heading(&r->mem, metric[i]), .number = true,
							  .note = metric_named(metric[i]) ? metric_named(metric[i])->drv.summary : NULL };
}

struct table table_survey(struct rows *r, const struct report_input *in, int context)
{
	const struct context *c = &r->context[context];
	const char **metric = survey_metrics(r, context);
	struct study *study = arena_new(&r->mem, (size_t)c->nschemes + 1, struct study);
	const int n = names_count(metric), extra = json_object_size(json_object_get(in->drivers, "schemes")) && !r->picked ? (int)ARRAY_LEN(declarations) : 0;
	const char *const *whole;
	struct table t;
	int m;

	for (int s = 0; s < c->nschemes; s++)
		study[s] = study_of(r, in, context, s);
	whole = studied(r, study, c->nschemes);
	m = names_count(whole);
	t = table_new(&r->mem, "Schemes", survey_caption(r, context), c->nschemes + 1, n + m + 3 + extra);
	t.name = "survey";
	table_put(&t, 0, 0, "Scheme");
	table_put(&t, 0, 1, "Verdict");
	table_put(&t, 0, 2, "Seeds");
	put_headings(r, &t, metric, 3);
	put_headings(r, &t, whole, 3 + n);
	for (int i = 0; i < extra; i++)
		table_put(&t, 0, n + m + 3 + i, arena_printf(&r->mem, "%s (declared)", declarations[i]));
	for (int s = 0; s < c->nschemes; s++) {
		const struct group *g = rows_group(r, context, s, -1, 0);

		table_put(&t, s + 1, 0, scheme_heading(r, &c->scheme[s]));
		if (g)
			*table_at(&t, s + 1, 1) = (struct tcell){ .tag = group_verdicts(r, g), .number = true };
		table_put(&t, s + 1, 2, g ? arena_printf(&r->mem, g->nfailures ? "%d/%d" : "%d", g->ncells, g->ncells + g->nfailures) : "not run");
		table_at(&t, s + 1, 2)->number = true;
		for (int i = 0; i < n; i++)
			*table_at(&t, s + 1, i + 3) = survey_cell(r, g, metric[i], best_scheme(r, context, metric[i]) == s);
		for (int i = 0; i < m; i++)
			study_cell(r, &study[s], whole[i], table_at(&t, s + 1, n + 3 + i));
		for (int i = 0; i < extra; i++)
			table_put(&t, s + 1, n + m + 3 + i, jget_str(declared(in, c->scheme[s].name), declarations[i], ""));
	}
	return t;
}
