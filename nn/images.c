/* Views with arrays of their own. See images.h. */
#include "nn/images.h"

#include "base/error.h"

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
	return (struct images){ .n = (int)n, .c = v->c, .h = v->h, .w = v->w, .classes = v->classes, .fx = fx, .labels = labels };
}

void images_free(struct images *v)
{
	free((void *)(uintptr_t)v->fx);
	free((void *)(uintptr_t)v->labels);
	*v = (struct images){ 0 };
}
