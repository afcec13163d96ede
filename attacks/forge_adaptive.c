/* Forgery by somebody who knows the rule: a login is an image that gets class t with confidence c, both from lists that ship. What
 * remains secret then? Whoever has the network makes logins as the owner does; who can only ask searches for them.
 *
 * Source: ActiveGuard (Xue et al.), table II: its generator, read as an attack; the score search is a (1+1) evolution strategy
 * (Rechenberg, 1973); temperature: Guo et al., ICML 2017.
 * Differs: the confidence term is the square of log P_t - log c, which has a slope where P_t is nearly 0, and the other classes are pulled
 * together; black-box searches move in the blends of one image a class (attacks/blend.h) and are not polished in pixels. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/blend.h"
#include "attacks/surrogate.h"
#include "attacks/tune.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/rng.h"
#include "nn/craft.h"

enum method { METHOD_WHITE, METHOD_SCORE, METHOD_DECISION };
enum { SPACE_SOFTMAX, SPACE_LOGIT };

struct adaptive_conf {
	int method, tries, budget, restarts, target, exemplars, teacher, space, calibrate, round8;
	double aim, lr, closeness, margin, spread;
	struct surrogate surrogate;
};

#define AT(member) offsetof(struct adaptive_conf, member)
static const struct opt adaptive_opts[] = {
	{ "method", OPT_CHOICE, AT(method), "white", 0, 0,
	  "white: along gradients; score: by answers; decision: by accepted or not", "white|score|decision" },
	{ "tries", OPT_INT, AT(tries), "300", 1, 1000000, "forged logins", NULL },
	{ "budget", OPT_INT, AT(budget), "2500", 0, 10000000, "for each: Adam steps, queries, or submissions", NULL },
	{ "restarts", OPT_INT, AT(restarts), "5", 1, 1000, "white, score: parts of the budget, each begun anew", NULL },
	{ "target", OPT_INT, AT(target), "-1", -1, 1e9, "white, score: the user to be; -1: all in turn", NULL },
	{ "aim", OPT_FLOAT, AT(aim), "0.9", 0.01, 1, "white, score: share of the tolerance that a forged login may use", NULL },
	{ "space", OPT_CHOICE, AT(space), "softmax", 0, 0, "white: what is held at c, P_t or the logit Z_t", "softmax|logit" },
	{ "lr", OPT_FLOAT, AT(lr), "0.01", 1e-6, 10, "white: Adam's rate", NULL },
	{ "closeness", OPT_FLOAT, AT(closeness), "0.001", 0, 1000, "white: weight of the squared distance to the source image", NULL },
	{ "margin", OPT_FLOAT, AT(margin), "0.05", 0, 1000, "white: lead of class t over the others (logits)", NULL },
	{ "spread", OPT_FLOAT, AT(spread), "0.05", 0, 1000, "white: weight of the other logits' variance", NULL },
	{ "exemplars", OPT_INT, AT(exemplars), "5", 1, 1000, "score, decision: labelled images of each class to blend", NULL },
	SURROGATE_TEACHER(struct adaptive_conf, teacher),
	SURROGATE(struct adaptive_conf, surrogate),
	{ "calibrate", OPT_INT, AT(calibrate), "100", 0, 100000, "white with a surrogate: further queries that set its temperature", NULL },
	{ "round8", OPT_BOOL, AT(round8), "0", 0, 0, "submit 8-bit images, made under rounding (white)", NULL },
	{ 0 }
};
#undef AT

/* ---- the rule ---- */

/* What ships: user i*T + j logs in with class class[i] at confidence[j]. */
struct rule {
	const float *confidence; /* (T) */
	const int32_t *class;    /* (K) */
	int T, K;
	double tolerance;
};

static bool rule_open(struct rule *r, const struct bundle *pub)
{
	size_t nt = 0, nk = 0;

	r->confidence = pub ? bundle_f32(pub, "confidences", &nt) : NULL;
	r->class = pub ? bundle_i32(pub, "classes", &nk) : NULL;
	r->tolerance = pub ? bundle_meta_getnum(pub, "tolerance", 0) : 0;
	r->T = (int)nt;
	r->K = (int)nk;
	return r->confidence && r->class && nt && nk && r->tolerance > 0;
}

/* Logins in the making. */
struct forger {
	struct access *a;
	const struct adaptive_conf *c;
	struct rule rule;
	int n, len;
	int *class;          /* (n) t */
	float *conf;         /* (n) c */
	unsigned char *done; /* (n) */
	float *x;            /* (n, len) */
	json_t *notes;
};

static void aim(struct forger *f, int *claimed)
{
	const int users = f->rule.K * f->rule.T;

	for (int i = 0; i < f->n; i++) {
		const int u = f->c->target >= 0 ? f->c->target % users : i % users;

		claimed[i] = u;
		f->class[i] = f->rule.class[u / f->rule.T];
		f->conf[i] = f->rule.confidence[u % f->rule.T];
	}
}

/* ---- along gradients ---- */

/* A surrogate's class is not enough, its confidence has to be right: rescale its last layer. */
static int calibrate(struct forger *f, struct model *m)
{
	const int teacher = f->c->surrogate.gradients == GRADIENTS_INSIDER ? TEACHER_INSIDER : TEACHER_LOCKED;
	const struct images v = images_first(f->a->val, surrogate_afford(f->a, teacher, f->c->calibrate));
	const int last = tune_last_layer(m);
	float *probs = xmalloc((size_t)v.n * f->a->classes + 1, sizeof(*probs));
	double t = 1;

	if (v.n) {
		const int ret = surrogate_ask(f->a, teacher, false, &v, probs);

		t = ret ? NAN : surrogate_temperature(m, &v, probs);
	}
	if (isnan(t)) {
		free(probs);
		return -1;
	}
	for (int i = last; i < m->np && i <= last + 1; i++)
		for (size_t k = 0; k < m->p[i].len; k++)
			m->p[i].x[k] /= (real)t;
	jset_num(f->notes, "surrogate_temperature", t);
	free(probs);
	return 0;
}

/* One restart: a source image of its own for every login that is still missing. */
static int descend(struct forger *f, struct model *m, int restart, double *spent)
{
	const struct adaptive_conf *c = f->c;
	const struct cw_conf w = {
		.steps = c->budget / c->restarts > 0 ? c->budget / c->restarts : 1, .search = 1, .lr = c->lr, .lr_decay = 1,
		.alpha = 1 / fmax(c->closeness, 1e-6), .kappa = c->margin, .spread = c->spread,
		.confidence = c->space == SPACE_LOGIT ? CW_LOGIT : CW_LOG, .tolerance = c->aim * f->rule.tolerance,
		.round8 = c->round8, .first = 1, .no_abort = 1
	};
	const struct rng_key key = rng_key(f->a->seed, "forge-adaptive source");
	float *x = xmalloc((size_t)f->n * f->len, sizeof(*x)), *out = xmalloc((size_t)f->n * f->len, sizeof(*out));
	float *conf = xmalloc(f->n, sizeof(*conf));
	int *which = xmalloc(f->n, sizeof(*which)), *class = xmalloc(f->n, sizeof(*class)), n = 0, ret = 0;
	unsigned char *ok = xcalloc(f->n, 1);
	struct rng r;

	for (int i = 0; i < f->n; i++) {
		if (f->done[i])
			continue;
		rng_at(&r, key, (uint32_t)i, (uint32_t)restart);
		images_get(&f->a->unlabelled, (int)rng_below(&r, (uint32_t)f->a->unlabelled.n), x + (size_t)n * f->len);
		class[n] = f->class[i];
		conf[n] = f->conf[i];
		which[n++] = i;
	}
	if (n)
		ret = craft_cw(m, x, class, conf, n, &w, out, ok, NULL, f->a->label, spent);
	for (int k = 0; k < n && !ret; k++) {
		f->done[which[k]] = ok[k];
		memcpy(f->x + (size_t)which[k] * f->len, out + (size_t)k * f->len, (size_t)f->len * sizeof(*out));
	}
	free(x);
	free(out);
	free(conf);
	free(which);
	free(class);
	free(ok);
	return ret;
}

static int forge_white(struct forger *f)
{
	const bool own = f->c->surrogate.gradients == GRADIENTS_INSIDER || f->c->surrogate.gradients == GRADIENTS_OUTSIDER;
	struct model *m;
	double spent = 0;
	int ret = 0;

	if (!f->a->unlabelled.n)
		return error(EXIT_UNEVALUABLE, "forge-adaptive: no images were granted");
	m = surrogate_open(f->a, &f->c->surrogate, "forge-adaptive surrogate", f->notes);
	if (!m)
		return -1;
	if (own && f->c->calibrate)
		ret = calibrate(f, m);
	for (int restart = 0; restart < f->c->restarts && !ret; restart++)
		ret = descend(f, m, restart, &spent);
	model_free(m);
	return ret ? ret : access_spend(f->a, 0, spent);
}

/* ---- by asking ---- */

struct searches {
	struct blends b;
	struct blend_search *s; /* (n) */
	int n;
};

static int searches_open(const struct forger *f, struct searches *q)
{
	const struct rng_key key = rng_key(f->a->seed, "forge-adaptive search");

	if (blends_open(f->a, f->c->exemplars, &q->b) < 0)
		return -1;
	q->s = xcalloc(f->n, sizeof(*q->s));
	for (q->n = 0; q->n < f->n; q->n++)
		blend_search_open(&q->s[q->n], &q->b, key, q->n);
	return 0;
}

static void searches_close(struct searches *q)
{
	for (int i = 0; i < q->n; i++)
		blend_search_close(&q->s[i]);
	free(q->s);
	blends_close(&q->b);
}

/* The next blend of login i: near the best one, or anywhere when the search begins anew (without a score it always does). */
static void propose(const struct forger *f, struct searches *q, int i, float *out)
{
	const long part = f->c->method == METHOD_DECISION || f->c->budget < f->c->restarts ? 1 : f->c->budget / f->c->restarts;
	struct blend_search *s = &q->s[i];

	blend_search_propose(s, &q->b, (int)((i + s->asked / part) % q->b.sets), s->asked % part == 0, out);
	for (int j = 0; f->c->round8 && j < f->len; j++)
		out[j] = roundf(out[j] * 255) / 255;
}

/* How far answers p (classes) are from login i, 0 on the spot. */
static double miss(const struct forger *f, int i, const float *p)
{
	const int t = f->class[i];
	float other = 0;

	for (int k = 0; k < f->a->classes; k++)
		if (k != t)
			other = fmaxf(other, p[k]);
	return fabs((double)p[t] - (double)f->conf[i]) + fmax((double)other - (double)p[t], 0);
}

/* One question for every login that is still missing: which (n) of them, x (n, len) the blends. */
static int ask(struct forger *f, struct searches *q, const int *which, const float *x, int n)
{
	const struct images v = { .n = n, .c = f->a->c, .h = f->a->h, .w = f->a->w, .classes = f->a->classes, .fx = x };
	unsigned char *accepted = xcalloc(n, 1);
	float *probs = xmalloc((size_t)n * f->a->classes, sizeof(*probs));
	const bool score = f->c->method == METHOD_SCORE;
	const int ret = score ? surrogate_ask(f->a, f->c->teacher, false, &v, probs) : access_submit(f->a, x, n, accepted);

	for (int i = 0; i < n && !ret; i++) {
		const float *p = probs + (size_t)i * f->a->classes;
		const double got = score ? miss(f, which[i], p) : 0;
		int top = 0;

		if (score) {
			argmax_rows(p, 1, f->a->classes, &top);
			accepted[i] = top == f->class[which[i]] && got < f->c->aim * f->rule.tolerance;
			blend_search_learn(&q->s[which[i]], &q->b, got);
		}
		f->done[which[i]] = accepted[i];
		memcpy(f->x + (size_t)which[i] * f->len, x + (size_t)i * f->len, (size_t)f->len * sizeof(*x));
	}
	free(accepted);
	free(probs);
	return ret;
}

/* Are n more questions within the budget of the whole attack? */
static bool affordable(const struct forger *f, int n)
{
	const struct ledger *l = f->a->ledger;

	if (f->c->method == METHOD_SCORE)
		return surrogate_afford(f->a, f->c->teacher, n) >= n;
	return !l->max_submissions || l->max_submissions - l->submissions >= n;
}

static int rounds(struct forger *f, struct searches *q)
{
	float *x = xmalloc((size_t)f->n * f->len, sizeof(*x));
	int *which = xmalloc(f->n, sizeof(*which)), ret = 0;

	for (int round = 0; round < f->c->budget && !ret; round++) {
		int n = 0;

		for (int i = 0; i < f->n; i++)
			if (!f->done[i])
				which[n++] = i;
		if (!n || !affordable(f, n))
			break;
		for (int i = 0; i < n; i++)
			propose(f, q, which[i], x + (size_t)i * f->len);
		ret = interrupt_check() ? -1 : ask(f, q, which, x, n);
	}
	free(x);
	free(which);
	return ret;
}

static int by_size(const void *a, const void *b)
{
	const long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

static int forge_asking(struct forger *f)
{
	struct searches q = { 0 };
	long *asked = xcalloc((size_t)f->n + 1, sizeof(*asked));
	int n = 0, ret = searches_open(f, &q);

	if (!ret)
		ret = rounds(f, &q);
	for (int i = 0; i < f->n && !ret; i++)
		if (f->done[i])
			asked[n++] = q.s[i].asked;
	qsort(asked, n, sizeof(*asked), by_size);
	if (n) {
		jset_int(f->notes, "asked_median", (int)asked[n / 2]);
		jset_int(f->notes, "asked_p90", (int)asked[n - 1 - n / 10]);
	}
	free(asked);
	searches_close(&q);
	return ret;
}

/* ---- hooks ---- */

static unsigned adaptive_needs(const void *conf)
{
	const struct adaptive_conf *c = conf;

	if (c->method == METHOD_WHITE)
		return CAP_ALGO | CAP_PARAM | CAP_UNLABELLED | surrogate_needs(&c->surrogate);
	if (c->method == METHOD_SCORE)
		return CAP_ALGO | CAP_PARAM | CAP_LABELLED | surrogate_teacher_needs(c->teacher, false);
	return CAP_ALGO | CAP_LABELLED | CAP_DECISION;
}

static const char *adaptive_inapplicable(const void *conf, int has_users, int has_ownership)
{
	const struct adaptive_conf *c = conf;

	(void)has_ownership;
	if (!has_users)
		return "the scheme has no credentials to forge";
	return c->method == METHOD_WHITE ? surrogate_unavailable(&c->surrogate, has_users) : NULL;
}

static int forge(struct forger *f, struct product *p)
{
	int reached = 0, ret;

	if (f->c->method != METHOD_DECISION) {
		p->claimed = xmalloc(f->n, sizeof(*p->claimed));
		aim(f, p->claimed);
	}
	ret = f->c->method == METHOD_WHITE ? forge_white(f) : forge_asking(f);
	for (int i = 0; i < f->n; i++)
		reached += f->done[i];
	jset_int(f->notes, "reached", reached);
	return ret;
}

static int adaptive_run(struct access *a, const void *conf, struct product *p)
{
	const struct adaptive_conf *c = conf;
	struct forger f = { .a = a, .c = c, .n = c->budget ? c->tries : 0, .len = a->c * a->h * a->w };
	int ret = 0;

	p->goal = GOAL_IMPERSONATE;
	p->notes = f.notes = json_object();
	p->creds = bundle_new();
	p->ncreds = f.n;
	if (c->method != METHOD_DECISION && !rule_open(&f.rule, a->pub)) {
		p->inapplicable = "what ships names no classes and confidences that a login must have";
		return 0;
	}
	f.x = bundle_put(p->creds, "image", DT_F32, 4, (int64_t[]){ f.n, a->c, a->h, a->w }, NULL);
	f.class = xcalloc((size_t)f.n + 1, sizeof(*f.class));
	f.conf = xcalloc((size_t)f.n + 1, sizeof(*f.conf));
	f.done = xcalloc((size_t)f.n + 1, 1);
	if (f.n)
		ret = forge(&f, p);
	free(f.class);
	free(f.conf);
	free(f.done);
	return ret;
}

/* Most forged logins are done long before their budget is: an eighth of it, as measured. */
static double adaptive_cost(const void *conf, const struct expected *e)
{
	const struct adaptive_conf *c = conf;
	const double steps = (double)c->tries * c->budget / 8;
	const double own = c->surrogate.gradients == GRADIENTS_DEPLOYED ? 0 : 3.0 * c->surrogate.images * c->surrogate.epochs;

	(void)e;
	return c->method == METHOD_WHITE ? 5 * steps + own : 7 * steps;
}

const struct attack attack_forge_adaptive = {
	.drv = { .name = "forge-adaptive", .summary = "forge logins that are a class and a confidence, knowing the rule",
		 .source = "ActiveGuard (Xue et al.), table II, read as an attack; Rechenberg, 1973 (evolution strategy); Guo et al., ICML 2017 "
			   "(temperature). Differs: squared logarithms of confidences, searches among blends of one image a class",
		 .version = 1, .conf_size = sizeof(struct adaptive_conf), .opts = adaptive_opts },
	.goal = GOAL_IMPERSONATE, .needs = CAP_ALGO, .strength = "budget", .strength_up = 1,
	.tier = { "tries=60", NULL, "tries=3000" }, .needs_for = adaptive_needs, .cost = adaptive_cost, .inapplicable = adaptive_inapplicable,
	.run = adaptive_run,
	.finds = "classes and confidences that a login must have", .search = "lr=0.003,0.01,0.03 restarts=1,2,5 aim=0.5,0.9 space=softmax,logit",
};
