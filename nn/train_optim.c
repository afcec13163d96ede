/* Optimisers and learning-rate schedules. See train.h.
 * Source: torch.optim.SGD (dampening 0), torch.optim.Adam (betas 0.9 and 0.999, eps 1e-8) and
 * torch.optim.lr_scheduler.StepLR; Loshchilov and Hutter, "SGDR", ICLR 2017, eq. 5 for the cosine.
 * Differs: the cosine falls with every batch, not once an epoch. */
#include "base/error.h"
#include "base/tile.h"
#include "nn/kernels.h"
#include "nn/train.h"
#include <math.h>

#define CHUNK 4096 /* numbers a tile updates; part of the engine version like every tile size */
#define BETA1 0.9
#define BETA2 0.999

struct optim {
	struct model *m;
	struct train_conf conf;
	real *m1, *m2;  /* (ng) first moment or velocity; second moment, NULL for SGD */
	int *first;     /* (chunks) parameter that holds a chunk's first number */
	int chunks, t;  /* t: steps taken */
	double lr;      /* of the step under way */
};

/* Adam's step and correction at step t = 1, 2, ...: x -= step * m1 / (sqrt(m2) * corr2 + eps). */
struct adam_scale {
	real step, corr2;
};

static struct adam_scale adam_scale(double lr, int t)
{
	return (struct adam_scale){ (real)(lr / (1 - pow(BETA1, t))), (real)(1 / sqrt(1 - pow(BETA2, t))) };
}

void adam_update(real *x, const real *g, real *m1, real *m2, size_t n, double lr, int t)
{
	struct adam_scale s = adam_scale(lr, t);

	BUG_ON(t < 1);
	K->adam(n, x, g, m1, m2, s.step, s.corr2, 0);
}

/* ---- over a model ---- */

struct optim *optim_new(struct model *m, const struct train_conf *c)
{
	struct optim *o = xcalloc(1, sizeof(*o));
	size_t at = 0;
	int p = 0;

	o->m = m;
	o->conf = *c;
	o->m1 = xcalloc(m->ng, sizeof(*o->m1));
	o->m2 = c->optimizer == OPTIM_ADAM ? xcalloc(m->ng, sizeof(*o->m2)) : NULL;
	o->chunks = (int)((m->ng + CHUNK - 1) / CHUNK);
	o->first = xmalloc((size_t)o->chunks, sizeof(*o->first));
	for (int i = 0; i < o->chunks; i++) {
		while (at + m->p[p].len <= (size_t)i * CHUNK)
			at += m->p[p++].len;
		o->first[i] = p;
	}
	return o;
}

void optim_free(struct optim *o)
{
	if (!o)
		return;
	free(o->m1);
	free(o->m2);
	free(o->first);
	free(o);
}

/* Numbers at .. at + n - 1 of the flat array, all of one parameter. */
static void update(struct optim *o, size_t at, size_t n)
{
	const struct train_conf *c = &o->conf;
	real *x = o->m->x + at, *g = o->m->g + at;

	if (o->m2) {
		struct adam_scale s = adam_scale(o->lr, o->t);

		K->adam(n, x, g, o->m1 + at, o->m2 + at, s.step, s.corr2, (real)c->weight_decay);
	} else {
		/* A velocity of 0 is what PyTorch's first step amounts to, also where a parameter thaws later. */
		K->sgd(n, x, g, o->m1 + at, (real)o->lr, (real)c->momentum, (real)c->weight_decay, c->nesterov);
	}
}

/* The parts of chunk i that belong to parameters which are not frozen. */
static void update_chunk(void *ctx, int i, int thread)
{
	struct optim *o = ctx;
	size_t at = (size_t)i * CHUNK, end = at + CHUNK < o->m->ng ? at + CHUNK : o->m->ng;

	(void)thread;
	for (const struct param *p = &o->m->p[o->first[i]]; at < end; p++) {
		size_t p_end = (size_t)(p->x - o->m->x) + p->len;
		size_t stop = p_end < end ? p_end : end;

		if (!p->frozen)
			update(o, at, stop - at);
		at = stop;
	}
}

void optim_step(struct optim *o, double lr)
{
	o->lr = lr;
	o->t++;
	tile_for(o->chunks, update_chunk, o);
}

double schedule_lr(const struct train_conf *c, int epoch, double done)
{
	switch (c->schedule) {
	case SCHEDULE_STEP:
		return c->step_epochs > 0 ? c->lr * pow(c->step_gamma, epoch / c->step_epochs) : c->lr;
	case SCHEDULE_COSINE:
		return c->epochs > 0 ? c->lr * 0.5 * (1 + cos(M_PI * (epoch + done) / c->epochs)) : c->lr;
	default:
		return c->lr;
	}
}
