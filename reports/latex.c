/* The report as LaTeX tables (booktabs): a fragment to \input, or to cut into one file a table at the marked lines. Needs
 * \usepackage{booktabs} and nothing else. Every number stands in \lbnum{...}, which a paper may redefine. No text
 * from outside reaches a \label, an option or a file name. */
#include "reports/formats.h"

#include <ctype.h>
#include <string.h>

#include "bench/cell.h"
#include "reports/escape.h"

void latex_begin(struct text *t, const char *title)
{
	text_add(t, "% Written by lockbench " LOCKBENCH_VERSION ". Needs: \\usepackage{booktabs}\n");
	text_add(t, "% ");
	for (; *title; title++) /* a comment ends with the line */
		text_char(t, isascii((unsigned char)*title) && isprint((unsigned char)*title) ? *title : ' ');
	text_add(t, "\n\\providecommand{\\lbnum}[1]{\\ensuremath{#1}}\n\\providecommand{\\lbrange}[1]{{\\scriptsize #1}}\n");
}

/* Digits with at most a sign, a point and an exponent: what \lbnum may hold. */
static bool is_number(const char *s)
{
	return *s && s[strspn(s, "0123456789.+-")] == '\0' && s[strcspn(s, "0123456789")];
}

static void add_cell(struct text *t, const struct tcell *c)
{
	if (c->text && is_number(c->text))
		text_fmt(t, "\\lbnum{%s}", c->text);
	else if (c->text)
		escape_latex(t, c->text);
	if (c->range && *c->range) {
		text_add(t, " \\lbrange{");
		escape_latex(t, c->range);
		text_char(t, '}');
	}
	if (c->tag) {
		text_add(t, c->text ? " \\textsc{" : "\\textsc{");
		for (const char *s = c->tag; *s; s++) {
			char one[2] = { (char)tolower((unsigned char)*s), '\0' };

			escape_latex(t, one);
		}
		text_char(t, '}');
	}
}

void latex_table(struct text *t, const struct table *table, int number)
{
	if (table->rows < 2)
		return;
	text_fmt(t, "\n%% ---- table %d ----\n\\begin{table}\n\\centering\n\\caption{", number);
	escape_latex(t, table->title);
	text_char(t, '.');
	if (table->caption) {
		text_char(t, ' ');
		escape_latex(t, table->caption);
	}
	text_fmt(t, "}\n\\label{tab:lb-%d}\n\\begin{tabular}{@{}", number);
	for (int c = 0; c < table->cols; c++)
		text_char(t, table_at(table, 1, c)->number ? 'r' : 'l');
	text_add(t, "@{}}\n\\toprule\n");
	for (int r = 0; r < table->rows; r++) {
		for (int c = 0; c < table->cols; c++) {
			if (c)
				text_add(t, " & ");
			add_cell(t, table_at(table, r, c));
		}
		text_add(t, r ? " \\\\\n" : " \\\\\n\\midrule\n");
	}
	text_add(t, "\\bottomrule\n\\end{tabular}\n\\end{table}\n");
}

int latex_report(struct rows *r, const struct report_input *in, struct text *t)
{
	const char *limits = limits_warning(r), *worst;
	struct table table;
	int n = 0;

	latex_begin(t, in->title && *in->title ? in->title : "lockbench report");
	if (limits) {
		text_add(t, "\n\\par\\noindent\\textbf{");
		escape_latex(t, limits);
		text_add(t, "}\\par\n");
	}
	for (int i = 0; i < r->ncontexts; i++) {
		const struct context *c = &r->context[i];

		table = table_functional(r, i);
		table.title = arena_printf(&r->mem, "%s: protected models", c->label);
		latex_table(t, &table, ++n);
		table = table_resistance(r, i);
		table.title = arena_printf(&r->mem, "%s: attacks", c->label);
		latex_table(t, &table, ++n);
		for (int a = 0; a < c->nseries; a = attack_last(r, i, a) + 1) {
			table = table_attack(r, i, a, attack_last(r, i, a));
			table.title = arena_printf(&r->mem, "%s: %s", c->label, c->series[a].attack);
			latex_table(t, &table, ++n);
		}
		for (int s = 0; s < c->nschemes; s++) {
			const struct group *g = rows_group(r, i, s, -1, 0);

			table = g ? table_users(r, g, &worst) : (struct table){ 0 };
			table.title = arena_printf(&r->mem, "%s: authentication of every user, %s", c->label, c->scheme[s].label);
			latex_table(t, &table, ++n);
		}
	}
	table = table_provenance(r, in);
	latex_table(t, &table, ++n);
	return 0;
}
