/* Squares of a layer's cells that a cat map moved: where they lie, what is stored there, and how it is put back. */
#ifndef LB_ATTACKS_LOCK_CHAOS_SEARCH_SQUARE_H
#define LB_ATTACKS_LOCK_CHAOS_SEARCH_SQUARE_H

#include "attacks/lock/chaos_search_sl2.h"
#include "nn/model.h"

struct square {
	struct param *w;
	int row, col, n;
	size_t cell;        /* numbers in a cell */
	real *stored;       /* (n * n, cell) as deployed */
	struct sl2 *try;   /* candidates, the most orderly first */
	int ntry;
	struct sl2 best;
	bool doubt;         /* order alone does not decide it */
	double gap;         /* nats that the second best candidate was behind the best one, at least, when it was last searched */
};

/* Does entry t of what ships (parameter, row, column, rows, columns) name a square of m? */
bool square_fits(const struct model *m, const int32_t *t);
/* With at most `most` candidates; close it with square_close(). m is changed in place by the others. */
void square_open(struct square *s, struct model *m, const int32_t *t, int most);
void square_close(struct square *s);
void square_put_back(const struct square *s, struct sl2 b);
void square_blank(const struct square *s);

#endif
