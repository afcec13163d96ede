/* What a store holds, for reports and comparisons, and what of it cannot be shown. See collect.h. */
#include "bench/collect.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "bench/manifest.h"
#include "bench/pictures.h"
#include "bench/tier.h"

/* ---- what is left out ---- */

#define WARNINGS_MAX 20

void left_out_add(json_t *list, const char *what, const char *key, bool missing, const char *why)
{
	json_t *j = json_object();

	if (json_array_size(list) < WARNINGS_MAX)
		warning("%s; left out", why);
	else if (json_array_size(list) == WARNINGS_MAX)
		warning("more is left out");
	jset_str(j, "what", what);
	jset_str(j, "key", key);
	jset_str(j, "state", missing ? "missing" : "damaged");
	jset_str(j, "why", why);
	json_array_append_new(list, j);
}

/* Of an error: 0 when it is damage, and is noted; -1 when nobody can tell, and the error stays. */
static int note_damage(json_t *list, const char *what, const char *key)
{
	char *why;

	if (error_code() != EXIT_UNEVALUABLE)
		return -1;
	why = xstrdup(error_text());
	error_clear();
	left_out_add(list, what, key, false, why);
	free(why);
	return 0;
}

/* ---- collecting ---- */

struct collecting {
	struct store *st;
	struct collection *c;
	json_t *keys;      /* of the cells */
	const char *what;  /* is walked */
};

static int take_cell(void *ctx, const char *key, const json_t *cell)
{
	struct collecting *g = ctx;
	json_t *t = store_read_timing(g->st, key);

	jset_bool(g->keys, key, 1);
	json_array_append_new(g->c->cells, json_incref((json_t *)(uintptr_t)cell));
	if (t)
		jset(g->c->timings, key, t);
	return t || error_code() == EXIT_YES ? 0 : note_damage(g->c->left_out, "timing", key);
}

static int take_failure(void *ctx, const char *key, const json_t *f)
{
	struct collecting *g = ctx;

	(void)key;
	json_array_append_new(g->c->failures, json_incref((json_t *)(uintptr_t)f));
	return 0;
}

static int take_damaged(void *ctx, const char *key, const char *why)
{
	struct collecting *g = ctx;

	left_out_add(g->c->left_out, g->what, key, false, why);
	return 0;
}

static int take_missing(void *ctx, const char *key)
{
	struct collecting *g = ctx;
	char *why;

	if (!strcmp(g->what, "timing") && !json_object_get(g->keys, key)) /* of an artefact: no report shows it */
		return 0;
	why = xasprintf("%s: %s %s is listed in %s, and is not there", store_dir(g->st), g->what, key, MANIFEST_NAME);
	left_out_add(g->c->left_out, g->what, key, true, why);
	free(why);
	return 0;
}

static int collect_missing(struct collecting *g, const char *kind, const char *what)
{
	size_t n;
	char **keys = store_keys(g->st, kind, &n);
	int ret;

	g->what = what;
	ret = keys ? store_missing(g->st, kind, keys, n, take_missing, g) : -1;
	dir_list_free(keys, n);
	return ret;
}

static int collect_files(struct collecting *g)
{
	const struct manifest *m;
	bool told;

	if (store_listed(g->st, &m) < 0 && note_damage(g->c->left_out, MANIFEST_NAME, "") < 0)
		return -1;
	told = m != NULL;
	g->what = "cell";
	if (store_each(g->st, "cells", take_cell, take_damaged, g) < 0)
		return -1;
	g->what = "failure";
	if (store_each(g->st, "failures", take_failure, take_damaged, g) < 0)
		return -1;
	if (!told)
		return 0;
	return collect_missing(g, "cells", "cell") < 0 || collect_missing(g, "failures", "failure") < 0 ||
	       collect_missing(g, "timing", "timing") < 0 ? -1 : 0;
}

int collect(struct store *st, const char *title, struct collection *c)
{
	struct collecting g = { .st = st, .c = c, .keys = json_object() };
	int ret;

	*c = (struct collection){ .cells = json_array(), .timings = json_object(), .failures = json_array(),
				  .left_out = json_array() };
	c->run = store_read_run(st);
	ret = c->run || error_code() == EXIT_YES ? 0 : note_damage(c->left_out, "last-run.json", "");
	if (ret == 0)
		ret = collect_files(&g);
	json_decref(g.keys);
	if (ret < 0 || store_hash(st, c->hash) < 0)
		return -1;
	c->input = (struct report_input){ .cells = c->cells, .timings = c->timings, .failures = c->failures,
					  .title = title && *title ? title : jget_str(c->run, "name", "lockbench"),
					  .store_hash = c->hash, .command = jget_str(c->run, "command", ""),
					  .where = store_dir(st) };
	c->drivers = drivers_json(c->cells, c->failures);
	c->input.drivers = c->drivers;
	c->input.left_out = c->left_out;
	return 0;
}

int collect_pictures(struct store *st, struct collection *c)
{
	c->pictures = pictures_json(st, c->cells, c->left_out);
	c->input.pictures = c->pictures;
	return error_code() == EXIT_YES ? 0 : -1;
}

void collection_release(struct collection *c)
{
	json_decref(c->cells);
	json_decref(c->timings);
	json_decref(c->failures);
	json_decref(c->left_out);
	json_decref(c->run);
	json_decref(c->drivers);
	json_decref(c->pictures);
}

/* ---- labels ---- */

/* The members of "attacker" that are not the tier's rule. */
static json_t *unusual(const json_t *point)
{
	json_t *given = json_object_get(point, "attacker"), *rule = NULL, *out = json_object(), *v;
	const char *name, *tier = jget_str(point, "tier", "");

	for (int i = 0; i < 3; i++)
		if (!strcmp(tier_names[i], tier))
			rule = attacker_json(&tier_table[i].attacker, false);
	json_object_foreach(given, name, v)
		if (!json_equal(v, json_object_get(rule, name)) || !strcmp(name, "search"))
			json_object_set(out, name, v);
	json_decref(rule);
	return out;
}

/* A copy of a point (or cell) with its unusual grants among the attack's options; NULL where there are none. */
static json_t *labelled(const json_t *point)
{
	json_t *more = unusual(point), *copy = NULL;

	if (json_object_size(more)) {
		json_t *options = json_object();

		json_object_update(options, json_object_get(point, "attack_options"));
		json_object_update(options, more);
		copy = json_copy((json_t *)(uintptr_t)point);
		jset(copy, "attack_options", options);
	}
	json_decref(more);
	return copy;
}

void collection_label(struct collection *c)
{
	json_t *j, *copy;
	size_t i;

	json_array_foreach(c->cells, i, j) {
		copy = labelled(j);
		if (copy)
			json_array_set_new(c->cells, i, copy);
	}
	json_array_foreach(c->failures, i, j) {
		copy = labelled(json_object_get(j, "point"));
		if (copy) {
			j = json_copy(j);
			jset(j, "point", copy);
			json_array_set_new(c->failures, i, j);
		}
	}
}
