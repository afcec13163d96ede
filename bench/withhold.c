/* Cells without their owners' secrets. See withhold.h. */
#include "bench/withhold.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "bench/keys.h"
#include "schemes/scheme.h"

#define MARK "withheld-"
#define MARK_HEX 8
#define MARK_SIZE (sizeof(MARK) + MARK_HEX)

static const struct scheme *scheme_of(const char *name)
{
	for (const struct driver *const *d = schemes; *d; d++)
		if (!strcmp((*d)->name, name))
			return (const struct scheme *)*d;
	return NULL; /* another version's: what it keeps secret is not known here */
}

static const struct secret_option *secrets_of(const json_t *point)
{
	static const struct secret_option none;
	const struct scheme *s = scheme_of(jget_str(point, "scheme", ""));

	return s ? s->secrets : &none;
}

/* ---- taking out ---- */

static bool is_mark(const json_t *v)
{
	const char *s = json_is_string(v) ? json_string_value(v) : "";

	return strlen(s) == MARK_SIZE - 1 && !strncmp(s, MARK, strlen(MARK)) &&
	       strspn(s + strlen(MARK), "0123456789abcdef") == MARK_HEX;
}

/* Does it hold something, or say that there is nothing, or something at random? */
static bool is_value(const json_t *v)
{
	const char *s = json_string_value(v);

	if (json_is_array(v))
		return json_array_size(v) > 0;
	return v && !json_is_null(v) && !(s && (!*s || !strcmp(s, "random")));
}

static void mark_of(const char *scheme, const char *option, const json_t *v, char mark[MARK_SIZE])
{
	char *value = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(17) | JSON_SORT_KEYS);
	char *text = xasprintf("%s.%s=%s", scheme, option, value ? value : ""), hash[HASH_HEX];

	sha256_hex(text, strlen(text), hash);
	snprintf(mark, MARK_SIZE, MARK "%.*s", MARK_HEX, hash);
	free(text);
	free(value);
}

/* The options without what is secret, or NULL where nothing is. */
static json_t *options_without(const json_t *point)
{
	json_t *options = json_object_get(point, "scheme_options"), *left = NULL;
	char mark[MARK_SIZE];

	for (const struct secret_option *o = secrets_of(point); o->name; o++) {
		const json_t *v = json_object_get(options, o->name);

		if (!is_value(v) || is_mark(v))
			continue;
		if (!left)
			left = json_copy(options);
		mark_of(jget_str(point, "scheme", ""), o->name, v, mark);
		jset_str(left, o->name, mark);
	}
	return left;
}

/* Over the cell without its member "sha256", as store.h has it. */
static void seal(json_t *cell)
{
	char hash[HASH_HEX];

	json_object_del(cell, "sha256");
	json_hash(cell, hash);
	jset_str(cell, "sha256", hash);
}

json_t *withhold(const json_t *point)
{
	json_t *left = json_copy((json_t *)(uintptr_t)point), *options = options_without(point);
	const char *sha = jget_str(point, "sha256", NULL);
	struct keys k;

	if (!options)
		return left;
	if (!json_object_get(left, "locked_key")) { /* a failure's point: it cannot be computed from what is left */
		keys_of(point, &k);
		jset_str(left, "locked_key", k.locked);
	}
	jset(left, "scheme_options", options);
	if (sha && !json_object_get(left, "withheld"))
		jset_str(left, "withheld", sha);
	if (sha)
		seal(left);
	return left;
}

bool withheld(const json_t *point)
{
	const json_t *options = json_object_get(point, "scheme_options");

	for (const struct secret_option *o = secrets_of(point); o->name; o++)
		if (is_mark(json_object_get(options, o->name)))
			return true;
	return false;
}

void withheld_note(json_t *set, const json_t *point)
{
	const json_t *options = json_object_get(point, "scheme_options");
	const char *scheme = jget_str(point, "scheme", "");

	for (const struct secret_option *o = secrets_of(point); o->name; o++) {
		if (!is_mark(json_object_get(options, o->name)))
			continue;
		if (!json_object_get(set, scheme))
			jset(set, scheme, json_object());
		jset_str(json_object_get(set, scheme), o->name, o->name);
	}
}

/* ---- putting back ---- */

/* The value that a text means, or NULL after error(). */
static json_t *value_of(const struct scheme *s, const char *option, const char *text)
{
	void *conf = xcalloc(1, s->drv.conf_size);
	json_t *all = NULL, *v = NULL;

	opt_defaults(s->drv.opts, conf);
	if (opt_set(s->drv.opts, conf, option, text) == 0)
		all = opt_json(s->drv.opts, conf);
	if (all)
		v = json_incref(json_object_get(all, option));
	json_decref(all);
	free(conf);
	return v;
}

/* "schemes.passport.signature=TEXT": is it of that option? Then its TEXT. */
static const char *text_for(const char *set, const char *scheme, const char *option)
{
	char *name = xasprintf("schemes.%s.%s=", scheme, option);
	const size_t n = strlen(name);
	const bool same = !strncmp(set, name, n);

	free(name);
	return same ? set + n : NULL;
}

static int check_value(const char *set)
{
	for (const struct driver *const *d = schemes; *d; d++)
		for (const struct secret_option *o = ((const struct scheme *)*d)->secrets; o->name; o++) {
			const char *text = text_for(set, (*d)->name, o->name);
			json_t *v = text ? value_of((const struct scheme *)*d, o->name, text) : NULL;

			if (!text)
				continue;
			json_decref(v);
			return v ? 0 : -1;
		}
	return error(EXIT_UNEVALUABLE, "--set '%.*s': of a bundle only what was withheld is given so, as in "
		     "--set schemes.passport.signature=TEXT", (int)strcspn(set, "="), set);
}

int withheld_check_values(const char *const *set, int n)
{
	int ret = 0;

	for (int i = 0; i < n && !ret; i++)
		ret = check_value(set[i]);
	return ret;
}

/* Put the value in when it is the one that the mark is of. */
static bool try(const struct scheme *s, json_t *options, const char *option, const char *text)
{
	json_t *v = text ? value_of(s, option, text) : NULL;
	char mark[MARK_SIZE] = "";

	error_clear();
	if (v)
		mark_of(s->drv.name, option, v, mark);
	if (v && !strcmp(mark, jget_str(options, option, ""))) {
		jset(options, option, v);
		return true;
	}
	json_decref(v);
	return false;
}

static bool restore_option(const struct scheme *s, json_t *options, const struct secret_option *o,
			   const char *const *set, int n)
{
	const struct opt *row = opt_find(s->drv.opts, o->name);

	if (try(s, options, o->name, row->def) || try(s, options, o->name, o->published))
		return true;
	for (int i = 0; i < n; i++)
		if (try(s, options, o->name, text_for(set[i], s->drv.name, o->name)))
			return true;
	return false;
}

json_t *withheld_restore(const json_t *cell, const char *const *set, int n, char lacks[160])
{
	const struct scheme *s = scheme_of(jget_str(cell, "scheme", ""));
	json_t *whole = json_copy((json_t *)(uintptr_t)cell);
	json_t *options = json_copy(json_object_get(cell, "scheme_options"));

	jset(whole, "scheme_options", options);
	for (const struct secret_option *o = secrets_of(cell); o->name; o++) {
		if (!is_mark(json_object_get(options, o->name)) || restore_option(s, options, o, set, n))
			continue;
		snprintf(lacks, 160, "schemes.%.63s.%.63s", s->drv.name, o->name);
		json_decref(whole);
		return NULL;
	}
	if (json_object_get(whole, "withheld")) {
		json_object_del(whole, "withheld");
		seal(whole);
	}
	return whole;
}

int withheld_check(const json_t *cell)
{
	char lacks[160];
	json_t *whole;
	struct keys k;
	int ret = 0;

	if (withheld(cell) != (json_object_get(cell, "withheld") != NULL))
		return error(EXIT_UNEVALUABLE, "it does not say rightly whether something is withheld");
	if (!withheld(cell))
		return 0;
	whole = withheld_restore(cell, NULL, 0, lacks);
	if (!whole)
		return 1;
	keys_of(whole, &k);
	if (strcmp(k.locked, jget_str(cell, "locked_key", "")) != 0 ||
	    strcmp(jget_str(whole, "sha256", ""), jget_str(cell, "withheld", "")) != 0)
		ret = error(EXIT_UNEVALUABLE, "with the published value it is not the cell that something was withheld "
			    "from");
	json_decref(whole);
	return ret;
}
