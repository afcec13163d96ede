/* The files of a bundle in memory: each is kept deflated and unpacked when somebody looks at it, so that an archive
 * of a thousand cells takes what its bytes say, and one of a thousand zeros nothing. See bundlefile.h. */
#include "bench/bundlefile_parts.h"

#include <string.h>
#include <zlib.h>

#include "base/error.h"
#include "base/hash.h"

#define CHUNK 65536

struct packer {
	z_stream z;
	struct hash hash;
	unsigned char *out;
	size_t room, n, len;
};

struct packer *packer_new(void)
{
	struct packer *p = xcalloc(1, sizeof(*p));

	if (deflateInit(&p->z, Z_BEST_SPEED) != Z_OK)
		die(EXIT_MEMORY, "out of memory (zlib)");
	hash_init(&p->hash);
	return p;
}

static void push(struct packer *p, const void *data, size_t len, int flush)
{
	int ret;

	p->z.next_in = (Bytef *)(uintptr_t)data; /* zlib does not write there, its type only says so */
	p->z.avail_in = (uInt)len;
	do {
		if (p->room - p->n < 64) {
			p->room += p->room / 2 + 1024;
			p->out = xrealloc(p->out, p->room, 1);
		}
		p->z.next_out = p->out + p->n;
		p->z.avail_out = (uInt)(p->room - p->n < CHUNK ? p->room - p->n : CHUNK);
		ret = deflate(&p->z, flush);
		BUG_ON(ret != Z_OK && ret != Z_STREAM_END && ret != Z_BUF_ERROR);
		p->n = (size_t)(p->z.next_out - p->out);
	} while (p->z.avail_in || (flush == Z_FINISH && ret != Z_STREAM_END) || !p->z.avail_out);
}

void packer_add(struct packer *p, const void *data, size_t len)
{
	const char *from = data;

	hash_add(&p->hash, data, len);
	p->len += len;
	for (; len > CHUNK; from += CHUNK, len -= CHUNK)
		push(p, from, CHUNK, Z_NO_FLUSH);
	push(p, from, len, Z_NO_FLUSH);
}

void packer_end(struct packer *p, struct bundle_file *b, const char *name)
{
	struct bundle_entry *e;

	push(p, "", 0, Z_FINISH);
	if ((b->n & (b->n - 1)) == 0) /* 0 or a power of two: full */
		b->e = xrealloc(b->e, b->n ? 2 * (size_t)b->n : 1, sizeof(*b->e));
	e = &b->e[b->n++];
	*e = (struct bundle_entry){ .name = xstrdup(name), .packed = xrealloc(p->out, p->n, 1), .npacked = p->n,
				    .len = p->len };
	hash_end_hex(&p->hash, e->hash);
	deflateEnd(&p->z);
	free(p);
}

void packer_drop(struct packer *p)
{
	char unused[HASH_HEX];

	hash_end_hex(&p->hash, unused);
	deflateEnd(&p->z);
	free(p->out);
	free(p);
}

void bundle_file_add(struct bundle_file *b, const char *name, const void *data, size_t len)
{
	struct packer *p = packer_new();

	packer_add(p, data, len);
	packer_end(p, b, name);
}

char *bundle_file_text(const struct bundle_entry *e)
{
	char *text = xmalloc(e->len + 1, 1);
	uLongf n = e->len + 1; /* zlib wants somewhere to write even for none */

	BUG_ON(uncompress((Bytef *)text, &n, e->packed, e->npacked) != Z_OK || n != e->len);
	text[n] = '\0';
	return text;
}
