/* Stacked credentials: taking rows out of bundles, and making some. */
#include "schemes/kit/creds.h"

#include <string.h>

#include "base/error.h"
#include "base/rng.h"

/* The owner's notes on how a credential was made (schemes/scheme.h, enrol): no part of what a user holds or submits. */
static bool bookkeeping(const struct tensor *t)
{
	return !strcmp(t->name, "ok") || !strcmp(t->name, "tries") || !strncmp(t->name, "about_", 6);
}

/* Part of every credential of the bundle, instead of one row each. */
static bool shared(const struct tensor *t)
{
	return !strncmp(t->name, "shared_", 7);
}

int creds_count(const struct bundle *b)
{
	for (int i = 0; i < b->nt; i++)
		if (!shared(&b->t[i]))
			return (int)b->t[i].d[0];
	return 0;
}

/* Bytes of it in one credential. */
static size_t row_bytes(const struct tensor *t)
{
	const size_t bytes = t->len * dtype_size(t->dtype);

	return shared(t) ? bytes : t->d[0] ? bytes / (size_t)t->d[0] : 0;
}

/* A tensor of b like t with n rows, zeroed. */
static char *put_like(struct bundle *b, const struct tensor *t, int n)
{
	int64_t d[6];

	memcpy(d, t->d, sizeof(d));
	if (!shared(t))
		d[0] = n;
	return bundle_put(b, t->name, t->dtype, t->nd, d, NULL);
}

struct bundle *creds_rows(const struct bundle *b, const int *row, int n, bool all)
{
	struct bundle *out = bundle_new();

	for (int i = 0; i < b->nt; i++) {
		const struct tensor *t = &b->t[i];
		const size_t size = row_bytes(t);
		char *data;

		if (bookkeeping(t) && !all)
			continue;
		data = put_like(out, t, n);
		if (shared(t))
			memcpy(data, t->data, size);
		for (int k = 0; k < n && !shared(t); k++) {
			BUG_ON(row[k] < 0 || row[k] >= t->d[0]);
			memcpy(data + size * k, (const char *)t->data + size * row[k], size);
		}
	}
	return out;
}

struct bundle *creds_range(const struct bundle *b, int first, int n)
{
	int *row = xmalloc(n, sizeof(*row));
	struct bundle *out;

	for (int i = 0; i < n; i++)
		row[i] = first + i;
	out = creds_rows(b, row, n, false);
	free(row);
	return out;
}

void creds_put(struct bundle *out, int i, int n, const struct tensor *t)
{
	const struct tensor *all = bundle_get(out, t->name, t->dtype);
	char *data = all ? all->data : put_like(out, t, n);

	BUG_ON(t->d[0] != 1 || (all && row_bytes(all) != row_bytes(t)));
	memcpy(data + row_bytes(t) * (size_t)i, t->data, row_bytes(t));
}

struct bundle *creds_images(const float *x, int n, int c, int h, int w)
{
	struct bundle *b = bundle_new();

	bundle_put(b, "image", DT_F32, 4, (int64_t[]){ n, c, h, w }, x);
	return b;
}

static void fill_random(struct tensor *t, char *data, struct rng *r)
{
	for (size_t i = 0; i < t->len; i++) {
		if (t->dtype == DT_F32)
			((float *)(void *)data)[i] = (float)rng_uniform(r);
		else if (t->dtype == DT_F64)
			((double *)(void *)data)[i] = rng_uniform(r);
	}
	if (t->dtype != DT_F32 && t->dtype != DT_F64)
		rng_bytes(r, data, t->len * dtype_size(t->dtype));
}

struct bundle *creds_random(const struct bundle *b, int n, uint64_t seed)
{
	struct bundle *out = bundle_new();
	struct rng r;

	for (int i = 0; i < b->nt; i++)
		if (!bookkeeping(&b->t[i]))
			put_like(out, &b->t[i], n);
	for (int i = 0; i < out->nt; i++) {
		rng_open(&r, seed, "random credential", (uint32_t)i, 0);
		fill_random(&out->t[i], out->t[i].data, &r);
	}
	return out;
}

bool creds_are_images(const struct bundle *b)
{
	return b && bundle_get(b, "image", DT_F32);
}

static int members(const struct bundle *b)
{
	int n = 0;

	for (int i = 0; i < b->nt; i++)
		n += !bookkeeping(&b->t[i]);
	return n;
}

bool creds_same_form(const struct bundle *a, const struct bundle *b)
{
	for (int i = 0; i < a->nt; i++) {
		const struct tensor *t = &a->t[i], *u = bookkeeping(t) ? t : bundle_get(b, t->name, t->dtype);

		if (!u || u->nd != t->nd || (shared(t) && u->d[0] != t->d[0]) ||
		    memcmp(&u->d[1], &t->d[1], (size_t)(t->nd > 1 ? t->nd - 1 : 0) * sizeof(*t->d)))
			return false;
	}
	return members(a) == members(b);
}

struct images creds_view(const struct bundle *b, int classes)
{
	const struct tensor *t = bundle_get(b, "image", DT_F32);

	BUG_ON(!t || t->nd != 4);
	return (struct images){
		.n = (int)t->d[0], .c = (int)t->d[1], .h = (int)t->d[2], .w = (int)t->d[3], .classes = classes,
		.fx = t->data
	};
}

bool creds_ok(const struct bundle *b, int i)
{
	const uint8_t *ok = bundle_u8(b, "ok", NULL);

	return !ok || ok[i];
}

double creds_bytes(const struct bundle *b)
{
	double bytes = bundle_meta_getnum(b, "credential_bytes", 0);

	if (bytes > 0)
		return bytes;
	for (int i = 0; i < b->nt; i++)
		if (!bookkeeping(&b->t[i]))
			bytes += (double)row_bytes(&b->t[i]);
	return bytes;
}
