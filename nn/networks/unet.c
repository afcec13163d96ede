/* A U-Net of two levels: image in, image of spec.classes channels and the same size out. The output is linear;
 * whoever uses it adds the sigmoid, tanh or residual it wants. */
#include "nn/layer.h"

#include "base/error.h"
#include "nn/ops.h"
#include <stdio.h>

/* Two 3x3 convolutions, "NAME.conv1" and "NAME.conv2", each with a ReLU. */
static void add_pair(struct model *m, const char *name, int out, int in, int pixels)
{
	char buf[PARAM_NAME_MAX];

	snprintf(buf, sizeof(buf), "%s.conv1", name);
	layer_add_conv(m, buf, out, in, 3, pixels, true);
	snprintf(buf, sizeof(buf), "%s.conv2", name);
	layer_add_conv(m, buf, out, out, 3, pixels, true);
}

static struct node *pair(struct model *m, struct node *x, const char *name)
{
	char buf[PARAM_NAME_MAX];

	snprintf(buf, sizeof(buf), "%s.conv1", name);
	x = op_relu(layer_conv(m, x, buf, 1, 1));
	snprintf(buf, sizeof(buf), "%s.conv2", name);
	return op_relu(layer_conv(m, x, buf, 1, 1));
}

static int unet_build(struct model *m)
{
	const struct model_spec *s = &m->spec;
	int full = s->h * s->w, w = s->width;

	if (s->h % 4 || s->w % 4)
		return error(EXIT_UNEVALUABLE, "unet takes images whose height and width are multiples of 4, not %dx%d",
			     s->h, s->w);
	add_pair(m, "down1", w, s->c, full);
	add_pair(m, "down2", 2 * w, w, full / 4);
	add_pair(m, "bottom", 4 * w, 2 * w, full / 16);
	layer_add_conv_transpose(m, "up2.scale", 4 * w, 2 * w, 2, full / 16);
	add_pair(m, "up2", 2 * w, 4 * w, full / 4);
	layer_add_conv_transpose(m, "up1.scale", 2 * w, w, 2, full / 4);
	add_pair(m, "up1", w, 2 * w, full);
	layer_add_conv(m, "out", s->classes, w, 1, full, true);
	return 0;
}

/* Twice the size, beside the skip connection of that size. */
static struct node *up(struct model *m, struct node *x, struct node *skip, const char *scale, const char *name)
{
	return pair(m, op_concat(skip, layer_conv_transpose(m, x, scale, 2)), name);
}

static struct node *unet_forward(struct model *m, struct node *x, bool train)
{
	struct node *skip1, *skip2;

	(void)train;
	skip1 = pair(m, x, "down1");
	skip2 = pair(m, op_max_pool(skip1, 2, 2), "down2");
	x = pair(m, op_max_pool(skip2, 2, 2), "bottom");
	x = up(m, x, skip2, "up2.scale", "up2");
	x = up(m, x, skip1, "up1.scale", "up1");
	return layer_conv(m, x, "out", 1, 0);
}

const struct arch arch_unet = {
	.drv = { .name = "unet", .summary = "U-Net of two levels with WIDTH channels at the top (unet-8), linear output",
		 .source = "Ronneberger et al., \"U-Net: convolutional networks for biomedical image segmentation\", MICCAI "
			   "2015, fig. 1. Differs: two levels instead of four, 8 channels at the top, padded convolutions, so the "
			   "output has the input's size",
		 .version = 1 },
	.build = unet_build, .forward = unet_forward, .width = 8, .image = true,
};
