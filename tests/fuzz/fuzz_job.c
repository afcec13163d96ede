/* job_parse() on arbitrary text: it refuses it with one message, or gives a job whose points can be described. The part behind
 * the first NUL, when there is one, is a --set. */
#include <string.h>

#include "base/error.h"
#include "bench/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7.12 loses 2 KiB when it refuses some long flow sequences; the program ends right after. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = memchr(data, '\0', size);
	char *set = nul ? strndup((const char *)nul + 1, size - (size_t)(nul + 1 - data)) : NULL;
	const char *sets[] = { set };
	struct job j;

	error_clear();
	if (job_parse(&j, (const char *)data, nul ? (size_t)(nul - data) : size, "fuzz", sets, set != NULL) < 0)
		BUG_ON(error_code() != EXIT_UNEVALUABLE || !*error_text());
	else if (j.n)
		json_decref(point_json(&j.cells[j.n - 1].p));
	job_release(&j);
	free(set);
	return 0;
}
