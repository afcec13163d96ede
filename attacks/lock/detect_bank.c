/* See detect_bank.h. */
#include "attacks/lock/detect_bank.h"

#include <math.h>
#include <string.h>

#include "attacks/kit/surrogate.h"
#include "attacks/kit/tune.h"
#include "attacks/lock/detect_traits.h"
#include "base/error.h"
#include "base/rng.h"

#define LEAST_SPREAD 1e-6 /* of a trait within the bank, by its size */

double bank_deviation(const double *x, const double *rows, int n, int k, int but, bool less)
{
	double most = 0;

	for (int j = 0; j < k; j++) {
		double mean = 0, var = 0;
		const int m = n - (but >= 0);

		for (int i = 0; i < n; i++)
			mean += i == but ? 0 : rows[i * k + j] / m;
		for (int i = 0; i < n; i++)
			var += i == but ? 0 : (rows[i * k + j] - mean) * (rows[i * k + j] - mean) / (m - 1);
		most = fmax(most, (less ? mean - x[j] : fabs(x[j] - mean)) / fmax(sqrt(var), LEAST_SPREAD * (1 + fabs(mean))));
	}
	return most;
}

/* Number i of the bank, on the images in an order of its own; its traits. */
static int train_one(struct access *a, const struct bank_conf *c, const struct images *v, const struct images *probes, int i, double *out)
{
	char purpose[32];
	struct model *m;
	struct student s = { .epochs = c->epochs, .steps = c->steps, .batch = 64 };
	struct tune t = { .purpose = purpose };
	int n = -1;

	snprintf(purpose, sizeof(purpose), "detect bank %d", i);
	m = model_new(&a->model->spec, rng_derive(a->seed, purpose));
	if (!m)
		return -1;
	t.train = student_recipe(&s, m, v->n);
	if (!tune(a, m, v, i ? 0 : v->n, &t))
		n = c->traits(m, probes, out);
	model_free(m);
	return n;
}

int bank_train(struct access *a, const struct bank_conf *c, const struct images *probes, struct bundle *kept, double *threshold)
{
	const struct images v = images_first(a->labelled, c->images);
	double *rows = NULL, one[TRAITS_MOST];
	int k = 0;

	for (int i = 0; i < c->networks; i++) {
		const int n = train_one(a, c, &v, probes, i, one);

		if (n < 0)
			return -1;
		if (!i)
			rows = bundle_put(kept, "bank", DT_F64, 2, (const int64_t[]){ c->networks, n }, NULL);
		k = i ? k : n;
		BUG_ON(n != k);
		memcpy(rows + (size_t)i * (size_t)k, one, (size_t)k * sizeof(*rows));
	}
	for (int i = 0; i < c->networks; i++)
		*threshold = fmax(*threshold, bank_deviation(rows + (size_t)i * (size_t)k, rows, c->networks, k, i, c->less));
	return access_spend(a, 0, c->runs ? (double)c->networks * probes->n : 0);
}
