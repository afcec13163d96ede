/* See chaos_search_sl2.h. */
#include "attacks/lock/chaos_search_sl2.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

/* A pair of partitions that explains so much less than another one is not the right one: some 50 nats, in units of what chance gives. */
#define SL2_BELOW 100

static int mod(long v, int n)
{
	return (int)((v % n + n) % n);
}

static int gcd(int a, int b)
{
	return b ? gcd(b, a % b) : a;
}

/* 1 / u mod n; 0 when there is none. */
static int inverse(int u, int n)
{
	for (int i = 1; i < n; i++)
		if ((long)u * i % n == 1)
			return i;
	return 0;
}

int sl2_row(struct sl2 m, int x, int y, int n)
{
	return mod((long)m.r0 * x + (long)m.r1 * y, n);
}

int sl2_col(struct sl2 m, int x, int y, int n)
{
	return mod((long)m.c0 * x + (long)m.c1 * y, n);
}

bool sl2_same(struct sl2 a, struct sl2 b)
{
	return a.r0 == b.r0 && a.r1 == b.r1 && a.c0 == b.c0 && a.c1 == b.c1;
}

/* ---- which partitions are orderly ---- */

struct line {
	int u, v;
	double order; /* sum over two features of the share of the variance between groups, in units of what chance gives */
};

/* feature (n * n). Groups are of n cells each, because (u,v) is primitive. */
static double between(const double *feature, int n, int u, int v, double *sum)
{
	double total = 0;

	memset(sum, 0, (size_t)n * sizeof(*sum));
	for (int x = 0; x < n; x++)
		for (int y = 0; y < n; y++)
			sum[mod((long)u * x + (long)v * y, n)] += feature[x * n + y];
	for (int g = 0; g < n; g++)
		total += sum[g] * sum[g] / n;
	return total;
}

/* To mean 0 and variance 1; a constant feature says nothing. */
static void standardise(double *f, int n)
{
	double mean = 0, var = 0;

	for (int i = 0; i < n; i++)
		mean += f[i] / n;
	for (int i = 0; i < n; i++)
		var += (f[i] - mean) * (f[i] - mean) / n;
	for (int i = 0; i < n; i++)
		f[i] = var > 0 ? (f[i] - mean) / sqrt(var) : 0;
}

/* Each cell's size and sum. */
static void features(const real *cells, size_t cell, int n, double *size, double *sum)
{
	for (int i = 0; i < n * n; i++) {
		double square = 0;

		sum[i] = 0;
		for (size_t k = 0; k < cell; k++) {
			const double w = (double)cells[(size_t)i * cell + k];

			square += w * w;
			sum[i] += w;
		}
		size[i] = sqrt(square);
	}
	standardise(size, n * n);
	standardise(sum, n * n);
}

/* The least of the unit multiples of (u,v) stands for its line. */
static bool stands_for_its_line(int u, int v, int n)
{
	if (gcd(gcd(u, v), n) != 1)
		return false;
	for (int k = 2; k < n; k++) {
		const int ku = mod((long)k * u, n), kv = mod((long)k * v, n);

		if (gcd(k, n) == 1 && (ku < u || (ku == u && kv < v)))
			return false;
	}
	return true;
}

static int by_order(const void *a, const void *b)
{
	const struct line *p = a, *q = b;

	if (p->order > q->order || p->order < q->order)
		return p->order > q->order ? -1 : 1;
	return p->u != q->u ? p->u - q->u : p->v - q->v;
}

/* All lines of Z_n^2, the most orderly first; new, *count of them. */
static struct line *lines_of(const real *cells, size_t cell, int n, int *count)
{
	double *size = xmalloc((size_t)n * (size_t)n, 2 * sizeof(*size)), *sum = size + n * n, *group = xmalloc((size_t)n, sizeof(*group));
	struct line *l = xmalloc((size_t)n * (size_t)n, sizeof(*l));

	*count = 0;
	features(cells, cell, n, size, sum);
	for (int u = 0; u < n; u++)
		for (int v = 0; v < n; v++)
			if (stands_for_its_line(u, v, n))
				l[(*count)++] = (struct line){ u, v, between(size, n, u, v, group) + between(sum, n, u, v, group) };
	qsort(l, (size_t)*count, sizeof(*l), by_order);
	free(size);
	free(group);
	return l;
}

/* ---- candidates ---- */

/* The matrices found so far, of Z_n. */
struct found { struct sl2 *m; int count, most, n; };

static void add_numberings(struct found *f, const struct line *row, const struct line *col)
{
	const int n = f->n, det = mod((long)row->u * col->v - (long)row->v * col->u, n);

	if (gcd(det, n) != 1)
		return;
	for (int k = 1; k < n && f->count < f->most; k++) {
		const int w = gcd(k, n) == 1 ? inverse(mod((long)k * det, n), n) : 0;

		if (w)
			f->m[f->count++] = (struct sl2){ mod((long)k * row->u, n), mod((long)k * row->v, n),
							 mod((long)w * col->u, n), mod((long)w * col->v, n) };
	}
}

/* Lines `row` and `col` of a list, and how orderly they are together: their groups are crossed, so that what they explain adds up. */
struct pair { int row, col; double order; };

static int by_pair(const void *a, const void *b)
{
	const struct pair *p = a, *q = b;

	if (p->order > q->order || p->order < q->order)
		return p->order > q->order ? -1 : 1;
	return p->row != q->row ? p->row - q->row : p->col - q->col;
}

/* The pairs whose groups cross each other, the most orderly first; new, *count of them. */
static struct pair *pairs_of(const struct line *l, int lines, int n, int *count)
{
	struct pair *p = xmalloc((size_t)lines * (size_t)lines, sizeof(*p));

	*count = 0;
	for (int i = 0; i < lines; i++)
		for (int j = 0; j < lines; j++)
			if (gcd(mod((long)l[i].u * l[j].v - (long)l[i].v * l[j].u, n), n) == 1)
				p[(*count)++] = (struct pair){ i, j, l[i].order + l[j].order };
	qsort(p, (size_t)*count, sizeof(*p), by_pair);
	return p;
}

/* Which line is of rows and which of columns, and their numbering, neither is told by the square's own cells. */
struct sl2 *sl2_candidates(const real *cells, size_t cell, int n, int most, int *count)
{
	int lines, pairs;
	struct line *l = lines_of(cells, cell, n, &lines);
	struct pair *p = pairs_of(l, lines, n, &pairs);
	const double all = (double)n * n * n;
	struct found f = { .most = most > all ? (int)all : most, .n = n };

	f.m = xmalloc((size_t)f.most, sizeof(*f.m));
	for (int i = 0; i < pairs && p[i].order >= p[0].order - SL2_BELOW; i++)
		add_numberings(&f, &l[p[i].row], &l[p[i].col]);
	free(l);
	free(p);
	*count = f.count;
	return f.m;
}

double sl2_bits(int n)
{
	double order = (double)n * n * n;

	for (int r = 2, rest = n; rest > 1; r++) {
		if (rest % r)
			continue;
		order *= 1 - 1 / ((double)r * r);
		while (rest % r == 0)
			rest /= r;
	}
	return log2(order);
}
