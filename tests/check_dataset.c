/* datasets/dataset.c and report.c: the table, the search, all or nothing, and what `lockbench data` says. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
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
	char **names;

	write_image_set("bugs");
	write_image_set("mine/apples");
	write_image_set("mine/Not A Name");
	names = dataset_names(sandbox("mine"), &n);
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
	{ "verify", NULL, EXIT_NO, "DIFFERENT" },
	{ "paint", NULL, EXIT_UNEVALUABLE, "" },
};

static void write_sets(void)
{
	write_image_set("bugs");
	write_image_set("broken");
	sandbox_write("broken/train/ant/000.png", "junk", 4);
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
	ck_assert_ptr_nonnull(strstr(text, "t10k-images-idx3-ubyte.gz\n      content   (unreadable)"));
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
	suite_add_tcase(s, tc);
	tcase_set_timeout(real, 120);
	tcase_add_test(real, mnist_is_the_published_one);
	tcase_add_test(real, fashion_mnist_is_the_published_one);
	suite_add_tcase(s, real);
	return s;
}
