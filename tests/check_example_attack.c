/* docs/examples/attack.c, the guide's attack, compiled as it stands and put through what the contract asks of every attack. */
#include <check.h>
#include <string.h>

#include "docs/examples/attack.c"
#include "base/file.h"
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

static struct product attacked(const char *options, struct ledger *l)
{
	struct product p;

	ck_assert_msg(world_attack(&w, &attack_selfteach, options, l, &p) == 0, "%s", error_text());
	return p;
}

START_TEST(it_is_complete)
{
	const struct attack *a = &attack_selfteach;
	char text[160];

	ck_assert_msg(driver_check(&a->drv) == 0, "%s", error_text());
	ck_assert_ptr_nonnull(opt_find(a->drv.opts, a->strength));
	ck_assert_str_ne(capability_text(a->needs, text), "");
	for (int i = 0; i < 3; i++) {
		void *conf = conf_of(&a->drv, a->tier[i] ? a->tier[i] : "");

		ck_assert_ptr_nonnull(conf);
		free(conf);
	}
}
END_TEST

/* Strength 0 leaves every bit; more epochs lead farther; the same again is the same; what it costs is in the ledger. */
START_TEST(it_keeps_the_contract)
{
	struct ledger l = { 0 };
	struct product none = attacked("epochs=0", &l), one, same, four;
	const int n = w.splits.pool.n;

	ck_assert_uint_eq(model_bits(none.model), model_bits(w.locked.model));
	ck_assert(l.forward_equivalents <= 0);
	one = attacked("epochs=1", &l);
	ck_assert_double_eq(l.forward_equivalents, n + 3.0 * n);
	ck_assert(!l.labels && !l.queries);
	same = attacked("epochs=1", NULL);
	ck_assert_uint_eq(model_bits(one.model), model_bits(same.model));
	four = attacked("epochs=4", NULL);
	ck_assert_double_gt(models_apart(four.model, w.locked.model), models_apart(one.model, w.locked.model));
	product_release(&none);
	product_release(&one);
	product_release(&same);
	product_release(&four);
}
END_TEST

/* Judged like any other: the toy's mark, eight weights that nothing holds in place, is washed out, the accuracy is not. */
START_TEST(it_is_judged)
{
	struct product p = attacked("epochs=5", NULL);
	struct observations o = { 0 };
	const char *verdict;
	char why[256];

	ck_assert_msg(evaluate(&w.setup, &p, &o, &verdict, why) == 0, "%s", error_text());
	ck_assert_str_eq(verdict, "ok");
	ck_assert_double_lt(obs_getnum(&o, "ownership_verified", 1), 1);
	ck_assert_int_gt(obs_get(&o, "attacked_correct", 'b')->k, world_right(&w, w.locked.model) * 8 / 10);
	obs_release(&o);
	product_release(&p);
}
END_TEST

/* The guide promises 60 to 100 lines, and shows the file as it is. */
START_TEST(it_is_what_the_guide_shows)
{
	size_t len;
	char *text = file_read("docs/examples/attack.c", 1 << 20, &len), *page = file_read("docs/writing-drivers.md", 1 << 20, &len);
	int lines = 0;

	ck_assert(text && page);
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	ck_assert(lines >= 60 && lines <= 100);
	ck_assert_ptr_nonnull(strstr(page, text));
	free(text);
	free(page);
}
END_TEST

Suite *suite_example_attack(void);
Suite *suite_example_attack(void)
{
	Suite *s = suite_create("example_attack");
	TCase *tc = tcase_create("example_attack");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, it_is_complete);
	tcase_add_test(tc, it_keeps_the_contract);
	tcase_add_test(tc, it_is_judged);
	tcase_add_test(tc, it_is_what_the_guide_shows);
	suite_add_tcase(s, tc);
	return s;
}
