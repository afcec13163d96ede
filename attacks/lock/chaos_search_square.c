/* See chaos_search_square.h. */
#include "attacks/lock/chaos_search_square.h"

#include <string.h>

#include "base/error.h"

enum { SIDE_MAX = 512 };

bool square_fits(const struct model *m, const int32_t *t)
{
	const struct param *w;

	if (t[0] < 0 || t[0] >= m->np)
		return false;
	w = &m->p[t[0]];
	return !w->buffer && w->nd >= 2 && t[1] >= 0 && t[2] >= 0 && t[3] >= 2 && t[3] == t[4] && t[3] <= SIDE_MAX &&
	       t[3] <= w->d[0] - t[1] && t[3] <= w->d[1] - t[2];
}

static real *cell_at(const struct square *s, int x, int y)
{
	return s->w->x + ((size_t)(s->row + x) * (size_t)s->w->d[1] + (size_t)(s->col + y)) * s->cell;
}

void square_put_back(const struct square *s, struct sl2 b)
{
	const real *from = s->stored;

	for (int x = 0; x < s->n; x++)
		for (int y = 0; y < s->n; y++, from += s->cell)
			memcpy(cell_at(s, sl2_row(b, x, y, s->n), sl2_col(b, x, y, s->n)), from, s->cell * sizeof(*from));
}

void square_blank(const struct square *s)
{
	for (int x = 0; x < s->n; x++)
		for (int y = 0; y < s->n; y++)
			memset(cell_at(s, x, y), 0, s->cell * sizeof(real));
}

void square_open(struct square *s, struct model *m, const int32_t *t, int most)
{
	real *to;

	*s = (struct square){ .w = &m->p[t[0]], .row = t[1], .col = t[2], .n = t[3], .best = { 1, 0, 0, 1 } };
	s->cell = s->w->len / ((size_t)s->w->d[0] * (size_t)s->w->d[1]);
	to = s->stored = xmalloc((size_t)s->n * (size_t)s->n * s->cell, sizeof(*to));
	for (int x = 0; x < s->n; x++)
		for (int y = 0; y < s->n; y++, to += s->cell)
			memcpy(to, cell_at(s, x, y), s->cell * sizeof(*to));
	s->try = sl2_candidates(s->stored, s->cell, s->n, most, &s->ntry);
}

void square_close(struct square *s)
{
	free(s->stored);
	free(s->try);
}
