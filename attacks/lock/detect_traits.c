/* See detect_traits.h. */
#include "attacks/lock/detect_traits.h"

#include <math.h>
#include <string.h>

#include "attacks/kit/order.h"
#include "attacks/kit/weights.h"
#include "base/error.h"

/* Appended unless there is no room: then an architecture is larger than traits are made for. */
static int put(double *out, int n, double x)
{
	BUG_ON(!isfinite(x));
	if (n < TRAITS_MOST)
		out[n++] = x;
	return n;
}

static double ratio(double a, double b)
{
	return b > 0 ? a / b : 0;
}

int traits_weights(struct model *m, const struct images *v, double *out)
{
	int n = 0;

	(void)v;
	for (int i = 0; i < m->np; i++) {
		const struct param *p = &m->p[i];
		double mean = 0, two = 0, four = 0, most = 0;

		if (!weights_counted(p, WEIGHTS_ALL))
			continue;
		for (size_t k = 0; k < p->len; k++)
			mean += (double)p->x[k] / (double)p->len;
		for (size_t k = 0; k < p->len; k++) {
			const double d = (double)p->x[k] - mean;

			two += d * d / (double)p->len;
			four += d * d * d * d / (double)p->len;
			most = fmax(most, fabs((double)p->x[k]));
		}
		n = put(out, n, sqrt(two));
		n = put(out, n, ratio(four, two * two));
		n = put(out, n, ratio(most, sqrt(two)));
	}
	return n;
}

/* Logarithm of how many times as much of the variance of size (rows, cols) lies between rows as cells in random order would have there;
 * stride and step walk rows, or columns. */
static double order_along(const double *size, int rows, int cols, int stride, int step)
{
	const double chance = (rows - 1) / ((double)rows * cols - 1);
	double mean = 0, total = 0, share = 0;

	for (int i = 0; i < rows * cols; i++)
		mean += size[i] / ((double)rows * cols);
	for (int i = 0; i < rows * cols; i++)
		total += (size[i] - mean) * (size[i] - mean);
	for (int r = 0; r < rows; r++) {
		double sum = 0;

		for (int c = 0; c < cols; c++)
			sum += size[r * stride + c * step] - mean;
		share += ratio(sum * sum / cols, total);
	}
	return log(fmax(share, 1e-6) / chance);
}

int traits_order(struct model *m, const struct images *v, double *out)
{
	double by_row = 0, by_col = 0;
	int n = 0;

	(void)v;
	for (int i = 0; i < m->np; i++) {
		const struct param *p = &m->p[i];
		const int rows = p->d[0], cols = p->d[1];
		double *size;

		if (!weights_counted(p, WEIGHTS_ALL) || rows < 2 || cols < 2)
			continue;
		size = xcalloc((size_t)rows * (size_t)cols, sizeof(*size));
		for (size_t k = 0; k < p->len; k++)
			size[k / (p->len / ((size_t)rows * (size_t)cols))] += (double)p->x[k] * (double)p->x[k];
		for (int k = 0; k < rows * cols; k++)
			size[k] = sqrt(size[k]);
		by_row += order_along(size, rows, cols, cols, 1);
		by_col += order_along(size, cols, rows, 1, cols);
		free(size);
		n++;
	}
	put(out, put(out, 0, ratio(by_row, n)), ratio(by_col, n));
	return 2;
}

int traits_answers(struct model *m, const struct images *v, double *out)
{
	const int k = model_outputs(m);
	float *probs = xmalloc((size_t)v->n * (size_t)k + 1, sizeof(*probs));
	double *top = xmalloc((size_t)v->n + 1, sizeof(*top)), *often = xcalloc((size_t)k, sizeof(*often)), mean = 0, unsure = 0;
	int n = model_predict_probs(m, v, probs) < 0 ? -1 : 0, at;

	for (int i = 0; i < v->n && !n; i++) {
		argmax_rows(probs + (size_t)i * (size_t)k, 1, k, &at);
		top[i] = (double)probs[(size_t)i * (size_t)k + (size_t)at];
		often[at] += 1.0 / v->n;
		mean += top[i] / v->n;
		unsure += (top[i] < 0.9) / (double)v->n;
	}
	if (!n && v->n) {
		sort_ascending(top, (size_t)v->n);
		n = put(out, n, mean);
		n = put(out, n, top[v->n / 10]);
		n = put(out, n, unsure);
		for (int i = 0; i < k; i++)
			n = put(out, n, often[i]);
	}
	free(probs);
	free(top);
	free(often);
	return n;
}

static int describe(const struct node *a, double *out, int n)
{
	const size_t len = (size_t)a->n * (size_t)a->c * (size_t)a->h * (size_t)a->w;
	float *x = xmalloc(len, sizeof(*x));
	double mean = 0, two = 0, zeros = 0;

	node_store_f32(a, x);
	for (size_t i = 0; i < len; i++)
		mean += (double)x[i] / (double)len;
	for (size_t i = 0; i < len; i++) {
		two += ((double)x[i] - mean) * ((double)x[i] - mean) / (double)len;
		zeros += x[i] == 0;
	}
	free(x);
	n = put(out, n, mean);
	n = put(out, n, sqrt(two));
	return put(out, n, zeros / (double)len);
}

int traits_activations(struct model *m, const struct images *v, double *out)
{
	struct tape *t = tape_new();
	struct node *x = tape_input(t, v->n, v->c, v->h, v->w, false);
	int n = 0;

	node_load_images(x, v, 0);
	tape_grad_params(t, false);
	m->arch->forward(m, x, false);
	for (int i = 0; i < m->np; i++) {
		const struct node *in = weights_counted(&m->p[i], WEIGHTS_ALL) ? tape_input_of(t, &m->p[i]) : NULL;

		if (in && in->n == v->n)
			n = describe(in, out, n);
	}
	tape_free(t);
	return n;
}
