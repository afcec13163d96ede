/* Files: whole-file reads with a cap, and publication that is old or new, never half. */
#ifndef LB_BASE_FILE_H
#define LB_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Read a regular file of at most max bytes; a NUL is appended (not counted in *len). Caller frees.
 * NULL after error() (missing: EXIT_UNEVALUABLE; too large; unreadable: EXIT_IO). */
char *file_read(const char *path, size_t max, size_t *len);
/* Like file_read, but inflates when the file begins with the gzip magic; max caps the inflated size. */
char *file_read_gz(const char *path, size_t max, size_t *len);

/* Atomic and durable: write path.tmp-PID-N beside it, fsync, rename, fsync the directory. A reader sees
 * the old file or the new one; after return the new one survives a power cut. -1 after error(EXIT_IO),
 * the temporary file removed. */
int file_publish(const char *path, const void *data, size_t len);

/* mkdir -p; -1 after error(EXIT_IO). */
int file_mkdirs(const char *path);
bool file_exists(const char *path);
/* dir/name, caller frees. */
char *path_join(const char *dir, const char *name);

/* An exclusive lock that dies with its holder (flock on path, created when missing).
 * Returns a descriptor to close, or -1 after error(EXIT_TEMPORARY) when somebody holds it. */
int file_lock(const char *path);

/* Sorted names in a directory without . and ..; *n their number. Free each and the array.
 * NULL after error(). Names longer than 255 or with control characters are an error; cap: more than max is an error. */
char **dir_list(const char *path, size_t max, size_t *n);
void dir_list_free(char **names, size_t n);

/* Test hook: when set, called with the name of each durable step ("open", "write", "fsync", "rename",
 * "fsync-dir") before it happens; returning non-zero makes that step fail with errno = EIO. */
extern int (*file_fault)(const char *step, const char *path);

#endif
