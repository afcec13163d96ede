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
	tcase_add_test(t, names);
	tcase_add_test(t, longest_name);
	suite_add_tcase(s, t);
	return s;
}
