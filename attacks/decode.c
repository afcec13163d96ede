/* Output decoding: locked answers may be wrong and yet say which class an image has. On a few labelled samples a map from answers to
 * classes is fitted, and the attacker uses the locked service (or the stolen weights) through it. No weight changes.
 *
 *   argmin       the least likely class: undoes training towards "any class but the true one"; fits nothing
 *   permutation  the bijection of classes with the most hits (assignment problem): undoes a fixed wrong label
 *   map          for each answered class the commonest true one
 *   logistic     multinomial logistic regression on log probabilities
 *   auto         whichever of these and of the answers as they are is right most often on one half of the samples when fitted on the
 *                other, both ways
 * With repeat > 1 each question is asked so often and the answers averaged, which undoes noise that is drawn anew each time; with jitter
 * each time a little differently, which undoes noise that is the same for the same image.
 *
 * Source: ours; the leak shows in unauthorised accuracies far below chance (0.23 and 0.78 % of Chen and Wu 2018 in ActiveGuard,
 * Table VII). Averaging against noise: any service that draws its noise anew. Assignment: Kuhn 1955, in its shortest-path form.
 * Differs: ours. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/assign.h"
#include "attacks/through.h"
#include "base/error.h"
#include "base/json.h"
#include "nn/train.h"

enum method { METHOD_AUTO, METHOD_NONE, METHOD_ARGMIN, METHOD_PERMUTATION, METHOD_MAP, METHOD_LOGISTIC, METHODS };
static const char *const method_names[METHODS] = { "auto", "none", "argmin", "permutation", "map", "logistic" };
enum { LOGISTIC_STEPS = 500 };
#define LOGISTIC_LR 0.05
#define LOGISTIC_L2 1e-3
#define SMALLEST 1e-6 /* of a probability: its logarithm is a feature */

struct decode_conf { int images, method, repeat, jitter, through, top1; };
static const struct opt decode_opts[] = {
	{ "images", OPT_INT, offsetof(struct decode_conf, images), "100", 0, 1000000, "labelled samples, a question each; 0: answers as they are", NULL },
	{ "method", OPT_CHOICE, offsetof(struct decode_conf, method), "auto", 0, 0, "how answers become classes",
	  "auto|none|argmin|permutation|map|logistic" },
	{ "repeat", OPT_INT, offsetof(struct decode_conf, repeat), "1", 1, 10000, "times each question is asked; answers are averaged", NULL },
	{ "jitter", OPT_BOOL, offsetof(struct decode_conf, jitter), "no", 0, 0, "each time an image moved by a pixel and changed by one 255th", NULL },
	THROUGH_ROW(struct decode_conf, through),
	{ "top1", OPT_BOOL, offsetof(struct decode_conf, top1), "no", 0, 0, "the service answers with a class only (with repeat: with votes)", NULL },
	{ 0 }
};

/* Travels in the product; a linear decoder's weights are its tensor "decoder" f32 (classes, classes + 1). */
struct decoder {
	int method, repeat, jitter, through, top1, classes;
};

/* ---- fitting ---- */

/* Samples: answers p (n, k) and true classes y. */
struct samples {
	const float *p;
	const int *y;
	int n, k;
};

static float *weight_at(float *w, int k, int class)
{
	return w + (size_t)class * (size_t)(k + 1);
}

static int top_of(const float *p, int k)
{
	int top;

	argmax_rows(p, 1, k, &top);
	return top;
}

static int *count_pairs(const struct samples *s) /* (answered, true) */
{
	int *count = xcalloc((size_t)s->k * (size_t)s->k, sizeof(*count));

	for (int i = 0; i < s->n; i++)
		count[top_of(s->p + (size_t)i * (size_t)s->k, s->k) * s->k + s->y[i]]++;
	return count;
}

/* Answered class i stands for to[i]: weight 1 on p_i. Several may stand for the same. */
static void fit_labels(const struct samples *s, int method, float *w)
{
	int *count = count_pairs(s), *to = xmalloc((size_t)s->k, sizeof(*to));

	if (method == METHOD_PERMUTATION)
		assign_most(count, s->k, to);
	for (int i = 0; i < s->k && method == METHOD_MAP; i++) {
		to[i] = i;
		for (int j = 0; j < s->k; j++)
			if (count[i * s->k + j] > count[i * s->k + to[i]])
				to[i] = j;
	}
	for (int i = 0; i < s->k; i++)
		weight_at(w, s->k, to[i])[i] = 1;
	free(count);
	free(to);
}

static double feature(float p)
{
	return log(fmax((double)p, SMALLEST));
}

/* Gradient of the mean cross entropy plus LOGISTIC_L2 ||w||^2 / 2 (not of biases); features (n, k) are centred log probabilities. */
static void logistic_gradient(const struct samples *s, const double *f, const real *w, real *g)
{
	const int k = s->k;
	double *z = xmalloc((size_t)k, sizeof(*z));

	for (int i = 0; i < k * (k + 1); i++)
		g[i] = (real)(i % (k + 1) < k ? LOGISTIC_L2 * (double)w[i] : 0);
	for (int i = 0; i < s->n; i++) {
		const double *x = f + (size_t)i * (size_t)k;
		double top = -INFINITY, sum = 0;

		for (int c = 0; c < k; c++) {
			z[c] = (double)w[c * (k + 1) + k];
			for (int j = 0; j < k; j++)
				z[c] += (double)w[c * (k + 1) + j] * x[j];
			top = fmax(top, z[c]);
		}
		for (int c = 0; c < k; c++)
			sum += z[c] = exp(z[c] - top);
		for (int c = 0; c < k; c++) {
			const double d = (z[c] / sum - (s->y[i] == c)) / s->n;

			for (int j = 0; j < k; j++)
				g[c * (k + 1) + j] += (real)(d * x[j]);
			g[c * (k + 1) + k] += (real)d;
		}
	}
	free(z);
}

static void fit_logistic(const struct samples *s, float *w)
{
	const size_t len = (size_t)s->k * (size_t)(s->k + 1);
	real *x = xcalloc(4 * len, sizeof(*x)), *g = x + len, *m1 = g + len, *m2 = m1 + len;
	double *f = xmalloc((size_t)s->n * (size_t)s->k + 1, sizeof(*f));

	for (long i = 0; i < (long)s->n * s->k; i++)
		f[i] = feature(s->p[i]);
	for (int t = 1; t <= LOGISTIC_STEPS; t++) {
		logistic_gradient(s, f, x, g);
		adam_update(x, g, m1, m2, len, LOGISTIC_LR, t);
	}
	for (size_t i = 0; i < len; i++)
		w[i] = (float)x[i];
	free(x);
	free(f);
}

/* w (k, k + 1), zeroed. */
static void fit(const struct samples *s, int method, float *w)
{
	if (method == METHOD_LOGISTIC)
		fit_logistic(s, w);
	else if (method == METHOD_PERMUTATION || method == METHOD_MAP)
		fit_labels(s, method, w);
}

/* ---- decoding ---- */

/* Label maps take the likeliest answered class as it stands, whatever else the answer says. */
static void decode(int method, const float *w, int k, float *p)
{
	double z[256];
	const int top = top_of(p, k);

	BUG_ON(k > 256);
	for (int c = 0; c < k; c++) {
		const float *row = w + (size_t)c * (size_t)(k + 1);

		z[c] = method == METHOD_NONE ? log((double)p[c] + 1e-30) : method == METHOD_ARGMIN ? -log((double)p[c] + 1e-30) :
		       method == METHOD_LOGISTIC ? (double)row[k] : 20 * (double)row[top];
		for (int j = 0; j < k && method == METHOD_LOGISTIC; j++)
			z[c] += (double)row[j] * feature(p[j]);
	}
	for (int c = 0; c < k; c++)
		p[c] = (float)z[c];
	softmax_rows(p, 1, k);
}

static int hits(const struct samples *s, int method, const float *w)
{
	float p[256];
	int right = 0;

	for (int i = 0; i < s->n; i++) {
		memcpy(p, s->p + (size_t)i * (size_t)s->k, (size_t)s->k * sizeof(*p));
		decode(method, w, s->k, p);
		right += top_of(p, s->k) == s->y[i];
	}
	return right;
}

/* Hits on each half when fitted on the other. */
static int cross_hits(const struct samples *s, int method)
{
	const int half = s->n / 2;
	const struct samples part[] = { { s->p, s->y, half, s->k }, { s->p + (size_t)half * (size_t)s->k, s->y + half, s->n - half, s->k } };
	int right = 0;

	for (int i = 0; i < 2; i++) {
		float *w = xcalloc((size_t)s->k * (size_t)(s->k + 1), sizeof(*w));

		fit(&part[i], method, w);
		right += hits(&part[1 - i], method, w);
		free(w);
	}
	return right;
}

static int choose(const struct samples *s, json_t *notes)
{
	int best = METHOD_NONE, most = -1;
	char key[32];

	for (int m = METHOD_NONE; m < METHODS; m++) {
		const int right = cross_hits(s, m);

		snprintf(key, sizeof(key), "hits_%s", method_names[m]);
		jset_int(notes, key, right);
		if (right > most) {
			most = right;
			best = m;
		}
	}
	return best;
}

/* ---- the attack ---- */

/* Images of v for repetition r > 0: one pixel aside in one of eight directions, and each pixel a 255th up or down. */
static void nudge(const struct images *v, int r, float *out)
{
	const int way = r % 9 == 4 ? 5 : r % 9, dx = way % 3 - 1, dy = way / 3 - 1, len = images_size(v);
	float *x = xmalloc((size_t)len, sizeof(*x));

	for (int i = 0; i < v->n; i++, out += len) {
		images_get(v, i, x);
		for (int k = 0; k < len; k++) {
			const int row = k / v->w % v->h + dy, col = k % v->w + dx;
			const bool inside = row >= 0 && row < v->h && col >= 0 && col < v->w;

			out[k] = x[inside ? k + dy * v->w + dx : k] + ((k + r) % 2 ? 1 : -1) / 255.0f;
			out[k] = fminf(fmaxf(out[k], 0), 1);
		}
	}
	free(x);
}

/* Mean of `repeat` answers. */
static int ask(const struct decoder *d, struct model *stolen, int (*query)(void *ctx, const struct images *v, float *p), void *ctx,
	       const struct images *v, float *probs)
{
	const size_t len = (size_t)v->n * (size_t)d->classes;
	float *one = xmalloc(len + 1, sizeof(*one)), *moved = d->jitter ? xmalloc((size_t)v->n * (size_t)images_size(v), sizeof(*moved)) : NULL;
	int ret = 0;

	memset(probs, 0, len * sizeof(*probs));
	for (int r = 0; r < d->repeat && !ret; r++) {
		struct images q = *v;

		if (r && moved) {
			nudge(v, r, moved);
			q = (struct images){ .n = v->n, .c = v->c, .h = v->h, .w = v->w, .classes = v->classes, .fx = moved };
		}
		ret = d->through == THROUGH_WEIGHTS ? through_weights(stolen, &q, d->classes, one) : query(ctx, &q, one);
		if (!ret && d->top1)
			one_hot_rows(one, v->n, d->classes);
		for (size_t i = 0; i < len && !ret; i++)
			probs[i] += one[i] / (float)d->repeat;
	}
	free(one);
	free(moved);
	return ret;
}

static int query_now(void *ctx, const struct images *v, float *p)
{
	return access_query(ctx, v, -1, p);
}

static int query_later(void *ctx, const struct images *v, float *p)
{
	struct asked *service = ctx;

	return service->query(service, v, p);
}

static int decode_answer(const struct product *p, struct asked *service, const struct images *v, float *probs)
{
	struct decoder d;

	memcpy(&d, p->ctx, sizeof(d));
	if (ask(&d, p->stolen, query_later, service, v, probs) < 0)
		return -1;
	for (int i = 0; i < v->n; i++)
		decode(d.method, bundle_f32(p->kept, "decoder", NULL), d.classes, probs + (size_t)i * (size_t)d.classes);
	return 0;
}

static int learn(struct access *a, const struct images *v, struct decoder *d, struct product *p)
{
	float *probs = xmalloc((size_t)v->n * (size_t)a->classes + 1, sizeof(*probs));
	int *y = xmalloc((size_t)v->n + 1, sizeof(*y));
	const struct samples s = { probs, y, v->n, a->classes };
	int ret = ask(d, p->stolen, query_now, a, v, probs);

	for (int i = 0; i < v->n; i++)
		y[i] = images_label(v, i);
	if (!ret)
		ret = access_spend(a, v->n, d->through == THROUGH_WEIGHTS ? (double)v->n * d->repeat : 0);
	if (!ret) {
		if (d->method == METHOD_AUTO)
			d->method = choose(&s, p->notes);
		fit(&s, d->method, bundle_put(p->kept, "decoder", DT_F32, 2, (const int64_t[]){ s.k, s.k + 1 }, NULL));
		jset_int(p->notes, "hits_on_samples", hits(&s, d->method, bundle_f32(p->kept, "decoder", NULL)));
	}
	free(probs);
	free(y);
	return ret;
}

static unsigned decode_needs(const void *conf)
{
	const struct decode_conf *c = conf;

	return CAP_LABELLED | through_needs(c->through, c->top1);
}

static int decode_run(struct access *a, const void *conf, struct product *p)
{
	const struct decode_conf *c = conf;
	struct decoder d = { c->images ? c->method : METHOD_NONE, c->repeat, c->jitter, c->through, c->top1, a->classes };
	const struct images v = images_first(a->labelled, c->images);

	if (!a->labelled.n || (c->through == THROUGH_WEIGHTS && !a->model))
		return error(EXIT_UNEVALUABLE, "decode: labelled images or the deployed weights were not granted");
	p->goal = GOAL_USE;
	p->answer = decode_answer;
	p->notes = json_object();
	p->kept = bundle_new();
	p->stolen = c->through == THROUGH_WEIGHTS ? model_copy(a->model) : NULL;
	if (v.n && learn(a, &v, &d, p) < 0)
		return -1;
	if (!v.n)
		bundle_put(p->kept, "decoder", DT_F32, 2, (const int64_t[]){ a->classes, a->classes + 1 }, NULL);
	jset_str(p->notes, "method", method_names[d.method]);
	jset_int(p->notes, "images", v.n);
	memcpy(p->ctx, &d, sizeof(d));
	return 0;
}

static double decode_cost(const void *conf, const struct expected *e)
{
	const struct decode_conf *c = conf;

	(void)e;
	return (double)c->images * c->repeat;
}

const struct attack attack_decode = {
	.drv = { .name = "decode", .summary = "read the class from locked answers by a map fitted on a few labelled samples",
		 .source = "ours; the leak is visible in ActiveGuard, Table VII (Chen and Wu: accuracy far below chance). Differs: everything",
		 .version = 1, .conf_size = sizeof(struct decode_conf), .opts = decode_opts },
	.goal = GOAL_USE, .needs = CAP_LABELLED | CAP_PROB, .strength = "images", .strength_up = 1, .needs_for = decode_needs, .cost = decode_cost,
	.run = decode_run,
};
