/* Users put the networks that they run together: where every user has a network of his own, the difference between them is what names
 * him. Made is one network that works and, maybe, names nobody or somebody else.
 *
 *   average, median, min, max, midrange, negative (min + max - median), interleave   number by number
 *   locate   numbers on which the colluders differ become the first one's times 0 (the mark lives there and nowhere else)
 *   vote     no network is made: all copies are asked, and the class that most of them say is answered
 *
 * Source: Wu, Trappe, Wang, Liu, "Collusion-resistant fingerprinting for multimedia", IEEE SPM 2004 (linear, order statistics,
 * cut-and-paste); DeepMarks (Chen et al., ICMR 2019) for networks. Differs: networks that users run now (what they decrypt or unlock);
 * where all run the same one there is nothing to put together, and the cell says so. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/attack.h"
#include "attacks/kit/order.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

enum method { METHOD_INTERLEAVE = ORDERS, METHOD_LOCATE, METHOD_VOTE }; /* behind those of order.h */

struct pool_conf { int method, colluders; double share; };
static const struct opt pool_opts[] = {
	{ "share", OPT_FLOAT, offsetof(struct pool_conf, share), "1", 0, 1, "share of the numbers that are mixed, the others are the first colluder's", NULL },
	{ "method", OPT_CHOICE, offsetof(struct pool_conf, method), "average", 0, 0, "what becomes of the colluders' numbers",
	  ORDER_NAMES "|interleave|locate|vote" },
	{ "colluders", OPT_INT, offsetof(struct pool_conf, colluders), "2", 2, ORDER_MOST, "users who put theirs together", NULL },
	{ 0 }
};

static double mixed(int method, const double *v, int n, struct rng *r)
{
	switch (method) {
	case METHOD_INTERLEAVE:
		return v[rng_below(r, (uint32_t)n)];
	case METHOD_LOCATE:
		return order_of(ORDER_MIN, v, n) < order_of(ORDER_MAX, v, n) ? 0 : v[0];
	default:
		return order_of((enum order)method, v, n);
	}
}

/* m, the first colluder's, becomes the mixture of all n. A number's stream is its own: more of them mixed changes none. */
static void mix(const struct access *a, const struct pool_conf *c, const int *party, int n, struct model *m)
{
	struct rng r;

	rng_open(&r, a->seed, "pool mix", 0, 0);
	for (size_t k = 0; k < m->nx; k++) {
		const bool taken = rng_uniform(&r) < c->share;
		double v[ORDER_MOST], got;

		for (int i = 0; i < n; i++)
			v[i] = (double)a->instance[party[i]]->x[k];
		got = mixed(c->method, v, n, &r);
		if (taken)
			m->x[k] = (real)got;
	}
}

/* Share of the numbers on which the party's networks are not all the same; below 0: they have different shapes. */
static double apart(const struct access *a, const int *party, int n)
{
	const struct model *first = a->instance[party[0]];
	size_t differ = 0;

	for (int i = 1; i < n; i++)
		if (a->instance[party[i]]->nx != first->nx)
			return -1;
	for (size_t k = 0; k < first->nx; k++)
		for (int i = 1; i < n; i++)
			if (a->instance[party[i]]->x[k] != first->x[k]) {
				differ++;
				break;
			}
	return (double)differ / (double)first->nx;
}

/* ---- vote ---- */

/* The colluders' weights lie stacked in the product: "weights" f32 (n, numbers); p->stolen has their shape. */
static int vote_answer(const struct product *p, struct asked *service, const struct images *v, float *probs)
{
	const struct tensor *t = bundle_get(p->kept, "weights", DT_F32);
	const size_t len = (size_t)v->n * (size_t)v->classes;
	float *one = xmalloc((size_t)v->n * (size_t)p->stolen->spec.classes + 1, sizeof(*one));
	int ret = 0;

	(void)service;
	memset(probs, 0, len * sizeof(*probs));
	for (int64_t i = 0; i < t->d[0] && !ret; i++) {
		const float *w = (const float *)t->data + (size_t)i * p->stolen->nx;

		for (size_t k = 0; k < p->stolen->nx; k++)
			p->stolen->x[k] = (real)w[k];
		ret = model_predict_probs(p->stolen, v, one);
		for (int j = 0; j < v->n && !ret; j++) {
			int top;

			argmax_rows(one + (size_t)j * (size_t)p->stolen->spec.classes, 1, v->classes, &top);
			probs[(size_t)j * (size_t)v->classes + (size_t)top] += 1 / (float)t->d[0];
		}
	}
	free(one);
	return ret;
}

static void vote(const struct access *a, const int *party, int n, struct product *p)
{
	float *w;

	p->stolen = model_copy(a->instance[party[0]]);
	p->kept = bundle_new();
	w = bundle_put(p->kept, "weights", DT_F32, 2, (const int64_t[]){ n, (int64_t)p->stolen->nx }, NULL);
	for (int i = 0; i < n; i++)
		for (size_t k = 0; k < p->stolen->nx; k++)
			*w++ = (float)a->instance[party[i]]->x[k];
	p->answer = vote_answer;
}

/* ---- hooks ---- */

static const char *pool_inapplicable(const void *conf, int has_users, int has_ownership)
{
	(void)conf, (void)has_ownership;
	return has_users ? NULL : "the scheme has no users who could put anything together";
}

static int pool_run(struct access *a, const void *conf, struct product *p)
{
	const struct pool_conf *c = conf;
	const int n = c->colluders < a->ninstances ? c->colluders : a->ninstances;
	int *party;
	struct rng r;
	double differ;

	if (!a->ninstances)
		return error(EXIT_UNEVALUABLE, "pool: no networks of users were granted");
	p->goal = GOAL_USE;
	p->notes = json_object();
	party = xmalloc((size_t)a->ninstances, sizeof(*party));
	rng_open(&r, a->seed, "pool party", 0, 0);
	rng_permutation(&r, party, a->ninstances);
	differ = apart(a, party, n);
	jset_int(p->notes, "colluders", n);
	jset_num(p->notes, "numbers_that_differ", differ);
	if (differ < 0) {
		p->inapplicable = "users' networks have different shapes";
	} else if (n < 2 || differ <= 0) {
		p->inapplicable = "all users run the same network: nothing to put together, and a copy of it names nobody";
	} else if (c->method == METHOD_VOTE) {
		vote(a, party, n, p);
	} else {
		p->model = model_copy(a->instance[party[0]]);
		mix(a, c, party, n, p->model);
	}
	free(party);
	return 0;
}

const struct attack attack_pool = {
	.drv = { .name = "pool", .summary = "users put the networks that they run together",
		 .source = "Wu, Trappe, Wang, Liu, IEEE SPM 2004; DeepMarks (Chen et al., ICMR 2019). Differs: on what users decrypt or unlock; n/a "
			   "where all run the same network",
		 .version = 1, .conf_size = sizeof(struct pool_conf), .opts = pool_opts },
	.goal = GOAL_USE, .needs = CAP_INSTANCE | CAP_WRITE, .strength = "share", .strength_up = 1,
	.inapplicable = pool_inapplicable, .run = pool_run, .finds = "users who run different networks",
};
