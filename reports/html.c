/* The report as one self-contained HTML file. See page.h for the frame, tables.h and figures.h for the content. */
#include "reports/formats.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "reports/breakcost.h"
#include "reports/escape.h"
#include "reports/figures.h"
#include "reports/left_out.h"
#include "reports/page.h"
#include "reports/plot.h"
#include "reports/schemepage.h"
#include "reports/summary.h"

#define OPEN_ROWS 14 /* longer tables under a plot are folded */

struct html {
	struct text *t;
	struct rows *r;
	bool plots;   /* gnuplot is there */
	struct plots done;
};

static void figure(struct html *h, char *svg, const char *caption)
{
	page_plot(h->t, &h->done, svg, caption);
}

static const char *figure_id(struct html *h)
{
	return arena_printf(&h->r->mem, "f%d", h->done.drawn + h->done.failed + 1);
}

/* Detectors' trade-offs and what passed through the attack's hands. */
static void add_detectors(struct html *h, const struct report_input *in, int ctx, int series)
{
	const struct context *c = &h->r->context[ctx];
	struct text body = { 0 }, *page = h->t;

	h->t = &body;
	if (h->plots)
		figure(h, figure_det(h->r, ctx, series, figure_id(h)), arena_printf(&h->r->mem, "Detection errors of %s", c->series[series].label));
	h->t = page;
	if (body.n)
		text_fmt(h->t, "<div class=\"plots\">\n%s</div>\n", body.s);
	text_release(&body);
	for (int s = c->nschemes - 1; s >= 0; s--) /* controls come first, and last here */
		if (group_pictures(h->t, h->r, in, rows_group(h->r, ctx, s, series, 0), "key",
				   arena_printf(&h->r->mem, "%s against %s: images", c->series[series].label, c->scheme[s].label)))
			break;
}

/* What changes from better to worse; what merely describes the attack is in the table below the plots. */
static bool worth_a_plot(const char *metric)
{
	const struct metric *m = metric_named(metric);

	return !m || m->better || !strncmp(metric, "attacked_", 9);
}

/* All variants of one attack: curves for each, then one table. */
static void add_attack(struct html *h, const struct report_input *in, int ctx, int first, int last)
{
	const struct context *c = &h->r->context[ctx];
	struct table table = table_attack(h->r, ctx, first, last);

	page_heading(h->t, 3, arena_printf(&h->r->mem, "c%d-a%d", ctx + 1, first + 1), c->series[first].attack);
	scheme_about(h->t, h->r, in, "attacks", c->series[first].attack);
	for (int a = first; h->plots && a <= last; a++) {
		const char **metric = attack_metrics(h->r, ctx, a);
		struct text body = { 0 }, *page = h->t;

		h->t = &body;
		for (int i = 0; metric[i] && c->series[a].strength; i++)
			if (worth_a_plot(metric[i]))
				figure(h, figure_curve(h->r, ctx, a, metric[i], figure_id(h)), metric_heading(&h->r->mem, metric[i]));
		h->t = page;
		if (body.n && last > first)
			page_heading(h->t, 4, NULL, c->series[a].label);
		if (body.n)
			text_fmt(h->t, "<div class=\"plots\">\n%s</div>\n", body.s);
		text_release(&body);
		add_detectors(h, in, ctx, a);
	}
	if (table.rows > OPEN_ROWS)
		page_details(h->t, arena_printf(&h->r->mem, "All %d rows of numbers", table.rows - 1), &table);
	else
		page_table(h->t, &table);
}

/* The trade-off of every scheme's check, where its errors lie within the axes. */
static void add_authentication(struct html *h, int ctx)
{
	struct text body = { 0 }, *page = h->t;

	if (!h->plots)
		return;
	h->t = &body;
	figure(h, figure_det(h->r, ctx, -1, figure_id(h)), "Authentication errors");
	h->t = page;
	if (body.n) {
		text_fmt(h->t, "<div class=\"plots\">\n%s</div>\n", body.s);
		page_paragraph(h->t, "caption", "Users rejected against impostors accepted, over all thresholds of the check's score; impostors make no effort. "
			       "A scheme whose errors are all under 0.01 % or over 50 % has no line.");
	}
	text_release(&body);
}

/* Shares of a histogram as rows, for pages without plots. */
static void add_confidences(struct html *h, int ctx)
{
	const struct context *c = &h->r->context[ctx];
	bool any = false;

	for (int s = 0; s < c->nschemes; s++)
		any |= figure_has_confidence(h->r, ctx, s);
	if (!any)
		return;
	page_heading(h->t, 3, NULL, "Top confidences");
	page_paragraph(h->t, "caption", "How sure the network is of clean images and of what forging attacks submit: a scheme that admits by "
		       "confidence admits whatever falls into its bands by chance. Share of images per bin, logarithmic; "
		       "an empty bin lies on the floor of the plot.");
	if (!h->plots) {
		page_paragraph(h->t, NULL, "No plot: gnuplot is not installed. The series are in the JSON report.");
		return;
	}
	text_add(h->t, "<div class=\"plots\">\n");
	for (int s = 0; s < c->nschemes; s++)
		figure(h, figure_confidence(h->r, ctx, s, figure_id(h)), c->scheme[s].label);
	text_add(h->t, "</div>\n");
}

static int scheme_figure(void *ctx, struct text *t, int context, int scheme, int first, const char *label)
{
	struct html *h = ctx;
	struct text *page = h->t;
	char *svg = figure_scheme(h->r, context, scheme, first, figure_id(h));
	int drawn = svg != NULL;

	h->t = t;
	figure(h, svg, arena_printf(&h->r->mem, "Attacks on %s", label));
	h->t = page;
	return drawn;
}

static void section(struct html *h, const struct table *table, const char *id)
{
	if (table->rows < 2 || table->cols < 2)
		return;
	page_heading(h->t, 3, id, table->title);
	page_table(h->t, table);
}

/* What a lock costs to break, by access level, with a curve for each kind of budget. */
static void add_breaking(struct html *h, int ctx)
{
	struct table table = table_breaking(h->r, ctx);
	struct text body = { 0 }, *page = h->t;

	if (table.rows < 2)
		return;
	section(h, &table, arena_printf(&h->r->mem, "c%d-breaking", ctx + 1));
	h->t = &body;
	for (int axis = 0; h->plots && axis < AXES; axis++)
		figure(h, figure_breaking(h->r, ctx, (enum axis)axis, figure_id(h)), axis_names[axis]);
	h->t = page;
	if (body.n)
		text_fmt(h->t, "<div class=\"plots\">\n%s</div>\n", body.s);
	text_release(&body);
}

/* All schemes at a glance. */
static void add_summary(struct html *h, const struct report_input *in, int ctx)
{
	const struct context *c = &h->r->context[ctx];
	struct table survey = table_survey(h->r, in, ctx), heat = table_heat(h->r, ctx), cost = table_cost(h->r, in, ctx);

	survey = table_turned(&h->r->mem, &survey, "Metric");
	heat = table_turned(&h->r->mem, &heat, "Attack");
	section(h, &survey, arena_printf(&h->r->mem, "c%d-survey", ctx + 1));
	if (!c->nseries)
		return;
	section(h, &heat, arena_printf(&h->r->mem, "c%d-heat", ctx + 1));
	page_paragraph(h->t, "caption", "\u25cf full, \u25d1 practical, \u25d4 partial, \u25cb holds or no gain, \u25a1 open or a control, ? insufficient, "
		       "\u2715 failed, broken or without effect, \u2013 does not apply, \u00b7 not run. The shade says the same as the symbol.");
	if (cost.rows < 2)
		return;
	page_heading(h->t, 3, arena_printf(&h->r->mem, "c%d-cost", ctx + 1), cost.title);
	if (cost.rows > 2 * OPEN_ROWS)
		page_details(h->t, arena_printf(&h->r->mem, "All %d rows", cost.rows - 1), &cost);
	else
		page_table(h->t, &cost);
	add_breaking(h, ctx);
}

static void add_context(struct html *h, const struct report_input *in, int ctx)
{
	const struct context *c = &h->r->context[ctx];
	struct table functional = table_functional(h->r, ctx), resistance = table_resistance(h->r, ctx),
		     overhead = table_overhead(h->r, ctx, in->timings);

	page_heading(h->t, 2, arena_printf(&h->r->mem, "c%d", ctx + 1), c->label);
	page_paragraph(h->t, "lede", arena_printf(&h->r->mem, "%d scheme%s, %d attack variant%s, seed%s %s, %s training and %s test images, tier %s.",
						  c->nschemes, c->nschemes == 1 ? "" : "s", c->nseries, c->nseries == 1 ? "" : "s",
						  c->nseeds == 1 ? "" : "s", c->seeds,
						  c->limit_train ? arena_printf(&h->r->mem, "%ld", c->limit_train) : "all",
						  c->limit_test ? arena_printf(&h->r->mem, "%ld", c->limit_test) : "all", c->tier));
	add_summary(h, in, ctx);
	page_heading(h->t, 3, NULL, functional.title);
	page_table(h->t, &functional);
	add_authentication(h, ctx);
	if (c->nseries) {
		page_heading(h->t, 3, NULL, resistance.title);
		page_details(h->t, "One number for each attack and scheme, with the verdicts of the cells", &resistance);
	}
	for (int s = 0; s < c->nschemes; s++)
		scheme_page(h->t, h->r, in, ctx, s, h->plots ? scheme_figure : NULL, h);
	for (int a = 0; a < c->nseries; a = attack_last(h->r, ctx, a) + 1)
		add_attack(h, in, ctx, a, attack_last(h->r, ctx, a));
	add_confidences(h, ctx);
	if (overhead.rows > 1) {
		page_heading(h->t, 3, NULL, overhead.title);
		page_table(h->t, &overhead);
	}
}

static void add_nav(struct html *h)
{
	text_add(h->t, "<nav aria-label=\"Contents\">");
	for (int i = 0; i < h->r->ncontexts; i++) {
		text_fmt(h->t, "<a href=\"#c%d\">", i + 1);
		escape_html(h->t, h->r->context[i].label);
		text_add(h->t, "</a> ");
		for (int k = 0; k < h->r->context[i].nschemes; k++) {
			text_fmt(h->t, "<a href=\"#c%d-s%d\">", i + 1, k + 1);
			escape_html(h->t, h->r->context[i].scheme[k].label);
			text_add(h->t, "</a> ");
		}
		for (int a = 0; a < h->r->context[i].nseries; a = attack_last(h->r, i, a) + 1) {
			text_fmt(h->t, "<a href=\"#c%d-a%d\">", i + 1, a + 1);
			escape_html(h->t, h->r->context[i].series[a].attack);
			text_add(h->t, "</a> ");
		}
	}
	text_add(h->t, "<a href=\"#failures\">What did not work</a> <a href=\"#repeat\">How to repeat</a></nav>\n");
}

static void add_claims(struct html *h)
{
	struct table claimed = table_claims(h->r);

	if (claimed.rows < 2)
		return;
	page_heading(h->t, 2, "claims", claimed.title);
	page_table(h->t, &claimed);
}

static void add_failures(struct html *h, const struct report_input *in)
{
	struct table failures = table_failures(h->r), na = table_inapplicable(h->r), left_out = table_left_out(h->r, in);

	page_heading(h->t, 2, "failures", "What did not work");
	if (left_out.rows > 1) {
		page_heading(h->t, 3, "left-out", left_out.title);
		page_table(h->t, &left_out);
	}
	if (failures.rows < 2)
		page_paragraph(h->t, NULL, "Nothing failed, and no attack was broken or without effect.");
	page_table(h->t, &failures);
	if (na.rows > 1) {
		page_heading(h->t, 3, NULL, na.title);
		page_details(h->t, arena_printf(&h->r->mem, "%d cells where the attack does not apply to the scheme, with the reason",
						na.rows - 1), &na);
	}
}

static void add_repeat(struct html *h, const struct report_input *in)
{
	const char *where = in->where && *in->where ? in->where : "STORE";
	struct table provenance = table_provenance(h->r, in), cells = table_cells(h->r), definitions = table_definitions(h->r);

	page_heading(h->t, 2, "repeat", "How to repeat each number");
	if (in->command && *in->command) {
		text_add(h->t, "<pre>");
		escape_html(h->t, in->command);
		text_add(h->t, "</pre>\n");
	}
	page_paragraph(h->t, NULL, "The same command on an empty store gives the same cell files, bit for bit, on any number of threads (times "
		       "apart). Point at a number to see its trials and seeds; the file of its cell holds every single outcome.");
	page_paragraph(h->t, NULL, "A number of one table, and a cell by its key (from the tables above, or the list below):");
	text_add(h->t, "<pre>");
	escape_html(h->t, arena_printf(&h->r->mem, "lockbench report %s --table survey -o survey.json\nlockbench verify %s\n"
				       "jq .metrics %s/cells/KE/KEY.json    # KE: the first two characters of the key\n"
				       "rm %s/cells/KE/KEY.json              # and the command above makes that cell, and no other, again", where, where,
				       where, where));
	text_add(h->t, "</pre>\n");
	page_heading(h->t, 3, NULL, provenance.title);
	page_table(h->t, &provenance);
	page_heading(h->t, 3, NULL, "Details");
	page_details(h->t, definitions.title, &definitions);
	page_details(h->t, arena_printf(&h->r->mem, "All %d cells with their options", cells.rows - 1), &cells);
}

int html_report(struct rows *r, const struct report_input *in, struct text *t)
{
	struct html h = { .t = t, .r = r, .plots = plot_available() };
	const char *data = data_warning(r), *left_out = left_out_warning(r, in);

	page_begin(t, in->title && *in->title ? in->title : "lockbench report");
	page_paragraph(t, "lede", arena_printf(&r->mem, "How good are these locks on a neural network, and what does it cost to pick them? %d cells%s.",
					       r->ncells, r->nfailures ? arena_printf(&r->mem, ", %d failed", r->nfailures) : ""));
	if (left_out)
		page_paragraph(t, "warning", left_out);
	if (data)
		page_paragraph(t, "warning", data);
	if (!h.plots) {
		warning("gnuplot is not installed: the report has tables but no plots (apt install gnuplot-nox)");
		page_paragraph(t, "warning", "gnuplot was not installed when this report was written, so it has tables but no plots.");
	}
	add_nav(&h);
	for (int i = 0; i < r->ncontexts; i++)
		add_context(&h, in, i);
	add_claims(&h);
	add_failures(&h, in);
	add_repeat(&h, in);
	page_plots_missing(t, &h.done);
	page_end(t);
	return error_code() == EXIT_YES ? 0 : -1;
}

int html_one(struct rows *r, const struct report_input *in, struct text *t)
{
	const char *left_out = left_out_warning(r, in);
	struct table gone = table_left_out(r, in);

	page_begin(t, in->title && *in->title ? in->title : "lockbench report");
	if (left_out)
		page_paragraph(t, "warning", left_out);
	for (int i = 0; i < r->ncontexts; i++) {
		struct table table = selected_table(r, in, i);

		table = table_turned(&r->mem, &table, "");
		page_heading(t, 2, NULL, table.title);
		page_table(t, &table);
	}
	page_table(t, &gone);
	page_end(t);
	return 0;
}
