/* A small convolutional network that reads what is hidden in an image: no pooling, so that nothing faint is thrown away before it is
 * looked at, and no global average, so that places tell apart. */
#include "nn/layer.h"

#include "base/error.h"
#include "nn/ops.h"

#define HIDDEN 128

static int reader_build(struct model *m)
{
	const struct model_spec *s = &m->spec;
	int half = s->h / 2 * (s->w / 2), quarter = half / 4, w = s->width;

	if (s->h % 4 || s->w % 4)
		return error(EXIT_UNEVALUABLE, "reader takes images whose height and width are multiples of 4, not %dx%d", s->h, s->w);
	layer_add_conv(m, "conv1", w, s->c, 3, half, true);
	layer_add_conv(m, "conv2", w, w, 3, half, true);
	layer_add_conv(m, "conv3", 2 * w, w, 3, quarter, true);
	layer_add_conv(m, "conv4", 2 * w, 2 * w, 3, quarter, true);
	layer_add_linear(m, "fc1", HIDDEN, 2 * w * quarter, true);
	layer_add_linear(m, "fc2", s->classes, HIDDEN, true);
	return 0;
}

static struct node *reader_forward(struct model *m, struct node *x, bool train)
{
	(void)train;
	x = op_relu(layer_conv(m, x, "conv1", 2, 1));
	x = op_relu(layer_conv(m, x, "conv2", 1, 1));
	x = op_relu(layer_conv(m, x, "conv3", 2, 1));
	x = op_relu(layer_conv(m, x, "conv4", 1, 1));
	x = op_relu(layer_linear(m, x, "fc1"));
	return layer_linear(m, x, "fc2");
}

const struct arch arch_reader = {
	.drv = { .name = "reader", .summary = "reads hidden bits: strided convolutions of WIDTH channels and two linear layers (reader-16)",
		 .source = "Tancik et al., \"StegaStamp\", CVPR 2020, the decoder; Li et al., \"Invisible backdoor attack with "
			   "sample-specific triggers\", ICCV 2021. Differs: four convolutions instead of seven, 128 hidden units, no "
			   "spatial transformer",
		 .version = 1 },
	.build = reader_build, .forward = reader_forward, .width = 16,
};
