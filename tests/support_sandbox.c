/* See support_sandbox.h. Uses no code under test. */
#include "tests/support_sandbox.h"

#include <check.h>
#include <ftw.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[64];

void sandbox_open(void)
{
	strcpy(root, "/tmp/lockbench-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

void sandbox_close(void)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *sandbox(const char *name)
{
	static char paths[8][512];
	static int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s%s%s", root, *name ? "/" : "", name);
	return path;
}

void sandbox_write(const char *name, const void *data, size_t len)
{
	FILE *f = fopen(sandbox(name), "wb");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
}

bool comma_locale(void)
{
	FILE *f = fopen("/usr/lib/locale/C.utf8/LC_NUMERIC", "rb");
	char data[4096], *point;
	size_t n = f ? fread(data, 1, sizeof(data), f) : 0;

	if (f)
		fclose(f);
	point = memchr(data, '.', n);
	if (!point) {
		fputs("skipped: no C.utf8 locale to make one with a decimal comma from\n", stderr);
		return false;
	}
	*point = ',';
	ck_assert_int_eq(mkdir(sandbox("xx_XX.UTF-8"), 0700), 0);
	sandbox_write("xx_XX.UTF-8/LC_NUMERIC", data, n);
	setenv("LOCPATH", sandbox(""), 1);
	ck_assert_ptr_nonnull(setlocale(LC_NUMERIC, "xx_XX.UTF-8"));
	ck_assert_str_eq(localeconv()->decimal_point, ",");
	return true;
}

static char *read_all(int fd)
{
	size_t used = 0, room = 1 << 16;
	char *text = malloc(room);
	ssize_t k;

	ck_assert_ptr_nonnull(text);
	while (used + 1 < room && (k = read(fd, text + used, room - 1 - used)) > 0)
		used += (size_t)k;
	text[used] = '\0';
	return text;
}

int run_child(void (*fn)(void *), void *arg, char **text)
{
	int ends[2], status;
	char *got;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		fn(arg);
		exit(0);
	}
	close(ends[1]);
	got = read_all(ends[0]);
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (text)
		*text = got;
	else
		free(got);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
