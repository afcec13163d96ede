/* attacks/weights/transform.c: every answer stays, the numbers and a mark in them do not. Which channels belong together: check_wiring.c. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tests/support_scheme.h"
#include "tests/support_weights.h"

extern const struct scheme scheme_activeguard;

static struct world w;

static void setup(void)
{
	world_open(&w, &toy_scheme);
}

static void teardown(void)
{
	world_close(&w);
}

static const char *const kinds[] = { "kind=permute", "kind=scale", "kind=both flip=yes factor=4", "kind=permute share=0.4" };

static void keeps_answers_of(const char *net)
{
	struct world other = w;

	other.base = model_copy(w.base);
	other.locked.model = model_copy(w.locked.model);
	other.setup.locked = &other.locked;
	world_swap(&other, net);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct product p;

		run_attack(&other, "transform", kinds[i], NULL, &p);
		ck_assert_double_gt(models_apart(p.model, other.locked.model), 0.05);
		ck_assert_double_lt(answers_apart(&other, other.base, p.model), 1e-4);
		product_release(&p);
	}
	model_free(other.base);
	model_free(other.locked.model);
}

START_TEST(answers_stay_on_every_architecture)
{
	keeps_answers_of("lenet5");
	keeps_answers_of("mlp-9");
	keeps_answers_of("wrn10-1");
	keeps_answers_of("wrn10t-2");
}
END_TEST

START_TEST(a_trained_network_keeps_its_accuracy)
{
	struct product p;

	run_attack(&w, "transform", "kind=both", NULL, &p);
	ck_assert_int_eq(world_right(&w, p.model), world_right(&w, w.locked.model));
	ck_assert_double_le(jget_num(p.notes, "drift", 1), 1e-4);
	product_release(&p);
}
END_TEST

START_TEST(more_channels_more_changes)
{
	expect_untouched(&w, "transform", "share=0");
	expect_untouched(&w, "transform", "share=0 kind=both");
	ck_assert_double_lt(distance_under(&w, "transform", "share=0.2"), distance_under(&w, "transform", "share=0.9"));
	ck_assert_double_lt(distance_under(&w, "transform", "kind=scale factor=1.1"), distance_under(&w, "transform", "kind=scale factor=3"));
}
END_TEST

static int digits_read(const struct lock *l, const struct model *m)
{
	struct ownership *o = xcalloc(1, sizeof(*o));
	int matched;

	ck_assert_int_eq(l->scheme->verify(l->conf, &l->locked, m, o), 0);
	ck_assert_int_eq(o->applies, 1);
	matched = o->verified ? o->total : o->matched;
	if (o->verified)
		ck_assert_int_eq(o->matched, o->total);
	free(o);
	return matched;
}

/* The known break of ActiveGuard's watermark (reference, M11): positions are indices into a filter, so permuting the layer's
 * input channels leaves a few digits right by chance, while no answer changes. */
START_TEST(activeguards_digits_die)
{
	struct desk d;
	struct lock l;
	struct world ag = { 0 };
	struct product p;

	desk_open(&d);
	ck_assert_msg(lock_open(&l, &d, &scheme_activeguard, "watermark=finetune finetune-epochs=8 finetune-lr=0.002") == 0, "%s", error_text());
	ag.locked = l.locked;
	ag.setup = (struct setup){ .data = d.data, .splits = &d.splits, .scheme = l.scheme, .conf = l.conf, .base = d.base, .locked = &ag.locked };
	ck_assert_int_eq(digits_read(&l, l.locked.model), 13);
	run_attack(&ag, "transform", "", NULL, &p);
	ck_assert_int_le(digits_read(&l, p.model), 9);
	ck_assert_double_lt(answers_apart(&ag, l.locked.model, p.model), 1e-4);
	ck_assert_int_eq(world_right(&ag, p.model), world_right(&ag, l.locked.model));
	product_release(&p);
	lock_close(&l);
	desk_close(&d);
}
END_TEST

Suite *suite_transform(void);
Suite *suite_transform(void)
{
	Suite *s = suite_create("transform");
	TCase *tc = tcase_create("transform");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, answers_stay_on_every_architecture);
	tcase_add_test(tc, a_trained_network_keeps_its_accuracy);
	tcase_add_test(tc, more_channels_more_changes);
	tcase_add_test(tc, activeguards_digits_die);
	suite_add_tcase(s, tc);
	return s;
}
