/* From features to AUC. See steganalysis.h. */
#include <stdlib.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/tile.h"
#include "metrics/image/imagequality.h"
#include "metrics/image/steganalysis.h"
#include "metrics/image/steganalysis_fisher.h"
#include "metrics/stat/roc.h"

#define SPLITS 10
#define TRAIN_MOST 50
#define RIDGE 0.1

const char *const steg_names[STEG_DETECTORS] = { "chi2", "rs", "spam162", "spam686" };
static const int features[STEG_DETECTORS] = { 1, 1, SPAM162, SPAM686 };

/* ---- features of a set: (n, features) ---- */

struct extraction { enum steg_detector d; const struct images *v; double *out; };

static void extract_one(void *ctx, int i, int thread)
{
	const struct extraction *e = ctx;
	const struct images *v = e->v;
	const size_t len = (size_t)images_size(v);
	double *out = e->out + (long)i * features[e->d];
	float *x = xmalloc(len, sizeof(*x));
	uint8_t *px = xmalloc(len, 1);

	(void)thread;
	images_get(v, i, x);
	image_round8(x, len, x);
	image_bytes(x, len, px);
	if (e->d == STEG_CHI2)
		*out = steg_chi2(px, v->c, v->h, v->w);
	else if (e->d == STEG_RS)
		*out = steg_rs(px, v->c, v->h, v->w);
	else
		steg_spam(px, v->c, v->h, v->w, e->d == STEG_SPAM162 ? 1 : 2, out);
	free(x);
	free(px);
}

static double *extract(enum steg_detector d, const struct images *v)
{
	struct extraction e = { d, v, xmalloc((size_t)v->n * (size_t)features[d], sizeof(double)) };

	tile_for(v->n, extract_one, &e);
	return e.out;
}

/* ---- judging ---- */

static void judge(const double *clean, int m, const double *suspect, int n, struct steg_result *out)
{
	struct roc r;

	roc_of(suspect, n, clean, m, &r);
	out->auc += roc_auc(&r);
	out->error += roc_min_error(&r);
	roc_free(&r);
}

/* Rows of x (., d) in a random order, the first `train` of them to learn from. */
struct half { double *x; double *score; int n; };

static void shuffle(const double *x, int n, int d, const int *order, struct half *h)
{
	*h = (struct half){ xmalloc((size_t)n * (size_t)d, sizeof(double)), xmalloc((size_t)n, sizeof(double)), n };
	for (int i = 0; i < n; i++)
		for (int k = 0; k < d; k++)
			h->x[(long)i * d + k] = x[(long)order[i] * d + k];
}

static void score(struct half *h, int train, int d, const double *w)
{
	for (int i = train; i < h->n; i++) {
		h->score[i] = 0;
		for (int k = 0; k < d; k++)
			h->score[i] += w[k] * h->x[(long)i * d + k];
	}
}

static void half_release(struct half *h)
{
	free(h->x);
	free(h->score);
}

/* a, b (m and n, d): one random half to learn from, the other to be judged by. */
static void split(const double *a, int m, const double *b, int n, int d, int train, uint64_t seed, int at, struct steg_result *out)
{
	int *order = xmalloc((size_t)(m > n ? m : n), sizeof(*order));
	double *w = xmalloc((size_t)d, sizeof(*w));
	struct half clean, suspect;
	struct rng r;

	rng_open(&r, seed, "steganalysis", (uint32_t)at, 0);
	rng_permutation(&r, order, m);
	shuffle(a, m, d, order, &clean);
	if (n != m) /* else image i of both sets stays together */
		rng_permutation(&r, order, n);
	shuffle(b, n, d, order, &suspect);
	fisher_train(clean.x, train, suspect.x, train, d, RIDGE, w);
	score(&clean, train, d, w);
	score(&suspect, train, d, w);
	judge(clean.score + train, m - train, suspect.score + train, n - train, out);
	half_release(&clean);
	half_release(&suspect);
	free(order);
	free(w);
}

static int check(const struct images *a, const struct images *b)
{
	if (a->c != b->c || a->h != b->h || a->w != b->w)
		return error(EXIT_UNEVALUABLE, "steganalysis compares images of one shape: %dx%dx%d and %dx%dx%d", a->c, a->h, a->w,
			     b->c, b->h, b->w);
	if (a->h < 8 || a->w < 8)
		return error(EXIT_UNEVALUABLE, "steganalysis wants images of at least 8x8 pixels: %dx%d", a->h, a->w);
	if (a->n < STEG_LEAST || b->n < STEG_LEAST)
		return error(EXIT_UNEVALUABLE, "steganalysis wants at least %d images of each kind: %d and %d", STEG_LEAST, a->n, b->n);
	return 0;
}

int steganalysis(enum steg_detector d, const struct images *clean, const struct images *suspect, uint64_t seed,
		 struct steg_result *out)
{
	const int least = clean->n < suspect->n ? clean->n : suspect->n;
	const int train = features[d] == 1 ? 0 : least / 2 < TRAIN_MOST ? least / 2 : TRAIN_MOST;
	double *a, *b;

	*out = (struct steg_result){ .trained = train, .tested = least - train };
	if (check(clean, suspect) < 0)
		return -1;
	a = extract(d, clean);
	b = extract(d, suspect);
	for (int i = 0; i < SPLITS && train; i++)
		split(a, clean->n, b, suspect->n, features[d], train, seed, i, out);
	if (train) {
		out->auc /= SPLITS;
		out->error /= SPLITS;
	} else {
		judge(a, clean->n, b, suspect->n, out);
	}
	free(a);
	free(b);
	return 0;
}
