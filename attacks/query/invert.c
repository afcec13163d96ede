/* Inversion of the unlocking trigger: what must be done to images so that the locked network is right? Found by gradients through it, on
 * the attacker's images; no pair of plain and prepared images is needed (attacks/kit/trigger.h).
 *
 * With signal=labels the network shall say the true class; with signal=certain it shall be sure of every image and of all classes
 * alike often, for which no label is needed.
 *
 * Source: Wang et al., "Neural Cleanse", IEEE S&P 2019 (mask, pattern, cost); towards the true class as the adaptive attack of Authority
 * Backdoor's code does; certain: information maximisation, Krause, Perona, Gomes, NIPS 2010.
 * Differs: images of the attack pool, never the test set; the mask starts small; shift and encoder (an own key generator) are ours. */
#include <stddef.h>
#include <string.h>

#include "attacks/kit/encoder.h"
#include "attacks/kit/trigger.h"
#include "base/error.h"
#include "base/json.h"

struct invert_conf { int images, through, top1; struct trigger_conf trigger; };
#define AT(member) offsetof(struct invert_conf, member)
static const struct opt invert_opts[] = {
	{ "images", OPT_INT, AT(images), "200", 0, 1000000, "images it is found on; 0: images go as they are", NULL },
	{ "form", OPT_CHOICE, AT(trigger.form), "patch", 0, 0, "what is done to images", "patch|shift|encoder" },
	{ "signal", OPT_CHOICE, AT(trigger.signal), "labels", 0, 0, "the network shall be right, or (without labels) sure", "labels|certain" },
	{ "epochs", OPT_INT, AT(trigger.epochs), "50", 1, 100000, "passes over the images", NULL },
	{ "steps", OPT_INT, AT(trigger.steps), "500", 0, 10000000, "at least so many steps, by more passes where images are few", NULL },
	{ "batch", OPT_INT, AT(trigger.batch), "64", 1, 65536, "images a step", NULL },
	{ "lr", OPT_FLOAT, AT(trigger.lr), "0.05", 0, 10, "Adam's rate (encoder: a twentieth of it)", NULL },
	{ "eps", OPT_FLOAT, AT(trigger.eps), "1", 0, 1, "shift: largest change of a pixel", NULL },
	{ "cost", OPT_FLOAT, AT(trigger.cost), "0.01", 0, 1000, "patch: first weight of the mask's size", NULL },
	{ "enough", OPT_FLOAT, AT(trigger.enough), "0.9", 0, 1, "patch: the mask costs more while so many are right, and less while not", NULL },
	{ "width", OPT_INT, AT(trigger.width), "8", 1, 256, "encoder: channels of the U-Net at full size", NULL },
	THROUGH_ROW(struct invert_conf, through),
	{ "top1", OPT_BOOL, AT(top1), "no", 0, 0, "the service answers with a class only", NULL },
	{ 0 }
};
#undef AT

/* For product.answer: what was found lies in the product, as "mask" f32 (h*w) and "pattern" f32 (c*h*w), or as the U-Net. */
static int invert_prepare(const struct product *p, const struct images *v, float *out)
{
	const float *pattern = bundle_f32(p->kept, "pattern", NULL);

	if (p->model || pattern)
		return trigger_apply(bundle_f32(p->kept, "mask", NULL), pattern, p->model, v, out);
	for (int i = 0; i < v->n; i++)
		images_get(v, i, out + (size_t)i * (size_t)images_size(v));
	return 0;
}

static int invert_answer(const struct product *p, struct asked *service, const struct images *v, float *probs)
{
	int through;

	memcpy(&through, p->ctx, sizeof(through));
	return encoder_answer(p, service, v, invert_prepare, through, probs);
}

static int invert(struct access *a, const struct invert_conf *c, const struct images *v, struct product *p)
{
	struct trigger t = { 0 };
	double fe = 0;
	int ret = trigger_find(&c->trigger, v, a->model, a->classes, a->seed, &t, &fe);

	if (!ret)
		ret = access_spend(a, c->trigger.signal == TRIGGER_LABELS ? v->n : 0, fe);
	if (t.mask) {
		bundle_put_f32(p->kept, "mask", (int64_t)v->h * v->w, t.mask);
		jset_num(p->notes, "mask_l1", t.mask_l1);
	}
	if (t.pattern)
		bundle_put_f32(p->kept, "pattern", images_size(v), t.pattern);
	if (c->trigger.signal == TRIGGER_LABELS)
		jset_num(p->notes, "right_on_samples", t.wanted);
	p->model = t.unet;
	t.unet = NULL;
	trigger_release(&t);
	return ret;
}

static unsigned invert_needs(const void *conf)
{
	const struct invert_conf *c = conf;

	return CAP_WEIGHTS | CAP_GRADX | (c->trigger.signal == TRIGGER_LABELS ? CAP_LABELLED : CAP_UNLABELLED) |
	       through_needs(c->through, c->top1);
}

static int invert_run(struct access *a, const void *conf, struct product *p)
{
	const struct invert_conf *c = conf;
	const struct images v = images_first(c->trigger.signal == TRIGGER_LABELS ? a->labelled : a->unlabelled, c->images);

	if (!a->model || !(a->labelled.n + a->unlabelled.n))
		return error(EXIT_UNEVALUABLE, "invert: the deployed model or images were not granted");
	p->goal = GOAL_USE;
	p->answer = invert_answer;
	p->kept = bundle_new();
	p->notes = json_object();
	p->stolen = c->through == THROUGH_WEIGHTS ? model_copy(a->model) : NULL;
	memcpy(p->ctx, &c->through, sizeof(c->through));
	jset_int(p->notes, "images", v.n);
	return v.n ? invert(a, c, &v, p) : 0;
}

/* A step passes forward and back to the images; the encoder's, through a U-Net as well. */
static double invert_cost(const void *conf, const struct expected *e)
{
	const struct invert_conf *c = conf;
	const struct model_spec unet = { .arch = "unet", .c = e->spec.c, .h = e->spec.h, .w = e->spec.w, .classes = e->spec.c, .width = c->trigger.width };
	const double all = (double)c->images * c->trigger.epochs, least = (double)c->trigger.steps * c->trigger.batch;

	return (all > least ? all : least) * (2.5 + (c->trigger.form == TRIGGER_ENCODER ? 3 * expected_pass(e, &unet) : 0));
}

const struct attack attack_invert = {
	.drv = { .name = "invert", .summary = "find by gradients what must be done to images so that the locked network is right",
		 .source = "Neural Cleanse (Wang et al., S&P 2019), aimed at the true class as in Authority Backdoor's code; Krause et al., NIPS 2010 "
			   "(without labels). Differs: attack pool, a mask that starts small; shift and encoder are ours",
		 .version = 1, .conf_size = sizeof(struct invert_conf), .opts = invert_opts },
	.goal = GOAL_USE, .needs = CAP_WEIGHTS | CAP_GRADX, .strength = "images", .strength_up = 1,
	.tier = { "steps=200", NULL, NULL }, .needs_for = invert_needs, .run = invert_run,
	.cost = invert_cost, .search = "lr=0.01,0.05,0.1 form=patch,shift batch=32,64",
};
