/* Random numbers that do not depend on order: Philox4x32-10 (Random123), keyed by what they are for.
 *
 * A stream is named by (seed, purpose, a, b): key = first 8 bytes of SHA-256(seed, purpose),
 * counter = (position, a, b). Two streams with different names are independent, so adding a consumer
 * changes nobody else's numbers, and any thread can open any stream.
 * Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
#ifndef LB_BASE_RNG_H
#define LB_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint32_t key[2], ctr[4]; /* private */
	uint32_t out[4];
	int left;
};

/* purpose: a constant such as "init", "shuffle", "augment"; a, b: e.g. epoch and image index. */
void rng_open(struct rng *r, uint64_t seed, const char *purpose, uint32_t a, uint32_t b);
/* The same, many times for one (seed, purpose): hash once, then cheap. */
struct rng_key { uint32_t key[2]; };
struct rng_key rng_key(uint64_t seed, const char *purpose);
void rng_at(struct rng *r, struct rng_key k, uint32_t a, uint32_t b);

uint32_t rng_u32(struct rng *r);
uint64_t rng_u64(struct rng *r);
double rng_uniform(struct rng *r);             /* [0, 1), 53 bits */
double rng_normal(struct rng *r);              /* N(0, 1), Box-Muller in double */
uint32_t rng_below(struct rng *r, uint32_t n); /* 0 .. n-1, unbiased; n > 0 */
void rng_permutation(struct rng *r, int *p, int n); /* p becomes a random order of 0 .. n-1 (Fisher-Yates) */
void rng_bytes(struct rng *r, void *buf, size_t n);
/* A derived 64-bit seed for a sub-task: first 8 bytes of SHA-256(seed, purpose). */
uint64_t rng_derive(uint64_t seed, const char *purpose);

/* The bare Philox4x32-10 block function, for known-answer tests. */
void rng_philox(const uint32_t ctr[4], const uint32_t key[2], uint32_t out[4]);

#endif
