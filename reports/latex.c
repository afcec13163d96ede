/* The report as LaTeX tables (booktabs): a fragment to \input, or to cut into one file a table at the marked lines. Needs
 * \usepackage{booktabs} and nothing else. Every number stands in \lbnum{...}, which a paper may redefine. Letters stand
 * in UTF-8 where the fonts have them (escape_latex.c). No text from outside reaches a \label, an option or a file
 * name. */
#include "reports/formats.h"

#include <ctype.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/version.h"
#include "reports/breakcost.h"
#include "reports/escape.h"
#include "reports/left_out.h"
#include "reports/summary.h"

void latex_begin(struct text *t, const char *title)
{
	text_add(t, "% Written by lockbench " LOCKBENCH_VERSION ". Needs: \\usepackage{booktabs}\n");
	text_add(t, "% Title: ");
	escape_latex_comment(t, title);
	text_add(t, "\n" LATEX_MACROS "\\providecommand{\\lbnum}[1]{\\ensuremath{#1}}\n"
		    "\\providecommand{\\lbrange}[1]{{\\scriptsize #1}}\n"
		    "\\providecommand{\\lbbest}[1]{\\textbf{\\boldmath #1}}\n");
}

/* Digits with at most a sign, a point and an exponent: what \lbnum may hold. */
static bool is_number(const char *s)
{
	return *s && s[strspn(s, "0123456789.+-")] == '\0' && s[strcspn(s, "0123456789")];
}

/* ASCII's capitals as small letters: \textsc shows them as capitals. */
static void add_lower(struct text *t, const char *s)
{
	char *lower = xstrdup(s);

	for (char *p = lower; *p; p++)
		if (isascii((unsigned char)*p))
			*p = (char)tolower((unsigned char)*p);
	escape_latex(t, lower);
	free(lower);
}

static void add_cell(struct text *t, const struct tcell *c)
{
	if (c->best)
		text_add(t, "\\lbbest{");
	if (c->text && is_number(c->text))
		text_fmt(t, "\\lbnum{%s}", c->text);
	else if (c->text)
		escape_latex(t, c->text);
	if (c->best)
		text_char(t, '}');
	if (c->range && *c->range) {
		text_add(t, " \\lbrange{");
		escape_latex(t, c->range);
		text_char(t, '}');
	}
	if (c->tag) {
		text_add(t, c->text || (c->range && *c->range) ? " \\textsc{" : "\\textsc{");
		add_lower(t, c->tag);
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

typedef void on_table(void *ctx, const struct table *table, const char *name, int number);

static void each_table(struct rows *r, const struct report_input *in, on_table *fn, void *ctx)
{
	struct table table;
	const char *worst;
	int n = 0;

	for (int i = 0; i < r->ncontexts; i++) {
		const struct context *c = &r->context[i];
		const struct { const char *name, *title; struct table table; } first[] = {
			{ "survey", "schemes", table_survey(r, in, i) }, { "functional", "protected models", table_functional(r, i) },
			{ "heat", "schemes and attacks", table_heat(r, i) }, { "resistance", "attacks", table_resistance(r, i) },
			{ "cost", "cost to break", table_cost(r, in, i) }, { "breaking", "cost to break by access level", table_breaking(r, i) },
		};

		for (size_t k = 0; k < ARRAY_LEN(first); k++) {
			if (k >= 2 && !c->nseries)
				break;
			if (k > 4 && first[k].table.rows < 2) /* no lock, or no attempt on it */
				continue;
			table = k == 0 || k == 2 ? table_turned(&r->mem, &first[k].table, k ? "Attack" : "Metric") : first[k].table;
			table.title = arena_printf(&r->mem, "%s: %s", c->label, first[k].title);
			fn(ctx, &table, arena_printf(&r->mem, "c%d-%s", i + 1, first[k].name), ++n);
		}
		for (int a = 0; a < c->nseries; a = attack_last(r, i, a) + 1) {
			table = table_attack(r, i, a, attack_last(r, i, a));
			table.title = arena_printf(&r->mem, "%s: %s", c->label, c->series[a].attack);
			fn(ctx, &table, arena_printf(&r->mem, "c%d-attack%d", i + 1, a + 1), ++n);
		}
		for (int s = 0; s < c->nschemes; s++) {
			const struct group *g = rows_group(r, i, s, -1, 0);

			table = g ? table_users(r, g, &worst) : (struct table){ 0 };
			table.title = arena_printf(&r->mem, "%s: authentication of every user, %s", c->label, c->scheme[s].label);
			fn(ctx, &table, arena_printf(&r->mem, "c%d-users%d", i + 1, s + 1), ++n);
		}
	}
	table = table_claims(r);
	fn(ctx, &table, "claims", ++n);
	table = table_left_out(r, in);
	fn(ctx, &table, "left-out", ++n);
	table = table_provenance(r, in);
	fn(ctx, &table, "provenance", ++n);
}

static void add_table(void *ctx, const struct table *table, const char *name, int number)
{
	(void)name;
	latex_table(ctx, table, number);
}

void latex_warning(struct text *t, const char *warning)
{
	if (!warning)
		return;
	text_add(t, "\n\\par\\noindent\\textbf{");
	escape_latex(t, warning);
	text_add(t, "}\\par\n");
}

static void add_warnings(struct rows *r, const struct report_input *in, struct text *t)
{
	latex_warning(t, left_out_warning(r, in));
	latex_warning(t, data_warning(r));
}

int latex_report(struct rows *r, const struct report_input *in, struct text *t)
{
	latex_begin(t, in->title && *in->title ? in->title : "lockbench report");
	add_warnings(r, in, t);
	each_table(r, in, add_table, t);
	return 0;
}

int latex_one(struct rows *r, const struct report_input *in, struct text *t)
{
	latex_begin(t, in->title && *in->title ? in->title : "lockbench report");
	add_warnings(r, in, t);
	for (int i = 0; i < r->ncontexts; i++) {
		struct table table = selected_table(r, in, i);

		table = table_turned(&r->mem, &table, "");
		latex_table(t, &table, i + 1);
	}
	return 0;
}

/* ---- one file a table ---- */

struct splitting {
	struct rows *r;
	const struct report_input *in;
	const char *stem; /* path without ".tex" */
	int failed;
};

static int publish(const struct splitting *s, const char *name, const struct text *t)
{
	char *path = xasprintf("%s-%s.tex", s->stem, name);
	int ret = file_publish(path, text_str(t), t->n);

	free(path);
	return ret;
}

static void one_file(void *ctx, const struct table *table, const char *name, int number)
{
	struct splitting *s = ctx;
	struct text t = { 0 };

	if (table->rows < 2 || s->failed)
		return;
	latex_begin(&t, s->in->title && *s->in->title ? s->in->title : "lockbench report");
	add_warnings(s->r, s->in, &t);
	latex_table(&t, table, number);
	s->failed = publish(s, name, &t) < 0;
	text_release(&t);
}

int latex_split(struct rows *r, const struct report_input *in, const char *path)
{
	struct splitting s = { r, in, arena_printf(&r->mem, "%.*s", (int)(strlen(path) - strlen(".tex")), path), 0 };
	struct text t = { 0 };

	if (in->select->table && *in->select->table)
		for (int i = 0; i < r->ncontexts; i++) {
			struct table table = selected_table(r, in, i);

		table = table_turned(&r->mem, &table, "");
			one_file(&s, &table, arena_printf(&r->mem, "c%d-%s", i + 1, table.name), i + 1);
		}
	else
		each_table(r, in, one_file, &s);
	latex_macros(r, in, &t);
	if (!s.failed)
		s.failed = publish(&s, "macros", &t) < 0;
	text_release(&t);
	return s.failed ? -1 : 0;
}
