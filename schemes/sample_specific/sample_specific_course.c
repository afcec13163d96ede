/* Teaching the classifier to answer rightly what was sent and wrongly everything else. */
#include "schemes/sample_specific/sample_specific_course.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "schemes/kit/retrain.h"

enum { STARTS = 3 }; /* of the training, each at half the rate of the one before */

struct wrong_labels wrong_labels(const struct course_conf *c, const struct lock_env *e)
{
	return (struct wrong_labels){ .e = e, .kind = c->wrong, .key = rng_key(e->seed, "sample-wrong") };
}

int wrong_label(const void *ctx, int i, int when)
{
	const struct wrong_labels *l = ctx;
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
	const struct course_conf *c;
	const struct hider_conf *hc;
	const struct lock_env *e;
	struct hider *h;
	struct retrain plan;
	struct wrong_labels wrong;
	int n, len, epoch;
	uint8_t *px, *label; /* (2 n, len), (2 n) */
	double encoded;      /* images */
	int failed, dead;
};

/* Encode the owner's images with new random bits; every second one is compressed where the encoder has learnt that. */
static int encode_all(struct course *k)
{
	enum { CHUNK = 1024 };
	const struct hider_conf *c = k->hc;
	const int bits = c->bits, planes = hider_planes_len(c->planes, k->e->train->h, k->e->train->w);
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
		ret = hider_fold(k->h->dense, bit, v.n, p);
		if (!ret)
			ret = hider_apply(k->h->unet, &v, p, (size_t)planes, x);
		for (int i = 0; i < v.n && c->jpeg && !ret; i += 2) {
			rng_at(&r, quality, (uint32_t)k->epoch, (uint32_t)(first + i));
			ret = hider_jpeg(x + (size_t)i * k->len, 1, v.c, v.h, v.w,
					 c->jpeg + (int)rng_below(&r, (uint32_t)(96 - c->jpeg)));
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
	if (u < k->c->cross)
		return CROSSED;
	if (u < k->c->cross + k->c->decoys)
		return u < k->c->cross + k->c->decoys / 2 ? NOISY : DECOY;
	return AS_IT_IS;
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

/* The decoys among images first .. first+n-1: the residuals of an encoder that nobody has trained, for every 256
 * another one. */
static int decoys(struct course *k, int first, int n)
{
	const struct hider_conf *c = k->hc;
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
		k->label[k->n + i] = (uint8_t)wrong_label(&k->wrong, i, epoch);
	}
	if (epoch % k->c->refresh)
		return 0;
	return encode_all(k) || dress_all(k) ? -1 : 0;
}

/* train_hooks.epoch_end: not zero stops the training. Half of the labels contradict the other half until the network
 * sees the residual, and in that noise its ReLUs may die: a quarter of the way it still gives all images the same
 * answer. */
static int epoch_over(void *ctx, struct model *m, int epoch, double loss, double accuracy)
{
	struct course *k = ctx;

	(void)loss;
	k->failed = epoch < k->e->recipe->epochs ? next_lesson(k, epoch) : 0;
	k->dead = epoch == (k->e->recipe->epochs + 3) / 4 && accuracy < 1.0 / m->spec.classes + 0.02;
	return k->failed || k->dead;
}

/* The classifier on all lessons, from what m is. */
static int teach(struct course *k, struct model *m)
{
	int ret = next_lesson(k, 0);

	k->dead = 0;
	if (!ret)
		ret = retrain(k->e, &k->plan, m);
	return ret ? ret : k->failed;
}

static struct retrain plan_of(const struct course_conf *c, const struct lock_env *e)
{
	struct retrain r = retrain_scratch(e);

	r.from_base = c->start == START_BASE;
	return r;
}

struct model *course_start(const struct course_conf *c, const struct lock_env *e)
{
	const struct retrain r = plan_of(c, e);

	return retrain_start(e, &r);
}

/* Initial values for attempt i: others, where they are fresh. */
static int start_again(const struct course *k, int i, struct model *m)
{
	struct retrain r = k->plan;
	struct model *fresh;

	r.seed = rng_derive(k->e->seed, "sample-again") + (uint64_t)i;
	fresh = retrain_start(k->e, &r);
	if (!fresh)
		return -1;
	memcpy(m->x, fresh->x, m->nx * sizeof(*m->x));
	model_free(fresh);
	return 0;
}

int course_teach(const struct course_conf *c, const struct hider_conf *hc, const struct lock_env *e, struct hider *h,
		 struct model *m)
{
	struct course k = { .c = c, .hc = hc, .e = e, .h = h, .wrong = wrong_labels(c, e), .plan = plan_of(c, e),
			    .n = e->train->n, .len = images_size(e->train) };
	const struct train_hooks hooks = { .ctx = &k, .epoch_end = epoch_over };
	struct images v = { .n = 2 * k.n, .c = e->train->c, .h = e->train->h, .w = e->train->w,
			    .classes = e->base->spec.classes };
	int ret;

	v.px = k.px = xmalloc(2 * (size_t)k.n * k.len, 1);
	v.labels = k.label = xmalloc(2 * (size_t)k.n, 1);
	k.plan.images = &v;
	k.plan.hooks = &hooks;
	ret = teach(&k, m);
	for (int i = 1; i < STARTS && k.dead && !ret; i++) {
		k.plan.recipe.lr /= 2;
		ret = start_again(&k, i, m);
		if (!ret)
			ret = teach(&k, m);
	}
	if (!ret && k.dead)
		ret = error(EXIT_FAILED_CELLS,
			    "the classifier learnt nothing in %d attempts: the images with wrong labels"
			    " drown the others; a lower rate or a smaller weight of the residual may help",
			    STARTS);
	lock_spend(e, k.encoded * model_macs(h->unet) / model_macs(e->base));
	free(k.px);
	free(k.label);
	return ret;
}
