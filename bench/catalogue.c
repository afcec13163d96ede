/* lockbench list, show, data: what there is to choose from. */
#include <string.h>

#include "attacks/attack.h"
#include "base/file.h"
#include "base/json.h"
#include "base/terminal.h"
#include "bench/cli.h"
#include "bench/grant.h"
#include "bench/matrix.h"
#include "bench/tier.h"
#include "datasets/dataset.h"
#include "metrics/metric.h"
#include "nn/model.h"
#include "schemes/scheme.h"

static const struct section {
	const char *name, *singular;
	const struct driver *const *table;
} sections[] = {
	{ "attacks", "attack", attacks }, { "datasets", "dataset", datasets }, { "metrics", "metric", metrics },
	{ "models", "model", archs }, { "schemes", "scheme", schemes }
};

/* ---- list ---- */

struct list_conf {
	struct cli_common common;
	int markdown;
};
static const struct opt list_opts[] = {
	{ "markdown", OPT_BOOL, offsetof(struct list_conf, markdown), "false", 0, 0, "the table of metrics as Markdown (for docs/)", NULL },
	CLI_COMMON(struct list_conf),
	{ 0 }
};
static const struct opt data_opts[] = { CLI_COMMON(struct list_conf), { 0 } };

static const char *kind_text(const struct metric *m)
{
	return m->kind == METRIC_CHECKED ? "declared and checked" : "measured";
}

static const char *better_text(const struct metric *m)
{
	return m->better > 0 ? "larger" : m->better < 0 ? "smaller" : "neither";
}

static const char *from_text(const struct metric *m)
{
	static const char *const from[] = { "a cell", "seconds beside a cell", "all attacks on a scheme" };

	return from[m->from];
}

/* "100 credentials a user in each cell"; buf of at least 128 bytes. */
static const char *evidence_text(const struct metric *m, char *buf)
{
	if (!m->least)
		return m->from == FROM_TIMING ? "31 calls" : "any";
	snprintf(buf, 128, "%ld %s", m->least, m->least_of);
	return buf;
}

/* The table of metrics says what each number means; other drivers have pages. */
static void list_metrics(void)
{
	char range[48], evidence[128];

	tell("metrics:\n  %-28s %-9s %-14s %-8s %-21s %-38s %s\n", "name", "unit", "range", "better", "kind", "minimum evidence", "survey");
	for (int i = 0; metrics[i]; i++) {
		const struct metric *m = (const struct metric *)metrics[i];

		snprintf(range, sizeof(range), "%g to %g", m->min, m->max);
		tell("  %-28s %-9s %-14s %-8s %-21s %-38s %s\n", m->drv.name, m->unit, range, better_text(m), kind_text(m),
		       evidence_text(m, evidence), m->survey);
	}
}

static void list_markdown(void)
{
	char evidence[128];

	tell("| metric | unit | from | to | better | kind | minimum evidence | survey | meaning |\n|---|---|---:|---:|---|---|---|---|---|\n");
	for (int i = 0; metrics[i]; i++) {
		const struct metric *m = (const struct metric *)metrics[i];

		tell("| `%s` | %s | %g | %g | %s | %s | %s | %s | %s |\n", m->drv.name, m->unit, m->min, m->max, better_text(m), kind_text(m),
		       evidence_text(m, evidence), m->survey, m->drv.summary);
	}
}

static void list_text(const struct section *s)
{
	tell("%s:\n", s->name);
	for (const struct driver *const *d = s->table; *d; d++)
		tell("  %-26s %s\n", (*d)->name, (*d)->summary);
}

static void line(json_t *j, const char *name, const char *value)
{
	if (value && *value)
		jset_str(j, name, value);
}

static void metric_facts(json_t *j, const struct metric *m)
{
	char evidence[128];

	line(j, "title", m->title);
	line(j, "survey", m->survey);
	line(j, "unit", m->unit);
	jset_num(j, "smallest", m->min);
	jset_num(j, "largest", m->max);
	line(j, "better", better_text(m));
	line(j, "kind", kind_text(m));
	line(j, "computed from", from_text(m));
	line(j, "minimum evidence", evidence_text(m, evidence));
}

static json_t *list_json(const struct section *s)
{
	json_t *a = json_array();

	for (const struct driver *const *d = s->table; *d; d++) {
		json_t *j = json_object();

		jset_str(j, "name", (*d)->name);
		jset_str(j, "summary", (*d)->summary);
		jset_int(j, "version", (*d)->version);
		if (s->table == metrics)
			metric_facts(j, (const struct metric *)*d);
		json_array_append_new(a, j);
	}
	return a;
}

static const struct section *find_section(const char *name)
{
	const char *names[ARRAY_LEN(sections) + 1];

	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		names[i] = sections[i].name;
		if (!strcmp(name, names[i]) || !strcmp(name, sections[i].singular))
			return &sections[i];
	}
	names[ARRAY_LEN(sections)] = "matrix";
	unknown_name("kind of thing", name, names, ARRAY_LEN(names));
	return NULL;
}

static int list_main(const struct cli_command *self, int argc, char **argv)
{
	const struct section *only = NULL;
	struct list_conf c;
	struct cli_args args;
	json_t *out = json_object();
	int ret = cli_parse(self, argc, argv, &c, &args);

	if (!ret && args.n && !strcmp(args.arg[0], "matrix")) {
		json_decref(out);
		if (c.common.json)
			return cli_print_json(matrix_json());
		matrix_print(stdout);
		return EXIT_YES;
	}
	if (!ret && args.n && !(only = find_section(args.arg[0])))
		ret = -1;
	for (size_t i = 0; i < ARRAY_LEN(sections) && !ret; i++) {
		if (only && only != &sections[i])
			continue;
		if (c.common.json)
			jset(out, sections[i].name, list_json(&sections[i]));
		else if (only && only->table == metrics)
			c.markdown ? list_markdown() : list_metrics();
		else
			list_text(&sections[i]);
	}
	if (!ret && c.common.json)
		return cli_print_json(out);
	json_decref(out);
	return ret < 0 ? -1 : EXIT_YES;
}

const struct cli_command command_list = {
	.name = "list", .main = list_main, .summary = "the schemes, attacks, metrics, datasets and models there are; which attack applies to which scheme",
	.arguments = "[KIND]", .max_args = 1, .opts = list_opts, .conf_size = sizeof(struct list_conf),
	.more = "KIND is one of schemes, attacks, metrics, datasets, models; metrics alone are listed with unit, range, kind and evidence.\n"
		"matrix: which attack applies to which scheme, and why not.",
};

/* ---- show ---- */

struct show_conf {
	struct cli_common common;
	int markdown;
};
static const struct opt show_opts[] = {
	{ "markdown", OPT_BOOL, offsetof(struct show_conf, markdown), "false", 0, 0, "only the option table, as Markdown (for docs/)", NULL },
	CLI_COMMON(struct show_conf),
	{ 0 }
};

static const char *const deployments[] = { "retrain for each user", "retrain", "fine-tune", "post hoc" };

static void tier_facts(json_t *j, const char *const tier[3])
{
	json_t *t = json_object();

	for (int i = 0; i < 3; i++)
		line(t, tier_names[i], tier[i]);
	if (json_object_size(t))
		jset(j, "tier overrides", t);
	else
		json_decref(t);
}

static void scheme_facts(json_t *j, const struct scheme *s)
{
	const struct declared *d = &s->decl;

	line(j, "scenario", d->scenario);
	line(j, "mechanism", d->mechanism);
	line(j, "capacity", d->capacity);
	line(j, "type", d->type);
	line(j, "function", d->function);
	line(j, "target models", d->target_models);
	line(j, "deployment", deployments[d->deployment]);
	line(j, "knowledge", d->knowledge);
	line(j, "ships", d->ships);
	jset_bool(j, "gate beside the network", d->gate);
	jset_bool(j, "users", d->has_users);
	jset_bool(j, "revocation", d->has_revocation);
	jset_bool(j, "ownership verification", d->has_ownership);
	jset_bool(j, "changes weights", d->changes_weights);
	tier_facts(j, s->tier);
}

static void attack_facts(json_t *j, const struct attack *a)
{
	char caps[160];
	void *conf = xcalloc(1, a->drv.conf_size ? a->drv.conf_size : 1);
	unsigned needs;

	opt_defaults(a->drv.opts, conf);
	needs = attack_needs(a, conf);
	free(conf);
	line(j, "goal", goal_names[a->goal]);
	line(j, "needs", capability_text(needs, caps));
	line(j, "access level", level_names[level_of(needs)]);
	line(j, "finds", a->finds);
	line(j, "searched", a->search);
	line(j, "strength", a->strength);
	if (a->strength)
		line(j, "stronger is", a->strength_up > 0 ? "larger" : "smaller");
	tier_facts(j, a->tier);
}

static json_t *facts(const struct section *s, const struct driver *d)
{
	json_t *j = json_object();

	jset_int(j, "version", d->version);
	line(j, "source", d->source);
	if (s->table == schemes)
		scheme_facts(j, (const struct scheme *)d);
	else if (s->table == attacks)
		attack_facts(j, (const struct attack *)d);
	else if (s->table == metrics)
		metric_facts(j, (const struct metric *)d);
	else if (s->table == datasets)
		line(j, "install", ((const struct dataset_driver *)d)->install);
	return j;
}

/* The options of a driver; of a model, those of its training recipe. */
static const struct opt *options_of(const struct section *s, const struct driver *d)
{
	return s->table == archs ? train_opts : d->opts;
}

static void show_text(const struct section *s, const struct driver *d, json_t *f)
{
	const char *name;
	json_t *v;

	tell("%s (%s): %s\n\n", d->name, s->singular, d->summary);
	json_object_foreach(f, name, v) {
		const char *tier;
		json_t *text;

		if (json_is_string(v))
			tell("  %s: %s\n", name, json_string_value(v));
		else if (json_is_boolean(v))
			tell("  %s: %s\n", name, json_is_true(v) ? "yes" : "no");
		else if (json_is_integer(v))
			tell("  %s: %lld\n", name, (long long)json_integer_value(v));
		else if (json_is_real(v))
			tell("  %s: %g\n", name, json_real_value(v));
		else
			json_object_foreach(v, tier, text)
				tell("  tier %s sets: %s\n", tier, json_string_value(text));
	}
	if (options_of(s, d) && options_of(s, d)->name) {
		tell("\n%s: name, default, allowed, meaning\n", s->table == archs ? "Training options" : "Options");
		opt_help(options_of(s, d), stdout, 2);
	}
}

static json_t *options_json(const struct opt *o)
{
	json_t *a = json_array();

	for (; o && o->name; o++) {
		json_t *j = json_object();

		jset_str(j, "name", o->name);
		jset_str(j, "default", o->def);
		jset_str(j, "help", o->help);
		if (o->choices)
			jset_str(j, "choices", o->choices);
		if (o->min != 0 || o->max != 0) {
			jset_num(j, "min", o->min);
			jset_num(j, "max", o->max);
		}
		json_array_append_new(a, j);
	}
	return a;
}

static int show_one(const struct show_conf *c, const struct section *s, const struct driver *d)
{
	json_t *f, *j;

	if (c->markdown) {
		opt_markdown(options_of(s, d), stdout);
		return EXIT_YES;
	}
	f = facts(s, d);
	if (!c->common.json) {
		show_text(s, d, f);
		json_decref(f);
		return EXIT_YES;
	}
	j = json_object();
	jset_str(j, "name", d->name);
	jset_str(j, "kind", s->singular);
	jset_str(j, "summary", d->summary);
	jset(j, "facts", f);
	jset(j, "options", options_json(options_of(s, d)));
	return cli_print_json(j);
}

/* "scheme:none" says which when a name is taken twice. */
static int show_main(const struct cli_command *self, int argc, char **argv)
{
	const char *known[256], *name, *colon;
	struct show_conf c;
	struct cli_args args;
	size_t n = 0;
	int ret = cli_parse(self, argc, argv, &c, &args);

	if (ret)
		return ret < 0 ? -1 : EXIT_YES;
	name = args.arg[0];
	colon = strchr(name, ':');
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		const struct section *s = &sections[i];

		if (colon && strncmp(s->singular, name, (size_t)(colon - name)) != 0)
			continue;
		for (const struct driver *const *d = s->table; *d; d++) {
			if (!strcmp((*d)->name, colon ? colon + 1 : name))
				return show_one(&c, s, *d);
			if (n < ARRAY_LEN(known))
				known[n++] = (*d)->name;
		}
	}
	return unknown_name("name", name, known, n);
}

const struct cli_command command_show = {
	.name = "show", .main = show_main, .summary = "a driver's page: source, taxonomy, options", .arguments = "NAME",
	.min_args = 1, .max_args = 1, .opts = show_opts, .conf_size = sizeof(struct show_conf),
	.more = "NAME may say its kind, e.g. scheme:none, where several have it."
};

/* ---- data ---- */

static int data_main(const struct cli_command *self, int argc, char **argv)
{
	static const char *const verbs[] = { "list", "verify", "where" };
	struct list_conf c;
	struct cli_args args;
	int ret = cli_parse(self, argc, argv, &c, &args);

	if (ret)
		return ret < 0 ? -1 : EXIT_YES;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (!strcmp(args.arg[0], verbs[i])) {
			ret = dataset_report(verbs[i], args.arg + 1, args.n - 1, cli_data_dir(&c.common), c.common.json);
			return ret != EXIT_YES && error_code() != EXIT_YES ? -1 : ret;
		}
	return unknown_name("verb", args.arg[0], verbs, ARRAY_LEN(verbs));
}

const struct cli_command command_data = {
	.name = "data", .main = data_main, .summary = "which data sets are here, where, and whether they are the published ones",
	.arguments = "VERB [NAME]...", .min_args = 1, .max_args = CLI_MANY, .opts = data_opts, .conf_size = sizeof(struct list_conf),
	.more = "VERB is list, verify or where; without NAME it is about all known data sets."
};
