/* Reading, publishing and listing by descriptor. See fdio.h. */
#include "base/fdio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"

int (*file_fault)(const char *step, const char *path);

/* ---- reading ---- */

int fd_cannot_read(const char *shown)
{
	return error(errno == ENOENT ? EXIT_UNEVALUABLE : EXIT_IO, "cannot read %s: %s", shown, strerror(errno));
}

const char *fd_kind_name(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a folder";
	if (S_ISLNK(mode))
		return "a link";
	if (S_ISFIFO(mode))
		return "a pipe";
	if (S_ISSOCK(mode))
		return "a socket";
	return S_ISREG(mode) ? "a file" : "a device";
}

int fd_must_be_file(int *fd, const char *shown, struct stat *st)
{
	if (fstat(*fd, st) < 0)
		fd_cannot_read(shown);
	else if (!S_ISREG(st->st_mode))
		error(EXIT_UNEVALUABLE, "cannot read %s: it is %s, not a file", shown, fd_kind_name(st->st_mode));
	else
		return 0;
	close(*fd);
	*fd = -1;
	return -1;
}

/* Read until the buffer is full or the file ends; bytes read, or -1 with errno. */
static ssize_t read_full(int fd, char *buf, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t k = read(fd, buf + got, n - got);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (k == 0)
			break;
		got += (size_t)k;
	}
	return (ssize_t)got;
}

/* The size that stat tells is only a hint: a file may grow, and those in /proc say 0. */
char *fd_read_all(int fd, const char *shown, size_t hint, size_t max, size_t *len)
{
	size_t room = (hint < max ? hint : max) + 1, used = 0; /* one more byte, so that the end is seen at once */
	char *buf = NULL;

	for (;;) {
		ssize_t k;

		buf = xrealloc(buf, room + 1, 1);
		k = read_full(fd, buf + used, room - used);
		if (k < 0) {
			fd_cannot_read(shown);
			break;
		}
		used += (size_t)k;
		if (used > max) {
			error(EXIT_UNEVALUABLE, "%s is larger than the %zu bytes allowed here", shown, max);
			break;
		}
		if (used < room) {
			buf[used] = '\0';
			*len = used;
			return buf;
		}
		room = room + room / 2 + 4096;
	}
	free(buf);
	return NULL;
}

/* ---- publication ---- */

/* True when a test wants this step to fail. */
static bool fault(const char *step, const char *shown)
{
	if (!file_fault || !file_fault(step, shown))
		return false;
	errno = EIO;
	return true;
}

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t k = write(fd, p, len);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		p += k;
		len -= (size_t)k;
	}
	return 0;
}

static int sync_fd(int fd)
{
	int ret;

	while ((ret = fsync(fd)) < 0 && errno == EINTR)
		;
	return ret;
}

int fd_sync_folder(int at, const char *shown)
{
	return fault("fsync-dir", shown) || (sync_fd(at) < 0 && errno != EINVAL) ? -1 : 0;
}

/* A name that nobody else uses: the process number, and a counter for this process's threads. A file that a
 * killed process of the same number left behind (containers reuse numbers) is passed over. */
static int open_temporary(int at, const char *name, const char *shown, mode_t mode, char **tmp)
{
	static atomic_uint counter;
	int fd;

	do {
		*tmp = xasprintf("%s.tmp-%ld-%u", name, (long)getpid(), atomic_fetch_add(&counter, 1));
		fd = fault("open", shown) ? -1 : openat(at, *tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (fd >= 0)
			return fd;
		free(*tmp);
	} while (errno == EEXIST);
	return -1;
}

int fd_fill_text(int fd, void *text)
{
	const struct fd_text *t = text;

	return fd_write_all(fd, t->data, t->len);
}

/* Write, sync and close; -1 with the errno of what failed first. */
static int write_whole(int fd, const char *shown, int (*fill)(int fd, void *ctx), void *ctx)
{
	int cause = 0;

	if (fault("write", shown) || fill(fd, ctx) < 0 || fault("fsync", shown) || sync_fd(fd) < 0)
		cause = errno;
	if (close(fd) < 0 && !cause && errno != EINTR)
		cause = errno;
	errno = cause;
	return cause ? -1 : 0;
}

int fd_publish(int at, const char *name, const char *shown, const void *data, size_t len, mode_t mode, bool masked)
{
	struct fd_text text = { data, len };

	return fd_publish_by(at, name, shown, fd_fill_text, &text, mode, masked);
}

int fd_publish_by(int at, const char *name, const char *shown, int (*fill)(int fd, void *ctx), void *ctx, mode_t mode,
		  bool masked)
{
	char *tmp;
	int fd = open_temporary(at, name, shown, masked ? mode : mode & 0700, &tmp), ret;

	if (fd < 0)
		return error(EXIT_IO, "cannot write %s: %s", shown, strerror(errno));
	if (!masked && fchmod(fd, mode) < 0 && errno != EPERM) {/* EPERM: a file system without modes */
		ret = error(EXIT_IO, "cannot set the permissions of %s: %s", shown, strerror(errno));
		close(fd);
		unlinkat(at, tmp, 0);
	} else if (write_whole(fd, shown, fill, ctx) < 0 || fault("rename", shown) || renameat(at, tmp, at, name) < 0) {
		ret = error(EXIT_IO, "cannot write %s: %s", shown, strerror(errno));
		unlinkat(at, tmp, 0);
	} else {
		ret = fd_sync_folder(at, shown);
		if (ret < 0)
			error(EXIT_IO, "%s is written but may not survive a power cut: %s", shown, strerror(errno));
	}
	free(tmp);
	return ret;
}

int fd_lock(int fd, const char *shown)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		error(EXIT_TEMPORARY, "another process holds %s; try again when it is done", shown);
	else
		error(EXIT_IO, "cannot lock %s: %s", shown, strerror(errno));
	close(fd);
	return -1;
}

/* ---- names ---- */

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Next name that is not . or ..; NULL at the end (errno 0) or when reading fails. */
static const char *next_name(DIR *d)
{
	const struct dirent *e;

	errno = 0;
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			return e->d_name;
	return NULL;
}

static int check_name(const char *shown, const char *name, size_t before, size_t max)
{
	if (before == max)
		return error(EXIT_UNEVALUABLE, "%s holds more than the %zu names allowed here", shown, max);
	if (strlen(name) > 255 || has_control(name))
		return error(EXIT_UNEVALUABLE, "%s holds a name that is too long or has control characters: %s", shown, name);
	return 0;
}

/* A descriptor of its own, since closedir() closes it; and one that reads from the beginning. */
static DIR *stream_of(int at)
{
	int own = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own < 0 ? NULL : fdopendir(own);

	if (!d && own >= 0)
		close(own);
	return d;
}

static int collect_names(DIR *d, const char *shown, size_t max, char ***names, size_t *n)
{
	size_t room = 0;
	const char *name;

	while ((name = next_name(d))) {
		if (*n == room) {
			room = room ? 2 * room : 64;
			*names = xrealloc(*names, room, sizeof(**names));
		}
		if (check_name(shown, name, *n, max) < 0)
			return -1;
		(*names)[(*n)++] = xstrdup(name);
	}
	return errno ? fd_cannot_read(shown) : 0;
}

char **fd_names(int at, const char *shown, size_t max, size_t *n)
{
	DIR *d = stream_of(at);
	char **names = NULL;
	int ret;

	*n = 0;
	if (!d) {
		error(EXIT_IO, "cannot read %s: %s", shown, strerror(errno));
		return NULL;
	}
	ret = collect_names(d, shown, max, &names, n);
	closedir(d);
	if (ret < 0) {
		dir_list_free(names, *n);
		*n = 0;
		return NULL;
	}
	if (!names)
		return xmalloc(1, sizeof(*names)); /* an empty folder is no error */
	qsort(names, *n, sizeof(*names), by_name);
	return names;
}

void dir_list_free(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}
