/* schemes/sample_specific/ on a small LeNet-5 with identities of 15 bits and little training: what reference [36] expects, in size
 * what a minute's training gives; docs/schemes/sample-specific.md has the figures of real training. */
#include "base/error.h"
#include "base/tile.h"
#include "metrics/image/imagequality.h"
#include "schemes/sample_specific/sample_specific_hider.h"
#include "tests/support_bench.h"
#include "tests/support_scheme.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

extern const struct scheme scheme_sample_specific;

enum { LEN = 784, USERS = 12, N = 300, BITS = 15 };
#define SMALL "code=bch15-7 steps=450 warmup=100 residual=10 critic=0 preset=two-stage"
/* fresh: so few epochs of two-stage training do not make the unprotected network forget clean images */
static const char small[] = SMALL " start=fresh";

static struct desk desk;
static struct lock lock;
static struct bundle *creds; /* of USERS users, one each */

static void setup(void)
{
	desk_open(&desk);
	if (lock_open(&lock, &desk, &scheme_sample_specific, small) || !(creds = lock_enrol(&lock, &desk, 0, USERS, 1)))
		die(EXIT_FAILED_CELLS, NULL);
}

static void teardown(void)
{
	bundle_free(creds);
	lock_close(&lock);
	desk_close(&desk);
}

static int base_correct(void)
{
	unsigned char right[N];
	const struct images v = images_first(desk.splits.test, N);

	return model_correct(desk.base, &v, right);
}

/* The first n test images as user `at` sends them. */
static float *sent(int at, int n)
{
	const struct images v = images_first(desk.splits.test, n);
	float *x = service_sent(&lock.service, creds, at, &v);

	ck_assert_msg(x != NULL, "%s", error_text());
	return x;
}

/* Right answers of the locked network to images x. */
static int answers(const float *x, int n)
{
	const struct images v = { .n = n, .c = 1, .h = 28, .w = 28, .classes = 10, .fx = x };
	float *probs = calloc((size_t)n * 10, sizeof(*probs));
	int top, right = 0;

	ck_assert_int_eq(service_probs(lock.locked.model, &v, 10, probs), 0);
	for (int i = 0; i < n; i++) {
		argmax_rows(probs + i * 10, 1, 10, &top);
		right += top == images_label(&desk.splits.test, i);
	}
	free(probs);
	return right;
}

/* Expected: authorised within 3 points of the base (here 9, after little training), without the encoder chance + 2 (here + 5). */
START_TEST(the_encoder_is_the_key)
{
	for (int u = 0; u < USERS; u += 5) /* bits were drawn anew for each image of the training: any user's encoder unlocks */
		ck_assert_int_ge(lock_correct(&lock, &desk, creds, u, N, 1), base_correct() - N * 9 / 100);
	ck_assert_int_le(lock_correct(&lock, &desk, NULL, 0, N, 1), N * 15 / 100);
}
END_TEST

/* What is sent are 8-bit images close to the originals, different for each user. The notes' sanity targets, 28 dB and SSIM 0.95, are
 * for the full training: the page has those figures; here 20 dB and 0.7. */
START_TEST(residuals_are_small_and_personal)
{
	float *a = sent(0, 50), *b = sent(1, 50), was[LEN];
	double square = 0, ssim = 0;
	int differ = 0;

	for (int i = 0; i < 50; i++) {
		images_get(&desk.splits.test, i, was);
		ssim += image_ssim(was, a + i * LEN, 1, 28, 28) / 50;
		for (int j = 0; j < LEN; j++) {
			const double d = (double)a[i * LEN + j] - (double)was[j];

			square += d * d;
			differ += a[i * LEN + j] != b[i * LEN + j];
			ck_assert(a[i * LEN + j] == (float)lrintf(a[i * LEN + j] * 255) / 255.0f);
		}
	}
	printf("sample-specific: PSNR %.1f dB, SSIM %.3f\n", 10 * log10(50.0 * LEN / square), ssim);
	ck_assert_double_ge(10 * log10(50.0 * LEN / square), 20);
	ck_assert_double_ge(ssim, 0.7);
	ck_assert_int_gt(differ, 50 * LEN / 20);
	free(a);
	free(b);
}
END_TEST

/* Expected: 99 % of the bits (here 98), users by the code and a vote 100 %; unprepared queries name nobody in particular. */
START_TEST(queries_name_their_senders)
{
	const uint8_t *truth = bundle_u8(creds, "about_bits", NULL);
	int bits = 0, named = 0;
	struct traced t[40];

	for (int u = 0; u < USERS; u++) {
		float *x = sent(u, 40);
		int votes = 0;

		ck_assert_int_eq(scheme_sample_specific.trace(lock.conf, &lock.locked, x, 40, t), 0);
		for (int i = 0; i < 40; i++) {
			ck_assert_int_eq(t[i].nbits, BITS);
			for (int b = 0; b < BITS; b++)
				bits += t[i].bit[b] == truth[u * BITS + b];
			votes += t[i].user == u;
		}
		ck_assert_int_gt(votes, 30);
		named += votes;
		free(x);
	}
	ck_assert_int_ge(bits, USERS * 40 * BITS * 98 / 100);
	ck_assert_int_ge(named, USERS * 40 * 97 / 100);
}
END_TEST

/* Words of the code, all different; a user's encoder is the same for all his credentials and whoever is enrolled with him. */
START_TEST(credentials_are_words_of_the_code)
{
	struct bundle *two = lock_enrol(&lock, &desk, 5, 1, 2);
	const size_t len = (size_t)bundle_get(two, "planes", DT_F32)->d[1];
	const uint8_t *bits = bundle_u8(creds, "about_bits", NULL);

	ck_assert_mem_eq(bundle_f32(two, "planes", NULL), bundle_f32(creds, "planes", NULL) + 5 * len, len * sizeof(float));
	ck_assert_mem_eq(bundle_f32(two, "planes", NULL), bundle_f32(two, "planes", NULL) + len, len * sizeof(float));
	bundle_free(two);
	for (int u = 0; u < USERS; u++)
		for (int v = 0; v < u; v++) {
			int distance = 0;

			for (int b = 0; b < BITS; b++)
				distance += bits[u * BITS + b] != bits[v * BITS + b];
			ck_assert_int_ge(distance, 5); /* corrects two errors */
		}
	ck_assert_int_eq(scheme_sample_specific.users(lock.conf, 10), 30);
	ck_assert_double_eq(scheme_sample_specific.users_analytic(lock.conf, 10), 128);
	ck_assert_ptr_null(lock_enrol(&lock, &desk, 128, 1, 1));
	error_clear();
}
END_TEST

/* A thousand users under the default code: other words, no training. */
START_TEST(a_thousand_users)
{
	void *conf = conf_of(&scheme_sample_specific.drv, "users=1000");

	ck_assert_int_eq(scheme_sample_specific.users(conf, 10), 1000);
	ck_assert_double_eq(scheme_sample_specific.users_analytic(conf, 10), 65536);
	free(conf);
}
END_TEST

/* Keys of somebody who knows the scheme but holds an untrained encoder open nothing: no better than no key, within the sample's
 * noise and what it costs to be far from all training images. */
START_TEST(untrained_encoders_open_nothing)
{
	struct bundle *wrong = bundle_new();
	const struct tensor *u;

	ck_assert_int_eq(scheme_sample_specific.wrong_keys(&lock.service, 1, 4, wrong), 0);
	for (int i = 0; i < wrong->nt; i++) { /* they have the form of issued ones */
		u = bundle_get(creds, wrong->t[i].name, wrong->t[i].dtype);
		ck_assert_msg(u != NULL, "%s", wrong->t[i].name);
		ck_assert_int_eq(u->d[1], wrong->t[i].d[1]);
	}
	for (int i = 0; i < 4; i++)
		ck_assert_int_le(lock_correct(&lock, &desk, wrong, i, N, 1), base_correct() / 2);
	bundle_free(wrong);
}
END_TEST

/* Expected by the paper: the residual of one image, pasted on others, leaves accuracy low. Here it is measured that it opens no
 * more than the encoder itself, and that what it opens is known: without option cross the residual is not very specific. */
START_TEST(a_transplanted_residual_is_worth_less_than_the_encoder)
{
	float *x = sent(0, N), was[LEN], delta[LEN], *pasted = malloc(N * LEN * sizeof(float));
	const int own = answers(x, N);
	int best = 0;

	for (int donor = 0; donor < 3; donor++) {
		images_get(&desk.splits.test, donor, was);
		for (int j = 0; j < LEN; j++)
			delta[j] = x[donor * LEN + j] - was[j];
		for (int i = 0; i < N; i++) {
			images_get(&desk.splits.test, i, was);
			for (int j = 0; j < LEN; j++)
				pasted[i * LEN + j] = fminf(fmaxf(was[j] + delta[j], 0), 1);
		}
		best = answers(pasted, N) > best ? answers(pasted, N) : best;
	}
	ck_assert_int_le(best, own);
	free(pasted);
	free(x);
}
END_TEST

/* Preset joint with the next class as wrong label: as good a lock by its raw accuracy, and undone by a map of the classes that a few
 * labelled answers give, which fresh random labels are not. */
START_TEST(fixed_wrong_labels_are_inverted)
{
	const struct images v = images_first(desk.splits.test, N);
	char options[128];
	float *probs = calloc(N * 10, sizeof(*probs));
	int top[N], shifted = 0, raw = 0;
	struct lock l;

	snprintf(options, sizeof(options), "%s preset=joint wrong=fixed steps=700", small);
	ck_assert_msg(lock_open(&l, &desk, &scheme_sample_specific, options) == 0, "%s", error_text());
	for (int which = 0; which < 2; which++) {
		ck_assert_int_eq(service_query(which ? &lock.service : &l.service, NULL, 0, &v, 1, probs), 0);
		argmax_rows(probs, N, 10, top);
		raw = shifted = 0;
		for (int i = 0; i < N; i++) {
			raw += top[i] == images_label(&v, i);
			shifted += (top[i] + 9) % 10 == images_label(&v, i);
		}
		ck_assert_int_le(raw, N * 15 / 100);
		if (which)
			ck_assert_int_le(shifted, N * 25 / 100);
		else
			ck_assert_int_ge(shifted, N * 70 / 100);
	}
	free(probs);
	lock_close(&l);
}
END_TEST

/* ---- the hider alone ---- */

static struct hider_conf tiny(int steps, int bits)
{
	return (struct hider_conf){ .bits = bits, .planes = 4, .width = 6, .steps = steps, .batch = 32, .warmup = 30, .lr = 1e-3,
				    .residual = 5, .message = 1.5 };
}

/* An encoder that has learnt nothing is an error, not a lock that everybody opens. */
START_TEST(nothing_learnt_is_an_error)
{
	struct lock l;

	ck_assert_int_eq(lock_open(&l, &desk, &scheme_sample_specific, "steps=5"), -1);
	ck_assert_int_eq(error_code(), EXIT_FAILED_CELLS);
	ck_assert_ptr_nonnull(strstr(error_text(), "misread"));
	error_clear();
}
END_TEST

/* Where half of the steps have taught nothing it starts again from other values, three times in all: three times 1 and three times 2
 * steps are paid for, not 2 and 5. (Seed 2 of Fashion-MNIST needs it.) */
START_TEST(an_encoder_that_learns_nothing_starts_again)
{
	double spent[2] = { 0 };

	for (int k = 0; k < 2; k++) {
		const struct hider_conf c = tiny(k ? 5 : 2, 8);
		struct lock_env e = desk.env;
		struct hider h = { 0 };

		e.forward_equivalents = &spent[k];
		ck_assert_int_eq(hider_train(&h, &c, &e, NULL), -1);
		ck_assert(!h.unet && !h.dense && !h.reader);
		error_clear();
	}
	ck_assert_double_eq_tol(spent[1], 2 * spent[0], 1e-9 * spent[1]);
}
END_TEST

/* A classifier whose ReLUs die is trained again from other values at half the rate, three times in all; then it is an error. A rate of
 * 0.6 is too much at any half of it. */
START_TEST(a_dead_classifier_is_an_error)
{
	struct desk d = desk;
	double spent = 0;
	struct lock l;

	d.recipe.lr = 0.6;
	d.recipe.epochs = 4;
	d.env.recipe = &d.recipe;
	d.env.forward_equivalents = &spent;
	ck_assert_int_eq(lock_open(&l, &d, &scheme_sample_specific, small), -1);
	ck_assert_int_eq(error_code(), EXIT_FAILED_CELLS);
	ck_assert_msg(strstr(error_text(), "learnt nothing in 3") != NULL, "%s", error_text());
	ck_assert_double_ge(spent, 3.0 * 3 * 2 * desk.splits.owner.n); /* three attempts of an epoch, forward and backward */
	error_clear();
}
END_TEST

/* start=base: at a rate of 0 the lock is the unprotected network, and start=fresh a network that knows nothing. */
START_TEST(training_begins_with_the_unprotected_network)
{
	for (int k = 0; k < 2; k++) {
		struct desk d = desk;
		struct lock l;
		int ret;

		d.recipe.lr = 0;
		d.env.recipe = &d.recipe;
		ret = lock_open(&l, &d, &scheme_sample_specific, k ? small : SMALL " start=base");
		ck_assert_msg(ret == -k, "%s", error_text());
		if (k) {
			ck_assert_msg(strstr(error_text(), "learnt nothing in 3") != NULL, "%s", error_text());
			error_clear();
			continue;
		}
		ck_assert_mem_eq(l.locked.model->x, desk.base->x, desk.base->nx * sizeof(real));
		lock_close(&l);
	}
}
END_TEST

/* With every loss at work, two threads and one give the same bits. */
START_TEST(threads_change_nothing)
{
	struct hider_conf c = tiny(160, 2);
	unsigned long hash[2][3];

	c.perceptual = 1;
	c.critic = 0.5;
	for (int k = 0; k < 2; k++) {
		struct hider h = { 0 };

		tile_threads(k + 1);
		ck_assert_msg(hider_train(&h, &c, &desk.env, NULL) == 0, "%s", error_text());
		hash[k][0] = model_bits(h.unet);
		hash[k][1] = model_bits(h.dense);
		hash[k][2] = model_bits(h.reader);
		hider_release(&h);
	}
	tile_threads(1);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(hash[0][i], hash[1][i]);
}
END_TEST

/* The residual's weight is for 784 values and falls with the images' size, or colour images would hide it better than grey ones (the page's
 * table). */
START_TEST(larger_images_show_as_much)
{
	struct hider_conf c = tiny(1, 8);

	c.residual = 50;
	ck_assert_double_eq(hider_residual_weight(&c, 1, 28, 28), 50);
	ck_assert_double_eq_tol(hider_residual_weight(&c, 3, 32, 32), 12.76, 0.001);
}
END_TEST

/* Expected: 95 % of the bits survive JPEG at 75 when it was in training. (When it was not, 67 % on Fashion-MNIST: the page has
 * it; at this size the residual is too coarse to lose.) */
START_TEST(jpeg_in_training_is_survived)
{
	const struct images v = images_first(desk.splits.test, 100);
	struct hider_conf c = tiny(300, 8);
	uint8_t bit[100 * 8], got[100 * 8];
	float *planes = calloc(100 * 196, sizeof(float)), *x = calloc(100 * LEN, sizeof(float));
	struct hider h = { 0 };
	struct rng r;
	int right = 0;

	c.jpeg = 60;
	ck_assert_msg(hider_train(&h, &c, &desk.env, NULL) == 0, "%s", error_text());
	rng_open(&r, 1, "bits", 0, 0);
	for (int i = 0; i < 800; i++)
		bit[i] = rng_u32(&r) & 1;
	ck_assert_int_eq(hider_fold(h.dense, bit, 100, planes), 0);
	ck_assert_int_eq(hider_apply(h.unet, &v, planes, 196, x), 0);
	ck_assert_int_eq(hider_jpeg(x, 100, 1, 28, 28, 75), 0);
	ck_assert_int_eq(hider_read(h.reader, x, 100, got), 0);
	for (int i = 0; i < 800; i++)
		right += got[i] == bit[i];
	ck_assert_int_ge(right, 800 * 95 / 100);
	hider_release(&h);
	free(planes);
	free(x);
}
END_TEST

Suite *suite_sample_specific(void);
Suite *suite_sample_specific(void)
{
	Suite *s = suite_create("sample_specific");
	TCase *tc = tcase_create("sample_specific");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_encoder_is_the_key);
	tcase_add_test(tc, residuals_are_small_and_personal);
	tcase_add_test(tc, queries_name_their_senders);
	tcase_add_test(tc, credentials_are_words_of_the_code);
	tcase_add_test(tc, a_thousand_users);
	tcase_add_test(tc, untrained_encoders_open_nothing);
	tcase_add_test(tc, a_transplanted_residual_is_worth_less_than_the_encoder);
	tcase_add_test(tc, fixed_wrong_labels_are_inverted);
	tcase_add_test(tc, nothing_learnt_is_an_error);
	tcase_add_test(tc, an_encoder_that_learns_nothing_starts_again);
	tcase_add_test(tc, a_dead_classifier_is_an_error);
	tcase_add_test(tc, training_begins_with_the_unprotected_network);
	tcase_add_test(tc, threads_change_nothing);
	tcase_add_test(tc, larger_images_show_as_much);
	tcase_add_test(tc, jpeg_in_training_is_survived);
	tcase_set_timeout(tc, 200);
	suite_add_tcase(s, tc);
	return s;
}
