/* LeNet-5 as PyTorch tutorials build it. See the source field for what differs from 1998.
 * 28x28 images are padded by 2, so both input sizes reach fc1 as (16,5,5). */
#include "nn/layer.h"

#include "base/error.h"
#include "nn/ops.h"

static int pad_of(const struct model_spec *s)
{
	return s->h == 28 ? 2 : 0;
}

static int build(struct model *m, bool norm)
{
	const struct model_spec *s = &m->spec;

	if (s->h != s->w || (s->h != 28 && s->h != 32))
		return error(EXIT_UNEVALUABLE, "%s takes images of 28x28 or 32x32, not %dx%d (h x w)", s->arch, s->h, s->w);
	layer_add_conv(m, "conv1", 6, s->c, 5, 28 * 28, !norm);
	if (norm)
		layer_add_norm(m, "bn1", 6);
	layer_add_conv(m, "conv2", 16, 6, 5, 10 * 10, !norm);
	if (norm)
		layer_add_norm(m, "bn2", 16);
	layer_add_linear(m, "fc1", 120, 16 * 5 * 5, !norm);
	if (norm)
		layer_add_norm(m, "bn3", 120);
	layer_add_linear(m, "fc2", 84, 120, true);
	layer_add_linear(m, "fc3", s->classes, 84, true);
	if (!norm)
		return 0;
	layer_add_norm_buffers(m, "bn1", 6);
	layer_add_norm_buffers(m, "bn2", 16);
	layer_add_norm_buffers(m, "bn3", 120);
	return 0;
}

static int lenet5_build(struct model *m)
{
	return build(m, false);
}

static int lenet5n_build(struct model *m)
{
	return build(m, true);
}

static struct node *lenet5_forward(struct model *m, struct node *x, bool train)
{
	struct node *y;

	(void)train;
	y = layer_conv(m, x, "conv1", 1, pad_of(&m->spec));
	x = op_relu_max_pool(y, 2); /* (6,14,14) */
	node_done(y);
	y = layer_conv(m, x, "conv2", 1, 0);
	node_done(x);
	x = op_relu_max_pool(y, 2); /* (16,5,5) */
	node_done(y);
	x = op_relu(layer_linear(m, x, "fc1"));
	x = op_relu(layer_linear(m, x, "fc2"));
	return layer_linear(m, x, "fc3");
}

static struct node *lenet5n_forward(struct model *m, struct node *x, bool train)
{
	x = layer_norm(m, layer_conv(m, x, "conv1", 1, pad_of(&m->spec)), "bn1", train);
	x = op_relu_max_pool(x, 2);
	x = layer_norm(m, layer_conv(m, x, "conv2", 1, 0), "bn2", train);
	x = op_relu_max_pool(x, 2);
	x = layer_norm_relu(m, layer_linear(m, x, "fc1"), "bn3", train);
	x = op_relu(layer_linear(m, x, "fc2"));
	return layer_linear(m, x, "fc3");
}

const struct arch arch_lenet5 = {
	.drv = { .name = "lenet5", .summary = "LeNet-5 with ReLU and max pooling, 61,706 parameters on 28x28x1",
		 .source = "LeCun et al., \"Gradient-based learning applied to document recognition\", Proc. IEEE 1998, "
			   "sec. II.B. Differs: ReLU, max pooling, full connections between conv1 and conv2, softmax output",
		 .version = 1 },
	.build = lenet5_build, .forward = lenet5_forward,
};

const struct arch arch_lenet5n = {
	.drv = { .name = "lenet5n", .summary = "LeNet-5 with batch norm behind its three convolutions (C1, C3, C5)",
		 .source = "LeCun et al., Proc. IEEE 1998, sec. II.B: C5, here fc1, is a convolution of 5x5; Ioffe and Szegedy, ICML 2015. "
			   "Differs: as lenet5; no biases before batch norm",
		 .version = 1 },
	.build = lenet5n_build, .forward = lenet5n_forward,
};
