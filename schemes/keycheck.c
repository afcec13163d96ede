/* Control: a password check outside the network. A credential is an image of random bytes; the service keeps SHA-256
 * hashes and serves whoever presents an image with a known hash. A scheme that does no better than this should be seen
 * to do no better.
 * Source: none; it is what one would write without a paper. Unauthorised users get uniformly random classes, as in
 * ActiveGuard, so that the two compare. */
#include <stddef.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"
#include "schemes/kit/gate.h"
#include "schemes/kit/table.h"
#include "schemes/kit/users.h"

struct keycheck_conf {
	int users;
};
static const struct opt keycheck_opts[] = {
	{ "users", OPT_INT, offsetof(struct keycheck_conf, users), "30", 1, 1000000, "users that exist by default",
	  NULL },
	{ 0 }
};

static size_t image_len(const struct model *m)
{
	return (size_t)m->spec.c * (size_t)m->spec.h * (size_t)m->spec.w;
}

/* What ships is a table of a row a credential: "hash" u8 (n,32) of the image in 8 bits, so that it survives being
 * stored as one, and "user" i32 (n). */
static int keycheck_enrol(const struct lock_env *e, const void *conf, struct locked *l, const int *user,
			  const int *trial, int n, struct bundle *out)
{
	const struct model_spec *s = &l->model->spec;
	const size_t len = image_len(l->model);
	const struct rng_key key = rng_key(e->seed, "keycheck-password");
	float *image = bundle_put(out, "image", DT_F32, 4, (const int64_t[]){ n, s->c, s->h, s->w }, NULL);
	struct bundle *rows = bundle_new();
	uint8_t *hash = bundle_put(rows, "hash", DT_U8, 2, (const int64_t[]){ n, HASH_LEN }, NULL);
	uint8_t *px = xmalloc(len, 1);

	(void)conf;
	bundle_put_i32(rows, "user", n, user);
	bundle_meta_num(out, "credential_bytes", (double)len);
	for (int i = 0; i < n; i++) {
		struct rng r;

		rng_at(&r, key, (uint32_t)user[i], (uint32_t)trial[i]);
		for (size_t k = 0; k < len; k++)
			px[k] = (uint8_t)(rng_u32(&r) >> 24);
		image_floats(px, len, image + len * (size_t)i);
		sha256(px, len, hash + (size_t)HASH_LEN * (size_t)i);
	}
	table_add(l->pub, "hash", rows);
	bundle_free(rows);
	free(px);
	return 0;
}

static int keycheck_judge(const struct service *s, const float *image, const float *probs, struct auth *out)
{
	const size_t len = image_len(s->model);
	uint8_t *px = xmalloc(len, 1), hash[HASH_LEN];
	size_t users;
	const int32_t *user = bundle_i32(s->pub, "user", &users);
	int row;

	(void)probs;
	image_bytes(image, len, px);
	sha256(px, len, hash);
	free(px);
	row = table_find(s->pub, "hash", DT_U8, HASH_LEN, hash);
	if (row >= 0 && (size_t)row < users)
		*out = (struct auth){ .accepted = 1, .user = user[row], .score = 1 };
	return 0;
}

const struct scheme scheme_keycheck = {
	.drv = { .name = "keycheck", .summary = "control: a password check outside the network", .version = 1,
		 .source = "none: what one would write without a paper. Differs: nothing to differ from",
		 .conf_size = sizeof(struct keycheck_conf), .opts = keycheck_opts },
	.decl = { .scenario = "black-box", .mechanism = "none: a password beside the model",
		  .capacity = "256 bits a user (a SHA-256 hash)", .type = "active authorization control",
		  .function = "copyright management", .target_models = "any", .gate = 1, .deployment = DEPLOY_POSTHOC,
		  .knowledge = "black-box",
		  .ships = "the service holds the model and hashes; each user holds a random image; the owner keeps"
			   " nothing",
		  .has_users = 1, .has_revocation = 1, .has_identities = 1 },
	.lock = gate_lock, .enrol = keycheck_enrol, .revoke = users_revoke, .users_analytic = users_unlimited,
	.authenticate = gate_by_images, .judge = keycheck_judge, .worst = 0,
};
