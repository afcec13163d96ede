/* Whole-file reads and atomic publication. See file.h. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/error.h"

int (*file_fault)(const char *step, const char *path);

/* ---- reading ---- */

/* Missing is the user's mistake, anything else the machine's. */
static int cannot_read(const char *path)
{
	bool missing = errno == ENOENT || errno == ENOTDIR;

	return error(missing ? EXIT_UNEVALUABLE : EXIT_IO, "cannot read %s: %s", path, strerror(errno));
}

static int too_large(const char *path, size_t max)
{
	return error(EXIT_UNEVALUABLE, "%s is larger than the %zu bytes allowed here", path, max);
}

static const char *kind_name(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a directory";
	if (S_ISFIFO(mode))
		return "a pipe";
	return S_ISSOCK(mode) ? "a socket" : "a device";
}

/* O_NONBLOCK: opening a pipe without a writer must not wait. */
static int open_regular(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return cannot_read(path);
	if (fstat(fd, st) < 0) {
		cannot_read(path);
		close(fd);
		return -1;
	}
	if (!S_ISREG(st->st_mode)) {
		close(fd);
		return error(EXIT_UNEVALUABLE, "cannot read %s: it is %s, not a file", path, kind_name(st->st_mode));
	}
	return fd;
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
static char *read_open(int fd, const char *path, size_t hint, size_t max, size_t *len)
{
	size_t room = hint + 1, used = 0; /* one more byte, so that the end is seen at once */
	char *buf = NULL;

	for (;;) {
		ssize_t k;

		buf = xrealloc(buf, room + 1, 1);
		k = read_full(fd, buf + used, room - used);
		if (k < 0) {
			cannot_read(path);
			break;
		}
		used += (size_t)k;
		if (used > max) {
			too_large(path, max);
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

char *file_read(const char *path, size_t max, size_t *len)
{
	struct stat st;
	int fd = open_regular(path, &st);
	char *buf = NULL;
	size_t unused;

	if (fd < 0)
		return NULL;
	if (st.st_size > 0 && (uintmax_t)st.st_size > max)
		too_large(path, max);
	else
		buf = read_open(fd, path, (size_t)st.st_size, max, len ? len : &unused);
	close(fd);
	return buf;
}

/* ---- gzip ---- */

struct inflate_job {
	const char *path;
	z_stream z;
	const char *in; /* all of it; z sees at most UINT_MAX bytes at a time */
	size_t in_left;
	char *out;
	size_t room, used, max;
};

static bool is_gzip(const char *data, size_t len)
{
	return len >= 2 && (unsigned char)data[0] == 0x1f && (unsigned char)data[1] == 0x8b;
}

static void feed(struct inflate_job *j)
{
	size_t n = j->in_left < UINT_MAX ? j->in_left : UINT_MAX;

	if (j->z.avail_in)
		return;
	j->z.next_in = (Bytef *)(uintptr_t)j->in; /* zlib does not write there, its type only says so */
	j->z.avail_in = (uInt)n;
	j->in += n;
	j->in_left -= n;
}

/* Room for more output, never beyond one byte over the cap. */
static void make_room(struct inflate_job *j)
{
	size_t cap = j->max < SIZE_MAX ? j->max + 1 : j->max, n;

	if (j->used == j->room) {
		j->room = j->room < cap / 2 ? 2 * j->room : cap;
		j->out = xrealloc(j->out, j->room + 1, 1);
	}
	n = j->room - j->used;
	j->z.next_out = (Bytef *)j->out + j->used;
	j->z.avail_out = n < UINT_MAX ? (uInt)n : UINT_MAX;
}

/* After a member: 1 when another begins, 0 at the end, -1 after error(). */
static int next_member(struct inflate_job *j)
{
	feed(j);
	if (!j->z.avail_in)
		return 0;
	if (!is_gzip((const char *)j->z.next_in, j->z.avail_in))
		return error(EXIT_UNEVALUABLE, "%s: something follows the gzip data", j->path);
	inflateReset(&j->z);
	return 1;
}

static int inflate_step(struct inflate_job *j)
{
	uInt before;
	int ret;

	feed(j);
	make_room(j);
	before = j->z.avail_out;
	ret = inflate(&j->z, Z_NO_FLUSH);
	j->used += before - j->z.avail_out;
	if (j->used > j->max)
		return too_large(j->path, j->max);
	if (ret == Z_STREAM_END)
		return next_member(j);
	if (ret == Z_OK && (j->z.avail_in || j->in_left || !j->z.avail_out))
		return 1;
	if (ret == Z_OK || ret == Z_BUF_ERROR)
		return error(EXIT_UNEVALUABLE, "%s: the gzip data is cut short", j->path);
	return error(EXIT_UNEVALUABLE, "%s: the gzip data is damaged (%s)", j->path, j->z.msg ? j->z.msg : "bad header");
}

static char *inflate_all(const char *path, const char *data, size_t n, size_t max, size_t *len)
{
	struct inflate_job j = { .path = path, .in = data, .in_left = n, .max = max };
	int ret;

	if (inflateInit2(&j.z, 15 + 16) != Z_OK) /* largest window; 16: gzip only */
		die(EXIT_MEMORY, "out of memory (zlib)");
	j.room = n < max ? n : max;
	j.room += j.room == 0;
	j.out = xmalloc(j.room + 1, 1);
	while ((ret = inflate_step(&j)) > 0)
		;
	inflateEnd(&j.z);
	if (ret < 0) {
		free(j.out);
		return NULL;
	}
	j.out[j.used] = '\0';
	*len = j.used;
	return j.out;
}

char *file_read_gz(const char *path, size_t max, size_t *len)
{
	/* Data that does not compress grows a little. */
	size_t slack = max / 512 + 65536, raw_max = max < SIZE_MAX - slack ? max + slack : max;
	size_t n, unused;
	char *raw = file_read(path, raw_max, &n), *out = NULL;

	len = len ? len : &unused;
	if (raw && is_gzip(raw, n)) {
		out = inflate_all(path, raw, n, max, len);
	} else if (raw && n > max) {
		too_large(path, max);
	} else if (raw) {
		*len = n;
		return raw;
	}
	free(raw);
	return out;
}

/* ---- publication ---- */

/* True when a test wants this step to fail. */
static bool fault(const char *step, const char *path)
{
	if (!file_fault || !file_fault(step, path))
		return false;
	errno = EIO;
	return true;
}

/* A name that nobody else uses: the process number, and a counter for this process's threads. A file that a
 * killed process of the same number left behind (containers reuse numbers) is passed over. */
static int open_temporary(const char *path, char **tmp)
{
	static atomic_uint counter;
	int fd;

	do {
		*tmp = xasprintf("%s.tmp-%ld-%u", path, (long)getpid(), atomic_fetch_add(&counter, 1));
		fd = fault("open", path) ? -1 : open(*tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0)
			return fd;
		free(*tmp);
	} while (errno == EEXIST);
	return -1;
}

static int write_full(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t k = write(fd, data, len);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		data += k;
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

static int sync_directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? xasprintf("%.*s", (int)(slash - path + 1), path) : xstrdup(".");
	int fd = fault("fsync-dir", path) ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = -1;

	free(dir);
	if (fd < 0)
		return -1;
	if (sync_fd(fd) == 0 || errno == EINVAL) /* EINVAL: a file system that syncs names by itself */
		ret = 0;
	close(fd);
	return ret;
}

/* Write, sync and close; -1 with the errno of what failed first. */
static int fill(int fd, const char *path, const void *data, size_t len)
{
	int cause = 0;

	if (fault("write", path) || write_full(fd, data, len) < 0 || fault("fsync", path) || sync_fd(fd) < 0)
		cause = errno;
	if (close(fd) < 0 && !cause && errno != EINTR)
		cause = errno;
	errno = cause;
	return cause ? -1 : 0;
}

int file_publish(const char *path, const void *data, size_t len)
{
	char *tmp;
	int fd = open_temporary(path, &tmp), ret;

	if (fd < 0)
		return error(EXIT_IO, "cannot write %s: %s", path, strerror(errno));
	if (fill(fd, path, data, len) < 0 || fault("rename", path) || rename(tmp, path) < 0) {
		ret = error(EXIT_IO, "cannot write %s: %s", path, strerror(errno));
		unlink(tmp);
	} else {
		ret = sync_directory_of(path);
		if (ret < 0)
			error(EXIT_IO, "%s is written but may not survive a power cut: %s", path, strerror(errno));
	}
	free(tmp);
	return ret;
}

/* ---- names and directories ---- */

char *path_join(const char *dir, const char *name)
{
	size_t n = strlen(dir);

	return xasprintf("%s%s%s", dir, n && dir[n - 1] != '/' ? "/" : "", name);
}

bool file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

static int make_directory(const char *path)
{
	struct stat st;
	int cause;

	if (mkdir(path, 0777) == 0)
		return 0;
	cause = errno; /* not only EEXIST: an existing directory of a read-only file system may say EROFS */
	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		cause = ENOTDIR;
	}
	return error(EXIT_IO, "cannot create directory %s: %s", path, strerror(cause));
}

int file_mkdirs(const char *path)
{
	char *part = xstrdup(path), *end = part;
	int ret = *path ? 0 : error(EXIT_IO, "cannot create a directory without a name");

	while (!ret && *end) {
		char after;

		end += strspn(end, "/");
		end += strcspn(end, "/");
		after = *end;
		*end = '\0';
		ret = make_directory(part);
		*end = after;
	}
	free(part);
	return ret;
}

int file_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);

	if (fd < 0)
		return error(EXIT_IO, "cannot lock %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (errno == EWOULDBLOCK)
		error(EXIT_TEMPORARY, "another process holds %s; try again when it is done", path);
	else
		error(EXIT_IO, "cannot lock %s: %s", path, strerror(errno));
	close(fd);
	return -1;
}

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

static int check_name(const char *path, const char *name, size_t before, size_t max)
{
	if (before == max)
		return error(EXIT_UNEVALUABLE, "%s holds more than the %zu names allowed here", path, max);
	if (strlen(name) > 255 || has_control(name))
		return error(EXIT_UNEVALUABLE, "%s holds a name that is too long or has control characters: %s", path, name);
	return 0;
}

char **dir_list(const char *path, size_t max, size_t *n)
{
	DIR *d = opendir(path);
	char **names = NULL;
	const char *name;
	size_t room = 0;
	int ret = 0;

	*n = 0;
	if (!d) {
		cannot_read(path);
		return NULL;
	}
	while (!ret && (name = next_name(d))) {
		if (*n == room) {
			room = room ? 2 * room : 64;
			names = xrealloc(names, room, sizeof(*names));
		}
		ret = check_name(path, name, *n, max);
		if (!ret)
			names[(*n)++] = xstrdup(name);
	}
	if (!ret && errno)
		ret = cannot_read(path);
	closedir(d);
	if (ret < 0) {
		dir_list_free(names, *n);
		*n = 0;
		return NULL;
	}
	if (!names)
		return xmalloc(1, sizeof(*names)); /* an empty directory is no error */
	qsort(names, *n, sizeof(*names), by_name);
	return names;
}

void dir_list_free(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}
