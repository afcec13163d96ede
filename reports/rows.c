/* Cells become rows. See rows.h. */
#include "reports/rows.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "metrics/stats.h"
#include "reports/select.h"

#define CONFIDENCE 0.95

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
	if (version)
		copy_member(k, u->point, "attack_version");
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

/* ---- order ---- */

static long long seed_of(const json_t *j)
{
	const json_t *point = json_object_get(j, "point");

	return jget_int(point ? point : j, "seed", 0);
}

static int by_seed(const void *a, const void *b)
{
	const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
	long long s = seed_of(x), t = seed_of(y);

	return s != t ? (s > t) - (s < t) : strcmp(jget_str(x, "key", ""), jget_str(y, "key", ""));
}

/* Indices before sorting, so that groups can follow their context, scheme and series. */
struct ranked {
	const char *key;
	int rank, old;
};

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank) : strcmp(x->key, y->key);
}

/* Sort array (n, size) by what `order` says and tell in moved[old] = new. */
static void permute(void *array, size_t n, size_t size, struct ranked *order, int *moved)
{
	char *copy = xmalloc(n + 1, size);

	qsort(order, n, sizeof(*order), by_rank);
	memcpy(copy, array, n * size);
	for (size_t i = 0; i < n; i++) {
		memcpy((char *)array + i * size, copy + (size_t)order[i].old * size, size);
		moved[order[i].old] = (int)i;
	}
	free(copy);
}

static int scheme_rank(const char *name)
{
	return !strcmp(name, "none") ? 0 : !strcmp(name, "keycheck") ? 1 : 2;
}

static void sort_context(struct rows *r, int ctx)
{
	struct context *c = &r->context[ctx];
	int most = c->nschemes > c->nseries ? c->nschemes : c->nseries;
	struct ranked *order = xcalloc((size_t)most + 1, sizeof(*order));
	int *scheme = xcalloc((size_t)most + 1, sizeof(int)), *series = xcalloc((size_t)most + 1, sizeof(int));

	for (int i = 0; i < c->nschemes; i++)
		order[i] = (struct ranked){ c->scheme[i].key, scheme_rank(c->scheme[i].name) + (c->scheme[i].hidden ? 3 : 0), i };
	if (c->nschemes > 0)
		permute(c->scheme, (size_t)c->nschemes, sizeof(*c->scheme), order, scheme);
	for (int i = 0; i < c->nseries; i++)
		order[i] = (struct ranked){ c->series[i].key, 0, i };
	if (c->nseries > 0)
		permute(c->series, (size_t)c->nseries, sizeof(*c->series), order, series);
	for (int i = 0; i < r->ngroups; i++) {
		struct group *g = &r->group[i];

		if (g->context != ctx)
			continue;
		g->scheme = scheme[g->scheme];
		if (g->series >= 0)
			g->series = series[g->series];
	}
	free(order);
	free(scheme);
	free(series);
}

static int by_place(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->context != y->context)
		return x->context - y->context;
	if (x->series != y->series)
		return x->series - y->series;
	if (x->scheme != y->scheme)
		return x->scheme - y->scheme;
	if (x->has_strength && y->has_strength && x->strength != y->strength)
		return x->strength < y->strength ? -1 : 1;
	return strcmp(x->attack_key, y->attack_key);
}

static void sort_all(struct rows *r)
{
	struct ranked *order = xcalloc((size_t)r->ncontexts + 1, sizeof(*order));
	int *moved = xcalloc((size_t)r->ncontexts + 1, sizeof(int));

	for (int i = 0; i < r->ncontexts; i++) {
		sort_context(r, i);
		order[i] = (struct ranked){ r->context[i].key, 0, i };
	}
	if (r->ncontexts > 0)
		permute(r->context, (size_t)r->ncontexts, sizeof(*r->context), order, moved);
	for (int i = 0; i < r->ngroups; i++) {
		struct group *g = &r->group[i];

		g->context = moved[g->context];
		if (g->cell)
			qsort(g->cell, (size_t)g->ncells, sizeof(*g->cell), by_seed);
		if (g->failure)
			qsort(g->failure, (size_t)g->nfailures, sizeof(*g->failure), by_seed);
	}
	if (r->ngroups)
		qsort(r->group, (size_t)r->ngroups, sizeof(*r->group), by_place);
	r->nall = r->ngroups;
	free(order);
	free(moved);
}

/* Schemes that were not selected, and their groups, behind the others and out of count. */
static void hide(struct rows *r)
{
	struct group *sorted = xcalloc((size_t)r->nall + 1, sizeof(*sorted));
	int n = 0;

	for (int hidden = 0; hidden < 2; hidden++) {
		for (int i = 0; i < r->nall; i++)
			if (r->context[r->group[i].context].scheme[r->group[i].scheme].hidden == hidden)
				sorted[n++] = r->group[i];
		if (!hidden)
			r->ngroups = n;
	}
	if (r->nall)
		memcpy(r->group, sorted, (size_t)r->nall * sizeof(*sorted));
	free(sorted);
	for (int i = 0; i < r->ncontexts; i++)
		while (r->context[i].nschemes && r->context[i].scheme[r->context[i].nschemes - 1].hidden)
			r->context[i].nschemes--;
	r->ncells = r->nfailures = 0;
	for (int i = 0; i < r->ngroups; i++) {
		r->ncells += r->group[i].ncells;
		r->nfailures += r->group[i].nfailures;
	}
}

/* ---- labels: the options that differ ---- */

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
			seed[n++] = seed_of(g->cell[k]);
		for (int k = 0; k < g->nfailures; k++)
			seed[n++] = seed_of(g->failure[k]);
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
	sort_all(r);
	hide(r);
	r->picked = in->select ? list_split(&r->mem, in->select->pick) : NULL;
	for (int c = 0; c < r->ncontexts; c++) {
		label_schemes(r, &r->context[c]);
		label_series(r, &r->context[c]);
		label_context(r, c);
		collect_seeds(r, c);
	}
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
		if (seed_of(g->cell[i]) == seed)
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

/* ---- numbers ---- */

/* n values, with the one interval when n is 1. */
static void summarise(struct summary *s, const double *v, const char *metric)
{
	const struct metric *m = metric_named(metric);
	double sum = 0, squares = 0, half;

	s->min = s->max = v[0];
	for (int i = 0; i < s->n; i++) {
		sum += v[i];
		s->min = fmin(s->min, v[i]);
		s->max = fmax(s->max, v[i]);
	}
	s->mean = sum / s->n;
	if (s->n < 2)
		return;
	for (int i = 0; i < s->n; i++)
		squares += (v[i] - s->mean) * (v[i] - s->mean);
	half = student_t(s->n - 1, CONFIDENCE) * sqrt(squares / (s->n - 1) / s->n);
	s->low = s->mean - half;
	s->high = s->mean + half;
	if (m && m->min < m->max) {
		s->low = fmax(s->low, m->min);
		s->high = fmin(s->high, m->max);
	}
}

#define TRIALS_MAX (1LL << 40)

/* Successes of trials, where they can be. */
static void count_trials(const json_t *metric, struct summary *s)
{
	const long long k = jget_int(metric, "k", 0), n = jget_int(metric, "n", 0);

	if (k < 0 || k > n || n > TRIALS_MAX)
		return;
	s->k += (long)k;
	s->trials += (long)n;
}

int group_summary(const struct group *g, const char *metric, struct summary *s)
{
	double *v = xcalloc((size_t)g->ncells + 1, sizeof(*v));
	double low, high;
	bool interval;

	*s = (struct summary){ .of = g->ncells + g->nfailures };
	for (int i = 0; i < g->ncells; i++) {
		const json_t *m = json_object_get(json_object_get(g->cell[i], "metrics"), metric);
		const json_t *value = json_is_object(m) ? json_object_get(m, "value") : m;

		if (!json_is_number(value))
			continue;
		v[s->n++] = json_number_value(value);
		s->low = jget_num(m, "low", v[s->n - 1]);
		s->high = jget_num(m, "high", v[s->n - 1]);
		count_trials(m, s);
	}
	interval = s->low < s->high;
	if (s->n)
		summarise(s, v, metric);
	/* Seeds that happen to agree, all or nearly, make a proportion no more certain than its trials do. */
	if (s->n > 1 && interval && s->trials > 0 && !strcmp(metric_unit(metric), "%")) {
		const struct metric *m = metric_named(metric);
		const long times = m && m->same_images ? s->n : 1; /* each image once, however many seeds were judged on it */

		clopper_pearson((s->k + times / 2) / times, s->trials / times, CONFIDENCE, &low, &high);
		s->pooled = 100 * low < s->low || 100 * high > s->high;
		s->low = fmin(s->low, 100 * low);
		s->high = fmax(s->high, 100 * high);
	}
	free(v);
	return s->n > 0;
}

int group_timing(const struct group *g, const json_t *timings, const char *metric, struct summary *s)
{
	double *v = xcalloc((size_t)g->ncells + 1, sizeof(*v));

	*s = (struct summary){ .of = g->ncells + g->nfailures };
	for (int i = 0; i < g->ncells; i++) {
		const json_t *t = json_object_get(timings, jget_str(g->cell[i], "key", ""));
		const json_t *value = json_object_get(json_object_get(t, "metrics"), metric);

		if (!value)
			value = json_object_get(t, metric);
		if (json_is_object(value))
			value = json_object_get(value, "value");
		if (json_is_number(value)) {
			v[s->n++] = json_number_value(value);
			s->low = s->high = v[s->n - 1];
		}
	}
	if (s->n)
		summarise(s, v, metric);
	free(v);
	return s->n > 0;
}

/* ---- verdicts ---- */

static const struct { const char *stored, *shown; } verdicts[] = {
	{ "ok", "OK" }, { "noop", "NOOP" }, { "n/a", "N/A" }, { "scheme-untrained", "SCHEME-UNTRAINED" },
	{ "underpowered", "UNDERPOWERED" }, { "failed", "FAILED" }, { "timeout", "TIMEOUT" }, { "crashed", "CRASHED" },
	{ "attack-broken", "ATTACK-BROKEN" }, { "over-budget", "OVER-BUDGET" },
};

static const char *shown(const char *stored)
{
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		if (!strcmp(verdicts[i].stored, stored))
			return verdicts[i].shown;
	return *stored ? stored : "OK";
}

/* Why the attack is broken for this seed, or NULL: what it did to the unprotected control. */
static const char *broken(const struct rows *r, const struct group *g, long long seed)
{
	for (int i = 0; i < r->nall; i++) {
		const struct group *h = &r->group[i];

		if (h->context != g->context || h->series != g->series || strcmp(h->attack_key, g->attack_key) ||
		    strcmp(r->context[h->context].scheme[h->scheme].name, "none"))
			continue;
		for (int k = 0; k < h->nfailures; k++)
			if (seed_of(h->failure[k]) == seed)
				return "it fails on the unprotected control too";
		for (int k = 0; k < h->ncells; k++)
			if (seed_of(h->cell[k]) == seed && !strcmp(jget_str(h->cell[k], "verdict", ""), "noop") &&
			    !(h->has_strength && h->strength == 0))
				return "it changes nothing on the unprotected control either";
	}
	return NULL;
}

const char *group_verdict(const struct rows *r, const struct group *g, int i, const char **why)
{
	const json_t *j = i < g->ncells ? g->cell[i] : g->failure[i - g->ncells];
	const char *verdict = jget_str(j, "verdict", i < g->ncells ? "ok" : "failed"), *reason;

	*why = jget_str(j, "why", "");
	if (g->series < 0 || !strcmp(verdict, "n/a") || !strcmp(verdict, "scheme-untrained") ||
	    !strcmp(r->context[g->context].scheme[g->scheme].name, "none"))
		return shown(verdict);
	reason = broken(r, g, seed_of(j));
	if (!reason)
		return shown(verdict);
	*why = reason;
	return "ATTACK-BROKEN";
}

const char *group_verdicts(struct rows *r, const struct group *g)
{
	int total = g->ncells + g->nfailures;
	const char *text = "", *why;

	for (int i = 0; i < total; i++) {
		const char *v = group_verdict(r, g, i, &why);
		int count = 0;
		bool seen = false;

		for (int k = 0; k < total; k++) {
			bool same = !strcmp(group_verdict(r, g, k, &why), v);

			seen |= same && k < i;
			count += same;
		}
		if (seen)
			continue;
		if (count == total)
			return v;
		text = arena_printf(&r->mem, "%s%s%s %d", text, *text ? ", " : "", v, count);
	}
	return text;
}

/* ---- metrics ---- */

const struct metric *metric_named(const char *name)
{
	for (int i = 0; metrics[i]; i++)
		if (!strcmp(metrics[i]->name, name))
			return (const struct metric *)metrics[i];
	return NULL;
}

const char *metric_title(const char *name)
{
	const struct metric *m = metric_named(name);

	return m ? m->title : name;
}

const char *metric_unit(const char *name)
{
	const struct metric *m = metric_named(name);

	return m && m->unit ? m->unit : "";
}

const char *const surveyed_metrics[] = {
	"reference_accuracy", "authorised_accuracy", "authorised_accuracy_min", "fidelity_loss", "prediction_agreement", "unauthorised_accuracy",
	"decoded_accuracy", "unlock_gap", "leakage", "wrong_key_accuracy_max", "answers_indistinguishable", "authentication_mean",
	"authentication_min", "false_acceptance", "equal_error_rate", "revoked_acceptance", "identification", "misattribution",
	"cross_acceptance_max", "identity_distance_min", "traced_queries", "users_analytic", "users_measured", "identity_capacity",
	"mark_capacity", "ownership_verified", "null_verification", "wrong_key_verification", "functions_working", "rule_replay",
	"black_box", "deployment_convenience", "parameter_ratio", "mac_ratio", "memory_ratio", "credential_bytes", "lock_training_ratio",
	"enrol_cost", "wire_psnr", "wire_ssim", "wire_visible", "concealment", NULL,
};

static int metric_place(const char *name)
{
	int i = 0;

	for (size_t k = 0; surveyed_metrics[k]; k++)
		if (!strcmp(surveyed_metrics[k], name))
			return (int)k;
	while (metrics[i] && strcmp(metrics[i]->name, name))
		i++;
	return i + (int)ARRAY_LEN(surveyed_metrics);
}

static int by_metric(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	int p = metric_place(x), q = metric_place(y);

	return p != q ? p - q : strcmp(x, y);
}

const char **rows_metrics(struct rows *r, int context, int series)
{
	json_t *names = json_object(), *none = json_object();
	const char *name, **list;
	json_t *value;
	size_t n = 0;

	for (int i = 0; i < r->ngroups; i++) {
		const struct group *g = &r->group[i];

		if (g->context != context || (series == -2 ? g->series < 0 : g->series != series))
			continue;
		for (int k = 0; k < g->ncells; k++)
			json_object_foreach(json_object_get(g->cell[k], "metrics"), name, value)
				json_object_set(names, name, none);
	}
	list = arena_new(&r->mem, json_object_size(names) + 1, const char *);
	for (int i = 0; r->picked && r->picked[i]; i++)
		if (json_object_get(names, r->picked[i])) {
			list[n++] = r->picked[i];
			json_object_del(names, r->picked[i]); /* asked for twice, shown once */
		}
	if (!r->picked)
		json_object_foreach(names, name, value)
			list[n++] = arena_printf(&r->mem, "%s", name);
	list[n] = NULL;
	if (n && !r->picked)
		qsort(list, n, sizeof(*list), by_metric);
	json_decref(names);
	json_decref(none);
	return list;
}
