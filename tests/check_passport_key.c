/* attacks/login/passport_key.c, and attacks/lock/affine.c on real passports: what the notes on DeepIPR expect (V1, synthetic images, LeNet-5 with norms). */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tests/support_stage.h"
#include "tests/support_weights.h"

extern const struct scheme scheme_passport;

static struct desk desk;
static struct stage v1;
static double authorised, locked;

static void setup(void)
{
	struct model *m;

	desk_open(&desk);
	stage_open(&v1, &desk, &scheme_passport, "alpha=1", 2);
	m = scheme_passport.unlock(&v1.lock.service, v1.w.creds, 0);
	if (!m)
		die(EXIT_FAILED_CELLS, NULL);
	authorised = stage_accuracy(&v1, m);
	locked = stage_accuracy(&v1, v1.lock.locked.model);
	model_free(m);
}

static void teardown(void)
{
	stage_close(&v1);
	desk_close(&desk);
}

/* Test images right with the forged passport: percent. */
static double accuracy_with(const char *options, struct ledger *l, json_t **notes)
{
	struct product p;
	struct model *m;
	double percent;

	run_attack(&v1.w, "passport-key", options, l, &p);
	ck_assert_int_eq(p.ncreds, 1);
	m = scheme_passport.unlock(&v1.lock.service, p.creds, 0);
	ck_assert_msg(m != NULL, "%s", error_text());
	percent = stage_accuracy(&v1, m);
	if (notes)
		*notes = json_incref(p.notes);
	model_free(m);
	product_release(&p);
	return percent;
}

/* Expected: passports drawn anew give about chance, whatever they are made of (DeepIPR: 10 % on CIFAR-10). */
START_TEST(redrawn_passports_open_nothing)
{
	static const char *const options[] = { "method=redraw kind=random", "method=redraw kind=image", "method=redraw kind=shuffle" };

	ck_assert_double_gt(authorised, 80);
	ck_assert_double_lt(locked, 40);
	ck_assert_double_eq(stage_percent(&v1, "passport-key", options[_i], NULL, "forged_accepted", NULL), 0);
}
END_TEST

/* Passports of noise are trained on a few hundred labels: weights at rest, most of the accuracy comes back. */
START_TEST(passports_are_learnt)
{
	struct ledger l = { 0 };
	json_t *notes;
	const double got = accuracy_with("images=480 epochs=40", &l, &notes);

	ck_assert_double_gt(got, locked + (authorised - locked) / 2);
	ck_assert_int_eq(l.labels, desk.splits.pool.n);
	ck_assert_double_gt(jget_num(notes, "training_accuracy", 0), 0.5);
	json_decref(notes);
	ck_assert_double_eq(stage_percent(&v1, "passport-key", "images=480 epochs=40", NULL, "forged_accepted", NULL), 100);
}
END_TEST

/* A leaked passport becomes another one with the leaked one's accuracy and another signature (flip=0.1 keeps most signs). */
START_TEST(a_second_owner)
{
	json_t *notes;
	const double got = accuracy_with("method=differ flip=0.1 images=1000 epochs=10", NULL, &notes);

	ck_assert_double_gt(got, authorised - 5);
	ck_assert_double_gt(jget_num(notes, "signs_as_wanted", 0), 0.85);
	json_decref(notes);
}
END_TEST

/* The known break: every weight stays, scales and shifts are learnt on labels of a tenth as many images as the owner had, none of them
 * his. CERB comes within 8 points of what a passport gives (Chen et al., disjoint data: 3), plain retraining more than half of the way, and
 * is the weaker one, as they report. */
START_TEST(passports_fall_to_affine_retraining)
{
	const int tenth = v1.w.setup.splits->owner.n / 10;
	struct ledger l = { 0 };
	char options[96];
	double cerb, plain;

	snprintf(options, sizeof(options), "kind=cerb images=%d steps=600", tenth);
	cerb = stage_percent(&v1, "affine", options, &l, "attacked_correct", NULL);
	snprintf(options, sizeof(options), "kind=plain lr=0.05 images=%d steps=600", tenth);
	plain = stage_percent(&v1, "affine", options, NULL, "attacked_correct", NULL);
	ck_assert_double_gt(cerb, authorised - 8);
	ck_assert_double_gt(plain, locked + (authorised - locked) / 2);
	ck_assert_double_gt(cerb, plain);
	ck_assert_int_eq(l.labels, tenth);
}
END_TEST

/* Other schemes have no passports: the cell says so. Nothing learnt, nothing forged. */
START_TEST(nothing_to_forge)
{
	struct world toy;
	struct product p;

	run_attack(&v1.w, "passport-key", "epochs=0", NULL, &p);
	ck_assert_int_eq(p.ncreds, 0);
	product_release(&p);
	world_open(&toy, &toy_scheme);
	run_attack(&toy, "passport-key", "", NULL, &p);
	ck_assert_ptr_nonnull(p.inapplicable);
	product_release(&p);
	world_close(&toy);
}
END_TEST

Suite *suite_passport_key(void);
Suite *suite_passport_key(void)
{
	Suite *s = suite_create("passport_key");
	TCase *tc = tcase_create("passport_key");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, redrawn_passports_open_nothing, 0, 3);
	tcase_add_test(tc, passports_are_learnt);
	tcase_add_test(tc, a_second_owner);
	tcase_add_test(tc, passports_fall_to_affine_retraining);
	tcase_add_test(tc, nothing_to_forge);
	suite_add_tcase(s, tc);
	return s;
}
