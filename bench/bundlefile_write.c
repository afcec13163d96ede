/* Study bundles: from a store, and to a file. See bundlefile.h. */
#include "bench/bundlefile_parts.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "base/dir.h"
#include "base/error.h"
#include "base/fdio.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "bench/manifest.h"

/* ---- from a store ---- */

/* data is freed; NULL: the error is recorded. */
static int add_taken(struct bundle_file *b, const char *name, char *data, size_t len)
{
	if (data)
		bundle_file_add(b, name, data, len);
	free(data);
	return data ? 0 : -1;
}

static int add_stored(struct bundle_file *b, const struct store *st, const char *rel)
{
	size_t len = 0;
	char *data = dir_read(store_folder(st), rel, bundle_file_most(rel), &len);

	return add_taken(b, rel, data, len);
}

static int no_bundle(void)
{
	return error_prefix("no bundle of a damaged store (`lockbench verify` lists what is wrong)");
}

static int is_gone(void *st, const char *key)
{
	error(EXIT_UNEVALUABLE, "%s: a file of %s is listed in %s, and is not there", store_dir(st), key, MANIFEST_NAME);
	return no_bundle();
}

static int add_kind(struct bundle_file *b, struct store *st, const char *kind)
{
	size_t n;
	char **keys = store_keys(st, kind, &n), hash[HASH_HEX];
	int ret = keys ? 0 : -1;

	for (size_t i = 0; i < n && !ret; i++) {
		char *rel = store_rel(kind, keys[i]);

		ret = store_check(st, kind, keys[i], hash) < 0 ? no_bundle() : add_stored(b, st, rel);
		free(rel);
	}
	if (ret == 0)
		ret = store_missing(st, kind, keys, n, is_gone, st);
	if (keys)
		dir_list_free(keys, n);
	return ret;
}

static int add_given(struct bundle_file *b, const char *folder, const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	char *name, *data;
	size_t len = 0;
	int ret;

	if (!path)
		return 0;
	name = xasprintf("%s/%s", folder, slash ? slash + 1 : path);
	if (bundle_file_path_ok(name)) {
		data = file_read(path, bundle_file_most(name), &len);
		ret = add_taken(b, name, data, len);
	} else {
		ret = error(EXIT_UNEVALUABLE, "%s: a bundle cannot hold a file named '%s'; use letters, digits, points "
			    "and dashes", path, name);
	}
	free(name);
	return ret;
}

static int add_own(struct bundle_file *b, const struct store *st, const char *name)
{
	const int there = dir_there(store_folder(st), name, NULL);

	return there == DIR_FILE ? add_stored(b, st, name) : there;
}

int bundle_file_collect(struct bundle_file *b, struct store *st, const char *job, const char *report)
{
	struct scrub words = { 0 };
	int ret = -1;

	*b = (struct bundle_file){ 0 };
	scrub_here(&words);
	if (add_kind(b, st, "cells") == 0 && b->n == 0)
		error(EXIT_UNEVALUABLE, "%s holds no cells yet", store_dir(st));
	else if (error_code() == EXIT_YES && add_kind(b, st, "timing") == 0 && add_kind(b, st, "failures") == 0 &&
		 add_own(b, st, "store.json") == 0 && add_own(b, st, "last-run.json") == 0 &&
		 add_given(b, "job", job) == 0 && add_given(b, "report", report) == 0 &&
		 bundle_file_check_size(b) == 0 && bundle_file_words(&words, b) == 0 &&
		 bundle_file_make_private(b, &words, true) == 0)
		ret = bundle_file_make_manifest(b, json_array(), json_array());
	scrub_release(&words);
	if (ret < 0)
		bundle_file_release(b);
	return ret;
}

/* ---- to a file ---- */

/* The archive as it is made, file by file, gzipped where that was asked for. */
struct output { int fd; z_stream z; size_t in, out; };

static int put(void *ctx, const void *data, size_t len)
{
	struct output *o = ctx;

	return fd_write_all(o->fd, data, len);
}

static int put_deflated(struct output *o, const void *data, size_t len, int flush)
{
	unsigned char out[65536];
	int ret;

	o->z.next_in = (Bytef *)(uintptr_t)data; /* zlib does not write there, its type only says so */
	o->z.avail_in = (uInt)len;
	do {
		o->z.next_out = out;
		o->z.avail_out = sizeof(out);
		ret = deflate(&o->z, flush);
		BUG_ON(ret == Z_STREAM_ERROR);
		if (fd_write_all(o->fd, out, sizeof(out) - o->z.avail_out) < 0)
			return -1;
		o->out += sizeof(out) - o->z.avail_out;
	} while (!o->z.avail_out);
	o->in += len;
	return 0;
}

static int put_gzip(void *ctx, const void *data, size_t len)
{
	return put_deflated(ctx, data, len, Z_NO_FLUSH);
}

static int put_files(struct tar_writer *t, const struct bundle_file *b)
{
	char *text = json_pretty(b->manifest);
	int ret = tar_add(t, "MANIFEST.json", text, strlen(text));

	free(text);
	for (int i = 0; i < b->n && ret == 0; i++) {
		text = bundle_file_text(&b->e[i]);
		ret = tar_add(t, b->e[i].name, text, b->e[i].len);
		free(text);
	}
	return ret < 0 ? -1 : tar_end(t);
}

struct writing {
	const struct bundle_file *b;
	bool gzip, too_good; /* compressed by more than readers believe (tar.h) */
};

static int put_archive(int fd, void *ctx)
{
	struct writing *w = ctx;
	struct output o = { .fd = fd };
	struct tar_writer t = { .put = w->gzip ? put_gzip : put, .ctx = &o };
	int ret, cause;

	if (!w->gzip)
		return put_files(&t, w->b);
	/* 16: gzip, without name and time. */
	if (deflateInit2(&o.z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		errno = ENOMEM;
		return -1;
	}
	ret = put_files(&t, w->b) == 0 ? put_deflated(&o, "", 0, Z_FINISH) : -1;
	cause = errno;
	deflateEnd(&o.z);
	w->too_good = ret == 0 && o.in > TAR_ALL_SMALL && o.in / TAR_RATIO > o.out;
	errno = w->too_good ? EFBIG : cause;
	return w->too_good ? -1 : ret;
}

int bundle_file_write(const struct bundle_file *b, const char *path)
{
	const size_t n = strlen(path);
	struct writing w = { .b = b, .gzip = n > 3 && !strcmp(path + n - 3, ".gz") };
	const int ret = file_publish_by(path, put_archive, &w);

	if (!w.too_good)
		return ret;
	error_clear();
	return error(EXIT_UNEVALUABLE, "%s would unpack to more than %d times its size, which nobody should take from "
		     "others: write it as .tar", path, TAR_RATIO);
}
