/* Running a bundle again in part. See rerun.h. */
#include "bench/rerun.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/opt.h"
#include "base/rng.h"
#include "base/terminal.h"
#include "bench/applies.h"
#include "bench/cli.h"
#include "bench/collect.h"
#include "bench/withhold.h"

const char *const rerun_words[] = { "bit-equal", "within tolerance", "off", "not run" };

/* ---- the sample ---- */

int sample_size(const char *text, int n, int *size)
{
	struct { double v; } conf;
	const size_t len = strlen(text);
	const bool share = len && text[len - 1] == '%';
	const struct opt table[] = { { "sample", OPT_FLOAT, 0, "0", 0, share ? 100 : 1e9, "sample", NULL }, { 0 } };
	char number[32];

	snprintf(number, sizeof(number), "%.*s", (int)(share ? len - 1 : len), text);
	if (len >= sizeof(number) || opt_set(table, &conf, "sample", number) < 0 || !(conf.v > 0) || (!share && conf.v != floor(conf.v)))
		return error(EXIT_UNEVALUABLE, "--sample '%.60s': give a share such as 10%%, or a number of cells", text);
	*size = share ? (int)ceil(conf.v / 100 * n - 1e-9) : conf.v < n ? (int)conf.v : n;
	*size = *size < 1 ? 1 : *size;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

void sample_draw(const char *hash, int n, int size, int *out)
{
	int *order = xmalloc((size_t)n, sizeof(*order));
	uint8_t bytes[8] = { 0 };
	uint64_t seed = 0;
	char first[17];
	struct rng r;

	BUG_ON(size > n);
	snprintf(first, sizeof(first), "%.16s", hash);
	BUG_ON(hex_decode(first, bytes, sizeof(bytes)) < 0);
	for (int i = 0; i < 8; i++)
		seed = seed << 8 | bytes[i];
	rng_open(&r, seed, "reproduce sample", 0, 0);
	rng_permutation(&r, order, n);
	memcpy(out, order, (size_t)size * sizeof(*out));
	qsort(out, (size_t)size, sizeof(*out), by_value);
	free(order);
}

/* ---- two makings of one cell ---- */

/* Members that say how a cell was made and labelled, not what was seen. */
static const char *const making[] = { "tier", "lockbench", "sha256", "withheld", "key", "base_key", "locked_key",
				      "creds_key", "engine", "kernel", "scheme_version", "attack_version",
				      "attack_parts", "model_version", "metrics_version" };

static json_t *content(const json_t *cell)
{
	json_t *copy = withhold(cell); /* one that was made here has all its options */

	for (size_t i = 0; i < ARRAY_LEN(making); i++)
		json_object_del(copy, making[i]);
	return copy;
}

static bool metric_within(const json_t *a, const json_t *b, double margin)
{
	const double x = jget_num(a, "value", NAN), y = jget_num(b, "value", NAN);

	if (!isfinite(x) || !isfinite(y))
		return false;
	return fabs(x - y) <= margin ||
	       (jget_num(a, "low", x) <= jget_num(b, "high", y) && jget_num(b, "low", y) <= jget_num(a, "high", x));
}

/* How the two were made differently, for the reader: "kernel plain there, fma here". */
static void difference_of_making(const json_t *a, const json_t *b, char *text, size_t size)
{
	static const char *const members[] = { "kernel", "engine", "model_version", "scheme_version", "attack_version", "attack_parts",
					       "metrics_version" };

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const json_t *x = json_object_get(a, members[i]), *y = json_object_get(b, members[i]);

		if (json_equal(x, y))
			continue;
		if (json_is_string(x) && json_is_string(y))
			snprintf(text, size, "%s %.20s there, %.20s here", members[i], json_string_value(x), json_string_value(y));
		else if (json_is_object(x) || json_is_object(y))
			snprintf(text, size, "%s differ", members[i]);
		else
			snprintf(text, size, "%s %lld there, %lld here", members[i], jget_int(a, members[i], 0), jget_int(b, members[i], 0));
		return;
	}
	snprintf(text, size, "%s", strcmp(jget_str(a, "key", ""), jget_str(b, "key", "")) ? "another version of the evaluator" :
		 "the same settings gave other bits");
}

enum rerun_verdict rerun_judge(const json_t *claimed, const json_t *again, const struct margins *m, char why[256])
{
	json_t *a = content(claimed), *b = content(again), *one = json_object_get(a, "metrics"), *two = json_object_get(b, "metrics"), *v;
	const bool attacked = strcmp(jget_str(claimed, "attack", "none"), "none") != 0, equal = json_equal(a, b);
	enum rerun_verdict verdict = equal ? RERUN_EQUAL : RERUN_WITHIN;
	const char *name;

	why[0] = '\0';
	if (!equal)
		difference_of_making(claimed, again, why, 256);
	if (!equal && strcmp(jget_str(a, "verdict", ""), jget_str(b, "verdict", "")) != 0) {
		snprintf(why, 256, "verdict %.40s there, %.40s here", jget_str(a, "verdict", "?"), jget_str(b, "verdict", "?"));
		verdict = RERUN_OFF;
	}
	json_object_foreach(one, name, v) {
		const json_t *w = json_object_get(two, name);

		if (equal || verdict == RERUN_OFF || metric_within(v, w, margin_of(m, name, attacked, jget_num(v, "value", 0))))
			continue;
		snprintf(why, 256, "%.60s %.6g there, %.6g here", name, jget_num(v, "value", NAN), jget_num(w, "value", NAN));
		verdict = RERUN_OFF;
	}
	json_decref(a);
	json_decref(b);
	return verdict;
}

/* ---- the job ---- */

struct rerun {
	const struct rerun_options *o;
	struct bundle_file bundle;
	char (*keys)[65];
	int n, size;
	int *pick;        /* (size) */
	struct job job;
	char (*here)[65]; /* (size) the cell's key as this program makes it; "": it cannot */
	json_t *results;
	int count[4];
};

static int verify_claims(const struct rerun *r, struct store *st)
{
	int bad = 0, older = 0;

	for (int i = 0; i < r->n; i++)
		if (verify_cell(st, r->keys[i]) < 0) {
			const bool other = strstr(error_text(), "another version") != NULL;

			if (error_code() != EXIT_UNEVALUABLE)
				return -1;
			older += other;
			if (bad++ < 5 && !other)
				warning("cell %.12s: %s", r->keys[i], error_text());
			error_clear();
		}
	if (older && older == bad)
		return error(EXIT_NO, "%s: the keys of %d of %d cells do not follow from their settings: invented, or made by another version of lockbench, "
			     "with other drivers or another evaluator than this one's (%s); that one can reproduce them, and `lockbench compare "
			     "--mixed` sets both side by side", r->o->bundle, older, r->n, LOCKBENCH_VERSION);
	return bad ? error(EXIT_NO, "%s: %d of %d cells are not what lockbench wrote", r->o->bundle, bad, r->n) : 0;
}

static void result(struct rerun *r, const char *key, const json_t *cell, enum rerun_verdict v, const char *why)
{
	json_t *j = json_object();

	r->count[v]++;
	jset_str(j, "key", key);
	jset_str(j, "verdict", rerun_words[v]);
	jset_str(j, "why", why);
	jset_str(j, "dataset", jget_str(cell, "dataset", ""));
	jset_str(j, "scheme", jget_str(cell, "scheme", ""));
	jset_str(j, "attack", jget_str(cell, "attack", ""));
	jset_int(j, "seed", jget_int(cell, "seed", 0));
	json_array_append_new(r->results, j);
}

static bool in_job(const struct job *j, const char *key)
{
	for (int i = 0; i < j->n; i++)
		if (!strcmp(j->cells[i].key.cell, key))
			return true;
	return false;
}

/* The point of a cell, with what was withheld of it put back. -1 after error(). */
static int point_of(const struct rerun *r, struct point *p, const json_t *cell)
{
	char lacks[160];
	json_t *whole = withheld_restore(cell, r->o->set, r->o->nset, lacks);
	int ret = whole ? point_from_json(p, whole) :
		  error(EXIT_UNEVALUABLE, "a secret is withheld; whoever knows it adds --set %s=VALUE", lacks);

	json_decref(whole);
	return ret;
}

/* The cells drawn, as a job. A cell of a driver that this program does not have stays without one. */
static int make_job(struct rerun *r, struct store *claimed)
{
	snprintf(r->job.name, sizeof(r->job.name), "reproduce-%.12s", r->bundle.hash);
	r->job.cells = xcalloc((size_t)r->size, sizeof(*r->job.cells));
	for (int i = 0; i < r->size; i++) {
		json_t *cell = store_get_cell(claimed, r->keys[r->pick[i]]);
		struct job_cell *jc = &r->job.cells[r->job.n];
		char why[256];

		if (!cell)
			return -1;
		if (point_of(r, &jc->p, cell) < 0) {
			result(r, r->keys[r->pick[i]], cell, RERUN_FAILED, error_text());
			error_clear();
		} else {
			point_keys(&jc->p, &jc->key);
			snprintf(r->here[i], 65, "%s", jc->key.cell);
			if (point_inapplicable(&jc->p, why))
				jc->inapplicable = xstrdup(why);
			r->job.tier = jc->p.tier;
			if (in_job(&r->job, r->here[i]))
				point_release(&jc->p);
			else
				r->job.n++;
		}
		json_decref(cell);
	}
	return 0;
}

static json_t *failure_why(struct store *st, const char *key)
{
	return store_get_failure(st, key);
}

static int judge_all(struct rerun *r, struct store *claimed, struct store *again)
{
	const struct margins none = { .n = 0 };
	char why[256];

	for (int i = 0; i < r->size; i++) {
		const char *key = r->keys[r->pick[i]];
		json_t *was, *is;

		if (!*r->here[i])
			continue;
		was = store_get_cell(claimed, key);
		is = store_has_cell(again, r->here[i]) == 1 ? store_get_cell(again, r->here[i]) : NULL;
		if (was && is) {
			enum rerun_verdict v = rerun_judge(was, is, &none, why);

			result(r, key, was, v, why);
		} else if (was) {
			json_t *f = failure_why(again, r->here[i]);

			result(r, key, was, RERUN_FAILED, jget_str(f, "why", "it did not run"));
			json_decref(f);
		}
		json_decref(was);
		json_decref(is);
		if (!was)
			return -1;
	}
	return 0;
}

static int print(struct rerun *r)
{
	const json_t *v;
	size_t i;

	if (r->o->json) {
		json_t *j = json_object();

		jset_str(j, "bundle", r->bundle.hash);
		jset_int(j, "cells", r->n);
		jset_int(j, "drawn", r->size);
		for (size_t k = 0; k < ARRAY_LEN(r->count); k++)
			jset_int(j, rerun_words[k], r->count[k]);
		jset(j, "results", json_incref(r->results));
		return cli_print_json(j);
	}
	json_array_foreach(r->results, i, v)
		tell("%.12s %-16s %s, %s, seed %lld%s%s\n", jget_str(v, "key", ""), jget_str(v, "verdict", ""), jget_str(v, "scheme", ""),
		       jget_str(v, "attack", ""), jget_int(v, "seed", 0), *jget_str(v, "why", "") ? ": " : "", jget_str(v, "why", ""));
	tell("bundle %.16s: %d cells verified; %d drawn and run again: %d bit-equal, %d within tolerance, %d off, %d not run\n", r->bundle.hash,
	       r->n, r->size, r->count[RERUN_EQUAL], r->count[RERUN_WITHIN], r->count[RERUN_OFF], r->count[RERUN_FAILED]);
	return 0;
}

/* ---- the whole ---- */

static int run_sample(struct rerun *r, struct store *claimed, const char *dir)
{
	struct run_options run = r->o->run;
	struct store *again;
	int ret;

	run.store = dir;
	run.silent = true;
	if (verify_claims(r, claimed) < 0 || make_job(r, claimed) < 0)
		return -1;
	ret = run_job(&r->job, &run);
	if (ret < 0)
		return -1;
	again = store_open(dir, false);
	ret = again ? judge_all(r, claimed, again) : -1;
	store_close(again);
	if (ret == 0)
		ret = print(r);
	if (ret < 0)
		return -1;
	return r->count[RERUN_OFF] ? EXIT_NO : r->count[RERUN_FAILED] ? EXIT_FAILED_CELLS : EXIT_YES;
}

static int rerun(struct rerun *r)
{
	char *claimed_dir = path_join(r->o->store, "claimed"), *again_dir = path_join(r->o->store, "again");
	struct store *claimed = NULL;
	int ret = -1;

	r->keys = bundle_file_keys(&r->bundle, &r->n);
	if (!r->n)
		error(EXIT_UNEVALUABLE, "%s holds no cells", r->o->bundle);
	else if (sample_size(r->o->sample, r->n, &r->size) == 0) {
		r->pick = xmalloc((size_t)r->size, sizeof(*r->pick));
		r->here = xcalloc((size_t)r->size, sizeof(*r->here));
		sample_draw(r->bundle.hash, r->n, r->size, r->pick);
		if (file_mkdirs(r->o->store) == 0 && bundle_file_unpack(&r->bundle, claimed_dir) == 0)
			claimed = store_open(claimed_dir, false);
		if (claimed && store_lock(claimed) == 0 && store_settle(claimed, 0) == 0) /* what was unpacked is listed */
			ret = run_sample(r, claimed, again_dir);
	}
	store_close(claimed);
	free(claimed_dir);
	free(again_dir);
	return ret;
}

int reproduce_bundle(const struct rerun_options *o)
{
	struct rerun r = { .o = o, .results = json_array() };
	int ret = -1;

	if (withheld_check_values(o->set, o->nset) == 0 && bundle_file_read(&r.bundle, o->bundle) == 0)
		ret = rerun(&r);
	bundle_file_release(&r.bundle);
	job_release(&r.job);
	json_decref(r.results);
	free(r.keys);
	free(r.pick);
	free(r.here);
	return ret;
}
