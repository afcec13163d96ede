/* Judging an attack's product: one function a goal. See evaluate.h, judge.h. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "bench/creds.h"
#include "bench/judge.h"

/* ---- use, remove: a model ---- */

static int observe_attacked(const struct setup *s, const struct product *p, struct observations *o)
{
	const int n = s->splits->test.n;
	unsigned char *right = xmalloc(n, 1);
	const int ret = judge_model(s, p->model, right);

	if (!ret)
		obs_bits(o, "attacked_correct", right, n);
	if (!ret && p->tested > 0 && p->tested < n) /* the attacker trained on the first of them */
		obs_bits(o, "attacked_heldout_correct", right + p->tested, n - p->tested);
	free(right);
	return ret;
}

/* Share of the numbers of a model that are not what they were in the deployed one; another architecture: all. */
static double share_changed(const struct model *before, const struct model *after)
{
	size_t differ = 0;

	if (before->nx != after->nx)
		return 1;
	for (size_t i = 0; i < before->nx; i++)
		differ += before->x[i] != after->x[i];
	return (double)differ / (double)before->nx;
}

/* Issued credentials against the service when it runs the attacker's model. */
static int observe_genuine(const struct judge *j, const struct product *p, struct observations *o)
{
	const struct setup *s = j->s;
	struct service v = j->service;
	unsigned char *accepted = xcalloc((size_t)j->ncreds + 1, 1);
	int ret;

	v.model = model_copy(p->model);
	ret = judge_genuine(s, &v, s->creds, accepted, NULL, NULL);
	if (!ret) {
		obs_num(o, "users", s->users);
		obs_num(o, "credentials_per_user", s->per_user);
		obs_bits(o, "attacked_genuine_accepted", accepted, j->ncreds);
	}
	model_free(v.model);
	free(accepted);
	return ret;
}

static int judge_remove(const struct judge *j, const struct product *p, struct observations *o, int *changed)
{
	const struct setup *s = j->s;
	const double share = share_changed(s->locked->model, p->model);

	*changed = share > 0;
	obs_num(o, "changed", share);
	if (observe_attacked(s, p, o) < 0 || judge_mark(s, p->model, o) < 0)
		return -1;
	return s->creds ? observe_genuine(j, p, o) : 0;
}

static int judge_use(const struct judge *j, const struct product *p, struct observations *o)
{
	return observe_attacked(j->s, p, o);
}

/* ---- impersonate: credentials, against the service as it is ---- */

static int judge_impersonate(const struct judge *j, const struct product *p, struct observations *o, int *changed)
{
	const struct setup *s = j->s;
	const int n = p->ncreds;
	unsigned char *accepted = xcalloc((size_t)n + 1, 1);
	int *user = xmalloc((size_t)n + 1, sizeof(*user));
	int ret = judge_creds(s, &j->service, p->creds, n, accepted, user, NULL);

	*changed = n > 0;
	if (!ret) {
		obs_bits(o, "forged_accepted", accepted, n);
		for (int i = 0; p->claimed && i < n; i++)
			accepted[i] = accepted[i] && user[i] == p->claimed[i];
		if (p->claimed)
			obs_bits(o, "forged_as_claimed", accepted, n);
		if (creds_are_images(p->creds)) {
			const struct images v = creds_view(p->creds, s->data->classes);

			ret = judge_histogram(s->locked->model, &v, o, "confidence_histogram");
		}
	}
	free(accepted);
	free(user);
	return ret;
}

/* ---- degrade: a channel ---- */

/* dB between an image and what came out; 100 when nothing changed. */
static double psnr(const float *in, const float *out, size_t len)
{
	double sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += ((double)in[i] - (double)out[i]) * ((double)in[i] - (double)out[i]);
	return sum > 0 ? fmin(-10 * log10(sum / (double)len), 100) : 100;
}

/* The test images as they arrive: out (test images, c*h*w), and labels in the same order. What the channel did to them is observed:
 * mean PSNR, and the share that it changed. */
static int channel_images(const struct setup *s, const struct product *p, float *out, uint8_t *labels, struct observations *o,
			  int *changed)
{
	const struct images *test = &s->splits->test;
	const size_t len = images_size(test);
	float *in = xmalloc(len, sizeof(*in));
	double sum = 0;
	long differ = 0;
	int ret = 0;

	for (int i = 0; i < test->n && !ret; i++, out += len) {
		images_get(test, i, in);
		labels[i] = (uint8_t)images_label(test, i);
		ret = p->channel(p, in, 1, test->c, test->h, test->w, out);
		if (ret)
			break;
		sum += psnr(in, out, len);
		differ += memcmp(in, out, len * sizeof(*in)) != 0;
	}
	free(in);
	if (ret)
		return -1;
	obs_num(o, "channel_psnr", sum / test->n);
	obs_num(o, "changed", (double)differ / test->n);
	*changed = differ > 0;
	return 0;
}

/* Issued credentials as they arrive: images come through the channel, other keys do not take that way. NULL after error(). */
static struct bundle *channelled(const struct setup *s, const struct product *p)
{
	struct bundle *creds = bundle_copy(s->creds);
	const struct tensor *t = bundle_get(creds, "image", DT_F32), *clean = bundle_get(s->creds, "image", DT_F32);

	if (t && p->channel(p, clean->data, (int)t->d[0], (int)t->d[1], (int)t->d[2], (int)t->d[3], t->data) < 0) {
		bundle_free(creds);
		return NULL;
	}
	return creds;
}

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
	return ret;
}

/* test: what arrives of the test images. */
static int observe_channel_answers(const struct judge *j, const struct service *v, const struct images *test,
				   const struct bundle *creds, struct observations *o)
{
	unsigned char *right = xmalloc(test->n, 1);
	int ret = judge_answers(j->s, v, creds, j->row, j->nrows, test, "authorised", right);

	if (!ret) {
		obs_bits(o, "channel_authorised_correct", right, test->n);
		ret = judge_answers(j->s, v, NULL, NULL, 0, test, "unauthorised", right);
	}
	if (!ret)
		obs_bits(o, "channel_unauthorised_correct", right, test->n);
	free(right);
	return ret;
}

static int on_the_wire(const void *product, const float *in, int n, int c, int h, int w, float *out)
{
	const struct product *p = product;

	return p->channel(p, in, n, c, h, w, out);
}

/* Queries that users' clients prepare are changed after that; otherwise it is the same to change the test images first, once. */
static int judge_degrade(const struct judge *j, const struct product *p, struct observations *o, int *changed)
{
	const struct setup *s = j->s;
	const size_t n = s->splits->test.n, len = images_size(&s->splits->test);
	float *x = xmalloc(n * len, sizeof(*x));
	uint8_t *labels = xmalloc(n, 1);
	struct images test = s->splits->test;
	struct service v = j->service;
	struct bundle *creds = s->creds ? channelled(s, p) : NULL;
	int ret = s->creds && !creds ? -1 : channel_images(s, p, x, labels, o, changed);

	if (s->scheme->prepare) {
		v.wire = on_the_wire;
		v.wire_ctx = p;
	} else {
		test.px = NULL;
		test.index = NULL;
		test.fx = x;
		test.labels = labels;
	}
	if (!ret && creds)
		ret = observe_channel_users(j, &v, creds, o);
	if (!ret && creds)
		ret = judge_trace(j, &v, "channel", o);
	if (!ret)
		ret = observe_channel_answers(j, &v, &test, creds, o);
	bundle_free(creds);
	free(x);
	free(labels);
	return ret;
}

int judge_product(const struct judge *j, const struct product *p, struct observations *o, int *changed)
{
	switch (p->goal) {
	case GOAL_USE:
		return judge_use(j, p, o);
	case GOAL_REMOVE:
		return judge_remove(j, p, o, changed);
	case GOAL_IMPERSONATE:
		return judge_impersonate(j, p, o, changed);
	case GOAL_DEGRADE:
		return judge_degrade(j, p, o, changed);
	case GOAL_DISOWN:
		break;
	}
	return error(EXIT_UNEVALUABLE, "the evaluator cannot judge an attack whose goal is '%s' yet", goal_names[p->goal]);
}
