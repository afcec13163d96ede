/* The table of data-set drivers, the search for a set, and loading: all or nothing. */
#include "datasets/dataset.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "datasets/format.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DATASET(x) extern const struct dataset_driver dataset_##x;
#include "datasets/list.def"
#undef DATASET
#define DATASET(x) &dataset_##x.drv,
const struct driver *const datasets[] = {
#include "datasets/list.def"
	NULL
};
#undef DATASET

static const struct dataset_driver *driver_at(int i)
{
	return (const struct dataset_driver *)datasets[i];
}

/* ---- for the drivers: filling a data set ---- */

int dataset_alloc(struct dataset *d, int c, int h, int w, int classes, int ntrain, int ntest)
{
	const size_t size = (size_t)c * (size_t)h * (size_t)w;

	BUG_ON(c < 1 || h < 1 || w < 1 || classes < 2 || classes > DATASET_MAX_CLASSES || ntrain < 1 || ntest < 1);
	if (((size_t)ntrain + (size_t)ntest) > DATASET_MAX_BYTES / size)
		return error(EXIT_UNEVALUABLE, "%s: %d + %d images of %dx%dx%d need more than %zu MiB; use fewer or smaller images",
		             d->name, ntrain, ntest, c, h, w, DATASET_MAX_BYTES >> 20);
	d->c = c;
	d->h = h;
	d->w = w;
	d->classes = classes;
	d->ntrain = ntrain;
	d->ntest = ntest;
	d->train_px = xmalloc((size_t)ntrain, size);
	d->test_px = xmalloc((size_t)ntest, size);
	d->train_labels = xmalloc((size_t)ntrain, 1);
	d->test_labels = xmalloc((size_t)ntest, 1);
	return 0;
}

void dataset_name_classes(struct dataset *d, const char *const *names)
{
	d->class_names = xcalloc((size_t)d->classes, sizeof(*d->class_names));
	for (int i = 0; i < d->classes; i++)
		d->class_names[i] = xstrdup(names[i]);
}

static int check_labels(const uint8_t *labels, int n, int classes, const char *where, const char *part)
{
	int count[DATASET_MAX_CLASSES] = { 0 };

	for (int i = 0; i < n; i++) {
		if (labels[i] >= classes)
			return error(EXIT_UNEVALUABLE, "%s: label %d of %s image %d is not below %d", where, labels[i], part, i, classes);
		count[labels[i]]++;
	}
	for (int k = 0; k < classes; k++)
		if (!count[k])
			return error(EXIT_UNEVALUABLE, "%s: class %d has no %s image; every class needs at least one", where, k, part);
	return 0;
}

int dataset_check(const struct dataset *d, const char *where)
{
	if (check_labels(d->train_labels, d->ntrain, d->classes, where, "training") ||
	    check_labels(d->test_labels, d->ntest, d->classes, where, "test"))
		return -1;
	return 0;
}

void dataset_free(struct dataset *d)
{
	if (!d)
		return;
	for (int i = 0; d->class_names && i < d->classes; i++)
		free(d->class_names[i]);
	free(d->class_names);
	free(d->train_px);
	free(d->train_labels);
	free(d->test_px);
	free(d->test_labels);
	free(d);
}

struct images dataset_train(const struct dataset *d)
{
	return (struct images){ .n = d->ntrain, .c = d->c, .h = d->h, .w = d->w, .classes = d->classes,
		                .px = d->train_px, .labels = d->train_labels };
}

struct images dataset_test(const struct dataset *d)
{
	return (struct images){ .n = d->ntest, .c = d->c, .h = d->h, .w = d->w, .classes = d->classes,
		                .px = d->test_px, .labels = d->test_labels };
}

static void hash_payload(struct dataset *d)
{
	const size_t size = (size_t)d->c * (size_t)d->h * (size_t)d->w;
	char sizes[128];
	struct hash h;

	hash_init(&h);
	hash_add(&h, sizes, (size_t)snprintf(sizes, sizeof(sizes), "%d %d %d %d %d %d\n", d->c, d->h, d->w, d->classes, d->ntrain,
	                                     d->ntest));
	hash_add(&h, d->train_px, (size_t)d->ntrain * size);
	hash_add(&h, d->train_labels, (size_t)d->ntrain);
	hash_add(&h, d->test_px, (size_t)d->ntest * size);
	hash_add(&h, d->test_labels, (size_t)d->ntest);
	hash_end_hex(&h, d->hash);
}

/* ---- names ---- */

/* Also keeps "..", "/" and hidden folders out of the paths that are made from a name. */
static bool name_ok(const char *name)
{
	const size_t n = strlen(name);

	if (!n || n > 63 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != n)
		return false;
	return name[0] != '.' && name[0] != '_' && name[0] != '-';
}

static bool is_known(const char *name)
{
	for (int i = 0; datasets[i]; i++)
		if (!strcmp(datasets[i]->name, name))
			return true;
	return false;
}

const struct dataset_driver *dataset_driver_of(const char *name)
{
	const struct dataset_driver *folder = NULL;

	if (!name_ok(name)) {
		error(EXIT_UNEVALUABLE, "'%s' is no data set's name: 1 to 63 of a-z 0-9 . _ -, the first a letter or digit", name);
		return NULL;
	}
	if (!strcmp(name, "folder")) {
		error(EXIT_UNEVALUABLE, "'folder' is a kind of data set: name the image folder itself, such as cifar10-jpeg");
		return NULL;
	}
	for (int i = 0; datasets[i]; i++) {
		if (!strcmp(datasets[i]->name, name))
			return driver_at(i);
		if (!strcmp(datasets[i]->name, "folder"))
			folder = driver_at(i);
	}
	return folder;
}

/* ---- where sets are looked for ---- */

int dataset_dir(const char *path, const char *name, char full[512])
{
	const int n = snprintf(full, 512, *name ? "%s/%s" : "%s", path, name);
	struct stat st;
	int r;

	if (n < 0 || n >= 512)
		return error(EXIT_UNEVALUABLE,
		             "cannot look into %s/%s: the path is longer than 511 characters; use a shorter one", path,
		             name);
	r = file_there(full);
	return r > 0 && (stat(full, &st) || !S_ISDIR(st.st_mode)) ? 0 : r;
}

int dataset_search(const char *root, const char *const *dirs, int (*look)(const struct dir *d), char where[512])
{
	int best = DATASET_NONE;
	char full[512];

	for (; *dirs && best != DATASET_WHOLE; dirs++) {
		struct dir *d = NULL;
		int r = dataset_dir(root, *dirs, full);

		if (r > 0)
			r = dir_find(full, &d);
		if (r > 0)
			r = look(d);
		dir_close(d);
		if (r < 0)
			return -1;
		if (r == DATASET_WHOLE || (r == DATASET_PART && best == DATASET_NONE)) {
			best = r;
			strcpy(where, full);
		}
	}
	return best;
}

bool dataset_root_is(const char *root, const char *dir)
{
	size_t n = strlen(root);
	const size_t want = strlen(dir);

	while (n > 1 && root[n - 1] == '/')
		n--;
	return n >= want && !strncmp(root + n - want, dir, want) && (n == want || root[n - want - 1] == '/');
}

static char *cache_root(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (xdg && xdg[0] == '/') /* the specification ignores relative paths */
		return path_join(xdg, "lockbench");
	return home && *home ? path_join(home, ".cache/lockbench") : NULL;
}

char **dataset_roots(const char *data_dir, size_t *n)
{
	const char *env = getenv("LOCKBENCH_DATA");
	char **roots = xcalloc(4, sizeof(*roots)), *cache = cache_root();

	*n = 0;
	if (data_dir && *data_dir)
		roots[(*n)++] = xstrdup(data_dir);
	if (env && *env)
		roots[(*n)++] = xstrdup(env);
	if (cache)
		roots[(*n)++] = cache;
	roots[(*n)++] = xstrdup("/usr/share/datasets");
	return roots;
}

/* Did somebody ask for this root, or is it one of those that are always looked in? */
static bool was_named(const char *root, const char *data_dir)
{
	const char *env = getenv("LOCKBENCH_DATA");

	return (data_dir && !strcmp(root, data_dir)) || (env && !strcmp(root, env));
}

/* 1 when names below a root can be looked up, 0 when there is no such folder, -1 after error(). */
static int can_search(const char *root)
{
	char *inside = path_join(root, ".");
	struct stat st;
	int r = stat(inside, &st) == 0 ? 1 : errno == ENOTDIR ? 0 : -1, cause = errno;

	free(inside);
	if (r >= 0)
		return r;
	if (cause == ENOENT)
		return file_there(root) < 0 ? -1 : 0; /* a link to nothing */
	return error(EXIT_IO, "cannot look into %s: %s", root, strerror(cause));
}

struct finding {
	int there;        /* the best so far */
	char *where;      /* (512) */
	char *unseen;     /* why a root could not be looked into, or NULL */
};

/* -1 after error(). */
static int find_below(const struct dataset_driver *drv, const char *name, const char *root, bool named,
                      struct finding *f)
{
	char where[512];
	int r = can_search(root);

	if (r < 0 && !named) {
		if (!f->unseen)
			f->unseen = xstrdup(error_text());
		error_clear();
		return 0;
	}
	if (r > 0)
		r = drv->probe(root, name, where);
	if (r == DATASET_WHOLE || (r == DATASET_PART && f->there == DATASET_NONE)) {
		f->there = r;
		strcpy(f->where, where);
	}
	return r < 0 ? -1 : 0;
}

/* A root that could not be looked into is no place where the set is not. */
static int weigh(const struct finding *f, const char *name)
{
	static bool said;

	if (!f->unseen)
		return f->there;
	if (f->there == DATASET_NONE)
		return error(EXIT_IO, "%s; '%s' may be in there, it is nowhere else", f->unseen, name);
	if (!said)
		warning("%s; %s is read from %s", f->unseen, name, f->where);
	said = true;
	return f->there;
}

/* As dataset_where(). */
static int find(const struct dataset_driver *drv, const char *name, const char *data_dir, char where[512])
{
	struct finding f = { DATASET_NONE, where, NULL };
	char **roots;
	size_t n;
	int r = 0;

	if (drv->generated)
		return drv->probe("", name, where);
	roots = dataset_roots(data_dir, &n);
	for (size_t i = 0; i < n && !r && f.there != DATASET_WHOLE; i++)
		r = find_below(drv, name, roots[i], was_named(roots[i], data_dir), &f);
	dir_list_free(roots, n);
	if (!r)
		r = weigh(&f, name);
	free(f.unseen);
	return r;
}

int dataset_where(const char *name, const char *data_dir, char where[512])
{
	return name_ok(name) && strcmp(name, "folder") ? find(dataset_driver_of(name), name, data_dir, where)
	                                               : DATASET_NONE;
}

struct names {
	char **v;
	size_t n;
};

static void names_add(struct names *l, const char *name)
{
	size_t at = 0;

	while (at < l->n && strcmp(l->v[at], name) < 0)
		at++;
	if (at < l->n && !strcmp(l->v[at], name))
		return;
	l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
	memmove(l->v + at + 1, l->v + at, (l->n - at) * sizeof(*l->v));
	l->v[at] = xstrdup(name);
	l->n++;
}

/* The image folders below one root. */
static void names_below(struct names *l, const char *root, char **unseen)
{
	size_t n;
	char **found = folder_list(root, &n);

	for (size_t j = 0; found && j < n; j++)
		if (name_ok(found[j]) && !is_known(found[j]))
			names_add(l, found[j]);
	if (!found && !*unseen)
		*unseen = xstrdup(error_text());
	if (!found)
		error_clear();
	dir_list_free(found, n);
}

char **dataset_names(const char *data_dir, size_t *n, char **unseen)
{
	struct names l = { 0 };
	size_t nroots;
	char **roots = dataset_roots(data_dir, &nroots);

	*unseen = NULL;
	for (int i = 0; datasets[i]; i++)
		if (strcmp(datasets[i]->name, "folder"))
			names_add(&l, datasets[i]->name);
	for (size_t i = 0; i < nroots; i++)
		names_below(&l, roots[i], unseen);
	dir_list_free(roots, nroots);
	*n = l.n;
	return l.v;
}

/* ---- loading ---- */

int dataset_check_root(const char *data_dir)
{
	char full[512];
	int r = data_dir && *data_dir ? dataset_dir(data_dir, "", full) : 1;

	if (r == 0)
		return error(EXIT_UNEVALUABLE, "%s: no such folder (the data folder that was asked for)", data_dir);
	return r < 0 ? -1 : 0;
}

/* "a, b, c"; caller frees. */
static char *roots_text(const char *data_dir)
{
	size_t n;
	char **roots = dataset_roots(data_dir, &n), *text = xstrdup(roots[0]);

	for (size_t i = 1; i < n; i++) {
		char *longer = xasprintf("%s, %s", text, roots[i]);

		free(text);
		text = longer;
	}
	dir_list_free(roots, n);
	return text;
}

static void report_missing(const struct dataset_driver *drv, const char *name, const char *data_dir)
{
	size_t n;
	/* The set is in none of the roots; one that can be searched but not listed only has no names to suggest. */
	char *unseen, **names = dataset_names(data_dir, &n, &unseen), *roots = roots_text(data_dir);
	const char *near = is_known(name) ? NULL : suggest(name, (const char *const *)names, n);

	if (near)
		error(EXIT_UNEVALUABLE, "no data set '%s'; did you mean '%s'? (looked in %s)", name, near, roots);
	else
		error(EXIT_UNEVALUABLE, "no data set '%s' in %s; to install it: %s", name, roots, drv->install);
	free(roots);
	free(unseen);
	dir_list_free(names, n);
}

int dataset_published(const char *name, const char *hash)
{
	for (int i = 0; datasets[i]; i++)
		if (!strcmp(datasets[i]->name, name) && driver_at(i)->hash && *hash)
			return !strcmp(driver_at(i)->hash, hash);
	return -1;
}

/* MNIST and Fashion-MNIST use the same file names: the payload says which one it is. */
static int check_identity(const struct dataset *d, const struct dataset_driver *drv)
{
	for (int i = 0; datasets[i]; i++) {
		const struct dataset_driver *o = driver_at(i);

		if (o != drv && o->hash && !strcmp(o->hash, d->hash))
			return error(EXIT_UNEVALUABLE, "%s holds %s, not %s; move it to a folder of its name", d->where, o->drv.name, d->name);
	}
	if (dataset_published(d->name, d->hash) == 0)
		warning("%s: this is not the published %s; results are not comparable with others'. `lockbench data verify %s` says "
		        "which file differs", d->where, d->name, d->name);
	return 0;
}

static int load_into(struct dataset *d, const struct dataset_driver *drv)
{
	if (drv->load(d, d->where) || dataset_check(d, d->where))
		return -1;
	hash_payload(d);
	return check_identity(d, drv);
}

struct dataset *dataset_load(const char *name, const char *data_dir)
{
	const struct dataset_driver *drv = dataset_driver_of(name);
	struct dataset *d;
	int r;

	if (!drv || dataset_check_root(data_dir))
		return NULL;
	d = xcalloc(1, sizeof(*d));
	snprintf(d->name, sizeof(d->name), "%s", name);
	r = find(drv, name, data_dir, d->where);
	if (r == DATASET_NONE)
		report_missing(drv, name, data_dir);
	else if (r > 0 && !load_into(d, drv))
		return d;
	dataset_free(d);
	return NULL;
}
