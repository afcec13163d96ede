/* bench/evaluate.c, attacked.c, overhead.c: the toy scheme's outcomes are known, so every observation has an expected value. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "metrics/metric.h"
#include "tests/support_bench.h"

static struct world w;
static struct observations o;
static const char *verdict;
static char why[256];

static void setup(void)
{
	world_open(&w, &toy_scheme);
}

static void teardown(void)
{
	world_close(&w);
}

static void judge(const struct setup *s, const struct product *p)
{
	memset(&o, 0, sizeof(o));
	ck_assert_msg(evaluate(s, p, &o, &verdict, why) == 0, "%s", error_text());
}

static void attack(const char *name, const char *options)
{
	struct product p;

	ck_assert_msg(world_attack(&w, attack_named(name), options, NULL, &p) == 0, "%s", error_text());
	judge(&w.setup, &p);
	product_release(&p);
}

static void assert_bits(const char *name, long k, size_t n)
{
	const struct obs_entry *e = obs_get(&o, name, 'b');

	ck_assert_msg(e != NULL, "%s is missing", name);
	ck_assert_msg(e->k == k && e->n == n, "%s is %ld of %zu, not %ld of %zu", name, e->k, e->n, k, n);
}

static double total(const char *name)
{
	const struct obs_entry *e = obs_get(&o, name, 's');
	double sum = 0;

	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->n, 50);
	for (size_t i = 0; i < e->n; i++)
		sum += e->series[i];
	return sum;
}

static double sum_of(const char *name, size_t n)
{
	const struct obs_entry *e = obs_get(&o, name, 's');
	double sum = 0;

	ck_assert_msg(e && e->n == n, "%s is missing or of another length", name);
	for (size_t i = 0; i < n; i++)
		sum += e->series[i];
	return sum;
}

static double diagonal(const char *name, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += obs_get(&o, name, 's')->series[i * n + i];
	return sum;
}

/* Test images on which the base and the locked model answer alike; right: where the locked one is right. */
static long alike(const unsigned char *right)
{
	const struct images *test = &w.splits.test;
	float *a = xmalloc(200 * 10, sizeof(*a)), *b = xmalloc(200 * 10, sizeof(*b));
	int x[200], y[200];
	long n = 0;

	ck_assert_int_eq(model_predict_probs(w.base, test, a), 0);
	ck_assert_int_eq(model_predict_probs(w.locked.model, test, b), 0);
	argmax_rows(a, 200, 10, x);
	argmax_rows(b, 200, 10, y);
	for (int i = 0; i < 200; i++) {
		n += x[i] == y[i];
		ck_assert_int_eq(right[i], y[i] == images_label(test, i));
	}
	free(a);
	free(b);
	return n;
}

START_TEST(functional)
{
	unsigned char right[200];
	const int base = model_correct(w.base, &w.splits.test, right), locked = model_correct(w.locked.model, &w.splits.test, right);
	size_t numbers = 0;

	judge(&w.setup, NULL);
	ck_assert_str_eq(verdict, "ok");
	assert_bits("reference_correct", base, 200);
	assert_bits("authorised_correct", locked, 200);
	ck_assert_mem_eq(obs_get(&o, "authorised_correct", 'b')->bits, right, 200); /* in the order of the test view */
	ck_assert_int_lt(obs_get(&o, "unauthorised_correct", 'b')->k, 45);        /* 20 by chance, sd 4.2 */
	assert_bits("genuine_accepted", 12, 16);   /* trial 3 of every user is broken */
	assert_bits("genuine_identified", 11, 16); /* trial 2 of user 3 names user 0 */
	assert_bits("zero_effort_accepted", 0, 200);
	assert_bits("revoked_accepted", 0, 4);
	assert_bits("mark_matched", 8, 8);
	assert_bits("null_verified", 0, 21);
	ck_assert_int_le(obs_get(&o, "strange_verified", 'b')->k, 10); /* eight symbols may fall into place by chance */
	assert_bits("authorised_agrees", alike(right), 200);
	ck_assert_int_lt(obs_get(&o, "decoded_correct", 'b')->k, 45); /* random answers decode to nothing */
	ck_assert_double_eq(sum_of("unauthorised_confusion", 100), 200);
	ck_assert_double_eq(sum_of("authorised_confusion", 100), 200);
	ck_assert_double_eq(sum_of("genuine_taken_for", 16), 12);
	ck_assert_double_eq(obs_get(&o, "genuine_taken_for", 's')->series[12], 1); /* user 3 as user 0 */
	ck_assert_double_eq(sum_of("genuine_taken_for", 16) - diagonal("genuine_taken_for", 4), 1);
	ck_assert_uint_eq(obs_get(&o, "genuine_scores", 's')->n, 16);
	ck_assert_uint_eq(obs_get(&o, "zero_effort_scores", 's')->n, 200);
	ck_assert_double_eq(obs_getnum(&o, "answers_compared", 0), 200);
	ck_assert_double_gt(obs_getnum(&o, "identity_distance_least", 0), 0);
	ck_assert_ptr_null(obs_get(&o, "wire_psnr", 's')); /* nobody says what the images were made from */
	ck_assert_double_eq(total("confidence_histogram_clean"), 200);
	ck_assert_double_eq(obs_getnum(&o, "users", 0), 4);
	ck_assert_double_eq(obs_getnum(&o, "credentials_per_user", 0), 4);
	ck_assert_double_eq(obs_getnum(&o, "users_analytic", 0), 10);
	ck_assert_double_eq(obs_getnum(&o, "users_measured", 0), 4);
	ck_assert_double_eq(obs_getnum(&o, "ownership_verified", -1), 1);
	ck_assert_double_eq(obs_getnum(&o, "credential_bytes", 0), 784 * 4);
	for (int i = 0; i < w.base->np; i++)
		numbers += w.base->p[i].len;
	ck_assert_double_eq(obs_getnum(&o, "reference_parameters", 0), (double)numbers);
	ck_assert_double_eq(obs_getnum(&o, "parameters", 0), (double)numbers + 3); /* the toy ships three numbers */
	ck_assert_double_eq(obs_getnum(&o, "macs", 0), obs_getnum(&o, "reference_macs", -1));
	ck_assert_double_eq(obs_getnum(&o, "lock_forward_equivalents", 0), 250);
	ck_assert_double_eq(obs_getnum(&o, "enrol_forward_equivalents", 0), 32);
	ck_assert_double_eq(obs_getnum(&o, "classes", 0), 10);
	obs_release(&o);
}
END_TEST

/* 8-bit images are handed to the service as floats, and stored in a quarter. */
START_TEST(credentials_are_measured_as_they_are_stored)
{
	bundle_meta_num(w.creds, "credential_bytes", 784);
	judge(&w.setup, NULL);
	json_object_del(w.creds->meta, "credential_bytes");
	ck_assert_double_eq(obs_getnum(&o, "credential_bytes", 0), 784);
	obs_release(&o);
}
END_TEST

START_TEST(repeats_to_the_bit_and_leaves_everything_alone)
{
	const unsigned long base = model_bits(w.base), locked = model_bits(w.locked.model);
	char pub[65], pub_after[65];
	char *first, *second;
	json_t *j;

	bundle_hash(w.locked.pub, pub);
	judge(&w.setup, NULL);
	j = obs_json(&o);
	first = json_compact(j);
	json_decref(j);
	obs_release(&o);
	judge(&w.setup, NULL);
	j = obs_json(&o);
	second = json_compact(j);
	json_decref(j);
	obs_release(&o);
	ck_assert_str_eq(first, second);
	free(first);
	free(second);
	bundle_hash(w.locked.pub, pub_after);
	ck_assert_str_eq(pub, pub_after); /* revoking happened in a copy */
	ck_assert_uint_eq(model_bits(w.base), base);
	ck_assert_uint_eq(model_bits(w.locked.model), locked);
}
END_TEST

START_TEST(pruning_takes_the_small_half_of_the_mark)
{
	attack("prune", "rate=0.4");
	ck_assert_str_eq(verdict, "ok");
	assert_bits("mark_matched", 4, 8);
	ck_assert_double_eq(obs_getnum(&o, "ownership_verified", -1), 0);
	assert_bits("attacked_genuine_accepted", 12, 16); /* the toy's credentials do not look at the weights */
	ck_assert_ptr_nonnull(obs_get(&o, "attacked_correct", 'b'));
	ck_assert_ptr_null(obs_get(&o, "attacked_heldout_correct", 'b'));
	ck_assert_double_eq_tol(obs_getnum(&o, "changed", 0), 0.4, 0.01);
	obs_release(&o);
}
END_TEST

START_TEST(nothing_changed_is_a_noop)
{
	attack("prune", "rate=0");
	ck_assert_str_eq(verdict, "noop");
	ck_assert_str_ne(why, "");
	assert_bits("mark_matched", 8, 8); /* judged all the same */
	ck_assert_double_eq(obs_getnum(&o, "changed", -1), 0);
	obs_release(&o);
}
END_TEST

START_TEST(paper_protocol_is_judged_on_unseen_images_too)
{
	const struct obs_entry *all, *unseen;

	attack("finetune", "data=paper-test epochs=20 batch=10");
	all = obs_get(&o, "attacked_correct", 'b');
	unseen = obs_get(&o, "attacked_heldout_correct", 'b');
	ck_assert_uint_eq(all->n, 200);
	ck_assert_uint_eq(unseen->n, 60);
	ck_assert_mem_eq(unseen->bits, all->bits + 140, 60);
	ck_assert_double_gt((double)all->k / 200, (double)unseen->k / 60); /* what the leak gives */
	obs_release(&o);
}
END_TEST

START_TEST(forgeries_are_judged)
{
	attack("forge", "method=clean tries=50");
	ck_assert_str_eq(verdict, "ok");
	assert_bits("forged_accepted", 0, 50);
	ck_assert_ptr_null(obs_get(&o, "forged_as_claimed", 'b'));
	ck_assert_double_eq(total("confidence_histogram"), 50);
	obs_release(&o);
}
END_TEST

/* The evaluator believes no claim: stolen credentials are accepted, but only the right owner counts as claimed. */
START_TEST(claims_are_checked)
{
	struct product p = { .goal = GOAL_IMPERSONATE, .ncreds = 8 };

	p.claimed = xcalloc(8, sizeof(*p.claimed));
	for (int i = 0; i < 8; i++)
		p.claimed[i] = i % 4 == 0 ? i / 4 : 3;
	p.creds = bundle_new();
	bundle_put(p.creds, "image", DT_F32, 4, (int64_t[]){ 8, 1, 28, 28 }, bundle_f32(w.creds, "image", NULL));
	judge(&w.setup, &p);
	assert_bits("forged_accepted", 6, 8);
	assert_bits("forged_as_claimed", 2, 8);
	product_release(&p);
	obs_release(&o);
}
END_TEST

START_TEST(malformed_credentials_are_refused)
{
	struct product p = { .goal = GOAL_IMPERSONATE, .ncreds = 3 };

	p.creds = bundle_new();
	bundle_put_f32(p.creds, "password", 3, NULL);
	judge(&w.setup, &p);
	assert_bits("forged_accepted", 0, 3);
	product_release(&p);
	obs_release(&o);
}
END_TEST

START_TEST(a_harsh_channel_breaks_credentials)
{
	attack("jpeg", "quality=1");
	ck_assert_str_eq(verdict, "ok");
	assert_bits("channel_genuine_accepted", 0, 16);
	assert_bits("channel_genuine_identified", 0, 16);
	ck_assert_uint_eq(obs_get(&o, "channel_authorised_correct", 'b')->n, 200);
	ck_assert_int_lt(obs_get(&o, "channel_authorised_correct", 'b')->k, 45); /* nobody gets in any more */
	ck_assert_double_gt(obs_getnum(&o, "changed", 0), 0.99);
	ck_assert_double_lt(obs_getnum(&o, "channel_psnr", 0), 30);
	obs_release(&o);
}
END_TEST

static int open_channel(const struct product *p, const float *in, int n, int c, int h, int width, float *out)
{
	(void)p;
	memcpy(out, in, sizeof(*in) * n * c * h * width);
	return 0;
}

START_TEST(an_open_channel_is_a_noop)
{
	struct product p = { .goal = GOAL_DEGRADE, .channel = open_channel };

	judge(&w.setup, &p);
	ck_assert_str_eq(verdict, "noop");
	assert_bits("channel_genuine_accepted", 12, 16);
	ck_assert_int_eq(obs_get(&o, "channel_authorised_correct", 'b')->k, obs_get(&o, "authorised_correct", 'b')->k);
	ck_assert_double_eq(obs_getnum(&o, "channel_psnr", 0), 100);
	obs_release(&o);
}
END_TEST

START_TEST(an_untrained_model_is_named)
{
	struct setup s = w.setup;
	struct locked l = w.locked;

	l.model = model_new(&w.base->spec, 99);
	s.locked = &l;
	judge(&s, NULL);
	ck_assert_str_eq(verdict, "scheme-untrained");
	ck_assert_ptr_nonnull(strstr(why, "authorised accuracy"));
	model_free(l.model);
	obs_release(&o);
}
END_TEST

/* Four credentials of users 0 and 1: what user 1 holds, what nobody holds but is taken for 0, what is taken for 2, rubbish. The toy's
 * pixel 1 does not count. */
static void collude(struct product *p, int n, int nparty)
{
	float *x;

	*p = (struct product){ .goal = GOAL_DISOWN, .creds = bundle_new(), .ncreds = n, .nparty = nparty };
	x = bundle_put(p->creds, "image", DT_F32, 4, (int64_t[]){ n, 1, 28, 28 }, NULL);
	p->party = xcalloc((size_t)n * nparty, sizeof(*p->party));
	for (int i = 0; i < n; i++) {
		x[784 * i] = i == 3 ? 0.9f : (float)((i == 0 ? 1 : i == 1 ? 0 : 2) + 1) / 51.0f;
		x[784 * i + 1] = i == 1 ? 0.5f : 0;
		for (int k = 0; k < nparty; k++)
			p->party[i * nparty + k] = nparty == 1 ? 1 : k;
	}
}

START_TEST(colluders_are_traced_or_an_innocent_is_framed)
{
	struct product p;

	collude(&p, 4, 2);
	judge(&w.setup, &p);
	ck_assert_str_eq(verdict, "ok");
	assert_bits("colluded_accepted", 3, 4);
	assert_bits("colluded_traced", 2, 4);
	assert_bits("colluded_framed", 1, 4);
	assert_bits("colluded_nobody", 0, 4);
	ck_assert_int_eq(obs_get(&o, "colluded_framed", 'b')->bits[2], 1);
	assert_bits("colluded_revoked_accepted", 0, 3); /* each names somebody, and is refused when he is */
	assert_bits("collusion_collateral", 1, 6);      /* users 2 and 3 after each: 2 pays when he was named */
	obs_release(&o);
	product_release(&p);
	collude(&p, 1, 2); /* user 1's own credential, by 0 and 1: nothing was made */
	judge(&w.setup, &p);
	ck_assert_str_eq(verdict, "noop");
	obs_release(&o);
	product_release(&p);
	collude(&p, 1, 1); /* lent by user 1: that is the attack */
	judge(&w.setup, &p);
	ck_assert_str_eq(verdict, "ok");
	assert_bits("colluded_traced", 1, 1);
	obs_release(&o);
	product_release(&p);
}
END_TEST

/* Pieces of a network that an attack says it put back: the untouched one is equal, one with a single other number is not, and places that the
 * network does not have are never. Would catch rows and columns exchanged (the number lies in a square block of an oblong matrix). */
START_TEST(pieces_put_back_are_counted)
{
	struct product p = { .goal = GOAL_USE, .model = model_copy(w.base), .kept = bundle_new() };
	int32_t at = 0, *t;

	while (p.model->p[at].nd != 2 || p.model->p[at].d[1] < p.model->p[at].d[0] + 4)
		at++;
	p.model->p[at].x[2 * p.model->p[at].d[1] + 5] += 1; /* row 2, column 5 */
	const int32_t piece[][5] = { { at, 0, 0, 4, 5 }, { at, 0, 4, 4, 2 }, { at, 2, 5, 1, 1 }, { at, 5, 2, 1, 1 }, { at, 3, 0, 2, 8 },
				     { at, 0, 0, 2, 8 }, { at, -1, 0, 2, 2 }, { at, 0, p.model->p[at].d[1] - 1, 2, 2 }, { 999, 0, 0, 2, 2 } };
	const unsigned char expected[] = { 1, 0, 0, 1, 1, 1, 0, 0, 0 };
	const struct obs_entry *e;

	t = bundle_put(p.kept, "pieces", DT_I32, 2, (const int64_t[]){ 9, 5 }, NULL);
	memcpy(t, piece, sizeof(piece));
	judge(&w.setup, &p);
	e = obs_get(&o, "pieces_equal", 'b');
	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->n, 9);
	for (int i = 0; i < 9; i++)
		ck_assert_msg(e->bits[i] == expected[i], "piece %d", i);
	obs_release(&o);
	product_release(&p);
}
END_TEST

START_TEST(an_attack_may_say_that_it_does_not_apply)
{
	struct product p = { .goal = GOAL_IMPERSONATE, .inapplicable = "nothing here" };

	judge(&w.setup, &p);
	ck_assert_str_eq(verdict, "n/a");
	ck_assert_str_eq(why, "nothing here");
	ck_assert_int_eq(o.n, 0);
}
END_TEST

START_TEST(an_unknown_goal_is_an_error)
{
	struct product p = { .goal = (enum goal)99 };

	memset(&o, 0, sizeof(o));
	ck_assert_int_eq(evaluate(&w.setup, &p, &o, &verdict, why), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "99"));
	obs_release(&o);
}
END_TEST

START_TEST(overhead_is_measured)
{
	json_t *j = measure_overhead(&w.setup);

	ck_assert_ptr_nonnull(j);
	ck_assert_double_gt(jget_num(j, "reference_latency_ms_1", 0), 0);
	ck_assert_double_gt(jget_num(j, "authorised_latency_ms_64", 0), 0);
	ck_assert_double_gt(jget_num(j, "latency_ratio_64", 0), 0);
	ck_assert_double_gt(jget_num(j, "authentication_ms", 0), 0);
	json_decref(j);
}
END_TEST

/* The unprotected control: no users, no mark, and everybody is served. */
START_TEST(control_none)
{
	struct world open;

	world_open(&open, (const struct scheme *)driver_find(schemes, "scheme", "none"));
	judge(&open.setup, NULL);
	ck_assert_str_eq(verdict, "ok");
	ck_assert_int_eq(obs_get(&o, "unauthorised_correct", 'b')->k, obs_get(&o, "reference_correct", 'b')->k);
	ck_assert_int_eq(obs_get(&o, "authorised_correct", 'b')->k, obs_get(&o, "reference_correct", 'b')->k);
	ck_assert_ptr_null(obs_get(&o, "genuine_accepted", 'b'));
	ck_assert_ptr_null(obs_get(&o, "mark_matched", 'b'));
	obs_release(&o);
	world_close(&open);
}
END_TEST

/* Credentials beside the images they were made from: the same but for one pixel of 28 x 28 that is 51 steps brighter. */
START_TEST(wire_images)
{
	const struct tensor *image = bundle_get(w.creds, "image", DT_F32);
	const double mse = 51.0 * 51 / 784;
	uint8_t *clean = bundle_put(w.creds, "about_clean", DT_U8, 4, image->d, NULL);
	const struct obs_entry *e;

	image = bundle_get(w.creds, "image", DT_F32);
	for (size_t i = 0; i < image->len; i++)
		clean[i] = (uint8_t)lrintf(255 * ((float *)image->data)[i]);
	for (size_t i = 0; i < image->len; i += 784)
		clean[i + 400] = 51;
	judge(&w.setup, NULL);
	e = obs_get(&o, "wire_psnr", 's');
	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->n, 16);
	for (size_t i = 0; i < 16; i++)
		ck_assert_double_eq_tol(e->series[i], 10 * log10(255 * 255 / mse), 1e-4);
	ck_assert_double_eq_tol(obs_get(&o, "wire_l0", 's')->series[7], 100.0 / 784, 1e-9);
	ck_assert_double_eq_tol(obs_get(&o, "wire_linf", 's')->series[7], 51, 1e-4);
	obs_release(&o);
}
END_TEST

Suite *suite_evaluate(void);
Suite *suite_evaluate(void)
{
	Suite *s = suite_create("evaluate");
	TCase *tc = tcase_create("evaluate");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, wire_images);
	tcase_add_test(tc, functional);
	tcase_add_test(tc, credentials_are_measured_as_they_are_stored);
	tcase_add_test(tc, repeats_to_the_bit_and_leaves_everything_alone);
	tcase_add_test(tc, pruning_takes_the_small_half_of_the_mark);
	tcase_add_test(tc, nothing_changed_is_a_noop);
	tcase_add_test(tc, paper_protocol_is_judged_on_unseen_images_too);
	tcase_add_test(tc, forgeries_are_judged);
	tcase_add_test(tc, claims_are_checked);
	tcase_add_test(tc, malformed_credentials_are_refused);
	tcase_add_test(tc, a_harsh_channel_breaks_credentials);
	tcase_add_test(tc, an_open_channel_is_a_noop);
	tcase_add_test(tc, an_untrained_model_is_named);
	tcase_add_test(tc, colluders_are_traced_or_an_innocent_is_framed);
	tcase_add_test(tc, pieces_put_back_are_counted);
	tcase_add_test(tc, an_attack_may_say_that_it_does_not_apply);
	tcase_add_test(tc, an_unknown_goal_is_an_error);
	tcase_add_test(tc, overhead_is_measured);
	tcase_add_test(tc, control_none);
	suite_add_tcase(s, tc);
	return s;
}
