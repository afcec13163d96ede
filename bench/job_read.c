/* What a job's head and blocks say of a grid. See job_parts.h. */
#include "bench/job_parts.h"

#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "bench/margin.h"
#include "bench/search.h"
#include "bench/tier.h"
#include "datasets/dataset.h"

#define SEEDS_MAX 1000

/* ---- scalars ---- */

struct scalars { /* what the table below fills */
	char name[OPT_STRING_MAX], dataset[OPT_STRING_MAX], model[OPT_STRING_MAX];
	int tier, users, per_user, controls, train, test, seed, count, access, data, search, queries, labels, submissions;
	double timeout, memory, forwards, seconds;
};
#define ROW(m) offsetof(struct scalars, m)
static const struct opt scalar_opts[] = {
	{ "name", OPT_STRING, ROW(name), "job", 1, 63, "what reports call it", NULL },
	{ "tier", OPT_CHOICE, ROW(tier), "smoke", 0, 0, "size of everything the job does not say", "smoke|short|paper" },
	{ "dataset", OPT_STRING, ROW(dataset), "synthetic", 1, 63, "see `lockbench data list`", NULL },
	{ "model", OPT_STRING, ROW(model), "lenet5", 1, 31, "see `lockbench list models`", NULL },
	{ "timeout", OPT_FLOAT, ROW(timeout), "0", 0, 1e9, "seconds for each task; 0: none", NULL },
	{ "memory", OPT_FLOAT, ROW(memory), "0", 0, 1e9, "MiB for each worker process; 0: no limit", NULL },
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

int job_want(const struct yaml *y, enum yaml_kind kind, const char *key)
{
	static const char *const words[] = { "one value", "a list", "a map of names and values" };

	if (yaml_is_null(y))
		return yaml_error(y, "'%s' has no value; give it one, or leave the name out", key);
	return y->kind == kind ? 0 : yaml_error(y, "'%s' wants %s", key, words[kind]);
}

/* Parse a scalar by its row into s. */
static int scalar(const struct yaml *y, const char *row, struct scalars *s)
{
	if (job_want(y, YAML_SCALAR, row) < 0)
		return -1;
	return opt_set(scalar_opts, s, row, y->text) < 0 ? yaml_prefix(y) : 0;
}

int job_unknown_key(const struct yaml *key, const char *const *names, size_t n)
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
	if (job_want(y, YAML_MAP, "limit") < 0)
		return -1;
	for (int i = 0; i < y->n; i++) {
		if (strcmp(y->key[i]->text, "train") != 0 && strcmp(y->key[i]->text, "test") != 0)
			return job_unknown_key(y->key[i], names, 2);
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
	if (job_want(y, YAML_MAP, "train") < 0)
		return -1;
	opt_defaults(train_opts, &scratch);
	for (int i = 0; i < y->n; i++) {
		if (!opt_find(train_opts, y->key[i]->text)) {
			opt_set(train_opts, &scratch, y->key[i]->text, "");
			return yaml_prefix(y->key[i]);
		}
		if (job_want(y->item[i], YAML_SCALAR, y->key[i]->text) < 0)
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
	if (job_want(y, YAML_MAP, "budget") < 0)
		return -1;
	for (int i = 0; i < y->n; i++) {
		size_t at = 0;

		while (at < ARRAY_LEN(names) && strcmp(y->key[i]->text, names[at]) != 0)
			at++;
		if (at == ARRAY_LEN(names))
			return job_unknown_key(y->key[i], names, ARRAY_LEN(names));
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
	{ "memory", true, read_earlier },
#define READ_EARLIER 4
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

int job_read_members(struct parser *ps, const struct yaml *map, bool header, struct grid *g)
{
	const char *names[ARRAY_LEN(members)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (header || !members[i].header)
			names[n++] = members[i].name;
	for (int i = 0; i < map->n; i++) {
		const struct member *m = member_of(map->key[i]->text);

		if (!m)
			return job_unknown_key(map->key[i], names, n);
		if (m->header && !header)
			return yaml_error(map->key[i], "'%s' belongs to the head of the job, not to a block", m->name);
		if (m->read(ps, map->item[i], g) < 0)
			return -1;
	}
	return 0;
}

/* ---- head, and what nobody said ---- */

int job_read_head(struct parser *ps)
{
	const struct yaml *y;
	struct scalars s;

	opt_defaults(scalar_opts, &s);
	for (size_t i = 0; i < READ_EARLIER; i++) {
		y = yaml_get(ps->root, members[i].name);
		if (y && scalar(y, members[i].name, &s) < 0)
			return -1;
	}
	snprintf(ps->job->name, sizeof(ps->job->name), "%.63s", s.name);
	ps->job->tier = s.tier;
	ps->job->timeout = yaml_get(ps->root, "timeout") ? s.timeout : tier_table[s.tier].timeout;
	ps->job->memory = s.memory;
	return 0;
}

void job_tier_grid(struct parser *ps, struct grid *g)
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
