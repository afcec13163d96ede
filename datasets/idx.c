/* MNIST and Fashion-MNIST: IDX files, plain or gzip.
 * Source: Y. LeCun, http://yann.lecun.com/exdb/mnist/ ("FILE FORMATS FOR THE MNIST DATABASE").
 *
 *   images: 00 00 08 03, n, rows, columns (32 bits, big-endian), then n * rows * columns bytes
 *   labels: 00 00 08 01, n,                                      then n bytes
 *
 * Differs: a file must be exactly as long as its header says, and labels must be below 10. */
#include "datasets/format.h"
#include "base/error.h"
#include "base/file.h"
#include "datasets/codec.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

/* Published files have 47,040,016 and 60,008 bytes; a gzip bomb is stopped soon after. */
#define MAX_IMAGE_FILE ((size_t)64 << 20)
#define MAX_LABEL_FILE ((size_t)1 << 20)

enum { CLASSES = 10, IMAGE_HEADER = 16, LABEL_HEADER = 8 };

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* ---- parsing memory ---- */

static int check_magic(const uint8_t *p, size_t len, int dims, const char *where)
{
	if (len < (size_t)(4 + 4 * dims))
		return error(EXIT_UNEVALUABLE, "%s: truncated: %zu bytes, less than an IDX header; copy the file again",
		             where, len);
	if (p[0] || p[1] || p[2] != 8 || p[3] != dims)
		return error(EXIT_UNEVALUABLE,
		             "%s: not an IDX file of %s (begins with %02x%02x%02x%02x, wanted 0000080%d); copy the file again",
		             where, dims == 3 ? "images" : "labels", p[0], p[1], p[2], p[3], dims);
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

int idx_parse_labels(const void *data, size_t len, const char *where, int classes, struct idx_view *v)
{
	const uint8_t *p = data;

	if (check_magic(p, len, 1, where) || check_length(be32(p + 4), 1, len - LABEL_HEADER, where))
		return -1;
	*v = (struct idx_view){ .n = (int)be32(p + 4), .data = p + LABEL_HEADER };
	for (int i = 0; i < v->n; i++)
		if (v->data[i] >= classes)
			return error(EXIT_UNEVALUABLE, "%s: label %d of image %d is not below %d; copy the file again", where,
			             v->data[i], i, classes);
	return 0;
}

/* ---- files ---- */

static const char *const stems[] = { "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
	                             "t10k-labels-idx1-ubyte" };

/* dir/stem or dir/stem.gz, whichever exists (plain first); else NULL. Caller frees. */
static char *find_file(const char *dir, const char *stem)
{
	char *path = path_join(dir, stem), *gz;

	if (file_exists(path))
		return path;
	gz = xasprintf("%s.gz", path);
	free(path);
	if (file_exists(gz))
		return gz;
	free(gz);
	return NULL;
}

static bool have_all(const char *dir)
{
	for (size_t i = 0; i < ARRAY_LEN(stems); i++) {
		char *path = find_file(dir, stems[i]);

		free(path);
		if (!path)
			return false;
	}
	return true;
}

struct idx_file {
	char *path, *bytes;
	struct idx_view v;
};

static int read_file(struct idx_file *f, const char *dir, const char *stem, bool labels)
{
	size_t len;

	f->path = find_file(dir, stem);
	if (!f->path)
		return error(EXIT_UNEVALUABLE, "%s/%s: missing, also as .gz", dir, stem);
	f->bytes = file_read_gz(f->path, labels ? MAX_LABEL_FILE : MAX_IMAGE_FILE, &len);
	if (!f->bytes)
		return -1;
	return labels ? idx_parse_labels(f->bytes, len, f->path, CLASSES, &f->v)
	              : idx_parse_images(f->bytes, len, f->path, &f->v);
}

static int check_pair(const struct idx_file *px, const struct idx_file *labels)
{
	if (px->v.n != labels->v.n)
		return error(EXIT_UNEVALUABLE, "%s has %d images, %s has %d labels: they do not belong together; copy both again",
		             px->path, px->v.n, labels->path, labels->v.n);
	return 0;
}

static int check_shapes(const struct idx_file *train, const struct idx_file *test)
{
	if (train->v.h != test->v.h || train->v.w != test->v.w)
		return error(EXIT_UNEVALUABLE, "%s has images of %dx%d, %s of %dx%d: they do not belong together; copy both again",
		             train->path, train->v.h, train->v.w, test->path, test->v.h, test->v.w);
	return 0;
}

/* f: in the order of stems[]. */
static int fill(struct dataset *d, const struct idx_file *f)
{
	if (dataset_alloc(d, 1, f[0].v.h, f[0].v.w, CLASSES, f[0].v.n, f[2].v.n))
		return -1;
	memcpy(d->train_px, f[0].v.data, (size_t)f[0].v.n * f[0].v.h * f[0].v.w);
	memcpy(d->train_labels, f[1].v.data, (size_t)f[1].v.n);
	memcpy(d->test_px, f[2].v.data, (size_t)f[2].v.n * f[2].v.h * f[2].v.w);
	memcpy(d->test_labels, f[3].v.data, (size_t)f[3].v.n);
	return 0;
}

static int idx_load(struct dataset *d, const char *where, const char *const *names)
{
	struct idx_file f[4] = { { 0 } };
	int r = 0;

	for (int i = 0; !r && i < 4; i++)
		r = read_file(&f[i], where, stems[i], i & 1);
	if (!r)
		r = check_pair(&f[0], &f[1]) || check_pair(&f[2], &f[3]) || check_shapes(&f[0], &f[2]) || fill(d, f) ? -1 : 0;
	for (int i = 0; i < 4; i++) {
		free(f[i].path);
		free(f[i].bytes);
	}
	if (!r)
		dataset_name_classes(d, names);
	return r;
}

/* The header of one image file. */
static int peek_header(const char *dir, const char *stem, struct idx_view *v)
{
	char *path = find_file(dir, stem);
	uint8_t head[IMAGE_HEADER];
	gzFile f = path ? gzopen(path, "rb") : NULL;
	int r;

	if (!f || gzread(f, head, sizeof(head)) != (int)sizeof(head))
		r = error(EXIT_UNEVALUABLE, "%s/%s: cannot read its header; copy the file again", dir, stem);
	else
		r = check_magic(head, sizeof(head), 3, path) || parse_header(head, path, v) ? -1 : 0;
	if (f)
		gzclose(f);
	free(path);
	return r;
}

static int idx_peek(struct dataset *d, const char *where)
{
	struct idx_view train, test;

	if (peek_header(where, stems[0], &train) || peek_header(where, stems[2], &test))
		return -1;
	d->c = 1;
	d->h = train.h;
	d->w = train.w;
	d->classes = CLASSES;
	d->ntrain = train.n;
	d->ntest = test.n;
	return 0;
}

/* ---- the two sets: same file names, told apart by their folder ---- */

static const char *const mnist_dirs[] = { "mnist", "MNIST/raw", "MNIST", NULL };
static const char *const fashion_dirs[] = { "fashion-mnist", "FashionMNIST/raw", "FashionMNIST", NULL };

static bool idx_probe(const char *root, const char *const *mine, const char *const *others, char where[512])
{
	for (; *mine; mine++)
		if (dataset_dir(root, *mine, where) && have_all(where))
			return true;
	for (; *others; others++)
		if (dataset_root_is(root, *others))
			return false;
	return dataset_dir(root, "", where) && have_all(where);
}

static bool mnist_probe(const char *root, const char *name, char where[512])
{
	return !strcmp(name, "mnist") && idx_probe(root, mnist_dirs, fashion_dirs, where);
}

static bool fashion_probe(const char *root, const char *name, char where[512])
{
	return !strcmp(name, "fashion-mnist") && idx_probe(root, fashion_dirs, mnist_dirs, where);
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
