/* Inversion of the unlocking trigger: what must be done to images so that the locked network is right? Found by gradients through it, on
 * the attacker's images; no pair of plain and prepared images is needed.
 *
 *   patch    (1 - m) x + m p: one mask and one pattern for all images, as small as they can be
 *   shift    x + d, no pixel by more than eps: one residual for all images
 *   encoder  x + G(x): a small U-Net, whose residual may be another one for every image (an own key generator)
 *
 * With signal=labels the network shall say the true class; with signal=certain it shall be sure of every image and of all classes
 * alike often, for which no label is needed.
 *
 * Source: Wang et al., "Neural Cleanse", IEEE S&P 2019 (mask, pattern, cost); towards the true class as the adaptive attack of Authority
 * Backdoor's code does; certain: information maximisation, Krause, Perona, Gomes, NIPS 2010.
 * Differs: images of the attack pool, never the test set; the mask starts small; shift and encoder are ours. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/encoder.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/rng.h"
#include "nn/train.h"

enum form { FORM_PATCH, FORM_SHIFT, FORM_ENCODER };
enum { SIGNAL_LABELS, SIGNAL_CERTAIN };
#define GAIN 10.0 /* the U-Net learns residuals so many times as large: small ones make small gradients */

struct invert_conf { int images, form, signal, epochs, steps, batch, width, through, top1; double lr, eps, cost, enough; };
#define AT(member) offsetof(struct invert_conf, member)
static const struct opt invert_opts[] = {
	{ "images", OPT_INT, AT(images), "200", 0, 1000000, "images it is found on; 0: images go as they are", NULL },
	{ "form", OPT_CHOICE, AT(form), "patch", 0, 0, "what is done to images", "patch|shift|encoder" },
	{ "signal", OPT_CHOICE, AT(signal), "labels", 0, 0, "the network shall be right, or (without labels) sure", "labels|certain" },
	{ "epochs", OPT_INT, AT(epochs), "50", 1, 100000, "passes over the images", NULL },
	{ "steps", OPT_INT, AT(steps), "500", 0, 10000000, "at least so many steps, by more passes where images are few", NULL },
	{ "batch", OPT_INT, AT(batch), "64", 1, 65536, "images a step", NULL },
	{ "lr", OPT_FLOAT, AT(lr), "0.05", 0, 10, "Adam's rate (encoder: a twentieth of it)", NULL },
	{ "eps", OPT_FLOAT, AT(eps), "1", 0, 1, "shift: largest change of a pixel", NULL },
	{ "cost", OPT_FLOAT, AT(cost), "0.01", 0, 1000, "patch: first weight of the mask's size", NULL },
	{ "enough", OPT_FLOAT, AT(enough), "0.9", 0, 1, "patch: the mask costs more while so many are right, and less while not", NULL },
	{ "width", OPT_INT, AT(width), "8", 1, 256, "encoder: channels of the U-Net at full size", NULL },
	THROUGH_ROW(struct invert_conf, through),
	{ "top1", OPT_BOOL, AT(top1), "no", 0, 0, "the service answers with a class only", NULL },
	{ 0 }
};
#undef AT

/* Travels in the product beside "mask" f32 (h*w), "pattern" f32 (c*h*w), or "shift" f32 (c*h*w), or the U-Net. */
struct found { int form, through; };

/* x: variables of patch (h*w of the mask, then c*h*w of the pattern, each the artanh of twice the value less 1) or of shift (c*h*w). */
struct hunt {
	struct access *a;
	const struct invert_conf *c;
	struct images v;
	struct model *net, *unet;
	struct optim *optim;
	struct tape *t;
	real *x, *g, *m1, *m2;
	size_t len;
	double cost, fe;
	int steps, right;
};

static double box(real v)
{
	return (tanh((double)v) + 1) / 2;
}

/* ---- what images become ---- */

/* mask NULL: out = in + pattern. area pixels a channel. */
static void lay_over(const float *in, int len, int area, const float *mask, const float *pattern, float *out)
{
	for (int k = 0; k < len; k++)
		out[k] = mask ? (1 - mask[k % area]) * in[k] + mask[k % area] * pattern[k] : in[k] + pattern[k];
}

/* mask (area) and pattern (c*area) as they stand now. */
static void stand(const struct hunt *h, float *mask, float *pattern)
{
	const int area = h->v.h * h->v.w, len = images_size(&h->v);

	for (int k = 0; k < area && h->c->form == FORM_PATCH; k++)
		mask[k] = (float)box(h->x[k]);
	for (int k = 0; k < len; k++)
		pattern[k] = h->c->form == FORM_PATCH ? (float)box(h->x[area + k]) : (float)h->x[k];
}

static int invert_prepare(const struct product *p, const struct images *v, float *out)
{
	const float *mask = bundle_f32(p->kept, "mask", NULL), *pattern = bundle_f32(p->kept, mask ? "pattern" : "shift", NULL);
	const int len = images_size(v);
	float *x = xmalloc((size_t)len, sizeof(*x));
	int ret = p->model ? model_predict(p->model, v, out) : 0;

	for (int i = 0; i < v->n && !ret; i++, out += len) {
		images_get(v, i, x);
		if (p->model)
			for (int k = 0; k < len; k++)
				out[k] = x[k] + out[k] / (float)GAIN;
		else if (pattern)
			lay_over(x, len, v->h * v->w, mask, pattern, out);
		else
			memcpy(out, x, (size_t)len * sizeof(*x));
		for (int k = 0; k < len && (p->model || pattern); k++)
			out[k] = encoder_round((double)out[k]);
	}
	free(x);
	return ret;
}

static int invert_answer(const struct product *p, struct asked *service, const struct images *v, float *probs)
{
	struct found f;

	memcpy(&f, p->ctx, sizeof(f));
	return encoder_answer(p, service, v, invert_prepare, f.through, probs);
}

/* ---- one step ---- */

/* A scalar whose gradient by logits (n, k) is that of the cross entropy, or of mean entropy less the entropy of the mean. */
static struct node *aim(struct hunt *h, struct node *logits, const int *at)
{
	const int n = logits->n, k = logits->c;
	float *p = xmalloc((size_t)n * (size_t)k, sizeof(*p));
	double *mean = xcalloc((size_t)k, sizeof(*mean));
	struct node *slope = tape_input(h->t, n, k, 1, 1, false);
	int top;

	node_store_f32(logits, p);
	softmax_rows(p, n, k);
	for (int i = 0; i < n * k; i++)
		mean[i % k] += (double)p[i] / n;
	for (int i = 0; i < n; i++) {
		float *row = p + (size_t)i * (size_t)k;
		double sum = 0;

		argmax_rows(row, 1, k, &top);
		h->right += h->c->signal == SIGNAL_LABELS && top == images_label(&h->v, at[i]);
		for (int j = 0; j < k; j++)
			sum += (double)row[j] * (log(mean[j] + 1e-12) - log((double)row[j] + 1e-12));
		for (int j = 0; j < k; j++) {
			const double q = (double)row[j], d = log(mean[j] + 1e-12) - log(q + 1e-12);

			row[j] = (float)((h->c->signal == SIGNAL_LABELS ? q - (images_label(&h->v, at[i]) == j) : q * (d - sum)) / n);
		}
	}
	node_load_f32(slope, p);
	free(p);
	free(mean);
	return op_sum(op_mul(logits, slope));
}

/* What the images' gradient g (n, len) says of the variables. */
static void pull_back(struct hunt *h, const int *at, int n, const real *g)
{
	const int area = h->v.h * h->v.w, len = images_size(&h->v);
	float *x = xmalloc((size_t)len, 2 * sizeof(*x)), *pattern = x + len, *mask = xcalloc((size_t)area, sizeof(*mask));

	memset(h->g, 0, h->len * sizeof(*h->g));
	stand(h, mask, pattern);
	for (int i = 0; i < n; i++, g += len) {
		images_get(&h->v, at[i], x);
		for (int k = 0; k < len; k++) {
			if (h->c->form == FORM_SHIFT) {
				h->g[k] += g[k];
				continue;
			}
			h->g[k % area] += g[k] * (real)(pattern[k] - x[k]);
			h->g[area + k] += g[k] * (real)mask[k % area];
		}
	}
	for (int k = 0; k < area + len && h->c->form == FORM_PATCH; k++) {
		const double b = box(h->x[k]);

		h->g[k] = (real)(((double)h->g[k] + (k < area ? h->cost : 0)) * 2 * b * (1 - b));
	}
	free(x);
	free(mask);
}

/* The images as they would be sent now, on the tape. */
static struct node *sent(struct hunt *h, const int *at, int n)
{
	const struct train_conf plain = { .batch = n };
	const int area = h->v.h * h->v.w, len = images_size(&h->v);
	float *mask, *rows, *x;
	struct node *in;

	if (h->unet) {
		in = train_gather(h->t, &h->v, &plain, rng_key(0, "none"), 0, at, n);
		return op_add(in, op_scale(h->unet->arch->forward(h->unet, in, true), (real)(1 / GAIN), 0));
	}
	in = tape_input(h->t, n, h->v.c, h->v.h, h->v.w, true);
	rows = xmalloc((size_t)n * (size_t)len, sizeof(*rows));
	x = xmalloc((size_t)len, 2 * sizeof(*x));
	mask = xcalloc((size_t)area, sizeof(*mask));
	stand(h, mask, x + len);
	for (int i = 0; i < n; i++) {
		images_get(&h->v, at[i], x);
		lay_over(x, len, area, h->c->form == FORM_PATCH ? mask : NULL, x + len, rows + (size_t)i * (size_t)len);
	}
	node_load_f32(in, rows);
	free(rows);
	free(x);
	free(mask);
	return in;
}

static int step(struct hunt *h, const int *at, int n)
{
	struct node *x, *logits, *loss;
	real *g;

	tape_reset(h->t);
	x = sent(h, at, n);
	logits = op_slice(h->net->arch->forward(h->net, x, false), 0, h->a->classes);
	loss = aim(h, logits, at);
	if (h->unet)
		model_zero_grad(h->unet);
	tape_backward(h->t, loss);
	h->fe += (h->unet ? 5.0 : 2.0) * n;
	h->steps++;
	if (h->unet) {
		optim_step(h->optim, h->c->lr / 20);
		return interrupt_check();
	}
	g = xmalloc((size_t)n * (size_t)images_size(&h->v), sizeof(*g));
	node_store_grad(x, g);
	pull_back(h, at, n, g);
	adam_update(h->x, h->g, h->m1, h->m2, h->len, h->c->lr, h->steps);
	for (size_t k = 0; k < h->len && h->c->form == FORM_SHIFT; k++)
		h->x[k] = (real)fmin(fmax((double)h->x[k], -h->c->eps), h->c->eps);
	free(g);
	return interrupt_check();
}

/* ---- the search ---- */

static double mask_size(const struct hunt *h)
{
	double sum = 0;

	for (int k = 0; k < h->v.h * h->v.w && h->c->form == FORM_PATCH; k++)
		sum += box(h->x[k]);
	return sum;
}

/* The mask costs more while the network is right, and less when it is not. */
static void weigh(struct hunt *h)
{
	if (h->c->signal == SIGNAL_LABELS && h->right > h->c->enough * h->v.n)
		h->cost *= mask_size(h) > 15 ? 2 : 1.1;
	else
		h->cost = fmax(h->cost / 2, 1e-5);
}

static int search(struct hunt *h)
{
	const int batch = h->c->batch, pass = (h->v.n + batch - 1) / batch, passes = (h->c->steps + pass - 1) / pass;
	const struct rng_key shuffle = rng_key(h->a->seed, "invert shuffle");
	int *order = xmalloc((size_t)h->v.n, sizeof(*order)), ret = 0;
	struct rng r;

	for (int epoch = 0; epoch < (passes > h->c->epochs ? passes : h->c->epochs) && !ret; epoch++) {
		rng_at(&r, shuffle, (uint32_t)epoch, 0);
		rng_permutation(&r, order, h->v.n);
		h->right = 0;
		for (int i = 0; i < h->v.n && !ret; i += batch)
			ret = step(h, order + i, h->v.n - i < batch ? h->v.n - i : batch);
		weigh(h);
	}
	free(order);
	return ret ? -1 : access_spend(h->a, h->c->signal == SIGNAL_LABELS ? h->v.n : 0, h->fe);
}

static int hunt_open(struct hunt *h)
{
	const struct model_spec spec = { .arch = "unet", .c = h->v.c, .h = h->v.h, .w = h->v.w, .classes = h->v.c, .width = h->c->width };
	const struct train_conf adam = { .optimizer = OPTIM_ADAM };
	const size_t area = (size_t)h->v.h * (size_t)h->v.w;
	struct rng r;

	h->len = (size_t)images_size(&h->v) + (h->c->form == FORM_PATCH ? area : 0);
	h->x = xcalloc(h->len, 4 * sizeof(*h->x));
	h->g = h->x + h->len;
	h->m1 = h->g + h->len;
	h->m2 = h->m1 + h->len;
	h->t = tape_new();
	h->cost = h->c->cost;
	h->net = model_copy(h->a->model);
	for (int i = 0; i < h->net->np; i++)
		h->net->p[i].frozen = true;
	rng_open(&r, h->a->seed, "invert start", 0, 0);
	for (size_t k = 0; k < h->len && h->c->form == FORM_PATCH; k++)
		h->x[k] = (real)((k < area ? -1.5 : 0) + 0.1 * rng_normal(&r));
	if (h->c->form != FORM_ENCODER)
		return 0;
	h->unet = model_new(&spec, rng_derive(h->a->seed, "invert encoder"));
	h->optim = h->unet ? optim_new(h->unet, &adam) : NULL;
	return h->unet ? 0 : -1;
}

static void keep(struct hunt *h, struct product *p)
{
	const int area = h->v.h * h->v.w, len = images_size(&h->v);

	if (h->unet) {
		p->model = h->unet;
		return;
	}
	if (h->c->form == FORM_PATCH)
		stand(h, bundle_put_f32(p->kept, "mask", area, NULL), bundle_put_f32(p->kept, "pattern", len, NULL));
	else
		stand(h, NULL, bundle_put_f32(p->kept, "shift", len, NULL));
}

static int invert(struct hunt *h, struct product *p)
{
	int ret = hunt_open(h);

	if (!ret)
		ret = search(h);
	if (h->c->form == FORM_PATCH)
		jset_num(p->notes, "mask_l1", mask_size(h));
	if (h->c->signal == SIGNAL_LABELS)
		jset_num(p->notes, "right_on_samples", (double)h->right / h->v.n);
	keep(h, p);
	if (h->optim)
		optim_free(h->optim);
	model_free(h->net);
	tape_free(h->t);
	free(h->x);
	return ret;
}

static unsigned invert_needs(const void *conf)
{
	const struct invert_conf *c = conf;

	return CAP_WEIGHTS | CAP_GRADX | (c->signal == SIGNAL_LABELS ? CAP_LABELLED : CAP_UNLABELLED) | through_needs(c->through, c->top1);
}

static int invert_run(struct access *a, const void *conf, struct product *p)
{
	const struct invert_conf *c = conf;
	const struct found f = { c->form, c->through };
	struct hunt h = { .a = a, .c = c, .v = images_first(c->signal == SIGNAL_LABELS ? a->labelled : a->unlabelled, c->images) };

	if (!a->model || !(a->labelled.n + a->unlabelled.n))
		return error(EXIT_UNEVALUABLE, "invert: the deployed model or images were not granted");
	p->goal = GOAL_USE;
	p->answer = invert_answer;
	p->kept = bundle_new();
	p->notes = json_object();
	p->stolen = c->through == THROUGH_WEIGHTS ? model_copy(a->model) : NULL;
	memcpy(p->ctx, &f, sizeof(f));
	jset_int(p->notes, "images", h.v.n);
	return h.v.n ? invert(&h, p) : 0;
}

const struct attack attack_invert = {
	.drv = { .name = "invert", .summary = "find by gradients what must be done to images so that the locked network is right",
		 .source = "Neural Cleanse (Wang et al., S&P 2019), aimed at the true class as in Authority Backdoor's code; Krause et al., NIPS 2010 "
			   "(without labels). Differs: attack pool, a mask that starts small; shift and encoder are ours",
		 .version = 1, .conf_size = sizeof(struct invert_conf), .opts = invert_opts },
	.goal = GOAL_USE, .needs = CAP_WEIGHTS | CAP_GRADX, .strength = "images", .strength_up = 1,
	.tier = { "steps=200", NULL, NULL }, .needs_for = invert_needs, .run = invert_run,
};
