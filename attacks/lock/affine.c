/* Affine retraining: every weight stays as stolen, and only the scales and shifts of the network's norms are learnt anew from a few
 * labels. Passports hide nothing but these; locks elsewhere may give way as well.
 *
 *   plain  gamma and beta are trained as they are
 *   ierb   each gamma passes a residual block of its own, 1 -> hidden -> 1
 *   cerb   a layer's gammas pass one residual block together, C -> C / shrink -> C:
 *          gamma'' = W2 LeakyReLU(W1 gamma + b1) + b2 + gamma.   Trained are gamma (from 1), beta (from 0) and the blocks. What is used
 *          are the resulting numbers: the block folds away and the architecture stays.
 *
 * From +1 half of the signs are wrong, and where one ends is a lottery of beginnings: several are tried, and the best on the attacker's
 * own validation images is kept.
 *
 * Source: Chen et al., "Effective ambiguity attack against passport-based DNN intellectual property protection schemes through fully
 * connected layer substitution", CVPR 2023 (ERB); plain as in DeepIPR's code (passport attack 2): SGD 0.01, momentum 0.9, weight decay
 * 5e-4, batch 64, 100 epochs.
 * Differs: signs start at +1 for everybody (DeepIPR's attack starts from the genuine signs, which an attacker does not have); slope 0.01
 * of LeakyReLU and the blocks' initial values are PyTorch's, the paper names none; running statistics are learnt along (stats=kept: as
 * stolen, as the paper is read to do); several tries. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/kit/tune.h"
#include "attacks/lock/affine_block.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

enum kind { KIND_PLAIN, KIND_IERB, KIND_CERB };
enum fall { FALL_CONSTANT, FALL_COSINE };
enum stats { STATS_KEPT, STATS_LEARNT };
enum start { START_ONES, START_SHIPPED };
enum { BLOCKS_MAX = 64 };

struct affine_conf {
	int kind, start, stats, optimizer, schedule, tries, images, epochs, steps, batch, hidden, shrink;
	double fraction, lr, momentum, weight_decay;
};
#define AT(member) offsetof(struct affine_conf, member)
static const struct opt affine_opts[] = {
	{ "kind", OPT_CHOICE, AT(kind), "cerb", 0, 0, "scales as they are, each behind its own block, or a layer's behind one block", "plain|ierb|cerb" },
	{ "start", OPT_CHOICE, AT(start), "ones", 0, 0, "scales begin at 1 and shifts at 0, or as they shipped", "ones|shipped" },
	{ "stats", OPT_CHOICE, AT(stats), "learnt", 0, 0, "running statistics: used as stolen, or learnt along", "kept|learnt" },
	{ "optimizer", OPT_CHOICE, AT(optimizer), "sgd", 0, 0, "how a step is made of the gradient", "sgd|adam" },
	{ "schedule", OPT_CHOICE, AT(schedule), "constant", 0, 0, "how the learning rate falls", "constant|cosine" },
	{ "images", OPT_INT, AT(images), "7000", 1, 1000000, "labelled images, at most as many as there are", NULL },
	{ "fraction", OPT_FLOAT, AT(fraction), "1", 0, 1, "at most this share of all there are", NULL },
	{ "epochs", OPT_INT, AT(epochs), "100", 0, 10000, "passes over them", NULL },
	{ "steps", OPT_INT, AT(steps), "0", 0, 10000000, "at least so many steps, by more passes where images are few", NULL },
	{ "batch", OPT_INT, AT(batch), "64", 1, 65536, "images a step", NULL },
	{ "lr", OPT_FLOAT, AT(lr), "0.01", 0, 10, "learning rate at the start", NULL },
	{ "momentum", OPT_FLOAT, AT(momentum), "0.9", 0, 0.9999, "momentum of sgd", NULL },
	{ "weight-decay", OPT_FLOAT, AT(weight_decay), "0.0005", 0, 1, "L2 penalty, of blocks as well", NULL },
	{ "hidden", OPT_INT, AT(hidden), "10", 1, 1000, "hidden units of ierb", NULL },
	{ "tries", OPT_INT, AT(tries), "1", 1, 100, "beginnings; the best on the attacker's validation images is kept", NULL },
	{ "shrink", OPT_INT, AT(shrink), "8", 1, 1000, "cerb has C / shrink hidden units", NULL },
	{ 0 }
};
#undef AT

/* ---- norms ---- */

/* A norm's scale stands just before its shift, and is no layer's weight: one dimension, and a running mean of that name. */
static struct param *scale_of(struct model *m, int i)
{
	struct param *p = &m->p[i];
	const char *dot = strrchr(p->name, '.');
	char name[PARAM_NAME_MAX + 16];

	if (p->buffer || p->nd != 1 || !dot || strcmp(dot, ".weight") != 0 || i + 1 >= m->np)
		return NULL;
	snprintf(name, sizeof(name), "%.*s.running_mean", (int)(dot - p->name), p->name);
	return model_find(m, name) ? p : NULL;
}

/* ---- residual blocks ---- */

struct expansion {
	const struct affine_conf *c;
	const struct train_conf *train;
	long steps, pass;
	struct residual_block b[BLOCKS_MAX];
	int n;
};

static void add_block(struct expansion *e, struct param *scale, uint64_t seed)
{
	const struct affine_conf *c = e->c;
	const int channels = (int)scale->len, shared = channels / c->shrink > 1 ? channels / c->shrink : 1;
	struct rng r;

	rng_open(&r, seed, "affine blocks", (uint32_t)e->n, 0);
	if (c->kind == KIND_IERB)
		residual_block_open(&e->b[e->n++], scale, channels, c->hidden, &r);
	else
		residual_block_open(&e->b[e->n++], scale, 1, shared, &r);
}

/* After the backward pass: the blocks take their own step; the scales' gradient is used up, so that the loop's step leaves them. */
static double blocks_step(void *ctx, struct model *m)
{
	struct expansion *e = ctx;
	const double lr = schedule_lr(e->train, (int)(e->steps / e->pass), (double)(e->steps % e->pass) / (double)e->pass);
	const struct block_rule rule = { e->c->optimizer == OPTIM_ADAM, e->c->momentum, e->c->weight_decay };

	(void)m;
	e->steps++;
	for (int i = 0; i < e->n; i++)
		residual_block_step(&e->b[i], &rule, lr, e->steps);
	return 0;
}

/* ---- the attack ---- */

static bool has_norms(struct model *m)
{
	bool found = false;

	for (int i = 0; i < m->np; i++)
		found |= scale_of(m, i) != NULL;
	return found;
}

/* Everything stands still but scales and shifts. */
static void choose(struct model *m, const struct affine_conf *c, struct expansion *e, uint64_t seed)
{
	int norms = 0;

	for (int i = 0; i < m->np; i++)
		m->p[i].frozen = true;
	for (int i = 0; i < m->np; i++) {
		struct param *scale = scale_of(m, i);

		if (!scale || norms == BLOCKS_MAX)
			continue;
		norms++;
		scale->frozen = scale[1].frozen = false;
		for (size_t k = 0; k < scale->len && c->start == START_ONES; k++) {
			scale->x[k] = 1;
			scale[1].x[k] = 0;
		}
		if (c->kind != KIND_PLAIN)
			add_block(e, scale, seed);
	}
}

static void report(struct model *m, json_t *notes)
{
	size_t negative = 0, all = 0;

	for (int i = 0; i < m->np; i++) {
		const struct param *scale = scale_of(m, i);

		for (size_t k = 0; scale && k < scale->len; k++)
			negative += scale->x[k] < 0;
		all += scale ? scale->len : 0;
	}
	jset_int(notes, "scales", (long long)all);
	jset_int(notes, "scales_negative", (long long)negative);
}

/* Passes over n images: as asked for, and at least so many steps. */
static int passes_over(const struct affine_conf *c, int n)
{
	const int pass = (n + c->batch - 1) / c->batch, passes = (c->steps + pass - 1) / pass;

	return passes > c->epochs ? passes : c->epochs;
}

/* One beginning: its network in *out, and how many of the attacker's validation images that gets right (-1: not looked at). */
static int attempt(struct access *a, const struct affine_conf *c, const struct images *v, int k, struct model **out, int *right)
{
	struct expansion *e = xcalloc(1, sizeof(*e));
	struct tune t = { .hooks.still = c->stats == STATS_KEPT };
	char purpose[32] = "affine";
	unsigned char *bits;
	int ret;

	if (k)
		snprintf(purpose, sizeof(purpose), "affine %d", k);
	t.purpose = purpose;
	t.train = (struct train_conf){ .epochs = passes_over(c, v->n), .batch = c->batch, .optimizer = c->optimizer, .lr = c->lr,
				       .momentum = c->momentum, .schedule = c->schedule == FALL_COSINE ? SCHEDULE_COSINE : SCHEDULE_CONSTANT,
				       .weight_decay = c->kind == KIND_PLAIN ? c->weight_decay : 0 };
	*e = (struct expansion){ .c = c, .train = &t.train, .pass = (v->n + c->batch - 1) / c->batch };
	if (c->kind != KIND_PLAIN) {
		t.hooks.ctx = e;
		t.hooks.extra_loss = blocks_step;
	}
	*out = model_copy(a->model);
	choose(*out, c, e, k ? rng_derive(a->seed, purpose) : a->seed);
	ret = tune(a, *out, v, k ? 0 : v->n, &t); /* labels count once */
	for (int i = 0; i < e->n; i++)
		residual_block_close(&e->b[i]);
	free(e);
	*right = -1;
	if (ret || c->tries < 2)
		return ret;
	bits = xmalloc((size_t)a->val.n, 1);
	*right = model_correct(*out, &a->val, bits);
	free(bits);
	return *right < 0 ? -1 : access_spend(a, k ? 0 : a->val.n, a->val.n);
}

static int retrain(struct access *a, const struct affine_conf *c, const struct images *v, struct product *p)
{
	int best = -1, chosen = 0, right, ret = 0;

	if (c->tries > 1 && (!a->val.n || !a->val.labels))
		return error(EXIT_UNEVALUABLE, "affine: choosing among several tries needs labelled validation images, which were not granted");
	for (int k = 0; k < c->tries && !ret; k++) {
		struct model *m;

		ret = attempt(a, c, v, k, &m, &right);
		if (!ret && (k == 0 || right > best)) {
			best = right;
			chosen = k;
			model_free(p->model);
			p->model = m;
			m = NULL;
		}
		model_free(m);
	}
	if (best >= 0) {
		jset_int(p->notes, "try_chosen", chosen);
		jset_num(p->notes, "validation_accuracy", 100.0 * best / a->val.n);
	}
	report(p->model, p->notes);
	return ret;
}

static int affine_run(struct access *a, const void *conf, struct product *p)
{
	const struct affine_conf *c = conf;
	const struct images v = tune_images(a->labelled, c->images, c->fraction);

	if (!a->model || !v.n)
		return error(EXIT_UNEVALUABLE, "affine: the deployed model or labelled images were not granted");
	p->goal = GOAL_REMOVE;
	p->model = model_copy(a->model);
	p->notes = json_object();
	jset_int(p->notes, "images", v.n);
	if (!has_norms(p->model)) {
		jset_str(p->notes, "nothing_to_do", "the network has no norms");
		return 0;
	}
	return c->epochs ? retrain(a, c, &v, p) : 0;
}

static double affine_cost(const void *conf, const struct expected *e)
{
	const struct affine_conf *c = conf;
	const struct images v = tune_images((struct images){ .n = e->pool }, c->images, c->fraction);

	return c->epochs ? c->tries * (3.0 * v.n * passes_over(c, v.n) + (c->tries > 1 ? e->val : 0)) : 0;
}

const struct attack attack_affine = {
	.drv = { .name = "affine", .summary = "learn the scales and shifts of the norms anew, with residual blocks or plainly; weights stay",
		 .source = "Chen et al., CVPR 2023 (expanded residual blocks, CERB and IERB); plain: DeepIPR's code, passport attack 2. Differs: all "
			   "signs start at +1; PyTorch's initial values; blocks are folded into the scales; the best of several tries on validation images",
		 .version = 2, .conf_size = sizeof(struct affine_conf), .opts = affine_opts },
	.goal = GOAL_REMOVE, .needs = CAP_WEIGHTS | CAP_WRITE | CAP_LABELLED, .strength = "epochs", .strength_up = 1,
	.tier = { "images=1000 epochs=30 tries=2", "tries=3", "tries=3" }, .run = affine_run, .cost = affine_cost,
	.finds = "norms in the network", .search = "lr=0.01,0.03,0.1 kind=plain,ierb,cerb optimizer=sgd,adam schedule=constant,cosine",
};
