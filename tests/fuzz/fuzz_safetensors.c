/* bundle_decode() on arbitrary bytes: it refuses them, or gives a bundle that survives being written and read again. */
#include "base/error.h"
#include "nn/bundle.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bundle *b = bundle_decode(data, size, "fuzz"), *again;
	char hash[65], hash_again[65];
	size_t len;
	void *file;

	error_clear();
	if (!b)
		return 0;
	file = bundle_encode(b, &len);
	again = bundle_decode(file, len, "again");
	BUG_ON(!again);
	bundle_hash(b, hash);
	bundle_hash(again, hash_again);
	BUG_ON(strcmp(hash, hash_again));
	free(file);
	bundle_free(b);
	bundle_free(again);
	return 0;
}
