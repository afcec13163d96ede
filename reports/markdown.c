/* The report as GitHub-flavoured Markdown: tables only, for a README or a pull request. */
#include "reports/formats.h"

#include <string.h>

#include "reports/breakcost.h"
#include "reports/escape.h"
#include "reports/left_out.h"
#include "reports/summary.h"

static void add_cell(struct text *t, const struct tcell *c)
{
	text_char(t, ' ');
	if (c->symbol) {
		escape_markdown(t, c->symbol);
		text_char(t, ' ');
	}
	if (c->best)
		text_add(t, "**");
	if (c->text)
		escape_markdown(t, c->text);
	if (c->best)
		text_add(t, "**");
	if (c->range && *c->range) {
		text_add(t, c->text ? " (" : "(");
		escape_markdown(t, c->range);
		text_char(t, ')');
	}
	if (c->tag) {
		text_add(t, c->text || (c->range && *c->range) ? " **" : "**");
		escape_markdown(t, c->tag);
		text_add(t, "**");
	}
	text_add(t, " |");
}

void markdown_table(struct text *t, const struct table *table)
{
	if (table->rows < 2)
		return;
	if (table->caption) {
		escape_markdown(t, table->caption);
		text_add(t, "\n\n");
	}
	for (int r = 0; r < table->rows; r++) {
		text_char(t, '|');
		for (int c = 0; c < table->cols; c++)
			add_cell(t, table_at(table, r, c));
		text_char(t, '\n');
		if (r)
			continue;
		text_char(t, '|');
		for (int c = 0; c < table->cols; c++)
			text_add(t, table_at(table, 1, c)->number ? "---:|" : "---|");
		text_char(t, '\n');
	}
	text_char(t, '\n');
}

static void heading(struct text *t, int level, const char *title)
{
	text_fmt(t, "%.*s ", level, "####");
	escape_markdown(t, title);
	text_add(t, "\n\n");
}

static void section(struct text *t, int level, const struct table *table)
{
	if (table->rows < 2)
		return;
	heading(t, level, table->title);
	markdown_table(t, table);
}

static void add_summary(struct rows *r, const struct report_input *in, int ctx, struct text *t)
{
	struct table table = table_survey(r, in, ctx);

	table = table_turned(&r->mem, &table, "Metric");
	section(t, 3, &table);
	if (!r->context[ctx].nseries)
		return;
	table = table_heat(r, ctx);
	table = table_turned(&r->mem, &table, "Attack");
	section(t, 3, &table);
	table = table_cost(r, in, ctx);
	section(t, 3, &table);
	table = table_breaking(r, ctx);
	section(t, 3, &table);
}

static void add_context(struct rows *r, const struct report_input *in, int ctx, struct text *t)
{
	const struct context *c = &r->context[ctx];
	struct table table = table_functional(r, ctx);
	const char *worst;

	heading(t, 2, c->label);
	add_summary(r, in, ctx, t);
	section(t, 3, &table);
	table = table_resistance(r, ctx);
	section(t, 3, &table);
	for (int a = 0; a < c->nseries; a = attack_last(r, ctx, a) + 1) {
		table = table_attack(r, ctx, a, attack_last(r, ctx, a));
		section(t, 3, &table);
	}
	for (int s = 0; s < c->nschemes; s++) {
		const struct group *g = rows_group(r, ctx, s, -1, 0);

		table = g ? table_users(r, g, &worst) : (struct table){ 0 };
		if (!table.rows)
			continue;
		heading(t, 3, "Authentication of every user");
		markdown_table(t, &table);
	}
	table = table_overhead(r, ctx, in->timings);
	section(t, 3, &table);
}

static void add_left_out(struct rows *r, const struct report_input *in, struct text *t)
{
	const char *left_out = left_out_warning(r, in);

	if (!left_out)
		return;
	text_add(t, "> **Warning:** ");
	escape_markdown(t, left_out);
	text_add(t, "\n\n");
}

int markdown_report(struct rows *r, const struct report_input *in, struct text *t)
{
	const char *data = data_warning(r);
	struct table table;

	heading(t, 1, in->title && *in->title ? in->title : "lockbench report");
	add_left_out(r, in, t);
	if (data) {
		text_add(t, "> **Warning:** ");
		escape_markdown(t, data);
		text_add(t, "\n\n");
	}
	for (int i = 0; i < r->ncontexts; i++)
		add_context(r, in, i, t);
	table = table_claims(r);
	section(t, 2, &table);
	table = table_left_out(r, in);
	section(t, 2, &table);
	table = table_failures(r);
	section(t, 2, &table);
	table = table_inapplicable(r);
	section(t, 2, &table);
	table = table_provenance(r, in);
	section(t, 2, &table);
	return 0;
}

int markdown_one(struct rows *r, const struct report_input *in, struct text *t)
{
	struct table gone = table_left_out(r, in);

	add_left_out(r, in, t);
	for (int i = 0; i < r->ncontexts; i++) {
		struct table table = selected_table(r, in, i);

		table = table_turned(&r->mem, &table, "");
		section(t, 3, &table);
	}
	section(t, 3, &gone);
	return 0;
}
