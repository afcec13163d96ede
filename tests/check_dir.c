/* base/dir.c: a folder of somebody else's. No link, device or pipe in it is followed or opened, what cannot be looked at is never
 * said to be absent, what is written is private, and nothing outside ever changes. */
#include <check.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/error.h"
#include "base/file.h"
#include "tests/support_sandbox.h"

#define NOBODY 65534

static struct dir *d;

static void setup(void)
{
	sandbox_open();
	ck_assert_int_eq(mkdir(sandbox("d"), 0755), 0);
	ck_assert_int_eq(mkdir(sandbox("d/sub"), 0755), 0);
	ck_assert_int_eq(mkdir(sandbox("out"), 0755), 0);
	sandbox_write("d/sub/f", "inside", 6);
	sandbox_write("out/f", "outside", 7);
	d = dir_open(sandbox("d"));
	ck_assert_ptr_nonnull(d);
}

static void teardown(void)
{
	dir_close(d);
	error_clear();
	sandbox_close();
}

static void expect_error(enum lb_exit code, const char *part)
{
	ck_assert_msg(strstr(error_text(), part) != NULL, "got: %s", error_text());
	ck_assert_int_eq(error_code(), code);
	error_clear();
}

static void expect_file(const char *name, const char *text)
{
	char *got = file_read(sandbox(name), 1 << 10, NULL);

	ck_assert_msg(got != NULL, "%s", error_text());
	ck_assert_str_eq(got, text);
	free(got);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(stat(sandbox(name), &st), 0);
	return st.st_mode & 07777;
}

START_TEST(files_come_and_go)
{
	uint64_t bytes = 0;
	size_t len, n;
	char **names, *text;

	ck_assert_int_eq(dir_there(d, "a/b/c", NULL), 0);
	ck_assert_int_eq(dir_publish(d, "a/b/c", "text", 4), 0);
	ck_assert_int_eq(dir_there(d, "a/b/c", &bytes), DIR_FILE);
	ck_assert_uint_eq(bytes, 4);
	ck_assert_int_eq(dir_there(d, "a/b", NULL), DIR_FOLDER);
	text = dir_read(d, "a/b/c", 4, &len);
	ck_assert_str_eq(text, "text");
	free(text);
	ck_assert_ptr_null(dir_read(d, "a/b/c", 3, &len));
	expect_error(EXIT_UNEVALUABLE, "larger than the 3 bytes");
	ck_assert_int_eq(dir_move(d, "a/b/c", "e/c"), 0);
	ck_assert_int_eq(dir_there(d, "a/b/c", NULL), 0);
	ck_assert_int_eq(dir_names(d, "", 10, &names, &n), 1);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(names[1], "e");
	dir_list_free(names, n);
	ck_assert_int_eq(dir_names(d, "nope/at/all", 10, &names, &n), 0);
	ck_assert_ptr_null(names);
	ck_assert_int_eq(dir_remove(d, "e/c"), 1);
	ck_assert_int_eq(dir_remove(d, "e/c"), 0);
	ck_assert_ptr_null(dir_read(d, "e/c", 3, &len));
	expect_error(EXIT_UNEVALUABLE, "is not there");
	ck_assert_int_eq(dir_move(d, "e/c", "e/d"), -1);
	expect_error(EXIT_IO, "No such file");
	ck_assert_int_eq(dir_move(d, "z/c", "e/d"), -1);
	expect_error(EXIT_IO, "is not there");
}
END_TEST

/* Whatever the name "bad" is, every way to it fails with EXIT_IO and none says "absent". */
static void refused_everywhere(const char *part, bool as_file)
{
	char **names;
	size_t n;

	if (as_file) {
		ck_assert_int_eq(dir_there(d, "bad", NULL), -1);
		expect_error(EXIT_IO, part);
		ck_assert_int_eq(dir_open_file(d, "bad"), -1);
		expect_error(EXIT_IO, part);
		ck_assert_ptr_null(dir_read(d, "bad", 100, NULL));
		expect_error(EXIT_IO, part);
		ck_assert_int_eq(dir_lock(d, "bad"), -1);
		ck_assert_int_eq(error_code(), EXIT_IO);
		error_clear();
	}
	ck_assert_int_eq(dir_there(d, "bad/f", NULL), -1);
	expect_error(EXIT_IO, "bad");
	ck_assert_ptr_null(dir_read(d, "bad/f", 100, NULL));
	expect_error(EXIT_IO, "bad");
	ck_assert_int_eq(dir_names(d, "bad", 10, &names, &n), -1);
	expect_error(EXIT_IO, "bad");
	ck_assert_int_eq(dir_publish(d, "bad/f", "x", 1), -1);
	expect_error(EXIT_IO, "bad");
	ck_assert_int_eq(dir_remove(d, "bad/f"), -1);
	expect_error(EXIT_IO, "bad");
	ck_assert_int_eq(dir_move(d, "sub/f", "bad/f"), -1);
	expect_error(EXIT_IO, "bad");
	expect_file("d/sub/f", "inside");
	expect_file("out/f", "outside");
}

START_TEST(no_link_is_followed)
{
	static const char *const targets[] = { "../out", "../out/f", "sub", "sub/f", "nowhere", "/etc", "bad" };

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		ck_assert_int_eq(symlink(targets[i], sandbox("d/bad")), 0);
		refused_everywhere("link", true);
		ck_assert_int_eq(unlink(sandbox("d/bad")), 0);
	}
}
END_TEST

START_TEST(writing_over_a_link_replaces_the_link)
{
	ck_assert_int_eq(symlink("../out/f", sandbox("d/l")), 0);
	ck_assert_int_eq(dir_publish(d, "l", "new", 3), 0);
	expect_file("out/f", "outside");
	expect_file("d/l", "new");
	ck_assert_int_eq(symlink("../out/f", sandbox("d/m")), 0);
	ck_assert_int_eq(dir_remove(d, "m"), 1);
	expect_file("out/f", "outside");
}
END_TEST

START_TEST(no_pipe_is_opened)
{
	ck_assert_int_eq(mkfifo(sandbox("d/bad"), 0666), 0);
	refused_everywhere("pipe", true);
}
END_TEST

START_TEST(a_file_is_no_folder)
{
	sandbox_write("d/bad", "x", 1);
	refused_everywhere("", false);
}
END_TEST

START_TEST(a_lock_with_a_second_name_is_refused)
{
	ck_assert_int_eq(link(sandbox("out/f"), sandbox("d/lock")), 0);
	ck_assert_int_eq(dir_lock(d, "lock"), -1);
	expect_error(EXIT_IO, "no file of its own");
	expect_file("out/f", "outside");
}
END_TEST

START_TEST(what_the_user_names_may_be_a_link)
{
	struct dir *other;

	ck_assert_int_eq(symlink("d", sandbox("l")), 0);
	other = dir_open(sandbox("l"));
	ck_assert_ptr_nonnull(other);
	ck_assert_int_eq(dir_there(other, "sub/f", NULL), DIR_FILE);
	dir_close(other);
	ck_assert_int_eq(dir_find(sandbox("nope"), &other), 0);
	ck_assert_int_eq(dir_find(sandbox("d/sub/f/x"), &other), 0);
	ck_assert_int_eq(dir_find(sandbox("d/sub/f"), &other), -1);
	expect_error(EXIT_UNEVALUABLE, "a file, not a folder");
	ck_assert_int_eq(symlink("gone", sandbox("dangling")), 0);
	ck_assert_int_eq(dir_find(sandbox("dangling"), &other), -1);
	expect_error(EXIT_IO, "a link to something that is not there");
	ck_assert_int_eq(dir_find_at(d, "sub", &other), 1);
	ck_assert_int_eq(dir_there(other, "f", NULL), DIR_FILE);
	dir_close(other);
	ck_assert_int_eq(dir_find_at(d, "nope", &other), 0);
}
END_TEST

START_TEST(what_is_written_is_private_whatever_the_umask)
{
	static const mode_t masks[] = { 0, 022, 077, 0777 };

	for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
		char rel[32], full[40];
		int fd;

		snprintf(rel, sizeof(rel), "p%zu/q/f", i);
		umask(masks[i]);
		ck_assert_int_eq(dir_publish(d, rel, "x", 1), 0);
		snprintf(full, sizeof(full), "p%zu/lock", i);
		fd = dir_lock(d, full);
		umask(022);
		ck_assert_int_ge(fd, 0);
		close(fd);
		snprintf(full, sizeof(full), "d/%s", rel);
		ck_assert_int_eq(mode_of(full), 0600);
		*strrchr(full, '/') = '\0';
		ck_assert_int_eq(mode_of(full), 0700);
	}
}
END_TEST

/* _exit: at an ordinary end a leak checker would want to open files. */
static void look_without_permission(void *unused)
{
	char **names;
	size_t n;

	(void)unused;
	if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		_exit(99);
	if (dir_there(d, "sub/f", NULL) != -1 || error_code() != EXIT_IO)
		_exit(1);
	error_clear();
	if (dir_names(d, "sub", 10, &names, &n) != -1 || error_code() != EXIT_IO)
		_exit(2);
	error_clear();
	if (dir_read(d, "sub/f", 10, NULL) || error_code() != EXIT_IO)
		_exit(3);
	error_clear();
	if (dir_remove(d, "sub/f") != -1 || error_code() != EXIT_IO)
		_exit(4);
	_exit(0);
}

START_TEST(no_permission_is_not_absent)
{
	if (getuid() != 0)
		return; /* only root can become somebody else */
	ck_assert_int_eq(chmod(sandbox("d/sub"), 0), 0);
	ck_assert_int_eq(run_child(look_without_permission, NULL, NULL), 0);
	ck_assert_int_eq(chmod(sandbox("d/sub"), 0755), 0);
}
END_TEST

static void look_without_descriptors(void *unused)
{
	const struct rlimit none = { 3, 3 };
	char **names;
	size_t n;

	(void)unused;
	setrlimit(RLIMIT_NOFILE, &none);
	if (dir_there(d, "sub/f", NULL) != -1 || error_code() != EXIT_IO)
		_exit(1);
	error_clear();
	if (dir_names(d, "", 10, &names, &n) != -1 || error_code() != EXIT_IO)
		_exit(2);
	_exit(0);
}

START_TEST(too_many_open_files_is_not_absent)
{
	ck_assert_int_eq(run_child(look_without_descriptors, NULL, NULL), 0);
}
END_TEST

START_TEST(a_lock_is_exclusive_and_dies_with_its_holder)
{
	int ends[2], fd;
	pid_t pid;
	char c = 0;

	ck_assert_int_eq(dir_locked(d, "lock"), 0);
	ck_assert_int_eq(dir_there(d, "lock", NULL), 0); /* asking makes nothing */
	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		c = dir_lock(d, "lock") >= 0 ? 'y' : 'n';
		if (write(ends[1], &c, 1) == 1)
			pause();
		_exit(1);
	}
	ck_assert_int_eq(read(ends[0], &c, 1), 1);
	ck_assert_int_eq(c, 'y');
	ck_assert_int_eq(dir_lock(d, "lock"), -1);
	expect_error(EXIT_TEMPORARY, "another process holds");
	ck_assert_int_eq(dir_locked(d, "lock"), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(dir_locked(d, "lock"), 0);
	fd = dir_lock(d, "lock");
	ck_assert_int_ge(fd, 0);
	close(fd);
}
END_TEST

static int no_fsync(const char *step, const char *path)
{
	(void)path;
	return !strcmp(step, "fsync-dir");
}

START_TEST(a_change_that_may_not_last_is_an_error)
{
	file_fault = no_fsync;
	ck_assert_int_eq(dir_remove(d, "sub/f"), -1);
	expect_error(EXIT_IO, "may come back");
	file_fault = NULL;
}
END_TEST

Suite *suite_dir(void);
Suite *suite_dir(void)
{
	Suite *s = suite_create("dir");
	TCase *tc = tcase_create("dir");

	tcase_set_timeout(tc, 20);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, files_come_and_go);
	tcase_add_test(tc, no_link_is_followed);
	tcase_add_test(tc, writing_over_a_link_replaces_the_link);
	tcase_add_test(tc, no_pipe_is_opened);
	tcase_add_test(tc, a_file_is_no_folder);
	tcase_add_test(tc, a_lock_with_a_second_name_is_refused);
	tcase_add_test(tc, what_the_user_names_may_be_a_link);
	tcase_add_test(tc, what_is_written_is_private_whatever_the_umask);
	tcase_add_test(tc, no_permission_is_not_absent);
	tcase_add_test(tc, too_many_open_files_is_not_absent);
	tcase_add_test(tc, a_lock_is_exclusive_and_dies_with_its_holder);
	tcase_add_test(tc, a_change_that_may_not_last_is_an_error);
	suite_add_tcase(s, tc);
	return s;
}
