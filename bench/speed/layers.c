/* `make bench-layers`: where a training step's time goes, operation by operation, against the processor's roofline. Operations are timed
 * inside real steps (the caches hold what they hold there), so whatever the models' forward functions call shows up by itself. It
 * reads the tape's inside, which nothing but a profiler of the tape should. See speed.h.
 *
 * Source of the model: Williams, Waterman and Patterson, "Roofline", CACM 52 (2009): attainable = min(peak, intensity x bandwidth). */
#include "base/progress.h"
#include "base/tile.h"
#include "bench/speed/speed.h"
#include "metrics/stat/effect.h"
#include "nn/kernels.h"
#include "nn/ops.h"
#include "nn/tape_parts.h"
#include "nn/train.h"
#include <math.h>
#include <string.h>

enum { NODES_MAX = 256, STEPS_MAX = 400, WARM_STEPS = 3, STREAM = 8 << 20 /* numbers in each array: 32 MiB */ };

/* Times of one step: when each node was made, and how long its backward took. */
struct times {
	double made[NODES_MAX + 1], back[NODES_MAX];
	double gather, optim, step;
	int n; /* nodes */
};

static void watch(void *ctx)
{
	struct times *s = ctx;

	BUG_ON(s->n == NODES_MAX);
	s->made[s->n++] = now_seconds();
}

/* ---- what an operation is ---- */

/* Backward functions tell operations apart. */
struct kind {
	const char *name;
	void (*back)(struct node *);
	int ia; /* pools share one */
};
struct kinds { struct kind at[16]; int n; };

static void learn(struct kinds *k, const char *name, const struct node *y)
{
	k->at[k->n++] = (struct kind){ name, y->back, y->ia[0] };
}

static void learn_kinds(struct kinds *k, struct tape *t)
{
	struct node *x = tape_input(t, 1, 1, 4, 4, true), *c = tape_plain(t, 1, 1, 1, 1, true);
	static real rm[1], rv[1] = { 1 };

	zero(x->x, x->len);
	learn(k, "relu", op_relu(x));
	learn(k, "sigmoid", op_sigmoid(x));
	learn(k, "max pool", op_max_pool(x, 2, 2));
	learn(k, "relu, max pool", op_relu_max_pool(x, 2));
	learn(k, "average pool", op_avg_pool(x, 2, 2));
	learn(k, "upsample", op_upsample(x, 2));
	learn(k, "add", op_add(x, x));
	learn(k, "concat", op_concat(x, x));
	learn(k, "batch norm", op_batch_norm(x, c, c, rm, rv, true, (real)0.1, (real)1e-5));
	learn(k, "loss", op_cross_entropy(x, (int[]){ 0 }, 0));
	learn(k, "loss", op_mse(x, x));
}

/* The layer's name where the operation has parameters, else what kind it is. */
static void name_of(const struct model *m, const struct kinds *k, const struct node *y, char *out, size_t size)
{
	for (int i = 1; i < 3; i++)
		for (int p = 0; y->in[i] && p < m->np; p++)
			if (y->in[i]->x == m->p[p].x) {
				snprintf(out, size, "%s", m->p[p].name);
				*strrchr(out, '.') = '\0'; /* "conv1" of "conv1.weight" */
				return;
			}
	snprintf(out, size, "operation");
	for (int i = 0; i < k->n; i++)
		if (y->back == k->at[i].back && y->ia[0] == k->at[i].ia)
			snprintf(out, size, "%s", k->at[i].name);
}

/* ---- what it costs ---- */

/* Multiply-accumulates of the forward pass: every weight once for each pixel of the side it makes (or, transposed, reads). */
static double macs(const struct node *y)
{
	const struct node *a = y->in[0], *w = y->in[1];

	if (!a || !w || !y->n || w->n || w->d[1] * w->d[2] == 1)
		return 0;
	return (double)w->len * y->n * (y->c == w->d[0] ? y->h * y->w : a->h * a->w);
}

/* Bytes that must be read and written, each array once, caches or not: inputs and output; behind it also gradients, which are
 * added to. An estimate from below for operations that go over their input twice, from above for those that need not look. */
static double bytes(const struct node *y, bool back)
{
	double n = (double)y->len;

	for (int i = 0; i < 4; i++)
		if (y->in[i])
			n += (double)y->in[i]->len * (back && y->in[i]->wants ? 3 : 1);
	return n * sizeof(real);
}

static int wanted_products(const struct node *y)
{
	return y->in[0]->wants + y->in[1]->wants;
}

/* ---- one step, timed ---- */

struct bench {
	struct model *m;
	struct tape *t;
	struct optim *optim;
	struct images v;
	struct train_conf conf;
	struct times *s; /* (STEPS_MAX) */
	int steps;
};

static void backward(struct tape *t, struct node *loss, struct times *s)
{
	node_grad(loss)[0] = 1;
	for (int i = t->n - 1; i >= 0; i--) {
		const double start = now_seconds();

		node_back(t->node[i]);
		s->back[i] = now_seconds() - start;
	}
}

static void step(struct bench *b, int number, struct times *s)
{
	const double start = now_seconds();
	int at[SPEED_BATCH], label[SPEED_BATCH];
	struct node *x, *loss;
	double done;

	s->n = 0;
	for (int i = 0; i < SPEED_BATCH; i++) {
		at[i] = (number * SPEED_BATCH + i) % b->v.n;
		label[i] = b->v.labels[at[i]];
	}
	tape_reset(b->t);
	b->t->watch = watch;
	b->t->watch_ctx = s;
	x = train_gather(b->t, &b->v, &b->conf, rng_key(1, "augment"), 0, at, SPEED_BATCH);
	s->gather = now_seconds() - start;
	loss = op_cross_entropy(b->m->arch->forward(b->m, x, true), label, 0);
	s->made[s->n] = now_seconds();
	b->t->watch = NULL;
	model_zero_grad(b->m);
	backward(b->t, loss, s);
	done = now_seconds();
	optim_step(b->optim, b->conf.lr);
	s->optim = now_seconds() - done;
	s->step = now_seconds() - start;
}

static int run_steps(struct bench *b, const char *model, double seconds)
{
	const int colour = strncmp(model, "wrn", 3) == 0;
	double end;

	b->m = speed_model(model, colour);
	if (!b->m || speed_images(&b->v, 6000, colour))
		return -1;
	if (b->m->arch->image)
		return error(EXIT_UNEVALUABLE, "%s returns images: only classifiers are taken apart here", model);
	train_recipe(&b->conf, &b->m->spec);
	b->t = tape_new();
	b->optim = optim_new(b->m, &b->conf);
	b->s = xmalloc(STEPS_MAX, sizeof(*b->s));
	for (int i = 0; i < WARM_STEPS; i++)
		step(b, i, b->s);
	for (end = now_seconds() + seconds; b->steps < STEPS_MAX && (!b->steps || now_seconds() < end); b->steps++)
		step(b, WARM_STEPS + b->steps, &b->s[b->steps]);
	return 0;
}

/* Median over the steps of what pick() reads for node i. */
static double typical(const struct bench *b, double (*pick)(const struct times *s, int i), int i)
{
	static double v[STEPS_MAX];

	for (int k = 0; k < b->steps; k++)
		v[k] = pick(&b->s[k], i);
	return median(v, b->steps);
}
static double forward_of(const struct times *s, int i) { return s->made[i + 1] - s->made[i]; }
static double backward_of(const struct times *s, int i) { return s->back[i]; }
static double gather_of(const struct times *s, int i) { (void)i; return s->gather; }
static double optim_of(const struct times *s, int i) { (void)i; return s->optim; }
static double step_of(const struct times *s, int i) { (void)i; return s->step; }

/* ---- the table ---- */

struct roof { double gflops, bandwidth; }; /* GFLOP/s, GB/s */

/* Bytes a second of reading one array and writing another, both larger than most caches. */
static double stream_bandwidth(double seconds)
{
	real *a = xcalloc(STREAM, sizeof(*a)), *y = xcalloc(STREAM, sizeof(*y));
	double best = 0, end = now_seconds() + seconds;

	pointwise(K->affine, STREAM, a, NULL, a, 1, 1); /* pages of its own instead of the one of zeros */
	do {
		const double start = now_seconds();

		pointwise(K->affine, STREAM, a, NULL, y, 2, 1);
		best = fmax(best, 2e-9 * STREAM * sizeof(real) / (now_seconds() - start));
	} while (now_seconds() < end);
	free(a);
	free(y);
	return best;
}

static void print_op(const char *name, const char *shape, const char *pass, double seconds, double whole, double flop, double moved,
		     const struct roof *r)
{
	const double reach = flop > 0 ? fmin(r->gflops, flop / moved * r->bandwidth) * 1e9 * seconds / flop : moved / seconds;

	printf("%-18s %-10s %-8s %8.3f %6.1f %%", name, shape, pass, 1e3 * seconds, 100 * seconds / whole);
	if (flop > 0)
		printf(" %8.1f %5.0f %% %8.2f %8.1f %6.0f %%\n", flop / seconds / 1e9, 100 * flop / seconds / 1e9 / r->gflops, moved / 1048576,
		       flop / moved, 100 / reach);
	else if (moved > 0)
		printf(" %8s %7s %8.2f %8s %6.0f %%\n", "-", "-", moved / 1048576, "-", 100 * moved / seconds / 1e9 / r->bandwidth);
	else
		printf(" %8s %7s %8s %8s %8s\n", "-", "-", "-", "-", "-");
}

static void print_nodes(const struct bench *b, const struct kinds *k, const struct roof *r)
{
	const double whole = typical(b, step_of, 0);
	double rest = whole - typical(b, gather_of, 0) - typical(b, optim_of, 0);

	print_op("batch", "", "gather", typical(b, gather_of, 0), whole, 0, 0, r);
	for (int i = 1; i < b->t->n; i++) { /* node 0 is the batch */
		const struct node *y = b->t->node[i];
		const double fore = typical(b, forward_of, i), back = typical(b, backward_of, i), flop = 2 * macs(y);
		char name[PARAM_NAME_MAX], shape[32];

		if (!y->in[0])
			continue; /* a parameter */
		name_of(b->m, k, y, name, sizeof(name));
		*shape = '\0';
		if (y->n)
			snprintf(shape, sizeof(shape), "%dx%dx%d", y->c, y->h, y->w);
		print_op(name, shape, "forward", fore, whole, flop, bytes(y, false), r);
		if (y->back)
			print_op(name, shape, "backward", back, whole, flop > 0 ? flop * wanted_products(y) : 0, bytes(y, true), r);
		rest -= fore + back;
	}
	print_op("optimiser", "", "step", typical(b, optim_of, 0), whole, 0, 0, r);
	print_op("everything else", "", "", rest, whole, 0, 0, r);
	printf("%-18s %-10s %-8s %8.3f   %d images, %.0f a second\n\n", "whole step", "", "", 1e3 * whole, SPEED_BATCH, SPEED_BATCH / whole);
}

static int layers_of(const char *model, const struct ask *a, const struct kinds *k, const struct roof *r)
{
	struct bench b = { 0 };

	if (run_steps(&b, model, a->seconds))
		return -1;
	printf("%s, training step, batch %d, median of %d steps, %d thread(s)\n", model, SPEED_BATCH, b.steps, tile_threads_get());
	printf("%-18s %-10s %-8s %8s %8s %8s %7s %8s %8s %8s\n", "layer", "output", "pass", "ms", "share", "GFLOP/s", "of peak", "MiB", "flop/B",
	       "of roof");
	print_nodes(&b, k, r);
	tape_free(b.t);
	optim_free(b.optim);
	model_free(b.m);
	free(b.s);
	return 0;
}

int speed_layers(const struct ask *a)
{
	static const char *const usual[] = { "lenet5", "wrn10-4" };
	const char *threads = getenv("BENCH_THREADS");
	struct kinds k = { .n = 0 };
	struct tape *t = tape_new();
	struct machine m;
	struct peak p;
	struct roof r;

	machine_read(&m);
	if (peak_measure(&p, a->seconds / 5, a->n))
		return -1;
	tile_threads(threads && !strcmp(threads, "2") ? 2 : 1);
	learn_kinds(&k, t);
	r = (struct roof){ p.gflops[tile_threads_get() > 1], stream_bandwidth(a->seconds / 5) };
	tape_free(t);
	printf("%s, kernels %s, commit %s\n", m.cpu, m.isa, m.commit);
	printf("peak: %.1f GFLOP/s (sgemm), %.1f GB/s (reading 32 MiB and writing 32 MiB); the roof is the lower of the peak and flop/B x GB/s\n\n",
	       r.gflops, r.bandwidth);
	for (int i = 0; i < (a->npatterns ? a->npatterns : (int)ARRAY_LEN(usual)); i++)
		if (layers_of(a->npatterns ? a->patterns[i] : usual[i], a, &k, &r))
			return -1;
	return EXIT_YES;
}
