/* A surrogate of the users' encoder: an image-to-image network is fitted to pairs of images and what clients made of them, and put in
 * front of the deployed network. No label, no weight of the owner's.
 *
 * Source: survey of active authorization control (2021), section IV ("cracking the authorization control module"), which claims it
 * to be harder than stealing the model and gives no figure. Differs: a U-Net that predicts the residual; the loss is the mean squared
 * error alone (neither perceptual nor through the deployed network). */
#include <stddef.h>
#include <string.h>

#include "attacks/kit/encoder.h"
#include "attacks/query/imagefit.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

struct se_conf {
	int pairs, epochs, steps, batch, width, through, top1;
	double lr, gain;
};
#define AT(member) offsetof(struct se_conf, member)
static const struct opt se_opts[] = {
	{ "pairs", OPT_INT, AT(pairs), "1000", 0, 1000000, "pairs it learns from; 0: images go as they are", NULL },
	{ "epochs", OPT_INT, AT(epochs), "50", 1, 100000, "passes over them", NULL },
	{ "steps", OPT_INT, AT(steps), "500", 0, 10000000, "at least so many steps, by more passes where pairs are few", NULL },
	{ "batch", OPT_INT, AT(batch), "32", 1, 65536, "pairs a step", NULL },
	{ "width", OPT_INT, AT(width), "8", 1, 256, "channels of the U-Net at full size", NULL },
	{ "lr", OPT_FLOAT, AT(lr), "0.002", 0, 10, "Adam's learning rate", NULL },
	{ "gain", OPT_FLOAT, AT(gain), "10", 0.001, 1000, "residuals are learnt so many times as large: small ones make small gradients", NULL },
	THROUGH_ROW(struct se_conf, through),
	{ "top1", OPT_BOOL, AT(top1), "no", 0, 0, "the service answers with a class only", NULL },
	{ 0 }
};
#undef AT

/* Travels in the product beside the network. */
struct puppet { double gain; int through; };

static struct puppet puppet_of(const struct product *p)
{
	struct puppet u;

	memcpy(&u, p->ctx, sizeof(u));
	return u;
}

static int se_prepare(const struct product *p, const struct images *v, float *out)
{
	const size_t len = (size_t)images_size(v);
	float *x;

	if (!p->model) {
		for (int i = 0; i < v->n; i++)
			images_get(v, i, out + len * (size_t)i);
		return 0;
	}
	if (model_predict(p->model, v, out) < 0)
		return -1;
	x = xmalloc(len, sizeof(*x));
	for (int i = 0; i < v->n; i++, out += len) {
		images_get(v, i, x);
		for (size_t k = 0; k < len; k++)
			out[k] = encoder_round((double)x[k] + (double)out[k] / puppet_of(p).gain);
	}
	free(x);
	return 0;
}

static int se_answer(const struct product *p, struct asked *service, const struct images *v, float *probs)
{
	return encoder_answer(p, service, v, se_prepare, puppet_of(p).through, probs);
}

static int learn(struct access *a, const struct se_conf *c, const struct images *plain, const struct images *keyed, struct product *p)
{
	const int len = images_size(plain), pass = (plain->n + c->batch - 1) / c->batch, passes = (c->steps + pass - 1) / pass;
	const struct imagefit_conf fit = { .epochs = passes > c->epochs ? passes : c->epochs, .batch = c->batch, .lr = c->lr };
	const struct model_spec spec = { .arch = "unet", .c = a->c, .h = a->h, .w = a->w, .classes = a->c, .width = c->width };
	float *r = xmalloc((size_t)plain->n * (size_t)len, sizeof(*r)), *x = xmalloc((size_t)len, sizeof(*x));
	struct images target = { .n = plain->n, .c = a->c, .h = a->h, .w = a->w, .classes = a->classes, .fx = r };
	double loss = 0, fe = 0;
	int ret = -1;

	for (int i = 0; i < plain->n; i++) {
		float *at = r + (size_t)i * (size_t)len;

		images_get(plain, i, x);
		images_get(keyed, i, at);
		for (int k = 0; k < len; k++)
			at[k] = (float)(c->gain * ((double)at[k] - (double)x[k]));
	}
	p->model = model_new(&spec, rng_derive(a->seed, "surrogate encoder init"));
	if (p->model)
		ret = imagefit(p->model, plain, &target, &fit, rng_derive(a->seed, "surrogate encoder"), a->label, &loss, &fe);
	free(r);
	free(x);
	jset_num(p->notes, "training_loss", loss);
	return ret ? -1 : access_spend(a, 0, fe);
}

static unsigned se_needs(const void *conf)
{
	const struct se_conf *c = conf;

	return CAP_PAIR | through_needs(c->through, c->top1);
}

static const char *se_inapplicable(const void *conf, int has_users, int has_ownership)
{
	(void)conf, (void)has_ownership;
	return encoder_inapplicable(has_users);
}

static int se_run(struct access *a, const void *conf, struct product *p)
{
	const struct se_conf *c = conf;
	const struct puppet u = { c->gain, c->through };
	struct images plain, keyed;

	if (!encoder_pairs(a, "surrogate-encoder", c->pairs, &plain, &keyed) && c->pairs)
		return -1;
	if (c->through == THROUGH_WEIGHTS && !a->model)
		return error(EXIT_UNEVALUABLE, "surrogate-encoder: the deployed weights were not granted");
	p->goal = GOAL_USE;
	p->answer = se_answer;
	p->notes = json_object();
	p->stolen = c->through == THROUGH_WEIGHTS ? model_copy(a->model) : NULL;
	memcpy(p->ctx, &u, sizeof(u));
	jset_int(p->notes, "pairs", plain.n);
	if (!plain.n)
		return 0;
	jset_num(p->notes, "sameness", encoder_sameness(&plain, &keyed));
	return learn(a, c, &plain, &keyed, p);
}

static double se_cost(const void *conf, const struct expected *e)
{
	const struct se_conf *c = conf;
	const struct model_spec own = { .arch = "unet", .c = e->spec.c, .h = e->spec.h, .w = e->spec.w, .classes = e->spec.c, .width = c->width };
	const double all = (double)c->pairs * c->epochs, least = (double)c->steps * c->batch;

	return (3 * (all > least ? all : least) + 4 * e->pool / 10.0) * expected_pass(e, &own);
}

const struct attack attack_surrogate_encoder = {
	.drv = { .name = "surrogate-encoder", .summary = "a network learns from pairs what users' clients do to images, and does it",
		 .source = "survey of active authorization control, 2021, section IV: cracking the control module. Differs: mean squared error on "
			   "the residual, no perceptual term, nothing through the deployed network",
		 .version = 1, .conf_size = sizeof(struct se_conf), .opts = se_opts },
	.goal = GOAL_USE, .needs = CAP_PAIR | CAP_PROB, .strength = "pairs", .strength_up = 1,
	.tier = { "pairs=300 epochs=20 steps=200", NULL, NULL }, .needs_for = se_needs, .cost = se_cost, .inapplicable = se_inapplicable, .run = se_run,
	.search = "lr=0.0005,0.002,0.008 gain=1,10,100 width=4,8,16",
};
