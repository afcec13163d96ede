/* datasets/cifar10.c: any bytes as a batch of 0 to 3 records. */
#include <stdlib.h>

#include "base/error.h"
#include "datasets/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t px[3 * CIFAR_PIXELS], labels[3];
	const int n = (int)(len / CIFAR_RECORD < 3 ? len / CIFAR_RECORD : 3);

	if (!cifar10_parse(data, len, n, "fuzz", px, labels))
		for (int i = 0; i < n; i++)
			if (labels[i] >= 10)
				abort();
	error_clear();
	return 0;
}
