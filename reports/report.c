/* One report, its format by the path's extension. */
#include "reports/report.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "reports/formats.h"

static const struct { const char *name; int (*write)(struct rows *, const struct report_input *, struct text *); } formats[] = {
	{ "html", html_report }, { "md", markdown_report }, { "tex", latex_report }, { "csv", csv_report }, { "json", json_report },
};

const char *format_of(const char *path)
{
	const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');

	for (size_t i = 0; dot && (!slash || dot > slash) && i < ARRAY_LEN(formats); i++)
		if (!strcmp(dot + 1, formats[i].name))
			return formats[i].name;
	error(EXIT_UNEVALUABLE, "%s: a report's name ends in .html, .md, .tex, .csv or .json", path);
	return NULL;
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
	before = point_locale();
	rows_make(&r, in);
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (!strcmp(formats[i].name, format))
			ret = formats[i].write(&r, in, &t);
	if (ret == 0)
		ret = file_publish(path, text_str(&t), t.n);
	text_release(&t);
	rows_release(&r);
	point_locale_end(before);
	return ret;
}
