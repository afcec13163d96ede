/* attacks/lock/chaos_search.c: cells that a keyed cat map moved come back to their places, bit for bit. The lock is made here, by the
 * map's definition, so that the search is not tested against itself. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attacks/lock/chaos_search_order.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "tests/support_scheme.h"
#include "tests/support_weights.h"

static struct desk desk;
static struct world w;

/* tau rounds of (x,y) -> A (x,y) mod n with A = [[1,p],[q,pq+1]] on the cells of a square of parameter `at`, listed in pub. */
static void scramble(int32_t at, int row, int col, int n, int tau, int p, int q)
{
	struct param *par = &w.locked.model->p[at];
	const size_t cell = par->len / ((size_t)par->d[0] * (size_t)par->d[1]);
	size_t len = 0;
	const int32_t *old = bundle_i32(w.locked.pub, "patch", &len);
	int32_t *t = xcalloc(len + 5, sizeof(*t));

	if (old)
		memcpy(t, old, len * sizeof(*t));
	memcpy(t + len, (const int32_t[]){ at, row, col, n, n }, 5 * sizeof(*t));
	bundle_put(w.locked.pub, "patch", DT_I32, 2, (const int64_t[]){ (int64_t)(len / 5 + 1), 5 }, t);
	free(t);
	for (; tau; tau--) {
		real *was = xmalloc(par->len, sizeof(*was));

		memcpy(was, par->x, par->len * sizeof(*was));
		for (int x = 0; x < n; x++)
			for (int y = 0; y < n; y++) {
				const int x2 = (x + p * y) % n, y2 = (q * x + (p * q + 1) * y) % n;

				memcpy(par->x + ((size_t)(row + x2) * (size_t)par->d[1] + (size_t)(col + y2)) * cell,
				       was + ((size_t)(row + x) * (size_t)par->d[1] + (size_t)(col + y)) * cell, cell * sizeof(*was));
			}
		free(was);
	}
}

static int32_t named(const char *name)
{
	return (int32_t)(model_find(w.locked.model, name) - w.locked.model->p);
}

static void lock_begin(void)
{
	w.locked = (struct locked){ model_copy(w.base), bundle_new(), bundle_new() };
}

static void lock_end(void)
{
	locked_release(&w.locked);
}

static size_t cells_apart(const struct product *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->model->nx; i++)
		n += p->model->x[i] < w.base->x[i] || p->model->x[i] > w.base->x[i];
	return n;
}

/* A network that needs its kernels in their places: where some are dead, as in many a small network, no search can tell their order, nor
 * need it. */
static void setup(void)
{
	int locked = 500;

	desk_open(&desk);
	w = (struct world){ .data = desk.data, .splits = desk.splits, .base = desk.base };
	w.setup = (struct setup){ .data = w.data, .splits = &w.splits, .scheme = &toy_scheme, .base = w.base, .locked = &w.locked, .seed = 7 };
	for (uint64_t seed = 1; locked > 350; seed++) {
		struct model *m = model_new(&desk.base->spec, seed);

		ck_assert_uint_lt(seed, 20);
		ck_assert_int_eq(train(m, &desk.splits.owner, &desk.recipe, seed, NULL, NULL, NULL), 0);
		memcpy(w.base->x, m->x, m->nx * sizeof(*m->x));
		model_free(m);
		lock_begin();
		scramble(named("conv2.weight"), 0, 0, 6, 2, 1, 3);
		locked = world_right(&w, w.locked.model);
		lock_end();
	}
}

static void teardown(void)
{
	desk_close(&desk);
}

/* Every matrix of SL2(Z_6) is tried, 144, with the rest of the network in order: the right one is the best to the bit. */
START_TEST(kernels_come_back_by_exhaustion)
{
	struct ledger l = { 0 };
	struct product p;

	lock_begin();
	scramble(named("conv2.weight"), 0, 0, 6, 2, 1, 3);
	ck_assert_int_lt(world_right(&w, w.locked.model), world_right(&w, w.base));
	run_attack(&w, "chaos-search", "images=200 candidates=200", &l, &p);
	ck_assert_uint_eq(cells_apart(&p), 0);
	ck_assert_int_eq(l.labels, 200);
	ck_assert_double_eq(l.forward_equivalents, 200.0 * (double)jget_int(p.notes, "trials", 0));
	ck_assert_double_eq_tol(jget_num(p.notes, "key_bits", 0), log2(144.0), 1e-9);
	product_release(&p);
	lock_end();
}
END_TEST

/* All squares of a layer at once, 144, 144 and 48 matrices, square by square: what is found is worth the network even where two kernels that
 * say the same have changed places. */
START_TEST(a_layers_squares_are_settled_together)
{
	struct product p;
	int locked;

	lock_begin();
	scramble(named("conv2.weight"), 0, 0, 6, 2, 1, 3);
	scramble(named("conv2.weight"), 6, 0, 6, 4, 5, 2);
	scramble(named("conv2.weight"), 12, 0, 4, 1, 2, 3);
	locked = world_right(&w, w.locked.model);
	run_attack(&w, "chaos-search", "images=200 candidates=200", NULL, &p);
	printf("chaos-search: base %d, locked %d, found %d right; %zu of 2400 numbers apart\n", world_right(&w, w.base), locked,
	       world_right(&w, p.model), cells_apart(&p));
	ck_assert_int_gt(world_right(&w, p.model), (locked + 3 * world_right(&w, w.base)) / 4);
	ck_assert_double_eq_tol(jget_num(p.notes, "key_bits", 0), log2(144.0 * 144 * 48), 1e-9);
	product_release(&p);
	lock_end();
}
END_TEST

/* A square of side 120 has 1,105,920 matrices: the partitions leave so few that 2,000 of them are enough. */
START_TEST(a_large_square_comes_back_in_few_trials)
{
	struct product p;

	lock_begin();
	scramble(named("fc1.weight"), 0, 120, 120, 37, 11, 101);
	run_attack(&w, "chaos-search", "images=50 candidates=2000", NULL, &p);
	ck_assert_uint_eq(cells_apart(&p), 0);
	ck_assert_int_lt(jget_int(p.notes, "trials", 0), 10000);
	ck_assert_double_eq_tol(jget_num(p.notes, "key_bits", 0), log2(1105920), 1e-9);
	product_release(&p);
	lock_end();
}
END_TEST

/* Two layers at once: the earlier one is put in order first, by what its activations say of the class. Ten of fc3's inputs are too few to
 * need one order, so what is found is measured by what it is worth. */
START_TEST(layers_come_back_one_by_one)
{
	struct product p;
	int locked;

	lock_begin();
	scramble(named("fc2.weight"), 0, 0, 84, 5, 6, 7);
	scramble(named("fc3.weight"), 0, 0, 10, 3, 1, 7);
	locked = world_right(&w, w.locked.model);
	run_attack(&w, "chaos-search", "images=60 candidates=720 sweeps=2", NULL, &p);
	printf("chaos-search: base %d, locked %d, found %d right; %zu of 7156 numbers apart\n", world_right(&w, w.base), locked,
	       world_right(&w, p.model), cells_apart(&p));
	ck_assert_int_gt(world_right(&w, p.model), (locked + 3 * world_right(&w, w.base)) / 4);
	product_release(&p);
	lock_end();
}
END_TEST

/* The plain inputs beside the square, biases and the layers before and behind it tell the key of the square, one of |SL2(Z_84)| = 387,072,
 * before a label is asked: three labels are enough, and they are asked of a handful of keys. Labels alone are asked of hundreds. */
START_TEST(a_few_labels_and_order_end_at_the_key)
{
	for (int k = 0; k < 6; k++) {
		struct product p;

		lock_begin();
		scramble(named("fc2.weight"), 0, 0, 84, 5 + 3 * k, 6 + 7 * k, 1 + 9 * k);
		ck_assert_int_ne(memcmp(w.locked.model->x, w.base->x, w.base->nx * sizeof(real)), 0);
		run_attack(&w, "chaos-search", "images=3", NULL, &p);
		ck_assert_uint_eq(cells_apart(&p), 0);
		ck_assert_int_lt(jget_int(p.notes, "trials", 0), 20);
		ck_assert_int_eq(jget_int(p.notes, "undecided", -1), 0);
		ck_assert_double_gt(jget_num(p.notes, "smallest_gap", 0), 3);
		product_release(&p);
		if (!k) {
			run_attack(&w, "chaos-search", "images=3 order=no", NULL, &p);
			ck_assert_int_gt(jget_int(p.notes, "trials", 0), 100);
			product_release(&p);
		}
		lock_end();
	}
}
END_TEST

/* A row of a next layer that goes with the sizes of this one's rows, and biases that do: links are there; unrelated ones have none. */
START_TEST(links_by_hand)
{
	real x[] = { 1, 1, 2, 2, 4, 4, /* bias */ 1, 2, 4, /* the next layer's columns */ 3, 6, 12 };
	struct param p[] = { { .x = x, .len = 6, .nd = 2, .d = { 3, 2, 1, 1 } }, { .x = x + 6, .len = 3, .nd = 1, .d = { 3, 1, 1, 1 } },
			     { .x = x + 9, .len = 3, .nd = 2, .d = { 1, 3, 1, 1 } } };

	ck_assert_double_eq_tol(chaos_links(p, p + 3), 2 * 1.5 * log(1e12), 1e-6); /* two straight lines, as certain as it gets */
	x[9] = 6;
	x[10] = 3;
	x[11] = 6; /* correlation r: -n/2 log(1 - r^2), sizes 1, 2, 4 against 6, 3, 6 */
	ck_assert_double_eq_tol(chaos_links(p, p + 3), 1.5 * log(1e12) - 1.5 * log(1 - 1.0 / (14.0 / 3 * 6)), 1e-6);
	ck_assert_double_eq_tol(chaos_links(p + 2, p + 3), 0, 1e-12);
}
END_TEST

/* Two by two, single positive weights: size and sum are the same feature, and what rows and columns leave over is the interaction. */
START_TEST(order_by_hand)
{
	real x[] = { 1, 2, 4, 9 };
	const struct param p = { .x = x, .len = 4, .nd = 2, .d = { 2, 2, 1, 1 } };
	const double total = 9 + 4 + 0 + 25, left = (1.0 - 2 - 4 + 9) / 4; /* around the mean, 4 */
	double before;

	ck_assert_double_eq_tol(chaos_order(&p), 2 * 0.5 * 4 * log(total / (4 * left * left)), 1e-9);
	before = chaos_order(&p);
	x[1] = 9;
	x[3] = 2; /* a cell in another's place */
	ck_assert_double_lt(chaos_order(&p), before);
	memset(x, 0, sizeof(x));
	ck_assert_double_eq_tol(chaos_order(&p), 0, 1e-9);
}
END_TEST

START_TEST(no_labels_no_search)
{
	struct ledger l = { 0 };
	struct product p;

	lock_begin();
	scramble(named("conv2.weight"), 0, 0, 6, 2, 1, 3);
	run_attack(&w, "chaos-search", "images=0", &l, &p);
	ck_assert_uint_eq(model_bits(p.model), model_bits(w.locked.model));
	ck_assert(l.labels == 0 && l.forward_equivalents == 0);
	product_release(&p);
	lock_end();
}
END_TEST

/* What ships may name no squares, rectangles or places that do not exist: nothing is searched, nothing crashes. */
START_TEST(patches_that_do_not_fit_are_left_alone)
{
	static const int32_t bad[] = { 2, 0, 0, 6, 4, 99, 0, 0, 4, 4, -1, 0, 0, 4, 4, 2, 14, 0, 6, 6, 2, 0, 0, 1, 1, 1, 0, 0, 4, 4 };
	struct product p;

	lock_begin();
	run_attack(&w, "chaos-search", "", NULL, &p);
	ck_assert_str_ne(jget_str(p.notes, "nothing_to_do", ""), "");
	product_release(&p);
	bundle_put(w.locked.pub, "patch", DT_I32, 2, (const int64_t[]){ 6, 5 }, bad);
	run_attack(&w, "chaos-search", "", NULL, &p);
	ck_assert_uint_eq(model_bits(p.model), model_bits(w.base));
	ck_assert_str_ne(jget_str(p.notes, "nothing_to_do", ""), "");
	product_release(&p);
	lock_end();
}
END_TEST

Suite *suite_chaos_search(void);
Suite *suite_chaos_search(void)
{
	Suite *s = suite_create("chaos_search");
	TCase *tc = tcase_create("chaos_search");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, kernels_come_back_by_exhaustion);
	tcase_add_test(tc, a_layers_squares_are_settled_together);
	tcase_add_test(tc, a_large_square_comes_back_in_few_trials);
	tcase_add_test(tc, layers_come_back_one_by_one);
	tcase_add_test(tc, a_few_labels_and_order_end_at_the_key);
	tcase_add_test(tc, order_by_hand);
	tcase_add_test(tc, links_by_hand);
	tcase_add_test(tc, no_labels_no_search);
	tcase_add_test(tc, patches_that_do_not_fit_are_left_alone);
	suite_add_tcase(s, tc);
	return s;
}
