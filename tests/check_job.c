/* bench/job.c, bench/yaml.c: what a job may say, and the message for what it may not. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "bench/job.h"

static struct job job;

static int parse(const char *text, const char *const *sets, int n)
{
	error_clear();
	return job_parse(&job, text, strlen(text), "f.yaml", sets, n);
}

static void teardown(void)
{
	job_release(&job);
}

/* ---- refused, with this message ---- */

#define HEAD "dataset: synthetic\ncontrols: false\n"

static const struct bad { const char *text, *message; } bads[] = {
	{ "", "f.yaml:1:1: the file is empty" },
	{ "\x25\x22\xa6", "f.yaml:1:3: not UTF-8 text; save the file as UTF-8" }, /* libfyaml 0.7.12 never comes back from this */
	{ "a: 1\n%YAML 1.2\n", "f.yaml:2:1: directives (%) are not allowed" },
	{ "a: 1\nb: \x01\n", "f.yaml:2:4: control characters are not allowed" },
	{ "# nothing\n", "f.yaml:2:1: the file is empty" },
	{ "just text", "f.yaml:1:1: a job is a map of names and values" },
	{ "- a\n- b\n", "f.yaml:1:1: a job is a map of names and values" },
	{ "a: &x 1\n", "f.yaml:1:4: anchors (&name) are not allowed; repeat the value" },
	{ "a: *x\n", "f.yaml:1:4: aliases (*name) are not allowed; repeat the value" },
	{ "a: !!int 1\n", "f.yaml:1:4: tags (!name) are not allowed; leave it out" },
	{ "tier: smoke\ntier: short\n", "f.yaml:2:1: key 'tier' is given twice" },
	{ "a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document; a job is one document" },
	{ "a: |\n  x\n  y\n", "f.yaml:1:4: a value with a line break; write it on one line" },
	{ "a: [[[[[[[[[[[[[[1]]]]]]]]]]]]]]\n", "f.yaml:1:15: nested more than 12 deep" },
	{ "? [a]\n: 1\n", "f.yaml:1:3: a key must be a plain word" },
	{ "a: [1, 2\n", "f.yaml:1:4: not YAML: nothing closes this bracket" },
	{ "schemes: [none]\n", "f.yaml:1:1: no dataset is given; see `lockbench data list`" },
	{ HEAD "schemas: [none]\n", "f.yaml:3:1: unknown key 'schemas'; did you mean 'schemes'?" },
	{ HEAD "schemes: [none]\ntier: tiny\n", "f.yaml:4:7: option 'tier': 'tiny' is not one of smoke|short|paper" },
	{ HEAD "schemes: []\n", "f.yaml:3:10: no scheme is given" },
	{ HEAD "schemes: none\n", "f.yaml:3:10: 'schemes' wants a list of names, e.g. [none]" },
	{ HEAD "schemes:\n", "f.yaml:3:1: 'schemes' has no value; an empty list is []" },
	{ HEAD "schemes: [keychek]\n", "f.yaml:3:11: unknown scheme 'keychek'; did you mean 'keycheck'?" },
	{ HEAD "schemes: [[none]]\n", "f.yaml:3:11: a list in a list of schemes" },
	{ HEAD "schemes: [keycheck: 5]\n", "f.yaml:3:21: 'keycheck' wants a map of options, e.g. {users: ...}" },
	{ HEAD "schemes: [keycheck: {user: 3}]\n", "f.yaml:3:22: keycheck: unknown option 'user'; did you mean 'users'?" },
	{ HEAD "schemes: [keycheck: {users: x}]\n", "f.yaml:3:29: option 'users': 'x' is not a whole number" },
	{ HEAD "schemes: [keycheck: {users: }]\n", "f.yaml:3:22: option 'users' has no value; give it one, or leave the name out" },
	{ HEAD "schemes: [keycheck: {users: []}]\n", "f.yaml:3:29: option 'users': an empty list spans nothing" },
	{ HEAD "schemes: [keycheck: {users: [1, [2]]}]\n", "f.yaml:3:33: option 'users' takes one value, not a list" },
	{ HEAD "schemes: [keycheck: {users: {a: 1}}]\n", "f.yaml:3:29: option 'users' wants a value, not a map" },
	{ HEAD "schemes: [none]\nattacks: [prune: {rate: [0.1, 2]}]\n", "f.yaml:4:31: option 'rate': 2 is out of range; allowed: 0 to 0.99" },
	{ HEAD "schemes: [none]\nattacks: [prume]\n", "f.yaml:4:11: unknown attack 'prume'; did you mean 'prune'?" },
	{ HEAD "schemes: [none]\nseeds: 0\n", "f.yaml:4:8: option 'seeds': 0 is out of range; allowed: 1 to 1000" },
	{ HEAD "schemes: [none]\nseeds: []\n", "f.yaml:4:8: 0 seeds; allowed: 1 to 1000" },
	{ HEAD "schemes: [none]\nseeds: [-1]\n", "f.yaml:4:9: option 'seed': -1 is out of range; allowed: at least 0" },
	{ HEAD "schemes: [none]\ntrain: {epoch: 3}\n", "f.yaml:4:9: unknown option 'epoch'; did you mean 'epochs'?" },
	{ HEAD "schemes: [none]\ntrain: {epochs: [3]}\n", "f.yaml:4:17: 'epochs' wants one value" },
	{ HEAD "schemes: [none]\ntrain: 3\n", "f.yaml:4:8: 'train' wants a map of names and values" },
	{ HEAD "schemes: [none]\nlimit: {training: 3}\n", "f.yaml:4:9: unknown key 'training'" },
	{ HEAD "schemes: [none]\nlimit: {test: -3}\n", "f.yaml:4:15: option 'test': -3 is out of range; allowed: at least 0" },
	{ HEAD "schemes: [none]\nmodel: lenet6\n", "f.yaml:4:8: " },
	{ "dataset: ../../etc\nschemes: [none]\n", "f.yaml:1:10: " },
	{ HEAD "blocks: []\n", "f.yaml:3:9: 'blocks' is empty" },
	{ HEAD "blocks: [{schemes: [none], tier: short}]\n", "f.yaml:3:28: 'tier' belongs to the head of the job, not to a block" },
	{ HEAD "blocks: [none]\n", "f.yaml:3:10: 'a block' wants a map of names and values" },
	/* what has no value, at the line of its name; empty items, which libfyaml 0.7.12 blames on a later line */
	{ "controls:\ndataset: x\n", "f.yaml:1:1: 'controls' has no value; give it one, or leave the name out" },
	{ HEAD "name: # - x\n", "f.yaml:3:1: 'name' has no value" },
	{ HEAD "name: Null\n", "f.yaml:3:7: 'name' has no value" },
	{ HEAD "name: NULL\n", "f.yaml:3:7: 'name' has no value" },
	{ HEAD "name: ~\n", "f.yaml:3:7: 'name' has no value" },
	{ HEAD "name: ''\n", "f.yaml:3:7: option 'name': the length of '' is out of range" },
	{ HEAD "controls: \"\"\n", "f.yaml:3:1: key 'controls' is given twice" },
	{ HEAD "schemes: [none]\nattacks:\n", "f.yaml:4:1: 'attacks' has no value; an empty list is []" },
	{ HEAD "schemes: [none]\nblocks:\n", "f.yaml:4:1: 'blocks' has no value" },
	{ HEAD "schemes: [none]\nbudget: {queries: , labels: 5}\n", "f.yaml:4:10: 'queries' has no value" },
	{ HEAD "schemes: [none]\nmargins: {default: }\n", "f.yaml:4:11: a margin is one number" },
	{ HEAD "seeds: [1, null]\n", "f.yaml:3:12: 'seed' has no value" },
	{ HEAD "schemes:\n- none\n-\n- keycheck\n", "f.yaml:5:1: an empty item of a list; fill it or take it out" },
	{ HEAD "schemes:\n- # none - x\n\n- keycheck\n", "f.yaml:4:1: an empty item of a list" },
	{ HEAD "schemes: [none, , none]\n", "f.yaml:3:17: not YAML: " },
	{ HEAD ": 3\n", "f.yaml:3:3: a name is missing in front of a colon" },
	{ HEAD "'': 3\n", "f.yaml:3:1: a name is missing in front of a colon" },
	{ "---\n", "f.yaml:1:1: a job is a map" },
	/* more than one document */
	{ "---\n" HEAD "---\nseeds: 1\n", "f.yaml:4:1: a second document" },
	{ HEAD "...\nseeds: 1\n", "f.yaml:4:1: a second document" },
	{ HEAD "...\n---\nseeds: 1\n", "f.yaml:4:1: a second document" },
	/* text over several lines: where its mark is */
	{ "name: >\n  folded\n  text\n", "f.yaml:1:7: a value with a line break; write it on one line (behind >- the lines are joined" },
	{ "# a > b\nname:  |2- # >\n\n\n    x\n  y\n", "f.yaml:2:8: a value with a line break" },
	{ "'\xc3\xa9 > b': |\n  x\n", "f.yaml:1:10: a value with a line break" },
	{ "seeds:\n- 1\n- >\n  x\n", "f.yaml:3:3: a value with a line break" },
	{ "name: 'a\n\n  b'\n", "f.yaml:1:7: a value with a line break" },
	/* tabs */
	{ HEAD "train:\n\tepochs: 3\n", "f.yaml:4:1: a tab in the indentation; indent with blanks" },
	{ HEAD "limit:\n  train: 60\n  \ttest: 20\n", "f.yaml:5:3: a tab in the indentation; indent with blanks" },
	{ HEAD "schemes: [\n\tnone]\n", "f.yaml:4:1: a tab in the indentation" },
	{ HEAD "name: a\tb\n", "f.yaml:3:7: a value with a tab; use blanks" },
	/* lines that end in CR; ends that YAML 1.2 does not know */
	{ "# c\r%TAG ! tag:x,2000:\r---\rname: t\r", "f.yaml:2:1: directives (%) are not allowed" },
	{ "# c\r\n\r\nname: \xff\r\n", "f.yaml:3:7: not UTF-8 text" },
	{ "a: 1\r\rusers: x\r", "f.yaml:1:1: unknown key 'a'" },
	{ "dataset: synthetic\r\r\nseeds: x\r", "f.yaml:3:8: option 'seeds': 'x'" },
	{ "name: a\xc2\x85" "dataset: x\n", "f.yaml:1:8: a line end that not every program sees" },
	{ "name: a\xe2\x80\xa8" "dataset: x\n", "f.yaml:1:8: a line end that not every program sees" },
	/* what no name may hold, however it is written */
	{ "name: caf\xc3\xa9 \xe9\n", "f.yaml:1:12: not UTF-8 text" },
	{ "\xff\xfe" "a\n", "f.yaml:1:1: not UTF-8 text" },
	{ "name: \xc2\x9b" "31m\n", "f.yaml:1:7: control characters are not allowed" },
	{ "name: \"\\x1b[2J\"\n", "f.yaml:1:7: a value with control characters" },
	{ "name: \"a\\x9b\"\n", "f.yaml:1:7: a value with control characters" },
	{ "name: \"a\\0\"\n", "f.yaml:1:7: a value with control characters" },
	{ "name: \"a\\Nb\"\n", "f.yaml:1:7: a value with control characters" },
	/* numbers that YAML or others know and we do not */
	{ HEAD "users: 1_000\n", "f.yaml:3:8: option 'users': '1_000' is not a whole number" },
	{ HEAD "users: 0x10\n", "f.yaml:3:8: option 'users': '0x10' is not a whole number" },
	{ HEAD "users: 0o17\n", "f.yaml:3:8: option 'users': '0o17' is not a whole number" },
	{ HEAD "users: 1e3\n", "f.yaml:3:8: option 'users': '1e3' is not a whole number" },
	{ HEAD "users: 2001-12-14\n", "f.yaml:3:8: option 'users': '2001-12-14' is not a whole number" },
	{ HEAD "timeout: .inf\n", "f.yaml:3:10: option 'timeout': '.inf' is not a finite number" },
	{ HEAD "timeout: .NaN\n", "f.yaml:3:10: option 'timeout': '.NaN' is not a finite number" },
	{ HEAD "timeout: 1:30:00\n", "f.yaml:3:10: option 'timeout': '1:30:00' is not a finite number" },
	{ HEAD "schemes:\n- activeguard:\n    confidences:\n    - 0.2\n    - x\n", "f.yaml:7:7: option 'confidences': 'x' is not a finite number" },
	{ HEAD "schemes: [activeguard: {confidences: [0.2, ~]}]\n", "f.yaml:3:44: option 'confidences': '~' is not one number" },
	{ HEAD "schemes: [activeguard: {confidences: ['0.2,0.3']}]\n", "f.yaml:3:39: option 'confidences': '0.2,0.3' is not one number" },
	/* the frequent slips get advice */
	{ HEAD "name: a: b\n", "f.yaml:3:8: not YAML: invalid nested block mapping on the same line; put quotes around" },
	{ HEAD "users:3\n", "f.yaml:3:1: not YAML: invalid value after mapping; write 'name: value', with a blank" },
	{ HEAD "name: @x\n", "put quotes around the value" },
	{ HEAD "<<: {users: 3}\n", "f.yaml:3:1: unknown key '<<'" },
	{ HEAD "'tier': short\n\"tier\": short\n", "f.yaml:4:1: key 'tier' is given twice" },
	{ HEAD "schemes: [keycheck: {users: [1,2,3,4,5,6,7,8,9,10]}]\nseeds: 1000\nattacks: [prune: {rate: [0,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9]}]\n",
	  "f.yaml:5:10: this spans at least 110000 cells; at most 100000 are allowed in a job" },
};

START_TEST(refuses)
{
	const struct bad *b = &bads[_i];

	ck_assert_int_eq(parse(b->text, NULL, 0), -1);
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	ck_assert_msg(strstr(error_text(), b->message), "wanted: %s\ngot:    %s", b->message, error_text());
}
END_TEST

/* ---- accepted, so many cells ---- */

static const struct good { const char *text; int cells; } goods[] = {
	{ HEAD "schemes: [none]\n", 2 }, /* the smoke tier has two seeds */
	{ HEAD "schemes: [none]\nseeds: [7]\n", 1 },
	{ "dataset: synthetic\nseeds: 1\nschemes: []\n", 2 }, /* controls */
	{ "dataset: synthetic\nseeds: 1\nschemes: [keycheck]\n", 2 },
	{ HEAD "seeds: 1\nschemes: {none: , keycheck: {users: [2, 3]}}\n", 3 },
	{ HEAD "seeds: 1\nschemes: [none, keycheck: {users: 2}]\nattacks: [prune, none]\n", 4 },
	{ HEAD "seeds: 3\nschemes: [none]\nattacks: [prune: {rate: [0, 0.5], scope: [layer, global]}]\n", 15 },
	{ HEAD "seeds: 1\nblocks:\n- schemes: [none]\n  attacks: [prune]\n- {schemes: [none], seeds: 2, train: {epochs: 1}}\n", 4 },
	/* a list option takes a list as its value, a list of lists spans */
	{ HEAD "seeds: 1\nschemes: [activeguard: {confidences: [0.2, 0.4]}]\n", 1 },
	{ HEAD "seeds: 1\nschemes: [activeguard: {confidences: [[0.2, 0.4], [0.3]]}]\n", 2 },
	/* YAML's words for yes and no, its numbers, marks, line ends and tabs between words */
	{ "dataset: synthetic\nseeds: 1\nschemes: [none]\ncontrols: False\n", 1 },
	{ "dataset: synthetic\nseeds: 1\nschemes: [none]\ncontrols: FALSE\n", 1 },
	{ "dataset: synthetic\nseeds: 1\nschemes: [none]\ncontrols: \"false\"\n", 1 },
	{ "dataset: synthetic\nseeds: 1\nschemes: [none]\ncontrols: No\n", 1 },
	{ "dataset: synthetic\nseeds: 1\nschemes: [none]\ncontrols: TRUE\n", 2 },
	{ "dataset: synthetic\nseeds: 1\nschemes: [none]\ncontrols: on\n", 2 },
	{ HEAD "seeds: +2\nschemes: [none]\n", 2 },
	{ HEAD "seeds: 010\nschemes: [none]\n", 10 }, /* YAML 1.2: no octal */
	{ HEAD "seeds: 1\nschemes: [none]\nattacks: [prune: {rate: [.5, 5e-1, 0.25]}]\ntimeout: 1e3\n", 4 },
	{ "\xef\xbb\xbf---\n" HEAD "schemes: [none]\n...\n# end\n", 2 },
	{ "dataset: synthetic\rcontrols: false\rschemes: [none]\r", 2 },
	{ "dataset: synthetic\r\ncontrols: false\r\nschemes: [none]\r\n", 2 },
	{ "dataset:\tsynthetic\t\ncontrols: false\n\t\n\t# c\nschemes:\n-\tkeycheck:\n    users: 3\n", 2 },
	{ HEAD "name: >-\n  folded\n  text\nschemes: [none, ]\nseeds: 1\n", 1 },
	{ HEAD "name: 'null'\nschemes: [none]\nseeds: 1\n", 1 },
	{ "{\"dataset\": \"synthetic\", \"seeds\": 1, \"controls\": false, \"schemes\": [\"none\"]}", 1 }, /* JSON is YAML */
};

START_TEST(accepts)
{
	ck_assert_msg(parse(goods[_i].text, NULL, 0) == 0, "%s", error_text());
	ck_assert_int_eq(job.n, goods[_i].cells);
}
END_TEST

START_TEST(repeated_cells_count_once)
{
	ck_assert_int_eq(parse(HEAD "limit: {train: 200, test: 50}\nseeds: [1, 1]\nschemes: [none, none]\nattacks: [prune, prune: {rate: 0.5}]\n", NULL, 0), 0);
	ck_assert_int_eq(job.n, 12);
	ck_assert_msg(job_resolve(&job, NULL) == 0, "%s", error_text());
	ck_assert_int_eq(job.n, 2);
}
END_TEST

START_TEST(blocks_inherit_and_override)
{
	ck_assert_msg(parse(HEAD "seeds: 1\ntrain: {epochs: 7, lr: 0.5}\nusers: 4\nblocks:\n- schemes: [none]\n"
			    "- {schemes: [none], train: {epochs: 9}, users: 5, limit: {train: 99}}\n", NULL, 0) == 0, "%s", error_text());
	ck_assert_int_eq(job.n, 2);
	ck_assert_int_eq(job.cells[0].p.recipe.epochs, 7);
	ck_assert_int_eq(job.cells[1].p.recipe.epochs, 9);
	ck_assert_double_eq(job.cells[1].p.recipe.lr, 0.5);
	ck_assert_int_eq(job.cells[0].p.users, 4);
	ck_assert_int_eq(job.cells[1].p.users, 5);
	ck_assert_int_eq(job.cells[1].p.limit_train, 99);
}
END_TEST

/* ---- overrides ---- */

#define BLOCKS HEAD "seeds: 1\nblocks: [{schemes: [keycheck], users: 3}, {schemes: [keycheck: {users: 9}], attacks: [prune]}]\n"

START_TEST(sets_override_everywhere)
{
	static const char *const sets[] = { "train.epochs=3", "schemes.keycheck.users=5", "users=2", "tier=short", "attacks.prune.rate=[0.1, 0.2]" };

	ck_assert_msg(parse(BLOCKS, sets, 5) == 0, "%s", error_text());
	ck_assert_int_eq(job.n, 4);
	ck_assert_int_eq(job.tier, TIER_SHORT);
	for (int i = 0; i < job.n; i++) {
		ck_assert_int_eq(job.cells[i].p.recipe.epochs, 3);
		ck_assert_int_eq(job.cells[i].p.users, 2);
		ck_assert_int_eq(jget_int(job.cells[i].p.scheme_options, "users", 0), 5);
	}
	ck_assert_double_eq(jget_num(job.cells[3].p.attack_options, "rate", 0), 0.2);
}
END_TEST

START_TEST(limits_stay_in_the_head)
{
	static const char *const sets[] = { "memory=1500.5", "timeout=7" };

	ck_assert_msg(parse(BLOCKS, sets, 2) == 0, "%s", error_text());
	ck_assert_double_eq(job.memory, 1500.5);
	ck_assert_double_eq(job.timeout, 7);
	job_release(&job);
	ck_assert_int_eq(parse(BLOCKS, NULL, 0), 0);
	ck_assert_double_eq(job.memory, 0);
	job_release(&job);
	ck_assert_int_eq(parse(HEAD "blocks: [{schemes: [none], memory: 5}]\n", NULL, 0), -1);
}
END_TEST

static const struct bad bad_sets[] = {
	{ "epochs", "want name=value" },
	{ "=3", "want name=value" },
	{ "a.b.c.d=3", "want one to three names" },
	{ "schemes.keycheck=3", "want schemes.keycheck.OPTION=value" },
	{ "schemes.none.x=3", "the job lists no scheme 'none'" },
	{ "schemes.keycheck.user=3", "unknown option 'user'; did you mean 'users'?" },
	{ "train.epochs=zero", "--set train.epochs=zero:1:1: option 'epochs': 'zero' is not a whole number" },
	{ "train.epochs=", "is not a whole number" },
	{ "teir=short", "unknown key 'teir'; did you mean 'tier'?" },
	{ "limit.train.x=3", "only schemes and attacks have options of options" },
	{ "tier=[", "not YAML" },
	{ "users=&a 3", "anchors" },
	{ "memory=-1", "allowed: 0 to" },
	{ "memory=2G", "is not a finite number" },
};

START_TEST(bad_sets_are_refused)
{
	const char *set = bad_sets[_i].text;

	ck_assert_int_eq(parse(BLOCKS, &set, 1), -1);
	ck_assert_msg(strstr(error_text(), bad_sets[_i].message), "wanted: %s\ngot:    %s", bad_sets[_i].message, error_text());
}
END_TEST

Suite *suite_job(void);
Suite *suite_job(void)
{
	Suite *s = suite_create("job");
	TCase *tc = tcase_create("job");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(bads));
	tcase_add_loop_test(tc, accepts, 0, ARRAY_LEN(goods));
	tcase_add_test(tc, repeated_cells_count_once);
	tcase_add_test(tc, blocks_inherit_and_override);
	tcase_add_test(tc, sets_override_everywhere);
	tcase_add_test(tc, limits_stay_in_the_head);
	tcase_add_loop_test(tc, bad_sets_are_refused, 0, ARRAY_LEN(bad_sets));
	tcase_set_timeout(tc, 30);
	suite_add_tcase(s, tc);
	return s;
}
