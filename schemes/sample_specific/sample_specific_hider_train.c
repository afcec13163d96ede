/* Training the hider: four losses on every batch, a critic's own step, and, jointly, a classifier's. */
#include "base/error.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/rng.h"
#include "nn/ops.h"
#include "schemes/sample_specific/sample_specific_hider_graph.h"
#include <math.h>
#include <string.h>

#define CRITIC_LIMIT 0.1f /* on every weight of the critic, after Arjovsky's WGAN */
#define CRITIC_LR 1e-4
/* Share of bits misread below which the other losses may come in; earlier they would silence the encoder for good. */
#define LEARNT 0.05
#define LOST 0.25   /* above which training has failed */
#define STARTS 3    /* from other initial values, where half of the steps taught nothing: more than HOPELESS misread */
#define HOPELESS 0.4

struct trainer {
	const struct hider_conf *c;
	const struct lock_env *e;
	const struct hider_joint *joint;
	struct hider *h;
	struct model *judge;  /* the unprotected network, frozen: the perceptual loss */
	struct model *critic; /* one output: high where it takes an image for a sent one */
	struct optim *ounet, *odense, *oreader, *ocritic, *oclass;
	struct tape *t;
	struct train_conf plain; /* batches without augmentation */
	struct rng_key pick, draw, quality;
	int *at, *label, *wrong;
	uint8_t *bit;
	double errors; /* share of bits misread, smoothed over some fifty steps */
	int ramp_from; /* step at which the other losses began to come in; -1: not yet */
	int start;     /* 0 .. STARTS-1 */
};

static void freeze(struct model *m, bool frozen)
{
	for (int i = 0; i < m->np; i++)
		m->p[i].frozen = frozen;
}

/* Seed of what `name` begins with. */
static uint64_t seed_of(const struct trainer *r, const char *name)
{
	char purpose[48];

	if (r->start)
		snprintf(purpose, sizeof(purpose), "hider-%s %d", name, r->start);
	else
		snprintf(purpose, sizeof(purpose), "hider-%s", name);
	return rng_derive(r->e->seed, purpose);
}

static int open_models(struct trainer *r)
{
	const struct hider_conf *c = r->c;
	const struct model_spec *s = &r->e->base->spec;
	const struct model_spec unet = hider_unet_spec(c->planes, c->width, s->c, s->h, s->w);
	const struct model_spec dense = { .arch = "linear", .c = c->bits, .h = 1, .w = 1,
					  .classes = hider_planes_len(c->planes, s->h, s->w) };
	const struct model_spec reader = { .arch = "reader", .c = s->c, .h = s->h, .w = s->w, .classes = c->bits,
					   .width = 16 };
	struct model_spec critic = reader;

	critic.classes = 1;
	critic.width = 8;
	r->h->unet = model_new_init(&unet, INIT_KERAS, seed_of(r, "unet"));
	r->h->dense = model_new_init(&dense, INIT_KERAS, seed_of(r, "dense"));
	r->h->reader = model_new_init(&reader, INIT_KERAS, seed_of(r, "reader"));
	r->critic = model_new(&critic, seed_of(r, "critic"));
	r->judge = model_copy(r->e->base);
	freeze(r->judge, true);
	return r->h->unet && r->h->dense && r->h->reader && r->critic ? 0 : -1;
}

static void open_rest(struct trainer *r)
{
	const struct train_conf adam = { .optimizer = OPTIM_ADAM };
	const size_t n = (size_t)r->c->batch;

	r->ounet = optim_new(r->h->unet, &adam);
	r->odense = optim_new(r->h->dense, &adam);
	r->oreader = optim_new(r->h->reader, &adam);
	r->ocritic = optim_new(r->critic, &adam);
	r->oclass = r->joint ? optim_new(r->joint->classifier, &adam) : NULL;
	r->t = tape_new();
	r->pick = rng_key(r->e->seed, "hider-batch");
	r->draw = rng_key(r->e->seed, "hider-bits");
	r->quality = rng_key(r->e->seed, "hider-jpeg");
	r->at = xmalloc(n, sizeof(*r->at));
	r->label = xmalloc(n, sizeof(*r->label));
	r->wrong = xmalloc(n, sizeof(*r->wrong));
	r->bit = xmalloc(n * r->c->bits, 1);
}

static void close_all(struct trainer *r)
{
	optim_free(r->ounet);
	optim_free(r->odense);
	optim_free(r->oreader);
	optim_free(r->ocritic);
	optim_free(r->oclass);
	model_free(r->judge);
	model_free(r->critic);
	if (r->t)
		tape_free(r->t);
	free(r->at);
	free(r->label);
	free(r->wrong);
	free(r->bit);
}

static void draw_batch(struct trainer *r, int step)
{
	struct rng a, b;

	rng_at(&a, r->pick, (uint32_t)step, 0);
	rng_at(&b, r->draw, (uint32_t)step, 0);
	for (int i = 0; i < r->c->batch; i++) {
		r->at[i] = (int)rng_below(&a, (uint32_t)r->e->train->n);
		r->label[i] = images_label(r->e->train, r->at[i]);
		r->wrong[i] = r->joint ? r->joint->wrong(r->joint->ctx, r->at[i], step) : 0;
	}
	for (int i = 0; i < r->c->batch * r->c->bits; i++)
		r->bit[i] = rng_u32(&b) & 1;
}

/* What arrives of sent images: with jpeg, every other batch is compressed; the gradient passes unchanged. NULL after
 * error(). */
static struct node *arrive(struct trainer *r, struct node *sent, int step)
{
	const size_t len = (size_t)sent->c * sent->h * sent->w, all = len * sent->n;
	float *before, *after;
	struct node *d;
	struct rng q;
	int ret;

	if (!r->c->jpeg || step % 2)
		return sent;
	rng_at(&q, r->quality, (uint32_t)step, 0);
	before = xmalloc(2 * all, sizeof(*before));
	after = before + all;
	node_store_f32(sent, before);
	memcpy(after, before, all * sizeof(*after));
	ret = hider_jpeg(after, sent->n, sent->c, sent->h, sent->w,
			 r->c->jpeg + (int)rng_below(&q, (uint32_t)(96 - r->c->jpeg)));
	for (size_t i = 0; i < all; i++)
		after[i] -= before[i];
	d = tape_input(r->t, sent->n, sent->c, sent->h, sent->w, false);
	node_load_f32(d, after);
	free(before);
	return ret ? NULL : op_add(sent, d);
}

/* How far the unprotected network's logits move, by their own mean square: without a unit, and 1 when they move as
 * far as they are. */
static struct node *perceptual(struct trainer *r, struct node *x, struct node *sent)
{
	struct node *was = r->judge->arch->forward(r->judge, x, false);
	struct node *is = r->judge->arch->forward(r->judge, sent, false);
	double square = 0;

	for (int i = 0; i < was->n; i++)
		for (int k = 0; k < was->c; k++)
			square += (double)node_at(was, i, k) * (double)node_at(was, i, k);
	square /= (double)was->n * was->c;
	return op_scale(op_mse(is, was), (real)(1 / fmax(square, 1e-6)), 0);
}

static struct node *add_loss(struct node *sum, struct node *term, double weight)
{
	return op_add(sum, op_scale(term, (real)weight, 0));
}

static void count_errors(struct trainer *r, const struct node *read)
{
	int wrong = 0;

	for (int i = 0; i < read->n; i++)
		for (int k = 0; k < read->c; k++)
			wrong += (node_at(read, i, k) > 0) != r->bit[i * read->c + k];
	r->errors = 0.98 * r->errors + 0.02 * wrong / (read->n * read->c);
}

/* Share of the other losses' weight at this step. */
static double ramp_at(struct trainer *r, int step)
{
	if (r->ramp_from < 0 && step >= r->c->warmup && r->errors < LEARNT)
		r->ramp_from = step;
	return r->ramp_from < 0 ? 0 : fmin((double)(step - r->ramp_from + 1) / (r->c->warmup + 1), 1);
}

/* All losses of a batch; ramp: share of the full weight of those that are not the bits'. *sent: for the critic. */
static struct node *losses(struct trainer *r, int step, double ramp, struct node *x, struct node **sent)
{
	const struct hider_conf *c = r->c;
	struct node *s = tape_input(r->t, x->n, c->bits, 1, 1, false);
	struct node *want = tape_input(r->t, x->n, c->bits, 1, 1, false);
	struct node *residual, *got, *read, *sum;

	hider_bits(s, r->bit, -0.5f);
	hider_bits(want, r->bit, 0);
	residual = hider_residual(r->h->unet, x, hider_planes(r->h->dense, s, x->h, x->w));
	*sent = hider_send(x, residual);
	got = arrive(r, *sent, step);
	if (!got)
		return NULL;
	read = r->h->reader->arch->forward(r->h->reader, got, true);
	count_errors(r, read);
	sum = op_scale(op_bce_logits(read, want), (real)c->message, 0);
	if (ramp > 0) {
		sum = add_loss(sum, op_mean(op_mul(residual, residual)),
			       ramp * hider_residual_weight(c, x->c, x->h, x->w));
		if (c->perceptual > 0)
			sum = add_loss(sum, perceptual(r, x, *sent), ramp * c->perceptual);
		if (c->critic > 0)
			sum = add_loss(sum, op_mean(r->critic->arch->forward(r->critic, *sent, true)),
				       ramp * c->critic);
	}
	if (r->joint && ramp > 0) {
		struct model *f = r->joint->classifier;

		sum = add_loss(sum, op_cross_entropy(f->arch->forward(f, got, true), r->label, 0), ramp * c->classify);
		sum = add_loss(sum, op_cross_entropy(f->arch->forward(f, x, true), r->wrong, 0), ramp * c->classify);
	}
	return sum;
}

/* The critic learns to tell: its output rises on sent images and falls on others; small weights keep it smooth. */
static void critic_step(struct trainer *r, const struct node *sent)
{
	float *row = xmalloc((size_t)sent->n * sent->c * sent->h * sent->w, sizeof(*row));
	struct node *x, *y, *loss;
	struct model *m = r->critic;

	node_store_f32(sent, row);
	tape_reset(r->t);
	freeze(m, false);
	x = train_gather(r->t, r->e->train, &r->plain, r->pick, 0, r->at, r->c->batch);
	y = tape_input(r->t, x->n, x->c, x->h, x->w, false);
	node_load_f32(y, row);
	free(row);
	loss = op_sub(op_mean(m->arch->forward(m, x, true)), op_mean(m->arch->forward(m, y, true)));
	model_zero_grad(m);
	tape_backward(r->t, loss);
	optim_step(r->ocritic, CRITIC_LR);
	for (size_t i = 0; i < m->ng; i++)
		m->x[i] = m->x[i] > CRITIC_LIMIT ? CRITIC_LIMIT : m->x[i] < -CRITIC_LIMIT ? -CRITIC_LIMIT : m->x[i];
	freeze(m, true);
}

static int train_step(struct trainer *r, int step)
{
	const struct hider_conf *c = r->c;
	const double ramp = ramp_at(r, step);
	const double lr = c->lr * 0.5 * (1 + cos(M_PI * step / c->steps));
	struct node *x, *sent, *loss;

	draw_batch(r, step);
	tape_reset(r->t);
	x = train_gather(r->t, r->e->train, &r->plain, r->pick, 0, r->at, c->batch);
	loss = losses(r, step, ramp, x, &sent);
	if (!loss)
		return -1;
	if (!isfinite((double)loss->x[0]))
		return error(EXIT_FAILED_CELLS, "training the encoder diverged at step %d; a lower rate may help",
			     step);
	model_zero_grad(r->h->unet);
	model_zero_grad(r->h->dense);
	model_zero_grad(r->h->reader);
	if (r->joint)
		model_zero_grad(r->joint->classifier);
	tape_backward(r->t, loss);
	optim_step(r->ounet, lr);
	optim_step(r->odense, lr);
	optim_step(r->oreader, lr);
	if (r->joint && ramp > 0)
		/* The recipe comes later; at LeNet-5's 2e-3 contradictory labels kill it here. */
		optim_step(r->oclass, c->lr);
	if (c->critic > 0 && ramp > 0)
		critic_step(r, sent);
	return interrupt_check();
}

/* In forward passes of the base model, by multiply-accumulates. */
static double step_cost(const struct trainer *r)
{
	const double base = model_macs(r->e->base), all = model_macs(r->h->unet) + model_macs(r->h->reader) +
			    (r->c->critic > 0 ? 2 * model_macs(r->critic) : 0);

	return 3 * r->c->batch * (all / base + (r->c->perceptual > 0) + 2 * (r->joint != NULL));
}

static bool hopeless(const struct trainer *r, int step)
{
	return step >= r->c->steps / 2 && r->ramp_from < 0 && r->errors > HOPELESS;
}

/* One start. 1: it has learnt; 0: it has not, and another may; -1 after error(). */
static int train_once(struct trainer *r)
{
	struct progress bar;
	char note[48];
	int ret = 0, step = 0;

	if (r->e->label)
		progress_start(&bar, r->e->label, r->c->steps);
	for (; step < r->c->steps && !ret && !hopeless(r, step); step++) {
		ret = train_step(r, step);
		snprintf(note, sizeof(note), "encoder, step %d/%d", step + 1, r->c->steps);
		if (r->e->label)
			progress_step(&bar, step + 1, note);
	}
	if (r->e->label)
		progress_end(&bar, ret ? "stopped" : NULL);
	lock_spend(r->e, step_cost(r) * step);
	return ret ? -1 : r->ramp_from >= 0 && r->errors <= LOST;
}

int hider_train(struct hider *h, const struct hider_conf *c, const struct lock_env *e, const struct hider_joint *joint)
{
	int ret = 0, start = 0;
	double errors = 0;

	for (; start < STARTS && !ret; start++) {
		struct trainer r = { .c = c, .e = e, .joint = joint, .h = h, .errors = 0.5, .ramp_from = -1,
				     .start = start };
		bool silent; /* the classifier beside it has learnt, too, once the other losses came in: no way back */

		ret = open_models(&r);
		if (!ret) {
			open_rest(&r);
			freeze(r.critic, true);
			ret = train_once(&r);
		}
		silent = r.ramp_from < 0;
		errors = r.errors;
		close_all(&r);
		if (ret < 1)
			hider_release(h);
		if (!silent && !ret)
			break;
	}
	if (!ret)
		ret = error(EXIT_FAILED_CELLS, "the encoder learnt to hide nothing: %.0f %% of the bits are misread"
			    " after %d steps; more steps, a lower rate or a smaller weight of the residual may help",
			    100 * errors, c->steps);
	return ret < 0 ? -1 : 0;
}
