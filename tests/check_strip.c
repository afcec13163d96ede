/* attacks/lock/strip.c: without the control part, the network is what it was. */
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

START_TEST(a_gate_keeps_nothing_back)
{
	const char *const options[] = { "", "from=memory user=7" };
	struct ledger l = { 0 };
	const char *verdict;
	char why[256];

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		struct observations o = { 0 };
		struct product p;

		run_attack(&w, "strip", options[i], &l, &p);
		ck_assert_uint_eq(model_bits(p.model), model_bits(w.locked.model));
		ck_assert_int_eq(evaluate(&w.setup, &p, &o, &verdict, why), 0);
		ck_assert_str_eq(verdict, "ok");
		ck_assert_int_eq(obs_get(&o, "attacked_correct", 'b')->k, obs_get(&o, "authorised_correct", 'b')->k);
		ck_assert_int_gt(obs_get(&o, "attacked_correct", 'b')->k, 60); /* of 200; who asks without a key gets 20 */
		obs_release(&o);
		product_release(&p);
	}
	ck_assert(!l.queries && !l.labels && l.forward_equivalents <= 0);
}
END_TEST

/* With an output more, whose answers would win: the others are the old ones, to the bit. */
START_TEST(extra_outputs_are_cut_off)
{
	struct model_spec spec = w.base->spec;
	struct world other = w;
	struct product p;
	struct model *m;

	spec.classes++;
	m = other.locked.model = model_new(&spec, 3);
	other.setup.locked = &other.locked;
	for (int i = 0; i < m->np; i++)
		memcpy(m->p[i].x, w.base->p[i].x, w.base->p[i].len * sizeof(*m->p[i].x));
	m->p[m->np - 1].x[10] = 100; /* the extra class always */
	ck_assert_int_lt(world_right(&w, m), 10);
	run_attack(&other, "strip", "", NULL, &p);
	ck_assert_int_eq(model_outputs(p.model), 10);
	ck_assert_uint_eq(model_bits(p.model), model_bits(w.base));
	ck_assert_int_eq(jget_int(p.notes, "outputs_cut", -1), 1);
	product_release(&p);
	model_free(m);
}
END_TEST

START_TEST(needs_and_applies)
{
	const struct attack *a = attack_named("strip");
	void *file = conf_of(&a->drv, ""), *memory = conf_of(&a->drv, "from=memory");

	ck_assert_uint_eq(a->needs_for(file), CAP_WRITE | CAP_WEIGHTS);
	ck_assert_uint_eq(a->needs_for(memory), CAP_WRITE | CAP_INSTANCE);
	ck_assert_ptr_null(a->inapplicable(file, 1, 0));
	ck_assert_ptr_nonnull(a->inapplicable(file, 0, 0)); /* as on the control: n/a there, or every scheme's cell is ATTACK-BROKEN */
	ck_assert_ptr_nonnull(a->inapplicable(memory, 0, 0));
	free(file);
	free(memory);
}
END_TEST

Suite *suite_strip(void);
Suite *suite_strip(void)
{
	Suite *s = suite_create("strip");
	TCase *tc = tcase_create("strip");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_gate_keeps_nothing_back);
	tcase_add_test(tc, extra_outputs_are_cut_off);
	tcase_add_test(tc, needs_and_applies);
	suite_add_tcase(s, tc);
	return s;
}
