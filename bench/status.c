/* lockbench status: how far a store is, and what of it is damaged or gone. */
#include <string.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/terminal.h"
#include "base/tile.h"
#include "bench/cellcheck.h"
#include "bench/cli.h"
#include "bench/collect.h"
#include "bench/manifest.h"

/* So many cells are read member by member. Of more, those whose bytes are what the manifest lists are taken for what
 * a run wrote. */
#define WHOLE_MAX 5000
#define LISTED_MAX 20 /* damaged and missing ones in the text */

static const char *const verdicts[] = { "ok", "noop", "scheme-untrained", "over-budget", "n/a" };
enum { DAMAGED = ARRAY_LEN(verdicts), CANNOT_LOOK };

static int verdict_index(const char *s, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		if (strlen(verdicts[i]) == n && !strncmp(verdicts[i], s, n))
			return (int)i;
	return DAMAGED;
}

/* The verdict of a canonical cell: its last two lines but one are `  "verdict": "...",` and `  "why": "..."`. A line
 * break stands in no text. */
static int tail_verdict(const char *text, size_t len)
{
	static const char verdict[] = "  \"verdict\": \"", why[] = "  \"why\": \"";
	const char *line[3], *end = text + len;

	for (int i = 0; i < 3; i++) {
		const char *before = end > text ? memrchr(text, '\n', (size_t)(end - 1 - text)) : NULL;

		if (!before)
			return DAMAGED;
		line[i] = before + 1;
		end = before + 1;
	}
	if (strcmp(line[0], "}\n") != 0 || strncmp(line[1], why, strlen(why)) != 0 ||
	    strncmp(line[2], verdict, strlen(verdict)) != 0)
		return DAMAGED;
	return verdict_index(line[2] + strlen(verdict), strcspn(line[2] + strlen(verdict), "\""));
}

/* ---- looking at many cells ---- */

struct looked {
	int verdict;      /* index, DAMAGED or CANNOT_LOOK */
	char *why;        /* of the latter two */
	uint64_t bytes;
};

struct looking {
	struct store *st;
	const struct manifest *m; /* NULL: read every cell whole */
	char *const *keys;
	size_t n;
	struct looked *cell;      /* (n) */
};

static void note_error(struct looked *c)
{
	c->verdict = error_code() == EXIT_UNEVALUABLE ? DAMAGED : CANNOT_LOOK;
	c->why = xstrdup(error_text());
	error_clear();
}

static void look_whole(struct looking *l, size_t i)
{
	struct looked *c = &l->cell[i];
	json_t *cell = store_get_cell(l->st, l->keys[i]);

	store_file_bytes(l->st, "cells", l->keys[i], &c->bytes);
	if (cell && error_code() == EXIT_YES)
		c->verdict = verdict_index(jget_str(cell, "verdict", ""), strlen(jget_str(cell, "verdict", "")));
	else
		note_error(c);
	json_decref(cell);
}

/* By its hash alone; false: it is another, or not listed, and must be read whole. */
static bool look_quick(const struct looking *l, const struct dir *folder, size_t i)
{
	char *rel = store_rel("cells", l->keys[i]), *text = NULL, hash[HASH_HEX];
	const char *want = manifest_hash(l->m, rel);
	struct looked *c = &l->cell[i];
	size_t len = 0;

	if (want)
		text = dir_read(folder, strrchr(rel, '/') + 1, CELL_BYTES_MAX, &len);
	error_clear(); /* said again by who reads it whole */
	if (text) {
		sha256_hex(text, len, hash);
		c->bytes = len;
		c->verdict = strcmp(hash, want) ? DAMAGED : tail_verdict(text, len);
	}
	free(text);
	free(rel);
	return text && c->verdict != DAMAGED;
}

static size_t first_of(const struct looking *l, int byte)
{
	char prefix[3];
	size_t low = 0, high = l->n;

	snprintf(prefix, sizeof(prefix), "%02x", byte & 255);
	while (low < high && byte < 256) {
		const size_t mid = low + (high - low) / 2;

		if (strncmp(l->keys[mid], prefix, 2) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return byte < 256 ? low : l->n;
}

/* The cells of one of the 256 folders. */
static void look_folder(void *ctx, int byte, int thread)
{
	struct looking *l = ctx;
	const size_t first = first_of(l, byte), end = first_of(l, byte + 1);
	struct dir *folder = NULL;
	char rel[16];

	(void)thread;
	snprintf(rel, sizeof(rel), "cells/%02x", byte);
	if (first < end && dir_find_at(store_folder(l->st), rel, &folder) < 0)
		error_clear();
	for (size_t i = first; i < end; i++)
		if (!folder || !look_quick(l, folder, i))
			l->cell[i].verdict = -1;
	dir_close(folder);
}

static int look(struct looking *l)
{
	if (l->n > WHOLE_MAX && store_listed(l->st, &l->m) < 0 && error_code() != EXIT_UNEVALUABLE)
		return -1;
	error_clear(); /* a damaged manifest is named with what is missing */
	if (l->m)
		tile_for(256, look_folder, l);
	for (size_t i = 0; i < l->n; i++)
		if (!l->m || l->cell[i].verdict < 0)
			look_whole(l, i);
	for (size_t i = 0; i < l->n; i++)
		if (l->cell[i].verdict == CANNOT_LOOK)
			return error(EXIT_IO, "%s", l->cell[i].why);
	return 0;
}

/* ---- the whole ---- */

static json_t *entry(const char *what, const char *key, const char *why)
{
	return jset_str(jset_str(jset_str(json_object(), "what", what), "key", key), "why", why);
}

struct walk { json_t *failures, *damaged, *missing; const char *what; };

static int add_missing(void *ctx, const char *key)
{
	struct walk *w = ctx;

	json_array_append_new(w->missing, entry(w->what, key, "listed in " MANIFEST_NAME ", and not there"));
	return 0;
}

static int status_missing(struct store *st, const char *kind, const char *what, char *const *keys, size_t n,
			  struct walk *w)
{
	w->what = what;
	return store_missing(st, kind, keys, n, add_missing, w);
}

static int status_cells(struct store *st, json_t *j, struct walk *w)
{
	struct looking l = { .st = st };
	json_t *counts = json_object();
	double bytes = 0;
	char **keys = store_keys(st, "cells", &l.n);
	int ret = keys ? 0 : -1;

	l.keys = keys;
	l.cell = xcalloc(l.n + 1, sizeof(*l.cell));
	if (ret == 0)
		ret = look(&l);
	for (size_t i = 0; i < l.n; i++) {
		const int v = l.cell[i].verdict;
		const char *name = v >= 0 && v < DAMAGED ? verdicts[v] : "damaged";

		bytes += (double)l.cell[i].bytes;
		jset_int(counts, name, jget_int(counts, name, 0) + 1);
		if (v >= DAMAGED)
			json_array_append_new(w->damaged, entry("cell", keys[i], l.cell[i].why));
		free(l.cell[i].why);
	}
	jset_int(j, "cells", (long long)l.n);
	jset_num(j, "cell_bytes", bytes);
	jset(j, "verdicts", counts);
	if (ret == 0)
		ret = status_missing(st, "cells", "cell", keys, l.n, w);
	dir_list_free(keys, l.n);
	free(l.cell);
	return ret;
}

static int status_artefacts(struct store *st, json_t *j, struct walk *w)
{
	size_t n;
	char **keys = store_keys(st, "artefacts", &n);
	double bytes = 0;
	int ret = keys ? 0 : -1;

	for (size_t i = 0; i < n && ret == 0; i++) {
		uint64_t b = 0;

		ret = store_file_bytes(st, "artefacts", keys[i], &b) < 0 ? -1 : 0;
		bytes += (double)b;
	}
	jset_int(j, "artefacts", (long long)n);
	jset_num(j, "artefact_bytes", bytes);
	if (ret == 0)
		ret = status_missing(st, "artefacts", "artefact", keys, n, w);
	dir_list_free(keys, n);
	return ret;
}

static int add_failure(void *ctx, const char *key, const json_t *f)
{
	struct walk *w = ctx;
	json_t *line = json_object();

	jset_str(line, "key", key);
	jset_str(line, "verdict", jget_str(f, "verdict", "failed"));
	jset_str(line, "why", jget_str(f, "why", ""));
	jset_int(line, "attempt", jget_int(f, "attempt", 1));
	json_array_append_new(w->failures, line);
	return 0;
}

static int add_damaged(void *ctx, const char *key, const char *why)
{
	json_array_append_new(((struct walk *)ctx)->damaged, entry("failure", key, why));
	return 0;
}

static int status_others(struct store *st, struct walk *w)
{
	static const char *const kinds[][2] = { { "failures", "failure" }, { "timing", "timing" } };
	int ret = store_each(st, "failures", add_failure, add_damaged, w);

	for (size_t k = 0; k < ARRAY_LEN(kinds) && ret == 0; k++) {
		size_t n;
		char **keys = store_keys(st, kinds[k][0], &n);

		ret = keys ? status_missing(st, kinds[k][0], kinds[k][1], keys, n, w) : -1;
		dir_list_free(keys, n);
	}
	return ret;
}

/* A damaged manifest lists nothing; it is the damage that is named. */
static int status_manifest(struct store *st, struct walk *w)
{
	const struct manifest *m;

	if (store_listed(st, &m) >= 0)
		return 0;
	if (error_code() != EXIT_UNEVALUABLE)
		return -1;
	json_array_append_new(w->damaged, entry(MANIFEST_NAME, "", error_text()));
	error_clear();
	return 0;
}

static json_t *status_run(struct store *st, json_t *damaged)
{
	json_t *run = store_read_run(st);

	if (!run && error_code() == EXIT_UNEVALUABLE) {
		json_array_append_new(damaged, entry("last-run.json", "", error_text()));
		error_clear();
	}
	return run;
}

/* NULL after error(), when something could not be looked at: no count would be right. */
static json_t *status_json(struct store *st)
{
	json_t *j = json_object(), *run;
	struct walk w = { json_array(), json_array(), json_array(), NULL };
	int ret = status_manifest(st, &w);

	if (ret == 0)
		ret = status_cells(st, j, &w);
	if (ret == 0)
		ret = status_artefacts(st, j, &w);
	if (ret == 0)
		ret = status_others(st, &w);
	run = ret == 0 ? status_run(st, w.damaged) : NULL;
	jset(j, "failures", w.failures);
	jset(j, "damaged", w.damaged);
	jset(j, "missing", w.missing);
	jset_str(j, "store", store_dir(st));
	jset(j, "last_run", run ? run : json_null());
	if (ret == 0 && error_code() == EXIT_YES)
		return j;
	json_decref(j);
	return NULL;
}

static void print_list(const json_t *list, const char *heading)
{
	const json_t *v;
	size_t i;

	if (!json_array_size(list))
		return;
	tell("%zu %s\n", json_array_size(list), heading);
	json_array_foreach(list, i, v) {
		if (i == LISTED_MAX) {
			tell("  and %zu more (--json lists them)\n", json_array_size(list) - i);
			break;
		}
		tell("  %s%s%.12s: %s\n", jget_str(v, "what", ""), *jget_str(v, "key", "") ? " " : "",
		     jget_str(v, "key", ""),
		       jget_str(v, "why", ""));
	}
}

static void status_text(const json_t *j)
{
	const json_t *failures = json_object_get(j, "failures"), *run = json_object_get(j, "last_run");
	const char *name;
	json_t *v;
	size_t i;

	tell("store %s\n", jget_str(j, "store", ""));
	if (json_is_object(run))
		tell("last run: %s\n", jget_str(run, "command", ""));
	tell("%lld cells (%.1f MiB)", jget_int(j, "cells", 0), jget_num(j, "cell_bytes", 0) / 1048576);
	json_object_foreach(json_object_get(j, "verdicts"), name, v)
		tell(", %lld %s", (long long)json_integer_value(v), name);
	tell("\n%lld artefacts (%.1f MiB)\n%zu failed cells\n", jget_int(j, "artefacts", 0),
	       jget_num(j, "artefact_bytes", 0) / 1048576, json_array_size(failures));
	json_array_foreach(failures, i, v)
		tell("  %.12s %s, attempt %lld: %s\n", jget_str(v, "key", ""), jget_str(v, "verdict", ""),
		       jget_int(v, "attempt", 1), jget_str(v, "why", ""));
	print_list(json_object_get(j, "damaged"),
		   "damaged: `lockbench verify` says more, `lockbench run` makes cells again");
	print_list(json_object_get(j, "missing"), "missing");
}

struct status_conf { struct cli_common common; };
static const struct opt status_opts[] = { CLI_COMMON(struct status_conf), { 0 } };

static int status_main(const struct cli_command *self, int argc, char **argv)
{
	struct status_conf c;
	struct cli_args args;
	struct store *st;
	json_t *j;
	bool damaged;
	int ret = cli_parse(self, argc, argv, &c, &args);

	if (ret)
		return ret < 0 ? -1 : EXIT_YES;
	cli_apply(&c.common);
	st = store_open(args.n ? args.arg[0] : "store", false);
	j = st ? status_json(st) : NULL;
	damaged = json_array_size(json_object_get(j, "damaged")) || json_array_size(json_object_get(j, "missing"));
	ret = j ? 0 : -1;
	if (j && !c.common.json) {
		status_text(j);
		json_decref(j);
	} else if (j) {
		ret = cli_print_json(j);
	}
	store_close(st);
	return ret < 0 ? -1 : damaged ? EXIT_NO : EXIT_YES;
}

const struct cli_command command_status = {
	.name = "status", .main = status_main,
	.summary = "how far a store is: cells, failures, disk, damage (exit 1)", .arguments = "[STORE]",
	.max_args = 1, .opts = status_opts, .conf_size = sizeof(struct status_conf)
};
