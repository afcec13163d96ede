/* schemes/passport/passport.c: what a passport does to a layer, against the definition; the signature and its error; and T1 .. T8, the statements
 * of the notes on DeepIPR (docs/schemes/passport.md), on synthetic images. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/binomial.h"
#include "base/error.h"
#include "metrics/stat/stats.h"
#include "nn/lock/passport_layers.h"
#include "nn/ops.h"
#include "schemes/passport/passport.h"
#include "tests/support_bench.h"
#include "tests/support_scheme.h"

extern const struct scheme scheme_passport;

enum { TEST = 500 };
#define BRIEF "alpha=1 " /* 600 steps are few for a weight of 0.1 to turn every sign; T2 holds with it after the default training */
static struct desk desk;
static struct lock v1;      /* random passports */
static struct bundle *mine; /* its users' */

static void setup(void)
{
	desk_open(&desk);
	if (lock_open(&v1, &desk, &scheme_passport, BRIEF) < 0)
		die(EXIT_FAILED_CELLS, NULL);
	mine = lock_enrol(&v1, &desk, 0, 3, 1);
}

static void teardown(void)
{
	bundle_free(mine);
	lock_close(&v1);
	desk_close(&desk);
}

static int right_of(struct model *m)
{
	const struct images v = images_first(desk.splits.test, TEST);
	unsigned char right[TEST];

	return model_correct(m, &v, right);
}

static struct ownership *verdict_on(const struct lock *l, const struct model *suspect)
{
	struct ownership *w = xcalloc(1, sizeof(*w));

	ck_assert_msg(scheme_passport.verify(l->conf, &l->locked, suspect, w) == 0, "%s", error_text());
	ck_assert_int_eq(w->applies, 1);
	ck_assert_int_eq(w->verified, binomial_evidence(w->matched, w->total, 0.5) >= -log2(1e-6)); /* verdict and exact error agree */
	return w;
}

static int bits_in(const struct lock *l, const struct model *suspect, int *verified)
{
	struct ownership *w = verdict_on(l, suspect);
	const int matched = w->matched;

	if (verified)
		*verified = w->verified;
	free(w);
	return matched;
}

/* ---- layers ---- */

START_TEST(passports_go_where_a_norm_follows)
{
	struct model_spec spec = { .c = 3, .h = 32, .w = 32, .classes = 10 };
	static const char *const want[][2] = { { "conv1", "block1.0.bn1" }, { "block1.0.conv1", "block1.0.bn2" },
					       { "block2.0.conv1", "block2.0.bn2" }, { "block3.0.conv1", "block3.0.bn2" } };
	struct passport_layer p[PASSPORT_LAYERS_MAX];
	struct model *m;
	int bits = 0;

	ck_assert_int_eq(model_spec_parse(&spec, "wrn10-4"), 0);
	m = model_new(&spec, 1);
	ck_assert_int_eq(passport_layers(m, p), 4);
	for (int i = 0; i < 4; i++) {
		ck_assert_str_eq(p[i].layer, want[i][0]);
		ck_assert_str_eq(p[i].norm, want[i][1]);
		bits += p[i].out;
	}
	ck_assert_int_eq(bits, 16 + 64 + 128 + 256);
	ck_assert(p[3].c == 128 && p[3].h == 16 && p[3].stride == 2 && p[3].pad == 1 && p[3].taps == 128 * 9);
	ck_assert_int_eq(passport_choose(m, "block3.0.conv1,conv1", p), 2);
	ck_assert_str_eq(p[0].layer, "conv1"); /* in the network's order */
	ck_assert_int_eq(passport_choose(m, "block3.0.conv2", p), -1); /* a sum comes before its norm */
	error_clear();
	model_free(m);
}
END_TEST

/* gamma = W m against its definition: convolve the passport, take each output's mean. */
static void compare_with_convolution(struct model *m, const struct passport_layer *p)
{
	struct tape *t = tape_new();
	struct node *s = tape_input(t, 1, p->c, p->h, p->w, false), *y;
	const int len = p->c * p->h * p->w;
	float *x = xmalloc((size_t)len, sizeof(*x));
	real *means = xmalloc((size_t)p->taps, sizeof(*means)), *gamma = xmalloc((size_t)p->out, sizeof(*gamma));
	char name[PARAM_NAME_MAX + 8];
	struct rng r;

	rng_open(&r, 3, "x", 0, 0);
	for (int i = 0; i < len; i++)
		x[i] = (float)rng_uniform(&r) - 0.3f;
	node_load_f32(s, x);
	snprintf(name, sizeof(name), "%.63s.weight", p->layer);
	y = p->kernel ? op_conv2d(s, tape_param(t, model_find(m, name)), NULL, p->stride, p->pad)
		      : op_linear(s, tape_param(t, model_find(m, name)), NULL);
	y = op_batch_mean(y);
	passport_means(p, x, means);
	passport_scale(m, p, means, gamma);
	for (int o = 0; o < p->out; o++)
		ck_assert_double_eq_tol((double)gamma[o], (double)y->x[o], 1e-4);
	free(x);
	free(means);
	free(gamma);
	tape_free(t);
}

START_TEST(gamma_is_the_mean_of_a_convolution)
{
	static const char *const arch[] = { "lenet5n", "wrn10-1" };
	struct passport_layer p[PASSPORT_LAYERS_MAX];

	for (size_t a = 0; a < ARRAY_LEN(arch); a++) {
		struct model_spec spec = { .c = 1, .h = 28, .w = 28, .classes = 10 };
		struct model *m;
		int n;

		ck_assert_int_eq(model_spec_parse(&spec, arch[a]), 0);
		m = model_new(&spec, 1);
		n = passport_layers(m, p);
		ck_assert_int_ge(n, 3);
		for (int i = 0; i < n; i++)
			compare_with_convolution(m, &p[i]);
		model_free(m);
	}
}
END_TEST

/* The verdict's error is exact: one bit fewer would pass by chance too often. */
START_TEST(the_threshold_is_the_binomial_tail)
{
	for (int n = 20; n <= 300; n += 7) {
		const int k = passport_threshold(n);

		ck_assert_double_le(binomial_tail(k, n, 0.5), 1e-6);
		ck_assert_double_gt(binomial_tail(k - 1, n, 0.5), 1e-6);
	}
	ck_assert_int_eq(passport_threshold(19), 20); /* 2^-19 is more: nothing can be proved */
	ck_assert_int_gt(passport_threshold(2560), 1280);
}
END_TEST

START_TEST(wrong_options_are_refused)
{
	static const char *const bad[] = { "layers=conv1", "layers=fc2", "layers=conv2 signature=abc" };
	struct lock l;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_msg(lock_open(&l, &desk, &scheme_passport, bad[i]) < 0, "%s", bad[i]);
		error_clear();
	}
}
END_TEST

/* ---- V1 ---- */

START_TEST(customers_get_the_networks_worth) /* T1 */
{
	const int base = right_of(desk.base), mine_right = lock_correct(&v1, &desk, mine, 2, TEST, 1);

	printf("passport: unprotected %d, V1 with passports %d, without %d of %d\n", base, mine_right,
	       lock_correct(&v1, &desk, NULL, 0, TEST, 1), TEST);
	ck_assert_int_ge(mine_right, base - TEST * 3 / 100);
	ck_assert_int_le(lock_correct(&v1, &desk, NULL, 0, TEST, 1), TEST * 20 / 100);
}
END_TEST

START_TEST(every_bit_is_signed) /* T2, and what it proves */
{
	int verified;

	ck_assert_int_eq(bits_in(&v1, v1.locked.model, &verified), 16 + 120);
	ck_assert_int_eq(verified, 1);
	bits_in(&v1, desk.base, &verified); /* the same layers, never trained with passports */
	ck_assert_int_eq(verified, 0);
	for (int i = 0; i < 20; i++) {
		struct model *m = model_new(&v1.locked.model->spec, (uint64_t)(100 + i));

		bits_in(&v1, m, &verified);
		ck_assert_int_eq(verified, 0);
		model_free(m);
	}
}
END_TEST

START_TEST(wrong_passports_open_nothing) /* T3 */
{
	struct bundle *wrong = bundle_new();
	double mean = 0, worst = 0;

	ck_assert_int_eq(scheme_passport.wrong_keys(&v1.service, 9, 20, wrong), 0);
	for (int k = 0; k < 20; k++) {
		const double right = lock_correct(&v1, &desk, wrong, k, 200, 1) / 2.0;

		mean += right / 20;
		worst = right > worst ? right : worst;
	}
	printf("passport: 20 random passports %.1f %% right, at most %.1f %%\n", mean, worst);
	ck_assert_double_le(mean, 20);
	bundle_free(wrong);
}
END_TEST

/* Passports that another owner issued for another network of the same kind, trained from another seed: no better than random ones. */
START_TEST(passports_of_another_network_open_nothing)
{
	struct desk other = desk;
	struct lock theirs;
	struct bundle *issued;
	int right;

	other.env.seed = DESK_SEED + 1;
	ck_assert_msg(lock_open(&theirs, &other, &scheme_passport, BRIEF) == 0, "%s", error_text());
	issued = lock_enrol(&theirs, &other, 0, 1, 1);
	right = lock_correct(&v1, &desk, issued, 0, TEST, 1);
	printf("passport: another network's passports %d here and %d there of %d\n", right, lock_correct(&theirs, &desk, issued, 0, TEST, 1), TEST);
	ck_assert_int_le(right, TEST * 35 / 100); /* of one passport; the slides' largest */
	ck_assert_int_ge(lock_correct(&theirs, &desk, issued, 0, TEST, 1), right_of(desk.base) - TEST * 3 / 100);
	bundle_free(issued);
	lock_close(&theirs);
}
END_TEST

/* The shapes of WRN-10-4: locked from end to end on a few images (what is learnt in a few steps is not the point), the signature has
 * its 448 bits, passports have the layers' input shapes, and with them another network runs than without. */
START_TEST(wide_networks_are_locked_too)
{
	enum { N = 32 };
	struct model_spec spec = { .c = 3, .h = 32, .w = 32, .classes = 10 };
	const struct train_conf recipe = { .epochs = 1, .batch = 16, .optimizer = OPTIM_SGD, .lr = 0.05, .momentum = 0.9 };
	float *x = xmalloc((size_t)N * 3 * 32 * 32, sizeof(*x)), with[N * 10], without[N * 10];
	uint8_t label[N];
	const struct images v = { .n = N, .c = 3, .h = 32, .w = 32, .classes = 10, .fx = x, .labels = label };
	struct lock_env e = { .train = &v, .val = &v, .recipe = &recipe, .seed = 3 };
	struct lock l = { .scheme = &scheme_passport, .conf = conf_of(&scheme_passport.drv, "") };
	const int user = 0, trial = 0;
	struct bundle *creds = bundle_new();
	const struct tensor *t;
	struct model *base;
	struct rng r;

	rng_open(&r, 1, "wide", 0, 0);
	for (int i = 0; i < N * 3 * 32 * 32; i++)
		x[i] = (float)rng_uniform(&r);
	for (int i = 0; i < N; i++)
		label[i] = (uint8_t)(i % 10);
	ck_assert_int_eq(model_spec_parse(&spec, "wrn10-4"), 0);
	e.base = base = model_new(&spec, 1);
	ck_assert_msg(scheme_lock(&scheme_passport, &e, l.conf, &l.locked) == 0, "%s", error_text());
	ck_assert_int_eq(scheme_enrol(&scheme_passport, &e, l.conf, &l.locked, &user, &trial, 1, creds), 0);
	t = bundle_get(creds, "gamma.block3.0.conv1", DT_F32);
	ck_assert(t && t->d[1] == 128 && t->d[2] == 16 && t->d[3] == 16);
	ck_assert_int_le(bits_in(&l, l.locked.model, NULL), 64 + 128 + 256);
	free(verdict_on(&l, l.locked.model));
	l.service = (struct service){ .scheme = &scheme_passport, .conf = l.conf, .model = l.locked.model, .pub = l.locked.pub, .classes = 10 };
	ck_assert_int_eq(service_query(&l.service, creds, 0, &v, 1, with), 0);
	ck_assert_int_eq(service_query(&l.service, NULL, 0, &v, 1, without), 0);
	ck_assert_int_ne(memcmp(with, without, sizeof(with)), 0);
	bundle_free(creds);
	model_free(base);
	lock_close(&l);
	free(x);
}
END_TEST

/* A passport is its tap means: stripes of black and white over every channel of conv2's passports change each number by 1 and no sum
 * over ten columns. This is T8, a passport as far from the owner's as one likes that keeps accuracy and signature, at no cost. */
START_TEST(a_stranger_looking_passport_is_as_good)
{
	struct bundle *striped = bundle_copy(mine);
	static const char *const names[] = { "gamma.conv2", "beta.conv2" };
	struct model *a = scheme_passport.unlock(&v1.service, mine, 0), *b;
	const struct param *p, *q;

	for (int k = 0; k < 2; k++) {
		float *s = (float *)(uintptr_t)bundle_f32(striped, names[k], NULL);

		for (int i = 0; i < 6 * 14 * 14; i++)
			s[i] += i % 14 % 2 ? 1.0f : -1.0f;
	}
	b = scheme_passport.unlock(&v1.service, striped, 0);
	p = model_find(a, "bn2.weight");
	q = model_find(b, "bn2.weight");
	for (size_t i = 0; i < p->len; i++)
		ck_assert_double_eq_tol((double)p->x[i], (double)q->x[i], 1e-4);
	ck_assert_int_le(abs(right_of(a) - right_of(b)), 1);
	model_free(a);
	model_free(b);
	bundle_free(striped);
}
END_TEST

START_TEST(passports_a_little_off_still_work) /* where fake3 starts */
{
	struct bundle *off = bundle_copy(mine);
	struct rng r;

	rng_open(&r, 1, "off", 0, 0);
	for (int i = 0; i < off->nt; i++)
		for (size_t k = 0; off->t[i].dtype == DT_F32 && k < off->t[i].len; k++)
			((float *)off->t[i].data)[k] += (float)(0.001 * rng_normal(&r));
	ck_assert_int_le(abs(lock_correct(&v1, &desk, off, 0, TEST, 1) - lock_correct(&v1, &desk, mine, 0, TEST, 1)), TEST / 50);
	bundle_free(off);
}
END_TEST

static int by_size(const void *a, const void *b)
{
	const real x = *(const real *)a, y = *(const real *)b;

	return (x > y) - (x < y);
}

/* Zero the smallest `share` of all weights. */
static void prune(struct model *m, double share)
{
	real *size = xmalloc(m->ng, sizeof(*size)), limit;

	for (size_t i = 0; i < m->ng; i++)
		size[i] = (real)fabs((double)m->x[i]);
	qsort(size, m->ng, sizeof(*size), by_size);
	limit = size[(size_t)(share * (double)m->ng)];
	for (size_t i = 0; i < m->ng; i++)
		if (fabs((double)m->x[i]) < (double)limit)
			m->x[i] = 0;
	free(size);
}

START_TEST(pruning_leaves_the_signature) /* T7 */
{
	for (int percent = 20; percent <= 60; percent += 20) {
		struct model *m = model_copy(v1.locked.model);

		prune(m, percent / 100.0);
		ck_assert_int_ge(bits_in(&v1, m, NULL), 136 * 95 / 100);
		model_free(m);
	}
}
END_TEST

/* T6: a thief without passports trains scale and shift alone, on a tenth of the data; fake2 from gamma = 1. */
START_TEST(scale_and_shift_are_soon_retrained)
{
	const struct train_conf c = { .epochs = 60, .batch = 20, .optimizer = OPTIM_ADAM, .lr = 0.01 };
	const struct images few = images_first(desk.splits.owner, desk.splits.owner.n / 10);
	struct model *m = model_copy(v1.locked.model);
	const int before = right_of(m);

	for (int i = 0; i < m->np; i++)
		m->p[i].frozen = strncmp(m->p[i].name, "bn", 2) != 0;
	ck_assert_int_eq(train(m, &few, &c, 1, NULL, NULL, NULL), 0);
	printf("passport: %d of %d without passports, %d with scale and shift trained on %d images; %d of 136 bits\n", before, TEST,
	       right_of(m), few.n, bits_in(&v1, m, NULL));
	ck_assert_int_gt(right_of(m), TEST * 7 / 10);
	model_free(m);
}
END_TEST

START_TEST(customers_hold_the_same)
{
	struct bundle *many = lock_enrol(&v1, &desk, 0, 1000, 1);
	const struct tensor *t = bundle_get(many, "gamma.fc1", DT_F32);

	ck_assert_int_eq((int)t->d[0], 1000);
	ck_assert_int_eq(memcmp(t->data, (const float *)t->data + 999 * 400, 400 * sizeof(float)), 0);
	ck_assert_int_eq(memcmp(t->data, bundle_f32(v1.locked.secret, "gamma.fc1", NULL), 400 * sizeof(float)), 0);
	bundle_free(many);
}
END_TEST

START_TEST(what_ships_has_no_scale)
{
	static const char *const names[] = { "bn2", "bn3" };
	char name[32];

	for (int k = 0; k < 2; k++) {
		const struct param *scale, *shift;

		snprintf(name, sizeof(name), "%s.weight", names[k]);
		scale = model_find(v1.locked.model, name);
		snprintf(name, sizeof(name), "%s.bias", names[k]);
		shift = model_find(v1.locked.model, name);
		for (size_t i = 0; i < scale->len; i++)
			ck_assert((double)scale->x[i] == 1.0 && (double)shift->x[i] == 0.0);
		ck_assert(!scale->frozen && !shift->frozen);
	}
	ck_assert_ptr_null(v1.locked.model->hooks);
	ck_assert_ptr_null(bundle_get(v1.locked.pub, "gamma.fc1", DT_F32));
}
END_TEST

/* Passports from images of the owner's kind, drawn by somebody else: key types differ, and the page reports it (F1). T4: of a
 * convolution's passport only each channel's mean matters, but for borders. */
START_TEST(passports_made_of_images_are_alike)
{
	struct passport_layer p[PASSPORT_LAYERS_MAX];
	struct model *base = model_copy(desk.base);
	struct bundle *guess, *flat;
	double mean = 0, worst = 0;
	struct lock l;
	int n, own;

	ck_assert_int_eq(lock_open(&l, &desk, &scheme_passport, BRIEF "key=shuffle"), 0);
	guess = lock_enrol(&l, &desk, 0, 1, 1);
	own = lock_correct(&l, &desk, guess, 0, TEST, 1);
	n = passport_choose(l.locked.model, "auto", p);
	flat = bundle_copy(guess);
	for (int i = 0; i < flat->nt; i++) {
		float *x = flat->t[i].data;
		const size_t area = (size_t)(flat->t[i].d[2] * flat->t[i].d[3]);

		if (!strstr(flat->t[i].name, ".conv"))
			continue;
		for (size_t c = 0; c < flat->t[i].len / area; c++) {
			double sum = 0;

			for (size_t k = 0; k < area; k++)
				sum += (double)x[c * area + k];
			for (size_t k = 0; k < area; k++)
				x[c * area + k] = (float)(sum / (double)area);
		}
	}
	printf("passport key=shuffle: own %d, convolutions' channel means %d of %d; bits %d of 136\n", own,
	       lock_correct(&l, &desk, flat, 0, TEST, 1), TEST, bits_in(&l, l.locked.model, NULL));
	ck_assert_int_ge(own, right_of(desk.base) - TEST * 3 / 100);
	ck_assert_int_le(abs(own - lock_correct(&l, &desk, flat, 0, TEST, 1)), TEST * 3 / 100);
	bundle_free(guess);
	bundle_free(flat);
	for (int k = 0; k < 10; k++) {
		double right;

		guess = bundle_new();
		ck_assert_int_eq(passport_draw(PASSPORT_SHUFFLE, p, n, base, &desk.splits.pool, (uint64_t)(50 + k), guess), 0);
		right = lock_correct(&l, &desk, guess, 0, 200, 1) / 2.0;
		mean += right / 10;
		worst = right > worst ? right : worst;
		bundle_free(guess);
	}
	printf("passport key=shuffle: 10 passports of the same making %.1f %% right, at most %.1f %%\n", mean, worst);
	ck_assert_double_gt(worst, 20); /* as good as a lock, they would be at chance */
	model_free(base);
	lock_close(&l);
}
END_TEST

/* ---- V2, V3, PAN ---- */

START_TEST(ownership_variants_work_for_everybody) /* T5, T2 */
{
	static const char *const options[] = { BRIEF "variant=v2", BRIEF "variant=v3 triggers=20", BRIEF "variant=pan" };
	const int user = 0, trial = 0;

	for (int i = 0; i < 3; i++) {
		struct bundle *none = bundle_new();
		struct lock l;
		int public, private, bits, verified;
		struct model *m;

		ck_assert_msg(lock_open(&l, &desk, &scheme_passport, options[i]) == 0, "%s", error_text());
		ck_assert_int_eq(scheme_passport.users(l.conf, 10), 0);
		ck_assert_int_eq(scheme_passport.enrol(&desk.env, l.conf, &l.locked, &user, &trial, 1, none), -1);
		error_clear();
		m = passport_private(&l.locked);
		ck_assert_ptr_nonnull(m);
		public = lock_correct(&l, &desk, NULL, 0, TEST, 1);
		private = right_of(m);
		bits = bits_in(&l, l.locked.model, &verified);
		printf("passport %s: public %d, private %d of %d, %d bits right\n", options[i], public, private, TEST, bits);
		ck_assert_int_ge(public, right_of(desk.base) - TEST * 3 / 100);
		ck_assert_int_le(abs(public - private), TEST * 3 / 100);
		ck_assert_int_eq(verified, 1);
		ck_assert_int_ge(bits, i == 2 ? 138 : 132); /* of 142 and 136 */
		model_free(m);
		bundle_free(none);
		lock_close(&l);
	}
}
END_TEST

START_TEST(triggers_are_learnt)
{
	struct images v = { .n = 20, .c = 1, .h = 28, .w = 28, .classes = 10 };
	unsigned char right[20];
	uint8_t label[20];
	struct lock l;

	ck_assert_int_eq(lock_open(&l, &desk, &scheme_passport, BRIEF "variant=v3 triggers=20"), 0);
	for (int i = 0; i < 20; i++)
		label[i] = (uint8_t)bundle_i32(l.locked.secret, "trigger_class", NULL)[i];
	v.fx = bundle_f32(l.locked.secret, "trigger", NULL);
	v.labels = label;
	ck_assert_int_ge(model_correct(l.locked.model, &v, right), 18);
	lock_close(&l);
}
END_TEST

START_TEST(the_signature_may_be_a_text)
{
	const uint8_t *bit;
	struct lock l;

	ck_assert_int_eq(lock_open(&l, &desk, &scheme_passport, BRIEF "layers=fc1 signature=Mine"), 0);
	bit = bundle_u8(l.locked.secret, "sign.fc1", NULL);
	for (int i = 0; i < 32; i++)
		ck_assert_int_eq(bit[i], "Mine"[i / 8] >> (7 - i % 8) & 1);
	ck_assert_int_eq(bits_in(&l, l.locked.model, NULL), 120);
	lock_close(&l);
}
END_TEST

Suite *suite_passport(void);
Suite *suite_passport(void)
{
	Suite *s = suite_create("passport");
	TCase *parts = tcase_create("layers"), *tc = tcase_create("passport");

	tcase_add_test(parts, passports_go_where_a_norm_follows);
	tcase_add_test(parts, gamma_is_the_mean_of_a_convolution);
	tcase_add_test(parts, the_threshold_is_the_binomial_tail);
	suite_add_tcase(s, parts);
	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_test(tc, wrong_options_are_refused);
	tcase_add_test(tc, customers_get_the_networks_worth);
	tcase_add_test(tc, every_bit_is_signed);
	tcase_add_test(tc, wrong_passports_open_nothing);
	tcase_add_test(tc, passports_of_another_network_open_nothing);
	tcase_add_test(tc, wide_networks_are_locked_too);
	tcase_add_test(tc, a_stranger_looking_passport_is_as_good);
	tcase_add_test(tc, passports_a_little_off_still_work);
	tcase_add_test(tc, pruning_leaves_the_signature);
	tcase_add_test(tc, scale_and_shift_are_soon_retrained);
	tcase_add_test(tc, customers_hold_the_same);
	tcase_add_test(tc, what_ships_has_no_scale);
	tcase_add_test(tc, passports_made_of_images_are_alike);
	tcase_add_test(tc, ownership_variants_work_for_everybody);
	tcase_add_test(tc, triggers_are_learnt);
	tcase_add_test(tc, the_signature_may_be_a_text);
	tcase_set_timeout(parts, 60);
	tcase_set_timeout(tc, 180);
	suite_add_tcase(s, tc);
	return s;
}
