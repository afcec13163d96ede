/* lockbench compare: is the candidate worse than the baseline? The gate of a CI job (docs/gate.md). */
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/file.h"
#include "bench/bundlefile.h"
#include "bench/cellcheck.h"
#include "bench/cli.h"
#include "bench/collect.h"
#include "bench/compare.h"
#include "bench/manifest.h"
#include "bench/withhold.h"

#define CELLS_BYTES_MAX ((size_t)256 << 20) /* of a JSON file of cells: as many as a large study has ... */
#define CELLS_VALUES_MAX ((size_t)1 << 24) /* ... in as much memory as a small machine has */

struct compare_options {
	struct cli_common common;
	char margin[OPT_STRING_MAX], margins[OPT_STRING_MAX], scheme[OPT_STRING_MAX], against[OPT_STRING_MAX];
	int mixed, strict, partial, all, replicates;
};
#define ROW(m) offsetof(struct compare_options, m)
static const struct opt compare_opts[] = {
	{ "margin", OPT_STRING, ROW(margin), "", 0, 255, "what counts as the same: METRIC=POINTS or METRIC=SHARE%, several with commas; "
	  "`default` and `attacked` stand for all percentages", NULL },
	{ "margins", OPT_STRING, ROW(margins), "", 0, 255, "a YAML file (a job will do) with a map `margins:` of them", NULL },
	{ "scheme", OPT_STRING, ROW(scheme), "", 0, 63, "only cells of this scheme", NULL },
	{ "against", OPT_STRING, ROW(against), "", 0, 63, "the baseline's scheme that it is compared with, whatever its options", NULL },
	{ "strict", OPT_BOOL, ROW(strict), "false", 0, 0, "exit 2 when something is not decidable, too", NULL },
	{ "partial", OPT_BOOL, ROW(partial), "false", 0, 0, "compare what both have: no exit 2 for cells that one side lacks, or that are damaged", NULL },
	{ "mixed", OPT_BOOL, ROW(mixed), "false", 0, 0, "pair cells of different engines, kernels, tiers or limits too", NULL },
	{ "all", OPT_BOOL, ROW(all), "false", 0, 0, "show what is the same too, and why something is not decidable", NULL },
	{ "replicates", OPT_INT, ROW(replicates), "10000", 100, 1000000, "of the bootstrap", NULL },
	CLI_COMMON(struct compare_options),
	{ 0 }
};

/* What is compared: the cells of a store, of a bundle, or of a JSON file that holds them (an array, {"cells": [...]}, or one cell). */
struct source {
	json_t *cells, *failures;
	json_t *left_out; /* of a store, as in struct collection */
};

static void source_release(struct source *s)
{
	json_decref(s->cells);
	json_decref(s->failures);
	json_decref(s->left_out);
}

static int read_store(struct source *s, const char *path)
{
	struct store *st = store_open(path, false);
	struct collection col;
	int ret = -1;

	if (!st)
		return -1;
	if (collect(st, NULL, &col) == 0) {
		s->cells = json_incref(col.cells);
		s->failures = json_incref(col.failures);
		s->left_out = json_incref(col.left_out);
		ret = 0;
	}
	collection_release(&col);
	store_close(st);
	return ret;
}

static int check_each(const json_t *list, const char *path, int (*check)(const json_t *))
{
	const json_t *c;
	size_t i;

	json_array_foreach(list, i, c)
		if (check(c) < 0)
			return error_prefix("%s: entry %zu", path, i + 1);
	return 0;
}

static int read_json(struct source *s, const char *path)
{
	size_t len = 0;
	char *text = file_read(path, CELLS_BYTES_MAX, &len);
	json_t *j = text ? json_read_bounded(text, len, CELLS_VALUES_MAX, path) : NULL;
	json_t *cells = json_is_object(j) ? json_object_get(j, "cells") : j;

	free(text);
	if (!j)
		return -1;
	if (json_is_array(cells))
		s->cells = json_incref(cells);
	else if (json_is_object(json_object_get(j, "metrics")))
		json_array_append(s->cells = json_array(), j);
	s->failures = json_array();
	json_decref(j);
	if (!s->cells)
		return error(EXIT_UNEVALUABLE, "%s holds no cells; compare wants a store, or a JSON file with an array of cells", path);
	return check_each(s->cells, path, cell_check_given);
}

static int read_bundle(struct source *s, const char *path)
{
	struct bundle_file b;

	if (bundle_file_read(&b, path) < 0)
		return -1;
	s->cells = bundle_file_json(&b, "cells/");
	s->failures = s->cells ? bundle_file_json(&b, "failures/") : NULL;
	bundle_file_release(&b);
	return s->failures ? 0 : -1;
}

static int read_source(struct source *s, const char *path)
{
	const size_t n = strlen(path);
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return read_store(s, path);
	return n > 5 && !strcmp(path + n - 5, ".json") ? read_json(s, path) : read_bundle(s, path);
}

/* Where one side withholds secret options the other one has to, or cells of the same settings would not find each
 * other. */
static bool withholds(const struct source *s)
{
	const json_t *c;
	size_t i;

	json_array_foreach(s->cells, i, c)
		if (withheld(c))
			return true;
	return false;
}

static void withhold_all(struct source *s)
{
	json_t *j;
	size_t i;

	json_array_foreach(s->cells, i, j)
		json_array_set_new(s->cells, i, withhold(j));
	json_array_foreach(s->failures, i, j) {
		json_t *point = json_object_get(j, "point"), *copy = json_copy(j);

		if (point)
			jset(copy, "point", withhold(point));
		json_array_set_new(s->failures, i, copy);
	}
}

static int show(const struct compare_options *o, const struct cli_args *args, const struct pairs *p, const struct comparison *c)
{
	const struct compare_names names = { args->arg[0], args->arg[1], o->all, o->strict, o->partial };

	for (int i = 0; i < args->nout; i++)
		if (compare_write(c, p, &names, args->out[i]) < 0)
			return -1;
	if (o->common.json && cli_print_json(compare_json(c, p, &names)) < 0)
		return -1;
	if (!o->common.json)
		compare_print(c, p, &names);
	return compare_exit(c, p, o->strict, o->partial);
}

/* What of a side's cells, and of what would say how many there should be, cannot be read. Timings and pictures are not compared. */
static void add_unread(json_t *texts, const struct source *s)
{
	const json_t *v;
	size_t i;

	json_array_foreach(s->left_out, i, v) {
		const char *what = jget_str(v, "what", "");

		if (!strcmp(what, "cell") || !strcmp(what, "failure") || !strcmp(what, MANIFEST_NAME))
			json_array_append(texts, json_object_get(v, "why"));
	}
}

static int compare(const struct compare_options *o, const struct cli_args *args, struct source s[2])
{
	const struct pair_conf pc = { *o->scheme ? o->scheme : NULL, *o->against ? o->against : NULL, o->mixed };
	struct margins margins = { .n = 0 };
	const struct compare_conf cc = { &margins, o->replicates };
	struct comparison c;
	struct pairs p;
	int ret;

	if (pc.against && !pc.scheme)
		return error(EXIT_UNEVALUABLE, "compare: --against %s wants --scheme NAME, the candidate's", pc.against);
	if (*o->margins && margins_file(&margins, o->margins) < 0)
		return -1;
	if (margins_text(&margins, o->margin) < 0)
		return error_prefix("compare: --margin");
	if (read_source(&s[0], args->arg[0]) < 0 || read_source(&s[1], args->arg[1]) < 0)
		return -1;
	if (withholds(&s[0]) || withholds(&s[1])) {
		withhold_all(&s[0]);
		withhold_all(&s[1]);
	}
	ret = pairs_make(&p, s[0].cells, s[1].cells, s[1].failures, &pc);
	if (ret == 0) {
		add_unread(p.unread, &s[0]);
		add_unread(p.unread, &s[1]);
		compare_pairs(&p, &cc, &c);
		ret = show(o, args, &p, &c);
		comparison_release(&c);
	}
	pairs_release(&p);
	return ret;
}

static int compare_main(const struct cli_command *self, int argc, char **argv)
{
	struct compare_options o;
	struct cli_args args;
	struct source s[2] = { 0 };
	int ret = cli_parse(self, argc, argv, &o, &args);

	if (ret)
		return ret < 0 ? -1 : EXIT_YES;
	cli_apply(&o.common);
	ret = compare(&o, &args, s);
	source_release(&s[0]);
	source_release(&s[1]);
	return ret;
}

const struct cli_command command_compare = {
	.name = "compare", .main = compare_main, .summary = "is the candidate worse than the baseline? exit 1 when it is",
	.arguments = "BASELINE CANDIDATE", .min_args = 2, .max_args = 2, .opts = compare_opts, .conf_size = sizeof(struct compare_options),
	.outputs = true, .output_name = compare_output_name,
	.more = "BASELINE and CANDIDATE are stores, bundles or JSON files with cells. Seed noise is no regression: a metric is worse when the "
		"t-test over seeds (Holm-adjusted) and the 95 % interval show it and the change is larger than the margin. "
		"-o writes .md, .xml (JUnit) and .json. Exit 0: no regression, 1: a regression, 2: could not be evaluated, or one side lacks "
		"cells that the other has, or has cells that are damaged (--partial compares the rest)."
};
