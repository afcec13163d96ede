/* What a job leaves open until there is data: shapes, hashes, users, keys, and which attack applies. See job.h.
 * Jobs have tens of thousands of cells of a few hundred settings: what depends on the settings alone is found out once. */
#include "bench/job.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "bench/applies.h"
#include "datasets/dataset.h"

/* ---- data ---- */

/* The shape, hash and limits of every point on one data set. */
static int fill_from(struct job *j, const char *dataset, const struct dataset *d)
{
	for (int i = 0; i < j->n; i++) {
		struct point *p = &j->cells[i].p;
		int used;

		if (strcmp(p->dataset, dataset) != 0)
			continue;
		j->cells[i].ntrain = d->ntrain;
		j->cells[i].ntest = d->ntest;
		memcpy(p->dataset_hash, d->hash, sizeof(p->dataset_hash));
		p->spec.c = d->c;
		p->spec.h = d->h;
		p->spec.w = d->w;
		p->spec.classes = d->classes;
		p->limit_train = p->limit_train >= d->ntrain ? 0 : p->limit_train;
		p->limit_test = p->limit_test >= d->ntest ? 0 : p->limit_test;
		used = p->limit_train ? p->limit_train : d->ntrain;
		if (used < SPLITS_MIN)
			return error(EXIT_UNEVALUABLE, "%s: %d training images are too few to split; at least %d are needed",
				     p->dataset, used, SPLITS_MIN);
	}
	return 0;
}

static int resolve_data(struct job *j, const char *data_dir)
{
	int ret = 0;

	for (int i = 0; i < j->n && !ret; i++) {
		struct dataset *d;
		char name[64];

		if (*j->cells[i].p.dataset_hash)
			continue;
		snprintf(name, sizeof(name), "%s", j->cells[i].p.dataset);
		d = dataset_load(name, data_dir);
		ret = d ? fill_from(j, name, d) : -1;
		dataset_free(d);
	}
	return ret;
}

/* Does the network fit the images? Each model and data set once. */
static int check_models(const struct job *j)
{
	json_t *seen = json_object();
	int ret = 0;

	for (int i = 0; i < j->n && !ret; i++) {
		const struct point *p = &j->cells[i].p;
		char name[64], key[160];
		struct model *m;

		snprintf(key, sizeof(key), "%s %s", model_spec_name(&p->spec, name), p->dataset);
		if (json_object_get(seen, key))
			continue;
		jset_bool(seen, key, 1);
		m = model_new(&p->spec, 0);
		if (!m)
			ret = error_prefix("model %s on %s (%dx%dx%d)", name, p->dataset, p->spec.c, p->spec.h, p->spec.w);
		else if (model_outputs(m) != p->spec.classes)
			ret = error(EXIT_UNEVALUABLE, "model %s is no classifier", name);
		model_free(m);
	}
	json_decref(seen);
	return ret;
}

/* The first of the data sets that is found; the last when none is, so that the error names it. */
static int load_first(char *names, const char *data_dir, struct dataset **d)
{
	char where[512], *rest = names, *name = NULL;
	int there = 0;

	while (rest && !there) {
		name = strsep(&rest, ",");
		there = dataset_where(name, data_dir, where);
	}
	if (there < 0)
		return -1;
	*d = dataset_load(name, data_dir);
	return *d ? 0 : -1;
}

/* The images of another task that locks need. Most jobs ask for one set, so the last one's hash is at hand for the next cell. */
static int resolve_foreign(struct job *j, const char *data_dir)
{
	char last[256] = "", names[256];
	const struct point *same = NULL;

	for (int i = 0; i < j->n; i++) {
		struct point *p = &j->cells[i].p;
		void *conf = p->scheme->foreign ? driver_conf(&p->scheme->drv, p->scheme_options) : NULL;
		struct dataset *d;
		int wants = 0;

		if (p->scheme->foreign && !conf)
			return -1;
		if (conf)
			wants = p->scheme->foreign(conf, p->dataset, names);
		free(conf);
		if (!wants)
			continue;
		if (same && !strcmp(names, last)) {
			memcpy(p->foreign, same->foreign, sizeof(p->foreign));
			memcpy(p->foreign_hash, same->foreign_hash, sizeof(p->foreign_hash));
			continue;
		}
		snprintf(last, sizeof(last), "%s", names);
		if (load_first(names, data_dir, &d))
			return error_prefix("%s needs images of another task", p->scheme->drv.name);
		snprintf(p->foreign, sizeof(p->foreign), "%s", d->name);
		memcpy(p->foreign_hash, d->hash, sizeof(p->foreign_hash));
		dataset_free(d);
		same = p;
	}
	return 0;
}

/* ---- once for each setting ---- */

/* Settings are told apart by where their options lie: the cells of one variant share them. */
struct memo {
	json_t *users;        /* scheme's options -> users it has */
	json_t *inapplicable; /* both options and the grant -> reason, or null */
	struct key_memo *keys;
};

/* Users a scheme has under its options; the job's number is an upper bound. */
static int resolve_users(struct memo *m, struct point *p)
{
	const struct scheme *s = p->scheme;
	char at[64];
	void *conf;
	int has;

	if (!s->enrol) {
		p->users = p->per_user = 0;
		return 0;
	}
	snprintf(at, sizeof(at), "%p %d", (void *)p->scheme_options, p->spec.classes);
	has = (int)jget_int(m->users, at, -1);
	if (has < 0) {
		conf = driver_conf(&s->drv, p->scheme_options);
		if (!conf)
			return -1;
		has = scheme_users(s, conf, p->spec.classes);
		free(conf);
		jset_int(m->users, at, has);
	}
	if (!p->users || p->users > has)
		p->users = has;
	return 0;
}

static void resolve_applies(struct memo *m, struct job_cell *c)
{
	const struct point *p = &c->p;
	char at[128], why[256];
	json_t *known;

	if (!p->attack)
		return;
	snprintf(at, sizeof(at), "%p %p %d %d %d", (void *)p->scheme_options, (void *)p->attack_options, p->attacker.level,
		 p->attacker.search > 1, p->users > 0);
	known = json_object_get(m->inapplicable, at);
	if (!known) {
		known = point_inapplicable(p, why) ? json_string(why) : json_null();
		jset(m->inapplicable, at, known);
	}
	if (json_is_string(known))
		c->inapplicable = xstrdup(json_string_value(known));
}

/* Its keys, and whether it applies. 1: keep it; 0: it is there already, or is a search of what does not apply, which the cell without
 * a search says; -1 after error(). */
static int resolve_cell(struct memo *m, json_t *seen, struct job_cell *c)
{
	if (resolve_users(m, &c->p) < 0)
		return -1;
	point_keys_with(m->keys, &c->p, &c->key);
	if (json_object_get(seen, c->key.cell))
		return 0;
	jset_bool(seen, c->key.cell, 1);
	resolve_applies(m, c);
	return !c->inapplicable || c->p.attacker.search < 2;
}

int job_resolve(struct job *j, const char *data_dir)
{
	struct memo m = { 0 };
	json_t *seen;
	int kept = 0, ret = 1;

	if (resolve_data(j, data_dir) < 0 || check_models(j) < 0 || resolve_foreign(j, data_dir) < 0)
		return -1;
	seen = json_object();
	m = (struct memo){ json_object(), json_object(), key_memo_new() };
	for (int i = 0; i < j->n; i++) {
		struct job_cell c = j->cells[i];

		if (ret >= 0)
			ret = resolve_cell(&m, seen, &c);
		if (ret > 0) {
			j->cells[kept++] = c;
		} else {
			point_release(&c.p);
			free(c.inapplicable);
		}
	}
	j->n = kept;
	json_decref(seen);
	json_decref(m.users);
	json_decref(m.inapplicable);
	key_memo_free(m.keys);
	return ret < 0 ? -1 : 0;
}
