/* See peak.h. */
#include "bench/speed/peak.h"
#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "bench/speed/spawn.h"
#include <cblas.h>
#include <stdio.h>
#include <string.h>

enum { SIDE = 1024, SLICE = 4 }; /* products a slice: 8.6 GFLOP */
#define WARM_UP 0.2 /* seconds; begins before the two of a pair are both there */

static double slice(const float *a, const float *b, float *c)
{
	const double start = now_seconds();

	for (int i = 0; i < SLICE; i++)
		cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIDE, SIDE, SIDE, 1, a, SIDE, b, SIDE, 0, c, SIDE);
	return 2e-9 * SIDE * SIDE * SIDE * SLICE / (now_seconds() - start);
}

int peak_child(double start, double seconds)
{
	float *x = xmalloc((size_t)3 * SIDE * SIDE, sizeof(*x)), *b = x + SIDE * SIDE, *c = b + SIDE * SIDE;
	double best = 0;

	for (int i = 0; i < 3 * SIDE * SIDE; i++)
		x[i] = (float)(i % 17) * 0.01f;
	do
		slice(x, b, c);
	while (now_seconds() < start);
	do {
		const double rate = slice(x, b, c);

		best = rate > best ? rate : best;
	} while (now_seconds() < start + seconds);
	free(x);
	printf("{\"gflops\": %.3f}\n", best);
	return 0;
}

/* GFLOP/s of n processes (1 or 2) together; 0 when one of them fails, as it does where the processor lacks what the core needs. */
static double measure(const char *core, double seconds, int n)
{
	char start[32], length[32];
	char *const argv[] = { SELF, "peak", start, length, NULL };
	struct child c[2];
	double sum = 0;
	int started = 0, status, failed = 0;

	snprintf(start, sizeof(start), "%.6f", now_seconds() + WARM_UP);
	snprintf(length, sizeof(length), "%.6f", seconds);
	while (started < n && !child_start(&c[started], argv, *core ? core : NULL, true))
		started++;
	for (int i = 0; i < started; i++) {
		json_t *said = child_read(&c[i], &status);

		failed |= !said;
		sum += jget_num(said, "gflops", 0);
		json_decref(said);
	}
	return failed || started < n ? 0 : sum;
}

int peak_measure(struct peak *p, double seconds, int processors)
{
	/* OpenBLAS guesses wrongly on processors that are newer than itself. */
	static const char *const cores[] = { "", "Haswell", "Zen", "SkylakeX", "Cooperlake", "Sapphirerapids", "Sandybridge" };

	*p = (struct peak){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(cores); i++) {
		const double rate = measure(cores[i], seconds, 1);

		if (rate > p->gflops[0] * 1.02) { /* a name is a finding, not noise */
			p->gflops[0] = rate;
			strcpy(p->core, cores[i]);
		}
	}
	if (!(p->gflops[0] > 0))
		return error(EXIT_FAILED_CELLS, "sgemm's peak cannot be measured: no core type of OpenBLAS runs here");
	if (processors > 1)
		p->gflops[1] = measure(p->core, seconds, 2);
	return 0;
}
