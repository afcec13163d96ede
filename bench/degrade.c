/* Judging a channel: what it does to test images and credentials, what the service makes of what arrives, by the role of
 * whoever modifies (attacks/attack.h), and what the channel's detector sees. See judge.h. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "bench/judge.h"
#include "metrics/image/imagequality.h"
#include "schemes/kit/creds.h"

/* ---- what arrives ---- */

/* What a channel did to images, summed. */
struct damage {
	double psnr;
	long n, differ;
};

static void add_damage(struct damage *d, const float *in, const float *out, size_t len)
{
	d->psnr += psnr(in, out, len);
	d->differ += memcmp(in, out, len * sizeof(*in)) != 0;
	d->n++;
}


#define CHUNK 256 /* images in a channel at once */

/* The test images as they arrive: out (test images, c*h*w), and labels in the same order. */
static int channel_images(const struct setup *s, const struct product *p, float *out, uint8_t *labels, struct damage *d)
{
	const struct images *test = &s->splits->test;
	const size_t len = images_size(test);
	float *in = xmalloc(CHUNK * len, sizeof(*in));
	int ret = 0;

	for (int first = 0; first < test->n && !ret; first += CHUNK) {
		const int n = test->n - first < CHUNK ? test->n - first : CHUNK;

		for (int i = 0; i < n; i++) {
			images_get(test, first + i, in + len * i);
			labels[first + i] = (uint8_t)images_label(test, first + i);
		}
		ret = p->channel(p, in, n, test->c, test->h, test->w, out + len * first);
		for (int i = 0; i < n && !ret; i++)
			add_damage(d, in + len * i, out + len * (first + i), len);
	}
	free(in);
	return ret;
}

/* Issued credentials as they arrive: images come through the channel, other keys do not take that way. NULL after error(). */
static struct bundle *channelled(const struct setup *s, const struct product *p, struct damage *d)
{
	struct bundle *creds = bundle_copy(s->creds);
	const struct tensor *t = bundle_get(creds, "image", DT_F32), *clean = bundle_get(s->creds, "image", DT_F32);
	const float *in = clean ? clean->data : NULL, *out = t ? t->data : NULL;
	const size_t len = t ? t->len / (size_t)t->d[0] : 0;

	if (!t)
		return creds;
	if (p->channel(p, clean->data, (int)t->d[0], (int)t->d[1], (int)t->d[2], (int)t->d[3], t->data) < 0) {
		bundle_free(creds);
		return NULL;
	}
	for (int i = 0; i < t->d[0]; i++)
		add_damage(d, in + len * i, out + len * i, len);
	return creds;
}

/* ---- what the service makes of it ---- */

static int observe_channel_users(const struct judge *j, const struct service *v, const struct bundle *creds,
				 struct observations *o)
{
	const struct setup *s = j->s;
	unsigned char *accepted = xcalloc(j->ncreds, 1), *identified = xcalloc(j->ncreds, 1);
	unsigned *passed = xcalloc(j->ncreds, sizeof(*passed));
	const int ret = judge_genuine(s, v, creds, accepted, identified, passed);

	if (!ret) {
		obs_num(o, "users", s->users);
		obs_num(o, "credentials_per_user", s->per_user);
		obs_bits(o, "channel_genuine_accepted", accepted, j->ncreds);
		if (s->scheme->decl.has_identities)
			obs_bits(o, "channel_genuine_identified", identified, j->ncreds);
		judge_observe(s->scheme, "channel", passed, j->ncreds, o);
	}
	free(passed);
	free(accepted);
	free(identified);
	return ret ? ret : judge_trace(j, v, "channel", o);
}

/* test: what arrives of the test images. role: who asks (a leaker is authorised, somebody without a credential is not). */
static int observe_channel_answers(const struct judge *j, const struct service *v, enum role role, const struct images *test,
				   const struct bundle *creds, struct observations *o)
{
	unsigned char *right = xmalloc(test->n, 1);
	int ret = 0;

	if (role != ROLE_UNLOCK) {
		ret = judge_answers(j->s, v, creds, j->row, j->nrows, test, "authorised", right);
		if (!ret)
			obs_bits(o, "channel_authorised_correct", right, test->n);
	}
	if (role != ROLE_EVADE && !ret && judge_controls_access(j->s)) {
		ret = judge_answers(j->s, v, NULL, NULL, 0, test, "unauthorised", right);
		if (!ret)
			obs_bits(o, "channel_unauthorised_correct", right, test->n);
	}
	free(right);
	return ret;
}

/* The images that pass: a leaker's credentials in its role, else the test images; and whether anything at all was changed. */
static void observe_damage(const struct product *p, const struct damage *queries, const struct damage *creds,
			   struct observations *o, int *changed)
{
	const struct damage *d = p->role == ROLE_EVADE && creds->n ? creds : queries;

	if (d->n)
		obs_num(o, "channel_psnr", d->psnr / (double)d->n);
	obs_num(o, "changed", d->n ? (double)d->differ / (double)d->n : 0);
	if (creds->n)
		obs_num(o, "changed_credentials", (double)creds->differ / (double)creds->n);
	*changed = queries->differ + creds->differ > 0;
}

#define LOOKED_AT 100 /* images of which every measure but PSNR is taken, which is of all */

/* Numbers channel_MEASURE: means over the first images. */
static void observe_looks(const float *in, const float *out, int n, int c, int h, int w, struct observations *o)
{
	const size_t len = (size_t)c * (size_t)h * (size_t)w;
	const int looked = n < LOOKED_AT ? n : LOOKED_AT;
	char name[48];

	for (const struct image_measure *m = image_measures; m->name; m++) {
		double sum = 0;

		if (h < m->min_side || w < m->min_side || !looked || !strcmp(m->name, "psnr"))
			continue;
		for (int i = 0; i < looked; i++)
			sum += m->of(in + len * (size_t)i, out + len * (size_t)i, c, h, w);
		snprintf(name, sizeof(name), "channel_%s", m->name);
		obs_num(o, name, sum / looked);
	}
}

/* The images whose damage counts, as observe_damage() has it. x: the test images as they arrive, or NULL when nobody asks. */
static void observe_channel_looks(const struct judge *j, const struct product *p, const struct bundle *arrived, const float *x,
				  struct observations *o)
{
	const struct images *test = &j->s->splits->test;
	const struct tensor *t = arrived ? bundle_get(arrived, "image", DT_F32) : NULL;
	const int n = test->n < LOOKED_AT ? test->n : LOOKED_AT;
	const size_t len = (size_t)images_size(test);
	float *clean;

	if (t && p->role == ROLE_EVADE) {
		observe_looks(bundle_get(j->s->creds, "image", DT_F32)->data, t->data, (int)t->d[0], (int)t->d[1], (int)t->d[2],
			      (int)t->d[3], o);
		return;
	}
	if (!x)
		return;
	clean = xmalloc(len * (size_t)n + 1, sizeof(*clean));
	for (int i = 0; i < n; i++)
		images_get(test, i, clean + len * (size_t)i);
	observe_looks(clean, x, n, test->c, test->h, test->w, o);
	free(clean);
}

static int on_the_wire(const void *product, const float *in, int n, int c, int h, int w, float *out)
{
	const struct product *p = product;

	return p->channel(p, in, n, c, h, w, out);
}

/* Queries that users' clients prepare are changed after that, and are what a leaker changes; otherwise it is the same to change the
 * test images first, once, and a leaker has no reason to. x, labels: room for them. */
static int observe_channel(const struct judge *j, const struct product *p, float *x, uint8_t *labels, struct observations *o,
			   int *changed)
{
	const struct setup *s = j->s;
	const bool keys = s->creds && p->role != ROLE_UNLOCK, prepared = s->scheme->prepare != NULL;
	const bool asked = p->role != ROLE_EVADE || prepared;
	struct damage queries = { 0 }, creds = { 0 };
	struct bundle *arrived = keys ? channelled(s, p, &creds) : NULL;
	struct images test = s->splits->test;
	struct service v = j->service;
	int ret = keys && !arrived ? -1 : 0;

	if (!ret && asked)
		ret = channel_images(s, p, x, labels, &queries);
	if (asked && prepared) {
		v.wire = on_the_wire;
		v.wire_ctx = p;
	} else if (asked) {
		test.px = NULL;
		test.index = NULL;
		test.fx = x;
		test.labels = labels;
	}
	if (!ret) {
		observe_damage(p, &queries, &creds, o, changed);
		observe_channel_looks(j, p, arrived, asked ? x : NULL, o);
	}
	if (!ret && keys)
		ret = observe_channel_users(j, &v, arrived, o);
	if (!ret)
		ret = observe_channel_answers(j, &v, p->role, &test, arrived, o);
	bundle_free(arrived);
	return ret;
}

/* ---- what a channel sees: its detector on clean test images and on genuine credentials ---- */

#define SCORES_KEPT 2000 /* of clean images, for receiver curves; how many are flagged is counted over all */

/* Scores of x (n images): flagged bits NAME_flagged, the first scores as the series NAME. */
static int observe_scores(const struct product *p, const char *name, const float *x, int n, int c, int h, int w, int kept,
			  struct observations *o)
{
	double *score = xmalloc(n, sizeof(*score));
	unsigned char *flagged = xmalloc(n, 1);
	const size_t len = (size_t)c * h * w;
	char bits[48];
	int ret = 0;

	snprintf(bits, sizeof(bits), "%s_flagged", name);
	for (int i = 0; i < n && !ret; i += CHUNK)
		ret = p->detect(p, x + len * i, n - i < CHUNK ? n - i : CHUNK, c, h, w, score + i);
	for (int i = 0; i < n && !ret; i++)
		flagged[i] = score[i] > p->threshold;
	if (!ret) {
		obs_bits(o, bits, flagged, n);
		obs_series(o, name, score, n < kept ? n : kept);
	}
	free(score);
	free(flagged);
	return ret;
}

/* The test images as floats (caller frees). */
static float *clean_images(const struct setup *s)
{
	const struct images *test = &s->splits->test;
	const size_t len = images_size(test);
	float *x = xmalloc(len * test->n, sizeof(*x));

	for (int i = 0; i < test->n; i++)
		images_get(test, i, x + len * i);
	return x;
}

#define SENDERS 50 /* users whose prepared queries are scored, at most */
#define SENT 20    /* of each */

/* What users with a valid credential send where their clients prepare queries: SENT images each; *n of them (caller frees). */
static float *prepared_queries(const struct judge *j, int *n)
{
	const struct images *test = &j->s->splits->test;
	const int users = j->nrows < SENDERS ? j->nrows : SENDERS, each = test->n < SENT ? test->n : SENT;
	const struct images q = images_first(*test, each);
	const size_t size = (size_t)each * images_size(test);
	float *x = xmalloc(size * users + 1, sizeof(*x));

	for (int i = 0; i < users; i++) {
		struct bundle *one = creds_range(j->s->creds, j->row[i], 1);
		float *sent = service_sent(&j->service, one, 0, &q);

		bundle_free(one);
		if (!sent) {
			free(x);
			return NULL;
		}
		memcpy(x + size * i, sent, size * sizeof(*x));
		free(sent);
	}
	*n = users * each;
	return x;
}

/* What bears a user's identity: prepared queries, else credentials that are images. */
static int observe_genuine_scores(const struct judge *j, const struct product *p, struct observations *o)
{
	const struct images *test = &j->s->splits->test;
	const struct tensor *t = j->s->creds ? bundle_get(j->s->creds, "image", DT_F32) : NULL;
	float *x;
	int n, ret;

	if (j->s->creds && j->s->scheme->prepare) {
		x = prepared_queries(j, &n);
		ret = x ? observe_scores(p, "detector_genuine", x, n, test->c, test->h, test->w, n, o) : -1;
		free(x);
		return ret;
	}
	if (!t)
		return 0;
	n = (int)t->d[0];
	return observe_scores(p, "detector_genuine", t->data, n, (int)t->d[1], (int)t->d[2], (int)t->d[3], n, o);
}

static int observe_detector(const struct judge *j, const struct product *p, struct observations *o)
{
	const struct images *test = &j->s->splits->test;
	float *x = clean_images(j->s);
	const int ret = observe_scores(p, "detector_clean", x, test->n, test->c, test->h, test->w, SCORES_KEPT, o);

	if (isfinite(p->threshold))
		obs_num(o, "detector_threshold", p->threshold);
	free(x);
	return ret ? ret : observe_genuine_scores(j, p, o);
}

static int observe_stored(const struct setup *s, const struct product *p, struct observations *o)
{
	const struct images *test = &s->splits->test;
	float *x = clean_images(s);
	double bytes;
	const int ret = p->stored_bytes(p, x, test->n, test->c, test->h, test->w, &bytes);

	if (!ret)
		obs_num(o, "channel_bytes", bytes);
	free(x);
	return ret;
}

/* ---- the whole ---- */

int judge_degrade(const struct judge *j, const struct product *p, struct observations *o, int *changed)
{
	const size_t n = j->s->splits->test.n, len = images_size(&j->s->splits->test);
	float *x = xmalloc(n * len, sizeof(*x));
	uint8_t *labels = xmalloc(n, 1);
	int ret = observe_channel(j, p, x, labels, o, changed);

	free(x);
	free(labels);
	if (!ret && p->stored_bytes)
		ret = observe_stored(j->s, p, o);
	return !ret && p->detect ? observe_detector(j, p, o) : ret;
}
