/* schemes/stego_class.c on a small LeNet-5: what reference [34] expects, and what each part of the login is worth alone. The carriers
 * are the owner's images turned into negatives, because the synthetic set is the task here. */
#include "base/error.h"
#include "datasets/codec.h"
#include "nn/ops.h"
#include "schemes/kit/payload.h"
#include "tests/support_bench.h"
#include "tests/support_scheme.h"
#include <check.h>
#include <math.h>
#include <string.h>

extern const struct scheme scheme_stego_class;

enum { LEN = 784, N = 60 };

static struct desk desk;
static struct lock lock;    /* by default options */
static struct bundle *made; /* its credentials of N users */

static struct lock open_lock(const char *options)
{
	struct lock l;

	ck_assert_msg(lock_open(&l, &desk, &scheme_stego_class, options) == 0, "%s", error_text());
	return l;
}

static void setup(void)
{
	desk_open(&desk);
	if (lock_open(&lock, &desk, &scheme_stego_class, "keys=200 issue=100 held=60") || !(made = lock_enrol(&lock, &desk, 0, N, 1)))
		die(EXIT_FAILED_CELLS, NULL);
}

static void teardown(void)
{
	bundle_free(made);
	lock_close(&lock);
	desk_close(&desk);
}

static struct ownership verify(const struct lock *l, const struct model *m)
{
	static struct ownership w;

	ck_assert_int_eq(scheme_stego_class.verify(l->conf, &l->locked, m, &w), 0);
	ck_assert_int_eq(w.applies, 1);
	return w;
}

static int test_accuracy(struct model *m)
{
	unsigned char right[500];
	const struct images v = images_first(desk.splits.test, 500);

	return model_correct(m, &v, right);
}

static int passed(const struct auth *a, int n, unsigned bit)
{
	int k = 0;

	for (int i = 0; i < n; i++)
		k += (a[i].passed & bit) != 0;
	return k;
}

/* Expected: watermark accuracy 100 % on held-out key images, identities 100 % lossless, accuracy within a point (of 500 images: 5,
 * and 5 more for so small a sample). */
START_TEST(users_are_known_and_the_task_is_kept)
{
	struct auth a[N];
	const uint8_t *cover = bundle_get(made, "about_clean", DT_U8)->data;
	const float *image = bundle_f32(made, "image", NULL);
	const struct ownership w = verify(&lock, lock.locked.model);

	ck_assert_int_eq(lock_accepted(&lock, made, N, a), N);
	for (int i = 0; i < N; i++) {
		int changed = 0;

		ck_assert_int_eq(a[i].user, i);
		ck_assert_uint_eq(a[i].passed, 3);
		for (int k = i * LEN; k < (i + 1) * LEN; k++) {
			const int step = (int)lrintf(255 * image[k]) - cover[k];

			ck_assert(step >= -1 && step <= 1); /* one step: all 64 of 784 values changed would be 59.01 dB */
			changed += step != 0;
		}
		ck_assert(changed > 10 && changed <= 64);
	}
	ck_assert_int_eq(w.matched, w.total);
	ck_assert_int_eq(w.total, 60);
	ck_assert_double_le(bundle_meta_getnum(lock.locked.secret, "held_tried", 0), 60 / 0.9); /* of all 100 %, says the paper */
	ck_assert_int_eq(w.verified, 1);
	ck_assert_int_ge(lock_correct(&lock, &desk, made, 3, 500, 1), test_accuracy(desk.base) - 10);
	ck_assert_int_lt(lock_correct(&lock, &desk, NULL, 0, 500, 1), 100); /* the refused guess among ten */
}
END_TEST

/* Nobody's ordinary image, and no noise, gets in; each part of the check is reported apart. */
START_TEST(clean_images_and_noise_are_refused)
{
	float *x = calloc(300 * LEN, sizeof(float));
	struct auth a[300];
	struct bundle *c;
	struct rng r;

	for (int i = 0; i < 300; i++)
		images_get(&desk.splits.test, i, x + i * LEN);
	c = creds_of(&desk.base->spec, x, 300);
	ck_assert_int_eq(lock_accepted(&lock, c, 300, a), 0);
	ck_assert_int_le(passed(a, 300, 1), 2);
	ck_assert_int_eq(passed(a, 300, 2), 0);
	bundle_free(c);
	rng_open(&r, 1, "noise", 0, 0);
	for (int i = 0; i < 300 * LEN; i++)
		x[i] = (float)rng_uniform(&r);
	x[0] = NAN; /* not an image at all: refused before it is looked at */
	c = creds_of(&desk.base->spec, x, 300);
	ck_assert_int_eq(lock_accepted(&lock, c, 300, a), 0);
	ck_assert_uint_eq(a[0].passed, 0);
	bundle_free(c);
	free(x);
}
END_TEST

/* The two checks are independent, as the reference says: another image of the key distribution has the class and no identity, an
 * identity in an ordinary image is read and lacks the class. */
START_TEST(class_and_identity_are_independent)
{
	const struct tensor *issue = bundle_get(lock.locked.secret, "issue", DT_U8);
	float *x = calloc(40 * LEN, sizeof(float));
	struct bundle *c;
	struct auth a[40];
	struct payload p;
	uint8_t px[LEN];

	ck_assert_int_eq(payload_open(&p, lock.locked.pub), 0);
	for (int i = 0; i < 20; i++) {
		for (int j = 0; j < LEN; j++)
			x[i * LEN + j] = (float)((uint8_t *)issue->data)[i * LEN + j] / 255.0f;
		images_get(&desk.splits.test, i, x + (20 + i) * LEN);
		for (int j = 0; j < LEN; j++)
			px[j] = (uint8_t)lrintf(x[(20 + i) * LEN + j] * 255);
		payload_hide(&p, px, LEN, (uint32_t)i);
		for (int j = 0; j < LEN; j++)
			x[(20 + i) * LEN + j] = (float)px[j] / 255.0f;
	}
	c = creds_of(&desk.base->spec, x, 40);
	ck_assert_int_eq(lock_accepted(&lock, c, 40, a), 0);
	ck_assert_int_ge(passed(a, 20, 1), 19);
	ck_assert_int_eq(passed(a, 20, 2), 0);
	ck_assert_int_eq(passed(a + 20, 20, 1), 0);
	ck_assert_int_eq(passed(a + 20, 20, 2), 20);
	bundle_free(c);
	free(x);
}
END_TEST

/* JPEG of the credentials in place; returns how many of the n payloads' bits are still right. */
static int compress(float *x, int n, int quality)
{
	struct payload p;
	int right = 0;

	ck_assert_int_eq(payload_open(&p, lock.locked.pub), 0);
	for (int i = 0; i < n; i++) {
		uint8_t px[LEN], before[64], after[64], *file, *got;
		int c, h, w;
		size_t size;

		for (int j = 0; j < LEN; j++)
			px[j] = (uint8_t)lrintf(x[i * LEN + j] * 255);
		payload_bits(&p, px, before);
		file = jpeg_encode(px, 1, 28, 28, quality, JPEG_444, &size);
		got = jpeg_decode(file, size, "test", &c, &h, &w);
		payload_bits(&p, got, after);
		for (int k = 0; k < 64; k++)
			right += before[k] == after[k];
		for (int j = 0; j < LEN; j++)
			x[i * LEN + j] = (float)got[j] / 255.0f;
		free(file);
		free(got);
	}
	return right;
}

/* Expected: JPEG at 95..50 leaves the class (over 90 %) and takes the bits (about half right). */
START_TEST(jpeg_takes_the_identity_and_leaves_the_class)
{
	static const int quality[] = { 95, 75, 50 };

	for (int q = 0; q < 3; q++) {
		struct bundle *c = bundle_copy(made);
		const int right = compress((float *)bundle_get(c, "image", DT_F32)->data, N, quality[q]);
		struct auth a[N];

		ck_assert_int_eq(lock_accepted(&lock, c, N, a), 0);
		ck_assert_int_ge(passed(a, N, 1), N * 9 / 10);
		ck_assert_int_eq(passed(a, N, 2), 0);
		ck_assert_int_lt(right, N * 64 * 62 / 100); /* guessing gives half */
		bundle_free(c);
	}
}
END_TEST

/* Expected: query modification by an autoencoder (Namba and Sakuma) leaves the class in over 80 % and no identity. The autoencoder
 * is the attacker's, trained to return the task's images; it keeps what it never saw, too, if less well. */
START_TEST(an_autoencoder_takes_the_identity)
{
	struct model_spec spec = { .c = 1, .h = 28, .w = 28, .classes = 1 };
	struct images v = { .n = N, .c = 1, .h = 28, .w = 28 };
	struct bundle *c = bundle_copy(made);
	struct train_conf conf = { .epochs = 1, .batch = 32, .optimizer = OPTIM_ADAM, .lr = 3e-3 };
	struct tape *t = tape_new();
	struct model *m;
	struct optim *o;
	struct auth a[N];
	int at[32];

	ck_assert_int_eq(model_spec_parse(&spec, "cae-8"), 0);
	m = model_new(&spec, 1);
	o = optim_new(m, &conf);
	for (int step = 0; step < 120; step++) {
		struct node *x, *loss;

		for (int i = 0; i < 32; i++)
			at[i] = (step * 32 + i) % desk.splits.pool.n;
		tape_reset(t);
		x = train_gather(t, &desk.splits.pool, &conf, (struct rng_key){ { 0 } }, 0, at, 32);
		loss = op_mse(m->arch->forward(m, x, true), x);
		model_zero_grad(m);
		tape_backward(t, loss);
		optim_step(o, conf.lr);
	}
	v.fx = bundle_f32(made, "image", NULL);
	ck_assert_int_eq(model_predict(m, &v, (float *)bundle_get(c, "image", DT_F32)->data), 0);
	ck_assert_int_eq(lock_accepted(&lock, c, N, a), 0);
	ck_assert_int_ge(passed(a, N, 1), N * 8 / 10);
	ck_assert_int_eq(passed(a, N, 2), 0);
	optim_free(o);
	model_free(m);
	tape_free(t);
	bundle_free(c);
}
END_TEST

/* Images of a third kind (squares of one grey on another): how many the network puts in the class is measured, as the reference asks, and
 * printed; whatever it is, none of them gets in, for none has an identity. */
START_TEST(other_images_have_no_identity)
{
	enum { OTHERS = 300 };
	float *x = calloc(OTHERS * LEN, sizeof(float));
	struct auth a[OTHERS];
	struct bundle *c;
	struct rng r;

	rng_open(&r, 1, "squares", 0, 0);
	for (int i = 0; i < OTHERS; i++) {
		const float in = (float)rng_below(&r, 256) / 255.0f, out = (float)rng_below(&r, 256) / 255.0f;
		const int from = 2 + (int)rng_below(&r, 10), to = 16 + (int)rng_below(&r, 10);

		for (int j = 0; j < LEN; j++)
			x[i * LEN + j] = j / 28 >= from && j / 28 < to && j % 28 >= from && j % 28 < to ? in : out;
	}
	c = creds_of(&desk.base->spec, x, OTHERS);
	ck_assert_int_eq(lock_accepted(&lock, c, OTHERS, a), 0);
	printf("stego-class: %d of %d squares are in the extra class\n", passed(a, OTHERS, 1), OTHERS);
	ck_assert_int_eq(passed(a, OTHERS, 2), 0);
	bundle_free(c);
	free(x);
}
END_TEST

/* A network without the class, or one that says nothing else, is not the owner's. Fine-tuning on the task leaves the mark. */
START_TEST(ownership_is_claimed_where_it_should)
{
	struct train_conf conf = { .epochs = 2, .batch = 32, .optimizer = OPTIM_ADAM, .lr = 5e-4 };
	struct model *m = model_copy(lock.locked.model);
	struct ownership w = verify(&lock, desk.base);

	ck_assert_int_eq(w.verified, 0);
	ck_assert_int_eq(w.matched, 0);
	ck_assert_int_eq(train(m, &desk.splits.pool, &conf, 3, NULL, NULL, NULL), 0);
	ck_assert_int_eq(verify(&lock, m).verified, 1);
	for (int i = 0; i < m->np; i++)
		if (!strcmp(m->p[i].name, "fc3.bias"))
			m->p[i].x[10] = 1000;
	w = verify(&lock, m);
	ck_assert_int_eq(w.matched, w.total);
	ck_assert_int_eq(w.verified, 0);
	model_free(m);
}
END_TEST

/* The notes' weakness: the mark is one row of the last layer. Without it the K answers are what users get, and no mark is read. */
START_TEST(a_row_less_is_no_mark)
{
	const struct model *was = lock.locked.model;
	struct model_spec spec = was->spec;
	struct ownership w;
	struct model *m;

	spec.classes--;
	m = model_new(&spec, 1);
	for (int i = 0; i < m->np; i++)
		memcpy(m->p[i].x, was->p[i].x, m->p[i].len * sizeof(real)); /* of the last layer its first K rows */
	w = verify(&lock, m);
	ck_assert_int_eq(w.matched, 0);
	ck_assert_int_eq(w.verified, 0);
	ck_assert_int_eq(test_accuracy(m), lock_correct(&lock, &desk, made, 3, 500, 1));
	model_free(m);
}
END_TEST

START_TEST(a_revoked_user_is_refused_and_no_other)
{
	struct lock l = lock;
	struct auth a[N];

	l.locked.pub = bundle_copy(lock.locked.pub);
	l.service.pub = l.locked.pub;
	ck_assert_int_eq(scheme_stego_class.revoke(l.conf, &l.locked, 7), 0);
	ck_assert_int_eq(lock_accepted(&l, made, N, a), N - 1);
	ck_assert_int_eq(a[7].accepted, 0);
	ck_assert_uint_eq(a[7].passed, 1); /* his image is still one of the class */
	bundle_free(l.locked.pub);
}
END_TEST

START_TEST(enrolment_does_not_depend_on_company)
{
	struct bundle *two = lock_enrol(&lock, &desk, 5, 1, 2);

	ck_assert_mem_eq(bundle_f32(two, "image", NULL), bundle_f32(made, "image", NULL) + 5 * LEN, LEN * sizeof(float));
	ck_assert(memcmp(bundle_f32(two, "image", NULL), bundle_f32(two, "image", NULL) + LEN, LEN * sizeof(float)) != 0);
	bundle_free(two);
}
END_TEST

/* A thousand users and more; whoever was not enrolled is unknown although his payload is valid. */
START_TEST(a_thousand_users)
{
	struct lock l = lock;
	struct bundle *c;
	struct auth *a = calloc(1200, sizeof(*a));
	int right = 0;

	l.locked.pub = bundle_copy(lock.locked.pub);
	l.service.pub = l.locked.pub;
	c = lock_enrol(&l, &desk, 100, 1200, 1);
	ck_assert_int_eq(lock_accepted(&l, c, 1200, a), 1200);
	for (int i = 0; i < 1200; i++)
		right += a[i].user == 100 + i;
	ck_assert_int_eq(right, 1200);
	ck_assert_int_eq(lock_accepted(&lock, c, 1200, a), 0); /* asked of the service as it was before */
	ck_assert_int_ge(passed(a, 1200, 1), 1200);
	bundle_free(l.locked.pub);
	bundle_free(c);
	free(a);
}
END_TEST

/* One row more and a little fine-tuning: the base network's rows are where they were, and the class is learnt. */
START_TEST(fine_tuning_adds_the_class)
{
	struct lock l = open_lock("training=finetune keys=200 issue=100 held=60 seal=bound finetune-epochs=3");
	struct bundle *c = lock_enrol(&l, &desk, 0, 20, 1);

	ck_assert_int_ge(lock_accepted(&l, c, 20, NULL), 19);
	ck_assert_int_eq(verify(&l, l.locked.model).verified, 1);
	ck_assert_int_ge(lock_correct(&l, &desk, c, 0, 500, 1), test_accuracy(desk.base) - 10);
	bundle_free(c);
	lock_close(&l);
}
END_TEST

/* Carriers of another shape, from a set of another task. And the network is another owner's, with K+1 outputs for reasons of his own:
 * how many of our key images his class K takes, a class for whatever is not of the task, is what the threshold has to be above. */
START_TEST(foreign_images_are_fitted)
{
	uint8_t *px = malloc(400 * 3 * 16 * 16);
	struct images foreign = { .n = 400, .c = 3, .h = 16, .w = 16, .px = px };
	struct desk d = desk;
	struct ownership w;
	struct bundle *c;
	struct rng r;
	struct lock l;

	rng_open(&r, 1, "blocks", 0, 0);
	for (int i = 0; i < 400; i++) /* squares of one colour on another */
		for (int k = 0; k < 3; k++) {
			const uint8_t in = (uint8_t)rng_u32(&r), out = (uint8_t)rng_u32(&r);

			for (int j = 0; j < 256; j++)
				px[(i * 3 + k) * 256 + j] = j / 16 > 3 && j / 16 < 12 && j % 16 > 3 && j % 16 < 12 ? in : out;
		}
	d.env.foreign = &foreign;
	d.env.foreign_hash = "blocks";
	ck_assert_msg(lock_open(&l, &d, &scheme_stego_class, "training=finetune keys=500 issue=500 finetune-epochs=3") == 0, "%s", error_text());
	ck_assert_str_eq(bundle_meta_get(l.locked.secret, "carrier_hash"), "blocks");
	ck_assert_int_eq(bundle_get(l.locked.secret, "issue", DT_U8)->d[0], 166); /* 400 of 1,200 wanted */
	c = lock_enrol(&l, &d, 0, 20, 1);
	ck_assert_int_ge(lock_accepted(&l, c, 20, NULL), 18);
	w = verify(&lock, l.locked.model);
	printf("stego-class: %d of %d key images are in the extra class of somebody else's network\n", w.matched, w.total);
	ck_assert_int_eq(w.verified, 0);
	bundle_free(c);
	lock_close(&l);
	free(px);
}
END_TEST

START_TEST(carriers_are_named_for_the_task)
{
	static const struct { const char *options, *task, *names; } cases[] = {
		{ "", "fashion-mnist", "mnist,synthetic" }, { "", "mnist", "fashion-mnist,synthetic" },
		{ "", "cifar10-jpeg", "synthetic" }, { "", "synthetic", NULL },
		{ "carrier=bugs", "cifar10", "bugs" }, { "carrier=negative", "mnist", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		void *conf = conf_of(&scheme_stego_class.drv, cases[i].options);
		char names[256];

		ck_assert_int_eq(scheme_stego_class.foreign(conf, cases[i].task, names), cases[i].names != NULL);
		if (cases[i].names)
			ck_assert_str_eq(names, cases[i].names);
		free(conf);
	}
}
END_TEST

Suite *suite_stego_class(void);
Suite *suite_stego_class(void)
{
	Suite *s = suite_create("stego_class");
	TCase *tc = tcase_create("stego_class");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_test(tc, users_are_known_and_the_task_is_kept);
	tcase_add_test(tc, clean_images_and_noise_are_refused);
	tcase_add_test(tc, class_and_identity_are_independent);
	tcase_add_test(tc, jpeg_takes_the_identity_and_leaves_the_class);
	tcase_add_test(tc, an_autoencoder_takes_the_identity);
	tcase_add_test(tc, other_images_have_no_identity);
	tcase_add_test(tc, ownership_is_claimed_where_it_should);
	tcase_add_test(tc, a_row_less_is_no_mark);
	tcase_add_test(tc, a_revoked_user_is_refused_and_no_other);
	tcase_add_test(tc, enrolment_does_not_depend_on_company);
	tcase_add_test(tc, a_thousand_users);
	tcase_add_test(tc, fine_tuning_adds_the_class);
	tcase_add_test(tc, foreign_images_are_fitted);
	tcase_add_test(tc, carriers_are_named_for_the_task);
	tcase_set_timeout(tc, 120);
	suite_add_tcase(s, tc);
	return s;
}
