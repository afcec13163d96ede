/* datasets/gz.c: plain and compressed read alike, as far as was asked, whole or not at all. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/error.h"
#include "datasets/format.h"
#include "tests/support_data.h"
#include "tests/support_sandbox.h"

static struct dir *here;

static void setup(void)
{
	sandbox_open();
	here = dir_open(sandbox(""));
	ck_assert_ptr_nonnull(here);
}

static void teardown(void)
{
	dir_close(here);
	sandbox_close();
}

/* One gzip member of len bytes of data; returns its size. */
static size_t gzip(const void *data, size_t len, unsigned char *out, size_t room)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len, .next_out = out,
		       .avail_out = (uInt)room };

	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

/* name reads as these bytes when at most max are asked for. */
static void reads(const char *name, size_t max, const char *want)
{
	size_t len;
	char *got = gz_read(here, name, max, &len);

	ck_assert_msg(got != NULL, "%s", error_text());
	ck_assert_uint_eq(len, strlen(want));
	ck_assert_str_eq(got, want);
	free(got);
}

static void refused(const char *name, enum lb_exit code, const char *why)
{
	size_t len;

	ck_assert_ptr_null(gz_read(here, name, 1000, &len));
	ck_assert_int_eq(error_code(), code);
	EXPECT_ERROR(name, why);
}

START_TEST(gzip_and_plain_read_alike)
{
	unsigned char packed[200];
	size_t n = gzip("hello ", 6, packed, 100);

	n += gzip("world", 5, packed + n, 100);
	sandbox_write("two.gz", packed, n);
	sandbox_write("plain", "hello world", 11);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "plain" : "two.gz";

		reads(name, 1000, "hello world");
		reads(name, 11, "hello world");
		reads(name, 7, "hello w"); /* what lies behind is not read */
		reads(name, 0, "");
	}
	n = gzip("", 0, packed, 100);
	sandbox_write("empty.gz", packed, n);
	reads("empty.gz", 10, "");
	sandbox_write("empty", "", 0);
	reads("empty", 10, "");
}
END_TEST

/* The plain file first; a folder of that name is none. */
START_TEST(either_is_found)
{
	char name[GZ_NAME];

	ck_assert_int_eq(gz_find(here, "x", name), 0);
	sandbox_write("x.gz", "x", 1);
	ck_assert_int_eq(gz_find(here, "x", name), 1);
	ck_assert_str_eq(name, "x.gz");
	ck_assert_int_eq(mkdir(sandbox("x"), 0755), 0);
	ck_assert_int_eq(gz_find(here, "x", name), 1);
	ck_assert_str_eq(name, "x.gz");
	ck_assert_int_eq(rmdir(sandbox("x")), 0);
	sandbox_write("x", "x", 1);
	ck_assert_int_eq(gz_find(here, "x", name), 1);
	ck_assert_str_eq(name, "x");
	ck_assert_int_eq(symlink("x", sandbox("y")), 0);
	ck_assert_int_eq(gz_find(here, "y", name), -1);
	EXPECT_ERROR("link");
}
END_TEST

START_TEST(incompressible_data_is_read)
{
	static unsigned char noise[100000], packed[110000];
	size_t n, len;
	uint32_t x = 1;
	char *got;

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (unsigned char)((x = x * 1664525 + 1013904223) >> 24);
	n = gzip(noise, sizeof(noise), packed, sizeof(packed));
	ck_assert_uint_gt(n, sizeof(noise)); /* larger than what it holds */
	sandbox_write("noise.gz", packed, n);
	got = gz_read(here, "noise.gz", sizeof(noise), &len);
	ck_assert_msg(got != NULL, "%s", error_text());
	ck_assert_uint_eq(len, sizeof(noise));
	ck_assert_mem_eq(got, noise, len);
	free(got);
}
END_TEST

START_TEST(every_truncation_is_an_error)
{
	unsigned char packed[200];
	size_t n = gzip("some text, some text, some text", 31, packed, sizeof(packed));

	for (size_t cut = 2; cut < n; cut++) { /* below two bytes it is no gzip file */
		sandbox_write("cut.gz", packed, cut);
		refused("cut.gz", EXIT_UNEVALUABLE, "cut short");
	}
}
END_TEST

START_TEST(damage_is_an_error)
{
	unsigned char packed[200];
	size_t n = gzip("some text, some text, some text", 31, packed, sizeof(packed));

	packed[n - 5] ^= 1; /* of the checksum */
	sandbox_write("bad.gz", packed, n);
	refused("bad.gz", EXIT_UNEVALUABLE, "damaged");
	packed[n - 5] ^= 1;
	packed[n] = 'x'; /* what follows is passed over, as gzip does */
	sandbox_write("more.gz", packed, n + 1);
	reads("more.gz", 1000, "some text, some text, some text");
}
END_TEST

START_TEST(only_files_are_read)
{
	refused("gone", EXIT_UNEVALUABLE, "not there");
	ck_assert_int_eq(mkdir(sandbox("folder"), 0755), 0);
	refused("folder", EXIT_IO, "a folder");
	ck_assert_int_eq(mkfifo(sandbox("pipe"), 0600), 0);
	refused("pipe", EXIT_IO, "a pipe");
	ck_assert_int_eq(symlink("folder", sandbox("link")), 0);
	refused("link", EXIT_IO, "a link");
}
END_TEST

Suite *suite_gz(void);
Suite *suite_gz(void)
{
	Suite *s = suite_create("gz");
	TCase *tc = tcase_create("gz");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, gzip_and_plain_read_alike);
	tcase_add_test(tc, either_is_found);
	tcase_add_test(tc, incompressible_data_is_read);
	tcase_add_test(tc, every_truncation_is_an_error);
	tcase_add_test(tc, damage_is_an_error);
	tcase_add_test(tc, only_files_are_read);
	suite_add_tcase(s, tc);
	return s;
}
