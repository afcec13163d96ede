/* FGSM, PGD and Carlini & Wagner's L2 attack, plain and aimed at a confidence. See craft.h.
 *
 * All three need d(loss)/d(input) only. The loss's gradient by the logits is a formula of a few numbers an image, so
 * it is worked out by hand and the tape starts from there: loss = sum(logits * seed) with a constant seed passes
 * exactly `seed` down. */
#include "nn/craft.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/tile.h"
#include "nn/kernels.h"
#include "nn/ops.h"
#include "nn/train.h"
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#define BATCH 64         /* images in flight on a thread */
#define CLASSES_MAX 1000

/* ------------------------------------------- input gradients ------------------------------------------- */

struct pass {
	struct model *m;
	struct tape *t;
	struct node *x, *z; /* of the current batch */
	int k;              /* classes */
};

/* Logits (n,k) of n rows x (n, c*h*w). */
static void pass_forward(struct pass *p, const real *x, int n, real *logits)
{
	const struct model_spec *s = &p->m->spec;

	tape_reset(p->t);
	tape_grad_params(p->t, false);
	p->x = tape_input(p->t, n, s->c, s->h, s->w, true);
	node_load(p->x, x);
	p->z = p->m->arch->forward(p->m, p->x, false);
	node_store(p->z, logits);
}

/* grad (n, c*h*w) = seed (n,k) times d(logits)/dx. */
static void pass_backward(struct pass *p, const real *seed, real *grad)
{
	struct node *g = tape_input(p->t, p->x->n, p->z->c, p->z->h, p->z->w, false);

	node_load(g, seed);
	tape_backward(p->t, op_sum(op_mul(p->z, g)));
	node_store_grad(p->x, grad);
}

static void softmax_real(const real *z, int k, double *p)
{
	double top = (double)z[0], sum = 0;

	for (int j = 1; j < k; j++)
		top = fmax(top, (double)z[j]);
	for (int j = 0; j < k; j++)
		sum += p[j] = exp((double)z[j] - top);
	for (int j = 0; j < k; j++)
		p[j] /= sum;
}

/* ------------------------------------------- FGSM and PGD ------------------------------------------- */

/* Gradient of -log P_y by the logits up to a positive factor, which its sign does not need: a very sure network
 * has P_y = 1 to the last bit and would pass nothing down. */
static void cross_entropy_seed(const real *z, int k, int y, real *seed)
{
	double p[CLASSES_MAX], others = 0;

	BUG_ON(k > CLASSES_MAX);
	softmax_real(z, k, p);
	for (int j = 0; j < k; j++)
		others += j == y ? 0 : p[j];
	for (int j = 0; j < k; j++)
		seed[j] = (real)(j == y ? -1 : others > 0 ? p[j] / others : 0);
}

struct sign_step {
	const float *x0; /* (n,len) the clean images, centre of the box */
	float *x;
	const real *grad;
	int len;
	double step, eps; /* step < 0 descends */
};

static void sign_step_tile(void *ctx, int i, int thread)
{
	const struct sign_step *s = ctx;
	const long at = (long)i * s->len;

	(void)thread;
	for (long j = at; j < at + s->len; j++) {
		const double g = (double)s->grad[j];
		double v = (double)s->x[j] + s->step * ((g > 0) - (g < 0));

		v = fmin(fmax(v, (double)s->x0[j] - s->eps), (double)s->x0[j] + s->eps);
		s->x[j] = (float)fmin(fmax(v, 0), 1);
	}
}

/* steps sign steps on one batch, x0 (n,len) -> x; fewer when the work is interrupted. */
static void sign_batch(struct pass *p, struct arena *mem, const float *x0, float *x, const int *y, int n,
		      const struct pgd_conf *c)
{
	const int len = p->m->spec.c * p->m->spec.h * p->m->spec.w;
	real *rows = arena_new(mem, (size_t)n * len, real);
	real *grad = arena_new(mem, (size_t)n * len, real);
	real *z = arena_new(mem, (size_t)n * p->k, real), *seed = arena_new(mem, (size_t)n * p->k, real);
	struct sign_step s = { x0, x, grad, len, c->targeted ? -c->step : c->step, c->eps };

	for (int it = 0; it < c->steps && !interrupt_pending(); it++) {
		for (long j = 0; j < (long)n * len; j++)
			rows[j] = x[j];
		pass_forward(p, rows, n, z);
		for (int i = 0; i < n; i++)
			cross_entropy_seed(z + i * p->k, p->k, y[i], seed + i * p->k);
		pass_backward(p, seed, grad);
		tile_for(n, sign_step_tile, &s);
	}
}

struct pgd_job {
	struct model *m;
	const struct pgd_conf *c;
	struct rng_key key;
	float *x;          /* (n, len) */
	const int *y;
};

static void pgd_batch(void *ctx, struct tape *t, int first, int n)
{
	const struct pgd_job *j = ctx;
	const int len = j->m->spec.c * j->m->spec.h * j->m->spec.w;
	struct pass p = { .m = j->m, .t = t, .k = model_outputs(j->m) };
	float *x = j->x + (long)first * len, *x0;
	struct arena mem = { 0 };

	x0 = arena_new(&mem, (size_t)n * len, float);
	memcpy(x0, x, (size_t)n * len * sizeof(*x0));
	for (int k = 0; j->c->random_start && k < n; k++) {
		struct rng r;

		rng_at(&r, j->key, (uint32_t)(first + k), 0);
		for (long at = (long)k * len; at < (long)(k + 1) * len; at++) {
			const double v = (double)x[at] + j->c->eps * (2 * rng_uniform(&r) - 1);

			x[at] = (float)fmin(fmax(v, 0), 1);
		}
	}
	sign_batch(&p, &mem, x0, x, j->y + first, n, j->c);
	arena_release(&mem);
}

int craft_pgd(struct model *m, float *x, const int *y, int n, const struct pgd_conf *c, uint64_t seed)
{
	struct pgd_job j = { .m = m, .c = c, .key = rng_key(seed, "pgd"), .x = x, .y = y };

	return model_batches(m, n, pgd_batch, &j);
}

int craft_fgsm(struct model *m, float *x, const int *y, int n, int targeted, double eps)
{
	return craft_pgd(m, x, y, n, &(struct pgd_conf){ .eps = eps, .step = eps, .steps = 1, .targeted = targeted }, 0);
}

/* ------------------------------------------- Carlini & Wagner ------------------------------------------- */

#define EDGE 0.0005 /* the start is pulled this far from 0 and 1, where tanh has no slope */

/* One image in flight. Its row in the arrays of struct cw has the slot's number. */
struct slot {
	int image;           /* which of the caller's */
	int search, it;      /* search steps done, iterations done in this one */
	double alpha, lo, hi;
	bool hit;            /* success in this search step */
	bool ended;          /* this search step is over */
	double best;         /* squared distance of the best success so far; < 0: none */
	double distance;     /* squared distance of adv */
	double last_loss;    /* at the last check for progress */
};

/* Images in flight on each of `workers` threads that n of them are for: as many groups for each. */
static int room_for(int n, int workers)
{
	const int share = (n + workers - 1) / workers, groups = (share + LANES - 1) / LANES;

	return groups * LANES < BATCH ? groups * LANES : BATCH;
}

/* What the threads share: the next image that nobody has begun, and where answers go. */
struct cw_job {
	int n;
	atomic_int next, done;
	unsigned char *ok;
	float *l2;
	struct progress *bar; /* NULL: not shown */
	struct cw *worker;
};

/* One thread's images in flight. */
struct cw {
	struct cw_job *job;
	const struct cw_conf *c;
	struct pass p;
	const float *x, *conf; /* the caller's images (n,len) and confidences (n) */
	const int *target;
	float *out;
	int len, room;
	struct slot s[BATCH];
	int active;          /* slots 0 .. active-1 are in use */
	/* (room, len) each: the variable u = 2w, x' = (tanh w + 1)/2 = sigmoid(u), Adam's moments, x', what the network sees
	 * (x' rounded to 8 bits, or x' itself) and the gradient by it. */
	real *u, *m1, *m2, *soft, *adv, *grad;
	real *z, *seed;      /* (room, k) */
	double spent;
};

/* x' of slot i from u, what the network sees of it, and its distance. */
static void cw_present(struct cw *q, int i)
{
	const long at = (long)i * q->len;
	const float *x = q->x + (long)q->s[i].image * q->len;
	real *soft = q->soft + at, *adv = q->adv + at;
	double part[4] = { 0 };
	int j;

	K->sigmoid((size_t)q->len, q->u + at, NULL, soft, 0, 0);
	for (j = 0; j < q->len; j++) /* rounding gives the floats that uint8 pixels give */
		adv[j] = q->c->round8 ? (real)(int)(soft[j] * 255 + (real)0.5) / 255 : soft[j];
	for (j = 0; j + 4 <= q->len; j += 4)
		for (int l = 0; l < 4; l++) {
			const double d = (double)(float)adv[j + l] - (double)x[j + l];

			part[l] += d * d;
		}
	for (; j < q->len; j++)
		part[0] += ((double)(float)adv[j] - (double)x[j]) * ((double)(float)adv[j] - (double)x[j]);
	q->s[i].distance = part[0] + part[1] + part[2] + part[3];
}

/* Begin a search step in slot i: the variable back at the image, Adam's memory empty. */
static void cw_begin(struct cw *q, int i)
{
	const long at = (long)i * q->len;
	struct slot *s = &q->s[i];
	const float *x = q->x + (long)s->image * q->len;

	for (int j = 0; j < q->len; j++) {
		const double start = fmin(fmax((double)x[j], EDGE), 1 - EDGE);

		q->u[at + j] = (real)log(start / (1 - start));
	}
	memset(q->m1 + at, 0, (size_t)q->len * sizeof(*q->m1));
	memset(q->m2 + at, 0, (size_t)q->len * sizeof(*q->m2));
	s->it = 0;
	s->hit = s->ended = false;
	s->last_loss = INFINITY;
	cw_present(q, i);
}

/* Put the next image into slot i; false when there is none. */
static bool cw_take(struct cw *q, int i)
{
	const int image = atomic_fetch_add(&q->job->next, 1);

	if (image >= q->job->n)
		return false;
	q->s[i] = (struct slot){ .image = image, .alpha = q->c->alpha, .lo = q->c->alpha_min, .best = -1,
				 .hi = q->c->alpha_max > 0 ? q->c->alpha_max : INFINITY };
	cw_begin(q, i);
	return true;
}

/* Move slot `from` to the free place `to`. */
static void cw_move(struct cw *q, int to, int from)
{
	real *const rows[] = { q->u, q->m1, q->m2, q->soft, q->adv };

	q->s[to] = q->s[from];
	for (size_t a = 0; a < ARRAY_LEN(rows); a++)
		memcpy(rows[a] + (long)to * q->len, rows[a] + (long)from * q->len, (size_t)q->len * sizeof(real));
}

/* CW_LOG's last two terms for class t of k, added to value and seed. */
static double cw_log_term(const struct cw_conf *c, const real *z, const double *p, int k, int t, double want, double alpha, real *seed)
{
	const double off = log(fmax(p[t], 1e-300)) - log(want);
	double mean = 0, var = 0;

	for (int j = 0; j < k; j++)
		mean += j == t ? 0 : (double)z[j] / (k - 1);
	for (int j = 0; j < k; j++) {
		const double d = j == t ? 0 : (double)z[j] - mean;

		var += d * d / (k - 1);
		seed[j] += (real)(alpha * (2 * off * ((j == t) - p[j]) + c->spread * 2 * d / (k - 1)));
	}
	return off * off + c->spread * var;
}

/* The second term of eq. 1 for logits z: its gradient times alpha in seed (k), its value, and whether x' succeeds. */
static double cw_term(const struct cw *q, const struct slot *s, const real *z, real *seed, bool *success)
{
	const struct cw_conf *c = q->c;
	const int k = q->p.k, t = q->target[s->image];
	const double want = c->confidence == CW_NONE ? 0 : (double)q->conf[s->image];
	const double slack = c->confidence == CW_NONE || c->confidence == CW_LOG ? -c->kappa : 0;
	double p[CLASSES_MAX], gap, value, off = 0;
	int second = t == 0; /* the best class other than t */
	bool top = true;

	for (int j = 0; j < k; j++) {
		seed[j] = 0;
		if (j != t && z[j] > z[second])
			second = j;
	}
	gap = (double)z[second] - (double)z[t];
	top = gap < 0 || (gap <= 0 && t < second); /* argmax: ties go to the smaller index */
	value = fmax(gap, slack);
	if (c->confidence != CW_KL && gap > slack) {
		seed[second] = (real)s->alpha;
		seed[t] = (real)-s->alpha;
	}
	if (c->confidence == CW_NONE) {
		*success = top && gap <= -c->kappa;
		return s->alpha * value;
	}
	if (c->confidence == CW_LOGIT) {
		off = (double)z[t] - want;
		seed[t] += (real)(s->alpha * ((off > 0) - (off < 0)));
		value += fabs(off);
	} else {
		softmax_real(z, k, p);
		off = p[t] - want;
	}
	if (c->confidence == CW_SOFTMAX) {
		/* d|P_t - c|/dZ_j = sign(P_t - c) P_t (delta_tj - P_j) */
		for (int j = 0; j < k; j++)
			seed[j] += (real)(s->alpha * ((off > 0) - (off < 0)) * p[t] * ((j == t) - p[j]));
		value += fabs(off);
	} else if (c->confidence == CW_LOG) {
		value += cw_log_term(c, z, p, k, t, want, s->alpha, seed);
	} else if (c->confidence == CW_KL) {
		value = 0;
		for (int j = 0; j < k; j++) {
			const double goal = j == t ? want : (1 - want) / (k - 1);

			seed[j] = (real)(s->alpha * (p[j] - goal));
			value += goal > 0 ? goal * log(goal / fmax(p[j], 1e-300)) : 0;
		}
	}
	*success = top && fabs(off) < c->tolerance;
	return s->alpha * value;
}

/* Judge slot i after a forward pass, keep it when it is the best so far, and decide whether its search step is over. */
static void cw_judge(struct cw *q, int i)
{
	struct slot *s = &q->s[i];
	const struct cw_conf *c = q->c;
	const int every = c->steps >= 10 ? c->steps / 10 : 1;
	bool success;
	double loss = s->distance + cw_term(q, s, q->z + (long)i * q->p.k, q->seed + (long)i * q->p.k, &success);

	if (success) {
		s->hit = true;
		if (s->best < 0 || s->distance < s->best) {
			s->best = s->distance;
			for (int j = 0; j < q->len; j++)
				q->out[(long)s->image * q->len + j] = (float)q->adv[(long)i * q->len + j];
		}
	}
	if (!c->no_abort && s->it % every == 0) {
		s->ended = loss > s->last_loss * 0.9999;
		s->last_loss = loss;
	}
	if (++s->it >= c->steps || (success && c->first))
		s->ended = true;
}

/* One Adam step on slot i's variable, and its next x'. */
static void cw_step_tile(void *ctx, int i, int thread)
{
	struct cw *q = ctx;
	const struct slot *s = &q->s[i];
	const struct cw_conf *c = q->c;
	const long at = (long)i * q->len;
	const float *x = q->x + (long)s->image * q->len;
	real *g = q->grad + at;
	const real *soft = q->soft + at, *adv = q->adv + at;
	const double done = c->steps > 1 ? (double)(s->it - 1) / (c->steps - 1) : 0;

	(void)thread;
	if (s->ended)
		return; /* begins anew below */
	for (int j = 0; j < q->len; j++) /* dx'/du = x' (1 - x') */
		g[j] = (2 * (adv[j] - (real)x[j]) + g[j]) * soft[j] * (1 - soft[j]);
	/* Adam does not see the scale of a gradient: steps of lr in w are steps of 2 lr in u. */
	adam_update(q->u + at, g, q->m1 + at, q->m2 + at, (size_t)q->len, 2 * c->lr * (1 - (1 - c->lr_decay) * done), s->it);
	cw_present(q, i);
}

/* After a search step: halve the range of alpha. True when the image is finished. */
static bool cw_next_search(struct cw *q, int i)
{
	struct slot *s = &q->s[i];

	if (++s->search >= q->c->search || (q->c->first && s->hit))
		return true;
	if (s->hit)
		s->hi = fmin(s->hi, s->alpha);
	else
		s->lo = fmax(s->lo, s->alpha);
	s->alpha = isinf(s->hi) ? s->alpha * 10 : (s->lo + s->hi) / 2;
	cw_begin(q, i);
	return false;
}

static void cw_iterate(struct cw *q)
{
	pass_forward(&q->p, q->adv, q->active, q->z);
	for (int i = 0; i < q->active; i++)
		cw_judge(q, i);
	pass_backward(&q->p, q->seed, q->grad);
	tile_for(q->active, cw_step_tile, q);
	q->spent += 2.0 * q->active;
}

/* Slot i's image has been through its last search step. */
static void cw_finish(struct cw *q, int i)
{
	const struct slot *s = &q->s[i];

	q->job->ok[s->image] = s->best >= 0;
	if (q->job->l2)
		q->job->l2[s->image] = (float)sqrt(fmax(s->best, 0));
	atomic_fetch_add(&q->job->done, 1);
	if (!cw_take(q, i) && i != --q->active)
		cw_move(q, i, q->active);
}

/* Images until none is left. What becomes of one does not depend on who takes it, or beside which others. */
static void cw_work(void *ctx, int w, int thread)
{
	struct cw_job *j = ctx;
	struct cw *q = &j->worker[w];

	while (q->active < q->room && cw_take(q, q->active))
		q->active++;
	while (q->active && !interrupt_pending()) {
		cw_iterate(q);
		for (int i = q->active - 1; i >= 0; i--)
			if (q->s[i].ended && cw_next_search(q, i))
				cw_finish(q, i);
		if (j->bar && thread == 0)
			progress_step(j->bar, atomic_load(&j->done), NULL);
	}
}

static void cw_open(struct cw *q, struct model *m, struct arena *mem)
{
	const size_t room = (size_t)q->room * q->len;

	q->p = (struct pass){ .m = m, .t = tape_new(), .k = model_outputs(m) };
	tape_keep_weights(q->p.t);
	q->u = arena_new(mem, room, real);
	q->m1 = arena_new(mem, room, real);
	q->m2 = arena_new(mem, room, real);
	q->adv = arena_new(mem, room, real);
	q->soft = arena_new(mem, room, real);
	q->grad = arena_new(mem, room, real);
	q->z = arena_new(mem, (size_t)q->room * q->p.k, real);
	q->seed = arena_new(mem, (size_t)q->room * q->p.k, real);
}

static int cw_check(const struct cw_conf *c, const int *t, const float *conf, int n, int k)
{
	if (c->steps < 1 || c->search < 1 || !(c->lr > 0) || !(c->alpha > 0))
		return error(EXIT_UNEVALUABLE, "C&W needs at least one step, one search step, and a positive rate and alpha");
	if (k < 2 || k > CLASSES_MAX)
		return error(EXIT_UNEVALUABLE, "C&W needs a classifier of 2 to %d classes, this network has %d outputs",
			     CLASSES_MAX, k);
	BUG_ON(c->confidence != CW_NONE && !conf);
	for (int i = 0; i < n; i++)
		BUG_ON(t[i] < 0 || t[i] >= k);
	return 0;
}

int craft_cw(struct model *m, const float *x, const int *t, const float *conf, int n, const struct cw_conf *c,
	     float *out, unsigned char *ok, float *l2, const char *label, double *forward_equivalents)
{
	const int len = m->spec.c * m->spec.h * m->spec.w, workers = model_workers(m, n);
	struct arena mem = { 0 };
	struct progress bar;
	struct cw_job j = { .n = n, .ok = ok, .l2 = l2, .bar = label ? &bar : NULL };

	if (cw_check(c, t, conf, n, model_outputs(m)))
		return -1;
	memcpy(out, x, (size_t)n * len * sizeof(*out));
	j.worker = arena_new(&mem, (size_t)workers, struct cw);
	for (int w = 0; w < workers; w++) {
		j.worker[w] = (struct cw){ .job = &j, .c = c, .x = x, .conf = conf, .target = t, .out = out, .len = len,
					   .room = room_for(n, workers) };
		cw_open(&j.worker[w], m, &mem);
	}
	if (label)
		progress_start(&bar, label, n);
	tile_for(workers, cw_work, &j);
	if (label)
		progress_end(&bar, NULL);
	for (int w = 0; w < workers; w++) {
		if (forward_equivalents)
			*forward_equivalents += j.worker[w].spent;
		tape_free(j.worker[w].p.t);
	}
	arena_release(&mem);
	return interrupt_check();
}
