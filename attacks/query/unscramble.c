/* Estimating a keyed transform of images: pixels change places within blocks, the same way in every block, and only images scrambled by the
 * right key are understood. The key has (M*M*c)! values; the way to it is smooth, because a key that is nearly right is nearly as good.
 *
 *   random  the best of `steps` keys
 *   climb   two entries of the key change places, and stay so when the loss on labelled images falls
 *
 * Source: AprilPyone and Kiya, "Block-wise image transformation with secret key", ICIP 2020 / access control, 2021 (the scheme, and its claim
 * that keys cannot be estimated). Differs: shuffling of pixels only; the search is ours. Begins with the order as it is. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/kit/encoder.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/rng.h"

enum { METHOD_RANDOM, METHOD_CLIMB };
enum { ENTRIES_MOST = 1024 };

struct unscramble_conf { int steps, method, block, images, through, top1; };
#define AT(member) offsetof(struct unscramble_conf, member)
static const struct opt unscramble_opts[] = {
	{ "steps", OPT_INT, AT(steps), "2000", 0, 10000000, "keys tried; 0: images go as they are", NULL },
	{ "method", OPT_CHOICE, AT(method), "climb", 0, 0, "how the next key comes from the best one", "random|climb" },
	{ "block", OPT_INT, AT(block), "4", 2, 32, "side of a block; rows and columns beyond whole blocks stay", NULL },
	{ "images", OPT_INT, AT(images), "200", 1, 1000000, "labelled images that say which key is better", NULL },
	THROUGH_ROW(struct unscramble_conf, through),
	{ "top1", OPT_BOOL, AT(top1), "no", 0, 0, "the service answers with a class only", NULL },
	{ 0 }
};
#undef AT

/* Travels in the product beside "key" i32 (block*block*c). */
struct scrambled { int block, through; };

/* Entry k of every block, (channel, row, column) in that order, becomes what entry key[k] was. */
static void scramble(const struct images *v, int block, const int32_t *key, float *out)
{
	const int cell = block * block, n = cell * v->c, len = images_size(v);
	float *x = xmalloc((size_t)len, sizeof(*x));

	for (int i = 0; i < v->n; i++, out += len) {
		images_get(v, i, x);
		memcpy(out, x, (size_t)len * sizeof(*x));
		for (int y = 0; y + block <= v->h; y += block)
			for (int u = 0; u + block <= v->w; u += block)
				for (int k = 0; k < n; k++) {
					const int from = key[k] % cell, to = k % cell;

					out[(k / cell * v->h + y + to / block) * v->w + u + to % block] =
						x[(key[k] / cell * v->h + y + from / block) * v->w + u + from % block];
				}
	}
	free(x);
}

static int unscramble_prepare(const struct product *p, const struct images *v, float *out)
{
	struct scrambled s;

	memcpy(&s, p->ctx, sizeof(s));
	scramble(v, s.block, bundle_i32(p->kept, "key", NULL), out);
	return 0;
}

static int unscramble_answer(const struct product *p, struct asked *service, const struct images *v, float *probs)
{
	struct scrambled s;

	memcpy(&s, p->ctx, sizeof(s));
	return encoder_answer(p, service, v, unscramble_prepare, s.through, probs);
}

/* ---- the search ---- */

struct search {
	struct access *a;
	const struct unscramble_conf *c;
	struct images v;
	struct model *stolen;
	float *x, *probs;
};

/* Mean -log P(true class) of images scrambled by the key; below 0 after error(). */
static double loss_of(struct search *s, const int32_t *key)
{
	const struct images sent = { .n = s->v.n, .c = s->v.c, .h = s->v.h, .w = s->v.w, .classes = s->v.classes, .fx = s->x };
	double loss = 0;
	int ret;

	scramble(&s->v, s->c->block, key, s->x);
	ret = s->stolen ? through_weights(s->stolen, &sent, s->a->classes, s->probs) : access_query(s->a, &sent, -1, s->probs);
	if (ret || access_spend(s->a, 0, s->stolen ? s->v.n : 0) < 0 || interrupt_check())
		return -1;
	for (int i = 0; i < s->v.n; i++)
		loss -= log(fmax((double)s->probs[(size_t)i * (size_t)s->a->classes + (size_t)images_label(&s->v, i)], 1e-6)) / s->v.n;
	return loss;
}

static bool affordable(const struct search *s)
{
	const struct ledger *l = s->a->ledger;

	return s->stolen || !l->max_queries || l->max_queries - l->queries >= s->v.n;
}

/* key (n) becomes the best one found. */
static int search(struct search *s, int32_t *key, int n, json_t *notes)
{
	int32_t try[ENTRIES_MOST];
	int order[ENTRIES_MOST], kept = 0, tried = 0;
	double best = loss_of(s, key), now = 0;
	struct rng r;

	jset_num(notes, "loss_before", best);
	rng_open(&r, s->a->seed, "unscramble", 0, 0);
	for (; tried < s->c->steps && best >= 0 && now >= 0 && affordable(s); tried++) {
		memcpy(try, key, (size_t)n * sizeof(*try));
		if (s->c->method == METHOD_CLIMB) {
			const int i = (int)rng_below(&r, (uint32_t)n), k = (i + 1 + (int)rng_below(&r, (uint32_t)n - 1)) % n;

			try[i] = key[k];
			try[k] = key[i];
		} else {
			rng_permutation(&r, order, n);
			for (int i = 0; i < n; i++)
				try[i] = order[i];
		}
		now = loss_of(s, try);
		if (now < 0 || now >= best)
			continue;
		best = now;
		kept++;
		memcpy(key, try, (size_t)n * sizeof(*key));
	}
	jset_num(notes, "loss_after", best);
	jset_int(notes, "improvements", kept);
	return best < 0 || now < 0 ? -1 : access_spend(s->a, s->v.n, 0);
}

static unsigned unscramble_needs(const void *conf)
{
	const struct unscramble_conf *c = conf;

	return CAP_ALGO | CAP_LABELLED | through_needs(c->through, c->top1);
}

static int unscramble_run(struct access *a, const void *conf, struct product *p)
{
	const struct unscramble_conf *c = conf;
	const struct scrambled info = { c->block, c->through };
	const int n = c->block * c->block * a->c;
	struct search s = { .a = a, .c = c, .v = images_first(a->labelled, c->images) };
	int32_t *key;
	int ret = 0;

	if (!s.v.n || (c->through == THROUGH_WEIGHTS && !a->model) || n > ENTRIES_MOST || c->block > a->h || c->block > a->w)
		return error(EXIT_UNEVALUABLE, "unscramble: images or the deployed weights were not granted, or blocks of %d are too large", c->block);
	p->goal = GOAL_USE;
	p->answer = unscramble_answer;
	p->kept = bundle_new();
	p->notes = json_object();
	p->stolen = c->through == THROUGH_WEIGHTS ? model_copy(a->model) : NULL;
	memcpy(p->ctx, &info, sizeof(info));
	key = bundle_put_i32(p->kept, "key", n, NULL);
	for (int i = 0; i < n; i++)
		key[i] = i;
	if (!c->steps)
		return 0;
	s.stolen = p->stolen;
	s.x = xmalloc((size_t)s.v.n * (size_t)images_size(&s.v), sizeof(*s.x));
	s.probs = xmalloc((size_t)s.v.n * (size_t)a->classes, sizeof(*s.probs));
	ret = search(&s, key, n, p->notes);
	free(s.x);
	free(s.probs);
	return ret;
}

static double unscramble_cost(const void *conf, const struct expected *e)
{
	const struct unscramble_conf *c = conf;

	return (double)(c->images < e->pool ? c->images : e->pool) * (c->steps + 1);
}

const struct attack attack_unscramble = {
	.drv = { .name = "unscramble", .summary = "estimate the key by which pixels of every block change places",
		 .source = "AprilPyone and Kiya (block-wise shuffling with a secret key), ICIP 2020. Differs: the search is ours",
		 .version = 1, .conf_size = sizeof(struct unscramble_conf), .opts = unscramble_opts },
	.goal = GOAL_USE, .needs = CAP_ALGO | CAP_LABELLED, .strength = "steps", .strength_up = 1,
	.tier = { "steps=200 images=100", NULL, NULL }, .needs_for = unscramble_needs, .run = unscramble_run,
	.cost = unscramble_cost, .search = "block=2,4,7,8,14",
};
