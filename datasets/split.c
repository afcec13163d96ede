/* Who may see which training image: disjoint, stratified, random parts.
 *
 * Images of each class are shuffled on their own; then every part takes its share of each class, the shares rounded
 * by largest remainder (Hamilton's method), so class counts differ from exact proportion by less than one. */
#include "datasets/dataset.h"
#include "base/error.h"
#include "base/rng.h"
#include "datasets/format.h"
#include <string.h>

/* Indices of one part of a data set, sorted into classes, each class shuffled and taken from the front. */
struct deck {
	int classes;
	int *card;                         /* (n) indices, class after class */
	int start[DATASET_MAX_CLASSES + 1]; /* of each class in card */
	int next[DATASET_MAX_CLASSES];     /* first not taken */
	int left[DATASET_MAX_CLASSES];     /* still to be given out */
};

/* Numbers that must not depend on each other come from streams of different (a, b). */
enum { STREAM_CLASS, STREAM_ORDER };

static void shuffle(int *p, int n, uint64_t seed, const char *purpose, uint32_t a, uint32_t b)
{
	int *perm = xmalloc((size_t)n, sizeof(*perm)), *copy = xmalloc((size_t)n, sizeof(*copy));
	struct rng r;

	rng_open(&r, seed, purpose, a, b);
	rng_permutation(&r, perm, n);
	memcpy(copy, p, (size_t)n * sizeof(*p));
	for (int i = 0; i < n; i++)
		p[i] = copy[perm[i]];
	free(copy);
	free(perm);
}

static void deck_init(struct deck *k, const uint8_t *labels, int n, int classes, uint64_t seed, const char *purpose)
{
	int at[DATASET_MAX_CLASSES];

	memset(k, 0, sizeof(*k));
	k->classes = classes;
	k->card = xmalloc((size_t)n, sizeof(*k->card));
	for (int i = 0; i < n; i++)
		k->left[labels[i]]++;
	for (int c = 0; c < classes; c++) {
		at[c] = k->next[c] = k->start[c];
		k->start[c + 1] = k->start[c] + k->left[c];
	}
	for (int i = 0; i < n; i++)
		k->card[at[labels[i]]++] = i;
	for (int c = 0; c < classes; c++)
		if (k->left[c])
			shuffle(k->card + k->start[c], k->left[c], seed, purpose, (uint32_t)c, STREAM_CLASS);
}

/* share[c] of total, in proportion to have[c]; total at most the sum. Largest remainder; ties to the lower class.
 * A share never exceeds have[c]: it is the exact one rounded down or, when that is no integer, up. */
static void apportion(const int *have, int classes, int total, int *share)
{
	long long rest[DATASET_MAX_CLASSES], sum = 0;
	int given = 0;

	for (int c = 0; c < classes; c++)
		sum += have[c];
	for (int c = 0; c < classes; c++) {
		const long long exact = (long long)have[c] * total;

		share[c] = (int)(exact / sum);
		rest[c] = exact % sum;
		given += share[c];
	}
	for (; given < total; given++) {
		int best = 0;

		for (int c = 1; c < classes; c++)
			if (rest[c] > rest[best])
				best = c;
		share[best]++;
		rest[best] = -1;
	}
}

/* Take n indices, each class in proportion to what it has left. */
static void deck_deal(struct deck *k, int n, int *out)
{
	int share[DATASET_MAX_CLASSES];

	apportion(k->left, k->classes, n, share);
	for (int c = 0; c < k->classes; c++) {
		memcpy(out, k->card + k->next[c], (size_t)share[c] * sizeof(*out));
		out += share[c];
		k->next[c] += share[c];
		k->left[c] -= share[c];
	}
}

/* Use only n indices: what is over in each class is never dealt. */
static void deck_limit(struct deck *k, int n)
{
	int share[DATASET_MAX_CLASSES];

	apportion(k->left, k->classes, n, share);
	memcpy(k->left, share, (size_t)k->classes * sizeof(*share));
}

static struct images view(struct images all, const int *index, int n)
{
	all.index = index;
	all.n = n;
	return all;
}

static int limited(int n, int limit)
{
	return limit && limit < n ? limit : n;
}

static void make_train(struct splits *s, const struct dataset *d, uint64_t seed, int n)
{
	struct images *const part[] = { &s->pool, &s->attacker_val, &s->val, &s->owner };
	const int size[] = { n / 6, n / 60, n / 60, n - n / 6 - 2 * (n / 60) };
	int *at = s->index;
	struct deck k;

	deck_init(&k, d->train_labels, d->ntrain, d->classes, seed, "split");
	deck_limit(&k, n);
	for (int i = 0; i < (int)ARRAY_LEN(part); i++) {
		deck_deal(&k, size[i], at);
		shuffle(at, size[i], seed, "split", (uint32_t)i, STREAM_ORDER);
		*part[i] = view(dataset_train(d), at, size[i]);
		at += size[i];
	}
	free(k.card);
}

static void make_test(struct splits *s, const struct dataset *d, int *at, int n)
{
	struct deck k;

	deck_init(&k, d->test_labels, d->ntest, d->classes, 0, "split-test");
	deck_deal(&k, n, at);
	shuffle(at, n, 0, "split-test", 0, STREAM_ORDER);
	s->test = view(dataset_test(d), at, n);
	free(k.card);
}

int splits_make(struct splits *s, const struct dataset *d, uint64_t seed, int limit_train, int limit_test)
{
	const int ntrain = limited(d->ntrain, limit_train), ntest = limited(d->ntest, limit_test);

	memset(s, 0, sizeof(*s));
	if (limit_train < 0 || limit_test < 0)
		return error(EXIT_UNEVALUABLE, "%s: a limit of images cannot be negative (0 means all)", d->name);
	if (ntrain < SPLITS_MIN)
		return error(EXIT_UNEVALUABLE, "%s: %d training images cannot be split; use at least %d", d->name, ntrain, SPLITS_MIN);
	s->index = xmalloc((size_t)ntrain + (size_t)ntest, sizeof(*s->index));
	make_train(s, d, seed, ntrain);
	make_test(s, d, s->index + ntrain, ntest);
	return 0;
}

void splits_overlap(struct splits *s)
{
	s->pool = images_first(s->owner, s->pool.n);
}

void splits_release(struct splits *s)
{
	free(s->index);
	memset(s, 0, sizeof(*s));
}
