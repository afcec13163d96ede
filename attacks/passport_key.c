/* Forged passports for a network whose scales and shifts are computed from them. No weight changes.
 *
 *   redraw  drawn anew as the owner draws them, from noise or from the attacker's own images run through what ships
 *   learn   passports of noise are trained on labelled images until the network is right, weights at rest
 *   differ  a leaked passport, disturbed, is trained to keep the accuracy, to move away from the leaked one, and to give another
 *           signature: a second owner with as good a claim
 *
 * Source: Fan et al., DeepIPR, NeurIPS 2019, and its code (fake passports, passport attacks 1 and 3: cross entropy + sign loss with margin
 * 0.1 + 1 / mean squared distance). Differs: attacks on the access control V1, judged by whether the network works; Adam, which the small
 * slopes of passports need (theirs: SGD at 0.01); norms at rest, because running statistics do not travel with a passport. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/attack.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "nn/train.h"
#include "schemes/passport_layers.h"

enum method { METHOD_REDRAW, METHOD_LEARN, METHOD_DIFFER };
#define DISTURBANCE 0.001
#define MARGIN 0.1
#define SIGN_WEIGHT 0.1

struct pk_conf { int method, kind, draws, images, epochs, steps, batch; double lr, flip; };
#define AT(member) offsetof(struct pk_conf, member)
static const struct opt pk_opts[] = {
	{ "method", OPT_CHOICE, AT(method), "learn", 0, 0, "where passports come from", "redraw|learn|differ" },
	{ "kind", OPT_CHOICE, AT(kind), "shuffle", 0, 0, "redraw: noise, one image, channels of 20 images mixed", "random|image|shuffle" },
	{ "draws", OPT_INT, AT(draws), "20", 1, 10000, "redraw: passports drawn", NULL },
	{ "images", OPT_INT, AT(images), "1000", 1, 1000000, "labelled images (redraw: unlabelled)", NULL },
	{ "epochs", OPT_INT, AT(epochs), "30", 0, 10000, "learn, differ: passes over them; 0: nothing is forged", NULL },
	{ "steps", OPT_INT, AT(steps), "300", 0, 10000000, "at least so many steps, by more passes where images are few", NULL },
	{ "batch", OPT_INT, AT(batch), "64", 1, 65536, "images a step", NULL },
	{ "lr", OPT_FLOAT, AT(lr), "0.02", 0, 10, "Adam's rate", NULL },
	{ "flip", OPT_FLOAT, AT(flip), "0.5", 0, 1, "differ: share of the leaked signature's signs that shall be other ones", NULL },
	{ 0 }
};
#undef AT

/* A passport while it is trained: gamma's (k 0) and beta's of every layer, and where the tape has them now. */
struct forger {
	struct access *a;
	const struct pk_conf *c;
	struct passport_layer p[PASSPORT_LAYERS_MAX];
	int n, t;
	real *s[PASSPORT_LAYERS_MAX][2]; /* each with its gradient and Adam's two moments behind it */
	real *leaked[PASSPORT_LAYERS_MAX];
	real *sign[PASSPORT_LAYERS_MAX]; /* (out) wanted, +1 or -1; NULL: whatever comes */
	struct node *leaf[PASSPORT_LAYERS_MAX][2];
};

static const char *const whats[] = { "gamma", "beta" };

static size_t size_of(const struct passport_layer *p)
{
	return (size_t)p->c * (size_t)p->h * (size_t)p->w;
}

/* ---- the network under a passport ---- */

/* gamma or beta of a layer: the mean over positions of what its own weights make of the passport. */
static struct node *scale_from(struct forger *f, struct model *m, struct tape *t, int i, int k)
{
	const struct passport_layer *p = &f->p[i];
	struct node *s = f->leaf[i][k] = tape_input(t, 1, p->c, p->h, p->w, true), *w;
	char name[PARAM_NAME_MAX + 16];

	snprintf(name, sizeof(name), "%s.weight", p->layer);
	w = tape_param(t, model_find(m, name));
	node_load(s, f->s[i][k]);
	return op_batch_mean(p->kernel ? op_conv2d(s, w, NULL, p->stride, p->pad) : op_linear(s, w, NULL));
}

static struct node *forger_param(void *ctx, struct model *m, struct tape *t, const char *name)
{
	struct forger *f = ctx;

	for (int i = 0; i < f->n; i++) {
		const size_t len = strlen(f->p[i].norm);

		if (!strncmp(name, f->p[i].norm, len) && (!strcmp(name + len, ".weight") || !strcmp(name + len, ".bias")))
			return scale_from(f, m, t, i, name[len + 1] == 'b');
	}
	return NULL;
}

/* Add to g the slope of the signature's hinge by gamma's passport of layer i, on a tape of its own. */
static void sign_slope(struct forger *f, struct model *m, int i, real *g)
{
	const struct passport_layer *p = &f->p[i];
	struct tape *t = tape_new();
	struct node *in_use = f->leaf[i][0], *gamma = scale_from(f, m, t, i, 0), *want = tape_plain(t, p->out, 1, 1, 1, false);
	real *more = xmalloc(size_of(p), sizeof(*more));

	memcpy(want->x, f->sign[i], (size_t)p->out * sizeof(*want->x));
	tape_backward(t, op_scale(op_sum(op_relu(op_scale(op_mul(want, gamma), -1, (real)MARGIN))), (real)SIGN_WEIGHT, 0));
	node_store_grad(f->leaf[i][0], more);
	for (size_t j = 0; j < size_of(p); j++)
		g[j] += more[j];
	f->leaf[i][0] = in_use;
	free(more);
	tape_free(t);
}

/* What of the leaf's gradient and of the terms beside the cross entropy says about one passport. */
static void slope(struct forger *f, struct model *m, int i, int k, real *g)
{
	const struct passport_layer *p = &f->p[i];
	const size_t len = size_of(p);
	double apart = 0;

	node_store_grad(f->leaf[i][k], g);
	for (size_t j = 0; j < len && f->leaked[i] && !k; j++)
		apart += ((double)f->s[i][0][j] - (double)f->leaked[i][j]) * ((double)f->s[i][0][j] - (double)f->leaked[i][j]) / (double)len;
	for (size_t j = 0; j < len && apart > 0; j++)
		g[j] -= (real)(2 * ((double)f->s[i][0][j] - (double)f->leaked[i][j]) / (double)len / (apart * apart));
	if (!k && f->sign[i])
		sign_slope(f, m, i, g);
}

static double forger_step(void *ctx, struct model *m)
{
	struct forger *f = ctx;

	f->t++;
	for (int i = 0; i < f->n; i++)
		for (int k = 0; k < 2; k++) {
			const size_t len = size_of(&f->p[i]);
			real *s = f->s[i][k], *g = s + len;

			slope(f, m, i, k, g);
			adam_update(s, g, g + len, g + 2 * len, len, f->c->lr, f->t);
		}
	return 0;
}

/* ---- beginning and end ---- */

/* Signs of layer i's gammas under passport s (c,h,w): +1 or -1. */
static void signs_of(const struct model *m, const struct passport_layer *p, const float *s, real *sign)
{
	real *means = xmalloc((size_t)p->taps, sizeof(*means));

	passport_means(p, s, means);
	passport_scale(m, p, means, sign);
	for (int o = 0; o < p->out; o++)
		sign[o] = sign[o] > 0 ? 1 : -1;
	free(means);
}

/* The leaked passport of layer i, and its signature with some signs turned. */
static void lean_away(struct forger *f, const struct model *m, int i, const float *from, struct rng *r)
{
	const struct passport_layer *p = &f->p[i];

	f->leaked[i] = xmalloc(size_of(p), sizeof(real));
	f->sign[i] = xmalloc((size_t)p->out, sizeof(real));
	for (size_t j = 0; j < size_of(p); j++)
		f->leaked[i][j] = (real)from[j];
	signs_of(m, p, from, f->sign[i]);
	for (int o = 0; o < p->out; o++)
		f->sign[i][o] *= rng_uniform(r) < f->c->flip ? -1 : 1;
}

/* Noise, or the leaked passport disturbed. */
static void begin(struct forger *f, const struct model *m)
{
	char name[PARAM_NAME_MAX + 8];

	for (int i = 0; i < f->n; i++) {
		const size_t len = size_of(&f->p[i]);
		struct rng r;

		rng_open(&r, f->a->seed, "passport-key start", (uint32_t)i, 0);
		for (int k = 0; k < 2; k++) {
			const float *from = f->c->method != METHOD_DIFFER ? NULL :
					    bundle_f32(f->a->creds, passport_name(name, whats[k], &f->p[i]), NULL);

			f->s[i][k] = xcalloc(4 * len, sizeof(real));
			for (size_t j = 0; j < len; j++)
				f->s[i][k][j] = (real)(from ? (double)from[j] + DISTURBANCE * rng_normal(&r) : 2 * rng_uniform(&r) - 1);
			if (from && !k)
				lean_away(f, m, i, from, &r);
		}
	}
}

/* The passport as a credential; returns the share of signs that are as wanted. */
static double finish(struct forger *f, const struct model *m, struct bundle *out)
{
	char name[PARAM_NAME_MAX + 8];
	double as_wanted = 0, all = 0;

	for (int i = 0; i < f->n; i++) {
		const struct passport_layer *p = &f->p[i];
		real *sign = xmalloc((size_t)p->out, sizeof(*sign));

		for (int k = 0; k < 2; k++) {
			float *to = bundle_put(out, passport_name(name, whats[k], p), DT_F32, 4, (const int64_t[]){ 1, p->c, p->h, p->w }, NULL);

			for (size_t j = 0; j < size_of(p); j++)
				to[j] = (float)f->s[i][k][j];
		}
		signs_of(m, p, bundle_f32(out, passport_name(name, whats[0], p), NULL), sign);
		for (int o = 0; o < p->out && f->sign[i]; o++, all++)
			as_wanted += sign[o] * f->sign[i][o] > 0;
		free(sign);
	}
	return all > 0 ? as_wanted / all : 1;
}

static int learn(struct forger *f, struct product *p)
{
	const struct images v = images_first(f->a->labelled, f->c->images);
	const int pass = (v.n + f->c->batch - 1) / f->c->batch, passes = (f->c->steps + pass - 1) / pass;
	const struct train_conf recipe = { .epochs = passes > f->c->epochs ? passes : f->c->epochs, .batch = f->c->batch, .optimizer = OPTIM_SGD };
	const struct train_hooks hooks = { .ctx = f, .extra_loss = forger_step, .still = true };
	const struct model_hooks passport = { .ctx = f, .param = forger_param };
	struct train_stats stats = { 0 };
	struct model *m = model_copy(f->a->model);
	int ret;

	for (int i = 0; i < m->np; i++)
		m->p[i].frozen = true;
	begin(f, m);
	m->hooks = &passport;
	ret = train(m, &v, &recipe, rng_derive(f->a->seed, "passport-key"), f->a->label, &hooks, &stats);
	m->hooks = NULL;
	if (!ret) {
		jset_num(p->notes, "signs_as_wanted", finish(f, m, p->creds));
		jset_num(p->notes, "training_accuracy", stats.accuracy);
	}
	for (int i = 0; i < f->n; i++) {
		free(f->s[i][0]);
		free(f->s[i][1]);
		free(f->leaked[i]);
		free(f->sign[i]);
	}
	model_free(m);
	return ret ? -1 : access_spend(f->a, v.n, stats.forward_equivalents);
}

/* ---- drawn anew ---- */

static int redraw(struct forger *f, struct product *p)
{
	const struct images v = images_first(f->a->unlabelled, f->c->images);
	struct model *source = model_copy(f->a->model);
	int ret = 0;

	for (int i = 0; i < f->c->draws && !ret; i++) {
		struct bundle *one = bundle_new();
		char purpose[32];

		snprintf(purpose, sizeof(purpose), "redraw %d", i);
		ret = passport_draw((enum passport_kind)f->c->kind, f->p, f->n, source, &v, rng_derive(f->a->seed, purpose), one);
		for (int k = 0; k < one->nt && !ret; k++) {
			const struct tensor *t = &one->t[k], *have = bundle_get(p->creds, t->name, DT_F32);
			float *all = have ? have->data : bundle_put(p->creds, t->name, DT_F32, 4,
								    (const int64_t[]){ f->c->draws, t->d[1], t->d[2], t->d[3] }, NULL);

			memcpy(all + (size_t)i * t->len, t->data, t->len * sizeof(*all));
		}
		bundle_free(one);
	}
	model_free(source);
	return ret ? ret : access_spend(f->a, 0, 2.0 * f->c->draws * (f->c->kind == PASSPORT_RANDOM ? 0 : f->c->kind == PASSPORT_IMAGE ? 1 : 20));
}

/* ---- hooks ---- */

static unsigned pk_needs(const void *conf)
{
	const int method = ((const struct pk_conf *)conf)->method;

	return CAP_ALGO | CAP_PARAM | CAP_WEIGHTS | (method == METHOD_REDRAW ? CAP_UNLABELLED : CAP_GRADX | CAP_LABELLED) |
	       (method == METHOD_DIFFER ? CAP_CRED : 0);
}

static const char *pk_inapplicable(const void *conf, int has_users, int has_ownership)
{
	(void)conf, (void)has_ownership;
	return has_users ? NULL : "the scheme has no passports to forge";
}

static int pk_run(struct access *a, const void *conf, struct product *p)
{
	struct forger *f = xcalloc(1, sizeof(*f));
	const char *list = a->pub ? bundle_meta_get(a->pub, "layers") : NULL;
	struct model *copy;
	int ret = 0;

	f->a = a;
	f->c = conf;
	p->goal = GOAL_IMPERSONATE;
	p->notes = json_object();
	p->creds = bundle_new();
	if (!list)
		p->inapplicable = "what ships names no layers with passports";
	else if (!a->model || !(a->labelled.n + a->unlabelled.n))
		ret = error(EXIT_UNEVALUABLE, "passport-key: the deployed model or images were not granted");
	if (!ret && list && (f->c->epochs || f->c->method == METHOD_REDRAW)) {
		copy = model_copy(a->model);
		f->n = passport_choose(copy, list, f->p);
		model_free(copy);
		p->ncreds = f->c->method == METHOD_REDRAW ? f->c->draws : 1;
		ret = f->n < 0 ? -1 : f->c->method == METHOD_REDRAW ? redraw(f, p) : learn(f, p);
	}
	free(f);
	return ret;
}

static double pk_cost(const void *conf, const struct expected *e)
{
	const struct pk_conf *c = conf;
	const double all = (double)c->images * c->epochs, least = (double)c->steps * c->batch;

	(void)e;
	return c->method == METHOD_REDRAW ? 40.0 * c->draws : 3 * (all > least ? all : least);
}

const struct attack attack_passport_key = {
	.drv = { .name = "passport-key", .summary = "forge passports: drawn anew, learnt from labels, or far from a leaked one",
		 .source = "Fan et al., DeepIPR, NeurIPS 2019, and its code (fake passports, passport attacks 1 and 3). Differs: judged on the access "
			   "control V1; Adam; norms at rest",
		 .version = 1, .conf_size = sizeof(struct pk_conf), .opts = pk_opts },
	.goal = GOAL_IMPERSONATE, .needs = CAP_ALGO, .strength = "epochs", .strength_up = 1,
	.tier = { "images=300 epochs=5 steps=150 draws=5", NULL, NULL }, .needs_for = pk_needs, .inapplicable = pk_inapplicable, .run = pk_run,
	.cost = pk_cost, .finds = "layers with passports", .search = "lr=0.005,0.02,0.05 batch=32,64",
};
