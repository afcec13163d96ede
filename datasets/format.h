/* What the data-set drivers share: parsers that work on memory (the fuzz targets call them too) and the
 * filling of a struct dataset. Private to datasets/ and its tests. */
#ifndef LB_DATASETS_FORMAT_H
#define LB_DATASETS_FORMAT_H

#include "datasets/dataset.h"
#include <stddef.h>
#include <stdint.h>

/* Most bytes of pixels a data set may take in memory. */
#define DATASET_MAX_BYTES ((size_t)2 << 30)
#define DATASET_MAX_CLASSES 256 /* labels are bytes */

/* A parsed IDX file; data is borrowed from the bytes given. */
struct idx_view {
	int n, h, w;         /* h, w: 0 for labels */
	const uint8_t *data; /* (n, h, w) or (n) */
};
/* The whole file must be exactly what its header says; labels below `classes`. 0, or -1 after error() naming `where`. */
int idx_parse_images(const void *data, size_t len, const char *where, struct idx_view *v);
int idx_parse_labels(const void *data, size_t len, const char *where, int classes, struct idx_view *v);

/* One batch of the CIFAR-10 binary version: n records of a label byte and 3 x 32 x 32 pixels, nothing else.
 * px (n, 3, 32, 32) and labels (n) are filled. 0, or -1 after error() naming `where`. */
enum { CIFAR_SIDE = 32, CIFAR_PIXELS = 3 * CIFAR_SIDE * CIFAR_SIDE, CIFAR_RECORD = 1 + CIFAR_PIXELS, CIFAR_BATCH = 10000 };
int cifar10_parse(const void *data, size_t len, int n, const char *where, uint8_t *px, uint8_t *labels);

/* Set the sizes and take the memory of d; -1 after error() when they are too large. */
int dataset_alloc(struct dataset *d, int c, int h, int w, int classes, int ntrain, int ntest);
/* Copy d->classes names. */
void dataset_name_classes(struct dataset *d, const char *const *names);
/* Every label is a class and every class is in both parts, else -1 after error() naming `where`. */
int dataset_check(const struct dataset *d, const char *where);

/* true when path/name is a directory (links followed); full[512] gets it. False too when it does not fit. */
bool dataset_dir(const char *path, const char *name, char full[512]);
/* 0, or -1 after error() when a data folder was asked for (not NULL, not "") and is none. */
int dataset_check_root(const char *data_dir);
/* root is itself the folder: its last component is dir. */
bool dataset_root_is(const char *root, const char *dir);
/* The names of all image folders below a root, sorted; n of them, free with dir_list_free. NULL when there is none. */
char **folder_list(const char *root, size_t *n);

#endif
