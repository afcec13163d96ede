/* One report, its format by the path's extension. */
#include "reports/report.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "reports/breakcost.h"
#include "reports/formats.h"
#include "reports/summary.h"

typedef int writer(struct rows *, const struct report_input *, struct text *);
static const struct { const char *name; writer *write, *one; } formats[] = {
	{ "html", html_report, html_one }, { "md", markdown_report, markdown_one }, { "tex", latex_report, latex_one },
	{ "csv", csv_report, csv_one }, { "json", json_report, json_one },
};

static bool one_table(const struct report_input *in)
{
	return in->select && in->select->table && *in->select->table;
}

struct table selected_table(struct rows *r, const struct report_input *in, int context)
{
	const char *name = in->select->table;
	struct table t;

	if (!strcmp(name, "survey"))
		t = table_survey(r, in, context);
	else if (!strcmp(name, "functional"))
		t = table_functional(r, context);
	else if (!strcmp(name, "resistance"))
		t = table_heat(r, context);
	else if (!strcmp(name, "cost"))
		t = table_cost(r, in, context);
	else if (!strcmp(name, "breaking"))
		t = table_breaking(r, context);
	else
		t = table_overhead(r, context, in->timings);
	t.name = arena_printf(&r->mem, "%s", name);
	t.title = arena_printf(&r->mem, "%s: %s", r->context[context].label, t.title);
	t.caption = arena_printf(&r->mem, "%s%s%s", table_standing(r, context), t.caption ? " " : "", t.caption ? t.caption : "");
	return t;
}

const char *format_of(const char *path)
{
	const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');

	for (size_t i = 0; dot && (!slash || dot > slash) && i < ARRAY_LEN(formats); i++)
		if (!strcmp(dot + 1, formats[i].name))
			return formats[i].name;
	error(EXIT_UNEVALUABLE, "%s: a report's name ends in .html, .md, .tex, .csv or .json", path);
	return NULL;
}

int report_output_name(const char *path)
{
	return format_of(path) ? 0 : -1;
}

locale_t point_locale(void)
{
	static locale_t c;

	if (!c)
		c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
	return c ? uselocale(c) : (locale_t)0;
}

void point_locale_end(locale_t before)
{
	if (before)
		uselocale(before);
}

int report_write(const struct report_input *in, const char *path)
{
	const char *format = format_of(path);
	struct text t = { 0 };
	locale_t before;
	struct rows r;
	int ret = -1;

	if (!format)
		return -1;
	if (report_check(in) < 0)
		return -1;
	before = point_locale();
	rows_make(&r, in);
	if (in->select && in->select->split && !strcmp(format, "tex"))
		ret = latex_split(&r, in, path);
	for (size_t i = 0; i < ARRAY_LEN(formats) && ret < 0 && !error_code(); i++)
		if (!strcmp(formats[i].name, format))
			ret = (one_table(in) ? formats[i].one : formats[i].write)(&r, in, &t);
	if (ret == 0 && t.n)
		ret = file_publish(path, text_str(&t), t.n);
	text_release(&t);
	rows_release(&r);
	point_locale_end(before);
	return ret;
}

char *report_text(const struct report_input *in)
{
	struct text t = { 0 };
	locale_t before;
	struct rows r;

	if (report_check(in) < 0)
		return NULL;
	before = point_locale();
	rows_make(&r, in);
	if (one_table(in))
		markdown_one(&r, in, &t);
	else
		markdown_report(&r, in, &t);
	rows_release(&r);
	point_locale_end(before);
	text_add(&t, "");
	return t.s ? t.s : xstrdup("");
}
