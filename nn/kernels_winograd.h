/* Winograd's minimal filtering F(2x2,3x3): a convolution with 3x3 kernels and stride 1 whose outputs are made in tiles of 2x2 from
 * 16 products a pair of channels instead of 36 (Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016).
 *
 *   forward   Y  = A^T (sum over c of (G g G^T) . (B^T d B)) A      g a kernel, d a tile's 4x4 inputs, . number by number
 *   weights   dg = G^T (sum over tiles and images of (A dY A^T) . (B^T d B)) G
 *
 * The transforms only add, but for a half in G; the error against the direct sum is measured in docs/speed.md and
 * bounded in tests/check_winograd.c. Which convolutions go this way depends on their shape alone (winograd_suits()), so that results do not
 * change with the batch, the threads or the processor. */
#ifndef LB_NN_KERNELS_WINOGRAD_H
#define LB_NN_KERNELS_WINOGRAD_H

#include "nn/real.h"
#include <stdbool.h>
#include <stddef.h>

#define WINO 16         /* numbers of a transformed tile or kernel */
#define WINO_BLOCK_MOST 8 /* outputs in a packed block, at most */
#define WINO_STRIP 4    /* tiles that are worked off together: 512 KiB of transformed inputs where there are 128 channels */
#define WINO_OUTPUTS 16 /* outputs whose products are made before they are transformed back */

/* A convolution over one group: x (c,h,w) with `pad` zeros (0 to 2) on each side that are not stored, y (o,oh,ow). */
struct wino {
	int c, h, w, pad;
	int o, oh, ow;
};

struct wino wino_shape(int c, int h, int w, int pad, int o);
/* Whether a convolution is done this way: 3x3, stride 1, and enough channels that the products outweigh the transforms. */
bool winograd_suits(int k, int stride, int c, int o);

static inline int wino_tiles_across(const struct wino *s)
{
	return (s->ow + 1) / 2;
}
static inline int wino_tiles(const struct wino *s)
{
	return (s->oh + 1) / 2 * wino_tiles_across(s);
}
/* From one of the 16 numbers to the next in transformed data of n channels: one line more than a power of two, or all 16 would meet in
 * one place of the cache. */
static inline size_t wino_apart(int n)
{
	return ((size_t)n * WINO_STRIP + 1) * LANES;
}

/* What K->wino needs for transformed inputs and products. */
static inline size_t wino_scratch(const struct wino *s)
{
	return WINO * (wino_apart(s->c) + wino_apart(WINO_OUTPUTS));
}

/* Length of a row of n channels, and from one of the 16 numbers to the next where tiles and images are rows. */
static inline size_t wino_row(int n)
{
	return ((size_t)n + LANES - 1) / LANES * LANES;
}
static inline size_t wino_rows_apart(int n)
{
	return (WINO_STRIP * wino_row(n) + 1) * LANES;
}
/* Inputs of a strip's tiles side by side, LANES channels of them. */
#define WINO_PIXELS ((size_t)4 * (2 * WINO_STRIP + 2) * LANES * LANES)
/* What K->wino_wgrad needs. */
static inline size_t wino_wgrad_scratch(const struct wino *s)
{
	return WINO_PIXELS + WINO * (wino_rows_apart(s->c) + wino_rows_apart(s->o));
}

/* conv_pack() of transformed kernels: block b to `to`. */
struct taps;
void wino_pack(const struct taps *t, int block, int b, real *to);
/* dg (3,3) += G^T du G, du's 16 numbers `apart` from each other. */
void wino_unpack(const real *du, size_t apart, real *dg);

#endif
