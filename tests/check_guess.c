/* attacks/login/guess.c: a lock whose key is 8 numbers, each of which opens a tenth of the way: drawn, near, climbed. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "tests/support_weights.h"

enum { BITS = 8 };
static const int32_t secret[BITS] = { 1, 0, 1, 1, 0, 0, 1, 0 };

static int identity(const struct service *s, const struct bundle *creds, int at, const struct images *v, float *out)
{
	(void)s, (void)creds, (void)at;
	for (int i = 0; i < v->n; i++)
		images_get(v, i, out + (size_t)i * (size_t)images_size(v));
	return 0;
}

/* Each wrong number takes an eighth of the classes' truth away: those classes are answered as the next one. Without a key all are. */
static int dial_query(const struct service *s, const struct bundle *creds, int at, const struct images *v, uint64_t nonce, float *probs)
{
	const struct tensor *t = creds ? bundle_get(creds, "key", DT_I32) : NULL;

	(void)nonce;
	if (service_probs(s->model, v, s->classes, probs) < 0)
		return -1;
	for (int i = 0; i < v->n; i++, probs += s->classes) {
		int top;
		float p;

		argmax_rows(probs, 1, s->classes, &top);
		if (t && ((const int32_t *)t->data)[at * BITS + top % BITS] == secret[top % BITS])
			continue;
		p = probs[top];
		probs[top] = probs[(top + 1) % s->classes];
		probs[(top + 1) % s->classes] = p;
	}
	return 0;
}

static int draw(const struct service *s, uint64_t seed, int n, struct bundle *out)
{
	int32_t *key = bundle_put(out, "key", DT_I32, 2, (const int64_t[]){ n, BITS }, NULL);
	struct rng r;

	(void)s;
	rng_open(&r, seed, "dial", 0, 0);
	for (int i = 0; i < n * BITS; i++)
		key[i] = (int32_t)rng_below(&r, 2);
	return 0;
}

static const struct scheme dial_scheme = {
	.drv = { .name = "dial", .summary = "eight dials", .source = "none. Differs: nothing", .version = 1 },
	.decl = { .has_users = 1 }, .prepare = identity, .query = dial_query, .wrong_keys = draw,
};

static struct world w;

static void setup(void)
{
	int32_t *key;

	world_open(&w, &toy_scheme);
	w.setup.scheme = &dial_scheme;
	w.setup.users = w.setup.per_user = 1;
	bundle_free(w.creds);
	w.creds = bundle_new();
	key = bundle_put(w.creds, "key", DT_I32, 2, (const int64_t[]){ 1, BITS }, NULL);
	memcpy(key, secret, sizeof(secret));
	w.setup.creds = w.creds;
}

static void teardown(void)
{
	world_close(&w);
}

/* Keys of the product, and how many are the secret one. */
static int secrets(const char *options, struct ledger *l, int *n)
{
	struct product p;
	const int32_t *key;
	int same = 0;

	run_attack(&w, "guess", options, l, &p);
	key = bundle_i32(p.creds, "key", NULL);
	for (int i = 0; i < p.ncreds; i++)
		same += !memcmp(key + (size_t)i * BITS, secret, sizeof(secret));
	*n = p.ncreds;
	product_release(&p);
	return same;
}

/* Of 256 keys one: chance finds it about 8 times in 2,000, and keys differ from each other. */
START_TEST(drawn_keys_are_the_schemes)
{
	int n, same = secrets("tries=2000", NULL, &n);

	ck_assert_int_eq(n, 2000);
	ck_assert(same >= 1 && same <= 20);
	same = secrets("tries=0", NULL, &n);
	ck_assert(same == 0 && n == 0);
}
END_TEST

/* No change leaves the leaked key, one change never does, and two do when they undo each other: once in eight. */
START_TEST(near_is_as_far_as_asked)
{
	int n;

	ck_assert_int_eq(secrets("method=near tries=50 changes=0", NULL, &n), 50);
	ck_assert_int_eq(secrets("method=near tries=50 changes=1", NULL, &n), 0);
	n = secrets("method=near tries=400 changes=2", NULL, &n);
	ck_assert(n > 25 && n < 80);
}
END_TEST

/* Dial by dial is 8 decisions, not 256 keys. The queries are counted: one question at first and one for each change. */
START_TEST(climbing_finds_the_key)
{
	struct ledger l = { 0 };
	int n;

	ck_assert_int_eq(secrets("method=climb tries=80 images=100", &l, &n), 1);
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(l.queries, 81 * 100);
	ck_assert_int_eq(l.labels, 100);
	l = (struct ledger){ .max_queries = 1000 };
	secrets("method=climb tries=80 images=100", &l, &n); /* stops where the budget ends */
	ck_assert_int_eq(l.queries, 1000);
}
END_TEST

START_TEST(judged_by_use)
{
	struct observations o = { 0 };
	const char *verdict;
	struct product p;
	char why[256];

	run_attack(&w, "guess", "method=near tries=4 changes=0", NULL, &p);
	ck_assert_msg(evaluate(&w.setup, &p, &o, &verdict, why) == 0, "%s", error_text());
	ck_assert_str_eq(verdict, "ok");
	ck_assert_int_eq(obs_get(&o, "forged_accepted", 'b')->k, 4);
	obs_release(&o);
	product_release(&p);
}
END_TEST

/* A tensor that is not there: the cell says why. Floats of images take each other's places. */
START_TEST(other_keys)
{
	struct world toy;
	struct product p;

	run_attack(&w, "guess", "method=near tensor=nothing", NULL, &p);
	ck_assert_ptr_nonnull(p.inapplicable);
	product_release(&p);
	world_open(&toy, &toy_scheme);
	run_attack(&toy, "guess", "method=near changes=3000 tries=2 leaked=1", NULL, &p);
	for (int k = 0; k < 2 * 784; k++) {
		const float x = bundle_f32(p.creds, "image", NULL)[k];

		ck_assert(x == 0 || x == 2.0f / 51.0f);
	}
	product_release(&p);
	world_close(&toy);
}
END_TEST

Suite *suite_guess(void);
Suite *suite_guess(void)
{
	Suite *s = suite_create("guess");
	TCase *tc = tcase_create("guess");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, drawn_keys_are_the_schemes);
	tcase_add_test(tc, near_is_as_far_as_asked);
	tcase_add_test(tc, climbing_finds_the_key);
	tcase_add_test(tc, judged_by_use);
	tcase_add_test(tc, other_keys);
	suite_add_tcase(s, tc);
	return s;
}
