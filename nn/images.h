/* A view of labelled images: what training, prediction and attacks take. Borrowed pointers; copying the
 * struct copies the view. Pixels are uint8 (8-bit data sets stay 8-bit in memory) or float in [0,1]
 * (credentials, attacked images); exactly one of px and fx is set. The engine sees pixel/255 or fx. */
#ifndef LB_NN_IMAGES_H
#define LB_NN_IMAGES_H

#include <stddef.h>
#include <stdint.h>

struct images {
	int n;             /* images in this view */
	int c, h, w;       /* channels, rows, columns of one image, planar (c,h,w) */
	int classes;
	const uint8_t *px; /* (*, c, h, w) or NULL */
	const float *fx;   /* (*, c, h, w) or NULL */
	const uint8_t *labels; /* (*) class of each stored image; NULL when unlabelled */
	const float *soft; /* (*, classes) soft labels instead, or NULL */
	const int *index;  /* (n) position of image i in px/fx/labels/soft; NULL: position i */
};

static inline int images_at(const struct images *v, int i)
{
	return v->index ? v->index[i] : i;
}
static inline int images_label(const struct images *v, int i)
{
	return v->labels[images_at(v, i)];
}
static inline int images_size(const struct images *v)
{
	return v->c * v->h * v->w;
}
/* Image i as floats in [0,1]: out (c,h,w). */
static inline void images_get(const struct images *v, int i, float *out)
{
	const int len = images_size(v);
	const long at = (long)images_at(v, i) * len;

	for (int k = 0; k < len; k++)
		out[k] = v->px ? (float)v->px[at + k] / 255.0f : v->fx[at + k];
}
/* Numbers in [0,1] as bytes, the nearest k/255 of each: what lies outside is clipped, a NaN becomes 0. Of two as near
 * image_bytes() takes the even one, image_bytes_up() the higher one. */
void image_bytes(const float *x, size_t n, uint8_t *px);
void image_bytes_up(const float *x, size_t n, uint8_t *px);
/* Bytes as numbers: px/255. */
void image_floats(const uint8_t *px, size_t n, float *x);
/* The first n images of v (n at most v->n). */
static inline struct images images_first(struct images v, int n)
{
	if (n < v.n)
		v.n = n;
	return v;
}
/* v's images as floats, in its order, with their labels, and room for `more` behind them (zeros), in new arrays. x,
 * label: where to write into them, or NULL. Release with images_free(), which is for such views only. */
struct images images_copied(const struct images *v, int more, float **x, uint8_t **label);
void images_free(struct images *v);

#endif
