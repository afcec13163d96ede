/* See imagefit.h. The loop of nn/train.c without labels. */
#include "attacks/query/imagefit.h"

#include <math.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/tile.h"
#include "nn/ops.h"
#include "nn/train.h"

struct fit {
	struct model *m;
	const struct images *x, *y;
	const struct imagefit_conf *c;
	struct rng_key shuffle, denoise;
	struct tape *t;
	struct optim *optim;
	int *order;
	int epoch;
	double loss; /* sum over this epoch's images so far */
	double fe;
};

/* ---- noise: each image has a stream of its own, whichever batch and thread it lands in ---- */

struct noisy {
	const struct fit *f;
	struct node *x;
	const int *at;
};

static void add_noise(void *ctx, int g, int thread)
{
	const struct noisy *b = ctx;
	const size_t len = (size_t)b->x->c * b->x->h * b->x->w;
	real *group = b->x->x + (size_t)g * len * LANES;

	(void)thread;
	for (int i = 0; i < LANES && g * LANES + i < b->x->n; i++) {
		struct rng r;

		rng_at(&r, b->f->denoise, (uint32_t)b->f->epoch, (uint32_t)b->at[g * LANES + i]);
		for (size_t k = 0; k < len; k++) {
			const double v = (double)group[k * LANES + i] + b->f->c->noise * rng_normal(&r);

			group[k * LANES + i] = (real)fmin(fmax(v, 0), 1);
		}
	}
}

/* ---- the loop ---- */

static int fit_batch(struct fit *f, const int *at, int n)
{
	const struct train_conf plain = { .batch = f->c->batch };
	const struct rng_key none = { { 0, 0 } };
	struct node *x, *y, *loss;

	tape_reset(f->t);
	x = train_gather(f->t, f->x, &plain, none, f->epoch, at, n);
	y = train_gather(f->t, f->y, &plain, none, f->epoch, at, n);
	if (f->c->noise > 0)
		tile_for(GROUPS(n), add_noise, &(struct noisy){ f, x, at });
	loss = op_mse(f->m->arch->forward(f->m, x, true), y);
	if (!isfinite(loss->x[0]))
		return error(EXIT_FAILED_CELLS, "%s: the loss is not finite in epoch %d; a lower learning rate may help",
			     f->m->spec.arch, f->epoch + 1);
	model_zero_grad(f->m);
	tape_backward(f->t, loss);
	optim_step(f->optim, f->c->lr);
	f->loss += (double)loss->x[0] * n;
	f->fe += 3.0 * n;
	return interrupt_check();
}

static int fit_epoch(struct fit *f)
{
	const int n = f->x->n, batch = f->c->batch;
	struct rng r;

	f->loss = 0;
	rng_at(&r, f->shuffle, (uint32_t)f->epoch, 0);
	rng_permutation(&r, f->order, n);
	for (int i = 0; i < n; i += batch)
		if (fit_batch(f, f->order + i, n - i < batch ? n - i : batch))
			return -1;
	return 0;
}

static int check_pairs(const struct model *m, const struct images *x, const struct images *y)
{
	const struct model_spec *s = &m->spec;

	BUG_ON(x->n != y->n);
	if (!m->arch->image)
		return error(EXIT_UNEVALUABLE, "%s classifies and cannot be fitted to images", s->arch);
	if (x->n < 1 || x->c != s->c || x->h != s->h || x->w != s->w || y->c != s->classes || y->h != s->h || y->w != s->w)
		return error(EXIT_UNEVALUABLE, "%d images of %dx%dx%d do not fit %s", x->n, x->c, x->h, x->w, s->arch);
	return 0;
}

int imagefit(struct model *m, const struct images *x, const struct images *y, const struct imagefit_conf *c, uint64_t seed,
	     const char *label, double *loss, double *fe)
{
	const struct train_conf adam = { .optimizer = OPTIM_ADAM, .lr = c->lr };
	struct fit f = { .m = m, .x = x, .y = y, .c = c, .shuffle = rng_key(seed, "shuffle"), .denoise = rng_key(seed, "denoise") };
	struct progress bar;
	int ret = check_pairs(m, x, y);

	if (ret)
		return ret;
	f.t = tape_new();
	f.optim = optim_new(m, &adam);
	f.order = xmalloc(x->n, sizeof(*f.order));
	if (label)
		progress_start(&bar, label, c->epochs);
	for (; f.epoch < c->epochs && !ret; f.epoch++) {
		ret = fit_epoch(&f);
		if (label && !ret)
			progress_step(&bar, f.epoch + 1, NULL);
	}
	if (label)
		progress_end(&bar, ret ? "stopped" : NULL);
	*loss = f.loss / x->n;
	*fe += f.fe;
	free(f.order);
	optim_free(f.optim);
	tape_free(f.t);
	return ret;
}
