/* attacks/query/unscramble.c: a network that only understands shuffled images, and the key that is found step by step. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "tests/support_scheme.h"
#include "tests/support_weights.h"

enum { SIDE = 28, LEN = 784, BLOCK = 14, N = BLOCK * BLOCK };

static struct desk desk;
static struct world w;
static int secret[N];

/* Written anew: entry k of each block of 14 x 14 is what entry secret[k] was. */
static void shuffle(const float *x, float *out)
{
	for (int at = 0; at < LEN; at++) {
		const int y = at / SIDE, u = at % SIDE, from = secret[y % BLOCK * BLOCK + u % BLOCK];

		out[at] = x[(y / BLOCK * BLOCK + from / BLOCK) * SIDE + u / BLOCK * BLOCK + from % BLOCK];
	}
}

static int shuffle_prepare(const struct service *s, const struct bundle *creds, int at, const struct images *v, float *out)
{
	float x[LEN];

	(void)s, (void)creds, (void)at;
	for (int i = 0; i < v->n; i++) {
		images_get(v, i, x);
		shuffle(x, out + (size_t)i * LEN);
	}
	return 0;
}

static const struct scheme shuffle_scheme = {
	.drv = { .name = "shuffle", .summary = "pixels change places", .source = "none. Differs: nothing", .version = 1 },
	.decl = { .has_users = 1 }, .prepare = shuffle_prepare,
};

static void setup(void)
{
	const struct train_conf recipe = { .epochs = 15, .batch = 32, .optimizer = OPTIM_ADAM, .lr = 2e-3 };
	struct model_spec spec;
	struct images v;
	uint8_t *label;
	struct rng r;
	float *x;

	desk_open(&desk);
	rng_open(&r, 3, "secret", 0, 0);
	rng_permutation(&r, secret, N);
	w = (struct world){ .data = desk.data, .splits = desk.splits, .base = desk.base, .creds = bundle_new() };
	bundle_put_u8(w.creds, "key", 1, NULL);
	w.locked = (struct locked){ .model = NULL, .pub = bundle_new(), .secret = bundle_new() };
	w.setup = (struct setup){ .data = desk.data, .splits = &desk.splits, .scheme = &shuffle_scheme, .base = desk.base, .locked = &w.locked,
				  .creds = w.creds, .users = 1, .per_user = 1, .seed = 7 };
	spec = desk.base->spec;
	if (model_spec_parse(&spec, "mlp-32") < 0)
		die(EXIT_FAILED_CELLS, NULL);
	w.locked.model = model_new(&spec, 5);
	x = xmalloc((size_t)desk.splits.owner.n * LEN, sizeof(*x));
	label = xmalloc((size_t)desk.splits.owner.n, 1);
	shuffle_prepare(NULL, NULL, 0, &desk.splits.owner, x);
	for (int i = 0; i < desk.splits.owner.n; i++)
		label[i] = (uint8_t)images_label(&desk.splits.owner, i);
	v = (struct images){ .n = desk.splits.owner.n, .c = 1, .h = SIDE, .w = SIDE, .classes = 10, .fx = x, .labels = label };
	if (train(w.locked.model, &v, &recipe, 7, NULL, NULL, NULL) < 0)
		die(EXIT_FAILED_CELLS, NULL);
	free(label);
	free(x);
}

static void teardown(void)
{
	locked_release(&w.locked);
	bundle_free(w.creds);
	desk_close(&desk);
}

/* Test images right, of 500, and entries of the key that are the secret one's. */
static int right_by(const char *options, struct ledger *l, int *entries)
{
	struct observations o = { 0 };
	const char *verdict;
	struct product p;
	char why[256];
	int right;

	run_attack(&w, "unscramble", options, l, &p);
	ck_assert_msg(evaluate(&w.setup, &p, &o, &verdict, why) == 0, "%s", error_text());
	ck_assert_str_eq(verdict, "ok");
	right = (int)obs_get(&o, "attacked_correct", 'b')->k;
	*entries = 0;
	for (int k = 0; k < N; k++)
		*entries += bundle_i32(p.kept, "key", NULL)[k] == secret[k];
	obs_release(&o);
	product_release(&p);
	return right;
}

/* 196! keys are 2^1,200; 4,000 swaps of two entries come a third of the way and more, and as many keys at random do not. */
START_TEST(climbing_finds_what_guessing_does_not)
{
	int entries, none, guessed, climbed, few;

	none = right_by("block=14 steps=0", NULL, &entries);
	ck_assert_int_eq(none, world_right(&w, w.locked.model));
	guessed = right_by("block=14 method=random steps=200 through=weights images=100", NULL, &few);
	climbed = right_by("block=14 steps=4000 through=weights images=100", NULL, &entries);
	ck_assert_int_gt(climbed, none + 100);
	ck_assert_int_gt(climbed, guessed + 25);
	ck_assert_int_gt(entries, few);
}
END_TEST

/* Keys through the service cost a query an image, and the search ends where the budget does. */
START_TEST(queries_are_counted)
{
	struct ledger l = { .max_queries = 2050 };
	int entries;

	right_by("block=14 steps=600 images=100", &l, &entries);
	ck_assert_int_eq(l.queries, 2000);
	ck_assert_int_eq(l.labels, 100);
}
END_TEST

Suite *suite_unscramble(void);
Suite *suite_unscramble(void)
{
	Suite *s = suite_create("unscramble");
	TCase *tc = tcase_create("unscramble");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, climbing_finds_what_guessing_does_not);
	tcase_add_test(tc, queries_are_counted);
	suite_add_tcase(s, tc);
	return s;
}
