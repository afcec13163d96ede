/* Fine-tuning: train all layers of the stolen model on the attacker's own labelled images.
 *
 * Source: ActiveGuard (Xue et al.), section IV-E, Table V: 7,000 images, 30 and 50 epochs; FTAL of Adi et al., USENIX
 * Security 2018.
 * Differs: the images come from the attack pool; the paper takes them from the test set it then reports accuracy
 * on, which data=paper-test repeats and labels as such. The paper states neither optimiser nor rate: Keras's Adam. */
#include <stddef.h>

#include "attacks/attack.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "nn/train.h"

enum data { DATA_POOL, DATA_PAPER_TEST };

struct finetune_conf {
	int data, images, epochs, batch, optimizer;
	double lr, momentum, weight_decay;
};

#define AT(member) offsetof(struct finetune_conf, member)
static const struct opt finetune_opts[] = {
	{ "data", OPT_CHOICE, AT(data), "pool", 0, 0,
	  "where the images come from: the attack pool, or the test set as in the paper (which leaks)", "pool|paper-test" },
	{ "images", OPT_INT, AT(images), "7000", 1, 1000000, "labelled images, at most as many as there are", NULL },
	{ "epochs", OPT_INT, AT(epochs), "30", 0, 10000, "passes over them", NULL },
	{ "lr", OPT_FLOAT, AT(lr), "0.001", 0, 10, "learning rate, constant", NULL },
	{ "optimizer", OPT_CHOICE, AT(optimizer), "adam", 0, 0, "optimiser", "adam|sgd" },
	{ "momentum", OPT_FLOAT, AT(momentum), "0.9", 0, 0.9999, "of sgd", NULL },
	{ "weight-decay", OPT_FLOAT, AT(weight_decay), "0", 0, 1, "L2 penalty added to the gradient", NULL },
	{ "batch", OPT_INT, AT(batch), "64", 1, 65536, "images a step", NULL },
	{ 0 }
};
#undef AT

static unsigned finetune_needs(const void *conf)
{
	const struct finetune_conf *c = conf;

	return CAP_WEIGHTS | CAP_WRITE | (c->data == DATA_PAPER_TEST ? CAP_PAPER_TEST : CAP_LABELLED);
}

static int tune(struct access *a, const struct finetune_conf *c, const struct images *v, struct product *p)
{
	const struct train_conf t = {
		.epochs = c->epochs,
		.batch = c->batch,
		.optimizer = c->optimizer == 1 ? OPTIM_SGD : OPTIM_ADAM,
		.lr = c->lr,
		.momentum = c->momentum,
		.weight_decay = c->weight_decay,
		.schedule = SCHEDULE_CONSTANT,
	};
	struct train_stats stats = { 0 };

	for (int i = 0; i < p->model->np; i++)
		p->model->p[i].frozen = false;
	if (c->epochs && train(p->model, v, &t, rng_derive(a->seed, "finetune"), a->label, NULL, &stats) < 0)
		return -1;
	return access_spend(a, c->epochs ? v->n : 0, stats.forward_equivalents);
}

static int finetune_run(struct access *a, const void *conf, struct product *p)
{
	const struct finetune_conf *c = conf;
	const struct images v = images_first(c->data == DATA_PAPER_TEST ? a->paper_test : a->labelled, c->images);

	if (!a->model || !v.n)
		return error(EXIT_UNEVALUABLE, "finetune: the deployed model or labelled images were not granted");
	p->goal = GOAL_REMOVE;
	p->model = model_copy(a->model);
	p->notes = json_object();
	jset_int(p->notes, "images", v.n);
	if (c->data == DATA_PAPER_TEST) {
		p->tested = v.n;
		jset_str(p->notes, "protocol", "the paper's: trained on test images, which leaks");
	}
	return tune(a, c, &v, p);
}

const struct attack attack_finetune = {
	.drv = {
		.name = "finetune",
		.summary = "train all layers of the stolen model further to wipe out its mark",
		.source = "ActiveGuard, section IV-E, table V; FTAL of Adi et al., USENIX Security 2018. Differs: images "
			  "of the attack pool, not of the test set (data=paper-test for that); Adam, the paper names none",
		.version = 1,
		.conf_size = sizeof(struct finetune_conf),
		.opts = finetune_opts,
	},
	.goal = GOAL_REMOVE,
	.needs = CAP_WEIGHTS | CAP_WRITE,
	.strength = "epochs",
	.strength_up = 1,
	.tier = { "images=1000 epochs=3", NULL, NULL },
	.needs_for = finetune_needs,
	.run = finetune_run,
};
