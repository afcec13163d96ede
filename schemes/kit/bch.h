/* Binary BCH codes of length 2^m - 1, m = 4 to 7: what an identity is written in, so that a few bits may be misread.
 *
 * Source: Lin and Costello, "Error control coding", ch. 6: generator polynomials as products of minimal polynomials,
 * Berlekamp-Massey,
 *   Chien's search. Our own code: none of the libraries that this project may use has one. */
#ifndef LB_SCHEMES_KIT_BCH_H
#define LB_SCHEMES_KIT_BCH_H

#include <stdint.h>

#define BCH_MAX 127

struct bch {
	int n, k, t;        /* length, message bits, errors that are corrected */
	uint8_t g[BCH_MAX + 1]; /* generator polynomial, g[i] of x^i; degree n - k */
	uint8_t exp[2 * BCH_MAX], log[BCH_MAX + 1]; /* the field: powers of a primitive element */
};

/* The code of length n (15, 31, 63, 127) that corrects t errors; anything else is a BUG. */
void bch_init(struct bch *b, int n, int t);
/* msg (k bits, one a byte) -> code (n): the message, then the check bits. */
void bch_encode(const struct bch *b, const uint8_t *msg, uint8_t *code);
/* Correct code (n) in place. Returns the number of wrong bits, -1 when there are more than can be corrected (more
 * than t are not always noticed: they may look like another word). */
int bch_decode(const struct bch *b, uint8_t *code);

#endif
