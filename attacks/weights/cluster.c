/* Weight clustering: every weight of a tensor becomes the nearest of k shared values.
 *
 * Source: Han, Mao, Dally, "Deep Compression", ICLR 2016, section 3 (linear initialisation, k-means on each layer).
 * Differs: no retraining of the shared values (tune-epochs trains all weights afterwards); Huffman coding loses nothing and is
 * left out; a tensor with at most k different weights stays as it is. */
#include <math.h>
#include <stddef.h>

#include "attacks/kit/tune.h"
#include "attacks/kit/weights.h"
#include "base/error.h"

#define ROUNDS 100 /* of Lloyd's algorithm, at most */

struct cluster_conf {
	int k, which;
	struct tune_after after;
};

static const struct opt cluster_opts[] = {
	{ "clusters", OPT_INT, offsetof(struct cluster_conf, k), "16", 2, 65536, "shared values a tensor", NULL },
	WEIGHTS_ROW(struct cluster_conf, which),
	TUNE_AFTER(struct cluster_conf, after),
	{ 0 }
};

static int by_value(const void *pa, const void *pb)
{
	const double a = *(const double *)pa, b = *(const double *)pb;

	return a < b ? -1 : a > b;
}

static size_t distinct(const double *x, size_t n)
{
	size_t k = n > 0;

	for (size_t i = 1; i < n; i++)
		k += x[i] != x[i - 1];
	return k;
}

/* The nearest of k ascending values to x; ties go to the smaller one. */
static int nearest(const double *value, int k, double x)
{
	int lo = 0, hi = k - 1;

	while (lo < hi) { /* the first boundary that is not below x */
		const int mid = (lo + hi) / 2;

		if (x <= (value[mid] + value[mid + 1]) / 2)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* Lloyd's algorithm on n ascending numbers: value (k) stays ascending; one that nobody is nearest to stays where it is. */
static void kmeans(const double *x, size_t n, double *value, int k)
{
	double *sum = xmalloc(k, sizeof(*sum));
	long *count = xmalloc(k, sizeof(*count));
	bool moved = true;

	for (int i = 0; i < k; i++)
		value[i] = x[0] + (x[n - 1] - x[0]) * i / (k - 1);
	for (int round = 0; moved && round < ROUNDS; round++) {
		moved = false;
		for (int i = 0; i < k; i++)
			sum[i] = 0, count[i] = 0;
		for (size_t i = 0; i < n; i++) {
			const int at = nearest(value, k, x[i]);

			sum[at] += x[i];
			count[at]++;
		}
		for (int i = 0; i < k; i++) {
			const double mean = count[i] ? sum[i] / (double)count[i] : value[i];

			moved |= mean != value[i];
			value[i] = mean;
		}
	}
	free(sum);
	free(count);
}

static void cluster(struct param *p, int k)
{
	double *x = xmalloc(p->len, sizeof(*x)), *value = xmalloc(k, sizeof(*value));

	for (size_t i = 0; i < p->len; i++)
		x[i] = (double)p->x[i];
	qsort(x, p->len, sizeof(*x), by_value);
	if (distinct(x, p->len) > (size_t)k) {
		kmeans(x, p->len, value, k);
		for (size_t i = 0; i < p->len; i++)
			p->x[i] = (real)value[nearest(value, k, (double)p->x[i])];
	}
	free(x);
	free(value);
}

static unsigned cluster_needs(const void *conf)
{
	const struct cluster_conf *c = conf;

	return CAP_WEIGHTS | CAP_WRITE | tune_after_needs(&c->after);
}

static int cluster_run(struct access *a, const void *conf, struct product *p)
{
	const struct cluster_conf *c = conf;

	if (!a->model)
		return error(EXIT_UNEVALUABLE, "cluster: the deployed model was not granted");
	p->goal = GOAL_REMOVE;
	p->model = model_copy(a->model);
	for (int i = 0; i < p->model->np; i++)
		if (weights_counted(&p->model->p[i], c->which))
			cluster(&p->model->p[i], c->k);
	return tune_after(a, &c->after, false, p->model);
}

const struct attack attack_cluster = {
	.drv = { .name = "cluster", .summary = "let the stolen model's weights share a few values",
		 .source = "Han, Mao, Dally, Deep Compression, ICLR 2016, section 3. Differs: the shared values are not retrained",
		 .version = 1, .conf_size = sizeof(struct cluster_conf), .opts = cluster_opts },
	.goal = GOAL_REMOVE, .needs = CAP_WEIGHTS | CAP_WRITE, .strength = "clusters", .strength_up = -1,
	.needs_for = cluster_needs, .run = cluster_run,
};
