/* lockbench report, gc: what a store holds, for people; and what no cell needs. */
#include <string.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/terminal.h"
#include "bench/cli.h"
#include "bench/collect.h"
#include "bench/keys.h"
#include "bench/manifest.h"
#include "bench/store.h"
#include "reports/report.h"

/* ---- report ---- */

struct report_conf {
	struct cli_common common;
	char title[OPT_STRING_MAX], table[OPT_STRING_MAX], pick[OPT_STRING_MAX], schemes[OPT_STRING_MAX], where[OPT_STRING_MAX],
		mix[OPT_STRING_MAX];
	int split;
};
#define REPORT(m) offsetof(struct report_conf, m)
static const struct opt report_opts[] = {
	{ "table", OPT_STRING, REPORT(table), "", 0, 0, "only survey, functional, resistance, cost, breaking or overhead", NULL },
	{ "pick", OPT_STRING, REPORT(pick), "", 0, 0, "only these metrics, in this order: a,b,c", NULL },
	{ "schemes", OPT_STRING, REPORT(schemes), "", 0, 0, "only these: a,b (the others stay controls for verdicts)", NULL },
	{ "where", OPT_STRING, REPORT(where), "", 0, 0, "only cells like that: dataset=mnist,tier=short", NULL },
	{ "mix", OPT_STRING, REPORT(mix), "", 0, 0, "mix in one table what should not be: tier,engine,limits", NULL },
	{ "split", OPT_BOOL, REPORT(split), "false", 0, 0, "LaTeX: one file a table, and one of macros", NULL },
	{ "title", OPT_STRING, offsetof(struct report_conf, title), "", 0, 0, "heading; the job's name by default", NULL },
	CLI_COMMON(struct report_conf),
	{ 0 }
};

static int write_reports(const struct report_conf *c, const struct cli_args *args, struct store *st)
{
	const struct report_select select = { c->table, c->pick, c->schemes, c->where, c->mix, c->split };
	struct collection col;
	json_t *files = json_array();
	char *text = NULL;
	int ret = collect(st, c->title, &col), damaged;

	if (ret == 0)
		ret = collect_pictures(st, &col);
	if (ret == 0)
		collection_label(&col);
	damaged = json_array_size(col.left_out) > 0;

	col.input.select = &select;
	if (ret == 0 && !json_array_size(col.cells) && !json_array_size(col.failures) && !damaged)
		ret = error(EXIT_UNEVALUABLE, "%s holds no cells yet; `lockbench run JOB --store %s` makes some", store_dir(st),
			    store_dir(st));
	if (ret == 0 && !args->nout) {
		text = report_text(&col.input);
		if (text)
			fputs(text, stdout);
		ret = text ? cli_flush() : -1;
		free(text);
	}
	for (int i = 0; i < args->nout && !ret; i++) {
		ret = report_write(&col.input, args->out[i]);
		json_array_append_new(files, json_string(args->out[i]));
		if (!ret && !c->common.json && !c->common.quiet)
			tell("%s%s\n", args->out[i], c->split && strstr(args->out[i], ".tex") ? " (-*.tex)" : "");
	}
	if (!ret && c->common.json) {
		json_t *j = json_object();

		jset(j, "files", json_incref(files));
		jset(j, "left_out", json_incref(col.left_out));
		ret = cli_print_json(j);
	}
	collection_release(&col);
	json_decref(files);
	return ret < 0 ? -1 : damaged ? EXIT_NO : EXIT_YES;
}

static int report_main(const struct cli_command *self, int argc, char **argv)
{
	struct report_conf c;
	struct cli_args args;
	struct store *st;
	int ret = cli_parse(self, argc, argv, &c, &args);

	if (ret)
		return ret < 0 ? -1 : EXIT_YES;
	if (!args.nout && (!*c.table || c.common.json))
		return error(EXIT_UNEVALUABLE, "report: say where: -o report.html (or .md .tex .csv .json), as often as wanted; or --table survey");
	st = store_open(args.n ? args.arg[0] : "store", false);
	ret = st ? write_reports(&c, &args, st) : -1;
	store_close(st);
	return ret;
}

const struct cli_command command_report = {
	.name = "report", .main = report_main, .summary = "write what a store holds as .html .md .tex .csv .json",
	.arguments = "[STORE]", .max_args = 1, .opts = report_opts, .conf_size = sizeof(struct report_conf), .outputs = true,
	.output_name = report_output_name,
	.more = "Without -o, --table prints the table as Markdown. Exit 1: the report is written, and cells, timings or failures that are damaged or "
		"missing are left out; it says which."
};

/* ---- gc ---- */

struct gc_conf {
	struct cli_common common;
	int dry_run;
};
static const struct opt gc_opts[] = {
	{ "dry-run", OPT_BOOL, offsetof(struct gc_conf, dry_run), "false", 0, 0, "only say what would go", NULL },
	CLI_COMMON(struct gc_conf),
	{ 0 }
};

static void needed(json_t *set, const char *key)
{
	static const char *const parts[] = { "pub", "secret", "images" };
	char part[HASH_HEX];

	jset_bool(set, key, 1);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		part_key(key, parts[i], part);
		jset_bool(set, part, 1);
	}
}

static int needs_of(void *set, const char *key, const json_t *j)
{
	const json_t *point = json_object_get(j, "point");
	struct keys k;

	keys_of(point ? point : j, &k);
	needed(set, k.base);
	needed(set, k.locked);
	needed(set, k.creds);
	needed(set, key);
	return 0;
}

/* A cell that cannot be read might need any artefact. */
static int unknown_needs(void *set, const char *key, const char *why)
{
	(void)set;
	(void)key;
	return error(EXIT_IO, "nothing removed, because what this cell needs is not known: %s", why);
}

/* The manifest stops to vouch for what goes, before it goes. */
static int forget_artefacts(struct store *st, const json_t *set, char *const *keys, size_t n)
{
	struct manifest *m = store_manifest(st);
	bool any = false;

	for (size_t i = 0; m && i < n; i++)
		if (!json_object_get(set, keys[i]))
			manifest_drop_kind(m, "artefacts", keys[i], &any);
	return !m ? -1 : any ? store_publish_manifest(st) : 0;
}

static int sweep_artefacts(struct store *st, const json_t *set, bool dry, json_t *out)
{
	size_t n, gone = 0;
	char **keys = store_keys(st, "artefacts", &n);
	double bytes = 0;

	if (!keys || (!dry && forget_artefacts(st, set, keys, n) < 0)) {
		dir_list_free(keys, n);
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t b = 0;

		if (json_object_get(set, keys[i]))
			continue;
		gone++;
		store_file_bytes(st, "artefacts", keys[i], &b);
		bytes += (double)b;
		if (!dry && store_remove(st, "artefacts", keys[i]) < 0)
			break;
	}
	jset_int(out, "artefacts", (long long)n);
	jset_int(out, "removed", (long long)gone);
	jset_num(out, "bytes", bytes);
	jset_bool(out, "dry_run", dry);
	dir_list_free(keys, n);
	return error_code() == EXIT_YES ? 0 : -1;
}

static int gc_main(const struct cli_command *self, int argc, char **argv)
{
	struct gc_conf c;
	struct cli_args args;
	struct store *st;
	json_t *set, *out;
	int ret = cli_parse(self, argc, argv, &c, &args);

	if (ret)
		return ret < 0 ? -1 : EXIT_YES;
	st = store_open(args.n ? args.arg[0] : "store", false);
	if (!st || (c.dry_run ? store_lock_to_look(st) : store_lock(st)) < 0) {
		store_close(st);
		return -1;
	}
	set = json_object();
	out = json_object();
	ret = store_each(st, "cells", needs_of, unknown_needs, set);
	if (ret == 0)
		ret = store_each(st, "failures", needs_of, unknown_needs, set);
	if (ret == 0)
		ret = sweep_artefacts(st, set, c.dry_run, out);
	if (ret == 0 && c.common.json)
		ret = cli_print_json(json_incref(out));
	else if (ret == 0)
		tell("%lld of %lld artefacts %s (%.1f MiB): no cell needs them\n", jget_int(out, "removed", 0),
		       jget_int(out, "artefacts", 0), c.dry_run ? "would go" : "removed", jget_num(out, "bytes", 0) / 1048576);
	json_decref(set);
	json_decref(out);
	store_close(st);
	return ret < 0 ? -1 : EXIT_YES;
}

const struct cli_command command_gc = {
	.name = "gc", .main = gc_main, .summary = "remove artefacts that no cell and no failed cell needs", .arguments = "[STORE]",
	.max_args = 1, .opts = gc_opts, .conf_size = sizeof(struct gc_conf)
};
