/* Models: names and shapes of every architecture, initial values, files, prediction. */
#include "base/error.h"
#include "base/tile.h"
#include "base/rng.h"
#include "nn/bundle.h"
#include "nn/model.h"
#include "nn/ops.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct model *make(const char *name, int c, int side, int classes)
{
	struct model_spec s = { .c = c, .h = side, .w = side, .classes = classes };
	struct model *m;

	ck_assert_msg(model_spec_parse(&s, name) == 0, "%s", error_text());
	m = model_new(&s, 7);
	ck_assert_msg(m != NULL, "%s: %s", name, error_text());
	return m;
}

/* n random images of the model's input as bytes; caller frees px. */
static struct images noise(const struct model *m, int n)
{
	struct images v = { .n = n, .c = m->spec.c, .h = m->spec.h, .w = m->spec.w, .classes = m->spec.classes };
	size_t len = (size_t)n * (size_t)images_size(&v);
	uint8_t *px = malloc(len);
	struct rng r;

	rng_open(&r, 1, "noise", 0, 0);
	rng_bytes(&r, px, len);
	v.px = px;
	return v;
}

START_TEST(every_architecture_is_complete)
{
	for (int i = 0; archs[i]; i++) {
		const struct arch *a = (const struct arch *)archs[i];

		ck_assert_msg(driver_check(archs[i]) == 0, "%s", error_text());
		ck_assert(a->build && a->forward);
		if (i)
			ck_assert_str_lt(archs[i - 1]->name, archs[i]->name);
	}
}
END_TEST

/* ---- names ---- */

static const struct {
	const char *name, *arch;
	int width;
	const char *canonical;
} names[] = {
	{ "lenet5", "lenet5", 0, "lenet5" }, { "wrn10-4", "wrn10", 4, "wrn10-4" }, { "wrn10", "wrn10", 4, "wrn10-4" },
	{ "mlp-17", "mlp", 17, "mlp-17" }, { "wrn10t-1", "wrn10t", 1, "wrn10t-1" }, { "unet", "unet", 8, "unet-8" },
};

START_TEST(names_are_parsed)
{
	struct model_spec s = { .c = 9 };
	char buf[48];

	ck_assert_int_eq(model_spec_parse(&s, names[_i].name), 0);
	ck_assert_str_eq(s.arch, names[_i].arch);
	ck_assert(s.width == names[_i].width && s.c == 9);
	ck_assert_str_eq(model_spec_name(&s, buf), names[_i].canonical);
}
END_TEST

static const char *const bad_names[] = {
	"", "-", "lenet", "lenet5-3", "wrn10-", "wrn10-0", "wrn10-x", "wrn10--4", "wrn10-4-4", "wrn10-99999", "wrn10-+4",
	"mlp-4097", "mlp-04", "a-very-long-name-that-fits-no-architecture-4",
};

START_TEST(bad_names_are_refused)
{
	struct model_spec s = { 0 };

	ck_assert_int_eq(model_spec_parse(&s, bad_names[_i]), -1);
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
}
END_TEST

static const struct model_spec bad_specs[] = {
	{ "lenet5", 1, 29, 29, 10, 0 }, { "lenet5", 1, 28, 32, 10, 0 }, { "lenet5", 0, 28, 28, 10, 0 },
	{ "lenet5", 1, 28, 28, 0, 0 }, { "lenet5", 1, 28, 28, 10, 3 }, { "mlp", 1, -1, 8, 10, 4 }, { "mlp", 1, 8, 8, 10, -4 },
	{ "mlp", 1, 1 << 30, 1 << 30, 10, 4 }, { "cae", 1, 7, 7, 1, 4 }, { "cae", 1, 8, 8, 3, 4 }, { "unet", 1, 6, 6, 1, 4 },
	{ "nothing", 1, 8, 8, 1, 4 },
};

START_TEST(bad_specs_are_refused)
{
	ck_assert_ptr_null(model_new(&bad_specs[_i], 1));
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
}
END_TEST

/* ---- shapes ---- */

static const struct {
	const char *name;
	int c, side, classes;
	size_t params;
	int outputs;
	double macs;
} shapes[] = {
	{ "lenet5", 1, 28, 10, 61706, 10, 416520 },
	{ "lenet5", 3, 32, 10, 62006, 10, 651720 },
	{ "lenet5n", 1, 28, 10, 61848, 10, 416520 },
	{ "wrn10-4", 3, 32, 10, 1198810, 10, 0 },
	{ "wrn10-1", 1, 28, 7, 0, 7, 0 },
	{ "wrn10t-4", 3, 32, 10, 0, 10, 0 },
	{ "wrn10t-2", 1, 28, 10, 0, 10, 0 },
	{ "mlp-256", 1, 28, 10, 269322, 10, 268800 },
	{ "mlpn-256", 1, 28, 10, 269834, 10, 268800 },
	{ "cae", 1, 28, 1, 0, 784, 0 },
	{ "cae-3", 3, 32, 3, 0, 3072, 0 },
	{ "unet", 1, 28, 3, 0, 3 * 784, 0 },
	{ "unet-4", 3, 32, 1, 0, 1024, 0 },
};

/* The image through the model: finite numbers of the right count; a frozen model gives the same. */
START_TEST(every_architecture_runs)
{
	struct model *m = make(shapes[_i].name, shapes[_i].c, shapes[_i].side, shapes[_i].classes);
	int n = 3, k = shapes[_i].outputs;
	struct images v = noise(m, n);
	float *out = malloc((size_t)(n * k) * sizeof(*out)), *again = malloc((size_t)(n * k) * sizeof(*out));

	ck_assert_int_eq(model_outputs(m), k);
	if (shapes[_i].params)
		ck_assert_uint_eq(model_params(m), shapes[_i].params);
	if (shapes[_i].macs > 0)
		ck_assert_double_eq(model_macs(m), shapes[_i].macs);
	ck_assert(model_macs(m) > (double)model_params(m) / 2);
	ck_assert_int_eq(model_predict(m, &v, out), 0);
	for (int i = 0; i < n * k; i++)
		ck_assert(isfinite(out[i]));
	for (int i = 0; i < m->np; i++)
		m->p[i].frozen = true;
	ck_assert_int_eq(model_predict(m, &v, again), 0);
	ck_assert_mem_eq(out, again, (size_t)(n * k) * sizeof(*out));
	free((void *)v.px);
	free(out);
	free(again);
	model_free(m);
}
END_TEST

/* Gradients reach every parameter that is not frozen, and none that is. */
START_TEST(gradients_reach_every_parameter)
{
	struct model *m = make(shapes[_i].name, shapes[_i].c, shapes[_i].side, shapes[_i].classes);
	struct images v = noise(m, 4);
	struct tape *t = tape_new();
	struct node *x = tape_input(t, 4, v.c, v.h, v.w, false), *y;

	m->p[2].frozen = true;
	node_load_images(x, &v, 0);
	y = m->arch->forward(m, x, true);
	tape_backward(t, op_mean(op_mul(y, y)));
	for (int i = 0; i < m->np && !m->p[i].buffer; i++) {
		double sum = 0;

		for (size_t k = 0; k < m->p[i].len; k++)
			sum += fabs((double)m->p[i].g[k]);
		ck_assert_msg(m->p[i].frozen ? sum == 0 : sum > 0, "%s: %s: %g", shapes[_i].name, m->p[i].name, sum);
	}
	free((void *)v.px);
	tape_free(t);
	model_free(m);
}
END_TEST

static const struct {
	const char *name;
	int d[4];
} lenet5_names[] = {
	{ "conv1.weight", { 6, 1, 5, 5 } }, { "conv1.bias", { 6, 1, 1, 1 } }, { "conv2.weight", { 16, 6, 5, 5 } },
	{ "conv2.bias", { 16, 1, 1, 1 } }, { "fc1.weight", { 120, 400, 1, 1 } }, { "fc1.bias", { 120, 1, 1, 1 } },
	{ "fc2.weight", { 84, 120, 1, 1 } }, { "fc2.bias", { 84, 1, 1, 1 } }, { "fc3.weight", { 10, 84, 1, 1 } },
	{ "fc3.bias", { 10, 1, 1, 1 } },
}, wrn10_names[] = {
	{ "conv1.weight", { 16, 3, 3, 3 } }, { "block1.0.bn1.weight", { 16, 1, 1, 1 } }, { "block1.0.bn1.bias", { 16, 1, 1, 1 } },
	{ "block1.0.conv1.weight", { 64, 16, 3, 3 } }, { "block1.0.bn2.weight", { 64, 1, 1, 1 } },
	{ "block1.0.bn2.bias", { 64, 1, 1, 1 } }, { "block1.0.conv2.weight", { 64, 64, 3, 3 } },
	{ "block1.0.shortcut.weight", { 64, 16, 1, 1 } }, { "block2.0.bn1.weight", { 64, 1, 1, 1 } },
	{ "block2.0.bn1.bias", { 64, 1, 1, 1 } }, { "block2.0.conv1.weight", { 128, 64, 3, 3 } },
	{ "block2.0.bn2.weight", { 128, 1, 1, 1 } }, { "block2.0.bn2.bias", { 128, 1, 1, 1 } },
	{ "block2.0.conv2.weight", { 128, 128, 3, 3 } }, { "block2.0.shortcut.weight", { 128, 64, 1, 1 } },
	{ "block3.0.bn1.weight", { 128, 1, 1, 1 } }, { "block3.0.bn1.bias", { 128, 1, 1, 1 } },
	{ "block3.0.conv1.weight", { 256, 128, 3, 3 } }, { "block3.0.bn2.weight", { 256, 1, 1, 1 } },
	{ "block3.0.bn2.bias", { 256, 1, 1, 1 } }, { "block3.0.conv2.weight", { 256, 256, 3, 3 } },
	{ "block3.0.shortcut.weight", { 256, 128, 1, 1 } }, { "bn1.weight", { 256, 1, 1, 1 } }, { "bn1.bias", { 256, 1, 1, 1 } },
	{ "fc.weight", { 10, 256, 1, 1 } }, { "fc.bias", { 10, 1, 1, 1 } },
};

START_TEST(names_and_shapes_are_pytorchs)
{
	struct model *lenet = make("lenet5", 1, 28, 10), *wrn = make("wrn10-4", 3, 32, 10);

	ck_assert_int_eq(lenet->np, (int)ARRAY_LEN(lenet5_names));
	for (size_t i = 0; i < ARRAY_LEN(lenet5_names); i++) {
		ck_assert_str_eq(lenet->p[i].name, lenet5_names[i].name);
		ck_assert_mem_eq(lenet->p[i].d, lenet5_names[i].d, sizeof(lenet->p[i].d));
	}
	ck_assert_int_eq(wrn->np, (int)ARRAY_LEN(wrn10_names) + 2 * 7); /* seven batch norms' statistics */
	for (size_t i = 0; i < ARRAY_LEN(wrn10_names); i++) {
		ck_assert_str_eq(wrn->p[i].name, wrn10_names[i].name);
		ck_assert_mem_eq(wrn->p[i].d, wrn10_names[i].d, sizeof(wrn->p[i].d));
	}
	ck_assert(model_find(wrn, "block2.0.bn2.running_var")->buffer);
	ck_assert_ptr_null(model_find(wrn, "block1.0.conv1.bias"));
	model_free(lenet);
	model_free(wrn);
}
END_TEST

/* ActiveGuard, Table I, as (O,I,3,3). */
START_TEST(wrn10t_has_table_1s_layers)
{
	static const struct {
		const char *name;
		int o, i;
	} rows[] = { { "stem.conv1.weight", 32, 16 }, { "block1.0.conv2.weight", 64, 64 },
		     { "block2.0.conv2.weight", 128, 128 }, { "block3.0.conv2.weight", 256, 256 } };
	struct model *m = make("wrn10t-4", 3, 32, 10);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct param *p = model_find(m, rows[i].name);

		ck_assert_ptr_nonnull(p);
		ck_assert(p->d[0] == rows[i].o && p->d[1] == rows[i].i && p->d[2] == 3 && p->d[3] == 3);
	}
	model_free(m);
}
END_TEST

START_TEST(parameters_lie_in_one_array)
{
	struct model *m = make("wrn10-1", 3, 8, 4);
	size_t at = 0;

	for (int i = 0; i < m->np; i++) {
		ck_assert_ptr_eq(m->p[i].x, m->x + at);
		ck_assert_ptr_eq(m->p[i].g, m->p[i].buffer ? NULL : m->g + at);
		at += m->p[i].len;
	}
	ck_assert(at == m->nx && m->ng < m->nx && model_params(m) == m->ng);
	model_free(m);
}
END_TEST

/* ---- initial values ---- */

static double largest(const struct param *p)
{
	double max = 0;

	for (size_t i = 0; i < p->len; i++)
		max = fmax(max, fabs((double)p->x[i]));
	return max;
}

static double mean_square(const struct param *p)
{
	double sum = 0;

	for (size_t i = 0; i < p->len; i++)
		sum += (double)p->x[i] * (double)p->x[i];
	return sum / (double)p->len;
}

START_TEST(initial_values_are_pytorchs)
{
	struct model *m = make("lenet5", 1, 28, 10), *w = make("wrn10-4", 3, 32, 10);
	const struct param *fc1 = model_find(m, "fc1.weight"), *conv = model_find(w, "block3.0.conv2.weight");

	ck_assert_double_le(largest(fc1), 0.05); /* 1 / sqrt(400) */
	ck_assert_double_ge(largest(fc1), 0.0499);
	ck_assert_double_eq_tol(mean_square(fc1), 0.05 * 0.05 / 3, 2e-5);
	ck_assert_double_le(largest(model_find(m, "fc1.bias")), 0.05);
	ck_assert_double_ge(largest(model_find(m, "fc1.bias")), 0.04);
	ck_assert_double_le(largest(model_find(m, "conv1.weight")), 0.2);
	ck_assert_double_eq_tol(mean_square(conv), 2.0 / (256 * 9), 1e-5);
	ck_assert_double_ge(largest(conv), 3 * sqrt(2.0 / (256 * 9))); /* a normal distribution has tails */
	ck_assert(w->x[432] == 1 && mean_square(model_find(w, "bn1.weight")) == 1);
	ck_assert(largest(model_find(w, "bn1.bias")) == 0 && largest(model_find(w, "bn1.running_mean")) == 0);
	ck_assert(mean_square(model_find(w, "bn1.running_var")) == 1);
	model_free(m);
	model_free(w);
}
END_TEST

START_TEST(the_seed_decides)
{
	struct model_spec s = { "mlp", 1, 8, 8, 3, 16 };
	struct model *a = model_new(&s, 1), *b = model_new(&s, 1), *c = model_new(&s, 2), *d = model_copy(a);
	char ha[65], hb[65], hc[65], hd[65];

	model_hash(a, ha);
	model_hash(b, hb);
	model_hash(c, hc);
	a->x[0] += 1;
	model_hash(d, hd);
	ck_assert_str_eq(ha, hb);
	ck_assert_str_ne(ha, hc);
	ck_assert_str_eq(ha, hd); /* the copy has numbers of its own */
	model_hash(a, ha);
	ck_assert_str_ne(ha, hd);
	model_free(a);
	model_free(b);
	model_free(c);
	model_free(d);
}
END_TEST

/* ---- files ---- */

static const char *scratch(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/tmp/lockbench-model-%d", (int)getpid());
	return path;
}

START_TEST(files_give_back_the_same_bits)
{
	static const char *const kinds[] = { "lenet5", "wrn10-1", "mlp-9", "unet-2" };
	json_t *extra = json_pack("{s:s}", "scheme", "none");

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct model *a = make(kinds[i], 1, 28, 10), *b, *c;
		char name[48];

		ck_assert_int_eq(model_save(a, scratch(), extra), 0);
		b = model_load(scratch(), NULL);
		c = model_load(scratch(), &a->spec);
		ck_assert_msg(b && c, "%s", error_text());
		ck_assert_mem_eq(a->x, b->x, a->nx * sizeof(*a->x));
		ck_assert_mem_eq(a->x, c->x, a->nx * sizeof(*a->x));
		ck_assert_str_eq(model_spec_name(&b->spec, name), kinds[i]);
		ck_assert(b->spec.h == 28 && b->spec.classes == 10);
		model_free(a);
		model_free(b);
		model_free(c);
	}
	unlink(scratch());
	json_decref(extra);
}
END_TEST

/* What a liar does to a good file of mlp-4 on 1x4x4 (or wrn10-1 on 1x4x4), and what the message must say. */
static void drop(struct bundle *b) { bundle_remove(b, "fc1.bias"); }
static void add(struct bundle *b) { bundle_put_f32(b, "fc9.bias", 1, (float[]){ 0 }); }
static void widen(struct bundle *b) { bundle_put_f32(b, "fc1.bias", 5, NULL); }
static void transpose(struct bundle *b) { bundle_put(b, "fc1.weight", DT_F32, 2, (int64_t[]){ 16, 4 }, NULL); }
static void deepen(struct bundle *b) { bundle_put(b, "fc1.bias", DT_F32, 2, (int64_t[]){ 4, 1 }, NULL); }
static void retype(struct bundle *b) { bundle_put_i32(b, "fc1.bias", 4, NULL); }
static void poison(struct bundle *b) { bundle_put_f32(b, "fc1.bias", 4, (float[]){ 0, 0, NAN, 0 }); }
static void explode(struct bundle *b) { bundle_put_f32(b, "fc1.bias", 4, (float[]){ 0, -INFINITY, 0, 0 }); }
static void count(struct bundle *b) { bundle_put(b, "fc1.num_batches_tracked", DT_I64, 1, (int64_t[]){ 2 }, NULL); }
static void forget(struct bundle *b) { json_object_clear(b->meta); }
static void rename_arch(struct bundle *b) { bundle_meta(b, "arch", "lenet6"); }
static void long_arch(struct bundle *b) { bundle_meta(b, "arch", "lenet-and-forty-more-characters-than-fit"); }
static void inflate(struct bundle *b) { bundle_meta(b, "width", "4096"); }
static void overflow(struct bundle *b) { bundle_meta(b, "h", "1e300"); }
static void half(struct bundle *b) { bundle_meta(b, "c", "0.5"); }
static void negate(struct bundle *b) { bundle_put_f32(b, "bn1.running_var", 64, (float[64]){ -1 }); }

static const struct {
	const char *model;
	void (*change)(struct bundle *b);
	const char *says;
} lies[] = {
	{ "mlp-4", drop, "fc1.bias is missing" }, { "mlp-4", add, "fc9.bias does not belong" },
	{ "mlp-4", widen, "fc1.bias is not" }, { "mlp-4", transpose, "fc1.weight is not" }, { "mlp-4", deepen, "fc1.bias is not" },
	{ "mlp-4", retype, "fc1.bias is not" }, { "mlp-4", poison, "fc1.bias: element 2" },
	{ "mlp-4", explode, "fc1.bias: element 1" }, { "mlp-4", count, "num_batches_tracked" },
	{ "mlp-4", forget, "which model" }, { "mlp-4", rename_arch, "lenet5" }, { "mlp-4", long_arch, "too long" },
	{ "mlp-4", inflate, "is not" }, { "mlp-4", overflow, "out of range" }, { "mlp-4", half, "out of range" },
	{ "wrn10-1", negate, "negative variance" },
};

START_TEST(files_that_lie_are_refused)
{
	struct model *m = make(lies[_i].model, 1, 4, 3);
	struct bundle *b;

	ck_assert_int_eq(model_save(m, scratch(), NULL), 0);
	b = bundle_load(scratch());
	lies[_i].change(b);
	ck_assert_int_eq(bundle_save(b, scratch()), 0);
	ck_assert_ptr_null(model_load(scratch(), NULL));
	ck_assert_msg(strstr(error_text(), lies[_i].says) && strstr(error_text(), scratch()), "%s", error_text());
	unlink(scratch());
	bundle_free(b);
	model_free(m);
}
END_TEST

START_TEST(pytorchs_files_are_read)
{
	struct model *m = make("wrn10-1", 1, 8, 3), *other;
	struct bundle *b;

	ck_assert_int_eq(model_save(m, scratch(), NULL), 0);
	b = bundle_load(scratch());
	forget(b);
	bundle_put(b, "bn1.num_batches_tracked", DT_I64, 0, NULL, &(int64_t){ 391 });
	ck_assert_int_eq(bundle_save(b, scratch()), 0);
	other = model_load(scratch(), &m->spec);
	ck_assert_msg(other != NULL, "%s", error_text());
	model_free(other);
	unlink(scratch());
	bundle_free(b);
	model_free(m);
}
END_TEST

/* LeNet-5 for 28x28 and for 32x32 have the same tensors and different padding. */
START_TEST(metadata_must_agree_with_the_caller)
{
	struct model *m = make("lenet5", 1, 28, 10);
	struct model_spec s = m->spec;

	s.h = s.w = 32;
	ck_assert_int_eq(model_save(m, scratch(), NULL), 0);
	ck_assert_ptr_null(model_load(scratch(), &s));
	ck_assert_ptr_nonnull(strstr(error_text(), "1x32x32"));
	unlink(scratch());
	model_free(m);
}
END_TEST

/* ---- prediction ---- */

START_TEST(neighbours_do_not_matter)
{
	enum { N = 300, K = 10 };
	struct model *m = make("lenet5", 1, 28, K);
	struct images v = noise(m, N), w = v;
	int index[N];
	float *a = malloc(N * K * sizeof(*a)), *b = malloc(N * K * sizeof(*b));

	for (int i = 0; i < N; i++)
		index[i] = (i * 7 + 3) % N; /* 7 and 300 share no factor: another order */
	w.index = index;
	ck_assert_int_eq(model_predict(m, &v, a), 0);
	ck_assert_int_eq(model_predict(m, &w, b), 0);
	for (int i = 0; i < N; i++)
		ck_assert_mem_eq(b + i * K, a + index[i] * K, K * sizeof(*a));
	w.n = 1;
	ck_assert_int_eq(model_predict(m, &w, b), 0);
	ck_assert_mem_eq(b, a + index[0] * K, K * sizeof(*a));
	free((void *)v.px);
	free(a);
	free(b);
	model_free(m);
}
END_TEST

static const struct { const char *name; int c, side, k, n; } predicted[] = {
	{ "lenet5", 1, 28, 10, 333 }, { "mlp-8", 1, 4, 10, 700 }, { "wrn10-1", 3, 32, 10, 70 }, { "cae", 1, 28, 1, 130 }, { "unet", 3, 16, 3, 40 }
};

/* Batches on a thread each, all threads on one batch, and on one thread behind a hook. */
START_TEST(predictions_do_not_depend_on_threads)
{
	static const struct model_hooks nothing;
	const int threads[] = { 2, 3, 8 };
	struct model *m = make(predicted[_i].name, predicted[_i].c, predicted[_i].side, predicted[_i].k);
	struct images v = noise(m, predicted[_i].n);
	const size_t len = (size_t)v.n * (size_t)model_outputs(m);
	float *one = malloc(len * sizeof(*one)), *many = malloc(len * sizeof(*many));

	tile_threads(1);
	ck_assert_int_eq(model_predict(m, &v, one), 0);
	for (size_t t = 0; t < ARRAY_LEN(threads); t++) {
		tile_threads(threads[t]);
		for (int hooked = 0; hooked < 2; hooked++) {
			m->hooks = hooked ? &nothing : NULL;
			ck_assert_int_eq(model_workers(m, v.n) > 1, !hooked);
			memset(many, 0, len * sizeof(*many));
			ck_assert_int_eq(model_predict(m, &v, many), 0);
			ck_assert_msg(!memcmp(one, many, len * sizeof(*one)), "%d threads, hook %d", threads[t], hooked);
		}
	}
	tile_threads(1);
	free((void *)v.px);
	free(one);
	free(many);
	model_free(m);
}
END_TEST

/* Output and input gradient of three passes on one tape. */
static void passes(struct model *m, const struct images *v, bool keep, float *out, float *grad)
{
	const size_t image = (size_t)images_size(v), k = (size_t)model_outputs(m);
	struct tape *t = tape_new();

	if (keep)
		tape_keep_weights(t);
	for (int i = 0; i < 3; i++) { /* the second finds what the first packed; the third has fewer images, other blocks */
		const int n = i < 2 ? v->n : 5;
		struct node *x, *y;

		tape_reset(t);
		tape_grad_params(t, false);
		x = tape_input(t, n, v->c, v->h, v->w, true);
		node_load_images(x, v, 0);
		y = m->arch->forward(m, x, false);
		node_store_f32(y, out + (size_t)i * (size_t)v->n * k);
		tape_backward(t, op_sum(op_mul(y, y)));
		node_store_grad(x, grad + (size_t)i * (size_t)v->n * image);
	}
	tape_free(t);
}

/* Only a tape that predicts gives layers' memory away: attacks read what a layer saw (tape_input_of()), and its outputs are a prediction's. */
START_TEST(what_layers_saw_can_be_read)
{
	struct model *m = make(shapes[_i].name, shapes[_i].c, shapes[_i].side, shapes[_i].classes);
	struct images v = noise(m, 3);
	const size_t k = (size_t)model_outputs(m);
	float *answer = malloc(3 * k * sizeof(float)), *out = malloc(3 * k * sizeof(float));
	struct tape *t = tape_new();
	struct node *x;
	int layers = 0;

	tape_grad_params(t, false);
	x = tape_input(t, 3, v.c, v.h, v.w, false);
	node_load_images(x, &v, 0);
	node_store_f32(m->arch->forward(m, x, false), out);
	for (int i = 0; i < m->np; i++) {
		const struct node *in = tape_input_of(t, &m->p[i]);

		for (size_t j = 0; in && j < in->len; j += LANES)
			ck_assert(isfinite(in->x[j]));
		layers += in != NULL;
	}
	ck_assert_int_gt(layers, 2);
	ck_assert_int_eq(model_predict(m, &v, answer), 0);
	ck_assert_mem_eq(out, answer, 3 * k * sizeof(float));
	tape_free(t);
	free(answer);
	free(out);
	free((void *)v.px);
	model_free(m);
}
END_TEST

/* A parameter that learns alone finds the values that its gradient needs: would catch one dropped too early. */
START_TEST(one_parameter_learns_alone)
{
	struct model *m = make(predicted[_i].name, predicted[_i].c, predicted[_i].side, predicted[_i].k);
	struct images v = noise(m, 2);

	for (int i = 0; i < m->np; i++)
		m->p[i].frozen = true;
	for (int i = 0; i < m->np; i++) {
		struct tape *t;
		struct node *x, *y;
		double sum = 0;

		if (!m->p[i].g)
			continue;
		t = tape_new();
		x = tape_input(t, 2, v.c, v.h, v.w, false);
		m->p[i].frozen = false;
		memset(m->p[i].g, 0, m->p[i].len * sizeof(real));
		node_load_images(x, &v, 0);
		y = m->arch->forward(m, x, true);
		tape_backward(t, op_mean(op_mul(y, op_tanh(y))));
		for (size_t j = 0; j < m->p[i].len; j++)
			sum += fabs((double)m->p[i].g[j]);
		ck_assert_msg(sum > 0 && isfinite(sum), "%s", m->p[i].name);
		m->p[i].frozen = true;
		tape_free(t);
	}
	free((void *)v.px);
	model_free(m);
}
END_TEST

START_TEST(kept_weights_change_nothing)
{
	struct model *m = make(predicted[_i].name, predicted[_i].c, predicted[_i].side, predicted[_i].k);
	struct images v = noise(m, 40);
	const size_t ny = (size_t)(3 * v.n * model_outputs(m)), nx = (size_t)(3 * v.n * images_size(&v));
	float *y[2], *g[2];

	for (int keep = 0; keep < 2; keep++) {
		y[keep] = calloc(ny, sizeof(float));
		g[keep] = calloc(nx, sizeof(float));
		passes(m, &v, keep, y[keep], g[keep]);
	}
	ck_assert(!memcmp(y[0], y[1], ny * sizeof(float)));
	ck_assert(!memcmp(g[0], g[1], nx * sizeof(float)));
	for (size_t i = 0; i < 2; i++) {
		free(y[i]);
		free(g[i]);
	}
	free((void *)v.px);
	model_free(m);
}
END_TEST

START_TEST(floats_and_bytes_agree)
{
	struct model *m = make("mlp-8", 1, 4, 3);
	struct images v = noise(m, 5), w = v;
	float fx[5 * 16], a[15], b[15];

	for (int i = 0; i < 5; i++)
		images_get(&v, i, fx + i * 16);
	w.px = NULL;
	w.fx = fx;
	ck_assert_int_eq(model_predict_probs(m, &v, a), 0);
	ck_assert_int_eq(model_predict_probs(m, &w, b), 0);
	ck_assert_mem_eq(a, b, sizeof(a));
	for (int i = 0; i < 5; i++)
		ck_assert_float_eq_tol(a[3 * i] + a[3 * i + 1] + a[3 * i + 2], 1, 1e-6f);
	v.h = 5;
	ck_assert_int_eq(model_predict(m, &v, a), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "1x5x4"));
	free((void *)v.px);
	model_free(m);
}
END_TEST

START_TEST(correct_counts_labels)
{
	struct model *m = make("mlp-8", 1, 4, 3);
	struct images v = noise(m, 40);
	uint8_t labels[40];
	unsigned char correct[40];
	float rows[120];
	int best[40], right = 0;

	ck_assert_int_eq(model_predict(m, &v, rows), 0);
	argmax_rows(rows, 40, 3, best);
	for (int i = 0; i < 40; i++)
		labels[i] = (uint8_t)(i % 2 ? best[i] : (best[i] + 1) % 3);
	v.labels = labels;
	ck_assert_int_eq(model_correct(m, &v, correct), 20);
	for (int i = 0; i < 40; i++)
		right += correct[i] == i % 2;
	ck_assert_int_eq(right, 40);
	free((void *)v.px);
	model_free(m);
}
END_TEST

START_TEST(rows)
{
	float x[] = { 1, 3, 3, -1, -2, -3, 1000, 1000, -1000 };
	int best[3];

	argmax_rows(x, 3, 3, best);
	ck_assert(best[0] == 1 && best[1] == 0 && best[2] == 0); /* ties go to the smaller index */
	softmax_rows(x, 3, 3);
	ck_assert_float_eq_tol(x[0], 0.0633789f, 1e-6f);
	ck_assert_float_eq_tol(x[3], 0.6652410f, 1e-6f);
	ck_assert(x[6] == 0.5f && x[7] == 0.5f && x[8] == 0);
}
END_TEST

Suite *suite_model(void);
Suite *suite_model(void)
{
	Suite *s = suite_create("model");
	TCase *tc = tcase_create("model");

	tcase_set_timeout(tc, 30); /* under sanitizers */
	tcase_add_test(tc, every_architecture_is_complete);
	tcase_add_loop_test(tc, names_are_parsed, 0, (int)ARRAY_LEN(names));
	tcase_add_loop_test(tc, bad_names_are_refused, 0, (int)ARRAY_LEN(bad_names));
	tcase_add_loop_test(tc, bad_specs_are_refused, 0, (int)ARRAY_LEN(bad_specs));
	tcase_add_loop_test(tc, every_architecture_runs, 0, (int)ARRAY_LEN(shapes));
	tcase_add_loop_test(tc, gradients_reach_every_parameter, 0, (int)ARRAY_LEN(shapes));
	tcase_add_test(tc, names_and_shapes_are_pytorchs);
	tcase_add_test(tc, wrn10t_has_table_1s_layers);
	tcase_add_test(tc, parameters_lie_in_one_array);
	tcase_add_test(tc, initial_values_are_pytorchs);
	tcase_add_test(tc, the_seed_decides);
	tcase_add_test(tc, files_give_back_the_same_bits);
	tcase_add_loop_test(tc, files_that_lie_are_refused, 0, (int)ARRAY_LEN(lies));
	tcase_add_test(tc, pytorchs_files_are_read);
	tcase_add_test(tc, metadata_must_agree_with_the_caller);
	tcase_add_test(tc, neighbours_do_not_matter);
	tcase_add_loop_test(tc, predictions_do_not_depend_on_threads, 0, ARRAY_LEN(predicted));
	tcase_add_loop_test(tc, what_layers_saw_can_be_read, 0, (int)ARRAY_LEN(shapes));
	tcase_add_loop_test(tc, one_parameter_learns_alone, 0, ARRAY_LEN(predicted));
	tcase_add_loop_test(tc, kept_weights_change_nothing, 0, ARRAY_LEN(predicted));
	tcase_add_test(tc, floats_and_bytes_agree);
	tcase_add_test(tc, correct_counts_labels);
	tcase_add_test(tc, rows);
	suite_add_tcase(s, tc);
	return s;
}
