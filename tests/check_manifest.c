/* bench/manifest.c, store_manifest.c: what is listed is what was written, at whatever step a run was killed; nothing
 * but a manifest is read as one. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "bench/keys.h"
#include "bench/manifest.h"
#include "bench/store.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define H "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct store *st;

static void teardown(void)
{
	store_close(st);
	sandbox_close();
}

/* Of two cells whose keys follow from their settings, as verify wants it. */
static char one[65], two[65];

static json_t *cell_of(long long seed, const char *version)
{
	json_t *c = sample_measured("none", seed, "", 10, 0.5);
	struct keys k;

	keys_of(c, &k);
	jset_str(jset_str(jset_str(c, "base_key", k.base), "locked_key", k.locked), "creds_key", k.creds);
	return jset_str(jset_str(c, "key", k.cell), "lockbench", version);
}

static void setup(void)
{
	sandbox_open();
	st = store_open(sandbox("s"), true);
	ck_assert_msg(st != NULL, "%s", error_text());
	for (int i = 1; i <= 2; i++) {
		json_t *c = cell_of(i, "");

		snprintf(i == 1 ? one : two, 65, "%s", jget_str(c, "key", ""));
		json_decref(c);
	}
}

/* version: of the program, which no key and no metric depends on. */
static void put_cell(long long seed, const char *version)
{
	json_t *c = cell_of(seed, version);

	ck_assert_msg(store_put_cell(st, jget_str(c, "key", ""), c) == 0, "%s", error_text());
	json_decref(c);
}

static void put_timing(const char *key, double seconds)
{
	json_t *t = json_object();

	jset_num(jset_str(t, "key", key), "seconds", seconds);
	ck_assert_int_eq(store_put_timing(st, key, t), 0);
	json_decref(t);
}

static void put_artefact(const char *key, float x)
{
	struct bundle *b = bundle_new();

	bundle_put_f32(b, "x", 1, &x);
	ck_assert_int_eq(store_put_artefact(st, key, b), 0);
	bundle_free(b);
}

static void put_run(const char *name)
{
	json_t *r = json_object();

	jset_str(jset_str(r, "name", name), "command", "lockbench run x");
	ck_assert_int_eq(store_put_run(st, r), 0);
	json_decref(r);
}

static void fill(void)
{
	put_cell(1, "0.1.0");
	put_timing(one, 1);
	put_artefact(one, 1);
	put_run("first");
}

/* The exit code of a command in the sandbox; its output is in "out". */
static int command(const char *text)
{
	char *line = xasprintf("cd %s && (%s) >out 2>&1", sandbox(""), text);
	int status = system(line);

	free(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int program(const char *arguments)
{
	const char *lb = getenv("LOCKBENCH");
	char here[4096], *line;
	int code;

	ck_assert(lb && getcwd(here, sizeof(here)));
	line = xasprintf("%s%s%s %s", *lb == '/' ? "" : here, *lb == '/' ? "" : "/", lb, arguments);
	code = command(line);
	free(line);
	return code;
}

static bool out_has(const char *text)
{
	char *out = file_read(sandbox("out"), 1 << 20, NULL);
	bool has = out && strstr(out, text);

	if (!has)
		fprintf(stderr, "no '%s' in: %s\n", text, out);
	free(out);
	return has;
}

static size_t listed(void)
{
	const struct manifest *m;

	return store_listed_again(st, &m) > 0 ? manifest_count(m) : 0;
}

/* ---- the file ---- */

START_TEST(sha256sum_reads_it)
{
	fill();
	ck_assert_int_eq(store_lock(st), 0);
	ck_assert_msg(store_settle(st, 0) == 0, "%s", error_text());
	ck_assert_uint_eq(listed(), 5);
	ck_assert_int_eq(command("cd s && sha256sum --strict -c manifest.sha256"), 0);
	ck_assert_int_eq(command("cd s && find * -type f ! -name lock ! -name manifest.sha256 | LC_ALL=C sort | "
				 "xargs sha256sum | cmp - manifest.sha256"), 0);
	ck_assert_int_eq(command("cd s && test $(stat -c %a manifest.sha256) = 600"), 0);
}
END_TEST

/* What is no manifest, the line where it stops to be one. */
static const struct { const char *text; int line; } wrong[] = {
	{ H "  store.json", 1 }, { H " store.json\n", 1 }, { H " *store.json\n", 1 }, { "x" H "  store.json\n", 1 },
	{ H "  STORE.json\n", 1 },
	{ H "  ../store.json\n", 1 }, { H "  /etc/passwd\n", 1 }, { H "  cells/ab/" A ".json\n", 1 },
	{ H "  cells/aa/" A ".json.tmp\n", 1 },
	{ H "  cells/" A ".json\n", 1 }, { H "  cells/aa/" A ".safetensors\n", 1 },
	{ H "  damaged/" A ".safetensors\n", 1 },
	{ H "  lock\n", 1 }, { H "  manifest.sha256\n", 1 }, { H "  store.json\r\n", 1 }, { "\n", 1 },
	{ H "  timing/aa/" A ".json\n\n", 2 },
	{ H "  store.json\n" H "  last-run.json\n", 2 }, { H "  store.json\n" H "  store.json\n", 2 },
	{ H "  failures/" A ".json\njunk\n", 2 },
	{ "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef  store.json\n", 1 },
};

START_TEST(nothing_else_is_a_manifest)
{
	struct manifest *m;
	char where[64];

	sandbox_write("s/manifest.sha256", wrong[_i].text, strlen(wrong[_i].text));
	ck_assert_int_eq(manifest_read(store_folder(st), &m), -1);
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	snprintf(where, sizeof(where), "manifest.sha256:%d: damaged", wrong[_i].line);
	ck_assert_msg(strstr(error_text(), where) != NULL, "%s", error_text());
	error_clear();
	/* Whoever reads says so and goes by the files alone; the next run writes another. */
	put_cell(1, "0.1.0");
	ck_assert_int_eq(program("verify s"), EXIT_NO);
	ck_assert(out_has("manifest.sha256:"));
	ck_assert_int_eq(program("status s"), EXIT_NO);
	ck_assert(out_has("1 damaged"));
	ck_assert_int_eq(program("report s -o r.md"), EXIT_NO);
	ck_assert_int_eq(program("verify --repair s"), EXIT_YES);
	ck_assert_int_eq(program("verify s"), EXIT_YES);
}
END_TEST

START_TEST(entries_come_and_go)
{
	struct manifest *m = manifest_new();

	manifest_add(m, "store.json", H);
	manifest_add(m, "cells/aa/" A ".json", H);
	ck_assert_int_eq(manifest_publish(m, store_folder(st)), 0);
	manifest_free(m);
	ck_assert_int_eq(manifest_read(store_folder(st), &m), 1);
	ck_assert_uint_eq(manifest_count(m), 2);
	ck_assert_str_eq(manifest_path(m, 0), "cells/aa/" A ".json");
	ck_assert_str_eq(manifest_hash(m, "store.json"), H);
	ck_assert_ptr_null(manifest_hash(m, "last-run.json"));
	ck_assert(!manifest_drop(m, "last-run.json"));
	ck_assert(manifest_drop(m, "cells/aa/" A ".json"));
	ck_assert(!manifest_drop(m, "cells/aa/" A ".json"));
	ck_assert_ptr_null(manifest_hash(m, "cells/aa/" A ".json"));
	ck_assert_str_eq(manifest_hash(m, "store.json"), H);
	ck_assert_int_eq(manifest_publish(m, store_folder(st)), 0);
	manifest_free(m);
	ck_assert_int_eq(manifest_read(store_folder(st), &m), 1);
	ck_assert_uint_eq(manifest_count(m), 1);
	manifest_free(m);
}
END_TEST

/* ---- entering ---- */

START_TEST(damage_is_not_entered_and_what_is_listed_is_not_read_again)
{
	const struct manifest *m;
	char *rel = store_rel("cells", one), *name = xasprintf("s/%s", rel), before[65], *bad, *bad_name;

	fill();
	put_cell(2, "0.1.0");
	bad = store_rel("cells", two);
	bad_name = xasprintf("s/%s", bad);
	sandbox_write(bad_name, "{}", 2);
	free(bad_name);
	free(bad);
	ck_assert_int_eq(store_lock(st), 0);
	ck_assert_int_eq(store_settle(st, 0), 0);
	ck_assert_uint_eq(listed(), 5);
	ck_assert_int_eq(store_listed(st, &m), 1);
	snprintf(before, sizeof(before), "%s", manifest_hash(m, rel));
	sandbox_write(name, "{}", 2); /* listed: it stays what was written, and this is damage */
	put_cell(2, "0.1.0");
	ck_assert_int_eq(store_settle(st, 0), 0);
	ck_assert_uint_eq(listed(), 6);
	ck_assert_int_eq(store_listed(st, &m), 1);
	ck_assert_str_eq(manifest_hash(m, rel), before);
	ck_assert_int_eq(program("verify s"), EXIT_NO);
	ck_assert(out_has("1 bad"));
	free(name);
	free(rel);
}
END_TEST

/* one cell and a timing that are right by themselves, and not what was written. */
START_TEST(what_is_listed_is_compared)
{
	json_t *t, *seen;

	fill();
	ck_assert_int_eq(store_lock(st), 0);
	ck_assert_int_eq(store_settle(st, 0), 0);
	put_timing(one, 2);
	ck_assert_ptr_null(store_read_timing(st, one));
	ck_assert_ptr_nonnull(strstr(error_text(), "not the file that manifest.sha256 lists"));
	error_clear();
	put_timing(one, 1);
	t = store_read_timing(st, one);
	ck_assert_ptr_nonnull(t);
	put_cell(1, "0.1.1");
	ck_assert_int_eq(store_has_cell(st, one), 0);
	seen = store_get_cell(st, one);
	ck_assert_ptr_null(seen);
	error_clear();
	put_cell(1, "0.1.0");
	ck_assert_int_eq(store_has_cell(st, one), 1);
	json_decref(t);
}
END_TEST

/* Somebody reads while a run changes what it stopped to list. */
START_TEST(a_run_at_work_is_no_damage)
{
	struct store *other = store_open(sandbox("s"), false);
	bool any = false;
	json_t *t;

	fill();
	ck_assert_int_eq(store_lock(st), 0);
	ck_assert_int_eq(store_settle(st, 0), 0);
	t = store_read_timing(other, one); /* it has the manifest now */
	ck_assert_ptr_nonnull(t);
	json_decref(t);
	manifest_drop_kind(store_manifest(st), "timing", one, &any);
	ck_assert(any);
	ck_assert_int_eq(store_publish_manifest(st), 0);
	put_timing(one, 2);
	t = store_read_timing(other, one);
	ck_assert_msg(t != NULL, "%s", error_text());
	ck_assert_double_eq(jget_num(t, "seconds", 0), 2);
	json_decref(t);
	ck_assert_int_eq(store_settle(st, 0), 0);
	t = store_read_timing(other, one);
	ck_assert_msg(t != NULL, "%s", error_text());
	json_decref(t);
	store_close(other);
}
END_TEST

static int count_missing(void *ctx, const char *key)
{
	ck_assert_str_eq(key, one);
	++*(int *)ctx;
	return 0;
}

START_TEST(what_is_gone_is_missed)
{
	static const char *const kinds[] = { "cells", "timing", "artefacts" };
	size_t n;
	int gone = 0;

	fill();
	put_cell(2, "0.1.0");
	ck_assert_int_eq(store_lock(st), 0);
	ck_assert_int_eq(store_settle(st, 0), 0);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(store_remove(st, kinds[i], one), 1);
	for (size_t i = 0; i < 3; i++) {
		char **keys = store_keys(st, kinds[i], &n);

		ck_assert_int_eq(store_missing(st, kinds[i], keys, n, count_missing, &gone), 0);
		dir_list_free(keys, n);
	}
	ck_assert_int_eq(gone, 3);
	ck_assert_int_eq(program("verify s"), EXIT_NO);
	ck_assert(out_has("3 bad"));
	ck_assert_int_eq(program("status s"), EXIT_NO);
	ck_assert(out_has("3 missing"));
	ck_assert_int_eq(program("report s -o r.md"), EXIT_NO);
	ck_assert_int_eq(command("grep -q 'Left out.*1 cell' r.md"), 0);
}
END_TEST

/* ---- killed at every step ---- */

static int die_at, steps;

static int die_here(const char *step, const char *path)
{
	(void)step, (void)path;
	if (++steps == die_at)
		_exit(9);
	return 0;
}

/* What a run does to files that were there: other timings, another note, a failure that comes and one that goes, an
 * artefact made again. */
static void run_again(void *unused)
{
	json_t *f = json_object(), *point = sample_measured("none", 2, "", 10, 0.5);
	struct manifest *m;
	bool any = false;

	(void)unused;
	st = store_open(sandbox("s"), false);
	steps = 0;
	file_fault = die_here;
	ck_assert_int_eq(store_lock(st), 0);
	m = store_manifest(st);
	manifest_drop_kind(m, "timing", one, &any);
	manifest_drop_kind(m, "artefacts", one, &any);
	manifest_drop_kind(m, "failures", two, &any);
	any |= manifest_drop(m, "last-run.json");
	ck_assert_int_eq(store_publish_manifest(st), 0);
	put_run("again");
	put_timing(one, 2);
	store_remove(st, "artefacts", one);
	put_artefact(one, 1);
	put_cell(2, "0.1.0");
	put_timing(two, 2);
	ck_assert_int_eq(store_clear_failure(st, two), 0);
	jset_str(jset_str(jset_str(jset(f, "point", point), "key", one), "verdict", "failed"), "why", "");
	jset_int(f, "attempt", 1);
	ck_assert_int_eq(store_put_failure(st, one, f), 0);
	ck_assert_int_eq(store_settle(st, 0), 0);
	file_fault = NULL;
	store_close(st);
	json_decref(f);
}

static void run_to_the_end(void *unused)
{
	die_at = 0;
	run_again(unused);
}

START_TEST(killed_at_any_step_nothing_is_called_damage)
{
	json_t *f = json_object();
	int code;

	jset(f, "point", sample_measured("none", 2, "", 10, 0.5));
	jset_int(jset_str(jset_str(jset_str(f, "key", two), "verdict", "failed"), "why", "late"), "attempt", 1);
	for (die_at = 1;; die_at++) {
		ck_assert_int_eq(command("rm -rf s"), 0);
		store_close(st);
		st = store_open(sandbox("s"), true);
		fill();
		ck_assert_int_eq(store_put_failure(st, two, f), 0);
		ck_assert_int_eq(store_lock(st), 0);
		ck_assert_int_eq(store_settle(st, 0), 0);
		store_close(st);
		st = NULL;
		code = run_child(run_again, NULL, NULL);
		ck_assert_msg(code == 9 || code == 0, "step %d: %d", die_at, code);
		ck_assert_msg(program("verify s") == EXIT_YES, "step %d: %s", die_at,
			      file_read(sandbox("out"), 1 << 20, NULL));
		if (code == 0)
			break;
		ck_assert_int_eq(run_child(run_to_the_end, NULL, NULL), 0);
		ck_assert_msg(program("verify s") == EXIT_YES, "step %d, again: %s", die_at,
			      file_read(sandbox("out"), 1 << 20, NULL));
	}
	ck_assert_int_gt(die_at, 30);
	ck_assert(out_has("0 bad"));
	ck_assert_int_eq(command("cd s && sha256sum --strict --quiet -c manifest.sha256"), 0);
	json_decref(f);
}
END_TEST

/* ---- the way back ---- */

START_TEST(a_lost_store_json_is_made_again)
{
	static const char *const readers[] = { "status s", "verify s", "report s -o r.md", "gc s",
					      "plan job.yaml --store s", "run job.yaml --store s -q",
					       "bundle s -o b.tar", "compare s s" };
	static const char job[] = "name: x\ndataset: synthetic\nmodel: linear\nschemes: [none]\ncontrols: "
				  "false\nlimit: {train: 100, test: 50}\n"
				  "train: {epochs: 1}\n";

	fill();
	ck_assert_int_eq(store_lock(st), 0);
	ck_assert_int_eq(store_settle(st, 0), 0);
	store_close(st);
	st = NULL;
	sandbox_write("job.yaml", job, strlen(job));
	ck_assert_int_eq(command("cp -r s kept && rm s/store.json"), 0);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		ck_assert_msg(program(readers[i]) == EXIT_UNEVALUABLE, "%s", readers[i]);
		ck_assert(out_has("lost its store.json: `lockbench verify --repair s`"));
	}
	ck_assert_int_eq(program("verify --repair s"), EXIT_YES);
	ck_assert(out_has("store.json: made again"));
	ck_assert_int_eq(command("diff -r -x lock s kept"), 0);
	ck_assert_int_eq(program("verify s"), EXIT_YES);
	/* One that is no JSON is lost, too; one of another format is not ours to touch. */
	ck_assert_int_eq(command("echo '{' >s/store.json"), 0);
	ck_assert_int_eq(program("verify --repair s"), EXIT_YES);
	ck_assert_int_eq(command("diff -r -x lock s kept"), 0);
	ck_assert_int_eq(command("echo '{\"format\": 2}' >s/store.json"), 0);
	ck_assert_int_eq(program("verify --repair s"), EXIT_UNEVALUABLE);
	ck_assert_int_eq(command("grep -q 2 s/store.json"), 0);
	ck_assert_int_eq(command("mkdir empty && echo x >empty/letter"), 0);
	ck_assert_int_eq(program("verify --repair empty"), EXIT_UNEVALUABLE);
	ck_assert_int_eq(command("test \"$(ls empty)\" = letter"), 0);
}
END_TEST

Suite *suite_manifest(void);
Suite *suite_manifest(void)
{
	Suite *s = suite_create("manifest");
	TCase *tc = tcase_create("manifest");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, sha256sum_reads_it);
	tcase_add_loop_test(tc, nothing_else_is_a_manifest, 0, ARRAY_LEN(wrong));
	tcase_add_test(tc, entries_come_and_go);
	tcase_add_test(tc, damage_is_not_entered_and_what_is_listed_is_not_read_again);
	tcase_add_test(tc, what_is_listed_is_compared);
	tcase_add_test(tc, a_run_at_work_is_no_damage);
	tcase_add_test(tc, what_is_gone_is_missed);
	tcase_add_test(tc, killed_at_any_step_nothing_is_called_damage);
	tcase_add_test(tc, a_lost_store_json_is_made_again);
	tcase_set_timeout(tc, 300);
	suite_add_tcase(s, tc);
	return s;
}
