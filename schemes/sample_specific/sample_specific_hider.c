/* Hiding bits in images and reading them again: using the networks, which sample_specific_hider_train.c trains. */
#include "base/error.h"
#include "datasets/codec.h"
#include "nn/ops.h"
#include "schemes/sample_specific/sample_specific_hider_graph.h"
#include <math.h>
#include <string.h>

void hider_release(struct hider *h)
{
	model_free(h->unet);
	model_free(h->dense);
	model_free(h->reader);
	*h = (struct hider){ 0 };
}

struct model_spec hider_unet_spec(int planes, int width, int c, int h, int w)
{
	return (struct model_spec){ .arch = "unet", .c = c + planes, .h = h, .w = w, .classes = c, .width = width };
}

struct node *hider_planes(struct model *dense, struct node *s, int h, int w)
{
	struct node *p = op_relu(dense->arch->forward(dense, s, true));

	return op_reshape(p, dense->spec.classes / (h / 4) / (w / 4), h / 4, w / 4);
}

struct node *hider_residual(struct model *unet, struct node *x, struct node *planes)
{
	return unet->arch->forward(unet, op_concat(op_scale(x, 1, (real)-0.5), op_upsample(planes, 4)), true);
}

/* clip(v, 0, 1) = relu(v) - relu(v - 1); the rounding lets the gradient through. */
struct node *hider_send(struct node *x, struct node *residual)
{
	struct node *v = op_add(x, residual);

	return op_round_ste(op_sub(op_relu(v), op_relu(op_scale(v, 1, -1))), 255);
}

void hider_bits(struct node *s, const uint8_t *bit, float low)
{
	float *row = xmalloc((size_t)s->n * s->c, sizeof(*row));

	for (int i = 0; i < s->n * s->c; i++)
		row[i] = low + (float)bit[i];
	node_load_f32(s, row);
	free(row);
}

struct folding {
	struct model *dense;
	const uint8_t *bit;
	float *planes;
};

static void fold_batch(void *ctx, struct tape *t, int first, int n)
{
	const struct folding *j = ctx;
	const int bits = j->dense->spec.c;
	struct node *s = tape_input(t, n, bits, 1, 1, false);

	hider_bits(s, j->bit + (size_t)first * bits, -0.5f);
	node_store_f32(op_relu(j->dense->arch->forward(j->dense, s, false)),
		       j->planes + (size_t)j->dense->spec.classes * (size_t)first);
}

int hider_fold(struct model *dense, const uint8_t *bit, int n, float *planes)
{
	struct folding j = { dense, bit, planes };

	return model_batches(dense, n, fold_batch, &j);
}

/* Rows first .. first+n-1 of planes as a batch node. */
static struct node *load_planes(struct tape *t, const struct model_spec *s, const float *planes, size_t stride,
				int first, int n)
{
	const int count = s->c - s->classes;
	const size_t len = (size_t)hider_planes_len(count, s->h, s->w);
	struct node *p = tape_input(t, n, count, s->h / 4, s->w / 4, false);
	float *row = xmalloc(len * n, sizeof(*row));

	for (int i = 0; i < n; i++)
		memcpy(row + len * i, planes + stride * (first + i), len * sizeof(*row));
	node_load_f32(p, row);
	free(row);
	return p;
}

struct sending {
	struct model *unet;
	const struct images *v;
	const float *planes;
	size_t stride;
	float *out;
};

static void send_batch(void *ctx, struct tape *t, int first, int n)
{
	const struct sending *j = ctx;
	const struct images *v = j->v;
	struct node *x = tape_input(t, n, v->c, v->h, v->w, false);

	node_load_images(x, v, first);
	node_store_f32(hider_send(x, hider_residual(j->unet, x,
						    load_planes(t, &j->unet->spec, j->planes, j->stride, first, n))),
		       j->out + (size_t)images_size(v) * (size_t)first);
}

int hider_apply(struct model *unet, const struct images *v, const float *planes, size_t stride, float *out)
{
	const struct model_spec *s = &unet->spec;
	struct sending j = { unet, v, planes, stride, out };

	if (v->c != s->classes || v->h != s->h || v->w != s->w)
		return error(EXIT_UNEVALUABLE, "this encoder takes images of %dx%dx%d (c x h x w), not %dx%dx%d",
			     s->classes, s->h, s->w, v->c, v->h, v->w);
	return model_batches(unet, v->n, send_batch, &j);
}

int hider_read(struct model *reader, const float *x, int n, uint8_t *bit)
{
	const struct model_spec *s = &reader->spec;
	const struct images v = { .n = n, .c = s->c, .h = s->h, .w = s->w, .fx = x };
	float *logits = xmalloc((size_t)n * s->classes + 1, sizeof(*logits));
	const int ret = model_predict(reader, &v, logits);

	for (int i = 0; i < n * s->classes && !ret; i++)
		bit[i] = logits[i] > 0;
	free(logits);
	return ret;
}

int hider_jpeg(float *x, int n, int c, int h, int w, int quality)
{
	const int len = c * h * w;
	uint8_t *px = xmalloc((size_t)len, 1);
	int ret = 0;

	for (int i = 0; i < n && !ret; i++, x += len) {
		uint8_t *file, *got = NULL;
		int gc, gh, gw;
		size_t size;

		image_bytes(x, (size_t)len, px);
		file = jpeg_encode(px, c, h, w, quality, JPEG_420, &size);
		if (file)
			got = jpeg_decode(file, size, "image in training", &gc, &gh, &gw);
		ret = got ? 0 : -1;
		if (got)
			image_floats(got, (size_t)len, x);
		free(file);
		free(got);
	}
	free(px);
	return ret;
}
