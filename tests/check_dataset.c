/* datasets/dataset.c and report.c: the table, the search, all or nothing, and what `lockbench data` says. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "datasets/format.h"
#include "tests/support_data.h"
#include "tests/support_sandbox.h"

/* ---- the table ---- */

START_TEST(every_driver_is_complete)
{
	for (int i = 0; datasets[i]; i++) {
		const struct dataset_driver *d = (const struct dataset_driver *)datasets[i];

		ck_assert_msg(driver_check(&d->drv) == 0, "%s", error_text());
		ck_assert_msg(d->install && d->probe && d->load && d->peek, "%s", d->drv.name);
		if (i)
			ck_assert_int_lt(strcmp(datasets[i - 1]->name, datasets[i]->name), 0);
	}
}
END_TEST

/* ---- names and places ---- */

static const char *const bad_names[] = { "", "..", "../etc", "a/b", ".hidden", "-rf", "Mnist", "a b", "x\n", "folder",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

START_TEST(bad_names_are_refused)
{
	char where[512];

	ck_assert(!dataset_where(bad_names[_i], NULL, where));
	ck_assert_int_eq(error_code(), EXIT_YES);
	ck_assert_ptr_null(dataset_load(bad_names[_i], NULL));
	EXPECT_ERROR(bad_names[_i]);
}
END_TEST

START_TEST(roots_come_in_order)
{
	size_t n;
	char **r = dataset_roots("/data", &n);

	ck_assert_uint_eq(n, 4);
	ck_assert_str_eq(r[0], "/data");
	ck_assert_str_eq(r[1], sandbox(""));
	ck_assert_str_eq(r[2], sandbox("cache/lockbench"));
	ck_assert_str_eq(r[3], "/usr/share/datasets");
	dir_list_free(r, n);
	unsetenv("LOCKBENCH_DATA");
	setenv("XDG_CACHE_HOME", "relative", 1); /* to be ignored */
	setenv("HOME", "/home/me", 1);
	r = dataset_roots(NULL, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(r[0], "/home/me/.cache/lockbench");
	dir_list_free(r, n);
}
END_TEST

START_TEST(earlier_roots_win)
{
	char where[512];

	write_image_set("cache/lockbench/bugs");
	ck_assert(dataset_where("bugs", NULL, where));
	ck_assert_str_eq(where, sandbox("cache/lockbench/bugs"));
	write_image_set("bugs");
	ck_assert(dataset_where("bugs", NULL, where));
	ck_assert_str_eq(where, sandbox("bugs"));
	write_image_set("mine/bugs");
	ck_assert(dataset_where("bugs", sandbox("mine"), where));
	ck_assert_str_eq(where, sandbox("mine/bugs"));
	ck_assert(dataset_where("bugs", sandbox("mine/bugs/"), where)); /* the set itself */
}
END_TEST

START_TEST(missing_sets_say_what_to_do)
{
	ck_assert_ptr_null(dataset_load("no-such-set", NULL));
	EXPECT_ERROR("no-such-set", sandbox(""), "/usr/share/datasets", "train/<class>");
	ck_assert_ptr_null(dataset_load("syntetic", NULL));
	EXPECT_ERROR("did you mean 'synthetic'");
	write_image_set("beetles");
	ck_assert_ptr_null(dataset_load("beatles", NULL));
	EXPECT_ERROR("did you mean 'beetles'");
	ck_assert_ptr_null(dataset_load("synthetic", sandbox("nowhere")));
	EXPECT_ERROR("nowhere", "no such folder");
}
END_TEST

START_TEST(names_are_known_and_found)
{
	size_t n;
	char **names, *unseen;

	write_image_set("bugs");
	write_image_set("mine/apples");
	write_image_set("mine/Not A Name");
	names = dataset_names(sandbox("mine"), &n, &unseen);
	ck_assert_ptr_null(unseen);
	ck_assert_uint_ge(n, 6);
	ck_assert_str_eq(names[0], "apples");
	ck_assert_str_eq(names[1], "bugs");
	ck_assert_str_eq(names[2], "cifar10");
	dir_list_free(names, n);
}
END_TEST

/* ---- memory ---- */

START_TEST(sizes_are_capped)
{
	struct dataset *d = xcalloc(1, sizeof(*d));

	strcpy(d->name, "huge");
	ck_assert_int_eq(dataset_alloc(d, 3, 512, 512, 10, 1000000, 1000), -1);
	EXPECT_ERROR("huge", "MiB");
	ck_assert_ptr_null(d->train_px);
	dataset_free(d);
	dataset_free(NULL);
}
END_TEST

START_TEST(views_show_the_parts)
{
	struct dataset *d;
	struct images v;

	write_image_set("bugs");
	d = dataset_load("bugs", NULL);
	v = dataset_train(d);
	ck_assert_int_eq(v.n, 6);
	ck_assert_int_eq(images_size(&v), 24);
	ck_assert_int_eq(images_label(&v, 5), 1);
	v = dataset_test(d);
	ck_assert_int_eq(v.n, 4);
	ck_assert_ptr_eq(v.px, d->test_px);
	dataset_free(d);
}
END_TEST

/* ---- lockbench data ---- */

/* Run with stdout in a file of the sandbox; the exit code, and the text (caller frees). */
static int report(const char *verb, const char *name, bool json, char **text)
{
	const int keep = dup(STDOUT_FILENO);
	int code;

	ck_assert_ptr_nonnull(freopen(sandbox("out"), "w", stdout));
	code = dataset_report(verb, &name, name ? 1 : 0, NULL, json);
	fflush(stdout);
	dup2(keep, STDOUT_FILENO);
	close(keep);
	*text = file_read(sandbox("out"), 1 << 20, NULL);
	ck_assert_ptr_nonnull(*text);
	return code;
}

static const struct report_case {
	const char *verb, *name;
	int code;
	const char *word; /* in the text for people */
} report_cases[] = {
	{ "list", NULL, EXIT_YES, "6 + 4" },
	{ "list", "bugs", EXIT_YES, "1x4x6" },
	{ "list", "gone", EXIT_UNEVALUABLE, "train/<class>" },
	{ "list", "Gone", EXIT_UNEVALUABLE, "no data set's name" },
	{ "list", "broken", EXIT_YES, "PROBLEM" },
	{ "where", NULL, EXIT_YES, "/usr/share/datasets" },
	{ "where", "bugs", EXIT_YES, "/bugs" },
	{ "where", "gone", EXIT_UNEVALUABLE, "missing" },
	{ "verify", "bugs", EXIT_YES, "nothing published" },
	{ "verify", "synthetic", EXIT_YES, "ok, equal" },
	{ "verify", "mnist", EXIT_NO, "DIFFERENT" },
	{ "verify", "broken", EXIT_NO, "DAMAGED" },
	{ "verify", "gone", EXIT_UNEVALUABLE, "missing" },
	{ "verify", "halves", EXIT_UNEVALUABLE, "INCOMPLETE" },
	{ "where", "halves", EXIT_YES, "incomplete" },
	{ "list", "halves", EXIT_YES, "train, val" },
	{ "verify", NULL, EXIT_NO, "DIFFERENT" },
	{ "paint", NULL, EXIT_UNEVALUABLE, "" },
};

static void write_sets(void)
{
	write_image_set("bugs");
	write_image_set("broken");
	sandbox_write("broken/train/ant/000.png", "junk", 4);
	write_image_set("halves");
	ck_assert_int_eq(rename(sandbox("halves/test"), sandbox("halves/val")), 0);
	write_idx_set("mnist", true); /* readable, but not the published one */
}

START_TEST(report_for_people)
{
	const struct report_case *c = &report_cases[_i];
	char *text;

	write_sets();
	ck_assert_int_eq(report(c->verb, c->name, false, &text), c->code);
	ck_assert_msg(strstr(text, c->word) != NULL, "'%s' is not in: %s", c->word, text);
	free(text);
	error_clear();
}
END_TEST

START_TEST(report_as_json)
{
	const struct report_case *c = &report_cases[_i];
	char *text;
	json_t *rows;

	write_sets();
	ck_assert_int_eq(report(c->verb, c->name, true, &text), c->code);
	rows = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!strcmp(c->verb, "paint")) {
		ck_assert_str_eq(text, "");
		EXPECT_ERROR("paint", "verify");
	} else {
		ck_assert_msg(json_is_array(rows), "%s", text);
		ck_assert_int_eq(json_array_size(rows) == 1, c->name != NULL);
		ck_assert(json_is_boolean(json_object_get(json_array_get(rows, 0), "found")));
	}
	json_decref(rows);
	free(text);
}
END_TEST

START_TEST(a_cut_file_is_damage)
{
	char *text;

	write_sets();
	ck_assert_int_eq(truncate(sandbox("mnist/t10k-images-idx3-ubyte.gz"), 40), 0);
	ck_assert_int_eq(report("verify", "mnist", false, &text), EXIT_NO);
	ck_assert_ptr_nonnull(strstr(text, "DAMAGED"));
	ck_assert_ptr_nonnull(strstr(text, "t10k-images-idx3-ubyte.gz\n      content   "));
	ck_assert_ptr_nonnull(strstr(text, "cut short"));
	free(text);
}
END_TEST

START_TEST(no_control_character_is_printed)
{
	char *text;

	ck_assert_int_eq(report("where", "a\033[2Jb", false, &text), EXIT_UNEVALUABLE);
	ck_assert_ptr_null(strchr(text, '\033'));
	free(text);
}
END_TEST

/* ---- "cannot look" is never "is not there", and never "damaged" ---- */

static const struct denied {
	const char *path; /* what nobody may open */
	int mode;
	const char *data_dir, *verb, *name;
	int code;
	const char *word; /* in what is printed */
} denials[] = {
	{ "bugs", 0, "", "where", "bugs", EXIT_IO, "cannot tell: cannot look" },
	{ "bugs", 0, "", "list", "bugs", EXIT_IO, "cannot tell" },
	{ "bugs", 0, "", "verify", "bugs", EXIT_IO, "cannot tell" },
	{ "bugs", 0, "", "verify", NULL, EXIT_IO, "bugs             cannot tell" },
	{ "bugs", 0, "", "list", "gone", EXIT_UNEVALUABLE, "missing" }, /* that of another set changes nothing */
	{ "bugs/train", 0, "", "verify", "bugs", EXIT_IO, "CANNOT BE READ" },
	{ "bugs/train/ant", 0, "", "verify", "bugs", EXIT_IO, "CANNOT BE READ" },
	{ "bugs/train/ant", 0, "", "list", "bugs", EXIT_IO, "PROBLEM: cannot" },
	{ "bugs/train/ant/000.png", 0, "", "verify", "bugs", EXIT_IO, "CANNOT BE READ" },
	{ "mnist", 0, "", "verify", "mnist", EXIT_IO, "cannot tell" },
	{ "mnist/t10k-images-idx3-ubyte.gz", 0, "", "verify", "mnist", EXIT_IO, "CANNOT BE READ" },
	{ "mnist/t10k-images-idx3-ubyte.gz", 0, "", "list", "mnist", EXIT_IO, "PROBLEM: cannot" },
	/* the folder that was asked for */
	{ "mine", 0, "mine", "where", "bugs", EXIT_IO, "cannot tell: cannot look into" },
	{ "mine", 0, "mine", "list", "gone", EXIT_IO, "cannot tell" },
	{ "mine", 0, "mine", "where", "synthetic", EXIT_YES, "(generated)" },
	{ "mine", 0, "mine", "list", NULL, EXIT_IO, "cannot tell" },
	{ "mine", 0711, "mine", "where", "pears", EXIT_YES, "/mine/pears" }, /* may be searched, not listed */
	{ "mine", 0711, "mine", "where", NULL, EXIT_IO, "/usr/share/datasets" },
	/* one that is always looked in, and whose sets may be elsewhere too */
	{ "cache/lockbench", 0, "", "where", "bugs", EXIT_YES, "/bugs" },
	{ "cache/lockbench", 0, "", "where", "gone", EXIT_IO, "'gone' may be in there" },
	{ "cache", 0, "", "list", NULL, EXIT_IO, "cannot tell" },
};

/* In a child: the exit code of report(), or of the test's own trouble. */
static void report_denied(void *arg)
{
	const struct denied *k = arg;
	const char *data_dir = *k->data_dir ? sandbox(k->data_dir) : NULL;

	if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
		exit(99);
	if (!freopen(sandbox("open/out"), "w", stdout))
		exit(98);
	exit(dataset_report(k->verb, &k->name, k->name ? 1 : 0, data_dir, false));
}

START_TEST(no_permission_is_not_absent)
{
	const struct denied *k = &denials[_i];
	char *text;
	int code;

	write_sets();
	write_image_set("cache/lockbench/plums");
	write_image_set("mine/pears");
	make_folder("open");
	ck_assert_int_eq(chmod(sandbox(""), 0755), 0);
	ck_assert_int_eq(chmod(sandbox("open"), 0777), 0);
	ck_assert_int_eq(chmod(sandbox(k->path), (mode_t)k->mode), 0);
	code = run_child(report_denied, (void *)(uintptr_t)k, NULL);
	ck_assert_int_eq(chmod(sandbox(k->path), 0755), 0);
	text = file_read(sandbox("open/out"), 1 << 20, NULL);
	ck_assert_int_eq(code, k->code);
	ck_assert_msg(text && strstr(text, k->word), "'%s' is not in: %s", k->word, text);
	free(text);
}
END_TEST

/* A set that is there is not damaged because this process may open few files, wherever it runs out of them. */
START_TEST(few_descriptors_are_not_damage)
{
	struct rlimit few, usual;
	char *text;
	int denied = 0;

	write_sets();
	getrlimit(RLIMIT_NOFILE, &usual);
	few = usual;
	for (rlim_t n = 6; n < 40; n++) {
		int code;

		ck_assert_ptr_nonnull(freopen(sandbox("out"), "w", stdout));
		few.rlim_cur = n;
		setrlimit(RLIMIT_NOFILE, &few);
		code = dataset_report("verify", (const char *[]){ "bugs" }, 1, NULL, false);
		setrlimit(RLIMIT_NOFILE, &usual);
		fflush(stdout);
		text = file_read(sandbox("out"), 1 << 20, NULL);
		ck_assert_msg(code == EXIT_YES || code == EXIT_IO, "%d with %d: %s", code, (int)n, text);
		denied += code == EXIT_IO;
		free(text);
		error_clear();
	}
	ck_assert_int_gt(denied, 0);
	ck_assert_int_lt(denied, 34);
}
END_TEST

START_TEST(long_paths_are_said_to_be)
{
	char dir[600], where[512];

	memset(dir, 'a', sizeof(dir));
	for (int i = 0; i < 600; i += 100)
		dir[i] = '/';
	dir[599] = '\0';
	ck_assert_int_eq(dataset_where("bugs", dir, where), DATASET_NONE); /* not there at all */
	dir[500] = '\0';
	setenv("LOCKBENCH_DATA", sandbox(""), 1);
	dir[0] = '.'; /* below the working folder */
	ck_assert_int_eq(dataset_dir(dir, "a-name-of-some-length", where), -1);
	EXPECT_ERROR("longer than 511");
}
END_TEST

/* ---- the real sets, where they are ---- */

static void verify_published(const char *name)
{
	char *text;

	ck_assert_int_eq(report("verify", name, false, &text), EXIT_YES);
	ck_assert_msg(strstr(text, "ok, equal to the published set") != NULL, "%s", text);
	free(text);
}

START_TEST(mnist_is_the_published_one)
{
	const char *data = real_data("mnist_is_the_published_one");

	sandbox_open();
	if (data) {
		setenv("LOCKBENCH_DATA", data, 1);
		verify_published("mnist");
	}
	sandbox_close();
}
END_TEST

START_TEST(fashion_mnist_is_the_published_one)
{
	sandbox_open();
	if (access("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz", R_OK)) {
		fprintf(stderr, "skipped: fashion_mnist_is_the_published_one: no /usr/share/datasets/fashion-mnist\n");
	} else {
		setenv("LOCKBENCH_DATA", "/usr/share/datasets", 1);
		verify_published("fashion-mnist");
	}
	sandbox_close();
}
END_TEST

Suite *suite_dataset(void);
Suite *suite_dataset(void)
{
	Suite *s = suite_create("dataset");
	TCase *tc = tcase_create("dataset"), *real = tcase_create("real");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, data_open, sandbox_close);
	tcase_add_test(tc, every_driver_is_complete);
	tcase_add_loop_test(tc, bad_names_are_refused, 0, ARRAY_LEN(bad_names));
	tcase_add_test(tc, roots_come_in_order);
	tcase_add_test(tc, earlier_roots_win);
	tcase_add_test(tc, missing_sets_say_what_to_do);
	tcase_add_test(tc, names_are_known_and_found);
	tcase_add_test(tc, sizes_are_capped);
	tcase_add_test(tc, views_show_the_parts);
	tcase_add_loop_test(tc, report_for_people, 0, ARRAY_LEN(report_cases));
	tcase_add_loop_test(tc, report_as_json, 0, ARRAY_LEN(report_cases));
	tcase_add_test(tc, a_cut_file_is_damage);
	tcase_add_test(tc, no_control_character_is_printed);
	tcase_add_loop_test(tc, no_permission_is_not_absent, 0, ARRAY_LEN(denials));
	tcase_add_test(tc, few_descriptors_are_not_damage);
	tcase_add_test(tc, long_paths_are_said_to_be);
	suite_add_tcase(s, tc);
	tcase_set_timeout(real, 120);
	tcase_add_test(real, mnist_is_the_published_one);
	tcase_add_test(real, fashion_mnist_is_the_published_one);
	suite_add_tcase(s, real);
	return s;
}
