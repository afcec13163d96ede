/* base/json.c: strict in, canonical out, bit vectors. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tests/support_sandbox.h"

/* message: what follows "job.json:"; NULL: accepted. */
static const struct reading {
	const char *text, *message;
} readings[] = {
	{ "{\"a\": [1, 2.5, true, null, \"x\"]}", NULL }, { " [] \n", NULL },
	{ "{\"a\": 1,\n \"a\": 2}", "2:" }, /* duplicate */
	{ "{} x", "1:4: end of file expected" }, { "{}{}", "1:" },
	{ "[1,\n2,\n]", "3:1: " }, { "[NaN]", "1:" }, { "[Infinity]", "1:" }, { "[1e999]", "1:" },
	{ "[99999999999999999999]", "1:" }, { "[01]", "1:" }, { "[.5]", "1:" }, { "['a']", "1:" },
	{ "[\"\xff\"]", "1:" }, { "[\"\\u0000\"]", "1:" }, { "", "1:" }, { "{\"a\": 1", "1:" }, { "5", "1:" },
	{ "[1] // comment", "1:" },
};

START_TEST(reading_is_strict_and_says_where)
{
	const struct reading *c = &readings[_i];
	char start[64];
	json_t *j = json_read_text(c->text, strlen(c->text), "job.json");

	ck_assert_msg((j != NULL) == !c->message, "%s: %s", c->text, error_text());
	json_decref(j);
	if (!c->message)
		return;
	snprintf(start, sizeof(start), "job.json:%s", c->message);
	ck_assert_msg(!strncmp(error_text(), start, strlen(start)), "got: %s", error_text());
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
}
END_TEST

START_TEST(depth_bomb_is_refused)
{
	size_t n = 1000000;
	char *text = malloc(n);

	memset(text, '[', n);
	ck_assert_ptr_null(json_read_text(text, n, "bomb"));
	ck_assert_ptr_nonnull(strstr(error_text(), "depth"));
	free(text);
}
END_TEST

START_TEST(files_are_read_with_a_cap)
{
	json_t *j;

	sandbox_write("a.json", "{\"x\":1}", 7);
	j = json_read_file(sandbox("a.json"), 7);
	ck_assert_int_eq(jget_int(j, "x", 0), 1);
	json_decref(j);
	ck_assert_ptr_null(json_read_file(sandbox("a.json"), 6));
	error_clear();
	sandbox_write("b.json", "{\n oops}", 8);
	ck_assert_ptr_null(json_read_file(sandbox("b.json"), 100));
	ck_assert_ptr_nonnull(strstr(error_text(), "b.json:2:"));
	error_clear();
	ck_assert_ptr_null(json_read_file(sandbox("nope.json"), 100));
	ck_assert_ptr_nonnull(strstr(error_text(), "No such file"));
}
END_TEST

static const struct number {
	double v;
	const char *text;
} numbers[] = {
	{ 0.1, "0.10000000000000001" }, { 1, "1.0" }, { 0, "0.0" }, { 1e300, "1.0000000000000001e300" },
	{ 1.0 / 3, "0.33333333333333331" }, { -2.5, "-2.5" }, { NAN, "null" }, { INFINITY, "null" }, { -INFINITY, "null" },
};

START_TEST(numbers_have_17_digits_in_any_locale)
{
	char expected[64], *text;
	json_t *j = jset_num(json_object(), "v", numbers[_i].v);

	comma_locale();
	snprintf(expected, sizeof(expected), "{\"v\":%s}", numbers[_i].text);
	text = json_compact(j);
	ck_assert_str_eq(text, expected);
	json_decref(j);
	j = json_read_text(text, strlen(text), "back");
	ck_assert_ptr_nonnull(j);
	ck_assert(!isfinite(numbers[_i].v) || jget_num(j, "v", -1) == numbers[_i].v);
	json_decref(j);
	free(text);
}
END_TEST

static json_t *sample(int reversed)
{
	json_t *j = json_object();

	if (reversed)
		return jset_str(jset(jset_int(j, "a", -3), "list", json_pack("[i,i]", 1, 2)), "b", "x\n\xc3\xa9");
	return jset(jset_int(jset_str(j, "b", "x\n\xc3\xa9"), "a", -3), "list", json_pack("[i,i]", 1, 2));
}

START_TEST(canonical_text_does_not_depend_on_order)
{
	json_t *j = sample(0), *r = sample(1);
	char *text = json_compact(j), *pretty = json_pretty(r), hash[65], other[65];

	ck_assert_str_eq(text, "{\"a\":-3,\"b\":\"x\\n\xc3\xa9\",\"list\":[1,2]}");
	ck_assert_str_eq(pretty, "{\n  \"a\": -3,\n  \"b\": \"x\\n\xc3\xa9\",\n  \"list\": [\n    1,\n    2\n  ]\n}\n");
	json_hash(j, hash);
	json_hash(r, other);
	ck_assert_str_eq(hash, other);
	/* printf '{"a":-3,"b":"x\\n\303\251","list":[1,2]}' | sha256sum */
	ck_assert_str_eq(hash, "090a7e2cd41ce60ca9b9b057a5f11ef321db2907e715478e5f41c7117bc9052d");
	jset_int(r, "a", 4);
	json_hash(r, other);
	ck_assert_str_ne(hash, other);
	ck_assert_int_eq(json_publish(sandbox("s.json"), j), 0);
	json_decref(r);
	r = json_read_file(sandbox("s.json"), 1000);
	ck_assert(json_equal(r, j));
	json_decref(j);
	json_decref(r);
	free(text);
	free(pretty);
}
END_TEST

START_TEST(typed_members_fall_back_on_another_type)
{
	json_t *j = json_object();

	jset_bool(jset_num(jset_int(jset_str(j, "s", "t"), "i", 1ll << 60), "n", 0.5), "b", 5);
	jset_str(j, "null", NULL);
	ck_assert_str_eq(jget_str(j, "s", "d"), "t");
	ck_assert_str_eq(jget_str(j, "i", "d"), "d");
	ck_assert_str_eq(jget_str(j, "null", "d"), "d");
	ck_assert_ptr_null(jget_str(j, "absent", NULL));
	ck_assert_int_eq(jget_int(j, "i", 2), 1ll << 60);
	ck_assert_int_eq(jget_int(j, "n", 2), 2);
	ck_assert_int_eq(jget_int(j, "b", 2), 2);
	ck_assert(jget_num(j, "n", 9) == 0.5);
	ck_assert(jget_num(j, "i", 9) == 0x1p60);
	ck_assert(jget_num(j, "s", 9) == 9);
	ck_assert_int_eq(jget_bool(j, "b", 0), 1);
	ck_assert_int_eq(jget_bool(j, "i", 0), 0);
	ck_assert_int_eq(jget_bool(NULL, "b", 7), 7);
	json_decref(j);
}
END_TEST

START_TEST(text_that_is_not_utf8_is_kept_readable)
{
	json_t *j = jset_str(json_object(), "name", "caf\xe9.png");

	ck_assert_str_eq(jget_str(j, "name", ""), "caf\\xe9.png");
	json_decref(j);
}
END_TEST

/* ---- bit vectors ---- */

static const struct bits_case {
	const char *bits, *text;
} bits_cases[] = {
	{ "", "" }, { "0", "AA==" }, { "1", "AQ==" }, { "00000001", "gA==" }, { "11111111", "/w==" },
	{ "111111111", "/wE=" }, { "1000000001000000", "AQI=" },
	{ "101100100111011000001111", "TW7w" }, { "1011001001110110000011111", "TW7wAQ==" },
};

START_TEST(bits_are_base64_low_bit_first)
{
	const struct bits_case *c = &bits_cases[_i];
	size_t n = strlen(c->bits);
	unsigned char bits[64], *back;
	char *text;

	for (size_t i = 0; i < n; i++)
		bits[i] = c->bits[i] == '1' ? 1 + (unsigned char)i : 0; /* any value but 0 is a 1 */
	text = bits_encode(bits, n);
	ck_assert_str_eq(text, c->text);
	back = bits_decode(text, n);
	ck_assert_ptr_nonnull(back);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(back[i], c->bits[i] - '0');
	free(back);
	free(text);
}
END_TEST

static const struct bad_bits {
	const char *text;
	size_t n;
} bad_bits[] = {
	{ "AA==", 0 }, { "", 1 }, { "AQ==", 9 }, { "AQ==", 17 }, { "AQ=", 1 }, { "AQ", 1 }, { "AQA=", 1 }, { "AQ==\n", 1 },
	{ "Ag==", 1 } /* bit past the end */, { "AR==", 1 } /* bits past the byte */, { "A*==", 1 }, { "====", 1 },
	{ "=Q==", 1 }, { "AQ=A", 1 }, { "A-_A", 24 }, { "AQ==", SIZE_MAX }, { "AQ==", SIZE_MAX / 2 },
};

START_TEST(malformed_bits_are_refused)
{
	ck_assert_ptr_null(bits_decode(bad_bits[_i].text, bad_bits[_i].n));
}
END_TEST

START_TEST(any_length_round_trips)
{
	unsigned char bits[200], *back;

	for (size_t i = 0; i < sizeof(bits); i++)
		bits[i] = (i * i + i / 3) % 3 == 0;
	for (size_t n = 0; n <= sizeof(bits); n++) {
		char *text = bits_encode(bits, n);

		back = bits_decode(text, n);
		ck_assert_ptr_nonnull(back);
		ck_assert_mem_eq(back, bits, n);
		ck_assert_ptr_null(bits_decode(text, n + 24));
		free(back);
		free(text);
	}
}
END_TEST

Suite *suite_json(void);
Suite *suite_json(void)
{
	Suite *s = suite_create("json");
	TCase *tc = tcase_create("json");

	tcase_add_checked_fixture(tc, sandbox_open, sandbox_close);
	tcase_add_loop_test(tc, reading_is_strict_and_says_where, 0, ARRAY_LEN(readings));
	tcase_add_test(tc, depth_bomb_is_refused);
	tcase_add_test(tc, files_are_read_with_a_cap);
	tcase_add_loop_test(tc, numbers_have_17_digits_in_any_locale, 0, ARRAY_LEN(numbers));
	tcase_add_test(tc, canonical_text_does_not_depend_on_order);
	tcase_add_test(tc, typed_members_fall_back_on_another_type);
	tcase_add_test(tc, text_that_is_not_utf8_is_kept_readable);
	tcase_add_loop_test(tc, bits_are_base64_low_bit_first, 0, ARRAY_LEN(bits_cases));
	tcase_add_loop_test(tc, malformed_bits_are_refused, 0, ARRAY_LEN(bad_bits));
	tcase_add_test(tc, any_length_round_trips);
	suite_add_tcase(s, tc);
	return s;
}
