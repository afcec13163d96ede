/* Archives: plain ustar files with one byte sequence for one content.
 *
 * Written: regular files only, names ascending, mode 0644, owner 0, time 0, no user names, two zero blocks at the end and nothing
 * behind them. Any tar program unpacks them. Read: only what is written that way. A header is accepted when it is, byte for byte, the
 * one that tar_add() makes from its name and size; so there are no links, no devices, no absolute paths, no "..", no empty or hidden
 * path components, no file twice, no second archive behind the first, and the checksum is right.
 * Source: POSIX.1-2017, pax, "ustar Interchange Format". Differs: no prefix field, names of at most TAR_NAME_MAX bytes. */
#ifndef LB_BASE_TAR_H
#define LB_BASE_TAR_H

#include <stdbool.h>
#include <stddef.h>

#define TAR_NAME_MAX 100
#define TAR_FILE_MAX ((size_t)1 << 30)

/* A name that may stand in an archive: components of [A-Za-z0-9._+-] that begin with no point, joined by "/". */
bool tar_name_ok(const char *name);

/* ---- writing: a zeroed struct is ready; release it with free(t->data) ---- */
struct tar {
	char *data;
	size_t n, room;
	char last[TAR_NAME_MAX + 1];
};
/* Names must ascend (strcmp) and be good: our own duty, a BUG otherwise. len at most TAR_FILE_MAX. */
void tar_add(struct tar *t, const char *name, const void *data, size_t len);
void tar_end(struct tar *t);

/* ---- reading ---- */
struct tar_view { const char *data; size_t len, at; char last[TAR_NAME_MAX + 1]; const char *where; };
struct tar_file {
	char name[TAR_NAME_MAX + 1];
	const char *data; /* (len), inside the archive; not NUL-terminated */
	size_t len;
};
/* data is borrowed; where: the file's name for messages. */
void tar_open(struct tar_view *v, const char *data, size_t len, const char *where);
/* 1 and f set; 0 at the end; -1 after error(EXIT_UNEVALUABLE). */
int tar_next(struct tar_view *v, struct tar_file *f);
/* What another tar program packed of an unpacked archive of ours, as an archive of ours in out (a zeroed struct): regular files in any order,
 * with any mode, owner and time, "./" before their names; folders are passed over; whatever else there is (links, devices, extended headers,
 * a name twice, a name that may not be) is refused. Old, ustar and GNU headers. The contents are the caller's to check. 0, or -1 after
 * error(EXIT_UNEVALUABLE). */
int tar_adopt(const char *data, size_t len, const char *where, struct tar *out);

#endif
