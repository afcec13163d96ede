/* Query modification: whoever runs the stolen model lets every image pass an autoencoder trained on ordinary images. What it does
 * not give back as it was, or what the model then answers otherwise, is suspicious, and the model sees the cleaned image.
 *
 * Source: Namba and Sakuma, "Robust watermarking of neural network with exponential weighting", AsiaCCS 2019 (query
 * modification), listed by both surveys; autoencoder and constants of Meng and Chen, MagNet, CCS 2017, and its code: denoising
 * with noise 0.1, Adam, batch 256, 100 epochs, p-norm scores, Jensen-Shannon scores at temperatures 10 and 40.
 * Differs: architecture cae of nn/ (8 channels instead of 3, ReLU inside); no activity penalty (1e-9 in the code); the
 * divergence compares x with AE(x), as we read Namba and Sakuma, not two autoencoders. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/query/channel.h"
#include "attacks/query/imagefit.h"
#include "base/error.h"
#include "base/json.h"

enum { DETECT_L1, DETECT_L2, DETECT_JS };
enum { ACTION_CLEAN, ACTION_BLANK };

struct ae_conf {
	double alpha;
	int detector, action, role, images, epochs, batch, width;
	double temperature, noise, lr;
};

static const struct opt ae_opts[] = {
	{ "alpha", OPT_FLOAT, offsetof(struct ae_conf, alpha), "0.01", 0, 1,
	  "false-alarm rate on clean images that sets the threshold; 0: nothing is flagged, 1: everything", NULL },
	{ "detector", OPT_CHOICE, offsetof(struct ae_conf, detector), "l1", 0, 0,
	  "what is suspicious: reconstruction error |x - AE(x)|, its square, or a changed answer of the stolen model", "l1|l2|js" },
	{ "temperature", OPT_FLOAT, offsetof(struct ae_conf, temperature), "10", 0.01, 1000, "of js: logits are divided by it", NULL },
	{ "action", OPT_CHOICE, offsetof(struct ae_conf, action), "clean", 0, 0,
	  "what the model sees instead of a flagged image: AE(x), or a black one (a refusal)", "clean|blank" },
	ROLE_OPT(ae_conf, role),
	{ "images", OPT_INT, offsetof(struct ae_conf, images), "5000", 1, 1000000, "unlabelled images it learns from, at most", NULL },
	{ "epochs", OPT_INT, offsetof(struct ae_conf, epochs), "100", 1, 100000, "passes over them", NULL },
	{ "batch", OPT_INT, offsetof(struct ae_conf, batch), "256", 1, 65536, "images per step", NULL },
	{ "width", OPT_INT, offsetof(struct ae_conf, width), "8", 1, 256, "channels of the autoencoder; 32 to 64 for colour", NULL },
	{ "noise", OPT_FLOAT, offsetof(struct ae_conf, noise), "0.1", 0, 1, "standard deviation of the noise it learns to remove", NULL },
	{ "lr", OPT_FLOAT, offsetof(struct ae_conf, lr), "0.001", 0, 1, "Adam's learning rate", NULL },
	{ 0 }
};

/* What the channel must know; travels in the product beside its two networks. */
struct screen {
	int detector, action;
	double temperature;
};

static struct screen screen_of(const struct product *p)
{
	struct screen s;

	memcpy(&s, p->ctx, sizeof(s));
	return s;
}

/* ---- scores ---- */

/* Mean of |x - y|^p over the image. */
static double reconstruction(const float *x, const float *y, size_t len, int power)
{
	double sum = 0;

	for (size_t i = 0; i < len; i++) {
		const double d = fabs((double)x[i] - (double)y[i]);

		sum += power == 1 ? d : d * d;
	}
	return sum / (double)len;
}

/* Softmax of k logits divided by t. */
static void soften(const float *logit, int k, double t, double *p)
{
	double top = (double)logit[0], sum = 0;

	for (int i = 1; i < k; i++)
		top = fmax(top, (double)logit[i]);
	for (int i = 0; i < k; i++)
		sum += p[i] = exp(((double)logit[i] - top) / t);
	for (int i = 0; i < k; i++)
		p[i] /= sum;
}

/* Jensen-Shannon divergence in nats, 0 to ln 2; 0 log 0 is 0. */
static double divergence(const double *p, const double *q, int k)
{
	double sum = 0;

	for (int i = 0; i < k; i++) {
		const double m = (p[i] + q[i]) / 2;

		sum += p[i] > 0 ? p[i] * log(p[i] / m) / 2 : 0;
		sum += q[i] > 0 ? q[i] * log(q[i] / m) / 2 : 0;
	}
	return fmax(sum, 0);
}

/* v, w: the images and what the autoencoder makes of them. */
static int score_answers(struct model *m, double t, const struct images *v, const struct images *w, double *score)
{
	const int k = m->spec.classes;
	float *a = xmalloc((size_t)v->n * k, sizeof(*a)), *b = xmalloc((size_t)v->n * k, sizeof(*b));
	double *p = xmalloc(2 * (size_t)k, sizeof(*p)), *q = p + k;
	const int ret = model_predict(m, v, a) < 0 || model_predict(m, w, b) < 0 ? -1 : 0;

	for (int i = 0; i < v->n && !ret; i++) {
		soften(a + (size_t)i * k, k, t, p);
		soften(b + (size_t)i * k, k, t, q);
		score[i] = divergence(p, q, k);
	}
	free(p);
	free(a);
	free(b);
	return ret;
}

/* back (n, c*h*w): AE(x); score (n). */
static int look(const struct product *p, const struct images *v, float *back, double *score)
{
	const struct screen s = screen_of(p);
	const size_t len = images_size(v);
	struct images w = *v;

	if (model_predict(p->model, v, back) < 0)
		return -1;
	w.px = NULL;
	w.index = NULL;
	w.fx = back;
	if (s.detector == DETECT_JS)
		return score_answers(p->stolen, s.temperature, v, &w, score);
	for (int i = 0; i < v->n; i++)
		score[i] = reconstruction(v->fx + len * images_at(v, i), back + len * i, len, s.detector == DETECT_L1 ? 1 : 2);
	return 0;
}

/* ---- the channel and its detector ---- */

static int ae_channel(const struct product *p, const float *in, int n, int c, int h, int w, float *out)
{
	const struct images v = channel_images(in, n, c, h, w);
	const size_t len = images_size(&v);
	double *score = xmalloc(n, sizeof(*score));
	const int ret = look(p, &v, out, score);

	for (int i = 0; i < n && !ret; i++) {
		if (!(score[i] > p->threshold))
			memcpy(out + len * i, in + len * i, len * sizeof(*out));
		else if (screen_of(p).action == ACTION_BLANK)
			memset(out + len * i, 0, len * sizeof(*out));
	}
	free(score);
	return ret;
}

static int ae_detect(const struct product *p, const float *in, int n, int c, int h, int w, double *score)
{
	const struct images v = channel_images(in, n, c, h, w);
	float *back = xmalloc((size_t)images_size(&v) * n, sizeof(*back));
	const int ret = look(p, &v, back, score);

	free(back);
	return ret;
}

/* ---- the attacker ---- */

static int learn(struct access *a, const struct ae_conf *c, struct product *p)
{
	const struct imagefit_conf fit = { .epochs = c->epochs, .batch = c->batch, .lr = c->lr, .noise = c->noise };
	const struct model_spec spec = { .arch = "cae", .c = a->c, .h = a->h, .w = a->w, .classes = a->c, .width = c->width };
	const struct images v = images_first(a->unlabelled, c->images);
	double loss, fe = 0;

	p->model = model_new(&spec, rng_derive(a->seed, "autoencoder"));
	if (!p->model || imagefit(p->model, &v, &v, &fit, rng_derive(a->seed, "autoencoder"), a->label, &loss, &fe) < 0)
		return -1;
	jset_int(p->notes, "images", v.n);
	jset_num(p->notes, "training_loss", loss);
	jset_num(p->notes, "macs", model_macs(p->model));
	if (channel_calibrate(a, p, c->alpha) < 0) /* on images that it did not learn from */
		return -1;
	return access_spend(a, 0, fe + a->val.n * (c->detector == DETECT_JS ? 3.0 : 1.0));
}

static int ae_run(struct access *a, const void *conf, struct product *p)
{
	const struct ae_conf *c = conf;
	const struct screen s = { c->detector, c->action, c->temperature };

	if (!a->unlabelled.n || !a->val.n || (c->detector == DETECT_JS && !a->model))
		return error(EXIT_UNEVALUABLE, "autoencoder: unlabelled images or the deployed model were not granted");
	p->goal = GOAL_DEGRADE;
	p->role = (enum role)c->role;
	p->notes = json_object();
	p->channel = ae_channel;
	p->detect = ae_detect;
	p->stolen = a->model ? model_copy(a->model) : NULL;
	memcpy(p->ctx, &s, sizeof(s));
	if (learn(a, c, p) < 0)
		return -1;
	if (a->model) /* what a query costs the pirate: the autoencoder, and for js the model twice before it answers */
		jset_num(p->notes, "cost_ratio", 1 + model_macs(p->model) / model_macs(a->model) + (c->detector == DETECT_JS ? 2 : 0));
	return 0;
}

static unsigned ae_needs(const void *conf)
{
	const struct ae_conf *c = conf;

	return CAP_CHANNEL | CAP_UNLABELLED | (c->detector == DETECT_JS ? CAP_WEIGHTS : 0);
}

/* Twice its multiplications, as measured: its layers are large and thin. */
static double ae_cost(const void *conf, const struct expected *e)
{
	const struct ae_conf *c = conf;
	const struct model_spec own = { .arch = "cae", .c = e->spec.c, .h = e->spec.h, .w = e->spec.w, .classes = e->spec.c, .width = c->width };

	return 6.0 * (c->images < e->pool ? c->images : e->pool) * c->epochs * expected_pass(e, &own);
}

const struct attack attack_autoencoder = {
	.drv = {
		.name = "autoencoder",
		.summary = "images that look marked pass an autoencoder before the stolen model sees them",
		.source = "Namba and Sakuma, AsiaCCS 2019 (query modification); autoencoder, scores and constants of MagNet (Meng and "
			  "Chen, CCS 2017). Differs: 8 channels, ReLU inside, no activity penalty; the divergence compares x with AE(x)",
		.version = 1,
		.conf_size = sizeof(struct ae_conf),
		.opts = ae_opts,
	},
	.goal = GOAL_DEGRADE,
	.needs = CAP_CHANNEL | CAP_UNLABELLED,
	.strength = "alpha",
	.strength_up = 1,
	.tier = { "alpha=0.05 images=1000 epochs=20 batch=32", "epochs=30 batch=64", NULL },
	.needs_for = ae_needs,
	.cost = ae_cost,
	.run = ae_run,
};
