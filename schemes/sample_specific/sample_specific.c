/* sample-specific: the network answers rightly only what has passed a user's encoder, a U-Net that adds an invisible,
 * image-dependent residual; every other image was trained towards wrong labels. The residual carries the user's
 * identity: the owner reads it from each query.
 *
 * Source: Wu, Xue, Gu, Zhang, Liu, AICAS 2022, 316-319 (journal: SSAT, ACM TOMM 20(10), 2024): their abstracts and the
 *   2021 survey's description; the ancestors Li et al., ISSBA, ICCV 2021, and Tancik et al., StegaStamp, CVPR 2020,
 *   from their code.
 * Differs: the four losses are the ancestors' (preset two-stage), or have the classifier's cross entropy in the
 *   critic's place (preset joint, the default, because the survey says that the two are trained together and because
 *   it makes the better lock). Some of the images with wrong labels carry another image's residual, noise, or an
 *   untrained encoder's residual: without them the network learns to tell clean images from all others, and anything
 *   opens it. A U-Net of two levels with 8 channels, a decoder of four convolutions: images here have 28 or 32
 *   pixels a side. The perceptual loss is the distance of the unprotected network's logits instead of LPIPS. The
 *   critic is trained by Adam under a weight limit of 0.1. Identities are words of a BCH code. What is sent is
 *   rounded to 8 bits. The classifier's crops and flips, where its recipe has any, come after the encoder. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "schemes/kit/bch.h"
#include "schemes/sample_specific/sample_specific_course.h"

enum { PRESET_TWO_STAGE, PRESET_JOINT };

struct ss_conf {
	struct hider_conf hider; /* bits: by the code */
	struct course_conf course;
	int preset, code, users;
};

static const struct { int n, t; } codes[] = { { 31, 3 }, { 31, 5 }, { 63, 6 }, { 15, 2 } };

#define AT(field) offsetof(struct ss_conf, field)
static const struct opt ss_opts[] = {
	{ "preset", OPT_CHOICE, AT(preset), "joint", 0, 0,
	  "encoder first and then the classifier, or the classifier's loss in the encoder's training, too",
	  "two-stage|joint" },
	{ "code", OPT_CHOICE, AT(code), "bch31-16", 0, 0,
	  "BCH code of the identities: length and message bits; corrects 3, 5, 6, 2 errors",
	  "bch31-16|bch31-11|bch63-30|bch15-7" },
	{ "start", OPT_CHOICE, AT(course.start), "base", 0, 0,
	  "what the classifier's training begins with: fresh initial values, or the unprotected network",
	  "fresh|base" },
	{ "wrong", OPT_CHOICE, AT(course.wrong), "random", 0, 0,
	  "label of an image without residual: a wrong class, new each epoch; the next class; any class, new each"
	  " epoch", "random|fixed|any" },
	{ "residual", OPT_FLOAT, AT(hider.residual), "50", 0, 1e6,
	  "weight of the residual's mean square on images of 784 values; on others times 784 / values", NULL },
	{ "perceptual", OPT_FLOAT, AT(hider.perceptual), "1.5", 0, 1e6,
	  "weight of how far the unprotected network's logits move", NULL },
	{ "critic", OPT_FLOAT, AT(hider.critic), "0.5", 0, 1e6,
	  "weight of the critic's loss in preset=two-stage; 0: no critic", NULL },
	{ "message", OPT_FLOAT, AT(hider.message), "1.5", 0.001, 1e6, "weight of the bits' cross entropy", NULL },
	{ "classify", OPT_FLOAT, AT(hider.classify), "1", 0, 1e6,
	  "weight of the classifier's cross entropy in preset=joint", NULL },
	{ "steps", OPT_INT, AT(hider.steps), "1500", 1, 10000000, "steps of the encoder's training", NULL },
	{ "batch", OPT_INT, AT(hider.batch), "32", 1, 65536, "images a step", NULL },
	{ "warmup", OPT_INT, AT(hider.warmup), "300", 0, 1000000,
	  "least steps for the bits alone; once they are read the other losses come in over as many more", NULL },
	{ "lr", OPT_FLOAT, AT(hider.lr), "0.001", 0, 10, "Adam's rate, falling to 0 as a cosine", NULL },
	{ "width", OPT_INT, AT(hider.width), "8", 1, 256, "channels of the U-Net at full size", NULL },
	{ "planes", OPT_INT, AT(hider.planes), "4", 1, 64, "planes beside the image that carry the bits", NULL },
	{ "jpeg", OPT_INT, AT(hider.jpeg), "0", 0, 95,
	  "lowest JPEG quality in training, of encoder and classifier; 0: none", NULL },
	{ "cross", OPT_FLOAT, AT(course.cross), "0.2", 0, 1,
	  "share of the images without a residual of their own that get another image's, with a wrong label all the"
	  " same", NULL },
	{ "decoys", OPT_FLOAT, AT(course.decoys), "0.3", 0, 1,
	  "share of them that get noise or an untrained encoder's residual", NULL },
	{ "refresh", OPT_INT, AT(course.refresh), "4", 1, 100000,
	  "epochs of the classifier after which images are encoded anew, with other bits", NULL },
	{ "users", OPT_INT, AT(users), "30", 1, 1000000,
	  "users that exist by default; never more than the code has words", NULL },
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

/* ---- hooks ---- */

static int ss_lock(const struct lock_env *e, const void *conf, struct locked *l)
{
	const struct ss_conf *c = conf;
	const struct hider_conf hc = hider_of(c);
	const struct wrong_labels wrong = wrong_labels(&c->course, e);
	struct hider h = { 0 };
	struct hider_joint joint = { .wrong = wrong_label, .ctx = &wrong };
	int ret;

	l->model = course_start(&c->course, e);
	if (!l->model)
		return -1;
	joint.classifier = l->model;
	ret = hider_train(&h, &hc, e, c->preset == PRESET_JOINT ? &joint : NULL);
	if (ret)
		return ret;
	ret = course_teach(&c->course, &hc, e, &h, l->model);
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

static int ss_enrol(const struct lock_env *e, const void *conf, struct locked *l, const int *user, const int *trial,
		    int n, struct bundle *out)
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
			ret = error(EXIT_UNEVALUABLE, "sample-specific: user %d does not exist: the code has %.0f"
				    " words", user[i], ldexp(1, b.k));
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
	const struct model_spec *s = &e->spec;
	const struct model_spec spec = hider_unet_spec(c->hider.planes, c->hider.width, s->c, s->h, s->w);
	struct model *unet = model_new(&spec, 0);
	const double encode = unet && e->macs > 0 ? model_macs(unet) / e->macs : 1, epochs = e->recipe->epochs;

	model_free(unet);
	b->prepare = 2.5 * encode; /* as measured: a U-Net has few multiplications for its memory */
	b->lock = 3.0 * c->hider.batch * c->hider.steps * (1.6 * encode + 1 + 2 * (c->preset == PRESET_JOINT)) +
		  6 * e->images * epochs + 1.3 * encode * e->images * ((epochs - 1) / c->course.refresh + 1);
}

const struct scheme scheme_sample_specific = {
	.drv = { .name = "sample-specific", .version = 5,
		 .summary = "only images that passed a user's U-Net are answered rightly; it signs each of them",
		 .source = "Wu et al., AICAS 2022, 316-319; SSAT, ACM TOMM 20(10), 2024 (abstracts and the 2021"
			   " survey). Differs: the four losses are those of the ancestors ISSBA and StegaStamp, LPIPS"
			   " replaced by the unprotected network's logits; small networks; BCH words as identities;"
			   " 8-bit queries",
		 .conf_size = sizeof(struct ss_conf), .opts = ss_opts },
	.decl = { .scenario = "black-box", .mechanism = "backdoor-based (sample-specific), steganography",
		  .capacity = "multi-bit: 2^16 identities under BCH(31,16)", .type = "active authorization control",
		  .function = "copyright management", .target_models = "image classifiers", .gate = 0,
		  .deployment = DEPLOY_RETRAIN, .knowledge = "black-box",
		  .ships = "the service holds the locked network; each user holds the U-Net and the planes of his"
			   " identity; the owner keeps what makes planes and what reads them",
		  .has_users = 1, .has_identities = 1, .changes_weights = 1 },
	.tier = { "code=bch15-7 steps=700 warmup=100 residual=10 critic=0" },
	.burden = ss_burden, .lock = ss_lock, .enrol = ss_enrol, .users_analytic = ss_users_analytic, .users = ss_users,
	.prepare = ss_prepare, .wrong_keys = ss_wrong_keys, .trace = ss_trace,
};
