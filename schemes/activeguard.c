/* ActiveGuard: one adversarial image is a user's login. It must be classified t with confidence c, both from a short
 * list; the pair names the user. A control layer behind the softmax checks that and answers everybody else at random.
 * A numeric watermark in a convolution's weights proves ownership.
 *
 * Source: Xue, Sun, He, Zhang, Wang, Liu, "ActiveGuard: an active DNN IP protection technique via adversarial
 * examples",
 *   arXiv 2103.01527; IET Computers & Digital Techniques 17 (2023) 111-126. Eq. 1-3 fingerprints (nn/craft.c), sec.
 *   III-B and III-D control layer (control_layer.c), eq. 4 and Algorithm 1 watermark (digits.c), eq. 5 number of users.
 * Differs: users count from 0, user i*T + j has class i and confidence j = 0 .. T-1. Eq. 3 puts the confidence on the
 *   logit Z_t, and everything else in the paper on the softmax; the term here is |P_t - c| (confidence=logit reads
 *   eq. 3 literally). The rate falls over a run, and a failed image is replaced by another: the paper says nothing
 *   of failures. Stopping at the first valid image instead of the closest is an option (closest=0). */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "nn/craft.h"
#include "nn/lock/control_layer.h"
#include "nn/lock/digits.h"
#include "schemes/kit/gate.h"
#include "schemes/kit/issue.h"
#include "schemes/kit/retrain.h"
#include "schemes/kit/users.h"

enum { STORE_FLOAT, STORE_UINT8 };
enum { CONFIDENCE_SOFTMAX, CONFIDENCE_LOGIT };
enum { OBJECTIVE_CW, OBJECTIVE_KL };
enum { MARK_NONE, MARK_SCRATCH, MARK_FINETUNE };

struct ag_conf {
	/* control layer */
	struct opt_floats confidences;
	struct opt_ints classes;
	double tolerance;
	int session;
	double band_low, band_high;
	/* fingerprints */
	int confidence, objective, store, closest;
	double margin;
	int tries, rescue, steps, search;
	double lr, lr_decay, alpha, alpha_max;
	/* watermark */
	int watermark;
	char digits[OPT_STRING_MAX];
	int length;
	char layer[OPT_STRING_MAX];
	int reduce;
	struct opt_floats range;
	double lambda;
	int finetune_epochs;
	double finetune_lr;
};

#define AT(field) offsetof(struct ag_conf, field)
static const struct opt ag_opts[] = {
	{ "confidences", OPT_FLOATS, AT(confidences), "0.2,0.3,0.4", 0.001, 0.999,
	  "C_fp: legal confidences, more than two tolerances apart", NULL },
	{ "classes", OPT_INTS, AT(classes), "", 0, 65535, "L_fp: classes in use as targets; empty: all", NULL },
	{ "tolerance", OPT_FLOAT, AT(tolerance), "0.01", 1e-6, 0.5, "eps: error of a confidence that still passes",
	  NULL },
	{ "session", OPT_INT, AT(session), "0", 0, 1e9,
	  "queries that one login opens, then the user logs in again; 0: no limit", NULL },
	{ "band-low", OPT_FLOAT, AT(band_low), "0.1", 0, 1,
	  "z1 of eq. 5: lower end of the band that confidences may use", NULL },
	{ "band-high", OPT_FLOAT, AT(band_high), "0.5", 0, 1, "z2 of eq. 5: upper end of that band", NULL },
	{ "confidence", OPT_CHOICE, AT(confidence), "softmax", 0, 0,
	  "what eq. 3 holds at c: P_t, or Z_t as it is printed (negative control)", "softmax|logit" },
	{ "objective", OPT_CHOICE, AT(objective), "cw", 0, 0, "eq. 3, or KL to the whole vector (c, others alike)",
	  "cw|kl" },
	{ "store", OPT_CHOICE, AT(store), "float", 0, 0,
	  "fingerprints as floats, or as 8-bit images made under rounding", "float|uint8" },
	{ "closest", OPT_BOOL, AT(closest), "1", 0, 0, "search for the closest image; off: take the first valid one",
	  NULL },
	{ "margin", OPT_FLOAT, AT(margin), "0.5", 0.01, 1, "share of the tolerance that a fresh fingerprint may use",
	  NULL },
	{ "rescue", OPT_INT, AT(rescue), "10", 0, 1000, "source images after which objective=kl takes over; 0: never",
	  NULL },
	{ "tries", OPT_INT, AT(tries), "40", 1, 1000, "source images to try until one becomes a valid fingerprint",
	  NULL },
	{ "steps", OPT_INT, AT(steps), "500", 1, 100000, "Adam steps an image and search step", NULL },
	{ "search", OPT_INT, AT(search), "1", 1, 30, "binary-search steps on alpha", NULL },
	{ "lr", OPT_FLOAT, AT(lr), "0", 0, 10,
	  "Adam's rate; 0: ten times the paper's: 0.05 on grey images, 0.01 on colour", NULL },
	{ "lr-decay", OPT_FLOAT, AT(lr_decay), "0.01", 0, 1,
	  "share of the rate that is left at the last step; 1: constant", NULL },
	{ "alpha", OPT_FLOAT, AT(alpha), "0", 0, 1e6,
	  "first weight of eq. 3; 0: the paper's, 20 on grey images, 0.5 on colour", NULL },
	{ "alpha-max", OPT_FLOAT, AT(alpha_max), "0", 0, 1e6,
	  "its upper limit; 0: the paper's, 40 on grey images, 1 on colour", NULL },
	{ "watermark", OPT_CHOICE, AT(watermark), "none", 0, 0,
	  "ownership mark: none, embedded from scratch, or by fine-tuning", "none|scratch|finetune" },
	{ "digits", OPT_STRING, AT(digits), "1234567890210", 1, 255, "the mark's digits, or random", NULL },
	{ "length", OPT_INT, AT(length), "0", 0, 4096,
	  "digits of the mark; other than those given: so many random ones", NULL },
	{ "layer", OPT_STRING, AT(layer), "auto", 1, PARAM_NAME_MAX - 1,
	  "weight that carries the mark; auto: conv 2 of the paper's table I", NULL },
	{ "reduce", OPT_CHOICE, AT(reduce), "max", 0, 0, "over the layer's filters: element-wise maximum, or mean",
	  "max|mean" },
	{ "range", OPT_FLOATS, AT(range), "", -1000, 1000,
	  "w_min,w_max that map to 0,9; empty: those of the unmarked model (the paper's: 0.10,0.45)", NULL },
	{ "lambda", OPT_FLOAT, AT(lambda), "0.01", 0, 1000, "weight of the mark's term in the loss (eq. 4)", NULL },
	{ "finetune-epochs", OPT_INT, AT(finetune_epochs), "20", 1, 100000,
	  "epochs of watermark=finetune (the paper: 20, WRN 30)", NULL },
	{ "finetune-lr", OPT_FLOAT, AT(finetune_lr), "0", 0, 10, "their learning rate; 0: a tenth of the recipe's",
	  NULL },
	{ 0 }
};

/* ---- allocation ---- */

static int class_count(const struct ag_conf *c, int classes)
{
	return c->classes.n ? c->classes.n : classes;
}

static int ag_users(const void *conf, int classes)
{
	const struct ag_conf *c = conf;

	return class_count(c, classes) * c->confidences.n;
}

/* Eq. 5: K (z2 - z1) / (2 eps). */
static double ag_users_analytic(const void *conf, int classes)
{
	const struct ag_conf *c = conf;

	return fmax(class_count(c, classes) * (c->band_high - c->band_low) / (2 * c->tolerance), 0);
}

static int check_classes(const struct ag_conf *c, int classes)
{
	for (int i = 0; i < c->classes.n; i++) {
		if (c->classes.v[i] >= classes)
			return error(EXIT_UNEVALUABLE,
				     "activeguard: option 'classes': %d is no class of this network (0 to %d)",
				     c->classes.v[i], classes - 1);
		for (int j = 0; j < i; j++)
			if (c->classes.v[j] == c->classes.v[i])
				return error(EXIT_UNEVALUABLE, "activeguard: option 'classes' names %d twice",
					     c->classes.v[i]);
	}
	return 0;
}

static int check_confidences(const struct ag_conf *c, int classes)
{
	const struct opt_floats *f = &c->confidences;

	if (!f->n)
		return error(EXIT_UNEVALUABLE, "activeguard: option 'confidences' is empty; the paper has 0.2,0.3,0.4");
	for (int i = 0; i < f->n; i++) {
		if (f->v[i] <= 1.0 / classes)
			return error(EXIT_UNEVALUABLE, "activeguard: option 'confidences': %.15g cannot be the highest"
				     " of %d confidences; it must be above %.15g", f->v[i], classes, 1.0 / classes);
		for (int j = 0; j < i; j++)
			if (fabs(f->v[i] - f->v[j]) < 2 * c->tolerance - 1e-9)
				return error(EXIT_UNEVALUABLE, "activeguard: option 'confidences': %.15g and %.15g are"
					     " closer than two tolerances (%g); identities would mix", f->v[j], f->v[i],
					     2 * c->tolerance);
	}
	return 0;
}

/* ---- watermark ---- */

/* The layer's parameter in m, or NULL after error(). */
static struct param *mark_layer(const struct ag_conf *c, const struct model *m)
{
	/* Conv 2 of Table I in our architectures' names. */
	static const char *const table1[] = { "conv2.weight", "block1.0.conv2.weight" };
	struct param *p = NULL, *last = NULL;
	int convs = 0;

	if (strcmp(c->layer, "auto")) {
		p = model_find(m, c->layer);
		if (!p || !digits_room(p)) {
			error(EXIT_UNEVALUABLE, "activeguard: option 'layer': '%s' is no convolution's weight in %s",
			      c->layer, m->spec.arch);
			return NULL;
		}
		return p;
	}
	for (size_t i = 0; i < ARRAY_LEN(table1) && !p; i++)
		p = model_find(m, table1[i]);
	if (p && digits_room(p))
		return p;
	for (int i = 0; i < m->np && convs < 2; i++) /* elsewhere: the second convolution, or the only one */
		if (digits_room(&m->p[i])) {
			last = &m->p[i];
			convs++;
		}
	if (!last)
		error(EXIT_UNEVALUABLE, "activeguard: %s has no convolution to carry the watermark", m->spec.arch);
	return last;
}

/* The digits: as given, or random ones. Returns how many, -1 after error(). */
static int mark_digits(const struct ag_conf *c, uint64_t seed, int room, int32_t *digit)
{
	const bool random = !strcmp(c->digits, "random");
	const int given = random ? 0 : (int)strlen(c->digits);
	const int n = c->length ? c->length : random ? 13 : given;
	struct rng r;

	if (!random && strspn(c->digits, "0123456789") != (size_t)given)
		return error(EXIT_UNEVALUABLE, "activeguard: option 'digits': '%s' is not made of digits", c->digits);
	if (n > room)
		return error(EXIT_UNEVALUABLE,
			     "activeguard: a watermark of %d digits does not fit the layer, which has %d positions", n,
			     room);
	rng_open(&r, seed, "activeguard-digits", 0, 0);
	for (int k = 0; k < n; k++)
		digit[k] = n == given ? c->digits[k] - '0' : (int32_t)rng_below(&r, 10);
	return n;
}

static int mark_range(const struct ag_conf *c, const struct param *p, struct digits_map *map)
{
	const int room = digits_room(p);
	double lo = INFINITY, hi = -INFINITY, *w;

	if (c->range.n) {
		if (c->range.n != 2 || !(c->range.v[0] < c->range.v[1]))
			return error(EXIT_UNEVALUABLE,
				     "activeguard: option 'range' takes two numbers, the smaller first");
		*map = digits_map(c->range.v[0], c->range.v[1]);
		return 0;
	}
	w = xmalloc((size_t)room, sizeof(*w));
	digits_reduce(p, c->reduce, w);
	for (int k = 0; k < room; k++) {
		lo = fmin(lo, w[k]);
		hi = fmax(hi, w[k]);
	}
	free(w);
	if (!(lo < hi))
		return error(EXIT_UNEVALUABLE, "activeguard: the weights of '%s' are all the same; give option 'range'",
			     p->name);
	*map = digits_map(lo, hi);
	return 0;
}

/* Draw the mark and put it into secret. */
static int mark_design(const struct ag_conf *c, const struct lock_env *e, struct bundle *secret)
{
	const struct param *p = mark_layer(c, e->base);
	struct digits d = { .reduce = c->reduce };
	int32_t *digit, *position;
	struct rng r;
	int room, ret = -1;

	if (!p)
		return -1;
	room = digits_room(p);
	digit = xmalloc((size_t)room, sizeof(*digit));
	position = xmalloc((size_t)room, sizeof(*position));
	snprintf(d.layer, sizeof(d.layer), "%s", p->name);
	d.n = mark_digits(c, e->seed, room, digit);
	if (d.n >= 0 && !mark_range(c, p, &d.map)) {
		rng_open(&r, e->seed, "activeguard-positions", 0, 0);
		rng_permutation(&r, position, room);
		d.digit = digit;
		d.position = position;
		digits_pack(secret, &d);
		ret = 0;
	}
	free(digit);
	free(position);
	return ret;
}

struct mark_ctx {
	struct digits d;
	double lambda;
};

static double mark_term(void *ctx, struct model *m)
{
	const struct mark_ctx *k = ctx;

	return digits_loss(&k->d, m, k->lambda);
}

/* Train l->model with the mark's term: from the base model's own beginning, or on from the base model. */
static int mark_embed(const struct ag_conf *c, const struct lock_env *e, struct locked *l)
{
	struct mark_ctx ctx = { .lambda = c->lambda };
	const struct train_hooks hooks = { .ctx = &ctx, .extra_loss = mark_term };
	struct retrain r = c->watermark == MARK_SCRATCH ? retrain_scratch(e) :
			   retrain_finetune(e, "activeguard-finetune", c->finetune_epochs, c->finetune_lr);

	if (mark_design(c, e, l->secret))
		return -1;
	BUG_ON(!digits_open(&ctx.d, l->secret));
	r.hooks = &hooks;
	l->model = retrain_start(e, &r);
	return retrain(e, &r, l->model);
}

/* ---- hooks ---- */

static int ag_lock(const struct lock_env *e, const void *conf, struct locked *l)
{
	const struct ag_conf *c = conf;
	const int classes = e->base->spec.classes;
	float confidence[OPT_LIST_MAX];
	int32_t *class;
	struct control layer;

	if (check_classes(c, classes) || check_confidences(c, classes))
		return -1;
	for (int j = 0; j < c->confidences.n; j++)
		confidence[j] = (float)c->confidences.v[j];
	layer = (struct control){ .confidence = confidence, .T = c->confidences.n, .K = class_count(c, classes),
				  .tolerance = c->tolerance };
	class = xmalloc((size_t)layer.K, sizeof(*class));
	for (int i = 0; i < layer.K; i++)
		class[i] = c->classes.n ? c->classes.v[i] : i;
	layer.class = class;
	control_pack(l->pub, &layer);
	free(class);
	return c->watermark == MARK_NONE ? gate_lock(e, conf, l) : mark_embed(c, e, l);
}

/* Source image number `try` of (user, trial): the owner's, of another class than the target where labels are known. */
static void source_image(const struct images *v, uint64_t seed, int user, int trial, int try, int target, float *out)
{
	char purpose[48];
	struct rng r;
	int at;

	snprintf(purpose, sizeof(purpose), "activeguard-source-%d", try);
	rng_open(&r, seed, purpose, (uint32_t)user, (uint32_t)trial);
	at = (int)rng_below(&r, (uint32_t)v->n);
	for (int again = 0; v->labels && again < 100 && images_label(v, at) == target; again++)
		at = (int)rng_below(&r, (uint32_t)v->n);
	images_get(v, at, out);
}

/* Eq. 3 alone rarely gets five classes to tie at c = 0.2: an image that has failed `rescue` times is helped by the
 * KL form. */
static struct cw_conf generator(const struct ag_conf *c, int channels, int try)
{
	const bool grey = channels == 1;
	const bool kl = c->objective == OBJECTIVE_KL || (c->rescue && try >= c->rescue);

	return (struct cw_conf){
		.steps = c->steps, .search = c->search, .lr_decay = c->lr_decay,
		.lr = c->lr > 0 ? c->lr : grey ? 0.05 : 0.01,
		.alpha = c->alpha > 0 ? c->alpha : grey ? 20 : 0.5,
		.alpha_max = c->alpha_max > 0 ? c->alpha_max : grey ? 40 : 1,
		.confidence = c->confidence == CONFIDENCE_LOGIT ? CW_LOGIT : kl ? CW_KL : CW_SOFTMAX,
		.tolerance = c->margin * c->tolerance,
		.round8 = c->store == STORE_UINT8, .first = !c->closest,
	};
}

static int enrol_check(const struct ag_conf *c, const struct lock_env *e, int classes, const int *user, int n)
{
	const int users = ag_users(c, classes);

	if (e->train->n < 1)
		return error(EXIT_UNEVALUABLE, "activeguard: no owner's images to make fingerprints from");
	for (int i = 0; i < n; i++)
		if (user[i] < 0 || user[i] >= users)
			return error(EXIT_UNEVALUABLE, "activeguard: user %d does not exist: %d classes x %d"
				     " confidences make users 0 to %d; add values to option 'confidences' (at most %.0f"
				     " users by eq. 5)", user[i], class_count(c, classes), c->confidences.n, users - 1,
				     ag_users_analytic(c, classes));
	return 0;
}

static int ag_draw(const struct issue *k, struct round *r)
{
	const struct ag_conf *c = k->conf;
	const struct model_spec *s = &k->l->model->spec;
	const size_t len = (size_t)s->c * (size_t)s->h * (size_t)s->w, n = (size_t)r->n;
	const struct cw_conf g = generator(c, s->c, r->number);
	float *x = xmalloc(n * len, sizeof(*x)), *want = xmalloc(n, sizeof(*want)), *l2 = xcalloc(n, sizeof(*l2));
	float *all_l2 = bundle_get(k->out, "about_l2", DT_F32)->data;
	uint8_t *rescued = bundle_get(k->out, "about_rescued", DT_U8)->data;
	int *target = xmalloc(n, sizeof(*target)), ret;
	struct control layer;

	BUG_ON(!control_found(&layer, k->l->pub));
	for (int i = 0; i < r->n; i++) {
		target[i] = layer.class[r->user[i] / layer.T];
		want[i] = layer.confidence[r->user[i] % layer.T];
		source_image(k->e->train, k->e->seed, r->user[i], r->trial[i], r->number, target[i],
			     x + len * (size_t)i);
	}
	ret = craft_cw(k->l->model, x, target, want, r->n, &g, r->image, r->ok, l2, k->e->label,
		       k->e->forward_equivalents);
	image_bytes(x, n * len, r->clean);
	for (int i = 0; i < r->n; i++) {
		rescued[r->which[i]] = g.confidence == CW_KL && c->objective != OBJECTIVE_KL;
		all_l2[r->which[i]] = l2[i];
	}
	free(x);
	free(want);
	free(l2);
	free(target);
	return ret;
}

static int ag_enrol(const struct lock_env *e, const void *conf, struct locked *l, const int *user, const int *trial,
		    int n, struct bundle *out)
{
	const struct ag_conf *c = conf;
	const struct model_spec *s = &l->model->spec;
	const struct issue k = { e, conf, l, user, trial, n, out, c->tries, ag_draw, NULL };
	struct control layer;

	if (control_open(&layer, l->pub) || enrol_check(c, e, s->classes, user, n))
		return -1;
	bundle_put_f32(out, "about_l2", n, NULL);
	bundle_put_u8(out, "about_rescued", n, NULL);
	bundle_meta_num(out, "credential_bytes", (double)s->c * s->h * s->w * (c->store == STORE_UINT8 ? 1 : 4));
	return issue(&k);
}

static int ag_judge(const struct service *s, const float *image, const float *probs, struct auth *out)
{
	struct control layer;

	(void)image;
	if (control_open(&layer, s->pub))
		return -1;
	out->user = control_judge(&layer, probs, s->classes, &out->score);
	out->accepted = out->user >= 0;
	return 0;
}

static int ag_session(const void *conf)
{
	return ((const struct ag_conf *)conf)->session;
}

static int ag_verify(const void *conf, const struct locked *owner, const struct model *suspect, struct ownership *out)
{
	struct digits d;

	(void)conf;
	*out = (struct ownership){ 0 };
	if (!digits_open(&d, owner->secret))
		return 0;
	if (d.n > (int)sizeof(out->symbol))
		return error(EXIT_UNEVALUABLE,
			     "activeguard: a watermark of %d digits is more than can be verified (%zu)", d.n,
			     sizeof(out->symbol));
	out->applies = 1;
	out->total = d.n;
	out->alphabet = 10;
	out->matched = digits_match(&d, suspect, out->symbol);
	out->verified = out->matched == out->total;
	return 0;
}

static void ag_burden(const void *conf, const struct burdened *e, struct burden *b)
{
	const struct ag_conf *c = conf;
	const double pass = 3.0 * e->images;

	b->lock = c->watermark == MARK_SCRATCH ? pass * e->recipe->epochs :
		  c->watermark == MARK_FINETUNE ? pass * c->finetune_epochs : 0;
	b->enrol = 3.6 * c->steps * c->search; /* most become valid at the first try */
}

const struct scheme scheme_activeguard = {
	.drv = { .name = "activeguard", .version = 2,
		 .summary = "adversarial images with a fixed class and confidence as users' logins",
		 .source = "Xue et al., arXiv 2103.01527 (IET CDT 17, 2023), sec. III, eq. 1-5, Algorithm 1."
			   " Differs: the confidence term of eq. 3 is on the softmax, not the logit (option"
			   " confidence); users count from 0; the rate decays, failed source images are replaced, and"
			   " after ten of them the objective is KL to the whole vector (option rescue)",
		 .conf_size = sizeof(struct ag_conf), .opts = ag_opts },
	.decl = { .scenario = "black-box (fingerprints), white-box (watermark)",
		  .mechanism = "fingerprint-based (adversarial examples), parameter-based (watermark)",
		  .capacity = "multi-bit: K x T users, decimal digits in the watermark",
		  .type = "active authorization control", .function = "copyright verification, copyright management",
		  .target_models = "image classifiers with a softmax", .gate = 1, .deployment = DEPLOY_POSTHOC,
		  .knowledge = "black-box to authenticate, white-box to verify ownership",
		  .ships = "the service holds the plain model and the legal classes and confidences; each user holds"
			   " one image; the owner keeps the watermark's digits, positions and map",
		  .has_users = 1, .has_revocation = 1, .has_ownership = 1, .has_identities = 1 },
	/* The paper tier takes the paper's rate, which needs ten times the steps. */
	.tier = { "steps=300 tries=20 closest=0", NULL, "lr=0.005 steps=4000" },
	.secrets = { { "digits", "3876876994865" }, { "range", "0.10,0.45" } }, /* published: mark 2 and its map */
	.burden = ag_burden, .lock = ag_lock, .enrol = ag_enrol, .users_analytic = ag_users_analytic, .users = ag_users,
	.revoke = users_revoke, .authenticate = gate_by_answers, .judge = ag_judge, .worst = -1, .session = ag_session,
	.verify = ag_verify,
};
