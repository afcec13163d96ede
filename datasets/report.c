/* `lockbench data list|verify|where`: each set becomes a JSON row; people get the rows as lines. */
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/terminal.h"
#include "datasets/format.h"
#include <stdio.h>
#include <string.h>

#define MAX_FILE ((size_t)64 << 20) /* of the files with a published hash */

static bool is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

/* Move the recorded error into the row. */
static void take_error(json_t *row)
{
	jset_str(row, "problem", error_text());
	error_clear();
}

/* ---- rows ---- */

/* name, driver, found, where; install when it is missing. */
static json_t *row_where(const char *name, const char *data_dir)
{
	const struct dataset_driver *drv = dataset_driver_of(name);
	json_t *row = jset_str(json_object(), "name", name);
	char where[512];
	bool found;

	if (!drv) {
		jset_bool(row, "found", 0);
		take_error(row);
		return row;
	}
	found = dataset_where(name, data_dir, where);
	jset_str(row, "driver", drv->drv.name);
	jset_str(row, "summary", drv->drv.summary);
	jset_bool(row, "found", found);
	if (found)
		jset_str(row, "where", where);
	else
		jset_str(row, "install", drv->install);
	return row;
}

static void add_sizes(json_t *row, const struct dataset *d)
{
	jset_int(row, "train", d->ntrain);
	jset_int(row, "test", d->ntest);
	jset_int(row, "classes", d->classes);
	jset(row, "image", json_pack("[iii]", d->c, d->h, d->w));
}

static json_t *row_list(const char *name, const char *data_dir)
{
	json_t *row = row_where(name, data_dir);
	struct dataset d = { 0 };

	if (!jget_bool(row, "found", 0))
		return row;
	snprintf(d.name, sizeof(d.name), "%s", name);
	if (dataset_driver_of(name)->peek(&d, jget_str(row, "where", "")))
		take_error(row);
	else
		add_sizes(row, &d);
	return row;
}

/* One published file, plain or .gz: 1 equal, 0 different or unreadable. */
static int verify_file(json_t *files, const char *dir, const struct dataset_file *f)
{
	char *path = path_join(dir, f->name), *gz = xasprintf("%s.gz", path), hex[HASH_HEX], *data;
	json_t *row = jset_str(json_object(), "file", file_exists(path) ? path : gz);
	int equal = 0;
	size_t len;

	jset_str(row, "published", f->sha256);
	data = file_read_gz(jget_str(row, "file", ""), MAX_FILE, &len);
	if (data) {
		sha256_hex(data, len, hex);
		equal = is(hex, f->sha256);
		jset_str(row, "sha256", hex);
	} else {
		take_error(row);
	}
	jset_bool(row, "equal", equal);
	json_array_append_new(files, row);
	free(data);
	free(gz);
	free(path);
	return equal;
}

static int verify_files(json_t *row, const struct dataset_driver *drv)
{
	json_t *files = json_array();
	int equal = 1;

	for (const struct dataset_file *f = drv->files; f->name; f++)
		equal &= verify_file(files, jget_str(row, "where", ""), f);
	jset(row, "files", files);
	return equal;
}

/* "ok": equal to the published set. "unpublished": it reads well, but there is nothing to compare it with. */
static const char *verdict(json_t *row, const struct dataset_driver *drv, const struct dataset *d)
{
	const int equal = drv->files ? verify_files(row, drv) : 1;

	if (!drv->files && !drv->hash)
		return d ? "unpublished" : "damaged";
	if (!d)
		return "damaged";
	return equal && (!drv->hash || is(drv->hash, d->hash)) ? "ok" : "different";
}

static json_t *row_verify(const char *name, const char *data_dir)
{
	json_t *row = row_where(name, data_dir);
	const struct dataset_driver *drv;
	struct dataset *d;

	if (!jget_bool(row, "found", 0))
		return jset_str(row, "verdict", "missing");
	drv = dataset_driver_of(name);
	d = dataset_load(name, data_dir);
	if (d) {
		add_sizes(row, d);
		jset_str(row, "hash", d->hash);
	} else {
		take_error(row);
	}
	jset_str(row, "verdict", verdict(row, drv, d));
	dataset_free(d);
	return row;
}

/* ---- for people ---- */

static void print_missing(json_t *row)
{
	tell("%-16s missing: %s\n", jget_str(row, "name", ""), jget_str(row, "install", jget_str(row, "problem", "")));
}

static void print_list(json_t *row)
{
	json_t *image = json_object_get(row, "image");

	if (!jget_bool(row, "found", 0)) {
		print_missing(row);
		return;
	}
	tell("%-16s ", jget_str(row, "name", ""));
	if (image) {
		char shape[32];

		snprintf(shape, sizeof(shape), "%lldx%lldx%lld", (long long)json_integer_value(json_array_get(image, 0)),
		         (long long)json_integer_value(json_array_get(image, 1)),
		         (long long)json_integer_value(json_array_get(image, 2)));
		tell("%7lld + %-6lld %-10s %4lld classes  ", jget_int(row, "train", 0), jget_int(row, "test", 0), shape,
		       jget_int(row, "classes", 0));
	}
	tell("%s%s%s\n", jget_str(row, "where", ""), image ? "" : "  PROBLEM: ", image ? "" : jget_str(row, "problem", ""));
}

static void print_where(json_t *row)
{
	if (!jget_bool(row, "found", 0)) {
		print_missing(row);
		return;
	}
	tell("%-16s %s\n", jget_str(row, "name", ""), jget_str(row, "where", ""));
}

static void print_differences(json_t *row)
{
	json_t *files = json_object_get(row, "files"), *f;
	size_t i;

	json_array_foreach(files, i, f) {
		if (jget_bool(f, "equal", 0))
			continue;
		tell("    %s\n      content   %s\n      published %s\n", jget_str(f, "file", ""), jget_str(f, "sha256", "(unreadable)"),
		     jget_str(f, "published", ""));
	}
}

static void print_verify(json_t *row)
{
	const char *v = jget_str(row, "verdict", "");

	if (is(v, "missing")) {
		print_missing(row);
		return;
	}
	tell("%-16s ", jget_str(row, "name", ""));
	if (is(v, "ok"))
		tell("ok, equal to the published set; ");
	else if (is(v, "unpublished"))
		tell("reads well, nothing published to compare it with; ");
	else if (is(v, "different"))
		tell("DIFFERENT from the published set, install it again; ");
	else
		tell("DAMAGED: ");
	if (jget_str(row, "problem", NULL))
		tell("%s", jget_str(row, "problem", ""));
	else
		tell("payload %s", jget_str(row, "hash", ""));
	tell("\n    in %s\n", jget_str(row, "where", ""));
	print_differences(row);
}

/* ---- the command ---- */

static const struct verb {
	const char *name;
	json_t *(*row)(const char *name, const char *data_dir);
	void (*print)(json_t *row);
} verbs[] = {
	{ "list", row_list, print_list },
	{ "verify", row_verify, print_verify },
	{ "where", row_where, print_where },
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (is(verbs[i].name, name))
			return &verbs[i];
	error(EXIT_UNEVALUABLE, "data: no verb '%s'; it is list, verify or where", name);
	return NULL;
}

/* A difference outweighs a missing set; a set nobody named may be missing. */
static int exit_code(json_t *rows, bool named)
{
	int code = EXIT_YES;
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *v = jget_str(row, "verdict", "");

		if (is(v, "different") || is(v, "damaged"))
			return EXIT_NO;
		if (named && !jget_bool(row, "found", 0))
			code = EXIT_UNEVALUABLE;
	}
	return code;
}

static void print_roots(const char *data_dir)
{
	size_t n;
	char **roots = dataset_roots(data_dir, &n);

	tell("looked in, in this order:\n");
	for (size_t i = 0; i < n; i++) {
		tell("    %s%s\n", roots[i], file_exists(roots[i]) ? "" : "  (does not exist)");
	}
	dir_list_free(roots, n);
}

static void print_json(json_t *rows)
{
	char *text = json_pretty(rows);

	tell_json(text);
	free(text);
}

static void print_rows(const struct verb *v, json_t *rows, bool named, const char *data_dir)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		v->print(row);
	if (!named && !is(v->name, "verify"))
		print_roots(data_dir);
}

static json_t *make_rows(const struct verb *v, const char *const *names, size_t n, const char *data_dir)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < n && !interrupt_signal(); i++)
		json_array_append_new(rows, v->row(names[i], data_dir));
	return rows;
}

static int print_all(const struct verb *v, json_t *rows, bool named, const char *data_dir, bool json)
{
	if (interrupt_check()) /* an interrupted look says nothing about the set */
		return (int)error_code();
	if (json)
		print_json(rows);
	else
		print_rows(v, rows, named, data_dir);
	return exit_code(rows, named);
}

int dataset_report(const char *verb, const char *const *names, int n, const char *data_dir, bool json)
{
	const struct verb *v = find_verb(verb);
	char **all = NULL;
	size_t nall = 0;
	json_t *rows;
	int code;

	if (!v || dataset_check_root(data_dir))
		return EXIT_UNEVALUABLE;
	if (!n)
		all = dataset_names(data_dir, &nall);
	rows = n ? make_rows(v, names, (size_t)n, data_dir) : make_rows(v, (const char *const *)all, nall, data_dir);
	code = print_all(v, rows, n > 0, data_dir, json);
	json_decref(rows);
	dir_list_free(all, nall);
	return code;
}
