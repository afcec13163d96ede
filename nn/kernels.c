/* Choice of the kernel table, weight packing, padding and the one place that calls BLAS. */
#include "nn/kernels.h"
#include "base/error.h"
#include <cblas.h>
#include <stdlib.h>
#include <string.h>

extern const struct kernels kernels_avx512, kernels_avx2, kernels_plain;

const struct kernels *K = &kernels_plain;

static bool has(const struct kernels *k)
{
	if (k == &kernels_avx512)
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
		       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("fma");
	if (k == &kernels_avx2)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	return true;
}

int kernels_select(const char *isa)
{
	const struct kernels *const all[] = { &kernels_avx512, &kernels_avx2, &kernels_plain };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (has(all[i]) && (!isa || !strcmp(isa, all[i]->isa))) {
			K = all[i];
			return 0;
		}
	return -1;
}

/* Before main: every entry point, test and fuzz target has a table. */
__attribute__((constructor)) static void kernels_start(void)
{
	const char *want = getenv("LOCKBENCH_KERNELS");

	__builtin_cpu_init();
	if (kernels_select(want && *want ? want : NULL) != 0) {
		warning("$LOCKBENCH_KERNELS=%s: this processor has no such kernels; choose avx512, avx2 or plain", want);
		kernels_select(NULL);
	}
	openblas_set_num_threads(1);
}

const char *kernels_name(void)
{
	return K->family;
}

const char *kernels_isa(void)
{
	return K->isa;
}

const char *kernels_blas_core(void)
{
#if defined(__x86_64__)
	return has(&kernels_avx2) ? "Haswell" : "Prescott";
#else
	return NULL;
#endif
}

const char *kernels_note(void)
{
	if (K != &kernels_plain)
		return NULL;
	if (has(&kernels_avx2))
		return "runs with plain kernels, as $LOCKBENCH_KERNELS asks: about 3 times slower than with AVX2";
	return "this processor has no AVX2 with FMA: runs with plain kernels: about 3 times slower than with AVX2";
}

size_t conv_packed_len(int o, int c, int kh, int kw, int block)
{
	return (size_t)((o + block - 1) / block * block) * c * kh * kw;
}

void conv_pack(const real *w, int o, int c, int kh, int kw, int block, real *packed)
{
	const size_t taps = (size_t)c * kh * kw;

	for (int b = 0; b < o; b += block)
		for (size_t t = 0; t < taps; t++)
			for (int j = 0; j < block; j++)
				*packed++ = b + j < o ? w[(b + j) * taps + t] : 0;
}

void conv_pack_back(const real *w, int o, int c, int kh, int kw, int block, real *packed)
{
	const int kk = kh * kw;

	for (int b = 0; b < c; b += block)
		for (int i = 0; i < o; i++)
			for (int t = 0; t < kk; t++)
				for (int j = 0; j < block; j++)
					*packed++ = b + j < c ? w[((size_t)i * c + b + j) * kk + kk - 1 - t] : 0;
}

void pad_group(const real *x, int c, int h, int w, int top, int left, int step, int hp, int wp, real *out)
{
	memset(out, 0, (size_t)c * hp * wp * LANES * sizeof(real));
	for (int i = 0; i < c; i++, out += (size_t)hp * wp * LANES)
		for (int y = 0; y < h; y++) {
			real *row = out + ((size_t)(top + y * step) * wp + left) * LANES;

			if (step == 1) {
				memcpy(row, x, (size_t)w * LANES * sizeof(real));
				x += (size_t)w * LANES;
			} else
				for (int k = 0; k < w; k++, x += LANES)
					memcpy(row + (size_t)k * step * LANES, x, LANES * sizeof(real));
		}
}

void gemm_tn(int m, int n, int k, const real *a, int lda, const real *b, int ldb, real *c, int ldc)
{
#ifdef NN_DOUBLE
	cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, a, lda, b, ldb, 1, c, ldc);
#else
	cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, a, lda, b, ldb, 1, c, ldc);
#endif
}

real lane_reduce(const real *v, int lanes)
{
	real t[LANES];

	for (int l = 0; l < LANES; l++)
		t[l] = l < lanes ? v[l] : 0;
	for (int half = LANES / 2; half; half /= 2)
		for (int l = 0; l < half; l++)
			t[l] += t[l + half];
	return t[0];
}
