/* JPEG channel: every image on its way to the service is stored as a JPEG file and read again, once or twice (a photo
 * that is saved, uploaded and saved by the service has been through two quantisations whose grids do not agree).
 *
 * Source: the compression of Xue et al., survey of active protection (2023), II.B; libjpeg-turbo with its own
 * quality scale, integer slow DCT, fancy upsampling (as Pillow and most tools use it).
 * Differs: nothing; images are rounded to 8 bits first, because a JPEG encoder takes no others. */
#include <stddef.h>
#include <string.h>

#include "attacks/query/channel.h"
#include "base/error.h"
#include "datasets/codec.h"

struct jpeg_conf {
	int quality, subsampling, second, role;
};

static const struct opt jpeg_opts[] = {
	{ "quality", OPT_INT, offsetof(struct jpeg_conf, quality), "75", 1, 100, "libjpeg's quality, smaller is harsher", NULL },
	{ "subsampling", OPT_CHOICE, offsetof(struct jpeg_conf, subsampling), "420", 0, 0,
	  "colour resolution: 444 full, 420 half in both directions; grey images have none", "444|420" },
	{ "second", OPT_INT, offsetof(struct jpeg_conf, second), "0", 0, 100,
	  "quality of a second compression of the result, 0 for none", NULL },
	ROLE_OPT(jpeg_conf, role),
	{ 0 }
};

/* px (c,h,w) is stored at that quality and read again, in place; *size: the file's bytes. */
static int store(const struct jpeg_conf *q, int quality, int c, int h, int w, uint8_t *px, size_t *size)
{
	uint8_t *file = jpeg_encode(px, c, h, w, quality, q->subsampling ? JPEG_420 : JPEG_444, size), *got;
	int gc, gh, gw;

	if (!file)
		return -1;
	got = jpeg_decode(file, *size, "image in the channel", &gc, &gh, &gw);
	free(file);
	if (!got)
		return -1;
	BUG_ON(gc != c || gh != h || gw != w);
	memcpy(px, got, (size_t)c * h * w);
	free(got);
	return 0;
}

/* *size: bytes of the file that arrives. */
static int pass_one(const struct jpeg_conf *q, const float *in, int c, int h, int w, uint8_t *px, size_t *size)
{
	image_bytes_up(in, (size_t)c * h * w, px);
	if (store(q, q->quality, c, h, w, px, size) < 0)
		return -1;
	return q->second ? store(q, q->second, c, h, w, px, size) : 0;
}

/* out may be NULL. bytes: of all files together. */
static int pass_all(const struct product *p, const float *in, int n, int c, int h, int w, float *out, double *bytes)
{
	const size_t len = (size_t)c * h * w;
	uint8_t *px = xmalloc(len, 1);
	struct jpeg_conf q;
	size_t size;
	int ret = 0;

	memcpy(&q, p->ctx, sizeof(q));
	*bytes = 0;
	for (int i = 0; i < n && !ret; i++) {
		ret = pass_one(&q, in + len * i, c, h, w, px, &size);
		*bytes += ret ? 0 : (double)size;
		if (out && !ret)
			image_floats(px, len, out + len * i);
	}
	free(px);
	return ret;
}

static int jpeg_channel(const struct product *p, const float *in, int n, int c, int h, int w, float *out)
{
	double bytes;

	return pass_all(p, in, n, c, h, w, out, &bytes);
}

static int jpeg_stored_bytes(const struct product *p, const float *in, int n, int c, int h, int w, double *bytes)
{
	if (pass_all(p, in, n, c, h, w, NULL, bytes) < 0)
		return -1;
	*bytes /= n;
	return 0;
}

static int jpeg_run(struct access *a, const void *conf, struct product *p)
{
	if (a->c != 1 && a->c != 3)
		return error(EXIT_UNEVALUABLE, "jpeg: images have %d channels; JPEG stores 1 (grey) or 3 (RGB)", a->c);
	p->goal = GOAL_DEGRADE;
	p->channel = jpeg_channel;
	p->role = (enum role)((const struct jpeg_conf *)conf)->role;
	p->stored_bytes = jpeg_stored_bytes;
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
