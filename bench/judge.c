/* See judge.h. */
#include "bench/judge.h"

#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "bench/creds.h"

#define CHUNK 500 /* credentials judged at once */
#define BINS 50   /* of a histogram of confidences */

/* ---- credentials ---- */

static int authenticate(const struct service *v, const struct bundle *creds, int first, int n, struct auth *auth)
{
	struct bundle *part = creds_range(creds, first, n);
	const int ret = v->scheme->authenticate(v, part, n, auth);

	bundle_free(part);
	return ret;
}

int judge_creds(const struct setup *s, const struct service *v, const struct bundle *creds, int n,
		unsigned char *accepted, int *user)
{
	const bool open = !v->scheme->authenticate, refuse = !open && s->creds && !creds_same_form(creds, s->creds);
	struct auth auth[CHUNK];

	memset(accepted, open, n);
	for (int i = 0; user && i < n; i++)
		user[i] = -1;
	for (int first = 0; first < n && !open && !refuse; first += CHUNK) {
		const int k = n - first < CHUNK ? n - first : CHUNK;

		memset(auth, 0, sizeof(auth));
		if (authenticate(v, creds, first, k, auth) < 0)
			return -1;
		for (int i = 0; i < k; i++) {
			accepted[first + i] = auth[i].accepted != 0;
			if (user)
				user[first + i] = auth[i].accepted ? auth[i].user : -1;
		}
	}
	return 0;
}

int judge_genuine(const struct setup *s, const struct service *v, const struct bundle *creds, unsigned char *accepted,
		  unsigned char *identified)
{
	const int n = s->users * s->per_user;
	int *user = xmalloc(n, sizeof(*user));
	const int ret = judge_creds(s, v, creds, n, accepted, user);

	for (int i = 0; !ret && identified && i < n; i++)
		identified[i] = accepted[i] && user[i] == i / s->per_user;
	free(user);
	return ret;
}

/* The first accepted credential of every user; users without one are left out. */
static void find_valid(struct judge *j)
{
	const struct setup *s = j->s;

	for (int u = 0; u < s->users; u++)
		for (int i = u * s->per_user; i < (u + 1) * s->per_user; i++)
			if (j->accepted[i]) {
				j->row[j->nrows++] = i;
				break;
			}
	if (j->nrows)
		return;
	for (j->nrows = 0; j->nrows < s->users; j->nrows++)
		j->row[j->nrows] = j->nrows * s->per_user;
}

int judge_open(struct judge *j, const struct setup *s)
{
	*j = (struct judge){
		.s = s, .service = { s->scheme, s->conf, s->locked->model, s->locked->pub, s->data->classes }
	};
	if (!s->creds)
		return 0;
	j->ncreds = s->users * s->per_user;
	BUG_ON(creds_count(s->creds) != j->ncreds);
	j->accepted = xcalloc(j->ncreds, 1);
	j->identified = xcalloc(j->ncreds, 1);
	j->row = xcalloc(s->users, sizeof(*j->row));
	if (judge_genuine(s, &j->service, s->creds, j->accepted, j->identified) < 0) {
		judge_close(j);
		return -1;
	}
	find_valid(j);
	return 0;
}

void judge_close(struct judge *j)
{
	free(j->accepted);
	free(j->identified);
	free(j->row);
	*j = (struct judge){ 0 };
}

/* ---- questions ---- */

static int right_answers(const struct service *v, const struct bundle *cred, const struct images *q, uint64_t nonce,
			 unsigned char *right)
{
	float *probs = xmalloc((size_t)q->n * v->classes, sizeof(*probs));
	int *top = xmalloc(q->n, sizeof(*top));
	const int ret = v->scheme->query(v, cred, 0, q, nonce, probs);

	if (!ret)
		argmax_rows(probs, q->n, v->classes, top);
	for (int i = 0; !ret && i < q->n; i++)
		right[i] = top[i] == images_label(q, i);
	free(probs);
	free(top);
	return ret;
}

/* Questions of whoever holds cred (one, NULL: none): images first, first + step, ... of test. */
static int ask(const struct service *v, const struct bundle *cred, const struct images *test, int first, int step,
	       uint64_t nonce, unsigned char *right)
{
	const int n = (test->n - first + step - 1) / step;
	int *index = xmalloc((size_t)n + 1, sizeof(*index));
	unsigned char *got = xmalloc((size_t)n + 1, 1);
	struct images q = *test;
	int ret = 0;

	for (q.n = 0; q.n < n; q.n++)
		index[q.n] = images_at(test, first + q.n * step);
	q.index = index;
	if (n > 0)
		ret = right_answers(v, cred, &q, nonce + (uint64_t)first, got);
	for (int i = 0; !ret && i < n; i++)
		right[first + i * step] = got[i];
	free(index);
	free(got);
	return ret;
}

int judge_answers(const struct setup *s, const struct service *v, const struct bundle *creds, const int *row, int nrows,
		  const struct images *test, const char *purpose, unsigned char *right)
{
	const uint64_t nonce = rng_derive(s->seed, purpose);
	int ret = 0;

	if (!nrows)
		return ask(v, NULL, test, 0, 1, nonce, right);
	for (int i = 0; i < nrows && !ret; i++) {
		struct bundle *one = creds_range(creds, row[i], 1);

		ret = ask(v, one, test, i, nrows, nonce, right);
		bundle_free(one);
	}
	return ret;
}

int judge_model(const struct setup *s, const struct model *m, unsigned char *right)
{
	struct model *copy = model_copy(m);
	const int ret = model_correct(copy, &s->splits->test, right);

	model_free(copy);
	return ret < 0 ? -1 : 0;
}

/* ---- looking into a model ---- */

static void count_top(const float *probs, int n, int classes, double *bin)
{
	for (int i = 0; i < n; i++) {
		float top = 0;
		int b;

		for (int k = 0; k < classes; k++)
			if (probs[(size_t)i * classes + k] > top)
				top = probs[(size_t)i * classes + k];
		b = (int)(top * BINS);
		bin[b < BINS ? b : BINS - 1]++;
	}
}

int judge_histogram(struct model *m, const struct images *v, struct observations *o, const char *name)
{
	float *probs = xmalloc((size_t)v->n * v->classes, sizeof(*probs));
	double bin[BINS] = { 0 };
	const int ret = model_predict_probs(m, v, probs);

	if (!ret) {
		count_top(probs, v->n, v->classes, bin);
		obs_series(o, name, bin, BINS);
	}
	free(probs);
	return ret;
}

int judge_mark(const struct setup *s, const struct model *m, struct observations *o)
{
	struct ownership *w;
	int ret;

	if (!s->scheme->verify)
		return 0;
	w = xcalloc(1, sizeof(*w));
	ret = s->scheme->verify(s->conf, s->locked, m, w);
	if (!ret && w->applies) {
		BUG_ON(w->total < 0 || w->total > (int)sizeof(w->symbol));
		obs_bits(o, "mark_matched", w->symbol, (size_t)w->total);
		obs_num(o, "ownership_verified", w->verified != 0);
	}
	free(w);
	return ret;
}
