/* Hiding bits in images and reading them again: a U-Net that adds a residual to each image (the encoder), a network
 * that turns the bits into planes beside the image, and a network that reads them (the decoder).
 *
 *   planes = relu(dense(bits - 1/2))                 (P, h/4, w/4), enlarged to the image's size by repetition
 *   sent   = round8(clip(x + unet(x - 1/2, planes)))
 *   bits   = reader(sent) > 0
 * A user's encoder is the U-Net with his planes: dense and reader stay with the owner.
 * Source: Li et al., "Invisible backdoor attack with sample-specific triggers" (ISSBA), ICCV 2021; Tancik et al.,
 * "StegaStamp", CVPR 2020.
 * Differs: see sample_specific.c. */
#ifndef LB_SCHEMES_SAMPLE_SPECIFIC_SAMPLE_SPECIFIC_HIDER_H
#define LB_SCHEMES_SAMPLE_SPECIFIC_SAMPLE_SPECIFIC_HIDER_H

#include "schemes/scheme.h"

enum { HIDER_VALUES = 28 * 28 };

struct hider_conf {
	int bits, planes, width;
	/* warmup: least steps for the bits alone, and steps in which the other losses come in once bits are read. */
	int steps, batch, warmup;
	double lr;
	/* Weights of the four losses; classify: of a fifth. residual is for images of HIDER_VALUES and counts times
	 * HIDER_VALUES / values on others, which gives about the same PSNR. What a network sees of a residual grows
	 * with the number of values that it is spread over, its mean square does not: at one weight it is pressed
	 * down on large images, and a classifier looks for it late or never. */
	double residual, perceptual, critic, message;
	double classify;
	int jpeg; /* lowest quality of compression in training; 0: none */
};

struct hider { struct model *unet, *dense, *reader; };
void hider_release(struct hider *h);

/* Train all three for images like e->train. joint: a classifier that is trained along with them (conf.classify): on
 * sent images for the true class, on others for wrong(ctx, i, step), where i is the image's position in e->train;
 * NULL: none. Begins again from other initial values, three times in all, where half of the steps have taught
 * nothing. 0, or -1 after error(). */
struct hider_joint {
	struct model *classifier;
	int (*wrong)(const void *ctx, int i, int step);
	const void *ctx;
};
int hider_train(struct hider *h, const struct hider_conf *c, const struct lock_env *e, const struct hider_joint *joint);

static inline double hider_residual_weight(const struct hider_conf *c, int channels, int h, int w)
{
	return c->residual * (HIDER_VALUES / ((double)channels * h * w));
}

/* The U-Net's and the planes' shapes for images (c,h,w). */
struct model_spec hider_unet_spec(int planes, int width, int c, int h, int w);
static inline int hider_planes_len(int planes, int h, int w)
{
	return planes * (h / 4) * (w / 4);
}
/* bit (n, bits) -> planes (n, hider_planes_len()). 0, or -1 after error(). */
int hider_fold(struct model *dense, const uint8_t *bit, int n, float *planes);
/* Images of v with what is in planes, rows `stride` numbers apart (0: the same for all): out (v->n, c*h*w). */
int hider_apply(struct model *unet, const struct images *v, const float *planes, size_t stride, float *out);
/* x (n, c*h*w) -> bit (n, bits). */
int hider_read(struct model *reader, const float *x, int n, uint8_t *bit);

/* In place: x (n, c*h*w) in [0,1] stored as JPEG of that quality and read again. 0, or -1 after error(). */
int hider_jpeg(float *x, int n, int c, int h, int w, int quality);

#endif
