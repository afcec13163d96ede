/* See summary.h. */
#include "reports/summary.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "reports/claims.h"

/* ---- outcomes as text ---- */

static const char *outcome_value(struct rows *r, const struct outcome *o)
{
	if (o->level < OUT_CONTROL || (o->level == OUT_UNKNOWN && o->aspect != ASPECT_ADMIT))
		return NULL;
	return arena_printf(&r->mem, "%.*f\u00a0%%", o->aspect == ASPECT_ADMIT && o->value < 1 ? 3 : 1, o->value);
}

static const char *at_strength(struct rows *r, const struct group *g)
{
	const char *name = g && g->series >= 0 ? r->context[g->context].series[g->series].strength : NULL;

	return name ? arena_printf(&r->mem, "%s %s", name, strength_text(r, g)) : "";
}

static const char *outcome_note(struct rows *r, const struct outcome *o)
{
	const char *text = arena_printf(&r->mem, "%s: %.2f %%", aspect_title(o->aspect), o->value), *why;

	if (o->level <= OUT_BAD) {
		if (!o->g)
			return NULL;
		group_verdict(r, o->g, 0, &why);
		return *why ? why : NULL;
	}
	if (o->aspect == ASPECT_ADMIT)
		text = arena_printf(&r->mem, "%s of %ld attempts in each cell", text, o->trials);
	else if (o->level != OUT_CONTROL)
		text = arena_printf(&r->mem, "%s against %.2f %%", text, o->before);
	if (o->has_scratch)
		text = arena_printf(&r->mem, "%s, from scratch on the same labels %.2f %%", text, o->scratch);
	return arena_printf(&r->mem, "%s; %d seed%s, %.2f to %.2f", text, o->g->ncells, o->g->ncells == 1 ? "" : "s", o->low, o->high);
}

/* ---- heat map ---- */

/* ": mark": what the number is, where the attack's goal leaves that open. */
static const char *judged_by(const struct rows *r, const struct outcome *o)
{
	const char *goal = r->context[o->g->context].series[o->g->series].goal;

	if (o->level < OUT_HOLDS || (strcmp(goal, "remove") && strcmp(goal, "degrade")))
		return "";
	return o->aspect == ASPECT_USE ? ": model" : o->aspect == ASPECT_MARK ? ": mark" : o->aspect == ASPECT_TRACE ? ": trace" : ": service";
}

static struct tcell heat_cell(struct rows *r, const struct outcome *o)
{
	struct tcell c = { .symbol = outcome_symbol(o), .text = outcome_value(r, o), .note = outcome_note(r, o) };
	const char *at = at_strength(r, o->g);

	if (!c.text)
		c.text = outcome_word(o);
	else
		c.range = arena_printf(&r->mem, "%s%s%s%s", outcome_word(o), judged_by(r, o), *at && outcome_breaks(o) ? ", " : "",
				       outcome_breaks(o) ? at : "");
	if (o->level >= OUT_HOLDS)
		c.shade = o->level == OUT_FULL ? 5 : o->level == OUT_PRACTICAL ? 4 : o->level == OUT_PARTIAL ? 3 : o->harm >= 0.1 ? 2 : 1;
	return c;
}

struct table table_heat(struct rows *r, int context)
{
	const struct context *c = &r->context[context];
	struct table t = table_new(&r->mem, "Schemes and attacks", "The worst that each attack did to each scheme over all strengths, and the number it is "
				   "judged by: the accuracy of the attacker's model, forged credentials accepted, the owner's mark still read, users "
				   "or traces that survive, credentials that lead to none of the colluders. FULL, PRACTICAL, PARTIAL: broken that far. HOLDS. AT A LOSS: the mark is gone, and more than 5 "
				   "points of accuracy. NO GAIN: it works, and training from scratch on the same labels works as well. OPEN: nothing is locked. CONTROL: what training from scratch gives. "
				   "INSUFFICIENT: too few trials to say that it holds. Anything else is the verdict of the cells.",
				   c->nschemes + 1, c->nseries + 1);

	t.name = "heat";
	table_put(&t, 0, 0, "Scheme");
	for (int a = 0; a < c->nseries; a++) {
		table_put(&t, 0, a + 1, c->series[a].label);
		table_at(&t, 0, a + 1)->range = *c->series[a].goal ? c->series[a].goal : NULL;
	}
	for (int s = 0; s < c->nschemes; s++) {
		table_put(&t, s + 1, 0, scheme_heading(r, &c->scheme[s]));
		for (int a = 0; a < c->nseries; a++) {
			struct outcome o = outcome_worst(r, context, s, a);

			*table_at(&t, s + 1, a + 1) = heat_cell(r, &o);
		}
	}
	return t;
}

/* ---- cost to break ---- */

/* Weakest first: the drivers say which end of the strength that is. */
static int strength_sign(const struct report_input *in, const char *attack)
{
	return jget_int(json_object_get(json_object_get(in->drivers, "attacks"), attack), "strength_up", 1) < 0 ? -1 : 1;
}

static const char *amount(struct rows *r, double v)
{
	return arena_printf(&r->mem, v >= 1e7 ? "%.3g" : "%.0f", v);
}

static void cost_row(struct rows *r, const struct table *t, int row, const struct outcome *o)
{
	const struct context *c = &r->context[o->g->context];
	const double spent[] = { o->queries, o->labels, o->submissions, o->forwards };

	table_put(t, row, 0, c->scheme[o->g->scheme].label);
	table_put(t, row, 1, c->series[o->g->series].label);
	table_put(t, row, 2, aspect_title(o->aspect));
	table_at(t, row, 3)->tag = outcome_word(o);
	table_at(t, row, 3)->note = outcome_note(r, o);
	table_put(t, row, 4, at_strength(r, o->g));
	for (int i = 0; i < 4; i++)
		*table_at(t, row, 5 + i) = (struct tcell){ .text = arena_printf(&r->mem, "%s%s", outcome_breaks(o) || spent[i] <= 0 ? "" : "> ",
										amount(r, spent[i])), .number = true };
	if (o->aspect == ASPECT_ADMIT && spent[2] <= 0 && outcome_breaks(o)) { /* the evaluator submitted them: what an attacker would need */
		table_at(t, row, 7)->text = arena_printf(&r->mem, "%.0f", ceil(100 / o->value));
		table_at(t, row, 7)->range = "for one accepted, expected";
	}
	*table_at(t, row, 9) = (struct tcell){ .text = outcome_value(r, o), .number = true };
	if (o->g->ncells > 1)
		table_at(t, row, 9)->range = arena_printf(&r->mem, "%.2f to %.2f", o->low, o->high);
	*table_at(t, row, 10) = (struct tcell){ .number = true };
	if (o->aspect != ASPECT_ADMIT)
		table_put(t, row, 10, arena_printf(&r->mem, "%.1f\u00a0%%", o->before));
	*table_at(t, row, 11) = (struct tcell){ .text = o->has_scratch ? arena_printf(&r->mem, "%+.1f", o->gain) :
						o->aspect == ASPECT_USE && o->labels > 0 ? "not run" : "", .number = true };
	table_put(t, row, 12, arena_printf(&r->mem, "%d", o->g->ncells));
}

/* Rows of one attack on one scheme: each level at the smallest strength that reaches it; else the strongest in vain. */
static int cost_rows(struct rows *r, const struct report_input *in, const struct table *t, int row, int context, int scheme, int series)
{
	const int sign = strength_sign(in, r->context[context].series[series].attack);

	for (int a = 0; a < ASPECTS; a++) {
		enum outcome_level reached = OUT_HOLDS;
		struct outcome o, last = { 0 };
		int n = 0;

		while (rows_group(r, context, scheme, series, n))
			n++;
		for (int i = 0; i < n; i++) {
			const struct group *g = rows_group(r, context, scheme, series, sign > 0 ? i : n - 1 - i);

			if (!outcome_of(r, g, (enum outcome_aspect)a, &o) || o.level < OUT_HOLDS)
				continue;
			last = o;
			if (outcome_breaks(&o) && o.level > reached) {
				reached = o.level;
				cost_row(r, t, row++, &o);
			}
		}
		if (reached == OUT_HOLDS && last.g)
			cost_row(r, t, row++, &last);
	}
	return row;
}

struct table table_cost(struct rows *r, const struct report_input *in, int context)
{
	static const char *const heading[] = { "Scheme", "Attack", "What", "Outcome", "At", "Queries", "Labels", "Submissions", "Forwards", "Reached",
					       "Of", "Over scratch, points", "Seeds" };
	const struct context *c = &r->context[context];
	struct table t = table_new(&r->mem, "Cost to break", "What the attacker spent at the smallest strength that breaks, mean over seeds: queries to the "
				   "service, labelled images, submitted credentials, compute in forward passes of one image. \">\": it did not break with "
				   "that much. Recovery R is the share of the way from locked (or chance) to authorised accuracy: PARTIAL R of at least 0.5, PRACTICAL "
				   "within 5 points of authorised, FULL within 2; an attack with labels counts net of a network trained from scratch on "
				   "the same labels, where that was run (\"not run\" otherwise).", 3 * ASPECTS * c->nschemes * c->nseries + 1, ARRAY_LEN(heading));
	int row = 1;

	t.name = "cost";
	table_headings(&t, heading);
	for (int i = 5; i < 12; i++)
		table_at(&t, 0, i)->number = true;
	for (int s = 0; s < c->nschemes; s++)
		for (int a = 0; a < c->nseries; a++)
			row = cost_rows(r, in, &t, row, context, s, a);
	t.rows = row;
	return t;
}

/* ---- published ---- */

static const struct group *measured_on(struct rows *r, const struct claim *c, const char **label)
{
	for (int i = 0; i < r->ncontexts; i++)
		for (int s = 0; s < r->context[i].nschemes; s++)
			if (!strcmp(r->context[i].dataset, c->dataset) && !strcmp(r->context[i].scheme[s].name, c->scheme)) {
				*label = r->context[i].label;
				return rows_group(r, i, s, -1, 0);
			}
	return NULL;
}

static bool present(const struct rows *r, const char *scheme)
{
	for (int i = 0; i < r->ncontexts; i++)
		for (int s = 0; s < r->context[i].nschemes; s++)
			if (!strcmp(r->context[i].scheme[s].name, scheme))
				return true;
	return false;
}

struct table table_claims(struct rows *r)
{
	static const char *const heading[] = { "Scheme", "Data set", "Metric", "Reported by the authors", "Measured here", "Where measured", "Source" };
	struct table t = table_new(&r->mem, "Reported by the authors, measured here", "Other networks, recipes and attackers: the two columns belong side by "
				   "side, not into one ranking.", claims_count + 1, ARRAY_LEN(heading));
	int n = 1;

	t.name = "claims";
	table_headings(&t, heading);
	for (int i = 0; i < claims_count; i++) {
		const struct claim *c = &claims[i];
		const char *label = NULL;
		const struct group *g;

		if (!present(r, c->scheme))
			continue;
		g = measured_on(r, c, &label);
		table_put(&t, n, 0, c->scheme);
		table_put(&t, n, 1, c->dataset);
		table_put(&t, n, 2, metric_heading(&r->mem, c->metric));
		*table_at(&t, n, 3) = (struct tcell){ .text = c->text ? c->text : value_text(&r->mem, c->metric, c->value), .number = true };
		*table_at(&t, n, 4) = g ? metric_cell(r, g, c->metric) : (struct tcell){ .text = "not measured" };
		table_at(&t, n, 4)->number = true;
		table_put(&t, n, 5, label ? label : "");
		table_put(&t, n++, 6, c->source);
	}
	t.rows = n;
	return t;
}

/* ---- one scheme ---- */

struct table table_scheme(struct rows *r, int context, int scheme)
{
	struct table all = table_functional(r, context), t = table_new(&r->mem, "Protected model", all.caption, all.rows, 2);

	for (int i = 0; i < all.rows; i++) {
		*table_at(&t, i, 0) = *table_at(&all, i, 0);
		*table_at(&t, i, 1) = *table_at(&all, i, scheme + 1);
	}
	return t;
}

struct table table_scheme_attacks(struct rows *r, int context, int scheme)
{
	static const char *const heading[] = { "Attack", "Goal", "Worst outcome", "Reached", "At", "Labels", "Queries", "Forwards", "Cell" };
	const struct context *c = &r->context[context];
	struct table t = table_new(&r->mem, "Attacks on it", NULL, c->nseries + 1, ARRAY_LEN(heading));
	int n = 1;

	table_headings(&t, heading);
	for (int a = 0; a < c->nseries; a++) {
		struct outcome o = outcome_worst(r, context, scheme, a);

		if (!o.g)
			continue;
		table_put(&t, n, 0, c->series[a].label);
		table_put(&t, n, 1, c->series[a].goal);
		*table_at(&t, n, 2) = (struct tcell){ .tag = outcome_word(&o), .note = outcome_note(r, &o) };
		table_at(&t, n, 2)->range = o.level > OUT_BAD ? aspect_title(o.aspect) : NULL;
		*table_at(&t, n, 3) = (struct tcell){ .text = outcome_value(r, &o), .number = true };
		table_put(&t, n, 4, at_strength(r, o.g));
		for (int i = 0; i < 3; i++)
			*table_at(&t, n, 5 + i) = (struct tcell){ .text = amount(r, i == 0 ? o.labels : i == 1 ? o.queries : o.forwards), .number = true };
		if (o.g->ncells)
			*table_at(&t, n, 8) = (struct tcell){ .text = arena_printf(&r->mem, "%.12s", jget_str(o.g->cell[0], "key", "?")),
							      .note = jget_str(o.g->cell[0], "key", NULL) };
		n++;
	}
	t.rows = n;
	return t;
}
