/* The manifest of a store: what is read is compared with it, what is written is entered. See manifest.h, store.h. */
#include "bench/store_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/progress.h"

#define RELOADS_MAX 16
#define TRIES 3

/* ---- reading ---- */

void store_manifest_release(struct store *s)
{
	manifest_free(s->listed);
	free(s->listed_bad);
	s->listed = NULL;
	s->listed_bad = NULL;
	s->looked = false;
}

/* 0, or -1 after error() when nobody can tell. A damaged one is none here; store_listed() names it. */
static int look(struct store *s)
{
	if (s->looked)
		return 0;
	if (manifest_read(s->dir, &s->listed) < 0) {
		if (error_code() != EXIT_UNEVALUABLE)
			return -1;
		s->listed_bad = xstrdup(error_text());
		error_clear();
	}
	s->looked = true;
	return 0;
}

int store_listed(struct store *s, const struct manifest **m)
{
	*m = NULL;
	if (look(s) < 0)
		return -1;
	if (s->listed_bad)
		return error(EXIT_UNEVALUABLE, "%s", s->listed_bad);
	*m = s->listed;
	return s->listed != NULL;
}

int store_listed_again(struct store *s, const struct manifest **m)
{
	store_manifest_release(s);
	return store_listed(s, m);
}

/* A run may be at work: it publishes a new manifest before it changes a file and after, so that a file and the
 * manifest that were both read anew agree, or the file is not listed. */
char *store_read(struct store *s, const char *rel, size_t max, size_t *len, char *hash)
{
	char got[HASH_HEX];

	for (int i = 0; i < TRIES; i++) {
		const char *want;
		char *text;

		if (look(s) < 0)
			return NULL;
		want = manifest_hash(s->listed, rel);
		text = dir_read(s->dir, rel, max, len);
		if (!text || (!want && !hash))
			return text;
		sha256_hex(text, *len, got);
		if (hash)
			memcpy(hash, got, sizeof(got));
		if (!want || !strcmp(want, got))
			return text;
		free(text);
		if (s->reloads++ >= RELOADS_MAX)
			break;
		store_manifest_release(s);
	}
	error(EXIT_UNEVALUABLE, "%s/%s: damaged: not the file that %s lists", store_dir(s), rel, MANIFEST_NAME);
	return NULL;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of n keys that were listed and not found, those that still are and cannot be: a run may have been at work. */
static int confirm_missing(struct store *s, const char *kind, char *const *gone, size_t n,
			   int (*fn)(void *ctx, const char *key), void *ctx)
{
	const struct manifest *m;
	int ret;

	store_manifest_release(s);
	ret = look(s);
	m = s->listed;
	for (size_t i = 0; i < n && ret == 0; i++) {
		char *rel = store_rel(kind, gone[i]);
		int there = manifest_hash(m, rel) ? dir_there(s->dir, rel, NULL) : 1;

		ret = there > 0 ? 0 : there < 0 ? -1 : fn(ctx, gone[i]);
		free(rel);
	}
	return ret;
}

int store_missing(struct store *s, const char *kind, char *const *keys, size_t n,
		  int (*fn)(void *ctx, const char *key), void *ctx)
{
	const struct manifest *m;
	int ret = look(s);
	char **gone = NULL;
	size_t ngone = 0;

	m = s->listed;
	for (size_t i = 0; m && i < manifest_count(m); i++) {
		const char *path = manifest_path(m, i);
		char key[HASH_HEX], *at = key;

		if (!path || strncmp(path, kind, strlen(kind)) != 0 || path[strlen(kind)] != '/')
			continue;
		snprintf(key, sizeof(key), "%.64s", strrchr(path, '/') + 1);
		if (n && bsearch(&at, keys, n, sizeof(*keys), by_key))
			continue;
		gone = xrealloc(gone, ngone + 1, sizeof(*gone));
		gone[ngone++] = xstrdup(key);
	}
	ret = ret < 0 ? -1 : ngone ? confirm_missing(s, kind, gone, ngone, fn, ctx) : 0;
	dir_list_free(gone, ngone);
	return ret;
}

/* ---- writing ---- */

int store_move_aside(struct store *s, const char *rel, char **to)
{
	char key[HASH_HEX];
	const char *kind = store_rel_kind(rel, key), *dot = strrchr(rel, '.');

	BUG_ON(!s->writer || !kind || !dot);
	if (!strcmp(kind, "own"))
		*to = xasprintf("damaged/%s", rel);
	else if (!strcmp(kind, "timing") || !strcmp(kind, "failures"))
		*to = xasprintf("damaged/%s.%s%s", key, kind, dot);
	else
		*to = xasprintf("damaged/%s%s", key, dot);
	return dir_move(s->dir, rel, *to);
}

struct manifest *store_manifest(struct store *s)
{
	BUG_ON(!s->writer);
	if (look(s) < 0)
		return NULL;
	if (s->listed_bad) {
		warning("%s; a new one will be written: what it said of files that are gone is lost", s->listed_bad);
		free(s->listed_bad);
		s->listed_bad = NULL;
	}
	if (!s->listed)
		s->listed = manifest_new();
	return s->listed;
}

int store_publish_manifest(struct store *s)
{
	int ret = s->listed ? manifest_publish(s->listed, s->dir) : 0;

	store_manifest_release(s);
	return ret;
}

void manifest_drop_kind(struct manifest *m, const char *kind, const char *key, bool *any)
{
	char *rel = store_rel(kind, key);

	*any |= manifest_drop(m, rel);
	free(rel);
}

/* Enter one file, if it is what it should be. 0, or -1 after error() when it cannot be read at all. */
static int enter(struct store *s, struct manifest *m, const char *rel, const char *kind, const char *key)
{
	char hash[HASH_HEX];

	if (manifest_hash(m, rel))
		return 0;
	if ((*key ? store_check(s, kind, key, hash) : store_check_own(s, rel, hash)) == 0) {
		manifest_add(m, rel, hash);
		return 0;
	}
	if (error_code() != EXIT_UNEVALUABLE)
		return -1;
	error_clear(); /* absent, or damaged, which `verify` says: no manifest vouches for it */
	return 0;
}

static int enter_kind(struct store *s, struct manifest *m, const char *kind, double until)
{
	size_t n;
	char **keys = store_keys(s, kind, &n);
	int ret = keys ? 0 : -1;

	for (size_t i = 0; i < n && ret == 0 && !(until > 0 && now_seconds() > until); i++) {
		char *rel = store_rel(kind, keys[i]);

		ret = enter(s, m, rel, kind, keys[i]);
		free(rel);
	}
	dir_list_free(keys, n);
	return ret;
}

int store_settle(struct store *s, double seconds)
{
	static const char *const kinds[] = { "cells", "timing", "failures", "artefacts" };
	const double until = seconds > 0 ? now_seconds() + seconds : 0;
	struct manifest *m = store_manifest(s);
	int ret = m ? 0 : -1;

	if (ret == 0)
		ret = enter(s, m, "store.json", "own", "");
	if (ret == 0)
		ret = enter(s, m, "last-run.json", "own", "");
	for (size_t i = 0; i < ARRAY_LEN(kinds) && ret == 0; i++)
		ret = enter_kind(s, m, kinds[i], until);
	return ret == 0 ? store_publish_manifest(s) : -1;
}
