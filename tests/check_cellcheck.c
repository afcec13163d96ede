/* bench/cellcheck.c: what is no cell is refused with a message, what passes is read by every command. Each member of
 * real cells is replaced, retyped and deleted, one after another, with every hash right; the whole program then reads
 * what was let through. */
#include <check.h>
#include <dirent.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "bench/cellcheck.h"
#include "bench/store.h"
#include "bench/pictures.h"
#include "metrics/observe.h"
#include "reports/breaks.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

/* ---- single rules ---- */

static json_t *cell, *failure, *timing, *run_note;

static void setup(void)
{
	sandbox_open();
	cell = sample_attacked("mnist", "activeguard", "prune", "rate", 0.5, 1);
	failure = json_pack("{s:s, s:O, s:s, s:s, s:i}", "key", jget_str(cell, "key", ""), "point", cell, "verdict",
			    "timeout", "why", "late",
			    "attempt", 1);
	timing = json_pack("{s:s, s:s, s:f, s:i, s:s, s:{s:f, s:n}}", "key", jget_str(cell, "key", ""), "kind",
			   "cell", "seconds", 1.5,
			   "threads", 2, "host", "here", "metrics", "latency_ratio_1", 1.5, "latency_ratio_64");
	run_note = json_pack("{s:s, s:s, s:s, s:s}", "name", "a job", "command", "lockbench run x", "tier", "smoke",
			     "lockbench", "0.1.0");
}

static void teardown(void)
{
	json_decref(cell);
	json_decref(failure);
	json_decref(timing);
	json_decref(run_note);
	sandbox_close();
}

/* A JSON text for the member at path "a/b" (text NULL: delete it), and whose check is asked. */
struct rule { const char *path, *text, *message; };

static void set_at(json_t *j, const char *path, const char *text)
{
	const char *slash;
	char name[64];
	json_t *v = NULL;

	while ((slash = strchr(path, '/')) != NULL) {
		snprintf(name, sizeof(name), "%.*s", (int)(slash - path), path);
		j = json_object_get(j, name);
		path = slash + 1;
	}
	ck_assert(json_is_object(j));
	if (text) {
		v = json_loads(text, JSON_DECODE_ANY, NULL);
		ck_assert_msg(v != NULL, "%s", text);
		json_object_set_new(j, path, v);
	} else {
		ck_assert_int_eq(json_object_del(j, path), 0);
	}
}

static void refused(json_t *j, int (*check)(const json_t *), const struct rule *r)
{
	json_t *copy = json_deep_copy(j);

	set_at(copy, r->path, r->text);
	ck_assert_int_eq(check(j), 0);
	ck_assert_msg(check(copy) < 0, "%s = %s", r->path, r->text ? r->text : "absent");
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	ck_assert_msg(strstr(error_text(), r->message) != NULL, "%s = %s: %s", r->path, r->text ? r->text : "absent",
		      error_text());
	error_clear();
	json_decref(copy);
}

static const struct rule cell_rules[] = {
	{ "creds_key", "\"x\"", "\"creds_key\": is no SHA-256" },
	{ "key", "\"../../../../../../../../../../../../../../../../../../etc/passwd\"", "\"key\": is no SHA-256" },
	{ "base_key", "\"\"", "is no SHA-256" },
	{ "base_hash", "\"0123\"", "is no SHA-256" },
	{ "locked_key", NULL, "lacks \"locked_key\"" },
	{ "schema", "2", "is no whole number from 1 to 1" },
	{ "scheme", "\"\\u001b[2J\"", "\"scheme\": is no name" },
	{ "attack", "\"a/b\"", "\"attack\": is no name" },
	{ "model", "\"-rf\"", "\"model\": is no name" },
	{ "dataset", "\"a\\nb\"", "control characters" },
	{ "dataset", "\"a\\u009bb\"", "control characters" },
	{ "lockbench", "1", "is no text" },
	{ "verdict", "\"great\"", "is none of the words" },
	{ "tier", "\"huge\"", "is none of the words" },
	{ "level", "\"root\"", "is none of the words" },
	{ "seed", "-1", "is no whole number" },
	{ "seed", "1.5", "is no whole number" },
	{ "users", "9223372036854775807", "is no whole number" },
	{ "limits", "[]", "is no object" },
	{ "limits/test", "-5", "\"limits\": \"test\": is no whole number" },
	{ "limits/more", "1", "has a member \"more\"" },
	{ "shape/h", "0", "is no whole number" },
	{ "ledger/queries", "true", "is no whole number" },
	{ "ledger/forward_equivalents", "-1.0", "is no number from 0" },
	{ "recipe/lr", "null", "\"lr\": is no number" },
	{ "recipe/lr", "{}", "\"lr\": is no number" },
	{ "scheme_options/\033]0;x\007", "1", "has a member whose name is none" },
	{ "scheme_options/tolerance", "[[1]]", "is no number" },
	{ "attack_options", "\"rate=1\"", "is no object" },
	{ "attack_parts", "{\"prune\": -1}", "is no whole number" },
	{ "attacker", "{\"max_queries\": 1e300}", "is no number from 0" },
	{ "attacker", "{\"access\": \"any\"}", "is none of the words" },
	{ "metrics/attacked_accuracy", "90", "is no object" },
	{ "metrics/attacked_accuracy/k", "1001", "counts more successes than trials" },
	{ "metrics/attacked_accuracy/n", "1e3", "is no whole number" },
	{ "metrics/attacked_accuracy/value", "\"90\"", "is no number" },
	{ "metrics/attacked_accuracy/value", "1e300", "too large" },
	{ "metrics/A b", "{\"value\": 1, \"low\": 1, \"high\": 1, \"k\": 0, \"n\": 0}", "name is none" },
	{ "observations/bits/attacked_correct/n", "999", "malformed bits" },
	{ "observations/bits/attacked_correct/k", "0", "does not count" },
	{ "observations/bits/attacked_correct/bits", "\"AA==\"", "malformed bits" },
	{ "observations/numbers/classes", "\"10\"", "is no number" },
	{ "observations/numbers/attacked_correct", "1", "there twice" },
	{ "observations/series/x", "[1, null]", "is no number" },
	{ "observations/series/x", "[1e200]", "too large" },
	{ "observations/numbers/a-very-long-name-that-no-observation-has-as-it-is-too-long", "1",
	 "longer than 47 bytes" },
	{ "observations/more", "{}", "observations are" },
	{ "notes/deep", "{\"a\": {\"b\": {\"c\": {\"d\": 1}}}}", "nests too deep" },
	{ "notes/x", "[[]]", "is no number" },
	{ "why", "7", "is no text" },
	{ "sha256", "\"0\"", "is no SHA-256" },
	{ "extra", "1", "has a member \"extra\"" },
};

START_TEST(what_is_no_cell_is_refused)
{
	refused(cell, cell_check, &cell_rules[_i]);
}
END_TEST

static const struct rule failure_rules[] = {
	{ "key", "\"k\"", "is no SHA-256" }, { "attempt", "0.5", "is no whole number" },
	{ "verdict", "\"ok\"", "is none of the words" },
	{ "point", "[]", "is no object" }, { "point/scheme", "\"\\u0007\"", "is no name" },
	{ "point/seed", NULL, "lacks \"seed\"" },
	{ "point/attack_options", "{\"rate\": null}", "is no number" }, { "why", NULL, "lacks \"why\"" },
};

START_TEST(what_is_no_failure_is_refused)
{
	refused(failure, failure_check, &failure_rules[_i]);
}
END_TEST

static const struct rule timing_rules[] = {
	{ "key", NULL, "lacks \"key\"" }, { "seconds", "\"1\"", "is no number" },
	{ "kind", "\"lunch\"", "is none of the words" },
	{ "threads", "-1", "is no whole number" }, { "host", "\"a\\u001bb\"", "control characters" },
	{ "metrics", "[]", "is no object" }, { "metrics/latency_ratio_1", "{}", "is no number" },
	{ "metrics/ x", "1", "name is none" },
};

START_TEST(what_is_no_timing_is_refused)
{
	refused(timing, timing_check, &timing_rules[_i]);
}
END_TEST

static const struct rule run_rules[] = {
	{ "command", "{}", "is no text" }, { "name", "7", "is no text" }, { "tier", "\"a b\"", "is no name" },
	{ "lockbench", "[]", "is no text" },
};

START_TEST(what_no_run_notes_is_refused)
{
	refused(run_note, run_check, &run_rules[_i]);
}
END_TEST

/* By hand: what is there is checked, what lacks may. */
START_TEST(cells_by_hand_may_lack_members)
{
	static const struct rule wrong[] = {
		{ "metrics/accuracy", "90", "is no object" }, { "metrics/accuracy/value", "true", "is no number" },
		{ "key", "\"x\"", "is no SHA-256" }, { "seed", "\"1\"", "is no whole number" },
		{ "scheme", NULL, "no cell" }, { "metrics", NULL, "no cell" },
		{ "observations", "{\"bits\": {}}", "observations are" },
	};
	json_t *given = json_pack("{s:s, s:s, s:{s:{s:f}}}", "scheme", "mylock", "mine", "too", "metrics", "accuracy",
				  "value", 90.5);

	ck_assert_msg(cell_check_given(given) == 0, "%s", error_text());
	ck_assert_int_eq(cell_check_given(cell), 0);
	ck_assert_int_lt(cell_check(given), 0);
	error_clear();
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		refused(given, cell_check_given, &wrong[i]);
	json_decref(given);
}
END_TEST

/* ---- bounds ---- */

static struct store *store;

static void put_text(const char *key, const char *text, size_t len)
{
	char *rel = store_rel("cells", key), *name = xasprintf("s/%s", rel);

	sandbox_write(name, text, len);
	free(name);
	free(rel);
}

static void refuses_file(const char *key, const char *message)
{
	ck_assert_ptr_null(store_get_cell(store, key));
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	ck_assert_msg(strstr(error_text(), message) != NULL, "%s", error_text());
	error_clear();
}

/* Too much for one cell is refused before it takes memory; what would be too much is not written. */
START_TEST(cells_are_bounded)
{
	const size_t big = CELL_BYTES_MAX + 1;
	const char *key = jget_str(cell, "key", "");
	char *text = xmalloc(big + 1, 1);
	double *series = xcalloc(CELL_BYTES_MAX / 8, sizeof(double));
	struct observations o = { 0 };

	store = store_open(sandbox("s"), true);
	ck_assert_int_eq(store_put_cell(store, key, cell), 0);
	memset(text, ' ', big);
	put_text(key, text, big);
	refuses_file(key, "larger than the");
	memset(text, ',', CELL_VALUES_MAX + 1);
	text[0] = '[';
	put_text(key, text, CELL_VALUES_MAX + 1);
	refuses_file(key, "values");
	memset(text, ',', NOTE_VALUES_MAX + 1);
	text[0] = '[';
	sandbox_write("s/last-run.json", text, NOTE_VALUES_MAX + 2);
	ck_assert_ptr_null(store_read_run(store));
	ck_assert_ptr_nonnull(strstr(error_text(), "values"));
	error_clear();
	obs_series(&o, "x", series, CELL_BYTES_MAX / 8);
	jset(cell, "observations", obs_json(&o));
	ck_assert_int_eq(store_put_cell(store, key, cell), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "at most"));
	obs_release(&o);
	free(series);
	free(text);
	store_close(store);
}
END_TEST

/* A cell is its canonical text: bytes behind it, other blanks or another order of members are damage, whatever its
 * hash says. */
START_TEST(a_cell_is_its_canonical_text)
{
	const char *key = jget_str(cell, "key", "");
	char *path, *text, *more;
	json_t *got;
	size_t len;

	store = store_open(sandbox("s"), true);
	ck_assert_int_eq(store_put_cell(store, key, cell), 0);
	path = store_path(store, "cells", key);
	text = file_read(path, 1 << 20, &len);
	free(path);
	more = xasprintf("%s\n", text);
	put_text(key, more, len + 1);
	refuses_file(key, "not as lockbench wrote it");
	free(more);
	more = xasprintf("%s%s", text, text);
	put_text(key, more, 2 * len);
	refuses_file(key, "end of file expected");
	free(more);
	got = json_loads(text, 0, NULL);
	more = json_compact(got);
	put_text(key, more, strlen(more));
	refuses_file(key, "not as lockbench wrote it");
	ck_assert_int_eq(store_has_cell(store, key), 0); /* so that a run makes it again */
	free(more);
	put_text(key, text, len);
	ck_assert_int_eq(store_check_cell(store, key), 0);
	json_decref(got);
	free(text);
	store_close(store);
}
END_TEST

/* ---- every member of real cells, replaced ---- */

/* JSON texts that stand in for a value. */
static const char *const values[] = {
	"null", "true", "\"\"", "\"x\"", "\"../../../etc/passwd\"", "\"\\u001b[31m\\u0007\"", "\"none\"", "\"zzz\"",
	"\"\xe6\x97\xa5\xe6\x9c\xac\"",
	"\"=1+1\"", "\"</script><b>\"", "\"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\"", "-1",
	"0", "1", "2", "3", "0.5", "-0.0",
	"1e-320", "1e99", "-1e99", "1e308", "2147483647", "2147483648", "9007199254740993", "9223372036854775807",
	"-9223372036854775808", "[]",
	"[0]", "[1.0, 2.0]", "[-1.0, -1.0, -1.0, -1.0]", "[1e99, 1e99, 1e99, 1e99, 1e99, 1e99, 1e99, 1e99, 1e99]",
	"[\"a\", true]", "[[[]]]", "{}",
	"{\"a\": 1}", "{\"a\": {\"b\": {\"c\": []}}}", "{\"bits\": \"\", \"k\": 0, \"n\": 0}",
	"{\"bits\": \"AQ==\", \"k\": 1, \"n\": 1}",
	"{\"bits\": \"/w==\", \"k\": 8, \"n\": 8}",
	"{\"value\": 1e99, \"low\": -1e99, \"high\": 1e99, \"k\": 0, \"n\": 0}",
	"{\"value\": null, \"low\": null, \"high\": null, \"k\": 0, \"n\": 1099511627776}",
	"{\"value\": 50.0, \"low\": 90.0, \"high\": 10.0, \"k\": 1099511627776, \"n\": 1099511627776, \"seen\": -1}",
};

struct mutant { json_t *cell; char *what; };
static struct mutant *mutants;
static int nmutants, refusals, passed, step; /* of those that pass, every step-th is read by the program */

/* The cell as it is now: refused with a message, or one more for the program to read. */
static void consider(const json_t *whole, const char *path, const char *what)
{
	char key[65], *text;
	json_t *copy;

	if (cell_check(whole) < 0) {
		ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
		for (const char *p = error_text(); *p; p++)
			ck_assert_msg((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f, "%s %s: %s", path, what,
				      error_text());
		error_clear();
		refusals++;
		return;
	}
	if (passed++ % step)
		return;
	copy = json_deep_copy(whole);
	if (strcmp(path, "/key") != 0) {
		json_hash(copy, key);
		jset_str(copy, "key", key);
	}
	text = xasprintf("%s: %s", path, what);
	mutants = xrealloc(mutants, (size_t)nmutants + 1, sizeof(*mutants));
	mutants[nmutants++] = (struct mutant){ copy, text };
}

static void mutate_array(const json_t *whole, json_t *j, const char *path)
{
	const size_t n = json_array_size(j), ends[] = { 0, n - 1 };

	for (size_t e = 0; n && e < (n > 1 ? 2 : 1); e++) {
		json_t *kept = json_incref(json_array_get(j, ends[e]));
		char *name = xasprintf("%s[%zu]", path, ends[e]);

		for (size_t v = 0; v < ARRAY_LEN(values); v++) {
			json_array_set_new(j, ends[e], json_loads(values[v], JSON_DECODE_ANY, NULL));
			consider(whole, name, values[v]);
		}
		json_array_set_new(j, ends[e], kept);
		free(name);
	}
	if (!n)
		return;
	for (size_t i = 0; i < n; i++) /* one of each as a last member, and as the only kind */
		json_array_append(j, json_array_get(j, i));
	consider(whole, path, "twice as long");
	while (json_array_size(j) > n)
		json_array_remove(j, json_array_size(j) - 1);
}

static void mutate_object(const json_t *whole, json_t *j, const char *path)
{
	const char **names = xmalloc(json_object_size(j) + 1, sizeof(*names)), *name;
	json_t *value;
	size_t n = 0;

	json_object_foreach(j, name, value)
		names[n++] = xstrdup(name);
	for (size_t i = 0; i < n; i++) {
		json_t *kept = json_incref(json_object_get(j, names[i]));
		char *at = xasprintf("%s/%s", path, names[i]);

		if (json_is_object(kept))
			mutate_object(whole, kept, at);
		if (json_is_array(kept))
			mutate_array(whole, kept, at);
		for (size_t v = 0; v < ARRAY_LEN(values); v++) {
			json_object_set_new(j, names[i], json_loads(values[v], JSON_DECODE_ANY, NULL));
			consider(whole, at, values[v]);
		}
		json_object_del(j, names[i]);
		consider(whole, at, "deleted");
		json_object_set(j, "a_name", kept);
		consider(whole, at, "renamed");
		json_object_del(j, "a_name");
		json_object_set_new(j, names[i], kept);
		free(at);
		free((char *)(uintptr_t)names[i]);
	}
	free(names);
}

struct range { int from, to; };

/* A paper's tables from them, which are asked for by key and so may come from anybody's store. */
static void read_by_papers(void *arg)
{
	const struct range *m = arg;
	const struct breaks_job known = { "synthetic", "lenet5", NULL };
	json_t *cells = json_array(), *none = json_object(), *ours;
	struct report_input in = { .cells = cells, .timings = none, .failures = NULL, .title = "x", .store_hash = "0",
				   .command = "" };

	for (int i = m->from; i < m->to; i++)
		json_array_append(cells, mutants[i].cell);
	in.drivers = drivers_json(cells, NULL);
	ours = activeguard_values(&in, "synthetic");
	ck_assert(ours && activeguard_write(ours, &in, "synthetic", sandbox("a.html")) == 0);
	json_decref(ours);
	ours = breaks_values(&in, &known);
	ck_assert(ours && breaks_write(ours, "synthetic", sandbox("b.html")) == 0);
	json_decref(ours);
	json_decref((json_t *)(uintptr_t)in.drivers);
	json_decref(cells);
	json_decref(none);
}

/* Cells put into a store of their own, and the program run over it. What it says when it fails, or NULL; caller
 * frees. */
static char *read_by_all(int from, int to, const char *original)
{
	static const char *const commands[] = {
		"report s -o r.html -o r.md -o r.tex -o r.csv -o r.json --quiet",
		"report s --table survey --mix tier,engine,limits",
		"status s", "verify s", "gc s --dry-run", "bundle s -o b.tar.gz --quiet",
		"compare s s --replicates 100 --mixed",
		"compare o s --replicates 100 --mixed", "compare b.tar.gz r.json --replicates 100",
		"bundle --merge b.tar.gz b.tar.gz -o c.tar --quiet",
	};
	const char *lb = getenv("LOCKBENCH");
	struct range range = { from, to };
	char *said = NULL, *line, *text;
	struct store *s;
	int status = run_child(read_by_papers, &range, &text);

	if (status)
		said = xasprintf("papers: exit %d: %.2000s", status, text);
	free(text);

	line = xasprintf("rm -rf %s/s %s/b.tar.gz", sandbox(""), sandbox(""));
	ck_assert_int_eq(system(line), 0);
	free(line);
	s = store_open(sandbox("s"), true);
	for (int i = from; i < to; i++)
		ck_assert_msg(store_put_cell(s, jget_str(mutants[i].cell, "key", ""), mutants[i].cell) == 0, "%s: %s",
			      mutants[i].what, error_text());
	store_close(s);
	for (size_t i = 0; i < ARRAY_LEN(commands) && !said; i++) {
		line = xasprintf("cd %s && timeout 120 %s%s %s >out 2>err", sandbox(""), *lb == '/' ? "" : original,
				 lb, commands[i]);
		status = system(line);
		free(line);
		text = file_read(sandbox("err"), 1 << 24, NULL);
		if (!WIFEXITED(status) || WEXITSTATUS(status) > EXIT_FAILED_CELLS || (text && strstr(text, "BUG")))
			said = xasprintf("%s: exit %d: %.2000s", commands[i], WIFEXITED(status) ?
					 WEXITSTATUS(status) : -1, text ? text : "");
		free(text);
	}
	return said;
}

/* Halve what fails until one is left. */
static void read_mutants(int from, int to, const char *original)
{
	char *said = read_by_all(from, to, original);

	if (!said)
		return;
	if (to - from > 1) {
		read_mutants(from, from + (to - from) / 2, original);
		read_mutants(from + (to - from) / 2, to, original);
	}
	ck_abort_msg("%d cells, %s, ...: %s", to - from, mutants[from].what, said);
}

#define BATCH 60

static void attack(const char *path, int every)
{
	json_t *whole = json_read_file(path, CELL_BYTES_MAX);
	char here[4096];
	struct store *s;

	ck_assert_msg(whole && getcwd(here, sizeof(here)), "%s", error_text());
	strcat(here, "/");
	json_object_del(whole, "sha256");
	ck_assert_msg(cell_check(whole) == 0, "%s: %s", path, error_text());
	s = store_open(sandbox("o"), true);
	ck_assert_int_eq(store_put_cell(s, jget_str(whole, "key", ""), whole), 0);
	store_close(s);
	nmutants = refusals = passed = 0;
	step = every;
	mutate_object(whole, whole, "");
	ck_assert_int_gt(refusals, passed);
	for (int i = 0; i < nmutants; i += BATCH)
		read_mutants(i, i + BATCH < nmutants ? i + BATCH : nmutants, here);
	for (int i = 0; i < nmutants; i++) {
		json_decref(mutants[i].cell);
		free(mutants[i].what);
	}
	free(mutants);
	mutants = NULL;
	json_decref(whole);
}

/* A functional and an attacked cell of several kinds; $ATTACK_CELLS: all of that folder, in full. */
static const char *const targets[] = {
	"tests/golden/fma/activeguard-none.json", "tests/golden/fma/activeguard-forge.json",
	"tests/golden/fma/keycheck-jpeg.json",
};

START_TEST(whatever_passes_is_read_by_every_command)
{
	attack(targets[_i], 41);
}
END_TEST

START_TEST(cells_of_a_folder)
{
	const char *dir = getenv("ATTACK_CELLS");
	char **names;
	size_t n = 0;

	if (!dir)
		return;
	names = dir_list(dir, 100000, &n);
	ck_assert_ptr_nonnull(names);
	for (size_t i = 0; i < n; i++) {
		char *path = path_join(dir, names[i]), *line = xasprintf("rm -rf %s/o", sandbox(""));

		ck_assert_int_eq(system(line), 0);
		free(line);
		fprintf(stderr, "%s\n", path);
		attack(path, 1);
		free(path);
	}
	dir_list_free(names, n);
}
END_TEST

Suite *suite_cellcheck(void);
Suite *suite_cellcheck(void)
{
	Suite *s = suite_create("cellcheck");
	TCase *tc = tcase_create("rules"), *all = tcase_create("attacked");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, what_is_no_cell_is_refused, 0, ARRAY_LEN(cell_rules));
	tcase_add_loop_test(tc, what_is_no_failure_is_refused, 0, ARRAY_LEN(failure_rules));
	tcase_add_loop_test(tc, what_is_no_timing_is_refused, 0, ARRAY_LEN(timing_rules));
	tcase_add_loop_test(tc, what_no_run_notes_is_refused, 0, ARRAY_LEN(run_rules));
	tcase_add_test(tc, cells_by_hand_may_lack_members);
	tcase_add_test(tc, cells_are_bounded);
	tcase_add_test(tc, a_cell_is_its_canonical_text);
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_loop_test(all, whatever_passes_is_read_by_every_command, 0, ARRAY_LEN(targets));
	tcase_add_test(all, cells_of_a_folder);
	tcase_set_timeout(all, 36000);
	suite_add_tcase(s, all);
	return s;
}
