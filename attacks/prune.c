/* Magnitude pruning: set the share `rate` of the weights with the smallest |w| to zero.
 *
 * Source: Han et al., "Learning both Weights and Connections for Efficient Neural Networks", NIPS 2015, the pruning
 * step of section 3; the attack of ActiveGuard's Table VI.
 * Differs: one shot without retraining (as ActiveGuard's table implies); an exact share instead of a threshold of
 * so many standard deviations, ties going to the earlier weight, so that equal models prune equally; of all layers
 * together by default, because that is what reproduces ActiveGuard's table (docs/attacks/prune.md has the numbers). */
#include <math.h>
#include <stddef.h>

#include "attacks/attack.h"
#include "base/error.h"
#include "base/json.h"

enum scope { SCOPE_LAYER, SCOPE_GLOBAL };
enum which { WHICH_WEIGHTS, WHICH_CONV };

struct prune_conf {
	double rate;
	int scope, which;
};

static const struct opt prune_opts[] = {
	{ "rate", OPT_FLOAT, offsetof(struct prune_conf, rate), "0.5", 0, 0.99, "share of the weights that become zero", NULL },
	{ "scope", OPT_CHOICE, offsetof(struct prune_conf, scope), "global", 0, 0,
	  "share of all layers' weights together, or of each layer's", "layer|global" },
	{ "weights", OPT_CHOICE, offsetof(struct prune_conf, which), "all", 0, 0,
	  "which weights: of all layers, or of convolutions only; never biases or batch norm", "all|conv" },
	{ 0 }
};

/* ---- the smallest of an array ---- */

struct weight {
	float size;   /* |w| */
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
	const size_t k = (size_t)floor(rate * (double)n + 0.5);

	qsort(w, n, sizeof(*w), by_size);
	for (size_t i = 0; i < k; i++)
		*w[i].x = 0;
	return k;
}

/* ---- which weights ---- */

static int counts(const struct param *p, int which)
{
	return !p->buffer && p->nd >= (which == WHICH_CONV ? 4 : 2);
}

/* Append the weights of p at w[n]; the new n. */
static size_t gather(const struct param *p, struct weight *w, size_t n)
{
	for (size_t i = 0; i < p->len; i++, n++)
		w[n] = (struct weight){ fabsf((float)p->x[i]), (uint32_t)n, &p->x[i] };
	return n;
}

static void prune(struct model *m, const struct prune_conf *c, size_t *zeroed, size_t *all)
{
	struct weight *w = xmalloc(m->nx, sizeof(*w));
	size_t n = 0;

	*zeroed = *all = 0;
	for (int i = 0; i < m->np; i++) {
		if (!counts(&m->p[i], c->which))
			continue;
		n = gather(&m->p[i], w, c->scope == SCOPE_GLOBAL ? n : 0);
		*all += m->p[i].len;
		if (c->scope == SCOPE_LAYER)
			*zeroed += zero_smallest(w, n, c->rate);
	}
	if (c->scope == SCOPE_GLOBAL)
		*zeroed = zero_smallest(w, n, c->rate);
	free(w);
}

/* ---- hooks ---- */

static int prune_run(struct access *a, const void *conf, struct product *p)
{
	size_t zeroed, all;

	if (!a->model)
		return error(EXIT_UNEVALUABLE, "prune: the deployed model was not granted");
	p->goal = GOAL_REMOVE;
	p->model = model_copy(a->model);
	prune(p->model, conf, &zeroed, &all);
	p->notes = json_object();
	jset_int(p->notes, "weights", (long long)all);
	jset_int(p->notes, "zeroed", (long long)zeroed);
	return 0;
}

const struct attack attack_prune = {
	.drv = {
		.name = "prune",
		.summary = "zero the smallest weights of the stolen model to wipe out its mark",
		.source = "Han et al., NIPS 2015, section 3; ActiveGuard, section IV-E, table VI. Differs: one shot "
			  "without retraining; an exact share, of all layers together by default, instead of a "
			  "threshold per layer",
		.version = 1,
		.conf_size = sizeof(struct prune_conf),
		.opts = prune_opts,
	},
	.goal = GOAL_REMOVE,
	.needs = CAP_WEIGHTS | CAP_WRITE,
	.strength = "rate",
	.strength_up = 1,
	.run = prune_run,
};
