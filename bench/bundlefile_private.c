/* What of a store goes into a bundle: of timings, failures and notes of runs the members that say something about the
 * study, nothing about the machine or who sat at it; of cells, jobs and reports all but the owner's secrets.
 * See bundlefile.h. */
#include "bench/bundlefile_parts.h"

#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "bench/withhold.h"
#include "bench/yaml.h"
#include "schemes/scheme.h"

/* ---- words that must not be in there ---- */

static void words_of_cell(struct scrub *s, const json_t *cell)
{
	scrub_secrets(s, cell);
}

static void words_of_timing(struct scrub *s, const json_t *timing)
{
	scrub_host(s, jget_str(timing, "host", ""));
}

static void words_of_failure(struct scrub *s, const json_t *failure)
{
	scrub_secrets(s, json_object_get(failure, "point"));
}

/* Reports quote it, and where it names numbers of a secret these alone cannot be looked for. */
static void reason_of_failure(struct scrub *s, const json_t *failure)
{
	const char *why = jget_str(failure, "why", "");
	char *left = scrub_message(s, why, json_object_get(failure, "point")), *words = scrub_message(s, why, NULL);

	if (strcmp(left, words) != 0)
		scrub_phrase(s, why, left);
	free(left);
	free(words);
}

int bundle_file_words(struct scrub *s, const struct bundle_file *b)
{
	static const struct { const char *folder; void (*take)(struct scrub *s, const json_t *j); } from[] = {
		{ "cells/", words_of_cell }, { "timing/", words_of_timing }, { "failures/", words_of_failure },
		{ "failures/", reason_of_failure }, /* last: all words are known */
	};

	for (size_t k = 0; k < ARRAY_LEN(from); k++)
		for (int i = 0; i < b->n; i++) {
			json_t *j;

			if (!bundle_file_in(b->e[i].name, from[k].folder))
				continue;
			j = bundle_entry_json(&b->e[i]);
			if (!j)
				return -1;
			from[k].take(s, j);
			json_decref(j);
		}
	return 0;
}

/* ---- JSON: only members that are known to be harmless ---- */

static json_t *members(const json_t *j, const char *const *names)
{
	json_t *out = json_object();

	for (; *names; names++) {
		json_t *v = json_object_get(j, *names);

		if (v)
			json_object_set(out, *names, v);
	}
	return out;
}

static json_t *timing_without(const json_t *j)
{
	static const char *const names[] = { "attack", "cpu_seconds", "dataset", "forecast", "isa", "key", "kind",
					     "metrics", "model", "peak_rss_mib", "scheme", "seconds", "threads", NULL };

	return members(j, names);
}

static json_t *failure_without(const struct scrub *s, const json_t *j)
{
	static const char *const names[] = { "attempt", "key", "verdict", NULL };
	json_t *out = members(j, names), *point = json_object_get(j, "point");
	char *why = scrub_message(s, jget_str(j, "why", ""), point);

	if (point)
		jset(out, "point", withhold(point));
	jset_str(out, "why", why);
	free(why);
	return out;
}

static json_t *run_without(const struct scrub *s, const json_t *j)
{
	static const char *const names[] = { "lockbench", "tier", NULL };
	json_t *out = members(j, names);
	char *command = scrub_command(s, jget_str(j, "command", ""));
	char *name = scrub_message(s, jget_str(j, "name", ""), NULL);

	jset_str(out, "command", command);
	jset_str(out, "name", name);
	free(command);
	free(name);
	return out;
}

static json_t *store_without(const json_t *j)
{
	static const char *const names[] = { "created_by", "format", NULL };

	return members(j, names);
}

static json_t *json_without(const struct scrub *s, const char *name, const json_t *j)
{
	if (bundle_file_in(name, "cells/"))
		return withhold(j);
	if (bundle_file_in(name, "timing/"))
		return timing_without(j);
	if (bundle_file_in(name, "failures/"))
		return failure_without(s, j);
	return strcmp(name, "store.json") ? run_without(s, j) : store_without(j);
}

/* ---- jobs: the values of secret options, where they stand ---- */

struct place { size_t at, len; };
struct places { struct place p[256]; int n; };

static const struct scheme *scheme_of(const char *name)
{
	for (const struct driver *const *d = schemes; *d; d++)
		if (!strcmp((*d)->name, name))
			return (const struct scheme *)*d;
	return NULL;
}

static const char *secret_of(const struct scheme *s, const char *name)
{
	for (const struct secret_option *o = s ? s->secrets : NULL; o && o->name; o++)
		if (!strcmp(o->name, name))
			return o->name;
	return NULL;
}

/* Bytes before a line and column, which count characters from 1. */
static size_t offset_of(const char *text, int line, int column)
{
	const char *p = text;

	for (; line > 1 && (p = strchr(p, '\n')) != NULL; line--)
		p++;
	if (!p)
		return strlen(text);
	for (; column > 1 && *p; column--)
		for (p++; ((unsigned char)*p & 0xc0) == 0x80; p++)
			;
	return (size_t)(p - text);
}

/* Where the scalar y stands in text, without its quotes; len 0: it is written in a way that is not followed here. */
static struct place place_of(const char *text, const struct yaml *y)
{
	const size_t start = offset_of(text, y->line, y->column), at = start + (y->quoted && text[start]);
	const char *p = text + at, quote = text[start]; /* where it is quoted */

	if (!y->quoted)
		return (struct place){ at, strncmp(p, y->text, strlen(y->text)) ? 0 : strlen(y->text) };
	for (; *p && (quote == '"' || quote == '\''); p++) {
		if (*p == quote && !(quote == '\'' && p[1] == quote))
			return (struct place){ at, (size_t)(p - text) - at };
		if (p[1] && (*p == quote || (*p == '\\' && quote == '"')))
			p++;
	}
	return (struct place){ at, 0 };
}

static int take_value(const struct yaml *y, const char *option, const char *text, struct places *where, struct scrub *s)
{
	struct place *p = &where->p[where->n];
	int ret = 0;

	for (int i = 0; y->kind == YAML_LIST && i < y->n && !ret; i++)
		ret = take_value(y->item[i], option, text, where, s);
	if (y->kind != YAML_SCALAR || !*y->text || !strcmp(y->text, "random") || !strcmp(y->text, "withheld"))
		return ret;
	*p = place_of(text, y);
	if (!p->len || where->n == (int)ARRAY_LEN(where->p) - 1)
		return yaml_error(y, "%s is a secret that a bundle must not hold, and it cannot be taken out of the "
				  "way it is written here; give a copy of the job without it", option);
	scrub_value(s, option, y->text);
	where->n++;
	return 0;
}

static int take_secrets(const struct yaml *y, const struct scheme *of, const char *text, struct places *where,
			struct scrub *s)
{
	int ret = 0;

	for (int i = 0; y->kind != YAML_SCALAR && i < y->n && !ret; i++) {
		const char *key = y->kind == YAML_MAP ? y->key[i]->text : "";
		const char *option = secret_of(of, key);
		const struct scheme *scheme = scheme_of(key);

		ret = option ? take_value(y->item[i], option, text, where, s) :
		      take_secrets(y->item[i], scheme ? scheme : of, text, where, s);
	}
	return ret;
}

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* New; NULL after error(). Its words, which comments may repeat, join those of s. */
static char *job_without(struct scrub *s, const char *name, const char *text, size_t len)
{
	static const char instead[] = "withheld";
	struct places where = { .n = 0 };
	struct arena mem = { 0 };
	const struct yaml *y = yaml_parse(&mem, text, len, name);
	char *out = NULL, *end;
	size_t from = 0;

	if (y && take_secrets(y, NULL, text, &where, s) == 0) {
		qsort(where.p, (size_t)where.n, sizeof(*where.p), by_place);
		out = end = xmalloc(len + sizeof(instead) * (size_t)(where.n + 1) + 1, 1);
		for (int i = 0; i < where.n; i++) {
			end = mempcpy(end, text + from, where.p[i].at - from);
			end = mempcpy(end, instead, strlen(instead));
			from = where.p[i].at + where.p[i].len;
		}
		memcpy(end, text + from, len - from + 1);
	}
	arena_release(&mem);
	return out;
}

/* ---- a whole bundle ---- */

static char *given_without(struct scrub *s, const struct bundle_entry *e, bool strict, size_t *len)
{
	const bool job = bundle_file_in(e->name, "job/");
	char *text = bundle_file_text(e), *left = job ? job_without(s, e->name, text, e->len) : NULL, *out = NULL;

	if (left || !job || !strict) {
		error_clear();
		out = scrub_text(s, left ? left : text, left ? strlen(left) : e->len, len);
	}
	free(left);
	free(text);
	return out;
}

static char *stored_without(const struct scrub *s, const struct bundle_entry *e, size_t *len)
{
	json_t *j = bundle_entry_json(e), *left = j ? json_without(s, e->name, j) : NULL;
	char *text = left ? json_pretty(left) : NULL;

	*len = text ? strlen(text) : 0;
	json_decref(left);
	json_decref(j);
	return text;
}

static int add_without(struct bundle_file *out, struct scrub *s, const struct bundle_entry *e, bool strict)
{
	const bool given = bundle_file_in(e->name, "job/") || bundle_file_in(e->name, "report/");
	size_t len = 0;
	char *text = given ? given_without(s, e, strict, &len) : stored_without(s, e, &len);

	if (text)
		bundle_file_add(out, e->name, text, len);
	free(text);
	return text ? 0 : -1;
}

int bundle_file_make_private(struct bundle_file *b, struct scrub *s, bool strict)
{
	struct bundle_file out = { .n = 0 };
	int ret = 0;

	for (int i = 0; i < b->n && !ret; i++) /* jobs come before reports: their words are known then */
		ret = add_without(&out, s, &b->e[i], strict);
	if (ret < 0) {
		bundle_file_release(&out);
		return -1;
	}
	out.manifest = json_incref(b->manifest);
	memcpy(out.hash, b->hash, sizeof(out.hash));
	bundle_file_release(b);
	*b = out;
	return 0;
}
