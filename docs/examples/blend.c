/* Blend: a user's login is a blend of two pictures that the network sees as the user's class, with a certain
 * confidence. There are as many users as classes. The guide's example of a gate (docs/writing-drivers.md shows this
 * file as it stands).
 * Source: Xue et al., "ActiveGuard", arXiv 2103.01527. Differs: logins are found among random blends instead of
 * being crafted. */
#include <stddef.h>

#include "base/rng.h"
#include "schemes/kit/gate.h"
#include "schemes/kit/issue.h"
#include "schemes/kit/users.h"

struct blend_conf { double low, high; };
static const struct opt blend_opts[] = {
	{ "low", OPT_FLOAT, offsetof(struct blend_conf, low), "0.4", 0, 1, "least confidence of a login", NULL },
	{ "high", OPT_FLOAT, offsetof(struct blend_conf, high), "0.5", 0, 1, "most confidence of a login", NULL },
	{ 0 }
};

static int blend_users(const void *conf, int classes)
{
	(void)conf;
	return classes;
}

/* What this gate looks at: the answer to an image. *out comes as a refusal. */
static int blend_judge(const struct service *s, const float *image, const float *probs, struct auth *out)
{
	const struct blend_conf *c = s->conf;
	int top;

	(void)image;
	argmax_rows(probs, 1, s->classes, &top);
	if ((double)probs[top] >= c->low && (double)probs[top] <= c->high)
		*out = (struct auth){ .accepted = 1, .user = top };
	return 0;
}

/* An image for each user who has no login yet: the mean of two pictures of the owner's. */
static int blend_draw(const struct issue *k, struct round *r)
{
	const struct images *v = k->e->train;
	const size_t len = (size_t)images_size(v);

	for (int i = 0; i < r->n; i++) {
		float *x = r->image + len * (size_t)i;
		uint8_t *first = r->clean + len * (size_t)i;
		struct rng g;

		rng_open(&g, k->e->seed + (uint64_t)r->number, "blend", (uint32_t)r->user[i], (uint32_t)r->trial[i]);
		images_get(v, (int)rng_below(&g, (uint32_t)v->n), x);
		image_bytes(x, len, first);
		images_get(v, (int)rng_below(&g, (uint32_t)v->n), x);
		for (size_t p = 0; p < len; p++)
			x[p] = (x[p] + (float)first[p] / 255.0f) / 2;
	}
	return 0;
}

extern const struct scheme scheme_blend; /* its gate says which draws are logins */
static int blend_enrol(const struct lock_env *e, const void *conf, struct locked *l, const int *user, const int *trial,
		       int n, struct bundle *out)
{
	const int tries = 1000;

	return issue(&(struct issue){ e, conf, l, user, trial, n, out, tries, blend_draw, &scheme_blend });
}

const struct scheme scheme_blend = {
	.drv = { .name = "blend", .summary = "blends of two pictures as users' logins", .version = 1,
		 .source = "Xue et al., arXiv 2103.01527. Differs: logins are found among random blends, not crafted",
		 .conf_size = sizeof(struct blend_conf), .opts = blend_opts },
	.decl = { .scenario = "black-box", .mechanism = "fingerprint-based (blended images)", .capacity = "K users",
		  .type = "active authorization control", .function = "copyright management", .gate = 1,
		  .target_models = "image classifiers", .deployment = DEPLOY_POSTHOC, .knowledge = "black-box",
		  .ships = "the service holds the plain model; each user holds one image; the owner keeps nothing",
		  .has_users = 1, .has_revocation = 1, .has_identities = 1 },
	.lock = gate_lock, .enrol = blend_enrol, .users = blend_users, .revoke = users_revoke,
	.authenticate = gate_by_answers, .judge = blend_judge,
};
