/* Forgery without knowledge of the rule: submit images that nobody aimed at the service's credentials.
 *
 * Source: ActiveGuard (Xue et al.), section IV-E, Table IV: 10,000 clean images, FGSM (Goodfellow et al., ICLR 2015)
 * and C&W (Carlini and Wagner, S&P 2017), both as cleverhans 2.1 does them; PGD (Madry et al., ICLR 2018) and uniform
 * noise are ours.
 * With gradients other than the deployed network's they transfer from one of the attacker's own (Papernot et al., AsiaCCS 2017).
 * Differs: images of the attack pool, not of the test set (which the evaluator submits as zero-effort trials); FGSM and
 * PGD push away from the model's own answer, cleverhans's default; every C&W image aims at a wrong class of its
 * own drawn at random, where cleverhans takes the nearest, and keeps a margin (kappa 5, cleverhans's default is 0).
 *
 * None of these aims at the rule (class and confidence), so a low rate says little about a forger who knows it. */
#include <math.h>
#include <stddef.h>

#include "attacks/kit/surrogate.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "nn/craft.h"

enum method { METHOD_CLEAN, METHOD_NOISE, METHOD_FGSM, METHOD_PGD, METHOD_CW };

struct forge_conf {
	int method, tries, round8;
	double eps, pgd_step;
	int pgd_steps;
	int steps, search;
	double lr, alpha, kappa;
	struct surrogate surrogate;
};

#define AT(member) offsetof(struct forge_conf, member)
static const struct opt forge_opts[] = {
	{ "method", OPT_CHOICE, AT(method), "clean", 0, 0, "how a forged image is made", "clean|noise|fgsm|pgd|cw" },
	{ "tries", OPT_INT, AT(tries), "10000", 1, 1000000, "forged images; one for each image of the attack pool at most (noise: no limit)", NULL },
	{ "eps", OPT_FLOAT, AT(eps), "0.3", 0, 1, "fgsm, pgd: largest change of a pixel (pixels are 0 to 1)", NULL },
	{ "pgd-steps", OPT_INT, AT(pgd_steps), "40", 1, 10000, "pgd: steps from a random start", NULL },
	{ "pgd-step", OPT_FLOAT, AT(pgd_step), "0.01", 0, 1, "pgd: length of a step", NULL },
	{ "steps", OPT_INT, AT(steps), "1000", 1, 100000, "cw: Adam iterations for each search step", NULL },
	{ "search", OPT_INT, AT(search), "5", 1, 30, "cw: binary-search steps on the constant", NULL },
	{ "lr", OPT_FLOAT, AT(lr), "0.005", 1e-6, 10, "cw: learning rate", NULL },
	{ "alpha", OPT_FLOAT, AT(alpha), "0.01", 1e-9, 1e9, "cw: first constant", NULL },
	{ "kappa", OPT_FLOAT, AT(kappa), "5", 0, 1000, "cw: confidence, the margin of the wrong class over the others (logits)", NULL },
	SURROGATE(struct forge_conf, surrogate),
	{ "round8", OPT_BOOL, AT(round8), "0", 0, 0, "submit 8-bit images instead of floats", NULL },
	{ 0 }
};
#undef AT

static unsigned forge_needs(const void *conf)
{
	const struct forge_conf *c = conf;

	if (c->method == METHOD_NOISE)
		return 0;
	return CAP_UNLABELLED | (c->method == METHOD_CLEAN ? 0 : surrogate_needs(&c->surrogate));
}

static const char *forge_inapplicable(const void *conf, int has_users, int has_ownership)
{
	const struct forge_conf *c = conf;

	(void)has_ownership;
	if (!has_users)
		return "the scheme has no credentials to forge";
	return c && c->method >= METHOD_FGSM ? surrogate_unavailable(&c->surrogate, has_users) : NULL;
}

/* ---- the methods: x (n, c*h*w) in place ---- */

static void fill_noise(const struct access *a, float *x, int n)
{
	const struct rng_key key = rng_key(a->seed, "forge noise");
	const int len = a->c * a->h * a->w;
	struct rng r;

	for (int i = 0; i < n; i++) {
		rng_at(&r, key, (uint32_t)i, 0);
		for (int k = 0; k < len; k++)
			x[(size_t)i * len + k] = (float)rng_uniform(&r);
	}
}

/* The model's own answers: what an attacker without labels moves away from. */
static int own_answers(struct model *m, const struct images *v, int *y)
{
	const int k = model_outputs(m); /* a lock may have added one */
	float *logits = xmalloc((size_t)v->n * k, sizeof(*logits));
	const int ret = model_predict(m, v, logits);

	if (!ret)
		argmax_rows(logits, v->n, k, y);
	free(logits);
	return ret;
}

/* y becomes a class other than y. */
static void wrong_targets(const struct access *a, int *y, int n)
{
	const struct rng_key key = rng_key(a->seed, "forge target");
	struct rng r;

	for (int i = 0; i < n; i++) {
		rng_at(&r, key, (uint32_t)i, 0);
		y[i] = (y[i] + 1 + (int)rng_below(&r, (uint32_t)a->classes - 1)) % a->classes;
	}
}

/* Images that never reach their target stay clean and are submitted all the same, as in cleverhans. */
static int forge_cw(struct access *a, const struct forge_conf *c, struct model *m, float *x, int *y, int n, double *fe,
		    json_t *notes)
{
	const struct cw_conf w = {
		.steps = c->steps, .search = c->search, .lr = c->lr, .lr_decay = 1, .alpha = c->alpha, .alpha_min = 0,
		.alpha_max = 0, .kappa = c->kappa, .confidence = CW_NONE, .round8 = c->round8
	};
	unsigned char *ok = xcalloc(n, 1);
	float *out = xmalloc((size_t)n * a->c * a->h * a->w, sizeof(*out));
	int ret, reached = 0;

	wrong_targets(a, y, n);
	ret = craft_cw(m, x, y, NULL, n, &w, out, ok, NULL, a->label, fe);
	for (size_t i = 0; !ret && i < (size_t)n * a->c * a->h * a->w; i++)
		x[i] = out[i];
	for (int i = 0; i < n; i++)
		reached += ok[i];
	jset_int(notes, "reached_target", reached);
	free(out);
	free(ok);
	return ret;
}

static int craft(struct access *a, const struct forge_conf *c, struct model *m, float *x, int *y, int n, double *fe,
		 json_t *notes)
{
	const struct pgd_conf pgd = { .eps = c->eps, .step = c->pgd_step, .steps = c->pgd_steps, .random_start = 1 };

	if (c->method == METHOD_CW)
		return forge_cw(a, c, m, x, y, n, fe, notes);
	*fe += 2.0 * n * (c->method == METHOD_PGD ? c->pgd_steps : 1);
	if (c->method == METHOD_PGD)
		return craft_pgd(m, x, y, n, &pgd, rng_derive(a->seed, "forge pgd"));
	return craft_fgsm(m, x, y, n, 0, c->eps);
}

static int forge_adversarial(struct access *a, const struct forge_conf *c, float *x, int n, json_t *notes)
{
	const struct images v = images_first(a->unlabelled, n);
	struct model *m;
	double fe = n;
	int *y, ret;

	m = surrogate_open(a, &c->surrogate, "forge surrogate", notes);
	if (!m)
		return -1;
	y = xmalloc(n, sizeof(*y));
	ret = own_answers(m, &v, y);
	if (!ret)
		ret = craft(a, c, m, x, y, n, &fe, notes);
	free(y);
	model_free(m);
	return ret ? ret : access_spend(a, 0, fe);
}

/* ---- hooks ---- */

static int forge_run(struct access *a, const void *conf, struct product *p)
{
	const struct forge_conf *c = conf;
	const size_t len = (size_t)a->c * a->h * a->w;
	float *x;

	p->goal = GOAL_IMPERSONATE;
	p->notes = json_object();
	p->ncreds = c->tries;
	if (c->method != METHOD_NOISE && a->unlabelled.n < p->ncreds)
		p->ncreds = a->unlabelled.n;
	if (!p->ncreds)
		return error(EXIT_UNEVALUABLE, "forge: no images were granted");
	p->creds = bundle_new();
	x = bundle_put(p->creds, "image", DT_F32, 4, (int64_t[]){ p->ncreds, a->c, a->h, a->w }, NULL);
	if (c->method == METHOD_NOISE)
		fill_noise(a, x, p->ncreds);
	for (int i = 0; c->method != METHOD_NOISE && i < p->ncreds; i++)
		images_get(&a->unlabelled, i, x + len * i);
	if (c->method >= METHOD_FGSM && forge_adversarial(a, c, x, p->ncreds, p->notes) < 0)
		return -1;
	for (size_t i = 0; c->round8 && i < len * p->ncreds; i++)
		x[i] = roundf(x[i] * 255.0f) / 255.0f;
	jset_int(p->notes, "forged", p->ncreds);
	return 0;
}

/* A step of C&W or PGD on an input costs more than its two passes: it also moves the image. */
static double forge_cost(const void *conf, const struct expected *e)
{
	const struct forge_conf *c = conf;
	const double n = c->tries < e->pool || c->method == METHOD_NOISE ? c->tries : e->pool;
	const double steps = c->method == METHOD_CW ? (double)c->steps * c->search : c->method == METHOD_PGD ? c->pgd_steps : 1;
	const double own = c->surrogate.gradients == GRADIENTS_DEPLOYED ? 0 : 3.0 * c->surrogate.images * c->surrogate.epochs;

	return c->method < METHOD_FGSM ? n : 3.5 * n * steps + own;
}

const struct attack attack_forge = {
	.drv = {
		.name = "forge",
		.summary = "submit clean, random or adversarial images as credentials, without knowing the rule",
		.source = "ActiveGuard, section IV-E, table IV; FGSM, PGD and C&W with the settings of cleverhans 2.1. "
			  "Differs: images of the attack pool, not of the test set; C&W aims at a random wrong class, "
			  "with kappa 5 instead of 0; transfer from a network that learned once, not in rounds",
		.version = 1,
		.conf_size = sizeof(struct forge_conf),
		.opts = forge_opts,
	},
	.goal = GOAL_IMPERSONATE,
	.needs = 0,
	.strength = "tries",
	.strength_up = 1,
	.tier = { "tries=1000 steps=60 search=2 alpha=1 lr=0.05", "steps=100 search=2 alpha=1 lr=0.05", NULL },
	.needs_for = forge_needs,
	.cost = forge_cost,
	.inapplicable = forge_inapplicable,
	.run = forge_run,
	.search = "eps=0.05,0.1,0.2,0.3 kappa=0,5,20 lr=0.005,0.02,0.05",
};
