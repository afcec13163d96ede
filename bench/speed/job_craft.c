/* Rows of owners and attackers: crafting, and a locked network's service. See job.h. */
#include "base/error.h"
#include "bench/speed/job.h"
#include "nn/craft.h"
#include "schemes/scheme.h"
#include <string.h>

#define CALL 2560 /* images a query */

/* The first SPEED_BATCH images as floats, every one with the next class as its target. 0, or -1 after error(). */
static int craft_inputs(float *x, int *target, int colour)
{
	struct images v;

	if (speed_images(&v, SPEED_BATCH, colour))
		return -1;
	for (int i = 0; i < v.n; i++) {
		images_get(&v, i, x + (size_t)i * (size_t)images_size(&v));
		target[i] = (images_label(&v, i) + 1) % v.classes;
	}
	return 0;
}

/* Eq. 3 of ActiveGuard: as its enrolment runs it, one search step, no early end. */
int run_cw(const struct job *j, struct meter *m)
{
	const struct cw_conf conf = { .steps = 50, .search = 1, .lr = 0.05, .lr_decay = 0.01, .alpha = 20, .alpha_max = 40,
				      .confidence = CW_SOFTMAX, .tolerance = 0.01, .no_abort = 1 };
	struct model *model = speed_model(j->model, j->colour);
	static float x[SPEED_BATCH * 784], out[SPEED_BATCH * 784], want[SPEED_BATCH];
	unsigned char ok[SPEED_BATCH];
	int target[SPEED_BATCH];
	double spent = 0;

	if (!model || craft_inputs(x, target, j->colour))
		return -1;
	for (int i = 0; i < SPEED_BATCH; i++)
		want[i] = 0.3f;
	m->macs = model_macs(model);
	while (!craft_cw(model, x, target, want, SPEED_BATCH, &conf, out, ok, NULL, NULL, &spent)) {
		meter_tick(m, spent / 2); /* an image-iteration spends two forward equivalents */
		spent = 0;
	}
	return -1;
}

int run_pgd(const struct job *j, struct meter *m)
{
	const struct pgd_conf conf = { .eps = 0.3, .step = 0.01, .steps = 40, .random_start = 1, .targeted = 1 };
	struct model *model = speed_model(j->model, j->colour);
	static float x[SPEED_BATCH * 784], adv[SPEED_BATCH * 784];
	int target[SPEED_BATCH];

	if (!model || craft_inputs(x, target, j->colour))
		return -1;
	m->macs = model_macs(model);
	do {
		memcpy(adv, x, sizeof(adv));
		if (craft_pgd(model, adv, target, SPEED_BATCH, &conf, 1))
			return -1;
		meter_tick(m, (double)SPEED_BATCH * conf.steps);
	} while (1);
}

/* ---- a locked network answers somebody who has a credential ---- */

/* A base model good enough to carry fingerprints, and its lock under default options. */
static int lock_model(const struct scheme *s, const void *conf, const struct lock_env *e, struct locked *l, struct bundle *creds)
{
	const int user = 0, trial = 0;
	struct service service = { .scheme = s, .conf = conf };
	struct auth a;

	if (scheme_lock(s, e, conf, l) || scheme_enrol(s, e, conf, l, &user, &trial, 1, creds))
		return -1;
	service.model = l->model;
	service.pub = l->pub;
	service.classes = l->model->spec.classes;
	if (s->authenticate(&service, creds, 1, &a))
		return -1;
	/* Whoever is refused gets random answers, which cost nothing and would be timed instead of the network. */
	return a.accepted ? 0 : error(EXIT_FAILED_CELLS, "%s: the credential that was enrolled is refused", s->drv.name);
}

int run_locked(const struct job *j, struct meter *m)
{
	const struct scheme *s = driver_find(schemes, "scheme", "activeguard");
	struct model *base = speed_model(j->model, j->colour);
	struct bundle *creds = bundle_new();
	struct locked l = { 0 };
	struct train_conf recipe;
	struct images v;
	struct lock_env e = { .train = &v, .val = &v, .recipe = &recipe, .base = base, .seed = 1 };
	void *conf;
	struct service service = { .scheme = s };
	float *probs;

	if (!s || !base || speed_images(&v, 6000, j->colour))
		return -1;
	train_recipe(&recipe, &base->spec);
	recipe.epochs = 3;
	conf = xcalloc(1, s->drv.conf_size);
	opt_defaults(s->drv.opts, conf);
	if (train(base, &v, &recipe, 1, NULL, NULL, NULL) || lock_model(s, conf, &e, &l, creds))
		return -1;
	v.n = CALL;
	probs = xmalloc((size_t)v.n * (size_t)v.classes, sizeof(*probs));
	m->macs = model_macs(base);
	service.conf = conf;
	service.model = l.model;
	service.pub = l.pub;
	service.classes = v.classes;
	while (!service_query(&service, creds, 0, &v, 1, probs))
		meter_tick(m, v.n);
	return -1;
}
