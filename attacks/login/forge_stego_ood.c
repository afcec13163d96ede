/* Images of no task. See forge_stego_ood.h. */
#include "attacks/login/forge_stego_ood.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"

enum { OCTAVES = 5, GRID = (1 << OCTAVES) + 2 };

/* A grid of 2^octave cells a side, bilinearly between its corners, added to out (h,w) with weight 2^-octave. */
static void add_octave(struct rng *r, int octave, int h, int w, float *out)
{
	const int cells = 1 << octave;
	double g[GRID][GRID];

	for (int y = 0; y <= cells; y++)
		for (int x = 0; x <= cells; x++)
			g[y][x] = rng_uniform(r) / cells;
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) {
			const double u = (double)x / w * cells, v = (double)y / h * cells;
			const int i = (int)u, k = (int)v;
			const double a = u - i, b = v - k;

			out[y * w + x] += (float)((1 - b) * ((1 - a) * g[k][i] + a * g[k][i + 1]) +
						  b * ((1 - a) * g[k + 1][i] + a * g[k + 1][i + 1]));
		}
}

static void fractal(struct rng *r, int h, int w, float *out)
{
	float lo = INFINITY, hi = -INFINITY;

	memset(out, 0, (size_t)h * w * sizeof(*out));
	for (int o = 1; o <= OCTAVES; o++)
		add_octave(r, o, h, w, out);
	for (int i = 0; i < h * w; i++) {
		lo = fminf(lo, out[i]);
		hi = fmaxf(hi, out[i]);
	}
	for (int i = 0; i < h * w; i++)
		out[i] = hi > lo ? (out[i] - lo) / (hi - lo) : 0;
}

/* Brightness falls from 1 within `thick` of the line between two points to 0 a pixel farther out. */
static void stroke(struct rng *r, int h, int w, float *out)
{
	const double x0 = w * rng_uniform(r), y0 = h * rng_uniform(r), dx = w * rng_uniform(r) - x0, dy = h * rng_uniform(r) - y0;
	const double long2 = dx * dx + dy * dy, thick = 0.5 + rng_uniform(r);

	for (int i = 0; i < h * w; i++) {
		const double x = i % w + 0.5 - x0, y = (double)(i / w) + 0.5 - y0;
		const double at = long2 > 0 ? fmin(fmax((x * dx + y * dy) / long2, 0), 1) : 0;
		const double far = hypot(x - at * dx, y - at * dy);

		out[i] = fmaxf(out[i], (float)fmin(fmax(1 + thick - far, 0), 1));
	}
}

static void strokes(struct rng *r, int h, int w, float *out)
{
	const int n = 2 + (int)rng_below(r, 3);

	memset(out, 0, (size_t)h * w * sizeof(*out));
	for (int i = 0; i < n; i++)
		stroke(r, h, w, out);
}

void ood_draw(enum ood kind, struct rng *r, int c, int h, int w, float *out)
{
	const size_t plane = (size_t)h * w;

	for (size_t i = 0; i < plane * c && kind == OOD_NOISE; i++)
		out[i] = (float)rng_uniform(r);
	if (kind == OOD_NOISE)
		return;
	if (kind == OOD_FRACTAL)
		fractal(r, h, w, out);
	else
		strokes(r, h, w, out);
	for (int k = 1; k < c; k++)
		memcpy(out + plane * k, out, plane * sizeof(*out));
}
