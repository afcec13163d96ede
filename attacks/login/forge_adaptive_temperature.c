/* See forge_adaptive_temperature.h. */
#include "attacks/login/forge_adaptive_temperature.h"

#include <math.h>

#include "attacks/kit/surrogate.h"
#include "attacks/kit/tune.h"
#include "base/error.h"
#include "base/json.h"

/* Cross entropy of softmax(z / temperature) by probs, n rows of k. */
static double cross_entropy(const float *z, const float *probs, int n, int k, double temperature)
{
	double sum = 0;

	for (int i = 0; i < n; i++, z += k, probs += k) {
		double top = -INFINITY, all = 0;

		for (int j = 0; j < k; j++)
			top = fmax(top, (double)z[j] / temperature);
		for (int j = 0; j < k; j++)
			all += exp((double)z[j] / temperature - top);
		for (int j = 0; j < k; j++)
			sum -= (double)probs[j] * ((double)z[j] / temperature - top - log(all));
	}
	return sum;
}

/* Golden section over the logarithm: the cross entropy has one minimum in 1/T. */
double temperature_of(struct model *m, const struct images *v, const float *probs)
{
	const double gold = (sqrt(5) - 1) / 2;
	const int k = model_outputs(m);
	float *z = xmalloc((size_t)v->n * (size_t)k + 1, sizeof(*z));
	double lo = log(0.1), hi = log(10);
	const int ret = model_predict(m, v, z);

	for (int step = 0; step < 40 && !ret; step++) {
		const double a = hi - gold * (hi - lo), b = lo + gold * (hi - lo);

		if (cross_entropy(z, probs, v->n, k, exp(a)) < cross_entropy(z, probs, v->n, k, exp(b)))
			hi = b;
		else
			lo = a;
	}
	free(z);
	return ret ? NAN : exp((lo + hi) / 2);
}

int temperature_match(struct access *a, int teacher, int images, struct model *m, json_t *notes)
{
	const struct images v = images_first(a->val, surrogate_afford(a, teacher, images));
	const int last = tune_last_layer(m);
	float *probs = xmalloc((size_t)v.n * a->classes + 1, sizeof(*probs));
	double t = 1;

	if (v.n)
		t = surrogate_ask(a, teacher, false, &v, probs) ? NAN : temperature_of(m, &v, probs);
	free(probs);
	if (isnan(t))
		return -1;
	for (int i = last; i < m->np && i <= last + 1; i++)
		for (size_t k = 0; k < m->p[i].len; k++)
			m->p[i].x[k] /= (real)t;
	jset_num(notes, "surrogate_temperature", t);
	return 0;
}
