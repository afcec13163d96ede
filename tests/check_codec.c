/* datasets/codec.c: what goes in comes out, and bad images are refused with their name. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

#include "base/error.h"
#include "base/rng.h"
#include "datasets/codec.h"
#include "tests/support_data.h"
#include "tests/support_sandbox.h"

/* A smooth image with an edge, (c,h,w); caller frees. */
static uint8_t *picture(int c, int h, int w)
{
	uint8_t *px = xmalloc((size_t)c * (size_t)h, (size_t)w);

	for (int k = 0; k < c; k++)
		for (int y = 0; y < h; y++)
			for (int x = 0; x < w; x++)
				px[(k * h + y) * w + x] = (uint8_t)(40 + 60 * k + 2 * y + 3 * x + (x > w / 2 ? 40 : 0));
	return px;
}

static double mean_error(const uint8_t *a, const uint8_t *b, int n)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
		sum += abs(a[i] - b[i]);
	return sum / n;
}

/* Decoding fails and the message says so. */
static void refused(const void *data, size_t len, const char *word)
{
	int c, h, w;
	uint8_t *exact = xmalloc(len, 1); /* so that a sanitizer sees a read behind the end */

	memcpy(exact, data, len);
	ck_assert_ptr_null(image_decode(exact, len, "dir/some.img", &c, &h, &w));
	EXPECT_ERROR("dir/some.img", word);
	free(exact);
}

/* ---- JPEG ---- */

static const struct { int c, h, w; } shapes[] = { { 1, 28, 28 }, { 3, 32, 32 }, { 1, 1, 1 }, { 3, 1, 17 }, { 3, 33, 5 }, { 3, 512, 3 } };

START_TEST(jpeg_round_trip)
{
	const int ch = shapes[_i].c, he = shapes[_i].h, wi = shapes[_i].w;
	uint8_t *px = picture(ch, he, wi), *jpeg, *back;
	size_t len;
	int c, h, w;

	jpeg = jpeg_encode(px, ch, he, wi, 100, JPEG_444, &len);
	ck_assert_ptr_nonnull(jpeg);
	back = image_decode(jpeg, len, "it", &c, &h, &w);
	ck_assert_msg(back != NULL, "%s", error_text());
	ck_assert(c == ch && h == he && w == wi);
	ck_assert_double_lt(mean_error(px, back, ch * he * wi), 1.5);
	free(px);
	free(jpeg);
	free(back);
}
END_TEST

/* Sampling factors and type from the frame header. */
static const uint8_t *frame(const uint8_t *jpeg, size_t len)
{
	for (size_t i = 2; i + 20 < len; i += 2 + (size_t)(jpeg[i + 2] << 8 | jpeg[i + 3])) {
		ck_assert_int_eq(jpeg[i], 0xff);
		if (jpeg[i + 1] >= 0xc0 && jpeg[i + 1] <= 0xc2)
			return jpeg + i;
	}
	ck_abort_msg("no frame header");
}

START_TEST(jpeg_options_take_effect)
{
	uint8_t *px = picture(3, 32, 32), *a, *b, *q;
	size_t na, nb, nq;

	a = jpeg_encode(px, 3, 32, 32, 90, JPEG_444, &na);
	b = jpeg_encode(px, 3, 32, 32, 90, JPEG_420, &nb);
	q = jpeg_encode(px, 3, 32, 32, 20, JPEG_444, &nq);
	ck_assert_int_eq(frame(a, na)[1], 0xc0); /* baseline */
	ck_assert_int_eq(frame(a, na)[11], 0x11);
	ck_assert_int_eq(frame(b, nb)[11], 0x22);
	ck_assert_uint_lt(nq, na);
	ck_assert_uint_lt(nb, na);
	free(a);
	free(b);
	free(q);
	ck_assert_ptr_null(jpeg_encode(px, 3, 32, 32, 0, JPEG_444, &na));
	EXPECT_ERROR("quality 0");
	ck_assert_ptr_null(jpeg_encode(px, 3, 32, 32, 101, JPEG_444, &na));
	EXPECT_ERROR("quality 101");
	free(px);
}
END_TEST

/* Noise at quality 100 is what compresses worst. */
START_TEST(jpeg_of_noise_fits)
{
	uint8_t *px = xmalloc(3 * 64, 64), *jpeg, *back;
	struct rng r;
	size_t len;
	int c, h, w;

	rng_open(&r, 1, "test", 0, 0);
	rng_bytes(&r, px, 3 * 64 * 64);
	jpeg = jpeg_encode(px, 3, 64, 64, 100, JPEG_444, &len);
	back = jpeg_decode(jpeg, len, "noise", &c, &h, &w);
	ck_assert_msg(back != NULL, "%s", error_text());
	ck_assert_double_lt(mean_error(px, back, 3 * 64 * 64), 3);
	free(px);
	free(jpeg);
	free(back);
}
END_TEST

START_TEST(jpeg_cut_anywhere_is_refused)
{
	uint8_t *px = picture(3, 16, 16), *jpeg;
	size_t len;

	jpeg = jpeg_encode(px, 3, 16, 16, 80, JPEG_420, &len);
	for (size_t n = 0; n < len; n++)
		refused(jpeg, n, n < 3 ? "neither" : "bad JPEG");
	free(px);
	free(jpeg);
}
END_TEST

START_TEST(jpeg_sizes_are_capped)
{
	uint8_t *px = picture(1, 8, 8), *jpeg, *f;
	size_t len;

	jpeg = jpeg_encode(px, 1, 8, 8, 80, JPEG_444, &len);
	f = jpeg + (frame(jpeg, len) - jpeg);
	f[5] = f[7] = 0xff; /* height and width, high bytes */
	refused(jpeg, len, "512 pixels");
	f[5] = 0;
	f[7] = 2; /* width 520 */
	refused(jpeg, len, "512 pixels");
	f[7] = f[8] = 0;
	refused(jpeg, len, "bad JPEG");
	free(px);
	free(jpeg);
}
END_TEST

/* With libjpeg itself: components and scans our encoder does not make. scans: 0 for one. */
static unsigned char *special_jpeg(int comps, J_COLOR_SPACE space, const jpeg_scan_info *scans, int nscans, unsigned long *len)
{
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr err;
	unsigned char *out = NULL;
	uint8_t line[16 * 4];
	JSAMPROW row = line;

	c.err = jpeg_std_error(&err);
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &out, len);
	c.image_width = c.image_height = 16;
	c.input_components = comps;
	c.in_color_space = space;
	jpeg_set_defaults(&c);
	c.scan_info = scans;
	c.num_scans = nscans;
	jpeg_start_compress(&c, TRUE);
	for (int y = 0; y < 16; y++) {
		memset(line, y * 9, sizeof(line));
		jpeg_write_scanlines(&c, &row, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	return out;
}

START_TEST(jpeg_of_four_channels_is_refused)
{
	unsigned long len;
	unsigned char *jpeg = special_jpeg(4, JCS_CMYK, NULL, 0, &len);

	refused(jpeg, len, "neither grey nor RGB");
	free(jpeg);
}
END_TEST

static size_t find_scan(const uint8_t *p, size_t len, size_t from)
{
	while (from + 1 < len && !(p[from] == 0xff && p[from + 1] == 0xda))
		from++;
	return from;
}

/* One scan a channel is fine; the second of them a hundred times is a bomb. */
START_TEST(jpeg_scan_bombs_are_refused)
{
	static const jpeg_scan_info scans[] = { { 1, { 0 }, 0, 63, 0, 0 }, { 1, { 1 }, 0, 63, 0, 0 }, { 1, { 2 }, 0, 63, 0, 0 } };
	unsigned long len;
	unsigned char *jpeg = special_jpeg(3, JCS_RGB, scans, 3, &len);
	const size_t a = find_scan(jpeg, len, 0), b = find_scan(jpeg, len, a + 2);
	uint8_t *bomb = xmalloc(len + 120 * (b - a), 1), *px;
	int c, h, w;

	px = image_decode(jpeg, len, "scans", &c, &h, &w);
	ck_assert_msg(px != NULL, "%s", error_text());
	memcpy(bomb, jpeg, a);
	for (size_t i = 0; i < 120; i++)
		memcpy(bomb + a + i * (b - a), jpeg + a, b - a);
	memcpy(bomb + a + 120 * (b - a), jpeg + a, len - a);
	refused(bomb, len + 120 * (b - a), "100 scans");
	free(px);
	free(bomb);
	free(jpeg);
}
END_TEST

/* Whatever happens to an image, decoding ends: with pixels or with a message. */
START_TEST(damage_never_crashes)
{
	uint8_t *px = picture(3, 16, 16), *file, *copy, *back;
	size_t len;
	int c, h, w;
	struct rng r;

	file = _i ? png_encode(px, 3, 16, 16, &len) : jpeg_encode(px, 3, 16, 16, 80, JPEG_420, &len);
	copy = xmalloc(len, 1);
	rng_open(&r, 7, "test", (uint32_t)_i, 0);
	for (int k = 0; k < 2000; k++) {
		memcpy(copy, file, len);
		for (int j = 0; j < 1 + k % 4; j++)
			copy[rng_below(&r, (uint32_t)len)] = (uint8_t)rng_u32(&r);
		back = image_decode(copy, len, "damaged", &c, &h, &w);
		ck_assert(back || error_code() != EXIT_YES);
		free(back);
		error_clear();
	}
	free(px);
	free(file);
	free(copy);
}
END_TEST

/* ---- PNG ---- */

START_TEST(png_round_trip_is_exact)
{
	const int ch = shapes[_i].c, he = shapes[_i].h, wi = shapes[_i].w;
	uint8_t *px = picture(ch, he, wi), *png, *back;
	size_t len;
	int c, h, w;

	png = png_encode(px, ch, he, wi, &len);
	back = image_decode(png, len, "it", &c, &h, &w);
	ck_assert_msg(back != NULL, "%s", error_text());
	ck_assert(c == ch && h == he && w == wi);
	ck_assert_mem_eq(px, back, (size_t)(ch * he * wi));
	free(px);
	free(png);
	free(back);
}
END_TEST

struct bytes {
	uint8_t data[4096];
	size_t n;
};

static void append(png_structp png, png_bytep data, size_t n)
{
	struct bytes *b = png_get_io_ptr(png);

	ck_assert_uint_le(b->n + n, sizeof(b->data));
	memcpy(b->data + b->n, data, n);
	b->n += n;
}

static void no_flush(png_structp png)
{
	(void)png;
}

/* 4x2 pixels of any type; line: one row, used twice. gamma: written when not 0. */
static void special_png(struct bytes *b, int type, int depth, int interlace, double gamma, uint8_t *line)
{
	static const png_color palette[3] = { { 1, 2, 3 }, { 40, 50, 60 }, { 200, 210, 220 } };
	static const uint8_t alphas[3] = { 0, 128, 255 };
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	png_bytep rows[2] = { line, line };

	b->n = 0;
	png_set_write_fn(png, b, append, no_flush);
	png_set_IHDR(png, info, 4, 2, depth, type, interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (type == PNG_COLOR_TYPE_PALETTE) {
		png_set_PLTE(png, info, palette, 3);
		png_set_tRNS(png, info, alphas, 3, NULL);
	}
	if (gamma > 0)
		png_set_gAMA(png, info, gamma);
	png_set_rows(png, info, rows);
	png_write_png(png, info, PNG_TRANSFORM_IDENTITY, NULL);
	png_destroy_write_struct(&png, &info);
}

static const struct png_case {
	int type, depth, interlace;
	double gamma;
	uint8_t line[16];
	int c;
	uint8_t want[3]; /* channels of pixel (0,1) */
} png_cases[] = {
	{ PNG_COLOR_TYPE_GRAY, 8, 0, 0, { 5, 6, 7, 8 }, 1, { 6 } },
	{ PNG_COLOR_TYPE_GRAY, 8, PNG_INTERLACE_ADAM7, 0, { 5, 6, 7, 8 }, 1, { 6 } },
	{ PNG_COLOR_TYPE_GRAY, 8, 0, 1.0, { 5, 6, 7, 8 }, 1, { 6 } },           /* gamma changes nothing */
	{ PNG_COLOR_TYPE_RGB, 8, 0, 1.0, { 9, 9, 9, 10, 20, 30 }, 3, { 10, 20, 30 } },
	{ PNG_COLOR_TYPE_GRAY, 1, 0, 0, { 0x40 }, 1, { 255 } },
	{ PNG_COLOR_TYPE_GRAY, 4, 0, 0, { 0x0f }, 1, { 255 } },
	{ PNG_COLOR_TYPE_GRAY_ALPHA, 8, 0, 0, { 5, 0, 6, 100 }, 1, { 6 } },     /* alpha changes nothing */
	{ PNG_COLOR_TYPE_RGB_ALPHA, 8, 0, 0, { 0, 0, 0, 0, 10, 20, 30, 0 }, 3, { 10, 20, 30 } },
	{ PNG_COLOR_TYPE_PALETTE, 8, 0, 0, { 0, 2, 1, 0 }, 3, { 200, 210, 220 } },
	{ PNG_COLOR_TYPE_PALETTE, 2, 0, 0, { 0x10 }, 3, { 40, 50, 60 } },
};

START_TEST(png_types_are_read)
{
	const struct png_case *k = &png_cases[_i];
	uint8_t line[16], *px;
	struct bytes b;
	int c, h, w;

	memcpy(line, k->line, sizeof(line));
	special_png(&b, k->type, k->depth, k->interlace, k->gamma, line);
	px = image_decode(b.data, b.n, "typed", &c, &h, &w);
	ck_assert_msg(px != NULL, "%s", error_text());
	ck_assert_int_eq(c, k->c);
	ck_assert(h == 2 && w == 4);
	for (int i = 0; i < c; i++)
		ck_assert_int_eq(px[i * 8 + 1], k->want[i]);
	free(px);
}
END_TEST

START_TEST(png_of_16_bits_is_refused)
{
	uint8_t line[16] = { 1, 2, 3 };
	struct bytes b;

	special_png(&b, PNG_COLOR_TYPE_GRAY, 16, 0, 0, line);
	refused(b.data, b.n, "8 bits");
}
END_TEST

START_TEST(png_cut_anywhere_is_refused)
{
	uint8_t *px = picture(3, 9, 7), *png;
	size_t len;

	png = png_encode(px, 3, 9, 7, &len);
	for (size_t n = 0; n < len; n++)
		refused(png, n, n < 8 ? "neither" : "bad PNG");
	free(px);
	free(png);
}
END_TEST

START_TEST(png_lies_are_refused)
{
	uint8_t line[16] = { 5, 6, 7, 8 };
	struct bytes b;

	special_png(&b, PNG_COLOR_TYPE_GRAY, 8, 0, 0, line);
	b.data[16] = 0x7f; /* width of 2 thousand million */
	refused(b.data, b.n, "512");
	special_png(&b, PNG_COLOR_TYPE_GRAY, 8, 0, 0, line);
	b.data[19] = 0;
	refused(b.data, b.n, "512");
	special_png(&b, PNG_COLOR_TYPE_GRAY, 8, 0, 0, line);
	b.data[29] ^= 1; /* CRC of the header */
	refused(b.data, b.n, "bad PNG");
	special_png(&b, PNG_COLOR_TYPE_GRAY, 8, 0, 0, line);
	b.data[33] = 0xff; /* length of the second chunk */
	refused(b.data, b.n, "truncated");
	special_png(&b, PNG_COLOR_TYPE_GRAY, 8, 0, 0, line);
	memcpy(b.data + 37, "XDAT", 4);
	refused(b.data, b.n, "critical");
}
END_TEST

/* ---- bytes behind an image: padding, a second image, anything ---- */

/* What `file` decodes to, whatever follows it. */
static void same_with(const uint8_t *file, size_t len, const void *behind, size_t extra)
{
	uint8_t *longer = xmalloc(len + extra, 1), *alone, *with;
	int c, h, w, c2, h2, w2;

	memcpy(longer, file, len);
	memcpy(longer + len, behind, extra);
	alone = image_decode(file, len, "alone", &c, &h, &w);
	with = image_decode(longer, len + extra, "with a trailer", &c2, &h2, &w2);
	ck_assert_msg(alone && with, "%s", error_text());
	ck_assert(c == c2 && h == h2 && w == w2);
	ck_assert_mem_eq(alone, with, (size_t)c * (size_t)h * (size_t)w);
	free(alone);
	free(with);
	free(longer);
}

START_TEST(bytes_behind_the_end_change_nothing)
{
	static const jpeg_scan_info scans[] = { { 1, { 0 }, 0, 63, 0, 0 }, { 1, { 1 }, 0, 63, 0, 0 }, { 1, { 2 }, 0, 63, 0, 0 } };
	static const uint8_t zeros[5000], markers[] = { 0xff, 0xff, 0xd9, 0xff, 0xd8, 0xff };
	uint8_t *px = picture(3, 16, 16), *first, *second;
	unsigned long n;
	size_t len, other;

	second = png_encode(px, 3, 16, 16, &other);
	if (_i == 0) {
		first = jpeg_encode(px, 3, 16, 16, 80, JPEG_420, &len);
	} else if (_i == 1) {
		first = special_jpeg(3, JCS_RGB, scans, 3, &n);
		len = n;
	} else {
		first = png_encode(px, 3, 16, 16, &len);
	}
	same_with(first, len, zeros, 1);
	same_with(first, len, zeros, sizeof(zeros));
	same_with(first, len, "\n", 1);
	same_with(first, len, markers, sizeof(markers));
	same_with(first, len, first, len); /* as multi-picture files have it */
	same_with(first, len, first, len / 2);
	same_with(first, len, second, other);
	free(px);
	free(first);
	free(second);
}
END_TEST

/* ---- files ---- */

START_TEST(files_are_read_by_content)
{
	uint8_t *px;
	int c, h, w;

	write_png("picture.jpg", 3, 5, 6, 77);
	px = image_read(sandbox("picture.jpg"), &c, &h, &w);
	ck_assert_msg(px != NULL, "%s", error_text());
	ck_assert_int_eq(px[3 * 5 * 6 - 1], 77);
	free(px);
	ck_assert_ptr_null(image_read(sandbox("gone.png"), &c, &h, &w));
	EXPECT_ERROR("gone.png");
	sandbox_write("text.png", "hello, world", 12);
	ck_assert_ptr_null(image_read(sandbox("text.png"), &c, &h, &w));
	EXPECT_ERROR("text.png", "neither JPEG nor PNG");
}
END_TEST

Suite *suite_codec(void);
Suite *suite_codec(void)
{
	Suite *s = suite_create("codec");
	TCase *tc = tcase_create("codec");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, sandbox_open, sandbox_close);
	tcase_add_loop_test(tc, jpeg_round_trip, 0, ARRAY_LEN(shapes));
	tcase_add_test(tc, jpeg_options_take_effect);
	tcase_add_test(tc, jpeg_of_noise_fits);
	tcase_add_test(tc, jpeg_cut_anywhere_is_refused);
	tcase_add_test(tc, jpeg_sizes_are_capped);
	tcase_add_test(tc, jpeg_of_four_channels_is_refused);
	tcase_add_test(tc, jpeg_scan_bombs_are_refused);
	tcase_add_loop_test(tc, damage_never_crashes, 0, 2);
	tcase_add_loop_test(tc, png_round_trip_is_exact, 0, ARRAY_LEN(shapes));
	tcase_add_loop_test(tc, png_types_are_read, 0, ARRAY_LEN(png_cases));
	tcase_add_test(tc, png_of_16_bits_is_refused);
	tcase_add_test(tc, png_cut_anywhere_is_refused);
	tcase_add_test(tc, png_lies_are_refused);
	tcase_add_loop_test(tc, bytes_behind_the_end_change_nothing, 0, 3);
	tcase_add_test(tc, files_are_read_by_content);
	suite_add_tcase(s, tc);
	return s;
}
