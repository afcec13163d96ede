/* A grid becomes cells: every driver with every combination of its options, every seed. See job_parts.h. */
#include "bench/job_parts.h"

#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "bench/tier.h"

/* One way to set up a driver: its canonical options. */
struct variant {
	const struct driver *drv;
	json_t *options;
};
struct variants {
	struct variant *v;
	int n, room;
};

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

/* Every element of a list by itself, so that an error has the element's place. scratch: a conf of the driver. */
static int check_elements(const struct opt *o, const struct yaml *list, void *scratch)
{
	for (int i = 0; i < list->n; i++) {
		const struct yaml *e = list->item[i];

		if (e->kind != YAML_SCALAR)
			return yaml_error(e, "option '%s': a list in a list", o->name);
		if (yaml_is_null(e) || !*e->text || strchr(e->text, ','))
			return yaml_error(e, "option '%s': '%s' is not one number", o->name, e->text);
		if (opt_set(o, scratch, o->name, e->text) < 0)
			return yaml_prefix(e);
	}
	return 0;
}

/* The values that an option is given: one, or those that span the grid. at[i] is the place of text[i]. */
struct values {
	int n;
	const char **text;
	const struct yaml **at;
};

static int one_value(struct parser *ps, const struct opt *o, const struct yaml *y, void *scratch, struct values *v)
{
	bool list = o->type == OPT_INTS || o->type == OPT_FLOATS;

	if (yaml_is_null(y) && o->type != OPT_STRING)
		return yaml_error(y, "option '%s' has no value; give it one, or leave the name out", o->name);
	if (y->kind == YAML_MAP)
		return yaml_error(y, "option '%s' wants a value, not a map", o->name);
	if (y->kind == YAML_LIST && !list)
		return yaml_error(y, "option '%s' takes one value, not a list", o->name);
	if (y->kind == YAML_LIST && check_elements(o, y, scratch) < 0)
		return -1;
	v->text[v->n] = y->kind == YAML_LIST ? joined(ps, y) : y->text;
	v->at[v->n++] = y;
	return 0;
}

/* A list for a scalar option spans; for a list option it is the value, and a list of lists spans. */
static int option_values(struct parser *ps, const struct opt *o, const struct yaml *y, void *scratch, struct values *v)
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
		if (one_value(ps, o, spans ? y->item[i] : y, scratch, v) < 0)
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
	const size_t size = d->conf_size ? d->conf_size : 1;
	void *conf = xcalloc(1, size), *scratch = xcalloc(1, size);
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
			ret = option_values(ps, o, map->item[i], scratch, &v[i]);
			spans *= v[i].n;
		}
	}
	if (!ret && out->n + spans > JOB_CELLS_MAX)
		ret = too_many(at, out->n + spans);
	if (!ret)
		ret = expand(d, map, v, 0, conf, out);
	free(conf);
	free(scratch);
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

/* The cells of one attack (NULL: the functional one): at each level, with each kind of data, as given and with the
 * best setting beside it. */
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

int job_add_grid(struct parser *ps, const struct grid *g)
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
