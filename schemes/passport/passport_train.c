/* Training a network whose scale and shift come from passports. Source: DeepIPR's and Passport-aware Normalization's
 * code (losses and their constants). */
#include "schemes/passport/passport_train.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "nn/ops.h"
#include "schemes/kit/retrain.h"

#define GAMMA_DECAY 1e-5 /* of sum gamma^2 in the sign loss */
#define PAN_SLOPE 0.01   /* of its leaky ReLU */
#define PAN_LR 1e-3

/* ---- state ---- */

static void pan_matrix(struct param *p, int rows, int cols, struct rng *r)
{
	const double bound = 1 / sqrt(cols);

	*p = (struct param){ .nd = 2, .d = { rows, cols, 1, 1 }, .len = (size_t)rows * (size_t)cols };
	p->x = xmalloc(p->len, sizeof(*p->x));
	p->g = xcalloc(p->len, sizeof(*p->g));
	for (size_t i = 0; i < p->len; i++)
		p->x[i] = (real)(bound * (2 * rng_uniform(r) - 1));
}

/* Running statistics of m to or from one row. */
static void copy_stats(struct model *m, real *row, bool into)
{
	for (int i = 0; i < m->np; i++) {
		if (!m->p[i].buffer)
			continue;
		if (into)
			memcpy(m->p[i].x, row, m->p[i].len * sizeof(*row));
		else
			memcpy(row, m->p[i].x, m->p[i].len * sizeof(*row));
		row += m->p[i].len;
	}
}

void passport_net_open(struct passport_net *net, const struct passport_layer *p, int n, const struct model *m,
		       const struct bundle *secret, uint64_t seed)
{
	static const char *const whats[] = { "gamma", "beta" };
	char name[PARAM_NAME_MAX + 8];

	net->n = n;
	for (int i = 0; i < n; i++) {
		const int hidden = p[i].out / 4 ? p[i].out / 4 : 1;
		struct rng r;

		net->p[i] = p[i];
		for (int k = 0; k < 2; k++) {
			net->mean[i][k] = xmalloc((size_t)p[i].taps, sizeof(real));
			passport_means(&p[i], bundle_f32(secret, passport_name(name, whats[k], &p[i]), NULL),
				       net->mean[i][k]);
		}
		net->bit[i] = xmalloc((size_t)p[i].out, 1);
		memcpy(net->bit[i], bundle_u8(secret, passport_name(name, "sign", &p[i]), NULL), (size_t)p[i].out);
		rng_open(&r, seed, "passport-pan", (uint32_t)i, 0);
		pan_matrix(&net->pan[i][0], hidden, p[i].out, &r);
		pan_matrix(&net->pan[i][1], p[i].out, hidden, &r);
	}
	net->stats = xcalloc(m->nx - m->ng + 1, sizeof(*net->stats));
	copy_stats((struct model *)(uintptr_t)m, net->stats, false);
}

void passport_net_close(struct passport_net *net)
{
	for (int i = 0; i < net->n; i++) {
		for (int k = 0; k < 2; k++) {
			free(net->mean[i][k]);
			free(net->pan[i][k].x);
			free(net->pan[i][k].g);
		}
		free(net->bit[i]);
	}
	free(net->stats);
}

/* ---- the loss ---- */

struct session {
	struct passport_net *net;
	struct model_hooks hooks; /* while the passport branch runs */
	real *moment[2];          /* Adam's for PAN's matrices, layer after layer */
	int steps;
};

/* W m: gamma (k 0) or beta as the passport alone gives it. */
static struct node *raw_scale(const struct passport_net *net, struct model *m, struct tape *t, int i, int k)
{
	const struct passport_layer *p = &net->p[i];
	struct node *means = tape_plain(t, p->taps, 1, 1, 1, false);
	char name[PARAM_NAME_MAX + 8];

	snprintf(name, sizeof(name), "%s.weight", p->layer);
	memcpy(means->x, net->mean[i][k], (size_t)p->taps * sizeof(real));
	return op_matvec(tape_param(t, model_find(m, name)), means);
}

static struct node *passport_param(void *ctx, struct model *m, struct tape *t, const char *name)
{
	struct passport_net *net = ((struct session *)ctx)->net;

	for (int i = 0; i < net->n; i++) {
		const size_t len = strlen(net->p[i].norm);
		const bool scale = !strcmp(name + len, ".weight");
		struct node *g;

		if (strncmp(name, net->p[i].norm, len) != 0 || (!scale && strcmp(name + len, ".bias") != 0))
			continue;
		g = raw_scale(net, m, t, i, scale ? 0 : 1);
		if (net->pan_used)
			g = op_matvec(tape_param(t, &net->pan[i][1]),
				      op_leaky_relu(op_matvec(tape_param(t, &net->pan[i][0]), g), (real)PAN_SLOPE));
		return g;
	}
	return NULL;
}

static struct node *sign_loss(const struct passport_net *net, struct model *m, struct tape *t, int i)
{
	struct node *g = raw_scale(net, m, t, i, 0), *b = tape_plain(t, net->p[i].out, 1, 1, 1, false), *hinge;

	for (int o = 0; o < net->p[i].out; o++)
		b->x[o] = net->bit[i][o] ? 1 : -1;
	hinge = op_relu(op_scale(op_mul(b, g), -1, (real)net->margin));
	return op_add(op_scale(op_sum(hinge), (real)net->alpha, 0),
		      op_scale(op_sum(op_mul(g, g)), (real)GAMMA_DECAY, 0));
}

static struct node *passport_term(void *ctx, struct model *m, struct node *x, const int *label)
{
	struct session *s = ctx;
	struct passport_net *net = s->net;
	struct node *loss = sign_loss(net, m, x->t, 0);

	for (int i = 1; i < net->n; i++)
		loss = op_add(loss, sign_loss(net, m, x->t, i));
	if (net->two_branches) {
		real *public = xcalloc(m->nx - m->ng + 1, sizeof(*public));

		copy_stats(m, public, false);
		copy_stats(m, net->stats, true);
		m->hooks = &s->hooks;
		loss = op_add(loss, op_cross_entropy(m->arch->forward(m, x, true), label, 0));
		m->hooks = NULL;
		copy_stats(m, net->stats, false);
		copy_stats(m, public, true);
		free(public);
	}
	return loss;
}

/* The optimiser knows the network's parameters only; PAN's are stepped here. */
static double pan_step(void *ctx, struct model *m)
{
	struct session *s = ctx;
	size_t at = 0;

	(void)m;
	s->steps++;
	for (int i = 0; s->net->pan_used && i < s->net->n; i++)
		for (int k = 0; k < 2; k++) {
			struct param *p = &s->net->pan[i][k];

			adam_update(p->x, p->g, s->moment[0] + at, s->moment[1] + at, p->len, PAN_LR, s->steps);
			memset(p->g, 0, p->len * sizeof(*p->g));
			at += p->len;
		}
	return 0;
}

/* V1 has no scale and shift of its own: they stay 1 and 0, which is what ships. */
static void freeze_norms(struct model *m, const struct passport_net *net, bool frozen)
{
	char name[PARAM_NAME_MAX + 8];

	for (int i = 0; i < net->n; i++)
		for (int k = 0; k < 2; k++) {
			snprintf(name, sizeof(name), "%s.%s", net->p[i].norm, k ? "bias" : "weight");
			model_find(m, name)->frozen = frozen;
		}
}

int passport_train(struct passport_net *net, const struct lock_env *e, const struct images *v, struct model *m)
{
	struct session s = { .net = net };
	const struct train_hooks hooks = { .ctx = &s, .term = passport_term, .extra_loss = pan_step };
	struct retrain r = retrain_scratch(e);
	size_t numbers = 0;
	int ret;

	s.hooks = (struct model_hooks){ .ctx = &s, .param = passport_param };
	for (int i = 0; i < net->n; i++)
		numbers += net->pan[i][0].len + net->pan[i][1].len;
	s.moment[0] = xcalloc(numbers, sizeof(real));
	s.moment[1] = xcalloc(numbers, sizeof(real));
	if (!net->two_branches) {
		freeze_norms(m, net, true);
		m->hooks = &s.hooks;
	}
	r.images = v;
	r.hooks = &hooks;
	r.passes = net->two_branches ? 2 : 1;
	ret = retrain(e, &r, m);
	m->hooks = NULL;
	freeze_norms(m, net, false);
	free(s.moment[0]);
	free(s.moment[1]);
	return ret;
}

void passport_pan(const float *w1, const float *w2, int hidden, int out, real *gamma)
{
	double *h = xcalloc((size_t)hidden, sizeof(*h));

	for (int i = 0; i < hidden; i++) {
		for (int o = 0; o < out; o++)
			h[i] += (double)w1[i * out + o] * (double)gamma[o];
		if (h[i] < 0)
			h[i] *= PAN_SLOPE;
	}
	for (int o = 0; o < out; o++) {
		double g = 0;

		for (int i = 0; i < hidden; i++)
			g += (double)w2[o * hidden + i] * h[i];
		gamma[o] = (real)g;
	}
	free(h);
}
