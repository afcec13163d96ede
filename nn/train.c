/* The training loop. See train.h. */
#include "nn/train.h"

#include "base/error.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/tile.h"
#include "nn/ops.h"
#include <math.h>
#include <string.h>

/* ---- recipes ---- */

#define ROW(field) offsetof(struct train_conf, field)
const struct opt train_opts[] = {
	{ "epochs", OPT_INT, ROW(epochs), "10", 1, 100000, "passes over the training images", NULL },
	{ "batch", OPT_INT, ROW(batch), "64", 1, 65536, "images per step", NULL },
	{ "optimizer", OPT_CHOICE, ROW(optimizer), "adam", 0, 0, "how a step is made of the gradient", "sgd|adam" },
	{ "lr", OPT_FLOAT, ROW(lr), "0.001", 0, 100, "learning rate at the start", NULL },
	{ "momentum", OPT_FLOAT, ROW(momentum), "0.9", 0, 1, "momentum of sgd", NULL },
	{ "nesterov", OPT_BOOL, ROW(nesterov), "no", 0, 0, "Nesterov's momentum for sgd", NULL },
	{ "weight-decay", OPT_FLOAT, ROW(weight_decay), "0", 0, 10, "times each weight is added to its gradient", NULL },
	{ "schedule", OPT_CHOICE, ROW(schedule), "constant", 0, 0, "how the learning rate falls", "constant|step|cosine" },
	{ "step-epochs", OPT_INT, ROW(step_epochs), "10", 1, 100000, "epochs between two falls of the step schedule", NULL },
	{ "step-gamma", OPT_FLOAT, ROW(step_gamma), "0.1", 0, 1, "factor of each fall of the step schedule", NULL },
	{ "crop-pad", OPT_INT, ROW(crop_pad), "0", 0, 64, "pixels of zero padding for random crops, 0 for none", NULL },
	{ "flip", OPT_BOOL, ROW(flip), "no", 0, 0, "mirror every other image at random", NULL },
	{ "smoothing", OPT_FLOAT, ROW(smoothing), "0", 0, 0.999, "label smoothing, 0 for none", NULL },
	{ "init", OPT_CHOICE, ROW(init), "torch", 0, 0, "whose initial values a training from scratch starts from", "torch|keras" },
	{ 0 }
};

/* Wide ResNets, sec. 3 of the paper: SGD with Nesterov's momentum and decay. Differs: a cosine instead of three steps. */
static void wrn_recipe(struct train_conf *c, const struct model_spec *s)
{
	c->epochs = 40;
	c->batch = 128;
	c->optimizer = OPTIM_SGD;
	c->lr = 0.1;
	c->nesterov = 1;
	c->weight_decay = 5e-4;
	c->schedule = SCHEDULE_COSINE;
	c->crop_pad = 4;
	c->flip = s->c == 3; /* grey images here are digits, letters and clothes: a mirrored digit is none */
}

void train_recipe(struct train_conf *c, const struct model_spec *s)
{
	opt_defaults(train_opts, c); /* Adam 1e-3: autoencoder, U-Net */
	if (!strncmp(s->arch, "wrn", 3))
		wrn_recipe(c, s);
	else if (!strncmp(s->arch, "lenet5", 6) || !strncmp(s->arch, "mlp", 3)) {
		c->schedule = SCHEDULE_COSINE; /* at a constant rate the last epoch's accuracy is a lottery of +-0.3 points */
		c->lr = 0.002; /* on Fashion-MNIST half a point better than 0.001 after 15 epochs */
	}
}

/* ---- batches: bytes to a batch node in one pass ---- */

struct gather {
	const struct images *v;
	const struct train_conf *c; /* crop_pad and flip */
	struct rng_key augment;
	uint32_t epoch;
	const int *at;   /* (n of x) positions in the view */
	struct node *x;
	real byte[256];  /* pixel / 255 */
};

/* One image of a group: its pixels and how it is shifted and mirrored. */
struct lane {
	const uint8_t *px;
	const float *fx;  /* one of the two */
	int dx, dy;       /* the crop's place, -crop_pad .. crop_pad */
	bool flip;
};

/* i: position in the view. Every image has a stream of its own, whichever batch and thread it lands in. */
static struct lane open_lane(const struct gather *b, int i)
{
	const struct train_conf *c = b->c;
	size_t at = (size_t)images_at(b->v, i) * (size_t)images_size(b->v);
	struct lane e = { .px = b->v->px ? b->v->px + at : NULL, .fx = b->v->px ? NULL : b->v->fx + at };
	struct rng r;

	if (!c->crop_pad && !c->flip)
		return e;
	rng_at(&r, b->augment, b->epoch, (uint32_t)i);
	if (c->crop_pad) {
		e.dy = (int)rng_below(&r, 2 * (uint32_t)c->crop_pad + 1) - c->crop_pad;
		e.dx = (int)rng_below(&r, 2 * (uint32_t)c->crop_pad + 1) - c->crop_pad;
	}
	e.flip = c->flip && (rng_u32(&r) & 1);
	return e;
}

/* Row y of channel ci, cropped and mirrored, into every LANES-th number of out (w,LANES). Pixels from outside are 0. */
static void load_row(const struct gather *b, const struct lane *e, int ci, int y, real *out)
{
	const int w = b->v->w, h = b->v->h, step = e->flip ? -LANES : LANES;
	const int lo = e->dx < 0 ? -e->dx : 0, hi = e->dx > 0 ? w - e->dx : w; /* columns from inside */
	const ptrdiff_t from = ((ptrdiff_t)ci * h + y + e->dy) * w + e->dx;
	int x = 0, to = e->flip ? (w - 1) * LANES : 0;

	if (y + e->dy >= 0 && y + e->dy < h) {
		for (; x < lo && x < w; x++, to += step)
			out[to] = 0;
		if (e->px)
			for (; x < hi; x++, to += step)
				out[to] = b->byte[e->px[from + x]];
		else
			for (; x < hi; x++, to += step)
				out[to] = e->fx[from + x];
	}
	for (; x < w; x++, to += step)
		out[to] = 0;
}

static void load_group(void *ctx, int g, int thread)
{
	const struct gather *b = ctx;
	const struct node *x = b->x;
	const int n = x->n - g * LANES < LANES ? x->n - g * LANES : LANES;
	const size_t row = (size_t)x->w * LANES, rows = (size_t)x->c * (size_t)x->h;
	real *out = x->x + (size_t)g * rows * row;
	struct lane lanes[LANES];

	(void)thread;
	if (n < LANES)
		memset(out, 0, rows * row * sizeof(*out)); /* unused lanes must be finite */
	for (int i = 0; i < n; i++)
		lanes[i] = open_lane(b, b->at[g * LANES + i]);
	for (int k = 0; k < x->c * x->h; k++, out += row)
		for (int i = 0; i < n; i++)
			load_row(b, &lanes[i], k / x->h, k % x->h, out + i);
}

struct node *train_gather(struct tape *t, const struct images *v, const struct train_conf *c, struct rng_key augment,
			  int epoch, const int *at, int n)
{
	struct gather b = { .v = v, .c = c, .augment = augment, .epoch = (uint32_t)epoch, .at = at,
			    .x = tape_input(t, n, v->c, v->h, v->w, false) };

	for (int i = 0; i < 256; i++)
		b.byte[i] = (real)((float)i / 255.0f); /* as images_get() */
	tile_for(GROUPS(n), load_group, &b);
	return b.x;
}

/* ---- the loop ---- */

struct trainer {
	struct model *m;
	const struct images *v;
	const struct train_conf *c;
	const struct train_hooks *hooks; /* never NULL */
	struct rng_key shuffle, augment;
	struct tape *t;
	struct optim *optim;
	int *order;        /* (v->n) this epoch's order */
	int *label;        /* (batch) */
	struct progress bar;
	bool shown;
	int epoch;         /* from 0 */
	double loss;       /* sums over this epoch's images so far */
	long right, seen;
	struct train_stats stats;
};

/* Class of stored image `at`: its label, or its likeliest soft label. */
static int class_of(const struct images *v, int at)
{
	int best = 0;

	if (!v->soft)
		return v->labels[at];
	argmax_rows(v->soft + (size_t)at * (size_t)v->classes, 1, v->classes, &best);
	return best;
}

/* Soft labels of a batch as a batch node, smoothed towards 1/classes. */
static struct node *soft_target(struct trainer *r, const int *at, int n)
{
	const int k = r->v->classes;
	const double s = r->c->smoothing;
	struct node *y = tape_input(r->t, n, k, 1, 1, false);

	memset(y->x, 0, y->len * sizeof(*y->x));
	for (int i = 0; i < n; i++) {
		const float *soft = r->v->soft + (size_t)images_at(r->v, at[i]) * (size_t)k;
		real *out = y->x + (size_t)(i / LANES) * (size_t)k * LANES + i % LANES;

		for (int j = 0; j < k; j++)
			out[j * LANES] = (real)((1 - s) * soft[j] + s / k);
	}
	return y;
}

/* Mean loss of a batch's logits; the running accuracy is counted on the way. */
static struct node *batch_loss(struct trainer *r, struct node *logits, const int *at, int n)
{
	for (int i = 0; i < n; i++) {
		int best = 0;

		for (int k = 1; k < logits->c; k++)
			if (node_at(logits, i, k) > node_at(logits, i, best))
				best = k;
		r->label[i] = class_of(r->v, images_at(r->v, at[i]));
		r->right += best == r->label[i];
	}
	if (r->hooks->loss)
		return r->hooks->loss(r->hooks->ctx, logits, at, n);
	if (r->v->soft)
		return op_cross_entropy_soft(logits, soft_target(r, at, n));
	return op_cross_entropy(logits, r->label, (real)r->c->smoothing);
}

static int diverged(const struct trainer *r, const char *what)
{
	return error(EXIT_FAILED_CELLS, "training diverged: %s at epoch %d, step %ld; a lower learning rate may help", what,
		     r->epoch + 1, r->stats.steps + 1);
}

/* Loss and gradients of a batch, the extra term included, and one step down. */
static int train_batch(struct trainer *r, const int *at, int n)
{
	struct node *x, *loss;
	double value;

	tape_reset(r->t);
	x = train_gather(r->t, r->v, r->c, r->augment, r->epoch, at, n);
	loss = batch_loss(r, r->m->arch->forward(r->m, x, !r->hooks->still), at, n);
	if (r->hooks->term)
		loss = op_add(loss, r->hooks->term(r->hooks->ctx, r->m, x, r->label));
	value = (double)loss->x[0];
	if (!isfinite(value))
		return diverged(r, "the loss is not finite");
	model_zero_grad(r->m);
	if (loss->wants) /* not when everything is frozen */
		tape_backward(r->t, loss);
	if (r->hooks->extra_loss)
		value += r->hooks->extra_loss(r->hooks->ctx, r->m);
	if (!isfinite(value))
		return diverged(r, "the extra loss is not finite");
	optim_step(r->optim, schedule_lr(r->c, r->epoch, (double)r->seen / r->v->n));
	r->loss += value * n;
	r->seen += n;
	r->stats.steps++;
	r->stats.forward_equivalents += 3.0 * n;
	return interrupt_check();
}

static void show(struct trainer *r)
{
	char note[64];

	if (!r->shown)
		return;
	snprintf(note, sizeof(note), "epoch %d/%d, loss %.4f", r->epoch + 1, r->c->epochs, r->loss / (double)r->seen);
	progress_step(&r->bar, (double)r->epoch * r->v->n + (double)r->seen, note);
}

/* The last step's damage shows in no loss. */
static int check_finite(const struct trainer *r)
{
	for (size_t i = 0; i < r->m->nx; i++)
		if (!isfinite(r->m->x[i]))
			return diverged(r, "a weight is not finite");
	return 0;
}

static int train_epoch(struct trainer *r)
{
	const int n = r->v->n, batch = r->c->batch;
	struct rng rng;

	r->loss = 0;
	r->right = r->seen = 0;
	rng_at(&rng, r->shuffle, (uint32_t)r->epoch, 0);
	rng_permutation(&rng, r->order, n);
	for (int i = 0; i < n; i += batch) {
		if (train_batch(r, r->order + i, n - i < batch ? n - i : batch))
			return -1;
		show(r);
	}
	r->stats.loss = r->loss / n;
	r->stats.accuracy = (double)r->right / n;
	return check_finite(r);
}

static int check_labels(const struct model *m, const struct images *v)
{
	if (!v->soft && !v->labels)
		return error(EXIT_UNEVALUABLE, "training images have no labels");
	if (v->soft && v->classes != m->spec.classes)
		return error(EXIT_UNEVALUABLE, "soft labels for %d classes, the model has %d", v->classes, m->spec.classes);
	for (int i = 0; !v->soft && i < v->n; i++)
		if (images_label(v, i) >= m->spec.classes)
			return error(EXIT_UNEVALUABLE, "image %d has label %d, the model has %d classes", i,
				     images_label(v, i), m->spec.classes);
	return 0;
}

static int check_input(const struct model *m, const struct images *v, const struct train_conf *c)
{
	const struct model_spec *s = &m->spec;

	if (m->arch->image)
		return error(EXIT_UNEVALUABLE, "%s returns images and cannot be trained as a classifier", s->arch);
	if (v->n < 1 || c->batch < 1)
		return error(EXIT_UNEVALUABLE, "nothing to train on: %d images, batches of %d", v->n, c->batch);
	if (v->c != s->c || v->h != s->h || v->w != s->w)
		return error(EXIT_UNEVALUABLE, "images are %dx%dx%d (c x h x w), model %s takes %dx%dx%d", v->c, v->h, v->w,
			     s->arch, s->c, s->h, s->w);
	return check_labels(m, v);
}

static int run(struct trainer *r)
{
	const struct train_hooks *h = r->hooks;
	int stop = 0;

	for (r->epoch = 0; !stop && r->epoch < r->c->epochs; r->epoch++) {
		if (train_epoch(r))
			return -1;
		if (h->epoch_end)
			stop = h->epoch_end(h->ctx, r->m, r->epoch + 1, r->stats.loss, r->stats.accuracy);
	}
	return 0;
}

int train(struct model *m, const struct images *v, const struct train_conf *c, uint64_t seed, const char *label,
	  const struct train_hooks *hooks, struct train_stats *stats)
{
	static const struct train_hooks none;
	struct trainer r = { .m = m, .v = v, .c = c, .hooks = hooks ? hooks : &none, .shown = label != NULL,
			     .shuffle = rng_key(seed, "shuffle"), .augment = rng_key(seed, "augment") };
	int ret = check_input(m, v, c);

	if (ret)
		return ret;
	r.t = tape_new();
	r.optim = optim_new(m, c);
	r.order = xmalloc((size_t)v->n, sizeof(*r.order));
	r.label = xmalloc((size_t)(c->batch < v->n ? c->batch : v->n), sizeof(*r.label));
	if (label)
		progress_start(&r.bar, label, (double)v->n * c->epochs);
	ret = run(&r);
	if (label)
		progress_end(&r.bar, ret ? "stopped" : NULL);
	if (stats)
		*stats = r.stats;
	free(r.label);
	free(r.order);
	optim_free(r.optim);
	tape_free(r.t);
	return ret;
}
