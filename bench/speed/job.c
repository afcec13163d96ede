/* The table of rows, and what their inputs are. See job.h. */
#include "bench/speed/job.h"
#include "base/error.h"
#include "datasets/dataset.h"
#include <string.h>

const struct job speed_jobs[] = {
	{ "lenet5-train", "images", "lenet5", 0, 3, run_train },
	{ "lenet5-infer", "images", "lenet5", 0, 1, run_infer },
	{ "lenet5-cw", "image-its", "lenet5", 0, 2, run_cw },
	{ "lenet5-pgd", "image-its", "lenet5", 0, 2, run_pgd },
	{ "lenet5-activeguard", "images", "lenet5", 0, 1, run_locked },
	{ "wrn10-1-train", "images", "wrn10-1", 1, 3, run_train },
	{ "wrn10-1-infer", "images", "wrn10-1", 1, 1, run_infer },
	{ "wrn10-4-train", "images", "wrn10-4", 1, 3, run_train },
	{ "wrn10-4-infer", "images", "wrn10-4", 1, 1, run_infer },
	{ "cae-train", "images", "cae", 0, 3, run_train_image },
	{ "unet-train", "images", "unet", 0, 3, run_train_image },
	{ "jpeg", "images", NULL, 1, 0, run_jpeg },
	{ "ssim", "pairs", NULL, 1, 0, run_ssim },
	{ 0 }
};

/* A grey image in the middle of 3x32x32: itself, its negative, and itself at half the contrast. */
static void colour_image(const uint8_t *grey, int h, int w, uint8_t *out)
{
	const int top = (32 - h) / 2, left = (32 - w) / 2;

	memset(out, 0, 3 * 32 * 32);
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) {
			uint8_t *to = out + (top + y) * 32 + left + x, v = grey[y * w + x];

			to[0] = v;
			to[32 * 32] = (uint8_t)(255 - v);
			to[2 * 32 * 32] = v / 2;
		}
}

int speed_images(struct images *v, int n, int colour)
{
	struct dataset *d = dataset_load("synthetic", NULL);
	const size_t len = colour ? 3 * 32 * 32 : 28 * 28;
	uint8_t *px, *labels;

	if (!d)
		return -1;
	BUG_ON(d->c != 1 || d->h != 28 || d->w != 28);
	px = xmalloc((size_t)n, len);
	labels = xmalloc((size_t)n, 1);
	for (int i = 0; i < n; i++) {
		const uint8_t *from = d->train_px + (size_t)(i % d->ntrain) * 28 * 28;

		if (colour)
			colour_image(from, 28, 28, px + (size_t)i * len);
		else
			memcpy(px + (size_t)i * len, from, len);
		labels[i] = d->train_labels[i % d->ntrain];
	}
	*v = (struct images){ .n = n, .c = colour ? 3 : 1, .h = colour ? 32 : 28, .w = colour ? 32 : 28, .classes = d->classes,
			      .px = px, .labels = labels };
	dataset_free(d);
	return 0;
}

struct model *speed_model(const char *name, int colour)
{
	struct model_spec s = { .c = colour ? 3 : 1, .h = colour ? 32 : 28, .w = colour ? 32 : 28 };
	const struct arch *a;

	if (model_spec_parse(&s, name))
		return NULL;
	a = driver_find(archs, "model", s.arch);
	s.classes = a->image ? s.c : 10;
	return model_new(&s, 1);
}
