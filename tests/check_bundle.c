/* Bundles: the container, its file format, and files that lie. */
#include "base/error.h"
#include "nn/bundle.h"
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One tensor of every dtype and rank, some of them empty. */
static struct bundle *sample(void)
{
	struct bundle *b = bundle_new();

	bundle_put_f32(b, "weights", 3, (float[]){ 1.5f, -2, 3 });
	bundle_put_u8(b, "bits", 5, (uint8_t[]){ 1, 0, 1, 1, 0 });
	bundle_put_i32(b, "index", 2, (int32_t[]){ -7, 1 << 30 });
	bundle_put(b, "scalar", DT_F64, 0, NULL, &(double){ 0.1 });
	bundle_put(b, "none", DT_I64, 2, (int64_t[]){ 0, 9 }, NULL);
	bundle_put(b, "six", DT_F32, 6, (int64_t[]){ 1, 2, 1, 1, 2, 1 }, NULL);
	bundle_meta(b, "scheme", "sch\"ön");
	bundle_meta_num(b, "third", 1.0 / 3);
	return b;
}

START_TEST(puts_and_gets)
{
	struct bundle *b = sample();
	size_t len;

	ck_assert_int_eq(b->nt, 6);
	for (int i = 1; i < b->nt; i++)
		ck_assert_str_lt(b->t[i - 1].name, b->t[i].name);
	ck_assert(bundle_f32(b, "weights", &len)[2] == 3 && len == 3);
	ck_assert_int_eq(bundle_i32(b, "index", NULL)[0], -7);
	ck_assert_int_eq(bundle_u8(b, "bits", NULL)[3], 1);
	ck_assert_ptr_null(bundle_f32(b, "bits", &len)); /* another dtype */
	ck_assert_uint_eq(len, 0);
	ck_assert_ptr_null(bundle_get(b, "absent", DT_F32));
	ck_assert_str_eq(bundle_meta_get(b, "scheme"), "sch\"ön");
	ck_assert_double_eq(bundle_meta_getnum(b, "third", 0), 1.0 / 3);
	ck_assert_double_eq(bundle_meta_getnum(b, "scheme", -4), -4);
	bundle_free(b);
	bundle_free(NULL);
}
END_TEST

START_TEST(replaces_and_removes)
{
	struct bundle *b = sample();
	float *w = bundle_put_f32(b, "weights", 1, bundle_f32(b, "weights", NULL) + 1); /* from the one it replaces */

	ck_assert(b->nt == 6 && w[0] == -2);
	bundle_remove(b, "index");
	bundle_remove(b, "index");
	ck_assert_int_eq(b->nt, 5);
	ck_assert_ptr_null(bundle_i32(b, "index", NULL));
	bundle_free(b);
}
END_TEST

START_TEST(encoding_is_canonical)
{
	struct bundle *a = sample(), *b = bundle_copy(a), *c;
	size_t na, nc;
	char *file = bundle_encode(a, &na), *again, ha[65], hb[65];

	c = bundle_decode(file, na, "memory");
	ck_assert_msg(c != NULL, "%s", error_text());
	again = bundle_encode(c, &nc);
	ck_assert_uint_eq(na, nc);
	ck_assert_mem_eq(file, again, na);
	bundle_hash(a, ha);
	bundle_hash(b, hb);
	ck_assert_str_eq(ha, hb);
	ck_assert_double_eq(*(const double *)bundle_get(c, "scalar", DT_F64)->data, 0.1);
	ck_assert_int_eq(bundle_get(c, "none", DT_I64)->d[1], 9);
	free(file);
	free(again);
	bundle_free(a);
	bundle_free(b);
	bundle_free(c);
}
END_TEST

/* PyTorch's loader needs every tensor on a multiple of its element's size; ours must not need it. */
START_TEST(data_is_aligned)
{
	struct bundle *b = bundle_new();
	size_t len;
	char *file;
	uint64_t header;

	bundle_put_u8(b, "a", 3, NULL);
	bundle_put_f32(b, "b", 1, (float[]){ 1 });
	bundle_put(b, "c", DT_I64, 1, (int64_t[]){ 1 }, NULL);
	file = bundle_encode(b, &len);
	memcpy(&header, file, sizeof(header));
	ck_assert_uint_eq(header % 8, 0);
	ck_assert_ptr_nonnull(strstr(file + 8, "\"c\":{\"data_offsets\":[0,8]"));
	ck_assert_ptr_nonnull(strstr(file + 8, "\"a\":{\"data_offsets\":[12,15]"));
	free(file);
	bundle_free(b);
}
END_TEST

START_TEST(saves_and_loads)
{
	struct bundle *a = sample(), *b;
	char path[64], ha[65], hb[65];

	snprintf(path, sizeof(path), "/tmp/lockbench-bundle-%d", (int)getpid());
	ck_assert_int_eq(bundle_save(a, path), 0);
	b = bundle_load(path);
	ck_assert_msg(b != NULL, "%s", error_text());
	bundle_hash(a, ha);
	bundle_hash(b, hb);
	ck_assert_str_eq(ha, hb);
	unlink(path);
	ck_assert_ptr_null(bundle_load(path));
	ck_assert_ptr_nonnull(strstr(error_text(), path));
	bundle_free(a);
	bundle_free(b);
}
END_TEST

/* ---- hostile files: header, data bytes, and what the message must say ---- */

static struct bundle *decode(const char *header, size_t bytes, uint64_t claim)
{
	size_t n = strlen(header), len = 8 + n + bytes;
	char *file = calloc(1, len); /* of exactly this length, so that sanitizers see a read behind the end */
	struct bundle *b;

	memcpy(file, &claim, 8);
	memcpy(file + 8, header, n);
	b = bundle_decode(file, len, "test");
	free(file);
	return b;
}

#define T(shape, off) "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" off "}"
static const struct {
	const char *header;
	size_t bytes;
	const char *says;
} bad[] = {
	{ "[]", 0, "not an object" },
	{ "{", 0, "test:" },
	{ "{} x", 0, "test:" },
	{ "{}", 4, "after the last tensor" },
	{ "{\"a\":1}", 0, "members" },
	{ "{\"a\":" T("[1]", "[0,4]") "}", 3, "outside" },
	{ "{\"a\":" T("[1]", "[0,4]") "}", 5, "after the last" },
	{ "{\"a\":" T("[1]", "[1,5]") "}", 5, "gap" },
	{ "{\"a\":" T("[1]", "[0,4]") ",\"b\":" T("[1]", "[0,4]") "}", 4, "overlap" },
	{ "{\"a\":" T("[2]", "[0,8]") ",\"b\":" T("[1]", "[4,8]") "}", 8, "overlap" },
	{ "{\"a\":" T("[1]", "[0,4]") ",\"b\":" T("[1]", "[8,12]") "}", 12, "gap" },
	{ "{\"a\":" T("[1]", "[4,0]") "}", 4, "outside" },
	{ "{\"a\":" T("[1]", "[-4,0]") "}", 4, "outside" },
	{ "{\"a\":" T("[1]", "[0,4,8]") "}", 8, "data_offsets" },
	{ "{\"a\":" T("[1]", "[0,4.0]") "}", 4, "data_offsets" },
	{ "{\"a\":" T("[1]", "{}") "}", 4, "data_offsets" },
	{ "{\"a\":" T("[2]", "[0,4]") "}", 4, "its shape needs 8" },
	{ "{\"a\":" T("[-1]", "[0,4]") "}", 4, "negative" },
	{ "{\"a\":" T("[1.5]", "[0,4]") "}", 4, "whole numbers" },
	{ "{\"a\":" T("4", "[0,4]") "}", 4, "shape" },
	{ "{\"a\":" T("[1,1,1,1,1,1,1]", "[0,4]") "}", 4, "at most 6" },
	{ "{\"a\":" T("[4294967296,4294967296,4294967296]", "[0,0]") "}", 0, "too large" },
	{ "{\"a\":" T("[4611686018427387905]", "[0,4]") "}", 4, "too large" },
	{ "{\"a\":" T("[99999999999999999999999]", "[0,4]") "}", 4, "test:" },
	{ "{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "dtype" },
	{ "{\"a\":{\"dtype\":1,\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "dtype" },
	{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4, "members" },
	{ "{\"\":" T("[1]", "[0,4]") "}", 4, "name" },
	{ "{\"a\":" T("[1]", "[0,4]") ",\"a\":" T("[1]", "[4,8]") "}", 8, "duplicate" },
	{ "{\"a\\u0000b\":" T("[1]", "[0,4]") "}", 4, "test:" },
	{ "{\"__metadata__\":[]}", 0, "not an object" },
	{ "{\"__metadata__\":{\"a\":1}}", 0, "not a string" },
};

START_TEST(refuses_lies)
{
	ck_assert_ptr_null(decode(bad[_i].header, bad[_i].bytes, strlen(bad[_i].header)));
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	ck_assert_msg(!strncmp(error_text(), "test:", 5), "%s", error_text());
	ck_assert_msg(strstr(error_text(), bad[_i].says) != NULL, "%s: %s", bad[_i].header, error_text());
}
END_TEST

START_TEST(refuses_wrong_header_lengths)
{
	static const uint64_t claims[] = { 0, 1, 3, 7, (16 << 20) + 1, UINT64_MAX, UINT64_MAX - 7, (uint64_t)1 << 63 };

	for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
		ck_assert_ptr_null(decode("{}", 0, claims[i]));
		ck_assert_ptr_nonnull(strstr(error_text(), "test: "));
		error_clear();
	}
	for (size_t n = 0; n < 8; n++)
		ck_assert_ptr_null(bundle_decode("\2\0\0\0\0\0\0\0{}", n, "test"));
}
END_TEST

START_TEST(refuses_long_names)
{
	char header[512], name[258];
	struct bundle *b;

	for (int n = 255; n <= 256; n++) {
		memset(name, 'n', sizeof(name));
		name[n] = '\0';
		snprintf(header, sizeof(header), "{\"%s\":" T("[1]", "[0,4]") "}", name);
		b = decode(header, 4, strlen(header));
		ck_assert_int_eq(b != NULL, n == 255);
		bundle_free(b);
	}
}
END_TEST

START_TEST(accepts_others_files)
{
	/* As the Rust and Python writers do it: data order unlike name order, blanks behind, an empty tensor. */
	static const char header[] = "{\"__metadata__\":{\"format\":\"pt\"},\"z\":" T("[]", "[0,4]") ",\"a\":" T("[2]", "[4,12]")
		",\"e\":" T("[0,3]", "[4,4]") "}    ";
	struct bundle *b = decode(header, 12, sizeof(header) - 1);

	ck_assert_msg(b != NULL, "%s", error_text());
	ck_assert(b->nt == 3 && bundle_get(b, "z", DT_F32)->nd == 0 && bundle_get(b, "e", DT_F32)->len == 0);
	ck_assert_str_eq(bundle_meta_get(b, "format"), "pt");
	bundle_free(b);
}
END_TEST

Suite *suite_bundle(void);
Suite *suite_bundle(void)
{
	Suite *s = suite_create("bundle");
	TCase *tc = tcase_create("bundle");

	tcase_add_test(tc, puts_and_gets);
	tcase_add_test(tc, replaces_and_removes);
	tcase_add_test(tc, encoding_is_canonical);
	tcase_add_test(tc, data_is_aligned);
	tcase_add_test(tc, saves_and_loads);
	tcase_add_loop_test(tc, refuses_lies, 0, (int)ARRAY_LEN(bad));
	tcase_add_test(tc, refuses_wrong_header_lengths);
	tcase_add_test(tc, refuses_long_names);
	tcase_add_test(tc, accepts_others_files);
	suite_add_tcase(s, tc);
	return s;
}
