/* Weighted means of one image of each class. See forge_adaptive_blend.h. */
#include "attacks/login/forge_adaptive_blend.h"

#include <math.h>

#include "base/error.h"

int blends_open(struct access *a, int sets, struct blends *b)
{
	const struct images *v = &a->labelled;
	int *order = xmalloc((size_t)v->n + 1, sizeof(*order));
	struct rng r;

	*b = (struct blends){ .sets = sets, .c = a->c, .h = a->h, .w = a->w, .len = a->c * a->h * a->w };
	b->x = xmalloc((size_t)sets * a->classes * b->len, sizeof(*b->x));
	b->label = xmalloc(a->classes, sizeof(*b->label));
	rng_open(&r, a->seed, "blend exemplars", 0, 0);
	rng_permutation(&r, order, v->n);
	for (int k = 0; k < a->classes; k++) {
		int found = 0;

		for (int i = 0; i < v->n && found < sets; i++)
			if (images_label(v, order[i]) == k)
				images_get(v, order[i], b->x + ((size_t)b->classes * sets + found++) * b->len);
		for (int i = found; found && i < sets; i++)
			for (int j = 0; j < b->len; j++)
				b->x[((size_t)b->classes * sets + i) * b->len + j] =
					b->x[((size_t)b->classes * sets + i % found) * b->len + j];
		if (found)
			b->label[b->classes++] = k;
	}
	free(order);
	if (b->classes < 2) {
		blends_close(b);
		return error(EXIT_UNEVALUABLE, "blends need labelled images of two classes at least");
	}
	if (access_spend(a, (long)sets * b->classes, 0) < 0) {
		blends_close(b);
		return -1;
	}
	return 0;
}

void blends_close(struct blends *b)
{
	free(b->x);
	free(b->label);
	*b = (struct blends){ 0 };
}

void blends_mix(const struct blends *b, const int *image, const double *w, float *out)
{
	double top = w[0], sum = 0;

	for (int k = 1; k < b->classes; k++)
		top = fmax(top, w[k]);
	for (int k = 0; k < b->classes; k++)
		sum += exp(w[k] - top);
	for (int j = 0; j < b->len; j++)
		out[j] = 0;
	for (int k = 0; k < b->classes; k++) {
		const float *x = b->x + ((size_t)k * b->sets + image[k]) * b->len, share = (float)(exp(w[k] - top) / sum);

		for (int j = 0; j < b->len; j++)
			out[j] += share * x[j];
	}
	for (int j = 0; j < b->len; j++) /* shares add up to 1 but for rounding */
		out[j] = fminf(out[j], 1);
}

void blends_draw(const struct blends *b, struct rng *r, double *w)
{
	for (int k = 0; k < b->classes; k++)
		w[k] = log(-log(1 - rng_uniform(r)) + 1e-300);
}
