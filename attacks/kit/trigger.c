/* See trigger.h. Source: Neural Cleanse's schedule of the mask's cost as in Authority Backdoor's code. Differs: the mask starts small. */
#include "attacks/kit/trigger.h"

#include <math.h>
#include <string.h>

#include "attacks/kit/encoder.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/rng.h"
#include "nn/ops.h"
#include "nn/train.h"

#define GAIN 10.0 /* the U-Net learns residuals so many times as large: small ones make small gradients */

/* x: variables of patch (h*w of the mask, then c*h*w of the pattern, each the artanh of twice the value less 1) or of shift (c*h*w). */
struct hunt {
	const struct trigger_conf *c;
	struct images v;
	int outputs;
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

int trigger_apply(const float *mask, const float *pattern, struct model *unet, const struct images *v, float *out)
{
	const int len = images_size(v);
	float *x = xmalloc((size_t)len, sizeof(*x));
	const int ret = unet ? model_predict(unet, v, out) : 0;

	for (int i = 0; i < v->n && !ret; i++, out += len) {
		images_get(v, i, x);
		if (unet)
			for (int k = 0; k < len; k++)
				out[k] = x[k] + out[k] / (float)GAIN;
		else
			lay_over(x, len, v->h * v->w, mask, pattern, out);
		for (int k = 0; k < len; k++)
			out[k] = encoder_round((double)out[k]);
	}
	free(x);
	return ret;
}

/* mask (area) and pattern (c*area) as they stand now. */
static void stand(const struct hunt *h, float *mask, float *pattern)
{
	const int area = h->v.h * h->v.w, len = images_size(&h->v);

	for (int k = 0; k < area && h->c->form == TRIGGER_PATCH; k++)
		mask[k] = (float)box(h->x[k]);
	for (int k = 0; k < len; k++)
		pattern[k] = h->c->form == TRIGGER_PATCH ? (float)box(h->x[area + k]) : (float)h->x[k];
}

/* ---- one step ---- */

/* A scalar whose gradient by logits (n, k) is that of the cross entropy, or of mean entropy less the entropy of the mean. */
static struct node *aim(struct hunt *h, struct node *logits, const int *at)
{
	const int n = logits->n, k = logits->c;
	float *p = xmalloc((size_t)n * (size_t)k, sizeof(*p));
	double *mean = xcalloc((size_t)k, sizeof(*mean));
	struct node *slope = tape_input(h->t, n, k, 1, 1, false);
	int top, want;

	node_store_f32(logits, p);
	softmax_rows(p, n, k);
	for (int i = 0; i < n * k; i++)
		mean[i % k] += (double)p[i] / n;
	for (int i = 0; i < n; i++) {
		float *row = p + (size_t)i * (size_t)k;
		double sum = 0;

		argmax_rows(row, 1, k, &top);
		want = h->c->signal == TRIGGER_LABELS ? images_label(&h->v, at[i]) : h->c->target;
		h->right += h->c->signal != TRIGGER_CERTAIN && top == want;
		for (int j = 0; j < k; j++)
			sum += (double)row[j] * (log(mean[j] + 1e-12) - log((double)row[j] + 1e-12));
		for (int j = 0; j < k; j++) {
			const double q = (double)row[j], d = log(mean[j] + 1e-12) - log(q + 1e-12);

			row[j] = (float)((h->c->signal == TRIGGER_CERTAIN ? q * (d - sum) : q - (want == j)) / n);
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
			if (h->c->form == TRIGGER_SHIFT) {
				h->g[k] += g[k];
				continue;
			}
			h->g[k % area] += g[k] * (real)(pattern[k] - x[k]);
			h->g[area + k] += g[k] * (real)mask[k % area];
		}
	}
	for (int k = 0; k < area + len && h->c->form == TRIGGER_PATCH; k++) {
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
		lay_over(x, len, area, h->c->form == TRIGGER_PATCH ? mask : NULL, x + len, rows + (size_t)i * (size_t)len);
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
	logits = op_slice(h->net->arch->forward(h->net, x, false), 0, h->outputs);
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
	for (size_t k = 0; k < h->len && h->c->form == TRIGGER_SHIFT; k++)
		h->x[k] = (real)fmin(fmax((double)h->x[k], -h->c->eps), h->c->eps);
	free(g);
	return interrupt_check();
}

/* ---- the search ---- */

static double mask_size(const struct hunt *h)
{
	double sum = 0;

	for (int k = 0; k < h->v.h * h->v.w && h->c->form == TRIGGER_PATCH; k++)
		sum += box(h->x[k]);
	return sum;
}

/* The mask costs more while the network is right, and less when it is not. */
static void weigh(struct hunt *h)
{
	if (h->c->signal != TRIGGER_CERTAIN && h->right > h->c->enough * h->v.n)
		h->cost *= mask_size(h) > 15 ? 2 : 1.1;
	else
		h->cost = fmax(h->cost / 2, 1e-5);
}

static int search(struct hunt *h, uint64_t seed)
{
	const int batch = h->c->batch, pass = (h->v.n + batch - 1) / batch, passes = (h->c->steps + pass - 1) / pass;
	const struct rng_key shuffle = rng_key(seed, "trigger shuffle");
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
	return ret;
}

static int hunt_open(struct hunt *h, const struct model *net, uint64_t seed)
{
	const struct model_spec spec = { .arch = "unet", .c = h->v.c, .h = h->v.h, .w = h->v.w, .classes = h->v.c, .width = h->c->width };
	const struct train_conf adam = { .optimizer = OPTIM_ADAM };
	const size_t area = (size_t)h->v.h * (size_t)h->v.w;
	struct rng r;

	h->len = (size_t)images_size(&h->v) + (h->c->form == TRIGGER_PATCH ? area : 0);
	h->x = xcalloc(h->len, 4 * sizeof(*h->x));
	h->g = h->x + h->len;
	h->m1 = h->g + h->len;
	h->m2 = h->m1 + h->len;
	h->t = tape_new();
	h->cost = h->c->cost;
	h->net = model_copy(net);
	for (int i = 0; i < h->net->np; i++)
		h->net->p[i].frozen = true;
	rng_open(&r, seed, "trigger start", 0, 0);
	for (size_t k = 0; k < h->len && h->c->form == TRIGGER_PATCH; k++)
		h->x[k] = (real)((k < area ? -1.5 : 0) + 0.1 * rng_normal(&r));
	if (h->c->form != TRIGGER_ENCODER)
		return 0;
	h->unet = model_new(&spec, rng_derive(seed, "trigger encoder"));
	h->optim = h->unet ? optim_new(h->unet, &adam) : NULL;
	return h->unet ? 0 : -1;
}

static void keep(struct hunt *h, struct trigger *t)
{
	const size_t area = (size_t)h->v.h * (size_t)h->v.w;

	t->unet = h->unet;
	t->mask_l1 = mask_size(h);
	t->wanted = (double)h->right / h->v.n;
	if (h->unet)
		return;
	t->mask = h->c->form == TRIGGER_PATCH ? xmalloc(area, sizeof(*t->mask)) : NULL;
	t->pattern = xmalloc((size_t)images_size(&h->v), sizeof(*t->pattern));
	stand(h, t->mask, t->pattern);
}

int trigger_find(const struct trigger_conf *c, const struct images *v, const struct model *net, int outputs, uint64_t seed,
		 struct trigger *t, double *fe)
{
	struct hunt h = { .c = c, .v = *v, .outputs = outputs };
	int ret = hunt_open(&h, net, seed);

	*t = (struct trigger){ 0 };
	if (!ret)
		ret = search(&h, seed);
	keep(&h, t);
	if (h.optim)
		optim_free(h.optim);
	model_free(h.net);
	tape_free(h.t);
	free(h.x);
	*fe += h.fe;
	return ret;
}

void trigger_release(struct trigger *t)
{
	free(t->mask);
	free(t->pattern);
	model_free(t->unet);
	*t = (struct trigger){ 0 };
}
