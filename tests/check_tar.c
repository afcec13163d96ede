/* base/tar.c: other programs unpack what it writes, and it reads nothing but that. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/tar.h"
#include "tests/support_sandbox.h"

static struct tar two_files(void)
{
	struct tar t = { 0 };
	char big[1000];

	memset(big, 'x', sizeof(big));
	tar_add(&t, "MANIFEST.json", "{}\n", 3);
	tar_add(&t, "cells/ab/empty", NULL, 0);
	tar_add(&t, "cells/ab/full", big, 512);
	tar_add(&t, "cells/ab/more", big, sizeof(big));
	tar_end(&t);
	return t;
}

START_TEST(reads_back)
{
	static const struct { const char *name; size_t len; } want[] = {
		{ "MANIFEST.json", 3 }, { "cells/ab/empty", 0 }, { "cells/ab/full", 512 }, { "cells/ab/more", 1000 }
	};
	struct tar t = two_files();
	struct tar_view v;
	struct tar_file f;

	ck_assert_uint_eq(t.n, 512 * (4 + 1 + 0 + 1 + 2 + 2));
	tar_open(&v, t.data, t.n, "test");
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		ck_assert_int_eq(tar_next(&v, &f), 1);
		ck_assert_str_eq(f.name, want[i].name);
		ck_assert_uint_eq(f.len, want[i].len);
	}
	ck_assert_int_eq(tar_next(&v, &f), 0);
	free(t.data);
}
END_TEST

START_TEST(another_tar_unpacks_it)
{
	struct tar t = two_files();
	char *command, *text;
	size_t len;

	if (system("tar --version >/dev/null 2>&1") != 0) {
		fputs("skipped: no tar program\n", stderr);
		free(t.data);
		return;
	}
	sandbox_write("a.tar", t.data, t.n);
	command = xasprintf("tar xf %s -C %s", sandbox("a.tar"), sandbox(""));
	ck_assert_int_eq(system(command), 0);
	text = file_read(sandbox("cells/ab/more"), 2000, &len);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(len, 1000);
	free(text);
	free(command);
	free(t.data);
}
END_TEST

/* Any single changed byte outside of the files' contents is noticed, and every shorter or longer archive refused. */
START_TEST(nothing_else_is_read)
{
	struct tar t = two_files();

	for (size_t i = 0; i < t.n; i++) {
		struct tar_view v;
		struct tar_file f;
		int ret;
		const bool content = (i >= 512 && i < 515) || (i >= 2048 && i < 2560) || (i >= 3072 && i < 4072);

		t.data[i] ^= 1;
		tar_open(&v, t.data, t.n, "test");
		while ((ret = tar_next(&v, &f)) == 1)
			;
		ck_assert_msg((ret == 0) == content, "byte %zu", i);
		error_clear();
		t.data[i] ^= 1;
	}
	for (size_t n = 0; n < t.n; n += 256) {
		struct tar_view v;
		struct tar_file f;
		int ret;

		tar_open(&v, t.data, n, "test");
		while ((ret = tar_next(&v, &f)) == 1)
			;
		ck_assert_int_eq(ret, -1);
		error_clear();
	}
	free(t.data);
}
END_TEST

/* A foreign header: type, mode and name as given, its checksum right. */
static void foreign(char **data, size_t *n, const char *name, char type, const char *content)
{
	const size_t len = strlen(content), room = 512 + (len + 511) / 512 * 512;
	unsigned sum = 0;
	char *h;

	*data = xrealloc(*data, *n + room, 1);
	h = *data + *n;
	memset(h, 0, room);
	memcpy(h, name, strlen(name));
	memcpy(h + 100, "000755 ", 7);
	memcpy(h + 108, "001750 ", 7);
	snprintf(h + 124, 12, "%11o", (unsigned)len & 0777); /* blanks in front, as old ones have it */
	memcpy(h + 136, "14012345670", 11);
	memset(h + 148, ' ', 8);
	h[156] = type;
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	memcpy(h + 512, content, len);
	*n += room;
}

static int adopted(char **data, size_t n, struct tar *out)
{
	int ret;

	*data = xrealloc(*data, n + 1024, 1);
	memset(*data + n, 0, 1024);
	*out = (struct tar){ 0 };
	ret = tar_adopt(*data, n + 1024, "test", out);
	free(*data);
	*data = NULL;
	return ret;
}

/* Packed by another program, in another order, with folders: the same archive as ours. */
START_TEST(others_are_adopted)
{
	struct tar mine = { 0 }, out;
	char *data = NULL;
	size_t n = 0;

	tar_add(&mine, "a", "first", 5);
	tar_add(&mine, "b/c", "second", 6);
	tar_end(&mine);
	foreign(&data, &n, "./", '5', "");
	foreign(&data, &n, "./b/", '5', "");
	foreign(&data, &n, "./b/c", '0', "second");
	foreign(&data, &n, "a", '\0', "first");
	ck_assert_int_eq(adopted(&data, n, &out), 0);
	ck_assert_uint_eq(out.n, mine.n);
	ck_assert_mem_eq(out.data, mine.data, mine.n);
	free(out.data);
	free(mine.data);
}
END_TEST

static const struct { const char *name; char type; const char *content; } refused[] = {
	{ "a", '2', "" }, { "a", '1', "" }, { "a", '3', "" }, { "a", 'x', "30 mtime=1\n" }, { "a", 'L', "name" }, { "../a", '0', "x" },
	{ "/a", '0', "x" }, { "../", '5', "" }, { "b/", '5', "x" }, { "./a", '0', "x" }, { ".a", '0', "x" },
};

/* Links, devices, extended headers, names that lead elsewhere, and a name twice (there is an "a" already). */
START_TEST(others_are_not_trusted)
{
	struct tar out;
	char *data = NULL;
	size_t n = 0;

	foreign(&data, &n, "a", '0', "first");
	foreign(&data, &n, refused[_i].name, refused[_i].type, refused[_i].content);
	ck_assert_int_eq(adopted(&data, n, &out), -1);
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	error_clear();
	free(out.data);
	n = 0;
	foreign(&data, &n, "a", '0', "first");
	data[10] ^= 1; /* the checksum is of something else */
	ck_assert_int_eq(adopted(&data, n, &out), -1);
	error_clear();
	free(out.data);
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

/* The longest name fills its field: no NUL in the header. */
START_TEST(longest_name)
{
	struct tar t = { 0 };
	struct tar_view v;
	struct tar_file f;
	char name[101];

	memset(name, 'n', 100);
	name[100] = '\0';
	tar_add(&t, name, "x", 1);
	tar_end(&t);
	tar_open(&v, t.data, t.n, "test");
	ck_assert_int_eq(tar_next(&v, &f), 1);
	ck_assert_str_eq(f.name, name);
	ck_assert_int_eq(tar_next(&v, &f), 0);
	free(t.data);
}
END_TEST

Suite *suite_tar(void);
Suite *suite_tar(void)
{
	Suite *s = suite_create("tar");
	TCase *t = tcase_create("tar");

	tcase_add_checked_fixture(t, sandbox_open, sandbox_close);
	tcase_add_test(t, reads_back);
	tcase_add_test(t, another_tar_unpacks_it);
	tcase_add_test(t, nothing_else_is_read);
	tcase_add_test(t, others_are_adopted);
	tcase_add_loop_test(t, others_are_not_trusted, 0, (int)ARRAY_LEN(refused));
	tcase_add_test(t, names);
	tcase_add_test(t, longest_name);
	suite_add_tcase(s, t);
	return s;
}
