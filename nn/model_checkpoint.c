/* Models in files and bundles: safetensors with PyTorch's names, strict on reading. See model.h. */
#include "nn/model.h"

#include "base/error.h"
#include "nn/bundle.h"
#include <limits.h>
#include <math.h>
#include <string.h>

#define NAME_MAX_LEN 128 /* a prefix and a parameter's name */

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n >= k && !strcmp(name + n - k, suffix);
}

/* prefix and name as one; buf of NAME_MAX_LEN. */
static const char *join(const char *prefix, const char *name, char *buf)
{
	BUG_ON(snprintf(buf, NAME_MAX_LEN, "%s%s", prefix, name) >= NAME_MAX_LEN);
	return buf;
}

/* ---- writing ---- */

static void put_number(struct bundle *b, const char *prefix, const char *key, int v)
{
	char name[NAME_MAX_LEN];

	bundle_meta_num(b, join(prefix, key, name), v);
}

static void put_spec(struct bundle *b, const char *prefix, const struct model_spec *s)
{
	char name[NAME_MAX_LEN];

	bundle_meta(b, join(prefix, "arch", name), s->arch);
	put_number(b, prefix, "width", s->width);
	put_number(b, prefix, "c", s->c);
	put_number(b, prefix, "h", s->h);
	put_number(b, prefix, "w", s->w);
	put_number(b, prefix, "classes", s->classes);
}

void model_put(const struct model *m, const char *prefix, struct bundle *b)
{
	put_spec(b, prefix, &m->spec);
	for (int i = 0; i < m->np; i++) {
		const struct param *p = &m->p[i];
		int64_t d[4] = { p->d[0], p->d[1], p->d[2], p->d[3] };
		char name[NAME_MAX_LEN];
		float *x = bundle_put(b, join(prefix, p->name, name), DT_F32, p->nd, d, NULL);

		for (size_t k = 0; k < p->len; k++)
			x[k] = (float)p->x[k];
	}
}

int model_save(const struct model *m, const char *path, json_t *extra)
{
	struct bundle b;
	const char *key;
	json_t *value;
	int r;

	bundle_init(&b);
	json_object_foreach(extra, key, value) {
		BUG_ON(!json_is_string(value));
		bundle_meta(&b, key, json_string_value(value));
	}
	bundle_meta(&b, "format", "pt");
	model_put(m, "", &b);
	r = bundle_save(&b, path);
	bundle_release(&b);
	return r;
}

/* ---- reading ---- */

/* A whole number 0 .. INT_MAX of the metadata, or -1, which no spec accepts. */
static int meta_int(const struct bundle *b, const char *prefix, const char *key)
{
	char name[NAME_MAX_LEN];
	double v = bundle_meta_getnum(b, join(prefix, key, name), -1);

	return v >= 0 && v <= INT_MAX && v == floor(v) ? (int)v : -1;
}

/* 0 when the file says nothing about its architecture, 1 when *s was filled, -1 after error(). */
static int read_spec(const struct bundle *b, const char *prefix, struct model_spec *s)
{
	char name[NAME_MAX_LEN];
	const char *arch = bundle_meta_get(b, join(prefix, "arch", name));

	*s = (struct model_spec){ 0 };
	if (!arch)
		return 0;
	if (strlen(arch) >= sizeof(s->arch))
		return error(EXIT_UNEVALUABLE, "metadata: arch is too long");
	strcpy(s->arch, arch);
	s->width = meta_int(b, prefix, "width");
	s->c = meta_int(b, prefix, "c");
	s->h = meta_int(b, prefix, "h");
	s->w = meta_int(b, prefix, "w");
	s->classes = meta_int(b, prefix, "classes");
	return 1;
}

static bool same_spec(const struct model_spec *a, const struct model_spec *b)
{
	return !strcmp(a->arch, b->arch) && a->width == b->width && a->c == b->c && a->h == b->h && a->w == b->w &&
	       a->classes == b->classes;
}

/* The shapes of what the file or the caller says it is. LeNet-5 for 28x28 and for 32x32 have the same tensors, so a
 * caller's spec is compared with the metadata, not only with the shapes. */
static struct model *shapes_for(const struct bundle *b, const char *prefix, const struct model_spec *spec)
{
	struct model_spec meta;
	int said = read_spec(b, prefix, &meta);
	struct model *m;

	if (said < 0)
		return NULL;
	if (!spec && !said) {
		error(EXIT_UNEVALUABLE, "no metadata arch, c, h, w, classes: say which model this is");
		return NULL;
	}
	m = model_shapes(spec ? spec : &meta);
	if (m && spec && said && !same_spec(&m->spec, &meta)) {
		error(EXIT_UNEVALUABLE, "holds %s for %dx%dx%d and %d classes, wanted %s for %dx%dx%d and %d classes",
		      meta.arch, meta.c, meta.h, meta.w, meta.classes, m->spec.arch, m->spec.c, m->spec.h, m->spec.w,
		      m->spec.classes);
		model_free(m);
		return NULL;
	}
	return m;
}

/* PyTorch counts batches in an int64 scalar beside the statistics; nothing of ours depends on it. */
static bool passed_over(const struct tensor *t)
{
	return t->dtype == DT_I64 && t->len == 1 && has_suffix(t->name, ".num_batches_tracked");
}

static int check_shape(const struct tensor *t, const struct param *p)
{
	bool same = t->dtype == DT_F32 && t->nd == p->nd;

	for (int i = 0; same && i < p->nd; i++)
		same = t->d[i] == p->d[i];
	return same ? 0 : error(EXIT_UNEVALUABLE, "tensor %s is not float32 of shape (%d,%d,%d,%d) with %d dimensions",
				t->name, p->d[0], p->d[1], p->d[2], p->d[3], p->nd);
}

/* The file's tensors against the model's parameters: none more, none less, all of the right shape. */
static int check_tensors(const struct bundle *b, const char *prefix, const struct model *m)
{
	const size_t skip = strlen(prefix);

	for (int i = 0; i < b->nt; i++) {
		const struct tensor *t = &b->t[i];
		const struct param *p;

		if (strncmp(t->name, prefix, skip) != 0) /* another's */
			continue;
		p = model_find(m, t->name + skip);
		if (!p && !passed_over(t))
			return error(EXIT_UNEVALUABLE, "tensor %s does not belong to %s", t->name, m->spec.arch);
		if (p && check_shape(t, p))
			return -1;
	}
	for (int i = 0; i < m->np; i++) {
		char name[NAME_MAX_LEN];

		if (!bundle_get(b, join(prefix, m->p[i].name, name), DT_F32))
			return error(EXIT_UNEVALUABLE, "tensor %s is missing", name);
	}
	return 0;
}

static int load_values(const struct bundle *b, const char *prefix, struct param *p)
{
	char name[NAME_MAX_LEN];
	const float *x = bundle_f32(b, join(prefix, p->name, name), NULL);
	bool variance = has_suffix(p->name, ".running_var");

	for (size_t i = 0; i < p->len; i++) {
		if (!isfinite(x[i]))
			return error(EXIT_UNEVALUABLE, "tensor %s: element %zu is not finite", name, i);
		if (variance && x[i] < 0)
			return error(EXIT_UNEVALUABLE, "tensor %s: element %zu is a negative variance", name, i);
		p->x[i] = x[i];
	}
	return 0;
}

struct model *model_take(const struct bundle *b, const char *prefix, const struct model_spec *spec)
{
	struct model *m = shapes_for(b, prefix, spec);
	int r;

	if (!m)
		return NULL;
	r = check_tensors(b, prefix, m); /* before allocating: a small file must not claim a large model */
	if (!r)
		model_allocate(m);
	for (int i = 0; !r && i < m->np; i++)
		r = load_values(b, prefix, &m->p[i]);
	if (r) {
		model_free(m);
		return NULL;
	}
	return m;
}

struct model *model_load(const char *path, const struct model_spec *spec)
{
	struct bundle *b = bundle_load(path);
	struct model *m;

	if (!b)
		return NULL;
	m = model_take(b, "", spec);
	if (!m)
		error_prefix("%s", path);
	bundle_free(b);
	return m;
}
