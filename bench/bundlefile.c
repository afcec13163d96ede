/* The files of a study bundle and its manifest. See bundlefile.h; its other functions are in bundlefile_write.c,
 * _read.c and _merge.c. */
#include "bench/bundlefile_parts.h"

#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "bench/cell.h"
#include "bench/cellcheck.h"
#include "bench/withhold.h"

/* ---- entries ---- */

void bundle_file_release(struct bundle_file *b)
{
	for (int i = 0; i < b->n; i++) {
		free(b->e[i].name);
		free(b->e[i].packed);
	}
	free(b->e);
	json_decref(b->manifest);
	*b = (struct bundle_file){ 0 };
}

static int by_name(const void *a, const void *b)
{
	const struct bundle_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

bool bundle_file_in(const char *name, const char *folder)
{
	return !strncmp(name, folder, strlen(folder));
}

const struct bundle_entry *bundle_file_named(const struct bundle_file *b, const char *name)
{
	struct bundle_entry key = { .name = (char *)(uintptr_t)name };

	return b->n ? bsearch(&key, b->e, (size_t)b->n, sizeof(key), by_name) : NULL;
}

/* ---- which paths there are ---- */

static bool is_key_file(const char *s)
{
	return strspn(s, "0123456789abcdef") == BUNDLE_KEY_LEN && !strcmp(s + BUNDLE_KEY_LEN, ".json");
}

bool bundle_file_path_ok(const char *name)
{
	static const char *const fans[] = { "cells/", "timing/" }, *const flat[] = { "job/", "report/" };

	for (size_t i = 0; i < ARRAY_LEN(fans); i++)
		if (bundle_file_in(name, fans[i])) {
			const char *rest = name + strlen(fans[i]);

			return strlen(rest) > 3 && rest[2] == '/' && is_key_file(rest + 3) && !strncmp(rest, rest + 3, 2);
		}
	if (bundle_file_in(name, "failures/"))
		return is_key_file(name + 9);
	for (size_t i = 0; i < ARRAY_LEN(flat); i++)
		if (bundle_file_in(name, flat[i]))
			return tar_name_ok(name) && !strchr(name + strlen(flat[i]), '/');
	return !strcmp(name, "store.json") || !strcmp(name, "last-run.json");
}

size_t bundle_file_most(const char *name)
{
	if (!strcmp(name, "MANIFEST.json"))
		return BUNDLE_MANIFEST_MAX;
	if (bundle_file_in(name, "job/") || bundle_file_in(name, "report/"))
		return TAR_FILE_MAX;
	return bundle_file_in(name, "cells/") ? CELL_BYTES_MAX : NOTE_BYTES_MAX;
}

int bundle_file_sort(struct bundle_file *b, const char *where)
{
	if (b->n)
		qsort(b->e, (size_t)b->n, sizeof(*b->e), by_name);
	for (int i = 1; i < b->n; i++)
		if (!strcmp(b->e[i - 1].name, b->e[i].name))
			return error(EXIT_UNEVALUABLE, "%s: holds a file twice: %s", where, b->e[i].name);
	return 0;
}

char (*bundle_file_keys(const struct bundle_file *b, int *n))[65]
{
	char (*keys)[65] = xmalloc((size_t)b->n + 1, sizeof(*keys));

	*n = 0;
	for (int i = 0; i < b->n; i++)
		if (bundle_file_in(b->e[i].name, "cells/"))
			snprintf(keys[(*n)++], 65, "%.64s", b->e[i].name + 9);
	return keys;
}

/* The key that a file's name says; "": it says none. */
static void key_of(const char *name, char key[HASH_HEX])
{
	const char *slash = strrchr(name, '/');

	snprintf(key, HASH_HEX, "%s", slash ? slash + 1 : "");
}

/* Members, names and shapes as a store's reader wants them. */
static int check_note(const char *name, const char *key, const json_t *j)
{
	static const struct { const char *folder; int (*check)(const json_t *); } kinds[] = {
		{ "failures/", failure_check }, { "timing/", timing_check }, { "last-run.json", run_check }
	};

	if (*key && strcmp(jget_str(j, "key", ""), key) != 0)
		return error(EXIT_UNEVALUABLE, "%s: the key inside is not the file's name", name);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (bundle_file_in(name, kinds[i].folder))
			return kinds[i].check(j) < 0 ? error_prefix("%s", name) : 0;
	return 0;
}

json_t *bundle_entry_json(const struct bundle_entry *e)
{
	char *text = bundle_file_text(e), key[HASH_HEX];
	const bool cell = bundle_file_in(e->name, "cells/");
	json_t *j;

	key_of(e->name, key);
	j = cell ? store_cell_of(text, e->len, key, e->name) : json_read_bounded(text, e->len, CELL_VALUES_MAX, e->name);
	free(text);
	if (!j || cell || check_note(e->name, key, j) == 0)
		return j;
	json_decref(j);
	return NULL;
}

json_t *bundle_file_json(const struct bundle_file *b, const char *folder)
{
	json_t *all = json_array();

	for (int i = 0; i < b->n; i++) {
		json_t *j;

		if (!bundle_file_in(b->e[i].name, folder))
			continue;
		j = bundle_entry_json(&b->e[i]);
		if (!j) {
			json_decref(all);
			return NULL;
		}
		json_array_append_new(all, j);
	}
	return all;
}

/* ---- the manifest ---- */

/* A sorted set of values: as an object, and at the end as an array. */
static void note(json_t *set, const json_t *value)
{
	char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

	if (text)
		json_object_set(set, text, (json_t *)(uintptr_t)value);
	free(text);
}

static int by_text(const void *a, const void *b)
{
	const size_t n = strlen(*(const char *const *)a), m = strlen(*(const char *const *)b);

	return n != m ? (n > m) - (n < m) : strcmp(*(const char *const *)a, *(const char *const *)b); /* so that 2 is before 10 */
}

static json_t *set_array(const json_t *set)
{
	const char **names = xmalloc(json_object_size(set) + 1, sizeof(*names)), *name;
	json_t *list = json_array(), *v;
	size_t n = 0;

	json_object_foreach((json_t *)(uintptr_t)set, name, v)
		names[n++] = name;
	qsort(names, n, sizeof(*names), by_text);
	for (size_t i = 0; i < n; i++)
		json_array_append(list, json_object_get(set, names[i]));
	free(names);
	return list;
}

static void note_version(json_t *of, const char *name, const json_t *version)
{
	json_t *set = json_object_get(of, name);

	if (!set)
		jset(of, name, set = json_object());
	note(set, version);
}

static void versions_to_arrays(json_t *of)
{
	const char *name;
	json_t *set;
	void *tmp;

	json_object_foreach_safe(of, tmp, name, set)
		jset(of, name, set_array(set));
}

static const char *const sets[][2] = { { "engines", "engine" }, { "kernels", "kernel" }, { "models", "model" },
				       { "tiers", "tier" }, { "seeds", "seed" } };

static void describe_cell(json_t *m, const json_t *c)
{
	for (size_t s = 0; s < ARRAY_LEN(sets); s++)
		note(json_object_get(m, sets[s][0]), json_object_get(c, sets[s][1]));
	jset_str(json_object_get(m, "datasets"), jget_str(c, "dataset", "?"), jget_str(c, "dataset_hash", ""));
	note_version(json_object_get(m, "schemes"), jget_str(c, "scheme", "?"), json_object_get(c, "scheme_version"));
	note_version(json_object_get(m, "attacks"), jget_str(c, "attack", "none"),
		     json_object_get(c, "attack_version"));
	withheld_note(json_object_get(m, "withheld"), c);
	jset_int(m, "cells", jget_int(m, "cells", 0) + 1);
}

/* What the cells stand on. One is in memory at a time. */
static int describe(json_t *m, const struct bundle_file *b)
{
	static const char *const maps[] = { "datasets", "schemes", "attacks" };

	jset_int(m, "cells", 0);
	for (size_t i = 0; i < ARRAY_LEN(maps); i++)
		jset(m, maps[i], json_object());
	for (size_t s = 0; s < ARRAY_LEN(sets); s++)
		jset(m, sets[s][0], json_object());
	jset(m, "withheld", json_object());
	for (int i = 0; i < b->n; i++) {
		const bool cell = bundle_file_in(b->e[i].name, "cells/");
		json_t *c;

		if (!cell && !bundle_file_in(b->e[i].name, "failures/"))
			continue;
		c = bundle_entry_json(&b->e[i]);
		if (!c)
			return -1;
		if (cell)
			describe_cell(m, c);
		else
			withheld_note(json_object_get(m, "withheld"), json_object_get(c, "point"));
		json_decref(c);
	}
	for (size_t s = 0; s < ARRAY_LEN(sets); s++)
		jset(m, sets[s][0], set_array(json_object_get(m, sets[s][0])));
	versions_to_arrays(json_object_get(m, "schemes"));
	versions_to_arrays(json_object_get(m, "attacks"));
	versions_to_arrays(json_object_get(m, "withheld"));
	return 0;
}

/* Its hash, and whether readers will take it: a merge may have found more conflicts than they do. */
static int hash_manifest(struct bundle_file *b)
{
	char *text = json_pretty(b->manifest);
	const size_t len = strlen(text);
	json_t *again = json_read_bounded(text, len, BUNDLE_MANIFEST_VALUES, "MANIFEST.json");
	int ret = again && len <= BUNDLE_MANIFEST_MAX ? 0 :
		  error(EXIT_UNEVALUABLE, "a manifest of %zu bytes with %zu conflicts: bundle or merge parts of it", len,
			json_array_size(json_object_get(b->manifest, "conflicts")));

	sha256_hex(text, len, b->hash);
	json_decref(again);
	free(text);
	return ret;
}

int bundle_file_make_manifest(struct bundle_file *b, json_t *sources, json_t *conflicts)
{
	json_t *files = json_object();
	int ret = bundle_file_sort(b, "the bundle");

	b->manifest = json_object();
	for (int i = 0; i < b->n; i++)
		jset_str(files, b->e[i].name, b->e[i].hash);
	jset_str(b->manifest, "lockbench", LOCKBENCH_VERSION);
	jset(b->manifest, "files", files);
	jset(b->manifest, "sources", sources);
	jset(b->manifest, "conflicts", conflicts);
	if (ret < 0 || describe(b->manifest, b) < 0)
		return -1;
	if (!json_object_size(json_object_get(b->manifest, "withheld")))
		json_object_del(b->manifest, "withheld");
	jset_int(b->manifest, "bundle", json_object_get(b->manifest, "withheld") ? BUNDLE_FORMAT : 1);
	return hash_manifest(b);
}

static size_t total(const struct bundle_file *b)
{
	size_t sum = 0;

	for (int i = 0; i < b->n; i++)
		sum += b->e[i].len + 1024; /* header and padding; and a line of the manifest */
	return sum;
}

int bundle_file_check_size(const struct bundle_file *b)
{
	if (total(b) > BUNDLE_FILE_MAX || b->n > BUNDLE_ENTRIES_MAX)
		return error(EXIT_UNEVALUABLE, "%d files of %.1f MiB: a bundle holds at most %d files of %zu MiB; bundle parts of the study", b->n,
			     (double)total(b) / 1048576, BUNDLE_ENTRIES_MAX, BUNDLE_FILE_MAX >> 20);
	return 0;
}
