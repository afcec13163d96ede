/* A convolutional autoencoder: the image, in [0,1], comes back at its own size after a bottleneck of half the
 * rows and columns. */
#include "nn/layer.h"

#include "base/error.h"
#include "nn/ops.h"

static int cae_build(struct model *m)
{
	const struct model_spec *s = &m->spec;
	int full = s->h * s->w, w = s->width;

	if (s->h % 2 || s->w % 2)
		return error(EXIT_UNEVALUABLE, "cae takes images of even height and width, not %dx%d", s->h, s->w);
	if (s->classes != s->c)
		return error(EXIT_UNEVALUABLE, "cae returns its input: classes (output channels) must be %d, not %d", s->c,
			     s->classes);
	layer_add_conv(m, "enc1", w, s->c, 3, full, true);
	layer_add_conv(m, "enc2", w, w, 3, full / 4, true);
	layer_add_conv(m, "dec1", w, w, 3, full / 4, true);
	layer_add_conv(m, "dec2", w, w, 3, full, true);
	layer_add_conv(m, "out", s->c, w, 3, full, true);
	return 0;
}

static struct node *cae_forward(struct model *m, struct node *x, bool train)
{
	(void)train;
	x = op_avg_pool(op_relu(layer_conv(m, x, "enc1", 1, 1)), 2, 2);
	x = op_relu(layer_conv(m, x, "enc2", 1, 1)); /* (width, h/2, w/2): the code */
	x = op_upsample(op_relu(layer_conv(m, x, "dec1", 1, 1)), 2);
	x = op_relu(layer_conv(m, x, "dec2", 1, 1));
	return op_sigmoid(layer_conv(m, x, "out", 1, 1));
}

const struct arch arch_cae = {
	.drv = { .name = "cae", .summary = "convolutional autoencoder with WIDTH channels inside (cae-8), sigmoid output",
		 .source = "Meng and Chen, \"MagNet: a two-pronged defense against adversarial examples\", CCS 2017, "
			   "table 3 (detector I and reformer of MNIST). Differs: 8 channels instead of 3, ReLU instead of "
			   "sigmoid inside, any even image size",
		 .version = 1 },
	.build = cae_build, .forward = cae_forward, .width = 8, .image = true,
};
