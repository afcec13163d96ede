/* The program's own source files. See support_source.h. */
#include "tests/support_source.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"

static bool ends_in_one(const char *name, const char *endings)
{
	const char *dot = strrchr(name, '.');
	size_t n = dot ? strlen(dot) : 0;

	for (const char *e = endings; n && (e = strstr(e, dot)); e += n)
		if (e[n] == ' ' || !e[n])
			return true;
	return false;
}

void sources_add(struct sources *s, const char *folder, const char *endings)
{
	size_t n;
	char **names = dir_list(folder, 1000, &n);

	ck_assert_msg(names != NULL, "%s (tests run from the repository's root)", error_text());
	for (size_t i = 0; i < n; i++) {
		char *path = path_join(folder, names[i]);
		struct stat st;

		ck_assert_int_eq(stat(path, &st), 0);
		if (S_ISDIR(st.st_mode)) {
			sources_add(s, path, endings);
		} else if (ends_in_one(names[i], endings)) {
			ck_assert_int_lt(s->n, SOURCES_MAX);
			s->path[s->n++] = path;
			continue;
		}
		free(path);
	}
	dir_list_free(names, n);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void sources_sort(struct sources *s)
{
	qsort(s->path, (size_t)s->n, sizeof(s->path[0]), by_path);
}

void sources_release(struct sources *s)
{
	for (int i = 0; i < s->n; i++)
		free(s->path[i]);
	s->n = 0;
}

char *source_read(const char *path)
{
	char *text = file_read(path, 4 << 20, NULL);

	ck_assert_msg(text != NULL, "%s (tests run from the repository's root)", error_text());
	return text;
}
