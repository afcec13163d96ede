/* See matrix.h. */
#include "bench/matrix.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "bench/applies.h"

/* Does anybody hold credentials of the scheme under its default options? */
static bool has_creds(const struct scheme *s)
{
	void *conf = driver_conf(&s->drv, NULL);
	const bool any = conf && scheme_users(s, conf, 10) > 0;

	free(conf);
	return any;
}

static unsigned default_needs(const struct attack *a)
{
	void *conf = driver_conf(&a->drv, NULL);
	const unsigned needs = conf ? attack_needs(a, conf) : a->needs;

	free(conf);
	return needs;
}

json_t *matrix_json(void)
{
	json_t *all = json_array();
	char caps[160];

	for (int i = 0; attacks[i]; i++) {
		const struct attack *a = (const struct attack *)attacks[i];
		const unsigned needs = default_needs(a);

		for (int k = 0; schemes[k]; k++) {
			const struct scheme *s = (const struct scheme *)schemes[k];
			const char *why = attack_inapplicable(a, NULL, s, has_creds(s));
			json_t *j = json_object();

			jset_str(j, "attack", a->drv.name);
			jset_str(j, "scheme", s->drv.name);
			jset_bool(j, "applies", !why);
			jset_str(j, "why", why ? why : "");
			jset_str(j, "finds", a->finds ? a->finds : "");
			jset_str(j, "level", level_names[level_of(needs)]);
			jset_str(j, "needs", capability_text(needs, caps));
			json_array_append_new(all, j);
		}
	}
	return all;
}

/* Number of a reason among those so far, from 1; a new one joins them. */
static int note_of(json_t *reasons, const char *why)
{
	json_t *v;
	size_t i;

	json_array_foreach(reasons, i, v)
		if (!strcmp(json_string_value(v), why))
			return (int)i + 1;
	json_array_append_new(reasons, json_string(why));
	return (int)json_array_size(reasons);
}

static void print_cell(FILE *out, const json_t *j, json_t *reasons)
{
	const char *finds = jget_str(j, "finds", "");

	if (!jget_bool(j, "applies", 0))
		fprintf(out, " n/a %d |", note_of(reasons, jget_str(j, "why", "")));
	else
		fprintf(out, *finds ? " o |" : " x |");
}

void matrix_print(FILE *out)
{
	json_t *all = matrix_json(), *reasons = json_array(), *v, *j;
	const char *last = "";
	size_t i;

	fprintf(out, "| attack | level | needs |");
	for (int k = 0; schemes[k]; k++)
		fprintf(out, " %s |", schemes[k]->name);
	fprintf(out, "\n|---|---|---|");
	for (int k = 0; schemes[k]; k++)
		fprintf(out, "---|");
	json_array_foreach(all, i, j) {
		if (strcmp(last, jget_str(j, "attack", "")) != 0)
			fprintf(out, "\n| %s | %s | %s |", jget_str(j, "attack", ""), jget_str(j, "level", ""), jget_str(j, "needs", ""));
		last = jget_str(j, "attack", "");
		print_cell(out, j, reasons);
	}
	fprintf(out, "\n\nx: applies. o: applies where it finds what it looks for, and is n/a where it runs and does not:\n\n");
	for (int k = 0; attacks[k]; k++)
		if (((const struct attack *)attacks[k])->finds)
			fprintf(out, "- %s: %s\n", attacks[k]->name, ((const struct attack *)attacks[k])->finds);
	fprintf(out, "\nn/a, because\n\n");
	json_array_foreach(reasons, i, v)
		fprintf(out, "%zu. %s\n", i + 1, json_string_value(v));
	json_decref(reasons);
	json_decref(all);
}
