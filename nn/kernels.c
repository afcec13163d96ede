/* Choice of the kernel table, weight packing and padding. */
#include "base/error.h"
#include "nn/kernels.h"
#include "nn/kernels_winograd.h"
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
}

const char *kernels_name(void)
{
	return K->family;
}

const char *kernels_isa(void)
{
	return K->isa;
}

const char *kernels_note(void)
{
	if (K != &kernels_plain)
		return NULL;
	if (has(&kernels_avx2))
		return "runs with plain kernels, as $LOCKBENCH_KERNELS asks: about 3 times slower than with AVX2";
	return "this processor has no AVX2 with FMA: runs with plain kernels: about 3 times slower than with AVX2";
}

struct conv conv_shape(int c, int h, int w, int o, int k, int stride)
{
	struct conv s = { .c = c, .h = h, .w = w, .o = o, .kh = k, .kw = k, .stride = stride, .oh = (h - k) / stride + 1,
			  .ow = (w - k) / stride + 1, .x_step = (size_t)stride * LANES, .y_step = LANES };

	s.y_row = (size_t)s.ow * LANES;
	s.y_plane = s.y_row * (size_t)s.oh;
	return s;
}

size_t conv_packed_len(const struct taps *t, int block)
{
	const int out = t->back ? t->c : t->o, in = t->back ? t->o : t->c;

	return (size_t)((out + block - 1) / block * block) * in * (t->winograd ? WINO : taps_from(t, t->dy) * taps_from(t, t->dx));
}

static void pack_forward(const struct taps *t, int block, int b, real *to)
{
	const size_t taps = (size_t)t->c * t->k * t->k;
	const real *w = t->w + (size_t)b * block * taps;
	const int valid = t->o - b * block < block ? t->o - b * block : block;

	for (size_t i = 0; i < taps; i++, w++, to += block) {
		for (int j = 0; j < valid; j++)
			to[j] = w[j * taps];
		for (int j = valid; j < block; j++)
			to[j] = 0;
	}
}

static void pack_back(const struct taps *t, int block, int b, real *to)
{
	const int rows = taps_from(t, t->dy), columns = taps_from(t, t->dx), kk = t->k * t->k;
	const int valid = t->c - b * block < block ? t->c - b * block : block;

	for (int i = 0; i < t->o; i++)
		for (int y = rows - 1; y >= 0; y--)
			for (int x = columns - 1; x >= 0; x--) {
				const real *w = t->w + ((size_t)i * t->c + (size_t)b * block) * kk + (t->dy + y * t->stride) * t->k +
						t->dx + x * t->stride;

				for (int j = 0; j < valid; j++)
					to[j] = w[(size_t)j * kk];
				for (int j = valid; j < block; j++)
					to[j] = 0;
				to += block;
			}
}

void conv_pack(const struct taps *t, int block, int b, real *to)
{
	const int in = t->back ? t->o : t->c;

	if (t->winograd) {
		wino_pack(t, block, b, to + (size_t)b * block * in * WINO);
		return;
	}
	to += (size_t)b * block * in * taps_from(t, t->dy) * taps_from(t, t->dx);
	(t->back ? pack_back : pack_forward)(t, block, b, to);
}

void pad_group(const real *x, int c, int h, int w, int top, int left, int hp, int wp, real *out)
{
	const size_t row = (size_t)w * LANES, before = (size_t)left * LANES, after = (size_t)(wp - left - w) * LANES;

	for (int i = 0; i < c; i++) {
		memset(out, 0, (size_t)top * wp * LANES * sizeof(real));
		out += (size_t)top * wp * LANES;
		for (int y = 0; y < h; y++, x += row, out += (size_t)wp * LANES) {
			memset(out, 0, before * sizeof(real));
			memcpy(out + before, x, row * sizeof(real));
			memset(out + before + row, 0, after * sizeof(real));
		}
		memset(out, 0, (size_t)(hp - top - h) * wp * LANES * sizeof(real));
		out += (size_t)(hp - top - h) * wp * LANES;
	}
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
