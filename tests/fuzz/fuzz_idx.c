/* datasets/idx.c: any bytes as an image file and as a label file. */
#include <stdlib.h>

#include "base/error.h"
#include "datasets/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct idx_view v;
	volatile uint8_t sink; /* touch both ends of what the parser promises */

	if (!idx_parse_images(data, len, "fuzz", &v)) {
		sink = v.data[0];
		sink = v.data[(size_t)v.n * (size_t)v.h * (size_t)v.w - 1];
	}
	error_clear();
	if (!idx_parse_labels(data, len, "fuzz", 10, &v))
		for (int i = 0; i < v.n; i++)
			if (v.data[i] >= 10)
				abort();
	error_clear();
	(void)sink;
	return 0;
}
