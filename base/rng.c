/* Philox streams. See rng.h.
 * Layout of the 128-bit counter: words 0 and 1 are the position in the stream (low word first),
 * word 2 is a, word 3 is b. Numbers are built from words with shifts, so they are the same on any byte order. */
#include "base/rng.h"

#include <math.h>
#include <string.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <Random123/philox.h>
#pragma GCC diagnostic pop

#include "base/error.h"
#include "base/hash.h"

void rng_philox(const uint32_t ctr[4], const uint32_t key[2], uint32_t out[4])
{
	philox4x32_ctr_t c = { { ctr[0], ctr[1], ctr[2], ctr[3] } };
	philox4x32_key_t k = { { key[0], key[1] } };

	c = philox4x32_R(10, c, k);
	memcpy(out, c.v, sizeof(c.v));
}

uint64_t rng_derive(uint64_t seed, const char *purpose)
{
	uint8_t le[8], sum[HASH_LEN];
	uint64_t v = 0;
	struct hash h;

	for (int i = 0; i < 8; i++)
		le[i] = (uint8_t)(seed >> 8 * i);
	hash_init(&h);
	hash_add(&h, le, sizeof(le));
	hash_add(&h, purpose, strlen(purpose));
	hash_end(&h, sum);
	for (int i = 0; i < 8; i++)
		v |= (uint64_t)sum[i] << 8 * i;
	return v;
}

struct rng_key rng_key(uint64_t seed, const char *purpose)
{
	uint64_t v = rng_derive(seed, purpose);

	return (struct rng_key){ { (uint32_t)v, (uint32_t)(v >> 32) } };
}

void rng_at(struct rng *r, struct rng_key k, uint32_t a, uint32_t b)
{
	*r = (struct rng){ .key = { k.key[0], k.key[1] }, .ctr = { 0, 0, a, b } };
}

void rng_open(struct rng *r, uint64_t seed, const char *purpose, uint32_t a, uint32_t b)
{
	rng_at(r, rng_key(seed, purpose), a, b);
}

uint32_t rng_u32(struct rng *r)
{
	if (!r->left) {
		rng_philox(r->ctr, r->key, r->out);
		if (!++r->ctr[0])
			r->ctr[1]++;
		r->left = 4;
	}
	return r->out[4 - r->left--];
}

uint64_t rng_u64(struct rng *r)
{
	uint64_t low = rng_u32(r);

	return (uint64_t)rng_u32(r) << 32 | low;
}

double rng_uniform(struct rng *r)
{
	return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

double rng_normal(struct rng *r)
{
	double radius = sqrt(-2 * log(1 - rng_uniform(r))); /* 1 - u is in (0, 1] */

	return radius * cos(2 * 3.14159265358979323846 * rng_uniform(r));
}

/* Lemire, "Fast random integer generation in an interval", TOMACS 2019: the high word of a product is
 * uniform once the 2^32 mod n lowest products are thrown away. */
uint32_t rng_below(struct rng *r, uint32_t n)
{
	uint64_t product;

	BUG_ON(n == 0);
	do
		product = (uint64_t)rng_u32(r) * n;
	while ((uint32_t)product < (0u - n) % n);
	return (uint32_t)(product >> 32);
}

void rng_permutation(struct rng *r, int *p, int n)
{
	for (int i = 0; i < n; i++)
		p[i] = i;
	for (int i = n - 1; i > 0; i--) {
		int j = (int)rng_below(r, (uint32_t)i + 1), t = p[i];

		p[i] = p[j];
		p[j] = t;
	}
}

void rng_bytes(struct rng *r, void *buf, size_t n)
{
	uint8_t *out = buf;
	uint32_t word = 0;

	for (size_t i = 0; i < n; i++, word >>= 8) {
		if (i % 4 == 0)
			word = rng_u32(r);
		out[i] = (uint8_t)word;
	}
}
