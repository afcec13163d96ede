/* What schemes, attacks and contexts are called: by the options that differ. See rows_parts.h. */
#include "reports/rows_parts.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"

const char *option_text(struct arena *mem, const json_t *v)
{
	const char *text = "";
	const json_t *item;
	size_t i;

	if (json_is_string(v))
		return json_string_value(v);
	if (json_is_boolean(v))
		return json_is_true(v) ? "yes" : "no";
	if (json_is_number(v))
		return arena_printf(mem, "%g", json_number_value(v));
	json_array_foreach(v, i, item)
		text = arena_printf(mem, "%s%s%s", text, i ? "," : "", option_text(mem, item));
	return text;
}

double option_number(const json_t *options, const char *name, double def)
{
	const json_t *v = json_object_get(options, name);
	const char *s = json_string_value(v);
	char *end;
	double d;

	if (json_is_number(v))
		return json_number_value(v);
	if (!s || !*s)
		return def;
	d = strtod(s, &end);
	return *end ? def : d;
}

static bool same_value(const json_t *a, const json_t *b, const char *name)
{
	const json_t *x = json_object_get(a, name), *y = json_object_get(b, name);

	return x && y ? json_equal(x, y) : x == y;
}

/* ", name=value" for every option in which `mine` differs from one of the n others. The value that most of them have
 * goes without saying: labels stay short, and stay different. */
static const char *differing(struct arena *mem, const json_t *mine, const json_t *const *other, int n, const char *without)
{
	char *text = arena_printf(mem, "%s", ""), *names = json_is_object(mine) ? json_compact(mine) : NULL;
	json_t *sorted = names ? json_read_text(names, strlen(names), "") : NULL, *value;
	const char *name;

	json_object_foreach(sorted, name, value) {
		const char *v = option_text(mem, value);
		int keep = (int)strlen(v), same = 0;

		for (int i = 0; i < n; i++)
			same += same_value(mine, other[i], name);
		if (same == n || 2 * (same + 1) > n + 1 || (without && !strcmp(without, name)))
			continue;
		if (keep > 24) {
			for (keep = 24; keep > 0 && ((unsigned char)v[keep] & 0xc0) == 0x80;)
				keep--;
			v = arena_printf(mem, "%.*s…", keep, v);
		}
		text = arena_printf(mem, "%s%s%s=%s", text, *text ? ", " : "", name, v);
	}
	json_decref(sorted);
	free(names);
	return text;
}

static void label_schemes(struct rows *r, struct context *c)
{
	const json_t **other = xcalloc((size_t)c->nschemes + 1, sizeof(*other));

	for (int i = 0; i < c->nschemes; i++) {
		struct scheme_row *s = &c->scheme[i];
		bool users = false;
		const char *d;
		int n = 0;

		for (int k = 0; k < c->nschemes; k++)
			if (k != i && !strcmp(c->scheme[k].name, s->name)) {
				other[n++] = c->scheme[k].options;
				users |= c->scheme[k].users != s->users || c->scheme[k].per_user != s->per_user;
			}
		d = n ? differing(&r->mem, s->options, other, n, NULL) : "";
		if (users)
			d = arena_printf(&r->mem, "%s%s%d users x %d", d, *d ? ", " : "", s->users, s->per_user);
		s->label = *d ? arena_printf(&r->mem, "%s (%s)", s->name, d) : s->name;
	}
	free(other);
}

static void label_series(struct rows *r, struct context *c)
{
	const json_t **other = xcalloc((size_t)c->nseries + 1, sizeof(*other));

	for (int i = 0; i < c->nseries; i++) {
		struct series *s = &c->series[i];
		const char *d;
		int n = 0;

		for (int k = 0; k < c->nseries; k++)
			if (k != i && !strcmp(c->series[k].attack, s->attack))
				other[n++] = c->series[k].options;
		d = n ? differing(&r->mem, s->options, other, n, s->strength) : "";
		s->label = *d ? arena_printf(&r->mem, "%s (%s)", s->attack, d) : s->attack;
	}
	free(other);
}

static void label_context(struct rows *r, int ctx)
{
	struct context *c = &r->context[ctx];
	const char *label = arena_printf(&r->mem, "%s, %s", c->dataset, c->model);

	for (int i = 0; i < r->ncontexts; i++) {
		const struct context *o = &r->context[i];
		const json_t *recipe;

		if (i == ctx || strcmp(o->dataset, c->dataset) || strcmp(o->model, c->model))
			continue;
		if (o->limit_train != c->limit_train || o->limit_test != c->limit_test) {
			label = arena_printf(&r->mem, "%s, %s training and %s test images", label,
					     c->limit_train ? arena_printf(&r->mem, "%ld", c->limit_train) : "all",
					     c->limit_test ? arena_printf(&r->mem, "%ld", c->limit_test) : "all");
			break;
		}
		recipe = json_object_get(o->sample, "recipe");
		label = arena_printf(&r->mem, "%s%s%s", label, json_equal(json_object_get(c->sample, "recipe"), recipe) ? "" : ", ",
				     differing(&r->mem, json_object_get(c->sample, "recipe"), &recipe, 1, NULL));
		if (strcmp(o->tier, c->tier))
			label = arena_printf(&r->mem, "%s, tier %s", label, c->tier);
		if (jget_int(o->sample, "engine", 0) != jget_int(c->sample, "engine", 0))
			label = arena_printf(&r->mem, "%s, engine %lld", label, jget_int(c->sample, "engine", 0));
		if (strcmp(jget_str(o->sample, "kernel", ""), jget_str(c->sample, "kernel", "")))
			label = arena_printf(&r->mem, "%s, kernel %s", label, jget_str(c->sample, "kernel", "?"));
		break;
	}
	c->label = label;
}

static int by_value(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return (x > y) - (x < y);
}

static void collect_seeds(struct rows *r, int ctx)
{
	long long *seed = xcalloc((size_t)(r->ncells + r->nfailures) + 1, sizeof(*seed)); /* of what is shown */
	struct context *c = &r->context[ctx];
	int n = 0;

	for (int i = 0; i < r->ngroups; i++) {
		const struct group *g = &r->group[i];

		if (g->context != ctx)
			continue;
		for (int k = 0; k < g->ncells; k++)
			seed[n++] = rows_seed(g->cell[k]);
		for (int k = 0; k < g->nfailures; k++)
			seed[n++] = rows_seed(g->failure[k]);
	}
	qsort(seed, (size_t)n, sizeof(*seed), by_value);
	c->seeds = "";
	for (int i = 0; i < n; i++) {
		if (i && seed[i] == seed[i - 1])
			continue;
		c->seeds = arena_printf(&r->mem, "%s%s%lld", c->seeds, c->nseeds++ ? ", " : "", seed[i]);
	}
	free(seed);
}

void rows_label(struct rows *r)
{
	for (int c = 0; c < r->ncontexts; c++) {
		label_schemes(r, &r->context[c]);
		label_series(r, &r->context[c]);
		label_context(r, c);
		collect_seeds(r, c);
	}
}
