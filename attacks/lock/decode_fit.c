/* See decode_fit.h. */
#include "attacks/lock/decode_fit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attacks/lock/decode_assign.h"
#include "base/error.h"
#include "base/json.h"
#include "nn/train.h"

enum { LOGISTIC_STEPS = 500, CLASSES_MOST = 256 };
#define LOGISTIC_LR 0.05
#define LOGISTIC_L2 1e-3
#define SMALLEST 1e-6 /* of a probability: its logarithm is a feature */

const char *const decoder_names[DECODERS] = { "auto", "none", "argmin", "permutation", "map", "logistic" };

/* ---- fitting ---- */

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

static int *count_pairs(const struct decoder_samples *s) /* (answered, true) */
{
	int *count = xcalloc((size_t)s->k * (size_t)s->k, sizeof(*count));

	for (int i = 0; i < s->n; i++)
		count[top_of(s->p + (size_t)i * (size_t)s->k, s->k) * s->k + s->y[i]]++;
	return count;
}

/* Answered class i stands for to[i]: weight 1 on p_i. Several may stand for the same. */
static void fit_labels(const struct decoder_samples *s, int method, float *w)
{
	int *count = count_pairs(s), *to = xmalloc((size_t)s->k, sizeof(*to));

	if (method == DECODER_PERMUTATION)
		assign_most(count, s->k, to);
	for (int i = 0; i < s->k && method == DECODER_MAP; i++) {
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
static void logistic_gradient(const struct decoder_samples *s, const double *f, const real *w, real *g)
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

static void fit_logistic(const struct decoder_samples *s, float *w)
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

void decoder_fit(const struct decoder_samples *s, int method, float *w)
{
	if (method == DECODER_LOGISTIC)
		fit_logistic(s, w);
	else if (method == DECODER_PERMUTATION || method == DECODER_MAP)
		fit_labels(s, method, w);
}

/* ---- decoding ---- */

/* Label maps take the likeliest answered class as it stands, whatever else the answer says. */
void decoder_apply(int method, const float *w, int k, float *p)
{
	double z[CLASSES_MOST];
	const int top = top_of(p, k);

	BUG_ON(k > CLASSES_MOST);
	for (int c = 0; c < k; c++) {
		const float *row = w + (size_t)c * (size_t)(k + 1);

		z[c] = method == DECODER_NONE ? log((double)p[c] + 1e-30) : method == DECODER_ARGMIN ? -log((double)p[c] + 1e-30) :
		       method == DECODER_LOGISTIC ? (double)row[k] : 20 * (double)row[top];
		for (int j = 0; j < k && method == DECODER_LOGISTIC; j++)
			z[c] += (double)row[j] * feature(p[j]);
	}
	for (int c = 0; c < k; c++)
		p[c] = (float)z[c];
	softmax_rows(p, 1, k);
}

int decoder_hits(const struct decoder_samples *s, int method, const float *w)
{
	float p[CLASSES_MOST];
	int right = 0;

	for (int i = 0; i < s->n; i++) {
		memcpy(p, s->p + (size_t)i * (size_t)s->k, (size_t)s->k * sizeof(*p));
		decoder_apply(method, w, s->k, p);
		right += top_of(p, s->k) == s->y[i];
	}
	return right;
}

/* Hits on each half when fitted on the other. */
static int cross_hits(const struct decoder_samples *s, int method)
{
	const int half = s->n / 2;
	const struct decoder_samples part[] = { { s->p, s->y, half, s->k }, { s->p + (size_t)half * (size_t)s->k, s->y + half, s->n - half, s->k } };
	int right = 0;

	for (int i = 0; i < 2; i++) {
		float *w = xcalloc((size_t)s->k * (size_t)(s->k + 1), sizeof(*w));

		decoder_fit(&part[i], method, w);
		right += decoder_hits(&part[1 - i], method, w);
		free(w);
	}
	return right;
}

int decoder_choose(const struct decoder_samples *s, json_t *notes)
{
	int best = DECODER_NONE, most = -1;
	char key[32];

	for (int m = DECODER_NONE; m < DECODERS; m++) {
		const int right = cross_hits(s, m);

		snprintf(key, sizeof(key), "hits_%s", decoder_names[m]);
		jset_int(notes, key, right);
		if (right > most) {
			most = right;
			best = m;
		}
	}
	return best;
}
