/* See evasion_square.h. */
#include "attacks/kit/evasion_square.h"

#include <string.h>

#include "attacks/kit/evasion_margin.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/rng.h"

#define P_INIT 0.8 /* share of the image that the first squares cover */
enum { WIDEST = 1024 }; /* columns */

/* Share of the image that a square covers at question q of `all`. */
static double share_at(int q, int all)
{
	static const int from[] = { 10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000 }; /* of 10,000 */
	double p = P_INIT;

	for (size_t i = 0; i < ARRAY_LEN(from); i++)
		p /= (double)q * 10000 / all > from[i] ? 2 : 1;
	return p;
}

/* One question's change of image `from` into `out`: stripes at first, a square of one sign a channel then. */
static void propose(const struct model_spec *s, const float *centre, const float *from, int q, int queries, double eps,
		    struct rng *r, float *out)
{
	const int area = s->h * s->w, most = s->h < s->w ? s->h : s->w;
	int side = (int)lrint(sqrt(share_at(q, queries) * area)), row, col;

	BUG_ON(s->w > WIDEST);
	side = side < 1 ? 1 : side > most ? most : side;
	memcpy(out, from, (size_t)(s->c * area) * sizeof(*out));
	row = (int)rng_below(r, (uint32_t)(s->h - side + 1));
	col = (int)rng_below(r, (uint32_t)(s->w - side + 1));
	for (int ch = 0; ch < s->c; ch++) {
		double stripe[WIDEST];

		for (int k = 0; k < s->w; k++) /* a square has one sign */
			stripe[k] = k && q ? stripe[0] : rng_below(r, 2) ? eps : -eps;
		for (int k = 0; k < (q ? side * side : area); k++) {
			const int at = ch * area + (q ? (row + k / side) * s->w + col + k % side : k);

			out[at] = boxed((double)centre[at] + stripe[k % s->w], centre[at], eps);
		}
	}
}

int square(struct model *m, float *x, const int *y, int n, double eps, int queries, uint64_t seed, int first, bool *done, double *fe)
{
	const int len = m->spec.c * m->spec.h * m->spec.w, k = model_outputs(m);
	float *best = xmalloc((size_t)n * (size_t)len, 2 * sizeof(*best)), *try = best + (size_t)n * (size_t)len;
	float *z = xmalloc((size_t)n * (size_t)k, sizeof(*z));
	double *top = xmalloc((size_t)n, sizeof(*top));
	int *which = xmalloc((size_t)n, sizeof(*which)), ret = 0;

	memcpy(best, x, (size_t)n * (size_t)len * sizeof(*best));
	for (int i = 0; i < n; i++)
		top[i] = -INFINITY;
	for (int q = 0; q < queries && !ret; q++) {
		struct images v = { .c = m->spec.c, .h = m->spec.h, .w = m->spec.w, .classes = k, .fx = try };

		for (int i = 0; i < n; i++) {
			struct rng r;

			if (done[i])
				continue;
			rng_open(&r, seed, "square", (uint32_t)(first + i), (uint32_t)q);
			propose(&m->spec, x + (size_t)i * (size_t)len, best + (size_t)i * (size_t)len, q, queries, eps, &r,
				try + (size_t)v.n * (size_t)len);
			which[v.n++] = i;
		}
		if (!v.n)
			break;
		ret = interrupt_check() || model_predict(m, &v, z) < 0 ? -1 : 0;
		*fe += v.n;
		for (int j = 0; j < v.n && !ret; j++) {
			const double now = margin(z + (size_t)j * (size_t)k, k, y[which[j]]);
			const size_t at = (size_t)which[j] * (size_t)len;

			if (now <= top[which[j]])
				continue;
			top[which[j]] = now;
			done[which[j]] = now > 0;
			memcpy((now > 0 ? x : best) + at, try + (size_t)j * (size_t)len, (size_t)len * sizeof(*best));
		}
	}
	free(best);
	free(z);
	free(top);
	free(which);
	return ret;
}
