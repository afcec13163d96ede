/* attacks/weights/overwrite.c: the thief's mark stands, and what becomes of the owner's is judged by his verifier. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tests/support_stage.h"
#include "tests/support_weights.h"

extern const struct scheme scheme_activeguard;

static struct desk desk;
static struct stage ag;

static void setup(void)
{
	desk_open(&desk);
	stage_open(&ag, &desk, &scheme_activeguard, "watermark=finetune finetune-epochs=8 finetune-lr=0.002", 0);
}

static void teardown(void)
{
	stage_close(&ag);
	desk_close(&desk);
}

/* Digits over digits, in the owner's own layer and by his method: the thief's stand, the owner's give way more than by tuning alone, and
 * the network stays within 5 points. */
START_TEST(digits_over_digits)
{
	double owners, tuned, accuracy;
	json_t *notes;

	ck_assert_double_eq(stage_percent(&ag, "overwrite", "epochs=0", NULL, "mark_matched", NULL), 100);
	owners = stage_percent(&ag, "overwrite", "epochs=40 length=100 lambda=1 layer=conv2.weight lr=0.002", NULL, "mark_matched", &notes);
	ck_assert_int_eq(jget_int(notes, "own_symbols", 0), 100);
	ck_assert_int_ge(jget_int(notes, "own_symbols_read", 0), 80);
	json_decref(notes);
	tuned = stage_percent(&ag, "finetune", "epochs=40 lr=0.002", NULL, "mark_matched", NULL);
	ck_assert_double_lt(owners, tuned);
	accuracy = stage_percent(&ag, "overwrite", "epochs=40 length=100 lambda=1 layer=conv2.weight lr=0.002", NULL, "attacked_correct", NULL);
	ck_assert_double_gt(accuracy, stage_accuracy(&ag, ag.lock.locked.model) - 5);
}
END_TEST

/* Trigger images are learnt beside the task. */
START_TEST(triggers_are_learnt)
{
	struct ledger l = { 0 };
	json_t *notes;
	double accuracy = stage_percent(&ag, "overwrite", "mark=triggers length=20 epochs=30", &l, "attacked_correct", &notes);

	ck_assert_int_ge(jget_int(notes, "own_symbols_read", 0), 18);
	ck_assert_double_gt(accuracy, stage_accuracy(&ag, ag.lock.locked.model) - 5);
	ck_assert_int_eq(l.labels, desk.splits.pool.n);
	json_decref(notes);
}
END_TEST

/* No convolution, no digits: the network is left alone and the notes say why. */
START_TEST(networks_without_convolutions)
{
	struct world plain;
	struct product p;

	world_open(&plain, &toy_scheme);
	run_attack(&plain, "overwrite", "epochs=1", NULL, &p);
	ck_assert_uint_eq(model_bits(p.model), model_bits(plain.locked.model));
	ck_assert_str_ne(jget_str(p.notes, "nothing_to_do", ""), "");
	product_release(&p);
	world_close(&plain);
}
END_TEST

Suite *suite_overwrite(void);
Suite *suite_overwrite(void)
{
	Suite *s = suite_create("overwrite");
	TCase *tc = tcase_create("overwrite");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, digits_over_digits);
	tcase_add_test(tc, triggers_are_learnt);
	tcase_add_test(tc, networks_without_convolutions);
	suite_add_tcase(s, tc);
	return s;
}
