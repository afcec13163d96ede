/* Archives. See tar.h. */
#include "base/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

#define BLOCK 512

bool tar_name_ok(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-";
	const size_t n = strlen(name);

	if (!n || n > TAR_NAME_MAX)
		return false;
	for (;;) {
		const size_t part = strspn(name, letters);

		if (!part || *name == '.' || *name == '-')
			return false;
		name += part;
		if (!*name)
			return true;
		if (*name++ != '/')
			return false;
	}
}

/* ---- writing ---- */

/* Offsets of the fields of a ustar header. */
enum { MODE = 100, UID = 108, GID = 116, SIZE = 124, MTIME = 136, SUM = 148, TYPE = 156, MAGIC = 257, MAJOR = 329,
       MINOR = 337 };

/* The one header that a name and a size have. libarchive's differs between its versions; what a bundle's bytes are
 * must not. */
static void make_header(char h[BLOCK], const char *name, size_t len)
{
	unsigned sum = 0;

	memset(h, 0, BLOCK);
	memcpy(h, name, strlen(name)); /* 100 bytes need no NUL */
	memcpy(h + MODE, "0000644", 8);
	memcpy(h + UID, "0000000", 8);
	memcpy(h + GID, "0000000", 8);
	snprintf(h + SIZE, 12, "%011zo", len);
	memcpy(h + MTIME, "00000000000", 12);
	memset(h + SUM, ' ', 8);
	h[TYPE] = '0';
	memcpy(h + MAGIC, "ustar", 6);
	memcpy(h + MAGIC + 6, "00", 2);
	memcpy(h + MAJOR, "0000000", 8);
	memcpy(h + MINOR, "0000000", 8);
	for (int i = 0; i < BLOCK; i++)
		sum += (unsigned char)h[i];
	snprintf(h + SUM, 8, "%06o", sum); /* then NUL and a blank, as POSIX has it */
	h[SUM + 7] = ' ';
}

int tar_add(struct tar_writer *t, const char *name, const void *data, size_t len)
{
	static const char zeros[BLOCK];
	const size_t over = len % BLOCK;
	char h[BLOCK];

	BUG_ON(!tar_name_ok(name) || len > TAR_FILE_MAX || strcmp(name, t->last) <= 0);
	snprintf(t->last, sizeof(t->last), "%s", name);
	make_header(h, name, len);
	if (t->put(t->ctx, h, BLOCK) < 0 || (len && t->put(t->ctx, data, len) < 0))
		return -1;
	return over ? t->put(t->ctx, zeros, BLOCK - over) : 0;
}

int tar_end(struct tar_writer *t)
{
	static const char zeros[2 * BLOCK];

	return t->put(t->ctx, zeros, sizeof(zeros));
}

/* ---- reading ---- */

struct tar_reader {
	struct archive *a;
	char *where;
	int fd;                     /* -1: from memory */
	const char *data, *end;     /* what is left of that */
	uint64_t most;              /* bytes that it may unpack to */
	bool too_much;
	int cause;                  /* errno of a read that failed */
	size_t left;                /* of the file that tar_next() gave */
	char buf[1 << 16];
};

static int bad(const struct tar_reader *r, const char *what)
{
	return error(EXIT_UNEVALUABLE, "%s: no archive that can be read here: %s", r->where, what);
}

/* Why libarchive stopped. Its own messages name no file of the archive, but may quote what is in it: only ASCII is
 * passed on. */
static int stopped(const struct tar_reader *r)
{
	const char *said = archive_error_string(r->a);
	char text[160];
	size_t n = 0;

	if (r->cause)
		return error(EXIT_IO, "cannot read %s: %s", r->where, strerror(r->cause));
	if (r->too_much)
		return error(EXIT_UNEVALUABLE, "%s: unpacks to more than the %zu MiB allowed for an archive of its "
			     "size", r->where, (size_t)(r->most >> 20));
	if (archive_errno(r->a) == ENOMEM)
		return error(EXIT_MEMORY, "out of memory while %s is read", r->where);
	for (; said && *said && n < sizeof(text) - 1; said++)
		text[n++] = *said >= ' ' && *said < 0x7f ? *said : '?';
	text[n] = '\0';
	return bad(r, n ? text : "damaged");
}

/* The archive's own bytes, for libarchive. Here is where what they unpack to is bounded, whatever it is: files,
 * headers, padding. */
static la_ssize_t feed(struct archive *a, void *ctx, const void **piece)
{
	struct tar_reader *r = ctx;
	ssize_t n;

	*piece = r->buf;
	if ((uint64_t)archive_filter_bytes(a, 0) > r->most) {
		r->too_much = true;
		archive_set_error(a, EFBIG, "too large");
		return -1;
	}
	if (r->fd < 0) {
		n = r->end - r->data < (ptrdiff_t)sizeof(r->buf) ? r->end - r->data : (ptrdiff_t)sizeof(r->buf);
		*piece = r->data;
		r->data += n;
		return n;
	}
	do
		n = read(r->fd, r->buf, sizeof(r->buf));
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		r->cause = errno;
		archive_set_error(a, errno, "cannot read");
	}
	return n;
}

/* Only tar, plain or gzipped; a second archive behind the first is read as well, so that nothing in there goes
 * unseen. */
static bool start(struct tar_reader *r)
{
	return archive_read_support_filter_gzip(r->a) == ARCHIVE_OK &&
	       archive_read_support_format_tar(r->a) == ARCHIVE_OK &&
	       archive_read_set_options(r->a, "tar:read_concatenated_archives") == ARCHIVE_OK &&
	       archive_read_open(r->a, r, NULL, feed, NULL) == ARCHIVE_OK;
}

static struct tar_reader *open_reader(const char *where, int fd, const char *data, uint64_t bytes)
{
	struct tar_reader *r = xmalloc(1, sizeof(*r));

	*r = (struct tar_reader){ .a = archive_read_new(), .where = xstrdup(where), .fd = fd, .data = data,
				  .end = data ? data + bytes : NULL };
	if (!r->a)
		die(EXIT_MEMORY, "out of memory");
	r->most = bytes > TAR_ALL_MAX / TAR_RATIO ? TAR_ALL_MAX : bytes * TAR_RATIO;
	if (r->most < TAR_ALL_SMALL)
		r->most = TAR_ALL_SMALL;
	if (start(r))
		return r;
	stopped(r);
	tar_close(r);
	return NULL;
}

struct tar_reader *tar_open(const char *path)
{
	struct stat st;
	int fd = file_open(path, &st);

	return fd < 0 ? NULL : open_reader(path, fd, NULL, (uint64_t)st.st_size);
}

struct tar_reader *tar_open_memory(const void *data, size_t len, const char *where)
{
	return open_reader(where, -1, len ? data : "", len);
}

void tar_close(struct tar_reader *r)
{
	if (!r)
		return;
	archive_read_free(r->a);
	if (r->fd >= 0)
		close(r->fd);
	free(r->where);
	free(r);
}

/* What macOS puts beside files when it packs them. */
static bool of_macos(const char *name)
{
	const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;

	return !strncmp(last, "._", 2) || !strcmp(last, ".DS_Store");
}

/* An entry: 1 and f a file, 0 to be passed over, -1 after error(). */
static int look_at(struct tar_reader *r, struct archive_entry *e, struct tar_file *f)
{
	const char *name = archive_entry_pathname(e);
	const int64_t size = archive_entry_size(e);
	const bool folder = archive_entry_filetype(e) == AE_IFDIR;
	char part[TAR_NAME_MAX + 2];
	size_t n;

	if (archive_entry_hardlink(e) || archive_entry_symlink(e) || (!folder && archive_entry_filetype(e) != AE_IFREG))
		return bad(r, "it holds a link, a device or a pipe");
	while (name && !strncmp(name, "./", 2))
		name += 2;
	if (!name || strlen(name) > TAR_NAME_MAX)
		return bad(r, "a name that may not be");
	snprintf(part, sizeof(part), "%s", name);
	n = strlen(part);
	if (folder && n && part[n - 1] == '/')
		part[n - 1] = '\0';
	if (folder && (!*part || !strcmp(part, ".")))
		return 0;
	if (!folder && of_macos(part))
		return 0;
	if (!tar_name_ok(part))
		return bad(r, "a name that may not be");
	if (size < 0 || (uint64_t)size > TAR_FILE_MAX)
		return bad(r, "a file that is too large");
	*f = (struct tar_file){ .len = (size_t)size };
	memcpy(f->name, part, strlen(part) + 1);
	r->left = f->len;
	return !folder;
}

int tar_next(struct tar_reader *r, struct tar_file *f)
{
	struct archive_entry *e;
	int ret = 0;

	while (!ret) {
		ret = archive_read_next_header(r->a, &e);
		if (ret == ARCHIVE_EOF)
			return 0;
		/* A warning is of times, owners, attributes: nothing that is used here. */
		if (ret != ARCHIVE_OK && ret != ARCHIVE_WARN)
			return stopped(r);
		ret = look_at(r, e, f);
	}
	return ret;
}

ssize_t tar_read(struct tar_reader *r, void *buf, size_t room)
{
	const la_ssize_t n = archive_read_data(r->a, buf, room < r->left ? room : r->left);

	if (n < 0)
		return stopped(r);
	if (!n && r->left)
		return bad(r, "a file is cut short");
	r->left -= (size_t)n;
	return n;
}
