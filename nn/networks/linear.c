/* One linear layer: the smallest model there is, and a part of larger ones. */
#include "nn/layer.h"

static int linear_build(struct model *m)
{
	layer_add_linear(m, "fc", m->spec.classes, m->spec.c * m->spec.h * m->spec.w, true);
	return 0;
}

static struct node *linear_forward(struct model *m, struct node *x, bool train)
{
	(void)train;
	return layer_linear(m, x, "fc");
}

const struct arch arch_linear = {
	.drv = { .name = "linear", .summary = "one linear layer: logistic regression",
		 .source = "Cox, \"The regression analysis of binary sequences\", JRSS B 1958. Differs: several classes, softmax output",
		 .version = 1 },
	.build = linear_build, .forward = linear_forward,
};
