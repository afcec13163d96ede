/* Training the network that is locked. */
#include "schemes/kit/retrain.h"

#include <string.h>

#include "base/error.h"

struct retrain retrain_scratch(const struct lock_env *e)
{
	return (struct retrain){ .spec = e->base->spec, .images = e->train, .recipe = *e->recipe, .seed = e->seed,
				 .passes = 1 };
}

struct retrain retrain_finetune(const struct lock_env *e, const char *purpose, int epochs, double lr)
{
	struct retrain r = retrain_scratch(e);

	r.from_base = true;
	r.recipe.epochs = epochs;
	r.recipe.lr = lr > 0 ? lr : r.recipe.lr / 10;
	r.seed = rng_derive(e->seed, purpose);
	return r;
}

struct model *retrain_start(const struct lock_env *e, const struct retrain *r)
{
	struct model *m = model_new_init(&r->spec, (enum init_kind)r->recipe.init, r->from_base ? e->seed : r->seed);

	for (int i = 0; m && r->from_base && i < m->np; i++) { /* of what grew, the first rows are the old ones */
		BUG_ON(m->p[i].len < e->base->p[i].len);
		memcpy(m->p[i].x, e->base->p[i].x, e->base->p[i].len * sizeof(*m->p[i].x));
	}
	return m;
}

int retrain(const struct lock_env *e, const struct retrain *r, struct model *m)
{
	struct train_stats stats = { 0 };
	int ret;

	if (!m)
		return -1;
	ret = train(m, r->images, &r->recipe, r->seed, e->label, r->hooks, &stats);
	lock_spend(e, stats.forward_equivalents * r->passes);
	return ret;
}
