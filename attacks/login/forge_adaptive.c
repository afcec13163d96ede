/* Forgery by somebody who knows the rule: a login is an image that gets class t with confidence c, both from lists that ship. What
 * remains secret then? Whoever has the network makes logins as the owner does; who can only ask searches for them.
 *
 * Source: ActiveGuard (Xue et al.), table II: its generator, read as an attack; whoever asks: attacks/login/forge_adaptive_hunt.c;
 * temperature: Guo et al., ICML 2017.
 * Differs: the confidence term is the square of log P_t - log c, which has a slope where P_t is nearly 0, and the other classes are pulled
 * together; later restarts descend along KL. */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "attacks/kit/surrogate.h"
#include "attacks/login/forge_adaptive_hunt.h"
#include "attacks/login/forge_adaptive_temperature.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "nn/craft.h"
#include "nn/lock/control_layer.h"

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
	{ "restarts", OPT_INT, AT(restarts), "5", 1, 1000, "white: parts of the budget, each begun anew with another image", NULL },
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

/* Logins in the making. User i*T + j of the rule logs in with class class[i] at confidence[j]. */
struct forger {
	struct access *a;
	const struct adaptive_conf *c;
	struct control rule;
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

/* One restart: a source image of its own for every login that is still missing. The later half pulls all confidences to where they should be,
 * which the owner's generator falls back on as well. */
static int descend(struct forger *f, struct model *m, int restart, double *spent)
{
	const struct adaptive_conf *c = f->c;
	const bool late = restart && 2 * restart >= c->restarts;
	const struct cw_conf w = {
		.steps = c->budget / c->restarts > 0 ? c->budget / c->restarts : 1, .search = 1, .lr = c->lr, .lr_decay = 1,
		.alpha = 1 / fmax(c->closeness, 1e-6), .kappa = c->margin, .spread = c->spread,
		.confidence = c->space == SPACE_LOGIT ? CW_LOGIT : late ? CW_KL : CW_LOG, .tolerance = c->aim * f->rule.tolerance,
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
	const int own = f->c->surrogate.gradients;
	struct model *m;
	double spent = 0;
	int ret = 0;

	if (!f->a->unlabelled.n)
		return error(EXIT_UNEVALUABLE, "forge-adaptive: no images were granted");
	m = surrogate_open(f->a, &f->c->surrogate, "forge-adaptive surrogate", f->notes);
	if (!m)
		return -1;
	if ((own == GRADIENTS_INSIDER || own == GRADIENTS_OUTSIDER) && f->c->calibrate)
		ret = temperature_match(f->a, own == GRADIENTS_INSIDER ? TEACHER_INSIDER : TEACHER_LOCKED, f->c->calibrate, m, f->notes);
	for (int restart = 0; restart < f->c->restarts && !ret; restart++)
		ret = descend(f, m, restart, &spent);
	model_free(m);
	return ret ? ret : access_spend(f->a, 0, spent);
}

/* ---- by asking ---- */

static int by_size(const void *a, const void *b)
{
	const long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

static int forge_asking(struct forger *f)
{
	const bool score = f->c->method == METHOD_SCORE;
	const struct blend_hunt h = {
		.n = f->n, .budget = f->c->budget, .exemplars = f->c->exemplars, .round8 = f->c->round8, .class = score ? f->class : NULL,
		.conf = f->conf, .tolerance = f->c->aim * f->rule.tolerance, .teacher = f->c->teacher
	};
	long *asked = xcalloc((size_t)f->n + 1, sizeof(*asked));
	const int ret = blend_hunt(f->a, &h, f->x, f->done, asked);
	int n = 0;

	for (int i = 0; i < f->n && !ret; i++)
		if (f->done[i])
			asked[n++] = asked[i];
	qsort(asked, n, sizeof(*asked), by_size);
	if (n) {
		jset_int(f->notes, "asked_median", (int)asked[n / 2]);
		jset_int(f->notes, "asked_p90", (int)asked[n - 1 - n / 10]);
	}
	free(asked);
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
	if (c->method != METHOD_DECISION && !control_found(&f.rule, a->pub)) {
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

/* Most forged logins are done long before their budget is: along gradients after an eighth of it, and asking takes less, as measured. */
static double adaptive_cost(const void *conf, const struct expected *e)
{
	const struct adaptive_conf *c = conf;
	const double steps = (double)c->tries * c->budget / 8;
	const double own = c->surrogate.gradients == GRADIENTS_DEPLOYED ? 0 : 3.0 * c->surrogate.images * c->surrogate.epochs;

	(void)e;
	return c->method == METHOD_WHITE ? 5 * steps + own : c->method == METHOD_SCORE ? 2 * steps : 0.3 * steps;
}

const struct attack attack_forge_adaptive = {
	.drv = { .name = "forge-adaptive", .summary = "forge logins that are a class and a confidence, knowing the rule",
		 .source = "ActiveGuard (Xue et al.), table II, read as an attack; Rechenberg, 1973 (evolution strategy); Andriushchenko et al., ECCV "
			   "2020 (squares); Guo et al., ICML 2017 (temperature). Differs: squared logarithms of confidences, later restarts along "
			   "KL, searches that start among blends of one image a class",
		 .version = 3, .conf_size = sizeof(struct adaptive_conf), .opts = adaptive_opts },
	.goal = GOAL_IMPERSONATE, .needs = CAP_ALGO, .strength = "budget", .strength_up = 1,
	.tier = { "tries=60", NULL, "tries=3000" }, .needs_for = adaptive_needs, .cost = adaptive_cost, .inapplicable = adaptive_inapplicable,
	.run = adaptive_run,
	.finds = "classes and confidences that a login must have", .search = "lr=0.003,0.01,0.03 restarts=1,2,5 aim=0.5,0.9 space=softmax,logit",
};
