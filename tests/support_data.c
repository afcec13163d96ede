/* See support_data.h. */
#include "tests/support_data.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/error.h"
#include "datasets/codec.h"
#include "tests/support_sandbox.h"

void data_open(void)
{
	sandbox_open();
	setenv("LOCKBENCH_DATA", sandbox(""), 1);
	setenv("XDG_CACHE_HOME", sandbox("cache"), 1);
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

uint8_t *make_idx_images(uint32_t n, uint32_t h, uint32_t w, int salt, size_t *len)
{
	const size_t size = (size_t)n * h * w;
	uint8_t *p = xcalloc(16 + size, 1);

	put32(p, 0x803);
	put32(p + 4, n);
	put32(p + 8, h);
	put32(p + 12, w);
	for (size_t k = 0; k < size; k++)
		p[16 + k] = (uint8_t)(k * 7 + (size_t)salt);
	*len = 16 + size;
	return p;
}

uint8_t *make_idx_labels(uint32_t n, size_t *len)
{
	uint8_t *p = xcalloc(8 + (size_t)n, 1);

	put32(p, 0x801);
	put32(p + 4, n);
	for (uint32_t i = 0; i < n; i++)
		p[8 + i] = (uint8_t)(i % 10);
	*len = 8 + (size_t)n;
	return p;
}

void write_gz(const char *name, const void *data, size_t len)
{
	gzFile f = gzopen(sandbox(name), "wb");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(gzwrite(f, data, (unsigned)len), (int)len);
	ck_assert_int_eq(gzclose(f), Z_OK);
}

static void write_idx(const char *dir, const char *stem, uint8_t *bytes, size_t len, bool gz)
{
	char name[256];

	snprintf(name, sizeof(name), "%s/%s%s", dir, stem, gz ? ".gz" : "");
	(gz ? write_gz : sandbox_write)(name, bytes, len);
	free(bytes);
}

void write_idx_set(const char *dir, bool gz)
{
	size_t len;
	uint8_t *p;

	make_folder(dir);
	p = make_idx_images(30, 4, 5, 1, &len);
	write_idx(dir, "train-images-idx3-ubyte", p, len, gz);
	p = make_idx_labels(30, &len);
	write_idx(dir, "train-labels-idx1-ubyte", p, len, gz);
	p = make_idx_images(20, 4, 5, 2, &len);
	write_idx(dir, "t10k-images-idx3-ubyte", p, len, gz);
	p = make_idx_labels(20, &len);
	write_idx(dir, "t10k-labels-idx1-ubyte", p, len, gz);
}

void make_folder(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s", sandbox(name));
	for (char *p = path + strlen(sandbox("")) + 1; *p; p++)
		if (*p == '/') {
			*p = 0;
			ck_assert(!mkdir(path, 0777) || errno == EEXIST);
			*p = '/';
		}
	ck_assert(!mkdir(path, 0777) || errno == EEXIST);
}

void write_png(const char *name, int c, int h, int w, uint8_t level)
{
	uint8_t *px = xmalloc((size_t)c * (size_t)h, (size_t)w), *png;
	size_t len;

	memset(px, level, (size_t)c * (size_t)h * (size_t)w);
	png = png_encode(px, c, h, w, &len);
	ck_assert_ptr_nonnull(png);
	sandbox_write(name, png, len);
	free(png);
	free(px);
}

void write_image_set(const char *dir)
{
	static const struct { const char *part, *class; int n, level; } rows[] = {
		{ "train", "ant", 3, 10 }, { "train", "bee", 3, 200 }, { "test", "ant", 2, 15 }, { "test", "bee", 2, 205 }
	};
	char name[256];

	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		snprintf(name, sizeof(name), "%s/%s/%s", dir, rows[r].part, rows[r].class);
		make_folder(name);
		for (int i = 0; i < rows[r].n; i++) {
			snprintf(name, sizeof(name), "%s/%s/%s/%03d.png", dir, rows[r].part, rows[r].class, i);
			write_png(name, 1, 4, 6, (uint8_t)(rows[r].level + i));
		}
	}
}

const char *real_data(const char *test)
{
	const char *env = getenv("LOCKBENCH_DATA");
	const char *const dirs[] = { env && *env ? env : "../shared/data", "../shared/data" };
	char path[512];
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof(path), "%s/mnist/train-images-idx3-ubyte.gz", dirs[i]);
		if (!stat(path, &st))
			return dirs[i];
	}
	fprintf(stderr, "skipped: %s: no MNIST in $LOCKBENCH_DATA or ../shared/data\n", test);
	return NULL;
}

void expect_error(const char *const *words)
{
	ck_assert_int_ne(error_code(), EXIT_YES);
	for (; *words; words++)
		ck_assert_msg(strstr(error_text(), *words) != NULL, "'%s' is not in: %s", *words, error_text());
	error_clear();
}
