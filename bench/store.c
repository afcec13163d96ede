/* Stores. See store.h for the layout. Every file is published atomically, so a reader of a store that is being
 * written, or was left by a killed run, sees whole files only. */
#include "bench/store_parts.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "bench/cell.h"
#include "bench/cellcheck.h"

#define STORE_FORMAT 1
#define NAMES_MAX 2000000

static const struct kind {
	const char *name, *ext;
	bool fan; /* files lie in 256 directories by the key's first byte */
} kinds[] = {
	{ "artefacts", ".safetensors", true },
	{ "cells", ".json", true },
	{ "damaged", ".safetensors", false },
	{ "failures", ".json", false },
	{ "timing", ".json", true }
};

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	bug(__FILE__, __LINE__, "unknown kind of store file");
}

static bool is_key(const char *s, size_t n)
{
	return n == HASH_HEX - 1 && strspn(s, "0123456789abcdef") >= n;
}

const char *store_dir(const struct store *s)
{
	return dir_name(s->dir);
}

const struct dir *store_folder(const struct store *s)
{
	return s->dir;
}

char *store_rel(const char *kind, const char *key)
{
	const struct kind *k = kind_of(kind);

	BUG_ON(!is_key(key, strlen(key)));
	if (k->fan)
		return xasprintf("%s/%.2s/%s%s", kind, key, key, k->ext);
	return xasprintf("%s/%s%s", kind, key, k->ext);
}

const char *store_rel_kind(const char *rel, char key[65])
{
	const char *slash = strrchr(rel, '/'), *name = slash ? slash + 1 : rel;

	key[0] = '\0';
	if (!strcmp(rel, "store.json") || !strcmp(rel, "last-run.json"))
		return "own";
	if (strspn(name, "0123456789abcdef") != HASH_HEX - 1)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const size_t n = strlen(kinds[i].name), folder = (size_t)(name - rel);

		if (strncmp(rel, kinds[i].name, n) != 0 || rel[n] != '/' ||
		    strcmp(name + HASH_HEX - 1, kinds[i].ext) != 0 ||
		    folder != (kinds[i].fan ? n + 4 : n + 1) ||
		    (kinds[i].fan && (strncmp(rel + n + 1, name, 2) != 0)) ||
		    !strcmp(kinds[i].name, "damaged"))
			continue;
		snprintf(key, HASH_HEX, "%.64s", name);
		return kinds[i].name;
	}
	return NULL;
}

char *store_path(const struct store *s, const char *kind, const char *key)
{
	char *rel = store_rel(kind, key), *path = dir_path(s->dir, rel);

	free(rel);
	return path;
}

/* ---- open, lock, close ---- */

static int check_format(const struct dir *d)
{
	json_t *j = json_read_in(d, "store.json", 1 << 16);
	long long format = j ? jget_int(j, "format", 0) : 0;

	json_decref(j);
	if (!j)
		return -1;
	if (format != STORE_FORMAT)
		return error(EXIT_UNEVALUABLE, "%s/store.json: format %lld, but this lockbench reads format %d only",
			     dir_name(d), format, STORE_FORMAT);
	return 0;
}

/* Only what an interrupted creation leaves behind? */
static int check_empty(const struct dir *d)
{
	size_t n;
	char **names;
	int ret = dir_names(d, "", NAMES_MAX, &names, &n) < 0 ? -1 : 0;

	for (size_t i = 0; i < n && !ret; i++)
		if (strncmp(names[i], "store.json.tmp-", 15) != 0)
			ret = error(EXIT_UNEVALUABLE,
				    "%s holds files (%s, ...) but is no store; give an empty or a new "
				    "directory", dir_name(d), names[i]);
	dir_list_free(names, n);
	return ret;
}

static int write_format(const struct dir *d)
{
	json_t *j = json_object();
	int ret;

	jset_int(j, "format", STORE_FORMAT);
	jset_str(j, "created_by", "lockbench " LOCKBENCH_VERSION);
	ret = json_publish_in(d, "store.json", j);
	json_decref(j);
	return ret;
}

static int create_store(const struct dir *d)
{
	return check_empty(d) < 0 ? -1 : write_format(d);
}

/* Without a store.json: is it a store all the same, by what lies in it? 1, 0, -1. */
static int looks_like_one(const struct dir *d)
{
	static const char *const names[] = { "cells", "artefacts", "timing", MANIFEST_NAME };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int there = dir_there(d, names[i], NULL);

		if (there)
			return there < 0 ? -1 : 1;
	}
	return 0;
}

/* 1: it has a store.json; 0: it is no store; -1 after error(), also when it is one that lost its own. */
static int is_store(const struct dir *d)
{
	int there = dir_there(d, "store.json", NULL), like;

	if (there)
		return there == DIR_FILE ? 1 : error(EXIT_UNEVALUABLE, "%s is no store: its store.json is a folder",
						     dir_name(d));
	like = looks_like_one(d);
	return like > 0 ? error(EXIT_UNEVALUABLE,
				"%s is a store that lost its store.json: `lockbench verify --repair %s` makes it again",
				dir_name(d), dir_name(d)) : like;
}

int store_there(const char *dir)
{
	struct dir *d;
	int ret = dir_find(dir, &d);

	if (ret == 1)
		ret = is_store(d);
	dir_close(d);
	return ret;
}

static struct store *store_of(struct dir *d)
{
	struct store *s = xcalloc(1, sizeof(*s));

	*s = (struct store){ .dir = d, .lock = -1 };
	return s;
}

struct store *store_open(const char *dir, bool create)
{
	struct dir *d = NULL;
	struct store *s = NULL;
	int there = dir_find(dir, &d), ret = there < 0 ? -1 : 0;

	if (there == 0 && create) /* private: it will hold secrets */
		ret = file_mkdirs_private(dir) == 0 && (d = dir_open(dir)) ? 0 : -1;
	if (ret == 0 && d)
		there = is_store(d);
	if (there < 0 || ret < 0)
		ret = -1;
	else if (there)
		ret = check_format(d);
	else if (create)
		ret = create_store(d);
	else
		ret = error(EXIT_UNEVALUABLE, "%s is no store: it has no store.json; `lockbench run JOB --store %s` "
					      "makes one",
			    dir, dir);
	if (ret == 0)
		s = store_of(d);
	else
		dir_close(d);
	return s;
}

/* A store.json that says another format is not lost: an older program must not touch what a newer one wrote. */
static bool is_lost(const struct dir *d)
{
	json_t *j;

	if (dir_there(d, "store.json", NULL) != DIR_FILE)
		return error_code() == EXIT_YES;
	j = json_read_in(d, "store.json", 1 << 16);
	json_decref(j);
	if (j || error_code() != EXIT_UNEVALUABLE)
		return false;
	error_clear();
	return true;
}

struct store *store_open_to_repair(const char *dir, bool *lost)
{
	struct dir *d = dir_open(dir);
	int like = d ? looks_like_one(d) : -1;

	*lost = like > 0 && is_lost(d);
	if (like < 0 || error_code() != EXIT_YES) {
		dir_close(d);
		return NULL;
	}
	if (*lost)
		return store_of(d);
	dir_close(d);
	return store_open(dir, false);
}

int store_make_again(struct store *s)
{
	return write_format(s->dir);
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->lock >= 0)
		close(s->lock);
	store_manifest_release(s);
	dir_close(s->dir);
	free(s);
}

/* Remove the temporary files that a killed run left in one folder. */
static int sweep_folder(const struct dir *d, const char *rel)
{
	size_t n;
	char **names;
	int ret = dir_names(d, rel, NAMES_MAX, &names, &n) < 0 ? -1 : 0;

	for (size_t i = 0; i < n && !ret; i++) {
		char *path;

		if (!strstr(names[i], ".tmp-"))
			continue;
		path = *rel ? path_join(rel, names[i]) : xstrdup(names[i]);
		ret = dir_remove(d, path) < 0 ? -1 : 0;
		free(path);
	}
	dir_list_free(names, n);
	return ret;
}

static int sweep(struct store *s)
{
	int ret = sweep_folder(s->dir, "");

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		if (ret == 0)
			ret = sweep_folder(s->dir, kinds[k].name);
		for (int i = 0; i < 256 && kinds[k].fan && ret == 0; i++) {
			char *sub = xasprintf("%s/%02x", kinds[k].name, i);

			ret = sweep_folder(s->dir, sub);
			free(sub);
		}
	}
	return ret;
}

static void note_holder(int fd)
{
	char text[300], host[256] = "?";
	int n;

	gethostname(host, sizeof(host) - 1);
	n = snprintf(text, sizeof(text), "process %ld on %s\n", (long)getpid(), host);
	/* For people only: who holds the lock is decided by flock. */
	if (ftruncate(fd, 0) < 0 || write(fd, text, (size_t)n) < 0)
		return;
}

static int held_by_other(const struct store *s)
{
	size_t len;
	char *who;

	error_clear();
	who = dir_read(s->dir, "lock", 1 << 12, &len);
	error_clear();
	error(EXIT_TEMPORARY, "%s is in use by another run%s%.*s; wait for it, or give another --store", store_dir(s),
	      who && len ? ": " : "", who ? (int)strcspn(who, "\n") : 0, who ? who : "");
	free(who);
	return -1;
}

int store_lock(struct store *s)
{
	s->lock = dir_lock(s->dir, "lock");
	if (s->lock < 0)
		return error_code() == EXIT_TEMPORARY ? held_by_other(s) : -1;
	note_holder(s->lock);
	s->writer = true;
	return sweep(s);
}

int store_lock_to_look(struct store *s)
{
	int there = dir_locked(s->dir, "lock");

	return there == 1 ? held_by_other(s) : there;
}

void store_work_for_run(struct store *s)
{
	s->writer = true;
}

/* ---- files by key ---- */

static int has(struct store *s, const char *kind, const char *key)
{
	char *rel = store_rel(kind, key);
	int there = dir_there(s->dir, rel, NULL);

	free(rel);
	return there;
}

int store_file_bytes(struct store *s, const char *kind, const char *key, uint64_t *bytes)
{
	char *rel = store_rel(kind, key);
	int there = dir_there(s->dir, rel, bytes);

	free(rel);
	return there;
}

int store_remove(struct store *s, const char *kind, const char *key)
{
	char *rel = store_rel(kind, key);
	int ret = dir_remove(s->dir, rel);

	free(rel);
	return ret;
}

static int put_json(struct store *s, const char *kind, const char *key, const json_t *j)
{
	char *rel = store_rel(kind, key);
	int ret = json_publish_in(s->dir, rel, j);

	free(rel);
	return ret;
}

/* A file that is no cell; key NULL: it belongs to none. NULL after error(). */
static json_t *read_note(struct store *s, const char *rel, const char *key, int (*check)(const json_t *), char *hash)
{
	size_t len;
	char *text = store_read(s, rel, NOTE_BYTES_MAX, &len, hash), *path = dir_path(s->dir, rel);
	json_t *j = text ? json_read_bounded(text, len, NOTE_VALUES_MAX, path) : NULL;

	free(path);
	free(text);
	if (!j)
		return NULL;
	if (key && strcmp(jget_str(j, "key", ""), key) != 0)
		error(EXIT_UNEVALUABLE, "%s/%s: the key inside is not the file's name: damaged, or copied by hand",
		      store_dir(s), rel);
	else if (check(j) == 0)
		return j;
	else
		error_prefix("%s/%s: damaged", store_dir(s), rel);
	json_decref(j);
	return NULL;
}

/* NULL without error() when it is not there. */
static json_t *read_if_there(struct store *s, const char *rel, const char *key, int (*check)(const json_t *))
{
	return dir_there(s->dir, rel, NULL) == DIR_FILE ? read_note(s, rel, key, check, NULL) : NULL;
}

/* What no result depends on (timing, failures, the last run): one that is damaged is warned of and counts as absent.
 * NULL without error() then, with error() when it cannot be read at all. */
static json_t *get_lesser(struct store *s, const char *rel, const char *key, int (*check)(const json_t *))
{
	json_t *j = read_if_there(s, rel, key, check);

	if (!j && error_code() == EXIT_UNEVALUABLE) {
		warning("%s; it counts as absent", error_text());
		error_clear();
	}
	return j;
}

static int (*check_of(const char *kind))(const json_t *)
{
	return !strcmp(kind, "timing") ? timing_check : failure_check;
}

static json_t *get_json(struct store *s, const char *kind, const char *key)
{
	char *rel = store_rel(kind, key);
	json_t *j = get_lesser(s, rel, key, check_of(kind));

	free(rel);
	return j;
}

/* The hash of a cell without its member "sha256", which is taken out and put back. */
static void cell_hash(json_t *cell, char out[HASH_HEX])
{
	json_t *kept = json_incref(json_object_get(cell, "sha256"));

	json_object_del(cell, "sha256");
	json_hash(cell, out);
	if (kept)
		jset(cell, "sha256", kept);
}

int store_put_cell(struct store *s, const char *key, const json_t *cell)
{
	json_t *j = json_copy((json_t *)(uintptr_t)cell); /* shallow: one member more */
	char hash[HASH_HEX], *text;
	int ret = cell_check(cell);

	cell_hash(j, hash);
	jset_str(j, "sha256", hash);
	text = json_pretty(j);
	if (ret == 0 && strlen(text) > CELL_BYTES_MAX)
		ret = error(EXIT_UNEVALUABLE, "a cell of %zu MiB; a store's are at most %zu MiB: fewer users, "
					      "credentials or tries",
			    strlen(text) >> 20, CELL_BYTES_MAX >> 20);
	if (ret == 0)
		ret = put_json(s, "cells", key, j);
	free(text);
	json_decref(j);
	return ret;
}

/* The hash of a cell's canonical text without the line of its "sha256", as cell_hash() has it: blanks outside of
 * texts go. Cheaper than to write the cell once more, which is what reading a large store would take most of its time
 * for. */
static void text_hash(const char *text, size_t len, char out[HASH_HEX])
{
	static const char own[] = "\n  \"sha256\": \"";
	const char *line = memmem(text, len, own, strlen(own));
	const char *end = line ? memchr(line + 1, '\n', len - (size_t)(line + 1 - text)) : NULL;
	char *packed = xmalloc(len + 1, 1);
	size_t n = 0;

	for (const char *p = text; p < text + len; p++) {
		if (p == line && end)
			p = end;
		if (*p == ' ' || *p == '\n')
			continue;
		packed[n++] = *p;
		if (*p != '"')
			continue;
		while (++p < text + len && *p != '"') {
			packed[n++] = *p;
			if (*p == '\\')
				packed[n++] = *++p;
		}
		packed[n++] = '"';
	}
	sha256_hex(packed, n, out);
	free(packed);
}

/* A cell file is the text that was written: what is there besides, however harmless, is not. */
static int check_cell(const char *path, const char *key, json_t *cell, const char *text, size_t len)
{
	char hash[HASH_HEX], *canonical;
	bool same;

	if (!json_is_object(cell))
		return error(EXIT_UNEVALUABLE, "%s: not an object", path);
	if (strcmp(jget_str(cell, "key", ""), key) != 0)
		return error(EXIT_UNEVALUABLE, "%s: the key inside is not the file's name: damaged, or copied by "
					       "hand", path);
	if (jget_int(cell, "schema", 0) != CELL_SCHEMA)
		return error(EXIT_UNEVALUABLE, "%s: schema %lld, but this lockbench reads %d", path,
			     jget_int(cell, "schema", 0), CELL_SCHEMA);
	canonical = json_pretty(cell);
	same = strlen(canonical) == len && !memcmp(canonical, text, len);
	free(canonical);
	if (!same)
		return error(EXIT_UNEVALUABLE, "%s: damaged: not as lockbench wrote it (edited?)", path);
	text_hash(text, len, hash);
	if (strcmp(jget_str(cell, "sha256", ""), hash) != 0)
		return error(EXIT_UNEVALUABLE, "%s: damaged: its content does not match its sha256", path);
	return cell_check(cell) < 0 ? error_prefix("%s: damaged", path) : 0;
}

json_t *store_cell_of(const char *text, size_t len, const char *key, const char *where)
{
	json_t *cell = json_read_bounded(text, len, CELL_VALUES_MAX, where);

	if (!cell || check_cell(where, key, cell, text, len) == 0)
		return cell;
	json_decref(cell);
	return NULL;
}

json_t *store_read_cell(struct store *s, const char *key, char *hash)
{
	char *rel = store_rel("cells", key), *path = dir_path(s->dir, rel);
	size_t len = 0;
	char *text = store_read(s, rel, CELL_BYTES_MAX, &len, hash);
	json_t *cell = text ? store_cell_of(text, len, key, path) : NULL;

	free(text);
	free(path);
	free(rel);
	return cell;
}

json_t *store_get_cell(struct store *s, const char *key)
{
	return store_read_cell(s, key, NULL);
}

int store_has_cell(struct store *s, const char *key)
{
	int there = has(s, "cells", key);
	json_t *cell = there > 0 ? store_get_cell(s, key) : NULL;

	if (there > 0 && !cell && error_code() == EXIT_UNEVALUABLE) {
		warning("%s; it will be made again", error_text());
		error_clear();
		there = 0;
	} else if (there > 0 && !cell) {
		there = -1;
	}
	json_decref(cell);
	return there < 0 ? -1 : there > 0;
}

int store_put_timing(struct store *s, const char *key, const json_t *timing)
{
	return put_json(s, "timing", key, timing);
}

json_t *store_get_timing(struct store *s, const char *key)
{
	return get_json(s, "timing", key);
}

json_t *store_read_timing(struct store *s, const char *key)
{
	char *rel = store_rel("timing", key);
	json_t *j = read_if_there(s, rel, key, timing_check);

	free(rel);
	return j;
}

int store_put_failure(struct store *s, const char *key, const json_t *failure)
{
	return put_json(s, "failures", key, failure);
}

json_t *store_get_failure(struct store *s, const char *key)
{
	return get_json(s, "failures", key);
}

int store_clear_failure(struct store *s, const char *key)
{
	return store_remove(s, "failures", key) < 0 ? -1 : 0;
}

int store_put_run(struct store *s, const json_t *run)
{
	return json_publish_in(s->dir, "last-run.json", run);
}

json_t *store_get_run(struct store *s)
{
	return get_lesser(s, "last-run.json", NULL, run_check);
}

json_t *store_read_run(struct store *s)
{
	return read_if_there(s, "last-run.json", NULL, run_check);
}

/* ---- walking ---- */

struct keys {
	char **v;
	size_t n, room;
};

static int list_folder(struct keys *k, const struct dir *d, const char *rel, const char *ext)
{
	size_t n, el = strlen(ext);
	char **names;
	int ret = dir_names(d, rel, NAMES_MAX, &names, &n) < 0 ? -1 : 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(names[i]);

		if (len != HASH_HEX - 1 + el || !is_key(names[i], HASH_HEX - 1) ||
		    strcmp(names[i] + HASH_HEX - 1, ext) != 0)
			continue;
		if (k->n == k->room) {
			k->room = k->room ? 2 * k->room : 256;
			k->v = xrealloc(k->v, k->room, sizeof(*k->v));
		}
		names[i][HASH_HEX - 1] = '\0';
		k->v[k->n++] = xstrdup(names[i]);
	}
	dir_list_free(names, n);
	return ret;
}

char **store_keys(struct store *s, const char *kind, size_t *n)
{
	const struct kind *kd = kind_of(kind);
	struct keys k = { xmalloc(1, sizeof(char *)), 0, 1 };
	int ret = kd->fan ? 0 : list_folder(&k, s->dir, kind, kd->ext);
	int there = kd->fan ? dir_there(s->dir, kind, NULL) : 0;

	if (there < 0 || (there == DIR_FILE && error(EXIT_IO, "cannot look into %s/%s: it is not a folder",
						     store_dir(s), kind)))
		ret = -1;
	for (int i = 0; i < 256 && there == DIR_FOLDER && !ret; i++) {
		char *sub = xasprintf("%s/%02x", kind, i);

		ret = list_folder(&k, s->dir, sub, kd->ext);
		free(sub);
	}
	*n = k.n;
	if (ret == 0)
		return k.v;
	dir_list_free(k.v, k.n);
	*n = 0;
	return NULL;
}

static json_t *read_kind(struct store *s, const char *kind, const char *key)
{
	char *rel;
	json_t *j;

	if (!strcmp(kind, "cells"))
		return store_get_cell(s, key);
	rel = store_rel(kind, key);
	j = read_note(s, rel, key, check_of(kind), NULL);
	free(rel);
	return j;
}

int store_each(struct store *s, const char *kind, int (*fn)(void *ctx, const char *key, const json_t *j),
	       int (*bad)(void *ctx, const char *key, const char *why), void *ctx)
{
	size_t n;
	char **keys = store_keys(s, kind, &n);
	int ret = 0;

	if (!keys)
		return -1;
	for (size_t i = 0; i < n && !ret; i++) {
		json_t *j = read_kind(s, kind, keys[i]);

		if (!j && error_code() != EXIT_UNEVALUABLE) {
			ret = -1;
		} else if (!j) {
			char *why = xstrdup(error_text());

			error_clear();
			ret = bad(ctx, keys[i], why);
			free(why);
		} else {
			ret = fn(ctx, keys[i], j);
		}
		json_decref(j);
	}
	dir_list_free(keys, n);
	return ret;
}

int store_hash(struct store *s, char out[65])
{
	size_t n;
	char **keys = store_keys(s, "cells", &n);
	int ret = keys ? 0 : -1;
	struct hash h;

	hash_init(&h);
	for (size_t i = 0; i < n && ret == 0; i++) {
		char *rel = store_rel("cells", keys[i]);
		size_t len = 0;
		char *text = dir_read(s->dir, rel, CELL_BYTES_MAX, &len);

		hash_add(&h, keys[i], HASH_HEX);
		if (text)
			hash_add(&h, text, len);
		else if (error_code() == EXIT_UNEVALUABLE)
			error_clear(); /* too large: whoever walked the cells has named it */
		else
			ret = -1;
		free(text);
		free(rel);
	}
	hash_end_hex(&h, out);
	dir_list_free(keys, n);
	return ret;
}

/* ---- artefacts ---- */

int store_has_artefact(struct store *s, const char *key)
{
	int there = has(s, "artefacts", key);

	return there < 0 ? -1 : there == DIR_FILE;
}

int store_put_artefact(struct store *s, const char *key, const struct bundle *b)
{
	char *rel = store_rel("artefacts", key);
	struct bundle *copy = bundle_copy(b);
	char hash[HASH_HEX];
	size_t len;
	void *file;
	int ret;

	json_object_del(copy->meta, "sha256");
	bundle_hash(copy, hash);
	bundle_meta(copy, "sha256", hash);
	file = bundle_encode(copy, &len);
	ret = dir_publish(s->dir, rel, file, len);
	free(file);
	bundle_free(copy);
	free(rel);
	return ret;
}

/* Load and check; the member "sha256" is taken out. raw: the file's own hash, NULL: not wanted, nor compared with the
 * manifest's (the one inside says enough of who only loads it). NULL after error(). */
static struct bundle *load_checked(struct store *s, const char *rel, char *raw)
{
	size_t len;
	char *file = raw ? store_read(s, rel, BUNDLE_FILE_LIMIT, &len, raw) :
		     dir_read(s->dir, rel, BUNDLE_FILE_LIMIT, &len);
	char *path = dir_path(s->dir, rel);
	struct bundle *b = file ? bundle_decode(file, len, path) : NULL;
	char want[HASH_HEX] = "", hash[HASH_HEX];
	const char *said;

	free(file);
	if (b) {
		said = bundle_meta_get(b, "sha256");
		snprintf(want, sizeof(want), "%s", said ? said : "");
		json_object_del(b->meta, "sha256");
		bundle_hash(b, hash);
		if (strcmp(want, hash) != 0) {
			error(EXIT_UNEVALUABLE, "%s: damaged: its content does not match its sha256", path);
			bundle_free(b);
			b = NULL;
		}
	}
	free(path);
	return b;
}

/* A damaged artefact is out of the way of the run that makes it again; whoever only reads changes nothing. */
static int move_aside(struct store *s, const char *key, const char *rel)
{
	char *to;
	int ret;

	if (!s->writer) {
		warning("%s; it counts as absent", error_text());
		error_clear();
		return 0;
	}
	warning("%s; moved to %s/damaged, it will be made again", error_text(), store_dir(s));
	error_clear();
	to = store_rel("damaged", key);
	ret = dir_move(s->dir, rel, to);
	free(to);
	return ret;
}

struct bundle *store_get_artefact(struct store *s, const char *key)
{
	char *rel = store_rel("artefacts", key);
	struct bundle *b = has(s, "artefacts", key) == DIR_FILE ? load_checked(s, rel, NULL) : NULL;

	if (!b && error_code() == EXIT_UNEVALUABLE)
		move_aside(s, key, rel);
	free(rel);
	return b;
}

struct bundle *store_read_artefact(struct store *s, const char *key)
{
	char *rel = store_rel("artefacts", key);
	struct bundle *b = has(s, "artefacts", key) == DIR_FILE ? load_checked(s, rel, NULL) : NULL;

	free(rel);
	return b;
}

/* ---- is every byte what was written ---- */

static int check_artefact(struct store *s, const char *rel, char *hash)
{
	struct bundle *b = load_checked(s, rel, hash);
	int ret = b ? 0 : -1;

	bundle_free(b);
	return ret;
}

int store_check(struct store *s, const char *kind, const char *key, char hash[65])
{
	char *rel = store_rel(kind, key);
	json_t *j = NULL;
	int ret;

	if (!strcmp(kind, "artefacts")) {
		ret = check_artefact(s, rel, hash);
	} else {
		j = !strcmp(kind, "cells") ? store_read_cell(s, key, hash) :
			read_note(s, rel, key, check_of(kind), hash);
		ret = j ? 0 : -1;
	}
	json_decref(j);
	free(rel);
	return ret;
}

static int format_check(const json_t *j)
{
	return jget_int(j, "format", 0) == STORE_FORMAT ? 0 :
	       error(EXIT_UNEVALUABLE, "format %lld, but this lockbench reads format %d only",
		     jget_int(j, "format", 0), STORE_FORMAT);
}

int store_check_own(struct store *s, const char *rel, char hash[65])
{
	json_t *j = read_note(s, rel, NULL, !strcmp(rel, "store.json") ? format_check : run_check, hash);
	int ret = j ? 0 : -1;

	json_decref(j);
	return ret;
}

int store_check_cell(struct store *s, const char *key)
{
	char hash[HASH_HEX];

	return store_check(s, "cells", key, hash);
}

int store_check_artefact(struct store *s, const char *key)
{
	char hash[HASH_HEX];

	return store_check(s, "artefacts", key, hash);
}
