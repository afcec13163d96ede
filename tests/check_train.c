/* Training: optimisers against formulas written by hand, schedules, augmentation, freezing, hooks, and the same
 * bits for any number of threads. */
#include "base/error.h"
#include "base/interrupt.h"
#include "base/tile.h"
#include "nn/ops.h"
#include "nn/train.h"
#include <check.h>
#include <math.h>
#include <signal.h>
#include <string.h>

/* ---- a small problem: classes are bright bars at different heights, under noise ---- */

enum { SIDE = 8, CLASSES = 3 };

struct problem {
	struct images v;
	uint8_t *px, *labels;
};

static struct problem make_problem(int n, int c)
{
	struct problem p = { .px = malloc((size_t)(n * c * SIDE * SIDE)), .labels = malloc((size_t)n) };
	struct rng r;

	rng_open(&r, 5, "problem", 0, 0);
	for (int i = 0; i < n; i++) {
		uint8_t *px = p.px + i * c * SIDE * SIDE;

		p.labels[i] = (uint8_t)rng_below(&r, CLASSES);
		for (int k = 0; k < c * SIDE * SIDE; k++)
			px[k] = (uint8_t)(rng_below(&r, 120) + (k / SIDE % SIDE / 2 == p.labels[i] ? 100 : 0));
	}
	p.v = (struct images){ .n = n, .c = c, .h = SIDE, .w = SIDE, .classes = CLASSES, .px = p.px, .labels = p.labels };
	return p;
}

static void free_problem(struct problem *p)
{
	free(p->px);
	free(p->labels);
}

static struct model *make(const char *name, int c)
{
	struct model_spec s = { .c = c, .h = SIDE, .w = SIDE, .classes = CLASSES };
	struct model *m;

	ck_assert_int_eq(model_spec_parse(&s, name), 0);
	m = model_new(&s, 11);
	ck_assert_msg(m != NULL, "%s", error_text());
	return m;
}

static struct train_conf conf(int epochs, int batch, int optimizer, double lr)
{
	struct train_conf c;

	opt_defaults(train_opts, &c);
	c.epochs = epochs;
	c.batch = batch;
	c.optimizer = optimizer;
	c.lr = lr;
	return c;
}

/* ---- optimisers: PyTorch's documentation, line by line, in double ---- */

static const struct train_conf optimisers[] = {
	{ .optimizer = OPTIM_SGD, .lr = 0.1 },
	{ .optimizer = OPTIM_SGD, .lr = 0.1, .weight_decay = 0.01 },
	{ .optimizer = OPTIM_SGD, .lr = 0.1, .momentum = 0.9, .weight_decay = 0.01 },
	{ .optimizer = OPTIM_SGD, .lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .nesterov = 1 },
	{ .optimizer = OPTIM_ADAM, .lr = 0.01 },
	{ .optimizer = OPTIM_ADAM, .lr = 0.01, .weight_decay = 0.1 },
};

struct state {
	double x, b, m, v;
};

static void reference_sgd(const struct train_conf *c, struct state *s, double g, int t)
{
	g += c->weight_decay * s->x;
	if (c->momentum != 0) {
		s->b = t > 1 ? c->momentum * s->b + g : g;
		g = c->nesterov ? g + c->momentum * s->b : s->b;
	}
	s->x -= c->lr * g;
}

static void reference_adam(const struct train_conf *c, struct state *s, double g, int t)
{
	double m, v;

	g += c->weight_decay * s->x;
	s->m = 0.9 * s->m + 0.1 * g;
	s->v = 0.999 * s->v + 0.001 * g * g;
	m = s->m / (1 - pow(0.9, t));
	v = s->v / (1 - pow(0.999, t));
	s->x -= c->lr * m / (sqrt(v) + 1e-8);
}

START_TEST(optimisers_follow_pytorch)
{
	const struct train_conf *c = &optimisers[_i];
	struct model *m = make("mlp-70", 1); /* two chunks of 4096 and a bit */
	struct optim *o = optim_new(m, c);
	struct state *s = calloc(m->ng, sizeof(*s));
	struct rng r;

	ck_assert_uint_gt(m->ng, 2 * 4096);
	rng_open(&r, 3, "gradient", 0, 0);
	for (size_t i = 0; i < m->ng; i++)
		s[i].x = (double)m->x[i];
	for (int t = 1; t <= 6; t++) {
		for (size_t i = 0; i < m->ng; i++) {
			m->g[i] = (real)(i % 5 ? rng_normal(&r) : 0);
			(c->optimizer == OPTIM_ADAM ? reference_adam : reference_sgd)(c, &s[i], (double)m->g[i], t);
		}
		optim_step(o, c->lr);
		for (size_t i = 0; i < m->ng; i++)
			ck_assert_double_eq_tol((double)m->x[i], s[i].x, 3e-6);
	}
	optim_free(o);
	free(s);
	model_free(m);
}
END_TEST

START_TEST(optimisers_spare_frozen_parameters)
{
	const struct train_conf *c = &optimisers[_i];
	struct model *m = make("mlp-70", 1), *before = model_copy(m);
	struct optim *o = optim_new(m, c);

	for (size_t i = 0; i < m->ng; i++)
		m->g[i] = 1;
	m->p[0].frozen = m->p[3].frozen = true; /* spans a chunk's border; lies inside one */
	optim_step(o, c->lr);
	for (int k = 0; k < m->np; k++)
		for (size_t i = 0; i < m->p[k].len; i++)
			ck_assert((m->p[k].x[i] == before->p[k].x[i]) == m->p[k].frozen);
	optim_free(o);
	model_free(m);
	model_free(before);
}
END_TEST

START_TEST(adam_on_a_bare_array)
{
	const struct train_conf *c = &optimisers[4];
	real x[3] = { 1, 2, 3 }, g[3] = { 0.5f, -2, 0 }, m1[3] = { 0 }, m2[3] = { 0 };
	struct state s[3] = { { .x = 1 }, { .x = 2 }, { .x = 3 } };

	for (int t = 1; t <= 5; t++) {
		adam_update(x, g, m1, m2, 3, c->lr, t);
		for (int i = 0; i < 3; i++) {
			reference_adam(c, &s[i], (double)g[i], t);
			ck_assert_double_eq_tol((double)x[i], s[i].x, 1e-6);
		}
	}
	ck_assert(x[2] == 3);
}
END_TEST

START_TEST(schedules)
{
	struct train_conf c = { .epochs = 10, .lr = 0.2, .step_epochs = 4, .step_gamma = 0.1 };

	c.schedule = SCHEDULE_CONSTANT;
	ck_assert_double_eq(schedule_lr(&c, 9, 0.5), 0.2);
	c.schedule = SCHEDULE_STEP;
	ck_assert_double_eq(schedule_lr(&c, 3, 0.99), 0.2);
	ck_assert_double_eq_tol(schedule_lr(&c, 4, 0), 0.02, 1e-15);
	ck_assert_double_eq_tol(schedule_lr(&c, 9, 0), 0.002, 1e-15);
	c.schedule = SCHEDULE_COSINE;
	ck_assert_double_eq(schedule_lr(&c, 0, 0), 0.2);
	ck_assert_double_eq_tol(schedule_lr(&c, 5, 0), 0.1, 1e-15);
	ck_assert_double_eq_tol(schedule_lr(&c, 2, 0.5), 0.1 * (1 + sqrt(0.5)), 1e-15);
	ck_assert_double_lt(schedule_lr(&c, 9, 0.99), 1e-5);
}
END_TEST

START_TEST(recipes)
{
	static const char *const archs_with[] = { "lenet5", "wrn10", "wrn10t", "mlp", "cae", "unet" };
	struct train_conf c;

	for (size_t i = 0; i < ARRAY_LEN(archs_with); i++) {
		struct model_spec s = { .c = 3 };

		strcpy(s.arch, archs_with[i]);
		train_recipe(&c, &s);
		ck_assert_int_eq(c.optimizer, s.arch[0] == 'w' ? OPTIM_SGD : OPTIM_ADAM);
		ck_assert(c.lr == (s.arch[0] == 'w' ? 0.1 : s.arch[0] == 'l' || s.arch[0] == 'm' ? 0.002 : 0.001) && c.crop_pad == (s.arch[0] == 'w' ? 4 : 0));
		ck_assert(c.epochs > 0 && c.batch > 0);
	}
}
END_TEST

/* ---- batches ---- */

/* Batch position i, as the tape sees it, shifted back by (dy,dx) and mirrored back, is image `at` of v. */
static bool matches(const struct node *x, int i, const struct images *v, int at, int dy, int dx, int flip)
{
	float px[2 * SIDE * SIDE];

	images_get(v, at, px);
	for (int k = 0; k < v->c * SIDE * SIDE; k++) {
		int col = flip ? SIDE - 1 - k % SIDE : k % SIDE;
		int sy = k / SIDE % SIDE + dy, sx = col + dx;
		bool inside = sy >= 0 && sy < SIDE && sx >= 0 && sx < SIDE;
		real want = inside ? (real)px[k / (SIDE * SIDE) * SIDE * SIDE + sy * SIDE + sx] : 0;

		if (node_at(x, i, k) != want)
			return false;
	}
	return true;
}

START_TEST(plain_batches_are_the_images)
{
	struct problem p = make_problem(40, 2);
	struct train_conf c = { 0 };
	struct tape *t = tape_new();
	int at[37];
	struct node *x;

	for (int i = 0; i < 37; i++)
		at[i] = 39 - i;
	x = train_gather(t, &p.v, &c, rng_key(1, "augment"), 0, at, 37);
	for (int i = 0; i < 37; i++)
		ck_assert(matches(x, i, &p.v, at[i], 0, 0, 0));
	for (size_t i = 0; i < x->len; i++)
		ck_assert(isfinite(x->x[i]));
	tape_free(t);
	free_problem(&p);
}
END_TEST

/* Every image is one of the crops and mirrors, all of them occur, and it depends on nothing but (epoch, image). */
START_TEST(augmented_batches_are_crops_and_mirrors)
{
	enum { N = 400, PAD = 2, KINDS = (2 * PAD + 1) * (2 * PAD + 1) * 2 };
	struct problem p = make_problem(N, 2);
	struct train_conf c = { .crop_pad = PAD, .flip = 1 };
	struct rng_key key = rng_key(1, "augment");
	struct tape *t = tape_new();
	int at[N], seen[KINDS] = { 0 }, missing = 0, moved = 0;
	struct node *x, *one, *later;

	for (int i = 0; i < N; i++)
		at[i] = i;
	x = train_gather(t, &p.v, &c, key, 3, at, N);
	for (int i = 0; i < N; i++) {
		int kind = 0;

		while (kind < KINDS && !matches(x, i, &p.v, i, kind / 2 / 5 - PAD, kind / 2 % 5 - PAD, kind % 2))
			kind++;
		ck_assert_int_lt(kind, KINDS);
		seen[kind]++;
	}
	for (int k = 0; k < KINDS; k++)
		missing += !seen[k];
	ck_assert_int_le(missing, 3); /* 8 images a kind: 50 exp(-8) = 0.02 are expected to miss */
	for (int i = 0; i < 20; i++) {
		one = train_gather(t, &p.v, &c, key, 3, &at[i], 1);
		later = train_gather(t, &p.v, &c, key, 4, &at[i], 1);
		for (int k = 0; k < 2 * SIDE * SIDE; k++)
			ck_assert(node_at(one, 0, k) == node_at(x, i, k));
		for (int k = 0; k < 2 * SIDE * SIDE; k++)
			moved += node_at(later, 0, k) != node_at(one, 0, k);
	}
	ck_assert_int_gt(moved, 0);
	tape_free(t);
	free_problem(&p);
}
END_TEST

START_TEST(float_images_are_augmented_alike)
{
	struct problem p = make_problem(20, 2);
	struct images w = p.v;
	struct train_conf c = { .crop_pad = 12, .flip = 1 }; /* a crop may miss the image */
	struct tape *t = tape_new();
	float *fx = malloc(20 * 2 * SIDE * SIDE * sizeof(*fx));
	int at[20];
	struct node *a, *b;

	for (int i = 0; i < 20; i++) {
		at[i] = i;
		images_get(&p.v, i, fx + i * 2 * SIDE * SIDE);
	}
	w.px = NULL;
	w.fx = fx;
	a = train_gather(t, &p.v, &c, rng_key(1, "augment"), 0, at, 20);
	b = train_gather(t, &w, &c, rng_key(1, "augment"), 0, at, 20);
	ck_assert_mem_eq(a->x, b->x, a->len * sizeof(*a->x));
	tape_free(t);
	free(fx);
	free_problem(&p);
}
END_TEST

/* ---- the loop ---- */

START_TEST(a_small_problem_is_learnt)
{
	static const struct {
		const char *model;
		int optimizer;
		double lr, smoothing;
	} ways[] = { { "mlp-16", OPTIM_ADAM, 0.01, 0 }, { "mlp-16", OPTIM_SGD, 0.05, 0.1 }, { "wrn10-1", OPTIM_SGD, 0.05, 0 } };
	struct problem p = make_problem(300, 1);
	struct train_stats first, last;
	unsigned char correct[300];

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct model *m = make(ways[i].model, 1);
		struct train_conf c = conf(1, 32, ways[i].optimizer, ways[i].lr);

		c.smoothing = ways[i].smoothing;
		ck_assert_int_eq(train(m, &p.v, &c, 1, NULL, NULL, &first), 0);
		c.epochs = 8;
		ck_assert_int_eq(train(m, &p.v, &c, 2, NULL, NULL, &last), 0);
		ck_assert_double_lt(last.loss, 0.7 * first.loss);
		ck_assert_double_gt(last.accuracy, 0.95);
		ck_assert_int_ge(model_correct(m, &p.v, correct), 285);
		ck_assert_int_eq((int)last.steps, 8 * 10); /* nine full batches and one of 12 */
		ck_assert_double_eq(last.forward_equivalents, 3.0 * 8 * 300);
		model_free(m);
	}
	free_problem(&p);
}
END_TEST

/* Everything that could depend on the order of threads: batch norm, crops, several chunks, a short last batch. */
START_TEST(any_number_of_threads_gives_the_same_bits)
{
	static const char *const kinds[] = { "wrn10-2", "mlp-80" };
	static const int threads[] = { 1, 2, 3, 8 };
	struct problem p = make_problem(150, 2);
	struct train_conf c = conf(2, 64, _i ? OPTIM_ADAM : OPTIM_SGD, 0.01);
	struct train_stats stats, expect = { 0 };
	char hash[65], expect_hash[65] = "";

	c.crop_pad = 1;
	c.flip = 1;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		struct model *m = make(kinds[_i], 2);

		tile_threads(threads[i]);
		ck_assert_int_eq(train(m, &p.v, &c, 9, NULL, NULL, &stats), 0);
		model_hash(m, hash);
		if (!i) {
			expect = stats;
			strcpy(expect_hash, hash);
		}
		ck_assert_str_eq(hash, expect_hash);
		ck_assert_mem_eq(&stats, &expect, sizeof(stats));
		model_free(m);
	}
	free_problem(&p);
}
END_TEST

START_TEST(the_seed_decides)
{
	struct problem p = make_problem(60, 1);
	struct train_conf c = conf(1, 16, OPTIM_ADAM, 0.01);
	char hash[3][65];

	for (int i = 0; i < 3; i++) {
		struct model *m = make("mlp-8", 1);

		ck_assert_int_eq(train(m, &p.v, &c, i == 2 ? 4 : 3, NULL, NULL, NULL), 0);
		model_hash(m, hash[i]);
		model_free(m);
	}
	ck_assert_str_eq(hash[0], hash[1]);
	ck_assert_str_ne(hash[0], hash[2]);
	free_problem(&p);
}
END_TEST

START_TEST(frozen_parameters_stay)
{
	struct problem p = make_problem(60, 1);
	struct train_conf c = conf(2, 16, _i ? OPTIM_ADAM : OPTIM_SGD, 0.01);
	struct model *m = make("mlp-8", 1), *before = model_copy(m);

	c.weight_decay = 0.1;
	m->p[0].frozen = m->p[3].frozen = true;
	ck_assert_int_eq(train(m, &p.v, &c, 1, NULL, NULL, NULL), 0);
	for (int i = 0; i < m->np; i++)
		ck_assert_int_eq(!memcmp(m->p[i].x, before->p[i].x, m->p[i].len * sizeof(real)), m->p[i].frozen);
	model_free(before);
	before = model_copy(m);
	for (int i = 0; i < m->np; i++)
		m->p[i].frozen = true;
	ck_assert_int_eq(train(m, &p.v, &c, 1, NULL, NULL, NULL), 0);
	ck_assert_mem_eq(m->x, before->x, m->nx * sizeof(real));
	model_free(m);
	model_free(before);
	free_problem(&p);
}
END_TEST

START_TEST(soft_labels_that_are_hard_train_alike)
{
	struct problem p = make_problem(64, 1);
	struct images soft = p.v;
	float *rows = calloc(64 * CLASSES, sizeof(*rows));
	struct train_conf c = conf(2, 16, OPTIM_SGD, 0.05);
	struct model *a = make("mlp-8", 1), *b = make("mlp-8", 1);
	struct train_stats sa, sb;

	for (int i = 0; i < 64; i++)
		rows[i * CLASSES + p.labels[i]] = 1;
	soft.soft = rows;
	soft.labels = NULL;
	c.smoothing = 0.1;
	ck_assert_int_eq(train(a, &p.v, &c, 1, NULL, NULL, &sa), 0);
	ck_assert_int_eq(train(b, &soft, &c, 1, NULL, NULL, &sb), 0);
	ck_assert_double_eq_tol(sa.loss, sb.loss, 1e-5);
	ck_assert_double_eq_tol(sa.accuracy, sb.accuracy, 1e-9);
	for (size_t i = 0; i < a->ng; i++)
		ck_assert_double_eq_tol((double)a->x[i], (double)b->x[i], 1e-5);
	free(rows);
	model_free(a);
	model_free(b);
	free_problem(&p);
}
END_TEST

/* ---- hooks ---- */

struct watch {
	int batches, epochs, stop_after;
	double term, last_loss;
};

static double pull(void *ctx, struct model *m)
{
	struct watch *w = ctx;

	w->batches++;
	m->g[0] += 1;
	return w->term;
}

static int epoch_end(void *ctx, struct model *m, int epoch, double loss, double accuracy)
{
	struct watch *w = ctx;

	ck_assert(m && epoch == ++w->epochs && accuracy >= 0 && accuracy <= 1);
	w->last_loss = loss;
	return epoch == w->stop_after;
}

START_TEST(hooks_are_called)
{
	struct problem p = make_problem(50, 1);
	struct train_conf c = conf(5, 50, OPTIM_SGD, 0.25);
	struct model *a = make("mlp-8", 1), *b = make("mlp-8", 1);
	struct watch w = { .stop_after = 1, .term = 2.5 };
	struct train_hooks h = { .ctx = &w, .extra_loss = pull, .epoch_end = epoch_end }, only_end = { .ctx = &w, .epoch_end = epoch_end };
	struct train_stats sa, sb;

	ck_assert_int_eq(train(a, &p.v, &c, 1, NULL, &h, &sa), 0);
	ck_assert(w.batches == 1 && w.epochs == 1);
	ck_assert_double_eq(w.last_loss, sa.loss);
	w.epochs = 0;
	ck_assert_int_eq(train(b, &p.v, &c, 1, NULL, &only_end, &sb), 0);
	ck_assert_double_eq_tol(sa.loss - sb.loss, 2.5, 1e-6);
	/* One step of 0.25 along a gradient larger by 1. */
	ck_assert_double_eq_tol((double)(b->x[0] - a->x[0]), 0.25, 1e-6);
	ck_assert_mem_eq(a->x + 1, b->x + 1, (a->nx - 1) * sizeof(real));
	model_free(a);
	model_free(b);
	free_problem(&p);
}
END_TEST

static struct node *half_entropy(void *ctx, struct node *logits, const int *at, int n)
{
	const struct images *v = ctx;
	int label[64];

	for (int i = 0; i < n; i++)
		label[i] = images_label(v, at[i]);
	return op_scale(op_cross_entropy(logits, label, 0), (real)0.5, 0);
}

/* Half the cross entropy at twice the rate is the cross entropy: the hook's loss is used, and with the right labels. */
START_TEST(a_loss_of_ones_own)
{
	struct problem p = make_problem(64, 1);
	struct train_conf c = conf(2, 16, OPTIM_SGD, 0.25), twice = conf(2, 16, OPTIM_SGD, 0.5);
	struct model *a = make("mlp-8", 1), *b = make("mlp-8", 1);
	struct train_hooks h = { .ctx = &p.v, .loss = half_entropy };
	struct train_stats sa, sb;

	ck_assert_int_eq(train(a, &p.v, &c, 1, NULL, NULL, &sa), 0);
	ck_assert_int_eq(train(b, &p.v, &twice, 1, NULL, &h, &sb), 0);
	ck_assert_mem_eq(a->x, b->x, a->nx * sizeof(real));
	ck_assert_double_eq_tol(sa.loss, 2 * sb.loss, 1e-6);
	ck_assert_double_eq(sa.accuracy, sb.accuracy);
	model_free(a);
	model_free(b);
	free_problem(&p);
}
END_TEST

/* ---- what goes wrong ---- */

START_TEST(divergence_is_an_error)
{
	struct problem p = make_problem(64, 1);
	struct train_conf c = conf(3, 16, OPTIM_SGD, 1e30);
	struct watch w = { .term = NAN };
	struct train_hooks h = { .ctx = &w, .extra_loss = pull };
	struct model *m = make("mlp-8", 1);

	if (_i == 1) {
		c.batch = 64; /* one step an epoch: the damage is in the weights, not yet in a loss */
		c.epochs = 1;
		c.lr = 1e300;
	}
	ck_assert_int_eq(train(m, &p.v, &c, 1, NULL, _i == 2 ? &h : NULL, NULL), -1);
	ck_assert_int_eq(error_code(), EXIT_FAILED_CELLS);
	ck_assert_msg(!strncmp(error_text(), "training diverged: ", 19), "%s", error_text());
	model_free(m);
	free_problem(&p);
}
END_TEST

START_TEST(misfits_are_refused)
{
	struct problem p = make_problem(20, 1);
	struct train_conf c = conf(1, 16, OPTIM_SGD, 0.1);
	struct model *m = make(_i == 4 ? "unet-2" : "mlp-8", 1);
	float soft[20 * 7] = { 0 };

	if (_i == 0)
		p.v.labels = NULL;
	else if (_i == 1)
		p.labels[19] = CLASSES;
	else if (_i == 2)
		p.v.w = 7;
	else if (_i == 3)
		p.v.n = 0;
	else if (_i == 5) {
		p.v.soft = soft;
		p.v.classes = 7;
	}
	ck_assert_int_eq(train(m, &p.v, &c, 1, NULL, NULL, NULL), -1);
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	model_free(m);
	free_problem(&p);
}
END_TEST

START_TEST(an_interrupt_stops_it)
{
	struct problem p = make_problem(64, 1);
	struct train_conf c = conf(1000, 16, OPTIM_SGD, 0.01);
	struct model *m = make("mlp-8", 1);
	struct train_stats stats;

	interrupt_install();
	raise(SIGINT);
	ck_assert_int_eq(train(m, &p.v, &c, 1, NULL, NULL, &stats), -1);
	ck_assert(error_code() == EXIT_SIGINT && stats.steps == 1);
	model_free(m);
	free_problem(&p);
}
END_TEST

Suite *suite_train(void);
Suite *suite_train(void)
{
	Suite *s = suite_create("train");
	TCase *tc = tcase_create("train");

	tcase_set_timeout(tc, 60); /* under sanitizers */
	tcase_add_loop_test(tc, optimisers_follow_pytorch, 0, (int)ARRAY_LEN(optimisers));
	tcase_add_loop_test(tc, optimisers_spare_frozen_parameters, 0, (int)ARRAY_LEN(optimisers));
	tcase_add_test(tc, adam_on_a_bare_array);
	tcase_add_test(tc, schedules);
	tcase_add_test(tc, recipes);
	tcase_add_test(tc, plain_batches_are_the_images);
	tcase_add_test(tc, augmented_batches_are_crops_and_mirrors);
	tcase_add_test(tc, float_images_are_augmented_alike);
	tcase_add_test(tc, a_small_problem_is_learnt);
	tcase_add_loop_test(tc, any_number_of_threads_gives_the_same_bits, 0, 2);
	tcase_add_test(tc, the_seed_decides);
	tcase_add_loop_test(tc, frozen_parameters_stay, 0, 2);
	tcase_add_test(tc, soft_labels_that_are_hard_train_alike);
	tcase_add_test(tc, hooks_are_called);
	tcase_add_test(tc, a_loss_of_ones_own);
	tcase_add_loop_test(tc, divergence_is_an_error, 0, 3);
	tcase_add_loop_test(tc, misfits_are_refused, 0, 6);
	tcase_add_test(tc, an_interrupt_stops_it);
	suite_add_tcase(s, tc);
	return s;
}
