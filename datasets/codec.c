/* JPEG and PNG, in memory.
 *
 * libjpeg-turbo by itself exits on errors, goes on after warnings with grey pixels, and has no limit on progressive
 * scans (a small file can ask for 80,000 passes over the image). Here: errors and warnings jump out, the size is
 * checked before decompression starts, the scans are counted and the memory is capped.
 *
 * libpng applies gamma tags and complains about colour profiles. Only the chunks that hold the image are handed to it
 * (IHDR, PLTE, IDAT, IEND), so pixels are what the file stores and the other chunks' parsers are never reached.
 *
 * What lies behind the end of an image is not looked at: cameras pad their files and put second images there. */
#include "datasets/codec.h"
#include "base/error.h"
#include "base/file.h"
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>
#include <png.h>

#define MAX_SCANS 100
#define MAX_CODEC_MEMORY (64L << 20)

/* (h,w,c) <-> (c,h,w) of one row. */
static void row_to_planes(const uint8_t *row, int step, uint8_t *px, int c, int h, int w, int y)
{
	for (int k = 0; k < c; k++)
		for (int x = 0; x < w; x++)
			px[((size_t)k * h + y) * w + x] = row[x * step + k];
}

static void planes_to_row(const uint8_t *px, int c, int h, int w, int y, uint8_t *row)
{
	for (int k = 0; k < c; k++)
		for (int x = 0; x < w; x++)
			row[x * c + k] = px[((size_t)k * h + y) * w + x];
}

static void check_shape(const uint8_t *px, int c, int h, int w)
{
	BUG_ON(!px || (c != 1 && c != 3));
	BUG_ON(h < 1 || w < 1 || h > CODEC_MAX_SIDE || w > CODEC_MAX_SIDE);
}

/* ---- JPEG: errors ---- */

struct jpeg_trap {
	struct jpeg_error_mgr mgr; /* must be first: libjpeg hands it back */
	jmp_buf out;
	char text[JMSG_LENGTH_MAX];
};

static _Noreturn void trap_error(j_common_ptr cinfo)
{
	struct jpeg_trap *t = (struct jpeg_trap *)cinfo->err;

	cinfo->err->format_message(cinfo, t->text);
	longjmp(t->out, 1);
}

/* Level -1 is a warning: the library would go on with invented pixels. */
static void trap_message(j_common_ptr cinfo, int level)
{
	if (level < 0)
		trap_error(cinfo);
}

static void trap_init(struct jpeg_trap *t)
{
	jpeg_std_error(&t->mgr);
	t->mgr.error_exit = trap_error;
	t->mgr.emit_message = trap_message;
	t->text[0] = 0;
}

static _Noreturn void trap_raise(struct jpeg_trap *t, const char *text)
{
	snprintf(t->text, sizeof(t->text), "%s", text);
	longjmp(t->out, 1);
}

/* ---- JPEG: decoding ---- */

struct jpeg_reader {
	struct jpeg_decompress_struct c;
	struct jpeg_trap trap;
	struct jpeg_progress_mgr progress;
	uint8_t *px;
	uint8_t row[CODEC_MAX_SIDE * 3];
};

static void limit_scans(j_common_ptr cinfo)
{
	if (((j_decompress_ptr)cinfo)->input_scan_number > MAX_SCANS)
		trap_raise((struct jpeg_trap *)cinfo->err, "more than 100 scans");
}

static void reader_header(struct jpeg_reader *r)
{
	struct jpeg_decompress_struct *c = &r->c;

	jpeg_read_header(c, TRUE);
	if (c->image_width > CODEC_MAX_SIDE || c->image_height > CODEC_MAX_SIDE)
		trap_raise(&r->trap, "more than 512 pixels a side");
	if (c->jpeg_color_space == JCS_GRAYSCALE)
		c->out_color_space = JCS_GRAYSCALE;
	else if (c->jpeg_color_space == JCS_YCbCr || c->jpeg_color_space == JCS_RGB)
		c->out_color_space = JCS_RGB;
	else
		trap_raise(&r->trap, "neither grey nor RGB");
	c->dct_method = JDCT_ISLOW;
	c->do_fancy_upsampling = TRUE;
	c->do_block_smoothing = FALSE;
}

/* 0, or -1 with the reason in r->trap.text. Everything that lives across the jump is in *r. */
static int reader_run(struct jpeg_reader *r, const uint8_t *data, size_t len)
{
	struct jpeg_decompress_struct *c = &r->c;
	JSAMPROW row = r->row;

	if (setjmp(r->trap.out))
		return -1;
	jpeg_create_decompress(c);
	c->mem->max_memory_to_use = MAX_CODEC_MEMORY;
	r->progress.progress_monitor = limit_scans;
	c->progress = &r->progress;
	jpeg_mem_src(c, data, len);
	reader_header(r);
	r->px = xmalloc((size_t)c->image_width * c->image_height, c->out_color_space == JCS_RGB ? 3 : 1);
	jpeg_start_decompress(c);
	while (c->output_scanline < c->output_height) {
		const int y = (int)c->output_scanline;

		jpeg_read_scanlines(c, &row, 1);
		row_to_planes(r->row, c->output_components, r->px, c->output_components, (int)c->output_height,
		              (int)c->output_width, y);
	}
	jpeg_finish_decompress(c);
	return 0;
}

uint8_t *jpeg_decode(const void *data, size_t len, const char *where, int *c, int *h, int *w)
{
	struct jpeg_reader r;

	memset(&r.c, 0, sizeof(r.c)); /* so that it can be destroyed whatever happened */
	memset(&r.progress, 0, sizeof(r.progress));
	r.px = NULL;
	trap_init(&r.trap);
	r.c.err = &r.trap.mgr;
	if (!len || reader_run(&r, data, len)) {
		error(EXIT_UNEVALUABLE, "%s: bad JPEG (%s); replace the file", where, len ? r.trap.text : "empty");
		free(r.px);
		r.px = NULL;
	} else {
		*c = r.c.output_components;
		*h = (int)r.c.output_height;
		*w = (int)r.c.output_width;
	}
	jpeg_destroy_decompress(&r.c);
	return r.px;
}

/* ---- JPEG: encoding ---- */

struct jpeg_writer {
	struct jpeg_compress_struct c;
	struct jpeg_trap trap;
	unsigned char *own, *out; /* ours, and where libjpeg ended up */
	unsigned long len;
	uint8_t row[CODEC_MAX_SIDE * 3];
};

static void writer_setup(struct jpeg_compress_struct *c, int channels, int quality, enum jpeg_subsampling s)
{
	c->input_components = channels;
	c->in_color_space = channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
	jpeg_set_defaults(c);
	jpeg_set_quality(c, quality, TRUE);
	c->dct_method = JDCT_ISLOW;
	if (channels == 3) {
		c->comp_info[0].h_samp_factor = s == JPEG_420 ? 2 : 1;
		c->comp_info[0].v_samp_factor = s == JPEG_420 ? 2 : 1;
	}
}

static int writer_run(struct jpeg_writer *wr, const uint8_t *px, int channels, int h, int w, int quality,
                      enum jpeg_subsampling s)
{
	struct jpeg_compress_struct *c = &wr->c;
	JSAMPROW row = wr->row;

	if (setjmp(wr->trap.out))
		return -1;
	jpeg_create_compress(c);
	jpeg_mem_dest(c, &wr->out, &wr->len);
	c->image_width = (JDIMENSION)w;
	c->image_height = (JDIMENSION)h;
	writer_setup(c, channels, quality, s);
	jpeg_start_compress(c, TRUE);
	while (c->next_scanline < c->image_height) {
		planes_to_row(px, channels, h, w, (int)c->next_scanline, wr->row);
		jpeg_write_scanlines(c, &row, 1);
	}
	jpeg_finish_compress(c);
	return 0;
}

uint8_t *jpeg_encode(const uint8_t *px, int c, int h, int w, int quality, enum jpeg_subsampling s, size_t *len)
{
	struct jpeg_writer wr;
	int bad;

	check_shape(px, c, h, w);
	if (quality < 1 || quality > 100) {
		error(EXIT_UNEVALUABLE, "JPEG quality %d is not in 1..100", quality);
		return NULL;
	}
	memset(&wr.c, 0, sizeof(wr.c));
	trap_init(&wr.trap);
	wr.c.err = &wr.trap.mgr;
	/* Large enough for any image of this size (the bound TurboJPEG's tjBufSize uses), so it never grows. */
	wr.len = (unsigned long)(((w + 15) & ~15) * ((h + 15) & ~15)) * 6 + 2048;
	wr.own = wr.out = xmalloc(wr.len, 1);
	bad = writer_run(&wr, px, c, h, w, quality, s);
	jpeg_destroy_compress(&wr.c);
	if (bad || wr.out != wr.own)
		free(wr.own);
	if (bad) {
		error(EXIT_UNEVALUABLE, "cannot encode a %dx%d image as JPEG: %s", w, h, wr.trap.text);
		return NULL;
	}
	*len = wr.len;
	return wr.out;
}

/* ---- PNG ---- */

static const uint8_t png_magic[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };

enum { PNG_IHDR_LEN = 13, PNG_CHUNK_EXTRA = 12 }; /* length, type, CRC: four bytes each */

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int bad_png(const char *where, const char *what)
{
	return error(EXIT_UNEVALUABLE, "%s: bad PNG (%s); replace the file", where, what);
}

/* The first chunk. 0, or -1 after error(). */
static int png_check_header(const uint8_t *p, size_t len, const char *where)
{
	uint32_t w, h;

	if (len < sizeof(png_magic) + PNG_CHUNK_EXTRA + PNG_IHDR_LEN || memcmp(p, png_magic, sizeof(png_magic)) ||
	    be32(p + 8) != PNG_IHDR_LEN || memcmp(p + 12, "IHDR", 4))
		return bad_png(where, "no header");
	w = be32(p + 16);
	h = be32(p + 20);
	if (!w || !h || w > CODEC_MAX_SIDE || h > CODEC_MAX_SIDE)
		return bad_png(where, "not 1 to 512 pixels a side");
	if (p[24] > 8)
		return bad_png(where, "more than 8 bits a channel");
	return 0;
}

/* Copy magic and image chunks to out (room for len bytes). Their number, or 0 after error(). */
static size_t png_keep_image(const uint8_t *p, size_t len, const char *where, uint8_t *out)
{
	size_t at = sizeof(png_magic), n = sizeof(png_magic);

	memcpy(out, p, n);
	while (len - at >= PNG_CHUNK_EXTRA) {
		const size_t size = (size_t)be32(p + at) + PNG_CHUNK_EXTRA;
		const uint8_t *type = p + at + 4;

		if (size > len - at)
			break;
		if (!memcmp(type, "IHDR", 4) || !memcmp(type, "PLTE", 4) || !memcmp(type, "IDAT", 4) ||
		    !memcmp(type, "IEND", 4)) {
			memcpy(out + n, p + at, size);
			n += size;
		} else if (!(type[0] & 0x20)) {
			bad_png(where, "unknown critical chunk");
			return 0;
		}
		at += size;
		if (!memcmp(type, "IEND", 4))
			return n;
	}
	bad_png(where, "truncated");
	return 0;
}

/* Interleaved pixels with `step` bytes each, of which the first c are wanted. */
static uint8_t *png_to_planes(const uint8_t *raw, int step, int c, int h, int w)
{
	uint8_t *px = xmalloc((size_t)h * w, (size_t)c);

	for (int y = 0; y < h; y++)
		row_to_planes(raw + (size_t)y * w * step, step, px, c, h, w, y);
	return px;
}

static uint8_t *png_run(const uint8_t *data, size_t len, const char *where, int *c, int *h, int *w)
{
	png_image img = { .version = PNG_IMAGE_VERSION };
	uint8_t *raw, *px = NULL;

	if (!png_image_begin_read_from_memory(&img, data, len)) {
		bad_png(where, img.message);
		return NULL;
	}
	/* Alpha is read and dropped by us: libpng would blend it with a background. */
	img.format &= PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA;
	raw = xmalloc(PNG_IMAGE_SIZE(img), 1);
	if (!png_image_finish_read(&img, NULL, raw, 0, NULL) || img.warning_or_error) {
		bad_png(where, img.message);
	} else {
		*c = img.format & PNG_FORMAT_FLAG_COLOR ? 3 : 1;
		*h = (int)img.height;
		*w = (int)img.width;
		px = png_to_planes(raw, (int)PNG_IMAGE_PIXEL_SIZE(img.format), *c, *h, *w);
	}
	free(raw);
	png_image_free(&img);
	return px;
}

uint8_t *png_decode(const void *data, size_t len, const char *where, int *c, int *h, int *w)
{
	uint8_t *kept, *px = NULL;
	size_t n;

	if (png_check_header(data, len, where))
		return NULL;
	kept = xmalloc(len, 1);
	n = png_keep_image(data, len, where, kept);
	if (n)
		px = png_run(kept, n, where, c, h, w);
	free(kept);
	return px;
}

uint8_t *png_encode(const uint8_t *px, int c, int h, int w, size_t *len)
{
	png_image img = { .version = PNG_IMAGE_VERSION, .width = (png_uint_32)w, .height = (png_uint_32)h,
	                  .format = c == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY };
	png_alloc_size_t size;
	uint8_t *raw, *out;

	check_shape(px, c, h, w);
	raw = xmalloc((size_t)h * w, (size_t)c);
	for (int y = 0; y < h; y++)
		planes_to_row(px, c, h, w, y, raw + (size_t)y * w * c);
	size = PNG_IMAGE_PNG_SIZE_MAX(img);
	out = xmalloc(size, 1);
	if (!png_image_write_to_memory(&img, out, &size, 0, raw, 0, NULL)) {
		error(EXIT_UNEVALUABLE, "cannot encode a %dx%d image as PNG: %s", w, h, img.message);
		free(out);
		out = NULL;
	}
	free(raw);
	*len = size;
	return out;
}

/* ---- either ---- */

uint8_t *image_decode(const void *data, size_t len, const char *where, int *c, int *h, int *w)
{
	static const uint8_t jpeg_magic[3] = { 0xff, 0xd8, 0xff };

	if (len >= sizeof(jpeg_magic) && !memcmp(data, jpeg_magic, sizeof(jpeg_magic)))
		return jpeg_decode(data, len, where, c, h, w);
	if (len >= sizeof(png_magic) && !memcmp(data, png_magic, sizeof(png_magic)))
		return png_decode(data, len, where, c, h, w);
	error(EXIT_UNEVALUABLE, "%s: neither JPEG nor PNG; convert or remove the file", where);
	return NULL;
}

uint8_t *image_read(const char *path, int *c, int *h, int *w)
{
	size_t len;
	char *data = file_read(path, CODEC_MAX_FILE, &len);
	uint8_t *px;

	if (!data)
		return NULL;
	px = image_decode(data, len, path, c, h, w);
	free(data);
	return px;
}
