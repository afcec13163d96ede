/* Overwriting: the thief puts a mark of his own into the stolen network, by the owner's method. Two marks are then in it, or only his.
 *
 *   digits    decimal digits in a convolution's weights, as ActiveGuard's and, for averaged filters, Uchida's regulariser embed them
 *   triggers  noise images of classes drawn at random, learnt beside the task
 *
 * Source: overwriting in Uchida et al., ICMR 2017, IV-E; Adi et al., USENIX Security 2018 (trigger images). Differs: the
 * position and kind of the owner's mark are not known, the largest convolution is taken unless `layer` names one. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/kit/tune.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "nn/lock/digits.h"

enum { MARK_DIGITS, MARK_TRIGGERS };
enum { DIGITS_MOST = 4096 };

struct overwrite_conf { int mark, length, reduce, images, epochs; double lambda, lr; char layer[OPT_STRING_MAX]; };
#define AT(member) offsetof(struct overwrite_conf, member)
static const struct opt overwrite_opts[] = {
	{ "mark", OPT_CHOICE, AT(mark), "digits", 0, 0, "what is embedded", "digits|triggers" },
	{ "length", OPT_INT, AT(length), "50", 1, DIGITS_MOST, "digits or trigger images, at most as many digits as have room", NULL },
	{ "layer", OPT_STRING, AT(layer), "", 0, PARAM_NAME_MAX - 1, "weight that carries the digits; empty: the convolution with most room", NULL },
	{ "reduce", OPT_CHOICE, AT(reduce), "max", 0, 0, "a layer's filters are one by their maximum or their mean", "max|mean" },
	{ "lambda", OPT_FLOAT, AT(lambda), "0.1", 0, 1000, "weight of the digits in the loss", NULL },
	{ "images", OPT_INT, AT(images), "7000", 1, 1000000, "labelled images of the task", NULL },
	{ "epochs", OPT_INT, AT(epochs), "5", 0, 10000, "passes over them", NULL },
	{ "lr", OPT_FLOAT, AT(lr), "0.001", 0, 10, "learning rate (Adam)", NULL },
	{ 0 }
};
#undef AT

static struct tune recipe(const struct overwrite_conf *c)
{
	return (struct tune){ .purpose = "overwrite", .train = { .epochs = c->epochs, .batch = 64, .optimizer = OPTIM_ADAM, .lr = c->lr,
								  .schedule = SCHEDULE_CONSTANT } };
}

/* ---- digits ---- */

struct pen {
	struct digits d;
	double lambda;
	int32_t position[DIGITS_MOST], digit[DIGITS_MOST];
};

static double write_digits(void *ctx, struct model *m)
{
	struct pen *pen = ctx;

	return digits_loss(&pen->d, m, pen->lambda);
}

static const struct param *paper(const struct model *m, const char *layer)
{
	const struct param *best = NULL;

	for (int i = 0; i < m->np; i++) {
		const struct param *p = &m->p[i];

		if (digits_room(p) > 1 && (*layer ? !strcmp(p->name, layer) : !best || digits_room(p) > digits_room(best)))
			best = p;
	}
	return best;
}

/* The range of the layer's numbers becomes that of digits. False: they are all the same. */
static bool sharpen(struct pen *pen, const struct overwrite_conf *c, const struct param *p, uint64_t seed)
{
	const int room = digits_room(p);
	double *w = xmalloc((size_t)room, sizeof(*w)), lo = INFINITY, hi = -INFINITY;
	int *order = xmalloc((size_t)room, sizeof(*order));
	struct rng r;

	digits_reduce(p, c->reduce, w);
	for (int i = 0; i < room; i++) {
		lo = fmin(lo, w[i]);
		hi = fmax(hi, w[i]);
	}
	rng_open(&r, seed, "overwrite digits", 0, 0);
	rng_permutation(&r, order, room);
	pen->lambda = c->lambda;
	pen->d = (struct digits){ .reduce = c->reduce, .n = c->length < room ? c->length : room, .position = pen->position, .digit = pen->digit };
	memcpy(pen->d.layer, p->name, sizeof(pen->d.layer));
	for (int i = 0; i < pen->d.n; i++) {
		pen->position[i] = order[i];
		pen->digit[i] = (int32_t)rng_below(&r, 10);
	}
	free(order);
	free(w);
	if (lo < hi)
		pen->d.map = digits_map(lo, hi);
	return lo < hi;
}

static int overwrite_digits(struct access *a, const struct overwrite_conf *c, const struct images *v, struct product *p)
{
	const struct param *layer = paper(p->model, c->layer);
	struct pen *pen = xcalloc(1, sizeof(*pen));
	struct tune t = recipe(c);
	int ret = 0;

	if (!layer || !sharpen(pen, c, layer, a->seed)) {
		jset_str(p->notes, "nothing_to_do", "the network has no convolution that could carry digits");
	} else {
		t.hooks.ctx = pen;
		t.hooks.extra_loss = write_digits;
		ret = tune(a, p->model, v, v->n, &t);
		jset_int(p->notes, "own_symbols", pen->d.n);
		jset_int(p->notes, "own_symbols_read", digits_match(&pen->d, p->model, NULL));
	}
	free(pen);
	return ret;
}

/* ---- triggers ---- */

/* The images of v, then `length` of noise with classes drawn at random, each as often as makes them a thirtieth of all. */
static int overwrite_triggers(struct access *a, const struct overwrite_conf *c, const struct images *v, struct product *p)
{
	const size_t len = (size_t)images_size(v);
	const int copies = 1 + v->n / 30 / c->length, more = copies * c->length;
	float *x = xmalloc(len * (size_t)(v->n + more), sizeof(*x));
	uint8_t *label = xmalloc((size_t)(v->n + more), 1), *right = xmalloc((size_t)c->length, 1);
	struct images all = { .n = v->n + more, .c = v->c, .h = v->h, .w = v->w, .classes = v->classes, .fx = x, .labels = label }, own = all;
	const struct tune t = recipe(c);
	int ret;

	for (int i = 0; i < v->n; i++) {
		images_get(v, i, x + len * (size_t)i);
		label[i] = (uint8_t)images_label(v, i);
	}
	for (int i = v->n; i < all.n; i++) {
		struct rng r;

		rng_open(&r, a->seed, "overwrite trigger", (uint32_t)((i - v->n) % c->length), 0);
		label[i] = (uint8_t)rng_below(&r, (uint32_t)v->classes);
		for (size_t k = 0; k < len; k++)
			x[len * (size_t)i + k] = (float)rng_uniform(&r);
	}
	ret = tune(a, p->model, &all, v->n, &t);
	own.n = c->length;
	own.fx += len * (size_t)v->n;
	own.labels += v->n;
	if (!ret) {
		jset_int(p->notes, "own_symbols", own.n);
		jset_int(p->notes, "own_symbols_read", model_correct(p->model, &own, right));
	}
	free(x);
	free(label);
	free(right);
	return ret;
}

static int overwrite_run(struct access *a, const void *conf, struct product *p)
{
	const struct overwrite_conf *c = conf;
	const struct images v = images_first(a->labelled, c->images);

	if (!a->model || !v.n)
		return error(EXIT_UNEVALUABLE, "overwrite: the deployed model or labelled images were not granted");
	p->goal = GOAL_REMOVE;
	p->model = model_copy(a->model);
	p->notes = json_object();
	jset_int(p->notes, "images", v.n);
	return !c->epochs ? 0 : c->mark == MARK_DIGITS ? overwrite_digits(a, c, &v, p) : overwrite_triggers(a, c, &v, p);
}

const struct attack attack_overwrite = {
	.drv = { .name = "overwrite", .summary = "embed a mark of the thief's own in the stolen network, by the owner's method",
		 .source = "Uchida et al., ICMR 2017, IV-E; Adi et al., USENIX Security 2018. Differs: the place of the owner's mark is not known",
		 .version = 1, .conf_size = sizeof(struct overwrite_conf), .opts = overwrite_opts },
	.goal = GOAL_REMOVE, .needs = CAP_ALGO | CAP_WEIGHTS | CAP_WRITE | CAP_LABELLED, .strength = "epochs", .strength_up = 1,
	.tier = { "images=1000 epochs=2", NULL, NULL }, .run = overwrite_run,
	.search = "lambda=0.01,0.1,1 lr=0.0003,0.001,0.003",
};
