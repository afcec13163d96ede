/* The report as tidy CSV (RFC 4180): one row a cell and metric, nothing aggregated, nothing left out. A cell or failure without
 * metrics has one row whose metric is empty; so has what is damaged or missing, and its verdict says which. Text is quoted, numbers are
 * not; what is not there is empty. Text that a spreadsheet would take for a formula has a ' in front, a number never has. */
#include "reports/formats.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "reports/escape.h"

static const char header[] = "key,dataset,dataset_hash,model,limit_train,limit_test,seed,tier,scheme,scheme_options,attack,attack_options,"
			     "goal,strength_option,strength,verdict,why,metric,unit,value,low,high,k,n\r\n";

static void add_text(struct text *t, const char *s)
{
	escape_csv(t, s ? s : "");
	text_char(t, ',');
}

static void add_options(struct text *t, const json_t *options)
{
	char *text = json_is_object(options) ? json_compact(options) : NULL;

	add_text(t, text);
	free(text);
}

/* Shortest form that reads back as the same double. */
static void add_number(struct text *t, double v)
{
	char buf[40];

	if (!isfinite(v))
		return;
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(buf, sizeof(buf), "%.*g", digits, v);
		if (strtod(buf, NULL) == v)
			break;
	}
	text_add(t, buf);
}

/* What comes before the metric, with its last comma. */
static void add_place(struct text *t, struct rows *r, const struct group *g, int i)
{
	const struct context *c = &r->context[g->context];
	const struct series *a = g->series < 0 ? NULL : &c->series[g->series];
	const json_t *j = i < g->ncells ? g->cell[i] : json_object_get(g->failure[i - g->ncells], "point");
	const char *why, *verdict = group_verdict(r, g, i, &why);

	add_text(t, jget_str(i < g->ncells ? j : g->failure[i - g->ncells], "key", ""));
	add_text(t, c->dataset);
	add_text(t, c->dataset_hash);
	add_text(t, c->model);
	text_fmt(t, "%ld,%ld,%lld,", c->limit_train, c->limit_test, jget_int(j, "seed", 0));
	add_text(t, jget_str(j, "tier", ""));
	add_text(t, c->scheme[g->scheme].name);
	add_options(t, c->scheme[g->scheme].options);
	add_text(t, a ? a->attack : "none");
	add_options(t, g->options);
	add_text(t, a ? a->goal : "");
	add_text(t, a ? a->strength : "");
	if (g->has_strength)
		add_number(t, g->strength);
	text_char(t, ',');
	add_text(t, verdict);
	add_text(t, why);
}

static void add_metric(struct text *t, const char *name, const json_t *m)
{
	static const char *const member[] = { "value", "low", "high" };

	add_text(t, name);
	add_text(t, metric_unit(name));
	for (int i = 0; i < 3; i++) {
		add_number(t, jget_num(m, member[i], NAN));
		text_char(t, ',');
	}
	if (jget_int(m, "n", 0))
		text_fmt(t, "%lld,%lld", jget_int(m, "k", 0), jget_int(m, "n", 0));
	else
		text_char(t, ',');
	text_add(t, "\r\n");
}

/* A row for what is damaged or missing, in the columns of a cell: its key, what became of it as verdict, and why. */
static void add_left_out(struct text *t, const struct report_input *in)
{
	const json_t *v;
	size_t i;

	json_array_foreach(in->left_out, i, v) {
		add_text(t, *jget_str(v, "key", "") ? jget_str(v, "key", "") : jget_str(v, "what", ""));
		text_add(t, ",,,,,,,,,,,,,,"); /* dataset to strength */
		add_text(t, !strcmp(jget_str(v, "state", ""), "missing") ? "MISSING" : "DAMAGED");
		add_text(t, jget_str(v, "why", ""));
		add_metric(t, "", NULL);
	}
}

int csv_report(struct rows *r, const struct report_input *in, struct text *t)
{
	text_add(t, header);
	for (int i = 0; i < r->ngroups; i++) {
		const struct group *g = &r->group[i];
		const char **all = rows_metrics(r, g->context, g->series);

		for (int k = 0; k < g->ncells + g->nfailures; k++) {
			const json_t *metric = k < g->ncells ? json_object_get(g->cell[k], "metrics") : NULL;
			bool any = false;

			for (int m = 0; all[m]; m++) {
				const json_t *value = json_object_get(metric, all[m]);

				if (!value)
					continue;
				add_place(t, r, g, k);
				add_metric(t, all[m], value);
				any = true;
			}
			if (any)
				continue;
			add_place(t, r, g, k);
			add_metric(t, "", NULL);
		}
	}
	add_left_out(t, in);
	return 0;
}

/* A table as people see it: text, and behind it the interval and the verdict of the same cell. In the first row stand
 * headings, however they are set. */
static void add_cell(struct text *t, const struct tcell *c, bool heading, struct arena *mem)
{
	const char *text = arena_printf(mem, "%s%s%s%s%s%s", c->text ? c->text : "", c->range && *c->range ? " (" : "",
					c->range ? c->range : "", c->range && *c->range ? ")" : "", c->tag ? " " : "", c->tag ? c->tag : "");

	text += *text == ' ';
	if (c->number && !heading)
		escape_csv_number(t, text);
	else
		escape_csv(t, text);
}

int csv_one(struct rows *r, const struct report_input *in, struct text *t)
{
	const json_t *v;
	size_t k;

	for (int i = 0; i < r->ncontexts; i++) {
		struct table table = selected_table(r, in, i);

		for (int row = 0; row < table.rows; row++) { /* contexts may differ in columns */
			escape_csv(t, row ? r->context[i].label : "context");
			for (int c = 0; c < table.cols; c++) {
				text_char(t, ',');
				add_cell(t, table_at(&table, row, c), !row, &r->mem);
			}
			text_add(t, "\r\n");
		}
	}
	json_array_foreach(in->left_out, k, v) { /* a row each, as wide as it needs */
		add_text(t, "left out");
		add_text(t, jget_str(v, "what", ""));
		add_text(t, jget_str(v, "key", ""));
		add_text(t, jget_str(v, "state", ""));
		escape_csv(t, jget_str(v, "why", ""));
		text_add(t, "\r\n");
	}
	return 0;
}
