/* Job files. See job.h.
 * Text -> tree (yaml.c) -> overrides by --set -> grids -> points. Every name, option and range is checked on the way, with
 * the place in the file, before any data is looked at. */
#include "bench/job.h"

#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "bench/margin.h"
#include "bench/search.h"
#include "bench/tier.h"
#include "bench/yaml.h"
#include "datasets/dataset.h"

#define FILE_MAX ((size_t)1 << 20)
#define SEEDS_MAX 1000

/* One way to set up a driver: its canonical options. */
struct variant {
	const struct driver *drv;
	json_t *options;
};
struct variants {
	struct variant *v;
	int n, room;
};

/* One grid, with what it inherits from the header. */
struct grid {
	char dataset[64], model[64];
	const struct yaml *train[2]; /* of the header and of the block, may be NULL */
	int limit_train;             /* -1: not said, the tier's for the model */
	int limit_test, users, per_user, controls;
	int access[LEVELS], naccess;
	bool overlap[2];             /* attackers' data: disjoint, overlapping, or both in turn */
	int noverlap;
	struct attacker attacker;    /* its search and budget; level and overlap are those above */
	int *seed, nseeds;           /* in the arena */
	const struct yaml *schemes, *attacks;
};

struct parser {
	struct job *job;
	struct arena mem;
	struct yaml *root;
	int room; /* of job->cells */
};

/* ---- scalars ---- */

struct scalars { /* what the table below fills */
	char name[OPT_STRING_MAX], dataset[OPT_STRING_MAX], model[OPT_STRING_MAX];
	int tier, users, per_user, controls, train, test, seed, count, access, data, search, queries, labels, submissions;
	double timeout, forwards, seconds;
};
#define ROW(m) offsetof(struct scalars, m)
static const struct opt scalar_opts[] = {
	{ "name", OPT_STRING, ROW(name), "job", 1, 63, "what reports call it", NULL },
	{ "tier", OPT_CHOICE, ROW(tier), "smoke", 0, 0, "size of everything the job does not say", "smoke|short|paper" },
	{ "dataset", OPT_STRING, ROW(dataset), "synthetic", 1, 63, "see `lockbench data list`", NULL },
	{ "model", OPT_STRING, ROW(model), "lenet5", 1, 31, "see `lockbench list models`", NULL },
	{ "timeout", OPT_FLOAT, ROW(timeout), "0", 0, 1e9, "seconds for each task; 0: none", NULL },
	{ "users", OPT_INT, ROW(users), "0", 0, 1e6, "users that get credentials; 0: all that the scheme has", NULL },
	{ "credentials_per_user", OPT_INT, ROW(per_user), "0", 0, 1e6, "credentials issued to each user", NULL },
	{ "controls", OPT_BOOL, ROW(controls), "true", 0, 0, "add the schemes none and keycheck", NULL },
	{ "train", OPT_INT, ROW(train), "0", 0, INT_MAX, "training images used; 0: all", NULL },
	{ "test", OPT_INT, ROW(test), "0", 0, INT_MAX, "test images used; 0: all", NULL },
	{ "seed", OPT_INT, ROW(seed), "0", 0, INT_MAX, "a seed", NULL },
	{ "seeds", OPT_INT, ROW(count), "1", 1, SEEDS_MAX, "how many seeds", NULL },
	{ "access", OPT_CHOICE, ROW(access), "white", 0, 0, "what attackers may see", "black|grey|white" },
	{ "attacker_data", OPT_CHOICE, ROW(data), "disjoint", 0, 0, "attackers' images beside the owner's training set, or out of it",
	  "disjoint|overlap" },
	{ "search", OPT_INT, ROW(search), "0", 0, SEARCH_MAX, "settings of each attack that are tried; 0: only the one given", NULL },
	{ "queries", OPT_INT, ROW(queries), "0", 0, INT_MAX, "questions to the service; 0: no limit", NULL },
	{ "labels", OPT_INT, ROW(labels), "0", 0, INT_MAX, "labelled images; 0: all of the attack pool", NULL },
	{ "submissions", OPT_INT, ROW(submissions), "0", 0, INT_MAX, "credentials submitted; 0: no limit", NULL },
	{ "forwards", OPT_FLOAT, ROW(forwards), "0", 0, 1e18, "compute in forward equivalents; 0: no limit", NULL },
	{ "seconds", OPT_FLOAT, ROW(seconds), "0", 0, 1e9, "wall time of an attack; 0: no limit", NULL },
	{ 0 }
};

static int want(const struct yaml *y, enum yaml_kind kind, const char *key)
{
	static const char *const words[] = { "one value", "a list", "a map of names and values" };

	if (yaml_is_null(y))
		return yaml_error(y, "'%s' has no value", key);
	return y->kind == kind ? 0 : yaml_error(y, "'%s' wants %s", key, words[kind]);
}

/* Parse a scalar by its row into s. */
static int scalar(const struct yaml *y, const char *row, struct scalars *s)
{
	if (want(y, YAML_SCALAR, row) < 0)
		return -1;
	return opt_set(scalar_opts, s, row, y->text) < 0 ? yaml_prefix(y) : 0;
}

static int unknown_key(const struct yaml *key, const char *const *names, size_t n)
{
	unknown_name("key", key->text, names, n);
	return yaml_prefix(key);
}

/* ---- members of a grid ---- */

static int read_seeds(struct parser *ps, const struct yaml *y, struct grid *g)
{
	struct scalars s;
	int n;

	if (y->kind != YAML_LIST) {
		if (scalar(y, "seeds", &s) < 0)
			return -1;
		g->nseeds = s.count;
		g->seed = arena_new(&ps->mem, s.count, int);
		for (int i = 0; i < s.count; i++)
			g->seed[i] = i + 1;
		return 0;
	}
	n = y->n;
	if (n < 1 || n > SEEDS_MAX)
		return yaml_error(y, "%d seeds; allowed: 1 to %d", n, SEEDS_MAX);
	g->nseeds = n;
	g->seed = arena_new(&ps->mem, n, int);
	for (int i = 0; i < n; i++) {
		if (scalar(y->item[i], "seed", &s) < 0)
			return -1;
		g->seed[i] = s.seed;
	}
	return 0;
}

static int read_limit(struct parser *ps, const struct yaml *y, struct grid *g)
{
	static const char *const names[] = { "train", "test" };
	struct scalars s = { .train = g->limit_train, .test = g->limit_test };

	(void)ps;
	if (want(y, YAML_MAP, "limit") < 0)
		return -1;
	for (int i = 0; i < y->n; i++) {
		if (strcmp(y->key[i]->text, "train") != 0 && strcmp(y->key[i]->text, "test") != 0)
			return unknown_key(y->key[i], names, 2);
		if (scalar(y->item[i], y->key[i]->text, &s) < 0)
			return -1;
	}
	g->limit_train = s.train;
	g->limit_test = s.test;
	return 0;
}

static int read_train(struct parser *ps, const struct yaml *y, struct grid *g)
{
	struct train_conf scratch;

	(void)ps;
	if (want(y, YAML_MAP, "train") < 0)
		return -1;
	opt_defaults(train_opts, &scratch);
	for (int i = 0; i < y->n; i++) {
		if (!opt_find(train_opts, y->key[i]->text)) {
			opt_set(train_opts, &scratch, y->key[i]->text, "");
			return yaml_prefix(y->key[i]);
		}
		if (want(y->item[i], YAML_SCALAR, y->key[i]->text) < 0)
			return -1;
		if (opt_set(train_opts, &scratch, y->key[i]->text, y->item[i]->text) < 0)
			return yaml_prefix(y->item[i]);
	}
	g->train[g->train[0] != NULL] = y;
	return 0;
}

static int read_dataset(struct parser *ps, const struct yaml *y, struct grid *g)
{
	struct scalars s;

	(void)ps;
	if (scalar(y, "dataset", &s) < 0)
		return -1;
	if (!dataset_driver_of(s.dataset))
		return yaml_prefix(y);
	snprintf(g->dataset, sizeof(g->dataset), "%.63s", s.dataset);
	return 0;
}

static int read_model(struct parser *ps, const struct yaml *y, struct grid *g)
{
	struct model_spec spec = { 0 };
	struct scalars s;

	(void)ps;
	if (scalar(y, "model", &s) < 0)
		return -1;
	if (model_spec_parse(&spec, s.model) < 0)
		return yaml_prefix(y);
	snprintf(g->model, sizeof(g->model), "%.63s", s.model);
	return 0;
}

static int read_users(struct parser *ps, const struct yaml *y, struct grid *g)
{
	struct scalars s = { 0 };

	(void)ps;
	if (scalar(y, "users", &s) < 0)
		return -1;
	g->users = s.users;
	return 0;
}

static int read_per_user(struct parser *ps, const struct yaml *y, struct grid *g)
{
	struct scalars s = { 0 };

	(void)ps;
	if (scalar(y, "credentials_per_user", &s) < 0)
		return -1;
	g->per_user = s.per_user;
	return 0;
}

static int read_controls(struct parser *ps, const struct yaml *y, struct grid *g)
{
	struct scalars s = { 0 };

	(void)ps;
	if (scalar(y, "controls", &s) < 0)
		return -1;
	g->controls = s.controls;
	return 0;
}

/* ---- what attackers are granted ---- */

/* One choice, or a list of them that spans the grid. */
static int read_choices(const struct yaml *y, const char *key, size_t offset, int most, int *out, int *n)
{
	struct scalars s = { 0 };
	const bool list = y->kind == YAML_LIST;

	*n = 0;
	if (list && (y->n < 1 || y->n > most))
		return yaml_error(y, "'%s': %d of them; allowed: 1 to %d", key, y->n, most);
	for (int i = 0; i < (list ? y->n : 1); i++) {
		if (scalar(list ? y->item[i] : y, key, &s) < 0)
			return -1;
		memcpy(&out[(*n)++], (const char *)&s + offset, sizeof(int));
	}
	return 0;
}

static int read_access(struct parser *ps, const struct yaml *y, struct grid *g)
{
	(void)ps;
	return read_choices(y, "access", ROW(access), LEVELS, g->access, &g->naccess);
}

static int read_attacker_data(struct parser *ps, const struct yaml *y, struct grid *g)
{
	int choice[2];

	(void)ps;
	if (read_choices(y, "attacker_data", ROW(data), 2, choice, &g->noverlap) < 0)
		return -1;
	for (int i = 0; i < g->noverlap; i++)
		g->overlap[i] = choice[i];
	return 0;
}

static int read_search(struct parser *ps, const struct yaml *y, struct grid *g)
{
	struct scalars s = { 0 };

	(void)ps;
	if (scalar(y, "search", &s) < 0)
		return -1;
	g->attacker.search = s.search;
	return 0;
}

static int read_budget(struct parser *ps, const struct yaml *y, struct grid *g)
{
	static const char *const names[] = { "queries", "labels", "submissions", "forwards", "seconds" };
	struct budget *b = &g->attacker.budget;
	struct scalars s = { .queries = (int)b->queries, .labels = (int)b->labels, .submissions = (int)b->submissions,
			     .forwards = b->forwards, .seconds = b->seconds };

	(void)ps;
	if (want(y, YAML_MAP, "budget") < 0)
		return -1;
	for (int i = 0; i < y->n; i++) {
		size_t at = 0;

		while (at < ARRAY_LEN(names) && strcmp(y->key[i]->text, names[at]) != 0)
			at++;
		if (at == ARRAY_LEN(names))
			return unknown_key(y->key[i], names, ARRAY_LEN(names));
		if (scalar(y->item[i], names[at], &s) < 0)
			return -1;
	}
	*b = (struct budget){ s.queries, s.labels, s.submissions, s.forwards, s.seconds };
	return 0;
}

static int read_drivers(const struct yaml *y, const char *key, const struct yaml **out)
{
	if (yaml_is_null(y))
		return yaml_error(y, "'%s' has no value; an empty list is []", key);
	if (y->kind == YAML_SCALAR)
		return yaml_error(y, "'%s' wants a list of names, e.g. [%s]", key, y->text);
	*out = y;
	return 0;
}

static int read_schemes(struct parser *ps, const struct yaml *y, struct grid *g)
{
	(void)ps;
	return read_drivers(y, "schemes", &g->schemes);
}

static int read_attacks(struct parser *ps, const struct yaml *y, struct grid *g)
{
	(void)ps;
	return read_drivers(y, "attacks", &g->attacks);
}

/* Handled before the grids are read; here only so that the name is known. */
static int read_earlier(struct parser *ps, const struct yaml *y, struct grid *g)
{
	(void)ps, (void)y, (void)g;
	return 0;
}

/* For `lockbench compare`, which reads them from the same file: checked here, so that a job is wrong before it ran. */
static int read_margins(struct parser *ps, const struct yaml *y, struct grid *g)
{
	struct margins m = { .n = 0 };

	(void)ps, (void)g;
	return margins_yaml(&m, y);
}

static const struct member {
	const char *name;
	bool header; /* only there */
	int (*read)(struct parser *ps, const struct yaml *y, struct grid *g);
} members[] = {
	{ "name", true, read_earlier }, { "tier", true, read_earlier }, { "timeout", true, read_earlier },
	{ "blocks", true, read_earlier }, { "margins", true, read_margins }, { "dataset", false, read_dataset },
	{ "model", false, read_model },
	{ "seeds", false, read_seeds }, { "train", false, read_train }, { "limit", false, read_limit },
	{ "users", false, read_users }, { "credentials_per_user", false, read_per_user },
	{ "controls", false, read_controls }, { "access", false, read_access }, { "attacker_data", false, read_attacker_data },
	{ "search", false, read_search }, { "budget", false, read_budget }, { "schemes", false, read_schemes }, { "attacks", false, read_attacks }
};

static const struct member *member_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (!strcmp(members[i].name, name))
			return &members[i];
	return NULL;
}

static int read_members(struct parser *ps, const struct yaml *map, bool header, struct grid *g)
{
	const char *names[ARRAY_LEN(members)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (header || !members[i].header)
			names[n++] = members[i].name;
	for (int i = 0; i < map->n; i++) {
		const struct member *m = member_of(map->key[i]->text);

		if (!m)
			return unknown_key(map->key[i], names, n);
		if (m->header && !header)
			return yaml_error(map->key[i], "'%s' belongs to the head of the job, not to a block", m->name);
		if (m->read(ps, map->item[i], g) < 0)
			return -1;
	}
	return 0;
}

/* ---- drivers and their variants ---- */

static void add_variant(struct variants *v, const struct driver *d, json_t *options)
{
	if (v->n == v->room) {
		v->room = v->room ? 2 * v->room : 16;
		v->v = xrealloc(v->v, v->room, sizeof(*v->v));
	}
	v->v[v->n++] = (struct variant){ d, options };
}

static void variants_release(struct variants *v)
{
	for (int i = 0; i < v->n; i++)
		json_decref(v->v[i].options);
	free(v->v);
}

static const char *tier_text(const struct driver *d, bool scheme, int tier)
{
	return scheme ? ((const struct scheme *)d)->tier[tier] : ((const struct attack *)d)->tier[tier];
}

/* "1,2,3" of a list of scalars. */
static const char *joined(struct parser *ps, const struct yaml *list)
{
	const char *text = "";

	for (int i = 0; i < list->n; i++)
		text = arena_printf(&ps->mem, "%s%s%s", text, i ? "," : "", list->item[i]->text);
	return text;
}

/* The values that an option is given: one, or those that span the grid. at[i] is the place of text[i]. */
struct values {
	int n;
	const char **text;
	const struct yaml **at;
};

static int one_value(struct parser *ps, const struct opt *o, const struct yaml *y, struct values *v)
{
	bool list = o->type == OPT_INTS || o->type == OPT_FLOATS;

	if (yaml_is_null(y) && o->type != OPT_STRING)
		return yaml_error(y, "option '%s' has no value", o->name);
	if (y->kind == YAML_MAP)
		return yaml_error(y, "option '%s' wants a value, not a map", o->name);
	for (int i = 0; y->kind == YAML_LIST && i < y->n; i++)
		if (y->item[i]->kind != YAML_SCALAR)
			return yaml_error(y->item[i], "option '%s': a list in a list", o->name);
	if (y->kind == YAML_LIST && !list)
		return yaml_error(y, "option '%s' takes one value, not a list", o->name);
	v->text[v->n] = y->kind == YAML_LIST ? joined(ps, y) : y->text;
	v->at[v->n++] = y;
	return 0;
}

/* A list for a scalar option spans; for a list option it is the value, and a list of lists spans. */
static int option_values(struct parser *ps, const struct opt *o, const struct yaml *y, struct values *v)
{
	bool list = o->type == OPT_INTS || o->type == OPT_FLOATS;
	bool spans = y->kind == YAML_LIST && (!list || (y->n > 0 && y->item[0]->kind == YAML_LIST));
	int n = spans ? y->n : 1;

	if (n < 1)
		return yaml_error(y, "option '%s': an empty list spans nothing", o->name);
	v->n = 0;
	v->text = arena_new(&ps->mem, n, const char *);
	v->at = arena_new(&ps->mem, n, const struct yaml *);
	for (int i = 0; i < n; i++)
		if (one_value(ps, o, spans ? y->item[i] : y, v) < 0)
			return -1;
	return 0;
}

static int too_many(const struct yaml *at, double cells)
{
	return yaml_error(at, "this spans at least %.0f cells; at most %d are allowed in a job", cells, JOB_CELLS_MAX);
}

/* Set options k.. of the map in every combination; conf holds those before. */
static int expand(const struct driver *d, const struct yaml *map, const struct values *v, int k, const void *conf,
		  struct variants *out)
{
	size_t size = d->conf_size ? d->conf_size : 1;
	void *mine;
	int ret = 0;

	if (!map || k == map->n) {
		add_variant(out, d, opt_json(d->opts, conf));
		return 0;
	}
	mine = xmalloc(size, 1);
	for (int i = 0; i < v[k].n && !ret; i++) {
		memcpy(mine, conf, size);
		if (opt_set(d->opts, mine, map->key[k]->text, v[k].text[i]) < 0)
			ret = yaml_prefix(v[k].at[i]);
		else
			ret = expand(d, map, v, k + 1, mine, out);
	}
	free(mine);
	return ret;
}

static int expand_driver(struct parser *ps, const struct driver *d, bool scheme, const struct yaml *at,
			 const struct yaml *map, struct variants *out)
{
	void *conf = xcalloc(1, d->conf_size ? d->conf_size : 1);
	struct values *v = arena_new(&ps->mem, map ? map->n : 0, struct values);
	double spans = 1;
	int ret = 0;

	opt_defaults(d->opts, conf);
	tier_apply(d, tier_text(d, scheme, ps->job->tier), conf);
	for (int i = 0; map && i < map->n && !ret; i++) {
		const struct opt *o = opt_find(d->opts, map->key[i]->text);

		if (!o) {
			opt_set(d->opts, conf, map->key[i]->text, "");
			error_prefix("%s", d->name);
			ret = yaml_prefix(map->key[i]);
		} else {
			ret = option_values(ps, o, map->item[i], &v[i]);
			spans *= v[i].n;
		}
	}
	if (!ret && out->n + spans > JOB_CELLS_MAX)
		ret = too_many(at, out->n + spans);
	if (!ret)
		ret = expand(d, map, v, 0, conf, out);
	free(conf);
	return ret;
}

/* One entry: a name, or a name with options. */
static int expand_entry(struct parser *ps, bool scheme, const struct yaml *name, const struct yaml *options,
			struct variants *out)
{
	const struct driver *d;

	if (!scheme && !strcmp(name->text, "none"))
		return 0; /* the functional cell is always there */
	d = driver_find(scheme ? schemes : attacks, scheme ? "scheme" : "attack", name->text);
	if (!d)
		return yaml_prefix(name);
	if (options && yaml_is_null(options))
		options = NULL;
	if (options && options->kind != YAML_MAP)
		return yaml_error(options, "'%s' wants a map of options, e.g. {%s: ...}", d->name,
				  d->opts && d->opts->name ? d->opts->name : "option");
	return expand_driver(ps, d, scheme, name, options, out);
}

static int expand_all(struct parser *ps, const struct yaml *y, bool scheme, struct variants *out)
{
	for (int i = 0; y && i < y->n; i++) {
		const struct yaml *e = y->item[i];
		int ret = 0;

		if (y->kind == YAML_MAP)
			ret = expand_entry(ps, scheme, y->key[i], e, out);
		else if (e->kind == YAML_SCALAR)
			ret = expand_entry(ps, scheme, e, NULL, out);
		else if (e->kind == YAML_LIST)
			ret = yaml_error(e, "a list in a list of %s", scheme ? "schemes" : "attacks");
		for (int k = 0; y->kind == YAML_LIST && e->kind == YAML_MAP && k < e->n && !ret; k++)
			ret = expand_entry(ps, scheme, e->key[k], e->item[k], out);
		if (ret < 0)
			return -1;
	}
	return 0;
}

static int add_control(struct parser *ps, const char *name, struct variants *v)
{
	const struct driver *d;

	for (int i = 0; i < v->n; i++)
		if (!strcmp(v->v[i].drv->name, name))
			return 0;
	d = driver_find(schemes, "scheme", name);
	return d ? expand_driver(ps, d, true, ps->root, NULL, v) : -1;
}

/* ---- points ---- */

static int grid_recipe(const struct parser *ps, const struct grid *g, struct point *p)
{
	const struct tier_defaults *t = &tier_table[ps->job->tier];
	bool wide;

	if (model_spec_parse(&p->spec, g->model) < 0)
		return -1;
	train_recipe(&p->recipe, &p->spec);
	wide = !strncmp(p->spec.arch, "wrn", 3);
	p->recipe.epochs = wide ? t->epochs_wrn : t->epochs;
	if (p->limit_train < 0)
		p->limit_train = wide ? t->limit_train_wrn : t->limit_train;
	for (int i = 0; i < 2; i++)
		for (int k = 0; g->train[i] && k < g->train[i]->n; k++)
			if (opt_set(train_opts, &p->recipe, g->train[i]->key[k]->text, g->train[i]->item[k]->text) < 0)
				return yaml_prefix(g->train[i]->item[k]);
	return 0;
}

static void add_cell(struct parser *ps, const struct point *common, const struct variant *s, const struct variant *a,
		     const struct attacker *attacker, int seed)
{
	struct job *j = ps->job;
	struct point *p;

	if (j->n == ps->room) {
		ps->room = ps->room ? 2 * ps->room : 64;
		j->cells = xrealloc(j->cells, ps->room, sizeof(*j->cells));
	}
	j->cells[j->n] = (struct job_cell){ .p = *common };
	p = &j->cells[j->n++].p;
	p->seed = (uint64_t)seed;
	p->scheme = (const struct scheme *)s->drv;
	p->scheme_options = json_incref(s->options);
	p->attack = a ? (const struct attack *)a->drv : NULL;
	p->attack_options = a ? json_incref(a->options) : json_object();
	if (a)
		p->attacker = *attacker;
}

/* Is the attack run once more, with its best setting? */
static bool searched(const struct grid *g, const struct variant *a)
{
	return g->attacker.search > 1 && ((const struct attack *)a->drv)->search;
}

static double attacked_cells(const struct grid *g, const struct variants *av)
{
	double n = 0;

	for (int i = 0; i < av->n; i++)
		n += (double)g->naccess * g->noverlap * (searched(g, &av->v[i]) ? 2 : 1);
	return n;
}

/* The cells of one attack (NULL: the functional one): at each level, with each kind of data, as given and with the best setting beside it. */
static void add_attacked(struct parser *ps, const struct grid *g, const struct point *common, const struct variant *s,
			 const struct variant *a, int seed)
{
	struct attacker who = g->attacker;

	if (!a) {
		add_cell(ps, common, s, NULL, NULL, seed);
		return;
	}
	for (int i = 0; i < g->naccess * g->noverlap; i++) {
		who.level = g->access[i / g->noverlap];
		who.overlap = g->overlap[i % g->noverlap];
		who.search = 0;
		add_cell(ps, common, s, a, &who, seed);
		who.search = g->attacker.search;
		if (searched(g, a))
			add_cell(ps, common, s, a, &who, seed);
	}
}

static int add_cells(struct parser *ps, const struct grid *g, const struct variants *sv, const struct variants *av)
{
	struct point common = { .limit_train = g->limit_train, .limit_test = g->limit_test, .tier = ps->job->tier,
				.users = g->users, .per_user = g->per_user };
	double cells = (double)g->nseeds * sv->n * (1.0 + attacked_cells(g, av)) + ps->job->n;

	if (cells > JOB_CELLS_MAX)
		return too_many(g->attacks ? g->attacks : g->schemes ? g->schemes : ps->root, cells);
	snprintf(common.dataset, sizeof(common.dataset), "%s", g->dataset);
	if (grid_recipe(ps, g, &common) < 0)
		return -1;
	for (int i = 0; i < g->nseeds; i++)
		for (int s = 0; s < sv->n; s++)
			for (int a = -1; a < av->n; a++)
				add_attacked(ps, g, &common, &sv->v[s], a < 0 ? NULL : &av->v[a], g->seed[i]);
	return 0;
}

static int add_grid(struct parser *ps, const struct grid *g)
{
	struct variants sv = { 0 }, av = { 0 };
	int ret = expand_all(ps, g->schemes, true, &sv);

	if (!ret && g->controls && (add_control(ps, "none", &sv) < 0 || add_control(ps, "keycheck", &sv) < 0))
		ret = -1;
	if (!ret && !sv.n)
		ret = yaml_error(g->schemes ? g->schemes : ps->root, "no scheme is given");
	if (!ret)
		ret = expand_all(ps, g->attacks, false, &av);
	if (!ret)
		ret = add_cells(ps, g, &sv, &av);
	variants_release(&sv);
	variants_release(&av);
	return ret;
}

/* ---- the whole file ---- */

static int read_head(struct parser *ps)
{
	const struct yaml *y;
	struct scalars s;

	opt_defaults(scalar_opts, &s);
	for (size_t i = 0; i < 3; i++) {
		y = yaml_get(ps->root, members[i].name);
		if (y && scalar(y, members[i].name, &s) < 0)
			return -1;
	}
	snprintf(ps->job->name, sizeof(ps->job->name), "%.63s", s.name);
	ps->job->tier = s.tier;
	ps->job->timeout = yaml_get(ps->root, "timeout") ? s.timeout : tier_table[s.tier].timeout;
	return 0;
}

static void tier_grid(struct parser *ps, struct grid *g)
{
	const struct tier_defaults *t = &tier_table[ps->job->tier];

	*g = (struct grid){ .model = "lenet5", .limit_train = -1, .limit_test = t->limit_test,
			    .per_user = t->per_user, .controls = 1, .nseeds = t->seeds,
			    .access = { t->attacker.level }, .naccess = 1, .overlap = { t->attacker.overlap }, .noverlap = 1,
			    .attacker = t->attacker };
	g->seed = arena_new(&ps->mem, t->seeds, int);
	for (int i = 0; i < t->seeds; i++)
		g->seed[i] = i + 1;
}

static int read_blocks(struct parser *ps, const struct yaml *blocks, const struct grid *header)
{
	if (want(blocks, YAML_LIST, "blocks") < 0)
		return -1;
	if (!blocks->n)
		return yaml_error(blocks, "'blocks' is empty");
	for (int i = 0; i < blocks->n; i++) {
		struct grid g = *header;

		if (want(blocks->item[i], YAML_MAP, "a block") < 0 || read_members(ps, blocks->item[i], false, &g) < 0)
			return -1;
		if (!*g.dataset)
			return yaml_error(blocks->item[i], "no dataset is given; see `lockbench data list`");
		if (add_grid(ps, &g) < 0)
			return -1;
	}
	return 0;
}

static int read_job(struct parser *ps)
{
	const struct yaml *blocks;
	struct grid g;

	if (ps->root->kind != YAML_MAP)
		return yaml_error(ps->root, "a job is a map of names and values");
	if (read_head(ps) < 0)
		return -1;
	tier_grid(ps, &g);
	if (read_members(ps, ps->root, true, &g) < 0)
		return -1;
	blocks = yaml_get(ps->root, "blocks");
	if (blocks)
		return read_blocks(ps, blocks, &g);
	if (!*g.dataset)
		return yaml_error(ps->root, "no dataset is given; see `lockbench data list`");
	return add_grid(ps, &g);
}

/* ---- overrides: --set a.b=c ---- */

/* Turn the entry `name` of a list of drivers into a map entry and set its option. Returns how many entries there were. */
static int set_option(struct parser *ps, struct yaml *drivers, const char *name, struct yaml *option, struct yaml *value)
{
	int found = 0;

	for (int i = 0; drivers && drivers->kind != YAML_SCALAR && i < drivers->n; i++) {
		struct yaml *e = drivers->item[i], **options = NULL;
		int at;

		if (drivers->kind == YAML_MAP) {
			options = !strcmp(drivers->key[i]->text, name) ? &drivers->item[i] : NULL;
		} else if (e->kind == YAML_SCALAR && !strcmp(e->text, name)) {
			struct yaml *m = yaml_map(&ps->mem, e);

			yaml_put(&ps->mem, m, e, yaml_map(&ps->mem, e));
			drivers->item[i] = m;
			options = &m->item[0];
		} else if (e->kind == YAML_MAP && (at = yaml_find(e, name)) >= 0) {
			options = &e->item[at];
		}
		if (!options)
			continue;
		if (yaml_is_null(*options))
			*options = yaml_map(&ps->mem, option);
		if ((*options)->kind != YAML_MAP)
			continue; /* read_job() says what is wrong with it */
		yaml_put(&ps->mem, *options, option, value);
		found++;
	}
	return found;
}

/* path: "key" or "key.member" in one map (the head or a block). */
static int set_member(struct parser *ps, struct yaml *map, struct yaml *key, struct yaml *member, struct yaml *value)
{
	struct yaml *inner;

	if (!member) {
		yaml_put(&ps->mem, map, key, value);
		return 0;
	}
	inner = yaml_get(map, key->text);
	if (!inner || yaml_is_null(inner)) {
		inner = yaml_map(&ps->mem, key);
		yaml_put(&ps->mem, map, key, inner);
	}
	if (inner->kind != YAML_MAP)
		return yaml_error(inner, "'%s' is no map", key->text);
	yaml_put(&ps->mem, inner, member, value);
	return 0;
}

static int set_drivers(struct parser *ps, struct yaml *key, struct yaml *name, struct yaml *option, struct yaml *value)
{
	struct yaml *blocks = yaml_get(ps->root, "blocks");
	int found = set_option(ps, yaml_get(ps->root, key->text), name->text, option, value);

	for (int i = 0; blocks && blocks->kind == YAML_LIST && i < blocks->n; i++)
		found += set_option(ps, yaml_get(blocks->item[i], key->text), name->text, option, value);
	if (!found)
		return yaml_error(name, "the job lists no %.*s '%s'", (int)strlen(key->text) - 1, key->text, name->text);
	return 0;
}

/* A block's own value must not win against an override. */
static int set_everywhere(struct parser *ps, struct yaml *key, struct yaml *member, struct yaml *value)
{
	struct yaml *blocks = yaml_get(ps->root, "blocks");

	if (set_member(ps, ps->root, key, member, value) < 0)
		return -1;
	for (int i = 0; blocks && blocks->kind == YAML_LIST && i < blocks->n; i++)
		if (yaml_find(blocks->item[i], key->text) >= 0 && set_member(ps, blocks->item[i], key, member, value) < 0)
			return -1;
	return 0;
}

static int apply_set(struct parser *ps, const char *text)
{
	char *where = xasprintf("--set %s", text), path[256], *part[4] = { NULL };
	struct yaml place = { .where = arena_printf(&ps->mem, "%s", where), .line = 1, .column = 1 }, *value, *node[3] = { NULL };
	size_t eq = strcspn(text, "=");
	int n = 0;

	free(where);
	if (!eq || text[eq] != '=' || eq >= sizeof(path))
		return error(EXIT_UNEVALUABLE, "--set %s: want name=value, e.g. train.epochs=3", text);
	memcpy(path, text, eq);
	path[eq] = '\0';
	for (char *save = NULL, *p = strtok_r(path, ".", &save); p && n < 4; p = strtok_r(NULL, ".", &save))
		part[n++] = p;
	if (n < 1 || n > 3)
		return error(EXIT_UNEVALUABLE, "--set %s: want one to three names with points between", text);
	for (int i = 0; i < n; i++)
		node[i] = yaml_scalar(&ps->mem, &place, part[i]);
	if (text[eq + 1]) {
		value = yaml_parse(&ps->mem, text + eq + 1, strlen(text + eq + 1), place.where);
	} else {
		value = yaml_scalar(&ps->mem, &place, "");
		value->quoted = true;
	}
	if (!value)
		return -1;
	if (ps->root->kind != YAML_MAP)
		return 0; /* read_job() refuses it */
	if (n > 1 && (!strcmp(part[0], "schemes") || !strcmp(part[0], "attacks"))) {
		if (n == 2)
			return error(EXIT_UNEVALUABLE, "--set %s: want %s.%s.OPTION=value", text, part[0], part[1]);
		return set_drivers(ps, node[0], node[1], node[2], value);
	}
	if (n == 3)
		return error(EXIT_UNEVALUABLE, "--set %s: only schemes and attacks have options of options", text);
	return set_everywhere(ps, node[0], node[1], value);
}

int job_parse(struct job *j, const char *text, size_t len, const char *where, const char *const *sets, int nsets)
{
	struct parser ps = { .job = j };
	int ret = -1;

	*j = (struct job){ 0 };
	ps.root = yaml_parse(&ps.mem, text, len, where);
	if (ps.root) {
		ret = 0;
		for (int i = 0; i < nsets && !ret; i++)
			ret = apply_set(&ps, sets[i]);
		if (!ret)
			ret = read_job(&ps);
	}
	arena_release(&ps.mem);
	return ret;
}

/* ---- the whole job ---- */

int job_load(struct job *j, const char *path, const char *const *sets, int nsets, const char *data_dir)
{
	size_t len;
	char *text = file_read(path, FILE_MAX, &len);
	int ret;

	*j = (struct job){ 0 };
	if (!text)
		return -1;
	ret = job_parse(j, text, len, path, sets, nsets);
	free(text);
	return ret < 0 ? -1 : job_resolve(j, data_dir);
}

void job_release(struct job *j)
{
	for (int i = 0; i < j->n; i++) {
		point_release(&j->cells[i].p);
		free(j->cells[i].inapplicable);
	}
	free(j->cells);
	free(j->command);
	*j = (struct job){ 0 };
}
