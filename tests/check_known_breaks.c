/* The known breaks that no suite of an attack holds already, drivers against the real schemes at small scale. Those that others hold: forgery
 * of logins (check_forge_adaptive), digits by permutation (check_transform), passports (check_passport_key), low bits under JPEG while
 * the class survives (check_stego_class), one pair and many (check_replay), a fixed wrong label (check_decode), spliced and blended
 * credentials (check_collude). */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tests/support_stage.h"
#include "tests/support_weights.h"

extern const struct scheme scheme_activeguard, scheme_chaotic;

static struct desk desk;

static void setup(void)
{
	desk_open(&desk);
}

static void teardown(void)
{
	desk_close(&desk);
}

/* Whatever a gate checks, the network beside it answers: strip gets what authorised users get, to the image, with no query, no label and
 * no training; nobody without a credential gets anything near it from the service. */
START_TEST(strip_restores_every_gate)
{
	int gates = 0;

	for (int i = 0; schemes[i]; i++) {
		const struct scheme *s = (const struct scheme *)schemes[i];
		struct ledger l = { 0 };
		struct model *plain;
		struct stage g;
		double full;

		if (!s->decl.gate)
			continue;
		gates++;
		stage_open(&g, &desk, s, s->tier[0] ? s->tier[0] : "", 0);
		plain = model_copy(g.lock.locked.model);
		full = stage_accuracy(&g, plain); /* an extra class never wins on test images, or counts as a mistake */
		ck_assert_double_gt(full, 80);
		ck_assert_double_ge(stage_percent(&g, "strip", "", &l, "attacked_correct", NULL), full);
		ck_assert_int_lt(lock_correct(&g.lock, &desk, NULL, 0, 300, 1), 300 / 4);
		ck_assert(!l.queries && !l.labels && !l.submissions && l.forward_equivalents <= 0);
		model_free(plain);
		stage_close(&g);
	}
	ck_assert_int_ge(gates, 3);
}
END_TEST

/* ActiveGuard, Table VI: wm1 has digits 0 to 2, which are small weights, and is gone with half of them, while wm2, without such, stands. */
START_TEST(small_digits_die_by_pruning)
{
	static const char *const digits[] = { "1234567890210", "3876876994865" };
	double left[2], whole[2], accuracy = 0;

	for (int i = 0; i < 2; i++) {
		char options[128];
		struct stage g;

		snprintf(options, sizeof(options), "watermark=finetune finetune-epochs=8 finetune-lr=0.002 digits=%s", digits[i]);
		stage_open(&g, &desk, &scheme_activeguard, options, 0);
		whole[i] = stage_percent(&g, "prune", "rate=0", NULL, "mark_matched", NULL);
		left[i] = stage_percent(&g, "prune", "rate=0.5", NULL, "mark_matched", NULL);
		if (!i)
			accuracy = stage_accuracy(&g, g.lock.locked.model) - stage_percent(&g, "prune", "rate=0.5", NULL, "attacked_correct", NULL);
		stage_close(&g);
	}
	ck_assert(whole[0] >= 100 && whole[1] >= 100);
	ck_assert_double_lt(left[0], 100);
	ck_assert_double_ge(left[1], 100);
	ck_assert_double_lt(accuracy, 5); /* within the 5 points of a practical attack */
}
END_TEST

/* The scheme's own squares and keys: conv2's are of side 6, 4 and 2, with 144, 48 and 6 keys each. All that matters comes back; kernels of
 * units that never fire may lie anywhere, for no answer says where (check_chaos_search has the search that ends bit-exact). */
START_TEST(chaotic_keys_are_found)
{
	const struct param *was = model_find(desk.base, "conv2.weight"), *now;
	size_t same = 0, before = 0;
	struct product p;
	struct stage g;

	stage_open(&g, &desk, &scheme_chaotic, "layers=conv2", 2);
	run_attack(&g.w, "chaos-search", "images=300 candidates=1000", NULL, &p);
	now = model_find(p.model, "conv2.weight");
	for (size_t i = 0; i < was->len; i++) {
		same += now->x[i] == was->x[i];
		before += model_find(g.lock.locked.model, "conv2.weight")->x[i] == was->x[i];
	}
	ck_assert_uint_lt(before, was->len / 4);
	ck_assert_uint_gt(same, was->len / 2);
	ck_assert_double_gt(stage_accuracy(&g, p.model), stage_accuracy(&g, desk.base) - 1);
	ck_assert_double_lt(stage_accuracy(&g, g.lock.locked.model), 50);
	ck_assert_double_lt(jget_num(p.notes, "key_bits", 99), 32);
	product_release(&p);
	stage_close(&g);
}
END_TEST

/* One large square under a key of the scheme's own, of |SL2(Z_84)| = 387,072: bit for bit, in far fewer trials. */
START_TEST(a_chaotic_key_is_found_to_the_bit)
{
	struct product p;
	struct stage g;

	stage_open(&g, &desk, &scheme_chaotic, "layers=fc2.weight tile=no", 2);
	run_attack(&g.w, "chaos-search", "images=30", NULL, &p);
	ck_assert_int_ne(memcmp(g.lock.locked.model->x, desk.base->x, desk.base->nx * sizeof(real)), 0);
	ck_assert_int_eq(memcmp(p.model->x, desk.base->x, desk.base->nx * sizeof(real)), 0);
	ck_assert_int_lt(jget_int(p.notes, "trials", 0), 387072 / 100);
	product_release(&p);
	ck_assert_double_eq(stage_percent(&g, "chaos-search", "images=30", NULL, "pieces_equal", NULL), 100);
	ck_assert_double_eq(stage_percent(&g, "chaos-search", "images=30 order=no candidates=1", NULL, "pieces_equal", NULL), 0);
	stage_close(&g);
}
END_TEST

Suite *suite_known_breaks(void);
Suite *suite_known_breaks(void)
{
	Suite *s = suite_create("known_breaks");
	TCase *tc = tcase_create("known_breaks");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, strip_restores_every_gate);
	tcase_add_test(tc, small_digits_die_by_pruning);
	tcase_add_test(tc, chaotic_keys_are_found);
	tcase_add_test(tc, a_chaotic_key_is_found_to_the_bit);
	suite_add_tcase(s, tc);
	return s;
}
