/* SL2(Z_n): what rounds of Arnold's cat map on a square of n x n cells amount to, and which of its matrices leave a trained layer in
 * order.
 *
 * The row that a stored cell (x,y) came from is u x + v y mod n, and so is the column, each with its own (u,v): a candidate is good when
 * cells of one row are alike in size and sign, as they are in a trained layer. There are little more than n such partitions. The few most
 * orderly ones make the candidates, which need no label at all; a search decides among their phi(n) numberings.
 *
 * Source: ours (attacks/lock/chaos_search.c names the papers). */
#ifndef LB_ATTACKS_LOCK_CHAOS_SEARCH_SL2_H
#define LB_ATTACKS_LOCK_CHAOS_SEARCH_SL2_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/real.h"

/* The stored cell (x,y) came from row r0 x + r1 y and column c0 x + c1 y mod n; r0 c1 - r1 c0 = 1. */
struct sl2 { int r0, r1, c0, c1; };
int sl2_row(struct sl2 m, int x, int y, int n);
int sl2_col(struct sl2 m, int x, int y, int n);
bool sl2_same(struct sl2 a, struct sl2 b);

/* log2 of how many there are. */
double sl2_bits(int n);
/* At most `most` of them, the most orderly for cells (n * n, cell) first, none that is out of the question: new, *count of them. */
struct sl2 *sl2_candidates(const real *cells, size_t cell, int n, int most, int *count);

#endif
