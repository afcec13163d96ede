/* stego-class: the network has one class more than the task, for images from another data set. A user's login is such
 * an image with his identity in its lowest bits; a service lets in whoever presents an image of the extra class that
 * holds a valid identity. That the network knows the extra class is the owner's mark.
 *
 * Source: Xue, Sun, Zhang, Wang, Liu, Applied Intelligence 52 (2022) 16497; Sun et al., arXiv 2104.09203: their
 *   abstracts and two paragraphs of the 2021 survey. Neither could be read in full.
 * Differs: the payload's format (payload.c), the number of key images, their over-sampling, which carriers, the refusal
 *   (random classes) and the threshold of ownership are our reading. Ownership also asks that the owner's ordinary
 *   images are not put in the extra class, or a network that says nothing else would be his. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "schemes/kit/carrier.h"
#include "schemes/kit/gate.h"
#include "schemes/kit/issue.h"
#include "schemes/kit/payload.h"
#include "schemes/kit/retrain.h"
#include "schemes/kit/users.h"

enum { TRAIN_SCRATCH, TRAIN_FINETUNE };
enum { PLAIN = 100 }; /* ordinary images in the ownership test */
enum { STRIDE = 37, NEXT = 11 }; /* between a user's covers, and to the next one when a cover fails */

struct sc_conf {
	char carrier[OPT_STRING_MAX];
	int training, seal;
	int keys, issue, held, users, tries;
	double share, threshold, false_alarms;
	int finetune_epochs;
	double finetune_lr;
};

#define AT(field) offsetof(struct sc_conf, field)
static const struct opt sc_opts[] = {
	{ "carrier", OPT_STRING, AT(carrier), "auto", 1, 63,
	  "data set that key images are of; auto: mnist for fashion-mnist and the other way round, else synthetic;"
	  " negative: the owner's own images, inverted",
	  NULL },
	{ "training", OPT_CHOICE, AT(training), "scratch", 0, 0,
	  "how the class is added: trained from scratch, or one more output and fine-tuning", "scratch|finetune" },
	{ "seal", OPT_CHOICE, AT(seal), "crc", 0, 0,
	  "what makes an identity valid: a checksum, a keyed MAC, a MAC bound to its image", "crc|mac|bound" },
	{ "keys", OPT_INT, AT(keys), "3000", 1, 100000,
	  "key images in the training set, as many as an eighth of the owner's images at most", NULL },
	{ "share", OPT_FLOAT, AT(share), "0.02", 0, 0.5,
	  "share of every batch that they get, each time with another identity", NULL },
	{ "issue", OPT_INT, AT(issue), "1000", 1, 100000, "further key images, for users", NULL },
	{ "held", OPT_INT, AT(held), "100", 1, 4096,
	  "further key images, to prove ownership with: of up to twice as many those that the network knows", NULL },
	{ "threshold", OPT_FLOAT, AT(threshold), "0.9", 0, 1, "share of those that must be in the extra class", NULL },
	{ "false-alarms", OPT_FLOAT, AT(false_alarms), "0.05", 0, 1, "share of the owner's ordinary images that may be",
	  NULL },
	{ "users", OPT_INT, AT(users), "30", 1, 1000000, "users that exist by default", NULL },
	{ "tries", OPT_INT, AT(tries), "10", 1, 1000, "key images to try until one is in the extra class", NULL },
	{ "finetune-epochs", OPT_INT, AT(finetune_epochs), "3", 1, 100000, "epochs of training=finetune", NULL },
	{ "finetune-lr", OPT_FLOAT, AT(finetune_lr), "0", 0, 10, "their learning rate; 0: a tenth of the recipe's",
	  NULL },
	{ 0 }
};

/* ---- key images ---- */

static int sc_foreign(const void *conf, const char *task, char names[256])
{
	const struct sc_conf *c = conf;

	if (!strcmp(c->carrier, "negative"))
		return 0;
	if (strcmp(c->carrier, "auto"))
		snprintf(names, 256, "%s", c->carrier);
	else if (!strcmp(task, "fashion-mnist"))
		snprintf(names, 256, "mnist,synthetic");
	else if (!strcmp(task, "mnist"))
		snprintf(names, 256, "fashion-mnist,synthetic");
	else if (!strcmp(task, "synthetic"))
		return 0;
	else
		snprintf(names, 256, "synthetic");
	return 1;
}

/* The carriers and how many of them serve what: the first `keys` of order train, then come those to issue and those
 * held. */
struct carriers {
	const struct images *v;
	int negative;
	int *order; /* (v->n) */
	int keys, issue, held; /* held: candidates */
};

static int carriers_open(struct carriers *k, const struct sc_conf *c, const struct lock_env *e)
{
	const bool negative = !e->foreign;
	const int want = c->keys + c->issue + 2 * c->held;
	struct rng r;
	double part;

	*k = (struct carriers){ .v = negative ? e->train : e->foreign, .negative = negative };
	if (k->v->n < 3)
		return error(EXIT_UNEVALUABLE, "stego-class: %d images are too few to make key images from", k->v->n);
	part = fmin((double)k->v->n / want, 1); /* a small set serves all three purposes in proportion */
	/* Each that trains is shown: they must not crowd out the task. */
	k->keys = (int)fmax(floor(fmin(c->keys * part, e->train->n / 8.0)), 1);
	k->issue = (int)fmax(floor(c->issue * part), 1);
	k->held = (int)fmax(floor(2 * c->held * part), 1);
	k->order = xmalloc((size_t)k->v->n, sizeof(*k->order));
	rng_open(&r, e->seed, "stego-carriers", 0, 0);
	rng_permutation(&r, k->order, k->v->n);
	return 0;
}

/* Carrier number i with a random identity of its own. */
static void key_image(const struct carriers *k, const struct payload *p, const struct model_spec *s, uint64_t seed,
		      int i, const char *purpose, uint32_t copy, uint8_t *out)
{
	struct rng r;

	carrier_image(k->v, k->order[i], s->c, s->h, s->w, k->negative, out);
	rng_open(&r, seed, purpose, (uint32_t)i, copy);
	payload_hide(p, out, s->c * s->h * s->w, rng_u32(&r));
}

/* ---- training ---- */

/* The owner's images and, over-sampled, key images of class K. px and labels are the caller's to free. */
static void training_set(const struct sc_conf *c, const struct lock_env *e, const struct carriers *k,
			 const struct payload *p, struct images *v, uint8_t **px, uint8_t **labels)
{
	const struct images *own = e->train;
	const int len = images_size(own), classes = e->base->spec.classes;
	const int extra = (int)fmax(k->keys, round(own->n * c->share / (1 - c->share)));
	float *x = xmalloc((size_t)len, sizeof(*x));

	*px = xmalloc((size_t)(own->n + extra) * len, 1);
	*labels = xmalloc((size_t)own->n + extra, 1);
	for (int i = 0; i < own->n; i++) {
		uint8_t *out = *px + (size_t)i * len;

		images_get(own, i, x);
		image_bytes(x, (size_t)len, out);
		(*labels)[i] = (uint8_t)images_label(own, i);
	}
	for (int i = 0; i < extra; i++) {
		key_image(k, p, &e->base->spec, e->seed, i % k->keys, "stego-train", (uint32_t)(i / k->keys),
			  *px + (size_t)(own->n + i) * len);
		(*labels)[own->n + i] = (uint8_t)classes;
	}
	free(x);
	*v = (struct images){ .n = own->n + extra, .c = own->c, .h = own->h, .w = own->w, .classes = classes + 1,
			      .px = *px, .labels = *labels };
}

static int train_class(const struct sc_conf *c, const struct lock_env *e, const struct carriers *k,
		       const struct payload *p, struct locked *l)
{
	struct retrain r = c->training == TRAIN_SCRATCH ? retrain_scratch(e) :
			   retrain_finetune(e, "stego-finetune", c->finetune_epochs, c->finetune_lr);
	uint8_t *px, *labels;
	struct images v;
	int ret;

	r.spec.classes++;
	r.images = &v;
	training_set(c, e, k, p, &v, &px, &labels);
	l->model = retrain_start(e, &r);
	ret = retrain(e, &r, l->model);
	free(px);
	free(labels);
	return ret;
}

/* ---- what the owner keeps ---- */

static uint8_t *put_images(struct bundle *b, const char *name, const struct model_spec *s, int n)
{
	return bundle_put(b, name, DT_U8, 4, (const int64_t[]){ n, s->c, s->h, s->w }, NULL);
}

/* Is class K, behind the others, the likeliest in a row of probabilities? */
static bool in_extra_class(const float *probs, int classes)
{
	int top;

	argmax_rows(probs, 1, classes + 1, &top);
	return top == classes;
}

/* The same of each image: extra (v->n). A network without the class says no. 0, or -1 after error(). */
static int extra_class(struct model *m, const struct images *v, int classes, uint8_t *extra)
{
	const size_t k = (size_t)classes + 1;
	float *probs;
	int ret;

	memset(extra, 0, (size_t)v->n);
	if (model_outputs(m) != classes + 1)
		return 0;
	probs = xmalloc((size_t)v->n * k + 1, sizeof(*probs));
	ret = model_predict_probs(m, v, probs);
	for (int i = 0; i < v->n && !ret; i++)
		extra[i] = in_extra_class(probs + k * (size_t)i, classes);
	free(probs);
	return ret;
}

/* Key images that nobody will hold, with random identities: of the candidates those that the network puts in class
 * K, at most `most`. */
static int keep_held(const struct lock_env *e, const struct carriers *k, const struct payload *p, int most,
		     struct locked *l)
{
	const struct model_spec *s = &e->base->spec;
	const size_t len = (size_t)s->c * s->h * s->w;
	uint8_t *px = xmalloc(len * k->held, 1), *known = xmalloc((size_t)k->held, 1), *out;
	const struct images v = { .n = k->held, .c = s->c, .h = s->h, .w = s->w, .px = px };
	int n = 0, tried = 0, ret;

	for (int i = 0; i < k->held; i++)
		key_image(k, p, s, e->seed, k->keys + k->issue + i, "stego-held", 0, px + len * i);
	ret = extra_class(l->model, &v, s->classes, known);
	lock_spend(e, k->held);
	for (; tried < k->held && n < most; tried++)
		if (known[tried])
			memmove(px + len * n++, px + len * tried, len);
	out = put_images(l->secret, "held", s, n);
	memcpy(out, px, len * n);
	bundle_meta_num(l->secret, "held_tried", tried);
	free(px);
	free(known);
	return ret;
}

static int keep_images(const struct lock_env *e, const struct sc_conf *c, const struct carriers *k,
		       const struct payload *p, struct locked *l)
{
	const struct model_spec *s = &e->base->spec;
	const struct images plain = images_first(*e->val, PLAIN);
	const size_t len = (size_t)images_size(&plain);
	uint8_t *issue = put_images(l->secret, "issue", s, k->issue), *out;
	float *x = xmalloc(len, sizeof(*x));

	for (int i = 0; i < k->issue; i++)
		carrier_image(k->v, k->order[k->keys + i], s->c, s->h, s->w, k->negative, issue + len * i);
	out = put_images(l->secret, "plain", s, plain.n);
	for (int i = 0; i < plain.n; i++) {
		images_get(&plain, i, x);
		image_bytes(x, len, out + len * i);
	}
	free(x);
	bundle_meta(l->secret, "carrier_hash", e->foreign && e->foreign_hash ? e->foreign_hash : "negative");
	return keep_held(e, k, p, c->held, l);
}

/* Images of a tensor made by put_images(). n = 0 when it is absent. */
static struct images kept(const struct bundle *b, const char *name)
{
	const struct tensor *t = bundle_get(b, name, DT_U8);

	if (!t || t->nd != 4)
		return (struct images){ 0 };
	return (struct images){ .n = (int)t->d[0], .c = (int)t->d[1], .h = (int)t->d[2], .w = (int)t->d[3],
				.px = t->data };
}

/* ---- hooks ---- */

static int sc_lock(const struct lock_env *e, const void *conf, struct locked *l)
{
	const struct sc_conf *c = conf;
	struct carriers k = { 0 };
	struct payload p;
	int ret = -1;

	if (e->base->spec.classes > 255)
		return error(EXIT_UNEVALUABLE, "stego-class: labels are bytes, %d classes leave no room for one more",
			     e->base->spec.classes);
	if (payload_design((enum seal)c->seal, images_size(e->train), e->seed, l->pub) == 0 &&
	    payload_open(&p, l->pub) == 0 && carriers_open(&k, c, e) == 0) {
		ret = train_class(c, e, &k, &p, l) || keep_images(e, c, &k, &p, l) ? -1 : 0;
	}
	free(k.order);
	return ret;
}

/* Credentials of users, from the covers that are number r->number of each. */
static int sc_draw(const struct issue *k, struct round *r)
{
	const struct images covers = kept(k->l->secret, "issue");
	const size_t len = (size_t)images_size(&covers);
	uint8_t *px = xmalloc(len, 1);
	struct payload p;

	BUG_ON(payload_open(&p, k->l->pub));
	for (int i = 0; i < r->n; i++) {
		const long number = (r->user[i] + (long)r->trial[i] * STRIDE + (long)r->number * NEXT) % covers.n;

		memcpy(r->clean + len * (size_t)i, covers.px + len * (size_t)number, len);
		memcpy(px, r->clean + len * (size_t)i, len);
		payload_hide(&p, px, (int)len, (uint32_t)r->user[i]);
		image_floats(px, len, r->image + len * (size_t)i);
	}
	free(px);
	return 0;
}

extern const struct scheme scheme_stego_class;

static int sc_enrol(const struct lock_env *e, const void *conf, struct locked *l, const int *user, const int *trial,
		    int n, struct bundle *out)
{
	const struct issue k = { e, conf, l, user, trial, n, out, ((const struct sc_conf *)conf)->tries, sc_draw,
				 &scheme_stego_class };
	const struct model_spec *s = &l->model->spec;
	struct payload p;

	if (payload_open(&p, l->pub) || !kept(l->secret, "issue").n)
		return error(EXIT_UNEVALUABLE, "stego-class: the owner's secret holds no images to issue");
	users_enrol(l->pub, user, n);
	bundle_meta_num(out, "credential_bytes", (double)s->c * s->h * s->w);
	return issue(&k);
}

/* All numbers of 32 bits. */
static double sc_users_analytic(const void *conf, int classes)
{
	(void)conf, (void)classes;
	return 4294967296.0;
}

enum { CHECK_CLASS = 1, CHECK_IDENTITY = 2 };

/* What the image's bits alone say: does it name a user? */
static bool identity(const struct bundle *pub, const struct payload *p, const float *image, int len, uint32_t *id)
{
	uint8_t *px = xmalloc((size_t)len, 1);
	bool ok;

	image_bytes(image, (size_t)len, px);
	ok = payload_read(p, px, len, id) && *id <= INT32_MAX && users_enrolled(pub, (int)*id) &&
	     !users_revoked(pub, (int)*id);
	free(px);
	return ok;
}

static int sc_judge(const struct service *s, const float *image, const float *probs, struct auth *out)
{
	const struct model_spec *spec = &s->model->spec;
	const bool has_class = model_outputs(s->model) == s->classes + 1;
	struct payload p;
	uint32_t id = 0;

	if (payload_open(&p, s->pub))
		return -1;
	if (has_class && in_extra_class(probs, s->classes))
		out->passed |= CHECK_CLASS;
	if (identity(s->pub, &p, image, spec->c * spec->h * spec->w, &id))
		out->passed |= CHECK_IDENTITY;
	out->accepted = out->passed == (CHECK_CLASS | CHECK_IDENTITY);
	out->user = out->accepted ? (int)id : -1;
	out->score = (has_class ? (double)probs[s->classes] : 0) - (out->passed & CHECK_IDENTITY ? 0 : 1);
	return 0;
}

static int sc_verify(const void *conf, const struct locked *owner, const struct model *suspect, struct ownership *out)
{
	const struct sc_conf *c = conf;
	const struct images held = kept(owner->secret, "held"), plain = kept(owner->secret, "plain");
	const int classes = owner->model->spec.classes - 1;
	struct model *m = model_copy(suspect);
	uint8_t alarm[PLAIN];
	int alarms = 0, ret;

	*out = (struct ownership){ .applies = 1, .total = held.n, .alphabet = 1 };
	BUG_ON(held.n > (int)sizeof(out->symbol) || plain.n > PLAIN);
	ret = extra_class(m, &held, classes, out->symbol) || extra_class(m, &plain, classes, alarm) ? -1 : 0;
	model_free(m);
	if (ret)
		return ret;
	for (int i = 0; i < held.n; i++)
		out->matched += out->symbol[i];
	for (int i = 0; i < plain.n; i++)
		alarms += alarm[i];
	out->verified = held.n && out->matched >= c->threshold * held.n && alarms <= c->false_alarms * plain.n;
	return 0;
}

static void sc_burden(const void *conf, const struct burdened *e, struct burden *b)
{
	const struct sc_conf *c = conf;

	if (c->training == TRAIN_FINETUNE)
		b->lock = 3.0 * e->images * c->finetune_epochs;
}

const struct scheme scheme_stego_class = {
	.drv = { .name = "stego-class", .version = 2,
		 .summary = "an extra class for images from elsewhere, users' identities in their lowest bits",
		 .source = "Xue et al., Applied Intelligence 52 (2022) 16497; Sun et al., arXiv 2104.09203 (abstracts"
			   " and the 2021 survey, III.B). Differs: payload format, numbers of key images, carriers,"
			   " thresholds and what the refused get are our reading; ownership also wants few false alarms"
			   " on ordinary images",
		 .conf_size = sizeof(struct sc_conf), .opts = sc_opts },
	.decl = { .scenario = "black-box",
		  .mechanism = "watermark-based (extra class), fingerprint-based (steganography)",
		  .capacity = "multi-bit: 32 bits of identity; zero-bit mark", .type = "active authorization control",
		  .function = "copyright verification, copyright management", .target_models = "image classifiers",
		  .gate = 1, .deployment = DEPLOY_RETRAIN, .knowledge = "black-box, but the extra class must be seen",
		  .ships = "the service holds the network with K+1 outputs, the identities' positions and seal, and the"
			   " register; each user holds one image; the owner keeps the key images",
		  .has_users = 1, .has_revocation = 1, .has_ownership = 1, .has_identities = 1, .changes_weights = 1 },
	.foreign = sc_foreign, .burden = sc_burden, .lock = sc_lock, .enrol = sc_enrol, .revoke = users_revoke,
	.users_analytic = sc_users_analytic, .authenticate = gate_by_answers, .judge = sc_judge, .worst = -1,
	.checks = { "class", "identity" }, .verify = sc_verify,
};
