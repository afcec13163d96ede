/* Self-teaching: the stolen network is trained on its own answers to images that noise was added to. It needs no label; what a mark wrote
 * into the weights and no answer shows may wash out.
 * The guide's example of an attack that trains (docs/writing-drivers.md shows this file as it stands; tests/check_example_attack.c runs it).
 *
 * Source: Furlanello et al., "Born again neural networks", ICML 2018. Differs: the student starts as the teacher, on noisy images. */
#include <math.h>
#include <stddef.h>

#include "attacks/kit/tune.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

struct selfteach_conf { int epochs, images; double sigma, lr; };
#define AT(member) offsetof(struct selfteach_conf, member)
static const struct opt selfteach_opts[] = {
	{ "epochs", OPT_INT, AT(epochs), "10", 0, 10000, "passes over the images, 0: nothing happens", NULL },
	{ "images", OPT_INT, AT(images), "5000", 1, 1000000, "unlabelled images, at most as many as there are", NULL },
	{ "sigma", OPT_FLOAT, AT(sigma), "0.05", 0, 1, "standard deviation of the noise, where black is 0 and white 1", NULL },
	{ "lr", OPT_FLOAT, AT(lr), "0.001", 0, 10, "learning rate (Adam)", NULL },
	{ 0 }
};
#undef AT

/* Images of v with noise: new (v->n, c*h*w). An image's stream is named by its position: the result does not depend on threads. */
static float *noisy(const struct access *a, const struct selfteach_conf *c, const struct images *v)
{
	const size_t len = (size_t)images_size(v);
	const struct rng_key key = rng_key(a->seed, "selfteach noise");
	float *x = xmalloc((size_t)v->n * len, sizeof(*x));
	struct rng r;

	for (int i = 0; i < v->n; i++) {
		float *at = x + (size_t)i * len;

		images_get(v, i, at);
		rng_at(&r, key, (uint32_t)i, 0);
		for (size_t k = 0; k < len; k++)
			at[k] = fminf(fmaxf(at[k] + (float)(c->sigma * rng_normal(&r)), 0), 1);
	}
	return x;
}

static int selfteach_run(struct access *a, const void *conf, struct product *p)
{
	const struct selfteach_conf *c = conf;
	struct images v = images_first(a->unlabelled, c->images);
	const struct tune t = { .purpose = "selfteach", .train = { .epochs = c->epochs, .batch = 64, .optimizer = OPTIM_ADAM, .lr = c->lr } };
	float *probs, *x;
	int ret;

	if (!a->model || !v.n)
		return error(EXIT_UNEVALUABLE, "selfteach: the deployed model or images were not granted");
	p->goal = GOAL_REMOVE;            /* the evaluator looks at accuracy, the owner's mark and what users' credentials still do */
	p->model = model_copy(a->model);  /* the handle's own model is never changed */
	p->notes = json_object();
	jset_int(p->notes, "images", v.n);
	if (!c->epochs)
		return 0;                 /* strength 0 changes no bit */
	probs = xmalloc((size_t)v.n * (size_t)model_outputs(p->model), sizeof(*probs));
	ret = model_predict_probs(p->model, &v, probs);
	v.fx = x = noisy(a, c, &v);
	v.px = NULL;
	v.soft = probs;                   /* train() minimises the cross entropy to these */
	if (!ret)
		ret = access_spend(a, 0, v.n); /* the answers; tune() charges its own compute */
	if (!ret)
		ret = tune(a, p->model, &v, 0, &t);
	free(x);
	free(probs);
	return ret;
}

const struct attack attack_selfteach = {
	.drv = { .name = "selfteach", .summary = "train the stolen network on its own answers to noisy images",
		 .source = "Furlanello et al., ICML 2018. Differs: the student starts as the teacher, on noisy images",
		 .version = 1, .conf_size = sizeof(struct selfteach_conf), .opts = selfteach_opts },
	.goal = GOAL_REMOVE, .needs = CAP_WEIGHTS | CAP_WRITE | CAP_UNLABELLED, .strength = "epochs", .strength_up = 1,
	.tier = { "images=500 epochs=2", NULL, NULL }, .run = selfteach_run,
};
