/* reports/breaks.c: every row is an experiment that can be planned, finds its cells and no others, and says honestly what came of it. */
#include <check.h>
#include <string.h>

#include "attacks/attack.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "datasets/dataset.h"
#include "reports/breaks.h"
#include "schemes/scheme.h"
#include "tests/support_bench.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

/* Its drivers and options are there; a published figure has a source with a mark of trust, and none is recalled or of a toy. */
START_TEST(rows_name_what_there_is)
{
	for (int i = 0; i < known_breaks_count; i++) {
		const struct known_break *k = &known_breaks[i];
		const struct driver *s = driver_find(schemes, "scheme", k->scheme), *a = driver_find(attacks, "attack", k->attack);
		void *conf[2] = { s ? conf_of(s, k->scheme_options) : NULL, a ? conf_of(a, k->attack_options) : NULL };

		ck_assert_msg(conf[0] && conf[1], "%s: %s", k->claim, error_text());
		ck_assert_msg(*k->source, "%s", k->claim);
		ck_assert_msg(!*k->dataset || dataset_driver_of(k->dataset), "%s", k->claim);
		if (*k->published)
			ck_assert_msg(strstr(k->source, "[S3]") || strstr(k->source, "[P]") || strstr(k->source, "[A]"), "%s", k->claim);
		ck_assert(!strstr(k->source, "[R]") && !strstr(k->source, "[M]") && !strstr(k->source, "[C]"));
		free(conf[0]);
		free(conf[1]);
	}
}
END_TEST

static const struct known_break *row(const char *measured, const char *attack)
{
	for (int i = 0; i < known_breaks_count; i++)
		if (!strcmp(known_breaks[i].measured, measured) && !strcmp(known_breaks[i].attack, attack))
			return &known_breaks[i];
	ck_abort_msg("no row of %s", measured);
	return NULL;
}

static const char *verdict_of(const json_t *values, const struct known_break *k)
{
	return jget_str(json_array_get(values, (size_t)(k - known_breaks)), "verdict", "");
}

static json_t *forged(const char *dataset, const char *method, double accepted)
{
	json_t *j = sample_attacked(dataset, "activeguard", "forge", "tries", 1000, 1), *o = json_object_get(j, "scheme_options");

	jset_str(json_object_get(j, "attack_options"), "method", method);
	jset_str(o, "watermark", "scratch");
	jset_str(json_object_get(j, "recipe"), "init", "keras");
	jset_num(json_object_get(j, "recipe"), "lr", 0.001);
	jset_str(j, "verdict", "ok");
	sample_metric(j, "forgery_acceptance", accepted, accepted, accepted, 0, 0);
	return j;
}

START_TEST(cells_are_found_and_judged)
{
	json_t *cells = json_array(), *values;
	const struct report_input in = { .cells = cells };
	const struct known_break *clean = row("forgery_acceptance", "forge");

	json_array_append_new(cells, forged("mnist", "clean", 0.1));
	json_array_append_new(cells, forged("mnist", "cw", 3));
	values = breaks_values(&in, "mnist");
	ck_assert_int_eq((int)json_array_size(values), known_breaks_count);
	ck_assert_str_eq(clean->attack_options, "method=clean");
	ck_assert_str_eq(verdict_of(values, clean), "as known");
	ck_assert_str_eq(verdict_of(values, clean + 1), "missing"); /* fgsm was not run */
	ck_assert_str_eq(verdict_of(values, clean + 2), "differs");
	ck_assert_double_eq(jget_num(json_array_get(values, (size_t)(clean - known_breaks)), "ours", -1), 0.1);
	json_decref(values);
	json_decref(cells);
}
END_TEST

/* A lock under other options, or of another recipe, is another experiment. */
START_TEST(other_settings_are_not_taken_for_it)
{
	json_t *cells = json_array(), *values, *j = forged("mnist", "clean", 0.1);
	const struct report_input in = { .cells = cells };
	const struct known_break *clean = row("forgery_acceptance", "forge");

	jset_str(json_object_get(j, "scheme_options"), "watermark", "none");
	json_array_append_new(cells, j);
	j = forged("mnist", "clean", 0.2);
	jset_str(json_object_get(j, "recipe"), "init", "torch");
	json_array_append_new(cells, j);
	values = breaks_values(&in, "mnist");
	ck_assert_str_eq(verdict_of(values, clean), "missing");
	json_decref(values);
	json_decref(cells);
}
END_TEST

/* A figure of MNIST is judged on MNIST, and what the job's own data set gives is not hidden: it would be taken for the claim's, or lost. */
START_TEST(claims_are_judged_where_they_were_made)
{
	json_t *cells = json_array(), *values;
	const struct report_input in = { .cells = cells };
	const struct known_break *clean = row("forgery_acceptance", "forge");
	const json_t *v;
	char *page;

	ck_assert_str_eq(clean->dataset, "mnist");
	json_array_append_new(cells, forged("fashion-mnist", "clean", 0.8));
	values = breaks_values(&in, "fashion-mnist");
	ck_assert_str_eq(verdict_of(values, clean), "missing");
	v = json_array_get(values, (size_t)(clean - known_breaks));
	ck_assert_double_eq(jget_num(json_object_get(v, "beside"), "ours", -1), 0.8);
	json_decref(values);
	json_array_append_new(cells, forged("mnist", "clean", 0.1));
	values = breaks_values(&in, "fashion-mnist");
	ck_assert_str_eq(verdict_of(values, clean), "as known");
	v = json_array_get(values, (size_t)(clean - known_breaks));
	ck_assert_str_eq(jget_str(v, "dataset", ""), "mnist");
	ck_assert_double_eq(jget_num(v, "ours", -1), 0.1);
	ck_assert_str_eq(jget_str(json_object_get(v, "beside"), "dataset", ""), "fashion-mnist");
	ck_assert_double_eq(jget_num(json_object_get(v, "beside"), "ours", -1), 0.8);
	ck_assert_int_eq(breaks_write(values, "fashion-mnist", sandbox("breaks.md")), 0);
	page = file_read(sandbox("breaks.md"), 1 << 20, NULL);
	ck_assert(page && strstr(page, "0.1 %; fashion-mnist 0.8 %"));
	free(page);
	json_decref(values);
	values = breaks_values(&in, "mnist");
	ck_assert(json_is_null(json_object_get(json_array_get(values, (size_t)(clean - known_breaks)), "beside")));
	json_decref(values);
	json_decref(cells);
}
END_TEST

Suite *suite_breaks(void);
Suite *suite_breaks(void)
{
	Suite *s = suite_create("breaks");
	TCase *tc = tcase_create("breaks");

	tcase_add_checked_fixture(tc, sandbox_open, sandbox_close);
	tcase_add_test(tc, rows_name_what_there_is);
	tcase_add_test(tc, cells_are_found_and_judged);
	tcase_add_test(tc, other_settings_are_not_taken_for_it);
	tcase_add_test(tc, claims_are_judged_where_they_were_made);
	suite_add_tcase(s, tc);
	return s;
}
