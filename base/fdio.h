/* Descriptors: what file.c (paths that the user names) and dir.c (what lies in a folder) share. `shown` is the path for messages. */
#ifndef LB_BASE_FDIO_H
#define LB_BASE_FDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Record what errno says; returns -1. Missing (ENOENT) is the user's mistake, anything else the machine's. */
int fd_cannot_read(const char *shown);
/* "a folder", "a link", ...: what a mode is, for messages. */
const char *fd_kind_name(mode_t mode);

/* Close *fd and fail unless it is a regular file. 0, or -1 after error(). */
int fd_must_be_file(int *fd, const char *shown, struct stat *st);
/* All of it from where it stands, at most max bytes, a NUL behind (not counted); hint: the size expected. NULL after error(). */
char *fd_read_all(int fd, const char *shown, size_t hint, size_t max, size_t *len);
/* -1 with errno set. */
int fd_write_all(int fd, const void *data, size_t len);

/* Atomic and durable: a temporary file beside name in the folder at, fsync, rename over name, fsync the folder. mode: its
 * permissions to the bit, or with `masked` what the umask leaves of them. -1 after error(EXIT_IO), nothing left behind. */
int fd_publish(int at, const char *name, const char *shown, const void *data, size_t len, mode_t mode, bool masked);
/* The same for content that is not in memory as a whole: fill(fd, ctx) writes it; 0, or -1 with errno set. */
int fd_publish_by(int at, const char *name, const char *shown, int (*fill)(int fd, void *ctx), void *ctx, mode_t mode,
		  bool masked);
/* A content that is: what fd_fill_text() writes. */
struct fd_text { const void *data; size_t len; };
int fd_fill_text(int fd, void *text);
/* fsync; a file system that cannot sync folders (EINVAL) does it by itself. -1 with errno set. */
int fd_sync_folder(int at, const char *shown);
/* flock on an open descriptor. 0, or -1 after error() (EXIT_TEMPORARY when somebody holds it), fd closed. */
int fd_lock(int fd, const char *shown);

/* Sorted names in the folder at, without . and ..; the rest as dir_list() in file.h. at stays open. */
char **fd_names(int at, const char *shown, size_t max, size_t *n);
void dir_list_free(char **names, size_t n);

/* Test hook: when set, called with the name of each durable step ("open", "write", "fsync", "rename",
 * "fsync-dir") before it happens; returning non-zero makes that step fail with errno = EIO. */
extern int (*file_fault)(const char *step, const char *path);

#endif
