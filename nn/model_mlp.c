/* A multilayer perceptron with two hidden layers: the smallest model that schemes and tests can use. */
#include "nn/layer.h"

static int mlp_build(struct model *m)
{
	const struct model_spec *s = &m->spec;

	layer_add_linear(m, "fc1", s->width, s->c * s->h * s->w);
	layer_add_linear(m, "fc2", s->width, s->width);
	layer_add_linear(m, "fc3", s->classes, s->width);
	return 0;
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
