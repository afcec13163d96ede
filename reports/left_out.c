/* See left_out.h. */
#include "reports/left_out.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"

const char *left_out_warning(struct rows *r, const struct report_input *in)
{
	static const char *const kinds[] = { "cell", "failure", "timing", "artefact", "" };
	const char *text = "", *glue = "";
	const json_t *v;
	size_t i;

	if (!json_array_size(in->left_out))
		return NULL;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		int n = 0;

		json_array_foreach(in->left_out, i, v) {
			const char *what = jget_str(v, "what", "");

			n += *kinds[k] ? !strcmp(what, kinds[k]) : !*jget_str(v, "key", "");
		}
		if (!n)
			continue;
		text = arena_printf(&r->mem, "%s%s%d %s%s", text, glue, n, *kinds[k] ? kinds[k] : "other file",
				    n == 1 ? "" : "s");
		glue = ", ";
	}
	return arena_printf(&r->mem, "Left out, because damaged or missing: %s. These pages do not show the whole "
				     "study.", text);
}

struct table table_left_out(struct rows *r, const struct report_input *in)
{
	static const char *const heading[] = { "What", "Key", "State", "Why" };
	struct table t = table_new(&r->mem, "Damaged or missing",
				   "What the store should hold and this report cannot show. The run that made it makes "
				   "cells again.", (int)json_array_size(in->left_out) + 1, ARRAY_LEN(heading));
	const json_t *v;
	size_t i;

	table_headings(&t, heading);
	json_array_foreach(in->left_out, i, v) {
		table_put(&t, (int)i + 1, 0, jget_str(v, "what", "?"));
		table_put(&t, (int)i + 1, 1, arena_printf(&r->mem, "%.12s", jget_str(v, "key", "")));
		table_at(&t, (int)i + 1, 1)->note = jget_str(v, "key", "");
		table_put(&t, (int)i + 1, 2, jget_str(v, "state", "?"));
		table_put(&t, (int)i + 1, 3, jget_str(v, "why", ""));
	}
	return t;
}
