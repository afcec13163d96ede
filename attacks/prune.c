/* Pruning: set the share `rate` of the weights, or of the channels, to zero: those that matter least by some measure.
 *
 * Source: magnitude: Han et al., "Learning both Weights and Connections for Efficient Neural Networks", NIPS 2015, the pruning
 * step of section 3; the attack of ActiveGuard's Table VI. filters: Li et al., "Pruning Filters for Efficient ConvNets", ICLR
 * 2017. fine: Liu, Dolan-Gavitt, Garg, "Fine-Pruning", RAID 2018. fisher: LeCun et al., "Optimal Brain Damage", NIPS 1989, with
 * the diagonal Fisher information for the Hessian. random is the control.
 * Differs: one shot, without retraining unless tune-epochs asks for it (as ActiveGuard's table implies); an exact share instead of
 * a threshold of so many standard deviations, ties going to the earlier weight, so that equal models prune equally; of all layers
 * together by default, because that is what reproduces ActiveGuard's table (docs/attacks/prune.md has the numbers). A removed
 * channel loses what makes, scales and reads it. */
#include <math.h>
#include <stddef.h>

#include "attacks/attack.h"
#include "attacks/fisher.h"
#include "attacks/tune.h"
#include "attacks/weights.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "nn/wiring.h"

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

static size_t share_of(size_t n, double rate)
{
	return (size_t)floor(rate * (double)n + 0.5);
}

/* Zero the share rate of the n weights; returns how many. */
static size_t zero_smallest(struct weight *w, size_t n, double rate)
{
	const size_t k = share_of(n, rate);

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

/* ---- channels ---- */

struct channel {
	double size;
	int group, at;
};

static int by_channel(const void *pa, const void *pb)
{
	const struct channel *a = pa, *b = pb;

	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return a->group != b->group ? a->group - b->group : a->at - b->at;
}

/* Mean |w| of the weights that make a channel: the L1 norm, comparable between layers. */
static double norm_of(const struct wiring_group *g, int ch)
{
	double sum = 0;
	size_t n = 0;

	for (int i = 0; i < g->nfrom; i++) {
		const size_t len = g->from[i]->len / (size_t)g->channels;

		if (g->from[i]->nd < 2)
			continue;
		for (size_t k = 0; k < len; k++)
			sum += fabs((double)g->from[i]->x[(size_t)ch * len + k]);
		n += len;
	}
	return sum / (double)n;
}

/* Remove the `want` smallest of n channels, leaving every group one. */
static void remove_smallest(struct pruning *k, const struct wiring *w, struct channel *c, size_t n, size_t want)
{
	int left[WIRING_GROUPS];
	size_t gone = 0;

	for (int i = 0; i < w->n; i++)
		left[i] = w->group[i].channels;
	qsort(c, n, sizeof(*c), by_channel);
	for (size_t i = 0; i < n && gone < want; i++) {
		if (left[c[i].group] == 1)
			continue;
		left[c[i].group]--;
		wiring_remove(&w->group[c[i].group], c[i].at);
		gone++;
	}
	k->gone += gone;
	k->all += n;
}

static void prune_filters(struct pruning *k, const struct wiring *w)
{
	struct channel *c = xmalloc(k->m->ng, sizeof(*c));
	size_t n = 0;

	for (int g = 0; g < w->n; g++) {
		if (!weights_counted(w->group[g].from[0], k->c->which))
			continue;
		for (int i = 0; i < w->group[g].channels; i++)
			c[n++] = (struct channel){ norm_of(&w->group[g], i), g, i };
		if (k->c->scope == SCOPE_GLOBAL)
			continue;
		remove_smallest(k, w, c, n, share_of(n, k->c->rate));
		n = 0;
	}
	if (n)
		remove_smallest(k, w, c, n, share_of(n, k->c->rate));
	free(c);
}

/* The last convolution's channels, or the last hidden units' where there is none, by how little clean images move them. */
static int fine_prune(struct access *a, struct pruning *k, const struct wiring *w)
{
	const struct images v = images_first(a->unlabelled, k->c->images);
	int g = w->n - 1, ret;
	struct channel *c;
	double *mean;

	if (!v.n || !w->n)
		return error(EXIT_UNEVALUABLE, "prune: fine-pruning needs images and a hidden layer");
	for (int i = 0; i < w->n; i++)
		if (w->group[i].from[0]->nd == 4)
			g = i;
	c = xmalloc(w->group[g].channels, sizeof(*c));
	mean = xmalloc(w->group[g].channels, sizeof(*mean));
	ret = wiring_means(k->m, &w->group[g], &w->group[g].reader[w->group[g].nreaders - 1], &v, mean);
	for (int i = 0; i < w->group[g].channels && !ret; i++)
		c[i] = (struct channel){ mean[i], g, i };
	if (!ret)
		remove_smallest(k, w, c, w->group[g].channels, share_of(w->group[g].channels, k->c->rate));
	free(mean);
	free(c);
	return ret ? -1 : access_spend(a, 0, v.n);
}

static int prune_channels(struct access *a, struct pruning *k)
{
	struct wiring *w = xmalloc(1, sizeof(*w));
	int ret = wiring_of(k->m, w);

	if (!ret && k->c->kind == KIND_FINE)
		ret = fine_prune(a, k, w);
	else if (!ret)
		prune_filters(k, w);
	free(w);
	return ret;
}

/* ---- hooks ---- */

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
