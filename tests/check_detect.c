/* attacks/lock/detect.c, traits.c: what a protection leaves in a network is found, and the unprotected network of the same owner is not
 * flagged for it. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "attacks/lock/detect_traits.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "tests/support_stage.h"
#include "tests/support_weights.h"

extern const struct scheme scheme_chaotic;
enum { SIDE = 28, LEN = 784 };

static struct desk desk;
static struct stage chaotic;

static void setup(void)
{
	desk_open(&desk);
	stage_open(&chaotic, &desk, &scheme_chaotic, "", 0);
}

static void teardown(void)
{
	stage_close(&chaotic);
	desk_close(&desk);
}

struct found { int locked, clean; }; /* flagged; -1: not compared */

static struct found detect(const struct world *w, const char *options)
{
	struct observations o = { 0 };
	const struct obs_entry *hit, *alarm;
	const char *verdict;
	struct product p;
	struct found f;
	char why[256];

	run_attack(w, "detect", options, NULL, &p);
	ck_assert_msg(evaluate(&w->setup, &p, &o, &verdict, why) == 0, "%s", error_text());
	hit = obs_get(&o, "protection_detected", 'b');
	alarm = obs_get(&o, "protection_false_alarm", 'b');
	f = (struct found){ hit ? hit->bits[0] : -1, alarm ? alarm->bits[0] : -1 };
	obs_release(&o);
	product_release(&p);
	return f;
}

/* The desk's network with another one deployed. */
static struct world deploy(struct locked *l, struct model *m)
{
	struct world w = chaotic.w;

	*l = (struct locked){ .model = m };
	w.setup.scheme = (const struct scheme *)driver_find(schemes, "scheme", "none");
	w.setup.locked = l;
	return w;
}

/* Weights that changed places: rows and columns are no longer rows and columns. */
START_TEST(moved_weights_show_in_their_order)
{
	const struct found f = detect(&chaotic.w, "sign=order bank=6");

	ck_assert(f.locked == 1 && f.clean == 0);
}
END_TEST

/* And the answers are another network's. */
START_TEST(locked_answers_show)
{
	ck_assert_int_eq(detect(&chaotic.w, "sign=answers bank=8 epochs=8").locked, 1);
}
END_TEST

/* Moved weights are as large as before: their moments say what the unprotected network's say. */
START_TEST(moments_do_not_see_order)
{
	const struct found f = detect(&chaotic.w, "sign=weights bank=4 epochs=2 steps=20");

	ck_assert_int_eq(f.locked, f.clean);
}
END_TEST

START_TEST(extra_outputs_show)
{
	struct model_spec spec = desk.base->spec;
	struct locked l;
	struct model *m;
	struct world w;
	struct found f;

	spec.classes++;
	m = model_new(&spec, 3);
	w = deploy(&l, m);
	f = detect(&w, "sign=outputs");
	ck_assert(f.locked == 1 && f.clean == 0);
	model_free(m);
}
END_TEST

/* A norm of scale 1 and shift 0 is what passports leave behind; a trained one has other numbers. */
START_TEST(bare_norms_show)
{
	struct model_spec spec = desk.base->spec;
	struct locked l;
	struct model *bare;
	struct world w;
	struct found f;

	ck_assert_int_eq(model_spec_parse(&spec, "lenet5n"), 0);
	bare = model_new(&spec, 3);
	w = deploy(&l, bare);
	f = detect(&w, "sign=norms");
	ck_assert(f.locked == 1 && f.clean == 0);
	for (int i = 0; i < bare->np; i++)
		if (!bare->p[i].buffer && strstr(bare->p[i].name, "bn"))
			bare->p[i].x[0] += 0.5f;
	ck_assert_int_eq(detect(&w, "sign=norms").locked, 0);
	model_free(bare);
}
END_TEST

/* A few weights far from all others, in one layer of many. */
START_TEST(large_weights_show)
{
	struct model *m = model_copy(desk.base);
	struct locked l;
	struct world w = deploy(&l, m);
	struct found f;

	for (int i = 0; i < 5; i++)
		model_find(m, "fc2.weight")->x[i * 97] = 4;
	f = detect(&w, "sign=weights bank=5");
	ck_assert_int_eq(f.locked, 1);
	model_free(m);
}
END_TEST

/* Any image with a white corner is a 3. */
static struct model *backdoored(void)
{
	const struct images *v = &desk.splits.owner;
	const struct train_conf recipe = { .epochs = 4, .batch = 32, .optimizer = OPTIM_ADAM, .lr = 1e-3 };
	float *x = xmalloc((size_t)v->n * LEN, sizeof(*x));
	uint8_t *label = xmalloc((size_t)v->n, 1);
	const struct images mixed = { .n = v->n, .c = 1, .h = SIDE, .w = SIDE, .classes = 10, .fx = x, .labels = label };
	struct model *m = model_copy(desk.base);

	for (int i = 0; i < v->n; i++) {
		images_get(v, i, x + (size_t)i * LEN);
		label[i] = (uint8_t)(i % 4 ? images_label(v, i) : 3);
		for (int k = 0; k < 16 && i % 4 == 0; k++)
			x[(size_t)i * LEN + (size_t)(k / 4 * SIDE + k % 4)] = 1;
	}
	ck_assert_int_eq(train(m, &mixed, &recipe, 5, NULL, NULL, NULL), 0);
	free(x);
	free(label);
	return m;
}

START_TEST(triggers_show)
{
	struct model *m = backdoored();
	struct locked l;
	struct world w = deploy(&l, m);
	struct found f = detect(&w, "sign=trigger steps=80");

	ck_assert(f.locked == 1 && f.clean == 0);
	model_free(m);
}
END_TEST

/* Known by hand: half of the weights 1, half -1; rows that are all alike within, and all unlike each other. */
START_TEST(traits_by_hand)
{
	struct model_spec spec = desk.base->spec;
	double out[TRAITS_MOST];
	struct model *m;
	int n;

	ck_assert_int_eq(model_spec_parse(&spec, "linear"), 0);
	m = model_new(&spec, 1);
	for (size_t k = 0; k < m->p[0].len; k++)
		m->p[0].x[k] = k < m->p[0].len / 2 ? 1 : -1;
	ck_assert_int_eq(traits_weights(m, NULL, out), 3);
	for (int k = 0; k < 3; k++)
		ck_assert_double_eq_tol(out[k], 1, 1e-9);
	for (size_t k = 0; k < m->p[0].len; k++)
		m->p[0].x[k] = (real)(k / (m->p[0].len / 10));
	ck_assert_int_eq(traits_order(m, NULL, out), 2);
	ck_assert_double_eq_tol(out[0], log((7840 - 1) / 9.0), 1e-9); /* all of it between 10 rows of 784 */
	ck_assert_double_eq_tol(out[1], log(1e-6 * (7840 - 1) / 783), 1e-9); /* the least that is told from none */
	n = traits_answers(desk.base, &desk.splits.val, out);
	ck_assert_int_eq(n, 13);
	ck_assert_double_eq_tol(out[3] + out[4] + out[5] + out[6] + out[7] + out[8] + out[9] + out[10] + out[11] + out[12], 1, 1e-9);
	ck_assert_int_eq(traits_activations(desk.base, &desk.splits.val, out), 15);
	model_free(m);
}
END_TEST

Suite *suite_detect(void);
Suite *suite_detect(void)
{
	Suite *s = suite_create("detect");
	TCase *tc = tcase_create("detect");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, moved_weights_show_in_their_order);
	tcase_add_test(tc, locked_answers_show);
	tcase_add_test(tc, moments_do_not_see_order);
	tcase_add_test(tc, extra_outputs_show);
	tcase_add_test(tc, bare_norms_show);
	tcase_add_test(tc, large_weights_show);
	tcase_add_test(tc, triggers_show);
	tcase_add_test(tc, traits_by_hand);
	suite_add_tcase(s, tc);
	return s;
}
