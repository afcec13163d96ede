/* The functional evaluation, and which verdict a cell gets. See evaluate.h.
 * Attacks' products are judged in bench/attacked.c, seconds are measured in bench/overhead.c. */
#include "bench/evaluate.h"

#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "bench/judge.h"
#include "schemes/kit/creds.h"

#define ZERO_EFFORT 10000 /* trials, at most: of clean images ... */
#define ZERO_EFFORT_KEYS 100 /* ... and of random keys, each of which is tried on a probe of images */
#define WRONG_KEYS 20     /* whose holders' accuracy is measured, each on the first ... */
#define WRONG_KEY_IMAGES 500 /* ... test images */
#define ZERO_EFFORT_CHUNK 500
#define SCORES_KEPT 2000  /* of theirs, for receiver curves */
#define NULL_MODELS 20    /* fresh ones in which the mark must not verify */
#define STRANGERS 100     /* keys that are not the owner's, with which it must not verify either */

/* ---- accuracy ---- */

static int observe_authorised(const struct judge *j, struct observations *o)
{
	const struct setup *s = j->s;
	const int n = s->splits->test.n;
	unsigned char *right = xmalloc(n, 1);
	const int ret = judge_answers(s, &j->service, s->creds, j->row, j->nrows, &s->splits->test, "authorised", right);

	if (!ret)
		obs_bits(o, "authorised_correct", right, n);
	free(right);
	return ret;
}

/* What those get who hold a key that is not valid, key by key: where a key is no login, a wrong one is not simply refused. */
static int observe_wrong_keys(const struct judge *j, struct observations *o)
{
	const struct setup *s = j->s;
	const struct images test = images_first(s->splits->test, WRONG_KEY_IMAGES);
	unsigned char *right = xmalloc(test.n, 1);
	double accuracy[WRONG_KEYS];
	int ret = 0;

	if (!s->creds || !(s->scheme->unlock || s->scheme->prepare || s->scheme->wrong_keys)) {
		free(right);
		return 0;
	}
	for (int i = 0; i < WRONG_KEYS && !ret; i++) { /* one by one: keys drawn together may have tensors in common */
		struct bundle *creds = judge_wrong_keys(j, 1, rng_derive(s->seed, "wrong keys") + (uint64_t)i);
		int n = 0;

		ret = creds ? judge_answers(s, &j->service, creds, &(int){ 0 }, 1, &test, "wrong keys", right) : -1;
		for (int k = 0; k < test.n && !ret; k++)
			n += right[k];
		accuracy[i] = 100.0 * n / test.n;
		bundle_free(creds);
	}
	if (!ret)
		obs_series(o, "wrong_key_accuracy", accuracy, WRONG_KEYS);
	free(right);
	return ret;
}

/* ---- users ---- */

/* Users with at least one credential that is accepted and taken for them. */
static int served_users(const struct judge *j)
{
	int served = 0;

	for (int u = 0; u < j->s->users; u++)
		served += memchr(j->identified + u * j->s->per_user, 1, j->s->per_user) != NULL;
	return served;
}

static void observe_users(const struct judge *j, struct observations *o)
{
	const struct setup *s = j->s;

	if (s->scheme->users_analytic)
		obs_num(o, "users_analytic", s->scheme->users_analytic(s->conf, s->data->classes));
	if (!s->creds)
		return;
	obs_num(o, "users", s->users);
	obs_num(o, "credentials_per_user", s->per_user);
	if (s->scheme->decl.has_identities)
		obs_num(o, "users_measured", served_users(j));
	obs_num(o, "credential_bytes", creds_bytes(s->creds));
	obs_bits(o, "genuine_accepted", j->accepted, j->ncreds);
	if (s->scheme->decl.has_identities)
		obs_bits(o, "genuine_identified", j->identified, j->ncreds);
	judge_observe(s->scheme, "genuine", j->passed, j->ncreds, o);
}

/* Trials first .. first+n-1 of somebody who makes no effort: clean images, or random content of a key's form. */
static struct bundle *zero_effort(const struct judge *j, int first, int n)
{
	const struct setup *s = j->s;
	const struct images *test = &s->splits->test;
	const size_t len = images_size(test);
	struct bundle *creds;
	float *x;

	if (!creds_are_images(s->creds))
		return judge_wrong_keys(j, n, rng_derive(s->seed, "zero effort") + (uint64_t)first);
	x = xmalloc(len * n, sizeof(*x));
	for (int i = 0; i < n; i++)
		images_get(test, first + i, x + len * i);
	creds = creds_images(x, n, test->c, test->h, test->w);
	free(x);
	return creds;
}

static int observe_zero_effort(const struct judge *j, struct observations *o)
{
	const struct setup *s = j->s;
	const int most = creds_are_images(s->creds) ? ZERO_EFFORT : ZERO_EFFORT_KEYS;
	const int n = s->splits->test.n < most ? s->splits->test.n : most;
	const int chunk = creds_are_images(s->creds) ? ZERO_EFFORT_CHUNK : 1; /* keys one by one, as above */
	unsigned char *accepted = xcalloc(n, 1);
	unsigned *passed = xcalloc(n, sizeof(*passed));
	double *score = xcalloc((size_t)n + 1, sizeof(*score));
	int ret = 0;

	for (int first = 0; first < n && !ret; first += chunk) {
		const int k = n - first < chunk ? n - first : chunk;
		struct bundle *creds = zero_effort(j, first, k);

		ret = !creds ? -1 : judge_scores(s, &j->service, creds, k, accepted + first, NULL, passed + first, score + first);
		bundle_free(creds);
	}
	if (!ret) {
		obs_bits(o, "zero_effort_accepted", accepted, n);
		judge_observe(s->scheme, "zero_effort", passed, n, o);
		obs_series(o, "zero_effort_scores", score, (size_t)(n < SCORES_KEPT ? n : SCORES_KEPT));
	}
	free(score);
	free(passed);
	free(accepted);
	return ret;
}

/* Revoke user 0 in a copy of what is deployed and submit that user's credentials again. */
static int observe_revoked(const struct judge *j, struct observations *o)
{
	const struct setup *s = j->s;
	struct locked copy;
	struct service v = j->service;
	struct bundle *creds;
	unsigned char *accepted;
	int ret;

	if (!s->scheme->revoke)
		return 0;
	creds = creds_range(s->creds, 0, s->per_user);
	accepted = xcalloc(s->per_user, 1);
	ret = judge_revoke(s, 0, &copy);
	v.model = copy.model;
	v.pub = copy.pub;
	if (!ret)
		ret = judge_creds(s, &v, creds, s->per_user, accepted, NULL, NULL);
	if (!ret)
		obs_bits(o, "revoked_accepted", accepted, s->per_user);
	free(accepted);
	bundle_free(creds);
	locked_release(&copy);
	return ret;
}

/* ---- ownership ---- */

/* 1 when the mark verifies in m, 0 when not, -1 after error(). */
static int verifies(const struct setup *s, const struct model *m)
{
	struct ownership *w = xcalloc(1, sizeof(*w));
	int ret = s->scheme->verify(s->conf, s->locked, m, w);

	if (!ret)
		ret = w->applies && w->verified;
	free(w);
	return ret;
}

/* The mark in models that never carried it: the unprotected network and fresh ones. */
static int observe_null(const struct setup *s, struct observations *o)
{
	unsigned char verified[1 + NULL_MODELS];

	if (!obs_get(o, "mark_matched", 'b'))
		return 0;
	for (int i = 0; i <= NULL_MODELS; i++) {
		struct model *m = i ? model_new(&s->locked->model->spec, rng_derive(s->seed, "null model") + (uint64_t)i)
				    : model_copy(s->base);
		const int got = m ? verifies(s, m) : -1;

		model_free(m);
		if (got < 0)
			return -1;
		verified[i] = (unsigned char)got;
	}
	obs_bits(o, "null_verified", verified, sizeof(verified));
	return 0;
}

/* A bundle with the same numbers, those of each tensor in another order. */
static struct bundle *shuffled(const struct bundle *b, uint64_t seed)
{
	struct bundle *out = bundle_copy(b);

	for (int i = 0; i < out->nt; i++) {
		struct tensor *t = &out->t[i];
		const size_t size = dtype_size(t->dtype);
		int *order;
		struct rng r;

		if (t->len < 2 || t->len > INT_MAX)
			continue;
		order = xmalloc(t->len, sizeof(*order));
		rng_open(&r, seed, "another owner's key", (uint32_t)i, 0);
		rng_permutation(&r, order, (int)t->len);
		for (size_t k = 0; k < t->len; k++)
			memcpy((char *)t->data + size * k, (const char *)b->t[i].data + size * (size_t)order[k], size);
		free(order);
	}
	return out;
}

/* Keys of the right form that are not the owner's, on the marked model. */
static int observe_strangers(const struct setup *s, struct observations *o)
{
	unsigned char verified[STRANGERS];
	int got = 0;

	if (!obs_get(o, "mark_matched", 'b') || !s->locked->secret)
		return 0;
	for (int i = 0; i < STRANGERS && got >= 0; i++) {
		struct bundle *secret = shuffled(s->locked->secret, rng_derive(s->seed, "strangers") + (uint64_t)i);
		const struct locked claimed = { s->locked->model, s->locked->pub, secret };
		struct ownership *w = xcalloc(1, sizeof(*w));

		got = s->scheme->verify(s->conf, &claimed, s->locked->model, w);
		verified[i] = !got && w->applies && w->verified;
		free(w);
		bundle_free(secret);
	}
	if (got >= 0)
		obs_bits(o, "strange_verified", verified, STRANGERS);
	return got;
}

/* ---- cost, and what is declared ---- */

/* Only what a metric checks. */
static void observe_declared(const struct setup *s, struct observations *o)
{
	const struct declared *d = &s->scheme->decl;

	obs_num(o, "declared_deployment", d->deployment);
	obs_num(o, "declared_black_box", d->knowledge && !strncmp(d->knowledge, "black-box", 9));
	obs_num(o, "declared_users", d->has_users);
	obs_num(o, "declared_identities", d->has_identities);
	obs_num(o, "declared_revocation", d->has_revocation);
	obs_num(o, "declared_ownership", d->has_ownership);
}

static void observe_cost(const struct setup *s, struct observations *o)
{
	const struct model *m = s->locked->model;
	double numbers = (double)model_params(m), bytes = (double)m->nx * sizeof(float);

	for (int i = 0; s->locked->pub && i < s->locked->pub->nt; i++) {
		const struct tensor *t = &s->locked->pub->t[i];

		if (t->dtype == DT_F32 || t->dtype == DT_F64) /* keys and tables cost memory but are no parameters */
			numbers += (double)t->len;
		bytes += (double)t->len * (double)dtype_size(t->dtype);
	}
	obs_num(o, "parameters", numbers);
	obs_num(o, "reference_parameters", (double)model_params(s->base));
	obs_num(o, "shipped_bytes", bytes);
	obs_num(o, "reference_bytes", (double)s->base->nx * sizeof(float));
	obs_num(o, "macs", model_macs(m));
	obs_num(o, "reference_macs", model_macs(s->base));
	obs_num(o, "lock_forward_equivalents", s->lock_fe);
	obs_num(o, "reference_forward_equivalents", s->base_fe);
	if (s->creds)
		obs_num(o, "enrol_forward_equivalents", s->enrol_fe);
}

/* ---- the whole ---- */

static int evaluate_functional(const struct judge *j, struct observations *o)
{
	const struct setup *s = j->s;

	observe_users(j, o);
	observe_cost(s, o);
	observe_declared(s, o);
	if (observe_answers(j, o) < 0 || judge_histogram(s->locked->model, &s->splits->test, o, "confidence_histogram_clean") < 0 ||
	    judge_mark(s, s->locked->model, o) < 0 || observe_null(s, o) < 0 || observe_strangers(s, o) < 0)
		return -1;
	if (!s->creds)
		return 0;
	return observe_identities(j, o) < 0 || observe_wire(j, o) < 0 || observe_wrong_keys(j, o) < 0 || observe_zero_effort(j, o) < 0 ||
	       observe_revoked(j, o) < 0 || judge_trace(j, &j->service, "genuine", o) < 0 ? -1 : 0;
}

static void conclude(const struct setup *s, const struct observations *o, int changed, const char **verdict, char *why)
{
	const struct obs_entry *right = obs_get(o, "authorised_correct", 'b');
	const double accuracy = 100.0 * (double)right->k / (double)right->n, floor = 100.0 / s->data->classes + 10;

	*verdict = "ok";
	*why = '\0';
	if (accuracy < floor) {
		*verdict = "scheme-untrained";
		snprintf(why, 256, "authorised accuracy %.2f %% is under chance + 10 points (%.2f %%)", accuracy, floor);
	} else if (!changed) {
		*verdict = "noop";
		snprintf(why, 256, "the attack changed nothing");
	}
}

/* Why the attack says that there was nothing for it to attack; NULL: there was. */
static const char *nothing_to_do(const struct product *p)
{
	return p->inapplicable ? p->inapplicable : jget_str(p->notes, "nothing_to_do", NULL);
}

int evaluate(const struct setup *s, const struct product *p, struct observations *o, const char **verdict, char *why)
{
	struct judge j;
	int changed = 1, ret;

	if (p && nothing_to_do(p)) {
		*verdict = "n/a";
		snprintf(why, 256, "%s", nothing_to_do(p));
		return 0;
	}
	if (judge_open(&j, s) < 0)
		return -1;
	obs_num(o, "classes", s->data->classes);
	ret = p ? observe_authorised(&j, o) : evaluate_functional(&j, o);
	if (!ret && p)
		ret = judge_product(&j, p, o, &changed);
	if (!ret)
		conclude(s, o, changed, verdict, why);
	judge_close(&j);
	return ret;
}
