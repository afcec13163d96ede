/* metrics/observe.c: names, counts, and the way through JSON and back. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "metrics/observe.h"

static const unsigned char bits[] = { 1, 0, 0, 1, 1, 0, 1, 0, 1 };

static void fill(struct observations *o)
{
	memset(o, 0, sizeof(*o));
	obs_bits(o, "zebra", bits, sizeof(bits));
	obs_bits(o, "none", bits, 0);
	obs_num(o, "answer", 42.125);
	obs_series(o, "curve", (const double[]){ 0.5, 1, 2 }, 3);
}

START_TEST(values_come_back)
{
	struct observations o;

	fill(&o);
	ck_assert_int_eq(obs_get(&o, "zebra", 'b')->k, 5);
	ck_assert_uint_eq(obs_get(&o, "zebra", 'b')->n, sizeof(bits));
	ck_assert_ptr_null(obs_get(&o, "zebra", 'n')); /* another kind is absent */
	ck_assert_ptr_null(obs_get(&o, "zebr", 'b'));
	ck_assert_double_eq(obs_getnum(&o, "answer", 0), 42.125);
	ck_assert_double_eq(obs_getnum(&o, "question", -1), -1);
	obs_release(&o);
	ck_assert_int_eq(o.n, 0);
}
END_TEST

START_TEST(a_name_given_twice_is_replaced)
{
	struct observations o;

	fill(&o);
	obs_bits(&o, "zebra", bits, 2);
	obs_num(&o, "curve", 1); /* of another kind, too */
	ck_assert_int_eq(o.n, 4);
	ck_assert_int_eq(obs_get(&o, "zebra", 'b')->k, 1);
	ck_assert_ptr_null(obs_get(&o, "curve", 's'));
	obs_release(&o);
}
END_TEST

START_TEST(json_round_trip)
{
	struct observations o, back = { 0 };
	json_t *j, *again;
	char *a, *b;

	fill(&o);
	j = obs_json(&o);
	ck_assert_msg(obs_from_json(&back, j) == 0, "%s", error_text());
	again = obs_json(&back);
	a = json_compact(j);
	b = json_compact(again);
	ck_assert_str_eq(a, b);
	ck_assert_mem_eq(obs_get(&back, "zebra", 'b')->bits, bits, sizeof(bits));
	free(a);
	free(b);
	json_decref(j);
	json_decref(again);
	obs_release(&o);
	obs_release(&back);
}
END_TEST

#define WITH(b, n, s) "{\"bits\":{" b "},\"numbers\":{" n "},\"series\":{" s "}}"
static const char *const hostile[] = {
	"{}", "[]", "{\"bits\":{},\"numbers\":{}}", "{\"bits\":[],\"numbers\":{},\"series\":{}}",
	WITH("\"a\":{\"k\":3,\"n\":2,\"bits\":\"Aw==\"}", "", ""),   /* counts more than it has */
	WITH("\"a\":{\"k\":1,\"n\":2,\"bits\":\"Aw==\"}", "", ""),   /* counts wrongly */
	WITH("\"a\":{\"k\":0,\"n\":-1,\"bits\":\"\"}", "", ""),
	WITH("\"a\":{\"k\":0,\"n\":99999999999,\"bits\":\"\"}", "", ""),
	WITH("\"a\":{\"k\":0,\"n\":9,\"bits\":\"Aw==\"}", "", ""),   /* too few bits */
	WITH("\"a\":{\"k\":0,\"n\":2}", "", ""), WITH("\"a\":7", "", ""),
	WITH("", "\"a\":null", ""), WITH("", "\"a\":\"1\"", ""),
	WITH("", "", "\"a\":{}"), WITH("", "", "\"a\":[1,null]"),
	WITH("", "\"\":1", ""),
	WITH("", "\"a name that is longer than the forty-seven bytes it may have\":1", ""),
};

START_TEST(hostile_json_is_refused)
{
	struct observations o = { 0 };
	json_t *j = json_read_text(hostile[_i], strlen(hostile[_i]), "test");

	ck_assert_ptr_nonnull(j);
	ck_assert_int_eq(obs_from_json(&o, j), -1);
	ck_assert_str_ne(error_text(), "");
	ck_assert_int_eq(o.n, 0);
	json_decref(j);
}
END_TEST

START_TEST(no_number_is_a_bug)
{
	struct observations o = { 0 };

	obs_num(&o, "x", NAN);
}
END_TEST

Suite *suite_observe(void);
Suite *suite_observe(void)
{
	Suite *s = suite_create("observe");
	TCase *tc = tcase_create("observe");

	tcase_add_test(tc, values_come_back);
	tcase_add_test(tc, a_name_given_twice_is_replaced);
	tcase_add_test(tc, json_round_trip);
	tcase_add_loop_test(tc, hostile_json_is_refused, 0, (int)ARRAY_LEN(hostile));
	tcase_add_test_raise_signal(tc, no_number_is_a_bug, 6);
	suite_add_tcase(s, tc);
	return s;
}
