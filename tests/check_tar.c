/* base/tar.c: other programs unpack what it writes, it reads what they write, and nothing that leads elsewhere or grows
 * without end. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/tar.h"
#include "tests/support_sandbox.h"

/* ---- archives in memory ---- */

struct bytes { char *data; size_t n; };

static int keep(void *ctx, const void *data, size_t len)
{
	struct bytes *b = ctx;

	b->data = xrealloc(b->data, b->n + len + 1, 1);
	memcpy(b->data + b->n, data, len);
	b->n += len;
	return 0;
}

static struct bytes two_files(void)
{
	struct bytes b = { 0 };
	struct tar_writer t = { .put = keep, .ctx = &b };
	char big[1000];

	memset(big, 'x', sizeof(big));
	tar_add(&t, "MANIFEST.json", "{}\n", 3);
	tar_add(&t, "cells/ab/empty", NULL, 0);
	tar_add(&t, "cells/ab/full", big, 512);
	tar_add(&t, "cells/ab/more", big, sizeof(big));
	tar_end(&t);
	return b;
}

/* A header as other programs make them: kind and fields as given, its checksum right; behind it the content. */
static void foreign(struct bytes *b, const char *name, char type, const char *content)
{
	const size_t len = strlen(content);
	char block[512] = "";
	unsigned sum = 0;

	memcpy(block, name, strlen(name));
	memcpy(block + 100, "000755 ", 7);
	memcpy(block + 108, "001750 ", 7);
	snprintf(block + 124, 12, "%11o", (unsigned)len & 07777); /* blanks in front, as old ones have it */
	memcpy(block + 136, "14012345670", 11);
	memset(block + 148, ' ', 8);
	block[156] = type;
	memcpy(block + 257, "ustar  ", 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
	keep(b, block, sizeof(block));
	memset(block, 0, sizeof(block));
	keep(b, content, len);
	keep(b, block, (512 - len % 512) % 512);
}

static void end(struct bytes *b)
{
	static const char zeros[1024];

	keep(b, zeros, sizeof(zeros));
}

/* Reads all of it: "name=content;" for each file in out. 0, or -1 after error(). */
static int read_all(struct tar_reader *r, char *out, size_t size)
{
	struct tar_file f;
	int ret = r ? 1 : -1;

	*out = '\0';
	while (ret == 1 && (ret = tar_next(r, &f)) == 1) {
		char piece[100];
		ssize_t n;
		size_t all = 0, at;

		snprintf(out + strlen(out), size - strlen(out), "%s=", f.name);
		while ((n = tar_read(r, piece, sizeof(piece))) > 0) {
			all += (size_t)n;
			at = strlen(out);
			if (at + (size_t)n + 2 < size) {
				memcpy(out + at, piece, (size_t)n);
				out[at + (size_t)n] = '\0';
			}
		}
		if (n < 0)
			ret = -1;
		else
			ck_assert_uint_eq(all, f.len);
		snprintf(out + strlen(out), size - strlen(out), ";");
	}
	tar_close(r);
	return ret;
}

static int read_bytes(const struct bytes *b, char *out, size_t size)
{
	return read_all(tar_open_memory(b->data, b->n, "test"), out, size);
}

static void expect(struct bytes *b, const char *files)
{
	char out[4096];

	ck_assert_msg(read_bytes(b, out, sizeof(out)) == 0, "%s", error_text());
	ck_assert_str_eq(out, files);
	free(b->data);
	*b = (struct bytes){ 0 };
}

static void refuse(struct bytes *b, const char *says)
{
	char out[4096];

	ck_assert_msg(read_bytes(b, out, sizeof(out)) == -1, "read: %.200s", out);
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	ck_assert_msg(strstr(error_text(), says), "'%s' does not say '%s'", error_text(), says);
	error_clear();
	free(b->data);
	*b = (struct bytes){ 0 };
}

/* ---- what we write ---- */

START_TEST(reads_back)
{
	struct bytes b = two_files();
	char out[4096];

	ck_assert_uint_eq(b.n, 512 * (4 + 1 + 0 + 1 + 2 + 2));
	ck_assert_int_eq(read_bytes(&b, out, sizeof(out)), 0);
	ck_assert_ptr_eq(strstr(out, "MANIFEST.json={}\n;cells/ab/empty=;cells/ab/full=xxx"), out);
	free(b.data);
}
END_TEST

START_TEST(another_tar_unpacks_it)
{
	struct bytes b = two_files();
	char *command, *text;
	size_t len;

	if (system("tar --version >/dev/null 2>&1") != 0) {
		fputs("skipped: no tar program\n", stderr);
		free(b.data);
		return;
	}
	sandbox_write("a.tar", b.data, b.n);
	command = xasprintf("tar xf %s -C %s", sandbox("a.tar"), sandbox(""));
	ck_assert_int_eq(system(command), 0);
	text = file_read(sandbox("cells/ab/more"), 2000, &len);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(len, 1000);
	free(text);
	free(command);
	free(b.data);
}
END_TEST

/* A changed byte of a name, a size or a checksum does not pass, nor does an archive that ends early or goes on. */
START_TEST(damage_is_seen)
{
	struct bytes b = two_files();
	char whole[4096], out[4096];

	read_bytes(&b, whole, sizeof(whole));
	for (size_t i = 0; i < b.n - 1024; i++) {
		const bool content = (i >= 512 && i < 1024) || (i >= 2048 && i < 2560) || (i >= 3072 && i < 4096);

		if (content)
			continue;
		b.data[i] ^= 1;
		ck_assert_msg(read_bytes(&b, out, sizeof(out)) == -1 || !strcmp(out, whole), "byte %zu", i);
		error_clear();
		b.data[i] ^= 1;
	}
	for (size_t n = 0; n < b.n; n += 256) { /* what it ends before a header is for the manifest to miss */
		struct bytes cut = { b.data, n };

		ck_assert_msg(read_bytes(&cut, out, sizeof(out)) == -1 || n % 512 == 0, "%zu bytes", n);
		error_clear();
	}
	keep(&b, "something behind", 16);
	refuse(&b, "Truncated");
}
END_TEST

START_TEST(a_second_archive_is_seen)
{
	struct bytes b = { 0 };

	foreign(&b, "a", '0', "first");
	end(&b);
	foreign(&b, "b", '0', "second");
	end(&b);
	expect(&b, "a=first;b=second;");
}
END_TEST

/* The longest name fills its field: no NUL in the header. */
START_TEST(longest_name)
{
	struct bytes b = { 0 };
	struct tar_writer t = { .put = keep, .ctx = &b };
	char name[101], want[120];

	memset(name, 'n', 100);
	name[100] = '\0';
	tar_add(&t, name, "x", 1);
	tar_end(&t);
	snprintf(want, sizeof(want), "%s=x;", name);
	expect(&b, want);
}
END_TEST

START_TEST(names)
{
	static const char *const good[] = { "a", "MANIFEST.json", "cells/ab/0.json", "a-b_c+d.tar.gz" },
		*const evil[] = { "", "/etc/passwd", "../x", "a/../b", "a/..", "a//b", "a/", ".hidden", "a/.x", "a b", "a\nb", "a\\b", "C:x", "-rf",
				  "\xc3\xa9" };
	char longest[102];

	memset(longest, 'a', 101);
	longest[101] = '\0';
	ck_assert(!tar_name_ok(longest));
	longest[100] = '\0';
	ck_assert(tar_name_ok(longest));
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(tar_name_ok(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(evil); i++)
		ck_assert_msg(!tar_name_ok(evil[i]), "%s", evil[i]);
}
END_TEST

/* ---- what others write ---- */

START_TEST(others_are_read)
{
	struct bytes b = { 0 };

	foreign(&b, "./", '5', "");
	foreign(&b, "./b/", '5', "");
	foreign(&b, "./b/c", '0', "second");
	foreign(&b, "a", '\0', "first");
	foreign(&b, "./b/._c", '0', "what macOS adds");
	foreign(&b, "b/.DS_Store", '0', "and this");
	end(&b);
	expect(&b, "b/c=second;a=first;");
}
END_TEST

/* Headers before a header: pax' own (g, x) as Python's tarfile writes them, and GNU's long names (L). */
START_TEST(extended_headers)
{
	struct bytes b = { 0 };

	foreign(&b, "././@PaxHeader", 'g', "22 comment=everything\n");
	foreign(&b, "././@PaxHeader", 'x', "27 mtime=1700000000.123456\n16 path=cells/x\n"
		"29 LIBARCHIVE.xattr.a.b=AAAA\n");
	foreign(&b, "another", '0', "first");
	foreign(&b, "././@LongLink", 'L', "./cells/yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy");
	foreign(&b, "cells/yyy", '0', "second");
	foreign(&b, "././@PaxHeader", 'x', "9 size=4\n");
	foreign(&b, "z", '0', "four");
	end(&b);
	expect(&b, "cells/x=first;cells/yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy=second;z=four;");
}
END_TEST

static const struct { const char *first, *name; char type; const char *content, *says; } refused[] = {
	{ NULL, "b", '2', "", "a link, a device or a pipe" }, { NULL, "b", '1', "", "a link, a device or a pipe" },
	{ NULL, "b", '3', "", "a link, a device or a pipe" }, { NULL, "b", '4', "", "a link, a device or a pipe" },
	{ NULL, "b", '6', "", "a link, a device or a pipe" }, { NULL, "../b", '0', "x", "a name that may not be" },
	{ NULL, "/b", '0', "x", "a name that may not be" }, { NULL, "../", '5', "", "a name that may not be" },
	{ NULL, "b/../../c", '0', "x", "a name that may not be" }, { NULL, ".b", '0', "x", "a name that may not be" },
	{ NULL, "./../b", '0', "x", "a name that may not be" },
	{ "15 path=../out\n", "b", '0', "x", "a name that may not be" },
	{ "13 path=/out\n", "b", '0', "x", "a name that may not be" },
	{ "19 linkpath=/etc/x\n", "b", '2', "", "a link, a device or a pipe" },
	{ "23 size=99999999999999\n", "b", '0', "x", "too large" },
	{ "18 path=caf\xc3\xa9.tar\n", "b", '0', "x", "a name that may not be" },
};

/* Links, devices, and names that lead elsewhere, also where only an extended header says so. */
START_TEST(others_are_not_trusted)
{
	struct bytes b = { 0 };

	foreign(&b, "a", '0', "first");
	if (refused[_i].first)
		foreign(&b, "././@PaxHeader", 'x', refused[_i].first);
	foreign(&b, refused[_i].name, refused[_i].type, refused[_i].content);
	end(&b);
	refuse(&b, refused[_i].says);
	foreign(&b, "a", '0', "first");
	b.data[10] ^= 1; /* the checksum is of something else */
	end(&b);
	refuse(&b, "no archive that can be read here");
}
END_TEST

/* Only tar: libarchive knows twenty other formats and as many filters. */
START_TEST(other_formats)
{
	static const struct { const char *data; size_t n; } other[] = {
		{ "", 0 }, { "PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22 }, { "070701", 6 },
		{ "!<arch>\n", 8 }, { "BZh9\x17\x72\x45\x38\x50\x90\0\0\0\0", 14 },
		{ "\xfd" "7zXZ\0", 6 }, { "#mtree\n. type=dir\n", 18 }, { "{}\n", 3 }
	};

	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		struct bytes b = { 0 };

		keep(&b, other[i].data, other[i].n);
		refuse(&b, "no archive that can be read here");
	}
}
END_TEST

/* ---- what grows ---- */

/* A gzipped archive of one header and zeros without end behind it. */
static void bomb(const char *path, const char *name, char type, const char *size, int mib)
{
	struct bytes b = { 0 };
	gzFile f = gzopen(path, "wb9");
	char *zeros = xcalloc(1 << 20, 1);

	foreign(&b, name, type, "");
	memcpy(b.data + 124, size, 11);
	memset(b.data + 148, ' ', 8);
	for (unsigned i = 0, sum = 0; i < 512; i++) {
		sum += (unsigned char)b.data[i];
		if (i == 511)
			snprintf(b.data + 148, 8, "%06o", sum);
	}
	ck_assert_int_eq(gzwrite(f, b.data, 512), 512);
	for (int i = 0; i < mib; i++)
		ck_assert_int_eq(gzwrite(f, zeros, 1 << 20), 1 << 20);
	gzclose(f);
	free(zeros);
	free(b.data);
}

static const struct { const char *name; char type; const char *size; int mib; const char *says; } bombs[] = {
	{ "a", '0', "10000000000", 100, "a file that is too large" },     /* 1 GiB */
	{ "a", '0', "00400000000", 100, "unpacks to more than the 16 MiB" }, /* 64 MiB, which may be; and 36 more */
	{ "a", '0', "00000000000", 100, "unpacks to more than the 16 MiB" }, /* nothing, then padding without end */
	{ "._a", '0', "10000000000", 100, "unpacks to more than the 16 MiB" },
	{ "././@LongLink", 'L', "10000000000", 100, "no archive that can be read here" },
	{ "././@PaxHeader", 'x', "10000000000", 100, "no archive that can be read here" },
	{ "././@PaxHeader", 'g', "10000000000", 100, "no archive that can be read here" },
};

START_TEST(bombs_are_refused)
{
	char out[4096];

	bomb(sandbox("b.tar.gz"), bombs[_i].name, bombs[_i].type, bombs[_i].size, bombs[_i].mib);
	ck_assert_int_eq(read_all(tar_open(sandbox("b.tar.gz")), out, sizeof(out)), -1);
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	ck_assert_msg(strstr(error_text(), bombs[_i].says), "%s", error_text());
	error_clear();
}
END_TEST

/* Headers that lead to headers, a thousand times. */
START_TEST(headers_of_headers)
{
	struct bytes b = { 0 };

	for (int i = 0; i < 1000; i++)
		foreign(&b, "././@PaxHeader", i % 2 ? 'x' : 'g', "8 a=bbb\n");
	foreign(&b, "a", '0', "x");
	end(&b);
	refuse(&b, "no archive that can be read here");
}
END_TEST

START_TEST(what_is_no_file)
{
	ck_assert_ptr_null(tar_open(sandbox("absent.tar")));
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	error_clear();
	ck_assert_ptr_null(tar_open(sandbox("")));
	ck_assert_ptr_nonnull(strstr(error_text(), "a folder, not a file"));
	error_clear();
}
END_TEST

Suite *suite_tar(void);
Suite *suite_tar(void)
{
	Suite *s = suite_create("tar");
	TCase *t = tcase_create("tar");

	tcase_add_checked_fixture(t, sandbox_open, sandbox_close);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, reads_back);
	tcase_add_test(t, another_tar_unpacks_it);
	tcase_add_test(t, damage_is_seen);
	tcase_add_test(t, a_second_archive_is_seen);
	tcase_add_test(t, longest_name);
	tcase_add_test(t, names);
	tcase_add_test(t, others_are_read);
	tcase_add_test(t, extended_headers);
	tcase_add_loop_test(t, others_are_not_trusted, 0, (int)ARRAY_LEN(refused));
	tcase_add_test(t, other_formats);
	tcase_add_loop_test(t, bombs_are_refused, 0, (int)ARRAY_LEN(bombs));
	tcase_add_test(t, headers_of_headers);
	tcase_add_test(t, what_is_no_file);
	suite_add_tcase(s, t);
	return s;
}
