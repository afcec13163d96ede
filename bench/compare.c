/* Differences and their verdicts. See compare.h. */
#include "bench/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "metrics/stat/bootstrap.h"
#include "metrics/stat/dist.h"
#include "metrics/stat/effect.h"
#include "metrics/stat/power.h"
#include "metrics/stat/rank.h"
#include "metrics/stat/tests.h"

#define ALPHA 0.05
#define POWER 0.8
#define TRIALS_MAX ((size_t)1 << 24) /* single ones of a metric, over all seeds */
#define BOOT_SEED 20240601 /* any: it makes intervals repeat */

const char *const compare_words[] = { "same", "better", "worse", "differs", "not decidable" };

/* ---- single trials ---- */

/* Observations of a group's cells, (n) each side. */
struct raw { struct observations *b, *c; int n; };

static struct observations *observations_of(const json_t *const *cell, int n)
{
	struct observations *o = xcalloc((size_t)n, sizeof(*o));

	for (int i = 0; i < n; i++) {
		const json_t *j = json_object_get(cell[i], "observations");

		if (json_object_size(j) && obs_from_json(&o[i], j) < 0) {
			warning("cell %.12s: %s; only its metrics are used", jget_str(cell[i], "key", "?"), error_text());
			error_clear();
			obs_release(&o[i]);
		}
	}
	return o;
}

static void raw_open(struct raw *r, const struct pair_group *g)
{
	*r = (struct raw){ observations_of(g->baseline, g->n), observations_of(g->candidate, g->n), g->n };
}

static void raw_close(struct raw *r)
{
	for (int i = 0; i < r->n; i++) {
		obs_release(&r->b[i]);
		obs_release(&r->c[i]);
	}
	free(r->b);
	free(r->c);
}

/* The trials that a metric is the share of: the observation that alone gives the metric its value. NULL when it is no share. sign:
 * -1 when it is the share of failures. */
static const char *trials_of(const struct metric *m, const struct observations *o, double *sign)
{
	for (int i = 0; m && i < o->n; i++) {
		const struct obs_entry *e = &o->e[i];
		struct observations one = { 0 };
		struct value v = { 0 };
		double share;
		int got;

		if (e->kind != 'b' || !e->n)
			continue;
		obs_bits(&one, e->name, e->bits, e->n);
		got = metric_value(m, &one, &v);
		obs_release(&one);
		share = 100.0 * (double)e->k / (double)e->n;
		if (!got || v.n != (long)e->n || (fabs(v.value - share) > 1e-9 && fabs(v.value - 100 + share) > 1e-9))
			continue;
		*sign = fabs(v.value - share) <= 1e-9 ? 1 : -1;
		return e->name;
	}
	return NULL;
}

/* Is trial j the same image in every seed? Of credentials it is not, nor of the images that one attacker did not see. */
static bool same_images(const char *name)
{
	const size_t n = strlen(name);

	return !strcmp(name, "zero_effort_accepted") ||
	       (n > 8 && !strcmp(name + n - 8, "_correct") && strcmp(name, "attacked_heldout_correct") != 0);
}

/* One metric of a group: its values, and the differences of single trials where both sides have them. */
struct series {
	double *b, *c, *d;       /* (n) one a seed */
	long *kb, *kc, *tb, *tc; /* (n) successes and trials as the cells say; trials 0: no proportion */
	int n;
	double scale;            /* the largest number on both sides */
	double *x;               /* (first[n]) in the metric's unit, or NULL */
	int *first;              /* (n + 1) */
	bool crossed;
	bool identical;          /* not a single trial or number differs */
};

static void series_release(struct series *s)
{
	free(s->b);
	free(s->c);
	free(s->d);
	free(s->kb);
	free(s->kc);
	free(s->tb);
	free(s->tc);
	free(s->x);
	free(s->first);
}

static bool number(const json_t *cell, const char *metric, double *v)
{
	const json_t *j = json_object_get(json_object_get(json_object_get(cell, "metrics"), metric), "value");

	*v = json_is_number(j) ? json_number_value(j) : NAN;
	return isfinite(*v);
}

static void read_numbers(struct series *s, const struct pair_group *g, const char *metric, int *at)
{
	const size_t n = (size_t)g->n;

	*s = (struct series){ .b = xmalloc(n, sizeof(double)), .c = xmalloc(n, sizeof(double)), .d = xmalloc(n, sizeof(double)),
			      .kb = xmalloc(n, sizeof(long)), .kc = xmalloc(n, sizeof(long)), .tb = xmalloc(n, sizeof(long)),
			      .tc = xmalloc(n, sizeof(long)), .identical = true };
	for (int i = 0; i < g->n; i++) {
		const json_t *b = json_object_get(json_object_get(g->baseline[i], "metrics"), metric);
		const json_t *c = json_object_get(json_object_get(g->candidate[i], "metrics"), metric);

		if (!number(g->baseline[i], metric, &s->b[s->n]) || !number(g->candidate[i], metric, &s->c[s->n]))
			continue;
		s->d[s->n] = difference_of(s->c[s->n], s->b[s->n]);
		s->scale = fmax(s->scale, fmax(fabs(s->c[s->n]), fabs(s->b[s->n])));
		s->identical &= s->d[s->n] == 0;
		s->kb[s->n] = (long)jget_int(b, "k", 0);
		s->tb[s->n] = (long)jget_int(b, "n", 0);
		s->kc[s->n] = (long)jget_int(c, "k", 0);
		s->tc[s->n] = (long)jget_int(c, "n", 0);
		at[s->n++] = i;
	}
}

static void read_trials(struct series *s, const struct raw *r, const struct metric *m, const int *at)
{
	double sign = 1;
	const char *name = s->n ? trials_of(m, &r->b[at[0]], &sign) : NULL;
	int total = 0;

	if (!name)
		return;
	s->first = xcalloc((size_t)s->n + 1, sizeof(int));
	s->crossed = same_images(name);
	for (int i = 0; i < s->n; i++) {
		const struct obs_entry *b = obs_get(&r->b[at[i]], name, 'b'), *c = obs_get(&r->c[at[i]], name, 'b');

		/* Other users, other images, or more than can be drawn again and again: only the shares can be compared. */
		if (!b || !c || b->n != c->n || !b->n || b->n > TRIALS_MAX - (size_t)total) {
			free(s->x);
			s->x = NULL;
			return;
		}
		s->x = xrealloc(s->x, (size_t)total + b->n, sizeof(*s->x));
		for (size_t j = 0; j < b->n; j++)
			s->x[total++] = 100 * sign * (c->bits[j] - b->bits[j]);
		s->first[i + 1] = total;
		s->crossed &= s->first[i + 1] == (i + 1) * s->first[1];
		for (size_t j = 0; j < b->n; j++)
			s->identical &= b->bits[j] == c->bits[j];
	}
}

/* ---- one difference ---- */

static bool constant(const double *x, int n)
{
	for (int i = 1; i < n; i++)
		if (x[i] != x[0])
			return false;
	return true;
}

/* All seeds show the same difference, so that Student's t knows no spread: what the trials say. */
static double p_of_trials(const struct series *s)
{
	double *p = xmalloc((size_t)s->n, sizeof(*p)), all;
	int *sign = xmalloc((size_t)s->n, sizeof(*sign));

	for (int i = 0; i < s->n; i++) {
		long up = 0, down = 0;

		for (int j = s->x ? s->first[i] : 0; s->x && j < s->first[i + 1]; j++) {
			up += s->x[j] > 0;
			down += s->x[j] < 0;
		}
		p[i] = s->x ? mcnemar(up, down) : fisher_exact(s->kb[i], s->tb[i], s->kc[i], s->tc[i]);
		sign[i] = (s->d[i] > 0) - (s->d[i] < 0);
	}
	all = stouffer(p, sign, s->n);
	free(p);
	free(sign);
	return all;
}

static double p_of_seeds(const struct difference *d)
{
	return 2 * student_cdf(d->n - 1, -fabs(d->value) / (d->sd / sqrt(d->n)));
}

static void bootstrap_of(const struct series *s, const struct compare_conf *c, double confidence, struct boot_interval *out)
{
	const struct boot_data data = { .x = s->x, .first = s->first, .groups = s->n };
	const struct boot_conf conf = { .levels = s->crossed ? BOOT_CROSSED : BOOT_NESTED, .confidence = confidence,
					.replicates = c->replicates, .seed = BOOT_SEED };

	bootstrap_mean(&data, &conf, out);
}

static void intervals(struct difference *d, const struct series *s, const struct compare_conf *c)
{
	struct boot_interval i;
	struct equivalence e;
	struct summary sum;

	if (s->x) {
		d->method = "bootstrap";
		bootstrap_of(s, c, 1 - ALPHA, &i);
		d->low = i.low;
		d->high = i.high;
		/* The 90 % interval is asked for only where it can matter. */
		if (d->margin > 0 && fabs(d->value) < d->margin)
			bootstrap_of(s, c, 1 - 2 * ALPHA, &i);
		d->within = d->n > 1 && i.low > -d->margin && i.high < d->margin;
		return;
	}
	if (d->n < 2)
		return;
	d->method = "t";
	summarise(s->d, s->n, 1 - ALPHA, &sum);
	d->low = sum.low;
	d->high = sum.high;
	if (!(d->margin > 0))
		return;
	equivalence_mean(s->d, s->n, d->margin, ALPHA, &e);
	d->within = e.equivalent;
}

static void spread(struct difference *d, const struct series *s)
{
	struct summary sum;

	if (s->n < 2)
		return;
	summarise(s->d, s->n, 1 - ALPHA, &sum);
	d->sd = sum.sd <= 1e-12 * s->scale ? 0 : sum.sd; /* the rest is rounding of the numbers that were subtracted */
}

static void test(struct difference *d, const struct series *s, const struct compare_conf *c)
{
	const bool share = s->x || (s->tb[0] > 0 && s->tc[0] > 0);

	if (s->identical) {
		d->method = "identical";
		d->low = d->high = 0;
		d->within = true;
		return;
	}
	if (d->n > 1 && !share && constant(s->b, s->n) && constant(s->c, s->n)) {
		d->method = "exact";
		d->low = d->high = d->value;
		d->within = fabs(d->value) <= d->margin;
		return;
	}
	intervals(d, s, c);
	if (d->n < 2)
		return;
	d->tested = true;
	if (d->sd > 0)
		d->p = p_of_seeds(d);
	else if (d->value == 0)
		d->p = 1;
	else
		d->p = share ? p_of_trials(s) : 0; /* numbers that vary by seed, all by the same amount: no noise at all */
	d->adjusted = d->p;
}

static double mean_of(const double *x, int n)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += x[i];
	return sum / n;
}

static void measure(struct difference *d, const struct pair_group *g, const struct raw *r, const struct compare_conf *c)
{
	const struct metric *m = metric_find(d->metric);
	int *at = xmalloc((size_t)g->n, sizeof(*at));
	struct series s;

	d->low = d->high = d->sd = d->detectable = NAN;
	d->better = m ? m->better : 0;
	d->method = "";
	read_numbers(&s, g, d->metric, at);
	d->n = s.n;
	if (s.n) {
		d->numbers = true;
		d->baseline = mean_of(s.b, s.n);
		d->candidate = mean_of(s.c, s.n);
		d->value = mean_of(s.d, s.n);
		d->margin = margin_of(c->margins, d->metric, *g->attack, d->baseline);
		read_trials(&s, r, m, at);
		spread(d, &s);
		test(d, &s, c);
	}
	series_release(&s);
	free(at);
}

/* ---- verdicts ---- */

static enum compare_verdict direction(const struct difference *d)
{
	if (!d->better)
		return COMPARE_DIFFERS;
	return d->value * d->better > 0 ? COMPARE_BETTER : COMPARE_WORSE;
}

static bool everywhere(const json_t *const *cell, int n, const char *metric)
{
	double v;

	for (int i = 0; i < n; i++)
		if (!number(cell[i], metric, &v))
			return false;
	return true;
}

static const char *undecided(struct arena *mem, const struct difference *d, bool shown)
{
	int seeds;

	if (d->n < 2)
		return "one seed says nothing about others";
	if (shown)
		return "there is a difference, but it may be within the margin";
	if (!(d->sd > 0) || !(d->margin > 0))
		return arena_printf(mem, "%d seeds do not tell", d->n);
	seeds = seeds_needed(d->margin, d->sd, POWER, ALPHA, 1000);
	if (seeds <= d->n || !seeds)
		return arena_printf(mem, "%d seeds see %.3g", d->n, d->detectable);
	return arena_printf(mem, "%d seeds see %.3g; the margin of %.3g takes %d", d->n, d->detectable, d->margin, seeds);
}

static void judge(struct arena *mem, struct difference *d, const struct pair_group *g)
{
	const bool complete = everywhere(g->baseline, g->n, d->metric) && everywhere(g->candidate, g->n, d->metric);
	const bool beyond = fabs(d->value) > d->margin, exact = d->numbers && !strcmp(d->method, "exact");
	const bool shown = exact || (d->tested && d->adjusted <= ALPHA && (d->low > 0 || d->high < 0));

	d->why = "";
	if (!d->numbers || (!complete && (d->n < 2 || !shown || !beyond))) {
		d->verdict = COMPARE_UNDECIDED;
		d->why = !everywhere(g->candidate, g->n, d->metric) ? "the candidate lacks it" : "the baseline lacks it";
	} else if (shown && beyond) {
		d->verdict = direction(d);
	} else if (d->within) {
		d->verdict = COMPARE_SAME;
	} else {
		d->verdict = COMPARE_UNDECIDED;
		d->why = undecided(mem, d, shown);
	}
}

/* Families: metrics with a direction, which decide the exit code, and the others. */
static void adjust(struct comparison *c, bool directed)
{
	double *p = xmalloc((size_t)c->n + 1, sizeof(*p));
	int n = 0;

	for (int i = 0; i < c->n; i++)
		if (c->d[i].tested && (c->d[i].better != 0) == directed)
			p[n++] = c->d[i].p;
	holm(p, n, p);
	n = 0;
	for (int i = 0; i < c->n; i++)
		if (c->d[i].tested && (c->d[i].better != 0) == directed)
			c->d[i].adjusted = p[n++];
	free(p);
}

/* It grows with sd, so that it is worked out once for each number of seeds. */
static void fill_detectable(struct comparison *c)
{
	double factor = 0;

	for (int i = 0, n = 0; i < c->n; i++) {
		struct difference *d = &c->d[i];

		if (!(d->sd > 0))
			continue;
		if (d->n != n)
			factor = detectable_difference(1, n = d->n, POWER, ALPHA);
		d->detectable = d->sd * factor;
	}
}

/* ---- all of them ---- */

static struct difference *add(struct comparison *c, int group, const char *metric)
{
	struct difference *d;

	c->d = xrealloc(c->d, (size_t)c->n + 1, sizeof(*c->d));
	d = &c->d[c->n++];
	*d = (struct difference){ .group = group, .metric = metric, .method = "", .why = "", .low = NAN, .high = NAN, .sd = NAN,
				  .detectable = NAN };
	return d;
}

/* A lock that could not be trained, or an attack that applies no more, has no numbers: its verdict is one. */
static void compare_verdicts(struct comparison *c, int group, const struct pair_group *g)
{
	int untrained = 0, applies = 0;
	struct difference *d;

	for (int i = 0; i < g->n; i++) {
		const char *was = jget_str(g->baseline[i], "verdict", "ok"), *is = jget_str(g->candidate[i], "verdict", "ok");

		untrained += strcmp(was, "scheme-untrained") != 0 && !strcmp(is, "scheme-untrained");
		applies += !strcmp(was, "n/a") != !strcmp(is, "n/a");
	}
	if (!untrained && !applies)
		return;
	d = add(c, group, "verdict");
	d->better = 1;
	d->verdict = untrained ? COMPARE_WORSE : COMPARE_UNDECIDED;
	d->why = untrained ? arena_printf(&c->mem, "scheme-untrained in %d of %d seeds", untrained, g->n) :
		 arena_printf(&c->mem, "n/a on one side only, in %d of %d seeds", applies, g->n);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **metrics_of(const struct pair_group *g, int *n)
{
	json_t *seen = json_object(), *v;
	const char **names, *name;

	for (int i = 0; i < g->n; i++) {
		json_object_foreach(json_object_get(g->baseline[i], "metrics"), name, v)
			jset_bool(seen, name, 1);
		json_object_foreach(json_object_get(g->candidate[i], "metrics"), name, v)
			jset_bool(seen, name, 1);
	}
	names = xmalloc(json_object_size(seen) + 1, sizeof(*names));
	*n = 0;
	json_object_foreach(seen, name, v) {
		/* The name's owner that outlives this table: a cell. */
		for (int i = 0; i < g->n; i++) {
			const void *iter = json_object_iter_at(json_object_get(g->baseline[i], "metrics"), name);

			iter = iter ? iter : json_object_iter_at(json_object_get(g->candidate[i], "metrics"), name);
			if (!iter)
				continue;
			names[(*n)++] = json_object_iter_key((void *)(uintptr_t)iter);
			break;
		}
	}
	qsort(names, (size_t)*n, sizeof(*names), by_name);
	json_decref(seen);
	return names;
}

void compare_pairs(const struct pairs *p, const struct compare_conf *conf, struct comparison *out)
{
	*out = (struct comparison){ 0 };
	for (int g = 0; g < p->ngroups; g++) {
		struct raw r;
		int n;
		const char **names = metrics_of(&p->group[g], &n);

		raw_open(&r, &p->group[g]);
		compare_verdicts(out, g, &p->group[g]);
		for (int i = 0; i < n; i++)
			measure(add(out, g, names[i]), &p->group[g], &r, conf);
		raw_close(&r);
		free(names);
	}
	fill_detectable(out);
	adjust(out, true);
	adjust(out, false);
	for (int i = 0; i < out->n; i++) {
		if (strcmp(out->d[i].metric, "verdict") != 0)
			judge(&out->mem, &out->d[i], &p->group[out->d[i].group]);
		out->count[out->d[i].verdict]++;
	}
}

void comparison_release(struct comparison *c)
{
	free(c->d);
	arena_release(&c->mem);
}
