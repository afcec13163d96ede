/* Judging an attack's product: one function a goal (channels: bench/degrade.c). See evaluate.h, judge.h. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "bench/judge.h"
#include "schemes/kit/creds.h"

/* ---- use, remove: a model ---- */

#define CHUNK 256 /* images asked at once */

/* The deployed service for a predictor that asks it, as the attack could. */
static int ask_deployed(struct asked *k, const struct images *v, float *probs)
{
	const struct service *service = k->ctx;

	if (!(k->caps & (CAP_LABEL | CAP_PROB)))
		return error(EXIT_UNEVALUABLE, "the attacker's predictor asks the service, which the attack was not granted");
	if (service_query(service, NULL, 0, v, k->nonce++, probs) < 0)
		return -1;
	if (!(k->caps & CAP_PROB))
		one_hot_rows(probs, v->n, service->classes);
	return 0;
}

/* Test images by the attacker's predictor, which sees no labels. */
static int judge_predictor(const struct judge *j, const struct product *p, unsigned char *right)
{
	const struct images *test = &j->s->splits->test;
	const size_t len = (size_t)images_size(test), classes = (size_t)j->s->data->classes;
	struct asked k = { ask_deployed, &j->service, rng_derive(j->s->seed, "predictor"), p->caps };
	float *x = xmalloc(CHUNK * len, sizeof(*x)), *probs = xmalloc(CHUNK * classes, sizeof(*probs));
	int ret = 0, top;

	for (int first = 0; first < test->n && !ret; first += CHUNK) {
		const int n = test->n - first < CHUNK ? test->n - first : CHUNK;
		const struct images v = { .n = n, .c = test->c, .h = test->h, .w = test->w, .classes = test->classes, .fx = x };

		for (int i = 0; i < n; i++)
			images_get(test, first + i, x + len * (size_t)i);
		ret = p->answer(p, &k, &v, probs);
		for (int i = 0; i < n && !ret; i++) {
			argmax_rows(probs + classes * (size_t)i, 1, (int)classes, &top);
			right[first + i] = top == images_label(test, first + i);
		}
	}
	free(x);
	free(probs);
	return ret;
}

static int observe_attacked(const struct judge *j, const struct product *p, struct observations *o)
{
	const struct setup *s = j->s;
	const int n = s->splits->test.n;
	unsigned char *right = xmalloc(n, 1);
	const int ret = p->answer ? judge_predictor(j, p, right) : judge_model(s, p->model, right);

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
	if (observe_attacked(j, p, o) < 0 || judge_mark(s, p->model, o) < 0)
		return -1;
	return s->creds ? observe_genuine(j, p, o) : 0;
}

/* Whether the attacker's network is the deployed one to the bit and right just where the service is for somebody without a credential:
 * then there was nothing around it that could have been left away. -1 after error(). */
static int used_as_it_is(const struct judge *j, const struct product *p, const unsigned char *right)
{
	const struct setup *s = j->s;
	unsigned char *keyless;
	int same;

	if (p->answer || share_changed(s->locked->model, p->model) > 0)
		return 0;
	keyless = xmalloc(s->splits->test.n, 1);
	same = judge_answers(s, &j->service, NULL, NULL, 0, &s->splits->test, "as it is", keyless);
	if (!same)
		same = !memcmp(keyless, right, (size_t)s->splits->test.n);
	free(keyless);
	return same;
}

/* Is piece t (parameter, row, column, rows, columns) of the attacker's network the unprotected one's, bit for bit? 0 where there is none. */
static unsigned char piece_equal(const struct model *base, const struct model *m, const int32_t *t)
{
	const struct param *was, *is;
	size_t cell;

	if (t[0] < 0 || t[0] >= base->np || t[0] >= m->np)
		return 0;
	was = &base->p[t[0]];
	is = &m->p[t[0]];
	if (was->nd < 2 || was->nd != is->nd || memcmp(was->d, is->d, sizeof(was->d)) || t[1] < 0 || t[2] < 0 || t[3] < 1 || t[4] < 1 || t[3] > was->d[0] - t[1] || t[4] > was->d[1] - t[2])
		return 0;
	cell = was->len / ((size_t)was->d[0] * (size_t)was->d[1]);
	for (int row = t[1]; row < t[1] + t[3]; row++) {
		const size_t at = ((size_t)row * (size_t)was->d[1] + (size_t)t[2]) * cell;

		for (size_t k = at; k < at + (size_t)t[4] * cell; k++)
			if (was->x[k] != is->x[k])
				return 0;
	}
	return 1;
}

/* How much of the unprotected network the attacker has: numbers, and the pieces that the attack says it put back. */
static void observe_equal(const struct judge *j, const struct product *p, struct observations *o)
{
	const struct model *base = j->s->base;
	size_t len = 0;
	const int32_t *t = p->kept ? bundle_i32(p->kept, "pieces", &len) : NULL;
	unsigned char *equal;

	if (!p->model || p->model->nx != base->nx)
		return;
	obs_num(o, "base_equal", 1 - share_changed(base, p->model));
	if (len < 5)
		return;
	equal = xmalloc(len / 5, 1);
	for (size_t i = 0; i < len / 5; i++)
		equal[i] = piece_equal(base, p->model, t + 5 * i);
	obs_bits(o, "pieces_equal", equal, len / 5);
	free(equal);
}

static int judge_use(const struct judge *j, const struct product *p, struct observations *o, int *changed)
{
	int same;

	if (observe_attacked(j, p, o) < 0)
		return -1;
	observe_equal(j, p, o);
	same = used_as_it_is(j, p, obs_get(o, "attacked_correct", 'b')->bits);
	*changed = !same;
	return same < 0 ? -1 : 0;
}

/* ---- impersonate: credentials, against the service as it is ---- */

static int judge_impersonate(const struct judge *j, const struct product *p, struct observations *o, int *changed)
{
	const struct setup *s = j->s;
	const int n = p->ncreds;
	unsigned char *accepted = xcalloc((size_t)n + 1, 1);
	int *user = xmalloc((size_t)n + 1, sizeof(*user));
	unsigned *passed = xcalloc((size_t)n + 1, sizeof(*passed));
	int ret = judge_creds(s, &j->service, p->creds, n, accepted, user, passed);

	*changed = n > 0;
	if (!ret) {
		obs_bits(o, "forged_accepted", accepted, n);
		judge_observe(s->scheme, "forged", passed, n, o);
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
	free(passed);
	return ret;
}

/* ---- detect: does the detector tell the protected network from the unprotected one? ---- */

static int show(const struct product *p, const struct model *m, const char *bits, const char *number, struct observations *o)
{
	struct model *copy = model_copy(m);
	double score = NAN;
	const int ret = p->inspect(p, copy, &score);
	const unsigned char flagged = score > p->threshold;

	model_free(copy);
	if (!ret && !isnan(score)) {
		obs_bits(o, bits, &flagged, 1);
		obs_num(o, number, score);
	}
	return ret;
}

static int judge_detect(const struct judge *j, const struct product *p, struct observations *o, int *changed)
{
	*changed = 1;
	if (isfinite(p->threshold))
		obs_num(o, "protection_threshold", p->threshold);
	return show(p, j->s->locked->model, "protection_detected", "protection_score", o) < 0 ||
	       show(p, j->s->base, "protection_false_alarm", "protection_clean_score", o) < 0 ? -1 : 0;
}

int judge_product(const struct judge *j, const struct product *p, struct observations *o, int *changed)
{
	switch (p->goal) {
	case GOAL_USE:
		return judge_use(j, p, o, changed);
	case GOAL_REMOVE:
		return judge_remove(j, p, o, changed);
	case GOAL_IMPERSONATE:
		return judge_impersonate(j, p, o, changed);
	case GOAL_DEGRADE:
		return judge_degrade(j, p, o, changed);
	case GOAL_DISOWN:
		return judge_disown(j, p, o, changed);
	case GOAL_DETECT:
		return judge_detect(j, p, o, changed);
	}
	return error(EXIT_UNEVALUABLE, "the evaluator cannot judge an attack whose goal is number %d", (int)p->goal);
}
