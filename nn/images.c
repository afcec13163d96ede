/* Images as bytes and as numbers, and views with arrays of their own. */
#include "nn/images.h"

#include <math.h>

#include "base/error.h"

static float clipped(float x)
{
	return 255 * fminf(fmaxf(x, 0), 1);
}

void image_bytes(const float *x, size_t n, uint8_t *px)
{
	for (size_t i = 0; i < n; i++)
		px[i] = (uint8_t)lrintf(clipped(x[i]));
}

void image_bytes_up(const float *x, size_t n, uint8_t *px)
{
	for (size_t i = 0; i < n; i++)
		px[i] = (uint8_t)(clipped(x[i]) + 0.5f);
}

void image_floats(const uint8_t *px, size_t n, float *x)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (float)px[i] / 255.0f;
}

struct images images_copied(const struct images *v, int more, float **x, uint8_t **label)
{
	const size_t n = (size_t)v->n + (size_t)more, len = (size_t)images_size(v);
	float *fx = xcalloc(n * len + 1, sizeof(*fx));
	uint8_t *labels = xcalloc(n + 1, 1);

	for (int i = 0; i < v->n; i++) {
		images_get(v, i, fx + len * (size_t)i);
		labels[i] = (uint8_t)(v->labels ? images_label(v, i) : 0);
	}
	if (x)
		*x = fx;
	if (label)
		*label = labels;
	return (struct images){ .n = (int)n, .c = v->c, .h = v->h, .w = v->w, .classes = v->classes, .fx = fx,
				.labels = labels };
}

void images_free(struct images *v)
{
	free((void *)(uintptr_t)v->fx);
	free((void *)(uintptr_t)v->labels);
	*v = (struct images){ 0 };
}
