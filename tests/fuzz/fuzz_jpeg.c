/* datasets/codec.c: any bytes as a JPEG. What is accepted must have the sizes it claims, and decode the same twice. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "datasets/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int c, h, w;
	uint8_t *a = jpeg_decode(data, len, "fuzz", &c, &h, &w), *b;

	if (a) {
		if ((c != 1 && c != 3) || h < 1 || w < 1 || h > CODEC_MAX_SIDE || w > CODEC_MAX_SIDE)
			abort();
		b = jpeg_decode(data, len, "fuzz", &c, &h, &w);
		if (!b || memcmp(a, b, (size_t)c * (size_t)h * (size_t)w))
			abort();
		free(b);
	} else if (error_code() == EXIT_YES) {
		abort(); /* a failure without a message */
	}
	free(a);
	error_clear();
	return 0;
}
