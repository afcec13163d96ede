/* Does a network carry a protection? What shows before anybody attacks it: detectors that look at the stored network, calibrated on clean
 * networks that the attacker trains on his own images.
 *
 *   outputs      more outputs than the task has classes
 *   norms        norms whose scales are all 1 and whose shifts are all 0: something else must supply them
 *   weights      moments of the weights, tensor by tensor
 *   order        whether a layer's rows and columns are unlike each other, as training leaves them
 *   answers      how sure the network is of the attacker's images, and of which classes
 *   activations  what each layer is given
 *   trigger      is there an output that a much smaller patch than others' calls up? (Neural Cleanse's anomaly index, threshold 2)
 *
 * weights, order, answers, activations: the largest deviation of any number from the bank's mean, in the bank's standard deviations; flagged
 * is what deviates more than any bank member from the rest of the bank (order: what has less of it).
 *
 * Source: Wang and Kerschbaum, ICASSP 2019 (the spread of weights shows a watermark); Shafieinejad et al. 2019 (property inference);
 * Wang et al., Neural Cleanse, S&P 2019; Chen et al., CVPR 2023 (missing affine factors show passports). Differs: a bank of few networks
 * and no trained classifier; order is ours. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/kit/order.h"
#include "attacks/kit/trigger.h"
#include "attacks/lock/detect_bank.h"
#include "attacks/lock/detect_traits.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

enum sign { SIGN_OUTPUTS, SIGN_NORMS, SIGN_WEIGHTS, SIGN_ORDER, SIGN_ANSWERS, SIGN_ACTIVATIONS, SIGN_TRIGGER };
#define ANOMALY 2.0
#define MAD_TO_SIGMA 1.4826
enum { PROBES = 500, CLASSES_MOST = 256 };

struct detect_conf { int sign, bank, images, epochs, steps; };
#define AT(member) offsetof(struct detect_conf, member)
static const struct opt detect_opts[] = {
	{ "sign", OPT_CHOICE, AT(sign), "weights", 0, 0, "what is looked at", "outputs|norms|weights|order|answers|activations|trigger" },
	{ "bank", OPT_INT, AT(bank), "10", 3, 1000, "clean networks to compare with (weights, order, answers, activations)", NULL },
	{ "images", OPT_INT, AT(images), "7000", 1, 1000000, "labelled images they learn from; trigger: at most 200 of them are used", NULL },
	{ "epochs", OPT_INT, AT(epochs), "15", 1, 10000, "passes over them", NULL },
	{ "steps", OPT_INT, AT(steps), "300", 0, 10000000, "at least so many steps of each network, or of each trigger", NULL },
	{ 0 }
};
#undef AT

static bool has_bank(int sign)
{
	return sign >= SIGN_WEIGHTS && sign <= SIGN_ACTIVATIONS;
}

/* Of a bank's signs. */
static int (*const traits_by[])(struct model *m, const struct images *v, double *out) = {
	[SIGN_WEIGHTS] = traits_weights, [SIGN_ORDER] = traits_order, [SIGN_ANSWERS] = traits_answers, [SIGN_ACTIVATIONS] = traits_activations
};

/* ---- without a bank ---- */

static int bare_norms(const struct model *m)
{
	int bare = 0;

	for (int i = 1; i < m->np; i++) {
		const struct param *shift = &m->p[i], *scale = shift - 1;
		bool plain = true;

		if (shift->buffer || shift->nd != 1 || scale->buffer || scale->nd != 1 || shift->len != scale->len)
			continue;
		for (size_t k = 0; k < scale->len; k++)
			plain = plain && scale->x[k] == 1 && shift->x[k] == 0;
		bare += plain;
	}
	return bare;
}

/* How far the smallest mask of n lies below their median, in deviations. Sorts l1. */
static double anomaly(double *l1, int n)
{
	double middle, away[CLASSES_MOST];

	sort_ascending(l1, (size_t)n);
	middle = n % 2 ? l1[n / 2] : (l1[n / 2 - 1] + l1[n / 2]) / 2;
	for (int i = 0; i < n; i++)
		away[i] = fabs(l1[i] - middle);
	sort_ascending(away, (size_t)n);
	return (middle - l1[0]) / (MAD_TO_SIGMA * fmax(n % 2 ? away[n / 2] : (away[n / 2 - 1] + away[n / 2]) / 2, 1e-9));
}

/* ---- looking at a network ---- */

/* For the evaluator: the steps of the trigger search travel in the product; the images it looks with are its "probe" f32. */
struct look { int sign, steps, classes, c, h, w; uint64_t seed; };

static int look_for_triggers(const struct look *l, const struct images *v, const struct model *m, double *score)
{
	const struct trigger_conf c = { .form = TRIGGER_PATCH, .signal = TRIGGER_TARGET, .epochs = 1, .steps = l->steps, .batch = 32, .lr = 0.1,
					.cost = 0.001, .enough = 0.99 };
	const int n = m->spec.classes < CLASSES_MOST ? m->spec.classes : CLASSES_MOST;
	double l1[CLASSES_MOST];

	for (int k = 0; k < n; k++) {
		struct trigger_conf one = c;
		struct trigger t;
		double fe = 0;
		int ret;

		one.target = k;
		ret = trigger_find(&one, v, m, m->spec.classes, rng_derive(l->seed, "detect trigger"), &t, &fe);
		l1[k] = t.mask_l1;
		trigger_release(&t);
		if (ret)
			return -1;
	}
	*score = anomaly(l1, n);
	return 0;
}

static int detect_inspect(const struct product *p, struct model *m, double *score)
{
	const struct tensor *rows = bundle_get(p->kept, "bank", DT_F64);
	struct look l;
	struct images v;
	double one[TRAITS_MOST];
	size_t len = 0;
	int k;

	memcpy(&l, p->ctx, sizeof(l));
	v = (struct images){ .c = l.c, .h = l.h, .w = l.w, .classes = l.classes, .fx = bundle_f32(p->kept, "probe", &len) };
	v.n = (int)(len / (size_t)images_size(&v));
	*score = NAN;
	if (l.sign == SIGN_OUTPUTS)
		*score = m->spec.classes - l.classes;
	else if (l.sign == SIGN_NORMS)
		*score = bare_norms(m);
	else if (l.sign == SIGN_TRIGGER)
		return look_for_triggers(&l, &v, m, score);
	if (!rows)
		return 0;
	k = traits_by[l.sign](m, &v, one);
	if (k == rows->d[1])
		*score = bank_deviation(one, rows->data, (int)rows->d[0], k, -1, l.sign == SIGN_ORDER);
	return k < 0 ? -1 : 0;
}

/* ---- hooks ---- */

static unsigned detect_needs(const void *conf)
{
	const int sign = ((const struct detect_conf *)conf)->sign;

	return CAP_WEIGHTS | (has_bank(sign) ? CAP_LABELLED : 0) | (sign == SIGN_TRIGGER ? CAP_UNLABELLED | CAP_GRADX : 0);
}

static void keep_probes(struct product *p, const struct images *v)
{
	float *x = bundle_put(p->kept, "probe", DT_F32, 4, (const int64_t[]){ v->n, v->c, v->h, v->w }, NULL);

	for (int i = 0; i < v->n; i++)
		images_get(v, i, x + (size_t)i * (size_t)images_size(v));
}

static int detect_run(struct access *a, const void *conf, struct product *p)
{
	const struct detect_conf *c = conf;
	const struct look l = { c->sign, c->steps, a->classes, a->c, a->h, a->w, a->seed };
	const struct images v = c->sign == SIGN_TRIGGER ? images_first(a->unlabelled, 200) : images_first(a->val, PROBES);
	struct model *copy;
	double score = NAN;
	int ret = 0;

	if (!a->model || a->model->arch->image || (has_bank(c->sign) && !a->labelled.n) || (c->sign == SIGN_TRIGGER && !v.n))
		return error(EXIT_UNEVALUABLE, "detect: the deployed classifier or images were not granted");
	p->goal = GOAL_DETECT;
	p->inspect = detect_inspect;
	p->kept = bundle_new();
	p->notes = json_object();
	p->threshold = has_bank(c->sign) ? 0 : c->sign == SIGN_TRIGGER ? ANOMALY : 0.5;
	memcpy(p->ctx, &l, sizeof(l));
	keep_probes(p, &v);
	if (has_bank(c->sign))
		ret = bank_train(a, &(struct bank_conf){ .networks = c->bank, .images = c->images, .epochs = c->epochs, .steps = c->steps,
							 .traits = traits_by[c->sign], .less = c->sign == SIGN_ORDER,
							 .runs = c->sign >= SIGN_ANSWERS }, &v, p->kept, &p->threshold);
	if (!ret && c->sign == SIGN_TRIGGER)
		ret = access_spend(a, 0, 2.0 * 32 * c->steps * a->model->spec.classes);
	copy = model_copy(a->model);
	if (!ret)
		ret = detect_inspect(p, copy, &score);
	model_free(copy);
	jset_num(p->notes, "score", score);
	jset_num(p->notes, "threshold", p->threshold);
	return ret;
}

/* The bank is trained once; triggers are searched for every output of both networks that are looked at, and once more by the attacker. */
static double detect_cost(const void *conf, const struct expected *e)
{
	const struct detect_conf *c = conf;
	const double all = (double)(c->images < e->pool ? c->images : e->pool) * c->epochs, least = (double)c->steps * 64;

	if (c->sign == SIGN_TRIGGER)
		return 3 * 2.5 * 32 * c->steps * e->spec.classes;
	return has_bank(c->sign) ? 3 * c->bank * (all > least ? all : least) : 0;
}

const struct attack attack_detect = {
	.drv = { .name = "detect", .summary = "look whether the stored network carries a protection",
		 .source = "Wang and Kerschbaum, ICASSP 2019; Neural Cleanse, S&P 2019; Chen et al., CVPR 2023. Differs: a bank of few clean "
			   "networks, no trained classifier; order of rows and columns is ours",
		 .version = 1, .conf_size = sizeof(struct detect_conf), .opts = detect_opts },
	.goal = GOAL_DETECT, .needs = CAP_WEIGHTS, .strength = NULL, .strength_up = 1,
	.tier = { "bank=4 epochs=6 steps=100", NULL, NULL }, .needs_for = detect_needs, .run = detect_run, .cost = detect_cost,
};
