/* datasets/idx.c: exact files are read, everything else is refused with the file's name. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "datasets/format.h"
#include "tests/support_data.h"
#include "tests/support_sandbox.h"

#define TRAIN_IMAGES "mnist/train-images-idx3-ubyte"
#define TRAIN_LABELS "mnist/train-labels-idx1-ubyte"

static struct dataset *load(void)
{
	return dataset_load("mnist", NULL);
}

START_TEST(reads_sizes_pixels_and_labels)
{
	struct dataset *d;

	write_idx_set("mnist", false);
	d = load();
	ck_assert_msg(d != NULL, "%s", error_text());
	ck_assert_int_eq(d->c, 1);
	ck_assert_int_eq(d->h, 4);
	ck_assert_int_eq(d->w, 5);
	ck_assert_int_eq(d->classes, 10);
	ck_assert_int_eq(d->ntrain, 30);
	ck_assert_int_eq(d->ntest, 20);
	ck_assert_int_eq(d->train_px[0], 1);
	ck_assert_int_eq(d->train_px[30 * 20 - 1], (uint8_t)((30 * 20 - 1) * 7 + 1));
	ck_assert_int_eq(d->test_px[0], 2);
	ck_assert_int_eq(d->train_labels[29], 9);
	ck_assert_str_eq(d->class_names[3], "3");
	dataset_free(d);
}
END_TEST

START_TEST(gzip_and_plain_have_one_hash)
{
	struct dataset *plain, *gz;

	write_idx_set("mnist", false);
	write_idx_set("z/mnist", true);
	plain = load();
	gz = dataset_load("mnist", sandbox("z"));
	ck_assert(plain && gz);
	ck_assert_str_ne(plain->where, gz->where);
	ck_assert_str_eq(plain->hash, gz->hash);
	dataset_free(plain);
	dataset_free(gz);
}
END_TEST

/* ---- parsing: one row a lie ---- */

static const struct lie {
	size_t at; /* byte to overwrite */
	int value;
	long cut;  /* bytes removed from (negative: added to) the end */
	const char *word;
} image_lies[] = {
	{ 0, 1, 0, "not an IDX file" },
	{ 0, '<', 0, "web page" },
	{ 0, 0x1f, 0, "not an IDX file" },
	{ 2, 9, 0, "signed bytes in 3 dimensions; wanted images" },
	{ 2, 0x0d, 0, "32-bit floats in 3 dimensions" },
	{ 2, 0x33, 0, "not an IDX file" }, /* no type at all */
	{ 3, 1, 0, "holds labels, wanted images" },
	{ 3, 4, 0, "bytes in 4 dimensions" },
	{ 0, 0, 1, "truncated" },
	{ 0, 0, 200, "truncated" },       /* no header left: 3 * 20 + 16 = 76 bytes */
	{ 0, 0, 64, "truncated" },
	{ 0, 0, -1, "trailing" },
	{ 7, 2, 0, "trailing" },          /* count lies low */
	{ 7, 4, 0, "truncated" },         /* count lies high */
	{ 4, 0xff, 0, "images" },         /* 4 billion images */
	{ 4, 0x7f, 0, "truncated" },      /* n * h * w far beyond 32 bits */
	{ 8, 0xff, 0, "512" },            /* rows */
	{ 12, 0x80, 0, "512" },           /* columns */
	{ 11, 0, 0, "images of 0x5" },
	{ 7, 0, 0, "0 images" },
};

START_TEST(image_files_must_not_lie)
{
	const struct lie *l = &image_lies[_i];
	size_t len;
	uint8_t *p = make_idx_images(3, 4, 5, 0, &len), *exact;
	struct idx_view v;

	if (l->value)
		p[l->at] = (uint8_t)l->value;
	else if (l->at)
		p[l->at] = 0;
	p = xrealloc(p, len + 1, 1);
	p[len] = 0;
	len = l->cut > (long)len ? 0 : (size_t)((long)len - l->cut);
	exact = xmalloc(len, 1); /* so that a sanitizer sees a read behind the end */
	memcpy(exact, p, len);
	ck_assert_int_eq(idx_parse_images(exact, len, "dir/some-file", &v), -1);
	EXPECT_ERROR("dir/some-file", l->word);
	free(exact);
	free(p);
}
END_TEST

START_TEST(label_files_must_not_lie)
{
	size_t len;
	uint8_t *p = make_idx_labels(12, &len);
	struct idx_view v;

	ck_assert_int_eq(idx_parse_labels(p, len, "f", 10, &v), 0);
	ck_assert_int_eq(v.n, 12);
	ck_assert_int_eq(idx_parse_labels(p, len - 1, "f", 10, &v), -1);
	EXPECT_ERROR("f: truncated");
	ck_assert_int_eq(idx_parse_labels(p, 7, "f", 10, &v), -1);
	EXPECT_ERROR("f: truncated");
	p[8 + 5] = 10;
	ck_assert_int_eq(idx_parse_labels(p, len, "f", 10, &v), -1);
	EXPECT_ERROR("f: label 10 of image 5");
	p[4] = 0xff;
	ck_assert_int_eq(idx_parse_labels(p, len, "f", 10, &v), -1);
	EXPECT_ERROR("f: header says");
	free(p);
}
END_TEST

/* n labels from lo to hi in turn. */
static uint8_t *make_labels_of(uint32_t n, int lo, int hi, size_t *len)
{
	uint8_t *p = make_idx_labels(n, len);

	for (uint32_t i = 0; i < n; i++)
		p[8 + i] = (uint8_t)(lo + (int)i % (hi - lo + 1));
	return p;
}

/* Relatives of MNIST get the true reason, and a single bad byte stays a bad byte. */
static const struct {
	int lo, hi;
	const char *words[3];
} relatives[] = {
	{ 1, 26, { "from 1 to 26", "EMNIST's letters", "image folders" } },
	{ 0, 46, { "from 0 to 46", "EMNIST", "image folders" } },
	{ 0, 61, { "from 0 to 61", "EMNIST", "image folders" } },
	{ 1, 10, { "from 1 to 10", "10 classes, 0 to 9", "image folders" } },
};

START_TEST(labels_of_another_set_are_told_apart)
{
	size_t len;
	uint8_t *p = make_labels_of(1000, relatives[_i].lo, relatives[_i].hi, &len);
	struct idx_view v;

	ck_assert_int_eq(idx_parse_labels(p, len, "f", 10, &v), -1);
	ck_assert_ptr_null(strstr(error_text(), "copy"));
	EXPECT_ERROR("f: labels", relatives[_i].words[0], relatives[_i].words[1], relatives[_i].words[2]);
	free(p);
}
END_TEST

/* QMNIST: 00 00 0c 02, n, 8, then n rows of eight 32-bit numbers. */
START_TEST(labels_of_eight_columns_are_qmnists)
{
	const uint32_t n = 60000;
	const size_t len = 12 + (size_t)n * 32;
	uint8_t *p = xcalloc(len, 1);
	struct idx_view v;

	p[2] = 0x0c;
	p[3] = 2;
	p[6] = (uint8_t)(n >> 8);
	p[7] = (uint8_t)n;
	p[11] = 8;
	ck_assert_int_eq(idx_parse_labels(p, len, "f", 10, &v), -1);
	EXPECT_ERROR("f: labels of 8 columns of 32-bit numbers", "QMNIST");
	write_idx_set("mnist", true);
	/* larger than labels may be, but that is not the reason */
	write_gz("mnist/train-labels-idx1-ubyte.gz", p, len);
	ck_assert_ptr_null(load());
	EXPECT_ERROR("train-labels-idx1-ubyte.gz", "QMNIST");
	free(p);
}
END_TEST

START_TEST(other_mistakes_have_their_names)
{
	uint8_t reversed[] = { 3, 8, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0 };
	uint8_t page[] = "<html><head><title>403 Forbidden";
	size_t len;
	uint8_t *p = make_idx_images(3, 4, 5, 0, &len);
	struct idx_view v;

	ck_assert_int_eq(idx_parse_images(reversed, sizeof(reversed), "f", &v), -1);
	EXPECT_ERROR("f: ", "little-endian");
	ck_assert_int_eq(idx_parse_labels(page, sizeof(page), "f", 10, &v), -1);
	EXPECT_ERROR("f: ", "web page");
	ck_assert_int_eq(idx_parse_labels(p, len, "f", 10, &v), -1);
	EXPECT_ERROR("f: holds images, wanted labels");
	free(p);
}
END_TEST

/* ---- sets whose files do not fit together ---- */

START_TEST(counts_and_shapes_must_agree)
{
	size_t len;
	uint8_t *p;

	write_idx_set("mnist", false);
	p = make_idx_labels(29, &len);
	sandbox_write(TRAIN_LABELS, p, len);
	free(p);
	ck_assert_ptr_null(load());
	EXPECT_ERROR("30 images", "29 labels", "train-labels");
	p = make_idx_labels(30, &len);
	sandbox_write(TRAIN_LABELS, p, len);
	free(p);
	p = make_idx_images(30, 5, 4, 0, &len);
	sandbox_write(TRAIN_IMAGES, p, len);
	free(p);
	ck_assert_ptr_null(load());
	EXPECT_ERROR("5x4", "4x5", "train-images");
}
END_TEST

START_TEST(every_class_needs_images)
{
	size_t len;
	uint8_t *p = make_idx_labels(30, &len);

	write_idx_set("mnist", false);
	for (int i = 0; i < 30; i++)
		p[8 + i] = (uint8_t)(p[8 + i] == 7 ? 1 : p[8 + i]);
	sandbox_write(TRAIN_LABELS, p, len);
	free(p);
	ck_assert_ptr_null(load());
	EXPECT_ERROR("class 7 has no training image");
}
END_TEST

/* What is read is bounded by the labels and the header, whatever the file inflates to. */
START_TEST(gzip_bombs_stop_at_the_cap)
{
	const size_t len = (size_t)80 << 20;
	uint8_t *zeros = xcalloc(len, 1), *p;
	size_t some;

	write_idx_set("mnist", true);
	p = make_idx_images(30, 4, 5, 1, &some);
	memcpy(zeros, p, some);
	free(p);
	write_gz("mnist/train-images-idx3-ubyte.gz", zeros, len);
	ck_assert_ptr_null(load());
	/* of 80 MiB one is looked at */
	EXPECT_ERROR("train-images-idx3-ubyte.gz", "trailing bytes", "601 bytes follow");
	write_idx_set("mnist", true);
	p = make_idx_labels(2 << 20, &some);
	write_gz("mnist/train-labels-idx1-ubyte.gz", p, some);
	ck_assert_ptr_null(load());
	EXPECT_ERROR("train-labels-idx1-ubyte.gz", "more than 1048576 labels");
	free(p);
	p = make_idx_labels(1 << 20, &some);
	write_gz("mnist/train-labels-idx1-ubyte.gz", p, some);
	free(p);
	p = make_idx_images(1, 512, 512, 1, &some);
	p[5] = 0x10; /* 1,048,576 images of 512x512 */
	p[7] = 0;
	write_gz("mnist/train-images-idx3-ubyte.gz", p, some);
	ck_assert_ptr_null(load());
	EXPECT_ERROR("train-images-idx3-ubyte.gz", "1048576 images of 512x512", "512 MiB");
	free(p);
	free(zeros);
}
END_TEST

/* A compressed file that ends anywhere too early, or with a wrong sum, is damaged; what follows it is passed over, as
 * gzip does. */
START_TEST(compressed_files_are_whole)
{
	const char *name = TRAIN_LABELS ".gz";
	size_t len, cuts = 0;
	char *bytes;

	write_idx_set("mnist", true);
	bytes = file_read(sandbox(name), 1 << 20, &len);
	ck_assert_ptr_nonnull(bytes);
	for (size_t n = 0; n < len; n++, cuts++) {
		sandbox_write(name, bytes, n);
		ck_assert_ptr_null(load());
		ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
		EXPECT_ERROR("train-labels-idx1-ubyte.gz");
	}
	ck_assert_uint_gt(cuts, 20);
	bytes[len - 6] ^= 1; /* the sum */
	sandbox_write(name, bytes, len);
	ck_assert_ptr_null(load());
	EXPECT_ERROR("train-labels-idx1-ubyte.gz", "damaged");
	bytes[len - 6] ^= 1;
	bytes = xrealloc(bytes, len + 512, 1);
	memset(bytes + len, 0, 512);
	sandbox_write(name, bytes, len + 512);
	dataset_free(load());
	ck_assert_msg(!error_code(), "%s", error_text());
	free(bytes);
}
END_TEST

/* EMNIST's digits: 188 MB, and ten classes. */
START_TEST(large_sets_are_read)
{
	struct dataset *d;
	size_t len;
	uint8_t *p;

	write_idx_set("mnist", true);
	p = make_idx_labels(90000, &len);
	write_gz("mnist/train-labels-idx1-ubyte.gz", p, len);
	free(p);
	p = make_idx_images(90000, 28, 28, 1, &len);
	ck_assert_uint_gt(len, (size_t)64 << 20);
	write_gz("mnist/train-images-idx3-ubyte.gz", p, len);
	free(p);
	p = make_idx_images(20, 28, 28, 1, &len);
	write_gz("mnist/t10k-images-idx3-ubyte.gz", p, len);
	free(p);
	d = load();
	ck_assert_msg(d != NULL, "%s", error_text());
	ck_assert_int_eq(d->ntrain, 90000);
	dataset_free(d);
}
END_TEST

/* A part of a set is found, and what is missing is said; a whole one elsewhere is better. */
START_TEST(a_missing_file_is_named)
{
	static const char *const files[] = { TRAIN_IMAGES, TRAIN_LABELS, "mnist/t10k-images-idx3-ubyte",
		                             "mnist/t10k-labels-idx1-ubyte" };
	const struct dataset_driver *drv = dataset_driver_of("mnist");
	struct dataset *d, seen = { .name = "mnist" };
	char where[512];

	write_idx_set("mnist", false);
	ck_assert_int_eq(dataset_where("mnist", NULL, where), DATASET_WHOLE);
	unlink(sandbox(files[_i]));
	ck_assert_int_eq(dataset_where("mnist", NULL, where), DATASET_PART);
	ck_assert_str_eq(where, sandbox("mnist"));
	ck_assert_ptr_null(load());
	EXPECT_ERROR(sandbox("mnist"), files[_i] + strlen("mnist/"), "is missing");
	ck_assert_int_eq(drv->peek(&seen, where), -1);
	EXPECT_ERROR(files[_i] + strlen("mnist/"), "is missing");
	write_idx_set("cache/lockbench/mnist", true);
	d = load();
	ck_assert_msg(d != NULL, "%s", error_text());
	ck_assert_str_eq(d->where, sandbox("cache/lockbench/mnist"));
	dataset_free(d);
}
END_TEST

/* Nothing in the folder of a set is followed, waited for or taken for what it is not. */
START_TEST(only_files_of_the_set_are_read)
{
	write_idx_set("elsewhere", false);
	write_idx_set("mnist", false);
	unlink(sandbox(TRAIN_LABELS));
	ck_assert_int_eq(symlink(sandbox("elsewhere/train-labels-idx1-ubyte"), sandbox(TRAIN_LABELS)), 0);
	ck_assert_ptr_null(load());
	ck_assert_int_eq(error_code(), EXIT_IO);
	EXPECT_ERROR("train-labels-idx1-ubyte", "link");
	unlink(sandbox(TRAIN_LABELS));
	ck_assert_int_eq(mkfifo(sandbox(TRAIN_LABELS), 0600), 0);
	ck_assert_ptr_null(load());
	ck_assert_int_eq(error_code(), EXIT_IO);
	EXPECT_ERROR("train-labels-idx1-ubyte", "pipe");
	unlink(sandbox(TRAIN_LABELS));
	make_folder(TRAIN_LABELS); /* as some archives unpack */
	ck_assert_ptr_null(load());
	EXPECT_ERROR("train-labels-idx1-ubyte", "folder");
	write_idx_set("other", true);
	ck_assert_int_eq(rename(sandbox("other/train-labels-idx1-ubyte.gz"), sandbox(TRAIN_LABELS ".gz")), 0);
	dataset_free(load());
	ck_assert_msg(!error_code(), "%s", error_text());
}
END_TEST

START_TEST(layouts_are_found)
{
	static const char *const dirs[][2] = {
		{ "mnist", "mnist" }, { "MNIST/raw", "mnist" }, { "fashion-mnist", "fashion-mnist" }, { "FashionMNIST/raw", "fashion-mnist" }
	};
	char where[512];

	write_idx_set(dirs[_i][0], _i & 1);
	ck_assert(dataset_where(dirs[_i][1], NULL, where));
	ck_assert_str_eq(where, sandbox(dirs[_i][0]));
	/* the folder itself, named by the user */
	ck_assert(dataset_where(dirs[_i][1], sandbox(dirs[_i][0]), where));
	ck_assert_str_eq(where, sandbox(dirs[_i][0]));
}
END_TEST

START_TEST(a_folder_of_one_set_is_not_the_other)
{
	char where[512];

	write_idx_set("a/fashion-mnist", false);
	ck_assert(!dataset_where("mnist", sandbox("a/fashion-mnist"), where) || strncmp(where, sandbox(""), strlen(sandbox(""))));
}
END_TEST

/* Same file names, same sizes: only the payload tells. */
START_TEST(fashion_mnist_is_not_taken_for_mnist)
{
	if (access("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz", R_OK)) {
		fprintf(stderr, "skipped: fashion_mnist_is_not_taken_for_mnist: no /usr/share/datasets/fashion-mnist\n");
		return;
	}
	ck_assert_int_eq(symlink("/usr/share/datasets/fashion-mnist", sandbox("mnist")), 0);
	ck_assert_ptr_null(load());
	EXPECT_ERROR("fashion-mnist, not mnist");
}
END_TEST

START_TEST(peek_reads_the_sizes)
{
	const struct dataset_driver *drv = dataset_driver_of("mnist");
	struct dataset d = { .name = "mnist" };

	write_idx_set("mnist", true);
	ck_assert_int_eq(drv->peek(&d, sandbox("mnist")), 0);
	ck_assert_int_eq(d.ntrain, 30);
	ck_assert_int_eq(d.ntest, 20);
	ck_assert_int_eq(d.w, 5);
	sandbox_write("mnist/train-images-idx3-ubyte.gz", "short", 5);
	ck_assert_int_eq(drv->peek(&d, sandbox("mnist")), -1);
	EXPECT_ERROR("train-images");
}
END_TEST

Suite *suite_idx(void);
Suite *suite_idx(void)
{
	Suite *s = suite_create("idx");
	TCase *tc = tcase_create("idx");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, data_open, sandbox_close);
	tcase_add_test(tc, reads_sizes_pixels_and_labels);
	tcase_add_test(tc, gzip_and_plain_have_one_hash);
	tcase_add_loop_test(tc, image_files_must_not_lie, 0, ARRAY_LEN(image_lies));
	tcase_add_test(tc, label_files_must_not_lie);
	tcase_add_loop_test(tc, labels_of_another_set_are_told_apart, 0, ARRAY_LEN(relatives));
	tcase_add_test(tc, labels_of_eight_columns_are_qmnists);
	tcase_add_test(tc, other_mistakes_have_their_names);
	tcase_add_test(tc, counts_and_shapes_must_agree);
	tcase_add_test(tc, every_class_needs_images);
	tcase_add_test(tc, gzip_bombs_stop_at_the_cap);
	tcase_add_test(tc, compressed_files_are_whole);
	tcase_add_test(tc, large_sets_are_read);
	tcase_add_loop_test(tc, a_missing_file_is_named, 0, 4);
	tcase_add_test(tc, only_files_of_the_set_are_read);
	tcase_add_loop_test(tc, layouts_are_found, 0, 4);
	tcase_add_test(tc, a_folder_of_one_set_is_not_the_other);
	tcase_add_test(tc, fashion_mnist_is_not_taken_for_mnist);
	tcase_add_test(tc, peek_reads_the_sizes);
	suite_add_tcase(s, tc);
	return s;
}
