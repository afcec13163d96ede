/* What a report's numbers stand on: what did not work, data and versions, cells, definitions, limits. See tables.h. */
#include "reports/tables.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "datasets/dataset.h"

/* ---- what did not work ---- */

static struct table reasons(struct rows *r, const char *title, bool inapplicable)
{
	static const char *const heading[] = { "Data and model", "Scheme", "Attack", "Seed", "Verdict", "Why" };
	int most = 1, n = 1;
	struct table t;

	for (int i = 0; i < r->ngroups; i++)
		most += r->group[i].ncells + r->group[i].nfailures;
	t = table_new(&r->mem, title, NULL, most, ARRAY_LEN(heading));
	table_headings(&t, heading);
	for (int i = 0; i < r->ngroups; i++) {
		const struct group *g = &r->group[i];
		const struct context *c = &r->context[g->context];

		for (int k = 0; k < g->ncells + g->nfailures; k++) {
			const json_t *j = k < g->ncells ? g->cell[k] : json_object_get(g->failure[k - g->ncells], "point");
			const char *why, *v = group_verdict(r, g, k, &why);
			bool na = !strcmp(v, "N/A");

			if (!strcmp(v, "OK") || (inapplicable ? !na : na))
				continue;
			table_put(&t, n, 0, c->label);
			table_put(&t, n, 1, c->scheme[g->scheme].label);
			table_put(&t, n, 2, g->series < 0 ? "none" : c->series[g->series].label);
			if (g->series >= 0 && g->has_strength)
				table_put(&t, n, 2, arena_printf(&r->mem, "%s, %s %s", c->series[g->series].label,
							   c->series[g->series].strength, strength_text(r, g)));
			table_put(&t, n, 3, arena_printf(&r->mem, "%lld", jget_int(j, "seed", 0)));
			table_at(&t, n, 4)->tag = v;
			table_put(&t, n++, 5, why);
		}
	}
	t.rows = n;
	return t;
}

struct table table_failures(struct rows *r)
{
	return reasons(r, "Failed, broken or without effect", false);
}

struct table table_inapplicable(struct rows *r)
{
	return reasons(r, "Not applicable", true);
}

/* ---- provenance ---- */

static const char *recipe_text(struct rows *r, const json_t *recipe)
{
	char *sorted = json_is_object(recipe) ? json_compact(recipe) : NULL;
	json_t *j = sorted ? json_read_text(sorted, strlen(sorted), "recipe") : NULL, *value;
	const char *name, *text = "";

	json_object_foreach(j, name, value)
		text = arena_printf(&r->mem, "%s%s%s=%s", text, *text ? " " : "", name, arena_printf(&r->mem, "%s", option_text(&r->mem, value)));
	json_decref(j);
	free(sorted);
	return text;
}

static const char *limit_text(struct rows *r, long limit)
{
	return limit ? arena_printf(&r->mem, "%ld", limit) : "all";
}

static int published(const struct context *c)
{
	return dataset_published(c->dataset, c->dataset_hash);
}

const char *table_standing(struct rows *r, int context)
{
	const struct context *c = &r->context[context];

	return arena_printf(&r->mem, "Tier %s, seed%s %s, %s training and %s test images, engine %lld.%s", c->tier,
	                    c->nseeds == 1 ? "" : "s", c->seeds, limit_text(r, c->limit_train),
	                    limit_text(r, c->limit_test), jget_int(c->sample, "engine", 0),
	                    published(c) ? ""
	                                 : arena_printf(&r->mem, " The data are not the published %s.", c->dataset));
}

/* "all", and how many those are where the cell says so: every image is judged once. */
static const char *test_images(struct rows *r, const struct context *c)
{
	const json_t *bits = json_object_get(json_object_get(c->sample, "observations"), "bits");
	const long long n = jget_int(json_object_get(bits, "reference_correct"), "n", 0);

	return c->limit_test || !n ? limit_text(r, c->limit_test) : arena_printf(&r->mem, "all %lld", n);
}

static const char *published_text(struct rows *r, const struct context *c)
{
	static const char *const text[] = { "nothing is published to compare them with",
		                            "no: these are not the published %s", "yes" };

	return arena_printf(&r->mem, text[published(c) + 1], c->dataset);
}

struct table table_provenance(struct rows *r, const struct report_input *in)
{
	struct table t = table_new(&r->mem, "Provenance", NULL, 5 + 9 * r->ncontexts, 2);
	int n = 0;

	table_put(&t, n, 0, "What");
	table_put(&t, n++, 1, "Value");
	table_put(&t, n, 0, "Store");
	table_put(&t, n++, 1, in->store_hash && *in->store_hash ? in->store_hash : "not known");
	table_put(&t, n, 0, "Made by");
	table_put(&t, n++, 1, in->command && *in->command ? in->command : "not known");
	table_put(&t, n, 0, "Cells");
	table_put(&t, n++, 1, arena_printf(&r->mem, "%d done, %d failed", r->ncells, r->nfailures));
	for (int i = 0; i < r->ncontexts; i++) {
		const struct context *c = &r->context[i];
		const json_t *s = c->sample;

		table_put(&t, n, 0, "Data and model");
		table_put(&t, n++, 1, c->label);
		table_put(&t, n, 0, "  data hash");
		table_put(&t, n++, 1, c->dataset_hash);
		table_put(&t, n, 0, "  published");
		table_put(&t, n++, 1, published_text(r, c));
		table_put(&t, n, 0, "  images");
		table_put(&t, n++, 1,
		          arena_printf(&r->mem, "training: %s, test: %s", limit_text(r, c->limit_train),
		                       test_images(r, c)));
		table_put(&t, n, 0, "  tier, seeds");
		table_put(&t, n++, 1, arena_printf(&r->mem, "%s; %s", c->tier, c->seeds));
		table_put(&t, n, 0, "  recipe");
		table_put(&t, n++, 1, recipe_text(r, json_object_get(s, "recipe")));
		table_put(&t, n, 0, "  program");
		table_put(&t, n++, 1, arena_printf(&r->mem, "lockbench %s, engine %lld, kernel %s", jget_str(s, "lockbench", "?"),
					     jget_int(s, "engine", 0), jget_str(s, "kernel", "?")));
	}
	t.rows = n;
	return t;
}

static const char *options_text(struct rows *r, const json_t *options)
{
	return recipe_text(r, options);
}

struct table table_cells(struct rows *r)
{
	static const char *const heading[] = { "Cell", "Data and model", "Seed", "Scheme", "Attack", "Verdict" };
	struct table t = table_new(&r->mem, "Every cell", "The file of a cell is cells/<first two>/<key>.json in the store; it holds the raw outcome of "
				   "every trial and all options.", r->ncells + 1, ARRAY_LEN(heading));
	int n = 1;

	table_headings(&t, heading);
	for (int i = 0; i < r->ngroups; i++) {
		const struct group *g = &r->group[i];
		const struct context *c = &r->context[g->context];

		for (int k = 0; k < g->ncells; k++, n++) {
			const json_t *j = g->cell[k];
			const char *why;

			table_put(&t, n, 0, arena_printf(&r->mem, "%.12s", jget_str(j, "key", "?")));
			table_at(&t, n, 0)->note = jget_str(j, "key", "?");
			table_put(&t, n, 1, c->label);
			table_put(&t, n, 2, arena_printf(&r->mem, "%lld", jget_int(j, "seed", 0)));
			table_put(&t, n, 3, c->scheme[g->scheme].name);
			table_at(&t, n, 3)->range = options_text(r, json_object_get(j, "scheme_options"));
			table_put(&t, n, 4, g->series < 0 ? "none" : c->series[g->series].attack);
			table_at(&t, n, 4)->range = g->series < 0 ? NULL : options_text(r, json_object_get(j, "attack_options"));
			table_at(&t, n, 5)->tag = group_verdict(r, g, k, &why);
		}
	}
	return t;
}

struct table table_definitions(struct rows *r)
{
	static const char *const heading[] = { "Metric", "What it is", "Unit", "For the defender", "Kind", "Minimum evidence", "Survey" };
	int most = 1, n = 1;
	struct table t;

	while (metrics[most - 1])
		most++;
	t = table_new(&r->mem, "What the metrics mean", NULL, most, ARRAY_LEN(heading));
	table_headings(&t, heading);
	for (int i = 0; metrics[i]; i++) {
		const struct metric *m = (const struct metric *)metrics[i];
		struct summary s;
		bool used = false;

		for (int k = 0; k < r->ngroups && !used; k++)
			used = group_summary(&r->group[k], m->drv.name, &s);
		for (int c = 0; c < r->ncontexts && m->from == FROM_STUDY; c++)
			used |= r->context[c].nseries > 0;
		if (!used)
			continue;
		table_put(&t, n, 0, m->title);
		table_at(&t, n, 0)->range = m->drv.name;
		table_put(&t, n, 1, m->drv.summary);
		table_put(&t, n, 2, m->unit);
		table_put(&t, n, 3, m->better > 0 ? "larger is better" : m->better < 0 ? "smaller is better" : "neither");
		table_put(&t, n, 4, m->kind == METRIC_CHECKED ? "declared and checked" : "measured");
		table_put(&t, n, 5, m->least ? arena_printf(&r->mem, "%ld %s", m->least, m->least_of) : "any");
		table_put(&t, n++, 6, m->survey);
	}
	t.rows = n;
	return t;
}

/* Each set once, by its payload. */
static const char *unpublished_warning(struct rows *r)
{
	const char *text = NULL;

	for (int i = 0; i < r->ncontexts; i++) {
		const struct context *c = &r->context[i];
		bool said = published(c) != 0;

		for (int k = 0; k < i && !said; k++)
			said = !strcmp(r->context[k].dataset_hash, c->dataset_hash) &&
			       !strcmp(r->context[k].dataset, c->dataset);
		if (!said)
			text = arena_printf(&r->mem, "%s%s%s (payload %.12s)", text ? text : "", text ? ", " : "",
			                    c->dataset, c->dataset_hash);
	}
	if (!text)
		return NULL;
	return arena_printf(&r->mem,
	                    "Not the published data: %s. These are another set's images under that name, or changed "
			    "ones; the numbers do not compare with anybody else's.", text);
}

static const char *limits_warning(struct rows *r)
{
	const char *text = NULL;

	for (int i = 0; i < r->ncontexts; i++) {
		const struct context *c = &r->context[i];

		if (!c->limit_train && !c->limit_test)
			continue;
		text = arena_printf(&r->mem, "%s%s%s: %s training and %s test images", text ? text : "", text ? "; " : "", c->label,
				    limit_text(r, c->limit_train), limit_text(r, c->limit_test));
	}
	if (!text)
		return NULL;
	return arena_printf(&r->mem, "Partial data: %s. These numbers show that everything works; they do not compare with published ones.", text);
}

const char *data_warning(struct rows *r)
{
	const char *unpublished = unpublished_warning(r), *limits = limits_warning(r);

	if (unpublished && limits)
		return arena_printf(&r->mem, "%s %s", unpublished, limits);
	return unpublished ? unpublished : limits;
}
