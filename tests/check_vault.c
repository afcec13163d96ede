/* What an attack must not see is out of its reach, not only out of its handle. */
#include <check.h>
#include <signal.h>
#include <string.h>

#include "base/error.h"
#include "bench/vault.h"
#include "tests/support_bench.h"

static struct world w;
static struct vault v;
static struct pages data;

static void open_world(void)
{
	world_open(&w, &toy_scheme);
	memset(&v, 0, sizeof(v));
}

static void close_world(void)
{
	world_close(&w);
}

START_TEST(content_survives_the_move)
{
	const unsigned long base = model_bits(w.base), locked = model_bits(w.locked.model);
	char secret[65], creds[65], hash[65];

	bundle_hash(w.locked.secret, secret);
	bundle_hash(w.creds, creds);
	vault_fill(&v, &w.setup);
	ck_assert_uint_eq(model_bits(w.base), base);
	ck_assert_uint_eq(model_bits(w.locked.model), locked);
	bundle_hash(w.locked.secret, hash);
	ck_assert_str_eq(hash, secret);
	pages_shut(&v.owner);
	pages_open(&v.owner);
	bundle_hash(w.creds, hash);
	ck_assert_str_eq(hash, creds);
	vault_release(&v);
}
END_TEST

static void peek(const void *at)
{
	volatile unsigned char seen = *(const volatile unsigned char *)at;

	(void)seen;
}

enum { LABELS, TEST_PIXELS, SECRET, CREDS, BASE, DEPLOYED };

static const void *hidden(int what)
{
	switch (what) {
	case LABELS: return w.data->test_labels;
	case TEST_PIXELS: return w.data->test_px + 5000;
	case SECRET: return w.locked.secret->t[0].data;
	case CREDS: return w.creds->t[0].data;
	case BASE: return w.base->p[1].x;
	default: return w.locked.model->x;
	}
}

/* Read each of them while the vault is shut: the process dies. Were the vault open, the test would end well and fail. */
START_TEST(reading_is_deadly)
{
	vault_dataset(&data, w.data);
	vault_fill(&v, &w.setup);
	peek(hidden(_i)); /* open: nothing happens */
	pages_shut(&data);
	pages_shut(&v.owner);
	pages_shut(&v.service);
	peek(hidden(_i));
}
END_TEST

START_TEST(the_oracle_answers_from_behind_the_wall)
{
	struct access_store *k;
	struct ledger l = { 0 };
	struct access a;
	float x[784] = { 1.0f / 51 }, probs[10];
	unsigned char accepted;

	vault_fill(&v, &w.setup);
	ck_assert_int_eq(access_open(&a, &k, &w.setup, CAP_PROB | CAP_DECISION | CAP_UNLABELLED, 3, &l), 0);
	access_guard(&a, &v.service);
	pages_shut(&v.owner);
	pages_shut(&v.service);
	ck_assert_int_eq(access_submit(&a, x, 1, &accepted), 0);
	ck_assert_int_eq(accepted, 1);
	ck_assert_int_eq(access_query(&a, &(struct images){ .n = 1, .c = 1, .h = 28, .w = 28, .classes = 10, .fx = x }, -1, probs), 0);
	ck_assert(v.service.shut);
	vault_release(&v);
	access_guard(&a, NULL);
	access_close(&a, k);
}
END_TEST

Suite *suite_vault(void);
Suite *suite_vault(void)
{
	Suite *s = suite_create("vault");
	TCase *tc = tcase_create("vault");

	tcase_add_checked_fixture(tc, open_world, close_world);
	tcase_add_test(tc, content_survives_the_move);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	tcase_add_loop_test_raise_signal(tc, reading_is_deadly, SIGSEGV, LABELS, DEPLOYED + 1);
#else
	(void)reading_is_deadly; /* the sanitizers report the signal themselves */
#endif
	tcase_add_test(tc, the_oracle_answers_from_behind_the_wall);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	return s;
}
