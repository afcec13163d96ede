/* metrics/: every metric on observations whose numbers are worked out by hand. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "metrics/metric.h"

static void put(struct observations *o, const char *name, const char *digits)
{
	unsigned char bits[64];
	size_t n = strlen(digits);

	for (size_t i = 0; i < n; i++)
		bits[i] = digits[i] == '1';
	obs_bits(o, name, bits, n);
}

/* Two images each. */
static void fill_wire(struct observations *o)
{
	static const struct { const char *name; double x[2]; } pair[] = {
		{ "wire_psnr", { 20, 40 } }, { "wire_ssim", { 0.9, 0.99 } }, { "wire_ms_ssim_2", { 0.8, 0.9 } }, { "wire_haarpsi", { 0.7, 0.9 } },
		{ "wire_gmsd", { 0.1, 0.3 } }, { "wire_l0", { 10, 20 } }, { "wire_l2", { 1, 2 } }, { "wire_linf", { 50, 100 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(pair); i++)
		obs_series(o, pair[i].name, pair[i].x, 2);
	obs_num(o, "wire_auc_chi2", 0.5);
	obs_num(o, "wire_auc_rs", 0.6);
	obs_num(o, "wire_auc_spam162", 0.25);
	obs_num(o, "wire_auc_spam686", 0.9);
	obs_num(o, "wire_compared", 2);
	obs_num(o, "channel_ssim", 0.9);
	obs_num(o, "channel_ms_ssim_2", 0.8);
	obs_num(o, "channel_haarpsi", 0.7);
	obs_num(o, "channel_gmsd", 0.1);
}

/* 2 users with 5 credentials, 10 test images. */
static void fill(struct observations *o)
{
	memset(o, 0, sizeof(*o));
	put(o, "reference_correct", "1111111110");
	put(o, "authorised_correct", "1111111001");
	put(o, "unauthorised_correct", "0000000001");
	put(o, "genuine_accepted", "1111111100");
	put(o, "genuine_identified", "1111011100");
	put(o, "zero_effort_accepted", "0000100000");
	put(o, "revoked_accepted", "00000");
	put(o, "forged_accepted", "10010");
	put(o, "forged_as_claimed", "10000");
	put(o, "colluded_accepted", "11110");
	put(o, "colluded_traced", "11000");
	put(o, "colluded_framed", "00100");
	put(o, "colluded_nobody", "00010");
	put(o, "colluded_revoked_accepted", "0100");
	put(o, "collusion_collateral", "0000000001");
	put(o, "attacked_correct", "1111000000");
	put(o, "attacked_heldout_correct", "000");
	put(o, "attacked_genuine_accepted", "1000000000");
	put(o, "channel_authorised_correct", "1111100000");
	put(o, "channel_unauthorised_correct", "0000000011");
	put(o, "channel_genuine_accepted", "0000011000");
	put(o, "channel_genuine_identified", "0000010000");
	put(o, "mark_matched", "1110");
	put(o, "null_verified", "0001");
	put(o, "genuine_check_class", "1111111110");
	put(o, "genuine_check_identity", "1111111100");
	put(o, "forged_check_class", "11100");
	put(o, "forged_check_identity", "10000");
	put(o, "channel_check_class", "1111111000");
	put(o, "channel_check_identity", "1000000000");
	put(o, "genuine_traced", "11100");
	put(o, "channel_traced", "10000");
	put(o, "genuine_bits_read", "1110");
	put(o, "channel_bits_read", "1010");
	obs_series(o, "wrong_key_accuracy", (const double[]){ 10, 40, 13 }, 3);
	obs_num(o, "users", 2);
	obs_num(o, "credentials_per_user", 5);
	obs_num(o, "users_analytic", 200);
	obs_num(o, "users_measured", 2);
	obs_num(o, "ownership_verified", 0);
	obs_num(o, "parameters", 110);
	obs_num(o, "reference_parameters", 100);
	obs_num(o, "shipped_bytes", 500);
	obs_num(o, "reference_bytes", 400);
	obs_num(o, "macs", 30);
	obs_num(o, "reference_macs", 10);
	obs_num(o, "credential_bytes", 3136);
	obs_num(o, "lock_forward_equivalents", 50);
	obs_num(o, "reference_forward_equivalents", 200);
	obs_num(o, "enrol_forward_equivalents", 70);
	obs_num(o, "changed", 0.25);
	obs_num(o, "channel_psnr", 31.5);
	obs_num(o, "channel_bytes", 512.5);
	put(o, "detector_clean_flagged", "0000000010");
	put(o, "detector_genuine_flagged", "11101");
	put(o, "protection_detected", "1");
	put(o, "protection_false_alarm", "0");
	put(o, "authorised_agrees", "1111111000");
	put(o, "decoded_correct", "0000000111");
	put(o, "strange_verified", "0001");
	obs_num(o, "askers", 5); /* image i by asker i mod 5: 11, 11, 10, 10, 11 */
	obs_series(o, "authorised_confusion", (const double[]){ 3, 1, 2, 4 }, 4);
	obs_series(o, "unauthorised_confusion", (const double[]){ 6, 2, 2, 6 }, 4);
	obs_num(o, "answers_auc_confidence", 0.9);
	obs_num(o, "answers_auc_entropy", 0.2);
	obs_num(o, "answers_auc_margin", 0.5);
	obs_num(o, "answers_compared", 2000);
	obs_series(o, "genuine_scores", (const double[]){ 1, 2, 3, 4 }, 4);
	obs_series(o, "zero_effort_scores", (const double[]){ 0, 0, 0, 2.5 }, 4);
	obs_series(o, "genuine_taken_for", (const double[]){ 4, 1, 0, 3 }, 4);
	obs_num(o, "identity_distance_least", 12.5);
	obs_num(o, "identity_distance_mean", 40);
	obs_num(o, "identity_distance_pairs", 1);
	fill_wire(o);
	obs_num(o, "declared_black_box", 1);
	obs_num(o, "declared_deployment", 3);
	obs_num(o, "declared_users", 1);
	obs_num(o, "declared_identities", 1);
	obs_num(o, "declared_revocation", 1);
	obs_num(o, "declared_ownership", 1);
	obs_num(o, "mark_alphabet", 10);
}

static const struct expected {
	const char *name;
	double value;
	long k, n;
} expected[] = {
	{ "answers_indistinguishable", 0.2, 0, 0 },
	{ "attacked_accuracy", 40, 4, 10 },
	{ "attacked_authentication", 10, 1, 10 },
	{ "attacked_heldout_accuracy", 0, 0, 3 },
	{ "attacked_loss", 40, 0, 0 },
	{ "authentication_mean", 80, 8, 10 },
	{ "authentication_min", 60, 3, 5 },
	{ "authorised_accuracy", 80, 8, 10 },
	{ "authorised_accuracy_min", 50, 1, 2 },
	{ "black_box", 1, 0, 0 },
	{ "changed", 25, 0, 0 },
	{ "channel_authentication", 20, 2, 10 },
	{ "channel_authentication_min", 0, 0, 5 },
	{ "channel_authorised_accuracy", 50, 5, 10 },
	{ "channel_bytes", 512.5, 0, 0 },
	{ "channel_class_check", 70, 7, 10 },
	{ "channel_gmsd", 0.1, 0, 0 },
	{ "channel_haarpsi", 0.7, 0, 0 },
	{ "channel_identification", 10, 1, 10 },
	{ "channel_identity_bits", 50, 2, 4 },
	{ "channel_identity_check", 10, 1, 10 },
	{ "channel_ms_ssim_2", 0.8, 0, 0 },
	{ "channel_psnr", 31.5, 0, 0 },
	{ "channel_ssim", 0.9, 0, 0 },
	{ "channel_traced_queries", 20, 1, 5 },
	{ "channel_unauthorised_accuracy", 20, 2, 10 },
	{ "class_check", 90, 9, 10 },
	{ "class_recall_min", 200.0 / 3, 4, 6 },
	{ "collusion_acceptance", 80, 4, 5 },
	{ "collusion_collateral", 10, 1, 10 },
	{ "collusion_framed", 20, 1, 5 },
	{ "collusion_traced", 40, 2, 5 },
	{ "collusion_unrevoked", 25, 1, 4 },
	{ "collusion_untraced", 20, 1, 5 },
	{ "concealment", 0.2, 0, 0 },
	{ "credential_bytes", 3136, 0, 0 },
	{ "cross_acceptance", 10, 1, 10 },
	{ "cross_acceptance_max", 20, 1, 5 },
	{ "decoded_accuracy", 30, 3, 10 },
	{ "deployment_convenience", 1, 0, 0 },
	{ "detector_false_alarms", 10, 1, 10 },
	{ "detector_hits", 80, 4, 5 },
	{ "enrol_cost", 7, 0, 0 },
	{ "equal_error_rate", 50.0 / 3, 0, 0 },
	{ "false_acceptance", 10, 1, 10 },
	{ "false_rejection", 20, 2, 10 },
	{ "fidelity_loss", 10, 0, 0 },
	{ "forged_class_check", 60, 3, 5 },
	{ "forged_identity_check", 20, 1, 5 },
	{ "forgery_acceptance", 40, 2, 5 },
	{ "forgery_as_claimed", 20, 1, 5 },
	{ "frr_at_far_1", 50, 0, 0 },
	{ "functions_working", 2, 2, 5 },
	{ "identification", 70, 7, 10 },
	{ "identity_bits", 75, 3, 4 },
	{ "identity_capacity", 7.6438561897747244, 0, 0 },
	{ "identity_check", 80, 8, 10 },
	{ "identity_distance", 40, 0, 0 },
	{ "identity_distance_min", 12.5, 0, 0 },
	{ "leakage", 0.1436376555130869, 0, 0 },
	{ "lock_training_ratio", 0.25, 0, 0 },
	{ "mac_ratio", 3, 0, 0 },
	{ "mark_capacity", 0, 0, 0 },
	{ "mark_evidence", 8.078259, 0, 0 }, /* 4 x .001 x .9 + .0001 */
	{ "mark_symbols", 75, 3, 4 },
	{ "memory_ratio", 1.25, 0, 0 },
	{ "misattribution", 12.5, 1, 8 },
	{ "null_verification", 25, 1, 4 },
	{ "ownership_verified", 0, 0, 0 },
	{ "parameter_ratio", 1.1, 0, 0 },
	{ "prediction_agreement", 70, 7, 10 },
	{ "protection_detected", 100, 1, 1 },
	{ "protection_false_alarms", 0, 0, 1 },
	{ "reference_accuracy", 90, 9, 10 },
	{ "revoked_acceptance", 0, 0, 5 },
	{ "rule_replay", 100, 10, 10 },
	{ "score_auc", 0.875, 0, 0 },
	{ "traced_queries", 60, 3, 5 },
	{ "unauthorised_accuracy", 10, 1, 10 },
	{ "unlock_gap", 50, 0, 0 },
	{ "users_analytic", 200, 0, 0 },
	{ "users_measured", 2, 0, 0 },
	{ "wire_auc_chi2", 0.5, 0, 0 },
	{ "wire_auc_rs", 0.6, 0, 0 },
	{ "wire_auc_spam162", 0.25, 0, 0 },
	{ "wire_auc_spam686", 0.9, 0, 0 },
	{ "wire_gmsd", 0.2, 0, 0 },
	{ "wire_haarpsi", 0.8, 0, 0 },
	{ "wire_l0", 15, 0, 0 },
	{ "wire_l2", 1.5, 0, 0 },
	{ "wire_linf", 75, 0, 0 },
	{ "wire_ms_ssim_2", 0.85, 0, 0 },
	{ "wire_psnr", 30, 0, 0 },
	{ "wire_ssim", 0.945, 0, 0 },
	{ "wire_visible", 50, 1, 2 },
	{ "wrong_key_accuracy", 21, 0, 0 },
	{ "wrong_key_accuracy_max", 40, 0, 0 },
	{ "wrong_key_verification", 25, 1, 4 },
};

static const struct metric *metric_named(const char *name)
{
	for (int i = 0; metrics[i]; i++)
		if (!strcmp(metrics[i]->name, name))
			return (const struct metric *)metrics[i];
	return NULL;
}

START_TEST(value_is_as_by_hand)
{
	const struct expected *e = &expected[_i];
	const struct metric *m = metric_named(e->name);
	struct observations o, empty = { 0 };
	struct value v = { 0 };

	fill(&o);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(metric_value(m, &o, &v), 1);
	ck_assert_double_eq_tol(v.value, e->value, 1e-12);
	ck_assert_int_eq(v.k, e->k);
	ck_assert_int_eq(v.n, e->n);
	ck_assert_double_le(v.low, v.value);
	ck_assert_double_ge(v.high, v.value);
	ck_assert_double_ge(v.low, m->min);
	ck_assert_double_le(v.high, m->max);
	ck_assert_int_eq(metric_value(m, &empty, &v), 0); /* nothing seen, nothing said */
	obs_release(&o);
}
END_TEST

START_TEST(every_metric_is_expected)
{
	size_t n = 0;

	for (int i = 0; metrics[i]; i++)
		n += ((const struct metric *)metrics[i])->from == FROM_CELL;
	ck_assert_uint_eq(n, ARRAY_LEN(expected));
}
END_TEST

START_TEST(json_holds_what_is_defined)
{
	struct observations o = { 0 };
	json_t *j;

	put(&o, "authorised_correct", "1110");
	obs_num(&o, "lock_forward_equivalents", 3); /* its reference is missing: no ratio */
	j = metrics_json(&o);
	ck_assert_uint_eq(json_object_size(j), 1);
	ck_assert_double_eq(jget_num(json_object_get(j, "authorised_accuracy"), "value", -1), 75);
	ck_assert_int_eq(jget_int(json_object_get(j, "authorised_accuracy"), "n", -1), 4);
	json_decref(j);
	obs_release(&o);
}
END_TEST

/* What cannot be right is not computed: ratios by zero, users that do not divide the trials, pairs of unequal length. */
START_TEST(contradictions_say_nothing)
{
	struct observations o;
	struct value v;

	fill(&o);
	obs_num(&o, "reference_macs", 0);
	obs_num(&o, "credentials_per_user", 3);
	put(&o, "attacked_correct", "11");
	put(&o, "mark_matched", "");
	ck_assert_int_eq(metric_value(metric_named("mac_ratio"), &o, &v), 0);
	ck_assert_int_eq(metric_value(metric_named("authentication_min"), &o, &v), 0);
	ck_assert_int_eq(metric_value(metric_named("attacked_loss"), &o, &v), 0);
	ck_assert_int_eq(metric_value(metric_named("mark_symbols"), &o, &v), 0);
	obs_release(&o);
}
END_TEST

/* A mark that is read whole has the bits of its symbols; a map that decodes worse than the plain answers is no decoder. */
/* Observations that no evaluation saw, with every name of those that it does: each metric says nothing or a number, and never a BUG. */
static const double odd[] = { -1, 0.5, 2, 63, 1e9, 9.1e15, 1e99 };

START_TEST(impossible_observations_do_no_harm)
{
	struct observations all, o;
	double series[17];
	unsigned char bits[4] = { 1, 1, 0, 1 };

	fill(&all);
	for (size_t i = 0; i < 17; i++)
		series[i] = odd[(i + (size_t)_i) % ARRAY_LEN(odd)];
	for (int k = 0; k < all.n; k++) /* one of them odd, then all that come before it, too */
		for (int more = 0; more < 2; more++)
			for (size_t n = 1; n <= 16; n *= 16) {
				fill(&o);
				obs_num(&o, "mark_alphabet", 10);
				for (int i = more ? 0 : k; i <= k; i++) {
					if (all.e[i].kind == 'n')
						obs_num(&o, all.e[i].name, odd[_i]);
					else if (all.e[i].kind == 's')
						obs_series(&o, all.e[i].name, series, n);
					else
						obs_bits(&o, all.e[i].name, bits, n % 5);
				}
				json_decref(metrics_json(&o));
				obs_release(&o);
			}
	obs_release(&all);
}
END_TEST

/* Counts that contradict each other: more taken for others than there are credentials, fractions of an image. */
START_TEST(impossible_counts_say_nothing)
{
	static const char *const names[] = { "cross_acceptance", "cross_acceptance_max", "class_recall_min", "leakage" };
	static const double wrong[][4] = { { 1, 5, 5, 1 }, { 1, 0, 4, 2 }, { -1, 0, 0, 1 }, { 0.5, 0.5, 0, 1 }, { 1e99, 0, 0, 1 } };
	struct value v;

	for (size_t w = 0; w < ARRAY_LEN(wrong); w++) {
		struct observations o = { 0 };

		obs_num(&o, "users", 2);
		obs_num(&o, "credentials_per_user", 5);
		obs_series(&o, "genuine_taken_for", wrong[w], 4);
		for (size_t i = 0; i < 2; i++)
			ck_assert_msg(!metric_value(metric_named(names[i]), &o, &v), "%s of case %zu", names[i], w);
		for (size_t i = 2; w > 1 && i < 4; i++) {
			obs_series(&o, "authorised_confusion", wrong[w], 4);
			obs_series(&o, "unauthorised_confusion", wrong[w], 4);
			ck_assert_msg(!metric_value(metric_named(names[i]), &o, &v), "%s of case %zu", names[i], w);
		}
		obs_release(&o);
	}
}
END_TEST

START_TEST(other_ways)
{
	struct observations o;
	struct value v;

	fill(&o);
	put(&o, "mark_matched", "111");
	put(&o, "decoded_correct", "0000000000");
	ck_assert_int_eq(metric_value(metric_named("mark_capacity"), &o, &v), 1);
	ck_assert_double_eq_tol(v.value, 3 * log2(10), 1e-12);
	ck_assert_int_eq(metric_value(metric_named("decoded_accuracy"), &o, &v), 1);
	ck_assert_double_eq(v.value, 10);
	obs_num(&o, "lock_forward_equivalents", 2);
	ck_assert_int_eq(metric_value(metric_named("deployment_convenience"), &o, &v), 1);
	ck_assert_double_eq(v.value, 3);
	obs_release(&o);
}
END_TEST

/* An interval of a receiver curve is not of no width, and the same again. */
START_TEST(curves_have_intervals)
{
	struct observations o;
	struct value v, w;

	fill(&o);
	ck_assert_int_eq(metric_value(metric_named("equal_error_rate"), &o, &v), 1);
	ck_assert_int_eq(metric_value(metric_named("equal_error_rate"), &o, &w), 1);
	ck_assert_double_lt(v.low, v.value);
	ck_assert_double_gt(v.high, v.value);
	ck_assert(v.low == w.low && v.high == w.high);
	ck_assert_int_eq(v.seen, 4);
	obs_release(&o);
}
END_TEST

Suite *suite_metric(void);
Suite *suite_metric(void)
{
	Suite *s = suite_create("metric");
	TCase *tc = tcase_create("metric");

	tcase_add_loop_test(tc, value_is_as_by_hand, 0, (int)ARRAY_LEN(expected));
	tcase_add_test(tc, every_metric_is_expected);
	tcase_add_test(tc, json_holds_what_is_defined);
	tcase_add_test(tc, contradictions_say_nothing);
	tcase_add_loop_test(tc, impossible_observations_do_no_harm, 0, ARRAY_LEN(odd));
	tcase_add_test(tc, impossible_counts_say_nothing);
	tcase_add_test(tc, other_ways);
	tcase_add_test(tc, curves_have_intervals);
	tcase_set_timeout(tc, 120);
	suite_add_tcase(s, tc);
	return s;
}
