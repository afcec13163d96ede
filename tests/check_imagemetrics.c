/* lockbench image-metrics as a program: what it reads, what it prints, what it refuses. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "bench/cli.h"
#include "datasets/codec.h"
#include "nn/npy.h"
#include "tests/support_sandbox.h"

static char *paths[4];
static int npaths;

static const struct cli_command *command(void)
{
	for (const struct cli_command *const *p = commands; *p; p++)
		if (!strcmp((*p)->name, "image-metrics"))
			return *p;
	return NULL;
}

static void call(void *arg)
{
	char *argv[8] = { "image-metrics" };
	int argc = 1, ret;

	for (int i = 0; i < npaths; i++)
		argv[argc++] = paths[i];
	if (!freopen(arg, "wb", stdout))
		_exit(99);
	ret = command()->main(command(), argc, argv);
	if (ret < 0)
		fprintf(stderr, "%s\n", error_text());
	fflush(stdout);
	_exit(ret < 0 ? (int)error_code() : ret);
}

/* Run with files of the sandbox (names without a dash) and options, blank-separated; stderr's text in *err. */
static int run(const char *line, char **out, char **err)
{
	char words[256];
	size_t len;
	int code;

	snprintf(words, sizeof(words), "%s", line);
	npaths = 0;
	for (char *save = NULL, *p = strtok_r(words, " ", &save); p; p = strtok_r(NULL, " ", &save))
		paths[npaths++] = xstrdup(*p == '-' ? p : sandbox(p));
	code = run_child(call, (void *)sandbox("out"), err);
	for (int i = 0; i < npaths; i++)
		free(paths[i]);
	*out = file_read(sandbox("out"), 1 << 20, &len);
	return code;
}

static json_t *run_json(const char *line)
{
	char *out, *err;
	json_t *j;

	ck_assert_msg(run(line, &out, &err) == 0, "%s", err);
	j = json_loads(out, 0, NULL);
	ck_assert_ptr_nonnull(j);
	free(out);
	free(err);
	return j;
}

static double number(const json_t *j, const char *measure, const char *what)
{
	return jget_num(json_object_get(json_object_get(j, "measures"), measure), what, -1);
}

/* n images (c, 24, 24): image i of the second file is i + 1 steps brighter. */
static void write_arrays(int n, int c)
{
	const int64_t d[] = { n, c, 24, 24 };
	const int each = c * 24 * 24;
	float *a = xmalloc((size_t)n * (size_t)each, sizeof(*a)), *b = xmalloc((size_t)n * (size_t)each, sizeof(*b));

	for (int i = 0; i < n * each; i++) {
		a[i] = (float)(50 + i % 100) / 255.0f;
		b[i] = (float)(50 + i % 100 + i / each + 1) / 255.0f;
	}
	ck_assert_int_eq(npy_save(sandbox("a.npy"), 'f', 4, d, a), 0);
	ck_assert_int_eq(npy_save(sandbox("b.npy"), 'f', 4, d, b), 0);
	ck_assert_int_eq(npy_save(sandbox("one.npy"), 'f', 3, d + 1, a), 0);
	ck_assert_int_eq(npy_save(sandbox("flat.npy"), 'f', 2, d + 2, a), 0);
	ck_assert_int_eq(npy_save(sandbox("five.npy"), 'f', 1, d, a), 0);
	b[7] = 0.3333f;
	ck_assert_int_eq(npy_save(sandbox("float.npy"), 'f', 4, d, b), 0);
	b[7] = 1.01f;
	ck_assert_int_eq(npy_save(sandbox("bright.npy"), 'f', 4, d, b), 0);
	b[7] = nextafterf(1, 2);
	ck_assert_int_eq(npy_save(sandbox("hair.npy"), 'f', 4, d, b), 0);
	b[7] = -1e-9f;
	ck_assert_int_eq(npy_save(sandbox("under.npy"), 'f', 4, d, b), 0);
	b[7] = NAN;
	ck_assert_int_eq(npy_save(sandbox("nan.npy"), 'f', 4, d, b), 0);
	free(a);
	free(b);
}

START_TEST(arrays)
{
	json_t *j;

	write_arrays(4, 3);
	j = run_json("a.npy b.npy --json");
	ck_assert_int_eq(jget_int(j, "images", 0), 4);
	ck_assert_int_eq(jget_bool(j, "float_only", -1), 0);
	ck_assert_double_eq_tol(number(j, "linf", "min"), 1, 1e-4);
	ck_assert_double_eq_tol(number(j, "linf", "max"), 4, 1e-4);
	ck_assert_double_eq_tol(number(j, "linf", "mean"), 2.5, 1e-4);
	ck_assert_double_eq_tol(number(j, "mse", "max"), 16, 1e-3);
	ck_assert_double_eq_tol(number(j, "psnr", "min"), 20 * log10(255 / 4.0), 1e-3);
	ck_assert_double_eq_tol(jget_num(j, "pooled_psnr", 0), 10 * log10(255 * 255 / ((1 + 4 + 9 + 16) / 4.0)), 1e-3);
	ck_assert_double_gt(number(j, "ssim", "min"), 0.9);
	ck_assert_int_eq(jget_int(j, "identical", -1), 0);
	ck_assert_ptr_null(json_object_get(j, "as_given"));
	json_decref(j);
	j = run_json("a.npy a.npy --json");
	ck_assert_int_eq(jget_int(j, "identical", -1), 4);
	ck_assert_double_eq(number(j, "psnr", "min"), 100);
	ck_assert_double_eq(jget_num(j, "visible", -1), 0);
	json_decref(j);
}
END_TEST

/* Float images are measured twice: as they are, and as a file would hold them. */
START_TEST(float_only_images)
{
	json_t *j;

	write_arrays(2, 1);
	j = run_json("a.npy float.npy --json");
	ck_assert_int_eq(jget_bool(j, "float_only", 0), 1);
	ck_assert_double_eq_tol(number(j, "linf", "max"), 85 - 57, 1e-3);
	ck_assert_double_eq_tol(number(json_object_get(j, "as_given"), "linf", "max"), 255 * 0.3333 - 57, 1e-3);
	json_decref(j);
}
END_TEST

/* One image each: an array without its first dimension, and pictures with the same pixels. */
START_TEST(pictures)
{
	uint8_t px[24 * 24], *file;
	size_t len;
	json_t *j;

	write_arrays(2, 1);
	for (int i = 0; i < 24 * 24; i++)
		px[i] = (uint8_t)(50 + i % 100);
	file = png_encode(px, 1, 24, 24, &len);
	sandbox_write("a.png", file, len);
	free(file);
	file = jpeg_encode(px, 1, 24, 24, 60, JPEG_444, &len);
	sandbox_write("a.jpg", file, len);
	free(file);
	ck_assert_int_eq(npy_save(sandbox("u8.npy"), 'u', 2, (const int64_t[]){ 24, 24 }, px), 0);
	j = run_json("flat.npy a.png --json");
	ck_assert_int_eq(jget_int(j, "identical", -1), 1);
	json_decref(j);
	j = run_json("one.npy u8.npy --json");
	ck_assert_int_eq(jget_int(j, "identical", -1), 1);
	json_decref(j);
	j = run_json("a.png a.jpg --json");
	ck_assert_double_gt(number(j, "psnr", "mean"), 15);
	ck_assert_double_lt(number(j, "psnr", "mean"), 60);
	json_decref(j);
}
END_TEST

/* A table for people, with a line instead of a number where images are too small. */
START_TEST(a_table)
{
	const uint8_t px[100] = { 0 };
	char *out, *err;

	write_arrays(2, 3);
	ck_assert_int_eq(run("a.npy float.npy", &out, &err), 0);
	ck_assert_ptr_nonnull(strstr(out, "2 images of 3x24x24, not 8-bit"));
	ck_assert_ptr_nonnull(strstr(out, "as given:"));
	ck_assert_ptr_nonnull(strstr(out, "haarpsi"));
	free(out);
	free(err);
	ck_assert_int_eq(npy_save(sandbox("small.npy"), 'u', 2, (const int64_t[]){ 10, 10 }, px), 0);
	ck_assert_int_eq(run("small.npy small.npy", &out, &err), 0);
	ck_assert_ptr_nonnull(strstr(out, "ssim       images are smaller than 11x11"));
	free(out);
	free(err);
}
END_TEST

START_TEST(steganalysis_table)
{
	json_t *j, *rs;

	write_arrays(24, 1);
	j = run_json("a.npy a.npy --steganalysis --json");
	rs = json_object_get(json_object_get(j, "steganalysis"), "rs");
	ck_assert_double_eq(jget_num(rs, "auc", 0), 0.5);
	ck_assert_double_eq(jget_num(rs, "concealment", 0), 1);
	ck_assert_int_eq(jget_int(rs, "tested", 0), 24);
	json_decref(j);
}
END_TEST

static const struct { const char *line, *message; int code; } bads[] = {
	{ "a.npy one.npy", "holds 2 images of 3x24x24", EXIT_UNEVALUABLE },
	{ "a.npy absent.npy", "absent.npy", -1 },
	{ "a.npy text.png", "neither JPEG nor PNG", EXIT_UNEVALUABLE },
	{ "five.npy a.npy", "has 1 dimensions", EXIT_UNEVALUABLE },
	{ "deep.npy deep.npy", "has 7 channels, not 1 or 3", EXIT_UNEVALUABLE },
	{ "none.npy none.npy", "no images", EXIT_UNEVALUABLE },
	{ "a.npy bright.npy", "number 7 is 1.01, which is above 1; pixels are 0 to 1", EXIT_UNEVALUABLE },
	{ "a.npy hair.npy", "number 7 is 1.0000001, which is above 1", EXIT_UNEVALUABLE },
	{ "a.npy under.npy", "number 7 is -1e-09, which is below 0", EXIT_UNEVALUABLE },
	{ "a.npy nan.npy", "number 7 is nan, which is no number", EXIT_UNEVALUABLE },
	{ "a.npy two.npz", "zip archive", EXIT_UNEVALUABLE },
	{ "cut.npy a.npy", "cut short", EXIT_UNEVALUABLE },
	{ "a.npy b.npy --steganalysis", "at least 20 images", EXIT_UNEVALUABLE },
	{ "a.npy", "image-metrics wants A B", EXIT_UNEVALUABLE },
};

START_TEST(refuses)
{
	const uint8_t px[7 * 16] = { 0 };
	char *out, *err;
	int code;

	write_arrays(2, 3);
	sandbox_write("text.png", "hello", 5);
	sandbox_write("cut.npy", "\x93NUMPY\x01", 7);
	sandbox_write("two.npz", "PK\3\4...", 7);
	npy_save(sandbox("deep.npy"), 'u', 3, (const int64_t[]){ 7, 4, 4 }, px);
	npy_save(sandbox("none.npy"), 'u', 4, (const int64_t[]){ 0, 1, 4, 4 }, px);
	code = run(bads[_i].line, &out, &err);
	ck_assert_int_ne(code, 0);
	if (bads[_i].code >= 0)
		ck_assert_int_eq(code, bads[_i].code);
	ck_assert_msg(strstr(err, bads[_i].message), "wanted: %s\ngot:    %s", bads[_i].message, err);
	ck_assert_str_eq(out, ""); /* nothing half-said */
	free(out);
	free(err);
}
END_TEST

Suite *suite_imagemetrics(void);
Suite *suite_imagemetrics(void)
{
	Suite *s = suite_create("imagemetrics");
	TCase *tc = tcase_create("imagemetrics");

	tcase_add_checked_fixture(tc, sandbox_open, sandbox_close);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, arrays);
	tcase_add_test(tc, float_only_images);
	tcase_add_test(tc, pictures);
	tcase_add_test(tc, a_table);
	tcase_add_test(tc, steganalysis_table);
	tcase_add_loop_test(tc, refuses, 0, (int)ARRAY_LEN(bads));
	suite_add_tcase(s, tc);
	return s;
}
