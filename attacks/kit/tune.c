/* Training a stolen model further. See tune.h. */
#include "attacks/kit/tune.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"

/* ---- early stop, and zeros that stay ---- */

struct tuning {
	const struct tune *t;
	struct access *a;
	struct model *m;
	unsigned char *zero;   /* (ng) 1: stays 0; NULL: none */
	unsigned char *right;  /* (a->val.n) */
	real *best;            /* (nx) weights of the best epoch */
	int best_right, since; /* on a->val; epochs since */
	double forward_equivalents;
	bool failed;
};

/* Adam and momentum never move what never had a gradient. */
static double extra_loss(void *ctx, struct model *m)
{
	const struct tuning *k = ctx;
	const double value = k->t->hooks.extra_loss ? k->t->hooks.extra_loss(k->t->hooks.ctx, m) : 0;

	for (size_t i = 0; k->zero && i < m->ng; i++)
		if (k->zero[i])
			m->g[i] = 0;
	return value;
}

static struct node *loss(void *ctx, struct node *logits, const int *at, int n)
{
	const struct tuning *k = ctx;

	return k->t->hooks.loss(k->t->hooks.ctx, logits, at, n);
}

static int epoch_end(void *ctx, struct model *m, int epoch, double value, double accuracy)
{
	struct tuning *k = ctx;
	const int right = model_correct(m, &k->a->val, k->right);

	(void)epoch, (void)value, (void)accuracy;
	k->forward_equivalents += k->a->val.n;
	k->failed = right < 0;
	if (right > k->best_right) {
		k->best_right = right;
		k->since = 0;
		memcpy(k->best, m->x, m->nx * sizeof(*m->x));
	} else {
		k->since++;
	}
	return k->failed || k->since >= k->t->patience;
}

static void watch_zeros(struct tuning *k)
{
	k->zero = xmalloc(k->m->ng, 1);
	for (size_t i = 0; i < k->m->ng; i++)
		k->zero[i] = k->m->x[i] == 0;
}

/* The weights it starts with count as its first candidate. */
static int watch_validation(struct tuning *k)
{
	if (!k->a->val.labels)
		return error(EXIT_UNEVALUABLE, "an early stop needs labelled validation images, which were not granted");
	k->right = xmalloc(k->a->val.n, 1);
	k->best = xmalloc(k->m->nx, sizeof(*k->best));
	memcpy(k->best, k->m->x, k->m->nx * sizeof(*k->best));
	k->best_right = model_correct(k->m, &k->a->val, k->right);
	k->forward_equivalents += k->a->val.n;
	return k->best_right < 0 ? -1 : 0;
}

int tune(struct access *a, struct model *m, const struct images *v, long labels, const struct tune *t)
{
	struct tuning k = { .t = t, .a = a, .m = m };
	struct train_hooks hooks = { .ctx = &k, .still = t->hooks.still };
	struct train_stats stats = { 0 };
	int ret = 0;

	if (!t->train.epochs)
		return 0;
	if (t->keep_zeros)
		watch_zeros(&k);
	if (t->patience)
		ret = watch_validation(&k);
	hooks.extra_loss = t->hooks.extra_loss || k.zero ? extra_loss : NULL;
	hooks.loss = t->hooks.loss ? loss : NULL;
	hooks.epoch_end = t->patience ? epoch_end : NULL;
	if (!ret)
		ret = train(m, v, &t->train, rng_derive(a->seed, t->purpose), a->label, &hooks, &stats);
	if (k.best && !ret)
		memcpy(m->x, k.best, m->nx * sizeof(*m->x));
	free(k.zero);
	free(k.right);
	free(k.best);
	if (ret || k.failed)
		return -1;
	return access_spend(a, labels + (t->patience ? a->val.n : 0), stats.forward_equivalents + k.forward_equivalents);
}

/* ---- small things ---- */

struct images tune_images(struct images v, int images, double fraction)
{
	const int share = (int)floor(fraction * v.n + 0.5);

	v = images_first(v, images);
	return v.n ? images_first(v, share > 1 ? share : 1) : v;
}

int tune_last_layer(const struct model *m)
{
	int last = m->np - 1;

	while (last > 0 && (m->p[last].buffer || m->p[last].nd < 2))
		last--;
	return last;
}

/* ---- behind another attack ---- */

unsigned tune_after_needs(const struct tune_after *c)
{
	return c->epochs ? CAP_LABELLED : 0;
}

int tune_after(struct access *a, const struct tune_after *c, bool keep_zeros, struct model *m)
{
	const struct images v = images_first(a->labelled, c->images);
	const struct tune t = {
		.purpose = "tune-after", .keep_zeros = keep_zeros,
		.train = { .epochs = c->epochs, .batch = 64, .optimizer = OPTIM_ADAM, .lr = c->lr, .schedule = SCHEDULE_CONSTANT },
	};

	if (c->epochs && !v.n)
		return error(EXIT_UNEVALUABLE, "fine-tuning afterwards needs labelled images, which were not granted");
	return tune(a, m, &v, v.n, &t);
}
