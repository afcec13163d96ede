/* The kernels: everything the tape computes goes through this one table, so that a second implementation can
 * stand beside it. Kernels work on one group of LANES images or on a flat range and know nothing of threads.
 *
 * kernels.inc is the one source; it is compiled for AVX-512, AVX2+FMA and plain x86-64. The first two give the
 * same bits (each lane sees the same fused operations in the same order, sums over lanes use a fixed tree); plain has no
 * fused multiply-add and differs in the last bits, so the family ("fma" or "plain") is part of every key. */
#ifndef LB_NN_KERNELS_H
#define LB_NN_KERNELS_H

#include "nn/real.h"
#include <stdbool.h>
#include <stddef.h>

/* A convolution over one group: x (c,h,w), w (o,c,kh,kw), y (o,oh,ow). The strides of memory are numbers, not pixels: outputs may
 * lie apart (every other one of an image, one in each group), and so may the inputs of two neighbouring outputs. conv_shape() makes the
 * plain one. */
struct conv {
	int c, h, w;      /* input, padding by columns included */
	int top;          /* rows of zeros above it that are not stored; negative: rows that are left out */
	int o, kh, kw, stride;
	int oh, ow;       /* rows below the input are zeros too */
	size_t x_step;    /* from an output's input to the next column's */
	size_t y_step, y_row, y_plane; /* from an output to the next column, row, channel */
};

struct wino;

/* Pointwise over n numbers; what a, b, p, q mean is said at each row. "back" kernels add to y. */
typedef void pointwise_fn(size_t n, const real *a, const real *b, real *y, real p, real q);

struct kernels {
	const char *isa;    /* "avx512", "avx2", "plain" */
	const char *family; /* "fma" or "plain": same family, same bits */

	/* Output channels a block of packed weights holds, for o channels and rows of ow outputs. Changes no bit. */
	int (*conv_block)(int o, int ow);
	/* y (=, or += when accumulate) conv(x) + bias; wp packed by conv_pack() with conv_block; blocks b0 <= b < b1. bias may be NULL. */
	void (*conv)(const struct conv *s, const real *x, const real *wp, const real *bias, real *y, bool accumulate, int b0, int b1);
	/* Output channels that one weight-gradient task handles. */
	int (*wgrad_block)(int o, int kw);
	/* All padding stored (top 0). dw (o,c,kh,kw) += sum over `groups` groups for output channels o0 <= o < o0 + wgrad_block; x and
	 * dy of consecutive groups are xs and ys numbers apart; scratch: wgrad_scratch() numbers. */
	void (*conv_wgrad)(const struct conv *s, const real *x, size_t xs, const real *dy, size_t ys, int groups, real *dw, int o0,
			   real *scratch);

	/* The same with many channels, multiples of LANES: du (kh,kw,o,c) += for outputs o0 <= o < o1 (multiples of LANES). x has no padding
	 * stored, s counts it; scratch: rows_wgrad_scratch() numbers. */
	void (*rows_wgrad)(const struct conv *s, int pad, const real *x, size_t xs, const real *dy, size_t ys, int groups, real *du, int o0,
			   int o1, real *scratch);

	/* Winograd's way (kernels_winograd.h). Outputs a packed block of transformed kernels holds. Changes no bit. */
	int (*wino_block)(void);
	/* y (=, or += when accumulate) conv(x) + bias at tiles t0 <= t < t1; u packed by conv_pack(); scratch: wino_scratch() numbers. */
	void (*wino)(const struct wino *s, const real *x, const real *u, const real *bias, real *y, bool accumulate, int t0, int t1,
		     real *scratch);
	/* du (16,o,c) += transformed weight gradients of outputs o0 <= o < o1 over `groups` groups, whose x and dy are xs and ys numbers
	 * apart; scratch: wino_wgrad_scratch() numbers. */
	void (*wino_wgrad)(const struct wino *s, const real *x, size_t xs, const real *dy, size_t ys, int groups, real *du, int o0, int o1,
			   real *scratch);

	/* n numbers of LANES images to LANES rows, row numbers apart (a multiple of LANES; zeros behind them to a whole vector). */
	void (*rows)(int n, const real *x, real *to, size_t row);
	/* C (m,n) += A^T B with A (k,m) of row length lda, B (k,n) of row length ldb, C of row length ldc. B's rows
	 * have something to read up to a whole vector. */
	void (*gemm_tn)(int m, int n, int k, const real *a, size_t lda, const real *b, size_t ldb, real *c, size_t ldc);

	/* Pools over planes of one group: x (planes,h,w), y (planes,oh,ow); windows k, step s. */
	void (*max_pool)(int planes, int h, int w, int k, int s, const real *x, real *y);
	void (*max_pool_back)(int planes, int h, int w, int k, int s, const real *x, const real *y, const real *dy, real *dx);
	/* max_pool of relu(x), and its gradient where the windows lie side by side and cover the plane (s == k, h and w multiples of k):
	 * dx is written, not added to. */
	void (*relu_max_pool)(int planes, int h, int w, int k, int s, const real *x, real *y);
	void (*relu_max_pool_back)(int planes, int h, int w, int k, const real *x, const real *y, const real *dy, real *dx);
	void (*avg_pool)(int planes, int h, int w, int k, int s, const real *x, real *y);
	void (*avg_pool_back)(int planes, int h, int w, int k, int s, const real *dy, real *dx);
	void (*upsample)(int planes, int h, int w, int k, const real *x, real *y);
	void (*upsample_back)(int planes, int h, int w, int k, const real *dy, real *dx);

	/* Lane sums of `n` LANES-wide rows: sum[lane] += x; sumsq: += (x - mean)^2; dot: += x*y. */
	void (*lane_sum)(size_t n, const real *x, real *sum);
	void (*lane_sumsq)(size_t n, const real *x, real mean, real *sum);
	void (*lane_dot)(size_t n, const real *x, const real *y, real *sum);
	/* sum += dy, dot += dy*x in one pass; with y not NULL, first dy = y > 0 ? dy : 0 (the ReLU behind). */
	void (*norm_sums)(size_t n, const real *x, const real *y, real *dy, real *sum, real *dot);
	/* dx (=, or += with add) gain * dy + slope * x + shift; dx may be dy. */
	void (*norm_back)(size_t n, const real *x, const real *dy, real *dx, real gain, real slope, real shift, bool add);
	/* softmax of n elements of each lane (log_: its logarithm). */
	void (*softmax)(size_t n, const real *x, real *y);
	void (*log_softmax)(size_t n, const real *x, real *y);

	pointwise_fn *relu;           /* y = max(a, 0) */
	pointwise_fn *relu_back;      /* y += b where a > 0 (a: input or output) */
	pointwise_fn *relu_cut;       /* y = a > 0 ? y : 0 */
	pointwise_fn *leaky_relu;     /* y = a > 0 ? a : p*a */
	pointwise_fn *leaky_relu_back; /* y += b * (a > 0 ? 1 : p) */
	pointwise_fn *sigmoid;        /* y = 1/(1+exp(-a)) */
	pointwise_fn *sigmoid_back;   /* y += b * a*(1-a), a the output */
	pointwise_fn *tanh;           /* y = tanh(a) */
	pointwise_fn *tanh_back;      /* y += b * (1-a*a), a the output */
	pointwise_fn *add;            /* y = a + b */
	pointwise_fn *sub;            /* y = a - b */
	pointwise_fn *mul;            /* y = a * b */
	pointwise_fn *muladd;         /* y += a * b */
	pointwise_fn *axpy;           /* y += p * a */
	pointwise_fn *affine;         /* y = p * a + q */
	pointwise_fn *affine_relu;    /* y = max(p * a + q, 0) */
	pointwise_fn *affine_add;     /* y += p * a + q */
	pointwise_fn *round;          /* y = round(a * p) / p, halves away from zero as roundf */
	pointwise_fn *sign_add;       /* y += p * sign(a - b) */
	pointwise_fn *diff_add;       /* y += p * (a - b) */
	/* Optimisers: one pass over n parameters. */
	void (*sgd)(size_t n, real *x, const real *g, real *m, real lr, real momentum, real decay, bool nesterov);
	void (*adam)(size_t n, real *x, const real *g, real *m1, real *m2, real step, real corr2, real decay);
};

/* Rows of a block's dy that a weight gradient takes at once: as many as fill half the first-level cache. Changes no bit. */
static inline int wgrad_rows(const struct conv *s, int block)
{
	const int fit = (int)(16384 / (sizeof(real) * LANES * (size_t)block * (size_t)s->ow));

	return fit < 1 ? 1 : fit < s->oh ? fit : s->oh;
}
static inline size_t wgrad_scratch(const struct conv *s, int block)
{
	return (size_t)block * LANES * ((size_t)s->c * s->kh * s->kw + (size_t)wgrad_rows(s, block) * s->ow);
}

/* Pixels K->rows_wgrad takes at once, and the length of a row of n channels: a line more, or rows would meet in one place of the cache. */
#define ROWS_PIXELS 8
static inline size_t rows_apart(int n)
{
	return (size_t)n + LANES;
}
static inline size_t rows_wgrad_scratch(const struct conv *s)
{
	return LANES * ((size_t)(ROWS_PIXELS + s->kw) * rows_apart(s->c) + ROWS_PIXELS * rows_apart(s->o));
}

/* The table in use: the best this processor has. */
extern const struct kernels *K;
/* "fma" or "plain": part of every key. */
const char *kernels_name(void);
/* "avx512", ...: recorded in timings. */
const char *kernels_isa(void);
/* What a user should know about the table in use: that plain kernels are slow, and why they are used. NULL: nothing. */
const char *kernels_note(void);
/* Choose one by name (tests; $LOCKBENCH_KERNELS): 0, or -1 when this processor lacks it. */
int kernels_select(const char *isa);

/* o square kernels of k rows over an input (c,h,w), all padding included, with a dense output. */
struct conv conv_shape(int c, int h, int w, int o, int k, int stride);

/* Which taps of square kernels w (o,c,k,k) a convolution multiplies with. Forward: all. Its adjoint (gradient of the input) has output
 * channels c and input channels o, runs the kernel backwards, and with a stride s it falls into s*s convolutions, each with the taps
 * (dy + s*i, dx + s*j). */
struct taps {
	const real *w;
	int o, c, k;
	bool back;
	int stride, dy, dx; /* back only */
	bool winograd;      /* 3x3 with stride 1: transformed, 16 numbers instead of 9 */
};
/* Rows (from dy) or columns (from dx) of taps there are. */
static inline int taps_from(const struct taps *t, int first)
{
	return !t->back ? t->k : first < t->k ? (t->k - 1 - first) / t->stride + 1 : 0;
}
/* Pack block b of `block` output channels: [input channels][rows][columns][block], or transformed [16][input channels][block], zero filled;
 * to + b blocks. */
void conv_pack(const struct taps *t, int block, int b, real *to);
size_t conv_packed_len(const struct taps *t, int block);
/* Copy a group (c,h,w) into zeros (c,hp,wp): pixel (y,x) goes to (top + y, left + x). */
void pad_group(const real *x, int c, int h, int w, int top, int left, int hp, int wp, real *out);
/* Sum of the first `lanes` of LANES values, in a fixed order. */
real lane_reduce(const real *v, int lanes);

#endif
