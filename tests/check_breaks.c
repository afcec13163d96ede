/* reports/breaks.c: every row is an experiment that can be planned, finds its cells and no others, and says honestly what came of it. */
#include <check.h>
#include <string.h>

#include "attacks/attack.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "bench/breaks_job.h"
#include "bench/job.h"
#include "datasets/dataset.h"
#include "schemes/scheme.h"
#include "tests/support_bench.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

static const struct breaks_job on_mnist = { .dataset = "mnist", .model = "lenet5" };
static const struct breaks_job on_fashion_mnist = { .dataset = "fashion-mnist", .model = "lenet5" };

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
		ck_assert_msg(!*k->dataset == !*k->model, "%s", k->claim);
		/* A limit for ActiveGuard's LeNet-5 on MNIST is of nothing else. */
		if (k->op != SHOWN && strstr(k->source, "MNIST, LeNet-5"))
			ck_assert_msg(!strcmp(k->dataset, "mnist") && !strcmp(k->model, "lenet5") && strstr(k->recipe, "init=keras"), "%s", k->claim);
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
	values = breaks_values(&in, &on_mnist);
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
	values = breaks_values(&in, &on_mnist);
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
	values = breaks_values(&in, &on_fashion_mnist);
	ck_assert_str_eq(verdict_of(values, clean), "missing");
	v = json_array_get(values, (size_t)(clean - known_breaks));
	ck_assert_double_eq(jget_num(json_object_get(v, "beside"), "ours", -1), 0.8);
	json_decref(values);
	json_array_append_new(cells, forged("mnist", "clean", 0.1));
	values = breaks_values(&in, &on_fashion_mnist);
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
	values = breaks_values(&in, &on_mnist);
	v = json_array_get(values, (size_t)(clean - known_breaks));
	ck_assert(json_is_null(json_object_get(v, "beside")));
	ck_assert_str_eq(jget_str(v, "note", ""), "");
	json_decref(values);
	jset_str(json_array_get(cells, 1), "dataset_hash", "another set's, in MNIST's file names");
	values = breaks_values(&in, &on_mnist);
	v = json_array_get(values, (size_t)(clean - known_breaks));
	ck_assert_str_eq(jget_str(v, "note", ""), "not the published mnist");
	json_decref(values);
	json_decref(cells);
}
END_TEST

static const json_t *value(const json_t *values, const struct known_break *k)
{
	return json_array_get(values, (size_t)(k - known_breaks));
}

/* A claim about a LeNet-5 is not judged on whatever --model names, on the same data set neither. */
START_TEST(claims_are_judged_on_their_network)
{
	const struct breaks_job job = { .dataset = "mnist", .model = "mlp" };
	const struct known_break *clean = row("forgery_acceptance", "forge");
	json_t *cells = json_array(), *values, *other = forged("mnist", "clean", 7);
	const struct report_input in = { .cells = cells };
	char *page;

	jset_str(other, "model", "mlp");
	json_array_append_new(cells, other);
	values = breaks_values(&in, &job);
	ck_assert_str_eq(verdict_of(values, clean), "missing");
	ck_assert_str_eq(jget_str(value(values, clean), "model", ""), "lenet5");
	ck_assert_double_eq(jget_num(json_object_get(value(values, clean), "beside"), "ours", -1), 7);
	json_decref(values);
	json_array_append_new(cells, forged("mnist", "clean", 0.1));
	values = breaks_values(&in, &job);
	ck_assert_str_eq(verdict_of(values, clean), "as known");
	ck_assert_int_eq(breaks_write(values, "mnist", sandbox("breaks.md")), 0);
	page = file_read(sandbox("breaks.md"), 1 << 20, NULL);
	ck_assert(page && strstr(page, "0.1 %; mnist, mlp 7 %"));
	free(page);
	json_decref(values);
	json_decref(cells);
}
END_TEST

/* Why there is no figure: the data set is not there, the cell was not run, or did not say. */
START_TEST(missing_figures_have_a_reason)
{
	const struct breaks_job job = { .dataset = "fashion-mnist", .model = "lenet5", .absent = (const char *const[]){ "mnist", NULL } };
	const struct known_break *clean = row("forgery_acceptance", "forge");
	json_t *cells = json_array(), *values, *silent = forged("fashion-mnist", "cw", 1);
	const struct report_input in = { .cells = cells };
	char *page;

	json_object_del(json_object_get(silent, "metrics"), "forgery_acceptance");
	jset_str(silent, "verdict", "n/a");
	jset_str(silent, "why", "nothing to forge");
	json_array_append_new(cells, silent);
	values = breaks_values(&in, &job);
	ck_assert_str_eq(verdict_of(values, clean), "missing");
	ck_assert_str_eq(jget_str(value(values, clean), "note", ""), "data set mnist was not found");
	ck_assert_str_eq(jget_str(json_object_get(value(values, clean), "beside"), "note", ""), "not run");
	ck_assert_int_eq(breaks_write(values, "fashion-mnist", sandbox("breaks.md")), 0);
	page = file_read(sandbox("breaks.md"), 1 << 20, NULL);
	ck_assert(page && strstr(page, "-; fashion-mnist - (not run)"));
	ck_assert_ptr_nonnull(strstr(page, "-; fashion-mnist - (N/A: nothing to forge)"));
	free(page);
	json_decref(values);
	json_decref(cells);
}
END_TEST

/* One attack on one lock under two recipes: the page and the JSON say which row is which, and each row finds its own. */
START_TEST(recipes_tell_rows_apart)
{
	static const char *const methods[] = { "method=clean", "method=fgsm", "method=cw" };
	json_t *cells = json_array(), *values, *own = forged("mnist", "fgsm", 0.9);
	const struct report_input in = { .cells = cells };
	int judged = 0, shown = 0;
	char *page;

	json_object_del(json_object_get(own, "recipe"), "init");
	json_object_del(json_object_get(own, "recipe"), "lr");
	json_array_append_new(cells, forged("mnist", "fgsm", 0.3));
	json_array_append_new(cells, own);
	values = breaks_values(&in, &on_mnist);
	for (int i = 0; i < known_breaks_count; i++) {
		const struct known_break *k = &known_breaks[i];
		const json_t *v = value(values, k);

		ck_assert_str_eq(jget_str(v, "recipe", "?"), k->recipe);
		for (size_t m = 0; m < ARRAY_LEN(methods) && !strcmp(k->attack, "forge"); m++)
			if (!strcmp(k->attack_options, methods[m])) {
				judged += k->op == AT_MOST && *k->recipe;
				shown += k->op == SHOWN && !*k->recipe;
			}
		if (!strcmp(k->attack, "forge") && !strcmp(k->attack_options, methods[1]))
			ck_assert_double_eq(jget_num(v, "ours", -1), *k->recipe ? 0.3 : 0.9);
	}
	ck_assert(judged == 3 && shown == 3);
	ck_assert_int_eq(breaks_write(values, "mnist", sandbox("breaks.md")), 0);
	page = file_read(sandbox("breaks.md"), 1 << 20, NULL);
	ck_assert(page && strstr(page, "mnist, lenet5, init=keras lr=0.001"));
	free(page);
	json_decref(values);
	json_decref(cells);
}
END_TEST

/* What a row's blocks say: never another network for a data set than the row's, and nothing of a data set that is not there. */
START_TEST(the_job_runs_claims_where_they_were_made)
{
	const char *const absent[] = { "mnist", NULL };
	struct breaks_job known = { .dataset = "fashion-mnist", .model = "mlp" };
	char *text = breaks_job_text(&known, 0), *without;
	struct job j = { 0 };
	int here = 0, there = 0;

	ck_assert_msg(job_parse(&j, text, strlen(text), "breaks", NULL, 0) == 0, "%s", error_text());
	for (int i = 0; i < j.n; i++) {
		const struct point *p = &j.cells[i].p;

		here += !strcmp(p->dataset, "fashion-mnist") && !strcmp(p->spec.arch, "mlp");
		there += !strcmp(p->dataset, "mnist") && !strcmp(p->spec.arch, "lenet5");
	}
	ck_assert(here && there && here + there == j.n);
	job_release(&j);
	known.absent = absent;
	without = breaks_job_text(&known, 0);
	ck_assert(strstr(text, "dataset: mnist") && !strstr(without, "dataset: mnist"));
	free(text);
	free(without);
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
	tcase_add_test(tc, claims_are_judged_on_their_network);
	tcase_add_test(tc, missing_figures_have_a_reason);
	tcase_add_test(tc, recipes_tell_rows_apart);
	tcase_add_test(tc, the_job_runs_claims_where_they_were_made);
	suite_add_tcase(s, tc);
	return s;
}
