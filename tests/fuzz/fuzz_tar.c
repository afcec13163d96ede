/* base/tar.c: any bytes as an archive. Names that are given out are good, each file is as long as was said, and
 * what is read in order can be written and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct bytes { char *data; size_t n; };

static int keep(void *ctx, const void *data, size_t len)
{
	struct bytes *b = ctx;

	b->data = xrealloc(b->data, b->n + len + 1, 1);
	memcpy(b->data + b->n, data, len);
	b->n += len;
	return 0;
}

/* Number of files, -1 after error(). again: where they are written to while their names ascend; NULL: nowhere. */
static int read_it(struct tar_reader *r, struct tar_writer *again, int *written)
{
	struct tar_file f;
	int n = 0, ret = r ? 1 : -1;

	while (ret == 1 && (ret = tar_next(r, &f)) == 1) {
		struct bytes content = { 0 };
		char piece[512];
		ssize_t got;

		BUG_ON(!tar_name_ok(f.name) || strstr(f.name, "..") || f.name[0] == '/' || f.len > TAR_FILE_MAX);
		while ((got = tar_read(r, piece, sizeof(piece))) > 0)
			keep(&content, piece, (size_t)got);
		BUG_ON(got == 0 && content.n != f.len);
		if (got < 0)
			ret = -1;
		else if (again && strcmp(f.name, again->last) > 0 && ++*written)
			tar_add(again, f.name, content.data, content.n);
		free(content.data);
		n++;
	}
	tar_close(r);
	BUG_ON(ret < 0 && error_code() != EXIT_UNEVALUABLE);
	error_clear();
	return ret < 0 ? -1 : n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes made = { 0 };
	struct tar_writer t = { .put = keep, .ctx = &made };
	int written = 0;

	read_it(tar_open_memory(data, len, "fuzz"), &t, &written);
	tar_end(&t);
	if (written)
		BUG_ON(read_it(tar_open_memory(made.data, made.n, "again"), NULL, NULL) != written);
	free(made.data);
	return 0;
}
