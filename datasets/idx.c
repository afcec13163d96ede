/* MNIST and Fashion-MNIST: IDX files, plain or gzip.
 * Source: Y. LeCun, http://yann.lecun.com/exdb/mnist/ ("FILE FORMATS FOR THE MNIST DATABASE").
 *
 *   images: 00 00 08 03, n, rows, columns (32 bits, big-endian), then n * rows * columns bytes
 *   labels: 00 00 08 01, n,                                      then n bytes
 *
 * Differs: a file must be exactly as long as its header says, and labels must be below 10.
 *
 * Relatives come in the same file names: EMNIST's letters, QMNIST's labels of eight columns, KMNIST. What they are is
 * said. */
#include "datasets/format.h"
#include "base/error.h"
#include "datasets/codec.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Published sets have 60,000 labels and 45 MiB of pixels, the largest relatives of ten classes 402,953 and 301 MiB. */
#define MAX_LABELS ((size_t)1 << 20)
#define MAX_PIXELS ((size_t)512 << 20)

enum { CLASSES = 10, IMAGE_HEADER = 16, LABEL_HEADER = 8 };

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* ---- parsing memory ---- */

/* What the type byte of a header means; NULL: nothing. */
static const char *type_name(int type)
{
	switch (type) {
	case 0x08: return "bytes";
	case 0x09: return "signed bytes";
	case 0x0b: return "16-bit numbers";
	case 0x0c: return "32-bit numbers";
	case 0x0d: return "32-bit floats";
	case 0x0e: return "64-bit floats";
	default: return NULL;
	}
}

/* p: a header of at least 8 bytes that is not the one wanted. */
static int refuse_magic(const uint8_t *p, size_t len, int dims, const char *where)
{
	const char *type = !p[0] && !p[1] && p[3] ? type_name(p[2]) : NULL, *wanted = dims == 3 ? "images" : "labels";

	if (p[0] == 0x1f && p[1] == 0x8b)
		return error(EXIT_UNEVALUABLE, "%s: compressed twice; unpack it once", where);
	if (p[0] == '<')
		return error(EXIT_UNEVALUABLE,
		             "%s: a web page, not an IDX file: the download did not work; fetch the file again", where);
	if (p[3] == 0 && p[2] == 0 && p[1] == 8 && p[0] == dims)
		return error(EXIT_UNEVALUABLE,
		             "%s: a header with its bytes in reverse order (little-endian); IDX files are big-endian",
		             where);
	if (!type)
		return error(EXIT_UNEVALUABLE,
		             "%s: not an IDX file of %s (begins with %02x%02x%02x%02x, wanted 0000080%d); copy the "
		             "file again", where, wanted, p[0], p[1], p[2], p[3], dims);
	if (dims == 1 && p[3] == 2 && len >= 12)
		return error(EXIT_UNEVALUABLE,
		             "%s: labels of %u columns of %s, as QMNIST has them; wanted one byte an image: write the "
		             "first column as idx1-ubyte", where, be32(p + 8), type);
	if (p[2] == 8 && (p[3] == 1 || p[3] == 3))
		return error(EXIT_UNEVALUABLE, "%s: holds %s, wanted %s; the files are mixed up", where,
		             p[3] == 1 ? "labels" : "images", wanted);
	return error(EXIT_UNEVALUABLE, "%s: %s in %d dimensions; wanted %s, bytes in %d", where, type, p[3], wanted,
	             dims);
}

static int check_magic(const uint8_t *p, size_t len, int dims, const char *where)
{
	if (len >= 8 && (p[0] || p[1] || p[2] != 8 || p[3] != dims))
		return refuse_magic(p, len, dims, where);
	if (len < (size_t)(4 + 4 * dims))
		return error(EXIT_UNEVALUABLE, "%s: truncated: %zu bytes, less than an IDX header; copy the file again",
		             where, len);
	return 0;
}

/* n items of size bytes each must fill what follows the header. */
static int check_length(uint64_t n, uint64_t size, size_t have, const char *where)
{
	if (!n || n > INT_MAX)
		return error(EXIT_UNEVALUABLE, "%s: header says %llu items; copy the file again", where, (unsigned long long)n);
	if (n * size != have) /* no overflow: n < 2^31, size <= 512 * 512 */
		return error(EXIT_UNEVALUABLE, "%s: %s: header says %llu items of %llu bytes, %zu bytes follow; copy the file again",
		             where, n * size > have ? "truncated" : "trailing bytes", (unsigned long long)n,
		             (unsigned long long)size, have);
	return 0;
}

static int parse_header(const uint8_t *p, const char *where, struct idx_view *v)
{
	const uint32_t n = be32(p + 4), h = be32(p + 8), w = be32(p + 12);

	if (!h || !w || h > CODEC_MAX_SIDE || w > CODEC_MAX_SIDE)
		return error(EXIT_UNEVALUABLE, "%s: header says images of %ux%u, wanted 1 to %d a side; copy the file again",
		             where, h, w, CODEC_MAX_SIDE);
	if (!n || n > INT_MAX)
		return error(EXIT_UNEVALUABLE, "%s: header says %u images; copy the file again", where, n);
	*v = (struct idx_view){ .n = (int)n, .h = (int)h, .w = (int)w };
	return 0;
}

int idx_parse_images(const void *data, size_t len, const char *where, struct idx_view *v)
{
	if (check_magic(data, len, 3, where) || parse_header(data, where, v) ||
	    check_length((uint64_t)v->n, (uint64_t)v->h * (uint64_t)v->w, len - IMAGE_HEADER, where))
		return -1;
	v->data = (const uint8_t *)data + IMAGE_HEADER;
	return 0;
}

/* Labels of another set, or one or two damaged ones? `first` is the first that is no class. */
static int refuse_labels(const struct idx_view *v, int first, int classes, const char *where)
{
	static const struct { int lo, hi; const char *name; } sets[] = {
		{ 1, 26, ": these are EMNIST's letters" },
		{ 0, 25, ": these may be letters" },
		{ 0, 46, ": these are EMNIST's balanced or merged classes" },
		{ 0, 61, ": these are EMNIST's classes of digits and letters" },
		{ 0, 48, ": these are Kuzushiji-49" },
	};
	const char *name = "";
	int lo = 255, hi = 0, wrong = 0;

	for (int i = 0; i < v->n; i++) {
		lo = v->data[i] < lo ? v->data[i] : lo;
		hi = v->data[i] > hi ? v->data[i] : hi;
		wrong += v->data[i] >= classes;
	}
	if (wrong < v->n / 100 + 2)
		return error(EXIT_UNEVALUABLE, "%s: label %d of image %d is not below %d; copy the file again", where,
		             v->data[first], first, classes);
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		if (lo == sets[i].lo && hi == sets[i].hi)
			name = sets[i].name;
	return error(EXIT_UNEVALUABLE,
	             "%s: labels from %d to %d%s; here are %d classes, 0 to %d. Other classes are read from image "
	             "folders (train/<class>/, test/<class>/)", where, lo, hi, name, classes, classes - 1);
}

int idx_parse_labels(const void *data, size_t len, const char *where, int classes, struct idx_view *v)
{
	const uint8_t *p = data;

	if (check_magic(p, len, 1, where) || check_length(be32(p + 4), 1, len - LABEL_HEADER, where))
		return -1;
	*v = (struct idx_view){ .n = (int)be32(p + 4), .data = p + LABEL_HEADER };
	for (int i = 0; i < v->n; i++)
		if (v->data[i] >= classes)
			return refuse_labels(v, i, classes, where);
	return 0;
}

/* ---- files ---- */

static const char *const stems[] = { "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
	                             "t10k-labels-idx1-ubyte" };

/* How many of the files are there, and one that is not. -1 after error(). */
static int count_files(const struct dir *d, const char **missing)
{
	char name[GZ_NAME];
	int n = 0;

	for (size_t i = 0; i < ARRAY_LEN(stems); i++) {
		int r = gz_find(d, stems[i], name);

		if (r < 0)
			return -1;
		n += r;
		if (!r)
			*missing = stems[i];
	}
	return n;
}

static int look(const struct dir *d)
{
	const char *missing;
	int n = count_files(d, &missing);

	if (n < 0)
		return -1;
	return n == (int)ARRAY_LEN(stems) ? DATASET_WHOLE : n ? DATASET_PART : DATASET_NONE;
}

/* The folder, with every file in it. NULL after error(). */
static struct dir *open_whole(const char *where)
{
	struct dir *d = dir_open(where);
	const char *missing = "";
	int n = d ? count_files(d, &missing) : -1;

	if (n == (int)ARRAY_LEN(stems))
		return d;
	if (n >= 0)
		error(EXIT_UNEVALUABLE, "%s holds only a part of the set: %s is missing, also as .gz; copy it there",
		      where, missing);
	dir_close(d);
	return NULL;
}

struct idx_file {
	char *path, *bytes;
	struct idx_view v;
};

static void release(struct idx_file *f)
{
	free(f->path);
	free(f->bytes);
	f->path = f->bytes = NULL;
}

/* At most max bytes of stem. -1 after error(). */
static int read_file(struct idx_file *f, const struct dir *d, const char *stem, size_t max, size_t *len)
{
	char name[GZ_NAME];

	if (gz_find(d, stem, name) < 0)
		return -1;
	release(f);
	f->path = dir_path(d, name);
	f->bytes = gz_read(d, name, max, len);
	return f->bytes ? 0 : -1;
}

static int read_labels(struct idx_file *f, const struct dir *d, const char *stem)
{
	size_t len;

	if (read_file(f, d, stem, MAX_LABELS + LABEL_HEADER + 1, &len))
		return -1;
	if (len > MAX_LABELS + LABEL_HEADER && !check_magic((uint8_t *)f->bytes, len, 1, f->path))
		return error(EXIT_UNEVALUABLE, "%s: more than %zu labels", f->path, MAX_LABELS);
	return idx_parse_labels(f->bytes, len, f->path, CLASSES, &f->v);
}

/* The header of an image file. */
static int read_header(struct idx_file *f, const struct dir *d, const char *stem)
{
	size_t len;

	if (read_file(f, d, stem, IMAGE_HEADER, &len) || check_magic((uint8_t *)f->bytes, len, 3, f->path))
		return -1;
	return parse_header((uint8_t *)f->bytes, f->path, &f->v);
}

static size_t pixels(const struct idx_view *v)
{
	return (size_t)v->n * (size_t)v->h * (size_t)v->w;
}

/* f: its header is read. One byte more is read than wanted, so that the parser sees when something follows. */
static int read_pixels(struct idx_file *f, const struct dir *d, const char *stem, uint8_t *px)
{
	const size_t wanted = pixels(&f->v);
	size_t len;

	if (read_file(f, d, stem, IMAGE_HEADER + wanted + 1, &len) || idx_parse_images(f->bytes, len, f->path, &f->v))
		return -1;
	if (pixels(&f->v) != wanted)
		return error(EXIT_IO, "%s: changed while it was read", f->path);
	memcpy(px, f->v.data, wanted);
	release(f);
	return 0;
}

static int check_pair(const struct idx_file *px, const struct idx_file *labels)
{
	if (px->v.n != labels->v.n)
		return error(EXIT_UNEVALUABLE, "%s has %d images, %s has %d labels: they do not belong together; copy both again",
		             px->path, px->v.n, labels->path, labels->v.n);
	if (pixels(&px->v) > MAX_PIXELS)
		return error(EXIT_UNEVALUABLE, "%s: header says %d images of %dx%d, more than the %zu MiB allowed here",
		             px->path, px->v.n, px->v.h, px->v.w, MAX_PIXELS >> 20);
	return 0;
}

static int check_shapes(const struct idx_file *train, const struct idx_file *test)
{
	if (train->v.h != test->v.h || train->v.w != test->v.w)
		return error(EXIT_UNEVALUABLE, "%s has images of %dx%d, %s of %dx%d: they do not belong together; copy both again",
		             train->path, train->v.h, train->v.w, test->path, test->v.h, test->v.w);
	return 0;
}

/* What is small first, labels and headers: they say whether the rest is worth reading, and how much of it. f: in the
 * order of stems[]. */
static int read_small(struct idx_file *f, const struct dir *d)
{
	for (int i = 0; i < 4; i += 2)
		if (read_labels(&f[i + 1], d, stems[i + 1]) || read_header(&f[i], d, stems[i]) ||
		    check_pair(&f[i], &f[i + 1]))
			return -1;
	return check_shapes(&f[0], &f[2]);
}

static int read_all(struct dataset *d, struct idx_file *f, const struct dir *dir)
{
	if (read_small(f, dir) || dataset_alloc(d, 1, f[0].v.h, f[0].v.w, CLASSES, f[0].v.n, f[2].v.n) ||
	    read_pixels(&f[0], dir, stems[0], d->train_px) || read_pixels(&f[2], dir, stems[2], d->test_px))
		return -1;
	memcpy(d->train_labels, f[1].v.data, (size_t)d->ntrain);
	memcpy(d->test_labels, f[3].v.data, (size_t)d->ntest);
	return 0;
}

static int idx_load(struct dataset *d, const char *where, const char *const *names)
{
	struct idx_file f[4] = { { 0 } };
	struct dir *dir = open_whole(where);
	int r = dir ? read_all(d, f, dir) : -1;

	dir_close(dir);
	for (int i = 0; i < 4; i++)
		release(&f[i]);
	if (!r)
		dataset_name_classes(d, names);
	return r;
}

static int idx_peek(struct dataset *d, const char *where)
{
	struct idx_file train = { 0 }, test = { 0 };
	struct dir *dir = open_whole(where);
	int r = !dir || read_header(&train, dir, stems[0]) || read_header(&test, dir, stems[2]) ? -1 : 0;

	dir_close(dir);
	release(&train);
	release(&test);
	if (r)
		return -1;
	d->c = 1;
	d->h = train.v.h;
	d->w = train.v.w;
	d->classes = CLASSES;
	d->ntrain = train.v.n;
	d->ntest = test.v.n;
	return 0;
}

/* ---- the two sets: same file names, told apart by their folder ---- */

static const char *const mnist_dirs[] = { "mnist", "MNIST/raw", "MNIST", NULL };
static const char *const fashion_dirs[] = { "fashion-mnist", "FashionMNIST/raw", "FashionMNIST", NULL };

static int idx_probe(const char *root, const char *const *mine, const char *const *others, char where[512])
{
	static const char *const itself[] = { "", NULL };
	int below = dataset_search(root, mine, look, where), here;
	char full[512];

	if (below < 0 || below == DATASET_WHOLE)
		return below;
	for (; *others; others++)
		if (dataset_root_is(root, *others))
			return below;
	here = dataset_search(root, itself, look, full);
	if (here < 0 || here == DATASET_NONE || (here == DATASET_PART && below == DATASET_PART))
		return here < 0 ? -1 : below;
	strcpy(where, full);
	return here;
}

static int mnist_probe(const char *root, const char *name, char where[512])
{
	return strcmp(name, "mnist") ? DATASET_NONE : idx_probe(root, mnist_dirs, fashion_dirs, where);
}

static int fashion_probe(const char *root, const char *name, char where[512])
{
	return strcmp(name, "fashion-mnist") ? DATASET_NONE : idx_probe(root, fashion_dirs, mnist_dirs, where);
}

static int mnist_load(struct dataset *d, const char *where)
{
	static const char *const names[CLASSES] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" };

	return idx_load(d, where, names);
}

static int fashion_load(struct dataset *d, const char *where)
{
	static const char *const names[CLASSES] = { "t-shirt", "trouser", "pullover", "dress", "coat",
		                                    "sandal",  "shirt",   "sneaker",  "bag",   "ankle-boot" };

	return idx_load(d, where, names);
}

/* As published by LeCun et al. */
static const struct dataset_file mnist_files[] = {
	{ "train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db" },
	{ "train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5" },
	{ "t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7" },
	{ "t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2" },
	{ 0 }
};

/* Computed from Debian's package dataset-fashion-mnist. Its files, given back the name and time that gzip had stored
 * (1504176606 and 1504176627), have the MD5 sums that Xiao et al. publish, so these are the published contents. */
static const struct dataset_file fashion_files[] = {
	{ "train-images-idx3-ubyte", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888" },
	{ "train-labels-idx1-ubyte", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9" },
	{ "t10k-images-idx3-ubyte", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b" },
	{ "t10k-labels-idx1-ubyte", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34" },
	{ 0 }
};

const struct dataset_driver dataset_mnist = {
	.drv = { .name = "mnist", .summary = "handwritten digits, 60,000 + 10,000, 28x28 grey, IDX files",
	         .source = "LeCun et al., \"Gradient-based learning applied to document recognition\", Proc. IEEE 1998. "
	                   "Differs: nothing",
	         .version = 1 },
	.install = "download the four *-ubyte.gz files of MNIST (for example from "
	           "https://ossci-datasets.s3.amazonaws.com/mnist/) into ~/.cache/lockbench/mnist/",
	.probe = mnist_probe, .load = mnist_load, .peek = idx_peek,
	.hash = "cbfae1f2bb5c2c0bb6b24ab71f9ee810b99eac95c593a0be7e5406ac150fbea4", .files = mnist_files
};

const struct dataset_driver dataset_fashion_mnist = {
	.drv = { .name = "fashion-mnist", .summary = "articles of clothing, 60,000 + 10,000, 28x28 grey, IDX files",
	         .source = "Xiao, Rasul, Vollgraf, \"Fashion-MNIST: a novel image dataset for benchmarking machine learning "
	                   "algorithms\", arXiv:1708.07747, 2017. Differs: nothing",
	         .version = 1 },
	.install = "apt-get install dataset-fashion-mnist",
	.probe = fashion_probe, .load = fashion_load, .peek = idx_peek,
	.hash = "70c4b653d9c060aa8fa90d6311d0aee0c47b515949d0e80509739fb98f2b1b88", .files = fashion_files
};
