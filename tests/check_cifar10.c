/* datasets/cifar10.c: six batches of 10,000 records or nothing. */
#include <check.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "datasets/format.h"
#include "tests/support_data.h"
#include "tests/support_sandbox.h"

static const size_t BATCH_LEN = (size_t)CIFAR_BATCH * CIFAR_RECORD;

static uint8_t *make_records(int n)
{
	uint8_t *p = xmalloc((size_t)n, CIFAR_RECORD);

	for (int i = 0; i < n; i++) {
		memset(p + (size_t)i * CIFAR_RECORD, i % 251, CIFAR_RECORD);
		p[(size_t)i * CIFAR_RECORD] = (uint8_t)(i % 10);
	}
	return p;
}

/* One batch of 30 MB and five more names for it: what differs is written over one of them. */
static void write_set(const char *dir)
{
	uint8_t *p = make_records(CIFAR_BATCH);
	char name[128], first[512];

	make_folder(dir);
	snprintf(name, sizeof(name), "%s/data_batch_1.bin", dir);
	sandbox_write(name, p, BATCH_LEN);
	snprintf(first, sizeof(first), "%s", sandbox(name));
	for (int b = 2; b <= 6; b++) {
		snprintf(name, sizeof(name), b == 6 ? "%s/test_batch.bin" : "%s/data_batch_%d.bin", dir, b);
		ck_assert_int_eq(link(first, sandbox(name)), 0);
	}
	free(p);
}

static void replace(const char *name, const uint8_t *p, size_t len)
{
	ck_assert_int_eq(unlink(sandbox(name)), 0); /* a name of its own again */
	sandbox_write(name, p, len);
}

START_TEST(records_are_taken_apart)
{
	uint8_t *p = make_records(3), *px = xmalloc(3, CIFAR_PIXELS), labels[3];

	ck_assert_int_eq(cifar10_parse(p, 3 * CIFAR_RECORD, 3, "f", px, labels), 0);
	ck_assert_int_eq(labels[2], 2);
	ck_assert_int_eq(px[0], 0);
	ck_assert_int_eq(px[2 * CIFAR_PIXELS], 2);
	ck_assert_int_eq(px[3 * CIFAR_PIXELS - 1], 2);
	free(p);
	free(px);
}
END_TEST

START_TEST(records_must_not_lie)
{
	uint8_t *p = make_records(3), *px = xmalloc(3, CIFAR_PIXELS), labels[3];

	ck_assert_int_eq(cifar10_parse(p, 3 * CIFAR_RECORD - 1, 3, "f", px, labels), -1);
	EXPECT_ERROR("f: truncated");
	ck_assert_int_eq(cifar10_parse(p, 0, 3, "f", px, labels), -1);
	EXPECT_ERROR("f: truncated");
	ck_assert_int_eq(cifar10_parse(p, 3 * CIFAR_RECORD, 2, "f", px, labels), -1);
	EXPECT_ERROR("f: trailing bytes");
	p[CIFAR_RECORD] = 10;
	ck_assert_int_eq(cifar10_parse(p, 3 * CIFAR_RECORD, 3, "f", px, labels), -1);
	EXPECT_ERROR("f: label 10 of image 1");
	free(p);
	free(px);
}
END_TEST

START_TEST(a_set_is_read)
{
	static const char *const dirs[] = { "cifar10", "cifar-10-batches-bin" };
	struct dataset *d, seen = { .name = "cifar10" };

	write_set(dirs[_i]);
	d = dataset_load("cifar10", NULL);
	ck_assert_msg(d != NULL, "%s", error_text());
	ck_assert_str_eq(d->where, sandbox(dirs[_i]));
	ck_assert_int_eq(d->c, 3);
	ck_assert_int_eq(d->ntrain, 50000);
	ck_assert_int_eq(d->ntest, 10000);
	ck_assert_int_eq(d->train_labels[49999], 9);
	ck_assert_int_eq(d->train_px[(size_t)20007 * CIFAR_PIXELS], 7);
	ck_assert_str_eq(d->class_names[9], "truck");
	ck_assert_int_eq(dataset_driver_of("cifar10")->peek(&seen, d->where), 0);
	ck_assert(seen.c == d->c && seen.h == d->h && seen.w == d->w && seen.classes == d->classes);
	ck_assert(seen.ntrain == d->ntrain && seen.ntest == d->ntest);
	dataset_free(d);
}
END_TEST

START_TEST(a_bad_batch_is_named)
{
	uint8_t *p = make_records(CIFAR_BATCH + 1);
	struct dataset d = { .name = "cifar10" };

	write_set("cifar10");
	replace("cifar10/data_batch_3.bin", p, BATCH_LEN - 3);
	ck_assert_ptr_null(dataset_load("cifar10", NULL));
	EXPECT_ERROR("data_batch_3.bin", "truncated");
	ck_assert_int_eq(dataset_driver_of("cifar10")->peek(&d, sandbox("cifar10")), -1);
	EXPECT_ERROR("data_batch_3.bin");
	replace("cifar10/data_batch_3.bin", p, BATCH_LEN + 1);
	ck_assert_ptr_null(dataset_load("cifar10", NULL));
	EXPECT_ERROR("data_batch_3.bin", "trailing bytes");
	replace("cifar10/data_batch_3.bin", p, BATCH_LEN + CIFAR_RECORD);
	ck_assert_ptr_null(dataset_load("cifar10", NULL));
	EXPECT_ERROR("data_batch_3.bin", "trailing bytes");
	ck_assert_int_eq(truncate(sandbox("cifar10/data_batch_3.bin"), 10000L * 3074), 0);
	ck_assert_ptr_null(dataset_load("cifar10", NULL));
	EXPECT_ERROR("data_batch_3.bin", "CIFAR-100");
	replace("cifar10/data_batch_3.bin", p, BATCH_LEN);
	p[9999 * (size_t)CIFAR_RECORD] = 255;
	replace("cifar10/test_batch.bin", p, BATCH_LEN);
	ck_assert_ptr_null(dataset_load("cifar10", NULL));
	EXPECT_ERROR("test_batch.bin", "label 255 of image 9999");
	free(p);
}
END_TEST

START_TEST(a_missing_batch_is_named)
{
	struct dataset d = { .name = "cifar10" };
	char where[512];

	write_set("cifar10");
	ck_assert_int_eq(dataset_where("cifar10", NULL, where), DATASET_WHOLE);
	ck_assert_int_eq(unlink(sandbox("cifar10/test_batch.bin")), 0);
	ck_assert_int_eq(dataset_where("cifar10", NULL, where), DATASET_PART);
	ck_assert_ptr_null(dataset_load("cifar10", NULL));
	EXPECT_ERROR(sandbox("cifar10"), "test_batch.bin is missing");
	ck_assert_int_eq(dataset_driver_of("cifar10")->peek(&d, where), -1);
	EXPECT_ERROR("test_batch.bin is missing");
	ck_assert_int_eq(symlink(sandbox("cifar10/data_batch_1.bin"), sandbox("cifar10/test_batch.bin")), 0);
	ck_assert_ptr_null(dataset_load("cifar10", NULL));
	ck_assert_int_eq(error_code(), EXIT_IO);
	EXPECT_ERROR("test_batch.bin", "link");
}
END_TEST

Suite *suite_cifar10(void);
Suite *suite_cifar10(void)
{
	Suite *s = suite_create("cifar10");
	TCase *tc = tcase_create("cifar10");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, data_open, sandbox_close);
	tcase_add_test(tc, records_are_taken_apart);
	tcase_add_test(tc, records_must_not_lie);
	tcase_add_loop_test(tc, a_set_is_read, 0, 2);
	tcase_add_test(tc, a_bad_batch_is_named);
	tcase_add_test(tc, a_missing_batch_is_named);
	suite_add_tcase(s, tc);
	return s;
}
