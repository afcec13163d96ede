/* Files of a data set that may be compressed. See format.h. */
#include "datasets/format.h"
#include "base/error.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define FIRST_ROOM ((size_t)1 << 16)
#define MOST_AT_ONCE (1u << 30) /* zlib counts in int */

static int say_what_failed(gzFile f, const char *shown)
{
	int code, cause = errno;
	const char *text = gzerror(f, &code);

	if (code == Z_ERRNO)
		return error(EXIT_IO, "cannot read %s: %s", shown, strerror(cause));
	if (code == Z_MEM_ERROR)
		die(EXIT_MEMORY, "out of memory (zlib)");
	if (code == Z_BUF_ERROR)
		return error(EXIT_UNEVALUABLE, "%s: the gzip data is cut short; copy the file again", shown);
	return error(EXIT_UNEVALUABLE, "%s: the gzip data is damaged (%s); copy the file again", shown, text);
}

/* Room grows with what is there, not with what a header promises. */
static char *read_some(gzFile f, const char *shown, size_t max, size_t *len)
{
	size_t room = max < FIRST_ROOM ? max : FIRST_ROOM;
	char *data = xmalloc(room + 1, 1);
	int got, code;

	for (*len = 0; *len < max; *len += (size_t)got) {
		if (*len == room) {
			room = room < max / 2 ? 2 * room : max;
			data = xrealloc(data, room + 1, 1);
		}
		errno = 0;
		got = gzread(f, data + *len, room - *len < MOST_AT_ONCE ? (unsigned)(room - *len) : MOST_AT_ONCE);
		gzerror(f, &code);
		/* A file that is cut short gives what it has first. */
		if (got < 0 || (got == 0 && code != Z_OK)) {
			say_what_failed(f, shown);
			free(data);
			return NULL;
		}
		if (got == 0)
			break;
	}
	data[*len] = '\0';
	return data;
}

int gz_find(const struct dir *d, const char *stem, char name[GZ_NAME])
{
	int plain = dir_there(d, stem, NULL), gz;

	BUG_ON(strlen(stem) + sizeof(".gz") > GZ_NAME);
	snprintf(name, GZ_NAME, "%s.gz", stem);
	gz = plain == DIR_FILE || plain < 0 ? 0 : dir_there(d, name, NULL);
	if (gz < 0 || plain < 0)
		return -1;
	if (gz)
		return 1;
	strcpy(name, stem); /* a folder of that name too: who reads it says what it is */
	return plain != 0;
}

char *gz_read(const struct dir *d, const char *name, size_t max, size_t *len)
{
	char *shown = dir_path(d, name), *data = NULL;
	int fd = dir_open_file(d, name);
	gzFile f = fd < 0 ? NULL : gzdopen(fd, "rb");

	if (f) {
		data = read_some(f, shown, max, len);
		gzclose_r(f);
	} else if (fd >= 0) { /* the descriptor is open and good, so this is memory */
		die(EXIT_MEMORY, "out of memory (zlib)");
	} else if (fd != -1) {
		error(EXIT_UNEVALUABLE, "%s is not there", shown);
	}
	free(shown);
	return data;
}
