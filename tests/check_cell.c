/* bench/point.c, bench/cell.c: keys hold everything that can change a result and nothing else; a cell is made once and alike. */
#include <check.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/tile.h"
#include "bench/job.h"
#include "bench/store.h"
#include "metrics/metric.h"
#include "tests/support_sandbox.h"

static const char text[] = "dataset: synthetic\ntier: smoke\nseeds: 1\ntrain: {epochs: 1}\nlimit: {train: 200, test: 50}\nusers: 2\n"
			   "credentials_per_user: 1\nschemes: [keycheck]\ncontrols: false\nattacks: [prune: {rate: 0.5}]\n";
static struct job job;

static void load(struct job *j, const char *const *sets, int n)
{
	ck_assert_msg(job_parse(j, text, strlen(text), "f.yaml", sets, n) == 0, "%s", error_text());
	ck_assert_msg(job_resolve(j, NULL) == 0, "%s", error_text());
}

static void setup(void)
{
	sandbox_open();
	progress_quiet = 1;
	load(&job, NULL, 0);
	ck_assert_int_eq(job.n, 2);
}

static void teardown(void)
{
	job_release(&job);
	cell_cache_release();
	sandbox_close();
}

/* ---- keys ---- */

/* same: how many of base, locked, creds, cell stay (the later ones change). Of the attacked cell. */
static const struct change { const char *set; int same; } changes[] = {
	{ "seeds=[2]", 0 }, { "train.epochs=2", 0 }, { "train.lr=0.5", 0 }, { "limit.train=201", 0 }, { "model=mlp", 0 },
	{ "schemes.keycheck.users=7", 1 }, { "users=1", 2 }, { "credentials_per_user=2", 2 }, { "limit.test=51", 3 },
	{ "attacks.prune.rate=0.25", 3 }, { "attacks.prune.scope=layer", 3 },
	{ "tier=short", 3 }, { "budget={queries: 5}", 3 }, { "attacker_data=overlap", 3 }, { "access=black", 3 },
	{ "access=[white]", 4 }, { "budget={seconds: 5}", 4 }, { "name=other", 4 }, { "timeout=7", 4 }, { "attacks.prune.rate=[0.5]", 4 },
};

START_TEST(a_key_changes_with_what_it_stands_for)
{
	const struct change *c = &changes[_i];
	struct job other;
	struct keys *a = &job.cells[1].key, *b;

	load(&other, &c->set, 1);
	b = &other.cells[1].key;
	ck_assert_msg((strcmp(a->base, b->base) == 0) == (c->same > 0), "%s: base", c->set);
	ck_assert_msg((strcmp(a->locked, b->locked) == 0) == (c->same > 1), "%s: locked", c->set);
	ck_assert_msg((strcmp(a->creds, b->creds) == 0) == (c->same > 2), "%s: creds", c->set);
	ck_assert_msg((strcmp(a->cell, b->cell) == 0) == (c->same > 3), "%s: cell", c->set);
	job_release(&other);
}
END_TEST

/* An attack that runs others gives what they give: a raised version of one of them is another cell, and nothing else changes. */
START_TEST(versions_of_parts_are_in_the_key)
{
	static const char *const sets[] = { "attacks=[sequence: {parts: 'prune rate=0.5; finetune epochs=1', run: [2, 1]}]" };
	json_t *two, *one;
	struct job more;
	struct keys k;

	load(&more, sets, 1);
	ck_assert_int_eq(more.n, 3);
	two = point_json(&more.cells[1].p);
	one = json_object_get(two, "attack_parts");
	ck_assert_uint_eq(json_object_size(one), 2);
	ck_assert_int_eq(jget_int(one, "prune", 0), ((const struct attack *)driver_find(attacks, "attack", "prune"))->drv.version);
	keys_of(two, &k);
	ck_assert_str_eq(k.cell, more.cells[1].key.cell);
	jset_int(one, "finetune", jget_int(one, "finetune", 0) + 1);
	keys_of(two, &k);
	ck_assert_str_ne(k.cell, more.cells[1].key.cell);
	ck_assert_str_eq(k.creds, more.cells[1].key.creds);
	json_decref(two);
	one = point_json(&more.cells[2].p); /* what does not run does not count */
	ck_assert_ptr_null(json_object_get(json_object_get(one, "attack_parts"), "finetune"));
	json_decref(one);
	job_release(&more);
}
END_TEST

/* Keys of many points at once are those of each. */
START_TEST(a_memo_changes_no_key)
{
	static const char *const sets[] = { "seeds=[1, 2]", "schemes=[none, keycheck: {users: [2, 3]}]",
					    "attacks=[jpeg, prune: {rate: [0.1, 0.5]}]", "attacker_data=[disjoint, overlap]" };
	struct key_memo *m = key_memo_new();
	struct job more;

	load(&more, (const char *const[]){ sets[0], sets[1], sets[2], sets[3] }, 4);
	ck_assert_int_eq(more.n, 2 * 3 * (1 + 3 * 2));
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < more.n; i++) {
			const int at = pass ? more.n - 1 - i : i;
			struct keys alone, k;

			point_keys(&more.cells[at].p, &alone);
			point_keys_with(m, &more.cells[at].p, &k);
			ck_assert_mem_eq(&alone, &k, sizeof(k));
		}
	key_memo_free(m);
	job_release(&more);
}
END_TEST

/* Every member of a description is in the cell's key: change each in turn. */
START_TEST(every_member_of_a_description_counts)
{
	json_t *d = point_json(&job.cells[1].p);
	const char *name;
	json_t *v;

	json_object_foreach(d, name, v) {
		json_t *changed = json_deep_copy(d);
		struct keys k;

		if (json_is_object(v))
			jset_int(json_object_get(changed, name), json_object_iter_key(json_object_iter(v)) ?
				 json_object_iter_key(json_object_iter(v)) : "x", 12345);
		else
			jset_str(changed, name, "changed");
		keys_of(changed, &k);
		ck_assert_msg(strcmp(k.cell, job.cells[1].key.cell) != 0, "%s", name);
		json_decref(changed);
	}
	json_decref(d);
}
END_TEST

/* A metric that reports compute, or that is of seconds, is in no cell: another one of them must not make every cell anew. */
START_TEST(metrics_that_cells_hold_are_in_the_key)
{
	json_t *d = point_json(&job.cells[1].p), *held = json_object();
	char hash[65];
	int others = 0;

	for (int i = 0; metrics[i]; i++)
		if (((const struct metric *)metrics[i])->from == FROM_CELL)
			jset_int(held, metrics[i]->name, metrics[i]->version);
		else
			others++;
	json_hash(held, hash);
	ck_assert_str_eq(jget_str(d, "metrics_version", ""), hash);
	ck_assert_int_gt(others, 0);
	json_decref(held);
	json_decref(d);
}
END_TEST

/* Images of another task that a lock needs: other ones make another lock of the same base model; where none are needed, keys are
 * what they were. */
START_TEST(foreign_images_are_in_the_key)
{
	struct point p, again;
	struct keys none, one, two;
	json_t *j;

	point_copy(&p, &job.cells[0].p);
	point_keys(&p, &none);
	strcpy(p.foreign, "mnist");
	strcpy(p.foreign_hash, "1");
	point_keys(&p, &one);
	strcpy(p.foreign_hash, "2");
	point_keys(&p, &two);
	ck_assert_str_eq(none.base, two.base);
	ck_assert_str_ne(none.locked, one.locked);
	ck_assert_str_ne(one.locked, two.locked);
	j = point_json(&p);
	ck_assert_int_eq(point_from_json(&again, j), 0);
	ck_assert_str_eq(again.foreign, "mnist");
	ck_assert_str_eq(again.foreign_hash, "2");
	json_decref(j);
	point_release(&p);
	point_release(&again);
}
END_TEST

START_TEST(another_attack_or_scheme_or_seed_changes_no_key)
{
	static const char *const sets[] = { "seeds=[3, 1]", "schemes=[none, keycheck]", "attacks=[jpeg, prune: {rate: [0.1, 0.5]}]" };
	struct job more;
	int found = 0;

	load(&more, sets, 3);
	ck_assert_int_eq(more.n, 16);
	for (int i = 0; i < more.n; i++)
		for (int k = 0; k < job.n; k++)
			found += !strcmp(more.cells[i].key.cell, job.cells[k].key.cell);
	ck_assert_int_eq(found, 2);
	job_release(&more);
}
END_TEST

START_TEST(a_point_survives_the_trip_to_a_worker)
{
	for (int i = 0; i < job.n; i++) {
		json_t *j = point_json(&job.cells[i].p), *again;
		struct point p, copy;
		struct keys k;

		ck_assert_msg(point_from_json(&p, j) == 0, "%s", error_text());
		point_copy(&copy, &p);
		again = point_json(&copy);
		ck_assert(json_equal(j, again));
		point_keys(&p, &k);
		ck_assert_str_eq(k.cell, job.cells[i].key.cell);
		point_release(&p);
		point_release(&copy);
		json_decref(j);
		json_decref(again);
	}
}
END_TEST

/* ---- work ---- */

static char *cell_text(const char *store, const struct job_cell *c)
{
	struct store *st = store_open(sandbox(store), true);
	json_t *j;
	char *s;

	ck_assert_msg(cell_run(st, &c->p, NULL) == 0, "%s", error_text());
	ck_assert_int_eq(store_check_cell(st, c->key.cell), 0);
	j = store_get_cell(st, c->key.cell);
	ck_assert_str_eq(jget_str(j, "base_key", ""), c->key.base);
	s = json_pretty(j);
	json_decref(j);
	store_close(st);
	return s;
}

START_TEST(cells_do_not_depend_on_order_or_threads)
{
	char *a[2], *b[2];

	tile_threads(1);
	a[0] = cell_text("one", &job.cells[0]);
	a[1] = cell_text("one", &job.cells[1]);
	tile_threads(2);
	b[1] = cell_text("two", &job.cells[1]);
	cell_cache_release();
	b[0] = cell_text("two", &job.cells[0]);
	for (int i = 0; i < 2; i++) {
		ck_assert_str_eq(a[i], b[i]);
		free(a[i]);
		free(b[i]);
	}
}
END_TEST

START_TEST(artefacts_are_made_once_and_remade_when_damaged)
{
	struct store *st = store_open(sandbox("s"), true);
	const struct job_cell *c = &job.cells[0];
	struct bundle *b, *again;
	char *path, h1[65], h2[65];

	ck_assert_int_eq(cell_prepare(st, &c->p, NULL), 0);
	for (int s = STAGE_BASE; s <= STAGE_CREDS; s++)
		ck_assert(stage_done(st, &c->p, &c->key, (enum stage)s));
	b = store_get_artefact(st, c->key.creds);
	bundle_hash(b, h1);
	path = store_path(st, "artefacts", c->key.creds);
	ck_assert_int_eq(truncate(path, 100), 0);
	ck_assert_msg(cell_prepare(st, &c->p, NULL) == 0, "%s", error_text());
	again = store_get_artefact(st, c->key.creds);
	bundle_hash(again, h2);
	ck_assert_str_eq(h1, h2);
	bundle_free(b);
	bundle_free(again);
	free(path);
	store_close(st);
}
END_TEST

START_TEST(changed_data_is_noticed)
{
	struct store *st = store_open(sandbox("s"), true);

	job.cells[0].p.dataset_hash[0] ^= 1;
	ck_assert_int_eq(cell_run(st, &job.cells[0].p, NULL), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "not the one this cell was planned with"));
	store_close(st);
}
END_TEST

Suite *suite_cell(void);
Suite *suite_cell(void)
{
	Suite *s = suite_create("cell");
	TCase *tc = tcase_create("cell");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_key_changes_with_what_it_stands_for, 0, ARRAY_LEN(changes));
	tcase_add_test(tc, versions_of_parts_are_in_the_key);
	tcase_add_test(tc, a_memo_changes_no_key);
	tcase_add_test(tc, every_member_of_a_description_counts);
	tcase_add_test(tc, metrics_that_cells_hold_are_in_the_key);
	tcase_add_test(tc, foreign_images_are_in_the_key);
	tcase_add_test(tc, another_attack_or_scheme_or_seed_changes_no_key);
	tcase_add_test(tc, a_point_survives_the_trip_to_a_worker);
	tcase_add_test(tc, cells_do_not_depend_on_order_or_threads);
	tcase_add_test(tc, artefacts_are_made_once_and_remade_when_damaged);
	tcase_add_test(tc, changed_data_is_noticed);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	return s;
}
