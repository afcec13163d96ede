/* Study bundles: from a store, and to a file. See bundlefile.h. */
#include "bench/bundlefile_parts.h"

#include <string.h>
#include <zlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

/* ---- from a store ---- */

static int add_file(struct bundle_file *b, const char *name, const char *path)
{
	size_t len;
	char *data;

	if (!bundle_file_path_ok(name))
		return error(EXIT_UNEVALUABLE, "%s: a bundle cannot hold a file named '%s'; use letters, digits, points and dashes", path, name);
	data = file_read(path, BUNDLE_ENTRY_MAX, &len);
	if (!data)
		return -1;
	bundle_file_add(b, name, data, len);
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

int bundle_file_collect(struct bundle_file *b, struct store *st, const char *job, const char *report)
{
	*b = (struct bundle_file){ 0 };
	if (add_kind(b, st, "cells", true) == 0 && b->n == 0)
		error(EXIT_UNEVALUABLE, "%s holds no cells yet", store_dir(st));
	else if (error_code() == EXIT_YES && add_kind(b, st, "timing", true) == 0 &&
		 add_kind(b, st, "failures", false) == 0 && add_own(b, st, "store.json") == 0 &&
		 add_own(b, st, "last-run.json") == 0 && add_given(b, "job", job) == 0 && add_given(b, "report", report) == 0 &&
		 bundle_file_check_size(b) == 0 && bundle_file_make_manifest(b, json_array(), json_array()) == 0)
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
