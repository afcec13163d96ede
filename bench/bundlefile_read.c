/* Study bundles: from a file, believing nothing, and to a store. See bundlefile.h. */
#include "bench/bundlefile_parts.h"

#include <string.h>

#include "base/dir.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

/* ---- from a file ---- */

/* A manifest is what lockbench writes, to the byte: its bytes are the bundle's name. Compared as it is dumped, so
 * that no second text of it is in memory. */
struct same { const char *text; size_t left; };

static int is_next(const char *piece, size_t n, void *ctx)
{
	struct same *s = ctx;

	if (n > s->left || memcmp(s->text, piece, n) != 0)
		return -1;
	s->text += n;
	s->left -= n;
	return 0;
}

static bool is_canonical(const json_t *j, const char *text, size_t len)
{
	struct same s = { text, len };

	return json_pretty_to(j, is_next, &s) == 0 && !s.left;
}

static int read_manifest(struct bundle_file *b, const struct bundle_entry *e, const char *where)
{
	char *text = bundle_file_text(e);
	long long format;
	bool same;

	b->manifest = json_read_bounded(text, e->len, BUNDLE_MANIFEST_VALUES, "MANIFEST.json");
	same = b->manifest && is_canonical(b->manifest, text, e->len);
	free(text);
	if (!b->manifest)
		return error_prefix("%s", where);
	if (!same)
		return error(EXIT_UNEVALUABLE, "%s: its MANIFEST.json is not as lockbench wrote it", where);
	format = jget_int(b->manifest, "bundle", 0);
	if (format < 1 || format > BUNDLE_FORMAT || !json_is_object(json_object_get(b->manifest, "files")))
		return error(EXIT_UNEVALUABLE, "%s: a bundle of another format than 1 to %d", where, BUNDLE_FORMAT);
	memcpy(b->hash, e->hash, sizeof(b->hash));
	return 0;
}

/* Deflated as it comes: what an archive unpacks to is never in memory as a whole. */
static int read_entry(struct bundle_file *b, struct tar_reader *r, const struct tar_file *f, const char *where)
{
	struct packer *p;
	char piece[8192];
	ssize_t n;

	if (strcmp(f->name, "MANIFEST.json") != 0 && !bundle_file_path_ok(f->name))
		return error(EXIT_UNEVALUABLE, "%s: a bundle has no file '%s'", where, f->name);
	if (f->len > bundle_file_most(f->name))
		return error(EXIT_UNEVALUABLE, "%s: %s has %zu bytes; at most %zu are allowed", where, f->name,
			     f->len, bundle_file_most(f->name));
	if (b->n > BUNDLE_ENTRIES_MAX)
		return error(EXIT_UNEVALUABLE, "%s: more than %d files", where, BUNDLE_ENTRIES_MAX);
	p = packer_new();
	while ((n = tar_read(r, piece, sizeof(piece))) > 0)
		packer_add(p, piece, (size_t)n);
	if (n == 0)
		packer_end(p, b, f->name);
	else
		packer_drop(p);
	return n < 0 ? -1 : 0;
}

/* Each file against the manifest; equal numbers mean that none is missing. */
static int check_files(const struct bundle_file *b, const char *where)
{
	const json_t *files = json_object_get(b->manifest, "files");

	for (int i = 0; i < b->n; i++)
		if (strcmp(jget_str(files, b->e[i].name, ""), b->e[i].hash) != 0)
			return error(EXIT_NO, "%s: damaged or changed: %s is not what its manifest says", where,
				     b->e[i].name);
	if ((size_t)b->n != json_object_size(files))
		return error(EXIT_NO, "%s: damaged or changed: files that its manifest lists are missing", where);
	return 0;
}

/* What is JSON is what a store holds. One file is in memory at a time; here, so that nothing has been made of a bundle
 * before all of it is known to be one. */
static int check_contents(const struct bundle_file *b, const char *where)
{
	for (int i = 0; i < b->n; i++) {
		json_t *j;

		if (bundle_file_in(b->e[i].name, "job/") || bundle_file_in(b->e[i].name, "report/"))
			continue;
		j = bundle_entry_json(&b->e[i]);
		if (!j)
			return error_prefix("%s", where);
		json_decref(j);
	}
	if (!bundle_file_named(b, "store.json"))
		return error(EXIT_UNEVALUABLE, "%s: no bundle: it holds no store.json", where);
	return 0;
}

/* Takes the manifest out of the files. */
static int take_manifest(struct bundle_file *b, const char *where)
{
	const struct bundle_entry *e = bundle_file_named(b, "MANIFEST.json");
	int ret, at = e ? (int)(e - b->e) : -1;

	if (!e)
		return error(EXIT_UNEVALUABLE, "%s: no bundle: it holds no MANIFEST.json", where);
	ret = read_manifest(b, e, where);
	free(b->e[at].name);
	free(b->e[at].packed);
	b->n--;
	memmove(&b->e[at], &b->e[at + 1], (size_t)(b->n - at) * sizeof(*b->e));
	return ret;
}

static int read_all(struct bundle_file *b, struct tar_reader *r, const char *where)
{
	struct tar_file f;
	int ret = r ? 1 : -1;

	*b = (struct bundle_file){ 0 };
	while (ret == 1 && (ret = tar_next(r, &f)) == 1)
		if (read_entry(b, r, &f, where) < 0)
			ret = -1;
	tar_close(r);
	if (ret == 0 && bundle_file_sort(b, where) == 0 && take_manifest(b, where) == 0 &&
	    check_files(b, where) == 0 && check_contents(b, where) == 0)
		return 0;
	bundle_file_release(b);
	return -1;
}

int bundle_file_parse(struct bundle_file *b, const char *data, size_t len, const char *where)
{
	return read_all(b, tar_open_memory(data, len, where), where);
}

int bundle_file_read(struct bundle_file *b, const char *path)
{
	return read_all(b, tar_open(path), path);
}

/* ---- to a store ---- */

/* An empty folder, or one that this bundle has been unpacked to. */
static int check_target(const struct bundle_file *b, const struct dir *d)
{
	size_t n = 0, len;
	char **names = NULL, *there;
	int ret = dir_there(d, "MANIFEST.json", NULL);

	if (ret < 0)
		return -1;
	if (ret == DIR_FILE) {
		there = dir_read(d, "MANIFEST.json", BUNDLE_MANIFEST_MAX, &len);
		ret = !there ? -1 : is_canonical(b->manifest, there, len) ? 0 :
		      error(EXIT_UNEVALUABLE, "%s holds another bundle; give another directory", dir_name(d));
		free(there);
		return ret;
	}
	ret = dir_names(d, "", BUNDLE_ENTRIES_MAX, &names, &n) < 0 ? -1 : 0;
	if (n)
		ret = error(EXIT_UNEVALUABLE, "%s holds files (%s, ...); give an empty or a new directory",
			    dir_name(d), names[0]);
	dir_list_free(names, n);
	return ret;
}

/* Nothing is written of a bundle that a store's reader would refuse. */
static int check_entries(const struct bundle_file *b)
{
	static const char *const folders[] = { "cells/", "failures/", "timing/", "last-run.json" };

	for (int i = 0; i < b->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(folders); k++) {
			json_t *j;

			if (!bundle_file_in(b->e[i].name, folders[k]))
				continue;
			j = bundle_entry_json(&b->e[i]);
			json_decref(j);
			if (!j)
				return -1;
		}
	return 0;
}

static int unpack(const struct bundle_file *b, const struct dir *d)
{
	int ret = check_entries(b) < 0 ? -1 : check_target(b, d);

	if (ret == 0) /* first: whose directory it is */
		ret = json_publish_in(d, "MANIFEST.json", b->manifest);
	for (int i = 0; i < b->n && ret == 0; i++) {
		char *text = bundle_file_text(&b->e[i]);

		ret = dir_publish(d, b->e[i].name, text, b->e[i].len);
		free(text);
	}
	return ret;
}

int bundle_file_unpack(const struct bundle_file *b, const char *dir)
{
	struct dir *d = file_mkdirs_private(dir) == 0 ? dir_open(dir) : NULL;
	int ret = d ? unpack(b, d) : -1;

	dir_close(d);
	return ret;
}
