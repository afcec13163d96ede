/* See support_pairs.h. */
#include "tests/support_pairs.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

enum { SIDE = 28, STAMP_FROM = 0, STAMP_TO = 2 };

static int twin_prepare(const struct service *s, const struct bundle *creds, int at, const struct images *v, float *out)
{
	(void)s, (void)creds, (void)at;
	for (int i = 0; i < v->n; i++, out += SIDE * SIDE) {
		images_get(v, i, out);
		for (int k = 1; k < SIDE * SIDE; k += 2)
			out[k] = out[k - 1];
	}
	return 0;
}

static int stamp_prepare(const struct service *s, const struct bundle *creds, int at, const struct images *v, float *out)
{
	(void)s, (void)creds, (void)at;
	for (int i = 0; i < v->n; i++, out += SIDE * SIDE) {
		images_get(v, i, out);
		for (int k = STAMP_FROM * SIDE; k < STAMP_TO * SIDE; k++)
			out[k] = 1;
	}
	return 0;
}

static double twin_error(const float *x)
{
	double sum = 0;

	for (int k = 1; k < SIDE * SIDE; k += 2)
		sum += fabs((double)x[k] - (double)x[k - 1]);
	return sum / (SIDE * SIDE / 2);
}

static double stamp_error(const float *x)
{
	double sum = 0;

	for (int k = STAMP_FROM * SIDE; k < STAMP_TO * SIDE; k++)
		sum += 1 - (double)x[k];
	return sum / ((STAMP_TO - STAMP_FROM) * SIDE);
}

/* With a credential the client prepares first. */
static int answer(const struct service *s, const struct bundle *creds, const struct images *v, double (*error_of)(const float *x),
		  double tolerance, float *probs)
{
	struct images sent = { .n = v->n, .c = v->c, .h = v->h, .w = v->w, .classes = v->classes };
	float *x = service_sent(s, creds, 0, v);
	int ret;

	sent.fx = x;
	ret = service_probs(s->model, &sent, s->classes, probs);
	for (int i = 0; i < v->n && !ret; i++, probs += s->classes) {
		const float last = probs[s->classes - 1];

		if (error_of(x + (size_t)i * SIDE * SIDE) < tolerance)
			continue;
		memmove(probs + 1, probs, (size_t)(s->classes - 1) * sizeof(*probs));
		probs[0] = last;
	}
	free(x);
	return ret;
}

static int twin_query(const struct service *s, const struct bundle *creds, int at, const struct images *v, uint64_t nonce, float *probs)
{
	(void)at, (void)nonce;
	return answer(s, creds, v, twin_error, 0.05, probs);
}

static int stamp_query(const struct service *s, const struct bundle *creds, int at, const struct images *v, uint64_t nonce, float *probs)
{
	(void)at, (void)nonce;
	return answer(s, creds, v, stamp_error, 0.15, probs);
}

static const struct scheme schemes_of[] = {
	[PAIRS_TWIN] = { .drv = { .name = "twin", .summary = "copies columns", .source = "none. Differs: nothing", .version = 1 },
			 .decl = { .has_users = 1 }, .prepare = twin_prepare, .query = twin_query },
	[PAIRS_STAMP] = { .drv = { .name = "stamp", .summary = "whitens rows", .source = "none. Differs: nothing", .version = 1 },
			  .decl = { .has_users = 1 }, .prepare = stamp_prepare, .query = stamp_query },
};

void pairs_open(struct world *w, enum pairs_kind kind)
{
	world_open(w, &toy_scheme);
	w->setup.scheme = &schemes_of[kind];
}

int pairs_right(const struct world *w, const char *attack, const char *options, struct ledger *l, const char *key, double *note)
{
	struct observations o = { 0 };
	const char *verdict;
	struct product p;
	char why[256];
	int right;

	run_attack(w, attack, options, l, &p);
	ck_assert_msg(evaluate(&w->setup, &p, &o, &verdict, why) == 0, "%s", error_text());
	right = (int)obs_get(&o, "attacked_correct", 'b')->k;
	if (key)
		*note = jget_num(p.notes, key, NAN);
	obs_release(&o);
	product_release(&p);
	return right;
}
