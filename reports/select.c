/* See select.h. */
#include "reports/select.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/opt.h"
#include "metrics/metric.h"

const char *const report_tables[] = { "survey", "functional", "resistance", "cost", "breaking", "overhead", NULL };

static const char *const fields[] = { "dataset", "model", "tier", "seed", "engine", "kernel", "limit_train", "limit_test" };
static const char *const mixable[] = { "tier", "engine", "limits" };

bool list_has(const char *list, const char *name)
{
	size_t n = strlen(name);

	while (list && *list) {
		size_t k = strcspn(list, ",");

		if (k == n && !strncmp(list, name, n))
			return true;
		list += k + (list[k] == ',');
	}
	return false;
}

const char *const *list_split(struct arena *mem, const char *list)
{
	const char **name;
	size_t n = 0, room = 2;

	if (!list || !*list)
		return NULL;
	for (const char *p = list; *p; p++)
		room += *p == ',';
	name = arena_new(mem, room, const char *);
	while (*list) {
		size_t k = strcspn(list, ",");

		if (k)
			name[n++] = arena_printf(mem, "%.*s", (int)k, list);
		list += k + (list[k] == ',');
	}
	name[n] = NULL;
	return name;
}

/* ---- where ---- */

static void field_text(const json_t *point, const char *model, const char *field, char *buf, size_t size)
{
	const json_t *v = json_object_get(point, field);

	if (!strcmp(field, "model"))
		snprintf(buf, size, "%s", model);
	else if (!strncmp(field, "limit_", 6))
		snprintf(buf, size, "%lld", jget_int(json_object_get(point, "limits"), field + 6, jget_int(point, field, 0)));
	else if (json_is_integer(v))
		snprintf(buf, size, "%lld", (long long)json_integer_value(v));
	else
		snprintf(buf, size, "%s", json_is_string(v) ? json_string_value(v) : "");
}

bool select_point(const struct report_select *select, const json_t *point, const char *model)
{
	const char *p = select ? select->where : NULL;
	char field[64], have[256];

	while (p && *p) {
		size_t k = strcspn(p, ","), name = strcspn(p, "=");

		if (name < k && name < sizeof(field)) {
			memcpy(field, p, name);
			field[name] = '\0';
			field_text(point, model, field, have, sizeof(have));
			if (strlen(have) != k - name - 1 || strncmp(have, p + name + 1, k - name - 1))
				return false;
		}
		p += k + (p[k] == ',');
	}
	return true;
}

/* ---- does it name what there is ---- */

static int check_names(const char *what, const char *const *typed, const char *const *known, size_t n)
{
	for (; typed && *typed; typed++) {
		char name[64];
		size_t i = 0;

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*typed, "="), *typed);
		while (i < n && strcmp(known[i], name))
			i++;
		if (i == n)
			return unknown_name(what, name, known, n);
	}
	return 0;
}

static int check_schemes(struct arena *mem, const struct report_input *in)
{
	const char **known = arena_new(mem, json_array_size(in->cells) + json_array_size(in->failures) + 1, const char *);
	const json_t *list[] = { in->cells, in->failures }, *j;
	size_t n = 0, i;

	for (int l = 0; l < 2; l++)
		json_array_foreach(list[l], i, j) {
			const char *name = jget_str(l ? json_object_get(j, "point") : j, "scheme", "");
			size_t k = 0;

			while (k < n && strcmp(known[k], name))
				k++;
			if (k == n)
				known[n++] = name;
		}
	return check_names("scheme (in this store)", list_split(mem, in->select->schemes), known, n);
}

static int check_metrics(struct arena *mem, const struct report_input *in)
{
	const char **known;
	size_t n = 0;

	while (metrics[n])
		n++;
	known = arena_new(mem, n + 1, const char *);
	for (size_t i = 0; i < n; i++)
		known[i] = metrics[i]->name;
	return check_names("metric", list_split(mem, in->select->pick), known, n);
}

/* "dataset=mnist", and something has it. */
static int check_where(struct arena *mem, const struct report_input *in)
{
	const char *const *part = list_split(mem, in->select->where);
	const json_t *cell;
	size_t i;

	for (int k = 0; part && part[k]; k++)
		if (!strchr(part[k], '='))
			return error(EXIT_UNEVALUABLE, "--where %s: want name=value, e.g. dataset=mnist", part[k]);
	if (check_names("member for --where", part, fields, ARRAY_LEN(fields)) < 0)
		return -1;
	json_array_foreach(in->cells, i, cell)
		if (select_point(in->select, cell, jget_str(cell, "model", "?")))
			return 0;
	if (!part || !json_array_size(in->cells))
		return 0;
	return error(EXIT_UNEVALUABLE, "--where %s: no cell of the store is like that", in->select->where);
}

int report_check(const struct report_input *in)
{
	const struct report_select *s = in->select;
	struct arena mem = { 0 };
	size_t ntables = 0;
	int ret = 0;

	while (report_tables[ntables])
		ntables++;
	if (s && (check_names("table", list_split(&mem, s->table), report_tables, ntables) < 0 ||
		  check_names("thing to mix", list_split(&mem, s->mix), mixable, ARRAY_LEN(mixable)) < 0 ||
		  check_schemes(&mem, in) < 0 || check_metrics(&mem, in) < 0 || check_where(&mem, in) < 0))
		ret = -1;
	arena_release(&mem);
	return ret;
}
