/* See judge.h. */
#include "bench/judge.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "schemes/kit/creds.h"

#define CHUNK 500 /* credentials judged at once */
#define BINS 50   /* of a histogram of confidences */
#define PROBE 200 /* questions that show whether a credential is of use */
#define VOTERS 25 /* of them are traced */

/* ---- questions ---- */

void reply_of(const float *probs, int classes, struct reply *out)
{
	double entropy = 0, second = 0;
	int top = 0, low = 0;

	for (int k = 1; k < classes; k++) {
		if (probs[k] > probs[top])
			top = k;
		if (probs[k] < probs[low])
			low = k;
	}
	for (int k = 0; k < classes; k++) {
		if (probs[k] > 0)
			entropy -= (double)probs[k] * log((double)probs[k]);
		if (k != top)
			second = fmax(second, (double)probs[k]);
	}
	*out = (struct reply){ .top = top, .low = low, .sure = (double)probs[top], .entropy = entropy, .margin = (double)probs[top] - second };
}

int judge_replies(const struct service *v, const struct bundle *cred, const struct images *q, uint64_t nonce, struct reply *out)
{
	float *probs = xmalloc((size_t)q->n * v->classes + 1, sizeof(*probs));
	const int ret = service_query(v, cred, 0, q, nonce, probs);

	for (int i = 0; !ret && i < q->n; i++)
		reply_of(probs + (size_t)i * v->classes, v->classes, &out[i]);
	free(probs);
	return ret;
}

static int right_answers(const struct service *v, const struct bundle *cred, const struct images *q, uint64_t nonce,
			 unsigned char *right)
{
	struct reply *got = xmalloc((size_t)q->n + 1, sizeof(*got));
	const int ret = judge_replies(v, cred, q, nonce, got);

	for (int i = 0; !ret && i < q->n; i++)
		right[i] = got[i].top == images_label(q, i);
	free(got);
	return ret;
}

/* ---- credentials ---- */

static int authenticate(const struct service *v, const struct bundle *creds, int first, int n, struct auth *auth)
{
	struct bundle *part = creds_range(creds, first, n);
	const int ret = v->scheme->authenticate(v, part, n, auth);

	bundle_free(part);
	return ret;
}

/* Whom the owner takes the sender of these queries for: the user most of them are traced to, the smallest of equals; -1 nobody. */
static int voted(const struct setup *s, const struct service *v, const struct bundle *one, const struct images *q, int *user)
{
	struct traced *t = xcalloc(VOTERS, sizeof(*t));
	const struct images part = images_first(*q, VOTERS);
	float *x = service_sent(v, one, 0, &part);
	int most = 0, ret = x ? s->scheme->trace(s->conf, s->locked, x, part.n, t) : -1;

	for (int i = 0; i < part.n && !ret; i++) {
		int votes = 0;

		for (int k = 0; k < part.n; k++)
			votes += t[k].user == t[i].user;
		if (t[i].user >= 0 && (votes > most || (votes == most && t[i].user < *user))) {
			*user = t[i].user;
			most = votes;
		}
	}
	free(x);
	free(t);
	return ret;
}

/* Where nobody asks for credentials, one is accepted that is of use: with it, the service answers the owner's validation images
 * at least half as far above chance as the unprotected network. */
static int judge_use(const struct setup *s, const struct service *v, const struct bundle *creds, int n, unsigned char *accepted,
		     int *user, double *score)
{
	const struct images probe = images_first(s->splits->val, PROBE);
	unsigned char *right = xmalloc(probe.n, 1);
	struct model *base = model_copy(s->base);
	const int want = model_correct(base, &probe, right);
	char hash[2][65];
	int ret = want < 0 ? -1 : 0;

	model_free(base);
	for (int i = 0; i < n && !ret; i++) {
		struct bundle *one = creds_range(creds, i, 1);
		int got = 0;

		bundle_hash(one, hash[i % 2]);
		if (i && !strcmp(hash[0], hash[1])) { /* all of a user's credentials may be one and the same */
			accepted[i] = accepted[i - 1];
			if (user)
				user[i] = user[i - 1];
			if (score)
				score[i] = score[i - 1];
			bundle_free(one);
			continue;
		}
		ret = right_answers(v, one, &probe, 1, right);
		for (int k = 0; k < probe.n; k++)
			got += right[k];
		accepted[i] = 2 * got * v->classes >= want * v->classes + probe.n;
		if (score)
			score[i] = (double)got / probe.n;
		if (!ret && user && accepted[i] && s->scheme->trace)
			ret = voted(s, v, one, &probe, &user[i]);
		bundle_free(one);
	}
	free(right);
	return ret;
}

int judge_scores(const struct setup *s, const struct service *v, const struct bundle *creds, int n,
		 unsigned char *accepted, int *user, unsigned *passed, double *score)
{
	const struct scheme *scheme = v->scheme;
	const bool by_use = !scheme->authenticate && (scheme->unlock || scheme->prepare);
	const bool open = !scheme->authenticate && !by_use, refuse = !open && s->creds && !creds_same_form(creds, s->creds);
	struct auth auth[CHUNK];

	memset(accepted, open, n);
	for (int i = 0; i < n; i++) {
		if (user)
			user[i] = -1;
		if (passed)
			passed[i] = 0;
		if (score)
			score[i] = open;
	}
	if (by_use && !refuse)
		return judge_use(s, v, creds, n, accepted, user, score);
	for (int first = 0; first < n && !open && !refuse; first += CHUNK) {
		const int k = n - first < CHUNK ? n - first : CHUNK;

		memset(auth, 0, sizeof(auth));
		if (authenticate(v, creds, first, k, auth) < 0)
			return -1;
		for (int i = 0; i < k; i++) {
			accepted[first + i] = auth[i].accepted != 0;
			if (user)
				user[first + i] = auth[i].accepted ? auth[i].user : -1;
			if (passed)
				passed[first + i] = auth[i].passed;
			if (score)
				score[first + i] = auth[i].score;
		}
	}
	return 0;
}

int judge_creds(const struct setup *s, const struct service *v, const struct bundle *creds, int n,
		unsigned char *accepted, int *user, unsigned *passed)
{
	return judge_scores(s, v, creds, n, accepted, user, passed, NULL);
}

void judge_observe(const struct scheme *scheme, const char *prefix, const unsigned *passed, int n, struct observations *o)
{
	unsigned char *bit = xmalloc((size_t)n + 1, 1);
	char name[128];

	for (int c = 0; c < (int)ARRAY_LEN(scheme->checks) && scheme->checks[c]; c++) {
		for (int i = 0; i < n; i++)
			bit[i] = passed[i] >> c & 1;
		snprintf(name, sizeof(name), "%s_check_%s", prefix, scheme->checks[c]);
		obs_bits(o, name, bit, (size_t)n);
	}
	free(bit);
}

int judge_genuine(const struct setup *s, const struct service *v, const struct bundle *creds, unsigned char *accepted,
		  unsigned char *identified, unsigned *passed)
{
	const int n = s->users * s->per_user;
	int *user = xmalloc(n, sizeof(*user));
	const int ret = judge_creds(s, v, creds, n, accepted, user, passed);

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
		.s = s, .service = { .scheme = s->scheme, .conf = s->conf, .model = s->locked->model, .pub = s->locked->pub,
				     .classes = s->data->classes }
	};
	if (!s->creds)
		return 0;
	j->ncreds = s->users * s->per_user;
	BUG_ON(creds_count(s->creds) != j->ncreds);
	j->accepted = xcalloc(j->ncreds, 1);
	j->identified = xcalloc(j->ncreds, 1);
	j->passed = xcalloc(j->ncreds, sizeof(*j->passed));
	j->row = xcalloc(s->users, sizeof(*j->row));
	j->user = xcalloc(j->ncreds, sizeof(*j->user));
	j->score = xcalloc(j->ncreds, sizeof(*j->score));
	if (judge_scores(s, &j->service, s->creds, j->ncreds, j->accepted, j->user, j->passed, j->score) < 0) {
		judge_close(j);
		return -1;
	}
	for (int i = 0; i < j->ncreds; i++)
		j->identified[i] = j->accepted[i] && j->user[i] == i / s->per_user;
	find_valid(j);
	return 0;
}

void judge_close(struct judge *j)
{
	free(j->accepted);
	free(j->identified);
	free(j->passed);
	free(j->user);
	free(j->score);
	free(j->row);
	*j = (struct judge){ 0 };
}

int judge_revoke(const struct setup *s, int user, struct locked *copy)
{
	*copy = (struct locked){
		model_copy(s->locked->model), s->locked->pub ? bundle_copy(s->locked->pub) : NULL,
		s->locked->secret ? bundle_copy(s->locked->secret) : NULL
	};
	return s->scheme->revoke(s->conf, copy, user);
}

/* ---- whoever asks ---- */

/* Questions of whoever holds cred (one, NULL: none): images first, first + step, ... of test. */
static int ask(const struct service *v, const struct bundle *cred, const struct images *test, int first, int step,
	       uint64_t nonce, struct reply *out)
{
	const int n = (test->n - first + step - 1) / step;
	int *index = xmalloc((size_t)n + 1, sizeof(*index));
	struct reply *got = xmalloc((size_t)n + 1, sizeof(*got));
	struct images q = *test;
	int ret = 0;

	for (q.n = 0; q.n < n; q.n++)
		index[q.n] = images_at(test, first + q.n * step);
	q.index = index;
	if (n > 0)
		ret = judge_replies(v, cred, &q, nonce + (uint64_t)first, got);
	for (int i = 0; !ret && i < n; i++)
		out[first + i * step] = got[i];
	free(index);
	free(got);
	return ret;
}

int judge_said(const struct setup *s, const struct service *v, const struct bundle *creds, const int *row, int nrows,
	       const struct images *test, const char *purpose, struct reply *out)
{
	const uint64_t nonce = rng_derive(s->seed, purpose);
	int ret = 0;

	if (!nrows)
		return ask(v, NULL, test, 0, 1, nonce, out);
	for (int i = 0; i < nrows && !ret; i++) {
		struct bundle *one = creds_range(creds, row[i], 1);

		ret = ask(v, one, test, i, nrows, nonce, out);
		bundle_free(one);
	}
	return ret;
}

int judge_answers(const struct setup *s, const struct service *v, const struct bundle *creds, const int *row, int nrows,
		  const struct images *test, const char *purpose, unsigned char *right)
{
	struct reply *said = xmalloc((size_t)test->n + 1, sizeof(*said));
	const int ret = judge_said(s, v, creds, row, nrows, test, purpose, said);

	for (int i = 0; !ret && i < test->n; i++)
		right[i] = said[i].top == images_label(test, i);
	free(said);
	return ret;
}

bool judge_controls_access(const struct setup *s)
{
	return !s->scheme->enrol || scheme_users(s->scheme, s->conf, s->data->classes) > 0;
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
	const int ret = service_probs(m, v, v->classes, probs);

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
		obs_num(o, "mark_alphabet", w->alphabet ? w->alphabet : 2);
	}
	free(w);
	return ret;
}

/* ---- keys that nobody issued ---- */

struct bundle *judge_wrong_keys(const struct judge *j, int n, uint64_t seed)
{
	struct bundle *b;

	if (!j->s->scheme->wrong_keys)
		return creds_random(j->s->creds, n, seed);
	b = bundle_new();
	if (j->s->scheme->wrong_keys(&j->service, seed, n, b) == 0)
		return b;
	bundle_free(b);
	return NULL;
}

/* ---- whose queries are these? ---- */

#define TRACED_USERS 50   /* at most */
#define TRACED_QUERIES 20 /* of each */

struct trace_tally {
	unsigned char *identified, *named; /* (queries) */
	unsigned char *bit;                /* read right, query after query */
	size_t queries, bits;
};

/* Queries of whoever holds issued credential `row`. */
static int trace_user(const struct judge *j, const struct service *v, int row, int first, struct trace_tally *t)
{
	const struct setup *s = j->s;
	const struct images *test = &s->splits->test;
	const struct tensor *truth = bundle_get(s->creds, "about_bits", DT_U8);
	struct bundle *one = creds_range(s->creds, row, 1);
	struct traced *got = xcalloc(TRACED_QUERIES, sizeof(*got));
	int index[TRACED_QUERIES], ret;
	struct images q = *test;
	float *x;

	for (int i = 0; i < TRACED_QUERIES; i++)
		index[i] = images_at(test, (first + i) % test->n);
	q.n = TRACED_QUERIES;
	q.index = index;
	x = service_sent(v, one, 0, &q);
	ret = x ? s->scheme->trace(s->conf, s->locked, x, q.n, got) : -1;
	for (int i = 0; i < q.n && !ret; i++, t->queries++) {
		t->named[t->queries] = got[i].user >= 0;
		t->identified[t->queries] = got[i].user == row / s->per_user;
		for (int b = 0; truth && b < got[i].nbits && b < truth->d[1]; b++)
			t->bit[t->bits++] = got[i].bit[b] == ((const uint8_t *)truth->data)[(size_t)row * truth->d[1] + b];
	}
	free(x);
	free(got);
	bundle_free(one);
	return ret;
}

int judge_trace(const struct judge *j, const struct service *v, const char *prefix, struct observations *o)
{
	const int users = j->nrows < TRACED_USERS ? j->nrows : TRACED_USERS, most = users * TRACED_QUERIES;
	struct trace_tally t = { 0 };
	char name[48];
	int ret = 0;

	if (!j->s->scheme->trace || !users)
		return 0;
	t.identified = xcalloc(most, 1);
	t.named = xcalloc(most, 1);
	t.bit = xcalloc((size_t)most * sizeof(((struct traced *)0)->bit), 1);
	for (int i = 0; i < users && !ret; i++)
		ret = trace_user(j, v, j->row[i], i * TRACED_QUERIES, &t);
	if (!ret) {
		snprintf(name, sizeof(name), "%s_traced", prefix);
		obs_bits(o, name, t.identified, t.queries);
		snprintf(name, sizeof(name), "%s_named", prefix);
		obs_bits(o, name, t.named, t.queries);
		snprintf(name, sizeof(name), "%s_bits_read", prefix);
		if (t.bits)
			obs_bits(o, name, t.bit, t.bits);
	}
	free(t.identified);
	free(t.named);
	free(t.bit);
	return ret;
}
