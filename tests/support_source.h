/* The program's own source files, for tests that read them. Tests run from the repository's root. */
#ifndef LB_TESTS_SUPPORT_SOURCE_H
#define LB_TESTS_SUPPORT_SOURCE_H

#define SOURCES_MAX 1000

struct sources {
	char *path[SOURCES_MAX]; /* "nn/lock/digits.c", sorted */
	int n;
};

/* Add every file below folder whose name ends in one of the endings (".c .h"); call sources_sort() after the last. */
void sources_add(struct sources *s, const char *folder, const char *endings);
void sources_sort(struct sources *s);
void sources_release(struct sources *s);
/* A file's text, caller frees; the test ends when it cannot be read. */
char *source_read(const char *path);

#endif
