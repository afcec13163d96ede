/* Study points: description, keys, round trip. See cell.h.
 * A key is the SHA-256 of the canonical text of chosen members of the description, so that the keys of a stored cell can be
 * computed again from the cell alone, whatever machine or version made it. */
#include "bench/cell.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "bench/applies.h"
#include "bench/keys.h"
#include "bench/withhold.h"
#include "metrics/metric.h"
#include "nn/kernels.h"

const char *const tier_names[] = { "smoke", "short", "paper" };

void point_copy(struct point *to, const struct point *from)
{
	*to = *from;
	to->scheme_options = json_deep_copy(from->scheme_options);
	to->attack_options = json_deep_copy(from->attack_options);
}

void point_release(struct point *p)
{
	json_decref(p->scheme_options);
	json_decref(p->attack_options);
	*p = (struct point){ 0 };
}

/* ---- description ---- */

static int arch_version(const char *arch)
{
	for (const struct driver *const *a = archs; *a; a++)
		if (!strcmp((*a)->name, arch))
			return (*a)->version;
	return 0;
}

static json_t *shape_json(const struct model_spec *s)
{
	json_t *j = json_object();

	jset_int(j, "c", s->c);
	jset_int(j, "h", s->h);
	jset_int(j, "w", s->w);
	jset_int(j, "classes", s->classes);
	return j;
}

/* Cells hold their metrics, so what those are is part of what a cell is. Those of seconds and of all attacks together are in none. */
static void metrics_version(char hash[65])
{
	json_t *j = json_object();

	for (const struct driver *const *m = metrics; *m; m++)
		if (((const struct metric *)*m)->from == FROM_CELL)
			jset_int(j, (*m)->name, (*m)->version);
	json_hash(j, hash);
	json_decref(j);
}

/* The level only where it decides: an attack that is granted what it needs gives the same cell whatever else it would have been granted. */
static void put_attacker(json_t *j, const struct point *p)
{
	char why[256];
	const bool refused = p->attack && p->attacker.level < LEVEL_WHITE && level_refuses(p->attacker.level, point_needs(p), why);
	json_t *a = p->attack ? attacker_json(&p->attacker, refused) : NULL;

	if (a)
		jset(j, "attacker", a);
}

/* Versions of the attacks that the attack is made of. */
static void put_parts(json_t *j, const struct point *p)
{
	void *conf = p->attack && p->attack->parts ? xcalloc(1, p->attack->drv.conf_size) : NULL;
	json_t *parts = NULL;

	if (conf) {
		BUG_ON(opt_from_json(p->attack->drv.opts, conf, p->attack_options) < 0);
		parts = p->attack->parts(conf);
	}
	if (parts)
		jset(j, "attack_parts", parts);
	free(conf);
}

json_t *point_json(const struct point *p)
{
	json_t *j = json_object(), *limits = json_object();
	char name[64], hash[65];

	jset_str(j, "dataset", p->dataset);
	jset_str(j, "dataset_hash", p->dataset_hash);
	jset_str(j, "model", model_spec_name(&p->spec, name));
	jset_int(j, "model_version", arch_version(p->spec.arch));
	jset(j, "shape", shape_json(&p->spec));
	jset(j, "recipe", opt_json(train_opts, &p->recipe));
	jset_int(limits, "train", p->limit_train);
	jset_int(limits, "test", p->limit_test);
	jset(j, "limits", limits);
	jset_int(j, "seed", (long long)p->seed);
	jset_str(j, "tier", tier_names[p->tier]);
	jset_str(j, "scheme", p->scheme->drv.name);
	jset_int(j, "scheme_version", p->scheme->drv.version);
	jset(j, "scheme_options", p->scheme_options ? json_deep_copy(p->scheme_options) : json_object());
	if (*p->foreign) {
		jset_str(j, "foreign", p->foreign);
		jset_str(j, "foreign_hash", p->foreign_hash);
	}
	jset_int(j, "users", p->users);
	jset_int(j, "credentials_per_user", p->per_user);
	jset_str(j, "attack", p->attack ? p->attack->drv.name : "none");
	jset_int(j, "attack_version", p->attack ? p->attack->drv.version : 0);
	jset(j, "attack_options", p->attack_options ? json_deep_copy(p->attack_options) : json_object());
	put_parts(j, p);
	put_attacker(j, p);
	jset_int(j, "engine", ENGINE_VERSION);
	jset_str(j, "kernel", kernels_name());
	metrics_version(hash);
	jset_str(j, "metrics_version", hash);
	return j;
}

/* Canonical options of a driver from an object of some of them; NULL after error(). */
static json_t *canonical_options(const struct driver *d, json_t *given)
{
	void *conf = xcalloc(1, d->conf_size ? d->conf_size : 1);
	json_t *j = opt_from_json(d->opts, conf, given) < 0 ? NULL : opt_json(d->opts, conf);

	free(conf);
	if (!j)
		error_prefix("%s", d->name);
	return j;
}

static int read_spec(struct point *p, const json_t *j)
{
	const json_t *shape = json_object_get(j, "shape");

	if (model_spec_parse(&p->spec, jget_str(j, "model", "")) < 0)
		return -1;
	p->spec.c = (int)jget_int(shape, "c", 0);
	p->spec.h = (int)jget_int(shape, "h", 0);
	p->spec.w = (int)jget_int(shape, "w", 0);
	p->spec.classes = (int)jget_int(shape, "classes", 0);
	if (p->spec.c < 1 || p->spec.h < 1 || p->spec.w < 1 || p->spec.classes < 2)
		return error(EXIT_UNEVALUABLE, "the point's shape is missing or wrong");
	return 0;
}

static int read_drivers(struct point *p, const json_t *j)
{
	const char *attack = jget_str(j, "attack", "none");

	p->scheme = driver_find(schemes, "scheme", jget_str(j, "scheme", ""));
	if (!p->scheme)
		return -1;
	if (withheld(j))
		return error(EXIT_UNEVALUABLE, "%s: a secret option was withheld by its owner", p->scheme->drv.name);
	p->scheme_options = canonical_options(&p->scheme->drv, json_object_get(j, "scheme_options"));
	if (!p->scheme_options)
		return -1;
	if (!strcmp(attack, "none")) {
		p->attack_options = json_object();
		return 0;
	}
	p->attack = driver_find(attacks, "attack", attack);
	if (!p->attack)
		return -1;
	p->attack_options = canonical_options(&p->attack->drv, json_object_get(j, "attack_options"));
	return p->attack_options ? attacker_from_json(&p->attacker, json_object_get(j, "attacker")) : -1;
}

static int read_tier(const char *name)
{
	for (int i = 0; i < 3; i++)
		if (!strcmp(tier_names[i], name))
			return i;
	return TIER_SMOKE;
}

int point_from_json(struct point *p, const json_t *j)
{
	const json_t *limits = json_object_get(j, "limits");

	*p = (struct point){ 0 };
	snprintf(p->dataset, sizeof(p->dataset), "%s", jget_str(j, "dataset", ""));
	snprintf(p->dataset_hash, sizeof(p->dataset_hash), "%s", jget_str(j, "dataset_hash", ""));
	snprintf(p->foreign, sizeof(p->foreign), "%s", jget_str(j, "foreign", ""));
	snprintf(p->foreign_hash, sizeof(p->foreign_hash), "%s", jget_str(j, "foreign_hash", ""));
	p->limit_train = (int)jget_int(limits, "train", 0);
	p->limit_test = (int)jget_int(limits, "test", 0);
	p->seed = (uint64_t)jget_int(j, "seed", 0);
	p->tier = read_tier(jget_str(j, "tier", "smoke"));
	p->users = (int)jget_int(j, "users", 0);
	p->per_user = (int)jget_int(j, "credentials_per_user", 0);
	if (read_spec(p, j) == 0 && opt_from_json(train_opts, &p->recipe, json_object_get(j, "recipe")) == 0 &&
	    read_drivers(p, j) == 0)
		return 0;
	point_release(p);
	return -1;
}

/* ---- keys ---- */

/* Hash {kind, parent, members of j}; a member "limits.train" is the member of a member, "?foreign_hash" one that few points have. */
static void hash_members(const json_t *j, const char *kind, const char *parent, const char *const *members, char key[65])
{
	json_t *k = json_object();

	jset_str(k, "kind", kind);
	if (parent)
		jset_str(k, "parent", parent);
	for (; *members; members++) {
		const char *dot = strchr(*members, '.');
		json_t *v;

		if (**members == '?') {
			v = json_object_get(j, *members + 1);
			if (!v)
				continue;
		} else if (dot) {
			char outer[32];

			snprintf(outer, sizeof(outer), "%.*s", (int)(dot - *members), *members);
			v = json_object_get(json_object_get(j, outer), dot + 1);
		} else {
			v = json_object_get(j, *members);
		}
		jset(k, *members, v ? json_incref(v) : json_null());
	}
	json_hash(k, key);
	json_decref(k);
}

/* what: hash of all that is not the artefacts'. */
static void cell_key(const char *creds, const char *what, char key[65])
{
	json_t *j = json_object();
	char kind[32];

	snprintf(kind, sizeof(kind), "cell %d.%d", CELL_SCHEMA, EVALUATE_VERSION);
	jset_str(j, "kind", kind);
	jset_str(j, "parent", creds);
	jset_str(j, "what", what);
	json_hash(j, key);
	json_decref(j);
}

/* attack: NULL, or the hash that only the cell's key has in it. */
static void all_keys(const json_t *j, struct keys *k, char attack[65])
{
	static const char *const base[] = { "dataset_hash", "model", "model_version", "shape", "recipe", "limits.train", "seed",
					    "engine", "kernel", NULL };
	static const char *const locked[] = { "scheme", "scheme_version", "scheme_options", "?foreign_hash", NULL };
	static const char *const creds[] = { "users", "credentials_per_user", NULL };
	static const char *const cell[] = { "dataset", "limits.test", "attack", "attack_version", "attack_options", "?attack_parts",
					    "?attacker", "tier", "metrics_version", NULL };
	char what[65];

	hash_members(j, "base", NULL, base, k->base);
	if (withheld(j)) /* cannot be computed without; the others follow from what it is said to be */
		snprintf(k->locked, sizeof(k->locked), "%s", jget_str(j, "locked_key", ""));
	else
		hash_members(j, "locked", k->base, locked, k->locked);
	hash_members(j, "creds", k->locked, creds, k->creds);
	hash_members(j, "attack", NULL, cell, what);
	cell_key(k->creds, what, k->cell);
	if (attack)
		memcpy(attack, what, sizeof(what));
}

void keys_of(const json_t *j, struct keys *k)
{
	all_keys(j, k, NULL);
}

void point_keys(const struct point *p, struct keys *k)
{
	json_t *j = point_json(p);

	keys_of(j, k);
	json_decref(j);
}

/* ---- keys of many points ---- */

struct key_memo {
	struct point last; /* whose base, locked and creds keys these are; owns nothing; scheme NULL: none yet */
	struct keys keys;
	json_t *attacks;   /* what the attack part is made from -> its hash */
};

struct key_memo *key_memo_new(void)
{
	struct key_memo *m = xcalloc(1, sizeof(*m));

	m->attacks = json_object();
	return m;
}

void key_memo_free(struct key_memo *m)
{
	json_decref(m->attacks);
	free(m);
}

static bool same_artefacts(const struct point *a, const struct point *b)
{
	return a->scheme == b->scheme && a->scheme_options == b->scheme_options && a->seed == b->seed && a->users == b->users &&
	       a->per_user == b->per_user && a->limit_train == b->limit_train && !strcmp(a->dataset_hash, b->dataset_hash) &&
	       !strcmp(a->foreign_hash, b->foreign_hash) && !memcmp(&a->spec, &b->spec, sizeof(a->spec)) &&
	       !memcmp(&a->recipe, &b->recipe, sizeof(a->recipe));
}

void point_keys_with(struct key_memo *m, const struct point *p, struct keys *k)
{
	const struct attacker *a = &p->attacker;
	char at[320], what[65];
	const char *known;

	snprintf(at, sizeof(at), "%p %p %d %d %d %ld %ld %ld %.17g %d %d %s", (const void *)p->attack, (void *)p->attack_options, a->level,
		 a->overlap, a->search, a->budget.queries, a->budget.labels, a->budget.submissions, a->budget.forwards, p->limit_test, p->tier,
		 p->dataset);
	known = p->attack ? jget_str(m->attacks, at, NULL) : NULL; /* functional cells' options are objects of their own */
	if (!known || !m->last.scheme || !same_artefacts(&m->last, p)) {
		json_t *j = point_json(p);

		all_keys(j, k, what);
		json_decref(j);
		if (p->attack)
			jset_str(m->attacks, at, what);
		m->last = *p;
		m->keys = *k;
		return;
	}
	*k = m->keys;
	cell_key(k->creds, known, k->cell);
}

void point_base_key(const struct point *p, char key[65])
{
	struct keys k;

	point_keys(p, &k);
	memcpy(key, k.base, sizeof(k.base));
}

void point_locked_key(const struct point *p, char key[65])
{
	struct keys k;

	point_keys(p, &k);
	memcpy(key, k.locked, sizeof(k.locked));
}

void point_creds_key(const struct point *p, char key[65])
{
	struct keys k;

	point_keys(p, &k);
	memcpy(key, k.creds, sizeof(k.creds));
}

void point_cell_key(const struct point *p, char key[65])
{
	struct keys k;

	point_keys(p, &k);
	memcpy(key, k.cell, sizeof(k.cell));
}

void part_key(const char *key, const char *part, char out[65])
{
	json_t *j = json_object();

	jset_str(j, "kind", part);
	jset_str(j, "parent", key);
	json_hash(j, out);
	json_decref(j);
}
