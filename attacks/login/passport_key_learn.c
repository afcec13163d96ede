/* See passport_key_learn.h. */
#include "attacks/login/passport_key_learn.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "nn/ops.h"
#include "nn/train.h"

#define DISTURBANCE 0.001
#define MARGIN 0.1
#define SIGN_WEIGHT 0.1

/* A passport while it is trained: gamma's (k 0) and beta's of every layer, and where the tape has them now. */
struct forger {
	struct access *a;
	const struct passport_learn *c;
	const struct passport_layer *p; /* (n) */
	int n, t;
	real *s[PASSPORT_LAYERS_MAX][2]; /* each with its gradient and Adam's two moments behind it */
	real *leaked[PASSPORT_LAYERS_MAX];
	real *sign[PASSPORT_LAYERS_MAX]; /* (out) wanted, +1 or -1; NULL: whatever comes */
	struct node *leaf[PASSPORT_LAYERS_MAX][2];
};

static const char *const whats[] = { "gamma", "beta" };

static size_t size_of(const struct passport_layer *p)
{
	return (size_t)p->c * (size_t)p->h * (size_t)p->w;
}

/* ---- the network under a passport ---- */

/* gamma or beta of a layer: the mean over positions of what its own weights make of the passport. */
static struct node *scale_from(struct forger *f, struct model *m, struct tape *t, int i, int k)
{
	const struct passport_layer *p = &f->p[i];
	struct node *s = f->leaf[i][k] = tape_input(t, 1, p->c, p->h, p->w, true), *w;
	char name[PARAM_NAME_MAX + 16];

	snprintf(name, sizeof(name), "%s.weight", p->layer);
	w = tape_param(t, model_find(m, name));
	node_load(s, f->s[i][k]);
	return op_batch_mean(p->kernel ? op_conv2d(s, w, NULL, p->stride, p->pad) : op_linear(s, w, NULL));
}

static struct node *forger_param(void *ctx, struct model *m, struct tape *t, const char *name)
{
	struct forger *f = ctx;

	for (int i = 0; i < f->n; i++) {
		const size_t len = strlen(f->p[i].norm);

		if (!strncmp(name, f->p[i].norm, len) && (!strcmp(name + len, ".weight") || !strcmp(name + len, ".bias")))
			return scale_from(f, m, t, i, name[len + 1] == 'b');
	}
	return NULL;
}

/* Add to g the slope of the signature's hinge by gamma's passport of layer i, on a tape of its own. */
static void sign_slope(struct forger *f, struct model *m, int i, real *g)
{
	const struct passport_layer *p = &f->p[i];
	struct tape *t = tape_new();
	struct node *in_use = f->leaf[i][0], *gamma = scale_from(f, m, t, i, 0), *want = tape_plain(t, p->out, 1, 1, 1, false);
	real *more = xmalloc(size_of(p), sizeof(*more));

	memcpy(want->x, f->sign[i], (size_t)p->out * sizeof(*want->x));
	tape_backward(t, op_scale(op_sum(op_relu(op_scale(op_mul(want, gamma), -1, (real)MARGIN))), (real)SIGN_WEIGHT, 0));
	node_store_grad(f->leaf[i][0], more);
	for (size_t j = 0; j < size_of(p); j++)
		g[j] += more[j];
	f->leaf[i][0] = in_use;
	free(more);
	tape_free(t);
}

/* What of the leaf's gradient and of the terms beside the cross entropy says about one passport. */
static void slope(struct forger *f, struct model *m, int i, int k, real *g)
{
	const struct passport_layer *p = &f->p[i];
	const size_t len = size_of(p);
	double apart = 0;

	node_store_grad(f->leaf[i][k], g);
	for (size_t j = 0; j < len && f->leaked[i] && !k; j++)
		apart += ((double)f->s[i][0][j] - (double)f->leaked[i][j]) * ((double)f->s[i][0][j] - (double)f->leaked[i][j]) / (double)len;
	for (size_t j = 0; j < len && apart > 0; j++)
		g[j] -= (real)(2 * ((double)f->s[i][0][j] - (double)f->leaked[i][j]) / (double)len / (apart * apart));
	if (!k && f->sign[i])
		sign_slope(f, m, i, g);
}

static double forger_step(void *ctx, struct model *m)
{
	struct forger *f = ctx;

	f->t++;
	for (int i = 0; i < f->n; i++)
		for (int k = 0; k < 2; k++) {
			const size_t len = size_of(&f->p[i]);
			real *s = f->s[i][k], *g = s + len;

			slope(f, m, i, k, g);
			adam_update(s, g, g + len, g + 2 * len, len, f->c->lr, f->t);
		}
	return 0;
}

/* ---- beginning and end ---- */

/* Signs of layer i's gammas under passport s (c,h,w): +1 or -1. */
static void signs_of(const struct model *m, const struct passport_layer *p, const float *s, real *sign)
{
	real *means = xmalloc((size_t)p->taps, sizeof(*means));

	passport_means(p, s, means);
	passport_scale(m, p, means, sign);
	for (int o = 0; o < p->out; o++)
		sign[o] = sign[o] > 0 ? 1 : -1;
	free(means);
}

/* The leaked passport of layer i, and its signature with some signs turned. */
static void lean_away(struct forger *f, const struct model *m, int i, const float *from, struct rng *r)
{
	const struct passport_layer *p = &f->p[i];

	f->leaked[i] = xmalloc(size_of(p), sizeof(real));
	f->sign[i] = xmalloc((size_t)p->out, sizeof(real));
	for (size_t j = 0; j < size_of(p); j++)
		f->leaked[i][j] = (real)from[j];
	signs_of(m, p, from, f->sign[i]);
	for (int o = 0; o < p->out; o++)
		f->sign[i][o] *= rng_uniform(r) < f->c->flip ? -1 : 1;
}

/* Noise, or the leaked passport disturbed. */
static void begin(struct forger *f, const struct model *m)
{
	char name[PARAM_NAME_MAX + 8];

	for (int i = 0; i < f->n; i++) {
		const size_t len = size_of(&f->p[i]);
		struct rng r;

		rng_open(&r, f->a->seed, "passport-key start", (uint32_t)i, 0);
		for (int k = 0; k < 2; k++) {
			const float *from = !f->c->differ ? NULL :
					    bundle_f32(f->a->creds, passport_name(name, whats[k], &f->p[i]), NULL);

			f->s[i][k] = xcalloc(4 * len, sizeof(real));
			for (size_t j = 0; j < len; j++)
				f->s[i][k][j] = (real)(from ? (double)from[j] + DISTURBANCE * rng_normal(&r) : 2 * rng_uniform(&r) - 1);
			if (from && !k)
				lean_away(f, m, i, from, &r);
		}
	}
}

/* The passport as a credential; returns the share of signs that are as wanted. */
static double finish(struct forger *f, const struct model *m, struct bundle *out)
{
	char name[PARAM_NAME_MAX + 8];
	double as_wanted = 0, all = 0;

	for (int i = 0; i < f->n; i++) {
		const struct passport_layer *p = &f->p[i];
		real *sign = xmalloc((size_t)p->out, sizeof(*sign));

		for (int k = 0; k < 2; k++) {
			float *to = bundle_put(out, passport_name(name, whats[k], p), DT_F32, 4, (const int64_t[]){ 1, p->c, p->h, p->w }, NULL);

			for (size_t j = 0; j < size_of(p); j++)
				to[j] = (float)f->s[i][k][j];
		}
		signs_of(m, p, bundle_f32(out, passport_name(name, whats[0], p), NULL), sign);
		for (int o = 0; o < p->out && f->sign[i]; o++, all++)
			as_wanted += sign[o] * f->sign[i][o] > 0;
		free(sign);
	}
	return all > 0 ? as_wanted / all : 1;
}

static void forger_close(struct forger *f)
{
	for (int i = 0; i < f->n; i++) {
		free(f->s[i][0]);
		free(f->s[i][1]);
		free(f->leaked[i]);
		free(f->sign[i]);
	}
	free(f);
}

int passport_learn(struct access *a, const struct passport_layer *p, int n, const struct passport_learn *c, struct bundle *out, json_t *notes)
{
	const struct images v = images_first(a->labelled, c->images);
	const int pass = (v.n + c->batch - 1) / c->batch, passes = (c->steps + pass - 1) / pass;
	const struct train_conf recipe = { .epochs = passes > c->epochs ? passes : c->epochs, .batch = c->batch, .optimizer = OPTIM_SGD };
	struct forger *f = xcalloc(1, sizeof(*f));
	const struct train_hooks hooks = { .ctx = f, .extra_loss = forger_step, .still = true };
	const struct model_hooks passport = { .ctx = f, .param = forger_param };
	struct train_stats stats = { 0 };
	struct model *m = model_copy(a->model);
	int ret;

	*f = (struct forger){ .a = a, .c = c, .p = p, .n = n };
	for (int i = 0; i < m->np; i++)
		m->p[i].frozen = true;
	begin(f, m);
	m->hooks = &passport;
	ret = train(m, &v, &recipe, rng_derive(a->seed, "passport-key"), a->label, &hooks, &stats);
	m->hooks = NULL;
	if (!ret) {
		jset_num(notes, "signs_as_wanted", finish(f, m, out));
		jset_num(notes, "training_accuracy", stats.accuracy);
	}
	forger_close(f);
	model_free(m);
	return ret ? -1 : access_spend(a, v.n, stats.forward_equivalents);
}
