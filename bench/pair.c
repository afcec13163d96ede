/* Pairs of cells. See pair.h. */
#include "bench/pair.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "bench/keys.h"

struct unit {
	const json_t *cell;
	int partner; /* index on the other side, -1: none */
	bool mixed;  /* the partner differs in what should not be mixed */
};

struct side {
	const char *name; /* "the baseline", "the candidate" */
	struct unit *u;
	int n;
};

/* Everything that cells are told apart by, in three parts. */
static const char *const fixed[] = { "dataset", "dataset_hash", "model", "shape", "recipe", "attack", "attacker", NULL };
static const char *const scheme_part[] = { "scheme", "users", "credentials_per_user", NULL };
static const char *const unmixed[] = { "limits", "tier", "engine", "kernel", NULL };
static const char *const options_part[] = { "scheme_options", "attack_options", NULL };

enum { WITH_SEED = 1, WITH_SCHEME = 2, WITH_OPTIONS = 4, UNMIXED = 8 };

static void copy(json_t *to, const json_t *cell, const char *const *members)
{
	for (; *members; members++) {
		json_t *v = json_object_get(cell, *members);

		if (v)
			json_object_set(to, *members, v);
	}
}

/* Caller frees. */
static char *key_of(const json_t *cell, int flags)
{
	json_t *k = json_object();
	char *text;

	copy(k, cell, fixed);
	if (flags & WITH_SEED)
		jset_int(k, "seed", jget_int(cell, "seed", 0));
	if (flags & WITH_SCHEME)
		copy(k, cell, scheme_part);
	if (flags & UNMIXED)
		copy(k, cell, unmixed);
	if (flags & WITH_OPTIONS)
		copy(k, cell, flags & WITH_SCHEME ? options_part : options_part + 1);
	text = json_compact(k);
	json_decref(k);
	return text;
}

/* ---- labels ---- */

/* "fashion-mnist, lenet5, smoke tier, 18000/2000 images" */
static const char *where_text(struct arena *mem, const json_t *c)
{
	const json_t *limits = json_object_get(c, "limits");
	const long long train = jget_int(limits, "train", 0), test = jget_int(limits, "test", 0);
	char part[2][24] = { "all", "all" };

	if (train)
		snprintf(part[0], sizeof(part[0]), "%lld", train);
	if (test)
		snprintf(part[1], sizeof(part[1]), "%lld", test);
	return arena_printf(mem, "%s, %s, %s tier, %s/%s images", jget_str(c, "dataset", "?"), jget_str(c, "model", "?"),
			    jget_str(c, "tier", "?"), part[0], part[1]);
}

/* varies: {driver: {option: its first value, or null once it had two}}. */
static void note_options(json_t *varies, const char *driver, const json_t *options)
{
	json_t *seen = json_object_get(varies, driver), *v;
	const char *name;

	if (!seen) {
		jset(varies, driver, json_is_object(options) ? json_copy((json_t *)(uintptr_t)options) : json_object());
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)options, name, v) {
		const json_t *first = json_object_get(seen, name);

		if (!first || !json_equal(first, v))
			jset(seen, name, json_null());
	}
}

static const char *with_options(struct arena *mem, const json_t *varies, const char *driver, const json_t *options)
{
	const json_t *seen = json_object_get(varies, driver);
	const char *name, *text = driver, *glue = " (";
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)options, name, v) {
		char *value;

		if (!json_is_null(json_object_get(seen, name)))
			continue;
		value = json_is_string(v) ? xstrdup(json_string_value(v)) : json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));
		text = arena_printf(mem, "%s%s%s=%s", text, glue, name, value ? value : "?");
		glue = ", ";
		free(value);
	}
	return *glue == ',' ? arena_printf(mem, "%s)", text) : text;
}

static void note_cell(json_t *varies, const json_t *c)
{
	note_options(varies, jget_str(c, "scheme", "?"), json_object_get(c, "scheme_options"));
	note_options(varies, jget_str(c, "attack", "none"), json_object_get(c, "attack_options"));
}

static json_t *varying(const struct side *s)
{
	json_t *varies = json_object();

	for (int i = 0; i < s->n; i++)
		note_cell(varies, s->u[i].cell);
	return varies;
}

static const char *scheme_label(struct arena *mem, const json_t *varies, const json_t *c)
{
	return with_options(mem, varies, jget_str(c, "scheme", "?"), json_object_get(c, "scheme_options"));
}

static const char *attack_label(struct arena *mem, const json_t *varies, const json_t *c)
{
	const char *attack = jget_str(c, "attack", "none");

	return strcmp(attack, "none") ? with_options(mem, varies, attack, json_object_get(c, "attack_options")) : "";
}

/* ---- one side ---- */

/* Grows with every version that was raised. */
static long long versions(const json_t *c)
{
	long long attack = jget_int(c, "attack_version", 0);
	const char *part;
	json_t *version;

	json_object_foreach(json_object_get(c, "attack_parts"), part, version)
		attack += json_integer_value(version);
	return jget_int(c, "scheme_version", 0) * 100000 + attack;
}

static bool is_current(const json_t *c)
{
	struct keys k;

	keys_of(c, &k);
	return !strcmp(k.cell, jget_str(c, "key", ""));
}

/* A store may hold the same cell by older drivers as well: the newest counts. */
static int replace_older(struct unit *kept, const json_t *c, const char *side)
{
	const long long old = versions(kept->cell), now = versions(c);

	if (now > old || (now == old && !is_current(kept->cell) && is_current(c)))
		kept->cell = c;
	else if (now == old && is_current(kept->cell) == is_current(c) &&
		 strcmp(jget_str(kept->cell, "key", ""), jget_str(c, "key", "")) != 0)
		return error(EXIT_UNEVALUABLE, "%s holds two cells of the same settings and versions, %.12s and %.12s: made by two versions "
			     "of lockbench? Compare stores that hold one", side, jget_str(kept->cell, "key", "?"), jget_str(c, "key", "?"));
	return 0;
}

static int read_side(struct side *s, const char *name, const json_t *cells, const char *scheme)
{
	json_t *seen = json_object();
	const json_t *c;
	size_t i;
	int ret = 0;

	*s = (struct side){ .name = name, .u = xcalloc(json_array_size(cells) + 1, sizeof(*s->u)) };
	json_array_foreach(cells, i, c) {
		char *key;
		long long at;

		if (ret || (scheme && strcmp(jget_str(c, "scheme", ""), scheme) != 0))
			continue;
		key = key_of(c, WITH_SEED | WITH_SCHEME | WITH_OPTIONS | UNMIXED);
		at = jget_int(seen, key, -1);
		if (at >= 0) {
			ret = replace_older(&s->u[at], c, name);
		} else {
			jset_int(seen, key, s->n);
			s->u[s->n++] = (struct unit){ .cell = c, .partner = -1 };
		}
		free(key);
	}
	json_decref(seen);
	if (!ret && !s->n)
		ret = scheme ? error(EXIT_UNEVALUABLE, "%s holds no cells of scheme %s", name, scheme) :
		      error(EXIT_UNEVALUABLE, "%s holds no cells", name);
	return ret;
}

/* ---- pairing, from the strictest rule to the loosest ---- */

/* {key: [indices]} of what has no partner yet. */
static json_t *unpaired_by(const struct side *s, int flags)
{
	json_t *map = json_object();

	for (int i = 0; i < s->n; i++) {
		char *key;
		json_t *list;

		if (s->u[i].partner >= 0 || (!flags && !*jget_str(s->u[i].cell, "key", "")))
			continue;
		key = flags ? key_of(s->u[i].cell, flags) : xstrdup(jget_str(s->u[i].cell, "key", ""));
		list = json_object_get(map, key);
		if (!list)
			jset(map, key, list = json_array());
		json_array_append_new(list, json_integer(i));
		free(key);
	}
	return map;
}

static bool common_agree(const json_t *a, const json_t *b)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)a, name, v) {
		const json_t *w = json_object_get(b, name);

		if (w && !json_equal(v, w))
			return false;
	}
	return true;
}

static bool same(const json_t *x, const json_t *y) /* also when both are absent */
{
	return x == y || json_equal(x, y);
}

/* Options that only one version of a driver has may differ. */
static bool versions_excuse(const json_t *a, const json_t *b, const char *version, const char *options)
{
	const json_t *x = json_object_get(a, options), *y = json_object_get(b, options);

	return same(x, y) || (jget_int(a, version, 0) != jget_int(b, version, 0) && common_agree(x, y));
}

static bool agree(const json_t *a, const json_t *b, bool any_scheme)
{
	return (any_scheme || versions_excuse(a, b, "scheme_version", "scheme_options")) &&
	       versions_excuse(a, b, "attack_version", "attack_options");
}

static void join(struct side *b, int i, struct side *c, int k, bool mixed)
{
	b->u[i].partner = k;
	c->u[k].partner = i;
	b->u[i].mixed = c->u[k].mixed = mixed;
}

/* flags 0: by the cells' own keys. */
static int pass(struct side *b, struct side *c, int flags, bool any_scheme, bool mixed)
{
	json_t *map = unpaired_by(b, flags), *list;
	int ret = 0;

	for (int k = 0; k < c->n && !ret; k++) {
		char *key;
		int found = -1;

		if (c->u[k].partner >= 0)
			continue;
		key = flags ? key_of(c->u[k].cell, flags) : xstrdup(jget_str(c->u[k].cell, "key", ""));
		list = json_object_get(map, key);
		free(key);
		for (size_t i = 0; i < json_array_size(list) && !ret; i++) {
			int at = (int)json_integer_value(json_array_get(list, i));

			if (!agree(b->u[at].cell, c->u[k].cell, any_scheme))
				continue;
			if (found >= 0 || b->u[at].partner >= 0)
				ret = error(EXIT_UNEVALUABLE, "cells %.12s and %.12s would both be the partner of one cell: the scheme occurs with several "
					    "settings; compare stores that hold one of them", jget_str(c->u[k].cell, "key", "?"),
					    jget_str(b->u[at].cell, "key", "?"));
			found = at;
		}
		if (!ret && found >= 0)
			join(b, found, c, k, mixed);
	}
	json_decref(map);
	return ret;
}

/* Which members differ between a cell and the nearest one of the other side, for the message that nothing pairs. */
static const char *nearest_difference(struct arena *mem, const struct side *b, const json_t *c, bool any_scheme)
{
	static const char *const members[] = { "dataset", "dataset_hash", "model", "recipe", "limits", "tier", "engine", "kernel", "attack",
					       "attacker", "attack_options", "seed", "scheme", "scheme_options", "users", "credentials_per_user" };
	const size_t n = any_scheme ? ARRAY_LEN(members) - 4 : ARRAY_LEN(members);
	const char *best = "";
	size_t least = SIZE_MAX;

	for (int i = 0; i < b->n; i++) {
		const char *text = "";
		size_t differ = 0;

		for (size_t m = 0; m < n; m++) {
			if (same(json_object_get(b->u[i].cell, members[m]), json_object_get(c, members[m])))
				continue;
			if (differ++ < 3)
				text = arena_printf(mem, "%s%s%s", text, *text ? ", " : "", members[m]);
		}
		if (differ < least) {
			least = differ;
			best = text;
		}
	}
	return best;
}

static int pair_all(struct pairs *p, struct side *b, struct side *c, const struct pair_conf *conf)
{
	const int who = conf->against ? 0 : WITH_SCHEME;
	int mixed = 0, paired = 0;

	if ((who && pass(b, c, 0, true, false) < 0) || pass(b, c, WITH_SEED | UNMIXED | WITH_OPTIONS | who, !who, false) < 0 ||
	    pass(b, c, WITH_SEED | UNMIXED | who, !who, false) < 0 || pass(b, c, WITH_SEED | who, !who, true) < 0)
		return -1;
	for (int k = 0; k < c->n; k++) {
		paired += c->u[k].partner >= 0;
		mixed += c->u[k].partner >= 0 && c->u[k].mixed;
	}
	if (!paired)
		return error(EXIT_UNEVALUABLE, "nothing pairs: the nearest cells differ in %s", nearest_difference(&p->mem, b, c->u[0].cell, !who));
	if (mixed && !conf->mixed)
		return error(EXIT_UNEVALUABLE, "%d of %d pairs differ in engine, kernel family, tier or limits, and their numbers do not mean the same; "
			     "run the candidate as the baseline was, or say --mixed", mixed, paired);
	return 0;
}

/* ---- groups ---- */

static int by_seed(const void *a, const void *b)
{
	const long long x = jget_int(*(const json_t *const *)a, "seed", 0), y = jget_int(*(const json_t *const *)b, "seed", 0);

	return (x > y) - (x < y);
}

static int by_label(const void *a, const void *b)
{
	const struct pair_group *x = a, *y = b;
	int d = strcmp(x->where, y->where);

	d = d ? d : strcmp(x->label, y->label);
	d = d ? d : strcmp(x->attack, y->attack);
	return d ? d : strcmp(x->key, y->key);
}

static struct pair_group *group_for(struct pairs *p, json_t *index, const char *key)
{
	long long at = jget_int(index, key, -1);

	if (at >= 0)
		return &p->group[at];
	jset_int(index, key, p->ngroups);
	p->group[p->ngroups] = (struct pair_group){ .key = arena_printf(&p->mem, "%s", key) };
	return &p->group[p->ngroups++];
}

static void add_pair(struct pairs *p, json_t *index, const json_t *b, const struct unit *c)
{
	const int flags = WITH_SCHEME | WITH_OPTIONS | UNMIXED;
	char *one = key_of(b, flags), *two = key_of(c->cell, flags), *key = xasprintf("%s%s", one, two);
	struct pair_group *g = group_for(p, index, key);

	g->baseline = xrealloc(g->baseline, (size_t)g->n + 1, sizeof(*g->baseline));
	g->candidate = xrealloc(g->candidate, (size_t)g->n + 1, sizeof(*g->candidate));
	g->baseline[g->n] = b;
	g->candidate[g->n++] = c->cell;
	g->mixed = c->mixed;
	p->npairs++;
	free(one);
	free(two);
	free(key);
}

static void finish_group(struct pairs *p, struct pair_group *g, const json_t *varies)
{
	const json_t *b, *c;

	qsort(g->baseline, (size_t)g->n, sizeof(*g->baseline), by_seed);
	qsort(g->candidate, (size_t)g->n, sizeof(*g->candidate), by_seed);
	g->seed = xmalloc((size_t)g->n, sizeof(*g->seed));
	for (int i = 0; i < g->n; i++)
		g->seed[i] = jget_int(g->candidate[i], "seed", 0);
	b = g->baseline[0];
	c = g->candidate[0];
	g->where = where_text(&p->mem, c);
	g->label = scheme_label(&p->mem, varies, c);
	if (strcmp(jget_str(b, "scheme", ""), jget_str(c, "scheme", "")) != 0)
		g->label = arena_printf(&p->mem, "%s against %s", g->label, jget_str(b, "scheme", "?"));
	g->attack = attack_label(&p->mem, varies, c);
}

static void make_groups(struct pairs *p, const struct side *b, const struct side *c)
{
	json_t *index = json_object(), *varies = varying(c);

	p->group = xcalloc((size_t)c->n + 1, sizeof(*p->group));
	for (int k = 0; k < c->n; k++)
		if (c->u[k].partner >= 0)
			add_pair(p, index, b->u[c->u[k].partner].cell, &c->u[k]);
	for (int i = 0; i < p->ngroups; i++)
		finish_group(p, &p->group[i], varies);
	qsort(p->group, (size_t)p->ngroups, sizeof(*p->group), by_label);
	json_decref(index);
	json_decref(varies);
}

/* ---- what has no partner ---- */

static const char *failure_of(const json_t *failures, const json_t *cell)
{
	const json_t *f;
	char *key = key_of(cell, WITH_SEED | WITH_SCHEME | WITH_OPTIONS), *other;
	const char *why = NULL;
	size_t i;

	json_array_foreach(failures, i, f) {
		other = key_of(json_object_get(f, "point"), WITH_SEED | WITH_SCHEME | WITH_OPTIONS);
		if (!strcmp(key, other))
			why = jget_str(f, "why", "failed");
		free(other);
	}
	free(key);
	return why;
}

static json_t *unpaired_texts(struct pairs *p, const struct side *s, const json_t *failures)
{
	json_t *out = json_array(), *varies = varying(s);

	for (int i = 0; i < s->n; i++) {
		const json_t *c = s->u[i].cell;
		const char *why, *attack, *text;

		if (s->u[i].partner >= 0)
			continue;
		attack = attack_label(&p->mem, varies, c);
		why = failure_of(failures, c);
		text = arena_printf(&p->mem, "%s%s%s, seed %lld, %s%s%s", scheme_label(&p->mem, varies, c), *attack ? ", " : "", attack,
				    jget_int(c, "seed", 0), where_text(&p->mem, c), why ? ": " : "", why ? why : "");
		json_array_append_new(out, json_string(text));
	}
	json_decref(varies);
	return out;
}

int pairs_make(struct pairs *p, const json_t *baseline, const json_t *candidate, const json_t *failures, const struct pair_conf *conf)
{
	struct side b = { 0 }, c = { 0 };
	int ret;

	*p = (struct pairs){ .unread = json_array() };
	ret = read_side(&b, "the baseline", baseline, conf->against ? conf->against : conf->scheme);
	if (ret == 0)
		ret = read_side(&c, "the candidate", candidate, conf->scheme);
	if (ret == 0)
		ret = pair_all(p, &b, &c, conf);
	if (ret == 0) {
		make_groups(p, &b, &c);
		p->missing = unpaired_texts(p, &b, failures);
		p->added = unpaired_texts(p, &c, NULL);
	}
	free(b.u);
	free(c.u);
	return ret;
}

void pairs_release(struct pairs *p)
{
	for (int i = 0; i < p->ngroups; i++) {
		free(p->group[i].baseline);
		free(p->group[i].candidate);
		free(p->group[i].seed);
	}
	free(p->group);
	json_decref(p->missing);
	json_decref(p->added);
	json_decref(p->unread);
	arena_release(&p->mem);
}
