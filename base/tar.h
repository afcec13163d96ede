/* Archives: tar, plain or gzipped.
 *
 * Written: plain ustar with one byte sequence for one content: regular files only, names ascending, mode 0644,
 * owner 0, time 0, no user names, two zero blocks at the end and nothing behind them. Any tar program unpacks them.
 * Source: POSIX.1-2017, pax, "ustar Interchange Format". Differs: no prefix field, names of at most TAR_NAME_MAX
 * bytes.
 *
 * Read, by libarchive: what any tar program makes of such files: ustar, pax (extended and global headers, as
 * Python's tarfile and BSD tar write them), GNU and old headers, gzipped or not; in any order, with any mode, owner
 * and time, "./" before the names. Folders, and what macOS adds (._NAME, .DS_Store), are passed over. Links,
 * devices, names that lead elsewhere and every other format are refused, and so is what unpacks to more than
 * TAR_ALL_MAX bytes, or beyond TAR_ALL_SMALL to more than TAR_RATIO times the archive's own. The reader streams:
 * its memory does not grow with what is in the archive. */
#ifndef LB_BASE_TAR_H
#define LB_BASE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TAR_NAME_MAX 100
#define TAR_FILE_MAX ((size_t)64 << 20)
#define TAR_ALL_MAX ((size_t)1088 << 20)
#define TAR_ALL_SMALL ((size_t)16 << 20)
#define TAR_RATIO 50 /* studies compress by 8 to 20 */

/* A name that may stand in an archive: components of [A-Za-z0-9._+-] that begin with no point or dash, joined by
 * "/". */
bool tar_name_ok(const char *name);

/* ---- writing: zero but for put and ctx ---- */
struct tar_writer {
	int (*put)(void *ctx, const void *data, size_t len); /* takes the archive's bytes as they come; 0, or -1 */
	void *ctx;
	char last[TAR_NAME_MAX + 1];
};
/* Names must ascend (strcmp) and be good: our own duty, a BUG otherwise. len at most TAR_FILE_MAX. 0, or -1 as
 * put() said. */
int tar_add(struct tar_writer *t, const char *name, const void *data, size_t len);
int tar_end(struct tar_writer *t);

/* ---- reading ---- */
struct tar_reader;
struct tar_file { char name[TAR_NAME_MAX + 1]; size_t len; };
/* NULL after error(). The memory is borrowed; where: what messages call it. */
struct tar_reader *tar_open(const char *path);
struct tar_reader *tar_open_memory(const void *data, size_t len, const char *where);
/* 1 and f set; 0 at the end; -1 after error(): EXIT_UNEVALUABLE, or EXIT_IO when the file cannot be read. Whether a
 * name is there twice is the caller's to check. */
int tar_next(struct tar_reader *r, struct tar_file *f);
/* The next bytes of that file, at most room: how many; 0 at its end (after f->len bytes); -1 after error(). */
ssize_t tar_read(struct tar_reader *r, void *buf, size_t room);
void tar_close(struct tar_reader *r);

#endif
