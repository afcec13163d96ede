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

/* Move the recorded error into the row. What could not be read says nothing about the set. */
static void take_error(json_t *row)
{
	jset_str(row, "problem", error_text());
	if (error_code() == EXIT_IO)
		jset_bool(row, "unreadable", 1);
	error_clear();
}

/* ---- rows ---- */

/* name, driver, found (null: nobody can tell), complete, where; install when it is missing. */
static json_t *row_where(const char *name, const char *data_dir)
{
	const struct dataset_driver *drv = dataset_driver_of(name);
	json_t *row = jset_str(json_object(), "name", name);
	char where[512];
	int there = drv ? dataset_where(name, data_dir, where) : DATASET_NONE;

	if (drv) {
		jset_str(row, "driver", drv->drv.name);
		jset_str(row, "summary", drv->drv.summary);
	}
	if (there > 0) {
		jset_bool(row, "found", 1);
		jset_bool(row, "complete", there == DATASET_WHOLE);
		return jset_str(row, "where", where);
	}
	jset(row, "found", there < 0 ? json_null() : json_false());
	if (!drv || there < 0)
		take_error(row);
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

/* The SHA-256 of a file's content, plain or .gz, into row; "file" says which. */
static void hash_file(json_t *row, const struct dir *dir, const struct dataset_file *f)
{
	char name[GZ_NAME], hex[HASH_HEX], *path, *data;
	int there = gz_find(dir, f->name, name);
	size_t len;

	path = dir_path(dir, name);
	jset_str(row, "file", path);
	free(path);
	data = there > 0 ? gz_read(dir, name, MAX_FILE, &len) : NULL;
	if (data && len < MAX_FILE) {
		sha256_hex(data, len, hex);
		jset_str(row, "sha256", hex);
	} else if (data || !there) {
		jset_str(row, "problem", there ? "larger than the published file" : "missing, also as .gz");
	} else {
		take_error(row);
	}
	free(data);
}

/* One published file: 1 equal, 0 different, missing or unreadable. */
static int verify_file(json_t *row, const struct dir *dir, const struct dataset_file *f)
{
	json_t *file = json_object();
	int equal;

	hash_file(file, dir, f);
	equal = is(jget_str(file, "sha256", ""), f->sha256);
	jset_str(file, "published", f->sha256);
	jset_bool(file, "equal", equal);
	if (jget_bool(file, "unreadable", 0))
		jset_bool(row, "unreadable", 1);
	json_array_append_new(json_object_get(row, "files"), file);
	return equal;
}

static int verify_files(json_t *row, const struct dataset_driver *drv)
{
	struct dir *dir = dir_open(jget_str(row, "where", ""));
	int equal = dir != NULL;

	jset(row, "files", json_array());
	if (!dir)
		take_error(row);
	for (const struct dataset_file *f = drv->files; dir && f->name; f++)
		equal &= verify_file(row, dir, f);
	dir_close(dir);
	return equal;
}

/* "ok": equal to the published set. "unpublished": it reads well, but there is nothing to compare it with.
 * "unreadable": nobody can tell. */
static const char *verdict(json_t *row, const struct dataset_driver *drv, const struct dataset *d)
{
	const int equal = drv->files ? verify_files(row, drv) : 1;

	if (jget_bool(row, "unreadable", 0))
		return "unreadable";
	if (!jget_bool(row, "complete", 0))
		return "incomplete";
	if (!d)
		return "damaged";
	if (!drv->files && !drv->hash)
		return "unpublished";
	return equal && (!drv->hash || is(drv->hash, d->hash)) ? "ok" : "different";
}

static json_t *row_verify(const char *name, const char *data_dir)
{
	json_t *row = row_where(name, data_dir);
	const struct dataset_driver *drv;
	struct dataset *d;

	if (!jget_bool(row, "found", 0))
		return jset_str(row, "verdict", jget_bool(row, "unreadable", 0) ? "unreadable" : "missing");
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

/* What is not found, or may be. */
static void print_missing(json_t *row)
{
	const char *problem = jget_str(row, "problem", "");

	if (json_is_null(json_object_get(row, "found")))
		tell("%-16s cannot tell: %s\n", jget_str(row, "name", ""), problem);
	else
		tell("%-16s missing: %s\n", jget_str(row, "name", ""), jget_str(row, "install", problem));
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
	tell("%-16s %s%s\n", jget_str(row, "name", ""), jget_str(row, "where", ""),
	     jget_bool(row, "complete", 0) ? "" : "  (incomplete: `lockbench data verify` says what is missing)");
}

static void print_differences(json_t *row)
{
	json_t *files = json_object_get(row, "files"), *f;
	size_t i;

	json_array_foreach(files, i, f) {
		if (jget_bool(f, "equal", 0))
			continue;
		tell("    %s\n      content   %s\n      published %s\n", jget_str(f, "file", ""),
		     jget_str(f, "sha256", jget_str(f, "problem", "")), jget_str(f, "published", ""));
	}
}

static void print_verify(json_t *row)
{
	static const struct { const char *verdict, *text; } texts[] = {
		{ "ok", "ok, equal to the published set; " },
		{ "unpublished", "reads well, nothing published to compare it with; " },
		{ "different", "DIFFERENT from the published set, install it again; " },
		{ "damaged", "DAMAGED, or not this set: " },
		{ "incomplete", "INCOMPLETE: " },
		{ "unreadable", "CANNOT BE READ: " },
	};
	const char *v = jget_str(row, "verdict", "");

	if (!jget_bool(row, "found", 0)) {
		print_missing(row);
		return;
	}
	tell("%-16s ", jget_str(row, "name", ""));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (is(v, texts[i].verdict))
			tell("%s", texts[i].text);
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

/* What could not be read outweighs a difference, for the answer is not known; that a missing set; one that nobody named
 * may be missing. */
static int exit_code(json_t *rows, bool named)
{
	bool unreadable = false, no = false, without = false;
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *v = jget_str(row, "verdict", "");

		unreadable |= jget_bool(row, "unreadable", 0);
		no |= is(v, "different") || is(v, "damaged");
		without |= is(v, "incomplete") || (named && !jget_bool(row, "found", 0));
	}
	return unreadable ? EXIT_IO : no ? EXIT_NO : without ? EXIT_UNEVALUABLE : EXIT_YES;
}

static void print_roots(const char *data_dir)
{
	size_t n;
	char **roots = dataset_roots(data_dir, &n);

	tell("looked in, in this order:\n");
	for (size_t i = 0; i < n; i++) {
		const int there = file_there(roots[i]);

		tell("    %s%s%s\n", roots[i], there ? "" : "  (does not exist)", there < 0 ? "  (cannot look)" : "");
		error_clear();
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
	char **all = NULL, *unseen = NULL;
	size_t nall = 0;
	json_t *rows;
	int code;

	if (!v || dataset_check_root(data_dir))
		return (int)error_code();
	if (!n)
		all = dataset_names(data_dir, &nall, &unseen);
	rows = n ? make_rows(v, names, (size_t)n, data_dir) : make_rows(v, (const char *const *)all, nall, data_dir);
	code = print_all(v, rows, n > 0, data_dir, json);
	json_decref(rows);
	dir_list_free(all, nall);
	if (unseen && !error_code()) {
		error(EXIT_IO, "%s", unseen);
		code = EXIT_IO;
	}
	free(unseen);
	return code;
}
