/* lockbench verify: is every byte of a store what was written, is all of it there; and the way back from damage
 * (--repair). */
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
#include "bench/withhold.h"
#include "metrics/metric.h"

/* ---- one cell ---- */

/* The metrics of a cell follow from its observations, whatever wrote them. */
static int check_metrics(const json_t *cell)
{
	struct observations o = { 0 };
	json_t *again;
	int ret = obs_from_json(&o, json_object_get(cell, "observations"));

	if (ret == 0) {
		again = metrics_json(&o);
		if (!json_equal(again, json_object_get(cell, "metrics")))
			ret = error(EXIT_UNEVALUABLE, "its metrics do not follow from its observations (an older "
						      "metric's version?)");
		json_decref(again);
	}
	obs_release(&o);
	return ret;
}

/* Does a cell, whose bytes are what was written, say what can be? As verify_cell(). */
static int check_sense(const json_t *cell)
{
	struct keys k;

	keys_of(cell, &k);
	if (strcmp(k.cell, jget_str(cell, "key", "")) != 0 || strcmp(k.base, jget_str(cell, "base_key", "")) != 0 ||
	    strcmp(k.locked, jget_str(cell, "locked_key", "")) != 0 ||
	    strcmp(k.creds, jget_str(cell, "creds_key", "")) != 0)
		return error(EXIT_UNEVALUABLE, "its keys do not follow from its settings (made by another version of "
					       "the harness?)");
	return check_metrics(cell) < 0 ? -1 : withheld_check(cell);
}

int verify_cell(struct store *st, const char *key)
{
	json_t *cell = store_get_cell(st, key);
	int ret = cell ? check_sense(cell) : -1;

	json_decref(cell);
	return ret;
}

/* ---- the store ---- */

static const struct kind { const char *kind, *what; } kinds[] = {
	{ "cells", "cell" }, { "artefacts", "artefact" }, { "timing", "timing" }, { "failures", "failure" }
};
enum { CELLS, ARTEFACTS, TIMINGS, FAILURES, KINDS };

struct checking {
	struct store *st;
	const struct kind *at;
	json_t *problems;  /* [{"what", "key", "why", "path", "state"}]: damaged, gone, or odd (its bytes are right) */
	json_t *fresh;     /* {path: hash} of what is right and not listed */
	long count[KINDS];
	bool listed;       /* there is a manifest */
	long withheld;     /* cells with a secret that is not known here */
	json_t *did;       /* [{"what", "key", "did"}] of a repair */
	long left;         /* problems that it cannot mend */
};

static void problem(struct checking *k, const char *what, const char *key, const char *path, const char *why,
		    const char *state)
{
	json_t *j = json_object();

	jset_str(j, "what", what);
	jset_str(j, "key", key);
	jset_str(j, "why", why);
	jset_str(j, "path", path);
	jset_str(j, "state", state);
	json_array_append_new(k->problems, j);
}

/* Of a check: what is wrong is damage, what nobody can look at is an error. */
static int judge(struct checking *k, const char *what, const char *key, const char *path, const char *hash, int ret)
{
	const struct manifest *m;

	if (ret < 0 && error_code() != EXIT_UNEVALUABLE)
		return -1;
	if (ret < 0) {
		problem(k, what, key, path, error_text(), "damaged");
		error_clear();
		return 0;
	}
	if (k->listed && store_listed(k->st, &m) < 0)
		return -1;
	if (!k->listed || !manifest_hash(m, path))
		jset_str(k->fresh, path, hash);
	return 0;
}

static int missing(void *ctx, const char *key)
{
	struct checking *k = ctx;
	char *path = store_rel(k->at->kind, key);

	problem(k, k->at->what, key, path, "is listed in " MANIFEST_NAME ", and is not there", "gone");
	free(path);
	return 0;
}

static int check_cell(struct checking *k, const char *key, const char *path)
{
	char hash[HASH_HEX];
	json_t *cell = store_read_cell(k->st, key, hash);
	int ret = judge(k, "cell", key, path, hash, cell ? 0 : -1);

	const int sense = ret == 0 && cell ? check_sense(cell) : 0;

	k->withheld += sense > 0;
	if (sense < 0) {
		problem(k, "cell", key, path, error_text(), "odd");
		error_clear();
	}
	json_decref(cell);
	return ret;
}

static int check_kind(struct checking *k, int kind)
{
	size_t n;
	char **keys, hash[HASH_HEX];
	int ret;

	k->at = &kinds[kind];
	keys = store_keys(k->st, k->at->kind, &n);
	ret = keys ? 0 : -1;
	for (size_t i = 0; i < n && ret == 0; i++, k->count[kind]++) {
		char *path = store_rel(k->at->kind, keys[i]);

		ret = kind == CELLS ? check_cell(k, keys[i], path) :
		      judge(k, k->at->what, keys[i], path, hash, store_check(k->st, k->at->kind, keys[i], hash));
		free(path);
	}
	if (ret == 0 && k->listed)
		ret = store_missing(k->st, k->at->kind, keys, n, missing, k);
	dir_list_free(keys, n);
	return ret;
}

/* store.json and last-run.json. */
static int check_own(struct checking *k, const char *name)
{
	const struct manifest *m = NULL;
	char hash[HASH_HEX];
	int there = dir_there(store_folder(k->st), name, NULL);

	if (there < 0 || (k->listed && store_listed_again(k->st, &m) < 0))
		return -1;
	if (there)
		return judge(k, name, "", name, hash, store_check_own(k->st, name, hash));
	if (manifest_hash(m, name))
		problem(k, name, "", name, "is listed in " MANIFEST_NAME ", and is not there", "gone");
	return 0;
}

static int check_store(struct checking *k)
{
	const struct manifest *m;
	int ret = store_listed(k->st, &m);

	k->listed = ret > 0;
	if (ret < 0 && error_code() == EXIT_UNEVALUABLE) {
		problem(k, MANIFEST_NAME, "", MANIFEST_NAME, error_text(), "damaged");
		error_clear();
		ret = 0;
	}
	if (ret < 0 || check_own(k, "store.json") < 0 || check_own(k, "last-run.json") < 0)
		return -1;
	for (int i = 0; i < KINDS; i++)
		if (check_kind(k, i) < 0)
			return -1;
	return 0;
}

/* ---- repair ---- */

static void did(struct checking *k, const char *what, const char *key, const char *text)
{
	json_t *j = json_object();

	jset_str(j, "what", what);
	jset_str(j, "key", key);
	jset_str(j, "did", text);
	json_array_append_new(k->did, j);
}

/* How what is gone comes back. */
static const char *comes_back(const char *what)
{
	if (!strcmp(what, "cell") || !strcmp(what, "failure") || !strcmp(what, "artefact"))
		return "`lockbench run` makes it again where its job needs it";
	return !strcmp(what, "timing") ? "its times are lost" : "the next run writes another";
}

/* What is damaged is no longer listed before it moves, and what is right is. */
static int repair_manifest(struct checking *k)
{
	struct manifest *m = store_manifest(k->st);
	const char *path;
	json_t *v;
	size_t i;

	if (!m)
		return -1;
	json_array_foreach(k->problems, i, v)
		if (strcmp(jget_str(v, "state", ""), "odd") != 0)
			manifest_drop(m, jget_str(v, "path", ""));
	json_object_foreach(k->fresh, path, v)
		manifest_add(m, path, json_string_value(v));
	return store_publish_manifest(k->st);
}

static int repair_one(struct checking *k, const json_t *p)
{
	const char *what = jget_str(p, "what", ""), *key = jget_str(p, "key", ""), *state = jget_str(p, "state", "");
	char *to = NULL, *text;
	int ret = 0;

	if (!strcmp(what, MANIFEST_NAME) || !strcmp(state, "odd")) {
		k->left += *state == 'o';
		did(k, what, key, *state == 'o' ? "kept: its bytes are what was written" : "written again");
		return 0;
	}
	if (!strcmp(state, "gone")) {
		text = xasprintf("gone, and no longer listed; %s", comes_back(what));
	} else {
		ret = store_move_aside(k->st, jget_str(p, "path", ""), &to);
		text = xasprintf("moved to %s/%s; %s", store_dir(k->st), to, comes_back(what));
	}
	if (ret == 0)
		did(k, what, key, text);
	free(text);
	free(to);
	return ret;
}

static int repair(struct checking *k, bool lost)
{
	const size_t fresh = json_object_size(k->fresh);
	const json_t *p;
	char text[96];
	size_t i;

	if (lost)
		did(k, "store.json", "", "made again");
	if (repair_manifest(k) < 0)
		return -1;
	json_array_foreach(k->problems, i, p)
		if (repair_one(k, p) < 0)
			return -1;
	if (fresh) {
		snprintf(text, sizeof(text), "%zu files that are right were not listed, and are now", fresh);
		did(k, MANIFEST_NAME, "", text);
	}
	return 0;
}

/* ---- the command ---- */

struct verify_conf {
	struct cli_common common;
	int repair;
};
static const struct opt verify_opts[] = {
	{ "repair", OPT_BOOL, offsetof(struct verify_conf, repair), "false", 0, 0,
	 "move what is damaged aside, so that `run` makes it again, and "
	  "write the store's lists anew", NULL },
	CLI_COMMON(struct verify_conf),
	{ 0 }
};

static json_t *result_json(const struct checking *k)
{
	json_t *j = json_object();

	jset_int(j, "cells", k->count[CELLS]);
	jset_int(j, "artefacts", k->count[ARTEFACTS]);
	jset_int(j, "timings", k->count[TIMINGS]);
	jset_int(j, "failures", k->count[FAILURES]);
	jset_int(j, "withheld", k->withheld);
	jset_bool(j, "manifest", k->listed);
	jset_int(j, "not_listed", (long long)json_object_size(k->fresh));
	jset(j, "problems", json_incref(k->problems));
	jset(j, "repaired", json_incref(k->did));
	return j;
}

static void print_lines(const json_t *list, const char *member)
{
	const json_t *p;
	size_t i;

	json_array_foreach(list, i, p)
		tell("%s%s%s: %s\n", jget_str(p, "what", ""), *jget_str(p, "key", "") ? " " : "",
		     jget_str(p, "key", ""),
		       jget_str(p, member, ""));
}

static void print_result(const struct checking *k, bool repaired)
{
	const size_t fresh = json_object_size(k->fresh), bad = json_array_size(k->problems);

	print_lines(k->problems, "why");
	print_lines(k->did, "did");
	if (!repaired && !k->listed && fresh)
		tell("no %s (a store of an earlier version, or whose first run was killed): files that were deleted, "
		     "and timings that were changed, "
		       "cannot be told; `lockbench verify --repair %s` writes one\n", MANIFEST_NAME, store_dir(k->st));
	else if (!repaired && fresh)
		tell("%zu files are not yet listed in %s (a run was killed, or is at work): they are right by "
		     "themselves\n", fresh, MANIFEST_NAME);
	tell("%ld timings, %ld failures checked\n%ld cells, %ld artefacts checked, %zu bad%s\n", k->count[TIMINGS],
	     k->count[FAILURES],
	       k->count[CELLS], k->count[ARTEFACTS], bad, repaired && (long)bad > k->left ? ", repaired" : "");
	if (k->withheld)
		tell("%ld cells withhold a secret option: that their keys follow from it only its owner can check\n",
		     k->withheld);
}

static int verify(struct checking *k, const struct verify_conf *c, const char *dir)
{
	bool lost = false;

	k->st = c->repair ? store_open_to_repair(dir, &lost) : store_open(dir, false);
	if (!k->st || (c->repair && store_lock(k->st) < 0) || (lost && store_make_again(k->st) < 0) ||
	    check_store(k) < 0 ||
	    (c->repair && repair(k, lost) < 0))
		return -1;
	if (c->common.json)
		return cli_print_json(result_json(k));
	print_result(k, c->repair);
	return 0;
}

static int verify_main(const struct cli_command *self, int argc, char **argv)
{
	struct verify_conf c;
	struct cli_args args;
	struct checking k = { .problems = json_array(), .fresh = json_object(), .did = json_array() };
	int ret = cli_parse(self, argc, argv, &c, &args);

	if (ret == 0) {
		cli_apply(&c.common);
		ret = verify(&k, &c, args.n ? args.arg[0] : "store");
		ret = ret < 0 ? -1 : (c.repair ? k.left > 0 : json_array_size(k.problems) > 0) ? EXIT_NO : EXIT_YES;
	} else {
		ret = ret < 0 ? -1 : EXIT_YES;
	}
	json_decref(k.problems);
	json_decref(k.fresh);
	json_decref(k.did);
	store_close(k.st);
	return ret;
}

const struct cli_command command_verify = {
	.name = "verify", .main = verify_main,
	.summary = "is every byte of a store what was written, and all of it there? exit 1 when not",
	.arguments = "[STORE]", .max_args = 1, .opts = verify_opts, .conf_size = sizeof(struct verify_conf),
	.more = "Cells and artefacts are checked against the hashes inside them, keys against settings, metrics "
		"against observations, and every file "
		"against manifest.sha256 (which sha256sum -c reads, too)."
};
