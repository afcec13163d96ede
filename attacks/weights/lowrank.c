/* Low rank: every weight matrix of the stolen model becomes its best approximation of a share of its rank.
 *
 * Source: Denton et al., "Exploiting linear structure within convolutional networks for efficient evaluation", NIPS 2014
 * (truncated SVD); Eckart and Young, Psychometrika 1936.
 * Differs: the product of the two factors replaces the weight, so the architecture stays; a convolution is the matrix of its
 * filters (O, I kh kw). */
#include <math.h>
#include <stddef.h>

#include "attacks/kit/svd.h"
#include "attacks/kit/tune.h"
#include "attacks/kit/weights.h"
#include "base/error.h"

struct lowrank_conf {
	double rank;
	int which;
	struct tune_after after;
};

static const struct opt lowrank_opts[] = {
	{ "rank", OPT_FLOAT, offsetof(struct lowrank_conf, rank), "0.5", 0, 1, "share of each matrix's full rank that is kept, 1: all", NULL },
	WEIGHTS_ROW(struct lowrank_conf, which),
	TUNE_AFTER(struct lowrank_conf, after),
	{ 0 }
};

/* A rank of at least 1; a matrix whose rank stays full is not touched. */
static void reduce(struct param *p, double share)
{
	const int m = p->d[0], n = (int)(p->len / (size_t)m), full = m < n ? m : n;
	int r = (int)floor(share * full + 0.5);
	double *a;

	if (r >= full)
		return;
	r = r > 1 ? r : 1;
	a = xmalloc(p->len, sizeof(*a));
	for (size_t i = 0; i < p->len; i++)
		a[i] = (double)p->x[i];
	svd_truncate(a, m, n, r);
	for (size_t i = 0; i < p->len; i++)
		p->x[i] = (real)a[i];
	free(a);
}

static unsigned lowrank_needs(const void *conf)
{
	const struct lowrank_conf *c = conf;

	return CAP_WEIGHTS | CAP_WRITE | tune_after_needs(&c->after);
}

static int lowrank_run(struct access *a, const void *conf, struct product *p)
{
	const struct lowrank_conf *c = conf;

	if (!a->model)
		return error(EXIT_UNEVALUABLE, "lowrank: the deployed model was not granted");
	p->goal = GOAL_REMOVE;
	p->model = model_copy(a->model);
	for (int i = 0; i < p->model->np; i++)
		if (weights_counted(&p->model->p[i], c->which))
			reduce(&p->model->p[i], c->rank);
	return tune_after(a, &c->after, false, p->model);
}

const struct attack attack_lowrank = {
	.drv = { .name = "lowrank", .summary = "replace the stolen model's weight matrices by ones of lower rank",
		 .source = "Denton et al., NIPS 2014. Differs: the factors' product replaces the weight, the architecture stays",
		 .version = 1, .conf_size = sizeof(struct lowrank_conf), .opts = lowrank_opts },
	.goal = GOAL_REMOVE, .needs = CAP_WEIGHTS | CAP_WRITE, .strength = "rank", .strength_up = -1,
	.needs_for = lowrank_needs, .run = lowrank_run,
};
