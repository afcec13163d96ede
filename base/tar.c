/* Archives. See tar.h. */
#include "base/tar.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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
enum { MODE = 100, UID = 108, GID = 116, SIZE = 124, MTIME = 136, SUM = 148, TYPE = 156, MAGIC = 257, MAJOR = 329, MINOR = 337, PREFIX = 345 };

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

/* ---- what others packed ---- */

static unsigned checksum(const char *h)
{
	unsigned sum = 0;

	for (int i = 0; i < BLOCK; i++)
		sum += i >= SUM && i < SUM + 8 ? ' ' : (unsigned char)h[i];
	return sum;
}

/* Octal digits between blanks, ended by a blank, a NUL or the field's end. */
static bool read_octal(const char *field, int n, size_t *value)
{
	int i = 0, digits = 0;

	*value = 0;
	while (i < n && field[i] == ' ')
		i++;
	for (; i < n && field[i] >= '0' && field[i] <= '7'; i++, digits++)
		*value = *value * 8 + (size_t)(field[i] - '0');
	return digits > 0 && (i == n || field[i] == ' ' || field[i] == '\0');
}

/* The name without "./" and a folder's "/"; "" for the folder that everything lies in. false: longer than ours may be. */
static bool foreign_name(const char *h, char name[TAR_NAME_MAX + 1])
{
	size_t n;

	if (!memcmp(h + MAGIC, "ustar", 6) && h[PREFIX])
		return false;
	memcpy(name, h, TAR_NAME_MAX);
	name[TAR_NAME_MAX] = '\0';
	while (!strncmp(name, "./", 2))
		memmove(name, name + 2, strlen(name + 2) + 1);
	n = strlen(name);
	if (n && h[TYPE] == '5' && name[n - 1] == '/')
		name[n - 1] = '\0';
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tar_file *)a)->name, ((const struct tar_file *)b)->name);
}

/* The next header: 1 and f a file, 2 a folder, 0 the end, -1 after error(). */
static int foreign_next(struct tar_view *v, struct tar_file *f)
{
	const char *h = v->data + v->at;
	size_t sum;

	if (v->len - v->at < BLOCK)
		return bad(v, "it is cut short");
	if (is_zero(h, BLOCK))
		return 0;
	*f = (struct tar_file){ .data = h + BLOCK };
	if (!read_octal(h + SUM, 8, &sum) || sum != checksum(h))
		return bad(v, "a header with a wrong checksum");
	if (!read_octal(h + SIZE, 12, &f->len) || f->len > TAR_FILE_MAX)
		return bad(v, "no size, or one too large");
	if (h[TYPE] != '0' && h[TYPE] != '\0' && h[TYPE] != '5')
		return bad(v, "something that is neither a file nor a folder");
	if (!foreign_name(h, f->name) || (h[TYPE] == '5' ? *f->name && strcmp(f->name, ".") && !tar_name_ok(f->name) : !tar_name_ok(f->name)))
		return bad(v, "a name that may not be");
	if (h[TYPE] == '5' && f->len)
		return bad(v, "a folder with contents of its own");
	if (v->len - v->at - BLOCK < padded(f->len))
		return bad(v, "a file is cut short");
	v->at += BLOCK + padded(f->len);
	return h[TYPE] == '5' ? 2 : 1;
}

int tar_adopt(const char *data, size_t len, const char *where, struct tar *out)
{
	struct tar_file *file = NULL, f;
	struct tar_view v;
	int n = 0, room = 0, ret;

	tar_open(&v, data, len, where);
	while ((ret = foreign_next(&v, &f)) > 0) {
		if (ret == 2)
			continue;
		if (n == room) {
			room = room ? 2 * room : 64;
			file = xrealloc(file, (size_t)room, sizeof(*file));
		}
		file[n++] = f;
	}
	if (n)
		qsort(file, (size_t)n, sizeof(*file), by_name);
	for (int i = 1; i < n && !ret; i++)
		if (!strcmp(file[i - 1].name, file[i].name))
			ret = bad(&v, "a name that is there twice");
	for (int i = 0; i < n && !ret; i++)
		tar_add(out, file[i].name, file[i].data, file[i].len);
	if (!ret)
		tar_end(out);
	free(file);
	return ret;
}
