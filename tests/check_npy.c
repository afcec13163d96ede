/* .npy files: what we write NumPy reads, what NumPy writes we read, anything else is refused. */
#include "base/error.h"
#include "nn/npy.h"
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A file of version 1.0 (or `major`) with this dictionary and n data bytes 0, 1, 2, ... in buf; its length. */
static size_t make_file(unsigned char *buf, int major, const char *dict, int n)
{
	size_t len = strlen(dict), at = 10;

	memcpy(buf, "\x93NUMPY", 6);
	buf[6] = (unsigned char)major;
	buf[7] = 0;
	buf[8] = (unsigned char)len;
	buf[9] = 0;
	if (major > 1) {
		buf[10] = buf[11] = 0;
		at = 12;
	}
	memcpy(buf + at, dict, len);
	for (int i = 0; i < n; i++)
		buf[at + len + (size_t)i] = (unsigned char)i;
	return at + len + (size_t)n;
}

static void *decode(const char *dict, int n, int major)
{
	unsigned char file[512], *exact;
	size_t len = make_file(file, major, dict, n);
	int64_t d[6];
	char dtype;
	int nd;
	void *x;

	exact = malloc(len); /* so that sanitizers see a read behind the end */
	memcpy(exact, file, len);
	x = npy_decode(exact, len, "test", &dtype, &nd, d);
	free(exact);
	return x;
}

static const struct good {
	const char *dict;
	int bytes, major;
} good[] = {
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }      \n", 24, 1 },
	{ "{'descr': '|u1', 'fortran_order': False, 'shape': (5,), }\n", 5, 2 },
	{ "{'shape': (), 'fortran_order': False, 'descr': '<f4'}", 4, 3 },
	{ "{'descr':'<f4','fortran_order':False,'shape':(1,1,1,1,1,1)}", 4, 1 },
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 7), }\n", 0, 1 },
	/* other writers: bytes with an order, no order at all, double quotes, line ends; Python 2's long numbers */
	{ "{'descr': '<u1', 'fortran_order': False, 'shape': (5,), }", 5, 1 },
	{ "{'descr': '>u1', 'fortran_order': False, 'shape': (5,), }", 5, 1 },
	{ "{'descr': '=u1', 'fortran_order': False, 'shape': (5,), }", 5, 1 },
	{ "{'descr': 'u1', 'fortran_order': False, 'shape': (5,), }", 5, 1 },
	{ "{'descr': '=f4', 'fortran_order': False, 'shape': (6,), }", 24, 1 },
	{ "{\"descr\": \"<f4\",\n\t\"fortran_order\": False,\r\n \"shape\": (2, 3)}", 24, 1 },
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }", 24, 1 },
	{ "{'descr': '|u1', 'fortran_order': False, 'shape': (5L,), }", 5, 1 },
	{ "{'descr': '<f4', 'fortran_order': True, 'shape': (6,), }", 24, 1 }, /* one dimension has one order */
};

START_TEST(reads_what_numpy_writes)
{
	void *x = decode(good[_i].dict, good[_i].bytes, good[_i].major);

	ck_assert_msg(x != NULL, "%s: %s", good[_i].dict, error_text());
	for (int i = 0; i < good[_i].bytes; i++)
		ck_assert_int_eq(((unsigned char *)x)[i], i);
	free(x);
}
END_TEST

/* Big endian and Fortran order are turned into ours. */
START_TEST(reads_other_orders)
{
	const char *big = "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }";
	const char *fortran = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }";
	const char *both = "{'descr': '>f4', 'fortran_order': True, 'shape': (1, 2, 2), }";
	static const unsigned char turned[8] = { 3, 2, 1, 0, 7, 6, 5, 4 };
	/* [i][j][k] is number i + 2j + 6k */
	static const unsigned char wanted[12] = { 0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11 };
	static const unsigned char wanted_both[16] = { 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 5, 4, 15, 14, 13, 12 };
	unsigned char *x = decode(big, 8, 1), *y = decode(fortran, 12, 1), *z = decode(both, 16, 1);

	ck_assert_msg(x && y && z, "%s", error_text());
	ck_assert_mem_eq(x, turned, sizeof(turned));
	ck_assert_mem_eq(y, wanted, sizeof(wanted));
	ck_assert_mem_eq(z, wanted_both, sizeof(wanted_both));
	free(x);
	free(y);
	free(z);
}
END_TEST

/* Refused, with the true reason. */
static const struct {
	const char *dict;
	int bytes, major;
	const char *why;
} bad[] = {
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 23, 1, "23 bytes" },
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 25, 1, "25 bytes" },
	{ "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", 24, 1, "float64 ('<f8')" },
	{ "{'descr': '<f2', 'fortran_order': False, 'shape': (3,), }", 6, 1, "float16 ('<f2')" },
	{ "{'descr': '<i4', 'fortran_order': False, 'shape': (6,), }", 24, 1, "int32 ('<i4')" },
	{ "{'descr': '|i1', 'fortran_order': False, 'shape': (6,), }", 6, 1, "int8 ('|i1')" },
	{ "{'descr': '|b1', 'fortran_order': False, 'shape': (6,), }", 6, 1, "bool" },
	{ "{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }", 24, 1, "complex64" },
	{ "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", 24, 1, "Python objects" },
	{ "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (6,), }", 24, 1, "structured" },
	{ "{'descr': '', 'fortran_order': False, 'shape': (6,), }", 24, 1, "unknown" },
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (6), }", 24, 1, "no tuple" },
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (-6,), }", 24, 1, "shape" },
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (6LL,), }", 24, 1, "shape" },
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3), }", 24, 1, "shape" },
	{ "{'descr': '<f4', 'fortran_order': 1, 'shape': (2, 3), }", 24, 1, "order" },
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,6), }", 24, 1, "6 dimensions" },
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", 0, 1, "shape" },
	{ "{'descr': '<f4', 'fortran_order': True, 'shape': (4611686018427387904, 4), }", 0, 1, "shape" },
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 0, 1, "shape" },
	{ "{'descr': '<f4', 'descr': '<f4', 'shape': (6,), }", 24, 1, "key" },
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'more': 1}", 24, 1, "key" },
	{ "{'descr': '<f4', 'fortran_order': False, }", 24, 1, "three keys" },
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)} x", 24, 1, "behind" },
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)", 24, 1, "no end" },
	{ "{'descr': '<f4' 'fortran_order': False, 'shape': (6,)}", 24, 1, "no end" },
	{ "{'descr: <f4", 0, 1, "damaged" },
	{ "", 24, 1, "dictionary" },
	{ "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", 24, 4, "version 4.0" },
};

START_TEST(refuses_the_rest)
{
	ck_assert_msg(decode(bad[_i].dict, bad[_i].bytes, bad[_i].major) == NULL, "%s", bad[_i].dict);
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	ck_assert_ptr_nonnull(strstr(error_text(), "test: "));
	ck_assert_msg(strstr(error_text(), bad[_i].why) != NULL, "%s: %s", bad[_i].dict, error_text());
}
END_TEST

START_TEST(refuses_every_cut)
{
	unsigned char file[512];
	size_t len = make_file(file, 2, good[0].dict, good[0].bytes);

	for (size_t n = 0; n < len; n++) {
		unsigned char *cut = malloc(n ? n : 1);
		int64_t d[6];
		char dtype;
		int nd;

		memcpy(cut, file, n);
		ck_assert_ptr_null(npy_decode(cut, n, "cut", &dtype, &nd, d));
		error_clear();
		free(cut);
	}
}
END_TEST

START_TEST(round_trip)
{
	static const int64_t dims[6] = { 1, 2, 3, 1, 2, 1 };
	float x[12], *y;
	char path[64], dtype;
	int64_t d[6];
	int nd;

	snprintf(path, sizeof(path), "/tmp/lockbench-npy-%d.npy", (int)getpid());
	for (int i = 0; i < 12; i++)
		x[i] = (float)i / 7;
	for (int want = 0; want <= 6; want++) {
		size_t n = 1;

		for (int i = 0; i < want; i++)
			n *= (size_t)dims[i];
		ck_assert_int_eq(npy_save(path, 'f', want, dims, x), 0);
		y = npy_load(path, &dtype, &nd, d);
		ck_assert_msg(y != NULL, "%s", error_text());
		ck_assert(dtype == 'f' && nd == want && !memcmp(d, dims, (size_t)nd * sizeof(*d)));
		ck_assert_mem_eq(x, y, n * sizeof(*x));
		free(y);
	}
	unlink(path);
	ck_assert_ptr_null(npy_load(path, &dtype, &nd, d));
}
END_TEST

START_TEST(header_is_numpys)
{
	static const char expect[] = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }";
	char path[64], file[256];
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/lockbench-npy-%d.npy", (int)getpid());
	ck_assert_int_eq(npy_save(path, 'u', 1, (int64_t[]){ 3 }, "abc"), 0);
	f = fopen(path, "rb");
	ck_assert_int_eq(fread(file, 1, sizeof(file), f), 128 + 3); /* the data begins on a multiple of 64 */
	fclose(f);
	unlink(path);
	ck_assert_mem_eq(file, "\x93NUMPY\x01\x00\x76\x00", 10);
	ck_assert_mem_eq(file + 10, expect, sizeof(expect) - 1);
	ck_assert_mem_eq(file + 127, "\nabc", 4);
}
END_TEST

Suite *suite_npy(void);
Suite *suite_npy(void)
{
	Suite *s = suite_create("npy");
	TCase *tc = tcase_create("npy");

	tcase_add_loop_test(tc, reads_what_numpy_writes, 0, (int)ARRAY_LEN(good));
	tcase_add_test(tc, reads_other_orders);
	tcase_add_loop_test(tc, refuses_the_rest, 0, (int)ARRAY_LEN(bad));
	tcase_add_test(tc, refuses_every_cut);
	tcase_add_test(tc, round_trip);
	tcase_add_test(tc, header_is_numpys);
	suite_add_tcase(s, tc);
	return s;
}
