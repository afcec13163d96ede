#include "nn/kernels.h"
#include "nn/kernels_winograd.h"

#define FEWEST 16        /* channels, see docs/speed.md */

bool winograd_suits(int k, int stride, int c, int o)
{
	return k == 3 && stride == 1 && c >= FEWEST && o >= FEWEST;
}

struct wino wino_shape(int c, int h, int w, int pad, int o)
{
	return (struct wino){ .c = c, .h = h, .w = w, .pad = pad, .o = o, .oh = h + 2 * pad - 2, .ow = w + 2 * pad - 2 };
}

/* G's rows on three numbers of each output of a block. */
static void g_rows(real (*a)[WINO_BLOCK_MOST], int from, real (*to)[WINO_BLOCK_MOST], int apart)
{
	for (int j = 0; j < WINO_BLOCK_MOST; j++) {
		const real half = (real)0.5, ends = half * (a[0][j] + a[2 * from][j]), middle = half * a[from][j];

		to[0][j] = a[0][j];
		to[apart][j] = ends + middle;
		to[2 * apart][j] = ends - middle;
		to[3 * apart][j] = a[2 * from][j];
	}
}

void wino_pack(const struct taps *t, int block, int b, real *to)
{
	const int outs = t->back ? t->c : t->o, ins = t->back ? t->o : t->c;
	const int valid = outs - b * block < block ? outs - b * block : block;
	const size_t apart = (size_t)ins * (size_t)block, per_o = (size_t)t->c * 9, first = (size_t)b * (size_t)block;
	real g[9][WINO_BLOCK_MOST] = { 0 }, half[12][WINO_BLOCK_MOST], u[WINO][WINO_BLOCK_MOST];

	for (int i = 0; i < ins; i++, to += block) {
		for (int j = 0; j < valid; j++)
			for (int k = 0; k < 9; k++)
				g[k][j] = t->back ? t->w[(size_t)i * per_o + (first + (size_t)j) * 9 + (size_t)(8 - k)] :
						    t->w[(first + (size_t)j) * per_o + (size_t)i * 9 + (size_t)k];
		for (int x = 0; x < 3; x++)
			g_rows(g + x, 3, half + x, 3); /* G g: (4,3) */
		for (int y = 0; y < 4; y++)
			g_rows(half + y * 3, 1, u + y * 4, 1);
		for (int e = 0; e < WINO; e++)
			for (int j = 0; j < block; j++)
				to[(size_t)e * apart + (size_t)j] = u[e][j];
	}
}

/* G^T's rows on four numbers. */
static void gt_rows(const real *a, size_t from, real *to, size_t apart)
{
	const real half = (real)0.5, sum = half * (a[from] + a[2 * from]), gap = half * (a[from] - a[2 * from]);

	to[0] = a[0] + sum;
	to[apart] = gap;
	to[2 * apart] = sum + a[3 * from];
}

void wino_unpack(const real *du, size_t apart, real *dg)
{
	real half[12], g[9];

	for (int x = 0; x < 4; x++)
		gt_rows(du + x * apart, 4 * apart, half + x, 4); /* G^T du: (3,4) */
	for (int y = 0; y < 3; y++)
		gt_rows(half + y * 4, 1, g + y * 3, 1);
	for (int i = 0; i < 9; i++)
		dg[i] += g[i];
}
