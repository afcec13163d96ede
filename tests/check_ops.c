/* The fast kernels against naive loops, the same bits for any thread count and instruction set of a family, and an
 * image's result whatever its place in the batch. Gradients are checked in double in check64_ops.c. */
#include "base/error.h"
#include "base/rng.h"
#include "base/tile.h"
#include "nn/kernels.h"
#include "nn/ops.h"
#include "nn/tape_parts.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct conv_case { const char *name; int n, c, h, o, k, stride, pad; };
/* odd sizes, padding, stride, one image, remainder groups and remainder tiles of every block shape */
static const struct conv_case conv_cases[] = {
	{ "lenet conv1", 19, 1, 28, 6, 5, 1, 2 },   { "lenet conv2", 17, 6, 14, 16, 5, 1, 0 }, { "one image", 1, 3, 9, 5, 3, 1, 1 },
	{ "wrn stem", 5, 3, 32, 16, 3, 1, 1 },      { "wrn stride 2", 5, 16, 16, 32, 3, 2, 1 }, { "wrn 1x1 stride 2", 5, 16, 16, 64, 1, 2, 0 },
	{ "1 output", 33, 4, 7, 1, 3, 1, 1 },       { "3 outputs", 16, 2, 11, 3, 3, 1, 0 },     { "7 outputs", 40, 2, 5, 7, 2, 1, 0 },
	{ "even kernel stride 3", 4, 2, 12, 9, 4, 3, 1 }, { "7x7", 3, 2, 13, 8, 7, 1, 3 },      { "many groups", 150, 2, 6, 12, 3, 1, 1 },
	/* Winograd's way: odd sizes, every padding, channels that are no multiple of LANES or of a block, more groups than a chunk */
	{ "winograd", 19, 16, 9, 24, 3, 1, 1 },     { "winograd, no padding", 5, 20, 7, 16, 3, 1, 0 }, { "winograd, padding 2", 2, 17, 6, 19, 3, 1, 2 },
	{ "winograd, one image", 1, 33, 8, 40, 3, 1, 1 }, { "winograd, many groups", 90, 16, 5, 16, 3, 1, 1 }, { "winograd, one tile", 3, 16, 2, 16, 3, 1, 1 },
	/* weight gradients as products of rows: rows longer and shorter than a piece, every residue of the stride */
	{ "rows, stride 2", 19, 32, 19, 48, 3, 2, 1 }, { "rows, 5x5", 5, 32, 11, 32, 5, 1, 2 }, { "rows, 1x1 stride 2", 40, 48, 6, 32, 1, 2, 0 },
	{ "rows, 2x2 stride 3", 3, 32, 9, 32, 2, 3, 0 }, { "rows, 4x4 stride 3", 17, 32, 10, 64, 4, 3, 1 },
};

struct conv_run { float *x, *w, *b, *dy, *y, *dx, *dw, *db; int oh; size_t nx, nw, ny; };

static float *random_floats(size_t n, const char *what)
{
	float *x = xmalloc(n + 1, sizeof(*x));
	struct rng r;

	rng_open(&r, 3, what, 0, 0);
	for (size_t i = 0; i < n; i++)
		x[i] = (float)(2 * rng_uniform(&r) - 1);
	return x;
}

static void conv_start(struct conv_run *r, const struct conv_case *c)
{
	r->oh = (c->h + 2 * c->pad - c->k) / c->stride + 1;
	r->nx = (size_t)c->n * c->c * c->h * c->h;
	r->nw = (size_t)c->o * c->c * c->k * c->k;
	r->ny = (size_t)c->n * c->o * r->oh * r->oh;
	r->x = random_floats(r->nx, "x");
	r->w = random_floats(r->nw, "w");
	r->b = random_floats((size_t)c->o, "b");
	r->dy = random_floats(r->ny, "dy");
	r->y = xcalloc(r->ny, sizeof(float));
	r->dx = xcalloc(r->nx, sizeof(float));
	r->dw = xcalloc(r->nw, sizeof(float));
	r->db = xcalloc((size_t)c->o, sizeof(float));
}

static void conv_end(struct conv_run *r)
{
	float *all[] = { r->x, r->w, r->b, r->dy, r->y, r->dx, r->dw, r->db };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		free(all[i]);
}

/* Forward and all three gradients through the tape. */
static void conv_fast(struct conv_run *r, const struct conv_case *c)
{
	struct tape *t = tape_new();
	struct node *x = tape_input(t, c->n, c->c, c->h, c->h, true), *w = tape_plain(t, c->o, c->c, c->k, c->k, true);
	struct node *b = tape_plain(t, c->o, 1, 1, 1, true), *y, *dy;

	node_load(x, r->x);
	memcpy(w->x, r->w, r->nw * sizeof(float));
	memcpy(b->x, r->b, (size_t)c->o * sizeof(float));
	y = op_conv2d(x, w, b, c->stride, c->pad);
	node_store(y, r->y);
	dy = tape_input(t, c->n, c->o, r->oh, r->oh, false);
	node_load(dy, r->dy);
	tape_backward(t, op_sum(op_mul(y, dy)));
	node_store_grad(x, r->dx);
	memcpy(r->dw, w->g, r->nw * sizeof(float));
	memcpy(r->db, b->g, (size_t)c->o * sizeof(float));
	tape_free(t);
}

#define FOR(i, n) for (int i = 0; i < (n); i++)
static void conv_naive(const struct conv_run *r, const struct conv_case *c, double *y, double *dx, double *dw, double *db)
{
	FOR(n, c->n) FOR(o, c->o) FOR(i, r->oh) FOR(j, r->oh) {
		const size_t at = (((size_t)n * c->o + o) * r->oh + i) * r->oh + j;

		y[at] = r->b[o];
		db[o] += r->dy[at];
		FOR(ic, c->c) FOR(ky, c->k) FOR(kx, c->k) {
			const int yy = i * c->stride + ky - c->pad, xx = j * c->stride + kx - c->pad;
			const size_t xi = (((size_t)n * c->c + ic) * c->h + yy) * c->h + xx;
			const size_t wi = (((size_t)o * c->c + ic) * c->k + ky) * c->k + kx;

			if (yy < 0 || xx < 0 || yy >= c->h || xx >= c->h)
				continue;
			y[at] += (double)r->x[xi] * r->w[wi];
			dx[xi] += (double)r->dy[at] * r->w[wi];
			dw[wi] += (double)r->dy[at] * r->x[xi];
		}
	}
}

static void compare(const char *name, const char *what, const float *fast, const double *naive, size_t n)
{
	double scale = 1e-3;

	for (size_t i = 0; i < n; i++)
		scale = fmax(scale, fabs(naive[i]));
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(fabs(fast[i] - naive[i]) < 4e-5 * scale, "%s, %s[%zu]: %g, naive %g",
			      name, what, i, (double)fast[i], naive[i]);
}

START_TEST(conv_matches_naive)
{
	const struct conv_case *c = &conv_cases[_i];
	const char *isas[] = { "avx512", "avx2", "plain" };
	struct conv_run r;
	double *y, *dx, *dw, *db;

	conv_start(&r, c);
	y = xcalloc(r.ny, sizeof(double));
	dx = xcalloc(r.nx, sizeof(double));
	dw = xcalloc(r.nw, sizeof(double));
	db = xcalloc((size_t)c->o, sizeof(double));
	conv_naive(&r, c, y, dx, dw, db);
	for (size_t k = 0; k < ARRAY_LEN(isas); k++) {
		if (kernels_select(isas[k]) != 0)
			continue;
		conv_fast(&r, c);
		compare(c->name, "y", r.y, y, r.ny);
		compare(c->name, "dx", r.dx, dx, r.nx);
		compare(c->name, "dw", r.dw, dw, r.nw);
		compare(c->name, "db", r.db, db, (size_t)c->o);
	}
	free(y);
	free(dx);
	free(dw);
	free(db);
	conv_end(&r);
}
END_TEST

static bool same_bits(const struct conv_run *a, const struct conv_run *b, int o)
{
	return !memcmp(a->y, b->y, a->ny * 4) && !memcmp(a->dx, b->dx, a->nx * 4) && !memcmp(a->dw, b->dw, a->nw * 4) &&
	       !memcmp(a->db, b->db, (size_t)o * 4);
}

START_TEST(conv_same_bits_for_any_threads_and_isa)
{
	const struct conv_case *c = &conv_cases[_i];
	const int threads[] = { 2, 3, 8 };
	struct conv_run one, r;

	conv_start(&one, c);
	conv_start(&r, c);
	tile_threads(1);
	conv_fast(&one, c);
	for (size_t k = 0; k < ARRAY_LEN(threads); k++) {
		tile_threads(threads[k]);
		conv_fast(&r, c);
		ck_assert_msg(same_bits(&one, &r, c->o), "%s: %d threads differ from 1", c->name, threads[k]);
	}
	if (!strcmp(kernels_name(), "fma") && kernels_select("avx2") == 0) {
		conv_fast(&r, c);
		ck_assert_msg(same_bits(&one, &r, c->o), "%s: avx2 differs from avx512", c->name);
	}
	conv_end(&one);
	conv_end(&r);
}
END_TEST

/* sigmoid, tanh and softmax use our own exponential: compare with the C library's over the whole range */
START_TEST(exponential_is_accurate)
{
	struct tape *t = tape_new();
	const int n = 2000;
	struct node *a = tape_plain(t, n, 1, 1, 1, false), *s, *h;

	for (int i = 0; i < n; i++)
		a->x[i] = (float)(i - n / 2) * 0.1f;
	s = op_sigmoid(a);
	h = op_tanh(a);
	for (int i = 0; i < n; i++) {
		ck_assert_double_eq_tol((double)s->x[i], 1 / (1 + exp(-(double)a->x[i])), 3e-7);
		ck_assert_double_eq_tol((double)h->x[i], tanh((double)a->x[i]), 3e-7);
	}
	tape_free(t);
}
END_TEST

/* An image's logits must be the same bits alone, in the middle of a batch, or last of a remainder group. */
START_TEST(result_does_not_depend_on_place_in_batch)
{
	float *w = random_floats(6 * 25, "w"), *lw = random_floats(10 * 600, "l"), *x = random_floats(50 * 196, "x"), y[50][10], z[10];
	const int at[] = { 0, 15, 16, 31, 49 };

	for (int pass = 0; pass <= (int)ARRAY_LEN(at); pass++) {
		struct tape *t = tape_new();
		const int n = pass ? 1 : 50;
		struct node *a = tape_input(t, n, 1, 14, 14, false), *cw = tape_plain(t, 6, 1, 5, 5, false), *l = tape_plain(t, 10, 600, 1, 1, false);

		memcpy(cw->x, w, 150 * sizeof(float));
		memcpy(l->x, lw, 6000 * sizeof(float));
		node_load(a, pass ? x + at[pass - 1] * 196 : x);
		a = op_softmax(op_linear(op_relu(op_conv2d(a, cw, NULL, 1, 0)), l, NULL));
		node_store(a, pass ? z : y[0]);
		ck_assert_msg(!pass || !memcmp(z, y[at[pass - 1]], sizeof(z)), "image %d", pass ? at[pass - 1] : 0);
		tape_free(t);
	}
	free(w);
	free(lw);
	free(x);
}
END_TEST

/* What a node does not want is not computed: a frozen side has no gradient buffer. */
START_TEST(no_gradient_where_none_is_asked)
{
	struct tape *t = tape_new();
	struct node *a = tape_input(t, 3, 1, 4, 4, true), *w = tape_plain(t, 2, 1, 3, 3, false), *y;

	memset(a->x, 0, a->len * sizeof(real));
	y = op_conv2d(a, w, NULL, 1, 1);
	tape_backward(t, op_sum(y));
	ck_assert_ptr_nonnull(a->g);
	ck_assert_ptr_null(w->g);
	tape_reset(t);
	a = tape_input(t, 3, 1, 4, 4, false);
	memset(a->x, 0, a->len * sizeof(real));
	y = op_relu(op_conv2d(a, tape_plain(t, 2, 1, 3, 3, false), NULL, 1, 1));
	ck_assert(!y->wants);
	tape_free(t);
}
END_TEST

/* Slow kernels are not used in silence, and fast ones not with a note. */
START_TEST(plain_kernels_come_with_a_note)
{
	kernels_select("plain");
	ck_assert_ptr_nonnull(kernels_note());
	ck_assert_ptr_nonnull(strstr(kernels_note(), "times slower"));
	if (kernels_select("avx2") == 0)
		ck_assert_ptr_null(kernels_note());
}
END_TEST

/* The op that overwrites its input gives the bits of the one that does not. */
START_TEST(over_gives_the_same_bits)
{
	struct tape *t = tape_new();
	struct node *a = tape_input(t, 19, 3, 5, 5, false), *w = tape_plain(t, 4, 3, 3, 3, false), *sum, *over;

	for (size_t i = 0; i < a->len; i++)
		a->x[i] = (real)((int)(i * 7919 % 201) - 100) * (real)0.013;
	for (size_t i = 0; i < w->len; i++)
		w->x[i] = (real)((int)(i * 104729 % 31) - 15) * (real)0.021;
	sum = op_relu(op_add(op_conv2d(a, w, NULL, 1, 1), op_tanh(op_conv2d(a, w, NULL, 1, 1))));
	over = op_relu(op_add_over(op_conv2d(a, w, NULL, 1, 1), op_tanh(op_conv2d(a, w, NULL, 1, 1))));
	ck_assert_uint_eq(sum->len, over->len);
	ck_assert_mem_eq(sum->x, over->x, sum->len * sizeof(real));
	tape_free(t);
}
END_TEST

/* Batch norm with the ReLU behind it in one pass: the same numbers, and the same gradients of input, scale and shift. */
START_TEST(fused_norm_and_relu_give_the_same_bits)
{
	struct tape *t = tape_new();
	struct node *a[2], *gamma[2], *beta[2], *y[2];

	for (int k = 0; k < 2; k++) {
		real rm[3] = { 0 }, rv[3] = { 1, 1, 1 };

		a[k] = tape_input(t, 19, 3, 8, 8, true);
		gamma[k] = tape_plain(t, 3, 1, 1, 1, true);
		beta[k] = tape_plain(t, 3, 1, 1, 1, true);
		for (size_t i = 0; i < a[k]->len; i++)
			a[k]->x[i] = (real)((int)(i * 7919 % 23) - 11) / 7;
		for (int c = 0; c < 3; c++) {
			gamma[k]->x[c] = (real)(c + 1) / 3;
			beta[k]->x[c] = (real)(c - 1) / 5;
		}
		y[k] = k ? op_batch_norm_relu(a[k], gamma[k], beta[k], rm, rv, true, (real)0.1, (real)1e-5) :
			   op_relu(op_batch_norm(a[k], gamma[k], beta[k], rm, rv, true, (real)0.1, (real)1e-5));
		tape_backward(t, op_mean(op_mul(y[k], op_tanh(y[k]))));
	}
	ck_assert_mem_eq(y[0]->x, y[1]->x, y[0]->len * sizeof(real));
	ck_assert_mem_eq(gamma[0]->g, gamma[1]->g, 3 * sizeof(real));
	ck_assert_mem_eq(beta[0]->g, beta[1]->g, 3 * sizeof(real));
	for (size_t i = 0; i < a[0]->len; i++) /* -0 is 0 */
		ck_assert(a[0]->g[i] == a[1]->g[i]);
	tape_free(t);
}
END_TEST

/* Fused with the pool behind it a relu gives the same numbers and passes the same gradient; ties and windows without a positive number
 * included. A gradient handed on in place must not be one that somebody still adds to: the input has two ops behind it. */
START_TEST(fused_relu_and_pool_give_the_same_bits)
{
	struct tape *t = tape_new();
	struct node *a[2], *y[2];

	for (int k = 0; k < 2; k++) {
		struct node *in;

		a[k] = tape_input(t, 19, 3, 8, 8, true);
		for (size_t i = 0; i < a[k]->len; i++)
			a[k]->x[i] = (real)((int)(i * 7919 % 23) - 17);
		in = op_scale(a[k], (real)0.5, 1);
		y[k] = k ? op_relu_max_pool(in, 2) : op_max_pool(op_relu(in), 2, 2);
		tape_backward(t, op_sum(op_mul(op_add(y[k], op_relu(y[k])), op_max_pool(op_add(a[k], a[k]), 2, 2))));
	}
	ck_assert_mem_eq(y[0]->x, y[1]->x, y[0]->len * sizeof(real));
	for (size_t i = 0; i < a[0]->len; i++) /* -0 is 0 */
		ck_assert_msg(a[0]->g[i] == a[1]->g[i], "%zu: %g, %g", i, (double)a[0]->g[i], (double)a[1]->g[i]);
	tape_free(t);
}
END_TEST

/* Taken memory comes back for a need that it fits, never for two at once, and a deep network's gradients share it. */
START_TEST(memory_is_given_back_within_a_step)
{
	struct tape *t = tape_new();
	struct node *a = tape_input(t, 16, 4, 32, 32, true);
	real *p, *q, *r;
	size_t forward;

	p = tape_take(t, 1000);
	q = tape_take(t, 1000);
	ck_assert_ptr_ne(p, q);
	ck_assert_uint_eq((size_t)p % 64, 0);
	tape_give(t, p);
	tape_give(t, q);
	r = tape_take(t, 400); /* less than half: not for that */
	ck_assert(r != p && r != q);
	r = tape_take(t, 600);
	ck_assert(r == p || r == q);
	tape_give(t, r);
	ck_assert_ptr_eq(tape_take(t, 1000), r); /* its size is not forgotten */
	zero(a->x, a->len);
	for (int i = 0; i < 20; i++)
		a = op_sigmoid(a);
	forward = tape_peak(t);
	tape_backward(t, op_mean(a));
	ck_assert_uint_lt(tape_peak(t) - forward, 4 * a->len * sizeof(real));
	tape_free(t);
}
END_TEST

/* A steady-state step takes no memory: the arena's peak stays where the first step left it. */
START_TEST(tape_reuses_its_memory)
{
	struct tape *t = tape_new();
	size_t peak = 0;

	for (int step = 0; step < 5; step++) {
		struct node *a = tape_input(t, 40, 2, 8, 8, true), *w = tape_plain(t, 4, 2, 3, 3, true);

		memset(a->x, 0, a->len * sizeof(real));
		tape_backward(t, op_mean(op_conv2d(a, w, NULL, 1, 1)));
		if (step == 0)
			peak = tape_peak(t);
		ck_assert_uint_eq(tape_peak(t), peak);
		tape_reset(t);
	}
	tape_free(t);
}
END_TEST

Suite *suite_ops(void);
Suite *suite_ops(void)
{
	Suite *s = suite_create("ops");
	TCase *tc = tcase_create("kernels");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, conv_matches_naive, 0, ARRAY_LEN(conv_cases));
	tcase_add_loop_test(tc, conv_same_bits_for_any_threads_and_isa, 0, ARRAY_LEN(conv_cases));
	tcase_add_test(tc, exponential_is_accurate);
	tcase_add_test(tc, result_does_not_depend_on_place_in_batch);
	tcase_add_test(tc, no_gradient_where_none_is_asked);
	tcase_add_test(tc, plain_kernels_come_with_a_note);
	tcase_add_test(tc, over_gives_the_same_bits);
	tcase_add_test(tc, fused_norm_and_relu_give_the_same_bits);
	tcase_add_test(tc, fused_relu_and_pool_give_the_same_bits);
	tcase_add_test(tc, memory_is_given_back_within_a_step);
	tcase_add_test(tc, tape_reuses_its_memory);
	suite_add_tcase(s, tc);
	return s;
}
