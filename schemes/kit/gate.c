/* What the schemes share that put an `if` beside the network. See gate.h. */
#include "base/error.h"
#include "base/rng.h"
#include "schemes/kit/gate.h"
#include <string.h>

const float *gate_images(const struct bundle *creds, const struct model_spec *s, int n)
{
	const struct tensor *t = bundle_get(creds, "image", DT_F32);

	if (!t) {
		error(EXIT_UNEVALUABLE, "these credentials hold no tensor 'image' of float32");
		return NULL;
	}
	if (t->nd != 4 || t->d[0] < n || t->d[1] != s->c || t->d[2] != s->h || t->d[3] != s->w) {
		error(EXIT_UNEVALUABLE, "credential images must be (at least %d,%d,%d,%d), as the network's input", n, s->c, s->h,
		      s->w);
		return NULL;
	}
	return t->data;
}

bool gate_usable(const float *image, int len)
{
	for (int j = 0; j < len; j++)
		if (!(image[j] >= 0 && image[j] <= 1)) /* also refuses nan */
			return false;
	return true;
}

void gate_deny(uint64_t nonce, int n, int classes, float *probs)
{
	const struct rng_key key = rng_key(nonce, "gate-deny");

	memset(probs, 0, (size_t)n * classes * sizeof(*probs));
	for (int i = 0; i < n; i++) {
		struct rng r;

		rng_at(&r, key, (uint32_t)i, 0);
		probs[(long)i * classes + rng_below(&r, (uint32_t)classes)] = 1;
	}
}

bool gate_revoked(const struct bundle *pub, int user)
{
	size_t n;
	const int32_t *list = bundle_i32(pub, "revoked", &n);

	for (size_t i = 0; list && i < n; i++)
		if (list[i] == user)
			return true;
	return false;
}

void gate_revoke(struct bundle *pub, int user)
{
	size_t n = 0, at = 0;
	const int32_t *old = bundle_i32(pub, "revoked", &n);
	int32_t *list;

	if (gate_revoked(pub, user))
		return;
	if (!old)
		n = 0;
	list = xmalloc(n + 1, sizeof(*list));
	while (at < n && old[at] < user)
		at++;
	if (at)
		memcpy(list, old, at * sizeof(*list));
	list[at] = user;
	if (at < n)
		memcpy(list + at + 1, old + at, (n - at) * sizeof(*list));
	bundle_put_i32(pub, "revoked", (int64_t)n + 1, list);
	free(list);
}
