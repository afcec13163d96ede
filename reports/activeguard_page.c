/* ActiveGuard's tables for people: on a terminal of 80 columns, or as a page. The numbers come from activeguard.c. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/terminal.h"
#include "reports/escape.h"
#include "reports/figures.h"
#include "reports/formats.h"
#include "reports/page.h"
#include "reports/plot.h"

static const struct { const char *name, *title; } tables[] = {
	{ "Table I", "Structure of the layers and longest watermark" },
	{ "Table II", "Authentication success of every user" },
	{ "Table III", "Accuracy and ownership verification with the watermark" },
	{ "Table IV", "Forged fingerprints that are accepted" },
	{ "Table V", "Fine-tuning the watermarked network" },
	{ "Table VI", "Pruning the watermarked network" },
	{ "Figure 5", "Accuracy with and without authorisation" },
	{ "Figure 6", "Accuracy by length and layer of the watermark" },
};

/* ---- one value as text ---- */

static const char *member(const json_t *v, const char *name)
{
	return jget_str(v, name, "");
}

static const char *number_text(struct arena *mem, const json_t *v, double x)
{
	const char *unit = member(v, "unit");

	if (isnan(x))
		return "-";
	if (!strcmp(unit, "yes/no"))
		return x >= 1 ? "success" : x <= 0 ? "failure" : arena_printf(mem, "%.0f %%", 100 * x);
	if (!strcmp(unit, "%") || !strcmp(unit, "points"))
		return arena_printf(mem, "%.2f", fabs(x) < 0.005 ? 0 : x);
	return arena_printf(mem, "%.6g", x);
}

static const char *published_text(struct arena *mem, const json_t *v)
{
	double x = jget_num(v, "published", NAN), low = jget_num(v, "published_low", NAN);

	if (isnan(x) && !isnan(low))
		return arena_printf(mem, "%.2f-%.2f", low, jget_num(v, "published_high", NAN));
	return number_text(mem, v, x);
}

static const char *interval_text(struct arena *mem, const json_t *v)
{
	double low = jget_num(v, "low", NAN), high = jget_num(v, "high", NAN);

	if (isnan(low) || isnan(high) || low >= high || !strcmp(member(v, "unit"), "yes/no"))
		return "";
	return arena_printf(mem, "%s to %s", number_text(mem, v, low), number_text(mem, v, high));
}

/* ---- tables of values ---- */

static int count_values(const json_t *values, const char *table)
{
	const json_t *v;
	int n = 0;
	size_t i;

	json_array_foreach(values, i, v)
		n += !strcmp(member(v, "table"), table);
	return n;
}

static struct table long_table(struct arena *mem, const json_t *values, size_t which)
{
	static const char *const heading[] = { "Row", "Column", "Published", "Ours", "n", "Criterion", "Verdict", "Note" };
	const char *title = arena_printf(mem, "%s. %s", tables[which].name, tables[which].title);
	struct table t = table_new(mem, title, NULL, count_values(values, tables[which].name) + 1, ARRAY_LEN(heading));
	const json_t *v;
	int row = 1;
	size_t i;

	for (int c = 0; c < t.cols; c++)
		*table_at(&t, 0, c) = (struct tcell){ .text = heading[c], .number = c >= 2 && c <= 4 };
	json_array_foreach(values, i, v) {
		const char *unit = member(v, "unit");
		bool shown = *unit && strcmp(unit, "yes/no");

		if (strcmp(member(v, "table"), tables[which].name))
			continue;
		table_at(&t, row, 0)->text = member(v, "row");
		table_at(&t, row, 1)->text = shown ? arena_printf(mem, "%s, %s", member(v, "column"), unit) : member(v, "column");
		*table_at(&t, row, 2) = (struct tcell){ .text = published_text(mem, v), .number = true };
		*table_at(&t, row, 3) = (struct tcell){ .text = number_text(mem, v, jget_num(v, "ours", NAN)),
							.range = interval_text(mem, v), .number = true };
		*table_at(&t, row, 4) = (struct tcell){ .text = arena_printf(mem, "%lld", jget_int(v, "n", 0)), .number = true };
		table_at(&t, row, 5)->text = member(v, "criterion");
		table_at(&t, row, 6)->tag = member(v, "verdict");
		table_at(&t, row++, 7)->text = member(v, "note");
	}
	return t;
}

/* Place of a name in a list that grows; the names are borrowed. */
static int place(const char **list, int *n, const char *name)
{
	for (int i = 0; i < *n; i++)
		if (!strcmp(list[i], name))
			return i;
	list[*n] = name;
	return (*n)++;
}

/* Table II as the paper prints it: confidence x class. */
static struct table user_grid(struct arena *mem, const json_t *values)
{
	int most = count_values(values, "Table II") + 1, nrows = 0, ncols = 0;
	const char **row = arena_new(mem, (size_t)most, const char *), **col = arena_new(mem, (size_t)most, const char *), *worst = "";
	const json_t *v;
	struct table t;
	size_t i;

	json_array_foreach(values, i, v)
		if (!strcmp(member(v, "table"), "Table II") && strcmp(member(v, "row"), "all users")) {
			place(row, &nrows, member(v, "row"));
			place(col, &ncols, member(v, "column"));
		}
	t = table_new(mem, "Table II. Authentication success of every user", NULL, nrows + 1, ncols + 1);
	for (int c = 0; c < ncols; c++)
		*table_at(&t, 0, c + 1) = (struct tcell){ .text = col[c], .number = true };
	for (int r = 0; r < nrows; r++)
		table_at(&t, r + 1, 0)->text = row[r];
	json_array_foreach(values, i, v) {
		double ours = jget_num(v, "ours", NAN), published = jget_num(v, "published", NAN);
		struct tcell *c;

		if (strcmp(member(v, "table"), "Table II"))
			continue;
		if (!strcmp(member(v, "row"), "all users")) {
			worst = isnan(ours) ? "" : arena_printf(mem, " Minimum over users: %.2f (exact 95 %% interval %s), published %s.", ours,
								interval_text(mem, v), published_text(mem, v));
			continue;
		}
		c = table_at(&t, place(row, &nrows, member(v, "row")) + 1, place(col, &ncols, member(v, "column")) + 1);
		c->number = true;
		c->text = isnan(ours) ? "-" : arena_printf(mem, "%.4g", ours);
		c->range = isnan(published) ? NULL : arena_printf(mem, "paper %.4g", published);
		c->note = arena_printf(mem, "%lld fingerprints, exact 95 %% interval %s", jget_int(v, "n", 0), interval_text(mem, v));
		c->tag = !strcmp(member(v, "verdict"), "differs") ? "differs" : NULL;
	}
	t.caption = arena_printf(mem, "%% of a user's fingerprints that pass; a user is a class and a confidence.%s", worst);
	return t;
}

struct tally { int meets, differs, missing, unpublished; };

static struct tally tally_of(const json_t *values)
{
	struct tally t = { 0 };
	const json_t *v;
	size_t i;

	json_array_foreach(values, i, v) {
		const char *verdict = member(v, "verdict");

		t.meets += !strcmp(verdict, "meets");
		t.differs += !strcmp(verdict, "differs");
		t.missing += !strcmp(verdict, "missing");
		t.unpublished += !strcmp(verdict, "no-published");
	}
	return t;
}

static const char *tally_text(struct arena *mem, const json_t *values)
{
	struct tally t = tally_of(values);

	return arena_printf(mem, "%zu values: %d meet their criterion, %d differ, %d have no published counterpart for this data set, %d are missing.",
			    json_array_size(values), t.meets, t.differs, t.unpublished, t.missing);
}

/* What to know of the data before the numbers are compared with the paper's, or NULL. */
static const char *data_text(struct arena *mem, const json_t *values, const char *dataset)
{
	const json_t *any = json_array_get(values, 0);
	const char *other = "";

	if (jget_bool(any, "unpublished", 0))
		other = arena_printf(mem,
		                     "Not the published %s: these are another set's images under that name, or changed "
				     "ones; the numbers do not compare with the paper's. ", dataset);
	if (jget_bool(any, "partial", 0))
		return arena_printf(mem,
		                    "%sPartial data: fewer images than the paper's. These numbers show that everything "
				    "works; they do not compare with it.", other);
	return *other ? other : NULL;
}

/* ---- terminal: at most 80 columns ---- */

#define COLUMNS 80

/* s in a field: cut or padded to exactly `width` columns. */
static void field(const char *s, int width, bool right)
{
	char *shown = terminal_text(s);

	if ((int)utf8_width(shown) > width)
		tell("%-*.*s~", width - 1, width - 1, s);
	else
		tell("%*s", right ? width : -width, s);
	free(shown);
}

/* A paragraph, wrapped at blanks, every line indented. */
static void wrapped(const char *s, int indent)
{
	char *text = terminal_text(s), *rest = text, *word;
	int column = 0;

	while ((word = strsep(&rest, " ")) != NULL) {
		const int width = (int)utf8_width(word);

		if (column && column + 1 + width > COLUMNS) {
			tell("\n");
			column = 0;
		}
		tell("%*s%s", column ? 1 : indent, "", word);
		column += (column ? 1 : indent) + width;
	}
	tell("\n");
	free(text);
}

static void print_long(struct arena *mem, const json_t *values, size_t which)
{
	const json_t *v;
	const char *last_row = "";
	json_t *notes = json_array();
	size_t i;

	tell("  %-27s %-14s %11s %8s    %s\n", "", "", "published", "ours", "verdict");
	json_array_foreach(values, i, v) {
		const char *note = member(v, "note"), *unit = member(v, "unit");
		size_t at = 0;
		json_t *known;

		if (strcmp(member(v, "table"), tables[which].name))
			continue;
		tell("  ");
		field(strcmp(last_row, member(v, "row")) ? member(v, "row") : "", 27, false);
		last_row = member(v, "row");
		tell(" ");
		field(member(v, "column"), 14, false);
		tell(" ");
		field(published_text(mem, v), 11, true);
		tell(" ");
		field(number_text(mem, v, jget_num(v, "ours", NAN)), 8, true);
		tell("%s  %s", !strcmp(unit, "%") ? " %" : "  ", member(v, "verdict"));
		if (*note && strcmp(member(v, "verdict"), "missing") && strcmp(tables[which].name, "Table I")) {
			json_array_foreach(notes, at, known)
				if (!strcmp(json_string_value(known), note))
					break;
			if (at == json_array_size(notes))
				json_array_append_new(notes, json_string(note));
			tell(" (%zu)", at + 1);
		}
		tell("\n");
	}
	json_array_foreach(notes, i, v)
		wrapped(arena_printf(mem, "(%zu) %s", i + 1, json_string_value(v)), 4);
	json_decref(notes);
}

static void print_grid(struct arena *mem, const json_t *values)
{
	struct table t = user_grid(mem, values);

	if (t.cols > 11) { /* more classes than fit: one line a user */
		print_long(mem, values, 1);
		return;
	}
	tell("  %-17s", "");
	for (int c = 1; c < t.cols; c++) {
		const char *name = table_at(&t, 0, c)->text;

		field(strncmp(name, "class ", 6) ? name : name + 6, 6, true);
	}
	tell("\n");
	for (int r = 1; r < t.rows; r++) {
		tell("  ");
		field(table_at(&t, r, 0)->text, 17, false);
		for (int c = 1; c < t.cols; c++)
			field(table_at(&t, r, c)->text ? table_at(&t, r, c)->text : "", 6, true);
		tell("\n  %-17s", "  published");
		for (int c = 1; c < t.cols; c++)
			field(table_at(&t, r, c)->range ? table_at(&t, r, c)->range + strlen("paper ") : "-", 6, true);
		tell("\n");
	}
	wrapped(t.caption, 2);
}

void activeguard_print(const json_t *values, const char *dataset)
{
	locale_t before = point_locale();
	struct arena mem = { 0 };

	wrapped(arena_printf(&mem, "ActiveGuard (Xue et al.) on %s: what the paper prints, and what we measure", dataset), 0);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		if (!count_values(values, tables[i].name))
			continue;
		tell("\n%s. %s\n", tables[i].name, tables[i].title);
		if (!strcmp(tables[i].name, "Table II"))
			print_grid(&mem, values);
		else
			print_long(&mem, values, i);
	}
	tell("\n");
	wrapped(tally_text(&mem, values), 0);
	if (data_text(&mem, values, dataset))
		wrapped(data_text(&mem, values, dataset), 0);
	arena_release(&mem);
	point_locale_end(before);
}

/* ---- pages ---- */

static const char *page_title(struct arena *mem, const char *dataset)
{
	return arena_printf(mem, "ActiveGuard on %s: published and ours", dataset);
}

/* The plots that explain the tables: confidences for Table IV, curves for the attacks of Tables V and VI. */
static void html_plots(struct rows *r, const char *dataset, struct text *t)
{
	struct plots done = { 0 };
	int id = 0;

	text_add(t, "<div class=\"plots\">\n");
	for (int c = 0; c < r->ncontexts; c++) {
		struct context *ctx = &r->context[c];
		bool confidence = false;

		if (strcmp(ctx->dataset, dataset))
			continue;
		for (int a = 0; a < ctx->nseries; a++) {
			const char **metric = attack_metrics(r, c, a);

			for (int m = 0; m < 2 && metric[m] && ctx->series[a].strength; m++)
				page_plot(t, &done,
					  figure_curve(r, c, a, metric[m], arena_printf(&r->mem, "f%d", ++id)),
					    arena_printf(&r->mem, "%s under %s", metric_title(metric[m]), ctx->series[a].label));
		}
		for (int s = 0; s < ctx->nschemes && !confidence; s++) {
			bool forged = false;

			for (int a = 0; a < ctx->nseries; a++)
				forged |= !strcmp(ctx->series[a].attack, "forge") && rows_group(r, c, s, a, 0);
			if (!forged || strcmp(ctx->scheme[s].name, "activeguard"))
				continue;
			page_plot(t, &done, figure_confidence(r, c, s, arena_printf(&r->mem, "f%d", ++id)),
				    "Why forgeries fail: top confidences of what is submitted (Table IV)");
			confidence = true;
		}
	}
	text_add(t, "</div>\n");
	page_plots_missing(t, &done);
}

static void html_page(struct rows *r, const json_t *values, const struct report_input *in, const char *dataset, struct text *t)
{
	struct table provenance = table_provenance(r, in);
	const char *data = data_text(&r->mem, values, dataset);

	page_begin(t, page_title(&r->mem, dataset));
	page_paragraph(t, "lede", "Xue et al., ActiveGuard: An Active DNN IP Protection Technique via Adversarial Examples. Every number of "
		       "the paper's evaluation beside the one measured here, with its exact 95 % interval (over seeds: t-interval).");
	page_paragraph(t, NULL, tally_text(&r->mem, values));
	if (data)
		page_paragraph(t, "warning", data);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct table table = long_table(&r->mem, values, i);

		if (table.rows < 2)
			continue;
		if (!strcmp(tables[i].name, "Table II"))
			table = user_grid(&r->mem, values);
		page_heading(t, 2, NULL, table.title);
		page_table(t, &table);
	}
	page_heading(t, 2, NULL, "Plots");
	if (plot_available()) {
		html_plots(r, dataset, t);
	} else {
		warning("gnuplot is not installed: the page has tables but no plots (apt install gnuplot-nox)");
		page_paragraph(t, "warning", "gnuplot was not installed when this page was written, so it has tables but no plots.");
	}
	page_heading(t, 2, NULL, "How to repeat");
	if (in->command && *in->command) {
		text_add(t, "<pre>");
		escape_html(t, in->command);
		text_add(t, "</pre>\n");
	}
	page_table(t, &provenance);
	page_end(t);
}

static void markdown_page(struct rows *r, const json_t *values, const char *dataset, struct text *t)
{
	const char *data = data_text(&r->mem, values, dataset);

	text_add(t, "# ");
	escape_markdown(t, page_title(&r->mem, dataset));
	text_add(t, "\n\n");
	escape_markdown(t, tally_text(&r->mem, values));
	text_add(t, "\n\n");
	if (data) {
		text_add(t, "> **Warning:** ");
		escape_markdown(t, data);
		text_add(t, "\n\n");
	}
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct table table = long_table(&r->mem, values, i);

		if (table.rows < 2)
			continue;
		text_fmt(t, "## %s. %s\n\n", tables[i].name, tables[i].title);
		markdown_table(t, &table);
	}
}

static void latex_page(struct rows *r, const json_t *values, const char *dataset, struct text *t)
{
	const char *data = data_text(&r->mem, values, dataset);

	latex_begin(t, page_title(&r->mem, dataset));
	latex_warning(t, data);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct table table = long_table(&r->mem, values, i);

		for (int row = 0; row < table.rows; row++) /* the notes are prose: they belong into the text */
			table_at(&table, row, table.cols - 1)->text = NULL;
		latex_table(t, &table, (int)i + 1);
	}
}

static void csv_page(const json_t *values, struct text *t)
{
	static const char *const texts[] = { "table", "row", "column", "unit" }, *const numbers[] = { "published", "ours", "low", "high", "n" },
		*const tail[] = { "criterion", "verdict", "note" };
	const json_t *v;
	size_t i;

	text_add(t, "table,row,column,unit,published,ours,low,high,n,criterion,verdict,note\r\n");
	json_array_foreach(values, i, v) {
		for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
			escape_csv(t, member(v, texts[k]));
			text_char(t, ',');
		}
		for (size_t k = 0; k < ARRAY_LEN(numbers); k++) {
			double x = jget_num(v, numbers[k], NAN);

			if (!isnan(x))
				text_fmt(t, "%.15g", x);
			text_char(t, ',');
		}
		for (size_t k = 0; k < ARRAY_LEN(tail); k++) {
			escape_csv(t, member(v, tail[k]));
			text_add(t, k + 1 < ARRAY_LEN(tail) ? "," : "\r\n");
		}
	}
}

int activeguard_write(const json_t *values, const struct report_input *in, const char *dataset, const char *path)
{
	const char *format = format_of(path);
	struct text t = { 0 };
	locale_t before;
	struct rows r;
	int ret;

	if (!format)
		return -1;
	before = point_locale();
	rows_make(&r, in);
	if (!strcmp(format, "html"))
		html_page(&r, values, in, dataset, &t);
	else if (!strcmp(format, "md"))
		markdown_page(&r, values, dataset, &t);
	else if (!strcmp(format, "tex"))
		latex_page(&r, values, dataset, &t);
	else if (!strcmp(format, "csv"))
		csv_page(values, &t);
	else {
		char *text = json_pretty(values);

		text_add(&t, text);
		free(text);
	}
	/* A plot may have lacked room or memory. */
	ret = error_code() == EXIT_YES ? file_publish(path, text_str(&t), t.n) : -1;
	text_release(&t);
	rows_release(&r);
	point_locale_end(before);
	return ret;
}
