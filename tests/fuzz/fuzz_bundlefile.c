/* bench/bundlefile.c: any bytes as a study bundle. The hashes would stop a fuzzer at once: the archive is made here, of a manifest and one
 * file from the input, and the file's hash is put where the manifest has a mark. What is read is merged with itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "bench/bundlefile.h"

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

static void read_it(const char *data, size_t len)
{
	struct bundle_file b, two[2], out;

	if (bundle_file_parse(&b, data, len, "fuzz") == 0) {
		json_decref(bundle_file_json(&b, "cells/"));
		error_clear();
		BUG_ON(bundle_file_parse(&two[0], data, len, "fuzz") < 0);
		BUG_ON(bundle_file_parse(&two[1], data, len, "fuzz") < 0);
		if (bundle_file_merge(&out, two, 2) == 0)
			bundle_file_release(&out);
		bundle_file_release(&two[0]);
		bundle_file_release(&two[1]);
	}
	bundle_file_release(&b);
	error_clear();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char name[] = "cells/01/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.json";
	char hash[HASH_HEX], store[HASH_HEX], *manifest;
	struct bytes made = { 0 };
	struct tar_writer t = { .put = keep, .ctx = &made };

	read_it((const char *)data, len);
	sha256_hex(data, len, hash);
	sha256_hex("{}\n", 3, store);
	manifest = xasprintf("{\n  \"bundle\": 1,\n  \"files\": {\n    \"%s\": \"%s\",\n    \"store.json\": \"%s\"\n  }\n}\n", name,
			     hash, store);
	tar_add(&t, "MANIFEST.json", manifest, strlen(manifest));
	tar_add(&t, name, data, len);
	tar_add(&t, "store.json", "{}\n", 3);
	tar_end(&t);
	read_it(made.data, made.n);
	free(manifest);
	free(made.data);
	return 0;
}
