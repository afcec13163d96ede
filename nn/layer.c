/* Layers the architectures share. See layer.h. */
#include "nn/layer.h"

#include "base/error.h"
#include "nn/ops.h"

#define NORM_MOMENTUM ((real)0.1) /* PyTorch's default */

/* "name.what" in buf, which is returned. */
static const char *join(char buf[PARAM_NAME_MAX], const char *name, const char *what)
{
	BUG_ON(snprintf(buf, PARAM_NAME_MAX, "%s.%s", name, what) >= PARAM_NAME_MAX);
	return buf;
}

/* ---- parameters ---- */

static void add_weight(struct model *m, const char *name, int d0, int d1, int k, int uses)
{
	char buf[PARAM_NAME_MAX];
	struct param *p = model_param(m, join(buf, name, "weight"), d0, d1, k, k);

	p->uses = uses;
}

static void add_bias(struct model *m, const char *name, int n)
{
	char buf[PARAM_NAME_MAX];

	model_param(m, join(buf, name, "bias"), n, 0, 0, 0);
}

void layer_add_conv(struct model *m, const char *name, int out, int in, int k, int pixels, bool bias)
{
	add_weight(m, name, out, in, k, pixels);
	if (bias)
		add_bias(m, name, out);
}

void layer_add_conv_transpose(struct model *m, const char *name, int in, int out, int k, int pixels)
{
	add_weight(m, name, in, out, k, pixels);
	add_bias(m, name, out);
}

void layer_add_linear(struct model *m, const char *name, int out, int in, bool bias)
{
	add_weight(m, name, out, in, 0, 1);
	if (bias)
		add_bias(m, name, out);
}

void layer_add_norm(struct model *m, const char *name, int c)
{
	char buf[PARAM_NAME_MAX];

	model_param(m, join(buf, name, "weight"), c, 0, 0, 0);
	add_bias(m, name, c);
}

void layer_add_norm_buffers(struct model *m, const char *name, int c)
{
	char buf[PARAM_NAME_MAX];

	model_buffer(m, join(buf, name, "running_mean"), c);
	model_buffer(m, join(buf, name, "running_var"), c);
}

/* ---- forward ---- */

static struct node *weight(struct model *m, struct node *x, const char *name)
{
	char buf[PARAM_NAME_MAX];

	return model_node(m, x->t, join(buf, name, "weight"));
}

/* NULL when the layer has no bias. */
static struct node *bias(struct model *m, struct node *x, const char *name)
{
	char buf[PARAM_NAME_MAX];

	return model_find(m, join(buf, name, "bias")) ? model_node(m, x->t, buf) : NULL;
}

static real *statistic(struct model *m, const char *name, const char *what)
{
	char buf[PARAM_NAME_MAX];
	struct param *p = model_find(m, join(buf, name, what));

	BUG_ON(!p);
	return p->x;
}

/* Tell whoever listens. */
static struct node *ran(const struct model *m, const char *name, const struct node *in, struct node *out, int stride, int pad)
{
	if (m->hooks && m->hooks->layer)
		m->hooks->layer(m->hooks->ctx, name, in, out, stride, pad);
	return out;
}

struct node *layer_conv(struct model *m, struct node *x, const char *name, int stride, int pad)
{
	return ran(m, name, x, op_conv2d(x, weight(m, x, name), bias(m, x, name), stride, pad), stride, pad);
}

struct node *layer_conv_transpose(struct model *m, struct node *x, const char *name, int stride)
{
	return op_conv_transpose2d(x, weight(m, x, name), bias(m, x, name), stride, 0);
}

struct node *layer_linear(struct model *m, struct node *x, const char *name)
{
	return ran(m, name, x, op_linear(x, weight(m, x, name), bias(m, x, name)), 1, 0);
}

static struct node *norm(struct model *m, struct node *x, const char *name, bool train, bool relu)
{
	struct node *y = (relu ? op_batch_norm_relu : op_batch_norm)(x, weight(m, x, name), bias(m, x, name), statistic(m, name, "running_mean"),
								     statistic(m, name, "running_var"), train, NORM_MOMENTUM, LAYER_NORM_EPS);

	return ran(m, name, x, y, 1, 0);
}

struct node *layer_norm(struct model *m, struct node *x, const char *name, bool train)
{
	return norm(m, x, name, train, false);
}

struct node *layer_norm_relu(struct model *m, struct node *x, const char *name, bool train)
{
	return norm(m, x, name, train, true);
}
