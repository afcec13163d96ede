/* attacks/query/replay.c, attacks/query/surrogate_encoder.c: what one pair unlocks, what many do, and what neither does. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "tests/support_pairs.h"

static struct world twin, stamp;

static void setup(void)
{
	pairs_open(&twin, PAIRS_TWIN);
	pairs_open(&stamp, PAIRS_STAMP);
}

static void teardown(void)
{
	world_close(&twin);
	world_close(&stamp);
}

/* A service that keeps what it is sent. */
struct eavesdropper {
	struct asked k; /* first */
	float *sent, probs[10];
};

static int overhear(struct asked *k, const struct images *v, float *probs)
{
	struct eavesdropper *e = (struct eavesdropper *)k;

	images_get(v, 0, e->sent);
	memset(probs, 0, sizeof(e->probs));
	return 0;
}

/* Right answers to users of the world. */
static int authorised(const struct world *w)
{
	struct observations o = { 0 };
	const char *verdict;
	char why[256];
	int right;

	ck_assert_msg(evaluate(&w->setup, NULL, &o, &verdict, why) == 0, "%s", error_text());
	right = (int)obs_get(&o, "authorised_correct", 'b')->k;
	obs_release(&o);
	return right;
}

/* The same trigger in every image: one pair is enough, and its residuals are alike. Averaged over images, too. */
START_TEST(one_pair_unlocks_a_static_trigger)
{
	const int right = authorised(&stamp), locked = pairs_right(&stamp, "replay", "pairs=0", NULL, NULL, NULL);
	double same;

	ck_assert_int_gt(right, locked + 30);
	ck_assert_int_ge(pairs_right(&stamp, "replay", "pairs=1", NULL, NULL, NULL), right - 15);
	ck_assert_int_ge(pairs_right(&stamp, "replay", "pairs=50 method=mean", NULL, "sameness", &same), right - 10);
	ck_assert_double_gt(same, 0.8);
}
END_TEST

/* A residual that depends on the image: one pair unlocks nothing else, nor does an average or a filter, which knows no odd and even; a
 * network learns it from a hundred. */
START_TEST(a_network_learns_what_replay_cannot)
{
	const int right = authorised(&twin), locked = pairs_right(&twin, "replay", "pairs=0", NULL, NULL, NULL);
	struct ledger l = { 0 };
	double same;

	ck_assert_int_gt(right, locked + 30);
	ck_assert_int_le(pairs_right(&twin, "replay", "pairs=1", NULL, NULL, NULL), locked + 15);
	ck_assert_int_le(pairs_right(&twin, "replay", "pairs=100 method=mean", NULL, "sameness", &same), locked + 15);
	ck_assert_double_lt(same, 0.2);
	ck_assert_int_ge(pairs_right(&twin, "surrogate-encoder", "pairs=100 steps=300 epochs=1 width=4", &l, NULL, NULL), right - 20);
	ck_assert(l.queries == 0 && l.labels == 0 && l.forward_equivalents > 100);
	ck_assert_int_eq(pairs_right(&twin, "surrogate-encoder", "pairs=0", NULL, NULL, NULL), locked);
}
END_TEST

/* The residual that is added to an image of the pool is its own: that of the first pair, or the nearest one's. */
START_TEST(an_own_image_is_prepared_as_its_client_would)
{
	const struct images *pool = &twin.splits.pool;
	struct product p;
	float x[784], sent[784], want[784];

	run_attack(&twin, "replay", "pairs=20 method=nearest", NULL, &p);
	for (int i = 0; i < 20; i += 7) {
		struct images one = { .n = 1, .c = 1, .h = 28, .w = 28, .classes = 10, .fx = x };
		struct eavesdropper ear = { .k = { .query = overhear }, .sent = sent };

		images_get(pool, i, x);
		ck_assert_int_eq(twin.setup.scheme->prepare(NULL, NULL, 0, &one, want), 0);
		ck_assert_int_eq(p.answer(&p, &ear.k, &one, ear.probs), 0);
		for (int k = 0; k < 784; k++)
			ck_assert_float_eq_tol(sent[k], want[k], 1e-6f);
	}
	product_release(&p);
}
END_TEST

/* A residual with one component, which is stronger the brighter the image is: found from 40 pairs to within rounding, for images that are no
 * pair's; a mean of the pairs would give each the same. */
START_TEST(components_depend_on_the_image)
{
	const struct attack *a = attack_named("replay");
	void *conf = conf_of(&a->drv, "pairs=40 method=pca rank=1");
	float plain[50 * 784], keyed[40 * 784];
	struct access access = { .c = 1, .h = 28, .w = 28, .classes = 10 };
	struct product p = { 0 };
	double worst = 0;
	struct rng r;

	rng_open(&r, 3, "components", 0, 0);
	for (int i = 0; i < 50; i++) {
		const double bright = 0.1 + 0.4 * rng_uniform(&r);

		for (int k = 0; k < 784; k++)
			plain[i * 784 + k] = (float)(bright * (0.5 + 0.5 * rng_uniform(&r)));
	}
	for (int i = 0; i < 40; i++) {
		double mean = 0;

		for (int k = 0; k < 784; k++)
			mean += (double)plain[i * 784 + k] / 784;
		for (int k = 0; k < 784; k++)
			keyed[i * 784 + k] = plain[i * 784 + k] + (float)(mean * (k % 3 == 0));
	}
	access.plain = (struct images){ .n = 40, .c = 1, .h = 28, .w = 28, .classes = 10, .fx = plain };
	access.keyed = (struct images){ .n = 40, .c = 1, .h = 28, .w = 28, .classes = 10, .fx = keyed };
	ck_assert_int_eq(a->run(&access, conf, &p), 0);
	for (int i = 40; i < 50; i++) {
		struct images one = { .n = 1, .c = 1, .h = 28, .w = 28, .classes = 10, .fx = plain + i * 784 };
		float sent[784];
		struct eavesdropper ear = { .k = { .query = overhear }, .sent = sent };
		double mean = 0;

		ck_assert_int_eq(p.answer(&p, &ear.k, &one, ear.probs), 0);
		for (int k = 0; k < 784; k++)
			mean += (double)plain[i * 784 + k] / 784;
		for (int k = 0; k < 784; k++)
			worst = fmax(worst, fabs((double)sent[k] - (double)plain[i * 784 + k] - mean * (k % 3 == 0)));
	}
	ck_assert_double_lt(worst, 0.03); /* residuals are 0.08 to 0.4 */
	product_release(&p);
	free(conf);
}
END_TEST

START_TEST(through_weights_asks_nobody)
{
	const struct attack *a = attack_named("replay");
	void *conf = conf_of(&a->drv, "through=weights"), *top1 = conf_of(&a->drv, "top1=yes");

	ck_assert_uint_eq(a->needs_for(conf), CAP_PAIR | CAP_WEIGHTS);
	ck_assert_uint_eq(a->needs_for(top1), CAP_PAIR | CAP_LABEL);
	ck_assert_ptr_nonnull(a->inapplicable(conf, 0, 0));
	ck_assert_ptr_null(a->inapplicable(conf, 1, 0));
	free(conf);
	free(top1);
	ck_assert_int_eq(pairs_right(&twin, "replay", "pairs=0 through=weights", NULL, NULL, NULL), world_right(&twin, twin.locked.model));
}
END_TEST

Suite *suite_replay(void);
Suite *suite_replay(void)
{
	Suite *s = suite_create("replay");
	TCase *tc = tcase_create("replay");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, one_pair_unlocks_a_static_trigger);
	tcase_add_test(tc, a_network_learns_what_replay_cannot);
	tcase_add_test(tc, an_own_image_is_prepared_as_its_client_would);
	tcase_add_test(tc, components_depend_on_the_image);
	tcase_add_test(tc, through_weights_asks_nobody);
	suite_add_tcase(s, tc);
	return s;
}
