/* Image folders: <name>/train/<class>/<file> and <name>/test/<class>/<file>, JPEG or PNG by content.
 * Source: the layout torchvision calls ImageFolder (classes are directory names in byte order, files likewise).
 * Differs: strict. Below <name> no symbolic link is followed, only directories and regular files are allowed (names
 * that begin with a dot are passed over), both parts have the same classes, all images one size and channel count. A
 * class is the same in both when its name looks the same: copies by way of macOS write an accent as a character of
 * its own.
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
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

enum {
	MAX_FILES = 1000000,  /* images in one part */
	MAX_HIDDEN = 1000,    /* names that begin with a dot, in one folder */
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
	struct dir *dir;
	const char *where; /* folder, for messages */
	char **classes;
	struct dir **class_dir;
	size_t nclasses;
	struct image_file *files;
	size_t nfiles, room;
};

/* ---- one part: classes and files ---- */

static void part_release(struct part *p)
{
	for (size_t i = 0; i < p->nfiles; i++)
		free(p->files[i].name);
	for (size_t i = 0; p->class_dir && i < p->nclasses; i++)
		dir_close(p->class_dir[i]);
	dir_list_free(p->classes, p->nclasses);
	free(p->class_dir);
	free(p->files);
	dir_close(p->dir);
}

/* Sorted names in a folder without those that begin with a dot; at most max. 0, or -1 after error(). */
static int list(const struct dir *d, size_t max, char ***names, size_t *n)
{
	size_t all, kept = 0;
	int r = dir_names(d, "", max + MAX_HIDDEN, names, &all);

	*n = 0;
	if (r <= 0)
		return r ? -1 : error(EXIT_IO, "%s: removed while it was read", dir_name(d));
	for (size_t i = 0; i < all; i++) {
		if ((*names)[i][0] == '.')
			free((*names)[i]);
		else
			(*names)[kept++] = (*names)[i];
	}
	*n = kept;
	if (kept <= max)
		return 0;
	dir_list_free(*names, kept);
	*names = NULL;
	*n = 0;
	return error(EXIT_UNEVALUABLE, "%s: more than %zu entries", dir_name(d), max);
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

/* What lies beside the class folders is the user's mistake, not the machine's failure. */
static int check_folders(const struct part *p)
{
	for (size_t i = 0; i < p->nclasses; i++) {
		int r = dir_there(p->dir, p->classes[i], NULL);

		if (r == DIR_FILE)
			return error(EXIT_UNEVALUABLE,
			             "%s/%s: not a folder (here are only folders, one a class); move it away", p->where,
			             p->classes[i]);
		if (r < 0)
			return -1;
	}
	return 0;
}

static int scan_class(struct part *p, int class)
{
	char **names;
	size_t n;
	int r = dir_find_at(p->dir, p->classes[class], &p->class_dir[class]);

	if (r <= 0)
		return r ? -1 : error(EXIT_IO, "%s/%s: removed while it was read", p->where, p->classes[class]);
	if (list(p->class_dir[class], MAX_FILES, &names, &n))
		return -1;
	r = add_files(p, class, names, n);
	if (r)
		dir_list_free(names, n);
	else
		free(names);
	return r;
}

static int part_scan(struct part *p)
{
	p->class_dir = xcalloc(p->nclasses, sizeof(*p->class_dir));
	for (size_t i = 0; i < p->nclasses; i++)
		if (scan_class(p, (int)i))
			return -1;
	return 0;
}

/* A set without one of its parts: what is there instead? */
static int no_part(const struct dir *set, const char *name)
{
	char **names, text[200] = "nothing";
	size_t n, i, used = 0;

	if (list(set, MAX_FILES, &names, &n))
		return -1;
	for (i = 0; i < n && used < 100; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.60s", i ? ", " : "", names[i]);
	if (i < n)
		snprintf(text + used, sizeof(text) - used, ", ...");
	dir_list_free(names, n);
	return error(EXIT_UNEVALUABLE,
	             "%s is there, but has no folder %s (it holds: %s). A set has train/<class>/ and test/<class>/ "
	             "with the same classes%s", dir_name(set), name, text,
	             strcmp(name, "test") ? "" : "; what networks are judged on belongs in test");
}

/* The part and the names of its classes. */
static int part_open(struct part *p, const struct dir *set, const char *name)
{
	int r = dir_there(set, name, NULL);

	if (r == DIR_FOLDER)
		r = dir_find_at(set, name, &p->dir);
	else if (r >= 0)
		r = 0;
	if (r <= 0)
		return r < 0 ? -1 : no_part(set, name);
	p->where = dir_name(p->dir);
	if (list(p->dir, DATASET_MAX_CLASSES, &p->classes, &p->nclasses))
		return -1;
	if (p->nclasses < 2)
		return error(EXIT_UNEVALUABLE, "%s: %zu class folders, wanted 2 to %d (one folder a class, images inside)", p->where,
		             p->nclasses, DATASET_MAX_CLASSES);
	return check_folders(p);
}

/* ---- the same classes in both parts ---- */

/* A name as it looks: accents composed with their letters (Unicode's NFC). Caller frees. */
static char *composed(const char *name)
{
	utf8proc_uint8_t *out = NULL;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)name, 0, &out,
	                                  UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE);

	if (n == UTF8PROC_ERROR_NOMEM)
		die(EXIT_MEMORY, "out of memory");
	return n < 0 ? xstrdup(name) : (char *)out; /* what is no UTF-8 has only its bytes */
}

static int find_class(char **names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (names[i] && !strcmp(names[i], name))
			return (int)i;
	return -1;
}

/* Put b's classes in a's order. ca, cb: the composed names. */
static int order_classes(const struct part *a, struct part *b, char **ca, char **cb)
{
	char **ordered = xcalloc(a->nclasses, sizeof(*ordered));

	for (size_t i = 0; i < a->nclasses; i++) {
		int k = find_class(cb, b->nclasses, ca[i]);

		if (k < 0) {
			free(ordered);
			return error(EXIT_UNEVALUABLE, "%s has a class '%s', %s has not; both need the same", a->where,
			             a->classes[i], b->where);
		}
		ordered[i] = b->classes[k];
	}
	memcpy(b->classes, ordered, a->nclasses * sizeof(*ordered));
	free(ordered);
	return 0;
}

/* Two classes of one part that nobody can tell apart. */
static int check_twins(const struct part *p, char **composed_names)
{
	for (size_t i = 0; i < p->nclasses; i++)
		if (find_class(composed_names, i, composed_names[i]) >= 0)
			return error(EXIT_UNEVALUABLE,
			             "%s: two classes look the same, '%s' (their accents are written differently); "
			             "rename or merge them",
			             p->where, p->classes[i]);
	return 0;
}

static int match_classes(const struct part *a, struct part *b)
{
	char *ca[DATASET_MAX_CLASSES], *cb[DATASET_MAX_CLASSES];
	int r;

	for (size_t i = 0; i < a->nclasses; i++)
		ca[i] = composed(a->classes[i]);
	for (size_t i = 0; i < b->nclasses; i++)
		cb[i] = composed(b->classes[i]);
	r = check_twins(a, ca) || check_twins(b, cb) ? -1 : 0;
	if (!r && a->nclasses != b->nclasses)
		r = error(EXIT_UNEVALUABLE, "%s has %zu classes, %s has %zu; both need the same", a->where, a->nclasses,
		          b->where, b->nclasses);
	if (!r)
		r = order_classes(a, b, ca, cb);
	for (size_t i = 0; i < a->nclasses; i++)
		free(ca[i]);
	for (size_t i = 0; i < b->nclasses; i++)
		free(cb[i]);
	return r;
}

/* ---- one file ---- */

static char *file_path(const struct part *p, size_t i)
{
	return xasprintf("%s/%s/%s", p->where, p->classes[p->files[i].class], p->files[i].name);
}

/* Image i of a part. NULL after error(). */
static uint8_t *read_image(const struct part *p, size_t i, int *c, int *h, int *w)
{
	const struct image_file *f = &p->files[i];
	const struct dir *d = p->class_dir[f->class];
	char *path = file_path(p, i);
	size_t len;
	char *data = dir_read(d, f->name, CODEC_MAX_FILE, &len);
	uint8_t *px = data ? image_decode(data, len, path, c, h, w) : NULL;

	if (!data && dir_there(d, f->name, NULL) == DIR_FOLDER) { /* the user's mistake, not the machine's failure */
		error_clear();
		error(EXIT_UNEVALUABLE, "%s: a folder among images, not a regular file; move it away", path);
	}
	free(data);
	free(path);
	return px;
}

static int first_shape(const struct part *p, int *c, int *h, int *w)
{
	uint8_t *px = read_image(p, 0, c, h, w);

	free(px);
	return px ? 0 : -1;
}

/* ---- all files ---- */

struct decode {
	const struct part *part;
	const struct dataset *d; /* for the sizes */
	uint8_t *px, *labels;    /* (nfiles, c, h, w), (nfiles) */
	size_t first, last;      /* this slice */
	char *failed[SLICE / CHUNK]; /* what went wrong first in each chunk, or NULL */
	enum lb_exit code[SLICE / CHUNK];
};

static int decode_one(struct decode *j, size_t i)
{
	const size_t size = (size_t)j->d->c * j->d->h * j->d->w;
	int c, h, w;
	uint8_t *px = read_image(j->part, i, &c, &h, &w);
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

	(void)thread;
	for (; i < end; i++)
		if (decode_one(j, i)) {
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
	return r;
}

/* ---- hooks ---- */

static int load_parts(struct dataset *d, const struct part *train, const struct part *test)
{
	int c, h, w;

	if (first_shape(train, &c, &h, &w) ||
	    dataset_alloc(d, c, h, w, (int)train->nclasses, (int)train->nfiles, (int)test->nfiles) ||
	    decode_part(train, d, d->train_px, d->train_labels) || decode_part(test, d, d->test_px, d->test_labels))
		return -1;
	dataset_name_classes(d, (const char *const *)train->classes);
	return 0;
}

static int peek_parts(struct dataset *d, const struct part *train, const struct part *test)
{
	if (first_shape(train, &d->c, &d->h, &d->w))
		return -1;
	d->classes = (int)train->nclasses;
	d->ntrain = (int)train->nfiles;
	d->ntest = (int)test->nfiles;
	return 0;
}

static int with_parts(struct dataset *d, const char *where,
                      int (*use)(struct dataset *, const struct part *, const struct part *))
{
	struct part train = { 0 }, test = { 0 };
	struct dir *set = dir_open(where);
	int r = -1;

	if (set && !part_open(&train, set, "train") && !part_scan(&train) && !part_open(&test, set, "test") &&
	    !match_classes(&train, &test) && !part_scan(&test))
		r = use(d, &train, &test);

	part_release(&train);
	part_release(&test);
	dir_close(set);
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

/* A folder with train/ alone is a part of a set: many sets have train/ and val/. */
static int look(const struct dir *d)
{
	int train = dir_there(d, "train", NULL), test = train < 0 ? -1 : dir_there(d, "test", NULL);

	if (test < 0)
		return -1;
	if (train != DIR_FOLDER)
		return DATASET_NONE;
	return test == DIR_FOLDER ? DATASET_WHOLE : DATASET_PART;
}

/* A folder that somebody names is meant, also when there is not even train/ in it. */
static int look_named(const struct dir *d)
{
	int r = look(d);

	return r == DATASET_NONE ? DATASET_PART : r;
}

static int folder_probe(const char *root, const char *name, char where[512])
{
	const char *const dirs[] = { name, dataset_root_is(root, name) ? "" : NULL, NULL };

	return dataset_search(root, dirs, look_named, where);
}

/* ---- every image folder below a root ---- */

static int cmp_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Is it one? What nobody can look into may be: it is listed, and its own row says why it is not read. */
static bool may_be_set(const char *root, const char *name)
{
	const char *const dirs[] = { name, NULL };
	char where[512];
	int r = dataset_search(root, dirs, look, where);

	if (r < 0)
		error_clear();
	return r != DATASET_NONE;
}

/* Other things than sets lie in a search root, as many as there are and with any names. */
char **folder_list(const char *root, size_t *n)
{
	DIR *dir = opendir(root);
	char **names = xmalloc(1, sizeof(*names));
	struct dirent *e;
	size_t room = 1;
	int cause = dir ? 0 : errno;

	*n = 0;
	if (cause == ENOTDIR || (cause == ENOENT && file_there(root) == 0))
		return names;
	while (dir && (errno = 0, e = readdir(dir))) {
		if (e->d_name[0] == '.' || !may_be_set(root, e->d_name))
			continue;
		if (*n == room) {
			room *= 2;
			names = xrealloc(names, room, sizeof(*names));
		}
		names[(*n)++] = xstrdup(e->d_name);
	}
	cause = dir ? errno : cause;
	if (dir)
		closedir(dir);
	if (cause) {
		error(EXIT_IO, "cannot look into %s: %s", root, strerror(cause));
		dir_list_free(names, *n);
		return NULL;
	}
	if (*n)
		qsort(names, *n, sizeof(*names), cmp_names);
	return names;
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
