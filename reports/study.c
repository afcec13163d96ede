/* See study.h. */
#include "reports/study.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "reports/tables.h"

#define ATTEMPTS 1000

/* What the loops below fill. */
struct filling {
	struct rows *r;
	const struct report_input *in;
	struct finding *f;
	int n;
};

static bool sees(const struct filling *k, const struct group *g, const char *what)
{
	const json_t *sight = json_object_get(k->in->drivers, "sight");

	return g->ncells && json_is_true(json_object_get(json_object_get(sight, jget_str(g->cell[0], "key", "")), what));
}

/* Mean over the group's cells; false when one of them does not say. */
static bool mean_of(const struct group *g, const char *metric, double *v)
{
	struct summary s;

	if (!g || !group_summary(g, metric, &s) || s.n < s.of)
		return false;
	*v = s.mean;
	return true;
}

static const struct group *unattacked(struct rows *r, const struct group *g)
{
	return rows_group(r, g->context, g->scheme, -1, 0);
}

/* ---- one aspect each: false when the group does not say ---- */

static bool use(struct filling *k, const struct group *g, struct finding *f)
{
	struct outcome o;

	if (!outcome_of(k->r, g, ASPECT_USE, &o) || o.level < OUT_HOLDS)
		return false;
	f->broken = outcome_breaks(&o);
	f->harm = o.level == OUT_NO_GAIN ? 0 : o.harm;
	f->value = o.value;
	return true;
}

static bool admit(struct filling *k, const struct group *g, struct finding *f)
{
	struct outcome o;

	/* Who submits a credential that leaked forged nothing. */
	if (sees(k, g, "leaked") || !outcome_of(k->r, g, ASPECT_ADMIT, &o) || o.level < OUT_UNKNOWN || (o.trials < ATTEMPTS && o.value <= 0))
		return false;
	f->broken = outcome_breaks(&o);
	f->harm = fmin(o.value / 100, 1);
	f->value = o.value;
	return true;
}

static bool mark(struct filling *k, const struct group *g, struct finding *f)
{
	double authorised, attacked;
	struct outcome o;

	if (!outcome_of(k->r, g, ASPECT_MARK, &o) || o.level < OUT_HOLDS ||
	    (!mean_of(g, "authorised_accuracy", &authorised) && !mean_of(unattacked(k->r, g), "authorised_accuracy", &authorised)) ||
	    !mean_of(g, "attacked_accuracy", &attacked))
		return false;
	f->broken = outcome_breaks(&o);
	f->harm = f->broken ? o.harm : 0;
	f->value = o.value;
	f->loss = authorised - attacked;
	return true;
}

static bool service(struct filling *k, const struct group *g, struct finding *f)
{
	static const char *const pair[][2] = { { "channel_authorised_accuracy", "authorised_accuracy" },
					       { "channel_authentication", "authentication_mean" } };
	double after, before, least = INFINITY;

	for (size_t i = 0; i < ARRAY_LEN(pair); i++)
		if (mean_of(g, pair[i][0], &after) && (mean_of(g, pair[i][1], &before) || mean_of(unattacked(k->r, g), pair[i][1], &before)) &&
		    before > 0)
			least = fmin(least, after / before);
	if (isinf(least) || !mean_of(g, "channel_psnr", &f->psnr))
		return false;
	f->value = fmin(fmax(least, 0), 1);
	f->harm = 1 - f->value;
	f->broken = f->harm > 0.05;
	return true;
}

static bool trace(struct filling *k, const struct group *g, struct finding *f)
{
	struct outcome o;

	if (!outcome_of(k->r, g, ASPECT_TRACE, &o) || o.level < OUT_HOLDS)
		return false;
	f->broken = outcome_breaks(&o);
	f->harm = f->broken ? o.harm : 0;
	f->value = o.value;
	return true;
}

static bool collude(struct filling *k, const struct group *g, struct finding *f)
{
	(void)k;
	if (!mean_of(g, "collusion_traced", &f->value) || !mean_of(g, "collusion_framed", &f->before))
		return false;
	f->colluders = option_number(g->options, "colluders", 1);
	f->harm = 1 - f->value / 100;
	return true;
}

/* Did the weights change, and not one answer? */
static bool answers_stay(const struct group *g)
{
	for (int i = 0; i < g->ncells; i++) {
		size_t n = 0, m = 0;
		unsigned char *a = cell_bits(g->cell[i], "authorised_correct", &n), *b = cell_bits(g->cell[i], "attacked_correct", &m);
		const bool same = a && b && n == m && !memcmp(a, b, n) && cell_number(g->cell[i], "changed", 0) > 0;

		free(a);
		free(b);
		if (!same)
			return false;
	}
	return g->ncells > 0;
}

static bool claim(struct filling *k, const struct group *g, struct finding *f)
{
	double verified;

	if (!sees(k, g, "rival") || !mean_of(unattacked(k->r, g), "ownership_verified", &verified) || verified < 1 ||
	    !mean_of(g, "forgery_acceptance", &f->value))
		return false;
	f->harm = f->value / 100;
	f->broken = f->value > 50;
	return true;
}

/* Did the attack write a mark of its own in every seed, and how much of it is read? */
static void look_for_own(const struct group *g, struct finding *f)
{
	double all = 0, read = 0;

	f->overwrites = g->ncells > 0;
	for (int i = 0; i < g->ncells; i++) {
		const json_t *notes = json_object_get(g->cell[i], "notes");
		const double n = jget_num(notes, "own_symbols", 0);

		f->overwrites &= n > 0;
		all += n;
		read += jget_num(notes, "own_symbols_read", 0);
	}
	f->own_read = all > 0 ? read / all : 0;
}

static void add_group(struct filling *k, const struct group *g)
{
	static bool (*const look[STUDY_ASPECTS])(struct filling *, const struct group *, struct finding *) = { use, admit, mark, service, trace,
													     collude, claim };
	const struct series *s = &k->r->context[g->context].series[g->series];
	double before = 0, after = 0;

	if (!group_sound(k->r, g))
		return;
	for (int a = 0; a < STUDY_ASPECTS; a++) {
		struct finding f = { .attack = s->label, .aspect = (enum study_aspect)a, .adaptive = sees(k, g, "adaptive") };

		if (!look[a](k, g, &f))
			continue;
		for (int i = 0; i < g->ncells; i++)
			f.forwards += jget_num(json_object_get(g->cell[i], "ledger"), "forward_equivalents", 0) / g->ncells;
		if (a == STUDY_MARK || a == STUDY_USE)
			f.same_answers = mean_of(g, "attacked_authentication", &after) && answers_stay(g) &&
					 mean_of(unattacked(k->r, g), "authentication_mean", &before);
		if (f.same_answers)
			f.shut_out = before - after;
		if (a == STUDY_MARK)
			look_for_own(g, &f);
		k->f[k->n++] = f;
	}
}

/* ---- the scheme in every data set and network ---- */

/* The row of context i that stands for this scheme: with the same label, else of the same name; -1: none. */
static int same_scheme(const struct context *c, const struct scheme_row *s)
{
	int named = -1;

	for (int i = c->nschemes - 1; i >= 0; i--) {
		if (!strcmp(c->scheme[i].label, s->label))
			return i;
		named = !strcmp(c->scheme[i].name, s->name) ? i : named;
	}
	return named;
}

/* Each data set and network counts once: in context `own`, else in the first of own's tier and engine. */
static bool counts(const struct rows *r, int own, int at)
{
	const struct context *a = &r->context[own], *b = &r->context[at];

	if (at == own)
		return true;
	if (strcmp(a->tier, b->tier) || jget_int(a->sample, "engine", 0) != jget_int(b->sample, "engine", 0) ||
	    (!strcmp(a->dataset, b->dataset) && !strcmp(a->model, b->model)))
		return false;
	for (int i = 0; i < at; i++)
		if (!strcmp(r->context[i].dataset, b->dataset) && !strcmp(r->context[i].model, b->model) && counts(r, own, i))
			return false;
	return true;
}

static bool setting_of(struct rows *r, int context, const struct scheme_row *scheme, struct setting *out)
{
	const int row = same_scheme(&r->context[context], scheme);
	const struct group *g = row < 0 ? NULL : rows_group(r, context, row, -1, 0);
	const json_t *cell;
	const struct metric *m = metric_named("functions_working");
	double working;

	if (!g || !g->ncells || !m)
		return false;
	cell = g->cell[0];
	working = (double)jget_int(json_object_get(json_object_get(cell, "metrics"), m->drv.name), "k", -1);
	*out = (struct setting){
		.parameters = cell_number(cell, "reference_parameters", 0),
		.lock_macs = cell_number(cell, "lock_forward_equivalents", 0) * cell_number(cell, "reference_macs", 0),
		.works = working >= 0 && working >= (double)jget_int(json_object_get(json_object_get(cell, "metrics"), m->drv.name), "n", 0) &&
			 !strcmp(group_verdicts(r, g), "OK"),
	};
	return true;
}

struct study study_of(struct rows *r, const struct report_input *in, int context, int scheme)
{
	struct filling k = { .r = r, .in = in, .f = arena_new(&r->mem, (size_t)r->nall * STUDY_ASPECTS + 1, struct finding) };
	struct setting *setting = arena_new(&r->mem, (size_t)r->ncontexts + 1, struct setting);
	struct study s = { .f = k.f, .setting = setting };

	for (int i = 0; i < r->ngroups; i++)
		if (r->group[i].context == context && r->group[i].scheme == scheme && r->group[i].series >= 0)
			add_group(&k, &r->group[i]);
	s.n = k.n;
	s.has_concealment = mean_of(rows_group(r, context, scheme, -1, 0), "concealment", &s.concealment);
	for (int i = 0; i < r->ncontexts; i++)
		if (counts(r, context, i))
			s.nsettings += setting_of(r, i, &r->context[context].scheme[scheme], &setting[s.nsettings]);
	return s;
}

/* ---- as cells ---- */

const char *const *study_metrics(struct rows *r)
{
	const char **list;
	size_t n = 0, most = 0;

	while (metrics[most])
		most++;
	list = arena_new(&r->mem, most + 1, const char *);
	for (size_t i = 0; i < most; i++)
		if (((const struct metric *)metrics[i])->from == FROM_STUDY)
			list[n++] = metrics[i]->name;
	list[n] = NULL;
	return list;
}

void study_cell(struct rows *r, const struct study *s, const char *metric, struct tcell *out)
{
	const struct metric *m = metric_named(metric);
	struct value v = { 0 };

	bool known;

	*out = (struct tcell){ .text = "n/a", .number = true };
	if (!m || !m->over)
		return;
	known = m->over(s, &v);
	out->note = arena_printf(&r->mem, "%s it stands on: %ld of at least %ld", m->least_of, v.seen, m->least);
	if (!v.seen)
		return;
	if (!known || v.seen < m->least) {
		out->text = NULL;
		out->tag = "INSUFFICIENT";
		out->range = arena_printf(&r->mem, "%ld of %ld %s", v.seen, m->least, m->least_of);
		return;
	}
	out->text = value_text(&r->mem, metric, v.value);
	if (v.high > v.value)
		out->text = arena_printf(&r->mem, "> %s", out->text);
	out->range = arena_printf(&r->mem, "%s: %ld", m->least_of, v.seen);
}
