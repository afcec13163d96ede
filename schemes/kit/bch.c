/* Binary BCH codes. See bch.h. Bit i of a code word is the coefficient of x^(n-1-i). */
#include "base/error.h"
#include "schemes/kit/bch.h"
#include <string.h>

/* ---- the field GF(n+1) ---- */

static void field(struct bch *b)
{
	/* Primitive polynomials: octal 23, 45, 103, 211. */
	const int poly = b->n == 15 ? 0x13 : b->n == 31 ? 0x25 : b->n == 63 ? 0x43 : 0x89;
	int x = 1;

	for (int i = 0; i < b->n; i++) {
		b->exp[i] = b->exp[i + b->n] = (uint8_t)x;
		b->log[x] = (uint8_t)i;
		x <<= 1;
		if (x > b->n)
			x ^= poly;
	}
}

static uint8_t mul(const struct bch *b, uint8_t x, uint8_t y)
{
	return x && y ? b->exp[b->log[x] + b->log[y]] : 0;
}

static uint8_t divide(const struct bch *b, uint8_t x, uint8_t y)
{
	return x ? b->exp[b->log[x] + b->n - b->log[y]] : 0;
}

/* ---- the code ---- */

/* g *= x + alpha^e, over the field. */
static void times_root(const struct bch *b, uint8_t *g, int *degree, int e)
{
	++*degree;
	for (int i = *degree; i >= 0; i--)
		g[i] = (uint8_t)((i ? g[i - 1] : 0) ^ mul(b, g[i], b->exp[e]));
}

void bch_init(struct bch *b, int n, int t)
{
	uint8_t root[BCH_MAX] = { 0 };
	int degree = 0;

	BUG_ON((n != 15 && n != 31 && n != 63 && n != 127) || t < 1 || 2 * t >= n);
	*b = (struct bch){ .n = n, .t = t };
	field(b);
	b->g[0] = 1;
	for (int i = 1; i < 2 * t; i += 2) /* alpha^i, and its conjugates: the exponents 2i, 4i, ... */
		for (int e = i % n; !root[e]; e = 2 * e % n) {
			root[e] = 1;
			times_root(b, b->g, &degree, e);
		}
	b->k = n - degree;
	BUG_ON(b->k < 1);
	for (int i = 0; i <= degree; i++)
		BUG_ON(b->g[i] > 1); /* conjugates together have coefficients 0 and 1 */
}

void bch_encode(const struct bch *b, const uint8_t *msg, uint8_t *code)
{
	const int r = b->n - b->k;
	uint8_t rest[BCH_MAX] = { 0 }; /* rest[0]: the highest power */

	for (int i = 0; i < b->k; i++) {
		const uint8_t top = rest[0] ^ (msg[i] & 1);

		memmove(rest, rest + 1, (size_t)r - 1);
		rest[r - 1] = 0;
		for (int j = 0; top && j < r; j++)
			rest[j] ^= b->g[r - 1 - j];
		code[i] = msg[i] & 1;
	}
	memcpy(code + b->k, rest, (size_t)r);
}

/* s[i] = the word at alpha^(i+1); returns whether any is not 0. */
static int syndromes(const struct bch *b, const uint8_t *code, uint8_t *s)
{
	int any = 0;

	for (int i = 0; i < 2 * b->t; i++) {
		s[i] = 0;
		for (int k = 0; k < b->n; k++)
			if (code[k] & 1)
				s[i] ^= b->exp[(i + 1) * (b->n - 1 - k) % b->n];
		any |= s[i];
	}
	return any;
}

/* Berlekamp and Massey: the error locator's coefficients; returns its degree. */
static int locator(const struct bch *b, const uint8_t *s, uint8_t *c)
{
	uint8_t old[BCH_MAX + 1] = { 1 }, keep[BCH_MAX + 1], last = 1;
	int degree = 0, shift = 1;

	memset(c, 0, BCH_MAX + 1);
	c[0] = 1;
	for (int i = 0; i < 2 * b->t; i++) {
		uint8_t d = s[i], f;

		for (int k = 1; k <= degree; k++)
			d ^= mul(b, c[k], s[i - k]);
		if (!d) {
			shift++;
			continue;
		}
		memcpy(keep, c, sizeof(keep));
		f = divide(b, d, last);
		for (int k = 0; k + shift <= BCH_MAX; k++)
			c[k + shift] ^= mul(b, f, old[k]);
		if (2 * degree <= i) {
			degree = i + 1 - degree;
			memcpy(old, keep, sizeof(old));
			last = d;
			shift = 1;
		} else {
			shift++;
		}
	}
	return degree;
}

int bch_decode(const struct bch *b, uint8_t *code)
{
	uint8_t s[BCH_MAX], c[BCH_MAX + 1];
	int wrong[BCH_MAX], found = 0, degree;

	if (!syndromes(b, code, s))
		return 0;
	degree = locator(b, s, c);
	if (degree > b->t)
		return -1;
	for (int e = 0; e < b->n; e++) { /* an error in x^e makes alpha^-e a root */
		uint8_t v = 0;

		for (int k = 0; k <= degree; k++)
			if (c[k])
				v ^= b->exp[(b->log[c[k]] + k * (b->n - e)) % b->n];
		if (!v)
			wrong[found++] = b->n - 1 - e;
	}
	if (found != degree)
		return -1;
	for (int i = 0; i < found; i++)
		code[wrong[i]] ^= 1;
	return found;
}
