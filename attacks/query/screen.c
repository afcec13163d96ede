/* Screening: whoever runs the stolen model refuses images that look like credentials or marked queries (answers a black image
 * instead). What a scheme's credentials give away, by five detectors that need no autoencoder.
 *
 * Source: STRIP, Gao et al., ACSAC 2019; feature squeezing, Xu et al., NDSS 2018; chi-square, Westfeld and Pfitzmann, IH 1999;
 * RS, Fridrich et al., IEEE Multimedia 2001; concealment in Xue et al., survey of active protection (2023).
 * Differs: STRIP overlays images of the attack pool and clips the sum; squeezing takes 1 bit (grey) or 5 bits (colour) and a 3x3
 * median instead of 2x2; `confidence` is ours: the plainest question to a scheme that codes users by an unusual confidence. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/query/channel.h"
#include "attacks/query/screen_stego.h"
#include "base/error.h"
#include "base/json.h"

enum { DETECT_CONFIDENCE, DETECT_STRIP, DETECT_SQUEEZE, DETECT_CHI2, DETECT_RS };

struct screen_conf {
	double alpha;
	int detector, overlays, role;
};

static const struct opt screen_opts[] = {
	{ "alpha", OPT_FLOAT, offsetof(struct screen_conf, alpha), "0.05", 0, 1,
	  "false-alarm rate on clean images that sets the threshold; 0: nothing is flagged, 1: everything", NULL },
	{ "detector", OPT_CHOICE, offsetof(struct screen_conf, detector), "confidence", 0, 0,
	  "low top confidence, answers that survive overlays, answers that do not survive squeezing, even low bits (two tests)",
	  "confidence|strip|squeeze|chi2|rs" },
	{ "overlays", OPT_INT, offsetof(struct screen_conf, overlays), "20", 1, 1000, "of strip: clean images laid over each image", NULL },
	ROLE_OPT(screen_conf, role),
	{ 0 }
};

static const float *rows_of(const struct images *v)
{
	BUG_ON(!v->fx || v->index);
	return v->fx;
}

/* ---- by the stolen model's answers ---- */

/* probs (n, classes); NULL after error(). Caller frees. */
static float *answers(struct model *m, const struct images *v)
{
	float *probs = xmalloc((size_t)v->n * m->spec.classes, sizeof(*probs));

	if (model_predict_probs(m, v, probs) == 0)
		return probs;
	free(probs);
	return NULL;
}

static int score_confidence(const struct product *p, const struct images *v, double *score)
{
	const int k = p->stolen->spec.classes;
	float *probs = answers(p->stolen, v);

	for (int i = 0; probs && i < v->n; i++) {
		float top = 0;

		for (int j = 0; j < k; j++)
			top = fmaxf(top, probs[(size_t)i * k + j]);
		score[i] = 1 - (double)top;
	}
	free(probs);
	return probs ? 0 : -1;
}

static double entropy(const float *p, int k)
{
	double sum = 0;

	for (int i = 0; i < k; i++)
		sum -= p[i] > 0 ? (double)p[i] * log((double)p[i]) : 0;
	return sum;
}

/* Minus the mean entropy of the answers to clip(x + overlay): a mark that decides the answer alone leaves it low. */
static int score_strip(const struct product *p, const struct images *v, double *score)
{
	const struct tensor *t = bundle_get(p->kept, "overlay", DT_F32);
	const size_t len = images_size(v), n = (size_t)t->d[0];
	const float *x = rows_of(v), *over = t->data;
	float *both = xmalloc(len * v->n, sizeof(*both));
	const struct images w = channel_images(both, v->n, v->c, v->h, v->w);
	int ret = 0;

	memset(score, 0, (size_t)v->n * sizeof(*score));
	for (size_t k = 0; k < n && !ret; k++, over += len) {
		float *probs;

		for (size_t i = 0; i < len * v->n; i++)
			both[i] = fminf(x[i] + over[i % len], 1);
		probs = answers(p->stolen, &w);
		for (int i = 0; probs && i < v->n; i++)
			score[i] -= entropy(probs + (size_t)i * p->stolen->spec.classes, p->stolen->spec.classes) / (double)n;
		ret = probs ? 0 : -1;
		free(probs);
	}
	free(both);
	return ret;
}

/* score[i] becomes at least the L1 distance of rows i of a and b. */
static void raise_to_l1(const float *a, const float *b, int n, int k, double *score)
{
	for (int i = 0; i < n; i++) {
		double sum = 0;

		for (int j = 0; j < k; j++)
			sum += fabs((double)a[(size_t)i * k + j] - (double)b[(size_t)i * k + j]);
		score[i] = fmax(score[i], sum);
	}
}

/* The largest change of the answer, in L1 (0 to 2), when the image has few levels or is smoothed. */
static int score_squeeze(const struct product *p, const struct images *v, double *score)
{
	const struct shape s = { v->c, v->h, v->w };
	const size_t len = images_size(v);
	const float *x = rows_of(v);
	float *squeezed = xmalloc(len * v->n, sizeof(*squeezed)), *plain = answers(p->stolen, v), *probs = NULL;
	const struct images w = channel_images(squeezed, v->n, v->c, v->h, v->w);
	int ret = plain ? 0 : -1;

	memset(score, 0, (size_t)v->n * sizeof(*score));
	for (int how = 0; how < 2 && !ret; how++) {
		for (size_t i = 0; i < (size_t)v->n; i++) {
			if (how)
				img_median(x + len * i, s, 1, squeezed + len * i);
			else
				img_levels(x + len * i, s, v->c == 1 ? 2 : 32, squeezed + len * i);
		}
		probs = answers(p->stolen, &w);
		ret = probs ? 0 : -1;
		if (!ret)
			raise_to_l1(plain, probs, v->n, p->stolen->spec.classes, score);
		free(probs);
	}
	free(plain);
	free(squeezed);
	return ret;
}

/* ---- by the image alone ---- */

/* chi2: minus the statistic, so that even counts are suspicious. */
static int score_bits(const struct product *p, const struct images *v, double *score)
{
	const struct shape s = { v->c, v->h, v->w };
	const size_t len = images_size(v);
	uint8_t *px = xmalloc(len, 1);
	int detector;

	memcpy(&detector, p->ctx, sizeof(detector));
	for (int i = 0; i < v->n; i++) {
		image_bytes_up(rows_of(v) + len * i, len, px);
		score[i] = detector == DETECT_CHI2 ? -stego_chi2(px, len) : stego_rs(px, s);
	}
	free(px);
	return 0;
}

/* ---- the channel ---- */

static int screen_detect(const struct product *p, const float *in, int n, int c, int h, int w, double *score)
{
	static int (*const by[])(const struct product *p, const struct images *v, double *score) = {
		score_confidence, score_strip, score_squeeze, score_bits, score_bits
	};
	const struct images v = channel_images(in, n, c, h, w);
	int detector;

	memcpy(&detector, p->ctx, sizeof(detector));
	return by[detector](p, &v, score);
}

static int screen_channel(const struct product *p, const float *in, int n, int c, int h, int w, float *out)
{
	const size_t len = (size_t)c * h * w;
	double *score = xmalloc(n, sizeof(*score));
	const int ret = screen_detect(p, in, n, c, h, w, score);

	for (int i = 0; i < n && !ret; i++) {
		if (score[i] > p->threshold)
			memset(out + len * i, 0, len * sizeof(*out));
		else
			memcpy(out + len * i, in + len * i, len * sizeof(*out));
	}
	free(score);
	return ret;
}

/* ---- the attacker ---- */

static struct bundle *take_overlays(const struct access *a, int n)
{
	const struct images v = images_first(a->unlabelled, n);
	struct bundle *b = bundle_new();
	float *x = bundle_put(b, "overlay", DT_F32, 4, (int64_t[]){ v.n, v.c, v.h, v.w }, NULL);

	for (int i = 0; i < v.n; i++)
		images_get(&v, i, x + (size_t)images_size(&v) * i);
	return b;
}

static double cost_of(const struct screen_conf *c, int overlays)
{
	switch (c->detector) {
	case DETECT_CONFIDENCE:
		return 1;
	case DETECT_STRIP:
		return overlays;
	case DETECT_SQUEEZE:
		return 3;
	}
	return 0;
}

static int screen_run(struct access *a, const void *conf, struct product *p)
{
	const struct screen_conf *c = conf;
	const int overlays = a->unlabelled.n < c->overlays ? a->unlabelled.n : c->overlays;

	if (!a->unlabelled.n || !a->val.n || (c->detector < DETECT_CHI2 && !a->model))
		return error(EXIT_UNEVALUABLE, "screen: unlabelled images or the deployed model were not granted");
	if (c->detector == DETECT_RS && a->w < 4)
		return error(EXIT_UNEVALUABLE, "screen: detector=rs needs images of at least 4 columns, not %d", a->w);
	p->goal = GOAL_DEGRADE;
	p->role = (enum role)c->role;
	p->channel = screen_channel;
	p->detect = screen_detect;
	p->stolen = a->model ? model_copy(a->model) : NULL;
	p->kept = c->detector == DETECT_STRIP ? take_overlays(a, overlays) : NULL;
	memcpy(p->ctx, &c->detector, sizeof(c->detector));
	p->notes = json_object();
	if (channel_calibrate(a, p, c->alpha) < 0)
		return -1;
	return access_spend(a, 0, a->val.n * cost_of(c, overlays));
}

static unsigned screen_needs(const void *conf)
{
	const struct screen_conf *c = conf;

	return CAP_CHANNEL | CAP_UNLABELLED | (c->detector < DETECT_CHI2 ? CAP_WEIGHTS : 0);
}

const struct attack attack_screen = {
	.drv = {
		.name = "screen",
		.summary = "images that look like credentials are refused by whoever runs the stolen model",
		.source = "STRIP (Gao et al., ACSAC 2019), feature squeezing (Xu et al., NDSS 2018), chi-square (Westfeld and Pfitzmann, "
			  "1999), RS analysis (Fridrich et al., 2001). Differs: overlays from the attack pool; a 3x3 median; the "
			  "confidence detector is ours",
		.version = 1,
		.conf_size = sizeof(struct screen_conf),
		.opts = screen_opts,
	},
	.goal = GOAL_DEGRADE,
	.needs = CAP_CHANNEL | CAP_UNLABELLED,
	.strength = "alpha",
	.strength_up = 1,
	.needs_for = screen_needs,
	.run = screen_run,
};
