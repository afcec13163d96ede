/* Archives. See tar.h. */
#include "base/tar.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

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

/* ---- the one header that a name and a size have ---- */

/* Offsets and lengths of the fields of a ustar header. */
enum { MODE = 100, UID = 108, GID = 116, SIZE = 124, MTIME = 136, SUM = 148, TYPE = 156, MAGIC = 257, MAJOR = 329, MINOR = 337 };

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

static size_t padded(size_t len)
{
	return (len + BLOCK - 1) / BLOCK * BLOCK;
}

/* ---- writing ---- */

/* n bytes more, zeroed. */
static char *extend(struct tar *t, size_t n)
{
	char *at;

	if (t->n + n > t->room) {
		t->room = t->n + n > 2 * t->room ? t->n + n : 2 * t->room;
		t->data = xrealloc(t->data, t->room, 1);
	}
	at = t->data + t->n;
	memset(at, 0, n);
	t->n += n;
	return at;
}

void tar_add(struct tar *t, const char *name, const void *data, size_t len)
{
	BUG_ON(!tar_name_ok(name) || len > TAR_FILE_MAX || strcmp(name, t->last) <= 0);
	snprintf(t->last, sizeof(t->last), "%s", name);
	make_header(extend(t, BLOCK), name, len);
	if (len)
		memcpy(extend(t, padded(len)), data, len);
}

void tar_end(struct tar *t)
{
	extend(t, 2 * BLOCK);
}

/* ---- reading ---- */

void tar_open(struct tar_view *v, const char *data, size_t len, const char *where)
{
	*v = (struct tar_view){ .data = data, .len = len, .where = where };
}

static bool is_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static int bad(const struct tar_view *v, const char *what)
{
	return error(EXIT_UNEVALUABLE, "%s: no archive that lockbench wrote: %s, at byte %zu", v->where, what, v->at);
}

/* Eleven octal digits and a NUL. */
static bool read_size(const char *h, size_t *len)
{
	*len = 0;
	for (int i = 0; i < 11; i++) {
		const char c = h[SIZE + i];

		if (c < '0' || c > '7')
			return false;
		*len = *len * 8 + (size_t)(c - '0');
	}
	return h[SIZE + 11] == '\0' && *len <= TAR_FILE_MAX;
}

static int at_end(const struct tar_view *v)
{
	if (v->len - v->at != 2 * BLOCK || !is_zero(v->data + v->at, 2 * BLOCK))
		return bad(v, "it does not end with two empty blocks");
	return 0;
}

int tar_next(struct tar_view *v, struct tar_file *f)
{
	char want[BLOCK];
	const char *h = v->data + v->at;

	if (v->len - v->at < BLOCK)
		return bad(v, "it is cut short");
	if (!h[0])
		return at_end(v);
	*f = (struct tar_file){ .data = h + BLOCK };
	memcpy(f->name, h, TAR_NAME_MAX);
	if (!tar_name_ok(f->name))
		return bad(v, "a name that may not be");
	if (strcmp(f->name, v->last) <= 0)
		return bad(v, "names that do not ascend");
	if (!read_size(h, &f->len))
		return bad(v, "no size, or one too large");
	make_header(want, f->name, f->len);
	if (memcmp(h, want, BLOCK) != 0)
		return bad(v, "a header with another checksum, type, mode, owner or time than ours");
	if (v->len - v->at - BLOCK < padded(f->len))
		return bad(v, "a file is cut short");
	if (!is_zero(f->data + f->len, padded(f->len) - f->len))
		return bad(v, "padding that is not empty");
	memcpy(v->last, f->name, sizeof(v->last));
	v->at += BLOCK + padded(f->len);
	return 1;
}
