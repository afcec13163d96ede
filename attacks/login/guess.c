/* Guessing keys: as the scheme draws them, near a leaked one, or uphill by the service's answers.
 *
 *   random  `tries` keys drawn as the scheme draws (its algorithm is known, no secret)
 *   near    `tries` copies of a leaked key, each with `changes` of its numbers changed: how sharp is the key?
 *   climb   one key, drawn; `tries` times one number is changed, and the change stays when the service's answers to labelled images are
 *           no worse. Only the last key is presented.
 *
 * A changed integer has one of its tensor's bits flipped, a changed float takes the place of another of its tensor.
 *
 * Source: Chakraborty, Mondal, Srivastava, "Hardware-assisted intellectual property protection of deep learning models", DAC 2020 (wrong and
 * partly right keys); Fan et al., DeepIPR, NeurIPS 2019 (random passports); hill climbing as on logic locking. Differs: on every kind of
 * key; climbing changes one number at a time, at random places. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/login/credential.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/rng.h"

enum method { METHOD_RANDOM, METHOD_NEAR, METHOD_CLIMB };

struct guess_conf { int method, tries, changes, leaked, images; char tensor[OPT_STRING_MAX]; };
#define AT(member) offsetof(struct guess_conf, member)
static const struct opt guess_opts[] = {
	{ "method", OPT_CHOICE, AT(method), "random", 0, 0, "where guesses come from", "random|near|climb" },
	{ "tries", OPT_INT, AT(tries), "200", 0, 10000000, "keys guessed; climb: changes tried", NULL },
	{ "changes", OPT_INT, AT(changes), "1", 0, 1000000, "near: numbers changed in each", NULL },
	{ "leaked", OPT_INT, AT(leaked), "0", 0, 1000000000, "near: whose key leaked, modulo users", NULL },
	{ "images", OPT_INT, AT(images), "100", 1, 1000000, "climb: labelled images, a query each for every change", NULL },
	{ "tensor", OPT_STRING, AT(tensor), "", 0, 64, "near, climb: which tensor of the key is changed; empty: all but what users share", NULL },
	{ 0 }
};
#undef AT

/* ---- numbers of a key ---- */

static bool touched(const struct guess_conf *c, const struct tensor *t)
{
	return *c->tensor ? !strcmp(c->tensor, t->name) : !credential_shared(t) && t->len > 0;
}

/* Numbers of one key that may be changed. */
static size_t numbers(const struct guess_conf *c, const struct bundle *b)
{
	size_t n = 0;

	for (int i = 0; i < b->nt; i++)
		n += touched(c, &b->t[i]) ? b->t[i].len / (size_t)b->t[i].d[0] : 0;
	return n;
}

/* The largest number of bits that any of t's n numbers has. */
static int bits_of(const struct tensor *t)
{
	double most = 1;

	for (size_t i = 0; i < t->len; i++)
		most = fmax(most, fabs(credential_value(t, i)));
	return (int)floor(log2(most)) + 1;
}

/* Change number `which` of key `row`; the old value, and where it stood. */
static double change(const struct guess_conf *c, struct bundle *b, int row, size_t which, struct rng *r, struct tensor **at, size_t *place)
{
	for (int i = 0; i < b->nt; i++) {
		struct tensor *t = &b->t[i];
		const size_t len = t->len / (size_t)t->d[0], first = (size_t)row * len;
		double old;

		if (!touched(c, t) || which >= len) {
			which -= touched(c, t) ? len : 0;
			continue;
		}
		*at = t;
		*place = first + which;
		old = credential_value(t, *place);
		if (t->dtype == DT_F32 || t->dtype == DT_F64)
			credential_set(t, *place, credential_value(t, first + rng_below(r, (uint32_t)len)));
		else
			credential_set(t, *place, (double)((long long)old ^ 1LL << rng_below(r, (uint32_t)bits_of(t))));
		return old;
	}
	BUG_ON(1);
	return 0;
}

/* ---- the three ways ---- */

static void near(const struct access *a, const struct guess_conf *c, struct product *p)
{
	const size_t all = numbers(c, a->creds);
	const int from = c->leaked % a->ncreds;

	p->creds = credential_blank(a->creds, c->tries);
	for (int i = 0; i < c->tries; i++) {
		struct tensor *t;
		size_t place;
		struct rng r;

		for (int k = 0; k < p->creds->nt; k++) {
			struct tensor *to = &p->creds->t[k];
			const size_t len = to->len / (size_t)to->d[0];

			for (size_t j = 0; j < len && !credential_shared(to); j++)
				credential_set(to, (size_t)i * len + j, credential_value(&a->creds->t[k], (size_t)from * len + j));
		}
		rng_open(&r, a->seed, "guess near", (uint32_t)i, 0);
		for (int k = 0; k < c->changes && all; k++)
			change(c, p->creds, i, rng_below(&r, (uint32_t)all), &r, &t, &place);
	}
}

/* Mean -log P(true class) under the key; below 0 after error(). */
static double loss_of(struct access *a, const struct images *v, const struct bundle *key, float *probs)
{
	double loss = 0;

	if (access_query_as(a, v, key, 0, probs) < 0)
		return -1;
	for (int i = 0; i < v->n; i++)
		loss -= log(fmax((double)probs[(size_t)i * (size_t)a->classes + (size_t)images_label(v, i)], 1e-6)) / v->n;
	return loss;
}

static int climb(struct access *a, const struct guess_conf *c, struct product *p)
{
	const struct images v = images_first(a->labelled, c->images);
	float *probs = xmalloc((size_t)v.n * (size_t)a->classes + 1, sizeof(*probs));
	const size_t all = numbers(c, p->creds);
	double best = loss_of(a, &v, p->creds, probs), first = best;
	int kept = 0, tried = 0;
	struct rng r;

	rng_open(&r, a->seed, "guess climb", 0, 0);
	for (; tried < c->tries && all && best >= 0 && !interrupt_check(); tried++) {
		struct tensor *t;
		size_t place;
		const double old = change(c, p->creds, 0, rng_below(&r, (uint32_t)all), &r, &t, &place);
		double now;

		if (a->ledger->max_queries && a->ledger->queries + v.n > a->ledger->max_queries) {
			credential_set(t, place, old);
			break;
		}
		now = loss_of(a, &v, p->creds, probs);
		if (now < 0 || now > best)
			credential_set(t, place, old);
		kept += now >= 0 && now < best;
		best = now >= 0 && now > best ? best : now;
	}
	jset_int(p->notes, "improvements", kept);
	jset_num(p->notes, "loss_before", first);
	jset_num(p->notes, "loss_after", best);
	free(probs);
	return best < 0 || access_spend(a, v.n, 0) < 0 ? -1 : 0;
}

/* ---- hooks ---- */

static unsigned guess_needs(const void *conf)
{
	switch (((const struct guess_conf *)conf)->method) {
	case METHOD_NEAR:
		return CAP_CRED;
	case METHOD_CLIMB:
		return CAP_ALGO | CAP_PROB | CAP_LABELLED;
	default:
		return CAP_ALGO;
	}
}

static const char *guess_inapplicable(const void *conf, int has_users, int has_ownership)
{
	(void)conf, (void)has_ownership;
	return has_users ? NULL : "the scheme has no keys to guess";
}

static int guess_run(struct access *a, const void *conf, struct product *p)
{
	const struct guess_conf *c = conf;
	const bool climbs = c->method == METHOD_CLIMB;

	if ((c->method == METHOD_NEAR && !a->ncreds) || (climbs && !a->labelled.n))
		return error(EXIT_UNEVALUABLE, "guess: leaked keys or labelled images were not granted");
	p->goal = GOAL_IMPERSONATE;
	p->notes = json_object();
	p->ncreds = climbs && c->tries ? 1 : c->tries;
	if (!p->ncreds) {
		p->creds = bundle_new();
		return 0;
	}
	if (c->method == METHOD_NEAR) {
		if (!numbers(c, a->creds))
			p->inapplicable = "keys have no such numbers of their own";
		else
			near(a, c, p);
		return 0;
	}
	p->creds = bundle_new();
	if (access_draw(a, rng_derive(a->seed, "guess"), p->ncreds, p->creds) < 0)
		return -1;
	return climbs ? climb(a, c, p) : 0;
}

/* Climbing asks about every image at every change. */
static double guess_cost(const void *conf, const struct expected *e)
{
	const struct guess_conf *c = conf;

	(void)e;
	return c->method == METHOD_CLIMB ? (double)c->images * (c->tries + 1) : 0;
}

const struct attack attack_guess = {
	.drv = { .name = "guess", .summary = "try keys: drawn as the scheme draws them, near a leaked one, or climbing by the answers",
		 .source = "Chakraborty et al., DAC 2020 (partly right keys); Fan et al., NeurIPS 2019 (random passports). Differs: on keys of every "
			   "kind, number by number; climbing at random places",
		 .version = 1, .conf_size = sizeof(struct guess_conf), .opts = guess_opts },
	.goal = GOAL_IMPERSONATE, .needs = 0, .strength = "tries", .strength_up = 1,
	.tier = { "tries=50", NULL, "tries=10000" }, .needs_for = guess_needs, .inapplicable = guess_inapplicable, .run = guess_run, .cost = guess_cost,
};
