/* The report as JSON: the groups with their numbers across seeds, every cell's verdict, and the failures.
 *   { "schema": 1, "title", "store_hash", "command", "contexts": [ { "dataset", "dataset_hash", "model", "limits", "seeds", "groups": [
 *     { "scheme", "label", "scheme_options", "attack", "attack_options", "goal", "strength_option", "strength", "seeds",
 *       "cells": [keys], "verdicts": [...], "why": [...],
 *       "metrics": {name: {"mean","low","high","min","max","n","of","k","trials","unit","insufficient"}} } ],
 *     "together": {scheme's label: {metric over all attacks: {"value","low","high","attacks","insufficient","unit"}}} } ], "failures": [...],
 *   "left_out": [{"what", "key", "state": "damaged" or "missing", "why"}] }
 * A metric with n < of has seeds missing: its mean, low and high are null. "insufficient" is there when the evidence is: what it lacks. */
#include "reports/formats.h"

#include <math.h>

#include "base/json.h"
#include "datasets/dataset.h"
#include "reports/evidence.h"
#include "reports/study.h"

/* missing: what its evidence lacks, or NULL. */
static json_t *metric_json(const char *name, const struct summary *s, const char *missing)
{
	json_t *j = json_object();
	bool whole = s->n == s->of;

	jset_num(j, "mean", whole ? s->mean : NAN);
	jset_num(j, "low", whole ? s->low : NAN);
	jset_num(j, "high", whole ? s->high : NAN);
	jset_num(j, "min", s->min);
	jset_num(j, "max", s->max);
	jset_int(j, "n", s->n);
	jset_int(j, "of", s->of);
	jset_int(j, "k", s->k);
	jset_int(j, "trials", s->trials);
	if (missing)
		jset_str(j, "insufficient", missing);
	return jset_str(j, "unit", metric_unit(name));
}

static json_t *borrowed(const json_t *j)
{
	return j ? json_deep_copy(j) : json_null();
}

static json_t *group_json(struct rows *r, const struct group *g, const char *const *metric)
{
	const struct context *c = &r->context[g->context];
	const struct scheme_row *s = &c->scheme[g->scheme];
	const struct series *a = g->series < 0 ? NULL : &c->series[g->series];
	json_t *j = json_object(), *cells = json_array(), *verdicts = json_array(), *reasons = json_array(), *numbers = json_object();
	struct summary sum;

	for (int i = 0; i < g->ncells + g->nfailures; i++) {
		const json_t *cell = i < g->ncells ? g->cell[i] : g->failure[i - g->ncells];
		const char *why, *verdict = group_verdict(r, g, i, &why);

		json_array_append_new(cells, json_string(jget_str(cell, "key", "")));
		json_array_append_new(verdicts, json_string(verdict));
		json_array_append_new(reasons, json_string(why));
	}
	for (int i = 0; metric[i]; i++)
		if (group_summary(g, metric[i], &sum))
			jset(numbers, metric[i], metric_json(metric[i], &sum, evidence_missing(&r->mem, g, metric[i])));
	jset_str(j, "scheme", s->name);
	jset_str(j, "label", s->label);
	jset(j, "scheme_options", borrowed(s->options));
	jset_str(j, "attack", a ? a->attack : "none");
	jset(j, "attack_options", borrowed(g->options));
	jset_str(j, "goal", a ? a->goal : NULL);
	jset_str(j, "strength_option", a ? a->strength : NULL);
	jset_num(j, "strength", g->has_strength ? g->strength : NAN);
	jset_int(j, "seeds", g->ncells);
	jset(j, "cells", cells);
	jset(j, "verdicts", verdicts);
	jset(j, "why", reasons);
	return jset(j, "metrics", numbers);
}

/* What all attacks on a scheme together say. */
static json_t *together_json(struct rows *r, const struct report_input *in, int ctx, int scheme)
{
	const struct study s = study_of(r, in, ctx, scheme);
	const char *const *metric = study_metrics(r);
	json_t *all = json_object();

	for (int i = 0; metric[i]; i++) {
		const struct metric *m = metric_named(metric[i]);
		struct value v = { 0 };
		const bool known = m->over(&s, &v);
		json_t *j;

		if (!known && !v.seen)
			continue;
		j = json_object();
		jset_num(j, "value", known ? v.value : NAN);
		jset_num(j, "low", known ? v.low : NAN);
		jset_num(j, "high", known ? v.high : NAN);
		jset_int(j, "attacks", v.seen);
		if (v.seen < m->least)
			jset_str(j, "insufficient", arena_printf(&r->mem, "%ld of %ld %s", v.seen, m->least, m->least_of));
		jset(all, metric[i], jset_str(j, "unit", m->unit));
	}
	return all;
}

static json_t *context_json(struct rows *r, const struct report_input *in, int ctx)
{
	const struct context *c = &r->context[ctx];
	json_t *j = json_object(), *groups = json_array(), *limits = json_object(), *together = json_object();
	const int published = dataset_published(c->dataset, c->dataset_hash);

	for (int i = 0; i < r->ngroups; i++)
		if (r->group[i].context == ctx)
			json_array_append_new(groups, group_json(r, &r->group[i], rows_metrics(r, ctx, r->group[i].series)));
	jset_int(limits, "train", c->limit_train);
	jset_int(limits, "test", c->limit_test);
	jset_str(j, "dataset", c->dataset);
	jset_str(j, "dataset_hash", c->dataset_hash);
	jset(j, "published", published < 0 ? json_null() : json_boolean(published));
	jset_str(j, "model", c->model);
	jset_str(j, "tier", c->tier);
	jset_str(j, "seeds", c->seeds);
	jset(j, "limits", limits);
	for (int s = 0; s < c->nschemes; s++)
		jset(together, c->scheme[s].label, together_json(r, in, ctx, s));
	jset(j, "together", together);
	return jset(j, "groups", groups);
}

int json_report(struct rows *r, const struct report_input *in, struct text *t)
{
	json_t *j = json_object(), *contexts = json_array();
	char *text;

	for (int i = 0; i < r->ncontexts; i++)
		json_array_append_new(contexts, context_json(r, in, i));
	jset_int(j, "schema", 1);
	jset_str(j, "title", in->title);
	jset_str(j, "store_hash", in->store_hash);
	jset_str(j, "command", in->command);
	jset(j, "contexts", contexts);
	jset(j, "failures", borrowed(in->failures));
	jset(j, "left_out", in->left_out ? borrowed(in->left_out) : json_array());
	text = json_pretty(j);
	text_add(t, text);
	free(text);
	json_decref(j);
	return 0;
}

/* { "schema": 1, "table", "left_out", "contexts": [ { "context", "caption", "rows": [ [ {"text","range","verdict","note","best"}, ... ] ] } ] } */
int json_one(struct rows *r, const struct report_input *in, struct text *t)
{
	json_t *j = json_object(), *contexts = json_array();
	char *text;

	for (int i = 0; i < r->ncontexts; i++) {
		struct table table = selected_table(r, in, i);
		json_t *one = json_object(), *rows = json_array();

		for (int row = 0; row < table.rows; row++) {
			json_t *line = json_array();

			for (int c = 0; c < table.cols; c++) {
				const struct tcell *cell = table_at(&table, row, c);
				json_t *k = json_object();

				jset_str(jset_str(k, "text", cell->text), "range", cell->range);
				jset_bool(jset_str(jset_str(k, "verdict", cell->tag), "note", cell->note), "best", cell->best);
				json_array_append_new(line, k);
			}
			json_array_append_new(rows, line);
		}
		jset_str(jset_str(one, "context", r->context[i].label), "caption", table.caption);
		json_array_append_new(contexts, jset(one, "rows", rows));
	}
	jset_int(j, "schema", 1);
	jset_str(j, "table", in->select->table);
	jset_str(j, "store_hash", in->store_hash);
	jset(j, "left_out", in->left_out ? borrowed(in->left_out) : json_array());
	jset(j, "contexts", contexts);
	text = json_pretty(j);
	text_add(t, text);
	free(text);
	json_decref(j);
	return 0;
}
