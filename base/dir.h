/* A folder whose content may be somebody else's work: a store, an unpacked bundle, a data set. Everything in it is
 * reached relative to the folder's descriptor; no link in it is followed, and a device, pipe or socket where a file
 * should be is an error. What the user names on the command line (the folder itself) may be a link; nothing below may.
 *
 * "Cannot look" is never "is not there": questions answer 1 (there), 0 (not there), -1 (error(), EXIT_IO: no
 * permission, I/O error, too many open files, a link, a device, a file where a folder should be).
 * Paths below are relative, '/' between names, without "." and ".." (BUG_ON). Names are for messages only. */
#ifndef LB_BASE_DIR_H
#define LB_BASE_DIR_H

#include <stddef.h>
#include <stdint.h>

struct dir;

/* NULL after error(): EXIT_UNEVALUABLE when it is not there or is no folder, else EXIT_IO. */
struct dir *dir_open(const char *path);
/* 1 and *d; 0 when there is nothing at path; -1 after error(). */
int dir_find(const char *path, struct dir **d);
/* The folder below d; like dir_find, a link is an error. */
int dir_find_at(const struct dir *d, const char *rel, struct dir **sub);
void dir_close(struct dir *d);
const char *dir_name(const struct dir *d);       /* as it was given; borrowed */
char *dir_path(const struct dir *d, const char *rel); /* for messages; caller frees */

enum dir_kind { DIR_FILE = 1, DIR_FOLDER = 2 };
/* Is there a regular file (or folder)? DIR_FILE, DIR_FOLDER, 0 or -1. *bytes (NULL: not wanted): the file's size. */
int dir_there(const struct dir *d, const char *rel, uint64_t *bytes);
/* A descriptor of a regular file, to close; -2 when it is not there, -1 after error(). */
int dir_open_file(const struct dir *d, const char *rel);
/* Like file_read(): at most max bytes, a NUL behind. NULL after error(): EXIT_UNEVALUABLE when not there or too large. */
char *dir_read(const struct dir *d, const char *rel, size_t max, size_t *len);
/* Sorted names in the folder rel ("" or ".": d itself), as dir_list() gives them, free with dir_list_free(). 1, 0 when
 * the folder is not there (*names NULL), -1 after error(). */
int dir_names(const struct dir *d, const char *rel, size_t max, char ***names, size_t *n);

/* Atomic and durable like file_publish(); folders on the way are made. Private: 0700 and 0600 whatever the umask. */
int dir_publish(const struct dir *d, const char *rel, const void *data, size_t len);
/* Remove a file. 1, 0 when it was not there, -1 after error(). Durable. */
int dir_remove(const struct dir *d, const char *rel);
/* Rename within d, the target's folders made, an existing target replaced. Durable. */
int dir_move(const struct dir *d, const char *from, const char *to);
/* As file_lock(): exclusive, created private; -1 after error(EXIT_TEMPORARY) when somebody holds it. */
int dir_lock(const struct dir *d, const char *rel);
/* Does somebody hold it? 1, 0 (also when there is no such file), -1 after error(). Makes and changes nothing. */
int dir_locked(const struct dir *d, const char *rel);

#endif
