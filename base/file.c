/* Whole-file reads and publication at paths that the user names. See file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fdio.h"
#include "base/interrupt.h"

#define READER_PATIENCE 100 /* tenths of a second that a pipe may take to be read */

/* ---- reading ---- */

/* O_NONBLOCK: opening a pipe without a writer must not wait. */
int file_open(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0) {
		fd_must_be_file(&fd, path, st);
		return fd;
	}
	if (errno == ENOTDIR) /* a/b where a is a file */
		return error(EXIT_UNEVALUABLE, "cannot read %s: %s", path, strerror(errno));
	if (errno == ENOENT && lstat(path, st) == 0)
		return error(EXIT_IO, "cannot read %s: it is a link to something that is not there", path);
	return fd_cannot_read(path);
}

char *file_read(const char *path, size_t max, size_t *len)
{
	struct stat st;
	int fd = file_open(path, &st);
	char *buf = NULL;
	size_t unused;

	if (fd < 0)
		return NULL;
	if (st.st_size > 0 && (uintmax_t)st.st_size > max)
		error(EXIT_UNEVALUABLE, "%s is larger than the %zu bytes allowed here", path, max);
	else
		buf = fd_read_all(fd, path, (size_t)st.st_size, max, len ? len : &unused);
	close(fd);
	return buf;
}

/* ---- publication ---- */

/* The descriptor that a path such as /dev/stdout or /dev/fd/63 (process substitution) means; -1: an ordinary path. */
static int descriptor_named(const char *path)
{
	static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };
	char *end;
	long n;

	if (!strcmp(path, "/dev/stdout"))
		return STDOUT_FILENO;
	if (!strcmp(path, "/dev/stderr"))
		return STDERR_FILENO;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		size_t k = strlen(folders[i]);

		if (strncmp(path, folders[i], k) != 0 || path[k] < '0' || path[k] > '9')
			continue;
		n = strtol(path + k, &end, 10);
		return *end || n > INT_MAX ? -1 : (int)n;
	}
	return -1;
}

/* Open a pipe or device for writing. A pipe that nobody reads is given some seconds, so that a script cannot hang on it. */
static int open_special(const char *path)
{
	for (int i = 0; i < READER_PATIENCE; i++) {
		int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

		if (fd >= 0 || errno != ENXIO || interrupt_signal())
			return fd;
		poll(NULL, 0, 100);
		errno = ENXIO;
	}
	return -1;
}

/* What is to be written. */
struct content { int (*fill)(int fd, void *ctx); void *ctx; };

/* Write into what is there: a device, a pipe, an open descriptor. Nothing is replaced, so nothing is atomic. */
static int write_into(int fd, const char *path, const struct content *c)
{
	int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL), cause;

	if (fd < 0 && errno == ENXIO)
		return error(EXIT_IO, "cannot write %s: nobody reads that pipe", path);
	if (flags >= 0 && (flags & O_NONBLOCK))
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	cause = fd < 0 || c->fill(fd, c->ctx) < 0 ? errno : 0;
	if (fd >= 0 && close(fd) < 0 && !cause && errno != EINTR)
		cause = errno;
	return cause ? error(EXIT_IO, "cannot write %s: %s", path, strerror(cause)) : 0;
}

/* The folder of path as a descriptor; *name its last part. -1 after error(). */
static int open_folder_of(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? xasprintf("%.*s", slash == path ? 1 : (int)(slash - path), path) : xstrdup(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*name = slash ? slash + 1 : path;
	if (fd < 0 && errno == ENOENT)
		error(EXIT_IO, "cannot write %s: there is no folder %s; make it first (mkdir -p)", path, folder);
	else if (fd < 0)
		error(EXIT_IO, "cannot write %s: its folder %s: %s", path, folder, strerror(errno));
	free(folder);
	return fd;
}

/* Replace a file, or make it. One that is there keeps its permissions: a report over a private file stays private. */
static int replace(const char *path, const struct stat *old, const struct content *c)
{
	const char *name;
	int at = open_folder_of(path, &name), ret;

	if (at < 0)
		return -1;
	if (!*name)
		ret = error(EXIT_IO, "cannot write %s: it names a folder, not a file", path);
	else if (old)
		ret = fd_publish_by(at, name, path, c->fill, c->ctx, old->st_mode & 0777, false);
	else
		ret = fd_publish_by(at, name, path, c->fill, c->ctx, 0666, true);
	close(at);
	return ret;
}

/* Through a link: what it leads to is replaced (or made), the link stays. */
static int replace_target(const char *path, bool made, const struct content *c)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0666), ret;
	char *target = fd < 0 ? NULL : realpath(path, NULL);
	struct stat st;

	if (!target || fstat(fd, &st) < 0) {
		ret = error(EXIT_IO, "cannot write %s (it is a link): %s", path, strerror(errno));
	} else {
		ret = replace(target, &st, c);
		if (ret < 0 && made)
			unlink(target);
	}
	if (fd >= 0)
		close(fd);
	free(target);
	return ret;
}

int file_publish_by(const char *path, int (*fill)(int fd, void *ctx), void *ctx)
{
	const struct content c = { fill, ctx };
	int fd = descriptor_named(path);
	struct stat st, link;

	if (fd >= 0)
		return write_into(fcntl(fd, F_DUPFD_CLOEXEC, 3), path, &c);
	if (lstat(path, &link) < 0)
		return errno == ENOENT ? replace(path, NULL, &c) :
					 error(EXIT_IO, "cannot write %s: %s", path, strerror(errno));
	if (stat(path, &st) < 0) /* a link to nothing yet */
		return errno == ENOENT ? replace_target(path, true, &c) :
					 error(EXIT_IO, "cannot write %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return error(EXIT_IO, "cannot write %s: it is a folder; name a file in it", path);
	if (!S_ISREG(st.st_mode))
		return write_into(open_special(path), path, &c);
	return S_ISLNK(link.st_mode) ? replace_target(path, false, &c) : replace(path, &st, &c);
}

int file_publish(const char *path, const void *data, size_t len)
{
	struct fd_text text = { data, len };

	return file_publish_by(path, fd_fill_text, &text);
}

/* ---- before publication ---- */

/* Whether the open folder takes a file, by making one without a name; where the file system knows none, one that is
 * removed at once. */
static int try_folder(int at)
{
	char name[64];
	int fd = openat(at, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		snprintf(name, sizeof(name), ".lockbench.tmp-%ld", (long)getpid());
		fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd >= 0)
			unlinkat(at, name, 0);
	}
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int can_replace(const char *path)
{
	const char *name;
	int at = open_folder_of(path, &name), ret = 0;

	if (at < 0)
		return -1;
	if (!*name)
		ret = error(EXIT_IO, "cannot write %s: it names a folder, not a file", path);
	else if (try_folder(at) < 0)
		ret = error(EXIT_IO, "cannot write %s: its folder: %s", path, strerror(errno));
	close(at);
	return ret;
}

/* A link to nothing yet: where it leads must take a file. */
static int can_make_target(const char *path)
{
	const char *slash = strrchr(path, '/');
	char to[PATH_MAX], *target;
	ssize_t n = readlink(path, to, sizeof(to) - 1);
	int ret;

	if (n < 0)
		return error(EXIT_IO, "cannot write %s (it is a link): %s", path, strerror(errno));
	to[n] = '\0';
	target = *to == '/' || !slash ? xstrdup(to) : xasprintf("%.*s/%s", (int)(slash - path), path, to);
	ret = file_can_publish(target); /* a circle of links has ended before: stat() says ELOOP */
	free(target);
	return ret;
}

int file_can_publish(const char *path)
{
	const int fd = descriptor_named(path), flags = fd < 0 ? 0 : fcntl(fd, F_GETFL);
	struct stat st, link;
	char *target;
	int ret;

	if (flags < 0 || (fd >= 0 && (flags & O_ACCMODE) == O_RDONLY))
		return error(EXIT_IO, "cannot write %s: that descriptor is not open for writing", path);
	if (fd >= 0)
		return 0;
	if (stat(path, &st) < 0) {
		if (errno == ENOENT && lstat(path, &link) == 0)
			return can_make_target(path);
		if (errno == ENOENT)
			return can_replace(path);
		return error(EXIT_IO, "cannot write %s: %s", path, strerror(errno));
	}
	if (S_ISDIR(st.st_mode))
		return error(EXIT_IO, "cannot write %s: it is a folder; name a file in it", path);
	if (S_ISREG(st.st_mode) && lstat(path, &link) == 0 && !S_ISLNK(link.st_mode))
		return can_replace(path);
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0)
		return error(EXIT_IO, "cannot write %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return 0;
	target = realpath(path, NULL);
	if (!target)
		return error(EXIT_IO, "cannot write %s (it is a link): %s", path, strerror(errno));
	ret = can_replace(target);
	free(target);
	return ret;
}

/* ---- names and directories ---- */

char *path_join(const char *dir, const char *name)
{
	size_t n = strlen(dir);

	return xasprintf("%s%s%s", dir, n && dir[n - 1] != '/' ? "/" : "", name);
}

int file_there(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return 1;
	if (errno == ENOTDIR)
		return 0;
	if (errno == ENOENT)
		return lstat(path, &st) < 0 ? 0 : error(EXIT_IO, "cannot look at %s: it is a link to something that is not there", path);
	return error(EXIT_IO, "cannot look at %s: %s", path, strerror(errno));
}

/* private: 0700 to the bit whatever the umask; a folder that is there keeps its mode. */
static int make_directory(const char *path, bool private)
{
	struct stat st;
	int cause;

	if (mkdir(path, private ? 0700 : 0777) == 0)
		return !private || chmod(path, 0700) == 0 || errno == EPERM ? 0 :
		       error(EXIT_IO, "cannot set the permissions of %s: %s", path, strerror(errno));
	cause = errno; /* not only EEXIST: an existing directory of a read-only file system may say EROFS */
	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		cause = ENOTDIR;
	}
	return error(EXIT_IO, "cannot create directory %s: %s", path, strerror(cause));
}

static int make_all(const char *path, bool private)
{
	char *part = xstrdup(path), *end = part;
	int ret = *path ? 0 : error(EXIT_IO, "cannot create a directory without a name");

	while (!ret && *end) {
		char after;

		end += strspn(end, "/");
		end += strcspn(end, "/");
		after = *end;
		*end = '\0';
		ret = make_directory(part, private);
		*end = after;
	}
	free(part);
	return ret;
}

int file_mkdirs(const char *path)
{
	return make_all(path, false);
}

int file_mkdirs_private(const char *path)
{
	return make_all(path, true);
}

char **dir_list(const char *path, size_t max, size_t *n)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char **names;

	*n = 0;
	if (fd < 0) {
		fd_cannot_read(path);
		return NULL;
	}
	names = fd_names(fd, path, max, n);
	close(fd);
	return names;
}
