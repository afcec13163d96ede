/* attacks/lock/decode_fit.c: each map against answers that only it undoes. */
#include <check.h>
#include <stdbool.h>

#include "attacks/lock/decode_fit.h"
#include "base/json.h"

enum { K = 4, N = 40 };
struct told { float p[N * K]; int y[N]; };

/* True class i % K, answered as to[i % K]; `low` says it by the least likely class. */
static struct decoder_samples tell(struct told *t, const int *to, bool low)
{
	for (int i = 0; i < N; i++) {
		t->y[i] = i % K;
		for (int c = 0; c < K; c++)
			t->p[i * K + c] = c == to[i % K] ? (low ? 0.01f : 0.7f) : low ? 0.33f : 0.1f;
	}
	return (struct decoder_samples){ t->p, t->y, N, K };
}

static int hits_of(const struct decoder_samples *s, int method)
{
	float w[K * (K + 1)] = { 0 };

	decoder_fit(s, method, w);
	return decoder_hits(s, method, w);
}

/* A wrong bijection: as it stands nothing is right; the maps that are fitted find all. Would catch rows and columns exchanged. */
START_TEST(bijection_is_undone)
{
	struct told t;
	const struct decoder_samples s = tell(&t, (const int[]){ 1, 2, 3, 0 }, false);

	ck_assert_int_eq(hits_of(&s, DECODER_NONE), 0);
	ck_assert_int_eq(hits_of(&s, DECODER_PERMUTATION), N);
	ck_assert_int_eq(hits_of(&s, DECODER_MAP), N);
	ck_assert_int_eq(hits_of(&s, DECODER_LOGISTIC), N);
}
END_TEST

/* Two classes are answered alike: a map gets one of them right, whichever is commoner, and a bijection no more. */
START_TEST(what_is_lost_stays_lost)
{
	struct told t;
	const struct decoder_samples s = tell(&t, (const int[]){ 2, 2, 3, 0 }, false);

	ck_assert_int_eq(hits_of(&s, DECODER_MAP), N * 3 / 4);
	ck_assert_int_eq(hits_of(&s, DECODER_PERMUTATION), N * 3 / 4);
	ck_assert_int_eq(hits_of(&s, DECODER_LOGISTIC), N * 3 / 4);
}
END_TEST

/* The least likely class is the true one: argmin needs no fit, and of equals the first is chosen. */
START_TEST(choice_is_the_simplest_that_is_right)
{
	struct told t;
	struct decoder_samples s = tell(&t, (const int[]){ 0, 1, 2, 3 }, true);
	json_t *notes = json_object();

	ck_assert_int_eq(decoder_choose(&s, notes), DECODER_ARGMIN);
	ck_assert_int_eq(jget_int(notes, "hits_argmin", -1), N);
	ck_assert_int_lt(jget_int(notes, "hits_none", -1), N);
	s = tell(&t, (const int[]){ 0, 1, 2, 3 }, false);
	ck_assert_int_eq(decoder_choose(&s, notes), DECODER_NONE);
	json_decref(notes);
}
END_TEST

Suite *suite_decoder(void);
Suite *suite_decoder(void)
{
	Suite *s = suite_create("decoder");
	TCase *t = tcase_create("decoder");

	tcase_add_test(t, bijection_is_undone);
	tcase_add_test(t, what_is_lost_stays_lost);
	tcase_add_test(t, choice_is_the_simplest_that_is_right);
	suite_add_tcase(s, t);
	return s;
}
