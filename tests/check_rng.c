/* base/rng.c: Random123's known answers, streams that are pinned for ever, and distributions. */
#include <check.h>
#include <math.h>
#include <signal.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"

/* Random123 kat_vectors, philox4x32 with 10 rounds. */
static const struct kat {
	uint32_t ctr[4], key[2], out[4];
} kats[] = {
	{ { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
	{ { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff }, { 0xffffffff, 0xffffffff },
	  { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
	{ { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, { 0xa4093822, 0x299f31d0 },
	  { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
};

START_TEST(philox_known_answers)
{
	uint32_t out[4];

	rng_philox(kats[_i].ctr, kats[_i].key, out);
	ck_assert_mem_eq(out, kats[_i].out, sizeof(out));
}
END_TEST

/* The stream of a name is part of every result: computed once with Python's hashlib and the layout in
 * rng.h, it must never change. The number is the first 8 bytes of
 * SHA-256(le64(1) "init"), low byte first. */
START_TEST(stream_follows_its_layout)
{
	struct rng_key k = rng_key(1, "init");
	uint64_t d = rng_derive(1, "init");
	uint32_t out[4];
	struct rng r;

	ck_assert_uint_eq(d, 0xcbf1bf25f3bc0aebull);
	ck_assert_uint_eq(k.key[0], (uint32_t)d);
	ck_assert_uint_eq(k.key[1], (uint32_t)(d >> 32));
	rng_open(&r, 1, "init", 5, 9);
	for (uint32_t block = 0; block < 3; block++) {
		rng_philox((uint32_t[]){ block, 0, 5, 9 }, k.key, out);
		for (int i = 0; i < 4; i++)
			ck_assert_uint_eq(rng_u32(&r), out[i]);
	}
}
END_TEST

START_TEST(position_carries_into_the_second_word)
{
	struct rng_key k = rng_key(1, "init");
	uint32_t out[4];
	struct rng r;

	rng_at(&r, k, 0, 0);
	r.ctr[0] = 0xffffffff;
	for (int i = 0; i < 4; i++)
		rng_u32(&r);
	rng_philox((uint32_t[]){ 0, 1, 0, 0 }, k.key, out);
	ck_assert_uint_eq(rng_u32(&r), out[0]);
}
END_TEST

static const struct name {
	uint64_t seed;
	const char *purpose;
	uint32_t a, b;
} names[] = {
	{ 0, "init", 0, 0 }, { 1, "init", 0, 0 }, { 1ull << 40, "init", 0, 0 }, { 0, "shuffle", 0, 0 },
	{ 0, "", 0, 0 }, { 0, "init", 1, 0 }, { 0, "init", 0, 1 }, { 0, "ini", 't', 0 },
};

START_TEST(names_tell_streams_apart)
{
	uint64_t first[ARRAY_LEN(names)];
	struct rng r, again;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		rng_open(&r, names[i].seed, names[i].purpose, names[i].a, names[i].b);
		rng_at(&again, rng_key(names[i].seed, names[i].purpose), names[i].a, names[i].b);
		first[i] = rng_u64(&r);
		ck_assert_uint_eq(rng_u64(&again), first[i]);
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(first[i], first[j]);
	}
}
END_TEST

START_TEST(bytes_are_the_words_low_byte_first)
{
	uint8_t bytes[11], all[12];
	struct rng r;

	rng_open(&r, 3, "bytes", 0, 0);
	for (int i = 0; i < 3; i++) {
		uint32_t w = rng_u32(&r);

		for (int k = 0; k < 4; k++)
			all[4 * i + k] = (uint8_t)(w >> 8 * k);
	}
	rng_open(&r, 3, "bytes", 0, 0);
	rng_bytes(&r, bytes, sizeof(bytes));
	ck_assert_mem_eq(bytes, all, sizeof(bytes));
}
END_TEST

#define SAMPLES 200000

/* Means and variances within five standard errors: fails by chance about once in a million streams,
 * and the stream is fixed. */
START_TEST(uniform_and_normal_have_their_moments)
{
	double u1 = 0, u2 = 0, n1 = 0, n2 = 0, n4 = 0, lag = 0, last = 0;
	struct rng r;

	rng_open(&r, 7, "moments", 0, 0);
	for (int i = 0; i < SAMPLES; i++) {
		double u = rng_uniform(&r), n = rng_normal(&r);

		ck_assert(u >= 0 && u < 1 && isfinite(n));
		u1 += u / SAMPLES;
		u2 += u * u / SAMPLES;
		n1 += n / SAMPLES;
		n2 += n * n / SAMPLES;
		n4 += n * n * n * n / SAMPLES;
		lag += n * last / SAMPLES;
		last = n;
	}
	ck_assert_double_eq_tol(u1, 0.5, 5 * sqrt(1.0 / 12 / SAMPLES));
	ck_assert_double_eq_tol(u2, 1.0 / 3, 5 * sqrt(4.0 / 45 / SAMPLES));
	ck_assert_double_eq_tol(n1, 0, 5 * sqrt(1.0 / SAMPLES));
	ck_assert_double_eq_tol(n2, 1, 5 * sqrt(2.0 / SAMPLES));
	ck_assert_double_eq_tol(n4, 3, 5 * sqrt(96.0 / SAMPLES));
	ck_assert_double_eq_tol(lag, 0, 5 * sqrt(1.0 / SAMPLES));
}
END_TEST

static const uint32_t limits[] = { 1, 2, 3, 7, 10, 0x80000001u, 0xc0000000u, 0xffffffffu };

/* 0xc0000000 is where a plain remainder (first third twice as likely) or an unrejected product (every third
 * value twice as likely) would be badly biased. */
START_TEST(below_is_unbiased)
{
	uint32_t n = limits[_i];
	int third[3] = { 0 }, rest[3] = { 0 };
	struct rng r;

	rng_open(&r, 11, "below", n, 0);
	for (int i = 0; i < 60000; i++) {
		uint32_t v = rng_below(&r, n);

		ck_assert_uint_lt(v, n);
		third[(uint64_t)v * 3 / n]++;
		rest[v % 3]++;
	}
	if (n < 0x80000000u && n % 3)
		return; /* three equal parts there are not */
	for (int i = 0; i < 3; i++) {
		ck_assert_int_lt(abs(third[i] - 20000), 5 * 116); /* 116: standard deviation */
		ck_assert_int_lt(abs(rest[i] - 20000), 5 * 116);
	}
}
END_TEST

START_TEST(permutations_are_all_equally_likely)
{
	int count[24] = { 0 }, p[4];
	struct rng r;

	rng_open(&r, 5, "permute", 0, 0);
	for (int i = 0; i < 48000; i++) {
		int rank = 0, seen = 0;

		rng_permutation(&r, p, 4);
		for (int j = 0; j < 4; j++) {
			int smaller = 0;

			seen |= 1 << p[j];
			for (int k = j + 1; k < 4; k++)
				smaller += p[k] < p[j];
			rank = rank * (4 - j) + smaller;
		}
		ck_assert_int_eq(seen, 15);
		count[rank]++;
	}
	for (int i = 0; i < 24; i++)
		ck_assert_int_lt(abs(count[i] - 2000), 5 * 44);
	rng_permutation(&r, p, 0);
	rng_permutation(&r, p, 1);
	ck_assert_int_eq(p[0], 0);
}
END_TEST

START_TEST(below_zero_is_a_bug)
{
	struct rng r;

	rng_open(&r, 1, "x", 0, 0);
	rng_below(&r, 0);
}
END_TEST

Suite *suite_rng(void);
Suite *suite_rng(void)
{
	Suite *s = suite_create("rng");
	TCase *tc = tcase_create("rng");

	tcase_add_loop_test(tc, philox_known_answers, 0, ARRAY_LEN(kats));
	tcase_add_test(tc, stream_follows_its_layout);
	tcase_add_test(tc, position_carries_into_the_second_word);
	tcase_add_test(tc, names_tell_streams_apart);
	tcase_add_test(tc, bytes_are_the_words_low_byte_first);
	tcase_add_test(tc, uniform_and_normal_have_their_moments);
	tcase_add_loop_test(tc, below_is_unbiased, 0, ARRAY_LEN(limits));
	tcase_add_test(tc, permutations_are_all_equally_likely);
	tcase_add_test_raise_signal(tc, below_zero_is_a_bug, SIGABRT);
	suite_add_tcase(s, tc);
	return s;
}
