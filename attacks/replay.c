/* Replay of what clients add: the residual between images and what a user's client made of them is added to other images.
 *
 *   single   of the first pair
 *   mean     averaged over all pairs
 *   nearest  of the pair whose image is closest in Euclidean distance
 *   filter   residual = a 5x5 convolution of the image (for each pair of channels, and a constant), fitted by ridge regression
 *   pca      residual = a combination of the pairs' first `rank` principal components, its weights linear in the image, by ridge regression
 *
 * Source: survey of active authorization control (2021), section IV ("adaptive" attack: subtract and paste); single as there.
 * Differs: more than one pair, by averaging, choosing, filtering and projecting, is ours. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/encoder.h"
#include "attacks/svd.h"
#include "base/error.h"
#include "base/json.h"

enum method { REPLAY_SINGLE, REPLAY_MEAN, REPLAY_NEAREST, REPLAY_FILTER, REPLAY_PCA };
enum { SIDE = 5, TAPS = SIDE * SIDE, FILTER_IMAGES = 200, PCA_IMAGES = 200 };
#define RIDGE 1e-2 /* on sums over pixels */

struct replay_conf { int pairs, method, rank, through, top1; };
static const struct opt replay_opts[] = {
	{ "pairs", OPT_INT, offsetof(struct replay_conf, pairs), "1", 0, 1000000, "pairs of an image and what a client made of it; 0: images go as they are", NULL },
	{ "method", OPT_CHOICE, offsetof(struct replay_conf, method), "single", 0, 0, "which residual an image gets", "single|mean|nearest|filter|pca" },
	{ "rank", OPT_INT, offsetof(struct replay_conf, rank), "4", 1, 1000, "pca: principal components", NULL },
	THROUGH_ROW(struct replay_conf, through),
	{ "top1", OPT_BOOL, offsetof(struct replay_conf, top1), "no", 0, 0, "the service answers with a class only", NULL },
	{ 0 }
};

/* Travels in the product beside "plain" and "residual" f32 (pairs, c*h*w), "filter" f32 (c, c*TAPS + 1), or "dual" f32
 * (pairs, c*h*w), whose rows are weighted by how like each pair's image is. */
struct tape_recorder { int method, through, pairs; };

static struct tape_recorder of_product(const struct product *p)
{
	struct tape_recorder t;

	memcpy(&t, p->ctx, sizeof(t));
	return t;
}

/* ---- the linear filter ---- */

/* The c*TAPS numbers around pixel (y,x) of img (c,h,w), zeros beyond the border, and a 1. */
static void around(const float *img, int c, int h, int w, int y, int x, double *out)
{
	for (int ch = 0; ch < c; ch++)
		for (int k = 0; k < TAPS; k++) {
			const int yy = y + k / SIDE - SIDE / 2, xx = x + k % SIDE - SIDE / 2;

			*out++ = yy < 0 || xx < 0 || yy >= h || xx >= w ? 0 : (double)img[(ch * h + yy) * w + xx];
		}
	*out = 1;
}

/* Solve a x = b for c right sides: a (n,n) positive definite, b (c,n) becomes x. Cholesky. */
static void solve(double *a, int n, double *b, int c)
{
	for (int j = 0; j < n; j++)
		for (int i = j; i < n; i++) {
			double s = a[i * n + j];

			for (int k = 0; k < j; k++)
				s -= a[i * n + k] * a[j * n + k];
			a[i * n + j] = i == j ? sqrt(s) : s / a[j * n + j];
		}
	for (int r = 0; r < c; r++, b += n) {
		for (int i = 0; i < n; i++) {
			for (int k = 0; k < i; k++)
				b[i] -= a[i * n + k] * b[k];
			b[i] /= a[i * n + i];
		}
		for (int i = n - 1; i >= 0; i--) {
			for (int k = i + 1; k < n; k++)
				b[i] -= a[k * n + i] * b[k];
			b[i] /= a[i * n + i];
		}
	}
}

static void fit_filter(const struct images *plain, const float *residual, struct bundle *kept)
{
	const int c = plain->c, h = plain->h, w = plain->w, n = c * TAPS + 1, len = images_size(plain);
	double *a = xcalloc((size_t)n * (size_t)n, sizeof(*a)), *b = xcalloc((size_t)c * (size_t)n, sizeof(*b));
	double *row = xmalloc((size_t)n, sizeof(*row));
	float *img = xmalloc((size_t)len, sizeof(*img)), *out;

	for (int i = 0; i < plain->n && i < FILTER_IMAGES; i++) {
		images_get(plain, i, img);
		for (int p = 0; p < h * w; p++) {
			around(img, c, h, w, p / w, p % w, row);
			for (int r = 0; r < n; r++)
				for (int k = 0; k <= r && row[r] > 0; k++)
					a[r * n + k] += row[r] * row[k];
			for (int ch = 0; ch < c; ch++)
				for (int r = 0; r < n; r++)
					b[ch * n + r] += row[r] * (double)residual[(size_t)i * (size_t)len + (size_t)(ch * h * w + p)];
		}
	}
	for (int r = 0; r < n; r++)
		a[r * n + r] += RIDGE;
	solve(a, n, b, c);
	out = bundle_put(kept, "filter", DT_F32, 2, (const int64_t[]){ c, n }, NULL);
	for (int i = 0; i < c * n; i++)
		out[i] = (float)b[i];
	free(a);
	free(b);
	free(row);
	free(img);
}

static void filter(const float *weight, const float *img, int c, int h, int w, double *residual)
{
	const int n = c * TAPS + 1;
	double *row = xmalloc((size_t)n, sizeof(*row));

	for (int p = 0; p < h * w; p++) {
		around(img, c, h, w, p / w, p % w, row);
		for (int ch = 0; ch < c; ch++) {
			residual[ch * h * w + p] = 0;
			for (int r = 0; r < n; r++)
				residual[ch * h * w + p] += (double)weight[ch * n + r] * row[r];
		}
	}
	free(row);
}

/* ---- principal components ---- */

/* How like two images are: their product, and a constant, by their size. */
static double like(const float *x, const float *y, int len)
{
	double sum = 1;

	for (int k = 0; k < len; k++)
		sum += (double)x[k] * (double)y[k];
	return sum / len;
}

/* Ridge regression of the residuals, which lie in the space of the first components, on the images, in its dual form. */
static void fit_pca(const float *x, const float *residual, int n, int len, int rank, struct bundle *kept)
{
	double *a = xmalloc((size_t)n * (size_t)n, sizeof(*a)), *r = xmalloc((size_t)n * (size_t)len, sizeof(*r));
	double *b = xmalloc((size_t)n * (size_t)len, sizeof(*b)), *mean = xcalloc((size_t)len, sizeof(*mean)), trace = 0;
	float *out = bundle_put(kept, "dual", DT_F32, 2, (const int64_t[]){ n, len }, NULL);

	for (int i = 0; i < n * len; i++)
		mean[i % len] += (double)residual[i] / n;
	for (int i = 0; i < n * len; i++)
		r[i] = (double)residual[i] - mean[i % len];
	svd_truncate(r, n, len, rank);
	for (int i = 0; i < n; i++) {
		for (int k = 0; k <= i; k++)
			a[i * n + k] = like(x + (ptrdiff_t)i * len, x + (ptrdiff_t)k * len, len);
		trace += a[i * n + i];
		for (int k = 0; k < len; k++)
			b[k * n + i] = r[(ptrdiff_t)i * len + k] + mean[k];
	}
	for (int i = 0; i < n; i++)
		a[i * n + i] += RIDGE * trace / n;
	solve(a, n, b, len);
	for (int i = 0; i < n; i++)
		for (int k = 0; k < len; k++)
			out[(ptrdiff_t)i * len + k] = (float)b[k * n + i];
	free(a);
	free(r);
	free(b);
	free(mean);
}

static void combine(const float *plain, const float *dual, int n, const float *x, int len, double *residual)
{
	memset(residual, 0, (size_t)len * sizeof(*residual));
	for (int i = 0; i < n; i++) {
		const double w = like(plain + (ptrdiff_t)i * len, x, len);

		for (int k = 0; k < len; k++)
			residual[k] += w * (double)dual[(ptrdiff_t)i * len + k];
	}
}

/* ---- which residual ---- */

static int nearest(const float *plain, int pairs, const float *x, int len)
{
	double least = INFINITY;
	int best = 0;

	for (int i = 0; i < pairs; i++, plain += len) {
		double d = 0;

		for (int k = 0; k < len; k++)
			d += ((double)plain[k] - (double)x[k]) * ((double)plain[k] - (double)x[k]);
		if (d < least) {
			least = d;
			best = i;
		}
	}
	return best;
}

static int replay_prepare(const struct product *p, const struct images *v, float *out)
{
	const struct tape_recorder t = of_product(p);
	const float *plain = bundle_f32(p->kept, "plain", NULL), *residual = bundle_f32(p->kept, "residual", NULL);
	const float *weight = bundle_f32(p->kept, "filter", NULL), *dual = bundle_f32(p->kept, "dual", NULL);
	const int len = images_size(v);
	double *add = xmalloc((size_t)len, sizeof(*add));

	for (int i = 0; i < v->n; i++, out += len) {
		images_get(v, i, out);
		if (!t.pairs)
			continue;
		if (t.method == REPLAY_PCA)
			combine(plain, dual, t.pairs < PCA_IMAGES ? t.pairs : PCA_IMAGES, out, len, add);
		else if (t.method == REPLAY_FILTER)
			filter(weight, out, v->c, v->h, v->w, add);
		else
			for (int k = 0, at = t.method == REPLAY_NEAREST ? nearest(plain, t.pairs, out, len) : 0; k < len; k++)
				add[k] = (double)residual[(size_t)at * (size_t)len + (size_t)k];
		for (int k = 0; k < len; k++)
			out[k] = encoder_round((double)out[k] + add[k]);
	}
	free(add);
	return 0;
}

static int replay_answer(const struct product *p, struct asked *service, const struct images *v, float *probs)
{
	return encoder_answer(p, service, v, replay_prepare, of_product(p).through, probs);
}

/* ---- the attack ---- */

static void record(const struct images *plain, const struct images *keyed, int method, int rank, struct bundle *kept)
{
	const int len = images_size(plain);
	float *x = bundle_put(kept, "plain", DT_F32, 2, (const int64_t[]){ plain->n, len }, NULL);
	float *r = xmalloc((size_t)plain->n * (size_t)len, sizeof(*r));

	for (int i = 0; i < plain->n; i++) {
		images_get(plain, i, x + (size_t)i * (size_t)len);
		images_get(keyed, i, r + (size_t)i * (size_t)len);
		for (int k = 0; k < len; k++)
			r[(size_t)i * (size_t)len + (size_t)k] -= x[(size_t)i * (size_t)len + (size_t)k];
	}
	if (method == REPLAY_FILTER)
		fit_filter(plain, r, kept);
	if (method == REPLAY_PCA)
		fit_pca(x, r, plain->n < PCA_IMAGES ? plain->n : PCA_IMAGES, len, rank, kept);
	for (int k = 0; k < len && method == REPLAY_MEAN; k++) {
		double sum = 0;

		for (int i = 0; i < plain->n; i++)
			sum += (double)r[(size_t)i * (size_t)len + (size_t)k];
		r[k] = (float)(sum / plain->n); /* the first row is what is used */
	}
	bundle_put(kept, "residual", DT_F32, 2, (const int64_t[]){ plain->n, len }, r);
	free(r);
}

static unsigned replay_needs(const void *conf)
{
	const struct replay_conf *c = conf;

	return CAP_PAIR | through_needs(c->through, c->top1);
}

static const char *replay_inapplicable(const void *conf, int has_users, int has_ownership)
{
	(void)conf, (void)has_ownership;
	return encoder_inapplicable(has_users);
}

static int replay_run(struct access *a, const void *conf, struct product *p)
{
	const struct replay_conf *c = conf;
	struct images plain, keyed;
	struct tape_recorder t = { c->method, c->through, 0 };

	if (!encoder_pairs(a, "replay", c->pairs, &plain, &keyed) && c->pairs)
		return -1;
	if (c->through == THROUGH_WEIGHTS && !a->model)
		return error(EXIT_UNEVALUABLE, "replay: the deployed weights were not granted");
	p->goal = GOAL_USE;
	p->answer = replay_answer;
	p->kept = bundle_new();
	p->notes = json_object();
	p->stolen = c->through == THROUGH_WEIGHTS ? model_copy(a->model) : NULL;
	t.pairs = plain.n;
	jset_int(p->notes, "pairs", plain.n);
	if (plain.n) {
		record(&plain, &keyed, c->method, c->rank, p->kept);
		jset_num(p->notes, "sameness", encoder_sameness(&plain, &keyed));
	}
	memcpy(p->ctx, &t, sizeof(t));
	return 0;
}

const struct attack attack_replay = {
	.drv = { .name = "replay", .summary = "add what a user's client added to one image to other images",
		 .source = "survey of active authorization control, 2021, section IV: subtract and paste. Differs: averages, nearest images and a "
			   "linear filter beside it, when there is more than one pair",
		 .version = 1, .conf_size = sizeof(struct replay_conf), .opts = replay_opts },
	.goal = GOAL_USE, .needs = CAP_PAIR | CAP_PROB, .strength = "pairs", .strength_up = 1, .needs_for = replay_needs,
	.inapplicable = replay_inapplicable, .run = replay_run, .search = "method=single,mean,nearest,filter,pca",
};
