/* Wide residual networks of depth 10: three pre-activation blocks of two 3x3 convolutions, widths 16k, 32k, 64k.
 *
 *   wrn10   the standard WRN-10-k, with the names of PyTorch code in the style of xternalz/WideResNet-pytorch.
 *   wrn10t  with one more 3x3 convolution 16->32 after the stem. ActiveGuard's Table I lists WRN's convolutions,
 *           as (3,3,in,out), as (3,3,16,32), (3,3,64,64), (3,3,128,128), (3,3,256,256). The first does not exist in
 *           the standard WRN-10-4, whose layer after the stem is (3,3,16,64). With k = 4 the four of wrn10t are
 *           stem.conv1, block1.0.conv2, block2.0.conv2 and block3.0.conv2. */
#include "nn/layer.h"
#include "nn/ops.h"

#include <stdio.h>

#define STEM 16        /* channels after the first convolution */
#define TABLE1_STEM 32 /* and after wrn10t's second */
#define BLOCKS 3

struct block {
	int in, out;
	int pixels; /* rows times columns of its output */
};

/* Block b = 1..3 of a network whose stem ends with `stem` channels. */
static struct block block_at(const struct model_spec *s, int stem, int b)
{
	int k = s->width, h = s->h, w = s->w;

	for (int i = 1; i < b; i++) { /* blocks 2 and 3 halve the image */
		h = (h + 1) / 2;
		w = (w + 1) / 2;
	}
	return (struct block){
		.in = b == 1 ? stem : 16 * k << (b - 2), .out = 16 * k << (b - 1), .pixels = h * w,
	};
}

static const char *block_name(char buf[PARAM_NAME_MAX], int b, const char *layer)
{
	snprintf(buf, PARAM_NAME_MAX, "block%d.0.%s", b, layer);
	return buf;
}

/* ---- parameters ---- */

static void add_block(struct model *m, int b, const struct block *k)
{
	char buf[PARAM_NAME_MAX];

	layer_add_norm(m, block_name(buf, b, "bn1"), k->in);
	layer_add_conv(m, block_name(buf, b, "conv1"), k->out, k->in, 3, k->pixels, false);
	layer_add_norm(m, block_name(buf, b, "bn2"), k->out);
	layer_add_conv(m, block_name(buf, b, "conv2"), k->out, k->out, 3, k->pixels, false);
	if (k->in != k->out)
		layer_add_conv(m, block_name(buf, b, "shortcut"), k->out, k->in, 1, k->pixels, false);
}

static void add_block_buffers(struct model *m, int b, const struct block *k)
{
	char buf[PARAM_NAME_MAX];

	layer_add_norm_buffers(m, block_name(buf, b, "bn1"), k->in);
	layer_add_norm_buffers(m, block_name(buf, b, "bn2"), k->out);
}

static int build(struct model *m, int stem)
{
	const struct model_spec *s = &m->spec;
	int last = 64 * s->width;

	layer_add_conv(m, "conv1", STEM, s->c, 3, s->h * s->w, false);
	if (stem != STEM) {
		layer_add_norm(m, "stem.bn1", STEM);
		layer_add_conv(m, "stem.conv1", stem, STEM, 3, s->h * s->w, false);
	}
	for (int b = 1; b <= BLOCKS; b++) {
		struct block k = block_at(s, stem, b);

		add_block(m, b, &k);
	}
	layer_add_norm(m, "bn1", last);
	layer_add_linear(m, "fc", s->classes, last, true);

	if (stem != STEM)
		layer_add_norm_buffers(m, "stem.bn1", STEM);
	for (int b = 1; b <= BLOCKS; b++) {
		struct block k = block_at(s, stem, b);

		add_block_buffers(m, b, &k);
	}
	layer_add_norm_buffers(m, "bn1", last);
	return 0;
}

static int wrn10_build(struct model *m)
{
	return build(m, STEM);
}

static int wrn10t_build(struct model *m)
{
	return build(m, TABLE1_STEM);
}

/* ---- forward ---- */

/* y = conv2(relu(bn2(conv1(h)))) + shortcut, h = relu(bn1(x)); the shortcut is x itself where widths agree. */
static struct node *block_forward(struct model *m, struct node *x, int b, bool train)
{
	char buf[PARAM_NAME_MAX];
	int stride = b == 1 ? 1 : 2;
	struct node *h, *y, *z;

	h = layer_norm_relu(m, x, block_name(buf, b, "bn1"), train);
	y = layer_conv(m, h, block_name(buf, b, "conv1"), stride, 1);
	z = layer_norm_relu(m, y, block_name(buf, b, "bn2"), train);
	node_done(y);
	y = layer_conv(m, z, block_name(buf, b, "conv2"), 1, 1);
	node_done(z);
	if (x->c == y->c) {
		node_done(h);
		z = op_add_over(y, x);
		node_done(x);
		return z;
	}
	node_done(x);
	x = layer_conv(m, h, block_name(buf, b, "shortcut"), stride, 0);
	node_done(h);
	z = op_add_over(y, x);
	node_drop(x);
	return z;
}

static struct node *forward(struct model *m, struct node *x, bool train)
{
	struct node *y;

	x = layer_conv(m, x, "conv1", 1, 1);
	if (model_find(m, "stem.conv1.weight"))
		x = layer_conv(m, layer_norm_relu(m, x, "stem.bn1", train), "stem.conv1", 1, 1);
	for (int b = 1; b <= BLOCKS; b++)
		x = block_forward(m, x, b, train);
	y = layer_norm_relu(m, x, "bn1", train);
	node_done(x);
	return layer_linear(m, op_global_avg_pool(y), "fc");
}

const struct arch arch_wrn10 = {
	.drv = { .name = "wrn10", .summary = "wide residual network WRN-10-k (wrn10-4)",
		 .source = "Zagoruyko and Komodakis, \"Wide residual networks\", BMVC 2016, table 1. "
			   "Differs: nothing; N = 1, no dropout",
		 .version = 1 },
	.build = wrn10_build, .forward = forward, .width = 4, .he_normal = true,
};

const struct arch arch_wrn10t = {
	.drv = { .name = "wrn10t", .summary = "WRN-10-k with the convolutions of ActiveGuard's Table I (wrn10t-4)",
		 .source = "Zagoruyko and Komodakis, \"Wide residual networks\", BMVC 2016; ActiveGuard, Table I. "
			   "Differs: one more 3x3 convolution 16->32 (with batch norm and ReLU before it) after the stem",
		 .version = 1 },
	.build = wrn10t_build, .forward = forward, .width = 4, .he_normal = true,
};
