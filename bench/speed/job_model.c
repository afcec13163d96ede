/* Rows that train and run networks. See job.h. */
#include "bench/speed/job.h"
#include "base/error.h"
#include "nn/ops.h"
#include "nn/train.h"

#define FOR_EVER 1000000 /* epochs */
#define INFER_BATCHES 10 /* of model_predict()'s 256, a call: a tape is made once a call */

/* ---- classifiers: the loop that `lockbench train` and every scheme run ---- */

struct counter {
	struct meter *m;
	int n, batch, seen; /* images, images a step, images of this epoch so far */
};

/* Called once a step. The last step of an epoch has the images that are left over. */
static double count_step(void *ctx, struct model *model)
{
	struct counter *c = ctx;
	const int left = c->n - c->seen, step = left < c->batch ? left : c->batch;

	(void)model;
	c->seen = step == left ? 0 : c->seen + step;
	meter_tick(c->m, step);
	return 0;
}

int run_train(const struct job *j, struct meter *m)
{
	struct model *model = speed_model(j->model, j->colour);
	struct train_conf conf;
	struct images v;
	struct counter c = { .m = m };
	const struct train_hooks hooks = { .ctx = &c, .extra_loss = count_step };

	if (!model || speed_images(&v, j->colour ? 6000 : SPEED_RESIDENT, j->colour))
		return -1;
	train_recipe(&conf, &model->spec);
	conf.epochs = FOR_EVER;
	conf.batch = SPEED_BATCH;
	c.n = v.n;
	c.batch = conf.batch;
	m->macs = model_macs(model);
	return train(model, &v, &conf, 1, NULL, &hooks, NULL);
}

int run_infer(const struct job *j, struct meter *m)
{
	struct model *model = speed_model(j->model, j->colour);
	struct images v;
	float *out;

	if (!model || speed_images(&v, j->colour ? 2 * 256 : INFER_BATCHES * 256, j->colour))
		return -1;
	m->macs = model_macs(model);
	out = xmalloc((size_t)v.n * (size_t)model_outputs(model), sizeof(*out));
	while (!model_predict(model, &v, out))
		meter_tick(m, v.n);
	return -1;
}

/* ---- autoencoders: the image is its own target ---- */

int run_train_image(const struct job *j, struct meter *m)
{
	struct model *model = speed_model(j->model, j->colour);
	struct tape *t = tape_new();
	struct train_conf conf;
	struct images v;
	struct optim *optim;
	int at[SPEED_BATCH];

	if (!model || speed_images(&v, 6000, j->colour))
		return -1;
	train_recipe(&conf, &model->spec);
	optim = optim_new(model, &conf);
	m->macs = model_macs(model);
	for (int first = 0;; first = (first + SPEED_BATCH) % (v.n - SPEED_BATCH)) {
		struct node *x, *loss;

		for (int i = 0; i < SPEED_BATCH; i++)
			at[i] = first + i;
		tape_reset(t);
		x = train_gather(t, &v, &conf, rng_key(1, "augment"), 0, at, SPEED_BATCH);
		loss = op_mse(model->arch->forward(model, x, true), x);
		model_zero_grad(model);
		tape_backward(t, loss);
		optim_step(optim, conf.lr);
		meter_tick(m, SPEED_BATCH);
	}
}
