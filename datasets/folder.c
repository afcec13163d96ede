/* Image folders: <name>/train/<class>/<file> and <name>/test/<class>/<file>, JPEG or PNG by content.
 * Source: the layout torchvision calls ImageFolder (classes are directory names in byte order, files likewise).
 * Differs: strict. Below <name> no symbolic link is followed, only directories and regular files are allowed (names
 * that begin with a dot are passed over), both parts have the same classes, all images one size and channel count.
 *
 * Files are decoded in parallel; each has its place before decoding starts, so the result does not depend on threads. */
#include "datasets/format.h"
#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/tile.h"
#include "datasets/codec.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MAX_FILES = 1000000,  /* images in one part */
	MAX_SETS = 10000,     /* entries of a search root that are looked at */
	SLICE = 4096,         /* images between two looks at the interrupt flag and the progress bar */
	CHUNK = 64,           /* images a thread takes at a time */
	SHOW_PROGRESS = 20000 /* images; fewer are read in a second or two */
};

struct image_file {
	char *name;
	int class;
};

/* One of train/ and test/. */
struct part {
	char *where; /* folder, for messages */
	char **classes;
	int *class_fd;
	size_t nclasses;
	struct image_file *files;
	size_t nfiles, room;
};

/* ---- listing, by descriptor ---- */

static int cmp_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static int check_name(const char *where, const char *name)
{
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return error(EXIT_UNEVALUABLE, "%s: a name with control characters; rename it", where);
	return 0;
}

/* An entry that cannot be opened as wanted ("a folder", "a regular file"). */
static int open_error(const char *where, const char *name, const char *wanted)
{
	if (errno == ELOOP || errno == ENOTDIR || errno == ENXIO)
		return error(EXIT_UNEVALUABLE, "%s/%s: not %s (symbolic links are not followed); move it away or copy it here",
		             where, name, wanted);
	if (errno == EMFILE)
		return error(EXIT_UNEVALUABLE, "%s/%s: too many open files; raise `ulimit -n`", where, name);
	return error(errno == ENOENT ? EXIT_UNEVALUABLE : EXIT_IO, "%s/%s: %s", where, name, strerror(errno));
}

static int open_folder(int at, const char *where, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 ? fd : open_error(where, name, "a folder");
}

static int collect(DIR *dir, const char *where, size_t max, char ***names, size_t *n)
{
	size_t room = 0;
	struct dirent *e;

	for (errno = 0; (e = readdir(dir)); errno = 0) {
		if (e->d_name[0] == '.')
			continue;
		if (check_name(where, e->d_name))
			return -1;
		if (*n == max)
			return error(EXIT_UNEVALUABLE, "%s: more than %zu entries", where, max);
		if (*n == room) {
			room = room ? 2 * room : 64;
			*names = xrealloc(*names, room, sizeof(**names));
		}
		(*names)[(*n)++] = xstrdup(e->d_name);
	}
	return errno ? error(EXIT_IO, "%s: %s", where, strerror(errno)) : 0;
}

/* Sorted names in an open folder without those that begin with a dot. 0, or -1 after error(). */
static int list_fd(int fd, const char *where, size_t max, char ***names, size_t *n)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	int r;

	*names = NULL;
	*n = 0;
	if (!dir) {
		r = error(EXIT_IO, "%s: %s", where, strerror(errno));
		if (copy >= 0)
			close(copy);
		return r;
	}
	r = collect(dir, where, max, names, n);
	closedir(dir);
	if (r) {
		free_names(*names, *n);
		*names = NULL;
		*n = 0;
	} else if (*n) {
		qsort(*names, *n, sizeof(**names), cmp_names);
	}
	return r;
}

/* ---- one part: classes and files ---- */

static void part_release(struct part *p)
{
	for (size_t i = 0; i < p->nfiles; i++)
		free(p->files[i].name);
	for (size_t i = 0; p->class_fd && i < p->nclasses; i++)
		if (p->class_fd[i] >= 0)
			close(p->class_fd[i]);
	free_names(p->classes, p->nclasses);
	free(p->class_fd);
	free(p->files);
	free(p->where);
}

/* The names move into p->files. */
static int add_files(struct part *p, int class, char **names, size_t n)
{
	if (!n)
		return error(EXIT_UNEVALUABLE, "%s/%s: no images; a class needs at least one", p->where, p->classes[class]);
	if (p->nfiles + n > MAX_FILES)
		return error(EXIT_UNEVALUABLE, "%s: more than %d images", p->where, MAX_FILES);
	if (p->nfiles + n > p->room) {
		p->room = 2 * p->room > p->nfiles + n ? 2 * p->room : p->nfiles + n;
		p->files = xrealloc(p->files, p->room, sizeof(*p->files));
	}
	for (size_t i = 0; i < n; i++)
		p->files[p->nfiles++] = (struct image_file){ names[i], class };
	return 0;
}

static int open_class(struct part *p, int fd, int class)
{
	char *where, **names;
	size_t n;
	int r;

	p->class_fd[class] = open_folder(fd, p->where, p->classes[class]);
	if (p->class_fd[class] < 0)
		return -1;
	where = path_join(p->where, p->classes[class]);
	r = list_fd(p->class_fd[class], where, MAX_FILES, &names, &n);
	free(where);
	if (r)
		return -1;
	r = add_files(p, class, names, n);
	if (r)
		free_names(names, n);
	else
		free(names);
	return r;
}

static int part_scan(struct part *p, int fd)
{
	if (list_fd(fd, p->where, DATASET_MAX_CLASSES, &p->classes, &p->nclasses))
		return -1;
	if (p->nclasses < 2)
		return error(EXIT_UNEVALUABLE, "%s: %zu class folders, wanted 2 to %d (one folder a class, images inside)", p->where,
		             p->nclasses, DATASET_MAX_CLASSES);
	p->class_fd = xmalloc(p->nclasses, sizeof(*p->class_fd));
	for (size_t i = 0; i < p->nclasses; i++)
		p->class_fd[i] = -1;
	for (size_t i = 0; i < p->nclasses; i++)
		if (open_class(p, fd, (int)i))
			return -1;
	return 0;
}

static int part_open(struct part *p, const char *where, const char *name)
{
	int root = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, r;

	memset(p, 0, sizeof(*p));
	p->where = path_join(where, name);
	if (root < 0)
		return error(EXIT_IO, "%s: %s", where, strerror(errno));
	fd = open_folder(root, where, name);
	close(root);
	if (fd < 0)
		return -1;
	r = part_scan(p, fd);
	close(fd);
	return r;
}

static int same_classes(const struct part *a, const struct part *b)
{
	if (a->nclasses != b->nclasses)
		return error(EXIT_UNEVALUABLE, "%s has %zu classes, %s has %zu; both need the same", a->where, a->nclasses, b->where,
		             b->nclasses);
	for (size_t i = 0; i < a->nclasses; i++)
		if (strcmp(a->classes[i], b->classes[i]))
			return error(EXIT_UNEVALUABLE, "class '%s' of %s is '%s' in %s; both need the same", a->classes[i], a->where,
			             b->classes[i], b->where);
	return 0;
}

/* ---- one file ---- */

static char *file_path(const struct part *p, size_t i)
{
	return xasprintf("%s/%s/%s", p->where, p->classes[p->files[i].class], p->files[i].name);
}

/* The whole file in buf (CODEC_MAX_FILE bytes); its length, or -1 after error(). */
static ssize_t slurp(int fd, uint8_t *buf, const char *path)
{
	size_t n = 0;
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return error(EXIT_UNEVALUABLE, "%s: not a regular file; move it away", path);
	if (st.st_size > (off_t)CODEC_MAX_FILE)
		return error(EXIT_UNEVALUABLE, "%s: larger than %zu bytes; images are at most %d pixels a side", path,
		             CODEC_MAX_FILE, CODEC_MAX_SIDE);
	while (n < CODEC_MAX_FILE) {
		ssize_t got = read(fd, buf + n, CODEC_MAX_FILE - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error(EXIT_IO, "%s: %s", path, strerror(errno));
		if (!got)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

/* Image i of a part; buf: CODEC_MAX_FILE bytes. NULL after error(). */
static uint8_t *read_image(const struct part *p, size_t i, uint8_t *buf, int *c, int *h, int *w)
{
	const struct image_file *f = &p->files[i];
	char *path = file_path(p, i);
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	int fd = openat(p->class_fd[f->class], f->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint8_t *px = NULL;
	ssize_t len;

	if (fd < 0) {
		open_error(p->where, path + strlen(p->where) + 1, "a regular file");
	} else {
		len = slurp(fd, buf, path);
		close(fd);
		if (len >= 0)
			px = image_decode(buf, (size_t)len, path, c, h, w);
	}
	free(path);
	return px;
}

static int first_shape(const struct part *p, int *c, int *h, int *w)
{
	uint8_t *buf = xmalloc(CODEC_MAX_FILE, 1), *px = read_image(p, 0, buf, c, h, w);

	free(buf);
	free(px);
	return px ? 0 : -1;
}

/* ---- all files ---- */

struct decode {
	const struct part *part;
	const struct dataset *d; /* for the sizes */
	uint8_t *px, *labels;    /* (nfiles, c, h, w), (nfiles) */
	size_t first, last;      /* this slice */
	uint8_t *buf[TILE_MAX_THREADS];
	char *failed[SLICE / CHUNK]; /* what went wrong first in each chunk, or NULL */
	enum lb_exit code[SLICE / CHUNK];
};

static int decode_one(struct decode *j, size_t i, uint8_t *buf)
{
	const size_t size = (size_t)j->d->c * j->d->h * j->d->w;
	int c, h, w;
	uint8_t *px = read_image(j->part, i, buf, &c, &h, &w);
	char *path;

	if (!px)
		return -1;
	if (c == j->d->c && h == j->d->h && w == j->d->w) {
		memcpy(j->px + i * size, px, size);
		j->labels[i] = (uint8_t)j->part->files[i].class;
		free(px);
		return 0;
	}
	free(px);
	path = file_path(j->part, i);
	error(EXIT_UNEVALUABLE, "%s: %dx%d with %d channel(s), the first training image is %dx%d with %d; all must be alike", path, w, h,
	      c, j->d->w, j->d->h, j->d->c);
	free(path);
	return -1;
}

/* An error belongs to the thread that met it: carry its text home. */
static void decode_chunk(void *ctx, int chunk, int thread)
{
	struct decode *j = ctx;
	size_t i = j->first + (size_t)chunk * CHUNK;
	const size_t end = i + CHUNK < j->last ? i + CHUNK : j->last;

	if (!j->buf[thread])
		j->buf[thread] = xmalloc(CODEC_MAX_FILE, 1);
	for (; i < end; i++)
		if (decode_one(j, i, j->buf[thread])) {
			j->failed[chunk] = xstrdup(error_text());
			j->code[chunk] = error_code();
			error_clear();
			return;
		}
}

/* Report the failure of the lowest image, whichever thread was first. */
static int collect_failures(struct decode *j, int chunks)
{
	int r = 0;

	for (int k = 0; k < chunks; k++) {
		if (j->failed[k] && !r)
			r = error(j->code[k], "%s", j->failed[k]);
		free(j->failed[k]);
		j->failed[k] = NULL;
	}
	return r;
}

static int decode_slices(struct decode *j, struct progress *bar)
{
	const size_t n = j->part->nfiles;

	for (j->first = 0; j->first < n; j->first = j->last) {
		int chunks;

		j->last = j->first + SLICE < n ? j->first + SLICE : n;
		chunks = (int)((j->last - j->first + CHUNK - 1) / CHUNK);
		tile_for(chunks, decode_chunk, j);
		if (collect_failures(j, chunks) || interrupt_check())
			return -1;
		if (bar)
			progress_step(bar, (double)j->last, NULL);
	}
	return 0;
}

static int decode_part(const struct part *p, const struct dataset *d, uint8_t *px, uint8_t *labels)
{
	struct decode j = { .part = p, .d = d, .px = px, .labels = labels };
	const int show = p->nfiles >= SHOW_PROGRESS;
	struct progress bar;
	int r;

	if (show)
		progress_start(&bar, "reading images", (double)p->nfiles);
	r = decode_slices(&j, show ? &bar : NULL);
	if (show)
		progress_end(&bar, NULL);
	for (int t = 0; t < TILE_MAX_THREADS; t++)
		free(j.buf[t]);
	return r;
}

/* ---- hooks ---- */

static int load_parts(struct dataset *d, const struct part *train, const struct part *test)
{
	int c, h, w;

	if (same_classes(train, test) || first_shape(train, &c, &h, &w) ||
	    dataset_alloc(d, c, h, w, (int)train->nclasses, (int)train->nfiles, (int)test->nfiles) ||
	    decode_part(train, d, d->train_px, d->train_labels) || decode_part(test, d, d->test_px, d->test_labels))
		return -1;
	dataset_name_classes(d, (const char *const *)train->classes);
	return 0;
}

static int peek_parts(struct dataset *d, const struct part *train, const struct part *test)
{
	if (same_classes(train, test) || first_shape(train, &d->c, &d->h, &d->w))
		return -1;
	d->classes = (int)train->nclasses;
	d->ntrain = (int)train->nfiles;
	d->ntest = (int)test->nfiles;
	return 0;
}

static int with_parts(struct dataset *d, const char *where,
                      int (*use)(struct dataset *, const struct part *, const struct part *))
{
	struct part train, test = { 0 };
	int r = part_open(&train, where, "train") || part_open(&test, where, "test") || use(d, &train, &test) ? -1 : 0;

	part_release(&train);
	part_release(&test);
	return r;
}

static int folder_load(struct dataset *d, const char *where)
{
	return with_parts(d, where, load_parts);
}

static int folder_peek(struct dataset *d, const char *where)
{
	return with_parts(d, where, peek_parts);
}

static bool has_parts(const char *dir)
{
	char full[512];

	return dataset_dir(dir, "train", full) && dataset_dir(dir, "test", full);
}

static bool folder_probe(const char *root, const char *name, char where[512])
{
	if (dataset_dir(root, name, where) && has_parts(where))
		return true;
	return dataset_root_is(root, name) && dataset_dir(root, "", where) && has_parts(where);
}

char **folder_list(const char *root, size_t *n)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
	char **all, where[512];
	size_t found = 0;

	*n = 0;
	if (fd < 0)
		return NULL;
	r = list_fd(fd, root, MAX_SETS, &all, n);
	close(fd);
	if (r) { /* a search root is not ours to judge */
		error_clear();
		return NULL;
	}
	for (size_t i = 0; i < *n; i++) {
		if (dataset_dir(root, all[i], where) && has_parts(where))
			all[found++] = all[i];
		else
			free(all[i]);
	}
	*n = found;
	return all;
}

const struct dataset_driver dataset_folder = {
	.drv = { .name = "folder", .summary = "any image folder: train/<class>/ and test/<class>/, JPEG or PNG, named by its directory",
	         .source = "torchvision's ImageFolder layout. Differs: strict (one size, no links, no other files)",
	         .version = 1 },
	.install = "put the images in ~/.cache/lockbench/<name>/train/<class>/ and .../test/<class>/ "
	           "(or below --data-dir or $LOCKBENCH_DATA)",
	.probe = folder_probe, .load = folder_load, .peek = folder_peek,
	.hash = NULL, .files = NULL
};
