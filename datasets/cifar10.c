/* CIFAR-10, binary version: data_batch_1.bin .. data_batch_5.bin and test_batch.bin, 10,000 records each of one label
 * byte and 3072 bytes of pixels (red, green, blue plane), no header.
 * Source: A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
 * Differs: a batch of any other length is refused. The Python version is never read: unpickling runs code. */
#include "datasets/format.h"
#include "base/error.h"
#include <stdio.h>
#include <string.h>

enum { CLASSES = 10, TRAIN_BATCHES = 5, BATCHES = 6 };

static const char *const batch_files[BATCHES] = { "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
	                                          "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin" };

int cifar10_parse(const void *data, size_t len, int n, const char *where, uint8_t *px, uint8_t *labels)
{
	const uint8_t *p = data;

	if (len == (size_t)n * (CIFAR_RECORD + 1))
		return error(EXIT_UNEVALUABLE,
		             "%s: %d records of %d bytes, two labels each: this is CIFAR-100, not CIFAR-10", where, n,
		             CIFAR_RECORD + 1);
	if (len != (size_t)n * CIFAR_RECORD)
		return error(EXIT_UNEVALUABLE, "%s: %s: %zu bytes, wanted %d records of %d bytes; copy the file again", where,
		             len < (size_t)n * CIFAR_RECORD ? "truncated" : "trailing bytes", len, n, CIFAR_RECORD);
	for (int i = 0; i < n; i++, p += CIFAR_RECORD) {
		if (p[0] >= CLASSES)
			return error(EXIT_UNEVALUABLE, "%s: label %d of image %d is not below %d; copy the file again", where, p[0],
			             i, CLASSES);
		labels[i] = p[0];
		memcpy(px + (size_t)i * CIFAR_PIXELS, p + 1, CIFAR_PIXELS);
	}
	return 0;
}

static int read_batch(const struct dir *dir, const char *file, uint8_t *px, uint8_t *labels)
{
	char *path = dir_path(dir, file);
	size_t len;
	/* More than allowed, so that a longer file is reported by the parser, with its reason. */
	char *data = dir_read(dir, file, (size_t)CIFAR_BATCH * (CIFAR_RECORD + 1), &len);
	int r = data ? cifar10_parse(data, len, CIFAR_BATCH, path, px, labels) : -1;

	free(data);
	free(path);
	return r;
}

static int read_batches(struct dataset *d, const struct dir *dir)
{
	for (int b = 0; b < TRAIN_BATCHES; b++)
		if (read_batch(dir, batch_files[b], d->train_px + (size_t)b * CIFAR_BATCH * CIFAR_PIXELS,
		               d->train_labels + b * CIFAR_BATCH))
			return -1;
	return read_batch(dir, batch_files[TRAIN_BATCHES], d->test_px, d->test_labels);
}

/* How many of the files are there? -1 after error(). */
static int count_files(const struct dir *dir, const char **missing)
{
	int n = 0;

	for (int b = 0; b < BATCHES; b++) {
		int r = dir_there(dir, batch_files[b], NULL);

		if (r < 0)
			return -1;
		n += r > 0;
		if (!r)
			*missing = batch_files[b];
	}
	return n;
}

/* The folder, with every file in it. NULL after error(). */
static struct dir *open_whole(const char *where)
{
	struct dir *dir = dir_open(where);
	const char *missing = "";
	int n = dir ? count_files(dir, &missing) : -1;

	if (n == BATCHES)
		return dir;
	if (n >= 0)
		error(EXIT_UNEVALUABLE, "%s is only a part of cifar10: %s is missing; unpack the archive again", where,
		      missing);
	dir_close(dir);
	return NULL;
}

static int cifar10_load(struct dataset *d, const char *where)
{
	static const char *const names[CLASSES] = { "airplane", "automobile", "bird",  "cat",  "deer",
		                                    "dog",      "frog",       "horse", "ship", "truck" };

	struct dir *dir = open_whole(where);
	int n = TRAIN_BATCHES * CIFAR_BATCH, r = -1;

	if (dir && !dataset_alloc(d, 3, CIFAR_SIDE, CIFAR_SIDE, CLASSES, n, CIFAR_BATCH))
		r = read_batches(d, dir);

	dir_close(dir);
	if (!r)
		dataset_name_classes(d, names);
	return r;
}

static int check_sizes(const struct dir *dir)
{
	for (int b = 0; b < BATCHES; b++) {
		uint64_t bytes;
		int r = dir_there(dir, batch_files[b], &bytes);

		if (r < 0)
			return -1;
		if (r != DIR_FILE || bytes != (uint64_t)CIFAR_BATCH * CIFAR_RECORD)
			return error(EXIT_UNEVALUABLE, "%s/%s: not %d records of %d bytes; copy the file again",
			             dir_name(dir), batch_files[b], CIFAR_BATCH, CIFAR_RECORD);
	}
	return 0;
}

static int cifar10_peek(struct dataset *d, const char *where)
{
	struct dir *dir = open_whole(where);
	int r = dir ? check_sizes(dir) : -1;

	dir_close(dir);
	if (r)
		return -1;
	d->c = 3;
	d->h = d->w = CIFAR_SIDE;
	d->classes = CLASSES;
	d->ntrain = TRAIN_BATCHES * CIFAR_BATCH;
	d->ntest = CIFAR_BATCH;
	return 0;
}

static int look(const struct dir *dir)
{
	const char *missing;
	int n = count_files(dir, &missing);

	if (n < 0)
		return -1;
	return n == BATCHES ? DATASET_WHOLE : n ? DATASET_PART : DATASET_NONE;
}

static int cifar10_probe(const char *root, const char *name, char where[512])
{
	static const char *const dirs[] = { "cifar10", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin", "", NULL };

	return strcmp(name, "cifar10") ? DATASET_NONE : dataset_search(root, dirs, look, where);
}

const struct dataset_driver dataset_cifar10 = {
	.drv = { .name = "cifar10", .summary = "small photographs, 50,000 + 10,000, 32x32 RGB, binary batches",
	         .source = "Krizhevsky, \"Learning multiple layers of features from tiny images\", 2009. Differs: nothing",
	         .version = 1 },
	.install = "download https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz (MD5 c32a1d4ab5d03f1284b67883e8d87530; "
	           "not the Python version) and unpack it in ~/.cache/lockbench/",
	.probe = cifar10_probe, .load = cifar10_load, .peek = cifar10_peek,
	.hash = NULL, .files = NULL /* no published SHA-256 of the batches is known */
};
