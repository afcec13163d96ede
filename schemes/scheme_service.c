/* How a deployed service answers: the network, behind whatever stands before it. */
#include "schemes/scheme.h"

#include <string.h>

#include "base/error.h"
#include "schemes/kit/creds.h"
#include "schemes/kit/gate.h"

int service_probs(struct model *m, const struct images *v, int classes, float *probs)
{
	const int k = model_outputs(m);
	float *all;
	int ret;

	BUG_ON(k < classes);
	if (k == classes)
		return model_predict_probs(m, v, probs);
	all = xmalloc((size_t)v->n * k + 1, sizeof(*all));
	ret = model_predict(m, v, all);
	for (int i = 0; i < v->n && !ret; i++)
		memcpy(probs + (size_t)i * classes, all + (size_t)i * k, (size_t)classes * sizeof(*probs));
	if (!ret)
		softmax_rows(probs, v->n, classes);
	free(all);
	return ret;
}

float *service_sent(const struct service *s, const struct bundle *creds, int at, const struct images *v)
{
	const size_t len = (size_t)images_size(v);
	float *x = xmalloc((size_t)v->n * len + 1, sizeof(*x)), *y;
	int ret = 0;

	if (creds && s->scheme->prepare)
		ret = s->scheme->prepare(s, creds, at, v, x);
	else
		for (int i = 0; i < v->n; i++)
			images_get(v, i, x + len * i);
	if (!ret && s->wire) {
		y = xmalloc((size_t)v->n * len + 1, sizeof(*y));
		ret = s->wire(s->wire_ctx, x, v->n, v->c, v->h, v->w, y);
		free(x);
		x = y;
	}
	if (!ret)
		return x;
	free(x);
	return NULL;
}

static int ask(const struct service *s, struct model *m, const struct bundle *creds, int at, const struct images *v,
	       float *probs)
{
	struct images arrived = { .n = v->n, .c = v->c, .h = v->h, .w = v->w, .classes = v->classes };
	float *x;
	int ret;

	if (!s->wire && (!creds || !s->scheme->prepare))
		return service_probs(m, v, s->classes, probs);
	arrived.fx = x = service_sent(s, creds, at, v);
	ret = x ? service_probs(m, &arrived, s->classes, probs) : -1;
	free(x);
	return ret;
}

/* Is credential `at` let in for n queries? It is judged once a session. */
static int log_in(const struct service *s, const struct bundle *creds, int at, int n)
{
	const int most = s->scheme->session ? s->scheme->session(s->conf) : 0, session = most ? most : n;
	struct bundle *one = creds_range(creds, at, 1);
	struct auth auth = { .accepted = 1 };
	int ret = 0;

	for (int first = 0; first < n && auth.accepted && !ret; first += session)
		ret = s->scheme->authenticate(s, one, 1, &auth);
	bundle_free(one);
	return ret < 0 ? -1 : auth.accepted;
}

int service_query(const struct service *s, const struct bundle *creds, int at, const struct images *v, uint64_t nonce,
		  float *probs)
{
	const struct scheme *scheme = s->scheme;
	struct model *own;
	int ret;

	if (scheme->query)
		return scheme->query(s, creds, at, v, nonce, probs);
	if (scheme->decl.gate) {
		ret = creds ? log_in(s, creds, at, v->n) : 0;
		if (!ret)
			gate_deny(nonce, v->n, s->classes, probs);
		if (ret <= 0)
			return ret;
	}
	own = creds && scheme->unlock ? scheme->unlock(s, creds, at) : NULL;
	if (creds && scheme->unlock && !own)
		return -1;
	ret = ask(s, own ? own : s->model, creds, at, v, probs);
	model_free(own);
	return ret;
}
