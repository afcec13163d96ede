/* Fine-tuning: train the stolen model on the attacker's own images, all layers or the last one, as it stands or begun anew.
 *
 * Source: ActiveGuard (Xue et al.), section IV-E, Table V: 7,000 images, 30 and 50 epochs; FTLL, FTAL, RTLL and RTAL of Adi et
 * al., USENIX Security 2018; a large falling rate and elastic weight consolidation of REFIT (Chen et al., AsiaCCS 2021); a first
 * phase under a heavy L2 penalty of Shafieinejad et al., "On the robustness of backdoor-based watermarking", 2019.
 * Differs: the images come from the attack pool; ActiveGuard takes them from the test set it then reports accuracy
 * on, which data=paper-test repeats and labels as such. The paper states neither optimiser nor rate: Keras's Adam. EWC's Fisher
 * information is that of the attacker's images. A last layer alone is trained with batch norm at rest. */
#include <stddef.h>

#include "attacks/kit/tune.h"
#include "attacks/weights/fisher.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

enum data { DATA_POOL, DATA_PAPER_TEST };
enum mode { FTAL, FTLL, RTAL, RTLL };
enum labels { LABELS_TRUE, LABELS_MODEL };

struct finetune_conf {
	int data, mode, labels, images, epochs, batch, optimizer, decay_every, patience, ewc_images, l2_epochs;
	double fraction, lr, momentum, weight_decay, decay, ewc, l2;
};

#define AT(member) offsetof(struct finetune_conf, member)
static const struct opt finetune_opts[] = {
	{ "data", OPT_CHOICE, AT(data), "pool", 0, 0,
	  "where the images come from: the attack pool, or the test set as in the paper (which leaks)", "pool|paper-test" },
	{ "mode", OPT_CHOICE, AT(mode), "ftal", 0, 0,
	  "fine-tune (ft) or begin the last layer anew (rt), and train all layers (al) or the last one (ll)", "ftal|ftll|rtal|rtll" },
	{ "labels", OPT_CHOICE, AT(labels), "true", 0, 0, "true labels, or the stolen model's own answers", "true|model" },
	{ "images", OPT_INT, AT(images), "7000", 1, 1000000, "labelled images, at most as many as there are", NULL },
	{ "fraction", OPT_FLOAT, AT(fraction), "1", 0, 1, "at most this share of all there are", NULL },
	{ "epochs", OPT_INT, AT(epochs), "30", 0, 10000, "passes over them", NULL },
	{ "lr", OPT_FLOAT, AT(lr), "0.001", 0, 10, "learning rate", NULL },
	{ "decay", OPT_FLOAT, AT(decay), "1", 0, 1, "factor of each fall of the rate, 1: constant", NULL },
	{ "decay-every", OPT_INT, AT(decay_every), "1", 1, 10000, "epochs between two falls", NULL },
	{ "optimizer", OPT_CHOICE, AT(optimizer), "adam", 0, 0, "optimiser", "adam|sgd" },
	{ "momentum", OPT_FLOAT, AT(momentum), "0.9", 0, 0.9999, "of sgd", NULL },
	{ "weight-decay", OPT_FLOAT, AT(weight_decay), "0", 0, 1, "L2 penalty added to the gradient", NULL },
	{ "batch", OPT_INT, AT(batch), "64", 1, 65536, "images a step", NULL },
	{ "patience", OPT_INT, AT(patience), "0", 0, 10000,
	  "stop so many epochs after the best accuracy on the attacker's validation images and go back to it, 0: never", NULL },
	{ "ewc", OPT_FLOAT, AT(ewc), "0", 0, 1e6, "weight of elastic weight consolidation (REFIT: 10), 0: none", NULL },
	{ "ewc-images", OPT_INT, AT(ewc_images), "1000", 1, 1000000, "images for its Fisher information", NULL },
	{ "l2-epochs", OPT_INT, AT(l2_epochs), "0", 0, 10000, "passes under a heavy L2 penalty before all else", NULL },
	{ "l2", OPT_FLOAT, AT(l2), "0.1", 0, 1, "that penalty", NULL },
	{ 0 }
};
#undef AT

static unsigned finetune_needs(const void *conf)
{
	const struct finetune_conf *c = conf;
	const unsigned images = c->data == DATA_PAPER_TEST ? CAP_PAPER_TEST : c->labels == LABELS_TRUE ? CAP_LABELLED : CAP_UNLABELLED;

	return CAP_WEIGHTS | CAP_WRITE | images | (c->patience ? CAP_LABELLED : 0);
}

/* Everything but the last layer stands still in *LL; its weights are drawn again in RT*. */
static int choose_layers(const struct access *a, const struct finetune_conf *c, struct model *m)
{
	const int last = tune_last_layer(m);
	struct model *fresh;

	for (int i = 0; i < m->np; i++)
		m->p[i].frozen = i < last && (c->mode == FTLL || c->mode == RTLL);
	if (c->mode == FTAL || c->mode == FTLL)
		return 0;
	fresh = model_new(&m->spec, rng_derive(a->seed, "finetune last layer"));
	if (!fresh)
		return -1;
	for (int i = last; i < m->np && !m->p[i].buffer; i++)
		for (size_t k = 0; k < m->p[i].len; k++)
			m->p[i].x[k] = fresh->p[i].x[k];
	model_free(fresh);
	return 0;
}

/* The images with the model's own answers as labels; caller frees *labels. */
static int label_by_model(struct access *a, struct model *m, struct images *v, uint8_t **labels)
{
	const int k = m->spec.classes;
	float *logits = xmalloc((size_t)v->n * (size_t)k, sizeof(*logits));
	int ret = model_predict(m, v, logits), top;

	*labels = xmalloc(v->n, 1);
	for (int i = 0; i < v->n && !ret; i++) {
		argmax_rows(logits + (size_t)i * (size_t)k, 1, k, &top);
		(*labels)[images_at(v, i)] = (uint8_t)top;
	}
	free(logits);
	v->labels = *labels;
	return ret ? -1 : access_spend(a, 0, v->n);
}

static int train_phases(struct access *a, const struct finetune_conf *c, const struct images *v, struct model *m)
{
	const long labels = c->labels == LABELS_TRUE ? v->n : 0;
	struct ewc ewc = { 0 };
	struct tune t = {
		.purpose = "finetune", .patience = c->patience, .hooks = { .still = c->mode == FTLL || c->mode == RTLL },
		.train = { .epochs = c->epochs, .batch = c->batch, .optimizer = c->optimizer == 1 ? OPTIM_SGD : OPTIM_ADAM, .lr = c->lr,
			   .momentum = c->momentum, .weight_decay = c->weight_decay, .step_epochs = c->decay_every, .step_gamma = c->decay,
			   .schedule = c->decay < 1 ? SCHEDULE_STEP : SCHEDULE_CONSTANT },
	}, heavy = t;
	const struct images fisher = images_first(*v, c->ewc_images);
	int ret;

	if (c->ewc > 0) {
		if (ewc_open(&ewc, a, m, &fisher, c->ewc, c->lr) < 0)
			return -1;
		t.hooks.ctx = &ewc;
		t.hooks.extra_loss = ewc_loss;
	}
	heavy.purpose = "finetune l2";
	heavy.patience = 0;
	heavy.train.epochs = c->l2_epochs;
	heavy.train.weight_decay = c->l2;
	ret = tune(a, m, v, 0, &heavy);
	if (!ret)
		ret = tune(a, m, v, labels, &t);
	ewc_close(&ewc);
	return ret;
}

static int run(struct access *a, const struct finetune_conf *c, struct images v, struct product *p)
{
	uint8_t *labels = NULL;
	int ret = 0;

	if (!c->epochs)
		return 0;
	if (c->labels == LABELS_MODEL)
		ret = label_by_model(a, p->model, &v, &labels);
	if (!ret)
		ret = choose_layers(a, c, p->model);
	if (!ret)
		ret = train_phases(a, c, &v, p->model);
	free(labels);
	return ret;
}

static int finetune_run(struct access *a, const void *conf, struct product *p)
{
	const struct finetune_conf *c = conf;
	const struct images all = c->data == DATA_PAPER_TEST ? a->paper_test : c->labels == LABELS_TRUE ? a->labelled : a->unlabelled;
	const struct images v = tune_images(all, c->images, c->fraction);

	if (!a->model || !v.n)
		return error(EXIT_UNEVALUABLE, "finetune: the deployed model or images were not granted");
	p->goal = GOAL_REMOVE;
	p->model = model_copy(a->model);
	p->notes = json_object();
	jset_int(p->notes, "images", v.n);
	if (c->data == DATA_PAPER_TEST) {
		p->tested = v.n;
		jset_str(p->notes, "protocol", "the paper's: trained on test images, which leaks");
	}
	return run(a, c, v, p);
}

const struct attack attack_finetune = {
	.drv = {
		.name = "finetune",
		.summary = "train the stolen model further to wipe out its mark or its lock",
		.source = "ActiveGuard, section IV-E, table V; FTLL, FTAL, RTLL, RTAL of Adi et al., USENIX Security 2018; REFIT "
			  "(Chen et al., AsiaCCS 2021). Differs: images of the attack pool, not of the test set (data=paper-test for "
			  "that); Adam, the paper names none",
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
	.search = "lr=0.0001,0.0003,0.001,0.003,0.01 mode=ftal,ftll,rtal,rtll batch=32,64,128",
};
