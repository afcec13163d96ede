/* reports/figures.c: detectors' trade-offs and a scheme under all attacks. Skipped by name without gnuplot. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "reports/figures.h"
#include "reports/plot.h"
#include "tests/support_cells.h"

static json_t *cells;
static struct rows r;

static void setup(void)
{
	cells = json_array();
	r = (struct rows){ 0 };
}

static void teardown(void)
{
	rows_release(&r);
	json_decref(cells);
}

static void make(void)
{
	struct report_input in = { .cells = cells };

	rows_release(&r);
	rows_make(&r, &in);
}

/* Scores of n clean images from 0 to 1 and of n credentials from `from` to 1 + from. */
static void add_detector(double from, int n)
{
	json_t *c = sample_attacked("mnist", "lock", "screen", "rate", 0.5, 1), *series = json_object();
	json_t *clean = json_array(), *found = json_array();

	for (int i = 0; i < n; i++) {
		json_array_append_new(clean, json_real((double)i / n));
		json_array_append_new(found, json_real(from + (double)i / n));
	}
	jset(jset(series, "detector_clean", clean), "detector_genuine", found);
	jset(json_object_get(c, "observations"), "series", series);
	json_array_append_new(cells, c);
}

/* Scores that overlap have a curve; scores that do not have no point within the axes, and that is no error. */
START_TEST(detector_has_a_curve)
{
	char *svg;

	add_detector(0.5, 100);
	make();
	svg = figure_det(&r, 0, 0, "d1");
	ck_assert_msg(svg != NULL, "%s", error_text());
	ck_assert_ptr_nonnull(strstr(svg, ">lock<"));
	ck_assert_ptr_nonnull(strstr(svg, "credentials missed"));
	free(svg);
	json_array_clear(cells);
	add_detector(5, 100);
	make();
	ck_assert_ptr_null(figure_det(&r, 0, 0, "d2"));
	ck_assert_str_eq(error_text(), "");
}
END_TEST

/* Nine attacks with curves: seven in the first figure, two in the second, and no third. */
START_TEST(attacks_are_spread_over_figures)
{
	char name[16], *svg;
	json_t *f;

	for (int a = 0; a < 9; a++)
		for (int k = 1; k <= 2; k++) {
			snprintf(name, sizeof(name), "attack-%d", a);
			json_array_append_new(cells, sample_attacked("mnist", "lock", name, "rate", 0.5 * k, 1));
		}
	json_array_append_new(cells, sample_cell("mnist", "lock", 1));
	f = json_array_get(cells, 18);
	sample_metric(f, "authorised_accuracy", 90, 90, 90, 0, 0);
	sample_metric(f, "unauthorised_accuracy", 10, 10, 10, 0, 0);
	make();
	svg = figure_scheme(&r, 0, 0, 0, "s1");
	ck_assert_msg(svg != NULL, "%s", error_text());
	ck_assert_ptr_nonnull(strstr(svg, "attack-6, by rate"));
	ck_assert_ptr_null(strstr(svg, "attack-7"));
	free(svg);
	svg = figure_scheme(&r, 0, 0, FIGURE_LINES, "s2");
	ck_assert_ptr_nonnull(svg);
	ck_assert_ptr_nonnull(strstr(svg, "attack-8, by rate"));
	free(svg);
	ck_assert_ptr_null(figure_scheme(&r, 0, 0, 2 * FIGURE_LINES, "s3"));
	ck_assert_str_eq(error_text(), "");
}
END_TEST

Suite *suite_figures(void);
Suite *suite_figures(void)
{
	Suite *s = suite_create("figures");
	TCase *tc = tcase_create("figures");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	if (plot_available()) {
		tcase_add_test(tc, detector_has_a_curve);
		tcase_add_test(tc, attacks_are_spread_over_figures);
	} else {
		fprintf(stderr, "figures: skipped, gnuplot is not installed: detector_has_a_curve, attacks_are_spread_over_figures\n");
	}
	suite_add_tcase(s, tc);
	return s;
}
