/* Folders by descriptor. See dir.h for what is promised. Each name of a path is opened by itself with O_NOFOLLOW: the same
 * walls as openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS), on every kernel and in every sandbox. */
#include "base/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fdio.h"
#include "base/file.h"

#define FOLDER (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

struct dir {
	int fd;
	char *name;
};

/* ---- open and close ---- */

static struct dir *wrap(int fd, const char *name)
{
	struct dir *d = xmalloc(1, sizeof(*d));

	*d = (struct dir){ fd, xstrdup(name) };
	return d;
}

int dir_find(const char *path, struct dir **d)
{
	struct stat st;
	int fd = open(path, FOLDER), cause = errno;

	*d = NULL;
	if (fd >= 0) {
		*d = wrap(fd, path);
		return 1;
	}
	if (cause == ENOENT || cause == ENOTDIR) {
		if (stat(path, &st) == 0)
			return error(EXIT_UNEVALUABLE, "%s is %s, not a folder", path, fd_kind_name(st.st_mode));
		if (cause == ENOENT && lstat(path, &st) == 0)
			return error(EXIT_IO, "cannot look into %s: it is a link to something that is not there", path);
		return 0;
	}
	return error(EXIT_IO, "cannot look into %s: %s", path, strerror(cause));
}

struct dir *dir_open(const char *path)
{
	struct dir *d;

	if (dir_find(path, &d) == 0)
		error(EXIT_UNEVALUABLE, "there is no folder %s", path);
	return d;
}

void dir_close(struct dir *d)
{
	if (!d)
		return;
	close(d->fd);
	free(d->name);
	free(d);
}

const char *dir_name(const struct dir *d)
{
	return d->name;
}

char *dir_path(const struct dir *d, const char *rel)
{
	return *rel ? path_join(d->name, rel) : xstrdup(d->name);
}

/* ---- walking a relative path ---- */

enum { ABSENT = -2 }; /* instead of a descriptor: not there, no error */

static bool plain_name(const char *s, size_t n)
{
	return n > 0 && n < 256 && !(n == 1 && s[0] == '.') && !(n == 2 && s[0] == '.' && s[1] == '.');
}

/* Why can rel not be opened? errno says; a link or another kind of thing gets its name. */
static int cannot_look(const struct dir *d, const char *rel, int at, const char *name)
{
	int cause = errno;
	char *shown = dir_path(d, rel);
	struct stat st;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
		error(EXIT_IO, "cannot look into %s: %s is a link, and links in there are not followed", shown, name);
	else if (cause == ENOTDIR)
		error(EXIT_IO, "cannot look into %s: %s is not a folder", shown, name);
	else
		error(EXIT_IO, "cannot look into %s: %s", shown, strerror(cause));
	free(shown);
	return -1;
}

static int open_folder(const struct dir *d, const char *rel, int at, const char *name, bool make)
{
	int fd = openat(at, name, FOLDER | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT && make) {
		/* The mode is set to the bit: the umask may have taken too much away, and must not decide. */
		if (mkdirat(at, name, 0700) == 0) {
			if (fchmodat(at, name, 0700, 0) < 0 && errno != EPERM)
				return cannot_look(d, rel, at, name);
		} else if (errno != EEXIST) {
			char *shown = dir_path(d, rel);

			error(EXIT_IO, "cannot make the folder for %s: %s", shown, strerror(errno));
			free(shown);
			return -1;
		}
		fd = openat(at, name, FOLDER | O_NOFOLLOW);
	}
	if (fd < 0 && errno == ENOENT && !make)
		return ABSENT;
	return fd < 0 ? cannot_look(d, rel, at, name) : fd;
}

/* The folder in which the last name of rel lies, as a descriptor to close; *last that name. ABSENT, or -1 after error(). */
static int open_parent(const struct dir *d, const char *rel, bool make, const char **last)
{
	int at = fcntl(d->fd, F_DUPFD_CLOEXEC, 3);
	const char *slash;

	if (at < 0)
		return cannot_look(d, rel, d->fd, ".");
	while ((slash = strchr(rel, '/')) && at >= 0) {
		char name[256];
		int next;

		BUG_ON(!plain_name(rel, (size_t)(slash - rel)));
		snprintf(name, sizeof(name), "%.*s", (int)(slash - rel), rel);
		next = open_folder(d, rel, at, name, make);
		close(at);
		at = next;
		rel = slash + 1;
	}
	BUG_ON(!plain_name(rel, strlen(rel)));
	*last = rel;
	return at;
}

/* ---- looking ---- */

static int refuse_kind(const struct dir *d, const char *rel, mode_t mode)
{
	char *shown = dir_path(d, rel);

	error(EXIT_IO, "cannot read %s: it is %s, not a file%s", shown, fd_kind_name(mode),
	      S_ISLNK(mode) ? ", and links in there are not followed" : "");
	free(shown);
	return -1;
}

/* 1 and *st, 0, or -1 after error(). */
static int look(const struct dir *d, const char *rel, struct stat *st)
{
	const char *last;
	int at = open_parent(d, rel, false, &last), ret = 1;

	if (at < 0)
		return at == ABSENT ? 0 : -1;
	if (fstatat(at, last, st, AT_SYMLINK_NOFOLLOW) < 0)
		ret = errno == ENOENT ? 0 : cannot_look(d, rel, at, last);
	close(at);
	return ret;
}

int dir_there(const struct dir *d, const char *rel, uint64_t *bytes)
{
	struct stat st;
	int ret = look(d, rel, &st);

	if (ret <= 0)
		return ret;
	if (bytes)
		*bytes = (uint64_t)st.st_size;
	if (S_ISREG(st.st_mode))
		return DIR_FILE;
	return S_ISDIR(st.st_mode) ? DIR_FOLDER : refuse_kind(d, rel, st.st_mode);
}

/* Looked at before it is opened: opening some devices does something. */
int dir_open_file(const struct dir *d, const char *rel)
{
	struct stat st;
	const char *last;
	int at = open_parent(d, rel, false, &last), fd = -1;

	if (at < 0)
		return at;
	if (fstatat(at, last, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (!S_ISREG(st.st_mode)) {
			close(at);
			return refuse_kind(d, rel, st.st_mode);
		}
		fd = openat(at, last, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	}
	if (fd < 0)
		fd = errno == ENOENT ? ABSENT : cannot_look(d, rel, at, last);
	else if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		fd = refuse_kind(d, rel, st.st_mode);
	}
	close(at);
	return fd;
}

char *dir_read(const struct dir *d, const char *rel, size_t max, size_t *len)
{
	int fd = dir_open_file(d, rel);
	char *shown, *text = NULL;
	struct stat st = { 0 };
	size_t unused;

	if (fd == -1)
		return NULL;
	shown = dir_path(d, rel);
	if (fd == ABSENT)
		error(EXIT_UNEVALUABLE, "%s is not there", shown);
	else if (fstat(fd, &st) < 0)
		fd_cannot_read(shown);
	else if ((uintmax_t)st.st_size > max)
		error(EXIT_UNEVALUABLE, "%s is larger than the %zu bytes allowed here", shown, max);
	else
		text = fd_read_all(fd, shown, (size_t)st.st_size, max, len ? len : &unused);
	if (fd >= 0)
		close(fd);
	free(shown);
	return text;
}

/* The folder rel of d as a descriptor. */
static int open_at(const struct dir *d, const char *rel)
{
	const char *last;
	int at, fd;

	if (!*rel || !strcmp(rel, ".")) {
		fd = openat(d->fd, ".", FOLDER);
		return fd < 0 ? cannot_look(d, "", d->fd, ".") : fd;
	}
	at = open_parent(d, rel, false, &last);
	if (at < 0)
		return at;
	fd = open_folder(d, rel, at, last, false);
	close(at);
	return fd;
}

int dir_find_at(const struct dir *d, const char *rel, struct dir **sub)
{
	int fd = open_at(d, rel);
	char *shown;

	*sub = NULL;
	if (fd < 0)
		return fd == ABSENT ? 0 : -1;
	shown = dir_path(d, rel);
	*sub = wrap(fd, shown);
	free(shown);
	return 1;
}

int dir_names(const struct dir *d, const char *rel, size_t max, char ***names, size_t *n)
{
	int fd = open_at(d, rel);
	char *shown;

	*names = NULL;
	*n = 0;
	if (fd < 0)
		return fd == ABSENT ? 0 : -1;
	shown = dir_path(d, rel);
	*names = fd_names(fd, shown, max, n);
	free(shown);
	close(fd);
	return *names ? 1 : -1;
}

/* ---- changing ---- */

int dir_publish(const struct dir *d, const char *rel, const void *data, size_t len)
{
	const char *last;
	int at = open_parent(d, rel, true, &last), ret;
	char *shown;

	if (at < 0)
		return -1;
	shown = dir_path(d, rel);
	ret = fd_publish(at, last, shown, data, len, 0600, false);
	free(shown);
	close(at);
	return ret;
}

int dir_remove(const struct dir *d, const char *rel)
{
	const char *last;
	int at = open_parent(d, rel, false, &last), ret = 1;
	char *shown;

	if (at < 0)
		return at == ABSENT ? 0 : -1;
	shown = dir_path(d, rel);
	if (unlinkat(at, last, 0) < 0)
		ret = errno == ENOENT ? 0 : error(EXIT_IO, "cannot remove %s: %s", shown, strerror(errno));
	else if (fd_sync_folder(at, shown) < 0)
		ret = error(EXIT_IO, "%s is removed but may come back after a power cut: %s", shown, strerror(errno));
	free(shown);
	close(at);
	return ret;
}

int dir_move(const struct dir *d, const char *from, const char *to)
{
	const char *old, *new;
	int a = open_parent(d, from, false, &old), b = a < 0 ? -1 : open_parent(d, to, true, &new), ret = -1;
	char *shown = dir_path(d, from);

	if (a == ABSENT)
		error(EXIT_IO, "cannot move %s: it is not there", shown);
	else if (b >= 0 && renameat(a, old, b, new) < 0)
		error(EXIT_IO, "cannot move %s to %s: %s", shown, to, strerror(errno));
	else if (b >= 0 && (fd_sync_folder(b, shown) < 0 || fd_sync_folder(a, shown) < 0))
		error(EXIT_IO, "%s is moved but may come back after a power cut: %s", shown, strerror(errno));
	else if (b >= 0)
		ret = 0;
	free(shown);
	if (a >= 0)
		close(a);
	if (b >= 0)
		close(b);
	return ret;
}

int dir_lock(const struct dir *d, const char *rel)
{
	const char *last;
	struct stat st;
	int at = open_parent(d, rel, true, &last), fd;
	char *shown;

	if (at < 0)
		return -1;
	shown = dir_path(d, rel);
	fd = openat(at, last, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0) {
		fd = cannot_look(d, rel, at, last);
	} else if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
		/* A second name could be a file outside, and the holder's name is written into the lock. */
		close(fd);
		fd = error(EXIT_IO, "cannot lock %s: it is no file of its own; remove it", shown);
	} else if (fd_lock(fd, shown) < 0) {
		fd = -1;
	}
	free(shown);
	close(at);
	return fd;
}

int dir_locked(const struct dir *d, const char *rel)
{
	int fd = dir_open_file(d, rel), held;

	if (fd < 0)
		return fd == ABSENT ? 0 : -1;
	held = flock(fd, LOCK_SH | LOCK_NB) < 0;
	if (held && errno != EWOULDBLOCK) {
		char *shown = dir_path(d, rel);

		held = error(EXIT_IO, "cannot tell whether %s is held: %s", shown, strerror(errno));
		free(shown);
	}
	close(fd);
	return held;
}
