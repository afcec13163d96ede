/* Control: a password check outside the network. A credential is an image of random bytes; the service keeps SHA-256
 * hashes and serves whoever presents an image with a known hash. A scheme that does no better than this should be seen
 * to do no better.
 * Source: none; it is what one would write without a paper. Unauthorised users get uniformly random classes, as in
 * ActiveGuard, so that the two compare. */
#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"
#include "schemes/kit/gate.h"
#include "schemes/scheme.h"
#include <stddef.h>
#include <string.h>

struct keycheck_conf {
	int users;
};
static const struct opt keycheck_opts[] = {
	{ "users", OPT_INT, offsetof(struct keycheck_conf, users), "30", 1, 1000000, "users that exist by default", NULL },
	{ 0 }
};

/* The shipped table: one row a credential, ascending, so that it does not tell the order of enrolment. */
struct row {
	uint8_t hash[HASH_LEN];
	int32_t user;
};

static int by_hash(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	const int c = memcmp(x->hash, y->hash, HASH_LEN);

	return c ? c : (x->user > y->user) - (x->user < y->user);
}

/* The password is the image in 8 bits, so that it survives being stored as one. */
static void image_hash(const float *image, int len, uint8_t out[HASH_LEN])
{
	uint8_t *bytes = xmalloc((size_t)len, 1);

	image_bytes(image, (size_t)len, bytes);
	sha256(bytes, (size_t)len, out);
	free(bytes);
}

/* Rows of pub, with room for more; caller frees. */
static struct row *table_read(const struct bundle *pub, size_t more, size_t *n)
{
	size_t bytes = 0, users = 0;
	const uint8_t *hash = bundle_u8(pub, "hash", &bytes);
	const int32_t *user = bundle_i32(pub, "user", &users);
	struct row *t;

	*n = hash && user && bytes == users * HASH_LEN ? users : 0;
	t = xcalloc(*n + more + 1, sizeof(*t));
	for (size_t i = 0; i < *n; i++) {
		memcpy(t[i].hash, hash + i * HASH_LEN, HASH_LEN);
		t[i].user = user[i];
	}
	return t;
}

static void table_write(struct bundle *pub, struct row *t, size_t n)
{
	size_t kept = 0;
	uint8_t *hash;
	int32_t *user;

	qsort(t, n, sizeof(*t), by_hash);
	for (size_t i = 0; i < n; i++) /* enrolling twice leaves one row */
		if (!kept || by_hash(&t[kept - 1], &t[i]))
			t[kept++] = t[i];
	hash = bundle_put(pub, "hash", DT_U8, 2, (const int64_t[]){ (int64_t)kept, HASH_LEN }, NULL);
	for (size_t i = 0; i < kept; i++)
		memcpy(hash + i * HASH_LEN, t[i].hash, HASH_LEN);
	user = bundle_put_i32(pub, "user", (int64_t)kept, NULL);
	for (size_t i = 0; i < kept; i++)
		user[i] = t[i].user;
}

/* ---- hooks ---- */

static int keycheck_lock(const struct lock_env *e, const void *conf, struct locked *l)
{
	(void)conf;
	l->model = model_copy(e->base);
	return 0;
}

static int keycheck_enrol(const struct lock_env *e, const void *conf, struct locked *l, const int *user, const int *trial,
			  int n, struct bundle *out)
{
	const struct model_spec *s = &l->model->spec;
	const int len = s->c * s->h * s->w;
	float *image = bundle_put(out, "image", DT_F32, 4, (const int64_t[]){ n, s->c, s->h, s->w }, NULL);
	const struct rng_key key = rng_key(e->seed, "keycheck-password");
	struct row *table;
	size_t rows;

	(void)conf;
	bundle_meta_num(out, "credential_bytes", len); /* they survive being stored in 8 bits */
	table = table_read(l->pub, (size_t)n, &rows);
	for (int i = 0; i < n; i++) {
		struct rng r;

		rng_at(&r, key, (uint32_t)user[i], (uint32_t)trial[i]);
		for (int j = 0; j < len; j++)
			image[(long)i * len + j] = (float)(rng_u32(&r) >> 24) / 255.0f;
		image_hash(image + (long)i * len, len, table[rows].hash);
		table[rows++].user = user[i];
	}
	table_write(l->pub, table, rows);
	free(table);
	return 0;
}

static int keycheck_revoke(const void *conf, struct locked *l, int user)
{
	(void)conf;
	gate_revoke(l->pub, user);
	return 0;
}

/* No formula limits them: as many as there are user numbers. */
static double keycheck_users_analytic(const void *conf, int classes)
{
	(void)conf;
	(void)classes;
	return 2147483648.0;
}

static struct auth look_up(const struct bundle *pub, const struct row *table, size_t rows, const float *image, int len)
{
	struct row want;
	size_t lo = 0, hi = rows;

	if (!gate_usable(image, len))
		return (struct auth){ .user = -1 };
	image_hash(image, len, want.hash);
	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;
		const int c = memcmp(want.hash, table[mid].hash, HASH_LEN);

		if (!c && gate_revoked(pub, table[mid].user))
			break;
		if (!c)
			return (struct auth){ .accepted = 1, .user = table[mid].user, .score = 1 };
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return (struct auth){ .user = -1 };
}

static int keycheck_authenticate(const struct service *s, const struct bundle *creds, int n, struct auth *out)
{
	const struct model_spec *spec = &s->model->spec;
	const int len = spec->c * spec->h * spec->w;
	const float *image = gate_images(creds, spec, n);
	struct row *table;
	size_t rows;

	if (!image)
		return -1;
	table = table_read(s->pub, 0, &rows);
	for (int i = 0; i < n; i++)
		out[i] = look_up(s->pub, table, rows, image + (long)i * len, len);
	free(table);
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
		  .ships = "the service holds the model and hashes; each user holds a random image; the owner keeps nothing",
		  .has_users = 1, .has_revocation = 1, .has_identities = 1 },
	.lock = keycheck_lock,
	.enrol = keycheck_enrol,
	.revoke = keycheck_revoke,
	.users_analytic = keycheck_users_analytic,
	.authenticate = keycheck_authenticate,
};
