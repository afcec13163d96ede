/* See outcome.h. */
#include "reports/outcome.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "reports/evidence.h"
#include "reports/tables.h"

#define PRACTICAL_POINTS 5.0
#define FULL_POINTS 2.0
#define LOCKED_POINTS 10.0  /* less between users and others is no lock */

const char *outcome_word(const struct outcome *o)
{
	static const char *const word[] = { "not run", "N/A", NULL, "CONTROL", "OPEN", "INSUFFICIENT", "HOLDS", "NO GAIN", "PARTIAL", "PRACTICAL",
					    "FULL" };

	if (o->level == OUT_BAD)
		return o->verdicts;
	return o->aspect == ASPECT_MARK && o->level == OUT_HOLDS && o->value <= 50 ? "AT A LOSS" : word[o->level];
}

const char *outcome_symbol(const struct outcome *o)
{
	static const char *const symbol[] = { "\u00b7", "\u2013", "\u2715", "\u25a1", "\u25a1", "?", "\u25cb", "\u25cb", "\u25d4", "\u25d1",
					      "\u25cf" };

	return symbol[o->level];
}

const char *aspect_title(enum outcome_aspect a)
{
	static const char *const title[] = { "usable model", "forged credential", "mark removed", "users shut out", "trace evaded", "nobody to blame" };

	return title[a];
}

bool outcome_breaks(const struct outcome *o)
{
	return o->level >= OUT_PARTIAL;
}

/* ---- numbers by seed ---- */

static const struct group *functional(const struct rows *r, const struct group *g)
{
	for (int i = 0; i < r->nall; i++)
		if (r->group[i].context == g->context && r->group[i].scheme == g->scheme && r->group[i].series < 0)
			return &r->group[i];
	return NULL;
}

/* What the scheme does without the attack, in the same seed; the cell itself where it says so. */
static bool before(const struct rows *r, const struct group *g, int i, const char *metric, double *v)
{
	return cell_metric(g->cell[i], metric, v) ||
	       cell_metric(group_cell(functional(r, g), jget_int(g->cell[i], "seed", 0)), metric, v);
}

static double ledger(const json_t *cell, const char *what)
{
	return jget_num(json_object_get(cell, "ledger"), what, 0);
}

/* Accuracy of a network trained from scratch on as many labels, in the same seed; whichever scheme it ran beside: it touches none. */
static bool from_scratch(const struct rows *r, const struct group *g, int i, double *v)
{
	const double labels = ledger(g->cell[i], "labels");
	const long long seed = jget_int(g->cell[i], "seed", 0);

	for (int k = 0; k < r->nall; k++) {
		const struct group *h = &r->group[k];
		const json_t *cell = group_cell(h, seed);

		if (h->context == g->context && h->series >= 0 && !strcmp(r->context[h->context].series[h->series].attack, "scratch") && cell &&
		    ledger(cell, "labels") == labels && cell_metric(cell, "attacked_accuracy", v))
			return true;
	}
	return false;
}

/* Mean of get() over all cells; false when one of them does not say. */
static bool mean_of(const struct rows *r, const struct group *g, const char *metric, bool earlier, double *mean)
{
	double sum = 0, v;

	for (int i = 0; i < g->ncells; i++) {
		if (earlier ? !before(r, g, i, metric, &v) : !cell_metric(g->cell[i], metric, &v))
			return false;
		sum += v;
	}
	*mean = sum / g->ncells;
	return g->ncells > 0;
}

static bool set_value(const struct rows *r, const struct group *g, const char *metric, struct outcome *o)
{
	struct summary s;

	if (!mean_of(r, g, metric, false, &o->value) || !group_summary(g, metric, &s))
		return false;
	o->low = s.min;
	o->high = s.max;
	return true;
}

static void set_spent(const struct group *g, struct outcome *o)
{
	for (int i = 0; i < g->ncells; i++) {
		o->queries += ledger(g->cell[i], "queries") / g->ncells;
		o->labels += ledger(g->cell[i], "labels") / g->ncells;
		o->submissions += ledger(g->cell[i], "submissions") / g->ncells;
		o->forwards += ledger(g->cell[i], "forward_equivalents") / g->ncells;
	}
}

/* ---- aspects ---- */

static double chance(const struct group *g)
{
	double classes = cell_number(g->cell[0], "classes", 0);

	return classes > 0 ? 100 / classes : 0;
}

static void compare_scratch(const struct rows *r, const struct group *g, struct outcome *o)
{
	double sum = 0, v;

	if (o->labels <= 0)
		return;
	for (int i = 0; i < g->ncells; i++) {
		if (!from_scratch(r, g, i, &v))
			return;
		sum += v;
	}
	o->has_scratch = o->has_gain = true;
	o->scratch = sum / g->ncells;
	o->gain = o->value - o->scratch;
}

static bool use(struct rows *r, const struct group *g, struct outcome *o)
{
	const struct series *a = &r->context[g->context].series[g->series];
	double locked, base, recovery;

	/* A channel that everybody's queries pass is no attempt on the lock; one for those without a credential is. */
	if (!set_value(r, g, "attacked_heldout_accuracy", o) && !set_value(r, g, "attacked_accuracy", o) &&
	    (set_value(r, g, "channel_authorised_accuracy", o) || !set_value(r, g, "channel_unauthorised_accuracy", o)))
		return false;
	if (!strcmp(a->attack, "scratch")) {
		o->level = OUT_CONTROL;
		return true;
	}
	if (!mean_of(r, g, "authorised_accuracy", true, &o->before) || !mean_of(r, g, "unauthorised_accuracy", true, &locked)) {
		o->level = OUT_UNKNOWN;
		return true;
	}
	base = fmax(locked, chance(g));
	if (o->before - base < LOCKED_POINTS) {
		o->level = OUT_OPEN;
		return true;
	}
	compare_scratch(r, g, o);
	recovery = (o->value - base) / (o->before - base);
	o->harm = fmin(fmax(recovery, 0), 1);
	o->level = o->value >= o->before - FULL_POINTS ? OUT_FULL : o->value >= o->before - PRACTICAL_POINTS ? OUT_PRACTICAL :
		   recovery >= 0.5 ? OUT_PARTIAL : OUT_HOLDS;
	if (o->has_gain && o->gain <= 0 && outcome_breaks(o))
		o->level = OUT_NO_GAIN;
	return true;
}

static bool admit(struct rows *r, const struct group *g, struct outcome *o)
{
	struct summary s;
	enum attempts a;

	if (!set_value(r, g, "forgery_acceptance", o) || !group_summary(g, "forgery_acceptance", &s) || s.trials < 1)
		return false;
	o->trials = s.trials / s.n;
	o->harm = 1 - pow(1 - fmin(o->value / 100, 1), 10);
	a = attempts_decide(s.k, s.trials);
	if (a == ATTEMPTS_HOLD && o->trials < ATTEMPTS_LEAST)
		a = ATTEMPTS_TOO_FEW; /* in each seed: they are not the same network */
	o->level = a == ATTEMPTS_FULL ? OUT_FULL : a == ATTEMPTS_PARTIAL ? OUT_PARTIAL : a == ATTEMPTS_HOLD ? OUT_HOLDS : OUT_UNKNOWN;
	return true;
}

static bool mark(struct rows *r, const struct group *g, struct outcome *o)
{
	double share, accuracy, authorised;
	const struct group *f = functional(r, g);
	struct summary s;

	/* The cell's own ownership_verified is the attacked model's. */
	if (!f || !group_summary(f, "ownership_verified", &s) || s.mean < 1 || !mean_of(r, g, "ownership_verified", false, &share) ||
	    !mean_of(r, g, "attacked_accuracy", false, &accuracy) || !mean_of(r, g, "authorised_accuracy", true, &authorised))
		return false;
	o->value = 100 * share;
	o->before = 100;
	o->low = o->high = o->value;
	o->harm = 1 - share;
	o->level = share > 0.5 ? OUT_HOLDS : authorised - accuracy <= FULL_POINTS ? OUT_FULL :
		   authorised - accuracy <= PRACTICAL_POINTS ? OUT_PRACTICAL : OUT_HOLDS;
	return true;
}

static void lost(struct outcome *o)
{
	o->harm = o->before > 0 ? fmin(fmax(1 - o->value / o->before, 0), 1) : 0;
	o->level = o->before <= 0 ? OUT_OPEN : o->value < o->before / 2 ? OUT_FULL : o->value < o->before - 5 ? OUT_PARTIAL : OUT_HOLDS;
}

static bool serve(struct rows *r, const struct group *g, struct outcome *o)
{
	bool creds = set_value(r, g, "channel_authentication", o) && mean_of(r, g, "authentication_mean", true, &o->before);

	if (!creds && !(set_value(r, g, "channel_authorised_accuracy", o) && mean_of(r, g, "authorised_accuracy", true, &o->before)))
		return false;
	lost(o);
	return true;
}

/* Only where the queries still work. */
static bool trace(struct rows *r, const struct group *g, struct outcome *o)
{
	double after, authorised;

	if (!set_value(r, g, "channel_traced_queries", o) || !mean_of(r, g, "traced_queries", true, &o->before))
		return false;
	lost(o);
	if (outcome_breaks(o) && mean_of(r, g, "channel_authorised_accuracy", false, &after) &&
	    mean_of(r, g, "authorised_accuracy", true, &authorised) && after < authorised - PRACTICAL_POINTS)
		o->level = OUT_HOLDS;
	return true;
}

/* value: of the credentials that colluders made or lent, what is accepted and leads to none of them. */
static bool escape(struct rows *r, const struct group *g, struct outcome *o)
{
	double traced;

	if (!set_value(r, g, "collusion_acceptance", o) || !mean_of(r, g, "collusion_traced", false, &traced))
		return false;
	o->before = o->value; /* accepted */
	o->value = o->low = o->high = fmax(o->value - traced, 0);
	o->harm = o->value / 100;
	o->level = o->value >= 50 ? OUT_FULL : o->value > 5 ? OUT_PARTIAL : OUT_HOLDS;
	return true;
}

bool outcome_of(struct rows *r, const struct group *g, enum outcome_aspect aspect, struct outcome *o)
{
	static bool (*const judge[])(struct rows *, const struct group *, struct outcome *) = { use, admit, mark, serve, trace,
													 escape };

	*o = (struct outcome){ .g = g, .aspect = aspect, .verdicts = group_verdicts(r, g) };
	set_spent(g, o);
	if (!strcmp(o->verdicts, "N/A")) {
		o->level = OUT_NA;
		return true;
	}
	if (!group_sound(r, g)) {
		o->level = OUT_BAD;
		return true;
	}
	return judge[aspect](r, g, o);
}

struct outcome outcome_worst(struct rows *r, int context, int scheme, int series)
{
	struct outcome worst = { .level = OUT_NOT_RUN }, o;
	const struct group *g;

	for (int i = 0; (g = rows_group(r, context, scheme, series, i)); i++)
		for (int a = 0; a < ASPECTS; a++)
			if (outcome_of(r, g, (enum outcome_aspect)a, &o) &&
			    (o.level > worst.level || (o.level == worst.level && (o.harm > worst.harm ||
			     (o.harm == worst.harm && o.aspect == ASPECT_USE && worst.aspect == ASPECT_USE && o.value > worst.value)))))
				worst = o;
	return worst;
}
