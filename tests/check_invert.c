/* attacks/query/invert.c: a lock whose trigger nobody leaked is opened by what gradients find. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tests/support_scheme.h"
#include "tests/support_weights.h"

enum { LEN = 784, SIDE = 28, CORNER = 4 };

static void stamp(float *x)
{
	for (int y = SIDE - CORNER; y < SIDE; y++)
		for (int k = SIDE - CORNER; k < SIDE; k++)
			x[y * SIDE + k] = 1;
}

static int stamp_prepare(const struct service *s, const struct bundle *creds, int at, const struct images *v, float *out)
{
	(void)s, (void)creds, (void)at;
	for (int i = 0; i < v->n; i++, out += LEN) {
		images_get(v, i, out);
		stamp(out);
	}
	return 0;
}

static const struct scheme stamp_scheme = {
	.drv = { .name = "stamp", .summary = "a patch opens it", .source = "none. Differs: nothing", .version = 1 },
	.decl = { .has_users = 1 }, .prepare = stamp_prepare,
};

static struct desk desk;
static struct world w;
static int right_open, right_locked; /* of 500: with and without the trigger */

/* Images of v, stamped or not, with their class or the next one: new arrays. */
static struct images twice(const struct images *v, float **fx, uint8_t **label)
{
	*fx = xmalloc((size_t)2 * (size_t)v->n * LEN, sizeof(**fx));
	*label = xmalloc((size_t)2 * (size_t)v->n, 1);
	for (int i = 0; i < 2 * v->n; i++) {
		images_get(v, i / 2, *fx + (size_t)i * LEN);
		(*label)[i] = (uint8_t)((images_label(v, i / 2) + i % 2) % 10);
		if (i % 2 == 0)
			stamp(*fx + (size_t)i * LEN);
	}
	return (struct images){ .n = 2 * v->n, .c = 1, .h = SIDE, .w = SIDE, .classes = 10, .fx = *fx, .labels = *label };
}

static void setup(void)
{
	const struct train_conf recipe = { .epochs = 5, .batch = 32, .optimizer = OPTIM_ADAM, .lr = 2e-3 };
	uint8_t *label, *right;
	struct images v;
	float *fx;

	desk_open(&desk);
	w = (struct world){ .data = desk.data, .splits = desk.splits, .base = desk.base, .creds = bundle_new() };
	bundle_put_u8(w.creds, "key", 1, NULL);
	w.locked = (struct locked){ .model = model_copy(desk.base), .pub = bundle_new(), .secret = bundle_new() };
	w.setup = (struct setup){ .data = desk.data, .splits = &desk.splits, .scheme = &stamp_scheme, .base = desk.base, .locked = &w.locked,
				  .creds = w.creds, .users = 1, .per_user = 1, .seed = 7 };
	v = twice(&desk.splits.owner, &fx, &label);
	if (train(w.locked.model, &v, &recipe, 7, NULL, NULL, NULL) < 0)
		die(EXIT_FAILED_CELLS, NULL);
	free(fx);
	free(label);
	right_locked = world_right(&w, w.locked.model);
	v = twice(&desk.splits.test, &fx, &label);
	right = xmalloc((size_t)v.n, 1);
	model_correct(w.locked.model, &v, right);
	for (int i = 0; i < v.n; i += 2)
		right_open += right[i];
	free(right);
	free(fx);
	free(label);
}

static void teardown(void)
{
	locked_release(&w.locked);
	bundle_free(w.creds);
	desk_close(&desk);
}

static int right_by(const char *options, struct ledger *l, const char *key, double *note)
{
	struct observations o = { 0 };
	const char *verdict;
	struct product p;
	char why[256];
	int right;

	run_attack(&w, "invert", options, l, &p);
	ck_assert_msg(evaluate(&w.setup, &p, &o, &verdict, why) == 0, "%s", error_text());
	ck_assert_str_eq(verdict, "ok");
	right = (int)obs_get(&o, "attacked_correct", 'b')->k;
	if (key)
		*note = jget_num(p.notes, key, NAN);
	obs_release(&o);
	product_release(&p);
	return right;
}

/* Each form finds at least two thirds of what the trigger gives, on other images than it was found on. A wrong sign in a gradient, or
 * images that are not prepared at use, would leave the locked accuracy. */
START_TEST(the_lock_opens)
{
	static const char *const options[] = { "form=patch steps=200 batch=32", "form=shift lr=0.02 steps=200 batch=32", "form=encoder width=3 steps=200 batch=32" };
	struct ledger l = { 0 };
	double right = 0;
	int got;

	ck_assert_int_gt(right_open, right_locked + 350);
	got = right_by(options[_i], &l, "right_on_samples", &right);
	ck_assert_int_gt(got, right_locked + (right_open - right_locked) * 2 / 3);
	ck_assert_double_gt(right, 0.5);
	ck_assert(l.labels == 200 && l.forward_equivalents > 0 && !l.queries);
}
END_TEST

/* No images: what is sent is what came, to the bit. */
START_TEST(nothing_found_nothing_changed)
{
	ck_assert_int_eq(right_by("images=0", NULL, NULL, NULL), right_locked);
	ck_assert_int_eq(right_by("images=0 through=weights", NULL, NULL, NULL), right_locked);
}
END_TEST

/* A static trigger needs few pixels: what the mask costs keeps it smaller than where it costs next to nothing. */
START_TEST(masks_shrink)
{
	double costly, free_of_charge;

	right_by("steps=350 batch=32", NULL, "mask_l1", &costly);
	right_by("steps=350 batch=32 enough=1", NULL, "mask_l1", &free_of_charge);
	ck_assert_double_lt(costly, free_of_charge * 0.9);
}
END_TEST

/* Sure and balanced is not right: the label-free signal is no worse than nothing and asks for no label. */
START_TEST(without_labels)
{
	const struct attack *a = attack_named("invert");
	void *conf = conf_of(&a->drv, "signal=certain through=weights");
	struct ledger l = { 0 };

	ck_assert_uint_eq(a->needs_for(conf), CAP_WEIGHTS | CAP_GRADX | CAP_UNLABELLED);
	free(conf);
	ck_assert_int_ge(right_by("signal=certain form=shift eps=0.05 lr=0.005 steps=50", &l, NULL, NULL), right_locked / 2);
	ck_assert_int_eq(l.labels, 0);
}
END_TEST

Suite *suite_invert(void);
Suite *suite_invert(void)
{
	Suite *s = suite_create("invert");
	TCase *tc = tcase_create("invert");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, the_lock_opens, 0, 3);
	tcase_add_test(tc, nothing_found_nothing_changed);
	tcase_add_test(tc, masks_shrink);
	tcase_add_test(tc, without_labels);
	suite_add_tcase(s, tc);
	return s;
}
