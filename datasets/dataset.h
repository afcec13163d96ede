/* Data sets: found on this machine, read strictly, kept as uint8 in memory, split deterministically.
 *
 * A data set's name says what it is ("mnist", "fashion-mnist", "cifar10", "synthetic"), or names an image folder
 * ("cifar10-jpeg": a directory with train/<class>/ and test/<class>/ below one of the search roots).
 * Search order: --data-dir, $LOCKBENCH_DATA, $XDG_CACHE_HOME/lockbench (or ~/.cache/lockbench), /usr/share/datasets;
 * in each both our layout (<root>/mnist/train-images-idx3-ubyte[.gz]) and torchvision's
 * (<root>/MNIST/raw/..., <root>/FashionMNIST/raw/..., <root>/cifar-10-batches-bin/...), and <root> itself. */
#ifndef LB_DATASETS_DATASET_H
#define LB_DATASETS_DATASET_H

#include "base/driver.h"
#include "nn/images.h"
#include <stdbool.h>
#include <stdint.h>

struct dataset {
	char name[64];
	char where[512];    /* the folder it was read from, "(generated)" for synthetic */
	char hash[65];      /* SHA-256 of the payload: sizes, training pixels, labels, test pixels, labels: the same for
			     * a file and its .gz */
	int c, h, w, classes;
	int ntrain, ntest;
	uint8_t *train_px, *train_labels; /* (ntrain, c, h, w), (ntrain) */
	uint8_t *test_px, *test_labels;
	char **class_names; /* classes entries; may be NULL */
};

/* SHA-256 of a published file's content (of a .gz: inflated). */
struct dataset_file {
	const char *name; /* without .gz */
	const char *sha256;
};

/* What a look for a set finds. Part of a set is found too: loading it says what is missing. */
enum dataset_there { DATASET_NONE, DATASET_WHOLE, DATASET_PART };

/* A driver per kind of data set. */
struct dataset_driver {
	struct driver drv;  /* must be first */
	/* Which known sets this format holds, and what to do when one is missing. */
	const char *install; /* "apt-get install dataset-fashion-mnist", or what to download by hand and where to put it */
	bool generated; /* needs no files: what probe() says does not depend on root */
	/* Look below root for the set `name`: DATASET_..., and the folder in where; -1 after error() when nobody can
	 * tell. */
	int (*probe)(const char *root, const char *name, char where[512]);
	/* Read it. 0, or -1 after error() naming the file. d->name is set. */
	int (*load)(struct dataset *d, const char *where);
	/* Fill in the sizes only (c, h, w, classes, ntrain, ntest), without reading the pixels. 0, or -1 after error(). */
	int (*peek)(struct dataset *d, const char *where);
	const char *hash; /* payload hash of the published set; NULL: none is known */
	const struct dataset_file *files; /* its files, ending with a zero row; NULL: none are known */
};
extern const struct driver *const datasets[]; /* sorted, NULL-terminated; the image-folder driver is named "folder" */

/* Load by name; data_dir may be NULL. Never returns half a data set. NULL after error(): what was looked for, where,
 * and how to install it. Files that hold another published set are an error; files that differ from the published
 * ones are a warning (`lockbench data verify` says which). The caller frees. */
struct dataset *dataset_load(const char *name, const char *data_dir);
void dataset_free(struct dataset *d);
/* Where it would be read from: DATASET_WHOLE or DATASET_PART and the folder, DATASET_NONE, or -1 after error() when
 * nobody can tell (a folder that cannot be looked into). A folder that nobody named (the cache, /usr/share/datasets) is
 * passed over with a warning when it cannot be looked into and the set is found elsewhere. A malformed name
 * is nowhere. */
int dataset_where(const char *name, const char *data_dir, char where[512]);
/* The driver that reads `name`, that of image folders when it is no known set. NULL after error() when the name is malformed. */
const struct dataset_driver *dataset_driver_of(const char *name);
/* Is this payload (struct dataset's hash) the published set of that name? 1, 0, or -1 when nothing is published to
 * compare it with. */
int dataset_published(const char *name, const char *hash);
/* Every known set and each image folder found, sorted; free with dir_list_free. *unseen: why a search root could not be
 * listed (caller frees), NULL when each was. */
char **dataset_names(const char *data_dir, size_t *n, char **unseen);
/* The search roots in order, n of them (existing or not); caller frees with dir_list_free. */
char **dataset_roots(const char *data_dir, size_t *n);
/* For `lockbench data where|list|verify`: prints on stdout for people or, with json, one JSON value only; returns an
 * exit code: EXIT_IO when something could not be read, so that there is no answer; else EXIT_NO when verify finds
 * damage or a difference from the published files; else EXIT_UNEVALUABLE when a set is incomplete or a named one
 * missing. names: n of them, or n = 0 for every known set (and each image folder found). */
int dataset_report(const char *verb, const char *const *names, int n, const char *data_dir, bool json);

struct images dataset_train(const struct dataset *d);
struct images dataset_test(const struct dataset *d);

/* Who may see what. Owner's training set, owner's validation, attack pool, attacker's validation: disjoint parts of
 * the training images, shuffled by (seed, "split"), each class in proportion (largest remainder); test: the test images.
 * Sizes: pool = n/6, attacker's validation = n/60, owner's validation = n/60, owner's training the rest
 * (60,000: 48,000 + 1,000 + 10,000 + 1,000). */
struct splits {
	struct images owner, val, pool, attacker_val, test;
	int *index; /* private storage of the views */
};
/* limit_train, limit_test: use only so many training / test images (stratified likewise; 0 or more than there are: all).
 * Every view is in random order, so images_first() of one is a fair sample. The test view does not depend on the seed:
 * all seeds are judged on the same images. At least SPLITS_MIN training images, so that no part is empty; else -1
 * after error(). d must outlive s. */
#define SPLITS_MIN 60
int splits_make(struct splits *s, const struct dataset *d, uint64_t seed, int limit_train, int limit_test);
/* The second regime (attacks.md 0.6): the attack pool becomes as many images of the owner's training set, which keeps them. The attacker's
 * validation images stay nobody else's. */
void splits_overlap(struct splits *s);
void splits_release(struct splits *s);

#endif
