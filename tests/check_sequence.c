/* attacks/weights/sequence.c: parts run in their order, each on what the one before it left. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tests/support_weights.h"

static struct world w;

static void setup(void)
{
	world_open(&w, &toy_scheme);
}

static void teardown(void)
{
	world_close(&w);
}

/* As run_attack(), with options that hold blanks. */
static struct product run_parts(const char *parts, int run, struct ledger *l, int want)
{
	const struct attack *a = attack_named("sequence");
	void *conf = conf_of(&a->drv, "");
	struct access_store *keep;
	struct ledger own = { 0 };
	struct product p = { 0 };
	struct access access;
	char number[16];
	int ret;

	snprintf(number, sizeof(number), "%d", run);
	ck_assert(opt_set(a->drv.opts, conf, "parts", parts) == 0 && opt_set(a->drv.opts, conf, "run", number) == 0);
	ck_assert_int_eq(access_open(&access, &keep, &w.setup, a->needs_for(conf), 7, l ? l : &own), 0);
	ret = a->run(&access, conf, &p);
	ck_assert_msg(ret == want, "%s: %s", parts, error_text());
	error_clear();
	access_close(&access, keep);
	free(conf);
	return p;
}

static size_t zeros(const struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nx; i++)
		n += m->x[i] == 0;
	return n;
}

/* Tuned first and pruned then, half of the weights are zero; pruned first and tuned then, fewer (where no gradient comes, they stay). */
START_TEST(order_counts)
{
	struct product a = run_parts("prune rate=0.5; finetune epochs=1 images=100", 8, NULL, 0),
		       b = run_parts("finetune epochs=1 images=100; prune rate=0.5", 8, NULL, 0);

	ck_assert_uint_gt(zeros(b.model), zeros(a.model) + zeros(a.model) / 4);
	ck_assert_ptr_nonnull(json_object_get(a.notes, "prune"));
	ck_assert_int_eq(jget_int(json_object_get(a.notes, "finetune"), "images", 0), 100);
	product_release(&a);
	product_release(&b);
}
END_TEST

/* The first part alone is the attack alone: its bits, under the part's own seed where it draws none. */
START_TEST(one_part_is_that_attack)
{
	struct product a = run_parts("prune rate=0.3; finetune epochs=1", 1, NULL, 0), b;

	run_attack(&w, "prune", "rate=0.3", NULL, &b);
	ck_assert_uint_eq(model_bits(a.model), model_bits(b.model));
	product_release(&a);
	product_release(&b);
	a = run_parts("prune rate=0.3; finetune epochs=1", 0, NULL, 0);
	ck_assert_uint_eq(model_bits(a.model), model_bits(w.locked.model));
	product_release(&a);
}
END_TEST

/* All parts' needs, and one ledger. */
START_TEST(needs_add_up)
{
	const struct attack *a = attack_named("sequence");
	void *conf = conf_of(&a->drv, "");
	struct ledger l = { 0 };
	struct product p = run_parts("finetune epochs=2 images=100; finetune epochs=1 images=50", 8, &l, 0);

	ck_assert_int_eq(l.labels, 150);
	ck_assert_double_eq(l.forward_equivalents, 3 * 250);
	product_release(&p);
	ck_assert_int_eq(opt_set(a->drv.opts, conf, "parts", "prune; extract; collude"), 0);
	ck_assert_uint_eq(a->needs_for(conf), CAP_WEIGHTS | CAP_WRITE | CAP_CRED | CAP_PROB | CAP_UNLABELLED | CAP_ARCH);
	ck_assert_ptr_nonnull(a->inapplicable(conf, 0, 0)); /* there are no users */
	ck_assert_ptr_null(a->inapplicable(conf, 1, 0));
	free(conf);
}
END_TEST

/* All of the toy's users run one network: pool has nothing to do, and so the cell is n/a, with pool's reason. */
START_TEST(a_part_that_does_not_apply)
{
	struct product p = run_parts("pool; finetune epochs=1", 8, NULL, 0);

	ck_assert_ptr_nonnull(p.inapplicable);
	product_release(&p);
}
END_TEST

/* Mistakes are named, and what leaves no network is no part. */
START_TEST(what_is_no_sequence)
{
	static const char *const wrong[] = { "prune; ", "prune rate", "prune rate=2", "puddle", "sequence", "jpeg", "prune rate=0.5; jpeg" };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct product p = run_parts(wrong[i], 8, NULL, -1);

		product_release(&p);
	}
}
END_TEST

Suite *suite_sequence(void);
Suite *suite_sequence(void)
{
	Suite *s = suite_create("sequence");
	TCase *tc = tcase_create("sequence");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, order_counts);
	tcase_add_test(tc, one_part_is_that_attack);
	tcase_add_test(tc, needs_add_up);
	tcase_add_test(tc, a_part_that_does_not_apply);
	tcase_add_test(tc, what_is_no_sequence);
	suite_add_tcase(s, tc);
	return s;
}
