/* What the unprotected network, users and others answer on test images: how often right, how often alike, how much answers without a
 * credential give away, and whether they show that they are wrong on purpose. See judge.h; reference/metrics.md 2 and 6.9. */
#include <string.h>

#include "base/error.h"
#include "bench/judge.h"
#include "metrics/stat/roc.h"

#define MOST_CLASSES 64  /* whose confusions are kept */
#define DECODED 500      /* validation images whose labels a decoder may learn from */
#define COMPARED 2000    /* answers that a distinguisher sees of each kind, at most */

/* All of it, (test images) each. */
struct heard { struct reply *reference, *authorised, *unauthorised; };

/* ---- right, and alike ---- */

static void observe_right(const struct images *test, const struct reply *said, const char *name, struct observations *o)
{
	unsigned char *right = xmalloc((size_t)test->n + 1, 1);

	for (int i = 0; i < test->n; i++)
		right[i] = said[i].top == images_label(test, i);
	obs_bits(o, name, right, (size_t)test->n);
	free(right);
}

static void observe_alike(const struct images *test, const struct heard *h, struct observations *o)
{
	unsigned char *same = xmalloc((size_t)test->n + 1, 1);

	for (int i = 0; i < test->n; i++)
		same[i] = h->reference[i].top == h->authorised[i].top;
	obs_bits(o, "authorised_agrees", same, (size_t)test->n);
	free(same);
}

/* Series (classes x classes): images of class i that are answered k. */
static void observe_confusion(const struct images *test, const struct reply *said, const char *name, struct observations *o)
{
	const size_t classes = (size_t)test->classes;
	double *count;

	if (classes > MOST_CLASSES)
		return;
	count = xcalloc(classes * classes, sizeof(*count));
	for (int i = 0; i < test->n; i++)
		count[(size_t)images_label(test, i) * classes + (size_t)said[i].top]++;
	obs_series(o, name, count, classes * classes);
	free(count);
}

/* ---- what locked answers give away ---- */

enum decoder { PLAIN, LEAST, MAP_TOP, MAP_LEAST, DECODERS };

static int decoder_reads(enum decoder d, const struct reply *said)
{
	return d == LEAST || d == MAP_LEAST ? said->low : said->top;
}

/* For each answer the class that most images with that answer have (the smallest of equals): map (classes). An answer that was never
 * seen means itself. */
static void fit_map(enum decoder d, const struct images *v, const struct reply *said, int *map)
{
	const size_t classes = (size_t)v->classes;
	int *count = xcalloc(classes * classes, sizeof(*count));

	for (int i = 0; i < v->n; i++)
		count[(size_t)decoder_reads(d, &said[i]) * classes + (size_t)images_label(v, i)]++;
	for (int a = 0; a < v->classes; a++) {
		const int *row = count + (size_t)a * classes;
		int most = 0;

		for (int k = 0; k < v->classes; k++)
			if (row[k] > row[most])
				most = k;
		map[a] = row[most] && d >= MAP_TOP ? most : a;
	}
	free(count);
}

static int decode(enum decoder d, const int *map, const struct images *v, const struct reply *said, unsigned char *right)
{
	int n = 0;

	for (int i = 0; i < v->n; i++) {
		right[i] = map[decoder_reads(d, &said[i])] == images_label(v, i);
		n += right[i];
	}
	return n;
}

/* Maps are fitted on one half of the images, the best decoder is chosen on the other, and judged on test images. */
static int observe_decoded(const struct judge *j, const struct reply *test_said, struct observations *o)
{
	const struct setup *s = j->s;
	const struct images *test = &s->splits->test, val = images_first(s->splits->val, DECODED);
	struct images fit = val, choose = val;
	struct reply *said = xmalloc((size_t)val.n + 1, sizeof(*said));
	unsigned char *right = xmalloc((size_t)(test->n > val.n ? test->n : val.n) + 1, 1);
	int map[DECODERS][256], most = -1, best = 0, *index = xmalloc((size_t)val.n + 1, sizeof(*index));
	const int ret = judge_said(s, &j->service, NULL, NULL, 0, &val, "decoder", said);

	for (int i = 0; i < val.n; i++)
		index[i] = images_at(&val, i);
	fit.index = index;
	fit.n = val.n / 2;
	choose.index = index + fit.n;
	choose.n = val.n - fit.n;
	BUG_ON(val.classes > (int)ARRAY_LEN(map[0]));
	for (int d = 0; d < DECODERS && !ret; d++) {
		int n;

		fit_map((enum decoder)d, &fit, said, map[d]);
		n = decode((enum decoder)d, map[d], &choose, said + fit.n, right);
		if (n > most) {
			most = n;
			best = d;
		}
	}
	if (!ret) {
		decode((enum decoder)best, map[best], test, test_said, right);
		obs_bits(o, "decoded_correct", right, (size_t)test->n);
	}
	free(index);
	free(said);
	free(right);
	return ret;
}

/* ---- deliberate errors, and answers that are meant ---- */

static double reply_score(const struct reply *r, int which)
{
	return which == 0 ? r->sure : which == 1 ? r->entropy : r->margin;
}

/* How well an answer alone tells who asked: AUC of top probability, entropy and margin. */
static void observe_distinguished(const struct images *test, const struct heard *h, struct observations *o)
{
	static const char *const name[] = { "answers_auc_confidence", "answers_auc_entropy", "answers_auc_margin" };
	const int n = test->n < COMPARED ? test->n : COMPARED;
	double *a = xmalloc((size_t)n + 1, sizeof(*a)), *b = xmalloc((size_t)n + 1, sizeof(*b));

	for (int w = 0; w < 3 && n; w++) {
		struct roc roc;

		for (int i = 0; i < n; i++) {
			a[i] = reply_score(&h->authorised[i], w);
			b[i] = reply_score(&h->unauthorised[i], w);
		}
		roc_of(a, n, b, n, &roc);
		obs_num(o, name[w], roc_auc(&roc));
		roc_free(&roc);
	}
	obs_num(o, "answers_compared", n);
	free(a);
	free(b);
}

/* ---- the whole ---- */

static int hear_reference(const struct setup *s, struct reply *out)
{
	const struct images *test = &s->splits->test;
	const size_t classes = (size_t)s->data->classes;
	float *probs = xmalloc((size_t)test->n * classes + 1, sizeof(*probs));
	struct model *base = model_copy(s->base);
	const int ret = model_predict_probs(base, test, probs);

	for (int i = 0; i < test->n && !ret; i++)
		reply_of(probs + (size_t)i * classes, (int)classes, &out[i]);
	model_free(base);
	free(probs);
	return ret;
}

static int observe_unauthorised(const struct judge *j, const struct heard *h, struct observations *o)
{
	const struct setup *s = j->s;
	const struct images *test = &s->splits->test;

	if (judge_said(s, &j->service, NULL, NULL, 0, test, "unauthorised", h->unauthorised) < 0)
		return -1;
	observe_right(test, h->unauthorised, "unauthorised_correct", o);
	observe_confusion(test, h->unauthorised, "unauthorised_confusion", o);
	observe_distinguished(test, h, o);
	return observe_decoded(j, h->unauthorised, o);
}

int observe_answers(const struct judge *j, struct observations *o)
{
	const struct setup *s = j->s;
	const struct images *test = &s->splits->test;
	struct reply *all = xcalloc(3 * (size_t)test->n + 1, sizeof(*all));
	const struct heard h = { all, all + test->n, all + 2 * (size_t)test->n };
	int ret = judge_said(s, &j->service, s->creds, j->row, j->nrows, test, "authorised", h.authorised);

	if (!ret)
		ret = hear_reference(s, h.reference);
	if (!ret) {
		observe_right(test, h.authorised, "authorised_correct", o);
		observe_right(test, h.reference, "reference_correct", o);
		observe_alike(test, &h, o);
		observe_confusion(test, h.authorised, "authorised_confusion", o);
		observe_confusion(test, h.reference, "reference_confusion", o);
		if (j->nrows)
			obs_num(o, "askers", j->nrows);
		ret = judge_controls_access(s) ? observe_unauthorised(j, &h, o) : 0;
	}
	free(all);
	return ret;
}
