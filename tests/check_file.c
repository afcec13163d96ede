/* base/file.c: reads that refuse what is no file or too much, publication that is old or new, locks, directories. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "tests/support_sandbox.h"

/* ---- a file system that answers in small pieces: these stand in front of libc's ---- */

static size_t piece; /* bytes a call moves at most; 0: as asked */
static int interruptions;

static bool interrupted(void)
{
	static int calls;

	if (!piece || ++calls % 2)
		return false;
	interruptions++;
	errno = EINTR;
	return true;
}

ssize_t write(int fd, const void *buf, size_t n)
{
	if (interrupted())
		return -1;
	return syscall(SYS_write, fd, buf, piece && n > piece ? piece : n);
}

ssize_t read(int fd, void *buf, size_t n)
{
	if (interrupted())
		return -1;
	return syscall(SYS_read, fd, buf, piece && n > piece ? piece : n);
}

/* ---- helpers ---- */

static void expect_error(enum lb_exit code, const char *part)
{
	ck_assert_msg(strstr(error_text(), part) != NULL, "got: %s", error_text());
	ck_assert_int_eq(error_code(), code);
	error_clear();
}

static void expect_content(const char *name, const char *text)
{
	size_t len;
	char *got = file_read(sandbox(name), 1 << 20, &len);

	ck_assert_msg(got != NULL, "%s", error_text());
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_str_eq(got, text);
	free(got);
}

/* Only these names are in the sandbox, "a b c". */
static void expect_names(const char *expected)
{
	char all[512] = "";
	size_t n;
	char **names = dir_list(sandbox(""), 100, &n);

	ck_assert_ptr_nonnull(names);
	for (size_t i = 0; i < n; i++) {
		strcat(all, i ? " " : "");
		strcat(all, names[i]);
	}
	dir_list_free(names, n);
	ck_assert_str_eq(all, expected);
}

/* ---- reading ---- */

START_TEST(read_gives_all_bytes_and_a_nul)
{
	size_t len;
	char *got;

	sandbox_write("f", "a\0b\n", 4);
	got = file_read(sandbox("f"), 4, &len);
	ck_assert_ptr_nonnull(got);
	ck_assert_uint_eq(len, 4);
	ck_assert_mem_eq(got, "a\0b\n\0", 5);
	free(got);
	ck_assert_ptr_null(file_read(sandbox("f"), 3, &len));
	expect_error(EXIT_UNEVALUABLE, "larger than the 3 bytes");
	sandbox_write("empty", "", 0);
	got = file_read(sandbox("empty"), 0, NULL);
	ck_assert_str_eq(got, "");
	free(got);
}
END_TEST

START_TEST(missing_file_is_said_plainly)
{
	char expected[600];

	snprintf(expected, sizeof(expected), "cannot read %s: No such file or directory", sandbox("nope"));
	ck_assert_ptr_null(file_read(sandbox("nope"), 10, NULL));
	ck_assert_str_eq(error_text(), expected);
	expect_error(EXIT_UNEVALUABLE, "nope");
	sandbox_write("f", "x", 1);
	ck_assert_ptr_null(file_read(sandbox("f/below"), 10, NULL));
	expect_error(EXIT_UNEVALUABLE, "Not a directory");
}
END_TEST

START_TEST(only_files_are_read)
{
	ck_assert_int_eq(mkfifo(sandbox("pipe"), 0600), 0);
	ck_assert_ptr_null(file_read(sandbox("pipe"), 10, NULL)); /* must not wait for a writer */
	expect_error(EXIT_UNEVALUABLE, "it is a pipe, not a file");
	ck_assert_ptr_null(file_read(sandbox(""), 10, NULL));
	expect_error(EXIT_UNEVALUABLE, "it is a folder, not a file");
	ck_assert_ptr_null(file_read("/dev/zero", 10, NULL));
	expect_error(EXIT_UNEVALUABLE, "it is a device, not a file");
}
END_TEST

START_TEST(size_of_stat_is_only_a_hint)
{
	size_t len;
	char *got = file_read("/proc/self/maps", 1 << 24, &len); /* stat says 0 bytes */

	ck_assert_ptr_nonnull(got);
	ck_assert_uint_gt(len, 4096);
	ck_assert_uint_eq(strlen(got), len);
	free(got);
	ck_assert_ptr_null(file_read("/proc/self/maps", 100, &len));
	expect_error(EXIT_UNEVALUABLE, "larger than the 100 bytes");
}
END_TEST

/* ---- publication ---- */

static const char *failing_step;
static char steps_seen[256];

static int fail_at(const char *step, const char *path)
{
	ck_assert_str_eq(path, sandbox("cell"));
	strcat(steps_seen, step);
	strcat(steps_seen, " ");
	return failing_step && !strcmp(step, failing_step);
}

START_TEST(publish_goes_through_every_durable_step)
{
	file_fault = fail_at;
	ck_assert_int_eq(file_publish(sandbox("cell"), "one", 3), 0);
	ck_assert_str_eq(steps_seen, "open write fsync rename fsync-dir ");
	expect_content("cell", "one");
	ck_assert_int_eq(file_publish(sandbox("cell"), "", 0), 0);
	expect_content("cell", "");
	expect_names("cell");
}
END_TEST

/* after: what a reader finds when the step fails. The last step comes after the rename: new, never half. */
static const struct fault_case {
	const char *step, *after, *message;
} faults[] = {
	{ "open", "old", "cannot write " }, { "write", "old", "cannot write " }, { "fsync", "old", "cannot write " },
	{ "rename", "old", "cannot write " }, { "fsync-dir", "new content", "may not survive a power cut" },
};

START_TEST(failing_step_leaves_old_or_new_and_no_debris)
{
	sandbox_write("cell", "old", 3);
	file_fault = fail_at;
	failing_step = faults[_i].step;
	ck_assert_int_eq(file_publish(sandbox("cell"), "new content", 11), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "Input/output error"));
	expect_error(EXIT_IO, faults[_i].message);
	expect_content("cell", faults[_i].after);
	expect_names("cell");
	failing_step = NULL;
	ck_assert_int_eq(file_publish(sandbox("cell"), "later", 5), 0);
	expect_content("cell", "later");
}
END_TEST

START_TEST(small_pieces_and_interruptions_are_continued)
{
	char text[1001];
	size_t len;
	char *got;

	for (size_t i = 0; i < 1000; i++)
		text[i] = (char)('a' + i % 26);
	text[1000] = '\0';
	piece = 7;
	ck_assert_int_eq(file_publish(sandbox("cell"), text, 1000), 0);
	ck_assert_int_gt(interruptions, 50);
	interruptions = 0;
	got = file_read(sandbox("cell"), 1000, &len);
	piece = 0;
	ck_assert_int_gt(interruptions, 50);
	ck_assert_uint_eq(len, 1000);
	ck_assert_str_eq(got, text);
	free(got);
}
END_TEST

START_TEST(full_disk_half_way_keeps_the_old)
{
	struct rlimit limit = { 4096, 4096 };
	static char big[10000];

	sandbox_write("cell", "old", 3);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit); /* the first write is cut to 4096 bytes, the next one fails */
	ck_assert_int_eq(file_publish(sandbox("cell"), big, sizeof(big)), -1);
	expect_error(EXIT_IO, "File too large");
	expect_content("cell", "old");
	expect_names("cell");
}
END_TEST

START_TEST(publish_says_why_it_cannot)
{
	ck_assert_int_eq(file_mkdirs(sandbox("dir/full")), 0);
	ck_assert_int_eq(file_publish(sandbox("dir"), "x", 1), -1);
	expect_error(EXIT_IO, "it is a folder");
	expect_names("dir");
}
END_TEST

START_TEST(debris_of_the_killed_is_passed_over)
{
	char name[64];

	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "cell.tmp-%ld-%d", (long)getpid(), i);
		sandbox_write(name, "debris", 6);
	}
	ck_assert_int_eq(file_publish(sandbox("cell"), "x", 1), 0);
	expect_content("cell", "x");
	expect_content(name, "debris");
}
END_TEST

START_TEST(publish_in_the_current_directory)
{
	ck_assert_int_eq(chdir(sandbox("")), 0);
	ck_assert_int_eq(file_publish("bare", "x", 1), 0);
	expect_content("bare", "x");
}
END_TEST

/* Two writers, one reader: the reader may only ever see one whole version. */
START_TEST(reader_never_sees_half)
{
	static char a[30000], b[20000];
	pid_t pid;

	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	ck_assert_int_eq(file_publish(sandbox("cell"), a, sizeof(a)), 0);
	pid = fork();
	if (pid == 0) {
		for (;;) {
			file_publish(sandbox("cell"), b, sizeof(b));
			file_publish(sandbox("cell"), a, sizeof(a));
		}
	}
	for (int i = 0; i < 300; i++) {
		size_t len;
		char *got = file_read(sandbox("cell"), sizeof(a), &len);

		ck_assert_msg(got != NULL, "%s", error_text());
		ck_assert_uint_eq(len, *got == 'a' ? sizeof(a) : sizeof(b));
		ck_assert_uint_eq(strspn(got, *got == 'a' ? "a" : "b"), len);
		free(got);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

/* ---- names and directories ---- */

static const struct join {
	const char *dir, *name, *path;
} joins[] = {
	{ "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "/", "b", "/b" }, { "", "b", "b" }, { "a/b", "c/d", "a/b/c/d" },
};

START_TEST(paths_are_joined_with_one_slash)
{
	char *path = path_join(joins[_i].dir, joins[_i].name);

	ck_assert_str_eq(path, joins[_i].path);
	free(path);
}
END_TEST

START_TEST(mkdirs_makes_parents_and_is_content_with_existing)
{
	ck_assert_int_eq(file_there(sandbox("a/b")), 0);
	ck_assert_int_eq(file_mkdirs(sandbox("a/b//c/")), 0);
	ck_assert_int_eq(file_mkdirs(sandbox("a/b/c")), 0);
	ck_assert_int_eq(file_there(sandbox("a/b/c")), 1);
	ck_assert_int_eq(file_mkdirs("/"), 0);
	sandbox_write("f", "x", 1);
	ck_assert_int_eq(file_mkdirs(sandbox("f")), -1);
	expect_error(EXIT_IO, "Not a directory");
	ck_assert_int_eq(file_mkdirs(sandbox("f/g")), -1);
	expect_error(EXIT_IO, "Not a directory");
	ck_assert_int_eq(file_mkdirs(""), -1);
	expect_error(EXIT_IO, "without a name");
}
END_TEST

/* ---- where -o leads ---- */

static mode_t mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(lstat(sandbox(name), &st), 0);
	return st.st_mode;
}

START_TEST(a_link_stays_and_its_target_is_replaced)
{
	ck_assert_int_eq(mkdir(sandbox("else"), 0755), 0);
	sandbox_write("else/t", "old", 3);
	ck_assert_int_eq(symlink("else/t", sandbox("l")), 0);
	ck_assert_int_eq(symlink("l", sandbox("ll")), 0);
	ck_assert_int_eq(file_publish(sandbox("ll"), "new", 3), 0);
	ck_assert(S_ISLNK(mode_of("l")) && S_ISLNK(mode_of("ll")) && S_ISREG(mode_of("else/t")));
	expect_content("else/t", "new");
	ck_assert_int_eq(symlink("else/fresh", sandbox("dangling")), 0); /* makes what it leads to */
	ck_assert_int_eq(file_publish(sandbox("dangling"), "made", 4), 0);
	ck_assert(S_ISLNK(mode_of("dangling")));
	expect_content("else/fresh", "made");
	ck_assert_int_eq(symlink("loop", sandbox("loop")), 0);
	ck_assert_int_eq(file_publish(sandbox("loop"), "x", 1), -1);
	expect_error(EXIT_IO, "loop");
	ck_assert_int_eq(symlink("no/where", sandbox("lost")), 0);
	ck_assert_int_eq(file_publish(sandbox("lost"), "x", 1), -1);
	expect_error(EXIT_IO, "No such file");
}
END_TEST

START_TEST(permissions_of_what_is_there_stay)
{
	sandbox_write("private", "old", 3);
	ck_assert_int_eq(chmod(sandbox("private"), 0600), 0);
	ck_assert_int_eq(file_publish(sandbox("private"), "new", 3), 0);
	ck_assert_int_eq(mode_of("private") & 0777, 0600);
	sandbox_write("shared", "old", 3);
	ck_assert_int_eq(chmod(sandbox("shared"), 0664), 0);
	umask(077);
	ck_assert_int_eq(file_publish(sandbox("shared"), "new", 3), 0);
	ck_assert_int_eq(file_publish(sandbox("fresh"), "new", 3), 0);
	umask(022);
	ck_assert_int_eq(mode_of("shared") & 0777, 0664);
	ck_assert_int_eq(mode_of("fresh") & 0777, 0600);
}
END_TEST

START_TEST(a_device_is_written_into)
{
	ck_assert_int_eq(file_publish("/dev/null", "x", 1), 0);
	ck_assert_int_eq(file_publish("/dev/full", "x", 1), -1);
	expect_error(EXIT_IO, "No space left");
	if (mknod(sandbox("null"), S_IFCHR | 0666, (1 << 8) | 3) == 0) { /* root only */
		ck_assert_int_eq(file_publish(sandbox("null"), "x", 1), 0);
		ck_assert(S_ISCHR(mode_of("null")));
	}
}
END_TEST

START_TEST(a_pipe_is_written_into)
{
	const char *path = sandbox("pipe");
	char got[8] = "";
	pid_t pid;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	pid = fork();
	if (pid == 0)
		_exit(file_publish(path, "piped", 5) == 0 ? 0 : 1);
	FILE *f = fopen(path, "r");
	ck_assert_uint_eq(fread(got, 1, sizeof(got) - 1, f), 5);
	fclose(f);
	ck_assert_str_eq(got, "piped");
	waitpid(pid, NULL, 0);
	ck_assert(S_ISFIFO(mode_of("pipe")));
	expect_names("pipe");
}
END_TEST

START_TEST(an_open_descriptor_is_written_into)
{
	char name[32], got[8] = "";
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	snprintf(name, sizeof(name), "/dev/fd/%d", ends[1]);
	ck_assert_int_eq(file_publish(name, "abc", 3), 0);
	ck_assert_int_eq(read(ends[0], got, 7), 3);
	ck_assert_str_eq(got, "abc");
	ck_assert_int_eq(file_publish("/dev/fd/987", "abc", 3), -1);
	expect_error(EXIT_IO, "Bad file descriptor");
}
END_TEST

START_TEST(a_missing_folder_is_asked_for_by_name)
{
	ck_assert_int_eq(file_publish(sandbox("no/such/out.html"), "x", 1), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "/no/such; make it first"));
	error_clear();
	ck_assert_int_eq(file_publish(sandbox(""), "x", 1), -1);
	expect_error(EXIT_IO, "it is a folder");
	expect_names("");
}
END_TEST

START_TEST(cannot_look_is_not_absent)
{
	ck_assert_int_eq(file_there(sandbox("a")), 0);
	sandbox_write("a", "", 0);
	ck_assert_int_eq(file_there(sandbox("a")), 1);
	ck_assert_int_eq(file_there(sandbox("a/b")), 0);
	ck_assert_int_eq(symlink("gone", sandbox("l")), 0);
	ck_assert_int_eq(file_there(sandbox("l")), -1);
	expect_error(EXIT_IO, "a link to something");
	ck_assert_int_eq(symlink("m", sandbox("m")), 0);
	ck_assert_int_eq(file_there(sandbox("m")), -1);
	expect_error(EXIT_IO, "Too many levels");
}
END_TEST

START_TEST(listing_is_sorted_and_capped)
{
	size_t n = 9;
	char **names = dir_list(sandbox(""), 0, &n);

	ck_assert_ptr_nonnull(names); /* empty is no error */
	ck_assert_uint_eq(n, 0);
	dir_list_free(names, n);
	sandbox_write("b", "", 0);
	sandbox_write(".hidden", "", 0);
	sandbox_write("a", "", 0);
	sandbox_write("B", "", 0);
	expect_names(".hidden B a b");
	ck_assert_ptr_null(dir_list(sandbox(""), 3, &n));
	expect_error(EXIT_UNEVALUABLE, "more than the 3 names");
	ck_assert_uint_eq(n, 0);
	sandbox_write("x\ny", "", 0);
	ck_assert_ptr_null(dir_list(sandbox(""), 100, &n));
	expect_error(EXIT_UNEVALUABLE, "control characters");
	ck_assert_ptr_null(dir_list(sandbox("nope"), 100, &n));
	expect_error(EXIT_UNEVALUABLE, "No such file");
}
END_TEST

/* ---- before publication ---- */

/* What is asked before is what happens later: each of these, also with file_publish(). */
static const struct outlet {
	const char *name, *link; /* in the sandbox; link: what the name is made a link to */
	enum lb_exit code;
	const char *text;
} outlets[] = {
	{ "new", NULL, EXIT_YES, NULL },
	{ "old", NULL, EXIT_YES, NULL },
	{ "folder", NULL, EXIT_IO, "it is a folder" },
	{ "absent/new", NULL, EXIT_IO, "there is no folder" },
	{ "folder/", NULL, EXIT_IO, "it is a folder" },
	{ "old/new", NULL, EXIT_IO, "Not a directory" },
	{ "link", "old", EXIT_YES, NULL },
	{ "link", "yet-to-come", EXIT_YES, NULL },
	{ "link", "folder/yet-to-come", EXIT_YES, NULL },
	{ "link", "absent/new", EXIT_IO, "" },
	{ "link", "folder", EXIT_IO, "it is a folder" },
	{ "link", "link", EXIT_IO, "Too many levels" },
};

START_TEST(what_can_be_written_is_known_before)
{
	const struct outlet *o = &outlets[_i];
	const bool can = o->code == EXIT_YES;

	ck_assert_int_eq(file_mkdirs(sandbox("folder")), 0);
	sandbox_write("old", "x", 1);
	if (o->link)
		ck_assert_int_eq(symlink(o->link, sandbox(o->name)), 0);
	ck_assert_int_eq(file_can_publish(sandbox(o->name)), can ? 0 : -1);
	if (!can)
		expect_error(o->code, o->text);
	ck_assert_int_eq(file_there(sandbox("new")), 0); /* only asked */
	ck_assert_int_eq(file_there(sandbox("yet-to-come")), 0);
	error_clear();
	ck_assert_int_eq(file_publish(sandbox(o->name), "y", 1), can ? 0 : -1);
	error_clear();
}
END_TEST

START_TEST(devices_pipes_and_descriptors_are_asked_without_opening)
{
	char path[32];
	int ends[2];

	ck_assert_int_eq(file_can_publish("/dev/null"), 0);
	ck_assert_int_eq(mkfifo(sandbox("pipe"), 0600), 0);
	ck_assert_int_eq(file_can_publish(sandbox("pipe")), 0); /* nobody reads it yet: that may change */
	ck_assert_int_eq(pipe(ends), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[1]);
	ck_assert_int_eq(file_can_publish(path), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	ck_assert_int_eq(file_can_publish(path), -1);
	expect_error(EXIT_IO, "not open for writing");
	close(ends[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[1]);
	ck_assert_int_eq(file_can_publish(path), -1);
	expect_error(EXIT_IO, "not open for writing");
}
END_TEST

Suite *suite_file(void);
Suite *suite_file(void)
{
	Suite *s = suite_create("file");
	TCase *tc = tcase_create("file");

	tcase_set_timeout(tc, 20);
	tcase_add_checked_fixture(tc, sandbox_open, sandbox_close);
	tcase_add_test(tc, read_gives_all_bytes_and_a_nul);
	tcase_add_test(tc, missing_file_is_said_plainly);
	tcase_add_test(tc, only_files_are_read);
	tcase_add_test(tc, size_of_stat_is_only_a_hint);
	tcase_add_test(tc, publish_goes_through_every_durable_step);
	tcase_add_loop_test(tc, failing_step_leaves_old_or_new_and_no_debris, 0, ARRAY_LEN(faults));
	tcase_add_test(tc, small_pieces_and_interruptions_are_continued);
	tcase_add_test(tc, full_disk_half_way_keeps_the_old);
	tcase_add_test(tc, publish_says_why_it_cannot);
	tcase_add_test(tc, debris_of_the_killed_is_passed_over);
	tcase_add_test(tc, publish_in_the_current_directory);
	tcase_add_test(tc, reader_never_sees_half);
	tcase_add_loop_test(tc, paths_are_joined_with_one_slash, 0, ARRAY_LEN(joins));
	tcase_add_test(tc, mkdirs_makes_parents_and_is_content_with_existing);
	tcase_add_test(tc, a_link_stays_and_its_target_is_replaced);
	tcase_add_test(tc, permissions_of_what_is_there_stay);
	tcase_add_test(tc, a_device_is_written_into);
	tcase_add_test(tc, a_pipe_is_written_into);
	tcase_add_test(tc, an_open_descriptor_is_written_into);
	tcase_add_loop_test(tc, what_can_be_written_is_known_before, 0, ARRAY_LEN(outlets));
	tcase_add_test(tc, devices_pipes_and_descriptors_are_asked_without_opening);
	tcase_add_test(tc, a_missing_folder_is_asked_for_by_name);
	tcase_add_test(tc, cannot_look_is_not_absent);
	tcase_add_test(tc, listing_is_sorted_and_capped);
	suite_add_tcase(s, tc);
	return s;
}
