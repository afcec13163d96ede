/* What identifies users on its way to the service, beside the clean images it was made from: how different it looks, and whether
 * detectors of hidden content see it. Credentials that are images, and queries that clients prepare, rounded to 8 bits. See judge.h;
 * reference/metrics.md 5.1 and 7. */
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "bench/judge.h"
#include "metrics/image/imagequality.h"
#include "metrics/image/steganalysis.h"
#include "schemes/kit/creds.h"

#define LOOKED_AT 200 /* images of each kind */
#define SENDERS 20    /* users whose queries they are */

struct pairs { int n, c, h, w; float *clean, *sent; }; /* (n, c*h*w) */

static size_t pairs_new(struct pairs *p, int n, int c, int h, int w)
{
	const size_t len = (size_t)c * (size_t)h * (size_t)w;

	*p = (struct pairs){ n, c, h, w, xmalloc(len * (size_t)n + 1, sizeof(float)), xmalloc(len * (size_t)n + 1, sizeof(float)) };
	return len;
}

static void pairs_release(struct pairs *p)
{
	free(p->clean);
	free(p->sent);
}

/* Issued credentials, spread over all users, beside the images they were made from (schemes/scheme.h: "about_clean"). */
static bool credential_pairs(const struct setup *s, struct pairs *p)
{
	const struct tensor *image = bundle_get(s->creds, "image", DT_F32), *clean = bundle_get(s->creds, "about_clean", DT_U8);
	const int all = image ? (int)image->d[0] : 0, n = all < LOOKED_AT ? all : LOOKED_AT;
	size_t len;

	if (!image || !clean || clean->len != image->len || image->nd != 4 || !n)
		return false;
	len = pairs_new(p, n, (int)image->d[1], (int)image->d[2], (int)image->d[3]);
	for (int i = 0; i < n; i++) {
		const size_t at = (size_t)((long long)i * all / n) * len;

		memcpy(p->sent + len * (size_t)i, (const float *)image->data + at, len * sizeof(float));
		image_floats((const uint8_t *)clean->data + at, len, p->clean + len * (size_t)i);
	}
	return true;
}

/* Test images beside what clients of the first users make of them. 0, or -1 after error(). */
static int query_pairs(const struct judge *j, struct pairs *p)
{
	const struct images *test = &j->s->splits->test;
	const int users = j->nrows < SENDERS ? j->nrows : SENDERS, room = test->n < LOOKED_AT ? test->n : LOOKED_AT, each = room / users;
	const size_t len = pairs_new(p, each * users, test->c, test->h, test->w);
	int ret = 0;

	for (int u = 0; u < users && !ret; u++) {
		struct bundle *one = creds_range(j->s->creds, j->row[u], 1);
		struct images q = *test;
		int *index = xmalloc((size_t)each + 1, sizeof(*index));
		float *sent;

		for (int i = 0; i < each; i++) {
			index[i] = images_at(test, u * each + i);
			images_get(test, u * each + i, p->clean + len * (size_t)(u * each + i));
		}
		q.index = index;
		q.n = each;
		sent = service_sent(&j->service, one, 0, &q);
		if (sent)
			memcpy(p->sent + len * (size_t)(u * each), sent, len * (size_t)each * sizeof(*sent));
		ret = sent ? 0 : -1;
		free(sent);
		free(index);
		bundle_free(one);
	}
	return ret;
}

void observe_quality(const char *prefix, const float *clean, const float *sent, int n, int c, int h, int w, struct observations *o)
{
	const size_t len = (size_t)c * (size_t)h * (size_t)w;
	double *x = xmalloc((size_t)n + 1, sizeof(*x));
	float *round = xmalloc(len, sizeof(*round));
	char name[48];

	for (const struct image_measure *m = image_measures; m->name; m++) {
		if (h < m->min_side || w < m->min_side || n < 1)
			continue;
		for (int i = 0; i < n; i++) {
			image_round8(sent + len * (size_t)i, len, round);
			x[i] = m->of(clean + len * (size_t)i, round, c, h, w);
		}
		snprintf(name, sizeof(name), "%s_%s", prefix, m->name);
		obs_series(o, name, x, (size_t)n);
	}
	free(round);
	free(x);
}

static int observe_detected(const struct setup *s, const struct pairs *p, struct observations *o)
{
	const struct images clean = { .n = p->n, .c = p->c, .h = p->h, .w = p->w, .classes = 1, .fx = p->clean };
	struct images sent = clean;
	char name[48];

	sent.fx = p->sent;
	for (int d = 0; d < STEG_DETECTORS && p->n >= STEG_LEAST; d++) {
		struct steg_result r;

		if (steganalysis((enum steg_detector)d, &clean, &sent, rng_derive(s->seed, "steganalysis"), &r) < 0)
			return -1;
		snprintf(name, sizeof(name), "wire_auc_%s", steg_names[d]);
		obs_num(o, name, r.auc);
	}
	if (p->n >= STEG_LEAST)
		obs_num(o, "wire_compared", p->n);
	return 0;
}

int observe_wire(const struct judge *j, struct observations *o)
{
	const struct setup *s = j->s;
	struct pairs p = { 0 };
	int ret = 0;

	if (s->scheme->prepare && j->nrows)
		ret = query_pairs(j, &p);
	else if (!credential_pairs(s, &p))
		return 0;
	if (!ret) {
		observe_quality("wire", p.clean, p.sent, p.n, p.c, p.h, p.w, o);
		ret = observe_detected(s, &p, o);
	}
	pairs_release(&p);
	return ret;
}
