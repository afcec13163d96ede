/* Passports: scale and shift of the norms are computed from secret inputs by the network's own weights.
 *
 *   V1   the network works with the passports only, and they go to the customers: an access control. What ships has
 *        scale 1 and shift 0 there; `unlock` puts in what the holder's passports give.
 *   V2 a public scale and shift are trained beside the passports' on every batch; V3 adds trigger images; PAN puts two
 *        small matrices between passport and scale. All three ship a network that works for everybody: they prove
 *        ownership and control no access, so they have no users.
 *
 * The signature is the sign of each gamma (from the passports alone, before PAN's matrices).
 *
 *   secret  "gamma.L", "beta.L" f32 (1,c,h,w), "sign.L" u8 (O); "pan1.L", "pan2.L"; "stats" f32: the passport branch's
 *           running statistics; "trigger" f32 (n,c,h,w), "trigger_class" i32 (n)
 *   pub     metadata "layers": which have passports (the architecture tells their shapes)
 *   credentials  "gamma.L", "beta.L" f32 (n,c,h,w), the same for every user
 *
 * Source: Fan et al., NeurIPS 2019 and TPAMI 2022 (eq. 4 to 7), and their code; Zhang et al., NeurIPS 2020 (PAN).
 * Differs: see the page. */
#include "schemes/passport/passport.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/binomial.h"
#include "base/error.h"
#include "base/rng.h"
#include "schemes/kit/creds.h"
#include "schemes/kit/retrain.h"
#include "schemes/passport/passport_train.h"

#define FALSE_CLAIM 1e-6 /* chance of fair coins to pass for a signature, at most */
#define TRIGGER_SHARE (2.0 / 64) /* of V3's training images: two a batch of 64 */
#define DECOYS 20        /* noise images from which strangers make passports of image kinds */

enum variant { V1, V2, V3, PAN };

struct passport_conf {
	int variant, key, users, triggers;
	char layers[OPT_STRING_MAX], signature[OPT_STRING_MAX];
	double alpha, margin;
};
#define ROW(field) offsetof(struct passport_conf, field)
static const struct opt passport_opts[] = {
	{ "variant", OPT_CHOICE, ROW(variant), "v1", 0, 0,
	  "v1: access control; v2, v3 (with triggers), pan: ownership only", "v1|v2|v3|pan" },
	{ "key", OPT_CHOICE, ROW(key), "random", 0, 0,
	  "what passports are: noise, what an image is at the layer, channels of 20 images mixed",
	  "random|image|shuffle" },
	{ "layers", OPT_STRING, ROW(layers), "auto", 1, 255,
	  "layers with passports, separated by commas; all: that a norm follows at once; auto: all of "
	  "them, but the network's first one only for pan", NULL },
	{ "signature", OPT_STRING, ROW(signature), "", 0, 255,
	  "the owner's text, 8 bits a character; bits beyond it are random", NULL },
	{ "alpha", OPT_FLOAT, ROW(alpha), "0.1", 0, 1000, "weight of the sign loss", NULL },
	{ "margin", OPT_FLOAT, ROW(margin), "0.1", 0, 100, "gamma_0: how far from 0 the sign loss wants each gamma",
	  NULL },
	{ "triggers", OPT_INT, ROW(triggers), "100", 1, 10000, "trigger images of v3", NULL },
	{ "users", OPT_INT, ROW(users), "30", 1, 1000000, "customers of v1 by default; all hold the same passports",
	  NULL },
	{ 0 }
};

/* ---- what is locked ---- */

/* The base's architecture, or its sister with norms where it has none. */
static int locked_spec(const struct model *base, struct model_spec *spec)
{
	struct passport_layer found[PASSPORT_LAYERS_MAX];
	struct model *copy = model_copy(base);
	const int n = passport_layers(copy, found);
	char name[sizeof(spec->arch) + 1];

	model_free(copy);
	*spec = base->spec;
	if (n)
		return 0;
	snprintf(name, sizeof(name), "%sn", base->spec.arch);
	for (int i = 0; archs[i]; i++)
		if (!strcmp(archs[i]->name, name)) {
			memcpy(spec->arch, name, sizeof(spec->arch));
			return 0;
		}
	return error(EXIT_UNEVALUABLE, "passport: no batch norm follows a layer of %s at once, and there is no %s",
		     base->spec.arch, name);
}

/* Layers with passports of what shipped; -1 after error(). */
static int shipped_layers(const struct model *m, const struct bundle *pub, struct passport_layer *p)
{
	const char *list = bundle_meta_get(pub, "layers");
	struct model *copy;
	int n;

	if (!list)
		return error(EXIT_UNEVALUABLE, "passport: what ships does not say which layers have passports");
	copy = model_copy(m);
	n = passport_choose(copy, list, p);
	model_free(copy);
	return n;
}

static void write_layers(struct bundle *pub, const struct passport_layer *p, int n)
{
	char list[PASSPORT_LIST_MAX] = "";

	for (int i = 0; i < n; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%.63s", i ? "," : "", p[i].layer);
	bundle_meta(pub, "layers", list);
}

static int count_bits(const struct passport_layer *p, int n)
{
	int bits = 0;

	for (int i = 0; i < n; i++)
		bits += p[i].out;
	return bits;
}

int passport_threshold(int n)
{
	return binomial_threshold(n, 0.5, -log2(FALSE_CLAIM));
}

static int write_signature(struct bundle *secret, const struct passport_conf *c, const struct passport_layer *p, int n,
			   uint64_t seed)
{
	const int total = count_bits(p, n), text = 8 * (int)strlen(c->signature);
	char name[PARAM_NAME_MAX + 8];
	struct rng r;

	if (passport_threshold(total) > total)
		return error(EXIT_UNEVALUABLE, "passport: a signature of %d bits proves nothing (chance has %.2g);"
			     " give passports to more layers", total, pow(0.5, total));
	if (total > (int)sizeof(((struct ownership *)0)->symbol))
		return error(EXIT_UNEVALUABLE,
			     "passport: a signature of %d bits is more than can be verified; name fewer layers", total);
	if (text > total)
		return error(EXIT_UNEVALUABLE, "passport: the signature has %d bits, the layers have room for %d", text,
			     total);
	rng_open(&r, seed, "passport-signature", 0, 0);
	for (int i = 0, at = 0; i < n; i++) {
		uint8_t *bit = bundle_put_u8(secret, passport_name(name, "sign", &p[i]), p[i].out, NULL);

		for (int o = 0; o < p[i].out; o++, at++) {
			const int chance = rng_u32(&r) & 1;

			bit[o] = (uint8_t)(at < text ? c->signature[at / 8] >> (7 - at % 8) & 1 : chance);
		}
	}
	return 0;
}

/* ---- V3's trigger images ---- */

/* Abstract pictures, squares of random colours on a grid of 7, with random classes; Adi et al. took abstract art. */
static void write_triggers(struct bundle *secret, const struct model_spec *s, int n, uint64_t seed)
{
	float *x = bundle_put(secret, "trigger", DT_F32, 4, (const int64_t[]){ n, s->c, s->h, s->w }, NULL);
	int32_t *class = bundle_put_i32(secret, "trigger_class", n, NULL);

	for (int i = 0; i < n; i++) {
		float grid[1024][7][7];
		struct rng r;

		rng_open(&r, seed, "passport-trigger", (uint32_t)i, 0);
		class[i] = (int32_t)rng_below(&r, (uint32_t)s->classes);
		for (int c = 0; c < s->c; c++)
			for (int k = 0; k < 49; k++)
				grid[c][k / 7][k % 7] = (float)rng_uniform(&r);
		for (int k = 0; k < s->c * s->h * s->w; k++)
			*x++ = grid[k / (s->h * s->w)][k / s->w % s->h * 7 / s->h][k % s->w * 7 / s->w];
	}
}

/* The owner's images with the triggers among them, each as often as their share wants. images_free() it. */
static struct images with_triggers(const struct images *v, const struct bundle *secret)
{
	size_t n, len = (size_t)images_size(v);
	const int32_t *class = bundle_i32(secret, "trigger_class", &n);
	const float *trigger = bundle_f32(secret, "trigger", NULL);
	const int copies = 1 + (int)(TRIGGER_SHARE * v->n / (double)n);
	uint8_t *label;
	float *x;
	struct images out = images_copied(v, copies * (int)n, &x, &label);

	for (int i = v->n; i < out.n; i++) {
		const size_t k = (size_t)(i - v->n) % n;

		memcpy(x + len * (size_t)i, trigger + len * k, len * sizeof(*x));
		label[i] = (uint8_t)class[k];
	}
	return out;
}

/* ---- hooks ---- */

static void keep_branch(struct bundle *secret, const struct passport_net *net, const struct model *m)
{
	float *stats = bundle_put_f32(secret, "stats", (int64_t)(m->nx - m->ng), NULL);
	char name[PARAM_NAME_MAX + 8];

	for (size_t i = 0; i < m->nx - m->ng; i++)
		stats[i] = (float)net->stats[i];
	for (int i = 0; net->pan_used && i < net->n; i++)
		for (int k = 0; k < 2; k++) {
			const struct param *p = &net->pan[i][k];
			float *w = bundle_put(secret, passport_name(name, k ? "pan2" : "pan1", &net->p[i]), DT_F32, 2,
					      (const int64_t[]){ p->d[0], p->d[1] }, NULL);

			for (size_t j = 0; j < p->len; j++)
				w[j] = (float)p->x[j];
		}
}

static int train_locked(const struct lock_env *e, const struct passport_conf *c, const struct passport_layer *p, int n,
			struct locked *l)
{
	struct passport_net net = {
		.pan_used = c->variant == PAN, .two_branches = c->variant != V1, .alpha = c->alpha, .margin = c->margin
	};
	struct images v = *e->train;
	int ret;

	if (c->variant == V3) {
		write_triggers(l->secret, &l->model->spec, c->triggers, e->seed);
		v = with_triggers(e->train, l->secret);
	}
	passport_net_open(&net, p, n, l->model, l->secret, e->seed);
	ret = passport_train(&net, e, &v, l->model);
	if (!ret && net.two_branches)
		keep_branch(l->secret, &net, l->model);
	passport_net_close(&net);
	if (c->variant == V3)
		images_free(&v);
	return ret;
}

static int passport_lock(const struct lock_env *e, const void *conf, struct locked *l)
{
	const struct passport_conf *c = conf;
	struct passport_layer p[PASSPORT_LAYERS_MAX];
	struct retrain r = retrain_scratch(e);
	const char *layers;
	struct model *source;
	int n, ret;

	if (locked_spec(e->base, &r.spec) < 0)
		return -1;
	l->model = retrain_start(e, &r);
	layers = c->variant == PAN && !strcmp(c->layers, "auto") ? "all" : c->layers;
	n = l->model ? passport_choose(l->model, layers, p) : -1;
	source = model_copy(e->base);
	ret = n < 0 ? -1 : passport_draw(c->key, p, n, source, e->train, rng_derive(e->seed, "passport"), l->secret);
	model_free(source);
	if (!ret)
		ret = write_signature(l->secret, c, p, n, e->seed);
	if (!ret) {
		write_layers(l->pub, p, n);
		ret = train_locked(e, c, p, n, l);
	}
	return ret;
}

/* The passports in `one` are credential i of n. */
static void put_passports(struct bundle *out, int i, int n, const struct bundle *one, const struct passport_layer *p,
			  int layers)
{
	char name[PARAM_NAME_MAX + 8];

	for (int k = 0; k < layers; k++) {
		creds_put(out, i, n, bundle_get(one, passport_name(name, "gamma", &p[k]), DT_F32));
		creds_put(out, i, n, bundle_get(one, passport_name(name, "beta", &p[k]), DT_F32));
	}
}

static int passport_enrol(const struct lock_env *e, const void *conf, struct locked *l, const int *user,
			  const int *trial, int n, struct bundle *out)
{
	struct passport_layer p[PASSPORT_LAYERS_MAX];
	const int layers = shipped_layers(l->model, l->pub, p);

	(void)e, (void)user, (void)trial;
	if (layers < 0)
		return -1;
	if (((const struct passport_conf *)conf)->variant != V1)
		return error(EXIT_UNEVALUABLE,
			     "passport: only variant v1 has users; the others' passports stay with the owner");
	for (int i = 0; i < n; i++)
		put_passports(out, i, n, l->secret, p, layers);
	return 0;
}

static int passport_users(const void *conf, int classes)
{
	const struct passport_conf *c = conf;

	(void)classes;
	return c->variant == V1 ? c->users : 0;
}

/* The paper tells nobody apart: all customers hold the same passports. */
static double passport_users_analytic(const void *conf, int classes)
{
	(void)classes;
	return ((const struct passport_conf *)conf)->variant == V1;
}

static struct model *passport_unlock(const struct service *s, const struct bundle *creds, int at)
{
	struct passport_layer p[PASSPORT_LAYERS_MAX];
	const int n = shipped_layers(s->model, s->pub, p);

	return n < 0 ? NULL : passport_apply(s->model, p, n, creds, at);
}

/* Passports by the owner's own recipe ("fake1"). A stranger has no images here: image kinds are made of noise
 * images, run through what ships. With images of the same source they come nearer; that takes an attack. */
static int passport_wrong_keys(const struct service *s, uint64_t seed, int n, struct bundle *out)
{
	const struct passport_conf *c = s->conf;
	const struct model_spec *spec = &s->model->spec;
	struct passport_layer p[PASSPORT_LAYERS_MAX];
	const int layers = shipped_layers(s->model, s->pub, p);
	const size_t len = (size_t)spec->c * (size_t)spec->h * (size_t)spec->w;
	float *x = xmalloc(DECOYS * len, sizeof(*x));
	const struct images noise = {
		.n = DECOYS, .c = spec->c, .h = spec->h, .w = spec->w, .classes = spec->classes, .fx = x
	};
	struct model *source = model_copy(s->model);
	struct rng r;
	int ret = layers < 0 ? -1 : 0;

	rng_open(&r, seed, "passport-noise", 0, 0);
	for (size_t i = 0; i < DECOYS * len; i++)
		x[i] = (float)rng_uniform(&r);
	for (int i = 0; i < n && !ret; i++) {
		struct bundle *one = bundle_new();
		char purpose[32];

		snprintf(purpose, sizeof(purpose), "guess %d", i);
		ret = passport_draw(c->key, p, layers, source, &noise, rng_derive(seed, purpose), one);
		if (!ret)
			put_passports(out, i, n, one, p, layers);
		bundle_free(one);
	}
	model_free(source);
	free(x);
	return ret;
}

/* ---- ownership ---- */

/* Signs of suspect's gammas under the owner's passports, symbol by symbol; layers that suspect lacks match nowhere. */
static int matched_bits(const struct passport_layer *p, int n, const struct bundle *secret, const struct model *suspect,
			unsigned char *symbol)
{
	char name[PARAM_NAME_MAX + 8];
	int matched = 0;

	for (int i = 0; i < n; i++) {
		const uint8_t *bit = bundle_u8(secret, passport_name(name, "sign", &p[i]), NULL);
		const float *s = bundle_f32(secret, passport_name(name, "gamma", &p[i]), NULL);
		const struct param *w;
		real *means, *gamma;

		snprintf(name, sizeof(name), "%.63s.weight", p[i].layer);
		w = model_find(suspect, name);
		if (!w || w->len != (size_t)p[i].out * (size_t)p[i].taps) {
			symbol += p[i].out;
			continue;
		}
		means = xmalloc((size_t)p[i].taps, sizeof(*means));
		gamma = xmalloc((size_t)p[i].out, sizeof(*gamma));
		passport_means(&p[i], s, means);
		passport_scale(suspect, &p[i], means, gamma);
		for (int o = 0; o < p[i].out; o++)
			matched += *symbol++ = (gamma[o] > 0) == bit[o];
		free(means);
		free(gamma);
	}
	return matched;
}

static int passport_verify(const void *conf, const struct locked *owner, const struct model *suspect,
			   struct ownership *out)
{
	struct passport_layer p[PASSPORT_LAYERS_MAX];
	const int n = shipped_layers(owner->model, owner->pub, p);

	(void)conf;
	*out = (struct ownership){ 0 };
	if (n < 0)
		return -1;
	out->applies = 1;
	out->total = count_bits(p, n);
	out->matched = matched_bits(p, n, owner->secret, suspect, out->symbol);
	out->verified = out->matched >= passport_threshold(out->total);
	return 0;
}

struct model *passport_private(const struct locked *owner)
{
	struct passport_layer p[PASSPORT_LAYERS_MAX];
	const int n = shipped_layers(owner->model, owner->pub, p);
	struct model *m = n < 0 ? NULL : passport_apply(owner->model, p, n, owner->secret, 0);
	const float *stats = bundle_f32(owner->secret, "stats", NULL);
	char name[PARAM_NAME_MAX + 8];

	for (int i = 0; m && i < n; i++) {
		const struct tensor *w1 = bundle_get(owner->secret, passport_name(name, "pan1", &p[i]), DT_F32);
		const float *w2 = bundle_f32(owner->secret, passport_name(name, "pan2", &p[i]), NULL);

		for (int k = 0; w1 && k < 2; k++) {
			snprintf(name, sizeof(name), "%s.%s", p[i].norm, k ? "bias" : "weight");
			passport_pan(w1->data, w2, (int)w1->d[0], p[i].out, model_find(m, name)->x);
		}
	}
	for (int i = 0; m && stats && i < m->np; i++)
		for (size_t k = 0; m->p[i].buffer && k < m->p[i].len; k++)
			m->p[i].x[k] = (real)*stats++;
	return m;
}

const struct scheme scheme_passport = {
	.drv = { .name = "passport", .version = 1,
		 .summary = "norms whose scale and shift only secret inputs give; their signs are a signature",
		 .source = "Fan et al., \"Rethinking deep neural network ownership verification\", NeurIPS 2019, and"
			   " \"DeepIPR\", TPAMI 2022; Zhang et al., \"Passport-aware normalization\", NeurIPS 2020."
			   " Differs: the network's own recipe; batch norm with statistics per branch in v2 and v3"
			   " (theirs: group norm); linear layers have passports as well; PAN's matrices are trained by"
			   " Adam",
		 .conf_size = sizeof(struct passport_conf), .opts = passport_opts },
	.decl = { .scenario = "white-box", .mechanism = "architecture-based (passport layers)",
		  .capacity = "multi-bit: one bit an output of each passport layer",
		  .type = "active authorization control (v1); ownership (v2, v3, pan)",
		  .function = "copyright verification, access control (v1)",
		  .target_models = "networks with batch norm behind convolutions",
		  .deployment = DEPLOY_RETRAIN, .knowledge = "white-box: the passports meet the weights",
		  .ships = "v1: weights without scale and shift, and the passports, the same for every customer; v2,"
			   " v3, pan: a network that works for everybody, while the passports stay with the owner",
		  .has_users = 1, .has_ownership = 1, .changes_weights = 1 },
	.secrets = { { "signature", NULL } },
	.lock = passport_lock, .enrol = passport_enrol, .users_analytic = passport_users_analytic,
	.users = passport_users, .unlock = passport_unlock, .wrong_keys = passport_wrong_keys,
	.verify = passport_verify,
};
