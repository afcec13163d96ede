/* datasets/folder.c: strict image folders; nothing is followed, skipped or half read. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/tile.h"
#include "datasets/codec.h"
#include "datasets/format.h"
#include "tests/support_data.h"
#include "tests/support_sandbox.h"

static struct dataset *load(void)
{
	return dataset_load("bugs", NULL);
}

static void open_bugs(void)
{
	data_open();
	write_image_set("bugs");
}

/* The set cannot be loaded, and the message has these words. */
#define REFUSED(...)                                \
	do {                                        \
		ck_assert_ptr_null(load());         \
		EXPECT_ERROR(__VA_ARGS__);          \
	} while (0)

START_TEST(reads_sizes_pixels_labels_and_names)
{
	struct dataset *d = load();

	ck_assert_msg(d != NULL, "%s", error_text());
	ck_assert_str_eq(d->where, sandbox("bugs"));
	ck_assert_int_eq(d->c, 1);
	ck_assert_int_eq(d->h, 4);
	ck_assert_int_eq(d->w, 6);
	ck_assert_int_eq(d->classes, 2);
	ck_assert_int_eq(d->ntrain, 6);
	ck_assert_int_eq(d->ntest, 4);
	ck_assert_str_eq(d->class_names[0], "ant");
	ck_assert_str_eq(d->class_names[1], "bee");
	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(d->train_labels[i], i / 3);
		ck_assert_int_eq(d->train_px[i * 24 + 23], (i / 3 ? 200 : 10) + i % 3);
	}
	ck_assert_int_eq(d->test_px[3 * 24], 206);
	dataset_free(d);
}
END_TEST

START_TEST(threads_do_not_matter)
{
	char name[64];
	struct dataset *one, *four;

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "bugs/train/bee/x%03d.png", i);
		write_png(name, 1, 4, 6, (uint8_t)i);
	}
	tile_threads(1);
	one = load();
	tile_threads(4);
	four = load();
	ck_assert(one && four);
	ck_assert_int_eq(one->ntrain, 206);
	ck_assert_str_eq(one->hash, four->hash);
	dataset_free(one);
	dataset_free(four);
	/* The first bad image is reported, whoever met it. */
	sandbox_write("bugs/train/bee/x010.png", "junk", 4);
	sandbox_write("bugs/train/bee/x190.png", "junk", 4);
	for (int k = 0; k < 5; k++)
		REFUSED("x010.png");
}
END_TEST

START_TEST(jpeg_and_png_may_mix)
{
	uint8_t px[24], *jpeg;
	struct dataset *d;
	size_t len;

	memset(px, 90, sizeof(px));
	jpeg = jpeg_encode(px, 1, 4, 6, 95, JPEG_444, &len);
	sandbox_write("bugs/train/ant/000.png", jpeg, len); /* the content counts */
	free(jpeg);
	d = load();
	ck_assert_msg(d != NULL, "%s", error_text());
	ck_assert_int_eq(d->train_px[0], 90);
	dataset_free(d);
}
END_TEST

START_TEST(dot_files_are_passed_over)
{
	struct dataset *d;

	sandbox_write("bugs/.DS_Store", "x", 1);
	sandbox_write("bugs/train/.DS_Store", "x", 1);
	sandbox_write("bugs/train/ant/._000.png", "x", 1);
	sandbox_write("bugs/README", "beside the parts anything may lie", 5);
	d = load();
	ck_assert_msg(d != NULL, "%s", error_text());
	dataset_free(d);
}
END_TEST

START_TEST(images_must_be_alike)
{
	write_png("bugs/test/bee/001.png", 1, 4, 7, 1);
	REFUSED("test/bee/001.png", "7x4", "6x4");
	write_png("bugs/test/bee/001.png", 3, 4, 6, 1);
	REFUSED("test/bee/001.png", "3 channel");
	write_png("bugs/test/bee/001.png", 1, 4, 6, 1);
	write_png("bugs/train/ant/000.png", 1, 5, 6, 1);
	REFUSED("train/ant/001.png");
}
END_TEST

START_TEST(links_are_not_followed)
{
	ck_assert_int_eq(symlink(sandbox("bugs/train/ant/000.png"), sandbox("bugs/train/ant/zz.png")), 0);
	REFUSED("train/ant/zz.png", "link", "not followed");
	unlink(sandbox("bugs/train/ant/zz.png"));
	ck_assert_int_eq(symlink(sandbox("bugs/train/ant"), sandbox("bugs/train/cat")), 0);
	REFUSED("train/cat", "link", "not followed");
	unlink(sandbox("bugs/train/cat"));
	ck_assert_int_eq(rename(sandbox("bugs/test"), sandbox("moved")), 0);
	ck_assert_int_eq(symlink(sandbox("moved"), sandbox("bugs/test")), 0);
	REFUSED("bugs/test", "link", "not followed");
}
END_TEST

/* The set as a whole may be a link: where data lies is the user's business. */
START_TEST(the_set_itself_may_be_a_link)
{
	struct dataset *d;

	ck_assert_int_eq(symlink(sandbox("bugs"), sandbox("insects")), 0);
	d = dataset_load("insects", NULL);
	ck_assert_msg(d != NULL, "%s", error_text());
	dataset_free(d);
}
END_TEST

START_TEST(only_images_are_allowed)
{
	sandbox_write("bugs/train/ant/notes.txt", "hello", 5);
	REFUSED("train/ant/notes.txt", "neither JPEG nor PNG");
	sandbox_write("bugs/train/ant/notes.txt", "", 0);
	REFUSED("train/ant/notes.txt");
	unlink(sandbox("bugs/train/ant/notes.txt"));
	make_folder("bugs/train/ant/deeper");
	REFUSED("train/ant/deeper", "not a regular file");
	rmdir(sandbox("bugs/train/ant/deeper"));
	ck_assert_int_eq(mkfifo(sandbox("bugs/train/ant/pipe"), 0600), 0);
	REFUSED("train/ant/pipe", "pipe");
	unlink(sandbox("bugs/train/ant/pipe"));
	sandbox_write("bugs/train/labels.csv", "a,b", 3);
	REFUSED("train/labels.csv", "not a folder");
}
END_TEST

START_TEST(large_files_are_not_read)
{
	ck_assert_int_eq(truncate(sandbox("bugs/train/bee/002.png"), (off_t)1 << 40), 0);
	REFUSED("train/bee/002.png", "larger than");
}
END_TEST

START_TEST(truncated_images_are_refused)
{
	ck_assert_int_eq(truncate(sandbox("bugs/test/bee/001.png"), 50), 0);
	REFUSED("test/bee/001.png");
}
END_TEST

START_TEST(classes_must_be_the_same_and_full)
{
	make_folder("bugs/train/cow");
	REFUSED("train/cow", "no images");
	write_png("bugs/train/cow/1.png", 1, 4, 6, 9);
	REFUSED("3 classes", "2");
	make_folder("bugs/test/cat");
	write_png("bugs/test/cat/1.png", 1, 4, 6, 9);
	REFUSED("'cow'", "bugs/train has", "bugs/test has not");
}
END_TEST

#define COMPOSED "caf\xc3\xa9"       /* one character, as Linux and Windows write it */
#define DECOMPOSED "cafe\xcc\x81"    /* e and an accent, as macOS does */

static void add_class(const char *part, const char *class, int level)
{
	char name[128];

	snprintf(name, sizeof(name), "bugs/%s/%s", part, class);
	make_folder(name);
	snprintf(name, sizeof(name), "bugs/%s/%s/1.png", part, class);
	write_png(name, 1, 4, 6, (uint8_t)level);
}

/* The order of labels is train's, also where test's names sort otherwise: the composed form is behind caff, the other
 * before. */
START_TEST(class_names_may_be_written_in_two_ways)
{
	struct dataset *same, *other;

	for (int k = 0; k < 2; k++) {
		add_class(k ? "test" : "train", "caff", 60 + k);
		add_class(k ? "test" : "train", COMPOSED, 80 + k);
	}
	same = load();
	ck_assert_msg(same != NULL, "%s", error_text());
	ck_assert_int_eq(rename(sandbox("bugs/test/" COMPOSED), sandbox("bugs/test/" DECOMPOSED)), 0);
	other = load();
	ck_assert_msg(other != NULL, "%s", error_text());
	ck_assert_str_eq(other->class_names[2], "caff");
	ck_assert_str_eq(other->class_names[3], COMPOSED);
	ck_assert_int_eq(other->test_labels[other->ntest - 1], 3);
	ck_assert_int_eq(other->test_px[24 * other->ntest - 1], 81);
	ck_assert_str_eq(same->hash, other->hash);
	dataset_free(same);
	dataset_free(other);
	add_class("test", COMPOSED, 90);
	REFUSED("bugs/test", "look the same");
}
END_TEST

/* What is no UTF-8 has only its bytes. */
START_TEST(class_names_need_not_be_utf8)
{
	struct dataset *d;

	add_class("train", "caf\xe9", 60);
	add_class("test", "caf\xe9", 61);
	d = load();
	ck_assert_msg(d != NULL, "%s", error_text());
	dataset_free(d);
	add_class("train", "caf\xe8", 60);
	add_class("test", "caf\xe7", 60);
	REFUSED("bugs/train has a class 'caf");
}
END_TEST

/* A part of a set is found, and what is missing is said. */
START_TEST(a_missing_part_is_named)
{
	static const struct { const char *from, *to; const char *words[3]; } moves[] = {
		{ "bugs/test", "bugs/val", { "no folder test", "train, val", "judged on belongs in test" } },
		{ "bugs/train", "bugs/Train", { "no folder train", "Train, test" } },
		{ "bugs/test", "elsewhere", { "no folder test", "(it holds: train)" } },
	};
	struct dataset *d;
	char where[512];

	ck_assert_int_eq(dataset_where("bugs", NULL, where), DATASET_WHOLE);
	ck_assert_int_eq(rename(sandbox(moves[_i].from), sandbox(moves[_i].to)), 0);
	ck_assert_int_eq(dataset_where("bugs", NULL, where), DATASET_PART);
	ck_assert_str_eq(where, sandbox("bugs"));
	REFUSED(sandbox("bugs"), "is there", moves[_i].words[0], moves[_i].words[1],
	        moves[_i].words[2] ? moves[_i].words[2] : "");
	write_image_set("cache/lockbench/bugs"); /* a whole one elsewhere is better */
	d = load();
	ck_assert_msg(d != NULL, "%s", error_text());
	ck_assert_str_eq(d->where, sandbox("cache/lockbench/bugs"));
	dataset_free(d);
}
END_TEST

START_TEST(one_class_is_not_a_set)
{
	for (int i = 0; i < 3; i++) {
		char name[64];

		snprintf(name, sizeof(name), "bugs/train/ant/%03d.png", i);
		ck_assert_int_eq(unlink(sandbox(name)), 0);
	}
	ck_assert_int_eq(rmdir(sandbox("bugs/train/ant")), 0);
	REFUSED("1 class folders", "wanted 2");
}
END_TEST

START_TEST(class_count_is_capped)
{
	char name[64];

	for (int i = 0; i < 260; i++) {
		snprintf(name, sizeof(name), "bugs/train/class%03d", i);
		make_folder(name);
	}
	REFUSED("bugs/train", "more than 256 entries");
}
END_TEST

START_TEST(control_characters_are_refused)
{
	make_folder("bugs/train/a\033[31m");
	REFUSED("bugs/train", "control characters");
}
END_TEST

/* With few descriptors left, at whatever step they run out: a message, and the next try succeeds. */
START_TEST(descriptors_may_run_out)
{
	struct rlimit few, usual;
	struct dataset *d;
	int failed = 0;

	getrlimit(RLIMIT_NOFILE, &usual);
	for (rlim_t n = 3; n < 24; n++) {
		few = (struct rlimit){ n, usual.rlim_max };
		setrlimit(RLIMIT_NOFILE, &few);
		d = load();
		setrlimit(RLIMIT_NOFILE, &usual);
		if (!d) {
			failed++;
			ck_assert_msg(error_code() == EXIT_IO, "%s", error_text());
			ck_assert_ptr_nonnull(strstr(error_text(), "oo many open files"));
			error_clear();
		}
		dataset_free(d);
	}
	ck_assert_int_gt(failed, 2);
	ck_assert_int_lt(failed, 21);
}
END_TEST

START_TEST(peek_counts_without_decoding_all)
{
	const struct dataset_driver *drv = dataset_driver_of("bugs");
	struct dataset d = { .name = "bugs" };

	ck_assert_str_eq(drv->drv.name, "folder");
	ck_assert_int_eq(drv->peek(&d, sandbox("bugs")), 0);
	ck_assert_int_eq(d.ntrain, 6);
	ck_assert_int_eq(d.ntest, 4);
	ck_assert_int_eq(d.classes, 2);
	ck_assert_int_eq(d.w, 6);
}
END_TEST

START_TEST(folders_are_listed)
{
	static const char *const wanted[] = { "apples", "bugs", "dangling", "halves", "linked" };
	size_t n;
	char **names;

	write_image_set("apples");
	make_folder("empty");
	make_folder("halves/train");
	make_folder("tests/test");
	make_folder("linked");
	make_folder("a\033[31m"); /* not ours to judge */
	sandbox_write("file", "x", 1);
	ck_assert_int_eq(symlink(sandbox("bugs/train"), sandbox("linked/train")), 0);
	ck_assert_int_eq(symlink("nowhere", sandbox("dangling")), 0); /* may be a set: nobody can tell */
	names = folder_list(sandbox(""), &n);
	ck_assert_uint_eq(n, ARRAY_LEN(wanted));
	for (size_t i = 0; i < n; i++)
		ck_assert_str_eq(names[i], wanted[i]);
	dir_list_free(names, n);
	names = folder_list(sandbox("nowhere"), &n);
	ck_assert_uint_eq(n, 0);
	dir_list_free(names, n);
	ck_assert_msg(!error_code(), "%s", error_text());
	ck_assert_ptr_null(folder_list(sandbox("dangling"), &n));
	EXPECT_ERROR("dangling", "link to something that is not there");
}
END_TEST

Suite *suite_folder(void);
Suite *suite_folder(void)
{
	Suite *s = suite_create("folder");
	TCase *tc = tcase_create("folder");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, open_bugs, sandbox_close);
	tcase_add_test(tc, reads_sizes_pixels_labels_and_names);
	tcase_add_test(tc, threads_do_not_matter);
	tcase_add_test(tc, jpeg_and_png_may_mix);
	tcase_add_test(tc, dot_files_are_passed_over);
	tcase_add_test(tc, images_must_be_alike);
	tcase_add_test(tc, links_are_not_followed);
	tcase_add_test(tc, the_set_itself_may_be_a_link);
	tcase_add_test(tc, only_images_are_allowed);
	tcase_add_test(tc, large_files_are_not_read);
	tcase_add_test(tc, truncated_images_are_refused);
	tcase_add_test(tc, classes_must_be_the_same_and_full);
	tcase_add_test(tc, class_names_may_be_written_in_two_ways);
	tcase_add_test(tc, class_names_need_not_be_utf8);
	tcase_add_loop_test(tc, a_missing_part_is_named, 0, 3);
	tcase_add_test(tc, one_class_is_not_a_set);
	tcase_add_test(tc, class_count_is_capped);
	tcase_add_test(tc, control_characters_are_refused);
	tcase_add_test(tc, descriptors_may_run_out);
	tcase_add_test(tc, peek_counts_without_decoding_all);
	tcase_add_test(tc, folders_are_listed);
	suite_add_tcase(s, tc);
	return s;
}
