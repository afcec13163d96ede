/* bench/grant.c, applies.c: what a level grants; who is refused and why; a budget that ends is a result. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "bench/applies.h"
#include "bench/job.h"
#include "bench/plan.h"
#include "bench/store.h"
#include "datasets/dataset.h"
#include "tests/support_sandbox.h"

static const char head[] = "dataset: synthetic\ntier: smoke\nseeds: 1\ntrain: {epochs: 1}\nlimit: {train: 200, test: 50}\nusers: 2\n"
			   "credentials_per_user: 1\nschemes: [keycheck]\ncontrols: false\n";
static struct job job;

static void load(const char *rest)
{
	char *text = xasprintf("%s%s", head, rest);

	ck_assert_msg(job_parse(&job, text, strlen(text), "f.yaml", NULL, 0) == 0, "%s", error_text());
	ck_assert_msg(job_resolve(&job, NULL) == 0, "%s", error_text());
	free(text);
}

static void setup(void)
{
	sandbox_open();
	progress_quiet = 1;
}

static void teardown(void)
{
	job_release(&job);
	cell_cache_release();
	sandbox_close();
}

/* ---- levels ---- */

/* The table of attacks.md 0.3: what a capability takes. */
static const struct { unsigned needs; int level; } levels[] = {
	{ 0, LEVEL_BLACK }, { CAP_LABEL | CAP_PROB, LEVEL_BLACK }, { CAP_DECISION | CAP_UNLABELLED, LEVEL_BLACK },
	{ CAP_LABELLED | CAP_CHANNEL, LEVEL_BLACK }, { CAP_ALGO, LEVEL_GREY }, { CAP_PARAM | CAP_LABEL, LEVEL_GREY },
	{ CAP_CRED | CAP_PAIR, LEVEL_GREY }, { CAP_ARCH, LEVEL_GREY }, { CAP_WEIGHTS, LEVEL_WHITE }, { CAP_WRITE, LEVEL_WHITE },
	{ CAP_GRADX | CAP_LABEL, LEVEL_WHITE }, { CAP_INSTANCE, LEVEL_WHITE },
};

START_TEST(capabilities_have_levels)
{
	char why[256];

	ck_assert_int_eq(level_of(levels[_i].needs), levels[_i].level);
	for (int i = 0; i < LEVELS; i++)
		ck_assert_int_eq(level_refuses(i, levels[_i].needs, why), i < levels[_i].level);
}
END_TEST

/* White grants whatever any attack can ask for: nothing is refused that no level would allow. */
START_TEST(each_level_grants_what_the_lower_does)
{
	for (int i = 1; i < LEVELS; i++)
		ck_assert_uint_eq(level_grants(i - 1) & ~level_grants(i), 0);
	ck_assert_uint_eq(level_grants(LEVEL_WHITE) & (CAP_ARCH * 2 - 1), CAP_ARCH * 2 - 1);
}
END_TEST

START_TEST(settings_survive_the_trip)
{
	const struct attacker a = { .level = LEVEL_GREY, .overlap = true, .search = 5,
				    .budget = { .queries = 7, .labels = 8, .submissions = 9, .forwards = 1e12 } };
	json_t *j = attacker_json(&a, true), *again;
	struct attacker b;

	ck_assert_int_eq(attacker_from_json(&b, j), 0);
	ck_assert_int_eq(b.level, LEVEL_GREY);
	again = attacker_json(&b, true);
	ck_assert(json_equal(j, again));
	json_decref(j);
	json_decref(again);
	ck_assert_ptr_null(attacker_json(&(struct attacker){ .level = LEVEL_GREY }, false)); /* the rule has no members */
	ck_assert_int_eq(attacker_from_json(&b, NULL), 0);
	ck_assert_int_eq(b.level, LEVEL_WHITE);
}
END_TEST

/* ---- in a job ---- */

static const struct job_cell *cell_of(const char *attack, int nth)
{
	for (int i = 0; i < job.n; i++)
		if (job.cells[i].p.attack && !strcmp(job.cells[i].p.attack->drv.name, attack) && !nth--)
			return &job.cells[i];
	ck_abort_msg("no cell of %s", attack);
	return NULL;
}

/* An attack that the level grants what it needs is the same cell at every level; one that it does not is a cell that says so. */
START_TEST(a_level_refuses_and_changes_nothing_else)
{
	load("attacks: [prune: {rate: 0.5}, jpeg: {quality: 50}]\naccess: [black, white]\n");
	ck_assert_int_eq(job.n, 4); /* functional, prune refused, prune, jpeg once */
	ck_assert_str_eq(cell_of("prune", 0)->inapplicable, "refused: access level black does not grant weights,write");
	ck_assert_ptr_null(cell_of("prune", 1)->inapplicable);
	ck_assert_str_ne(cell_of("prune", 0)->key.cell, cell_of("prune", 1)->key.cell);
	ck_assert_ptr_null(cell_of("jpeg", 0)->inapplicable);
}
END_TEST

START_TEST(a_refused_cell_is_stored_with_its_reason)
{
	struct store *st = store_open(sandbox("s"), true);
	json_t *j;

	load("attacks: [prune: {rate: 0.5}]\naccess: grey\n");
	ck_assert_msg(cell_run(st, &cell_of("prune", 0)->p, NULL) == 0, "%s", error_text());
	j = store_get_cell(st, cell_of("prune", 0)->key.cell);
	ck_assert_str_eq(jget_str(j, "verdict", ""), "n/a");
	ck_assert_ptr_nonnull(strstr(jget_str(j, "why", ""), "refused: access level grey"));
	ck_assert_str_eq(jget_str(j, "level", ""), "white");
	ck_assert_str_eq(jget_str(j, "needs", ""), "weights,write");
	json_decref(j);
	store_close(st);
}
END_TEST

/* What pairs are for is not there for keycheck: said before anything runs, and not by a failure. */
START_TEST(what_a_scheme_does_not_hand_out_is_said)
{
	load("attacks: [replay, surrogate-encoder]\n");
	ck_assert_ptr_nonnull(strstr(cell_of("replay", 0)->inapplicable, "no pairs to learn from"));
	ck_assert_ptr_nonnull(strstr(cell_of("surrogate-encoder", 0)->inapplicable, "no pairs to learn from"));
}
END_TEST

static json_t *run_one(const char *attack)
{
	struct store *st = store_open(sandbox("s"), true);
	json_t *j;

	ck_assert_msg(cell_run(st, &cell_of(attack, 0)->p, NULL) == 0, "%s", error_text());
	j = store_get_cell(st, cell_of(attack, 0)->key.cell);
	store_close(st);
	return j;
}

/* A network trained from scratch with 20 labels at most has 20: training and validation together. */
START_TEST(a_budget_of_labels_is_what_there_is)
{
	json_t *j;

	load("attacks: [scratch: {epochs: 1, steps: 1}]\nbudget: {labels: 20}\n");
	j = run_one("scratch");
	ck_assert_int_eq(jget_int(json_object_get(j, "notes"), "images", 0), 19);
	ck_assert_int_eq(jget_int(json_object_get(j, "ledger"), "labels", 0), 19);
	json_decref(j);
}
END_TEST

START_TEST(compute_beyond_the_budget_is_a_verdict)
{
	json_t *j;

	load("attacks: [scratch: {epochs: 1, steps: 1}]\nbudget: {forwards: 10}\n");
	j = run_one("scratch");
	ck_assert_str_eq(jget_str(j, "verdict", ""), "over-budget");
	ck_assert_ptr_nonnull(strstr(jget_str(j, "why", ""), "10 forward equivalents"));
	json_decref(j);
}
END_TEST

/* Time differs from run to run, so running out of it is a failure and no result. */
START_TEST(time_beyond_the_budget_is_a_failure)
{
	struct store *st = store_open(sandbox("s"), true);

	load("attacks: [scratch: {epochs: 10000, steps: 0}]\nbudget: {seconds: 0.05}\n");
	ck_assert_int_eq(cell_run(st, &cell_of("scratch", 0)->p, NULL), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "budget of 0.05 s"));
	ck_assert(!store_has_cell(st, cell_of("scratch", 0)->key.cell));
	store_close(st);
}
END_TEST

/* The overlapping regime: the attack's images are the owner's, the rest of the split and every artefact stays. */
START_TEST(overlapping_data_is_another_cell_of_the_same_artefacts)
{
	struct job_cell *one, *two;
	struct dataset *d = dataset_load("synthetic", NULL);
	struct splits apart, over;

	load("attacks: [scratch: {epochs: 1, steps: 1}]\nattacker_data: [disjoint, overlap]\n");
	ck_assert_int_eq(job.n, 3);
	one = &job.cells[1];
	two = &job.cells[2];
	ck_assert(!one->p.attacker.overlap && two->p.attacker.overlap);
	ck_assert_str_eq(one->key.creds, two->key.creds);
	ck_assert_str_ne(one->key.cell, two->key.cell);
	ck_assert_int_eq(splits_make(&apart, d, 1, 600, 50), 0);
	ck_assert_int_eq(splits_make(&over, d, 1, 600, 50), 0);
	splits_overlap(&over);
	ck_assert_int_eq(over.pool.n, apart.pool.n);
	for (int i = 0; i < over.pool.n; i++) {
		ck_assert_int_eq(images_at(&over.pool, i), images_at(&apart.owner, i));
		for (int k = 0; k < apart.pool.n; k++)
			ck_assert_int_ne(images_at(&over.pool, i), images_at(&apart.pool, k));
	}
	splits_release(&apart);
	splits_release(&over);
	dataset_free(d);
}
END_TEST

Suite *suite_grant(void);
Suite *suite_grant(void)
{
	Suite *s = suite_create("grant");
	TCase *tc = tcase_create("grant");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, capabilities_have_levels, 0, ARRAY_LEN(levels));
	tcase_add_test(tc, each_level_grants_what_the_lower_does);
	tcase_add_test(tc, settings_survive_the_trip);
	tcase_add_test(tc, a_level_refuses_and_changes_nothing_else);
	tcase_add_test(tc, a_refused_cell_is_stored_with_its_reason);
	tcase_add_test(tc, what_a_scheme_does_not_hand_out_is_said);
	tcase_add_test(tc, a_budget_of_labels_is_what_there_is);
	tcase_add_test(tc, compute_beyond_the_budget_is_a_verdict);
	tcase_add_test(tc, time_beyond_the_budget_is_a_failure);
	tcase_add_test(tc, overlapping_data_is_another_cell_of_the_same_artefacts);
	suite_add_tcase(s, tc);
	return s;
}
