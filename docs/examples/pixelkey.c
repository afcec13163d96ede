/* Pixel key: the network learns images whose pixels at secret positions are negatives, block after block; users'
 * clients make such images of their queries. The guide's example of a lock (docs/writing-drivers.md shows this file as
 * it stands).
 * Source: AprilPyone and Kiya, GCCE 2020 (arXiv 2008.02450). Differs: parts of blocks have blocks' first positions. */
#include <stddef.h>

#include "base/error.h"
#include "base/rng.h"
#include "schemes/kit/creds.h"
#include "schemes/kit/retrain.h"

struct pixelkey_conf { int block, users; };
static const struct opt pixelkey_opts[] = {
	{ "block", OPT_INT, offsetof(struct pixelkey_conf, block), "4", 2, 64, "side of the blocks in pixels", NULL },
	{ "users", OPT_INT, offsetof(struct pixelkey_conf, users), "30", 1, 1000000, "users; all hold one key", NULL },
	{ 0 }
};

/* out (v->n, c, h, w): the images with the key's positions of every block turned into negatives. */
static int turn(const struct pixelkey_conf *c, int64_t key, const struct images *v, float *out)
{
	const int m = c->block, area = v->h * v->w, len = images_size(v);
	uint8_t *negative = xmalloc((size_t)(v->c * m * m), 1);
	struct rng r;

	rng_open(&r, (uint64_t)key, "pixelkey-positions", 0, 0);
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
	const int64_t key = (int64_t)rng_derive(e->seed, "pixelkey");
	struct retrain how = retrain_scratch(e);
	float *x;
	struct images v = images_copied(e->train, 0, &x, NULL);
	int ret;

	turn(conf, key, e->train, x);
	bundle_put(l->secret, "key", DT_I64, 1, (const int64_t[]){ 1 }, &key);
	how.images = &v;
	l->model = retrain_start(e, &how);
	ret = retrain(e, &how, l->model);
	images_free(&v);
	return ret;
}

static int pixelkey_enrol(const struct lock_env *e, const void *conf, struct locked *l, const int *user,
			  const int *trial, int n, struct bundle *out)
{
	(void)e, (void)conf, (void)user, (void)trial;
	for (int i = 0; i < n; i++)
		creds_put(out, i, n, bundle_get(l->secret, "key", DT_I64));
	return 0;
}

static int pixelkey_prepare(const struct service *s, const struct bundle *b, int at, const struct images *v, float *x)
{
	return turn(s->conf, ((const int64_t *)bundle_get(b, "key", DT_I64)->data)[at], v, x);
}

const struct scheme scheme_pixelkey = {
	.drv = { .name = "pixelkey", .summary = "a network for images with negative pixels at secret positions",
		 .source = "AprilPyone and Kiya, GCCE 2020 (arXiv 2008.02450). Differs: the base network's recipe",
		 .version = 1, .conf_size = sizeof(struct pixelkey_conf), .opts = pixelkey_opts },
	.decl = { .scenario = "white-box: a stolen network", .mechanism = "input transformation",
		  .capacity = "2^64 keys", .type = "active authorization control", .function = "copyright management",
		  .target_models = "image classifiers", .deployment = DEPLOY_RETRAIN, .knowledge = "black-box",
		  .has_users = 1, .changes_weights = 1, .ships = "the service holds the network, users the key" },
	.lock = pixelkey_lock, .enrol = pixelkey_enrol, .prepare = pixelkey_prepare,
};
