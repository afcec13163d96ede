/* bench/speed: the program's JSON, its table's width, and the history that shows a slowdown. Nothing is said about times. */
#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "bench/speed/result.h"
#include "bench/speed/speed.h"
#include "tests/support_sandbox.h"

static const struct machine here = { "Some CPU", "abc", "2024-01-01T00:00:00Z", "avx2" };
static const struct peak top = { "Haswell", { 100, 180 } };

static struct rows two_rows(double one, double two)
{
	struct rows r = { .n = 2 };

	r.at[0] = (struct row){ .job = "lenet5-train", .unit = "images", .threads = 1, .per_s = one, .best = one, .rss = 70, .scaling = NAN,
				.ceiling = NAN, .change = NAN };
	r.at[1] = (struct row){ .job = "lenet5-train", .unit = "images", .threads = 2, .per_s = two, .best = two, .rss = 71, .scaling = 1.8,
				.ceiling = 1.9, .change = NAN };
	for (int i = 0; i < r.n; i++)
		row_derive(&r.at[i], 2.5e6, &top);
	return r;
}

START_TEST(figures_are_derived_from_the_rate)
{
	const struct rows r = two_rows(20000, 36000);

	ck_assert_double_eq_tol(r.at[0].gflops, 50, 1e-9);
	ck_assert_double_eq_tol(r.at[0].fraction, 0.5, 1e-9);
	ck_assert_double_eq_tol(r.at[1].fraction, 0.5, 1e-9); /* 90 of 180: of what two processes reach */
}
END_TEST

START_TEST(history_is_the_median_of_the_last_runs_here)
{
	const double runs[] = { 1, 100, 90, 110, 100, 105 }; /* the first is six runs ago */
	const struct machine there = { "Other CPU", "abc", "", "avx2" };
	const char *path = sandbox("state/bench.jsonl");
	struct rows r;

	r = two_rows(50, 50);
	history_compare(path, &here, &r.at[0]);
	ck_assert(isnan(r.at[0].change)); /* no file */
	for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
		r = two_rows(runs[i], 7);
		ck_assert_int_eq(history_add(path, &here, &top, &r), 0);
		r = two_rows(1000, 1000);
		ck_assert_int_eq(history_add(path, &there, &top, &r), 0);
	}
	r = two_rows(50, 7);
	history_compare(path, &here, &r.at[0]);
	history_compare(path, &here, &r.at[1]);
	ck_assert_double_eq_tol(r.at[0].change, -0.5, 1e-9);
	ck_assert_double_eq_tol(r.at[1].change, 0, 1e-9);
}
END_TEST

START_TEST(a_line_cut_short_is_passed_over)
{
	const char *path = sandbox("cut.jsonl");
	struct rows r = two_rows(100, 100);
	char *text;
	size_t len;

	ck_assert_int_eq(history_add(path, &here, &top, &r), 0);
	text = file_read(path, 1 << 20, &len);
	ck_assert_ptr_nonnull(text);
	strcpy(text + len / 2, "\n"); /* and the next run appends behind it */
	sandbox_write("cut.jsonl", text, strlen(text));
	ck_assert_int_eq(history_add(path, &here, &top, &r), 0);
	history_compare(path, &here, &r.at[0]);
	ck_assert_double_eq_tol(r.at[0].change, 0, 1e-9);
	ck_assert_str_eq(error_text(), "");
	free(text);
}
END_TEST

START_TEST(table_fits_100_columns)
{
	struct rows r = two_rows(123456789, 234567890);
	struct machine m = here;
	char *text = NULL, *line;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	memset(m.commit, 'c', 10);
	table_head(f, &m, &top, 3);
	for (const struct job *j = speed_jobs; j->name; j++) {
		r.at[1].job = j->name;
		r.at[1].unit = j->unit;
		r.at[1].change = -0.25;
		r.at[1].rss = 1234;
		table_row(f, &r.at[1]);
	}
	table_foot(f, &r);
	fclose(f);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		ck_assert_msg(strlen(line) <= 100, "%zu columns: %s", strlen(line), line);
	free(text);
}
END_TEST

START_TEST(rows_are_named_once)
{
	for (const struct job *j = speed_jobs; j->name; j++) {
		ck_assert_ptr_eq(job_find(j->name), j);
		ck_assert(j->run && j->unit && (j->passes > 0) == (j->model != NULL));
	}
}
END_TEST

/* build/speed COMMAND (NULL: none), which make builds beside build/tests/. out: where its stdout goes, NULL: with stderr. */
static int run_speed(const char *command, const char *json, const char *jobs, const char *out)
{
	char program[4096];
	const ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 16);
	pid_t pid;
	int status;

	ck_assert_int_gt(n, 0);
	program[n] = '\0';
	strcpy(strstr(program, "/tests/run"), "/speed");
	pid = fork();
	if (pid == 0) {
		setenv("BENCH_SECONDS", "0.05", 1);
		setenv("BENCH_JOBS", jobs, 1);
		setenv("BENCH_JSON", json, 1);
		setenv("XDG_STATE_HOME", sandbox("xdg"), 1);
		dup2(out ? open(out, O_WRONLY | O_CREAT, 0600) : STDERR_FILENO, STDOUT_FILENO);
		execl(program, "speed", command, (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(program_writes_json)
{
	const char *path = sandbox("bench.json");
	static const char *const members[] = { "images_per_s", "gflops", "peak_fraction", "peak_rss_mib" };
	json_t *all;
	int jpeg = 0, lenet = 0;

	ck_assert_int_eq(run_speed(NULL, path, "^(lenet5-infer|jpeg)$", NULL), 0);
	all = json_read_file(path, 1 << 20);
	ck_assert_msg(json_is_array(all), "%s", error_text());
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *o = json_array_get(all, i);
		const int counted = !strcmp(jget_str(o, "job", ""), "lenet5-infer");

		lenet += counted;
		jpeg += !strcmp(jget_str(o, "job", ""), "jpeg");
		ck_assert_int_ge(jget_int(o, "threads", 0), 1);
		ck_assert_int_le(jget_int(o, "threads", 0), 2);
		for (size_t k = 0; k < ARRAY_LEN(members); k++) {
			ck_assert_ptr_nonnull(json_object_get(o, members[k]));
			if (counted || k == 0 || k == 3)
				ck_assert_double_gt(jget_num(o, members[k], 0), 0);
			else
				ck_assert(json_is_null(json_object_get(o, members[k]))); /* JPEG multiplies nothing that counts */
		}
		if (jget_int(o, "threads", 0) == 2) {
			ck_assert_double_gt(jget_num(o, "scaling", 0), 0);
			ck_assert_double_gt(jget_num(o, "scaling_of_processes", 0), 0);
		} else
			ck_assert(json_is_null(json_object_get(o, "scaling")));
	}
	ck_assert_int_ge(lenet, 1);
	ck_assert_int_eq(jpeg, lenet);
	ck_assert_int_eq(file_there(sandbox("xdg/lockbench/bench.jsonl")), 0); /* so short a run is not worth remembering */
	json_decref(all);
}
END_TEST

/* A "Python" that has "PyTorch" and whose scripts all do 1,000 a second on one thread and 500 on two. */
START_TEST(peer_stands_beside_ours)
{
	static const char python[] = "#!/bin/sh\n"
				     "case $* in\n"
				     "-c*) echo '{}' ;;\n"
				     "*cw_torch.py\\ --threads\\ 1) echo '{\"image_iterations_per_s\": 1000}' ;;\n"
				     "*cw_torch.py\\ --threads\\ 2) echo '{\"image_iterations_per_s\": 500}' ;;\n"
				     "*) exit 1 ;;\n"
				     "esac\n";
	char *text, *row;
	double ratio, best, rate[4] = { 0 };
	size_t len;

	sandbox_write("python", python, sizeof(python) - 1);
	sandbox_write("train_torch.py", "", 0);
	ck_assert_int_eq(chmod(sandbox("python"), 0700), 0);
	setenv("PYTHON", sandbox("python"), 1);
	setenv("PEER_DIR", sandbox(""), 1);
	ck_assert_int_eq(run_speed("peer", sandbox("peer.json"), "lenet5-cw", sandbox("out")), 0);
	text = file_read(sandbox("out"), 1 << 20, &len);
	ck_assert_ptr_nonnull(text);
	row = strstr(text, "lenet5-cw");
	ck_assert_ptr_nonnull(row);
	if (sscanf(row, "lenet5-cw %lf %lf %lf %lf %lfx", &rate[0], &rate[1], &rate[2], &rate[3], &ratio) != 5) /* one processor */
		ck_assert_int_eq(sscanf(row, "lenet5-cw %lf %lf - - %lfx", &rate[0], &rate[1], &ratio), 3);
	ck_assert_double_eq(rate[0], 1000);
	best = fmax(rate[1], rate[3]);
	ck_assert_double_gt(best, 0);
	ck_assert_double_eq_tol(ratio, best / 1000, 0.006 + 0.001);
	free(text);
}
END_TEST

START_TEST(program_refuses_what_it_does_not_know)
{
	ck_assert_int_eq(run_speed(NULL, sandbox("none.json"), "^absent$", NULL), EXIT_UNEVALUABLE);
	ck_assert_int_eq(run_speed(NULL, sandbox("none.json"), "(", NULL), EXIT_UNEVALUABLE);
	ck_assert_int_eq(file_there(sandbox("none.json")), 0);
}
END_TEST

Suite *suite_speed(void);
Suite *suite_speed(void)
{
	Suite *s = suite_create("speed");
	TCase *tc = tcase_create("speed");

	tcase_set_timeout(tc, 300); /* C&W under a sanitizer on a busy machine */
	tcase_add_checked_fixture(tc, sandbox_open, sandbox_close);
	tcase_add_test(tc, figures_are_derived_from_the_rate);
	tcase_add_test(tc, history_is_the_median_of_the_last_runs_here);
	tcase_add_test(tc, a_line_cut_short_is_passed_over);
	tcase_add_test(tc, table_fits_100_columns);
	tcase_add_test(tc, rows_are_named_once);
	tcase_add_test(tc, program_writes_json);
	tcase_add_test(tc, peer_stands_beside_ours);
	tcase_add_test(tc, program_refuses_what_it_does_not_know);
	suite_add_tcase(s, tc);
	return s;
}
