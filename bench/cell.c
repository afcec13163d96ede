/* Cells and their artefacts: base model -> lock -> enrol -> attack -> evaluate -> cell file. See cell.h.
 * Whatever a later stage needs it reads back from the store, also when the same process has just written it: a fresh run, a
 * resumed run and a run on two workers take the same path and give the same bytes. */
#include "bench/cell.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/tile.h"
#include "bench/access.h"
#include "bench/applies.h"
#include "bench/evaluate.h"
#include "bench/forecast.h"
#include "bench/keys.h"
#include "bench/pictures.h"
#include "bench/search.h"
#include "bench/store.h"
#include "bench/vault.h"
#include "datasets/dataset.h"
#include "metrics/metric.h"
#include "nn/kernels.h"

const char *const stage_names[] = { "base", "locked", "creds", "cell" };

/* ---- data, kept between calls ---- */

static struct {
	struct dataset *d;
	struct pages pages; /* its numbers, out of attacks' reach */
	struct splits splits;
	bool split, overlap;
	uint64_t seed;
	int train, test;
} cache;

static void drop_splits(void)
{
	if (cache.split)
		splits_release(&cache.splits);
	cache.split = false;
}

void cell_cache_release(void)
{
	drop_splits();
	pages_forget(&cache.pages);
	dataset_free(cache.d);
	cache.d = NULL;
}

static int load_data(const struct point *p, const char *data_dir)
{
	if (cache.d && strcmp(cache.d->hash, p->dataset_hash) != 0)
		cell_cache_release();
	if (!cache.d) {
		cache.d = dataset_load(p->dataset, data_dir);
		if (!cache.d)
			return -1;
		vault_dataset(&cache.pages, cache.d);
	}
	if (strcmp(cache.d->hash, p->dataset_hash) != 0)
		return error(EXIT_UNEVALUABLE, "data set %s in %s is not the one this cell was planned with (payload %.12s, "
			     "planned %.12s)", p->dataset, cache.d->where, cache.d->hash, p->dataset_hash);
	if (cache.split && cache.seed == p->seed && cache.train == p->limit_train && cache.test == p->limit_test &&
	    cache.overlap == p->attacker.overlap)
		return 0;
	drop_splits();
	if (splits_make(&cache.splits, cache.d, p->seed, p->limit_train, p->limit_test) < 0)
		return -1;
	if (p->attacker.overlap)
		splits_overlap(&cache.splits);
	cache.split = true;
	cache.overlap = p->attacker.overlap;
	cache.seed = p->seed;
	cache.train = p->limit_train;
	cache.test = p->limit_test;
	return 0;
}

/* ---- models as artefacts ---- */

static int put_model(struct store *st, const char *key, const struct model *m, double fe)
{
	struct bundle *b = bundle_new();
	int ret;

	bundle_meta(b, "format", "pt");
	model_put(m, "", b);
	bundle_meta_num(b, "forward_equivalents", fe);
	ret = store_put_artefact(st, key, b);
	bundle_free(b);
	return ret;
}

/* spec NULL: a lock may have changed the architecture, the artefact says which it is. NULL: absent, damaged (then it is out of
 * the way) or after error(). */
static struct model *get_model(struct store *st, const char *key, const struct model_spec *spec, double *fe)
{
	struct bundle *b = store_get_artefact(st, key);
	struct model *m = b ? model_take(b, "", spec) : NULL;

	if (b)
		*fe = bundle_meta_getnum(b, "forward_equivalents", 0);
	bundle_free(b);
	return m;
}

/* ---- timing ---- */

/* Wall clock and processor time of this process; on a busy machine only the second says what a task takes. */
struct clock { double wall, cpu; };

static struct clock clock_now(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (struct clock){ now_seconds(), (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
					      (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6 };
}

static struct clock clock_since(struct clock start)
{
	const struct clock now = clock_now();

	return (struct clock){ now.wall - start.wall, now.cpu - start.cpu };
}

static json_t *timing_json(const char *key, const char *kind, struct clock took)
{
	json_t *j = json_object();
	char host[256] = "?";
	struct rusage u;

	gethostname(host, sizeof(host) - 1);
	getrusage(RUSAGE_SELF, &u);
	jset_str(j, "key", key);
	jset_str(j, "kind", kind);
	jset_num(j, "seconds", took.wall);
	jset_num(j, "cpu_seconds", took.cpu);
	jset_int(j, "threads", tile_threads_get());
	jset_str(j, "host", host);
	jset_str(j, "isa", kernels_isa());
	jset_num(j, "peak_rss_mib", (double)u.ru_maxrss / 1024);
	return j;
}

/* Of a forward pass. */
static double spec_macs(const struct model_spec *spec)
{
	struct model *m = model_new(spec, 0);
	const double macs = m ? model_macs(m) : 0;

	model_free(m);
	return macs;
}

static int put_timing(struct store *st, const struct point *p, const char *key, enum stage s, struct clock took, json_t *overhead)
{
	json_t *j = timing_json(key, stage_names[s], took);
	char name[64];
	int ret;

	jset_str(j, "dataset", p->dataset);
	jset_str(j, "model", model_spec_name(&p->spec, name));
	jset_str(j, "scheme", s >= STAGE_LOCKED ? p->scheme->drv.name : "");
	jset_str(j, "attack", s == STAGE_CELL ? p->attack ? p->attack->drv.name : "none" : "");
	jset_num(j, "forecast", forecast(p, s, &(struct facts){ .macs = spec_macs(&p->spec), .ntrain = cache.d ? cache.d->ntrain : 0,
								 .ntest = cache.d ? cache.d->ntest : 0 }));
	if (overhead)
		jset(j, "metrics", overhead);
	ret = store_put_timing(st, key, j);
	json_decref(j);
	return ret;
}

/* ---- what a cell stands on ---- */

struct work {
	struct store *st;
	const struct point *p;
	const char *data_dir;
	struct keys key;
	void *scheme_conf;
	uint64_t owner_seed;   /* of base model, lock and enrolment: the attack does not enter */
	struct model *base;
	struct locked locked;
	struct bundle *creds;
	double base_fe, lock_fe, enrol_fe;
};

static int work_open(struct work *w, struct store *st, const struct point *p, const char *data_dir)
{
	*w = (struct work){ .st = st, .p = p, .data_dir = data_dir, .owner_seed = rng_derive(p->seed, "owner") };
	point_keys(p, &w->key);
	w->scheme_conf = driver_conf(&p->scheme->drv, p->scheme_options);
	return w->scheme_conf ? 0 : -1;
}

static void work_close(struct work *w)
{
	free(w->scheme_conf);
	model_free(w->base);
	locked_release(&w->locked);
	bundle_free(w->creds);
}

static bool has_creds(const struct point *p)
{
	return p->scheme->enrol && p->users > 0 && p->per_user > 0;
}

static int has_part(struct store *st, const char *key, const char *part)
{
	char k[HASH_HEX];

	part_key(key, part, k);
	return store_has_artefact(st, k);
}

/* An artefact with what ships and what the owner keeps: 1, 0, -1. */
static int has_whole(struct store *st, const char *key)
{
	int there = store_has_artefact(st, key);

	there = there == 1 ? has_part(st, key, "pub") : there;
	return there == 1 ? has_part(st, key, "secret") : there;
}

int stage_done(struct store *st, const struct point *p, const struct keys *k, enum stage s)
{
	switch (s) {
	case STAGE_BASE:
		return store_has_artefact(st, k->base);
	case STAGE_LOCKED:
		return has_whole(st, k->locked);
	case STAGE_CREDS:
		return has_creds(p) ? has_whole(st, k->creds) : 1;
	case STAGE_CELL:
		return store_has_cell(st, k->cell);
	}
	bug(__FILE__, __LINE__, "unknown stage");
}

/* ---- base model ---- */

static int train_base(struct work *w)
{
	const struct point *p = w->p;
	const struct clock start = clock_now();
	struct train_stats stats = { 0 };
	struct model *m = model_new_init(&p->spec, (enum init_kind)p->recipe.init, w->owner_seed);
	int ret = -1;

	if (m && train(m, &cache.splits.owner, &p->recipe, w->owner_seed, "base model", NULL, &stats) == 0 &&
	    put_model(w->st, w->key.base, m, stats.forward_equivalents) == 0)
		ret = put_timing(w->st, p, w->key.base, STAGE_BASE, clock_since(start), NULL);
	model_free(m);
	return ret;
}

/* Get it, or build it and get it: twice, because what is found may be damaged. */
static int need_base(struct work *w)
{
	if (w->base)
		return 0;
	w->base = get_model(w->st, w->key.base, &w->p->spec, &w->base_fe);
	if (w->base || error_code() != EXIT_YES)
		return w->base ? 0 : -1;
	if (train_base(w) < 0)
		return error_prefix("base model");
	w->base = get_model(w->st, w->key.base, &w->p->spec, &w->base_fe);
	return w->base ? 0 : error(EXIT_IO, "the base model just stored cannot be read back");
}

/* ---- locked model ---- */

static struct lock_env lock_env(struct work *w, double *fe)
{
	return (struct lock_env){ .train = &cache.splits.owner, .val = &cache.splits.val, .recipe = &w->p->recipe,
				  .base = w->base, .seed = w->owner_seed, .label = w->p->scheme->drv.name,
				  .forward_equivalents = fe };
}

/* An absent bundle is stored as an empty one. */
static int put_part(struct store *st, const char *key, const char *part, const struct bundle *b)
{
	struct bundle *empty = b ? NULL : bundle_new();
	char k[HASH_HEX];
	int ret;

	part_key(key, part, k);
	ret = store_put_artefact(st, k, b ? b : empty);
	bundle_free(empty);
	return ret;
}

static struct bundle *get_part(struct store *st, const char *key, const char *part)
{
	char k[HASH_HEX];

	part_key(key, part, k);
	return store_get_artefact(st, k);
}

/* The images of another task that the lock needs; *d stays NULL where it needs none. */
static int load_foreign(const struct point *p, const char *data_dir, struct dataset **d)
{
	*d = NULL;
	if (!*p->foreign)
		return 0;
	*d = dataset_load(p->foreign, data_dir);
	if (*d && strcmp((*d)->hash, p->foreign_hash) != 0)
		return error(EXIT_UNEVALUABLE, "data set %s in %s is not the one this cell was planned with (payload %.12s, planned "
			     "%.12s)", p->foreign, (*d)->where, (*d)->hash, p->foreign_hash);
	return *d ? 0 : -1;
}

static int lock_model(struct work *w)
{
	const struct clock start = clock_now();
	double fe = 0;
	struct lock_env e = lock_env(w, &fe);
	struct locked l = { 0 };
	struct dataset *d;
	struct images foreign;
	int ret = load_foreign(w->p, w->data_dir, &d);

	if (ret == 0 && d) {
		foreign = dataset_train(d);
		foreign.labels = NULL;
		e.foreign = &foreign;
		e.foreign_hash = d->hash;
	}
	if (ret == 0)
		ret = scheme_lock(w->p->scheme, &e, w->scheme_conf, &l);
	dataset_free(d);
	/* The model comes last: where it is, the parts are. */
	if (ret == 0 && (put_part(w->st, w->key.locked, "pub", l.pub) < 0 ||
			 put_part(w->st, w->key.locked, "secret", l.secret) < 0 ||
			 put_model(w->st, w->key.locked, l.model, fe) < 0 ||
			 put_timing(w->st, w->p, w->key.locked, STAGE_LOCKED, clock_since(start), NULL) < 0))
		ret = -1;
	locked_release(&l);
	return ret;
}

static bool get_locked(struct work *w)
{
	w->locked.model = get_model(w->st, w->key.locked, NULL, &w->lock_fe);
	w->locked.pub = w->locked.model ? get_part(w->st, w->key.locked, "pub") : NULL;
	w->locked.secret = w->locked.pub ? get_part(w->st, w->key.locked, "secret") : NULL;
	if (!w->locked.secret)
		locked_release(&w->locked);
	return w->locked.secret != NULL;
}

static int need_locked(struct work *w)
{
	if (w->locked.model || need_base(w) < 0)
		return w->locked.model ? 0 : -1;
	if (get_locked(w))
		return 0;
	if (error_code() != EXIT_YES)
		return -1;
	if (lock_model(w) < 0)
		return error_prefix("locking with %s", w->p->scheme->drv.name);
	return get_locked(w) ? 0 : error(EXIT_IO, "the locked model just stored cannot be read back");
}

/* ---- credentials ---- */

static int enrol(struct work *w)
{
	const int users = w->p->users, per_user = w->p->per_user, n = users * per_user;
	int *user = xmalloc(n, sizeof(*user)), *trial = xmalloc(n, sizeof(*trial));
	const struct clock start = clock_now();
	double fe = 0;
	struct lock_env e = lock_env(w, &fe);
	struct bundle *b = bundle_new();
	int ret;

	for (int i = 0; i < n; i++) {
		user[i] = i / per_user;
		trial[i] = i % per_user;
	}
	ret = scheme_enrol(w->p->scheme, &e, w->scheme_conf, &w->locked, user, trial, n, b);
	if (ret == 0) {
		bundle_meta_num(b, "forward_equivalents", fe);
		if (put_part(w->st, w->key.creds, "pub", w->locked.pub) < 0 ||
		    put_part(w->st, w->key.creds, "secret", w->locked.secret) < 0 ||
		    store_put_artefact(w->st, w->key.creds, b) < 0 ||
		    put_timing(w->st, w->p, w->key.creds, STAGE_CREDS, clock_since(start), NULL) < 0)
			ret = -1;
	}
	bundle_free(b);
	free(user);
	free(trial);
	return ret;
}

/* Enrolment may have extended what ships and what the owner keeps: those come with the credentials. */
static bool get_creds(struct work *w)
{
	struct bundle *creds = store_get_artefact(w->st, w->key.creds);
	struct bundle *pub = creds ? get_part(w->st, w->key.creds, "pub") : NULL;
	struct bundle *secret = pub ? get_part(w->st, w->key.creds, "secret") : NULL;

	if (!secret) {
		bundle_free(creds);
		bundle_free(pub);
		return false;
	}
	bundle_free(w->locked.pub);
	bundle_free(w->locked.secret);
	w->locked.pub = pub;
	w->locked.secret = secret;
	w->creds = creds;
	w->enrol_fe = bundle_meta_getnum(creds, "forward_equivalents", 0);
	return true;
}

static int need_creds(struct work *w)
{
	if (need_locked(w) < 0)
		return -1;
	if (!has_creds(w->p) || get_creds(w))
		return 0;
	if (error_code() != EXIT_YES)
		return -1;
	if (enrol(w) < 0)
		return error_prefix("enrolling %d users with %s", w->p->users, w->p->scheme->drv.name);
	return get_creds(w) ? 0 : error(EXIT_IO, "the credentials just stored cannot be read back");
}

/* ---- the cell ---- */

struct outcome {
	const char *verdict, *why;
	char text[256];
	struct ledger ledger;
	json_t *notes;
	struct bundle *images; /* for reports; or NULL */
	struct observations obs;
};

static void outcome_release(struct outcome *o)
{
	json_decref(o->notes);
	bundle_free(o->images);
	obs_release(&o->obs);
}

static json_t *ledger_json(const struct ledger *l)
{
	json_t *j = json_object();

	jset_int(j, "queries", l->queries);
	jset_int(j, "labels", l->labels);
	jset_int(j, "submissions", l->submissions);
	jset_num(j, "forward_equivalents", l->forward_equivalents);
	return j;
}

static json_t *cell_json(const struct work *w, const struct outcome *o)
{
	const struct point *p = w->p;
	json_t *j = point_json(p);
	char hash[HASH_HEX], caps[160];

	jset_int(j, "schema", CELL_SCHEMA);
	jset_str(j, "key", w->key.cell);
	jset_str(j, "lockbench", LOCKBENCH_VERSION);
	jset_str(j, "base_key", w->key.base);
	jset_str(j, "locked_key", w->key.locked);
	jset_str(j, "creds_key", w->key.creds);
	jset_str(j, "level", p->attack ? level_names[level_of(point_needs(p))] : "");
	jset_str(j, "needs", capability_text(point_needs(p), caps));
	jset_str(j, "verdict", o->verdict);
	jset_str(j, "why", o->why);
	jset(j, "ledger", ledger_json(&o->ledger));
	jset_str(j, "goal", p->attack ? goal_names[p->attack->goal] : "");
	jset_str(j, "strength_option", p->attack && p->attack->strength ? p->attack->strength : "");
	jset(j, "notes", o->notes ? json_incref(o->notes) : json_object());
	jset(j, "observations", obs_json(&o->obs));
	jset(j, "metrics", metrics_json(&o->obs));
	hash[0] = '\0';
	if (w->base)
		model_hash(w->base, hash);
	jset_str(j, "base_hash", hash);
	hash[0] = '\0';
	if (w->locked.model)
		model_hash(w->locked.model, hash);
	jset_str(j, "locked_hash", hash);
	return j;
}

/* The attack runs while nobody can read what it must not see; the oracle opens the service's pages as it answers. */
static int run_guarded(struct work *w, struct access *a, const void *conf, const struct setup *s, struct product *prod, struct ledger *l)
{
	struct vault v = { 0 };
	int ret;

	vault_fill(&v, s);
	access_guard(a, &v.service);
	pages_shut(&v.owner);
	pages_shut(&v.service);
	pages_shut(&cache.pages);
	ret = search_run(w->p->attack, a, l, conf, w->p->attacker.search, prod);
	pages_open(&cache.pages);
	vault_release(&v);
	access_guard(a, NULL);
	return ret;
}

static int run_attack(struct work *w, const struct setup *s, struct product *prod, struct outcome *o)
{
	const struct attack *at = w->p->attack;
	void *conf = driver_conf(&at->drv, w->p->attack_options);
	struct access_store *keep = NULL;
	struct access a = { 0 };
	int ret = -1;

	attacker_limits(&w->p->attacker, &o->ledger);
	interrupt_after(w->p->attacker.budget.seconds);
	if (conf && access_open(&a, &keep, s, point_needs(w->p), rng_derive(w->p->seed, "attack"), &o->ledger) == 0) {
		a.label = at->drv.name;
		prod->goal = at->goal;
		ret = run_guarded(w, &a, conf, s, prod, &o->ledger);
		prod->caps = point_needs(w->p);
		access_close(&a, keep);
	}
	interrupt_after(0);
	free(conf);
	return ret < 0 ? error_prefix("attack %s", at->drv.name) : 0;
}

/* Always so with this budget: a result, not a failure that another run might mend. */
static int over_budget(struct outcome *o)
{
	snprintf(o->text, sizeof(o->text), "%.255s", error_text());
	error_clear();
	o->verdict = "over-budget";
	return 0;
}

static int work_cell(struct work *w, struct outcome *o)
{
	const struct point *p = w->p;
	struct setup s = { .data = cache.d, .splits = &cache.splits, .scheme = p->scheme, .conf = w->scheme_conf,
			   .base = w->base, .locked = &w->locked, .creds = w->creds, .users = p->users, .per_user = p->per_user,
			   .seed = rng_derive(p->seed, "evaluate"), .base_fe = w->base_fe, .lock_fe = w->lock_fe,
			   .enrol_fe = w->enrol_fe };
	struct product prod = { 0 };
	int ret = 0;

	if (!w->creds)
		s.users = s.per_user = 0;
	if (p->attack)
		ret = run_attack(w, &s, &prod, o);
	if (ret < 0 && o->ledger.exhausted)
		ret = over_budget(o);
	else if (ret == 0)
		ret = evaluate(&s, p->attack ? &prod : NULL, &o->obs, &o->verdict, o->text);
	o->why = o->text;
	o->notes = json_incref(prod.notes);
	if (ret == 0 && p->attack && strcmp(o->verdict, "over-budget") != 0)
		o->images = attack_images(&s, &prod);
	product_release(&prod);
	return ret;
}

static int overhead_of(struct work *w, json_t **overhead)
{
	struct setup s = { .data = cache.d, .splits = &cache.splits, .scheme = w->p->scheme, .conf = w->scheme_conf,
			   .base = w->base, .locked = &w->locked, .creds = w->creds, .users = w->creds ? w->p->users : 0,
			   .per_user = w->creds ? w->p->per_user : 0, .seed = rng_derive(w->p->seed, "evaluate") };

	*overhead = w->p->attack ? NULL : measure_overhead(&s);
	return *overhead || w->p->attack ? 0 : -1;
}

/* The cell is published before its timing: the timing may be lost, the cell may not. */
static int finish_cell(struct work *w, const struct outcome *o, struct clock took, json_t *overhead)
{
	json_t *cell = cell_json(w, o);
	char part[HASH_HEX];
	int ret = 0;

	if (o->images) { /* first: whoever is killed in between makes the cell again, and these with it */
		part_key(w->key.cell, "images", part);
		ret = store_put_artefact(w->st, part, o->images);
	}
	if (ret == 0)
		ret = store_put_cell(w->st, w->key.cell, cell);
	json_decref(cell);
	if (ret == 0)
		ret = put_timing(w->st, w->p, w->key.cell, STAGE_CELL, took, overhead);
	else
		json_decref(overhead);
	return ret == 0 ? store_clear_failure(w->st, w->key.cell) : ret;
}

static int make_cell(struct work *w)
{
	struct clock start = clock_now(), took;
	struct outcome o = { 0 };
	json_t *overhead = NULL;
	int ret;

	o.why = o.text;
	if (point_inapplicable(w->p, o.text)) {
		o.verdict = "n/a";
		ret = finish_cell(w, &o, clock_since(start), NULL);
	} else {
		ret = need_creds(w);
		start = clock_now(); /* artefacts have timings of their own */
		if (ret == 0)
			ret = work_cell(w, &o);
		took = clock_since(start);
		if (ret == 0)
			ret = overhead_of(w, &overhead);
		if (ret == 0)
			ret = finish_cell(w, &o, took, overhead);
	}
	outcome_release(&o);
	return ret;
}

int stage_run(struct store *st, const struct point *p, const char *data_dir, enum stage s)
{
	struct work w;
	int ret = work_open(&w, st, p, data_dir);
	char why[256];
	bool needs_data = s != STAGE_CELL || !point_inapplicable(p, why);

	if (ret == 0 && needs_data)
		ret = load_data(p, data_dir);
	if (ret == 0 && s == STAGE_BASE)
		ret = need_base(&w);
	else if (ret == 0 && s == STAGE_LOCKED)
		ret = need_locked(&w);
	else if (ret == 0 && s == STAGE_CREDS)
		ret = need_creds(&w);
	else if (ret == 0 && (ret = store_has_cell(st, w.key.cell)) == 0)
		ret = make_cell(&w);
	ret = ret < 0 ? -1 : 0;
	work_close(&w);
	return ret;
}

int cell_run(struct store *st, const struct point *p, const char *data_dir)
{
	return stage_run(st, p, data_dir, STAGE_CELL);
}

int cell_prepare(struct store *st, const struct point *p, const char *data_dir)
{
	return stage_run(st, p, data_dir, STAGE_CREDS);
}
