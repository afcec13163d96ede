/* base/hash.c: FIPS 180-4 example vectors, streaming equals one shot, strict hex. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"

static const struct vector {
	const char *text;
	size_t repeat;
	const char *hex;
} vectors[] = {
	{ "", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ "a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
};

START_TEST(known_answers)
{
	const struct vector *v = &vectors[_i];
	size_t n = strlen(v->text), len = n * v->repeat;
	char *all = malloc(len + 1), hex[HASH_HEX];
	uint8_t raw[HASH_LEN], back[HASH_LEN];
	struct hash h;

	hash_init(&h);
	for (size_t i = 0; i < v->repeat; i++) {
		memcpy(all + i * n, v->text, n);
		hash_add(&h, v->text, n);
	}
	hash_end_hex(&h, hex);
	ck_assert_str_eq(hex, v->hex);
	sha256_hex(all, len, hex);
	ck_assert_str_eq(hex, v->hex);
	sha256(all, len, raw);
	ck_assert_int_eq(hex_decode(v->hex, back, HASH_LEN), 0);
	ck_assert_mem_eq(raw, back, HASH_LEN);
	free(all);
}
END_TEST

/* RFC 4231, test cases 1, 2 and 6. */
START_TEST(hmac_known_answers)
{
	uint8_t key[131], want[HASH_LEN], got[HASH_LEN];

	memset(key, 0x0b, 20);
	hmac_sha256(key, 20, "Hi There", 8, got);
	ck_assert_int_eq(hex_decode("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", want, HASH_LEN), 0);
	ck_assert_mem_eq(got, want, HASH_LEN);
	hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, got);
	ck_assert_int_eq(hex_decode("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", want, HASH_LEN), 0);
	ck_assert_mem_eq(got, want, HASH_LEN);
	memset(key, 0xaa, sizeof(key));
	hmac_sha256(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54, got);
	ck_assert_int_eq(hex_decode("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", want, HASH_LEN), 0);
	ck_assert_mem_eq(got, want, HASH_LEN);
}
END_TEST

static const struct hex_case {
	const char *text;
	int ret;
} hex_cases[] = {
	{ "00fFA5", 0 }, { "00ffA", -1 }, { "00ffA5a", -1 }, { "00ffA5aa", -1 }, { "", -1 },
	{ "00ffAg", -1 }, { "00 fA5", -1 }, { "0x00ff", -1 }, { "-0ffa5", -1 },
};

START_TEST(hex_is_strict)
{
	uint8_t out[3] = { 1, 2, 3 };

	ck_assert_int_eq(hex_decode(hex_cases[_i].text, out, 3), hex_cases[_i].ret);
	if (!hex_cases[_i].ret)
		ck_assert_mem_eq(out, ((uint8_t[]){ 0x00, 0xff, 0xa5 }), 3);
}
END_TEST

START_TEST(empty_input_may_be_null)
{
	char a[HASH_HEX], text[3] = "xx";

	sha256_hex(NULL, 0, a);
	ck_assert_str_eq(a, vectors[0].hex);
	ck_assert_int_eq(hex_decode("", NULL, 0), 0);
	hex_encode(NULL, 0, text);
	ck_assert_str_eq(text, "");
}
END_TEST

Suite *suite_hash(void);
Suite *suite_hash(void)
{
	Suite *s = suite_create("hash");
	TCase *tc = tcase_create("hash");

	tcase_add_loop_test(tc, known_answers, 0, ARRAY_LEN(vectors));
	tcase_add_loop_test(tc, hex_is_strict, 0, ARRAY_LEN(hex_cases));
	tcase_add_test(tc, hmac_known_answers);
	tcase_add_test(tc, empty_input_may_be_null);
	suite_add_tcase(s, tc);
	return s;
}
