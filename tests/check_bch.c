/* schemes/kit/bch.c: published generator polynomials, all correctable error patterns, what happens beyond. */
#include "base/rng.h"
#include "schemes/kit/bch.h"
#include <check.h>
#include <string.h>

/* Generator polynomials in octal, highest power first, of Lin and Costello's table (appendix C). */
static const struct code {
	int n, k, t;
	const char *octal;
} codes[] = {
	{ 15, 11, 1, "23" }, { 15, 7, 2, "721" }, { 15, 5, 3, "2467" },
	{ 31, 26, 1, "45" }, { 31, 21, 2, "3551" }, { 31, 16, 3, "107657" }, { 31, 11, 5, "5423325" }, { 31, 6, 7, "313365047" },
	{ 63, 57, 1, "103" }, { 63, 51, 2, "12471" }, { 63, 45, 3, "1701317" }, { 63, 39, 4, "166623567" },
	{ 63, 30, 6, "157464165547" }, { 127, 120, 1, "211" }, { 127, 113, 2, "41567" },
};

START_TEST(generators_are_the_published_ones)
{
	const struct code *c = &codes[_i];
	const int digits = (int)strlen(c->octal);
	struct bch b;

	bch_init(&b, c->n, c->t);
	ck_assert_int_eq(b.k, c->k);
	for (int i = 0; i < 3 * digits; i++) { /* bit i from the right */
		const int bit = (c->octal[digits - 1 - i / 3] - '0') >> (i % 3) & 1;

		ck_assert_int_eq(bit, i <= b.n ? b.g[i] : 0);
	}
}
END_TEST

static void random_bits(struct rng *r, uint8_t *bit, int n)
{
	for (int i = 0; i < n; i++)
		bit[i] = rng_u32(r) & 1;
}

/* Up to t errors anywhere are found and counted: 200 random words and patterns a weight. */
START_TEST(errors_up_to_t_are_corrected)
{
	const struct code *c = &codes[_i];
	uint8_t msg[BCH_MAX], word[BCH_MAX], got[BCH_MAX];
	int order[BCH_MAX];
	struct bch b;
	struct rng r;

	bch_init(&b, c->n, c->t);
	rng_open(&r, 1, "bch", (uint32_t)_i, 0);
	for (int errors = 0; errors <= c->t; errors++)
		for (int again = 0; again < 200; again++) {
			random_bits(&r, msg, b.k);
			bch_encode(&b, msg, word);
			ck_assert_mem_eq(word, msg, b.k);
			memcpy(got, word, sizeof(got));
			rng_permutation(&r, order, b.n);
			for (int i = 0; i < errors; i++)
				got[order[i]] ^= 1;
			ck_assert_int_eq(bch_decode(&b, got), errors);
			ck_assert_mem_eq(got, word, b.n);
		}
}
END_TEST

/* All of the 4,991 patterns of up to three errors in a word of 31. */
START_TEST(every_pattern_of_three)
{
	uint8_t msg[16], word[31], got[31];
	struct bch b;
	struct rng r;

	bch_init(&b, 31, 3);
	rng_open(&r, 2, "bch", 0, 0);
	random_bits(&r, msg, 16);
	bch_encode(&b, msg, word);
	for (int x = 0; x < 31; x++)
		for (int y = x; y < 31; y++)
			for (int z = y; z < 31; z++) {
				memcpy(got, word, 31);
				got[x] = word[x] ^ 1;
				got[y] = word[y] ^ 1;
				got[z] = word[z] ^ 1;
				ck_assert_int_eq(bch_decode(&b, got), 1 + (y != x) + (z != y));
				ck_assert_mem_eq(got, word, 31);
			}
}
END_TEST

/* Beyond t a word is refused or taken for another code word, at most t away from what was read: never left invalid. Of random words,
 * 16 message bits and three errors cover 4,992 of 2^15 cosets: 15 % are taken for a word. */
START_TEST(beyond_t_it_is_refused_or_another_word)
{
	uint8_t read[31], got[31];
	int taken = 0;
	struct bch b;
	struct rng r;

	bch_init(&b, 31, 3);
	rng_open(&r, 3, "bch", 0, 0);
	for (int i = 0; i < 4000; i++) {
		int wrong, differ = 0;

		random_bits(&r, read, 31);
		memcpy(got, read, 31);
		wrong = bch_decode(&b, got);
		for (int k = 0; k < 31; k++)
			differ += got[k] != read[k];
		if (wrong < 0) {
			ck_assert_int_eq(differ, 0);
			continue;
		}
		taken++;
		ck_assert_int_eq(differ, wrong);
		ck_assert_int_le(wrong, 3);
		ck_assert_int_eq(bch_decode(&b, got), 0);
	}
	ck_assert(taken > 500 && taken < 720); /* 609 +- 5 standard deviations of 23 */
}
END_TEST

Suite *suite_bch(void);
Suite *suite_bch(void)
{
	Suite *s = suite_create("bch");
	TCase *tc = tcase_create("bch");

	tcase_add_loop_test(tc, generators_are_the_published_ones, 0, (int)(sizeof(codes) / sizeof(codes[0])));
	tcase_add_loop_test(tc, errors_up_to_t_are_corrected, 0, (int)(sizeof(codes) / sizeof(codes[0])));
	tcase_add_test(tc, every_pattern_of_three);
	tcase_add_test(tc, beyond_t_it_is_refused_or_another_word);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	return s;
}
