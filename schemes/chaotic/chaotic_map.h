/* Permutations of the cells of a rectangle that a few numbers say: Arnold's cat map on squares, an order drawn by the
 * logistic map on any rectangle; and how a rectangle is cut into squares. Owners lock with them, attackers search them.
 *
 * Source: Lin et al., "Chaotic Weights", IEEE TCAD 40(7), 2021: (x',y') = A^tau (x,y) mod n, A = [[1,p],[q,pq+1]], x
 * the row, y the column. Differs: the inverse is [[d,-b],[-c,a]] of A^tau = [[a,b],[c,d]]; the closed form of the
 * authors' demo, [[pq+1,-p],[-p,1]] for every p and q, inverts only p = q. */
#ifndef LB_SCHEMES_CHAOTIC_CHAOTIC_MAP_H
#define LB_SCHEMES_CHAOTIC_CHAOTIC_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An element of SL2(Z_n): row (x, y) goes to (a x + b y, c x + d y) mod n; entries 0 .. n-1, n >= 1. */
struct catmap {
	int n, a, b, c, d;
};
struct catmap catmap_of(int n, long tau, int p, int q); /* tau, p, q >= 0 */
struct catmap catmap_inverse(struct catmap m);
struct catmap catmap_after(struct catmap second, struct catmap first);
bool catmap_same(struct catmap a, struct catmap b);
/* Smallest t >= 1 for which t rounds of (p, q) move nothing. */
long catmap_period(int n, int p, int q);
/* |SL2(Z_n)| = n^3 prod over primes r of n (1 - 1/r^2): as many maps there are at most, whatever the key. */
double catmap_group_order(int n);
/* to[x * n + y] = x' * n + y', n * n numbers. */
void catmap_table(struct catmap m, int *to);

/* Numbers of a logistic key have so many bits: x0 = 0.05 + 0.9 (k0 + 1/2) / 2^44, mu = 3.9 + 0.1 (k1 + 1/2) / 2^44.
 * Finer steps of mu would not all be different doubles. */
#define LOGISTIC_BITS 44
/* The orbit x <- mu x (1 - x) after 1,000 steps, sorted: to[i] is the rank of its value number i, of `cells`. False
 * when a value comes twice (the orbit is a cycle): the key is useless, though `to` is a permutation still. */
bool logistic_table(int64_t k0, int64_t k1, int cells, int *to);

/* Of `cells` how many stay. */
int table_stays(const int *to, int cells);
void table_invert(const int *to, int cells, int *from);

/* A part of a matrix of `cells` (kernels of a convolution, numbers of a linear layer). */
struct patch {
	int row, col, rows, cols;
};
/* Cut rows x cols into squares of side min(rows, cols, most) (most 0: no limit), then what is left over likewise;
 * squares of one cell are left out. New array of *n, the caller frees. */
struct patch *patch_squares(int rows, int cols, int most, int *n);

#endif
