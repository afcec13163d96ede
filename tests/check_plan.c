/* bench/plan.c: every artefact once, before whoever needs it; nothing that is there already. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "bench/forecast.h"
#include "bench/plan.h"
#include "tests/support_sandbox.h"

static const char text[] = "dataset: synthetic\nseeds: 2\ntrain: {epochs: 1}\nlimit: {train: 200, test: 50}\nusers: 2\n"
			   "credentials_per_user: 1\nschemes: [keycheck]\nattacks: [prune: {rate: [0.1, 0.5]}, forge]\n";
static struct job job;
static struct plan pl;

static void setup(void)
{
	sandbox_open();
	progress_quiet = 1;
	ck_assert_msg(job_parse(&job, text, strlen(text), "f.yaml", NULL, 0) == 0, "%s", error_text());
	ck_assert_msg(job_resolve(&job, NULL) == 0, "%s", error_text());
}

static void teardown(void)
{
	plan_release(&pl);
	job_release(&job);
	cell_cache_release();
	sandbox_close();
}

static int count(enum stage s)
{
	int n = 0;

	for (int i = 0; i < pl.n; i++)
		n += pl.t[i].stage == s;
	return n;
}

START_TEST(an_empty_store_needs_everything_once)
{
	ck_assert_int_eq(plan_make(&pl, NULL, &job, 1), 0);
	ck_assert_int_eq(job.n, 16);              /* 2 seeds x (keycheck, none) x (functional, 2 prune, forge) */
	ck_assert_int_eq(count(STAGE_BASE), 2);   /* a seed */
	ck_assert_int_eq(count(STAGE_LOCKED), 4); /* a seed and scheme */
	ck_assert_int_eq(count(STAGE_CREDS), 2);  /* none has no credentials */
	ck_assert_int_eq(count(STAGE_CELL), 16);
	ck_assert_int_eq(pl.ncached, 0);
}
END_TEST

START_TEST(tasks_come_after_what_they_need)
{
	ck_assert_int_eq(plan_make(&pl, NULL, &job, 1), 0);
	for (int i = 0; i < pl.n; i++) {
		const struct task *t = &pl.t[i];
		bool na = job.cells[t->cell].inapplicable != NULL;

		ck_assert_int_lt(t->after, i);
		ck_assert_int_eq(t->after < 0, t->stage == STAGE_BASE || (t->stage == STAGE_CELL && na));
		if (t->after >= 0)
			ck_assert_int_lt(pl.t[t->after].stage, t->stage);
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(pl.t[k].key, t->key);
	}
}
END_TEST

START_TEST(what_is_there_is_not_planned)
{
	struct store *st = store_open(sandbox("s"), true);

	ck_assert_msg(cell_run(st, &job.cells[0].p, NULL) == 0, "%s", error_text());
	ck_assert_int_eq(plan_make(&pl, st, &job, 1), 0);
	ck_assert_int_eq(pl.ncached, 1);
	ck_assert(pl.cached[0]);
	ck_assert_int_eq(pl.todo, 15);
	ck_assert_int_eq(count(STAGE_BASE), 1);
	ck_assert_int_eq(count(STAGE_LOCKED), 3);
	ck_assert_int_eq(count(STAGE_CREDS), 1);
	store_close(st);
}
END_TEST

START_TEST(times_are_learnt_from_the_store)
{
	struct store *st = store_open(sandbox("s"), true);
	json_t *t;
	char *path;

	ck_assert_int_eq(plan_make(&pl, st, &job, 1), 0);
	ck_assert_int_eq(pl.guesses, pl.n);
	plan_release(&pl);
	ck_assert_msg(cell_run(st, &job.cells[0].p, NULL) == 0, "%s", error_text());
	t = store_get_timing(st, job.cells[0].key.cell);
	ck_assert_double_gt(jget_num(t, "forecast", 0), 0);
	jset_num(t, "cpu_seconds", 1234); /* the second seed's functional cell has as much to do */
	path = store_path(st, "timing", job.cells[0].key.cell);
	ck_assert_int_eq(json_publish(path, t), 0);
	free(path);
	json_decref(t);
	ck_assert_int_eq(plan_make(&pl, st, &job, 1), 0);
	ck_assert_int_lt(pl.guesses, pl.n);
	for (int i = 0; i < pl.n; i++) {
		const struct point *p = &job.cells[pl.t[i].cell].p;

		if (pl.t[i].stage == STAGE_CELL && !p->attack && !strcmp(p->scheme->drv.name, "keycheck"))
			ck_assert_double_eq_tol(pl.t[i].seconds, 1234, 1e-6);
	}
	ck_assert(pl.seconds > 1234 && pl.bytes > 0);
	store_close(st);
}
END_TEST

/* What is forecast grows with what there is to do. */
START_TEST(more_to_do_takes_longer)
{
	static const char *const sets[] = { "limit={train: 400, test: 50}", "train={epochs: 2}", "attacks=[finetune: {epochs: 9, images: 30}]" };
	const struct facts f = { .macs = 4e5, .ntrain = 60000, .ntest = 10000 };
	const double base = forecast(&job.cells[0].p, STAGE_BASE, &f), one = forecast(&job.cells[1].p, STAGE_CELL, &f);

	for (int i = 0; i < 3; i++) {
		struct job more;

		ck_assert_int_eq(job_parse(&more, text, strlen(text), "f.yaml", &sets[i], 1), 0);
		ck_assert_int_eq(job_resolve(&more, NULL), 0);
		if (i < 2)
			ck_assert_double_gt(forecast(&more.cells[0].p, STAGE_BASE, &f), base);
		else
			ck_assert_double_gt(forecast(&more.cells[1].p, STAGE_CELL, &f), one);
		job_release(&more);
	}
}
END_TEST

/* Two tasks of 4 s behind one of 2 s: one after the other, or side by side. */
START_TEST(workers_share_and_wait)
{
	struct task t[] = { { .after = -1, .seconds = 2 }, { .after = 0, .seconds = 4 }, { .after = 0, .seconds = 4 } };
	const struct plan three = { .t = t, .n = 3 };
	const double alone = plan_elapsed(&three, 1), two = plan_elapsed(&three, 2), many = plan_elapsed(&three, 8);

	ck_assert_double_ge(alone, 10);
	ck_assert_double_le(alone, 11); /* with what starting a worker takes */
	ck_assert_double_ge(two, 6);
	ck_assert_double_le(two, 7);
	ck_assert_double_eq(two, many);
	ck_assert_double_eq(plan_elapsed(&(struct plan){ .n = 0 }, 2), 0);
}
END_TEST

START_TEST(people_read_what_differs)
{
	char buf[512];

	ck_assert_str_eq(point_text(&job.cells[0].p, buf), "seed 1, keycheck, no attack");
	ck_assert_str_eq(point_text(&job.cells[2].p, buf), "seed 1, keycheck, prune rate=0.5");
}
END_TEST

Suite *suite_plan(void);
Suite *suite_plan(void)
{
	Suite *s = suite_create("plan");
	TCase *tc = tcase_create("plan");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_empty_store_needs_everything_once);
	tcase_add_test(tc, tasks_come_after_what_they_need);
	tcase_add_test(tc, what_is_there_is_not_planned);
	tcase_add_test(tc, times_are_learnt_from_the_store);
	tcase_add_test(tc, more_to_do_takes_longer);
	tcase_add_test(tc, workers_share_and_wait);
	tcase_add_test(tc, people_read_what_differs);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	return s;
}
