/* Cells become rows: which cell belongs to which group, and who asks for what. See rows.h; the other steps: rows_parts.h. */
#include "reports/rows_parts.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "reports/select.h"

/* ---- reading cells and failure points alike ---- */

/* What every cell and every failure's point say of themselves. */
struct unit {
	const json_t *j;       /* the cell, or the failure */
	const json_t *point;   /* the cell, or the failure's point */
	bool failed;
	const char *dataset, *model, *scheme, *attack;
	const json_t *scheme_options, *attack_options;
};

static const char *model_name(struct arena *mem, const json_t *point)
{
	const json_t *m = json_object_get(point, "model");

	if (json_is_string(m))
		return json_string_value(m);
	if (!json_is_object(m))
		m = json_object_get(point, "spec");
	if (jget_int(m, "width", 0))
		return arena_printf(mem, "%s-%lld", jget_str(m, "arch", "?"), jget_int(m, "width", 0));
	return jget_str(m, "arch", "?");
}

static struct unit unit_of(struct arena *mem, const json_t *j, bool failed)
{
	struct unit u = { .j = j, .failed = failed };

	u.point = failed ? json_object_get(j, "point") : j;
	u.dataset = jget_str(u.point, "dataset", "?");
	u.model = model_name(mem, u.point);
	u.scheme = jget_str(u.point, "scheme", "?");
	u.attack = jget_str(u.point, "attack", "none");
	if (!*u.attack)
		u.attack = "none";
	u.scheme_options = json_object_get(u.point, "scheme_options");
	u.attack_options = json_object_get(u.point, "attack_options");
	return u;
}

static long limit_of(const json_t *point, const char *which)
{
	const json_t *limits = json_object_get(point, "limits");
	char flat[32];

	if (json_is_object(limits))
		return (long)jget_int(limits, which, 0);
	snprintf(flat, sizeof(flat), "limit_%s", which);
	return (long)jget_int(point, flat, 0);
}

/* ---- keys: compact JSON of what must be equal ---- */

static const char *compact(struct arena *mem, json_t *j)
{
	char *text = json_compact(j);
	const char *kept = arena_printf(mem, "%s", text);

	free(text);
	json_decref(j);
	return kept;
}

static void copy_member(json_t *to, const json_t *from, const char *name)
{
	json_t *v = json_object_get(from, name);

	if (v)
		json_object_set(to, name, v);
}

static const char *context_key(struct arena *mem, const struct unit *u, const char *mix)
{
	static const char *const members[] = { "dataset_hash", "recipe", "kernel" };
	json_t *k = json_object();

	jset_str(k, "0 dataset", u->dataset); /* "0": sorts first, so contexts are listed by name */
	jset_str(k, "1 model", u->model);
	if (!list_has(mix, "limits")) {
		jset_int(k, "2 train", limit_of(u->point, "train"));
		jset_int(k, "3 test", limit_of(u->point, "test"));
	}
	if (!list_has(mix, "tier"))
		jset_str(k, "4 tier", jget_str(u->point, "tier", ""));
	if (!list_has(mix, "engine"))
		copy_member(k, u->point, "engine");
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		copy_member(k, u->point, members[i]);
	return compact(mem, k);
}

static const char *scheme_key(struct arena *mem, const struct unit *u)
{
	json_t *k = json_object();

	jset_str(k, "0 scheme", u->scheme);
	copy_member(k, u->point, "scheme_version");
	copy_member(k, u->point, "scheme_options");
	copy_member(k, u->point, "users");
	copy_member(k, u->point, "credentials_per_user");
	return compact(mem, k);
}

/* The options but `without` (may be NULL), as a new object. */
static json_t *options_without(const json_t *options, const char *without)
{
	json_t *copy = json_object();

	json_object_update(copy, (json_t *)(uintptr_t)options); /* jansson does not say const, and does not write */
	if (without)
		json_object_del(copy, without);
	return copy;
}

/* "" for a functional cell. version: whether it counts; a failure may lack it. */
static const char *attack_key(struct arena *mem, const struct unit *u, const char *without, bool version)
{
	json_t *k;

	if (!strcmp(u->attack, "none"))
		return "";
	k = json_object();
	jset_str(k, "0 attack", u->attack);
	jset(k, "options", options_without(u->attack_options, without));
	if (version) {
		copy_member(k, u->point, "attack_version");
		copy_member(k, u->point, "attack_parts");
	}
	return compact(mem, k);
}

/* ---- building: grow the arrays, find or add ---- */

static void *grow(void *array, int n, size_t size)
{
	return n & (n - 1) ? array : xrealloc(array, n ? 2 * (size_t)n : 1, size); /* n is 0 or a power of two: full */
}

static int find_context(struct rows *r, const struct unit *u, const char *mix)
{
	const char *key = context_key(&r->mem, u, mix);
	struct context *c;

	for (int i = 0; i < r->ncontexts; i++) {
		c = &r->context[i];
		if (strcmp(c->key, key))
			continue;
		if (strcmp(c->tier, jget_str(u->point, "tier", "")))
			c->tier = "mixed";
		return i;
	}
	/* A failure may say less than a cell does: it belongs where data set, model and limits agree. */
	for (int i = 0; u->failed && i < r->ncontexts; i++) {
		c = &r->context[i];
		if (!strcmp(c->dataset, u->dataset) && !strcmp(c->model, u->model) &&
		    !strcmp(c->tier, jget_str(u->point, "tier", c->tier)) &&
		    c->limit_train == limit_of(u->point, "train") && c->limit_test == limit_of(u->point, "test"))
			return i;
	}
	r->context = grow(r->context, r->ncontexts, sizeof(*r->context));
	c = &r->context[r->ncontexts];
	*c = (struct context){ .dataset = u->dataset, .model = u->model, .key = key, .sample = u->point };
	c->dataset_hash = jget_str(u->point, "dataset_hash", "");
	c->tier = jget_str(u->point, "tier", "");
	c->limit_train = limit_of(u->point, "train");
	c->limit_test = limit_of(u->point, "test");
	return r->ncontexts++;
}

static int find_scheme(struct rows *r, struct context *c, const struct unit *u, const char *wanted)
{
	const char *key = scheme_key(&r->mem, u);
	struct scheme_row *s;

	for (int i = 0; i < c->nschemes; i++) {
		s = &c->scheme[i];
		if (!strcmp(s->key, key) || (u->failed && !strcmp(s->name, u->scheme) && s->options && u->scheme_options &&
					     json_equal(s->options, u->scheme_options)))
			return i;
	}
	c->scheme = grow(c->scheme, c->nschemes, sizeof(*s));
	s = &c->scheme[c->nschemes];
	*s = (struct scheme_row){ .name = u->scheme, .label = u->scheme, .key = key, .options = u->scheme_options };
	s->users = (int)jget_int(u->point, "users", 0);
	s->per_user = (int)jget_int(u->point, "credentials_per_user", jget_int(u->point, "per_user", 0));
	s->control = !strcmp(u->scheme, "none") || !strcmp(u->scheme, "keycheck");
	s->hidden = wanted && *wanted && !list_has(wanted, u->scheme);
	return c->nschemes++;
}

/* A failed cell does not say which option is the strength: the cells of the same attack do. */
static const char *strength_option(const struct report_input *in, const struct unit *u)
{
	const char *name = jget_str(u->point, "strength_option", NULL);
	const json_t *cell;
	size_t i;

	json_array_foreach(in->cells, i, cell) {
		if (name)
			break;
		if (!strcmp(jget_str(cell, "attack", "none"), u->attack))
			name = jget_str(cell, "strength_option", NULL);
	}
	return name && *name ? name : NULL;
}

static int find_series(struct rows *r, struct context *c, const struct unit *u, const char *strength)
{
	const char *key = attack_key(&r->mem, u, strength, true), *plain = attack_key(&r->mem, u, strength, false);
	struct series *s;

	if (!*key)
		return -1;
	for (int i = 0; i < c->nseries; i++) {
		s = &c->series[i];
		if (strcmp(s->key, key) && !(u->failed && !strcmp(s->plain_key, plain)))
			continue;
		if (!*s->goal)
			s->goal = jget_str(u->point, "goal", "");
		return i;
	}
	c->series = grow(c->series, c->nseries, sizeof(*s));
	s = &c->series[c->nseries];
	*s = (struct series){ .attack = u->attack, .label = u->attack, .key = key, .plain_key = plain };
	s->options = u->attack_options;
	s->strength = strength;
	s->goal = jget_str(u->point, "goal", "");
	return c->nseries++;
}

static bool same_attack(const struct group *g, const struct unit *u)
{
	return g->options == u->attack_options || (g->options && u->attack_options && json_equal(g->options, u->attack_options));
}

static void add_unit(struct rows *r, const struct report_input *in, const struct unit *u)
{
	const char *strength = strength_option(in, u);
	int ctx = find_context(r, u, in->select ? in->select->mix : NULL);
	struct context *c = &r->context[ctx];
	int scheme = find_scheme(r, c, u, in->select ? in->select->schemes : NULL), series = find_series(r, c, u, strength);
	struct group *g = NULL;

	for (int i = 0; i < r->ngroups && !g; i++) {
		struct group *h = &r->group[i];

		if (h->context == ctx && h->scheme == scheme && h->series == series && (series < 0 || same_attack(h, u)))
			g = h;
	}
	if (!g) {
		r->group = grow(r->group, r->ngroups, sizeof(*r->group));
		g = &r->group[r->ngroups++];
		*g = (struct group){ .context = ctx, .scheme = scheme, .series = series };
		g->options = series < 0 ? NULL : u->attack_options;
		g->scheme_key = c->scheme[scheme].key;
		g->attack_key = attack_key(&r->mem, u, NULL, false);
		g->strength = strength ? option_number(u->attack_options, strength, NAN) : NAN;
		g->has_strength = !isnan(g->strength);
	}
	if (u->failed) {
		g->failure = grow(g->failure, g->nfailures, sizeof(*g->failure));
		g->failure[g->nfailures++] = u->j;
	} else {
		g->cell = grow(g->cell, g->ncells, sizeof(*g->cell));
		g->cell[g->ncells++] = u->j;
	}
}

/* ---- all of it ---- */

long long rows_seed(const json_t *j)
{
	const json_t *point = json_object_get(j, "point");

	return jget_int(point ? point : j, "seed", 0);
}

void rows_make(struct rows *r, const struct report_input *in)
{
	const json_t *j;
	size_t i;

	*r = (struct rows){ 0 };
	json_array_foreach(in->cells, i, j) {
		struct unit u = unit_of(&r->mem, j, false);

		if (select_point(in->select, u.point, u.model))
			add_unit(r, in, &u);
	}
	json_array_foreach(in->failures, i, j) {
		struct unit u = unit_of(&r->mem, j, true);

		if (select_point(in->select, u.point, u.model))
			add_unit(r, in, &u);
	}
	rows_sort(r);
	rows_hide(r);
	r->picked = in->select ? list_split(&r->mem, in->select->pick) : NULL;
	rows_label(r);
}

void rows_release(struct rows *r)
{
	for (int i = 0; i < r->nall; i++) {
		free(r->group[i].cell);
		free(r->group[i].failure);
	}
	for (int i = 0; i < r->ncontexts; i++) {
		free(r->context[i].scheme);
		free(r->context[i].series);
	}
	free(r->context);
	free(r->group);
	free(r->drawn);
	arena_release(&r->mem);
	*r = (struct rows){ 0 };
}

const struct group *rows_group(const struct rows *r, int context, int scheme, int series, int nth)
{
	for (int i = 0; i < r->ngroups; i++) {
		const struct group *g = &r->group[i];

		if (g->context == context && g->scheme == scheme && g->series == series && !nth--)
			return g;
	}
	return NULL;
}

const json_t *group_cell(const struct group *g, long long seed)
{
	for (int i = 0; g && i < g->ncells; i++)
		if (rows_seed(g->cell[i]) == seed)
			return g->cell[i];
	return NULL;
}

int cell_metric(const json_t *cell, const char *metric, double *v)
{
	const json_t *m = json_object_get(json_object_get(cell, "metrics"), metric);
	const json_t *value = json_is_object(m) ? json_object_get(m, "value") : m;

	if (!json_is_number(value))
		return 0;
	*v = json_number_value(value);
	return 1;
}
