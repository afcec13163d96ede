/* Tables in what ships: sorted when rows are added, searched by halves. */
#include "schemes/kit/table.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "schemes/kit/creds.h"

/* Numbers of a row. */
static size_t width_of(const struct tensor *t)
{
	size_t n = 1;

	for (int i = 1; i < t->nd; i++)
		n *= (size_t)t->d[i];
	return n;
}

static int64_t number(enum dtype type, const void *row, size_t i)
{
	BUG_ON(type != DT_U8 && type != DT_I32 && type != DT_I64); /* a table holds integers */
	return type == DT_U8 ? ((const uint8_t *)row)[i] :
	       type == DT_I32 ? ((const int32_t *)row)[i] : ((const int64_t *)row)[i];
}

static const void *row_of(const struct tensor *t, int row)
{
	return (const char *)t->data + width_of(t) * dtype_size(t->dtype) * (size_t)row;
}

static int compare(const struct tensor *t, const void *a, const void *b)
{
	for (size_t i = 0; i < width_of(t); i++) {
		const int64_t x = number(t->dtype, a, i), y = number(t->dtype, b, i);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

struct order {
	const struct bundle *rows;
	const struct tensor *key;
};

static int by_row(const void *a, const void *b, void *ctx)
{
	const struct order *o = ctx;
	const int x = *(const int *)a, y = *(const int *)b;
	int c = compare(o->key, row_of(o->key, x), row_of(o->key, y));

	for (int i = 0; i < o->rows->nt && !c; i++)
		c = compare(&o->rows->t[i], row_of(&o->rows->t[i], x), row_of(&o->rows->t[i], y));
	return c;
}

/* Rows that b's table has; 0 when b has none, or one of another shape. */
static int rows_there(const struct bundle *b, const struct bundle *like)
{
	int n = -1;

	for (int i = 0; i < like->nt; i++) {
		const struct tensor *t = &like->t[i], *old = bundle_get(b, t->name, t->dtype);

		if (!old || old->nd != t->nd || width_of(old) != width_of(t) || (n >= 0 && old->d[0] != n))
			return 0;
		n = (int)old->d[0];
	}
	return n;
}

/* What b's table has, then rows. */
static struct bundle *joined(const struct bundle *b, const struct bundle *rows)
{
	const int old = rows_there(b, rows);
	struct bundle *all = bundle_new();

	for (int i = 0; i < rows->nt; i++) {
		const struct tensor *t = &rows->t[i];
		const size_t row = width_of(t) * dtype_size(t->dtype);
		int64_t d[6];
		char *data;

		memcpy(d, t->d, sizeof(d));
		d[0] += old;
		data = bundle_put(all, t->name, t->dtype, t->nd, d, NULL);
		if (old)
			memcpy(data, bundle_get(b, t->name, t->dtype)->data, row * (size_t)old);
		memcpy(data + row * (size_t)old, t->data, row * (size_t)t->d[0]);
	}
	return all;
}

void table_add(struct bundle *b, const char *key, const struct bundle *rows)
{
	struct bundle *all = joined(b, rows), *table;
	struct order o = { all, NULL };
	const int n = creds_count(all);
	int *row = xmalloc((size_t)n + 1, sizeof(*row)), kept = 0;

	for (int i = 0; i < all->nt; i++)
		if (!strcmp(all->t[i].name, key))
			o.key = &all->t[i];
	BUG_ON(!o.key);
	for (int i = 0; i < n; i++)
		row[i] = i;
	qsort_r(row, (size_t)n, sizeof(*row), by_row, &o);
	for (int i = 0; i < n; i++)
		if (!kept || by_row(&row[kept - 1], &row[i], &o))
			row[kept++] = row[i];
	table = creds_rows(all, row, kept, true);
	for (int i = 0; i < table->nt; i++)
		bundle_put(b, table->t[i].name, table->t[i].dtype, table->t[i].nd, table->t[i].d, table->t[i].data);
	bundle_free(table);
	bundle_free(all);
	free(row);
}

int table_find(const struct bundle *b, const char *key, enum dtype type, size_t width, const void *row)
{
	const struct tensor *t = bundle_get(b, key, type);
	int lo = 0, hi = t && t->nd && width_of(t) == width ? (int)t->d[0] : 0;

	while (lo < hi) {
		const int mid = lo + (hi - lo) / 2, c = compare(t, row, row_of(t, mid));

		if (!c)
			return mid;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return -1;
}
