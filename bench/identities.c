/* Identities of issued credentials: scores of genuine ones and of impostors, whom each is taken for, and how much what users hold
 * differs from user to user. See judge.h; reference/metrics.md 3 and 4.5. */
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "bench/judge.h"
#include "schemes/kit/creds.h"

#define SCORES 2000       /* of genuine credentials, spread over all of them */
#define DISTANT_USERS 100 /* whose credentials are compared, each with each */

/* Every k-th of n, so that at most `most` are kept. */
static int stride(int n, int most)
{
	return n > most ? (n + most - 1) / most : 1;
}

static void observe_scores(const struct judge *j, struct observations *o)
{
	const int step = stride(j->ncreds, SCORES);
	double *x = xmalloc((size_t)j->ncreds + 1, sizeof(*x));
	size_t n = 0;

	for (int i = 0; i < j->ncreds; i += step)
		x[n++] = j->score[i];
	obs_series(o, "genuine_scores", x, n);
	free(x);
}

/* Series (users x users), row by row: credentials of user u that are accepted and taken for v. Only for as many users as a cell can hold. */
#define MATRIX_USERS 64
static void observe_taken(const struct judge *j, struct observations *o)
{
	const struct setup *s = j->s;
	const size_t users = (size_t)s->users;
	double *count;

	if (!s->scheme->decl.has_identities || s->users > MATRIX_USERS)
		return;
	count = xcalloc(users * users, sizeof(*count));
	for (int i = 0; i < j->ncreds; i++)
		if (j->accepted[i] && j->user[i] >= 0 && j->user[i] < s->users)
			count[(size_t)(i / s->per_user) * users + (size_t)j->user[i]]++;
	obs_series(o, "genuine_taken_for", count, users * users);
	free(count);
}

/* ---- how different ---- */

/* A tensor of which each user holds something of his own. */
static bool personal(const struct tensor *t)
{
	return t->d[0] > 0 && strncmp(t->name, "shared_", 7) && strcmp(t->name, "ok") && strcmp(t->name, "tries") &&
	       (strncmp(t->name, "about_", 6) || !strcmp(t->name, "about_bits"));
}

/* Elements of row a and row b of t that differ. */
static size_t differing(const struct tensor *t, int a, int b, size_t *n)
{
	const size_t size = dtype_size(t->dtype), len = t->len / (size_t)t->d[0];
	const char *x = (const char *)t->data + size * len * (size_t)a, *y = (const char *)t->data + size * len * (size_t)b;
	size_t differ = 0;

	for (size_t i = 0; i < len; i++)
		differ += memcmp(x + size * i, y + size * i, size) != 0;
	*n += len;
	return differ;
}

/* The share of what users a and b hold that differs: bits of their identities where there are any, else numbers of their credentials. */
static double distance(const struct bundle *creds, int a, int b)
{
	const struct tensor *bits = bundle_get(creds, "about_bits", DT_U8);
	size_t differ = 0, n = 0;

	if (bits)
		differ = differing(bits, a, b, &n);
	for (int i = 0; i < creds->nt && !bits; i++)
		if (personal(&creds->t[i]))
			differ += differing(&creds->t[i], a, b, &n);
	return n ? 100.0 * (double)differ / (double)n : 0;
}

static void observe_distances(const struct judge *j, struct observations *o)
{
	const struct setup *s = j->s;
	const int users = s->users < DISTANT_USERS ? s->users : DISTANT_USERS;
	double sum = 0, least = 100;
	long pairs = 0;

	for (int a = 0; a < users; a++)
		for (int b = a + 1; b < users; b++, pairs++) {
			const double d = distance(s->creds, a * s->per_user, b * s->per_user);

			sum += d;
			least = d < least ? d : least;
		}
	if (!pairs)
		return;
	obs_num(o, "identity_distance_least", least);
	obs_num(o, "identity_distance_mean", sum / (double)pairs);
	obs_num(o, "identity_distance_pairs", (double)pairs);
}

int observe_identities(const struct judge *j, struct observations *o)
{
	observe_scores(j, o);
	observe_taken(j, o);
	observe_distances(j, o);
	return 0;
}
