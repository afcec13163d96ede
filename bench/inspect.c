/* lockbench status, report, verify, gc: what is in a store. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/terminal.h"
#include "bench/cli.h"
#include "bench/collect.h"
#include "bench/keys.h"
#include "bench/pictures.h"
#include "bench/store.h"
#include "bench/tier.h"
#include "bench/withhold.h"
#include "metrics/metric.h"
#include "reports/report.h"

struct inspect_conf { struct cli_common common; };
static const struct opt inspect_opts[] = { CLI_COMMON(struct inspect_conf), { 0 } };

/* Parse, open the store named by the first argument ("store" by default). 0, 1 when help was printed, -1 after error(). */
static int begin(const struct cli_command *self, int argc, char **argv, struct inspect_conf *c, struct cli_args *args,
		 struct store **st)
{
	int ret = cli_parse(self, argc, argv, c, args);

	*st = NULL;
	if (ret)
		return ret;
	cli_apply(&c->common);
	*st = store_open(args->n ? args->arg[0] : "store", false);
	return *st ? 0 : -1;
}

/* ---- status ---- */

/* The verdict stands near the end of a canonical cell file, so that a big store need not be parsed to be counted. */
static void tail_verdict(struct store *st, const char *key, char *verdict, size_t size)
{
	char *rel = store_rel("cells", key), buf[1025], *p = NULL;
	int fd = dir_open_file(store_folder(st), rel);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "rb");
	size_t n = 0;

	snprintf(verdict, size, "unreadable");
	if (f && fseek(f, 0, SEEK_END) == 0) {
		long len = ftell(f);

		fseek(f, len > 1024 ? len - 1024 : 0, SEEK_SET);
		n = fread(buf, 1, 1024, f);
		buf[n] = '\0';
		p = strstr(buf, "\n  \"verdict\": \"");
	}
	if (p)
		snprintf(verdict, size, "%.*s", (int)strcspn(p + 15, "\""), p + 15);
	if (f)
		fclose(f);
	free(rel);
}

static void count(json_t *counts, const char *name)
{
	jset_int(counts, name, jget_int(counts, name, 0) + 1);
}

static int damaged_left_out(void *ctx, const char *key, const char *why)
{
	(void)ctx;
	(void)key;
	warning("%s; left out", why);
	return 0;
}

static int add_failure(void *ctx, const char *key, const json_t *f)
{
	json_t *line = json_object();

	jset_str(line, "key", key);
	jset_str(line, "verdict", jget_str(f, "verdict", "failed"));
	jset_str(line, "why", jget_str(f, "why", ""));
	jset_int(line, "attempt", jget_int(f, "attempt", 1));
	json_array_append_new(ctx, line);
	return 0;
}

static double file_bytes(struct store *st, const char *kind, const char *key)
{
	uint64_t bytes = 0;

	return store_file_bytes(st, kind, key, &bytes) > 0 ? (double)bytes : 0;
}

static json_t *status_json(struct store *st)
{
	json_t *j = json_object(), *verdicts = json_object(), *failures = json_array(), *run = store_get_run(st);
	size_t n = 0;
	char **keys = store_keys(st, "cells", &n), verdict[64];
	double bytes = 0;

	for (size_t i = 0; keys && i < n; i++) {
		tail_verdict(st, keys[i], verdict, sizeof(verdict));
		count(verdicts, verdict);
		bytes += file_bytes(st, "cells", keys[i]);
	}
	jset_int(j, "cells", (long long)n);
	jset_num(j, "cell_bytes", bytes);
	dir_list_free(keys, n);
	keys = store_keys(st, "artefacts", &n);
	bytes = 0;
	for (size_t i = 0; keys && i < n; i++)
		bytes += file_bytes(st, "artefacts", keys[i]);
	jset_int(j, "artefacts", (long long)n);
	jset_num(j, "artefact_bytes", bytes);
	dir_list_free(keys, n);
	store_each(st, "failures", add_failure, damaged_left_out, failures);
	jset(j, "verdicts", verdicts);
	jset(j, "failures", failures);
	jset_str(j, "store", store_dir(st));
	jset(j, "last_run", run ? run : json_null());
	return j;
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
}

static int status_main(const struct cli_command *self, int argc, char **argv)
{
	struct inspect_conf c;
	struct cli_args args;
	struct store *st;
	int ret = begin(self, argc, argv, &c, &args, &st);

	if (ret == 0) {
		json_t *j = status_json(st);

		if (error_code() != EXIT_YES) { /* something could not be looked at: no count is right */
			json_decref(j);
			ret = -1;
		} else if (!c.common.json) {
			status_text(j);
			json_decref(j);
		} else {
			ret = cli_print_json(j);
		}
	}
	store_close(st);
	return ret < 0 ? -1 : EXIT_YES;
}

const struct cli_command command_status = {
	.name = "status", .main = status_main, .summary = "how far a store is: cells, failures, disk", .arguments = "[STORE]",
	.max_args = 1, .opts = inspect_opts, .conf_size = sizeof(struct inspect_conf)
};

/* ---- what reports read ---- */

struct collecting {
	struct store *st;
	struct collection *c;
};

static int take_cell(void *ctx, const char *key, const json_t *cell)
{
	struct collecting *g = ctx;
	json_t *t = store_get_timing(g->st, key);

	json_array_append_new(g->c->cells, json_incref((json_t *)(uintptr_t)cell));
	if (t)
		jset(g->c->timings, key, t);
	return 0;
}

static int take_failure(void *ctx, const char *key, const json_t *f)
{
	struct collecting *g = ctx;

	(void)key;
	json_array_append_new(g->c->failures, json_incref((json_t *)(uintptr_t)f));
	return 0;
}

/* The members of "attacker" that are not the tier's rule. */
static json_t *unusual(const json_t *point)
{
	json_t *given = json_object_get(point, "attacker"), *rule = NULL, *out = json_object(), *v;
	const char *name, *tier = jget_str(point, "tier", "");

	for (int i = 0; i < 3; i++)
		if (!strcmp(tier_names[i], tier))
			rule = attacker_json(&tier_table[i].attacker, false);
	json_object_foreach(given, name, v)
		if (!json_equal(v, json_object_get(rule, name)) || !strcmp(name, "search"))
			json_object_set(out, name, v);
	json_decref(rule);
	return out;
}

/* A copy of a point (or cell) with its unusual grants among the attack's options; NULL where there are none. */
static json_t *labelled(const json_t *point)
{
	json_t *more = unusual(point), *copy = NULL;

	if (json_object_size(more)) {
		json_t *options = json_object();

		json_object_update(options, json_object_get(point, "attack_options"));
		json_object_update(options, more);
		copy = json_copy((json_t *)(uintptr_t)point);
		jset(copy, "attack_options", options);
	}
	json_decref(more);
	return copy;
}

void collection_label(struct collection *c)
{
	json_t *j, *copy;
	size_t i;

	json_array_foreach(c->cells, i, j) {
		copy = labelled(j);
		if (copy)
			json_array_set_new(c->cells, i, copy);
	}
	json_array_foreach(c->failures, i, j) {
		copy = labelled(json_object_get(j, "point"));
		if (copy) {
			j = json_copy(j);
			jset(j, "point", copy);
			json_array_set_new(c->failures, i, j);
		}
	}
}

int collect(struct store *st, const char *title, struct collection *c)
{
	struct collecting g = { st, c };

	*c = (struct collection){ .cells = json_array(), .timings = json_object(), .failures = json_array(), .run = store_get_run(st) };
	if (error_code() != EXIT_YES || store_each(st, "cells", take_cell, damaged_left_out, &g) < 0 ||
	    store_each(st, "failures", take_failure, damaged_left_out, &g) < 0 || store_hash(st, c->hash) < 0)
		return -1;
	c->input = (struct report_input){ .cells = c->cells, .timings = c->timings, .failures = c->failures,
					  .title = title && *title ? title : jget_str(c->run, "name", "lockbench"),
					  .store_hash = c->hash, .command = jget_str(c->run, "command", ""), .where = store_dir(st) };
	c->drivers = drivers_json(c->cells, c->failures);
	c->pictures = pictures_json(st, c->cells);
	c->input.drivers = c->drivers;
	c->input.pictures = c->pictures;
	return 0;
}

void collection_release(struct collection *c)
{
	json_decref(c->cells);
	json_decref(c->timings);
	json_decref(c->failures);
	json_decref(c->run);
	json_decref(c->drivers);
	json_decref(c->pictures);
}

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
	int ret = collect(st, c->title, &col);

	if (ret == 0)
		collection_label(&col);

	col.input.select = &select;
	if (ret == 0 && !json_array_size(col.cells) && !json_array_size(col.failures))
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
	collection_release(&col);
	if (!ret && c->common.json) {
		json_t *j = json_object();

		jset(j, "files", files);
		return cli_print_json(j);
	}
	json_decref(files);
	return ret;
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
	return ret < 0 ? -1 : EXIT_YES;
}

const struct cli_command command_report = {
	.name = "report", .main = report_main, .summary = "write what a store holds as .html .md .tex .csv .json",
	.arguments = "[STORE]", .max_args = 1, .opts = report_opts, .conf_size = sizeof(struct report_conf), .outputs = true,
	.output_name = report_output_name,
	.more = "Without -o, --table prints the table as Markdown."
};

/* ---- verify ---- */

struct checking {
	struct store *st;
	json_t *problems;
	long cells, artefacts, unneeded;
	long withheld; /* cells with a secret that is not known here */
};

static void problem(struct checking *k, const char *what, const char *key)
{
	json_t *j = json_object();

	jset_str(j, "what", what);
	jset_str(j, "key", key);
	jset_str(j, "why", error_text());
	json_array_append_new(k->problems, j);
	error_clear();
}

/* The metrics of a cell follow from its observations, whatever wrote them. */
static int check_metrics(const json_t *cell)
{
	struct observations o = { 0 };
	json_t *again;
	int ret = obs_from_json(&o, json_object_get(cell, "observations"));

	if (ret == 0) {
		again = metrics_json(&o);
		if (!json_equal(again, json_object_get(cell, "metrics")))
			ret = error(EXIT_UNEVALUABLE, "its metrics do not follow from its observations (an older metric's version?)");
		json_decref(again);
	}
	obs_release(&o);
	return ret;
}

int verify_cell(struct store *st, const char *key)
{
	json_t *cell;
	struct keys k;
	int ret = store_check_cell(st, key);

	if (ret < 0)
		return ret;
	cell = store_get_cell(st, key);
	keys_of(cell, &k);
	if (strcmp(k.cell, key) != 0 || strcmp(k.base, jget_str(cell, "base_key", "")) != 0 ||
	    strcmp(k.locked, jget_str(cell, "locked_key", "")) != 0 || strcmp(k.creds, jget_str(cell, "creds_key", "")) != 0)
		ret = error(EXIT_UNEVALUABLE, "its keys do not follow from its settings (made by another version of the harness?)");
	else
		ret = check_metrics(cell);
	if (ret == 0)
		ret = withheld_check(cell);
	json_decref(cell);
	return ret;
}

static int verify_store(struct checking *k)
{
	size_t n;
	char **keys = store_keys(k->st, "cells", &n);

	if (!keys)
		return -1;
	for (size_t i = 0; i < n; i++, k->cells++) {
		const int ret = verify_cell(k->st, keys[i]);

		if (ret < 0)
			problem(k, "cell", keys[i]);
		k->withheld += ret == 1;
	}
	dir_list_free(keys, n);
	keys = store_keys(k->st, "artefacts", &n);
	if (!keys)
		return -1;
	for (size_t i = 0; i < n; i++, k->artefacts++)
		if (store_check_artefact(k->st, keys[i]) < 0)
			problem(k, "artefact", keys[i]);
	dir_list_free(keys, n);
	return 0;
}

static int verify_main(const struct cli_command *self, int argc, char **argv)
{
	struct inspect_conf c;
	struct cli_args args;
	struct checking k = { 0 };
	int ret = begin(self, argc, argv, &c, &args, &k.st);
	size_t bad, i;
	json_t *p;

	if (ret) {
		return ret < 0 ? -1 : EXIT_YES;
	}
	k.problems = json_array();
	ret = verify_store(&k);
	bad = json_array_size(k.problems);
	if (ret == 0 && c.common.json) {
		json_t *j = json_object();

		jset_int(j, "cells", k.cells);
		jset_int(j, "artefacts", k.artefacts);
		jset_int(j, "withheld", k.withheld);
		jset(j, "problems", json_incref(k.problems));
		ret = cli_print_json(j);
	} else if (ret == 0) {
		json_array_foreach(k.problems, i, p)
			tell("%s %s: %s\n", jget_str(p, "what", ""), jget_str(p, "key", ""), jget_str(p, "why", ""));
		tell("%ld cells, %ld artefacts checked, %zu bad\n", k.cells, k.artefacts, bad);
		if (k.withheld)
			tell("%ld cells withhold a secret option: that their keys follow from it only its owner can "
			     "check\n", k.withheld);
	}
	json_decref(k.problems);
	store_close(k.st);
	return ret < 0 ? -1 : bad ? EXIT_NO : EXIT_YES;
}

const struct cli_command command_verify = {
	.name = "verify", .main = verify_main, .summary = "is every byte of a store what was written? exit 1 when not",
	.arguments = "[STORE]", .max_args = 1, .opts = inspect_opts, .conf_size = sizeof(struct inspect_conf)
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

static int sweep_artefacts(struct store *st, const json_t *set, bool dry, json_t *out)
{
	size_t n, gone = 0;
	char **keys = store_keys(st, "artefacts", &n);
	double bytes = 0;

	if (!keys)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (json_object_get(set, keys[i]))
			continue;
		gone++;
		bytes += file_bytes(st, "artefacts", keys[i]);
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
