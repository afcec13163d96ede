/* Study bundles. See bundlefile.h. */
#include "bench/bundlefile.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "bench/cell.h"

#define BUNDLE_FORMAT 1
#define FILE_MAX ((size_t)64 << 20) /* of one file in it; as store.c reads */
#define FILES_MAX 400000

/* ---- entries ---- */

static void add_entry(struct bundle_file *b, const char *name, char *data, size_t len)
{
	struct bundle_entry *e;

	if ((b->n & (b->n - 1)) == 0) /* 0 or a power of two: full */
		b->e = xrealloc(b->e, b->n ? 2 * (size_t)b->n : 1, sizeof(*b->e));
	e = &b->e[b->n++];
	snprintf(e->name, sizeof(e->name), "%s", name);
	e->data = data;
	e->len = len;
}

static char *copy_bytes(const char *data, size_t len)
{
	char *copy = xmalloc(len + 1, 1);

	memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

void bundle_file_release(struct bundle_file *b)
{
	for (int i = 0; i < b->n; i++)
		free(b->e[i].data);
	free(b->e);
	json_decref(b->manifest);
	*b = (struct bundle_file){ 0 };
}

static int by_name(const void *a, const void *b)
{
	const struct bundle_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool in_folder(const char *name, const char *folder)
{
	return !strncmp(name, folder, strlen(folder));
}

static const struct bundle_entry *entry_named(const struct bundle_file *b, const char *name)
{
	struct bundle_entry key;

	snprintf(key.name, sizeof(key.name), "%s", name);
	return b->n ? bsearch(&key, b->e, (size_t)b->n, sizeof(key), by_name) : NULL;
}

/* ---- which paths there are ---- */

#define KEY_LEN 64

static bool is_key_file(const char *s)
{
	return strspn(s, "0123456789abcdef") == KEY_LEN && !strcmp(s + KEY_LEN, ".json");
}

static bool path_ok(const char *name)
{
	static const char *const fans[] = { "cells/", "timing/" }, *const flat[] = { "job/", "report/" };

	for (size_t i = 0; i < ARRAY_LEN(fans); i++)
		if (in_folder(name, fans[i])) {
			const char *rest = name + strlen(fans[i]);

			return strlen(rest) > 3 && rest[2] == '/' && is_key_file(rest + 3) && !strncmp(rest, rest + 3, 2);
		}
	if (in_folder(name, "failures/"))
		return is_key_file(name + 9);
	for (size_t i = 0; i < ARRAY_LEN(flat); i++)
		if (in_folder(name, flat[i]))
			return tar_name_ok(name) && !strchr(name + strlen(flat[i]), '/');
	return !strcmp(name, "store.json") || !strcmp(name, "last-run.json");
}

char (*bundle_file_keys(const struct bundle_file *b, int *n))[65]
{
	char (*keys)[65] = xmalloc((size_t)b->n + 1, sizeof(*keys));

	*n = 0;
	for (int i = 0; i < b->n; i++)
		if (in_folder(b->e[i].name, "cells/"))
			snprintf(keys[(*n)++], 65, "%.64s", b->e[i].name + 9);
	return keys;
}

json_t *bundle_file_json(const struct bundle_file *b, const char *folder)
{
	json_t *all = json_array();

	for (int i = 0; i < b->n; i++) {
		json_t *j;

		if (!in_folder(b->e[i].name, folder))
			continue;
		j = json_read_text(b->e[i].data, b->e[i].len, b->e[i].name);
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

/* What the cells stand on. */
static void describe(json_t *m, const json_t *cells)
{
	static const char *const sets[][2] = { { "engines", "engine" }, { "kernels", "kernel" }, { "models", "model" }, { "tiers", "tier" },
					       { "seeds", "seed" } };
	json_t *datasets = json_object(), *schemes_of = json_object(), *attacks_of = json_object();
	const json_t *c;
	size_t i;

	for (size_t s = 0; s < ARRAY_LEN(sets); s++) {
		json_t *set = json_object();

		json_array_foreach(cells, i, c)
			note(set, json_object_get(c, sets[s][1]));
		jset(m, sets[s][0], set_array(set));
		json_decref(set);
	}
	json_array_foreach(cells, i, c) {
		jset_str(datasets, jget_str(c, "dataset", "?"), jget_str(c, "dataset_hash", ""));
		note_version(schemes_of, jget_str(c, "scheme", "?"), json_object_get(c, "scheme_version"));
		note_version(attacks_of, jget_str(c, "attack", "none"), json_object_get(c, "attack_version"));
	}
	versions_to_arrays(schemes_of);
	versions_to_arrays(attacks_of);
	jset(m, "datasets", datasets);
	jset(m, "schemes", schemes_of);
	jset(m, "attacks", attacks_of);
	jset_int(m, "cells", (long long)json_array_size(cells));
}

static void hash_manifest(struct bundle_file *b)
{
	char *text = json_pretty(b->manifest);

	sha256_hex(text, strlen(text), b->hash);
	free(text);
}

/* Sorts the entries; extra: members to put in besides (stolen). */
static int make_manifest(struct bundle_file *b, json_t *sources, json_t *conflicts)
{
	json_t *files = json_object(), *cells;
	char hash[HASH_HEX];

	qsort(b->e, (size_t)b->n, sizeof(*b->e), by_name);
	b->manifest = json_object();
	for (int i = 0; i < b->n; i++) {
		sha256_hex(b->e[i].data, b->e[i].len, hash);
		jset_str(files, b->e[i].name, hash);
	}
	jset_int(b->manifest, "bundle", BUNDLE_FORMAT);
	jset_str(b->manifest, "lockbench", LOCKBENCH_VERSION);
	jset(b->manifest, "files", files);
	jset(b->manifest, "sources", sources);
	jset(b->manifest, "conflicts", conflicts);
	cells = bundle_file_json(b, "cells/");
	if (!cells)
		return -1;
	describe(b->manifest, cells);
	json_decref(cells);
	hash_manifest(b);
	return 0;
}

/* ---- from a store ---- */

static int add_file(struct bundle_file *b, const char *name, const char *path)
{
	size_t len;
	char *data;

	if (!path_ok(name))
		return error(EXIT_UNEVALUABLE, "%s: a bundle cannot hold a file named '%s'; use letters, digits, points and dashes", path, name);
	data = file_read(path, FILE_MAX, &len);
	if (!data)
		return -1;
	add_entry(b, name, data, len);
	return 0;
}

static int add_kind(struct bundle_file *b, struct store *st, const char *kind, bool fan)
{
	size_t n;
	char **keys = store_keys(st, kind, &n), name[TAR_NAME_MAX + 1];
	int ret = keys ? 0 : -1;

	for (size_t i = 0; i < n && !ret; i++) {
		char *path = store_path(st, kind, keys[i]);

		if (!strcmp(kind, "cells") && store_check_cell(st, keys[i]) < 0)
			ret = error_prefix("no bundle of a damaged store (`lockbench verify` lists what is wrong)");
		snprintf(name, sizeof(name), "%s/%.2s%s%s.json", kind, fan ? keys[i] : "", fan ? "/" : "", keys[i]);
		if (!ret)
			ret = add_file(b, name, path);
		free(path);
	}
	if (keys)
		dir_list_free(keys, n);
	return ret;
}

static int add_given(struct bundle_file *b, const char *folder, const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	char *name;
	int ret;

	if (!path)
		return 0;
	name = xasprintf("%s/%s", folder, slash ? slash + 1 : path);
	ret = add_file(b, name, path);
	free(name);
	return ret;
}

static int add_own(struct bundle_file *b, const struct store *st, const char *name)
{
	char *path = path_join(store_dir(st), name);
	int ret = file_exists(path) ? add_file(b, name, path) : 0;

	free(path);
	return ret;
}

static size_t total(const struct bundle_file *b)
{
	size_t sum = 0;

	for (int i = 0; i < b->n; i++)
		sum += b->e[i].len + 1024; /* header and padding; and a line of the manifest */
	return sum;
}

static int check_size(const struct bundle_file *b)
{
	if (total(b) > BUNDLE_FILE_MAX || b->n > FILES_MAX)
		return error(EXIT_UNEVALUABLE, "%d files of %.1f MiB: a bundle holds at most %d files of %zu MiB; bundle parts of the study", b->n,
			     (double)total(b) / 1048576, FILES_MAX, BUNDLE_FILE_MAX >> 20);
	return 0;
}

int bundle_file_collect(struct bundle_file *b, struct store *st, const char *job, const char *report)
{
	*b = (struct bundle_file){ 0 };
	if (add_kind(b, st, "cells", true) == 0 && b->n == 0)
		error(EXIT_UNEVALUABLE, "%s holds no cells yet", store_dir(st));
	else if (error_code() == EXIT_YES && add_kind(b, st, "timing", true) == 0 &&
		 add_kind(b, st, "failures", false) == 0 && add_own(b, st, "store.json") == 0 &&
		 add_own(b, st, "last-run.json") == 0 && add_given(b, "job", job) == 0 && add_given(b, "report", report) == 0 &&
		 check_size(b) == 0 && make_manifest(b, json_array(), json_array()) == 0)
		return 0;
	bundle_file_release(b);
	return -1;
}

/* ---- to a file ---- */

static int gzip(const struct tar *t, const char *path)
{
	z_stream z = { .next_in = (unsigned char *)t->data, .avail_in = (uInt)t->n };
	uLong room;
	char *out;
	int ret;

	if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) /* 16: gzip, without name and time */
		return error(EXIT_MEMORY, "cannot compress");
	room = deflateBound(&z, (uLong)t->n);
	out = xmalloc(room, 1);
	z.next_out = (unsigned char *)out;
	z.avail_out = (uInt)room;
	ret = deflate(&z, Z_FINISH);
	BUG_ON(ret != Z_STREAM_END);
	ret = file_publish(path, out, z.total_out);
	deflateEnd(&z);
	free(out);
	return ret;
}

int bundle_file_write(const struct bundle_file *b, const char *path)
{
	const size_t n = strlen(path);
	char *text = json_pretty(b->manifest);
	struct tar t = { 0 };
	int ret;

	tar_add(&t, "MANIFEST.json", text, strlen(text));
	for (int i = 0; i < b->n; i++)
		tar_add(&t, b->e[i].name, b->e[i].data, b->e[i].len);
	tar_end(&t);
	ret = n > 3 && !strcmp(path + n - 3, ".gz") ? gzip(&t, path) : file_publish(path, t.data, t.n);
	free(t.data);
	free(text);
	return ret;
}

/* ---- from a file ---- */

static int read_manifest(struct bundle_file *b, struct tar_view *v)
{
	struct tar_file f;
	int ret = tar_next(v, &f);
	char *text;
	bool same;

	if (ret < 0)
		return -1;
	if (!ret || strcmp(f.name, "MANIFEST.json") != 0 || f.len > FILE_MAX)
		return error(EXIT_UNEVALUABLE, "%s: no bundle: it does not begin with MANIFEST.json", v->where);
	b->manifest = json_read_text(f.data, f.len, "MANIFEST.json");
	if (!b->manifest)
		return error_prefix("%s", v->where);
	if (jget_int(b->manifest, "bundle", 0) != BUNDLE_FORMAT || !json_is_object(json_object_get(b->manifest, "files")))
		return error(EXIT_UNEVALUABLE, "%s: a bundle of another format than %d", v->where, BUNDLE_FORMAT);
	text = json_pretty(b->manifest); /* its bytes are the bundle's name */
	same = strlen(text) == f.len && !memcmp(text, f.data, f.len);
	free(text);
	if (!same)
		return error(EXIT_UNEVALUABLE, "%s: its MANIFEST.json is not as lockbench wrote it", v->where);
	sha256_hex(f.data, f.len, b->hash);
	return 0;
}

static int read_entry(struct bundle_file *b, const struct tar_file *f, const char *where)
{
	const char *want = jget_str(json_object_get(b->manifest, "files"), f->name, NULL);
	char hash[HASH_HEX];

	if (!path_ok(f->name) || f->len > FILE_MAX || b->n == FILES_MAX)
		return error(EXIT_UNEVALUABLE, "%s: a bundle has no file '%s' of %zu bytes", where, f->name, f->len);
	sha256_hex(f->data, f->len, hash);
	if (!want || strcmp(want, hash) != 0)
		return error(EXIT_NO, "%s: damaged or changed: %s is not what its manifest says", where, f->name);
	add_entry(b, f->name, copy_bytes(f->data, f->len), f->len);
	return 0;
}

int bundle_file_parse(struct bundle_file *b, const char *data, size_t len, const char *where)
{
	struct tar_view v;
	struct tar_file f;
	int ret;

	*b = (struct bundle_file){ 0 };
	tar_open(&v, data, len, where);
	ret = read_manifest(b, &v) < 0 ? -1 : 1;
	while (ret == 1 && (ret = tar_next(&v, &f)) == 1)
		if (read_entry(b, &f, where) < 0)
			ret = -1;
	/* Names ascend and each is listed: equal numbers mean that none is missing. */
	if (ret == 0 && (size_t)b->n != json_object_size(json_object_get(b->manifest, "files")))
		ret = error(EXIT_NO, "%s: damaged or changed: files that its manifest lists are missing", where);
	if (ret == 0)
		return 0;
	bundle_file_release(b);
	return -1;
}

/* Does it begin with a header as we write them? Else somebody unpacked a bundle and packed it again. */
static bool ours(const char *data, size_t len)
{
	struct tar_view v;
	struct tar_file f;
	bool ret;

	tar_open(&v, data, len, "");
	ret = tar_next(&v, &f) == 1;
	error_clear();
	return ret;
}

int bundle_file_read(struct bundle_file *b, const char *path)
{
	size_t len;
	char *data = file_read_gz(path, BUNDLE_FILE_MAX + FILE_MAX, &len);
	struct tar again = { 0 };
	int ret;

	*b = (struct bundle_file){ 0 };
	if (!data)
		return -1;
	if (ours(data, len))
		ret = bundle_file_parse(b, data, len, path);
	else if ((ret = tar_adopt(data, len, path, &again)) == 0)
		ret = bundle_file_parse(b, again.data, again.n, path);
	free(again.data);
	free(data);
	return ret;
}

/* ---- to a store ---- */

static int check_target(const struct bundle_file *b, const char *dir)
{
	char *path = path_join(dir, "MANIFEST.json"), *text = json_pretty(b->manifest), *there;
	size_t n = 0;
	char **names;
	int ret = 0;

	if (file_exists(path)) {
		there = file_read(path, FILE_MAX, NULL);
		if (!there || strcmp(there, text) != 0)
			ret = error(EXIT_UNEVALUABLE, "%s holds another bundle; give another directory", dir);
		free(there);
	} else if (file_exists(dir)) {
		names = dir_list(dir, FILES_MAX, &n);
		if (!names)
			ret = -1;
		else if (n)
			ret = error(EXIT_UNEVALUABLE, "%s holds files (%s, ...); give an empty or a new directory", dir, names[0]);
		if (names)
			dir_list_free(names, n);
	}
	free(text);
	free(path);
	return ret;
}

static int publish(const char *dir, const char *name, const char *data, size_t len)
{
	char *path = path_join(dir, name), *slash = strrchr(path, '/');
	int ret;

	*slash = '\0';
	ret = file_mkdirs(path);
	*slash = '/';
	if (ret == 0)
		ret = file_publish(path, data, len);
	free(path);
	return ret;
}

int bundle_file_unpack(const struct bundle_file *b, const char *dir)
{
	char *text = json_pretty(b->manifest);
	int ret = check_target(b, dir);

	if (ret == 0) /* first: whose directory it is */
		ret = publish(dir, "MANIFEST.json", text, strlen(text));
	for (int i = 0; i < b->n && ret == 0; i++)
		ret = publish(dir, b->e[i].name, b->e[i].data, b->e[i].len);
	free(text);
	return ret;
}

/* ---- merging ---- */

/* Members that may differ between two makings of one cell: labels, and the hash over them. */
static const char *const labels[] = { "tier", "lockbench", "sha256" };

static bool is_label(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		if (!strcmp(name, labels[i]))
			return true;
	return false;
}

static void differing(const json_t *a, const json_t *b, json_t *what)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)a, name, v)
		if (!is_label(name) && !json_equal(v, json_object_get(b, name)))
			json_array_append_new(what, json_string(name));
	json_object_foreach((json_t *)(uintptr_t)b, name, v)
		if (!is_label(name) && !json_object_get(a, name))
			json_array_append_new(what, json_string(name));
}

struct merging { struct bundle_file *out; const struct bundle_file *in; json_t *taken, *conflicts; };

/* taken: {name: which bundle it came from}. */
static int merge_cell(struct merging *m, const struct bundle_entry *e, int from)
{
	const int first = (int)jget_int(m->taken, e->name, 0);
	const struct bundle_entry *kept = entry_named(&m->in[first], e->name);
	json_t *a, *b, *what, *c;

	if (kept->len == e->len && !memcmp(kept->data, e->data, e->len))
		return 0;
	a = json_read_text(kept->data, kept->len, kept->name);
	b = json_read_text(e->data, e->len, e->name);
	what = json_array();
	if (a && b)
		differing(a, b, what);
	json_decref(a);
	json_decref(b);
	if (!a || !b || !json_array_size(what)) {
		json_decref(what);
		return a && b ? 0 : -1;
	}
	c = json_object();
	json_object_set_new(c, "key", json_stringn(e->name + 9, KEY_LEN));
	jset(c, "what", what);
	jset_str(c, "kept", m->in[first].hash);
	jset_str(c, "other", m->in[from].hash);
	json_array_append_new(m->conflicts, c);
	return 0;
}

static bool taken(const struct merging *m, const char *name)
{
	return json_object_get(m->taken, name) != NULL;
}

static void take(struct merging *m, const struct bundle_entry *e, const char *name, int from)
{
	jset_int(m->taken, name, from);
	add_entry(m->out, name, copy_bytes(e->data, e->len), e->len);
}

/* Another job or report of the same name: NAME becomes 2-NAME. */
static int take_renamed(struct merging *m, const struct bundle_entry *e, int from)
{
	const char *slash = strchr(e->name, '/');
	char name[TAR_NAME_MAX + 32];

	for (int i = from; i <= from + 1000; i++) {
		snprintf(name, sizeof(name), "%.*s/%d-%s", (int)(slash - e->name), e->name, i + 1, slash + 1);
		if (taken(m, name))
			continue;
		if (!path_ok(name))
			break;
		take(m, e, name, from);
		return 0;
	}
	return error(EXIT_UNEVALUABLE, "%s: no room for a second file of that name", e->name);
}

static int merge_entry(struct merging *m, const struct bundle_entry *e, int from)
{
	const bool given = in_folder(e->name, "job/") || in_folder(e->name, "report/");

	if (!taken(m, e->name))
		take(m, e, e->name, from);
	else if (in_folder(e->name, "cells/"))
		return merge_cell(m, e, from);
	else if (given) {
		const struct bundle_entry *kept = entry_named(&m->in[jget_int(m->taken, e->name, 0)], e->name);

		if (!kept || kept->len != e->len || memcmp(kept->data, e->data, e->len) != 0)
			return take_renamed(m, e, from);
	}
	return 0;
}

/* A failure of one lab that another lab's cell answers is none. */
static void drop_failures(struct merging *m)
{
	int n = 0;

	for (int i = 0; i < m->out->n; i++) {
		struct bundle_entry e = m->out->e[i];
		char cell[TAR_NAME_MAX + 32];

		if (in_folder(e.name, "failures/")) {
			snprintf(cell, sizeof(cell), "cells/%.2s/%s", e.name + 9, e.name + 9);
			if (taken(m, cell)) {
				free(e.data);
				continue;
			}
		}
		m->out->e[n++] = e;
	}
	m->out->n = n;
}

int bundle_file_merge(struct bundle_file *out, const struct bundle_file *in, int n)
{
	struct merging m = { out, in, json_object(), json_array() };
	json_t *sources = json_array();
	int ret = 0;

	*out = (struct bundle_file){ 0 };
	for (int i = 0; i < n; i++) {
		json_array_append_new(sources, json_string(in[i].hash));
		for (int k = 0; k < in[i].n && !ret; k++)
			ret = merge_entry(&m, &in[i].e[k], i);
	}
	if (ret == 0) {
		drop_failures(&m);
		ret = check_size(out);
	}
	if (ret == 0)
		ret = make_manifest(out, sources, m.conflicts);
	else {
		json_decref(sources);
		json_decref(m.conflicts);
	}
	json_decref(m.taken);
	if (ret < 0)
		bundle_file_release(out);
	return ret;
}
