/* base/tar.c: any bytes as an archive. What is accepted must be, byte for byte, what the writer makes of it; what is adopted is accepted
 * then. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct tar_view v;
	struct tar_file f;
	struct tar again = { 0 };
	int ret;

	tar_open(&v, (const char *)data, len, "fuzz");
	while ((ret = tar_next(&v, &f)) == 1) {
		BUG_ON(strstr(f.name, "..") || f.name[0] == '/');
		tar_add(&again, f.name, f.data, f.len);
	}
	if (ret == 0) {
		tar_end(&again);
		BUG_ON(again.n != len || memcmp(again.data, data, len) != 0);
	} else {
		BUG_ON(error_code() != EXIT_UNEVALUABLE);
	}
	error_clear();
	free(again.data);
	again = (struct tar){ 0 };
	if (tar_adopt((const char *)data, len, "fuzz", &again) == 0) {
		tar_open(&v, again.data, again.n, "fuzz");
		while ((ret = tar_next(&v, &f)) == 1)
			;
		BUG_ON(ret != 0);
	}
	error_clear();
	free(again.data);
	return 0;
}
