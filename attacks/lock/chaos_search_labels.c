/* See chaos_search_labels.h. */
#include "attacks/lock/chaos_search_labels.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

double chaos_cross_entropy(const float *logits, const struct images *v, int k)
{
	double loss = 0;

	for (int i = 0; i < v->n; i++, logits += k) {
		double top = (double)logits[0], sum = 0;

		for (int j = 1; j < k; j++)
			top = fmax(top, (double)logits[j]);
		for (int j = 0; j < k; j++)
			sum += exp((double)logits[j] - top);
		loss += log(sum) + top - (double)logits[images_label(v, i)];
	}
	return loss / v->n;
}

double chaos_disorder(const float *x, const struct images *v, int d, int classes)
{
	double *mean = xcalloc((size_t)classes + 1, sizeof(*mean)), within = 0, total = 0;
	int *count = xcalloc((size_t)classes, sizeof(*count));

	for (int i = 0; i < v->n; i++)
		count[images_label(v, i)]++;
	for (int k = 0; k < d; k++) {
		memset(mean, 0, ((size_t)classes + 1) * sizeof(*mean));
		for (int i = 0; i < v->n; i++) {
			mean[images_label(v, i)] += (double)x[(size_t)i * (size_t)d + (size_t)k];
			mean[classes] += (double)x[(size_t)i * (size_t)d + (size_t)k] / v->n;
		}
		for (int i = 0; i < v->n; i++) {
			const double a = (double)x[(size_t)i * (size_t)d + (size_t)k];
			const int y = images_label(v, i);

			within += (a - mean[y] / count[y]) * (a - mean[y] / count[y]);
			total += (a - mean[classes]) * (a - mean[classes]);
		}
	}
	free(mean);
	free(count);
	return total > 0 ? fmax(within / total, 1e-30) : 1;
}
