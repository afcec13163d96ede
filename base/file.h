/* Files at paths that the user names: whole-file reads with a cap, and publication that is old or new, never half. What
 * lies in a store, a bundle or a data set is reached through dir.h instead. */
#ifndef LB_BASE_FILE_H
#define LB_BASE_FILE_H

#include "base/fdio.h"

struct stat;

/* Read a regular file of at most max bytes; a NUL is appended (not counted in *len). Caller frees.
 * NULL after error() (missing: EXIT_UNEVALUABLE; too large; unreadable: EXIT_IO). */
char *file_read(const char *path, size_t max, size_t *len);
/* A descriptor of a regular file, to close, and what it is; -1 after error() as file_read() has it. */
int file_open(const char *path, struct stat *st);

/* Write a file that the user named, and say what failed: 0, or -1 after error(EXIT_IO). Absent or a regular file:
 * atomic and durable (a temporary file beside it, fsync, rename, fsync of the folder): a reader sees the old file or
 * the new one; after return the new one survives a power cut. A file that is there keeps its permissions. A link:
 * the file that it leads to is replaced so, the link stays. A device, a pipe, /dev/stdout, /dev/fd/N: written into. */
int file_publish(const char *path, const void *data, size_t len);
/* The same for content that is not in memory as a whole: fill(fd, ctx) writes it; 0, or -1 with errno set. */
int file_publish_by(const char *path, int (*fill)(int fd, void *ctx), void *ctx);

/* Whether file_publish() can be expected to work there, asked before hours of work: the folder is there and takes
 * files, what is there can be written. Changes nothing. 0, or -1 after error(EXIT_IO). */
int file_can_publish(const char *path);

/* mkdir -p; -1 after error(EXIT_IO). _private: what it makes is 0700 whatever the umask. */
int file_mkdirs(const char *path);
int file_mkdirs_private(const char *path);
/* 1 when there is something at path, 0 when there is not, -1 after error(EXIT_IO) when nobody can tell (no
 * permission, an I/O error, a link to nothing): "cannot look" is never "is not there". */
int file_there(const char *path);
/* dir/name, caller frees. */
char *path_join(const char *dir, const char *name);

/* Sorted names in a directory without . and ..; *n their number. Free with dir_list_free().
 * NULL after error(). Names longer than 255 or with control characters are an error; cap: more than max is an error. */
char **dir_list(const char *path, size_t max, size_t *n);

#endif
