/* Stores. See store.h for the layout. Every file is published atomically, so a reader of a store that is being
 * written, or was left by a killed run, sees whole files only. */
#include "bench/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "bench/cell.h"

#define STORE_FORMAT 1
#define NAMES_MAX 2000000
#define JSON_MAX ((size_t)64 << 20)

struct store {
	char *dir;
	int lock; /* descriptor, -1: not held */
};

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
	return s->dir;
}

char *store_path(const struct store *s, const char *kind, const char *key)
{
	const struct kind *k = kind_of(kind);

	BUG_ON(!is_key(key, strlen(key)));
	if (k->fan)
		return xasprintf("%s/%s/%.2s/%s%s", s->dir, kind, key, key, k->ext);
	return xasprintf("%s/%s/%s%s", s->dir, kind, key, k->ext);
}

/* ---- open, lock, close ---- */

static int check_format(const char *path)
{
	json_t *j = json_read_file(path, 1 << 16);
	long long format = j ? jget_int(j, "format", 0) : 0;

	json_decref(j);
	if (!j)
		return -1;
	if (format != STORE_FORMAT)
		return error(EXIT_UNEVALUABLE, "%s: format %lld, but this lockbench reads format %d only", path, format,
			     STORE_FORMAT);
	return 0;
}

/* Only what an interrupted creation leaves behind? */
static int check_empty(const char *dir)
{
	size_t n;
	char **names = dir_list(dir, NAMES_MAX, &n);
	int ret = 0;

	if (!names)
		return -1;
	for (size_t i = 0; i < n && !ret; i++)
		if (strncmp(names[i], "store.json.tmp-", 15) != 0)
			ret = error(EXIT_UNEVALUABLE, "%s holds files (%s, ...) but is no store; give an empty or a new "
				    "directory", dir, names[i]);
	dir_list_free(names, n);
	return ret;
}

static int create_store(const char *dir, const char *path)
{
	json_t *j;
	int ret;

	if (file_mkdirs(dir) < 0 || check_empty(dir) < 0)
		return -1;
	j = json_object();
	jset_int(j, "format", STORE_FORMAT);
	jset_str(j, "created_by", "lockbench " LOCKBENCH_VERSION);
	ret = json_publish(path, j);
	json_decref(j);
	return ret;
}

struct store *store_open(const char *dir, bool create)
{
	char *path = path_join(dir, "store.json");
	struct store *s = NULL;
	int ret;

	if (file_exists(path))
		ret = check_format(path);
	else if (create)
		ret = create_store(dir, path);
	else
		ret = error(EXIT_UNEVALUABLE, "%s is no store: it has no store.json; `lockbench run JOB --store %s` makes one",
			    dir, dir);
	if (ret == 0) {
		s = xcalloc(1, sizeof(*s));
		s->dir = xstrdup(dir);
		s->lock = -1;
	}
	free(path);
	return s;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	if (s->lock >= 0)
		close(s->lock);
	free(s->dir);
	free(s);
}

/* Remove the temporary files that a killed run left in one directory. */
static void sweep_dir(const char *dir)
{
	size_t n;
	char **names;

	if (!file_exists(dir))
		return;
	names = dir_list(dir, NAMES_MAX, &n);
	if (!names) {
		error_clear();
		return;
	}
	for (size_t i = 0; i < n; i++) {
		char *path;

		if (!strstr(names[i], ".tmp-"))
			continue;
		path = path_join(dir, names[i]);
		unlink(path);
		free(path);
	}
	dir_list_free(names, n);
}

static void sweep(struct store *s)
{
	sweep_dir(s->dir);
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		char *dir = path_join(s->dir, kinds[k].name);

		sweep_dir(dir);
		for (int i = 0; i < 256 && kinds[k].fan; i++) {
			char *sub = xasprintf("%s/%02x", dir, i);

			sweep_dir(sub);
			free(sub);
		}
		free(dir);
	}
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

static int held_by_other(const char *dir, const char *path)
{
	size_t len;
	char *who;

	error_clear();
	who = file_read(path, 1 << 12, &len);
	error_clear();
	error(EXIT_TEMPORARY, "%s is in use by another run%s%.*s; wait for it, or give another --store", dir,
	      who && len ? ": " : "", who ? (int)strcspn(who, "\n") : 0, who ? who : "");
	free(who);
	return -1;
}

int store_lock(struct store *s)
{
	char *path = path_join(s->dir, "lock");

	s->lock = file_lock(path);
	if (s->lock >= 0) {
		note_holder(s->lock);
		sweep(s);
	} else if (error_code() == EXIT_TEMPORARY) {
		held_by_other(s->dir, path);
	}
	free(path);
	return s->lock >= 0 ? 0 : -1;
}

/* ---- files by key ---- */

static bool has(struct store *s, const char *kind, const char *key)
{
	char *path = store_path(s, kind, key);
	bool yes = file_exists(path);

	free(path);
	return yes;
}

/* The path of a key, its directory made. NULL after error(). */
static char *path_to_write(struct store *s, const char *kind, const char *key)
{
	char *path = store_path(s, kind, key), *slash = strrchr(path, '/');
	int ret;

	*slash = '\0';
	ret = file_mkdirs(path);
	*slash = '/';
	if (ret == 0)
		return path;
	free(path);
	return NULL;
}

static int put_json(struct store *s, const char *kind, const char *key, const json_t *j)
{
	char *path = path_to_write(s, kind, key);
	int ret = path ? json_publish(path, j) : -1;

	free(path);
	return ret;
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
	char hash[HASH_HEX];
	int ret;

	cell_hash(j, hash);
	jset_str(j, "sha256", hash);
	ret = put_json(s, "cells", key, j);
	json_decref(j);
	return ret;
}

static int check_cell(const char *path, const char *key, json_t *cell)
{
	char hash[HASH_HEX];

	if (!json_is_object(cell))
		return error(EXIT_UNEVALUABLE, "%s: not an object", path);
	if (strcmp(jget_str(cell, "key", ""), key) != 0)
		return error(EXIT_UNEVALUABLE, "%s: the key inside is not the file's name: damaged, or copied by hand", path);
	if (jget_int(cell, "schema", 0) != CELL_SCHEMA)
		return error(EXIT_UNEVALUABLE, "%s: schema %lld, but this lockbench reads %d", path,
			     jget_int(cell, "schema", 0), CELL_SCHEMA);
	cell_hash(cell, hash);
	if (strcmp(jget_str(cell, "sha256", ""), hash) != 0)
		return error(EXIT_UNEVALUABLE, "%s: damaged: its content does not match its sha256", path);
	return 0;
}

json_t *store_get_cell(struct store *s, const char *key)
{
	char *path = store_path(s, "cells", key);
	json_t *cell = json_read_file(path, JSON_MAX);

	if (cell && check_cell(path, key, cell) < 0) {
		json_decref(cell);
		cell = NULL;
	}
	free(path);
	return cell;
}

bool store_has_cell(struct store *s, const char *key)
{
	json_t *cell = has(s, "cells", key) ? store_get_cell(s, key) : NULL;

	if (!cell && error_code() != EXIT_YES) {
		warning("%s; it will be made again", error_text());
		error_clear();
	}
	json_decref(cell);
	return cell != NULL;
}

int store_check_cell(struct store *s, const char *key)
{
	char *path = store_path(s, "cells", key), *canonical;
	json_t *cell = store_get_cell(s, key);
	size_t len = 0;
	char *text = cell ? file_read(path, JSON_MAX, &len) : NULL;
	int ret = -1;

	if (text) {
		canonical = json_pretty(cell);
		ret = strlen(canonical) == len && !memcmp(canonical, text, len) ? 0 :
		      error(EXIT_UNEVALUABLE, "%s: not as lockbench wrote it (edited?)", path);
		free(canonical);
	}
	free(text);
	json_decref(cell);
	free(path);
	return ret;
}

int store_put_timing(struct store *s, const char *key, const json_t *timing)
{
	return put_json(s, "timing", key, timing);
}

/* Timing is a convenience: a file that cannot be read counts as none. */
json_t *store_get_timing(struct store *s, const char *key)
{
	char *path = store_path(s, "timing", key);
	bool before = error_code() != EXIT_YES;
	json_t *j = file_exists(path) ? json_read_file(path, JSON_MAX) : NULL;

	if (!j && !before)
		error_clear();
	free(path);
	return j;
}

int store_put_failure(struct store *s, const char *key, const json_t *failure)
{
	return put_json(s, "failures", key, failure);
}

void store_clear_failure(struct store *s, const char *key)
{
	char *path = store_path(s, "failures", key);

	unlink(path);
	free(path);
}

int store_put_run(struct store *s, const json_t *run)
{
	char *path = path_join(s->dir, "last-run.json");
	int ret = json_publish(path, run);

	free(path);
	return ret;
}

json_t *store_get_run(struct store *s)
{
	char *path = path_join(s->dir, "last-run.json");
	json_t *j = file_exists(path) ? json_read_file(path, JSON_MAX) : NULL;

	if (!j)
		error_clear();
	free(path);
	return j;
}

/* ---- walking ---- */

struct keys {
	char **v;
	size_t n, room;
};

static int list_dir(struct keys *k, const char *dir, const char *ext)
{
	size_t n, el = strlen(ext);
	char **names;

	if (!file_exists(dir))
		return 0;
	names = dir_list(dir, NAMES_MAX, &n);
	if (!names)
		return -1;
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(names[i]);

		if (len != HASH_HEX - 1 + el || !is_key(names[i], HASH_HEX - 1) || strcmp(names[i] + HASH_HEX - 1, ext) != 0)
			continue;
		if (k->n == k->room) {
			k->room = k->room ? 2 * k->room : 256;
			k->v = xrealloc(k->v, k->room, sizeof(*k->v));
		}
		names[i][HASH_HEX - 1] = '\0';
		k->v[k->n++] = xstrdup(names[i]);
	}
	dir_list_free(names, n);
	return 0;
}

char **store_keys(struct store *s, const char *kind, size_t *n)
{
	const struct kind *kd = kind_of(kind);
	char *dir = path_join(s->dir, kind);
	struct keys k = { xmalloc(1, sizeof(char *)), 0, 1 };
	int ret = kd->fan ? 0 : list_dir(&k, dir, kd->ext);

	for (int i = 0; i < 256 && kd->fan && !ret && file_exists(dir); i++) {
		char *sub = xasprintf("%s/%02x", dir, i);

		ret = list_dir(&k, sub, kd->ext);
		free(sub);
	}
	free(dir);
	*n = k.n;
	if (ret == 0)
		return k.v;
	dir_list_free(k.v, k.n);
	*n = 0;
	return NULL;
}

static json_t *read_kind(struct store *s, const char *kind, const char *key)
{
	char *path;
	json_t *j;

	if (!strcmp(kind, "cells"))
		return store_get_cell(s, key);
	path = store_path(s, kind, key);
	j = json_read_file(path, JSON_MAX);
	free(path);
	return j;
}

int store_each(struct store *s, const char *kind, int (*fn)(void *ctx, const char *key, const json_t *j), void *ctx)
{
	size_t n;
	char **keys = store_keys(s, kind, &n);
	int ret = 0;

	if (!keys)
		return -1;
	for (size_t i = 0; i < n && !ret; i++) {
		json_t *j = read_kind(s, kind, keys[i]);

		if (!j) {
			warning("%s; left out", error_text());
			error_clear();
			continue;
		}
		ret = fn(ctx, keys[i], j);
		json_decref(j);
	}
	dir_list_free(keys, n);
	return ret;
}

void store_hash(struct store *s, char out[65])
{
	size_t n;
	char **keys = store_keys(s, "cells", &n);
	struct hash h;

	hash_init(&h);
	for (size_t i = 0; keys && i < n; i++) {
		char *path = store_path(s, "cells", keys[i]);
		size_t len = 0;
		char *text = file_read(path, JSON_MAX, &len);

		hash_add(&h, keys[i], HASH_HEX);
		if (text)
			hash_add(&h, text, len);
		else
			error_clear(); /* store_each() warns of it */
		free(text);
		free(path);
	}
	hash_end_hex(&h, out);
	dir_list_free(keys, n);
}

/* ---- artefacts ---- */

bool store_has_artefact(struct store *s, const char *key)
{
	return has(s, "artefacts", key);
}

int store_put_artefact(struct store *s, const char *key, const struct bundle *b)
{
	char *path = path_to_write(s, "artefacts", key);
	struct bundle *copy;
	char hash[HASH_HEX];
	int ret;

	if (!path)
		return -1;
	copy = bundle_copy(b);
	json_object_del(copy->meta, "sha256");
	bundle_hash(copy, hash);
	bundle_meta(copy, "sha256", hash);
	ret = bundle_save(copy, path);
	bundle_free(copy);
	free(path);
	return ret;
}

/* Load and check; the member "sha256" is taken out. NULL after error(). */
static struct bundle *load_checked(const char *path)
{
	struct bundle *b = bundle_load(path);
	char want[HASH_HEX] = "", hash[HASH_HEX];
	const char *said;

	if (!b)
		return NULL;
	said = bundle_meta_get(b, "sha256");
	if (said)
		snprintf(want, sizeof(want), "%s", said);
	json_object_del(b->meta, "sha256");
	bundle_hash(b, hash);
	if (!strcmp(want, hash))
		return b;
	error(EXIT_UNEVALUABLE, "%s: damaged: its content does not match its sha256", path);
	bundle_free(b);
	return NULL;
}

static void move_aside(struct store *s, const char *key, const char *path)
{
	char *to = path_to_write(s, "damaged", key);

	error_clear();
	if (!to || rename(path, to) < 0)
		unlink(path);
	error_clear();
	free(to);
}

struct bundle *store_get_artefact(struct store *s, const char *key)
{
	char *path = store_path(s, "artefacts", key);
	struct bundle *b = file_exists(path) ? load_checked(path) : NULL;

	if (!b && error_code() != EXIT_YES && error_code() != EXIT_IO) {
		warning("%s; moved to %s/damaged, it will be made again", error_text(), s->dir);
		move_aside(s, key, path);
	}
	free(path);
	return b;
}

int store_check_artefact(struct store *s, const char *key)
{
	char *path = store_path(s, "artefacts", key);
	struct bundle *b = load_checked(path);
	int ret = b ? 0 : -1;

	bundle_free(b);
	free(path);
	return ret;
}
