/* See encoder.h. */
#include "attacks/kit/encoder.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

int encoder_answer(const struct product *p, struct asked *service, const struct images *v, encoder_fn prepare, int through,
		   float *probs)
{
	float *x = xmalloc((size_t)v->n * (size_t)images_size(v) + 1, sizeof(*x));
	struct images sent = { .n = v->n, .c = v->c, .h = v->h, .w = v->w, .classes = v->classes, .fx = x };
	int ret = prepare(p, v, x);

	if (!ret)
		ret = through_answer(p, service, through, &sent, probs);
	free(x);
	return ret;
}

float encoder_round(double x)
{
	return (float)(floor(fmin(fmax(x, 0), 1) * 255 + 0.5) / 255);
}

const char *encoder_inapplicable(int has_users)
{
	return has_users ? NULL : "nobody prepares images for this scheme: there are no pairs to learn from";
}

int encoder_pairs(const struct access *a, const char *attack, int n, struct images *plain, struct images *keyed)
{
	*plain = images_first(a->plain, n);
	*keyed = images_first(a->keyed, n);
	if (!a->plain.n || a->plain.n != a->keyed.n)
		error(EXIT_UNEVALUABLE, "%s: pairs of plain and prepared images were not granted", attack);
	return a->plain.n ? plain->n : 0;
}

double encoder_sameness(const struct images *plain, const struct images *keyed)
{
	enum { MOST = 100 };
	const int n = plain->n < MOST ? plain->n : MOST, len = images_size(plain);
	double *sum = xcalloc((size_t)len, sizeof(*sum)), all = 0;
	float *x = xmalloc((size_t)len, 2 * sizeof(*x)), *y = x + len;
	int used = 0;

	for (int i = 0; i < n; i++) {
		double norm = 0;

		images_get(plain, i, x);
		images_get(keyed, i, y);
		for (int k = 0; k < len; k++)
			norm += ((double)y[k] - (double)x[k]) * ((double)y[k] - (double)x[k]);
		used += norm > 0;
		for (int k = 0; k < len && norm > 0; k++)
			sum[k] += ((double)y[k] - (double)x[k]) / sqrt(norm);
	}
	for (int k = 0; k < len; k++)
		all += sum[k] * sum[k]; /* of unit vectors: used + 2 sum over pairs of their cosines */
	free(sum);
	free(x);
	return used > 1 ? (all - used) / ((double)used * (used - 1)) : 1;
}
