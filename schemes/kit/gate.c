/* Gates whose credentials are images: whom they let in, and what the others get. */
#include "schemes/kit/gate.h"

#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "schemes/kit/users.h"

int gate_lock(const struct lock_env *e, const void *conf, struct locked *l)
{
	(void)conf;
	l->model = model_copy(e->base);
	return 0;
}

/* The tensor "image" of creds as a view of n images of the network's input shape; false after error(). */
static bool open_images(const struct bundle *creds, const struct model_spec *s, int n, struct images *v)
{
	const struct tensor *t = bundle_get(creds, "image", DT_F32);

	if (!t) {
		error(EXIT_UNEVALUABLE, "these credentials hold no tensor 'image' of float32");
		return false;
	}
	if (t->nd != 4 || t->d[0] < n || t->d[1] != s->c || t->d[2] != s->h || t->d[3] != s->w) {
		error(EXIT_UNEVALUABLE, "credential images must be (at least %d,%d,%d,%d), as the network's input", n,
		      s->c, s->h, s->w);
		return false;
	}
	*v = (struct images){ .n = n, .c = s->c, .h = s->h, .w = s->w, .classes = s->classes, .fx = t->data };
	return true;
}

static bool is_image(const float *x, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(x[i] >= 0 && x[i] <= 1)) /* also refuses nan */
			return false;
	return true;
}

/* probs (v->n, outputs), or NULL. */
static int judge_all(const struct service *s, const struct images *v, const float *probs, int outputs, struct auth *out)
{
	const struct auth refused = { .user = -1, .score = s->scheme->worst };
	const size_t len = (size_t)images_size(v);

	for (int i = 0; i < v->n; i++) {
		const float *x = v->fx + len * (size_t)i;

		out[i] = refused;
		if (is_image(x, len) && s->scheme->judge(s, x, probs ? probs + (size_t)i * outputs : NULL, &out[i]) < 0)
			return -1;
		if (out[i].accepted && users_revoked(s->pub, out[i].user))
			out[i] = refused;
	}
	return 0;
}

int gate_by_images(const struct service *s, const struct bundle *creds, int n, struct auth *out)
{
	struct images v;

	return open_images(creds, &s->model->spec, n, &v) ? judge_all(s, &v, NULL, 0, out) : -1;
}

int gate_by_answers(const struct service *s, const struct bundle *creds, int n, struct auth *out)
{
	const int outputs = model_outputs(s->model);
	struct images v;
	float *probs;
	int ret;

	if (!open_images(creds, &s->model->spec, n, &v))
		return -1;
	probs = xmalloc((size_t)n * (size_t)outputs + 1, sizeof(*probs));
	ret = model_predict_probs(s->model, &v, probs);
	if (!ret)
		ret = judge_all(s, &v, probs, outputs, out);
	free(probs);
	return ret;
}

void gate_deny(uint64_t nonce, int n, int classes, float *probs)
{
	const struct rng_key key = rng_key(nonce, "gate-deny");

	memset(probs, 0, (size_t)n * (size_t)classes * sizeof(*probs));
	for (int i = 0; i < n; i++) {
		struct rng r;

		rng_at(&r, key, (uint32_t)i, 0);
		probs[(size_t)i * (size_t)classes + rng_below(&r, (uint32_t)classes)] = 1;
	}
}
