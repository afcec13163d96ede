/* Plans, and the command that prints one. See plan.h. */
#include "bench/plan.h"

#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/terminal.h"
#include "base/tile.h"
#include "bench/cli.h"
#include "bench/predict.h"
#include "bench/tier.h"
#include "datasets/dataset.h"

#define CELL_BYTES 40000.0   /* a cell and its timing */
#define START 0.5            /* seconds until a worker has read its data */

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
	char scheme[200], attack[200] = "no attack", more[32] = "";

	if (p->attack)
		options_text(&p->attack->drv, p->attack->tier[p->tier], p->attack_options, p->attack->strength, attack);
	if (p->attacker.search > 1)
		snprintf(more, sizeof(more), " search=%d", p->attacker.search);
	snprintf(buf, 512, "seed %llu, %s, %s%s%s", (unsigned long long)p->seed, scheme_text(p, scheme), attack, more,
		 p->attacker.overlap ? " attacker_data=overlap" : "");
	return buf;
}

/* ---- tasks ---- */

struct planner {
	struct plan *pl;
	struct store *st;
	const struct job *job;
	json_t *made;    /* key -> index of the task that makes it */
	struct predictor *predictor;
	int room;
	bool failed;     /* after error(): nobody can tell what is there */
};

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
	struct task *t;

	if (pl->n == pr->room) {
		pr->room = pr->room ? 2 * pr->room : 64;
		pl->t = xrealloc(pl->t, pr->room, sizeof(*pl->t));
	}
	t = &pl->t[pl->n];
	*t = (struct task){ .stage = s, .cell = cell, .after = after };
	memcpy(t->key, key, sizeof(t->key));
	t->seconds = predict_seconds(pr->predictor, &pr->job->cells[cell], s, &t->guess);
	pl->guesses += t->guess;
	pl->seconds += t->seconds;
	pl->bytes += task_bytes(p, s, predict_facts(pr->predictor, &pr->job->cells[cell])->parameters);
	jset_int(pr->made, key, pl->n);
	return pl->n++;
}

/* A store's answer (1, 0, or -1: then the plan fails) as yes or no. */
static bool told(struct planner *pr, int there)
{
	pr->failed |= there < 0;
	return there == 1;
}

/* The task after which an artefact is there, -1 when it is there already (or the plan has failed). */
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
	if (below < 0 && pr->st && !pr->failed && told(pr, stage_done(pr->st, &c->p, &c->key, s))) {
		jset_int(pr->made, key, -1);
		return -1;
	}
	if (pr->failed)
		return -1;
	return add_task(pr, cell, s, key, below);
}

int plan_make(struct plan *pl, struct store *st, const struct job *j, int threads)
{
	struct planner pr = { .pl = pl, .st = st, .job = j };

	*pl = (struct plan){ .cached = xcalloc(j->n ? j->n : 1, sizeof(bool)) };
	pr.made = json_object();
	pr.predictor = predictor_open(st, threads > 0 ? threads : tile_threads_get());
	pr.failed = error_code() != EXIT_YES;
	for (int i = 0; i < j->n && !pr.failed; i++) {
		const struct job_cell *c = &j->cells[i];
		int after;

		pl->cached[i] = st && told(&pr, store_has_cell(st, c->key.cell));
		pl->ncached += pl->cached[i];
		after = pl->cached[i] || pr.failed || c->inapplicable ? -1 : need(&pr, i, STAGE_CREDS);
		if (!pl->cached[i] && !pr.failed)
			add_task(&pr, i, STAGE_CELL, c->key.cell, after);
	}
	pl->todo = j->n - pl->ncached;
	json_decref(pr.made);
	predictor_close(pr.predictor);
	return pr.failed || error_code() != EXIT_YES ? -1 : 0;
}

double plan_elapsed(const struct plan *pl, int workers)
{
	double *finish = xcalloc((size_t)pl->n + 1, sizeof(*finish)), *until = xcalloc((size_t)workers, sizeof(*until)), last = 0;
	bool *taken = xcalloc((size_t)pl->n + 1, sizeof(*taken));

	for (int first = 0, done = 0; done < pl->n;) {
		int w = 0, at;

		for (int i = 1; i < workers; i++)
			w = until[i] < until[w] ? i : w;
		while (taken[first])
			first++;
		for (at = first; at < pl->n; at++)
			if (!taken[at] && (pl->t[at].after < 0 || (taken[pl->t[at].after] && finish[pl->t[at].after] <= until[w])))
				break;
		if (at < pl->n) {
			until[w] += pl->t[at].seconds + (until[w] > 0 ? 0 : START);
			last = until[w] > last ? until[w] : last;
			finish[at] = until[w];
			taken[at] = true;
			done++;
		} else { /* everything waits for what the others are at: as this one does, until the next of them is done */
			double next = last;

			for (int i = 0; i < workers; i++)
				next = until[i] > until[w] && until[i] < next ? until[i] : next;
			until[w] = next;
		}
	}
	free(finish);
	free(until);
	free(taken);
	return last;
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

/* What a listing says of many cells alike, found out once: texts by where options lie, states of artefacts by key. */
struct listing {
	struct store *st;
	const struct job *j;
	const struct plan *pl;
	json_t *text, *state, *failures; /* failures: the keys that have one */
};

static struct listing listing_open(struct store *st, const struct job *j, const struct plan *pl)
{
	struct listing l = { st, j, pl, json_object(), json_object(), json_object() };
	size_t n = 0;
	char **keys = st ? store_keys(st, "failures", &n) : NULL;

	for (size_t i = 0; keys && i < n; i++)
		jset_bool(l.failures, keys[i], 1);
	dir_list_free(keys, n);
	return l;
}

static void listing_close(struct listing *l)
{
	json_decref(l->text);
	json_decref(l->state);
	json_decref(l->failures);
}

/* point_text() without the seed. */
static const char *settings_text(struct listing *l, const struct point *p)
{
	char at[64], text[512];

	snprintf(at, sizeof(at), "%p %p %d %d", (void *)p->scheme_options, p->attack ? (void *)p->attack_options : NULL, p->attacker.search,
		 p->attacker.overlap);
	if (!json_object_get(l->text, at)) {
		point_text(p, text);
		jset_str(l->text, at, strchr(text, ',') + 2);
	}
	return jget_str(l->text, at, "");
}

static const char *artefacts_state(struct listing *l, const struct job_cell *c)
{
	static const char *const states[] = { "new: no base model yet", "new: base model is there", "new: locked model is there",
					      "new: all artefacts are there" };
	int s = STAGE_BASE;

	if (!json_object_get(l->state, c->key.creds)) {
		while (l->st && s <= STAGE_CREDS && stage_done(l->st, &c->p, &c->key, (enum stage)s) == 1)
			s++;
		jset_str(l->state, c->key.creds, states[s]);
	}
	return jget_str(l->state, c->key.creds, "");
}

/* Whether a cell is there, and if not what is. */
static void cell_state(struct listing *l, int i, char *why, size_t size)
{
	const struct job_cell *c = &l->j->cells[i];
	json_t *failure = json_object_get(l->failures, c->key.cell) ? store_get_failure(l->st, c->key.cell) : NULL;

	if (l->pl->cached[i])
		snprintf(why, size, "cached");
	else if (c->inapplicable)
		snprintf(why, size, "n/a: %s", c->inapplicable);
	else if (failure)
		snprintf(why, size, "again: %s before (%.80s)", jget_str(failure, "verdict", "failed"), jget_str(failure, "why", ""));
	else
		snprintf(why, size, "%s", artefacts_state(l, c));
	error_clear();
	json_decref(failure);
}

/* Predicted seconds of each cell's own task, and whether they are a guess; caller frees both. */
static double *cell_seconds(const struct plan *pl, int n, bool **guess)
{
	double *s = xcalloc(n ? n : 1, sizeof(*s));

	*guess = xcalloc(n ? n : 1, sizeof(**guess));
	for (int i = 0; i < pl->n; i++)
		if (pl->t[i].stage == STAGE_CELL) {
			s[pl->t[i].cell] = pl->t[i].seconds;
			(*guess)[pl->t[i].cell] = pl->t[i].guess;
		}
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
	struct listing l = listing_open(st, j, pl);
	char why[256], text[200], left[32], work[32];
	int refused = 0;
	double space = free_bytes(c->store), *seconds;
	bool *guess;

	seconds = cell_seconds(pl, j->n, &guess);
	tell("%-12s  %-8s  %s\n", "cell", "seconds", "what: state");
	for (int i = 0; i < j->n; i++) {
		const struct job_cell *cell = &j->cells[i];
		char secs[32] = "-";

		cell_state(&l, i, why, sizeof(why));
		refused += cell->inapplicable && !strncmp(cell->inapplicable, "refused", 7);
		if (!pl->cached[i])
			snprintf(secs, sizeof(secs), "%.1f%s", seconds[i], guess[i] ? "~" : "");
		tell("%.12s  %-8s  %s seed %llu, %s: %s\n", cell->key.cell, secs, cell->p.dataset, (unsigned long long)cell->p.seed,
		       settings_text(&l, &cell->p), why);
	}
	for (int i = 0; i < pl->n; i++) {
		const struct task *t = &pl->t[i];
		const struct point *p = &j->cells[t->cell].p;

		if (t->stage == STAGE_CELL)
			continue;
		snprintf(why, sizeof(why), "%.1f%s", t->seconds, t->guess ? "~" : "");
		tell("%.12s  %-8s  to make first: %s of seed %llu%s%s\n", t->key, why,
		       t->stage == STAGE_BASE ? "base model" : t->stage == STAGE_LOCKED ? "locked model" : "credentials",
		       (unsigned long long)p->seed, t->stage == STAGE_BASE ? "" : ", ",
		       t->stage == STAGE_BASE ? "" : scheme_text(p, text));
	}
	free(seconds);
	free(guess);
	listing_close(&l);
	tell("%d cells: %d cached, %d to do; %d artefacts to make first", j->n, pl->ncached, pl->todo, pl->n - pl->todo);
	tell(refused ? "; %d refused by their access level\n" : "\n", refused);
	if (pl->n)
		tell("predicted: %s on %d worker%s of this machine when idle (%s of work)%s, %.1f MiB of disk",
		       duration_text(plan_elapsed(pl, c->workers), left), c->workers, c->workers > 1 ? "s" : "", duration_text(pl->seconds, work),
		       pl->guesses ? "; ~: no earlier run of the kind on this store" : "", pl->bytes / 1048576);
	if (pl->n && space >= 0)
		tell(" (%.0f MiB free)", space / 1048576);
	if (pl->n)
		tell("\n");
	if (space >= 0 && pl->bytes > space)
		warning("the disk of %s has not enough room", c->store);
}

static json_t *plan_json(struct store *st, const struct job *j, const struct plan *pl, int workers)
{
	struct listing l = listing_open(st, j, pl);
	json_t *out = json_object(), *cells = json_array(), *tasks = json_array();
	char why[256];

	for (int i = 0; i < j->n; i++) {
		json_t *c = point_json(&j->cells[i].p);

		cell_state(&l, i, why, sizeof(why));
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
		jset_num(t, "seconds", pl->t[i].seconds);
		jset_bool(t, "guess", pl->t[i].guess);
		json_array_append_new(tasks, t);
	}
	jset_str(out, "name", j->name);
	jset(out, "cells", cells);
	jset(out, "tasks", tasks);
	jset_int(out, "cached", pl->ncached);
	jset_int(out, "todo", pl->todo);
	jset_num(out, "seconds", pl->seconds);
	jset_num(out, "elapsed", plan_elapsed(pl, workers));
	jset_int(out, "guesses", pl->guesses);
	jset_num(out, "bytes", pl->bytes);
	listing_close(&l);
	return out;
}

static int print_plan(struct store *st, const struct plan_conf *c, const struct job *j)
{
	struct plan pl;
	int threads, ret;

	tile_threads(c->common.threads);
	threads = c->common.threads ? c->common.threads : (tile_threads_get() + c->workers - 1) / c->workers;
	ret = plan_make(&pl, st, j, threads);
	if (ret == 0 && c->common.json)
		ret = cli_print_json(plan_json(st, j, &pl, c->workers));
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
	int ret = cli_parse(self, argc, argv, &c, &args), there;

	if (ret)
		return ret < 0 ? -1 : EXIT_YES;
	cli_apply(&c.common);
	ret = job_load(&j, args.arg[0], args.set, args.nset, cli_data_dir(&c.common));
	there = ret == 0 ? store_there(c.store) : 0;
	if (there < 0 || (there && !(st = store_open(c.store, false))))
		ret = -1;
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
