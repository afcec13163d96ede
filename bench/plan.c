/* Plans, and the command that prints one. See plan.h. */
#include "bench/plan.h"

#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/tile.h"
#include "bench/cli.h"
#include "bench/tier.h"
#include "datasets/dataset.h"

#define HISTORY_MAX 4000     /* timing files read for predictions */
#define GUESS_MACS 1.5e10    /* multiply-accumulates a second and thread while training; measured with LeNet-5 */
#define CELL_BYTES 40000.0   /* a cell and its timing */

/* ---- names for people ---- */

/* "prune rate=0.5": the options that differ from defaults and tier, and always the strength (NULL: none). */
static const char *options_text(const struct driver *d, const char *tier, json_t *options, const char *strength, char *buf)
{
	void *conf = xcalloc(1, d->conf_size ? d->conf_size : 1), *def = xcalloc(1, d->conf_size ? d->conf_size : 1);
	int used = snprintf(buf, 200, "%s", d->name);
	char a[OPT_TEXT_MAX], b[OPT_TEXT_MAX];

	opt_defaults(d->opts, def);
	tier_apply(d, tier, def);
	if (opt_from_json(d->opts, conf, options) == 0) {
		for (const struct opt *o = d->opts; o && o->name && used < 199; o++)
			if (strcmp(opt_text(o, conf, a), opt_text(o, def, b)) != 0 || (strength && !strcmp(o->name, strength)))
				used += snprintf(buf + used, 200 - (size_t)used, " %s=%s", o->name, a);
	}
	free(conf);
	free(def);
	return buf;
}

const char *scheme_text(const struct point *p, char *buf)
{
	return options_text(&p->scheme->drv, p->scheme->tier[p->tier], p->scheme_options, NULL, buf);
}

const char *point_text(const struct point *p, char *buf)
{
	char scheme[200], attack[200] = "no attack", more[32];

	if (p->attack)
		options_text(&p->attack->drv, p->attack->tier[p->tier], p->attack_options, p->attack->strength, attack);
	snprintf(more, sizeof(more), p->attacker.search > 1 ? " search=%d" : "", p->attacker.search);
	snprintf(buf, 512, "seed %llu, %s, %s%s%s", (unsigned long long)p->seed, scheme_text(p, scheme), attack, more,
		 p->attacker.overlap ? " attacker_data=overlap" : "");
	return buf;
}

/* ---- predictions from earlier runs ---- */

/* history: object "kind dataset model scheme attack" -> {seconds, work, n} summed over timing files. */
static void history_name(char *buf, size_t size, const char *kind, const char *dataset, const char *model, const char *scheme,
			 const char *attack)
{
	snprintf(buf, size, "%s %s %s %s %s", kind, dataset, model, scheme, attack);
}

static void history_add(json_t *history, const json_t *t)
{
	char name[400];
	json_t *h;
	double threads = jget_num(t, "threads", 1);

	history_name(name, sizeof(name), jget_str(t, "kind", ""), jget_str(t, "dataset", ""), jget_str(t, "model", ""),
		     jget_str(t, "scheme", ""), jget_str(t, "attack", ""));
	h = json_object_get(history, name);
	if (!h) {
		h = json_object();
		jset(history, name, h);
	}
	jset_num(h, "seconds", jget_num(h, "seconds", 0) + jget_num(t, "seconds", 0) * threads);
	jset_num(h, "work", jget_num(h, "work", 0) + jget_num(t, "work", 0));
	jset_num(h, "n", jget_num(h, "n", 0) + 1);
}

static json_t *read_history(struct store *st)
{
	json_t *history = json_object();
	size_t n = 0;
	char **keys = st ? store_keys(st, "timing", &n) : NULL;

	for (size_t i = 0; keys && i < n && i < HISTORY_MAX; i++) {
		json_t *t = store_get_timing(st, keys[i]);

		if (t)
			history_add(history, t);
		json_decref(t);
	}
	dir_list_free(keys, n);
	return history;
}

/* How much a task has to do, in the unit of its timing's "work"; 0 where that says nothing. */
static double task_work(const struct point *p, enum stage s, int ntrain)
{
	if (s == STAGE_BASE)
		return 0.8 * (p->limit_train ? p->limit_train : ntrain) * p->recipe.epochs;
	return s == STAGE_CREDS ? (double)p->users * p->per_user : 0;
}

static void predict(struct task *t, const struct point *p, const json_t *history, double macs, int ntrain, int threads)
{
	double work = task_work(p, t->stage, ntrain), past;
	char name[400], model[64];
	const json_t *h;

	history_name(name, sizeof(name), stage_names[t->stage], p->dataset, model_spec_name(&p->spec, model),
		     t->stage >= STAGE_LOCKED ? p->scheme->drv.name : "",
		     t->stage == STAGE_CELL ? p->attack ? p->attack->drv.name : "none" : "");
	h = json_object_get(history, name);
	past = jget_num(h, "work", 0);
	t->seconds = -1;
	if (h && work > 0 && past > 0)
		t->seconds = jget_num(h, "seconds", 0) / past * work / threads;
	else if (h)
		t->seconds = jget_num(h, "seconds", 0) / jget_num(h, "n", 1) / threads;
	else if (t->stage == STAGE_BASE) {
		t->seconds = 3 * macs * work / (GUESS_MACS * threads);
		t->guess = true;
	}
}

/* ---- tasks ---- */

struct planner {
	struct plan *pl;
	struct store *st;
	const struct job *job;
	json_t *made;    /* key -> index of the task that makes it */
	json_t *history;
	json_t *models;  /* "model dataset" -> {macs, parameters, ntrain} */
	int room, threads;
};

static const json_t *model_facts(struct planner *pr, const struct point *p)
{
	char name[64], key[160], where[512];
	const struct dataset_driver *drv;
	struct dataset d = { 0 };
	struct model *m;
	json_t *j;

	snprintf(key, sizeof(key), "%s %s", model_spec_name(&p->spec, name), p->dataset);
	j = json_object_get(pr->models, key);
	if (j)
		return j;
	j = json_object();
	m = model_new(&p->spec, 0);
	if (m) {
		jset_num(j, "macs", model_macs(m));
		jset_num(j, "parameters", (double)model_params(m));
		model_free(m);
	}
	snprintf(d.name, sizeof(d.name), "%s", p->dataset);
	drv = dataset_driver_of(p->dataset);
	if (drv && drv->peek && dataset_where(p->dataset, NULL, where) && drv->peek(&d, where) == 0)
		jset_int(j, "ntrain", d.ntrain);
	jset(pr->models, key, j);
	return j;
}

static double task_bytes(const struct point *p, enum stage s, double parameters)
{
	double image = (double)p->spec.c * p->spec.h * p->spec.w;

	switch (s) {
	case STAGE_BASE:
	case STAGE_LOCKED:
		return 4 * parameters + 8192;
	case STAGE_CREDS:
		return 4 * image * p->users * p->per_user + 16384;
	case STAGE_CELL:
		return CELL_BYTES;
	}
	return 0;
}

static int add_task(struct planner *pr, int cell, enum stage s, const char *key, int after)
{
	struct plan *pl = pr->pl;
	const struct point *p = &pr->job->cells[cell].p;
	const json_t *facts = model_facts(pr, p);
	struct task *t;

	if (pl->n == pr->room) {
		pr->room = pr->room ? 2 * pr->room : 64;
		pl->t = xrealloc(pl->t, pr->room, sizeof(*pl->t));
	}
	t = &pl->t[pl->n];
	*t = (struct task){ .stage = s, .cell = cell, .after = after };
	memcpy(t->key, key, sizeof(t->key));
	if (pr->job->cells[cell].inapplicable)
		t->seconds = 0.01;
	else
		predict(t, p, pr->history, jget_num(facts, "macs", 0), (int)jget_int(facts, "ntrain", 0), pr->threads);
	if (t->seconds < 0)
		pl->unknown++;
	else
		pl->seconds += t->seconds;
	pl->bytes += task_bytes(p, s, jget_num(facts, "parameters", 0));
	jset_int(pr->made, key, pl->n);
	return pl->n++;
}

/* The task after which an artefact is there, -1 when it is there already. */
static int need(struct planner *pr, int cell, enum stage s)
{
	const struct job_cell *c = &pr->job->cells[cell];
	const char *key = s == STAGE_BASE ? c->key.base : s == STAGE_LOCKED ? c->key.locked : c->key.creds;
	const json_t *made = json_object_get(pr->made, key);
	int below;

	if (made)
		return (int)json_integer_value(made);
	if (s == STAGE_CREDS && (!c->p.scheme->enrol || c->p.users * c->p.per_user == 0))
		return need(pr, cell, STAGE_LOCKED);
	below = s == STAGE_BASE ? -1 : need(pr, cell, s - 1);
	if (below < 0 && pr->st && stage_done(pr->st, &c->p, &c->key, s)) {
		jset_int(pr->made, key, -1);
		return -1;
	}
	return add_task(pr, cell, s, key, below);
}

int plan_make(struct plan *pl, struct store *st, const struct job *j, int threads)
{
	struct planner pr = { .pl = pl, .st = st, .job = j, .threads = threads > 0 ? threads : tile_threads_get() };

	*pl = (struct plan){ .cached = xcalloc(j->n ? j->n : 1, sizeof(bool)) };
	pr.made = json_object();
	pr.models = json_object();
	pr.history = read_history(st);
	for (int i = 0; i < j->n; i++) {
		const struct job_cell *c = &j->cells[i];

		pl->cached[i] = st && store_has_cell(st, c->key.cell);
		pl->ncached += pl->cached[i];
		if (!pl->cached[i])
			add_task(&pr, i, STAGE_CELL, c->key.cell, c->inapplicable ? -1 : need(&pr, i, STAGE_CREDS));
	}
	pl->todo = j->n - pl->ncached;
	json_decref(pr.made);
	json_decref(pr.models);
	json_decref(pr.history);
	return error_code() == EXIT_YES ? 0 : -1;
}

void plan_release(struct plan *pl)
{
	free(pl->t);
	free(pl->cached);
	*pl = (struct plan){ 0 };
}

/* ---- the command ---- */

struct plan_conf {
	struct cli_common common;
	char store[OPT_STRING_MAX];
	int workers;
};
static const struct opt plan_opts[] = {
	{ "store", OPT_STRING, offsetof(struct plan_conf, store), "store", 1, 255, "directory of the results", NULL },
	{ "workers", OPT_INT, offsetof(struct plan_conf, workers), "1", 1, 64, "worker processes (predictions only)", NULL },
	CLI_COMMON(struct plan_conf),
	{ 0 }
};

/* Whether a cell is there, and if not what is. */
static void cell_state(struct store *st, const struct job *j, const struct plan *pl, int i, char *why, size_t size)
{
	const struct job_cell *c = &j->cells[i];
	char *path = st ? store_path(st, "failures", c->key.cell) : NULL;
	json_t *failure = path && file_exists(path) ? json_read_file(path, 1 << 20) : NULL;

	if (pl->cached[i])
		snprintf(why, size, "cached");
	else if (c->inapplicable)
		snprintf(why, size, "n/a: %s", c->inapplicable);
	else if (failure)
		snprintf(why, size, "again: %s before (%.80s)", jget_str(failure, "verdict", "failed"), jget_str(failure, "why", ""));
	else if (!st || !stage_done(st, &c->p, &c->key, STAGE_BASE))
		snprintf(why, size, "new: no base model yet");
	else if (!stage_done(st, &c->p, &c->key, STAGE_LOCKED))
		snprintf(why, size, "new: base model is there");
	else if (!stage_done(st, &c->p, &c->key, STAGE_CREDS))
		snprintf(why, size, "new: locked model is there");
	else
		snprintf(why, size, "new: all artefacts are there");
	error_clear();
	json_decref(failure);
	free(path);
}

/* Predicted seconds of each cell's own task; caller frees. */
static double *cell_seconds(const struct plan *pl, int n)
{
	double *s = xcalloc(n ? n : 1, sizeof(*s));

	for (int i = 0; i < pl->n; i++)
		if (pl->t[i].stage == STAGE_CELL)
			s[pl->t[i].cell] = pl->t[i].seconds;
	return s;
}

static double free_bytes(const char *dir)
{
	struct statvfs v;

	if (statvfs(dir, &v) < 0 && statvfs(".", &v) < 0)
		return -1;
	return (double)v.f_bavail * (double)v.f_frsize;
}

static void print_text(struct store *st, const struct plan_conf *c, const struct job *j, const struct plan *pl)
{
	char why[256], text[512], left[32];
	double space = free_bytes(c->store), *seconds = cell_seconds(pl, j->n);
	int guesses = 0;

	printf("%-12s  %-8s  %s\n", "cell", "seconds", "what: state");
	for (int i = 0; i < j->n; i++) {
		double s = seconds[i];
		char secs[32] = "?";

		cell_state(st, j, pl, i, why, sizeof(why));
		if (s >= 0)
			snprintf(secs, sizeof(secs), "%.1f", s);
		printf("%.12s  %-8s  %s %s: %s\n", j->cells[i].key.cell, pl->cached[i] ? "-" : secs, j->cells[i].p.dataset,
		       point_text(&j->cells[i].p, text), why);
	}
	for (int i = 0; i < pl->n; i++) {
		const struct task *t = &pl->t[i];
		const struct point *p = &j->cells[t->cell].p;

		if (t->stage == STAGE_CELL)
			continue;
		guesses += t->guess;
		if (t->seconds >= 0)
			snprintf(why, sizeof(why), "%.1f%s", t->seconds, t->guess ? "~" : "");
		else
			snprintf(why, sizeof(why), "?");
		printf("%.12s  %-8s  to make first: %s of seed %llu%s%s\n", t->key, why,
		       t->stage == STAGE_BASE ? "base model" : t->stage == STAGE_LOCKED ? "locked model" : "credentials",
		       (unsigned long long)p->seed, t->stage == STAGE_BASE ? "" : ", ",
		       t->stage == STAGE_BASE ? "" : scheme_text(p, text));
	}
	free(seconds);
	printf("%d cells: %d cached, %d to do; %d artefacts to make first\n", j->n, pl->ncached, pl->todo, pl->n - pl->todo);
	if (pl->n)
		printf("predicted: %s%s of work on %d worker%s%s%s, %.1f MiB of disk", pl->unknown ? "at least " : "",
		       duration_text(pl->seconds, left), c->workers, c->workers > 1 ? "s (shared)" : "",
		       pl->unknown ? "; no earlier run tells the time of lines with ?" : "",
		       guesses ? "; ~ is a guess from operation counts" : "", pl->bytes / 1048576);
	if (pl->n && space >= 0)
		printf(" (%.0f MiB free)", space / 1048576);
	if (pl->n)
		putchar('\n');
	if (space >= 0 && pl->bytes > space)
		warning("the disk of %s has not enough room", c->store);
}

static json_t *plan_json(struct store *st, const struct job *j, const struct plan *pl)
{
	json_t *out = json_object(), *cells = json_array(), *tasks = json_array();
	char why[256];

	for (int i = 0; i < j->n; i++) {
		json_t *c = point_json(&j->cells[i].p);

		cell_state(st, j, pl, i, why, sizeof(why));
		jset_str(c, "key", j->cells[i].key.cell);
		jset_str(c, "base_key", j->cells[i].key.base);
		jset_str(c, "locked_key", j->cells[i].key.locked);
		jset_str(c, "creds_key", j->cells[i].key.creds);
		jset_bool(c, "cached", pl->cached[i]);
		jset_str(c, "state", why);
		json_array_append_new(cells, c);
	}
	for (int i = 0; i < pl->n; i++) {
		json_t *t = json_object();

		jset_str(t, "stage", stage_names[pl->t[i].stage]);
		jset_str(t, "key", pl->t[i].key);
		jset(t, "seconds", pl->t[i].seconds < 0 ? json_null() : json_real(pl->t[i].seconds));
		jset_bool(t, "guess", pl->t[i].guess);
		json_array_append_new(tasks, t);
	}
	jset_str(out, "name", j->name);
	jset(out, "cells", cells);
	jset(out, "tasks", tasks);
	jset_int(out, "cached", pl->ncached);
	jset_int(out, "todo", pl->todo);
	jset_num(out, "seconds", pl->seconds);
	jset_int(out, "unknown", pl->unknown);
	jset_num(out, "bytes", pl->bytes);
	return out;
}

static bool is_store(const char *dir)
{
	char *path = path_join(dir, "store.json");
	bool yes = file_exists(path);

	free(path);
	return yes;
}

static int print_plan(struct store *st, const struct plan_conf *c, const struct job *j)
{
	struct plan pl;
	int threads, ret;

	tile_threads(c->common.threads);
	threads = c->common.threads ? c->common.threads : (tile_threads_get() + c->workers - 1) / c->workers;
	ret = plan_make(&pl, st, j, threads);
	if (ret == 0 && c->common.json)
		ret = cli_print_json(plan_json(st, j, &pl));
	else if (ret == 0)
		print_text(st, c, j, &pl);
	plan_release(&pl);
	return ret;
}

static int plan_main(const struct cli_command *self, int argc, char **argv)
{
	struct plan_conf c;
	struct cli_args args;
	struct store *st = NULL;
	struct job j = { 0 };
	int ret = cli_parse(self, argc, argv, &c, &args);

	if (ret)
		return ret < 0 ? -1 : EXIT_YES;
	cli_apply(&c.common);
	ret = job_load(&j, args.arg[0], args.set, args.nset, cli_data_dir(&c.common));
	if (ret == 0 && is_store(c.store)) {
		st = store_open(c.store, false);
		ret = st ? 0 : -1;
	}
	if (ret == 0)
		ret = print_plan(st, &c, &j);
	store_close(st);
	job_release(&j);
	return ret < 0 ? -1 : EXIT_YES;
}

const struct cli_command command_plan = {
	.name = "plan", .main = plan_main, .summary = "what a job would do: cells, cached or not and why, time, disk",
	.arguments = "JOB", .min_args = 1, .max_args = 1, .opts = plan_opts, .conf_size = sizeof(struct plan_conf), .sets = true
};
