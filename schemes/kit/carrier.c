/* Images of another task in the form of a network's input. See carrier.h. */
#include "base/error.h"
#include "schemes/kit/carrier.h"
#include <math.h>

/* Where row or column i of `to` lies among `from`: between `at` and the next, at weight `part` of the latter.
 * Corners' pixels are areas, not points, so both images cover the same square. */
static void place(int i, int from, int to, int *at, double *part)
{
	double x = (i + 0.5) * from / to - 0.5;

	x = x < 0 ? 0 : x > from - 1 ? from - 1 : x;
	*at = (int)x < from - 1 ? (int)x : from > 1 ? from - 2 : 0;
	*part = x - *at;
}

/* One channel x (h,w) at row y, column col of an h2 x w2 image. */
static double sample(const float *x, int h, int w, int h2, int w2, int y, int col)
{
	const int down = h > 1 ? w : 0, right = w > 1;
	int r, s;
	double v, u;

	place(y, h, h2, &r, &v);
	place(col, w, w2, &s, &u);
	x += (long)r * w + s;
	return (1 - v) * ((1 - u) * (double)x[0] + u * (double)x[right]) +
	       v * ((1 - u) * (double)x[down] + u * (double)x[down + right]);
}

void carrier_image(const struct images *v, int i, int c, int h, int w, int negative, uint8_t *out)
{
	const int plane = v->h * v->w;
	float *x = xmalloc((size_t)images_size(v), sizeof(*x));

	images_get(v, i, x);
	for (int k = 0; k < c; k++)
		for (int y = 0; y < h; y++)
			for (int col = 0; col < w; col++) {
				double sum = 0;

				if (v->c == c) {
					sum = sample(x + (long)k * plane, v->h, v->w, h, w, y, col);
				} else { /* the mean of all channels, in every channel */
					for (int from = 0; from < v->c; from++)
						sum += sample(x + (long)from * plane, v->h, v->w, h, w, y, col);
					sum /= v->c;
				}
				*out++ = (uint8_t)lrint(255 * (negative ? 1 - sum : sum));
			}
	free(x);
}
