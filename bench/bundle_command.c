/* lockbench bundle: a study as one archive, and several as one. */
#include <string.h>

#include "base/json.h"
#include "base/terminal.h"
#include "bench/bundlefile.h"
#include "bench/cli.h"
#include "schemes/scheme.h"

struct bundle_conf {
	struct cli_common common;
	char job[OPT_STRING_MAX], report[OPT_STRING_MAX];
	int merge;
};
#define ROW(m) offsetof(struct bundle_conf, m)
static const struct opt bundle_opts[] = {
	{ "job", OPT_STRING, ROW(job), "", 0, 255, "put this job file in", NULL },
	{ "report", OPT_STRING, ROW(report), "", 0, 255, "put this report in", NULL },
	{ "merge", OPT_BOOL, ROW(merge), "false", 0, 0, "the arguments are bundles: make one of them", NULL },
	CLI_COMMON(struct bundle_conf),
	{ 0 }
};

static int collect_store(const struct bundle_conf *c, const struct cli_args *args, struct bundle_file *b)
{
	struct store *st;
	int ret;

	if (args->n > 1)
		return error(EXIT_UNEVALUABLE, "bundle: one store; bundles of several labs are merged with --merge");
	st = store_open(args->n ? args->arg[0] : "store", false);
	ret = st ? bundle_file_collect(b, st, *c->job ? c->job : NULL, *c->report ? c->report : NULL) : -1;
	store_close(st);
	return ret;
}

static int merge(const struct cli_args *args, struct bundle_file *b)
{
	struct bundle_file in[CLI_MANY] = { { .n = 0 } };
	int ret = 0;

	if (args->n < 2)
		return error(EXIT_UNEVALUABLE, "bundle --merge wants two bundles or more");
	for (int i = 0; i < args->n && !ret; i++)
		ret = bundle_file_read(&in[i], args->arg[i]);
	if (ret == 0)
		ret = bundle_file_merge(b, in, args->n);
	for (int i = 0; i < args->n; i++)
		bundle_file_release(&in[i]);
	return ret;
}

/* "activeguard digits, passport signature" */
static void say_withheld(const json_t *set)
{
	const char *glue = "withheld, since only their owner may know them: ";
	const json_t *option;
	size_t i;

	for (const struct driver *const *d = schemes; *d; d++)
		json_array_foreach(json_object_get(set, (*d)->name), i, option) {
			tell("%s%s %s", glue, (*d)->name, json_string_value(option));
			glue = ", ";
		}
	if (json_object_size(set))
		tell("\n");
}

static int say(const struct bundle_conf *c, const struct bundle_file *b, const char *path)
{
	const json_t *conflicts = json_object_get(b->manifest, "conflicts"), *v, *what;
	const json_t *withheld = json_object_get(b->manifest, "withheld");
	const long long cells = jget_int(b->manifest, "cells", 0);
	size_t i, k;

	if (c->common.json) {
		json_t *j = json_object();

		jset_str(j, "file", path);
		jset_str(j, "hash", b->hash);
		jset_int(j, "cells", cells);
		jset_int(j, "files", b->n);
		jset(j, "conflicts", json_deep_copy(conflicts));
		if (withheld)
			jset(j, "withheld", json_deep_copy(withheld));
		return cli_print_json(j);
	}
	json_array_foreach(conflicts, i, v) {
		tell("conflict: cell %.12s differs in", jget_str(v, "key", ""));
		json_array_foreach(json_object_get(v, "what"), k, what)
			tell(" %s", json_string_value(what));
		tell("; kept that of %.12s\n", jget_str(v, "kept", ""));
	}
	say_withheld(withheld);
	tell("%s: %lld cells, %d files, bundle %s\n", path, cells, b->n, b->hash);
	return 0;
}

static int bundle_main(const struct cli_command *self, int argc, char **argv)
{
	struct bundle_conf c;
	struct cli_args args;
	struct bundle_file b = { .n = 0 };
	int ret = cli_parse(self, argc, argv, &c, &args);

	if (ret)
		return ret < 0 ? -1 : EXIT_YES;
	if (args.nout != 1)
		return error(EXIT_UNEVALUABLE, "bundle: say where: -o study.tar (or .tar.gz)");
	ret = c.merge ? merge(&args, &b) : collect_store(&c, &args, &b);
	if (ret == 0)
		ret = bundle_file_write(&b, args.out[0]);
	if (ret == 0)
		ret = say(&c, &b, args.out[0]);
	if (ret == 0)
		ret = json_array_size(json_object_get(b.manifest, "conflicts")) ? EXIT_NO : EXIT_YES;
	bundle_file_release(&b);
	return ret;
}

const struct cli_command command_bundle = {
	.name = "bundle", .main = bundle_main, .summary = "a study as one archive for reviewers; bundles of several labs as one",
	.arguments = "[STORE]", .max_args = CLI_MANY, .opts = bundle_opts, .conf_size = sizeof(struct bundle_conf), .outputs = true,
	.more = "-o study.tar or study.tar.gz. The archive unpacks to a store without artefacts (weights and credentials),"
		" without what only the owner may know (ActiveGuard's digits, a passport's signature, a chaotic key),"
		" and without names of machines, users and folders; "
		"`lockbench reproduce study.tar` verifies it and runs a sample again. `lockbench bundle --merge A.tar B.tar -o C.tar` exits 1 when "
		"two bundles have a cell with different contents: the first one's is kept, and C's manifest lists the others."
};
