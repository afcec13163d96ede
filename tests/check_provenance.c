/* reports/tables_provenance.c: what numbers stand on is said, on every page. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

#define OTHER "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct sample sample;

static void setup(void)
{
	sandbox_open();
	sample_make(&sample, "mnist", 1, 0);
	setenv("LOCKBENCH_GNUPLOT", "/nonexistent", 1);
}

static void teardown(void)
{
	sample_release(&sample);
	sandbox_close();
}

/* The same cells, of KMNIST in MNIST's file names. */
static void take_other_data(void)
{
	json_t *cell;
	size_t i;

	json_array_foreach(sample.cells, i, cell)
		jset_str(cell, "dataset_hash", OTHER);
}

static const struct page {
	const char *path, *table; /* table: it alone */
	const char *says;         /* of data that are not the published ones */
} pages[] = {
	{ "r.html", NULL, "Not the published data: mnist (payload 001122334455)" },
	{ "r.md", NULL, "Not the published data: mnist" },
	{ "r.tex", NULL, "Not the published data: mnist" },
	{ "r.json", NULL, "\"published\": false" },
	{ "one.html", "survey", "not the published mnist" },
	{ "one.md", "survey", "not the published mnist" },
	{ "one.tex", "survey", "not the published mnist" },
};

START_TEST(other_data_are_named)
{
	const struct page *k = &pages[_i];
	const struct report_select one = { .table = k->table };
	char *text;

	sample.in.select = k->table ? &one : NULL;
	text = sample_report(&sample.in, sandbox(k->path));
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_null(strcasestr(text, "not the published"));
	free(text);
	take_other_data();
	text = sample_report(&sample.in, sandbox(k->path));
	ck_assert_msg(text && strstr(text, k->says), "'%s' is not in %s", k->says, k->path);
	free(text);
}
END_TEST

/* Both warnings, and how many images "all" are. */
START_TEST(provenance_has_its_rows)
{
	char *text = sample_report(&sample.in, sandbox("a.md"));

	ck_assert(text && strstr(text, "published | yes"));
	ck_assert_ptr_nonnull(strstr(text, "training: all, test: all 10000"));
	free(text);
	sample_release(&sample);
	sample_make(&sample, "mnist", 1, 300);
	take_other_data();
	text = sample_report(&sample.in, sandbox("b.md"));
	ck_assert(text && strstr(text, "published | no: these are not the published mnist"));
	ck_assert(strstr(text, "Not the published data") && strstr(text, "Partial data"));
	free(text);
}
END_TEST

/* Where numbers stand beside the paper's. */
START_TEST(the_paper_is_compared_with_its_data_only)
{
	static const char *const paths[] = { "ag.html", "ag.md", "ag.tex" };
	json_t *values = activeguard_values(&sample.in, "mnist");
	char *text;

	ck_assert_int_eq(activeguard_write(values, &sample.in, "mnist", sandbox(paths[_i])), 0);
	json_decref(values);
	text = file_read(sandbox(paths[_i]), (size_t)16 << 20, NULL);
	ck_assert(text && !strstr(text, "Not the published"));
	free(text);
	take_other_data();
	values = activeguard_values(&sample.in, "mnist");
	ck_assert_int_eq(activeguard_write(values, &sample.in, "mnist", sandbox(paths[_i])), 0);
	json_decref(values);
	text = file_read(sandbox(paths[_i]), (size_t)16 << 20, NULL);
	ck_assert(text && strstr(text, "Not the published mnist"));
	free(text);
}
END_TEST

Suite *suite_provenance(void);
Suite *suite_provenance(void)
{
	Suite *s = suite_create("provenance");
	TCase *tc = tcase_create("provenance");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, other_data_are_named, 0, ARRAY_LEN(pages));
	tcase_add_test(tc, provenance_has_its_rows);
	tcase_add_loop_test(tc, the_paper_is_compared_with_its_data_only, 0, 3);
	suite_add_tcase(s, tc);
	return s;
}
