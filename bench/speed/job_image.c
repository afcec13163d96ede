/* Rows of image work without a network: JPEG there and back, SSIM. Images are tiles, as wherever threads share them. See job.h. */
#include "base/error.h"
#include "base/tile.h"
#include "bench/speed/job.h"
#include "datasets/codec.h"
#include "metrics/image/imagequality.h"

enum { IMAGES = 256 };

struct loop {
	const struct images *v;
	int failed[IMAGES];
	const float *clean, *changed; /* (IMAGES, c, h, w) */
	double ssim[IMAGES];
};

/* ---- JPEG, quality 75, 4:2:0 ---- */

static void jpeg_tile(void *ctx, int i, int thread)
{
	struct loop *l = ctx;
	const struct images *v = l->v;
	int c, h, w;
	size_t len;
	uint8_t *file = jpeg_encode(v->px + (size_t)i * (size_t)images_size(v), v->c, v->h, v->w, 75, JPEG_420, &len);
	uint8_t *px = file ? jpeg_decode(file, len, "bench", &c, &h, &w) : NULL;

	(void)thread;
	l->failed[i] = !px;
	free(px);
	free(file);
}

int run_jpeg(const struct job *j, struct meter *m)
{
	struct images v;
	struct loop l = { .v = &v };

	if (speed_images(&v, IMAGES, j->colour))
		return -1;
	for (;;) {
		tile_for(v.n, jpeg_tile, &l);
		for (int i = 0; i < v.n; i++)
			if (l.failed[i])
				return error(EXIT_FAILED_CELLS, "JPEG round trip of image %d failed", i);
		meter_tick(m, v.n);
	}
}

/* ---- SSIM of each image and the same with an error of up to 8 steps ---- */

static void ssim_tile(void *ctx, int i, int thread)
{
	struct loop *l = ctx;
	const size_t at = (size_t)i * (size_t)images_size(l->v);

	(void)thread;
	l->ssim[i] = image_ssim(l->clean + at, l->changed + at, l->v->c, l->v->h, l->v->w);
}

int run_ssim(const struct job *j, struct meter *m)
{
	struct images v;
	struct loop l = { .v = &v };
	float *clean, *changed;
	size_t len;

	if (speed_images(&v, IMAGES, j->colour))
		return -1;
	len = (size_t)images_size(&v);
	l.clean = clean = xmalloc(IMAGES * len, sizeof(*clean));
	l.changed = changed = xmalloc(IMAGES * len, sizeof(*changed));
	for (size_t i = 0; i < IMAGES * len; i++) {
		const uint8_t near = (uint8_t)(v.px[i] ^ (i * 2654435761u >> 29)); /* the low three bits at random */

		clean[i] = (float)v.px[i] / 255.0f;
		changed[i] = (float)near / 255.0f;
	}
	for (;;) {
		tile_for(v.n, ssim_tile, &l);
		meter_tick(m, v.n);
	}
}
