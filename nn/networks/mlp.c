/* A multilayer perceptron with two hidden layers: the smallest model that schemes and tests can use. */
#include "nn/layer.h"
#include "nn/ops.h"

static int build(struct model *m, bool norm)
{
	const struct model_spec *s = &m->spec;

	layer_add_linear(m, "fc1", s->width, s->c * s->h * s->w, !norm);
	if (norm)
		layer_add_norm(m, "bn1", s->width);
	layer_add_linear(m, "fc2", s->width, s->width, !norm);
	if (norm)
		layer_add_norm(m, "bn2", s->width);
	layer_add_linear(m, "fc3", s->classes, s->width, true);
	if (!norm)
		return 0;
	layer_add_norm_buffers(m, "bn1", s->width);
	layer_add_norm_buffers(m, "bn2", s->width);
	return 0;
}

static int mlp_build(struct model *m)
{
	return build(m, false);
}

static int mlpn_build(struct model *m)
{
	return build(m, true);
}

static struct node *mlpn_forward(struct model *m, struct node *x, bool train)
{
	x = layer_norm_relu(m, layer_linear(m, x, "fc1"), "bn1", train);
	x = layer_norm_relu(m, layer_linear(m, x, "fc2"), "bn2", train);
	return layer_linear(m, x, "fc3");
}

static struct node *mlp_forward(struct model *m, struct node *x, bool train)
{
	(void)train;
	x = op_relu(layer_linear(m, x, "fc1"));
	x = op_relu(layer_linear(m, x, "fc2"));
	return layer_linear(m, x, "fc3");
}

const struct arch arch_mlp = {
	.drv = { .name = "mlp", .summary = "perceptron with two hidden layers of WIDTH units (mlp-256)",
		 .source = "Rumelhart et al., \"Learning representations by back-propagating errors\", Nature 1986. "
			   "Differs: ReLU and softmax output",
		 .version = 1 },
	.build = mlp_build, .forward = mlp_forward, .width = 256,
};

const struct arch arch_mlpn = {
	.drv = { .name = "mlpn", .summary = "the same with batch norm behind its two hidden layers (mlpn-256)",
		 .source = "Ioffe and Szegedy, \"Batch normalization\", ICML 2015. Differs: as mlp; no biases before batch norm",
		 .version = 1 },
	.build = mlpn_build, .forward = mlpn_forward, .width = 256,
};
