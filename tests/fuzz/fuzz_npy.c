/* npy_decode() on arbitrary bytes: it refuses them, or every byte it promises can be read. */
#include "base/error.h"
#include "nn/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned sum = 0;
	size_t bytes;
	int64_t d[6];
	char dtype;
	int nd;
	unsigned char *x = npy_decode(data, size, "fuzz", &dtype, &nd, d);

	error_clear();
	if (!x)
		return 0;
	bytes = dtype == 'f' ? 4 : 1;
	for (int i = 0; i < nd; i++)
		bytes *= (size_t)d[i];
	for (size_t i = 0; i < bytes; i++)
		sum += x[i];
	free(x);
	BUG_ON(sum == 1u << 31); /* needs the sum, cannot happen in a file this small */
	return 0;
}
