/* Pruning: set the share `rate` of the weights, or of the channels, to zero: those that matter least by some measure.
 *
 * Source: magnitude: Han et al., "Learning both Weights and Connections for Efficient Neural Networks", NIPS 2015, the pruning
 * step of section 3; the attack of ActiveGuard's Table VI. fisher: LeCun et al., "Optimal Brain Damage", NIPS 1989, with the diagonal
 * Fisher information for the Hessian. filters and fine (whole channels): prune_channels.h. random is the control.
 * Differs: one shot, without retraining unless tune-epochs asks for it (as ActiveGuard's table implies); an exact share instead of
 * a threshold of so many standard deviations, ties going to the earlier weight, so that equal models prune equally; of all layers
 * together by default, because that is what reproduces ActiveGuard's table (docs/attacks/prune.md has the numbers). */
#include <math.h>
#include <stddef.h>

#include "attacks/attack.h"
#include "attacks/kit/tune.h"
#include "attacks/kit/weights.h"
#include "attacks/weights/fisher.h"
#include "attacks/weights/prune_channels.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

enum scope { SCOPE_LAYER, SCOPE_GLOBAL };
enum kind { KIND_MAGNITUDE, KIND_RANDOM, KIND_FISHER, KIND_FILTERS, KIND_FINE };

struct prune_conf {
	double rate;
	int kind, scope, which, images;
	struct tune_after after;
};

static const struct opt prune_opts[] = {
	{ "rate", OPT_FLOAT, offsetof(struct prune_conf, rate), "0.5", 0, 0.99, "share of the weights (channels) that become zero", NULL },
	{ "kind", OPT_CHOICE, offsetof(struct prune_conf, kind), "magnitude", 0, 0,
	  "what goes: weights by |w|, at random, or by |w|^2 times Fisher information; channels by L1 norm, or (fine-pruning) the last "
	  "convolution's by activation", "magnitude|random|fisher|filters|fine" },
	{ "scope", OPT_CHOICE, offsetof(struct prune_conf, scope), "global", 0, 0,
	  "share of all layers' weights together, or of each layer's", "layer|global" },
	WEIGHTS_ROW(struct prune_conf, which),
	{ "images", OPT_INT, offsetof(struct prune_conf, images), "1000", 1, 1000000, "unlabelled images for fisher and fine", NULL },
	TUNE_AFTER(struct prune_conf, after),
	{ 0 }
};

/* ---- the smallest of an array ---- */

struct weight {
	float size;   /* |w|, or whatever else says how much it matters */
	uint32_t at;  /* its position, which breaks ties */
	real *x;
};

static int by_size(const void *pa, const void *pb)
{
	const struct weight *a = pa, *b = pb;

	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at;
}

/* Zero the share rate of the n weights; returns how many. */
static size_t zero_smallest(struct weight *w, size_t n, double rate)
{
	const size_t k = weights_share(n, rate);

	qsort(w, n, sizeof(*w), by_size);
	for (size_t i = 0; i < k; i++)
		*w[i].x = 0;
	return k;
}

/* ---- single weights ---- */

struct pruning {
	const struct prune_conf *c;
	struct model *m;
	const double *fisher; /* (m->ng) with kind=fisher */
	struct rng rng;       /* with kind=random */
	size_t gone, all;     /* weights or channels */
};

static float size_of(struct pruning *k, const real *x)
{
	if (k->c->kind == KIND_RANDOM)
		return (float)rng_uniform(&k->rng);
	if (k->c->kind == KIND_FISHER)
		return (float)(k->fisher[x - k->m->x] * (double)*x * (double)*x);
	return fabsf((float)*x);
}

/* Append the weights of p at w[n]; the new n. */
static size_t gather(struct pruning *k, const struct param *p, struct weight *w, size_t n)
{
	for (size_t i = 0; i < p->len; i++, n++)
		w[n] = (struct weight){ size_of(k, &p->x[i]), (uint32_t)n, &p->x[i] };
	return n;
}

static void prune_weights(struct pruning *k)
{
	const struct prune_conf *c = k->c;
	struct model *m = k->m;
	struct weight *w = xmalloc(m->nx, sizeof(*w));
	size_t n = 0;

	for (int i = 0; i < m->np; i++) {
		if (!weights_counted(&m->p[i], c->which))
			continue;
		n = gather(k, &m->p[i], w, c->scope == SCOPE_GLOBAL ? n : 0);
		k->all += m->p[i].len;
		if (c->scope == SCOPE_LAYER)
			k->gone += zero_smallest(w, n, c->rate);
	}
	if (c->scope == SCOPE_GLOBAL)
		k->gone = zero_smallest(w, n, c->rate);
	free(w);
}

static int prune_by_fisher(struct access *a, struct pruning *k)
{
	const struct images v = images_first(a->unlabelled, k->c->images);
	double *f = xmalloc(k->m->ng, sizeof(*f));
	const int ret = fisher_diagonal(a, k->m, &v, f);

	k->fisher = f;
	if (!ret)
		prune_weights(k);
	free(f);
	return ret;
}

/* ---- hooks ---- */

static int prune_channels(struct access *a, struct pruning *k)
{
	const struct prune_conf *c = k->c;
	struct channel_pruning way = { .rate = c->rate, .which = c->which, .each = c->scope == SCOPE_LAYER };
	const struct images v = images_first(a->unlabelled, c->images);
	int ret;

	if (c->kind == KIND_FINE) {
		ret = channels_by_activation(k->m, &v, &way);
		if (!ret)
			ret = access_spend(a, 0, v.n);
	} else {
		ret = channels_by_norm(k->m, &way);
	}
	k->gone = way.gone;
	k->all = way.all;
	return ret;
}

static bool whole_channels(const struct prune_conf *c)
{
	return c->kind == KIND_FILTERS || c->kind == KIND_FINE;
}

static unsigned prune_needs(const void *conf)
{
	const struct prune_conf *c = conf;

	return CAP_WEIGHTS | CAP_WRITE | (c->kind == KIND_FISHER || c->kind == KIND_FINE ? CAP_UNLABELLED : 0) | tune_after_needs(&c->after);
}

static int prune_run(struct access *a, const void *conf, struct product *p)
{
	const struct prune_conf *c = conf;
	struct pruning k = { .c = c };
	int ret = 0;

	if (!a->model)
		return error(EXIT_UNEVALUABLE, "prune: the deployed model was not granted");
	p->goal = GOAL_REMOVE;
	k.m = p->model = model_copy(a->model);
	rng_open(&k.rng, a->seed, "prune", 0, 0);
	if (whole_channels(c))
		ret = prune_channels(a, &k);
	else if (c->kind == KIND_FISHER)
		ret = prune_by_fisher(a, &k);
	else
		prune_weights(&k);
	if (!ret && c->rate > 0)
		ret = tune_after(a, &c->after, true, p->model);
	p->notes = json_object();
	jset_int(p->notes, whole_channels(c) ? "channels" : "weights", (long long)k.all);
	jset_int(p->notes, whole_channels(c) ? "removed" : "zeroed", (long long)k.gone);
	return ret;
}

const struct attack attack_prune = {
	.drv = {
		.name = "prune",
		.summary = "zero the weights or channels of the stolen model that matter least, to wipe out its mark",
		.source = "Han et al., NIPS 2015, section 3; ActiveGuard, section IV-E, table VI; Li et al., ICLR 2017 (filters); "
			  "Fine-Pruning, RAID 2018. Differs: one shot without retraining unless asked for; an exact share, of all "
			  "layers together by default, instead of a threshold per layer",
		.version = 1,
		.conf_size = sizeof(struct prune_conf),
		.opts = prune_opts,
	},
	.goal = GOAL_REMOVE,
	.needs = CAP_WEIGHTS | CAP_WRITE,
	.strength = "rate",
	.strength_up = 1,
	.needs_for = prune_needs,
	.run = prune_run,
	.search = "kind=magnitude,random,filters scope=layer,global",
};
