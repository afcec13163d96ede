/* Study bundles: from a file, believing nothing, and to a store. See bundlefile.h. */
#include "bench/bundlefile_parts.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"

/* ---- from a file ---- */

static int read_manifest(struct bundle_file *b, struct tar_view *v)
{
	struct tar_file f;
	int ret = tar_next(v, &f);
	char *text;
	bool same;

	if (ret < 0)
		return -1;
	if (!ret || strcmp(f.name, "MANIFEST.json") != 0 || f.len > BUNDLE_ENTRY_MAX)
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

	if (!bundle_file_path_ok(f->name) || f->len > BUNDLE_ENTRY_MAX || b->n == BUNDLE_ENTRIES_MAX)
		return error(EXIT_UNEVALUABLE, "%s: a bundle has no file '%s' of %zu bytes", where, f->name, f->len);
	sha256_hex(f->data, f->len, hash);
	if (!want || strcmp(want, hash) != 0)
		return error(EXIT_NO, "%s: damaged or changed: %s is not what its manifest says", where, f->name);
	bundle_file_add(b, f->name, bundle_file_copy(f->data, f->len), f->len);
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
	char *data = file_read_gz(path, BUNDLE_FILE_MAX + BUNDLE_ENTRY_MAX, &len);
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
		there = file_read(path, BUNDLE_ENTRY_MAX, NULL);
		if (!there || strcmp(there, text) != 0)
			ret = error(EXIT_UNEVALUABLE, "%s holds another bundle; give another directory", dir);
		free(there);
	} else if (file_exists(dir)) {
		names = dir_list(dir, BUNDLE_ENTRIES_MAX, &n);
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
