/* base/arena.c: aligned, apart, kept over a reset, one chunk afterwards. */
#include <check.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "tests/support_sandbox.h"

static const size_t sizes[] = { 1, 0, 63, 64, 65, 100000, 3, 5000000, 1, 70000, 128, 0, 200 };

/* One round of all sizes, each filled with its own byte. */
static void round_of(struct arena *a, unsigned char *p[ARRAY_LEN(sizes)])
{
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		p[i] = arena_new(a, sizes[i], unsigned char);
		ck_assert_uint_eq((uintptr_t)p[i] % 64, 0);
		memset(p[i], (int)i + 1, sizes[i]);
	}
}

static bool all_are(const unsigned char *p, size_t n, int byte)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != byte)
			return false;
	return true;
}

START_TEST(blocks_are_aligned_and_apart)
{
	struct arena a = { 0 };
	unsigned char *p[ARRAY_LEN(sizes)];
	size_t sum = 0;

	round_of(&a, p);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		ck_assert(all_are(p[i], sizes[i], (int)i + 1)); /* no later block wrote here */
		for (size_t j = 0; j < i; j++)
			ck_assert_ptr_ne(p[i], p[j]);
		sum += sizes[i];
	}
	ck_assert_uint_ge(a.used, sum);
	ck_assert_uint_eq(a.high, a.used);
	arena_release(&a);
}
END_TEST

START_TEST(after_the_first_reset_nothing_moves)
{
	struct arena a = { 0 };
	unsigned char *p[ARRAY_LEN(sizes)], *first;
	struct arena_chunk *chunk;
	size_t high;

	round_of(&a, p);
	high = a.high;
	arena_reset(&a);
	ck_assert_uint_eq(a.used, 0);
	ck_assert_uint_eq(a.high, high);
	chunk = a.head;
	ck_assert_ptr_nonnull(chunk);
	for (int step = 0; step < 3; step++) {
		round_of(&a, p);
		ck_assert_ptr_eq(a.head, chunk); /* no growth: steady state */
		ck_assert(step == 0 || p[0] == first);
		ck_assert(p[ARRAY_LEN(sizes) - 1] > p[0] && p[ARRAY_LEN(sizes) - 1] < p[0] + high); /* one chunk */
		first = p[0];
		arena_reset(&a);
	}
	ck_assert_uint_eq(a.high, high);
	arena_release(&a);
	ck_assert_ptr_null(a.head);
}
END_TEST

START_TEST(empty_and_released_arenas_are_usable)
{
	struct arena a = { 0 };

	arena_reset(&a);
	arena_release(&a);
	ck_assert_str_eq(arena_printf(&a, "%s/%d", "cell", 7), "cell/7");
	ck_assert_str_eq(arena_printf(&a, "%s", ""), "");
	arena_release(&a);
	arena_release(&a);
	ck_assert_uint_eq(a.used, 0);
}
END_TEST

static void overflow(void *arg)
{
	struct arena a = { 0 };

	arena_alloc(&a, SIZE_MAX / 4 + 2, *(size_t *)arg);
}

START_TEST(impossible_size_dies)
{
	static const size_t size[] = { 2, 4, 8 }; /* over PTRDIFF_MAX; wraps to 4; wraps to 8 */
	size_t s = size[_i];

	ck_assert_int_eq(run_child(overflow, &s, NULL), EXIT_MEMORY);
}
END_TEST

Suite *suite_arena(void);
Suite *suite_arena(void)
{
	Suite *s = suite_create("arena");
	TCase *tc = tcase_create("arena");

	tcase_add_test(tc, blocks_are_aligned_and_apart);
	tcase_add_test(tc, after_the_first_reset_nothing_moves);
	tcase_add_test(tc, empty_and_released_arenas_are_usable);
	tcase_add_loop_test(tc, impossible_size_dies, 0, 3);
	suite_add_tcase(s, tc);
	return s;
}
