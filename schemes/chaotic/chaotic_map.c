/* See chaotic_map.h. */
#include "schemes/chaotic/chaotic_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define BURN_IN 1000 /* steps: two orbits that differ in the last bit have parted after about 55 */

/* ---- Arnold's cat map ---- */

static int mod(int64_t v, int n)
{
	return (int)((v % n + n) % n);
}

struct catmap catmap_after(struct catmap s, struct catmap f)
{
	BUG_ON(s.n != f.n);
	return (struct catmap){ s.n, mod((int64_t)s.a * f.a + (int64_t)s.b * f.c, s.n),
				mod((int64_t)s.a * f.b + (int64_t)s.b * f.d, s.n),
				mod((int64_t)s.c * f.a + (int64_t)s.d * f.c, s.n),
				mod((int64_t)s.c * f.b + (int64_t)s.d * f.d, s.n) };
}

struct catmap catmap_of(int n, long tau, int p, int q)
{
	struct catmap m = { n, mod(1, n), 0, 0, mod(1, n) };
	struct catmap power = { n, mod(1, n), mod(p, n), mod(q, n), mod((int64_t)p * q + 1, n) };

	for (; tau; tau >>= 1) {
		if (tau & 1)
			m = catmap_after(power, m);
		power = catmap_after(power, power);
	}
	return m;
}

/* det = 1. */
struct catmap catmap_inverse(struct catmap m)
{
	return (struct catmap){ m.n, m.d, mod(-m.b, m.n), mod(-m.c, m.n), m.a };
}

bool catmap_same(struct catmap a, struct catmap b)
{
	return a.n == b.n && a.a == b.a && a.b == b.b && a.c == b.c && a.d == b.d;
}

long catmap_period(int n, int p, int q)
{
	const struct catmap once = catmap_of(n, 1, p, q), nothing = catmap_of(n, 0, p, q);
	struct catmap m = once;
	long t = 1;

	for (; !catmap_same(m, nothing); t++)
		m = catmap_after(once, m);
	return t;
}

double catmap_group_order(int n)
{
	double order = (double)n * n * n;

	for (int r = 2, rest = n; rest > 1; r++) {
		if (rest % r)
			continue;
		order -= order / ((double)r * r);
		while (rest % r == 0)
			rest /= r;
	}
	return order;
}

void catmap_table(struct catmap m, int *to)
{
	for (int x = 0; x < m.n; x++)
		for (int y = 0; y < m.n; y++)
			to[x * m.n + y] = mod((int64_t)m.a * x + (int64_t)m.b * y, m.n) * m.n +
					  mod((int64_t)m.c * x + (int64_t)m.d * y, m.n);
}

/* ---- logistic map ---- */

struct visit {
	double x;
	int i;
};

static int by_value(const void *a, const void *b)
{
	const struct visit *p = a, *q = b;

	if (p->x < q->x || p->x > q->x)
		return p->x < q->x ? -1 : 1;
	return (p->i > q->i) - (p->i < q->i);
}

bool logistic_table(int64_t k0, int64_t k1, int cells, int *to)
{
	const double steps = (double)((int64_t)1 << LOGISTIC_BITS);
	const double mu = 3.9 + 0.1 * (((double)k1 + 0.5) / steps);
	double x = 0.05 + 0.9 * (((double)k0 + 0.5) / steps);
	struct visit *orbit = xmalloc((size_t)cells, sizeof(*orbit));
	bool fresh = true;

	for (int i = -BURN_IN; i < cells; i++) {
		x = mu * x * (1 - x);
		if (i >= 0)
			orbit[i] = (struct visit){ x, i };
	}
	qsort(orbit, (size_t)cells, sizeof(*orbit), by_value);
	for (int i = 0; i < cells; i++) {
		to[orbit[i].i] = i;
		fresh &= i == 0 || orbit[i - 1].x < orbit[i].x;
	}
	free(orbit);
	return fresh;
}

/* ---- tables ---- */

int table_stays(const int *to, int cells)
{
	int n = 0;

	for (int i = 0; i < cells; i++)
		n += to[i] == i;
	return n;
}

void table_invert(const int *to, int cells, int *from)
{
	for (int i = 0; i < cells; i++)
		from[to[i]] = i;
}

/* ---- squares ---- */

struct cut {
	struct patch *p;
	int n, most;
};

static void cut(struct cut *c, struct patch r)
{
	int side = r.rows < r.cols ? r.rows : r.cols;
	int down, across;

	if (c->most && side > c->most)
		side = c->most;
	if (side < 2)
		return;
	down = r.rows / side;
	across = r.cols / side;
	c->p = xrealloc(c->p, (size_t)c->n + (size_t)down * across, sizeof(*c->p));
	for (int i = 0; i < down; i++)
		for (int j = 0; j < across; j++)
			c->p[c->n++] = (struct patch){ r.row + i * side, r.col + j * side, side, side };
	cut(c, (struct patch){ r.row, r.col + across * side, down * side, r.cols - across * side });
	cut(c, (struct patch){ r.row + down * side, r.col, r.rows - down * side, r.cols });
}

struct patch *patch_squares(int rows, int cols, int most, int *n)
{
	struct cut c = { .most = most };

	cut(&c, (struct patch){ 0, 0, rows, cols });
	*n = c.n;
	return c.p;
}
