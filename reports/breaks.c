/* See breaks.h. */
#include "reports/breaks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/terminal.h"
#include "reports/escape.h"
#include "datasets/dataset.h"
#include "reports/formats.h"
#include "reports/page.h"
#include "reports/rows.h"

#define BREAK(claim, dataset, model, scheme, scheme_options, recipe, attack, attack_options, measured, op, limit, published, source) \
	{ claim, dataset, model, scheme, scheme_options, recipe, attack, attack_options, measured, op, limit, published, source },
const struct known_break known_breaks[] = {
#include "reports/breaks.def"
};
#undef BREAK
const int known_breaks_count = sizeof(known_breaks) / sizeof(*known_breaks);

/* ---- finding the cells ---- */

static bool same_value(struct arena *mem, const json_t *v, const char *wanted)
{
	return json_is_number(v) ? json_number_value(v) == strtod(wanted, NULL) : !strcmp(option_text(mem, v), wanted);
}

/* Are all of "a=b c=d" among options? */
static bool has_options(struct arena *mem, const json_t *options, const char *wanted)
{
	while (*wanted) {
		const size_t n = strcspn(wanted, " "), eq = strcspn(wanted, "=");
		const char *name = arena_printf(mem, "%.*s", (int)eq, wanted);
		const char *value = arena_printf(mem, "%.*s", (int)(n - eq - 1), wanted + eq + 1);

		if (!same_value(mem, json_object_get(options, name), value))
			return false;
		wanted += n + strspn(wanted + n, " ");
	}
	return true;
}

/* What another row names is another experiment: a row that names nothing wants the recipe, and the scheme's options, that no row names. */
static bool has_recipe(struct arena *mem, const json_t *cell, const struct known_break *k)
{
	const json_t *recipe = json_object_get(cell, "recipe");

	for (int i = 0; !*k->recipe && i < known_breaks_count; i++)
		if (*known_breaks[i].recipe && has_options(mem, recipe, known_breaks[i].recipe))
			return false;
	return has_options(mem, recipe, k->recipe);
}

static bool has_scheme_options(struct arena *mem, const json_t *cell, const struct known_break *k)
{
	const json_t *options = json_object_get(cell, "scheme_options");

	for (int i = 0; !*k->scheme_options && i < known_breaks_count; i++) {
		const struct known_break *other = &known_breaks[i];

		if (*other->scheme_options && !strcmp(other->scheme, k->scheme) && has_options(mem, options, other->scheme_options))
			return false;
	}
	return has_options(mem, options, k->scheme_options);
}

static bool is_cell_of(struct rows *r, const json_t *cell, const struct known_break *k)
{
	return !strcmp(jget_str(cell, "scheme", ""), k->scheme) && !strcmp(jget_str(cell, "attack", ""), k->attack) &&
	       has_options(&r->mem, json_object_get(cell, "attack_options"), k->attack_options) && has_scheme_options(&r->mem, cell, k) &&
	       has_recipe(&r->mem, cell, k);
}

static const struct group *group_of(struct rows *r, const struct known_break *k, const char *dataset, const char *model)
{
	for (int i = 0; i < r->ngroups; i++) {
		const struct group *g = &r->group[i];
		const json_t *any = g->ncells ? g->cell[0] : g->nfailures ? json_object_get(g->failure[0], "point") : NULL;

		if (g->series >= 0 && any && !strcmp(r->context[g->context].dataset, dataset) &&
		    !strcmp(r->context[g->context].model, model) && is_cell_of(r, any, k))
			return g;
	}
	return NULL;
}

/* ---- measuring ---- */

/* The metric in the cell, or in the functional one of its seed. */
static bool metric_of(struct rows *r, const struct group *g, const json_t *cell, const char *name, double *v)
{
	return cell_metric(cell, name, v) ||
	       cell_metric(group_cell(rows_group(r, g->context, g->scheme, -1, 0), jget_int(cell, "seed", 0)), name, v);
}

static bool recovery(struct rows *r, const struct group *g, const json_t *cell, double *v)
{
	double users, others, chance = cell_number(cell, "classes", 0);

	if (!cell_metric(cell, "attacked_accuracy", v) || !metric_of(r, g, cell, "authorised_accuracy", &users) ||
	    !metric_of(r, g, cell, "unauthorised_accuracy", &others))
		return false;
	others = fmax(others, chance > 0 ? 100 / chance : 0);
	*v = users > others ? 100 * (*v - others) / (users - others) : 0;
	return users > others;
}

static bool measure(struct rows *r, const struct group *g, const json_t *cell, const char *what, double *v)
{
	const char *minus = strstr(what, " - ");
	double b;

	if (!strcmp(what, "recovery"))
		return recovery(r, g, cell, v);
	if (!strcmp(what, "base_equal")) {
		*v = 100 * cell_number(cell, "base_equal", NAN);
		return !isnan(*v);
	}
	if (!minus)
		return metric_of(r, g, cell, what, v);
	if (!metric_of(r, g, cell, arena_printf(&r->mem, "%.*s", (int)(minus - what), what), v) || !metric_of(r, g, cell, minus + 3, &b))
		return false;
	*v -= b;
	return true;
}

static const char *unit_of(const char *what)
{
	return strstr(what, " - ") ? " points" : !strcmp(what, "ownership_verified") ? "" : " %";
}

static const char *expected(struct arena *mem, const struct known_break *k)
{
	return k->op == SHOWN ? "shown" : arena_printf(mem, "%s %g%s", k->op == AT_LEAST ? "at least" : "at most", k->limit, unit_of(k->measured));
}

static bool met(const struct known_break *k, double v)
{
	return k->op == AT_LEAST ? v >= k->limit - 1e-9 : v <= k->limit + 1e-9;
}

/* Mean over the group's seeds in j; false when one of them does not say, with the reason in *why (before: that of no group at all). */
static bool measure_all(struct rows *r, const struct group *g, const struct known_break *k, json_t *j, const char **why)
{
	double sum = 0, low = INFINITY, high = -INFINITY, v;

	for (int i = 0; g && i < g->ncells + g->nfailures; i++) {
		const char *verdict = group_verdict(r, g, i, why);

		if (i >= g->ncells || !measure(r, g, g->cell[i], k->measured, &v)) {
			*why = arena_printf(&r->mem, "%s%s%s", verdict, **why ? ": " : "", *why);
			return false;
		}
		sum += v;
		low = fmin(low, v);
		high = fmax(high, v);
	}
	if (!g || !g->ncells)
		return false;
	jset_num(j, "ours", sum / g->ncells);
	jset_num(j, "low", low);
	jset_num(j, "high", high);
	jset_int(j, "n", g->ncells);
	*why = "";
	return true;
}

bool breaks_is_absent(const struct breaks_job *job, const char *dataset)
{
	for (const char *const *name = job->absent; name && *name; name++)
		if (!strcmp(*name, dataset))
			return true;
	return false;
}

/* Into j: what the row measures on a data set and network; null where it does not say, and the note says why. */
static bool measure_on(struct rows *r, const struct known_break *k, const struct breaks_job *job, const char *dataset, const char *model, json_t *j)
{
	const char *why = breaks_is_absent(job, dataset) ? arena_printf(&r->mem, "data set %s was not found", dataset) : "not run";
	const struct group *g = group_of(r, k, dataset, model);
	bool measured;

	jset_str(j, "dataset", dataset);
	jset_str(j, "model", model);
	for (const char *const *name = (const char *const[]){ "ours", "low", "high", NULL }; *name; name++)
		jset(j, *name, json_null());
	jset_int(j, "n", 0);
	measured = measure_all(r, g, k, j, &why);
	if (g && !dataset_published(dataset, r->context[g->context].dataset_hash))
		why = arena_printf(&r->mem, "%s%snot the published %s", why, *why ? "; " : "", dataset);
	jset_str(j, "note", why);
	return measured;
}

bool breaks_elsewhere(const struct known_break *k, const struct breaks_job *job)
{
	return *k->dataset && (strcmp(k->dataset, job->dataset) != 0 || strcmp(k->model, job->model) != 0);
}

static json_t *value_of(struct rows *r, const struct known_break *k, const struct breaks_job *job)
{
	const bool elsewhere = breaks_elsewhere(k, job);
	json_t *j = json_object(), *beside = elsewhere ? json_object() : json_null();
	bool measured;

	jset_str(j, "claim", k->claim);
	jset_str(j, "recipe", k->recipe);
	jset_str(j, "scheme", *k->scheme_options ? arena_printf(&r->mem, "%s %s", k->scheme, k->scheme_options) : k->scheme);
	jset_str(j, "attack", *k->attack_options ? arena_printf(&r->mem, "%s %s", k->attack, k->attack_options) : k->attack);
	jset_str(j, "measured", k->measured);
	jset_str(j, "expected", expected(&r->mem, k));
	jset_str(j, "published", k->published);
	jset_str(j, "source", k->source);
	jset_str(j, "unit", unit_of(k->measured));
	measured = measure_on(r, k, job, elsewhere ? k->dataset : job->dataset, elsewhere ? k->model : job->model, j);
	jset_str(j, "verdict", !measured ? "missing" : k->op == SHOWN ? "shown" : met(k, jget_num(j, "ours", 0)) ? "as known" : "differs");
	if (elsewhere)
		measure_on(r, k, job, job->dataset, job->model, beside);
	jset(j, "beside", beside);
	return j;
}

json_t *breaks_values(const struct report_input *in, const struct breaks_job *job)
{
	json_t *values = json_array();
	struct rows r;

	rows_make(&r, in);
	for (int i = 0; i < known_breaks_count; i++)
		json_array_append_new(values, value_of(&r, &known_breaks[i], job));
	rows_release(&r);
	return values;
}

/* ---- the table ---- */

static const char *figure(struct arena *mem, const json_t *v, const char *unit)
{
	return json_is_number(json_object_get(v, "ours")) ? arena_printf(mem, "%.4g%s", jget_num(v, "ours", 0), unit) : "-";
}

/* "0.2 %", or "0.2 %; fashion-mnist 0.8 %" where a claim was judged elsewhere than on the job's data set and network, or
 * "0.2 %; fashion-mnist - (not run)". */
static const char *ours_text(struct arena *mem, const json_t *v)
{
	const json_t *beside = json_object_get(v, "beside");
	const char *unit = jget_str(v, "unit", ""), *ours = figure(mem, v, unit), *on, *note;

	if (!json_is_object(beside))
		return ours;
	on = jget_str(beside, "dataset", "?");
	note = jget_str(beside, "note", "");
	if (strcmp(jget_str(v, "model", "?"), jget_str(beside, "model", "?")) != 0)
		on = arena_printf(mem, "%s, %s", on, jget_str(beside, "model", "?"));
	return arena_printf(mem, *note ? "%s; %s %s (%s)" : "%s; %s %s%s", ours, on, figure(mem, beside, unit), note);
}

/* "mnist, lenet5, init=keras lr=0.001": what tells rows of one attack apart. */
static const char *run_on(struct arena *mem, const json_t *v)
{
	const char *recipe = jget_str(v, "recipe", "");

	return arena_printf(mem, "%s, %s%s%s", jget_str(v, "dataset", "?"), jget_str(v, "model", "?"), *recipe ? ", " : "", recipe);
}

static const char caption[] = "Published figures are of other networks and data and stand beside ours, not against them; the verdict is about what is "
			      "expected: as known, differs, shown (no limit), missing. ActiveGuard's rows of clean, FGSM and C&W images and of wm1 under "
			      "pruning are judged where its tables IV and VI are published, on MNIST and LeNet-5 trained as Keras does, and what the "
			      "job's own data set and network give stands behind. All other rows are judged on the job's: passports too, whose published "
			      "figures (AlexNet on CIFAR-10) cannot be run as published. Ours: mean over seeds. Marks of trust: [S3] read in ActiveGuard, [P] "
			      "full text read, [A] abstract only, [D] follows from the scheme's description, no figure.";

static struct table breaks_table(struct arena *mem, const json_t *values, const char *dataset)
{
	static const char *const heading[] = { "Known break", "Run on", "Scheme", "Attack", "Measured", "Expected", "Published", "Ours", "Verdict",
						"Source" };
	static const char *const member[] = { "claim", "", "scheme", "attack", "measured", "expected", "published" };
	enum { RUN_ON = 1, OURS = ARRAY_LEN(member), VERDICT, SOURCE };
	struct table t = table_new(mem, arena_printf(mem, "Known breaks on %s", dataset), caption, (int)json_array_size(values) + 1,
				   ARRAY_LEN(heading));
	json_t *v;
	size_t i;

	t.name = "breaks";
	for (int c = 0; c < t.cols; c++)
		table_at(&t, 0, c)->text = heading[c];
	json_array_foreach(values, i, v) {
		const int row = (int)i + 1;
		const char *note = jget_str(v, "note", "");

		for (int c = 0; c < (int)ARRAY_LEN(member); c++)
			table_at(&t, row, c)->text = jget_str(v, member[c], "");
		table_at(&t, row, RUN_ON)->text = run_on(mem, v);
		/* Beside ours may stand the name of a data set. */
		*table_at(&t, row, OURS) = (struct tcell){ .text = ours_text(mem, v),
							   .number = !json_is_object(json_object_get(v, "beside")) };
		if (jget_int(v, "n", 0) > 1)
			table_at(&t, row, OURS)->range = arena_printf(mem, "%.4g to %.4g, %lld seeds", jget_num(v, "low", 0), jget_num(v, "high", 0),
								   jget_int(v, "n", 0));
		*table_at(&t, row, VERDICT) = (struct tcell){ .text = jget_str(v, "verdict", ""), .range = *note ? note : NULL };
		table_at(&t, row, SOURCE)->text = jget_str(v, "source", "");
	}
	return t;
}

void breaks_print(const json_t *values, const char *dataset)
{
	locale_t before = point_locale();
	struct arena mem = { 0 };
	json_t *v;
	size_t i;

	tell("Known breaks on %s\n\n%-56s %-30s %-20s %-36s %s\n", dataset, "", "ours", "expected", "published", "verdict");
	json_array_foreach(values, i, v) {
		const bool elsewhere = json_is_object(json_object_get(v, "beside"));
		const char *claim = jget_str(v, "claim", "");

		if (elsewhere)
			claim = arena_printf(&mem, "%s (%s, %s)", claim, jget_str(v, "dataset", "?"), jget_str(v, "model", "?"));
		tell("%-56s %-30s %-20s %-36.36s %s%s%s\n", claim, ours_text(&mem, v), jget_str(v, "expected", ""),
		       *jget_str(v, "published", "") ? jget_str(v, "published", "") : "-", jget_str(v, "verdict", ""),
		       *jget_str(v, "note", "") ? ": " : "", jget_str(v, "note", ""));
	}
	arena_release(&mem);
	point_locale_end(before);
}

static void csv_table(struct text *t, const struct table *table)
{
	for (int row = 0; row < table->rows; row++)
		for (int c = 0; c < table->cols; c++) {
			const struct tcell *cell = table_at(table, row, c);

			(cell->number ? escape_csv_number : escape_csv)(t, cell->text ? cell->text : "");
			text_add(t, c + 1 < table->cols ? "," : "\r\n");
		}
}

int breaks_write(const json_t *values, const char *dataset, const char *path)
{
	const char *format = format_of(path);
	struct arena mem = { 0 };
	struct text t = { 0 };
	struct table table;
	locale_t before;
	int ret;

	if (!format)
		return -1;
	before = point_locale();
	table = breaks_table(&mem, values, dataset);
	if (!strcmp(format, "html")) {
		page_begin(&t, table.title);
		page_table(&t, &table);
		page_end(&t);
	} else if (!strcmp(format, "md")) {
		text_add(&t, "# ");
		escape_markdown(&t, table.title);
		text_add(&t, "\n\n");
		markdown_table(&t, &table);
	} else if (!strcmp(format, "tex")) {
		latex_begin(&t, table.title);
		latex_table(&t, &table, 1);
	} else if (!strcmp(format, "csv")) {
		csv_table(&t, &table);
	} else {
		char *text = json_pretty(values);

		text_add(&t, text);
		free(text);
	}
	ret = file_publish(path, text_str(&t), t.n);
	text_release(&t);
	arena_release(&mem);
	point_locale_end(before);
	return ret;
}
