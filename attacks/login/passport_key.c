/* Forged passports for a network whose scales and shifts are computed from them. No weight changes.
 *
 *   redraw  drawn anew as the owner draws them, from noise or from the attacker's own images run through what ships
 *   learn   passports of noise are trained on labelled images until the network is right, weights at rest
 *   differ  a leaked passport, disturbed, is trained to keep the accuracy, to move away from the leaked one, and to give another
 *           signature: a second owner with as good a claim
 *
 * Source: Fan et al., DeepIPR, NeurIPS 2019, and its code (fake passports, passport attacks 1 and 3); how they are trained: passport_key_learn.h.
 * Differs: attacks on the access control V1, judged by whether the network works. */
#include <stddef.h>
#include <string.h>

#include "attacks/login/passport_key_learn.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

enum method { METHOD_REDRAW, METHOD_LEARN, METHOD_DIFFER };

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

static int redraw(struct access *a, const struct pk_conf *c, const struct passport_layer *layers, int n, struct product *p)
{
	const struct images v = images_first(a->unlabelled, c->images);
	struct model *source = model_copy(a->model);
	int ret = 0;

	for (int i = 0; i < c->draws && !ret; i++) {
		struct bundle *one = bundle_new();
		char purpose[32];

		snprintf(purpose, sizeof(purpose), "redraw %d", i);
		ret = passport_draw((enum passport_kind)c->kind, layers, n, source, &v, rng_derive(a->seed, purpose), one);
		for (int k = 0; k < one->nt && !ret; k++) {
			const struct tensor *t = &one->t[k], *have = bundle_get(p->creds, t->name, DT_F32);
			float *all = have ? have->data : bundle_put(p->creds, t->name, DT_F32, 4,
								    (const int64_t[]){ c->draws, t->d[1], t->d[2], t->d[3] }, NULL);

			memcpy(all + (size_t)i * t->len, t->data, t->len * sizeof(*all));
		}
		bundle_free(one);
	}
	model_free(source);
	return ret ? ret : access_spend(a, 0, 2.0 * c->draws * (c->kind == PASSPORT_RANDOM ? 0 : c->kind == PASSPORT_IMAGE ? 1 : 20));
}

static int learn(struct access *a, const struct pk_conf *c, const struct passport_layer *layers, int n, struct product *p)
{
	const struct passport_learn how = {
		.images = c->images, .epochs = c->epochs, .steps = c->steps, .batch = c->batch, .lr = c->lr, .differ = c->method == METHOD_DIFFER,
		.flip = c->flip
	};

	return passport_learn(a, layers, n, &how, p->creds, p->notes);
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
	const struct pk_conf *c = conf;
	const char *list = a->pub ? bundle_meta_get(a->pub, "layers") : NULL;
	struct passport_layer layers[PASSPORT_LAYERS_MAX];
	struct model *copy;
	int n;

	p->goal = GOAL_IMPERSONATE;
	p->notes = json_object();
	p->creds = bundle_new();
	if (!list) {
		p->inapplicable = "what ships names no layers with passports";
		return 0;
	}
	if (!a->model || !(a->labelled.n + a->unlabelled.n))
		return error(EXIT_UNEVALUABLE, "passport-key: the deployed model or images were not granted");
	if (!c->epochs && c->method != METHOD_REDRAW)
		return 0;
	copy = model_copy(a->model);
	n = passport_choose(copy, list, layers);
	model_free(copy);
	p->ncreds = c->method == METHOD_REDRAW ? c->draws : 1;
	if (n < 0)
		return -1;
	return c->method == METHOD_REDRAW ? redraw(a, c, layers, n, p) : learn(a, c, layers, n, p);
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
