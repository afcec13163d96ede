/* CIFAR-10, binary version: data_batch_1.bin .. data_batch_5.bin and test_batch.bin, 10,000 records each of one label
 * byte and 3072 bytes of pixels (red, green, blue plane), no header.
 * Source: A. Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
 * Differs: a batch of any other length is refused. The Python version is never read: unpickling runs code. */
#include "datasets/format.h"
#include "base/error.h"
#include "base/file.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { CLASSES = 10, TRAIN_BATCHES = 5, BATCHES = 6 };

static const char *const batch_files[BATCHES] = { "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
	                                          "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin" };

int cifar10_parse(const void *data, size_t len, int n, const char *where, uint8_t *px, uint8_t *labels)
{
	const uint8_t *p = data;

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

static int read_batch(const char *where, const char *file, uint8_t *px, uint8_t *labels)
{
	char *path = path_join(where, file);
	size_t len;
	/* One byte more than allowed, so that a longer file is reported by the parser, with its reason. */
	char *data = file_read(path, (size_t)CIFAR_BATCH * CIFAR_RECORD + 1, &len);
	int r = data ? cifar10_parse(data, len, CIFAR_BATCH, path, px, labels) : -1;

	free(data);
	free(path);
	return r;
}

static int cifar10_load(struct dataset *d, const char *where)
{
	static const char *const names[CLASSES] = { "airplane", "automobile", "bird",  "cat",  "deer",
		                                    "dog",      "frog",       "horse", "ship", "truck" };

	if (dataset_alloc(d, 3, CIFAR_SIDE, CIFAR_SIDE, CLASSES, TRAIN_BATCHES * CIFAR_BATCH, CIFAR_BATCH))
		return -1;
	for (int b = 0; b < TRAIN_BATCHES; b++)
		if (read_batch(where, batch_files[b], d->train_px + (size_t)b * CIFAR_BATCH * CIFAR_PIXELS,
		               d->train_labels + b * CIFAR_BATCH))
			return -1;
	if (read_batch(where, batch_files[TRAIN_BATCHES], d->test_px, d->test_labels))
		return -1;
	dataset_name_classes(d, names);
	return 0;
}

static int cifar10_peek(struct dataset *d, const char *where)
{
	for (int b = 0; b < BATCHES; b++) {
		char *path = path_join(where, batch_files[b]);
		struct stat st;
		int r = stat(path, &st) || st.st_size != (off_t)CIFAR_BATCH * CIFAR_RECORD;

		if (r)
			error(EXIT_UNEVALUABLE, "%s: not %d records of %d bytes; copy the file again", path, CIFAR_BATCH, CIFAR_RECORD);
		free(path);
		if (r)
			return -1;
	}
	d->c = 3;
	d->h = d->w = CIFAR_SIDE;
	d->classes = CLASSES;
	d->ntrain = TRAIN_BATCHES * CIFAR_BATCH;
	d->ntest = CIFAR_BATCH;
	return 0;
}

static bool have_all(const char *dir)
{
	for (int b = 0; b < BATCHES; b++) {
		char *path = path_join(dir, batch_files[b]);
		bool found = file_exists(path);

		free(path);
		if (!found)
			return false;
	}
	return true;
}

static bool cifar10_probe(const char *root, const char *name, char where[512])
{
	static const char *const dirs[] = { "cifar10", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin", "", NULL };

	if (strcmp(name, "cifar10"))
		return false;
	for (int i = 0; dirs[i]; i++)
		if (dataset_dir(root, dirs[i], where) && have_all(where))
			return true;
	return false;
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
