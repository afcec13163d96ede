/* sample-specific: the network answers rightly only what has passed a user's encoder, a U-Net that adds an invisible, image-dependent
 * residual; every other image was trained towards wrong labels. The residual carries the user's identity: the owner reads it from
 * each query.
 *
 * Source: Wu, Xue, Gu, Zhang, Liu, AICAS 2022, 316-319 (journal: SSAT, ACM TOMM 20(10), 2024): their abstracts and the 2021 survey's
 *   description; the ancestors Li et al., ISSBA, ICCV 2021, and Tancik et al., StegaStamp, CVPR 2020, from their code.
 * Differs: the four losses are the ancestors' (preset two-stage), or have the classifier's cross entropy in the critic's place
 *   (preset joint, the default, because the survey says that the two are trained together and because it makes the better lock).
 *   Some of the images with wrong labels carry another image's residual, noise, or an untrained encoder's residual: without
 *   them the network learns to tell clean images from all others, and anything opens it. A U-Net of two levels with 8 channels, a decoder of four convolutions: images here have 28 or 32 pixels a
 *   side. The perceptual loss is the distance of the unprotected network's logits instead of LPIPS. The critic is trained
 *   by Adam under a weight limit of 0.1. Identities are words of a BCH code. What is sent is rounded to 8 bits. The
 *   classifier's crops and flips, where its recipe has any, come after the encoder. */
#include "base/error.h"
#include "base/rng.h"
#include "schemes/kit/bch.h"
#include "schemes/sample_specific/sample_specific_hider.h"
#include "schemes/scheme.h"
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { PRESET_TWO_STAGE, PRESET_JOINT };
enum { START_FRESH, START_BASE };
enum { WRONG_RANDOM, WRONG_FIXED, WRONG_ANY };
enum { STARTS = 3 }; /* of the classifier's training, each at half the rate of the one before */

struct ss_conf {
	struct hider_conf hider; /* bits: by the code */
	int preset, code, start, wrong, refresh, users;
	double cross, decoys;
};

static const struct { int n, t; } codes[] = { { 31, 3 }, { 31, 5 }, { 63, 6 }, { 15, 2 } };

#define AT(field) offsetof(struct ss_conf, field)
static const struct opt ss_opts[] = {
	{ "preset", OPT_CHOICE, AT(preset), "joint", 0, 0, "encoder first and then the classifier, or the classifier's loss in the encoder's training, too", "two-stage|joint" },
	{ "code", OPT_CHOICE, AT(code), "bch31-16", 0, 0, "BCH code of the identities: length and message bits; corrects 3, 5, 6, 2 errors", "bch31-16|bch31-11|bch63-30|bch15-7" },
	{ "start", OPT_CHOICE, AT(start), "base", 0, 0, "what the classifier's training begins with: fresh initial values, or the unprotected network", "fresh|base" },
	{ "wrong", OPT_CHOICE, AT(wrong), "random", 0, 0, "label of an image without residual: a wrong class, new each epoch; the next class; any class, new each epoch", "random|fixed|any" },
	{ "residual", OPT_FLOAT, AT(hider.residual), "50", 0, 1e6, "weight of the residual's mean square on images of 784 values; on others times 784 / values", NULL },
	{ "perceptual", OPT_FLOAT, AT(hider.perceptual), "1.5", 0, 1e6, "weight of how far the unprotected network's logits move", NULL },
	{ "critic", OPT_FLOAT, AT(hider.critic), "0.5", 0, 1e6, "weight of the critic's loss in preset=two-stage; 0: no critic", NULL },
	{ "message", OPT_FLOAT, AT(hider.message), "1.5", 0.001, 1e6, "weight of the bits' cross entropy", NULL },
	{ "classify", OPT_FLOAT, AT(hider.classify), "1", 0, 1e6, "weight of the classifier's cross entropy in preset=joint", NULL },
	{ "steps", OPT_INT, AT(hider.steps), "1500", 1, 10000000, "steps of the encoder's training", NULL },
	{ "batch", OPT_INT, AT(hider.batch), "32", 1, 65536, "images a step", NULL },
	{ "warmup", OPT_INT, AT(hider.warmup), "300", 0, 1000000, "least steps for the bits alone; once they are read the other losses come in over as many more", NULL },
	{ "lr", OPT_FLOAT, AT(hider.lr), "0.001", 0, 10, "Adam's rate, falling to 0 as a cosine", NULL },
	{ "width", OPT_INT, AT(hider.width), "8", 1, 256, "channels of the U-Net at full size", NULL },
	{ "planes", OPT_INT, AT(hider.planes), "4", 1, 64, "planes beside the image that carry the bits", NULL },
	{ "jpeg", OPT_INT, AT(hider.jpeg), "0", 0, 95, "lowest JPEG quality in training, of encoder and classifier; 0: none", NULL },
	{ "cross", OPT_FLOAT, AT(cross), "0.2", 0, 1, "share of the images without a residual of their own that get another image's, with a wrong label all the same", NULL },
	{ "decoys", OPT_FLOAT, AT(decoys), "0.3", 0, 1, "share of them that get noise or an untrained encoder's residual", NULL },
	{ "refresh", OPT_INT, AT(refresh), "4", 1, 100000, "epochs of the classifier after which images are encoded anew, with other bits", NULL },
	{ "users", OPT_INT, AT(users), "30", 1, 1000000, "users that exist by default; never more than the code has words", NULL },
	{ 0 }
};

static struct bch code_of(const struct ss_conf *c)
{
	struct bch b;

	bch_init(&b, codes[c->code].n, codes[c->code].t);
	return b;
}

static struct hider_conf hider_of(const struct ss_conf *c)
{
	struct hider_conf h = c->hider;

	h.bits = codes[c->code].n;
	if (c->preset == PRESET_TWO_STAGE) /* each reading has four losses */
		h.classify = 0;
	else
		h.critic = 0;
	return h;
}

/* ---- identities: user u is message u ---- */

static void word_of(const struct bch *b, int user, uint8_t *word)
{
	uint8_t msg[BCH_MAX] = { 0 };

	for (int i = 0; i < b->k && i < 31; i++)
		msg[b->k - 1 - i] = user >> i & 1;
	bch_encode(b, msg, word);
}

/* The user whose word is nearest, -1: none, or a number that cannot be. */
static int user_of(const struct bch *b, const uint8_t *bit)
{
	uint8_t word[BCH_MAX];
	int user = 0;

	memcpy(word, bit, (size_t)b->n);
	if (bch_decode(b, word) < 0)
		return -1;
	for (int i = 0; i < b->k; i++) {
		if (i < b->k - 31 && word[i])
			return -1;
		user = (int)((uint32_t)user << 1 | word[i]);
	}
	return user;
}

/* ---- training the classifier ---- */

/* What training image i is called in epoch (or step) `when`. */
struct liar {
	const struct lock_env *e;
	int kind;
	struct rng_key key;
};

static int lie(const void *ctx, int i, int when)
{
	const struct liar *l = ctx;
	const int classes = l->e->base->spec.classes, y = images_label(l->e->train, i);
	struct rng r;

	if (l->kind == WRONG_FIXED)
		return (y + 1) % classes;
	rng_at(&r, l->key, (uint32_t)when, (uint32_t)i);
	if (l->kind == WRONG_ANY)
		return (int)rng_below(&r, (uint32_t)classes);
	return (y + 1 + (int)rng_below(&r, (uint32_t)classes - 1)) % classes;
}

/* Twice the owner's images: sent ones with true labels, then the images themselves with wrong ones. */
struct course {
	const struct ss_conf *c;
	const struct lock_env *e;
	struct hider *h;
	struct liar liar;
	int n, len, epoch;
	uint8_t *px, *label; /* (2 n, len), (2 n) */
	double encoded;      /* images */
	int failed, dead;
};

/* Encode the owner's images with new random bits; every second one is compressed where the encoder has learnt that. */
static int encode_all(struct course *k)
{
	enum { CHUNK = 1024 };
	const struct ss_conf *c = k->c;
	const int bits = codes[c->code].n, planes = hider_planes_len(c->hider.planes, k->e->train->h, k->e->train->w);
	float *x = xmalloc((size_t)CHUNK * k->len, sizeof(*x)), *p = xmalloc((size_t)CHUNK * planes, sizeof(*p));
	const struct rng_key key = rng_key(k->e->seed, "sample-bits"), quality = rng_key(k->e->seed, "sample-jpeg");
	uint8_t *bit = xmalloc((size_t)CHUNK * bits, 1);
	int index[CHUNK], ret = 0;

	for (int first = 0; first < k->n && !ret; first += CHUNK) {
		struct images v = *k->e->train;
		struct rng r;

		v.n = k->n - first < CHUNK ? k->n - first : CHUNK;
		v.index = index;
		for (int i = 0; i < v.n; i++) {
			index[i] = images_at(k->e->train, first + i);
			rng_at(&r, key, (uint32_t)k->epoch, (uint32_t)(first + i));
			for (int b = 0; b < bits; b++)
				bit[i * bits + b] = rng_u32(&r) & 1;
		}
		ret = hider_fold(k->h->dense, bit, v.n, p) || hider_apply(k->h->unet, &v, p, (size_t)planes, x) ? -1 : 0;
		for (int i = 0; i < v.n && c->hider.jpeg && !ret; i += 2) {
			rng_at(&r, quality, (uint32_t)k->epoch, (uint32_t)(first + i));
			ret = hider_jpeg(x + (size_t)i * k->len, 1, v.c, v.h, v.w, c->hider.jpeg + (int)rng_below(&r, (uint32_t)(96 - c->hider.jpeg)));
		}
		if (!ret)
			image_bytes(x, (size_t)v.n * k->len, k->px + (size_t)first * k->len);
	}
	k->encoded += k->n;
	free(x);
	free(p);
	free(bit);
	return ret;
}

/* What image i of the second half looks like in this lesson. */
enum disguise { AS_IT_IS, CROSSED, NOISY, DECOY };

static enum disguise disguise_of(const struct course *k, struct rng *r, int i)
{
	double u;

	rng_open(r, k->e->seed, "sample-disguise", (uint32_t)k->epoch, (uint32_t)i);
	u = rng_uniform(r);
	return u < k->c->cross ? CROSSED : u < k->c->cross + k->c->decoys / 2 ? NOISY : u < k->c->cross + k->c->decoys ? DECOY : AS_IT_IS;
}

/* Image i without a residual of its own; x (2 len): work space. */
static void plain_image(struct course *k, int i, float *x)
{
	float *other = x + k->len;
	struct rng r;
	double sigma;
	int j;

	images_get(k->e->train, i, x);
	switch (disguise_of(k, &r, i)) {
	case CROSSED:
		j = (int)rng_below(&r, (uint32_t)k->n);
		images_get(k->e->train, j, other);
		for (int p = 0; p < k->len; p++)
			x[p] += (float)k->px[(size_t)j * k->len + p] / 255.0f - other[p];
		break;
	case NOISY:
		sigma = 0.1 * rng_uniform(&r);
		for (int p = 0; p < k->len; p++)
			x[p] += (float)(sigma * rng_normal(&r));
		break;
	default:
		break;
	}
	image_bytes(x, (size_t)k->len, k->px + (size_t)(k->n + i) * k->len);
}

/* The decoys among images first .. first+n-1: the residuals of an encoder that nobody has trained, for every 256 another one. */
static int decoys(struct course *k, int first, int n)
{
	const struct hider_conf *c = &k->c->hider;
	const struct model_spec *s = &k->e->base->spec, spec = hider_unet_spec(c->planes, c->width, s->c, s->h, s->w);
	const int planes = hider_planes_len(c->planes, s->h, s->w);
	float *x = xmalloc((size_t)n * k->len, sizeof(*x)), *p = xmalloc((size_t)planes, sizeof(*p));
	int *which = xmalloc((size_t)n, sizeof(*which)), *index = xmalloc((size_t)n, sizeof(*index)), ret = 0;
	struct images v = *k->e->train;
	struct model *unet;
	struct rng r;

	v.n = 0;
	v.index = index;
	for (int i = first; i < first + n; i++)
		if (disguise_of(k, &r, i) == DECOY) {
			which[v.n] = i;
			index[v.n++] = images_at(k->e->train, i);
		}
	rng_open(&r, k->e->seed, "sample-decoys", (uint32_t)k->epoch, (uint32_t)first);
	for (int i = 0; i < planes; i++)
		p[i] = (float)rng_uniform(&r);
	unet = model_new(&spec, rng_u64(&r));
	ret = unet && v.n ? hider_apply(unet, &v, p, 0, x) : unet ? 0 : -1;
	for (int i = 0; i < v.n && !ret; i++)
		image_bytes(x + (size_t)i * k->len, (size_t)k->len, k->px + (size_t)(k->n + which[i]) * k->len);
	k->encoded += v.n;
	model_free(unet);
	free(x);
	free(p);
	free(which);
	free(index);
	return ret;
}

static int dress_all(struct course *k)
{
	enum { CHUNK = 256 };
	float *x = xmalloc(2 * (size_t)k->len, sizeof(*x));
	int ret = 0;

	for (int i = 0; i < k->n; i++)
		plain_image(k, i, x);
	for (int first = 0; first < k->n && k->c->decoys > 0 && !ret; first += CHUNK)
		ret = decoys(k, first, k->n - first < CHUNK ? k->n - first : CHUNK);
	free(x);
	return ret;
}

/* What the next epoch is taught: `epoch` of them are over. */
static int next_lesson(struct course *k, int epoch)
{
	k->epoch = epoch;
	for (int i = 0; i < k->n; i++) {
		k->label[i] = (uint8_t)images_label(k->e->train, i);
		k->label[k->n + i] = (uint8_t)lie(&k->liar, i, epoch);
	}
	if (epoch % k->c->refresh)
		return 0;
	return encode_all(k) || dress_all(k) ? -1 : 0;
}

/* train_hooks.epoch_end: not zero stops the training. Half of the labels contradict the other half until the network sees the residual,
 * and in that noise its ReLUs may die: a quarter of the way it still gives all images the same answer. */
static int epoch_over(void *ctx, struct model *m, int epoch, double loss, double accuracy)
{
	struct course *k = ctx;

	(void)loss;
	k->failed = epoch < k->e->recipe->epochs ? next_lesson(k, epoch) : 0;
	k->dead = epoch == (k->e->recipe->epochs + 3) / 4 && accuracy < 1.0 / m->spec.classes + 0.02;
	return k->failed || k->dead;
}

/* The classifier on all lessons, from what m is. */
static int teach(struct course *k, const struct train_conf *recipe, struct model *m, const struct images *v)
{
	const struct train_hooks hooks = { .ctx = k, .epoch_end = epoch_over };
	struct train_stats stats = { 0 };
	int ret = next_lesson(k, 0);

	k->dead = 0;
	if (!ret)
		ret = train(m, v, recipe, k->e->seed, k->e->label, &hooks, &stats);
	if (k->e->forward_equivalents)
		*k->e->forward_equivalents += stats.forward_equivalents;
	return ret ? ret : k->failed;
}

/* What training begins with; NULL after error(). */
static struct model *start_of(const struct ss_conf *c, const struct lock_env *e, uint64_t seed)
{
	return c->start == START_BASE ? model_copy(e->base) : model_new_init(&e->base->spec, (enum init_kind)e->recipe->init, seed);
}

/* Initial values for attempt i: others, where they are fresh. */
static int start_again(const struct ss_conf *c, const struct lock_env *e, int i, struct model *m)
{
	struct model *fresh = start_of(c, e, rng_derive(e->seed, "sample-again") + (uint64_t)i);

	if (!fresh)
		return -1;
	memcpy(m->x, fresh->x, m->nx * sizeof(*m->x));
	model_free(fresh);
	return 0;
}

static int train_classifier(const struct ss_conf *c, const struct lock_env *e, struct hider *h, const struct liar *liar, struct model *m)
{
	struct course k = { .c = c, .e = e, .h = h, .liar = *liar, .n = e->train->n, .len = images_size(e->train) };
	struct images v = { .n = 2 * k.n, .c = e->train->c, .h = e->train->h, .w = e->train->w, .classes = e->base->spec.classes };
	struct train_conf recipe = *e->recipe;
	int ret;

	v.px = k.px = xmalloc(2 * (size_t)k.n * k.len, 1);
	v.labels = k.label = xmalloc(2 * (size_t)k.n, 1);
	ret = teach(&k, &recipe, m, &v);
	for (int i = 1; i < STARTS && k.dead && !ret; i++) {
		recipe.lr /= 2;
		ret = start_again(c, e, i, m);
		if (!ret)
			ret = teach(&k, &recipe, m, &v);
	}
	if (!ret && k.dead)
		ret = error(EXIT_FAILED_CELLS, "the classifier learnt nothing in %d attempts: the images with wrong labels drown the others; a lower "
			    "rate or a smaller weight of the residual may help", STARTS);
	if (e->forward_equivalents)
		*e->forward_equivalents += k.encoded * model_macs(h->unet) / model_macs(e->base);
	free(k.px);
	free(k.label);
	return ret;
}

/* ---- hooks ---- */

static int ss_lock(const struct lock_env *e, const void *conf, struct locked *l)
{
	const struct ss_conf *c = conf;
	const struct hider_conf hc = hider_of(c);
	const struct liar liar = { .e = e, .kind = c->wrong, .key = rng_key(e->seed, "sample-wrong") };
	struct hider h = { 0 };
	struct hider_joint joint = { .wrong = lie, .ctx = &liar };
	int ret;

	l->model = start_of(c, e, e->seed);
	if (!l->model)
		return -1;
	joint.classifier = l->model;
	ret = hider_train(&h, &hc, e, c->preset == PRESET_JOINT ? &joint : NULL);
	if (ret)
		return ret;
	ret = train_classifier(c, e, &h, &liar, l->model);
	model_put(h.unet, "unet.", l->secret);
	model_put(h.dense, "dense.", l->secret);
	model_put(h.reader, "reader.", l->secret);
	hider_release(&h);
	return ret;
}

static int ss_users(const void *conf, int classes)
{
	const struct ss_conf *c = conf;
	const struct bch b = code_of(c);

	(void)classes;
	return b.k < 31 && c->users > 1 << b.k ? 1 << b.k : c->users;
}

/* All words of the code. */
static double ss_users_analytic(const void *conf, int classes)
{
	const struct bch b = code_of(conf);

	(void)classes;
	return ldexp(1, b.k);
}

static int ss_enrol(const struct lock_env *e, const void *conf, struct locked *l, const int *user, const int *trial, int n,
		    struct bundle *out)
{
	const struct ss_conf *c = conf;
	const struct bch b = code_of(c);
	const struct model_spec *s = &l->model->spec;
	const int len = hider_planes_len(c->hider.planes, s->h, s->w);
	struct model *unet = model_take(l->secret, "unet.", NULL), *dense = model_take(l->secret, "dense.", NULL);
	float *planes = bundle_put(out, "planes", DT_F32, 2, (const int64_t[]){ n, len }, NULL);
	uint8_t *bits = bundle_put(out, "about_bits", DT_U8, 2, (const int64_t[]){ n, b.n }, NULL);
	int ret = unet && dense ? 0 : -1;

	(void)e, (void)trial; /* a user has one encoder */
	for (int i = 0; i < n && !ret; i++) {
		if (b.k < 31 && user[i] >= 1 << b.k)
			ret = error(EXIT_UNEVALUABLE, "sample-specific: user %d does not exist: the code has %.0f words", user[i], ldexp(1, b.k));
		else
			word_of(&b, user[i], bits + (size_t)i * b.n);
	}
	if (!ret)
		ret = hider_fold(dense, bits, n, planes);
	if (!ret)
		model_put(unet, "shared_unet.", out);
	model_free(unet);
	model_free(dense);
	return ret;
}

static int ss_prepare(const struct service *s, const struct bundle *creds, int at, const struct images *v, float *out)
{
	const struct ss_conf *c = s->conf;
	const struct model_spec *m = &s->model->spec;
	const struct model_spec spec = hider_unet_spec(c->hider.planes, c->hider.width, m->c, m->h, m->w);
	const int len = hider_planes_len(c->hider.planes, m->h, m->w);
	const struct tensor *planes = bundle_get(creds, "planes", DT_F32);
	struct model *unet;
	int ret;

	if (!planes || planes->nd != 2 || at >= planes->d[0] || planes->d[1] != len)
		return error(EXIT_UNEVALUABLE, "these credentials hold no 'planes' for credential %d", at);
	unet = model_take(creds, "shared_unet.", &spec);
	if (!unet)
		return -1;
	ret = hider_apply(unet, v, (const float *)planes->data + (size_t)at * len, 0, out);
	model_free(unet);
	return ret;
}

/* Somebody who knows the scheme has a U-Net of that shape, untrained, and planes of the usual size. */
static int ss_wrong_keys(const struct service *s, uint64_t seed, int n, struct bundle *out)
{
	const struct ss_conf *c = s->conf;
	const struct model_spec *m = &s->model->spec;
	const struct model_spec spec = hider_unet_spec(c->hider.planes, c->hider.width, m->c, m->h, m->w);
	const int len = hider_planes_len(c->hider.planes, m->h, m->w);
	float *planes = bundle_put(out, "planes", DT_F32, 2, (const int64_t[]){ n, len }, NULL);
	struct model *unet = model_new(&spec, rng_derive(seed, "sample-wrong-unet"));
	struct rng r;

	if (!unet)
		return -1;
	rng_open(&r, seed, "sample-wrong-planes", 0, 0);
	for (int i = 0; i < n * len; i++)
		planes[i] = (float)rng_uniform(&r);
	model_put(unet, "shared_unet.", out);
	model_free(unet);
	return 0;
}

static int ss_trace(const void *conf, const struct locked *owner, const float *x, int n, struct traced *out)
{
	const struct bch b = code_of(conf);
	struct model *reader = model_take(owner->secret, "reader.", NULL);
	uint8_t *bit = xmalloc((size_t)n * b.n + 1, 1);
	int ret = reader ? hider_read(reader, x, n, bit) : -1;

	for (int i = 0; i < n && !ret; i++) {
		memset(&out[i], 0, sizeof(out[i]));
		out[i].nbits = b.n;
		memcpy(out[i].bit, bit + (size_t)i * b.n, (size_t)b.n);
		out[i].user = user_of(&b, out[i].bit);
	}
	free(bit);
	model_free(reader);
	return ret;
}

static void ss_burden(const void *conf, const struct burdened *e, struct burden *b)
{
	const struct ss_conf *c = conf;
	const struct model_spec spec = hider_unet_spec(c->hider.planes, c->hider.width, e->spec.c, e->spec.h, e->spec.w);
	struct model *unet = model_new(&spec, 0);
	const double encode = unet && e->macs > 0 ? model_macs(unet) / e->macs : 1, epochs = e->recipe->epochs;

	model_free(unet);
	b->prepare = 2.5 * encode; /* as measured: a U-Net has few multiplications for its memory */
	b->lock = 3.0 * c->hider.batch * c->hider.steps * (1.6 * encode + 1 + 2 * (c->preset == PRESET_JOINT)) + 6 * e->images * epochs +
		  1.3 * encode * e->images * ((epochs - 1) / c->refresh + 1);
}

const struct scheme scheme_sample_specific = {
	.drv = { .name = "sample-specific", .summary = "only images that passed a user's U-Net are answered rightly; it signs each of them",
		 .version = 5,
		 .source = "Wu et al., AICAS 2022, 316-319; SSAT, ACM TOMM 20(10), 2024 (abstracts and the 2021 survey). Differs: the four"
			   " losses are those of the ancestors ISSBA and StegaStamp, LPIPS replaced by the unprotected network's"
			   " logits; small networks; BCH words as identities; 8-bit queries",
		 .conf_size = sizeof(struct ss_conf), .opts = ss_opts },
	.decl = { .scenario = "black-box", .mechanism = "backdoor-based (sample-specific), steganography",
		  .capacity = "multi-bit: 2^16 identities under BCH(31,16)", .type = "active authorization control",
		  .function = "copyright management", .target_models = "image classifiers", .gate = 0, .deployment = DEPLOY_RETRAIN,
		  .knowledge = "black-box",
		  .ships = "the service holds the locked network; each user holds the U-Net and the planes of his identity; the owner keeps"
			   " what makes planes and what reads them",
		  .has_users = 1, .has_identities = 1, .changes_weights = 1 },
	.tier = { "code=bch15-7 steps=700 warmup=100 residual=10 critic=0" },
	.burden = ss_burden, .lock = ss_lock,
	.enrol = ss_enrol,
	.users_analytic = ss_users_analytic,
	.users = ss_users,
	.prepare = ss_prepare,
	.wrong_keys = ss_wrong_keys,
	.trace = ss_trace,
};
