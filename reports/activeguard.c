/* ActiveGuard's tables and figures, the published number and ours side by side.
 *
 * Source: Xue et al., "ActiveGuard: An Active DNN IP Protection Technique via Adversarial Examples" (2021), Tables I to VI,
 * Figures 5 and 6. Figure 6 is printed as bars only; the text gives the range of its bars, so `published` is null there and
 * `published_low`, `published_high` hold that range.
 *
 * Cells are recognised by scheme "activeguard" and these options; whatever else differs, the best match is taken
 * (mark in conv 2, softmax confidences, most seeds), and all numbers come from one context (rows.h):
 *   the paper's model     watermark=scratch, digits=1234567890210 (wm1) or 3876876994865 (wm2), length 0 or 13, layer auto or conv 2
 *   Table III             also watermark=none and watermark=finetune
 *   Table IV              attack forge, method=clean|fgsm|cw, kappa=5 (others are listed without a published number)
 *   Table V               attack finetune on wm1, epochs=30|50, lr=0.0001, data=pool; other rates and paper-test as rows of their own
 *   Table VI              attack prune on wm1 and wm2, rate; scope=global (whose accuracies are the table's), or layer as rows of their own
 *   Figure 6              watermark=scratch of any digits, by length and layer */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "datasets/dataset.h"
#include "metrics/stat/stats.h"
#include "nn/model.h"
#include "reports/formats.h"
#include "reports/tables.h"

#define WM1 "1234567890210"
#define WM2 "3876876994865"
#define RATES 10
#define NONE NAN

/* ---- what the paper says ---- */

struct paper {
	const char *dataset, *model; /* prefix of our model's name */
	double success[3][10];       /* Table II: % by confidence .2 .3 .4 and class */
	double least_success;        /* its minimum */
	double plain, scratch, tuned;            /* Table III: test accuracy */
	double forge[3];                         /* Table IV: % accepted: clean, fgsm, cw */
	double finetune[2];                      /* Table V: accuracy after 30 and 50 epochs */
	double wm1[RATES], wm2[RATES];           /* Table VI: accuracy at 0, 10, ... 90 % */
	int wm1_lost;                            /* first rate at which wm1 is lost, %; 100: never */
	double authorised, unauthorised;         /* Figure 5 */
	double lengths[2];                       /* Figure 6: smallest and largest accuracy, from the text */
	double margin;                           /* points of accuracy that training may differ by */
};

static const struct paper papers[] = {
	{
		.dataset = "mnist", .model = "lenet5",
		.success = { { 99, 99, 99, 99, 96, 100, 99, 99, 100, 100 }, { 98, 100, 100, 100, 97, 100, 98, 98, 100, 99 },
			     { 99, 100, 100, 100, 97, 100, 98, 100, 100, 100 } },
		.least_success = 96, .plain = 99.12, .scratch = 99.15, .tuned = 99.12, .forge = { 0.01, 0.10, 0.01 },
		.finetune = { 99.53, 99.53 },
		.wm1 = { 99.15, 99.15, 99.15, 99.07, 98.97, 98.89, 98.54, 95.80, 91.02, 68.38 },
		.wm2 = { 99.16, 99.15, 99.09, 99.08, 99.06, 99.00, 98.93, 98.75, 97.46, 85.36 },
		.wm1_lost = 50, .authorised = 99.15, .unauthorised = 8.92, .lengths = { 99.11, 99.15 }, .margin = 0.15,
	},
	{
		.dataset = "cifar10", .model = "wrn10",
		.success = { { 100, 100, 100, 100, 100, 100, 100, 99, 100, 100 }, { 100, 100, 100, 100, 100, 100, 100, 100, 100, 100 },
			     { 100, 99, 100, 100, 100, 100, 100, 99, 100, 100 } },
		.least_success = 99, .plain = 91.38, .scratch = 91.46, .tuned = 91.38, .forge = { 0.01, 0.02, 0.05 },
		.finetune = { 91.47, 91.53 },
		.wm1 = { 91.46, 91.40, 91.30, 90.99, 91.06, 90.28, 89.87, 88.03, 80.40, 48.35 },
		.wm2 = { NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE },
		.wm1_lost = 100, .authorised = 91.46, .unauthorised = 10, .lengths = { 91.25, 91.57 }, .margin = 1,
	},
};

/* Table I: the paper's conv l, its (F,F,I,O), and the parameter of ours that it is. */
static const struct {
	const char *model, *row, *param[2];
	int f, i, o;
} structure[] = {
	{ "lenet5", "LeNet-5, conv 1", { "conv1.weight" }, 5, 1, 6 },
	{ "lenet5", "LeNet-5, conv 2", { "conv2.weight" }, 5, 6, 16 },
	{ "wrn10", "WRN, conv 1", { "stem.conv1.weight", "block1.0.conv1.weight" }, 3, 16, 32 },
	{ "wrn10", "WRN, conv 2", { "block1.0.conv2.weight" }, 3, 64, 64 },
	{ "wrn10", "WRN, conv 3", { "block2.0.conv2.weight" }, 3, 128, 128 },
	{ "wrn10", "WRN, conv 4", { "block3.0.conv2.weight" }, 3, 256, 256 },
};

/* ---- values ---- */

enum test { AT_LEAST, AT_MOST, WITHIN, SAME };

struct ag {
	struct rows r;
	const char *dataset;
	const struct paper *paper; /* NULL: nothing is published for this data set and model */
	int context;               /* -1: no cells */
	json_t *out;
};

struct value_spec {
	const char *table, *row, *column, *unit;
	double published, published_low, published_high;
	enum test test;
	double bound, slack;
};

static bool passes(const struct value_spec *v, double ours)
{
	const double tiny = 1e-9;

	switch (v->test) {
	case AT_LEAST: return ours >= v->bound - tiny;
	case AT_MOST: return ours <= v->bound + tiny;
	case WITHIN: return fabs(ours - v->bound) <= v->slack + tiny;
	case SAME: return fabs(ours - v->bound) <= tiny;
	}
	return false;
}

static char *criterion(struct arena *mem, const struct value_spec *v)
{
	switch (v->test) {
	case AT_LEAST: return arena_printf(mem, "at least %.6g", v->bound);
	case AT_MOST: return arena_printf(mem, "at most %.6g", v->bound);
	case WITHIN: return arena_printf(mem, "%.6g within %.6g", v->bound, v->slack);
	case SAME: break;
	}
	return arena_printf(mem, "the same");
}

/* By how much a value misses its criterion, and whether chance alone may be why; after what is known of the reason. */
static const char *deviation(struct arena *mem, const struct value_spec *v, const struct summary *s, const char *note)
{
	double off = fabs(s->mean - v->bound) - (v->test == WITHIN ? v->slack : 0);
	bool inside = (v->test == AT_LEAST && s->high >= v->bound) || (v->test == AT_MOST && s->low <= v->bound);

	if (v->test == SAME)
		return note ? note : "not the same";
	return arena_printf(mem, "%s%smisses the criterion by %.3g%s", note ? note : "", note ? "; " : "", off,
			    s->low < s->high ? inside ? "; the interval reaches it" : "; the interval does not reach it" : "");
}

/* s NULL or without cells: missing. note: why it is as it is, NULL for none. */
static void add(struct ag *a, const struct value_spec *v, const struct summary *s, const char *note)
{
	bool published = isfinite(v->published) || isfinite(v->published_low), have = s && s->n > 0 && s->n == s->of;
	json_t *j = json_object();
	const char *verdict = !have ? "missing" : !published ? "no-published" : passes(v, s->mean) ? "meets" : "differs";

	if (!strcmp(verdict, "differs"))
		note = deviation(&a->r.mem, v, s, note);
	if (s && s->n && s->n < s->of)
		note = arena_printf(&a->r.mem, "%d of %d seeds are there", s->n, s->of);
	jset_str(j, "table", v->table);
	jset_str(j, "row", v->row);
	jset_str(j, "column", v->column);
	jset_str(j, "unit", v->unit);
	jset_num(j, "published", v->published);
	jset_num(j, "published_low", isfinite(v->published) ? v->published : v->published_low);
	jset_num(j, "published_high", isfinite(v->published) ? v->published : v->published_high);
	jset_num(j, "ours", have ? s->mean : NAN);
	jset_num(j, "low", have ? s->low : NAN);
	jset_num(j, "high", have ? s->high : NAN);
	jset_int(j, "n", have ? s->trials ? s->trials : s->n : 0);
	jset_int(j, "seeds", have ? s->n : 0);
	jset_str(j, "criterion", published ? criterion(&a->r.mem, v) : "");
	jset_str(j, "verdict", verdict);
	jset_bool(j, "unpublished",
	          a->context >= 0 && !dataset_published(a->dataset, a->r.context[a->context].dataset_hash));
	jset_bool(j, "partial", a->context >= 0 && (a->r.context[a->context].limit_train || a->r.context[a->context].limit_test));
	jset_str(j, "note", note ? note : have ? "" : "no cell of the store measures it");
	json_array_append_new(a->out, j);
}

static const struct summary *metric_of(const struct group *g, const char *name, struct summary *s)
{
	return g && group_summary(g, name, s) ? s : NULL;
}

static struct summary exact(double v)
{
	return (struct summary){ .n = 1, .of = 1, .mean = v, .low = v, .high = v, .min = v, .max = v };
}

/* ---- finding cells ---- */

static const json_t *scheme_options(const struct ag *a, const struct group *g)
{
	return a->r.context[g->context].scheme[g->scheme].options;
}

static bool option_is(const json_t *options, const char *name, const char *want, const char *def)
{
	return !strcmp(jget_str(options, name, def), want);
}

static int mark_length(const json_t *options)
{
	int n = (int)option_number(options, "length", 0);
	const char *digits = jget_str(options, "digits", WM1);

	return n ? n : !strcmp(digits, "random") ? 13 : (int)strlen(digits);
}

/* The row of Table I that carries the mark (its index), or -1. */
static int mark_layer(const struct ag *a, const json_t *options)
{
	const char *layer = jget_str(options, "layer", "auto"), *model = a->r.context[a->context].model;
	int second = -1;

	for (size_t i = 0, seen = 0; i < ARRAY_LEN(structure); i++) {
		if (strncmp(model, structure[i].model, strlen(structure[i].model)))
			continue;
		if (++seen == 2)
			second = (int)i;
		for (int k = 0; k < 2 && structure[i].param[k]; k++)
			if (!strcmp(structure[i].param[k], layer))
				return (int)i;
	}
	return !strcmp(layer, "auto") ? second : -1;
}

/* What a cell must be; NULL and 0 members ask for nothing. */
struct want {
	const char *watermark, *digits; /* digits: exactly these, undivided */
	int length;                     /* digits of the mark */
	int layer;                      /* index into structure + 1 */
	const char *attack;             /* NULL: functional */
	const char *option[3], *value[3]; /* of the attack, as text */
	double least_n;
};

static bool fits(struct ag *a, const struct group *g, const struct want *w)
{
	const struct context *c = &a->r.context[a->context];
	const json_t *o = scheme_options(a, g);

	if (g->context != a->context || strcmp(c->scheme[g->scheme].name, "activeguard") ||
	    option_is(o, "confidence", "logit", "softmax"))
		return false;
	if ((g->series < 0) != !w->attack || (w->attack && strcmp(c->series[g->series].attack, w->attack)))
		return false;
	if (w->watermark && !option_is(o, "watermark", w->watermark, "none"))
		return false;
	if (w->digits && (!option_is(o, "digits", w->digits, WM1) || mark_length(o) != (int)strlen(w->digits)))
		return false;
	if ((w->length && mark_length(o) != w->length) || (w->layer && mark_layer(a, o) != w->layer - 1))
		return false;
	for (int i = 0; i < 3 && w->option[i]; i++)
		if (strcmp(option_text(&a->r.mem, json_object_get(g->options, w->option[i])), w->value[i]))
			return false;
	return true;
}

/* Larger is nearer to the paper. */
static int nearness(struct ag *a, const struct group *g)
{
	const json_t *o = scheme_options(a, g);
	int score = 100 * g->ncells;

	score += 40 * option_is(o, "digits", WM1, WM1) + 20 * (mark_length(o) == 13) + 10 * (mark_layer(a, o) == mark_layer(a, NULL));
	score += 20 * option_is(o, "watermark", "scratch", "none") + 5 * option_is(o, "store", "float", "float");
	score += 4 * option_is(o, "reduce", "max", "max") + 3 * option_is(o, "objective", "cw", "cw");
	score += 6 * (option_number(g->options, "images", 0) == 7000) + 2 * (option_number(g->options, "lr", 0) == 0.001);
	score += 3 * option_is(g->options, "weights", "all", "all") + 3 * option_is(g->options, "optimizer", "adam", "adam");
	score += 9 * (option_number(g->options, "tries", 0) >= 10000);
	return score;
}

static const struct group *find(struct ag *a, const struct want *w)
{
	const struct group *best = NULL;

	for (int i = 0; a->context >= 0 && i < a->r.ngroups; i++) {
		const struct group *g = &a->r.group[i];

		if (fits(a, g, w) && (!best || nearness(a, g) > nearness(a, best)))
			best = g;
	}
	return best;
}

static const struct group *functional(struct ag *a, const char *watermark, const char *digits)
{
	const struct want w = { .watermark = watermark, .digits = digits };

	return find(a, &w);
}

/* All of the data set's numbers come from the context with most of its cells, whole data before partial. */
static int choose_context(struct ag *a)
{
	int best = -1, most = -1;

	for (int i = 0; i < a->r.ncontexts; i++) {
		const struct context *c = &a->r.context[i];
		int score = 0;

		if (strcmp(c->dataset, a->dataset))
			continue;
		for (int k = 0; k < a->r.ngroups; k++)
			if (a->r.group[k].context == i && !strcmp(c->scheme[a->r.group[k].scheme].name, "activeguard"))
				score += a->r.group[k].ncells;
		if (score && !c->limit_train && !c->limit_test)
			score += 1000000;
		for (size_t p = 0; score && p < ARRAY_LEN(papers); p++)
			if (!strcmp(papers[p].dataset, c->dataset) && !strncmp(papers[p].model, c->model, strlen(papers[p].model)))
				score += 10000000;
		if (score > most && score > 0) {
			most = score;
			best = i;
		}
	}
	return best;
}

/* ---- Table I ---- */

static const char *model_of(const struct ag *a)
{
	if (a->context >= 0)
		return a->r.context[a->context].model;
	return !strcmp(a->dataset, "cifar10") ? "wrn10-4" : "lenet5";
}

static struct model *shapes(const struct ag *a)
{
	const char *name = model_of(a);
	struct model_spec spec = { 0 };
	const json_t *shape = a->context >= 0 ? json_object_get(a->r.context[a->context].sample, "shape") : NULL;
	bool colour = !strncmp(name, "wrn", 3);

	if (model_spec_parse(&spec, name) < 0)
		return NULL;
	spec.c = (int)jget_int(shape, "c", colour ? 3 : 1);
	spec.h = (int)jget_int(shape, "h", colour ? 32 : 28);
	spec.w = (int)jget_int(shape, "w", spec.h);
	spec.classes = (int)jget_int(shape, "classes", 10);
	return model_new(&spec, 0);
}

static void table_1_row(struct ag *a, size_t at, const struct param *p)
{
	static const char *const column[] = { "F", "I", "O", "maximal length" };
	int paper[] = { structure[at].f, structure[at].i, structure[at].o, structure[at].f * structure[at].f * structure[at].i };
	int ours[] = { p->d[2], p->d[1], p->d[0], p->d[2] * p->d[3] * p->d[1] };
	const char *note = arena_printf(&a->r.mem, "%s, (F,F,I,O) = (%d,%d,%d,%d)", p->name, p->d[2], p->d[3], p->d[1], p->d[0]);

	if (ours[2] != paper[2])
		note = arena_printf(&a->r.mem, "%s; the standard WRN-10-4 has no layer (3,3,16,32): model wrn10t-4 adds one", note);
	for (int i = 0; i < 4; i++) {
		struct value_spec v = { "Table I", structure[at].row, column[i], i == 3 ? "digits" : "", paper[i], NONE, NONE, SAME, paper[i], 0 };
		struct summary s = exact(ours[i]);

		add(a, &v, &s, note);
	}
}

static void table_1(struct ag *a)
{
	struct model *m = shapes(a);

	for (size_t i = 0; m && i < ARRAY_LEN(structure); i++) {
		const struct param *p = NULL;

		if (strncmp(model_of(a), structure[i].model, strlen(structure[i].model)))
			continue;
		for (int k = 0; k < 2 && structure[i].param[k] && !p; k++)
			p = model_find(m, structure[i].param[k]);
		if (p)
			table_1_row(a, i, p);
	}
	if (!m)
		error_clear(); /* a model that this program does not know: no Table I */
	model_free(m);
}

/* ---- Table II ---- */

static struct summary proportion(long k, long n, int seeds)
{
	struct summary s = { .n = seeds, .of = seeds, .k = k, .trials = n };

	s.mean = s.min = s.max = 100.0 * (double)k / (double)n;
	clopper_pearson(k, n, 0.95, &s.low, &s.high);
	s.low *= 100;
	s.high *= 100;
	return s;
}

static double published_success(const struct ag *a, int class, double confidence)
{
	for (int i = 0; a->paper && i < 3; i++)
		if (fabs(confidence - 0.2 - 0.1 * i) < 1e-6 && class < 10)
			return a->paper->success[i][class];
	return NONE;
}

static void table_2(struct ag *a)
{
	const struct group *g = functional(a, "scratch", WM1);
	double least = a->paper ? a->paper->least_success : NONE;
	struct value_spec v = { "Table II", "", "", "%", NONE, NONE, NONE, AT_LEAST, least, 0 };
	struct value_spec all = { "Table II", "all users", "minimum", "%", least, NONE, NONE, AT_LEAST, least, 0 };
	int users, levels, worst = 0;
	const json_t *list;
	struct user_count *count;
	struct summary s;

	if (!metric_of(g, "authentication_mean", &s))
		g = functional(a, NULL, NULL);
	count = count_users(g, &users);
	list = g ? json_object_get(scheme_options(a, g), "confidences") : NULL;
	levels = json_array_size(list) ? (int)json_array_size(list) : 3;
	for (int u = 0; u < (count ? users : 30); u++) {
		int class = u / levels;
		double c = json_array_size(list) ? json_number_value(json_array_get(list, (size_t)(u % levels))) : 0.2 + 0.1 * (u % 3);
		const char *note = NULL;

		v.row = arena_printf(&a->r.mem, "confidence %.2f", c);
		v.column = arena_printf(&a->r.mem, "class %d", class);
		v.published = published_success(a, class, c);
		if (count) {
			s = proportion(count[u].k, count[u].n, g->ncells);
			note = count[u].n == 100 ? NULL : arena_printf(&a->r.mem, "%ld fingerprints; the paper has 100", count[u].n);
			worst = count[u].k * count[worst].n < count[worst].k * count[u].n ? u : worst;
		}
		add(a, &v, count ? &s : NULL, note);
	}
	if (count)
		s = proportion(count[worst].k, count[worst].n, g->ncells);
	add(a, &all, count ? &s : NULL,
	    count ? arena_printf(&a->r.mem, "class %d, confidence number %d", worst / levels, worst % levels + 1) : NULL);
	free(count);
}

/* ---- Table III ---- */

static void accuracy_row(struct ag *a, const char *table, const char *row, const struct group *g, const char *metric, double published,
			 double bound, const char *note)
{
	struct value_spec v = { table, row, "test accuracy", "%", published, NONE, NONE, AT_LEAST, bound, 0 };
	struct summary s;

	add(a, &v, metric_of(g, metric, &s), note);
}

static void owner_row(struct ag *a, const char *table, const char *row, const struct group *g, double published, const char *note)
{
	struct value_spec v = { table, row, "V_owner", "yes/no", published, NONE, NONE, SAME, published, 0 };
	struct summary s;

	add(a, &v, metric_of(g, "ownership_verified", &s), note);
}

static void drop_row(struct ag *a, const char *row, const struct group *g, double published)
{
	struct value_spec v = { "Table III", row, "accuracy drop", "points", published, NONE, NONE, AT_MOST, 0.2, 0 };
	struct summary s;

	add(a, &v, metric_of(g, "fidelity_loss", &s), "against the unmarked network of the same seed");
}

static void table_3(struct ag *a)
{
	const struct paper *p = a->paper;
	const struct group *none = functional(a, "none", NULL), *scratch = functional(a, "scratch", WM1),
			   *tuned = functional(a, "finetune", WM1);
	const char *metric = "authorised_accuracy";

	if (!none) {
		none = scratch ? scratch : tuned;
		metric = "reference_accuracy";
	}
	accuracy_row(a, "Table III", "without watermark", none, metric, p ? p->plain : NONE, p ? p->plain - p->margin : NONE, NULL);
	accuracy_row(a, "Table III", "from scratch", scratch, "authorised_accuracy", p ? p->scratch : NONE, p ? p->scratch - p->margin : NONE, NULL);
	drop_row(a, "from scratch", scratch, p ? p->plain - p->scratch : NONE);
	owner_row(a, "Table III", "from scratch", scratch, p ? 1 : NONE, NULL);
	accuracy_row(a, "Table III", "by fine-tuning", tuned, "authorised_accuracy", p ? p->tuned : NONE, p ? p->tuned - p->margin : NONE, NULL);
	drop_row(a, "by fine-tuning", tuned, p ? p->plain - p->tuned : NONE);
	owner_row(a, "Table III", "by fine-tuning", tuned, p ? 1 : NONE, NULL);
}

/* ---- Table IV ---- */

/* Share of a histogram that lies below `limit`, %; NAN without one. */
static double share_below(const struct group *g, const char *series, double limit)
{
	size_t n;
	double *v = g ? group_series(g, series, &n) : NULL, below = 0, total = 0;

	for (size_t i = 0; v && i < n; i++) {
		total += v[i];
		if ((double)(i + 1) / (double)n <= limit + 1e-9)
			below += v[i];
	}
	free(v);
	return total > 0 ? 100 * below / total : NAN;
}

/* Share of a histogram within the tolerance of a legal confidence, %, bins counted by their overlap; NAN without one. */
static double share_legal(const struct group *g, const char *series, const json_t *options)
{
	const json_t *levels = json_object_get(options, "confidences"), *level;
	double tolerance = option_number(options, "tolerance", 0.01), total = 0, inside = 0;
	size_t n, at;
	double *v = g ? group_series(g, series, &n) : NULL;

	for (size_t i = 0; v && i < n; i++) {
		double low = (double)i / (double)n, high = (double)(i + 1) / (double)n;

		total += v[i];
		json_array_foreach(levels, at, level) {
			double c = json_number_value(level), overlap = fmin(high, c + tolerance) - fmax(low, c - tolerance);

			inside += overlap > 0 ? v[i] * overlap / (high - low) : 0;
		}
	}
	free(v);
	return total > 0 ? 100 * inside / total : NAN;
}

static const char *forge_note(struct ag *a, const struct group *g)
{
	const struct group *from = g;
	const char *series = "confidence_histogram";
	const json_t *options;

	if (!g)
		return NULL;
	if (!isfinite(share_below(from, series, 0.5))) {
		from = functional(a, NULL, NULL);
		series = "confidence_histogram_clean";
	}
	options = from ? scheme_options(a, from) : NULL;
	if (!isfinite(share_below(from, series, 0.5)))
		return NULL;
	return arena_printf(&a->r.mem, "only a top confidence within %g of %s passes; by the histogram about %.2f %% of what was submitted has "
			    "one there, %.2f %% one below 0.5", option_number(options, "tolerance", 0.01),
			    option_text(&a->r.mem, json_object_get(options, "confidences")), share_legal(from, series, options),
			    share_below(from, series, 0.5));
}

static void table_4(struct ag *a)
{
	/* C&W with a margin: the paper says that well-crafted adversarial examples have high confidences (III-B). Without one
	 * (kappa 0) they stop on the boundary, where the two top classes share the confidence. */
	static const struct { const char *method, *row, *kappa; double most; } forge[] = {
		{ "clean", "clean images", NULL, 0.1 }, { "fgsm", "FGSM", NULL, 0.5 }, { "cw", "C&W", "5", 0.5 },
		{ "cw", "C&W on the boundary, kappa 0", "0", 0 }, { "noise", "uniform noise", NULL, 0 }, { "pgd", "PGD", NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(forge); i++) {
		const struct want w = { .attack = "forge", .option = { "method", forge[i].kappa ? "kappa" : NULL },
					.value = { forge[i].method, forge[i].kappa } };
		const struct group *g = find(a, &w);
		struct value_spec v = { "Table IV", forge[i].row, "success rate", "%", NONE, NONE, NONE, AT_MOST, forge[i].most, 0 };
		struct summary s;
		const char *note = forge_note(a, g);

		if (i < 3 && a->paper)
			v.published = a->paper->forge[i];
		if (i >= 3 && !g)
			continue;
		if (g && i == 2)
			note = arena_printf(&a->r.mem, "with a margin of 5 logits (kappa): the paper calls its examples highly confident, and gives no kappa%s%s",
					    note ? "; " : "", note ? note : "");
		if (i >= 3)
			note = arena_printf(&a->r.mem, "not in the paper%s%s", note ? "; " : "", note ? note : "");
		add(a, &v, metric_of(g, "forgery_acceptance", &s), note);
	}
}

/* ---- Table V ---- */

static void table_5(struct ag *a)
{
	static const char *const epochs[] = { "30", "50" };
	const struct paper *p = a->paper;
	const struct group *g = functional(a, "scratch", WM1);

	accuracy_row(a, "Table V", "no attack", g, "authorised_accuracy", p ? p->scratch : NONE, p ? p->scratch - p->margin : NONE, NULL);
	owner_row(a, "Table V", "no attack", g, p ? 1 : NONE, NULL);
	for (int i = 0; i < 2; i++)
		for (int k = 0; k < 4; k++) {
			const int leak = k & 1, harder = k & 2;
			const struct want w = { .watermark = "scratch", .digits = WM1, .attack = "finetune", .option = { "epochs", "data", "lr" },
						.value = { epochs[i], leak ? "paper-test" : "pool", harder ? "0.001" : "0.0001" } };
			double published = p && !harder ? p->finetune[i] : NONE;
			const char *row = arena_printf(&a->r.mem, "%s epochs%s%s", epochs[i], leak ? ", the paper's protocol" : "",
						       harder ? ", rate 0.001" : "");

			g = find(a, &w);
			if (k && !g)
				continue;
			accuracy_row(a, "Table V", row, g, "attacked_accuracy", published, published - (p ? p->margin + (leak ? 0 : 0.5) : 0),
				     leak ? "tuned on 7,000 of the test images it is then measured on, as in the paper: not a generalisation figure"
					  : "tuned on the attack pool; the paper tunes on 7,000 of the test images that it then measures on");
			owner_row(a, "Table V", row, g, p && !harder ? 1 : NONE,
				  harder ? "the paper gives no learning rate; this is the rate of training, ten times the row above" : NULL);
		}
}

/* ---- Table VI ---- */

static const struct group *pruned(struct ag *a, const char *digits, const char *scope, int percent)
{
	const char *rate = arena_printf(&a->r.mem, "%g", percent / 100.0);
	const struct want w = { .watermark = "scratch", .digits = digits, .attack = "prune", .option = { "rate", "scope" },
				.value = { rate, scope } };

	return find(a, &w);
}

static bool verified(const struct group *g)
{
	struct summary s;

	return metric_of(g, "ownership_verified", &s) && s.n == s.of && s.mean >= 1;
}

static void prune_row(struct ag *a, const char *name, const char *digits, const char *scope, int percent, double published, int lost)
{
	const struct group *g = pruned(a, digits, scope, percent);
	const char *row = arena_printf(&a->r.mem, "%s, %d %%", name, percent), *metric = "attacked_accuracy", *note = NULL;
	bool known = isfinite(published);

	if (!g && !percent) {
		g = functional(a, "scratch", digits);
		metric = "authorised_accuracy";
	}
	if (g && known && percent >= 50)
		note = "the paper does not say over what the share is taken; over all layers its accuracies come out, layer by layer they do not";
	accuracy_row(a, "Table VI", row, g, metric, published, published - 1, note);
	note = g && known && verified(g) != (percent < lost) ? "the rate at which a digit is lost depends on where the mark's weights lie "
							      "among the layer's: another seed, another rate" : NULL;
	owner_row(a, "Table VI", row, g, known ? percent < lost : NONE, note);
}

/* The lowest rate that loses the mark, or the highest that keeps it with all below (0: none does); NAN without cells, and where a
 * rate lacks seeds: a cell that failed has lost no mark. */
static double threshold(struct ag *a, const char *digits, const char *scope, bool lowest_lost, double finest)
{
	double kept = NAN, lost = NAN;

	for (int pass = 0; a->context >= 0 && pass < 2; pass++)
		for (int i = 0; i < a->r.ngroups; i++) {
			const struct group *g = &a->r.group[i];
			const struct want w = { .watermark = "scratch", .digits = digits, .attack = "prune", .option = { "scope" },
						.value = { scope } };
			double rate = 100 * g->strength;
			struct summary s;

			if (!fits(a, g, &w) || !g->has_strength || rate > finest)
				continue;
			if (!metric_of(g, "ownership_verified", &s) || s.n < s.of)
				return NAN;
			if (!pass && !verified(g))
				lost = fmin(rate, lost); /* fmin and fmax pass over NAN */
			else if (pass && !(rate >= lost))
				kept = fmax(rate, kept);
		}
	if (lowest_lost)
		return lost;
	return isnan(kept) && !isnan(lost) ? 0 : kept;
}

static void threshold_row(struct ag *a, const char *row, const char *column, double ours, double published, enum test test, double bound,
			  const char *note)
{
	struct value_spec v = { "Table VI", row, column, "%", published, NONE, NONE, test, bound, 0 };
	struct summary s = exact(ours);

	add(a, &v, isnan(ours) ? NULL : &s, note);
}

static void table_6(struct ag *a)
{
	static const struct { const char *name, *digits; } mark[] = { { "wm1", WM1 }, { "wm2", WM2 } };
	const struct paper *p = a->paper;
	double lost = threshold(a, WM1, "global", true, 100);
	bool any = pruned(a, WM1, "global", 10) || pruned(a, WM1, "global", 50) || pruned(a, WM1, "global", 90);

	for (int m = 0; m < 2; m++)
		for (int i = 0; i < RATES; i++)
			prune_row(a, mark[m].name, mark[m].digits, "global", 10 * i, !p ? NONE : m ? p->wm2[i] : p->wm1[i],
				  m || !p ? 100 : p->wm1_lost);
	if (p && p->wm1_lost < 100)
		threshold_row(a, "wm1, lost from", "pruning rate", lost, p->wm1_lost, AT_MOST, 60,
			      any && isnan(lost) ? "no rate that was run loses it, or seeds are missing" : NULL);
	if (p && isfinite(p->wm2[0]))
		threshold_row(a, "wm2, kept up to", "pruning rate", threshold(a, WM2, "global", false, 90), 90, AT_LEAST, 90, NULL);
	for (int m = 0; m < 2; m++) /* the other reading of the paper: no number is published for it apart */
		for (int i = 0; i < RATES; i++)
			if (pruned(a, mark[m].digits, "layer", 10 * i))
				prune_row(a, arena_printf(&a->r.mem, "%s, each layer", mark[m].name), mark[m].digits, "layer", 10 * i, NONE, 0);
}

/* ---- figures ---- */

static void figure_5(struct ag *a)
{
	const struct paper *p = a->paper;
	const struct group *g = functional(a, "scratch", WM1);
	struct value_spec v = { "Figure 5", "unauthorised", "test accuracy", "%", p ? p->unauthorised : NONE, NONE, NONE, WITHIN, 10, 1 };
	struct summary s;

	g = g ? g : functional(a, NULL, NULL);
	accuracy_row(a, "Figure 5", "authorised", g, "authorised_accuracy", p ? p->authorised : NONE, p ? p->authorised - p->margin : NONE, NULL);
	add(a, &v, metric_of(g, "unauthorised_accuracy", &s),
	    p && p->unauthorised < 9 ? "the control layer answers with a uniformly random class, so 10 % is expected; on 10,000 images the paper's "
				       "8.92 % lies 3.6 standard deviations below" : NULL);
}

static void figure_6(struct ag *a)
{
	static const int lengths[] = { 13, 25, 50, 100 };
	const struct paper *p = a->paper;

	for (size_t i = 0; i < ARRAY_LEN(structure); i++)
		for (size_t k = 0; k < ARRAY_LEN(lengths); k++) {
			const struct want w = { .watermark = "scratch", .length = lengths[k], .layer = (int)i + 1 };
			const char *layer = strstr(structure[i].row, "conv"), *row = arena_printf(&a->r.mem, "%s, %d digits", layer, lengths[k]);
			struct value_spec v = { "Figure 6", row, "test accuracy", "%", NONE, p ? p->lengths[0] : NONE, p ? p->lengths[1] : NONE,
						AT_LEAST, p ? p->lengths[0] - p->margin : NONE, 0 };
			const struct group *g;
			struct summary s;

			if (strncmp(model_of(a), structure[i].model, strlen(structure[i].model)) ||
			    lengths[k] > structure[i].f * structure[i].f * structure[i].i)
				continue;
			g = find(a, &w);
			add(a, &v, metric_of(g, "authorised_accuracy", &s), p && g ? "published as a range over all bars, in the text" : NULL);
			owner_row(a, "Figure 6", row, g, p ? 1 : NONE, NULL);
		}
}

json_t *activeguard_values(const struct report_input *in, const char *dataset)
{
	struct ag a = { .dataset = dataset, .out = json_array() };
	locale_t before = point_locale();
	json_t *out = a.out;

	rows_make(&a.r, in);
	a.context = choose_context(&a);
	for (size_t i = 0; i < ARRAY_LEN(papers); i++)
		if (!strcmp(papers[i].dataset, dataset) && !strncmp(model_of(&a), papers[i].model, strlen(papers[i].model)))
			a.paper = &papers[i];
	table_1(&a);
	table_2(&a);
	table_3(&a);
	table_4(&a);
	table_5(&a);
	table_6(&a);
	figure_5(&a);
	figure_6(&a);
	rows_release(&a.r);
	point_locale_end(before);
	return out;
}
