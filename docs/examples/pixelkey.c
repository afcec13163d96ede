/* Pixel key: the network is trained on images in which the pixels of secret positions are negatives, block after block. Users' clients do
 * the same to each query; without it the network sees images of a kind that it has never learnt.
 * The guide's example of a whole scheme (docs/writing-drivers.md shows this file as it stands).
 *
 * Source: AprilPyone and Kiya, "Training DNN model with secret key for model protection", GCCE 2020 (arXiv 2008.02450), its
 * negative/positive transformation. Differs: what is left of a block at the edges has the block's first positions. */
#include "base/error.h"
#include "base/rng.h"
#include "schemes/scheme.h"
#include <stddef.h>
#include <string.h>

enum { KEY = 8 }; /* bytes; a block's positions are drawn from them */

struct pixelkey_conf { int block, users; };
#define AT(field) offsetof(struct pixelkey_conf, field)
static const struct opt pixelkey_opts[] = {
	{ "block", OPT_INT, AT(block), "4", 2, 64, "side of the blocks in pixels", NULL },
	{ "users", OPT_INT, AT(users), "30", 1, 1000000, "users that exist by default; all hold the same key", NULL },
	{ 0 }
};

/* out (v->n, c, h, w): the images with the key's positions of every block turned into negatives. */
static int turn(const struct pixelkey_conf *c, const uint8_t key[KEY], const struct images *v, float *out)
{
	const int m = c->block, area = v->h * v->w, len = images_size(v);
	uint8_t *negative = xmalloc((size_t)(v->c * m * m), 1);
	uint64_t seed;
	struct rng r;

	memcpy(&seed, key, KEY);
	rng_open(&r, seed, "pixelkey-positions", 0, 0);
	for (int i = 0; i < v->c * m * m; i++)
		negative[i] = rng_u32(&r) & 1;
	for (int n = 0; n < v->n; n++, out += len) {
		images_get(v, n, out);
		for (int i = 0; i < len; i++)
			if (negative[(i / area * m + i % area / v->w % m) * m + i % v->w % m])
				out[i] = 1 - out[i];
	}
	free(negative);
	return 0;
}

static int pixelkey_lock(const struct lock_env *e, const void *conf, struct locked *l)
{
	uint8_t *key = bundle_put_u8(l->secret, "key", KEY, NULL);
	struct train_stats stats = { 0 };
	struct images v;
	struct rng r;
	float *x;
	int ret;

	rng_open(&r, e->seed, "pixelkey", 0, 0);
	rng_bytes(&r, key, KEY);
	v = images_copied(e->train, 0, &x, NULL);
	turn(conf, key, e->train, x);
	l->model = model_new_init(&e->base->spec, (enum init_kind)e->recipe->init, e->seed);
	ret = l->model ? train(l->model, &v, e->recipe, e->seed, e->label, NULL, &stats) : -1;
	if (e->forward_equivalents)
		*e->forward_equivalents += stats.forward_equivalents;
	images_free(&v);
	return ret;
}

static int pixelkey_enrol(const struct lock_env *e, const void *conf, struct locked *l, const int *user, const int *trial, int n,
			  struct bundle *out)
{
	uint8_t *key = bundle_put(out, "key", DT_U8, 2, (const int64_t[]){ n, KEY }, NULL);

	(void)e, (void)conf, (void)user, (void)trial;
	for (int i = 0; i < n; i++)
		memcpy(key + (size_t)i * KEY, bundle_u8(l->secret, "key", NULL), KEY);
	return 0;
}

static int pixelkey_prepare(const struct service *s, const struct bundle *creds, int at, const struct images *v, float *out)
{
	return turn(s->conf, bundle_u8(creds, "key", NULL) + (size_t)at * KEY, v, out);
}

const struct scheme scheme_pixelkey = {
	.drv = { .name = "pixelkey", .summary = "a network for images with negative pixels at secret positions", .version = 1,
		 .source = "AprilPyone and Kiya, GCCE 2020 (arXiv 2008.02450). Differs: the base network's recipe",
		 .conf_size = sizeof(struct pixelkey_conf), .opts = pixelkey_opts },
	.decl = { .scenario = "white-box: a stolen network", .mechanism = "input transformation", .capacity = "2^(c m m) masks",
		  .type = "active authorization control", .function = "copyright management", .target_models = "image classifiers",
		  .deployment = DEPLOY_RETRAIN, .knowledge = "black-box", .has_users = 1, .changes_weights = 1,
		  .ships = "the service holds the network; every user holds the one key; the owner keeps it, too" },
	.lock = pixelkey_lock, .enrol = pixelkey_enrol, .prepare = pixelkey_prepare,
};
