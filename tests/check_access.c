/* bench/access.c: an attack sees what it was granted and nothing else, and cannot overspend. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "tests/support_bench.h"

#define EVERYTHING (CAP_LABEL | CAP_PROB | CAP_DECISION | CAP_GRADX | CAP_WEIGHTS | CAP_WRITE | CAP_ALGO | CAP_PARAM | \
		    CAP_LABELLED | CAP_UNLABELLED | CAP_CRED | CAP_CHANNEL)

static struct world w;
static struct access a;
static struct access_store *keep;
static struct ledger ledger;

static void setup(void)
{
	world_open(&w, &toy_scheme);
}

static void teardown(void)
{
	world_close(&w);
}

static void open_with(unsigned caps)
{
	memset(&ledger, 0, sizeof(ledger));
	ck_assert_int_eq(access_open(&a, &keep, &w.setup, caps, 3, &ledger), 0);
	ck_assert_uint_eq(a.caps, caps);
}

START_TEST(nothing_granted_nothing_there)
{
	float x[784] = { 0 }, probs[10];
	unsigned char accepted;

	open_with(0);
	ck_assert_ptr_null(a.model);
	ck_assert_ptr_null(a.pub);
	ck_assert_ptr_null(a.creds);
	ck_assert_int_eq(a.ncreds + a.labelled.n + a.unlabelled.n + a.val.n + a.paper_test.n, 0);
	ck_assert_ptr_null(a.labelled.px);
	ck_assert_ptr_null(a.unlabelled.px);
	ck_assert_ptr_null(a.paper_test.px);
	ck_assert_int_eq(access_submit(&a, x, 1, &accepted), -1);
	error_clear();
	ck_assert_int_eq(access_query(&a, &(struct images){ .n = 1, .c = 1, .h = 28, .w = 28, .fx = x }, -1, probs), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "capability 'label'"));
	ck_assert_int_eq(ledger.queries + ledger.submissions, 0);
	access_close(&a, keep);
	ck_assert_ptr_null(a.oracle);
}
END_TEST

/* One capability alone opens one thing. */
START_TEST(each_capability_opens_its_own)
{
	const unsigned cap = 1u << _i;

	if (cap == CAP_PAIR) { /* the toy scheme's users send their images as they are */
		ck_assert_int_eq(access_open(&a, &keep, &w.setup, cap, 3, &ledger), -1);
		error_clear();
		return;
	}
	open_with(cap);
	ck_assert_int_eq(a.ninstances > 0, cap == CAP_INSTANCE);
	ck_assert_int_eq(a.model != NULL, cap == CAP_WEIGHTS || cap == CAP_GRADX);
	ck_assert_int_eq(a.pub != NULL, cap == CAP_PARAM);
	ck_assert_int_eq(a.arch.classes > 0, cap == CAP_ARCH);
	ck_assert_int_eq(a.creds != NULL, cap == CAP_CRED);
	ck_assert_int_eq(a.labelled.n > 0, cap == CAP_LABELLED);
	ck_assert_int_eq(a.unlabelled.n > 0, cap == CAP_UNLABELLED);
	ck_assert_int_eq(a.paper_test.n > 0, cap == CAP_PAPER_TEST);
	ck_assert_int_eq(a.labelled.labels != NULL, cap == CAP_LABELLED);
	ck_assert_ptr_null(a.unlabelled.labels);
	ck_assert_int_eq(a.val.labels != NULL, cap == CAP_LABELLED);
	access_close(&a, keep);
}
END_TEST

static bool inside(const void *p, const void *base, size_t n)
{
	return (uintptr_t)p >= (uintptr_t)base && (uintptr_t)p < (uintptr_t)base + n;
}

static bool forbidden(const void *p)
{
	const struct dataset *d = w.data;
	const size_t len = (size_t)d->c * d->h * d->w;

	for (int i = 0; i < w.locked.secret->nt; i++)
		if (inside(p, w.locked.secret->t[i].data, w.locked.secret->t[i].len * 4))
			return true;
	return inside(p, d->test_px, len * d->ntest) || inside(p, d->test_labels, d->ntest) ||
	       inside(p, d->train_px, len * d->ntrain) || inside(p, d->train_labels, d->ntrain) || p == w.splits.index ||
	       p == w.data || p == &w.splits || p == w.locked.secret || p == &w.setup || p == &w.locked || p == w.creds ||
	       p == w.locked.model || p == w.locked.model->x;
}

static void scan(const char *what, const void *memory, size_t n)
{
	for (size_t at = 0; at + sizeof(void *) <= n; at += sizeof(void *)) {
		const void *p;

		memcpy(&p, (const char *)memory + at, sizeof(p));
		ck_assert_msg(!p || !forbidden(p), "%s: the pointer at offset %zu leads out of the handle", what, at);
	}
}

START_TEST(no_pointer_leads_out)
{
	open_with(EVERYTHING | CAP_PAPER_TEST); /* even the leaking protocol gets a copy */
	scan("handle", &a, sizeof(a));
	scan("model", &a.model->arch, sizeof(*a.model) - sizeof(a.model->spec));
	scan("parameters", a.model->p, sizeof(*a.model->p) * a.model->np);
	scan("pub", a.pub, sizeof(*a.pub));
	scan("tensors of pub", a.pub->t, sizeof(*a.pub->t) * a.pub->nt);
	scan("tensors of creds", a.creds->t, sizeof(*a.creds->t) * a.creds->nt);
	access_close(&a, keep);
}
END_TEST

START_TEST(copies_are_right_and_private)
{
	const unsigned long before = model_bits(w.locked.model);
	unsigned char px, *mine;

	open_with(EVERYTHING);
	ck_assert_int_eq(a.labelled.n, w.splits.pool.n);
	ck_assert_int_eq(a.val.n, w.splits.attacker_val.n);
	for (int i = 0; i < a.labelled.n; i++) {
		float x[784], y[784];

		images_get(&a.labelled, i, x);
		images_get(&w.splits.pool, i, y);
		ck_assert_mem_eq(x, y, sizeof(x));
		ck_assert_int_eq(images_label(&a.labelled, i), images_label(&w.splits.pool, i));
	}
	mine = (unsigned char *)(uintptr_t)a.labelled.px;
	px = w.splits.pool.px[784 * images_at(&w.splits.pool, 0)];
	mine[0] ^= 0xff;
	ck_assert_int_eq(w.splits.pool.px[784 * images_at(&w.splits.pool, 0)], px);
	a.model->x[0] += 1;
	ck_assert_uint_eq(model_bits(w.locked.model), before);
	access_close(&a, keep);
}
END_TEST

START_TEST(leaked_credentials_are_one_a_user)
{
	open_with(CAP_CRED | CAP_PROB);
	ck_assert_int_eq(a.ncreds, WORLD_USERS);
	ck_assert_ptr_null(bundle_get(a.creds, "ok", DT_U8)); /* the owner's bookkeeping stays with the owner */
	for (int u = 0; u < WORLD_USERS; u++)
		ck_assert_float_eq(bundle_f32(a.creds, "image", NULL)[u * 784], (float)(u + 1) / 51.0f);
	access_close(&a, keep);
}
END_TEST

START_TEST(a_scheme_without_credentials_leaks_none)
{
	struct setup s = w.setup;

	s.creds = NULL;
	s.users = 0;
	ck_assert_int_eq(access_open(&a, &keep, &s, CAP_CRED, 3, &ledger), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "issues none"));
}
END_TEST

START_TEST(queries_are_counted_and_bounded)
{
	const struct images v = images_first(w.splits.pool, 20);
	float probs[20 * 10], again[20 * 10];
	double sum = 0;

	open_with(CAP_PROB | CAP_CRED);
	ck_assert_int_eq(access_query(&a, &v, 0, probs), 0);
	ck_assert_int_eq(model_predict_probs(w.locked.model, &v, again), 0);
	ck_assert_mem_eq(probs, again, sizeof(probs)); /* credential 0 is valid */
	ck_assert_int_eq(access_query(&a, &v, -1, probs), 0);
	ck_assert_int_eq(ledger.queries, 40);
	for (int i = 0; i < 200; i++)
		sum += (double)probs[i];
	ck_assert_double_eq_tol(sum, 20, 1e-4);
	ck_assert_int_eq(access_query(&a, &v, -1, again), 0);
	ck_assert(memcmp(probs, again, sizeof(probs)) != 0); /* a random answer is another one the next time */
	ck_assert_int_eq(access_query(&a, &v, WORLD_USERS, probs), -1); /* not one of the leaked */
	error_clear();
	ledger.max_queries = 79;
	ck_assert_int_eq(access_query(&a, &v, 0, probs), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "budget of 79 queries"));
	ck_assert_int_eq(ledger.queries, 60); /* what was refused costs nothing */
	access_close(&a, keep);
}
END_TEST

START_TEST(labels_only_are_one_hot)
{
	const struct images v = images_first(w.splits.pool, 20);
	float probs[20 * 10], full[20 * 10];
	int a_top[20], b_top[20];

	open_with(CAP_LABEL | CAP_CRED);
	ck_assert_int_eq(access_query(&a, &v, 0, probs), 0);
	ck_assert_int_eq(model_predict_probs(w.locked.model, &v, full), 0);
	for (int i = 0; i < 200; i++)
		ck_assert(probs[i] == 0 || probs[i] == 1);
	argmax_rows(probs, 20, 10, a_top);
	argmax_rows(full, 20, 10, b_top);
	ck_assert_mem_eq(a_top, b_top, sizeof(a_top));
	access_close(&a, keep);
}
END_TEST

/* The handle is the attack's memory: what it writes there grants nothing. */
START_TEST(an_attack_cannot_grant_itself_more)
{
	const struct images v = images_first(w.splits.pool, 20);
	float probs[20 * 10], x[784] = { 0 };
	unsigned char accepted;

	open_with(CAP_LABEL);
	a.caps = EVERYTHING;
	a.creds = w.creds;
	a.ncreds = WORLD_USERS;
	ck_assert_int_eq(access_query(&a, &v, 0, probs), -1);
	error_clear();
	ck_assert_int_eq(access_submit(&a, x, 1, &accepted), -1);
	error_clear();
	a.creds = NULL;
	ck_assert_int_eq(access_query(&a, &v, -1, probs), 0);
	for (int i = 0; i < 200; i++)
		ck_assert(probs[i] == 0 || probs[i] == 1);
	access_close(&a, keep);

	open_with(CAP_PROB | CAP_CRED);
	a.ncreds = WORLD_USERS * WORLD_EACH;
	ck_assert_int_eq(access_query(&a, &v, WORLD_USERS, probs), -1);
	access_close(&a, keep);
}
END_TEST

START_TEST(submissions_are_judged_counted_and_bounded)
{
	unsigned char accepted[WORLD_USERS * WORLD_EACH];
	const float *x = bundle_f32(w.creds, "image", NULL);

	open_with(CAP_DECISION);
	ledger.max_submissions = 20;
	ck_assert_int_eq(access_submit(&a, x, 16, accepted), 0);
	for (int i = 0; i < 16; i++)
		ck_assert_int_eq(accepted[i], i % WORLD_EACH != 3);
	ck_assert_int_eq(ledger.submissions, 16);
	ck_assert_int_eq(access_submit(&a, x, 5, accepted), -1);
	ck_assert_int_eq(ledger.submissions, 16);
	access_close(&a, keep);
}
END_TEST

/* A budget of labels is what an attack holds, not what it may touch of more. */
START_TEST(a_budget_of_labels_cuts_the_images)
{
	memset(&ledger, 0, sizeof(ledger));
	ledger.max_labels = 44;
	ck_assert_int_eq(access_open(&a, &keep, &w.setup, CAP_LABELLED | CAP_UNLABELLED, 3, &ledger), 0);
	ck_assert_int_eq(a.labelled.n + a.val.n, 44);
	ck_assert_int_eq(a.val.n, 4); /* the pool is ten times the validation images */
	ck_assert_int_eq(a.unlabelled.n, w.splits.pool.n);
	access_close(&a, keep);
	ledger.max_labels = 1000000;
	ck_assert_int_eq(access_open(&a, &keep, &w.setup, CAP_LABELLED, 3, &ledger), 0);
	ck_assert_int_eq(a.labelled.n, w.splits.pool.n);
	access_close(&a, keep);
}
END_TEST

START_TEST(spending_is_bounded)
{
	open_with(0);
	ledger.max_labels = 10;
	ledger.max_forward_equivalents = 100;
	ck_assert_int_eq(access_spend(&a, 10, 60), 0);
	ck_assert_int_eq(access_spend(&a, 1, 0), -1);
	error_clear();
	ck_assert_int_eq(access_spend(&a, 0, 41), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "forward equivalents"));
	access_close(&a, keep);
}
END_TEST

START_TEST(paper_test_is_the_head_of_the_test_view)
{
	open_with(CAP_PAPER_TEST);
	ck_assert_int_eq(a.paper_test.n, 140);
	for (int i = 0; i < 140; i++)
		ck_assert_int_eq(images_label(&a.paper_test, i), images_label(&w.splits.test, i));
	access_close(&a, keep);
}
END_TEST

/* No attack gets by with less than it declares by reading something else, and none crashes for want of it. */
START_TEST(attacks_do_without_what_is_withheld)
{
	for (int i = 0; attacks[i]; i++) {
		const struct attack *attack = (const struct attack *)attacks[i];
		void *conf = conf_of(&attack->drv, attack->tier[0] ? attack->tier[0] : "");
		const unsigned needs = attack->needs_for ? attack->needs_for(conf) : attack->needs;

		for (unsigned cap = 1; cap <= CAP_ARCH; cap <<= 1) {
			struct product p = { 0 };

			if (!(needs & cap))
				continue;
			open_with(needs & ~cap & ~(unsigned)CAP_PAIR); /* nobody prepares queries for the toy scheme */
			if (attack->run(&a, conf, &p) < 0)
				ck_assert_str_ne(error_text(), "");
			error_clear();
			product_release(&p);
			access_close(&a, keep);
		}
		free(conf);
	}
}
END_TEST

Suite *suite_access(void);
Suite *suite_access(void)
{
	Suite *s = suite_create("access");
	TCase *tc = tcase_create("access");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, nothing_granted_nothing_there);
	tcase_add_loop_test(tc, each_capability_opens_its_own, 0, 16);
	tcase_add_test(tc, no_pointer_leads_out);
	tcase_add_test(tc, copies_are_right_and_private);
	tcase_add_test(tc, leaked_credentials_are_one_a_user);
	tcase_add_test(tc, a_scheme_without_credentials_leaks_none);
	tcase_add_test(tc, queries_are_counted_and_bounded);
	tcase_add_test(tc, labels_only_are_one_hot);
	tcase_add_test(tc, an_attack_cannot_grant_itself_more);
	tcase_add_test(tc, submissions_are_judged_counted_and_bounded);
	tcase_add_test(tc, a_budget_of_labels_cuts_the_images);
	tcase_add_test(tc, spending_is_bounded);
	tcase_add_test(tc, paper_test_is_the_head_of_the_test_view);
	tcase_add_test(tc, attacks_do_without_what_is_withheld);
	suite_add_tcase(s, tc);
	return s;
}
