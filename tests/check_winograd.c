/* Winograd's way against the direct sum: exact where the arithmetic is, little worse where it rounds, and the same bits however the work
 * is cut. tests/check_ops.c has it against naive loops, through the tape, with every instruction set. */
#include "base/arena.h"
#include "base/rng.h"
#include "nn/kernels.h"
#include "nn/kernels_winograd.h"
#include <check.h>
#include <math.h>
#include <string.h>

struct shape { int c, h, w, pad, o; };
/* whole strips and parts of one, odd sizes, channels that are no multiple of a block or of LANES */
static const struct shape shapes[] = {
	{ 16, 8, 8, 1, 16 }, { 20, 7, 9, 1, 17 }, { 16, 5, 4, 0, 24 }, { 33, 3, 3, 2, 16 }, { 16, 2, 11, 1, 40 }, { 64, 16, 16, 1, 64 },
};

/* One group, and the convolution of it both ways. */
struct both {
	struct arena mem;
	struct wino s;
	struct conv direct;
	size_t yn, wn;
	real *x, *padded, *w, *dy, *u, *p, *scratch;
	int ublock, pblock;
};

static real *numbers(struct both *b, size_t n, struct rng *r, bool whole)
{
	real *x = arena_new(&b->mem, n, real);

	for (size_t i = 0; i < n; i++)
		x[i] = whole ? (real)rng_below(r, 15) - 7 : (real)(2 * rng_uniform(r) - 1);
	return x;
}

/* whole: small whole numbers; else uniform in -1..1. */
static void open(struct both *b, const struct shape *k, bool whole)
{
	const int hp = k->h + 2 * k->pad, wp = k->w + 2 * k->pad;
	struct taps taps = { .o = k->o, .c = k->c, .k = 3, .stride = 1 };
	struct rng r;

	memset(b, 0, sizeof(*b));
	rng_open(&r, 1, "winograd", 0, 0);
	b->s = wino_shape(k->c, k->h, k->w, k->pad, k->o);
	b->direct = conv_shape(k->c, hp, wp, k->o, 3, 1);
	b->yn = (size_t)k->o * b->s.oh * b->s.ow * LANES;
	b->wn = (size_t)k->o * k->c * 9;
	b->x = numbers(b, (size_t)k->c * k->h * k->w * LANES, &r, whole);
	b->w = numbers(b, b->wn, &r, whole);
	b->dy = numbers(b, b->yn, &r, whole);
	b->padded = arena_new(&b->mem, (size_t)k->c * hp * wp * LANES, real);
	pad_group(b->x, k->c, k->h, k->w, k->pad, k->pad, hp, wp, b->padded);
	taps.w = b->w;
	b->pblock = K->conv_block(k->o, b->s.ow);
	b->p = arena_new(&b->mem, conv_packed_len(&taps, b->pblock), real);
	for (int i = 0; i * b->pblock < k->o; i++)
		conv_pack(&taps, b->pblock, i, b->p);
	taps.winograd = true;
	b->ublock = K->wino_block();
	b->u = arena_new(&b->mem, conv_packed_len(&taps, b->ublock), real);
	for (int i = 0; i * b->ublock < k->o; i++)
		conv_pack(&taps, b->ublock, i, b->u);
	b->scratch = arena_new(&b->mem, wino_scratch(&b->s) + wino_wgrad_scratch(&b->s), real);
}

static real *forward(struct both *b)
{
	real *y = arena_new(&b->mem, b->yn, real);

	K->wino(&b->s, b->x, b->u, NULL, y, false, 0, wino_tiles(&b->s), b->scratch);
	return y;
}

static real *direct(struct both *b)
{
	real *y = arena_new(&b->mem, b->yn, real);

	K->conv(&b->direct, b->padded, b->p, NULL, y, false, 0, (b->s.o + b->pblock - 1) / b->pblock);
	return y;
}

/* dw with the outputs cut at `cut`. */
static real *weights(struct both *b, int cut)
{
	const size_t oc = (size_t)b->s.o * b->s.c;
	real *du = arena_new(&b->mem, WINO * oc, real), *dw = arena_new(&b->mem, b->wn, real);

	memset(du, 0, WINO * oc * sizeof(real));
	memset(dw, 0, b->wn * sizeof(real));
	if (cut)
		K->wino_wgrad(&b->s, b->x, 0, b->dy, 0, 1, du, 0, cut, b->scratch);
	K->wino_wgrad(&b->s, b->x, 0, b->dy, 0, 1, du, cut, b->s.o, b->scratch);
	for (size_t i = 0; i < oc; i++)
		wino_unpack(du + i, oc, dw + i * 9);
	return dw;
}

/* dL/dw by the definition, images beside each other. */
static double weight_by_definition(const struct both *b, int o, int c, int ky, int kx)
{
	double sum = 0;

	for (int i = 0; i < b->s.oh; i++)
		for (int j = 0; j < b->s.ow; j++)
			for (int l = 0; l < LANES; l++)
				sum += (double)b->dy[(((size_t)o * b->s.oh + i) * b->s.ow + j) * LANES + l] *
				       (double)b->padded[(((size_t)c * b->direct.h + i + ky) * b->direct.w + j + kx) * LANES + l];
	return sum;
}

/* Would catch: a wrong sign, a wrong edge, a tile too many or too few. Halves and quarters of small whole numbers are exact. */
START_TEST(exact_on_whole_numbers)
{
	struct both b;
	real *y, *z, *dw;

	open(&b, &shapes[_i], true);
	y = forward(&b);
	z = direct(&b);
	for (size_t i = 0; i < b.yn; i++)
		ck_assert_msg(y[i] == z[i], "y[%zu]: %g, direct %g", i, (double)y[i], (double)z[i]);
	dw = weights(&b, 0);
	for (size_t i = 0; i < b.wn; i++) {
		const int t = (int)(i % 9), c = (int)(i / 9 % (size_t)b.s.c), o = (int)(i / 9 / (size_t)b.s.c);

		ck_assert_msg((double)dw[i] == weight_by_definition(&b, o, c, t / 3, t % 3), "dw[%zu]: %g", i, (double)dw[i]);
	}
	arena_release(&b.mem);
}
END_TEST

/* The price in accuracy (docs/speed.md): the root mean square error is less than twice the direct sum's. */
START_TEST(rounds_little_worse)
{
	struct both b;
	real *y, *z;
	double wino = 0, plain = 0;

	open(&b, &shapes[_i], false);
	y = forward(&b);
	z = direct(&b);
	for (int o = 0; o < b.s.o; o++)
		for (int i = 0; i < b.s.oh * b.s.ow; i++)
			for (int l = 0; l < LANES; l++) {
				const size_t at = ((size_t)o * b.s.oh * b.s.ow + (size_t)i) * LANES + (size_t)l;
				double sum = 0;

				for (int k = 0; k < b.s.c * 9; k++)
					sum += (double)b.w[(size_t)o * b.s.c * 9 + (size_t)k] *
					       (double)b.padded[(((size_t)(k / 9) * b.direct.h + i / b.s.ow + k % 9 / 3) * b.direct.w + i % b.s.ow + k % 3) * LANES + l];
				wino += ((double)y[at] - sum) * ((double)y[at] - sum);
				plain += ((double)z[at] - sum) * ((double)z[at] - sum);
			}
	ck_assert_msg(sqrt(wino) < 2 * sqrt(plain), "root mean square error %g, direct %g", sqrt(wino / (double)b.yn), sqrt(plain / (double)b.yn));
	arena_release(&b.mem);
}
END_TEST

/* Threads take ranges of strips and of outputs. */
START_TEST(same_bits_however_cut)
{
	struct both b;
	real *y, *z, *whole, *cut;

	open(&b, &shapes[_i], false);
	y = forward(&b);
	z = arena_new(&b.mem, b.yn, real);
	for (int t = wino_tiles(&b.s) / WINO_STRIP * WINO_STRIP, end = wino_tiles(&b.s); end > 0; end = t, t -= WINO_STRIP)
		K->wino(&b.s, b.x, b.u, NULL, z, false, t, end, b.scratch);
	ck_assert_mem_eq(y, z, b.yn * sizeof(real));
	whole = weights(&b, 0);
	cut = weights(&b, LANES < b.s.o ? LANES : 0);
	ck_assert_mem_eq(whole, cut, b.wn * sizeof(real));
	arena_release(&b.mem);
}
END_TEST

/* y += conv(x) + bias is y and then the sum, not the sum from y on: both are asked for. */
START_TEST(adds_and_biases)
{
	struct both b;
	real *y, *z, *bias;
	struct rng r;

	open(&b, &shapes[_i], true);
	rng_open(&r, 2, "winograd", 0, 0);
	bias = numbers(&b, (size_t)b.s.o, &r, true);
	y = forward(&b);
	z = arena_new(&b.mem, b.yn, real);
	memcpy(z, b.dy, b.yn * sizeof(real));
	K->wino(&b.s, b.x, b.u, bias, z, true, 0, wino_tiles(&b.s), b.scratch);
	for (size_t i = 0; i < b.yn; i++)
		ck_assert(z[i] == b.dy[i] + y[i] + bias[i / ((size_t)b.s.oh * b.s.ow * LANES)]);
	arena_release(&b.mem);
}
END_TEST

Suite *suite_winograd(void);
Suite *suite_winograd(void)
{
	Suite *s = suite_create("winograd");
	TCase *t = tcase_create("winograd");

	tcase_add_loop_test(t, exact_on_whole_numbers, 0, sizeof(shapes) / sizeof(*shapes));
	tcase_add_loop_test(t, rounds_little_worse, 0, sizeof(shapes) / sizeof(*shapes));
	tcase_add_loop_test(t, same_bits_however_cut, 0, sizeof(shapes) / sizeof(*shapes));
	tcase_add_loop_test(t, adds_and_biases, 0, sizeof(shapes) / sizeof(*shapes));
	suite_add_tcase(s, t);
	return s;
}
