/* JPEG channel: every image on its way to the service is stored as a JPEG file and read again.
 *
 * Source: the compression of Xue et al., survey of active protection (2023), II.B; libjpeg-turbo with its own
 * quality scale, integer slow DCT, fancy upsampling (as Pillow and most tools use it).
 * Differs: nothing; images are rounded to 8 bits first, because a JPEG encoder takes no others. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/attack.h"
#include "base/error.h"
#include "datasets/codec.h"

struct jpeg_conf {
	int quality, subsampling;
};

static const struct opt jpeg_opts[] = {
	{ "quality", OPT_INT, offsetof(struct jpeg_conf, quality), "75", 1, 100, "libjpeg's quality, smaller is harsher", NULL },
	{ "subsampling", OPT_CHOICE, offsetof(struct jpeg_conf, subsampling), "420", 0, 0,
	  "colour resolution: 444 full, 420 half in both directions; grey images have none", "444|420" },
	{ 0 }
};

static int pass_one(const struct jpeg_conf *q, const float *in, int c, int h, int w, uint8_t *px, float *out)
{
	const int len = c * h * w;
	int gc, gh, gw;
	size_t size;
	uint8_t *file, *got;

	for (int i = 0; i < len; i++)
		px[i] = (uint8_t)(fminf(fmaxf(in[i], 0.0f), 1.0f) * 255.0f + 0.5f);
	file = jpeg_encode(px, c, h, w, q->quality, q->subsampling ? JPEG_420 : JPEG_444, &size);
	if (!file)
		return -1;
	got = jpeg_decode(file, size, "image in the channel", &gc, &gh, &gw);
	free(file);
	if (!got)
		return -1;
	BUG_ON(gc != c || gh != h || gw != w);
	for (int i = 0; i < len; i++)
		out[i] = (float)got[i] / 255.0f;
	free(got);
	return 0;
}

static int jpeg_channel(const struct product *p, const float *in, int n, int c, int h, int w, float *out)
{
	const size_t len = (size_t)c * h * w;
	uint8_t *px = xmalloc(len, 1);
	struct jpeg_conf q;
	int ret = 0;

	memcpy(&q, p->ctx, sizeof(q));
	for (int i = 0; i < n && !ret; i++)
		ret = pass_one(&q, in + len * i, c, h, w, px, out + len * i);
	free(px);
	return ret;
}

static int jpeg_run(struct access *a, const void *conf, struct product *p)
{
	if (a->c != 1 && a->c != 3)
		return error(EXIT_UNEVALUABLE, "jpeg: images have %d channels; JPEG stores 1 (grey) or 3 (RGB)", a->c);
	p->goal = GOAL_DEGRADE;
	p->channel = jpeg_channel;
	memcpy(p->ctx, conf, sizeof(struct jpeg_conf));
	return 0;
}

const struct attack attack_jpeg = {
	.drv = {
		.name = "jpeg",
		.summary = "every image on its way to the service is compressed as JPEG",
		.source = "Xue et al., survey of active protection (2023), II.B (sample modification); libjpeg-turbo, "
			  "integer slow DCT, fancy upsampling. Differs: nothing; images are rounded to 8 bits first",
		.version = 1,
		.conf_size = sizeof(struct jpeg_conf),
		.opts = jpeg_opts,
	},
	.goal = GOAL_DEGRADE,
	.needs = CAP_CHANNEL,
	.strength = "quality",
	.strength_up = -1,
	.run = jpeg_run,
};
