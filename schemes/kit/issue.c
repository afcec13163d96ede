/* Issuing image credentials in rounds. */
#include "schemes/kit/issue.h"

#include <string.h>

#include "base/error.h"
#include "schemes/kit/creds.h"

/* What issue() has made so far, and the arrays of a round. */
struct issued {
	float *image;
	uint8_t *clean, *ok;
	int32_t *tries;
	size_t len;
	int *which, *user, *trial;
	struct round r;
};

static void open_issued(struct issued *all, const struct issue *k)
{
	const struct model_spec *s = &k->l->model->spec;
	const int64_t d[] = { k->n, s->c, s->h, s->w };
	const size_t n = (size_t)k->n + 1;

	all->len = (size_t)s->c * (size_t)s->h * (size_t)s->w;
	all->image = bundle_put(k->out, "image", DT_F32, 4, d, NULL);
	all->clean = bundle_put(k->out, "about_clean", DT_U8, 4, d, NULL);
	all->ok = bundle_put_u8(k->out, "ok", k->n, NULL);
	all->tries = bundle_put_i32(k->out, "tries", k->n, NULL);
	all->which = xmalloc(n, sizeof(int));
	all->user = xmalloc(n, sizeof(int));
	all->trial = xmalloc(n, sizeof(int));
	all->r = (struct round){ .which = all->which, .user = all->user, .trial = all->trial,
				 .image = xmalloc(n * all->len, sizeof(float)), .clean = xmalloc(n * all->len, 1),
				 .ok = xmalloc(n, 1) };
}

static void close_issued(struct issued *all)
{
	free(all->which);
	free(all->user);
	free(all->trial);
	free(all->r.image);
	free(all->r.clean);
	free(all->r.ok);
}

/* Who is drawn next: whoever has no valid credential yet. */
static void gather(struct issued *all, const struct issue *k)
{
	struct round *r = &all->r;

	r->n = 0;
	for (int i = 0; i < k->n; i++)
		if (!all->ok[i]) {
			all->which[r->n] = i;
			all->user[r->n] = k->user[i];
			all->trial[r->n++] = k->trial[i];
		}
	memset(r->ok, 0, (size_t)r->n);
}

/* Whom the gate takes the images drawn for. */
static int ask_gate(const struct issue *k, struct round *r)
{
	const struct model_spec *m = &k->l->model->spec;
	const struct service s = { .scheme = k->gate, .conf = k->conf, .model = k->l->model, .pub = k->l->pub,
				   .classes = k->e->base->spec.classes };
	struct bundle *creds = creds_images(r->image, r->n, m->c, m->h, m->w);
	struct auth *auth = xcalloc((size_t)r->n, sizeof(*auth));
	const int ret = k->gate->authenticate(&s, creds, r->n, auth);

	for (int i = 0; i < r->n && !ret; i++)
		r->ok[i] = auth[i].accepted && auth[i].user == r->user[i];
	lock_spend(k->e, r->n);
	bundle_free(creds);
	free(auth);
	return ret;
}

static void keep(struct issued *all)
{
	const struct round *r = &all->r;
	const size_t len = all->len;

	for (int i = 0; i < r->n; i++) {
		const size_t to = (size_t)r->which[i];

		memcpy(all->image + len * to, r->image + len * (size_t)i, len * sizeof(float));
		memcpy(all->clean + len * to, r->clean + len * (size_t)i, len);
		all->ok[to] = r->ok[i];
		all->tries[to] = r->number + 1;
	}
}

int issue(const struct issue *k)
{
	struct issued all;
	int ret = 0;

	open_issued(&all, k);
	gather(&all, k);
	for (; all.r.number < k->rounds && all.r.n && !ret; all.r.number++) {
		ret = k->draw(k, &all.r);
		if (!ret && k->gate)
			ret = ask_gate(k, &all.r);
		if (!ret)
			keep(&all);
		gather(&all, k);
	}
	close_issued(&all);
	return ret;
}
