/* How services answer by default, and how keys that are no logins are judged: a toy scheme whose network works only on negatives and
 * only with its last layer turned round, which the key does and users' clients do. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "bench/judge.h"
#include "schemes/kit/creds.h"
#include "tests/support_bench.h"

enum { RIGHT_KEY = 77, BITS = 8 };

static void turn_round(struct model *m)
{
	struct param *last = NULL;

	for (int i = 0; i < m->np; i++)
		if (!m->p[i].buffer && m->p[i].nd == 2)
			last = &m->p[i];
	for (size_t i = 0; i < last->len; i++)
		last->x[i] = -last->x[i];
}

static int keyed_lock(const struct lock_env *e, const void *conf, struct locked *l)
{
	(void)conf;
	l->model = model_copy(e->base);
	turn_round(l->model);
	return 0;
}

/* key 77 for everybody; the identity is the user number, which the client writes into the first pixels. */
static int keyed_enrol(const struct lock_env *e, const void *conf, struct locked *l, const int *user, const int *trial, int n,
		       struct bundle *out)
{
	uint8_t *key = bundle_put(out, "key", DT_U8, 2, (int64_t[]){ n, 2 }, NULL);
	uint8_t *bits = bundle_put(out, "about_bits", DT_U8, 2, (int64_t[]){ n, BITS }, NULL);

	(void)e, (void)conf, (void)l, (void)trial;
	bundle_put_u8(out, "shared_client", 3, (uint8_t[]){ 1, 2, 3 });
	for (int i = 0; i < n; i++) {
		key[2 * i] = RIGHT_KEY;
		key[2 * i + 1] = (uint8_t)user[i];
		for (int b = 0; b < BITS; b++)
			bits[i * BITS + b] = user[i] >> b & 1;
	}
	return 0;
}

static const uint8_t *key_of(const struct bundle *creds, int at)
{
	return bundle_u8(creds, "key", NULL) + (ptrdiff_t)2 * at;
}

static struct model *keyed_unlock(const struct service *s, const struct bundle *creds, int at)
{
	struct model *m = model_copy(s->model);

	if (key_of(creds, at)[0] == RIGHT_KEY)
		turn_round(m);
	return m;
}

static int keyed_prepare(const struct service *s, const struct bundle *creds, int at, const struct images *v, float *out)
{
	const size_t len = (size_t)images_size(v);

	(void)s;
	for (int i = 0; i < v->n; i++) {
		images_get(v, i, out + len * i);
		for (int b = 0; b < BITS; b++)
			out[len * i + b] = (float)(key_of(creds, at)[1] >> b & 1);
	}
	return 0;
}

static int keyed_trace(const void *conf, const struct locked *owner, const float *x, int n, struct traced *out)
{
	(void)conf, (void)owner;
	for (int i = 0; i < n; i++) {
		out[i].user = 0;
		out[i].nbits = BITS;
		for (int b = 0; b < BITS; b++) {
			out[i].bit[b] = x[i * 784 + b] > 0.5f;
			out[i].user |= out[i].bit[b] << b;
		}
	}
	return 0;
}

static int keyed_users(const void *conf, int classes)
{
	(void)conf, (void)classes;
	return WORLD_USERS;
}

static const struct scheme keyed_scheme = {
	.drv = { .name = "keyed", .summary = "a scheme for tests", .source = "none. Differs: nothing", .version = 1 },
	.decl = { .has_users = 1, .has_identities = 1, .changes_weights = 1 },
	.lock = keyed_lock, .enrol = keyed_enrol, .users = keyed_users,
	.unlock = keyed_unlock, .prepare = keyed_prepare, .trace = keyed_trace,
};

static struct world w;
static struct bundle *creds;
static struct service service;

static void open_world(void)
{
	const int user[] = { 0, 0, 1, 1, 2, 2 }, trial[] = { 0, 1, 0, 1, 0, 1 };
	struct lock_env e;

	world_open(&w, &keyed_scheme);
	creds = bundle_new();
	e = (struct lock_env){ .train = &w.splits.owner, .base = w.base, .seed = 7 };
	keyed_enrol(&e, NULL, &w.locked, user, trial, 6, creds);
	w.splits.val = images_first(w.splits.owner, 200); /* ten images are too few to judge a key by */
	w.setup.creds = creds;
	w.setup.users = 3;
	w.setup.per_user = 2;
	service = (struct service){ .scheme = &keyed_scheme, .model = w.locked.model, .pub = w.locked.pub, .classes = 10 };
}

static void close_world(void)
{
	bundle_free(creds);
	world_close(&w);
}

static int right(const struct service *s, const struct bundle *c, int at)
{
	const struct images v = images_first(w.splits.test, 100);
	float probs[1000];
	int top[100], n = 0;

	ck_assert_int_eq(service_query(s, c, at, &v, 1, probs), 0);
	argmax_rows(probs, 100, 10, top);
	for (int i = 0; i < 100; i++)
		n += top[i] == images_label(&v, i);
	return n;
}

START_TEST(a_key_unlocks_and_none_does_not)
{
	ck_assert_int_gt(right(&service, creds, 3), 40); /* as the unprotected network */
	ck_assert_int_lt(right(&service, NULL, 0), 20);
}
END_TEST

/* The gate's rule: a scheme that says it is a gate answers who is refused with random classes. */
START_TEST(a_gate_denies_at_random)
{
	struct scheme gate = toy_scheme;
	struct service s = { .scheme = &gate, .model = w.base, .pub = w.locked.pub, .classes = 10 };
	float x[784] = { 1.0f / 51 };
	struct bundle *c = creds_images(x, 1, 1, 28, 28);

	gate.query = NULL;
	ck_assert_int_gt(right(&s, c, 0), 40);
	ck_assert_int_lt(right(&s, NULL, 0), 20);
	((float *)c->t[0].data)[0] = 0.9f;
	ck_assert_int_lt(right(&s, c, 0), 20);
	bundle_free(c);
}
END_TEST

static int blacken(const void *ctx, const float *in, int n, int c, int h, int ww, float *out)
{
	(void)in;
	*(int *)(uintptr_t)ctx += n;
	memset(out, 0, (size_t)n * c * h * ww * sizeof(*out));
	return 0;
}

/* What happens on the wire happens to what the client sent: the identity, written by the client, is gone. */
START_TEST(the_wire_comes_after_the_client)
{
	const struct images v = images_first(w.splits.test, 4);
	struct traced t[4];
	int seen = 0;
	float *x = service_sent(&service, creds, 4, &v);

	keyed_trace(NULL, NULL, x, 4, t);
	ck_assert_int_eq(t[0].user, 2);
	free(x);
	service.wire = blacken;
	service.wire_ctx = &seen;
	x = service_sent(&service, creds, 4, &v);
	keyed_trace(NULL, NULL, x, 4, t);
	ck_assert_int_eq(t[0].user, 0);
	ck_assert_int_eq(seen, 4);
	service.wire = NULL;
	free(x);
}
END_TEST

START_TEST(an_extra_output_is_not_answered)
{
	struct model_spec spec = w.base->spec;
	struct images v = images_first(w.splits.test, 5);
	float probs[50];
	struct model *m;

	spec.classes = 11;
	m = model_new(&spec, 3);
	ck_assert_int_eq(service_probs(m, &v, 10, probs), 0);
	for (int i = 0; i < 5; i++) {
		double sum = 0;

		for (int k = 0; k < 10; k++)
			sum += (double)probs[10 * i + k];
		ck_assert_double_eq_tol(sum, 1, 1e-5);
	}
	model_free(m);
}
END_TEST

START_TEST(keys_are_judged_by_their_use)
{
	struct bundle *two = creds_range(creds, 2, 2);
	unsigned char accepted[2];
	int user[2];

	((uint8_t *)two->t[0].data)[0] = 5; /* the first one's key is wrong now */
	ck_assert_str_eq(two->t[0].name, "key");
	ck_assert_int_eq(judge_creds(&w.setup, &service, two, 2, accepted, user, NULL), 0);
	ck_assert_int_eq(accepted[0], 0);
	ck_assert_int_eq(user[0], -1);
	ck_assert_int_eq(accepted[1], 1);
	ck_assert_int_eq(user[1], 1);
	bundle_free(two);
}
END_TEST

START_TEST(a_lock_without_logins_is_evaluated)
{
	struct observations o = { 0 };
	const char *verdict;
	char why[256];

	ck_assert_msg(evaluate(&w.setup, NULL, &o, &verdict, why) == 0, "%s", error_text());
	ck_assert_str_eq(verdict, "ok");
	ck_assert_int_eq(obs_get(&o, "genuine_accepted", 'b')->k, 6);
	ck_assert_int_eq(obs_get(&o, "genuine_identified", 'b')->k, 6);
	ck_assert_int_eq(obs_get(&o, "genuine_traced", 'b')->k, 60);
	ck_assert_int_eq(obs_get(&o, "genuine_bits_read", 'b')->k, 60 * BITS);
	ck_assert_int_eq(obs_get(&o, "wrong_key_accuracy", 's')->n, 20);
	ck_assert_double_lt(obs_get(&o, "wrong_key_accuracy", 's')->series[0], 40);
	ck_assert_int_lt(obs_get(&o, "zero_effort_accepted", 'b')->k, 5);
	obs_release(&o);
}
END_TEST

static int no_users(const void *conf, int classes)
{
	(void)conf, (void)classes;
	return 0;
}

/* A scheme that has users, but none under its options, controls no access: there is no unauthorised accuracy to report. */
START_TEST(ownership_alone_has_no_strangers)
{
	struct scheme owner_only = keyed_scheme;
	struct observations o = { 0 };
	const char *verdict;
	char why[256];

	owner_only.users = no_users;
	w.setup.scheme = &owner_only;
	w.setup.creds = NULL;
	w.setup.users = w.setup.per_user = 0;
	ck_assert_msg(evaluate(&w.setup, NULL, &o, &verdict, why) == 0, "%s", error_text());
	ck_assert_ptr_null(obs_get(&o, "unauthorised_correct", 'b'));
	ck_assert_ptr_nonnull(obs_get(&o, "authorised_correct", 'b'));
	obs_release(&o);
}
END_TEST

START_TEST(shared_tensors_belong_to_every_credential)
{
	struct bundle *one = creds_range(creds, 5, 1);

	ck_assert_int_eq(creds_count(creds), 6);
	ck_assert_int_eq(creds_count(one), 1);
	ck_assert_int_eq(bundle_get(one, "shared_client", DT_U8)->d[0], 3);
	ck_assert_int_eq(bundle_u8(one, "shared_client", NULL)[2], 3);
	ck_assert(creds_same_form(one, creds));
	ck_assert_double_eq(creds_bytes(creds), 5); /* two of its own, three shared */
	bundle_free(one);
}
END_TEST

/* ---- what attackers get of it ---- */

static void grant(struct access *a, struct access_store **k, unsigned caps, struct ledger *l)
{
	ck_assert_msg(access_open(a, k, &w.setup, caps, 9, l) == 0, "%s", error_text());
}

START_TEST(pairs_and_instances_are_granted)
{
	struct access_store *k;
	struct ledger l = { 0 };
	struct access a;

	grant(&a, &k, CAP_PAIR | CAP_INSTANCE, &l);
	ck_assert_int_eq(a.ninstances, 3);
	ck_assert_uint_eq(model_bits(a.instance[2]), model_bits(w.base));
	ck_assert_int_eq(a.plain.n, a.keyed.n);
	ck_assert_ptr_null(a.plain.labels);
	ck_assert_float_eq(a.keyed.fx[784 * 1 + 0], 1); /* user 1 wrote his number */
	ck_assert_float_eq(a.keyed.fx[784 * 1 + 1], 0);
	access_close(&a, k);
	grant(&a, &k, CAP_PROB, &l);
	ck_assert(!a.instance && !a.plain.n && !a.keyed.n);
	access_close(&a, k);
}
END_TEST

START_TEST(keys_of_ones_own_are_tried)
{
	const struct images v = images_first(w.splits.test, 10);
	struct bundle *mine = bundle_new();
	struct access_store *k;
	struct ledger l = { 0 };
	struct access a;
	float probs[100];

	grant(&a, &k, CAP_PROB | CAP_ALGO, &l);
	ck_assert_int_eq(access_draw(&a, 1, 4, mine), 0);
	ck_assert_int_eq(creds_count(mine), 4);
	ck_assert_ptr_null(bundle_get(mine, "about_bits", DT_U8)); /* the owner's notes are nobody else's */
	ck_assert_int_eq(access_query_as(&a, &v, mine, 3, probs), 0);
	ck_assert_int_eq(l.queries, 10);
	access_close(&a, k);
	grant(&a, &k, CAP_PROB, &l);
	ck_assert_int_eq(access_draw(&a, 1, 4, mine), -1);
	error_clear();
	access_close(&a, k);
	bundle_free(mine);
}
END_TEST

Suite *suite_service(void);
Suite *suite_service(void)
{
	Suite *s = suite_create("service");
	TCase *tc = tcase_create("service");

	tcase_add_unchecked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, a_key_unlocks_and_none_does_not);
	tcase_add_test(tc, a_gate_denies_at_random);
	tcase_add_test(tc, the_wire_comes_after_the_client);
	tcase_add_test(tc, an_extra_output_is_not_answered);
	tcase_add_test(tc, keys_are_judged_by_their_use);
	tcase_add_test(tc, a_lock_without_logins_is_evaluated);
	tcase_add_test(tc, ownership_alone_has_no_strangers);
	tcase_add_test(tc, shared_tensors_belong_to_every_credential);
	tcase_add_test(tc, pairs_and_instances_are_granted);
	tcase_add_test(tc, keys_of_ones_own_are_tried);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	return s;
}
