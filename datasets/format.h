/* What the data-set drivers share: parsers that work on memory (the fuzz targets call them too) and the
 * filling of a struct dataset. Private to datasets/ and its tests. */
#ifndef LB_DATASETS_FORMAT_H
#define LB_DATASETS_FORMAT_H

#include "base/dir.h"
#include "datasets/dataset.h"
#include <stddef.h>
#include <stdint.h>

/* Most bytes of pixels a data set may take in memory. */
#define DATASET_MAX_BYTES ((size_t)2 << 30)
#define DATASET_MAX_CLASSES 256 /* labels are bytes */
#define GZ_NAME 64 /* bytes of a file's name; stems are ours */

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

/* 1 when path/name is a folder (links followed: where a set lies is the user's business), and full[512] gets it; 0 when
 * it is not; -1 after error() when nobody can tell. */
int dataset_dir(const char *path, const char *name, char full[512]);
/* The first of the folders root/dirs[i] (NULL-terminated; "": root itself) that holds a whole set, else the first with
 * a part of one, in where. look() judges a folder. DATASET_..., or -1 after error(). */
int dataset_search(const char *root, const char *const *dirs, int (*look)(const struct dir *d), char where[512]);
/* 0, or -1 after error() when a data folder was asked for (not NULL, not "") and is none. */
int dataset_check_root(const char *data_dir);
/* root is itself the folder: its last component is dir. */
bool dataset_root_is(const char *root, const char *dir);
/* The image folders below a root: those with train/ (the whole ones have test/ too), and those that nobody can look
 * into. Sorted; n of them, free with dir_list_free. NULL after error(); a root that is not there has none. */
char **folder_list(const char *root, size_t *n);

/* stem or stem.gz, whichever is there (plain first), in name. 1, 0, or -1 after error(). */
int gz_find(const struct dir *d, const char *stem, char name[GZ_NAME]);
/* At most max bytes of a file, inflated when it is gzip; what lies behind them is not read. Like dir_read() else. */
char *gz_read(const struct dir *d, const char *name, size_t max, size_t *len);

#endif
